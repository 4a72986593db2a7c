"""The minutes' form as a workbook, for those who would rather fill in cells than text.

    Start         how to fill it in
    meeting       cycle, day, chair, next meeting
    attendance, points, decisions, actions, updates, assumptions    a row an entry, with drop-downs; room for more below
    Lists         what the drop-downs offer

Yellow cells are filled in, grey columns with their heads in brackets are for reading and are never read back. Cells for text
are text: what begins with = stays what somebody typed. `minutes_files` reads it to the same values as the YAML.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.minutes import HEAD, SHEETS
from sopnb.minutes_form import Data

CREATED = dt.datetime(2000, 1, 1)  # a fixed day, so that the same form has the same bytes
FREE = {"attendance": 10, "points": 20, "decisions": 10, "actions": 30, "updates": 20, "assumptions": 10}  # rows below what is filled in
LEAST = {"actions": "A", "decisions": "D"}  # rows below get their numbers: one thing less to type
WIDTHS = {"topic": 44, "title": 40, "discussion": 60, "text": 44, "note": 40, "why": 40, "dissent": 30, "if_not": 30, "(options)": 60, "(title)": 40, "(text)": 44, "(who)": 40}
FORMS = {"date": "yyyy-mm-dd", "month": "@", "number": "#,##0.########", "text": "@"}


def write(
    path: Path, data: Data, *, title: str = "", people: Sequence[str] = (), options: Sequence[str] = (), measures: Sequence[str] = (), rights: Sequence[str] = (),
) -> Path:
    """The workbook of a form, or of minutes.

    data      from `minutes_form.prefilled`, or as the YAML of minutes says it
    people    ids offered where a person is asked for
    options   letters offered for a decision;  measures: KPIs an effect can be expected on;  rights: kinds of decision
    returns   the path; written whole or not at all
    """
    import xlsxwriter

    lists = _lists(data, people, options, measures, rights)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    settings = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(temporary), settings) as book:
        book.set_properties({"title": title, "created": CREATED})
        looks = _looks(book)
        _start(book.add_worksheet("Start"), looks, title, data)
        _head(book.add_worksheet("meeting"), looks, data, lists)
        for name, columns in SHEETS.items():
            _sheet(book.add_worksheet(name), looks, name, columns, data.get(name) or [], lists)
        _offer(book.add_worksheet("Lists"), looks, lists)
        book.get_worksheet_by_name("meeting").activate()
    temporary.replace(path)
    return path


def _lists(data: Data, people: Sequence[str], options: Sequence[str], measures: Sequence[str], rights: Sequence[str]) -> dict[str, list[str]]:
    """What each drop-down offers; one without entries is left out."""
    letters = list(options) or ["A", "B", "C"]
    asked = [str(row["asked"]) for row in data.get("decisions") or [] if row.get("asked")]
    offered = {"person": list(people), "option": letters, "effect_kpi": list(measures), "kind": list(rights), "asked": asked,
               **{f"{name} {column}": kind.split("|") for name, columns in SHEETS.items() for column, kind, _ in columns if "|" in kind}}
    return {name: values for name, values in offered.items() if values}


def _looks(book: Any) -> dict[str, Any]:
    plain = {
        "title": {"bold": True, "font_size": 14}, "bold": {"bold": True, "valign": "top"}, "wrap": {"text_wrap": True, "valign": "top"},
        "head": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom", "bg_color": "#FFE699"},
        "head_read": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom", "font_color": "#595959", "bg_color": "#EDEDED"},
        "read": {"text_wrap": True, "valign": "top", "font_color": "#595959", "bg_color": "#F7F7F7", "num_format": "@"},
    }
    asked = {f"ask_{kind}": {"bg_color": "#FFF9E5", "border": 1, "border_color": "#E0D6B0", "valign": "top", "text_wrap": kind == "text", "num_format": form}
             for kind, form in FORMS.items()}
    return {name: book.add_format(look) for name, look in {**plain, **asked}.items()}


def _start(sheet: Any, looks: Mapping[str, Any], title: str, data: Data) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title or words.message("minutes.form.title", {"cycle": data.get("cycle") or ""}).text, looks["title"])
    for row, name in enumerate(("fill", "meeting", *SHEETS, "again", "done"), start=2):
        told = words.message(f"minutes.form.{name}", {"day": data.get("(planned)") or words.MISSING}).text
        sheet.set_row(row, 16 * (1 + len(told) // 95))  # LibreOffice does not fit the height of wrapped rows by itself
        sheet.write_string(row, 0, name if name in SHEETS or name == "meeting" else words.message(f"minutes.form.{name}.head").text, looks["bold"])
        sheet.write_string(row, 1, told, looks["wrap"])
    sheet.fit_to_pages(1, 0)


def _head(sheet: Any, looks: Mapping[str, Any], data: Data, lists: Mapping[str, list[str]]) -> None:
    """One name and one value a row, and beside it what it means."""
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, 2, 70)
    sheet.freeze_panes(0, 1)
    for row, (name, kind, _) in enumerate(HEAD):
        sheet.write_string(row, 0, name, looks["head"])
        _put(sheet, row, 1, data.get(name), kind, looks)
        sheet.write_string(row, 2, words.message(f"minutes.form.{name}", {"day": data.get("(planned)") or words.MISSING}).text, looks["read"])
        if kind == "person" and "person" in lists:
            _offered(sheet, row, row, 1, "person", lists)
    _dates(sheet, 1, 1, 1, "held_on")
    _dates(sheet, 3, 3, 1, "next_meeting")


def _sheet(sheet: Any, looks: Mapping[str, Any], name: str, columns: Sequence[tuple[str, str, bool]], rows: Sequence[Mapping[str, Any]], lists: Mapping[str, list[str]]) -> None:
    """One list: what is filled in to the left, what is for reading to the right."""
    told = list(dict.fromkeys(key for row in rows for key in row if key.startswith("(")))
    end = len(rows) + FREE[name]
    sheet.freeze_panes(1, 1)
    for at, (column, kind, needed) in enumerate(columns):
        sheet.write_string(0, at, column, looks["head"])
        note = words.message(f"minutes.form.{name}.{column}").text
        sheet.write_comment(0, at, f"{note} {words.message('minutes.form.needed').text if needed else ''}".strip(), {"author": "", "x_scale": 2})
        sheet.set_column(at, at, WIDTHS.get(column, 16), looks[f"ask_{_form(kind)}"])
        for row in range(1, end + 1):
            given = rows[row - 1].get(column) if row <= len(rows) else _number(name, column, row)
            _put(sheet, row, at, given, kind, looks)
        _check(sheet, end, at, name, column, kind, lists)
    for at, column in enumerate(told, start=len(columns)):
        sheet.write_string(0, at, column, looks["head_read"])
        sheet.set_column(at, at, WIDTHS.get(column, 20), looks["read"])
        for row, given in enumerate(rows, start=1):
            sheet.write_string(row, at, str(given.get(column) or ""), looks["read"])
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _number(name: str, column: str, row: int) -> str | None:
    """The number of a row that nothing stands in yet: A1, A2, …"""
    return f"{LEAST[name]}{row}" if column == "id" and name in LEAST else None


def _form(kind: str) -> str:
    return kind if kind in FORMS else "text"


def _check(sheet: Any, end: int, at: int, name: str, column: str, kind: str, lists: Mapping[str, list[str]]) -> None:
    offered = "person" if kind == "person" else f"{name} {column}" if "|" in kind else column
    if offered in lists and kind != "date":
        _offered(sheet, 1, end, at, offered, lists, strict="|" in kind)
    elif kind == "date":
        _dates(sheet, 1, end, at, f"{name}.{column}")
    elif kind == "number":
        sheet.data_validation(1, at, end, at, {"validate": "decimal", "criteria": "between", "minimum": -1e15, "maximum": 1e15, "error_title": column,
                                               "error_message": words.message(f"minutes.form.{name}.{column}").text[:250]})


def _offered(sheet: Any, first: int, last: int, at: int, offered: str, lists: Mapping[str, list[str]], strict: bool = True) -> None:
    letter, n = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[list(lists).index(offered)], len(lists[offered])
    sheet.data_validation(first, at, last, at, {
        "validate": "list", "source": f"=Lists!${letter}$2:${letter}${n + 1}", "error_type": "stop" if strict else "warning", "error_title": offered,
        "error_message": words.message("minutes.form.choose").text})


def _dates(sheet: Any, first: int, last: int, at: int, name: str) -> None:
    sheet.data_validation(first, at, last, at, {"validate": "date", "criteria": "between", "minimum": dt.date(2000, 1, 1), "maximum": dt.date(2100, 1, 1), "ignore_blank": True,
                                                "error_title": name.rsplit(".", 1)[-1], "error_message": words.message("minutes.form.date").text})


def _offer(sheet: Any, looks: Mapping[str, Any], lists: Mapping[str, list[str]]) -> None:
    for at, (name, values) in enumerate(lists.items()):
        sheet.write_string(0, at, name, looks["bold"])
        sheet.set_column(at, at, 20)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, at, value)


def _put(sheet: Any, row: int, at: int, value: Any, kind: str, looks: Mapping[str, Any]) -> None:
    """One cell in its type; missing is an empty cell of that type."""
    look = looks[f"ask_{_form(kind)}"]
    if value is None or (not isinstance(value, str) and pd.isna(value)) or value == "":
        sheet.write_blank(row, at, None, look)
    elif kind == "date" and not isinstance(value, dt.datetime):
        sheet.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), look)
    elif kind == "date":
        sheet.write_datetime(row, at, value, look)
    elif kind == "number" and not isinstance(value, str):
        sheet.write_number(row, at, value, look)
    else:
        sheet.write_string(row, at, f"{value:%Y-%m}" if kind == "month" and not isinstance(value, str) else str(value), look)
