"""What stands at an axis: round ticks, short numbers with one unit for the whole axis, months in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from sopnb import words

NOTHING = 1e-9  # the height of an axis on which all is zero
KINDS = ("number", "money", "percent")


def known(values: Iterable[float]) -> list[float]:
    """The values that can be drawn: no missing, no infinite ones."""
    return [float(v) for v in values if v is not None and v == v and math.isfinite(v)]


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values from at or below `low` to at or below `high`, zero among them where it lies between.

    >>> ticks(0, 1261)
    [0.0, 400.0, 800.0, 1200.0]
    """
    span = high - low
    if span <= NOTHING or not math.isfinite(span):
        return [0.0]
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next((m * power for m in (1, 2, 2.5, 4, 5, 10) if span / (m * power) <= count), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


@dataclass(frozen=True)
class Scale:
    """Numbers on one axis: divided alike, named once.

    kind      number, money or percent (of a fraction)
    divisor   1, thousand, million …
    word      its name in the reader's language
    digits    decimals that tell neighbouring values apart
    """

    kind: str
    divisor: float
    word: str
    digits: int

    @property
    def unit(self) -> str:
        """What the plain numbers are in: Rp bn; empty where they speak for themselves."""
        return "\u00a0".join(part for part in (words.currency_sign() if self.kind == "money" else "", self.word) if part)

    def plain(self, value: float, signed: bool = False) -> str:
        """The number alone: 1,261."""
        plus = "+" if signed else ""
        if self.kind == "percent":
            return words.number(value, f"{plus}.{self.digits}%")
        return words.number(value / self.divisor, f"{plus},.{self.digits}f")

    def full(self, value: float, signed: bool = False) -> str:
        """The number with its unit: Rp 12.3 bn."""
        body = f"{self.plain(value, signed)} {self.word}".strip()
        if self.kind != "money" or body == words.MISSING:
            return body
        sign = body[0] if body[0] in "−+" else ""
        return f"{sign}{words.currency_sign()} {body.removeprefix(sign)}"

    def tick(self, value: float, last: bool) -> str:
        """An axis label; the topmost carries the unit."""
        exact = value / self.divisor
        digits = next((d for d in range(4) if abs(exact - round(exact, d)) < 1e-9 * max(1, abs(exact))), 4)
        if self.kind == "percent":
            percent = value * 100
            return words.number(value, f".{next((d for d in range(4) if abs(percent - round(percent, d)) < 1e-9), 2)}%")
        body = words.number(exact, f",.{digits}f")
        if not last or value == 0:
            return body
        return f"{words.currency_sign()} {body} {self.word}".strip() if self.kind == "money" else f"{body} {self.word}".strip()


def scale(values: Iterable[float], kind: str = "number", *, fine: bool = False) -> Scale:
    """The scale that fits the largest of the values; `fine` keeps a decimal, so that small parts of it can be told apart.

    >>> scale([1_261_000.0]).full(1_048_000)
    '1.05 m'
    """
    size = max((abs(v) for v in known(values)), default=0.0)
    if kind == "percent":
        return Scale(kind, 1, "", 0 if size >= 9.995 else 1)
    for divisor, word in words.scales():
        if size >= divisor * (10 if divisor == 1e3 else 1):
            return Scale(kind, divisor, word, (1 if fine else 0) if size / divisor >= 100 else 1 if size / divisor >= 10 else 2)
    return Scale(kind, 1, "", 0 if size >= 100 or all(v == round(v) for v in known(values)) else 1 if size >= 10 else 2)


def place(month: object) -> int:
    """A month as a whole number, so that months lie one apart.

    >>> place("2026-10") - place("2026-09")
    1
    """
    stamp = month if isinstance(month, pd.Timestamp) else pd.Timestamp(str(month))
    return stamp.year * 12 + stamp.month - 1


def named(position: int, spec: str = "mon") -> str:
    """The month at a place, as words: Oct 26."""
    return words.show(pd.Timestamp(position // 12, position % 12 + 1, 1), spec)


def month_ticks(first: int, last: int, room: float, anchor: int | None = None) -> list[int]:
    """Places of the months to name, evenly apart, the anchor among them, as many as the room in pixels holds."""
    if last <= first:
        return [first]
    apart = room / (last - first)  # pixels from one month to the next
    step = next((s for s in (1, 2, 3, 6, 12, 24, 36, 60, 120) if s * apart >= 46), last - first)
    anchor = first if anchor is None else anchor
    return [p for p in range(first, last + 1) if (p - anchor) % step == 0]


def by_month(df: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """Sums by month, every month from the first to the last: a month without rows, or with missing values only, is a gap.

    df       month, values
    returns  place (index), values
    """
    sums = df.groupby("month", sort=True)[list(values)].sum(min_count=1)
    sums.index = pd.Index([place(m) for m in sums.index], dtype="int64")
    return sums if sums.empty else sums.reindex(range(int(sums.index.min()), int(sums.index.max()) + 1))


def limits(values: Sequence[float]) -> tuple[float, float]:
    """From zero up (or down to the lowest), with a little air above."""
    found = known(values)
    low, high = min([0.0, *found]), max([0.0, *found])
    if low == high:
        return 0.0, NOTHING
    span = high - low
    return low - (0.04 * span if low < 0 else 0), high + 0.06 * span
