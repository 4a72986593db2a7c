"""More cases of the books, beside those that stand with each module: plans, records, lots and orders as a reader of the book would enter them.

Data and answers are quoted from memory and recomputed, by hand or by another route; where only that is known, the text says "recomputed"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from sopnb import aggregate, frames, lots, order_sizes, promise, records, safety


def demand(*units):
    return pd.Series(units, index=frames.months("2026-01", len(units)), dtype="float64")


def cost(stream, costs, strategy="optimum"):
    return round(float(aggregate.strategies(stream, costs, only=(strategy,))["cost"].sum()), 2)


def machine(**costs):
    """A plant without people: regular output at a price a unit, up to a limit."""
    return aggregate.Costs(opening_people=None, units_per_worker=1, paid_for="output", **costs)


# --- aggregate plans ------------------------------------------------------------------------------------------------------

CANDY = aggregate.Costs(opening_people=100, units_per_worker=1000, regular_cost=2000, hire_cost=100, layoff_cost=500, holding_cost=0.5)


@pytest.mark.parametrize(("strategy", "published"), [("level", 870_000), ("chase", 835_000), ("optimum", 832_000)])
def test_candy_of_russell_and_taylor(strategy, published):
    """Russell and Taylor, Operations Management, Good and Rich: 80, 50, 120 and 150 thousand pounds, 1,000 pounds a worker and quarter."""
    assert cost(demand(80_000, 50_000, 120_000, 150_000), CANDY, strategy) == published


def test_sailboats_of_winston():
    """Winston, Operations Research, Sailco: 40 boats a quarter at 400, more at 450, 20 to keep one, 10 there: 78,450."""
    assert cost(demand(40, 60, 75, 25), machine(regular_cost=400, regular_limit=40, overtime_cost=450, holding_cost=20, opening_stock=10)) == 78_450


def test_radiators_of_stevenson_by_transportation():
    """Stevenson, Operations Management, Harpell Radiator: 500 at 60, 50 at 80, 120, 120 and 100 bought at 90, backorders 3: 124,730."""
    costs = machine(regular_cost=60, regular_limit=500, overtime_cost=80, overtime_limit=50, subcontract_cost=90, subcontract_limit=[120, 120, 100], holding_cost=1,
                    backlog_cost=3, opening_stock=100)
    assert cost(demand(550, 700, 750), costs) == 124_730


def test_shoes_of_winston_and_albright_with_whole_workers():
    """Practical Management Science, SureStep: 692,820; where customers may wait at 20 a pair and month, 690,180."""
    shoes = aggregate.by_hours(hours_per_unit=4, wage=1500 / 160, overtime_wage=13, overtime_hours=20, opening_people=100, hire_cost=1600, layoff_cost=2000, material_cost=15,
                               holding_cost=3, opening_stock=500)
    stream = demand(3000, 5000, 2000, 1000)
    assert cost(stream, shoes) == 692_820 and cost(stream, replace(shoes, backlog_cost=20)) == 690_180


@pytest.mark.parametrize(("units", "published"), [((3000, 2400, 2560, 3800, 2200, 2200), 421_915), ((1600, 3000, 3200, 5060, 1760, 1760), 438_857)])
def test_red_tomato_with_a_promotion(units, published):
    """Chopra and Meindl, a dollar off in January or in April."""
    tools = aggregate.by_hours(hours_per_unit=4, wage=4, overtime_wage=6, overtime_hours=10, opening_people=80, hire_cost=300, layoff_cost=500, material_cost=10, holding_cost=2,
                               backlog_cost=5, subcontract_cost=30, opening_stock=1000, end_stock=500, whole_people=False)
    assert cost(demand(*units), tools) == pytest.approx(published, abs=0.5)


def test_hill_enterprises_makes_what_last_month_asked_for():
    """Heizer and Render, plan A, recomputed: 8 hundreds hired, 6 laid off, 1,800 unit-months, 400 sales lost: 161,000. Sales are lost, nobody waits."""
    hill = aggregate.Costs(opening_people=16, units_per_worker=100, hire_cost=5000, layoff_cost=7500, holding_cost=20, lost_cost=100, opening_stock=200)
    plan = aggregate.own(demand(1400, 1600, 1800, 1800, 2200, 2200, 1800, 1400), hill, people=[16, 14, 16, 18, 18, 22, 22, 18])
    assert plan["stock"].tolist() == [400, 200, 0, 0, 0, 0, 400, 800] and plan["lost"].tolist() == [0, 0, 0, 0, 400, 0, 0, 0]
    assert plan["cost"].sum() == 8 * 5000 + 6 * 7500 + 1800 * 20 + 400 * 100 == 161_000


@pytest.mark.parametrize(("strategy", "recomputed"), [("level", 1_130_000), ("chase", 1_115_000), ("optimum", 1_077_500)])
def test_a_course_with_safety_stock_at_every_quarters_end(strategy, recomputed):
    """A course problem (1,000, 2,000, 4,000, 3,000; 15 people who make 100; 100 kept all the time). Level: 25 people, 4,400 unit-quarters at 25."""
    jones = aggregate.Costs(opening_people=15, units_per_worker=100, regular_cost=10_000, overtime_cost=150, holding_cost=25, hire_cost=2000, layoff_cost=3000, opening_stock=100,
                            least_stock=100)
    assert cost(demand(1000, 2000, 4000, 3000), jones, strategy) == recomputed


def test_the_transportation_plan_of_a_plain_programme():
    """Bowman's table with capacities that change by quarter, solved from the list of cells (made in, sold in) instead."""
    limits = {"regular": ([1000, 1200, 1300, 1300], 20), "overtime": ([100, 150, 200, 200], 25), "bought": ([500] * 4, 28)}
    asked, opening, hold = [900, 1500, 1600, 3000], 300, 3
    cells = [(opening, 0, -1, t, hold * t) for t in range(4)]
    cells += [(most[s], price, (name, s), t, price + hold * (t - s)) for name, (most, price) in limits.items() for s in range(4) for t in range(s, 4)]
    source = {key: i for i, key in enumerate(dict.fromkeys(c[2] for c in cells))}
    room, sold = np.zeros((len(source), len(cells))), np.zeros((4, len(cells)))
    for j, (_, _, key, t, _) in enumerate(cells):
        room[source[key], j], sold[t, j] = 1, 1
    most = {c[2]: c[0] for c in cells}
    plain = linprog([c[4] for c in cells], A_ub=room, b_ub=[most[key] for key in source], A_eq=sold, b_eq=asked)
    ours = machine(regular_cost=20, regular_limit=limits["regular"][0], overtime_cost=25, overtime_limit=limits["overtime"][0], subcontract_cost=28, subcontract_limit=500,
                   holding_cost=hold, opening_stock=opening)
    assert cost(demand(*asked), ours) == pytest.approx(plain.fun)


