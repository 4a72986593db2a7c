"""The workbook for further work: typed cells, no formulas, the same bytes every time.

    workbook(path, {"plan": df})                                     kinds guessed from the values
    workbook(path, {"Demand plan": Sheet(df, columns=(…), note="…")}, front=Front(…))

What stands in a cell is a value or a text, never a formula; the only links lead to other sheets of the same workbook.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb.style import LIGHT

# A fixed date of creation: the workbook of a past month must come out with the same bytes when it is made again.
CREATED = dt.datetime(2000, 1, 1)
FIRST = pd.Timestamp("1900-03-01")  # before it Excel has a day that never was
EPOCH, DAY = pd.Timestamp("1899-12-30"), pd.Timedelta(days=1)  # Excel counts days from here, from March 1900 on
ROWS = 1_048_576  # Excel's limit, header included
CELL = 32_767  # characters Excel keeps in a cell
NOTE = 1_000  # characters of a note on a heading: more does not fit its box
MANY = 1_000_000  # cells of a workbook from which rows go to disk as they are written, so that memory stays small
LINE, TALLEST = 15, 12  # points of a line; lines of the tallest row
FRONT = (30, 28, 96)  # widths of the front sheet's columns
WIDEST, WRAPPED = 44, 64  # characters: the widest column, and one whose text runs over several lines
ODD = re.compile("[\ud800-\udfff\ufffe\uffff]")  # halves of characters and two that XML has no place for: no workbook can hold them
KINDS = ("auto", "text", "wrap", "units", "number", "hours", "money", "price", "percent", "month", "date", "flag")


class WorkbookError(ValueError):
    """The workbook cannot be written; the message names the sheet and the remedy."""


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    name     column of the table
    label    its heading; '' : the name
    kind     auto, text, wrap (text over several lines), units, number, hours (one decimal), money, price, percent, month, date, flag
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
    """A table as a sheet: its columns in order (none: all, guessed), the sentence about it, columns that stay in view, the colour of its tab."""

    df: pd.DataFrame
    columns: tuple[Column, ...] = ()
    note: str = ""
    frozen: int = 1
    tab: str = ""


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


@dataclass
class _Looks:
    """Formats of a workbook, each made once."""

    book: Any
    locale: str = ""
    made: dict[tuple[str, bool], Any] = field(default_factory=dict)

    def __call__(self, kind: str, signed: bool = False) -> Any:
        if (kind, signed) not in self.made:
            beside = {"align": "left", "indent": 1} if kind in ("month", "date") else {}
            self.made[kind, signed] = self.book.add_format(_FIXED.get(kind) or {"num_format": _number(kind, signed).replace("[$]", self.locale), "valign": "top", **beside})
        return self.made[kind, signed]


_FIXED: dict[str, dict[str, Any]] = {
    "head": {"bold": True, "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": LIGHT["grid"], "font_color": LIGHT["ink"], "text_wrap": True, "valign": "bottom", "align": "left", "indent": 1},
    "head right": {"bold": True, "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": LIGHT["grid"], "font_color": LIGHT["ink"], "text_wrap": True, "valign": "bottom", "align": "right"},
    "title": {"bold": True, "font_size": 18, "font_color": LIGHT["ink"]}, "large": {"font_size": 13, "text_wrap": True, "valign": "top", "font_color": LIGHT["ink"]},
    "said": {"text_wrap": True, "valign": "top"}, "about": {"text_wrap": True, "valign": "top", "align": "left", "indent": 1}, "label": {"font_color": LIGHT["mute"], "valign": "top"}, "link": {"font_color": LIGHT["plan"], "underline": 1, "valign": "top"},
    "text": {"num_format": "@", "valign": "top", "align": "left", "indent": 1}, "wrap": {"num_format": "@", "text_wrap": True, "valign": "top", "align": "left", "indent": 1},
    "plain": {"valign": "top"}, "flag": {"num_format": '"TRUE";"TRUE";"FALSE"', "valign": "top", "align": "left", "indent": 1}, "fact": {"num_format": "@", "align": "right", "valign": "top"},
}


def _number(kind: str, signed: bool) -> str:
    """Excel's format of a kind; below zero in red with its sign, a change with its plus."""
    shape = {"units": "#,##0", "money": "#,##0", "whole": "#,##0", "price": "#,##0.00", "number": "#,##0.00", "real": "#,##0.00", "hours": "#,##0.0", "small": "0.0000",
             "percent": "0.0%", "month": "[$]mmm yyyy", "date": "yyyy-mm-dd"}[kind]
    if kind in ("month", "date"):
        return shape
    return f"+{shape};-{shape};{shape}" if signed else f"{shape};[Red]-{shape}"


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
    import xlsxwriter

    front = front or Front()
    tables = {name: _parted(given) for name, given in sheets.items()}
    _check(tables, front)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False,
               "constant_memory": sum(sheet.df.size for sheet in tables.values()) > MANY}
    path = Path(path)
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": _kept(front.title or title)[:255], "created": CREATED})
        looks = _Looks(book, {"id": "[$-421]"}.get(language, "[$-409]"))
        _front(book, looks, tables, front, front.title or title)
        for name, given in tables.items():
            _sheet(book.add_worksheet(name), looks, given, name)
    return path


