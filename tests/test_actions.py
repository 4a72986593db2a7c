"""`sopnb actions`, as people and scripts use it between meetings."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re

import pytest
from tiny import add, here

from sopnb import ledger, run

TODAY = "2026-03-25"


@pytest.fixture
def book(tiny):
    """A ledger with two actions of the meeting of 8 March."""
    opened = ledger.open(None, tiny / "reports/tiny")
    opened.record([ledger.event("add", f"2026-03-A{n}", day="2026-03-08", cycle="2026-03", origin="minutes:2026-03", who="p1", title=title, owner=owner, due=due)
                   for n, title, owner, due in ((1, "Book the crews", "p1", "2026-03-20"), (2, "Call [the] carrier", "p2", "2026-04-30"))])
    return opened


def act(sopnb, verb: str, *words: str, day: str = TODAY):
    return sopnb("actions", verb, "params/tiny.yaml", *words, "--as-of", day)


def state(book, action: str, day: str = TODAY):
    return book.actions(day).set_index("action").loc[action]


def listed(sopnb, *words: str, day: str = TODAY) -> list[str]:
    return re.findall(r"^(2026-\d\d-[AX]\d+)", act(sopnb, "list", *words, day=day).out, flags=re.M)


# --- looking --------------------------------------------------------------------------------------------------------

def test_the_list_puts_the_most_overdue_first_and_says_how_many(book, sopnb):
    lines = act(sopnb, "list").out.splitlines()
    assert lines[0].rstrip() == "Tiny, 2026-03-25: 2 open, 1 overdue"
    assert "2026-03-A1" in lines[2] and lines[2].rstrip().endswith("open, 5 days late") and "Call [the] carrier" in lines[3], lines


def test_before_there_is_a_ledger_the_list_is_empty_and_makes_none(tiny, sopnb):
    assert act(sopnb, "list").out == "No such actions on 2026-03-25.\n" and not (tiny / "reports").exists()


def test_each_filter_takes_away_what_it_says(book, sopnb):
    book.add(title="Ask the bank", owner="p1", due="2026-03-27", day="2026-03-24")
    book.change("2026-03-A2", "start", day="2026-03-20")
    a1, a2, x1 = "2026-03-A1", "2026-03-A2", "2026-03-X1"
    assert listed(sopnb) == [a1, x1, a2]
    assert listed(sopnb, "--overdue") == [a1]
    assert listed(sopnb, "--owner", "p1") == [a1, x1]
    assert listed(sopnb, "--owner", "P2") == [a2], "case does not matter"
    assert listed(sopnb, "--due-within", "2") == [x1] and listed(sopnb, "--due-within", "1") == []
    assert listed(sopnb, "--due-before", "2026-03-27") == [a1] and listed(sopnb, "--due-before", "2026-03-28") == [a1, x1]
    assert listed(sopnb, "--older", "16") == [a1, a2] and listed(sopnb, "--older", "17") == []
    assert listed(sopnb, "--state", "started") == [a2]
    book.change(a1, "done", day=TODAY)
    assert listed(sopnb) == [x1, a2] and set(listed(sopnb, "--all")) == {a1, a2, x1} and listed(sopnb, "--state", "done") == [a1]
    book.record([ledger.event("add", "2026-02-A1", day="2026-02-08", cycle="2026-02", origin="minutes:2026-02", title="Old", owner="p1", due="2026-03-20")])
    assert listed(sopnb, "--cycle", "2026-02") == ["2026-02-A1"]


def test_a_script_gets_json_or_csv_and_nothing_else(book, sopnb):
    rows = json.loads(act(sopnb, "list", "--json").out)
    assert rows[0]["action"] == "2026-03-A1" and rows[0]["due"] == "2026-03-20" and rows[0]["closed_on"] is None and rows[0]["overdue_days"] == 5
    table = list(csv.DictReader(io.StringIO(act(sopnb, "list", "--csv").out)))
    assert [row["title"] for row in table] == ["Book the crews", "Call [the] carrier"] and table[0]["due"] == "2026-03-20"
    assert json.loads(act(sopnb, "list", "--owner", "p1", "--state", "done", "--json").out) == []
    assert act(sopnb, "list", "--json", "--csv").code == run.BAD_INPUT


def test_show_tells_the_whole_history_who_when_and_what(book, sopnb, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "server-account")
    act(sopnb, "move", "2026-03-A1", "--due", "2026-05-15", "--owner", "p3", "--note", "The crews are ill", "--who", "Ann")
    act(sopnb, "done", "2026-03-A1", "--note", "signed", day="2026-03-28")
    shown = act(sopnb, "show", "2026-03-A1", day="2026-03-30").out
    assert "2026-03-A1  Book the crews" in shown and "state  done on 2026-03-28" in shown and "owner  p3" in shown
    history = shown.split("What was said of it:")[1].strip().splitlines()
    assert [line.split("  ")[0] for line in history] == ["2026-03-08", "2026-03-25", "2026-03-28"]
    assert "made by p1 (minutes 2026-03): due 2026-03-20, owner p1, title Book the crews" in history[0]
    assert "moved by Ann: due 2026-05-15, owner p3, note The crews are ill" in history[1] and "done by server-account: note signed" in history[2]
    assert re.search(r"written down \d{4}-\d\d-\d\d \d\d:\d\d UTC by server-account", history[2])
    events = json.loads(act(sopnb, "show", "2026-03-A1", "--json").out)
    assert [event["kind"] for event in events] == ["add", "move", "done"] and events[1]["payload"]["note"] == "The crews are ill"


def test_show_marks_what_corrected_minutes_took_back(book, sopnb):
    def said(title: str) -> list:
        return [ledger.event("add", "2026-02-A1", day="2026-02-08", cycle="2026-02", origin="minutes:2026-02", title=title, owner="p1", due="2026-03-20")]

    book.record(said("Bok"), whole="minutes:2026-02")
    book.record(said("Book"), whole="minutes:2026-02")
    history = act(sopnb, "show", "2026-02-A1").out.split("What was said of it:")[1].strip().splitlines()
    assert "no longer holds: the minutes were corrected" in history[0] and "no longer holds" not in history[1]


# --- saying what became of them -------------------------------------------------------------------------------------

def test_done_and_drop_close_and_start_opens_again(book, sopnb):
    assert act(sopnb, "start", "2026-03-A1").out == "2026-03-A1: started.\n"
    assert act(sopnb, "done", "2026-03-A1", "--note", "signed").out == "2026-03-A1: done.\n"
    assert state(book, "2026-03-A1")["state"] == "done" and listed(sopnb) == ["2026-03-A2"]
    assert act(sopnb, "start", "2026-03-A1").code == run.OK
    assert state(book, "2026-03-A1")["state"] == "started", "said again on the same day, it counts again"
    assert act(sopnb, "drop", "2026-03-A2").out == "2026-03-A2: dropped.\n" and state(book, "2026-03-A2")["state"] == "dropped"


def test_move_keeps_the_old_day_on_record_and_shows_both(book, sopnb):
    assert act(sopnb, "move", "2026-03-A1", "--due", "2026-05-15", "--owner", "p3").out == "2026-03-A1: moved, due 2026-03-20 → 2026-05-15, owner p1 → p3.\n"
    moved = state(book, "2026-03-A1")
    assert (f"{moved['due']:%Y-%m-%d}", moved["owner"]) == ("2026-05-15", "p3")


def test_add_takes_the_next_free_number(book, sopnb):
    for number in (1, 2):
        assert act(sopnb, "add", "Ask  the bank", "--owner", "p1", "--due", "2026-04-01", "--source", "2026-03-D1", "--amount", "5").out == f"2026-03-X{number}: added, p1 by 2026-04-01.\n"
    row = state(book, "2026-03-X2")
    assert (row["title"], row["source"], row["amount"]) == ("Ask the bank", "2026-03-D1", 5.0)


@pytest.mark.parametrize(("verb", "words", "wrong"), [
    ("done", ("2026-03-A7",), "there is no action 2026-03-A7 on 2026-03-25"),
    ("show", ("2026-3-A1",), "Did you mean 2026-03-A1?"),
    ("move", ("2026-03-A1",), "nothing to change"),
    ("move", ("2026-03-A1", "--due", "tomorrow"), "--due: 'tomorrow' is not a day"),
    ("move", ("2026-03-A1", "--due", "2026-03-01"), "2026-03-01 is before the day it was made. Allowed: 2026-03-08 or later"),
    ("move", ("2026-03-A1", "--due", "2026-03-20"), "it is due on 2026-03-20 and p1's already"),
    ("add", ("Ask", "--owner", "p1", "--due", "2026-02-30"), "'2026-02-30' is not a day"),
    ("add", ("Ask", "--owner", "p1", "--due", "2026-03-24"), "2026-03-24 is before today, 2026-03-25"),
    ("add", ("  ", "--owner", "p1", "--due", "2026-03-24"), "2 to mend"),
    ("add", ("x" * 301, "--owner", "p1", "--due", "2026-03-30"), "TITLE: has 301 characters. Allowed: at most 300"),
    ("add", ("Ask", "--owner", "p1", "--due", "2026-03-30", "--amount", "nan"), "--amount: nan is no money"),
    ("add", ("Ask", "--owner", "p1", "--due", "2026-03-30", "--amount", "inf"), "--amount: inf is no money"),
    ("list", ("--owner", "p9"), "nobody is called p9. Allowed: p1, p2."),
    ("list", ("--state", "opened"), "Did you mean open?"),
    ("list", ("--cycle", "March"), "'March' is not a month"),
])
def test_what_cannot_be_is_refused_and_leaves_the_ledger(book, sopnb, verb, words, wrong):
    before = len(book.everything())
    said = act(sopnb, verb, *words)
    assert said.code == run.BAD_INPUT and wrong in said.err and len(book.everything()) == before


def test_closing_a_closed_one_says_who_closed_it_and_when(book, sopnb):
    act(sopnb, "done", "2026-03-A1", "--who", "Ann")
    said = act(sopnb, "done", "2026-03-A1", day="2026-03-28")
    assert said.code == run.BAD_INPUT and "it is done already (done on 2026-03-25 by Ann)" in said.err
    assert "actions start" in act(sopnb, "move", "2026-03-A1", "--due", "2026-05-01").err


def test_an_owner_is_a_person_of_the_company_by_code_or_by_name(peopled, sopnb):
    """People are those of the latest published cycle: a name finds its code, a misspelt one the nearest."""
    here(cycle_month="2026-03")
    assert "added, Bob by 2026-04-01" in act(sopnb, "add", "Ask the bank", "--owner", "bob", "--due", "2026-04-01").out
    assert ledger.open(None, peopled / "reports/tiny").actions(TODAY)["owner"].item() == "p2"
    said = act(sopnb, "add", "Ask the bank", "--owner", "Bobb", "--due", "2026-03-01")
    assert said.code == run.BAD_INPUT and "Did you mean Bob?" in said.err and "before today" in said.err, "both, in one list"
    assert "Bob" in act(sopnb, "list").out


def test_a_company_that_stands_still_is_looked_at_from_its_latest_cycle_or_what_its_ledger_knows(book, tiny, sopnb):
    """The demo's October 2026 stays its today, whatever the clock says; after its meeting it is the day of the meeting."""
    add(tiny, "latest_cycle: 2026-04\n")
    assert re.search(r"2026-03-A1.* 12 days late", sopnb("actions", "list", "params/tiny.yaml").out), "due 20 March, 12 days before 1 April"
    sopnb("actions", "done", "params/tiny.yaml", "2026-03-A1")
    assert book.everything()["day"].iloc[-1].date() == dt.date(2026, 4, 1)
    book.record([ledger.event("add", "2026-04-A1", day="2026-04-08", cycle="2026-04", origin="minutes:2026-04", title="New", owner="p1", due="2026-04-30")])
    assert "Tiny, 2026-04-08: 2 open" in sopnb("actions", "list", "params/tiny.yaml").out
