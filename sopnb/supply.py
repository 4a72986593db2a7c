"""What can be done about what needs a decision: answers with their money.

The exceptions themselves are made in `exceptions`; they are offered here too, so that a notebook needs one name.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import cures as curing
from sopnb import frames
from sopnb.exceptions import (
    INSIDE,
    NONE,
    SERIES,
    as_json,
    beyond,
    by_kind,
    exceptions,
    largest_groups,
    ranked,
    window_end,
    worth_of,
)

__all__ = ["beyond", "by_kind", "exceptions", "largest_groups", "options", "ranked", "window_end"]

LONGEST = 60.0  # months after which stock that hardly moves is taken as carried long enough
NOTHING = ("ration", "ration_loss", "wait", "wait_loss", "carry", "keep")  # the answers that leave things as they are: always shown, since they are the measure


# --- answers --------------------------------------------------------------------------------------------------------
# One scale for all: net = gains − costs.
#     overload, short   gains = the margin at stake;  costs = what is spent, and the margin of what is still not served;
#                       where goods sell below cost, gains = the loss that is avoided on what is not served
#     excess            gains = 0;                    costs = carrying it, or the price given away
#     obsolete          gains = the money recovered;  costs = the book value given up, and what keeping it costs
# So doing nothing about an overload has a net of 0: all of its margin is lost. No cost is below 0. Late open orders get no options: what they
# endanger is the shortage they cause, and that has its own.

def options(exceptions, projection, items, *, plan, load=None, receipts=None, history=None, holding_rate=0.20, subcontract_premium=0.15,
            shift_discount=0.05, expedite_premium=0.10, transfer_cost=0.05, promotion_discount=0.20, clearance_discount=0.50, excess_months=6.0,
            places=None):
    """Answers to the exceptions given, usually those of `supply.largest_groups`.

    exceptions  EXCEPTIONS; those of one group are answered together
    projection  item × location × month   closing, safety_stock, demand (units)
    items       item                      unit_cost, unit_price
    plan        item × location × month   consensus, revenue, margin: what a unit brings
    load        resource × month          LOAD, for overloads
    receipts    order × item × location   quantity: open orders that could be stopped
    history     item × month              demand_raw, returns (units), revenue (money): the price last paid, where none is planned
    rates       holding_rate a year, the others once; all of unit cost, discounts of price
    places      location: its name, for the answers in words
    returns     OPTIONS, `exception` being the group; lettered by net, the highest first and recommended (of equals the
                first named below), the answer that leaves things as they are last unless it is the best

    overload:  each cure of `cures` alone (overtime, pull forward, shift to a later month at a discount, subcontract), the
               cheapest mix of them where it beats each alone, ration: losing the margin
    short:     expedite, at a premium on cost;  transfer what another location can spare, at its cost;  wait, losing the margin
    excess:    carry until sold;  stop open orders;  promote at a discount
    obsolete:  clear at a discount;  write off;  keep for another year, and write off then

    The answers of a group are the sums of its members' answers. A member to which an answer is not open (nothing is on
    order that could be stopped) is left as it is.
    """
    worth = worth_of(plan, items, history)
    mean = projection.groupby(SERIES)["demand"].mean()
    on_order = None if receipts is None else receipts.groupby(SERIES)["quantity"].sum()
    cured = None if load is None else curing.cures(load, holding_rate=holding_rate, subcontract_premium=subcontract_premium, shift_discount=shift_discount)
    rows: list[dict] = []
    for group, members in exceptions.groupby("group", sort=True):
        answers = []
        for e in members.to_dict("records"):
            if e["kind"] == "overload" and load is not None:
                found = _for_overload(e, load, cured)
            elif e["kind"] == "short":
                found = _for_short(e, projection, plan, worth, expedite_premium, transfer_cost, places or {})
            elif e["kind"] == "excess":
                found = _for_excess(e, mean, worth, on_order, holding_rate, promotion_discount, excess_months)
            elif e["kind"] == "obsolete":
                found = _for_obsolete(e, worth, clearance_discount, holding_rate, asked=history is not None)
            else:
                found = []
            answers.append(found)
        rows += _lettered(group, [_by_list(one) for one in _together(answers)])
    if not rows:
        return frames.empty(frames.OPTIONS)
    return frames.conform(pd.DataFrame(rows)[frames.OPTIONS.names], frames.OPTIONS)


def _together(answers):
    """The answers to each member as answers to all: sums; who lacks an answer stays as it is."""
    if len(answers) == 1:
        return answers[0]
    titles = list(dict.fromkeys(one["title"] for found in answers for one in found))
    out = []
    for title in titles:
        chosen = [next((one for one in found if one["title"] == title), _as_it_is(found)) for found in answers]
        chosen = [one for one in chosen if one is not None]
        taking = [one["told"] for one in chosen if one["title"] == title]
        told = {**taking[0], "units": sum(one["units"] for one in taking), "count": len(taking)}
        if "listed" in told:
            told["listed"] = sum(one["listed"] for one in taking)
        sums = {name: sum(one[name] for one in chosen) for name in ("keeps", "gains", "costs", "net")}
        out.append({"title": title, "told": told, **sums, "service": float("nan")})
    return out


def _by_list(answer):
    """A price nobody ever paid is said to be one."""
    return {**answer, "title": answer["title"] + "_listed"} if answer["told"].get("listed", 0.0) > NONE else answer


def _as_it_is(found):
    return next((one for one in found if one["title"].removeprefix("options.") in NOTHING), None)


def _answer(title, *, gains, costs, keeps=0.0, service=float("nan"), **told):
    return {"title": f"options.{title}", "told": told, "keeps": keeps, "gains": gains, "costs": costs, "net": gains - costs, "service": service}


def _lettered(group, found):
    """A, B, …: the highest net first and recommended; what leaves things as they are last, unless it is the best."""
    def place(i):
        return -round(found[i]["net"], 2), i

    order = sorted(range(len(found)), key=place)
    order = order[:1] + sorted(order[1:], key=lambda i: (found[i] is _as_it_is(found), place(i)))
    return [{"exception": group, "option": chr(ord("A") + n), "recommended": n == 0, **found[i], "values": as_json(found[i]["told"])}
            for n, i in enumerate(order)]


# --- overload -------------------------------------------------------------------------------------------------------

def _for_overload(e, load, cured):
    """Every answer covers some of the hours in each month; what it leaves uncovered loses its margin, or avoids its loss."""
    ours = load[(load["resource"] == e["resource"]) & load["month"].between(e["first"], e["last"])].set_index("month")
    hours = ours["overload"].fillna(0.0)
    rate = {name: (ours[name] / ours["hours"]).fillna(0.0) for name in ("revenue", "margin")}
    margin, loss = rate["margin"].clip(lower=0.0), (-rate["margin"]).clip(lower=0.0)
    at_stake, total = float((hours * margin).sum()), float(ours["hours"].sum())
    mine = cured[(cured["resource"] == e["resource"]) & cured["month"].between(e["first"], e["last"])]
    found = []
    for title, rows in [*mine[mine["way"] == "alone"].groupby("cure", sort=False), *_mixed(mine), ("ration", mine.iloc[:0])]:
        covered = rows.groupby("month")["hours"].sum().reindex(hours.index).fillna(0.0)
        if title != "ration" and covered.sum() <= NONE:
            continue
        left = hours - covered
        avoided = float((left * loss).sum())
        by_loss = {"loss": avoided} if title == "ration" and avoided > at_stake else {}
        told = {"hours": float(left.sum() if title == "ration" else covered.sum())}
        if title == "mix":
            told |= {name: float(rows.loc[rows["cure"] == name, "hours"].sum()) for name in curing.CURES[:-1]}
        found.append(_answer(title + ("_loss" if by_loss else ""), gains=at_stake + avoided, costs=float(rows["cost"].sum()) + float((left * margin).sum()),
                             keeps=float((covered * rate["revenue"]).sum()), service=1 - float(left.sum()) / total, **told, **by_loss))
    return _unless_alone(found)


def _mixed(mine):
    """The cheapest mix, where it is one: of two cures at least."""
    rows = mine[(mine["way"] == "mix") & (mine["cure"] != "ration")]
    return [("mix", rows)] if rows["cure"].nunique() > 1 else []


def _unless_alone(found):
    """Without the mix where one cure alone costs no more."""
    mix = next((one for one in found if one["title"] == "options.mix"), None)
    if mix is not None and any(one["net"] >= mix["net"] - 0.01 for one in found if one is not mix):
        return [one for one in found if one is not mix]
    return found


# --- short ----------------------------------------------------------------------------------------------------------

def _for_short(e, projection, plan, worth, expedite_premium, transfer_cost, places):
    price, margin, cost = _money_of(e, worth)
    units, sold = e["units"], e["item"] in worth.index and bool(worth.loc[e["item"], "sold"]) and e["because"] != INSIDE
    now = e["amount"] / units if units > NONE else price  # what customers pay in its month
    price, margin = (now, margin + now - price) if sold else (cost, 0.0)
    ours, wanted = (_of(plan, e), "consensus") if sold else (_of(projection, e), "demand")
    asked = ours.loc[(ours["month"] >= e["first"]) & (ours["month"] <= e["last"]), wanted].sum()
    asked = max(float(asked), units)
    loss, margin = max(-margin, 0.0), max(margin, 0.0)
    found = [_answer("expedite", gains=units * margin, costs=units * cost * expedite_premium, keeps=units * price, service=1.0, units=units)]
    source, spare = _donor(e, projection)
    if spare >= 1:
        moved = min(units, spare)
        found.append(_answer("transfer", gains=units * margin + (units - moved) * loss, costs=moved * cost * transfer_cost + (units - moved) * margin,
                             keeps=moved * price, service=1 - (units - moved) / asked, units=moved, source=places.get(source, source)))
    if sold:  # nobody can wait for a component: what is made of it stops
        by_loss = {"loss": units * loss} if loss else {}
        found.append(_answer("wait_loss" if loss else "wait", gains=units * (margin + loss), costs=units * margin, service=1 - units / asked, units=units, **by_loss))
    return found


def _donor(e, projection):
    """The location that can spare most of the item through the shortage without touching its own safety stock."""
    others = projection[(projection["item"] == e["item"]) & (projection["location"] != e["location"]) & (projection["month"] <= e["last"])]
    if others.empty:
        return None, 0.0
    free = (others["closing"] - others["safety_stock"]).groupby(others["location"]).min()
    return free.idxmax(), float(np.floor(max(free.max(), 0.0)))


# --- excess and obsolete --------------------------------------------------------------------------------------------

def _for_excess(e, mean, worth, on_order, holding_rate, promotion_discount, excess_months):
    """Units above the limit wait until the rest is sold, then sell at the mean of the plan: half of that time each."""
    price, _, cost = _money_of(e, worth)
    units, a_month = e["units"], float(mean.get((e["item"], e["location"]), 0.0))
    months = min(excess_months + units / a_month / 2, LONGEST) if a_month > NONE else LONGEST
    carry = units * cost * holding_rate / 12 * months
    found = [_answer("carry", gains=0.0, costs=carry, units=units)]
    open_units = 0.0 if on_order is None else float(on_order.get((e["item"], e["location"]), 0.0))
    if open_units > NONE:
        stopped = min(units, open_units)
        found.append(_answer("stop_orders", gains=0.0, costs=carry * (1 - stopped / units), units=stopped))
    if price > 0:
        found.append(_answer("promote", gains=0.0, costs=units * price * promotion_discount, keeps=units * price * (1 - promotion_discount),
                             units=units, discount=promotion_discount))
    return found


def _for_obsolete(e, worth, clearance_discount, holding_rate, *, asked=False):
    price, _, cost = _money_of(e, worth)
    units, found = e["units"], []
    recovered = units * price * (1 - clearance_discount)
    if recovered > 0:
        listed = 0.0 if not asked or worth.loc[e["item"], "paid"] else units
        found.append(_answer("clear", gains=recovered, costs=units * cost, keeps=recovered, units=units, discount=clearance_discount, listed=listed))
    found.append(_answer("write_off", gains=0.0, costs=units * cost, units=units))
    found.append(_answer("keep", gains=0.0, costs=units * cost * (1 + holding_rate), units=units))
    return found


def _money_of(e, worth):
    if e["item"] not in worth.index:
        return 0.0, 0.0, 0.0
    row = worth.loc[e["item"]]
    return float(row["price"]), float(row["margin"]), float(row["cost"])


def _of(table, e):
    return table[(table["item"] == e["item"]) & (table["location"] == e["location"])]
