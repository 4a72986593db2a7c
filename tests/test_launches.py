"""Items without a history: planned at the share that this company's earlier launches reached, never at all of the like item."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_forecast import cycle, history

from sopnb import frames, launches

ITEMS = "item family launch_date end_date successor like_item"
YEARS = 48


def company(**grown: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An old item of 100 a month, earlier launches (their units since the first month), and one to come in September."""
    h = history({"old": [100.0] * YEARS, **grown})
    rows = [f"{name} f - - - old" for name in grown]
    return h, frame(ITEMS, "old f - - - -", "coming f 2026-09-01 - - old", *rows)


def coming(h: pd.DataFrame, items: pd.DataFrame, **settings) -> list[float]:
    f = cycle(h, items=items, **settings)[2]
    return f[f["item"] == "coming"].set_index("month")["baseline"].round(6).tolist()


THREE = {"slow": [5.0, 10, 10, 10, 10, 10], "usual": [10.0, 20, 30, 30, 30, 30, 30, 30], "fast": [20.0, 40, 60, 80, 80, 80, 80]}


def test_the_curve_of_three_launches_by_pencil():
    """Shares of the old item's 100: month 1 the median of 5, 10, 20 %; month 3 of 10, 30, 60 %. From month 7 on only two are
    known, so the mean of the last three months (30, 30, 30 %) holds. Family of three, company of the same three: no change."""
    h, items = company(**THREE)
    curve = launches.curves(h, items)
    whole = curve[curve["family"] == "all"]
    assert whole["since"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert whole["share"].round(9).tolist() == [0.10, 0.20, 0.30, 0.30, 0.30, 0.30, 0.30]
    assert curve[curve["family"] == "f"]["share"].round(9).tolist() == [0.10, 0.20, 0.30, 0.30, 0.30, 0.30, 0.30]
    assert curve[["family", "basis", "launches"]].drop_duplicates().values.tolist() == [["all", "company", 3], ["f", "family", 3]]


def test_the_curve_drawn_smooth_by_bass_climbs_to_the_same_level():
    """Monotone, never above the highest median, two years long; near the medians it was fitted to."""
    h, items = company(**{name: [level * (1 - 0.6**k) for k in range(1, 13)] for name, level in (("a", 30.0), ("b", 40.0), ("c", 50.0))})
    rough = launches.curves(h, items).query("family == 'all'")["share"]
    smooth = launches.curves(h, items, shape="bass").query("family == 'all'")["share"]
    assert len(smooth) == 24 and smooth.is_monotonic_increasing and smooth.max() <= rough.max() + 1e-12
    assert smooth.head(12).to_numpy() == pytest.approx(rough.head(12).to_numpy(), abs=0.03)
    flat = company(a=[30.0] * 8, b=[40.0] * 8, c=[50.0] * 8)
    assert launches.curves(*flat, shape="bass")["share"].between(0, 0.4 + 1e-9).all()


def test_a_coming_item_climbs_the_curve_from_its_launch_on():
    """July to December 2026, launched in September: nothing, nothing, 10, 20, 30, 30 % of 100."""
    assert coming(*company(**THREE)) == pytest.approx([0, 0, 10, 20, 30, 30])


def test_without_three_launches_the_share_is_assumed_and_said_to_be():
    h, items = company(slow=THREE["slow"], usual=THREE["usual"])
    assert launches.curves(h, items)[["family", "share", "basis", "launches"]].values.tolist() == [["all", 0.25, "assumed", 2]]
    assert coming(h, items) == pytest.approx([0, 0, 25, 25, 25, 25])
    assert coming(h, items, launch_curves=launches.curves(h, items, assumed=0.1)) == pytest.approx([0, 0, 10, 10, 10, 10])


def test_a_family_is_drawn_to_the_company():
    """Three launches at 20 % in f, three at 60 % in g: the company's median is 40 %; (3 · 20 + 3 · 40) / 6 = 30 % for f, 50 % for g."""
    h = history({"old": [100.0] * YEARS, **{f"f{i}": [20.0] * 8 for i in range(3)}, **{f"g{i}": [60.0] * 8 for i in range(3)}})
    items = frame(ITEMS, "old f - - - -", *[f"{f}{i} {f} - - - old" for f in "fg" for i in range(3)])
    curve = launches.curves(h, items).groupby("family")["share"].agg(["min", "max"])
    assert curve.loc[["all", "f", "g"]].round(9).values.tolist() == [[0.4, 0.4], [0.3, 0.3], [0.5, 0.5]]


def test_what_is_no_launch_does_not_count():
    """Five months only; sold since history begins; before the last 36 months; a successor, which inherits; no like item."""
    h = history({"old": [100.0] * YEARS, "young": [90.0] * 5, "ever": [90.0] * YEARS, "long ago": [90.0] * 40, "heir": [90.0] * 9, "own": [9.0] * 9})
    items = frame(ITEMS, "old f - - - -", "young f - - - old", "ever f - - - old", "heir f - - - old", "gone f - - heir -", "own f - - - -")
    items = pd.concat([items, items.head(1).assign(item="long ago", like_item="old")], ignore_index=True)
    assert launches.launched(h, items).empty


def test_no_launch_is_believed_beyond_its_like_item():
    h, items = company(a=[300.0] * 8, b=[400.0] * 8, c=[500.0] * 8)
    assert launches.curves(h, items)["share"].max() == 1.0


def test_a_young_item_moves_from_the_prior_to_what_it_sold():
    """Two months of half the like item's demand, a quarter assumed: w = 2 / (2 + 3) = 0.4, scale 0.4 · 2 + 0.6 = 1.4, so
    35 % of it. Sold in one location only: nothing is made up for others."""
    h = history({"old": [100.0] * 36, "young": [50.0, 50.0]})
    there = h[h["item"] == "old"].assign(location="US")
    items = frame(ITEMS, "old f - - - -", "young f 2026-05-01 - - old")
    f = cycle(pd.concat([h, there], ignore_index=True), items=items)[2]
    assert f[f["item"] == "young"].groupby("location")["baseline"].apply(lambda s: s.round(6).unique().tolist()).to_dict() == {"EU": [35.0]}
    five = history({"old": [100.0] * 36, "young": [50.0] * 5})
    assert cycle(five, items=items)[2].query("item == 'young'")["baseline"].tolist() == pytest.approx([25 * (5 / 8 * 2 + 3 / 8)] * 6)


def test_how_soon_own_demand_is_believed_is_learnt_from_earlier_launches():
    """Steady launches far apart: the first month says where one will end, k is at its least. Launches that all end at the same
    level after wild months: a year of them weighs as much as the prior. Fewer than three: three months are taken."""
    apart = {name: [level * (1 + 0.1 * (-1) ** i) for i in range(6)] for name, level in (("a", 20.0), ("b", 40.0), ("c", 80.0))}
    h, items = company(**apart)
    curve = launches.curves(h, items)
    assert launches.credibility(h, items, curve) == 1.0
    alike = {name: [40.0 * (1 + swing * (-1) ** i) for i in range(6)] for name, swing in (("a", 0.5), ("b", -0.5), ("c", 0.5))}
    h, items = company(**alike)
    assert launches.credibility(h, items, launches.curves(h, items)) == 12.0
    assert launches.credibility(*company(), curve) == launches.STEADY


def test_credibility_by_hand():
    """Three launches of six months each against a curve of 1; variance within, and of the means less within / 6, by numpy."""
    flat = pd.DataFrame([("all", 1, 1.0, "company", 3)], columns=launches.CURVE)
    h, items = company(a=[1.0, 200] * 3, b=[250.0, 450] * 3, c=[200.0, 600] * 3)
    ratio = {"a": [0.01, 2] * 3, "b": [2.5, 4.5] * 3, "c": [2, 6] * 3}
    within = np.mean([np.var(v, ddof=1) for v in ratio.values()])
    between = np.var([np.mean(v) for v in ratio.values()], ddof=1) - within / 6
    assert launches.credibility(h, items, flat) == pytest.approx(within / between)


def test_an_item_runs_down_to_its_end_as_earlier_ones_did():
    """Three items sold 100 for years, then 75, 50 and 25 in their last three months. One that ends runs down alike:
    a quarter less, then half, then a quarter is left; what it lets go is the successor's. Known already in the run-down:
    the recent level holds the first step."""
    gone = [100.0] * 30 + [75.0, 50.0, 25.0]
    h = history({"old": [90.0] * YEARS, "heir": [40.0] * YEARS, **{f"g{i}": [*gone, *[0.0] * 6] for i in range(3)}})
    end = h["month"].max()
    ends = frames.next_month(end, -6)
    items = frame(ITEMS, f"old f - {frames.next_month(end, 4):%Y-%m-%d} heir -", "heir f - - - -", *[f"g{i} f - {ends:%Y-%m-%d} - -" for i in range(3)])
    assert launches.fades(h, items).tolist() == pytest.approx([0.75, 0.5, 0.25])
    assert launches.fades(h, items.iloc[:4]).tolist() == [1, 1, 1], "two endings are too few"
    f = pd.DataFrame([(i, "EU", m, "SES", v) for i, v in (("old", 100.0), ("heir", 40.0)) for m in frames.months(frames.next_month(end), 6)],
                     columns=["item", "location", "month", "model", "baseline"])
    done = launches.ended(f, items, history=h).set_index("item")["baseline"]
    assert done["old"].tolist() == pytest.approx([100, 75, 50, 25, 0, 0])
    assert done["heir"].tolist() == pytest.approx([40, 65, 90, 115, 140, 140])
    late = items.assign(end_date=items["end_date"].where(items["item"] != "old", f"{frames.next_month(end, 2):%Y-%m-%d}"))
    assert launches.ended(f, late, history=h).set_index("item")["baseline"]["old"].tolist() == pytest.approx([100 * 0.5 / 0.75, 100 * 0.25 / 0.75, 0, 0, 0, 0])


def test_a_launch_that_never_came_is_not_planned_for_ever():
    """A date passed in May: expected any month, from the first month ahead. A date a year ago and nothing sold: no."""
    h = history({"old": [100.0] * 36})
    late = frame(ITEMS, "old f - - - -", "coming f 2026-05-01 - - old")
    never = frame(ITEMS, "old f - - - -", "coming f 2025-05-01 - - old")
    undated = frame(ITEMS, "old f - - - -", "coming f - - - old")
    assert coming(h, late) == pytest.approx([25] * 6)
    assert coming(h, never) == coming(h, undated) == []


def test_where_the_like_item_has_ended_its_successor_is_followed():
    h = history({"old": [0.0] * 36, "heir": [80.0] * 36})
    items = frame(ITEMS, "old f - 2026-03-31 heir -", "heir f - - - -", "coming f 2026-08-01 - - old")
    assert coming(h, items) == pytest.approx([0, 20, 20, 20, 20, 20])


def test_a_coming_item_is_less_sure_than_its_like_item():
    f = cycle(*[company(**THREE)[0]], items=company(**THREE)[1])[2]
    own = f[(f["item"] == "coming") & (f["baseline"] > 0)]
    assert (own["hi80"] >= 2 * own["baseline"] - 1e-9).all()
    assert (own["lo95"] <= own["lo80"]).all() and (own["lo80"] <= own["baseline"] / 2 + 1e-9).all()


def test_what_the_plan_rests_on_is_told_in_money():
    h, items = company(**THREE, young=[50.0] * 3)
    curve = launches.curves(h, items)
    f = cycle(h, items=items)[2]
    plan = f.assign(consensus=f["baseline"], revenue=f["baseline"] * 2)
    table = launches.told(f, plan, items, curve, h, months=frames.months("2026-07", 6)).set_index("item")
    assert sorted(table.index) == ["coming", "young"]
    assert table.loc["coming", ["basis", "launches", "units", "revenue"]].tolist() == ["family", 3, pytest.approx(90), pytest.approx(180)]
    assert table.loc["coming", "share"] == pytest.approx((10 + 20 + 30 + 30) / 400)
    assert table.loc["young", ["basis", "share"]].tolist() == ["own", pytest.approx(0.30 * (0.75 * 150 / 60 + 0.25))], "k 1, w 3/4; 150 sold where the curve had 60"
    assert launches.told(f[f["item"] == "old"], plan, items, curve, h, months=["2026-07"]).empty


def test_a_company_without_like_items_is_left_alone():
    h = history({"A": [10.0] * 36})
    assert launches.curves(h, pd.DataFrame({"item": ["A"]}))["basis"].tolist() == ["assumed"]
    assert launches.follow(frames.empty(frames.FORECAST), h, frame(ITEMS, "A f - - - A"), launches.curves(h, frame(ITEMS, "A f - - - A")), new_months=6).empty


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1e4), min_size=1, max_size=12), min_size=0, max_size=5))
def test_shares_stay_between_nothing_and_the_like_item(grown):
    h, items = company(**{f"n{i}": values for i, values in enumerate(grown)})
    for shape in ("bass", "measured"):
        curve = launches.curves(h, items, shape=shape)
        assert curve["share"].between(0, 1).all()
    assert curve.groupby("family")["since"].apply(lambda s: s.tolist() == list(range(1, len(s) + 1))).all()


