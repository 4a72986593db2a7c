"""What people, output, stock and waiting customers cost, and the limits that a plan for them has to keep.

Everything an aggregate plan is given stands in one `Costs`, by name, each with its unit. Where books differ, the
convention is a field with its default. `by_hours` takes the same in hours and wages, as most books print it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from sopnb.problems import Problem, Problems

STRATEGIES = ("level", "chase", "hybrid", "optimum")
TERMS = ["cost_regular", "cost_overtime", "cost_hiring", "cost_layoff", "cost_material", "cost_subcontract", "cost_holding", "cost_backlog",
         "cost_lost"]
FLOWS = ["people", "hires", "layoffs", "regular", "overtime", "subcontract", "stock", "backlog", "lost"]

# Fields that may differ from month to month.
BY_MONTH = ("units_per_worker", "regular_cost", "overtime_cost", "subcontract_cost", "material_cost", "holding_cost", "backlog_cost", "lost_cost",
            "overtime_share", "overtime_limit", "regular_limit", "subcontract_limit", "people_limit", "stock_limit", "backlog_limit", "least_stock")
CHOICES = {"paid_for": ("people", "output"), "holding_on": ("ending", "average", "excess"), "rounding": ("up", "nearest"),
           "level": ("workforce", "output"), "level_for": (None, "average", "peak"), "chase_stock": ("used", "kept")}

Monthly = Any  # a number for every month, or one number a month: a list, an array, or a Series by month


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What people and their alternatives cost, what is there, and what limits them.

    A field marked * may be one number for all months, or a list (or a Series by month) with one number a month.
    A cost of `inf`, the default of some, means "not possible": no overtime, no subcontractor, nothing may be owed, no sale
    may be lost.

    People
    opening_people       people there before the first month; None: as many as the first month has, without hiring cost
    end_people           people there in the last month; None: as the plan likes
    people_limit *       people, at most
    hire_cost            money a person hired
    layoff_cost          money a person laid off
    whole_people         people in whole numbers
    Output
    units_per_worker *   units a person makes in a month of regular time
    hours_per_unit       hours of work in a unit, for values of an hour; None: not known
    regular_cost *       money a person and month
    paid_for             people: everyone there is paid in full; output: regular time is paid as far as it is worked
    regular_limit *      units made in regular time a month, at most (a machine, a hall)
    overtime_cost *      money a unit made in overtime, in all (not only the premium), without material
    overtime_share *     the most overtime adds, as a fraction of a person's regular output; None: no such limit
    overtime_limit *     units made in overtime a month, at most
    material_cost *      money a unit made in regular time or overtime
    subcontract_cost *   money a unit bought in, its material included
    subcontract_limit *  units bought in a month, at most
    Stock and customers
    opening_stock        units there before the first month; below zero: units owed
    end_stock            units that must be there at the end of the last month
    least_stock *        units that must be there at each month end (safety stock)
    stock_limit *        units there at a month end, at most
    holding_cost *       money a unit and month
    holding_on           ending: charged on stock at month end; average: on the mean of opening and ending stock;
                         excess: on what lies above least_stock at month end
    backlog_cost *       money a unit owed at a month end; `inf`: nothing may be owed. All is delivered by the last month
    backlog_limit *      units owed at a month end, at most
    lost_cost *          money a unit of demand never served (margin and goodwill); `inf`: no sale may be lost
    How the rules are read; the optimum needs none of it
    rounding             whole people, level and chase. up: none short of what is needed; nearest: as books round by hand,
                         the output stays as needed
    level                workforce: the same people every month, output by what they make in its working days;
                         output: the same units every month
    level_for            average: enough for all months together, stock and backlog take the difference; peak: as few as
                         nothing is ever owed with; None: average where a backlog is allowed, peak otherwise
    full_output          people make all they can, needed or not (no idle time), in the optimum too; else they may be idle
    chase_stock          used: opening stock is used up first, closing stock is made in the last month; kept: the lesser of
                         the two stays all the time
    hybrid_people        people of the hybrid plan; None: the number that costs least
    """

    opening_people: float | None
    units_per_worker: Monthly
    end_people: float | None = None
    people_limit: Monthly = math.inf
    hire_cost: float = 0.0
    layoff_cost: float = 0.0
    whole_people: bool = True
    hours_per_unit: float | None = None
    regular_cost: Monthly = 0.0
    paid_for: str = "people"
    regular_limit: Monthly = math.inf
    overtime_cost: Monthly = math.inf
    overtime_share: Monthly = None
    overtime_limit: Monthly = math.inf
    material_cost: Monthly = 0.0
    subcontract_cost: Monthly = math.inf
    subcontract_limit: Monthly = math.inf
    opening_stock: float = 0.0
    end_stock: float = 0.0
    least_stock: Monthly = 0.0
    stock_limit: Monthly = math.inf
    holding_cost: Monthly = 0.0
    holding_on: str = "ending"
    backlog_cost: Monthly = math.inf
    backlog_limit: Monthly = math.inf
    lost_cost: Monthly = math.inf
    rounding: str = "up"
    level: str = "workforce"
    level_for: str | None = None
    full_output: bool = False
    chase_stock: str = "used"
    hybrid_people: float | None = None


