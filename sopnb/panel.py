"""Many series side by side, and the small sums that every model is made of.

A model walks through time once, with the states of all series and of all candidate smoothing constants side by side in
arrays, so that a thousand series cost a fraction of a second. Rows never meet: a series gets the same numbers whoever stands beside it.
Sums run in a fixed order, without matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sopnb import calendar

SLOW = np.array([0.1, 0.15, 0.2, 0.25, 0.3])  # for sums over months, of which there are few: as in statsforecast
ALPHAS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9])
LEAST_FACTOR = 0.05  # a series divided by less would blow up


@dataclass(frozen=True)
class Panel:
    """Many series up to the same month.

    y        series × time, right-aligned: the last column is the origin; NaN before a series' first month
    steps    months to forecast
    season   months in a season
    profile  series × season, mean 1: the seasonal factors a series borrows from its family while it is short; position
             0 is the first forecast month
    """

    y: np.ndarray
    steps: int
    season: int
    profile: np.ndarray

    @cached_property
    def months(self) -> np.ndarray:
        return (~np.isnan(self.y)).sum(axis=1)

    @cached_property
    def ahead(self) -> np.ndarray:
        """Position in the season of each step."""
        return np.arange(self.steps) % self.season

    @cached_property
    def behind(self) -> np.ndarray:
        """Position in the season of each past month."""
        return (np.arange(self.y.shape[1]) - self.y.shape[1]) % self.season

    @cached_property
    def seasonal_itself(self) -> np.ndarray:
        """Whether a series shows a season of its own. Factors near zero do not count: the seasonal naive has those items."""
        return calendar.is_seasonal(self.y, self.season) & (self._own.min(axis=1) >= LEAST_FACTOR)

    @cached_property
    def _own(self) -> np.ndarray:
        return np.roll(calendar.seasonal_index(self.y, season=self.season, robust=False), -(self.y.shape[1] % self.season), axis=1)

    @cached_property
    def index(self) -> np.ndarray:
        """Series × season: own factors where the series has two full seasons and shows a season, else its family's.

        A season too faint to show in one item's noise shows in the family's total.
        """
        return np.where(self.seasonal_itself[:, None], self._own, np.maximum(self.profile, LEAST_FACTOR))

    @cached_property
    def adjusted(self) -> np.ndarray:
        """The series without their season."""
        return self.y / self.index[:, self.behind]

    def seasonal(self, level: np.ndarray) -> np.ndarray:
        """Put the season back on forecasts of the adjusted series."""
        return level * self.index[:, self.ahead]

    def recent(self, months: int) -> Panel:
        """The same series as if they had begun `months` ago."""
        return Panel(self.y[:, -months:], self.steps, self.season, self.profile)


def mean_of(y: np.ndarray) -> np.ndarray:
    """Mean of each row without its missing values, as a column; 0 for a row without any."""
    n = (~np.isnan(y)).sum(axis=1, keepdims=True)
    return np.nan_to_num(y).sum(axis=1, keepdims=True) / np.maximum(n, 1)


def head(y: np.ndarray, months: int) -> np.ndarray:
    """The first months of each series, left-aligned."""
    first = np.argmax(~np.isnan(y), axis=1)
    at = first[:, None] + np.arange(months)
    return np.where(at < y.shape[1], np.take_along_axis(y, np.minimum(at, y.shape[1] - 1), axis=1), np.nan)


def slope(y: np.ndarray) -> np.ndarray:
    """Least-squares slope of each series over its own months."""
    seen = ~np.isnan(y)
    n = seen.sum(axis=1)
    x = np.where(seen, np.arange(y.shape[1]), 0.0)
    centre = x.sum(axis=1) / np.maximum(n, 1)
    dx = np.where(seen, x - centre[:, None], 0.0)
    square = (dx**2).sum(axis=1)
    return (dx * np.nan_to_num(y)).sum(axis=1) / np.where(square > 0, square, 1.0)


def start(y: np.ndarray, months: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Level and trend before the first month, from a line through the first months."""
    first = head(y, months)
    width = (~np.isnan(first)).sum(axis=1)
    trend = np.where(width >= 6, slope(first), 0.0)
    return mean_of(first)[:, 0] - trend * (width + 1) / 2, trend


def grid(**axes: list[float]) -> dict[str, np.ndarray]:
    """All combinations of the values, each as a row vector."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: m.ravel()[None, :] for name, m in zip(axes, mesh, strict=True)}


def smooth(y: np.ndarray, alphas: np.ndarray, *, first: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Simple exponential smoothing for each constant: last level and Σ squared one-step errors, series × constants.

    The first level is the mean of the first months, four unless told.
    """
    level = np.repeat(mean_of(head(y, first)), len(alphas), axis=1)
    sse = np.zeros_like(level)
    for j in range(y.shape[1]):
        error = np.nan_to_num(y[:, j : j + 1] - level)
        level = level + alphas * error
        sse += error**2
    return level, sse


def best(values: np.ndarray, sse: np.ndarray) -> np.ndarray:
    """The value of the constants with the least error, as a column."""
    return np.take_along_axis(values, np.argmin(sse, axis=1)[:, None], axis=1)


def weights(sse: np.ndarray, months: np.ndarray) -> np.ndarray:
    """How likely each combination of constants is, series × combinations, sum 1.

        w ∝ exp(−n/2 · ln(sse / least sse))      Akaike weights of models with equally many constants (Burnham & Anderson 2002)

    A short series cannot tell one constant from another, and gets the mean of several; a long one gets nearly the best alone.
    """
    least = sse.min(axis=1, keepdims=True)
    ratio = np.where(least > 0, sse / np.where(least > 0, least, 1.0), np.where(sse > 0, np.inf, 1.0))
    likely = np.exp(-0.5 * np.maximum(months, 1)[:, None] * np.log(ratio))
    return likely / likely.sum(axis=1, keepdims=True)
