"""Aggregate plans as books print them. Figures quoted from memory were recomputed by hand from the data given here; where a book
rounds on the way, the test does what the book does, and says so."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sopnb import aggregate, frames


def demand(*units):
    return pd.Series(units, index=frames.months("2026-01", len(units)), dtype="float64")


def sums(plan):
    """Cost by term, and in all, of a plan of one strategy."""
    return plan[[*aggregate.TERMS, "cost"]].sum().round(2)


def one(stream, costs, strategy):
    return aggregate.strategies(stream, costs, only=(strategy,)).reset_index(drop=True)


# --- Chopra and Meindl, Supply Chain Management: Red Tomato Tools ------------------------------------------------------

TOOLS = demand(1600, 3000, 3200, 3800, 2200, 2200)
RED_TOMATO = aggregate.by_hours(hours_per_unit=4, wage=4, overtime_wage=6, overtime_hours=10, days=20, opening_people=80, hire_cost=300, layoff_cost=500,
                                material_cost=10, holding_cost=2, backlog_cost=5, subcontract_cost=30, opening_stock=1000, end_stock=500)


def test_red_tomato_in_hours_and_wages():
    """422,275 with fractions of people; with whole ones 64 people, 140 tools bought in April, 422,660."""
    assert sums(one(TOOLS, replace(RED_TOMATO, whole_people=False), "optimum"))["cost"] == pytest.approx(422275, abs=0.5)
    assert sums(one(TOOLS, RED_TOMATO, "optimum"))["cost"] == 422660
    plan = aggregate.own(TOOLS, RED_TOMATO, people=64, subcontract=[0, 0, 0, 140, 0, 0])  # one of several that cost as little
    assert plan["stock"].tolist() == [1960, 1520, 880, 0, 140, 500] and plan["backlog"].tolist() == [0, 0, 0, 220, 0, 0]
    assert sums(plan)["cost"] == 422660 and (plan["breaks"] == "").all()


def test_red_tomato_level_and_chase_by_pencil():
    """Recomputed by hand. Level: 15,500 tools in 6 months, 2,583 a month, 64.58 people. Chase: 600, 3,000, 3,200, 3,800, 2,200
    and 2,700 tools; 15, 75, 80, 95, 55 and 67.5 people: 92.5 hired, 105 laid off."""
    costs = replace(RED_TOMATO, whole_people=False)
    level = one(TOOLS, costs, "level")
    assert level["regular"].tolist() == pytest.approx([15500 / 6] * 6)
    assert level["stock"].sum() == pytest.approx(5116.6667, abs=1e-3) and level["backlog"].sum() == pytest.approx(266.6667, abs=1e-3)
    chase = one(TOOLS, costs, "chase")
    assert chase["people"].tolist() == pytest.approx([15, 75, 80, 95, 55, 67.5])
    assert chase["hires"].sum() == pytest.approx(92.5) and chase["layoffs"].sum() == pytest.approx(105)
    assert sums(chase)["cost"] == pytest.approx(387.5 * 640 + 92.5 * 300 + 105 * 500 + 15500 * 10 + 500 * 2)


# --- Heizer and Render, Operations Management, chapter 13: the Mexican roofing manufacturer -----------------------------

ROOFING = demand(900, 700, 800, 1200, 1500, 1100)
DAYS = [22, 18, 21, 21, 22, 20]
ROOFERS = aggregate.by_hours(hours_per_unit=1.6, wage=10, days=DAYS, opening_people=None, holding_cost=5, subcontract_cost=20, whole_people=False)


def test_roofing_plan_1_constant_workforce():
    """Ten people, 50 squares a day; 9,250 for stock and 99,200 for labour: 108,450."""
    plan = one(ROOFING, ROOFERS, "level")
    assert plan["people"].tolist() == pytest.approx([10] * 6) and plan["stock"].tolist() == pytest.approx([200, 400, 650, 500, 100, 0])
    assert sums(plan)[["cost_holding", "cost_regular", "cost"]].tolist() == [9250, 99200, 108450]


def test_roofing_plan_2_few_people_and_subcontracting():
    """7.6 people make 38 squares a day, 4,712 in all; 1,488 are bought: 75,392 + 29,760 = 105,152."""
    plan = one(ROOFING, replace(ROOFERS, hybrid_people=7.6), "hybrid")
    assert plan["regular"].sum() == pytest.approx(4712) and plan["subcontract"].sum() == pytest.approx(1488)
    assert sums(plan)[["cost_regular", "cost_subcontract", "cost"]].tolist() == [75392, 29760, 105152]


def test_roofing_plan_3_hiring_and_laying_off():
    """Daily rates 41, 39, 38, 57, 68, 55, rounded; 300 for each unit a day more, 600 for each less: 9,000 and 9,600 beside
    99,200 for labour, which is paid as far as it is worked: 117,800. Here one person is one square a day."""
    a_square_a_day = aggregate.Costs(opening_people=None, units_per_worker=DAYS, regular_cost=[16 * d for d in DAYS], paid_for="output", hire_cost=300,
                                     layoff_cost=600, rounding="nearest")
    plan = one(ROOFING, a_square_a_day, "chase")
    assert plan["people"].tolist() == [41, 39, 38, 57, 68, 55]
    assert sums(plan)[["cost_regular", "cost_hiring", "cost_layoff", "cost"]].tolist() == [99200, 9000, 9600, 117800]
    assert (plan["breaks"] == "").all()


def test_farnsworth_tires_by_transportation():
    """The same book's transportation problem (Bowman): 700 tires a month in regular time at 40, 50 in overtime at 50, 150, 150 and
    130 from outside at 70, 2 a month to keep one, 100 there. Recomputed: 2,100 × 40 + 150 × 50 + 200 × 70 + 100 × 2 = 105,700."""
    tires = aggregate.Costs(opening_people=None, units_per_worker=1, regular_cost=40, paid_for="output", regular_limit=700, overtime_cost=50, overtime_limit=50,
                            subcontract_cost=70, subcontract_limit=[150, 150, 130], holding_cost=2, opening_stock=100)
    assert sums(one(demand(800, 1000, 750), tires, "optimum"))["cost"] == 105700


# --- Stevenson, Operations Management, aggregate planning: skateboards, stock on average ---------------------------------

BOARDS = demand(200, 200, 300, 400, 500, 200)
BOARD_COSTS = aggregate.Costs(opening_people=15, units_per_worker=20, regular_cost=40, overtime_cost=3, subcontract_cost=6, backlog_cost=5, holding_cost=1,
                              holding_on="average")


def test_skateboards_example_1():
    """300 a period: 3,600 + 600 + 500 = 4,700."""
    assert sums(one(BOARDS, BOARD_COSTS, "level"))[["cost_regular", "cost_holding", "cost_backlog", "cost"]].tolist() == [3600, 600, 500, 4700]


def test_skateboards_example_2_one_retires():
    """280 a period and 40 in overtime in periods 3 to 5: 3,360 + 360 + 520 + 400 = 4,640."""
    costs = replace(BOARD_COSTS, opening_people=14, overtime_limit=40)
    plan = aggregate.own(BOARDS, costs, people=14, overtime=[0, 0, 40, 40, 40, 0])
    assert sums(plan)[["cost_regular", "cost_overtime", "cost_holding", "cost_backlog", "cost"]].tolist() == [3360, 360, 520, 400, 4640]
    assert (plan["breaks"] == "").all()


def test_no_plan_of_fourteen_people_is_cheaper_than_the_optimum():
    """With people held at 14, the programme finds the book's 4,640 or better."""
    costs = replace(BOARD_COSTS, opening_people=14, end_people=14, people_limit=14, overtime_limit=40, layoff_cost=1e4)
    best = one(BOARDS, costs, "optimum")
    assert best["people"].tolist() == [14] * 6 and sums(best)["cost"] <= 4640


