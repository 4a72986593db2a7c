"""The pack of the meeting as it is read: one unit for the money of an answer, points by part, no picture of nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from sopnb import frames, meeting_page, words
from sopnb.blocks import Block
from sopnb.tables import Table


@pytest.fixture(autouse=True)
def rupiah():
    with words.speaking("en", "IDR"):
        yield


def _tables(block: Block) -> list[Table]:
    return [part for part in block.parts if isinstance(part, Table)]


ASKED = pd.DataFrame({
    "decision": ["D1", "D2"], "position": [1, 2], "question": ["meeting.point_own"] * 2, "values": ['{"title": "How?"}', '{"title": "Who?"}'],
    "amount": [4.5e9, 1e9], "overlap": [0.0, 0.0], "decides": ["p1", None], "by": pd.to_datetime(["2026-10-08", "2026-10-30"])})
CHOICES = pd.DataFrame({
    "decision": ["D1", "D1"], "option": ["A", "B"], "title": ["meeting.point_own"] * 2, "values": ['{"title": "Earlier"}', '{"title": "Nothing"}'],
    "recommended": [True, False], "nothing": [False, True], "reason": None, "reason_values": None,
    "net": [1.43e9, 0.0], "gains": [1e9, 0.0], "costs": [50.4e6, None], "keeps": [4.5e9, 0.0], "service": [1.0, 0.857], "stock": [3.02e9, 0.0], "people": [0.0, 0.0]})


def test_the_money_of_all_answers_has_one_unit_and_what_is_not_known_is_grey():
    table = _tables(meeting_page.framed(ASKED.head(1), CHOICES, names={}, cycle="2026-10"))[0]
    assert table.subtitle.text == "Consequences of each answer · Rp\u00a0bn"
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells == [["+1.43", "0.05", "4.50", "100.0%", "+3.02", "no change"], ["0.00", "not known", "0.00", "85.7%", "no change", "no change"]]
    assert str(table.rows[1].cells[1].html) == '<span class="m">not known</span>'


def test_the_decisions_say_how_many_are_due_first():
    caption = _tables(meeting_page.decisions(ASKED, CHOICES, names={}, cycle="2026-10"))[0].caption.text
    assert caption == "1 of 2 must be answered by 8 October 2026; the others have more time"
    together = ASKED.assign(by=pd.Timestamp("2026-10-08"))
    assert _tables(meeting_page.decisions(together, CHOICES, names={}, cycle="2026-10"))[0].caption.text == "All are due on 8 October 2026"


def test_the_agenda_has_a_table_for_each_part_and_no_point_is_lost():
    points = pd.DataFrame({
        "position": [1, 2, 3], "point": ["P01", "P02", "P03"], "part": ["last", "last", "ahead"], "kind": ["own", "own", "decision"], "topic": ["meeting.point_own"] * 3,
        "values": ['{"title": "Safety"}', '{"title": "Results"}', '{"title": "Oven"}'], "minutes": [2, 3, 6], "owner": ["p1"] * 3, "amount": [None, None, 1e9],
        "edited": [None] * 3, "edited_by": [None] * 3})
    *parts, numbers = _tables(meeting_page.agenda(points, frames.empty(frames.MEETING_FINDINGS), day="2026-10-08", time="09:00", place="", purpose="One plan.", names={}, cycle="2026-10"))
    assert [one.caption.text for one in parts] == ["Last month: 2 points, 5 min", "Forecast and plans ahead: one point, 6 min"]
    assert [row.name.text for one in parts for row in one.rows] == ["Safety", "Results", "Oven"]
    assert numbers.shut and [row.name.text for row in numbers.rows] == ["P01", "P02", "P03"]


def _running(*late: int) -> pd.DataFrame:
    n = len(late)
    return pd.DataFrame({"action": [f"A{i}" for i in range(n)], "title": "Do", "owner": "p1", "state": "open", "due": pd.Timestamp("2026-09-20"), "overdue_days": late, "age_days": 30, "amount": 1e9})


def test_no_chart_is_drawn_of_actions_of_which_none_is_late():
    calm, late = (meeting_page.actions(_running(*days), as_of="2026-10-01", names={}) for days in ((0, 0), (0, 3, 9)))
    assert len(calm.parts) == 2 and len(late.parts) == 3
    assert "More than a week late: 1 of the 2 overdue" in late.text and "Rp 3.0 bn waits on what is open" in late.text.replace("\u00a0", " ")


def test_where_decisions_missed_is_the_caption():
    known = pd.DataFrame({"effect_kpi": ["fill_rate", "fill_rate", "otif", "otif"], "outcome": ["missed", "missed", "missed", "hit"]})
    assert meeting_page._outcomes(known).text == "2 of the 3 that missed were about Fill rate"
    assert meeting_page._outcomes(known.tail(2)).text == "One decision missed: it was about On time in full"
    assert meeting_page._outcomes(known.tail(1)).text == "No decision missed what it was meant to bring"


def test_the_costliest_assumption_still_open_is_named():
    log = pd.DataFrame({"state": ["failed", "open", "open"], "amount": [-9e9, -1e9, -4.1e9], "text": ["Gone", "Small", "The oven stands still"]})
    assert meeting_page._riskiest(log).text.replace("\u00a0", " ") == "The costliest still open, −Rp 4.1 bn: The oven stands still"
    assert meeting_page._riskiest(log.head(1)).text == "What the plan rests on"


def test_what_a_question_rests_on_stands_before_the_advice(monkeypatch):
    monkeypatch.setitem(words.MESSAGES, "meeting.more_own", "Forty units are short.")
    one, advice = {"question": "meeting.ask_own", "values": "{}"}, words.plain("Take A.")
    assert meeting_page._because(one, advice).text == "Forty units are short. Take A."
    assert meeting_page._because({"question": "meeting.point_own", "values": "{}"}, advice).text == "Take A."
