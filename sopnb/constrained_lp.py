"""The programme behind the constrained plan: items × months × resources, in sparse matrices, solved by HiGHS.

    made     units made of an item in a month        reserve   units there at month end, up to the safety stock
    more     units there at month end beyond it      late      units owed at month end
    lost     units of demand never served            overtime  hours of overtime of a resource in a month

balance   stock₋₁ − late₋₁ + made + receipts + lost = demand + stock − late, with stock = reserve + more, every item and month
hours     Σ made × hours_per_unit − overtime ≤ available − ordered, every resource and month whose hours are known

What is made follows from the balance, so it is no unknown of the programme but a row: made ≥ 0. Then all unknowns at zero mean
"make what is asked for when it is asked for", from where the simplex has to mend only the months that lack hours. A unit of
reserve costs what keeping it costs less what it would cost to miss it, so the reserve fills up first and needs no row either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

SLACK = 1e-6  # units by which rounding may pass what the first programme found
BLOCKS = ("more", "lost", "reserve", "late")


@dataclass(frozen=True)
class Case:
    """Items I × months T × resources R, as arrays.

    demand, receipts, safety   I × T (units); opening: I (units, below zero where goods are owed)
    hours      I × R, sparse    hours a unit
    available, overtime        R × T (hours; available is NaN where not known), ordered: hours of open orders
    overtime_rate              R × T (money an hour)
    lost, late, below, holding I (money a unit; late, below and holding a month)
    waits      whether demand may be served late
    """

    demand: np.ndarray
    receipts: np.ndarray
    opening: np.ndarray
    safety: np.ndarray
    hours: sparse.csr_matrix
    available: np.ndarray
    overtime: np.ndarray
    ordered: np.ndarray
    overtime_rate: np.ndarray
    lost: np.ndarray
    late: np.ndarray
    below: np.ndarray
    holding: np.ndarray
    waits: bool


@dataclass(frozen=True)
class Solution:
    """The plan: units I × T by name, overtime hours R × T, its cost, and what one more hour is worth, R × T (money)."""

    units: dict[str, np.ndarray]
    overtime: np.ndarray
    cost: float
    value: np.ndarray
    value_overtime: np.ndarray


def solve(case: Case, *, weight=None) -> Solution:
    """Customers first, by their weights; then the cheapest way to serve them, with safety stock where hours are left.

    weight   by item: how much dearer its lost and late units count

    The first programme, without safety stock and in weighted money, says what is lost and late. The second, in plain money,
    may lose and delay no more than that, item by item and month by month. So safety stock never turns a customer away, classes
    keep what they were given, and hours are worth plain money. Without weights and safety stock one programme says it all.
    """
    plain = np.ones(len(case.opening))
    weight = plain if weight is None else weight
    program = _programme(case)
    if np.ptp(weight) == 0 and not (case.safety > 0).any():
        return _read(case, program, _least(program, _prices(case, plain)))
    first = _least(_without_reserve(case, program), _prices(case, weight))
    return _read(case, program, _least(_no_worse(case, program, first.x), _prices(case, plain)))


def _without_reserve(case, program):
    """The programme in which no stock is wanted for its own sake."""
    n, bounds = case.demand.size, program["bounds"].copy()
    bounds[2 * n: 3 * n, 1] = 0.0
    return {**program, "bounds": bounds}


def _no_worse(case, program, x):
    """The programme that may lose and delay no more than a plan does."""
    n, bounds = case.demand.size, program["bounds"].copy()
    for block in (1, 3):
        most = x[block * n: (block + 1) * n]
        bounds[block * n: (block + 1) * n, 1] = np.minimum(bounds[block * n: (block + 1) * n, 1], most + np.where(most > SLACK, SLACK, 0.0))
    return {**program, "bounds": bounds}


def _programme(case):
    items, months = case.demand.shape
    resources, n = len(case.available), case.demand.size
    over = resources * months
    change = sparse.identity(n) - sparse.kron(sparse.identity(items), sparse.eye(months, k=-1))  # of a stock, from month to month
    made = sparse.hstack([change, -sparse.identity(n), change, -change], format="csr")  # beside what the month asks for
    asked = case.demand - case.receipts
    asked[:, 0] -= case.opening
    needed = sparse.kron(case.hours.T, sparse.identity(months), format="csr")
    left = np.where(np.isfinite(case.available), np.maximum(case.available - case.ordered, -case.overtime), math.inf).ravel()
    known = np.isfinite(left)  # where hours are not known they limit nothing
    hours = sparse.hstack([needed @ made, -sparse.identity(over)], format="csr")[known]
    some = sparse.hstack([-made, sparse.csr_matrix((n, over))], format="csr")
    high = np.full(4 * n + over, math.inf)
    high[n: 2 * n] = _lost_most(case).ravel()
    high[2 * n: 3 * n] = case.safety.ravel()
    high[3 * n: 4 * n] = _late_most(case).ravel()
    high[4 * n:] = case.overtime.ravel()
    return {"A_ub": sparse.vstack([hours, some], format="csr"), "b_ub": np.concatenate([(left - needed @ asked.ravel())[known], asked.ravel()]),
            "bounds": np.column_stack([np.zeros(len(high)), high]), "known": known, "made": made, "asked": asked}


def _lost_most(case):
    """Only what is asked for can be lost; at the end also what is owed today."""
    most = case.demand.copy()
    most[:, -1] += np.maximum(-case.opening, 0.0)
    return most


def _late_most(case):
    """Nothing is owed after the last month. Where nobody waits, only what is owed today is owed until it is made."""
    most = np.full(case.demand.shape, math.inf)
    if not case.waits:
        most = np.maximum(-(case.opening[:, None] + np.cumsum(case.receipts, axis=1)), 0.0)
    most[:, -1] = 0.0
    return most


def _prices(case, weight):
    months = case.demand.shape[1]
    by_item = {"more": case.holding, "lost": case.lost * weight, "reserve": case.holding - case.below, "late": case.late * weight}
    return np.concatenate([*(np.repeat(by_item[name], months) for name in BLOCKS), case.overtime_rate.ravel()])


def _least(program, price):
    """HiGHS' dual simplex: the fastest here, and the same vertex every time."""
    solved = linprog(price, A_ub=program["A_ub"], b_ub=program["b_ub"], bounds=program["bounds"], method="highs-ds")
    if solved.status != 0:  # sales may be lost and stock is not limited, so there is always a plan: numbers must be beyond reason
        raise ValueError(f"the hours cannot be planned: {solved.message} Look for demand, hours or money a unit beyond reason.")
    return solved


def _read(case, program, solved):
    items, months = case.demand.shape
    n, known = case.demand.size, program["known"]
    block = {name: np.round(solved.x[i * n: (i + 1) * n].reshape(items, months), 6) + 0.0 for i, name in enumerate(BLOCKS)}
    made = np.round(program["asked"] + (program["made"] @ solved.x[: 4 * n]).reshape(items, months), 6)
    units = {"made": np.maximum(made, 0.0), "stock": block["reserve"] + block["more"], "late": block["late"], "lost": block["lost"],
             "below": np.maximum(case.safety - block["reserve"], 0.0)}
    missed = float((case.below[:, None] * case.safety).sum())  # what the reserve is paid less for, as if nothing of it were there
    value = np.full(case.available.size, math.nan)
    value[known] = -solved.ineqlin.marginals[: int(known.sum())] + 0.0
    more = -solved.upper.marginals[4 * n:] + 0.0
    shape = case.available.shape
    return Solution(units, np.round(solved.x[4 * n:].reshape(shape), 6) + 0.0, float(solved.fun) + missed, np.round(value.reshape(shape), 6) + 0.0,
                    np.round(more.reshape(shape), 6) + 0.0)
