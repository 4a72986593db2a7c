"""Netting and projection: textbook records, and identities that hold for any stock, orders and demand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, netting

AS_OF = pd.Timestamp("2026-01-01")
NO_RECEIPTS = frames.empty(frames.RECEIPTS)


def items(*rows: str, columns: str = "item moq lot_multiple unit_cost"):
    return frames.conform(frame(columns, *rows).assign(family="F"), frames.ITEMS)


def plan(*demand, item="A", location="EU"):
    return pd.DataFrame({"item": item, "location": location, "month": frames.months("2026-01", len(demand)), "consensus": np.array(demand, float)})


def stock(on_hand, item="A", location="EU"):
    return frame("item location as_of on_hand", f"{item} {location} 2026-01-01 {on_hand}")


def lead(days, item="A", location="EU"):
    return frame("item location lead_days", f"{item} {location} {days}")


def receipts(*rows: str):
    return frame("order item location due_date quantity", *rows) if rows else NO_RECEIPTS


def policy(safety, item="A", location="EU"):
    return frame("item location safety_stock eoq", f"{item} {location} {safety} -")


# --- net ------------------------------------------------------------------------------------------------------------

def test_seat_subassembly_of_the_ladder_back_chair():
    """Krajewski, Ritzman and Malhotra, Operations Management, item C: lot 230, on hand 37, 230 due in period 1.

    Gross 150 0 0 120 0 150 120 0 → on hand 117 117 117 227 227 77 187 187, orders of 230 for periods 4 and 7.
    The text's weeks are months here.
    """
    demand = plan(150, 0, 0, 120, 0, 150, 120, 0)
    due = receipts("PO1 A EU 2026-01-20 230")
    orders = netting.net(demand, stock(37), due, items("A 230 - 1"), as_of=AS_OF, lead=lead(0), lot_rule="fixed")
    assert list(orders.quantity) == [230, 230]
    assert list(orders.serves) == [pd.Timestamp("2026-04-01"), pd.Timestamp("2026-07-01")]
    projected = netting.project(stock(37), due, orders, demand, as_of=AS_OF)
    assert list(projected.closing) == [117, 117, 117, 227, 227, 77, 187, 187]


def test_chairs_lot_for_lot():
    """Aldershot Manufacturing (teaching case), chairs: on hand 260; 150 0 70 0 175 0 90 60 → orders 135, 90, 60."""
    orders = netting.net(plan(150, 0, 70, 0, 175, 0, 90, 60), stock(260), None, items("A - - 1"), as_of=AS_OF, lead=lead(0))
    assert list(orders.quantity) == [135, 90, 60]
    assert list(orders.serves.dt.month) == [5, 7, 8]
    assert set(orders.rule) == {"need"}


def test_release_is_a_lead_time_before_the_month_it_serves():
    orders = netting.net(plan(0, 0, 50), stock(0), None, items("A - - 2"), as_of=AS_OF, lead=lead(45))
    only = orders.iloc[0]
    assert only.due == pd.Timestamp("2026-03-01") and only.release == pd.Timestamp("2026-01-15") and only.message == "order"
    assert only.order == "A-EU-202603-1" and only.amount == 100


def test_a_release_in_the_past_is_told_not_dropped():
    """Lead time 45 days: January is past due, February must be hurried, March can still be ordered."""
    orders = netting.net(plan(10, 10, 10), stock(0), None, items("A - - 1"), as_of=AS_OF, lead=lead(45))
    assert list(orders.message) == ["past_due", "expedite", "order"]
    assert list(orders.quantity) == [10, 10, 10]
    assert orders.release[0] == pd.Timestamp("2025-11-17")


@pytest.mark.parametrize(("moq", "multiple", "want", "rule"), [("-", "-", 13, "need"), ("50", "-", 50, "moq"), ("-", "6", 18, "multiple"), ("20", "12", 24, "multiple")])
def test_lots(moq, multiple, want, rule):
    """12.5 are short: whole units, at least the least order, in multiples."""
    orders = netting.net(plan(12.5), stock(0), None, items(f"A {moq} {multiple} 1"), as_of=AS_OF, lead=lead(0))
    assert (orders.quantity[0], orders.rule[0]) == (want, rule)


def test_period_order_quantity_covers_the_months_it_says():
    orders = netting.net(plan(10, 20, 30, 40), stock(0), None, items("A - - 1"), as_of=AS_OF, lead=lead(0), lot_rule="period", periods=3)
    assert list(orders.quantity) == [60, 40]


def test_safety_stock_is_kept_until_the_last_demand():
    """20 are held; from the month after the last demand nothing need be."""
    demand = plan(10, 10, 0, 0)
    orders = netting.net(demand, stock(0), None, items("A - - 1"), as_of=AS_OF, lead=lead(0), policy=policy(20))
    assert list(orders.quantity) == [30, 10]
    projected = netting.project(stock(0), None, orders, demand, as_of=AS_OF, policy=policy(20))
    assert list(projected.safety_stock) == [20, 20, 0, 0]


def test_late_open_orders_count_in_the_first_month_and_are_named():
    due = receipts("PO1 A EU 2025-11-10 7", "PO2 A EU 2026-02-10 5")
    assert list(netting.late(due, AS_OF).order) == ["PO1"]
    assert list(netting.project(stock(0), due, None, plan(0, 0), as_of=AS_OF).receipts) == [7, 5]


def test_stock_of_the_latest_count_on_or_before_the_day():
    counts = frame("item location as_of on_hand", "A EU 2025-11-30 5", "A EU 2025-12-31 8", "A EU 2026-01-31 99", "B EU 2026-01-31 4")
    latest = netting.latest_stock(counts, AS_OF)
    assert list(latest.on_hand) == [8, 4]  # B has no other count


def test_order_numbers_stay_distinct_where_names_collide():
    demand = pd.concat([plan(1, item="A-B", location="C"), plan(1, item="A", location="B-C")])
    orders = netting.net(demand, None, None, items("A - - 1", "A-B - - 1"), as_of=AS_OF, lead=pd.concat([lead(0, "A-B", "C"), lead(0, "A", "B-C")]))
    assert sorted(orders.order) == ["A-B-C-202601-1", "A-B-C-202601-2"]


series = st.lists(st.floats(0, 500), min_size=6, max_size=6)
amounts = st.floats(-50, 800)


@settings(max_examples=60, deadline=None)
@given(series, amounts, st.floats(0, 100), st.sampled_from([0, 10, 75]), st.sampled_from([0, 6, 25]), st.integers(0, 120),
       st.sampled_from(netting.LOT_RULES))
def test_netting_twice_plans_nothing_new(demand, on_hand, safety, moq, multiple, days, lot_rule):
    """The planned orders, taken as open orders, leave nothing to plan: no order doubles from run to run."""
    master = items(f"A {moq or '-'} {multiple or '-'} 1")
    options = {"as_of": AS_OF, "lead": lead(days), "policy": policy(safety), "lot_rule": lot_rule}
    first = netting.net(plan(*demand), stock(on_hand), None, master, **options)
    again = netting.net(plan(*demand), stock(on_hand), netting.as_receipts(first), master, **options)
    assert again.empty


@settings(max_examples=60, deadline=None)
@given(series, amounts, st.lists(st.tuples(st.integers(0, 5), st.floats(0, 300)), max_size=4), st.floats(0, 100), st.integers(0, 120), st.booleans())
def test_stock_balances_every_month(demand, on_hand, coming, safety, days, expedite):
    """closing = opening + receipts + proposed − demand, each month opens with the last closing, nothing is lost."""
    due = receipts(*(f"PO{i} A EU 2026-0{m + 1}-10 {q}" for i, (m, q) in enumerate(coming)))
    orders = netting.net(plan(*demand), stock(on_hand), due, items("A - - 1"), as_of=AS_OF, lead=lead(days), policy=policy(safety))
    p = netting.project(stock(on_hand), due, orders, plan(*demand), as_of=AS_OF, expedite=expedite)
    assert np.allclose(p.closing, p.opening + p.receipts + p.proposed - p.demand)
    assert np.allclose(p.opening[1:], p.closing[:-1]) and p.opening[0] == pytest.approx(on_hand)
    if expedite:
        assert (p.closing >= -1e-6).all()


# --- project --------------------------------------------------------------------------------------------------------

def test_closing_stock_feeds_the_next_opening():
    """Each month opens with what the month before closed with, below zero too."""
    result = netting.project(stock(10), receipts("PO1 A EU 2026-02-05 5"), None, plan(12, 1), as_of=AS_OF)
    assert list(result["closing"]) == [-2, 2]
    assert list(result["opening"]) == [10, -2]


def test_an_order_that_is_too_late_arrives_late():
    """Released today with 45 days to go, January's order comes on 15 February: January closes below zero.

    Taken as expedited it comes in January. The difference is what hurrying suppliers is worth.
    """
    orders = netting.net(plan(10, 10), stock(0), None, items("A - - 1"), as_of=AS_OF, lead=lead(45))
    honest = netting.project(stock(0), None, orders, plan(10, 10), as_of=AS_OF)
    hurried = netting.project(stock(0), None, orders, plan(10, 10), as_of=AS_OF, expedite=True)
    assert list(honest.closing) == [-10, 0] and list(hurried.closing) == [0, 0]


def test_all_stock_is_shown_also_what_no_plan_asks_for():
    """The opening total is the total of the stock table."""
    both = pd.concat([stock(10), stock(4, item="Z")])
    result = netting.project(both, None, None, plan(1), as_of=AS_OF)
    assert result.opening.sum() == 14


def test_cover_counts_the_coming_months_and_goes_on_at_the_mean():
    """30 in stock against 10 then 20 a month: the first month and the whole of the second, no more. Then 15 a month."""
    p = netting.project(stock(60), None, None, plan(30, 10, 20), as_of=AS_OF)
    assert p.cover[0] == pytest.approx(2.0)
    assert p.cover[1] == pytest.approx(1.0)
    assert p.cover[2] == 0


def test_cover_is_missing_where_stock_meets_no_demand():
    assert netting.project(stock(5), None, None, plan(0, 0), as_of=AS_OF).cover.isna().all()


def test_an_unknown_lot_rule_is_refused():
    with pytest.raises(ValueError, match="lot_for_lot, fixed, economic, period"):
        netting.net(plan(1), None, None, items("A - - 1"), as_of=AS_OF, lead=lead(0), lot_rule="poq")


def test_projected_stock_in_money():
    """12 units at 2, 3 asked for a month: 18 after the first month, three months' worth; what is owed is told apart."""
    one = netting.project(stock(12), None, None, plan(3, 3, 3, 3, 3), as_of=AS_OF)
    money = netting.at_cost(one, items("A - - 2"), plan(3, 3, 3, 3, 3))
    assert list(money.closing) == [18, 12, 6, 0, -6] and list(money.owed) == [0, 0, 0, 0, 6]
    assert list(money.cover) == [3, 2, 1, 0, 0]


def test_what_is_sold_and_never_counted_is_named_with_the_orders_that_assume_an_empty_shelf():
    """B and C have no stock row: B's 30 units are ordered as if none were there. The component P is not sold, Z is no longer asked for."""
    sold = pd.concat([plan(10, 10), plan(10, 20, item="B"), plan(1, 0, item="C"), plan(0, 0, item="Z")])
    orders = netting.net(pd.concat([sold[sold["item"] != "C"], plan(5, 5, item="P")]), stock(20), None, items("A - - 1", "B - - 2", "P - - 9"),
                         as_of=AS_OF, lead=lead(0))
    got = netting.uncounted(orders, sold, stock(20)).set_index("item")
    assert got.loc["B", ["orders", "quantity", "amount"]].tolist() == [2, 30, 60]
    assert list(got.index) == ["B", "C"] and got.loc["C", "amount"] == 0
