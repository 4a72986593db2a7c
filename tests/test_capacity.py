"""Rough-cut capacity by the three ways of the books, held to the classic case of two end items and three work centres."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame as table
from hypothesis import given
from hypothesis import strategies as st

from sopnb import capacity, frames


def frame(columns, *rows):
    """A small table; its months are plain numbers."""
    return table(columns.replace("month", "period"), *rows).rename(columns={"period": "month"})


# Vollmann, Berry, Whybark and Jacobs, Manufacturing Planning and Control, capacity planning: end items A and B over thirteen periods, work
# centres 100, 200 and 300. Quoted from memory and recomputed here by hand: 457 units of A at 0.95 hours and 273 of B at 1.85 are 939.20 hours.
A = [33] * 3 + [40] * 3 + [30] * 3 + [37] * 4
B = [17] * 3 + [13] * 3 + [25] * 3 + [27] * 4
MADE = pd.DataFrame({"item": ["A"] * 13 + ["B"] * 13, "month": [*range(1, 14)] * 2, "quantity": [float(v) for v in A + B]})
FACTORS = frame("item hours_per_unit", "A 0.95", "B 1.85")
SHARES = frame("resource share", "WC100 0.603", "WC200 0.304", "WC300 0.093")
# Run and setup hours by operation: lot, setup hours a lot, run hours a unit.
OPERATIONS = frame("item resource lot setup_hours hours_per_unit offset", "A WC100 40 1.0 0.025 0", "B WC100 20 1.0 1.25 0", "C WC200 40 1.0 0.575 1",
                   "C WC300 40 1.0 0.175 0", "D WC200 60 2.0 0.0666666667 0", "E WC200 100 2.0 0.08 0", "F WC200 100 2.0 0.0425 0")
PARTS = frame("item component quantity", "A C 1", "A D 1", "B D 1", "B E 2", "E F 2")
LEADS = frame("item lead", "A 1", "B 1", "E 1")


def wide(hours):
    return hours.pivot(index="resource", columns="month", values="hours").fillna(0.0)


def test_overall_factors_share_all_hours_out_as_in_the_past():
    """Period 1: 33 × 0.95 + 17 × 1.85 = 62.80 hours, of which 60.3 % on work centre 100."""
    hours = wide(capacity.overall_factors(MADE, FACTORS, SHARES))
    assert hours[1].round(2).tolist() == [37.87, 19.09, 5.84]
    assert hours.sum(axis=1).round(2).tolist() == [566.34, 285.52, 87.35]
    assert hours.to_numpy().sum() == pytest.approx(939.20)


def test_a_capacity_bill_holds_run_and_setup_of_the_item_and_of_its_parts():
    """A: 0.05 on 100; C's 0.60 and D's 0.10 on 200; C's 0.20 on 300. B: 1.30 on 100; 0.10 + 2 × 0.10 + 4 × 0.0625 on 200."""
    bill = capacity.capacity_bill(OPERATIONS.assign(offset=0), PARTS)
    of = bill.set_index(["item", "resource"])["hours_per_unit"]
    assert of["A"].round(3).to_dict() == {"WC100": 0.05, "WC200": 0.70, "WC300": 0.20}
    assert of["B"].round(3).to_dict() == {"WC100": 1.30, "WC200": 0.55}
    hours = wide(capacity.required(MADE, bill))
    assert hours[1].round(2).tolist() == [23.75, 32.45, 6.60]
    assert hours.sum(axis=1).round(2).tolist() == [377.75, 470.05, 91.40] and hours.to_numpy().sum() == pytest.approx(939.20)


def test_a_resource_profile_says_in_which_period_before_the_due_one_the_hours_fall():
    """C is due a period before A, and its first operation a period before that; F is due a period before E, E a period before B."""
    bill = capacity.capacity_bill(OPERATIONS, PARTS, LEADS).set_index(["item", "resource", "offset"])["hours_per_unit"].round(3)
    assert bill["A"].to_dict() == {("WC100", 0.0): 0.05, ("WC200", 1.0): 0.10, ("WC200", 2.0): 0.60, ("WC300", 1.0): 0.20}
    assert bill["B"].to_dict() == {("WC100", 0.0): 1.30, ("WC200", 1.0): 0.30, ("WC200", 2.0): 0.25}
    hours = wide(capacity.required(MADE, bill.rename("hours_per_unit").reset_index()))
    assert hours.loc["WC200", 1] == pytest.approx(33 * 0.10 + 17 * 0.30 + 33 * 0.60 + 17 * 0.25)  # of periods 2 and 3
    assert hours.loc["WC200", 3] == pytest.approx(40 * 0.10 + 13 * 0.30 + 40 * 0.60 + 13 * 0.25)  # of periods 4 and 5
    assert hours.loc["WC200", -1] == pytest.approx(33 * 0.60 + 17 * 0.25), "two periods before the first: past due"
    assert hours.to_numpy().sum() == pytest.approx(939.20)


