"""Several people and programs write to one ledger at once: SQLite in a file, and a real PostgreSQL started for the test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from sopnb import ledger, ledger_read
from sopnb.ledger import Ledger, LedgerError, event
from sopnb.problems import Problems

WRITERS, EACH = 4, 6


def _add(subject: str, title: str = "Book the second line") -> dict[str, Any]:
    return event("add", subject, day="2026-09-08", cycle="2026-09", origin="minutes:2026-09", title=title, owner="p02", due="2026-09-30")


# --- a server of our own --------------------------------------------------------------------------------------------

def _program(name: str) -> str | None:
    """A PostgreSQL program: on the path, or where Debian keeps the server's."""
    return shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
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
        call(pg_ctl, "-D", folder / "db", "-w", "-l", folder / "log", "-o", f"-k {folder} -c listen_addresses='' -c fsync=off", "start")
        yield f"postgresql+psycopg://sopnb@/{{name}}?host={folder}"
        call(pg_ctl, "-D", folder / "db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ask(url: str, *statements: str) -> None:
    with sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    return _fresh(request.getfixturevalue("server"), request.node.name)


def _fresh(server: str, test: str) -> str:
    name = "t" + "".join(c if c.isalnum() else "_" for c in test.lower())[-50:]
    _ask(server.format(name="postgres"), f"CREATE DATABASE {name}")
    return server.format(name=name)


# --- at once --------------------------------------------------------------------------------------------------------

def _writer(given: tuple[str, int]) -> dict[str, Any]:
    """What one of several programs does at the same time as the others, on a ledger that nobody has made yet."""
    url, me = given
    book = Ledger(url)
    numbers, shared, claimed = [], 0, 0
    for i in range(EACH):
        numbers.append(book.add(title=f"Call {me}-{i}", owner="p02", due="2026-10-20", day="2026-10-02", who=f"w{me}"))
        shared += book.record([_add("2026-09-A0")])  # the same words by all
        book.record([_add(f"2026-09-A{k}", f"by {me}") for k in range(1, 4 + i)], whole=f"minutes:2026-0{me + 1}")  # minutes, revised again and again
        claimed += book.record([event("delivery", f"<mail-{i}>", day="2026-10-01", cycle="2026-10", origin="mail", who="a@b.example", report="pack", state="claimed",
                                      attempt=1, content="c", revision=1)])
        book.change(numbers[-1], "start", day="2026-10-03", who=f"w{me}")
    return {"numbers": numbers, "shared": shared, "claimed": claimed}


def test_programs_that_write_at_once_lose_nothing_and_repeat_nothing(url: str):
    """Adds, changes, revised minutes and claims of mails by four programs: every number once, every claim one program's."""
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_writer, [(url, me) for me in range(WRITERS)]))
    book, count = Ledger(url), WRITERS * EACH
    numbers = [number for one in done for number in one["numbers"]]
    assert sorted(numbers, key=lambda n: int(n.rsplit("X", 1)[1])) == [f"2026-10-X{i}" for i in range(1, count + 1)]
    assert sum(one["shared"] for one in done) == 1 and sum(one["claimed"] for one in done) == EACH
    events = book.everything()
    assert events["seq"].is_unique and events["seq"].is_monotonic_increasing and events["id"].is_unique
    rows = book.actions("2026-12-31")
    between = rows[rows["action"].str.startswith("2026-10-X")]
    assert len(between) == count and (between["state"] == "started").all()
    assert (events["kind"] == "start").sum() == count and (events["kind"] == "revision").sum() == count
    held = ledger_read.standing(events)
    for me in range(WRITERS):  # the last revision of each origin holds, whole
        revision = events[(events["kind"] == "revision") & (events["origin"] == f"minutes:2026-0{me + 1}")].iloc[-1]
        assert len(json.loads(revision["payload"])["holds"]) == 2 + EACH
    assert not held["kind"].eq("revision").any()


def _closer(given: tuple[str, str]) -> str:
    url, who = given
    try:
        Ledger(url).change("2026-09-A0", "done", day="2026-09-20", who=who)
    except Problems as told:
        return str(told)
    return ""


def test_two_people_who_close_one_action_at_once_are_heard_one_after_the_other(url: str):
    """One closes it; the other is told who did."""
    Ledger(url).record([_add("2026-09-A0")])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        told = list(pool.map(_closer, [(url, "rina"), (url, "budi")]))
    assert sorted(map(bool, told)) == [False, True]
    winner = ("rina", "budi")[told.index("")]
    assert f"it is done already (done on 2026-09-20 by {winner})" in "".join(told)
    assert (Ledger(url).everything()["kind"] == "done").sum() == 1


