"""The plan in money, against last plan and the budget."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from helpers import frame

from sopnb import value

ITEMS = frame("item family", "A Tea", "B Tea", "C Tin")
PLAN = frame(
    "item location month consensus revenue margin",
    "A North 2026-10 100 1000 400", "B North 2026-10 100 2000 800", "C North 2026-10 0 0 -",
    "A North 2026-11 120 1000 400", "B North 2026-11 100 2000 800", "C North 2026-11 0 0 -",
)
MONTHS = pd.DatetimeIndex(["2026-10-01", "2026-11-01"])


def test_the_headline_says_how_much_when_and_against_what():
    history = frame("item location month demand", "A North 2025-10 150", "A North 2025-11 250", "A North 2026-09 7")
    last = frame("item location month consensus revenue", "A North 2026-10 160 2500", "A North 2026-09 1 1")
    told = value.headline(PLAN, history, last, months=MONTHS)
    assert (told["units"], told["revenue"], told["margin"], told["peak_units"]) == (420, 6000, 2400, 220)
    assert told["peak"] == MONTHS[1] and told["grows"] == pytest.approx(420 / 400 - 1)
    assert told["changes"] == pytest.approx(200 / 160 - 1) and told["changed_revenue"] == 500


def test_a_first_plan_of_a_young_company_has_nothing_to_be_compared_with():
    told = value.headline(PLAN, frame("item location month demand", "A North 2026-09 7"), None, months=MONTHS)
    assert math.isnan(told["grows"]) and math.isnan(told["changes"])
    assert math.isnan(value.headline(PLAN.iloc[:0], PLAN.iloc[:0], None, months=MONTHS)["units"])


def test_families_come_by_revenue_with_their_change_and_their_gap():
    last = frame("item location month consensus revenue", "A North 2026-10 1 2400", "C North 2026-10 1 50")
    budget = frame("family month revenue", "Tea 2026-10 2500", "Toys 2026-10 100")
    found = value.families(PLAN, ITEMS, months=MONTHS, previous_plan=last, budget=budget).set_index("family")
    assert found.index.tolist() == ["Tea", "Tin", "Toys"]
    assert found["change"].tolist() == [600, -50, 0]
    assert found["gap"].tolist() == [500, 0, -100]
    assert value.families(PLAN, ITEMS, months=MONTHS)["gap"].isna().all()


def test_the_gap_is_plan_minus_budget_over_the_months_both_have():
    budget = frame("family month revenue", "Tea 2026-10 2500", "Tea 2027-01 9000", "Toys 2026-10 100")
    result = value.gap(PLAN, budget, ITEMS)
    assert result[["family", "plan", "budget", "gap"]].values.tolist() == [["Tea", 3000, 2500, 500], ["Tin", 0, 0, 0], ["Toys", 0, 100, -100]]


def test_the_year_lands_on_actuals_so_far_and_the_plan_to_go():
    """Fiscal year from December: actuals of August and September, plan of October and November."""
    history = frame("item location month revenue demand_raw returns", "A North 2026-08 500 60 10", "A North 2026-09 700 70 0", "A North 2025-11 9000 900 0")
    budget = frame("family month revenue units", "Tea 2025-11 1 1", "Tea 2026-08 600 100", "Tea 2026-11 6000 400")
    row = value.landing(history, PLAN, budget, ITEMS, fiscal_year_start=12).set_index("family").loc["Tea"]
    assert row[["actual", "to_go", "landing", "budget", "gap"]].tolist() == [1200, 6000, 7200, 6600, 600]
    assert (row["first"], row["last"]) == (pd.Timestamp("2025-12-01"), pd.Timestamp("2026-11-01"))


def test_the_gap_of_the_year_is_volume_and_price():
    """540 units instead of 500 at 13.2 are 528 more; 7,200 for 540 is 13.33 a unit, 72 more."""
    history = frame("item location month revenue demand_raw returns", "A North 2026-08 500 60 10", "A North 2026-09 700 70 0")
    budget = frame("family month revenue units", "Tea 2026-08 600 100", "Tea 2026-11 6000 400")
    row = value.landing(history, PLAN, budget, ITEMS, fiscal_year_start=12).set_index("family").loc["Tea"]
    assert row[["gap", "volume", "price"]].tolist() == pytest.approx([600, 528, 72])
    assert row["price"] == pytest.approx(540 * (7200 / 540 - 13.2)), "second route"
    money_only = value.landing(history, PLAN, budget.drop(columns="units"), ITEMS, fiscal_year_start=12)
    assert money_only["volume"].isna().all() and money_only["price"].isna().all()


def test_revenue_and_margin_stand_by_family_and_month_and_add_up():
    found = value.by_month(PLAN, ITEMS, months=MONTHS)
    assert found[["kind", "family", "measure"]].values.tolist() == [
        ["family", "Tea", "revenue"], ["family", "Tea", "margin"], ["family", "Tin", "revenue"], ["family", "Tin", "margin"], ["all", None, "revenue"], ["all", None, "margin"]]
    assert found.loc[0, ["m1", "m2", "total"]].tolist() == [3000, 3000, 6000]
    assert found.loc[5, ["m1", "m2", "total", "share"]].tolist() == [1200, 1200, 2400, 0.4]
    assert value.extremes(found) == {"best": "Tea", "most": 0.4, "worst": "Tea", "least": 0.4}


def test_of_many_families_the_largest_stand_alone_and_the_rest_together():
    items = pd.DataFrame({"item": list("ABCDE"), "family": ["f1", "f2", "f3", "f4", "f5"]})
    plan = pd.DataFrame({"item": list("ABCDE"), "location": "EU", "month": MONTHS[0], "consensus": 1.0, "revenue": [50.0, 40, 30, 20, 10], "margin": [5.0, 4, 3, 2, 1]})
    found = value.by_month(plan, items, months=MONTHS, top=2)
    assert found.query("measure == 'revenue'")[["kind", "family", "families", "total"]].values.tolist() == [
        ["family", "f1", 1, 50], ["family", "f2", 1, 40], ["other", None, 3, 60], ["all", None, 5, 150]]
    assert value.by_month(plan.iloc[:0], items, months=MONTHS)["kind"].tolist() == []
