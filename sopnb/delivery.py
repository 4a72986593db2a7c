"""Delivery: every reader gets every content once, and of every mail it is known what became of it.

A mail is claimed in the ledger before it leaves and settled afterwards, under its Message-ID. The last word holds:

    claimed   somebody is sending it, or ended while sending: nobody knows whether it left
    sent      the server took it
    refused   the server said no. A passing no (4xx) and a broken line are tried again by the next run; a lasting no (5xx, of
              the reader or the mail) when the mail or the server changes, or by a person's word. Another address is another mail
    unknown   it may have arrived: the line broke or made no sense after the mail began to leave, or a claim was never settled
    resend    a person's word: send it (again)
    arrived   a person's word: it is there

A mail that is claimed or unknown is never sent again without a person's word. Two runs that claim the same mail write the
same event, and the ledger takes an event once: one of them sends.
"""

from __future__ import annotations

import datetime as dt
import email
import email.parser
import hashlib
import itertools
import json
import re
import smtplib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sopnb import recipients, smtp_line
from sopnb.letters import MailError

ORIGIN = "mail"
BREAKS = 3  # lines that break one after the other until the rest waits for the next run
ONCE = ("From", "To", "Subject", "Message-ID", "Date")


# --- files ----------------------------------------------------------------------------------------------------------

def outbox(folder: Path | str, messages: Sequence[EmailMessage]) -> list[Path]:
    """Each mail as an .eml file, which any mail program opens; the file is named by reader and mail id."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for message in messages:
        path = path_of(folder, message)
        temporary = path.with_suffix(".partial")
        temporary.write_bytes(message.as_bytes())
        temporary.replace(path)
        paths.append(path)
    return paths


def path_of(folder: Path, message: EmailMessage) -> Path:
    name = re.sub(r"[^a-z0-9]+", "-", _reader(message).lower()).strip("-")
    return folder / f"{name}-{identity(message)[:8]}.eml"


def identity(message: EmailMessage) -> str:
    """What the ledger knows a mail by."""
    return _local(str(message["Message-ID"]))


def head(path: Path) -> EmailMessage:
    """A mail's headers alone: what has been sent need not be read whole."""
    with open(path, "rb") as file:
        lines = itertools.takewhile(lambda line: line.strip(), file)
        return email.parser.BytesHeaderParser(policy=smtp_line.POLICY).parsebytes(b"".join(lines))


def local(path: Path) -> str:
    """The identity of a mail in a file."""
    return identity(head(path))


def reader(path: Path) -> str:
    return _reader(head(path))


def _reader(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].addr_spec)


def fault_in(message: EmailMessage) -> str:
    """Why a mail must not leave as it stands in its file; '' where it may: one of each header, one reader, nobody beside."""
    if twice := [name for name in ONCE if len(message.get_all(name, [])) != 1]:
        return f"its file has not one {', '.join(twice)}"
    if beside := [name for name in ("Cc", "Bcc", "Resent-To", "Resent-Bcc", "Resent-Cc") if name in message]:
        return f"its file has {', '.join(beside)}"
    if message.defects or any(value.defects for name, value in message.items() if name in ONCE):
        return "its headers cannot be read"
    if len(message["To"].addresses) != 1 or len(message["From"].addresses) != 1:
        return "it is not from one address to one reader"
    return ""


# --- what the ledger knows ------------------------------------------------------------------------------------------

@dataclass
class Standing:
    """What is known of one mail: the last word on it, how often it was tried, what the server said, who decided."""

    subject: str
    reader: str
    state: str = ""
    attempt: int = 0
    said: str = ""
    lasting: bool = False
    offer: str = ""
    by: str = ""
    revision: int = 1

    @property
    def unknown(self) -> bool:
        return self.state in ("claimed", "unknown")

    def again(self, path: Path, url: str) -> bool:
        """Whether a run may send it, from this file to this server."""
        return self.state in ("", "resend") or (self.state == "refused" and not (self.lasting and self.offer == _offer(path, url)))


def standings(book: Any, cycle: str, kind: str) -> dict[str, Standing]:
    """Message-ID without its domain: what is known of the mail. Another sender's domain does not make it another mail."""
    found: dict[str, Standing] = {}
    for subject, reader, told in _deliveries(book, cycle, kind):
        one = found.setdefault(_local(subject), Standing(subject, reader))
        if told["state"] == "offered":
            continue
        one.state, one.attempt, one.revision = told["state"], max(one.attempt, told.get("attempt", 1)), told.get("revision", one.revision)
        one.said, one.lasting, one.offer, one.by = (told.get("said", ""), told.get("lasting", False), told.get("offer", ""), told.get("by", ""))
    return {local: one for local, one in found.items() if one.state}


