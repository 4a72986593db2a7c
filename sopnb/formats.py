"""One value as text, in the report's language and number format: numbers, money, dates.

    spec            value            en                    id
    money           1.23e10 (IDR)    Rp 12.3 bn            Rp 12,3 miliar
    money+          -4.6e9           −Rp 4.6 bn            −Rp 4,6 miliar
    price           12.5 (USD)       USD 12.50             USD 12,50
    compact         1234567          1.2 m                 1,2 juta
    month           2026-10-01       October 2026          Oktober 2026
    mon             2026-10-01       Oct 26                Okt 26
    day             2026-10-05       5 October 2026        5 Oktober 2026
    weekday         2026-10-05       Monday 5 October      Senin 5 Oktober
    ,.0f  +,.1f     1234.5           1,234  +1,234.5       1.234  +1.234,5
    .1%   +.1%      0.258            25.8%  +25.8%         25,8%  +25,8%
    .1pp  +.1pp     0.081            8.1    +8.1           percentage points, the word stands in the template
    (none)          text, a whole number, a date

A missing value is "–". Minus is the sign −, not a hyphen. `sopnb.words` puts the values into sentences.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import numbers
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from babel import Locale
from babel.dates import format_date

from sopnb.problems import nearest

MISSING = "–"
LANGUAGES = ("en", "id")
SIGNS = {"IDR": "Rp"}
WHOLE = {"IDR", "JPY", "KRW", "VND"}  # currencies written without decimals
SCALES = {
    "en": ((1e12, "tn"), (1e9, "bn"), (1e6, "m")),
    "id": ((1e12, "triliun"), (1e9, "miliar"), (1e6, "juta")),
}
DATES = {"month": "LLLL y", "mon": "LLL yy", "day": "d MMMM y", "weekday": "EEEE d MMMM", "shortday": "d MMM"}
SPECS = "money, money+, price, compact, month, mon, day, weekday, shortday, or a number such as ,.0f  .1%  +.1%  .1pp"
_NUMBER = re.compile(r"^(\+?)(,?)(?:\.(\d+))?(f|d|%|pp)$")
_voice = {"language": "en", "currency": "USD"}


class WordsError(ValueError):
    """A sentence cannot be said: the message names the template and what is wrong with it."""


def speak(language: str = "en", currency: str = "USD") -> None:
    """How to speak from here on: the language of numbers and dates, the currency of money.

    raises   WordsError for a language other than en and id, or a currency that is not three letters
    """
    if language not in LANGUAGES:
        raise WordsError(f"language {language!r} is not known. Allowed: {', '.join(LANGUAGES)}. {nearest(language, LANGUAGES)}".strip())
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise WordsError(f"currency {currency!r} is not a code of three capital letters, such as IDR, USD or EUR.")
    _voice.update(language=language, currency=currency)


@contextmanager
def speaking(language: str, currency: str) -> Iterator[None]:
    """Speak so for a while, then as before: for a mail to one reader."""
    before = dict(_voice)
    speak(language, currency)
    try:
        yield
    finally:
        _voice.update(before)


def language() -> str:
    return _voice["language"]


def show(value: Any, spec: str = "") -> str:
    """One value as text, by its spec (the table at the top of this file).

    raises   WordsError where the spec is unknown or does not fit the value
    """
    if is_missing(value):
        return MISSING
    if spec in DATES:
        return _date(value, spec)
    if spec == "":
        return _as_is(value)
    if spec in ("money", "money+"):
        return money(_real(value, spec), signed=spec.endswith("+"))
    if spec == "price":
        return _price(_real(value, spec))
    if spec in ("compact", "compact+"):
        return compact(_real(value, spec), signed=spec.endswith("+"))
    if not _NUMBER.match(spec):
        raise WordsError(f"no format {spec!r}. Allowed: {SPECS}.")
    return number(_real(value, spec), spec)


def number(value: Any, spec: str = ",.0f") -> str:
    """A number in the reader's format.

    >>> number(-1234.5, "+,.1f")
    '−1,234.5'
    """
    found = _NUMBER.match(spec)
    if not found:
        return show(value, spec)
    if is_missing(value):
        return MISSING
    sign, comma, digits, kind = found.groups()
    scaled = float(value) * (100 if kind in ("%", "pp") else 1)
    if math.isinf(scaled):
        return ("−" if scaled < 0 else sign) + "∞"
    places = int(digits) if digits else (6 if kind == "f" and digits is None and not comma else 0)
    body = f"{abs(scaled):{comma}.{places}f}"
    is_zero = not body.strip("0.,")
    lead = "" if is_zero else "−" if scaled < 0 else sign
    return lead + _localized(body) + ("%" if kind == "%" else "")


def compact(value: Any, signed: bool = False) -> str:
    """A large number in words: 1.2 m, 3.4 bn; below a million the whole number.

    >>> compact(1234567), compact(12345)
    ('1.2 m', '12,345')
    """
    if is_missing(value):
        return MISSING
    lead, body = _scaled(float(value), 0)
    return (lead or ("+" if signed and body != "0" else "")) + body


def money(value: Any, signed: bool = False) -> str:
    """Money in the company's currency, short.

    >>> money(1.23e10)
    'USD 12.3 bn'
    """
    if is_missing(value):
        return MISSING
    amount = float(value)
    cents = 2 if _voice["currency"] not in WHOLE and abs(amount) < 100 and amount != round(amount) else 0
    lead, body = _scaled(amount, cents)
    is_zero = not body.strip("0.,")
    return ("" if is_zero else lead or ("+" if signed else "")) + f"{currency_sign()} {body}"


def scales() -> tuple[tuple[float, str], ...]:
    """Words for large numbers on an axis, largest first, in the reader's language."""
    return (*SCALES[_voice["language"]], (1e3, {"en": "thousand", "id": "ribu"}[_voice["language"]]))


