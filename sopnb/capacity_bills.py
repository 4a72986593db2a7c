"""Hours that a plan needs, by the three rough-cut ways of the books: overall factors, capacity bills, resource profiles.

    overall_factors   one number of hours a unit, shared out to resources by what they took in the past: no routings needed
    capacity_bill     hours a unit of each resource, components included: sees a change of mix
    required          the same with the hours in the periods before the due one in which they fall: a resource profile

Periods are months (timestamps) or plain numbers; an offset counts periods before the one in which the goods are due.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

PAST = ("keep", "first", "drop")


def overall_factors(made, factors, shares):
    """Capacity planning using overall factors: all hours of a period, shared out as resources shared them in the past.

    made      item × month   quantity (units)
    factors   item           hours_per_unit (hours of all resources together)
    shares    resource       share (fraction of all hours), as `historical_shares` finds it
    returns   resource × month   hours = share × Σ quantity × hours_per_unit

    source    Vollmann, Berry, Whybark and Jacobs, Manufacturing Planning and Control, capacity planning

    >>> made, factors = pd.DataFrame({"item": ["A"], "month": [1], "quantity": [10.0]}), pd.DataFrame({"item": ["A"], "hours_per_unit": [2.0]})
    >>> overall_factors(made, factors, pd.DataFrame({"resource": ["M1", "M2"], "share": [0.7, 0.3]})).values.tolist()
    [['M1', 1, 14.0], ['M2', 1, 6.0]]
    """
    whole = made.merge(factors[["item", "hours_per_unit"]], on="item")
    whole = whole.assign(hours=whole["quantity"] * whole["hours_per_unit"]).groupby("month", as_index=False)["hours"].sum()
    out = shares[["resource", "share"]].merge(whole, how="cross")
    return _sorted(out.assign(hours=out["hours"] * out["share"])[["resource", "month", "hours"]])


def historical_shares(worked):
    """The share that each resource had of all hours.

    worked    resource   hours; several rows of one resource add up
    returns   resource   share (fraction; together 1)
    """
    hours = worked.groupby("resource")["hours"].sum()
    return (hours / hours.sum()).rename("share").reset_index()


def capacity_bill(routings, bom=None, leads=None):
    """Hours of every resource in one unit of an item and of all that goes into it, and how long before the due period they fall.

    routings  item × resource    hours_per_unit (run hours a unit); optional: setup_hours (hours a lot) with lot (units), offset_months
              or offset (periods before the item is due in which the work is done; 0 where missing). Several rows of one resource add up
    bom       item × component   quantity (units a unit), scrap (fraction); None: no components
    leads     item               lead (periods from the start of its work to its due date): its components are due that much earlier;
              None: in the same period
    returns   item × resource × offset   hours_per_unit, in one unit of the item
    raises    ValueError for a bill in a circle, with its path

    hours = run + setup / lot.  A component's hours = quantity / (1 − scrap) × its own bill, its lead added to its offset.
    With every offset 0 this is the bill of capacity; with leads the resource profile.

    source    Vollmann, Berry, Whybark and Jacobs: bill of capacity, resource profile; Hopp and Spearman, Factory Physics, rough-cut
    """
    own = _own(routings)
    if bom is None or bom.empty:
        return _bill(own)
    hours = exploded(bom, leads, items=own["item"]).merge(own.rename(columns={"item": "component"}), on="component")
    return _bill(hours.assign(offset=hours["offset"] + hours["earlier"], hours_per_unit=hours["hours_per_unit"] * hours["per"]))


def exploded(bom, leads=None, *, items=()):
    """What goes into one unit of every item, through all levels; the item itself is its own first part.

    bom       item × component   quantity (units a unit), scrap (fraction)
    leads     item               lead (periods); None: none
    items     further items, that have no bill
    returns   item × component × earlier   per (units in one unit), earlier (periods before the item is due)
    raises    ValueError for a bill in a circle, with its path
    """
    scrap = bom["scrap"].fillna(0.0) if "scrap" in bom else 0.0
    ways = pd.DataFrame({"component": bom["item"], "next": bom["component"], "per_next": bom["quantity"] / (1 - scrap)})
    ways["earlier_next"] = ways["component"].map({} if leads is None else leads.set_index("item")["lead"].to_dict()).fillna(0.0).astype("float64")
    _no_circle(ways)
    everything = sorted({*ways["component"], *ways["next"], *items})
    reached = pd.DataFrame({"item": everything, "component": everything, "per": 1.0, "earlier": 0.0})
    levels = []
    while len(reached):
        levels.append(reached)
        below = reached.merge(ways, on="component")
        reached = pd.DataFrame({"item": below["item"], "component": below["next"], "per": below["per"] * below["per_next"],
                                "earlier": below["earlier"] + below["earlier_next"]})
        reached = reached.groupby(["item", "component", "earlier"], as_index=False)["per"].sum()
    return pd.concat(levels, ignore_index=True).groupby(["item", "component", "earlier"], as_index=False)["per"].sum()


def behind(sums, bom, as_of):
    """What the sales of everything that an item goes into come to, for one unit of the item.

    sums     item (index)   consensus (units), revenue, margin (money): what is planned to be sold
    bom      item × component   quantity, scrap, valid_from, valid_to; None: items stand for themselves
    as_of    today
    returns  item (index)   unit_revenue, unit_margin (money a unit). A part counts all of the sales that wait for it: for every part of a
             bicycle the bicycle. A bill in a circle is not used
    """
    own = sums.rename_axis("item").reset_index()
    parts = _parts(bom, as_of, own["item"])
    if parts is None:
        parts = pd.DataFrame({"item": own["item"], "component": own["item"], "per": 1.0})
    of = parts.groupby(["item", "component"], as_index=False)["per"].sum().merge(own, on="item")
    of["consensus"] *= of["per"]
    whole = of.groupby("component")[["consensus", "revenue", "margin"]].sum()
    units = whole["consensus"].where(whole["consensus"] > 0)
    return pd.DataFrame({"unit_revenue": whole["revenue"] / units, "unit_margin": whole["margin"] / units}).fillna(0.0).rename_axis("item")


def _parts(bom, as_of, items):
    """The bill that holds today, exploded; None where there is none, or where it goes in a circle."""
    if bom is None or bom.empty:
        return None
    day = pd.Timestamp(as_of)
    good = (bom["quantity"] > 0) & ~(bom["scrap"] >= 1 if "scrap" in bom else False)
    for name, late in (("valid_from", True), ("valid_to", False)):
        if name in bom:
            good &= bom[name].isna() | ((bom[name] <= day) if late else (bom[name] >= day))
    try:
        return exploded(bom[good], items=items)
    except ValueError:
        return None


def with_parts(routings, bom, as_of):
    """Routings of the items that customers buy, with the hours of all that goes into them: for plans that know no orders for parts.

    routings  item × resource    hours_per_unit
    bom       item × component   quantity, scrap, valid_from, valid_to; None: routings as they are
    as_of     today: rows of the bill that do not hold then are left out
    returns   item × resource    hours_per_unit; as if no part were in stock. A bill in a circle is not used: netting has a finding for it
    """
    own = _own(routings[routings["hours_per_unit"] > 0])
    parts = _parts(bom, as_of, own["item"])
    if parts is None:
        return routings
    bill = parts.merge(own.rename(columns={"item": "component"}), on="component")
    whole = bill.assign(hours_per_unit=bill["hours_per_unit"] * bill["per"]).groupby(["item", "resource"], as_index=False)["hours_per_unit"].sum()
    wrong = routings.loc[~(routings["hours_per_unit"] > 0), ["item", "resource", "hours_per_unit"]]
    return pd.concat([whole, wrong], ignore_index=True)  # what cannot be stays, so that it is told


def required(made, bill, *, past="keep"):
    """Hours by resource and period: every unit takes its bill's hours, offset periods before it is due.

    made      item × month   quantity (units)
    bill      item × resource (× offset)   hours_per_unit (hours); offset 0 where there is none. Parts of a period are shared between
              the two periods around them
    past      hours that fall before the first period of `made`: keep them there; first: they count in the first; drop
    returns   resource × month   hours
    raises    ValueError for another `past`

    >>> made = pd.DataFrame({"item": ["A", "A"], "month": [1, 2], "quantity": [10.0, 20.0]})
    >>> bill = pd.DataFrame({"item": ["A"], "resource": ["M"], "offset": [1], "hours_per_unit": [0.5]})
    >>> required(made, bill).values.tolist(), required(made, bill, past="first").values.tolist()
    ([['M', 0, 5.0], ['M', 1, 10.0]], [['M', 1, 15.0]])
    """
    if past not in PAST:
        raise ValueError(f"past is one of {', '.join(PAST)}; not {past}.")
    rows = made[["item", "month", "quantity"]].merge(bill, on="item")
    rows = rows.assign(hours=rows["quantity"] * rows["hours_per_unit"])
    rows = offset(rows, ["hours"])
    if past != "keep" and len(made):
        first = made["month"].min()
        rows = rows[rows["month"] >= first] if past == "drop" else rows.assign(month=rows["month"].clip(lower=first))
    return _sorted(rows.groupby(["resource", "month"], as_index=False)["hours"].sum())


def offset(rows, amounts):
    """Amounts moved `offset` periods before their month; a part of a period is shared between the two around it.

    rows      month, offset (periods; missing: 0), and the amounts
    returns   the rows, some of them as two
    """
    if "offset" not in rows or not rows["offset"].fillna(0).any():
        return rows
    away = rows["offset"].fillna(0.0).astype("float64")
    whole = np.floor(away + 1e-9)
    part = (away - whole).where(away - whole > 1e-9, 0.0)
    near = rows.assign(month=_earlier(rows["month"], whole), **{name: rows[name] * (1 - part) for name in amounts})
    far = rows.assign(month=_earlier(rows["month"], whole + 1), **{name: rows[name] * part for name in amounts})[part > 0]
    return pd.concat([near, far], ignore_index=True)


def against(hours, capacity):
    """Load beside capacity: how full each resource is, and what is too much.

    hours     resource × month   hours
    capacity  resource × month   available_hours; optional: overtime_hours (hours at most), overtime_rate, cost_rate (money an hour)
    returns   resource × month   hours, available, ratio (hours / available), overload (hours above available), spare (hours below it),
              beyond (hours that overtime cannot take either), cost (money: overtime for what it can take)

    Every resource and month of either table is there. Without capacity all but hours is missing: unknown is not zero. Without an
    overtime rate, 1.5 × cost_rate. Hours on a resource without any available have no ratio: it is infinite.
    """
    out = hours.merge(capacity, on=["resource", "month"], how="outer").reset_index(drop=True)
    out["hours"], out["available"] = out["hours"].fillna(0.0), out["available_hours"].astype("float64")
    blank = pd.Series(np.nan, index=out.index)
    overtime, rate, regular = (out[name].astype("float64") if name in out else blank for name in ("overtime_hours", "overtime_rate", "cost_rate"))
    out["ratio"] = ratio(out["hours"], out["available"])
    out["overload"], out["spare"] = (out["hours"] - out["available"]).clip(lower=0.0), (out["available"] - out["hours"]).clip(lower=0.0)
    within = np.minimum(out["overload"], overtime.fillna(0.0))
    out["beyond"], out["cost"] = out["overload"] - within, within * rate.fillna(1.5 * regular).fillna(0.0)
    return _sorted(out[["resource", "month", "hours", "available", "ratio", "overload", "spare", "beyond", "cost"]])


def ratio(hours, available):
    """Hours needed as a share of hours available: infinite where there are none, missing where neither is.

    >>> ratio(pd.Series([50.0, 5.0, 0.0]), pd.Series([100.0, 0.0, 0.0])).tolist()
    [0.5, inf, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(np.asarray(hours, float) / np.asarray(available, float), index=hours.index)


# --- parts ------------------------------------------------------------------------------------------------------------

def _own(routings):
    """Hours of each item itself: run, and its share of a lot's setup."""
    hours = routings["hours_per_unit"].astype("float64")
    if {"setup_hours", "lot"} <= set(routings):
        hours = hours + (routings["setup_hours"] / routings["lot"]).fillna(0.0)
    named = next((name for name in ("offset", "offset_months") if name in routings), None)
    away = routings[named].fillna(0.0) if named else 0.0
    return pd.DataFrame({"item": routings["item"], "resource": routings["resource"], "offset": away, "hours_per_unit": hours})


def _bill(rows):
    out = rows.groupby(["item", "resource", "offset"], as_index=False)["hours_per_unit"].sum()
    return out.sort_values(["item", "resource", "offset"], kind="stable").reset_index(drop=True)


def _no_circle(ways):
    """Refuse a bill that comes back to where it began."""
    below = ways.groupby("component")["next"].agg(list).to_dict()
    done: set = set()
    for start in below:
        path, turns = [start], [iter(below.get(start, ()))]
        while path:
            step = next(turns[-1], None)
            if step is None:
                done.add(path.pop())
                turns.pop()
            elif step in path:
                circle = " → ".join([*path[path.index(step):], step])
                raise ValueError(f"The bill of materials goes in a circle: {circle}. Take one of these rows out of bom.")
            elif step not in done:
                path.append(step)
                turns.append(iter(below.get(step, ())))


def _earlier(month, periods):
    """A period so many before: months by the calendar, numbers by subtraction."""
    if not pd.api.types.is_datetime64_any_dtype(month):
        return month - periods.astype("int64")
    place = month.dt.year * 12 + month.dt.month - 1 - periods.astype("int64")
    return pd.to_datetime({"year": place // 12, "month": place % 12 + 1, "day": 1})


def _sorted(table):
    return table.sort_values(["resource", "month"], kind="stable").reset_index(drop=True)
