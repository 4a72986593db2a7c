"""Components: what the orders for parents need, through every level of the bill of materials."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

SERIES = ["item", "location"]


class BomError(ValueError):
    """A bill of materials that cannot be exploded. The message shows the path that closes on itself."""


def levels(bom):
    """Low-level code of every item: the longest way down to it from a final product, which is 0.

    bom      item × component
    returns  item: level, as a Series sorted by level and item
    raises   BomError where an item contains itself, with the path

    A component used on several levels takes the lowest, so that all its requirements are known when it is planned.
    """
    children = {item: sorted(set(part)) for item, part in bom.groupby("item")["component"]}
    level: dict[str, int] = {}
    for root in sorted(set(bom["item"]) | set(bom["component"])):
        if root not in level:
            _depth(root, children, level)
    below = dict.fromkeys(level, 0)
    for item in sorted(level, key=lambda name: (-level[name], name)):  # parents before their components
        for part in children.get(item, ()):
            below[part] = max(below[part], below[item] + 1)
    out = pd.Series(below, name="level", dtype="int64").rename_axis("item")
    return out.reset_index().sort_values(["level", "item"]).set_index("item")["level"]


def _depth(root, children, height):
    """Height of everything below root, walked without recursion; a path that meets itself is refused."""
    path, on_path = [root], {root}
    waiting = [iter(children.get(root, ()))]
    while path:
        part = next((p for p in waiting[-1] if p not in height), None)
        if part is None:
            item = path.pop()
            on_path.discard(item)
            waiting.pop()
            height[item] = 1 + max((height[p] for p in children.get(item, ())), default=-1)
        elif part in on_path:
            circle = [*path[path.index(part):], part]
            raise BomError(f"`bom` closes on itself: {' → '.join(circle)}. Take one of these rows out, or end it with valid_to.")
        else:
            path.append(part)
            on_path.add(part)
            waiting.append(iter(children.get(part, ())))


def explode(orders, bom, *, first, net: Callable | None = None, offset=True):
    """Gross requirements of components by month, level by level.

    orders   order                      item, location, release, due, quantity (units): planned orders of parents
    bom      item × component           quantity (units per unit of item), scrap (fraction), phantom, valid_from, valid_to
    first    month before which nothing can be required: earlier needs fall into it
    net      turns a level's requirements (item × location × month, consensus) into planned orders, as netting.net does;
             None: components have no stock, and what is required is ordered
    offset   True: required when the parent's order is released; False: in the month the parent is due
    returns  item × location × month    consensus (units required), level

    required = parent quantity × quantity / (1 − scrap). A parent marked phantom is not stocked: it is neither netted nor
    given time, its components are required when it is. A row counts where the day the parent is due lies in its dates.
    raises   BomError where an item contains itself
    """
    first = pd.Timestamp(first)
    rank = levels(bom)
    rows = _rows(bom)
    phantom = set(rows.loc[rows["phantom"], "item"])
    pending = [_parents(orders)]
    found = []
    for level in range(1, int(rank.max()) + 1 if len(rank) else 0):
        parents = pd.concat(pending, ignore_index=True)
        need = _single(parents, rows, rank, level, phantom, first, offset)
        if need.empty:
            continue
        gross = need.groupby([*SERIES, "month"], as_index=False)["consensus"].sum()
        found.append(gross.assign(level=level))
        pending += _next_parents(need, gross, phantom, net)
    if not found:
        return pd.DataFrame({"item": pd.Series(dtype=object), "location": pd.Series(dtype=object), "month": pd.Series(dtype="datetime64[ns]"),
                             "consensus": pd.Series(dtype="float64"), "level": pd.Series(dtype="int64")})
    return pd.concat(found, ignore_index=True).sort_values([*SERIES, "month"], kind="stable").reset_index(drop=True)


def _rows(bom):
    rows = bom[["item", "component", "quantity"]].copy()
    rows["per"] = rows.pop("quantity") / (1 - bom["scrap"].fillna(0.0)) if "scrap" in bom else rows.pop("quantity")
    rows["phantom"] = bom["phantom"].fillna(False).astype(bool) if "phantom" in bom else False
    for name, open_end in (("valid_from", pd.Timestamp.min), ("valid_to", pd.Timestamp.max)):
        rows[name] = bom[name].fillna(open_end) if name in bom else open_end
    return rows


def _parents(orders):
    return orders[[*SERIES, "release", "due", "quantity"]]


def _single(parents, rows, rank, level, phantom, first, offset):
    """What the parents' orders need of the components that have this level."""
    here = rows[rows["component"].map(rank) == level]
    need = parents.merge(here, on="item")
    need = need[(need["due"] >= need["valid_from"]) & (need["due"] <= need["valid_to"])]
    day = need["release"].where(~need["item"].isin(phantom), need["due"]) if offset else need["due"]
    month = day.dt.to_period("M").dt.to_timestamp().clip(lower=first)
    return pd.DataFrame({"item": need["component"], "location": need["location"], "month": month, "day": day,
                         "consensus": need["quantity"] * need["per"]})


