"""The recap and the reminder, read back: own actions first, one thread, due dates as a calendar file; the invitation of a cycle."""

from __future__ import annotations

import datetime as dt
import re

import icalendar
import mail_cases as cases
import pandas as pd
import pytest

from sopnb import frames, invitation, mail, params_meeting, words
from sopnb.words import plain

AGUS = {"to": "agus@pangan.example", "name": "Agus Santoso", "person": "P2"}
NOBODY = {"to": "rina@pangan.example", "name": "Rina Kusuma", "person": "P4"}


def order(text: str, *parts: str) -> list[int]:
    at = [text.find(part) for part in parts]
    assert -1 not in at, parts[at.index(-1)]
    return at


def sections(message) -> list[str]:
    return [re.sub(r"<[^>]+>", "", found) for found in re.findall(r"<h2[^>]*>(.*?)</h2>", cases.body(message))]


# --- the recap ------------------------------------------------------------------------------------------------------

def test_a_recap_opens_with_the_readers_own_actions_then_decisions_then_all_actions():
    wanted = ["Your actions", "Decided", "Asked for and not decided", "Who does what by when", "Closed since the last meeting", "Who was there", "What was said", "Assumptions"]
    assert sections(cases.recap()) == wanted
    text = cases.body(cases.recap(), "plain")
    at = order(text, *[f"\n{title}\n{'-' * len(title)}" for title in wanted], "The next meeting is on Thursday 8 October.")
    assert at == sorted(at)


def test_each_reader_sees_their_own_actions_first():
    for reader, mine, others in ((None, ["Move oven maintenance to <November>", "Co-packer price"], ["Second source"]), (AGUS, ["Second source"], ["Co-packer price"])):
        text = cases.body(cases.recap(reader), "plain")
        own = text.split("Your actions\n")[1].split("\nDecided\n")[0]
        assert all(title in own for title in mine) and not any(title in own for title in others)
        assert all(title in text for title in (*mine, *others)), "the others' actions stand below, by owner"
    assert "You have no open action" in cases.body(cases.recap(NOBODY), "plain")
    assert "You have one open action, and it is overdue" in cases.body(cases.recap(AGUS), "plain")


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_decision_tells_option_reason_dissent_effect_and_the_month_it_is_judged(kind):
    body = " ".join(re.sub(r"<[^>]+>", "", cases.body(cases.recap(), kind)).split()).replace("\u00a0", " ")
    for said in ("Option: A", "Why: The oven is short before Lebaran", "Dissent: Sales Medan would follow", "Expected: On time in full +2.0 pts, to be judged in February 2027",
                 "Nobody was entitled to decide it.", "Decided by Budi Hartono"):
        assert said in body


def test_actions_stand_under_their_owner():
    text = cases.body(cases.recap(), "plain").split("Who does what by when")[1]
    at = order(text, "\nBudi Hartono\n", "Move oven", "Co-packer", "\nAgus Santoso\n", "Second source", "\nMaya Putri\n", "Cash plan")
    assert at == sorted(at)
    assert cases.body(cases.recap()).count('scope="rowgroup"') == 3


def test_who_had_to_come_and_sent_nobody_is_named_first():
    rows = cases.body(cases.recap(), "plain").split("Who was there\n")[1].split("\n\n")[0].splitlines()[1:]
    assert [row.split(",")[0].strip() for row in rows] == ["Maya Putri", "Budi Hartono", "Agus Santoso", "Rina Kusuma"]
    assert rows[0].endswith("absent, nobody sent") and rows[2].endswith("represented by Putu Ardana") and rows[3].endswith(" absent")


def test_a_correction_comes_in_the_same_thread_under_the_same_subject():
    first, second, third = (cases.recap(revision=n, changes=[plain("Action A1 is due on 7 October.")] if n > 1 else [], headline=plain(f"Headline {n}")) for n in (1, 2, 3))
    assert first["Subject"] == second["Subject"] == third["Subject"] == "S&OP September 2026, Contoh Pangan: recap of the meeting"
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"] and first["References"] is None
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}" and third["In-Reply-To"] == second["Message-ID"]
    for kind in ("plain", "html"):
        assert "Revision 2" in cases.body(second, kind) and "Action A1 is due on 7 October." in cases.body(second, kind) and "Revision" not in cases.body(first, kind)


def test_the_calendar_file_of_a_recap_holds_the_readers_own_due_dates():
    found = {str(one["summary"]): one for one in icalendar.Calendar.from_ical(attached(cases.recap(revision=2))).events}
    assert set(found) == {"Due: Move oven maintenance to <November>", "Due: Co-packer price for 22,000 cartons"}
    one = found["Due: Co-packer price for 22,000 cartons"]
    assert one.start == dt.date(2026, 10, 7) and one["sequence"] == 1 and "Owner: Budi Hartono." in str(one["description"])
    assert list(cases.recap(NOBODY).iter_attachments()) == []


def attached(message) -> bytes:
    (part,) = message.iter_attachments()
    assert part.get_content_type() == "text/calendar" and part.get_param("method") == "PUBLISH" and part.get_filename() == "due-dates.ics"
    return part.get_payload(decode=True)


