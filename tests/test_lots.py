"""Lot sizes: published cases, brute force over every plan, and what must hold for any requirements."""

from __future__ import annotations

import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import lots

HARD_DISKS = [18, 30, 42, 5, 20]  # Nahmias, Production and Operations Analysis: casings, K 80, h 2 a week
JACOBS = [50, 60, 70, 60, 95, 75, 60, 55]  # Jacobs and Chase, Operations and Supply Chain Management: K 47, h 0.05 a week
SILVER = [10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41]  # Silver, Pyke and Peterson, chapter 6: K 54, h 0.40 a month
HEIZER = [0, 30, 40, 0, 10, 40, 30, 0, 30, 55]  # Heizer and Render, MRP lot sizing, after 35 on hand: K 100, h 1 a week
WAGNER = [69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56]  # Wagner and Whitin (1958), table 1: h 1
WAGNER_ORDERS = [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114]


def total(net, rule, order_cost, holding_cost, **settings):
    quantity = lots.sizes(net, rule, order_cost=order_cost, holding_cost=holding_cost, **settings)
    return lots.cost(net, quantity, order_cost=order_cost, holding_cost=holding_cost)


def test_every_docstring_example_holds():
    assert doctest.testmod(lots).failed == 0


# --- published cases ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rule, quantity, money", [
    ("silver_meal", [48, 0, 47, 0, 20], 310), ("least_unit_cost", [48, 0, 42, 25, 0], 340), ("part_period", [48, 0, 67, 0, 0], 310)])
def test_heuristics_of_nahmias(rule, quantity, money):
    """Nahmias, examples of Silver–Meal, least unit cost and part period balancing on the same five weeks."""
    assert list(lots.sizes(HARD_DISKS, rule, order_cost=80, holding_cost=2)) == quantity
    assert total(HARD_DISKS, rule, 80, 2) == pytest.approx(money)


def test_shortest_path_of_nahmias():
    """Nahmias, Wagner–Whitin: requirements 52, 87, 23, 56, K 75, h 1. Recomputed: order in weeks 1, 2 and 4, for 248."""
    assert list(lots.sizes([52, 87, 23, 56], "wagner_whitin", order_cost=75, holding_cost=1)) == [52, 110, 0, 56]
    assert total([52, 87, 23, 56], "wagner_whitin", 75, 1) == pytest.approx(248)


@pytest.mark.parametrize("rule, money", [("lot_for_lot", 376.00), ("economic", 171.05), ("part_period", 140.50), ("least_unit_cost", 153.50)])
def test_four_rules_of_jacobs_and_chase(rule, money):
    """Jacobs and Chase, exhibits "lot sizing": lot for lot $376, EOQ (351) $171.05, least total cost $140.50, least unit cost $153.50."""
    assert total(JACOBS, rule, 47, 0.05, multiple=1) == pytest.approx(money)


def test_economic_quantity_of_jacobs_and_chase_is_351_units():
    assert lots.sizes(JACOBS, "economic", order_cost=47, holding_cost=0.05, multiple=1)[0] == 351


def test_least_total_cost_of_jacobs_and_chase_orders_335_and_190():
    assert list(lots.sizes(JACOBS, "part_period", order_cost=47, holding_cost=0.05)) == [335, 0, 0, 0, 0, 190, 0, 0]


@pytest.mark.parametrize("rule, money", [("wagner_whitin", 501.20), ("silver_meal", 501.20), ("period", 553.60), ("lot_for_lot", 648.00)])
def test_rules_of_silver_pyke_and_peterson(rule, money):
    """Silver, Pyke and Peterson, chapter 6, table 6.1; $501.20 is the book's optimum, the others are recomputed.

    The economic quantity of 164 lasts 1.64 months, so that an order of `period` reaches two.
    """
    assert total(SILVER, rule, 54, 0.40) == pytest.approx(money)


def test_the_paper_of_wagner_and_whitin():
    """Wagner and Whitin (1958): order costs that change by month. The optimum is 864, ordering in months 1, 3, 5, 8, 10 and 11."""
    assert list(lots.sizes(WAGNER, "wagner_whitin", order_cost=WAGNER_ORDERS, holding_cost=1)) == [98, 0, 97, 0, 121, 0, 0, 112, 0, 67, 135, 0]
    assert total(WAGNER, "wagner_whitin", WAGNER_ORDERS, 1) == pytest.approx(864)


