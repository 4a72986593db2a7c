"""The pack's mails and invitation, as a run makes them: what is attached is what was asked for; a recap leaves the invitation as it was."""

from __future__ import annotations

import email
import email.policy
import types

import icalendar
import mail_cases as cases
import pytest

from sopnb import mail, pack, params, posting

COMPANY = {"name": "Contoh Pangan", "currency": "IDR", "owner": "sari@pangan.example", "meeting": {"day": 8, "timezone": "Asia/Jakarta", "place": "Rinjani"}}


def company(**mailed):
    return params.Company.model_validate({**COMPANY, "sources": {"orders": {"path": "o.csv"}, "items": {"path": "i.csv"}}, "mail": mailed})


@pytest.fixture
def build(tmp_path):
    (tmp_path / "pack.html").write_text("<p>pack</p>", encoding="utf-8")
    (tmp_path / "contoh-2026-10.xlsx").write_bytes(b"PK")
    (tmp_path / pack.INVITATION).write_bytes(invite(tmp_path, 1).read_bytes())
    return tmp_path


def invite(folder, revision, before="none.ics", **other):
    tables = {"people": cases.PEOPLE, **other}
    return pack._invitation(company(), "2026-10", tables, {"as_of": "2026-10-05"}, folder / "made.ics", revision, folder / before)


def attached(build, **mailed):
    paths = pack.mails(company(**mailed), cases.PEOPLE, cases.page(), build, revision=1, workbook=build / "contoh-2026-10.xlsx")
    messages = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    assert {str(one["To"]) for one in messages} == {"Budi Hartono <budi@pangan.example>", "Agus Santoso <agus@pangan.example>"}
    return [[part.get_filename() for part in one.iter_attachments()] for one in messages]


@pytest.mark.parametrize(("asked", "names"), [
    ({}, ["sop-contoh-pangan-2026-10.html"]), ({"attach": "none"}, []), ({"attach": ["calendar"]}, ["invitation.ics"]),
    ({"attach": ["html", "xlsx", "calendar"]}, ["sop-contoh-pangan-2026-10.html", "contoh-2026-10.xlsx", "invitation.ics"])])
def test_each_reader_gets_what_the_params_file_asks_for(asked, names, build):
    assert attached(build, **asked) == [names, names]


def test_pictures_are_drawn_once_for_all_readers(build, monkeypatch):
    drawn, ready = [], cases.pictures()
    monkeypatch.setattr(mail, "pictures", lambda page: drawn.append(1) or ready)
    attached(build)
    assert drawn == [1]


def test_the_invitation_is_kept_where_no_mails_are_written(tmp_path):
    before = tmp_path / "before.ics"
    before.write_bytes(b"as it went out")
    assert invite(tmp_path, None, "before.ics").read_bytes() == b"as it went out"
    assert b"BEGIN:VCALENDAR" in invite(tmp_path, None).read_bytes(), "the first time there is none"
    assert icalendar.Calendar.from_ical(invite(tmp_path, 3, "before.ics").read_bytes()).events[0]["sequence"] == 2


def test_who_answers_for_the_run_gets_the_answers(tmp_path):
    event = icalendar.Calendar.from_ical(invite(tmp_path, 1).read_bytes()).events[0]
    assert event["organizer"] == "mailto:sari@pangan.example" and len(event["attendee"]) == 2


def test_a_reader_whose_address_or_name_cannot_stand_in_a_header_keeps_nobody_elses_mail_back(build):
    """Nor does an owner's: the answers then go to who sends."""
    for column, wrong in (("email", "budi@"), ("name", "Budi\nBcc: all@pangan.example")):
        people = cases.PEOPLE.assign(**{column: cases.PEOPLE[column].where(cases.PEOPLE["person"] != "P1", wrong)})
        owned = company(sender="plan@pangan.example", attach="none").model_copy(update={"owner": "P1"})
        (path,) = pack.mails(owned, people, cases.page(), build, revision=1)
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert str(message["To"]) == "Agus Santoso <agus@pangan.example>"
        assert message["Reply-To"] == ("plan@pangan.example" if column == "email" else "budi@pangan.example")
        path.unlink()
        _, (line,) = mail.readers(people, "pack")
        assert line.startswith("P1: ") and "people" in line


def test_where_no_reader_can_be_written_to_the_run_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(posting, "letters", lambda job, manifest, kind: ([], ["No mail for P1: no address"]))
    assert posting.written(types.SimpleNamespace(company=company(), target=tmp_path), {}, "pack").notes == ["No mail for P1: no address"]
