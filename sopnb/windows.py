"""Which events touch which series in which months, and which series are of one family at one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

ALL = "all"


def windows(
    keys: pd.DataFrame, months: pd.DatetimeIndex, table: pd.DataFrame | None, items: pd.DataFrame
) -> Iterable[tuple[np.ndarray, np.ndarray, dict[Any, Any]]]:
    """For each event: the positions of its series, the share of each month's days that it runs, and the event itself.

    keys     item, location: one row a series
    table    event   kind, start, end, level (item, family, all), key, location; None: no events
    """
    if table is None or table.empty or not len(months):
        return
    family = keys["item"].map(dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {})
    of = {"item": keys.groupby("item").indices, "family": keys.groupby(family).indices if family.notna().any() else {}}
    everything = np.arange(len(keys))
    at = keys["location"].to_numpy()
    first, last = months[0], months[-1] + pd.offsets.MonthEnd(0)
    near = table[table["start"].notna() & table["end"].notna() & (table["end"] >= first) & (table["start"] <= last)]
    for event in near.sort_values("event", kind="stable").to_dict("records"):
        rows = of[event["level"]].get(event["key"], everything[:0]) if event["level"] in of else everything
        place = event["location"]
        if isinstance(place, str) and place not in ("", ALL):
            rows = rows[at[rows] == place]
        if len(rows):
            yield rows, share_of(event["start"], event["end"], months), event


def share_of(start: Any, end: Any, months: pd.DatetimeIndex) -> np.ndarray:
    """Share of each month's days from start to end, both included.

    >>> share_of("2026-03-17", "2026-04-15", pd.DatetimeIndex(["2026-03-01", "2026-04-01"])).round(4).tolist()
    [0.4839, 0.5]
    """
    first, days = months.to_numpy(dtype="datetime64[D]"), months.days_in_month.to_numpy()
    last = first + (days - 1).astype("timedelta64[D]")
    begin, stop = (np.datetime64(pd.Timestamp(day), "D") for day in (start, end))
    return np.clip((np.minimum(last, stop) - np.maximum(first, begin)).astype(int) + 1, 0, None) / days


def family_of(keys: pd.DataFrame, items: pd.DataFrame) -> np.ndarray:
    """The family of each series."""
    families = dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {}
    return keys["item"].map(families).fillna("unknown").to_numpy(dtype=object)


def groups(keys: pd.DataFrame, family: np.ndarray) -> np.ndarray:
    """A number for each family at a place."""
    return pd.factorize(pd.MultiIndex.from_arrays([family, keys["location"]]), sort=True)[0]
