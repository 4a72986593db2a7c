"""What stands in the way of a plan is told by limit, month and amount; and mending it by that amount makes a plan, by less does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import aggregate, aggregate_costs, frames, infeasible, words
from sopnb.problems import Problems

TIGHT = aggregate.Costs(opening_people=10, units_per_worker=10, regular_cost=100, people_limit=12, overtime_cost=15, overtime_share=0.1,
                        subcontract_cost=20, subcontract_limit=10, holding_cost=1, whole_people=False)


def demand(*units):
    return pd.Series(units, index=frames.months("2026-01", len(units)), dtype="float64")


def explained(stream, costs):
    return infeasible.explain(*aggregate_costs.given(stream, costs))


def test_the_peak_that_cannot_be_made_is_told_with_every_cure():
    """12 people make 120, 12 more in overtime, 10 are bought: 142 a month, 426 in three months of 100, 100 and 300 units: 74 short."""
    told = explained(demand(100, 100, 300), TIGHT).set_index("limit")
    assert told.loc["demand", ["month", "by"]].tolist() == [2, 74]
    assert told.loc["subcontract_limit", ["month", "by", "now"]].tolist() == [2, 74, 10]
    assert told.loc["people_limit", "by"].sum() == pytest.approx(74 / 11)  # a person more makes 11, with overtime
    assert told["alone"].all() and not {"stock_limit", "end_stock", "regular_limit"} & set(told.index)


def test_a_person_reads_limit_month_amount_and_remedy():
    with pytest.raises(Problems) as stopped:
        aggregate.strategies(demand(100, 100, 300), TIGHT)
    text = str(stopped.value)
    assert "of demand, 74 units in 2026-03 can neither be made, nor bought, nor owed" in text
    assert "Any one of these is enough" in text and "subcontract_limit 74 units more in 2026-03" in text
    assert "status" not in text.lower() and "HiGHS" not in text


def test_too_much_stock_is_a_limit_as_well():
    """500 are there, 40 are asked for, 100 may stay: 360 too many."""
    told = explained(demand(40, 40), replace(TIGHT, opening_stock=500, stock_limit=100))
    assert told[["limit", "month", "by"]].to_numpy().tolist() == [["stock_limit", 0, 360.0], ["stock_limit", 1, 320.0]]


def test_limits_that_only_help_together_are_told_together():
    """The hall holds 100 where 200 must be left, and 5 people may be there where 20 must: two faults, which no limit mends alone."""
    costs = replace(TIGHT, stock_limit=100, end_stock=200, people_limit=5, end_people=20)
    told = explained(demand(50, 50), costs)
    assert not told["alone"].any()
    by = told.groupby("limit")["by"].sum()
    assert by.get("stock_limit", 0) + by.get("end_stock", 0) == pytest.approx(100)
    assert by.get("people_limit", 0) + by.get("end_people", 0) == pytest.approx(15)
    with pytest.raises(Problems, match="All of these are needed"):
        aggregate.strategies(demand(50, 50), costs)


def test_a_closing_workforce_above_the_limit():
    told = explained(demand(50, 50), replace(TIGHT, end_people=20))
    assert told[["limit", "by", "alone"]].to_numpy().tolist() == [["people_limit", 8.0, True], ["end_people", 8.0, True]]


def test_what_can_be_planned_is_not_explained():
    assert explained(demand(100, 100, 100), TIGHT).empty


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=2, max_size=4), st.integers(0, 30), st.integers(0, 80))
def test_a_cure_is_enough_and_nothing_less_is(units, bought, closing):
    costs = replace(TIGHT, subcontract_limit=bought, end_stock=closing)
    need, c = aggregate_costs.given(demand(*units), costs)
    told = infeasible.explain(need, c)
    for limit, rows in told[told["limit"].isin(["subcontract_limit", "demand"])].groupby("limit"):
        by = np.zeros(len(need))
        by[rows["month"]] = rows["by"]
        for share, enough in ((1.0, True), (0.99, False)):
            if limit == "demand":
                assert infeasible.feasible(np.maximum(need - by * share - 1e-5 * enough, 0), c) is enough
            else:
                assert infeasible.feasible(need, replace(c, subcontract_limit=c.subcontract_limit + by * share + 1e-5 * enough)) is enough


# --- what cannot be ---------------------------------------------------------------------------------------------------

def test_every_value_that_cannot_be_is_named_at_once():
    wrong = aggregate.Costs(opening_people=-1, units_per_worker=0, hire_cost=-5, holding_on="sometimes", subcontract_limit=[1, 2])
    with pytest.raises(Problems) as stopped:
        aggregate.strategies(demand(1, 2, float("nan")), wrong)
    places = [p.where for p in stopped.value.problems]
    assert places == ["demand", "costs, opening_people", "costs, units_per_worker", "costs, hire_cost", "costs, subcontract_limit", "costs, holding_on"]
    assert all(p.remedy for p in stopped.value.problems)


@pytest.mark.parametrize("name", ["hire_cost", "regular_cost", "overtime_cost", "subcontract_cost", "holding_cost", "backlog_cost", "lost_cost", "material_cost"])
def test_a_cost_below_zero_would_make_the_plan_endless(name):
    with pytest.raises(Problems, match=f"{name}: is -1: the more of it, the cheaper the plan, without end"):
        aggregate.strategies(demand(10, 20), replace(TIGHT, **{name: -1.0}))


def tables():
    items = frames.conform(frame("item family", "A drinks", "B snacks", "C tea"), frames.ITEMS)
    months = frames.months("2026-01", 3)
    plan = pd.concat([pd.DataFrame({"item": i, "location": "EU", "month": months, "consensus": [10.0, 20.0, 300.0]}) for i in ("A", "B", "C")])
    workforce = frames.conform(frame("family opening_people units_per_worker hire_cost regular_cost people_limit", "drinks 2 10 100 50 -", "snacks 2 10 100 50 3",
                                     "tea 2 10 -7 50 3"), frames.WORKFORCE)
    return plan, workforce, items


def test_other_families_are_planned_and_what_is_missing_is_said():
    """Drinks have all plans; snacks, which may have three people, their rules only; tea pays for hiring, and has none."""
    plan, workforce, items = tables()
    out = aggregate.plans(plan, workforce, items)
    assert out.groupby("family")["strategy"].nunique().to_dict() == {"drinks": 4, "snacks": 3}
    assert "backlog_limit" in "; ".join(out.loc[out["family"] == "snacks", "breaks"])
    missing = aggregate.unplanned(plan, workforce, items)
    assert set(missing["family"]) == {"snacks", "tea"}
    tea = missing[missing["family"] == "tea"].iloc[0]
    assert tea["limit"] == "hire_cost" and "without a sign" in words.message(tea["because"], tea["values"]).text
    snacks = missing[missing["family"] == "snacks"]
    assert snacks.loc[snacks["limit"] == "demand", "amount"].sum() == 330 - 90
    for row in missing.to_dict("records"):
        assert words.message(row["because"], row["values"]).text


def test_families_without_an_optimum_are_left_out_of_the_sum():
    plan, workforce, items = tables()
    total = aggregate.compare(aggregate.plans(plan, workforce, items), by=["strategy"])
    drinks = aggregate.compare(aggregate.plans(plan, workforce[workforce["family"] == "drinks"], items), by=["strategy"])
    pd.testing.assert_frame_equal(total, drinks)
