"""Small tables for tests, written as one reads them."""

from __future__ import annotations

import pandas as pd

DATES = {"month", "first", "last", "origin"}


def frame(columns: str, *rows: str) -> pd.DataFrame:
    """A table from words: numbers become numbers, months and dates become dates, `-` is missing.

    >>> frame("item month demand", "A 2026-01 12").demand[0]
    12.0
    """
    names = columns.split()
    cells = [row.split() for row in rows]
    for row in cells:
        assert len(row) == len(names), f"{row} has {len(row)} values for {len(names)} columns"
    return pd.DataFrame({name: _column(name, [row[i] for row in cells]) for i, name in enumerate(names)}, columns=names)


def _column(name: str, values: list[str]) -> pd.Series:
    given = [None if v == "-" else v for v in values]
    if name in DATES or name.endswith(("_date", "_on")) or name in {"due", "release", "as_of", "start", "end", "created", "expires"}:
        return pd.Series(pd.to_datetime(pd.Series(given, dtype=object))).astype("datetime64[ns]")
    try:
        return pd.Series([float("nan") if v is None else float(v) for v in given], dtype="float64")
    except ValueError:
        return pd.Series(given, dtype=object)
