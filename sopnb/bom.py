"""Components: which level each lies on, and what is needed of those whose stock is counted, and of those whose is not.

What planned orders need of components is netted in `netting.requirements`, level by level with everything else.
"""

from __future__ import annotations

import pandas as pd

from sopnb import network

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
    pairs = list(zip(bom["item"], bom["component"], strict=True))
    closing = network.closing_links(pairs)
    if closing:
        path = closing[min(closing)]
        raise BomError(f"`bom` closes on itself: {' → '.join(path)}. Take one of these rows out, or end it with valid_to.")
    names = sorted({name for pair in pairs for name in pair})
    number = {name: i for i, name in enumerate(names)}
    rank = network.ranks([number[a] for a, _ in pairs], [number[b] for _, b in pairs], len(names))
    out = pd.DataFrame({"item": pd.Series(names, dtype=object), "level": rank.astype("int64")})
    return out.sort_values(["level", "item"], kind="stable").set_index("item")["level"]


def with_components(plan, need, stock):
    """Demand for everything whose stock is counted: what customers ask for, and what the orders of parents need.

    plan     item × location × month   consensus, revenue, margin: independent demand
    need     item × location × month   consensus: Requirements.need
    stock    item × location           components that are not counted anywhere are left out: see `uncounted`
    returns  item × location × month   consensus (units), revenue, margin; a row for every month of every series
    """
    known = need[need["item"].isin(set(stock["item"])) & need["month"].isin(set(plan["month"]))]
    columns = ["consensus", "revenue", "margin"]
    both = pd.concat([plan[[*SERIES, "month", *columns]], known[[*SERIES, "month", "consensus"]]], ignore_index=True)
    sums = both.groupby([*SERIES, "month"], as_index=False)[columns].sum()
    grid = sums[SERIES].drop_duplicates().merge(pd.DataFrame({"month": sorted(plan["month"].unique())}), how="cross")
    return grid.merge(sums, on=[*SERIES, "month"], how="left").fillna({name: 0.0 for name in columns})


def uncounted(need, stock, items, *, months, bom=None):
    """Components without a stock count: what is needed of them is known, what must be bought is not.

    need     item × location × month   consensus (units required)
    stock    item × location
    items    item                      name, unit_cost; a component may be missing from it
    months   the months added up
    bom      item × component          phantom: what is never stocked need not be counted; None: everything is stocked
    returns  item   name, consensus (units), amount (money at cost; missing without a cost), the largest first
    """
    through = set() if bom is None or "phantom" not in bom else set(bom.loc[bom["phantom"].fillna(False).astype(bool), "item"])
    need = need[~need["item"].isin(through)]
    rows = need[~need["item"].isin(set(stock["item"])) & need["month"].isin(list(months))]
    out = rows.groupby("item", as_index=False)["consensus"].sum().merge(items[["item", "name", "unit_cost"]], on="item", how="left")
    out["name"] = out["name"].fillna(out["item"])
    out["amount"] = out["consensus"] * out.pop("unit_cost")
    return out.sort_values(["amount", "consensus", "item"], ascending=[False, False, True], kind="stable").reset_index(drop=True)
