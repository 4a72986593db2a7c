"""Level, chase and hybrid: aggregate plans by rule, and what any plan's people and output lead to.

All take demand as an array and `Costs` with arrays by month, as `aggregate_costs.given` returns them.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sopnb.aggregate_costs import costs_of, last_stock, overtime_most

TINY = 1e-6  # units and people below which a limit is kept
NEAR = 1e-9


def settle(need, c, people, regular, overtime=0.0, subcontract=0.0):
    """The month table that follows from people and output: hires, lay-offs, stock, and what is owed or lost.

    returns  FLOWS by month

    A month balances: opening stock − opening backlog + regular + overtime + subcontract + lost = demand + stock − backlog.
    What cannot be served waits where a backlog is allowed, up to backlog_limit; the rest is lost where sales may be lost.
    Where neither is allowed it waits, and `broken` says so. In the last month it is lost, if it may be.
    """
    months = len(need)
    people, regular, overtime, subcontract = (np.broadcast_to(np.asarray(v, dtype="float64"), months).copy() for v in (people, regular, overtime, subcontract))
    change = np.diff(np.concatenate([[people[0] if c.opening_people is None else c.opening_people], people]))
    stock, backlog, lost = np.zeros(months), np.zeros(months), np.zeros(months)
    before = c.opening_stock
    for m in range(months):
        after = before + regular[m] + overtime[m] + subcontract[m] - need[m]
        owed = max(-after, 0.0)
        lost[m] = max(owed - _may_wait(c, m, months), 0.0) if math.isfinite(c.lost_cost[m]) else 0.0
        stock[m], backlog[m] = max(after, 0.0), owed - lost[m]
        before = stock[m] - backlog[m]
    flows = {"people": people, "hires": np.maximum(change, 0), "layoffs": np.maximum(-change, 0), "regular": regular, "overtime": overtime,
             "subcontract": subcontract, "stock": stock, "backlog": backlog, "lost": lost}
    return {name: np.round(values, 9) + 0.0 for name, values in flows.items()}  # no dust, and no zero below zero


def _may_wait(c, m, months):
    """Units that may be owed at the end of a month."""
    return c.backlog_limit[m] if math.isfinite(c.backlog_cost[m]) and m < months - 1 else 0.0


def rule(name, need, c):
    """The flows of a strategy by rule: level, chase or hybrid."""
    return {"level": level, "chase": chase, "hybrid": hybrid}[name](need, c)


# --- level ------------------------------------------------------------------------------------------------------------

def level(need, c):
    """The same people every month; stock, and where it is allowed backlog, take the difference."""
    output = np.ones(len(need)) if c.level == "output" else c.units_per_worker  # of one person, or one unit of a rate
    rate = _rate(need, c, output)
    if c.level == "output":
        wanted = np.divide(rate, c.units_per_worker, out=np.zeros(len(need)), where=c.units_per_worker > 0).max()
    else:
        wanted = rate
    people = min(_whole(wanted, c), c.people_limit.min())
    most = np.minimum(people * c.units_per_worker, c.regular_limit)
    total = max(need.sum() + last_stock(c)[-1] - c.opening_stock, 0.0)
    plan = most if c.full_output else np.minimum(rate * output, most if c.rounding == "up" else c.regular_limit)
    regular, before = np.zeros(len(need)), c.opening_stock
    for m in range(len(need)):
        room = c.stock_limit[m] + need[m] - before
        regular[m] = max(min(plan[m], room, math.inf if c.full_output else total - regular[:m].sum()), 0.0)
        before += regular[m] - need[m]
    return settle(need, c, np.full(len(need), people), regular)


def _rate(need, c, output):
    """The steady rate: enough for all months together, or for each run of months on its own."""
    floor = last_stock(c)
    goal = c.level_for or ("average" if np.isfinite(c.backlog_cost).all() else "peak")
    if goal == "average":
        return max(need.sum() + floor[-1] - c.opening_stock, 0.0) / output.sum()
    before = np.concatenate([[c.opening_stock], c.stock_limit[:-1]])
    best = 0.0
    for first in range(len(need)):  # what months first … last must make between them, beyond the most stock they can open with
        made = np.cumsum(output[first:])
        short = np.cumsum(need[first:]) + floor[first:] - before[first]
        best = max(best, float(np.max(np.divide(short, made, out=np.zeros(len(made)), where=made > 0))))
    return best


def _whole(people, c):
    people = np.maximum(people, 0.0)
    if not c.whole_people:
        return people
    return np.ceil(people - NEAR) if c.rounding == "up" else np.floor(people + 0.5)


# --- chase ------------------------------------------------------------------------------------------------------------

def chase(need, c):
    """As many people as each month needs; where they cannot be had, overtime, then subcontracting, then waiting."""
    months, floor = len(need), last_stock(c)
    if c.chase_stock == "kept":
        floor[:-1] = np.maximum(floor[:-1], min(c.opening_stock, floor[-1]))
    out = {name: np.zeros(months) for name in ("people", "regular", "overtime", "subcontract")}
    planned, owed = c.opening_stock, 0.0
    for m in range(months):
        wanted = max(need[m] + floor[m] - planned, 0.0) + owed
        planned = max(planned - need[m], floor[m])
        a_person = c.units_per_worker[m]
        people = min(float(_whole(wanted / a_person if a_person > 0 else 0.0, c)), c.people_limit[m])
        if m == months - 1 and c.end_people is not None:
            people = max(people, c.end_people)
        most = min(people * a_person, c.regular_limit[m])
        if c.rounding == "nearest" and people < c.people_limit[m]:
            most = min(wanted, c.regular_limit[m])
        regular = most if c.full_output else min(wanted, most)
        short = max(wanted - regular, 0.0)
        overtime = min(short, overtime_most(people, c)[m])
        bought = min(short - overtime, c.subcontract_limit[m]) if math.isfinite(c.subcontract_cost[m]) else 0.0
        owed = short - overtime - bought
        if math.isfinite(c.lost_cost[m]):
            owed = min(owed, _may_wait(c, m, months))
        out["people"][m], out["regular"][m], out["overtime"][m], out["subcontract"][m] = people, regular, overtime, bought
    return settle(need, c, **out)


# --- hybrid -----------------------------------------------------------------------------------------------------------

def hybrid(need, c):
    """Steady people, by default the number that costs least; overtime, then subcontracting, serve the peaks."""
    if c.hybrid_people is not None:
        return steady(need, c, c.hybrid_people)
    per_person = c.units_per_worker[c.units_per_worker > 0].min()
    top = math.ceil(max(need.max() + last_stock(c).max() - min(c.opening_stock, 0.0), 1.0) / per_person) + 1
    limit = c.people_limit.min()
    top = math.floor(limit + NEAR) if limit < top else top
    stride = max(math.ceil(top / 100), 1)
    near = _cheapest(need, c, np.arange(0, top + stride, stride).clip(max=top))
    best = _cheapest(need, c, np.arange(max(near - stride, 0), min(near + stride, top) + 1))
    for step in () if c.whole_people else (0.02, 0.0004):  # between whole numbers, twice as fine each time
        best = _cheapest(need, c, np.clip(best + step * np.arange(-50, 51), 0.0, limit))
    return steady(need, c, best)


def _cheapest(need, c, numbers):
    """The number of people that leaves least undone, and of those the one with the least cost."""
    found = []
    for people in numbers:
        flows = steady(need, c, people)
        undone = sum(np.maximum(by, 0.0).sum() for by in _over(need, flows, c).values())
        found.append((round(float(undone), 6), round(float(sum(term.sum() for term in costs_of(flows, c).values())), 6)))
    return float(numbers[min(range(len(found)), key=found.__getitem__)])


def steady(need, c, people):
    """Steady people, working only as much as is needed in time (all they can with full_output); then overtime, then buying in."""
    months, floor = len(need), last_stock(c)
    most = np.minimum(people * c.units_per_worker, c.regular_limit)
    more = overtime_most(people, c)
    wanted = need + np.diff(np.concatenate([[0.0], floor]))
    # what must be ready early because later months need more than their own regular hours, as far as there is room for it
    early = np.zeros(months + 1)
    for m in range(months - 1, 0, -1):
        early[m] = min(max(wanted[m] + early[m + 1] - most[m], 0.0), max(c.stock_limit[m - 1] - floor[m - 1], 0.0))
    regular, overtime, bought = np.zeros(months), np.zeros(months), np.zeros(months)
    stock = c.opening_stock
    for m in range(months):
        regular[m] = most[m] if c.full_output else min(most[m], max(wanted[m] + early[m + 1] - stock, 0.0))
        short = max(wanted[m] - stock - regular[m], 0.0)
        overtime[m] = min(short, more[m])
        bought[m] = min(short - overtime[m], c.subcontract_limit[m]) if math.isfinite(c.subcontract_cost[m]) else 0.0
        stock += regular[m] + overtime[m] + bought[m] - wanted[m]
        if stock < 0 and math.isfinite(c.lost_cost[m]) and math.isinf(c.backlog_cost[m]):
            stock = 0.0  # what is lost need not be made later
    return settle(need, c, np.full(months, float(people)), regular, overtime, bought)


# --- which limits a plan breaks ---------------------------------------------------------------------------------------

def broken(need, flows, c):
    """Limits that a plan does not keep: a rule follows itself, not the limits.

    returns  limit × month (place, from 0)   by (units or people)
    """
    rows = [(limit, m, float(by)) for limit, values in _over(need, flows, c).items() for m, by in enumerate(values) if by > TINY]
    return pd.DataFrame(rows, columns=["limit", "month", "by"])


def _over(need, flows, c):
    """By how much each limit is passed, by month; zero or less where it is kept."""
    floor, last = last_stock(c), np.arange(len(need)) == len(need) - 1
    owed = np.where(np.isfinite(c.backlog_cost) & ~last, c.backlog_limit, 0.0)
    by_hand = 0.5 * c.units_per_worker if c.rounding == "nearest" and c.whole_people else 0.0  # what rounding down leaves out
    over = {
        "regular": flows["regular"] - flows["people"] * c.units_per_worker - by_hand, "regular_limit": flows["regular"] - c.regular_limit,
        "overtime_limit": flows["overtime"] - overtime_most(flows["people"], c), "people_limit": flows["people"] - c.people_limit,
        "subcontract_limit": flows["subcontract"] - np.where(np.isfinite(c.subcontract_cost), c.subcontract_limit, 0.0),
        "stock_limit": flows["stock"] - c.stock_limit, "least_stock": np.where(last, 0.0, floor - flows["stock"]),
        "end_stock": np.where(last, floor - flows["stock"], 0.0), "backlog_limit": flows["backlog"] - owed,
        "lost": np.where(np.isfinite(c.lost_cost), 0.0, flows["lost"])}
    if c.end_people is not None:
        over["end_people"] = np.where(last, np.abs(flows["people"] - c.end_people), 0.0)
    return over
