"""The invitation to a cycle's meeting: its agenda with the clock, and everybody who must or may come."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from sopnb import calendar_file, letters
from sopnb.words import is_missing, message

PARTS = ("last", "now", "ahead")


def of(meeting: Any, *, company: str, cycle: str, agenda: pd.DataFrame | None, people: pd.DataFrame | None, organizer: str, url: str | None = None,
       revision: int = 1, made: object = None) -> bytes:
    """The invitation as a calendar file; see `calendar_file.meeting`.

    meeting    `params.Meeting`: day, time, timezone, place, minutes
    agenda     frames.AGENDA; None: no agenda stands in it
    people     person   name, email, mandatory, gets; who gets nothing and need not come is not invited
    organizer  address that gets the answers; "" where there is none
    """
    starts = when(meeting, cycle)
    names = {} if people is None else dict(zip(people["person"], people["name"], strict=True))
    host = next((str(row["name"]) for row in _rows(people) if str(row["email"] or "").strip().lower() == organizer.lower()), "")
    return calendar_file.meeting(
        company=company, cycle=cycle, starts=starts, minutes=meeting.minutes, place=meeting.place, organizer={"name": host, "email": organizer},
        attendees=invited(people), agenda_lines=lines(agenda, starts, names), url=url, revision=revision, made=made)


def when(meeting: Any, cycle: str) -> dt.datetime:
    """The hour at which a cycle's meeting begins; without a zone where the params file names none."""
    hour, minute = map(int, meeting.time.split(":"))
    return dt.datetime(int(cycle[:4]), int(cycle[5:]), meeting.day, hour, minute, tzinfo=ZoneInfo(meeting.timezone) if meeting.timezone else None)


def invited(people: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Who must come or gets a report, with an address that can be used: {name, email, mandatory}."""
    return [{"name": row["name"], "email": str(row["email"]).strip(), "mandatory": _flag(row["mandatory"])}
            for row in _rows(people) if (_flag(row["mandatory"]) or row["gets"] in ("pack", "recap", "both")) and letters.usable("" if is_missing(row["email"]) else str(row["email"]))]


def _flag(value: object) -> bool:
    """A missing flag is no."""
    return not is_missing(value) and bool(value)


def lines(agenda: pd.DataFrame | None, starts: dt.datetime, names: dict[str, str]) -> list[str]:
    """The agenda, a line a point: the hour at which it begins, what it is, its minutes and who speaks."""
    rows = _rows(agenda)
    out: list[str] = []
    part, at = "", starts
    for row in sorted(rows, key=lambda row: row["position"]):
        if row["part"] != part and row["part"] in PARTS:
            part = row["part"]
            out.append(message(f"calendar.part.{part}", {}).text)
        owner = "" if is_missing(row["owner"]) else names.get(row["owner"], str(row["owner"]))
        minutes = 0 if is_missing(row["minutes"]) else int(row["minutes"])
        values = {"time": f"{at:%H:%M}", "topic": message(row["topic"], row["values"]).text, "minutes": minutes, "owner": owner}
        out.append(message("calendar.point" if owner else "calendar.point.nobody", values).text)
        at += dt.timedelta(minutes=minutes)
    return out


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    return [] if table is None else [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
