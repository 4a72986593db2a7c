"""Aggregate plans against published cases, and what every plan must respect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import aggregate, frames

# Chopra and Meindl, Supply Chain Management, aggregate planning: Red Tomato Tools. 160 hours a person and month, 4 hours a
# tool, 4.00 an hour, overtime 6.00 and at most 10 hours a person. Subcontracted tools cost 30 with their material.
RED_TOMATO = aggregate.Costs(opening_people=80, units_per_worker=40, hire_cost=300, layoff_cost=500, regular_cost=640, overtime_cost=24,
                             subcontract_cost=30, backlog_cost=5, holding_cost=2, material_cost=10, opening_stock=1000, end_stock=500,
                             overtime_share=10 / 160, whole_people=False)


def demand(*units):
    return pd.Series(units, index=frames.months("2026-01", len(units)), dtype="float64")


TOOLS = demand(1600, 3000, 3200, 3800, 2200, 2200)


def cost(stream, costs, strategy="optimum"):
    plans = aggregate.strategies(stream, costs)
    return plans.loc[plans["strategy"] == strategy, "cost"].sum()


def test_red_tomato_optimum():
    """422,275 with fractions of people; 422,660 with whole people, 64 of them and 140 tools subcontracted."""
    assert cost(TOOLS, RED_TOMATO) == pytest.approx(422275, abs=0.5)
    assert cost(TOOLS, replace(RED_TOMATO, whole_people=True)) == pytest.approx(422660, abs=0.5)


def test_red_tomato_plan_month_by_month():
    """The text's plan: 2,583 tools a month; stock 1,983, 1,567, 950, 0, 117, 500; 267 tools owed in April."""
    plan = aggregate.strategies(TOOLS, RED_TOMATO).query("strategy == 'optimum'")
    assert np.round(plan["regular"]).tolist() == [2583] * 6
    assert np.round(plan["stock"]).tolist() == [1983, 1567, 950, 0, 117, 500]
    assert np.round(plan["backlog"]).tolist() == [0, 0, 0, 267, 0, 0]


def test_red_tomato_with_higher_swings():
    """Demand of 1,000 to 4,800: 433,080."""
    swings = demand(1000, 3000, 3800, 4800, 2000, 1400)
    assert cost(swings, replace(RED_TOMATO, whole_people=True)) == pytest.approx(433080, abs=0.5)


def test_red_tomato_with_dear_stock():
    """Holding at 6 instead of 2: 441,200."""
    assert cost(TOOLS, replace(RED_TOMATO, holding_cost=6)) == pytest.approx(441200, abs=0.5)


def test_level_output_of_skateboards():
    """Stevenson, Operations Management, aggregate planning: 15 people make 300 a period; regular 3,600, stock 600 on the
    mean of opening and ending, backlog 500, in all 4,700."""
    costs = aggregate.Costs(opening_people=15, units_per_worker=20, regular_cost=40, overtime_cost=3, subcontract_cost=6, backlog_cost=5,
                            holding_cost=1, holding_on="average")
    level = aggregate.strategies(demand(200, 200, 300, 400, 500, 200), costs).query("strategy == 'level'")
    assert level["people"].tolist() == [15] * 6 and level["stock"].tolist() == [100, 200, 200, 100, 0, 0]
    assert [level[term].sum() for term in ("cost_regular", "cost_holding", "cost_backlog", "cost")] == [3600, 600, 500, 4700]


def test_chase_holds_nothing_and_hires_what_it_needs():
    """Three people are there, a person makes 10: 20, 50, 30 units take 2, 5 and 3 people."""
    costs = aggregate.Costs(opening_people=3, units_per_worker=10, hire_cost=7, layoff_cost=11)
    chase = aggregate.strategies(demand(20, 50, 30), costs).query("strategy == 'chase'")
    assert chase["people"].tolist() == [2, 5, 3] and chase["stock"].sum() == 0 and chase["backlog"].sum() == 0
    assert chase["cost"].sum() == 1 * 11 + 3 * 7 + 2 * 11


def test_hybrid_serves_peaks_by_overtime_then_subcontracting():
    """Four people cost least: 40 a month; the peak of 60 takes 4 in overtime and what is left is bought in or made before."""
    costs = aggregate.Costs(opening_people=4, units_per_worker=10, regular_cost=100, overtime_cost=12, subcontract_cost=15, holding_cost=50,
                            hire_cost=500, layoff_cost=500, overtime_share=0.1)
    hybrid = aggregate.strategies(demand(40, 60, 40), costs).query("strategy == 'hybrid'")
    assert hybrid["people"].tolist() == [4, 4, 4] and hybrid["backlog"].sum() == 0
    assert (hybrid["overtime"] <= 4).all()


def test_one_more_unit_of_capacity_is_worth_its_shadow_price():
    """Red Tomato in April: a tool more of regular capacity saves 17.25."""
    shadow = aggregate.strategies(TOOLS, RED_TOMATO).query("strategy == 'optimum'")["shadow"]
    assert shadow.tolist() == pytest.approx([11.25, 13.25, 15.25, 17.25, 12.25, 14.25])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=3, max_size=6), st.integers(0, 20), st.integers(0, 200), st.booleans())
