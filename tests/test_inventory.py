"""Stock policy: what it holds by pencil, what it says of the ERP's figures, and what it must never do. Formulas: test_safety, test_order_sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame

from sopnb import frames, inventory, words

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
    assert np.isnan(got.error_sd) and np.isnan(got.sigma) and got.basis == "none" and got.safety_stock == 0


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


def test_an_empty_plan_has_an_empty_policy():
    nothing = inventory.policy(plan().iloc[:0], backtested([10, -10] * 4), items("A 5 30 0 - A 20 -"), service=SERVICE, order_cost=50)
    assert nothing.empty and list(nothing.columns) == frames.POLICY.names and inventory.by_class(nothing, items("A 5 30 0 - A 20 -")).empty


def test_inputs_stay_as_they_were():
    tables = [plan(), backtested([10, -10] * 4), items("A 5 30 0 - A - -")]
    before = [t.copy() for t in tables]
    inventory.policy(*tables, service=SERVICE)
    for was, now in zip(before, tables, strict=True):
        pd.testing.assert_frame_equal(was, now)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="cycle or fill"):
        inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service=SERVICE, measure="otif")


# --- the ERP's figures beside ours ----------------------------------------------------------------------------------

MONTH = inventory.DAYS


def with_lots(table, *lots):
    """An item master with its lot multiples."""
    return table.assign(lot_multiple=[float(v) for v in lots])


def test_what_service_our_figure_and_the_erps_give():
    """σ 14.14 over two months: 30 units are 2.12 σ (98.3 %), the ERP's 20 are 1.41 σ (92.1 %). Of 100 a review, 14.14·G(k) are short."""
    got = inventory.policy(plan(), backtested([10, -10] * 4), items(f"A 5 {MONTH} 0 - A 20 150"), service=SERVICE, review_days=MONTH).iloc[0]
    assert got.sigma == pytest.approx(14.142, abs=1e-3) and got.demand == 100
    assert (got.cycle_service, got.erp_cycle_service) == pytest.approx((0.9831, 0.9214), abs=1e-4)
    assert got.fill_rate == pytest.approx(inventory.fill_rate(30, got.sigma, 100)) and got.erp_fill_rate == pytest.approx(inventory.fill_rate(20, got.sigma, 100))
    assert got.reorder_difference == pytest.approx((130 - 150) * 5)


def test_the_economic_quantity_against_what_the_erp_orders():
    """1,200 a year, 50 an order, 1 a unit and year: 346.4 cost 346.41; the ERP's 600 at a time cost 100 + 300 = 400."""
    one = with_lots(items(f"A 5 {MONTH} 0 600 A - -"), 50)
    got = inventory.policy(plan(), backtested([10, -10] * 4), one, service=SERVICE, order_cost=50, review_days=MONTH).iloc[0]
    assert (got.erp_order_quantity, got.order_quantity) == (600, 600)
    assert got.order_difference == pytest.approx(346.41 - 400, abs=0.01)


def test_an_order_is_at_least_what_a_review_uses_in_whole_multiples():
    got = inventory.policy(plan(), backtested([10, -10] * 4), with_lots(items(f"A 5 {MONTH} 0 10 A - -"), 24), service=SERVICE, review_days=MONTH).iloc[0]
    assert (got.order_quantity, got.erp_order_quantity) == (120, 120) and np.isnan(got.order_difference)


def test_by_class_adds_up_and_weighs_service_by_money():
    three = pd.concat([plan("A"), plan("B", demand=50), plan("C")])
    errors = pd.concat([backtested([10, -10] * 4, item=i) for i in "ABC"])
    master = items("A 5 30 0 - A 20 -", "B 8 30 0 - A 10 -", "C 5 30 0 - B - -")
    policy = inventory.policy(three, errors, master, service=SERVICE)
    got = inventory.by_class(policy, master).set_index("service_class")
    assert list(got.index) == ["A", "B"] and list(got.series) == [2, 1]
    assert got.difference["A"] == pytest.approx(got.safety_stock["A"] - got.erp_safety_stock["A"]) == pytest.approx(policy["difference"].sum())
    assert got.safety_stock["B"] == 0 and np.isnan(got.erp_cycle_service["B"])
    weights = policy.demand[:2] * [5, 8]
    assert got.erp_cycle_service["A"] == pytest.approx((policy.erp_cycle_service[:2] * weights).sum() / weights.sum())


