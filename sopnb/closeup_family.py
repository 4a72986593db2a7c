"""One family, taken apart: its plan beside demand, last plan and budget, its streams, its items by money.

    one = take("Coffee", items=items, history=history, plan=plan, bands=bands, budget=budget, past_plans=past_plans, months=window)

Typed is the name of a family, in any case; nothing is the family with most money in the plan. A family nobody knows is
answered with the nearest ones, or with all there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sopnb import closeup, frames

STREAMS = ["baseline", "events", "pipeline", "leads", "sales", "override", "consensus", "revenue", "margin"]
KNOWN = 8  # families named where none is like the one typed


@dataclass(frozen=True)
class Family:
    """What is known of one family.

    asked     what was typed; family: which one it is, empty where nobody knows it, then `near` names others
    history   month      demand (units), revenue (money)
    plan      month      the streams, consensus (units), revenue, margin (money), lo80, hi80 of the baseline, last (last
                         plan's consensus), year_ago (demand a year before), budget_units, budget_revenue; NaN where
                         there is none
    items     item       name, units, revenue, margin, moved (money on last plan): over the months spoken about
    versions  cycle × month   consensus (units) of earlier plans
    events    frames.EVENTS that name the family, one of its items, or all
    """

    asked: str
    family: str = ""
    near: list[str] = field(default_factory=list)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    plan: pd.DataFrame = field(default_factory=pd.DataFrame)
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    versions: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: pd.DataFrame = field(default_factory=pd.DataFrame)


def take(
    family: str,
    *,
    items: pd.DataFrame,
    history: pd.DataFrame,
    plan: pd.DataFrame,
    bands: pd.DataFrame,
    budget: pd.DataFrame | None = None,
    past_plans: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    months: Iterable[object] | None = None,
) -> Family:
    """All that is known of a family.

    family   as typed, in any case; empty: the one with most money in `months` of the plan
    items    item                      name, family
    history  frames.HISTORY; plan: frames.PLAN; budget, events: as their frames
    bands    group (family) × month    lo80, hi80: forecast.family_bands
    past_plans  cycle × frames.PLAN
    months   months of the plan spoken about; None: all
    returns  Family; of an unknown one only `near` is filled
    """
    family = closeup.as_typed(family)
    of = items.dropna(subset=["family"]).set_index("item")["family"].astype(str)
    families = {name: name for name in sorted(set(of))}
    span = pd.DatetimeIndex(sorted(plan["month"].unique()) if months is None else list(months))
    found = closeup.named(family, families) if family else _largest(plan, of, span)
    if not found:
        return Family(family, near=[name for name, _ in closeup.alike(family, families)] or list(families)[:KNOWN])
    codes = set(of.index[of == found])
    past = history[history["item"].isin(codes)].groupby("month", sort=True)[["demand", "revenue"]].sum().reset_index()
    before = None if past_plans is None or past_plans.empty else past_plans[past_plans["item"].isin(codes)]
    last = None if before is None else before[before["cycle"] == frames.next_month(plan["month"].min(), -1)]
    mine = plan[plan["item"].isin(codes)]
    return Family(
        family, found, history=past, plan=_plan(mine, past, last, bands, budget, found), items=_items(mine, last, items, span),
        versions=pd.DataFrame(columns=["cycle", "month", "consensus"]) if before is None else before.groupby(["cycle", "month"], sort=True)["consensus"].sum().reset_index(),
        events=_events(events, codes, found))


def _largest(plan: pd.DataFrame, of: pd.Series, span: pd.DatetimeIndex) -> str:
    """The family with most money in the months spoken about; without prices the one with most units."""
    near = plan[plan["month"].isin(span)]
    size = near.assign(money=near["revenue"].fillna(0.0), family=near["item"].map(of)).groupby("family")[["money", "consensus"]].sum()
    return "" if size.empty else str(size.sort_values(["money", "consensus"], ascending=False, kind="stable").index[0])


def _plan(mine: pd.DataFrame, past: pd.DataFrame, last: pd.DataFrame | None, bands: pd.DataFrame, budget: pd.DataFrame | None, family: str) -> pd.DataFrame:
    out = mine.groupby("month", sort=True)[STREAMS].sum(min_count=1).reset_index()
    held = bands[bands["group"] == family] if "group" in bands.columns else bands.assign(lo80=[], hi80=[])
    own = None if budget is None else budget[budget["family"] == family].groupby("month")[["units", "revenue"]].sum(min_count=1)
    ago = past.set_index("month")["demand"]
    return out.merge(held[["month", "lo80", "hi80"]], on="month", how="left").assign(
        last=np.nan if last is None else out["month"].map(last.groupby("month")["consensus"].sum()),
        year_ago=[float(ago.get(frames.next_month(month, -12), np.nan)) for month in out["month"]],
        budget_units=np.nan if own is None else out["month"].map(own["units"]), budget_revenue=np.nan if own is None else out["month"].map(own["revenue"]))


def _items(mine: pd.DataFrame, last: pd.DataFrame | None, items: pd.DataFrame, span: pd.DatetimeIndex) -> pd.DataFrame:
    """Its items over the months spoken about, most money first; `moved` over those that last plan had too."""
    near = mine[mine["month"].isin(span)]
    out = near.groupby("item", sort=True)[["consensus", "revenue", "margin"]].sum(min_count=1).rename(columns={"consensus": "units"})
    if last is None or last.empty:
        out["moved"] = np.nan
    else:
        both = span.intersection(pd.DatetimeIndex(last["month"].unique()))
        now, then = (table[table["month"].isin(both)].groupby("item")["revenue"].sum() for table in (near, last))
        out["moved"] = now.reindex(out.index).fillna(0.0) - then.reindex(out.index).fillna(0.0)
    names = items.drop_duplicates("item").set_index("item")["name"] if "name" in items.columns else pd.Series(dtype=object)
    out = out.reset_index()
    out.insert(1, "name", out["item"].map(names).fillna(out["item"]))
    return out.sort_values(["revenue", "units"], ascending=False, kind="stable").reset_index(drop=True)


def _events(events: pd.DataFrame | None, codes: set[str], family: str) -> pd.DataFrame:
    if events is None or events.empty:
        return frames.empty(frames.EVENTS)
    level = events["level"]
    return events[(level == "all") | ((level == "family") & (events["key"] == family)) | ((level == "item") & events["key"].isin(codes))]
