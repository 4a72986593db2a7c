"""What each table is: its key, its columns with their units, and the few operations all tables share.

A table is a pandas DataFrame in long form. `conform` is the door every saved or received table passes:
it checks columns, types and key, and returns a new table with the declared columns, key first, sorted by key.
The frames stand in rooms by who makes them, and are all names of this one too: `frames.PLAN`.

    frame.py              how a frame is written down
    frames_sources.py     what a company hands over
    frames_demand.py      what 01 and 02 write
    frames_supply.py      what 03 writes
    frames_meeting.py     what 04 to 06 write

    key          the columns that identify a row; no two rows share them, none is missing
    month        the first day of a month, datetime64[ns]
    text         object; missing is None
    number       float64; missing is NaN
    integer      int64; never missing
    date         datetime64[ns] at midnight; missing is NaT
    flag         bool; never missing

>>> PLAN.key
('item', 'location', 'month')
>>> next_month("2026-12")
Timestamp('2027-01-01 00:00:00')
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb.frame import KINDS, Column, Frame, FrameError
from sopnb.frames_demand import *
from sopnb.frames_demand import DEMAND_TABLES
from sopnb.frames_meeting import *
from sopnb.frames_meeting import MEETING_TABLES
from sopnb.frames_sources import *
from sopnb.frames_sources import SOURCES
from sopnb.frames_supply import *
from sopnb.frames_supply import SUPPLY_TABLES

STEP_TABLES: dict[str, Frame] = {**DEMAND_TABLES, **SUPPLY_TABLES, **MEETING_TABLES}
TABLES: dict[str, Frame] = {**SOURCES, **STEP_TABLES}


# --- what all tables share ------------------------------------------------------------------------------------------

def conform(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The table as its frame says: declared columns only, right types, key unique, sorted by key.

    df       any columns; those the frame marks as needed must be there, others are filled with missing
    returns  a new table, key first, sorted by key
    raises   FrameError: unknown column, missing column, value of the wrong kind, missing or repeated key
    """
    unknown = [name for name in df.columns if name not in frame.names]
    if unknown:
        raise FrameError(f"`{frame.name}` has no column {', '.join(map(str, unknown))}. It takes: {', '.join(frame.names)}.")
    needed = frame.needed if frame.name in SOURCES else frame.names
    missing = [name for name in needed if name not in df.columns]
    if missing:
        raise FrameError(f"`{frame.name}` lacks {', '.join(missing)}. It needs: {', '.join(needed)}.")
    if df.empty:
        return empty(frame)
    out = typed(df, frame)
    empty_key = out[list(frame.key)].isna().any(axis=1)
    if empty_key.any():
        raise FrameError(f"`{frame.name}` must have {' × '.join(frame.key)} in every row; {int(empty_key.sum())} of {len(out)} rows lack one.")
    if _in_order(out, frame.key):
        return out
    repeated = out.duplicated(list(frame.key))
    if repeated.any():
        first = out.loc[repeated, list(frame.key)].iloc[0]
        named = ", ".join(f"{k}={_plain(v)}" for k, v in first.items())
        raise FrameError(
            f"`{frame.name}` must have one row per {' × '.join(frame.key)}; {int(repeated.sum())} of {len(out)} rows "
            f"repeat a key, first {named}. See frames.duplicates(df, frames.{frame.name.upper()})."
        )
    return out.sort_values(list(frame.key), kind="stable").reset_index(drop=True)


def _in_order(df: pd.DataFrame, key: tuple[str, ...]) -> bool:
    """Whether each row's key comes after that of the row before: then none repeats, and nothing need be sorted."""
    after, tied = np.zeros(max(len(df) - 1, 0), dtype=bool), np.ones(max(len(df) - 1, 0), dtype=bool)
    for name in key:
        values = df[name].to_numpy()
        after |= tied & (values[1:] > values[:-1])
        tied &= values[1:] == values[:-1]
    return bool(after.all())


