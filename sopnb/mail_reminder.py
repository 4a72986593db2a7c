"""What a reminder says: what is overdue, what is due soon, and how to report. Short, since it comes often."""

from __future__ import annotations

from typing import Any

from sopnb import mail_html, mail_text, words
from sopnb.mail_text import line, topic, wrap
from sopnb.words import Sentence, message

Facts = dict[str, Any]


def facts(owner: Facts, *, company: str, name: str, command: str, reports_url: str, files: list[str], message_id: str) -> Facts:
    """All that an owner's reminder says, once for both bodies.

    owner   one value of `status_page.reminders`
    """
    said = _headline(owner)
    first = (owner["overdue"] or owner["due"])[0]
    report = [message("mail.reminder.reply", {"action": first["action"]})]
    report += [message("mail.reminder.command", {"command": f"{command} {first['action']}"})] if command else []
    return {
        "owner": owner, "headline": said, "report": report, "reports_url": reports_url, "id": message_id, "for_you": None, "revised": None, "company": company,
        "subject": message("mail.reminder.subject", {"company": company, "finding": _lower(said.text)}).text, "about": message("mail.reminder.about", {"day": owner["day"]}).text,
        "lead": [message("mail.reminder.money", {"amount": owner["amount"]})] if owner["amount"] else [],
        "where": message("mail.recap.calendar", {"file": files[0]}).text if files else "", "blocks": _blocks(owner),
        "closing": message("mail.reminder.closing", {"name": name, "company": company, "days": owner["ahead_days"]}).text,
    }


def html(said: Facts, language: str) -> str:
    return mail_html.render("mail_reminder.html.j2", **said, language=language, preheader=", ".join(row["title"] for _, rows in said["blocks"] for row in rows)[:200])


def _headline(owner: Facts) -> Sentence:
    late, soon = len(owner["overdue"]), len(owner["due"])
    kind = "both" if late and soon else "late" if late else "due"
    one = ".one" if late + soon == 1 else ""
    return message(f"mail.reminder.{kind}{one}", {"late": late, "due": soon})


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _blocks(owner: Facts) -> list[tuple[str, list[Facts]]]:
    """The overdue first; how late, or how soon, in words."""
    blocks = []
    for key, rows in (("overdue", owner["overdue"]), ("due", owner["due"])):
        shown = [{**row, "late": key == "overdue", "word": _word(key, row["days"]), "money": words.show(row["amount"], "money") if row["amount"] else ""} for row in rows]
        blocks += [(f"mail.reminder.topic.{key}", shown)] if shown else []
    return blocks


def _word(key: str, days: int) -> str:
    kind = "today" if days == 0 else ("late" if key == "overdue" else "left") + (".one" if days == 1 else "")
    return message(f"front.actions.{kind}", {"days": days}).text


def plain(said: Facts) -> str:
    """The text body: complete, at most 78 columns."""
    return mail_text.joined([
        wrap(f"{said['company']}, {said['about']}."), wrap(said["headline"].text, underline=True), wrap(" ".join(one.text for one in said["lead"])),
        *(_block(key, rows) for key, rows in said["blocks"]), "\n".join([*topic("mail.reminder.report", ""), *(wrap(one.text, "  ", first="- ") for one in said["report"])]),
        wrap(said["where"]), mail_text.web(said["reports_url"]), wrap(said["closing"])])


def _block(key: str, rows: list[Facts]) -> str:
    return "\n".join([*topic(key, ""), *(line(f"{row['action']} {row['title']} ({', '.join(x for x in (row['money'], row['word']) if x)})", words.show(row["due"], "shortday")) for row in rows)])
