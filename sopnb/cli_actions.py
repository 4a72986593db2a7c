"""`sopnb actions`: the actions agreed in the meetings, listed and reported on between them."""

from __future__ import annotations

import json
import math
from pathlib import Path
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
from sopnb.terminal import ParamsFile, out, shown

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="List the actions agreed in the meetings; say what became of them.\n\nExample: [bold]sopnb actions list params/demo.yaml --overdue[/bold]")

Number = Annotated[str, typer.Argument(metavar="ACTION", help="Its number, as 2026-09-A1; `sopnb actions list` shows them.")]
STATES = ("open", "started", "done", "dropped")
RUNNING = ("open", "started")
TELLS = {"add": "made", "start": "started", "done": "done", "drop": "dropped", "move": "moved"}
LABELS = {"due": "due", "owner": "owner", "amount": "at stake", "source": "from", "note": "note", "on": "on", "title": "title"}


# --- looking --------------------------------------------------------------------------------------------------------

@app.command("list")
def actions_list(
    params_file: ParamsFile,
    owner: Annotated[str, typer.Option("--owner", help="Only this person's.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only overdue ones.")] = False,
    due_before: Annotated[str, typer.Option("--due-before", metavar="YYYY-MM-DD", help="Only those due before this day.")] = "",
    due_within: Annotated[int | None, typer.Option("--due-within", metavar="DAYS", min=0, help="Only those due from today to so many days from now.")] = None,
    older: Annotated[int | None, typer.Option("--older", metavar="DAYS", min=0, help="Only those made more than so many days ago.")] = None,
    cycle_month: Annotated[str, typer.Option("--cycle", metavar="YYYY-MM", help="Only those of this cycle.")] = "",
    state: Annotated[str, typer.Option("--state", help="Only open, started, done or dropped ones.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_of: Today = "",
) -> None:
    """List actions that are open, the most overdue first.

    Example: [bold]sopnb actions list params/demo.yaml --owner rina.kusuma --due-within 14[/bold]
    """
    at = desk(params_file, as_of)
    rows = select(at.actions, day=at.day, owner=at.person(owner, new=False) if owner else "", overdue=overdue, due_before=day_of(due_before, "--due-before") if due_before else None,
                  due_within=due_within, older=older, cycle=_month(cycle_month), state=_state(state), everything=everything)
    if for_a_script(rows, as_json, as_csv):
        return
    if rows.empty:
        out.print(f"No such actions on {at.day}.")
        return
    _print(at, rows)


def select(
    actions: pd.DataFrame, *, day: Any, owner: str = "", overdue: bool = False, due_before: Any = None, due_within: int | None = None, older: int | None = None,
    cycle: str = "", state: str = "", everything: bool = False,
) -> pd.DataFrame:
    """The actions asked for, the most overdue first, then the soonest due; each setting takes some away.

    state        one of STATES; without it the open and the started, and with `everything` all
    older        days since it was made, more than
    due_within   days from `day` on, overdue ones left out
    """
    import pandas as pd

    today, rows = pd.Timestamp(day), actions
    rows = rows[rows["state"] == state] if state else rows if everything else rows[rows["state"].isin(RUNNING)]
    rows = rows[rows["owner"] == owner] if owner else rows
    rows = rows[rows["overdue_days"] > 0] if overdue else rows
    rows = rows[rows["due"] < pd.Timestamp(due_before)] if due_before is not None else rows
    rows = rows[rows["due"].between(today, today + pd.Timedelta(days=due_within))] if due_within is not None else rows
    rows = rows[rows["age_days"] > older] if older is not None else rows
    rows = rows[rows["cycle"] == pd.Timestamp(cycle)] if cycle else rows
    return rows.sort_values(["overdue_days", "due", "action"], ascending=[False, True, True], kind="stable").reset_index(drop=True)


def _print(at: Desk, rows: pd.DataFrame) -> None:
    from rich.table import Table

    from sopnb import words

    words.speak(at.company.language, at.company.currency)
    late, running = rows[rows["overdue_days"] > 0], rows[rows["state"].isin(RUNNING)]
    table = Table(box=None, title=f"{at.company.name}, {at.day}: {len(running)} open, {len(late)} overdue", title_justify="left", pad_edge=False)
    for heading, right in (("action", False), ("what", False), ("owner", False), ("due", False), ("age", True), ("at stake", True), ("state", False)):
        table.add_column(heading, no_wrap=heading in ("action", "due", "age", "at stake"), justify="right" if right else "left")
    for row in rows.itertuples():
        said = row.state if row.overdue_days <= 0 else f"{row.state}, {_days(row.overdue_days)} late"
        amount = words.show(row.amount, "money") if row.amount == row.amount and row.amount else "–"
        table.add_row(escape(row.action), escape(row.title or ""), escape(at.name(row.owner)), shown_day(row.due), str(row.age_days), escape(amount),
                      said, style="red" if row.overdue_days > 0 else "dim" if row.state not in RUNNING else "")
    print_table(table)


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def _month(given: str) -> str:
    import re

    if given and not re.match(r"^\d{4}-(0[1-9]|1[0-2])$", given):
        raise Problems([Problem("--cycle", f"{given!r} is not a month", "YYYY-MM, as 2026-10")])
    return given


def _state(given: str) -> str:
    if given and given not in STATES:
        raise Problems([Problem("--state", f"{given!r} is no state", ", ".join(STATES), nearest(given, STATES))])
    return given


@app.command("show")
def actions_show(params_file: ParamsFile, action: Number, as_json: AsJson = False, as_of: Today = "") -> None:
    """Show one action and everything that was ever said of it: who, when, what.

    Example: [bold]sopnb actions show params/demo.yaml 2026-09-A1[/bold]
    """
    from sopnb import ledger_read, words

    at = desk(params_file, as_of)
    words.speak(at.company.language, at.company.currency)
    row = one_of(at.actions, "action", action, "action", at.day)
    events = ledger_read.history(at.book.everything(audit=True), action)
    if for_a_script(events.assign(payload=[json.loads(one) for one in events["payload"]]), as_json, False):
        return
    out.print(f"[bold]{escape(action)}  {escape(row['title'] or '')}[/bold]")
    late = f", {_days(row['overdue_days'])} late" if row["overdue_days"] > 0 else f" on {shown_day(row['closed_on'])}" if row["state"] not in RUNNING else ""
    amount = words.show(row["amount"], "money") if row["amount"] == row["amount"] else "–"
    facts = (("state", row["state"] + late), ("owner", at.name(row["owner"])), ("due", shown_day(row["due"])), ("made", f"{shown_day(row['made_on'])}, {_days(row['age_days'])} old"),
             ("at stake", amount), ("from", row["source"] or "–"))
    for name, value in facts:
        out.print(f"{name:>9}  {escape(str(value))}")
    out.print("\nWhat was said of it:")
    for event in events.itertuples():
        out.print(_told(at, event))


def _told(at: Desk, event: Any) -> str:
    """One line of history: day, what, who, the words; when it was written down, and by which user."""
    said = json.loads(event.payload)
    parts = [f"{LABELS[name]} {_value(at, name, said[name])}" for name in LABELS if said.get(name) not in (None, "") and not (name == "title" and event.kind != "add")]
    origin = "" if event.origin == "cli" else f" ({event.origin.replace(':', ' ')})"
    kind = "noted" if event.kind == "move" and not {"due", "owner"} & set(said) else TELLS.get(event.kind, event.kind)
    line = f"{event.day:%Y-%m-%d}  [bold]{kind}[/bold] by {escape(at.name(event.who or '?'))}{escape(origin)}: {escape(', '.join(parts) or '–')}"
    written = "" if event.recorded_at is None or event.recorded_at != event.recorded_at else f"  written down {event.recorded_at[:16].replace('T', ' ')} UTC by {event.recorded_by}"
    future = "  [yellow]known from that day on[/yellow]" if event.day.date() > at.day else ""
    return line + f"[dim]{escape(written)}[/dim]" + ("" if event.holds else "  [yellow]no longer holds: the minutes were corrected[/yellow]") + future


def _value(at: Desk, name: str, value: Any) -> str:
    from sopnb import words

    return at.name(value) if name == "owner" else words.show(value, "money") if name == "amount" else str(value)


# --- saying what became of them -------------------------------------------------------------------------------------

@app.command("add")
def actions_add(
    params_file: ParamsFile,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is to be done.")],
    owner: Annotated[str, typer.Option("--owner", help="Who does it.")],
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="By when.")],
    amount: Annotated[float | None, typer.Option("--amount", help="Money at stake.")] = None,
    source: Annotated[str, typer.Option("--source", help="The decision or action it comes from, as 2026-09-D1.")] = "",
    note: Note = "",
    as_of: Today = "",
    who: Who = "",
) -> None:
    """Add an action between meetings; it gets the next free number of the month.

    Example: [bold]sopnb actions add params/demo.yaml "Call the carrier" --owner rina.kusuma --due 2026-10-20[/bold]
    """
    from sopnb.minutes import TITLE_LENGTH

    at = desk(params_file, as_of)
    by, wrong = day_of(due, "--due"), []
    if not title.strip():
        wrong.append(Problem("TITLE", "is empty", "what is to be done"))
    if len(title) > TITLE_LENGTH:
        wrong.append(Problem("TITLE", f"has {len(title):,} characters", f"at most {TITLE_LENGTH}", "Say the rest with --note"))
    if amount is not None and not math.isfinite(amount):
        wrong.append(Problem("--amount", f"{amount} is no money", "a number"))
    if by < at.day:
        wrong.append(Problem("--due", f"{by} is before today, {at.day}", f"{at.day} or later"))
    try:
        person = at.person(owner)
    except Problems as found:
        wrong += found.problems
    if wrong:
        raise Problems(wrong)
    number = at.book.add(title=" ".join(title.split()), owner=person, due=by, day=at.day, who=who or user(), amount=amount, note=note or None, source=source or None)
    out.print(f"{number}: added, {escape(at.name(person))} by {by}.")


