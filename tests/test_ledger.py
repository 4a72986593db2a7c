"""The ledger only grows, says the same thing once, and knows what held on any day."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

from sopnb import frames, ledger
from sopnb.ledger import Ledger, event
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


def _write(given: tuple[str, int, int]) -> int:
    url, writer, count = given
    book = Ledger(url)
    return sum(book.record([_add(f"2026-09-A{writer}-{i}", "2026-09-08", "2026-09-30"), _add("2026-09-A0", "2026-09-08", "2026-09-30")])
               for i in range(count))


def _race(url: str) -> None:
    """Four processes write at once, each also the same event: nothing is lost and nothing is there twice."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        added = list(pool.map(_write, [(url, writer, 12) for writer in range(4)]))
    assert sum(added) == 4 * 12 + 1
    assert len(Ledger(url).actions("2026-10-01")) == 4 * 12 + 1
    assert Ledger(url).everything()["seq"].is_unique


def test_several_processes_write_at_once(tmp_path: Path):
    _race(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def _program(name: str) -> str | None:
    """A PostgreSQL program: on the path, or where Debian keeps the server's."""
    return shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)


@pytest.fixture(scope="module")
def postgres():
    """The address of a PostgreSQL of our own on a local socket, or a skip with its reason."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (the extra `postgres`)")
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if not (initdb and pg_ctl):
        pytest.skip("no PostgreSQL server programs (initdb, pg_ctl) on this machine")
    if sys.platform == "win32":
        pytest.skip("the test's server listens on a Unix socket")
    folder = Path(tempfile.mkdtemp(prefix="sopnb-pg-"))  # a short path: sockets allow about 100 characters
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)

    def call(*command: object) -> None:
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=folder)

    try:
        call(initdb, "-D", folder / "db", "-U", "sopnb", "-A", "trust")
        call(pg_ctl, "-D", folder / "db", "-w", "-l", folder / "log", "-o", f"-k {folder} -c listen_addresses=''", "start")
        yield f"postgresql+psycopg://sopnb@/postgres?host={folder}"
        call(pg_ctl, "-D", folder / "db", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_team_shares_a_ledger_in_postgresql(postgres: str):
    _race(postgres)
    with pytest.raises(Exception, match="append-only"):
        _delete_all(postgres)


def _delete_all(url: str) -> None:
    import sqlalchemy as sa

    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql("DELETE FROM events")
