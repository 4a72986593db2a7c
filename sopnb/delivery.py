"""Delivery: every reader gets every content once, and the owner hears of failures.

A mail is claimed in the ledger before it leaves and settled afterwards, under its Message-ID:

    claimed   a run is sending it, or ended while sending: nobody knows whether it left, so it is never sent again by itself
    sent      the server took it
    refused   the server said no: the next run tries again

Two runs that claim the same mail write the same event, and the ledger takes an event once: one of them sends.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import itertools
import json
import os
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sopnb import mail, redact
from sopnb.mail import MailError

ORIGIN = "mail"
SECONDS = 30  # how long a server may keep silent
POLICY = email.policy.SMTP.clone(max_line_length=mail.COLUMNS)

# The server has said no before it took the mail. Any other fault may have come after it took it.
REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError)


# --- files ----------------------------------------------------------------------------------------------------------

def outbox(folder: Path | str, messages: Sequence[EmailMessage]) -> list[Path]:
    """Each mail as an .eml file, which any mail program opens; the file is named by reader and mail id."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for message in messages:
        reader = re.sub(r"[^a-z0-9]+", "-", _reader(message).lower()).strip("-")
        path = folder / f"{reader}-{str(message['Message-ID']).strip('<>')[:8]}.eml"
        temporary = path.with_suffix(".partial")
        temporary.write_bytes(message.as_bytes())
        temporary.replace(path)
        paths.append(path)
    return paths


def _head(path: Path) -> EmailMessage:
    """A mail's headers alone: what has been sent need not be read whole."""
    with open(path, "rb") as file:
        lines = itertools.takewhile(lambda line: line.strip(), file)
        return email.message_from_bytes(b"".join(lines), policy=POLICY)


def _reader(message: EmailMessage) -> str:
    return str(message["To"].addresses[0].addr_spec)


# --- the server -----------------------------------------------------------------------------------------------------

def address(reference: str | None) -> str:
    """The SMTP address behind `env:NAME`; '' where none is set."""
    return os.environ.get(reference.removeprefix("env:"), "") if reference else ""


def check(url: str) -> None:
    """raises   MailError where this is no address of an SMTP server"""
    try:
        at = urlsplit(url)
        good = at.scheme in ("smtps", "smtp") and bool(at.hostname) and (at.port is None or at.port > 0)
    except ValueError:
        good = False
    if not good:
        raise MailError("The SMTP address must be smtps://user:password@host:465 or smtp://user:password@host:587; set it in the environment.")


@contextlib.contextmanager
def server(url: str, *, timeout: float = SECONDS) -> Iterator[smtplib.SMTP]:
    """A line to a server whose certificate is verified; there is no fallback to an open line.

    url      smtps://user:password@host:465, or smtp://…:587 which must offer STARTTLS
    raises   MailError where there is no line; the server is named, its password never
    """
    check(url)
    at, context = urlsplit(url), ssl.create_default_context()
    host = at.hostname or ""
    line: smtplib.SMTP | None = None
    try:
        try:
            line = (smtplib.SMTP_SSL(host, at.port or 465, timeout=timeout, context=context) if at.scheme == "smtps"
                    else smtplib.SMTP(host, at.port or 587, timeout=timeout))
            if at.scheme == "smtp":
                line.starttls(context=context)
            if at.username:
                line.login(unquote(at.username), unquote(at.password or ""))
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(f"No line to {host}: {_reason(error)}.") from None
        yield line
        with contextlib.suppress(OSError, smtplib.SMTPException):
            line.quit()
    finally:
        if line is not None:
            line.close()


