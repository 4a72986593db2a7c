"""What would bring the year back to its budget: actions that have a name, an owner and money.

    won        an open deal that the plan holds at its chance: the rest of its money, should it be won
    renewed    a promotion that ran within a year and has no successor in the months to go: its lift once more, for as
               many days, on the plan of those months
    left_out   an open deal that the plan leaves to the run-rate: its money × its chance
    cut        an owner's overrides downward: what they take off the plan
    agreed     an open action of the meetings, with the money at stake it was given

Only what falls into the months to go counts. Not all of it is new money, and `care` says which is not:

    new        not in the plan
    runrate    the baseline holds the usual amount of such deals already: new only where more than usual is won
    opinion    taking it back changes the plan; customers only where the cut was wrong
    stake      money at stake, as the meeting wrote it down: may be a cost, or the money of a line above

Lines come in the order of care, by money, and are added up in that order; so the first sum is the safest one. What is
at stake is listed last and not added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

CARE = ("new", "runrate", "opinion", "stake")
_OF = {"won": "new", "renewed": "new", "left_out": "runrate", "cut": "opinion", "agreed": "stake"}
COLUMNS = ["kind", "name", "owner", "amount", "running", "care", "closes", "values"]


def actions(
    shortfall: float, *, months: Any, plan: pd.DataFrame, items: pd.DataFrame, deals: pd.DataFrame | None = None, spread_months: int = 6,
    events: pd.DataFrame | None = None, overrides_used: pd.DataFrame | None = None, agreed: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Named actions for the months to go, cumulated against what is missing.

    shortfall   money by which the year lands below its budget, positive
    months      the months to go of the fiscal year
    deals       opportunity   account, rep, family, amount, expected (money), close_date, added (flag); see sales.deals
    spread_months   a won deal is delivered in equal parts over so many months, from the one it closes in
    events      frames.EVENTS: who planned the promotion answers for its renewal; overrides_used frames.OVERRIDES_USED
    agreed      frames.ACTIONS, as the last meeting left them
    names       code of an account, rep or person: what to call it
    returns     kind, name, owner (missing where nobody is named), amount (money), running (money, added up; missing at stake), care,
                closes (flag: the line with which the sum reaches the shortfall), values (dict, for the sentence)
    """
    span = pd.DatetimeIndex(months)
    rows = [*_deals(deals, span, spread_months), *_events(events, span, plan, items), *_cuts(overrides_used, span), *_agreed(agreed)]
    out = pd.DataFrame.from_records(rows, columns=["kind", "name", "owner", "amount", "values"])
    out = out[out["amount"] > 0].assign(care=lambda d: d["kind"].map(_OF), order=lambda d: d["care"].map(CARE.index).astype(float))
    out = out.sort_values(["order", "amount", "name"], ascending=[True, False, True], kind="stable").reset_index(drop=True)
    called = names or {}
    out["owner"] = pd.Series([called.get(owner, owner) for owner in out["owner"]], index=out.index, dtype=object)
    out["values"] = [{**v, "account": called.get(v["account"], v["account"])} if "account" in v else v for v in out["values"]]
    out["running"] = out["amount"].astype("float64").where(out["care"] != "stake").cumsum()
    reached = (out["running"] >= shortfall) | (out["care"] == "stake")
    out["closes"] = reached & ~reached.shift(1, fill_value=False) & (out["care"] != "stake")
    return out[COLUMNS]


def shown(actions: pd.DataFrame, *, each: int = 4) -> pd.DataFrame:
    """The largest `each` lines of every care, and one line for the others of it; the running sum as it was.

    returns  as `actions`; kind `others` where lines are added up, with their number in values
    """
    parts = []
    for _, part in actions.groupby(actions["care"].map(CARE.index), sort=True):
        rest = part.iloc[each:]
        parts.append(part.iloc[:each] if len(rest) > 1 else part)
        if len(rest) > 1:
            parts.append(rest.iloc[[-1]].assign(kind="others", name="", owner=None, amount=float(rest["amount"].sum()), closes=bool(rest["closes"].any()), values=[{"n": len(rest)}]))
    return pd.concat(parts, ignore_index=True) if parts else actions


