"""Economic quantities and the newsvendor: published cases, and the answer that a search of all quantities finds."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import order_sizes


def test_every_docstring_example_holds():
    assert doctest.testmod(order_sizes).failed == 0


# --- economic order quantity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case, demand, order_cost, holding_cost, quantity, within", [
    ("Chopra and Meindl, Best Buy", 12000, 4000, 0.2 * 500, 979.8, 0.05),
    ("Heizer and Render, Sharp", 1000, 10, 0.5, 200, 0.01),
    ("Snyder and Shen, example 3.1", 1300, 8, 0.225, 304.0468, 1e-4),
    ("Silver, Pyke and Peterson, table 6.1 (200 − 36 a month)", 100, 54, 0.40, 164.3, 0.05)])
def test_economic_order_quantities_of_the_books(case, demand, order_cost, holding_cost, quantity, within):
    assert order_sizes.eoq(demand, order_cost, holding_cost) == pytest.approx(quantity, abs=within), case


def test_money_at_the_economic_quantity():
    """Snyder and Shen, example 3.1: 68.4105 a year, half for ordering and half for holding."""
    best = order_sizes.eoq(1300, 8, 0.225)
    assert order_sizes.order_costs(best, 1300, 8, 0.225) == pytest.approx(68.41052550594829)
    assert 8 * 1300 / best == pytest.approx(0.225 * best / 2)


def test_backorders_of_hillier_and_lieberman():
    """Television speakers: 8,000 a month, K 12,000, h 0.30; waiting costs 1.10 a unit and month: Q 28,540, peak 22,424; without, 25,298."""
    speakers = order_sizes.eoq_with_backorders(8000, 12000, 0.30, 1.10)
    assert [round(float(v)) for v in (speakers.quantity, speakers.peak)] == [28540, 22424]
    assert round(float(order_sizes.eoq(8000, 12000, 0.30))) == 25298


def test_backorders_of_snyder_and_shen():
    """Example 3.8: K 8, h 0.225, b 5, 1,300: Q 310.81, 4.3 % of it owed, 66.92 a year."""
    got = order_sizes.eoq_with_backorders(1300, 8, 0.225, 5)
    assert (float(got.quantity), float(got.shortage / got.quantity), float(got.cost)) == pytest.approx((310.8126, 0.0430622, 66.92136), rel=1e-6)


def test_backorders_that_nobody_may_have():
    """Infinitely dear: the plain quantity, and nothing owed."""
    got = order_sizes.eoq_with_backorders(1300, 8, 0.225, np.inf)
    assert got.quantity == pytest.approx(order_sizes.eoq(1300, 8, 0.225)) and got.shortage == 0


def test_production_run_of_stevenson():
    """Toy wheels: 48,000 a year of 240 days, 800 a day, K 45, h 1: 2,400 a run, 1,800 at most in stock, 1,800 a year, 12 and 3 days."""
    got = order_sizes.eoq_with_production_rate(48000, 45, 1, 800 * 240)
    assert [float(got.quantity), float(got.peak), float(got.cost), float(got.cycle * 240), float(got.run * 240)] == pytest.approx([2400, 1800, 1800, 12, 3])


def test_production_run_of_heizer_and_render():
    """Nathan Manufacturing, hubcaps: 1,000 a year, 4 a day against 8 made a day, K 10, h 0.50: 283."""
    assert order_sizes.eoq_with_production_rate(1000, 10, 0.5, 2000).quantity == pytest.approx(282.8, abs=0.05)


def test_production_run_of_snyder_and_shen():
    got = order_sizes.eoq_with_production_rate(1300, 8, 0.225, 1700)
    assert (float(got.quantity), float(got.cost)) == pytest.approx((626.8084945889684, 33.183979125298336))


@pytest.mark.parametrize("case, demand, order_cost, breaks, prices, holding, kind, quantity, money", [
    ("Chopra and Meindl, Drugs Online", 120000, 100, [0, 5000, 10000], [3, 2.96, 2.92], {"holding_rate": 0.2}, "all_units", 10000, 354520),
    ("Chopra and Meindl, Drugs Online", 120000, 100, [0, 5000, 10000], [3, 2.96, 2.92], {"holding_rate": 0.2}, "incremental", 16961, 360365),
    ("Nahmias, trash bags", 600, 8, [0, 500, 1000], [0.30, 0.29, 0.28], {"holding_rate": 0.2}, "all_units", 500, 198.10),
    ("Nahmias, trash bags", 600, 8, [0, 500, 1000], [0.30, 0.29, 0.28], {"holding_rate": 0.2}, "incremental", 400, 204.00),
    ("Heizer and Render, Wohl's", 5000, 49, [1, 1000, 2000], [5, 4.80, 4.75], {"holding_rate": 0.2}, "all_units", 1000, 24725),
    ("Stevenson, hospital cleaner", 816, 12, [1, 50, 80, 100], [20, 18, 17, 16], {"holding_cost": 4}, "all_units", 100, 13353.92)])
def test_quantity_discounts_of_the_books(case, demand, order_cost, breaks, prices, holding, kind, quantity, money):
    got = order_sizes.eoq_with_discounts(demand, order_cost, breaks, prices, kind=kind, **holding)
    assert float(got.quantity) == pytest.approx(quantity, abs=0.5), case
    assert float(got.cost) == pytest.approx(money, abs=0.5 if money > 1000 else 0.005), case


def money_of(quantity, demand, order_cost, breaks, prices, rate, kind):
    """What an order of each quantity costs a year, by the invoice."""
    ends = np.append(breaks[1:], np.inf)
    if kind == "all_units":
        invoice = quantity * np.asarray(prices)[np.searchsorted(breaks, quantity, side="right") - 1]
    else:
        invoice = sum(price * np.clip(quantity - start, 0, end - start) for start, end, price in zip(breaks, ends, prices, strict=True))
    return demand / quantity * (order_cost + invoice) + rate * invoice / 2


@settings(max_examples=50, deadline=None)
@given(st.integers(50, 5000), st.integers(1, 400), st.integers(20, 400), st.integers(20, 400), st.floats(0.01, 0.3), st.floats(0.01, 0.3),
       st.floats(0.05, 0.5), st.sampled_from(["all_units", "incremental"]))
def test_no_other_quantity_is_cheaper(demand, order_cost, first, second, down, further, rate, kind):
    """Every whole quantity up to four times the largest ideal one, through the invoice."""
    breaks, prices = np.array([0.0, first, first + second]), np.array([10, 10 * (1 - down), 10 * (1 - down) * (1 - further)])
    got = order_sizes.eoq_with_discounts(demand, order_cost, breaks, prices, holding_rate=rate, kind=kind)
    tried = np.concatenate([np.arange(1, 6000), breaks[1:]])
    assert float(got.cost) <= money_of(tried, demand, order_cost, breaks, prices, rate, kind).min() * (1 + 1e-9)
    assert float(got.cost) == pytest.approx(float(money_of(np.array([float(got.quantity)]), demand, order_cost, breaks, prices, rate, kind)[0]))


@settings(max_examples=40, deadline=None)
@given(st.floats(10, 1e5), st.floats(1, 1e4), st.floats(0.1, 50), st.floats(0.5, 100), st.sampled_from([1.2, 2.0, np.inf]))
def test_no_other_plan_of_lot_and_backlog_is_cheaper(demand, order_cost, holding, owed, faster):
    """A grid of lots and shares owed around the answer, with W = Q·(1 − D/p): cost = K·D/Q + (h·(W − S)² + b·S²) / 2W."""
    got = order_sizes.eoq_with_backorders(demand, order_cost, holding, owed, demand * faster)
    lots, shares = np.meshgrid(float(got.quantity) * np.linspace(0.5, 2, 61), np.linspace(0, 1, 61))
    swing = lots * (1 - 1 / faster)
    short = swing * shares
    cost = order_cost * demand / lots + (holding * (swing - short) ** 2 + owed * short**2) / (2 * swing)
    assert float(got.cost) <= cost.min() * (1 + 1e-9)
    here = order_cost * demand / got.quantity + (holding * got.peak**2 + owed * got.shortage**2) / (2 * (got.peak + got.shortage))
    assert float(got.cost) == pytest.approx(float(here))


def test_arrays_go_through():
    got = order_sizes.eoq_with_discounts([600, 6000], 8, [0, 500, 1000], [0.30, 0.29, 0.28], holding_rate=0.2)
    assert list(got.quantity) == pytest.approx([500, np.sqrt(2 * 8 * 6000 / 0.056)]) and got.price[1] == pytest.approx(0.28)
    assert order_sizes.eoq_with_production_rate([100, 200], 10, 1, 1000).quantity.shape == (2,)
    assert order_sizes.eoq_with_backorders([100, 200], 10, 1, 5).cost.shape == (2,)
    skis = order_sizes.newsvendor([150, 7], [20, 3], [350, 20], [100, 6])
    assert skis.profit[0] == pytest.approx(49146, abs=1) and skis.profit[1] == pytest.approx(float(order_sizes.newsvendor(7, 3, 20, 6).profit))


# --- one season -----------------------------------------------------------------------------------------------------

def test_skis_of_chopra_and_meindl():
    """350 ± 100, price 250, cost 100, 80 for what is left: ratio 0.88, 468 pairs, profit 49,146. Of 450, 108 are left and 8 lacking."""
    best = order_sizes.newsvendor(150, 20, 350, 100)
    assert float(best.ratio) == pytest.approx(0.88, abs=0.003) and float(best.quantity) == pytest.approx(468, abs=1)
    assert float(best.profit) == pytest.approx(49146, abs=1)
    given_ = order_sizes.newsvendor(150, 20, 350, 100, quantity=450)
    assert (round(float(given_.leftover)), round(float(given_.shortage))) == (108, 8)


def test_parkas_of_chopra_and_meindl():
    """L.L. Bean: 4 to 17 hundred parkas, 55 earned and 5 lost on each: 1,300 bring 54,160, 1,000 bring 49,900."""
    chance = [.01, .02, .04, .08, .09, .11, .16, .20, .11, .10, .04, .02, .01, .01]
    best = order_sizes.newsvendor_discrete(55, 5, np.arange(4, 18) * 100, chance)
    assert (best.quantity, best.service) == (1300, pytest.approx(0.92)) and best.profit == pytest.approx(54160)
    assert order_sizes.newsvendor_discrete(55, 5, np.arange(4, 18) * 100, chance, quantity=1000).profit == pytest.approx(49900)


def test_newsstand_of_heizer_and_render():
    """Chris Ellis: 120 ± 15 papers, 1.25 for what cost 0.70, 0.30 back: service 0.579, 123 papers."""
    best = order_sizes.newsvendor(1.25 - 0.70, 0.70 - 0.30, 120, 15)
    assert float(best.ratio) == pytest.approx(0.579, abs=5e-4) and round(float(best.quantity)) == 123


def test_newsvendor_of_snyder_and_shen():
    """Example 4.3: h 0.18, p 0.70, 50 ± 8: 56.604 units; leftovers and shortages cost 1.9976."""
    best = order_sizes.newsvendor(0.70, 0.18, 50, 8)
    assert float(best.quantity) == pytest.approx(56.60395592743389)
    assert 0.18 * float(best.leftover) + 0.70 * float(best.shortage) == pytest.approx(1.9976051931766445)


def test_what_a_season_is_expected_to_bring_is_what_seasons_bring():
    """A million seasons drawn from a negative binomial, with 3 of goodwill lost on each customer turned away."""
    best = order_sizes.newsvendor(12, 4, 30, 9, distribution="negative_binomial", goodwill=3)
    demand = np.random.default_rng(5).negative_binomial(900 / 51, 30 / 81, 1_000_000)
    sold = np.minimum(demand, best.quantity)
    assert float(best.sales) == pytest.approx(sold.mean(), abs=0.02)
    assert float(best.profit) == pytest.approx((9 * sold - 4 * (best.quantity - sold) - 3 * (demand - sold)).mean(), abs=0.5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=25), st.integers(1, 50), st.integers(1, 50))
def test_no_other_order_brings_more(demand, underage, overage):
    best = order_sizes.newsvendor_discrete(underage, overage, demand)
    others = [order_sizes.newsvendor_discrete(underage, overage, demand, quantity=q).profit for q in range(62)]
    assert best.profit == pytest.approx(max(others))


@pytest.mark.parametrize("distribution", ["normal", "gamma", "negative_binomial", "poisson"])
def test_no_other_order_brings_more_by_distribution(distribution):
    best = order_sizes.newsvendor(7, 3, 20, 6, distribution=distribution)
    others = order_sizes.newsvendor(7, 3, 20, 6, distribution=distribution, quantity=np.arange(0, 60.0))
    assert float(best.profit) >= float(others.profit.max()) - 1e-9


@pytest.mark.parametrize("call, says", [
    (lambda: order_sizes.eoq_with_production_rate(100, 1, 1, 50), "below demand"),
    (lambda: order_sizes.eoq_with_discounts(100, 1, [0, 10], [5], holding_rate=0.2), "one price each"),
    (lambda: order_sizes.eoq_with_discounts(100, 1, [10, 0], [5, 4], holding_rate=0.2), "must rise"),
    (lambda: order_sizes.eoq_with_discounts(100, 1, [0], [5]), "one of them"),
    (lambda: order_sizes.eoq_with_discounts(100, 1, [0], [5], holding_rate=0.2, kind="marginal"), "all_units or incremental"),
    (lambda: order_sizes.newsvendor_discrete(1, 1, [1, 2], [0.5, 0.4]), "add up to 0.9")])
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
