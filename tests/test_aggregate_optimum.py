"""The optimum by other routes, and what its shadow prices say."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sopnb import aggregate, aggregate_costs, aggregate_optimum, frames

COSTS = aggregate.Costs(opening_people=12, units_per_worker=10, hire_cost=70, layoff_cost=90, regular_cost=100, overtime_cost=15, overtime_share=0.2,
                        subcontract_cost=19, subcontract_limit=40, material_cost=3, opening_stock=30, end_stock=20, holding_cost=2, backlog_cost=6,
                        whole_people=False)


def demand(*units):
    return pd.Series(units, index=frames.months("2026-01", len(units)), dtype="float64")


def best(stream, costs):
    return aggregate.strategies(stream, costs, only=("optimum",))["cost"].sum()


def by_position(need, c):
    """The same problem in other unknowns: stock is not one of them, it is what was made less what was asked for.

    Unknowns: people and changes up and down, output of the three kinds, and for each month what holding or owing costs, which is
    at least each of the two. Solved by the interior point instead of the simplex.
    """
    n = len(need)
    price = np.concatenate([c.regular_cost, np.full(n, c.hire_cost), np.full(n, c.layoff_cost), c.material_cost, c.overtime_cost + c.material_cost,
                            c.subcontract_cost, np.ones(n)])
    tri, eye, zero = np.tril(np.ones((n, n))), np.eye(n), np.zeros((n, n))
    position = np.hstack([zero, zero, zero, tri, tri, tri, zero])  # stock less backlog, from what is made
    there = c.opening_stock - np.cumsum(need)
    hold, owe = position * c.holding_cost[:, None], -position * c.backlog_cost[:, None]
    cost = np.hstack([zero] * 6 + [eye])
    below = np.vstack([hold - cost, owe - cost, np.hstack([-np.diag(c.units_per_worker), zero, zero, eye, zero, zero, zero]),
                       np.hstack([-np.diag(c.units_per_worker * c.overtime_share), zero, zero, zero, eye, zero, zero]), -position[-1:]])
    below_of = np.concatenate([-c.holding_cost * there, c.backlog_cost * there, np.zeros(2 * n), [there[-1] - c.end_stock]])
    staff = np.hstack([eye - np.eye(n, k=-1), -eye, eye, zero, zero, zero, zero])
    bounds = [(0, None)] * (5 * n) + [(0, limit) for limit in c.subcontract_limit] + [(0, None)] * n
    return linprog(price, A_ub=below, b_ub=below_of, A_eq=staff, b_eq=c.opening_people * np.eye(1, n)[0], bounds=bounds, method="highs-ipm").fun


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=7), st.integers(0, 25), st.integers(0, 150), st.integers(0, 60), st.sampled_from([1.0, 4.0, 30.0]))
def test_the_optimum_is_that_of_another_formulation(units, people, opening, closing, owed):
    costs = replace(COSTS, opening_people=people, opening_stock=opening, end_stock=closing, backlog_cost=owed)
    assert best(demand(*units), costs) == pytest.approx(by_position(*aggregate_costs.given(demand(*units), costs)), rel=1e-6, abs=1e-3)


def by_cbc(need, c):
    """The whole problem written out in PuLP, with whole people, and solved by CBC: another library and another solver."""
    pulp = pytest.importorskip("pulp")
    months, model = range(len(need)), pulp.LpProblem("people", pulp.LpMinimize)
    people = [pulp.LpVariable(f"people_{m}", 0, cat="Integer") for m in months]
    up, down, made, over, bought, kept, owed, lost = ([pulp.LpVariable(f"{name}_{m}", 0) for m in months]
                                                      for name in ("up", "down", "made", "over", "bought", "kept", "owed", "lost"))
    model += pulp.lpSum(people[m] * c.regular_cost[m] + up[m] * c.hire_cost + down[m] * c.layoff_cost + (made[m] + over[m]) * c.material_cost[m]
                        + over[m] * c.overtime_cost[m] + bought[m] * c.subcontract_cost[m] + owed[m] * c.backlog_cost[m] + lost[m] * c.lost_cost[m]
                        + 0.5 * c.holding_cost[m] * (kept[m] + (kept[m - 1] if m else c.opening_stock)) for m in months)
    for m in months:
        before, there = (kept[m - 1] - owed[m - 1], people[m - 1]) if m else (c.opening_stock, c.opening_people)
        model += before + made[m] + over[m] + bought[m] + lost[m] == need[m] + kept[m] - owed[m]
        model += people[m] == there + up[m] - down[m]
        model += made[m] <= people[m] * c.units_per_worker[m]
        model += over[m] <= people[m] * c.units_per_worker[m] * c.overtime_share[m]
        model += bought[m] <= c.subcontract_limit[m]
        model += kept[m] <= c.stock_limit[m]
        model += lost[m] <= need[m] + (owed[m - 1] if m else 0)
    model += kept[months[-1]] >= c.end_stock
    model += owed[months[-1]] == 0
    model.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0))
    return pulp.value(model.objective)


@pytest.mark.parametrize("units", [(80, 150, 190, 260, 120, 90), (10, 10, 400, 10, 10, 300), (0, 0, 0, 500, 0, 0)])
def test_whole_people_stock_on_average_and_lost_sales_by_cbc(units):
    costs = replace(COSTS, whole_people=True, holding_on="average", lost_cost=26, stock_limit=[120] * 6, units_per_worker=[10, 9, 11, 10, 8, 10])
    assert best(demand(*units), costs) == pytest.approx(by_cbc(*aggregate_costs.given(demand(*units), costs)), rel=2e-6)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=3, max_size=3), st.integers(0, 4), st.sampled_from(["ending", "average"]))
def test_whole_people_by_trying_all_of_them(units, people, held):
    """With people given, what is left is a programme in output: the least over all paths of 0 to 6 people is the optimum."""
    costs = replace(COSTS, opening_people=people, opening_stock=5, end_stock=0, whole_people=True, holding_on=held, subcontract_limit=8)
    found = []
    for path in itertools.product(range(7), repeat=3):
        need, c = aggregate_costs.given(demand(*units), replace(costs, whole_people=False))
        p = aggregate_optimum.programme(need, c)
        low, high = p.low.copy(), p.high.copy()
        low[p.unit["people"]] = high[p.unit["people"]] = path
        solved = aggregate_optimum.solve(replace(p, low=low, high=high))
        if solved.status == aggregate_optimum.OPTIMAL:
            found.append(solved.fun + p.constant)
    assert best(demand(*units), costs) == pytest.approx(min(found), rel=2e-6, abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=8), st.booleans(), st.sampled_from(["ending", "average", "excess"]), st.sampled_from([5.0, np.inf]),
       st.sampled_from([25.0, np.inf]), st.sampled_from(["people", "output"]), st.data())
def test_no_plan_that_keeps_the_limits_costs_less(units, whole, held, owed, lost, paid, data):
    """Rules and random plans of one's own: those that break nothing cost at least the optimum; all balance and add up."""
    costs = replace(COSTS, whole_people=whole, holding_on=held, backlog_cost=owed, lost_cost=lost, paid_for=paid, end_stock=0, subcontract_limit=np.inf)
    stream = demand(*units)
    plans = aggregate.strategies(stream, costs)
    n = len(units)
    chosen = [data.draw(st.lists(st.integers(0, high), min_size=n, max_size=n)) for high in (25, 20, 200)]
    plans = pd.concat([plans, aggregate.own(stream, costs, people=chosen[0], overtime=chosen[1], subcontract=chosen[2])])
    least = plans.loc[plans["strategy"] == "optimum", "cost"].sum()
    for name, p in plans.groupby("strategy"):
        net, made = p["stock"] - p["backlog"], p["regular"] + p["overtime"] + p["subcontract"] + p["lost"]
        assert np.allclose(net, net.shift(fill_value=30) + made - p["demand"], atol=1e-5)
        assert np.allclose(p["people"], p["people"].shift(fill_value=12) + p["hires"] - p["layoffs"], atol=1e-5)
        assert np.allclose(p["cost"], p[aggregate.TERMS].sum(axis=1)) and (p[aggregate.FLOWS] >= -1e-6).all(axis=None)
        if name == "optimum":
            assert (p["breaks"] == "").all()
        if (p["breaks"] == "").all():
            assert p["cost"].sum() >= least * (1 - 2e-6) - 1e-3
    service = aggregate.compare(plans.assign(family="all"))["service"].dropna()
    assert service.between(0, 1).all()


