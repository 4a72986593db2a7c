"""The minutes typed into a notebook's cells: plain dicts and lists, checked and saved as the YAML that `sopnb recap` reads.

    held = dict(cycle="2026-10", held_on="2026-10-08")
    came = {"rina.kusuma": "absent", "hendra.gunawan": "maya.putri"}          # the others were present; a name: who stood in
    said = {"P03": "Short by 318 hours", "Fire drill": "On the 20th"}         # a point of the agenda, or a new one
    decided = [dict(asked="D1", option="B", why="Cheapest", dissent="Sales", effect_kpi="otif", effect=0.02, judged="2027-02")]
    agreed = [dict(title="Book the crews", owner="budi.hartono", due="2026-10-30", amount=1.2e9, source="D1")]
    reported = {"2026-09-A1": "done", "2026-08-A2": dict(state="moved", due="2026-11-15")}
    assumed = {"S1": "failed", "S6": dict(text="Two chains list the jar", owner="dewi.lestari")}

What the cells leave out is as the form has it, so that the three kinds of form give the same minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sopnb import minutes_files, minutes_form, minutes_place
from sopnb.minutes import SHEETS, Known, Minutes, checked, untouched
from sopnb.minutes_events import events
from sopnb.minutes_form import Data
from sopnb.problems import Problem, Problems
from sopnb.words import Sentence, message

NAME = "form cells"
LISTS = {"attendance": "came", "points": "said", "decisions": "decided", "actions": "agreed", "updates": "reported", "assumptions": "assumed"}


def fill(
    path: str | Path | None, form: Data, *, held: Mapping[str, Any], came: Mapping[str, Any], said: Mapping[str, Any], decided: Sequence[Mapping[str, Any]],
    agreed: Sequence[Mapping[str, Any]], reported: Mapping[str, Any], assumed: Mapping[str, Any], known: Known | None = None, asks: bool = True, command: str = "sopnb recap",
) -> Sentence:
    """Check what was typed and save it as the cycle's minutes.

    path       meeting.file of the params file
    form       from `minutes_form.prefilled`
    held, …    as above; `held` with `replaces=True` corrects minutes that are there: they are kept beside, numbered
    known      what minutes may speak of
    asks       whether a person runs this; a run by `sopnb` saves nothing, whatever stands in the cells
    returns    what was done, in a sentence; cells left as they were, or about another cycle, do nothing
    raises     Problems, all in one list, each with its cell and entry
    """
    typed = bool(held.get("held_on")) or any(bool(part) for part in (came, said, decided, agreed, reported, assumed))
    if not asks or not typed:
        return message("minutes.cells.nothing", {})
    if str(held.get("cycle") or "") != form["cycle"]:
        return message("minutes.cells.other", {"typed": str(held.get("cycle") or "–"), "cycle": form["cycle"]})
    data = _data(form, held, came, said, decided, agreed, reported, assumed)
    try:
        minutes = checked(data, NAME, cycle=form["cycle"], known=known)
    except Problems as error:
        raise Problems([_in_cells(problem) for problem in error.problems]) from None
    if path is None:
        raise Problems([Problem("meeting.file", "is missing, so there is no place for the minutes", "a path, as data/acme/{cycle}/minutes.yaml", "Add it to the params file")])
    place, text = Path(path).with_suffix(".yaml"), minutes_form.text(data)
    there = minutes_place.place(path)
    if there is not None and not _blank(there) and _says_the_same(there, minutes):
        return message("minutes.cells.same", {"file": there.name, "command": command})
    return _saved(place, there, text, bool(held.get("replaces")), command)


def _says_the_same(path: Path, minutes: Minutes) -> bool:
    """Minutes that are there and faulty say something else: they may be corrected from here."""
    try:
        return events(checked(minutes_files.read(path), path.name)) == events(minutes)
    except Problems:
        return False


def _blank(path: Path) -> bool:
    return untouched(minutes_files.read(path))


def _saved(place: Path, there: Path | None, text: str, replaces: bool, command: str) -> Sentence:
    """Write where nothing stands or a form nobody filled in; over minutes only where that was asked for, the old ones kept."""
    if there is not None and there.suffix.lower() not in minutes_place.TEXTS:
        raise Problems([Problem(str(there), "is a workbook of the same meeting", "one of the two", "Fill that one in, or move it away")])
    kept = ""
    if there is not None and not _blank(there):
        if not replaces:
            raise Problems([Problem(str(there), "holds other minutes of this meeting", "held = dict(…, replaces=True)", "Say replaces=True to correct them: the old ones are kept beside")])
        kept = _set_aside(there).name
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(place.name + ".partial")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, there if there is not None else place)
    return message("minutes.cells.corrected" if kept else "minutes.cells.saved", {"file": str(there or place), "kept": kept, "command": command})


def _set_aside(path: Path) -> Path:
    """A copy of minutes that are corrected: minutes-1.yaml, minutes-2.yaml, …"""
    number = 1
    while (copy := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    copy.write_bytes(path.read_bytes())
    return copy


def _in_cells(problem: Problem) -> Problem:
    """Where it was typed: `decisions 2, judged` is the second entry of `decided`."""
    place = problem.where.removeprefix(f"{NAME}, ")
    head = place.split(" ")[0].rstrip(",")
    cell = LISTS.get(head, "held")
    return Problem(f"{cell} ({place})" if head in LISTS else f"held, {place}", problem.wrong, problem.allowed, problem.remedy)


# --- the cells as the form's values ---------------------------------------------------------------------------------

def _data(form: Data, held: Mapping[str, Any], came: Any, said: Any, decided: Any, agreed: Any, reported: Any, assumed: Any) -> Data:
    """The form with what was typed in its places, without what is for reading.

    raises   Problems where a cell is not what it should be
    """
    shapes = {"came": (came, Mapping), "said": (said, Mapping), "decided": (decided, Sequence), "agreed": (agreed, Sequence), "reported": (reported, Mapping), "assumed": (assumed, Mapping)}
    wrong = [Problem(name, f"is a {type(value).__name__}", "a dict {…}" if shape is Mapping else "a list [dict(…), …]", "Write it as the comment beside it shows")
             for name, (value, shape) in shapes.items() if not isinstance(value, shape) or isinstance(value, str)]
    wrong += [Problem(f"{name} {i}", f"is a {type(row).__name__}", "dict(…)") for name in ("decided", "agreed") if name not in {p.where for p in wrong}
              for i, row in enumerate(shapes[name][0], start=1) if not isinstance(row, Mapping)]
    if wrong:
        raise Problems(wrong)
    plain = {name: [{key: value for key, value in row.items() if not key.startswith("(")} for row in form[name]] for name in SHEETS}
    head = {name: held.get(name) or form.get(name) for name in ("cycle", "held_on", "chair", "next_meeting")}
    more = {name: value for name, value in held.items() if name not in (*head, "replaces")}
    return {**head, **more, "attendance": _attendance(plain["attendance"], came), "points": _points(plain["points"], said),
            "decisions": _decisions(plain["decisions"], decided, head["chair"]), "actions": [{"id": f"A{i}", **row} for i, row in enumerate(agreed, start=1)],
            "updates": _named(plain["updates"], "action", reported), "assumptions": _named(plain["assumptions"], "id", assumed)}


def _attendance(rows: list[Data], came: Mapping[str, Any]) -> list[Data]:
    """present or absent as said; any other word is who stood in."""
    known = {row["person"]: row for row in rows}
    for person, word in came.items():
        state = {"state": word} if word in ("present", "absent") else {"state": "delegated", "delegate": word}
        known[person] = {**known.get(person, {"person": person, "delegate": None}), **state}
    return list(known.values())


def _points(rows: list[Data], said: Mapping[str, Any]) -> list[Data]:
    """P01, P02, … are the agenda's, in order; None takes one out; any other name is a new point."""
    numbered = {f"P{i:02d}": row for i, row in enumerate(rows, start=1)}
    old = [{**row, "discussion": said.get(name, row["discussion"])} for name, row in numbered.items() if said.get(name, "") is not None]
    return old + [{"topic": name, "discussion": text} for name, text in said.items() if name not in numbered]


def _decisions(rows: list[Data], decided: Sequence[Mapping[str, Any]], chair: Any) -> list[Data]:
    """One that names what was asked has its question and who was to decide; others are numbered on."""
    asked = {row["asked"]: row for row in rows}
    taken = {str(row.get("id") or row.get("asked")) for row in [*rows, *decided]}
    free: Callable[[], str] = iter([f"D{i}" for i in range(1, 1000) if f"D{i}" not in taken]).__next__
    out = dict(asked)
    for row in decided:
        known = asked.get(row.get("asked"), {})
        number = row.get("id") or row.get("asked") or free()
        out[row.get("asked") or number] = {"id": number, "decided_by": chair, **{name: value for name, value in known.items() if value is not None}, **row}
    return list(out.values())


def _named(rows: list[Data], key: str, said: Mapping[str, Any]) -> list[Data]:
    """A word is the state; more than that is a dict."""
    known = {row[key]: row for row in rows}
    for name, word in said.items():
        known[name] = {**known.get(name, {key: name}), **(dict(word) if isinstance(word, Mapping) else {"state": word})}
    return list(known.values())
