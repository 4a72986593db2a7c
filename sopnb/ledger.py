"""What lives between cycles: actions, decisions, assumptions, attendance and deliveries, as events that are only ever added.

One table, `events`. An event is never changed or taken away; what holds is read from the order of events.

    seq       order in which events arrived
    id        hash of what the event says: the same event recorded twice is one event
    kind      add, start, done, drop, move (an action), decide, attend, held, assume, judge (an assumption or a decision),
              agenda (a person's change to one), delivery, or revision
    subject   what it is about: 2026-09-A1, 2026-09-D1, S1, a person
    day       the day from which it is known; a cycle reads the ledger as of its own day
    cycle     YYYY-MM
    origin    where it comes from: minutes:2026-09, cli
    who       who says so
    payload   JSON
    recorded_at, recorded_by   when and by which user it was written down (UTC): for an audit, in no table and no id

SQLite beside the reports by default; PostgreSQL by its address, for a team. SQLite keeps its ordinary journal and not a
write-ahead log, so that the ledger stays one file which can be copied and may lie on a shared drive. Writers wait for
each other: what one reads inside its transaction (`Ledger.act`) no other changes before it has written.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import sqlalchemy as sa

from sopnb import ledger_faults, ledger_read
from sopnb.ledger_faults import LedgerError
from sopnb.ledger_read import ACTION_VERBS, COLUMNS, KINDS
from sopnb.problems import Problem, Problems, nearest

__all__ = ["ACTION_VERBS", "KINDS", "Ledger", "LedgerError", "event", "open"]

WAIT_SECONDS = 60  # how long a writer waits for another one
AUDIT = ("recorded_at", "recorded_by")

_META = sa.MetaData()
EVENTS = sa.Table(
    "events", _META,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("cycle", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.Text),
    sa.Column("recorded_by", sa.Text),
    sqlite_autoincrement=True,
)
# The database itself refuses what the class never does, so that no other tool rewrites the past by mistake.
_REFUSE = {
    "sqlite": [f"CREATE TRIGGER IF NOT EXISTS events_no_{verb.lower()} BEFORE {verb} ON events "
               "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END" for verb in ("UPDATE", "DELETE")],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION events_append_only() RETURNS trigger AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$ LANGUAGE plpgsql",
        "CREATE OR REPLACE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events "
        "FOR EACH ROW EXECUTE FUNCTION events_append_only()",
        "CREATE OR REPLACE TRIGGER events_never_emptied BEFORE TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"],
}
_NOT_YET = 10**12  # seq of events that are only read as if recorded: after all others
_CREATE_LOCK = 5_071_944  # any number of our own: two writers may find an empty PostgreSQL database at once


def event(kind: str, subject: str, *, day: object, cycle: str, origin: str, who: str = "", **payload: Any) -> dict[str, Any]:
    """One event, as `Ledger.record` takes it; any mapping with these names will do."""
    return {"kind": kind, "subject": subject, "day": _day(day), "cycle": cycle, "origin": origin, "who": who, "payload": payload}


def open(url: str | None, folder: Path) -> Ledger:
    """The company's ledger.

    url      env:NAME of a database address; None: ledger.sqlite in the folder
    raises   Problems where the environment does not hold the name, or holds no address
    """
    if not url:
        return Ledger(f"sqlite:///{(folder / 'ledger.sqlite').as_posix()}")
    name = url.removeprefix("env:")
    if not environ.get(name):
        raise Problems([Problem("ledger.url", f"the environment has no {name}", "a database address",
                                f"Set {name}, or leave ledger.url out to keep the ledger beside the reports")])
    return Ledger(environ[name], called=f"ledger.url, env:{name}")


class Ledger:
    """Events in a database. Reading one that does not exist yet finds nothing and creates nothing.

    Whatever the database refuses is a LedgerError, which says what is wrong and what to do.
    """

    def __init__(self, url: str, *, called: str = "ledger"):
        with ledger_faults.plainly(called):
            self._url = sa.make_url(url)
            self._sqlite = self._url.get_backend_name() == "sqlite"
            self._engine = sa.create_engine(self._url, poolclass=sa.NullPool, connect_args=self._settings())
        self._called = called if not self._sqlite else str(self._url.database or called)
        if self._sqlite:
            sa.event.listen(self._engine, "connect", _no_driver_transactions)
            sa.event.listen(self._engine, "begin", _begin)

    def _settings(self) -> dict[str, Any]:
        if self._sqlite:
            return {"timeout": WAIT_SECONDS}
        return {} if "connect_timeout" in self._url.query else {"connect_timeout": ledger_faults.CONNECT_SECONDS}

    @property
    def _file(self) -> Path | None:
        """Where SQLite keeps it; its address may be a URI, as in sqlite:///file:/path/ledger.sqlite?mode=ro&uri=true."""
        name = (self._url.database or "") if self._sqlite else ""
        return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name) if name else None

    def __repr__(self) -> str:
        return f"Ledger({self._url.render_as_string(hide_password=True)})"

    # --- writing ----------------------------------------------------------------------------------------------------

    def record(self, events: Iterable[Mapping[str, Any]], *, whole: str = "") -> int:
        """Add events in one transaction, all or none; an event already there is left as it is.

        events   as `event` makes them
        whole    an origin whose events these all are: what it said before and does not say now no longer holds
                 (corrected minutes). The old events stay readable in `everything`.
        returns  how many were new
        """
        rows = [_row(given) for given in events]
        with self._writing() as connection:
            added = self._add(connection, rows)
            if whole:
                self._revise(connection, whole, rows)
        return added

    def act(self, plan: Callable[[pd.DataFrame], Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Record what follows from what is there; nobody else writes in between.

        plan     is given all events (see `everything`) and answers with those to add; what it raises leaves the ledger
                 as it was
        returns  the events as they were given
        """
        with self._writing() as connection:
            events = [dict(given) for given in plan(self._read(connection))]
            self._add(connection, [_row(given) for given in events])
        return events

    def add(self, *, title: str, owner: str, due: object, day: object, who: str = "", amount: float | None = None, **more: Any) -> str:
        """Add an action between meetings; returns its number, the next free one of the month: 2026-10-X1.

        more     kept with it: note, source
        """
        def plan(events: pd.DataFrame) -> list[dict[str, Any]]:
            return [added(next_number(set(events["subject"]), day), title=title, owner=owner, due=due, day=day, who=who, amount=amount, **more)]

        return str(self.act(plan)[0]["subject"])

    def change(
        self, action: str, verb: str, *, day: object, who: str = "", note: str = "", due: object = None, owner: str | None = None,
        seen: str | None = None,
    ) -> None:
        """Say what became of an action: start, done, drop or move. Two who say so at once are heard one after the other.

        seen     the last event of the action that whoever says so has seen (`last_ids`); None: whatever is there
        raises   Problems: no such action, already so, said for a day before its last word, or changed since it was seen
        """
        def plan(events: pd.DataFrame) -> list[dict[str, Any]]:
            last = ledger_read.last_ids(events).get(action)
            wrong = ledger_read.refused(events, action, verb, day=_day(day), due=None if due is None else _day(due), owner=owner, seen=seen)
            if wrong:
                raise Problems([Problem(action, wrong.pop("wrong"), **wrong)])
            return [changed(action, verb, day=day, who=who, note=note, due=due, owner=owner, after=last)]

        self.act(plan)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction that no other writer shares, on a database with its table."""
        with ledger_faults.plainly(self._called):
            if self._file:
                ledger_faults.folder_of(self._file, self._called)
            with self._engine.connect().execution_options(sopnb_write=True) as connection, connection.begin():
                self._ready(connection)
                yield connection

    def _ready(self, connection: sa.Connection) -> None:
        """Create what is missing; from here on this transaction is the only writer."""
        if not self._sqlite:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        there = _columns(connection)
        if not there:
            _META.create_all(connection)
        for name in AUDIT if there else ():  # a ledger from before events told when they were written down
            if name not in there:
                connection.exec_driver_sql(f"ALTER TABLE events ADD COLUMN {name} TEXT")
        if not set(AUDIT) <= there:
            for statement in _REFUSE[self._url.get_backend_name()]:
                connection.exec_driver_sql(statement)

    def _add(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> int:
        known = _ids(connection, [row["id"] for row in rows])
        new = list({row["id"]: row for row in rows if row["id"] not in known}.values())
        if new:
            now, user = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), _user()
            connection.execute(EVENTS.insert(), [{**row, "recorded_at": now, "recorded_by": user} for row in new])
        return len(new)

    def _revise(self, connection: sa.Connection, origin: str, rows: list[dict[str, Any]]) -> None:
        """Note which events of an origin hold; nothing where the last note says the same."""
        ids = [row["id"] for row in rows]
        last = connection.execute(sa.select(EVENTS.c.id, EVENTS.c.payload).where(
            EVENTS.c.kind == "revision", EVENTS.c.origin == origin).order_by(EVENTS.c.seq.desc()).limit(1)).first()
        if (last is None and not rows) or (last is not None and json.loads(last.payload)["holds"] == ids):
            return
        day = min((row["day"] for row in rows), default=pd.Timestamp("1970-01-01").date())
        note = {"kind": "revision", "subject": origin, "day": day, "cycle": rows[0]["cycle"] if rows else "",
                "origin": origin, "who": "",
                "payload": {"after": last.id if last else "", "holds": ids}}
        self._add(connection, [_row(note)])

    # --- reading ----------------------------------------------------------------------------------------------------

    def everything(self, *, audit: bool = False) -> pd.DataFrame:
        """All events in the order they came, those no longer holding included: seq, id, kind, subject, day, …

        audit    with recorded_at and recorded_by; None for events of before they were kept. Never for a table or a page
                 that is published: they are what the clock said.
        """
        if self._sqlite and not (self._file and self._file.is_file()):
            return _table([], audit)
        with ledger_faults.plainly(self._called), self._engine.connect() as connection, connection.begin():
            return self._read(connection, audit)

    def _read(self, connection: sa.Connection, audit: bool = False) -> pd.DataFrame:
        there = _columns(connection)
        if not there:
            return _table([], audit)
        columns = [column for column in EVENTS.c if column.name in there and (audit or column.name not in AUDIT)]
        return _table(connection.execute(sa.select(*columns).order_by(EVENTS.c.seq)).mappings(), audit)

    def events(
        self, as_of: Any = None, *, before: Any = None, exclude_origin: str | None = None, plus: Iterable[Mapping[str, Any]] = ()
    ) -> pd.DataFrame:
        """The events that hold, by day and arrival.

        as_of    those known on this day or earlier
        before   those known before this day
        plus     events not recorded yet, read as if they were: they stand for all events of their origin
        """
        rows = [_row(given) for given in plus]
        found = ledger_read.standing(self.everything())
        found = found[~found["origin"].isin({row["origin"] for row in rows})]
        if rows:
            more = _table([{**row, "seq": _NOT_YET + i} for i, row in enumerate(rows)])
            found = pd.concat([found, more], ignore_index=True) if len(found) else more
        if as_of is not None:
            found = found[found["day"] <= pd.Timestamp(as_of)]
        if before is not None:
            found = found[found["day"] < pd.Timestamp(before)]
        if exclude_origin is not None:
            found = found[found["origin"] != exclude_origin]
        return ledger_read.in_order(found)

    def actions(self, as_of: Any, *, exclude_origin: str | None = None, plus: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
        """Every action and its state on a day: frames.ACTIONS, see `ledger_read.actions`."""
        return ledger_read.actions(self.events(as_of, exclude_origin=exclude_origin, plus=plus), as_of)

    def decisions(self, as_of: Any, *, plus: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
        """Every decision taken, and what a person said of it since: see `ledger_read.decisions`."""
        return ledger_read.decisions(self.events(as_of, plus=plus))

    def attendance(self, as_of: Any) -> pd.DataFrame:
        """Who came, meeting by meeting: see `ledger_read.attendance`."""
        return ledger_read.attendance(self.events(as_of))

    def assumptions(self, as_of: Any, *, plus: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
        """What the plan rests on, and whether it held: frames.ASSUMPTIONS."""
        return ledger_read.assumptions(self.events(as_of, plus=plus))

    def agenda(self, cycle: str) -> pd.DataFrame:
        """What people changed on a cycle's agenda up to its meeting: frames.AGENDA_CHANGES, in the order it was said."""
        return ledger_read.agenda(ledger_read.standing(self.everything()), cycle)

    def digest(self, as_of: Any, exclude_origin: str | None = None, *, agenda: str | None = None) -> str:
        """A hash of what holds on a day: a step that read the ledger runs again when this changes.

        agenda   the cycle whose agenda the step reads: what people changed on it counts, whatever its day

        Deliveries are left out: no step reads them, and sending a pack must not make it anew.
        """
        held = ledger_read.standing(self.everything())
        known = ledger_read.in_order(held[(held["day"] <= pd.Timestamp(as_of)) & ~held["kind"].isin(("delivery", "agenda"))])
        ids = list(known.loc[known["origin"] != exclude_origin, "id"]) + (ledger_read.agenda_ids(held, agenda) if agenda else [])
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()


# --- events of actions ----------------------------------------------------------------------------------------------

def next_number(taken: set[str], day: object) -> str:
    """The next free number of the month, for an action between meetings.

    >>> next_number({"2026-10-X1"}, "2026-10-03")
    '2026-10-X2'
    """
    return next(name for i in count(1) if (name := f"{_day(day)[:7]}-X{i}") not in taken)


def added(action: str, *, title: str, owner: str, due: object, day: object, who: str = "", origin: str = "cli", **more: Any) -> dict[str, Any]:
    """The event that makes an action between meetings."""
    return event("add", action, day=day, cycle=_day(day)[:7], origin=origin, who=who, title=title, owner=owner, due=_day(due), **more)


def changed(
    action: str, verb: str, *, day: object, who: str = "", note: str = "", due: object = None, owner: str | None = None, after: str | None = None,
    origin: str = "cli",
) -> dict[str, Any]:
    """The event that says what became of an action; `after`, the one before it, keeps two that say the same apart."""
    return event(verb, action, day=day, cycle=_day(day)[:7], origin=origin, who=who, note=note or None, due=None if due is None else _day(due),
                 owner=owner or None, after=after)


def id_of(given: Mapping[str, Any]) -> str:
    """The id an event will have: the hash of what it says."""
    return str(_row(given)["id"])


# --- rows and days --------------------------------------------------------------------------------------------------

def _no_driver_transactions(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses


def _begin(connection: sa.Connection) -> None:
    """A writer takes the lock at once: two that read first and write later would refuse each other."""
    writes = connection.get_execution_options().get("sopnb_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _columns(connection: sa.Connection) -> set[str]:
    """The columns of the table; none where there is no table yet."""
    seen = sa.inspect(connection)
    return {column["name"] for column in seen.get_columns("events")} if seen.has_table("events") else set()


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    """An event as a row, with the hash of what it says for its id.

    raises   ValueError for a kind the ledger does not know, or an action without title, owner or due date
    """
    row = {name: given[name] for name in ("kind", "subject", "cycle", "origin", "who")}
    payload = {name: value for name, value in given["payload"].items() if value is not None}
    if row["kind"] not in KINDS:
        raise ValueError(f"an event is one of {', '.join(KINDS)}; not {row['kind']!r}. {nearest(str(row['kind']), KINDS)}".rstrip())
    for kind, needs in ledger_read.NEEDS.items():
        if row["kind"] == kind and not all(payload.get(name) for name in needs):
            raise ValueError(f"{ledger_read.CALLED[kind]} {row['subject']} needs {ledger_read.WORDS[kind]}")
    row["payload"] = json.dumps(payload, ensure_ascii=False, sort_keys=True, default=_day)
    row["day"] = pd.Timestamp(given["day"]).date()
    said = json.dumps({**row, "day": row["day"].isoformat()}, ensure_ascii=False, sort_keys=True)
    return {**row, "id": hashlib.sha256(said.encode()).hexdigest()[:32]}


def _ids(connection: sa.Connection, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), 500):  # databases limit the values of one question
        part = ids[start:start + 500]
        found.update(connection.execute(sa.select(EVENTS.c.id).where(EVENTS.c.id.in_(part))).scalars())
    return found


def _table(rows: Iterable[Any], audit: bool = False) -> pd.DataFrame:
    df = pd.DataFrame([dict(row) for row in rows], columns=[*COLUMNS, *(AUDIT if audit else ())])
    df["day"] = pd.to_datetime(df["day"]).astype("datetime64[ns]")
    return df


def _user() -> str:
    """Who is logged in; a container may know no name."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _day(value: object) -> str:
    return pd.Timestamp(str(value)).strftime("%Y-%m-%d")
