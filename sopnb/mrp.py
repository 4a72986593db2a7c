"""Gross to net, level by level: the walk that plans every item at every place, in whatever unit time is counted.

Time is whole units: days in a company's plan, periods in a textbook's record. Buckets are stretches of it, given by their
first unit; a month is a bucket of days, a textbook's week a bucket of one period. So a plan over months and a record
over weeks are one computation.

    net requirement   what is short of safety stock at the end of a bucket, once the shortages before it are met
    planned receipt   the lot that covers it, due on the first unit in which its bucket needs anything
    planned release   the lead time before; what it needs of others is needed then
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sopnb import lots, network

NONE = lots.NONE  # units below which nothing is short: floating point, not stock
NEVER = np.iinfo("int64").max


@dataclass
class Grid:
    """Items at places by buckets: what is asked for, what is there, what is coming, and the rules of each.

    keys      item, location: one row a series, all arrays in this order
    starts    first unit of time of each bucket, ascending
    demand    series × buckets: what customers ask for (units)
    receipts  series × buckets: open orders by the bucket they are due in (units)
    opening   series: on hand; below zero is owed (units)
    safety    series: units to keep
    lead      series: units of time from release to receipt
    rules     settings of lots.sized, one figure or word a series
    end       first unit of time after the last bucket
    run_down  True: safety stock is kept only while something is still asked for, so that a phase-out ends with nothing
    """

    keys: pd.DataFrame
    starts: np.ndarray
    demand: np.ndarray
    receipts: np.ndarray
    opening: np.ndarray
    safety: np.ndarray
    lead: np.ndarray
    end: int
    rules: dict = field(default_factory=dict)
    run_down: bool = True

    @property
    def months(self) -> pd.DatetimeIndex:
        """The buckets as months, where time is counted in days."""
        return pd.DatetimeIndex(self.starts.astype("datetime64[D]").astype("datetime64[ns]"))

    @property
    def shape(self) -> tuple[int, int]:
        return self.demand.shape[0], self.demand.shape[1]

    @property
    def ends(self):
        """First unit of time after each bucket."""
        return np.append(self.starts[1:], self.end)

    def bucket(self, time):
        """The bucket a unit of time lies in; what lies before the first falls into it."""
        return np.maximum(np.searchsorted(self.starts, time, side="right") - 1, 0)


@dataclass
class Walked:
    """What the walk found: series × buckets, and the needs that orders passed down.

    gross     demand and what orders of others need (units)
    safety    units to keep
    net       net requirements (units)
    quantity  planned receipts (units)
    by        what sized them: need, moq, multiple or the lot rule
    due       unit of time a planned receipt is due
    release   unit of time it must start; may lie before the first bucket
    level     series: low-level code
    needs     child (row), bucket, time, quantity, parent (row × buckets + bucket of the order that needs it)
    """

    gross: np.ndarray
    safety: np.ndarray
    net: np.ndarray
    quantity: np.ndarray
    by: np.ndarray
    due: np.ndarray
    release: np.ndarray
    level: np.ndarray
    needs: pd.DataFrame


def to_keep(held, gross, *, run_down=True):
    """Safety stock by bucket: as held, and with run_down nothing from the bucket on in which nothing is asked for any more.

    held     series (units)
    gross    series × buckets (units)
    """
    still = np.cumsum(gross[:, ::-1], axis=1)[:, ::-1] > NONE if run_down else np.ones(gross.shape, dtype=bool)
    return held[:, None] * still


def net_requirements(opening, receipts, gross, safety, *, move=False, earliest=None):
    """What is short in each bucket, once the shortages before it are met.

    opening, receipts, gross, safety  series, series × buckets (units)
    move      True: open orders are taken to come when they are needed (the rescheduling assumption of MRP); False: when due
    earliest  series: first bucket in which a planned order may arrive; None: any
    returns   series × buckets (units)

    short = safety − (opening + Σ receipts − Σ gross), never below what it was; its increase is the net requirement.

    >>> net_requirements(np.array([20.]), np.array([[0., 30., 0.]]), np.array([[10., 10., 50.]]), np.zeros((1, 3)))
    array([[ 0.,  0., 20.]])
    """
    coming = receipts.sum(axis=1, keepdims=True) if move else np.cumsum(receipts, axis=1)
    owed = np.cumsum(gross, axis=1) - opening[:, None]
    short = np.maximum(safety + owed - coming, 0.0)
    if earliest is not None:
        short = np.where(np.arange(gross.shape[1]) < earliest[:, None], 0.0, short)
    short = np.maximum.accumulate(short, axis=1)
    out = np.diff(short, axis=1, prepend=0.0)
    return np.where(out > NONE, out, 0.0)


def pass_through(grid, rows, keep_stock=False):
    """Make phantoms of these series: no time, no safety stock, no lot; their stock and open orders count only where asked for."""
    grid.lead[rows], grid.safety[rows] = 0, 0.0
    for name, value in (("rule", "lot_for_lot"), ("moq", 0.0), ("multiple", 0.0)):
        grid.rules[name][rows] = value
    if not keep_stock:
        grid.opening[rows], grid.receipts[rows] = 0.0, 0.0


def moved(grid, walked):
    """Open orders by the bucket in which they are needed, as `walk` with move took them; what nothing needs comes when due.

    returns  series × buckets (units)
    """
    need = np.maximum.accumulate(np.maximum(walked.safety + np.cumsum(walked.gross, axis=1) - grid.opening[:, None], 0.0), axis=1)
    all_of = grid.receipts.sum(axis=1, keepdims=True)
    used = np.diff(np.minimum(need, all_of), axis=1, prepend=0.0)
    idle = all_of - used.sum(axis=1, keepdims=True)
    late = np.minimum(np.cumsum(grid.receipts[:, ::-1], axis=1), idle)
    return used + np.diff(late, axis=1, prepend=0.0)[:, ::-1]


def walk(grid, links=None, *, move=False, wait_from=None, spread=True):
    """Plan every series of the grid from the top of the network down.

    grid       Grid; left as it is
    links      parent, child (rows), per, begins, ends: from network.spread; None: nothing depends on anything
    move       open orders come when needed, not when due: see net_requirements
    wait_from  unit of time: no planned order arrives before it and the lead time have passed; None: orders are planned for
               the bucket that needs them, however late their release is
    spread     True: a shipment leaves bit by bit, over as long a time as the bucket it serves, so what it needs of its source may
               fall into two buckets; False: all of it leaves on the day of its release. With buckets of one unit both are the same
    returns    Walked
    """
    rows = grid.shape[0]
    links = network.spread(grid.keys.iloc[:0])[1] if links is None else links
    level = network.ranks(links["parent"], links["child"], rows)
    gross, safety, needed = grid.demand.copy(), np.zeros(grid.shape), np.where(grid.demand > 0, grid.starts, NEVER)
    net, quantity, by = np.zeros(gross.shape), np.zeros(gross.shape), np.full(gross.shape, "", dtype=object)
    due, passed = np.tile(grid.starts, (rows, 1)), []
    earliest = None if wait_from is None else np.searchsorted(grid.starts, wait_from + grid.lead)
    for at in range(int(level.max(initial=-1)) + 1):
        here = np.flatnonzero(level == at)
        safety[here] = to_keep(grid.safety[here], gross[here], run_down=grid.run_down)
        net[here] = net_requirements(grid.opening[here], grid.receipts[here], gross[here], safety[here], move=move,
                                     earliest=None if earliest is None else earliest[here])
        found = lots.sized(net[here], **{name: value[here] if np.ndim(value) else value for name, value in grid.rules.items()})
        quantity[here], by[here] = found.quantity, found.by
        due[here] = np.where(needed[here] == NEVER, grid.starts, needed[here])
        down = _passed_down(grid, links[level[links["parent"]] == at], quantity, due, spread)
        np.add.at(gross, (down["child"], down["bucket"]), down["quantity"])
        np.minimum.at(needed, (down["child"], down["bucket"]), down["time"])
        passed.append(down)
    return Walked(gross, safety, net, quantity, by, due, due - grid.lead[:, None], level, pd.concat(passed, ignore_index=True))


def _passed_down(grid, links, quantity, due, spread):
    """What the orders of these parents need of their children, on the day each order is released."""
    buckets = len(grid.starts)
    link, bucket = np.nonzero(quantity[links["parent"].to_numpy()])
    step = links.iloc[link]
    parent = step["parent"].to_numpy()
    day = due[parent, bucket]
    valid = (day >= step["begins"].to_numpy()) & (day <= step["ends"].to_numpy())
    step, parent, bucket, day = step[valid], parent[valid], bucket[valid], day[valid]
    first = day - grid.lead[parent]
    last = np.where(step["shipped"] & spread, grid.ends[bucket] - grid.lead[parent], first + 1)
    need = pd.DataFrame({"child": step["child"].to_numpy(), "bucket": 0, "time": first, "quantity": quantity[parent, bucket] * step["per"].to_numpy(),
                         "parent": parent * buckets + bucket, "shipped": step["shipped"].to_numpy()})
    out = _split(grid, need, first, last)
    return out[out["quantity"] > 0]


def _split(grid, need, first, last):
    """Needs that last from first to last, cut at the ends of buckets; what lies before the first bucket falls into it."""
    parts, whole = [], np.maximum(last - first, 1)
    while len(need):
        bucket = grid.bucket(first)
        until = np.minimum(last, np.maximum(grid.ends[bucket], first + 1))
        parts.append(need.assign(bucket=bucket, time=np.maximum(first, grid.starts[0]), quantity=need["quantity"] * ((until - first) / whole)))
        more = until < last
        need, first, last, whole = need[more], until[more], last[more], whole[more]
    return pd.concat(parts, ignore_index=True) if parts else need
