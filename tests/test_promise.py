"""Available to promise: Stevenson's schedule, the conventions side by side, and what can be promised without breaking a promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, promise

# Stevenson, Operations Management, master scheduling: industrial pumps, 64 on hand, lots of 70 in weeks 3, 5, 7 and 8
BOOKED = [33, 20, 10, 4, 2, 0, 0, 0]
SUPPLY = [0, 0, 70, 0, 70, 0, 70, 70]


def test_pumps_of_june_and_july():
    """64 − (33 + 20) = 11 to begin with; then 70 − (10 + 4) = 56, 70 − 2 = 68, 70 and 70."""
    assert promise.available(BOOKED, SUPPLY, 64).tolist() == [11, 0, 56, 0, 68, 0, 70, 70]


def test_pumps_with_look_ahead_and_without():
    """Look-ahead adds the discrete figures up; without it nothing is kept back for what is booked later."""
    assert promise.available(BOOKED, SUPPLY, 64, method="look_ahead").tolist() == [11, 11, 67, 67, 135, 135, 205, 275]
    assert promise.available(BOOKED, SUPPLY, 64, method="cumulative").tolist() == [31, 11, 71, 67, 135, 135, 205, 275]


def test_what_a_period_owes_is_taken_from_the_ones_before():
    """Week 3 brings 10 and owes 30: 20 of week 1's 50 are not free."""
    assert promise.available([0, 0, 30], [0, 0, 10], 50).tolist() == [30, 0, 0]
    assert promise.available([0, 0, 30], [0, 0, 10], 50, take_back=False).tolist() == [50, 0, -20]


def test_what_nobody_can_give_is_owed_at_once():
    assert promise.available([10, 0], [0, 5], 4).tolist() == [-6, 5]


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="discrete, cumulative, look_ahead"):
        promise.available([1], [1], 1, method="atp")


periods = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(periods, st.integers(0, 100))
def test_the_sum_over_all_periods_is_what_is_left(rows, on_hand):
    """Σ discrete = on hand + Σ supply − Σ booked, whichever period is charged."""
    booked, supply = (list(column) for column in zip(*rows, strict=True))
    for take_back in (True, False):
        assert promise.available(booked, supply, on_hand, take_back=take_back).sum() == pytest.approx(on_hand + sum(supply) - sum(booked))


@settings(max_examples=100, deadline=None)
@given(periods, st.integers(0, 100))
def test_look_ahead_is_the_least_balance_to_come(rows, on_hand):
    """Another way to the same: what can be promised is what no later period will need, from each supply to the next."""
    booked, supply = (np.array(column, float) for column in zip(*rows, strict=True))
    balance = on_hand + np.cumsum(supply - booked)
    least = np.minimum.accumulate(balance[::-1])[::-1]
    assert np.allclose(promise.available(booked, supply, on_hand, method="look_ahead"), _to_next(least, supply))


def _to_next(least, supply):
    """The least balance, held from each supply to the period before the next."""
    out, last = [], 0
    for t, units in enumerate(supply):
        last = t if units > 0 or t == 0 else last
        out.append(least[last])
    return out


@settings(max_examples=100, deadline=None)
@given(periods, st.integers(0, 100), st.integers(0, 7))
def test_a_promise_of_all_that_is_free_breaks_none(rows, on_hand, at):
    """Sell all that period t has to promise, in t: what is booked can still be served everywhere; one unit more, and it cannot."""
    booked, supply = (np.array(column, float) for column in zip(*rows, strict=True))
    t = at % len(booked)
    free = promise.available(booked, supply, on_hand, method="look_ahead")[t]
    if free >= 0:
        sold = booked.copy()
        sold[t] += free
        assert (on_hand + np.cumsum(supply - sold) >= -1e-9)[t:].all()
        sold[t] += 1
        assert (on_hand + np.cumsum(supply - sold) < 0)[t:].any()


def test_booked_orders_are_what_is_left_of_orders_by_the_month_promised():
    """4 of 10 have left; one line is cancelled, one has gone, one is overdue and counts this month."""
    orders = frames.conform(frame("order line item location order_date promised_date quantity shipped_date shipped_quantity status",
                                  "1 1 A EU 2026-01-05 2026-03-10 10 2026-01-20 4 -", "2 1 A EU 2026-01-05 2026-03-20 5 - - cancelled",
                                  "3 1 A EU 2026-01-05 2026-02-10 7 2026-01-30 - -", "4 1 A EU 2026-01-05 2026-01-20 3 - - -"), frames.ORDERS)
    table = promise.booked_orders(orders, as_of=pd.Timestamp("2026-02-01"))
    assert table[["month", "booked"]].values.tolist() == [[pd.Timestamp("2026-02-01"), 3], [pd.Timestamp("2026-03-01"), 6]]


def test_the_table_shows_the_near_months_and_looks_further():
    """Nothing is supplied: 10 on hand, 4 booked in the fourth month, which is not shown: 6 can be promised."""
    keys, months = pd.DataFrame({"item": ["A"], "location": ["EU"]}), frames.months("2026-01", 4)
    booked = frame("item location month booked", "A EU 2026-04-01 4", "Z EU 2026-01-01 9")
    table = promise.atp(keys, months, np.array([10.0]), np.zeros((1, 4)), booked, near=3)
    assert table["cumulative"].tolist() == [6, 6, 6] and table["on_hand"].tolist() == [10, 0, 0]
