"""The envelope every mail goes out in: addresses, headers, identity, parts, limits.

    multipart/mixed             where something is attached
      multipart/alternative
        text/plain              complete, at most 78 columns
        multipart/related       where the HTML shows pictures
          text/html
          image/png …           each named by the HTML as cid:…
      attachments

The same facts give the same bytes: ids, boundaries and the date come from what the mail says, not from chance or a clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import (
    Address,
    HeaderRegistry,
    UniqueAddressHeader,
    UniqueUnstructuredHeader,
    UnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

COLUMNS = 78
HTML_LIMIT = 80_000  # bytes; Gmail cuts at about 102 KB
MESSAGE_LIMIT = 1_000_000  # bytes before attachments: a phone loads it without asking
PACK_LIMIT = 3_000_000  # bytes of an attachment: larger ones are refused by many mail servers
SUBJECT_LIMIT = 160


class MailError(ValueError):
    """A mail that must not be sent as it is; the message says why and what to do."""


class _Verbatim(UnstructuredHeader):
    """A header of ids and addresses in angle brackets: a long one stays as it is, since an encoded word would destroy it."""

    def fold(self, *, policy: Any) -> str:
        return _lines(f"{self.name}:", str(self).split(), policy)  # type: ignore[attr-defined]  # the registry mixes it in


class _Subject(UniqueUnstructuredHeader):
    """Text of any letters. The library's own way loses spaces between encoded words, and puts some where none were."""

    def fold(self, *, policy: Any) -> str:
        name = str(self.name)  # type: ignore[attr-defined]
        return _lines(f"{name}:", _encoded(str(self), len(name) + 2).split(), policy)


class _Mailbox(UniqueAddressHeader):
    """One address with a name of any letters, encoded as a subject is."""

    def fold(self, *, policy: Any) -> str:
        name, one = str(self.name), self.addresses[0]  # type: ignore[attr-defined]
        plain = one.display_name.isascii()
        shown = str(one).removesuffix(f"<{one.addr_spec}>").split() if plain else _encoded(one.display_name, len(name) + 2).split()
        return _lines(f"{name}:", [*shown, f"<{one.addr_spec}>"] if one.display_name else [one.addr_spec], policy)


def _encoded(text: str, taken: int) -> str:
    """Encoded words of at most 75 characters, the first shorter by what stands before it; ASCII as it is."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=COLUMNS - 2).encode(linesep="\n", maxlinelen=COLUMNS - 2 - taken)


def _lines(start: str, tokens: list[str], policy: Any) -> str:
    """A header cut between its words into lines of at most 78 characters; a longer word has a line of its own."""
    lines = [start]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token) > COLUMNS and lines[-1] != start:
            lines.append("")
        lines[-1] += f" {token}"
    return str(policy.linesep.join(lines) + policy.linesep)


_HEADERS = HeaderRegistry()
_OWN: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_Verbatim, ("references", "in-reply-to", "list-unsubscribe", "message-id", "content-id")), (_Subject, ("subject",)), (_Mailbox, ("from", "to", "reply-to")))
for _kind, _names in _OWN:
    for _name in _names:
        _HEADERS.map_to_type(_name, _kind)
POLICY = SMTP.clone(max_line_length=COLUMNS, header_factory=_HEADERS, refold_source="none")  # read again, a mail's headers stay as they are


@dataclass(frozen=True)
class Picture:
    """A picture a mail shows: what it is called, the PNG, and what it says to those who do not see it."""

    name: str
    png: bytes
    alt: str
    width: int

    def cid(self, message_id: str) -> str:
        return f"{self.name}.{message_id.strip('<>').split('.', 1)[0][:16]}@sopnb"


@dataclass(frozen=True)
class Attached:
    """A file that goes with a mail."""

    name: str
    content: bytes
    type: str  # text/html
    parameters: tuple[tuple[str, str], ...] = ()


def letter(*, subject: str, to: str, name: str, sender: str, company: str, owner: str, date: dt.datetime, message_id: str, earlier: Sequence[str] = (),
           text: str, html: str, pictures: Iterable[Picture] = (), attached: Iterable[Attached] = ()) -> EmailMessage:
    """A mail, ready to be sent.

    to, name  the reader's address and name
    sender    the address it comes from, shown under the company's name
    owner     the address that answers replies; the sender where empty
    earlier   ids of the mails it replaces, the oldest first
    pictures  those the HTML names by their cid
    raises    MailError: an address or name with control characters; HTML, message or an attachment over its limit
    """
    mail = EmailMessage(policy=POLICY)
    mail["Subject"], mail["From"], mail["To"] = as_text(subject), address(sender, company), address(to, name)
    mail["Reply-To"] = address(owner or sender)
    mail["Date"], mail["Message-ID"] = date, message_id
    if earlier:  # mail programs show it under those it replaces
        mail["In-Reply-To"], mail["References"] = earlier[-1], " ".join(earlier)
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<mailto:{owner or sender}?subject=unsubscribe>"
    mail.set_content(text, cte="quoted-printable")
    within("the mail's HTML", len(html.encode("utf-8")), HTML_LIMIT, "mail programs cut it. Ask for fewer decisions in one meeting, or write shorter titles.")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    shown: Any = mail.get_payload()[1]  # type: ignore[index]
    for picture in pictures:
        shown.add_related(picture.png, "image", "png", cid=f"<{picture.cid(message_id)}>", disposition="inline", filename=f"{picture.name}.png")
    within("the mail without its attachments", len(mail.as_bytes()), MESSAGE_LIMIT, "a phone asks before it loads more. Show fewer pictures.")
    for file in attached:
        _attach(mail, file)
    return _bounded(mail)


def within(what: str, size: int, limit: int, why: str) -> None:
    """raises   MailError where something is larger than it may be"""
    if size > limit:
        raise MailError(f"{what[0].upper()}{what[1:]} has {size:,} bytes; at most {limit:,} are allowed, since {why}")


def _attach(mail: EmailMessage, file: Attached) -> None:
    within(file.name, len(file.content), PACK_LIMIT, "many mail servers refuse more. Set `mail: attach: none`, or shorten the pack.")
    kind, subtype = file.type.split("/")
    mail.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name, params=dict(file.parameters))


def _bounded(mail: EmailMessage) -> EmailMessage:
    """Boundaries between the parts from the mail's own id: the standard library draws them at random."""
    own = hashlib.sha256(str(mail["Message-ID"]).encode()).hexdigest()[:24]
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=={own}-{number}==")
    return mail


