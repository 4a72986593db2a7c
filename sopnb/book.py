"""The KPI book: one function a measure, with its formula, unit, source, owner, version and a worked example.

A measure receives the tables its arguments name, and says what it divides by what, in all and by scope:

    returns  scope   numerator, denominator        scope is `all`, `family:…`, `location:…`, `lag:…`, `resource:…`

Rows without a denominator are left out: a measure that cannot be taken is absent, never zero. A measure that may
look back (`history`) sees of each month only what was known when that month ended.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import frames

VALUES = {
    "ratio": lambda n, d: n / d,
    "complement": lambda n, d: 1 - n / d,
    "over": lambda n, d: n / d - 1,
    "amount": lambda n, d: n,
}
AHEAD = 6  # months ahead that plan measures look at
QUARTER = 3
CLOSED = ("won", "lost")


@dataclass(frozen=True)
class Kpi:
    """One measure of the book."""

    id: str
    name: str
    function: Callable[..., pd.DataFrame | None]
    formula: str
    unit: str  # percent, money, days or ratio
    better: str  # higher, lower or zero
    owner: str
    source: str
    example: str
    gives: float
    value: str = "ratio"  # one of VALUES
    version: str = "1"
    measure: str = ""  # what is measured, in a few words, for a card
    history: bool = False  # may be computed for months before the first cycle
    digits: int = 1
    settings: dict[str, Any] = field(default_factory=dict)  # of the example

    @property
    def needs(self) -> list[str]:
        """The tables without which it is not available."""
        return [name for name, p in self._parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]

    @property
    def takes(self) -> list[str]:
        return [name for name, p in self._parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    @property
    def asks(self) -> list[str]:
        """The settings it uses."""
        return [name for name, p in self._parameters if p.kind is p.KEYWORD_ONLY]

    @property
    def _parameters(self) -> list[tuple[str, inspect.Parameter]]:
        return list(inspect.signature(self.function).parameters.items())


BOOK: dict[str, Kpi] = {}


def kpi(name: str, **about: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a measure into the book; its id is the function's name."""
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        about["example"] = inspect.cleandoc(about["example"])
        BOOK[function.__name__] = Kpi(function.__name__, name, function, **about)
        return function
    return enter


# --- what measures share ----------------------------------------------------------------------------------------------

def one(scope: str, numerator: Any, denominator: Any) -> pd.DataFrame:
    return pd.DataFrame({"scope": [scope], "numerator": [float(numerator)], "denominator": [float(denominator)]})


def scopes(rows: pd.DataFrame, items: pd.DataFrame | None) -> pd.DataFrame | None:
    """Sums of n and d in all, by family (where items have them) and by location (where there are several)."""
    if rows.empty or rows["d"].isna().all():
        return None
    parts = [one("all", rows["n"].sum(), rows["d"].sum())]
    if items is not None and items["family"].notna().any():
        parts.append(_by(rows, "family", rows["item"].map(items.set_index("item")["family"])))
    if rows["location"].nunique() > 1:
        parts.append(_by(rows, "location", rows["location"]))
    return pd.concat(parts, ignore_index=True)


def _by(rows: pd.DataFrame, name: str, key: pd.Series) -> pd.DataFrame:
    sums = rows.groupby(key.to_numpy())[["n", "d"]].sum()
    return pd.DataFrame({"scope": [f"{name}:{value}" for value in sums.index], "numerator": sums["n"].to_numpy(), "denominator": sums["d"].to_numpy()})


def end(month: pd.Timestamp) -> pd.Timestamp:
    return month + pd.offsets.MonthEnd(0)


def ahead(month: pd.Timestamp, count: int = AHEAD) -> list[pd.Timestamp]:
    return list(frames.months(frames.next_month(month), count))
