"""What the pack's mail says: the front page's facts as one column of HTML, and whole in plain text."""

from __future__ import annotations

from typing import Any

from sopnb import mail_html, mail_pictures, mail_text, words
from sopnb.front_ground import Scale
from sopnb.mail_pictures import Pictures
from sopnb.mail_text import line, topic, wrap
from sopnb.words import Sentence, message

Facts = dict[str, Any]
PARTS = 4  # causes of a changed plan that are named; the others are one row
ROWS = 5  # exceptions


def facts(page: Facts, *, name: str, person: str, reports_url: str, files: list[str], subject: str, revision: int, message_id: str, pictures: Pictures) -> Facts:
    """All that a reader's mail says, once for both bodies."""
    mine = _own(page, person, name)
    return {"page": page, "name": name, "mine": mine, "reports_url": reports_url, "subject": subject, "id": message_id, "pictures": pictures,
            "revised": message("mail.revision", {"revision": revision}) if revision > 1 else None, "where": f"{page['header']['scope']} {_where(files)}".strip(),
            "for_you": _for_you(page, mine, person, name), "closing": _closing(page, name), "load_sub": _load_sub(page)}


def html(said: Facts) -> str:
    page, header = said["page"], said["page"]["header"]
    large, others = mail_pictures.cards(page["scorecard"]) if page["scorecard"] else ([], [])
    verdict = header.get("verdict") or "green"
    return mail_html.render(
        "mail.html.j2", **{key: page[key] for key in ("headline", "lead", "decisions", "scorecard", "changes", "exceptions")}, **said, language=header["language"],
        company=header["company"], about=header["about"], preheader=_preheader(said), state=mail_html.STATES[verdict], verdict=header["said"], large=large,
        others=others, changed=changed(page), rest=rest(page), your_finding=yours(said["mine"]))


# --- what both bodies need ------------------------------------------------------------------------------------------

def _own(page: Facts, person: str, name: str) -> list[Facts]:
    return [row for row in page["actions"].get("all", []) if row["person"] and row["person"] in (person, name)]


def yours(mine: list[Facts]) -> Sentence:
    overdue = sum((row["late"] or 0) > 0 for row in mine)
    kind = "mail.you" + (".one" if len(mine) == 1 else "") + (".late" if overdue else "")
    return message(kind, {"n": len(mine), "overdue": overdue})


def _for_you(page: Facts, mine: list[Facts], person: str, name: str) -> Sentence | None:
    """What this reader must do before or at the meeting, in a line; None where it is nothing."""
    said = []
    asked = [card["number"] for card in page["decisions"]["cards"] if card["decides"] and card["decides"] in (name, person)] if page["decisions"] else []
    if asked:
        said.append(message("mail.for_you.decide" + (".one" if len(asked) == 1 else ""), {"questions": ", ".join(map(str, asked))}))
    if mine:
        said.append(message("mail.for_you.actions", {"finding": yours(mine).text}))
    return None if not said else sum(said[1:], said[0])


def _load_sub(page: Facts) -> Sentence | None:
    """How to read the picture of load; the line with overtime only where there is any."""
    if not page["capacity"]:
        return None
    load = page["capacity"]["load"]
    more = "overtime" in load and bool((load["overtime"].fillna(0) > 0).any())
    return message("mail.load.sub" if more else "mail.load.sub.plain", {"window": page["window"]})


def _where(files: list[str]) -> str:
    return message("mail.attached" if len(files) == 1 else "mail.attached.many", {"file": ", ".join(files)}).text if files else message("mail.inside", {}).text


def _preheader(said: Facts) -> str:
    """What an inbox shows beside the subject: what the reader must do, then the plan."""
    page = said["page"]
    parts = [said["for_you"].text if said["for_you"] else "", *(one.text for one in page["lead"][:1]), page["decisions"]["finding"].text + "." if page["decisions"] else ""]
    return " ".join(part for part in parts if part)[:200]


def _closing(page: Facts, name: str) -> str:
    header, data = page["header"], page["data"]
    parts = [data["finding"].text + ".", message("front.not_available", {"tables": ", ".join(data["missing"])}).text if data["missing"] else "",
             message("mail.closing", {"name": name, "company": header["company"], "cycle": header["cycle"], "run": header["run"] or "–"}).text]
    return " ".join(part for part in parts if part)


def changed(page: Facts) -> list[Facts]:
    """Last plan, the largest causes, all others in one row, this plan and the budget: the rows add up as they did."""
    found, parts = page["changes"], page["changes"].get("parts", [])
    rows = [{**row, "label": _capital(row["label"]), "strong": row["kind"] != "part"} for row in found["rows"]]
    if len(parts) <= PARTS + 1:
        return rows
    kept = sorted(range(len(parts)), key=lambda i: (-abs(parts[i][1]), i))[:PARTS]
    scale = Scale.of([page["totals"]["plan"], page["totals"]["last"]])
    amount = sum(part[1] for i, part in enumerate(parts) if i not in kept)
    other = {"kind": "rest", "strong": False, "label": message("front.other", {"n": len(parts) - PARTS}), "text": scale.show(amount, signed=True)}
    first, last = rows[0], rows[len(parts) + 1:]
    return [first, *(rows[i + 1] for i in range(len(parts)) if i in kept), other, *last]


