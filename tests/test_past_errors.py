"""Past errors: their size, their shape, and whether stock set by them would have lasted."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sopnb import frames, past_errors, safety


def backtested(errors, item="A", lag=1, demand=100.0):
    """One error (forecast − demand) an origin."""
    origins = frames.months("2024-01", len(errors))
    return pd.DataFrame({"item": item, "location": "all", "origin": origins, "month": origins + pd.DateOffset(months=lag), "lag": lag,
                         "model": "naive", "forecast": [demand + e for e in errors], "demand": demand})


def protection(*rows):
    return frame("item location lags", *rows)


def test_an_origin_is_judged_by_the_other_origins():
    """Errors 3, 3, 3, 9: the nine is three times what the others would have told; a three against √((9 + 9 + 81)/3) = 5.74."""
    got = past_errors.standardised(backtested([3, 3, 3, 9]), protection=protection("A all 1"), least=3)
    assert list(got.sigma) == pytest.approx([math.sqrt(33)] * 3 + [3])
    assert list(got.factor) == pytest.approx([-3 / math.sqrt(33)] * 3 + [-3])  # too high a forecast asks for no stock


def test_errors_of_the_months_to_last_are_added_up():
    """Two months of +4 each go the same way: 8 together, against √2 · 4 as if they had nothing to do with each other."""
    both = pd.concat([backtested([-4] * 5), backtested([-4] * 5, lag=2)])
    got = past_errors.standardised(both, protection=protection("A all 2"), least=4)
    assert list(got.forecast) == [192] * 5 and list(got.demand) == [200] * 5
    assert list(got.factor) == pytest.approx([math.sqrt(2)] * 5)


def test_an_origin_without_all_its_months_counts_only_towards_the_usual_error():
    got = past_errors.standardised(pd.concat([backtested([4] * 4), backtested([4] * 3, lag=2)]), protection=protection("A all 2"), least=3)
    assert len(got) == 3


def test_a_shape_by_pencil():
    """Factors −1, 0, 1, 2: half of them at or below 0; above 0.5 lie 0.5 and 1.5, a quarter each."""
    shape = past_errors.Shape([2, 0, -1, 1])
    assert list(shape.factor(np.array([0.5, 0.75, 0.9]))) == [0, 1, 2]
    assert list(shape.below(np.array([-2, 0, 1.5]))) == [0, 0.5, 0.75]
    assert shape.loss(np.array([0.5]))[0] == pytest.approx(0.5) and shape.loss(np.array([-1.0]))[0] == pytest.approx(1.5)
    assert np.isnan(shape.factor(np.array([np.nan]))[0]) and np.isnan(shape.below(np.array([np.nan]))[0])


def test_the_shape_of_normal_errors_is_the_normals():
    """200,000 draws: factors, shares and losses are those of `safety` within what chance does."""
    shape = past_errors.Shape(np.random.default_rng(1).standard_normal(200_000))
    k = np.array([0.0, 1.0, 2.0])
    assert shape.factor(np.array([0.9, 0.98])) == pytest.approx(stats.norm.ppf([0.9, 0.98]), abs=0.02)
    assert shape.below(k) == pytest.approx(stats.norm.cdf(k), abs=0.005)
    assert shape.loss(k) == pytest.approx(safety.unit_loss(k), abs=0.005)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-3, 6), min_size=2, max_size=40), st.floats(0.001, 2))
def test_the_factor_for_a_loss_is_the_smallest_that_reaches_it(factors, wanted):
    shape = past_errors.Shape(factors)
    k = float(shape.factor_for_loss(np.array([wanted]))[0])
    assert shape.loss(np.array([k]))[0] <= wanted + 1e-9
    assert k == 0 or shape.loss(np.array([k - 1e-6]))[0] > wanted - 2e-6


def test_a_pattern_has_its_own_shape_where_it_has_enough_errors():
    factors = pd.DataFrame({"pattern": ["smooth"] * 5 + ["lumpy"] * 2, "factor": [0, 0, 0, 0, 1, 5, 6]})
    assert set(past_errors.shapes(factors, enough=4)) == {"smooth", "all"} and past_errors.shapes(factors, enough=10) == {}
    rows = dict(enumerate(past_errors.rows_of(["lumpy", "smooth", None], past_errors.shapes(factors, enough=4))))
    assert rows[0][0].tolist() == [True, False, True] and rows[1][0].tolist() == [False, True, False]  # all, then smooth


def policy(**columns):
    return pd.DataFrame({"item": ["A"], "location": ["all"], "service_class": ["A"], "service_target": [0.9], "measure": ["cycle"], "distribution": ["normal"],
                         "lead_months": [0.0], **{k: [v] for k, v in columns.items()}})


def test_stock_that_would_have_lasted():
    """Ten origins with errors of 10 either way: 1.28 · 10 covers each. A single miss of 50 it does not."""
    even = backtested([10, -10] * 5)
    assert past_errors.lasted(policy(), even).iloc[0][["cases", "lasted"]].tolist() == [10, 1.0]
    once = past_errors.lasted(policy(), backtested([10, -10] * 5 + [-50])).iloc[0]
    assert once.lasted == pytest.approx(10 / 11) and once.by_chance == pytest.approx(math.sqrt(10 / 11 * 1 / 11 / 11))


def test_normal_errors_last_as_often_as_the_normal_says():
    """200 series × 40 origins of normal errors; a sigma from 39 of them is nearly the true one."""
    rng = np.random.default_rng(2)
    keys = [f"I{n:03d}" for n in range(200)]
    errors = pd.concat([backtested(rng.normal(0, 20, 40), item=key, demand=1000) for key in keys])
    many = pd.DataFrame({"item": keys, "location": "all", "service_class": "A", "service_target": 0.95, "measure": "cycle", "distribution": "normal", "lead_months": 0.0})
    got = past_errors.lasted(many, errors).iloc[0]
    assert got.cases == 8000 and got.lasted == pytest.approx(0.95, abs=0.008)


def test_a_fill_rate_is_not_judged_by_cycles():
    assert past_errors.lasted(policy(measure="fill"), backtested([10, -10] * 5)).empty


def test_without_a_backtest_nothing_is_said():
    assert past_errors.standardised(None, protection=protection("A all 1")).empty
    assert past_errors.lasted(policy(), None).empty


# --- a sample as it is ------------------------------------------------------------------------------------------------

def test_newsstand_of_nahmias_by_its_own_weeks():
    """Nahmias, Mac's newsstand: 52 weeks of sales of a journal (from memory; mean and deviation are the book's). Ratio 0.77: 15 copies."""
    weeks = [0] + [4] * 3 + [5] + [6] * 2 + [7] * 2 + [8] * 4 + [9] * 6 + [10] * 2 + [11] * 5 + [12] * 4 + [13] + [14] * 5 + [15] * 5 + [16] + [17] * 3 + [18] * 3 + [19] * 3 + [22]
    assert len(weeks) == 52 and np.mean(weeks) == pytest.approx(11.73, abs=0.01) and np.std(weeks, ddof=1) == pytest.approx(4.74, abs=0.01)
    assert past_errors.level_from_sample(weeks, 0.50 / 0.65) == 15


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=3, max_size=40), st.floats(0.5, 0.99), st.integers(1, 30))
def test_levels_by_a_sample_are_the_smallest_that_serve(demands, target, quantity):
    cases = np.array(demands, float)
    level = past_errors.level_from_sample(demands, target)
    assert (cases <= level).mean() >= target - 1e-9 and (cases <= level - 1).mean() < target
    fill = past_errors.level_from_sample(demands, fill=target, quantity=quantity)
    short = np.maximum(cases - fill, 0).mean()
    assert short <= (1 - target) * quantity + 1e-9
    assert fill == 0 or short == pytest.approx((1 - target) * quantity)


@pytest.mark.parametrize("settings", [{}, {"target": 1.0}, {"fill": 0.9}, {"target": 0.9, "fill": 0.9, "quantity": 5}])
def test_a_sample_is_asked_for_one_target(settings):
    with pytest.raises(ValueError, match="between 0 and 1"):
        past_errors.level_from_sample([1, 2], **settings)


def test_every_docstring_example_holds():
    assert doctest.testmod(past_errors).failed == 0