def _verb(kind: str, help_text: str) -> None:
    past = {"start": "started", "done": "done", "drop": "dropped"}[kind]

    def command(params_file: ParamsFile, action: Number, note: Note = "", as_of: Today = "", who: Who = "") -> None:
        at = desk(params_file, as_of)
        one_of(at.actions, "action", action, "action", at.day)
        at.book.change(action, kind, day=at.day, who=who or user(), note=note)
        out.print(f"{escape(action)}: {past}.")

    command.__doc__ = f"{help_text}\n\nExample: [bold]sopnb actions {kind} params/demo.yaml 2026-09-A1[/bold]"
    app.command(kind)(command)


_verb("start", "Say that work on an action has begun; a closed one is open again.")
_verb("done", "Close an action as done.")
_verb("drop", "Close an action without doing it.")


@app.command("move")
def actions_move(
    params_file: ParamsFile, action: Number,
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="The new day.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="The new owner.")] = "",
    note: Note = "", as_of: Today = "", who: Who = "",
) -> None:
    """Give an action a new day or owner; the old ones stay on record.

    Example: [bold]sopnb actions move params/demo.yaml 2026-09-A1 --due 2026-10-31[/bold]
    """
    if not due and not owner:
        raise Problems([Problem("actions move", "nothing to change", remedy="Give --due, --owner or both")])
    at = desk(params_file, as_of)
    before = one_of(at.actions, "action", action, "action", at.day)
    by, person = day_of(due, "--due") if due else None, at.person(owner) if owner else None
    at.book.change(action, "move", day=at.day, who=who or user(), note=note, due=by, owner=person)
    changes = [f"due {shown_day(before['due'])} → {by}"] if by else []
    changes += [f"owner {at.name(before['owner'])} → {at.name(person)}"] if person else []
    out.print(f"{escape(action)}: moved, {escape(', '.join(changes))}.")


