"""Why no aggregate plan keeps all limits: which limit, which month, by how much, and what would mend it.

Each limit is made elastic in turn: it may be passed, and the sum of what is passed is made as small as it can be. A limit
that is enough on its own is a cure. Where none is, all are made elastic together. Of equal answers the latest months are
taken, since what lies before them is needed too.

source  Chinneck, Feasibility and Infeasibility in Optimization (2008), elastic programmes
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from sopnb.aggregate_costs import last_stock
from sopnb.aggregate_optimum import OPTIMAL, programme, solve
from sopnb.problems import Problem

# In the order in which they are looked at and told: what is asked for, then what can be had.
LIMITS = ("demand", "overtime_limit", "subcontract_limit", "regular_limit", "people_limit", "backlog_limit", "stock_limit", "least_stock", "end_stock", "end_people")
LOWER = ("demand", "least_stock", "end_stock")  # mended by less of it; the others by more
TINY = 1e-6


def feasible(need, c):
    """Whether any plan keeps all limits."""
    p = programme(need, c)
    return solve(replace(p, price=np.zeros(len(p.price)))).status == OPTIMAL


def explain(need, c):
    """By how much limits must give way.

    need     units by month; c: Costs with arrays by month
    returns  limit × month (place, from 0)   by (units or people), now (the limit as it stands), alone (this limit is enough)

    A limit that is enough alone stands with all its months; the rows of `alone` False belong together.
    Empty where a plan keeps all limits.
    """
    if feasible(need, c):
        return _rows([])
    alone = [(limit, _least(need, c, (limit,))) for limit in LIMITS]
    found = [(limit, values[limit], True) for limit, values in alone if values is not None]
    if not found:
        together = _least(need, c, LIMITS) or {}
        found = [(limit, values, False) for limit, values in together.items()]
    now = _as_they_are(need, c)
    return _rows([(limit, m, float(by), float(now[limit][m]), alone) for limit, values, alone in found for m, by in enumerate(values) if by > TINY])


def problem(need, c, months, where="costs") -> Problem:
    """The same as one sentence with its remedy, for a person who called with these numbers."""
    told = explain(need, c)
    cures = [(limit, rows) for limit, rows in told.groupby("limit", sort=False)]
    limit, rows = cures[0]  # the nearest to what is asked for
    wrong = f"no plan keeps all limits: {_passed(limit, rows, months)}"
    ways = [_mend(limit, rows, months) for limit, rows in cures]
    joined = ("Any one of these is enough: " if told["alone"].all() else "All of these are needed: ") + "; ".join(ways)
    return Problem(where, wrong, remedy=joined)


def _passed(limit, rows, months):
    much = ", ".join(f"{r['by']:,.6g} {_unit(limit)} in {_named(months, r['month'])}" for r in rows.to_dict("records"))
    if limit == "demand":
        return f"of demand, {much} can neither be made, nor bought, nor owed"
    return f"{limit} would be passed by {much}"


def _mend(limit, rows, months):
    word = "less" if limit in LOWER else "more or fewer" if limit == "end_people" else "more"
    return f"{limit} " + ", ".join(f"{r['by']:,.6g} {_unit(limit)} {word} in {_named(months, r['month'])}" for r in rows.to_dict("records"))


def _unit(limit):
    return "people" if limit in ("people_limit", "end_people") else "units"


def _named(months, place):
    month = months[int(place)]
    return f"{month:%Y-%m}" if isinstance(month, pd.Timestamp) else str(month)


def _rows(rows):
    out = pd.DataFrame(rows, columns=["limit", "month", "by", "now", "alone"])
    return out.astype({"month": "int64", "by": "float64", "now": "float64", "alone": "bool"})


def _as_they_are(need, c):
    """Each limit as it stands, by month."""
    n = len(need)
    floor = last_stock(c)
    return {"demand": need, "overtime_limit": np.where(np.isfinite(c.overtime_cost), c.overtime_limit, 0.0),
            "subcontract_limit": np.where(np.isfinite(c.subcontract_cost), c.subcontract_limit, 0.0), "regular_limit": c.regular_limit,
            "people_limit": c.people_limit, "backlog_limit": np.where(np.isfinite(c.backlog_cost), c.backlog_limit, 0.0), "stock_limit": c.stock_limit,
            "least_stock": floor, "end_stock": np.full(n, floor[-1]), "end_people": np.full(n, math.nan if c.end_people is None else c.end_people)}


def _least(need, c, limits):
    """The least by which these limits must be passed, by limit and month; None where passing them does not help.

    Every bound of a limit becomes a row with a column of slack: flow − slack ≤ bound, or −flow − slack ≤ −bound.
    """
    n, p = len(need), programme(need, c)
    wide, slacks = len(p.price), len(limits) * len(need)
    low, high = np.append(p.low, np.zeros(slacks)), np.append(p.high, np.zeros(slacks))
    equal = np.hstack([p.equal, np.zeros((len(p.equal), slacks))])
    below = [np.hstack([p.below, np.zeros((len(p.below), slacks))])]
    below_of = list(p.below_of)
    for k, limit in enumerate(limits):
        for m, flow, side, bound in _bounds_of(limit, need, c):
            slack = wide + k * n + m
            high[slack] = bound if limit in LOWER else math.inf
            if limit == "demand":
                equal[p.rows["balance"].start + m, slack] = 1.0
                continue
            if limit == "overtime_limit":  # what a person may add gives way with it
                below[0][p.rows["overtime"].start + m, slack] = -1.0
            sign = 1.0 if side == "most" else -1.0
            (high if side == "most" else low)[p.unit[flow].start + m] = _still(limit, limits, m, c) if side == "most" else 0.0
            if math.isfinite(bound):
                row = np.zeros((1, wide + slacks))
                row[0, p.unit[flow].start + m], row[0, slack] = sign, -1.0
                below.append(row)
                below_of.append(sign * bound)
    later = np.tile(1 + 1e-3 * np.arange(n, 0, -1) / n, len(limits))
    solved = solve(replace(p, price=np.append(np.zeros(wide), later), equal=equal, below=np.vstack(below), below_of=np.array(below_of), low=low, high=high,
                           whole=np.append(p.whole, np.zeros(slacks))))
    if solved.status != OPTIMAL:
        return None
    return dict(zip(limits, np.round(solved.x[wide:].reshape(len(limits), n), 6), strict=True))


def _still(limit, limits, m, c):
    """What bounds a flow from above once a limit may be passed: people of the last month have two limits."""
    if limit == "people_limit" and c.end_people is not None and m == len(c.people_limit) - 1 and "end_people" not in limits:
        return c.end_people
    return c.people_limit[m] if limit == "end_people" and "people_limit" not in limits else math.inf


def _bounds_of(limit, need, c):
    """The bounds that make up a limit: month, flow, side (most or least), bound."""
    n, floor = len(need), last_stock(c)
    if limit == "end_people":
        return [] if c.end_people is None else [(n - 1, "people", "most", c.end_people), (n - 1, "people", "least", c.end_people)]
    flow, side, bounds, months = {
        "demand": ("lost", "most", need + max(-c.opening_stock, 0.0) * (np.arange(n) == 0), range(n)),
        "overtime_limit": ("overtime", "most", np.where(np.isfinite(c.overtime_cost), c.overtime_limit, 0.0), range(n)),
        "subcontract_limit": ("subcontract", "most", np.where(np.isfinite(c.subcontract_cost), c.subcontract_limit, 0.0), range(n)),
        "regular_limit": ("regular", "most", c.regular_limit, range(n)),
        "people_limit": ("people", "most", c.people_limit, range(n)),
        "backlog_limit": ("backlog", "most", np.where(np.isfinite(c.backlog_cost), c.backlog_limit, 0.0), range(n - 1)),
        "stock_limit": ("stock", "most", c.stock_limit, range(n)),
        "least_stock": ("stock", "least", floor, range(n - 1)),
        "end_stock": ("stock", "least", floor, range(n - 1, n)),
    }[limit]
    return [(m, flow, side, float(bounds[m])) for m in months]
