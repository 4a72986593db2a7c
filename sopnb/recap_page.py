"""The blocks of 06: how the meeting was held, what was decided, who does what by when, what got done, who was there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import minutes_form, status_page, tables, words
from sopnb.blocks import Block, Heading, Note, Part, block
from sopnb.recap_facts import Facts
from sopnb.tables import col
from sopnb.words import Sentence, say


def held(facts: Facts | None, *, planned: Any, form: minutes_form.Data | None = None) -> Block:
    """How it was held, what must be known of it, and what corrected minutes say otherwise; before it, the form.

    facts    `recap_facts.facts`; None: not held yet
    planned  the day planned
    form     shown where it was not held
    """
    if facts is None:
        return block(say("**Not held yet.** Planned for {day:weekday}.", day=planned), Note(say("This is the form for its minutes. `sopnb recap PARAMS --form` writes it as a file, `--workbook` as a workbook.")),
                     None if form is None else _Text(minutes_form.text(form)))  # type: ignore[arg-type]
    revised = None if facts["revision"] == 1 else (
        say("**Revision {n:,.0f}** of the recap: the minutes were corrected. What is said otherwise than in the first:", n=facts["revision"]) if facts["changes"] else
        say("**Revision {n:,.0f}** of the recap: it says again what the first said.", n=facts["revision"]))
    changed = tables.show(pd.DataFrame({"what": [one for one in facts["changes"]]}), caption=say("What changed since the first recap"), columns={"what": "Correction"},
                          source="minutes; the ledger keeps what they said before") if facts["changes"] else None
    return block(revised, changed, facts["headline"], facts["quorum"]["said"], *[one for one in facts["findings"]])


class _Text:
    """A form, line by line."""

    def __init__(self, text: str):
        self.text = text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return minutes_form.Form(self.text)._repr_mimebundle_()


def decisions(facts: Facts | None) -> Block:
    """What was decided, why, by whom, against whom, what it should bring; then what was asked for and left open."""
    if facts is None:
        return block(say("Nothing yet."))
    rows = facts["decisions"]["rows"]
    shown = pd.DataFrame([{
        "title": row["title"], "number": row["decision"], "option": row["option"] or words.MISSING, "why": row["why"], "who": row["who"], "dissent": row["dissent"] or words.MISSING,
        "effect": row["effect"] if row["effect"] else words.MISSING} for row in rows])
    table = tables.show(shown, caption=say("Decisions of {day:day}", day=facts["held_on"]), subtitle="With the reason, whoever decided, and what should come of it", source="minutes", columns={
        "title": "Decision", **({"option": "Option"} if any(row["option"] for row in rows) else {}), "why": "Why", "who": "Decided by", **({"dissent": col("Against", wide=True)} if any(row["dissent"] for row in rows) else {}), "effect": col("Expected", wide=True), "number": col("Number", wide=True)}) if rows else None
    flags = [flag for row in rows for flag in row["flags"] if not facts["findings"] or flag not in facts["findings"]]
    return block(facts["decisions"]["finding"], table, *flags, *_undecided(facts))


def earlier(scored: pd.DataFrame | None) -> Block:
    """How many of the decisions judged by now brought what they were meant to, and which one fell shortest; the page of actions lists all.

    scored   frames.SCORED, as 05 saved it; None: it did not run
    """
    every = pd.DataFrame(columns=["outcome"]) if scored is None else scored
    known, ask = every[every["outcome"].isin(("hit", "missed"))], int((every["outcome"] == "ask").sum())
    if known.empty:
        return block(say("No earlier decision can be judged yet."))
    said = say("**{hits:,.0f} of {n:,.0f} earlier decisions brought what they were meant to.**", hits=(known["outcome"] == "hit").sum(), n=len(known)) if len(known) > 1 else (
        say("**The one earlier decision judged brought what it was meant to.**") if known["outcome"].iloc[0] == "hit" else say("**The one earlier decision judged did not bring what it was meant to.**"))
    return block(said, _shortest(known), say("{n:,.0f} more cannot be measured: ask whoever decided.", n=ask) if ask else None, _all_of_them())


def _shortest(known: pd.DataFrame) -> Sentence | None:
    """The one whose measure came furthest from what was expected of it, as a share of that."""
    missed = known[(known["outcome"] == "missed") & known["came"].notna()]
    if missed.empty:
        return None
    row = missed.sort_values(["came", "decision"], kind="stable").iloc[0]
    return say("**Furthest from it: {title}.** {measure} moved by {came} to {month:month}, where {expected} was expected; other causes move it as well.", month=row["judged"], title=row["title"] or row["decision"],
               measure=status_page.measure_name(row["effect_kpi"]), expected=status_page.change(row["effect_kpi"], row["expected"]), came=status_page.change(row["effect_kpi"], row["realised"]))


def _all_of_them() -> Note:
    """A link to the page of actions, which stands beside the folders of the cycles."""
    told = words.message("status.link", {})
    return Note(Sentence(told.text, f'<a href="../actions.html">{told.html}</a>', told.markdown))


def _undecided(facts: Facts) -> list[Part | None]:
    rows = facts["undecided"]
    if not rows:
        return []
    table = tables.show(pd.DataFrame([{"question": row["question"], "who": row["who"] or words.MISSING} for row in rows]), caption=say("Asked for and not decided"),
                        columns={"question": "Question", "who": "Who decides"}, source="step 05; minutes")
    return [say("**Asked for and not decided: {n:,.0f}.**", n=len(rows)), table]


def actions(facts: Facts | None, open_actions: Facts | None = None) -> Block:
    """Every open action after the meeting, owner by owner, those with most to do first; of each the soonest due first.

    open_actions   before the meeting: `recap_facts.running` of what the ledger holds
    """
    told = facts["actions"] if facts is not None else open_actions
    if told is None or not told["count"]:
        return block(say("No action is open."))
    rows = [row for owner in told["owners"] for row in owner["rows"]]
    table = tables.show(pd.DataFrame(rows).assign(about=[_about(row) for row in rows]), caption=say("Open actions, owner by owner"), source="minutes; the ledger of actions", columns={
        "title": "Action", "owner": "Owner", "due": col("Due", "date"), "about": "State", "amount": col("At stake", "money", wide=True), "action": col("Number", wide=True), "source": col("From", wide=True)})
    return block(told["finding"], table)


def _about(row: dict[str, Any]) -> str:
    """What is to be known of an action beside its day: new, since when, how late."""
    parts = [row["word"] if (row["late"] or 0) > 0 else "", words.message("recap.new", {}).text if row["new"] else words.message("recap.age", {"days": row["age"]}).text,
             words.message("recap.started", {}).text if row["started"] else ""]
    return ", ".join(part for part in parts if part)


def closed(facts: Facts | None) -> Block:
    """What was open and is closed now, with its day and whether that was in time."""
    if facts is None:
        return block(say("What got done is told at the meeting."))
    rows = facts["closed"]
    done, in_time = sum(row["state"] == "done" for row in rows), sum(row["in_time"] for row in rows)
    said = say("No action was closed since the meeting before.") if not rows else say(
        "**Closed since the meeting before: {n:,.0f}**; done: {done:,.0f}, of these in time: {in_time:,.0f}; dropped: {dropped:,.0f}.", n=len(rows), done=done, in_time=in_time, dropped=len(rows) - done)
    table = tables.show(pd.DataFrame(rows), caption=say("Closed since the meeting before"), source="minutes; the ledger of actions", columns={
        "title": "Action", "owner": "Owner", "word": "State", "on": col("Closed", "date"), "due": col("Was due", "date", wide=True)}) if rows else None
    return block(said, table)


def points(facts: Facts | None) -> Block:
    """What was talked about, point by point."""
    if facts is None:
        return block(say("Nothing yet."))
    rows = [row for row in facts["points"] if row["discussion"]]
    rest = [row["topic"] for row in facts["points"] if not row["discussion"]]
    table = tables.show(pd.DataFrame(rows), caption=say("Points discussed: {n:,.0f}", n=len(rows)), subtitle="In their order", source="minutes",
                        columns={"topic": "Point", "discussion": "What was said"}) if rows else None
    return block(say("The minutes hold no discussion.") if not rows else None, table, Note(say("On the agenda, without a word in the minutes: {topics}.", topics="; ".join(rest))) if rest else None)


def assumptions(facts: Facts | None) -> Block:
    """Which assumptions were judged or made; nothing where the meeting spoke of none."""
    rows = [] if facts is None else facts["assumptions"]
    if not rows:
        return block()
    failed = sum(row["state"] == "failed" for row in rows)
    said = say("**Assumptions that did not hold: {failed:,.0f}** of {n:,.0f} spoken of.", failed=failed, n=len(rows)) if failed else say("Assumptions spoken of: {n:,.0f}; none failed.", n=len(rows))
    table = tables.show(pd.DataFrame(rows), caption=say("What the plan rests on"), source="minutes", columns={
        "text": "Assumption", "word": "State", "note": "What came", "owner": col("Watched by", wide=True), "amount": col("At stake", "money", wide=True)})
    return block(Heading(say("Did the assumptions hold?")), said, table)


def attendance(facts: Facts | None) -> Block:
    """Who was there, who stood in for whom, and how often each role was missing."""
    if facts is None:
        return block(say("Nothing yet."))
    missed = {row["person"]: row for row in facts["absences"]}
    shown = pd.DataFrame([{
        "name": row["name"], "role": row["role"] or words.MISSING, "word": row["word"] + (f": {row['delegate']}" if row["delegate"] else ""),
        "must": words.message("recap.must", {}).text if row["mandatory"] else "",
        "missed": words.message("recap.missed" + (".one" if missed[row["person"]]["meetings"] == 1 else ""), missed[row["person"]]).text if missed.get(row["person"], {}).get("missed") else ""} for row in facts["attendance"]])
    said = say("Everyone who must come was there or represented.") if not facts["missing"] else say(
        "**Neither there nor represented: {names}.**", names=", ".join(f"{row['name']} ({row['role']})" if row["role"] else row["name"] for row in facts["missing"]))
    return block(said, tables.show(shown, caption=say("Attendance"), subtitle="A delegate decides in full", source="minutes; people; the ledger", columns={
        "name": "Who", "word": "State", "missed": "Missed", "role": col("Role", wide=True), "must": col("", wide=True)}))


def next_meeting(facts: Facts | None) -> Block:
    return block() if facts is None else block(facts["next_said"])