def _parted(given: Any) -> Sheet:
    """What was given as a sheet whose columns are named."""
    if isinstance(given, Sheet) and given.columns:
        return given
    df, note, meanings = (given.df, given.note, {}) if isinstance(given, Sheet) else (given, "", {}) if isinstance(given, pd.DataFrame) else (given[0], str(given[1]), given[2] if len(given) > 2 else {})
    return Sheet(df, tuple(Column(str(name), note=str(meanings.get(str(name), ""))) for name in df.columns), note)


def _check(tables: Mapping[str, Sheet], front: Front) -> None:
    seen: dict[str, str] = {front.name.lower(): front.name}
    for name, sheet in tables.items():
        if not name or len(name) > 31 or re.search(r"[\[\]:*?/\\]", name) or name.startswith("'") or name.endswith("'"):
            raise WorkbookError(f"sheet name {name!r}: Excel takes 1 to 31 characters without [ ] : * ? / \\ and no quote at its ends.")
        if name.lower() in seen:
            raise WorkbookError(f"sheet name {name!r} is taken by {seen[name.lower()]!r}; names must differ in more than case.")
        if len(sheet.df) > ROWS - 1:
            raise WorkbookError(f"sheet {name!r} has {len(sheet.df):,} rows; Excel holds {ROWS - 1:,}. Use the Parquet file.")
        odd = [column.kind for column in sheet.columns if column.kind not in KINDS]
        if odd:
            raise WorkbookError(f"sheet {name!r}: kind {odd[0]!r} is not known. Allowed: {', '.join(KINDS)}.")
        seen[name.lower()] = name


# --- the front sheet --------------------------------------------------------------------------------------------------

def _front(book: Any, looks: _Looks, tables: Mapping[str, Sheet], front: Front, title: str) -> None:
    sheet = book.add_worksheet(front.name)
    for position, width in enumerate(FRONT):
        sheet.set_column(position, position, width)
    sheet.hide_gridlines(2)
    _paper(sheet, title, tall=1)
    sheet.set_row(0, 28)
    sheet.write_string(0, 0, _kept(title or front.name), looks("title"))
    row = 1
    for number, said in enumerate(front.said):
        look = looks("large" if number == 0 else "said")
        sheet.set_row(row, 19 * _lines(said, sum(FRONT) * 0.72) if number == 0 else LINE * _lines(said, sum(FRONT)) + 3)
        sheet.merge_range(row, 0, row, 2, "", look)
        sheet.write_string(row, 0, _kept(said), look)
        row += 1
    row += bool(front.said)
    for label, value, kind in front.facts:
        sheet.write_string(row, 0, _kept(label), looks("label"))
        _writer(sheet, looks, kind if kind not in ("text", "month") else "fact", False)(row, 1, value)
        row += 1
    row += 1
    for column, head in enumerate(front.heads):
        sheet.write_string(row, column, head, looks("head right" if column == 1 else "head"))
    for name, given in tables.items():
        row += 1
        sheet.write_url(row, 0, "internal:'" + name.replace("'", "''") + "'!A1", looks("link"), name)
        sheet.write_number(row, 1, len(given.df), looks("whole"))
        sheet.set_row(row, LINE * _lines(given.note, 1.15 * FRONT[2]))
        sheet.write_string(row, 2, _kept(given.note), looks("about"))
    if front.advice:
        sheet.set_row(row + 2, LINE * _lines(front.advice, sum(FRONT)))
        sheet.merge_range(row + 2, 0, row + 2, 2, "", looks("said"))
        sheet.write_string(row + 2, 0, _kept(front.advice), looks("said"))


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column so many characters wide: rows say their height, since not every program finds it.

    >>> _lines("one two three", 8)
    2
    """
    return sum(max(len(textwrap.wrap(line, max(int(width) - 2, 1))), 1) for line in text.split("\n"))


def _paper(sheet: Any, title: str, *, tall: int = 0) -> None:
    """On paper: A4 across, one page wide and at most `tall` pages long (0: as many as it takes), with name and page number; & is Excel's mark for codes and stands for itself doubled."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, tall)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&L" + _kept(title).replace("&", "&&")[:100] + "&R&P / &N")


# --- a sheet of rows ------------------------------------------------------------------------------------------------