# --- records and lots -----------------------------------------------------------------------------------------------------

def test_speaker_kits_of_heizer_and_render():
    """Awesome speaker kits, net requirements plan: 50 kits in week 8, stock on hand, D used under B and under F, E under B and C."""
    items = pd.DataFrame({"item": list("ABCDEFG"), "on_hand": [10, 15, 20, 10, 10, 5, 0], "lead": [1, 2, 1, 1, 2, 3, 2]})
    bill = pd.DataFrame([("A", "B", 2), ("A", "C", 3), ("B", "D", 2), ("B", "E", 2), ("C", "E", 2), ("C", "F", 2), ("F", "G", 1), ("F", "D", 2)],
                        columns=["item", "component", "quantity"])
    r = records.records(items, pd.DataFrame({"item": ["A"], "period": [8], "quantity": [50]}), bill=bill)
    assert r.loc[r["releases"] > 0, ["item", "period", "releases"]].values.tolist() == [
        ["A", 7, 40], ["B", 5, 65], ["C", 6, 100], ["D", 2, 380], ["D", 4, 130], ["E", 3, 120], ["E", 4, 200], ["F", 3, 195], ["G", 1, 195]]


TRUMPETS = [42, 42, 32, 12, 26, 112, 45, 14, 76, 38]


def test_net_requirements_of_trumpets():
    """Nahmias, Harmon Music: 23 on hand, 12, 0, 6 and 9 due."""
    assert records.record([77, 42, 38, 21, 26, 112, 45, 14, 76, 38], [12, 0, 6, 9], on_hand=23)["net"].tolist()[1:] == TRUMPETS


