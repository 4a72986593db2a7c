"""The meeting as it was held, all of it: what 06 shows and saves, and what the recap's mail is made from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import frames, minutes_events, minutes_rules
from sopnb.minutes import Known, Minutes, action_id

Tables = dict[str, pd.DataFrame]


def known(
    people: pd.DataFrame | None, everything: pd.DataFrame, *, asked: pd.DataFrame | None = None, assumptions: pd.DataFrame | None = None,
    measures: Collection[str] | None = None, rights: Collection[str] | None = None, stand_for: int = 1,
) -> Known:
    """What the minutes of a meeting may speak of: the people, the ledger's actions, the decisions asked for, the measures, the charter's rights."""
    return Known(people, minutes_events.known(everything), None if asked is None else set(asked["decision"]), measures,
                 None if assumptions is None else set(assumptions["assumption"]), rights or None, stand_for)


def after(
    minutes: Minutes | None, people: pd.DataFrame | None = None, *, everything: pd.DataFrame, log: pd.DataFrame, actions: pd.DataFrame,
    asked: pd.DataFrame | None = None, assumptions: pd.DataFrame | None = None, share: float = 0.5, decides: Mapping[str, Sequence[str]] | None = None,
) -> Tables:
    """The tables of the recap; actions alone where the meeting has not been held.

    minutes      as read
    everything   all events of the ledger, those no longer holding included (Ledger.everything)
    log          who came to every meeting (Ledger.attendance)
    actions      as they stand after the meeting
    asked        frames.ASKED;  assumptions: frames.ASSUMPTIONS as they stood before
    share        of those who must come, from which there is a quorum
    decides      the charter: kind of decision: roles
    returns      attendance, absences, decisions, minutes, held (one row), recap_findings, recap_changes, assumptions_said,
                 actions_after
    """
    if minutes is None:
        return {"actions_after": actions}
    came, decided = minutes_events.attendance(minutes, people), minutes_events.decisions(minutes)
    enough = minutes_events.quorum(came, share=share)
    missed = minutes_rules.absences(came, log, cycle=minutes.cycle)
    revision, first = minutes_events.revision(everything, minutes_events.events(minutes, people), origin=minutes.origin)
    names = {} if people is None else dict(zip(people["person"], people["name"], strict=True))
    changed = pd.DataFrame(minutes_events.changes(first, minutes_events.events(minutes, people), names, _titles(everything)) if first else [], columns=["rule", "values"])
    tables = {
        "attendance": came, "absences": missed, "decisions": decided, "minutes": minutes_events.points(minutes),
        "held": _held(minutes, log, enough, revision),
        "recap_findings": minutes_rules.findings(decided, came, enough, missed, people=people, asked=asked, decides=decides, unknown=_unknown(minutes, everything)),
        "recap_changes": frames.conform(changed.assign(position=range(1, len(changed) + 1)), frames.RECAP_CHANGES),
        "assumptions_said": minutes_events.assumptions(minutes, assumptions),
    }
    return {**tables, "actions_after": actions}


def _titles(everything: pd.DataFrame) -> dict[str, str]:
    """What the ledger's actions are about."""
    made = everything[everything["kind"] == "add"] if len(everything) else everything
    return {str(row["subject"]): title for row in made.to_dict("records") if (title := json.loads(str(row["payload"])).get("title"))}


def _unknown(minutes: Minutes, everything: pd.DataFrame) -> list[str]:
    """Actions reported on that neither the ledger nor these minutes made: of before the ledger's time."""
    there = minutes_events.known(everything) | {action_id(minutes.cycle, one) for one in minutes.actions["id"]}
    return sorted(set(minutes.updates["action"]) - there)


def _held(minutes: Minutes, log: pd.DataFrame, enough: Mapping[str, Any], revision: int) -> pd.DataFrame:
    """The meeting in one row; the one before it is that of the last earlier cycle."""
    earlier = log.loc[log["cycle"] < frames.month(minutes.cycle), "held_on"]
    return frames.conform(pd.DataFrame([{
        "cycle": frames.month(minutes.cycle), "held_on": minutes.held_on, "chair": minutes.chair, "next_meeting": minutes.next_meeting,
        "before_on": earlier.max() if len(earlier) else pd.NaT, "revision": revision, "there": enough["there"], "of_people": enough["of"], "quorum_met": bool(enough["met"]),
    }]).astype({"next_meeting": "datetime64[ns]", "before_on": "datetime64[ns]"}), frames.HELD)
