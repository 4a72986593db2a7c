"""Named actions against what is missing to the budget."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import closing, frames

ITEMS = frame("item family", "A Tea", "B Tin")
MONTHS = frames.months("2026-10", 3)
PLAN = frame("item location month baseline price", *[f"{item} {place} {m:%Y-%m} 100 10" for item in "AB" for place in ("EU", "US") for m in MONTHS])


def deal(name: str, amount: float, chance: float, close: str | None, added: bool) -> dict:
    return {"opportunity": name, "account": f"acc {name}", "rep": "R1", "family": "Tea", "amount": amount, "expected": amount * chance,
            "close_date": pd.Timestamp(close) if close else pd.NaT, "added": added}


def event(name: str, key: str, start: str, end: str, location: str = "all", effect: float = 0.5, kind: str = "promotion") -> dict:
    return {"event": name, "name": name, "kind": kind, "start": pd.Timestamp(start), "end": pd.Timestamp(end), "level": "item", "key": key, "location": location, "effect": effect}


def actions(shortfall: float = 1e9, **given) -> pd.DataFrame:
    return closing.actions(shortfall, months=MONTHS, plan=PLAN, items=ITEMS, **given)


def test_of_a_deal_counts_what_falls_into_the_year_and_is_not_in_the_plan():
    """600 at 50 %: half is in the plan; closing in November, two of six parts are delivered this year: 600 × 0.5 × 2/6 = 100.
    A deal left to the run-rate counts with its chance: 600 × 0.5 × 3/6 = 150, after all that is new."""
    found = actions(deals=pd.DataFrame([deal("small", 600, 0.5, None, False), deal("big", 600, 0.5, "2026-11-20", True), deal("late", 600, 0.5, "2027-01-05", True)]), names={"R1": "Dewi", "acc big": "Mitra"})
    assert found[["kind", "owner", "amount", "running", "care"]].values.tolist() == [["won", "Dewi", 100, 100, "new"], ["left_out", "Dewi", 150, 250, "runrate"]]
    assert found["values"].iloc[0]["account"] == "Mitra"


def test_a_promotion_without_a_successor_is_worth_its_lift_once_more():
    """23 of 92 days at +50 % of A's 3 × 100 × 10 in one place: 375. B has another promotion coming; the old one is too old."""
    found = actions(events=pd.DataFrame([
        event("again", "A", "2026-06-01", "2026-06-23", "EU"), event("old", "A", "2025-05-01", "2025-05-23", "US"),
        event("B before", "B", "2026-06-01", "2026-06-23"), event("B to come", "B", "2026-11-01", "2026-11-30")]))
    assert found[["kind", "name", "amount"]].values.tolist() == [["renewed", "again", pytest.approx(0.5 * 23 / 92 * 3000)]]
    assert found["owner"].isna().all(), "nobody is named"
    named = pd.DataFrame([{**event("again", "A", "2026-06-01", "2026-06-23", "EU"), "owner": "rina.kusuma"}])
    assert actions(events=named, names={"rina.kusuma": "Rina Kusuma"})["owner"].tolist() == ["Rina Kusuma"], "who planned it"


def test_cuts_by_owner_and_what_meetings_agreed_stand_last():
    cuts = frame("override month amount owner", "O1 2026-10 -30 Budi", "O2 2026-11 -20 Budi", "O3 2026-11 40 Budi", "O4 2027-02 -99 Budi")
    agreed = frame("action title owner state amount due", "A1 Call Dewi open 500 2026-11-01", "A2 Paid Dewi done 900 2026-11-01")
    found = actions(overrides_used=cuts, agreed=agreed)
    assert found[["kind", "owner", "amount"]].values.tolist() == [["cut", "Budi", 50], ["agreed", "Dewi", 500]]
    assert found["running"].isna().tolist() == [False, True], "what is at stake is not added up"


def test_the_line_that_closes_the_gap_is_marked_and_the_sums_are_told():
    deals = pd.DataFrame([deal(f"d{n}", 200 * n, 0.5, None, True) for n in range(1, 6)] + [deal("small", 400, 0.5, None, False)])
    found = actions(430, deals=deals)
    assert found["amount"].tolist() == [250, 200, 150, 100, 50, 100] and found["closes"].tolist() == [False, True, False, False, False, False]
    assert closing.summary(found, 430) == {"shortfall": 430, "new": 750, "doubtful": 100, "stake": 0, "open": 0, "unnamed": 0, "lines": 6}
    short = closing.shown(found, each=2)
    assert short[["kind", "amount", "running"]].values.tolist() == [["won", 250, 250], ["won", 200, 450], ["others", 300, 750], ["left_out", 100, 850]]
    assert short["values"].iloc[2] == {"n": 3}


def test_with_nothing_named_all_is_open():
    found = actions(100)
    assert found.empty and closing.summary(found, 100)["unnamed"] == 100 and closing.shown(found).empty


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(0, 1), st.booleans()), max_size=12), st.floats(1, 1e9))
def test_shown_or_not_the_sums_are_the_same(rows, shortfall):
    deals = pd.DataFrame([deal(f"d{n}", amount, chance, None, added) for n, (amount, chance, added) in enumerate(rows)]) if rows else None
    found = actions(shortfall, deals=deals)
    sums = closing.summary(found, shortfall)
    assert closing.shown(found)["amount"].sum() == pytest.approx(found["amount"].sum())
    assert sums["new"] + sums["doubtful"] == pytest.approx(found["amount"].sum())
    assert found["closes"].any() == (found["amount"].sum() >= shortfall) or abs(found["amount"].sum() - shortfall) < 1e-3
