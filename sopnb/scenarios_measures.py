"""What a plan of supply comes to, in one line of measures, and how two of them differ, in parts that add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sopnb.scenarios_change import KEY, unit_money

# What moves the result, in the order of the page.
PARTS = ("volume", "price", "cost", "hours", "late", "people", "keeping")
PEOPLE = ("cost_regular", "cost_overtime", "cost_hiring", "cost_layoff", "cost_subcontract")
EVERYWHERE = 1e-9


def money_of(plan: pd.DataFrame, missing: pd.DataFrame, path: pd.DataFrame | None, people: pd.DataFrame | None, within: Any, workforce: pd.DataFrame | None, *,
             holding_rate: float, wait_cost: float, wages_in_cost: bool) -> dict[str, float]:
    """The terms of the result, in money.

    margin    planned, at unit cost
    hours     margin of sales that the hours never make, and wait_cost of the margin of what they make late, for every month
    late      wait_cost of the margin of what waits for stock, for every month, beyond what waits for hours anyway
    people    what people cost beyond the wages in unit cost: Σ regular, overtime, hiring, laying off, subcontracting, less the units made
              × regular_cost / units_per_worker (where wages_in_cost); without a workforce table, overtime of the plan within the hours
    keeping   holding_rate / 12 × stock at cost, Σ month ends
    result    margin − hours − late − people − keeping
    """
    margin = missing["margin"].clip(lower=0.0)
    lost = float((missing["lost"] * margin).sum())
    by_hours = missing["owed_hours"]
    waits = (missing["owed_stock"] - by_hours).clip(lower=0.0)
    out = {"margin": float(plan["margin"].sum()), "hours": lost + wait_cost * float((by_hours * margin).sum()), "late": wait_cost * float((waits * margin).sum()),
           "people": _people(people, within, workforce, wages_in_cost),
           "keeping": 0.0 if path is None else holding_rate / 12 * float(in_stock(path).sum())}
    return {**out, "result": out["margin"] - out["hours"] - out["late"] - out["people"] - out["keeping"]}


def in_stock(path: pd.DataFrame) -> pd.Series:
    """Stock at each month end at cost, what is owed left out: it is in no warehouse."""
    return path["closing"] + path["owed"]


def with_ahead(path: pd.DataFrame | None, within: Any, before: Any, items: pd.DataFrame) -> pd.DataFrame | None:
    """The stock path of a plan whose hours are not those of the base: what must be made earlier lies in stock until then.

    path      month   closing, owed (money), from netting.at_cost, which knows no hours
    within, before   constrained.Constrained of the plan and of the base; None: nothing is made earlier
    returns   the path with closing + what hours make it hold − what they make the base hold
    """
    if path is None or within is None or before is None or within is before:
        return path
    more = _ahead(within, items).sub(_ahead(before, items), fill_value=0.0)
    return path.assign(closing=path["closing"] + path["month"].map(more).fillna(0.0))


def _ahead(within: Any, items: pd.DataFrame) -> pd.Series:
    """month: money at cost in stock of the plan within the hours, less what the same plan would hold if hours never lacked: goods made in
    the month that needs them, safety stock whole."""
    rows = within.items
    if rows.empty:
        return pd.Series(dtype="float64")
    wide = {name: rows.pivot(index="item", columns="month", values=name) for name in ("opening", "receipts", "demand", "safety_stock", "stock")}
    free, held = np.zeros(wide["stock"].shape), wide["opening"].iloc[:, 0].to_numpy()
    for month in range(free.shape[1]):
        held = np.maximum(held + (wide["receipts"] - wide["demand"]).iloc[:, month].to_numpy(), wide["safety_stock"].iloc[:, month].to_numpy())
        free[:, month] = held
    cost = items.set_index("item")["unit_cost"].astype("float64").reindex(wide["stock"].index).fillna(0.0)
    return (wide["stock"] - free).mul(cost, axis=0).sum()


def _people(people: pd.DataFrame | None, within: Any, workforce: pd.DataFrame | None, wages_in_cost: bool) -> float:
    if people is None or people.empty or workforce is None:
        return 0.0 if within is None else float(within.costs.set_index("what")["amount"]["overtime"])
    spent = float(people[list(PEOPLE)].fillna(0.0).to_numpy().sum())
    if not wages_in_cost:
        return spent
    own = workforce.set_index("family")
    wage = (own["regular_cost"] / own["units_per_worker"].where(own["units_per_worker"] > 0)).fillna(0.0)
    made = people["regular"] + people["overtime"] + people["subcontract"]
    return spent - float((made * people["family"].map(wage)).sum())


def measured(plan: pd.DataFrame, missing: pd.DataFrame, path: pd.DataFrame | None, load: pd.DataFrame | None, people: pd.DataFrame | None,
             projection: pd.DataFrame | None, money: dict[str, float]) -> dict[str, Any]:
    """The measures of a plan.

    revenue, margin         money, planned less what the hours never make
    stock_mean, stock_peak  money in stock at month end
    service                 share of the plan's money served in its month
    peak_load, peak_resource, peak_month   hours needed as a share of hours available, where that is highest
    people                  people, in the month with most of them, of the cheapest aggregate plan; supply_cost its cost (money)
    below                   share of months × items × locations with a safety stock that end below it
    at_risk                 money of sales that come late or never
    result                  money, see `money_of`
    """
    planned = float(plan["revenue"].sum())
    short = np.minimum(np.maximum(missing["stock"], missing["late"] + missing["lost"]), missing["demand"])
    at_risk = float((short * missing["price"]).sum())
    out: dict[str, Any] = {
        "revenue": planned - float((missing["lost"] * missing["price"]).sum()), "margin": money["margin"] - float((missing["lost"] * missing["margin"]).sum()),
        "stock_mean": np.nan if path is None else float(in_stock(path).mean()), "stock_peak": np.nan if path is None else float(in_stock(path).max()),
        "service": 1 - at_risk / planned if planned else np.nan, **_peak(load), **_crew(people), "below": _below(projection), "at_risk": at_risk}
    return {**out, "result": money["result"]}


def _peak(load: pd.DataFrame | None) -> dict[str, Any]:
    if load is None or not (load["available"] > 0).any():
        return {"peak_load": np.nan, "peak_resource": None, "peak_month": pd.NaT}
    share = load["hours"] / load["available"].where(load["available"] > 0)
    shut = (load["available"] <= 0) & (load["hours"] > 0)  # work and no hours at all: nothing is a higher load
    row = load.loc[(load["hours"].where(shut).idxmax() if shut.any() else share.idxmax())]
    return {"peak_load": np.inf if shut.any() else float(share.max()), "peak_resource": row["resource"], "peak_month": row["month"]}


def _crew(people: pd.DataFrame | None) -> dict[str, float]:
    if people is None or people.empty:
        return {"people": np.nan, "supply_cost": np.nan}
    return {"people": float(people.groupby("month")["people"].sum().max()), "supply_cost": float(people["cost"].sum())}


def _below(projection: pd.DataFrame | None) -> float:
    held = None if projection is None else projection[projection["safety_stock"] > 0]
    return np.nan if held is None or held.empty else float((held["closing"] < held["safety_stock"] - EVERYWHERE).mean())


# --- the difference in parts ------------------------------------------------------------------------------------------

def split(base: Any, other: Any) -> dict[str, float]:
    """The difference of two results, part by part: what `other` has more than `base`. They add up to it.

    volume   Σ (units1 − units0) × (price0 − cost0)
    price    Σ (price1 − price0) × units1
    cost     −Σ (cost1 − cost0) × units1       over item × location × month, so that a shift between items is volume
    hours, late, people, keeping   what each costs less
    """
    return {**price_volume(base.tables, other.tables), **{name: base.money[name] - other.money[name] for name in PARTS[3:]}}


def price_volume(one: Any, two: Any) -> dict[str, float]:
    """The difference of two planned margins: volume, price and cost. A row of one plan only has its own price and cost in both."""
    if one.plan is two.plan:
        return {"volume": 0.0, "price": 0.0, "cost": 0.0}
    sides = [given.plan[KEY].assign(units=given.plan["consensus"], **unit_money(given.plan, given.items)) for given in (one, two)]
    both = sides[0].merge(sides[1], on=KEY, how="outer", suffixes=("0", "1"))
    units0, units1 = both["units0"].fillna(0.0), both["units1"].fillna(0.0)
    first, second = units0 > 0, units1 > 0
    money = {}
    for name in ("price", "cost"):
        before, after = both[f"{name}0"].where(first, both[f"{name}1"]), both[f"{name}1"].where(second, both[f"{name}0"])
        money[name] = before, (after - before) * units1
    return {"volume": float(((units1 - units0) * (money["price"][0] - money["cost"][0])).sum()), "price": float(money["price"][1].sum()), "cost": -float(money["cost"][1].sum())}
