"""History as arrays: one row a series, one column a month, ready for models that take many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sopnb import calendar, launches

KEY = ["item", "location"]


@dataclass(frozen=True)
class Cube:
    """History as arrays.

    keys     one row a series: item, location, family; sorted
    months   all months from the first to the last
    demand   series × time, units, NaN before the first demand
    factors  series × (time + months ahead): what the calendar does to demand, 1 = nothing
    over     series: position of the first month after the item's end_date; that of the last month and one where it has none
    """

    keys: pd.DataFrame
    months: pd.DatetimeIndex
    demand: np.ndarray
    factors: np.ndarray
    season: int
    over: np.ndarray

    @cached_property
    def judged(self) -> np.ndarray:
        """Demand by which forecasts are judged, and from which models of all series learn: NaN after an item's end_date.

        The plan holds nothing of those months, and the errors of what is over would make the bands of what is not.
        """
        return np.where(np.arange(self.demand.shape[1]) < self.over[:, None], self.demand, np.nan)

    def until(self, origin: int) -> np.ndarray:
        """Demand without the calendar's effect, up to and including the origin (its position in time)."""
        return self.demand[:, : origin + 1] / self.factors[:, : origin + 1]


def build(
    history: pd.DataFrame, *, items: pd.DataFrame | None = None, calendar_factors: pd.DataFrame | None = None, season: int = 12, ahead: int = 0
) -> Cube:
    """History as arrays.

    history           item × location × month            demand (units)
    items             item                               family, end_date; None: all items are one family, and none ends
    calendar_factors  family × month or item × month     factor; months and families not named have 1
    ahead             months after the last that factors must reach

    Months before a series' first demand are not part of it. Demand missing inside it is drawn as a line between its
    neighbours; demand below zero counts as zero.
    """
    rows = history.sort_values([*KEY, "month"], kind="stable").drop_duplicates([*KEY, "month"], keep="last")
    keys = rows[KEY].drop_duplicates().reset_index(drop=True)
    families = {} if items is None or "family" not in items.columns else dict(zip(items["item"], items["family"], strict=True))
    keys["family"] = keys["item"].map(families).fillna("all").astype(object)
    if rows.empty:
        return Cube(keys, pd.DatetimeIndex([]), np.zeros((0, 0)), np.zeros((0, ahead)), season, np.zeros(0, dtype=int))
    months = pd.date_range(rows["month"].min(), rows["month"].max(), freq="MS")
    at = positions(keys, rows)
    demand = np.full((len(keys), len(months)), np.nan)
    demand[at, when(rows["month"], months[0])] = rows["demand"].to_numpy(dtype="float64")
    reach = pd.date_range(months[0], periods=len(months) + ahead, freq="MS")
    return Cube(keys, months, _mended(demand), _factors(keys, reach, calendar_factors), season, _over(keys, months, items))


def _over(keys: pd.DataFrame, months: pd.DatetimeIndex, items: pd.DataFrame | None) -> np.ndarray:
    if items is None or "end_date" not in items.columns:
        return np.full(len(keys), len(months))
    ends = launches.month_of(items, "end_date")
    after = (ends.dt.year - months[0].year) * 12 + ends.dt.month - months[0].month + 1
    return keys["item"].map(after.set_axis(items["item"])).fillna(len(months)).clip(0, len(months)).to_numpy(dtype=int)


def positions(keys: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The position of each row's series among the keys; −1 where it is not there."""
    first, length = runs(rows)
    n, heads = len(keys), rows[KEY].take(first)
    item, items = pd.factorize(pd.concat([keys["item"], heads["item"]], ignore_index=True))
    place, places = pd.factorize(pd.concat([keys["location"], heads["location"]], ignore_index=True))
    series = item.astype(np.int64) * len(places) + place
    where = np.full(len(items) * len(places), -1)
    where[series[:n]] = np.arange(n)
    return np.repeat(where[series[n:]], length)


def when(months: pd.Series, first: pd.Timestamp) -> np.ndarray:
    """Position in time of each month; 0 is the first."""
    code, found = pd.factorize(months)  # a long table has few months
    found = pd.DatetimeIndex(found)
    return ((found.year - first.year) * 12 + found.month - first.month).to_numpy()[code]


def runs(rows: pd.DataFrame, by: Sequence[str] = KEY) -> tuple[np.ndarray, np.ndarray]:
    """Where a new series begins among the rows, and how many rows it goes on for.

    A long table sorted by its key has few runs: its texts are looked up once a run, not once a row.
    """
    if rows.empty:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    new = np.zeros(len(rows), dtype=bool)
    new[0] = True
    for name in by:
        values = rows[name].to_numpy()
        new[1:] |= values[1:] != values[:-1]
    first = np.flatnonzero(new)
    return first, np.diff(np.append(first, len(rows)))


def _mended(demand: np.ndarray) -> np.ndarray:
    """Series from their first demand to the end, without holes."""
    y = np.where(np.isfinite(demand), np.maximum(demand, 0.0), np.nan)
    for i in np.flatnonzero(np.isnan(y).any(axis=1)):
        seen = np.flatnonzero(~np.isnan(y[i]))
        if len(seen):
            y[i, seen[0] :] = np.interp(np.arange(seen[0], y.shape[1]), seen, y[i, seen])
    begun = np.cumsum(np.nan_to_num(y) > 0, axis=1) > 0
    sold = begun.any(axis=1, keepdims=True)
    return np.where(begun | ~sold, y, np.nan)


def _factors(keys: pd.DataFrame, reach: pd.DatetimeIndex, factors: pd.DataFrame | None) -> np.ndarray:
    if factors is None or factors.empty:
        return np.ones((len(keys), len(reach)))
    by = "item" if "item" in factors.columns else "family"
    wide = factors.pivot_table(index=by, columns="month", values="factor", aggfunc="first").reindex(columns=reach)
    return np.maximum(wide.reindex(keys[by]).fillna(1.0).to_numpy(dtype="float64"), 0.05)


def profiles(cube: Cube, y: np.ndarray) -> np.ndarray:
    """Each series' family's seasonal factors, position 0 the month after the last column of y; 1 where it has no season."""
    families = sorted(cube.keys["family"].unique())
    member = cube.keys["family"].map({f: i for i, f in enumerate(families)}).to_numpy()
    totals = np.zeros((len(families), y.shape[1]))
    np.add.at(totals, member, np.nan_to_num(y))
    begun = np.zeros_like(totals, dtype=bool)
    np.logical_or.at(begun, member, ~np.isnan(y))
    totals = np.where(begun, totals, np.nan)  # zeros before a family's first month would look like a change of season
    index = calendar.seasonal_index(totals, season=cube.season)
    index = np.where(calendar.is_seasonal(totals, cube.season)[:, None], index, 1.0)
    return np.roll(index, -(y.shape[1] % cube.season), axis=1)[member]
