"""What can be made of each item with the hours there are: a plan over items × months × resources, and what it cannot serve.

Rough-cut says where hours are missing; this plan says who goes without. It makes goods earlier where hours are left, works
overtime where that pays, keeps safety stock where it can, and serves classes in their order. All locations of an item are
one place, and goods can be sold in the month in which they are made. What a resource's hours are worth is money an hour.

source  linear programming of production under shared capacity, as in Hopp and Spearman, Factory Physics, chapter 16
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from sopnb import constrained_lp, door, frames

WEIGHTS = {"A": 9.0, "B": 3.0, "C": 1.0}
WANTS = {"plan": door.Wants("item location* month", "consensus revenue margin"), "routings": door.Wants("item resource", "hours_per_unit"),
         "capacity": door.Wants("resource month", "available_hours", "overtime_hours cost_rate overtime_rate"), "items": door.Wants("item", "", "unit_cost"),
         "stock": door.Wants("item location* as_of?", "on_hand"), "receipts": door.Wants("order* item location*", "due_date quantity"),
         "policy": door.Wants("item location*", "safety_stock")}
COSTS = ("overtime", "holding", "late", "lost", "safety")
TINY = 1e-4  # units and hours below which nothing is missing


class Constrained(NamedTuple):
    """What `plan_hours` returns.

    items        CONSTRAINED: what is made, kept, late and lost, by item and month
    unserved     UNSERVED: the demand that is not served in its month, most money first, with the resource and month that bind
    bottlenecks  BOTTLENECKS: hours used and what one more is worth, by resource and month
    costs        what   amount (money): overtime, holding, late, lost, safety, and all: the programme's cost
    findings     SUPPLY_FINDINGS: what could not be planned with as it is, and what is missing from the plan for it
    """

    items: pd.DataFrame
    unserved: pd.DataFrame
    bottlenecks: pd.DataFrame
    costs: pd.DataFrame
    findings: pd.DataFrame


def plan_hours(plan, routings, capacity, items, *, stock=None, receipts=None, policy=None, weights=None, wait_cost=0.10, holding_rate=0.20, as_of=None):
    """The best plan within the hours.

    plan       item × location × month   consensus (units), revenue, margin (money)
    routings   item × resource           hours_per_unit (hours); items without one are not in this plan
    capacity   resource × month          available_hours, overtime_hours (hours), cost_rate, overtime_rate (money an hour); a
               month without hours does not limit, since unknown is not zero
    items      item                      unit_cost (money), make_or_buy: bought items are not in this plan
    stock      item × location           on_hand (units), below zero where goods are owed; of several counts (as_of) the latest
    receipts   order × item × location   due_date, quantity (units): open orders; they use hours in the month they are due
    policy     item × location           safety_stock (units), service_class
    weights    class: number             how much dearer a lost sale of a class counts (9, 3, 1 for A, B, C); other classes count 1
    wait_cost  of margin, a month that a customer waits; None: nobody waits, what is late is lost
    holding_rate   of unit cost, a year
    as_of      today: orders due before it come in the first month; None: the first month of the plan
    returns    Constrained
    raises     FrameError: columns that are lacking; ValueError: a weight or rate that is below zero or no number

    A lost unit costs its margin, or a year of keeping it where that is more. With the weights of the classes this decides who goes
    without; then, with nobody served worse, plain money decides the rest, and safety stock takes the hours that are left: a unit
    missing from it costs halfway between keeping it and letting a customer wait. Regular hours are paid either way.
    """
    weights = WEIGHTS if weights is None else weights
    _possible(weights=weights, wait_cost=wait_cost, holding_rate=holding_rate)
    found: list[dict] = []
    given = {"plan": plan, "routings": routings, "capacity": capacity, "items": items, "stock": stock, "receipts": receipts, "policy": policy}
    plan, routings, capacity, items, stock, receipts, policy = door.enter(WANTS, given, lambda *fault: _left_out(found, *fault))
    stock = door.latest(stock)
    plan, items, policy = _figures(plan, items, policy, found)
    routings, capacity = _usable(plan, routings, capacity, items, found)
    ours = sorted(set(plan.loc[plan["consensus"] > 0, "item"]) & set(routings["item"]))
    months = pd.DatetimeIndex(sorted(plan["month"].unique()))
    if not ours:
        return Constrained(frames.empty(frames.CONSTRAINED), frames.empty(frames.UNSERVED), frames.empty(frames.BOTTLENECKS),
                           pd.DataFrame({"what": [*COSTS, "all"], "amount": 0.0}), _found(found))
    resources = sorted(set(routings.loc[routings["item"].isin(ours), "resource"]))
    _dark(resources, capacity, months, found)
    worth = _worth(plan, items, ours, holding_rate)
    worth["class"], worth["safety"] = _policy(policy, items, ours)
    worth["weight"] = worth["class"].map(weights).fillna(1.0)
    case = _case(plan, routings, capacity, stock, receipts, worth, months, resources, wait_cost, holding_rate, as_of)
    solved = constrained_lp.solve(case, weight=worth["weight"].to_numpy())
    return Constrained(_items(case, solved, ours, months), _unserved(case, solved, worth, months, resources), _bottlenecks(case, solved, months, resources),
                       _costs(case, solved), _found(found))


def _possible(*, weights, wait_cost, holding_rate):
    """What pays for itself would be done without end."""
    wrong = [f"{name} is {value}" for name, value in [*((f"the weight of class {name}", v) for name, v in weights.items()), ("wait_cost", wait_cost),
                                                      ("holding_rate", holding_rate)] if value is not None and not 0 <= value < np.inf]
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}. Give numbers of zero or more: below zero the more is lost or kept, the cheaper the plan, without end.")


# --- what goes in -----------------------------------------------------------------------------------------------------

def _case(plan, routings, capacity, stock, receipts, worth, months, resources, wait_cost, holding_rate, as_of):
    ours = list(worth.index)
    demand = _field(plan.rename(columns={"consensus": "units"}), "item", ours, months).clip(min=0.0)
    coming = _coming(receipts, months, as_of)
    open_orders = np.zeros_like(demand) if coming is None else _field(coming, "item", ours, months)
    opening = np.zeros(len(ours)) if stock is None else stock.groupby("item")["on_hand"].sum().reindex(ours).fillna(0.0).to_numpy()
    bill = routings[routings["item"].isin(ours)]
    at = {name: i for i, name in enumerate(ours)}, {name: r for r, name in enumerate(resources)}
    hours = sparse.csr_matrix((bill["hours_per_unit"].to_numpy(dtype="float64"), (bill["item"].map(at[0]).to_numpy(), bill["resource"].map(at[1]).to_numpy())),
                              shape=(len(ours), len(resources)))
    rate = capacity["overtime_rate"].fillna(1.5 * capacity["cost_rate"]).fillna(0.0)
    field = {name: _field(capacity.assign(units=values), "resource", resources, months, missing=blank)
             for name, values, blank in (("available", capacity["available_hours"], np.nan), ("overtime", capacity["overtime_hours"].fillna(0.0), 0.0), ("rate", rate, 0.0))}
    waits = worth["lost"].to_numpy() * (0.10 if wait_cost is None else wait_cost)
    holding = worth["cost"].to_numpy() * holding_rate / 12
    return constrained_lp.Case(
        demand=demand, receipts=open_orders, opening=opening, safety=np.repeat(worth["safety"].to_numpy()[:, None], len(months), axis=1), hours=hours,
        available=field["available"], overtime=field["overtime"], ordered=np.asarray(hours.T @ open_orders), overtime_rate=field["rate"],
        lost=worth["lost"].to_numpy(), late=waits, below=(holding + np.maximum(waits, holding)) / 2, holding=holding, waits=wait_cost is not None)


def _field(table, key, names, months, missing=0.0):
    """names × months from a long table with `units`."""
    rows = table[table[key].isin(names) & table["month"].isin(months)]
    wide = rows.pivot_table(index=key, columns="month", values="units", aggfunc="sum", dropna=False) if len(rows) else pd.DataFrame()
    return wide.reindex(index=names, columns=months).astype("float64").fillna(missing).to_numpy()


def _coming(receipts, months, as_of):
    """Open orders by item and month; what is overdue comes in the first month."""
    if receipts is None:
        return None
    first = max(months[0], frames.month(pd.Timestamp(as_of))) if as_of is not None else months[0]
    due = receipts["due_date"].dt.to_period("M").dt.to_timestamp().clip(lower=first)
    return pd.DataFrame({"item": receipts["item"], "month": due, "units": receipts["quantity"].clip(lower=0.0)})


def _worth(plan, items, ours, holding_rate):
    """What a unit brings and costs, by item: price, margin, cost; lost: what a lost unit counts."""
    known = {name: plan[plan[name].notna()].groupby("item")[["consensus", name]].sum().reindex(ours) for name in ("revenue", "margin")}
    out = pd.DataFrame({name: sums[name] / sums["consensus"].where(sums["consensus"] > 0) for name, sums in known.items()})
    out = out.rename(columns={"revenue": "price"}).fillna(0.0)
    out["cost"] = items.set_index("item")["unit_cost"].reindex(ours).astype("float64").fillna(0.0).clip(lower=0.0)
    out["lost"] = np.maximum(out["margin"], np.maximum(holding_rate * out["cost"], 1e-3))
    return out


def _policy(policy, items, ours):
    """Class and safety stock of each item: of several locations the first class in order, and the sum."""
    named = items.set_index("item")["service_class"].reindex(ours) if "service_class" in items else pd.Series(None, index=ours, dtype=object)
    if policy is None:
        return named.fillna("").to_numpy(), np.zeros(len(ours))
    of = policy.groupby("item")
    told = of["service_class"].min().reindex(ours) if "service_class" in policy else pd.Series(None, index=ours, dtype=object)
    return told.fillna(named).fillna("").to_numpy(), of["safety_stock"].sum().reindex(ours).fillna(0.0).clip(lower=0.0).to_numpy()


# --- what comes out ---------------------------------------------------------------------------------------------------

def _items(case, solved, ours, months):
    units = solved.units
    net = units["stock"] - units["late"]
    opening = np.column_stack([case.opening, net[:, :-1]])
    out = _long(ours, months, "item", demand=case.demand, opening=opening, receipts=case.receipts, made=units["made"], stock=units["stock"], late=units["late"],
                lost=units["lost"], safety_stock=case.safety, below=units["below"])
    return frames.conform(out, frames.CONSTRAINED)


def _unserved(case, solved, worth, months, resources):
    """Demand not served in its month: who is served first is who asked first."""
    units = solved.units
    late = np.minimum(np.maximum(case.demand - units["lost"], 0.0), units["late"])
    late, lost = np.where(late > TINY, late, 0.0), np.where(units["lost"] > TINY, units["lost"], 0.0)
    price, margin = worth["price"].to_numpy()[:, None], worth["margin"].to_numpy()[:, None]
    resource, when = _binding(case, solved)
    names = np.array([*resources, None], dtype=object)
    dates = np.append(months.to_numpy(), np.datetime64("NaT", "ns"))
    out = _long(list(worth.index), months, "item", late=late, lost=lost, late_amount=late * price, amount=lost * price, margin=lost * margin)
    out = out.assign(service_class=np.repeat(worth["class"].to_numpy(), len(months)), resource=names[resource.ravel()], binds=dates[when.ravel()])
    out = frames.conform(out[(out["late"] > 0) | (out["lost"] > 0)][frames.UNSERVED.names], frames.UNSERVED)
    order = out.assign(_all=out["amount"] + out["late_amount"]).sort_values(["amount", "_all", "item", "month"], ascending=[False, False, True, True], kind="stable")
    return order.drop(columns="_all").reset_index(drop=True)


def _binding(case, solved):
    """The resource and month whose hours stand in the way of one more unit of an item's demand: places, −1 where none does.

    A unit for month t can be made in any month up to t. It would be made where its hours, and keeping it till then, cost least; there
    the resource on which it would spend most binds.
    """
    items, months = case.demand.shape
    value = np.nan_to_num(solved.value, nan=0.0)
    spent = np.asarray(case.hours @ value)  # I × T: money of hours in a unit made in the month
    keeping = case.holding[:, None] * np.arange(months)[None, :]
    best = np.zeros((items, months), dtype=int)
    least = spent - keeping  # made in month m and sold in t costs spent(m) + holding × (t − m)
    for t in range(1, months):
        best[:, t] = np.where(least[:, t] <= least[np.arange(items), best[:, t - 1]], t, best[:, t - 1])
    resource = np.full((items, months), -1)
    share = np.zeros((items, months))
    dense = case.hours.tocsc()
    for r in range(len(value)):
        rows, hours = dense.indices[dense.indptr[r]: dense.indptr[r + 1]], dense.data[dense.indptr[r]: dense.indptr[r + 1]]
        mine = hours[:, None] * value[r][best[rows]]
        more = mine > np.maximum(share[rows], 1e-9)
        resource[rows] = np.where(more, r, resource[rows])
        share[rows] = np.where(more, mine, share[rows])
    return resource, np.where(resource >= 0, best, -1)


def _bottlenecks(case, solved, months, resources):
    used = np.asarray(case.hours.T @ solved.units["made"]) + case.ordered
    out = _long(resources, months, "resource", hours=used, ordered=case.ordered, available=case.available, overtime=case.overtime, overtime_used=solved.overtime,
                value=solved.value, value_overtime=solved.value_overtime)
    return frames.conform(out, frames.BOTTLENECKS)


def _costs(case, solved):
    spent = [float((case.overtime_rate * solved.overtime).sum())]
    for unit, price in (("stock", case.holding), ("late", case.late), ("lost", case.lost), ("below", case.below)):
        spent.append(float((solved.units[unit] * price[:, None]).sum()))
    return pd.DataFrame({"what": [*COSTS, "all"], "amount": [*spent, solved.cost]})


def _long(names, months, key, **fields):
    """Fields of names × months as a long table."""
    index = pd.MultiIndex.from_product([names, months], names=[key, "month"])
    return pd.DataFrame({name: np.asarray(values).ravel() for name, values in fields.items()}, index=index).reset_index()


# --- what cannot be planned with ----------------------------------------------------------------------------------------

def _left_out(found, source, table, hit, rule, column):
    """One finding for rows that the door has left out."""
    key = [c for c in ("order", "item", "location", "resource", "month") if c in table]
    _tell(found, source, rule, column, table[hit], len(table), key, None)


def _figures(plan, items, policy, found):
    """Demand, costs and safety stocks that can be; what cannot is a finding, as netting has it."""
    for rule, hit in (("plan_missing", plan["consensus"].isna()), ("plan_negative", plan["consensus"] < 0)):
        _left_out(found, "plan", plan, hit, rule, "consensus")
    _left_out(found, "items", items, items["unit_cost"] < 0, "cost_negative", "unit_cost")
    if policy is not None:
        _left_out(found, "policy", policy, policy["safety_stock"] < 0, "safety_negative", "safety_stock")
        policy = policy.assign(safety_stock=policy["safety_stock"].clip(lower=0.0))
    return plan.assign(consensus=plan["consensus"].fillna(0.0).clip(lower=0.0)), items.assign(unit_cost=items["unit_cost"].where(items["unit_cost"] >= 0)), policy


def _usable(plan, routings, capacity, items, found):
    """Routings of made items with hours above zero, and capacity that can be; what is left out is a finding."""
    kind = items.set_index("item")["make_or_buy"].astype("object").str.lower() if "make_or_buy" in items else pd.Series(dtype=object)
    sold = plan.groupby("item")[["consensus", "revenue"]].sum()
    asked = set(sold.index[sold["consensus"] > 0])
    wrong = ~(routings["hours_per_unit"] > 0)
    _tell(found, "routings", "routing_hours", "hours_per_unit", routings[wrong], len(routings), ["item", "resource"], sold["revenue"])
    good = routings[~wrong & (routings["item"].map(kind) != "buy")]
    lacking = pd.DataFrame({"item": sorted(asked & set(kind.index[kind == "make"]) - set(good["item"]))})
    _tell(found, "routings", "routing_missing", "item", lacking, max(len(asked), 1), ["item"], sold["revenue"])
    bad = ~(capacity["available_hours"] >= 0) | (capacity["overtime_hours"] < 0)
    _tell(found, "capacity", "capacity_hours", "available_hours", capacity[bad], len(capacity), ["resource", "month"], None)
    left = capacity[~bad]
    for rate in ("cost_rate", "overtime_rate"):  # paid for by the hour worked, overtime would be worked without need
        below = left[rate] < 0
        _tell(found, "capacity", f"capacity_{rate}", rate, left[below], len(capacity), ["resource", "month"], None)
        left = left.assign(**{rate: left[rate].mask(below)})
    shut = (left["available_hours"] == 0) & left["resource"].isin(good["resource"]) & left["month"].isin(plan["month"])
    _tell(found, "capacity", "capacity_zero", "available_hours", left[shut], len(capacity), ["resource", "month"], None)
    return good, left


def _dark(resources, capacity, months, found):
    """Months of used resources without hours: they do not limit the plan."""
    pairs = pd.MultiIndex.from_product([resources, months], names=["resource", "month"])
    known = pd.MultiIndex.from_frame(capacity[["resource", "month"]])
    dark = pairs.difference(known).to_frame(index=False)
    _tell(found, "capacity", "capacity_unknown", "available_hours", dark, len(pairs), ["resource", "month"], None)


def _tell(found, source, rule, column, rows, of_rows, key, revenue):
    """One finding for the rows of a fault, with the first of them."""
    if rows.empty:
        return
    first = rows.sort_values(key, kind="stable").iloc[0]
    named = " ".join(f"{first[k]:%Y-%m}" if isinstance(first[k], pd.Timestamp) else str(first[k]) for k in key if pd.notna(first[k]))
    amount = 0.0 if revenue is None else float(revenue.reindex(rows["item"].unique()).fillna(0.0).sum())
    told = {"source": source, "column": column, "rows": len(rows), "of_rows": int(of_rows), "amount": round(amount, 2), "first": named}
    found.append({"id": f"{source}-{rule}", "source": source, "rule": f"findings.{rule}", "column": column, "rows": len(rows), "of_rows": int(of_rows), "amount": amount,
                  "share": len(rows) / max(of_rows, 1), "severity": "amber", "first": named, "values": json.dumps(told, ensure_ascii=False, sort_keys=True)})


def _found(rows):
    return frames.conform(pd.DataFrame(rows, columns=frames.SUPPLY_FINDINGS.names), frames.SUPPLY_FINDINGS) if rows else frames.empty(frames.SUPPLY_FINDINGS)
