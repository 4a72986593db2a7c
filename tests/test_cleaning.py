"""What the past must not teach: one-off months, and levels that are over. Nothing that was asked for is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import cleaning, demo_world, frames, levels

ITEMS = frame("item family", *[f"I{i} f" for i in range(12)], "A f", "B f")
# The Nile at Aswan, 1871 to 1970, 10^8 m3 (Cobb 1978; Durbin & Koopman 2012, Time Series Analysis by State Space Methods, 2.2)
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260,
    1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845,
    864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]


def history(values, item: str = "A", first: str = "2022-01") -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame({
        "item": item, "location": "EU", "month": frames.months(first, len(values)), "demand": values, "demand_raw": values,
        "revenue": np.nan_to_num(values, posinf=0.0, neginf=0.0).clip(-1e9, 1e9) * 10, "censored": False,
    })  # fmt: skip


def noisy(months: int = 48, seed: int = 1, season: float = 0.0) -> np.ndarray:
    t = np.arange(months)
    return 100 * (1 + season * np.sin(2 * np.pi * t / 12)) * np.exp(np.random.default_rng(seed).normal(0, 0.05, months))


def at(table: pd.DataFrame, month: str) -> pd.Series:
    return table[table["month"] == frames.month(month)].iloc[0]


def test_the_nile_has_one_outlier_and_one_break():
    """Durbin & Koopman (2012, 2.12) find the outlier of 1913 and the break of 1899 in their auxiliary residuals, as Cobb (1978)
    had the break. It is 23 %, less than a company's change of level must be here, so it is asked for; 1913 is found as set."""
    y = np.array([NILE], dtype=float)
    assert (1871 + np.flatnonzero(cleaning.judge(y, season=1).outlier[0])).tolist() == [1913]
    found = cleaning.judge(y, season=1, least_shift=0.2, step_t=4.0)
    assert (1871 + np.flatnonzero(found.shift[0])).tolist() == [1899]
    assert found.ratio[found.shift][0] == pytest.approx(np.mean(NILE[28:]) / np.mean(NILE[:28]), abs=0.03)


def test_a_month_that_fell_out_is_mended_and_the_demand_kept():
    """Pencil: eleven flat months of 100 on each side of a 10; usual is 100, so 90 too few. demand itself is not touched."""
    values = [100.0] * 36
    values[20] = 10.0
    out = cleaning.clean(history(values), ITEMS)
    found = at(out, "2023-09")
    assert (found["demand"], found["learned"], found["outlier"]) == (10, 100, -90)
    assert out["outlier"].notna().sum() == 1 and out["demand"].tolist() == values


@pytest.mark.parametrize(("way", "drop", "peak", "shown"), [("correct", 100, 100, 2), ("drops", 100, 300, 2), ("flag", 10, 300, 2), ("off", 10, 300, 0)])
def test_what_is_done_is_chosen(way, drop, peak, shown):
    values = [100.0] * 40
    values[12], values[25] = 10.0, 300.0
    out = cleaning.clean(history(values), ITEMS, outliers=way)
    assert (at(out, "2023-01")["learned"], at(out, "2024-02")["learned"]) == pytest.approx((drop, peak))
    assert out["outlier"].notna().sum() == shown
    with pytest.raises(ValueError, match="outliers is 'maybe'; it may be correct, drops, flag, off"):
        cleaning.clean(history(values), ITEMS, outliers="maybe")


def test_the_last_months_are_never_outliers():
    """They may be the start of a new level; nobody knows yet."""
    for back in (1, 2, 3):
        values = [100.0] * 36
        values[-back:] = [20.0] * back
        assert cleaning.clean(history(values), ITEMS)["outlier"].isna().all()


def test_a_lasting_change_is_no_outlier_and_brings_the_past_to_the_new_level():
    """Pencil: 100 for two years, 60 for ten months: −40 % from the first month of 60; the past is learnt as 60."""
    values = noisy(34) * np.r_[np.ones(24), np.full(10, 0.6)]
    out = cleaning.clean(history(values), ITEMS)
    assert out["outlier"].isna().all()
    assert out.loc[out["level_shift"].notna(), "month"].tolist() == [frames.month("2024-01")]
    assert at(out, "2024-01")["level_shift"] == pytest.approx(-0.4, abs=0.05)
    assert out["learned"].head(24).mean() == pytest.approx(60, rel=0.06) and (out["learned"].tail(10) == out["demand"].tail(10)).all()
    kept = cleaning.clean(history(values), ITEMS, level_shifts=False)
    assert kept["learned"].tolist() == kept["demand"].tolist() and kept["level_shift"].notna().sum() == 1


def test_three_months_at_a_new_level_are_too_few_and_a_trend_is_no_step():
    short = noisy(34) * np.r_[np.ones(31), np.full(3, 0.5)]
    trend = noisy(48) * np.exp(np.arange(48) * 0.03)
    for values in (short, trend):
        assert cleaning.clean(history(values), ITEMS)["level_shift"].isna().all()


def test_orders_that_came_early_or_late_are_not_lost():
    """Pencil: 10 instead of 100, and 80 more in the month after: 89 % of what is missing."""
    values = [100.0] * 36
    values[20] = 10.0
    assert cleaning.clean(history(values), ITEMS)["outlier"].notna().sum() == 1
    values[21] = 180.0
    assert at(cleaning.clean(history(values), ITEMS), "2023-09")["learned"] == 10


