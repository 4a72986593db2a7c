"""The workbook for further work: typed cells, no formulas, the same bytes every time.

    workbook(path, {"plan": df})                                     kinds guessed from the values
    workbook(path, {"Demand plan": Sheet(df, columns=(…), note="…")}, front=Front(…))

What stands in a cell is a value or a text, never a formula; the only links lead to other sheets of the same workbook.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb.workbook_cells import (
    LINE,
    TONES,
    Looks,
    head,
    lines,
    opened,
    paper,
    put,
    put_text,
    utf16,
)

ROWS = 1_048_576  # Excel's limit, header included
MANY = 1_000_000  # cells of a workbook from which rows go to disk as they are written, so that memory stays small
TALLEST = 12  # lines of the tallest row
FRONT = (30, 28, 96)  # widths of the front sheet's columns
WIDEST, WRAPPED = 44, 64  # characters: the widest column, and one whose text runs over several lines
KINDS = ("auto", "text", "wrap", "units", "number", "hours", "money", "price", "percent", "month", "date", "flag", *TONES)


class WorkbookError(ValueError):
    """The workbook cannot be written; the message names the sheet and the remedy."""


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    name     column of the table
    label    its heading; '' : the name
    kind     auto, text, wrap (text over several lines), units, number, hours (one decimal), money, price, percent, month, date, flag;
             good, watch, bad: text in the colour of what it says
    unit     stands in the heading's second line
    note     meaning, as a note on the heading
    signed   show a plus as well: for changes
    kinds    the kind of each row, where they differ: another column of the table
    """

    name: str
    label: str = ""
    kind: str = "auto"
    unit: str = ""
    note: str = ""
    signed: bool = False
    kinds: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table as a sheet: its columns in order (none: all, guessed), the sentence about it, columns that stay in view, the colour
    of its tab, the part of the workbook it belongs to, and a line below the rows."""

    df: pd.DataFrame
    columns: tuple[Column, ...] = ()
    note: str = ""
    frozen: int = 1
    tab: str = ""
    part: str = ""
    foot: str = ""


@dataclass(frozen=True)
class Front:
    """What the front sheet says above the list of sheets.

    name      of the front sheet; title: its first line
    said      sentences, the first in large
    facts     (label, value, kind): one a line, typed
    heads     headings of the list: sheet, rows, what it holds
    advice    one line under the list
    """

    name: str = "Contents"
    title: str = ""
    said: tuple[str, ...] = ()
    facts: tuple[tuple[str, Any, str], ...] = ()
    heads: tuple[str, str, str] = ("Sheet", "Rows", "What it holds")
    advice: str = ""


def workbook(path: str | Path, sheets: Mapping[str, Any], *, title: str = "", front: Front | None = None, language: str = "en") -> Path:
    """Tables as one Excel workbook.

    path      file to write, .xlsx
    sheets    sheet name: Sheet, df, (df, note), or (df, note, {column: meaning})
    title     first line of the front sheet, where `front` has none
    front     what the front sheet says; it lists the other sheets with a link, rows and note
    language  of month names: en, id
    returns   the path

    Numbers, dates and flags keep their type; a text that starts with =, +, - or @ stays text; nothing becomes a formula
    or a link out of the workbook. Headings stay in view, carry filters and repeat on paper; a sheet prints one page wide.
    raises    WorkbookError: a sheet name Excel refuses, two names that differ in case only, too many rows, an unknown kind
    """
    front = front or Front()
    tables = {name: _parted(given) for name, given in sheets.items()}
    _check(tables, front)
    with opened(path, title=front.title or title, large=sum(sheet.df.size for sheet in tables.values()) > MANY) as book:
        looks = Looks(book, {"id": "[$-421]"}.get(language, "[$-409]"))
        _front(book, looks, tables, front, front.title or title)
        for name, given in tables.items():
            _sheet(book.add_worksheet(name), looks, given, name)
    return Path(path)


def _parted(given: Any) -> Sheet:
    """What was given as a sheet whose columns are named."""
    if isinstance(given, Sheet) and given.columns:
        return given
    df, note, meanings = (given.df, given.note, {}) if isinstance(given, Sheet) else (given, "", {}) if isinstance(given, pd.DataFrame) else (given[0], str(given[1]), given[2] if len(given) > 2 else {})
    return Sheet(df, tuple(Column(str(name), note=str(meanings.get(str(name), ""))) for name in df.columns), note)


_REFUSED = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")


def _check(tables: Mapping[str, Sheet], front: Front) -> None:
    seen: dict[str, str] = {front.name.lower(): front.name}
    for name, sheet in tables.items():
        if not name or utf16(name) > 31 or _REFUSED.search(name) or name.startswith("'") or name.endswith("'") or name.lower() == "history":
            raise WorkbookError(f"sheet name {name!r}: Excel takes 1 to 31 characters without [ ] : * ? / \\ and no quote at its ends; History is its own.")
        if name.lower() in seen:
            raise WorkbookError(f"sheet name {name!r} is taken by {seen[name.lower()]!r}; names must differ in more than case.")
        if len(sheet.df) > ROWS - 3 * bool(sheet.foot) - 1:
            raise WorkbookError(f"sheet {name!r} has {len(sheet.df):,} rows; Excel holds {ROWS - 1:,}. Use the Parquet file.")
        odd = [column.kind for column in sheet.columns if column.kind not in KINDS]
        if odd:
            raise WorkbookError(f"sheet {name!r}: kind {odd[0]!r} is not known. Allowed: {', '.join(KINDS)}.")
        seen[name.lower()] = name


# --- the front sheet --------------------------------------------------------------------------------------------------

def _front(book: Any, looks: Looks, tables: Mapping[str, Sheet], front: Front, title: str) -> None:
    sheet = book.add_worksheet(front.name)
    for position, width in enumerate(FRONT):
        sheet.set_column(position, position, width)
    sheet.hide_gridlines(2)
    paper(sheet, title, tall=1)
    sheet.set_row(0, 28)
    put_text(sheet, 0, 0, title or front.name, looks("title"))
    row = 1
    for number, said in enumerate(front.said):
        _across(sheet, row, said, looks("large" if number == 0 else "said"), 19 * lines(said, sum(FRONT) * 0.72) if number == 0 else LINE * lines(said, sum(FRONT)) + 3)
        row += 1
    row += bool(front.said)
    for label, value, kind in front.facts:
        put_text(sheet, row, 0, label, looks("label"))
        _writer(sheet, looks, kind if kind not in ("text", "month") else "fact", False)(row, 1, value)
        row += 1
    row = _listed(sheet, looks, tables, front.heads, row + 1)
    if front.advice:
        _across(sheet, row + 1, front.advice, looks("said"), LINE * lines(front.advice, sum(FRONT)))


def _listed(sheet: Any, looks: Looks, tables: Mapping[str, Sheet], heads: Sequence[str], row: int) -> int:
    """The list of sheets, each part of the workbook under its name; returns the row after it."""
    for column, told in enumerate(heads):
        put_text(sheet, row, column, told, looks("head right" if column == 1 else "head"))
    part = ""
    for name, given in tables.items():
        if given.part not in ("", part):
            part, row = given.part, row + 1
            sheet.set_row(row, LINE + 9)
            for column, told in enumerate((part, "", "")):
                put(sheet, row, column, told or None, looks.of(f"part {given.tab}", {"bold": True, "font_color": given.tab or "#000000", "valign": "bottom", "indent": 1, "bottom": 2, "bottom_color": given.tab or "#000000"}))
        row += 1
        sheet.write_url(row, 0, "internal:'" + name.replace("'", "''") + "'!A1", looks("link"), name)
        sheet.write_number(row, 1, len(given.df), looks("whole"))
        sheet.set_row(row, LINE * lines(given.note, 1.1 * FRONT[2]))
        put_text(sheet, row, 2, given.note, looks("about"))
    return row + 1


def _across(sheet: Any, row: int, text: str, look: Any, height: float) -> None:
    """A text over all columns of the front sheet."""
    sheet.set_row(row, height)
    sheet.merge_range(row, 0, row, len(FRONT) - 1, "", look)
    put_text(sheet, row, 0, text, look)


# --- a sheet of rows ------------------------------------------------------------------------------------------------

def _sheet(sheet: Any, looks: Looks, given: Sheet, name: str) -> None:
    columns, df = given.columns, given.df
    sheet.freeze_panes(1, min(given.frozen, max(len(columns) - 1, 0)))
    sheet.hide_gridlines(2)
    if given.tab:
        sheet.set_tab_color(given.tab)
    paper(sheet, name)
    sheet.repeat_rows(0)
    values = [df[column.name].tolist() if column.name in df.columns else [None] * len(df) for column in columns]
    kinds = [column.kind if column.kind != "auto" else _kind(df[column.name], column.name) for column in columns]
    widths = [_width(column, kind, cells) for column, kind, cells in zip(columns, kinds, values, strict=True)]
    _heads(sheet, looks, columns, kinds, widths)
    writers = [_row_writer(sheet, looks, column, kind, df) for column, kind in zip(columns, kinds, strict=True)]
    wrapped = [position for position, kind in enumerate(kinds) if kind == "wrap"]
    for row, record in enumerate(zip(*values, strict=True), start=1):
        tall = max((lines(record[at], widths[at]) for at in wrapped if isinstance(record[at], str) and len(record[at]) > widths[at] - 3), default=1)
        if tall > 1:
            sheet.set_row(row, LINE * min(tall, TALLEST))
        for position, value in enumerate(record):
            writers[position](row, position, value)
    if columns:
        sheet.autofilter(0, 0, max(len(df), 1), len(columns) - 1)
    if given.foot:
        put_text(sheet, len(df) + 2, 0, given.foot, looks("foot"))


def _heads(sheet: Any, looks: Looks, columns: Sequence[Column], kinds: Sequence[str], widths: Sequence[float]) -> None:
    """Headings with their unit and, as a note, their meaning; the row is as tall as the longest asks for."""
    told = [(column.label or column.name) + (f"\n{column.unit}" if column.unit else "") for column in columns]
    sheet.set_row(0, LINE * max((lines(text, width - 1) for text, width in zip(told, widths, strict=True)), default=1) + 3)
    for position, (column, text) in enumerate(zip(columns, told, strict=True)):
        head(sheet, position, text, looks("head right" if kinds[position] in _RIGHT else "head"), column.note)
        sheet.set_column(position, position, widths[position])


_RIGHT = {"units", "number", "hours", "money", "price", "percent", "whole", "real", "small"}


def _kind(values: pd.Series, name: str) -> str:
    """The kind that a column's values suggest."""
    if pd.api.types.is_datetime64_any_dtype(values):
        known = values.dropna()
        return "month" if name in ("month", "origin") and bool((known.dt.day == 1).all()) else "date"
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    if not pd.api.types.is_numeric_dtype(values):
        return "text"
    finite = [abs(float(v)) for v in values if v == v and math.isfinite(v)]
    if all(v == round(v) for v in finite):
        return "whole"
    return "small" if max(finite) <= 10 else "real"


