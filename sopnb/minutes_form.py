"""The form for a meeting's minutes: what is known before the meeting, with room for what was said.

    prefilled(agenda, asked, people, …)   the expected people, the agenda, the decisions asked for, open actions, assumptions
    form(…)                               the same as YAML text
    save(path, text)                      written once, never over a file

A key in brackets is for whoever fills it in: a comment in the YAML, a grey column in the workbook, and never read.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from sopnb import minutes_place, words
from sopnb.minutes import SHEETS
from sopnb.problems import Problem, Problems

Data = dict[str, Any]
RUNNING = ("open", "started")
ABOUT = {
    "attendance": "state: present, delegated (with the delegate) or absent",
    "points": "what was said of each point; take out what was not talked about, add what was",
    "decisions": "fill in option and why where it was decided; leave both empty where it was not. effect_kpi, effect and judged (YYYY-MM) let it be scored later",
    "actions": "every action has an owner and a day, on or after the meeting; source: the decision or point it comes from",
    "updates": "what became of earlier actions: started, done, dropped or moved (with due or owner); leave state empty where nothing new was said",
    "assumptions": "state: held, failed or dropped, with a note; leave it empty where nothing new was said. A new one has a text and an owner",
}


class Form(str):
    """A text that a notebook shows line by line."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": f"<pre>{html.escape(self)}</pre>", "text/plain": str(self)}


def prefilled(
    agenda: pd.DataFrame | None, asked: pd.DataFrame | None, people: pd.DataFrame | None = None, *, cycle: str, meeting_day: Any, chair: str = "",
    actions: pd.DataFrame | None = None, choices: pd.DataFrame | None = None, assumptions: pd.DataFrame | None = None,
) -> Data:
    """What the form says before anybody has filled it in, as plain values.

    agenda       frames.AGENDA; or with a column `text` that says the points in words
    asked        frames.ASKED; or with `text`
    people       person   name, role, mandatory
    actions      frames.ACTIONS: open ones are listed for a word on them
    choices      decision × option   title, values, recommended: the answers to each decision asked for
    assumptions  frames.ASSUMPTIONS: open ones are listed
    returns      as the YAML of minutes, with keys in brackets for reading; `(planned)` is the day planned

    `held_on` is empty, so that a form nobody filled in is not taken for a meeting; so is every option, so that nothing
    is taken for decided.
    """
    names = {} if people is None or "name" not in people else dict(zip(people["person"], people["name"], strict=True))
    return {
        "cycle": cycle, "held_on": None, "chair": chair or None, "next_meeting": None, "(planned)": f"{pd.Timestamp(meeting_day):%Y-%m-%d}",
        "attendance": [_person(row) for row in _rows(people)],
        "points": [{"topic": text, "discussion": None, "(who, minutes)": _who(row, names)} for row, text in _said(agenda, "topic")],
        "decisions": [_question(row, text, choices, chair, names) for row, text in _said(asked, "question")],
        "actions": [],
        "updates": [{"action": row["action"], "state": None, "(title)": _line(row["title"]), "(owner)": names.get(row["owner"], row["owner"]), "(due)": _day(row["due"]),
                     "(now)": row["state"]} for row in _rows(actions) if row["state"] in RUNNING],
        "assumptions": [{"id": row["assumption"], "state": None, "note": None, "(text)": _line(row["text"]), "(owner)": names.get(row["owner"], row["owner"] or "")}
                        for row in _rows(assumptions) if row["state"] == "open"],
    }


def _person(row: Mapping[str, Any]) -> Data:
    must = words.label("must come") if row.get("mandatory") is True else ""
    about = ", ".join(str(part) for part in (row.get("name"), row.get("role"), must) if part and part == part)
    return {"person": row["person"], "state": "present", "delegate": None, "(who)": about}