def by_hours(*, hours_per_unit, wage, overtime_wage=math.inf, overtime_hours=None, days=20, hours_per_day=8, **costs):
    """Costs from hours and wages, as most books print them.

    hours_per_unit   hours of work in a unit
    wage             money an hour of regular time
    overtime_wage    money an hour of overtime, in all; `inf`: no overtime
    overtime_hours   hours of overtime a person and month, at most; None: no such limit
    days             working days: a number for all months, or a list with one a month
    hours_per_day    regular hours of a person and day
    costs            every other field of Costs
    returns          Costs

    units_per_worker = hours_per_day × days / hours_per_unit; regular_cost = wage × hours_per_day × days;
    overtime_cost = overtime_wage × hours_per_unit; overtime_share = overtime_hours / (hours_per_day × days).

    >>> by_hours(hours_per_unit=4, wage=4, overtime_wage=6, overtime_hours=10, opening_people=80).units_per_worker
    40.0
    """
    hours = np.asarray(days, dtype="float64") * hours_per_day

    def shaped(values):
        return float(values) if np.ndim(values) == 0 else [float(v) for v in values]

    share = None if overtime_hours is None else shaped(np.divide(overtime_hours, hours, out=np.zeros_like(hours), where=hours > 0))
    return Costs(units_per_worker=shaped(hours / hours_per_unit), hours_per_unit=hours_per_unit, regular_cost=shaped(wage * hours),
                 overtime_cost=overtime_wage * hours_per_unit, overtime_share=share, **costs)


def given(demand, costs, where="costs"):
    """Demand and costs as arrays by month, once nothing is wrong with them.

    demand   units by month, as a Series with months as index
    where    what a problem calls the place: `costs`, or a row of a table
    returns  (demand as an array, Costs with an array for each field that may differ by month)
    raises   Problems with every value that cannot be, and its remedy
    """
    need = np.asarray(demand, dtype="float64")
    wrong = [*_of_demand(need), *_of_costs(demand, costs, where)]
    if wrong:
        raise Problems(wrong)
    spread = {name: by_month(getattr(costs, name), demand) for name in BY_MONTH if name != "overtime_share"}
    share = np.full(len(need), math.inf) if costs.overtime_share is None else by_month(costs.overtime_share, demand)
    return need, replace(costs, **spread, overtime_share=share)


def by_month(value, demand):
    """One number a month: the value repeated, a list as it stands, a Series by its months."""
    if isinstance(value, pd.Series) and isinstance(demand, pd.Series) and value.index.dtype == demand.index.dtype:
        value = value.reindex(demand.index)
    return np.broadcast_to(np.asarray(value, dtype="float64"), len(demand)).copy() if np.ndim(value) == 0 else np.asarray(value, dtype="float64")


