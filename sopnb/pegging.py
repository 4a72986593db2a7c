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
ON_HAND, OPEN, PLANNED, FREED = range(4)  # what a piece is taken from
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
    returns       order (row × buckets + bucket), end (customers, safety or stock), serves (the order that needs it, or -1),
                  end_row, end_bucket (series and bucket of the demand at the end), quantity (units of the order's item);
                  in the order of use. Σ quantity of an order is the order; `stock` is what nothing in the plan asks for
    """
    hidden = np.zeros(grid.shape[0], dtype=bool) if hidden is None else hidden
    known = pd.DataFrame({name: pd.Series(dtype="float64" if name == "quantity" else "int64") for name in COLUMNS})
    levels = []
    for at in range(int(walked.level.max(initial=-1)) + 1):
        here = walked.level == at
        needs = walked.needs[here[walked.needs["child"]]]
        asked = _asked(grid, np.flatnonzero(here), needs, known, walked, hidden)
        levels.append(_served(grid, walked, np.flatnonzero(here), asked, move))
        if at < walked.level.max():
            known = pd.concat([known, levels[-1]], ignore_index=True)
    return pd.concat(levels, ignore_index=True) if levels else known


def _asked(grid, rows, needs, known, walked, hidden):
    """The demand side of these series, piece by piece in the order of time."""
    buckets = grid.shape[1]
    safety = walked.safety[rows]
    rise = np.maximum(np.diff(safety, axis=1, prepend=0.0), 0.0)
    parts = [_dense(rows, rise, grid, SAFETY, 0), _dense(rows, np.maximum(grid.demand[rows], 0.0), grid, CUSTOMERS, 1)]
    owed = np.flatnonzero(grid.opening[rows] < 0)
    parts.append(pd.DataFrame({"row": rows[owed], "bucket": -1, "time": np.iinfo("int64").min, "class": 0, "end": CUSTOMERS, "serves": -1,
                               "end_row": rows[owed], "end_bucket": 0, "quantity": -grid.opening[rows[owed]]}))
    if len(needs):
        parts.append(_of_orders(needs, known, walked, hidden, buckets))
    out = pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else parts[0]
    order = np.lexsort((np.arange(len(out)), out["class"], out["time"], out["bucket"], out["row"]))
    return out.iloc[order].reset_index(drop=True)


def _dense(rows, quantity, grid, end, rank):
    row, bucket = np.nonzero(quantity > 0)
    return pd.DataFrame({"row": rows[row], "bucket": bucket, "time": grid.starts[bucket], "class": rank, "end": end, "serves": -1,
                         "end_row": rows[row], "end_bucket": bucket, "quantity": quantity[row, bucket]})


def _of_orders(needs, known, walked, hidden, buckets):
    """What orders further up need, in the pieces that those orders serve. What a hidden order needs, its own parents need."""
    known = known.sort_values("order", kind="stable")
    codes = known["order"].to_numpy()
    needs = needs.sort_values(["child", "bucket", "time", "parent"], kind="stable")
    parent = needs["parent"].to_numpy()
    first, last = np.searchsorted(codes, parent, side="left"), np.searchsorted(codes, parent, side="right")
    count = last - first
    need = np.repeat(np.arange(len(needs)), count)
    piece = known.iloc[np.arange(len(need)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)]
    size = walked.quantity.ravel()[parent]
    through = hidden[parent // buckets][need]
    return pd.DataFrame({"row": needs["child"].to_numpy()[need], "bucket": needs["bucket"].to_numpy()[need], "time": needs["time"].to_numpy()[need],
                         "class": 2, "end": piece["end"].to_numpy(), "serves": np.where(through, piece["serves"].to_numpy(), parent[need]),
                         "end_row": piece["end_row"].to_numpy(), "end_bucket": piece["end_bucket"].to_numpy(),
                         "quantity": piece["quantity"].to_numpy() * (needs["quantity"].to_numpy() / size)[need]})


def _served(grid, walked, rows, asked, move):
    """Planned orders against what is asked for; what is left of one stays in stock."""
    buckets = grid.shape[1]
    planned = walked.quantity[rows]
    fall = np.maximum(-np.diff(walked.safety[rows], axis=1, prepend=0.0), 0.0)
    parts = [(np.maximum(grid.opening[rows], 0.0)[:, None], ON_HAND), (fall, FREED), (grid.receipts[rows], OPEN), (planned, PLANNED)]
    table = np.concatenate([parts[0][0], *([parts[2][0], fall, planned] if move else [np.stack([fall, grid.receipts[rows], planned], axis=2).reshape(len(rows), -1)])], axis=1)
    code = _codes(rows, buckets, move)
    at, place = np.nonzero(table > 0)
    row, length, order = rows[at], table[at, place], code[at, place]
    supply, demand, quantity = overlaps(row, length, asked["row"].to_numpy(), asked["quantity"].to_numpy())
    left = length - np.bincount(supply, weights=quantity, minlength=len(length))
    mine = order[supply] >= 0
    supply, demand, quantity = supply[mine], demand[mine], quantity[mine]
    out = pd.DataFrame({"order": order[supply], **{name: asked[name].to_numpy()[demand] for name in ("end", "serves", "end_row", "end_bucket")},
                        "quantity": quantity})
    rest = np.flatnonzero((left > NONE) & (order >= 0))
    stays = pd.DataFrame({"order": order[rest], "end": STOCK, "serves": -1, "end_row": order[rest] // buckets, "end_bucket": order[rest] % buckets,
                          "quantity": left[rest]})
    both = pd.concat([out, stays], ignore_index=True)
    return both.sort_values("order", kind="stable").reset_index(drop=True)[COLUMNS]


def _codes(rows, buckets, move):
    """Which planned order each place of the supply side is; -1 where it is none."""
    mine = rows[:, None] * buckets + np.arange(buckets)[None, :]
    none = np.full(mine.shape, -1)
    sides = [none, none, mine] if move else [np.stack([none, none, mine], axis=2).reshape(len(rows), -1)]
    return np.concatenate([none[:, :1], *sides], axis=1)
