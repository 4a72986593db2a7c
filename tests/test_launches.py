"""Items without a history: planned at the share that this company's earlier launches reached, never at all of the like item."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from test_forecast import cycle, history

from sopnb import forecast, frames, launches

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


def test_a_young_item_keeps_its_own_share():
    """Two months of half the like item's demand: half its baseline. Sold in one location only: nothing is made up for others."""
    h = history({"old": [100.0] * 36, "young": [50.0, 50.0]})
    there = h[h["item"] == "old"].assign(location="US")
    items = frame(ITEMS, "old f - - - -", "young f 2026-05-01 - - old")
    f = cycle(pd.concat([h, there], ignore_index=True), items=items)[2]
    assert f[f["item"] == "young"].groupby("location")["baseline"].apply(lambda s: s.round(6).unique().tolist()).to_dict() == {"EU": [50.0]}


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
    assert table.loc["young", ["basis", "share"]].tolist() == ["own", pytest.approx(0.5)]
    assert launches.told(f[f["item"] == "old"], plan, items, curve, h, months=["2026-07"]).empty


def test_a_company_without_like_items_is_left_alone():
    h = history({"A": [10.0] * 36})
    assert launches.curves(h, pd.DataFrame({"item": ["A"]}))["basis"].tolist() == ["assumed"]
    assert forecast.launches.follow(frames.empty(frames.FORECAST), h, frame(ITEMS, "A f - - - A"), launches.curves(h, frame(ITEMS, "A f - - - A")), new_months=6).empty


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1e4), min_size=1, max_size=12), min_size=0, max_size=5))
def test_shares_stay_between_nothing_and_the_like_item(grown):
    h, items = company(**{f"n{i}": values for i, values in enumerate(grown)})
    curve = launches.curves(h, items)
    assert curve["share"].between(0, 1).all()
    assert curve.groupby("family")["since"].apply(lambda s: s.tolist() == list(range(1, len(s) + 1))).all()