def _next_parents(need, gross, phantom, net):
    """Orders that this level's requirements lead to: phantoms pass through, the rest is netted or ordered as required."""
    through = need[need["item"].isin(phantom)]
    passed = through.rename(columns={"consensus": "quantity"}).assign(release=through["day"], due=through["day"])
    stocked = gross[~gross["item"].isin(phantom)]
    if net is not None and len(stocked):
        return [_parents(passed), _parents(net(stocked))]
    ordered = stocked.rename(columns={"consensus": "quantity"}).assign(release=stocked["month"], due=stocked["month"])
    return [_parents(passed), _parents(ordered)]


def made_at(orders, lanes):
    """Orders where they are made: the location at the far end of the lanes that supply the one that needs them.

    orders   order               item, location, …
    lanes    item × location     source_location; None: made where it is needed
    returns  orders with that location; a lane that leads back to where it began ends there
    """
    if lanes is None or lanes.empty:
        return orders
    source = lanes.drop_duplicates(SERIES).set_index(SERIES)["source_location"].to_dict()
    out = orders.copy()
    out["location"] = [_far_end(item, location, source) for item, location in zip(orders["item"], orders["location"], strict=True)]
    return out


def _far_end(item, location, source):
    seen = {location}
    while (item, location) in source and source[item, location] not in seen:
        location = source[item, location]
        seen.add(location)
    return location


def with_components(plan, need, stock):
    """Demand for everything whose stock is counted: what customers ask for, and what the orders of parents need.

    plan     item × location × month   consensus, revenue, margin: independent demand
    need     item × location × month   consensus: from `explode`
    stock    item × location           components that are not counted anywhere are left out: see `uncounted`
    returns  item × location × month   consensus (units), revenue, margin; a row for every month of every series
    """
    known = need[need["item"].isin(set(stock["item"])) & need["month"].isin(set(plan["month"]))]
    columns = ["consensus", "revenue", "margin"]
    both = pd.concat([plan[[*SERIES, "month", *columns]], known[[*SERIES, "month", "consensus"]]], ignore_index=True)
    sums = both.groupby([*SERIES, "month"], as_index=False)[columns].sum()
    grid = sums[SERIES].drop_duplicates().merge(pd.DataFrame({"month": sorted(plan["month"].unique())}), how="cross")
    return grid.merge(sums, on=[*SERIES, "month"], how="left").fillna({name: 0.0 for name in columns})


def uncounted(need, stock, items, *, months):
    """Components without a stock count: what is needed of them is known, what must be bought is not.

    need     item × location × month   consensus (units required)
    stock    item × location
    items    item                      name, unit_cost; a component may be missing from it
    months   the months added up
    returns  item   name, consensus (units), amount (money at cost; missing without a cost), the largest first
    """
    rows = need[~need["item"].isin(set(stock["item"])) & need["month"].isin(list(months))]
    out = rows.groupby("item", as_index=False)["consensus"].sum().merge(items[["item", "name", "unit_cost"]], on="item", how="left")
    out["name"] = out["name"].fillna(out["item"])
    out["amount"] = out["consensus"] * out.pop("unit_cost")
    return out.sort_values(["amount", "consensus", "item"], ascending=[False, False, True], kind="stable").reset_index(drop=True)