def revision(book: Any, cycle: str, kind: str, content: str) -> int:
    """How many contents of this report readers have been sent, this one included: 1, 2, …

    The content sent last keeps its number, so that sending it again is seen as the same mail.
    """
    past = [told for _, _, told in _deliveries(book, cycle, kind) if "content" in told]
    last = max(past, key=lambda told: told["revision"], default=None)
    return 1 if last is None else last["revision"] + (last["content"] != content)


def say(book: Any, one: Standing, state: str, *, cycle: str, kind: str, by: str, day: dt.date) -> None:
    """Record a person's word on a mail: resend or arrived."""
    book.record([_event(one.subject, one.reader, day, {"cycle": cycle, "report": kind, "state": state, "attempt": one.attempt, "by": by})])


def _event(subject: str, reader: str, day: dt.date, facts: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in facts.items() if name != "cycle" and value not in ("", False)}
    return {"kind": "delivery", "subject": _local(subject), "day": day, "cycle": facts["cycle"], "origin": ORIGIN, "who": reader, "payload": told}


def _deliveries(book: Any, cycle: str, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Message-ID, reader and what was said of the mail, in the order it was said."""
    events = book.everything()
    mine = events[(events["kind"] == "delivery") & (events["cycle"] == cycle) & (events["origin"] == ORIGIN)]
    found = [(str(row.subject), str(row.who), json.loads(str(row.payload))) for row in mine.itertuples()]
    return [(subject, reader, told) for subject, reader, told in found if told["report"] == kind]


def _local(subject: str) -> str:
    return subject.strip("<>").split("@", 1)[0]


# --- once -----------------------------------------------------------------------------------------------------------

@dataclass
class Sent:
    """What became of the mails of one report: each reader stands in one of the lists.

    sent     were sent it now
    before   had it before, by the server's yes or a person's word
    unknown  may have it or not
    refused  the server said no for now, with its words; the next run tries again
    lasting  the server said no for good, with its words
    outside  no mail goes to that address, and why
    waiting  their mail never began to leave, since there was no line
    fault    why there was no line to the server; '' where there was
    news     whether something went wrong now that was not told before
    """

    sent: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    fault: str = ""
    news: bool = False
    elsewhere: list[Any] = field(default_factory=list, repr=False)  # letters that another run claimed meanwhile

    @property
    def failed(self) -> bool:
        """Whether somebody who should have the mail does not have it for sure."""
        return bool(self.unknown or self.refused or self.lasting or self.outside or self.waiting or self.fault)


@dataclass(frozen=True)
class _Letter:
    path: Path
    subject: str
    reader: str
    sender: str
    attempt: int
    url: str


def send(paths: Sequence[Path], url: str, book: Any, *, cycle: str, kind: str, content: str, revision: int, day: dt.date,
         domains: Sequence[str]) -> Sent:
    """Send each mail that was not sent before; see the head of this file.

    paths     the mails, as .eml files
    book      the ledger
    content   digest of what the report says
    day       the cycle's own day, the same for every run, so that two claims are one event
    domains   where readers may be, see `recipients`
    """
    result, known = Sent(), standings(book, cycle, kind)
    facts = {"cycle": cycle, "report": kind, "revision": revision}
    todo: deque[_Letter] = deque()
    for path in paths:
        message = head(path)
        wrong = fault_in(message)
        to = _reader(message) if not wrong else path.name
        if wrong := wrong or recipients.refused(to, domains):
            result.outside.append(f"{to} ({wrong})")
            continue
        subject = str(message["Message-ID"])
        one = known.get(_local(subject), Standing(subject, to))
        letter = _Letter(path, subject, to, str(message["From"].addresses[0].addr_spec), one.attempt + 1, url)
        if one.again(path, url):
            todo.append(letter)
        elif one.state == "claimed":  # a run ended while sending it: from here on that is on record
            _settle(book, result, replace(letter, attempt=one.attempt), smtp_line.Answer("unknown"), facts, day)
        elif one.unknown:
            result.unknown.append(to)
        elif one.state == "refused":
            result.lasting.append(f"{to} ({one.said})")
        else:
            result.before.append(to)
    _send_all(todo, url, book, result, day=day, facts=facts, content=content)
    if result.elsewhere:
        _look_again(result, standings(book, cycle, kind))
    return result


def _look_again(result: Sent, known: dict[str, Standing]) -> None:
    """What became of the mails that another run had just claimed."""
    for letter in result.elsewhere:
        there = known[_local(letter.subject)].state in ("sent", "arrived")
        (result.before if there else result.unknown).append(letter.reader)


def _send_all(todo: deque[_Letter], url: str, book: Any, result: Sent, *, day: dt.date, facts: dict[str, Any], content: str) -> None:
    """Send over one line; over another one where it broke, a few times."""
    breaks = 0
    try:
        while todo and breaks < BREAKS:
            with smtp_line.server(url) as line:
                while todo:
                    line.noop()  # a line that broke meanwhile is seen before a claim is made
                    answer = _send_one(line, todo.popleft(), book, result, day=day, facts=facts, content=content)
                    breaks = breaks + 1 if answer.broken else 0
                    if answer.broken:
                        break
    except (MailError, OSError, smtplib.SMTPException) as error:
        result.fault = str(error) if isinstance(error, MailError) else smtp_line.reason(error)
        result.news = True
    result.waiting += [letter.reader for letter in todo]
    if todo and not result.fault:
        result.fault = f"The line to {urlsplit(url).hostname} broke {breaks} times"


def _send_one(line: Any, letter: _Letter, book: Any, result: Sent, *, day: dt.date, facts: dict[str, Any], content: str) -> smtp_line.Answer:
    claim = _event(letter.subject, letter.reader, day, {**facts, "state": "claimed", "attempt": letter.attempt})
    offered = _event(letter.subject, letter.reader, day, {**facts, "state": "offered", "attempt": letter.attempt, "content": content})
    if book.record([claim, offered]) < 2:  # the claim says nothing of the content: of two contents under one Message-ID one leaves
        result.elsewhere.append(letter)
        return smtp_line.Answer("unknown")
    answer = smtp_line.hand_over(line, dated(letter.path.read_bytes(), dt.datetime.now(dt.UTC)), sender=letter.sender, reader=letter.reader)
    _settle(book, result, letter, answer, facts, dt.datetime.now(dt.UTC).date())
    return answer


def dated(mail: bytes, when: dt.datetime) -> bytes:
    """The mail as its file has it, to the byte, but for the date: the file's is the cycle's, a mail's is when it leaves."""
    head, gap, body = re.sub(rb"\r\n|\r|\n", b"\r\n", mail).partition(b"\r\n\r\n")
    date = b"Date: " + format_datetime(when).encode()
    return re.sub(rb"(?im)^Date:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", date, head, count=1) + gap + body


def _settle(book: Any, result: Sent, letter: _Letter, answer: smtp_line.Answer, facts: dict[str, Any], day: dt.date) -> None:
    """Record what became of a mail, and put its reader into the list it says."""
    told = {**facts, "state": answer.state, "attempt": letter.attempt, "lasting": answer.lasting}
    if answer.state != "sent":
        told |= {"said": answer.said}
    if answer.lasting:
        told |= {"offer": _offer(letter.path, letter.url)}
    fresh = book.record([_event(letter.subject, letter.reader, day, told)])
    if answer.state == "refused":
        (result.lasting if answer.lasting else result.refused).append(f"{letter.reader} ({answer.said})")
    else:
        (result.sent if answer.state == "sent" else result.unknown).append(letter.reader)
    result.news |= bool(fresh) and answer.state != "sent"


def _offer(path: Path, url: str) -> str:
    """What a server refuses for good: this mail, by this server. With either changed, it is asked again."""
    at = urlsplit(url)
    return hashlib.sha256(f"{at.hostname}:{at.port}:{at.username}".encode() + path.read_bytes()).hexdigest()[:16]


# --- told -----------------------------------------------------------------------------------------------------------

def told(result: Sent, *, folder: str, revision: int, command: str) -> list[str]:
    """What became of the mails, in a line each; nothing where everybody had it before.

    folder    where the .eml files are
    command   the command by which a person says what is to be done; '' where nobody need
    """
    lines = []
    if result.sent:
        number = f" (revision {revision})" if revision > 1 else ""
        lines.append(f"{counted(len(result.sent))} sent{number}; copies in {folder}/.")
    if result.refused:
        lines.append(f"Not sent, refused by the server for now: {'; '.join(result.refused)}. Run again: it is tried again.")
    if result.lasting:
        word = f"; or have it tried again: {command} --resend READER --who NAME" if command else ""
        lines.append(f"Not sent, refused by the server for good: {'; '.join(result.lasting)}. Mend the address{word}.")
    if result.outside:
        lines.append(f"Not sent, no mail goes there: {'; '.join(result.outside)}. Mend the address, or declare its domain in mail.domains.")
    if result.fault:
        lines.append(f"{result.fault.rstrip('.')}. The mails that did not leave are in {folder}/; run again to send them.")
    if result.unknown:
        word = f"Ask them, then: {command} --arrived READER --who NAME, or --resend READER --who NAME" if command else "The next one goes out as usual."
        lines.append(f"Unknown whether it arrived: {', '.join(result.unknown)}. Not sent again by itself; the mail is in {folder}/. {word}")
    return lines


def counted(n: int) -> str:
    return "1 mail" if n == 1 else f"{n} mails"