def _who(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    owner = row.get("owner")
    minutes = row.get("minutes")
    return ", ".join(part for part in (names.get(str(owner), str(owner)) if isinstance(owner, str) else "", "" if words.is_missing(minutes) else f"{int(minutes)} min") if part)  # type: ignore[arg-type]


def _question(row: Mapping[str, Any], text: str, choices: pd.DataFrame | None, chair: str, names: Mapping[str, str]) -> Data:
    """A decision asked for: its answers and the recommendation for reading, the decision itself empty."""
    mine = [] if choices is None else [one for one in _rows(choices) if one["decision"] == row["decision"]]
    answers = "; ".join(f"{one['option']}: {words.message(one['title'], one['values']).text}" for one in mine)
    who = row["decides"] if isinstance(row["decides"], str) else chair
    return {"id": row["decision"], "title": text, "option": None, "why": None, "dissent": None, "decided_by": who or None, "effect_kpi": None, "effect": None,
            "judged": None, "asked": row["decision"], "(options)": answers, "(recommended)": row["recommended"] if isinstance(row["recommended"], str) else "",
            "(decides)": names.get(str(row["decides"]), row["decides"]) if isinstance(row["decides"], str) else words.message("meeting.nobody", {}).text}


def _said(df: pd.DataFrame | None, column: str) -> list[tuple[Data, str]]:
    """Rows in their order, with what they say in words."""
    rows = sorted(_rows(df), key=lambda row: row.get("position", 0))
    return [(row, str(row["text"]) if "text" in row else words.message(row[column], row.get("values")).text) for row in rows]


# --- as YAML --------------------------------------------------------------------------------------------------------

def form(
    agenda: pd.DataFrame | None, asked: pd.DataFrame | None, people: pd.DataFrame | None = None, **settings: Any,
) -> Form:
    """Prefilled minutes as YAML text: fill in the day, what was said and what was decided, and save it. See `prefilled`."""
    return Form(text(prefilled(agenda, asked, people, **settings)))


def text(data: Data) -> str:
    """A form, or minutes, as YAML: what stands in brackets becomes a comment.

    Every value is written as JSON, which is YAML whatever stands in it.
    """
    planned = f"   # the day of the meeting, planned for {data['(planned)']}" if data.get("(planned)") else ""
    lines = [f"cycle: {_value(data.get('cycle'))}", f"held_on: {_value(data.get('held_on'))}".rstrip() + planned, f"chair: {_value(data.get('chair'))}".rstrip(),
             f"next_meeting: {_value(data.get('next_meeting'))}".rstrip()]
    for name, columns in SHEETS.items():
        lines += ["", f"# {ABOUT[name]}", f"{name}:" if data.get(name) else f"{name}: []"]
        for row in data.get(name) or []:
            lines += _entry(row, [column for column, _, _ in columns])
        if not data.get(name) and name == "actions":
            lines.append('#  - {id: A1, title: "…", owner: person, due: 2026-12-31, amount: 0, source: D1}')
    return "\n".join([*lines, ""])


def _entry(row: Mapping[str, Any], columns: list[str]) -> list[str]:
    """An entry in one line, or a line each where it is long; what is for reading stands above it."""
    told = [f"  # {key.strip('()')}: {_line(value)}" for key, value in row.items() if key.startswith("(") and _line(value)]
    parts = [f"{column}: {_value(row[column]) or chr(34) * 2}" for column in columns if column in row]
    short = "{" + ", ".join(parts) + "}"
    return [*told, f"  - {short}"] if len(short) <= 110 else [*told, f"  - {parts[0]}", *(f"    {part}" for part in parts[1:])]


def _value(value: Any) -> str:
    """A date bare, as people write it; any other value as JSON."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    if isinstance(shown, str) and _bare(shown):
        return shown
    return json.dumps(shown, ensure_ascii=False).replace("\x85", "\\u0085")  # YAML would end the line there


def _bare(value: str) -> bool:
    """Whether a text reads back as itself without quotes: ids and dates."""
    if not (value.replace("-", "").replace(".", "").replace("_", "").isalnum() and value.isascii()):
        return False
    read, day = yaml.safe_load(f"[{value}]"), _date(value)
    return read == [value] or (day is not None and read == [day])  # a text such as null reads back as nothing


def _date(value: str) -> Any:
    try:
        return pd.Timestamp(value).date()
    except (ValueError, NotImplementedError, OverflowError):  # a text such as 0/0 looks like a day of no year
        return None


def save(path: Path, text: str) -> Path:
    """Write a form or minutes where nothing stands yet.

    raises   Problems where minutes are there already, of either kind: they are never overwritten
    """
    refuse_over(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)
    return path


def refuse_over(path: Path) -> None:
    """raises   Problems where minutes are there already, of either kind"""
    there = minutes_place.beside(path)
    if there:
        raise Problems([Problem(str(there[0]), "is there already, and is never written over", "a place where nothing stands", "Fill that one in, or move it away")])


def _rows(df: pd.DataFrame | None) -> list[Data]:
    return [] if df is None else [{str(name): value for name, value in row.items()} for row in df.to_dict("records")]


def _line(value: Any) -> str:
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else " ".join(str(value).split())


def _day(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"
