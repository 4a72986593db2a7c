"""What lives between cycles: actions, decisions, attendance and deliveries, as events that are only ever added.

One table, `events`. An event is never changed or taken away; what holds is read from the order of events.

    seq       order in which events arrived
    id        hash of what the event says: the same event recorded twice is one event
    kind      add, start, done, drop, move (an action), decide, attend, held, delivery, or revision
    subject   what it is about: 2026-09-A1, 2026-09-D1, a person
    day       the day from which it is known; a cycle reads the ledger as of its own day
    cycle     YYYY-MM
    origin    where it comes from: minutes:2026-09, cli
    who       person
    payload   JSON

SQLite beside the reports by default; PostgreSQL by its address, for a team. SQLite keeps its ordinary journal and not a
write-ahead log, so that the ledger stays one file which can be copied and may lie on a shared drive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from os import environ
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from sopnb import frames
from sopnb.problems import Problem, Problems

ACTION_VERBS = ("add", "start", "done", "drop", "move")
KINDS = (*ACTION_VERBS, "decide", "attend", "held", "delivery", "revision")
STATES = {"start": "started", "done": "done", "drop": "dropped"}
WAIT_SECONDS = 60  # how long a writer waits for another one
COLUMNS = ("seq", "id", "kind", "subject", "day", "cycle", "origin", "who", "payload")

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
        "FOR EACH ROW EXECUTE FUNCTION events_append_only()"],
}
_NOT_YET = 10**12  # seq of events that are only read as if recorded: after all others
_CREATE_LOCK = 5_071_944  # any number of our own: two writers may find an empty PostgreSQL database at once


def event(kind: str, subject: str, *, day: object, cycle: str, origin: str, who: str = "", **payload: Any) -> dict[str, Any]:
    """One event, as `Ledger.record` takes it; any mapping with these names will do."""
    return {"kind": kind, "subject": subject, "day": _day(day), "cycle": cycle, "origin": origin, "who": who, "payload": payload}


def open(url: str | None, folder: Path) -> Ledger:
    """The company's ledger.

    url      env:NAME of a database address; None: ledger.sqlite in the folder
    raises   Problems where the environment does not hold the name
    """
    if not url:
        return Ledger(f"sqlite:///{(folder / 'ledger.sqlite').as_posix()}")
    name = url.removeprefix("env:")
    if not environ.get(name):
        raise Problems([Problem("ledger.url", f"the environment has no {name}", "a database address",
                                f"Set {name}, or leave ledger.url out to keep the ledger beside the reports")])
    return Ledger(environ[name])


class Ledger:
    """Events in a database. Reading one that does not exist yet finds nothing and creates nothing."""

    def __init__(self, url: str):
        self._url = sa.make_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": WAIT_SECONDS}} if self._sqlite else {}
        self._engine = sa.create_engine(self._url, poolclass=sa.NullPool, **options)
        if self._sqlite:
            sa.event.listen(self._engine, "connect", _no_driver_transactions)
            sa.event.listen(self._engine, "begin", _begin)

    def __repr__(self) -> str:
        return f"Ledger({self._url.render_as_string(hide_password=True)})"

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

    def add(self, *, title: str, owner: str, due: object, day: object, who: str = "", amount: float | None = None) -> str:
        """Add an action between meetings; returns its number, the next free one of the month: 2026-10-X1."""
        cycle = _day(day)[:7]
        with self._writing() as connection:
            taken = set(connection.execute(sa.select(EVENTS.c.subject).where(EVENTS.c.cycle == cycle)).scalars())
            action = next(name for i in count(1) if (name := f"{cycle}-X{i}") not in taken)
            self._add(connection, [_row(event("add", action, day=day, cycle=cycle, origin="cli", who=who, title=title,
                                              owner=owner, due=_day(due), amount=amount))])
        return action

    def change(self, action: str, verb: str, *, day: object, who: str = "", note: str = "", due: object = None, owner: str | None = None) -> None:
        """Say what became of an action: start, done, drop or move. Said again later, it is said again."""
        with self._writing() as connection:
            last = connection.execute(sa.select(EVENTS.c.id).where(EVENTS.c.subject == action).order_by(EVENTS.c.seq.desc()).limit(1)).scalar()
            self._add(connection, [_row(event(verb, action, day=day, cycle=_day(day)[:7], origin="cli", who=who, note=note or None,
                                              due=None if due is None else _day(due), owner=owner, after=last))])

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction that no other writer shares, on a database with its table."""
        if self._sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        with self._engine.connect().execution_options(sopnb_write=True) as connection, connection.begin():
            self._ready(connection)
            yield connection

    def _ready(self, connection: sa.Connection) -> None:
        """Create what is missing; from here on this transaction is the only writer."""
        if not self._sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        if not sa.inspect(connection).has_table("events"):
            _META.create_all(connection)
            for statement in _REFUSE[self._url.get_backend_name()]:
                connection.exec_driver_sql(statement)

    def _add(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> int:
        known = _ids(connection, [row["id"] for row in rows])
        new = list({row["id"]: row for row in rows if row["id"] not in known}.values())
        if new:
            connection.execute(EVENTS.insert(), new)
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

    def everything(self) -> pd.DataFrame:
        """All events in the order they came, those no longer holding included: seq, id, kind, subject, day, …"""
        if self._sqlite and not (self._url.database and Path(self._url.database).is_file()):
            return _table([])
        with self._engine.connect() as connection, connection.begin():
            if not sa.inspect(connection).has_table("events"):
                return _table([])
            return _table(connection.execute(sa.select(EVENTS).order_by(EVENTS.c.seq)).mappings())

    def events(
        self, as_of: Any = None, *, before: Any = None, exclude_origin: str | None = None, plus: Iterable[Mapping[str, Any]] = ()
    ) -> pd.DataFrame:
        """The events that hold, by day and arrival.

        as_of    those known on this day or earlier
        before   those known before this day
        plus     events not recorded yet, read as if they were: they stand for all events of their origin
        """
        rows = [_row(given) for given in plus]
        found = _standing(self.everything())
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
        return found.sort_values(["day", "seq"], kind="stable").reset_index(drop=True)

    def actions(self, as_of: Any, *, exclude_origin: str | None = None, plus: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
        """Every action and its state on a day.

        returns  frames.ACTIONS; age from the day it was made to the day it was closed or as_of;
                 overdue_days counts only while it is open
        """
        seen = self.events(as_of, exclude_origin=exclude_origin, plus=plus)
        states: dict[str, dict[str, Any]] = {}
        for row in seen[seen["kind"].isin(ACTION_VERBS)].itertuples(index=False):
            _apply(states, row)
        return _aged(pd.DataFrame(list(states.values())), pd.Timestamp(as_of))

    def decisions(self, as_of: Any) -> pd.DataFrame:
        """Every decision taken: the columns of frames.DECISIONS, with cycle and made_on (the day) behind."""
        seen = self.events(as_of)
        rows = [{"decision": row.subject, **json.loads(str(row.payload)), "cycle": row.cycle, "made_on": row.day}
                for row in seen[seen["kind"] == "decide"].itertuples(index=False)]
        return _dated(rows, frames.DECISIONS, "made_on")

    def attendance(self, as_of: Any) -> pd.DataFrame:
        """Who came, meeting by meeting: the columns of frames.ATTENDANCE, with cycle and held_on behind."""
        seen = self.events(as_of)
        rows = [{"person": row.subject, **json.loads(str(row.payload)), "cycle": row.cycle, "held_on": row.day}
                for row in seen[seen["kind"] == "attend"].itertuples(index=False)]
        return _dated(rows, frames.ATTENDANCE, "held_on")

    def digest(self, as_of: Any, exclude_origin: str | None = None) -> str:
        """A hash of what holds on a day: a step that read the ledger runs again when this changes.

        Deliveries are left out: no step reads them, and sending a pack must not make it anew.
        """
        events = self.events(as_of, exclude_origin=exclude_origin)
        ids = events.loc[events["kind"] != "delivery", "id"]
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _no_driver_transactions(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses


def _begin(connection: sa.Connection) -> None:
    """A writer takes the lock at once: two that read first and write later would refuse each other."""
    writes = connection.get_execution_options().get("sopnb_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    """An event as a row, with the hash of what it says for its id.

    raises   ValueError for a kind the ledger does not know, or an action without title, owner or due date
    """
    row = {name: given[name] for name in ("kind", "subject", "cycle", "origin", "who")}
    payload = {name: value for name, value in given["payload"].items() if value is not None}
    if row["kind"] not in KINDS:
        raise ValueError(f"an event is one of {', '.join(KINDS)}; not {row['kind']!r}")
    if row["kind"] == "add" and not all(payload.get(name) for name in ("title", "owner", "due")):
        raise ValueError(f"action {row['subject']} needs a title, an owner and a due date")
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


def _table(rows: Iterable[Any]) -> pd.DataFrame:
    df = pd.DataFrame([dict(row) for row in rows], columns=list(COLUMNS))
    df["day"] = pd.to_datetime(df["day"]).astype("datetime64[ns]")
    return df


def _standing(found: pd.DataFrame) -> pd.DataFrame:
    """Events that hold: of an origin with revisions, those its last revision names."""
    revisions = found[found["kind"] == "revision"].drop_duplicates("origin", keep="last")
    holds = {row.origin: set(json.loads(str(row.payload))["holds"]) for row in revisions.itertuples(index=False)}
    kept = [row.kind != "revision" and (row.origin not in holds or row.id in holds[row.origin])
            for row in found.itertuples(index=False)]
    return found[pd.Series(kept, index=found.index, dtype=bool)]


def _apply(states: dict[str, dict[str, Any]], row: Any) -> None:
    """What one event does to an action. An event on an action nobody added is kept in the ledger, without effect."""
    payload = json.loads(str(row.payload))
    if row.kind == "add":
        known = states.get(row.subject, {"state": "open", "closed_on": pd.NaT, "made_on": row.day, "cycle": row.cycle})
        states[row.subject] = {**known, "action": row.subject, **payload}
    elif row.subject not in states:
        return
    elif row.kind == "move":
        states[row.subject].update({name: payload[name] for name in ("due", "owner") if payload.get(name)})
    else:
        closed = pd.Timestamp(payload.get("on", row.day)) if row.kind in ("done", "drop") else pd.NaT
        states[row.subject].update(state=STATES[row.kind], closed_on=closed)


def _aged(df: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    if df.empty:
        return frames.empty(frames.ACTIONS)
    out = df.reindex(columns=[name for name in frames.ACTIONS.names if name not in ("age_days", "overdue_days")])
    for name in ("made_on", "due", "closed_on"):
        out[name] = pd.to_datetime(out[name]).astype("datetime64[ns]")
    running = out["state"].isin(["open", "started"])
    out["age_days"] = (out["closed_on"].fillna(as_of) - out["made_on"]).dt.days.clip(lower=0)
    out["overdue_days"] = (as_of - out["due"]).dt.days.clip(lower=0).where(running & out["due"].notna(), 0)
    return frames.conform(out, frames.ACTIONS)


def _dated(rows: list[dict[str, Any]], frame: frames.Frame, day: str) -> pd.DataFrame:
    df = pd.DataFrame(rows, columns=list(dict.fromkeys([*frame.names, "cycle", day])))
    out = frames.typed(df, frame)
    out["cycle"] = pd.to_datetime(df["cycle"]).astype("datetime64[ns]")
    out[day] = pd.to_datetime(df[day]).astype("datetime64[ns]")
    return out


def _day(value: object) -> str:
    return pd.Timestamp(str(value)).strftime("%Y-%m-%d")
