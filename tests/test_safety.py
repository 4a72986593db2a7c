"""Safety stock and fill rates: published cases with a pencil's answer, simulation and brute force beside them."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from sopnb import safety


def test_every_docstring_example_holds():
    assert doctest.testmod(safety).failed == 0


# --- published cases ------------------------------------------------------------------------------------------------
# Printed answers use z from a table; ours are exact, so the tolerance is what the table's z is off by.

def test_continuous_review_of_chopra_and_meindl():
    """Weekly demand 2,500 ± 500, lead time 2: 90 % needs 906; a reorder point of 6,000 gives 92 % and fills 99.75 % with Q 10,000."""
    sigma = safety.spread(500, 2)
    assert sigma == pytest.approx(707.1, abs=0.05)
    assert safety.safety_for_cycle(sigma, 0.90) == pytest.approx(906, abs=0.5)
    assert safety.cycle_service(1000, sigma) == pytest.approx(0.92, abs=0.002)
    assert safety.shortage(1000, sigma) == pytest.approx(25, abs=0.2)
    assert safety.fill_rate(1000, sigma, 10000) == pytest.approx(0.9975, abs=5e-5)


def test_fill_rate_target_of_chopra_and_meindl():
    """97.5 % with Q 10,000 needs 67 units: a cycle service of only 54 %. The two targets are not the same thing."""
    sigma = safety.spread(500, 2)
    stock = safety.safety_for_fill(sigma, 0.975, 10000)
    assert stock == pytest.approx(67, abs=0.5)
    assert safety.cycle_service(stock, sigma) == pytest.approx(0.54, abs=0.005)


def test_lead_time_that_varies_of_chopra_and_meindl():
    """Dell: daily 2,500 ± 500, 7 ± 7 days: σ 17,550, 90 % needs 22,491. With a sure lead time 1,695 would do."""
    assert safety.spread(500, 7, 2500, 7) == pytest.approx(17550, abs=0.5)
    assert safety.safety_for_cycle(safety.spread(500, 7, 2500, 7), 0.90) == pytest.approx(22491, abs=1)
    assert safety.safety_for_cycle(safety.spread(500, 7, 2500, 0), 0.90) == pytest.approx(1695, abs=1)


def test_periodic_review_of_chopra_and_meindl():
    """T 4 weeks, L 2, 90 %: √6 · 500 · 1.2816 = 1,570; order up to 2,500 · 6 + 1,570 = 16,570."""
    stock = safety.safety_for_cycle(safety.spread(500, 2, review=4), 0.90)
    assert stock == pytest.approx(1570, abs=0.5)
    assert safety.order_up_to(2500, 2, 4, stock) == pytest.approx(16570, abs=0.5)


@pytest.mark.parametrize("case, error_sd, lead, demand, lead_sd, target, point, within", [
    ("Heizer and Render, laptops: 15 ± 5 a day, 2 days", 5, 2, 15, 0, 0.90, 39.02, 0.05),
    ("Heizer and Render, cameras: 10 a day, 6 ± 3 days", 0, 6, 10, 3, 0.98, 121.65, 0.1),
    ("Heizer and Render, batteries: 150 ± 16 a day, 5 ± 1 days", 16, 5, 150, 1, 0.95, 1004, 1),
    ("Stevenson, sauce: 50 ± 3 jars a week, 2 weeks", 3, 2, 50, 0, 0.90, 105.44, 0.01),
    ("Krajewski, bird feeders: 18 ± 5 a week, 2 weeks", 5, 2, 18, 0, 0.90, 45, 0.1),
    ("Krajewski, pens: 12,000 ± 3,000 a day, 5 ± 2 days", 3000, 5, 12000, 2, 0.95, 101118, 130),
    ("Jacobs and Chase: 60 ± 7 a day, 6 days", 7, 6, 60, 0, 0.95, 388, 0.3),
    ("Balakrishnan, Render and Stair, surgery packs: 60 a week, 6 ± 2 weeks", 0, 6, 60, 2, 0.90, 514, 0.5)])
def test_reorder_points_of_the_books(case, error_sd, lead, demand, lead_sd, target, point, within):
    stock = safety.safety_for_cycle(safety.spread(error_sd, lead, demand, lead_sd), target)
    assert safety.reorder_point(demand, lead, stock) == pytest.approx(point, abs=within), case


def test_fixed_interval_of_jacobs_and_chase():
    """10 ± 3 a day, review every 30 days, lead time 14, 98 %, 150 on hand: order 331 (10 · 44 + 2.05 · √44 · 3 − 150)."""
    stock = safety.safety_for_cycle(safety.spread(3, 14, review=30), 0.98)
    assert safety.order_up_to(10, 14, 30, stock) - 150 == pytest.approx(331, abs=0.5)


def test_one_call_says_what_its_parts_say():
    """Heizer's batteries; Chopra's fill rate; a review period's use stands in for Q; and another distribution."""
    assert safety.safety_stock(0.95, 16, 5, 150, 1) == pytest.approx(safety.safety_for_cycle(safety.spread(16, 5, 150, 1), 0.95))
    assert safety.safety_stock(0.975, 500, 2, 2500, measure="fill", quantity=10000) == pytest.approx(67, abs=0.5)
    assert safety.safety_stock(0.98, 5, 2, 18, review=4, measure="fill") == pytest.approx(safety.safety_for_fill(safety.spread(5, 6), 0.98, 72))
    assert safety.safety_stock(0.95, 1, 4, 0.5, distribution="negative_binomial") == safety.level_for_cycle(2, 2, 0.95, "negative_binomial") - 2