# --- the distribution -----------------------------------------------------------------------------------------------

def test_the_distribution_follows_the_pattern():
    four = pd.concat([plan(i, demand=4) for i in "ABCD"])
    errors = pd.concat([backtested([3, -3] * 4, item=i, demand=4) for i in "ABCD"])
    segments = frame("item location pattern abc", "A all smooth A", "B all erratic A", "C all lumpy A", "D all new A")
    master = items(*(f"{i} 5 30 0 - A - -" for i in "ABCD"))
    got = inventory.policy(four, errors, master, segments=segments, service=SERVICE)
    assert list(got.distribution) == ["normal", "gamma", "negative_binomial", "normal"]
    assert got.safety_stock[0] == got.safety_stock[3] < got.safety_stock[1] and got.safety_stock[0] < got.safety_stock[2]
    all_normal = inventory.policy(four, errors, master, segments=segments, service=SERVICE, distribution="normal")
    assert all_normal.safety_stock.nunique() == 1
    named = inventory.policy(four, errors, master, segments=segments, service=SERVICE, distribution={"new": "poisson"})
    assert list(named.distribution) == ["normal", "normal", "normal", "poisson"]


def test_fill_targets_by_the_distribution_reach_the_target():
    segments = frame("item location pattern abc", "A all lumpy A")
    got = inventory.policy(plan(demand=4), backtested([6, -3] * 4, demand=4), items("A 5 30 0 - A - -"), segments=segments, service=SERVICE, measure="fill").iloc[0]
    assert got.fill_rate >= 0.98
    mean = got.demand * (got.lead_months + 30 / MONTH)
    less = np.floor(mean + got.safety_stock) - 1  # whole units: one less than the level
    assert inventory.fill_at(less, mean, got.sigma, got.order_quantity, "negative_binomial") < 0.98


def shaped(seed=1, series=30, origins=12):
    """Errors that are mostly small and sometimes very large: a shape the normal does not know. One in ten is 10 times as large."""
    rng = np.random.default_rng(seed)
    keys = [f"I{n:02d}" for n in range(series)]
    return keys, pd.concat([backtested(-(rng.exponential(10, origins) * np.where(rng.random(origins) < 0.1, 10, 1)), item=key) for key in keys])


def test_the_empirical_shape_serves_what_it_promises_where_the_normal_does_not():
    """Every class, as often as promised within chance; the normal falls short where small errors hide a few large ones."""
    keys, errors = shaped(series=60)
    plans, master = pd.concat([plan(key) for key in keys]), items(*(f"{key} 5 0 0 - A - -" for key in keys))
    reached = {}
    for name in ("normal", "empirical"):
        got = inventory.policy(plans, errors, master, service={"A": 0.95}, distribution=name)
        reached[name] = inventory.lasted(got, errors).iloc[0]
    assert reached["empirical"].cases == 720
    assert reached["empirical"].lasted == pytest.approx(0.95, abs=3 * reached["empirical"].by_chance)
    assert reached["normal"].lasted < 0.95 - 2 * reached["normal"].by_chance


def test_the_empirical_shape_says_of_its_own_stock_what_was_asked():
    keys, errors = shaped()
    plans, master = pd.concat([plan(key) for key in keys]), items(*(f"{key} 5 0 0 - A 40 -" for key in keys))
    for measure, column in (("cycle", "cycle_service"), ("fill", "fill_rate")):
        got = inventory.policy(plans, errors, master, service={"A": 0.95}, distribution="empirical", measure=measure)
        assert got[column].min() >= 0.95 - 1e-9 and got["erp_cycle_service"].between(0.3, 1).all()


