"""Forecasts made of forecasts: the mean, the median and the weighted mean of all models of a field.

That a plain combination beats nearly every model in it is the most repeated finding of forecasting competitions (Clemen 1989;
Makridakis, Spiliotis & Assimakopoulos 2020, M4: 12 of the 17 best entries were combinations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np

from sopnb.panel import Panel, mean_of

STEADY = 12.0  # how many times the usual record of a series the record of all series weighs
POWER = 2.0  # weights by inverse squares: a model twice as wrong weighs a quarter


@dataclass(frozen=True)
class Case:
    """One origin of the series of a field: what was known, what the models said, and what came.

    rows    positions of the series
    panel   their demand up to the origin
    parts   model → series × steps: the forecasts of the field's members
    truth   series × steps, NaN where not known yet
    back    months between the origin and the last month known
    """

    rows: np.ndarray
    panel: Panel
    parts: Mapping[str, np.ndarray]
    truth: np.ndarray
    back: int
    notes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # what was worked out of it once
    lock: Any = field(default_factory=RLock, compare=False, repr=False)

    @cached_property
    def stack(self) -> np.ndarray:
        """Models × series × steps, in the order of their names."""
        return np.stack([self.parts[name] for name in sorted(self.parts)])

    @cached_property
    def mean(self) -> np.ndarray:
        total = self.stack[0]
        for part in self.stack[1:]:
            total = total + part
        return total / len(self.stack)

    @cached_property
    def median(self) -> np.ndarray:
        return np.median(self.stack, axis=0)

    def of(self, some: np.ndarray) -> Case:
        """The same for some of its series."""
        panel = replace(self.panel, y=self.panel.y[some], profile=self.panel.profile[some])
        return Case(self.rows[some], panel, {name: part[some] for name, part in self.parts.items()}, self.truth[some], self.back)


def known(case: Case, at: int) -> np.ndarray:
    """What had come of a case when `at` months were still unknown: its truth, NaN for later months."""
    return np.where(np.arange(case.truth.shape[1]) < case.back - at, case.truth, np.nan)


def weighted(case: Case, past: Sequence[Case], series: int) -> np.ndarray:
    """The mean of the members weighed by their record at earlier origins.

        relative error of a model = (Σ|error| / s + STEADY · r) / (Σ mean |error| of all models / s + STEADY)
        s = the usual Σ mean |error| of a series;  r = Σ|error| / Σ mean |error| over all series;  weight ∝ relative error^−POWER

    Errors are counted in the mean demand of their series, so that large items do not decide for small ones.
    """
    own, usual = np.zeros((len(case.parts), series)), np.zeros(series)
    for before in past:
        if before.back <= case.back or set(before.parts) != set(case.parts):
            continue
        size = mean_of(before.panel.y[:, -24:])
        error = np.abs(before.stack - known(before, case.back)) / np.where(size > 1e-100, size, np.nan)  # dead series tell nothing
        sums = np.nan_to_num(error).sum(axis=2)
        own[:, before.rows] += sums
        usual[before.rows] += sums.mean(axis=0)
    if not usual.any():
        return case.mean
    all_of_them = own.sum(axis=1, keepdims=True) / usual.sum()
    tested = usual[usual > 0].mean()
    relative = (own[:, case.rows] / tested + STEADY * all_of_them) / (usual[case.rows] / tested + STEADY)
    weight = np.maximum(relative, 0.05) ** -POWER
    weight = weight / weight.sum(axis=0)
    total = np.zeros_like(case.mean)
    for part, share in zip(case.stack, weight, strict=True):
        total = total + share[:, None] * part
    return total
