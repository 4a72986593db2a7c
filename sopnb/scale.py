"""How far off a forecast usually is: the scale by which errors of one series can be compared with those of another.

A shaky item three months ahead and a steady one twelve months ahead may be equally unsure. What tells is regressed: the lag, how much the
models disagree, how much the series changes from month to month and from year to year, and how long it is known.

    ln(|error| / unit) = a + b · features        by ridge regression over all series and origins; scale = unit · e^that

Where too few errors are known for that, the scale is the usual change of the series.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sopnb import cube, learner, models

KEY = ["item", "location"]
MONTHS = 24
LEAST = 300  # errors from which a regression says more than the usual change of a series
NEXT_TO_NOTHING = 0.01  # of the unit: an error this small or smaller is a hit
LEAST_OF_CHANGE = 0.1  # a series is not ten times surer than its own changes say, whatever a broken one beside it taught
LEAST_UNIT = 1e-100  # units: less cannot be divided by


def sizes(history: pd.DataFrame, ends: Sequence[pd.Timestamp], *, season: int = 12) -> pd.DataFrame:
    """What was known of each series at some months.

    history  item × location × month  demand (units)
    returns  item × location × origin  unit (mean demand), monthly, yearly (mean |change| from month to month and from year to year
             in the last 24 months), long (the same from year to year, ever), known (months), empty (share of the last 24 months), plain:
             the lesser of the two changes, at least a tenth of the unit
    """
    columns = [*KEY, "origin", "unit", "monthly", "yearly", "long", "known", "empty", "plain"]
    if history.empty or not len(ends):
        return pd.DataFrame(columns=columns).astype({"origin": "datetime64[ns]"})
    h = history.sort_values([*KEY, "month"], kind="stable")
    first, length = cube.runs(h)
    when, months = cube.when(h["month"], h["month"].min()), cube.when(pd.Series(ends), h["month"].min())
    level = np.full((len(first), int(when.max()) + 1), np.nan)
    demand = h["demand"].to_numpy(dtype="float64")
    level[np.repeat(np.arange(len(first)), length), when] = np.where(np.isfinite(demand), demand, np.nan)
    keys = h[KEY].take(first).reset_index(drop=True)
    pieces = [_size(keys, level[:, : at + 1], season).assign(origin=end) for end, at in zip(ends, months.tolist(), strict=True) if at >= 0]
    return pd.concat(pieces, ignore_index=True)[columns]


def _size(keys: pd.DataFrame, level: np.ndarray, season: int) -> pd.DataFrame:
    """What is known of each series that has begun, at the last column."""
    begun = np.isfinite(level).any(axis=1)
    level = level[begun]
    changes = {"monthly": np.abs(level[:, 1:] - level[:, :-1]), "yearly": np.abs(level[:, season:] - level[:, :-season])}
    table = keys[begun].assign(**{name: _mean(change[:, -MONTHS:]) for name, change in changes.items()})
    table["long"], table["known"] = _mean(changes["yearly"]), np.isfinite(level).sum(axis=1)
    table["empty"] = _mean(np.where(np.isnan(level), np.nan, level <= 0)[:, -MONTHS:])
    recent, ever = _mean(level[:, -MONTHS:]), _mean(level)
    unit = np.where(recent > LEAST_UNIT, recent, ever)
    table["unit"] = np.where(unit > LEAST_UNIT, unit, 0.0)
    change = table[["monthly", "yearly"]].min(axis=1).fillna(0.0)
    return table.assign(plain=np.maximum(change, 0.1 * table["unit"]))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean of each row without what is missing; NaN for a row without anything."""
    n = np.isfinite(values).sum(axis=1)
    return np.where(n > 0, np.nansum(values, axis=1) / np.maximum(n, 1), np.nan)


def disagreement(tested: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation over the models of a field, for each month forecast.

    tested   frames.TESTED
    returns  item × location × origin × month  apart (units); the plain naive models and combinations do not count
    """
    names = [name for name in tested["model"].unique() if (name in models.MODELS or name in models.BORROWED) and name not in models.PLAIN]
    key = [*KEY, "origin", "month"]
    rows = tested[tested["model"].isin(names)]
    if rows.empty:
        return rows[key].assign(apart=0.0)
    if not _together(rows, key):
        rows = rows.sort_values(key, kind="stable")
    first, n = cube.runs(rows, key)
    value = rows["forecast"].to_numpy()
    mean = np.add.reduceat(value, first) / n
    square = np.add.reduceat((value - np.repeat(mean, n)) ** 2, first) / n
    return rows[key].take(first).assign(apart=np.sqrt(square)).reset_index(drop=True)


def _together(rows: pd.DataFrame, key: Sequence[str]) -> bool:
    """Whether rows of the same month stand together, as they do in a table sorted by its key."""
    first, _ = cube.runs(rows, key)
    return not rows[list(key)].take(first).duplicated().any()


def predicted(past: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The usual size of an error of each row (units), as past errors tell.

    past     group, lag, forecast, demand (units), apart, and the columns of `sizes`: errors known
    rows     the same without demand
    """
    out = rows["plain"].to_numpy(dtype="float64").copy()
    for group, asked in rows.groupby("group", sort=True).indices.items():
        own = past[(past["group"] == group) | (group == "any")]
        own = own[own["unit"] > 0]
        if len(own) < LEAST:
            continue
        hit = np.maximum((own["demand"] - own["forecast"]).abs() / own["unit"], NEXT_TO_NOTHING)
        mine = rows.iloc[asked]
        say = learner.line(_features(own), np.log(hit.to_numpy()), _features(mine), alpha=1.0)
        likely = np.maximum(mine["unit"] * np.exp(np.clip(say, -7.0, 3.0)), LEAST_OF_CHANGE * out[asked])
        out[asked] = np.where(mine["unit"] > 0, likely, out[asked])
    return out


def _features(rows: pd.DataFrame) -> np.ndarray:
    unit = rows["unit"].to_numpy(dtype="float64")
    unit = np.where(unit > 0, unit, 1.0)

    def log(name: str) -> np.ndarray:
        return np.log(np.maximum(rows[name].to_numpy(dtype="float64") / unit, 1e-3))

    lag = np.log(rows["lag"].to_numpy(dtype="float64"))
    monthly, yearly, apart = log("monthly"), log("yearly"), log("apart")
    known = np.log(np.maximum(rows["known"].to_numpy(dtype="float64"), 1.0))
    return np.stack([lag, lag**2, apart, apart**2, monthly, monthly**2, yearly, yearly**2, log("long"), known, log("forecast"), lag * monthly, lag * apart,
                     monthly * yearly], axis=1)  # fmt: skip
