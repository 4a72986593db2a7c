"""Each measure against published numbers, by pencil, and against identities that hold for any series."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopnb import accuracy

# Australian quarterly beer production, megalitres, 1992 Q1 to 2010 Q2 (Australian Bureau of Statistics, 8301.0),
# as used in Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.8.
BEER = [
    443, 410, 420, 532, 433, 421, 410, 512, 449, 381, 423, 531, 426, 408, 416, 520, 409, 398, 398, 507,
    432, 398, 406, 526, 428, 397, 403, 517, 435, 383, 424, 521, 421, 402, 414, 500, 451, 380, 416, 492,
    428, 408, 406, 506, 435, 380, 421, 490, 435, 390, 412, 454, 416, 403, 408, 482, 438, 386, 405, 491,
    427, 383, 394, 473, 420, 390, 410, 488, 415, 398, 419, 488, 414, 374,
]  # fmt: skip
TRAIN, TEST = np.array(BEER[:64], dtype=float), np.array(BEER[64:], dtype=float)


@pytest.mark.parametrize(
    ("method", "published"),
    [("mean", 2.44), ("naive", 4.01), ("seasonal naive", 0.937), ("drift", 4.12)],
)
def test_mase_of_the_beer_forecasts_in_fpp3(method, published):
    """Table in section 5.8 of FPP3: MASE of four simple methods from 2008 Q1 on."""
    steps = np.arange(1, 11)
    forecasts = {
        "mean": np.full(10, TRAIN.mean()),
        "naive": np.full(10, TRAIN[-1]),
        "seasonal naive": np.tile(TRAIN[-4:], 3)[:10],
        "drift": TRAIN[-1] + steps * (TRAIN[-1] - TRAIN[0]) / 63,
    }
    assert accuracy.mase(forecasts[method], TEST, TRAIN, season=4) == pytest.approx(published, rel=2e-3)


def test_every_docstring_example_holds():
    assert doctest.testmod(accuracy).failed == 0


def test_wape_and_bias_by_pencil():
    """Errors −10, +30, 0 on 100, 50, 50: 40 of 200 wrong, 20 of 200 too much."""
    assert accuracy.wape([90, 80, 50], [100, 50, 50]) == 0.2
    assert accuracy.bias([90, 80, 50], [100, 50, 50]) == 0.1


def test_rmsse_counts_history_from_the_first_sale():
    """M5: leading zeros are before the launch; steps of 4 units in the history, errors of 4: exactly 1."""
    assert accuracy.rmsse([4, 4], [0, 8], [0, 0, 0, 2, 6, 2, 6]) == 1.0


def test_the_best_constant_by_rmsse_is_the_mean_and_by_wape_zero():
    """Why intermittent items are judged by RMSSE: nine empty months and one of ten units."""
    demand, history = [0] * 9 + [10], [0, 10, 0, 0, 10, 0]
    assert accuracy.wape([0] * 10, demand) <= accuracy.wape([1] * 10, demand)
    assert accuracy.rmsse([1] * 10, demand, history) < accuracy.rmsse([0] * 10, demand, history)


def test_msis_of_a_band_that_holds_is_its_scaled_width():
    assert accuracy.msis([5, 6], [4, 4], [8, 8], [1, 3, 1, 3], season=1) == 2.0


def test_nothing_to_judge_is_missing_not_perfect():
    for value in (
        accuracy.wape([1], [0]), accuracy.bias([], []), accuracy.smape([], []), accuracy.mase([1], [2], [5, 5, 5], season=1),
        accuracy.rmsse([1], [2], []), accuracy.coverage([], [], []), accuracy.tracking_signal([3], [3]),
    ):  # fmt: skip
        assert math.isnan(value)


def test_a_missing_forecast_is_refused_and_an_unknown_month_left_out():
    with pytest.raises(ValueError, match="1 of 2 forecasts are missing"):
        accuracy.wape([float("nan"), 1], [1, 1])
    assert accuracy.wape([5, 9], [float("nan"), 10]) == 0.1


def test_score_groups_agree_with_the_plain_functions():
    df = pd.DataFrame({
        "model": ["a", "b", "a", "b"], "lag": [1, 1, 2, 2], "forecast": [8.0, 12, 9, 4], "demand": [10.0, 10, 10, 0],
    })  # fmt: skip
    scores = accuracy.score(df, by=["model"]).set_index("model")
    assert scores.loc["b", "wape"] == accuracy.wape([12, 4], [10, 0]) == 0.6
    assert scores.loc["a", "bias"] == accuracy.bias([8, 9], [10, 10])
    assert list(accuracy.score(df)["n"]) == [4]
    assert np.isnan(accuracy.score(df[df["demand"] == 0], by=["lag"])["wape"].iloc[0])


def test_score_says_which_column_is_missing():
    with pytest.raises(ValueError, match="score needs the columns stream"):
        accuracy.score(pd.DataFrame({"forecast": [1], "demand": [1]}), by=["stream"])


numbers = st.lists(st.tuples(st.floats(0, 1e6), st.floats(1, 1e6)), min_size=1, max_size=20)


@given(numbers)
def test_bias_never_exceeds_wape(pairs):
    forecast, demand = zip(*pairs, strict=True)
    assert abs(accuracy.bias(forecast, demand)) <= accuracy.wape(forecast, demand) + 1e-12


@given(numbers)
def test_tracking_signal_stays_within_the_number_of_months(pairs):
    forecast, demand = zip(*pairs, strict=True)
    signal = accuracy.tracking_signal(forecast, demand)
    assert math.isnan(signal) or abs(signal) <= len(pairs) + 1e-9


@given(numbers, st.floats(0.01, 1000))
def test_scale_does_not_matter(pairs, factor):
    """Units or dozens: every measure is the same."""
    f, d = (np.array(v) for v in zip(*pairs, strict=True))
    assert accuracy.wape(f * factor, d * factor) == pytest.approx(accuracy.wape(f, d))
    assert accuracy.smape(f * factor, d * factor) == pytest.approx(accuracy.smape(f, d))
