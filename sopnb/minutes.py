"""The minutes of a meeting, read from a YAML file, a workbook or a notebook's cells; every problem in one list.

    cycle: 2026-09
    held_on: 2026-09-08
    chair: p01
    attendance: [{person: p01, state: present}, {person: p02, state: delegated, delegate: p05}]
    points: [{topic: "Biscuit oven", discussion: "Short by 318 hours before Lebaran"}]
    decisions: [{id: D1, title: "Run Saturdays", option: A, why: "Cheapest", decided_by: p01, effect_kpi: otif, effect: 0.02, judged: 2026-12}]
    actions: [{id: A1, title: "Book the crews", owner: p02, due: 2026-09-30, amount: 1200000000, source: D1}]
    updates: [{action: 2026-08-A2, state: done, on: 2026-09-05}]
    assumptions: [{id: S1, state: failed, note: "Prices rose a month later"}, {id: S6, text: "Two chains list the jar", owner: p01}]
    next_meeting: 2026-10-08

A workbook holds the same: a sheet `meeting` with the names in its first column and the values in the second, and one
sheet per list with the names as headings. The rooms beside this one: `minutes_files` reads the files, `minutes_form` and
`minutes_book` write forms to fill in, `minutes_cells` takes what was typed in the notebook, `minutes_events` makes
tables and events of it, `minutes_rules` says what was not as the charter asks.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, minutes_files, minutes_place
from sopnb.problems import Problem, Problems, nearest

# list: (column, kind, must be given); a kind in brackets names the words allowed
SHEETS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "attendance": (("person", "person", True), ("state", "present|delegated|absent", True), ("delegate", "person", False)),
    "points": (("topic", "text", True), ("discussion", "text", False)),
    "decisions": (("id", "text", True), ("title", "text", True), ("option", "text", False), ("why", "text", False),
                  ("dissent", "text", False), ("decided_by", "person", True), ("effect_kpi", "text", False),
                  ("effect", "number", False), ("judged", "month", False), ("asked", "text", False), ("kind", "text", False)),
    "actions": (("id", "text", True), ("title", "text", True), ("owner", "person", True), ("due", "date", True),
                ("amount", "number", False), ("source", "text", False)),
    "updates": (("action", "text", True), ("state", "open|started|done|dropped|moved", True), ("on", "date", False),
                ("due", "date", False), ("owner", "person", False), ("note", "text", False)),
    "assumptions": (("id", "text", True), ("text", "text", False), ("if_not", "text", False), ("amount", "number", False), ("owner", "person", False),
                    ("made", "date", False), ("due", "date", False), ("state", "open|held|failed|dropped", False), ("on", "date", False), ("note", "text", False)),
}
HEAD = (("cycle", "month", True), ("held_on", "date", True), ("chair", "person", True), ("next_meeting", "date", False))
# What a form fills in beforehand: an entry that says no more than this was left as it was, and says nothing.
PREFILLED = {"decisions": {"id", "title", "decided_by", "asked", "kind"}, "actions": {"id"}, "updates": {"action"}, "assumptions": {"id"}}
TITLE_LENGTH = 300  # characters of an action's title: what a table can show; a discussion may be as long as it was
TOPIC_LENGTH = 1000  # of a topic, a question or an assumption: the form's own hold an action's title, names and numbers
LATE_MONTHS = 1  # how many months after its cycle's month a meeting may be held
_DAY = re.compile(r"(?P<month>\d{4}-\d{2})(-(?P<day>\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?)?")  # a workbook's days come with a time
_NUMBER = re.compile(r"[\w.-]{1,40}")  # of a decision, an action or an assumption: what can be typed in a terminal
_ACTION = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-\S+$")


@dataclass(frozen=True)
class Known:
    """What minutes may speak of; None: anything.

    people       person   mandatory
    actions      numbers of actions of the ledger
    asked        decisions asked for at this meeting
    measures     KPIs an effect can be expected on
    assumptions  numbers of assumptions made before
    rights       kinds of decision that the charter names
    stand_for    how many mandatory people one delegate may stand in for
    """

    people: pd.DataFrame | None = None
    actions: Collection[str] | None = None
    asked: Collection[str] | None = None
    measures: Collection[str] | None = None
    assumptions: Collection[str] | None = None
    rights: Collection[str] | None = None
    stand_for: int = 1


@dataclass(frozen=True)
class Minutes:
    """One meeting's minutes, as written; missing text is None, a missing number NaN, a missing date NaT.

    cycle         YYYY-MM
    held_on       the day
    attendance    person, state, delegate
    points        topic, discussion, in the order written
    decisions     id, title, option, why, dissent, decided_by, effect_kpi, effect, judged, asked, kind
    actions       id, title, owner, due, amount, source
    updates       action, state, on, due, owner, note
    assumptions   id, text, if_not, amount, owner, made, due, state, on, note
    """

    cycle: str
    held_on: pd.Timestamp
    chair: str
    next_meeting: pd.Timestamp | None = None
    attendance: pd.DataFrame = field(default_factory=lambda: _table("attendance", []))
    points: pd.DataFrame = field(default_factory=lambda: _table("points", []))
    decisions: pd.DataFrame = field(default_factory=lambda: _table("decisions", []))
    actions: pd.DataFrame = field(default_factory=lambda: _table("actions", []))
    updates: pd.DataFrame = field(default_factory=lambda: _table("updates", []))
    assumptions: pd.DataFrame = field(default_factory=lambda: _table("assumptions", []))

    @property
    def origin(self) -> str:
        """What the ledger calls the source of these events."""
        return f"minutes:{self.cycle}"


def read_minutes(
    path: str | Path, *, cycle: str | None = None, people: pd.DataFrame | None = None, known_actions: Collection[str] | None = None, known: Known | None = None
) -> Minutes:
    """The minutes of a meeting.

    path           a YAML file or a workbook
    cycle          the cycle they must be for; None: any
    people         person: who is known; None: anyone
    known_actions  actions that may be updated, and any of a meeting none of these comes from; None: any
    known          all that is known, instead of these two
    raises         Problems, all in one list, each with file and place
    """
    path = Path(path)
    return checked(minutes_files.read(path), path.name, cycle=cycle, known=known or Known(people, known_actions))


def checked(data: Mapping[str, Any], name: str, *, cycle: str | None = None, known: Known | None = None) -> Minutes:
    """Plain values as minutes.

    data     as the YAML has them
    name     of the file or form, for the list of problems
    raises   Problems, all in one list
    """
    found = _Reader(name, known or Known())
    head = {name: found.value(data.get(name), name, kind, needed) for name, kind, needed in HEAD}
    lists = {name: found.rows(data.get(name), name) for name in SHEETS}
    found.unknown(data, [name for name, _, _ in HEAD] + list(SHEETS), "")
    found.check(head, lists, cycle)
    if found.problems:
        raise Problems(found.problems)
    return Minutes(f"{head['cycle']:%Y-%m}", head["held_on"], head["chair"], head["next_meeting"],
                   **{name: _table(name, [row for _, row in rows]) for name, rows in lists.items()})


def held(path: str | Path | None, **settings: Any) -> Minutes | None:
    """The minutes, or None where the meeting has not been held: no path is given, no file is there yet, or it is a form
    that nobody filled in.
    """
    found = minutes_place.place(path)
    return None if found is None or untouched(minutes_files.read(found)) else read_minutes(found, **settings)


def untouched(data: Mapping[str, Any]) -> bool:
    """Whether a form is as it was handed out: no day of the meeting, nothing said, decided or agreed."""
    return not _given(data.get("held_on")) and not any(
        _given(row.get("discussion")) or _says(name, row) for name in ("points", "decisions", "actions", "updates", "assumptions")
        for row in (data.get(name) if isinstance(data.get(name), list) else []) if isinstance(row, dict))  # type: ignore[union-attr]


def _given(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _says(name: str, row: Mapping[str, Any]) -> bool:
    """Whether an entry says more than what a form filled in beforehand."""
    return name in PREFILLED and any(_given(value) for column, value in row.items() if column not in PREFILLED[name])


Rows = list[tuple[str, dict[str, Any]]]  # where an entry stands: its number in the list, or its row in a workbook; and what it says


class _Reader:
    """Turns plain values into typed ones and notes everything that is wrong on the way."""

    def __init__(self, name: str, known: Known):
        self.name, self.known = name, known
        self.problems: list[Problem] = []

    def wrong(self, place: str, wrong: str, allowed: str = "", remedy: str = "") -> None:
        self.problems.append(Problem(f"{self.name}, {place}" if place else self.name, wrong, allowed, remedy))

    def unknown(self, given: Mapping[Any, Any], known: list[str], place: str) -> None:
        for name in given:
            if name not in known:
                self.wrong(f"{place}{name}", f"{name} is not a part of the minutes", ", ".join(known), nearest(str(name), known))

    def rows(self, given: Any, name: str) -> Rows:
        if given is None:
            return []
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            self.wrong(name, "is not a list of entries", "a list such as [{" + ", ".join(f"{c}: …" for c, _, _ in SHEETS[name][:2]) + "}]")
            return []
        out = []
        for number, row in enumerate(given, start=1):
            i = f"row {row.at}" if isinstance(row, minutes_files.Row) else str(number)
            if name in PREFILLED and not _says(name, row) and (name != "decisions" or _given(row.get("asked")) or not _given(row.get("title"))):
                continue  # of a form, and left as it was
            place = f"{name} {i}, "
            self.unknown(row, [column for column, _, _ in SHEETS[name]], place)
            out.append((i, {column: self.value(row.get(column), f"{place}{column}", kind, needed) for column, kind, needed in SHEETS[name]}))
        return out

    def value(self, given: Any, place: str, kind: str, needed: bool) -> Any:
        nothing = pd.NaT if kind in ("date", "month") else float("nan") if kind == "number" else None
        if not _given(given):
            if needed:
                self.wrong(place, "is missing", _allowed(kind), "Fill it in")
            return nothing
        most = TITLE_LENGTH if place.startswith("actions ") else TOPIC_LENGTH
        if place.endswith((", title", ", topic", ", text")) and len(str(given)) > most:
            self.wrong(place, f"has {len(str(given)):,} characters", f"at most {most}", "Keep what it is called, and say the rest in the discussion of a point")
        try:
            return _typed(given, kind)
        except (ValueError, TypeError):
            self.wrong(place, f"{given!r} is not allowed", _allowed(kind), nearest(str(given), kind.split("|")) if "|" in kind else "")
            return nothing

    def check(self, head: dict[str, Any], lists: dict[str, Rows], cycle: str | None) -> None:
        """What no single value shows: people, dates, numbers given twice, actions nobody made."""
        month, day = head["cycle"], head["held_on"]
        if cycle and pd.notna(month) and f"{month:%Y-%m}" != cycle:
            self.wrong("cycle", f"these are the minutes of {month:%Y-%m}", cycle, "Look at meeting.file in the params file")
        self._people(head, lists)
        self._numbers(lists, "" if pd.isna(month) else f"{month:%Y-%m}")
        self._delegates(lists["attendance"])
        self._decided(lists, month)
        self._assumed(lists["assumptions"], day)
        self._told_once(lists["updates"])
        if pd.isna(day) or pd.isna(month):
            return
        last = frames.next_month(month, LATE_MONTHS + 1) - pd.Timedelta(days=1)
        if not month <= day <= last:  # a year mistyped would put all that was agreed before what it is about
            self.wrong("held_on", f"{day:%Y-%m-%d} is no day for the meeting of {month:%Y-%m}", f"{month:%Y-%m-%d} to {last:%Y-%m-%d}", "Look at the day, and at the cycle")
        for i, row in lists["actions"]:
            if pd.notna(row["due"]) and row["due"] < day:
                self.wrong(f"actions {i}, due", f"{row['id']} is due {row['due']:%Y-%m-%d}, before the meeting of {day:%Y-%m-%d}", "the day of the meeting or later")
        if pd.notna(head["next_meeting"]) and head["next_meeting"] <= day:
            self.wrong("next_meeting", f"{head['next_meeting']:%Y-%m-%d} is not after the meeting of {day:%Y-%m-%d}")
        self._updates(lists, f"{month:%Y-%m}", day)

    def _numbers(self, lists: dict[str, Rows], month: str) -> None:
        """Each person, decision, action and assumption once; A1 and 2026-09-A1 are the same one."""
        for name, key in (("attendance", "person"), ("decisions", "id"), ("actions", "id"), ("assumptions", "id")):
            given = [(i, row[key]) for i, row in lists[name] if row[key]]
            for i, value in given:
                if key == "id" and not _NUMBER.fullmatch(value):
                    self.wrong(f"{name} {i}, id", f"{value[:60]!r} is no number", "letters, digits, points and hyphens, at most 40, as A1")
            seen = [action_id(month, value) if name in ("decisions", "actions") else value for _, value in given]
            for twice in sorted({value for value in seen if seen.count(value) > 1}):
                self.wrong(f"{name}, {key}", f"{twice.removeprefix(f'{month}-')} stands {seen.count(twice)} times", "each once")

    def _told_once(self, updates: Rows) -> None:
        """Of an action one state is said, and one move beside it: of done and dropped, nobody could say which holds."""
        for moved in (False, True):
            told = [(row["action"], row["state"]) for _, row in updates if row["action"] and row["state"] and (row["state"] == "moved") == moved]
            for twice in sorted({action for action, _ in told if [one for one, _ in told].count(action) > 1}):
                states = ", ".join(state for action, state in told if action == twice)
                self.wrong("updates, action", f"{twice} stands {[one for one, _ in told].count(twice)} times: {states}", "one state, and moved beside it")

    def _people(self, head: dict[str, Any], lists: dict[str, Rows]) -> None:
        if self.known.people is None:
            return
        people = list(self.known.people["person"])
        named = [("chair", head["chair"])]
        for name, columns in SHEETS.items():
            who = [column for column, kind, _ in columns if kind == "person"]
            named += [(f"{name} {i}, {column}", row[column]) for i, row in lists[name] for column in who]
        for place, person in named:
            if person and person not in people:
                self.wrong(place, f"nobody is called {person}", ", ".join(people), nearest(person, people) or "Add the person to people, or correct the name")

    def _delegates(self, attendance: Rows) -> None:
        """A delegate is somebody else, was there, and stands in for no more mandatory people than allowed."""
        people = self.known.people
        must = set() if people is None or "mandatory" not in people else set(people.loc[people["mandatory"].eq(True), "person"])
        away = {row["person"]: row["state"] for _, row in attendance if row["state"] in ("delegated", "absent")}
        stands_for: dict[str, list[str]] = {}
        for i, row in attendance:
            place, person, delegate = f"attendance {i}, delegate", row["person"], row["delegate"]
            if row["state"] == "delegated" and not delegate:
                self.wrong(place, f"{person} is delegated to nobody", "a person", "Name the delegate, or write absent")
            elif delegate and row["state"] in ("present", "absent"):
                self.wrong(place, f"{person} is {row['state']} and has a delegate, {delegate}", "a delegate where the state is delegated", "Write delegated, or take the delegate out")
            elif delegate and delegate == person:
                self.wrong(place, f"{person} cannot stand in for himself or herself", "somebody else")
            elif delegate in away:
                self.wrong(place, f"{delegate} stands in for {person} and is {away[delegate]} too", "somebody who was there")
            elif delegate and person in must:
                stands_for.setdefault(delegate, []).append(person)
        for delegate, whom in stands_for.items():
            if len(whom) > self.known.stand_for:
                self.wrong("attendance, delegate", f"{delegate} stands in for {len(whom)} who must come: {', '.join(whom)}", f"at most {self.known.stand_for}",
                           "Name another delegate, write absent, or raise meeting.stand_for in the params file")

    def _decided(self, lists: dict[str, Rows], month: Any) -> None:
        """Questions, rights and measures a decision names must be there; an effect needs its measure and its month."""
        for i, row in lists["decisions"]:
            for column, allowed, what in (("asked", self.known.asked, "no decision was asked for under"), ("effect_kpi", self.known.measures, "no measure is called"),
                                          ("kind", self.known.rights, "the charter has no right called")):
                if row[column] and allowed is not None and row[column] not in allowed:
                    self.wrong(f"decisions {i}, {column}", f"{what} {row[column]}", ", ".join(sorted(allowed)) or "none", nearest(row[column], allowed) or "Correct it, or leave it out")
            parts = {"effect_kpi": row["effect_kpi"], "effect": None if pd.isna(row["effect"]) else row["effect"], "judged": None if pd.isna(row["judged"]) else row["judged"]}
            if parts["effect"] is not None and None in parts.values():
                lacks = [name for name, value in parts.items() if value is None]
                self.wrong(f"decisions {i}", f"{row['id']} expects an effect that can never be judged: {' and '.join(lacks)} missing", "effect_kpi, effect and judged together", "Fill them in, or leave effect out")
            if parts["judged"] is not None and pd.notna(month) and row["judged"] < month:
                self.wrong(f"decisions {i}, judged", f"{row['judged']:%Y-%m} is before the cycle of the meeting", f"{month:%Y-%m} or later")
        made = {row["id"] for _, row in lists["decisions"]}
        for i, row in lists["actions"]:
            if row["source"] and re.fullmatch(r"D\d+", row["source"]) and row["source"] not in made:
                self.wrong(f"actions {i}, source", f"{row['id']} comes from {row['source']}, which these minutes do not decide", ", ".join(sorted(made)) or "no decision was taken",
                           "Correct it, or write what it comes from in words")

    def _assumed(self, assumptions: Rows, day: Any) -> None:
        for i, row in assumptions:
            if self.known.assumptions is not None and not row["text"] and row["id"] and row["id"] not in self.known.assumptions:
                self.wrong(f"assumptions {i}, id", f"there is no assumption {row['id']}", ", ".join(sorted(self.known.assumptions)) or "none yet",
                           nearest(row["id"], self.known.assumptions) or "A new one needs its text")
            if pd.notna(row["on"]) and pd.notna(day) and row["on"] > day:
                self.wrong(f"assumptions {i}, on", f"{row['on']:%Y-%m-%d} is after the meeting of {day:%Y-%m-%d}", "the day of the meeting or earlier")

    def _updates(self, lists: dict[str, Rows], month: str, day: pd.Timestamp) -> None:
        """An action of a meeting that the ledger never saw may be one of before its time; of one it saw, it must be there."""
        known = self.known.actions
        own = {action_id(month, row["id"]) for _, row in lists["actions"] if row["id"]}
        seen = {action[:7] for action in own | set(known or ())} | {month}
        for i, row in lists["updates"]:
            if known is not None and row["action"] and row["action"] not in own and row["action"] not in known and (
                    row["action"][:7] in seen or not _ACTION.match(row["action"])):
                self.wrong(f"updates {i}, action", f"the ledger has no action {row['action']}", "an action such as " + (min(known) if known else "2026-09-A1"),
                           nearest(row["action"], sorted(known)) or "`sopnb actions list --all` shows them")
            if row["state"] == "moved" and pd.isna(row["due"]) and not row["owner"]:
                self.wrong(f"updates {i}", f"{row['action']} is moved without a new due date or owner", "due, owner or both")
            if pd.notna(row["on"]) and row["on"] > day:
                self.wrong(f"updates {i}, on", f"{row['on']:%Y-%m-%d} is after the meeting of {day:%Y-%m-%d}", "the day of the meeting or earlier")


def action_id(cycle: str, given: str) -> str:
    """An action's or a decision's name beyond its meeting.

    >>> action_id("2026-09", "A1")
    '2026-09-A1'
    """
    return given if given.startswith(f"{cycle}-") else f"{cycle}-{given}"


def _allowed(kind: str) -> str:
    examples = {"date": "a day, as 2026-09-30", "month": "a month, as 2026-12", "number": "a number without separators", "person": "a person of people"}
    return examples.get(kind, kind.replace("|", ", ") if "|" in kind else "text")


def _typed(given: Any, kind: str) -> Any:
    if kind in ("date", "month"):
        if not isinstance(given, str | dt.date | pd.Timestamp):
            raise TypeError("not a date")
        found = _DAY.fullmatch(str(given).strip())
        if not found or (kind == "date" and not found["day"]):
            raise ValueError("not a day written whole")  # never read 2026-09-301 as the 30th
        dated = pd.to_datetime(f"{found['month']}-{found['day'] or '01'}", format="%Y-%m-%d")
        return frames.month(dated) if kind == "month" else dated
    if kind == "number":
        if isinstance(given, bool):
            raise TypeError("not a number")
        if not math.isfinite(float(given)):
            raise ValueError("not a number")
        return float(given)
    if isinstance(given, list | dict):
        raise TypeError("not a text")
    text = str(int(given)) if isinstance(given, float) and given.is_integer() else str(given).strip()
    if "|" in kind and text not in kind.split("|"):
        raise ValueError(text)
    return text


def _table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = SHEETS[name]
    df = pd.DataFrame(rows, columns=[column for column, _, _ in columns])
    for column, kind, _ in columns:
        if kind in ("date", "month"):
            df[column] = pd.to_datetime(df[column]).astype("datetime64[ns]")
        elif kind == "number":
            df[column] = df[column].astype("float64")
        else:
            df[column] = pd.Series([row[column] for row in rows], dtype=object)
    return df
