"""Calendar files (iCalendar, RFC 5545): the invitation to the meeting, and the due dates of somebody's actions.

    meeting    METHOD:REQUEST with organizer and attendees. Gmail, Outlook, Apple Mail and Thunderbird then offer yes, maybe and no,
               show who else must come, and move the entry when a later revision arrives. METHOD:PUBLISH must not name
               attendees (RFC 5546, 3.2.1), so it is taken only where nobody can be invited or nobody could get the answers.
    due        METHOD:PUBLISH: an entry for oneself, nothing to answer. Days, not tasks: Gmail and Outlook do not read VTODO.

Into a mail a file goes as an attachment, not as a third alternative beside text and HTML: Exchange would turn the whole
mail into a meeting item, without its pictures, and some programs show nothing at all where attachments follow.

The same facts give the same bytes: an entry is known by company and cycle, or by company and action; a revision counts SEQUENCE up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import frames
from sopnb.words import message

PRODUCT = "-//sopnb//S&OP//EN"
ALARM = dt.timedelta(hours=-15)  # of a day: nine in the morning of the day before
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+")


class CalendarError(ValueError):
    """A calendar file cannot be made from these facts; the message says which and what is allowed."""


def meeting(*, company: str, cycle: str, starts: dt.datetime, minutes: int, place: str = "", organizer: str | Mapping[str, Any] = "",
            attendees: Iterable[Mapping[str, Any]] = (), agenda_lines: Sequence[str] = (), url: str | None = None, revision: int = 1,
            made: object = None) -> bytes:
    """The invitation to a cycle's meeting.

    cycle         YYYY-MM
    starts        with its time zone, as datetime(2026, 10, 8, 9, tzinfo=ZoneInfo("Asia/Jakarta")); without one it is at that
                  hour wherever it is read
    organizer     who gets the answers: an address, or {name, email}
    attendees     {name, email, mandatory} each; one without an address is left out; an address is invited once
    agenda_lines  what the entry says, a line each; `url` of the report stands under it
    revision      1 for the first invitation; a later one replaces it
    made          the day it was made; the first day of the cycle where None
    returns       the file: UTF-8, lines of at most 75 octets, CRLF
    raises        CalendarError: a length of less than a minute, an address that is none
    """
    from icalendar import Event

    if minutes < 1:
        raise CalendarError(f"the meeting lasts {minutes} minutes; at least one is needed.")
    host, guests = _person(organizer), _guests(attendees)
    invites = bool(host and guests)
    event = Event()
    event.add("uid", _uid(company, cycle, "meeting"))
    event.add("dtstamp", _stamp(made or frames.month(cycle)))
    event.add("sequence", revision - 1)
    event.add("dtstart", starts)
    event.add("dtend", starts + dt.timedelta(minutes=minutes))
    event.add("summary", _clean(message("calendar.meeting", {"month": frames.month(cycle), "company": company}).text))
    if place:
        event.add("location", _clean(place))
    event.add("description", "\n".join([*(_clean(line) for line in agenda_lines), *([message("calendar.report", {}).text, url] if url else [])]))
    if url:
        event.add("url", _web(url))
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    if host:
        event.add("organizer", _caller(host), encode=False)
    for guest in guests if invites else []:
        role = "REQ-PARTICIPANT" if guest.get("mandatory") else "OPT-PARTICIPANT"
        event.add("attendee", _caller(guest, role=role, cutype="INDIVIDUAL", partstat="NEEDS-ACTION", rsvp="TRUE"), encode=False)
    return _file([event], "REQUEST" if invites else "PUBLISH", starts.date())


def due(actions: Iterable[Mapping[str, Any]], *, company: str, owner: str = "", revision: int = 1, organizer: str = "", made: object = None) -> bytes:
    """The due dates of somebody's actions, a whole day each, with a reminder at nine the morning before.

    actions    {action, title, due} each; `note` is shown under it where there is one; one without a due date is left out
    owner      whose actions they are, as people write it
    organizer  address that answers go to, where there is one
    made       the day it was made; the day before the first due date where None
    returns    the file; b"" where there is nothing to enter
    raises     CalendarError: an organizer that is no address
    """
    from icalendar import Alarm, Event

    dated = [(pd.Timestamp(str(one["due"])).date(), one) for one in actions if not pd.isna(one.get("due"))]
    if not dated:
        return b""
    stamp = _stamp(made or min(day for day, _ in dated) - dt.timedelta(days=1))
    host, events = _person(organizer), []
    for day, action in sorted(dated, key=lambda pair: (pair[0], str(pair[1]["action"]))):
        event = Event()
        event.add("uid", _uid(company, str(action["action"]), "action"))
        event.add("dtstamp", stamp)
        event.add("sequence", revision - 1)
        event.add("dtstart", day)
        event.add("dtend", day + dt.timedelta(days=1))
        event.add("summary", _clean(message("calendar.due", {"title": action["title"]}).text))
        said = message("calendar.due.about" if owner else "calendar.due.about.nobody", {"action": action["action"], "company": company, "owner": owner}).text
        event.add("description", "\n".join([said, *([_clean(str(action["note"]))] if action.get("note") else [])]))
        event.add("transp", "TRANSPARENT")  # a day's work is not taken by it
        if host:
            event.add("organizer", _caller(host), encode=False)
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _clean(str(action["title"])))
        alarm.add("trigger", ALARM)
        event.add_component(alarm)
        events.append(event)
    return _file(events, "PUBLISH", dated[0][0])


# --- parts ----------------------------------------------------------------------------------------------------------

def _file(events: list[Any], method: str, day: dt.date) -> bytes:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    for event in events:
        calendar.add_component(event)
    # The zone's rules around the day alone: a file that holds them from 1970 on is ten times as long.
    calendar.add_missing_timezones(first_date=dt.date(day.year - 1, 1, 1), last_date=dt.date(day.year + 2, 1, 1))
    for zone in calendar.timezones:
        zone.pop("COMMENT", None)  # the library tells until when its rules hold: nobody reads on after the day
    return bytes(calendar.to_ical())


def _guests(people: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each address once; who is mandatory in one line is mandatory."""
    found: dict[str, dict[str, Any]] = {}
    for one in people:
        person = _person(one)
        if person:
            known = found.setdefault(person["email"].lower(), {**person, "mandatory": False})
            known["mandatory"] = known["mandatory"] or one.get("mandatory") is True or str(one.get("mandatory")).lower() == "true"
    return list(found.values())


