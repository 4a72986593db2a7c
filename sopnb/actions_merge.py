"""What follows from a workbook of actions that came back: changes, conflicts, or nothing.

Three states are compared: what the workbook was made with (seen), what stands in it (mine), what the ledger says now
(theirs). A cell that was not touched says nothing, whatever happened since. A cell that was touched is a change where
the ledger still says what was seen, nothing where somebody has said the same, and a conflict where somebody has said
something else: neither counts by itself.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import ledger, ledger_read
from sopnb.actions_book import Edited
from sopnb.ledger_read import RUNNING
from sopnb.minutes import TITLE_LENGTH
from sopnb.problems import Problem, Problems, nearest

FIELDS = ("state", "owner", "due", "closed on")
VERBS = {"started": "start", "done": "done", "dropped": "drop"}
ALIKE = 0.6  # how much two titles have in common, from which one is taken for the other reworded


@dataclass(frozen=True)
class Line:
    """One cell: what the workbook was made with, what it says, what the ledger says now."""

    action: str
    what: str
    column: str
    seen: Any
    mine: Any
    theirs: Any


@dataclass
class Merged:
    """What a workbook comes to.

    changes    cells that change something, new actions included (under their coming number)
    conflicts  of actions somebody else changed since: the cells that either changed
    since      action in conflict: who changed it last, and when
    events     what is to be recorded
    unchanged  actions of the workbook that stay as they are
    """

    changes: list[Line] = field(default_factory=list)
    conflicts: list[Line] = field(default_factory=list)
    since: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def added(self) -> list[str]:
        return [str(event["subject"]) for event in self.events if event["kind"] == "add"]


def merge(
    edited: Edited, events: pd.DataFrame, *, day: dt.date, file: str, person: Callable[[str], str] = lambda given: given, who: str = "",
    mine: Collection[str] = (), theirs: Collection[str] = (),
) -> Merged:
    """What to record, so that the ledger says what the workbook says.

    edited   see `actions_book.read`
    events   all events of the ledger
    person   the person a word means; raises Problems for nobody
    mine     actions in conflict of which the workbook's cells count
    theirs   … of which what somebody else said since counts
    raises   Problems, all in one list
    """
    known = ledger_read.in_order(ledger_read.standing(events))
    rows = ledger_read.actions(known, day).set_index("action", drop=False)
    work = _Work(edited, events, known, rows, day, file, person, who, frozenset(mine), frozenset(theirs))
    work.check_numbers()
    for row in edited.rows:
        work.existing(row) if row["action"] else work.new(row)
    if work.problems:
        raise Problems(work.problems)
    return work.merged


def told(merged: Merged, params_file: str, file: str) -> list[Problem]:
    """What is to be decided before a workbook with conflicts can be loaded."""
    return [Problem(f"{file}, {action}", f"somebody changed it since the workbook was made: {merged.since[action]}", "",
                    f"Decide: --mine {action} takes the workbook's, --theirs {action} leaves what stands (sopnb actions show {params_file} {action})")
            for action in dict.fromkeys(line.action for line in merged.conflicts)]


class _Work:
    """One workbook on its way: problems, changes and events as they are found."""

    def __init__(self, edited: Edited, events: pd.DataFrame, known: pd.DataFrame, rows: pd.DataFrame, day: dt.date, file: str, person: Callable[[str], str],
                 who: str, mine: frozenset[str], theirs: frozenset[str]):
        self.edited, self.known, self.rows, self.day, self.file, self.person, self.who, self.mine, self.theirs = edited, known, rows, day, file, person, who, mine, theirs
        self.merged, self.problems = Merged(), list[Problem]()
        self.taken, self.last = set(events["subject"]), ledger_read.last_ids(events)
        adds = known[known["kind"] == "add"]
        self.from_books = {said["book"]: (str(subject), said["title"]) for subject, payload in zip(adds["subject"], adds["payload"], strict=True)
                           if "book" in (said := json.loads(payload))}
        self.rows_of_new = {self._mark(row) for row in edited.rows if not row["action"]}
        self.met: set[str] = set()

    def wrong(self, row: dict[str, Any], column: str, wrong: str, allowed: str = "", remedy: str = "") -> None:
        self.problems.append(Problem(f"{self.file}, row {row['row']}, {column}", wrong, allowed, remedy))

    def check_numbers(self) -> None:
        numbers = [row["action"] for row in self.edited.rows if row["action"]]
        for row in self.edited.rows:
            if row["action"] and numbers.count(row["action"]) > 1 and row["action"] not in self.met:
                self.met.add(row["action"])
                self.wrong(row, "action", f"{row['action']} stands {numbers.count(row['action'])} times", "each once", "Take out the rows that were copied")
        for option, given in (("--mine", self.mine), ("--theirs", self.theirs)):
            for action in sorted(given - set(numbers)):
                self.problems.append(Problem(option, f"{action} is no action of {self.file}", remedy=nearest(action, numbers)))
        for action in sorted(self.mine & self.theirs):
            self.problems.append(Problem("--mine, --theirs", f"{action} stands in both", "one of them"))

    # --- an action that is there ------------------------------------------------------------------------------------

    def existing(self, row: dict[str, Any]) -> None:
        action = row["action"]
        if action not in self.rows.index or action not in self.edited.seen:
            known = list(self.edited.seen)
            self.wrong(row, "action", f"there is no action {action} in what the workbook was made from", "a number of the workbook; empty for a new action", nearest(action, known))
            return
        seen, now = self.edited.seen[action], self._now(self.rows.loc[action])
        before, said = len(self.problems), self._said(row, seen)
        self._fixed(row, seen)
        self._sensible(row, said, now)
        if len(self.problems) > before:
            return
        lines = [Line(action, now["what"], name, seen[name], said[name], now[name]) for name in FIELDS if said[name] != seen[name] and said[name] != now[name]]
        note = row["note"] if row["note"] and not self._noted(action, row["note"]) else None
        changed_since = any(seen[name] != now[name] for name in FIELDS)
        if lines and changed_since and action not in self.mine:
            if action not in self.theirs:
                self.merged.conflicts += [Line(action, now["what"], name, seen[name], said[name], now[name]) for name in FIELDS if not seen[name] == said[name] == now[name]
                                          and not (seen[name] is None and said[name] is None and now[name] is None)]
                self.merged.since[action] = self._since(action)
                return
            lines = []
        if not lines and note is None:
            self.merged.unchanged += 1
            return
        self.merged.changes += [*lines, *([Line(action, now["what"], "note", None, note, None)] if note else [])]
        self._record(action, {line.column: line.mine for line in lines}, said, now, note)

    def _now(self, row: pd.Series) -> dict[str, Any]:
        def day(value: Any) -> Any:
            return None if pd.isna(value) else value

        return {"what": row["title"], "state": row["state"], "owner": row["owner"], "due": day(row["due"]), "closed on": day(row["closed_on"]), "made on": row["made_on"]}

    def _said(self, row: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
        """What the row says; an empty cell says what was there, but for the day of closing of one that is open."""
        said = {name: row[name] if row[name] is not None else seen[name] for name in FIELDS}
        if said["owner"] != seen["owner"]:
            try:
                said["owner"] = self.person(said["owner"])
            except Problems as found:
                self.wrong(row, "owner", found.problems[0].wrong, found.problems[0].allowed, found.problems[0].remedy)
        if said["state"] in RUNNING:
            if row["closed on"] is not None and row["closed on"] != seen["closed on"]:
                self.wrong(row, "closed on", f"is filled in, and the state is {said['state']}", "done or dropped, or no day")
            said["closed on"] = None
        return said

    def _fixed(self, row: dict[str, Any], seen: dict[str, Any]) -> None:
        """What an action is about does not change under its number."""
        for name in ("what", "at stake", "from"):
            if row[name] is not None and row[name] != seen[name] and not (name == "what" and " ".join(str(seen[name]).split()) == row[name]):
                self.wrong(row, name, f"of {row['action']} cannot be changed", f"{seen[name] if seen[name] is not None else 'empty'}",
                           "Drop the action, and add a new one in an empty row")

    def _sensible(self, row: dict[str, Any], said: dict[str, Any], now: dict[str, Any]) -> None:
        seen = self.edited.seen[row["action"]]
        if said["state"] == "open" and seen["state"] != "open":
            self.wrong(row, "state", f"{row['action']} was {seen['state']}; it cannot be as if nobody had begun", "started, to go on with it")
        if {said["state"], seen["state"]} == {"done", "dropped"}:
            self.wrong(row, "state", f"{row['action']} is {seen['state']} and cannot be {said['state']} at once", "started, to open it again first")
        if said["due"] is not None and said["due"] != seen["due"] and said["due"] < now["made on"]:
            self.wrong(row, "due", f"{said['due']:%Y-%m-%d} is before the day it was made", f"{now['made on']:%Y-%m-%d} or later")
        closed = said["closed on"]
        if closed is not None and closed != seen["closed on"] and not now["made on"] <= closed <= pd.Timestamp(self.day):
            self.wrong(row, "closed on", f"{closed:%Y-%m-%d} is not between the day it was made and today", f"{now['made on']:%Y-%m-%d} to {self.day}")

    def _noted(self, action: str, note: str) -> bool:
        """Whether somebody has said this of the action already: a workbook loaded twice says nothing twice."""
        return any(json.loads(payload).get("note") == note for payload in self.known.loc[self.known["subject"] == action, "payload"])

    def _since(self, action: str) -> str:
        said = self.known[(self.known["subject"] == action) & self.known["kind"].isin(ledger_read.ACTION_VERBS)].sort_values("seq", kind="stable").iloc[-1]
        return f"{ledger_read.VERBS_SAID[said['kind']]} on {said['day']:%Y-%m-%d}" + (f" by {said['who']}" if said["who"] else "")

    def _record(self, action: str, changed: dict[str, Any], said: dict[str, Any], now: dict[str, Any], note: str | None) -> None:
        """One event for day and owner, one for the state; a closed action is opened before it is moved, an open one closed after."""
        state = {} if not {"state", "closed on"} & set(changed) else {"verb": VERBS[said["state"]], "on": said["closed on"]}
        move: dict[str, Any] = {name: changed[name] for name in ("due", "owner") if name in changed}
        steps: list[tuple[str, dict[str, Any]]] = [("move", move)] if move or (note and not state) else []
        steps = [*steps, (str(state["verb"]), {"on": state["on"]})] if state else steps
        if now["state"] not in RUNNING and said["state"] in RUNNING:
            steps.reverse()
        latest = self.known.loc[(self.known["subject"] == action), "day"].max()
        if latest > pd.Timestamp(self.day):
            self.problems.append(Problem(f"{self.file}, {action}", f"it was changed on {latest:%Y-%m-%d}, and {self.day} is before that", f"{latest:%Y-%m-%d} or later", "Say the day with --as-of"))
            return
        after = self.last[action]
        for i, (verb, more) in enumerate(steps):
            given = ledger.changed(action, verb, day=self.day, who=self.who, after=after, origin="workbook", note=(note or "") if i == len(steps) - 1 else "",
                                   due=more.get("due"), owner=more.get("owner"))
            if more.get("on") is not None:
                given["payload"]["on"] = f"{more['on']:%Y-%m-%d}"
            self.merged.events.append(given)
            after = ledger.id_of(given)

    # --- a new one --------------------------------------------------------------------------------------------------

    def _mark(self, row: dict[str, Any]) -> str:
        """What tells a new row from all others: the workbook it stands in and its words."""
        words = json.dumps([row["what"], row["owner"], f"{row['due']}"], ensure_ascii=False)
        return f"{self.edited.token}:{hashlib.sha256(words.encode()).hexdigest()[:16]}"

    def new(self, row: dict[str, Any]) -> None:
        before, owner = len(self.problems), row["owner"]
        for name in ("what", "owner", "due"):
            if row[name] is None:
                self.wrong(row, name, "is missing", "a new action needs what, owner and due", "" if name != "what" else "Fill it in, or empty the row")
        if owner is not None:
            try:
                owner = self.person(owner)
            except Problems as found:
                self.wrong(row, "owner", found.problems[0].wrong, found.problems[0].allowed, found.problems[0].remedy)
        if row["what"] is not None and len(row["what"]) > TITLE_LENGTH:
            self.wrong(row, "what", f"has {len(row['what']):,} characters", f"at most {TITLE_LENGTH}", "Say the rest in the note")
        mark = self._mark(row)
        if mark in self.from_books:
            self.merged.unchanged += 1
            return
        if mark in self.met:
            self.wrong(row, "what", "stands twice among the new actions", "each once")
        self.met.add(mark)
        if row["due"] is not None and row["due"] < pd.Timestamp(self.day) and row["state"] in (None, *RUNNING):
            self.wrong(row, "due", f"{row['due']:%Y-%m-%d} is before today, {self.day}", f"{self.day} or later")
        self._reworded(row)
        if len(self.problems) > before:
            return
        action = ledger.next_number(self.taken, self.day)
        self.taken.add(action)
        self.merged.events.append(ledger.added(action, title=row["what"], owner=owner, due=row["due"], day=self.day, who=self.who, origin="workbook", amount=row["at stake"],
                                               source=row["from"], note=row["note"], book=mark))
        if row["state"] in VERBS:
            on = row["closed on"] if row["state"] not in RUNNING else None
            self.merged.events.append(ledger.event(VERBS[row["state"]], action, day=self.day, cycle=f"{self.day:%Y-%m}", origin="workbook", who=self.who,
                                                   after=ledger.id_of(self.merged.events[-1]), on=None if on is None else f"{on:%Y-%m-%d}"))
        self.merged.changes += [Line(action, row["what"], name, None, row[name], None) for name in ("owner", "due") if row[name] is not None]
        if row["state"] in VERBS:
            self.merged.changes.append(Line(action, row["what"], "state", None, row["state"], None))

    def _reworded(self, row: dict[str, Any]) -> None:
        """A new row that was loaded before and has other words now: it has a number already, and would be added again."""
        gone = {subject: title for mark, (subject, title) in self.from_books.items() if mark.startswith(self.edited.token) and mark not in self.rows_of_new}
        for subject, title in gone.items():
            if row["what"] and difflib.SequenceMatcher(None, title.lower(), row["what"].lower()).ratio() >= ALIKE:
                self.wrong(row, "what", f"looks like {subject} ({title}), added from this workbook before", "",
                           "Export again and change it under its number; a different action in other words is added as it is")
                return