# --- how sure a launch is -------------------------------------------------------------------------------------------


def pair(weight: float) -> pd.DataFrame:
    """A like item at 100, 80 to 125, and what is believed of a young one's own demand; it reaches half."""
    said = {"baseline": 100.0, "lo80": 80.0, "hi80": 125.0, "lo95": 64.0, "hi95": 156.25}
    return launches._like(pd.DataFrame([said]), np.array([0.5]), np.array([weight]))


def test_the_band_of_a_launch_by_pencil():
    """Before it is sold: √(ln²1.25 + ln²2.8) = 1.0535, so 50 · e^±1.0535. Half believed: √(ln²1.25 + ln²2.8 / 2) = 0.7615. Believed whole: the like item's own band."""
    assert pair(0.0)[["lo80", "baseline", "hi80"]].iloc[0].tolist() == pytest.approx([50 * np.exp(-1.05351), 50, 50 * np.exp(1.05351)], rel=1e-4)
    assert pair(0.5)[["lo80", "hi80"]].iloc[0].tolist() == pytest.approx([50 * np.exp(-0.76150), 50 * np.exp(0.76150)], rel=1e-4)
    assert pair(1.0)[["lo80", "hi80", "lo95", "hi95"]].iloc[0].tolist() == pytest.approx([40, 62.5, 32, 78.125])


