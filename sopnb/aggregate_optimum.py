"""The cheapest aggregate plan there is, by linear programming (mixed integer with whole people), and what its limits are worth.

Unknowns, month by month: FLOWS. HiGHS stops on the gap, never on time, so the same input gives the same plan.
All functions take demand as an array and `Costs` with arrays by month, as `aggregate_costs.given` returns them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sopnb.aggregate_costs import FLOWS, finite, last_stock

GAP = 1e-9  # of the cost, at which the search over whole people stops: to the cent for any plan of a few millions
OPTIMAL, INFEASIBLE = 0, 2  # what HiGHS says, by scipy's numbers


@dataclass(frozen=True)
class Programme:
    """A linear programme in the order of FLOWS, month by month: minimise price · x + constant.

    `rows` and `unit` say where the blocks that `programme` lists stand.
    """

    price: np.ndarray
    constant: float
    equal: np.ndarray
    equal_to: np.ndarray
    below: np.ndarray
    below_of: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    rows: dict[str, slice]  # rows of `equal` and of `below` by block
    unit: dict[str, slice]  # columns by flow


def optimum(need, c):
    """The cheapest plan.

    returns  FLOWS by month and `shadow`: money saved by one more unit of regular capacity in the month; None where there
             is no plan within the limits

    With whole people the values are those of the plan with fractions of people: an integer programme has none of its own.
    """
    solved = solve(programme(need, c))
    if solved.status != OPTIMAL:
        return None
    unit = _columns(len(need))
    out = {name: np.round(solved.x[unit[name]], 9) + 0.0 for name in FLOWS}
    return {**out, "shadow": marginals(need, c)["regular"]}


def marginals(need, c):
    """What one more unit of each limit is worth in the plan with fractions of people, by month; no prices where nothing binds.

    returns  dict of arrays by month (money a unit):
             regular, overtime_limit, regular_limit, subcontract_limit, stock_limit   saved by one more unit of the limit
             demand        what one more unit of demand costs
             end_stock     what one more unit of closing stock costs (last month; else missing)
             people_limit  saved by one more person allowed (money a person)
    """
    p = programme(need, replace(c, whole_people=False))
    solved = solve(p)
    if solved.status != OPTIMAL:
        return None

    def bound(name, side):
        return -getattr(solved, side).marginals[p.unit[name]] + 0.0

    lower = solved.lower.marginals[p.unit["stock"]]
    room = solved.ineqlin.marginals[p.rows["idle"]] if "idle" in p.rows else 0.0
    out = {"regular": room - solved.ineqlin.marginals[p.rows["capacity"]], "overtime": -solved.ineqlin.marginals[p.rows["overtime"]],
           "overtime_limit": bound("overtime", "upper"), "regular_limit": bound("regular", "upper"), "subcontract_limit": bound("subcontract", "upper"),
           "stock_limit": bound("stock", "upper"), "people_limit": bound("people", "upper"), "demand": solved.eqlin.marginals[p.rows["balance"]],
           "end_stock": np.where(np.arange(len(need)) == len(need) - 1, lower, math.nan)}
    return {name: np.round(values, 6) + 0.0 for name, values in out.items()}


def solve(p: Programme) -> Any:
    """What HiGHS makes of a programme."""
    from scipy.optimize import OptimizeResult, linprog

    whole = bool(p.whole.any())
    if (p.low > p.high).any():
        return OptimizeResult(status=INFEASIBLE, x=None)
    return linprog(p.price, A_ub=p.below, b_ub=p.below_of, A_eq=p.equal, b_eq=p.equal_to, bounds=np.column_stack([p.low, p.high]),
                   integrality=p.whole if whole else None, method="highs", options={"mip_rel_gap": GAP} if whole else None)


def programme(need, c) -> Programme:
    """The programme of an aggregate plan.

    balance    regular + overtime + subcontract + lost + stock₋₁ − backlog₋₁ − stock + backlog = demand, every month
    staff      people − people₋₁ − hires + layoffs = 0, every month
    capacity   regular − units_per_worker × people ≤ 0
    overtime   overtime − overtime_share × units_per_worker × people ≤ 0
    owed       lost − backlog₋₁ ≤ demand: only what is asked for can be lost
    idle       units_per_worker × people − regular ≤ 0, with full_output
    """
    n = len(need)
    unit = _columns(n)
    price, constant = _prices(c, n, unit)
    low, high = _bounds(need, c, n, unit)
    eye, lag, first = np.eye(n), np.eye(n, k=-1), np.eye(1, n)[0]
    balance = _block(n, unit, regular=eye, overtime=eye, subcontract=eye, lost=eye, stock=lag - eye, backlog=eye - lag)
    staff = _block(n, unit, people=eye - lag, hires=-eye, layoffs=eye)
    there = 0.0 if c.opening_people is None else c.opening_people
    if c.opening_people is None:  # the first month's people come from nowhere, and cost nothing to get
        staff = staff[1:]
    share = finite(c.overtime_share)
    tied = np.isfinite(c.overtime_share)
    blocks = {"capacity": _block(n, unit, regular=eye, people=-np.diag(c.units_per_worker)),
              "overtime": _block(n, unit, overtime=np.diag(tied.astype(float)), people=-np.diag(c.units_per_worker * share)),
              "owed": _block(n, unit, lost=eye, backlog=-lag)}
    if c.full_output:
        blocks["idle"] = -blocks["capacity"]
    below_of = np.zeros(len(blocks) * n)
    below_of[2 * n: 3 * n] = need + max(-c.opening_stock, 0.0) * first
    whole = np.zeros(len(price))
    if c.whole_people:
        whole[unit["people"]] = 1
    rows = {"balance": slice(0, n), "staff": slice(n, n + len(staff)), **{name: slice(i * n, (i + 1) * n) for i, name in enumerate(blocks)}}
    return Programme(price, constant, np.vstack([balance, staff]), np.concatenate([need - c.opening_stock * first, (there * first)[-len(staff):] if len(staff) else []]),
                     np.vstack(list(blocks.values())), below_of, low, high, whole, rows, unit)


def _columns(n):
    return {name: slice(i * n, (i + 1) * n) for i, name in enumerate(FLOWS)}


def _prices(c, n, unit):
    """Cost of every unknown, and what is paid whatever the plan."""
    price, constant = np.zeros(len(FLOWS) * n), 0.0
    a_unit = np.divide(c.regular_cost, c.units_per_worker, out=np.zeros(n), where=c.units_per_worker > 0)
    price[unit["people"]] = c.regular_cost if c.paid_for == "people" else 0.0
    price[unit["regular"]] = c.material_cost + (a_unit if c.paid_for == "output" else 0.0)
    price[unit["hires"]], price[unit["layoffs"]] = c.hire_cost, c.layoff_cost
    price[unit["overtime"]] = finite(c.overtime_cost) + c.material_cost
    price[unit["subcontract"]], price[unit["backlog"]], price[unit["lost"]] = finite(c.subcontract_cost), finite(c.backlog_cost), finite(c.lost_cost)
    held = c.holding_cost.copy()
    if c.holding_on == "average":  # half of a month's stock is the next month's opening
        held = (c.holding_cost + np.append(c.holding_cost[1:], 0.0)) / 2
        constant = c.holding_cost[0] * max(c.opening_stock, 0.0) / 2
    elif c.holding_on == "excess":
        constant = -float(np.dot(c.holding_cost, c.least_stock))
    price[unit["stock"]] = held
    return price, constant


def _bounds(need, c, n, unit):
    """What each unknown can be. The last month owes nothing; a month that must have stock owes nothing either."""
    low, high = np.zeros(len(FLOWS) * n), np.full(len(FLOWS) * n, math.inf)
    floor = last_stock(c)
    low[unit["stock"]] = floor
    high[unit["stock"]] = c.stock_limit
    high[unit["people"]], high[unit["regular"]] = c.people_limit, c.regular_limit
    high[unit["overtime"]] = np.where(np.isfinite(c.overtime_cost), c.overtime_limit, 0.0)
    high[unit["subcontract"]] = np.where(np.isfinite(c.subcontract_cost), c.subcontract_limit, 0.0)
    high[unit["backlog"]] = np.where(np.isfinite(c.backlog_cost) & (c.least_stock <= 0), c.backlog_limit, 0.0)
    high[unit["backlog"].stop - 1] = 0.0
    high[unit["lost"]] = np.where(np.isfinite(c.lost_cost), math.inf, 0.0)
    if c.end_people is not None:
        last = unit["people"].stop - 1
        low[last], high[last] = c.end_people, min(high[last], c.end_people)
    return low, high


def _block(n, unit, **parts):
    out = np.zeros((n, len(unit) * n))
    for name, part in parts.items():
        out[:, unit[name]] = part
    return out


def table(values, months, hours_per_unit=None):
    """Marginal values as a table.

    returns  what × month   value (money), unit (unit, hour or person)
    """
    parts = [pd.DataFrame({"what": name, "month": months, "value": array, "unit": "person" if name == "people_limit" else "unit"})
             for name, array in values.items()]
    if hours_per_unit:
        parts.append(pd.DataFrame({"what": "hour", "month": months, "value": values["regular"] / hours_per_unit, "unit": "hour"}))
    return pd.concat(parts, ignore_index=True).dropna(subset="value").reset_index(drop=True)