@pytest.mark.parametrize("rule, money", [("lot_for_lot", 700), ("part_period", 490), ("period", 495), ("wagner_whitin", 455)])
def test_rules_of_heizer_and_render(rule, money):
    """Heizer and Render, MRP lot sizing, three weeks an order: $700, $490, $495, $455, quoted from memory and recomputed."""
    assert total(HEIZER, rule, 100, 1, periods=3) == pytest.approx(money)


def test_part_periods_of_stevenson():
    """Stevenson: 60, 40, 20, 2, 30, –, 70, 50, K 80, h 0.95, so 84 part periods an order: 122 in period 1, 100 in 5, 50 in 8."""
    assert list(lots.sizes([60, 40, 20, 2, 30, 0, 70, 50], "part_period", order_cost=80, holding_cost=0.95)) == [122, 0, 0, 0, 100, 0, 0, 50]


def test_silver_meal_of_a_course():
    """A quiz answer (120, 150, 50 | 120, 80, 40 | …): K 160, h 0.5, first order 320, then 240. Recomputed here by the textbook rule."""
    net = [120, 150, 50, 120, 80, 40, 130, 115, 90, 80]
    got = lots.sizes(net, "silver_meal", order_cost=160, holding_cost=0.5)
    assert list(got[:3]) == [320, 0, 0] and list(got[3:6]) == [240, 0, 0]


# --- second routes --------------------------------------------------------------------------------------------------

def cheapest_by_trying(net, order_cost, holding_cost):
    """The least cost over every set of months to order in, each order lasting until the next."""
    months, least = len(net), np.inf
    for pattern in itertools.product([False, True], repeat=months):
        starts = [m for m in range(months) if pattern[m]]
        if sum(net[: starts[0]] if starts else net) > 0:
            continue
        quantity = np.zeros(months)
        for first, after in itertools.pairwise([*starts, months]):
            quantity[first] = sum(net[first:after])
        least = min(least, lots.cost(net, quantity, order_cost=order_cost, holding_cost=holding_cost))
    return least


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=7), st.lists(st.integers(1, 90), min_size=7, max_size=7), st.integers(1, 5))
def test_wagner_whitin_is_the_cheapest_of_all_plans(net, order_costs, holding_cost):
    order_costs = order_costs[: len(net)]
    assert total(net, "wagner_whitin", order_costs, holding_cost) == pytest.approx(cheapest_by_trying(net, order_costs, holding_cost))


