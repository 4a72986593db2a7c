"""What needs a decision, and what can be done: exceptions ranked by the money at stake, and answers to them.

An exception is a planned result that needs a decision: a shortage, excess or obsolete stock, an overload, a late order.
Its id is made of what it is about, so that the same exception keeps its id from one cycle to the next.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from sopnb import frames

SERIES = ["item", "location"]
NONE = 1e-6  # units and hours below which nothing is at stake
LONGEST = 60.0  # months after which stock that hardly moves is taken as carried long enough


def exceptions(projection, items, *, as_of, plan, stock=None, proposed=None, load=None, receipts=None,
               excess_months=6.0):
    """Planned results that need a decision.

    projection  item × location × month   opening, demand, closing (units): from netting.project, late orders late
    items       item                      unit_cost, unit_price, end_date
    plan        item × location × month   consensus, revenue, margin: for what a unit brings
    stock       item × location           what was counted: a shortage says so where nothing was
    proposed    order                     release, due, message: why something is short
    load        resource × month          LOAD
    receipts    order × item × location   due_date, quantity: open orders
    returns     EXCEPTIONS, as the frame says; `ranked` puts the largest first

    short     closing below zero: the most units owed at one time, at what a unit brings; what is not sold (a component)
              at its cost
    excess    stock today above excess_months of coming demand: units above it, at cost
    obsolete  stock today without any coming demand, or past its end date: all of it, at cost
    overload  hours above available, month after month without a gap: the revenue behind them
    late      open orders due before as_of: their units, at cost
    """
    worth = _worth(plan, items)
    parts = [_short(projection, worth, stock, proposed, as_of), *_too_much(projection, worth, items, as_of, excess_months)]
    if load is not None:
        parts.append(_overloads(load))
    if receipts is not None:
        parts.append(_late(receipts, worth, as_of))
    found = [part for part in parts if len(part)]
    if not found:
        return frames.empty(frames.EXCEPTIONS)
    out = pd.concat(found, ignore_index=True)
    return frames.conform(out[frames.EXCEPTIONS.names], frames.EXCEPTIONS)


def ranked(exceptions, count=None):
    """The exceptions by money, largest first; equal ones by id."""
    order = exceptions.assign(_size=exceptions["amount"].abs()).sort_values(["_size", "id"], ascending=[False, True], kind="stable")
    out = order.drop(columns="_size").reset_index(drop=True)
    return out if count is None else out.head(count)


def by_kind(exceptions):
    """Number and money of the exceptions of each kind, largest first.

    returns  kind   count, units, amount (money)
    """
    sums = exceptions.groupby("kind", as_index=False).agg(count=("id", "size"), units=("units", "sum"), amount=("amount", "sum"))
    return sums.sort_values(["amount", "kind"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _worth(plan, items):
    """What a unit of each item brings and costs: from the plan, else by list price; what is not sold is worth its cost."""
    sums = plan.groupby("item")[["consensus", "revenue", "margin"]].sum()
    units = sums["consensus"].where(sums["consensus"] > 0)
    own = items.set_index("item")
    out = pd.DataFrame({"price": own["unit_price"], "cost": own["unit_cost"]}, dtype="float64")
    out["price"] = (sums["revenue"] / units).reindex(out.index).fillna(out["price"]).fillna(0.0)
    out["cost"] = out["cost"].fillna(0.0)
    out["sold"] = out["price"] > 0
    out["price"] = out["price"].where(out["sold"], out["cost"])
    out["margin"] = (sums["margin"] / units).reindex(out.index).fillna(out["price"] - out["cost"]).where(out["sold"], 0.0)
    return out


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

def _short(projection, worth, stock, proposed, as_of):
    """One exception for every series that ends a month below zero: from its first such month to its last in a row."""
    p = projection.sort_values([*SERIES, "month"], kind="stable")
    run = _runs(p["closing"] < -NONE, p[SERIES])
    hit = p[run > 0].assign(run=run[run > 0])
    out = hit.groupby([*SERIES, "run"], as_index=False).agg(first=("month", "min"), last=("month", "max"), closing=("closing", "min"))
    if out.empty:
        return out
    out["units"] = -out["closing"]
    out["amount"] = out["units"] * out["item"].map(worth["price"]).fillna(0.0)
    start = p.groupby(SERIES, as_index=False).agg(on_hand=("opening", "first"))
    out = out.merge(start, on=SERIES, how="left").merge(_next_supply(proposed, as_of), on=SERIES, how="left")
    out["months"] = ((out["last"].dt.year - out["first"].dt.year) * 12 + out["last"].dt.month - out["first"].dt.month + 1).astype(float)
    counted = pd.Series(True, index=out.index) if stock is None else pd.MultiIndex.from_frame(out[SERIES]).isin(pd.MultiIndex.from_frame(stock[SERIES]))
    because = np.select([~out["item"].map(worth["sold"]).fillna(True).astype(bool), ~np.asarray(counted), out["on_hand"] <= NONE, out["lead_days"].notna()],
                        ["exceptions.short_component", "exceptions.short_uncounted", "exceptions.short_no_stock", "exceptions.short_lead_time"], "exceptions.short")
    values = {name: out[name] for name in ("item", "location", "first", "last", "units", "months", "on_hand", "lead_days", "arrives")}
    return _row(out, "short", first=out["first"], last=out["last"], units=out["units"], amount=out["amount"], because=because, values=values)


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
    # a plan shorter than the limit goes on at its own mean
    sums["within"] += sums["all"] / sums["months"] * (excess_months - sums["months"]).clip(lower=0)
    ends = sums["item"].map(items.set_index("item")["end_date"])
    ended = ends.notna() & (ends < pd.Timestamp(as_of))
    over = sums.assign(units=sums["on_hand"] - sums["within"], cost=sums["item"].map(worth["cost"]).fillna(0.0), ends=ends, limit=float(excess_months))
    dead = over[(over["on_hand"] > NONE) & ((over["all"] <= NONE) | ended)].assign(units=lambda d: d["on_hand"])
    much = over[(over["units"] > NONE) & (over["all"] > NONE) & ~ended]
    return [_stock_row(much, "excess", ["exceptions.excess"] * len(much), ("item", "location", "units", "on_hand", "within", "limit")),
            _stock_row(dead, "obsolete", np.where(dead["ends"].notna(), "exceptions.obsolete_ended", "exceptions.obsolete"),
                       ("item", "location", "units", "ends"))]


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


# --- answers --------------------------------------------------------------------------------------------------------
# One scale for all: net = gains − costs.
#     overload, short   gains = the margin at stake;  costs = what is spent, and the margin of what is still not served
#     excess            gains = 0;                    costs = carrying it, or the price given away
#     obsolete          gains = the money recovered;  costs = the book value given up
# So doing nothing about an overload has a net of 0: all of its margin is lost. Late open orders get no options: what they
# endanger is the shortage they cause, and that has its own.

def options(exceptions, projection, items, *, plan, load=None, receipts=None, holding_rate=0.20, subcontract_premium=0.15,
            expedite_premium=0.10, transfer_cost=0.05, promotion_discount=0.20, clearance_discount=0.50, excess_months=6.0):
    """Answers to the exceptions given, usually the first of `supply.ranked`.

    exceptions  EXCEPTIONS
    projection  item × location × month   closing, safety_stock, demand (units)
    items       item                      unit_cost, unit_price
    plan        item × location × month   consensus, revenue, margin: what a unit brings
    load        resource × month          LOAD, for overloads
    receipts    order × item × location   quantity: open orders that could be stopped
    rates       holding_rate a year, the others once; all of unit cost, discounts of price
    returns     OPTIONS; the recommended answer has the highest net, of equals it is the first

    overload:  overtime, at overtime_rate, as far as it goes;  pull forward into the nearest earlier months with slack,
               at holding cost;  subcontract, at a premium on cost;  ration, losing the margin
    short:     expedite, at a premium on cost;  transfer what another location can spare, at its cost;  wait, losing the margin
    excess:    carry until sold;  stop open orders;  promote at a discount
    obsolete:  clear at a discount;  write off
    """
    worth = _worth(plan, items)
    rows: list[dict] = []
    for e in exceptions.to_dict("records"):
        if e["kind"] == "overload" and load is not None:
            found = _for_overload(e, load, holding_rate, subcontract_premium)
        elif e["kind"] == "short":
            found = _for_short(e, projection, worth, expedite_premium, transfer_cost)
        elif e["kind"] == "excess":
            found = _for_excess(e, projection, worth, receipts, holding_rate, promotion_discount, excess_months)
        elif e["kind"] == "obsolete":
            found = _for_obsolete(e, worth, clearance_discount)
        else:
            found = []
        rows += _lettered(e["id"], found)
    if not rows:
        return frames.empty(frames.OPTIONS)
    return frames.conform(pd.DataFrame(rows)[frames.OPTIONS.names], frames.OPTIONS)


def _answer(title, *, gains, costs, keeps=0.0, service=float("nan"), **values):
    return {"title": f"options.{title}", "values": as_json(values), "keeps": keeps, "gains": gains, "costs": costs,
            "net": gains - costs, "service": service}


def _lettered(exception, found):
    """Letters in order, and the recommendation: the highest net, of equals the first."""
    if not found:
        return []
    best = max(range(len(found)), key=lambda i: (round(found[i]["net"], 2), -i))
    return [{"exception": exception, "option": chr(ord("A") + i), "recommended": i == best, **row} for i, row in enumerate(found)]


# --- overload -------------------------------------------------------------------------------------------------------

def _for_overload(e, load, holding_rate, subcontract_premium):
    """Every answer covers some of the hours in each month; what it leaves uncovered loses its margin."""
    ours = load[load["resource"] == e["resource"]].sort_values("month", kind="stable").reset_index(drop=True)
    over = ours[(ours["month"] >= e["first"]) & (ours["month"] <= e["last"])]
    hours = over["overload"].fillna(0.0).to_numpy()
    rate = {name: (over[name] / over["hours"]).fillna(0.0).to_numpy() for name in ("revenue", "margin", "goods")}
    overtime = np.minimum(hours, over["overtime"].to_numpy())
    earlier, carried = _pull_forward(ours, over.index, hours)
    none = np.zeros(len(hours))
    answers = [
        ("overtime", overtime, float((overtime * over["overtime_rate"].to_numpy()).sum())),
        ("pull_forward", earlier, float((carried * rate["goods"]).sum()) * holding_rate / 12),
        ("subcontract", hours, float((hours * rate["goods"]).sum()) * subcontract_premium),
        ("ration", none, 0.0),
    ]
    at_stake, total = float((hours * rate["margin"]).sum()), float(over["hours"].sum())
    found = []
    for title, covered, spent in answers:
        left = hours - covered
        if title != "ration" and covered.sum() <= NONE:
            continue
        told = float(left.sum() if title == "ration" else covered.sum())
        found.append(_answer(title, gains=at_stake, costs=spent + float((left * rate["margin"]).sum()), keeps=float((covered * rate["revenue"]).sum()),
                             service=1 - float(left.sum()) / total, hours=told))
    return found


def _pull_forward(ours, rows, hours):
    """Hours moved from each overloaded month into earlier slack, nearest month first; and hours × months they are early."""
    slack = (ours["available"] - ours["hours"]).clip(lower=0).fillna(0.0).to_numpy().copy()
    moved, carried = np.zeros(len(hours)), np.zeros(len(hours))
    for i, row in enumerate(rows):
        for before in range(row - 1, -1, -1):
            take = min(slack[before], hours[i] - moved[i])
            slack[before] -= take
            moved[i] += take
            carried[i] += take * (row - before)
    return moved, carried


# --- short ----------------------------------------------------------------------------------------------------------

def _for_short(e, projection, worth, expedite_premium, transfer_cost):
    price, margin, cost = _money_of(e, worth)
    units, sold = e["units"], e["item"] in worth.index and bool(worth.loc[e["item"], "sold"])
    ours = _of(projection, e)
    asked = ours.loc[(ours["month"] >= e["first"]) & (ours["month"] <= e["last"]), "demand"].sum()
    asked = max(float(asked), units)
    found = [_answer("expedite", gains=units * margin, costs=units * cost * expedite_premium, keeps=units * price, service=1.0, units=units)]
    source, spare = _donor(e, projection)
    if spare >= 1:
        moved = min(units, spare)
        found.append(_answer("transfer", gains=units * margin, costs=moved * cost * transfer_cost + (units - moved) * margin,
                             keeps=moved * price, service=1 - (units - moved) / asked, units=moved, source=source))
    if sold:  # nobody can wait for a component: what is made of it stops
        found.append(_answer("wait", gains=units * margin, costs=units * margin, service=1 - units / asked, units=units))
    return found


def _donor(e, projection):
    """The location that can spare most of the item through the shortage without touching its own safety stock."""
    others = projection[(projection["item"] == e["item"]) & (projection["location"] != e["location"]) & (projection["month"] <= e["last"])]
    if others.empty:
        return None, 0.0
    free = (others["closing"] - others["safety_stock"]).groupby(others["location"]).min()
    return free.idxmax(), float(np.floor(max(free.max(), 0.0)))


# --- excess and obsolete --------------------------------------------------------------------------------------------

def _for_excess(e, projection, worth, receipts, holding_rate, promotion_discount, excess_months):
    """Units above the limit wait until the rest is sold, then sell at the mean of the plan: half of that time each."""
    price, _, cost = _money_of(e, worth)
    units, mean = e["units"], float(_of(projection, e)["demand"].mean())
    months = min(excess_months + units / mean / 2, LONGEST) if mean > NONE else LONGEST
    carry = units * cost * holding_rate / 12 * months
    found = [_answer("carry", gains=0.0, costs=carry, units=units)]
    open_units = 0.0 if receipts is None else float(_of(receipts, e)["quantity"].sum())
    if open_units > NONE:
        stopped = min(units, open_units)
        found.append(_answer("stop_orders", gains=0.0, costs=carry * (1 - stopped / units), units=stopped))
    if price > 0:
        found.append(_answer("promote", gains=0.0, costs=units * price * promotion_discount, keeps=units * price * (1 - promotion_discount),
                             units=units, discount=promotion_discount))
    return found


def _for_obsolete(e, worth, clearance_discount):
    price, _, cost = _money_of(e, worth)
    units, found = e["units"], []
    recovered = units * price * (1 - clearance_discount)
    if recovered > 0:
        found.append(_answer("clear", gains=recovered, costs=units * cost, keeps=recovered, units=units, discount=clearance_discount))
    found.append(_answer("write_off", gains=0.0, costs=units * cost, units=units))
    return found


def _money_of(e, worth):
    if e["item"] not in worth.index:
        return 0.0, 0.0, 0.0
    row = worth.loc[e["item"]]
    return float(row["price"]), float(row["margin"]), float(row["cost"])


def _of(table, e):
    return table[(table["item"] == e["item"]) & (table["location"] == e["location"])]


def limits(*, load=None, hiring=None, least=0.01):
    """What binds first: hours that overtime cannot stretch, or reps that cannot sell the plan.

    load     resource × month   LOAD
    hiring   month              HIRING
    least    share of the hours, or of the target, below which nothing binds
    returns  limit (supply or sales), what (resource, or empty), month, short (hours, or money), amount (money of sales);
             the first month of each, the earlier first; no rows where nothing binds
    """
    rows = []
    if load is not None:
        beyond = load.assign(short=load["overload"] - load["overtime"])
        beyond = beyond[beyond["short"] > least * beyond["available"]].sort_values(["month", "overload_amount"], ascending=[True, False], kind="stable")
        rows += [{"limit": "supply", "what": r.resource, "month": r.month, "short": r.short, "amount": r.overload_amount * r.short / r.overload}
                 for r in beyond.head(1).itertuples()]
    if hiring is not None:
        gap = hiring[-hiring["gap"] > least * hiring["target"]].sort_values("month", kind="stable")
        rows += [{"limit": "sales", "what": "", "month": r.month, "short": -r.gap, "amount": -r.gap} for r in gap.head(1).itertuples()]
    return pd.DataFrame(rows, columns=["limit", "what", "month", "short", "amount"]).sort_values(["month", "limit"], kind="stable").reset_index(drop=True)
