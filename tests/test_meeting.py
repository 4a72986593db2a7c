"""The pack before the meeting, the minutes after it."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import agenda, frames, ledger, meeting, words
from sopnb.problems import Problems

PEOPLE = pd.DataFrame({
    "person": ["p01", "p02", "p03", "p05"], "name": ["Dewi", "Budi", "Sari", "Andi"],
    "role": ["Managing director", "Supply planner", "Sales director", "Supply clerk"],
    "mandatory": [True, True, True, False],
})
MINUTES = """
cycle: 2026-09
held_on: 2026-09-08
chair: p01
attendance: [{person: p01, state: present}, {person: p02, state: delegated, delegate: p05}]
points: [{topic: "Oven", discussion: "318 hours short: before Lebaran"}]
decisions: [{id: D1, title: "Run Saturdays", option: A, decided_by: p01, effect_kpi: otif, effect: 0.02, judged: 2026-12, asked: D1}]
actions: [{id: A1, title: "Book the crews", owner: p02, due: 2026-09-30, amount: 1200000000, source: D1}]
updates: [{action: 2026-08-A2, state: done, on: 2026-09-05}]
next_meeting: 2026-10-08
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "minutes.yaml"
    path.write_text(MINUTES, encoding="utf-8")
    return path


def _exceptions() -> pd.DataFrame:
    rows = [("x1", "overload", None, None, "Oven", "2026-11", 318.0, 300.0), ("x2", "short", "A", "JKT", None, "2026-12", 40.0, 500.0),
            ("x3", "excess", "B", "all", None, "2026-10", 10.0, 50.0)]
    df = pd.DataFrame(rows, columns=["id", "kind", "item", "location", "resource", "first", "units", "amount"])
    return frames.conform(df.assign(first=pd.to_datetime(df["first"]), last=pd.to_datetime(df["first"]), because=None, values="{}", group=df["id"], overlap=0.0),
                          frames.EXCEPTIONS)


def _options(*pairs: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["exception", "option", "recommended"])


# --- minutes --------------------------------------------------------------------------------------------------------

