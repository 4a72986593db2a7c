"""The log of assumptions: what the plan rests on, with owner and date, and whether it held.

The params file states what the log begins with; what meetings and people said since stands in the ledger, whose later word
counts. An assumption is open until somebody says that it held, failed, or is dropped because it no longer matters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

STATES = ("open", "held", "failed", "dropped")
STATED = "1970-01-01"  # the day of what the params file states: before anything that the ledger can say
ORIGIN = "params"


def stated(given: Iterable[Mapping[str, Any]], *, cycle: str) -> list[dict[str, Any]]:
    """What the params file assumes, as events that the ledger reads as if they were recorded first.

    given    id (None: made from the text, so that it stays when others are struck out), text, if_not, amount, owner, made, due
    returns  events as Ledger.events takes them in `plus`
    """
    return [{"kind": "assume", "subject": one.get("id") or named(one["text"]), "day": STATED, "cycle": cycle, "origin": ORIGIN, "who": "",
             "payload": {name: _plain(one.get(name)) for name in ("text", "if_not", "amount", "owner", "made", "due")}} for one in given]


def named(text: str) -> str:
    """A number for an assumption that was given none: the same for the same words.

    >>> named("Lebaran is on 10 March 2027")
    'S-9eee'
    """
    return "S-" + hashlib.sha256(" ".join(text.split()).casefold().encode()).hexdigest()[:4]


def _plain(value: Any) -> Any:
    return None if value is None or value == "" else value if isinstance(value, int | float) else str(value)


def log(assumptions: pd.DataFrame, *, as_of: Any, within_days: int = 90) -> pd.DataFrame:
    """The log as it is read: what is still to be judged first, then what failed, then the rest; each by money.

    assumptions  frames.ASSUMPTIONS, as Ledger.assumptions gives it
    within_days  days after which one without a date should have been judged
    returns      the same with age_days (since it was made; missing where nobody said when) and overdue_days (0 unless it is open
                 and its day is past)
    """
    today = pd.Timestamp(as_of)
    assumptions = assumptions.assign(made_on=assumptions["made_on"].where(assumptions["made_on"] > pd.Timestamp(STATED)))  # nobody said when
    due = assumptions["due"].fillna(assumptions["made_on"] + pd.Timedelta(days=within_days))
    late = (today - due).dt.days.clip(lower=0).where(assumptions["state"] == "open", 0).fillna(0).astype("int64")
    out = assumptions.assign(age_days=(today - assumptions["made_on"]).dt.days.astype("float64"), overdue_days=late)
    order = out.assign(rank=out["state"].map({"failed": 0, "open": 1, "held": 2, "dropped": 3}), size=out["amount"].abs().fillna(0.0))
    return order.sort_values(["rank", "size", "assumption"], ascending=[True, False, True], kind="stable").drop(columns=["rank", "size"]).reset_index(drop=True)


def at_stake(log: pd.DataFrame, state: str = "failed") -> float:
    """Money of those in a state, signed as it was stated: what the plan loses where it is below zero."""
    return float(log.loc[log["state"] == state, "amount"].fillna(0.0).sum())


def next_number(taken: Sequence[str]) -> str:
    """The next free number.

    >>> next_number(["S1", "S2", "S-9eee"])
    'S3'
    """
    return next(name for i in range(1, len(taken) + 2) if (name := f"S{i}") not in set(taken))
