"""What curing an overload costs: by pencil, and against another solver of the same question."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sopnb import capacity, cures, frames

MONTHS = frames.months("2026-01", 4)


def load(hours, available, *, overtime=0.0, rate=15.0, revenue=20.0, margin=8.0, goods=12.0, resource="oven"):
    """A resource whose every hour makes goods that sell for 20, cost 12 and bring 8."""
    hours, available = np.array(hours, float), np.array(available, float)
    over = np.maximum(hours - available, 0)
    out = pd.DataFrame({"resource": resource, "month": MONTHS[:len(hours)], "hours": hours, "available": available, "ratio": hours / available, "overtime": overtime,
                        "overload": over, "overload_amount": over * revenue, "cost": 0.0, "overtime_rate": rate, "revenue": hours * revenue, "margin": hours * margin, "goods": hours * goods})
    return frames.conform(out, frames.LOAD)


def told(table, way):
    return table[table["way"] == way].set_index(["month", "cure"])


def test_each_cure_alone_by_pencil():
    """March: 50 hours too many. 20 in overtime at 6; 10 to spare in January and 5 in April; others take all.

    overtime       20 × 6 = 120, and 30 undone lose 30 × 8 = 240
    pull forward   10 hours, two months early: 10 × 12 × 24 % / 12 × 2 = 4.80, and 40 undone lose 320
    shift          5 hours to April at 5 % of 20 = 5, and 45 undone lose 360
    subcontract    50 × 12 × 15 % = 90
    """
    got = told(cures.cures(load([90, 100, 150, 95], [100] * 4, overtime=20.0, rate=6.0), holding_rate=0.24), "alone").droplevel("month")
    assert got["hours"].round(6).to_dict() == {"overtime": 20, "pull_forward": 10, "shift": 5, "subcontract": 50}
    assert got["cost"].round(6).to_dict() == {"overtime": 120, "pull_forward": 4.8, "shift": 5, "subcontract": 90}
    assert got["lost"].round(6).to_dict() == {"overtime": 240, "pull_forward": 320, "shift": 360, "subcontract": 0}
    assert got.loc["pull_forward", "first"] == MONTHS[0] and got.loc["shift", "last"] == MONTHS[3]


def test_the_mix_takes_the_cheapest_hours_first():
    """An hour costs 0.48 pulled forward, 1 shifted, 1.80 from others, 6 in overtime, 8 undone. Others have 20 hours only."""
    table = cures.cures(load([90, 100, 150, 95], [100] * 4, overtime=20.0, rate=6.0), holding_rate=0.24, subcontract_hours=20)
    got = told(table, "mix").droplevel("month")
    assert got["hours"].round(6).to_dict() == {"overtime": 15, "pull_forward": 10, "shift": 5, "subcontract": 20}
    assert got["cost"].sum() == pytest.approx(4.8 + 5 + 36 + 90) and got["lost"].sum() == 0


def test_overtime_dearer_than_the_margin_is_worked_alone_but_not_in_the_mix():
    table = cures.cures(load([150, 100], [100, 100], overtime=20.0, rate=15.0), subcontract_premium=2.0)
    assert told(table, "alone")["hours"].droplevel("month")["overtime"] == 20
    got = told(table, "mix").droplevel("month")
    assert got["hours"].to_dict() == {"ration": 50} and got["lost"]["ration"] == 400 and got["cost"]["ration"] == 0


def test_spare_hours_are_used_once_by_whoever_needs_them_most():
    """10 hours to spare in January; February and March want 10 each. Overtime takes the other ten, where it is cheaper to keep nothing."""
    got = told(cures.cures(load([90, 110, 110], [100] * 3, overtime=10.0, rate=0.2), holding_rate=0.12), "mix")
    assert got["hours"].groupby("cure").sum().to_dict() == {"overtime": 10, "pull_forward": 10}
    assert got.loc[(MONTHS[1], "pull_forward"), "cost"] == pytest.approx(10 * 0.12), "a month early, not two"


def test_nothing_overloaded_needs_no_cure_and_unknown_hours_are_not_judged():
    assert cures.cures(load([50, 60], [100, 100])).empty and cures.moves(load([50], [100])).empty
    dark = load([50, 60], [100, 100]).assign(available=np.nan, overload=np.nan)
    assert cures.cures(dark).empty


HOURS = st.lists(st.integers(0, 6), min_size=4, max_size=4)


@settings(deadline=None, max_examples=60)
@given(hours=HOURS, available=st.lists(st.integers(1, 5), min_size=4, max_size=4), overtime=st.integers(0, 2), rate=st.integers(1, 12), premium=st.sampled_from([0.1, 0.5, 2.0]),
       others=st.integers(0, 3))
def test_the_mix_costs_what_an_assignment_of_single_hours_costs(hours, available, overtime, rate, premium, others):
    """Second route: every hour too many is assigned to a single hour somewhere (Hungarian method), whole hours being enough."""
    given_load = load(hours, available, overtime=float(overtime), rate=float(rate))
    table = cures.cures(given_load, subcontract_premium=premium, subcontract_hours=others, shift_months=2)
    over, spare = np.maximum(np.array(hours) - available, 0), np.maximum(np.array(available) - hours, 0)
    wants = [t for t in range(4) for _ in range(over[t])]
    places = [("spare", t) for t in range(4) for _ in range(spare[t])] + [("overtime", t) for t in range(4) for _ in range(overtime)]
    places += [("others", t) for t in range(4) for _ in range(others)] + [("undone", None)] * len(wants)

    def price(t, kind, at):
        if kind == "spare":
            return 12 * 0.20 / 12 * (t - at) if at < t else 20 * 0.05 if 0 < at - t <= 2 else 1e6
        return 8.0 if kind == "undone" else 1e6 if at != t else float(rate) if kind == "overtime" else 12 * premium

    costs = np.array([[price(t, *place) for place in places] for t in wants]).reshape(len(wants), len(places))
    best = costs[linear_sum_assignment(costs)].sum() if wants else 0.0
    mix = table[table["way"] == "mix"]
    assert (mix["cost"] + mix["lost"]).sum() == pytest.approx(best)
    assert mix["hours"].sum() == pytest.approx(over.sum())
    assert (mix[mix["cure"] == "overtime"]["hours"] <= overtime + 1e-6).all() and (mix[mix["cure"] == "subcontract"]["hours"] <= others + 1e-6).all()
    used = cures.moves(given_load, subcontract_premium=premium, subcontract_hours=others).groupby("when")["hours"].sum()
    assert all(used[m] <= spare[MONTHS.get_loc(m)] + 1e-6 for m in used.index)
    alone = table[table["way"] == "alone"]
    assert (alone["hours"] + alone["left"]).groupby(alone["cure"]).sum().to_numpy() == pytest.approx(over.sum())
    totals = (alone["cost"] + alone["lost"]).groupby(alone["cure"]).sum()
    assert (totals >= best - 1e-6).all(), "no cure alone is cheaper than the mix"


# --- written back -----------------------------------------------------------------------------------------------------

ROUTING = frame("item resource hours_per_unit", "A oven 0.5", "B oven 0.5", "B saw 1")
ORDERS = frames.conform(frame("order item location release due quantity amount", "A-1 A EU 2026-02-01 2026-03-01 100 600", "B-1 B EU 2026-02-01 2026-03-01 40 400"
                              ).assign(rule="need", message="order", serves=pd.Timestamp("2026-03-01")), frames.PROPOSED)


def loaded(orders, saw=100.0):
    made = orders.assign(month=orders["due"].dt.to_period("M").dt.to_timestamp())[["item", "month", "quantity"]]
    plan = pd.DataFrame([(i, "EU", m, 100.0, 1000.0, 400.0) for i in "AB" for m in MONTHS[:3]], columns=["item", "location", "month", "consensus", "revenue", "margin"])
    items = frames.conform(frame("item unit_cost make_or_buy", "A 6 make", "B 10 make").assign(family="F"), frames.ITEMS)
    hours = pd.DataFrame([(r, m, h, 0.0, 10.0, 15.0) for r, h in (("oven", 40.0), ("saw", saw)) for m in MONTHS[:3]],
                         columns=["resource", "month", "available_hours", "overtime_hours", "cost_rate", "overtime_rate"])
    return capacity.load(made, ROUTING, hours, items, plan)


def test_what_is_pulled_forward_takes_the_overload_away_and_keeps_the_units():
    """70 hours on an oven of 40: 30 hours, 60 of the 100 units of A, are made in February instead of March."""
    before = loaded(ORDERS)
    move = cures.moves(before)
    assert move[["month", "when", "hours"]].values.tolist() == [[MONTHS[2], MONTHS[1], 30]]
    after = cures.pulled(ORDERS, move, ROUTING, load=before, as_of="2026-01-15")
    assert after[["order", "quantity", "amount"]].values.tolist() == [["A-1", 40, 240], ["A-1-202602", 60, 360], ["B-1", 40, 400]]
    early = after.set_index("order").loc["A-1-202602"]
    assert early["due"] == pd.Timestamp("2026-02-01") and early["message"] == "expedite", "its release would have been in early January"
    assert (loaded(after)["overload"] == 0).all() and after.groupby("item")["quantity"].sum().equals(ORDERS.groupby("item")["quantity"].sum())


def test_goods_that_need_a_second_resource_move_only_as_far_as_that_has_hours():
    """B alone is to move, and needs the saw, which has 5 hours: 5 units, 2.5 hours of the oven."""
    only_b = ORDERS[ORDERS["order"] == "B-1"].assign(quantity=100.0)
    before = loaded(only_b, saw=5.0)
    after = cures.pulled(only_b, cures.moves(before[before["resource"] == "oven"]), ROUTING, load=before, as_of="2026-01-01")
    assert after["quantity"].tolist() == [95, 5] and loaded(after, saw=5.0).set_index(["resource", "month"]).loc[("saw", MONTHS[1]), "overload"] == 0


def test_parts_are_asked_for_earlier_and_their_orders_move_along():
    """A is released a month before it is due: of 200 flour asked for in February 120 move to January, and so does their order."""
    before = frames.conform(pd.concat([ORDERS[ORDERS["order"] == "A-1"], ORDERS[ORDERS["order"] == "B-1"].assign(
        order="flour-1", item="flour", release=pd.Timestamp("2026-01-25"), due=pd.Timestamp("2026-02-01"), quantity=200.0, amount=600.0)]), frames.PROPOSED)
    move = pd.DataFrame({"resource": ["oven"], "month": [MONTHS[2]], "when": [MONTHS[1]], "hours": [30.0]})
    bom = frame("item component quantity scrap", "A flour 2 0")
    after = cures.pulled(before, move, ROUTING, load=loaded(ORDERS), as_of="2026-01-01", bom=bom)
    assert after.set_index("order")["quantity"].to_dict() == {"A-1": 40, "A-1-202602": 60, "flour-1": 80, "flour-1-202601": 120}
    assert after.set_index("order").loc["flour-1-202601", "message"] == "past_due" and after["amount"].sum() == pytest.approx(before["amount"].sum())
    demand = pd.DataFrame([("flour", "EU", m, q) for m, q in zip(MONTHS[:3], (0.0, 200.0, 0.0), strict=True)], columns=["item", "location", "month", "consensus"])
    assert cures.pulled_demand(demand, before, after, bom, "2026-01-01")["consensus"].tolist() == [120, 80, 0]
    assert cures.pulled_demand(demand, before, after, None, "2026-01-01") is demand
    assert cures.pulled(before, move, ROUTING, load=loaded(ORDERS), as_of="2026-01-01")["order"].tolist() == ["A-1", "A-1-202602", "flour-1"]
