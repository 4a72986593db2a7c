"""What to order, when, and where that leaves the stock.

`net` turns demand into planned orders, `project` turns orders into projected stock. Both work on a grid of series by
months: all series of a month at once, month after month, since a month opens with what the one before closed with.

Months are buckets: what is due on any day of a month can serve that month's demand. A planned order is due on the
first day of the month it serves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sopnb import frames

SERIES = ["item", "location"]
LOT_RULES = ("lot_for_lot", "fixed", "period")
NONE = 1e-6  # units below which nothing is short: floating point, not stock


@dataclass
class Grid:
    """Series by months: what is asked for, what is there, what is coming."""

    keys: pd.DataFrame  # item, location
    months: pd.DatetimeIndex
    demand: np.ndarray
    receipts: np.ndarray
    opening: np.ndarray
    safety: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.demand.shape[0], self.demand.shape[1]


def latest_stock(stock, as_of):
    """On hand per series: its latest count on or before as_of; a newer one where it has no other.

    stock    item × location × as_of   on_hand (units)
    returns  item × location           on_hand (units), as_of
    """
    counted = stock.assign(_newer=stock["as_of"] > as_of)
    counted = counted.assign(_day=counted["as_of"].fillna(pd.Timestamp(as_of)))
    known = counted[~counted["_newer"]]
    newer = counted[counted["_newer"]].merge(known[SERIES].drop_duplicates(), on=SERIES, how="left", indicator="_side")
    newer = newer[newer["_side"] == "left_only"].drop(columns="_side")
    last = known.merge(known.groupby(SERIES, as_index=False)["_day"].max(), on=[*SERIES, "_day"])
    first = newer.merge(newer.groupby(SERIES, as_index=False)["_day"].min(), on=[*SERIES, "_day"])
    both = pd.concat([last, first], ignore_index=True)
    return both.groupby(SERIES, as_index=False).agg(on_hand=("on_hand", "sum"), as_of=("as_of", "max"))


def late(receipts, as_of):
    """Open orders that should have come before as_of and have not."""
    return receipts[(receipts["due_date"] < pd.Timestamp(as_of)) & (receipts["quantity"] > 0)]


def grid(plan, stock, receipts, *, as_of, policy=None):
    """Plan, stock and open orders on one grid: every series that occurs in any of them, the months of the plan.

    An open order due before as_of is counted in the first month (see `late`); one due after the last is left out.
    Safety stock is held as long as demand is still to come, so that a phase-out runs down to nothing.
    """
    months = pd.DatetimeIndex(sorted(plan["month"].unique()))
    keys = series(plan, stock, receipts)
    demand = spread_out(plan, keys, months, "month", "consensus")
    coming = np.zeros(demand.shape)
    if receipts is not None and len(receipts):
        due = receipts.assign(month=receipts["due_date"].dt.to_period("M").dt.to_timestamp().clip(lower=months[0]))
        coming = spread_out(due, keys, months, "month", "quantity")
    opening = np.zeros(len(keys))
    if stock is not None and len(stock):
        opening = keys.merge(latest_stock(stock, as_of), on=SERIES, how="left")["on_hand"].fillna(0.0).to_numpy()
    held = np.zeros(len(keys))
    if policy is not None and len(policy):
        held = keys.merge(policy[[*SERIES, "safety_stock"]], on=SERIES, how="left")["safety_stock"].fillna(0.0).to_numpy()
    still = np.cumsum(demand[:, ::-1], axis=1)[:, ::-1] > NONE
    return Grid(keys, months, demand, coming, opening, held[:, None] * still)


def series(*tables):
    """Every item × location that occurs in any of the tables, in order; a table may be None."""
    keys = pd.concat([t[SERIES] for t in tables if t is not None])
    return keys.drop_duplicates().sort_values(SERIES, kind="stable").reset_index(drop=True)


def spread_out(table, keys, months, month, value):
    """A long table as an array, series × months; rows outside the months are left out."""
    out = np.zeros((len(keys), len(months)))
    row = pd.MultiIndex.from_frame(keys[SERIES]).get_indexer(pd.MultiIndex.from_frame(table[SERIES]))
    column = months.get_indexer(pd.DatetimeIndex(table[month]))
    inside = (row >= 0) & (column >= 0)
    np.add.at(out, (row[inside], column[inside]), table[value].fillna(0.0).to_numpy()[inside])
    return out


# --- net ------------------------------------------------------------------------------------------------------------

def net(plan, stock, receipts, items, *, as_of, lead, policy=None, lot_rule="lot_for_lot", periods=3):
    """Planned orders: gross to net, lot by lot, each with the month it serves and the rule that sized it.

    plan      item × location × month   consensus (units), read as demand
    stock     item × location × as_of   on_hand (units); None: nothing on hand
    receipts  order × item × location   due_date, quantity (units): open orders; None: none
    items     item                      moq, lot_multiple, unit_cost
    lead      item × location           lead_days; from inventory.lead_times
    policy    item × location           safety_stock (units); None: none is held
    lot_rule  lot_for_lot: what is short, at least moq, in multiples of lot_multiple (whole units where none is given)
              fixed: as many lots as needed, a lot being moq, else the policy's eoq, else lot_multiple
              period: what is short over `periods` months, sized as lot_for_lot
    returns   PROPOSED

    projected = opening + receipts − demand; where it falls below safety stock an order is planned, due on the first
    of the month, released lead_days earlier. A release before as_of stays as computed and says so: `expedite` where
    the due date is still to come, `past_due` where it is not. Netting again with these orders as receipts plans nothing.

    source    Krajewski, Ritzman and Malhotra, Operations Management, material requirements planning
    """
    if lot_rule not in LOT_RULES:
        raise ValueError(f"lot_rule is one of {', '.join(LOT_RULES)}; not {lot_rule}.")
    g = grid(plan, stock, receipts, as_of=as_of, policy=policy)
    lots = _lots(g.keys, items, policy, lot_rule)
    quantity, sized_by = _size_all(g, lots, lot_rule, periods)
    return _orders(g, quantity, sized_by, items, lead, pd.Timestamp(as_of))


def _lots(keys, items, policy, lot_rule):
    """Least order and multiple of each series; a fixed lot is both."""
    own = items.set_index("item")
    moq = keys["item"].map(own["moq"]).astype("float64")
    multiple = keys["item"].map(own["lot_multiple"]).astype("float64")
    multiple = multiple.where(multiple > 0)
    if lot_rule == "fixed":
        economic = keys.merge(policy[[*SERIES, "eoq"]], on=SERIES, how="left")["eoq"] if policy is not None else np.nan
        lot = moq.where(moq > 0).fillna(pd.Series(np.ceil(economic), index=keys.index)).fillna(multiple).fillna(1.0)
        return lot.to_numpy(), lot.to_numpy()
    return moq.fillna(0.0).to_numpy(), multiple.fillna(1.0).to_numpy()


def _size_all(g, lots, lot_rule, periods):
    """Order quantity of every series and month, and what sized it: 0 need, 1 moq, 2 multiple."""
    least, multiple = lots
    quantity, sized_by = np.zeros(g.shape), np.zeros(g.shape, dtype=int)
    stock = g.opening.copy()
    months = g.shape[1]
    for m in range(months):
        stock = stock + g.receipts[:, m] - g.demand[:, m]
        need = g.safety[:, m] - stock
        short = need > NONE
        if lot_rule == "period":
            need = np.maximum(need, _need_through(g, stock, m, min(m + periods - 1, months - 1)))
        wanted = np.maximum(need, least)
        lot = np.ceil(wanted / multiple - NONE) * multiple
        quantity[:, m] = np.where(short, lot, 0.0)
        sized_by[:, m] = np.where(lot > np.ceil(wanted - NONE) + NONE, 2, np.where(least > need, 1, 0))
        stock = stock + quantity[:, m]
    return quantity, sized_by


def _need_through(g, stock, m, last):
    """What is short at the end of month `last`, with the orders known and none planned in between."""
    after = slice(m + 1, last + 1)
    return g.safety[:, last] - (stock + g.receipts[:, after].sum(axis=1) - g.demand[:, after].sum(axis=1))


def _orders(g, quantity, sized_by, items, lead, as_of):
    row, column = np.nonzero(quantity)
    out = g.keys.iloc[row].reset_index(drop=True)
    out["serves"] = g.months[column]
    out["due"] = out["serves"]
    days = out.merge(lead[[*SERIES, "lead_days"]].drop_duplicates(SERIES), on=SERIES, how="left")["lead_days"].fillna(0.0)
    out["release"] = out["due"] - pd.to_timedelta(np.ceil(days.to_numpy()), unit="D")
    out["quantity"] = quantity[row, column]
    out["rule"] = np.array(["need", "moq", "multiple"], dtype=object)[sized_by[row, column]]
    out["message"] = np.where(out["release"] >= as_of, "order", np.where(out["due"] > as_of, "expedite", "past_due"))
    out["amount"] = out["quantity"] * out["item"].map(items.set_index("item")["unit_cost"]).astype("float64")
    stem = out["item"] + "-" + out["location"] + "-" + out["serves"].dt.strftime("%Y%m")
    out["order"] = stem + "-" + (out.groupby(stem).cumcount() + 1).astype(str)
    return frames.conform(out[frames.PROPOSED.names], frames.PROPOSED)


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


# --- project --------------------------------------------------------------------------------------------------------

def project(stock, receipts, proposed, plan, *, as_of, policy=None, expedite=False):
    """Projected stock by month: closing = opening + receipts + proposed − demand.

    stock     item × location × as_of   on_hand (units); None: nothing on hand
    receipts  order × item × location   due_date, quantity (units); None: none
    proposed  order                     release, due, quantity (units); None: no planned orders
    plan      item × location × month   consensus (units), read as demand
    expedite  False: a planned order released today arrives after its lead time, however late that is
              True: it arrives on its due date, as if suppliers could be hurried
    returns   PROJECTION; every series of plan, stock or receipts, so that the opening total is the stock's total

    Closing below zero is demand we expect to owe. It is carried, not clipped.
    Cover counts months of coming demand in closing; after the last month the mean of the last twelve goes on.
    Missing where there is stock and no demand to come.
    """
    g = grid(plan, stock, receipts, as_of=as_of, policy=policy)
    arriving = np.zeros(g.shape)
    if proposed is not None and len(proposed):
        arriving = spread_out(proposed.assign(month=_arrival(proposed, as_of, expedite)), g.keys, g.months, "month", "quantity")
    closing = g.opening[:, None] + np.cumsum(g.receipts + arriving - g.demand, axis=1)
    opening = np.column_stack([g.opening, closing[:, :-1]])
    out = g.keys.loc[g.keys.index.repeat(g.shape[1])].reset_index(drop=True)
    out["month"] = np.tile(g.months.to_numpy(), len(g.keys))
    values = {"opening": opening, "receipts": g.receipts, "proposed": arriving, "demand": g.demand, "closing": closing,
              "safety_stock": g.safety, "cover": months_of_cover(closing, g.demand)}
    for name, value in values.items():
        out[name] = value.ravel()
    return frames.conform(out, frames.PROJECTION)


def _arrival(proposed, as_of, expedite):
    """Month in which a planned order can be there."""
    due = proposed["due"]
    if not expedite:
        late_days = (pd.Timestamp(as_of) - proposed["release"]).clip(lower=pd.Timedelta(0))
        due = due + late_days
    return due.dt.to_period("M").dt.to_timestamp()


def months_of_cover(closing, demand):
    """Months of coming demand in the closing stock of every month, as a number with fractions.

    closing, demand  series × months (units)

    >>> months_of_cover(np.array([[30.0, 20.0]]), np.array([[10.0, 20.0]]))
    array([[1.66666667, 1.33333333]])
    """
    months = closing.shape[1]
    mean = demand[:, -12:].mean(axis=1)
    cover = np.zeros(closing.shape)
    for m in range(months):
        left = np.maximum(closing[:, m], 0.0)
        for coming in (demand[:, k] for k in range(m + 1, months)):
            used = np.minimum(left, coming)
            cover[:, m] += np.where(left > NONE, np.where(coming > NONE, used / np.maximum(coming, NONE), 1.0), 0.0)
            left = left - used
        with np.errstate(divide="ignore", invalid="ignore"):
            beyond = np.where(left > NONE, left / np.where(mean > NONE, mean, np.nan), 0.0)
        cover[:, m] += beyond
    return cover


def at_cost(projection, items, plan):
    """Projected stock in money: every quantity times unit cost, added up by month.

    projection  PROJECTION (units)
    items       item   unit_cost (money a unit); an item without one counts nothing
    plan        item × location × month   consensus (units): what customers ask for
    returns     month  opening, receipts, proposed, demand, closing, safety_stock (money), owed (money below zero),
                       cover (months of customers' demand in all stock, at cost)

    Demand in a projection may include what parents need of components; cover leaves it out, or flour would count twice.
    """
    unit_cost = items.set_index("item")["unit_cost"].astype("float64").fillna(0.0)
    cost = projection["item"].map(unit_cost).fillna(0.0)
    names = ["opening", "receipts", "proposed", "demand", "closing", "safety_stock"]
    money = projection[names].mul(cost, axis=0).assign(month=projection["month"])
    money["owed"] = -money["closing"].clip(upper=0.0)
    out = money.groupby("month", as_index=False)[[*names, "owed"]].sum()
    asked = (plan["consensus"] * plan["item"].map(unit_cost).fillna(0.0)).groupby(plan["month"]).sum().reindex(out["month"]).fillna(0.0)
    out["cover"] = months_of_cover(out[["closing"]].to_numpy().T, asked.to_numpy()[None, :])[0]
    return out