def _sheet(sheet: Any, looks: _Looks, given: Sheet, name: str) -> None:
    columns, df = given.columns, given.df
    sheet.freeze_panes(1, min(given.frozen, max(len(columns) - 1, 0)))
    if given.tab:
        sheet.set_tab_color(given.tab)
    _paper(sheet, name)
    sheet.repeat_rows(0)
    values = [df[column.name].tolist() if column.name in df.columns else [None] * len(df) for column in columns]
    kinds = [column.kind if column.kind != "auto" else _kind(df[column.name], column.name) for column in columns]
    widths = [_width(column, kind, cells) for column, kind, cells in zip(columns, kinds, values, strict=True)]
    heads = [(column.label or column.name) + (f"\n{column.unit}" if column.unit else "") for column in columns]
    sheet.set_row(0, LINE * max((_lines(head, width - 1) for head, width in zip(heads, widths, strict=True)), default=1) + 2)
    for position, (column, head) in enumerate(zip(columns, heads, strict=True)):
        sheet.write_string(0, position, _kept(head), looks("head right" if kinds[position] in _RIGHT else "head"))
        if column.note:
            sheet.write_comment(0, position, _kept(column.note)[:NOTE], {"author": "", "x_scale": 2.2, "y_scale": 0.6 + len(column.note) // 120 * 0.4, "font_size": 9})
        sheet.set_column(position, position, widths[position])
    writers = [_row_writer(sheet, looks, column, kind, df) for column, kind in zip(columns, kinds, strict=True)]
    wrapped = [position for position, kind in enumerate(kinds) if kind == "wrap"]
    for row, record in enumerate(zip(*values, strict=True), start=1):
        lines = max((_lines(record[at], widths[at]) for at in wrapped if isinstance(record[at], str) and len(record[at]) > widths[at] - 3), default=1)
        if lines > 1:
            sheet.set_row(row, LINE * min(lines, TALLEST))
        for position, value in enumerate(record):
            writers[position](row, position, value)
    if columns:
        sheet.autofilter(0, 0, max(len(df), 1), len(columns) - 1)


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
    head = max((len(part) for part in [*(column.label or column.name).split("\n"), column.unit]), default=0) + 3
    if kind in ("date", "month"):
        longest = 12
    elif kind in _RIGHT:
        finite = [abs(v) for v in values if isinstance(v, int | float) and v == v and not math.isinf(v)]
        longest = len(f"{max(finite, default=0):,.0f}") + {"units": 2, "money": 2, "whole": 2}.get(kind, 5)
    else:
        longest = max((len(str(v)) for v in values if v is not None and v == v), default=0) + 3
    return min(max(longest, head if len(_words(column)) < 2 else max(map(len, _words(column))) + 4, 9), WRAPPED if kind == "wrap" else WIDEST)


def _words(column: Column) -> list[str]:
    """The words a heading may break between."""
    return (column.label or column.name).split(" ")


def _row_writer(sheet: Any, looks: _Looks, column: Column, kind: str, df: pd.DataFrame) -> Callable[[int, int, Any], None]:
    """What writes a cell of a column; where rows differ in kind, one for each kind."""
    if not column.kinds:
        return _writer(sheet, looks, kind, column.signed)
    each = df[column.kinds].tolist()
    made = {one: _writer(sheet, looks, one, column.signed) for one in sorted(set(each))}
    return lambda row, position, value: made[each[row - 1]](row, position, value)


def _writer(sheet: Any, looks: _Looks, kind: str, signed: bool) -> Callable[[int, int, Any], None]:
    """A function that writes one cell in its type; missing stays empty."""
    numeric = looks(kind, signed) if kind in _RIGHT else None
    dated = looks(kind) if kind in ("month", "date") else looks("date")
    texts = looks(kind if kind in ("wrap", "fact") else "text")
    plain = looks("flag" if kind == "flag" else "plain")

    def write(row: int, position: int, value: Any) -> None:
        if isinstance(value, str):
            sheet.write_string(row, position, _kept(value), texts)
        elif value is None or value is pd.NaT or value is pd.NA or value != value:
            return
        elif isinstance(value, bool):
            sheet.write_boolean(row, position, value, plain)
        elif isinstance(value, int | float):
            if math.isinf(value):
                sheet.write_string(row, position, "∞" if value > 0 else "−∞", texts)
            else:
                sheet.write_number(row, position, value, numeric or plain)
        elif isinstance(value, pd.Timestamp | dt.date):
            stamp = pd.Timestamp(value)
            if stamp < FIRST or stamp.tzinfo is not None:
                sheet.write_string(row, position, stamp.isoformat(), texts)
            else:
                sheet.write_number(row, position, (stamp - EPOCH) / DAY, dated)
        else:
            sheet.write_string(row, position, _kept(str(value)), texts)

    return write


def _kept(value: str) -> str:
    """Always as a string: an entry =1+1, +1, -1, @x or {=x} is what somebody typed, never a formula. Longer than a cell holds is cut and says so."""
    if not value.isascii():
        value = ODD.sub("\ufffd", value)
    return value if len(value) <= CELL else value[: CELL - 1] + "…"
