"""`sopnb agenda` and `sopnb assumptions`: what people change on the next agenda, and what they say of what the plan rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from sopnb.cli_ledger import (
    AsCsv,
    AsJson,
    Desk,
    Note,
    Today,
    Who,
    day_of,
    desk,
    for_a_script,
    one_of,
    print_table,
    shown_day,
    user,
)
from sopnb.problems import Problem, Problems, nearest
from sopnb.terminal import CycleMonth, ParamsFile, out

if TYPE_CHECKING:
    import pandas as pd

agenda = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                     help="Show a cycle's agenda; add, drop, move and restore its points. What is said stays when the cycle is run again.\n\nExample: [bold]sopnb agenda drop params/demo.yaml P08[/bold]")
assumptions = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                          help="List what the plan rests on; say whether it held.\n\nExample: [bold]sopnb assumptions judge params/demo.yaml S2 failed --note \"Starts in December\"[/bold]")
Point = Annotated[str, typer.Argument(metavar="POINT", help="Its number, as P04, or its key; `sopnb agenda list` shows both.")]
Minutes = Annotated[int | None, typer.Option("--minutes", min=1, help="Its own minutes; the others share the rest.")]
Owner = Annotated[str, typer.Option("--owner", help="Who speaks to it: a person.")]
Place = Annotated[int | None, typer.Option("--to", min=1, metavar="N", help="Its place on the agenda, 1 being the first.")]


# --- the agenda -----------------------------------------------------------------------------------------------------

@agenda.command("list")
def agenda_list(params_file: ParamsFile, cycle_month: CycleMonth = "", as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Show the agenda of the last run, and what people changed on it.

    Example: [bold]sopnb agenda list params/demo.yaml --cycle 2026-10[/bold]
    """
    from rich.table import Table

    from sopnb import words

    at, name, points, changes = _opened(params_file, cycle_month, "")
    if points is None:
        raise Problems([_not_run(params_file, name)])
    rows = points.sort_values("position")
    rows = rows.assign(text=[words.message(topic, values).text for topic, values in zip(rows["topic"], rows["values"], strict=True)])
    if for_a_script(rows[["point", "key", "part", "text", "minutes", "owner", "amount", "edited", "edited_by"]], as_json, as_csv):
        return
    table = Table(box=None)
    for heading in ("point", "min", "what", "who speaks", "key"):
        table.add_column(heading, no_wrap=heading in ("point", "min"), justify="right" if heading == "min" else "left")
    for row in rows.to_dict("records"):
        table.add_row(row["point"], str(row["minutes"]), escape(row["text"]), escape(at.name(row["owner"])), escape(row["key"]))
    print_table(table)
    for row in changes.to_dict("records"):
        out.print(escape(f"{shown_day(row['day'])}  {row['who'] or '?'}: {row['verb']} {row['point']}" + (f" ({row['title']})" if row["title"] else "")), style="dim")


@agenda.command("add")
def agenda_add(
    params_file: ParamsFile,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is to be talked about.")],
    minutes: Minutes = None, owner: Owner = "", to: Place = None,
    part: Annotated[str, typer.Option("--part", help="last, now or ahead: where it stands in the order of time.")] = "ahead",
    cycle_month: CycleMonth = "", as_of: Today = "", who: Who = "",
) -> None:
    """Put a point of your own on the agenda.

    Example: [bold]sopnb agenda add params/demo.yaml "Visit of the auditors" --minutes 5 --part now[/bold]
    """
    from sopnb import agenda as drawing

    at, name, points, changes = _opened(params_file, cycle_month, as_of)
    if part not in drawing.PARTS:
        raise Problems([Problem("--part", f"{part!r} is no part of the agenda", ", ".join(drawing.PARTS), nearest(part, drawing.PARTS))])
    stem = f"own-{drawing.slug(title)}"
    if stem == "own-":
        raise Problems([Problem("agenda add", "the title holds no word", "a title such as \"Visit of the auditors\"")])
    taken = {*changes["point"], *([] if points is None else points["key"])}
    key = next(one for i in range(1, len(taken) + 2) if (one := stem if i == 1 else f"{stem}-{i}") not in taken)
    _say(at, name, changes, key, "add", who, title=title.strip(), minutes=_within(at, minutes), owner=at.person(owner) if owner else None, position=to, part=part)
    out.print(escape(f"{key}: added. {_then(params_file, name)}"))


@agenda.command("drop")
def agenda_drop(params_file: ParamsFile, point: Point, cycle_month: CycleMonth = "", as_of: Today = "", who: Who = "") -> None:
    """Take a point off the agenda; should its matter grow by half, that is told.

    Example: [bold]sopnb agenda drop params/demo.yaml P08[/bold]
    """
    at, name, points, changes = _opened(params_file, cycle_month, as_of)
    row = _point(point, points, changes, params_file, name)
    _say(at, name, changes, row["key"], "drop", who, title=row["title"], amount=row["amount"])
    out.print(escape(f"{row['key']}: dropped. {_then(params_file, name)}"))


