"""What a unit is planned to fetch, and what that rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import pricing

ITEMS = frame("item unit_price", "A 10", "B 20", "C -")
ROWS = frame("item location month", "A EU 2026-10", "A EU 2026-12", "B EU 2026-10", "C EU 2026-10")
HISTORY = frame("item location month demand_raw returns revenue", "A EU 2026-08 60 10 400", "A EU 2025-08 100 0 100", "B EU 2026-09 10 0 150")


def told(result: pd.DataFrame) -> list[list]:
    return result[["item", "list", "discount", "price", "basis"]].replace(np.nan, None).values.tolist()


def test_the_list_price_holds_until_the_next_less_its_stated_discount():
    prices = frame("item month price discount", "A 2026-01 10 0.1", "A 2026-11 12 0.25")
    found = pricing.net(ROWS.iloc[:2], items=ITEMS, prices=prices)
    assert told(found) == [["A", 10, 0.1, 9, "stated"], ["A", 12, 0.25, 9, "stated"]]


def test_without_a_stated_discount_the_one_really_given_is_expected():
    """50 units of A left for 400 where the list says 10 each: 20 % less. B sold nothing on a list: A's discount stands for it."""
    prices = frame("item month price discount", "A 2026-01 10 -", "B 2026-10 20 -")
    found = pricing.net(ROWS.iloc[:3], items=ITEMS, prices=prices, history=HISTORY)
    assert told(found) == [["A", 10, pytest.approx(0.2), pytest.approx(8), "usual"], ["A", 10, pytest.approx(0.2), pytest.approx(8), "usual"],
                           ["B", 20, pytest.approx(0.2), pytest.approx(16), "usual"]]


def test_without_a_list_the_goods_fetch_what_they_fetched_in_a_year():
    """A fetched 8, B 15; C is sold nowhere and stands in no list."""
    assert told(pricing.net(ROWS, items=ITEMS, history=HISTORY)) == [
        ["A", None, None, 8, "fetched"], ["A", None, None, 8, "fetched"], ["B", None, None, 15, "fetched"], ["C", None, None, None, "none"]]
    assert told(pricing.net(ROWS, items=ITEMS))[2] == ["B", None, None, 20, "master"]


def test_the_summary_says_on_what_the_revenue_rests():
    prices = frame("item month price discount", "A 2026-01 10 0.1")
    plan = ROWS.iloc[[0, 2]].assign(consensus=[10.0, 10.0], revenue=[90.0, 210.0])
    found = pricing.summary(pricing.net(plan, items=ITEMS, prices=prices), plan, months=pd.DatetimeIndex(["2026-10-01"]))
    assert found[["basis", "revenue", "share"]].values.tolist() == [["stated", 90, 0.3], ["master", 210, 0.7]]
    assert found["discount"].iloc[0] == pytest.approx(0.1) and np.isnan(found["discount"].iloc[1])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1e6), st.floats(-0.5, 1))
def test_price_is_list_less_discount_and_rows_keep_their_order(price, discount):
    prices = pd.DataFrame({"item": ["A"], "month": pd.to_datetime(["2026-01-01"]), "price": [price], "discount": [discount]})
    found = pricing.net(ROWS.iloc[::-1], items=ITEMS, prices=prices)
    assert found.index.tolist() == [3, 2, 1, 0] and found["item"].tolist() == ["C", "B", "A", "A"]
    np.testing.assert_allclose(found["price"].iloc[2:], price * (1 - discount))
