"""What the learner learns, what it leaves alone, and that it never knows what was not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_forecast import EDGES, KEY, LAGS, history, patterns, seasonal

from sopnb import forecast, frames, learner, models, panel, work
from sopnb.combinations import Case

BACKS = (12, 9, 6, 3)  # months before the last known one at which there was an origin


def company(n: int, *, rare: bool = False, months: int = 48, seed: int = 1) -> np.ndarray:
    """Series of steady demand, a few percent up and down; rare: demand in one month of three."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(50, 500, (n, 1))
    if rare:
        return np.where(rng.random((n, months)) < 1 / 3, rng.gamma(4.0, level / 4, (n, months)), 0.0)
    return level * np.exp(rng.normal(0, 0.03, (n, months)))


def cases(y: np.ndarray, over: float = 1.1, *, backs: tuple[int, ...] = BACKS, steps: int = 3, seed: int = 2) -> tuple[list[Case], Case]:
    """Origins at which two models said `over` times the usual month, one a little more and one a little less; and the one that is now."""
    rng = np.random.default_rng(seed)
    usual = y.mean(axis=1, keepdims=True)
    out = []
    for back in (*backs, 0):
        known, t = y[:, : y.shape[1] - back], y.shape[1] - back
        truth = np.full((len(y), steps), np.nan)
        truth[:, : min(back, steps)] = y[:, t : t + min(back, steps)]
        parts = {name: usual * over * np.exp(rng.normal(shift, 0.01, (len(y), steps))) for name, shift in (("A", 0.01), ("B", -0.01))}
        out.append(Case(np.arange(len(y)), panel.Panel(known, steps, 12, np.ones((len(y), 12))), parts, truth, back))
    return out[:-1], out[-1]


def overshoot(values: np.ndarray, y: np.ndarray) -> float:
    return float(values.sum() / (y.mean(axis=1).sum() * values.shape[1]) - 1)


# --- what it learns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "left"), [(150, 0.077), (700, 0.022)])
def test_an_error_that_all_series_share_is_taken_off_as_far_as_it_is_known(n, left):
    """Every model says 10 % too much. From 150 series × 4 origins 600 / (600 + 2000) of that is believed, so that 7.7 % is left;
    from 700 × 4, where trees are grown, 2800 / (2800 + 800), so that 2.2 % is left."""
    y = company(n)
    past, now = cases(y)
    (found,) = learner.learned([now], past, n)
    assert overshoot(now.median, y) == pytest.approx(0.10, abs=0.005)
    assert overshoot(found, y) == pytest.approx(left, abs=0.005)


def test_nothing_is_taken_off_where_nothing_is_shared():
    y = company(150)
    past, now = cases(y, over=1.0)
    (found,) = learner.learned([now], past, len(y))
    assert abs(overshoot(found, y)) < 0.01
    assert np.abs(found / now.mean - 1).max() < 0.1


def test_of_rare_demand_the_mean_is_learned_and_not_the_median():
    """Two months of three are empty: the median month is zero. The models say half too much; the learner comes nearer to the mean, from above."""
    y = company(400, rare=True)
    past, now = cases(y, over=1.5)
    (found,) = learner.learned([now], past, len(y))
    assert not learner.is_regular(now).any()
    assert 0.0 < overshoot(found, y) < 0.45


def test_where_there_is_too_little_to_learn_there_is_no_answer():
    y = company(40)
    past, now = cases(y)
    assert np.isnan(learner.learned([now], past, 40)[0]).all(), "40 series × 4 origins × 3 months are fewer than a thousand"
    many = company(150)
    many[:5, :-23] = np.nan
    past, now = cases(many)
    found = learner.learned([now], past, 150)[0]
    assert np.isnan(found[:5]).all() and np.isfinite(found[5:]).all(), "23 months are no two seasons"
    other = [Case(c.rows, c.panel, {"A": c.parts["A"], "C": c.parts["B"]}, c.truth, c.back) for c in past]
    assert np.isnan(learner.learned([now], other, 150)[0]).all(), "other models, other errors"


def test_regular_is_what_is_never_near_zero_of_late():
    y = np.full((4, 48), 100.0)
    y[1, -1], y[2, 5], y[3] = 1.0, 0.0, 0.0  # of late, long ago, always
    now = cases(y)[1]
    assert learner.is_regular(now).tolist() == [True, False, True, False]


