"""What the company can deliver: the three limits by pencil, parts that add up, limits that do not bind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sopnb import deliverable, deliverable_page, frames, words

MONTHS = pd.to_datetime(["2026-10-01", "2026-11-01", "2026-12-01"])
ITEMS = pd.DataFrame({"item": ["A", "B", "C"], "family": ["Juice", "Juice", "Nectar"], "service_class": ["A", "B", "A"]})


def a_plan(units=((100, 100, 100), (40, 40, 40), (10, 10, 10)), price=(10.0, 20.0, 30.0), margin=(4.0, 5.0, 15.0)):
    rows = [{"item": item, "location": "EU", "month": month, "consensus": float(q), "revenue": q * p, "margin": q * m}
            for item, own, p, m in zip("ABC", units, price, margin, strict=True) for month, q in zip(MONTHS, own, strict=True)]
    return pd.DataFrame(rows)


def hiring(*short):
    plan = a_plan().groupby("month")["revenue"].sum().to_numpy()
    return pd.DataFrame({"month": MONTHS, "target": plan, "capacity": plan - np.array(short, dtype="float64")})


def short_of_stock(**closing):
    """A projection in which each item named closes as said, and others with 5 in stock."""
    return pd.DataFrame([{"item": item, "location": "EU", "month": month, "closing": float(closing.get(item, (5, 5, 5))[k]), "demand": 100.0}
                         for item in "ABC" for k, month in enumerate(MONTHS)])


def hours_short(*rows):
    return pd.DataFrame([{"item": item, "month": pd.Timestamp(month), "late": float(late), "lost": float(lost)} for item, month, late, lost in rows])


def joined(plan=None, *, projection=None, hours=None, reps=None, budget=None, items=ITEMS):
    plan = a_plan() if plan is None else plan
    missing = deliverable.unserved(plan, projection=projection, unserved=hours)
    return deliverable.join(plan, missing, items, hiring=reps, budget=budget), missing


# --- by pencil --------------------------------------------------------------------------------------------------------

def test_what_is_owed_at_month_end_is_missing_from_its_month():
    """Owed 30, then 130 of which 100 are November's own demand, then nothing: 30 + 100 units of A at 10."""
    table, missing = joined(projection=short_of_stock(A=(-30, -130, 20)))
    a = missing[missing["item"] == "A"]
    assert a["stock"].tolist() == [30, 100, 0]
    assert a["owed_stock"].tolist() == [30, 130, 0]
    assert table.groupby("month")["stock_gap"].sum().tolist() == [300, 1000, 0]
    assert table["late"].sum() == 1300, "it is owed, not lost"


def test_what_was_owed_before_the_plan_is_no_demand_of_its_first_month():
    """500 owed from earlier months do not make more than October's 100 late."""
    _, missing = joined(projection=short_of_stock(A=(-500, 10, 10)))
    assert missing.query("item == 'A'")["stock"].tolist() == [100, 0, 0]


def test_goods_short_for_stock_and_for_hours_are_missing_once_by_the_larger():
    """October: stock lacks 30, hours 50 (20 never made): 50 units, by hours. November: stock 30, hours 10: 30, by stock."""
    table, _ = joined(projection=short_of_stock(A=(-30, -30, 0)), hours=hours_short(("A", "2026-10-01", 30, 20), ("A", "2026-11-01", 10, 0)))
    juice = table[table["family"] == "Juice"].set_index("month")
    assert juice["hours_gap"].tolist() == [500, 0, 0]
    assert juice["stock_gap"].tolist() == [0, 300, 0]
    assert juice["late"].tolist() == [300, 300, 0], "of October's 50 the 20 lost never come"
    assert juice["revenue"].tolist() == [1800 - 500, 1800 - 300, 1800]


def test_reps_sell_class_a_first_and_in_a_class_what_brings_most_margin_for_its_price():
    """Reps are short of 900 of 2,100 in October. B (class B, 800) goes first, then 100 of A (40 % margin) before C (50 %)."""
    table, _ = joined(reps=hiring(900, 0, 0))
    october = table[table["month"] == MONTHS[0]].set_index("family")
    assert october["sales_gap"].to_dict() == pytest.approx({"Juice": 900.0, "Nectar": 0.0})
    assert october.loc["Juice", "units"] == pytest.approx(90)
    assert october["margin"].to_dict() == pytest.approx({"Juice": 360.0, "Nectar": 150.0})


def test_what_binds_first_is_the_earliest_limit_and_of_two_the_lower():
    """October: stock lacks 30 of A and reps cannot sell 900; November: stock 30 again. Sales take what stock leaves, so theirs is the lower limit."""
    table, missing = joined(projection=short_of_stock(A=(-30, -30, 0)), reps=hiring(900, 0, 0))
    found = deliverable.binding(table)
    assert found["cause"].tolist() == ["sales", "stock"] and found["month"].eq(MONTHS[0]).all() and found["months"].tolist() == [1, 2]
    assert found.set_index("cause").loc["stock", ["amount", "all_amount"]].tolist() == [300, 600]
    assert deliverable.limits(table, missing, hiring=hiring(900, 0, 0))["binds"].iloc[0] == "sales"
    assert deliverable.binding(table[table["month"] > MONTHS[0]])["cause"].tolist() == ["stock"]
    assert deliverable.binding(joined()[0]).empty