def test_wagner_whitin_agrees_with_a_mixed_integer_program():
    """Twelve random series of eighteen months through HiGHS: minimise Σ K·y + h·stock, quantity ≤ M·y."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    rng = np.random.default_rng(7)
    net = rng.integers(0, 200, (12, 18)).astype(float) * (rng.random((12, 18)) < 0.7)
    ours = lots.cost(net, lots.sizes(net, "wagner_whitin", order_cost=150, holding_cost=0.8), order_cost=150, holding_cost=0.8)
    months = net.shape[1]
    lower = np.tril(np.ones((months, months)))
    for series, found in zip(net, ours, strict=True):
        due = np.cumsum(series)
        objective = np.concatenate([0.8 * lower.sum(axis=0), np.full(months, 150.0)])
        meets = LinearConstraint(np.hstack([lower, np.zeros((months, months))]), due, np.inf)
        opens = LinearConstraint(np.hstack([np.eye(months), -due[-1] * np.eye(months)]), -np.inf, 0)
        solved = milp(objective, constraints=[meets, opens], integrality=np.r_[np.zeros(months), np.ones(months)], bounds=Bounds(0, np.r_[np.full(months, np.inf), np.ones(months)]))
        assert found == pytest.approx(solved.fun - 0.8 * due.sum(), rel=1e-6)


def silver_meal_by_hand(net, order_cost, holding_cost):
    """The rule as it is printed, one series, one step at a time."""
    quantity, m = np.zeros(len(net)), 0
    while m < len(net):
        if net[m] == 0:
            m += 1
            continue
        best, end = float(order_cost), m
        for j in range(m + 1, len(net)):
            mean = (order_cost + sum(holding_cost * (k - m) * net[k] for k in range(m, j + 1))) / (j - m + 1)
            if mean > best * (1 + 1e-12):
                break
            best, end = mean, j
        quantity[m] = sum(net[m:end + 1])
        m = end + 1
    return quantity


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=14), st.integers(1, 300), st.integers(1, 5))
def test_silver_meal_for_all_series_at_once_is_silver_meal_one_by_one(net, order_cost, holding_cost):
    assert list(lots.sizes(net, "silver_meal", order_cost=order_cost, holding_cost=holding_cost)) == list(silver_meal_by_hand(net, order_cost, holding_cost))


# --- what must hold for any requirements ----------------------------------------------------------------------------

requirements = st.lists(st.lists(st.integers(0, 80), min_size=8, max_size=8), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(requirements, st.sampled_from(lots.RULES), st.integers(0, 50), st.integers(0, 12), st.integers(1, 90), st.integers(1, 4))
def test_nothing_is_ever_short_and_every_lot_obeys(net, rule, moq, multiple, fixed, periods):
    got = lots.sized(net, rule, moq=moq, multiple=multiple, fixed=fixed, periods=periods, order_cost=60, holding_cost=1)
    left = np.cumsum(got.quantity - np.asarray(net), axis=1)
    assert left.min() >= -1e-6
    ordered = got.quantity[got.quantity > 0]
    assert (ordered >= moq - 1e-6).all() and ((got.by != "") == (got.quantity > 0)).all()
    if multiple:
        assert np.abs(ordered / multiple - np.round(ordered / multiple)).max(initial=0) < 1e-6


@settings(max_examples=40, deadline=None)
@given(requirements, st.sampled_from(lots.RULES))
def test_series_side_by_side_do_not_know_of_each_other(net, rule):
    settings = {"fixed": 40, "order_cost": 60, "holding_cost": 1, "multiple": 1}
    together = lots.sizes(net, rule, **settings)
    for series, quantity in zip(net, together, strict=True):
        assert list(lots.sizes(series, rule, **settings)) == pytest.approx(list(quantity))


@settings(max_examples=40, deadline=None)
@given(requirements, st.sampled_from(["lot_for_lot", "period", "silver_meal", "least_unit_cost", "part_period", "wagner_whitin"]))
def test_lots_without_rounding_add_up_to_the_requirements(net, rule):
    quantity = lots.sizes(net, rule, periods=2, order_cost=60, holding_cost=1)
    assert quantity.sum(axis=1) == pytest.approx(np.asarray(net, float).sum(axis=1))


# --- rules by pencil ------------------------------------------------------------------------------------------------

def test_a_rule_for_each_series():
    net = [[10, 20, 30], [10, 20, 30], [10, 20, 30]]
    got = lots.sized(net, ["lot_for_lot", "period", "fixed"], periods=2, fixed=25)
    assert got.quantity.tolist() == [[10, 20, 30], [30, 0, 30], [25, 25, 25]]
    assert got.by.tolist() == [["need"] * 3, ["period", "", "period"], ["fixed"] * 3]


def test_who_decided_the_size():
    """5 needed where 8 are the least; 7 where 3 are; and 7 where orders come in sixes."""
    got = lots.sized([[5], [7]], moq=[8, 3])
    assert got.by[:, 0].tolist() == ["moq", "need"] and got.quantity[:, 0].tolist() == [8, 7]
    assert lots.sized([7.0], moq=3, multiple=6).by[0] == "multiple"
    assert lots.sized([7.2], moq=3, multiple=1).by[0] == "need"  # whole units are no multiple worth naming


def test_what_a_least_order_adds_is_used_up():
    """40 at least, 15 a month: 40 last until the third month, when 5 are short."""
    assert lots.sizes([15, 15, 15, 15], moq=40).tolist() == [40, 0, 40, 0]


def test_a_need_beyond_the_lot():
    assert lots.sizes([60], "fixed", fixed=25).tolist() == [75]
    assert lots.sizes([60], "fixed", fixed=25, beyond="need").tolist() == [60]
    assert lots.sizes([20], "fixed", fixed=25, beyond="need").tolist() == [25]


def test_a_short_shelf_life_limits_how_far_an_order_reaches():
    far = lots.sizes([10] * 6, "wagner_whitin", order_cost=1000, holding_cost=1)
    assert far.tolist() == [60, 0, 0, 0, 0, 0]
    for rule in ("wagner_whitin", "silver_meal"):
        assert lots.sizes([10] * 6, rule, order_cost=1000, holding_cost=1, longest=2).tolist() == [20, 0, 20, 0, 20, 0]


def test_holding_on_average_stock_stops_silver_meal_earlier():
    """10, 20 with K 20, h 1. Ending: 20 alone, (20 + 20)/2 = 20 together: a tie, so together. Average: 25 alone, (20 + 5 + 30)/2 = 27.5."""
    assert lots.sizes([10, 20], "silver_meal", order_cost=20, holding_cost=1).tolist() == [30, 0]
    assert lots.sizes([10, 20], "silver_meal", order_cost=20, holding_cost=1, holding_on="average").tolist() == [10, 20]


def test_cost_on_average_stock():
    """10 used of 30: 20 left, 25 on average; then 20 used: 0 left, 10 on average."""
    assert lots.cost([10, 20], [30, 0], order_cost=5, holding_cost=1) == 5 + 20
    assert lots.cost([10, 20], [30, 0], order_cost=5, holding_cost=1, holding_on="average") == 5 + 25 + 10


def test_part_periods_up_to_the_order_cost_or_nearest_to_it():
    """Holding 60 for two weeks, 70 for three: 80 is nearer to 70; both are below it. At 64, 70 is nearer but above."""
    assert lots.sizes([18, 30, 2.5], "part_period", order_cost=64, holding_cost=2).tolist() == [48, 0, 2.5]
    assert lots.sizes([18, 30, 2.5], "part_period", order_cost=66, holding_cost=2).tolist() == [50.5, 0, 0]
    assert lots.sizes([18, 30, 2.5], "part_period", order_cost=66, holding_cost=2, balance="below").tolist() == [48, 0, 2.5]


def test_without_known_costs_orders_are_lot_for_lot_and_say_so():
    for rule in ("economic", "silver_meal", "wagner_whitin", "period"):
        got = lots.sized([10, 20], rule)
        assert got.quantity.tolist() == [10, 20] and got.by.tolist() == ["need", "need"]


def test_free_orders_are_lot_for_lot_and_free_holding_orders_once():
    for rule in ("economic", "silver_meal", "least_unit_cost", "wagner_whitin"):
        assert lots.sizes([10, 20, 5], rule, order_cost=0, holding_cost=1).tolist() == [10, 20, 5]
        assert lots.sizes([10, 20, 5], rule, order_cost=9, holding_cost=0).tolist() == [35, 0, 0]


def test_nothing_needed_is_nothing_ordered():
    for rule in lots.RULES:
        assert lots.sizes(np.zeros((2, 4)), rule, moq=5, fixed=9, periods=2, order_cost=1, holding_cost=1).sum() == 0


def test_inputs_stay_as_they_were():
    net = np.array([[10.0, 20.0, 5.0]])
    lots.sizes(net, "wagner_whitin", order_cost=9, holding_cost=1)
    assert net.tolist() == [[10, 20, 5]]


@pytest.mark.parametrize("call, says", [
    (lambda: lots.sizes([1, 2], "silver"), "rule is one of lot_for_lot"),
    (lambda: lots.sizes([1, -2]), "first in series 0, month 1: -2"),
    (lambda: lots.sizes([1, np.nan]), "below zero or missing"),
    (lambda: lots.sizes([[1], [2]], moq=[3, -1]), "moq is negative, first in series 1"),
    (lambda: lots.sizes([1], "economic", order_cost=-1, holding_cost=1), "order_cost is negative"),
    (lambda: lots.sizes([[1, 2], [3, 4]], "economic", order_cost=[1, 2, 3], holding_cost=1), "2 \\(one a series\\) or 2 × 2; not 3"),
    (lambda: lots.sizes([1], "silver_meal", longest=0), "longest is 1 month or more"),
    (lambda: lots.sizes([1], holding_on="opening"), "holding_on is one of ending, average")])
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