def test_the_three_ways_need_the_same_hours_in_all_where_the_past_had_the_same_mix():
    """With each work centre's own share of the thirteen periods, overall factors agree with the bill in the totals."""
    bill = capacity.capacity_bill(OPERATIONS.assign(offset=0), PARTS)
    by_bill = capacity.required(MADE, bill)
    shares = capacity.historical_shares(by_bill)
    by_factors = wide(capacity.overall_factors(MADE, FACTORS, shares))
    assert shares["share"].sum() == pytest.approx(1)
    assert by_factors.sum(axis=1).to_numpy() == pytest.approx(wide(by_bill).sum(axis=1).to_numpy(), rel=1e-6)


def test_hours_before_the_first_period_stay_count_in_the_first_or_leave():
    made, bill = frame("item month quantity", "A 1 10", "A 2 20"), frame("item resource offset hours_per_unit", "A M 1 1")
    assert [capacity.required(made, bill, past=word)["hours"].tolist() for word in ("keep", "first", "drop")] == [[10, 20], [30], [20]]
    with pytest.raises(ValueError, match="past is one of keep, first, drop"):
        capacity.required(made, bill, past="lost")


def test_a_part_of_a_period_is_shared_between_two():
    made, bill = frame("item month quantity", "A 5 100"), frame("item resource offset hours_per_unit", "A M 1.25 1")
    assert wide(capacity.required(made, bill)).loc["M"].to_dict() == {3: 25.0, 4: 75.0}


def test_months_go_back_over_the_turn_of_the_year():
    made = pd.DataFrame({"item": ["A"], "month": [pd.Timestamp("2026-02-01")], "quantity": [8.0]})
    bill = frame("item resource offset hours_per_unit", "A M 3 0.5")
    assert capacity.required(made, bill).values.tolist() == [["M", pd.Timestamp("2025-11-01"), 4.0]]


def test_load_beside_capacity_by_pencil():
    """120 of 100 hours: 1.2, 20 too many, 15 in overtime at 30, 5 beyond. Without a rate, time and a half of the regular one."""
    hours = frame("resource month hours", "M 1 120", "M 2 40", "N 1 5")
    stated = frame("resource month available_hours overtime_hours cost_rate overtime_rate", "M 1 100 15 20 30", "M 2 100 15 20 -", "N 1 0 0 1 -")
    out = capacity.against(hours, stated)
    assert out["ratio"].tolist() == [1.2, 0.4, np.inf] and out["overload"].tolist() == [20, 0, 5]
    assert out["beyond"].tolist() == [5, 0, 5] and out["cost"].tolist() == [450, 0, 0] and out["spare"].tolist() == [0, 60, 0]
    assert capacity.against(hours, stated.assign(overtime_rate=np.nan))["cost"][0] == 15 * 30


def test_without_capacity_the_load_is_not_judged():
    out = capacity.against(frame("resource month hours", "M 1 9"), frame("resource month available_hours", "M 2 100"))
    assert np.isnan(out["ratio"][0]) and np.isnan(out["overload"][0]) and out["hours"].tolist() == [9, 0]


def test_a_bill_in_a_circle_is_refused_with_its_path():
    with pytest.raises(ValueError, match=r"A → B → C → A\. Take one of these rows out of bom"):
        capacity.capacity_bill(frame("item resource hours_per_unit", "A M 1"), frame("item component quantity", "A B 1", "B C 1", "C A 1"))


