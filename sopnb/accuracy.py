"""How far a forecast is from demand: each measure is a few lines, with its formula, its source and a worked case.

    error = forecast − demand        positive: we forecast too much

All shares are fractions. Where a measure has no denominator (no demand, a constant history) it is NaN, never zero:
nothing to judge is not the same as a perfect forecast. Measures take series, lists or arrays of equal length;
rows whose demand is not known yet are left out, but a missing forecast is refused, since leaving it out would
reward a model for not answering.

Sources
    Hyndman & Koehler (2006), Another look at measures of forecast accuracy, IJF 22(4): MASE
    Makridakis, Spiliotis & Assimakopoulos (2020), The M4 Competition, IJF 36(1): sMAPE, MASE, MSIS, coverage
    Makridakis, Spiliotis & Assimakopoulos (2022), The M5 competition, IJF 38(4): RMSSE
    Brown (1962), Smoothing, Forecasting and Prediction: tracking signal
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

NAN = float("nan")


def _pair(forecast: Any, demand: Any) -> tuple[np.ndarray, np.ndarray]:
    """Forecast and demand as arrays, without the rows whose demand is not known."""
    f = np.asarray(forecast, dtype="float64").ravel()
    d = np.asarray(demand, dtype="float64").ravel()
    if len(f) != len(d):
        raise ValueError(f"forecast has {len(f)} values and demand {len(d)}; give one for each.")
    known = ~np.isnan(d)
    f, d = f[known], d[known]
    if np.isnan(f).any():
        raise ValueError(f"{int(np.isnan(f).sum())} of {len(f)} forecasts are missing. A model must answer for every month it is judged on.")
    return f, d


def wape(forecast: Any, demand: Any) -> float:
    """Weighted absolute percentage error: Σ|forecast − demand| / Σ|demand|, as a fraction.

    >>> wape([90, 110], [100, 100])
    0.1
    """
    f, d = _pair(forecast, demand)
    return _ratio(np.abs(f - d).sum(), np.abs(d).sum())


def bias(forecast: Any, demand: Any) -> float:
    """Bias: Σ(forecast − demand) / Σ|demand|, as a fraction; positive is over-forecast.

    >>> bias([90, 120], [100, 100])
    0.05
    """
    f, d = _pair(forecast, demand)
    return _ratio((f - d).sum(), np.abs(d).sum())


def smape(forecast: Any, demand: Any) -> float:
    """Symmetric percentage error, as in M4: mean of 2|forecast − demand| / (|forecast| + |demand|), 0 to 2.

    A month in which both are zero counts as no error.

    >>> smape([50, 0], [150, 0])
    0.5
    """
    f, d = _pair(forecast, demand)
    if not len(d):
        return NAN
    size = np.abs(f) + np.abs(d)
    return float(np.mean(np.divide(2 * np.abs(f - d), size, out=np.zeros(len(d)), where=size > 0)))


def naive_error(history: Any, *, season: int = 12) -> float:
    """Mean absolute error of the seasonal naive forecast inside the history: mean |y_t − y_{t−season}|.

    The scale of MASE and MSIS. Where the history is not longer than a season, the plain naive (season 1) is used:
    a short series still needs a scale.

    >>> naive_error([10, 12, 9, 13], season=1)
    3.0
    """
    y = _known(history)
    lag = season if len(y) > season else 1
    return float(np.mean(np.abs(y[lag:] - y[:-lag]))) if len(y) > lag else NAN


def mase(forecast: Any, demand: Any, history: Any, *, season: int = 12) -> float:
    """Mean absolute scaled error: mean |forecast − demand| / mean |y_t − y_{t−season}| over the history.

    Below 1: better than the seasonal naive was in the past. Hyndman & Koehler (2006).

    >>> mase([12, 15], [14, 12], [10, 12, 9, 13], season=1)
    0.8333333333333334
    """
    f, d = _pair(forecast, demand)
    return _ratio(np.mean(np.abs(f - d)) if len(d) else NAN, naive_error(history, season=season))


def rmsse(forecast: Any, demand: Any, history: Any, *, season: int = 1) -> float:
    """Root mean squared scaled error: √(mean (forecast − demand)² / mean (y_t − y_{t−season})²).

    History counts from its first non-zero month, as in M5. Squares reward the mean, so that this measure,
    unlike WAPE and MASE, does not favour a forecast of zero for intermittent demand.

    >>> rmsse([5, 5], [8, 1], [0, 2, 6, 2, 6], season=1)
    0.8838834764831844
    """
    f, d = _pair(forecast, demand)
    y = _known(history)
    y = y[np.argmax(y != 0):] if (y != 0).any() else y[:0]
    lag = season if len(y) > season else 1
    if not len(d) or len(y) <= lag:
        return NAN
    return _ratio(np.mean((f - d) ** 2), np.mean((y[lag:] - y[:-lag]) ** 2)) ** 0.5


def coverage(demand: Any, low: Any, high: Any) -> float:
    """Share of months whose demand lies within the band, bounds included.

    >>> coverage([5, 9, 20], [4, 4, 4], [10, 9, 15])
    0.6666666666666666
    """
    d, lo, hi = (np.asarray(v, dtype="float64").ravel() for v in (demand, low, high))
    known = ~np.isnan(d)
    return _ratio(((d >= lo) & (d <= hi))[known].sum(), known.sum())


def msis(demand: Any, low: Any, high: Any, history: Any, *, level: float = 0.95, season: int = 12) -> float:
    """Mean scaled interval score, as in M4: width of the band plus 2/α for each unit outside, per seasonal naive error.

        mean(high − low + 2/α·(low − demand)⁺ + 2/α·(demand − high)⁺) / mean |y_t − y_{t−season}|,  α = 1 − level

    >>> round(msis([10, 22], [8, 8], [16, 20], [10, 12, 9, 13], level=0.95, season=1), 6)
    16.666667
    """
    d, lo, hi = (np.asarray(v, dtype="float64").ravel() for v in (demand, low, high))
    alpha = 1 - level
    score = (hi - lo) + 2 / alpha * np.clip(lo - d, 0, None) + 2 / alpha * np.clip(d - hi, 0, None)
    score = score[~np.isnan(score)]
    return _ratio(score.mean() if len(score) else NAN, naive_error(history, season=season))


def tracking_signal(forecast: Any, demand: Any) -> float:
    """Tracking signal: Σ(forecast − demand) / mean |forecast − demand|.

    From −n to n for n months: beyond about ±4 the forecast is biased, not unlucky. Textbooks that take
    error = demand − forecast have the other sign.

    >>> tracking_signal([110, 120, 90], [100, 100, 100])
    1.5
    """
    f, d = _pair(forecast, demand)
    return _ratio((f - d).sum(), np.mean(np.abs(f - d)) if len(d) else NAN)


def score(df: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """WAPE and bias of each group.

    df       any rows with forecast, demand (units) and the columns in `by`
    by       columns that make the groups; none: one row for everything
    returns  by × wape, bias (fractions), n (rows judged), demand (units), error (units, Σ|error|),
             signed (units, Σ error); sorted by `by`
    raises   ValueError where a forecast is missing in a row whose demand is known

    >>> tested = pd.DataFrame({"model": ["a", "a", "b"], "forecast": [9, 12, 5], "demand": [10, 10, 10]})
    >>> score(tested, by=["model"])[["model", "wape", "bias", "n"]].values.tolist()
    [['a', 0.15, 0.05, 2], ['b', 0.5, -0.5, 1]]
    """
    missing = [name for name in ("forecast", "demand", *by) if name not in df.columns]
    if missing:
        raise ValueError(f"score needs the columns {', '.join(missing)}; the table has {', '.join(map(str, df.columns))}.")
    judged = df[df["demand"].notna()]
    if judged["forecast"].isna().any():
        raise ValueError(f"{int(judged['forecast'].isna().sum())} of {len(judged)} forecasts are missing. A model must answer for every month it is judged on.")
    error = judged["forecast"].astype("float64") - judged["demand"].astype("float64")
    parts = judged[list(by)].assign(n=1, demand=judged["demand"].abs().astype("float64"), error=error.abs(), signed=error)
    if by:
        out = parts.groupby(list(by), sort=True, observed=True, dropna=False).sum().reset_index()
    else:
        out = parts.sum().to_frame().T.astype({"n": "int64"})
    size = out["demand"].where(out["demand"] > 0)
    out["wape"], out["bias"] = out["error"] / size, out["signed"] / size
    return out[[*by, "wape", "bias", "n", "demand", "error", "signed"]]


def _known(history: Any) -> np.ndarray:
    y = np.asarray(history, dtype="float64").ravel()
    return y[~np.isnan(y)]


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole and np.isfinite(whole) else NAN
