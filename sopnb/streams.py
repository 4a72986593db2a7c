"""Does each stream earn its place? Frozen plans of past cycles judged by the demand that came.

Everything here reads the plans as they were saved, cycle by cycle, and never computes an old plan anew.

    lag       = months from the cycle month to the month judged, plus 1: the cycle of October judges October at lag 1
    error     = plan − demand
    added     = WAPE of the stream before − WAPE of this one, from unrounded errors, on the same rows

Rows are item × location × month: all that was planned and all that was asked for. What nobody planned counts as a
plan of zero, and what nobody asked for as a demand of zero, so that no stream gains by leaving rows out.

Sources: Gilliland (2010), The Business Forecasting Deal, on value added; Fildes, Goodwin, Lawrence & Nikolopoulos
(2009), IJF 25(1), on overrides: small ones usually hurt, large cuts usually help.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sopnb import accuracy, frames

STREAMS = ("naive", "baseline", "events", "pipeline", "leads", "sales", "override")
_KEY = ["item", "location", "month"]
_MIN_JUDGED = 6  # statements on which a person's record can rest


def shares(plan: pd.DataFrame, *, months: Any) -> pd.DataFrame:
    """Who says so: what each stream adds to the plan of some months.

    returns  stream (baseline … override, consensus)   units (added; of consensus: the whole), running (units),
             size (Σ|units| over item × location × month / consensus, fraction), amount (money, at the plan's price)
    """
    rows = plan[plan["month"].isin(pd.DatetimeIndex(months))]
    whole = float(rows["consensus"].sum())
    names = [*STREAMS[1:], "consensus"]
    units = [float(rows[name].sum()) for name in names]
    out = pd.DataFrame({"stream": names, "units": units, "running": [*np.cumsum(units[:-1]), whole]})
    out["size"] = [float(rows[name].abs().sum()) / whole if whole else float("nan") for name in names]
    out["amount"] = [float((rows[name] * rows["price"]).sum()) for name in names]
    return out


def lag_accuracy(past_plans: pd.DataFrame, history: pd.DataFrame, *, lags: Sequence[int]) -> pd.DataFrame:
    """How well frozen plans met demand, by lag.

    returns  frames.LAG_ACCURACY: lag × month judged; no rows while nothing can be judged (see cycles_needed)
    """
    rows = judged(past_plans, history, lags=lags)
    if rows.empty:
        return frames.empty(frames.LAG_ACCURACY)
    scores = accuracy.score(rows.assign(forecast=rows["consensus"]), by=["lag", "month"])
    return frames.conform(scores[frames.LAG_ACCURACY.names], frames.LAG_ACCURACY)


def by_lag(lag_accuracy: pd.DataFrame) -> pd.DataFrame:
    """The months of `lag_accuracy` taken together.

    returns  lag   wape, bias (fractions), months, demand (units)
    """
    out = lag_accuracy.groupby("lag").agg(error=("error", "sum"), signed=("signed", "sum"), demand=("demand", "sum"), months=("month", "nunique")).reset_index()
    size = out["demand"].where(out["demand"] > 0)
    return out.assign(wape=out["error"] / size, bias=out["signed"] / size)[["lag", "wape", "bias", "months", "demand"]]


def lag_lines(past_plans: pd.DataFrame, history: pd.DataFrame, *, lags: Sequence[int], season: int = 12) -> pd.DataFrame:
    """Error by lag of the naive, the baseline and the consensus, on the same rows: how far ahead can we trust it?

    returns  stream (naive, baseline, consensus) × lag   wape (fraction), months (judged)
    """
    rows = judged(past_plans, history, lags=lags)
    if rows.empty:
        return pd.DataFrame(columns=["stream", "lag", "wape", "months"])
    rows["naive"] = naive(rows, history, season)
    long = rows.melt(["lag", "month", "demand"], ["naive", "baseline", "consensus"], "stream", "forecast")
    scores = accuracy.score(long, by=["stream", "lag"])
    months = rows.groupby("lag")["month"].nunique()
    order = pd.Categorical(scores["stream"], ["naive", "baseline", "consensus"], ordered=True)
    scores = scores.assign(months=scores["lag"].map(months), order=order).sort_values(["order", "lag"])
    return scores[["stream", "lag", "wape", "months"]].reset_index(drop=True)


def cycles_needed(past_plans: pd.DataFrame, *, cycle_month: Any, lag: int) -> int:
    """How many more monthly cycles, this one counted, until the first plan can be judged at a lag; 0: it can.

    A plan of cycle c is judged at lag L when the demand of c + L − 1 is known, in the cycle c + L.

    >>> cycles_needed(pd.DataFrame({"cycle": [pd.Timestamp("2026-08-01")]}), cycle_month="2026-10", lag=3)
    1
    >>> cycles_needed(pd.DataFrame({"cycle": []}), cycle_month="2026-10", lag=3)
    3
    """
    first = past_plans["cycle"].min() if len(past_plans) else frames.month(cycle_month)
    return max(lag - frames.months_between(first, cycle_month), 0)


def triangle(past_plans: pd.DataFrame, plan: pd.DataFrame, history: pd.DataFrame, *, cycle_month: Any) -> pd.DataFrame:
    """What each cycle planned for each month, in total, with the demand that came.

    returns  cycle × month   consensus, demand (units; missing while not known)
    """
    versions = pd.concat([past_plans, plan.assign(cycle=frames.month(cycle_month))], ignore_index=True)
    out = versions.groupby(["cycle", "month"], as_index=False)[["consensus"]].sum()
    demand = history.groupby("month", as_index=False)[["demand"]].sum()
    return out.merge(demand, on="month", how="left")


# --- rows that can be judged ----------------------------------------------------------------------------------------

def judged(past_plans: pd.DataFrame, history: pd.DataFrame, *, lags: Sequence[int] | None = None) -> pd.DataFrame:
    """Each past plan beside the demand that came.

    returns  cycle × item × location × month   lag, the streams, consensus, price, demand (units); months whose demand
             is known, from each cycle's own month on. What was not planned has streams of zero; its demand counts.
    """
    streams = [*STREAMS[1:], "consensus", "price"]
    columns = ["cycle", *_KEY, "lag", *streams, "demand"]
    if past_plans.empty or history.empty:
        kinds = {"cycle": "datetime64[ns]", "month": "datetime64[ns]", "item": object, "location": object, "lag": "int64"}
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in columns})
    plans = past_plans[past_plans["month"] <= history["month"].max()]
    pairs = plans[["cycle", "month"]].drop_duplicates()
    pairs["lag"] = (pairs["month"].dt.year - pairs["cycle"].dt.year) * 12 + pairs["month"].dt.month - pairs["cycle"].dt.month + 1
    pairs = pairs[pairs["lag"].isin(list(lags)) if lags is not None else pairs["lag"] >= 1]
    asked = history[[*_KEY, "demand"]].merge(pairs, on="month")
    planned = plans[["cycle", *_KEY, *streams]].merge(pairs, on=["cycle", "month"])
    out = planned.merge(asked, on=["cycle", *_KEY, "lag"], how="outer")
    zero = [*streams[:-1], "demand"]
    out[zero] = out[zero].fillna(0.0)
    return out.sort_values(["cycle", *_KEY], kind="stable").reset_index(drop=True)[columns]


def naive(rows: pd.DataFrame, history: pd.DataFrame, season: int) -> np.ndarray:
    """Demand a season before the month judged; else the last demand before the cycle; else zero."""
    demand = history.set_index(_KEY)["demand"]
    back = [rows["month"] - pd.DateOffset(months=season), rows["cycle"] - pd.DateOffset(months=1)]
    looked = [demand.reindex(pd.MultiIndex.from_arrays([rows["item"], rows["location"], when])).to_numpy() for when in back]
    before = (back[0] < rows["cycle"]).to_numpy()  # a lag beyond the season would look at what was not known
    first = np.where(before, looked[0], np.nan)
    return np.nan_to_num(np.where(np.isnan(first), looked[1], first))


