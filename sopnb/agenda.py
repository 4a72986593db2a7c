"""The agenda: points that the facts bring, in the order of time, with minutes that add up; a template and people's changes.

Each point has a key made of its matter (`action-2026-09-A2`, `decision-overload-oven`), so that what a person said of it
holds when the numbers change. Order of work: the facts' points, the template's words, minutes and order, what people
changed, then the minutes are shared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames
from sopnb.asked import as_json, called, iso, total, with_role

PARTS = ("last", "now", "ahead")  # the order of time
# Who speaks to a point: the first person whose role holds the word; the chair where there is none.
OWNERS = {"actions": "", "results": "financ", "signals": "financ", "jumps": "sales", "exceptions": "supply", "conflicts": "demand", "assumptions": "demand", "plan": "demand", "close": ""}
# How heavy a point weighs in the time budget. Decisions get the most: they are what the meeting is for.
WEIGHTS = {"actions": 2.0, "overdue": 1.0, "results": 2.0, "signals": 1.0, "jumps": 1.0, "exceptions": 2.0, "conflicts": 1.0, "assumptions": 1.0, "plan": 2.0, "decision": 4.0,
           "close": 1.0, "own": 1.0, "reserve": 1.0}
FOLLOWS = {"overdue": "actions", "signals": "results"}
IN_A_ROW = 3  # months off target from which a measure is told as one that keeps missing: by luck, one in eight would
GROWN = 1.5  # times the money at which a point was dropped, from which that is told
MOST_OVERDUE = 8  # overdue actions with a point of their own; what is beyond them is counted in `actions`


@dataclass(frozen=True)
class Agenda:
    """points: frames.AGENDA; findings: frames.MEETING_FINDINGS on changes that found nothing, and on minutes."""

    points: pd.DataFrame
    findings: pd.DataFrame


def agenda(*tables: Any, **settings: Any) -> pd.DataFrame:
    """The points alone; see `build`."""
    return build(*tables, **settings).points


def build(
    insights: pd.DataFrame | None = None,
    exceptions: pd.DataFrame | None = None,
    kpis: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    gap: pd.DataFrame | None = None,
    asked: pd.DataFrame | None = None,
    *,
    minutes: int,
    month: Any,
    chair: str = "",
    people: pd.DataFrame | None = None,
    overrides_used: pd.DataFrame | None = None,
    assumptions: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    locations: Mapping[str, str] | None = None,
    measures: Mapping[str, str] | None = None,
    template: Sequence[Mapping[str, Any]] = (),
    changes: pd.DataFrame | None = None,
    owners: Mapping[str, str] = OWNERS,
) -> Agenda:
    """The points in the order of time: last month, problems and needs now, forecast and plans ahead.

    insights     amount (money)
    exceptions   amount, overlap (money)
    kpis         kpi × scope × month   status; those of `all` count: of `month` (the origin), and of the months before it for
                 measures that keep missing
    actions      frames.ACTIONS: each overdue one is a point
    gap          family × month   budget, gap (money); see value.gap
    asked        frames.ASKED: each is a point
    overrides_used   override   level, key, location, month, owner, state: those in conflict are a point; items and locations
                 give the names
    assumptions  frames.ASSUMPTIONS with `overdue_days`: what failed is a point with its money; see assumptions.log
    measures     kpi: what it is called
    minutes      the time budget; the points' minutes add up to it exactly
    template     {point, title, minutes, weight, owner, part} each; see params_meeting.AgendaPoint. Points named stand in the
                 order named, within their part; the others keep their places; minutes 0 leaves a point out
    changes      frames.AGENDA_CHANGES, in the order they were said
    owners       kind of point: word in the role of who speaks to it; '' is the chair
    returns      points and findings; a point without matter is left out, `close` stands last
    """
    names = called(items, locations)
    facts = [*_last(actions, kpis, month, measures or {}), *_now(insights, exceptions), *_conflicts(overrides_used, names, people), *_assumed(assumptions), *_ahead(gap, asked)]
    drawn = _by_template(facts, template)
    rows, told = _changed(drawn, frames.empty(frames.AGENDA_CHANGES) if changes is None else changes)
    rows, left = _heaviest(rows, minutes)
    rows, short = _timed(rows, minutes)
    out = pd.DataFrame(rows).assign(position=np.arange(1, len(rows) + 1))
    out["owner"] = [_speaker(row, people, owners, chair) for row in rows]
    out["values"] = [as_json(values) for values in out["values"]]
    out["point"] = [f"P{i:02d}" for i in out["position"]]
    return Agenda(frames.conform(out[frames.AGENDA.names], frames.AGENDA), _findings([*told, *left, *short]))


def _speaker(row: Mapping[str, Any], people: pd.DataFrame | None, owners: Mapping[str, str], chair: str) -> str | None:
    """Who speaks to a point: who was named, a person or a role; else by the kind of point; else the chair."""
    given = row["owner"]
    if given and people is not None and given not in set(people["person"]):
        given = with_role(people, given) or given
    return given or with_role(people, owners.get(row["kind"], "")) or chair or None


# --- the points of the facts ----------------------------------------------------------------------------------------

def _point(part: str, kind: str, values: dict[str, Any], *, stake: float = float("nan"), topic: str = "", owner: str | None = None, key: str = "") -> dict[str, Any]:
    return {"part": part, "kind": kind, "key": key or kind, "topic": topic or f"meeting.point_{kind}", "values": values, "amount": stake,
            "owner": owner, "weight": WEIGHTS[kind], "fixed": None, "edited": None, "edited_by": None}


def _last(actions: pd.DataFrame | None, kpis: pd.DataFrame | None, month: Any, measures: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    if actions is not None and len(actions):
        running = actions[actions["state"].isin(["open", "started"])]
        late = running[running["overdue_days"] > 0].sort_values(["overdue_days", "action"], ascending=[False, True], kind="stable")
        more = "_more" if len(late) > MOST_OVERDUE else ""
        yield _point("last", "actions", {"open": len(running), "overdue": len(late), "shown": min(len(late), MOST_OVERDUE)}, stake=total(late["amount"]) if len(late) else float("nan"), topic=f"meeting.point_actions{more}")
        for row in late.head(MOST_OVERDUE).to_dict("records"):
            values = {"title": str(row["title"]), "due": iso(row["due"]), "days": int(row["overdue_days"]), "age": int(row["age_days"])}
            yield _point("last", "overdue", values, stake=_known(row["amount"]), owner=row["owner"], key=f"action-{row['action']}")
    if kpis is not None:
        yield from _measured(kpis[kpis["scope"] == "all"], frames.month(month), measures)


def _measured(kpis: pd.DataFrame, month: pd.Timestamp, measures: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """The results of the month, those off target named; and the measures that keep missing."""
    judged = kpis[(kpis["month"] == month) & (kpis["status"] != "none")].drop_duplicates("kpi", keep="last")
    if judged.empty:
        return
    counts = {status: int((judged["status"] == status).sum()) for status in ("on", "watch", "off")}
    off = ", ".join(measures.get(kpi, kpi) for kpi in sorted(judged.loc[judged["status"] == "off", "kpi"]))
    yield _point("last", "results", {**counts, "of": len(judged), "names": off}, topic="meeting.point_results." + ("named" if off else "none"))
    again = missed(kpis, month=month)
    if len(again):
        named = ", ".join(f"{measures.get(kpi, kpi)} ({n})" for kpi, n in zip(again["kpi"], again["months"], strict=True))
        yield _point("last", "signals", {"n": len(again), "names": named}, topic="meeting.point_signals" + (".one" if len(again) == 1 else ""))


def missed(kpis: pd.DataFrame, *, month: Any, least: int = IN_A_ROW) -> pd.DataFrame:
    """Measures that missed their target month after month, up to the last one.

    kpis     kpi × month   status: `on` is the only one that does not miss; a month without a judgement ends the row
    returns  kpi   months (in a row, to `month`), the longest first; those of at least `least`
    """
    last, rows = frames.month(month), []
    for kpi, mine in kpis.drop_duplicates(["kpi", "month"], keep="last").groupby("kpi", sort=True):
        states = mine.set_index("month")["status"]
        n = 0
        while states.get(frames.next_month(last, -n)) in ("watch", "off"):
            n += 1
        if n >= least:
            rows.append((kpi, n))
    return pd.DataFrame(rows, columns=["kpi", "months"]).sort_values(["months", "kpi"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _now(insights: pd.DataFrame | None, exceptions: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    for kind, table in (("jumps", insights), ("exceptions", exceptions)):
        if table is not None and len(table):
            amount = total(table["amount"].abs()) - (total(table["overlap"]) if "overlap" in table else 0.0)
            yield _point("now", kind, {"count": len(table), "amount": amount}, stake=amount)


def _conflicts(overrides_used: pd.DataFrame | None, names: Mapping[str, str], people: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    """Overrides of two people on one cell: neither counts, so the plan is agreed only once one of them is kept."""
    apart = overrides_used[overrides_used["state"] == "conflict"] if overrides_used is not None else None
    if apart is None or apart.empty:
        return
    cells = apart.assign(key=apart["key"].fillna("all"), location=apart["location"].fillna("all"))
    cell = ["month", "level", "key", "location"]
    first = cells.sort_values([*cell, "override"], kind="stable").to_dict("records")[0]
    known = {} if people is None else dict(zip(people["person"], people["name"].fillna(people["person"]), strict=True))
    who = sorted({known.get(owner, owner) for owner in apart["owner"].dropna()})
    what = [names.get(code, code) for code in (first["key"], first["location"]) if code != "all"]
    count = len(cells.drop_duplicates(cell))
    yield _point("now", "conflicts", {"count": count, "who": ", ".join(who), "what": ", ".join(what) or "all", "month": iso(first["month"])},
                 topic="meeting.point_conflicts" + (".one" if count == 1 else ""))


def _assumed(assumptions: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    """Each assumption that failed, with its money; and how many nobody has judged in time."""
    if assumptions is None or assumptions.empty:
        return
    for row in assumptions[assumptions["state"] == "failed"].sort_values("assumption").to_dict("records"):
        follows = str(row["if_not"] or "")
        yield _point("now", "assumptions", {"text": row["text"], "if_not": follows}, stake=_known(row["amount"]), topic="meeting.point_failed" + ("" if follows else ".plain"),
                     owner=row["owner"], key=f"assumption-{row['assumption']}")
    late = assumptions[assumptions["overdue_days"] > 0].sort_values(["overdue_days", "assumption"], ascending=[False, True], kind="stable") if "overdue_days" in assumptions else assumptions.iloc[:0]
    if len(late):
        yield _point("now", "assumptions", {"n": len(late), "text": late["text"].iloc[0]}, stake=total(late["amount"].abs()), topic="meeting.point_unjudged" + (".one" if len(late) == 1 else ""))


def _ahead(gap: pd.DataFrame | None, asked: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    if gap is not None and len(gap) and gap["budget"].sum() > 0:
        amount = float(gap["gap"].sum())
        yield _point("ahead", "plan", {"amount": amount, "share": amount / float(gap["budget"].sum()), "last": iso(gap["month"].max())}, stake=amount)
    rows = [] if asked is None else asked.sort_values("position").to_dict("records")
    for row, key in zip(rows, _decision_keys(rows), strict=True):
        yield _point("ahead", "decision", json.loads(row["values"]), stake=row["amount"], topic=row["question"], owner=row["decides"], key=key)
    yield _point("ahead", "close", {"count": len(rows)}, topic="meeting.point_close" + {0: ".none", 1: ".one"}.get(len(rows), ""))


def _decision_keys(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """What each decision is about, without its month: a shortage that moves from May to April stays the same matter."""
    stems = [slug("decision-" + re.sub(r"-\d{6}$", "", str(row["exception"] or row["decision"]))) for row in rows]
    first = [json.loads(row["values"]).get("first") or "" for row in rows]
    return [stem if stems.count(stem) == 1 else f"{stem}-{day[:7]}" for stem, day in zip(stems, first, strict=True)]


def slug(text: str) -> str:
    """Words joined by hyphens, in small letters: what can be typed in a terminal without quotes.

    >>> slug("decision-overload-Biscuit oven")
    'decision-overload-biscuit-oven'
    """
    return "-".join(re.findall(r"\w+", text.casefold()))


# --- the template ---------------------------------------------------------------------------------------------------

def _by_template(facts: list[dict[str, Any]], template: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The points with the template's words and minutes, in its order within each part of time."""
    lines = [dict(line) for line in template]
    said = {line["point"]: line for line in lines if line.get("point")}
    rows = [_as_said(row, said.get(row["kind"], {})) for row in facts if said.get(row["kind"], {}).get("minutes") != 0]
    owned, part, after = [], "last", ""
    for line in lines:
        kind = line.get("point")
        if kind:
            part, after = next((row["part"] for row in facts if row["kind"] == kind), part), kind
        elif line.get("minutes") != 0:
            part = line.get("part") or part
            owned.append((after, _own(line["title"], line, part)))
    out: list[dict[str, Any]] = []
    for part in PARTS:
        mine = _reordered([row for row in rows if row["part"] == part], [str(line["point"]) for line in lines if line.get("point") and line["point"] != "close"])
        for after, row in owned:
            if row["part"] == part:
                behind = [i for i, other in enumerate(mine) if after in (other["kind"], other.get("after"))]
                mine.insert(behind[-1] + 1 if behind else 0 if not after else len(mine), {**row, "after": after})
        out += mine
    return sorted(out, key=lambda row: row["kind"] == "close")