def test_periodic_review_of_krajewski():
    """Bird feeders every 4 weeks: 18 · 6 + 1.28 · 5 · √6 = 108 + 16 = 124."""
    assert safety.order_up_to(18, 2, 4, safety.safety_for_cycle(safety.spread(5, 2, review=4), 0.90)) == pytest.approx(124, abs=0.5)


def test_both_services_of_nahmias():
    """Harvey's mustard: lead time demand 100 ± 25, Q 100. 98 % of cycles: 151; 98 % of demand: 126."""
    assert safety.level_for_cycle(100, 25, 0.98) == pytest.approx(151, abs=0.5)
    assert safety.level_for_fill(100, 25, 0.98, 100) == pytest.approx(126, abs=0.6)


def test_unit_loss_as_in_the_tables():
    """Silver, Pyke and Peterson, table B.1: G(0) 0.3989, G(1) 0.0833, G(2) 0.0085; below zero G(−1) = 1 + G(1)."""
    assert np.round(safety.unit_loss([0, 1, 2]), 4) == pytest.approx([0.3989, 0.0833, 0.0085])
    assert safety.unit_loss(-1) == pytest.approx(1.0833, abs=5e-5)


def test_gamma_of_a_vendors_course():
    """SAP, course on inventory planning: forecast 100 ± 25, gamma, 95 %: target position 145, in whole units."""
    assert math.ceil(safety.level_for_cycle(100, 25, 0.95, "gamma")) == 145


# --- second routes --------------------------------------------------------------------------------------------------

def test_the_spread_is_that_of_simulated_lead_times():
    """200,000 lead times of 3 to 7 days, each with its days' demand of 40 ± 12."""
    rng = np.random.default_rng(1)
    days = rng.integers(3, 8, 200_000)
    demand = 40 * days + 12 * np.sqrt(days) * rng.standard_normal(200_000)
    assert safety.spread(12, 5, 40, math.sqrt(2)) == pytest.approx(demand.std(), rel=0.01)


def test_fill_rate_of_a_simulated_reorder_point():
    """Order 400 whenever stock on hand and on order falls to the reorder point; 20 ± 6 a day, 9 days' lead time."""
    rng = np.random.default_rng(2)
    lead, lot, point = 9, 400, 190.0
    demand = np.maximum(20 + 6 * rng.standard_normal(120_000), 0)
    arrivals, net, position, short = np.zeros(len(demand) + lead + 2), 500.0, 500.0, 0.0
    for day, asked in enumerate(demand):
        net += arrivals[day]
        short += min(max(asked - net, 0), asked)
        net, position = net - asked, position - asked
        if position <= point:
            arrivals[day + lead + 1] += lot
            position += lot
    # an order goes out after the day on which the point is passed, by 10 units on average: half a day's demand
    sigma = math.sqrt(lead * 36 + (20**2 + 36) / 12)
    assert 1 - short / demand.sum() == pytest.approx(safety.fill_rate(point - 10 - 20 * lead, sigma, lot), abs=0.002)