def _cast(df: pd.DataFrame, column: Column, frame: Frame) -> pd.Series:
    if column.name not in df.columns:
        return _empty_column(column.kind, len(df))
    values = df[column.name].reset_index(drop=True)
    try:
        if column.kind == "text":
            return _text(values)
        if column.kind == "number":
            return pd.to_numeric(values).astype("float64")
        if column.kind == "integer":
            return pd.to_numeric(values).astype("int64")
        if column.kind == "flag":
            return values.where(values.notna(), False).astype(bool)
        dates = values if values.dtype == "datetime64[ns]" else pd.to_datetime(values).astype("datetime64[ns]")
        return pd.Series(dates.to_numpy().astype("datetime64[M]" if column.kind == "month" else "datetime64[D]").astype("datetime64[ns]"))
    except (ValueError, TypeError) as error:
        raise FrameError(f"`{frame.name}.{column.name}` must be a {column.kind}: {error}") from error


def _text(values: pd.Series) -> pd.Series:
    """Words as they are, None where missing; anything else as text. Cell by cell only where a cell is not a word yet."""
    if pd.api.types.infer_dtype(values, skipna=False) == "string":
        return values.astype(object)
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy()] = None
    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        cells[:] = [v if v is None or isinstance(v, str) else str(v) for v in cells]
    return pd.Series(cells, dtype=object)


def _empty_column(kind: str, rows: int) -> pd.Series:
    if kind == "text":
        return pd.Series([None] * rows, dtype=object)
    if kind == "number":
        return pd.Series([float("nan")] * rows, dtype="float64")
    if kind == "integer":
        return pd.Series([0] * rows, dtype="int64")
    if kind == "flag":
        return pd.Series([False] * rows, dtype=bool)
    return pd.Series([pd.NaT] * rows, dtype="datetime64[ns]")


def _plain(value: object) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else str(value)


def typed(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The frame's columns in the frame's types, without a look at the key: for tables already conformed."""
    return pd.DataFrame({c.name: _cast(df, c, frame) for c in frame.columns}, columns=frame.names, copy=False)


def empty(frame: Frame) -> pd.DataFrame:
    """A table of this frame without rows, with its types."""
    return pd.DataFrame({c.name: _empty_column(c.kind, 0) for c in frame.columns}, columns=frame.names)


def duplicates(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """All rows whose key stands more than once, together."""
    key = list(frame.key)
    return df[df.duplicated(key, keep=False)].sort_values(key, kind="stable")


def month(value: object) -> pd.Timestamp:
    """The first day of the month of a date, a period or 'YYYY-MM'."""
    return pd.Timestamp(str(value) if not isinstance(value, pd.Timestamp) else value).to_period("M").to_timestamp()


def next_month(value: object, by: int = 1) -> pd.Timestamp:
    """The month `by` months after (before, where negative)."""
    return (month(value).to_period("M") + by).to_timestamp()


def months(first: object, count: int) -> pd.DatetimeIndex:
    """`count` months from `first` on."""
    return pd.date_range(month(first), periods=count, freq="MS")


def months_between(earlier: object, later: object) -> int:
    """Whole months from one month to another: 2026-09 to 2026-10 is 1."""
    a, b = month(earlier), month(later)
    return (b.year - a.year) * 12 + b.month - a.month


def apart(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two tables share no location: `all` in one of them and names in the other, or names of two systems.

    Joined by item and location they would share no row: all stock would look unasked for, all demand unserved.

    >>> apart(pd.DataFrame({"location": ["all"]}), pd.DataFrame({"location": ["JKT", "SBY"]}))
    True
    """
    both = [set() if table is None else set(table["location"]) for table in (one, other)]
    return all(both) and not both[0] & both[1]


def fill_months(df: pd.DataFrame, first: object, last: object, by: tuple[str, ...] = ("item", "location"), **fill: object) -> pd.DataFrame:
    """Every month from first to last for every key in `by`; new rows take the values given in `fill`.

    df       by × month, any columns
    returns  by × month, complete, sorted; columns not named in `fill` are missing in new rows
    """
    span = pd.date_range(month(first), month(last), freq="MS")
    keys = df[list(by)].drop_duplicates()
    grid = keys.merge(pd.DataFrame({"month": span}), how="cross")
    out = grid.merge(df, on=[*by, "month"], how="left", indicator="_side")
    new = out.pop("_side") == "left_only"
    for name, value in fill.items():
        out.loc[new, name] = value
        out[name] = out[name].astype(df[name].dtype)
    return out.sort_values([*by, "month"], kind="stable").reset_index(drop=True)
