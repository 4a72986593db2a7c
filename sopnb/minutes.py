"""The minutes of a meeting, read from a YAML file or a workbook; every problem in one list.

    cycle: 2026-09
    held_on: 2026-09-08
    chair: p01
    attendance: [{person: p01, state: present}, {person: p02, state: delegated, delegate: p05}]
    points: [{topic: "Biscuit oven", discussion: "Short by 318 hours before Lebaran"}]
    decisions: [{id: D1, title: "Run Saturdays", option: A, why: "Cheapest", decided_by: p01, effect_kpi: otif, effect: 0.02, judged: 2026-12}]
    actions: [{id: A1, title: "Book the crews", owner: p02, due: 2026-09-30, amount: 1200000000, source: D1}]
    updates: [{action: 2026-08-A2, state: done, on: 2026-09-05}]
    next_meeting: 2026-10-08

A workbook holds the same: a sheet `meeting` with the names in its first column and the values in the second, and one
sheet per list with the names as headings.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from sopnb import frames
from sopnb.problems import Problem, Problems, nearest

# list: (column, kind, must be given); a kind in brackets names the words allowed
SHEETS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "attendance": (("person", "person", True), ("state", "present|delegated|absent", True), ("delegate", "person", False)),
    "points": (("topic", "text", True), ("discussion", "text", False)),
    "decisions": (("id", "text", True), ("title", "text", True), ("option", "text", False), ("why", "text", False),
                  ("dissent", "text", False), ("decided_by", "person", True), ("effect_kpi", "text", False),
                  ("effect", "number", False), ("judged", "month", False), ("asked", "text", False)),
    "actions": (("id", "text", True), ("title", "text", True), ("owner", "person", True), ("due", "date", True),
                ("amount", "number", False), ("source", "text", False)),
    "updates": (("action", "text", True), ("state", "open|started|done|dropped|moved", True), ("on", "date", False),
                ("due", "date", False), ("owner", "person", False), ("note", "text", False)),
}
HEAD = (("cycle", "month", True), ("held_on", "date", True), ("chair", "person", True), ("next_meeting", "date", False))
_ACTION = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-\S+$")
SUFFIXES = (".yaml", ".yml", ".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True)
class Minutes:
    """One meeting's minutes, as written; missing text is None, a missing number NaN, a missing date NaT.

    cycle         YYYY-MM
    held_on       the day
    attendance    person, state, delegate
    points        topic, discussion, in the order written
    decisions     id, title, option, why, dissent, decided_by, effect_kpi, effect, judged, asked
    actions       id, title, owner, due, amount, source
    updates       action, state, on, due, owner, note
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

    @property
    def origin(self) -> str:
        """What the ledger calls the source of these events."""
        return f"minutes:{self.cycle}"


def read_minutes(
    path: str | Path, *, cycle: str | None = None, people: pd.DataFrame | None = None, known_actions: Collection[str] | None = None
) -> Minutes:
    """The minutes of a meeting.

    path           a YAML file or a workbook
    cycle          the cycle they must be for; None: any
    people         person: who is known; None: anyone
    known_actions  actions that may be updated, and any of a meeting none of these comes from; None: any
    raises         Problems, all in one list, each with file and place
    """
    path = Path(path)
    data = _read(path)
    found = _Reader(path)
    head = {name: found.value(data.get(name), name, kind, needed) for name, kind, needed in HEAD}
    lists = {name: found.rows(data.get(name), name) for name in SHEETS}
    found.unknown(data, [name for name, _, _ in HEAD] + list(SHEETS), "")
    found.check(head, lists, cycle, None if people is None else list(people["person"]), known_actions)
    if found.problems:
        raise Problems(found.problems)
    return Minutes(f"{head['cycle']:%Y-%m}", head["held_on"], head["chair"], head["next_meeting"],
                   **{name: _table(name, rows) for name, rows in lists.items()})


def held(path: str | Path | None, **settings: Any) -> Minutes | None:
    """The minutes, or None where the meeting has not been held: no path is given or no file is there yet."""
    return read_minutes(path, **settings) if path is not None and Path(path).is_file() else None


