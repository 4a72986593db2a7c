"""The mails: the pack before the meeting, the recap after it, the reminder between meetings.

Each is a second, smaller document than its page, made from the same facts: a complete plain text of at most 78 columns, and one
HTML column of 640 px with inline styles (`mail_html`), in one envelope (`letters`). `sopnb.delivery` sends them, once.
"""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, letters, mail_pack, mail_pictures, words
from sopnb.letters import COLUMNS, HTML_LIMIT, SUBJECT_LIMIT, Attached, MailError
from sopnb.letters import address as _address
from sopnb.mail_pictures import Pictures
from sopnb.words import message

__all__ = ["COLUMNS", "HTML_LIMIT", "SUBJECT_LIMIT", "MailError", "attached_name", "build", "may_send", "message_id", "pictures", "readers", "subject"]

pictures = mail_pictures.of


def may_send(verdict: str) -> bool:
    """Whether the readers get the mail: a red verdict holds it until the data are mended or the finding is waived."""
    return verdict in ("green", "amber")


def readers(people: pd.DataFrame | None, kind: str) -> tuple[list[dict[str, str]], list[str]]:
    """Who gets a report, in the order of `people`: each address once.

    people    person   name, email, gets (pack, recap, both or none)
    kind      pack or recap
    returns   {person, name, to} each; and a line for everyone who should get it and has no usable address
    """
    found: dict[str, dict[str, str]] = {}
    wrong = []
    rows = [] if people is None else people[people["gets"].isin([kind, "both"])].to_dict("records")
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
            page, name=name or to, person=person, reports_url=letters.one_line(reports_url or "", "reports_url"), files=[one.name for one in attached],
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
