"""The mail of a cycle: a second, smaller document than the page, made from the same facts.

A complete plain-text part of at most 78 columns, one HTML column of 640 px with inline styles, and the one-file pack
attached. The same cycle, report, revision and reader give the same Message-ID, and the same facts the same bytes.
`sopnb.delivery` sends them, once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import textwrap
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, report, words
from sopnb.words import Sentence, message

HTML_LIMIT = 80_000  # bytes; Gmail cuts at about 102 KB
SUBJECT_LIMIT = 160
COLUMNS = 78
STATES = {"green": "on", "amber": "watch", "red": "off"}


class MailError(ValueError):
    """A mail that must not be sent as it is; the message says why and what to do."""


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


# --- build ----------------------------------------------------------------------------------------------------------

def build(page: dict[str, Any], *, to: str, name: str = "", person: str = "", sender: str, owner: str = "", kind: str = "pack", revision: int = 1,
          reports_url: str | None = None, attachment: Path | str | None = None, date: dt.datetime | None = None) -> EmailMessage:
    """One reader's mail.

    page        the front page's facts (`front.facts`)
    to, name    the reader's address and name; person their id in `people`, to show their own actions
    owner       address that answers replies; the sender where empty
    kind        pack or recap; revision counts the times a cycle's pack was made anew for its readers
    attachment  the one-file pack, at most `report.PACK_LIMIT` bytes
    date        the Date header; the cycle's `as_of` where None, so that the same facts give the same mail
    raises      MailError: an address or name with control characters, HTML or an attachment over its limit
    """
    with words.speaking(page["header"]["language"], page["header"]["currency"]):
        return _built(page, to=to, name=name, person=person, sender=sender, owner=owner, kind=kind, revision=revision, reports_url=reports_url,
                      attachment=attachment, date=date)


def _built(page: dict[str, Any], *, to: str, name: str, person: str, sender: str, owner: str, kind: str, revision: int, reports_url: str | None,
           attachment: Path | str | None, date: dt.datetime | None) -> EmailMessage:
    reader, author = _address(to, name), _address(sender, page["header"]["company"])
    said: dict[str, Any] = {
        "page": page, "name": name or to, "mine": _own(page, person, name), "reports_url": _one_line(reports_url or "", "reports_url"),
        "subject": subject(page, revision), "file": attached_name(page) if attachment else "",
        "revised": message("mail.revision", {"revision": revision}) if revision > 1 else None}
    mail = EmailMessage(policy=SMTP.clone(max_line_length=COLUMNS))
    mail["Subject"], mail["From"], mail["To"] = said["subject"], author, reader
    mail["Reply-To"] = _address(owner or sender)
    mail["Date"] = date or pd.Timestamp(page["as_of"]).to_pydatetime().replace(tzinfo=dt.UTC)
    mail["Message-ID"] = message_id(page, kind=kind, revision=revision, to=to, sender=sender)
    if revision > 1:  # mail programs show it under the one it replaces
        mail["References"] = message_id(page, kind=kind, revision=1, to=to, sender=sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<mailto:{(owner or sender)}?subject=unsubscribe>"
    mail.set_content(plain(said), cte="quoted-printable")
    body = html(said)
    if len(body.encode("utf-8")) > HTML_LIMIT:
        raise MailError(f"The mail's HTML has {len(body.encode('utf-8')):,} bytes; at most {HTML_LIMIT:,} are allowed, since mail readers cut it. "
                        "Ask for fewer decisions in one meeting, or send `attach: html` with a shorter page.")
    mail.add_alternative(body, subtype="html", cte="quoted-printable")
    if attachment:
        _attach(mail, Path(attachment), said["file"])
    return _bounded(mail)


def _bounded(mail: EmailMessage) -> EmailMessage:
    """Boundaries between the parts from the mail's own id: the standard library draws them at random."""
    own = hashlib.sha256(str(mail["Message-ID"]).encode()).hexdigest()[:24]
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=={own}-{number}==")
    return mail


def subject(page: dict[str, Any], revision: int = 1) -> str:
    """Cycle month, company, headline, in one line that is cut at a word; a revision says so."""
    values = {"month": frames.month(str(page["header"]["cycle"])), "company": page["header"]["company"], "headline": page["headline"].text}
    whole = message("mail.subject.revised", {**values, "revision": revision}).text if revision > 1 else message("mail.subject", values).text
    flat = re.sub(r"[\s\x00-\x1f\x7f]+", " ", whole).strip()
    return flat if len(flat) <= SUBJECT_LIMIT else flat[:SUBJECT_LIMIT - 1].rsplit(" ", 1)[0] + "…"


