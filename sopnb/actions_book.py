"""The actions as a workbook to edit in Excel or LibreOffice, and the way back.

    Start     how to fill it in
    Actions   one row an action; the yellow cells are filled in: state, owner, due, closed on, note; empty rows below are
              for new ones
    Lists     what the drop-downs offer
    Seen      hidden: what the ledger said when the workbook was made, by action with its last event. Without it nobody
              could tell what was changed in the workbook from what was changed since.

No cell becomes a formula. What follows from a workbook that comes back is worked out in `actions_merge`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import forms, words
from sopnb.ledger_read import last_ids
from sopnb.problems import Problem, Problems, nearest
from sopnb.workbook_cells import Looks, opened, put, put_text

STATES = ("open", "started", "done", "dropped")
GIVEN = ("action", "what", "made on", "age", "days late", "at stake", "from")  # not changed for an action that is there
ASKED = ("state", "owner", "due", "closed on", "note")  # filled in
HEADS = ("action", "what", "state", "owner", "due", "closed on", "note", "days late", "age", "made on", "at stake", "from")
DAYS = ("due", "closed on", "made on")
STAMP = ("action", "last", "state", "owner", "due", "closed on", "what", "at stake", "from")
WIDTHS = {"action": 13, "what": 46, "state": 10, "owner": 18, "due": 12, "closed on": 12, "note": 40, "days late": 10, "age": 8, "made on": 12, "at stake": 16, "from": 14}
NUMBERS = ("days late", "age", "at stake")
NEW_ROWS = 40
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
SHEET, HIDDEN = "Actions", "Seen"


# --- out ------------------------------------------------------------------------------------------------------------

def write(path: Path, rows: pd.DataFrame, events: pd.DataFrame, *, company: str, day: dt.date, names: Mapping[str, str] | None = None, title: str = "") -> Path:
    """The workbook of some actions.

    rows      frames.ACTIONS, those to show, in the order to show them
    events    all events of the ledger they come from
    company   its short name: a workbook of another company is refused on its way back
    day       the day it is looked at
    names     person: name; offered as owners beside those who own an action
    returns   the path
    """
    table, owners = _shown(rows), sorted({*(names or {}), *rows["owner"].dropna()})
    offered = {"state": STATES, "owner": owners}
    with opened(path, title=title) as book:
        looks = Looks(book)
        forms.start(book.add_worksheet("Start"), looks, title, _told(day, len(table)))
        _ask(book.add_worksheet(SHEET), looks, table, offered)
        forms.lists(book.add_worksheet(forms.LISTS), looks, offered)
        _stamp(book.add_worksheet(HIDDEN), looks, table, last_ids(events), [company, f"{day}", token(company, day, events)])
        book.get_worksheet_by_name(SHEET).activate()
    return path


def token(company: str, day: dt.date, events: pd.DataFrame) -> str:
    """What tells one workbook's new rows from another's: by company, day and all the ledger said."""
    return hashlib.sha256("\n".join([company, f"{day}", *map(str, events["id"])]).encode()).hexdigest()[:16]


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Actions under the workbook's headings; days late only where there are some, the note empty."""
    return pd.DataFrame({
        "action": rows["action"], "what": rows["title"], "state": rows["state"], "owner": rows["owner"], "due": rows["due"], "closed on": rows["closed_on"], "note": None,
        "days late": rows["overdue_days"].where(rows["overdue_days"] > 0), "age": rows["age_days"], "made on": rows["made_on"], "at stake": rows["amount"], "from": rows["source"],
    }).reset_index(drop=True)


def _told(day: dt.date, n: int) -> list[tuple[str, str]]:
    """The first sheet's headings and sentences."""
    return [(words.message(f"actions.form.{what}.head").text, words.message(f"actions.form.{what}", {"day": pd.Timestamp(day), "n": n}).text)
            for what in ("seen", "fill", "new", "note", "load", "twice", "conflict")]


def _ask(sheet: Any, looks: Looks, table: pd.DataFrame, offered: Mapping[str, Sequence[str]]) -> None:
    """The sheet that is filled in: what is known as it stands, yellow cells for the rest, empty rows below for new actions."""
    end = len(table) + NEW_ROWS
    forms.table(sheet, SHEET, frozen=2)
    for at, name in enumerate(HEADS):
        forms.column(sheet, looks, at, name, look="head asked" if name in ASKED else "head right" if name in NUMBERS else "head", width=WIDTHS[name], note=_meaning(name))
    for row, record in enumerate(table.to_dict("records"), start=1):
        for at, name in enumerate(HEADS):
            late = name == "days late" and record[name] == record[name]
            put(sheet, row, at, record[name], looks("bad number" if late else _look(name)))
        forms.tall(sheet, row, [(record[name], WIDTHS[name]) for name in ("what", "note")])
    for row in range(len(table) + 1, end + 1):
        for name in ("what", *ASKED, "at stake", "from"):
            put(sheet, row, HEADS.index(name), None, looks("asked date" if name in DAYS else "asked number" if name in NUMBERS else "asked text"))
    for name in ("state", "owner") if offered["owner"] else ("state",):
        forms.offer(sheet, (1, end), HEADS.index(name), name, offered, told=_meaning(name), strict=name == "state")
    for name in ("due", "closed on"):
        forms.dates(sheet, (1, end), HEADS.index(name), name, told=_meaning(name))
    sheet.autofilter(0, 0, end, len(HEADS) - 1)


