"""What one cell of a notebook shows: sentences, figures and tables, one below the other, and what it speaks of.

    demand_page.how_much(…)     ->  Block: the answer as a sentence, then the figure, then the tables

A room whose name ends in `_page` holds the blocks of one notebook: it takes finished tables, computes nothing that
another step reads, and says what is missing where a table is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import Figure
from sopnb.svg import status_mark
from sopnb.tables import Table
from sopnb.words import Sentence, message


@dataclass(frozen=True)
class Note:
    """An explanation, for those who want it: small, behind what it explains; with a head only that shows until it is opened."""

    said: Sentence
    head: Sentence | None = None

    @property
    def text(self) -> str:
        return self.said.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = f'<p class="sm m">{self.said.html}</p>'
        if self.head is not None:
            shown = f'<details class="more"><summary><span class="f">{self.head.html}</span></summary>{shown}</details>'
        return {"text/html": shown, "text/plain": self.text}


@dataclass(frozen=True)
class Heading:
    """The question of a block inside a section, where a section answers more than one."""

    said: Sentence

    @property
    def text(self) -> str:
        return self.said.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": f"<h3>{self.said.html}</h3>", "text/plain": self.text}


Part = Sentence | Figure | Table | Note | Heading


@dataclass(frozen=True)
class Block:
    """Parts one below the other; shows itself in a notebook and on a page. Two blocks add up to one."""

    parts: tuple[Part, ...]

    @property
    def html(self) -> str:
        shown = [part._repr_mimebundle_()["text/html"] for part in self.parts]
        return "".join(f'<div class="bl" style="margin:0 0 24px">{part}</div>' for part in shown if part)

    @property
    def text(self) -> str:
        return "\n\n".join(part.text for part in self.parts if part.text)

    def __add__(self, other: Block) -> Block:
        return Block((*self.parts, *other.parts)) if isinstance(other, Block) else NotImplemented

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def block(*parts: Part | None) -> Block:
    """The parts there are, in this order; one that is None is left out."""
    return Block(tuple(part for part in parts if part is not None))


@dataclass(frozen=True)
class Scope:
    """What the blocks of a notebook speak of.

    cycle    the cycle's name, as 2026-10; origin: the last month known; as_of: the day
    months   the months planned; window: those of them spoken about
    lag      the lag at which plans are judged; lags: the decision lags
    names    item: its name; people: person: the name; places: location: its name
    """

    cycle: str
    origin: pd.Timestamp
    as_of: pd.Timestamp
    months: pd.DatetimeIndex
    window: pd.DatetimeIndex
    lag: int
    lags: Sequence[int]
    names: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def decision_lags(self) -> str:
        return ", ".join(map(str, self.lags))

    def item(self, codes: pd.Series) -> pd.Series:
        """Items by name; a code that has none stays."""
        return codes.map(self.names).fillna(codes)

    def person(self, codes: pd.Series) -> pd.Series:
        return codes.replace(dict(self.people))

    def place(self, codes: pd.Series) -> pd.Series:
        """Locations by name; a code that has none stays, and `all` is said in the reader's language."""
        return codes.map(lambda code: self.places.get(code) or words.term("location", code).text).astype(object)

    def at(self, item: object, location: object, places: Mapping[str, str] | None = None) -> str:
        """An item and where: Chilli Sauce 340 ml, Surabaya; the item alone where a company has one place."""
        name = self.names.get(str(item), str(item))
        return name if location == "all" else f"{name}, {(self.places if places is None else places).get(str(location), str(location))}"


def names(table: pd.DataFrame, key: str) -> dict[str, str]:
    """key: its name, of those that have one."""
    return dict(table.dropna(subset=["name"]).set_index(key)["name"]) if "name" in table.columns else {}


def missing(table: str) -> Sentence:
    """What a block says instead of its answer where a source is not handed over."""
    return words.say("Not available: {table}.", table=words.terms("source", [table]))


def told(prefix: str, ids: pd.Series) -> pd.Series:
    """A column of ids as the words stored under `prefix` + id, as sentences."""
    return (prefix + ids.astype(str)).map(message).astype(object)


def waiting(lag: int, cycles: int) -> str:
    """A lag at which nothing can be judged yet, and how many more cycles that takes."""
    return message("plan.wait" + {0: ".none", 1: ".one"}.get(cycles, ""), {"lag": lag, "n": cycles}).text


def marked(shape: str, word: Sentence | str) -> Sentence:
    """A word with its shape and colour, for a cell: on, watch, off, short (too little) or excess (too much)."""
    said = words.as_sentence(word)
    return Sentence(said.text, str(status_mark(shape, said.text)), said.markdown)


def short_day(day: pd.Timestamp) -> str:
    """A day for a narrow column, which does not break: 29 Sep."""
    return words.show(day, "shortday").replace(" ", "\u00a0")


def rough(value: float, digits: int = 3) -> float:
    """A count as a sentence says it, to so many figures: more would feign what nobody knows.

    >>> rough(466463), rough(-5249), rough(12)
    (466000.0, -5250.0, 12.0)
    """
    return float(f"{value:.{digits}g}")


def short_month(month: pd.Timestamp) -> str:
    """A month for a narrow column, which does not break: Oct 26."""
    return words.show(month, "mon").replace(" ", "\u00a0")