def currency_sign() -> str:
    """Rp, USD, EUR: what stands before an amount."""
    return SIGNS.get(_voice["currency"], _voice["currency"])


def whole_money() -> bool:
    """Whether the company's currency is written without cents."""
    return _voice["currency"] in WHOLE


def _price(value: float) -> str:
    body = number(value, ",.0f" if _voice["currency"] in WHOLE else ",.2f")
    return f"{'−' if body.startswith('−') else ''}{currency_sign()} {body.lstrip('−')}"


def _scaled(value: float, places: int) -> tuple[str, str]:
    """Sign and body; the scale is chosen after rounding, so that 999.96 m is 1.0 bn."""
    if math.isinf(value):
        return ("−" if value < 0 else ""), "∞"
    size = abs(value)
    for scale, word in SCALES[_voice["language"]]:
        if round(size / scale, 1) >= 1:
            return ("−" if value < 0 else ""), f"{_localized(f'{size / scale:,.1f}')} {word}"
    body = f"{size:,.{places}f}"
    return ("−" if value < 0 and body.strip("0.,") else ""), _localized(body)


def month(value: Any) -> str:
    """October 2026."""
    return show(value, "month")


@functools.lru_cache(maxsize=8)
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@functools.lru_cache(maxsize=8)
def _marks(code: str) -> tuple[str, str]:
    symbols = _locale(code).number_symbols["latn"]
    return symbols["group"], symbols["decimal"]


def _localized(body: str) -> str:
    """Digits as Python writes them, with the language's separators."""
    group, decimal = _marks(_voice["language"])
    return body.translate({ord(","): group, ord("."): decimal})


@functools.lru_cache(maxsize=4096)
def _dated(day: dt.date, spec: str, code: str) -> str:
    return format_date(day, DATES[spec], locale=_locale(code))


def _date(value: Any, spec: str) -> str:
    if isinstance(value, pd.Period):
        value = value.to_timestamp()
    if isinstance(value, str):
        try:
            value = pd.Timestamp(dt.date.fromisoformat(value[:10] if len(value) >= 10 else f"{value}-01"))
        except ValueError as error:
            raise WordsError(f"{value!r} is not a date; {spec} needs YYYY-MM-DD or YYYY-MM.") from error
    try:
        stamp = pd.Timestamp(value) if not isinstance(value, numbers.Number) else None
    except (TypeError, ValueError):
        stamp = None
    if stamp is None:
        raise WordsError(f"{value!r} is not a date, and {spec} shows dates.")
    return _dated(stamp.date(), spec, _voice["language"])


def _as_is(value: Any) -> str:
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return ("yes", "no")[not value] if _voice["language"] == "en" else ("ya", "tidak")[not value]
    if isinstance(value, pd.Period):
        return _date(value, "month")
    if isinstance(value, dt.date | pd.Timestamp):
        return _date(value, "day")
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        amount = float(value)  # type: ignore[arg-type]
        comma = "," if abs(amount) >= 10_000 else ""  # 2026 is a year, 48,216 is a count
        if amount == round(amount):
            return number(amount, f"{comma}.0f")
        shown = number(amount, f"{comma}.2f")
        return shown[:-1] if shown.endswith("0") else shown
    return str(value)


def _real(value: Any, spec: str) -> float:
    if isinstance(value, numbers.Number) and not isinstance(value, complex | bool):
        return float(value)  # type: ignore[arg-type]
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise WordsError(f"{short(value)} is not a number, and {spec} shows numbers.") from error


def is_missing(value: Any) -> bool:
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    try:
        return bool(value != value)  # NaN alone differs from itself
    except (TypeError, ValueError):
        return False


def short(value: object) -> str:
    """A value as it is quoted in an error: not more than 70 characters."""
    shown = repr(value)
    return shown if len(shown) <= 70 else shown[:67] + "…" + shown[-1]
