"""The workbook for further work: typed cells, no formulas, the same bytes every time."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

# A fixed date of creation: the workbook of a past month must come out with the same bytes when it is made again.
CREATED = dt.datetime(2000, 1, 1)
ROWS = 1_048_576  # Excel's limit, header included
CELL = 32_767  # characters Excel keeps in a cell


class WorkbookError(ValueError):
    """The workbook cannot be written; the message names the sheet and the remedy."""


def workbook(path: str | Path, sheets: Mapping[str, Any], *, title: str = "") -> Path:
    """Tables as one Excel workbook.

    path     file to write, .xlsx
    sheets   sheet name: df, or (df, note), or (df, note, {column: meaning})
    title    first line of the front sheet
    returns  the path

    The front sheet lists the others with rows and note. Numbers, dates and flags keep their type; a text that starts
    with =, +, - or @ stays text; nothing becomes a formula or a link. Headers are frozen and carry filters.
    raises   WorkbookError: a sheet name Excel refuses, two names that differ in case only, too many rows
    """
    import xlsxwriter

    tables = {name: _parted(given) for name, given in sheets.items()}
    _check(tables)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}
    path = Path(path)
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": title, "created": CREATED})
        looks = {name: book.add_format(look) for name, look in {
            "head": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom"}, "title": {"bold": True, "font_size": 14},
            "date": {"num_format": "yyyy-mm-dd"}, "month": {"num_format": "yyyy-mm"},
            "whole": {"num_format": "#,##0"}, "real": {"num_format": "#,##0.00"}, "small": {"num_format": "0.0000"},
            "text": {"num_format": "@"}, "wrap": {"text_wrap": True, "valign": "top"},
        }.items()}
        _front(book, looks, tables, title)
        for name, (df, _, meanings) in tables.items():
            _sheet(book.add_worksheet(name), looks, df, meanings)
    return path


def _parted(given: Any) -> tuple[pd.DataFrame, str, Mapping[str, str]]:
    if isinstance(given, pd.DataFrame):
        return given, "", {}
    df, note, *more = given
    return df, str(note), (more[0] if more else {})


def _check(tables: Mapping[str, tuple[pd.DataFrame, str, Mapping[str, str]]]) -> None:
    seen: dict[str, str] = {FRONT.lower(): FRONT}
    for name, (df, _, _) in tables.items():
        if not name or len(name) > 31 or re.search(r"[\[\]:*?/\\]", name) or name.startswith("'") or name.endswith("'"):
            raise WorkbookError(f"sheet name {name!r}: Excel takes 1 to 31 characters without [ ] : * ? / \\ and no quote at its ends.")
        if name.lower() in seen:
            raise WorkbookError(f"sheet name {name!r} is taken by {seen[name.lower()]!r}; names must differ in more than case.")
        if len(df) > ROWS - 1:
            raise WorkbookError(f"sheet {name!r} has {len(df):,} rows; Excel holds {ROWS - 1:,}. Use the Parquet file.")
        seen[name.lower()] = name


FRONT = "Contents"


def _front(book: Any, looks: Mapping[str, Any], tables: Mapping[str, tuple[pd.DataFrame, str, Mapping[str, str]]], title: str) -> None:
    sheet = book.add_worksheet(FRONT)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 80)
    sheet.write_string(0, 0, _kept(title or FRONT), looks["title"])
    for column, head in enumerate(("Sheet", "Rows", "What it holds")):
        sheet.write_string(2, column, head, looks["head"])
    for row, (name, (df, note, _)) in enumerate(tables.items(), start=3):
        sheet.write_string(row, 0, name)
        sheet.write_number(row, 1, len(df), looks["whole"])
        sheet.write_string(row, 2, _kept(note), looks["wrap"])
    sheet.freeze_panes(3, 0)
    sheet.hide_gridlines(2)


def _sheet(sheet: Any, looks: Mapping[str, Any], df: pd.DataFrame, meanings: Mapping[str, str]) -> None:
    sheet.freeze_panes(1, 1)
    for position, name in enumerate(df.columns):
        values = df.iloc[:, position]
        look = _look(values, str(name))
        sheet.write_string(0, position, _kept(str(name)), looks["head"])
        if meanings.get(str(name)):
            sheet.write_comment(0, position, str(meanings[str(name)]), {"author": "", "x_scale": 2})
        longest = 0
        for row, value in enumerate(values.tolist(), start=1):
            longest = max(longest, _write(sheet, row, position, value, look, looks))
        sheet.set_column(position, position, min(max(longest, len(str(name)) + 3, 8), 44))
    if len(df.columns):
        sheet.autofilter(0, 0, max(len(df), 1), len(df.columns) - 1)


def _look(values: pd.Series, name: str) -> str:
    """The number format a column asks for."""
    if pd.api.types.is_datetime64_any_dtype(values):
        known = values.dropna()
        return "month" if name in ("month", "origin") and bool((known.dt.day == 1).all()) else "date"
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return "text"
    finite = [abs(float(v)) for v in values if v == v and math.isfinite(v)]
    if all(v == round(v) for v in finite):
        return "whole"
    return "small" if max(finite) <= 10 else "real"


def _write(sheet: Any, row: int, column: int, value: Any, look: str, looks: Mapping[str, Any]) -> int:
    """One cell in its type; returns how many characters it takes. Missing stays empty."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return 0
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
        return 5
    if isinstance(value, pd.Timestamp | dt.date):
        stamp = pd.Timestamp(value)
        if stamp.year < 1900 or stamp.tzinfo is not None:
            return _text(sheet, row, column, stamp.isoformat(), looks)
        sheet.write_datetime(row, column, stamp.to_pydatetime(), looks["month" if look == "month" else "date"])
        return 11
    if isinstance(value, int | float):
        if math.isinf(value):
            return _text(sheet, row, column, "∞" if value > 0 else "−∞", looks)
        sheet.write_number(row, column, value, looks[look] if look in ("whole", "real", "small") else None)
        return len(f"{value:,.2f}")
    return _text(sheet, row, column, str(value), looks)


def _text(sheet: Any, row: int, column: int, value: str, looks: Mapping[str, Any]) -> int:
    """Always as a string: an entry =1+1, +1, -1, @x or {=x} is what somebody typed, never a formula."""
    sheet.write_string(row, column, _kept(value), looks["text"])
    return len(value)


def _kept(value: str) -> str:
    return value if len(value) <= CELL else value[: CELL - 1] + "…"
