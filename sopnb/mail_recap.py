"""What the recap's mail says: the reader's own actions first, then what was decided, who does what by when, who was there."""

from __future__ import annotations

from typing import Any

from sopnb import frames, mail_html, mail_text, words
from sopnb.mail_text import line, topic, wrap
from sopnb.words import Sentence, message

Facts = dict[str, Any]
THERE = {"present": "on", "delegated": "watch", "absent": "off"}


def subject(page: Facts) -> str:
    """The same for every revision, so that mail programs keep them in one thread."""
    return message("mail.recap.subject", {"month": frames.month(str(page["header"]["cycle"])), "company": page["header"]["company"]}).text


def own(page: Facts, person: str, name: str) -> list[Facts]:
    return [row for row in page["actions"]["all"] if row["person"] and row["person"] in (person, name)]


def facts(page: Facts, *, name: str, person: str, reports_url: str, files: list[str], subject: str, message_id: str) -> Facts:
    """All that a reader's recap says, once for both bodies."""
    mine = own(page, person, name)
    header = page["header"]
    return {
        "page": page, "mine": mine, "yours": _yours(mine), "reports_url": reports_url, "subject": subject, "id": message_id, "for_you": None,
        "revised": message("mail.recap.revision", {"revision": page["revision"]}) if page["revision"] > 1 else None,
        "where": message("mail.recap.calendar", {"file": files[0]}).text if files else "", "attendance": _attended(page["attendance"]),
        "closing": message("mail.recap.closing", {"name": name, "company": header["company"], "cycle": header["cycle"], "revision": page["revision"]}).text,
    }


def html(said: Facts) -> str:
    page, header = said["page"], said["page"]["header"]
    return mail_html.render("mail_recap.html.j2", **said, told=told, language=header["language"], company=header["company"], about=header["about"], headline=page["headline"],
                            lead=page["lead"], preheader=f"{said['yours'].text}. {page['headline'].text}."[:200])


# --- what both bodies need ------------------------------------------------------------------------------------------

def _yours(mine: list[Facts]) -> Sentence:
    overdue = sum((row["late"] or 0) > 0 for row in mine)
    kind = ".none" if not mine else ".one" if len(mine) == 1 else ""
    return message(f"mail.recap.you{kind}{'.late' if overdue else ''}", {"n": len(mine), "overdue": overdue, "new": sum(bool(row["new"]) for row in mine)})


def _attended(rows: list[Facts]) -> list[Facts]:
    """Who was missing first: that is what a reader looks for."""
    ranked = sorted(rows, key=lambda row: row["state"] != "absent" or not row["mandatory"])
    return [{**row, "sign": _sign(row), "said": _there(row)} for row in ranked]


def _sign(row: Facts) -> str:
    """Nobody is asked for who need not come."""
    return "" if row["state"] == "absent" and not row["mandatory"] else THERE[row["state"]]


def _there(row: Facts) -> str:
    if row["state"] == "delegated" and row["delegate"]:
        return message("mail.recap.by", {"word": row["word"], "name": row["delegate"]}).text
    return message("mail.recap.must", {"word": row["word"]}).text if row["state"] == "absent" and row["mandatory"] else row["word"]


def told(row: Facts) -> list[tuple[Sentence, bool]]:
    """What stands under a decision, a line each, and whether it is a warning: option, why, dissent, effect and when it is judged, what was wrong."""
    parts = [("mail.recap.option", row["option"]), ("mail.recap.why", row["why"]), ("mail.recap.dissent", row["dissent"]), ("mail.recap.effect", row["effect"].text)]
    said = [(message(key, {"text": text}), key == "mail.recap.dissent") for key, text in parts if text]
    return said + [(flag, True) for flag in row["flags"]]


# --- plain text -----------------------------------------------------------------------------------------------------

def plain(said: Facts) -> str:
    """The text body: complete, at most 78 columns."""
    page, header = said["page"], said["page"]["header"]
    return mail_text.joined([
        wrap(f"{header['company']}, {header['about']}."), wrap(page["headline"].text, underline=True), _revision(said), wrap(" ".join(one.text for one in page["lead"])),
        wrap(said["where"]), mail_text.web(said["reports_url"]), _mine(said), _decisions(page), _undecided(page), _by_owner(page), _closed(page), _attendance(said),
        _points(page), _assumptions(page), wrap(page["next_said"].text), wrap(said["closing"])])


def _revision(said: Facts) -> str:
    if not said["revised"]:
        return ""
    return "\n".join([wrap(said["revised"].text), *(wrap(one.text, "  ", first="- ") for one in said["page"]["changes"])])


def _row(row: Facts) -> str:
    extra = ", ".join(part for part in (row["money"], row["word"], message("mail.recap.new", {}).text if row["new"] else "") if part)
    return line(f"{row['title']} ({extra})" if extra else row["title"], words.show(row["due"], "shortday"))


def _mine(said: Facts) -> str:
    return "\n".join([*topic("mail.yours", said["yours"].text), *map(_row, said["mine"])])


def _decisions(page: Facts) -> str:
    found, lines = page["decisions"], topic("mail.recap.decisions", page["decisions"]["finding"].text)
    for number, row in enumerate(found["rows"], start=1):
        who = message("mail.recap.who", {"name": row["who"]}).text if row["who"] else ""
        lines.append(wrap(f"{row['title'].rstrip('.')}. {who}".strip(), "   ", first=f"{number}. "))
        lines += [wrap(one.text, "     ", first="   ") for one, _ in told(row)]
    return "\n".join(lines)


def _undecided(page: Facts) -> str:
    if not page["undecided"]:
        return ""
    rows = [wrap(f"{row['question'].text} {message('mail.decides', {'name': row['who']}).text if row['who'] else ''}".strip(), "  ", first="- ") for row in page["undecided"]]
    return "\n".join([*topic("mail.recap.undecided", ""), *rows])


def _by_owner(page: Facts) -> str:
    lines = topic("mail.recap.actions", page["actions"]["finding"].text)
    for one in page["actions"]["owners"]:
        lines += [wrap(one["name"] or words.MISSING), *map(_row, one["rows"])]
    return "\n".join(lines)


def _closed(page: Facts) -> str:
    if not page["closed"]:
        return ""
    return "\n".join([*topic("mail.recap.closed", ""), *(line(f"{row['title']} ({row['owner']}, {row['word']})", words.show(row["on"], "shortday")) for row in page["closed"])])


def _attendance(said: Facts) -> str:
    if not said["attendance"]:
        return ""
    rows = [line(f"{row['name']}{', ' + row['role'] if row['role'] else ''}", row["said"]) for row in said["attendance"]]
    return "\n".join([*topic("mail.recap.attendance", ""), *rows])


def _points(page: Facts) -> str:
    if not page["points"]:
        return ""
    rows = [wrap(f"{row['topic'].rstrip('.')}. {row['discussion']}".strip(), "  ", first="- ") for row in page["points"]]
    return "\n".join([*topic("mail.recap.points", ""), *rows])


def _assumptions(page: Facts) -> str:
    if not page["assumptions"]:
        return ""
    rows = [part for row in page["assumptions"] for part in (line(row["text"], row["word"]), wrap(row["note"] or "", "    ", first="    ")) if part]
    return "\n".join([*topic("mail.recap.assumptions", ""), *rows])
