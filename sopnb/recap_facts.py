"""What the recap says, as plain values: made from the tables that 06 saved, read by the mail and by tests.

    facts(tables, header=…) -> {
        "header":       what it was called with: company, cycle, language, currency, about, run, …, as `report.heading` gives it
        "as_of":        the day of the meeting (Timestamp): the mail's date
        "revision":     1, 2, …: how often the minutes were corrected, and one
        "changes":      [Sentence]: what is said otherwise than in revision 1; [] in revision 1
        "headline":     Sentence, as "3 decisions, 4 actions; Rp 14.1 bn at stake"
        "lead":         [Sentence]: held when, with how many, quorum; who was missing; what was asked for and not decided
        "held_on":      Timestamp;  "chair": name
        "quorum":       {there, of, share, met, said: Sentence}
        "attendance":   [{person, name, role, mandatory, state: present|delegated|absent, word, delegate: name or ""}]
        "missing":      [{person, name, role, missed, meetings, said: Sentence}]: who had to come, did not, and sent nobody;
                        `missed` of the last `meetings` (at most twelve, this one counted)
        "absences":     [{person, missed, meetings}]: the same of everyone who must come
        "findings":     [Sentence]: quorum, people missing, decisions nobody was entitled to; by weight
        "decisions":    {finding: Sentence, rows: [{decision, title, option (its letter; with its words where the pack framed it), why, dissent, person, who, effect: Sentence, judged,
                        flags: [Sentence], asked: Sentence}]}; texts "" where nothing is said, judged NaT
        "undecided":    [{question: Sentence, who}]: asked for and not decided
        "actions":      {finding: Sentence, count, overdue, new, amount,
                         all: [row], owners: [{person, name, rows: [row]}]}: all that is open after the meeting, soonest due
                         first; row: action, title, person, owner (name), due, late (days; below zero is time left),
                         word ("3 days late", "in 12 days"), amount (NaN where unknown), money ("Rp 1.2 bn" or ""), new (flag),
                         age (days), started (flag), source (decision or point it comes from, "" where none)
        "closed":       [{action, title, person, owner, state: done|dropped, word, on, due, in_time: flag}]
        "assumptions":  [{assumption, text, state, word, owner, note, amount, money}]: those spoken of at this meeting
        "points":       [{topic, discussion}]
        "next_meeting": Timestamp or NaT;  "next_said": Sentence
    }

`person` is an id of `people`, `name`, `owner` and `who` are what is shown. A recipient's own actions are the rows of
`actions.all` whose person is theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import kpis, words
from sopnb.minutes_rules import missed_rule
from sopnb.words import Sentence, message

Facts = dict[str, Any]
RUNNING = ("open", "started")


def facts(tables: Mapping[str, pd.DataFrame], *, header: dict[str, Any] | None = None) -> Facts | None:
    """All that the recap says; see the head of this file.

    tables   of the cycle, by name: held, attendance, absences, decisions, minutes, actions_after, recap_findings, recap_changes,
             assumptions_said; people, asked and choices (as the pack had them) where there are any
    header   as `report.heading` gives it; the mail needs it, the page does not
    returns  None where the meeting has not been held
    """
    held = _rows(tables, "held")
    if not held:
        return None
    names = {row["person"]: row["name"] for row in _rows(tables, "people")}
    meeting = held[0]
    page: Facts = {
        "header": header or {}, "as_of": meeting["held_on"], "revision": int(meeting["revision"]), "held_on": meeting["held_on"],
        "chair": names.get(meeting["chair"], meeting["chair"] or ""), "quorum": _quorum(meeting),
        "changes": [message(row["rule"], row["values"]) for row in _rows(tables, "recap_changes")],
        "attendance": _attendance(tables, names), "missing": _missing(tables),
        "absences": [{"person": row["person"], "missed": int(row["missed"]), "meetings": int(row["meetings"])} for row in _rows(tables, "absences")],
        "findings": [message(row["rule"], row["values"]) for row in _rows(tables, "recap_findings")],
        "decisions": _decisions(tables, names), "undecided": _undecided(tables, names),
        "actions": _actions(tables, names, meeting), "closed": _closed(tables, names, meeting),
        "assumptions": _assumptions(tables, names),
        "points": [{"topic": row["topic"], "discussion": _text(row["discussion"])} for row in sorted(_rows(tables, "minutes"), key=lambda row: row["position"])],
        "next_meeting": meeting["next_meeting"], "next_said": _next(meeting),
    }
    page["headline"] = headline(page)
    page["lead"] = _lead(page)
    return page


def headline(page: Facts) -> Sentence:
    """Decisions, new actions and their money, in one sentence."""
    decided, actions = len(page["decisions"]["rows"]), page["actions"]
    values = {"decisions": decided, "actions": actions["new"], "amount": actions["amount"]}
    parts = [_counted("recap.headline.decisions", decided, values), _counted("recap.headline.actions", actions["new"], values)]
    return message("recap.headline.money" if actions["amount"] else "recap.headline", {**values, "decided": parts[0].text, "agreed": parts[1].text})


def _counted(key: str, n: int, values: Mapping[str, Any]) -> Sentence:
    return message(key + {0: ".none", 1: ".one"}.get(n, ""), {**values, "n": n})


def _lead(page: Facts) -> list[Sentence]:
    """How it was held, who was missing, what is left undecided: what a reader must know before the lists."""
    said = [page["quorum"]["said"], *(row["said"] for row in page["missing"])]
    open_questions = len(page["undecided"])
    return said + ([_counted("recap.undecided", open_questions, {})] if open_questions else [])


def _quorum(meeting: Mapping[str, Any]) -> dict[str, Any]:
    there, of, met = int(meeting["there"]), int(meeting["of_people"]), bool(meeting["quorum_met"])
    values = {"day": meeting["held_on"], "there": there, "of": of}
    return {"there": there, "of": of, "share": there / of if of else 0.0, "met": met, "said": message("recap.held" if met else "recap.held.short", values)}


def _attendance(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those who must come first; as the minutes have them within."""
    rows = sorted(_rows(tables, "attendance"), key=lambda row: (not row["mandatory"], row["state"] != "present"))
    return [{"person": row["person"], "name": row["name"] or row["person"], "role": _text(row["role"]), "mandatory": bool(row["mandatory"]), "state": row["state"],
             "word": message(f"recap.state.{row['state']}", {}).text, "delegate": names.get(row["delegate"], _text(row["delegate"]))} for row in rows]


