"""How far sales and marketing have deserved to be followed: the weight of each owner's numbers, by their own record.

    sales    the plan moves by weight × (what sales expects − plan before it)
    leads    the plan grows by weight × (leads × conversion × units an order)

Both are a step s − p that somebody asks for on a plan p. The weight is the one that would have taken most off the error
so far, the value added that WAPE measures:

    the w that makes Σ |p + w (s − p) − d| least          d: the demand that came

which is the median of (d − p) / (s − p), each weighing |s − p|. It is kept within 0 and a cap, since a weight learnt
from a few months is a guess too; the sum is convex, so that nothing within these limits is better. It is 0 where the step
pointed the wrong way, and 1 where the whole step was right. Below six months there is no record to speak of, and half the
cap is used. A weight may be fixed by hand; its record is shown beside it all the same.

Sources: Bates & Granger (1969), The combination of forecasts, Operational Research Quarterly 20(4), who weigh by squared
errors; Bloomfield & Steiger (1983), Least Absolute Deviations, on the weighted median.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from sopnb import accuracy
from sopnb.streams import judged

MIN_MONTHS = 6  # months judged on which a record can rest
RECORD = ["owner", "n", "months", "wape_before", "wape_with", "wape_weighed", "bias", "weight", "basis"]


def sales(
    past_sales: pd.DataFrame, past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, *, cap: float, owners: Iterable[Any] = (),
    lags: Sequence[int] | None = None, fixed: float | None = None,
) -> pd.DataFrame:
    """The weight of each owner's sales forecast.

    past_sales  cycle × frames.FORECAST_SALES, as it was handed over in each cycle
    past_plans  cycle × frames.PLAN, as frozen
    owners      who speaks now: a newcomer has no record
    lags        lags judged; None: all
    fixed       a weight set by hand for everybody; None: by the record
    returns     owner   n (statements judged), months (judged), wape_before (the plan without it), wape_with (what the
                owner expects, taken alone), wape_weighed (the plan moved by the weight), bias (of the owner's numbers
                alone), weight (0 to `cap`), basis (record, new or fixed)
    """
    rows = _before(past_plans, history, items, lags, ["baseline", "events", "pipeline", "leads"])
    return _records(_statements(rows, past_sales), [*past_sales["owner"], *owners], cap, fixed)


def leads(
    past_leads: pd.DataFrame, past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, *, cap: float, owners: Iterable[Any] = (),
    lags: Sequence[int] | None = None, fixed: float | None = None,
) -> pd.DataFrame:
    """The weight of each owner's leads: what part of the units they promised came on top of the plan without them.

    past_leads  cycle × frames.LEADS
    returns     as `sales`; wape_with and bias are those of the plan before it plus all that was promised
    """
    rows = _before(past_plans, history, items, lags, ["baseline", "events", "pipeline"])
    promised = past_leads.assign(quantity=past_leads["leads"] * past_leads["conversion"] * past_leads["units"])
    said = _statements(rows, promised)
    return _records(said.assign(quantity=said["before"] + said["quantity"]), [*past_leads["owner"], *owners], cap, fixed)


def best(step: pd.Series, missing: pd.Series) -> float:
    """The w that makes Σ |missing − w × step| least: the median of missing / step, each weighing |step|.

    >>> best(pd.Series([20.0, 20.0, 10.0]), pd.Series([10.0, 10.0, 40.0]))
    0.5
    """
    asked = step != 0
    table = pd.DataFrame({"ratio": missing[asked] / step[asked], "size": step[asked].abs()}).sort_values("ratio", kind="stable")
    reached = table["size"].cumsum() >= table["size"].sum() / 2
    return float(table.loc[reached, "ratio"].iloc[0]) if len(table) else 0.0


def _before(past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, lags: Sequence[int] | None, streams: list[str]) -> pd.DataFrame:
    rows = judged(past_plans, history, lags=lags).merge(items[["item", "family"]], on="item", how="left")
    return rows.assign(before=rows[streams].sum(axis=1))


def _statements(rows: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """What was said beside the plan before it and the demand, summed to where it was said.

    returns  one row a statement   owner, month, quantity, before, demand (units)
    """
    parts = []
    for level in ("item", "family"):
        for everywhere in (True, False):
            broad = said["location"].isna() | said["location"].isin(["", "all"])
            mine = said[(said["level"] == level) & (broad == everywhere)].rename(columns={"key": level})
            key = ["cycle", level, "month"] + ([] if everywhere else ["location"])
            sums = rows.groupby(key, as_index=False)[["before", "demand"]].sum()
            parts.append(mine[[*key, "quantity", "owner"]].merge(sums, on=key)[["owner", "month", "quantity", "before", "demand"]])
    return pd.concat(parts, ignore_index=True).dropna(subset=["quantity"])  # an empty cell says nothing


def _records(said: pd.DataFrame, owners: Iterable[Any], cap: float, fixed: float | None) -> pd.DataFrame:
    records = []
    for owner in sorted({"" if pd.isna(owner) else str(owner) for owner in owners}):
        own = said[said["owner"].fillna("") == owner]
        step, months = own["quantity"] - own["before"], own["month"].nunique()
        basis = "fixed" if fixed is not None else "record" if months >= MIN_MONTHS else "new"
        weight = fixed if fixed is not None else min(max(best(step, own["demand"] - own["before"]), 0.0), cap) if basis == "record" else cap / 2
        records.append((owner, len(own), months, accuracy.wape(own["before"], own["demand"]), accuracy.wape(own["quantity"], own["demand"]),
                        accuracy.wape(own["before"] + weight * step, own["demand"]), accuracy.bias(own["quantity"], own["demand"]), weight, basis))
    return pd.DataFrame.from_records(records, columns=RECORD)