def message_id(page: dict[str, Any], *, kind: str, revision: int, to: str, sender: str) -> str:
    """The same for the same company, cycle, report, revision and reader."""
    identity = "\n".join([page["header"]["company"], str(page["header"]["cycle"]), kind, str(revision), to.strip().lower()])
    domain = sender.rsplit("@", 1)[-1].strip(" >") or "sopnb.invalid"
    return f"<{hashlib.sha256(identity.encode('utf-8')).hexdigest()[:32]}.sopnb@{domain}>"


def attached_name(page: dict[str, Any]) -> str:
    """sop-contoh-pangan-2026-10.html"""
    company = re.sub(r"[^a-z0-9]+", "-", page["header"]["company"].lower()).strip("-")
    return f"sop-{company or 'pack'}-{page['header']['cycle']}.html"


def _attach(mail: EmailMessage, path: Path, name: str) -> None:
    size = path.stat().st_size
    if size > report.PACK_LIMIT:
        raise MailError(f"{path.name} has {size:,} bytes; at most {report.PACK_LIMIT:,} are attached. Set `mail: attach: none` or shorten the pack.")
    mail.add_attachment(path.read_bytes(), maintype="text", subtype="html", filename=name)


def _address(address: str, name: str = "") -> Address:
    """An address for a header: one address, nothing that could start another header."""
    plain_address, shown = _one_line(address, "an address").strip(), _one_line(name, "a name")
    if not re.fullmatch(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\]]+", plain_address):
        raise MailError(f"{address!r} is not a mail address. Allowed: one address as name@company.example; see `email` in people, `sender` in the params file.")
    try:
        return Address(display_name=shown, addr_spec=plain_address)
    except (ValueError, IndexError) as error:
        raise MailError(f"{address!r} is not a mail address: {error}. Allowed: name@company.example.") from error


def _one_line(text: str, what: str) -> str:
    if re.search(r"[\x00-\x1f\x7f\u2028\u2029]", text):
        raise MailError(f"{what} holds a line break or control character: {text!r}. It would write headers of its own; mend it in the source.")
    return text


def _own(page: dict[str, Any], person: str, name: str) -> list[dict[str, Any]]:
    return [row for row in page["actions"].get("all", []) if row["person"] and row["person"] in (person, name)]


def _yours(mine: list[dict[str, Any]]) -> Sentence:
    overdue = sum((row["late"] or 0) > 0 for row in mine)
    return message("mail.you.one" if len(mine) == 1 else "mail.you", {"n": len(mine), "overdue": overdue})


def _five(page: dict[str, Any]) -> dict[str, Any] | None:
    """The row for the exceptions after the fifth, so that the total stays the total."""
    found = page["exceptions"]
    if not found or found["count"] <= 5:
        return None
    scale = found["scale"]
    amount = found["total"] - sum(row["amount"] for row in found["rows"][:5])
    return {"label": message("front.exceptions.other", {"n": found["count"] - 5}), "text": scale.show(amount)}


# --- the two bodies -------------------------------------------------------------------------------------------------

def html(said: dict[str, Any]) -> str:
    """The HTML body: one column, inline styles, nothing fetched."""
    import jinja2
    from markupsafe import Markup

    page, header = said["page"], said["page"]["header"]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(report.TEMPLATES), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["h"] = lambda one: Markup(one.html) if isinstance(one, Sentence) else one
    environment.globals.update(t=report.t, show=words.show, loop_index=lambda options, option: options.index(option))
    verdict = header.get("verdict") or "green"
    return environment.get_template("mail.html.j2").render(
        **page, subject=said["subject"], preheader=_preheader(page), state=STATES[verdict], verdict=header["said"],
        revised=said["revised"], where=_where(said), reports_url=said["reports_url"], rest=_five(page), mine=said["mine"], your_finding=_yours(said["mine"]), closing=_closing(said))


def _preheader(page: dict[str, Any]) -> str:
    return " ".join([*(one.text for one in page["lead"][:1]), *([page["decisions"]["finding"].text + "."] if page["decisions"] else [])])[:200]


def _where(said: dict[str, Any]) -> str:
    return message("mail.attached", {"file": said["file"]}).text if said["file"] else message("mail.inside", {}).text


def _closing(said: dict[str, Any]) -> str:
    header = said["page"]["header"]
    return message("mail.closing", {"name": said["name"], "company": header["company"], "cycle": header["cycle"], "run": header["run"] or "–"}).text