@agenda.command("move")
def agenda_move(params_file: ParamsFile, point: Point, to: Place = None, minutes: Minutes = None, owner: Owner = "", cycle_month: CycleMonth = "", as_of: Today = "", who: Who = "") -> None:
    """Give a point another place, minutes of its own, or another speaker.

    Example: [bold]sopnb agenda move params/demo.yaml P12 --to 1 --minutes 15[/bold]
    """
    if to is None and minutes is None and not owner:
        raise Problems([Problem("agenda move", "nothing to change", remedy="Give --to, --minutes or --owner")])
    at, name, points, changes = _opened(params_file, cycle_month, as_of)
    row = _point(point, points, changes, params_file, name)
    _say(at, name, changes, row["key"], "move", who, position=to, minutes=_within(at, minutes), owner=at.person(owner) if owner else None, title=row["title"], amount=row["amount"])
    out.print(escape(f"{row['key']}: moved. {_then(params_file, name)}"))


@agenda.command("restore")
def agenda_restore(params_file: ParamsFile, point: Point, cycle_month: CycleMonth = "", as_of: Today = "", who: Who = "") -> None:
    """Bring a point back as the facts have it: what was dropped or moved is undone.

    Example: [bold]sopnb agenda restore params/demo.yaml jumps[/bold]
    """
    at, name, points, changes = _opened(params_file, cycle_month, as_of)
    row = _point(point, points, changes, params_file, name)
    if row["key"] not in set(changes["point"]):
        raise Problems([Problem("agenda restore", f"nobody changed {row['key']}", ", ".join(sorted(set(changes["point"]))) or "a point that somebody dropped or moved")])
    _say(at, name, changes, row["key"], "restore", who, title=row["title"])
    out.print(escape(f"{row['key']}: restored. {_then(params_file, name)}"))


def _opened(params_file: str, cycle_month: str, as_of: str) -> tuple[Desk, str, pd.DataFrame | None, pd.DataFrame]:
    """The desk, the cycle, its agenda as the last run had it (None before the first), and what people changed on it."""
    from sopnb import cycle, words

    at = desk(params_file, as_of)
    words.speak(at.company.language, at.company.currency)
    name = cycle_month or cycle.latest(at.where, at.company)
    name = cycle.open(params_file, name).name
    path = at.where.published(name) / "tables" / "agenda.parquet"  # what was published, not a draft of somebody's own
    return at, name, cycle.load_table(path, "agenda") if path.is_file() else None, at.book.agenda(name)


def _point(given: str, points: pd.DataFrame | None, changes: pd.DataFrame, params_file: str, name: str) -> dict[str, Any]:
    """A point by its number or key: key, title (in words) and amount. One that was dropped is found by its key.

    raises   Problems naming the nearest
    """
    from sopnb import words

    if points is None and changes.empty:
        raise Problems([_not_run(params_file, name)])
    known: dict[str, dict[str, Any]] = {str(row["point"]): {"key": row["point"], "title": row["title"], "amount": None} for row in changes.to_dict("records")}
    for row in [] if points is None else points.to_dict("records"):
        told = {"key": row["key"], "title": words.message(row["topic"], row["values"]).text, "amount": None if row["amount"] != row["amount"] else float(row["amount"])}
        known |= {row["key"]: told, row["point"]: told}
    found = known.get(given) or known.get(given.upper()) or known.get(given.casefold())
    if found is None:
        raise Problems([Problem("agenda", f"there is no point {given} on the agenda of {name}", "a number or key of `sopnb agenda list`", nearest(given, known))])
    return found


def _say(at: Desk, name: str, changes: pd.DataFrame, key: str, verb: str, who: str, **said: Any) -> None:
    """Record a change.

    raises   Problems where the meeting has been held: what is said now cannot change what was talked about
    """
    from sopnb import ledger

    events = at.book.events()
    held = events[(events["kind"] == "held") & (events["cycle"] == name)]
    if len(held):
        raise Problems([Problem("agenda", f"the meeting of {name} was held on {held['day'].max():%Y-%m-%d}", "an agenda of a meeting to come", "Name the next cycle by --cycle")])
    after = len(changes)  # the same word said again later is another word
    at.book.record([ledger.event("agenda", key, day=at.day, cycle=name, origin="cli", who=who or user(), verb=verb, after=after, **said)])


def _within(at: Desk, minutes: int | None) -> int | None:
    if minutes is not None and minutes > at.company.meeting.minutes:
        raise Problems([Problem("--minutes", f"{minutes} is more than the meeting has", f"1 to {at.company.meeting.minutes} (meeting.minutes)")])
    return minutes