class _Reader:
    """Turns plain values into typed ones and notes everything that is wrong on the way."""

    def __init__(self, path: Path):
        self.path = path
        self.problems: list[Problem] = []

    def wrong(self, place: str, wrong: str, allowed: str = "", remedy: str = "") -> None:
        self.problems.append(Problem(f"{self.path.name}, {place}" if place else self.path.name, wrong, allowed, remedy))

    def unknown(self, given: dict[Any, Any], known: list[str], place: str) -> None:
        for name in given:
            if name not in known:
                self.wrong(f"{place}{name}", f"{name} is not a part of the minutes", ", ".join(known), nearest(str(name), known))

    def rows(self, given: Any, name: str) -> list[dict[str, Any]]:
        if given is None:
            return []
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            self.wrong(name, "is not a list of entries", "a list such as [{" + ", ".join(f"{c}: …" for c, _, _ in SHEETS[name][:2]) + "}]")
            return []
        out = []
        for i, row in enumerate(given, start=1):
            place = f"{name} {i}, "
            self.unknown(row, [column for column, _, _ in SHEETS[name]], place)
            out.append({column: self.value(row.get(column), f"{place}{column}", kind, needed) for column, kind, needed in SHEETS[name]})
        return out

    def value(self, given: Any, place: str, kind: str, needed: bool) -> Any:
        nothing = pd.NaT if kind in ("date", "month") else float("nan") if kind == "number" else None
        if given is None or (isinstance(given, str) and not given.strip()):
            if needed:
                self.wrong(place, "is missing", _allowed(kind), "Fill it in")
            return nothing
        try:
            return _typed(given, kind)
        except (ValueError, TypeError):
            self.wrong(place, f"{given!r} is not allowed", _allowed(kind), nearest(str(given), kind.split("|")) if "|" in kind else "")
            return nothing

    def check(self, head: dict[str, Any], lists: dict[str, list[dict[str, Any]]], cycle: str | None,
              people: list[str] | None, known: Collection[str] | None) -> None:
        """What no single value shows: people, dates, numbers given twice, actions nobody made."""
        month, day = head["cycle"], head["held_on"]
        if cycle and pd.notna(month) and f"{month:%Y-%m}" != cycle:
            self.wrong("cycle", f"these are the minutes of {month:%Y-%m}", cycle, "Look at meeting.file in the params file")
        self._people(head, lists, people)
        for name, key in (("attendance", "person"), ("decisions", "id"), ("actions", "id")):
            seen = [row[key] for row in lists[name] if row[key]]
            for twice in sorted({value for value in seen if seen.count(value) > 1}):
                self.wrong(f"{name}, {key}", f"{twice} stands {seen.count(twice)} times", "each once")
        for i, row in enumerate(lists["attendance"], start=1):
            if row["state"] == "delegated" and not row["delegate"]:
                self.wrong(f"attendance {i}, delegate", f"{row['person']} is delegated to nobody", "a person", "Name the delegate, or write absent")
        if pd.isna(day) or pd.isna(month):
            return
        for i, row in enumerate(lists["actions"], start=1):
            if pd.notna(row["due"]) and row["due"] < day:
                self.wrong(f"actions {i}, due", f"{row['id']} is due {row['due']:%Y-%m-%d}, before the meeting of {day:%Y-%m-%d}", "the day of the meeting or later")
        if pd.notna(head["next_meeting"]) and head["next_meeting"] <= day:
            self.wrong("next_meeting", f"{head['next_meeting']:%Y-%m-%d} is not after the meeting of {day:%Y-%m-%d}")
        self._updates(lists, f"{month:%Y-%m}", day, known)

    def _people(self, head: dict[str, Any], lists: dict[str, list[dict[str, Any]]], people: list[str] | None) -> None:
        if people is None:
            return
        named = [("chair", head["chair"])]
        for name, columns in SHEETS.items():
            who = [column for column, kind, _ in columns if kind == "person"]
            named += [(f"{name} {i}, {column}", row[column]) for i, row in enumerate(lists[name], start=1) for column in who]
        for place, person in named:
            if person and person not in people:
                self.wrong(place, f"nobody is called {person}", ", ".join(people), nearest(person, people) or "Add the person to people, or correct the name")

    def _updates(self, lists: dict[str, list[dict[str, Any]]], month: str, day: pd.Timestamp, known: Collection[str] | None) -> None:
        """An action of a meeting that the ledger never saw may be one of before its time; of one it saw, it must be there."""
        own = {action_id(month, row["id"]) for row in lists["actions"] if row["id"]}
        seen = {action[:7] for action in own | set(known or ())} | {month}
        for i, row in enumerate(lists["updates"], start=1):
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
        text = str(given).strip()
        dated = pd.to_datetime(text[:7] if kind == "month" else text[:10], format="%Y-%m" if kind == "month" else "%Y-%m-%d")
        return frames.month(dated) if kind == "month" else dated
    if kind == "number":
        if isinstance(given, bool):
            raise TypeError("not a number")
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


# --- the form to fill in --------------------------------------------------------------------------------------------