def test_what_cannot_be_made_need_not_be_sold():
    """Hours lack 600 of A, reps could not sell 500 of the plan: the hours bind, and sales take nothing more."""
    table, missing = joined(hours=hours_short(("A", "2026-10-01", 0, 60)), reps=hiring(500, 0, 0))
    assert table["sales_gap"].sum() == 0
    assert table["hours_gap"].sum() == 600
    by_month = deliverable.limits(table, missing, hiring=hiring(500, 0, 0))
    assert by_month["binds"].tolist() == ["hours", "", ""]
    assert by_month.iloc[0][["plan", "sales", "hours", "stock", "revenue"]].tolist() == [2100, 1600, 1500, 2100, 1500]


def test_by_month_the_lowest_limit_binds_and_reps_may_have_room():
    table, missing = joined(projection=short_of_stock(A=(-10, 5, 5)), reps=hiring(200, -300, 0), budget=frame("family month revenue", "Juice 2026-10 2000"))
    by_month = deliverable.limits(table, missing, hiring=hiring(200, -300, 0))
    assert by_month["binds"].tolist() == ["sales", "", ""]
    assert by_month["sales"].tolist() == [1900, 2400, 2100]
    assert by_month["stock"].tolist() == [2000, 2100, 2100]
    assert by_month["budget"].tolist()[0] == 2000
    assert by_month["budget"].isna().tolist() == [False, True, True]


def test_parts_that_have_not_come_hold_back_what_is_made_of_them():
    """Bottles: 100 are asked for each month; 30 are owed at the end of October, 130 at the end of November.

    So 30 % of October's 50 juices wait, then all of November's 60 and 30 % of October's again.
    """
    projection = pd.DataFrame({"item": "BOTTLE", "location": "EU", "month": MONTHS, "demand": 100.0, "closing": [-30.0, -130.0, 40.0]})
    proposed = pd.DataFrame({"item": "A", "due": pd.to_datetime(["2026-10-05", "2026-11-03"]), "quantity": [50.0, 60.0]})
    bom = pd.DataFrame({"item": ["A"], "component": ["BOTTLE"], "quantity": [2.0], "phantom": [False]})
    waits = deliverable.waiting_for_parts(projection, bom, proposed)
    assert waits["units"].tolist() == pytest.approx([15.0, 60 + 15.0])
    late = deliverable.unserved(a_plan(), projection=short_of_stock(A=(5, 5, 5)), waiting=waits)
    assert late.query("item == 'A'")["stock"].tolist() == pytest.approx([10.0, 70.0, 0.0]), "the 5 in stock serve first"


def test_a_part_holds_back_through_a_phantom_and_through_a_part_made_of_it():
    projection = pd.DataFrame({"item": "SUGAR", "location": "EU", "month": MONTHS, "demand": 100.0, "closing": [-50.0, 10.0, 10.0]})
    proposed = pd.DataFrame({"item": ["A", "BASE"], "due": MONTHS[0], "quantity": [40.0, 80.0]})
    through = pd.DataFrame({"item": ["MIX", "A"], "component": ["SUGAR", "MIX"], "quantity": 1.0, "phantom": [True, False]})
    chain = pd.DataFrame({"item": ["BASE", "A"], "component": ["SUGAR", "BASE"], "quantity": 1.0, "phantom": False})
    assert deliverable.waiting_for_parts(projection, through, proposed).query("item == 'A'")["units"].tolist() == [20.0]
    assert deliverable.waiting_for_parts(projection, chain, proposed).set_index("item")["units"].to_dict() == pytest.approx({"A": 20.0, "BASE": 40.0})


@pytest.mark.parametrize("phantom", [True, False])
def test_a_bill_in_a_circle_ends(phantom):
    """It is told where the bill is read; here it must not run for ever."""
    projection = pd.DataFrame({"item": "SUGAR", "location": "EU", "month": MONTHS, "demand": 100.0, "closing": [-50.0, 10.0, 10.0]})
    proposed = pd.DataFrame({"item": ["A", "X", "Y"], "due": MONTHS[0], "quantity": 40.0})
    bom = pd.DataFrame({"item": ["X", "Y", "X", "A"], "component": ["SUGAR", "X", "Y", "X"], "quantity": 1.0, "phantom": [phantom, phantom, phantom, False]})
    assert deliverable.waiting_for_parts(projection, bom, proposed).query("item == 'A'")["units"].tolist() == [20.0]


def test_without_limits_the_plan_is_what_can_be_delivered():
    table, missing = joined()
    assert (table["revenue"] == table["plan"]).all()
    assert (table["units"] == table["plan_units"]).all()
    assert deliverable.limits(table, missing)["binds"].eq("").all()
    assert list(table.columns) == frames.DELIVERABLE.names


# --- properties -------------------------------------------------------------------------------------------------------