def _as_said(row: dict[str, Any], line: Mapping[str, Any]) -> dict[str, Any]:
    title = str(line.get("title") or "").strip()
    out = {**row, "fixed": line.get("minutes"), "weight": line.get("weight") or row["weight"], "owner": line.get("owner") or row["owner"]}
    return {**out, "topic": "meeting.point_own", "values": {**row["values"], "title": title}} if title else out


def _own(title: str, line: Mapping[str, Any], part: str, key: str = "") -> dict[str, Any]:
    return {**_point(part, "own", {"title": title.strip()}, topic="meeting.point_own", owner=line.get("owner") or None, key=key or f"own-{slug(title)}"),
            "fixed": line.get("minutes"), "weight": line.get("weight") or WEIGHTS["own"]}


def _reordered(rows: list[dict[str, Any]], wanted: list[str]) -> list[dict[str, Any]]:
    """The points named change places among themselves, into the order named; all others stay where they are.

    Overdue actions go with the actions, and measures that keep missing with the results, unless they are named themselves.
    """
    leads = {row["kind"]: row["kind"] if row["kind"] in wanted else FOLLOWS.get(row["kind"], "") for row in rows}
    named = sorted((i for i, row in enumerate(rows) if leads[row["kind"]] in wanted), key=lambda i: (wanted.index(leads[rows[i]["kind"]]), i))
    places = sorted(named)
    out = list(rows)
    for place, i in zip(places, named, strict=True):
        out[place] = rows[i]
    return out


