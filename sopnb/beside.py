"""The streams side by side: what each says of the months to come, by itself, and how near it came before.

    baseline    the statistical forecast alone
    events      the baseline and the events              pipeline    the baseline and the new deals
    leads       the baseline and all that leads promise  sales       what sales expects; the plan before it where silent
    budget      the units budgeted; where a budget has money only, its money at the plan's price
    consensus   the plan

A stream speaks of a family and month when it says anything of it; it is judged there and nowhere else, and beside it
stands the error of the baseline on the same families and months. Families are where sales and the budget speak: at
item level they would be blamed for a split that is not theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sopnb import accuracy, plan
from sopnb.streams import judged

STREAMS = ("baseline", "events", "pipeline", "leads", "sales", "budget", "consensus")
ORDER = (*STREAMS[:5], "override", "budget", "consensus")  # as a reader meets them, overrides among them
_CELL = ["family", "month"]
_LIFTS = ("events", "pipeline")


def says(
    planned: pd.DataFrame, items: pd.DataFrame, *, months: Any, sales: pd.DataFrame | None = None, leads: pd.DataFrame | None = None,
    budget: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What each stream says of each family and month it speaks of.

    planned   item × location × month   the streams, consensus (units), price: a frames.PLAN
    sales     frames.FORECAST_SALES; leads frames.LEADS; budget family × month   units or revenue
    returns   stream × family × month   units, baseline (units, of the same family and month)
    """
    rows = planned[planned["month"].isin(pd.DatetimeIndex(months))].merge(items[["item", "family"]], on="item", how="left")
    rows = rows.dropna(subset=["family"]).reset_index(drop=True)
    if rows.empty:
        return pd.DataFrame({"stream": [], "family": [], "month": pd.DatetimeIndex([]), "units": [], "baseline": []}).astype({"stream": object, "family": object})
    cells = rows.groupby(_CELL)[["baseline", "events", "pipeline", "consensus", "revenue"]].sum()
    found = {"baseline": cells["baseline"], "consensus": cells["consensus"]}
    for lift in _LIFTS:
        moved = rows[lift].abs().groupby([rows[name] for name in _CELL]).sum() > 0
        found[lift] = (cells["baseline"] + cells[lift])[moved]
    found["leads"] = (cells["baseline"] + _promised(leads, items)).reindex(cells.index).dropna()
    found["sales"] = _expected(rows, sales, items)
    found["budget"] = _budgeted(cells, budget)
    parts = [found[name].rename("units").reset_index().assign(stream=name) for name in STREAMS if len(found[name])]
    out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*_CELL, "units", "stream"])
    out = out.merge(cells["baseline"].reset_index(), on=_CELL, how="left")
    return out[["stream", *_CELL, "units", "baseline"]]


