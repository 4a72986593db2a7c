"""Tables of a plan as arrays, series by months, and back: what netting and projection both stand on.

Months are buckets of days: what is due on any day of a month can serve that month's demand.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb.mrp import Grid, to_keep

SERIES = ["item", "location"]


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


def grid(plan, stock, receipts, *, as_of, policy=None, keys=None, lead=None, rules=None):
    """Plan, stock and open orders on one grid: every series that occurs in any of them, the months of the plan.

    keys     item × location   series to have, if not those; lead (series: days) and rules (of lots.sized) go with them
    returns  Grid, time in days

    An open order due before as_of is counted in the first month (see `late`); one due after the last is left out.
    Safety stock is held as long as demand is still to come, so that a phase-out runs down to nothing.
    """
    months = _months(plan)
    keys = series(plan, stock, receipts) if keys is None else keys
    demand = spread_out(plan, keys, months, "month", "consensus")
    coming = np.zeros(demand.shape)
    if receipts is not None and len(receipts) and len(months):
        due = receipts.assign(month=first_of(receipts["due_date"]).clip(lower=months[0]))
        coming = spread_out(due, keys, months, "month", "quantity")
    opening = np.zeros(len(keys))
    if stock is not None and len(stock):
        opening = keys.merge(latest_stock(stock, as_of), on=SERIES, how="left")["on_hand"].fillna(0.0).to_numpy()
    held = np.zeros(len(keys))
    if policy is not None and len(policy):
        held = keys.merge(policy[[*SERIES, "safety_stock"]], on=SERIES, how="left")["safety_stock"].fillna(0.0).to_numpy()
    lead = np.zeros(len(keys), dtype="int64") if lead is None else lead
    end = int(day_numbers([months[-1] + pd.DateOffset(months=1)])[0]) if len(months) else 0
    return Grid(keys, day_numbers(months), demand, coming, opening, held, lead, end, rules or {})


def _months(plan):
    """Every month from the first of the plan to its last: what comes in one without demand is there in the next."""
    named = pd.DatetimeIndex(plan["month"].dropna().unique())
    return pd.date_range(named.min(), named.max(), freq="MS") if len(named) else named


def series(*tables):
    """Every item × location that occurs in any of the tables, in order; a table may be None."""
    keys = pd.concat([t[SERIES] for t in tables if t is not None])
    return keys.drop_duplicates().sort_values(SERIES, kind="stable").reset_index(drop=True)


def spread_out(table, keys, months, month, value):
    """A long table as an array, series × months; rows outside the months are left out."""
    out = np.zeros((len(keys), len(months)))
    row, column = rows_of(table, keys), months.get_indexer(pd.DatetimeIndex(table[month]))
    inside = (row >= 0) & (column >= 0)
    np.add.at(out, (row[inside], column[inside]), table[value].fillna(0.0).to_numpy()[inside])
    return out


def rows_of(table, keys):
    """The row of keys that each row of a table belongs to; -1 where it has none."""
    return pd.MultiIndex.from_frame(keys[SERIES]).get_indexer(pd.MultiIndex.from_frame(table[SERIES]))


def day_numbers(dates):
    """Days as numbers: what the arrays count time in."""
    return pd.DatetimeIndex(dates).to_numpy().astype("datetime64[D]").astype("int64")


def dates(numbers):
    """Numbers as days."""
    return pd.DatetimeIndex(np.asarray(numbers).astype("datetime64[D]").astype("datetime64[ns]"))


def first_of(days):
    """The month of each day."""
    return days.dt.to_period("M").dt.to_timestamp()


def safety(g):
    """Safety stock of a grid by month."""
    return to_keep(g.safety, g.demand, run_down=g.run_down)
