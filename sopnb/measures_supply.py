"""Measures of service, stock, capacity and the process itself; what a measure is stands in sopnb.book."""

from __future__ import annotations

import pandas as pd

from sopnb import frames
from sopnb.book import QUARTER, ahead, end, kpi, one, scopes

# --- service ----------------------------------------------------------------------------------------------------------

_LINES = """
    orders
      order line item location requested_date promised_date quantity shipped_date shipped_quantity
      1 1 A all 2026-09-05 - 10 2026-09-04 10
      2 1 A all 2026-09-10 2026-09-12 10 2026-09-12 10
      3 1 A all 2026-09-20 - 10 2026-09-19 8
      4 1 A all 2026-09-28 - 10 2026-10-02 10
"""


@kpi("On time in full", unit="percent", better="higher", owner="Supply planner", history=True, measure="order lines, promised else requested date",
     formula="order lines shipped in full by the promised (else requested) date / lines due in the month and known by its end",
     source="practice, by order line; order lines", example=_LINES, gives=0.5)
def otif(orders: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """Lines 1 and 2 are on time in full; 3 is short, 4 late: 2 of 4. A date without a quantity is a line shipped whole."""
    lines = _due(orders, month)
    if lines is None:
        return None
    good = (lines["shipped_date"] <= lines["due"]) & (lines["shipped_quantity"] >= lines["quantity"] - 1e-9)
    return scopes(lines.assign(n=good.astype(float), d=1.0), items)


@kpi("Fill rate", unit="percent", better="higher", owner="Supply planner", history=True, measure="of units due in the month, shipped by its end",
     formula="units shipped by the end of the month / units of the order lines due in it", source="textbook, by volume; order lines", example=_LINES, gives=0.7)
def fill_rate(orders: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """10 + 10 + 8 + 0 = 28 of 40 left by 30 September."""
    lines = _due(orders, month)
    return None if lines is None else scopes(lines.assign(n=lines[["shipped_quantity", "quantity"]].min(axis=1), d=lines["quantity"]), items)


@kpi("Stockout rate", unit="percent", better="lower", owner="Supply planner", history=True, measure="days without stock",
     formula="days without stock / days, item × location", source="practice; stock history",
     example="""
         stock_history
           item location month on_hand days_out
           A all 2026-09 10 6
           B all 2026-09 10 0
     """, gives=0.1)
def stockout_rate(stock_history: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """6 days of twice 30."""
    rows = stock_history[(stock_history["month"] == month) & stock_history["days_out"].notna()]
    return scopes(rows.assign(n=rows["days_out"], d=float(month.days_in_month)), items)


@kpi("Suppliers on time", unit="percent", better="higher", owner="Purchasing", history=True, measure="purchase lines due in the month",
     formula="purchase lines received by the date due / lines due in the month", source="practice; purchases",
     example="""
         purchases
           order line item ordered due received quantity
           1 1 A 2026-08-01 2026-09-10 2026-09-09 5
           2 1 A 2026-08-01 2026-09-10 2026-09-11 5
           3 1 A 2026-08-01 2026-09-20 - 5
           4 1 A 2026-08-01 2026-09-20 2026-09-20 5
     """, gives=0.5)
def supplier_on_time(purchases: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """1 and 4 came in time, 2 late, 3 not at all. Not available where no receipt of the month is known: the extract is old,
    or the source never tells the day."""
    told = purchases.loc[purchases["received"] <= end(month), "received"]
    if told.empty or told.max() < month:
        return None
    rows = purchases[purchases["due"].between(month, end(month)) & (purchases["ordered"] <= end(month))]
    return one("all", (rows["received"] <= rows["due"]).sum(), len(rows))


# --- stock and capacity -----------------------------------------------------------------------------------------------

_STOCK = """
    items
      item family unit_cost end_date
      A Tea 10 -
      B Tea 10 -
    stock
      item location as_of on_hand
      A all 2026-09-30 46
      B all 2026-09-30 100
    plan
      item location month consensus
      A all 2026-10 31
      A all 2026-11 30
      A all 2026-12 31
      B all 2026-10 0
      B all 2026-11 0
      B all 2026-12 0
    projection
      item location month opening demand closing
      A all 2026-10 46 31 15
      A all 2026-11 15 30 -15
      A all 2026-12 -15 31 -46
      B all 2026-10 100 0 100
      B all 2026-11 100 0 100
      B all 2026-12 100 0 100
"""


@kpi("Stock cover", unit="days", better="lower", owner="Supply planner", digits=0, measure="days of coming demand, at cost", version="2",
     formula="stock of what is sold, at cost / what customers and production take of it in the next three months, at cost per day", source="textbook, forward cover; stock, plan, projection, bill of materials",
     example=_STOCK, gives=146.0)
def stock_cover(stock: pd.DataFrame, plan: pd.DataFrame, items: pd.DataFrame, projection: pd.DataFrame | None = None, bom: pd.DataFrame | None = None, shipments: pd.DataFrame | None = None, *,
                month: pd.Timestamp) -> pd.DataFrame | None:
    """1,460 of stock against 10 a day (920 over 92 days). An item of which no stock is known counts on neither side.

    Customers take what is planned; of what also goes into other goods, all that is projected counts, less what only moves between own
    locations. Version 1 counted customers alone: frames for bicycles looked like stock that nobody takes.
    """
    span = [m for m in ahead(month, QUARTER) if (plan["month"] == m).any()]
    if not span:
        return None
    days = sum(m.days_in_month for m in span)
    cost = items.set_index("item")["unit_cost"]
    need = plan.loc[plan["month"].isin(span) & plan["item"].isin(stock["item"]), ["item", "location", "month", "consensus"]]
    if projection is not None and bom is not None:
        inside = set(bom["component"])
        need = pd.concat([need[~need["item"].isin(inside)], _all_taken(projection[projection["item"].isin(inside & set(stock["item"]))], shipments, span)], ignore_index=True)
    stock = _for_sale(stock, plan, items)
    need = need[need["item"].isin(stock["item"])]
    stock, need = (t.assign(location="all") if frames.apart(stock, need) else t for t in (stock, need))
    have = stock.assign(n=stock["on_hand"].clip(lower=0) * stock["item"].map(cost), d=0.0)
    need = need.assign(n=0.0, d=need["consensus"] * need["item"].map(cost) / days)
    return scopes(pd.concat([have, need])[["item", "location", "n", "d"]], items)


def _all_taken(projection: pd.DataFrame, shipments: pd.DataFrame | None, span: list[pd.Timestamp]) -> pd.DataFrame:
    """item × location × month: all that is projected to be taken, less shipments due in the month: they lie elsewhere then."""
    rows = projection.loc[projection["month"].isin(span), ["item", "location", "month", "demand"]].rename(columns={"demand": "consensus"})
    if shipments is None:
        return rows
    mine = shipments.assign(month=shipments["due"].dt.to_period("M").dt.to_timestamp(), consensus=-shipments["quantity"], location=shipments["source_location"])
    moved = mine.loc[mine["month"].isin(span) & mine["item"].isin(projection["item"]), rows.columns]
    return pd.concat([rows, moved], ignore_index=True) if len(moved) else rows


@kpi("Excess and obsolete stock", unit="money", better="lower", owner="Supply planner", value="amount", measure="stock beyond coming demand, at cost", version="2",
     formula="Σ max(0, stock − projected demand of the next `excess_months` months) × unit cost, item × location; a shorter plan goes on at its own mean unless the item has ended; against all stock at cost",
     source="practice; projection: the excess and obsolete of `exceptions`", example=_STOCK, gives=1000.0, settings={"excess_months": 3})
def excess_obsolete(projection: pd.DataFrame, items: pd.DataFrame, *, month: pd.Timestamp, excess_months: float) -> pd.DataFrame | None:
    """A needs all of its 46; of B nothing will be asked for: 100 × 10.

    Demand is all of the projection's, that of customers, of production and of other locations. Version 1 counted customers' alone, and left materials out.
    """
    coming = projection[projection["month"] > month].sort_values(["item", "location", "month"], kind="stable")
    if coming.empty:
        return None
    rank = coming.groupby(["item", "location"]).cumcount()
    within = coming["demand"] * (excess_months - rank).clip(lower=0.0, upper=1.0)
    rows = coming.assign(within=within).groupby(["item", "location"], as_index=False).agg(
        on_hand=("opening", "first"), need=("within", "sum"), whole=("demand", "sum"), months=("demand", "size"))
    own = items.set_index("item")
    ended = rows["item"].map(own["end_date"]) <= end(month) if "end_date" in own else False
    behind = rows["whole"] / rows["months"] * (excess_months - rows["months"]).clip(lower=0.0)
    rows["need"] += behind.where(~pd.Series(ended, index=rows.index), 0.0)
    cost = rows["item"].map(own["unit_cost"]).astype("float64").fillna(0.0)
    over = (rows["on_hand"] - rows["need"]).clip(lower=0)
    return scopes(rows.assign(n=over * cost, d=rows["on_hand"].clip(lower=0) * cost), items)


@kpi("Inventory turns", unit="ratio", better="higher", owner="Finance manager", history=True, measure="a year, at cost",
     formula="units shipped in 12 months × unit cost / average of their 12 month-end stocks at cost", source="textbook, cost on both sides; history, stock history",
     example="""
         items
           item family unit_cost
           A Tea 10
         history
           item location month shipped
           A all 2025-10 100
           A all 2026-09 100
         stock_history
           item location month on_hand
           A all 2025-10 20
           A all 2025-11 20
           A all 2025-12 20
           A all 2026-01 20
           A all 2026-02 20
           A all 2026-03 20
           A all 2026-04 20
           A all 2026-05 20
           A all 2026-06 20
           A all 2026-07 20
           A all 2026-08 20
           A all 2026-09 20
     """, gives=10.0)
def inventory_turns(history: pd.DataFrame, stock_history: pd.DataFrame, items: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """2,000 shipped at cost in the year, 200 on hand on average. Not available before 12 month-ends are known, nor where some stock is negative."""
    first = frames.next_month(month, -11)
    held = stock_history[stock_history["month"].between(first, month) & stock_history["on_hand"].notna()]
    left = history[history["month"].between(first, month) & history["shipped"].notna() & history["item"].isin(held["item"])]
    if held["month"].nunique() < 12 or (held["on_hand"] < 0).any():
        return None
    cost = items.set_index("item")["unit_cost"]
    left = left.assign(n=left["shipped"] * left["item"].map(cost), d=0.0)
    held = held.assign(n=0.0, d=held["on_hand"] * held["item"].map(cost) / 12)
    return scopes(pd.concat([left, held])[["item", "location", "n", "d"]], items)


@kpi("Capacity load", unit="percent", better="lower", owner="Production manager", digits=0, measure="peak of the coming six months",
     formula="hours required / hours available of the fullest resource and month, the next six months", source="textbook, rough-cut capacity; load",
     example="""
         load
           resource month hours available
           Oven 2026-10 90 100
           Oven 2026-11 120 100
           Line 2026-10 50 100
     """, gives=1.2)
def capacity_load(load: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """The oven in November: 120 of 100."""
    rows = load[load["month"].isin(ahead(month)) & (load["available"] > 0)]
    rows = rows.assign(share=rows["hours"] / rows["available"]).sort_values(["share", "resource", "month"], ascending=[False, True, True], kind="stable")
    if rows.empty:
        return None
    peaks = rows.drop_duplicates("resource").sort_values("resource", kind="stable")
    return pd.concat([one("all", rows["hours"].iloc[0], rows["available"].iloc[0]),
                      pd.DataFrame({"scope": "resource:" + peaks["resource"], "numerator": peaks["hours"], "denominator": peaks["available"]})], ignore_index=True)


# --- the process ------------------------------------------------------------------------------------------------------

@kpi("Actions done on time", unit="percent", better="higher", owner="Chair", digits=0, measure="actions due since the meeting before",
     formula="actions done by their date / actions due after the meeting before and up to the month's meeting, dropped ones left out",
     source="practice; the ledger, as reported by that meeting; the calendar month where no meetings are recorded",
     example="""
         actions
           action due state closed_on
           1 2026-08-20 done 2026-08-18
           2 2026-08-30 done 2026-09-02
           3 2026-09-08 open -
           4 2026-08-31 done 2026-08-31
           5 2026-08-31 dropped 2026-08-12
           6 2026-09-30 open -
         attendance
           cycle held_on person mandatory state
           2026-08 2026-08-08 p1 1 present
           2026-09 2026-09-08 p1 1 present
     """, gives=0.5)
def action_closure(actions: pd.DataFrame, attendance: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """1 and 4 of four; the fifth was dropped, the sixth is not due before the meeting of 8 September.

    What became of an action is told at the next meeting. Judged at a month's end, most would still stand as open.
    """
    first, last = month, end(month)
    if attendance is not None:
        held = attendance.groupby("cycle")["held_on"].max()
        if month not in held.index:
            return None
        last = held[month]
        before = held[held < last]
        first = (before.max() if len(before) else last - pd.DateOffset(months=1)) + pd.Timedelta(days=1)
    due = actions[actions["due"].between(first, last) & (actions["state"] != "dropped")]
    return one("all", ((due["state"] == "done") & (due["closed_on"] <= due["due"])).sum(), len(due))


@kpi("Attendance", unit="percent", better="higher", owner="Chair", digits=0, measure="of those who must come, or their delegates",
     formula="mandatory participants present or represented / mandatory participants, the month's meeting", source="practice; the ledger",
     example="""
         attendance
           cycle person mandatory state
           2026-09 p1 1 present
           2026-09 p2 1 delegated
           2026-09 p3 1 absent
           2026-09 p4 1 present
           2026-09 p5 0 absent
     """, gives=0.75)
def attendance(attendance: pd.DataFrame, people: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """Three of four; who need not come does not count. Where nobody must come, everyone listed counts."""
    came = attendance[attendance["cycle"] == month]
    must = came["mandatory"] | came["person"].isin([] if people is None else people.loc[people["mandatory"], "person"])
    asked = came[must] if must.any() else came
    return one("all", (asked["state"] != "absent").sum(), len(asked))


@kpi("Decisions that came true", unit="percent", better="higher", owner="Chair", digits=0, measure="decisions judged in the last twelve months",
     formula="decisions whose measure moved by at least meeting.hit_share (half) of what was expected, in the expected direction / decisions judged, twelve months",
     source="practice; the ledger and the KPI book; where nothing can be measured, the word of whoever decided; those nobody has judged are in neither",
     example="""
         scored
           decision judged expected realised came outcome by
           D1 2026-03 0.02 0.03 1.5 hit measure
           D2 2026-05 -4 -1 0.25 missed measure
           D3 2026-09 0.01 0.005 0.5 hit measure
           D4 2026-09 - - - hit person
           D5 2026-09 - - - ask -
           D6 2025-09 0.01 0 0 missed measure
     """, gives=0.75)
def decision_hit_rate(scored: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """D1, D3 and D4 of four; D5 waits for a word, D6 is longer ago than twelve months.

    Judged in the month each decision named, once; other causes move the measures as well, so one decision says little.
    """
    known = scored[scored["judged"].between(frames.next_month(month, -11), month) & scored["outcome"].isin(["hit", "missed"])]
    return one("all", (known["outcome"] == "hit").sum(), len(known))


@kpi("Data used", unit="percent", better="higher", owner="Planner", measure="rows of all sources",
     formula="rows used / rows read up to the cut-off", source="practice; freshness",
     example="""
         freshness
           source rows left_out set_aside
           orders 100 20 3
           items 20 0 1
     """, gives=0.96)
def data_quality(freshness: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """Of 120 rows read, 20 are after the cut-off and 4 were set aside: 96 of 100."""
    read = freshness["rows"].sum() - freshness["left_out"].sum()
    return one("all", read - freshness["set_aside"].sum(), read)


# --- what they share --------------------------------------------------------------------------------------------------

def _for_sale(stock: pd.DataFrame, plan: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Stock of what customers buy: planned, or with a price. Materials wait for what is made of them: nobody plans their sales."""
    price = items["unit_price"].fillna(0.0) if "unit_price" in items else pd.Series(0.0, index=items.index)
    sold = items.loc[price > 0, "item"] if (price > 0).any() else items["item"]
    return stock[stock["item"].isin(plan["item"]) | stock["item"].isin(sold)]


def _due(orders: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame | None:
    """The lines due in a month as its end knew them: `due`, and what had been shipped by then."""
    due = orders["promised_date"].fillna(orders["requested_date"]).fillna(orders["order_date"])
    rows = due.between(month, end(month)) & (orders["quantity"] > 0) & (orders["status"] != "cancelled") & ~(orders["order_date"] > end(month))
    lines = orders.loc[rows, ["item", "location", "quantity", "shipped_date", "shipped_quantity"]].assign(due=due[rows])
    if lines.empty or orders["shipped_date"].isna().all():
        return None
    sent = lines["shipped_date"] <= end(month)
    return lines.assign(shipped_date=lines["shipped_date"].where(sent),
                        shipped_quantity=lines["shipped_quantity"].fillna(lines["quantity"]).where(sent, 0.0))
