"""What the blocks of the front page share: the tables with their window of months, names, and one money scale a table."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import frames, words
from sopnb.formats import SCALES


@dataclass(frozen=True)
class Ground:
    """The saved tables, and the months the page is about.

    tables, past  as `front.facts` takes them
    cycle         the cycle month; the window is the `window` months from it on
    locations     location: name
    """

    tables: dict[str, pd.DataFrame]
    past: dict[str, pd.DataFrame]
    cycle: pd.Timestamp
    window: int
    locations: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> pd.DataFrame | None:
        """A table with rows, or None: an empty table has nothing to show."""
        df = self.tables.get(name)
        return df if df is not None and len(df) else None

    @property
    def months(self) -> pd.DatetimeIndex:
        """The plan's months in the window: fewer where the plan is shorter."""
        plan = self.get("plan")
        span = frames.months(self.cycle, self.window)
        return span if plan is None else span[span <= plan["month"].max()]

    @property
    def window_text(self) -> str:
        first, last = self.months[0], self.months[-1]
        return span_text(first, last, "month")

    def within(self, df: pd.DataFrame) -> pd.DataFrame:
        return df[df["month"].isin(self.months)]

    def last_plan(self) -> pd.DataFrame | None:
        """The plan of the cycle of the month before, this window's months; None where there was none."""
        plans = self.past.get("plan")
        if plans is None or plans.empty:
            return None
        last = plans[plans["cycle"] == frames.next_month(self.cycle, -1)]
        return self.within(last) if len(last) else None

    def families(self) -> pd.Series:
        """Family by item."""
        items = self.get("items")
        return pd.Series(dtype=object) if items is None else items.set_index("item")["family"]

    def item_name(self, item: object) -> str:
        items = self.get("items")
        if items is None or words.is_missing(item):
            return "" if words.is_missing(item) else str(item)
        found = items.loc[items["item"] == item, "name"]
        return str(found.iloc[0]) if len(found) and found.iloc[0] else str(item)

    def place(self, location: object) -> str:
        """A location's name; empty for the one location of a company that plans none."""
        return "" if words.is_missing(location) or location == "all" else self.locations.get(str(location)) or str(location)

    def person(self, owner: object) -> str:
        """A person's name where `people` knows it, else what was given."""
        if words.is_missing(owner):
            return ""
        people = self.get("people")
        if people is None:
            return str(owner)
        found = people.loc[people["person"] == owner, "name"]
        return str(found.iloc[0]) if len(found) else str(owner)


def rows_of(df: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dicts by column name."""
    return [{str(name): value for name, value in row.items()} for row in df.to_dict("records")]


@dataclass(frozen=True)
class Scale:
    """One unit for all amounts of a table, so that they can be compared by their length.

    >>> Scale.of([3.09e9, 16.2e9]).show(3.09e9)
    '3.1'
    """

    divisor: float
    label: str
    digits: int

    @classmethod
    def of(cls, amounts: object, money: bool = True) -> Scale:
        sizes = pd.Series(amounts, dtype="float64").abs()
        size = float(sizes.max()) if len(sizes.dropna()) else 0.0
        sign = words.currency_sign() if money else ""
        for divisor, name in SCALES[words.language()]:
            if size >= divisor:
                return cls(divisor, f"{sign} {name}".strip(), 2 if size / divisor < 10 else 1)
        if size >= 20_000:
            return cls(1e3, f"{sign} {words.message('front.thousand', {}).text}".strip(), 1)
        return cls(1.0, sign, 0)

    def show(self, amount: object, signed: bool = False) -> str:
        if words.is_missing(amount):
            return words.MISSING
        return words.number(float(amount) / self.divisor, f"{'+' if signed else ''},.{self.digits}f")  # type: ignore[arg-type]


def about(amount: float) -> float:
    """An amount as it is said in a sentence: three figures are enough where words name no scale. The tables stay exact.

    >>> about(484198.61), about(37449.0), about(512.4), about(8.17e9)
    (484000.0, 37400.0, 512.0, 8170000000.0)
    """
    if words.is_missing(amount) or not amount or abs(amount) >= 1e6:
        return amount
    return float(round(amount, 2 - math.floor(math.log10(abs(amount)))) if abs(amount) >= 100 else round(amount))


_MONEY = re.compile(r"\b(Rp|[A-Z]{3}) (?=[\d−])|(?<=\d) (?=(?:tn|bn|m|triliun|miliar|juta|h|pts)\b)")


def held(text: str) -> str:
    """An amount never breaks between its sign, its number and its scale: text or HTML with spaces that hold.

    >>> held("Rp 12.3 bn of sales")
    'Rp\\xa012.3\\xa0bn of sales'
    """
    return _MONEY.sub(lambda found: f"{found[1] or ''}\u00a0", text)


def span_text(first: object, last: object, spec: str = "mon") -> str:
    """Jan to Feb 27, or Jan 27 for one month (spec mon); January to February 2027 (month); empty where there is none."""
    if words.is_missing(first):
        return ""
    if words.is_missing(last) or first == last:
        return words.show(first, spec)
    begin = words.show(first, spec)
    if pd.Timestamp(first).year == pd.Timestamp(last).year:
        begin = begin.rsplit(" ", 1)[0]
    return words.message("front.span", {"first": begin, "last": words.show(last, spec)}).text