# --- shadow prices ----------------------------------------------------------------------------------------------------

PEAKS = demand(80, 150, 190, 260, 120, 90)
STEP = 1e-3


@pytest.mark.parametrize("held", ["ending", "average"])
@pytest.mark.parametrize("limit", ["demand", "end_stock", "regular_limit", "overtime_limit", "subcontract_limit", "stock_limit", "people_limit"])
def test_a_shadow_price_is_the_slope_of_the_least_cost(limit, held):
    """One thousandth more of a limit moves the least cost by a thousandth of its price, every month."""
    costs = replace(COSTS, regular_limit=[150.5] * 6, overtime_limit=[22.5] * 6, subcontract_limit=[17.3] * 6, stock_limit=[75.2] * 6,
                    people_limit=[30, 30, 30, 14.4, 30, 30], holding_on=held, backlog_cost=11)
    prices = aggregate.marginal(PEAKS, costs).set_index(["what", "month"])["value"]
    base = best(PEAKS, costs)
    for m, month in enumerate(PEAKS.index):
        if limit == "demand":
            changed = best(PEAKS + STEP * (np.arange(6) == m), costs)
        elif limit == "end_stock":
            if m < 5:
                continue
            changed = best(PEAKS, replace(costs, end_stock=costs.end_stock + STEP))
        else:
            changed = best(PEAKS, replace(costs, **{limit: list(np.array(getattr(costs, limit)) + STEP * (np.arange(6) == m))}))
        sign = 1 if limit in ("demand", "end_stock") else -1
        assert (changed - base) / STEP == pytest.approx(sign * prices[limit, month], abs=1e-3)


