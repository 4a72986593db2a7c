"""What a meeting leaves behind: its minutes as tables, and as events for the ledger.

    attendance, decisions, points, assumptions   tables of the recap
    events, record                               what the ledger takes
    revision, changes                            how often the minutes were corrected, and what they say otherwise
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames
from sopnb.minutes import Minutes, action_id

VERBS = {"started": "start", "done": "done", "dropped": "drop", "moved": "move", "open": "move"}
DAYS = ["made_on", "due", "judged_on"]
NAMED = ("name", "role", "mandatory")  # of a person: who he is, not what was said of the meeting


def attendance(minutes: Minutes, people: pd.DataFrame | None = None) -> pd.DataFrame:
    """Who came: everyone in the minutes, and who must come and does not stand in them (absent).

    people    person   name, role, mandatory; None: nobody is mandatory
    returns   frames.ATTENDANCE
    """
    listed = minutes.attendance
    known = (frames.empty(frames.PEOPLE) if people is None else people).set_index("person")
    silent = [person for person in known.index[known["mandatory"]] if person not in set(listed["person"])]
    rows = pd.concat([listed, pd.DataFrame({"person": silent, "state": "absent", "delegate": None})], ignore_index=True) if silent else listed.copy()
    rows["name"] = rows["person"].map(known["name"])
    rows["role"] = rows["person"].map(known["role"])
    rows["mandatory"] = rows["person"].map(known["mandatory"]).eq(True)
    return frames.conform(rows, frames.ATTENDANCE)


def missing(attendance: pd.DataFrame) -> pd.DataFrame:
    """Who had to come, did not, and sent nobody."""
    return attendance[attendance["mandatory"] & (attendance["state"] == "absent")]


def quorum(attendance: pd.DataFrame, *, share: float) -> dict[str, Any]:
    """Whether enough of those who must come were there in person or by a delegate.

    returns  there, of, share, met; of everyone listed where nobody is mandatory
    """
    asked_for = attendance[attendance["mandatory"]] if attendance["mandatory"].any() else attendance
    there = int((asked_for["state"] != "absent").sum())
    actual = there / len(asked_for) if len(asked_for) else 0.0
    return {"there": there, "of": len(asked_for), "share": actual, "met": bool(len(asked_for)) and actual >= share}


def decisions(minutes: Minutes) -> pd.DataFrame:
    """The decisions of a meeting: frames.DECISIONS, numbered beyond the meeting (2026-09-D1)."""
    out = minutes.decisions.rename(columns={"id": "decision"})
    return frames.conform(out.assign(decision=[action_id(minutes.cycle, one) for one in out["decision"]]), frames.DECISIONS)


def points(minutes: Minutes) -> pd.DataFrame:
    """What was talked about: frames.MINUTES."""
    out = minutes.points.assign(position=np.arange(1, len(minutes.points) + 1))
    return frames.conform(out.assign(point=[f"P{i:02d}" for i in out["position"]]), frames.MINUTES)


def assumptions(minutes: Minutes, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """The assumptions the meeting spoke of, as they stand after it: frames.ASSUMPTIONS.

    known     assumption   text, if_not, amount, owner, made_on, state: as they stood before; None: none
    """
    before = {} if known is None else {row["assumption"]: row for row in _records(known)}
    rows = []
    for row in _records(minutes.assumptions):
        was = before.get(row["id"], {})
        kept = {name: was.get(name) if _plain(row[name]) is None else row[name] for name in ("text", "if_not", "amount", "owner", "due")}
        made = was.get("made_on", minutes.held_on) if pd.isna(row["made"]) else row["made"]
        judged = row["state"] is not None
        rows.append({**kept, "assumption": row["id"], "made_on": made, "state": row["state"] or was.get("state") or "open", "note": row["note"],
                     "judged_on": pd.NaT if not judged else minutes.held_on if pd.isna(row["on"]) else row["on"]})
    df = pd.DataFrame(rows, columns=frames.ASSUMPTIONS.names)
    df[DAYS] = df[DAYS].apply(pd.to_datetime)
    return frames.conform(df, frames.ASSUMPTIONS)


def events(minutes: Minutes, people: pd.DataFrame | None = None) -> list[dict[str, Any]]:
    """What the minutes bring to the ledger. All of it is known from the day of the meeting on.

    returns  kind, subject, day, cycle, origin, who, payload: as Ledger.record takes them
    """
    def event(kind: str, subject: str, /, **payload: Any) -> dict[str, Any]:
        given = {name: _plain(value) for name, value in payload.items()}
        return {"kind": kind, "subject": subject, "day": f"{minutes.held_on:%Y-%m-%d}", "cycle": minutes.cycle, "origin": minutes.origin,
                "who": minutes.chair or "", "payload": {name: value for name, value in given.items() if value is not None}}

    spoken = [{name: _plain(value) for name, value in row.items() if _plain(value) is not None} for row in _records(minutes.points)]
    out = [event("held", minutes.cycle, chair=minutes.chair, next_meeting=minutes.next_meeting, points=spoken)]
    for row in _records(attendance(minutes, people)):
        out.append(event("attend", row.pop("person"), **row))
    for row in _records(decisions(minutes)):
        out.append(event("decide", row.pop("decision"), **row))
    for row in _records(minutes.actions):
        source = row["source"] and action_id(minutes.cycle, row["source"])
        out.append(event("add", action_id(minutes.cycle, row.pop("id")), **{**row, "source": source}))
    for row in _records(minutes.updates):
        out.append(event(VERBS[row.pop("state")], row.pop("action"), **row))
    for row in _records(minutes.assumptions):
        subject, verdict = row.pop("id"), {name: row.pop(name) for name in ("state", "on", "note")}
        out += [event("assume", subject, **row)] if row["text"] else []
        out += [event("judge", subject, **verdict)] if verdict["state"] else []
    return out


def known(events: pd.DataFrame) -> set[str]:
    """The actions that were ever added: those that minutes may speak of. None before the first."""
    return set(events.loc[events["kind"] == "add", "subject"])


def record(ledger: Any, minutes: Minutes, people: pd.DataFrame | None = None) -> int:
    """Bring the meeting into the ledger; minutes corrected since replace what they said before.

    returns  how many events were new
    """
    return ledger.record(events(minutes, people), whole=minutes.origin)


# --- corrected minutes ----------------------------------------------------------------------------------------------

def revision(everything: pd.DataFrame, events: list[dict[str, Any]], *, origin: str) -> tuple[int, list[dict[str, Any]]]:
    """How often these minutes were corrected, and one; and what they said at first.

    everything  all events of the ledger, those no longer holding included
    events      what the minutes say now; recorded or not
    returns     1 and nothing for minutes said once; minutes that say the same in other words of ours are no correction
    """
    mine = everything[everything["origin"] == origin]
    by_id = {row.id: row for row in mine[mine["kind"] != "revision"].itertuples(index=False)}
    told = [[_said(by_id[one]) for one in json.loads(str(note.payload))["holds"] if one in by_id] for note in mine[mine["kind"] == "revision"].itertuples(index=False)]
    distinct: list[list[dict[str, Any]]] = []
    for version in [*told, events]:
        if not distinct or changes(distinct[-1], version):
            distinct.append(version)
    return len(distinct), distinct[0] if len(distinct) > 1 else []


def _said(row: Any) -> dict[str, Any]:
    return {"kind": row.kind, "subject": row.subject, "day": f"{row.day:%Y-%m-%d}", "payload": json.loads(str(row.payload))}


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]], people: Mapping[str, str] | None = None, titles: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """What corrected minutes say otherwise, in the order of the events: a sentence for each thing a reader can name.

    before, after   events, as `events` gives them
    people          person: name
    titles          action: what it is about, for those of earlier meetings
    returns         rule (message id) and values (JSON) each

        before                       after                        rule                         values
        decide D1 (Run)  option A    decide D1 (Run)  option B    recap.change.decide.option   what Run, was A, now B
        —                            add A2 (Call)                recap.change.action.added    what Call
    """
    names, known = people or {}, dict(titles or {})
    was, now = ({(one["kind"], one["subject"]): one for one in said} for said in (before, after))
    known |= {subject: told["title"] for said in (was, now) for (kind, subject), one in said.items() for told in [one["payload"]] if kind in ("add", "decide") and told.get("title")}
    out: list[tuple[str, dict[str, Any]]] = []
    for key in [*now, *(key for key in was if key not in now)]:
        told = {} if key not in now else _content(now[key])
        earlier = {} if key not in was else _content(was[key])
        if key in was and "points" not in earlier:  # recorded before the ledger kept what was said
            told.pop("points", None)
        if told == earlier and key in now and key in was:
            continue
        kind = KIND_WORDS.get(key[0], "update")
        what = _about(key, told or earlier, names, known)
        if key not in was or key not in now:
            verb = f".{key[0]}" if kind == "update" else ""
            out.append((f"recap.change.{kind}{verb}.{'gone' if key in was else 'added'}", {"what": what}))
        else:
            out += _attended(what, earlier, told, names) if kind == "attend" else _fields(kind, what, earlier, told, names)
    return [{"rule": rule, "values": json.dumps(values, ensure_ascii=False, sort_keys=True)} for rule, values in out]


KIND_WORDS = {"held": "held", "attend": "attend", "decide": "decide", "add": "action", "assume": "assumption", "judge": "assumption"}
PEOPLE = ("owner", "decided_by", "chair")
DATES = ("due", "judged", "next_meeting", "on", "day", "made")
SPOKEN = {  # what has a sentence of its own where it was said before and is said now
    "held": ("day", "chair", "next_meeting"), "decide": ("title", "option", "decided_by", "judged"), "action": ("title", "owner", "due", "amount"),
    "update": ("due",), "assumption": ("text", "owner", "amount", "state")}
UNSAID = ("effect", "effect_kpi", "kind", "asked", "source", "made")  # too much for a sentence: it stands in the tables below


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says: its payload, without who a person is; of the meeting itself its day too."""
    said = {name: value for name, value in event["payload"].items() if name not in NAMED}
    return {**said, "day": str(event["day"])[:10]} if event["kind"] == "held" else said


