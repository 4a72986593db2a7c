"""Decisions judged in the month they named: expected and realised side by side, and what counts as a hit."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame

from sopnb import frames, kpis, meeting_page, words
from sopnb.scored import scored


def taken(*rows: tuple) -> pd.DataFrame:
    """Decisions: number, month of the meeting, measure, expected effect, month of judgement; what a person said."""
    df = pd.DataFrame([(*row, *[None] * (6 - len(row))) for row in rows], columns=["decision", "cycle", "effect_kpi", "effect", "judged", "said"])
    return df.assign(title="Decide", decided_by="p01", said_by=df["said"].map({"hit": "rina", "missed": "rina"}), note=None, effect=df["effect"].astype("float64"),
                     cycle=pd.to_datetime(df["cycle"]), judged=pd.to_datetime(df["judged"]))


MEASURED = frame("kpi scope month value", "otif all 2026-08 0.90", "otif all 2026-12 0.91", "otif north 2026-12 0.5", "stock all 2026-08 50", "stock all 2026-12 46")


def outcomes(*rows: tuple, month: str = "2026-12", measured: pd.DataFrame = MEASURED, **settings: float) -> list[str]:
    return scored(taken(*rows), measured, month=month, **settings)["outcome"].tolist()


def test_expected_and_realised_stand_side_by_side_once_the_month_has_come():
    """Decided in September on August's 90 %, expected +2 points by December; December brought 91 %: half of it."""
    row = scored(taken(("D1", "2026-09", "otif", 0.02, "2026-12")), MEASURED, month="2026-12").iloc[0]
    assert (row["expected"], row["before"], row["after"], round(row["realised"], 6), round(row["came"], 6)) == (0.02, 0.90, 0.91, 0.01, 0.5)
    assert (row["outcome"], row["by"]) == ("hit", "measure")
    assert scored(taken(("D1", "2026-09", "otif", 0.02, "2026-12")), MEASURED, month="2026-11").empty
    assert list(scored(taken(), MEASURED, month="2026-12").columns) == frames.SCORED.names


@pytest.mark.parametrize(("kpi", "expected", "share", "outcome"), [
    ("otif", 0.02, 0.5, "hit"),        # half came
    ("otif", 0.02, 0.6, "missed"),     # of which more was asked
    ("otif", 0.021, 0.5, "missed"),    # a little less than half
    ("otif", -0.02, 0.5, "missed"),    # the other way
    ("stock", -8, 0.5, "hit"),         # less is what was expected, and half of it came
    ("stock", -3, 0.5, "hit"),         # more than expected
    ("stock", 8, 0.5, "missed"),
])
def test_a_hit_is_a_stated_share_of_what_was_expected_in_its_direction(kpi, expected, share, outcome):
    assert outcomes(("D1", "2026-09", kpi, expected, "2026-12"), hit_share=share) == [outcome]


def test_where_nothing_can_be_measured_the_decider_is_asked_and_their_word_counts():
    """No measure named, a measure not taken, no change expected, a measure defined anew: each says why."""
    again = MEASURED.assign(version=["1", "2", "1", "1", "1"])
    rows = (("D1", "2026-09", None, None, "2026-12"), ("D2", "2026-09", "cover", 0.1, "2026-12"), ("D3", "2026-09", "stock", 0.0, "2026-12"), ("D4", "2026-09", "otif", 0.02, "2026-12"))
    found = scored(taken(*rows), again, month="2026-12")
    assert found["outcome"].tolist() == ["ask"] * 4 and found["by"].isna().all() and found["came"].isna().all()
    assert found["because"].str.removeprefix("scored.because.").tolist() == ["no_effect", "no_value", "nothing", "definition"]
    told = scored(taken(*((*row, "hit") for row in rows)), again, month="2026-12")
    assert told["outcome"].tolist() == ["hit"] * 4 and set(told["by"]) == {"person"} and set(told["said_by"]) == {"rina"}


def test_where_the_measure_speaks_a_persons_word_does_not_change_it():
    row = scored(taken(("D1", "2026-09", "otif", 0.02, "2026-12", "missed")), MEASURED, month="2026-12").iloc[0]
    assert (row["outcome"], row["by"], row["said_by"]) == ("hit", "measure", None)


def test_the_hit_rate_is_of_twelve_months_and_joins_the_month_judged():
    """Three judged in the year up to December, two of them hits; one waits for a word, one is longer ago."""
    rows = (("D1", "2026-09", "otif", 0.02, "2026-12"), ("D2", "2026-09", "otif", 0.2, "2026-12"), ("D3", "2026-09", None, None, "2026-12", "hit"),
            ("D4", "2026-09", None, None, "2026-12"), ("D5", "2025-09", None, None, "2025-12", "missed"))
    judged = scored(taken(*rows), MEASURED, month="2026-12")
    now = frames.empty(frames.KPIS)
    found = kpis.further(now, {"scored": judged, "orders": None}, month="2026-12", targets={"decision_hit_rate": {"target": 0.6, "watch": 0.4, "better": "higher"}})
    row = found.iloc[0]
    assert (row["kpi"], row["numerator"], row["denominator"], row["status"]) == ("decision_hit_rate", 2, 3, "on")
    assert kpis.further(found, {"scored": judged}, month="2026-12").equals(found), "what was taken stays"
    assert kpis.further(now, {"scored": judged.iloc[:0]}, month="2026-12").empty, "absent, never zero"


def test_the_meeting_sees_outcomes_beside_what_was_expected_and_whom_to_ask():
    words.speak("en", "USD")
    rows = (("D1", "2026-09", "otif", 0.02, "2026-12"), ("D2", "2026-09", None, None, "2026-12"), ("D3", "2026-09", "cover", 1.0, "2026-12", "missed"))
    shown = repr(meeting_page.judged(scored(taken(*rows), MEASURED, month="2026-12"), names={"rina": "Rina Kusuma"}))
    assert "1 of 2 decisions judged brought what they were meant to. One more cannot be measured: ask whoever decided it." in shown
    assert "+2.0 pts" in shown and "+1.0 pts" in shown and "no measure was named" in shown and "Rina Kusuma" in shown
    assert "No decision can be judged yet" in repr(meeting_page.judged(scored(taken(), MEASURED, month="2026-12")))
