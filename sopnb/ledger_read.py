"""What the events of the ledger say: pure functions from events to tables, no database.

Events are read by day and, within a day, in the order they came. What a later event says of the same thing counts.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from sopnb import frames
from sopnb.problems import nearest

ACTION_VERBS = ("add", "start", "done", "drop", "move")
KINDS = (*ACTION_VERBS, "decide", "attend", "held", "delivery", "revision", "assume", "judge", "agenda")
STATES = {"start": "started", "done": "done", "drop": "dropped"}
RUNNING = ("open", "started")
ASSUMED = ("open", "held", "failed", "dropped")  # what may be said of an assumption
JUDGED = ("hit", "missed", "open")  # what may be said of a decision; open takes back what was said before
VERBS_SAID = {"add": "added", "start": "started", "done": "done", "drop": "dropped", "move": "moved"}
# What an event of a kind must say: the columns, what it is about, and both in words.
NEEDS = {"add": ("title", "owner", "due"), "assume": ("text",), "judge": ("state",), "agenda": ("verb",)}
CALLED = {"add": "action", "assume": "assumption", "judge": "what is said of", "agenda": "the change to point"}
WORDS = {"add": "a title, an owner and a due date", "assume": "a text", "judge": "a state", "agenda": "a verb: add, drop, move or restore"}
COLUMNS = ("seq", "id", "kind", "subject", "day", "cycle", "origin", "who", "payload")


def standing(found: pd.DataFrame) -> pd.DataFrame:
    """Events that hold: of an origin with revisions, those its last revision names."""
    revisions = found[found["kind"] == "revision"].drop_duplicates("origin", keep="last")
    holds = {row.origin: set(json.loads(str(row.payload))["holds"]) for row in revisions.itertuples(index=False)}
    kept = [row.kind != "revision" and (row.origin not in holds or row.id in holds[row.origin])
            for row in found.itertuples(index=False)]
    return found[pd.Series(kept, index=found.index, dtype=bool)]


def in_order(events: pd.DataFrame) -> pd.DataFrame:
    """By day, and within a day as they came."""
    return events.sort_values(["day", "seq"], kind="stable").reset_index(drop=True)


def actions(seen: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    """Every action and its state.

    seen     events that hold, by day and arrival
    returns  frames.ACTIONS; age from the day it was made to the day it was closed or as_of;
             overdue_days counts only while it is open
    """
    states: dict[str, dict[str, Any]] = {}
    for row in seen[seen["kind"].isin(ACTION_VERBS)].itertuples(index=False):
        _apply(states, row)
    return _aged(pd.DataFrame(list(states.values())), pd.Timestamp(as_of))


def _apply(states: dict[str, dict[str, Any]], row: Any) -> None:
    """What one event does to an action. An event on an action nobody added is kept in the ledger, without effect."""
    payload = json.loads(str(row.payload))
    if row.kind == "add":
        known = states.get(row.subject, {"state": "open", "closed_on": pd.NaT, "made_on": row.day, "cycle": row.cycle})
        states[row.subject] = {**known, "action": row.subject, **payload}
    elif row.subject not in states:
        return
    elif row.kind == "move":
        states[row.subject].update({name: payload[name] for name in ("due", "owner") if payload.get(name)})
    else:
        closed = pd.Timestamp(payload.get("on", row.day)) if row.kind in ("done", "drop") else pd.NaT
        states[row.subject].update(state=STATES[row.kind], closed_on=closed)


def _aged(df: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    if df.empty:
        return frames.empty(frames.ACTIONS)
    out = df.reindex(columns=[name for name in frames.ACTIONS.names if name not in ("age_days", "overdue_days")])
    for name in ("made_on", "due", "closed_on"):
        out[name] = pd.to_datetime(out[name]).astype("datetime64[ns]")
    running = out["state"].isin(RUNNING)
    out["age_days"] = (out["closed_on"].fillna(as_of) - out["made_on"]).dt.days.clip(lower=0)
    out["overdue_days"] = (as_of - out["due"]).dt.days.clip(lower=0).where(running & out["due"].notna(), 0)
    return frames.conform(out, frames.ACTIONS)


def decisions(seen: pd.DataFrame) -> pd.DataFrame:
    """Every decision taken, and what a person said of it since.

    returns  the columns of frames.DECISIONS; behind them cycle, made_on (the day), said (hit or missed; None: nobody
             has said), said_on, said_by, note
    """
    rows = _payloads(seen, "decide", "decision", "made_on")
    said = _judged(seen, JUDGED)
    known: dict[str, dict[str, Any]] = {row["decision"]: row for row in rows}  # decided again: the later word
    for name, row in known.items():
        verdict = said.get(name, {})
        row.update(said=verdict.get("state") if verdict.get("state") != "open" else None, said_on=verdict.get("on", pd.NaT),
                   said_by=verdict.get("who"), note=verdict.get("note"))
    more = ("cycle", "made_on", "said", "said_on", "said_by", "note")
    df = pd.DataFrame(list(known.values()), columns=list(dict.fromkeys([*frames.DECISIONS.names, *more])))
    out = frames.typed(df, frames.DECISIONS)
    for name in more:
        out[name] = pd.to_datetime(df[name]).astype("datetime64[ns]") if name in ("cycle", "made_on", "said_on") else _text(df[name])
    return out


def attendance(seen: pd.DataFrame) -> pd.DataFrame:
    """Who came, meeting by meeting: the columns of frames.ATTENDANCE, with cycle and held_on behind."""
    df = pd.DataFrame(_payloads(seen, "attend", "person", "held_on"), columns=list(dict.fromkeys([*frames.ATTENDANCE.names, "cycle", "held_on"])))
    out = frames.typed(df, frames.ATTENDANCE)
    return out.assign(**{name: pd.to_datetime(df[name]).astype("datetime64[ns]") for name in ("cycle", "held_on")})


def assumptions(seen: pd.DataFrame) -> pd.DataFrame:
    """What the plan rests on: frames.ASSUMPTIONS.

    An assumption said again has its new words and keeps the day it was made; what was last said of it (`judge`) holds.
    What is said of one nobody made is kept in the ledger, without effect.
    """
    rows: dict[str, dict[str, Any]] = {}
    for row in seen[seen["kind"] == "assume"].itertuples(index=False):
        payload = json.loads(str(row.payload))
        first = rows.get(row.subject, {}).get("made_on", payload.get("made", row.day))
        rows[row.subject] = {**payload, "assumption": row.subject, "made_on": payload.get("made", first)}
    said = _judged(seen, ASSUMED)
    for name, given in rows.items():
        verdict = said.get(name, {"state": "open"})
        given.update(state=verdict["state"], judged_on=verdict.get("on", pd.NaT), note=verdict.get("note"))
    if not rows:
        return frames.empty(frames.ASSUMPTIONS)
    df = pd.DataFrame(list(rows.values())).reindex(columns=frames.ASSUMPTIONS.names)
    for name in ("made_on", "judged_on"):
        df[name] = pd.to_datetime(df[name]).astype("datetime64[ns]")
    return frames.conform(df, frames.ASSUMPTIONS)


def agenda(held: pd.DataFrame, cycle: str) -> pd.DataFrame:
    """What people changed on a cycle's agenda, in the order they said it: frames.AGENDA_CHANGES.

    held     all events that hold: a change counts whatever its day, up to the day of the meeting
    """
    mine = _agenda_events(held, cycle)
    rows = [{**json.loads(str(row.payload)), "change": i, "point": row.subject, "who": row.who or None, "day": row.day}
            for i, row in enumerate(mine.itertuples(index=False), start=1)]
    if not rows:
        return frames.empty(frames.AGENDA_CHANGES)
    return frames.conform(pd.DataFrame(rows).reindex(columns=frames.AGENDA_CHANGES.names), frames.AGENDA_CHANGES)


def agenda_ids(held: pd.DataFrame, cycle: str) -> list[str]:
    """The events behind `agenda`."""
    return list(_agenda_events(held, cycle)["id"])


def _agenda_events(held: pd.DataFrame, cycle: str) -> pd.DataFrame:
    mine = held[held["cycle"] == cycle]
    meeting = mine.loc[mine["kind"] == "held", "day"].max()
    said = mine[(mine["kind"] == "agenda") & (pd.isna(meeting) | (mine["day"] <= meeting))]
    return said.sort_values("seq", kind="stable")


def history(events: pd.DataFrame, subject: str) -> pd.DataFrame:
    """All that was ever said of one thing, in the order it came.

    returns  the events' columns, with `holds` behind: false where corrected minutes took it back
    """
    mine = events[(events["subject"] == subject) & (events["kind"] != "revision")]
    return mine.assign(holds=mine["id"].isin(set(standing(events)["id"]))).sort_values("seq", kind="stable").reset_index(drop=True)


def last_ids(events: pd.DataFrame) -> dict[str, str]:
    """Of each action, the event that came last: who saw another one has seen something else."""
    said = standing(events)
    said = said[said["kind"].isin(ACTION_VERBS)].sort_values("seq", kind="stable")
    return {str(subject): str(one) for subject, one in zip(said["subject"], said["id"], strict=True)}


def refused(events: pd.DataFrame, action: str, verb: str, *, day: str, due: str | None = None, owner: str | None = None,
            seen: str | None = None) -> dict[str, str]:
    """Why a change to an action cannot be recorded.

    events   all events
    seen     the last event of it that whoever wants the change has seen; None: whatever is there
    returns  wrong, allowed, remedy; empty where it can
    """
    known = in_order(standing(events))
    rows = actions(known, day)
    mine = rows[rows["action"] == action]
    if mine.empty:
        return {"wrong": "there is no such action", "allowed": "a number of `sopnb actions list --all`", "remedy": nearest(action, rows["action"])}
    now = mine.iloc[0]
    said = known[(known["subject"] == action) & known["kind"].isin(ACTION_VERBS)]
    latest = said.sort_values("seq", kind="stable").iloc[-1]
    by = f"{VERBS_SAID[latest['kind']]} on {latest['day']:%Y-%m-%d}" + (f" by {latest['who']}" if latest["who"] else "")
    if seen is not None and seen != latest["id"]:
        return {"wrong": f"somebody changed it since: {by}", "remedy": f"Look at it again: sopnb actions show PARAMS {action}"}
    if latest["day"] > pd.Timestamp(day):
        return {"wrong": f"it was {by}, and {day} is before that", "allowed": f"{latest['day']:%Y-%m-%d} or later", "remedy": "Say the day with --as-of"}
    return _idle(now, verb, by, due, owner)


def _idle(now: pd.Series, verb: str, by: str, due: str | None, owner: str | None) -> dict[str, str]:
    """Why a change says nothing new, or nothing sensible; empty where it does."""
    state = str(now["state"])
    if verb in STATES and state == STATES[verb]:
        return {"wrong": f"it is {state} already ({by})", "remedy": "" if state == "started" else "To open it again: sopnb actions start"}
    if verb == "drop" and state == "done":
        return {"wrong": f"it is done already ({by})", "remedy": "To open it again: sopnb actions start"}
    if verb != "move":
        return {}
    if state not in RUNNING:
        return {"wrong": f"it is {state} ({by}); what is closed has no day or owner to change", "remedy": "Open it again first: sopnb actions start"}
    if due is not None and pd.Timestamp(due) < now["made_on"]:
        return {"wrong": f"{due} is before the day it was made", "allowed": f"{now['made_on']:%Y-%m-%d} or later"}
    if (due is None or pd.Timestamp(due) == now["due"]) and (not owner or owner == now["owner"]):
        return {"wrong": f"it is due on {now['due']:%Y-%m-%d} and {now['owner']}'s already"}
    return {}


def _judged(seen: pd.DataFrame, allowed: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What was last said of each assumption or decision, by the words that fit it."""
    found: dict[str, dict[str, Any]] = {}
    for row in seen[seen["kind"] == "judge"].itertuples(index=False):
        payload = json.loads(str(row.payload))
        if payload.get("state") in allowed:
            found[row.subject] = {"on": row.day, "who": row.who or None, **payload}
    return found


def _payloads(seen: pd.DataFrame, kind: str, key: str, day: str) -> list[dict[str, Any]]:
    return [{key: row.subject, **json.loads(str(row.payload)), "cycle": row.cycle, day: row.day}
            for row in seen[seen["kind"] == kind].itertuples(index=False)]


def _text(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None)
