"""Do the hours suffice? Rough-cut load of resources by month, from a capacity bill (hours per unit).

Rough-cut is not scheduling: hours count in the month the goods are due, or as many months before as the routing says, whole
months against whole months. It finds the months in which a plan cannot be made, not the day on which a machine is free.
The ways of the books (overall factors, capacity bills, resource profiles) stand in `capacity_bills` and can be called from here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import door, frames
from sopnb.capacity_bills import (
    against,
    behind,
    capacity_bill,
    exploded,
    historical_shares,
    offset,
    overall_factors,
    ratio,
    required,
    with_parts,
)

__all__ = ["against", "behind", "capacity_bill", "doubtful", "exploded", "historical_shares", "load", "overall_factors", "production", "required", "unknown", "with_parts",
           "without_routing"]

RUNS = ["resource", "month"]
WANTS = {"routings": door.Wants("item resource", "hours_per_unit"), "items": door.Wants("item", "", "unit_cost"),
         "capacity": door.Wants("resource month", "available_hours", "overtime_hours cost_rate overtime_rate"),
         "plan": door.Wants("item location* month", "consensus", "revenue margin"), "bom": door.Wants("item component valid_from? valid_to?", "quantity", "scrap")}
MADE = {"plan": door.Wants("item location* month", "consensus"), "routings": door.Wants("item resource"), "items": door.Wants("item"),
        "proposed": door.Wants("order*", "item due quantity"), "receipts": door.Wants("order* item location*", "due_date quantity")}


def production(plan, routings, items, *, proposed=None, receipts=None, as_of):
    """What must be made, by item and month: planned and open orders of made items; the plan's demand where there are none.

    plan      item × location × month   consensus (units), price, margin (money)
    routings  item × resource           items that use hours of a resource
    items     item                      make_or_buy; missing counts as make, since it has a routing
    proposed  order                     due, quantity: planned orders; None: the plan's demand is made in its month
    receipts  order × item × location   due_date, quantity: open orders
    returns   item × month              quantity (units), source (orders or plan)
    """
    plan, routings, items, proposed, receipts = door.enter(MADE, {"plan": plan, "routings": routings, "items": items, "proposed": proposed, "receipts": receipts})
    plan = plan.assign(consensus=plan["consensus"].clip(lower=0.0))
    bought = set(items.loc[items["make_or_buy"].str.lower() == "buy", "item"]) if "make_or_buy" in items else set()
    made = sorted(set(routings["item"]) - bought)
    first, last = plan["month"].min(), plan["month"].max()
    if proposed is None:
        parts = [plan[["item", "month"]].assign(quantity=plan["consensus"])]
    else:
        parts = [_by_month(proposed, "due")]
        if receipts is not None:
            parts.append(_by_month(receipts, "due_date"))
    out = pd.concat(parts, ignore_index=True)
    out = out[out["item"].isin(made)]
    out = out.assign(month=out["month"].clip(lower=max(first, frames.month(pd.Timestamp(as_of)))))
    out = out[out["month"] <= last].groupby(["item", "month"], as_index=False)["quantity"].sum()
    return out.assign(source="plan" if proposed is None else "orders")


def _by_month(orders, date):
    return pd.DataFrame({"item": orders["item"], "month": orders[date].dt.to_period("M").dt.to_timestamp(), "quantity": orders["quantity"]})


def load(made, routings, capacity, items, plan, *, bom=None):
    """Load of every resource and month against its hours, with the money behind them.

    made      item × month       quantity (units): from `production`
    routings  item × resource    hours_per_unit (hours), offset_months (months before the due month; 0 where missing)
    capacity  resource × month   available_hours, overtime_hours (hours), cost_rate, overtime_rate (money an hour)
    items     item               unit_cost (money)
    plan      item × location × month   consensus, revenue, margin: for the money a unit brings
    bom       item × component   quantity, scrap, valid_from, valid_to: a part brings what all that waits for it brings; None: nothing
    returns   LOAD: hours = Σ quantity × hours_per_unit; ratio = hours / available; overload = hours above available, never below 0;
              overload_amount = overload / hours × revenue; cost = min(overload, overtime) × overtime_rate

    Every month of the plan is there for every resource with a routing or a capacity. Where no capacity is given for a
    month, available and overload are missing, not zero: `unknown` names them. Without an overtime rate, 1.5 × cost_rate.
    Hours that should have been worked before the first month are work of the first. A routing without hours above zero takes
    none, a month of capacity with hours or rates below zero is not known: `constrained.plan_hours` has a finding for each.
    """
    routings, capacity, items, plan, bom = door.enter(WANTS, {"routings": routings, "capacity": capacity, "items": items, "plan": plan, "bom": bom})
    routings, capacity = _usable(routings, capacity)
    months = pd.DataFrame({"month": pd.DatetimeIndex(sorted(plan["month"].unique()))})
    resources = pd.DataFrame({"resource": sorted(set(routings["resource"]) | set(capacity["resource"]))})
    out = resources.merge(months, how="cross").merge(_required(made, routings, _worth(plan, items, bom), months["month"].min()), on=RUNS, how="left")
    out = out.merge(capacity[[*RUNS, "available_hours", "overtime_hours", "cost_rate", "overtime_rate"]], on=RUNS, how="left")
    money = ["hours", "revenue", "margin", "goods"]
    out[money] = out[money].fillna(0.0)
    out["available"], out["overtime"] = out["available_hours"], out["overtime_hours"].fillna(0.0).clip(lower=0.0)
    out["ratio"] = ratio(out["hours"], out["available"].where(out["available"] > 0))
    out["overtime_rate"] = out["overtime_rate"].fillna(1.5 * out["cost_rate"]).fillna(0.0)
    out["overload"] = (out["hours"] - out["available"]).clip(lower=0.0)
    out["overload_amount"] = (out["revenue"] * out["overload"] / out["hours"].where(out["hours"] > 0)).where(out["overload"] > 0, 0.0)
    out["overload_amount"] = out["overload_amount"].where(out["available"].notna())
    out["cost"] = np.minimum(out["overload"], out["overtime"]) * out["overtime_rate"]
    return frames.conform(out[frames.LOAD.names], frames.LOAD)


def unknown(load):
    """Resources and months that are used and have no capacity: the load cannot be judged there.

    returns  resource   months (count), hours
    """
    dark = load[load["available"].isna() & (load["hours"] > 0)]
    return dark.groupby("resource", as_index=False).agg(months=("month", "size"), hours=("hours", "sum"))


def doubtful(capacity, routings, history, *, as_of, limit=1.25):
    """Resources whose stated hours are less than what the last twelve months really took: their figures are wrong.

    capacity  resource × month   available_hours, overtime_hours
    routings  item × resource    hours_per_unit
    history   item × location × month   demand (units), taken as what was made
    limit     hours taken, as a share of hours stated, above which nobody should believe them
    returns   resource   taken, stated (hours a month), share

    A plan is not infeasible because a master-data figure is. Such resources are named, and their load is not judged.
    """
    since = frames.next_month(as_of, -12)
    past = history[(history["month"] >= since) & (history["month"] < pd.Timestamp(as_of))]
    bill = past.groupby("item", as_index=False)["demand"].sum().merge(routings[["item", "resource", "hours_per_unit"]], on="item")
    taken = (bill["demand"] * bill["hours_per_unit"]).groupby(bill["resource"]).sum() / 12
    most = capacity["available_hours"] + capacity["overtime_hours"].fillna(0.0)
    then = capacity["month"].between(since, pd.Timestamp(as_of), inclusive="left")
    stated = most[then].groupby(capacity["resource"]).mean().combine_first(most.groupby(capacity["resource"]).mean())
    out = pd.DataFrame({"taken": taken, "stated": stated}).dropna().rename_axis("resource").reset_index()
    out["share"] = out["taken"] / out["stated"].where(out["stated"] > 0)
    return out[out["share"] > limit].reset_index(drop=True)


def without_routing(plan, routings, items):
    """Items made in-house, with demand, whose hours are not known: they load nothing.

    returns  item   consensus (units)
    """
    made = set(items.loc[items["make_or_buy"].str.lower() == "make", "item"]) - set(routings["item"])
    open_items = plan[plan["item"].isin(made) & (plan["consensus"] > 0)]
    return open_items.groupby("item", as_index=False)["consensus"].sum()


def _worth(plan, items, bom):
    """Revenue and margin behind one unit of each item, over the whole plan, and its own cost."""
    out = behind(plan.groupby("item")[["consensus", "revenue", "margin"]].sum(), bom, plan["month"].min())
    out["unit_goods"] = out.index.map(items.set_index("item")["unit_cost"]).astype("float64")
    return out.fillna(0.0).reset_index()


def _required(made, routings, worth, first):
    """Hours, and the money behind them, by resource and month of the work."""
    earlier = routings["offset_months"].fillna(0.0).clip(lower=0.0) if "offset_months" in routings else 0.0
    bill = made.merge(routings[["item", "resource", "hours_per_unit"]].assign(offset=earlier), on="item").merge(worth, on="item", how="left")
    bill["hours"] = bill["quantity"] * bill["hours_per_unit"]
    money = ["revenue", "margin", "goods"]
    for name in money:
        bill[name] = bill["quantity"] * bill[f"unit_{name}"].fillna(0.0)
    bill = offset(bill, ["hours", *money])
    return bill.assign(month=bill["month"].clip(lower=first)).groupby(RUNS, as_index=False)[["hours", *money]].sum()


def _usable(routings, capacity):
    """Routings with hours above zero; capacity whose hours are not below it."""
    known = capacity.assign(**{name: capacity[name].where(capacity[name] >= 0) for name in ("available_hours", "cost_rate", "overtime_rate")})
    return routings[routings["hours_per_unit"] > 0], known