def _look(name: str) -> str:
    """How a cell of an action that is there looks."""
    if name in ASKED:
        return "asked date" if name in DAYS else "asked text"
    return "date" if name in DAYS else "whole" if name in NUMBERS else "wrap" if name == "what" else "read"


def _meaning(name: str) -> str:
    return words.message(f"actions.form.column.{name.replace(' ', '_')}").text


def _stamp(sheet: Any, looks: Looks, table: pd.DataFrame, last: Mapping[str, str], about: Sequence[str]) -> None:
    """What was seen, as text: a program that opens and saves the workbook leaves text as it is."""
    sheet.hide()
    for row, values in enumerate([about, STAMP, *([_plain({**record, "last": last.get(record["action"], "")}[name]) for name in STAMP] for record in table.to_dict("records"))]):
        for column, value in enumerate(values):
            put_text(sheet, row, column, value, looks("text"))


def _plain(value: Any) -> str:
    if value is None or value is pd.NaT or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp | dt.date) else repr(float(value)) if isinstance(value, int | float) else str(value)


# --- and back -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Edited:
    """A workbook that came back, its cells typed.

    token   see `token`
    seen    action: what the workbook was made with, by heading (STAMP): text or None, days, amount
    rows    one a filled row: `row` (its number in the sheet) and the cells by heading, missing ones None
    """

    token: str
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


def read(path: Path, *, company: str) -> Edited:
    """A workbook that came back.

    raises   Problems: not there, no workbook of ours, of another company, a column lacks, cells that cannot be read; all in
             one list
    """
    sheets = _sheets(path)
    stamp = sheets.get(HIDDEN, [])
    if len(stamp) < 2 or len(stamp[0]) < 3 or SHEET not in sheets:
        raise Problems([Problem(path.name, "does not hold what it was made from (its hidden sheet Seen)", "a workbook of `sopnb actions export`, saved with all its sheets",
                                "Export again, and copy the cells over")])
    if stamp[0][0] != company:
        raise Problems([Problem(path.name, f"is a workbook of {stamp[0][0]}", company, "Name the params file it was made with")])
    seen = {}
    for line in stamp[2:]:
        cells = dict(zip(STAMP, [*map(str, line), *[""] * len(STAMP)], strict=False))
        if cells["action"]:
            seen[cells["action"]] = {name: _seen(name, value) for name, value in cells.items()}
    return Edited(str(stamp[0][2]), seen, _rows(sheets[SHEET], path.name))


def _sheets(path: Path) -> dict[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    if path.suffix.lower() not in SUFFIXES:
        raise Problems([Problem(path.name, f"{path.suffix or 'a file without ending'} cannot be read", ", ".join(SUFFIXES))])
    if not path.is_file():
        others = [p.name for p in path.parent.glob("*") if p.suffix.lower() in SUFFIXES] if path.parent.is_dir() else []
        raise Problems([Problem(str(path), "is not there", ", ".join(sorted(others)), nearest(path.name, others))])
    try:
        book = CalamineWorkbook.from_path(str(path))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, OSError) as error:
        raise Problems([Problem(path.name, f"cannot be opened as a workbook: {error}", remedy="Save it as .xlsx, and close it")]) from None


def _seen(name: str, value: str) -> Any:
    if not value:
        return None
    return pd.Timestamp(value) if name in DAYS else float(value) if name == "at stake" else value


def _rows(cells: list[list[Any]], file: str) -> list[dict[str, Any]]:
    heads = [str(cell).strip().lower() for cell in cells[0]] if cells else []
    lacking = [name for name in HEADS if name not in heads and name not in ("age", "days late", "made on")]
    if lacking:
        raise Problems([Problem(f"{file}, {SHEET}", f"the column {', '.join(lacking)} is missing", ", ".join(HEADS), "Put the headings back in the first row")])
    problems: list[Problem] = []
    rows = []
    for number, line in enumerate(cells[1:], start=2):
        given = {head: value for head, value in zip(heads, line, strict=False) if head in HEADS}
        if not any(str(value).strip() for name, value in given.items() if name not in ("age", "days late", "made on")):
            continue
        row: dict[str, Any] = {"row": number}
        for name in HEADS:
            try:
                row[name] = _typed(name, given.get(name, ""))
            except ValueError as wrong:
                row[name] = None
                problems.append(Problem(f"{file}, row {number}, {name}", f"{given.get(name)!r} {wrong}", _ALLOWED.get(name, ""), nearest(str(given.get(name)), STATES) if name == "state" else ""))
        rows.append(row)
    if problems:
        raise Problems(problems)
    return rows


_ALLOWED = {"state": ", ".join(STATES), "due": "a day, as 2026-10-31", "closed on": "a day, as 2026-10-31", "at stake": "a number"}


def _typed(name: str, value: Any) -> Any:
    """A cell in its type; empty is None.

    raises   ValueError
    """
    text = " ".join(str(value).split()) if isinstance(value, str) else value
    if text is None or text == "":
        return None
    if name in DAYS:
        return _day(text)
    if name in ("at stake", "age", "days late"):
        if isinstance(text, bool) or not isinstance(text, int | float):
            raise ValueError("is not a number")
        return float(text)
    said = str(int(text)) if isinstance(text, float) and text.is_integer() else str(text)
    if name == "state":
        said = said.lower()
        if said not in STATES:
            raise ValueError("is no state")
    return said


def _day(value: Any) -> pd.Timestamp:
    if isinstance(value, dt.datetime | dt.date):
        return pd.Timestamp(value).normalize()
    try:
        return pd.Timestamp(dt.date.fromisoformat(str(value)))
    except ValueError:
        raise ValueError("is not a day") from None