def summary(actions: pd.DataFrame, shortfall: float) -> dict[str, Any]:
    """What the actions come to.

    returns  shortfall, new (money not in the plan), doubtful (money that may be counted already, or move nothing), stake,
             open (what is missing beyond the new money), unnamed (beyond the doubtful money too), lines
    """
    new = float(actions.loc[actions["care"] == "new", "amount"].sum())
    stake = float(actions.loc[actions["care"] == "stake", "amount"].sum())
    doubtful = float(actions["amount"].sum()) - new - stake
    return {"shortfall": shortfall, "new": new, "doubtful": doubtful, "stake": stake, "open": max(shortfall - new, 0.0),
            "unnamed": max(shortfall - new - doubtful, 0.0), "lines": len(actions)}


def _deals(deals: pd.DataFrame | None, span: pd.DatetimeIndex, spread_months: int) -> list[tuple]:
    """The share of each open deal that would be delivered in the months to go."""
    if deals is None or deals.empty or not len(span):
        return []
    start = deals["close_date"].fillna(span[0]).dt.to_period("M").dt.to_timestamp().clip(lower=span[0])
    left = np.array([max(frames.months_between(first, span[-1]) + 1, 0) for first in start])
    share = np.minimum(left, spread_months) / spread_months
    rows = []
    for deal, part in zip(deals.to_dict("records"), share, strict=True):
        money = (deal["amount"] - deal["expected"] if deal["added"] else deal["expected"]) * part
        rows.append(("won" if deal["added"] else "left_out", deal["opportunity"], _given(deal["rep"]), float(money), {
            "account": _given(deal["account"]) or deal["opportunity"], "family": _given(deal["family"]), "close": deal["close_date"],
            "whole": deal["amount"], "chance": deal["expected"] / deal["amount"] if deal["amount"] else float("nan")}))
    return rows


def _events(events: pd.DataFrame | None, span: pd.DatetimeIndex, plan: pd.DataFrame, items: pd.DataFrame) -> list[tuple]:
    """Promotions of the last twelve months without a successor for the same goods in the months to go."""
    if events is None or events.empty or not len(span):
        return []
    own = events[(events["kind"] == "promotion") & (events["effect"] > 0)]
    scope = ["level", "key", "location"]
    own = own.assign(**{name: own[name].fillna("all") for name in scope})
    ends = span[-1] + pd.offsets.MonthEnd(0)
    coming = set(own.loc[(own["end"] >= span[0]) & (own["start"] <= ends), ["level", "key"]].itertuples(index=False, name=None))
    past = own[(own["end"] < span[0]) & (own["end"] >= frames.next_month(span[0], -12))].sort_values(["end", "event"], kind="stable")
    past = past.drop_duplicates(scope, keep="last")
    rows = plan[plan["month"].isin(span)].merge(items[["item", "family"]], on="item", how="left")
    days = float(np.sum(span.days_in_month))
    found = []
    for event in past.to_dict("records"):
        if (event["level"], event["key"]) in coming:
            continue
        meant = rows if event["level"] == "all" else rows[rows[event["level"]] == event["key"]]
        meant = meant if event["location"] == "all" else meant[meant["location"] == event["location"]]
        lasted = (event["end"] - event["start"]).days + 1
        money = event["effect"] * min(lasted / days, 1.0) * float((meant["baseline"] * meant["price"]).sum())
        found.append(("renewed", event["event"], _given(event.get("owner")), money, {
            "event": event["name"] or event["event"], "end": event["end"], "effect": event["effect"], "days": lasted, "location": event["location"]}))
    return found


def _cuts(overrides_used: pd.DataFrame | None, span: pd.DatetimeIndex) -> list[tuple]:
    """What each owner's overrides take off the plan of the months to go."""
    if overrides_used is None or overrides_used.empty:
        return []
    cuts = overrides_used[overrides_used["month"].isin(span) & (overrides_used["amount"] < 0)]
    sums = cuts.assign(owner=cuts["owner"].fillna("")).groupby("owner").agg(amount=("amount", "sum"), n=("override", "size"))
    return [("cut", owner or "overrides", owner or None, -float(row["amount"]), {"n": int(row["n"])}) for owner, row in sums.iterrows()]


def _agreed(agreed: pd.DataFrame | None) -> list[tuple]:
    """Open actions of the meetings that were given an amount."""
    if agreed is None or agreed.empty:
        return []
    still = agreed[agreed["state"].isin(["open", "started"]) & (agreed["amount"] > 0)]
    return [("agreed", a["action"], _given(a["owner"]), float(a["amount"]), {"action": a["action"], "title": a["title"], "due": a["due"]}) for a in still.to_dict("records")]


def _given(value: Any) -> Any:
    return None if value is None or pd.isna(value) or value == "" else value
