"""The ledger only grows, says the same thing once, and knows what held on any day."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from sopnb import frames, ledger, ledger_read
from sopnb.ledger import Ledger, LedgerError, event
from sopnb.problems import Problems


def _add(subject: str, day: str, due: str, *, owner: str = "p02", title: str = "Book the second line", origin: str = "minutes:2026-09") -> dict:
    return event("add", subject, day=day, cycle=day[:7], origin=origin, title=title, owner=owner, due=due, amount=5.0)


def _say(kind: str, subject: str, day: str, **payload: object) -> dict:
    return event(kind, subject, day=day, cycle=day[:7], origin="cli", who="p02", **payload)


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    return ledger.open(None, tmp_path / "reports")


def test_an_action_lives_through_its_verbs(book: Ledger):
    """Added on the 8th, started on the 10th, moved by ten days, done on 2 October."""
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30"), _say("start", "2026-09-A1", "2026-09-10"),
                 _say("move", "2026-09-A1", "2026-09-20", due="2026-10-10", owner="p07"),
                 _say("done", "2026-09-A1", "2026-10-03", on="2026-10-02")])

    def on(day: str) -> tuple:
        row = book.actions(day).iloc[0]
        return row["state"], row["owner"], f"{row['due']:%m-%d}", row["age_days"], row["overdue_days"]

    assert on("2026-09-09") == ("open", "p02", "09-30", 1, 0)
    assert on("2026-09-10") == ("started", "p02", "09-30", 2, 0)
    assert on("2026-09-20") == ("started", "p07", "10-10", 12, 0)
    assert on("2026-10-31") == ("done", "p07", "10-10", 24, 0)  # closed on 2 October, 24 days after 8 September
    assert book.actions("2026-09-07").empty


def test_an_open_action_is_overdue_from_the_day_after_it_was_due(book: Ledger):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    assert book.actions("2026-09-30")["overdue_days"].item() == 0
    assert book.actions("2026-10-04")["overdue_days"].item() == 4


def test_the_same_event_twice_is_one_event(book: Ledger):
    events = [_add("2026-09-A1", "2026-09-08", "2026-09-30"), _say("done", "2026-09-A1", "2026-09-20")]
    assert book.record(events) == 2
    before = book.digest("2026-10-01")
    assert book.record(events) == 0
    assert book.digest("2026-10-01") == before


def test_corrected_minutes_replace_what_they_said_and_the_old_stays_readable(book: Ledger):
    first = [_add("2026-09-A1", "2026-09-08", "2026-09-30", title="Bok the line"), _add("2026-09-A2", "2026-09-08", "2026-09-30")]
    book.record(first, whole="minutes:2026-09")
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30", title="Book the line")], whole="minutes:2026-09")
    assert list(book.actions("2026-10-01")["title"]) == ["Book the line"]
    assert (book.everything()["kind"] == "add").sum() == 3
    book.record(first, whole="minutes:2026-09")  # and back again
    assert len(book.actions("2026-10-01")) == 2
    rows = len(book.everything())
    book.record(first, whole="minutes:2026-09")
    assert len(book.everything()) == rows


def test_a_later_event_does_not_change_what_a_past_cycle_read(book: Ledger):
    book.record([_add("2026-08-A1", "2026-08-08", "2026-08-31")])
    seen, digest = book.actions("2026-09-01"), book.digest("2026-09-01")
    book.record([_say("done", "2026-08-A1", "2026-09-08", on="2026-08-31"), _add("2026-09-A1", "2026-09-08", "2026-09-30")])
    pd.testing.assert_frame_equal(book.actions("2026-09-01"), seen)
    assert book.digest("2026-09-01") == digest
    assert book.digest("2026-09-08", exclude_origin="cli") != book.digest("2026-09-08")


def test_the_database_refuses_to_forget(book: Ledger, tmp_path: Path):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    with sqlite3.connect(tmp_path / "reports" / "ledger.sqlite") as raw:
        for statement in ("DELETE FROM events", "UPDATE events SET who = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_all_events_of_a_call_are_recorded_or_none(book: Ledger):
    book.record([])
    broken = {**_add("2026-09-A2", "2026-09-08", "2026-09-30"), "who": None}
    with pytest.raises(Exception, match=r"(?i)not null|null value"):
        book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30"), broken])
    assert book.everything().empty


def test_reading_a_ledger_that_is_not_there_creates_nothing(book: Ledger, tmp_path: Path):
    assert book.actions("2026-10-01").empty and book.decisions("2026-10-01").empty and book.attendance("2026-10-01").empty
    assert list(book.actions("2026-10-01").columns) == frames.ACTIONS.names
    assert list(tmp_path.iterdir()) == []


def test_an_action_needs_title_owner_and_date_and_a_known_verb(book: Ledger):
    with pytest.raises(ValueError, match="needs a title, an owner and a due date"):
        book.record([event("add", "2026-09-A1", day="2026-09-08", cycle="2026-09", origin="cli", title="Call")])
    with pytest.raises(ValueError, match="an event is one of add, start, done, drop, move"):
        book.record([_say("finish", "2026-09-A1", "2026-09-08")])


def test_events_not_recorded_yet_are_read_as_if_they_were(book: Ledger):
    """A draft of the recap shows the meeting's actions and writes nothing."""
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30", title="Bok")], whole="minutes:2026-09")
    draft = [_add("2026-09-A1", "2026-09-08", "2026-09-30", title="Book"), _add("2026-09-A2", "2026-09-08", "2026-09-30")]
    assert list(book.actions("2026-09-08", plus=draft)["title"]) == ["Book", "Book the second line"]
    assert len(book.actions("2026-09-08")) == 1