closings = st.lists(st.floats(-200, 100), min_size=3, max_size=3)
shorts = st.lists(st.floats(-500, 3000), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None)
@given(a=closings, b=closings, late=st.floats(0, 60), lost=st.floats(0, 60), short=shorts)
def test_never_more_than_the_plan_nor_than_any_limit_and_the_gap_adds_up(a, b, late, lost, short):
    plan, hours, reps = a_plan(), hours_short(("A", "2026-11-01", late, min(lost, 100 - late))), hiring(*short)
    table, missing = joined(plan, projection=short_of_stock(A=a, B=b), hours=hours, reps=reps)
    assert (table["revenue"] <= table["plan"] + 1e-6).all()
    assert (table["revenue"] >= -1e-6).all()
    gaps = table[["stock_gap", "hours_gap", "sales_gap"]]
    assert (gaps >= -1e-9).all().all()
    assert (table["revenue"] + gaps.sum(axis=1)).to_numpy() == pytest.approx(table["plan"].to_numpy())
    assert (table["late"] <= gaps.sum(axis=1) + 1e-6).all()
    by_month = deliverable.limits(table, missing, hiring=reps)
    for limit in ("stock", "hours"):
        assert (by_month["revenue"] <= by_month[limit] + 1e-6).all()
    assert (by_month["revenue"] <= by_month["sales"].clip(lower=0) + deliverable.TINY * by_month["plan"] * 1.01).all(), "a limit less than TINY below the plan does not bind"
    gap = 1 - by_month["revenue"] / by_month["plan"]
    assert (gap[by_month["binds"] == ""] < 4 * deliverable.TINY).all()
    assert (gap[by_month["binds"] != ""] > deliverable.TINY / 2).all()


@settings(max_examples=12, deadline=None)
@given(a=closings, short=shorts, room=st.floats(0, 1000))
def test_a_limit_that_does_not_bind_changes_nothing(a, short, room):
    """More reps than are needed, stock that is there, hours that suffice: as if the limit were not known."""
    projection = short_of_stock(A=a)
    alone, _ = joined(projection=projection)
    slack, _ = joined(projection=projection, reps=hiring(-room, -room, -room), hours=hours_short(("A", "2026-10-01", 0, 0)))
    pd.testing.assert_frame_equal(alone, slack)
    reps_alone, _ = joined(reps=hiring(*short))
    with_stock, _ = joined(reps=hiring(*short), projection=short_of_stock())
    pd.testing.assert_frame_equal(reps_alone, with_stock)


@settings(max_examples=25, deadline=None)
@given(short=st.floats(0, 2000), margins=st.lists(st.floats(0.5, 9), min_size=3, max_size=3))
def test_second_route_in_one_class_what_is_sold_is_the_best_a_linear_programme_finds(short, margins):
    """max Σ margin × units, Σ price × units ≤ what reps can sell, units ≤ plan."""
    plan = a_plan(margin=margins)
    table, _ = joined(plan, reps=hiring(short, 0, 0), items=ITEMS.assign(service_class="A"))
    best = linprog(-np.array(margins), A_ub=[[10.0, 20.0, 30.0]], b_ub=[2100 - short], bounds=[(0, 100), (0, 40), (0, 10)])
    assert table.loc[table["month"] == MONTHS[0], "margin"].sum() == pytest.approx(-best.fun, rel=1e-6, abs=1e-6)


# --- as it is read ----------------------------------------------------------------------------------------------------

def test_the_page_says_what_binds_first_and_what_it_costs():
    words.speak("en", "USD")
    reps = hiring(0, 900, 0)
    table, missing = joined(projection=short_of_stock(A=(-30, 5, 5)), reps=reps, budget=frame("family month revenue", "Juice 2026-10 2000", "Juice 2026-11 1000"))
    shown = deliverable_page.shown(table, deliverable.limits(table, missing, hiring=reps), absent=["capacity"], near=MONTHS[:2], with_hires=table["revenue"].sum() + 63).text
    for text in ("Over all months to December 2026 it is 81.0%; with the hires proposed below it would be 82.0%", "can be delivered in its month", "Stock and orders bind first: in October 2026", "the reps cannot sell", "Not available: capacity", "Against the budget of October 2026 to November 2026: USD 0 with what can be delivered, +USD 1,200 with the plan"):
        assert text in shown
    assert "Juice gives up most" in shown


def test_the_page_of_a_plan_that_can_be_delivered_and_of_none():
    words.speak("en", "USD")
    table, missing = joined()
    shown = deliverable_page.shown(table, deliverable.limits(table, missing), absent=[], near=MONTHS[:2]).text
    assert "The whole plan to November 2026" in shown
    assert "Over all months to December 2026 it is 100.0%." in shown
    assert "No budget is given to compare." in shown
    blind = deliverable_page.shown(table, deliverable.limits(table, missing), absent=["stock", "capacity", "reps", "quotas"], near=MONTHS[:2])
    assert blind.text.startswith("No limit is known, so nothing says") and len(blind.parts) == 1, "nobody knows, so nothing is promised"
    assert "Not available: plan." in deliverable_page.shown(None, None, absent=[], near=MONTHS).text
