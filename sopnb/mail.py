"""The mails: the pack before the meeting, the recap after it, the reminder between meetings.

Each is a second, smaller document than its page, made from the same facts: a complete plain text of at most 78 columns, and one
HTML column of 640 px with inline styles (`mail_html`), in one envelope (`letters`). `sopnb.delivery` sends them, once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import calendar_file, frames, letters, mail_pack, mail_pictures, mail_recap, mail_reminder, words
from sopnb.letters import COLUMNS, HTML_LIMIT, SUBJECT_LIMIT, Attached, MailError
from sopnb.letters import address as _address
from sopnb.mail_pictures import Pictures
from sopnb.words import message

__all__ = ["COLUMNS", "HTML_LIMIT", "SUBJECT_LIMIT", "MailError", "attached_name", "build", "may_send", "message_id", "pictures", "readers", "recap", "reminder", "subject"]

pictures = mail_pictures.of


def may_send(verdict: str) -> bool:
    """Whether the readers get the mail: a red verdict holds it until the data are mended or the finding is waived."""
    return verdict in ("green", "amber")


def readers(people: pd.DataFrame | None, kind: str, *, also: Collection[str] = ()) -> tuple[list[dict[str, str]], list[str]]:
    """Who gets a report, in the order of `people`: each address once.

    people    person   name, email, gets (pack, recap, both or none)
    kind      pack or recap
    also      people who get it whatever `gets` says: owners of new actions, for the recap
    returns   {person, name, to} each; and a line for everyone who should get it and has no usable address
    """
    found: dict[str, dict[str, str]] = {}
    wrong = []
    rows = [] if people is None else people[people["gets"].isin([kind, "both"]) | people["person"].isin(list(also))].to_dict("records")
    for row in rows:
        reader = {"person": str(row["person"]), "name": row["name"] or str(row["person"]), "to": (row["email"] or "").strip()}
        try:
            _address(reader["to"], reader["name"])
        except MailError as error:
            wrong.append(f"{reader['person']}: {error}")
        else:
            found.setdefault(reader["to"].lower(), reader)
    return list(found.values()), wrong


# --- the pack -------------------------------------------------------------------------------------------------------

def build(page: dict[str, Any], *, to: str, name: str = "", person: str = "", sender: str, owner: str = "", kind: str = "pack", revision: int = 1,
          reports_url: str | None = None, attachment: Path | str | None = None, workbook: Path | str | None = None, calendar: bytes = b"",
          date: dt.datetime | None = None, drawn: Pictures | None = None) -> EmailMessage:
    """One reader's mail with the cycle's pack.

    page        the front page's facts (`front.facts`)
    to, name    the reader's address and name; person their id in `people`, to show their own actions
    owner       address that answers replies; the sender where empty
    kind        what the mail is known by, beside cycle and reader; revision counts the times a pack was made anew for its readers
    attachment  the one-file pack; workbook the Excel workbook; calendar the invitation, as `calendar_file.meeting` gives it
    date        the Date header; the cycle's `as_of` where None, so that the same facts give the same mail
    drawn       the pictures (`pictures(page)`), drawn once for all readers; drawn here where None
    raises      MailError: an address or name with control characters; HTML, message or an attachment over its limit
    """
    header = page["header"]
    with words.speaking(header["language"], header["currency"]):
        attached = _files(header, attachment, workbook, calendar)
        id, earlier = letters.ids(header["company"], str(header["cycle"]), kind=kind, revision=revision, to=to, sender=sender)
        said = mail_pack.facts(
            page, name=name or to, person=person, reports_url=letters.web(reports_url or ""), files=[one.name for one in attached],
            subject=subject(page, revision), revision=revision, message_id=id, pictures=drawn if drawn is not None else pictures(page))
        return letters.letter(
            subject=said["subject"], to=to, name=name, sender=sender, company=header["company"], owner=owner, date=_date(date, page["as_of"]), message_id=id,
            earlier=earlier, text=mail_pack.plain(said), html=mail_pack.html(said), pictures=said["pictures"].all(), attached=attached)


def _files(header: dict[str, Any], page: Path | str | None, workbook: Path | str | None, calendar: bytes) -> list[Attached]:
    files = [letters.page_file(Path(page), letters.file_name(header["company"], f"{header['cycle']}.html"))] if page else []
    files += [letters.workbook_file(Path(workbook))] if workbook else []
    return files + ([letters.calendar_part(calendar, "invitation.ics")] if calendar else [])


def subject(page: dict[str, Any], revision: int = 1) -> str:
    """Cycle month, company, headline, in one line that is cut at a word; a revision says so."""
    values = {"month": frames.month(str(page["header"]["cycle"])), "company": page["header"]["company"], "headline": page["headline"].text}
    whole = message("mail.subject.revised", {**values, "revision": revision}).text if revision > 1 else message("mail.subject", values).text
    return letters.subject_line(whole)


def message_id(page: dict[str, Any], *, kind: str, revision: int, to: str, sender: str) -> str:
    """The same for the same company, cycle, report, revision and reader."""
    return letters.message_id(page["header"]["company"], str(page["header"]["cycle"]), kind=kind, revision=revision, to=to, sender=sender)


def attached_name(page: dict[str, Any]) -> str:
    """sop-contoh-pangan-2026-10.html"""
    return letters.file_name(page["header"]["company"], f"{page['header']['cycle']}.html")


def _date(given: dt.datetime | None, day: Any) -> dt.datetime:
    return given or pd.Timestamp(day).to_pydatetime().replace(tzinfo=dt.UTC)


# --- the recap ------------------------------------------------------------------------------------------------------

def recap(page: dict[str, Any], *, to: str, name: str = "", person: str = "", sender: str, owner: str = "", reports_url: str | None = None,
          date: dt.datetime | None = None) -> EmailMessage:
    """One reader's recap of the meeting, their own actions first, with a calendar file of their due dates.

    page      `recap_facts.facts`; its revision counts how often the minutes were corrected: one thread, one subject
    person    the reader's id in `people`; date: the day of the meeting where None; others as `build` takes them
    raises    as `build`
    """
    header = page["header"]
    with words.speaking(header["language"], header["currency"]):
        files = _due(mail_recap.own(page, person, name), header["company"], name or to, owner or sender, page["revision"], page["as_of"])
        id, earlier = letters.ids(header["company"], str(header["cycle"]), kind="recap", revision=page["revision"], to=to, sender=sender)
        said = mail_recap.facts(page, name=name or to, person=person, reports_url=letters.web(reports_url or ""), files=[one.name for one in files],
                                subject=letters.subject_line(mail_recap.subject(page)), message_id=id)
        return letters.letter(subject=said["subject"], to=to, name=name, sender=sender, company=header["company"], owner=owner, date=_date(date, page["as_of"]),
                              message_id=id, earlier=earlier, text=mail_recap.plain(said), html=mail_recap.html(said), attached=files)


# --- between meetings -----------------------------------------------------------------------------------------------

def reminder(owned: dict[str, Any], *, company: str, sender: str, to: str = "", name: str = "", owner: str = "", language: str = "en", currency: str = "USD",
             reports_url: str | None = None, command: str = "", date: dt.datetime | None = None) -> EmailMessage:
    """One owner's reminder, known by its day: at most one a day.

    owned      one value of `status_page.reminders`; to, name and language: what it says of the owner where empty
    language   of an owner who has none
    command    how an action is closed in a terminal, as "sopnb actions done params/acme.yaml"; "" leaves the line out
    raises     as `build`; MailError where there is nothing to remind of
    """
    to, name, day = to or owned["email"], name or owned["name"], pd.Timestamp(owned["day"])
    if not owned["overdue"] and not owned["due"]:
        raise MailError(f"{name} has nothing overdue and nothing due: no reminder is made.")
    with words.speaking(owned["language"] or language, currency):
        files = _due([*owned["overdue"], *owned["due"]], company, name, owner or sender, 1, day)
        id = letters.message_id(company, f"{day:%Y-%m-%d}", kind="reminder", revision=1, to=to, sender=sender)
        said = mail_reminder.facts(owned, company=company, name=name, command=command, reports_url=letters.web(reports_url or ""),
                                   files=[one.name for one in files], message_id=id)
        return letters.letter(subject=letters.subject_line(said["subject"]), to=to, name=name, sender=sender, company=company, owner=owner, date=_date(date, day),
                              message_id=id, text=mail_reminder.plain(said), html=mail_reminder.html(said, words.language()), attached=files)


def _due(rows: list[dict[str, Any]], company: str, name: str, organizer: str, revision: int, day: Any) -> list[Attached]:
    """Due dates as a calendar file; none where no date is set."""
    content = calendar_file.due(rows, company=company, owner=name, organizer=organizer, revision=revision, made=day)
    return [letters.calendar_part(content, "due-dates.ics")] if content else []