def test_a_ledger_named_by_the_environment_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SOPNB_NO_LEDGER", raising=False)
    with pytest.raises(Problems, match="Set SOPNB_NO_LEDGER"):
        ledger.open("env:SOPNB_NO_LEDGER", tmp_path)
    monkeypatch.setenv("SOPNB_NO_LEDGER", "postgresql+psycopg://someone:secret@host/db")
    assert "secret" not in repr(ledger.open("env:SOPNB_NO_LEDGER", tmp_path))


def test_an_action_added_between_meetings_gets_the_next_number_of_its_month(book: Ledger):
    first = book.add(title="Call the carrier", owner="p02", due="2026-10-20", day="2026-10-02")
    second = book.add(title="Call again", owner="p02", due="2026-10-20", day="2026-10-02")
    assert (first, second) == ("2026-10-X1", "2026-10-X2")
    for verb in ("done", "start", "done"):  # said again, it counts again
        book.change(first, verb, day="2026-10-03", who="p02")
    book.change(second, "move", day="2026-10-03", due="2026-11-01")
    assert list(book.actions("2026-10-03")["state"]) == ["done", "open"]
    assert list(book.actions("2026-10-03")["due"]) == [pd.Timestamp("2026-10-20"), pd.Timestamp("2026-11-01")]


def test_decisions_and_attendance_are_read_back(book: Ledger):
    book.record([
        event("decide", "2026-09-D1", day="2026-09-08", cycle="2026-09", origin="minutes:2026-09", title="Run Saturdays",
              option="A", effect_kpi="otif", effect=0.02, judged="2026-12", decided_by="p01"),
        event("attend", "p03", day="2026-09-08", cycle="2026-09", origin="minutes:2026-09", name="Sari", role="Sales",
              mandatory=True, state="absent"),
    ])
    decision = book.decisions("2026-10-01").iloc[0]
    assert (decision["effect"], decision["judged"], decision["cycle"]) == (0.02, pd.Timestamp("2026-12-01"), pd.Timestamp("2026-09-01"))
    came = book.attendance("2026-10-01").iloc[0]
    assert (came["state"], bool(came["mandatory"]), came["held_on"]) == ("absent", True, pd.Timestamp("2026-09-08"))


# --- assumptions, judgements, the agenda ----------------------------------------------------------------------------

def test_an_assumption_is_judged_and_keeps_the_day_it_was_made(book: Ledger):
    book.record([_say("assume", "S1", "2026-08-08", text="Wheat stays under 300", if_not="Margin falls", amount=-4.0, owner="p02", made="2026-07-01"),
                 _say("assume", "S2", "2026-09-08", text="No second brand"), _say("assume", "S1", "2026-09-08", text="Wheat stays under 310"),
                 _say("judge", "S2", "2026-09-20", state="failed", on="2026-09-18", note="It came in August"),
                 _say("judge", "S9", "2026-09-20", state="held")])  # of one nobody made: without effect
    rows = book.assumptions("2026-09-08").set_index("assumption")
    assert list(rows["text"]) == ["Wheat stays under 310", "No second brand"] and list(rows["state"]) == ["open", "open"]
    assert list(rows["made_on"]) == [pd.Timestamp("2026-07-01"), pd.Timestamp("2026-09-08")]
    later = book.assumptions("2026-09-30").set_index("assumption").loc["S2"]
    assert (later["state"], later["judged_on"], later["note"]) == ("failed", pd.Timestamp("2026-09-18"), "It came in August")
    assert list(book.assumptions("2026-08-01").columns) == frames.ASSUMPTIONS.names and book.assumptions("2026-08-01").empty


