"""Each model by pencil, by its formula in another form, or by a library; and how forecasts are joined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_forecast import panel, seasonal

from sopnb import calendar, combinations, intermittent, models, smoothing
from sopnb import panel as panels
from sopnb.combinations import Case

# International airline passengers in thousands, January 1949 to December 1960: Box & Jenkins (1970), Time Series Analysis, series G.
PASSENGERS = np.array([
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
], dtype=float)  # fmt: skip
THETA, SEASON = 0.4, 0.6  # as printed there: θ = 0.4, Θ = 0.6


@pytest.fixture
def one_constant(monkeypatch):
    """A grid of one combination."""
    def choose(**constants: float) -> None:
        for room in (smoothing, intermittent):
            monkeypatch.setattr(room, "grid", lambda **axes: {name: np.array([[constants[name]]]) for name in axes})
    return choose


def sarimax(y: np.ndarray, constants: list[float] | None) -> np.ndarray:
    """The year after y by statsmodels' airline model on logarithms; None: it finds the constants itself."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(np.log(y), order=(0, 1, 1), seasonal_order=(0, 1, 1, 12))
    if constants is None:
        found = model.fit(disp=False)
        assert found.params[:2] == pytest.approx([-THETA, -SEASON], abs=0.06), "statsmodels writes + θB where Box and Jenkins write − θB"
        return np.exp(found.forecast(12))
    return np.exp(model.filter([*constants, 0.0013]).forecast(12))


# --- the airline ----------------------------------------------------------------------------------------------------


def test_the_airline_with_box_and_jenkins_constants_is_that_of_statsmodels(one_constant):
    """Ours starts from errors of zero, theirs from the exact likelihood: after eleven years both say the same."""
    one_constant(theta=THETA, season=SEASON)
    ours = models.run(panel(PASSENGERS[:132].tolist(), steps=12), "Airline")[0]
    assert ours == pytest.approx(sarimax(PASSENGERS[:132], [-THETA, -SEASON]), rel=0.01)


def test_the_airline_finds_its_constants_as_well_as_statsmodels_does():
    ours = models.run(panel(PASSENGERS[:132].tolist(), steps=12), "Airline")[0]
    theirs = sarimax(PASSENGERS[:132], None)
    assert ours == pytest.approx(theirs, rel=0.02)
    missed = [np.abs(f - PASSENGERS[132:]).mean() / PASSENGERS[132:].mean() for f in (ours, theirs)]
    assert missed[0] < missed[1] + 0.01, "of the year 1960"


def test_the_airline_by_pencil(one_constant):
    """With θ = Θ = 0 it is last year's month times the growth of the last month over a year: y(t+h) = y(t+h−12) · y(t) / y(t−12)."""
    one_constant(theta=0.0, season=0.0)
    y = PASSENGERS[:36]
    ours = models.run(panel(y.tolist(), steps=12), "Airline")[0]
    assert ours == pytest.approx(y[24:] * y[35] / y[23])


def test_the_airline_needs_more_than_a_season():
    assert np.isnan(models.run(panel([5.0] * 13), "Airline")).all()
    assert np.isfinite(models.run(panel([5.0] * 14), "Airline")).all()


def test_passengers_of_1960_are_met_within_a_tenth_by_the_models_that_know_trend_and_season():
    p = panel(PASSENGERS[:132].tolist(), steps=12)
    for name in ("HoltWinters", "HoltWintersAdded", "HoltWintersLogs", "CES", "Airline", "Theta", "Theta60", "DampedTrend", "HoltWinters72"):
        assert np.abs(models.run(p, name)[0] - PASSENGERS[132:]).mean() < 0.10 * PASSENGERS[132:].mean(), name
    assert np.abs(models.run(p, "SeasonalNaive")[0] - PASSENGERS[132:]).mean() == pytest.approx(47.83, abs=0.01)


# --- seasons that are added, or multiply ----------------------------------------------------------------------------

CONSTANTS = dict(alpha=0.3, beta=0.1, phi=0.9, gamma=0.25)
TRENDING = 2.0 * np.arange(60) + seasonal(60)


