"""People, output and stock for a family over the year: level, chase, hybrid and the optimum, side by side, with cost by term.

Units are those of the family, added up. The plans answer how many people to have, and what the alternatives cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sopnb import frames

STRATEGIES = ("level", "chase", "hybrid", "optimum")
TERMS = ["cost_regular", "cost_overtime", "cost_hiring", "cost_layoff", "cost_material", "cost_subcontract", "cost_holding", "cost_backlog"]
FLOWS = ["people", "hires", "layoffs", "regular", "overtime", "subcontract", "stock", "backlog"]


@dataclass(frozen=True)
class Costs:
    """What people and their alternatives cost.

    opening_people, units_per_worker (units a person and month), opening_stock, end_stock (units)
    hire_cost, layoff_cost (money a person), regular_cost (money a person and month)
    overtime_cost, subcontract_cost, material_cost (money a unit; material is not paid for subcontracted units)
    holding_cost, backlog_cost (money a unit and month)
    overtime_share   the most overtime adds, as a fraction of a person's regular output
    whole_people     people in whole numbers
    holding_on       ending: stock is charged on its month-end; average: on the mean of opening and ending
    """

    opening_people: float
    units_per_worker: float
    hire_cost: float = 0.0
    layoff_cost: float = 0.0
    regular_cost: float = 0.0
    overtime_cost: float = 0.0
    subcontract_cost: float = math.inf
    backlog_cost: float = 0.0
    holding_cost: float = 0.0
    material_cost: float = 0.0
    opening_stock: float = 0.0
    end_stock: float = 0.0
    overtime_share: float = 0.0
    whole_people: bool = True
    holding_on: str = "ending"


def strategies(demand, costs: Costs):
    """The four plans for one stream of demand.

    demand    units by month, as a Series with months as index
    costs     Costs; without a subcontract cost nothing can be bought in
    returns   strategy × month   FLOWS, shadow and the cost terms, as in frames.AGGREGATE without family

    level     the same people every month, enough for the total; stock and backlog take the difference
    chase     as many people as each month needs; no stock beyond what was there
    hybrid    the same people every month, the number that costs least; overtime, then subcontracting, serve the peaks on time
    optimum   the cheapest plan there is (linear programme; mixed integer with whole people), backlog allowed until the last month

    A month balances: opening stock − opening backlog + regular + overtime + subcontract = demand + stock − backlog.
    source    Chopra and Meindl, Supply Chain Management, aggregate planning (Red Tomato Tools)
    """
    need = demand.to_numpy(dtype="float64")
    plans = {"level": _level(need, costs), "chase": _chase(need, costs), "hybrid": _hybrid(need, costs), "optimum": _optimum(need, costs)}
    parts = [_priced(plans[name], costs).assign(strategy=name, month=demand.index, demand=need) for name in STRATEGIES]
    return pd.concat(parts, ignore_index=True)


def plans(plan, workforce, items, *, stock=None, policy=None, overtime_share=0.10, whole_people=True, holding_on="ending"):
    """Aggregate plans for every family of the workforce table.

    plan       item × location × month   consensus (units)
    workforce  family                    people and their costs; family `all` means all items
    items      item                      family
    stock      item × location           on_hand (units): the opening stock
    policy     item × location           safety_stock (units): what must be left at the end
    returns    AGGREGATE

    Material is not counted: it is the same in every plan, unless subcontract_cost brings its own.
    """
    family = items.set_index("item")["family"]
    parts = []
    for row in workforce.sort_values("family").to_dict("records"):
        members = set(family.index) if row["family"] == "all" else set(family.index[family == row["family"]])
        demand = plan[plan["item"].isin(members)].groupby("month")["consensus"].sum()
        if demand.empty:
            continue
        given = {name: row[name] for name in ("hire_cost", "layoff_cost", "regular_cost", "overtime_cost", "subcontract_cost", "backlog_cost", "holding_cost")
                 if pd.notna(row[name])}
        costs = Costs(row["opening_people"], row["units_per_worker"], **given, overtime_share=overtime_share, whole_people=whole_people,
                      holding_on=holding_on, opening_stock=_total(stock, "on_hand", members), end_stock=_total(policy, "safety_stock", members))
        parts.append(strategies(demand, costs).assign(family=row["family"]))
    if not parts:
        return frames.empty(frames.AGGREGATE)
    return frames.conform(pd.concat(parts, ignore_index=True)[frames.AGGREGATE.names], frames.AGGREGATE)


def compare(aggregate, *, by=("family", "strategy")):
    """The plans side by side: cost by term, people and stock at their highest and lowest, and the demand served on time.

    by       family and strategy; strategy alone adds the families up, month by month
    returns  by   the cost terms, cost, least_people, most_people, peak_stock, peak_backlog, service (fraction)
    """
    by = list(by)
    amounts = [*TERMS, "cost", "people", "stock", "backlog", "demand"]
    months = aggregate.assign(on_time=(aggregate["demand"] - aggregate["backlog"]).clip(lower=0))
    months = months.groupby([*by, "month"], as_index=False)[[*amounts, "on_time"]].sum()
    named = {term: (term, "sum") for term in [*TERMS, "cost"]}
    out = months.groupby(by, as_index=False).agg(
        **named, least_people=("people", "min"), most_people=("people", "max"), peak_stock=("stock", "max"), peak_backlog=("backlog", "max"),
        on_time=("on_time", "sum"), demand=("demand", "sum"))
    out["service"] = out.pop("on_time") / out.pop("demand").where(lambda d: d > 0)
    cents = out.assign(cost=out["cost"].round(2))  # plans that cost the same stand in the order of their names
    order = [*(name for name in by if name != "strategy"), "cost", "strategy"]
    return out.loc[cents.sort_values(order, kind="stable").index].reset_index(drop=True)


def _total(table, column, members):
    return 0.0 if table is None else float(table.loc[table["item"].isin(members), column].sum())


# --- the rules ------------------------------------------------------------------------------------------------------

def _flows(need, c, people, overtime, subcontract, regular=None):
    """The month table that follows from people and output: hires, lay-offs, stock and backlog."""
    people = np.asarray(people, float)
    regular = people * c.units_per_worker if regular is None else regular
    change = np.diff(np.concatenate([[c.opening_people], people]))
    position = c.opening_stock + np.cumsum(regular + overtime + subcontract - need)
    return {"people": people, "hires": np.maximum(change, 0), "layoffs": np.maximum(-change, 0), "regular": regular, "overtime": overtime,
            "subcontract": subcontract, "stock": np.maximum(position, 0), "backlog": np.maximum(-position, 0), "shadow": np.full(len(people), np.nan)}


def _people(units, c):
    people = np.maximum(np.asarray(units, float) / c.units_per_worker, 0.0)
    return np.ceil(people - 1e-9) if c.whole_people else people


def _level(need, c):
    none = np.zeros(len(need))
    total = max(need.sum() + c.end_stock - c.opening_stock, 0.0)
    people = np.repeat(_people(total / len(need), c), len(need))
    regular = np.full(len(need), total / len(need))  # rounding people up leaves some idle, it does not make stock
    return _flows(need, c, people, none, none, regular)


def _chase(need, c):
    none = np.zeros(len(need))
    left = max(c.opening_stock - c.end_stock, 0.0)
    wanted = need.copy()
    wanted[-1] += max(c.end_stock - c.opening_stock, 0.0)
    for m in range(len(need)):
        used = min(left, wanted[m])
        wanted[m] -= used
        left -= used
    return _flows(need, c, _people(wanted, c), none, none, wanted)


def _hybrid(need, c):
    """The cheapest steady number of people: first in a hundred strides from none to the most a month needs, then one by one."""
    top = math.ceil(max(need.max() + c.end_stock, 1.0) / c.units_per_worker) + 1
    stride = math.ceil(top / 100)
    near = _cheapest(need, c, range(0, top + stride, stride))
    return _steady(need, c, _cheapest(need, c, range(max(near - stride, 0), near + stride + 1)))


def _cheapest(need, c, numbers):
    """The number of people with the least cost; one that never serves all demand is out of question."""
    found = [(people, _steady(need, c, people)) for people in numbers]
    costs = [round(float(sum(term.sum() for term in _costs(flows, c).values())), 6) if flows["backlog"][-1] < 1e-6 else math.inf for _, flows in found]
    return found[int(np.argmin(costs))][0]


def _steady(need, c, people):
    """Steady people, working only as much as is needed in time; then overtime; then subcontracting."""
    capacity, more = people * c.units_per_worker, people * c.units_per_worker * c.overtime_share
    months = len(need)
    wanted = need.copy()
    wanted[-1] += c.end_stock
    # what must be ready early because later months need more than their own regular hours
    early = np.zeros(months + 1)
    for m in range(months - 1, 0, -1):
        early[m] = max(wanted[m] + early[m + 1] - capacity, 0.0)
    regular, overtime, bought = np.zeros(months), np.zeros(months), np.zeros(months)
    stock = c.opening_stock
    for m in range(months):
        regular[m] = min(capacity, max(wanted[m] + early[m + 1] - stock, 0.0))
        short = max(wanted[m] - stock - regular[m], 0.0)
        overtime[m] = min(short, more)
        bought[m] = short - overtime[m] if math.isfinite(c.subcontract_cost) else 0.0
        stock += regular[m] + overtime[m] + bought[m] - wanted[m]
    return _flows(need, c, np.full(months, float(people)), overtime, bought, regular)


def _optimum(need, c):
    """Least cost over people, hires, lay-offs, regular, overtime, subcontract, stock and backlog, month by month."""
    from scipy.optimize import linprog

    n = len(need)
    unit = {name: i * n for i, name in enumerate(FLOWS)}
    price, bounds = _prices(c, n, unit)
    eye, lag = np.eye(n), np.eye(n, k=-1)
    balance = _rows(n, unit, regular=eye, overtime=eye, subcontract=eye, stock=lag - eye, backlog=eye - lag)
    staff = _rows(n, unit, people=eye - lag, hires=-eye, layoffs=eye)
    first = np.eye(1, n)[0]
    capacity = _rows(n, unit, regular=eye, people=-c.units_per_worker * eye)
    overtime = _rows(n, unit, overtime=eye, people=-c.units_per_worker * c.overtime_share * eye)
    whole = np.zeros(len(price))
    if c.whole_people:
        for name in ("people", "hires", "layoffs"):
            whole[unit[name]: unit[name] + n] = 1
    solved = linprog(price, A_ub=np.vstack([capacity, overtime]), b_ub=np.zeros(2 * n), A_eq=np.vstack([balance, staff]),
                     b_eq=np.concatenate([need - c.opening_stock * first, c.opening_people * first]), bounds=bounds,
                     integrality=whole if c.whole_people else None, method="highs", options={"mip_rel_gap": 1e-6} if c.whole_people else None)
    if not solved.success:
        raise ValueError(f"no aggregate plan serves this demand: {solved.message}")
    out = {name: np.round(solved.x[start: start + n], 9) + 0.0 for name, start in unit.items()}
    if c.whole_people:  # an integer programme has no prices: those of its linear relaxation
        return {**out, "shadow": _optimum(need, replace(c, whole_people=False))["shadow"]}
    return {**out, "shadow": np.round(-solved.ineqlin.marginals[:n], 6) + 0.0}


def _prices(c, n, unit):
    """Cost and bounds of every unknown. The last month owes nothing and leaves end_stock."""
    cost = {"people": c.regular_cost, "hires": c.hire_cost, "layoffs": c.layoff_cost, "regular": c.material_cost,
            "overtime": c.overtime_cost + c.material_cost, "subcontract": c.subcontract_cost if math.isfinite(c.subcontract_cost) else 0.0,
            "stock": c.holding_cost, "backlog": c.backlog_cost}
    price = np.repeat([cost[name] for name in unit], n).astype(float)
    bounds: list[tuple[float, float | None]] = [(0.0, None)] * len(price)
    if c.holding_on == "average":
        price[unit["stock"] + n - 1] = c.holding_cost / 2
    if not math.isfinite(c.subcontract_cost):
        bounds[unit["subcontract"]: unit["subcontract"] + n] = [(0.0, 0.0)] * n
    bounds[unit["stock"] + n - 1] = (c.end_stock, None)
    bounds[unit["backlog"] + n - 1] = (0.0, 0.0)
    return price, bounds


def _rows(n, unit, **blocks):
    out = np.zeros((n, len(unit) * n))
    for name, block in blocks.items():
        out[:, unit[name]: unit[name] + n] = block
    return out


def _costs(flows, c):
    """Cost by term and month."""
    held = flows["stock"]
    if c.holding_on == "average":
        held = (held + np.concatenate([[c.opening_stock], held[:-1]])) / 2
    bought = flows["subcontract"] * (c.subcontract_cost if math.isfinite(c.subcontract_cost) else 0.0)
    return {"cost_regular": flows["people"] * c.regular_cost, "cost_overtime": flows["overtime"] * c.overtime_cost,
            "cost_hiring": flows["hires"] * c.hire_cost, "cost_layoff": flows["layoffs"] * c.layoff_cost,
            "cost_material": (flows["regular"] + flows["overtime"]) * c.material_cost, "cost_subcontract": bought,
            "cost_holding": held * c.holding_cost, "cost_backlog": flows["backlog"] * c.backlog_cost}


def _priced(flows, c):
    """The month table with cost by term, and their sum."""
    out = pd.DataFrame({**flows, **_costs(flows, c)})
    return out.assign(cost=out[TERMS].sum(axis=1))
