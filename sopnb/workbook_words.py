"""What the codes of a cycle's tables are called in its workbook: the words of the pages, looked up and never written again.

One lookup says for each column which messages tell its codes. Words begin with a capital in a cell, as cells do; the name of
a source and a code without words stand as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import words

# Column, or table and column where a column's codes mean something else there: the messages that tell it, tried in order.
PREFIXES: dict[str, tuple[str, ...]] = {
    "rule": ("supply.",),
    "message": ("supply.",),
    "kind": ("supply.kind.",),
    "asked.kind": ("meeting.kind_",),
    "messages.kind": ("workbook.order.",),
    "overrides_used.kind": ("workbook.given.",),
    "actions.state": ("status.state.", "recap.closed."),
    "assumptions.state": ("recap.assumption.",),
    "overrides_used.state": ("plan.state.",),
    "severity": ("checks.severity.",),
    "measure": ("workbook.measure.",),
    "basis": ("workbook.basis.",),
    "distribution": ("workbook.distribution.",),
    "status": ("words.",),
    "level": ("term.level.",),
    "location": ("term.location.",),
    "scope": ("term.family.", "plan.scope.", "plan.level.", "workbook.head."),
    "stream": ("plan.stream.",),
    "skill": ("plan.skill.",),
    "kpi": ("kpis.",),
}
TERMS = {"findings.source": "source", "set_aside.source": "source", "overrides_used.reason": "reason"}  # told by words.term
# Headings that the pages have as well; any other stands in workbook.yaml.
HEADS = {"plan": "plan.stream.", "choices": "meeting.", "options": "meeting."}
OWN = {"stock", "people"}  # what a page's table says in its caption: that it is a change


def coded(table: str, column: str) -> bool:
    """Whether the cells of a column are codes that have words."""
    return bool(_prefixes(table, column)) or f"{table}.{column}" in TERMS


def word(table: str, column: str, code: Any) -> Any:
    """A code in the reader's words; one without words, and what is no text, as it is.

    >>> word("proposed", "rule", "moq"), word("actions", "state", "done"), word("kpis", "status", None)
    ('Least order', 'Done', None)
    """
    if not isinstance(code, str) or not code:
        return code
    term = TERMS.get(f"{table}.{column}")
    if term:
        return words.term(term, code).text if term == "source" else capital(words.term(term, code).text)
    said = next((words.message(prefix + code).text for prefix in _prefixes(table, column) if prefix + code in words.MESSAGES), None)
    return code if said is None else capital(said)


def head(sheet: str, table: str, column: str) -> str:
    """A heading: the pages' where they have one, else this sheet's, else the column's usual one, else its name in words."""
    shared = [] if column in OWN else [f"{HEADS.get(table, 'workbook.head.' + sheet + '.')}{column}"]
    for one in (f"workbook.head.{sheet}.{column}", *shared, f"workbook.head.{column}"):
        if one in words.MESSAGES:
            return words.message(one).text
    return capital(column.replace("_", " "))


def scope(value: Any, places: Mapping[str, str]) -> Any:
    """`all`, a family, a place or a lag in words; of a scope with a colon the name after it.

    >>> scope("location:JKT", {"JKT": "Jakarta"}), scope("lag:3", {}), scope("all", {})
    ('Location: Jakarta', '3 months ahead', 'All')
    """
    kind, _, name = str(value).partition(":")
    if kind == "lag" and name.isdecimal():
        return capital(words.message("kpis.lag.one" if name == "1" else "kpis.lag", {"lag": int(name)}).text)
    said = word("kpis", "scope", kind)
    return f"{said}: {places.get(name, name)}" if name else said


def keys(rows: pd.DataFrame, people: Mapping[str, str]) -> Sequence[Any]:
    """Whose or what's value added it is: a person's name, a reason, a size of override, a family, or all.

    rows     scope, key
    """
    def told(scope: str, key: Any) -> Any:
        if scope == "owner":
            return people.get(key, key)
        return word("overrides_used", {"reason": "reason", "size": "state"}[scope], key) if scope in ("reason", "size") else word("kpis", "scope", key) if key == "all" else key

    return [told(scope, key) for scope, key in zip(rows["scope"], rows["key"], strict=True)]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _prefixes(table: str, column: str) -> tuple[str, ...]:
    return PREFIXES.get(f"{table}.{column}") or PREFIXES.get(column, ())
