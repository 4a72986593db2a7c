"""The meeting's charter, checked: an unclear one is the first reason why such meetings fail.

Each finding names what is missing and what to add. None of them holds the mail: the verdict is about the data, and the
meeting is the place where a charter is mended.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import calendar, frames
from sopnb.asked import Entitled, as_json, holders, iso, roles_of, total

KINDS = ("overload", "short", "late", "excess", "obsolete", "hiring", "budget", "demand")
BEFORE = ("collect", "demand", "supply", "kpis")  # steps that must be over when the meeting begins
MEETINGS = ("meeting", "the meeting", "s&op meeting", "executive meeting", "executive s&op", "rapat", "rapat s&op")  # words for the meeting in a line without `step`


def check(
    asked: pd.DataFrame,
    *,
    stated: bool,
    purpose: str,
    roles: Mapping[str, str],
    decides: Entitled,
    days: Sequence[Mapping[str, Any]],
    people: pd.DataFrame | None,
    meeting_day: Any,
    country: str = "none",
) -> pd.DataFrame:
    """What of the charter is missing or contradicts itself.

    asked        frames.ASKED
    stated       whether the params file holds a charter at all
    roles        role: what it is for
    decides      kind of decision: role or roles that may take it
    days         {day, what, owner, step} each: days of the meeting's month
    people       person   role; None: nobody is known, so that no role can be looked for
    meeting_day  the day of the meeting
    country      whose holidays count; see calendar.working_day
    returns      frames.MEETING_FINDINGS, all amber: no charter; a decision without anybody who may take it, with its money;
                 a kind given to two; a kind that no question has; roles nobody holds; people without a role; days that
                 are no working days, or contradict the meeting
    """
    rows = [_finding("no_charter", "charter")] if not stated else [] if purpose else [_finding("no_purpose", "purpose")]
    rows += [*_undecided(asked, decides, people), *_kinds(decides, people), *_roles(roles, decides, people), *_days(days, pd.Timestamp(meeting_day), country)]
    return frames.conform(pd.DataFrame(rows), frames.MEETING_FINDINGS) if rows else frames.empty(frames.MEETING_FINDINGS)


def _undecided(asked: pd.DataFrame, decides: Entitled, people: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    """Decisions asked for that nobody may take, one finding for each kind."""
    for kind, rows in asked[asked["decides"].isna()].groupby("kind", sort=True):
        roles = roles_of(str(kind), decides)
        form = "unheld" if roles else "undecided"
        yield _finding(form, str(kind), amount=total(rows["amount"]), kind=kind, n=len(rows), decisions=", ".join(rows["decision"]), role=", ".join(roles))


def _kinds(decides: Entitled, people: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    """Kinds that no question has, and kinds that two may decide: who decides when they disagree?"""
    for kind in decides:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.5)
            yield _finding("unknown_kind" + (".near" if near else ""), kind, kind=kind, near=near[0] if near else "", allowed=", ".join(KINDS))
            continue
        roles = roles_of(kind, decides)
        who = list(dict.fromkeys(person for role in roles for person in holders(people, role)))
        if len(roles) > 1:
            yield _finding("two_roles", kind, kind=kind, roles=", ".join(roles), first=roles[0])
        elif len(who) > 1:
            yield _finding("two_people", kind, kind=kind, role=roles[0], who=_named(who, people), first=_named(who[:1], people))


def _roles(roles: Mapping[str, str], decides: Entitled, people: pd.DataFrame | None) -> Iterable[dict[str, Any]]:
    if people is None:
        return
    deciding = {role for kind in decides for role in roles_of(kind, decides)}
    for role in dict.fromkeys([*roles, *sorted(deciding)]):
        if not holders(people, role):
            near = difflib.get_close_matches(role, people["role"].dropna().unique(), n=1, cutoff=0.85)  # a slip of the pen; another manager is no slip
            yield _finding("empty_role" + (".near" if near else ""), role, role=role, near=near[0] if near else "")
    without = people[people["role"].isna() | (people["role"].str.strip() == "")]
    if len(without):
        yield _finding("no_role", "people", n=len(without), who=_named(list(without["person"]), people))


def _named(codes: Sequence[str], people: pd.DataFrame | None) -> str:
    known = {} if people is None else dict(zip(people["person"], people["name"].fillna(people["person"]), strict=True))
    return ", ".join(str(known.get(code, code)) for code in codes)


# --- the days of the month ------------------------------------------------------------------------------------------

def dated(days: Sequence[Mapping[str, Any]], *, month: Any) -> pd.DataFrame:
    """The charter's days in a month, in order.

    returns  on (date; the last of the month where it is shorter), what, owner, step
    """
    first = frames.month(month)
    rows = [{"on": first + pd.Timedelta(days=min(int(one["day"]), first.days_in_month) - 1), "what": one["what"], "owner": one.get("owner") or None, "step": one.get("step")} for one in days]
    return pd.DataFrame(rows, columns=["on", "what", "owner", "step"]).sort_values("on", kind="stable").reset_index(drop=True)


def _days(days: Sequence[Mapping[str, Any]], meeting_day: pd.Timestamp, country: str) -> Iterable[dict[str, Any]]:
    """Days nobody works, and days that cannot be right beside the day of the meeting."""
    if _off(meeting_day, country):
        yield _finding("meeting_off", "meeting", day=iso(meeting_day), next=iso(_next_working(meeting_day, country)))
    for row in dated(days, month=meeting_day).to_dict("records"):
        what, on = row["what"], row["on"]
        is_meeting = row["step"] == "meeting" or (not row["step"] and what.strip().casefold() in MEETINGS)
        if is_meeting and on != meeting_day:
            yield _finding("other_day", what, what=what, day=iso(on), meeting=iso(meeting_day))
        elif row["step"] in BEFORE and on > meeting_day:
            yield _finding("too_late", what, what=what, day=iso(on), meeting=iso(meeting_day))
        elif row["step"] == "recap" and on < meeting_day:
            yield _finding("too_early", what, what=what, day=iso(on), meeting=iso(meeting_day))
        elif not is_meeting and _off(on, country):
            yield _finding("day_off", what, what=what, day=iso(on), before=iso(calendar.working_day(on, country)))
    order = [(BEFORE.index(row["step"]), row) for row in dated(days, month=meeting_day).to_dict("records") if row["step"] in BEFORE]
    for (rank, row), (after, later) in itertools.pairwise(order):
        if after < rank:
            yield _finding("wrong_order", later["what"], what=row["what"], day=iso(row["on"]), other=later["what"], other_day=iso(later["on"]))


def _off(day: pd.Timestamp, country: str) -> bool:
    return calendar.working_day(day, country) != day


def _next_working(day: pd.Timestamp, country: str) -> pd.Timestamp:
    return next(later for i in range(1, 32) if not _off(later := day + pd.Timedelta(days=i), country))


def _finding(rule: str, about: str, *, amount: float = 0.0, **values: Any) -> dict[str, Any]:
    return {"id": f"charter-{rule}-{about}", "source": "charter", "rule": f"meeting.found_{rule}", "column": "", "rows": 0, "of_rows": 0, "amount": amount, "share": 0.0,
            "severity": "amber", "first": about, "values": as_json({**values, "amount": amount})}
