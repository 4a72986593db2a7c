"""Text cells into numbers, dates and words, as the declared locale says. Nothing is guessed.

A sniffed `1.250` becomes 1.25 and a sniffed 01/02 becomes January or February by chance; a declared locale does not.
Each function looks at the distinct values only, so that a million rows cost as much as their few thousand spellings.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

EARLIEST, LATEST = 1950, 2199  # a date outside these years is a placeholder or a slip, not a fact of business
LARGEST = 1e18  # no amount or quantity of a business reaches it: a slip, which would drown every total
MISSING = ("", "NULL")  # an empty cell, and how database tools write one

MONTHS: dict[str, dict[str, int]] = {
    "en": {name.lower(): i for names in (calendar.month_name, calendar.month_abbr) for i, name in enumerate(names) if i} | {"sept": 9},
    "id": {name: i for i, names in enumerate((
        "januari jan", "februari feb pebruari peb", "maret mar mrt", "april apr", "mei", "juni jun", "juli jul",
        "agustus agu agt ags", "september sep sept", "oktober okt", "november nov nop nopember", "desember des"), 1) for name in names.split()},
}
_TOKENS = (("yyyy", r"(?P<y>\d{4})"), ("mmmm", r"(?P<name>[^\W\d_]+)\.?"), ("mmm", r"(?P<name>[^\W\d_]+)\.?"),
           ("yy", r"(?P<yy>\d{2})"), ("mm", r"(?P<m>\d{1,2})"), ("dd", r"(?P<d>\d{1,2})"), ("m", r"(?P<m>\d{1,2})"), ("d", r"(?P<d>\d{1,2})"))
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"  # a time of day behind the date is cut off
_ISO_MONTH = re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})")
_YES = {"1": True, "true": True, "yes": True, "y": True, "t": True, "ya": True, "x": True,
        "0": False, "false": False, "no": False, "n": False, "f": False, "tidak": False}


def words(values: pd.Series) -> pd.Series:
    """Cells as text: trimmed, whole numbers without a decimal point, missing as None.

    >>> list(words(pd.Series([" A ", 12.0, "", None], dtype=object)))
    ['A', '12', None, None]
    """
    return pd.Series(_each(values, _word), index=values.index, dtype=object)


def _word(value: Any) -> str | None:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, pd.Timestamp) or hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    text = str(value).strip()
    return None if text in MISSING else text


def numbers(values: pd.Series, *, decimal: str = ".", thousands: str = "") -> tuple[pd.Series, pd.Series]:
    """Cells as numbers, and which cells held something that is not one.

    decimal, thousands  as the file writes them; groups must be of three digits
    returns             number (NaN where missing or unreadable), flag of the unreadable

    >>> numbers(pd.Series(["1.250,5", "12-", "twelve"]), decimal=",", thousands=".")[0].tolist()
    [1250.5, -12.0, nan]
    """
    if pd.api.types.is_numeric_dtype(values):
        out = values.astype("float64")
        return out.where(out.abs() <= LARGEST), pd.Series(out.abs() > LARGEST, index=values.index)
    digits = rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)" if thousands else r"\d+"
    pattern = re.compile(rf"(?P<sign>[+\-−]?)(?P<open>\()?(?P<body>(?:{digits}(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)(?:[eE][+\-]?\d+)?)(?P<close>\))?(?P<after>-?)(?P<percent> ?%)?")

    def number(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str):
            return _float(value)
        found = pattern.fullmatch(value.strip())
        if not found:
            return np.nan
        sign, opened, body, closed, after, percent = found.groups()
        if bool(opened) != bool(closed):
            return np.nan
        result = float((body.replace(thousands, "") if thousands else body).replace(decimal, "."))
        if result > LARGEST:
            return np.nan
        return (-result if sign in ("-", "−") or after or opened else result) / (100 if percent else 1)

    out = pd.Series(_each(values, number, missing=np.inf).astype("float64"), index=values.index)  # no number is infinite
    return out.replace(np.inf, np.nan), out.isna()


def _float(value: Any) -> float:
    """A typed cell: a workbook's number, a database's Decimal; anything else is no number."""
    if not isinstance(value, int | float | np.number | Decimal):
        return np.nan
    try:
        number = float(value)
    except (ArithmeticError, ValueError):
        return np.nan
    return number if abs(number) <= LARGEST else np.nan


def flags(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Cells as yes or no (missing is no), and which cells held neither."""
    text = words(values)
    out = text.map(lambda v: _YES.get(v.lower()) if v is not None else False)
    return out.where(out.notna(), False).astype(bool), out.isna()


