"""Open orders that come too early, too late or for nothing: what to tell whoever placed them.

An open order is worth what it was placed for only while the need is where it was. The need date of each is found as MRP
finds it: on hand covers the first needs, then the open orders one after another in the order of their due dates; the
bucket in which an order is first used is when it is needed. Planned orders play no part: moving what is ordered comes
before ordering more (the rescheduling assumption).
"""

from __future__ import annotations

import numpy as np

from sopnb.mrp import NONE

MESSAGES = ("reschedule_in", "reschedule_out", "cancel", "overdue")


def need_dates(grid, walked, receipts):
    """When each open order is first needed, and how much of it.

    grid, walked  from mrp.walk
    receipts      row (series), bucket (due in), time (due), quantity (units): one row an order
    returns       receipts with needed_bucket (number of buckets where it is not needed at all), needed_time, needed (units of it
              that the plan uses)

    need through a bucket = safety + Σ gross − on hand, never below what it was. Order k is first needed in the bucket in
    which the need passes what the orders before it bring.
    """
    out = receipts.sort_values(["row", "time", "order"], kind="stable").reset_index(drop=True)
    need = np.maximum.accumulate(np.maximum(walked.safety + np.cumsum(walked.gross, axis=1) - grid.opening[:, None], 0.0), axis=1)
    after = out.groupby("row")["quantity"].cumsum().to_numpy() if len(out) else np.zeros(0)
    before = after - out["quantity"].to_numpy()
    mine = need[out["row"].to_numpy()]
    out["needed_bucket"] = (mine <= before[:, None] + NONE).sum(axis=1)
    out["needed"] = np.clip(mine[:, -1] - before, 0.0, out["quantity"]) if need.shape[1] else 0.0
    out["needed_time"] = grid.starts[np.minimum(out["needed_bucket"], len(grid.starts) - 1)]
    return out


def messages(grid, walked, receipts, *, now, tolerance_in=0, tolerance_out=0, unneeded="cancel"):
    """What to do with each open order that is not due when it is needed.

    grid, walked, receipts  as in need_dates
    now            unit of time; an order due before it should have come
    tolerance_in   buckets by which an order may be due later than needed without a message
    tolerance_out  buckets by which it may be due earlier
    unneeded       cancel: an order that nothing in the plan needs is to be cancelled; out: it is to be moved behind the plan
    returns        need_dates' rows with a message: reschedule_in (needed in an earlier bucket), reschedule_out (in a later
                   one), cancel (not needed at all), overdue (due before now, and needed at once); buckets (moved by,
                   negative: earlier; missing where it is cancelled)
    raises         ValueError where unneeded is neither

    source         Orlicky, Material Requirements Planning; APICS Dictionary: reschedule in, reschedule out, exception message
    """
    if unneeded not in ("cancel", "out"):
        raise ValueError(f"unneeded is cancel or out; not {unneeded}.")
    out = need_dates(grid, walked, receipts)
    moved = out["needed_bucket"] - out["bucket"]
    idle = out["needed_bucket"] >= len(grid.starts)
    out["buckets"] = moved.astype("float64").mask(idle)
    out["message"] = np.select(
        [idle, (out["time"] < now) & (moved <= tolerance_out), moved < -tolerance_in, moved > tolerance_out],
        ["cancel" if unneeded == "cancel" else "reschedule_out", "overdue", "reschedule_in", "reschedule_out"], "")
    return out[out["message"] != ""].reset_index(drop=True)
