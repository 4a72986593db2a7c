"""The S&OP sheet in its classic form: sales, production and stock of each family, plan beside actual, past and coming months.

    long = sheet(plan, projection, history, items, …)     every family, in units and money: SHEET
    wide = page_of(long, "Noodles", months)               nine rows: three measures × plan, actual, difference

Production is what came in, made or bought: closing − opening + sales + what went into other goods. Months past take the
plan that was made for them in their own month; coming months take this cycle's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import frames

MEASURES = ("sales", "production", "stock")
KINDS = ("plan", "actual", "difference")
VALUES = ["units", "amount"]


def sheet(plan, items, *, history, projection=None, past_plans=None, past_projections=None, stock_history=None, bill=None, months, past=3):
    """Sales, production and stock by family and month, in units and money.

    plan              item × location × month   consensus (units), revenue (money): this cycle's
    items             item                      family, unit_cost (money a unit)
    history           item × location × month   demand, shipped (units), revenue (money)
    projection        item × location × month   opening, closing, demand (units): this cycle's; None: no stock, no production
    past_plans, past_projections   the same with `cycle`, of earlier cycles
    stock_history     item × location × month   on_hand (units) at month end
    bill              item × component: of items that go into others as well all demand of the projection counts as taken, by customers, by
                      production and by shipments to another place. Of months past nobody wrote down what production took, so what
                      came in of a family with such an item is not known
    months            coming months shown; past: months before them
    returns           SHEET: family × measure × month   plan, actual, difference (actual − plan) in units, and the same in money

    Sales in money are revenue, production and stock are at standard cost. Only items that customers buy count. Stock that is owed
    counts below zero. A month past has a plan where its own cycle was held; production needs the stock of the month before as well.
    """
    first = months[0]
    before = pd.DatetimeIndex([frames.next_month(first, -k) for k in range(past, 0, -1)])
    sold = items[items["item"].isin(set(plan["item"]) | set(history["item"]))].set_index("item")
    family, cost = sold["family"], sold["unit_cost"].astype("float64").fillna(0.0)
    by, parts = _ByFamily(family, cost), set() if bill is None else set(bill["component"])
    own = _of_its_month(past_plans, before)
    rows = [
        ("sales", "plan", by.sums(_rows(plan, months, "consensus", "revenue"))),
        ("sales", "plan", by.sums(_rows(own, before, "consensus", "revenue"))),
        ("sales", "actual", by.sums(_rows(history, before, "demand", "revenue")))]
    if projection is not None:
        closing, came_in = _planned(by, projection[projection["month"].isin(months)], plan, parts)
        rows += [("stock", "plan", closing), ("production", "plan", came_in)]
    earlier = _of_its_month(past_projections, before)
    if len(earlier):
        closing, came_in = _planned(by, earlier, own, parts)
        rows += [("stock", "plan", closing), ("production", "plan", came_in)]
    if stock_history is not None and len(stock_history):
        held = by.at_cost(stock_history.rename(columns={"on_hand": "closing"}), "closing")
        came_in = _came_in(held[held["month"].isin(before)], _next(held), by.at_cost(history[history["month"].isin(before)], "shipped"), known=True)
        rows += [("stock", "actual", held[held["month"].isin(before)]), ("production", "actual", came_in[~came_in["family"].isin(family[family.index.isin(parts)])])]
    known = [part.assign(measure=measure, kind=kind) for measure, kind, part in rows if len(part)]
    if not known:
        return frames.empty(frames.SHEET)
    table = pd.concat(known, ignore_index=True)
    wide = table.pivot_table(index=["family", "measure", "month"], columns="kind", values=VALUES, aggfunc="first")
    out = pd.DataFrame({("" if value == "units" else "amount_") + kind: wide.get((value, kind), np.nan)
                        for value in VALUES for kind in KINDS[:2]}, index=wide.index).reset_index()
    out["difference"], out["amount_difference"] = out["actual"] - out["plan"], out["amount_actual"] - out["amount_plan"]
    return frames.conform(out[frames.SHEET.names], frames.SHEET)


def largest(table, count):
    """The families with most planned sales in money, and the others in one: which rows of the sheet belong to which page.

    returns  family: page (the family itself, or "" for all other)
    """
    money = table[table["measure"] == "sales"].groupby("family")["amount_plan"].sum().sort_values(ascending=False, kind="stable")
    pages = {name: name for name in money.index[:count]}
    return {name: pages.get(name, "" if len(money) > count + 1 else name) for name in sorted(set(table["family"]))}


def page_of(table, families, months, *, amounts=False):
    """Nine rows of the families given, added up: sales, production, stock × plan, actual, difference.

    table    SHEET
    returns  measure, kind, m1 … one column a month (units, or money); missing where nothing is known. A difference counts only the
             families that have both
    """
    prefix = "amount_" if amounts else ""
    mine = table[table["family"].isin(set(families))]
    sums = mine.groupby(["measure", "month"])[[prefix + kind for kind in KINDS]].sum(min_count=1)
    rows = []
    for measure in MEASURES:
        for kind in KINDS:
            found = sums[prefix + kind].xs(measure) if measure in sums.index.get_level_values(0) else pd.Series(dtype="float64")
            rows.append({"measure": measure, "kind": kind, **{f"m{k + 1}": found.get(month, np.nan) for k, month in enumerate(months)}})
    return pd.DataFrame(rows)


def in_money(table, pages, *, first):
    """One row a page: the months past against their plan, and what is coming, in money.

    table    SHEET;  pages: from `largest`;  first: the first coming month
    returns  page   sold_plan, sold, sold_difference (revenue of the months past), sales (revenue of those to come), production (at cost, of
             those to come), held_plan, held, held_difference (stock at cost at the end of the last month past), stock (at the end of the
             last to come); the largest sales first, all other last. Differences count where plan and actual are both known
    """
    rows = table.assign(page=table["family"].map(pages))
    then, coming = rows[rows["month"] < first], rows[rows["month"] >= first]
    last = {"then": then["month"].max(), "coming": coming["month"].max()}
    sales, made, stock = (lambda t: t[t["measure"] == "sales"]), (lambda t: t[t["measure"] == "production"]), (lambda t: t[t["measure"] == "stock"])

    def total(part, column):
        return part.groupby("page")[column].sum(min_count=1)

    out = pd.DataFrame({
        "sold_plan": total(sales(then), "amount_plan"), "sold": total(sales(then), "amount_actual"), "sold_difference": total(sales(then), "amount_difference"),
        "sales": total(sales(coming), "amount_plan"), "production": total(made(coming), "amount_plan"),
        "held_plan": total(stock(then[then["month"] == last["then"]]), "amount_plan"), "held": total(stock(then[then["month"] == last["then"]]), "amount_actual"),
        "held_difference": total(stock(then[then["month"] == last["then"]]), "amount_difference"),
        "stock": total(stock(coming[coming["month"] == last["coming"]]), "amount_plan")}).rename_axis("page").reset_index()
    return out.assign(_last=out["page"] == "").sort_values(["_last", "sales", "page"], ascending=[True, False, True], kind="stable").drop(columns="_last").reset_index(drop=True)


# --- parts ------------------------------------------------------------------------------------------------------------

class _ByFamily:
    """Sums by family and month, of items that customers buy."""

    def __init__(self, family, cost):
        self.family, self.cost = family, cost

    def sums(self, rows):
        rows = rows.assign(family=rows["item"].map(self.family)).dropna(subset=["family"])
        return rows.groupby(["family", "month"], as_index=False)[VALUES].sum(min_count=1)

    def at_cost(self, table, column):
        return self.sums(table[["item", "month"]].assign(units=table[column], amount=table[column] * table["item"].map(self.cost)))


def _rows(table, months, units, amount):
    rows = table[table["month"].isin(months)]
    return rows[["item", "month"]].assign(units=rows[units], amount=rows[amount])


def _of_its_month(past, months):
    """Of the plans of earlier cycles the month in which each was made."""
    if past is None or past.empty:
        return pd.DataFrame({name: pd.Series(dtype="datetime64[ns]" if name == "month" else "float64") for name in
                             ("item", "month", "consensus", "revenue", "opening", "closing")})
    return past[(past["cycle"] == past["month"]) & past["month"].isin(months)]


def _planned(by, projection, plan, parts):
    """Stock at the end of the months planned, and what comes in to have it."""
    closing, opening = by.at_cost(projection, "closing"), by.at_cost(projection, "opening")
    asked = plan.loc[plan["month"].isin(projection["month"]), ["item", "month", "consensus"]]
    of_parts = projection[projection["item"].isin(parts)]
    if len(of_parts):  # all that is taken of them, by customers and by production, in the place of what customers ask for
        asked = pd.concat([asked[~asked["item"].isin(parts)], of_parts[["item", "month", "demand"]].rename(columns={"demand": "consensus"})])
    return closing, _came_in(closing, opening, by.at_cost(asked, "consensus"))


def _next(held):
    """What a month closed with is what the next one opens with."""
    return held.assign(month=[frames.next_month(month) for month in held["month"]])


def _came_in(closing, opening, sold, *, known=False):
    """closing − opening + sold; with `known` only where the opening is known."""
    out = closing.merge(opening, on=["family", "month"], how="inner" if known else "left", suffixes=("", "_opening")).merge(
        sold, on=["family", "month"], how="left", suffixes=("", "_sold"))
    for name in VALUES:
        out[name] = out[name] - out[f"{name}_opening"].fillna(0.0) + out[f"{name}_sold"].fillna(0.0)
    return out[["family", "month", *VALUES]]