@given(quantity=st.lists(st.integers(0, 500), min_size=3, max_size=3), per=st.lists(st.integers(1, 5), min_size=2, max_size=2), scrap=st.integers(0, 50))
def test_a_bill_of_three_levels_needs_what_its_levels_need_one_by_one(quantity, per, scrap):
    """Second route: explode the quantities level by level, then multiply each item's own hours."""
    routings = frame("item resource hours_per_unit", "A M 0.5", "B M 0.25", "C N 2")
    bom = pd.DataFrame({"item": ["A", "B"], "component": ["B", "C"], "quantity": [float(v) for v in per], "scrap": [0.0, scrap / 100]})
    made = pd.DataFrame({"item": "A", "month": [1, 2, 3], "quantity": [float(v) for v in quantity]})
    hours = wide(capacity.required(made, capacity.capacity_bill(routings, bom)))
    of_b = np.array(quantity, float) * per[0]
    assert hours.loc["M"].to_numpy() == pytest.approx(np.array(quantity) * 0.5 + of_b * 0.25)
    assert hours.loc["N"].to_numpy() == pytest.approx(of_b * per[1] / (1 - scrap / 100) * 2)


# --- in the plan ------------------------------------------------------------------------------------------------------

ONE = frames.conform(frame("item unit_cost unit_price make_or_buy end_date", "A 6 10 make -").assign(family="F"), frames.ITEMS)


def planned(*units):
    months = frames.months("2026-01", len(units))
    return pd.DataFrame({"item": "A", "location": "EU", "month": months, "consensus": np.array(units, float), "revenue": np.array(units) * 10.0, "margin": np.array(units) * 4.0})


def stated(*hours):
    return pd.DataFrame({"resource": "oven", "month": frames.months("2026-01", len(hours)), "available_hours": np.array(hours, float), "overtime_hours": 0.0,
                         "cost_rate": 10.0, "overtime_rate": 15.0})


def test_the_plan_s_hours_and_their_money_fall_before_the_due_month():
    """A month ahead: March's 100 units are February's work; January's should be done, and are work of January."""
    plan, routing = planned(10, 20, 100), table("item resource hours_per_unit offset_months", "A oven 0.5 1")
    out = capacity.load(capacity.production(plan, routing, ONE, as_of="2026-01-01"), routing, stated(20, 20, 20), ONE, plan)
    assert out["hours"].tolist() == [15, 50, 0] and out["revenue"].tolist() == [300, 1000, 0]
    assert out["ratio"].tolist() == [0.75, 2.5, 0] and out["overload_amount"][1] == pytest.approx(600)


def test_the_sales_that_wait_for_a_part_stand_behind_its_hours():
    """Two frames make a tandem that sells for 100: an hour of welding, two frames' work, holds 100 back. A frame alone sells for 30."""
    plan = pd.DataFrame({"item": ["tandem", "frame"], "location": "EU", "month": frames.months("2026-01", 1)[0], "consensus": [10.0, 20.0], "revenue": [1000.0, 600.0], "margin": [200.0, 60.0]})
    bom = frame("item component quantity scrap", "tandem frame 2 0", "frame tube 3 0")
    one = capacity.behind(plan.set_index("item")[["consensus", "revenue", "margin"]], bom, "2026-01-01")
    assert one.loc["frame"].tolist() == [1600 / 40, 260 / 40] and one.loc["tube"].tolist() == [1600 / 120, 260 / 120] and one.loc["tandem", "unit_revenue"] == 100
    circle = pd.concat([bom, frame("item component quantity scrap", "tube tandem 1 0")])
    assert capacity.behind(plan.set_index("item")[["consensus", "revenue", "margin"]], circle, "2026-01-01").loc["frame", "unit_revenue"] == 30, "a circle is not used"
    parts = capacity.with_parts(frame("item resource hours_per_unit", "frame weld 0.5", "tandem paint 1", "tube saw -1"), bom, "2026-01-01").set_index(["item", "resource"])["hours_per_unit"]
    assert parts.to_dict() == {("frame", "weld"): 0.5, ("tandem", "weld"): 1.0, ("tandem", "paint"): 1.0, ("tube", "saw"): -1.0}


def test_hours_that_cannot_be_are_left_out_and_none_available_is_all_too_many():
    plan = planned(10, 10, 10)
    routing = frame("item resource hours_per_unit", "A oven 0.5", "A saw -1")
    out = capacity.load(capacity.production(plan, routing, ONE, as_of="2026-01-01"), routing, stated(-5, 0, 20), ONE, plan).set_index("month")
    assert set(out["resource"]) == {"oven"}
    assert np.isnan(out["overload"].iloc[0]) and out["overload"].iloc[1:].tolist() == [5, 0] and np.isnan(out["ratio"].iloc[1])


def test_the_examples_of_the_docstrings_hold():
    import doctest

    from sopnb import capacity_bills

    assert doctest.testmod(capacity_bills).failed == 0 and doctest.testmod(capacity_bills).attempted >= 4