def _missing(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    rows = [row for row in _rows(tables, "absences") if row["now"]]
    return [{"person": row["person"], "name": row["name"] or row["person"], "role": _text(row["role"]), "missed": int(row["missed"]), "meetings": int(row["meetings"]),
             "said": said_missing(row)} for row in rows]


def said_missing(row: Mapping[str, Any]) -> Sentence:
    """Who was neither there nor represented, and how often that was so."""
    return message(f"recap.finding.{missed_rule(row)}", {
        "name": row["name"] or row["person"], "role": _text(row["role"]) or words.MISSING, "missed": int(row["missed"]), "meetings": int(row["meetings"])})


def _decisions(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> dict[str, Any]:
    questions = {row["decision"]: message(row["question"], row["values"]) for row in _rows(tables, "asked")}
    answers = {(row["decision"], row["option"]): f"{row['option']}: {message(row['title'], row['values']).text}" for row in _rows(tables, "choices")}
    flags = [(json.loads(row["values"]), row) for row in _rows(tables, "recap_findings")]
    rows = [{
        "decision": row["decision"], "title": row["title"], "option": answers.get((row["asked"], row["option"]), _own_words(row)), "why": _text(row["why"]), "dissent": _text(row["dissent"]),
        "person": _text(row["decided_by"]), "who": names.get(row["decided_by"], _text(row["decided_by"])), "effect": said_effect(row), "judged": row["judged"],
        "asked": questions.get(row["asked"], words.plain("")),
        "flags": [message(one["rule"], one["values"]) for values, one in flags if values.get("decision") == row["decision"]],
    } for row in _rows(tables, "decisions")]
    against = sum(bool(row["dissent"]) for row in rows)
    return {"rows": rows, "finding": _counted("recap.decided", len(rows), {"against": against}) if not against else message("recap.decided.against", {"n": len(rows), "against": against})}


def _own_words(row: Mapping[str, Any]) -> str:
    """What was chosen, as the minutes have it: a letter alone, of no question asked, tells nobody anything."""
    option = _text(row["option"])
    return "" if len(option) == 1 and words.is_missing(row["asked"]) else option


def said_effect(row: Mapping[str, Any]) -> Sentence:
    """What the decision should bring, and when that can be seen; empty where nothing is expected.

    >>> said_effect({"effect_kpi": "otif", "effect": 0.02, "judged": pd.Timestamp("2027-02-01")}).text
    'On time in full +2.0 points, to be judged in February 2027'
    """
    if words.is_missing(row["effect_kpi"]) or words.is_missing(row["effect"]):
        return words.plain("")
    about = kpis.described().get(str(row["effect_kpi"]), {})
    known = f"kpis.{row['effect_kpi']}"
    values = {"measure": message(known, {}).text if known in words.MESSAGES else row["effect_kpi"], "moved": _moved(float(row["effect"]), about), "month": row["judged"]}
    return message("recap.effect" if words.is_missing(row["judged"]) else "recap.effect.judged", values)


def _moved(change: float, about: Mapping[str, Any]) -> str:
    """A change in the measure's unit: points of a percentage, money, or its own."""
    unit, digits = about.get("unit", ""), int(about.get("digits", 1))
    if unit in ("fraction", "%", "percent"):
        return message("recap.points", {"points": words.number(change, f"+.{max(digits, 1)}pp")}).text
    return words.show(change, "money+") if unit in ("money", "currency") else words.number(change, f"+,.{digits}f")


def due_word(late: int | None) -> str:
    """How far the day it is due lies from the meeting: 3 days late, due that day, in 12 days."""
    if late is None:
        return ""
    kind = "recap.due.that_day" if late == 0 else "recap.due.late" if late > 0 else "recap.due.left"
    return message(kind + (".one" if abs(late) == 1 else ""), {"days": abs(late)}).text


def _undecided(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was asked for and no decision answers; nothing where the minutes name no question at all."""
    answered = {row["asked"] for row in _rows(tables, "decisions") if not words.is_missing(row["asked"])}
    asked = sorted(_rows(tables, "asked"), key=lambda row: row["position"])
    return [{"question": message(row["question"], row["values"]), "who": names.get(row["decides"], _text(row["decides"]))}
            for row in asked if answered and row["decision"] not in answered]


def running(actions: pd.DataFrame, *, day: Any, people: pd.DataFrame | None = None) -> dict[str, Any]:
    """All that is open on a day, soonest due first; the same by owner, those with most to do first: `actions` of the facts.

    actions   frames.ACTIONS
    day       that of the meeting: what was agreed on it is new, what was added between meetings is not
    """
    names = {} if people is None else dict(zip(people["person"], people["name"], strict=True))
    return _actions({"actions_after": actions}, names, {"held_on": pd.Timestamp(day)})


def _actions(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str], meeting: Mapping[str, Any]) -> dict[str, Any]:
    day = meeting["held_on"]
    rows = [{
        "action": row["action"], "title": row["title"] or row["action"], "person": _text(row["owner"]), "owner": names.get(row["owner"], _text(row["owner"])),
        "due": row["due"], "late": late, "word": due_word(late), "amount": row["amount"], "money": _money(row["amount"]),
        "new": row["made_on"] >= day, "age": int(row["age_days"]), "started": row["state"] == "started", "source": _text(row["source"]),
    } for row in _rows(tables, "actions_after") if row["state"] in RUNNING for late in [None if words.is_missing(row["due"]) else (day - row["due"]).days]]
    rows.sort(key=lambda row: (words.is_missing(row["due"]), row["due"], row["action"]))
    owners: dict[str, dict[str, Any]] = {}
    for row in rows:
        owners.setdefault(row["person"], {"person": row["person"], "name": row["owner"], "rows": []})["rows"].append(row)
    fresh = [row for row in rows if row["new"]]
    overdue = sum((row["late"] or 0) > 0 for row in rows)
    amount = sum(row["amount"] for row in fresh if not words.is_missing(row["amount"]))
    values = {"n": len(rows), "new": len(fresh), "overdue": overdue}
    return {"all": rows, "owners": sorted(owners.values(), key=lambda one: (-len(one["rows"]), one["name"])), "count": len(rows), "new": len(fresh),
            "overdue": overdue, "amount": amount, "finding": message("recap.actions.none" if not rows else ("recap.actions.overdue" if overdue else "recap.actions") + (".one" if len(rows) == 1 else ""), values)}


def _closed(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str], meeting: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was open when the meeting before ended and is closed now."""
    since = meeting["before_on"]
    rows = [row for row in _rows(tables, "actions_after") if row["state"] in ("done", "dropped") and (words.is_missing(since) or row["closed_on"] > since)]
    rows.sort(key=lambda row: (row["closed_on"], row["action"]))
    return [{"action": row["action"], "title": row["title"] or row["action"], "person": _text(row["owner"]), "owner": names.get(row["owner"], _text(row["owner"])),
             "state": row["state"], "word": message(f"recap.closed.{row['state']}", {}).text, "on": row["closed_on"], "due": row["due"],
             "in_time": row["state"] == "done" and not words.is_missing(row["due"]) and row["closed_on"] <= row["due"]} for row in rows]


def _assumptions(tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those made or judged at this meeting, failed ones first."""
    order = ("failed", "held", "dropped", "open")
    return [{"assumption": row["assumption"], "text": _text(row["text"]), "state": row["state"], "word": message(f"recap.assumption.{row['state']}", {}).text,
             "owner": names.get(row["owner"], _text(row["owner"])), "note": _text(row["note"]), "amount": row["amount"], "money": _money(row["amount"])}
            for row in sorted(_rows(tables, "assumptions_said"), key=lambda row: (order.index(row["state"]), row["assumption"]))]


def _next(meeting: Mapping[str, Any]) -> Sentence:
    given = not words.is_missing(meeting["next_meeting"])
    return message("recap.next" if given else "recap.next.none", {"day": meeting["next_meeting"]})


def _money(amount: object) -> str:
    return "" if words.is_missing(amount) or not amount else words.show(amount, "money")


def _text(value: object) -> str:
    return "" if words.is_missing(value) else str(value)


def _rows(tables: Mapping[str, pd.DataFrame], name: str) -> list[dict[str, Any]]:
    """The rows of a table; none where it is not there."""
    df = tables.get(name)
    return [] if df is None else [{str(column): value for column, value in row.items()} for row in df.to_dict("records")]