class Form(str):
    """A text that a notebook shows line by line."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": f"<pre>{html.escape(self)}</pre>", "text/plain": str(self)}


def form(
    agenda: pd.DataFrame, asked: pd.DataFrame, people: pd.DataFrame | None = None, *, cycle: str, meeting_day: Any, chair: str = "",
    actions: pd.DataFrame | None = None,
) -> Form:
    """Prefilled minutes as YAML text: fill in the day, what was said and what was decided, and save it.

    agenda, asked   with a column `text` where the points and questions are to be read in words
    actions         open ones are listed for an update
    `held_on` is left empty on purpose, so that a form nobody filled in is not taken for a meeting.
    """
    everyone = [] if people is None else people["person"].tolist()
    running = None if actions is None else actions[actions["state"].isin(["open", "started"])]
    lines = [f"cycle: {cycle}", f"held_on:   # the day of the meeting, planned for {pd.Timestamp(meeting_day):%Y-%m-%d}",
             f"chair: {_quoted(chair)}", "", "attendance:   # state: present, delegated (with delegate: person) or absent"]
    lines += [f"  - {{person: {_quoted(person)}, state: present}}" for person in everyone]
    lines += ["", "points:"]
    lines += [f"  - {{topic: {_quoted(text)}, discussion: \"\"}}" for text in _texts(agenda, "topic")]
    lines += ["", "decisions:   # effect_kpi, effect and judged let the decision be scored later"]
    for row, text in zip(asked.to_dict("records"), _texts(asked, "question"), strict=True):
        lines.append(f"  - {{id: {row['decision']}, title: {_quoted(text)}, option: {_quoted(row['recommended'])}, why: \"\", dissent: \"\", "
                     f"decided_by: {_quoted(row['decides'] or chair)}, asked: {row['decision']}}}")
    lines += ["", "actions:   # {id: A1, title: \"…\", owner: person, due: 2026-12-31, amount: 0, source: D1}", "",
              "updates:   # state: open, started, done, dropped or moved (with due or owner)"]
    lines += [f"  - {{action: {row['action']}, state: {row['state']}, note: \"\"}}   # {_one_line(row['title'])}"
              for row in ([] if running is None else running.to_dict("records"))]
    return Form("\n".join([*lines, "", "next_meeting:", ""]))


def _texts(df: pd.DataFrame, column: str) -> list[str]:
    return [str(text) for text in (df["text"] if "text" in df else df[column])]


def _quoted(value: Any) -> str:
    """A JSON string is a YAML string, whatever stands in it."""
    return json.dumps("" if value is None or pd.isna(value) else str(value), ensure_ascii=False)


def _one_line(value: Any) -> str:
    return " ".join(str(value or "").split())


# --- the two kinds of file ------------------------------------------------------------------------------------------

class _OnceOnly(yaml.SafeLoader):
    """Safe loading; a name given twice is refused, since YAML would keep the last one and say nothing."""


def _mapping(loader: _OnceOnly, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep)


# Dates stay text until `_typed` reads them, so that 2026-02-30 is told with its place; so do words such as `on`,
# which YAML 1.1 takes for a truth value.
_OnceOnly.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_OnceOnly.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read(path: Path) -> dict[str, Any]:
    if path.suffix.lower() not in SUFFIXES:
        raise Problems([Problem(path.name, f"{path.suffix or 'a file without ending'} cannot be read", ", ".join(SUFFIXES))])
    if not path.is_file():
        others = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in SUFFIXES) if path.parent.is_dir() else []
        raise Problems([Problem(str(path), "the minutes are not there", ", ".join(others), nearest(path.name, others) or "Fill in the form of 06_recap and save it there")])
    data = _yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _workbook(path)
    if not isinstance(data, dict):
        raise Problems([Problem(path.name, "holds no minutes", "`name: value` lines", "Fill in the form of 06_recap")])
    return data


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_OnceOnly)  # a SafeLoader, see above
    except UnicodeDecodeError as error:
        raise Problems([Problem(path.name, f"is not UTF-8 text (byte {error.start})", remedy="Save it as UTF-8")]) from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}, line {mark.line + 1}, column {mark.column + 1}" if mark else path.name
        raise Problems([Problem(place, f"cannot be read as YAML: {getattr(error, 'problem', error)}", remedy="Mend that line; put texts with a colon in quotes")]) from None


def _workbook(path: Path) -> dict[str, Any]:
    """A workbook as the same plain values as the YAML; empty rows and columns without a heading are left out."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise Problems([Problem(path.name, f"cannot be opened as a workbook: {error}", remedy="Save it as .xlsx")]) from None
    data: dict[str, Any] = {}
    for sheet in book.sheet_names:
        cells = [[None if cell == "" else cell for cell in row] for row in book.get_sheet_by_name(sheet).to_python()]
        cells = [row for row in cells if any(cell is not None for cell in row)]
        if sheet == "meeting":
            data.update({str(row[0]).strip(): row[1] if len(row) > 1 else None for row in cells if row[0] is not None})
        elif cells:
            heads = [str(cell).strip() if cell is not None else "" for cell in cells[0]]
            data[sheet] = [{head: cell for head, cell in zip(heads, row, strict=False) if head and (cell is not None)} for row in cells[1:]]
    return data
