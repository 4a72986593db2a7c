"""What the forms share that people fill in as workbooks (overrides, actions, minutes): a first sheet that tells how, yellow
cells, drop-downs and the sheet that holds what they offer.

A heading is the name by which the form is read again, in every language; its note says what belongs under it in the reader's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sopnb.workbook_cells import LINE, Looks, head, kept, lines, paper, put_text

LISTS = "Lists"  # the sheet of what drop-downs offer
TOLD = (24, 100)  # widths of the first sheet's columns
MARGIN = 2  # characters beside a heading


def start(sheet: Any, looks: Looks, title: str, told: Iterable[tuple[str, str]]) -> None:
    """The first sheet: a title, and what to do, a heading and a sentence a row."""
    for column, width in enumerate(TOLD):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    paper(sheet, title, tall=1)
    sheet.set_row(0, 28)
    put_text(sheet, 0, 0, title, looks("title"))
    for row, (about, text) in enumerate(told, start=2):
        sheet.set_row(row, LINE * max(lines(text, 1.1 * TOLD[1]), lines(about, TOLD[0])) + 5)  # LibreOffice does not fit the height of wrapped rows by itself
        put_text(sheet, row, 0, about, looks("bold"))
        put_text(sheet, row, 1, text, looks("said"))


def table(sheet: Any, name: str, *, frozen: int) -> None:
    """A sheet of rows: heading and first columns stay in view, on paper one page wide with the heading on each."""
    sheet.freeze_panes(1, frozen)
    sheet.hide_gridlines(2)
    paper(sheet, name)
    sheet.repeat_rows(0)


def column(sheet: Any, looks: Looks, at: int, name: str, *, look: str, width: float, note: str = "") -> None:
    """A heading with its note, in a column at least as wide."""
    head(sheet, at, name, looks(look), note)
    sheet.set_column(at, at, max(width, 1.15 * len(name) + MARGIN + 3))


def tall(sheet: Any, row: int, texts: Iterable[tuple[Any, float]]) -> None:
    """A row as tall as its longest text asks for: (text, width of its column)."""
    most = max((lines(text, width) for text, width in texts if isinstance(text, str)), default=1)
    if most > 1:
        sheet.set_row(row, LINE * most)


def lists(sheet: Any, looks: Looks, offered: Mapping[str, Sequence[str]]) -> None:
    """What the drop-downs offer, a column each."""
    table(sheet, LISTS, frozen=0)
    for at, (name, values) in enumerate(offered.items()):
        column(sheet, looks, at, name, look="head", width=max((len(value) for value in values), default=0) + 3)
        for row, value in enumerate(values, start=1):
            put_text(sheet, row, at, value, looks("text"))


def offer(sheet: Any, rows: tuple[int, int], at: int, name: str, offered: Mapping[str, Sequence[str]], *, told: str, strict: bool = True, title: str = "") -> None:
    """A drop-down in some rows of a column with what `lists` wrote under a name.

    strict  anything else is refused; else it is only asked about
    """
    from xlsxwriter.utility import xl_col_to_name

    letter = xl_col_to_name(list(offered).index(name))
    _checked(sheet, rows, at, title or name, told, {"validate": "list", "source": f"={LISTS}!${letter}$2:${letter}${len(offered[name]) + 1}", "error_type": "stop" if strict else "warning"})


def dates(sheet: Any, rows: tuple[int, int], at: int, name: str, *, told: str, least: dt.date = dt.date(2000, 1, 1), most: dt.date = dt.date(2100, 1, 1)) -> None:
    """Only days in some rows of a column."""
    _checked(sheet, rows, at, name, told, {"validate": "date", "criteria": "between", "minimum": least, "maximum": most})


def numbers(sheet: Any, rows: tuple[int, int], at: int, name: str, *, told: str, most: float = 1e15) -> None:
    """Only numbers in some rows of a column."""
    _checked(sheet, rows, at, name, told, {"validate": "decimal", "criteria": "between", "minimum": -most, "maximum": most})


def _checked(sheet: Any, rows: tuple[int, int], at: int, name: str, told: str, rule: dict[str, Any]) -> None:
    sheet.data_validation(rows[0], at, rows[1], at, {**rule, "ignore_blank": True, "error_title": kept(name)[:32], "error_message": kept(told)[:250]})
