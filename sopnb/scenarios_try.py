"""Changes typed into a cell of the supply notebook, beside the plan as it is: for whoever sits at it and asks "what if?".

    typed = [dict(change="lead_time", supplier="Glassworks", days=14)]
    scenarios_try.run(typed, tables, rules, found=found, as_of=c.as_of)     the plan and the try, or all that is to mend

The words are those of `scenarios:` in the params file, see what_if.KINDS, so that what deserves the meeting can be copied there.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from sopnb import frames, scenarios, what_if
from sopnb.problems import Problem, Problems
from sopnb.scenarios_read import Change, change, scenario, settings_of, wrong

TRIED = "tried"
AHEAD = 3  # months before an example begins: what is nearer is ordered already


class Tried(NamedTuple):
    """What `run` returns.

    found      scenarios.Found of the plan and what was tried; None: something is to mend, or there is no plan
    problems   everything that is to mend, in one list
    examples   a change of each kind that these tables allow, where nothing, or something wrong, was typed
    typed      whether `found` is of what was typed; else it is the first scenario of the params file
    """

    found: scenarios.Found | None
    problems: list[Problem]
    examples: list[Change]
    typed: bool


def run(typed: Any, given: scenarios.Tables | None, rules: Any, *, found: scenarios.Found | None = None, **settings: Any) -> Tried:
    """What was typed, planned as the plan of supply is.

    typed      changes as dict(change=…, …), a list of them or one alone; they happen together
    given      the tables; None: there is no plan, or nobody looks
    found      what is computed of the params file's scenarios already: its base is not made again, and its first scenario stands in where nothing is typed
    settings   of scenarios.run: as_of, lot_rule, made …
    """
    if given is None:
        return Tried(None, [], [], False)
    if not typed:
        return Tried(_first(found), [], examples(given, rules, found), False)
    changes, problems = read(typed, given, rules)
    if problems:
        return Tried(None, problems, examples(given, rules, found), True)
    base = None if found is None else found.plans[scenarios.BASE]
    return Tried(scenarios.run([scenario(TRIED, *changes)], given, rules, base=base, **settings), [], [], True)


def _first(found: scenarios.Found | None) -> scenarios.Found | None:
    """The base and the first scenario of what is computed; None where there is none."""
    if found is None or len(found.measures) < 2:
        return None
    name = found.measures["scenario"].iloc[1]
    parts, changes = (table[table["scenario"] == name].reset_index(drop=True) for table in (found.parts, found.changes))
    return scenarios.Found(found.measures.iloc[:2], parts, changes, found.left_out.iloc[:0], {one: found.plans[one] for one in (scenarios.BASE, name)})


# --- what was typed ---------------------------------------------------------------------------------------------------

def read(typed: Any, given: scenarios.Tables, rules: Any) -> tuple[list[Change], list[Problem]]:
    """The changes that were typed, and everything that is wrong with them, in one list."""
    rows = list(typed) if isinstance(typed, list | tuple) else [typed]
    changes, problems = [], []
    for place, row in enumerate(rows, start=1):
        one, faults = _one(row)
        faults += [] if one is None else wrong(scenario(TRIED, one), given, rules)
        kind = row.get("change") if isinstance(row, Mapping) else None
        where = f"change {place}" + (f", {kind}" if isinstance(kind, str) and kind in what_if.KINDS else "")
        problems += [replace(fault, where=where, remedy=fault.remedy or "Mend it and run the cell again") for fault in faults]
        changes += [] if one is None or faults else [one]
    return changes, problems


def _one(row: Any) -> tuple[Change | None, list[Problem]]:
    """The change as far as it can be read, so that its names can be looked up even where a number is wrong; and what is wrong."""
    if not isinstance(row, Mapping):
        return None, [Problem("", f"{row!r} is no change", 'dict(change="demand", by=0.10) and the like')]
    kind, given = row.get("change"), {str(word): value.isoformat() if isinstance(value, dt.date) else value for word, value in row.items() if word != "change" and value is not None}
    if kind is None:
        return None, [Problem("", "says no kind of change", ", ".join(what_if.KINDS), "Begin with change=")]
    faults = [Problem("", f"{word} is {value!r}, which is no number", _number(word)) for word, value in given.items() if word in what_if.NUMBERS and not _is_number(value)]
    faults += [Problem("", f"{word} is {value!r}, which is no text", f'{word}="…"') for word, value in given.items()
               if word in what_if.WORDS and word not in what_if.NUMBERS and not isinstance(value, str)]
    doubted = {fault.wrong.split(" ", 1)[0] for fault in faults}
    readable = {word: 1.0 if word in doubted else value for word, value in given.items() if word not in doubted or word in what_if.NUMBERS}
    try:
        return change(str(kind), **readable), faults
    except Problems as error:
        must, may = what_if.KINDS.get(str(kind), ((), ()))
        kept = {word: value for word, value in readable.items() if word in (*must, *may)}
        return (Change(str(kind), kept) if kept and not what_if.faults(str(kind), kept) else None), [*faults, *error.problems]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(word: str) -> str:
    return "a fraction: 0.10 is 10% more, -0.10 is 10% less" if word in ("by", "effect") else "a number"


# --- what may be typed ------------------------------------------------------------------------------------------------

def examples(given: scenarios.Tables, rules: Any, found: scenarios.Found | None = None) -> list[Change]:
    """A change of each kind that these tables allow, by the names that weigh most: ready to be tried."""
    months = [pd.Timestamp(month) for month in sorted(given.plan["month"].unique())]
    begins = months[min(AHEAD, len(months) - 1)]
    first = f"{begins:%Y-%m}"
    families = list(given.plan.groupby(given.plan["item"].map(given.items.set_index("item")["family"]))["revenue"].sum().sort_values(ascending=False, kind="stable").index)
    largest = {"family": families[0]} if families else {}
    said: list[tuple[str, dict[str, Any]]] = [("demand", {**largest, "by": 0.10, "first": first}), ("price", {**largest, "by": 0.05, "first": first}), ("cost", {**largest, "by": 0.05})]
    resource, peak = _fullest(given, found, begins)
    if resource is not None:
        said += [("down", {"resource": resource, "first": f"{peak:%Y-%m-%d}", "days": 10}), ("capacity", {"resource": resource, "by": 0.10, "first": first})]
    supplier = _heaviest(given)
    said += [("lead_time", {**({"supplier": supplier} if supplier else largest), "days": 14}), *_movable(given, months), *_target(rules)]
    ready = [change(kind, **words) for kind, words in said if not what_if.faults(kind, words)]
    return [one for one in ready if not wrong(scenario(TRIED, one), given, rules)]


def line(one: Change) -> str:
    """A change as it is typed.

    >>> line(change("down", resource="Oven", first="2027-02-01", days=10))
    'dict(change="down", resource="Oven", first="2027-02-01", days=10)'
    """
    return "dict(" + ", ".join(f"{word}={json.dumps(value, ensure_ascii=False)}" for word, value in {"change": one.kind, **one.said}.items()) + ")"


def _fullest(given: scenarios.Tables, found: scenarios.Found | None, begins: pd.Timestamp) -> tuple[str | None, pd.Timestamp]:
    """The resource with the highest load and its month; the first one where no load is known."""
    if given.hours is None or given.hours.empty:
        return None, begins
    peak = None if found is None else found.plans[scenarios.BASE].measures
    if peak is not None and peak["peak_resource"] is not None and peak["peak_resource"] in set(given.hours["resource"]):
        return str(peak["peak_resource"]), pd.Timestamp(peak["peak_month"])
    return str(given.hours["resource"].iloc[0]), begins


def _heaviest(given: scenarios.Tables) -> str | None:
    """The supplier of most that is planned with: who last brought most items."""
    if given.purchases is None or given.purchases["supplier"].dropna().empty:
        return None
    last = given.purchases.sort_values(["ordered", "order"], kind="stable").drop_duplicates("item", keep="last")
    return str(last["supplier"].value_counts(sort=False).sort_index().idxmax())


def _movable(given: scenarios.Tables, months: Sequence[pd.Timestamp]) -> list[tuple[str, dict[str, Any]]]:
    """The first event to come that states its effect, a month later."""
    if given.events is None or given.events.empty:
        return []
    coming = given.events[(given.events["kind"] != "holiday") & given.events["effect"].notna() & (given.events["start"] >= months[0])].sort_values("start", kind="stable")
    later = [(event, frames.next_month(start.replace(day=1))) for event, start in zip(coming["event"], coming["start"], strict=True)]
    return [("event", {"event": str(event), "to": f"{to:%Y-%m}"}) for event, to in later[:1]]


def _target(rules: Any) -> list[tuple[str, dict[str, Any]]]:
    """Half as many shortages allowed in the first service class."""
    known = {name: value for name, value in settings_of(rules).items() if name.startswith("service.") and 0 < value < 1}
    return [("setting", {"setting": name, "value": round(1 - (1 - value) / 2, 4)}) for name, value in list(known.items())[:1]]