def test_a_workbook_says_the_same_as_the_yaml(file: Path, tmp_path: Path):
    import xlsxwriter

    data = yaml.safe_load(MINUTES.replace(" on:", " 'on':"))
    book = xlsxwriter.Workbook(str(tmp_path / "minutes.xlsx"), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("meeting")
    for i, name in enumerate(["cycle", "held_on", "chair", "next_meeting"]):
        sheet.write(i, 0, name)
        sheet.write_datetime(i, 1, data[name]) if name in ("held_on", "next_meeting") else sheet.write(i, 1, data[name])
    for name in ("attendance", "points", "decisions", "actions", "updates"):
        sheet, heads = book.add_worksheet(name), list(dict.fromkeys(k for row in data[name] for k in row))
        sheet.write_row(0, 0, heads)
        for i, row in enumerate(data[name], start=1):
            for j, head in enumerate(heads):
                value = row.get(head)
                sheet.write_datetime(i, j, value) if hasattr(value, "year") else sheet.write(i, j, value)
    book.close()
    ours, theirs = meeting.read_minutes(file), meeting.read_minutes(tmp_path / "minutes.xlsx")
    assert meeting.events(ours, PEOPLE) == meeting.events(theirs, PEOPLE)


def test_no_file_means_not_held_yet(tmp_path: Path):
    assert meeting.held(None) is None and meeting.held(tmp_path / "minutes.yaml") is None
    with pytest.raises(Problems, match="the minutes are not there"):
        meeting.read_minutes(tmp_path / "minutes.yaml")


def test_who_must_come_and_is_not_named_was_absent(file: Path):
    came = meeting.attendance(meeting.read_minutes(file), PEOPLE)
    assert dict(zip(came["person"], came["state"], strict=True)) == {"p01": "present", "p02": "delegated", "p03": "absent"}
    assert list(meeting.missing(came)["name"]) == ["Sari"]
    assert meeting.quorum(came, share=0.5) == {"there": 2, "of": 3, "share": 2 / 3, "met": True}
    assert not meeting.quorum(came, share=0.75)["met"]


def test_the_meeting_opens_and_closes_actions_in_the_ledger(file: Path, tmp_path: Path):
    book = ledger.open(None, tmp_path)
    earlier = ledger.event("add", "2026-08-A2", day="2026-08-08", cycle="2026-08", origin="minutes:2026-08", title="Ask", owner="p03", due="2026-09-01")
    book.record([earlier])
    said = meeting.read_minutes(file)
    draft = book.actions("2026-09-08", plus=meeting.events(said, PEOPLE))
    assert meeting.record(book, said, PEOPLE) == 7  # held, three who came or not, a decision, an action, an update
    assert meeting.record(book, said, PEOPLE) == 0
    after = book.actions("2026-09-08")
    pd.testing.assert_frame_equal(after, draft)
    assert dict(zip(after["action"], after["state"], strict=True)) == {"2026-08-A2": "done", "2026-09-A1": "open"}
    assert after["source"].tolist() == [None, "2026-09-D1"]
    assert book.actions("2026-09-07")["state"].tolist() == ["open"], "what is reported on the 8th is not known on the 7th"
    assert book.decisions("2026-09-08")["effect"].tolist() == [0.02]


def test_a_decision_is_scored_once_its_month_has_come():
    """Decided in September on August's 90 %, expected +2 points by December; December brought 91 %: half of it."""
    taken = pd.DataFrame({"decision": ["2026-09-D1"], "title": ["Run Saturdays"], "effect_kpi": ["otif"], "effect": [0.02],
                          "judged": [pd.Timestamp("2026-12-01")], "cycle": [pd.Timestamp("2026-09-01")]})
    kpis = frame("kpi scope month value", "otif all 2026-08 0.90", "otif all 2026-12 0.91", "otif north 2026-12 0.5")
    row = meeting.scored(taken, kpis, month="2026-12").iloc[0]
    assert (row["before"], row["after"], round(row["realised"], 6), round(row["came"], 6)) == (0.90, 0.91, 0.01, 0.5)
    assert meeting.scored(taken, kpis, month="2026-11").empty


# --- the pack -------------------------------------------------------------------------------------------------------

def test_decisions_are_asked_by_money_with_a_recommendation_and_a_decider():
    options = _options(("x1", "A", False), ("x1", "B", True), ("x2", "A", True))
    out = meeting.asked(_exceptions(), options, decides={"overload": "Supply planner"}, meeting_day="2026-10-08", people=PEOPLE)
    assert out[["exception", "recommended", "position"]].to_numpy().tolist() == [["x2", "A", 1], ["x1", "B", 2]]
    assert out["decides"].tolist() == [None, "p02"], "nobody may decide on a shortage: it is flagged by a missing name"
    assert out["by"].tolist() == [pd.Timestamp("2026-10-30"), pd.Timestamp("2026-10-08")]  # 30 days before December is a Sunday; not before the meeting


def test_many_items_of_one_cause_are_one_question():
    """Three of a kind: 500 + 300 + 50 = 850 is one question, its largest named; the options are those of the group."""
    many = _exceptions().assign(kind="obsolete", item=["A", "B", "C"], resource=None, because="exceptions.obsolete_ended", group="all-obsolete_ended", first=pd.Timestamp("2026-10-01"))
    out = meeting.asked(many, _options(("all-obsolete_ended", "A", True)), decides={"excess": "x"}, meeting_day="2026-10-08")
    assert out[["exception", "amount", "recommended", "decides"]].to_numpy().tolist() == [["all-obsolete_ended", 850.0, "A", "x"]]
    told = json.loads(out["values"][0])
    assert (told["n"], told["what"], told["largest"], told["units"]) == (3, "B", 500.0, 368.0)
    assert words.message(out["question"][0], told).text == "What do we do with the stock of 3 items whose selling has ended?"
    alone = meeting.asked(many.assign(group=many["id"]), decides={}, meeting_day="2026-10-08")
    assert len(alone) == 3 and set(alone["question"]) == {"meeting.ask_obsolete"}


def test_one_item_in_several_places_is_asked_about_as_one_item():
    places = _exceptions().assign(kind="excess", item="A", location=["JKT", "MDN", "SBY"], resource=None, group="all-excess")
    out = meeting.asked(places, decides={}, meeting_day="2026-10-08")
    assert words.message(out["question"][0], out["values"][0]).text == "What do we do with 368 units too many of A?"


def test_one_month_is_said_as_one_month():
    asked = meeting.asked(_exceptions(), decides={}, meeting_day="2026-10-08").set_index("exception")
    assert words.message(asked["question"]["x1"], asked["values"]["x1"]).text == "How do we cover the 318 hours that Oven lacks in November 2026?"
    longer = _exceptions().assign(last=pd.Timestamp("2027-02-01"))
    asked = meeting.asked(longer, decides={}, meeting_day="2026-10-08").set_index("exception")
    assert "lacks from November 2026" in words.message(asked["question"]["x1"], asked["values"]["x1"]).text


def test_nobody_is_asked_to_decide_on_a_weekend():
    """Thirty days before February 2027 is Saturday 2 January: the Friday before. A meeting's own day stays."""
    february = _exceptions().head(1).assign(first=pd.Timestamp("2027-02-01"), last=pd.Timestamp("2027-02-01"))
    assert meeting.asked(february, decides={}, meeting_day="2026-10-08")["by"].tolist() == [pd.Timestamp("2027-01-01")]
    assert meeting.asked(february, decides={}, meeting_day="2026-10-08", country="ID")["by"].tolist() == [pd.Timestamp("2026-12-31")], "nor on New Year"


def test_what_is_at_stake_on_the_agenda_counts_no_good_twice():
    points = meeting.agenda(exceptions=_exceptions().assign(overlap=[100.0, 0, 0]), minutes=60, month="2026-09")
    assert points["amount"].iloc[0] == 750


def test_small_exceptions_are_left_to_the_planner():
    """All together 850: at a tenth, the 50 of excess is not worth the meeting's time."""
    out = meeting.asked(_exceptions(), decides={}, meeting_day="2026-10-08", least_share=0.1)
    assert out["exception"].tolist() == ["x2", "x1"]


def test_hires_are_asked_for_when_the_offer_cannot_wait():
    """One to start in December, recruited in two months: the offer goes out now. Until the next joins in March they sell 1 + 2 + 3."""
    hiring = frame("month capacity hired hires", "2026-11 100 100 0", "2026-12 100 101 1", "2027-01 100 102 0", "2027-02 100 103 0", "2027-03 100 110 1")
    out = meeting.asked(None, decides={"hiring": "Sales director"}, meeting_day="2026-10-08", people=PEOPLE, hiring=hiring)
    assert out[["amount", "decides", "by"]].to_numpy().tolist() == [[6.0, "p03", pd.Timestamp("2026-10-08")]]
    assert "by February 2027 they can sell USD 6" in words.message("meeting.more_hiring", out["values"][0]).text
    near = meeting.asked(None, decides={}, meeting_day="2026-10-08", hiring=hiring, hiring_until="2027-01-01")
    assert near["amount"].tolist() == [3.0], "to January alone they sell 1 + 2"
    assert meeting.asked(None, decides={}, meeting_day="2026-08-08", hiring=hiring).empty


def test_who_decides_on_excess_decides_on_obsolete_stock():
    obsolete = _exceptions().assign(kind="obsolete").head(1)
    assert meeting.asked(obsolete, decides={"excess": "x"}, meeting_day="2026-10-08")["decides"].tolist() == ["x"]


def test_a_large_gap_to_budget_is_asked_about_and_a_small_one_is_not():
    gap = frame("family month plan budget gap", "Tea 2026-10 90 100 -10", "Oil 2026-10 101 100 1")
    out = meeting.asked(_exceptions(), _options(), decides={"budget": "director"}, meeting_day="2026-10-08", people=PEOPLE, gap=gap)
    assert out["amount"].tolist() == [9.0] and out["decides"].tolist() == ["p01"]
    assert "Tea alone is USD 10" in words.message("meeting.more_budget", out["values"][0]).text
    assert meeting.asked(_exceptions(), _options(), decides={}, meeting_day="2026-10-08", gap=gap, gap_share=0.1).empty


def test_every_question_and_point_has_its_words():
    out = meeting.asked(_exceptions(), decides={}, meeting_day="2026-10-08")
    points = meeting.agenda(exceptions=_exceptions(), asked=out, minutes=60, month="2026-09", chair="p01")
    for topic, values in [*zip(out["question"], out["values"], strict=True), *zip(points["topic"], points["values"], strict=True)]:
        assert "–" not in words.message(topic, values).text
    for kind in ("short", "excess", "obsolete", "overload", "late", "budget"):
        assert f"meeting.ask_{kind}" in words.MESSAGES


def test_the_agenda_goes_from_last_month_to_the_months_ahead():
    kpis = frame("kpi scope month status", "otif all 2026-09 off", "otif all 2026-08 on", "cover all 2026-09 on")
    out = meeting.asked(_exceptions(), decides={"short": "x"}, meeting_day="2026-10-08", people=PEOPLE)
    points = meeting.agenda(None, _exceptions(), kpis, None, None, out, minutes=60, month="2026-09", chair="p01", people=PEOPLE)
    assert points["part"].tolist() == ["last", "now", "ahead", "ahead", "ahead", "ahead"]
    assert points["owner"].tolist() == ["p01", "p02", "p01", "p01", "p01", "p01"]
    assert json.loads(points["values"][0]) == {"names": "otif", "of": 2, "off": 1, "on": 1, "watch": 0}
    assert points["minutes"].tolist() == [5, 5, 15, 15, 15, 5]


def test_people_who_contradict_each_other_are_a_point_of_the_one_who_plans_demand():
    """Three people on one cell and two on another: two points to settle; what was settled or is over is none."""
    said = frame("override level key location month owner state", "O1 item A EU 2026-11 p01 conflict", "O2 item A EU 2026-11 p02 conflict", "O3 item A EU 2026-11 p03 conflict",
                 "O4 total - all 2026-12 p01 conflict", "O5 total - - 2026-12 p02 conflict", "O6 item B EU 2026-10 p01 expired")
    people = pd.concat([PEOPLE, frame("person name role", "p09 Sari Demand_planner")], ignore_index=True)
    known = {"items": frame("item name", "A Tea"), "locations": {"EU": "Europe"}}
    point = meeting.agenda(overrides_used=said, minutes=30, month="2026-09", people=people, **known).iloc[0]
    assert (point["part"], point["owner"]) == ("now", "p09")
    assert json.loads(point["values"])["count"] == 2 and "Tea, Europe, November 2026" in words.message(point["topic"], point["values"]).text
    one = meeting.agenda(overrides_used=said.iloc[:2], minutes=30, month="2026-09").iloc[0]
    assert words.message(one["topic"], one["values"]).text.startswith("Two overrides contradict each other, by p01, p02: A, EU, November 2026")
    assert len(meeting.agenda(overrides_used=said.iloc[5:], minutes=30, month="2026-09")) == 1


def test_without_anything_the_agenda_still_closes_the_meeting():
    points = meeting.agenda(minutes=30, month="2026-09")
    assert points[["topic", "minutes"]].to_numpy().tolist() == [["meeting.point_close.none", 30]]


@settings(max_examples=60, deadline=None)
@given(st.integers(10, 240), st.lists(st.integers(1, 9), min_size=1, max_size=10))
def test_the_minutes_add_up_to_the_time_budget(minutes: int, weights: list[int]):
    shared = agenda.shared(minutes, weights)
    assert sum(shared) == minutes and min(shared) >= 1


def test_the_inputs_stay_as_they_were():
    exceptions, options = _exceptions(), _options(("x1", "A", True))
    before = exceptions.copy(), options.copy()
    meeting.asked(exceptions, options, decides={}, meeting_day="2026-10-08")
    pd.testing.assert_frame_equal(exceptions, before[0])
    pd.testing.assert_frame_equal(options, before[1])


def test_worked_examples():
    from sopnb import minutes

    for module in (meeting, minutes):
        assert doctest.testmod(module).failed == 0
