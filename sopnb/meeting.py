"""The meeting: what is asked, in which order it is talked about, who came, what was decided.

Before it, `asked` and `agenda` frame the pack; after it, the minutes become tables and events for the ledger.
The executive meeting sees no new data: it picks from framed options and leaves with decisions, owners and dates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sopnb import calendar, frames
from sopnb.minutes import Minutes, held, read_minutes
from sopnb.minutes_events import attendance, decisions, events, known, missing, points, quorum, record
from sopnb.minutes_form import form

__all__ = [
    "Minutes", "agenda", "asked", "attendance", "decisions", "events", "form", "held", "known", "missing", "points", "quorum",
    "read_minutes", "record", "scored",
]

# Who speaks to a point: the first person whose role holds the word; the chair where there is none.
OWNERS = {"actions": "", "results": "financ", "jumps": "sales", "exceptions": "supply", "conflicts": "demand", "plan": "demand", "close": ""}
# How heavy a point weighs in the time budget. Decisions get the most: they are what the meeting is for.
WEIGHTS = {"actions": 2, "results": 2, "jumps": 1, "exceptions": 2, "conflicts": 1, "plan": 2, "decision": 4, "close": 1}
ALIKE = {"obsolete": "excess", "late": "short"}  # who decides on the one decides on the other, unless said
NOTICE_DAYS = 30  # a decision is due this long before the month it is about, and not before the meeting


# --- before the meeting ---------------------------------------------------------------------------------------------

def asked(
    exceptions: pd.DataFrame | None,
    options: pd.DataFrame | None = None,
    *,
    decides: Mapping[str, str],
    meeting_day: Any,
    people: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    locations: Mapping[str, str] | None = None,
    gap: pd.DataFrame | None = None,
    gap_share: float = 0.02,
    hiring: pd.DataFrame | None = None,
    hiring_until: Any = None,
    recruiting_months: int = 2,
    least_share: float = 0.02,
    most: int = 5,
    country: str = "none",
) -> pd.DataFrame:
    """The decisions asked for: the largest exceptions that have options, hires that cannot wait for the next meeting,
    and the gap to budget where it is large.

    exceptions   id        kind, item, location, resource, first, last, units, amount (money at stake), group: those of one
                           group are one question, with their money together and the largest named; None: none
    options      exception × option   recommended (flag), `exception` being the group; None: asked without a recommendation
    decides      kind of exception, or `budget`: role that may take the decision
    people       person    role; None: the role stands for the person
    gap          family × month   plan, budget, gap (money); see plan.gap
    gap_share    of the budget, from which a shortfall is asked about
    hiring       month   capacity, hired (money), hires to start in the month
    hiring_until the last month that counts for hires: that of the other decisions; None: the whole plan
    least_share  of the money of all exceptions, below which one is not asked about: the meeting's time is for what
                 moves the company, the planner answers the rest
    country      whose public holidays are no day for a decision; see calendar.working_days
    returns      frames.ASKED, by money; `decides` is missing where nobody is entitled
    """
    exceptions = frames.empty(frames.EXCEPTIONS) if exceptions is None else exceptions
    size = exceptions["amount"].abs()
    whole = size.groupby(exceptions["group"]).transform("sum")
    framed = exceptions[whole >= least_share * size.sum()]
    framed = framed if options is None else framed[framed["group"].isin(options["exception"])]
    names = dict(locations or {}) | ({} if items is None else dict(zip(items["item"], items["name"].fillna(items["item"]), strict=True)))
    rows = [_asked_exception(group, members, options, names, meeting_day, country) for group, members in framed.groupby("group", sort=True)]
    rows += _asked_budget(gap, gap_share, meeting_day) + _asked_hires(hiring, hiring_until, recruiting_months, meeting_day)
    out = pd.DataFrame(rows, columns=["kind", *frames.ASKED.names]).sort_values(
        ["amount", "exception", "question"], ascending=[False, True, True], kind="stable").head(most)
    out["decides"] = [_entitled(kind, decides, people) for kind in out.pop("kind")]
    out["position"] = np.arange(1, len(out) + 1)
    out["decision"] = [f"D{i}" for i in out["position"]]
    return frames.conform(out, frames.ASKED)


def _asked_exception(group: Any, members: pd.DataFrame, options: pd.DataFrame | None, names: dict[str, str], meeting_day: Any,
                     country: str) -> dict[str, Any]:
    """One question for the exceptions of a group; `what` is the one of them with most money."""
    mine = None if options is None else options[options["exception"] == group].sort_values("option", kind="stable")
    best = [] if mine is None else list(mine.loc[mine["recommended"], "option"])
    row = _records(members.assign(size=members["amount"].abs()).sort_values(["size", "id"], ascending=[False, True], kind="stable"))[0]
    what = names.get(row["item"], row["item"]) or row["resource"] or row["id"]
    place = names.get(row["location"], row["location"]) if row["location"] not in (None, "all") else None
    first, last = members["first"].min(), members["last"].max()
    values = {"kind": row["kind"], "what": f"{what}, {place}" if place and row["item"] and members["location"].nunique() == 1 else what, "first": _iso(first), "last": _iso(last),
              "units": _sum(members["units"]), "amount": _sum(members["amount"]), "largest": _number(row["amount"]),
              "n": int(members["item"].nunique()), "count": len(members)}
    return {"kind": row["kind"], "question": _question(row, members["item"].nunique(), first == last), "values": _json(values),
            "by": _by(first, meeting_day, country), "amount": _sum(members["amount"].abs()), "recommended": best[0] if best else None, "exception": group}


def _question(row: dict[str, Any], count: int, one_month: bool) -> str:
    """Which question is asked: many items have their own, by cause where it matters; one month has `in`, not `from`."""
    ended = row["kind"] == "obsolete" and row["because"] == "exceptions.obsolete_ended"
    kind = f"{row['kind']}_ended" if ended and count > 1 else row["kind"]
    form = "_all" if count > 1 else "_in" if one_month and row["kind"] in ("overload", "short") else ""
    return f"meeting.ask_{kind}{form}"


def _asked_budget(gap: pd.DataFrame | None, gap_share: float, meeting_day: Any) -> list[dict[str, Any]]:
    """The question about the budget, where the plan of the months both have lies further below it than gap_share."""
    if gap is None or gap.empty:
        return []
    short, budget = -float(gap["gap"].sum()), float(gap["budget"].sum())
    if budget <= 0 or short / budget < gap_share:
        return []
    by_family = gap.groupby("family")["gap"].sum().sort_values(kind="stable")
    values = {"amount": short, "share": short / budget, "first": _iso(gap["month"].min()), "last": _iso(gap["month"].max()),
              "family": by_family.index[0], "family_amount": -float(by_family.iloc[0])}
    return [{"kind": "budget", "question": "meeting.ask_budget", "values": _json(values), "by": pd.Timestamp(meeting_day),
             "amount": short, "recommended": None, "exception": None}]


def _asked_hires(hiring: pd.DataFrame | None, until: Any, recruiting_months: int, meeting_day: Any) -> list[dict[str, Any]]:
    """The next hires, where the offer must go out before the next meeting: what they sell until others join them."""
    starts = pd.DatetimeIndex([]) if hiring is None else pd.DatetimeIndex(hiring.loc[hiring["hires"] > 0, "month"].sort_values())
    if hiring is None or starts.empty:
        return []
    first, day = starts[0], pd.Timestamp(meeting_day)
    offer = first - pd.DateOffset(months=recruiting_months)
    if offer > day + pd.DateOffset(months=1):
        return []
    end = hiring["month"].max() if until is None else max(first, pd.Timestamp(until))
    until = min(end, frames.next_month(starts[1], -1)) if len(starts) > 1 else end
    alone = hiring[hiring["month"].between(first, until)]
    amount = _sum(alone["hired"] - alone["capacity"])
    values = {"hires": int(hiring.loc[hiring["month"] == first, "hires"].iloc[0]), "first": _iso(first), "last": _iso(until), "amount": amount}
    return [{"kind": "hiring", "question": "meeting.ask_hiring", "values": _json(values), "by": max(offer, day),
             "amount": amount, "recommended": None, "exception": None}]


def _by(first: Any, meeting_day: Any, country: str = "none") -> pd.Timestamp:
    """NOTICE_DAYS before the first month, or the last working day before that; not before the meeting."""
    day = pd.Timestamp(meeting_day)
    if pd.isna(first):
        return day
    return max(day, calendar.working_day(pd.Timestamp(first) - pd.Timedelta(days=NOTICE_DAYS), country))


def _entitled(kind: str, decides: Mapping[str, str], people: pd.DataFrame | None) -> str | None:
    """The person whose role may decide; the role itself where no people are known; None where nobody may."""
    role = decides.get(kind) or decides.get(ALIKE.get(kind, ""))
    if not role or people is None:
        return role or None
    return _with_role(people, role)


def _with_role(people: pd.DataFrame | None, word: str) -> str | None:
    """The first person with this role, else the first whose role holds the word."""
    if people is None or people.empty or not word:
        return None
    roles = people["role"].fillna("").str.casefold()
    for fits in (roles == word.casefold(), roles.str.contains(word.casefold(), regex=False)):
        if fits.any():
            return str(people.loc[fits, "person"].iloc[0])
    return None


def agenda(
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
    items: pd.DataFrame | None = None,
    locations: Mapping[str, str] | None = None,
    owners: Mapping[str, str] = OWNERS,
) -> pd.DataFrame:
    """The points in the order of time: last month, problems and needs now, forecast and plans ahead.

    kpis      kpi × scope × month   status; those of `all` in `month` (the origin) count
    actions   action                state, overdue_days, amount
    minutes   the time budget; the points' minutes add up to it exactly
    overrides_used   override   level, key, location, month, owner, state: those in conflict are a point; items and locations
              give the names
    owners    point: word in the role of who speaks to it; '' is the chair
    returns   frames.AGENDA; a point without matter is left out, the last one is always there
    """
    names = dict(locations or {}) | ({} if items is None else dict(zip(items["item"], items["name"].fillna(items["item"]), strict=True)))
    rows = [*_last(actions, kpis, month), *_now(insights, exceptions), *_conflicts(overrides_used, names, people), *_ahead(gap, asked)]
    rows = _heaviest(rows, minutes)
    out = pd.DataFrame(rows).assign(position=np.arange(1, len(rows) + 1), minutes=_shared(minutes, [row["weight"] for row in rows]))
    out["owner"] = [row["owner"] or _with_role(people, owners.get(row["about"], "")) or chair or None for row in rows]
    out["values"] = [_json(values) for values in out["values"]]
    out["point"] = [f"P{i:02d}" for i in out["position"]]
    return frames.conform(out[frames.AGENDA.names], frames.AGENDA)


def _point(part: str, about: str, values: dict[str, Any], *, stake: float = float("nan"), topic: str = "", owner: str | None = None) -> dict[str, Any]:
    return {"part": part, "about": about, "topic": topic or f"meeting.point_{about}", "values": values, "amount": stake,
            "owner": owner, "weight": WEIGHTS[about]}


def _last(actions: pd.DataFrame | None, kpis: pd.DataFrame | None, month: Any) -> Iterable[dict[str, Any]]:
    if actions is not None and len(actions):
        running = actions[actions["state"].isin(["open", "started"])]
        late = running[running["overdue_days"] > 0]
        yield _point("last", "actions", {"open": len(running), "overdue": len(late)}, stake=_sum(late["amount"]))
    if kpis is not None:
        judged = kpis[(kpis["scope"] == "all") & (kpis["month"] == frames.month(month)) & (kpis["status"] != "none")]
        if len(judged):
            counts = {status: int((judged["status"] == status).sum()) for status in ("on", "watch", "off")}
            yield _point("last", "results", {**counts, "of": len(judged)})


def _now(insights: pd.DataFrame | None, exceptions: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    for about, table in (("jumps", insights), ("exceptions", exceptions)):
        if table is not None and len(table):
            amount = _sum(table["amount"].abs()) - (_sum(table["overlap"]) if "overlap" in table else 0.0)
            yield _point("now", about, {"count": len(table), "amount": amount}, stake=amount)


def _conflicts(overrides_used: pd.DataFrame | None, names: Mapping[str, str], people: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    """Overrides of two people on one cell: neither counts, so the plan is agreed only once one of them is kept."""
    apart = overrides_used[overrides_used["state"] == "conflict"] if overrides_used is not None else None
    if apart is None or apart.empty:
        return
    cells = apart.assign(key=apart["key"].fillna("all"), location=apart["location"].fillna("all"))
    cell = ["month", "level", "key", "location"]
    first = _records(cells.sort_values([*cell, "override"], kind="stable"))[0]
    called = {} if people is None else dict(zip(people["person"], people["name"].fillna(people["person"]), strict=True))
    who = sorted({called.get(owner, owner) for owner in apart["owner"].dropna()})
    what = [names.get(code, code) for code in (first["key"], first["location"]) if code != "all"]
    count = len(cells.drop_duplicates(cell))
    yield _point("now", "conflicts", {"count": count, "who": ", ".join(who), "what": ", ".join(what) or "all", "month": _iso(first["month"])},
                 topic="meeting.point_conflicts" + (".one" if count == 1 else ""))


def _ahead(gap: pd.DataFrame | None, asked: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    if gap is not None and len(gap) and gap["budget"].sum() > 0:
        amount = float(gap["gap"].sum())
        values = {"amount": amount, "share": amount / float(gap["budget"].sum()), "last": _iso(gap["month"].max())}
        yield _point("ahead", "plan", values, stake=amount)
    for row in ([] if asked is None else _records(asked.sort_values("position"))):
        yield _point("ahead", "decision", json.loads(row["values"]), stake=row["amount"], topic=row["question"], owner=row["decides"])
    count = 0 if asked is None else len(asked)
    yield _point("ahead", "close", {"count": count}, topic="meeting.point_close" + {0: ".none", 1: ".one"}.get(count, ""))


def _heaviest(rows: list[dict[str, Any]], minutes: int) -> list[dict[str, Any]]:
    """At most one point a minute: with more, the heaviest stay, in their order."""
    if len(rows) <= minutes:
        return rows
    keep = sorted(sorted(range(len(rows)), key=lambda i: (-rows[i]["weight"], i))[:minutes])
    return [rows[i] for i in keep]


def _shared(minutes: int, weights: list[int]) -> list[int]:
    """Minutes by weight, each at least one slot, adding up exactly; slots of five minutes where the budget allows.

    >>> _shared(60, [2, 2, 1, 2, 4, 1])
    [10, 10, 5, 10, 20, 5]
    """
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


# --- after the meeting ----------------------------------------------------------------------------------------------

def scored(decisions: pd.DataFrame, kpis: pd.DataFrame, *, month: Any) -> pd.DataFrame:
    """Decisions whose effect can be judged by now: what was expected of them and what came.

    decisions  decision   title, effect_kpi, effect, judged, cycle (the month of the meeting); see Ledger.decisions
    kpis       kpi × scope × month   value; those of `all` count
    month      last month with actuals
    returns    decision   title, effect_kpi, judged, expected, before, after, realised, came (share of what was expected)
               before is the value of the month before the meeting, realised = after − before; missing where either is
    """
    names = ["decision", "title", "effect_kpi", "judged", "expected", "before", "after", "realised", "came"]
    due = decisions[decisions["judged"].notna() & (decisions["judged"] <= frames.month(month)) & decisions["effect"].notna()]
    values = kpis[kpis["scope"] == "all"].drop_duplicates(["kpi", "month"], keep="last").set_index(["kpi", "month"])["value"]
    rows = []
    for row in _records(due):
        before = values.get((row["effect_kpi"], frames.next_month(row["cycle"], -1)), float("nan"))
        after = values.get((row["effect_kpi"], row["judged"]), float("nan"))
        rows.append({**row, "expected": row["effect"], "before": before, "after": after, "realised": after - before,
                     "came": (after - before) / row["effect"] if row["effect"] else float("nan")})
    return pd.DataFrame(rows, columns=names).sort_values(["judged", "decision"], kind="stable").reset_index(drop=True)


# --- small things ---------------------------------------------------------------------------------------------------

def _records(df: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in df.to_dict("records")]


def _iso(value: Any) -> str | None:
    return None if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%d}"


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _sum(values: pd.Series) -> float:
    return float(values.fillna(0).sum())


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, allow_nan=False)
