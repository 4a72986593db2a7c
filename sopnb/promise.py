"""Available to promise: what of stock and supply is not yet sold, period by period.

Supply is the master schedule: what is to come in. Booked is what customers have ordered and not received. What is left
can be promised to the next customer without taking it from another.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import frames

SERIES = ["item", "location"]
METHODS = ("discrete", "cumulative", "look_ahead")
NONE = 1e-6


def available(booked, supply, on_hand, *, method="discrete", take_back=True):
    """Available to promise by period.

    booked     series × periods, or the periods of one series: units that customers have ordered, by the period promised
    supply     the same shape: units that the master schedule brings
    on_hand    units, one figure a series
    method     discrete    in period 1 and in every period with supply: that supply (in period 1 also on hand) less what is
                           booked until the next supply; 0 in other periods
               look_ahead  cumulative with look-ahead: Σ discrete up to the period
               cumulative  cumulative without look-ahead: on hand + Σ supply − Σ booked up to the period, as if nothing of
                           it were booked later
    take_back  discrete and look_ahead: what a period owes is taken from the periods before it, the nearest first, so that
               no unit is promised twice; False: a period shows what it owes, below zero, and others are left as they are
    returns    units, in the shape of booked
    raises     ValueError for another method

    Σ discrete = on hand + Σ supply − Σ booked, with and without take_back.

    source     APICS Dictionary: discrete available-to-promise, cumulative available-to-promise; Stevenson, Operations
               Management, master scheduling

    >>> available([33, 20, 10, 4, 2, 0, 0, 0], [0, 0, 70, 0, 70, 0, 70, 70], 64).tolist()
    [11.0, 0.0, 56.0, 0.0, 68.0, 0.0, 70.0, 70.0]
    """
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}; not {method}.")
    out_booked, out_supply = np.atleast_2d(np.asarray(booked, float)), np.atleast_2d(np.asarray(supply, float))
    held = np.broadcast_to(np.asarray(on_hand, float), len(out_booked))
    if method == "cumulative":
        out = held[:, None] + np.cumsum(out_supply - out_booked, axis=1)
    else:
        out = _discrete(out_booked, out_supply, held)
        out = _taken_back(out) if take_back else out
        out = np.cumsum(out, axis=1) if method == "look_ahead" else out
    return out.reshape(np.shape(booked))


def _discrete(booked, supply, on_hand):
    """From the last period to the first: what is booked waits for the supply before it."""
    out, waiting = np.zeros(booked.shape), np.zeros(len(booked))
    for t in range(booked.shape[1] - 1, -1, -1):
        waiting = waiting + booked[:, t]
        opens = (supply[:, t] > NONE) | (t == 0)
        coming = supply[:, t] + (on_hand if t == 0 else 0.0)
        out[:, t] = np.where(opens, coming - waiting, 0.0)
        waiting = np.where(opens, 0.0, waiting)
    return out


def _taken_back(out):
    """What a period owes is taken from the periods before it; what none can give stays owed in the first."""
    out, owed = out.copy(), np.zeros(len(out))
    for t in range(out.shape[1] - 1, -1, -1):
        left = out[:, t] + owed
        out[:, t] = left if t == 0 else np.maximum(left, 0.0)
        owed = np.minimum(left, 0.0)
    return out


def booked_orders(orders, *, as_of):
    """What customers have ordered and not received, by the month they were promised it; what is overdue counts in the first.

    orders   order × line   item, location, quantity, shipped_quantity (units), promised_date, requested_date, order_date,
             status (`cancelled` leaves)
    as_of    today
    returns  item × location × month   booked (units)
    """
    first = frames.month(pd.Timestamp(as_of))
    left = orders["quantity"] - orders["shipped_quantity"].fillna(orders["quantity"].where(orders["shipped_date"].notna(), 0.0))
    live = orders[orders["status"].ne("cancelled") & (left > NONE)]
    day = live["promised_date"].fillna(live["requested_date"]).fillna(live["order_date"])
    table = live[SERIES].assign(month=day.dt.to_period("M").dt.to_timestamp().clip(lower=first), booked=left[live.index])
    return table.groupby([*SERIES, "month"], as_index=False)["booked"].sum()


def atp(keys, months, on_hand, supply, booked, *, near=3, method="look_ahead", take_back=True):
    """Available to promise of every series in the near months.

    keys     item × location
    months   the months of supply
    on_hand  series (units)
    supply   series × months (units): open orders; planned orders too where they may be promised
    booked   item × location × month   booked (units): from `booked_orders`; None: nothing is booked
    near     how many of the first months to show; later ones count in the look-ahead all the same
    method, take_back   as in `available`; the column `cumulative` is by method, `discrete` always discrete
    returns  ATP
    """
    taken, months = np.zeros(supply.shape), pd.DatetimeIndex(months)
    if booked is not None and len(booked):
        row = pd.MultiIndex.from_frame(keys[SERIES]).get_indexer(pd.MultiIndex.from_frame(booked[SERIES]))
        column = months.get_indexer(pd.DatetimeIndex(booked["month"]))
        inside = (row >= 0) & (column >= 0)
        np.add.at(taken, (row[inside], column[inside]), booked["booked"].to_numpy()[inside])
    first = np.zeros(supply.shape)
    first[:, :1] = np.asarray(on_hand, float)[:, None]
    values = {"on_hand": first, "supply": supply, "booked": taken, "discrete": available(taken, supply, on_hand, take_back=take_back),
              "cumulative": available(taken, supply, on_hand, method=method, take_back=take_back)}
    near = min(near, supply.shape[1])
    out = keys.loc[keys.index.repeat(near), SERIES].reset_index(drop=True)
    out["month"] = np.tile(months[:near].to_numpy(), len(keys))
    for name, value in values.items():
        out[name] = value[:, :near].ravel()
    return frames.conform(out[frames.ATP.names], frames.ATP)