def records(
    past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, *, lag: int, past_sales: pd.DataFrame | None = None,
    past_leads: pd.DataFrame | None = None, past_budget: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How near each stream came, by itself, at one lag, from what each cycle froze.

    past_…    cycle × the table that `says` takes, as it was handed over in each cycle
    returns   stream   wape, bias (fractions, family × month), without (WAPE of the baseline on the same), months, demand
              (units); no rows while no plan of that lag can be judged
    """
    rows = judged(past_plans, history, lags=[lag])
    rows["revenue"] = rows["consensus"].fillna(0.0) * rows["price"].fillna(0.0)
    parts = []
    for cycle, own in rows.groupby("cycle"):
        said = {name: None if table is None else table[table["cycle"] == cycle] for name, table in
                (("sales", past_sales), ("leads", past_leads), ("budget", past_budget))}
        demand = own.merge(items[["item", "family"]], on="item", how="left").groupby(_CELL, as_index=False)["demand"].sum()
        parts.append(says(own.fillna({"consensus": 0.0}), items, months=own["month"].unique(), **said).merge(demand, on=_CELL))
    names = ["stream", "wape", "bias", "without", "months", "demand"]
    if not parts:
        return pd.DataFrame(columns=names)
    every = pd.concat(parts, ignore_index=True)
    scores = accuracy.score(every.rename(columns={"units": "forecast"}), by=["stream"]).set_index("stream")
    scores["without"] = accuracy.score(every.assign(forecast=every["baseline"]), by=["stream"]).set_index("stream")["wape"]
    scores["months"] = every.groupby("stream")["month"].nunique()
    return scores.reindex([name for name in STREAMS if name in scores.index]).reset_index()[names]


def together(said: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """One row a stream: what it says of the months to come, what that is beside the baseline, and its record.

    returns  stream, in the order of STREAMS   says (units; of events, deals and leads what they add to the baseline),
             families × months it speaks of (cells), and the columns of `records`
    """
    sums = said.groupby("stream").agg(units=("units", "sum"), baseline=("baseline", "sum"), cells=("units", "size"))
    sums["says"] = sums["units"].where(~sums.index.isin([*_LIFTS, "leads"]), sums["units"] - sums["baseline"])
    both = sums.join(records.set_index("stream"), how="outer")
    return both.reindex([name for name in STREAMS if name in both.index]).reset_index()[
        ["stream", "says", "cells", "wape", "bias", "without", "months", "demand"]]


def by_month(said: pd.DataFrame, *, whole: float = 0.99) -> pd.DataFrame:
    """The totals that can stand in one picture: of a month, the streams that speak of nearly all of it.

    whole    share of the month's baseline of which a stream must speak
    returns  month × stream (baseline, sales, budget, consensus)   units
    """
    drawn = said[said["stream"].isin(["baseline", "sales", "budget", "consensus"])]
    out = drawn.groupby(["month", "stream"], as_index=False)[["units", "baseline"]].sum()
    all_of_it = out["month"].map(said[said["stream"] == "baseline"].groupby("month")["units"].sum())
    return out[out["baseline"] >= whole * all_of_it][["month", "stream", "units"]].reset_index(drop=True)


def _promised(leads: pd.DataFrame | None, items: pd.DataFrame) -> pd.Series:
    """family × month   units: leads × conversion × units an order."""
    none = pd.Series(dtype="float64", index=pd.MultiIndex.from_arrays([[], pd.DatetimeIndex([])], names=_CELL))
    if leads is None or leads.empty:
        return none
    said = leads.assign(family=_family(leads, items), promised=leads["leads"] * leads["conversion"] * leads["units"])
    return said[said["promised"] > 0].groupby(_CELL)["promised"].sum()


def _expected(rows: pd.DataFrame, sales: pd.DataFrame | None, items: pd.DataFrame) -> pd.Series:
    """family × month   units sales expects; of series it says nothing of, the plan before it."""
    if sales is None or sales.empty:
        return pd.Series(dtype="float64")
    before = rows[["baseline", "events", "pipeline", "leads"]].sum(axis=1).to_numpy()
    expected = plan.expected(rows, before, sales)
    spoken = sales.assign(family=_family(sales, items))[_CELL].drop_duplicates()
    full = rows[_CELL].assign(units=np.where(np.isnan(expected), before, expected)).groupby(_CELL)["units"].sum()
    return full[full.index.isin(pd.MultiIndex.from_frame(spoken))]


def _budgeted(cells: pd.DataFrame, budget: pd.DataFrame | None) -> pd.Series:
    """family × month   units budgeted, of families and months that are planned."""
    if budget is None or budget.empty:
        return pd.Series(dtype="float64")
    money = [name for name in ("revenue", "units") if name in budget.columns]
    sums = budget.groupby(_CELL)[money].sum(min_count=1).reindex(cells.index)
    price = cells["revenue"] / cells["consensus"].where(cells["consensus"] > 0)
    bought = sums["revenue"] / price.where(price > 0) if "revenue" in sums else pd.Series(np.nan, index=cells.index)
    return (sums["units"].fillna(bought) if "units" in sums else bought).dropna()


def _family(said: pd.DataFrame, items: pd.DataFrame) -> pd.Series:
    of_item = said["key"].map(items.set_index("item")["family"])
    return said["key"].where(said["level"] == "family", of_item)