def plain(said: dict[str, Any]) -> str:
    """The text body: complete, at most 78 columns, for readers and programs that show no HTML."""
    page = said["page"]
    header = page["header"]
    parts = [_wrap(f"{header['company']}, {header['about']}. {header['said']}."), _wrap(page["headline"].text, upper=True),
             _wrap(said["revised"].text if said["revised"] else ""), _wrap(" ".join(one.text for one in page["lead"])), _wrap(f"{header['scope']} {_where(said)}")]
    if said["reports_url"]:
        parts.append(f"{message('mail.open', {}).text}:\n{said['reports_url']}")
    parts += [_plain_scorecard(page), _plain_decisions(page), _plain_changes(page), _plain_exceptions(page), _plain_actions(said["mine"])]
    missing = page["data"]["missing"]
    parts.append(_wrap(page["data"]["finding"].text + "." + (" " + message("front.not_available", {"tables": ", ".join(missing)}).text if missing else "")))
    parts.append(_wrap(_closing(said)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrap(text: str, indent: str = "", upper: bool = False) -> str:
    flat = re.sub(r"\s+", " ", text).strip()
    body = textwrap.fill(flat, COLUMNS, subsequent_indent=indent, break_on_hyphens=False)
    return f"{body}\n{'=' * min(COLUMNS, max(map(len, body.splitlines()), default=0))}" if upper else body


def _topic(key: str, finding: Sentence) -> list[str]:
    title = message(key, {}).text
    return [title, "-" * len(title), _wrap(finding.text)]


def _line(left: str, right: str, indent: str = "  ") -> str:
    """Name at the left, number at the right, in 78 columns; a long name wraps above its number."""
    width = COLUMNS - len(right) - 2
    lines = textwrap.wrap(re.sub(r"\s+", " ", left).strip() or "–", width, initial_indent=indent, subsequent_indent=indent + "  ") or [indent]
    return "\n".join([*lines[:-1], f"{lines[-1]:<{width}}  {right}"])


def _plain_scorecard(page: dict[str, Any]) -> str:
    found = page["scorecard"]
    if not found:
        return ""
    rows = [_line(f"{card['name']} ({', '.join(x for x in (card['word'], card['target'].text, card['change'].text) if x) or '–'})", card["shown"]) for card in found["cards"]]
    return "\n".join([*_topic("front.topic.score", found["finding"]), *rows])


def _plain_decisions(page: dict[str, Any]) -> str:
    found = page["decisions"]
    if not found:
        return ""
    lines = _topic("front.topic.decisions", found["finding"])
    for card in found["cards"]:
        lines.append(_wrap(f"{card['number']}. {card['question'].text} {card['by_text'].text}".strip() + ("." if card["by_text"].text else ""), "   "))
        for i, option in enumerate(card["options"]):
            effects = ", ".join(f"{row['label'].text} {row['cells'][i]}" for row in card["rows"])
            marked = f" ({message('mail.recommended', {}).text})" if option["taken"] else ""
            unit = f" ({card['unit']})" if card["unit"] and effects else ""
            lines.append(textwrap.fill(f"{option['letter']}{marked}: {option['title'].text}. {effects}{unit}".strip(), COLUMNS, initial_indent="   ", subsequent_indent="      "))
    return "\n".join(lines)


def _plain_changes(page: dict[str, Any]) -> str:
    found = page["changes"]
    if not found["rows"]:
        return ""
    rows = [_line(str(row["label"])[:1].upper() + str(row["label"])[1:], row["text"]) for row in found["rows"]]
    return "\n".join([*_topic("front.topic.changes", found["finding"]), _line("", found["unit"]).replace("–", " ", 1), *rows])


def _plain_exceptions(page: dict[str, Any]) -> str:
    found = page["exceptions"]
    if not found or not found["rows"]:
        return ""
    rows = [_line(", ".join(x for x in (row["name"], row["place"], f"{row['word']} {row['span']}".strip()) if x), row["text"]) for row in found["rows"][:5]]
    rest = _five(page)
    rows += [_line(rest["label"].text, rest["text"])] if rest else []
    return "\n".join([*_topic("front.topic.exceptions", found["finding"]), _line("", found["unit"]).replace("–", " ", 1), *rows, _line(message("front.total", {}).text, found["total_text"])])


def _plain_actions(mine: list[dict[str, Any]]) -> str:
    if not mine:
        return ""
    return "\n".join([*_topic("mail.yours", _yours(mine)), *(_line(f"{row['title']} ({row['word']})" if row["word"] else row["title"], words.show(row["due"], "shortday")) for row in mine)])
