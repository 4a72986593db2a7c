"""How far sales and marketing are followed: the best weight of the past, capped."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, weights

ITEMS = frame("item family", "A Tea", "B Tea")
MONTHS = frames.months("2026-01", 8)


def every(columns: str, row: str, months: pd.DatetimeIndex = MONTHS, **more: object) -> pd.DataFrame:
    """The same row in each month, said or planned in that month's own cycle."""
    return pd.concat([frame(columns, row).assign(month=month, **more) for month in months], ignore_index=True)


PLANS = every("item location baseline events pipeline leads sales override consensus price", "A EU 100 0 0 0 0 0 100 1").assign(cycle=lambda d: d["month"])


def demand(units: float) -> pd.DataFrame:
    return every("item location", "A EU", demand=units)


def said(row: str, months: pd.DatetimeIndex = MONTHS) -> pd.DataFrame:
    return every("level key location quantity owner", row, months).assign(cycle=lambda d: d["month"])


def leads(row: str, months: pd.DatetimeIndex = MONTHS) -> pd.DataFrame:
    return every("level key location leads conversion units owner", row, months).assign(cycle=lambda d: d["month"])


def test_sales_is_followed_as_far_as_would_have_been_best():
    """Sales said twice as much above the plan as came: half the way would have been right, cut to 0.4."""
    full = weights.sales(said("item A all 120 Budi"), PLANS, demand(110), ITEMS, cap=1.0)
    assert full[["owner", "n", "months", "weight", "basis"]].values.tolist() == [["Budi", 8, 8, 0.5, "record"]]
    assert full["wape_before"].item() == pytest.approx(10 / 110) and full["bias"].item() == pytest.approx(10 / 110)
    assert weights.sales(said("item A all 120 Budi"), PLANS, demand(110), ITEMS, cap=0.4)["weight"].item() == 0.4


def test_without_six_months_of_record_half_the_cap_is_used():
    """Five months are no record, however many statements they hold."""
    few = pd.concat([said(f"item A {place} 120 Budi", MONTHS[:5]) for place in ("all", "EU")])
    record = weights.sales(few, PLANS, demand(110), ITEMS, cap=0.4)
    assert record[["n", "months", "weight", "basis"]].values.tolist() == [[10, 5, 0.2, "new"]]


def test_sales_that_point_the_wrong_way_do_not_count():
    assert weights.sales(said("family Tea EU 120 Budi"), PLANS, demand(90), ITEMS, cap=0.5)["weight"].item() == 0


def test_a_weight_set_by_hand_stands_and_the_record_is_shown_beside_it():
    record = weights.sales(said("item A all 120 Budi"), PLANS, demand(110), ITEMS, cap=0.5, fixed=0.8)
    assert record[["weight", "basis", "months"]].values.tolist() == [[0.8, "fixed", 8]]


def test_a_newcomer_has_no_record_and_gets_half_the_cap():
    none = frames.empty(frames.FORECAST_SALES).assign(cycle=pd.Series(dtype="datetime64[ns]"))
    record = weights.sales(none, PLANS, demand(90), ITEMS, cap=0.5, owners=["Budi", None])
    assert record[["owner", "weight"]].values.tolist() == [["", 0.25], ["Budi", 0.25]]


def test_in_a_first_cycle_every_owner_is_a_newcomer():
    now = frame("level key location month quantity owner", "family Tea all 2026-10 120 Budi")
    past = frames.empty(frames.FORECAST_SALES).assign(cycle=pd.Series(dtype="datetime64[ns]"))
    none = frames.empty(frames.PLAN).assign(cycle=pd.Series(dtype="datetime64[ns]"))
    assert weights.sales(past, none, demand(90), ITEMS, cap=0.5, owners=now["owner"])["weight"].tolist() == [0.25]


def test_leads_are_followed_by_the_part_of_their_promise_that_came_on_top():
    """200 leads × 20 % × half a unit promise 20 units on a plan of 100; 108 came: 40 % of the promise."""
    record = weights.leads(leads("family Tea all 200 0.2 0.5 Rina"), PLANS, demand(108), ITEMS, cap=1.0)
    assert record[["owner", "weight", "basis"]].values.tolist() == [["Rina", pytest.approx(0.4), "record"]]
    assert record["wape_with"].item() == pytest.approx(12 / 108), "the plan plus all that was promised"


@settings(max_examples=30, deadline=None)
@given(asked=st.floats(0, 500), came=st.floats(1, 500), cap=st.floats(0, 1))
def test_a_weight_is_never_below_zero_nor_above_the_cap_and_never_beaten_within_it(asked, came, cap):
    """Second route: among the weights from 0 to the cap none makes the squared error smaller."""
    weight = weights.sales(said(f"item A all {asked} Budi"), PLANS, demand(came), ITEMS, cap=cap)["weight"].item()
    assert 0 <= weight <= cap
    miss = [abs(100 + w * (asked - 100) - came) for w in (weight, 0.0, cap / 3, cap / 2, cap)]
    assert miss[0] <= min(miss) + 1e-6
