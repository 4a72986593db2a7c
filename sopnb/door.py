"""The door of supply's functions: tables as anybody may hand them over, made fit to compute with, and what was wrong with their rows.

The tables of a cycle have passed `sources` and `frames.conform`. Those of a notebook of one's own have not: a column is missing,
a row stands twice, a figure is a word or without end. A column that a function cannot do without is an error, all of them in one
list; a column that may be missing is there, and empty. A row that says nothing, or says it again, is left out and told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sopnb import frames

KIND = {column.name: column.kind for frame in vars(frames).values() if isinstance(frame, frames.Frame) for column in frame.columns}
Note = Callable[[str, pd.DataFrame, np.ndarray, str, str], object]


@dataclass(frozen=True)
class Wants:
    """What a function wants of a table; column names with blanks between.

    key    columns that name a row; a part with ? may be missing, and so may one with *: without it rows are added up
    needs  columns without which nothing can be computed
    may    columns that may be missing: they are there afterwards, and empty
    once   False: somebody else looks for rows that stand twice
    """

    key: str
    needs: str = ""
    may: str = ""
    once: bool = True


def enter(wants: Mapping[str, Wants], tables: Mapping[str, pd.DataFrame | None], note: Note | None = None) -> list[pd.DataFrame | None]:
    """The tables in the order given, fit to compute with; None stays None.

    note     told of rows left out: (table's name, table, where, rule, column)
    returns  copies without rows that name nothing (row_unnamed) or stand for the same as an earlier one (row_repeated);
             figures that are words or without end are missing (no_figure)
    raises   FrameError: the columns that are lacking, all of them
    """
    _complete(wants, tables)
    return [None if table is None else _rows(name, table, wants[name], note) for name, table in tables.items()]


def _complete(wants, tables):
    lacking = []
    for name, table in tables.items():
        if table is not None:
            needed = [*(c for c in wants[name].key.split() if c[-1] not in "?*"), *wants[name].needs.split()]
            missing = [c for c in needed if c not in table.columns]
            lacking += [f"`{name}` lacks {', '.join(missing)}. It needs: {', '.join(needed)}."] if missing else []
    if lacking:
        raise frames.FrameError(" ".join(lacking))


def _rows(name, table, want, note):
    out = table.copy(deep=False)
    key = [c.rstrip("?*") for c in want.key.split() if c.rstrip("?*") in out.columns]
    added_up = any(c.endswith("*") and c[:-1] not in out.columns for c in want.key.split())
    lost = {}
    for column in [*want.needs.split(), *want.may.split()]:
        if column not in out.columns:
            blank, kind = {"number": (np.nan, "float64"), "date": (pd.NaT, "datetime64[ns]")}.get(KIND[column], (None, "object"))
            out[column] = pd.Series(blank, index=out.index, dtype=kind)
        elif KIND.get(column) == "number":
            out[column] = figures(out[column])
            lost[column] = (out[column].isna() & table[column].notna()).to_numpy()
    _tell(note, name, table, np.any(list(lost.values()), axis=0) if lost else np.zeros(len(out), dtype=bool), "no_figure",
          next((column for column, hit in lost.items() if hit.any()), ""))
    must = [c for c in key if c in want.key.split()]
    unnamed = out[must].isna().any(axis=1).to_numpy()
    if unnamed.any():
        _tell(note, name, out, unnamed, "row_unnamed", next(c for c in must if out[c].isna().any()))
        out = out[~unnamed]
    repeated = out.duplicated(key).to_numpy() if want.once and not added_up else np.zeros(len(out), dtype=bool)
    if repeated.any():
        _tell(note, name, out, repeated, "row_repeated", key[-1])
        out = out[~repeated]
    return out


def _tell(note, name, table, hit, rule, column):
    if note is not None and hit.any():
        note(name, table, hit, rule, column)


def latest(stock: pd.DataFrame | None) -> pd.DataFrame | None:
    """The latest count of each item × location, where a table of stock holds several; one without a day is older than any."""
    if stock is None or "as_of" not in stock.columns:
        return stock
    by = [c for c in ("item", "location") if c in stock.columns]
    newest = stock.groupby(by, dropna=False)["as_of"].transform("max")
    return stock[(stock["as_of"] == newest) | newest.isna()]


def figures(values: pd.Series) -> pd.Series:
    """Figures as they can be computed with: words and what is without end are missing.

    >>> figures(pd.Series([1, "many", float("inf"), None], dtype=object)).tolist()
    [1.0, nan, nan, nan]
    """
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    endless = np.isinf(numbers.to_numpy())
    return numbers.mask(endless) if endless.any() else numbers