# --- identity -------------------------------------------------------------------------------------------------------

def message_id(company: str, cycle: str, *, kind: str, revision: int, to: str, sender: str) -> str:
    """The same for the same company, cycle, report, revision and reader."""
    identity = "\n".join([company, cycle, kind, str(revision), to.strip().lower()])
    domain = sender.rsplit("@", 1)[-1].strip(" >") or "sopnb.invalid"
    return f"<{hashlib.sha256(identity.encode('utf-8')).hexdigest()[:32]}.sopnb@{domain}>"


def ids(company: str, cycle: str, *, kind: str, revision: int, to: str, sender: str) -> tuple[str, list[str]]:
    """The id of a revision, and those of the ones before it."""
    every = [message_id(company, cycle, kind=kind, revision=n, to=to, sender=sender) for n in range(1, revision + 1)]
    return every[-1], every[:-1]


def subject_line(text: str) -> str:
    """One line; a long one ends with its last whole sentence where that is more than half of it, else it is cut at a word."""
    flat = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()
    if len(flat) <= SUBJECT_LIMIT:
        return flat
    start = flat[:SUBJECT_LIMIT - 1]
    ends = [found.end() for found in re.finditer(r"[.?!;](?= )", start) if found.end() > SUBJECT_LIMIT / 2]
    return start[:ends[-1]].rstrip(".;") if ends else start.rsplit(" ", 1)[0] + "…"


def file_name(company: str, what: str) -> str:
    """sop-contoh-pangan-2026-10.html"""
    return f"sop-{re.sub(r'[^a-z0-9]+', '-', company.lower()).strip('-') or 'pack'}-{what}"


# --- addresses ------------------------------------------------------------------------------------------------------

def address(given: str, name: str = "") -> Address:
    """An address for a header: one address, nothing that could start another header."""
    plain, shown = one_line(given, "an address").strip(), as_text(one_line(name, "a name"))
    if not re.fullmatch(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+", plain):
        raise MailError(f"{given!r} is not a mail address. Allowed: one address as name@company.example; see `email` in people, `sender` in the params file.")
    if not plain.isascii():
        raise MailError(f"{given!r} is not a mail address that every server takes. Allowed: plain letters, a domain of other letters as xn--….")
    try:
        return Address(display_name=shown, addr_spec=plain)
    except (ValueError, IndexError) as error:
        raise MailError(f"{given!r} is not a mail address: {error}. Allowed: name@company.example.") from error


def usable(given: str) -> bool:
    """
    >>> usable("budi@pangan.example"), usable("budi@")
    (True, False)
    """
    try:
        address(given)
    except MailError:
        return False
    return True


def one_line(text: str, what: str) -> str:
    """The text; MailError where it holds a line break or another character that could write headers of its own."""
    if re.search(r"[\x00-\x1f\x7f\u2028\u2029]", text):
        raise MailError(f"{what} holds a line break or control character: {text!r}. It would write headers of its own: write it in one line, a reader's in `people`, the company's in the params file.")
    return text


def web(url: str) -> str:
    """The address of a page, or ''; MailError where a click on it would run something, or lead nowhere."""
    if url and not re.fullmatch(r"https?://[^\s<>\"]+", one_line(url, "reports_url")):
        raise MailError(f"reports_url {url!r} is not a web address. Allowed: https://…")
    return url


def as_text(text: str) -> str:
    """Data that looks like an encoded word stays what it looks like: decoded, it could hold line breaks."""
    return text.replace("=?", "= ?")


def page_file(path: Path, name: str) -> Attached:
    return Attached(name, path.read_bytes(), "text/html", (("charset", "utf-8"),))


def workbook_file(path: Path) -> Attached:
    return Attached(path.name, path.read_bytes(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def calendar_part(content: bytes, name: str) -> Attached:
    """A calendar file with its method, which Outlook and Thunderbird look for in the part's type too."""
    method = re.search(rb"\r\nMETHOD:([A-Z]+)\r\n", content)
    return Attached(name, content, "text/calendar", (("charset", "utf-8"), ("method", method[1].decode() if method else "PUBLISH")))