def test_fill_rate_of_simulated_reviews():
    """Every 5 periods order up to 130, far too little; 20 ± 8 a period, 6 periods' lead time. The plain formula counts twice who waits long."""
    rng = np.random.default_rng(3)
    demand = 20 + 8 * rng.standard_normal(300_000)
    lead, review, level = 6, 5, 130.0
    before = np.concatenate([[0.0], np.cumsum(demand)])
    starts = np.arange(0, len(demand) - lead - review, review)
    begin, end = (np.maximum(before[starts + n] - before[starts] - level, 0) for n in (lead, lead + review))
    served = 1 - (end - begin).mean() / (20 * review)
    assert safety.fill_rate_periodic(level, 20, 8, lead, review) == pytest.approx(served, abs=0.003)
    assert safety.fill_rate(level - 220, safety.spread(8, lead, review=review), 20 * review) < served - 0.005


@pytest.mark.parametrize("distribution, drawn", [
    ("normal", lambda rng: rng.normal(30, 9, 400_000)), ("gamma", lambda rng: rng.gamma(30**2 / 81, 81 / 30, 400_000)),
    ("negative_binomial", lambda rng: rng.negative_binomial(30**2 / (81 - 30), 30 / 81, 400_000)), ("poisson", lambda rng: rng.poisson(30, 400_000)),
    ("uniform", lambda rng: rng.uniform(30 - 9 * 3**0.5, 30 + 9 * 3**0.5, 400_000))])
def test_service_and_shortage_of_drawn_demand(distribution, drawn):
    """What the formulas say of a level is what 400,000 draws from the distribution show."""
    sample = drawn(np.random.default_rng(4)).astype(float)
    for level in (20.0, 33.0, 45.0, 45.5):
        assert safety.service_at(level, 30, 9, distribution) == pytest.approx((sample <= level).mean(), abs=0.004)
        assert safety.shortage_at(level, 30, 9, distribution) == pytest.approx(np.maximum(sample - level, 0).mean(), abs=0.03)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 60), st.floats(0.3, 60), st.sampled_from(safety.DISTRIBUTIONS), st.floats(0.0, 150))
def test_shortage_is_the_sum_of_what_lies_above(mean, sd, distribution, level):
    """E[max(X − r, 0)] = Σ P(X > x) over whole units, or the integral of it: scipy's own expectation."""
    if distribution in ("normal", "gamma", "uniform"):
        known = {"normal": stats.norm(mean, sd), "gamma": stats.gamma(mean**2 / sd**2, scale=sd**2 / mean),
                 "uniform": stats.uniform(mean - 3**0.5 * sd, 12**0.5 * sd)}[distribution]
        x = level + np.concatenate([[0], np.geomspace(1e-12, max(known.isf(1e-10) - level, 1), 20001)])
        above = np.trapezoid(known.sf(x), x)
    else:
        clumped = distribution == "negative_binomial" and sd**2 > mean * (1 + 1e-9)
        known = stats.nbinom(mean**2 / (sd**2 - mean), mean / sd**2) if clumped else stats.poisson(mean)
        x = np.arange(0, 60_000)
        above = (known.pmf(x) * np.maximum(x - level, 0)).sum()
    assert safety.shortage_at(level, mean, sd, distribution) == pytest.approx(above, rel=5e-3, abs=3e-3 * mean)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 400), st.floats(0.05, 2), st.floats(0.6, 0.999), st.floats(0.2, 3), st.sampled_from(safety.DISTRIBUTIONS))