def test_some_limit_is_worth_something_in_that_plan():
    """Prices of zero everywhere would pass the test above too."""
    costs = replace(COSTS, regular_limit=[150.5] * 6, overtime_limit=[22.5] * 6, subcontract_limit=[17.3] * 6, stock_limit=[75.2] * 6,
                    people_limit=[30, 30, 30, 14.4, 30, 30], backlog_cost=11)
    prices = aggregate.marginal(PEAKS, costs).groupby("what")["value"].max()
    assert (prices[["demand", "end_stock", "overtime_limit", "subcontract_limit", "people_limit", "regular"]] > 0).all()


def test_an_hour_is_worth_a_unit_by_the_hours_in_it():
    """Red Tomato: 17.25 for a tool in April is 4.3125 for each of its four hours."""
    red = aggregate.by_hours(hours_per_unit=4, wage=4, overtime_wage=6, overtime_hours=10, opening_people=80, hire_cost=300, layoff_cost=500, material_cost=10,
                             holding_cost=2, backlog_cost=5, subcontract_cost=30, opening_stock=1000, end_stock=500)
    prices = aggregate.marginal(demand(1600, 3000, 3200, 3800, 2200, 2200), red)
    hour = prices[prices["what"] == "hour"]
    assert hour["value"].iloc[3] == pytest.approx(17.25 / 4) and set(hour["unit"]) == {"hour"}
    closing = prices.loc[prices["what"] == "end_stock", "value"]
    assert len(closing) == 1 and closing.iloc[0] > 0


# --- conventions ------------------------------------------------------------------------------------------------------

def test_lost_sales_where_nobody_waits():
    """Ten people make 100; 150 are asked for in the second month. Nothing may be owed; a sale lost costs 8, and 25 are made before."""
    costs = aggregate.Costs(opening_people=10, units_per_worker=10, people_limit=10, regular_cost=100, lost_cost=8, stock_limit=25, holding_cost=1,
                            layoff_cost=1000)
    plan = aggregate.strategies(demand(60, 150, 40), costs, only=("optimum",))
    assert plan["lost"].tolist() == [0, 25, 0] and plan["backlog"].sum() == 0 and plan["cost_lost"].sum() == 200
    level = aggregate.strategies(demand(60, 150, 40), costs, only=("chase",))
    assert level["lost"].tolist() == [0, 50, 0]


def test_a_month_without_working_days_makes_nothing():
    costs = replace(COSTS, units_per_worker=[10, 0, 10], opening_stock=0, end_stock=0, subcontract_limit=1000)
    plans = aggregate.strategies(demand(60, 50, 40), costs)
    shut = plans[plans["month"] == "2026-02-01"]
    assert (shut["regular"] == 0).all() and (shut["overtime"] == 0).all()
    assert (plans.groupby("strategy")["cost"].sum() < np.inf).all()


def test_closing_workforce_and_owed_goods_at_the_start():
    """Five units are owed today: they are made first. Eight people must be there at the end."""
    plan = aggregate.strategies(demand(100, 100, 100), replace(COSTS, opening_stock=-5, end_people=8, end_stock=0), only=("optimum",))
    assert plan["people"].iloc[-1] == 8
    assert plan["regular"].sum() + plan["overtime"].sum() + plan["subcontract"].sum() == pytest.approx(305)


def test_a_series_by_month_is_read_by_its_months():
    stream = demand(100, 100, 100)
    turned = pd.Series([12.0, 11.0, 10.0], index=stream.index[::-1])
    a = aggregate.strategies(stream, replace(COSTS, units_per_worker=turned))
    b = aggregate.strategies(stream, replace(COSTS, units_per_worker=[10.0, 11.0, 12.0]))
    pd.testing.assert_frame_equal(a, b)


def test_nobody_idle_when_all_work_in_full():
    plan = aggregate.strategies(demand(100, 150, 30), replace(COSTS, full_output=True), only=("optimum",))
    assert plan["regular"].tolist() == pytest.approx((plan["people"] * 10).tolist())


def test_level_for_the_peak_owes_nothing_and_for_the_average_does():
    stream = demand(200, 50, 50)
    costs = replace(COSTS, opening_stock=0, end_stock=0)
    average = aggregate.strategies(stream, costs, only=("level",))
    assert average["people"].tolist() == [10] * 3 and average["backlog"].iloc[0] == 100
    peak = aggregate.strategies(stream, replace(costs, level_for="peak"), only=("level",))
    assert peak["people"].tolist() == [20] * 3 and peak["backlog"].sum() == 0 and peak["regular"].tolist() == [200, 100, 0]
    output = aggregate.strategies(stream, replace(costs, level="output", units_per_worker=[10, 5, 10]), only=("level",))
    assert output["regular"].tolist() == [100] * 3 and output["people"].tolist() == [20] * 3
