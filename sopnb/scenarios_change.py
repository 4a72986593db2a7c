"""What a change does to the tables: each gives new tables and leaves those it was given as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, plan, what_if
from sopnb.scenarios_read import Change, with_setting

# Mean price elasticity of 367 studies: Tellis (1988), The price elasticity of selective demand, Journal of Marketing Research 25.
ELASTICITY = -1.76
KEY = ["item", "location", "month"]


def apply(one: Change, tables: Any, rules: Any) -> tuple[Any, Any]:
    """The tables and the supply rules after one change.

    demand      units × (1 + by)
    price       price × (1 + by), units × (1 + by) ^ elasticity
    cost        unit cost × (1 + by)
    capacity    regular and overtime hours × (1 + by)
    down        regular and overtime hours × (1 − share of the month's days in the standstill)
    lead_time   lead time of the items × factor, or + days; their deviation stays, and so do the days of orders already placed
    event       what the event adds to the baseline is taken from its months and added in those it is moved to
    setting     the number
    """
    if one.kind in ("demand", "price"):
        return replace(tables, plan=_sold(one, tables.plan, tables.items)), rules
    if one.kind == "cost":
        return _dearer(one, tables), rules
    if one.kind in ("capacity", "down"):
        return replace(tables, hours=_hours(one, tables.hours)), rules
    if one.kind == "lead_time":
        return replace(tables, items=_slower(one, tables, rules)), rules
    if one.kind == "event":
        return replace(tables, plan=_moved(one, tables)), rules
    return tables, with_setting(rules, one.said["setting"], one.said["value"])


def units_after(by: float, elasticity: float = ELASTICITY) -> float:
    """Units after a change of price, as a factor: (1 + by) ^ elasticity, the same at every price.

    >>> round(units_after(0.10, -2.0), 6)
    0.826446
    """
    return float((1 + by) ** elasticity)


def _sold(one: Change, plan: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    rows = _meant(one, plan, items)
    by = float(one.said["by"])
    if one.kind == "demand":
        return with_units(plan, plan["consensus"].where(~rows, plan["consensus"] * (1 + by)), items)
    units = plan["consensus"].where(~rows, plan["consensus"] * units_after(by, float(one.get("elasticity", ELASTICITY))))
    return with_units(plan, units, items, price=1 + by * rows)


def with_units(plan: pd.DataFrame, units: pd.Series, items: pd.DataFrame, *, price: Any = 1.0, cost: Any = 1.0, stream: str = "override") -> pd.DataFrame:
    """The plan with other units, prices and unit costs (as factors); rows of which nothing changes stay as they are.

    stream   the stream that takes the difference in units
    """
    units = units.clip(lower=0.0)
    change = (units != plan["consensus"]) | (np.asarray(price) != 1.0) | (np.asarray(cost) != 1.0)
    unit = unit_money(plan, items)
    revenue = units * unit["price"] * price
    margin = revenue - units * unit["cost"] * cost
    return plan.assign(
        consensus=units, price=plan["price"] * price, revenue=plan["revenue"].where(~change, revenue), margin=plan["margin"].where(~change, margin),
        **{stream: plan[stream] + (units - plan["consensus"])})


def unit_money(plan: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """price and cost of a unit of every row of the plan (money), as its revenue and margin have them; where nothing is planned,
    its price and the item's unit cost."""
    units = plan["consensus"].where(plan["consensus"] > 0)
    listed = plan["item"].map(items.set_index("item")["unit_cost"]).astype("float64")
    price = (plan["revenue"] / units).fillna(plan["price"]).fillna(0.0)
    return pd.DataFrame({"price": price, "cost": ((plan["revenue"] - plan["margin"]) / units).fillna(listed).fillna(0.0)})


def _meant(one: Change, plan: pd.DataFrame, items: pd.DataFrame) -> pd.Series:
    """The rows of the plan that a change is meant for."""
    rows = _months(one, plan["month"])
    if one.get("family") is not None:
        rows &= plan["item"].isin(items.loc[items["family"] == one.said["family"], "item"])
    for word in ("item", "location"):
        rows &= plan[word] == one.said[word] if one.get(word) is not None else True
    return rows


def _months(one: Change, month: pd.Series) -> pd.Series:
    rows = pd.Series(True, index=month.index)
    if one.get("first") is not None:
        rows &= month >= frames.month(str(one.said["first"]))
    if one.get("last") is not None:
        rows &= month <= frames.month(str(one.said["last"]))
    return rows


def _dearer(one: Change, tables: Any) -> Any:
    meant, by = _items(one, tables), float(one.said["by"])
    items = tables.items.assign(unit_cost=tables.items["unit_cost"].where(~tables.items["item"].isin(meant), tables.items["unit_cost"] * (1 + by)))
    plan = with_units(tables.plan, tables.plan["consensus"], tables.items, cost=1 + by * tables.plan["item"].isin(meant))
    return replace(tables, items=items, plan=plan)


def _items(one: Change, tables: Any) -> set[str]:
    """The items a change is meant for: what a supplier last brought, a family, an item; all where it names none."""
    found = set(tables.items["item"])
    if one.get("supplier") is not None:
        last = tables.purchases.sort_values(["ordered", "order"], kind="stable").drop_duplicates("item", keep="last")
        found &= set(last.loc[last["supplier"] == one.said["supplier"], "item"])
    if one.get("family") is not None:
        found &= set(tables.items.loc[tables.items["family"] == one.said["family"], "item"])
    return found & {one.said["item"]} if one.get("item") is not None else found


def _slower(one: Change, tables: Any, rules: Any) -> pd.DataFrame:
    items, meant = tables.items, _items(one, tables)
    days = items["lead_time_days"].astype("float64").fillna(float(rules.lead_time_days))
    days = days * float(one.said["factor"]) if "factor" in one.said else (days + float(one.said["days"])).clip(lower=0.0)
    return items.assign(lead_time_days=items["lead_time_days"].where(~items["item"].isin(meant), days))


def _hours(one: Change, hours: pd.DataFrame) -> pd.DataFrame:
    mine = (hours["resource"] == one.said["resource"]).to_numpy()
    if one.kind == "down":
        start = pd.Timestamp(str(one.said["first"]))
        left = 1 - plan.month_share(start, start + pd.Timedelta(days=what_if.days_down(one.said) - 1), hours["month"])
    else:
        left = np.where(_months(one, hours["month"]), 1 + float(one.said["by"]), 1.0)
    factor = np.where(mine, left, 1.0)
    return hours.assign(available_hours=hours["available_hours"] * factor, overtime_hours=hours["overtime_hours"] * factor)


def _moved(one: Change, tables: Any) -> pd.DataFrame:
    event = tables.events[tables.events["event"] == one.said["event"]]
    event = event.assign(effect=float(one.get("effect", event["effect"].iloc[0])))
    days = frames.month(str(one.said["to"])) - event["start"].dt.to_period("M").dt.to_timestamp()
    moved = event.assign(start=event["start"] + days, end=event["end"] + days)
    difference = _adds(tables, moved) - _adds(tables, event)
    return with_units(tables.plan, tables.plan["consensus"] + difference, tables.items, stream="events")


def _adds(tables: Any, event: pd.DataFrame) -> np.ndarray:
    """Units that one event adds to each row, as the demand plan would."""
    rows = tables.plan[[*KEY, "baseline"]]
    months = pd.DatetimeIndex(sorted(rows["month"].unique()))
    added = plan.consensus(rows, items=tables.items, months=months, as_of=months[0], events=event)[[*KEY, "events"]]
    return rows[KEY].merge(added, on=KEY, how="left")["events"].fillna(0.0).to_numpy()