@pytest.mark.parametrize("n", [0, 1, 3, 6])
def test_the_doubt_shrinks_as_in_a_simulation(n):
    """Launches end up ±σ apart (logarithms), their months stray k · σ² around that; the blend with w = n / (n + k) misses by σ √(1 − w)."""
    rng, k, spread = np.random.default_rng(n), 3.0, 0.8
    truth = rng.normal(0, spread, 40_000)
    own = truth + rng.normal(0, spread * np.sqrt(k / max(n, 1)), 40_000)
    w = n / (n + k)
    assert np.std(truth - w * own) == pytest.approx(spread * np.sqrt(1 - w), rel=0.02)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.lists(st.floats(0, 1e6), min_size=5, max_size=5), st.floats(0, 2))
@example(0.0, 0.0, [0.0, 0.0, 1.0, 1.0, 2.225073858507203e-309], 0.0)  # next to nothing, and a share of it
def test_the_band_of_any_launch_is_in_order_and_the_more_is_believed_the_narrower(one, other, values, share):
    said = dict(zip(["lo95", "lo80", "baseline", "hi80", "hi95"], sorted(values), strict=True))
    found = [launches._like(pd.DataFrame([said]), np.array([share]), np.array([w])).iloc[0] for w in sorted([one, other])]
    for row in found:
        assert np.isfinite(row.to_numpy()).all() and row["lo95"] <= row["lo80"] * (1 + 1e-9) and row["lo80"] <= row["baseline"] * (1 + 1e-9)
        assert row["baseline"] <= row["hi80"] * (1 + 1e-9) and row["hi80"] <= row["hi95"] * (1 + 1e-9)
    assert found[0]["lo80"] <= found[1]["lo80"] * (1 + 1e-9) and found[0]["hi80"] * (1 + 1e-9) >= found[1]["hi80"]