def test_titles_are_text_in_both_bodies():
    assert "Move oven maintenance to &lt;November&gt;" in cases.body(cases.recap()) and "<November>" in cases.body(cases.recap(), "plain")


def test_a_meeting_without_decisions_actions_or_minutes_is_told_in_whole_sentences():
    bare = {"decisions": {"finding": plain("No decision was taken"), "rows": []}, "undecided": [], "closed": [], "assumptions": [], "points": [], "attendance": [],
            "actions": {"finding": plain("No action is open"), "count": 0, "overdue": 0, "new": 0, "amount": 0, "all": [], "owners": []}}
    message = cases.recap(**bare)
    assert sections(message) == ["Your actions", "Decided", "Who does what by when"]
    for said in ("You have no open action", "No decision was taken", "No action is open"):
        assert said in cases.body(message, "plain")


def test_owners_of_new_actions_get_the_recap_whatever_they_asked_for():
    readers, _ = mail.readers(cases.PEOPLE, "recap", also={"P2"})
    assert [one["person"] for one in readers] == ["P1", "P2"]


# --- the reminder ---------------------------------------------------------------------------------------------------

def test_a_reminder_is_short_and_names_the_overdue_first():
    message = cases.reminder()
    text = cases.body(message, "plain")
    at = order(text, "You have 1 overdue and 1 due soon", "Overdue\n-", "Move oven maintenance", "Due soon\n-", "Co-packer price for 22,000 cartons (in 1 day)", "How to report\n-")
    assert at == sorted(at) and "Far away" not in text and len(text.splitlines()) < 40
    assert message["Subject"] == "S&OP actions, Contoh Pangan: you have 1 overdue and 1 due soon"
    assert "11 days late" in text and "Rp 3.5 bn depends on them." in text


def test_a_reminder_says_how_to_report_by_reply_and_by_command():
    for kind in ("plain", "html"):
        said = " ".join(re.sub(r"<[^>]+>", "", cases.body(cases.reminder(), kind)).split())
        assert "Reply to this mail" in said and "sopnb actions done params/contoh.yaml 2026-08-A1" in said
    assert "sopnb" not in cases.body(cases.reminder(command=""), "plain")


def test_a_reminder_is_known_by_its_day_and_has_the_due_dates_with_it():
    assert cases.reminder()["Message-ID"] == cases.reminder()["Message-ID"]
    later = mail.reminder({**cases.owned(), "day": pd.Timestamp("2026-10-07")}, company="Contoh Pangan", sender="sop@pangan.example")
    assert later["Message-ID"] != cases.reminder()["Message-ID"]
    assert len(icalendar.Calendar.from_ical(attached(cases.reminder())).events) == 2


def test_without_anything_to_say_no_reminder_is_made():
    with pytest.raises(mail.MailError, match="nothing overdue and nothing due"):
        mail.reminder({**cases.owned(), "overdue": [], "due": []}, company="C", sender="sop@pangan.example")


# --- the invitation of a cycle --------------------------------------------------------------------------------------

MEETING = params_meeting.Meeting(day=8, time="09:00", timezone="Asia/Jakarta", place="Rinjani", minutes=60)


def agenda() -> pd.DataFrame:
    rows = [{"point": "P1", "position": 1, "part": "last", "topic": "front.headline.question", "values": '{"question": "What was promised?"}', "minutes": 10, "owner": "P1"},
            {"point": "P2", "position": 2, "part": "now", "topic": "front.headline.question", "values": '{"question": "What hurts?"}', "minutes": 35, "owner": None},
            {"point": "P3", "position": 3, "part": "now", "topic": "front.headline.question", "values": '{"question": "Close"}', "minutes": 15, "owner": "P2"}]
    return cases.small.make(frames.AGENDA, *rows)


def test_the_invitation_holds_the_agenda_with_the_clock():
    with words.speaking("en", "IDR"):
        file = invitation.of(MEETING, company="Contoh Pangan", cycle="2026-10", agenda=agenda(), people=cases.PEOPLE, organizer="budi@pangan.example", url=cases.URL)
    event = icalendar.Calendar.from_ical(file).events[0]
    assert str(event["description"]).split("\n") == ["Last month", "09:00 What was promised? (10 min, Budi Hartono)", "Now", "09:10 What hurts? (35 min)", "09:45 Close (15 min, Agus Santoso)",
                                                     "The report:", cases.URL]
    assert event.start.hour == 9 and event.end.hour == 10 and str(event["location"]) == "Rinjani" and event["organizer"].params["cn"] == "Budi Hartono"


def test_who_must_come_or_reads_the_pack_is_invited_where_there_is_an_address():
    assert [(one["name"], one["mandatory"]) for one in invitation.invited(cases.PEOPLE)] == [("Budi Hartono", True), ("Agus Santoso", False)]
    assert invitation.invited(None) == []


def test_without_people_agenda_or_zone_there_is_still_an_entry():
    with words.speaking("en", "USD"):
        file = invitation.of(params_meeting.Meeting(), company="C", cycle="2026-10", agenda=None, people=None, organizer="")
    calendar = icalendar.Calendar.from_ical(file)
    assert calendar["method"] == "PUBLISH" and calendar.events[0].start == dt.datetime(2026, 10, 8, 9)