def _then(params_file: str, name: str) -> str:
    return f"`sopnb run {params_file} --cycle {name}` brings it into the pack; only step 05 runs again."


def _not_run(params_file: str, name: str) -> Problem:
    return Problem("agenda", f"cycle {name} has no agenda yet", remedy=f"Run it first: sopnb run {params_file} --cycle {name}")


# --- assumptions ----------------------------------------------------------------------------------------------------

@assumptions.command("list")
def assumptions_list(
    params_file: ParamsFile,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that nobody has judged in time.")] = False,
    as_json: AsJson = False, as_csv: AsCsv = False, as_of: Today = "",
) -> None:
    """List what the plan rests on: what failed, what is open, what held.

    Example: [bold]sopnb assumptions list params/demo.yaml --overdue[/bold]
    """
    from rich.table import Table

    at = desk(params_file, as_of)
    rows = _log(at)
    rows = rows[rows["overdue_days"] > 0] if overdue else rows
    if for_a_script(rows, as_json, as_csv):
        return
    if rows.empty:
        out.print(f"No such assumptions on {at.day}.")
        return
    table = Table(box=None)
    for heading in ("number", "we assume", "owner", "due", "state"):
        table.add_column(heading, no_wrap=heading == "number")
    for row in rows.to_dict("records"):
        late = f", {row['overdue_days']} days overdue" if row["overdue_days"] else ""
        table.add_row(escape(row["assumption"]), escape(row["text"]), escape(at.name(row["owner"])), shown_day(row["due"]), f"{row['state']}{late}")
    print_table(table)


@assumptions.command("add")
def assumptions_add(
    params_file: ParamsFile,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is assumed.")],
    owner: Annotated[str, typer.Option("--owner", help="Who watches it.")],
    if_not: Annotated[str, typer.Option("--if-not", help="What follows where it does not hold.")] = "",
    amount: Annotated[float | None, typer.Option("--amount", help="Effect on revenue if it does not hold; below zero is a loss.")] = None,
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="By when it is known.")] = "",
    as_of: Today = "", who: Who = "",
) -> None:
    """Write down what the plan rests on; it gets the next free number.

    Example: [bold]sopnb assumptions add params/demo.yaml "Sugar stays below Rp 17,000" --owner agus.santoso --due 2026-12-31[/bold]
    """
    from sopnb import assumptions as log
    from sopnb import ledger

    at = desk(params_file, as_of)
    if not text.strip():
        raise Problems([Problem("assumptions add", "the text is empty", "what is assumed, in a sentence")])
    events = at.book.everything()
    taken = [*_log(at)["assumption"], *events.loc[events["kind"] == "assume", "subject"]]
    number = log.next_number(taken)
    at.book.record([ledger.event("assume", number, day=at.day, cycle=f"{at.day:%Y-%m}", origin="cli", who=who or user(), text=text.strip(), if_not=if_not or None, amount=amount,
                                 owner=at.person(owner), made=f"{at.day:%Y-%m-%d}", due=f"{day_of(due, '--due'):%Y-%m-%d}" if due else None)])
    out.print(f"{number}: written down.")


@assumptions.command("judge")
def assumptions_judge(
    params_file: ParamsFile,
    assumption: Annotated[str, typer.Argument(metavar="NUMBER", help="As S1; `sopnb assumptions list` shows them.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="held, failed, dropped, or open again.")],
    note: Note = "", as_of: Today = "", who: Who = "",
) -> None:
    """Say whether an assumption held; one that failed is a point of the next agenda, with its money.

    Example: [bold]sopnb assumptions judge params/demo.yaml S2 failed --note "Starts in December"[/bold]
    """
    from sopnb import assumptions as log
    from sopnb import ledger

    at = desk(params_file, as_of)
    row = one_of(_log(at), "assumption", assumption, "assumption", at.day)
    if state not in log.STATES:
        raise Problems([Problem("STATE", f"{state!r} cannot be said of an assumption", ", ".join(log.STATES), nearest(state, log.STATES))])
    events = at.book.everything()
    after = int(((events["kind"] == "judge") & (events["subject"] == assumption)).sum())
    at.book.record([ledger.event("judge", assumption, day=at.day, cycle=f"{at.day:%Y-%m}", origin="cli", who=who or user(), state=state, on=f"{at.day:%Y-%m-%d}", note=note or None, after=after)])
    out.print(escape(f"{assumption}: {state}, where it was {row['state']}."))


def _log(at: Desk) -> pd.DataFrame:
    """The log as of the desk's day: what the params file states, and what was said since."""
    from sopnb import assumptions as log

    stated = log.stated([one.model_dump() for one in at.company.assumptions], cycle=f"{at.day:%Y-%m}")
    return log.log(at.book.assumptions(at.day, plus=stated), as_of=at.day, within_days=at.company.meeting.assumption_days)
