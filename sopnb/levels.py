"""The usual value of each month: many series side by side, by medians, so that the unusual does not move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sopnb import calendar

KEY = ["item", "location"]
AROUND = 6    # months on each side of the running median
FLOOR = 0.02  # of the usual level: a month of zero is that far down, since zero has no logarithm
COMMON = 5    # series of a group from which a month's common movement is read


@dataclass(frozen=True)
class Panel:
    """A table as arrays: keys one row a series, months all of them, y series × time (units, NaN before the first demand and
    where it is not a number), at the place of each row of the table."""

    keys: pd.DataFrame
    months: pd.DatetimeIndex
    y: np.ndarray
    at: tuple[np.ndarray, np.ndarray]


def panel(history: pd.DataFrame, *, value: str = "demand") -> Panel:
    """History as arrays; demand below zero counts as zero.

    history  item × location × month  `value` (units); not empty
    """
    number, keys = history.groupby(KEY, sort=True).ngroup().to_numpy(), history[KEY].drop_duplicates().sort_values(KEY, kind="stable")
    months = pd.date_range(history["month"].min(), history["month"].max(), freq="MS")
    when = ((history["month"].dt.year - months[0].year) * 12 + history["month"].dt.month - months[0].month).to_numpy()
    y = np.full((len(keys), len(months)), np.nan)
    given = history[value].to_numpy(dtype="float64")
    y[number, when] = np.where(np.isfinite(given), np.maximum(given, 0.0), np.nan)
    begun = np.cumsum(np.nan_to_num(y) > 0, axis=1) > 0
    return Panel(keys.reset_index(drop=True), months, np.where(begun, y, np.nan), (number, when))


def season_of(y: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Each month's seasonal factor as the other years tell it, and whether three of them do."""
    n, t = y.shape
    ones, sure = np.ones((n, t)), np.ones((n, t), dtype=bool)
    seasonal = calendar.is_seasonal(y, season, of_ratio=False)  # a faint season, taken out, would hide a change of level
    if season < 2 or t < 2 * season or not seasonal.any():
        return ones, sure
    cube = calendar.season_ratios(y[seasonal], season=season)  # series × years × season
    years = cube.shape[1]
    factor = np.empty_like(cube)
    count = np.isfinite(cube).sum(axis=1, keepdims=True) - np.isfinite(cube)
    for year in range(years):
        factor[:, year] = median(np.moveaxis(np.delete(cube, year, axis=1), 1, 2))
    factor = np.where(np.isfinite(factor), factor, np.nan)
    middle = median(np.moveaxis(cube, 1, 2))[:, None, :]
    factor = np.where(np.isfinite(factor), factor, middle)
    factor = np.where(np.isfinite(factor), factor, 1.0)
    mean = np.nanmean(np.where(np.isfinite(middle), middle, 1.0), axis=2, keepdims=True)
    factor = np.clip(factor / np.where(mean > 0, mean, 1.0), 0.05, None)
    ones[seasonal] = factor.reshape(len(cube), -1)[:, :t]
    sure[seasonal] = (count >= 3).reshape(len(cube), -1)[:, :t]
    return ones, sure


def residual(y: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log of the adjusted month on its running median, and that median."""
    adjusted = y / index
    n, t = y.shape
    padded = np.full((n, t + 2 * AROUND), np.nan)
    padded[:, AROUND : AROUND + t] = adjusted
    level = median(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1, axis=1))
    positive = np.where(level > 0, level, np.nan)
    return np.log(np.maximum(adjusted, FLOOR * positive) / positive), np.nan_to_num(level)


def common(u: np.ndarray, group: np.ndarray | None) -> np.ndarray:
    """What most series of a group did in each month: the median of their residuals, 0 in small groups."""
    out = np.zeros_like(u)
    if group is None:
        return out
    for name in np.unique(group):
        rows = np.flatnonzero(group == name)
        if len(rows) >= COMMON:
            enough = np.isfinite(u[rows]).sum(axis=0) >= COMMON
            out[rows] = np.where(enough, np.nan_to_num(median(u[rows].T)), 0.0)
    return out


def usual_ratio(y: np.ndarray, event: np.ndarray, *, season: int = 12, group: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Demand / its usual value without events, and how far usual months stray from 1 (missing: nothing to compare with).

    y      series × time (units); event: flags of the months that have one
    """
    usual, u = usual_value(y, event, season=season)
    usual = usual * np.exp(common(u, group))
    ratio = np.where((usual > 0) & np.isfinite(y), y / np.where(usual > 0, usual, 1.0), np.nan)
    calm = np.where(event, np.nan, ratio)
    low, high = quartiles(calm)
    enough = np.isfinite(calm).sum(axis=1) >= 12
    return ratio, np.where(enough, ((high - low) / 1.349)[:, 0], np.nan)


def usual_value(y: np.ndarray, event: np.ndarray, *, season: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """What each month usually is, without events (units): running median × season; and the log of what it was on that."""
    top = np.nanmax(np.where(np.isfinite(y), y, 0.0), axis=1, initial=0.0, keepdims=True)
    size = np.where(top > 0, top, 1.0)
    own = y / size
    index, _ = season_of(own, season)
    u, level = residual(np.where(event, np.nan, own), index)
    had = np.flatnonzero(event.any(axis=1))
    if len(had):  # once more, with a season that no longer holds the events
        filled = np.where(event[had] & np.isfinite(own[had]), (level * index)[had], own[had])
        index[had], _ = season_of(filled, season)
        u[had], level[had] = residual(np.where(event[had], np.nan, own[had]), index[had])
    return level * index * size, u


def median(values: np.ndarray) -> np.ndarray:
    """Median along the last axis without its missing values; missing where there are none."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(ordered).sum(axis=-1)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    high = np.minimum(high, np.maximum(known - 1, 0))
    pick = [np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (low, high)]
    return np.where(known > 0, (pick[0] + pick[1]) / 2, np.nan)


def quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and third quartile of each row without its missing values, as columns."""
    ordered = np.sort(values, axis=1)
    known = np.isfinite(ordered).sum(axis=1)
    out = []
    for q in (0.25, 0.75):
        place = q * np.maximum(known - 1, 0)
        at = np.floor(place).astype(int)
        above = np.minimum(at + 1, np.maximum(known - 1, 0))
        one, two = (np.take_along_axis(ordered, k[:, None], axis=1) for k in (at, above))
        out.append(one + (two - one) * (place - at)[:, None])
    return out[0], out[1]
