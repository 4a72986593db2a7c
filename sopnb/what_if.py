"""What a scenario may change, and which words a change takes: read by `params` and by `scenarios`, imports nothing.

Every `by` is a fraction: 0.15 is 15 % more. Months are YYYY-MM; a standstill may begin on a day, and is so many weeks or so many
days. A lead time is multiplied by a factor, or so many days longer (shorter, below zero).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 5  # scenarios on one page
WHOM = ("family", "item", "location")
# kind: the words it must have, and those it may have
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "demand": (("by",), (*WHOM, "first", "last")),
    "price": (("by",), (*WHOM, "first", "last", "elasticity")),
    "cost": (("by",), ("family", "item")),
    "capacity": (("resource", "by"), ("first", "last")),
    "down": (("resource", "first"), ("weeks", "days")),
    "lead_time": ((), ("factor", "days", "supplier", "family", "item")),
    "event": (("event", "to"), ("effect",)),
    "setting": (("setting", "value"), ()),
}
NUMBERS = ("by", "elasticity", "weeks", "days", "factor", "effect", "value")
EITHER = {"down": ("weeks", "days"), "lead_time": ("factor", "days")}  # exactly one of them
LEAST = {"by": -1.0, "weeks": 0.0, "factor": 0.0}  # the number must be more, or for `by` at least that
WORDS = ("change", *dict.fromkeys(word for must, may in KINDS.values() for word in (*must, *may)))


def faults(kind: str, given: dict[str, object]) -> list[str]:
    """What is wrong with the words of one change, said plainly; empty where nothing is.

    >>> faults("down", {"resource": "Oven", "by": 0.1})
    ['down needs first', 'down takes no by: it takes resource, first, weeks, days', 'down needs one of weeks, days']
    """
    must, may = KINDS[kind]
    have = [word for word, value in given.items() if value is not None]
    lacking = [word for word in must if word not in have]
    extra = [word for word in have if word not in (*must, *may)]
    out = [f"{kind} needs {', '.join(lacking)}"] if lacking else []
    out += [f"{kind} takes no {', '.join(extra)}: it takes {', '.join((*must, *may))}"] if extra else []
    if kind in EITHER and sum(word in have for word in EITHER[kind]) != 1:
        out.append(f"{kind} needs one of {', '.join(EITHER[kind])}" if not set(EITHER[kind]) & set(have) else f"{kind} takes {' or '.join(EITHER[kind])}, not both")
    if kind == "lead_time" and not {"supplier", "family", "item"} & set(have):
        out.append("lead_time needs one of supplier, family, item")
    for word, least in LEAST.items():
        value = given.get(word)
        if isinstance(value, int | float) and (value < least or (value <= least and word != "by")):
            out.append(f"{word} is {value:g}; it must be {'at least' if word == 'by' else 'more than'} {least:g}")
    if kind == "down" and isinstance(given.get("days"), int | float) and given["days"] <= 0:  # type: ignore[operator]
        out.append(f"days is {given['days']:g}; it must be more than 0")
    if kind == "price" and isinstance(given.get("by"), int | float) and given["by"] <= -1:  # type: ignore[operator]
        out.append("a price cannot fall by all of itself")
    return out


def days_down(given: Mapping[str, Any]) -> int:
    """How many days a standstill takes.

    >>> days_down({"weeks": 1.5}), days_down({"days": 4})
    (10, 4)
    """
    return max(1, round(7 * float(given["weeks"]) if given.get("weeks") is not None else float(given["days"])))
