"""Scenarios as they are said, in the params file or in a notebook, held against the tables they speak of.

    scenarios.scenario("The oven stands still", scenarios.change("down", resource="Biscuit oven", first="2027-01-11", weeks=6))
    scenarios.read(c.params.scenarios)          what the params file says
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sopnb import frames, what_if
from sopnb.problems import Problem, Problems, nearest


@dataclass(frozen=True)
class Change:
    """One change: its kind and its words, see what_if.KINDS."""

    kind: str
    said: dict[str, Any] = field(default_factory=dict)

    def get(self, word: str, default: Any = None) -> Any:
        value = self.said.get(word)
        return default if value is None else value

    def __hash__(self) -> int:
        return hash((self.kind, tuple(sorted(self.said.items()))))


@dataclass(frozen=True)
class Scenario:
    """A name and its changes, in their order."""

    name: str
    changes: tuple[Change, ...]


def change(kind: str, **said: Any) -> Change:
    """One change of a scenario.

    kind     demand, price, cost   by (fraction), for family, item, location, from month first to month last
             price                 also elasticity: units follow as (1 + by) ^ elasticity
             capacity              by (fraction) of a resource's hours, from first to last
             down                  a resource stands still for so many weeks, or days, from the day (or month) first
             lead_time             × factor, or so many days more, of what a supplier brings, of a family or an item
             event                 moved to begin in the month `to`; effect (fraction) where none is stated
             setting               a number of the params file's supply block: setting, value; service.A for a class
    raises   Problems, all in one list, with the nearest valid name
    """
    if kind not in what_if.KINDS:
        raise Problems([Problem("change", f"no change is called {kind}", ", ".join(what_if.KINDS), nearest(kind, what_if.KINDS))])
    unknown = [Problem(f"change {kind}", f"no word is called {word}", ", ".join(_words(kind)), nearest(word, _words(kind))) for word in said if word not in what_if.WORDS]
    wrong = [Problem(f"change {kind}", fault) for fault in what_if.faults(kind, {k: v for k, v in said.items() if k in what_if.WORDS})]
    if unknown or wrong:
        raise Problems([*unknown, *wrong])
    return Change(kind, {word: value for word, value in said.items() if value is not None})


def scenario(name: str, *changes: Change) -> Scenario:
    """A name and its changes; more than one are added up in this order."""
    return Scenario(str(name), tuple(changes))


def read(given: Iterable[Any]) -> list[Scenario]:
    """Scenarios from the params file: models or mappings with name and changes."""
    plain = [one if isinstance(one, dict) else one.model_dump() for one in given]
    return [scenario(one["name"], *(change(c["change"], **{k: v for k, v in c.items() if k != "change"}) for c in one["changes"])) for one in plain]


def wrong(asked: Scenario, tables: Any, rules: Any) -> list[Problem]:
    """What a scenario names that the tables do not have, or cannot be changed; empty where it can be computed.

    tables   scenarios.Tables
    """
    months = sorted(tables.plan["month"].unique())
    return [problem for place, one in enumerate(asked.changes, start=1)
            for problem in [*_unknown(one, f"scenario {asked.name}, change {place}", tables, rules), *_outside(one, f"scenario {asked.name}, change {place}", months)]]


def _unknown(one: Change, where: str, tables: Any, rules: Any) -> list[Problem]:
    sold = tables.plan["item"].unique()
    items = tables.items if one.kind in ("cost", "lead_time") else tables.items[tables.items["item"].isin(sold)]
    known: dict[str, Sequence[Any]] = {"family": items["family"].dropna().unique(), "item": items["item"].unique(), "location": tables.plan["location"].unique()}
    out = [_no(where, word, one.said[word], known[word]) for word in what_if.WHOM if word in one.said and one.said[word] not in set(known[word])]
    if "resource" in one.said:
        out += _in(where, "resource", one.said["resource"], tables.hours, "capacity", "resource")
    if "supplier" in one.said:
        out += _in(where, "supplier", one.said["supplier"], tables.purchases, "purchases", "supplier")
    if one.kind == "event":
        out += _in(where, "event", one.said["event"], tables.events, "events", "event") or _no_effect(where, one, tables.events)
    if one.kind == "setting":
        out += _setting(where, one, rules)
    return out


def _in(where: str, word: str, value: Any, table: pd.DataFrame | None, source: str, column: str) -> list[Problem]:
    if table is None:
        return [Problem(where, f"names a {word}, and there is no table {source}", remedy=f"Map the source {source} in the params file, or leave the scenario out")]
    return [] if value in set(table[column]) else [_no(where, word, value, table[column].dropna().unique())]


def _no_effect(where: str, one: Change, events: pd.DataFrame) -> list[Problem]:
    row = events[events["event"] == one.said["event"]].iloc[0]
    if row["kind"] == "holiday":
        return [Problem(where, f"{one.said['event']} is a holiday, which cannot be moved", "a promotion, launch or other event")]
    if pd.isna(row["effect"]) and one.get("effect") is None:
        return [Problem(where, f"event {one.said['event']} states no effect", "effect: a fraction of the baseline, as 0.20", "Add `effect:` to the change, or to the event")]
    return []


def settings_of(rules: Any) -> dict[str, float]:
    """The numbers of the supply block that a scenario may change, those of a class as service.A."""
    out: dict[str, float] = {}
    for name, value in (rules.model_dump() if hasattr(rules, "model_dump") else vars(rules)).items():
        nested = {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
        out.update({key: inner for key, inner in nested.items() if isinstance(inner, int | float) and not isinstance(inner, bool)})
    return out


def _setting(where: str, one: Change, rules: Any) -> list[Problem]:
    allowed = settings_of(rules)
    if one.said["setting"] not in allowed:
        return [_no(where, "setting", one.said["setting"], list(allowed))]
    try:
        with_setting(rules, one.said["setting"], one.said["value"])
    except ValueError as error:
        return [Problem(where, f"supply.{one.said['setting']} cannot be {one.said['value']}: {str(error).splitlines()[-2 if len(str(error).splitlines()) > 2 else -1].strip()}")]
    return []


def with_setting(rules: Any, setting: str, value: float) -> Any:
    """The supply block with one number changed, checked as the params file is."""
    name, _, key = setting.partition(".")
    given = rules.model_dump()
    kept = int(value) if isinstance(given[name], int) and float(value).is_integer() else value
    return type(rules).model_validate({**given, name: {**given[name], key: value} if key else kept})


def _outside(one: Change, where: str, months: list[Any]) -> list[Problem]:
    try:
        first, last = (frames.month(str(one.said[word])) if word in one.said else None for word in ("first", "last"))
        to = frames.month(str(one.said["to"])) if "to" in one.said else None
    except ValueError:
        return [Problem(where, "a month cannot be read", "YYYY-MM, as 2027-01")]
    if len(months) and ((first is not None and first > months[-1]) or (last is not None and last < months[0]) or (one.kind == "down" and _ends(one) < months[0])
                        or (to is not None and not months[0] <= to <= months[-1])):
        return [Problem(where, f"lies outside the months planned, {months[0]:%Y-%m} to {months[-1]:%Y-%m}", remedy="Move its months, or take the scenario out")]
    return []


def _ends(one: Change) -> pd.Timestamp:
    return pd.Timestamp(str(one.said["first"])) + pd.Timedelta(days=what_if.days_down(one.said) - 1)


def _no(where: str, word: str, value: Any, allowed: Iterable[Any]) -> Problem:
    names = [str(name) for name in allowed]
    few = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return Problem(where, f"no {word} is called {value}", few, nearest(str(value), names))


def _words(kind: str) -> tuple[str, ...]:
    must, may = what_if.KINDS[kind]
    return (*must, *may)