# --- what people changed --------------------------------------------------------------------------------------------

def _changed(drawn: list[dict[str, Any]], changes: pd.DataFrame) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The points after what people said, and what of it found nothing or should be told."""
    points = {row["key"]: row for row in drawn}
    order, told = list(points), []
    edits: dict[str, dict[str, Any]] = {}
    for said in changes.sort_values("change").to_dict("records"):
        key = said["point"]
        if said["verb"] == "add":
            points[key] = _own(str(said["title"] or key), {}, said["part"] if said["part"] in PARTS else "ahead", key)
            if key not in order:
                order.insert(_end_of(points[key]["part"], order, points), key)
        edits[key] = _joined(edits.pop(key, {}), said)  # in the order of what was said last
    for key, edit in edits.items():
        if key not in points:
            told += [] if edit["verb"] == "restore" else [_gone(key, edit["said"])]
        elif edit["dropped"]:
            order.remove(key)
            told += _grown(points[key], edit["said"])
        elif edit["verb"] != "restore":
            points[key] = {**points[key], **edit["gives"], "edited": edit["verb"], "edited_by": edit["said"]["who"]}
    for key, edit in edits.items():
        if key in order and edit["position"] is not None:
            order.remove(key)
            order.insert(max(edit["position"] - 1, 0), key)
    return [points[key] for key in order], told


def _joined(before: Mapping[str, Any], said: Mapping[Any, Any]) -> dict[str, Any]:
    """What holds of a point after one more word: restored, it is as the facts have it; one of a person's own is as it was added."""
    verb, own = said["verb"], before.get("own") or said["verb"] == "add"
    if verb == "restore":
        return {"verb": "add" if own else "restore", "own": own, "dropped": False, "gives": {}, "position": None, "said": said}
    gives = {name: said[column] for name, column in (("fixed", "minutes"), ("owner", "owner")) if not (said[column] is None or pd.isna(said[column]))}
    position = before.get("position") if pd.isna(said["position"]) else int(said["position"])
    return {"verb": "add" if own and verb == "move" else verb, "own": own, "dropped": verb == "drop" or (verb == "move" and before.get("dropped", False)),
            "gives": {**before.get("gives", {}), **gives}, "position": position, "said": said}