def date_pattern(dates: str) -> re.Pattern[str]:
    """A declared form, such as `dd/mm/yyyy`, `dd mmm yyyy` or `yyyymm`, as a pattern.

    raises  ValueError where the form names no year or no month
    """
    parts, rest, seen = [], dates.strip(), set()
    glued = re.fullmatch(r"[ymd]+", rest) is not None  # yyyymmdd: without separators the widths are fixed
    while rest:
        token = next(((t, p) for t, p in _TOKENS if rest.lower().startswith(t)), None)
        if token:
            parts.append(token[1].replace("{1,2}", "{2}") if glued else token[1])
            seen.add(token[0][0])
            rest = rest[len(token[0]):]
        else:
            parts.append(re.escape(rest[0]))
            rest = rest[1:]
    if not {"y", "m"} <= seen:
        raise ValueError("names no year or no month")
    try:
        return re.compile("".join(parts) + _TIME)
    except re.error as error:
        raise ValueError(f"cannot be read as a form of dates ({error})") from None


def dates(values: pd.Series, *, form: str, months: str = "en", month: bool = False) -> tuple[pd.Series, pd.Series]:
    """Cells as dates, and what is wrong with those that are none.

    form     the declared form
    months   language of month names, en or id
    month    the column is a month: `2026-10` is read too, whatever the form
    returns  date at midnight (NaT where missing or wrong);
             wrong: '' or unreadable, impossible (31 February), early (1900), late (2999, 9999)
    """
    patterns = [date_pattern(form), *([_ISO_MONTH] if month else [])]
    codes, distinct = _distinct(_plain_dates(values))
    found = [(pd.NaT, "") if _missing(value) else _date(value, patterns, months) for value in distinct] + [(pd.NaT, "")]
    parsed = pd.to_datetime(pd.Series([date for date, _ in found], dtype=object)).astype("datetime64[ns]").to_numpy()
    wrong = np.array([told for _, told in found], dtype=object)
    return pd.Series(parsed[codes], index=values.index), pd.Series(wrong[codes], index=values.index)


def _plain_dates(values: pd.Series) -> pd.Series:
    """Typed dates as Python ones, which reach beyond 2262 and are told apart by their year."""
    return values.astype(object) if pd.api.types.is_datetime64_any_dtype(values) else values


def _date(value: Any, patterns: list[re.Pattern[str]], months: str) -> tuple[Any, str]:
    if hasattr(value, "year") and hasattr(value, "day"):
        return _ymd(value.year, value.month, value.day)
    if isinstance(value, int | float | np.number) and float(value).is_integer():
        value = str(int(value))  # 202610 in a workbook
    text = str(value).strip()
    match = next((m for m in (p.fullmatch(text) for p in patterns) if m), None)
    if match is None:
        return pd.NaT, "unreadable"
    part = match.groupdict()
    if part.get("name"):
        number = MONTHS[months].get(part["name"].lower())
        if number is None:
            return pd.NaT, "unreadable"
    else:
        number = int(part["m"])
    year = int(part["y"]) if part.get("y") else 2000 + int(part["yy"])
    return _ymd(year, number, int(part.get("d") or 1))


def _ymd(year: int, month: int, day: int) -> tuple[Any, str]:
    if not EARLIEST <= year <= LATEST:
        return pd.NaT, "early" if year < EARLIEST else "late"
    try:
        return pd.Timestamp(year=year, month=month, day=day), ""
    except ValueError:
        return pd.NaT, "impossible"


def given(values: pd.Series) -> pd.Series:
    """Which cells hold something."""
    if values.dtype != object:
        return values.notna()
    return pd.Series(_each(values, lambda _: True, missing=False).astype(bool), index=values.index)


def _each(values: pd.Series, change: Callable[[Any], Any], missing: Any = None) -> np.ndarray:
    """`change` of every cell, worked out once per distinct value; missing cells give `missing`."""
    codes, distinct = _distinct(values)
    changed = np.empty(len(distinct) + 1, dtype=object)
    changed[:] = [*(missing if _missing(value) else change(value) for value in distinct), missing]
    return changed[codes]


def _distinct(values: pd.Series) -> tuple[np.ndarray, Any]:
    """Number of each cell's distinct value, and the values; -1, the last, is missing."""
    return pd.factorize(values, use_na_sentinel=True)


def _missing(value: Any) -> bool:
    return isinstance(value, str) and value.strip() in MISSING
