"""The minutes' form as a workbook, for those who would rather fill in cells than text.

    Start         how to fill it in
    meeting       cycle, day, chair, next meeting
    attendance, points, decisions, actions, updates, assumptions    a row an entry, with drop-downs; room for more below
    Lists         what the drop-downs offer

Yellow cells are filled in, grey columns with their heads in brackets are for reading and are never read back. Cells for text
are text: what begins with = stays what somebody typed. `minutes_files` reads it to the same values as the YAML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import forms, words
from sopnb.minutes import HEAD, SHEETS
from sopnb.minutes_form import Data
from sopnb.workbook_cells import Looks, opened, put, put_text

FREE = {"attendance": 10, "points": 20, "decisions": 10, "actions": 30, "updates": 20, "assumptions": 10}  # rows below what is filled in
LEAST = {"actions": "A", "decisions": "D"}  # rows below get their numbers: one thing less to type
WIDTHS = {"topic": 44, "title": 40, "discussion": 60, "text": 44, "note": 40, "why": 40, "dissent": 30, "if_not": 30, "(options)": 60, "(title)": 40, "(text)": 44, "(who)": 40}
FORMS = ("date", "month", "number", "text")  # kinds of cells


def write(
    path: Path, data: Data, *, title: str = "", people: Sequence[str] = (), options: Sequence[str] = (), measures: Sequence[str] = (), rights: Sequence[str] = (),
) -> Path:
    """The workbook of a form, or of minutes.

    data      from `minutes_form.prefilled`, or as the YAML of minutes says it
    people    ids offered where a person is asked for
    options   letters offered for a decision;  measures: KPIs an effect can be expected on;  rights: kinds of decision
    returns   the path; written whole or not at all
    """
    lists = _lists(data, people, options, measures, rights)
    with opened(path, title=title) as book:
        looks = Looks(book)
        told = title or words.message("minutes.form.title", {"cycle": data.get("cycle") or ""}).text
        forms.start(book.add_worksheet("Start"), looks, told, _told(data))
        _head(book.add_worksheet("meeting"), looks, data, lists)
        for name, columns in SHEETS.items():
            _sheet(book.add_worksheet(name), looks, name, columns, data.get(name) or [], lists)
        forms.lists(book.add_worksheet(forms.LISTS), looks, lists)
        book.get_worksheet_by_name("meeting").activate()
    return path


def _lists(data: Data, people: Sequence[str], options: Sequence[str], measures: Sequence[str], rights: Sequence[str]) -> dict[str, list[str]]:
    """What each drop-down offers; one without entries is left out."""
    letters = list(options) or ["A", "B", "C"]
    asked = [str(row["asked"]) for row in data.get("decisions") or [] if row.get("asked")]
    offered = {"person": list(people), "option": letters, "effect_kpi": list(measures), "kind": list(rights), "asked": asked,
               **{f"{name} {column}": kind.split("|") for name, columns in SHEETS.items() for column, kind, _ in columns if "|" in kind}}
    return {name: values for name, values in offered.items() if values}


def _told(data: Data) -> list[tuple[str, str]]:
    """The first sheet's headings and sentences; a sheet's heading is its name."""
    return [(name if name in SHEETS or name == "meeting" else words.message(f"minutes.form.{name}.head").text, _meaning(name, data)) for name in ("fill", "meeting", *SHEETS, "again", "done")]


def _meaning(name: str, data: Data | None = None) -> str:
    return words.message(f"minutes.form.{name}", {"day": (data or {}).get("(planned)") or words.MISSING}).text


def _head(sheet: Any, looks: Looks, data: Data, lists: Mapping[str, list[str]]) -> None:
    """One name and one value a row, and beside it what it means."""
    forms.table(sheet, "meeting", frozen=1)
    sheet.freeze_panes(0, 1)  # its names stand in a column, not in a row
    for column, width in enumerate((16, 20, 70)):
        sheet.set_column(column, column, width)
    for row, (name, kind, _) in enumerate(HEAD):
        put_text(sheet, row, 0, name, looks("head asked"))
        _put(sheet, row, 1, data.get(name), kind, looks)
        put_text(sheet, row, 2, _meaning(name, data), looks("read"))
        if kind == "person" and "person" in lists:
            forms.offer(sheet, (row, row), 1, "person", lists, told=_meaning("choose"))
        if kind == "date":
            forms.dates(sheet, (row, row), 1, name, told=_meaning("date"))


def _sheet(sheet: Any, looks: Looks, name: str, columns: Sequence[tuple[str, str, bool]], rows: Sequence[Mapping[str, Any]], lists: Mapping[str, list[str]]) -> None:
    """One list: what is filled in to the left, what is for reading to the right."""
    told = list(dict.fromkeys(key for row in rows for key in row if key.startswith("(")))
    end = len(rows) + FREE[name]
    forms.table(sheet, name, frozen=1)
    for at, (column, kind, needed) in enumerate(columns):
        note = f"{_meaning(f'{name}.{column}')} {_meaning('needed') if needed else ''}".strip()
        forms.column(sheet, looks, at, column, look="head asked", width=WIDTHS.get(column, 16), note=note)
        for row in range(1, end + 1):
            given = rows[row - 1].get(column) if row <= len(rows) else _number(name, column, row)
            _put(sheet, row, at, given, kind, looks)
        _check(sheet, end, at, name, column, kind, lists)
    for at, column in enumerate(told, start=len(columns)):
        forms.column(sheet, looks, at, column, look="head read", width=WIDTHS.get(column, 20))
        for row, given in enumerate(rows, start=1):
            put_text(sheet, row, at, str(given.get(column) or ""), looks("read"))
    for row, given in enumerate(rows, start=1):
        forms.tall(sheet, row, [(given.get(column), WIDTHS.get(column, 16)) for column in (*(column for column, _, _ in columns), *told)])


def _number(name: str, column: str, row: int) -> str | None:
    """The number of a row that nothing stands in yet: A1, A2, …"""
    return f"{LEAST[name]}{row}" if column == "id" and name in LEAST else None


def _check(sheet: Any, end: int, at: int, name: str, column: str, kind: str, lists: Mapping[str, list[str]]) -> None:
    """What may stand in a column: one of a list, a day or a number."""
    offered = "person" if kind == "person" else f"{name} {column}" if "|" in kind else column
    if offered in lists and kind != "date":
        forms.offer(sheet, (1, end), at, offered, lists, told=_meaning("choose"), strict="|" in kind)
    elif kind == "date":
        forms.dates(sheet, (1, end), at, column, told=_meaning("date"))
    elif kind == "number":
        forms.numbers(sheet, (1, end), at, column, told=_meaning(f"{name}.{column}"))


def _put(sheet: Any, row: int, at: int, value: Any, kind: str, looks: Looks) -> None:
    """One cell in its type; missing is an empty cell of that type, and a month is what somebody types: 2026-10."""
    look = looks(f"asked {kind if kind in FORMS else 'text'}")
    if kind == "date" and isinstance(value, str) and value:
        value = pd.Timestamp(value)
    elif kind == "month" and value is not None and not isinstance(value, str) and not pd.isna(value):
        value = f"{value:%Y-%m}"
    elif kind not in ("date", "number") and value is not None and not isinstance(value, str) and not pd.isna(value):
        value = str(value)
    put(sheet, row, at, None if value == "" else value, look)