def _end_of(part: str, order: list[str], points: Mapping[str, Mapping[str, Any]]) -> int:
    """Behind the last point of a part of time, before the close."""
    upto = [i for i, key in enumerate(order) if PARTS.index(points[key]["part"]) <= PARTS.index(part) and points[key]["kind"] != "close"]
    return upto[-1] + 1 if upto else 0


def _gone(key: str, said: Mapping[Any, Any]) -> dict[str, Any]:
    return _finding("gone", key, who=said["who"] or "", day=iso(said["day"]), verb=said["verb"], title=said["title"] or key, amount=_known(said["amount"]))


def _grown(row: Mapping[str, Any], said: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """A dropped point stays dropped; that much more is at stake by now is told."""
    before, now = abs(_known(said["amount"])), abs(_known(row["amount"]))
    if not (now > 0 and (before == 0 or now >= GROWN * before)):
        return []
    return [_finding("grown", row["key"], who=said["who"] or "", day=iso(said["day"]), title=said["title"] or row["key"], before=before, amount=now)]


# --- minutes --------------------------------------------------------------------------------------------------------

def _heaviest(rows: list[dict[str, Any]], minutes: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """At most one point a minute: with more, those people put there and the heaviest stay, in their order; the others are told."""
    if len(rows) <= minutes:
        return rows, []
    wanted = [(row["edited"] is not None or row["fixed"] is not None, row["weight"]) for row in rows]
    keep = sorted(sorted(range(len(rows)), key=lambda i: (not wanted[i][0], -wanted[i][1], i))[:minutes])
    left = [row for i, row in enumerate(rows) if i not in keep]
    return [rows[i] for i in keep], [_finding("full", "minutes", n=len(left), minutes=minutes, keys=", ".join(row["key"] for row in left))]


def _timed(rows: list[dict[str, Any]], minutes: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Minutes for every point, adding up to the budget: its own where it has some, the rest by weight.

    Where their own minutes leave nothing for the others, they are cut in proportion, and that is told. Where every point
    has its own and time is left, it stands at the end as time in hand.
    """
    own = {i: max(int(row["fixed"]), 1) for i, row in enumerate(rows) if row["fixed"] is not None}
    free = [i for i in range(len(rows)) if i not in own]
    told: list[dict[str, Any]] = []
    if sum(own.values()) > minutes - len(free):
        told = [_finding("over", "minutes", fixed=sum(own.values()), minutes=minutes, n=len(free))]
        own = dict(zip(own, shared(minutes - len(free), list(own.values())), strict=True))
    left = minutes - sum(own.values())
    given = {**own, **dict(zip(free, shared(left, [rows[i]["weight"] for i in free]), strict=True))}
    out = [{**row, "minutes": given[i]} for i, row in enumerate(rows)]
    if not free and left:
        out.append({**_point("ahead", "reserve", {}), "minutes": left})
    return out, told


def shared(minutes: int, weights: Sequence[float]) -> list[int]:
    """Minutes by weight, each at least one slot, adding up exactly; slots of five minutes where the budget allows.

    >>> shared(60, [2, 2, 1, 2, 4, 1])
    [10, 10, 5, 10, 20, 5]
    """
    if not len(weights):
        return []
    slot = 5 if minutes % 5 == 0 and minutes >= 5 * len(weights) else 1
    slots = minutes // slot
    share = np.array(weights, dtype=float) / sum(weights) * slots
    given = np.maximum(1, np.floor(share)).astype(int)
    while given.sum() != slots:  # the one that is furthest from its share gives or takes a slot
        off = share - given
        if given.sum() < slots:
            given[int(np.argmax(off))] += 1
        else:
            given[int(np.argmin(np.where(given > 1, off, np.inf)))] -= 1
    return [int(n) * slot for n in given]


# --- findings -------------------------------------------------------------------------------------------------------

def _finding(rule: str, what: str, *, amount: float = 0.0, **values: Any) -> dict[str, Any]:
    told = {name: value for name, value in {**values, "key": what, "amount": None if pd.isna(amount) else amount}.items() if value is not None}
    return {"id": f"agenda-{rule}-{what}", "source": "agenda", "rule": f"meeting.found_{rule}", "column": "", "rows": 0, "of_rows": 0, "amount": 0.0 if pd.isna(amount) else amount,
            "share": 0.0, "severity": "amber", "first": what, "values": as_json(told)}


def _findings(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return frames.conform(pd.DataFrame(rows), frames.MEETING_FINDINGS) if rows else frames.empty(frames.MEETING_FINDINGS)


def _known(value: Any) -> float:
    return float("nan") if value is None or pd.isna(value) else float(value)