@example(0.5, 0.0625, 0.96875, 1.0, "negative_binomial")  # steadier than whole units can be
def test_a_level_is_just_enough(mean, cv, target, lots, distribution):
    """The level found serves the target; a little less (a unit less, where demand is in units) does not."""
    sd, quantity = cv * mean, lots * mean
    cycle = safety.level_for_cycle(mean, sd, target, distribution)
    fill = safety.level_for_fill(mean, sd, target, quantity, distribution)
    less = 1 if distribution in ("negative_binomial", "poisson") else 1e-3 * sd
    assert safety.service_at(cycle, mean, sd, distribution) >= target - 1e-9 > safety.service_at(cycle - less, mean, sd, distribution) - 1e-9
    assert safety.fill_at(fill, mean, sd, quantity, distribution) >= target - 1e-9
    assert fill <= math.ceil(mean) or safety.fill_at(fill - less, mean, sd, quantity, distribution) < target


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 1e4), st.floats(0.5, 0.9999), st.floats(1, 1e5), st.sampled_from(["backlog", "lost"]))
def test_fill_rate_and_its_safety_stock_are_inverse(sigma, target, quantity, unmet):
    """The safety stock found for a fill rate gives that fill rate, or more where none at all was needed."""
    stock = safety.safety_for_fill(sigma, target, quantity, unmet=unmet)
    reached = safety.fill_rate(stock, sigma, quantity, unmet=unmet)
    assert reached == pytest.approx(target, abs=1e-6) or (stock == 0 and reached > target)


# --- what the choices mean ------------------------------------------------------------------------------------------

def test_the_normal_says_too_little_of_rare_demand():
    """2 ± 3 units over the lead time, 95 %: the normal holds 7, although it gives demand below zero a quarter of the time; the
    negative binomial, whose tail is that of parts sold in clumps, 8. At 99 %: 9 against 14."""
    assert [math.ceil(safety.level_for_cycle(2, 3, target, "normal")) for target in (0.95, 0.99)] == [7, 9]
    assert [float(safety.level_for_cycle(2, 3, target, "negative_binomial")) for target in (0.95, 0.99)] == [8, 14]


def test_a_large_mean_makes_all_alike():
    """With 10,000 ± 500 the four agree within one per cent of the mean: skewness is a matter of small numbers."""
    levels = [float(safety.level_for_cycle(10000, 500, 0.95, name)) for name in ("normal", "gamma", "negative_binomial")]
    assert max(levels) - min(levels) < 100


def test_a_distribution_for_each_series():
    got = safety.level_for_cycle([100, 100, 2], [25, 25, 3], 0.95, ["normal", "gamma", "negative_binomial"])
    assert got == pytest.approx([141.1, 144.35, 8], abs=0.05)


def test_lost_sales_need_a_little_less_than_waiting_customers_say():
    """With β 90 % and Q 10, 1 unit a cycle may wait; of lost ones 1.11, since what is lost is asked for beyond Q."""
    assert safety.safety_for_fill(5, 0.9, 10, unmet="lost") < safety.safety_for_fill(5, 0.9, 10)
    assert safety.shortage(safety.safety_for_fill(5, 0.9, 10, unmet="lost"), 5) == pytest.approx(10 / 9)


def test_a_lot_that_serves_enough_alone_needs_no_safety_stock():
    """σ 100, Q 10,000, 98 %: 40 units short are fewer than the 200 allowed. A book that goes below zero finds −144."""
    assert safety.safety_for_fill(100, 0.98, 10000) == 0
    below = safety.safety_for_fill(100, 0.98, 10000, negative=True)
    assert below < 0 and safety.fill_rate(below, 100, 10000) == pytest.approx(0.98)


def test_without_spread_nothing_is_uncertain():
    assert safety.cycle_service(0, 0) == 1 and safety.cycle_service(-5, 0) == 0
    assert safety.shortage(-5, 0) == 5 and safety.fill_rate(0, 0, 10) == 1
    assert safety.level_for_cycle(10, 0, 0.95, "gamma") == 10 and safety.safety_for_fill(0, 0.95, 10) == 0


@pytest.mark.parametrize("call, says", [
    (lambda: safety.safety_for_cycle(10, 1.0), "between 0 and 1"), (lambda: safety.safety_for_fill(10, 0.0, 5), "between 0 and 1"),
    (lambda: safety.level_for_cycle(10, 3, [0.9, 1.2]), "not 1.2"), (lambda: safety.level_for_cycle(10, 3, 0.9, "weibull"), "one of normal, gamma"),
    (lambda: safety.fill_rate(10, 3, 5, unmet="gone"), "backlog or lost")])
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
