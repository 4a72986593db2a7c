"""What needs a decision: planned results that need one, ranked by the money at stake, each good counted once.

An exception is a planned result that needs a decision: a shortage, excess or obsolete stock, an overload, a late order.
Its id is made of what it is about, so that the same exception keeps its id from one cycle to the next.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from sopnb import frames

SERIES = ["item", "location"]
INSIDE = "exceptions.short_inside"  # sold elsewhere, and short here only for production and other places
NONE = 1e-6  # units and hours below which nothing is at stake
TOGETHER = ("excess", "obsolete", "late")  # many items of one cause are one question: what do we do with all of them?


def exceptions(projection, items, *, as_of, plan, stock=None, proposed=None, load=None, receipts=None, made=None, routings=None,
               excess_months=6.0, months=None):
    """Planned results that need a decision.

    projection  item × location × month   opening, demand, closing (units): from netting.project, late orders late
    items       item                      unit_cost, unit_price, end_date
    plan        item × location × month   consensus, revenue, margin: what customers ask for, and for what a unit brings
    stock       item × location           what was counted: a shortage says so where nothing was
    proposed    order                     release, due, message: why something is short
    load        resource × month          LOAD
    receipts    order × item × location   due_date, quantity: open orders
    made        item × month              quantity (units): the goods behind the load, from capacity.production
    routings    item × resource           hours_per_unit; with `made`: which goods an overload is about
    months      first months of the plan in which shortages and overloads are looked for; None: all. `beyond` has the rest
    returns     EXCEPTIONS, as the frame says; `ranked` puts the largest first

    short     closing below zero: the most units owed to customers at one time, at what they bring in that month; where only
              production or other places are owed, or what is not sold (a component) is short, all units owed, at cost
    excess    stock today above excess_months of coming demand: units above it, at cost
    obsolete  stock today without any coming demand: all of it; past its end date: what is more than all coming demand,
              at cost. Demand is all of the projection's: an item no longer sold may still go into others
    overload  hours above available, month after month without a gap: the revenue behind them
    late      open orders due before as_of: their units, at cost

    group     stock and late orders of one cause share it, since one decision answers them all; others stand alone
    overlap   of the amount, what another exception already counts: the goods of an overload can be short as well, or
              wait for two resources. Of each item the larger of shortage and overload counts, of each item and month the
              resource with most money behind it. Σ (amount − overlap) is what is at stake, at the least.
    """
    worth = worth_of(plan, items)
    last = window_end(projection, load, months)
    near = projection[projection["month"] <= last]
    parts = [_short(near, worth, stock, proposed, as_of, plan), *_too_much(projection, worth, items, as_of, excess_months)]
    if load is not None:
        parts.append(_overloads(load[load["month"] <= last]))
    if receipts is not None:
        parts.append(_late(receipts, worth, as_of))
    found = [part for part in parts if len(part)]
    if not found:
        return frames.empty(frames.EXCEPTIONS)
    out = pd.concat(found, ignore_index=True)
    out["group"] = _groups(out)
    out["overlap"] = _overlap(out, _goods_behind(load, made, routings, worth, last))
    return frames.conform(out[frames.EXCEPTIONS.names], frames.EXCEPTIONS)


def window_end(projection, load=None, months=None):
    """The last month in which exceptions are looked for: the end of the plan, or of its first `months`."""
    known = [table["month"] for table in (projection, load) if table is not None and len(table)]
    if not known:
        return pd.Timestamp.max
    first, last = min(column.min() for column in known), max(column.max() for column in known)
    return last if months is None else min(last, frames.next_month(first, months - 1))


def ranked(exceptions, count=None):
    """The exceptions by money, largest first; equal ones by id."""
    order = exceptions.assign(_size=exceptions["amount"].abs()).sort_values(["_size", "id"], ascending=[False, True], kind="stable")
    out = order.drop(columns="_size").reset_index(drop=True)
    return out if count is None else out.head(count)


def by_kind(exceptions):
    """Number and money of the exceptions of each kind, largest first; goods in two exceptions count once.

    returns  kind   count, units, amount (money, without what overlaps)
    """
    sums = exceptions.assign(amount=exceptions["amount"] - exceptions["overlap"]).groupby("kind", as_index=False).agg(
        count=("id", "size"), units=("units", "sum"), amount=("amount", "sum"))
    return sums.sort_values(["amount", "kind"], ascending=[False, True], kind="stable").reset_index(drop=True)


def largest_groups(exceptions, count=None):
    """The exceptions of the `count` groups with most money: those worth an answer."""
    sums = exceptions["amount"].abs().groupby(exceptions["group"]).sum()
    order = sums.sort_index().sort_values(ascending=False, kind="stable")
    return exceptions[exceptions["group"].isin(order.index if count is None else order.index[:count])]


def beyond(*, after, load=None, projection=None):
    """What the plan still has in store behind the months that exceptions look at: said in a line, decided later.

    after    last month of the exceptions
    returns  kind (overload or short)   units (hours, or units owed at worst), amount (money behind the resource that has
             most; missing for short), because (message id), values (JSON: what, n, units, amount, first, last, after)
    """
    rows = []
    if load is not None:
        over = load[(load["month"] > after) & (load["overload"].fillna(0.0) > NONE)]
        if len(over):
            money = over.groupby("resource")["overload_amount"].sum().sort_index().sort_values(ascending=False, kind="stable")
            rows.append(_later("overload", over["month"], after, n=len(money), what=money.index[0], units=float(over["overload"].sum()),
                               amount=float(money.iloc[0])))
    if projection is not None:
        low = projection[projection["closing"] < -NONE]
        begins = low.groupby(SERIES)["month"].transform("min")
        new = low[begins > after]
        if len(new):
            owed = -new.groupby(SERIES)["closing"].min()
            rows.append(_later("short", new["month"], after, n=new["item"].nunique(), units=float(owed.sum()), amount=float("nan")))
    return pd.DataFrame(rows, columns=["kind", "units", "amount", "because", "values"])


def _later(kind, months, after, *, n, **values):
    form = ("_more" if n > 1 else "") + ("_in" if months.min() == months.max() else "")
    told = as_json({**values, "n": n, "first": months.min(), "last": months.max(), "after": after})
    return {"kind": kind, "units": values["units"], "amount": values["amount"], "because": f"exceptions.beyond_{kind}{form}", "values": told}


def worth_of(plan, items, history=None):
    """What a unit of each item brings and costs: from the plan, else what customers last paid, else by list price; what
    is not sold is worth its cost.

    history  item × month   demand_raw, returns (units), revenue (money, net): for the price last paid; None: by list price
    returns  item           price, cost, margin (money a unit), sold, paid (a price is planned, or was paid)
    """
    sums = plan.groupby("item")[["consensus", "revenue", "margin"]].sum()
    units = sums["consensus"].where(sums["consensus"] > 0)
    own = items.set_index("item")
    out = pd.DataFrame({"price": own["unit_price"], "cost": own["unit_cost"]}, dtype="float64")
    known = (sums["revenue"] / units).reindex(out.index)
    known = known if history is None else known.fillna(last_paid(history).reindex(out.index))
    out["price"], out["paid"] = known.fillna(out["price"]).fillna(0.0), known.notna()
    out["cost"] = out["cost"].fillna(0.0)
    out["sold"] = out["price"] > 0
    out["price"] = out["price"].where(out["sold"], out["cost"])
    out["margin"] = (sums["margin"] / units).reindex(out.index).fillna(out["price"] - out["cost"]).where(out["sold"], 0.0)
    return out


def last_paid(history):
    """The net price of each item in the last month in which customers kept any of it.

    history  item × month   demand_raw, returns (units), revenue (money, net)
    returns  item           price (money a unit)
    """
    sold = history.assign(units=history["demand_raw"].fillna(0.0) - history["returns"].fillna(0.0))
    sums = sold.groupby(["item", "month"], as_index=False)[["units", "revenue"]].sum()
    last = sums[(sums["units"] > NONE) & (sums["revenue"] > 0)].sort_values(["item", "month"], kind="stable").drop_duplicates("item", keep="last")
    return (last["revenue"] / last["units"]).set_axis(last["item"])


def _row(table, kind, *, first, last, units, amount, because, values):
    """The columns of an exception; `values` are columns whose rows become the JSON that the sentence needs."""
    out = table[SERIES].copy() if "item" in table else pd.DataFrame({"item": None, "location": None}, index=table.index)
    out["resource"] = table.get("resource")
    out["kind"] = kind
    out["first"], out["last"], out["units"], out["amount"], out["because"] = first, last, units, amount, because
    stem = (out["item"] + "-" + out["location"]).where(out["item"].notna(), out["resource"])
    out["id"] = kind + "-" + stem + "-" + pd.to_datetime(out["first"]).dt.strftime("%Y%m")
    out["values"] = [as_json(row) for row in pd.DataFrame(values, index=table.index).to_dict("records")]
    return out


def as_json(values):
    """Values of a sentence as JSON with sorted names: numbers to six digits, days as 2026-10-01, missing as null."""
    return json.dumps({name: _plain(value) for name, value in values.items()}, sort_keys=True, ensure_ascii=False)


def _plain(value):
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return round(float(value), 6)


# --- one function for each kind -------------------------------------------------------------------------------------

def _short(projection, worth, stock, proposed, as_of, plan):
    """One exception for every series that ends a month below zero: from its first such month to its last in a row."""
    p = projection.sort_values([*SERIES, "month"], kind="stable").reset_index(drop=True)
    run = _runs(p["closing"] < -NONE, p[SERIES])
    p = _owed(p, plan, worth)
    hit = p[run > 0].assign(run=run[run > 0])
    out = hit.groupby([*SERIES, "run"], as_index=False).agg(first=("month", "min"), last=("month", "max"), closing=("closing", "min"))
    if out.empty:
        return out
    worst = hit.sort_values("customers", ascending=False, kind="stable").drop_duplicates([*SERIES, "run"])
    out = out.merge(worst[[*SERIES, "run", "customers", "price"]], on=[*SERIES, "run"], how="left")
    sold = out["item"].map(worth["sold"]).fillna(True).astype(bool)
    inside = sold & (out["customers"] <= NONE)
    out["units"] = out["customers"].where(sold & ~inside, -out["closing"])
    out["amount"] = out["units"] * out["price"].where(~inside, out["item"].map(worth["cost"])).fillna(0.0)
    start = p.groupby(SERIES, as_index=False).agg(on_hand=("opening", "first"))
    out = out.merge(start, on=SERIES, how="left").merge(_next_supply(proposed, as_of), on=SERIES, how="left")
    out["months"] = ((out["last"].dt.year - out["first"].dt.year) * 12 + out["last"].dt.month - out["first"].dt.month + 1).astype(float)
    counted = pd.Series(True, index=out.index) if stock is None else pd.MultiIndex.from_frame(out[SERIES]).isin(pd.MultiIndex.from_frame(stock[SERIES]))
    because = np.select([~sold, inside, ~np.asarray(counted), out["on_hand"] <= NONE, out["lead_days"].notna()],
                        ["exceptions.short_component", INSIDE, "exceptions.short_uncounted", "exceptions.short_no_stock", "exceptions.short_lead_time"], "exceptions.short")
    values = {name: out[name] for name in ("item", "location", "first", "last", "units", "months", "on_hand", "lead_days", "arrives")}
    return _row(out, "short", first=out["first"], last=out["last"], units=out["units"], amount=out["amount"], because=because, values=values)


def _owed(projection, plan, worth):
    """The projection with `customers`, the units of what is owed that customers have asked for, and the `price` they pay in the month.

    What a place owes to others, or to production, is no sale: it is short where customers ask for it, if it is short at all.
    """
    asked = plan.groupby([*SERIES, "month"], as_index=False)[["consensus", "revenue"]].sum()
    out = projection.merge(asked, on=[*SERIES, "month"], how="left")
    so_far = out["consensus"].fillna(0.0).groupby([out["item"], out["location"]]).cumsum()
    out["customers"] = np.minimum((-out["closing"]).clip(lower=0.0), so_far)
    own = out["revenue"] / out["consensus"].where(out["consensus"] > 0)
    out["price"] = own.where(own > 0).fillna(out["item"].map(worth["price"]))
    return out


def _runs(flag, keys):
    """Number the stretches of true values within a series, from 1; 0 where false."""
    start = flag & ~(flag.shift(fill_value=False) & (keys == keys.shift()).all(axis=1))
    return start.cumsum().where(flag, 0)


def _next_supply(proposed, as_of):
    """When the first planned order of a series can be there if it is released today, and after how many days."""
    columns = [*SERIES, "lead_days", "arrives"]
    if proposed is None or proposed.empty:
        return pd.DataFrame({"item": pd.Series(dtype=object), "location": pd.Series(dtype=object), "lead_days": pd.Series(dtype="float64"),
                             "arrives": pd.Series(dtype="datetime64[ns]")})
    tardy = proposed[proposed["message"] != "order"]
    lead = (tardy["due"] - tardy["release"]).dt.days.astype("float64")
    arrives = pd.Timestamp(as_of) + pd.to_timedelta(lead, unit="D")
    return tardy.assign(lead_days=lead, arrives=arrives).groupby(SERIES, as_index=False).first()[columns]


def _too_much(projection, worth, items, as_of, excess_months):
    """Excess and obsolete stock, from what is on hand today."""
    p = projection.sort_values([*SERIES, "month"], kind="stable")
    rank = p.groupby(SERIES).cumcount()
    whole = int(excess_months)
    weight = np.where(rank < whole, 1.0, np.where(rank == whole, excess_months - whole, 0.0))
    sums = p.assign(within=p["demand"] * weight).groupby(SERIES, as_index=False).agg(
        on_hand=("opening", "first"), within=("within", "sum"), all=("demand", "sum"), months=("demand", "size"), first=("month", "min"))
    ends = sums["item"].map(items.set_index("item")["end_date"])
    ended = ends.notna() & (ends < pd.Timestamp(as_of))
    # a plan shorter than the limit goes on at its own mean, unless the item has ended
    sums["within"] += (sums["all"] / sums["months"] * (excess_months - sums["months"]).clip(lower=0)).where(~ended, 0.0)
    over = sums.assign(cost=sums["item"].map(worth["cost"]).fillna(0.0), ends=ends, limit=float(excess_months))
    # past its end date an item has no demand behind the plan: what the whole plan does not use, nothing will
    beyond = (over["on_hand"] - over["all"]).where(ended | (over["all"] <= NONE), 0.0).clip(lower=0)
    dead = over.assign(units=beyond)[beyond > NONE]
    much = over.assign(units=over["on_hand"] - over["within"] - beyond)
    much = much[(much["units"] > NONE) & (much["all"] > NONE)]
    because = np.where(dead["ends"].notna(), "exceptions.obsolete_ended", "exceptions.obsolete")
    return [_stock_row(much, "excess", ["exceptions.excess"] * len(much), ("item", "location", "units", "on_hand", "within", "limit")),
            _stock_row(dead, "obsolete", because, ("item", "location", "units", "ends"))]


def _stock_row(table, kind, because, names):
    if table.empty:
        return table
    return _row(table, kind, first=table["first"], last=table["first"], units=table["units"], amount=table["units"] * table["cost"],
                because=because, values={name: table[name] for name in names})


def _overloads(load):
    """One exception for every stretch of overloaded months of a resource."""
    known = load.sort_values(["resource", "month"], kind="stable").reset_index(drop=True)
    run = _runs(known["overload"].fillna(0.0) > NONE, known[["resource"]])
    hit = known[run > 0].assign(run=run[run > 0])
    if hit.empty:
        return hit
    hit["over_overtime"] = (hit["overload"] - hit["overtime"]).clip(lower=0)
    out = hit.groupby(["resource", "run"], as_index=False).agg(
        first=("month", "min"), last=("month", "max"), units=("overload", "sum"), amount=("overload_amount", "sum"), hours=("hours", "sum"),
        available=("available", "sum"), beyond=("over_overtime", "sum"), months=("month", "size"))
    out["share"] = out["hours"] / out["available"].where(out["available"] > 0)
    because = np.where(out["beyond"] > NONE, "exceptions.overload_beyond_overtime", "exceptions.overload")
    values = {name: out[name] for name in ("resource", "first", "last", "units", "hours", "available", "beyond", "share", "months")}
    return _row(out, "overload", first=out["first"], last=out["last"], units=out["units"], amount=out["amount"], because=because, values=values)


def _late(receipts, worth, as_of):
    """One exception for every series with open orders that should have come."""
    tardy = receipts[(receipts["due_date"] < pd.Timestamp(as_of)) & (receipts["quantity"] > NONE)]
    if tardy.empty:
        return tardy
    out = tardy.groupby(SERIES, as_index=False).agg(units=("quantity", "sum"), oldest=("due_date", "min"), orders=("order", "size"))
    out["days"] = (pd.Timestamp(as_of) - out["oldest"]).dt.days
    out["first"] = frames.month(pd.Timestamp(as_of))
    amount = out["units"] * out["item"].map(worth["cost"]).fillna(0.0)
    values = {name: out[name] for name in ("item", "location", "units", "oldest", "orders", "days")}
    return _row(out, "late", first=out["first"], last=out["first"], units=out["units"], amount=amount,
                because=np.where(out["orders"] == 1, "exceptions.late_one", "exceptions.late"), values=values)


# --- counted once ---------------------------------------------------------------------------------------------------

def _groups(out):
    """What is answered together: exceptions of one kind and cause, where there are several; else the exception itself."""
    cause = out["because"].str.removeprefix("exceptions.").str.removesuffix("_one")
    several = out["kind"].isin(TOGETHER) & (cause.groupby(cause).transform("size") > 1)
    return out["id"].where(~several, "all-" + cause)


def _goods_behind(load, made, routings, worth, last):
    """The revenue behind each overload by item: its overload_amount, shared as the month's revenue is.

    returns  item × resource × month   money; no rows where the goods are not known
    """
    columns = ["item", "resource", "month", "money"]
    if load is None or made is None or routings is None:
        return pd.DataFrame(columns=columns)
    over = load.loc[(load["month"] <= last) & (load["overload_amount"].fillna(0.0) > 0), ["resource", "month", "overload_amount"]]
    bill = made.merge(routings[["item", "resource"]].drop_duplicates(), on="item").merge(over, on=["resource", "month"])
    sold = bill["item"].map(worth["price"].where(worth["sold"], 0.0)).fillna(0.0) * bill["quantity"]
    whole = sold.groupby([bill["resource"], bill["month"]]).transform("sum")
    bill["money"] = (bill["overload_amount"] * sold / whole.where(whole > 0)).fillna(0.0)
    return bill.loc[bill["money"] > 0, columns]


def _overlap(out, goods):
    """Of each exception's amount, what another one counts already. See `exceptions`."""
    overlap = pd.Series(0.0, index=out.index)
    if goods.empty:
        return overlap
    order = goods.sort_values(["item", "month", "money", "resource"], ascending=[True, True, False, True], kind="stable")
    counted = ~order.duplicated(["item", "month"])
    short = out["kind"] == "short"
    owed = out.loc[short].groupby("item")["amount"].sum()
    undone = order.loc[counted].groupby("item")["money"].sum()
    by_shortage = owed.reindex(undone.index).fillna(0.0) > undone
    order["overlap"] = order["money"].where(~counted | order["item"].map(by_shortage), 0.0)
    for row in out[out["kind"] == "overload"].itertuples():
        mine = (order["resource"] == row.resource) & (order["month"] >= row.first) & (order["month"] <= row.last)
        overlap[row.Index] = order.loc[mine, "overlap"].sum()
    by_overload = set(by_shortage.index[~by_shortage])
    return overlap.where(~(short & out["item"].isin(by_overload)), out["amount"])
