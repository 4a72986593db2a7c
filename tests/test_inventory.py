"""Stock policy: published cases with a pencil's answer, and what the policy must never do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, inventory

SERVICE = {"A": 0.98, "B": 0.95, "C": 0.90}


def items(*rows: str, columns: str = "item unit_cost lead_time_days lead_time_sd_days moq service_class safety_stock reorder_point"):
    """An item master with the columns a case needs; the rest is missing."""
    return frames.conform(frame(columns, *rows).assign(family="F"), frames.ITEMS)


def plan(item="A", location="all", demand=100.0, months=12):
    return pd.DataFrame({"item": item, "location": location, "month": frames.months("2026-01", months), "consensus": float(demand)})


def backtested(errors, item="A", location="all", demand=100.0, lag=1, model="naive"):
    """One error a row: forecast = demand + error."""
    origins = frames.months("2024-01", len(errors))
    return pd.DataFrame({"item": item, "location": location, "origin": origins, "month": origins + pd.DateOffset(months=lag), "lag": lag,
                         "model": model, "forecast": [demand + e for e in errors], "demand": demand})


# --- published cases, recomputed ------------------------------------------------------------------------------------
# Chopra and Meindl, Supply Chain Management, chapter on safety inventory (B&M: weekly demand 2,500 ± 500, lead time 2).

def test_safety_stock_for_a_cycle_service_level():
    """90 %: F⁻¹(0.90) · √2 · 500 = 1.2816 · 707.1 = 906 units."""
    sigma = inventory.spread(error_sd=500, lead=2, demand=2500, lead_sd=0)
    assert sigma == pytest.approx(707.1, abs=0.05)
    assert inventory.safety_for_cycle(sigma, 0.90) == pytest.approx(906, abs=0.5)


def test_lead_time_that_varies_costs_most_of_the_stock():
    """Daily demand 2,500 ± 500, lead time 7 ± 7 days: σ = √(7·500² + 2500²·7²) = 17,550; 90 % needs 22,491 units."""
    sigma = inventory.spread(500, 7, 2500, 7)
    assert sigma == pytest.approx(17550, abs=0.5)
    assert inventory.safety_for_cycle(sigma, 0.90) == pytest.approx(22491, abs=1)


def test_fill_rate_of_a_safety_stock():
    """ss 1,000, Q 10,000: 25 units short a cycle, so 99.75 % of demand is served."""
    sigma = inventory.spread(500, 2, 2500, 0)
    assert sigma * inventory.unit_loss(1000 / sigma) == pytest.approx(25, abs=0.2)
    assert inventory.fill_rate(1000, sigma, 10000) == pytest.approx(0.9975, abs=5e-5)


def test_safety_stock_for_a_fill_rate():
    """97.5 % with Q 10,000 needs 67 units: a cycle service of only 54 %. The two targets are not the same thing."""
    assert inventory.safety_for_fill(inventory.spread(500, 2, 2500, 0), 0.975, 10000) == pytest.approx(67, abs=0.5)


def test_periodic_review_must_cover_the_review_period_too():
    """T 4 weeks, L 2, 90 %: √6 · 500 · 1.2816 = 1,570 units; order up to 2,500 · 6 + 1,570 = 16,570."""
    safety = inventory.safety_for_cycle(inventory.spread(500, 6, 2500, 0), 0.90)
    assert safety == pytest.approx(1570, abs=0.5)
    assert 2500 * 6 + safety == pytest.approx(16570, abs=0.5)


def test_constant_demand_and_a_lead_time_that_varies():
    """Balakrishnan, Render and Stair, surgery packs: 60 a week, 6 ± 2 weeks, 90 %: 360 + 1.28 · 120 = 514."""
    assert 60 * 6 + inventory.safety_for_cycle(inventory.spread(0, 6, 60, 2), 0.90) == pytest.approx(513.8, abs=0.1)


def test_unit_loss_as_in_the_tables():
    """Silver, Pyke and Peterson, table B.1: G(0) 0.3989, G(1) 0.0833, G(2) 0.0085."""
    assert np.round(inventory.unit_loss([0, 1, 2]), 4) == pytest.approx([0.3989, 0.0833, 0.0085])


def test_economic_order_quantity():
    """Chopra and Meindl, Best Buy: 12,000 a year, 4,000 an order, 20 % of 500: 980 units."""
    assert inventory.eoq(12000, 4000, 0.2 * 500) == pytest.approx(979.8, abs=0.05)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 1e4), st.floats(0.5, 0.9999), st.floats(1, 1e5))
def test_fill_rate_and_its_safety_stock_are_inverse(sigma, target, quantity):
    """The safety stock found for a fill rate gives that fill rate, or more where none at all was needed."""
    safety = inventory.safety_for_fill(sigma, target, quantity)
    reached = inventory.fill_rate(safety, sigma, quantity)
    assert reached == pytest.approx(target, abs=1e-6) or (safety == 0 and reached > target)


# --- the policy table -----------------------------------------------------------------------------------------------

def test_policy_of_one_item_by_pencil():
    """Errors ±10, lead time one month, review one month, 98 %: z 2.0537 · √2 · 10 = 29.04, so 30 whole units."""
    month = inventory.DAYS
    got = inventory.policy(plan(), backtested([10, -10] * 4), items(f"A 5 {month} 0 - A 20 150"), service=SERVICE, review_days=month).iloc[0]
    assert got.service_target == 0.98 and got.error_sd == pytest.approx(10) and got.basis == "own"
    assert got.safety_stock == 30
    assert got.reorder_point == pytest.approx(100 + 30) and got.order_up_to == pytest.approx(200 + 30)
    assert got.difference == pytest.approx((30 - 20) * 5) and got.erp_reorder_point == 150


def test_continuous_review_covers_the_lead_time_only():
    one = items(f"A 5 {inventory.DAYS} 0 - A - -")
    periodic = inventory.policy(plan(), backtested([10, -10] * 4), one, service=SERVICE)
    continuous = inventory.policy(plan(), backtested([10, -10] * 4), one, service=SERVICE, review="continuous")
    assert continuous.safety_stock[0] == 21 < periodic.safety_stock[0]  # 2.0537 · 10


def test_a_forecast_that_is_always_short_needs_stock_too():
    """Eight errors of −10 have no spread about their mean, and still leave customers waiting."""
    got = inventory.policy(plan(), backtested([-10] * 8), items("A 5 30 0 - A - -"), service=SERVICE)
    assert got.error_sd[0] == pytest.approx(10)


def test_errors_count_at_the_lags_the_stock_must_last():
    """Lead time 0 with a month's review looks one month ahead: the error at lag 3 does not count."""
    both = pd.concat([backtested([10] * 8, lag=1), backtested([90] * 8, lag=3)])
    assert inventory.policy(plan(), both, items("A 5 0 0 - A - -"), service=SERVICE).error_sd[0] == pytest.approx(10)
    assert inventory.policy(plan(), both, items("A 5 90 0 - A - -"), service=SERVICE).error_sd[0] > 60