def test_what_a_person_says_of_a_decision_stands_beside_it_and_can_be_taken_back(book: Ledger):
    book.record([event("decide", "2026-09-D1", day="2026-09-08", cycle="2026-09", origin="minutes:2026-09", title="Run Saturdays", decided_by="p01")])
    assert book.decisions("2026-12-01")["said"].tolist() == [None]
    book.record([_say("judge", "2026-09-D1", "2026-12-08", state="hit", note="No order was late")])
    row = book.decisions("2026-12-31").iloc[0]
    assert (row["said"], row["said_on"], row["said_by"], row["note"]) == ("hit", pd.Timestamp("2026-12-08"), "p02", "No order was late")
    assert book.decisions("2026-12-01")["said"].tolist() == [None]
    book.record([_say("judge", "2026-09-D1", "2026-12-09", state="open")])
    assert book.decisions("2026-12-31")["said"].tolist() == [None]


def test_changes_to_an_agenda_belong_to_their_cycle_and_count_up_to_its_meeting(book: Ledger):
    def change(point: str, day: str, **said: object) -> dict:
        return event("agenda", point, day=day, cycle="2026-10", origin="cli", who="p01", **said)

    book.record([change("conflicts", "2026-10-03", verb="drop"), change("visit", "2026-10-04", verb="add", title="Visit of the carrier", minutes=5, owner="p02"),
                 event("agenda", "plan", day="2026-09-03", cycle="2026-09", origin="cli", verb="drop")])
    rows = book.agenda("2026-10")
    assert list(rows["point"]) == ["conflicts", "visit"] and list(rows["verb"]) == ["drop", "add"]
    assert rows["minutes"].iloc[1] == 5 and list(rows["who"]) == ["p01", "p01"]
    before = book.digest("2026-10-01", agenda="2026-10")
    assert before != book.digest("2026-10-01") and book.digest("2026-10-01") == book.digest("2026-10-05")
    book.record([event("held", "2026-10", day="2026-10-08", cycle="2026-10", origin="minutes:2026-10"), change("plan", "2026-10-09", verb="drop")])
    assert list(book.agenda("2026-10")["point"]) == ["conflicts", "visit"] and book.digest("2026-10-01", agenda="2026-10") == before
    assert book.agenda("2026-11").empty


def test_an_event_must_say_what_its_kind_asks_for(book: Ledger):
    for kind, said in (("assume", "assumption S1 needs a text"), ("judge", "what is said of S1 needs a state"), ("agenda", "needs a verb: add, drop, move or restore")):
        with pytest.raises(ValueError, match=said):
            book.record([_say(kind, "S1", "2026-09-08")])


# --- who may say what of an action ----------------------------------------------------------------------------------

def test_a_change_that_says_nothing_new_or_nothing_sensible_is_refused_and_says_why(book: Ledger):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    book.change("2026-09-A1", "done", day="2026-09-20", who="p02")
    for verb, more, said in (
        ("done", {}, r"it is done already \(done on 2026-09-20 by p02\)\. To open it again: sopnb actions start"),
        ("drop", {}, "it is done already"),
        ("move", {"due": "2026-10-31"}, "it is done .*; what is closed has no day or owner to change"),
    ):
        with pytest.raises(Problems, match=said):
            book.change("2026-09-A1", verb, day="2026-09-21", **more)
    with pytest.raises(Problems, match=r"2026-09-19 is before that\. Allowed: 2026-09-20 or later"):
        book.change("2026-09-A1", "start", day="2026-09-19")
    with pytest.raises(Problems, match=r"there is no such action.*Did you mean 2026-09-A1\?"):
        book.change("2026-09-A2", "done", day="2026-09-21")
    book.change("2026-09-A1", "start", day="2026-09-21")
    with pytest.raises(Problems, match="due on 2026-09-30 and p02's already"):
        book.change("2026-09-A1", "move", day="2026-09-21", due="2026-09-30", owner="p02")
    with pytest.raises(Problems, match=r"before the day it was made\. Allowed: 2026-09-08 or later"):
        book.change("2026-09-A1", "move", day="2026-09-21", due="2026-09-01")
    assert len(book.everything()) == 3  # nothing of what was refused was written


def test_who_has_seen_an_older_state_is_told_who_changed_it_since(book: Ledger):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    seen = ledger_read.last_ids(book.everything())["2026-09-A1"]
    book.change("2026-09-A1", "move", day="2026-09-20", who="rina", due="2026-10-31", seen=seen)
    with pytest.raises(Problems, match="somebody changed it since: moved on 2026-09-20 by rina"):
        book.change("2026-09-A1", "done", day="2026-09-21", who="budi", seen=seen)
    assert book.actions("2026-09-21")["state"].item() == "open"


def test_what_a_plan_raises_leaves_the_ledger_as_it_was(book: Ledger):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])

    def plan(events: pd.DataFrame) -> list[dict]:
        assert len(events) == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book.act(plan)
    assert len(book.everything()) == 1


# --- who wrote it down, and when ------------------------------------------------------------------------------------