def _person(given: str | Mapping[str, Any]) -> dict[str, str] | None:
    name, address = ("", given) if isinstance(given, str) else (given.get("name"), given.get("email"))
    plain = "" if address is None or address != address else str(address).strip()
    if not plain:
        return None
    if not _ADDRESS.fullmatch(plain) or not plain.isprintable():
        raise CalendarError(f"{plain!r} is not a mail address. Allowed: name@company.example; see `email` in people and `owner` in the params file.")
    return {"name": "" if name is None or name != name else _clean(str(name)), "email": plain}


def _caller(person: Mapping[str, Any], **parameters: str) -> Any:
    from icalendar import vCalAddress, vText

    address = vCalAddress(f"mailto:{person['email']}")
    for name, value in (({"cn": person["name"]} if person["name"] else {}) | parameters).items():
        address.params[name] = vText(value)
    return address


def _uid(company: str, what: str, kind: str) -> str:
    return hashlib.sha256("\n".join([company, what, kind]).encode("utf-8")).hexdigest()[:32] + "@sopnb"


def _stamp(day: object) -> dt.datetime:
    return pd.Timestamp(str(day)).to_pydatetime().replace(tzinfo=dt.UTC)


def _clean(text: str) -> str:
    """One line without characters nobody can see."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _web(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s\x00-\x1f\x7f<>\"]+", url):
        raise CalendarError(f"reports_url {url!r} is not a web address. Allowed: https://…")
    return url