def added(y: np.ndarray, season: np.ndarray, steps: int) -> np.ndarray:
    """The additive Holt-Winters of statsmodels with CONSTANTS and our first states."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    level, trend = (float(v[0]) for v in panels.start((y - np.tile(season, len(y) // 12))[None]))
    fit = ExponentialSmoothing(
        pd.Series(y), trend="add", damped_trend=True, seasonal="add", seasonal_periods=12, initialization_method="known", initial_level=level,
        initial_trend=trend, initial_seasonal=season,
    ).fit(smoothing_level=0.3, smoothing_trend=0.1, damping_trend=0.9, smoothing_seasonal=0.25 * (1 - 0.3), optimized=False)
    return fit.forecast(steps).to_numpy()


def test_a_season_that_is_added_is_that_of_statsmodels(one_constant):
    one_constant(**CONSTANTS)
    p = panel(TRENDING.tolist(), steps=11)  # of the twelfth month statsmodels takes the season as it was a year before
    season = (p.index[0, p.behind[:12]] - 1) * TRENDING[:24].mean()
    assert models.run(p, "HoltWintersAdded")[0] == pytest.approx(added(TRENDING, season, 11), rel=1e-9)


def test_holt_winters_on_logarithms_is_the_added_one_of_statsmodels_on_logarithms(one_constant):
    one_constant(**CONSTANTS)
    p = panel(TRENDING.tolist(), steps=11)
    season = np.log(p.index[0, p.behind[:12]])
    mean = TRENDING.mean()
    assert models.run(p, "HoltWintersLogs")[0] == pytest.approx(mean * np.exp(added(np.log(TRENDING / mean), season - season.mean(), 11)), rel=1e-9)


def test_on_logarithms_growth_goes_on_and_the_season_grows_with_it():
    """2 % a month with its family's season: each month of the next year is last year's times 1.02^12, which no added trend says."""
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(12) / 12)
    y = 100 * 1.02 ** np.arange(60) * np.tile(season, 5)
    p = panels.Panel(y[None], 12, 12, season[None])
    assert models.run(p, "HoltWintersLogs")[0] == pytest.approx(y[48:] * 1.02**12, rel=0.03)
    assert models.run(p, "HoltWintersAdded")[0] != pytest.approx(y[48:] * 1.02**12, rel=0.1)


def test_logarithms_are_left_alone_where_a_month_is_near_zero():
    """A month below a twentieth of the mean: its logarithm would outweigh all others."""
    p = panel([100.0] * 30 + [4.0] + [100.0] * 5, [100.0] * 30 + [6.0] + [100.0] * 5)
    assert smoothing._logs(p)[1][:, 0].tolist() == [False, True]


def test_recent_is_the_model_on_the_last_months():
    y = np.concatenate([seasonal(60, 1000), seasonal(60, 100, seed=3)])
    for name, months in (("Theta60", 60), ("HoltWinters72", 72)):
        whole, late = panel(y.tolist()), panel(y[-months:].tolist())
        np.testing.assert_array_equal(models.run(whole, name), models.run(late, name[:-2]), name)
    short = panel(seasonal(30).tolist())
    np.testing.assert_array_equal(models.run(short, "Theta60"), models.run(short, "Theta"))


def test_two_seasons_by_pencil():
    """Two seasons of three, a fifth more in the second: 20 % growth; the older brought up equals the younger, and half the growth lies ahead.
    Where demand doubles, 40 % is all that is believed: (20 + 10 · 1.4) / 2 · √1.4."""
    p = panel([10, 20, 30, 12, 24, 36], [10, 20, 30, 20, 40, 60], steps=4, season=3)
    found = models.run(p, "TwoSeasons")
    assert found[0] == pytest.approx(np.array([12, 24, 36, 12]) * np.sqrt(1.2))
    assert found[1] == pytest.approx(np.array([17, 34, 51, 17]) * np.sqrt(1.4))
    assert np.isnan(models.run(panel([1, 2, 3, 4, 5], season=3), "TwoSeasons")).all(), "shorter than two seasons"


# --- complex exponential smoothing ----------------------------------------------------------------------------------


def by_complex_numbers(y: np.ndarray, a: complex, steps: int) -> list[float]:
    """Svetunkov, Kourentzes & Ord (2022), eq. 4, as they print it: one complex number, ŷ + i p̂, smoothed by another, a.

        ŷ + i p̂  ←  a · (y + i e) + (1 + i − a) · (ŷ + i p̂)        e: the error, which stands for what the model does not know
    """
    state = complex(y[:6].mean(), y[:6].mean())
    for now in y:
        state = a * complex(now, now - state.real) + (1 + 1j - a) * state
    out = []
    for _ in range(steps):
        out.append(state.real)
        state = a * complex(state.real, 0) + (1 + 1j - a) * state  # the forecast itself comes true
    return out


@pytest.mark.parametrize(("a0", "a1"), [(1.2, 1.0), (1.8, 1.015), (0.9, 0.985)])
def test_ces_is_the_same_in_complex_numbers(one_constant, a0, a1):
    one_constant(a0=a0, a1=a1)
    y = 2.0 * np.arange(40) + np.random.default_rng(1).normal(100, 5, 40)
    p = panels.Panel(y[None], 6, 1, np.ones((1, 1)))
    assert models.run(p, "CES")[0] == pytest.approx(by_complex_numbers(y, complex(a0, a1), 6), rel=1e-9)


def test_ces_is_near_that_of_statsforecast():
    """Which searches for its constants by itself, on passengers without their season."""
    from statsforecast.models import AutoCES

    y = np.convolve(PASSENGERS, np.r_[0.5, np.ones(11), 0.5] / 12, "valid")[:120]
    ours = models.run(panels.Panel(y[None], 6, 1, np.ones((1, 1))), "CES")[0]
    assert ours == pytest.approx(AutoCES(season_length=1, model="N").forecast(y, 6)["mean"], rel=0.03)


# --- constants by their likelihood ----------------------------------------------------------------------------------


def test_akaike_weights_by_pencil():
    """Four times the error over two months is (1/4)^(2/2) = a quarter as likely; over four months a sixteenth.
    Without an error it is the only one; two without any share."""
    found = panels.weights(np.array([[1.0, 4.0], [1.0, 4.0], [0.0, 4.0], [0.0, 0.0]]), np.array([2, 4, 9, 9]))
    assert found[:, 0] == pytest.approx([4 / 5, 16 / 17, 1, 1 / 2])
    assert found.sum(axis=1) == pytest.approx(np.ones(4))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(1e-9, 1e12) | st.just(0.0), min_size=1, max_size=6), st.integers(1, 200))
def test_akaike_weights_are_shares_and_the_least_error_has_the_most(sse, months):
    w = panels.weights(np.array([sse]), np.array([months]))[0]
    assert w.sum() == pytest.approx(1) and (w >= 0).all()
    assert w[int(np.argmin(sse))] == w.max()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(models.MODELS)))
def test_a_series_gets_the_same_numbers_whoever_stands_beside_it(seed, name):
    rng = np.random.default_rng(seed)
    y = [(rng.gamma(2.0, 50, n) * (rng.random(n) < share)).tolist() for n, share in ((40, 1), (25, 1), (40, 0.4), (7, 1))]
    together = models.run(panel(*y), name)
    backwards = models.run(panel(*y[::-1]), name)[::-1]
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together[:1], models.run(panel(y[0]), name))


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(models.MODELS)), st.sampled_from([1e-6, 0.5, 1000.0]))
def test_units_do_not_matter(name, factor):
    """Pieces or thousands of pieces: the forecast is the same in both."""
    y = seasonal(48, 100, 10)
    assert models.run(panel((y * factor).tolist()), name) == pytest.approx(models.run(panel(y.tolist()), name) * factor, rel=1e-6)


def test_every_member_of_a_field_has_a_name_and_every_joint_model_something_to_join():
    for pattern, field in models.FIELDS.items():
        assert all(models.known(name) for name in field), pattern
        assert models.known(models.DEFAULT[pattern])
        assert len(models.members(field)) >= 4, pattern
        assert set(models.PLAIN) <= set(field)
    assert models.field(["Learned"])[:2] == models.PLAIN and set(models.members(models.REGULAR)) <= set(models.field(["Learned"]))


# --- forecasts made of forecasts ------------------------------------------------------------------------------------


def case(back: int, parts: dict[str, list[list[float]]], truth: list[list[float]], size: float = 10.0) -> Case:
    """One origin, `back` months before the last month known, of series that sold `size` a month."""
    n, steps = np.shape(truth)
    p = panels.Panel(np.full((n, 24), size), steps, 12, np.ones((n, 12)))
    return Case(np.arange(n), p, {name: np.array(v, dtype=float) for name, v in parts.items()}, np.array(truth, dtype=float), back)


def test_mean_and_median_by_pencil():
    now = case(0, {"A": [[1, 10]], "B": [[2, 20]], "C": [[6, 90]]}, [[np.nan, np.nan]])
    assert now.mean.tolist() == [[3, 40]]
    assert now.median.tolist() == [[2, 20]]


NOW = {"A": [[100.0]], "B": [[200.0]]}


def test_weights_by_pencil():
    """A missed by 1 of 10, B by 3: relative errors 0.5 and 1.5, inverse squares 4 and 4/9, weights 0.9 and 0.1: 0.9·100 + 0.1·200."""
    before = case(3, {"A": [[11]], "B": [[13]]}, [[10]])
    assert combinations.weighted(case(0, NOW, [[np.nan]]), [before], 1) == pytest.approx(np.array([[110.0]]))


def test_the_record_of_all_series_steadies_that_of_one():
    """A was better on one series as much as B on the other. Of twelve thirteenths that all series say, half a series is left:
    relative errors (0.5 + 12) / 13 and (1.5 + 12) / 13, so that A weighs 13.5² / (13.5² + 12.5²) on the first."""
    before = case(3, {"A": [[11], [13]], "B": [[13], [11]]}, [[10], [10]])
    found = combinations.weighted(case(0, {"A": [[1], [1]], "B": [[0], [0]]}, [[np.nan], [np.nan]]), [before], 2)
    share = 13.5**2 / (13.5**2 + 12.5**2)
    assert found[:, 0] == pytest.approx([share, 1 - share])


def test_without_a_past_the_weighted_mean_is_the_mean():
    now = case(0, NOW, [[np.nan]])
    other = case(3, {"A": [[11]], "C": [[13]]}, [[10]])
    later = case(0, {"A": [[11]], "B": [[13]]}, [[10]])
    for past in ([], [other], [later]):
        assert combinations.weighted(now, past, 1) == pytest.approx(now.mean), "nothing, other models, or nothing that was known by now"


def test_weights_never_look_at_what_was_not_known():
    """Of an origin 5 months back two months had come 3 months back; whatever the others became, the weights are the same."""
    forecasts = {"A": [[11, 11, 11, 11, 11]], "B": [[13, 13, 13, 13, 13]]}
    now = case(3, {"A": [[1] * 3], "B": [[0] * 3]}, [[np.nan] * 3])
    one, other = (case(5, forecasts, [[10, 10, *rest]]) for rest in ([10, 10, 10], [13, 1e6, 13]))
    np.testing.assert_array_equal(combinations.known(one, 3), [[10, 10, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(combinations.weighted(now, [one], 1), combinations.weighted(now, [other], 1))
    assert (combinations.weighted(now, [one], 1) != combinations.weighted(now, [case(5, forecasts, [[10, 13, 10, 10, 10]])], 1)).any()


def test_weights_do_not_overflow_where_a_series_has_shrunk_to_next_to_nothing():
    before = case(3, {"A": [[1e6]], "B": [[3e6]]}, [[0]], size=5e-324)
    with np.errstate(all="raise"):
        assert np.isfinite(combinations.weighted(case(0, NOW, [[np.nan]]), [before], 1)).all()


def test_the_passengers_have_a_season_and_it_is_theirs():
    """July is the busiest and November the quietest month of Box and Jenkins' airline; position 0 is the first month ahead."""
    p = panel(PASSENGERS.tolist())
    assert calendar.is_seasonal(p.y, 12).all() and p.seasonal_itself.all()
    assert (int(np.argmax(p.index[0])), int(np.argmin(p.index[0]))) == (6, 10)
