"""What the plan rests on: the params file first, the ledger's later word wins, and what nobody judged in time."""

from __future__ import annotations

import datetime as dt
import doctest
from pathlib import Path

import pytest

from sopnb import assumptions, ledger
from sopnb.params import Assumption

GIVEN = [Assumption(id="S1", text="Sugar stays below 17", amount=-40, owner="p01", made=dt.date(2026, 8, 10), due=dt.date(2026, 9, 30)).model_dump(),
         Assumption(text="Tea is listed", if_not="a month later", amount=-10, owner="p02", made=dt.date(2026, 6, 1)).model_dump(),
         Assumption(id="S2", text="Glass is on time", amount=5).model_dump()]


@pytest.fixture
def book(tmp_path: Path) -> ledger.Ledger:
    return ledger.open(None, tmp_path)


def log(book: ledger.Ledger, day: str = "2026-10-01"):
    return assumptions.log(book.assumptions(day, plus=assumptions.stated(GIVEN, cycle="2026-10")), as_of=day)


def test_examples():
    assert doctest.testmod(assumptions).failed == 0


def test_the_params_file_is_the_start_of_the_log(book: ledger.Ledger):
    """Sugar should be known since the end of September; tea, without a date, after ninety days: 1 June + 90 = 30 August. Glass has no day at all."""
    rows = log(book).set_index("assumption")
    tea = assumptions.named("Tea is listed")
    assert set(rows.index) == {"S1", tea, "S2"} and rows["state"].eq("open").all()
    assert rows.loc[["S1", tea, "S2"], "overdue_days"].tolist() == [1, 32, 0]
    assert rows.loc["S1", "age_days"] == 52


def test_the_ledgers_later_word_wins_and_only_from_its_day_on(book: ledger.Ledger):
    book.record([ledger.event("judge", "S1", day="2026-09-20", cycle="2026-09", origin="cli", who="p01", state="failed", note="19 since July"),
                 ledger.event("assume", "S2", day="2026-09-21", cycle="2026-09", origin="cli", text="Glass is a week late at most", owner="p03", amount=7.0),
                 ledger.event("assume", "S3", day="2026-09-22", cycle="2026-09", origin="cli", text="Rain starts in November", owner="p03", due="2026-11-30")])
    rows = log(book).set_index("assumption")
    assert rows.loc["S1", ["state", "note"]].tolist() == ["failed", "19 since July"] and rows.loc["S1", "overdue_days"] == 0
    assert rows.loc["S2", "text"] == "Glass is a week late at most" and rows.loc["S3", "state"] == "open"
    assert f"{rows.loc['S3', 'due']:%Y-%m-%d}" == "2026-11-30"
    assert log(book).iloc[0]["assumption"] == "S1", "what failed stands first"
    assert assumptions.at_stake(log(book)) == -40
    assert log(book, "2026-09-19").set_index("assumption").loc["S1", "state"] == "open"


def test_an_assumption_without_a_number_keeps_its_own_when_others_are_struck_out(book: ledger.Ledger):
    """Numbers by place would give what was said of one to another."""
    tea = assumptions.named("Tea is listed")
    book.record([ledger.event("judge", tea, day="2026-09-20", cycle="2026-09", origin="cli", state="held")])
    rows = assumptions.log(book.assumptions("2026-10-01", plus=assumptions.stated(GIVEN[1:], cycle="2026-10")), as_of="2026-10-01").set_index("assumption")
    assert rows.loc[tea, "state"] == "held" and rows.loc["S2", "state"] == "open"


def test_judged_again_the_last_word_counts(book: ledger.Ledger):
    for day, state in (("2026-09-20", "failed"), ("2026-09-25", "open")):
        book.record([ledger.event("judge", "S1", day=day, cycle="2026-09", origin="cli", state=state)])
    assert log(book).set_index("assumption").loc["S1", ["state", "overdue_days"]].tolist() == ["open", 1]


def test_nothing_is_assumed_where_nothing_is_stated(book: ledger.Ledger):
    assert assumptions.log(book.assumptions("2026-10-01"), as_of="2026-10-01").empty
