"""Open orders that come too early, too late or for nothing, by the need dates of MRP."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, netting, words

AS_OF = pd.Timestamp("2026-02-10")
ITEMS = frames.conform(frame("item unit_cost lead_time_days", "A 2 0").assign(family="F"), frames.ITEMS)


def plan(*demand):
    return pd.DataFrame({"item": "A", "location": "EU", "month": frames.months("2026-02", len(demand)), "consensus": np.array(demand, float)})


def told(demand, on_hand, *orders, policy=None, **settings):
    """Messages on open orders given as `number due quantity`, by number."""
    receipts = frame("order due_date quantity", *orders).assign(item="A", location="EU")
    stock = frame("item location as_of on_hand", f"A EU 2026-01-31 {on_hand}")
    table = netting.requirements(plan(*demand), stock, receipts, ITEMS, as_of=AS_OF, policy=policy, **settings).messages
    return table[table["kind"] == "open"].set_index("order")


def test_an_order_in_time_needs_no_word():
    assert told([10, 10, 10], 10, "PO1 2026-03-25 20").empty


def test_too_late_and_too_early():
    """PO1 is needed in March and comes in April; PO2 is needed in June and comes in April."""
    table = told([10, 10, 10, 10, 10], 10, "PO1 2026-04-05 30", "PO2 2026-04-20 10")
    assert table["message"].to_dict() == {"PO1": "reschedule_in", "PO2": "reschedule_out"}
    assert table["months"].to_dict() == {"PO1": -1, "PO2": 2}
    assert table["needed"].to_dict() == {"PO1": pd.Timestamp("2026-03-01"), "PO2": pd.Timestamp("2026-06-01")}


def test_what_nothing_needs_is_cancelled():
    table = told([10, 10], 30, "PO1 2026-03-05 40")
    row = table.loc["PO1"]
    assert row["message"] == "cancel" and pd.isna(row["needed"]) and pd.isna(row["months"]) and row["needed_quantity"] == 0 and row["amount"] == 80


def test_or_moved_behind_the_plan():
    assert told([10, 10], 30, "PO1 2026-03-05 40", unneeded="out")["message"].to_dict() == {"PO1": "reschedule_out"}
    with pytest.raises(ValueError, match="cancel or out"):
        assert told([10, 10], 30, "PO1 2026-03-05 40", unneeded="wait") is None


def test_an_order_that_is_partly_needed_says_how_much():
    table = told([10, 10, 10], 15, "PO1 2026-02-15 40")
    assert table.loc["PO1", "message"] == "reschedule_out" and table.loc["PO1", "needed_quantity"] == 15


def test_overdue_is_told_where_it_is_needed_now():
    """Due on 3 February, today is the 10th: needed at once it is overdue; needed in April it is to be put off."""
    assert told([10, 10, 10], 0, "PO1 2026-02-03 30").loc["PO1", "message"] == "overdue"
    assert told([10, 10, 10], 20, "PO1 2026-02-03 30").loc["PO1", "message"] == "reschedule_out"


def test_tolerance_keeps_small_moves_quiet():
    late, early = ([10, 10, 10], 0, "PO1 2026-03-05 30"), ([10, 10, 10], 20, "PO1 2026-03-05 30")
    assert len(told(*late)) == len(told(*early)) == 1
    assert told(*late, tolerance_in=1).empty and told(*early, tolerance_out=1).empty


def test_safety_stock_is_a_need():
    """20 are to be kept and 10 are there: the order for April is needed now."""
    policy = frame("item location safety_stock", "A EU 20")
    assert told([1, 1, 1], 10, "PO1 2026-04-01 30", policy=policy).loc["PO1", "months"] == -2


def test_planned_orders_whose_release_is_past_stand_beside_them():
    items = ITEMS.assign(lead_time_days=45.0)
    table = netting.requirements(plan(10, 10, 10), None, None, items, as_of=AS_OF).messages
    assert table[["kind", "message"]].values.tolist() == [["planned", "past_due"], ["planned", "expedite"]]


def test_every_message_has_words():
    for code in ("reschedule_in", "reschedule_out", "cancel", "overdue", "expedite", "past_due", *netting.LOT_RULES, "need", "moq", "multiple"):
        assert words.message("supply." + code).text


units = st.lists(st.integers(0, 40), min_size=5, max_size=5)


@settings(max_examples=60, deadline=None)
@given(units, st.integers(0, 60), st.lists(st.tuples(st.integers(2, 6), st.integers(1, 50)), min_size=1, max_size=5))
def test_orders_moved_as_told_need_no_further_word(demand, on_hand, coming):
    """Do what the messages say: cancel, and move each order to where it is needed. Then there is nothing left to tell, and stock falls below
    zero only where all open orders together are too little."""
    coming = sorted(coming)
    table = told(demand, on_hand, *(f"PO{i} 2026-0{month}-{10 + i} {quantity}" for i, (month, quantity) in enumerate(coming)))
    kept = []
    for i, (month, quantity) in enumerate(coming):
        row = table.loc[f"PO{i}"] if f"PO{i}" in table.index else None
        if row is None or row["message"] != "cancel":
            kept.append((i, month + (0 if row is None else int(row["months"])), quantity))
    if kept:
        assert told(demand, on_hand, *(f"PO{i} 2026-0{month}-{10 + i} {quantity}" for i, month, quantity in kept)).empty
    left = [on_hand + sum(q for _, m, q in kept if m <= 2 + t) - sum(demand[:t + 1]) for t in range(5)]
    total = on_hand + sum(quantity for _, quantity in coming)
    assert all(units >= 0 or total < sum(demand[:t + 1]) for t, units in enumerate(left))