def _width(column: Column, kind: str, values: Sequence[Any]) -> float:
    """Wide enough for heading and values, within bounds."""
    told = (column.label or column.name).split(" ")  # the words a heading may break between; it is bold, and carries the filter's button
    least = 1.1 * max(*(len(word) for word in told), len(column.unit)) + 4
    if kind in ("date", "month"):
        longest = 12
    elif kind in _RIGHT:
        finite = [abs(v) for v in values if isinstance(v, int | float) and v == v and not math.isinf(v)]
        longest = len(f"{max(finite, default=0):,.0f}") + {"units": 2, "money": 2, "whole": 2}.get(kind, 5)
    else:
        longest = max((len(str(v)) for v in values if v is not None and v == v), default=0) + 3
    return min(max(longest, least, 9), WRAPPED if kind == "wrap" else WIDEST)


def _row_writer(sheet: Any, looks: Looks, column: Column, kind: str, df: pd.DataFrame) -> Callable[[int, int, Any], None]:
    """What writes a cell of a column; where rows differ in kind, one for each kind."""
    if not column.kinds:
        return _writer(sheet, looks, kind, column.signed)
    each = df[column.kinds].tolist()
    made = {one: _writer(sheet, looks, one, column.signed) for one in sorted(set(each))}
    return lambda row, position, value: made[each[row - 1]](row, position, value)


def _writer(sheet: Any, looks: Looks, kind: str, signed: bool) -> Callable[[int, int, Any], None]:
    """A function that writes one cell in its type; missing stays empty."""
    number = looks(kind, signed) if kind in _RIGHT else looks("flag" if kind == "flag" else "plain")
    text = looks(kind if kind in ("wrap", "fact", *TONES) else "text")
    day = looks(kind if kind in ("month", "date") else "date")
    return lambda row, position, value: put(sheet, row, position, value, day if isinstance(value, dt.date) else number, text)
