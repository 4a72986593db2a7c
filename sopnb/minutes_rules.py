"""What of a meeting was not as its charter asks: too few came, somebody was missing again, nobody was entitled to decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

MEETINGS = 12  # over how many meetings absences are counted
ALIKE = {"obsolete": "excess", "late": "short"}  # who decides on the one decides on the other, unless said


def absences(came: pd.DataFrame, log: pd.DataFrame | None = None, *, cycle: Any) -> pd.DataFrame:
    """How often each mandatory role was neither there nor represented, of the last twelve meetings.

    came      frames.ATTENDANCE of this meeting
    log       the same of every meeting, with its month in `cycle`, as Ledger.attendance gives it; this and later ones
              are left out, since this meeting is `came`
    returns   frames.ABSENCES; a role that several mandatory people share is counted by person
    """
    month = frames.month(cycle)
    past = came.iloc[:0].assign(cycle=pd.NaT) if log is None else log[log["cycle"] < month]
    every = pd.concat([past, came.assign(cycle=month)], ignore_index=True) if len(past) else came.assign(cycle=month)
    last = np.sort(every["cycle"].unique())[-MEETINGS:]
    every = every[every["cycle"].isin(last)]
    must = came[came["mandatory"]]
    shared = set(must.loc[must["role"].duplicated(keep=False), "role"].dropna())
    rows = []
    for person, name, role, state in must[["person", "name", "role", "state"]].itertuples(index=False):
        by_role = isinstance(role, str) and role not in shared
        mine = every[every["role"] == role] if by_role else every[every["person"] == person]
        mine = mine[mine["mandatory"]]
        there = mine.groupby("cycle")["state"].agg(lambda states: (states != "absent").any())
        rows.append({"person": person, "name": name, "role": role, "missed": int((~there.astype(bool)).sum()), "meetings": len(there), "now": state == "absent"})
    return frames.conform(pd.DataFrame(rows, columns=frames.ABSENCES.names), frames.ABSENCES)


def findings(
    decisions: pd.DataFrame, came: pd.DataFrame, enough: Mapping[str, Any], missed: pd.DataFrame, *, people: pd.DataFrame | None = None,
    asked: pd.DataFrame | None = None, decides: Mapping[str, Sequence[str]] | None = None, unknown: Sequence[str] = (),
) -> pd.DataFrame:
    """What must be said of the meeting beside what it decided, by weight.

    decisions  frames.DECISIONS
    came       frames.ATTENDANCE
    enough     as `minutes_events.quorum` gives it
    missed     frames.ABSENCES
    asked      frames.ASKED: a decision that answers a question is for whoever was asked to decide it
    decides    the charter: kind of decision: roles; a decision that names its kind is for those
    unknown    actions that the minutes report on and the ledger does not know, being of before its time
    returns    frames.RECAP_FINDINGS: without a quorum (red), decided by somebody not entitled (red), by nobody's right
               (amber), by somebody who was not there (amber), mandatory roles missing (amber), what became of unknown actions
               (amber)

    A delegate decides in full: whoever stood in for an entitled person is entitled.
    """
    names = {} if people is None else dict(zip(people["person"], people["name"].fillna(people["person"]), strict=True))
    rows: list[tuple[str, str, dict[str, Any]]] = []
    if not enough["met"]:
        rows.append(("red", "quorum", {"there": enough["there"], "of": enough["of"]}))
        rows += [("red", "quorum_decision", {"decision": row["decision"], "title": row["title"]}) for row in decisions.to_dict("records")]
    for row in decisions.to_dict("records"):
        rows += _rights(row, came, asked, decides or {}, people, names)
    rows += [("amber", missed_rule(row),
              {"name": row["name"] or row["person"], "role": row["role"] or "–", "missed": int(row["missed"]), "meetings": int(row["meetings"])})
             for row in missed[missed["now"]].to_dict("records")]
    rows += [("amber", "unknown_action", {"action": action}) for action in unknown]
    df = pd.DataFrame([{
        "id": f"F{i:02d}", "source": "minutes", "rule": f"recap.finding.{rule}", "column": None, "rows": 1, "of_rows": max(len(decisions), 1),
        "amount": 0.0, "share": 0.0, "severity": severity, "first": values.get("decision") or values.get("name"),
        "values": json.dumps(values, ensure_ascii=False, sort_keys=True)} for i, (severity, rule, values) in enumerate(rows, start=1)],
        columns=frames.RECAP_FINDINGS.names)
    return frames.conform(df, frames.RECAP_FINDINGS)


def missed_rule(row: Mapping[str, Any]) -> str:
    """Which words fit somebody who was missing: again, for the first time, or at the only meeting there was."""
    return "absent" if row["missed"] > 1 else "absent_first" if row["meetings"] > 1 else "absent_only"


def _rights(row: Mapping[str, Any], came: pd.DataFrame, asked: pd.DataFrame | None, decides: Mapping[str, Sequence[str]], people: pd.DataFrame | None,
            names: Mapping[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Whether whoever decided was entitled to, and was there."""
    who, told = row["decided_by"], {"decision": row["decision"], "title": row["title"], "who": names.get(row["decided_by"], row["decided_by"])}
    out: list[tuple[str, str, dict[str, Any]]] = []
    allowed = _allowed(row, asked, decides, people)
    if allowed is not None and not allowed:
        out.append(("amber", "nobody", told))
    elif allowed is not None and who not in allowed | _stand_ins(came, allowed):
        out.append(("red", "entitled", {**told, "entitled": ", ".join(sorted(names.get(one, one) for one in allowed))}))
    away = set(came.loc[came["state"] != "present", "person"])
    if who in away:
        out.append(("amber", "away", told))
    return out


def _allowed(row: Mapping[str, Any], asked: pd.DataFrame | None, decides: Mapping[str, Sequence[str]], people: pd.DataFrame | None) -> set[str] | None:
    """Who may take the decision; None where nothing says which right it falls under, or nobody is known.

    The right is that of the question it answers, else the one it names.
    """
    if people is None:
        return None
    questions = {} if asked is None else {one["decision"]: one for one in asked.to_dict("records")}
    question = questions.get(row["asked"], {})
    kind = question.get("kind") or row.get("kind")
    if not question and not isinstance(kind, str):
        return None
    roles = decides.get(str(kind)) or decides.get(ALIKE.get(str(kind), "")) or []
    named = [question["decides"]] if isinstance(question.get("decides"), str) else []
    known = set(people["person"])
    return set().union(*({one} if one in known else with_role(people, one) for one in [*([roles] if isinstance(roles, str) else roles), *named]))


def with_role(people: pd.DataFrame, role: str) -> set[str]:
    """Everyone with this role; where nobody has it, those whose role holds the word."""
    roles = people["role"].fillna("").str.casefold()
    for fits in (roles == role.casefold(), roles.str.contains(role.casefold(), regex=False)):
        if fits.any():
            return set(people.loc[fits, "person"])
    return set()


def _stand_ins(came: pd.DataFrame, allowed: set[str]) -> set[str]:
    return set(came.loc[came["person"].isin(allowed) & (came["state"] == "delegated"), "delegate"].dropna())