@app.command("page")
def actions_page(params_file: ParamsFile, as_of: Today = "") -> None:
    """Make the page of all actions anew: reports/<company>/actions.html, to open with any browser.

    A run and a recap make it as well; this brings in what people reported since.

    Example: [bold]sopnb actions page params/demo.yaml[/bold]
    """
    from sopnb import between

    at = desk(params_file, as_of)
    out.print(f"{shown(between.page(at.where, at.company, at.book, at.day))}, as of {at.day}.")


# --- as a workbook --------------------------------------------------------------------------------------------------

@app.command("export")
def actions_export(
    params_file: ParamsFile,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The workbook to write, .xlsx.")],
    owner: Annotated[str, typer.Option("--owner", help="Only this person's.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a workbook that is there.")] = False,
    as_of: Today = "",
) -> None:
    """Write the actions to a workbook: edit state, owner, due and note there, add new ones below, and load it.

    Example: [bold]sopnb actions export params/demo.yaml actions.xlsx[/bold]
    """
    import pandas as pd

    from sopnb import actions_book, words

    path = Path(file)
    if path.suffix.lower() != ".xlsx":
        raise Problems([Problem(file, "is not the name of a workbook", "a name that ends in .xlsx")])
    if path.exists() and not replace:
        raise Problems([Problem(file, "is there already, and may be filled in", remedy="Name another, or repeat with --replace")])
    at = desk(params_file, as_of)
    words.speak(at.company.language, at.company.currency)
    rows = select(at.actions, day=at.day, owner=at.person(owner, new=False) if owner else "", everything=everything)
    actions_book.write(path, rows, at.book.everything(), company=at.where.company, day=at.day, names=at.names,
                       title=words.message("actions.form.title", {"company": at.company.name, "day": pd.Timestamp(at.day)}).text)
    out.print(shown(f"{file}: {len(rows)} actions. Fill in the yellow cells, then: sopnb actions load {params_file} {file} --dry-run"))