# --- Jacobs and Chase, Operations and Supply Chain Management: JC Company ----------------------------------------------

JC_DEMAND = demand(1800, 1500, 1100, 900, 1100, 1600)
JC_DAYS = [22, 19, 21, 21, 22, 20]
JC = aggregate.by_hours(hours_per_unit=5, wage=4, overtime_wage=6, days=JC_DAYS, opening_people=53, opening_stock=400, hire_cost=200, layoff_cost=250,
                        least_stock=[450, 375, 275, 225, 275, 400], holding_cost=1.5, holding_on="excess", backlog_cost=5, subcontract_cost=20,
                        rounding="nearest")


def test_jc_plan_1_exact_production():
    """1,850, 1,425, 1,000, 850, 1,150 and 1,725 units by 53, 47, 30, 25, 33 and 54 people, in whole people rounded by hand:
    160,000 + 5,800 + 7,000 = 172,800."""
    plan = one(JC_DEMAND, replace(JC, paid_for="output"), "chase")
    assert plan["regular"].tolist() == pytest.approx([1850, 1425, 1000, 850, 1150, 1725]) and plan["people"].tolist() == [53, 47, 30, 25, 33, 54]
    assert sums(plan)[["cost_regular", "cost_hiring", "cost_layoff", "cost"]].tolist() == [160000, 5800, 7000, 172800]


def test_jc_plan_2_constant_workforce():
    """40 people; stock 8, −276, −32, 412, 720, 400; stock above the safety stock is charged: 160,000 + 948 + 1,540 = 162,488."""
    plan = one(JC_DEMAND, replace(JC, opening_people=40), "level")
    assert (plan["stock"] - plan["backlog"]).tolist() == pytest.approx([8, -276, -32, 412, 720, 400])
    assert sums(plan)[["cost_regular", "cost_holding", "cost_backlog", "cost"]].tolist() == [160000, 948, 1540, 162488]
    assert set(plan["breaks"]) == {"", "least_stock"}  # the rule does not keep the safety stock, and says so