def _capital(label: Sentence | str) -> Sentence | str:
    return label if isinstance(label, Sentence) else label[:1].upper() + label[1:]


def rest(page: Facts) -> Facts | None:
    """The row for the exceptions after the fifth, so that the total stays the total."""
    found = page["exceptions"]
    if not found or found["count"] <= ROWS:
        return None
    amount = found["total"] - sum(row["amount"] for row in found["rows"][:ROWS])
    return {"label": message("front.exceptions.other", {"n": found["count"] - ROWS}), "text": found["scale"].show(amount)}


# --- plain text -----------------------------------------------------------------------------------------------------

def plain(said: Facts) -> str:
    """The text body: complete, at most 78 columns, for readers and programs that show no HTML."""
    page = said["page"]
    header, pictures = page["header"], said["pictures"]
    return mail_text.joined([
        wrap(f"{header['company']}, {header['about']}. {header['said']}."), wrap(page["headline"].text, underline=True),
        wrap(said["revised"].text if said["revised"] else ""), wrap(" ".join(one.text for one in page["lead"])), wrap(said["where"]),
        mail_text.web(said["reports_url"]), wrap(said["for_you"].text, "  ", first="> ") if said["for_you"] else "",
        _decisions(page), _picture("front.topic.chart", pictures.plan), _scorecard(page), _changes(page), _picture("front.topic.capacity", pictures.load) or _capacity(page),
        _exceptions(page), _actions(said["mine"]), wrap(said["closing"])])


def _picture(key: str, figure: mail_pictures.Figure | None) -> str:
    return "" if figure is None else "\n".join([*topic(key, figure.title.text), wrap(figure.wide.alt)])


def _capacity(page: Facts) -> str:
    """All resources have room: a sentence says so."""
    return "\n".join(topic("front.topic.capacity", page["capacity"]["finding"].text)) if page["capacity"] else ""


def _scorecard(page: Facts) -> str:
    found = page["scorecard"]
    if not found:
        return ""
    rows = [line(f"{card['name']} ({', '.join(x for x in (card['word'], card['target'].text, card['change'].text) if x) or '–'})", card["shown"]) for card in found["cards"]]
    return "\n".join([*topic("front.topic.score", found["finding"].text), *rows])


def _decisions(page: Facts) -> str:
    found = page["decisions"]
    return "" if not found else "\n".join([*topic("front.topic.decisions", found["finding"].text), *(text for card in found["cards"] for text in _decision(card))])


def _decision(card: Facts) -> list[str]:
    when = ". ".join(part for part in (card["by_text"].text, message("mail.decides", {"name": card["decides"]}).text if card["decides"] else "") if part)
    lines = [wrap(f"{card['question'].text}", "   ", first=f"{card['number']}. "), *_under(when), *_under(card["said"].text)]
    for option in card["options"]:
        marked = f" ({message('mail.recommended', {}).text})" if option["taken"] else ""
        why = message("mail.why", {"reason": card["reason"]}).text if option["taken"] and card["reason"] else ""
        lines.append(wrap(f"{option['letter']}{marked}: {option['title'].text}. {why}", "      ", first="   "))
    if card["rows"]:
        lines += mail_text.grid([option["letter"] for option in card["options"]], [(row["label"].text, row["cells"]) for row in card["rows"]], card["unit"])
    return lines + _under(card["more"].text)


def _under(text: str) -> list[str]:
    """A paragraph of a decision; none where nothing is said."""
    return [wrap(text, "   ", first="   ")] if text else []


def _changes(page: Facts) -> str:
    found = page["changes"]
    if not found["rows"]:
        return ""
    rows = [line(str(row["label"]), row["text"]) for row in changed(page)]
    return "\n".join([*topic("front.topic.changes", found["finding"].text), mail_text.unit(found["unit"]), *rows])


def _exceptions(page: Facts) -> str:
    found = page["exceptions"]
    if not found or not found["rows"]:
        return ""
    rows = [line(", ".join(x for x in (row["name"], row["place"], f"{row['word']} {row['span']}".strip()) if x), row["text"]) for row in found["rows"][:ROWS]]
    other = rest(page)
    rows += [line(other["label"].text, other["text"])] if other else []
    return "\n".join([*topic("front.topic.exceptions", found["finding"].text), mail_text.unit(found["unit"]), *rows, line(message("front.total", {}).text, found["total_text"])])


def _actions(mine: list[Facts]) -> str:
    if not mine:
        return ""
    rows = [line(f"{row['title']} ({row['word']})" if row["word"] else row["title"], words.show(row["due"], "shortday")) for row in mine]
    return "\n".join([*topic("mail.yours", yours(mine).text), *rows])
