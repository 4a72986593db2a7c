"""The pack of the meeting, as it is read: what must be decided, the choices, the agenda, the charter, actions, assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import asked as asking
from sopnb import assumptions as assuming
from sopnb import charts, kpis, tables, words
from sopnb.blocks import Block, Heading, block, missing
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
Names = Mapping[str, str]
# consequence: how it is shown, the words for it
CONSEQUENCES = {"net": ("money+", "meeting.net"), "gains": ("money+", "meeting.gains"), "costs": ("money", "meeting.costs"), "keeps": ("money", "meeting.keeps"), "service": (".1%", "meeting.service"),
                "stock": ("money+", "meeting.stock"), "people": ("+,.1f", "meeting.people")}
UNCHANGED = ("stock", "people")  # where zero is said in words


def by_name(codes: pd.Series, names: Names) -> pd.Series:
    """People by name; a code that has none stays."""
    return codes.map(dict(names)).fillna(codes)


# --- what must be decided, and between what? ---------------------------------------------------------------------------

def decisions(asked: pd.DataFrame, choices: pd.DataFrame, *, names: Names, cycle: str) -> Block:
    """Each question with who decides, by when, the money at stake and the recommended answer."""
    if asked.empty:
        return block(say("**No decision is asked for.**"))
    taken = choices[choices["recommended"]].drop_duplicates("decision").set_index("decision")
    rows = asked.sort_values("position").assign(
        text=[message(q, v).text for q, v in zip(asked.sort_values("position")["question"], asked.sort_values("position")["values"], strict=True)],
        who=lambda d: by_name(d["decides"], names).fillna(message("meeting.nobody").text),
        answer=lambda d: [_title(taken.loc[one]) if one in taken.index else None for one in d["decision"]])
    stake, first = asking.at_stake(asked), rows["text"].iloc[0]
    said = (say("**One decision is asked for, with {amount:money} at stake.** {question}", amount=stake, question=first) if len(rows) == 1 else
            say("**{n:,.0f} decisions are asked for, with {amount:money} at stake.** The first: {question}", n=len(rows), amount=stake, question=first))
    twice = float(asked["overlap"].fillna(0.0).sum())
    said = said + say("{amount:money} stands in two of them and is counted once.", amount=twice) if twice > 0 else said
    soon = rows["by"].min()
    due = (say("All are due on {day:day}", day=soon) if (rows["by"] == soon).all() else
           say("{n:,.0f} of {all:,.0f} must be answered by {day:day}; the others have more time", n=(rows["by"] == soon).sum(), all=len(rows), day=soon))
    return block(said, tables.show(
        rows, caption=due, subtitle=say("Decisions asked for, the largest first; the answers with all that follows stand below"), source=say("exceptions, hires and budget of {cycle}", cycle=cycle),
        columns={"text": "Question", "answer": col("Recommended", wide=True), "amount": col("At stake", "money"), "who": col("Decides", wide=True), "by": col("Decide by", "date", wide=True)}))


def _title(row: Any) -> str:
    return f"{row['option']}: {message(row['title'], row['values']).text}"


def framed(asked: pd.DataFrame, choices: pd.DataFrame, *, names: Names, cycle: str) -> Block:
    """For each decision its answers side by side: money, service, stock, people; which one, why, who, until when."""
    if asked.empty:
        return block(say("There is nothing to choose between."))
    if choices.empty:
        return block(missing("options"))
    parts: list[Any] = []
    for one in asked.sort_values("position").to_dict("records"):
        mine = choices[choices["decision"] == one["decision"]].sort_values("option", kind="stable")
        question = message(one["question"], one["values"]).text
        parts += [Heading(say("{number}. {question}", number=one["decision"], question=question)), _because(one, _advice(one, mine, names)), _side_by_side(one, mine, cycle)]
    return block(*parts)


def _because(one: Mapping[Any, Any], advice: Sentence) -> Sentence:
    """What the question rests on, where it has such a sentence, then the advice."""
    rests_on = str(one["question"]).replace(".ask_", ".more_")
    return message(rests_on, one["values"]) + advice if rests_on != one["question"] and rests_on in words.MESSAGES else advice


def _advice(one: Mapping[Any, Any], mine: pd.DataFrame, names: Names) -> Sentence:
    """Which answer, why, who decides, until when."""
    who = words.plain("") if one["decides"] is None else say("{who} decides by {by:weekday}.", who=names.get(one["decides"], one["decides"]), by=one["by"])
    who = who if who else say("**Nobody is entitled to decide this**; it is due by {by:weekday}.", by=one["by"])
    best = mine[mine["recommended"]]
    if best.empty:
        return say("No answer is recommended: what follows is not known well enough.") + who
    row = best.iloc[0]
    title = message(row["title"], row["values"]).text
    if row["reason"] is None:
        return say("**Take {option}: {title}.**", option=row["option"], title=title) + who
    return say("**Take {option}: {title}.** Why: {reason}.", option=row["option"], title=title, reason=message(row["reason"], row["reason_values"]).text) + who


def _side_by_side(one: Mapping[Any, Any], mine: pd.DataFrame, cycle: str) -> Table | None:
    """A row for each answer; a consequence that is not known of any of them is named below instead."""
    if mine.empty:
        return None
    told = [name for name in CONSEQUENCES if name != "gains" or mine["net"].isna().any()]  # the net says it already
    known = [name for name in told if mine[name].notna().any()]
    rows = mine.assign(answer=[_answer(row) for row in mine.to_dict("records")], **{name: [_consequence(name, value) for value in mine[name]] for name in known})
    dark = [message(CONSEQUENCES[name][1]).text for name in told if name not in known]
    source = say("step 03 and the plan of {cycle}. Not known: {names}", cycle=cycle, names=", ".join(dark).lower()) if dark else say("step 03 and the plan of {cycle}", cycle=cycle)
    caption = say("What follows from each answer") if words.is_missing(one["amount"]) else say("{amount:money} at stake: what follows from each answer", amount=one["amount"])
    return tables.show(rows, caption=caption, source=source,
                       subtitle=say("Consequences of each answer"),
                       columns={"answer": "Answer", **{name: _consequence_col(name) for name in known}})


def _consequence(name: str, value: Any) -> Any:
    """An amount, which its column brings to the unit of the table; or a word, grey where nothing is known."""
    said = words.plain(shown(name, value))
    if words.is_missing(value):
        return Sentence(said.text, f'<span class="m">{said.html}</span>', said.markdown)
    in_words = CONSEQUENCES[name][0] not in ("money", "money+") or said.text == message("meeting.unchanged").text
    return said if in_words else float(value)


def _consequence_col(name: str) -> tables.Col:
    form, label = CONSEQUENCES[name]
    kind = "money" if form.startswith("money") else "written"
    return col(message(label).text, kind, signed=form.endswith("+"), wide=name != "net")


def _answer(row: Mapping[Any, Any]) -> str:
    title = message(row["title"], row["values"]).text
    form = "_".join(name for name, holds in (("recommended", row["recommended"]), ("as_it_is", row["nothing"])) if holds)
    return message("meeting.answer" + (f".{form}" if form else ""), {"option": row["option"], "title": title}).text


def shown(name: str, value: Any) -> str:
    """A consequence in words: what is not known says so, and no change is no zero."""
    if words.is_missing(value):
        return message("meeting.not_known").text
    if name in UNCHANGED and not round(float(value), 2):
        return message("meeting.unchanged").text
    return words.show(value, CONSEQUENCES[name][0])


# --- in which order, and who may decide? --------------------------------------------------------------------------------

def agenda(points: pd.DataFrame, findings: pd.DataFrame, *, day: Any, time: str, place: str, purpose: str, names: Names, cycle: str) -> Block:
    """The points with their minutes, and what people changed."""
    count, total = len(points), points["minutes"].sum()
    decide = points.loc[points["kind"] == "decision", "minutes"].sum()
    said = (say("**{n:,.0f} points in {minutes:,.0f} minutes, {day:weekday} at {time}.**", n=count, minutes=total, day=day, time=time) if count > 1 else
            say("**One point in {minutes:,.0f} minutes, {day:weekday} at {time}**: there is nothing to decide.", minutes=total, day=day, time=time))
    said = said + say("Decisions have {minutes:,.0f} of the minutes.", minutes=decide) if decide else said
    said = said + say("Place: {place}.", place=place) if place else said
    rows = points.sort_values("position").assign(
        text=lambda d: [message(t, v).text for t, v in zip(d["topic"], d["values"], strict=True)],
        who=lambda d: by_name(d["owner"], names), note=lambda d: [_edited(verb, who, names) for verb, who in zip(d["edited"], d["edited_by"], strict=True)])
    told = [message(rule, values) for rule, values in zip(findings["rule"], findings["values"], strict=True)]
    last = rows["part"].iloc[-1] if len(rows) else ""
    parts = [_agenda_part(mine, subtitle=purpose if not i else "", source=say("what cycle {cycle} found", cycle=cycle) if part == last else "")
             for i, (part, mine) in enumerate(rows.groupby("part", sort=False))]
    numbers = tables.show(rows, caption=say("To change the agenda: the points by their numbers"), columns={"point": "Number", "text": "Point"}, shut=True,
                          subtitle=say("`sopnb agenda` adds, drops and moves points by their number; what was said stays when the cycle is run again."))
    return block(said, *told, *parts, numbers if len(rows) else None)


def _agenda_part(mine: pd.DataFrame, *, subtitle: str, source: Sentence | str) -> Table:
    """The points of one part of the meeting, and how long it takes."""
    part = message("meeting.part_" + mine["part"].iloc[0]).text
    caption = (say("{part}: one point, {minutes:,.0f} min", part=part, minutes=mine["minutes"].sum()) if len(mine) == 1 else
               say("{part}: {n:,.0f} points, {minutes:,.0f} min", part=part, n=len(mine), minutes=mine["minutes"].sum()))
    changed = {"note": col("Changed", wide=True)} if mine["edited"].notna().any() else {}
    return tables.show(mine, caption=caption, subtitle=subtitle, source=source,
                       columns={"text": "Point", "minutes": col("Minutes", "count"), "who": "Who speaks", "amount": col("Money", "money", wide=True), **changed})


def _edited(verb: Any, who: Any, names: Names) -> str:
    return "" if words.is_missing(verb) else message(f"meeting.edited_{verb}", {"who": names.get(who, who) or "?"}).text


def charter(findings: pd.DataFrame, *, roles: Mapping[str, str], decides: Mapping[str, Sequence[str]], days: pd.DataFrame, people: pd.DataFrame | None, names: Names, cycle: str) -> Block:
    """Who may decide what, the days of the month, and what of the charter does not fit.

    days   charter.dated;  findings: charter.check
    """
    n = len(findings)
    said = (say("**The charter fits**: every decision asked for has somebody who may take it.") if not n else
            say("**Nothing says who may decide what.**") if (findings["rule"] == "meeting.found_no_charter").any() else
            say("**One thing to mend in the charter.**") if n == 1 else say("**{n:,.0f} things to mend in the charter.**", n=n))
    told = [message(rule, values) for rule, values in zip(findings["rule"], findings["values"], strict=True)]
    held = pd.DataFrame([{"role": role, "for": roles.get(role, ""), "who": _who(people, role, names), "kinds": _kinds(role, decides)} for role in _every(roles, decides)], columns=["role", "for", "who", "kinds"])
    calendar = days.assign(who=by_name(days["owner"], names).fillna(""))
    return block(said, *told, tables.show(
        held, shut=True, caption=_rights(held), source=say("meeting.charter in the params file; people of {cycle}", cycle=cycle),
        columns={"role": "Role", "who": "Who", "kinds": col("Decides on", wide=True), "for": col("Is there for", wide=True)}) if len(held) else None, tables.show(
        calendar, shut=True, source="meeting.charter in the params file",
        caption=say("The month's work runs from {first:shortday} to {last:shortday}: {n:,.0f} days to keep", first=days["on"].min(), last=days["on"].max(), n=len(days)),
        columns={"what": "What", "on": col("Day", "date"), "who": col("By", wide=True)}) if len(days) else None)


def _rights(held: pd.DataFrame) -> Sentence:
    return say("{deciding:,.0f} of {n:,.0f} roles may decide; who holds them", deciding=(held["kinds"] != "").sum(), n=len(held))


def _every(roles: Mapping[str, str], decides: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys([*roles, *(role for given in decides.values() for role in given)]))


def _who(people: pd.DataFrame | None, role: str, names: Names) -> str:
    return ", ".join(str(names.get(one, one)) for one in asking.holders(people, role)) or ("" if people is None else message("meeting.no_one").text)


def _kinds(role: str, decides: Mapping[str, Sequence[str]]) -> str:
    mine = [kind for kind, given in decides.items() if role in given]
    return ", ".join(message(f"meeting.kind_{kind}").text if f"meeting.kind_{kind}" in words.MESSAGES else kind for kind in mine)


# --- what was agreed, and what does the plan rest on? -------------------------------------------------------------------

def actions(actions: pd.DataFrame, *, as_of: Any, names: Names) -> Block:
    """Open actions, the most overdue first."""
    running = actions[actions["state"].isin(["open", "started"])].sort_values(["overdue_days", "age_days", "action"], ascending=[False, False, True], kind="stable")
    if running.empty:
        return block(say("No actions are open."))
    late = running[running["overdue_days"] > 0]
    said = (say("Open actions: {n:,.0f}, none of them overdue.", n=len(running)) if late.empty else
            say("**{late:,.0f} of {n:,.0f} open actions are overdue**, with {amount:money} at stake; the oldest by {days:,.0f} days: {title}.", late=len(late), n=len(running), amount=late["amount"].sum(),
                days=late["overdue_days"].iloc[0], title=late["title"].iloc[0]))
    long = (late["overdue_days"] > WEEK).sum()
    drawn = None if late.empty else charts.ageing(
        running, name="actions-age", title=say("More than a week late: {long:,.0f} of the {late:,.0f} overdue", long=long, late=len(late)) if long else say("None of the {late:,.0f} overdue is more than a week late", late=len(late)),
        subtitle=say("Open actions by days past their date, as of {day:day}", day=as_of), source="the ledger of actions")  # where none is late a bar of one length says nothing
    waiting = say("{amount:money} waits on what is open", amount=running["amount"].sum()) if running["amount"].sum() else say("What is open")
    return block(said, drawn, tables.show(
        running.assign(who=by_name(running["owner"], names)), caption=waiting, subtitle=say("Open actions as of {day:day}, the most overdue first", day=as_of), source="the ledger of actions", top=12,
        columns={"title": "Action", "who": "Owner", "due": col("Due", "date"), "overdue_days": col("Days overdue", "count"), "age_days": col("Days old", "count", wide=True),
                 "amount": col("At stake", "money", wide=True), "action": col("Number", wide=True)}))


WEEK = 7  # days
UNITS = {"percent": "+.1%", "money": "money+", "days": "+,.0f", "ratio": "+,.2f"}


def judged(scored: pd.DataFrame, *, names: Names | None = None) -> Block:
    """Earlier decisions: what was expected of each measure, and what came; see `scored.scored`."""
    known, ask = scored[scored["outcome"].isin(("hit", "missed"))], scored[scored["outcome"] == "ask"]
    said = (say("No decision can be judged yet.") if scored.empty else say("Decisions due to be judged: {n:,.0f}; nothing of them can be measured, and nobody has said.", n=len(scored)) if known.empty else
            say("**{hits:,.0f} of {n:,.0f} decisions judged brought what they were meant to.**", hits=(known["outcome"] == "hit").sum(), n=len(known)))
    if len(ask) and len(known):
        said += (say("One more cannot be measured: ask whoever decided it.") if len(ask) == 1 else
                 say("{n:,.0f} more cannot be measured: ask whoever decided them.", n=len(ask)))
    if scored.empty:
        return block(said)
    about = kpis.described()
    units = [about[one]["unit"] if one in about else "ratio" for one in scored["effect_kpi"]]
    told = scored.assign(
        measure=[message("kpis." + one).text if one in about else one for one in scored["effect_kpi"]], said=[message("scored.outcome." + one).text for one in scored["outcome"]],
        why=[(names or {}).get(who, who) if who else message(one).text if one else "" for one, who in zip(scored["because"], scored["said_by"], strict=True)],
        **{name: [_change(v, unit) for v, unit in zip(scored[name], units, strict=True)] for name in ("expected", "realised")}).sort_values("judged", ascending=False, kind="stable")
    return block(said, tables.show(told, caption=_outcomes(known), top=10, subtitle=say("Expected and actual change of the measure, the latest first; other causes move it as well"), source=say("the ledger of decisions; kpis"),
                                   columns={"title": "Decision", "measure": col("Measure", wide=True), "expected": col("Expected", "written"), "realised": col("Came", "written"), "said": "Outcome", "why": col("Remark", wide=True),
                                            "judged": col("Judged", "month", wide=True)}))


def _outcomes(known: pd.DataFrame) -> Sentence:
    """Where decisions missed most often: what to ask about."""
    missed = known.loc[known["outcome"] == "missed", "effect_kpi"].value_counts()
    if missed.empty:
        return say("No decision missed what it was meant to bring")
    first, n = min(missed.index[missed == missed.max()]), int(missed.max())
    what = message("kpis." + first).text if first in kpis.described() else first
    return (say("One decision missed: it was about {what}", what=what) if missed.sum() == 1 else
            say("{n:,.0f} of the {missed:,.0f} that missed were about {what}", n=n, missed=missed.sum(), what=what))


def _change(value: float, unit: str) -> str:
    """A change of a measure in its unit; of a percentage in points."""
    if words.is_missing(value) or unit != "percent":
        return words.show(value, UNITS[unit])
    return message("front.points", {"points": words.show(value, "+.1pp")}).text


def rests_on(log: pd.DataFrame, verdict: str | None, *, names: Names, as_of: Any) -> Block:
    """The verdict on the data, and the log of assumptions: what failed first.

    log   assumptions.log
    """
    data = message("checks.verdict." + verdict) if verdict else missing("findings")
    if log.empty:
        return block(data, say("No assumptions are written down. Add them under `assumptions:` in the params file, or by `sopnb assumptions add`."))
    counts = {state: int((log["state"] == state).sum()) for state in assuming.STATES}
    failed, late = log[log["state"] == "failed"], log[log["overdue_days"] > 0]
    said = say("**The plan rests on {n:,.0f} assumptions**: {open:,.0f} open, {held:,.0f} held, {failed:,.0f} failed.", n=len(log) - counts["dropped"], **counts)
    said = said + say("What failed moves revenue by {amount:money+}; it is on the agenda.", amount=assuming.at_stake(log)) if len(failed) else said
    said = said + say("**Nobody has said whether {n:,.0f} of them held**, though their day is past; the first: {text}.", n=len(late), text=late["text"].iloc[0]) if len(late) else said
    rows = log.assign(who=by_name(log["owner"], names), word=[_state(row) for row in log.to_dict("records")])
    return block(data, said, tables.show(
        rows, caption=_riskiest(log), subtitle=say("Effect on revenue if it does not hold; what failed first, then what is open, as of {day:day}", day=as_of), source="params file; the ledger of assumptions", top=12,
        columns={"text": "We assume", "word": "Held?", "if_not": col("If not", wide=True), "amount": col("Effect", "money", signed=True), "who": col("Owner", wide=True), "made_on": col("Made", "date", wide=True),
                 "assumption": col("Number", wide=True)}))


def _riskiest(log: pd.DataFrame) -> Sentence:
    """Of what is still open, that which would cost most."""
    still = log[(log["state"] == "open") & (log["amount"] < 0)].sort_values("amount", kind="stable")
    if still.empty:
        return say("What the plan rests on")
    return say("The costliest still open, {amount:money+}: {text}", amount=still["amount"].iloc[0], text=still["text"].iloc[0])


def _state(row: Mapping[Any, Any]) -> str:
    """Open, or what was said and when; an open one whose day is past says so."""
    if row["state"] == "open":
        return message("meeting.assumed_overdue" if row["overdue_days"] > 0 else "meeting.assumed_open", {"days": row["overdue_days"]}).text
    said = message(f"meeting.assumed_{row['state']}", {"on": row["judged_on"]}).text
    return f"{said}: {row['note']}" if not words.is_missing(row["note"]) and row["note"] else said