def test_only_the_chosen_model_counts():
    both = pd.concat([backtested([10] * 8, model="naive"), backtested([50] * 8, model="wild")])
    scores = frame("item location model", "A all naive", "A all wild").assign(chosen=[True, False])
    assert inventory.policy(plan(), both, items("A 5 30 0 - A - -"), scores=scores, service=SERVICE).error_sd[0] == pytest.approx(10)


def test_a_thin_series_borrows_from_its_pattern():
    """B has two errors. Series of its pattern miss by 10 % of demand, so B's error is taken as 10 % of its 50 units."""
    errors = pd.concat([backtested([10, -10] * 4), backtested([40, 40], item="B", demand=50)])
    segments = frame("item location pattern abc", "A all smooth A", "B all smooth A")
    got = inventory.policy(pd.concat([plan(), plan("B", demand=50)]), errors, items("A 5 30 0 - A - -", "B 5 30 0 - A - -"),
                           segments=segments, service=SERVICE).set_index("item")
    assert got.error_sd["B"] == pytest.approx(5) and got.basis["B"] == "pooled"


def test_a_series_never_tested_borrows_on_its_own_demand():
    got = inventory.policy(pd.concat([plan(), plan("N", demand=20)]), backtested([10, -10] * 4), items("A 5 30 0 - A - -", "N 5 30 0 - A - -"),
                           service=SERVICE).set_index("item")
    assert got.error_sd["N"] == pytest.approx(2) and got.basis["N"] == "pooled"


def test_nothing_is_held_for_what_nobody_will_ask_for():
    assert inventory.policy(plan(demand=0), backtested([10, -10] * 4), items("A 5 30 0 - A - -"), service=SERVICE).safety_stock[0] == 0


def test_without_any_errors_nothing_is_made_up():
    got = inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service=SERVICE).iloc[0]
    assert np.isnan(got.error_sd) and got.basis == "none" and got.safety_stock == 0


def test_without_errors_the_erp_figure_stands():
    """No evidence is no reason to change what is held."""
    got = inventory.policy(plan(), None, items("A 5 30 0 - A 20 -"), service=SERVICE).iloc[0]
    assert (got.safety_stock, got.difference, got.basis) == (20, 0, "erp")


def test_class_comes_from_the_item_then_from_abc_then_the_lowest_target():
    three = pd.concat([plan("A"), plan("B"), plan("C")])
    segments = frame("item location pattern abc", "B all smooth B")
    got = inventory.policy(three, backtested([10] * 8), items("A 5 30 0 - A - -", "B 5 30 0 - - - -", "C 5 30 0 - odd - -"),
                           segments=segments, service=SERVICE)
    assert list(got.service_target) == [0.98, 0.95, 0.90]


def test_the_erp_figure_of_an_item_is_shared_and_stays_whole():
    """30 units held for the item; three quarters of the demand is in EU."""
    both = pd.concat([plan(location="EU", demand=75), plan(location="US", demand=25)])
    got = inventory.policy(both, None, items("A 5 30 0 - A 30 -"), service=SERVICE).set_index("location")
    assert got.erp_safety_stock["EU"] == pytest.approx(22.5) and got.erp_safety_stock.sum() == pytest.approx(30)


def test_transit_from_another_location_is_part_of_the_lead_time():
    lanes = frame("item location source_location transit_days", "A EU plant 14")
    keys = frame("item location", "A EU", "A plant")
    assert list(inventory.lead_times(items("A 5 30 0 - A - -"), keys, lanes=lanes).lead_days) == [44, 30]


def test_order_cost_gives_an_order_quantity():
    """1,200 a year, 50 an order, 20 % of 5: √(2 · 1200 · 50 / 1) = 346."""
    got = inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service=SERVICE, order_cost=50)
    assert got.eoq[0] == pytest.approx(346.4, abs=0.05)


def test_inputs_stay_as_they_were():
    tables = [plan(), backtested([10, -10] * 4), items("A 5 30 0 - A - -")]
    before = [t.copy() for t in tables]
    inventory.policy(*tables, service=SERVICE)
    for was, now in zip(before, tables, strict=True):
        pd.testing.assert_frame_equal(was, now)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="cycle or fill"):
        inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service=SERVICE, measure="otif")