def test_too_few_errors_have_no_shape_of_their_own():
    """Eight errors are no distribution: the normal stands in."""
    one = inventory.policy(plan(), backtested([10, -10] * 4), items("A 5 30 0 - A - -"), service=SERVICE, distribution="empirical")
    assert one.safety_stock[0] == inventory.policy(plan(), backtested([10, -10] * 4), items("A 5 30 0 - A - -"), service=SERVICE).safety_stock[0]


def test_an_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match=r"one of normal, gamma.* not weibull"):
        inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service=SERVICE, distribution={"smooth": "weibull"})


# --- what cannot be -------------------------------------------------------------------------------------------------

def odd_items():
    return with_lots(items("A 5 -4 -2 0 A 20 150", "B 5 30 3 7 odd 20 150", "C 5 30 3 14 C 20 150"), 12, 5, 7)


def test_the_policy_comes_out_in_spite_of_what_cannot_be():
    """A lead time below zero is read as missing, an unknown class as the lowest target; a target of 100 % leaves the ERP's stock."""
    three = pd.concat([plan(i) for i in "ABC"])
    errors = pd.concat([backtested([10, -10] * 4, item=i) for i in "ABC"])
    got = inventory.policy(three, errors, odd_items(), service={"A": 1.0, "B": 0.95, "C": 0.9}, lead_time_days=30).set_index("item")
    assert got.lead_months["A"] == pytest.approx(30 / MONTH) and got.service_target["B"] == 0.9
    assert (got.basis["A"], got.safety_stock["A"]) == ("erp", 20) and np.isnan(got.service_target["A"])
    assert got.safety_stock["C"] > 0 and got.basis["C"] == "own"


def test_every_fault_is_told_with_its_row_and_remedy():
    lanes = frame("item location source_location transit_days", "A EU plant -3", "B EU plant 3")
    found = inventory.doubtful(odd_items(), service={"A": 1.0, "B": 0.95, "C": 0.9}, lanes=lanes).set_index("rule")
    first = found["first"].rename(lambda rule: rule.removeprefix("findings."))
    assert dict(first) == {"lead_negative": "A: -4", "lead_sd_negative": "A: -2", "moq_zero": "A: 0", "moq_off_multiple": "B: 7", "unknown_class": "B: odd",
                           "impossible_target": "A: A", "lane_negative": "A · EU: -3"}
    with words.speaking("en", "USD"):
        told = {rule: words.message(rule, values).text for rule, values in found["values"].items()}
    assert all(first[rule.removeprefix("findings.")] in text for rule, text in told.items()) and len(told) == 7
    assert "A, B, C" in told["findings.unknown_class"] and "A 1" in told["findings.impossible_target"]


def test_sound_master_data_has_no_findings():
    assert inventory.doubtful(with_lots(items("A 5 30 0 24 A 20 150"), 12), service=SERVICE).empty


def test_no_possible_target_at_all_is_an_error():
    with pytest.raises(ValueError, match="between 0 and 1"):
        inventory.policy(plan(), None, items("A 5 30 0 - A - -"), service={"A": 1.0, "B": 0.0})


def test_a_target_means_what_its_class_says():
    """A is judged by fill rate, B by cycle service (no word is given for it): each as if all were."""
    two, errors = pd.concat([plan("A"), plan("B")]), pd.concat([backtested([40, -40] * 4, item=i) for i in "AB"])
    master = items("A 5 30 0 - A - -", "B 5 30 0 - B - -")
    both = inventory.policy(two, errors, master, service=SERVICE, measure={"A": "fill"}).set_index("item")
    assert list(both.measure) == ["fill", "cycle"]
    for word, item in (("fill", "A"), ("cycle", "B")):
        alone = inventory.policy(two, errors, master, service=SERVICE, measure=word).set_index("item")
        assert both.safety_stock[item] == alone.safety_stock[item]
    assert both.fill_rate["A"] >= 0.98 and both.cycle_service["B"] >= 0.95
