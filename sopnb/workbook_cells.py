"""What every workbook of the house shares, the cycle's and the forms people fill in: cells, their looks, paper, and a file
that is written whole or not at all.

What stands in a cell is a value or a text, never a formula. What a cell cannot hold in its type stands as text, so that
nothing is lost: a number of more than 15 digits, a day before March 1900, infinity.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb.style import LIGHT

# A fixed date of creation: the workbook of a past month must come out with the same bytes when it is made again.
CREATED = dt.datetime(2000, 1, 1)
FIRST = pd.Timestamp("1900-03-01")  # before it Excel has a day that never was
EPOCH, DAY = pd.Timestamp("1899-12-30"), pd.Timedelta(days=1)  # Excel counts days from here, from March 1900 on
CELL = 32_767  # characters Excel keeps in a cell, as UTF-16 counts them: most emojis are two
EXACT = 10**15  # Excel keeps fifteen digits of a number
NOTE = 1_000  # characters of a note on a heading: more does not fit its box
LINE = 15  # points of a line
ODD = re.compile("[\ud800-\udfff\ufffe\uffff]")  # halves of characters and two that XML has no place for: no workbook can hold them
SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False}

_RULED = {"valign": "top", "bottom": 1, "bottom_color": LIGHT["grid"]}  # a thin line under each row of a table
_LEFT = {"align": "left", "indent": 1}
_HEAD = {"bold": True, "text_wrap": True, "valign": "bottom", "font_color": LIGHT["ink"]}
_ASKED = {"bg_color": "#FFF9E5", "border": 1, "border_color": "#E0D6B0", "valign": "top"}
LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 18, "font_color": LIGHT["ink"]}, "large": {"font_size": 13, "text_wrap": True, "valign": "top", "font_color": LIGHT["ink"]},
    "said": {"text_wrap": True, "valign": "top"}, "label": {"font_color": LIGHT["mute"], **_RULED}, "bold": {"bold": True, "text_wrap": True, "valign": "top"},
    "head": {**_HEAD, **_LEFT, "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": LIGHT["grid"]},
    "head right": {**_HEAD, "align": "right", "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": LIGHT["grid"]},
    "head asked": {**_HEAD, "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": "#FFE699"},
    "text": {"num_format": "@", **_LEFT, **_RULED}, "wrap": {"num_format": "@", "text_wrap": True, **_LEFT, **_RULED}, "plain": _RULED,
    "flag": {"num_format": '"TRUE";"TRUE";"FALSE"', **_LEFT, **_RULED}, "fact": {"num_format": "@", "align": "right", **_RULED},
    "good": {"num_format": "@", "font_color": LIGHT["ok"], **_LEFT, **_RULED}, "watch": {"num_format": "@", "font_color": LIGHT["over-t"], **_LEFT, **_RULED},
    "bad": {"num_format": "@", "bold": True, "font_color": LIGHT["short"], **_LEFT, **_RULED},
    "about": {"text_wrap": True, **_LEFT, **_RULED}, "link": {"font_color": LIGHT["plan"], "underline": 1, **_LEFT, **_RULED},
    "foot": {"italic": True, "font_color": LIGHT["mute"]},
    # Cells of a form: yellow ones are filled in, the others are for reading.
    "asked text": {"num_format": "@", "text_wrap": True, **_ASKED}, "asked date": {"num_format": "yyyy-mm-dd", "align": "left", **_ASKED}, "asked month": {"num_format": "@", **_ASKED},
    "asked number": {"num_format": "#,##0.########", **_ASKED}, "asked value": {"num_format": "General", **_ASKED},
    "asked year-month": {"num_format": "yyyy-mm", **_ASKED}, "year-month": {"num_format": "yyyy-mm", **_RULED}, "bad number": {"num_format": "#,##0", "bold": True, "font_color": LIGHT["short"], **_RULED},
    "head read": {**_HEAD, "font_color": LIGHT["mute"], "bottom": 1, "bottom_color": LIGHT["mute"], "bg_color": "#EDEDED"},
    "read": {"num_format": "@", "text_wrap": True, "font_color": LIGHT["mute"], **_RULED},
}
SHAPES = {"units": "#,##0", "money": "#,##0", "whole": "#,##0", "price": "#,##0.00", "number": "#,##0.00", "real": "#,##0.00", "hours": "#,##0.0", "small": "0.0000",
          "percent": "0.0%", "month": "[$]mmm yyyy", "date": "yyyy-mm-dd"}
TONES = ("good", "watch", "bad")


@dataclass
class Looks:
    """Formats of a workbook, each made once.

    book     xlsxwriter's
    locale   Excel's mark for the language of month names
    """

    book: Any
    locale: str = ""
    made: dict[tuple[str, bool], Any] = field(default_factory=dict)

    def __call__(self, kind: str, signed: bool = False) -> Any:
        """The format of a kind; numbers below zero are red with their sign, changes show a plus as well."""
        if (kind, signed) not in self.made:
            self.made[kind, signed] = self.book.add_format(LOOKS[kind] if kind in LOOKS else self._number(kind, signed))
        return self.made[kind, signed]

    def of(self, name: str, look: dict[str, Any]) -> Any:
        """A format of its own, made once under a name."""
        if (name, False) not in self.made:
            self.made[name, False] = self.book.add_format(look)
        return self.made[name, False]

    def _number(self, kind: str, signed: bool) -> dict[str, Any]:
        shape = SHAPES[kind].replace("[$]", self.locale)
        if kind in ("month", "date"):
            return {"num_format": shape, **_LEFT, **_RULED}
        return {"num_format": f"+{shape};-{shape};{shape}" if signed else f"{shape};[Red]-{shape}", **_RULED}


@contextmanager
def opened(path: str | Path, *, title: str = "", large: bool = False) -> Iterator[Any]:
    """A workbook to write to: whole at its place when the block ends, and not there at all where the block fails.

    title   in the file's properties;  large: rows go to disk as they are written, so that memory stays small
    """
    import xlsxwriter

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    try:
        with xlsxwriter.Workbook(str(temporary), {**SAFE, "constant_memory": large}) as book:
            book.set_properties({"title": kept(title)[:255], "created": CREATED})
            yield book
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


# --- cells ------------------------------------------------------------------------------------------------------------

def put(sheet: Any, row: int, column: int, value: Any, look: Any, text_look: Any = None) -> None:
    """One cell in its type; a missing value keeps the look of its cell.

    look       of a number, a date, a flag;  text_look: of a text, without it the same
    """
    if type(value) is float and -EXACT < value < EXACT:  # most cells of a large workbook: told first
        sheet.write_number(row, column, value, look)
    elif isinstance(value, str):
        put_text(sheet, row, column, value, text_look or look)
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        sheet.write_blank(row, column, None, text_look or look)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, look)
    elif isinstance(value, int | float) and abs(value) < EXACT:
        sheet.write_number(row, column, value, look)
    elif isinstance(value, pd.Timestamp | dt.date) and (stamp := pd.Timestamp(value)).tzinfo is None and stamp >= FIRST:
        sheet.write_number(row, column, (stamp - EPOCH) / DAY, look)
    else:
        put_text(sheet, row, column, spelt(value), text_look or look)


def put_text(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    """A text as a text, whatever it looks like: =1+1, +1, -1, @x or {=x} is what somebody typed."""
    text = text if len(text) < CELL // 2 and text.isascii() else kept(text)
    if text.startswith("<r>") and text.endswith("</r>"):  # xlsxwriter takes it for a rich text of its own making and would not escape it
        sheet.write_rich_string(row, column, "<", look, text[1:], look)
    else:
        sheet.write_string(row, column, text, look)


def spelt(value: Any) -> str:
    """What no cell holds in its type, as a text.

    >>> spelt(float("-inf")), spelt(123456789012345678), spelt(pd.Timestamp("1899-05-01"))
    ('−∞', '123456789012345678', '1899-05-01')
    """
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, pd.Timestamp | dt.date):
        return pd.Timestamp(value).isoformat().removesuffix("T00:00:00")
    return str(value)


def kept(text: str) -> str:
    """The text as a cell can hold it; one that is longer ends with … ."""
    if not text.isascii():
        text = ODD.sub("\ufffd", text)
    if len(text) <= CELL // 2 or utf16(text) <= CELL:
        return text
    return text.encode("utf-16-le")[: 2 * (CELL - 1)].decode("utf-16-le", "ignore") + "…"


def utf16(text: str) -> int:
    """How many characters Excel counts.

    >>> utf16("ab"), utf16("🙂")
    (2, 2)
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


# --- heads, lines and paper ---------------------------------------------------------------------------------------------

def head(sheet: Any, column: int, text: str, look: Any, note: str = "") -> None:
    """A heading in the first row, with its meaning as a note."""
    put_text(sheet, 0, column, text, look)
    if note:
        sheet.write_comment(0, column, kept(note)[:NOTE], {"author": "", "x_scale": 2.2, "y_scale": 0.6 + len(note) // 120 * 0.4, "font_size": 9})


def lines(text: str, width: float) -> int:
    """How many lines a text takes in a column so many characters wide: rows say their height, since not every program finds it.

    >>> lines("one two three", 8)
    2
    """
    return sum(max(len(textwrap.wrap(line, max(int(width) - 2, 1))), 1) for line in text.split("\n"))


def paper(sheet: Any, title: str, *, tall: int = 0) -> None:
    """On paper: A4 across, one page wide and at most `tall` pages long (0: as many as it takes), with name and page number; & is Excel's mark for codes and stands for itself doubled."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, tall)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&L" + kept(title).replace("&", "&&")[:100] + "&R&P / &N")
