"""What to order, ship and make, and when: gross to net for every item at every place, through lanes and bills.

`requirements` plans the whole network at once: what customers ask for, what warehouses ask of their sources (DRP) and what
planned orders need of components (MRP). `net` is the same without lanes and bills; `records` shows a plan as textbooks
print it. All of them walk through sopnb.mrp.

Months are buckets: what is due on any day of a month can serve that month's demand. A planned order is due on the first
day of the month it serves, or on the day on which the first order that needs it is released.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sopnb import frames, lots, mrp, network, pegging, promise, rescheduling, usable
from sopnb.grids import SERIES, dates, day_numbers, first_of, grid, late, latest_stock, rows_of, series, spread_out
from sopnb.mrp import NONE
from sopnb.projection import at_cost, months_of_cover, project

__all__ = ["LOT_RULES", "NONE", "Requirements", "as_receipts", "at_cost", "grid", "late", "latest_stock", "months_of_cover", "net", "project",
           "requirements", "series", "spread_out", "uncounted"]

LOT_RULES = lots.RULES


@dataclass(frozen=True)
class Requirements:
    """A netted plan. Its tables are made when they are asked for.

    proposed   PROPOSED   orders to make or to buy
    shipments  SHIPMENTS  orders to ship from the source of a lane
    pegs       PEGS       what each of them serves
    messages   MESSAGES   what to tell whoever placed an open order, and which planned orders are late
    need       item × location × month   consensus (units): what planned orders need of components; level
    demand     item × location × month   consensus (units): all that is asked for, of customers, orders and shipments
    findings   SUPPLY_FINDINGS           what of the inputs could not be used as it is
    """

    grid: mrp.Grid
    walked: mrp.Walked
    items: pd.DataFrame
    receipts: pd.DataFrame | None
    findings: pd.DataFrame
    as_of: pd.Timestamp
    source: np.ndarray
    hidden: np.ndarray
    counted: np.ndarray
    sold: np.ndarray
    options: dict

    @cached_property
    def names(self):
        """Order numbers by series × bucket, and how they sort."""
        return _names(self.grid, self.walked.quantity)

    @cached_property
    def orders(self):
        """All planned orders, shipments included, by number."""
        return _orders(self)

    @property
    def proposed(self):
        own = self.orders[self.orders["source_location"].isna()]
        return own[frames.PROPOSED.names].reset_index(drop=True)

    @property
    def shipments(self):
        lane = self.orders[self.orders["source_location"].notna()]
        return lane[frames.SHIPMENTS.names].reset_index(drop=True)

    @cached_property
    def pegs(self):
        return _pegs(self)

    @cached_property
    def messages(self):
        return _messages(self)

    @cached_property
    def need(self):
        made = self.walked.needs[~self.walked.needs["shipped"]]
        return _by_month(self, made["child"], made["bucket"], made["quantity"]).assign(
            level=lambda d: self.walked.level[rows_of(d, self.grid.keys)]).reset_index(drop=True)

    @cached_property
    def demand(self):
        rows = np.flatnonzero(self.counted)
        out = self.grid.keys.iloc[np.repeat(rows, self.grid.shape[1])].reset_index(drop=True)
        return out.assign(month=np.tile(self.grid.months.to_numpy(), len(rows)), consensus=self.walked.gross[rows].ravel())

    def promised(self, booked, *, near=3, planned=False, method="look_ahead", take_back=True):
        """ATP of what customers buy; see promise.atp. planned: planned orders count as supply as well."""
        supply = self.grid.receipts + (self.walked.quantity if planned else 0.0)
        return promise.atp(self.grid.keys[self.sold].reset_index(drop=True), self.grid.months, self.grid.opening[self.sold], supply[self.sold], booked,
                           near=near, method=method, take_back=take_back)


def requirements(plan, stock, receipts, items, *, as_of, lanes=None, bom=None, policy=None, lead=None, lead_time_days=30, lot_rule="lot_for_lot",
                 periods=3, order_cost=0.0, holding_rate=0.20, late="hurry", open_orders="as_due", phantom_stock=False, spread=True,
                 uncounted_parts="order", tolerance_in=0, tolerance_out=0, unneeded="cancel"):
    """Net the whole network: customers' demand, shipments between places, components of what is made.

    plan      item × location × month   consensus (units), read as demand
    stock     item × location × as_of   on_hand (units); None: nothing on hand
    receipts  order × item × location   due_date, quantity (units): open orders; None: none
    items     item                      moq, lot_multiple (units), unit_cost, lead_time_days; lot_rule, lot_size, lot_periods
                                        where an item has its own
    lanes     item × location           source_location, transit_days: where it is shipped from; None: nowhere
    bom       item × component          quantity, scrap (fraction), phantom, valid_from, valid_to; None: nothing is made of parts
    policy    item × location           safety_stock, eoq (units); None: none is held
    lead      item × location           lead_days; None: transit_days where a lane leads, else the item's, else lead_time_days
    lot_rule  one of LOT_RULES, for items without their own; `fixed`: lots of lot_size, else moq, else the policy's eoq, else
              lot_multiple. moq and lot_multiple hold for every other rule; whole units where no multiple is given
    periods   months an order of rule `period` reaches; None: as many as the economic quantity lasts
    order_cost, holding_rate   money an order; of unit cost a year: for the rules that weigh them
    late      hurry: an order is planned for the month that needs it, however late its release is, and says so
              wait: no order arrives before its lead time has passed; what is short until then stays short
    open_orders  as_due: open orders come when they are due, and what is short before is ordered
              as_needed: they are taken to be moved to where they are needed before anything new is ordered (the
              rescheduling assumption of MRP)
    phantom_stock  True: stock and open orders of a phantom are used up first; False: it is passed through
    spread    True: what a place needs of its source leaves over as long a time as the month it serves, so that of seven
              days' transit a quarter falls into the month before; False: all of it leaves on the day of release
    uncounted_parts  order: a component that no row of stock counts is planned as if its shelf were empty; tell: unknown is not
              zero, so it is exploded and shown in `need`, and no order is proposed (see bom.uncounted)
    tolerance_in, tolerance_out, unneeded   see rescheduling.messages
    returns   Requirements

    need of a component = parent's planned order × quantity / (1 − scrap), on the day that order is released, where the day
    it is due lies in the row's dates; of a source = the shipment, on the day it leaves. A phantom has no lead time, no
    safety stock and no lot. Parents are planned before their components, and each place before its source.
    Netting again with these orders as open orders plans nothing new.

    source    Orlicky, Material Requirements Planning; Martin, Distribution Resource Planning
    """
    _one_of("late", late, ("hurry", "wait"))
    _one_of("open_orders", open_orders, ("as_due", "as_needed"))
    _one_of("uncounted_parts", uncounted_parts, ("order", "tell"))
    _one_of("lot_rule", lot_rule, LOT_RULES)
    found = usable.Found()
    plan, stock, receipts, items, lanes, bom, policy, lead = usable.entered(
        found, plan=plan, stock=stock, receipts=receipts, items=items, lanes=lanes, bom=bom, policy=policy, lead=lead)
    items, policy = usable.masters(items, found), usable.stock_policy(policy, found)
    stock, receipts = usable.stocks(stock, items, found), usable.open_orders(receipts, items, found)
    plan = usable.plans(plan, items, found)
    lanes, bill = usable.ways(lanes, plan, found), usable.bills(bom, plan, items, found)
    as_of = pd.Timestamp(as_of)
    keys, links = network.spread(series(plan, stock, receipts), lanes=lanes, bill=bill)
    source = _sources(keys, lanes)
    rules = lot_settings(keys, items, policy, lot_rule=lot_rule, periods=periods, order_cost=order_cost, holding_rate=holding_rate)
    days = _lead_days(keys, items, lanes, lead, lead_time_days)
    g = grid(plan, stock, receipts, as_of=as_of, policy=policy, keys=keys, lead=days, rules=rules)
    phantom = keys["item"].isin(set(bill.loc[bill["phantom"], "item"]) if bill is not None else ()).to_numpy()
    mrp.pass_through(g, phantom & pd.isna(source), phantom_stock)
    walked = mrp.walk(g, links, move=open_orders == "as_needed", spread=spread, wait_from=None if late == "hurry" else int(day_numbers([as_of])[0]))
    known = set(plan["item"]) | (set() if stock is None else set(stock["item"]))
    counted = keys["item"].isin(known).to_numpy() | (uncounted_parts == "order")
    hidden = (phantom & pd.isna(source)) | ~counted
    options = {"move": open_orders == "as_needed", "tolerance_in": tolerance_in, "tolerance_out": tolerance_out, "unneeded": unneeded}
    sold = rows_of(keys, series(plan)) >= 0
    return Requirements(g, walked, items, receipts, found.table(), as_of, source, hidden, counted, sold, options)


def net(plan, stock, receipts, items, *, as_of, lead, policy=None, lot_rule="lot_for_lot", periods=3, **conventions):
    """Planned orders of each series by itself: `requirements` without lanes and bills; see there for tables and settings.

    returns   PROPOSED

    projected = opening + receipts − demand; where it falls below safety stock an order is planned, due on the first
    of the month, released lead_days earlier. A release before as_of stays as computed and says so: `expedite` where
    the due date is still to come, `past_due` where it is not.
    """
    return requirements(plan, stock, receipts, items, as_of=as_of, lead=lead, policy=policy, lot_rule=lot_rule, periods=periods, **conventions).proposed


# --- what the walk needs, from the tables ---------------------------------------------------------------------------

def lot_settings(keys, items, policy=None, *, lot_rule="lot_for_lot", periods=3, order_cost=0.0, holding_rate=0.20):
    """The settings of lots.sized for every series; see `requirements`."""
    own = items.set_index("item")

    def of(column):
        return keys["item"].map(own[column]) if column in own else pd.Series(np.nan, index=keys.index)

    rule = of("lot_rule").astype(object)
    rule = rule.where(rule.notna(), lot_rule)
    moq, multiple = of("moq").astype("float64"), of("lot_multiple").astype("float64").where(lambda v: v > 0)
    economic = pd.Series(np.nan, index=keys.index)
    if policy is not None and "eoq" in policy and len(policy):
        economic = np.ceil(keys.merge(policy[[*SERIES, "eoq"]].drop_duplicates(SERIES), on=SERIES, how="left")["eoq"].astype("float64").set_axis(keys.index))
    fixed = of("lot_size").astype("float64").where(lambda v: v > 0)
    lot = fixed.fillna(moq.where(moq > 0)).fillna(economic).fillna(multiple).fillna(1.0)
    is_fixed = rule == "fixed"
    holding = holding_rate * of("unit_cost").astype("float64") / 12
    known = order_cost > 0
    return {"rule": rule.to_numpy(dtype=object), "moq": moq.fillna(0.0).mask(is_fixed, 0.0).to_numpy(),
            "multiple": multiple.fillna(1.0).mask(is_fixed, 0.0).to_numpy(), "fixed": fixed.fillna(economic).where(~is_fixed, lot).to_numpy(),
            "periods": of("lot_periods").astype("float64").fillna(np.nan if periods is None else float(periods)).to_numpy(),
            "order_cost": np.full(len(keys), float(order_cost) if known else np.nan), "holding_cost": holding.to_numpy() if known else np.full(len(keys), np.nan)}


def _lead_days(keys, items, lanes, lead, lead_time_days):
    """Whole days from release to receipt."""
    own = keys["item"].map(items.set_index("item")["lead_time_days"]).astype("float64").fillna(float(lead_time_days))
    if lanes is not None:
        own = keys.merge(lanes[[*SERIES, "transit_days"]], on=SERIES, how="left")["transit_days"].set_axis(keys.index).fillna(own)
    if lead is not None:
        given = keys.merge(lead[[*SERIES, "lead_days"]].drop_duplicates(SERIES), on=SERIES, how="left")["lead_days"].set_axis(keys.index)
        own = given.fillna(0.0 if lanes is None else own)
    return np.ceil(own.clip(lower=0.0).to_numpy()).astype("int64")


def _sources(keys, lanes):
    """Where a lane brings each series from; missing where none does."""
    if lanes is None:
        return np.full(len(keys), None, dtype=object)
    return keys.merge(lanes[[*SERIES, "source_location"]], on=SERIES, how="left")["source_location"].to_numpy(dtype=object)


# --- tables of what the walk found ----------------------------------------------------------------------------------

def _orders(r):
    row, bucket = np.nonzero(r.walked.quantity * ~r.hidden[:, None])
    due, release = dates(r.walked.due[row, bucket]), dates(r.walked.release[row, bucket])
    quantity = r.walked.quantity[row, bucket]
    cost = r.grid.keys["item"].map(r.items.set_index("item")["unit_cost"]).astype("float64").to_numpy() if "unit_cost" in r.items else np.nan
    out = pd.DataFrame({
        "order": r.names[0][row * r.grid.shape[1] + bucket], "item": r.grid.keys["item"].to_numpy()[row], "location": r.grid.keys["location"].to_numpy()[row],
        "source_location": r.source[row], "release": release, "due": due, "quantity": quantity, "rule": r.walked.by[row, bucket],
        "message": np.where(release >= r.as_of, "order", np.where(due > r.as_of, "expedite", "past_due")).astype(object),
        "serves": r.grid.months.to_numpy()[bucket], "amount": quantity * np.broadcast_to(cost, len(r.grid.keys))[row]})
    return out.iloc[np.argsort(r.names[1][row * r.grid.shape[1] + bucket])].reset_index(drop=True)


def _names(g, quantity):
    """Order numbers by series and bucket, item-location-month-1 (-2 and on where two series would share one), and their rank.

    returns  two arrays, series × buckets laid out in a row: the number, and its place among all numbers and the words
             customers, safety and stock; and the places of these three
    """
    row, bucket = np.nonzero(quantity)
    stem = g.keys["item"] + "-" + g.keys["location"] + "-"
    last = ("-" + (stem.groupby(stem).cumcount() + 1).astype(str)).to_numpy(dtype=object)
    made = stem.to_numpy(dtype=object)[row] + g.months.strftime("%Y%m").to_numpy(dtype=object)[bucket] + last[row]
    words = np.concatenate([made, pegging.KINDS])
    place = np.empty(len(words), dtype="int64")
    place[np.argsort(words, kind="stable")] = np.arange(len(words))
    names, ranks = np.full(quantity.size, None, dtype=object), np.full(quantity.size, -1)
    code = row * quantity.shape[1] + bucket
    names[code], ranks[code] = made, place[:len(made)]
    return names, ranks, place[len(made):]


def _pegs(r):
    cut = pegging.pieces(r.grid, r.walked, hidden=r.hidden, move=r.options["move"])
    names, ranks, words = r.names
    buckets, keys, months = r.grid.shape[1], r.grid.keys, r.grid.months.to_numpy()
    order, end, serves, end_row, end_bucket, quantity = (cut[name] for name in pegging.COLUMNS)
    by_order = serves >= 0
    sorting = (end_bucket, end_row, end, np.where(by_order, ranks[np.maximum(serves, 0)], words[end]), ranks[order])
    sequence = np.lexsort(sorting)
    sequence = sequence[~r.hidden[order[sequence] // buckets]]
    first = np.zeros(len(sequence), dtype=bool)
    for column in sorting:
        first |= np.diff(column[sequence], prepend=-2) != 0
    quantity = np.add.reduceat(quantity[sequence], np.flatnonzero(first)) if len(sequence) else quantity[sequence]
    order, serves, end, end_row, end_bucket, by_order = (column[sequence][first] for column in (order, serves, end, end_row, end_bucket, by_order))
    row = order // buckets
    out = {"order": names[order], "serves": np.where(by_order, names[np.maximum(serves, 0)], pegging.KINDS[end]), "end": pegging.KINDS[end],
           "end_item": keys["item"].to_numpy()[end_row], "end_location": keys["location"].to_numpy()[end_row], "month": months[end_bucket],
           "item": keys["item"].to_numpy()[row], "location": keys["location"].to_numpy()[row],
           "due": dates(r.walked.due.ravel()[order]), "rule": r.walked.by.ravel()[order], "quantity": quantity}
    return pd.DataFrame(out, columns=frames.PEGS.names)  # sorted, and of the frame's types: to conform millions of rows takes a minute


def _messages(r):
    cost = r.items.set_index("item")["unit_cost"] if "unit_cost" in r.items else pd.Series(dtype="float64")
    tardy = r.orders[r.orders["message"] != "order"]
    parts = [pd.DataFrame({"order": tardy["order"], "item": tardy["item"], "location": tardy["location"], "kind": "planned", "message": tardy["message"],
                           "due": tardy["due"], "needed": tardy["due"], "quantity": tardy["quantity"], "needed_quantity": tardy["quantity"], "months": 0.0})]
    if r.receipts is not None and len(r.receipts) and len(r.grid.starts):
        told = rescheduling.messages(r.grid, r.walked, _coming(r), now=int(day_numbers([r.as_of])[0]),
                                     **{name: r.options[name] for name in ("tolerance_in", "tolerance_out", "unneeded")})
        keys = r.grid.keys.iloc[told["row"].to_numpy()]
        parts.append(pd.DataFrame({
            "order": told["order"].to_numpy(), "item": keys["item"].to_numpy(), "location": keys["location"].to_numpy(), "kind": "open",
            "message": told["message"].to_numpy(), "due": dates(told["time"]), "needed": dates(told["needed_time"]).where(told["needed_bucket"] < len(r.grid.starts)),
            "quantity": told["quantity"].to_numpy(), "needed_quantity": told["needed"].to_numpy(), "months": told["buckets"].to_numpy()}))
    out = pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else parts[0]
    out["amount"] = out["quantity"] * out["item"].map(cost).astype("float64")
    return frames.conform(out, frames.MESSAGES)


def _coming(r):
    """Open orders by series and month, as rescheduling takes them; those due after the plan are left out."""
    row = rows_of(r.receipts, r.grid.keys)
    due = r.receipts["due_date"]
    keep = (row >= 0) & (first_of(due) <= r.grid.months[-1]).to_numpy() & (r.receipts["quantity"] > 0).to_numpy() & ~r.hidden[row]
    time = day_numbers(due[keep])
    return pd.DataFrame({"row": row[keep], "order": r.receipts["order"].to_numpy()[keep], "time": time, "bucket": r.grid.bucket(time),
                         "quantity": r.receipts["quantity"].to_numpy()[keep]})


def _by_month(r, row, bucket, quantity):
    """Quantities by series and month as a table."""
    out = r.grid.keys.iloc[np.asarray(row)].reset_index(drop=True)
    out = out.assign(month=r.grid.months.to_numpy()[np.asarray(bucket)], consensus=np.asarray(quantity))
    return out.groupby([*SERIES, "month"], as_index=False)["consensus"].sum()


def as_receipts(proposed):
    """Planned orders as if they had been placed: what `net` takes as open orders.

    returns  order × item × location   due_date, quantity (units)
    """
    return proposed.rename(columns={"due": "due_date"})[["order", *SERIES, "due_date", "quantity"]]


def uncounted(proposed, plan, stock):
    """What customers are to buy and nobody has counted: its orders assume an empty shelf.

    proposed  order                     quantity (units), amount (money at cost): from `net`
    plan      item × location × month   consensus (units): what customers ask for, components left out
    stock     item × location           what was counted
    returns   item   orders (count), quantity (units), amount (money at cost), the largest first; every item planned to
              sell that has no stock row, with or without orders
    """
    planned = plan.groupby("item")["consensus"].sum()
    out = pd.DataFrame({"item": [item for item in planned.index[planned > NONE] if item not in set(stock["item"])]}, dtype=object)
    sums = proposed.groupby("item").agg(orders=("order", "size"), quantity=("quantity", "sum"), amount=("amount", "sum"))
    out = out.merge(sums, left_on="item", right_index=True, how="left").fillna({"orders": 0, "quantity": 0.0, "amount": 0.0})
    return out.sort_values(["amount", "item"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}; not {value}.")
