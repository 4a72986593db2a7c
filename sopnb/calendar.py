"""What the calendar does to demand: the time of year, working days, and holidays that move from month to month.

Indonesia's Lebaran (Eid al-Fitr) is announced by the government, not computed: generic Hijri conversions put it a day
off, and a day can decide the month. The dates come from the `holidays` package, which carries the announced ones; years
not yet announced are estimates there. It moves some eleven days earlier each year, so that two can fall in one year
(2033), and its effect belongs to a window of days that may lie in two months.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

# --- the time of year -----------------------------------------------------------------------------------------------


def seasonal_index(y: np.ndarray, *, season: int = 12, cycles: int = 2, robust: bool = True) -> np.ndarray:
    """Seasonal index of many series at once, by classical decomposition: ratio to the centred moving average.

    y        series × time, NaN where a series has no value
    returns  series × season: factor by position in time modulo season, mean 1; all ones where fewer than `cycles` full
             seasons are known or the level is not positive

    The ratios of a position are joined by their median (robust) or mean. Formula: Hyndman & Athanasopoulos, FPP3, 3.4.

    >>> seasonal_index(np.array([[1.0, 3.0] * 4]), season=2).tolist()
    [[0.5, 1.5]]
    """
    n, t = y.shape
    flat = np.ones((n, season))
    if season < 2 or t < cycles * season or not n:
        return flat
    half = season // 2
    weights = [1.0] * season if season % 2 else [0.5, *[1.0] * (season - 1), 0.5]
    width = t - len(weights) + 1
    trend = np.zeros((n, width))
    for i, weight in enumerate(weights):  # not a matrix product, whose order of adding depends on the machine
        trend += weight / season * y[:, i : i + width]
    middle = y[:, half : half + trend.shape[1]]
    ratio = np.divide(middle, trend, out=np.full_like(middle, np.nan), where=trend > 0)
    padded = np.full((n, -(-t // season) * season), np.nan)
    padded[:, half : half + ratio.shape[1]] = ratio
    cube = padded.reshape(n, -1, season)
    seen = ~np.isnan(cube)
    full = np.asarray(seen.any(axis=1)).all(axis=1) & ((~np.isnan(y)).sum(axis=1) >= cycles * season)
    if not full.any():
        return flat
    joined = np.nanmedian(cube[full], axis=1) if robust else np.nanmean(cube[full], axis=1)
    level = joined.mean(axis=1, keepdims=True)
    flat[full] = np.where(level > 0, joined / np.where(level > 0, level, 1.0), 1.0)
    return flat


def position(months: pd.Series, season: int = 12) -> pd.Series:
    """Where a month stands in the season: 0 January … 11 December for a season of 12."""
    return ((months.dt.year * 12 + months.dt.month - 1) % season).astype("int64")


def seasonal_factors(df: pd.DataFrame, *, by: Sequence[str] = ("family",), value: str = "demand", season: int = 12) -> pd.DataFrame:
    """Seasonal index of each group's total.

    df       rows with `by`, month and `value` (units)
    returns  by × position (0 January … 11 December for a season of 12), factor (mean 1)

    A month in which a group has no row counts as zero between its first and last; the last two full years are enough.
    """
    by = list(by)
    columns = [*by, "position", "factor"]
    if df.empty or season < 2:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns}).astype({"position": "int64", "factor": "float64"})
    totals = df.groupby([*by, "month"], sort=True)[value].sum().reset_index()
    wide = totals.pivot_table(index=by, columns="month", values=value, aggfunc="sum", sort=True)
    wide = wide.reindex(columns=pd.date_range(wide.columns.min(), wide.columns.max(), freq="MS"))
    seen = wide.notna()
    inside = seen.cummax(axis=1) & seen.iloc[:, ::-1].cummax(axis=1).iloc[:, ::-1]
    y = wide.fillna(0.0).where(inside).to_numpy()
    index = np.roll(seasonal_index(y, season=season), position(pd.Series(wide.columns[:1]), season).iloc[0], axis=1)
    out = wide.index.to_frame(index=False)
    out = out.loc[out.index.repeat(season)].reset_index(drop=True)
    return out.assign(position=np.tile(np.arange(season), len(wide)), factor=index.ravel())[columns]
