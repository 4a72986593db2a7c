"""People, output and stock for a family or a company over the year: level, chase, hybrid and the optimum, side by side.

Units are those of the family, added up. The plans answer how many people to have, and what the alternatives cost.
What everything costs and what limits it stands in `Costs`; `by_hours` takes hours and wages instead.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd

from sopnb import aggregate_optimum, door, frames, infeasible
from sopnb.aggregate_costs import FLOWS, STRATEGIES, TERMS, Costs, by_hours, costs_of, given
from sopnb.aggregate_rules import broken, rule, settle
from sopnb.problems import Problems

__all__ = ["FLOWS", "STRATEGIES", "TERMS", "Costs", "by_hours", "compare", "marginal", "marginals", "own", "plans", "strategies", "unplanned"]

# What the workforce table may say beside people and their output; where it says nothing, the default of Costs stands.
NEEDED = [name for name in frames.WORKFORCE.needed if name != "family"]
WANTS = {"plan": door.Wants("item location* month", "consensus"), "workforce": door.Wants("family", " ".join(NEEDED), once=False),
         "items": door.Wants("item", "family"), "stock": door.Wants("item location* as_of?", "on_hand"), "policy": door.Wants("item location*", "safety_stock")}
GIVEN = ("hire_cost", "layoff_cost", "regular_cost", "overtime_cost", "subcontract_cost", "backlog_cost", "holding_cost", "material_cost", "lost_cost",
         "hours_per_unit", "regular_limit", "overtime_limit", "subcontract_limit", "people_limit", "stock_limit")


def strategies(demand, costs: Costs, *, only=STRATEGIES):
    """The four plans for one stream of demand.

    demand    units by month, as a Series with months as index
    costs     Costs, or what `by_hours` makes of hours and wages
    only      the strategies wanted
    returns   strategy × month   demand, FLOWS, shadow, breaks and the cost terms, as in frames.AGGREGATE without family
    raises    Problems with every value that cannot be, or with what stands in the way where no plan keeps all limits

    level     the same people every month, enough for the total (or for the peak, where nothing may be owed); stock and
              backlog take the difference
    chase     as many people as each month needs; no stock beyond what must be there
    hybrid    the same people every month, the number that costs least; overtime, then subcontracting, serve the peaks on time
    optimum   the cheapest plan that keeps all limits (linear programme; mixed integer with whole people)

    A month balances: opening stock − opening backlog + regular + overtime + subcontract + lost = demand + stock − backlog.
    A rule follows itself, not every limit: `breaks` names those it passes in a month. shadow is what one more unit of
    regular capacity would save in the month (optimum only; `marginal` has the other limits).

    source    Chopra and Meindl, Supply Chain Management, aggregate planning (Red Tomato Tools); Nahmias, Production and
              Operations Analysis, chapter 3; Heizer and Render, Operations Management, chapter 13
    """
    need, c = given(demand, costs)
    parts = []
    for name in only:
        flows = aggregate_optimum.optimum(need, c) if name == "optimum" else rule(name, need, c)
        if flows is None:
            raise Problems([infeasible.problem(need, c, _months(demand))])
        parts.append(_priced(demand, need, flows, c).assign(strategy=name))
    return pd.concat(parts, ignore_index=True)


def own(demand, costs: Costs, *, people, regular=None, overtime=0.0, subcontract=0.0):
    """A plan of one's own: the month table and its cost, from people and output.

    demand       units by month
    people       people, by month or one number for all
    regular      units made in regular time; None: all that these people can make
    overtime, subcontract   units
    returns      month   as `strategies`, with strategy `own`; breaks names the limits it passes
    """
    need, c = given(demand, costs)
    made = np.broadcast_to(np.asarray(people, dtype="float64"), len(need)) * c.units_per_worker if regular is None else regular
    return _priced(demand, need, settle(need, c, people, made, overtime, subcontract), c).assign(strategy="own")


def marginal(demand, costs: Costs):
    """What one more of each limit is worth in the optimum: its shadow prices.

    demand    units by month
    returns   what × month   value (money), unit (unit, hour or person)

    regular        saved by one more unit of regular capacity; hour: by one more hour of work, where hours_per_unit is known
    overtime_limit, overtime, regular_limit, subcontract_limit, stock_limit, people_limit   saved by one more of it
                   (overtime: of what people may add; overtime_limit: of the limit in units)
    demand         what one more unit asked for in the month costs
    end_stock      what one more unit of closing stock costs (last month)
    raises         Problems, as `strategies`

    A value holds near the plan: it is the slope of the least cost. With whole people it is that of the plan with
    fractions of people, since whole numbers have no slope.
    """
    need, c = given(demand, costs)
    values = aggregate_optimum.marginals(need, c)
    if values is None:
        raise Problems([infeasible.problem(need, c, _months(demand))])
    return aggregate_optimum.table(values, _months(demand), c.hours_per_unit)


def plans(plan, workforce, items, *, stock=None, policy=None, overtime_share=0.10, whole_people=True, holding_on="ending", days=None, **conventions):
    """Aggregate plans for every family of the workforce table.

    plan       item × location × month   consensus (units)
    workforce  family                    people, their costs and limits; family `all` means all items
    items      item                      family
    stock      item × location           on_hand (units): the opening stock
    policy     item × location           safety_stock (units): what must be left at the end
    days       working days, a Series by month: a person's output follows them; None: every month is alike
    conventions   further fields of Costs, for all families
    returns    AGGREGATE

    Material is not counted unless the table gives its cost: it is the same in every plan, unless subcontract_cost brings its
    own. A family whose numbers cannot be, or whose limits no plan keeps, has no optimum (or nothing): `unplanned` names it
    and what would mend it.
    """
    parts = []
    for family, demand, costs in _families(plan, workforce, items, stock, policy, days,
                                           {"overtime_share": overtime_share, "whole_people": whole_people, "holding_on": holding_on, **conventions}):
        for name in STRATEGIES:
            try:
                parts.append(strategies(demand, costs, only=(name,)).assign(family=family))
            except Problems:
                continue
    if not parts:
        return frames.empty(frames.AGGREGATE)
    return frames.conform(pd.concat(parts, ignore_index=True)[frames.AGGREGATE.names], frames.AGGREGATE)


def unplanned(plan, workforce, items, *, stock=None, policy=None, overtime_share=0.10, whole_people=True, holding_on="ending", days=None, **conventions):
    """Families that `plans` has no optimum for, why, and what would mend it. Takes what `plans` takes.

    returns  UNPLANNED: family × position   limit (or the column that cannot be), month, amount (units or people by which the
             limit must give way), alone (this limit is enough), because (message id), values (JSON)
    """
    rows = []
    settings = {"overtime_share": overtime_share, "whole_people": whole_people, "holding_on": holding_on, **conventions}
    for family, row in _unclear(*door.enter(WANTS, {"workforce": workforce, "items": items})):
        rows.append({"family": family, "position": 0, **row})
    for family, demand, costs in _families(plan, workforce, items, stock, policy, days, settings):
        rows += [{"family": family, "position": place, **row} for place, row in enumerate(_in_the_way(family, demand, costs))]
    if not rows:
        return frames.empty(frames.UNPLANNED)
    return frames.conform(pd.DataFrame(rows)[frames.UNPLANNED.names], frames.UNPLANNED)


def marginals(plan, workforce, items, *, stock=None, policy=None, overtime_share=0.10, whole_people=True, holding_on="ending", days=None, **conventions):
    """What one more of each limit is worth, family by family. Takes what `plans` takes.

    returns  MARGINALS: family × what × month   value (money), unit; families without an optimum are left out
    """
    parts = []
    settings = {"overtime_share": overtime_share, "whole_people": whole_people, "holding_on": holding_on, **conventions}
    for family, demand, costs in _families(plan, workforce, items, stock, policy, days, settings):
        try:
            parts.append(marginal(demand, costs).assign(family=family))
        except Problems:
            continue
    if not parts:
        return frames.empty(frames.MARGINALS)
    return frames.conform(pd.concat(parts, ignore_index=True)[frames.MARGINALS.names], frames.MARGINALS)


def compare(aggregate, *, by=("family", "strategy")):
    """The plans side by side: cost by term, people and stock at their highest and lowest, and the demand served on time.

    by       family and strategy; strategy alone adds the families up, month by month
    returns  by   the cost terms, cost, more (money above the cheapest that breaks nothing), hires, layoffs, least_people,
             most_people, peak_stock, peak_backlog, lost (units), service (fraction of demand served in its month),
             breaks (limits passed in some month; empty: none)

    Added up are only families that have every strategy: others would make one strategy look cheaper than it is.
    """
    by = list(by)
    amounts = [*TERMS, "cost", "people", "hires", "layoffs", "stock", "backlog", "lost", "demand"]
    months = aggregate.assign(on_time=(aggregate["demand"] - aggregate["backlog"] - aggregate["lost"]).clip(lower=0))
    if "family" not in by:
        months = months[months.groupby("family")["strategy"].transform("nunique") == months["strategy"].nunique()]
    passed = months.groupby(by)["breaks"].agg(lambda names: "; ".join(sorted({n for name in names.dropna() for n in name.split("; ") if n})))
    months = months.groupby([*by, "month"], as_index=False)[[*amounts, "on_time"]].sum()
    named = {term: (term, "sum") for term in [*TERMS, "cost"]}
    out = months.groupby(by, as_index=False).agg(
        **named, hires=("hires", "sum"), layoffs=("layoffs", "sum"), least_people=("people", "min"), most_people=("people", "max"),
        peak_stock=("stock", "max"), peak_backlog=("backlog", "max"), lost=("lost", "sum"), on_time=("on_time", "sum"), demand=("demand", "sum"))
    out["service"] = out.pop("on_time") / out.pop("demand").where(lambda d: d > 0)
    out = out.merge(passed.rename("breaks").reset_index(), on=by, how="left")
    kept = out["cost"].where(out["breaks"] == "")
    rest = [name for name in by if name != "strategy"]
    out["more"] = out["cost"] - (kept.groupby([out[name] for name in rest]).transform("min") if rest else kept.min())
    cents = out.assign(cost=out["cost"].round(2))  # plans that cost the same stand in the order of their names
    return out.loc[cents.sort_values([*rest, "cost", "strategy"], kind="stable").index].reset_index(drop=True)


# --- families -------------------------------------------------------------------------------------------------------

def _families(plan, workforce, items, stock, policy, days, settings):
    """Each family with demand, as (family, demand by month, Costs). One that stands twice is not planned: `unplanned` names it."""
    plan, workforce, items, stock, policy = _entered(plan, workforce, items, stock, policy)
    family = items.set_index("item")["family"]
    once = ~workforce["family"].duplicated(keep=False)
    for row in workforce[once].sort_values("family").to_dict("records"):
        members = set(family.index) if row["family"] == "all" else set(family.index[family == row["family"]])
        demand = plan[plan["item"].isin(members)].groupby("month")["consensus"].sum()
        if demand.empty:
            continue
        said = {name: row[name] for name in GIVEN if name in row and (name in NEEDED or pd.notna(row[name]))}
        a_person = row["units_per_worker"]
        if days is not None:
            worked = days.reindex(demand.index).astype("float64")
            a_person = a_person * worked / worked.mean()
        own_terms = {"chase_stock": "kept", "opening_stock": _total(stock, "on_hand", members), "end_stock": max(_total(policy, "safety_stock", members), 0.0),
                     **said, **settings}
        yield row["family"], demand, Costs(opening_people=row["opening_people"], units_per_worker=a_person, **own_terms)


def _entered(plan, workforce, items, stock, policy):
    """The tables, fit to compute with; demand below zero is none, and of several counts of stock the latest holds."""
    given = {"plan": plan, "workforce": workforce, "items": items, "stock": stock, "policy": policy}
    plan, workforce, items, stock, policy = door.enter(WANTS, given)
    return plan.assign(consensus=plan["consensus"].clip(lower=0.0)), workforce, items, door.latest(stock), policy


def _unclear(workforce, items):
    """Rows of UNPLANNED, without their position, for families that stand twice, or that no item belongs to."""
    known = {"all", *items["family"].dropna()}
    counts = workforce["family"].value_counts().sort_index()
    wrong = [(name, f"stands {count} times", "one row a family", "Take the other rows out") for name, count in counts.items() if count > 1]
    wrong += [(name, "is no family of the items", "a family, or all", "Name it as the items do") for name in counts.index if name not in known]
    return [(name, {"limit": "family", "month": pd.NaT, "amount": math.nan, "alone": False, "because": "unplanned.wrong",
                    "values": json.dumps({"wrong": what, "allowed": allowed, "remedy": remedy}, ensure_ascii=False)}) for name, what, allowed, remedy in wrong]


def _total(table, column, members):
    return 0.0 if table is None else float(table.loc[table["item"].isin(members), column].sum())


def _in_the_way(family, demand, costs):
    """Rows of UNPLANNED for one family, without its position."""
    try:
        need, c = given(demand, costs, where=f"workforce, family {family}")
    except Problems as stopped:
        return [{"limit": p.where.rpartition(", ")[2], "month": pd.NaT, "amount": math.nan, "alone": False, "because": "unplanned.wrong",
                 "values": json.dumps({"wrong": p.wrong, "allowed": p.allowed, "remedy": p.remedy}, ensure_ascii=False)} for p in stopped.problems]
    told = infeasible.explain(need, c)
    return [{"limit": r["limit"], "month": demand.index[int(r["month"])], "amount": r["by"], "alone": bool(r["alone"]), "because": f"unplanned.{r['limit']}",
             "values": json.dumps({"by": r["by"], "month": f"{demand.index[int(r['month'])]:%Y-%m}"})} for r in told.to_dict("records")]


def _months(demand):
    return demand.index if isinstance(demand, pd.Series) else pd.RangeIndex(1, len(demand) + 1)


def _priced(demand, need, flows, c):
    """The month table with cost by term, their sum, and the limits it passes."""
    shadow = flows.get("shadow", np.full(len(need), math.nan))
    out = pd.DataFrame({"month": _months(demand), "demand": need, **{name: flows[name] for name in FLOWS}, "shadow": shadow, **costs_of(flows, c)})
    passed = broken(need, flows, c).groupby("month")["limit"].agg("; ".join)
    out["breaks"] = passed.reindex(range(len(need)), fill_value="").to_numpy()
    return out.assign(cost=out[TERMS].sum(axis=1))