def test_a_series_that_falls_out_often_is_like_that():
    values = np.full(48, 100.0)
    values[[5, 14, 23, 32, 40]] = 10.0
    assert cleaning.clean(history(values), ITEMS)["outlier"].isna().all()


def test_an_end_is_no_new_level():
    values = noisy(40) * np.r_[np.ones(28), np.zeros(12)]
    out = cleaning.clean(history(values), ITEMS)
    assert out["level_shift"].isna().all() and out["learned"].tolist() == out["demand"].tolist()


def test_the_demo_company_moves_to_new_levels_where_they_were_planted():
    world = demo_world.build()
    y = world.demand[:, : demo_world.KNOWN]
    judged = cleaning.judge(np.where(np.cumsum(y > 0, axis=1) > 0, y, np.nan), group=world.series["family"].to_numpy())
    found = {(int(row), str(world.months[month])[:7]) for row, month in zip(*np.nonzero(judged.shift), strict=True)}
    assert found == {(row, month) for _, row, month, _ in demo_world.changes(world.series)}
    for _, row, month, factor in demo_world.changes(world.series):
        assert judged.ratio[row, world.at(month)] == pytest.approx(factor, rel=0.15)


def test_what_an_event_or_an_empty_shelf_explains_is_no_outlier():
    values = [100.0] * 36
    values[20] = 10.0
    strike = frame("event kind start end level key location effect", "E1 competitor 2023-09-05 2023-09-20 item A all -")
    elsewhere = strike.assign(location="US")
    assert cleaning.clean(history(values), ITEMS, events=strike)["outlier"].isna().all()
    assert cleaning.clean(history(values), ITEMS, events=elsewhere)["outlier"].notna().sum() == 1
    empty = history(values).assign(censored=lambda d: d["month"] == frames.month("2023-09"))
    assert cleaning.clean(empty, ITEMS)["outlier"].isna().all()


def test_a_month_that_the_whole_family_shared_is_no_outlier():
    """A holiday: six items of a family sell half in one month."""
    half = np.ones(40)
    half[17] = 0.5
    h = pd.concat([history(noisy(40, seed) * half, f"I{seed}") for seed in range(6)])
    assert cleaning.clean(h, ITEMS)["outlier"].isna().all()


def test_a_season_is_no_outlier_and_a_spike_lends_none_to_the_next_year():
    """December of every year is thrice a month: none. One spike in 36 months: that one, not the same month a year later."""
    december = noisy(48) * np.where(np.arange(48) % 12 == 11, 3.0, 1.0)
    assert cleaning.clean(history(december), ITEMS)["outlier"].isna().all()
    spike = noisy(36, season=0.3)
    spike[14] *= 4
    out = cleaning.clean(history(spike), ITEMS)
    assert out.loc[out["outlier"].notna(), "month"].tolist() == [frames.month("2023-03")]


@pytest.mark.parametrize("values", [[5, 0, 0, 0, 0, 9] * 6, [100.0] * 20 + [1.0] + [100.0] * 2], ids=["intermittent", "short"])
def test_others_are_left_alone(values):
    out = cleaning.clean(history(values), ITEMS)
    assert out["learned"].tolist() == out["demand"].tolist() and out[["outlier", "level_shift"]].isna().all(axis=None)


def test_running_median_and_quartiles_by_a_second_route():
    rng = np.random.default_rng(3)
    y = np.where(rng.random((20, 31)) < 0.2, np.nan, rng.random((20, 31)))
    assert levels.median(y) == pytest.approx(np.nanmedian(y, axis=1))
    low, high = levels.quartiles(y)
    assert np.hstack([low, high]) == pytest.approx(np.nanpercentile(y, [25, 75], axis=1).T)
    level = levels.residual(y, np.ones_like(y))[1]
    wide = pd.DataFrame(y.T).rolling(13, center=True, min_periods=1).median().T.to_numpy()
    assert level == pytest.approx(wide)


def test_it_is_told_by_money():
    values = [100.0] * 36
    values[20] = 10.0
    h = cleaning.clean(pd.concat([history(values), history(np.r_[np.full(24, 500.0), np.full(12, 250.0)], "B")]), ITEMS)
    told = cleaning.told(h, ITEMS)
    assert told[["item", "what"]].values.tolist() == [["B", "shift"], ["A", "corrected"]]
    assert told["units"].tolist() == pytest.approx([-250, -90]) and told["amount"].tolist() == pytest.approx([-2500, -900])
    assert cleaning.told(h.iloc[:0], ITEMS).empty


WILD = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, -5.0, 1e300, 1e-300, 7.0]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WILD, min_size=1, max_size=60), min_size=1, max_size=3), st.sampled_from(["correct", "drops"]))
def test_any_series_is_answered_with_numbers(rows, way):
    """NaN, infinity, returns, one month, huge, tiny: the rows stay, what was asked for stays, what is learnt is finite where demand is."""
    h = pd.concat([history(values, f"I{i}", "2021-01") for i, values in enumerate(rows)], ignore_index=True)
    out = cleaning.clean(h, ITEMS, outliers=way)
    pd.testing.assert_frame_equal(out[h.columns], h)
    real = np.isfinite(h["demand"]) & (h["demand"] >= 0)
    assert np.isfinite(out.loc[real, "learned"]).all() and (out.loc[real, "learned"] >= 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1e6))
def test_units_do_not_matter(seed, scale):
    y = np.random.default_rng(seed).lognormal(3, 0.4, (4, 50))
    one, other = cleaning.judge(y), cleaning.judge(y * scale)
    assert (one.outlier == other.outlier).all() and (one.shift == other.shift).all()