def test_jc_plan_3_few_people_and_subcontracting():
    """25 people make 5,000 units, 3,000 are bought: 100,000 + 60,000 = 160,000."""
    plan = one(JC_DEMAND, replace(JC, opening_people=25, hybrid_people=25, overtime_cost=math.inf), "hybrid")
    assert plan["subcontract"].tolist() == pytest.approx([970, 665, 160, 10, 270, 925])
    assert sums(plan)[["cost_regular", "cost_subcontract", "cost"]].tolist() == [100000, 60000, 160000]


def test_jc_plan_4_overtime():
    """38 people and overtime in January and February. The book rounds a month's output to whole units and finds 165,491."""
    made = [1338, 1155, 1277, 1277, 1338, 1216]
    plan = aggregate.own(JC_DEMAND, replace(JC, opening_people=38), people=38, regular=made, overtime=[62, 345, 0, 0, 0, 0])
    assert sums(plan)["cost"] == pytest.approx(165491, abs=0.6)


# --- Nahmias, Production and Operations Analysis, chapter 3: Densepack -----------------------------------------------------

DRIVES = demand(1280, 640, 900, 1200, 2000, 1400)
DENSEPACK = aggregate.Costs(opening_people=300, units_per_worker=[0.14653 * d for d in (20, 24, 18, 26, 22, 15)], hire_cost=500, layoff_cost=1000,
                            holding_cost=80, opening_stock=500, end_stock=600, full_output=True)


def test_densepack_zero_inventory_plan():
    """267, 182, 342, 315, 621, 910 people, 755 hired and 145 laid off. The book rounds each month's stock to whole drives (30 in
    all, beside the 600 at the end) and finds 572,900; without rounding it is 572,688."""
    plan = one(DRIVES, DENSEPACK, "chase")
    assert plan["people"].tolist() == [267, 182, 342, 315, 621, 910]
    assert plan["hires"].sum() == 755 and plan["layoffs"].sum() == 145
    assert sums(plan)["cost"] == pytest.approx(572688.28, abs=0.005)
    whole = aggregate.own(DRIVES, DENSEPACK, people=plan["people"].to_numpy(), regular=[783, 640, 902, 1200, 2002, 2000])
    assert (whole["stock"] - [0, 0, 0, 0, 0, 600]).sum() == 30 and sums(whole)["cost"] == 572900


def test_densepack_constant_workforce_plan():
    """411 people, 111 hired; 580,460 in the book, with whole drives; 580,340 without rounding."""
    plan = one(DRIVES, DENSEPACK, "level")
    assert plan["people"].tolist() == [411] * 6 and plan["hires"].sum() == 111
    assert sums(plan)["cost"] == pytest.approx(580460, abs=150)


def test_densepack_linear_programme():
    """379,320.90 with the rounded outputs a person that the book's programme uses, and nobody idle; 273 people, then 738."""
    costs = replace(DENSEPACK, units_per_worker=[2.931, 3.517, 2.638, 3.810, 3.224, 2.198], whole_people=False)
    plan = one(DRIVES, costs, "optimum")
    assert sums(plan)["cost"] == pytest.approx(379320.90, abs=0.005)
    assert np.round(plan["people"]).tolist() == [273] * 4 + [738] * 2
    assert plan["hires"].sum() == pytest.approx(464.78, abs=0.005) and plan["layoffs"].sum() == pytest.approx(27.05, abs=0.005)


# --- Krajewski, Ritzman and Malhotra, Operations Management: staffing a service --------------------------------------------

STAFF = demand(7, 8, 9, 11, 12, 7)
SERVICE = aggregate.Costs(opening_people=10, units_per_worker=1, regular_cost=2000, overtime_cost=3000, overtime_share=0.25, hire_cost=1000, layoff_cost=1500,
                          stock_limit=0)


def test_staffing_chase_level_and_level_with_overtime():
    """A service keeps no stock. Recomputed by hand from the book's problem: chase 108,000 + 5,000 + 12,000 = 125,000; level,
    idle time paid: 12 people, 144,000 + 2,000 = 146,000; ten people and three of overtime: 120,000 + 9,000 = 129,000."""
    chase = one(STAFF, SERVICE, "chase")
    assert sums(chase)[["cost_regular", "cost_hiring", "cost_layoff", "cost"]].tolist() == [108000, 5000, 12000, 125000]
    level = one(STAFF, SERVICE, "level")
    assert level["people"].tolist() == [12] * 6 and sums(level)["cost"] == 146000
    overtime = one(STAFF, replace(SERVICE, hybrid_people=10), "hybrid")
    assert sums(overtime)[["cost_regular", "cost_overtime", "cost"]].tolist() == [120000, 9000, 129000]
    assert one(STAFF, SERVICE, "hybrid")["people"].iloc[0] == 10  # which the rule finds by itself
