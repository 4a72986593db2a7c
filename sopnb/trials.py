"""Forecasting one origin: what single models say of it, and the case that joint ones are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sopnb import combinations, cube, models, work
from sopnb.combinations import Case
from sopnb.cube import Cube
from sopnb.panel import Panel

Wanted = Mapping[str, np.ndarray]  # model → positions of the series that want it


def singles(
    whole: Cube, asks: Sequence[tuple[int, int, Wanted]], cap_multiple: float, workers: int, *, meanwhile: Callable[[], None] | None = None
) -> tuple[list[dict[str, np.ndarray]], int]:
    """Bounded forecasts of single models, and how many fell back.

    asks     origin (position in time), steps, model → positions of the series that want it
    returns  for each ask: model → series of the cube × steps (units, without the calendar's effect), NaN where not asked

    Bounds: not negative, finite, at most cap_multiple × the highest month known at the origin. Where a model gives no
    number, Average12 answers, and is counted. Naive and SeasonalNaive stay plain: the calendar's factors do not touch them,
    or what the calendar adds would be credited to them.
    """
    tasks, places = [], []
    for number, (origin, steps, wanted) in enumerate(asks):
        y, past = whole.until(origin), whole.demand[:, : origin + 1]
        profile = cube.profiles(whole, y)
        for names, rows in _alike(wanted):
            plain = [name for name in names if name in models.PLAIN]
            for some, known in ((plain, past), ([n for n in names if n not in plain], y)):
                for piece in work.chunks(rows) if some else ():
                    tasks.append((some, known[piece], profile[piece], steps, whole.season, cap_multiple))
                    places.append((number, piece))
    found: list[dict[str, np.ndarray]] = [{} for _ in asks]
    fallen = 0
    done = work.shared(work.forecasts, tasks, workers, size=whole.demand.size * len(asks), meanwhile=meanwhile)
    for (number, piece), (values, bad) in zip(places, done, strict=True):
        fallen += bad
        for name, value in values.items():
            into = found[number].setdefault(name, np.full((len(whole.keys), asks[number][1]), np.nan))
            into[piece] = value
    return found, fallen


def _alike(wanted: Wanted) -> list[tuple[list[str], np.ndarray]]:
    """Series that want the same single models together: models, positions."""
    by_series: dict[int, set[str]] = {}
    for name, rows in sorted(wanted.items()):
        for part in models.singles([name]):
            for row in rows.tolist():
                by_series.setdefault(row, set()).add(part)
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in sorted(by_series):
        groups.setdefault(tuple(sorted(by_series[row])), []).append(row)
    return [(list(names), np.array(rows, dtype=int)) for names, rows in sorted(groups.items())]


def case(whole: Cube, origin: int, steps: int, parts: Mapping[str, np.ndarray], rows: np.ndarray) -> Case:
    """One origin of some series, whose members have forecast."""
    y = whole.until(origin)
    came = whole.judged[rows, origin + 1 : origin + 1 + steps]
    truth = np.full((len(rows), steps), np.nan)
    truth[:, : came.shape[1]] = came / whole.factors[rows, origin + 1 : origin + 1 + came.shape[1]]
    panel = Panel(y[rows], steps, whole.season, cube.profiles(whole, y)[rows])
    return Case(rows, panel, {name: part[rows] for name, part in parts.items()}, truth, len(whole.months) - 1 - origin)


def joined(name: str, case: Case, past: Sequence[Case], series: int) -> np.ndarray:
    """A joint model that learns nothing from other series' errors."""
    if name == "Weighted":
        return combinations.weighted(case, past, series)
    return case.mean if name == "Mean" else case.median


def named(name: str, parts: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """A single model, or the mean of those joined by a plus."""
    pieces = [parts[part][rows] for part in models.parts(name)]
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    return total / len(pieces)


def bounded(whole: Cube, origin: int, rows: np.ndarray, values: np.ndarray, cap_multiple: float) -> np.ndarray:
    cap = cap_multiple * np.nan_to_num(whole.until(origin)[rows]).max(axis=1, initial=0.0)
    return np.clip(values, 0.0, cap[:, None])


def with_calendar(whole: Cube, origin: int, name: str, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values if name in models.PLAIN else values * whole.factors[rows, origin + 1 : origin + 1 + values.shape[1]]
