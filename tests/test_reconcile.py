"""Forecasts that agree: pencil cases, the published formula in full, and what must hold for any input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import agreement, changes, forecast, frames, reconcile

KEY = ["item", "location"]
LAGS = [1, 2, 3]


def summing(member: np.ndarray) -> np.ndarray:
    """S of FPP3, section 11.3, in our order: series, families, total."""
    n, groups = len(member), int(member.max()) + 1
    return np.vstack([np.eye(n), np.eye(groups)[:, member], np.ones((1, n))])


def dense(bottom: np.ndarray, upper: np.ndarray, member: np.ndarray, w: np.ndarray) -> np.ndarray:
    """P ŷ with P = (S′W⁻¹S)⁻¹ S′W⁻¹: Wickramasuriya et al. (2019), equation 9, as it is printed."""
    s, inverse = summing(member), np.linalg.inv(w)
    return np.linalg.solve(s.T @ inverse @ s, s.T @ inverse @ np.concatenate([bottom, upper]))


def shrunk(errors: np.ndarray) -> tuple[float, np.ndarray]:
    """λ and W of Schäfer & Strimmer, pair by pair."""
    cases, nodes = errors.shape
    covariance = errors.T @ errors / cases
    sd = np.sqrt(np.diag(covariance))
    x = errors / sd
    over = under = 0.0
    for i in range(nodes):
        for j in range(nodes):
            if i != j:
                products = x[:, i] * x[:, j]
                over += (products**2).sum() - products.sum() ** 2 / cases
                under += products.mean() ** 2
    shrink = float(np.clip(over / (cases * (cases - 1)) / under, 0, 1))
    return shrink, shrink * np.diag(sd**2) + (1 - shrink) * covariance


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


ONE = np.zeros(2, dtype=int)
FPP3 = np.array([0, 0, 0, 1, 1])  # figure 11.1: A has three series, B two


# --- cases with a pencil --------------------------------------------------------------------------------------------


def test_a_gap_is_shared_by_how_wrong_each_was():
    """A 40 and B 30 against a family and a total of 79: nine apart. A was wrong by 2, B by 1, both sums by 1.

    The two sums agree, so they count as one with variance ½; 4 + 1 + ½ = 5½, of the gap A takes 4/5½ and B 1/5½.
    """
    errors = np.array([[2.0, 1.0, 1.0, 1.0]])
    out = agreement.solve(column(40, 30), column(79, 79), ONE, errors, method="min_trace")
    assert out[:, 0] == pytest.approx([40 + 9 * 4 / 5.5, 30 + 9 * 1 / 5.5])


def test_with_equal_errors_all_nodes_count_alike_as_in_fpp3():
    """OLS, FPP3 section 11.3: P = (S′S)⁻¹S′ for the hierarchy of figure 11.1. The row of AA, by hand:

    each series gives way by the same amount as its family and the total: 13/18 of its own forecast, −5/18 of each sister's,
    1/6 of the family's surplus, 5/48 … found here from the printed formula.
    """
    bottom, upper = np.array([10.0, 20, 30, 15, 25]), np.array([66.0, 38, 110])
    ols = np.linalg.inv(summing(FPP3).T @ summing(FPP3)) @ summing(FPP3).T
    out = agreement.solve(bottom[:, None], upper[:, None], FPP3, np.ones((1, 8)), method="min_trace", shrink=1.0)
    assert out[:, 0] == pytest.approx(ols @ np.concatenate([bottom, upper]))
    assert ols[0].round(2).tolist() == [0.72, -0.28, -0.28, -0.03, -0.03, 0.17, -0.07, 0.1]


def test_middle_out_keeps_shares_of_the_family():
    out = agreement.solve(column(30, 10, 5), column(80, 4, 999), np.array([0, 0, 1]), np.ones((1, 6)), method="middle_out")
    assert out[:, 0].tolist() == [60, 20, 4]


def test_what_would_fall_below_zero_is_zero_and_the_others_carry_the_rest():
    """A 10 and B 1 against sums of 3 that are never wrong: the cut of 8 would take B to −3; A alone is cut to 3."""
    errors = np.array([[1.0, 1.0, 1e-9, 1e-9]])
    out = agreement.solve(column(10, 1), column(3, 3), ONE, errors, method="min_trace")
    assert out[:, 0] == pytest.approx([3, 0], abs=1e-6)


def test_a_forecast_of_nothing_stays_nothing_and_a_sum_without_a_forecast_is_the_sum():
    out = agreement.solve(column(10, 0), column(20, np.nan), ONE, np.ones((1, 4)), method="min_trace")
    assert out[:, 0] == pytest.approx([15, 0])
    apart = agreement.solve(column(10, 6), column(np.nan, np.nan), ONE, np.ones((1, 4)), method="min_trace")
    assert apart[:, 0].tolist() == [10, 6]


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no reconciliation is called topdown.*bottom_up, middle_out, min_trace"):
        agreement.solve(column(1, 1), column(2, 2), ONE, np.ones((1, 4)), method="topdown")


# --- second routes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_published_formula_with_the_full_matrix(seed):
    """The solve for families only, against all nodes by all nodes, inverted; λ against pair by pair."""
    rng = np.random.default_rng(seed)
    member = np.sort(rng.integers(0, 4, 14))
    member = np.searchsorted(np.unique(member), member)
    nodes = len(member) + member.max() + 2
    errors = rng.normal(size=(9, nodes)) @ np.diag(rng.uniform(1, 5, nodes)) + 3 * rng.normal(size=(9, 1))
    bottom = rng.uniform(60, 90, len(member))
    upper = summing(member)[len(member) :] @ bottom + rng.normal(0, 8, member.max() + 2)
    shrink, w = shrunk(errors)
    assert 0 < shrink < 1
    assert agreement.shrinkage(errors / np.sqrt((errors**2).mean(axis=0))) == pytest.approx(shrink)
    assert agreement.shrinkage(errors / np.sqrt((errors**2).mean(axis=0)), origins=3) == pytest.approx(min(3 * shrink, 1)), "nine cases of three origins"
    out = agreement.solve(bottom[:, None], upper[:, None], member, errors, method="min_trace")[:, 0]
    assert out == pytest.approx(dense(bottom, upper, member, w), rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_with_variances_alone_the_zeros_are_the_exact_non_negative_optimum(seed):
    """Against a bounded least-squares solver: Wickramasuriya, Turlach & Hyndman (2020), the problem as they state it."""
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(seed)
    member = np.array([0, 0, 0, 1, 1, 2])
    sd = rng.uniform(1, 6, 10)
    bottom, upper = rng.uniform(0.1, 10, 6), rng.uniform(0, 12, 4)
    best = lsq_linear(summing(member) / sd[:, None], np.concatenate([bottom, upper]) / sd, bounds=(0, np.inf), tol=1e-14)
    out = agreement.solve(bottom[:, None], upper[:, None], member, sd[None, :], method="min_trace", shrink=1.0)[:, 0]
    assert out == pytest.approx(best.x, abs=1e-5)


# --- for any input --------------------------------------------------------------------------------------------------

numbers = st.one_of(st.just(0.0), st.floats(1e-3, 1e6))


@st.composite
def problems(draw):
    member = np.sort(np.array(draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))))
    member = np.searchsorted(np.unique(member), member)
    groups = int(member.max()) + 1
    bottom = np.array(draw(st.lists(numbers, min_size=len(member), max_size=len(member))))
    upper = np.array(draw(st.lists(st.one_of(numbers, st.just(np.nan)), min_size=groups + 1, max_size=groups + 1)))
    cases = draw(st.integers(0, 5))
    cells = st.one_of(st.floats(-1e5, 1e5), st.just(np.nan))
    errors = np.array(draw(st.lists(cells, min_size=cases * (len(member) + groups + 1), max_size=cases * (len(member) + groups + 1))))
    return bottom[:, None], upper[:, None], member, errors.reshape(cases, -1) if cases else np.zeros((0, len(member) + groups + 1))


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(reconcile.METHODS))
def test_it_is_finite_not_negative_and_leaves_the_empty_empty(problem, method):
    bottom, upper, member, errors = problem
    out = agreement.solve(bottom, upper, member, errors, method=method)
    assert np.isfinite(out).all() and (out >= 0).all()
    assert (out[bottom == 0] == 0).all()
    if method == "bottom_up":
        assert (out == bottom).all()


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(reconcile.METHODS))
def test_forecasts_that_agree_already_are_not_moved(problem, method):
    bottom, _, member, errors = problem
    upper = summing(member)[len(member) :] @ bottom
    out = agreement.solve(bottom, upper, member, errors, method=method)
    assert out == pytest.approx(bottom, rel=1e-9, abs=1e-9)


# --- tables ---------------------------------------------------------------------------------------------------------

ITEMS = frame("item family successor", "A f -", "B f -", "C g -", "D g E", "E g -", "N f -")


def company() -> pd.DataFrame:
    """Three years of five items in two places, noisy, of growing or falling demand; the same each time."""
    rng = np.random.default_rng(7)
    months = frames.months("2023-07", 36)
    rows = []
    for i, item in enumerate("ABCDE"):
        for place in ("EU", "US"):
            demand = np.maximum(rng.normal(100 * (i + 1), 25, 36) + (i - 2) * np.arange(36), 0)
            rows.append(pd.DataFrame({"item": item, "location": place, "month": months, "demand": demand}))
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def made():
    history = company()
    patterns = history[KEY].drop_duplicates().assign(pattern=lambda d: np.where(d["item"] == "D", "ending", "smooth"))
    months = frames.months("2026-07", 6)
    tested = forecast.backtest(history, segments=patterns, items=ITEMS, horizon=3, origins=4, lags=LAGS)
    scores = forecast.choose(tested, lags=LAGS, segments=patterns)
    alone = forecast.baseline(history, scores, tested, months=months, items=None)
    series = reconcile.steady(patterns, ITEMS)
    upper = reconcile.above(history, series, months=months, lags=LAGS)
    return {"history": history, "patterns": patterns, "tested": tested, "scores": scores, "alone": alone, "series": series, "upper": upper}


def reconciled(made, method: str, **more) -> pd.DataFrame:
    return reconcile.reconcile(made["alone"], made["upper"], made["tested"], made["scores"], series=made["series"], method=method, lags=LAGS, **more)


def test_ending_items_and_who_takes_over_stay_out(made):
    assert sorted(set(made["series"]["item"])) == ["A", "B", "C"]
    sums = reconcile.totals(made["history"], made["series"])
    whole = made["history"][made["history"]["item"].isin(["A", "B", "C"])]["demand"].sum()
    assert sums.groupby("location")["demand"].sum().tolist() == pytest.approx([whole, whole])


@pytest.mark.parametrize("method", reconcile.METHODS)
def test_every_level_adds_up_to_a_millionth(made, method):
    """Item × location, family and total: what is shown of a family is the sum of its items, and middle-out meets its families."""
    out = reconciled(made, method)
    families = out["item"].map(dict(zip(ITEMS["item"], ITEMS["family"], strict=True)))
    by_family = out.groupby([families, "month"])["baseline"].sum().groupby("month").sum()
    assert np.abs(by_family - out.groupby("month")["baseline"].sum()).max() < 1e-6
    if method == "middle_out":
        steady = out.merge(made["series"], on=KEY).groupby(["family", "month"])["baseline"].sum()
        own = made["upper"].forecast.query("location == 'family'").set_index(["item", "month"])["baseline"]
        assert np.abs(steady.to_numpy() - own.sort_index().to_numpy()).max() < 1e-6


@pytest.mark.parametrize("method", reconcile.METHODS)
def test_bands_move_with_the_points_and_the_inputs_stay(made, method):
    before = made["alone"].copy()
    out = reconciled(made, method, history=made["history"])
    assert ((out["lo95"] <= out["lo80"]) & (out["lo80"] <= out["baseline"]) & (out["baseline"] <= out["hi80"]) & (out["hi80"] <= out["hi95"])).all()
    assert (out["lo95"] >= 0).all()
    pd.testing.assert_frame_equal(made["alone"], before)
    held = out["item"].isin(["D", "E"])
    pd.testing.assert_frame_equal(out[held], before[held])
    if method == "bottom_up":
        pd.testing.assert_frame_equal(out, before)
    else:
        assert (out["baseline"] - before["baseline"]).abs().max() > 0.1


def test_a_band_that_reaches_down_to_nothing_still_does_when_the_point_is_lifted(made):
    low = made["alone"].assign(lo80=0.0, lo95=0.0)
    out = reconcile.reconcile(low, made["upper"], made["tested"], made["scores"], series=made["series"], method="min_trace", lags=LAGS)
    assert (out["baseline"] > made["alone"]["baseline"] + 0.1).any(), "some are lifted"
    assert (out[["lo80", "lo95"]] == 0).all(axis=None)


def test_no_series_is_lifted_above_its_bound(made):
    """Families forecast at ten times their items: no item goes above its cap × its highest month."""
    ten = reconcile.Above(made["upper"].tested, made["upper"].scores, made["upper"].forecast.assign(baseline=lambda d: d["baseline"] * 10))
    out = reconcile.reconcile(made["alone"], ten, made["tested"], made["scores"], series=made["series"], method="middle_out", lags=LAGS, history=made["history"], cap_multiple=1.5)
    highest = made["history"].groupby(KEY)["demand"].max() * 1.5
    top = out.groupby(KEY)["baseline"].max()
    assert (top <= highest.reindex(top.index) + 1e-9).all() and (top == highest.reindex(top.index)).any()


def test_accuracy_is_told_by_level_and_method_and_the_items_own_is_the_usual_score(made):
    judged = reconcile.judge(made["tested"], made["scores"], made["upper"], series=made["series"], lags=LAGS)
    wide = reconcile.side_by_side(judged)
    assert wide["level"].tolist() == list(reconcile.LEVELS)
    assert wide.loc[0, "alone"] == wide.loc[0, "bottom_up"]
    chosen = made["scores"][made["scores"]["chosen"] & made["scores"]["item"].isin(["A", "B", "C"])]
    assert wide.loc[0, "alone"] == pytest.approx((chosen["wape"] * chosen["demand"]).sum() / chosen["demand"].sum())
    assert wide.loc[1, "middle_out"] == pytest.approx(wide.loc[1, "alone"])


def test_an_origin_at_which_the_chosen_models_were_not_tested_judges_nobody(made):
    """A model that learns from earlier origins has no forecast at the first: its sums would be of nothing there."""
    first = made["tested"]["origin"].min()
    late = made["tested"][(made["tested"]["origin"] > first) | ~made["tested"]["item"].isin(["A", "B", "C"])]
    judged = reconcile.side_by_side(reconcile.judge(late, made["scores"], made["upper"], series=made["series"], lags=LAGS))
    assert (judged[["alone", "bottom_up", "min_trace"]] < 0.5).all().all()


def test_a_company_without_families_or_history_is_left_alone(made):
    nothing = reconcile.above(made["history"].iloc[:0], made["series"], months=frames.months("2026-07", 6), lags=LAGS)
    out = reconcile.reconcile(made["alone"], nothing, made["tested"], made["scores"], series=made["series"], method="min_trace", lags=LAGS)
    pd.testing.assert_frame_equal(out, made["alone"])
    assert reconcile.judge(made["tested"], made["scores"], nothing, series=made["series"], lags=LAGS).empty


def test_the_totals_holiday_is_that_of_its_families_by_their_demand():
    sums = frame("item location month demand", "f family 2026-01 300", "g family 2026-01 100", "all total 2026-01 400")
    found = reconcile.factors_above(frame("family month factor", "f 2026-03 1.2"), sums)
    assert found.set_index("item")["factor"].round(6).to_dict() == {"f": 1.2, "all": 1.15}


def test_why_did_it_change_adds_up_with_reconciling_as_a_part_of_its_own(made):
    """Last plan: reconciled. This plan: the same models, one step each for the month and for reconciling; nothing is left over."""
    now = reconciled(made, "min_trace")
    alone_then = made["alone"].assign(baseline=made["alone"]["baseline"] * 0.9)
    moved, moved_then = reconcile.moves(now, made["alone"]), reconcile.moves(alone_then.assign(baseline=alone_then["baseline"] + 1), alone_then)
    steps = made["alone"][[*KEY, "month"]].assign(actuals=made["alone"]["baseline"])
    found = reconcile.retraced(steps, moved, moved_then)
    plans = [frames.conform(b[[*KEY, "month"]].assign(baseline=b["baseline"], consensus=b["baseline"], price=2.0, revenue=2 * b["baseline"], margin=0.0,
             **{name: 0.0 for name in frames.PLAN.names if name not in (*KEY, "month", "baseline", "consensus", "price", "revenue", "margin")}), frames.PLAN)
             for b in (now, alone_then.assign(baseline=alone_then["baseline"] + 1))]
    parts = changes.changes(plans[0], plans[1], steps=found).groupby("part")["units"].sum()
    assert parts.sum() == pytest.approx(plans[0]["consensus"].sum() - plans[1]["consensus"].sum(), rel=1e-12)
    assert parts["actuals"] == pytest.approx(made["alone"]["baseline"].sum() * 0.1)
    assert parts["reconciled"] == pytest.approx(moved["moved"].sum() - len(alone_then))
    assert "method" not in parts.index
    assert reconcile.retraced(None, moved, None) is None


def test_ten_thousand_series_take_seconds():
    import time

    rng = np.random.default_rng(1)
    member = np.sort(rng.integers(0, 60, 10_000))
    bottom = rng.uniform(0, 50, (10_000, 18))
    upper = np.vstack([agreement.sums(bottom, member, 60)]) * rng.uniform(0.9, 1.1, (61, 18))
    start = time.perf_counter()
    out = agreement.solve(bottom, upper, member, rng.normal(0, 20, (12, 10_061)), method="min_trace")
    assert time.perf_counter() - start < 10 and (out >= 0).all()


def test_levels_are_judged_by_what_was_known_then_not_by_a_copy_mended_with_hindsight():
    month = frames.months("2022-07", 48)
    was = pd.DataFrame({"item": "A", "location": "EU", "month": month, "demand": [100.0] * 40 + [300.0] * 8})
    copy = was.assign(demand=300.0)
    series = frame("item location family", "A EU f")
    upper = reconcile.above(copy, series, judged=was, months=frames.months("2026-07", 6), lags=LAGS)
    early = upper.tested[(upper.tested["origin"] < month[40]) & (upper.tested["month"] >= month[40])]
    assert len(early) and early["forecast"].max() < 150 and (early["demand"] == 300).all()
    assert upper.forecast["baseline"].to_numpy() == pytest.approx(300)