def costs_of(flows: Mapping[str, np.ndarray], c):
    """Cost by term and month. What the costs call impossible is not priced; `broken` names it."""
    held = flows["stock"]
    if c.holding_on == "average":
        held = (held + np.concatenate([[max(c.opening_stock, 0.0)], held[:-1]])) / 2
    elif c.holding_on == "excess":
        held = np.maximum(held - c.least_stock, 0.0)
    made = flows["regular"] + flows["overtime"]
    if c.paid_for == "output":
        a_unit = np.divide(c.regular_cost, c.units_per_worker, out=np.zeros_like(c.units_per_worker), where=c.units_per_worker > 0)
        regular = flows["regular"] * a_unit
    else:
        regular = flows["people"] * c.regular_cost
    return {"cost_regular": regular, "cost_overtime": flows["overtime"] * finite(c.overtime_cost), "cost_hiring": flows["hires"] * c.hire_cost,
            "cost_layoff": flows["layoffs"] * c.layoff_cost, "cost_material": made * c.material_cost,
            "cost_subcontract": flows["subcontract"] * finite(c.subcontract_cost), "cost_holding": held * c.holding_cost,
            "cost_backlog": flows["backlog"] * finite(c.backlog_cost), "cost_lost": flows["lost"] * finite(c.lost_cost)}


def finite(price):
    """A price of the impossible is none."""
    return np.where(np.isfinite(price), price, 0.0)


def overtime_most(people, c):
    """Units that overtime can add, by month."""
    by_person = people * c.units_per_worker * finite(c.overtime_share)
    most = np.minimum(np.where(np.isfinite(c.overtime_share), by_person, math.inf), c.overtime_limit)
    return np.where(np.isfinite(c.overtime_cost), most, 0.0)


def last_stock(c):
    """Units that must be there at each month end, the last one included."""
    floor = c.least_stock.copy()
    floor[-1] = max(floor[-1], c.end_stock)
    return floor


# --- what cannot be ---------------------------------------------------------------------------------------------------

def _of_demand(need):
    if not len(need):
        return [Problem("demand", "has no months", "units by month", "Give demand for at least one month.")]
    wrong = [f"{v:g} in place {i + 1}" for i, v in enumerate(need) if not (math.isfinite(v) and v >= 0)]
    return [Problem("demand", f"is {', '.join(wrong[:3])}", "units, 0 or more", "Mend the demand of these months.")] if wrong else []


def _of_costs(demand, costs, where):
    wrong = []
    for field in fields(costs):
        name, value = field.name, getattr(costs, field.name)
        place = f"{where}, {name}"
        if name in CHOICES:
            if value not in CHOICES[name]:
                wrong.append(Problem(place, f"is {value!r}", ", ".join(str(v) for v in CHOICES[name]), f"Set {name} to one of them."))
        elif name in BY_MONTH:
            wrong += _of_monthly(demand, name, value, place)
        elif value is not None and not isinstance(value, bool):
            least = -math.inf if name == "opening_stock" else 0.0
            if not (math.isfinite(value) and value >= least):
                wrong.append(_not_a_cost(place, value, name))
    return wrong


def _of_monthly(demand, name, value, place):
    if value is None:
        return [] if name == "overtime_share" else [Problem(place, "is empty", "a number, or one a month", f"Give {name}.")]
    if np.ndim(value) and not (isinstance(value, pd.Series) and value.index.dtype == getattr(demand, "index", pd.Index([])).dtype) and len(value) != len(demand):
        return [Problem(place, f"has {len(value)} values for {len(demand)} months", "one number, or one a month", "Give one for each month of demand.")]
    months = by_month(value, demand)
    endless = name.endswith("_limit") or name in ("overtime_cost", "subcontract_cost", "backlog_cost", "lost_cost")
    bad = [v for v in months if math.isnan(v) or v < 0 or (math.isinf(v) and not endless)]
    if bad:
        return [_not_a_cost(place, bad[0], name)]
    if name == "units_per_worker" and not (months > 0).any():
        return [Problem(place, "is 0 in every month", "units a person and month, above 0", "Give what a person makes in a month.")]
    return []


def _not_a_cost(place, value, name):
    wrong = f"is {value:g}"
    if "cost" in name and value < 0:  # what pays for itself would be done without end
        return Problem(place, f"{wrong}: the more of it, the cheaper the plan, without end", "money, 0 or more", f"Enter {name} as what is paid, without a sign.")
    return Problem(place, wrong, "a number, 0 or more", f"Mend {name}.")
