"""Which order serves which demand, through every level up to the customer.

Supply and demand of a series are laid along one line, both in the order of time: on hand, open orders and planned orders
on one side; safety stock to be filled, what customers ask for and what orders of others need on the other. What lies
side by side belongs together (first in, first out). A need that comes from an order further up is laid down in the
pieces which that order itself serves, so every piece knows the customer's month at its end.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb.mrp import NONE, Grid, Walked

KINDS = np.array(["customers", "safety", "stock"], dtype=object)  # what a piece ends in
CUSTOMERS, SAFETY, STOCK = range(3)
COLUMNS = ["order", "end", "serves", "end_row", "end_bucket", "quantity"]


def overlaps(left_row, left, right_row, right):
    """Two partitions of the same lines, laid side by side: what they have in common.

    left_row, left    row and length of each piece, rows ascending, pieces of a row one after another from its zero
    right_row, right  the same, of the other partition
    returns           left piece, right piece (numbers), length; what only one of them reaches is left out

    >>> [v.tolist() for v in overlaps([0, 0], [4., 6.], [0, 0], [7., 2.])]
    [[0, 1, 1], [0, 0, 1], [4.0, 3.0, 2.0]]
    """
    left_row, right_row = np.asarray(left_row), np.asarray(right_row)
    rows = np.concatenate([left_row, right_row])
    side = np.repeat([0, 1], [len(left_row), len(right_row)])
    ends = np.concatenate([_ends(left_row, left), _ends(right_row, right)])
    order = np.lexsort((side, ends, rows))
    rows, side, ends = rows[order], side[order], ends[order]
    before = np.where(np.diff(rows, prepend=-1) == 0, np.concatenate([[0.0], ends[:-1]]) if len(ends) else ends, 0.0)
    length = ends - before
    at_left, at_right = np.cumsum(side == 0) - (side == 0), np.cumsum(side == 1) - (side == 1)
    fits = length > 0
    for at, row in ((at_left, left_row), (at_right, right_row)):
        fits[fits] = (at[fits] < len(row)) & (row[np.minimum(at[fits], len(row) - 1)] == rows[fits]) if len(row) else False
    return at_left[fits], at_right[fits], length[fits]


def _ends(row, length):
    return pd.Series(np.asarray(length, float)).groupby(np.asarray(row), sort=False).cumsum().to_numpy()


def pieces(grid: Grid, walked: Walked, *, hidden=None, move=False):
    """Every planned order cut into the pieces that serve one demand each.

    grid, walked  from mrp.walk
    hidden        series: True where orders are passed through and not shown (phantoms), so that their components serve
                  whoever the phantom serves; None: none
    move          as in mrp.walk: open orders are used before any planned one
    returns       columns as arrays (a table of millions of rows would be copied at every step): order (row × buckets + bucket),
                  end (customers, safety or stock), serves (the order that needs it, or -1), end_row, end_bucket (series and
                  bucket of the demand at the end), quantity (units of the order's item); in the order of use. Σ quantity of
                  an order is the order; `stock` is what nothing in the plan asks for
    """
    hidden = np.zeros(grid.shape[0], dtype=bool) if hidden is None else hidden
    known = {name: np.zeros(0, dtype=float if name == "quantity" else int) for name in COLUMNS}
    levels = []
    for at in range(int(walked.level.max(initial=-1)) + 1 if grid.shape[1] else 0):  # a plan without months has no orders
        here = walked.level == at
        needs = walked.needs[here[walked.needs["child"]]]
        levels.append(_served(grid, walked, np.flatnonzero(here), _asked(grid, np.flatnonzero(here), needs, known, walked, hidden), move))
        if at < walked.level.max():
            known = _join([known, levels[-1]])
            known = _take(known, np.argsort(known["order"], kind="stable"))
    return _join(levels) if levels else known


def _join(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _take(table, rows):
    return {name: column[rows] for name, column in table.items()}


def _asked(grid, rows, needs, known, walked, hidden):
    """The demand side of these series, piece by piece in the order of time."""
    rise = np.maximum(np.diff(walked.safety[rows], axis=1, prepend=0.0), 0.0)
    owed = np.maximum(-grid.opening[rows], 0.0)[:, None]
    parts = [_dense(rows, owed, grid, CUSTOMERS, -2), _dense(rows, rise, grid, SAFETY, 0), _dense(rows, np.maximum(grid.demand[rows], 0.0), grid, CUSTOMERS, 1)]
    if len(needs):
        parts.append(_of_orders(needs, known, walked, hidden, grid.shape[1]))
    out = _join(parts)
    return _take(out, np.lexsort((out["class"], out["time"], out["row"])))


def _dense(rows, quantity, grid, end, rank):
    """What customers ask for or a safety stock lacks; what is owed already (rank below zero) comes before everything."""
    row, bucket = np.nonzero(quantity > 0)
    size = len(row)
    time = grid.starts[bucket] if rank >= 0 else np.full(size, np.iinfo("int64").min)
    return {"row": rows[row], "time": time, "class": np.full(size, rank), "end": np.full(size, end), "serves": np.full(size, -1),
            "end_row": rows[row], "end_bucket": bucket, "quantity": quantity[row, bucket]}


def _of_orders(needs, known, walked, hidden, buckets):
    """What orders further up need, in the pieces that those orders serve. What a hidden order needs, its own parents need."""
    needs = needs.sort_values(["child", "time", "parent"], kind="stable")
    parent = needs["parent"].to_numpy()
    first, last = np.searchsorted(known["order"], parent, side="left"), np.searchsorted(known["order"], parent, side="right")
    count = last - first
    need = np.repeat(np.arange(len(needs)), count)
    piece = _take(known, np.arange(len(need)) - np.repeat(np.cumsum(count) - count - first, count))
    share = needs["quantity"].to_numpy() / walked.quantity.ravel()[parent]
    return {"row": needs["child"].to_numpy()[need], "time": needs["time"].to_numpy()[need], "class": np.full(len(need), 2), "end": piece["end"],
            "serves": np.where(hidden[parent // buckets][need], piece["serves"], parent[need]), "end_row": piece["end_row"],
            "end_bucket": piece["end_bucket"], "quantity": piece["quantity"] * share[need]}


def _served(grid, walked, rows, asked, move):
    """Planned orders against what is asked for; what is left of one stays in stock."""
    buckets = grid.shape[1]
    planned, coming = walked.quantity[rows], grid.receipts[rows]
    fall = np.maximum(-np.diff(walked.safety[rows], axis=1, prepend=0.0), 0.0)
    opening = np.maximum(grid.opening[rows], 0.0)[:, None]
    mine = rows[:, None] * buckets + np.arange(buckets)[None, :]
    none = np.full(mine.shape, -1)
    if move:
        supply, code = np.concatenate([opening, coming, fall, planned], axis=1), np.concatenate([none[:, :1], none, none, mine], axis=1)
    else:  # month after month: what safety stock sets free, what is due, what is planned
        supply, code = (np.concatenate([first, np.stack(sides, axis=2).reshape(len(rows), -1)], axis=1)
                        for first, sides in ((opening, (fall, coming, planned)), (none[:, :1], (none, none, mine))))
    at, place = np.nonzero(supply > 0)
    length, order = supply[at, place], code[at, place]
    left, right, quantity = overlaps(rows[at], length, asked["row"], asked["quantity"])
    rest = length - np.bincount(left, weights=quantity, minlength=len(length))
    ours = order[left] >= 0
    used = {"order": order[left][ours], **{name: asked[name][right][ours] for name in ("end", "serves", "end_row", "end_bucket")}, "quantity": quantity[ours]}
    over = np.flatnonzero((rest > NONE) & (order >= 0))
    stays = {"order": order[over], "end": np.full(len(over), STOCK), "serves": np.full(len(over), -1), "end_row": order[over] // buckets,
             "end_bucket": order[over] % buckets, "quantity": rest[over]}
    both = _join([used, stays])
    return _take(both, np.argsort(both["order"], kind="stable"))
