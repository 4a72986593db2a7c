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

Lines come in the order of care, by money, and are cumulated; so the first sum is the safest one.
"""

from __future__ import annotations

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
) -> pd.DataFrame:
    """Named actions for the months to go, cumulated against what is missing.

    shortfall   money by which the year lands below its budget, positive
    months      the months to go of the fiscal year
    deals       opportunity   account, rep, family, amount, expected (money), close_date, added (flag); see sales.deals
    spread_months   a won deal is delivered in equal parts over so many months, from the one it closes in
    events      frames.EVENTS; overrides_used frames.OVERRIDES_USED
    agreed      frames.ACTIONS, as the last meeting left them
    returns     kind, name, owner (missing where nobody is named), amount (money), running (money, cumulated), care,
                closes (flag: the line with which the sum reaches the shortfall), values (dict, for the sentence)
    """
    span = pd.DatetimeIndex(months)
    rows = [*_deals(deals, span, spread_months), *_events(events, span, plan, items), *_cuts(overrides_used, span), *_agreed(agreed)]
    out = pd.DataFrame.from_records(rows, columns=["kind", "name", "owner", "amount", "values"])
    out = out[out["amount"] > 0].assign(care=lambda d: d["kind"].map(_OF), order=lambda d: d["care"].map(CARE.index).astype(float))
    out = out.sort_values(["order", "amount", "name"], ascending=[True, False, True], kind="stable").reset_index(drop=True)
    out["running"] = out["amount"].astype("float64").cumsum()
    reached = out["running"] >= shortfall
    out["closes"] = reached & ~reached.shift(1, fill_value=False)
    return out[COLUMNS]


def summary(actions: pd.DataFrame, shortfall: float) -> dict[str, Any]:
    """What the actions come to.

    returns  shortfall, new (money not in the plan), doubtful (money that may be counted twice or move nothing), total,
             lines, needed (lines until it is closed; missing where all of them do not), unnamed (money nobody has named)
    """
    new = float(actions.loc[actions["care"] == "new", "amount"].sum())
    total = float(actions["amount"].sum())
    closing = np.flatnonzero(actions["closes"].to_numpy(dtype=bool))
    return {"shortfall": shortfall, "new": new, "doubtful": total - new, "total": total, "lines": len(actions),
            "needed": int(closing[0]) + 1 if len(closing) else None, "unnamed": max(shortfall - total, 0.0)}


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
    days = float(span.days_in_month.sum())
    found = []
    for event in past.to_dict("records"):
        if (event["level"], event["key"]) in coming:
            continue
        meant = rows if event["level"] == "all" else rows[rows[event["level"]] == event["key"]]
        meant = meant if event["location"] == "all" else meant[meant["location"] == event["location"]]
        lasted = (event["end"] - event["start"]).days + 1
        money = event["effect"] * min(lasted / days, 1.0) * float((meant["baseline"] * meant["price"]).sum())
        found.append(("renewed", event["event"], None, money, {
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
