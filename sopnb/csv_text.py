"""CSV for people's programs: a spreadsheet that opens it computes nothing, and a script gets every character back.

A text that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line feed, or that after apostrophes
or spaces) stands behind one apostrophe more; `plain` takes it off. The same holds after a semicolon, a tab or a line's end
within a text: where a country's spreadsheets part cells by semicolons, as Indonesia's do, the quotes of a comma's file do not
hold, and a cell begins there. Numbers are numbers, below zero too. Where a text holds a carriage return every text is quoted:
bare, it would end the row, and what follows it would be a cell of its own.

Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import re

import pandas as pd

_SIGNS = "=+\\-@\uff0b\uff0d\uff1d\uff20"  # the wide signs of Chinese and Japanese count as well
# Where a cell may begin: at the start, and after what another country's spreadsheet takes for the end of a cell or a row.
_PLACE = "(?:^|(?<=[;\t\r\n]))"
_FORMULA = re.compile(f"{_PLACE}(?='*[ \u00a0]*[{_SIGNS}])|^(?='*[\t\r\n])")
_DEFUSED = re.compile(f"{_PLACE}'(?='*[ \u00a0]*[{_SIGNS}])|^'(?='*[\t\r\n])")


def text(df: pd.DataFrame, *, days: str | None = None) -> str:
    """A table as CSV with a heading, lines ended by a line feed.

    df       any columns
    days     how dates are written, as %Y-%m-%d
    returns  the text; nothing where nothing is known
    """
    safe = df.rename(columns=lambda name: defused(str(name)))
    safe = safe.apply(lambda column: column.map(defused) if column.dtype == object else column) if len(safe.columns) else safe
    torn = any(column.astype(str).str.contains("\r", regex=False).any() for _, column in safe.select_dtypes("object").items()) or any("\r" in str(name) for name in safe.columns)
    return str(safe.to_csv(index=False, lineterminator="\n", date_format=days, quoting=csv.QUOTE_NONNUMERIC if torn else csv.QUOTE_MINIMAL))


def defused(value: object) -> object:
    """
    >>> defused("=1+1"), defused("'=1"), defused("it's"), defused(-1), defused("tea;=1+1")
    ("'=1+1", "''=1", "it's", -1, "tea;'=1+1")
    """
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


def plain(value: object) -> object:
    """What stood there before: `defused` undone.

    >>> plain("'=1+1"), plain("'tis")
    ('=1+1', "'tis")
    """
    return _DEFUSED.sub("", value) if isinstance(value, str) else value
