"""The classic record of material requirements planning, in periods: as textbooks print it, computed as the plan is.

A period is a week, a month, anything; lead times are whole periods. The walk is the plan's own (sopnb.mrp): a period is a
bucket of one unit of time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import mrp, network

SERIES = ["item", "location"]
ROWS = ["gross", "scheduled", "opening", "net", "receipts", "projected", "releases"]
FIGURES = {"on_hand": 0.0, "allocated": 0.0, "safety_stock": 0.0, "lead": 0.0, "moq": 0.0, "multiple": 0.0, "lot_size": np.nan, "lot_periods": np.nan,
           "order_cost": np.nan, "holding_cost": np.nan}


def record(gross, scheduled=None, *, on_hand=0, allocated=0, safety_stock=0, lead=0, lot_rule="lot_for_lot", lot_size=np.nan, moq=0, multiple=0,
           lot_periods=np.nan, order_cost=np.nan, holding_cost=np.nan, **conventions):
    """The record of one item.

    gross      gross requirements of periods 1, 2, … (units)
    scheduled  scheduled receipts of the same periods (units); None: none
    on_hand, allocated, safety_stock   units; what is allocated is on hand and spoken for
    lead       periods from release to receipt
    lot_rule   one of lots.RULES, with lot_size, moq, multiple (units), lot_periods (periods), order_cost (money an order),
               holding_cost (money a unit and period) as the rule needs them
    returns    period: gross, scheduled, opening, net, receipts, projected, releases; see `records`

    source     Krajewski, Ritzman and Malhotra, Operations Management: item C, lot 230, lead time 2

    >>> r = record([150, 0, 0, 120, 0, 150, 120, 0], [230], on_hand=37, lead=2, lot_rule="fixed", lot_size=230)
    >>> r["projected"].astype(int).tolist()
    [37, 117, 117, 117, 227, 227, 77, 187, 187]
    >>> r["releases"].astype(int).tolist()
    [0, 0, 230, 0, 0, 230, 0, 0, 0]
    """
    item = {"item": ["item"], "on_hand": on_hand, "allocated": allocated, "safety_stock": safety_stock, "lead": lead, "lot_rule": lot_rule,
            "lot_size": lot_size, "moq": moq, "multiple": multiple, "lot_periods": lot_periods, "order_cost": order_cost, "holding_cost": holding_cost}
    out = records(pd.DataFrame(item), _listed(gross), None if scheduled is None else _listed(scheduled), periods=len(gross), **conventions)
    return out.set_index("period")[ROWS]


def _listed(quantities):
    return pd.DataFrame({"item": "item", "period": np.arange(1, len(quantities) + 1), "quantity": np.asarray(quantities, float)})


def records(items, gross, scheduled=None, bill=None, lanes=None, *, periods=None, late="hurry", open_orders="as_due", phantom_stock=False,
            show_safety=True):
    """The records of items that are made of each other or shipped to each other, level by level.

    items      item (× location)   on_hand, allocated, safety_stock (units), lead (periods), lot_rule, lot_size, moq, multiple (units),
                                   lot_periods (periods), order_cost, holding_cost; a column may be left out
    gross      item (× location) × period      quantity (units) that is asked for from outside, periods from 1 on
    scheduled  item (× location) × period      quantity (units); None: none
    bill       item × component    quantity (units a unit); scrap (fraction), phantom, valid_from, valid_to (periods) where given
    lanes      item × location     source_location, transit (periods): what is released there is shipped from there
    periods    how many; None: to the last one named
    late       hurry: a receipt is planned for the period that needs it, its release may lie before period 1; wait: no earlier than
               the lead time allows
    open_orders  as_due: scheduled receipts come when they are due; as_needed: they are moved to where they are needed first
    show_safety  True: opening and projected hold the safety stock (Krajewski; Jacobs and Chase); False: they are what lies above
                 it (Heizer, Render and Munson)
    returns    item × location × period
               gross      gross requirements, of outside and of parents
               scheduled  scheduled receipts
               opening    on hand at the start of the period (Heizer's projected on hand)
               net        net requirement: safety stock + gross − opening − scheduled, where above zero
               receipts   planned order receipts
               projected  on hand at its end: opening + scheduled + receipts − gross (projected available balance)
               releases   planned order releases, a lead time before the receipts
               Period 0 is the column before the first: on hand, and the releases that are past due
    raises     ValueError: an item or location without a row in items, a circle, a lead time that is no whole number of periods

    source     Orlicky, Material Requirements Planning
    """
    items, gross, scheduled = (_placed(t) for t in (items, gross, scheduled))
    bill, lanes = _bill(bill), _lanes(lanes)
    last = int(periods if periods is not None else max(t["period"].max() for t in (gross, scheduled) if len(t)))
    keys, links = network.spread(pd.concat([t[SERIES] for t in (items, gross, scheduled)]), lanes=lanes, bill=bill)
    own = _own(keys, items)
    grid = _grid(keys, own, gross, scheduled, lanes, last)
    if len(links) and (network.ranks(links["parent"], links["child"], len(keys)) < 0).any():
        pairs = [tuple(f"{keys['item'][n]} at {keys['location'][n]}" for n in pair) for pair in zip(links["parent"], links["child"], strict=True)]
        raise ValueError(f"What is needed closes on itself: {'; '.join(' → '.join(path) for path in network.circles(pairs))}. Take one of these steps out.")
    phantom = keys["item"].isin(set(bill.loc[bill["phantom"], "item"])).to_numpy() if bill is not None else np.zeros(len(keys), dtype=bool)
    mrp.pass_through(grid, phantom, phantom_stock)
    walked = mrp.walk(grid, links, move=open_orders == "as_needed", wait_from=1 if late == "wait" else None)
    return _printed(grid, walked, open_orders == "as_needed", show_safety)


def _placed(table):
    """A table with a location: `all` where it names none."""
    if table is None:
        return pd.DataFrame({"item": pd.Series(dtype=object), "location": pd.Series(dtype=object), "period": pd.Series(dtype="int64"),
                             "quantity": pd.Series(dtype="float64")})
    return table if "location" in table else table.assign(location="all")


def _bill(bill):
    if bill is None or bill.empty:
        return None
    of = {name: bill[name] if name in bill else pd.Series(np.nan, index=bill.index) for name in ("scrap", "phantom", "valid_from", "valid_to")}
    return pd.DataFrame({"item": bill["item"], "component": bill["component"], "per": bill["quantity"] / (1 - of["scrap"].astype("float64").fillna(0.0)),
                         "begins": _time(of["valid_from"], 0), "ends": _time(of["valid_to"], mrp.NEVER),
                         "phantom": of["phantom"].eq(True)})


def _time(periods, missing):
    return np.where(periods.isna(), missing, periods.astype("float64").fillna(0.0).to_numpy().astype("int64"))


def _lanes(lanes):
    return None if lanes is None or lanes.empty else lanes[[*SERIES, "source_location", "transit"]]


def _own(keys, items):
    """Each series' row of items, with what is left out filled in."""
    known = items.drop_duplicates(SERIES)
    out = keys.merge(known, on=SERIES, how="left", indicator="_side")
    without = out[out["_side"] == "left_only"]
    if len(without):
        named = ", ".join(f"{row.item} at {row.location}" for row in without.head(5).itertuples())
        raise ValueError(f"items has no row for {len(without)} of the items at places that are needed: {named}. Add their rows.")
    for name, usual in FIGURES.items():
        out[name] = out[name].astype("float64").fillna(usual) if name in out else usual
    out["lot_rule"] = out["lot_rule"].fillna("lot_for_lot") if "lot_rule" in out else "lot_for_lot"
    return out


def _grid(keys, own, gross, scheduled, lanes, last):
    lead = own["lead"]
    if lanes is not None:
        lead = keys.merge(lanes, on=SERIES, how="left")["transit"].astype("float64").fillna(lead)
    if ((lead < 0) | (lead % 1 != 0)).any():
        bad = keys[((lead < 0) | (lead % 1 != 0)).to_numpy()].iloc[0]
        raise ValueError(f"The lead time of {bad['item']} at {bad['location']} is no whole number of periods, zero or more.")
    rules = {"rule": own["lot_rule"].to_numpy(dtype=object), **{name: own[name].to_numpy() for name in ("moq", "multiple", "order_cost", "holding_cost")},
             "fixed": own["lot_size"].to_numpy(), "periods": own["lot_periods"].to_numpy()}
    rules = {name: value.copy() for name, value in rules.items()}  # phantoms are written into them
    return mrp.Grid(keys, np.arange(1, last + 1), _by_period(gross, keys, last), _by_period(scheduled, keys, last),
                    (own["on_hand"] - own["allocated"]).to_numpy().copy(), own["safety_stock"].to_numpy().copy(), lead.to_numpy().astype("int64"), last + 1, rules, run_down=False)


def _by_period(table, keys, last):
    """Quantities as series × periods; what lies before period 1 falls into it, what lies behind the last is left out."""
    out = np.zeros((len(keys), last))
    row = pd.MultiIndex.from_frame(keys[SERIES]).get_indexer(pd.MultiIndex.from_frame(table[SERIES]))
    period = np.maximum(table["period"].to_numpy().astype("int64"), 1)
    inside = (row >= 0) & (period <= last)
    np.add.at(out, (row[inside], period[inside] - 1), table["quantity"].to_numpy()[inside])
    return out


def _printed(grid, walked, moved, show_safety):
    """Series × periods 0 … n, row by row of the record."""
    rows, last = grid.shape
    scheduled = mrp.moved(grid, walked) if moved else grid.receipts
    held = grid.opening[:, None] + np.cumsum(scheduled + walked.quantity - walked.gross, axis=1)
    projected = np.column_stack([grid.opening, held])
    releases = np.zeros((rows, last + 1))
    row, bucket = np.nonzero(walked.quantity)
    np.add.at(releases, (row, np.maximum(walked.release[row, bucket], 0)), walked.quantity[row, bucket])
    below = 0.0 if show_safety else grid.safety[:, None]
    before = np.zeros((rows, 1))
    values = {"gross": np.column_stack([before, walked.gross]), "scheduled": np.column_stack([before, scheduled]),
              "opening": np.column_stack([before, projected[:, :-1] - below]), "receipts": np.column_stack([before, walked.quantity]),
              "projected": projected - below, "releases": releases}
    short = np.maximum(grid.safety[:, None] + walked.gross - projected[:, :-1] - scheduled, 0.0)
    values["net"] = np.column_stack([before, np.where(short > mrp.NONE, short, 0.0)])
    out = grid.keys.loc[grid.keys.index.repeat(last + 1)].reset_index(drop=True)
    out["period"] = np.tile(np.arange(last + 1), rows)
    for name in ROWS:
        out[name] = values[name].ravel()
    return out