@pytest.mark.parametrize(("rule", "money"), [("lot_for_lot", 1320), ("fixed", 919.80), ("silver_meal", 650.40), ("wagner_whitin", 610.20)])
def test_lots_of_valve_casings(rule, money):
    """Nahmias, the casings of these trumpets: K 132, h 0.60 a week, EOQ 139. Silver–Meal orders 128, 197 and 114 (recomputed)."""
    quantity = lots.sizes(TRUMPETS, rule, fixed=139, order_cost=132, holding_cost=0.6)
    assert lots.cost(TRUMPETS, quantity, order_cost=132, holding_cost=0.6) == pytest.approx(money)
    assert round(float(order_sizes.eoq(np.mean(TRUMPETS), 132, 0.6))) == 139


# --- orders, safety stock, promises -----------------------------------------------------------------------------------------

def test_fixed_interval_of_stevenson():
    """30 ± 3 a day, 2 days to deliver, looked at every 7, 99 %, 71 on hand: order 220."""
    level = safety.order_up_to(30, 2, 7, safety.safety_stock(0.99, 3, 2, 30, review=7))
    assert round(float(level) - 71) == 220


def test_batteries_of_stevenson():
    """4,000 a year, 18 an order, 18 % of the price; 0.90, from 500 at 0.85, from 1,000 at 0.80: 1,000 for 3,344."""
    best = order_sizes.eoq_with_discounts(4000, 18, [1, 500, 1000], [0.90, 0.85, 0.80], holding_rate=0.18)
    assert float(best.quantity) == pytest.approx(1000) and float(best.cost) == pytest.approx(3344)


def test_cider_of_stevenson():
    """200 ± 10 litres, 0.60 lost for each short, 0.20 for each left: 206.7 litres."""
    assert float(order_sizes.newsvendor(0.6, 0.2, 200, 10).quantity) == pytest.approx(206.74, abs=0.01)


def test_sweet_cider_of_stevenson_any_demand_alike():
    """300 to 500 litres alike, 0.60 lost for each short, 0.20 for each left: 450. Short (500 − 450)² / 400 = 6.25, sold 393.75, left 56.25."""
    best = order_sizes.newsvendor(0.6, 0.2, 400, 200 / 12**0.5, distribution="uniform")
    assert [round(float(v), 9) for v in (best.quantity, best.service, best.shortage, best.sales, best.leftover)] == [450, 0.75, 6.25, 393.75, 56.25]
    drawn = np.linspace(300, 500, 200_001)
    assert float(safety.shortage_at(340, 400, 200 / 12**0.5, "uniform")) == pytest.approx(np.maximum(drawn - 340, 0).mean(), rel=1e-4)
    level = float(safety.level_for_fill(400, 200 / 12**0.5, 0.99, 400, "uniform"))
    assert np.maximum(drawn - level, 0).mean() == pytest.approx(4, rel=1e-3)
    assert float(safety.shortage_at(200, 400, 200 / 12**0.5, "uniform")) == pytest.approx(200)


def test_production_run_of_nahmias():
    """2,500 a year of 10,000, K 50, h 0.60: runs of 745, up to 559 in stock."""
    run = order_sizes.eoq_with_production_rate(2500, 50, 0.6, 10_000)
    assert (round(float(run.quantity)), round(float(run.peak))) == (745, 559)


def test_fill_rate_of_silver_pyke_and_peterson():
    """Rule P2 with Q 200, σ 50, 99 %: G(k) = 0.04, so k is 1.36."""
    assert float(safety.safety_for_fill(50, 0.99, 200)) / 50 == pytest.approx(1.36, abs=0.005)


def test_promises_of_a_chair():
    """Krajewski, ladder-back chairs: 55 there, 150 in weeks 1 and 5, 38, 27, 24 and 8 booked: 108, then 150."""
    assert promise.available([38, 27, 24, 8, 0, 0, 0, 0], [150, 0, 0, 0, 150, 0, 0, 0], 55).tolist() == [108, 0, 0, 0, 150, 0, 0, 0]