def test_numbers_follow_the_order_in_which_writers_came_although_one_of_them_gave_up(url: str):
    """A number that was taken in a transaction that failed is free again; seq only grows."""
    book = Ledger(url)
    book.add(title="Call", owner="p02", due="2026-10-20", day="2026-10-02")

    def gives_up(events: pd.DataFrame) -> list[dict[str, Any]]:
        raise Problems([])

    with pytest.raises(Problems):
        book.act(gives_up)
    assert book.add(title="Call again", owner="p02", due="2026-10-20", day="2026-10-02") == "2026-10-X2"
    assert book.everything()["seq"].is_monotonic_increasing


# --- in the middle --------------------------------------------------------------------------------------------------

_DIES = """
import sys, time
from sopnb import ledger
from sopnb.ledger import Ledger
book = Ledger(sys.argv[1])
with book._writing() as connection:
    book._add(connection, [ledger._row(ledger.event("add", f"2026-09-A{i}", day="2026-09-08", cycle="2026-09", origin="minutes:2026-09",
                                                    title="Half", owner="p02", due="2026-09-30")) for i in range(200)])
    print("half", flush=True)
    time.sleep(60)
"""


def test_a_program_killed_in_the_middle_leaves_nothing_half_and_holds_nobody_up(url: str):
    Ledger(url).record([_add("2026-08-A1")])
    with subprocess.Popen([sys.executable, "-c", _DIES, url], stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None and victim.stdout.readline() == "half\n"
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
    began = time.monotonic()
    assert Ledger(url).add(title="Call", owner="p02", due="2026-10-20", day="2026-10-02") == "2026-10-X1"
    assert time.monotonic() - began < 20
    assert list(Ledger(url).everything()["subject"]) == ["2026-08-A1", "2026-10-X1"]


# --- PostgreSQL alone -----------------------------------------------------------------------------------------------

@pytest.fixture
def postgres(server: str, request: pytest.FixtureRequest) -> str:
    return _fresh(server, request.node.name)


def test_postgresql_refuses_to_forget(postgres: str):
    book = Ledger(postgres)
    book.record([_add("2026-09-A1")])
    for statement in ("DELETE FROM events", "UPDATE events SET who = 'x'", "TRUNCATE events", "TRUNCATE events RESTART IDENTITY CASCADE"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            _ask(postgres, statement)
    assert len(book.everything()) == 1


def test_a_postgresql_ledger_of_before_gains_the_columns_and_what_was_not_refused(postgres: str):
    Ledger(postgres).record([_add("2026-09-A1")])
    _ask(postgres, "ALTER TABLE events DROP COLUMN recorded_at", "ALTER TABLE events DROP COLUMN recorded_by", "DROP TRIGGER events_never_emptied ON events")
    assert len(Ledger(postgres).everything(audit=True)) == 1
    Ledger(postgres).record([_add("2026-09-A2")])
    assert Ledger(postgres).everything(audit=True)["recorded_by"].notna().tolist() == [False, True]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        _ask(postgres, "TRUNCATE events")


def test_a_writer_who_never_ends_is_waited_for_so_long_and_no_longer(postgres: str, monkeypatch: pytest.MonkeyPatch):
    Ledger(postgres).record([_add("2026-09-A1")])
    monkeypatch.setattr(ledger, "WAIT_SECONDS", 1)
    with Ledger(postgres)._writing(), pytest.raises(LedgerError, match="another program holds the ledger"):
        Ledger(postgres).record([_add("2026-09-A2")])
    Ledger(postgres).record([_add("2026-09-A2")])
    assert len(Ledger(postgres).everything()) == 2


def test_a_user_who_may_only_read_and_a_database_that_is_not_there_say_so(postgres: str):
    Ledger(postgres).record([_add("2026-09-A1")])
    _ask(postgres, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN", "GRANT SELECT ON events TO reader")
    reader = Ledger(postgres.replace("sopnb@", "reader@"))
    assert len(reader.actions("2026-10-01")) == 1
    with pytest.raises(LedgerError, match="may be read and not written by this user"):
        reader.record([_add("2026-09-A2")])
    with pytest.raises(LedgerError, match="the server has no such database"):
        Ledger(postgres.replace("/t", "/no_such_t", 1)).everything()
    _ask(postgres, "DROP OWNED BY reader", "DROP ROLE reader")
