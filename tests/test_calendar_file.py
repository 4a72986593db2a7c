"""Calendar files read back with the `icalendar` parser, and their lines against RFC 5545 by hand."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest

from sopnb import calendar_file, words

JAKARTA = ZoneInfo("Asia/Jakarta")
MEETING = {
    "company": "Nusantara Pangan", "cycle": "2026-10", "starts": dt.datetime(2026, 10, 8, 9, tzinfo=JAKARTA), "minutes": 75, "place": "Jakarta office, room 3; 2nd floor",
    "organizer": {"name": "Sari Wulandari", "email": "sari@pangan.example"},
    "attendees": [{"name": "Budi Hartono", "email": "budi@pangan.example", "mandatory": True}, {"name": "Agus, \"Santoso\"", "email": "agus@pangan.example", "mandatory": False},
                  {"name": "No address", "email": None, "mandatory": True}],
    "agenda_lines": ["09:00 Last month: what was promised, what was kept (10 min, Budi)", "09:10 Kopi, teh; gula \\ susu – Rp 12,3 M", "é" * 90],
}
ACTIONS = [{"action": "2026-09-A2", "title": "Co-packer price for 22,000 cartons", "due": "2026-10-07"}, {"action": "2026-08-A1", "title": "Second source", "due": "2026-09-18", "note": "10 days late"},
           {"action": "2026-09-A9", "title": "No day yet", "due": None}]


@pytest.fixture(autouse=True)
def english():
    with words.speaking("en", "IDR"):
        yield


def read(file: bytes):
    calendar = icalendar.Calendar.from_ical(file)
    assert not calendar.errors and not any(part.errors for part in calendar.walk())
    return calendar


def meeting(**other):
    return calendar_file.meeting(**{**MEETING, **other})


def test_the_invitation_starts_and_ends_in_the_meetings_own_time_zone():
    event = read(meeting()).events[0]
    assert event.start == dt.datetime(2026, 10, 8, 9, tzinfo=JAKARTA) and event.end == dt.datetime(2026, 10, 8, 10, 15, tzinfo=JAKARTA)
    assert event.start.utcoffset() == dt.timedelta(hours=7)
    assert b"DTSTART;TZID=Asia/Jakarta:20261008T090000\r\n" in meeting() and b"BEGIN:VTIMEZONE\r\nTZID:Asia/Jakarta\r\n" in meeting()


@pytest.mark.parametrize(("zone", "hours"), [("America/New_York", -4), ("Europe/Berlin", 2), ("Asia/Kolkata", 5.5), ("UTC", 0)])
def test_a_zone_with_summer_time_says_the_offset_of_that_day(zone, hours):
    event = read(meeting(starts=dt.datetime(2026, 10, 8, 9, tzinfo=ZoneInfo(zone)))).events[0]
    assert event.start.utcoffset() == dt.timedelta(hours=hours)


def test_without_a_zone_the_meeting_is_at_that_hour_wherever_it_is_read():
    raw = meeting(starts=dt.datetime(2026, 10, 8, 9))
    assert b"DTSTART:20261008T090000\r\n" in raw and b"VTIMEZONE" not in raw
    assert read(raw).events[0].start.tzinfo is None


def test_the_invitation_asks_those_who_must_come_and_those_who_may():
    calendar = read(meeting())
    assert calendar["method"] == "REQUEST"
    event = calendar.events[0]
    assert event["organizer"] == "mailto:sari@pangan.example" and event["organizer"].params["cn"] == "Sari Wulandari"
    asked = {str(one): (one.params["role"], one.params["partstat"], one.params["rsvp"]) for one in event["attendee"]}
    assert asked == {"mailto:budi@pangan.example": ("REQ-PARTICIPANT", "NEEDS-ACTION", "TRUE"), "mailto:agus@pangan.example": ("OPT-PARTICIPANT", "NEEDS-ACTION", "TRUE")}
    assert event["attendee"][1].params["cn"] == 'Agus, "Santoso"'


@pytest.mark.parametrize("other", [{"attendees": []}, {"organizer": ""}])
def test_where_nobody_can_answer_the_entry_is_published_without_attendees(other):
    """RFC 5546: REQUEST needs an attendee and an organizer; PUBLISH must not name attendees."""
    calendar = read(meeting(**other))
    assert calendar["method"] == "PUBLISH" and "attendee" not in calendar.events[0]


def test_the_agenda_stands_in_the_entry_word_for_word():
    event = read(meeting(url="https://reports.example/2026-10")).events[0]
    assert str(event["description"]).split("\n") == [*MEETING["agenda_lines"], "The report:", "https://reports.example/2026-10"]
    assert event["url"] == "https://reports.example/2026-10"
    assert event["location"] == "Jakarta office, room 3; 2nd floor" and event["summary"] == "S&OP October 2026, Nusantara Pangan"


@pytest.mark.parametrize("file", [meeting, lambda: calendar_file.due(ACTIONS, company="Ñusantara 食品" * 12, owner="Budi")], ids=["meeting", "due"])
def test_every_line_has_at_most_75_octets_and_ends_in_crlf(file):
    with words.speaking("en", "IDR"):
        raw = file()
    assert raw.endswith(b"END:VCALENDAR\r\n") and b"\n" not in raw.replace(b"\r\n", b"")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 75 and any(line.startswith(b" ") for line in lines)
    for line in lines:
        line.decode("utf-8")  # no letter is cut in two


def test_commas_semicolons_and_backslashes_are_escaped():
    unfolded = meeting().replace(b"\r\n ", b"").decode()
    assert r"LOCATION:Jakarta office\, room 3\; 2nd floor" in unfolded
    assert r"Kopi\, teh\; gula \\ susu – Rp 12\,3 M" in unfolded and r"\n09:10" in unfolded


def test_a_later_revision_is_the_same_entry_counted_up():
    first, second = read(meeting()).events[0], read(meeting(revision=2)).events[0]
    assert first["uid"] == second["uid"] and (first["sequence"], second["sequence"]) == (0, 1)
    assert read(meeting(cycle="2026-11")).events[0]["uid"] != first["uid"] != read(meeting(company="Another")).events[0]["uid"]


def test_the_same_facts_give_the_same_file():
    assert meeting() == meeting() and b"DTSTAMP:20261001T000000Z" in meeting()
    assert b"DTSTAMP:20261005T000000Z" in meeting(made="2026-10-05")


@pytest.mark.parametrize("attack", ["a@b.example\r\nATTENDEE:mailto:c@d.example", "a@b.example;ROLE=CHAIR", "no address", "a@b.example\u2028x"])
def test_an_address_that_would_write_lines_of_its_own_is_refused(attack):
    with pytest.raises(calendar_file.CalendarError, match="not a mail address"):
        meeting(attendees=[{"name": "x", "email": attack}])
    with pytest.raises(calendar_file.CalendarError, match="not a mail address"):
        meeting(organizer=attack)


def test_a_name_or_place_cannot_write_lines_of_its_own():
    event = read(meeting(place="Room\r\nATTENDEE:mailto:c@d.example", attendees=[{"name": "Budi\r\nX-EVIL:1", "email": "b@x.example"}])).events[0]
    assert event["location"] == "Room ATTENDEE:mailto:c@d.example" and event["attendee"].params["cn"] == "Budi X-EVIL:1" and "x-evil" not in event


@pytest.mark.parametrize(("other", "said"), [({"minutes": 0}, "at least one"), ({"url": "javascript:x"}, "web address")])
def test_facts_that_make_no_entry_are_refused_with_the_remedy(other, said):
    with pytest.raises(calendar_file.CalendarError, match=said):
        meeting(**other)


def test_an_address_is_invited_once_and_mandatory_wins():
    event = read(meeting(attendees=[{"name": "B", "email": "b@x.example", "mandatory": False}, {"name": "B", "email": "B@x.example ", "mandatory": True}])).events[0]
    assert event["attendee"].params["role"] == "REQ-PARTICIPANT"


def test_due_dates_are_whole_days_that_leave_the_calendar_free_and_remind_the_morning_before():
    calendar = read(calendar_file.due(ACTIONS, company="Nusantara Pangan", owner="Budi Hartono", organizer="sari@pangan.example"))
    assert calendar["method"] == "PUBLISH"
    assert [(one.start, one.end, str(one["summary"])) for one in calendar.events] == [
        (dt.date(2026, 9, 18), dt.date(2026, 9, 19), "Due: Second source"), (dt.date(2026, 10, 7), dt.date(2026, 10, 8), "Due: Co-packer price for 22,000 cartons")]
    assert {str(one["transp"]) for one in calendar.events} == {"TRANSPARENT"}
    assert [alarm.TRIGGER for alarm in calendar.walk("VALARM")] == [dt.timedelta(hours=-15)] * 2
    assert str(calendar.events[0]["description"]) == "2026-08-A1, S&OP of Nusantara Pangan. Owner: Budi Hartono.\n10 days late"
    assert "attendee" not in calendar.events[0] and calendar.events[0]["organizer"] == "mailto:sari@pangan.example"


def test_a_due_date_is_the_same_entry_in_recap_revision_and_reminder():
    recap, revised, reminder = (read(calendar_file.due(ACTIONS, company="C", owner=owner, revision=n, made=day)).events for owner, n, day in (
        ("Budi", 1, "2026-09-10"), ("Budi", 2, "2026-09-11"), ("Budi Hartono", 1, "2026-10-05")))
    assert [e["uid"] for e in recap] == [e["uid"] for e in revised] == [e["uid"] for e in reminder]
    assert revised[0]["sequence"] == 1 and reminder[0].DTSTAMP > recap[0].DTSTAMP


def test_nothing_due_is_no_file():
    assert calendar_file.due([], company="C") == b"" == calendar_file.due([{"action": "A", "title": "t", "due": None}], company="C")
