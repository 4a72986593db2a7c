"""The owner hears: what failed, where, what to do, and the log of it."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
from email.message import EmailMessage
from email.utils import make_msgid
from typing import TYPE_CHECKING, Any

from sopnb import letters, recipients, redact, smtp_line
from sopnb.letters import MailError

if TYPE_CHECKING:
    from sopnb.job import Job

LOG_LINES = 200  # of the journal, the last ones


def alarm(text: str, *, subject: str, to: str, sender: str, url: str, log: str = "") -> str:
    """Tell the owner; returns the line that says so.

    log      what the run wrote down, attached as log.txt
    raises   MailError where the mail did not leave
    """
    message = EmailMessage(policy=smtp_line.POLICY)
    message["Subject"] = redact.text(re.sub(r"[\s\x00-\x1f\x7f]+", " ", subject))[:letters.SUBJECT_LIMIT]
    message["From"], message["To"] = letters.address(sender or to, "sopnb"), letters.address(to)
    message["Date"], message["Message-ID"] = dt.datetime.now(dt.UTC), make_msgid("sopnb", (sender or to).rsplit("@", 1)[-1])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(redact.text(text), cte="quoted-printable")
    if log:
        message.add_attachment(redact.text(log), filename="log.txt", cte="base64")
    try:
        with smtp_line.server(url) as line:
            answer = smtp_line.hand_over(line, message.as_bytes(), sender=sender or to, reader=to)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(smtp_line.reason(error)) from None
    if answer.state != "sent":
        raise MailError(answer.said)
    return f"{to} was told by mail."


def tell(job: Job, *, subject: str, text: str, people: Any) -> str:
    """Tell the owner of a company by mail; '' where it has none, or no server.

    people   to find the owner's address by
    returns  the line that says whether the mail left
    """
    from sopnb import pack

    url = smtp_line.address(job.company.mail.smtp)
    to = pack.owner_address(job.company, people) if job.company.owner else ""
    if not (url and to):
        return ""
    try:
        if outside := recipients.refused(to, recipients.allowed(job.company.mail.domains, job.company.mail.sender, to)):
            raise MailError(outside)
        return alarm(text, subject=subject, to=to, sender=job.company.mail.sender, url=url, log=log(job))
    except MailError as failed:
        return f"The mail to {to} did not leave ({str(failed).rstrip('.')})."


def log(job: Job) -> str:
    """What the journal says of the cycle's last run, a line an event: time, event, facts."""
    events = [event for event in job.journal.read() if event.get("cycle") == job.name]
    starts = [i for i, event in enumerate(events) if event["event"] in ("run_started", "run_refused")]
    lines = [_line(event) for event in events[starts[-1] if starts else 0:][-LOG_LINES:]]
    return "\n".join(lines) + "\n" if lines else ""


def _line(event: dict[str, Any]) -> str:
    facts = [f"{name}={value}" for name, value in event.items() if name not in ("at", "event", "cycle") and value not in ("", [], {}, None)]
    return re.sub(r"\s+", " ", "  ".join([str(event.get("at", ""))[:19].replace("T", " "), str(event["event"]), *facts]))
