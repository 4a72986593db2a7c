"""Where planned and open orders leave the stock, month by month, in units and in money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import door, frames
from sopnb.grids import first_of, grid, safety, spread_out
from sopnb.mrp import NONE

WANTS = {"stock": door.Wants("item location as_of?", "on_hand", "as_of"), "receipts": door.Wants("order item location", "due_date quantity"),
         "proposed": door.Wants("order", "item location release due quantity"), "plan": door.Wants("item location month", "consensus"),
         "policy": door.Wants("item location", "safety_stock")}


def project(stock, receipts, proposed, plan, *, as_of, policy=None, expedite=False):
    """Projected stock by month: closing = opening + receipts + proposed − demand.

    stock     item × location × as_of   on_hand (units); None: nothing on hand
    receipts  order × item × location   due_date, quantity (units); None: none
    proposed  order                     release, due, quantity (units); None: no planned orders
    plan      item × location × month   consensus (units), read as demand; below zero counts as none
    expedite  False: a planned order released today arrives after its lead time, however late that is
              True: it arrives on its due date, as if suppliers could be hurried
    returns   PROJECTION; every series of plan, stock or receipts, so that the opening total is the stock's total

    Closing below zero is demand we expect to owe. It is carried, not clipped.
    Cover counts months of coming demand in closing; after the last month the mean of the last twelve goes on.
    Missing where there is stock and no demand to come.
    """
    stock, receipts, proposed, plan, policy = door.enter(WANTS, {"stock": stock, "receipts": receipts, "proposed": proposed, "plan": plan, "policy": policy})
    g = grid(plan.assign(consensus=plan["consensus"].clip(lower=0.0)), stock, receipts, as_of=as_of, policy=policy)
    if not g.shape[1]:
        return frames.empty(frames.PROJECTION)
    arriving = np.zeros(g.shape)
    if proposed is not None and len(proposed):
        arriving = spread_out(proposed.assign(month=_arrival(proposed, as_of, expedite)), g.keys, g.months, "month", "quantity")
    closing = g.opening[:, None] + np.cumsum(g.receipts + arriving - g.demand, axis=1)
    opening = np.column_stack([g.opening, closing[:, :-1]])
    out = g.keys.loc[g.keys.index.repeat(g.shape[1])].reset_index(drop=True)
    out["month"] = np.tile(g.months.to_numpy(), len(g.keys))
    values = {"opening": opening, "receipts": g.receipts, "proposed": arriving, "demand": g.demand, "closing": closing,
              "safety_stock": safety(g), "cover": months_of_cover(closing, g.demand)}
    for name, value in values.items():
        out[name] = value.ravel()
    return frames.conform(out, frames.PROJECTION)


def _arrival(proposed, as_of, expedite):
    """Month in which a planned order can be there."""
    due = proposed["due"]
    if not expedite:
        late_days = (pd.Timestamp(as_of) - proposed["release"]).clip(lower=pd.Timedelta(0))
        due = due + late_days
    return first_of(due)


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