def _reason(error: Exception) -> str:
    """What went wrong; a server's answer to a login may repeat what it was told, so that only its kind is named."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "user or password refused"
    return redact.text(f"{type(error).__name__}: {error}")


# --- once -----------------------------------------------------------------------------------------------------------

@dataclass
class Sent:
    """What became of the mails of one report.

    sent     readers who were sent it now
    before   readers who had it before
    unsure   readers whose mail an earlier run, or this one, was sending when it ended
    refused  readers the server refused, with its reason
    fault    why there was no line to the server; '' where there was
    """

    sent: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    fault: str = ""

    @property
    def failed(self) -> bool:
        """Whether mails are left that a further run will try to send."""
        return bool(self.refused or self.fault)


def revision(book: Any, cycle: str, kind: str, content: str) -> int:
    """How many contents of this report readers have been sent, this one included: 1, 2, …

    The content sent last keeps its number, so that sending it again is seen as the same mail.
    """
    past = [said for _, said in _deliveries(book, cycle, kind)]
    last = max(past, key=lambda said: said["revision"], default=None)
    return 1 if last is None else last["revision"] + (last["content"] != content)


def send(paths: Sequence[Path], url: str, book: Any, *, cycle: str, kind: str, content: str, revision: int, day: dt.date) -> Sent:
    """Send each mail that was not sent before; see the head of this file.

    paths     the mails, as .eml files
    book      the ledger
    content   digest of what the report says
    day       the cycle's own day, the same for every run, so that two claims are one event
    """
    result, todo = Sent(), []
    state = {_local(subject): said for subject, said in _deliveries(book, cycle, kind)}
    for path in paths:
        head = _head(path)
        said = state.get(_local(str(head["Message-ID"])))
        if said is None or said["state"] == "refused":
            todo.append((path, 1 if said is None else said["attempt"] + 1))
        else:
            (result.before if said["state"] == "sent" else result.unsure).append(_reader(head))
    if not todo:
        return result
    facts = {"cycle": cycle, "report": kind, "content": content, "revision": revision}
    try:
        with server(url) as line:
            for path, attempt in todo:
                line.noop()  # a line that broke meanwhile is seen before a claim is made
                message = email.message_from_bytes(path.read_bytes(), policy=POLICY)
                _send_one(line, message, book, result, day=day, attempt=attempt, facts=facts)
    except (MailError, OSError, smtplib.SMTPException) as error:
        result.fault = str(error) if isinstance(error, MailError) else _reason(error)
    return result


def _send_one(line: smtplib.SMTP, message: EmailMessage, book: Any, result: Sent, *, day: dt.date, attempt: int, facts: dict[str, Any]) -> None:
    reader = _reader(message)

    def note(state: str, on: dt.date, **more: Any) -> int:
        return book.record([_event(str(message["Message-ID"]), reader, on, {**facts, "state": state, "attempt": attempt, **more})])

    if not note("claimed", day):
        result.unsure.append(reader)  # another run has just claimed it
        return
    now = dt.datetime.now(dt.UTC)
    message.replace_header("Date", now)  # the file's date is the cycle's; a mail's is when it leaves
    try:
        line.send_message(message)
    except REFUSALS as error:
        note("refused", now.date())
        result.refused.append(f"{reader} ({_reason(error)})")
    except (OSError, smtplib.SMTPException):
        result.unsure.append(reader)
        raise
    else:
        note("sent", now.date())
        result.sent.append(reader)


def _event(subject: str, reader: str, day: dt.date, facts: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in facts.items() if name != "cycle"}
    return {"kind": "delivery", "subject": subject, "day": day, "cycle": facts["cycle"], "origin": ORIGIN, "who": reader, "payload": said}


def _deliveries(book: Any, cycle: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Message-ID and what was said of it, in the order it was said."""
    events = book.everything()
    mine = events[(events["kind"] == "delivery") & (events["cycle"] == cycle) & (events["origin"] == ORIGIN)]
    found = [(str(subject), json.loads(str(payload))) for subject, payload in zip(mine["subject"], mine["payload"], strict=True)]
    return [(subject, said) for subject, said in found if said["report"] == kind]


def _local(subject: str) -> str:
    """A Message-ID without its domain: another sender's address does not make it another mail."""
    return subject.strip("<>").split("@", 1)[0]


def told(result: Sent, *, folder: str, revision: int) -> list[str]:
    """What became of the mails, in a line each; nothing where everybody had it before."""
    lines = []
    if result.sent:
        number = f" (revision {revision})" if revision > 1 else ""
        lines.append(f"{counted(len(result.sent))} sent{number}; copies in {folder}/.")
    if result.refused:
        lines.append(f"Not sent, refused by the server: {'; '.join(result.refused)}. Mend the address and run again.")
    if result.fault:
        lines.append(f"{result.fault.rstrip('.')}. The mails that did not leave are in {folder}/; run again to send them.")
    if result.unsure:
        lines.append(f"A run ended while sending to {', '.join(result.unsure)}: not sent again, since it may have arrived. Ask them; the mail is in {folder}/.")
    return lines


def counted(n: int) -> str:
    return "1 mail" if n == 1 else f"{n} mails"


# --- failures -------------------------------------------------------------------------------------------------------

def alarm(text: str, *, subject: str, to: str, sender: str, url: str) -> str:
    """Tell the owner that a run failed; returns the line that says so.

    raises   MailError where the mail did not leave
    """
    message = EmailMessage(policy=POLICY)
    message["Subject"] = redact.text(re.sub(r"[\s\x00-\x1f\x7f]+", " ", subject))[:mail.SUBJECT_LIMIT]
    message["From"], message["To"] = mail._address(sender or to, "sopnb"), mail._address(to)
    message["Date"], message["Message-ID"] = dt.datetime.now(dt.UTC), make_msgid("sopnb", (sender or to).rsplit("@", 1)[-1])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(redact.text(text), cte="quoted-printable")
    try:
        with server(url) as line:
            line.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(_reason(error)) from None
    return f"{to} was told by mail."