@app.command("load")
def actions_load(
    params_file: ParamsFile,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A workbook of `sopnb actions export` that was edited.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    mine: Annotated[list[str] | None, typer.Option("--mine", metavar="ACTION", help="Changed by somebody else since: the workbook's counts.")] = None,
    theirs: Annotated[list[str] | None, typer.Option("--theirs", metavar="ACTION", help="Changed by somebody else since: what stands counts.")] = None,
    as_of: Today = "",
    who: Who = "",
) -> None:
    """Bring an edited workbook into the ledger: all of it or nothing. Loading it twice changes nothing.

    What somebody else changed since the workbook was made is shown side by
    side; say for each which counts, with --mine or --theirs.

    Example: [bold]sopnb actions load params/demo.yaml actions.xlsx --dry-run[/bold]
    """
    from sopnb import actions_book, actions_merge

    at, path, found = desk(params_file, as_of), Path(file), list["actions_merge.Merged"]()
    edited = actions_book.read(path, company=at.where.company)

    def plan(events: pd.DataFrame) -> list[dict[str, Any]]:
        merged = actions_merge.merge(edited, events, day=at.day, file=path.name, person=lambda given: at.person(given, "owner"), who=who or user(),
                                     mine=mine or (), theirs=theirs or ())
        found.append(merged)
        if merged.conflicts:
            _side_by_side(at, merged)
            raise Problems(actions_merge.told(merged, params_file, path.name))
        return merged.events

    plan(at.book.everything()) if dry_run else at.book.act(plan)
    _changes(at, found[-1])
    out.print(_came_to(found[-1], dry_run))


def _changes(at: Desk, merged: Any) -> None:
    from rich.table import Table

    if not merged.changes:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("action", "what", "column", "now", "workbook"):
        table.add_column(heading, no_wrap=heading == "action")
    for line in merged.changes:
        table.add_row(escape(line.action), escape(line.what or ""), line.column, _cell(at, line.column, line.theirs), _cell(at, line.column, line.mine),
                      style="green" if line.action in merged.added else "")
    print_table(table)


def _side_by_side(at: Desk, merged: Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title="Changed on both sides; neither counts until you say which:", title_justify="left")
    for heading in ("action", "what", "column", "when exported", "now (theirs)", "workbook (mine)", "changed since"):
        table.add_column(heading, no_wrap=heading == "action")
    for line in merged.conflicts:
        table.add_row(escape(line.action), escape(line.what or ""), line.column, *(_cell(at, line.column, value) for value in (line.seen, line.theirs, line.mine)),
                      escape(merged.since[line.action]))
    print_table(table)


def _cell(at: Desk, column: str, value: Any) -> str:
    if value is None:
        return "–"
    return escape(at.name(value)) if column == "owner" else shown_day(value) if hasattr(value, "strftime") else escape(str(value))


def _came_to(merged: Any, dry_run: bool) -> str:
    changed = len({line.action for line in merged.changes} - set(merged.added))
    parts = [f"{len(merged.added)} new", f"{changed} changed", f"{merged.unchanged} as they stand"]
    end = "Only shown; nothing was changed." if dry_run else "" if merged.events else "Nothing changed."
    return f"{', '.join(parts)}. {end}".rstrip()
