"""Are the plans we froze still right when their month comes, and do they miss to one side?

    version    what one cycle planned for one month; all versions of a month stand side by side
    tracking   Σ error / mean |error| of a series' last twelve months at one lag, error = plan − demand

The tracking signal runs from −n to n over n months; at n every month missed to the same side. A series without bias
strays too: with normal errors the sum of n of them has √n times the spread of one, so that a limit of 4, which many
textbooks use, is passed by luck by 36 % of unbiased series over twelve months, a limit of 6 by 17 %. Hence 6 by
default (`demand.tracking_limit`), and `luck` beside the count, so that nobody chases chance.

Sources: Brown (1962), Smoothing, Forecasting and Prediction; Montgomery, Johnson & Gardiner (1990), Forecasting and
Time Series Analysis: 4 to 6; Gardiner (1983), Automatic monitoring of forecast errors, J. Forecasting 2(1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from sopnb import accuracy, frames
from sopnb.streams import cycles_needed, judged, triangle

MONTHS = 12  # months a tracking signal looks back


def versions(past_plans: pd.DataFrame, plan: pd.DataFrame, history: pd.DataFrame, *, cycle_month: Any, lags: Sequence[int] = (6, 3, 1), back: int = 6, ahead: int = 6) -> pd.DataFrame:
    """What was planned for each month one, three and six months before: the triangle of versions, by target month.

    lags      which versions; lag 1 is the plan of the month's own cycle
    back, ahead   months before the cycle month, and from it on; those without any version are left out
    returns   month   lag_1, lag_3, … (units, consensus, all items; missing where no cycle made that version),
              demand (units; missing while not known), error (fraction: the shortest lag over the demand, minus 1)
    """
    now = frames.month(cycle_month)
    rows = triangle(past_plans, plan, history, cycle_month=now)
    rows["lag"] = [frames.months_between(made, month) + 1 for made, month in zip(rows["cycle"], rows["month"], strict=True)]
    months = frames.months(frames.next_month(now, -back), back + ahead)
    out = pd.DataFrame({"month": months})
    for lag in lags:
        out[f"lag_{lag}"] = out["month"].map(rows[rows["lag"] == lag].set_index("month")["consensus"])
    known = history.groupby("month")["demand"].sum()
    out["demand"] = out["month"].map(known.where(known.index < now))
    out["error"] = out[f"lag_{min(lags)}"] / out["demand"].where(out["demand"] > 0) - 1
    return out.dropna(subset=[f"lag_{lag}" for lag in lags], how="all").reset_index(drop=True)


def drift(versions: pd.DataFrame) -> dict[str, float]:
    """How far the plan of a month moved between its longest and its shortest lag, over the months known.

    returns  moved (mean |last version / first version − 1|), change (WAPE of the last version minus that of the first, a
             fraction; below zero: it came nearer); empty while no month has both
    """
    names = [name for name in versions.columns if name.startswith("lag_")]
    known = versions.dropna(subset=[names[0], names[-1], "demand"])
    known = known[(known["demand"] > 0) & (known[names[0]] > 0)]
    if known.empty:
        return {}
    first, last, demand = known[names[0]], known[names[-1]], known["demand"]
    return {"moved": float((last / first - 1).abs().mean()), "change": accuracy.wape(last, demand) - accuracy.wape(first, demand)}


def at(by_lag: pd.DataFrame, past_plans: pd.DataFrame, *, cycle_month: Any, lags: Sequence[int] = (1, 3, 6)) -> pd.DataFrame:
    """Accuracy and bias at the lags people ask about, and how many cycles are missing where there is none yet.

    by_lag    what streams.by_lag returns
    returns   lag   wape, bias (fractions; missing while nothing can be judged), months (judged), needed (more cycles)
    """
    out = pd.DataFrame({"lag": list(lags)}).merge(by_lag[["lag", "wape", "bias", "months"]], on="lag", how="left")
    out["months"] = out["months"].fillna(0).astype(int)
    return out.assign(needed=[0 if n else cycles_needed(past_plans, cycle_month=cycle_month, lag=lag) for lag, n in zip(out["lag"], out["months"], strict=True)])


def tracking(
    past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, *, by: Sequence[str] = ("item", "location"), lag: int = 1, limit: float = 6.0,
    months: int = MONTHS,
) -> pd.DataFrame:
    """Which series or families miss to one side.

    past_plans  cycle × frames.PLAN, as frozen
    by          item, location, family: what is added up before it is judged
    lag         errors one month ahead do not share their surprises; further ahead they overlap and stray more
    returns     by × n (months judged), signal (Σ error / mean |error|), bias (fraction), units (Σ error), amount (money,
                the same at each plan's price), beyond (flag: |signal| ≥ limit); by |amount|. Months: the last twelve.

    A signal cannot exceed the number of months, so that fewer than `limit` of them show nothing: see months_needed.
    """
    rows = judged(past_plans, history, lags=[lag])
    rows = rows[rows["month"] > frames.next_month(rows["month"].max(), -months)] if len(rows) else rows
    rows = rows.merge(items[["item", "family"]], on="item", how="left")
    price = rows["price"].fillna(rows["item"].map(rows.groupby("item")["price"].mean())).fillna(0.0)
    rows = rows.assign(error=rows["consensus"].fillna(0.0) - rows["demand"], worth=lambda d: d["error"] * price)
    monthly = rows.groupby([*by, "month"], as_index=False)[["error", "worth", "demand", "consensus"]].sum()
    out = monthly.groupby(list(by), as_index=False).agg(
        n=("month", "nunique"), units=("error", "sum"), demand=("demand", "sum"), amount=("worth", "sum"))
    signals = {key: accuracy.tracking_signal(part["consensus"], part["demand"]) for key, part in monthly.groupby(list(by))}
    keys = list(out[list(by)].itertuples(index=False, name=None))
    out["signal"] = [signals[key] for key in keys]
    out["bias"] = out["units"] / out["demand"].where(out["demand"] > 0)
    out["beyond"] = (out["signal"].abs() >= limit - 1e-9) & (out["n"] >= limit)
    out = out.sort_values(["amount", *by], key=lambda c: -c.abs() if c.name == "amount" else c, kind="stable")
    return out[[*by, "n", "signal", "bias", "units", "amount", "beyond"]].reset_index(drop=True)


def months_needed(past_plans: pd.DataFrame, *, cycle_month: Any, limit: float, lag: int = 1) -> int:
    """How many more cycles until a tracking signal can reach its limit: it takes as many judged months as the limit says.

    >>> months_needed(pd.DataFrame({"cycle": [pd.Timestamp("2026-08-01")]}), cycle_month="2026-10", limit=6.0)
    4
    """
    first = past_plans["cycle"].min() if len(past_plans) else frames.month(cycle_month)
    known = max(frames.months_between(first, cycle_month) - lag + 1, 0)
    return max(math.ceil(limit) - known, 0)


def luck(limit: float, months: float) -> float:
    """Share of unbiased series whose signal passes the limit by chance, with independent normal errors.

        P(|Σe| > limit × mean|e|) ≈ erfc(limit × √(2/π) / √(2 × months))

    >>> [round(luck(limit, 12), 2) for limit in (4, 6)]
    [0.36, 0.17]
    """
    return math.erfc(limit * math.sqrt(2 / math.pi) / math.sqrt(2 * months)) if months else float("nan")