def test_plans_balance_and_none_beats_the_optimum(units, people, opening, whole):
    """Opening − owed + made + bought = demand + stock − owed after, every month; and the optimum costs least."""
    costs = replace(RED_TOMATO, opening_people=people, units_per_worker=20, opening_stock=opening, end_stock=0, whole_people=whole)
    plans = aggregate.strategies(demand(*units), costs)
    for _, p in plans.groupby("strategy"):
        net = p["stock"] - p["backlog"]
        made = p["regular"] + p["overtime"] + p["subcontract"]
        assert np.allclose(net, net.shift(fill_value=opening) + made - p["demand"], atol=1e-5)
        assert np.allclose(p["people"], p["people"].shift(fill_value=people) + p["hires"] - p["layoffs"], atol=1e-5)
        assert (p["regular"] <= p["people"] * 20 + 1e-5).all() and p["backlog"].iloc[-1] <= 1e-5
        assert np.allclose(p["cost"], p[aggregate.TERMS].sum(axis=1))
    totals = plans.groupby("strategy")["cost"].sum()
    assert totals["optimum"] <= totals.min() + 0.01


def test_plans_of_a_company_from_its_tables():
    items = frames.conform(frame("item family", "A drinks", "B snacks"), frames.ITEMS)
    months = frames.months("2026-01", 3)
    plan = pd.concat([pd.DataFrame({"item": i, "location": "EU", "month": months, "consensus": [10.0, 20.0, 30.0]}) for i in ("A", "B")])
    workforce = frames.conform(frame("family opening_people units_per_worker hire_cost layoff_cost regular_cost", "drinks 2 10 100 100 50"), frames.WORKFORCE)
    stock = frame("item location on_hand", "A EU 6", "B EU 100")
    out = aggregate.plans(plan, workforce, items, stock=stock)
    assert set(out["family"]) == {"drinks"} and set(out["strategy"]) == set(aggregate.STRATEGIES)
    side_by_side = aggregate.compare(out)
    assert side_by_side["cost"].round(2).is_monotonic_increasing
    assert side_by_side.set_index("strategy")["cost"]["optimum"] == pytest.approx(side_by_side["cost"].min())
    total = aggregate.compare(pd.concat([out, out.assign(family="twin")]), by=["strategy"]).set_index("strategy")
    assert total["most_people"]["level"] == 2 * side_by_side.set_index("strategy")["most_people"]["level"]
    assert out.query("strategy == 'chase'")["regular"].tolist() == [4, 20, 30]  # 6 are in stock


def family_tables():
    items = frames.conform(frame("item family", "A drinks"), frames.ITEMS)
    months = frames.months("2026-01", 3)
    plan = pd.DataFrame({"item": "A", "location": "EU", "month": months, "consensus": [100.0, 200.0, 150.0]})
    workforce = frames.conform(frame("family opening_people units_per_worker hire_cost regular_cost overtime_cost hours_per_unit people_limit",
                                     "drinks 10 10 100 50 8 4 14"), frames.WORKFORCE)
    return plan, workforce, items


def test_a_persons_output_follows_the_working_days():
    """20, 15 and 25 days where 20 are usual: ten units a month become 10, 7.5 and 12.5; chase needs 10, 14 (the limit) and 12 people."""
    plan, workforce, items = family_tables()
    days = pd.Series([20, 15, 25], index=frames.months("2026-01", 3))
    chase = aggregate.plans(plan, workforce, items, days=days, overtime_share=1.0).query("strategy == 'chase'")
    assert chase["people"].tolist() == [10, 14, 12]
    assert chase["regular"].tolist() == [100, 105, 150] and chase["overtime"].tolist() == [0, 95, 0]


def test_what_a_limit_is_worth_family_by_family():
    """February's peak is done in overtime: a unit there is worth its 8, an hour of four in it a quarter, and closing stock costs money."""
    plan, workforce, items = family_tables()
    prices = aggregate.marginals(plan, workforce, items, overtime_share=1.0).set_index(["family", "what", "month"])["value"]
    february = pd.Timestamp("2026-02-01")
    assert prices["drinks", "hour", february] == pytest.approx(prices["drinks", "regular", february] / 4)
    assert prices["drinks", "regular", february] == 8  # of overtime, which does the last units
    assert prices["drinks", "end_stock"].iloc[0] > 0


def test_side_by_side_says_what_more_a_plan_costs_and_what_it_breaks():
    """With people held at 14, level (15 people for the average) breaks the limit; `more` is counted from the cheapest that breaks none."""
    plan, workforce, items = family_tables()
    out = aggregate.plans(plan, workforce, items, overtime_share=1.0)
    beside = aggregate.compare(out).set_index("strategy")
    assert beside.loc["optimum", "more"] == 0 and beside.loc["optimum", "breaks"] == ""
    assert beside.loc["level", "breaks"] == "backlog_limit" and beside.loc["chase", "breaks"] == ""
    assert beside.loc["chase", "more"] == pytest.approx(beside.loc["chase", "cost"] - beside.loc["optimum", "cost"])
    assert beside.loc["chase", "hires"] == out.query("strategy == 'chase'")["hires"].sum()