def test_who_wrote_an_event_down_and_when_stands_in_the_row_and_nowhere_else(book: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("getpass.getuser", lambda: "hendra")
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    audit = book.everything(audit=True).iloc[0]
    assert audit["recorded_by"] == "hendra" and pd.Timestamp(audit["recorded_at"]).tz is not None
    assert not {"recorded_at", "recorded_by"} & ({*book.everything().columns} | {*book.events().columns} | {*book.actions("2026-10-01").columns})


def test_the_clock_makes_no_other_event_and_no_other_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = []
    for user in ("hendra", "maya"):
        monkeypatch.setattr("getpass.getuser", lambda user=user: user)
        one = ledger.open(None, tmp_path / user)
        one.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
        one.change("2026-09-A1", "done", day="2026-09-20")
        said.append((one.digest("2026-10-01"), list(one.everything()["id"])))
    assert said[0] == said[1]


def test_a_machine_that_knows_no_user_name_still_writes(book: Ledger, monkeypatch: pytest.MonkeyPatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    assert book.everything(audit=True)["recorded_by"].item() == "unknown"


OLD = """CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL,
         day DATE NOT NULL, cycle TEXT NOT NULL, origin TEXT NOT NULL, who TEXT NOT NULL, payload TEXT NOT NULL)"""


def test_a_ledger_of_before_is_read_as_it_is_and_gains_the_columns_when_it_is_next_written(tmp_path: Path):
    file = tmp_path / "ledger.sqlite"
    with sqlite3.connect(file) as raw:
        raw.execute(OLD)
        raw.execute("INSERT INTO events (id, kind, subject, day, cycle, origin, who, payload) VALUES ('x', 'add', '2026-08-A1', '2026-08-08', '2026-08', 'cli', '', "
                    """'{"title": "Call", "owner": "p02", "due": "2026-08-31"}')""")
    bytes_before, old = file.read_bytes(), Ledger(f"sqlite:///{file}")
    assert list(old.actions("2026-09-01")["action"]) == ["2026-08-A1"] and old.everything(audit=True)["recorded_at"].isna().all()
    digest = old.digest("2026-09-01")
    assert file.read_bytes() == bytes_before  # reading changes nothing
    old.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    assert old.digest("2026-09-01") == digest and old.everything(audit=True)["recorded_at"].notna().tolist() == [False, True]
    with sqlite3.connect(file) as raw, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("DELETE FROM events")


# --- a database that refuses ----------------------------------------------------------------------------------------

def test_a_ledger_held_by_another_program_says_so(book: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    monkeypatch.setattr(ledger, "WAIT_SECONDS", 0.1)
    other = sqlite3.connect(tmp_path / "reports" / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(LedgerError, match=r"ledger\.sqlite: another program holds the ledger and did not let go\. Close the program"):
            ledger.open(None, tmp_path / "reports").add(title="Call", owner="p02", due="2026-10-20", day="2026-10-02")
    finally:
        other.close()
    assert len(book.everything()) == 1


def test_a_ledger_that_may_only_be_read_says_so_and_is_read(book: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An address may be a URI: what it names is the file, and no folder called `file:` comes of it."""
    monkeypatch.chdir(tmp_path)
    book.record([_add("2026-09-A1", "2026-09-08", "2026-09-30")])
    only_read = Ledger(f"sqlite:///file:{tmp_path / 'reports' / 'ledger.sqlite'}?mode=ro&uri=true")
    with pytest.raises(LedgerError, match="may be read and not written by this user"):
        only_read.record([_add("2026-09-A2", "2026-09-08", "2026-09-30")])
    assert len(book.everything()) == len(only_read.everything()) == 1 and not (tmp_path / "file:").exists()


def test_a_file_that_is_no_ledger_says_so(tmp_path: Path):
    (tmp_path / "ledger.sqlite").write_bytes(b"PK this is a workbook" * 100)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: is not a ledger, or is damaged"):
        ledger.open(None, tmp_path).everything()
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="cannot be"):
        ledger.open(None, tmp_path / "file").record([])


def test_an_address_that_is_none_and_a_server_that_is_away_say_so_and_show_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("psycopg", reason="psycopg is not installed (the extra `postgres`)")
    for address, said in (("ledger on the server", "is not a database address"), ("oracle9000://u:secret@h/db", "lacks the driver"),
                          ("postgresql+psycopg://u:secret@127.0.0.1:9/db", "the server cannot be reached"),
                          ("postgresql+psycopg://u:secret@no-such-host.invalid/db", "(server's name is not known|server cannot be reached)")):
        monkeypatch.setenv("SOPNB_SOME_LEDGER", address)
        with pytest.raises(LedgerError, match=said) as told:
            ledger.open("env:SOPNB_SOME_LEDGER", tmp_path).everything()
        assert "env:SOPNB_SOME_LEDGER" in str(told.value) and "secret" not in str(told.value)
