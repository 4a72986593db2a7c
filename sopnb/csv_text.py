"""CSV for people's programs: a spreadsheet that opens it computes nothing, and a script gets every character back.

A text that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line feed, or that after apostrophes)
stands behind one apostrophe more; `plain` takes it off. Numbers are numbers, below zero too.

Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re

import pandas as pd

_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")  # the wide signs of Chinese and Japanese count as well


def text(df: pd.DataFrame, *, days: str | None = None) -> str:
    """A table as CSV with a heading, lines ended by a line feed.

    df       any columns
    days     how dates are written, as %Y-%m-%d
    returns  the text; nothing where nothing is known
    """
    safe = df.rename(columns=lambda name: defused(str(name)))
    safe = safe.apply(lambda column: column.map(defused) if column.dtype == object else column) if len(safe.columns) else safe
    return str(safe.to_csv(index=False, lineterminator="\n", date_format=days))


def defused(value: object) -> object:
    """
    >>> defused("=1+1"), defused("'=1"), defused("it's"), defused(-1)
    ("'=1+1", "''=1", "it's", -1)
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def plain(value: object) -> object:
    """What stood there before: `defused` undone.

    >>> plain("'=1+1"), plain("'tis")
    ('=1+1', "'tis")
    """
    return value[1:] if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value) else value
