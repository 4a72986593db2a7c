"""One unit for the money of a table, and one number of decimals for each of its columns.

Numbers of a column can be compared at a glance only where they have the same unit and their decimals stand below each
other: 1,034.2 and 21.5 in Rp bn, not Rp 1.0 tn and Rp 21.5 bn. The unit stands in the header, or once for all columns.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sopnb import words

_WHOLE = 10_000  # a number of that many units needs no decimals
_FEW = 0.05  # of a unit: what is smaller would be lost in two decimals


@dataclass(frozen=True)
class Money:
    """How the money of one column is written: divided by `divisor`, with `digits` decimals, in `unit` (Rp bn)."""

    divisor: float
    unit: str
    digits: int

    def show(self, value: float, signed: bool) -> str:
        return words.number(value / self.divisor, f"{'+' if signed else ''},.{self.digits}f")


def money(columns: Mapping[str, Iterable[float]]) -> dict[str, Money]:
    """The unit of each column of money: one for all of them, but for a column that would be lost in it.

    columns   column: its amounts, sums among them
    returns   column: Money

    >>> money({"a": [1.0342e12, 2.15e10]})["a"].divisor
    1000000000.0
    """
    known = {name: [abs(v) for v in values if v == v and math.isfinite(v) and v] for name, values in columns.items()}
    divisor, word = _scale([v for values in known.values() for v in values])
    out = {}
    for name, values in known.items():
        own = (divisor, word) if not values or max(values) >= _FEW * divisor else _scale(values)
        out[name] = Money(own[0], f"{words.currency_sign()}\u00a0{own[1]}".rstrip("\u00a0"), _digits(values, own[0]))
    beside = [one.digits for name, one in out.items() if known[name] and one.divisor == divisor]
    return {name: one if known[name] or not beside else replace(one, digits=min(beside)) for name, one in out.items()}  # zeros are written as what stands beside them


def _scale(values: list[float]) -> tuple[float, str]:
    """The largest unit that leaves the usual amount visible; trillions and thousands only from ten of them on."""
    if not values:
        return 1.0, ""
    large, usual = max(values), statistics.median(values)
    for divisor, word in words.scales():
        enough = 10 if divisor >= 1e12 or divisor < 1e6 else 1
        if large >= divisor * enough and usual >= divisor * _FEW:
            return divisor, word
    return 1.0, ""


def _digits(values: list[float], divisor: float) -> int:
    size = max(values, default=0.0) / divisor
    if divisor == 1:
        return 0 if words.whole_money() or size >= 100 or all(v == round(v) for v in values) else 2
    return 0 if size >= _WHOLE else 1 if size >= 10 else 2