def _about(key: tuple[str, str], said: Mapping[str, Any], names: Mapping[str, str], titles: Mapping[str, str]) -> str:
    kind, subject = key
    if kind == "attend":
        return names.get(subject, subject)
    return str(said.get("title") or said.get("text") or titles.get(subject) or subject)


def _attended(what: str, was: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Whether a person was there, and who stood in."""
    return [(f"recap.change.attend.{now.get('state')}", {"what": what, "now": names.get(str(now.get("delegate")), now.get("delegate") or "")})]


def _fields(kind: str, what: str, was: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """A sentence for each field; one for all that need more than a sentence."""
    out: list[tuple[str, dict[str, Any]]] = []
    for name in [one for one in dict.fromkeys([*now, *was]) if now.get(one) != was.get(one)]:
        if name == "points":
            out += _points(was.get(name) or [], now.get(name) or [])
            continue
        values = {"what": what, "was": _shown(name, was.get(name), names), "now": _shown(name, now.get(name), names)}
        form = ".day" if name in DATES else ".money" if name == "amount" else ""
        if name in UNSAID:
            out.append((f"recap.change.{kind}.changed", {"what": what}))
        elif was.get(name) is not None and now.get(name) is not None and name in SPOKEN[kind]:
            state = f".{values['now']}" if name == "state" else ""
            out.append((f"recap.change.{kind}.{name}{state}", values))
        else:
            one = "more" if was.get(name) is None else "less" if now.get(name) is None else "said"
            out.append((f"recap.change.{one}{form}", {key: value for key, value in values.items() if value is not None}))
    return [one for i, one in enumerate(out) if one not in out[:i]]


def _points(was: list[Any], now: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Points talked about, by what they are called."""
    old, new = ({str(point.get("topic")): str(point.get("discussion") or "") for point in points} for points in (was, now))
    out: list[tuple[str, dict[str, Any]]] = []
    for topic in dict.fromkeys([*new, *old]):
        values = {"what": topic, "was": old.get(topic, ""), "now": new.get(topic, "")}
        if values["was"] != values["now"] or (topic in new) != (topic in old):
            out.append((f"recap.change.point.{'gone' if not values['now'] else 'added' if not values['was'] else 'changed'}", values))
    return out


def _shown(name: str, value: Any, names: Mapping[str, str]) -> Any:
    return names.get(str(value), value) if name in PEOPLE else value


# --- small things ---------------------------------------------------------------------------------------------------

def _records(df: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in df.to_dict("records")]


def _plain(value: Any) -> Any:
    """A value as JSON takes it; None where it is missing."""
    if isinstance(value, list | dict):
        return value
    if value is None or (not isinstance(value, str | bool) and pd.isna(value)):
        return None
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value.item() if isinstance(value, np.generic) else value