# --- what it may not know -------------------------------------------------------------------------------------------


def test_what_came_after_an_origin_is_not_learned_there():
    """Three months back, of the origin six back three months were known, of one a month back nothing."""
    y = company(150)
    past, _ = cases(y, steps=6)
    now, before = past[-1], past[:-1]
    later = [Case(c.rows, c.panel, c.parts, np.where(np.arange(6) >= c.back - 3, 1e6, c.truth), c.back) for c in before]
    same = learner.learned([now], before, 150)[0]
    np.testing.assert_array_equal(same, learner.learned([now], later, 150)[0])
    np.testing.assert_array_equal(same, learner.learned([now], [*before, cases(y, 9.0, backs=(1,), steps=6)[0][0]], 150)[0])
    earlier = [Case(c.rows, c.panel, c.parts, c.truth * 1.2, c.back) for c in before]
    assert (same != learner.learned([now], earlier, 150)[0]).any()


FEW = ["SES", "Average12", "Theta", "Learned"]


def crowd(n: int, months: int = 72) -> pd.DataFrame:
    """Series with a trend that dies, a season and noise: enough of them for trees."""
    rng = np.random.default_rng(5)
    t = np.arange(months)
    trend = 1 + rng.normal(0, 0.3, (n, 1)) * (1 - np.exp(-t / 24))
    season = 1 + 0.2 * np.sin(2 * np.pi * (t + rng.integers(0, 12, (n, 1))) / 12)
    y = rng.uniform(50, 500, (n, 1)) * np.maximum(trend, 0.3) * season * np.exp(rng.normal(0, 0.08, (n, months)))
    return history({f"S{i:04d}": y[i].tolist() for i in range(n)})


def backtested(h: pd.DataFrame, workers: int = 1) -> pd.DataFrame:
    return forecast.backtest(h, segments=patterns(h), horizon=12, lags=LAGS, far=True, models=FEW, workers=workers)


@pytest.fixture(scope="module")
def large() -> tuple[pd.DataFrame, pd.DataFrame]:
    h = crowd(450)
    return h, backtested(h)


def test_trees_were_grown(large):
    """Or the next tests would prove little: at the last origin there are more series × origins than a crowd."""
    tested = large[1]
    origins = sorted(tested["origin"].unique())
    assert len(origins) >= 6 and 450 * (len(origins) - 1) >= learner.CROWD
    both = tested[tested["model"].isin(["Learned", "Theta"])].pivot(index=[*KEY, "origin", "month"], columns="model", values="forecast")
    assert both.notna().all().all()
    assert (both["Learned"] != both["Theta"]).mean() > 0.99


def test_learned_forecasts_are_the_same_from_two_processes_in_other_pieces_and_from_shuffled_rows(large, monkeypatch):
    h, tested = large
    monkeypatch.setattr(work, "CHUNK", 97)
    monkeypatch.setattr(work, "WORTH", 0)
    pd.testing.assert_frame_equal(tested, backtested(h.sample(frac=1, random_state=3), workers=2), check_exact=True)


def test_a_plan_is_the_same_from_two_processes(large, monkeypatch):
    h, tested = large
    scores = forecast.choose(tested, lags=LAGS, segments=patterns(h))
    scores["chosen"] = scores["model"].eq("Learned")
    months = frames.months("2026-07", 6)
    one = forecast.baseline(h, scores, tested, months=months)
    monkeypatch.setattr(work, "CHUNK", 97)
    monkeypatch.setattr(work, "WORTH", 0)
    two = forecast.baseline(h, scores, tested, months=months, workers=2)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_nothing_of_a_forecast_hangs_on_the_months_after_its_origin(large):
    """The last nine months become others, for every series: what was forecast nine months ago and before stays to the bit."""
    h, tested = large
    turn = h["month"] > "2025-09-01"
    other = backtested(h.assign(demand=h["demand"].where(~turn, h["demand"] * np.random.default_rng(6).uniform(0.7, 1.4, len(h)))))
    then = [table[table["origin"] <= "2025-09-01"].reset_index(drop=True) for table in (tested, other)]
    assert then[0]["origin"].nunique() >= 4
    pd.testing.assert_series_equal(then[0]["forecast"], then[1]["forecast"], check_exact=True)
    late = [table[(table["origin"] > "2025-09-01") & (table["model"] == "Learned")]["forecast"].to_numpy() for table in (tested, other)]
    assert (late[0] != late[1]).mean() > 0.99


# --- any series -----------------------------------------------------------------------------------------------------

LENGTHS = {f"{n} months": seasonal(n, 200).tolist() for n in (1, 2, 3, 11, 12, 13, 23, 24)}


def test_any_series_among_hundreds_gets_a_finite_bounded_learned_forecast():
    """Constant, zero, one point, holes, 10¹², 10⁻⁸, below zero, of any length, among 240 that the learner learns from."""
    regular, rare = company(120), company(120, rare=True, seed=3)
    odd = {**EDGES, **LENGTHS, "subnormal": [5e-324] * 40, "shrunk": [1e6] * 20 + [5e-324] * 26}
    values = {**{f"R{i:03d}": regular[i].tolist() for i in range(120)}, **{f"Z{i:03d}": rare[i].tolist() for i in range(120)}, **odd}
    for kind in ("smooth", "lumpy", "short"):
        h = history(values).sample(frac=1, random_state=1)
        pattern = {**{name: "smooth" if name[0] == "R" else "lumpy" for name in values}, **dict.fromkeys(odd, kind)}
        segments = patterns(h).assign(pattern=lambda d, p=pattern: d["item"].map(p))
        tested = forecast.backtest(h, segments=segments, horizon=12, lags=LAGS, far=True)
        scores = forecast.choose(tested, lags=LAGS, segments=segments)
        scores["chosen"] = scores["model"].eq("Learned") | (~scores.groupby(KEY)["model"].transform(lambda m: m.eq("Learned").any()) & scores["chosen"])
        f = forecast.baseline(h, scores, tested, months=frames.months("2026-07", 15))
        assert f["model"].eq("Learned").mean() > 0.9
        bands = f[["lo95", "lo80", "baseline", "hi80", "hi95"]].to_numpy()
        assert np.isfinite(bands).all() and (bands >= 0).all() and (np.diff(bands, axis=1) >= 0).all()
        top = h["demand"].where(np.isfinite(h["demand"])).groupby(h["item"]).max().clip(lower=0)
        assert (f["baseline"] <= 3.0 * f["item"].map(top) * (1 + 1e-9)).all()
        assert np.isfinite(tested["forecast"]).all()


def test_a_regular_series_among_rare_ones_is_still_answered():
    """One regular series and 150 rare ones: nothing to learn for the one, which gets the weighted mean."""
    rare = company(150, rare=True)
    h = history({"A": seasonal(48).tolist(), **{f"Z{i:03d}": rare[i].tolist() for i in range(150)}})
    segments = patterns(h).assign(pattern=lambda d: np.where(d["item"] == "A", "smooth", "lumpy"))
    tested = forecast.backtest(h, segments=segments, horizon=6, lags=LAGS)
    own = tested[tested["item"] == "A"]
    assert "Learned" not in set(own["model"]) and "Weighted" in set(own["model"])
    scores = forecast.choose(tested, lags=LAGS, segments=segments)
    assert forecast.baseline(h, scores, tested, months=["2026-07"]).query("item == 'A'")["baseline"].item() > 0
    assert models.known(scores.loc[(scores["item"] == "A") & scores["chosen"], "model"].item())


# --- the line -------------------------------------------------------------------------------------------------------


def test_the_line_by_pencil():
    """y = 3 + 2x with the penalty λ on the standard score: the slope shrinks by n / (n + λ), here 100 / (100 + 100); a missing x is its mean."""
    x = np.arange(100.0)[:, None]
    said = learner.line(x, 3 + 2 * x[:, 0], np.array([[49.5], [69.5], [np.nan]]), alpha=100.0)
    assert said == pytest.approx([102, 102 + 2 * 20 / 2, 102])


def test_beyond_four_standard_scores_the_line_is_level():
    x = np.arange(100.0)[:, None]
    said = learner.line(x, x[:, 0], np.array([[1e3], [1e9], [-1e9]]), alpha=0.0)
    assert said == pytest.approx([49.5 + 4 * x.std(), 49.5 + 4 * x.std(), 49.5 - 4 * x.std()])
