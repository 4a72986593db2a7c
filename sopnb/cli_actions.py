"""`sopnb actions`: the actions agreed in the meetings, listed and reported on between them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from sopnb.terminal import ParamsFile, company_of, out

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                          help="List the actions agreed in the meetings; say what became of them.\n\nExample: [bold]sopnb actions list params/demo.yaml --overdue[/bold]")

Today = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day it is; without it today, or the day the params file stands still at.")]
Number = Annotated[str, typer.Argument(metavar="ACTION", help="Its number, as 2026-09-A1; `sopnb actions list` shows them.")]
Note = Annotated[str, typer.Option("--note", help="Kept with what is said.")]
Who = Annotated[str, typer.Option("--who", help="Who says so; without it the user's name.")]


@app.command("list")
def actions_list(
    params_file: ParamsFile,
    owner: Annotated[str, typer.Option("--owner", help="Only this person's.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only overdue ones.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_of: Today = "",
) -> None:
    """List actions that are open, the most overdue first.

    Example: [bold]sopnb actions list params/demo.yaml --owner rina.kusuma --overdue[/bold]
    """
    from rich.table import Table

    opened, day = _book(params_file, as_of)
    rows = opened.actions(day)
    rows = rows if everything else rows[rows["state"].isin(["open", "started"])]
    rows = rows[rows["owner"] == owner] if owner else rows
    rows = rows[rows["overdue_days"] > 0] if overdue else rows
    table = Table(box=None)
    for heading in ("action", "what", "owner", "due", "state", "overdue days"):
        table.add_column(heading, no_wrap=heading == "action")
    for row in rows.sort_values(["overdue_days", "due", "action"], ascending=[False, True, True], kind="stable").itertuples():
        due = f"{row.due:%Y-%m-%d}" if row.due == row.due else "–"
        table.add_row(escape(row.action), escape(row.title or ""), escape(row.owner or ""), due, row.state, str(max(row.overdue_days, 0)))
    out.print(table if len(rows) else f"No such actions on {day}.")


@app.command("show")
def actions_show(params_file: ParamsFile, action: Number, as_of: Today = "") -> None:
    """Show one action and everything that was said of it.

    Example: [bold]sopnb actions show params/demo.yaml 2026-09-A1[/bold]
    """
    opened, day = _book(params_file, as_of)
    row = _one(opened, action, day)
    for name, value in row.items():
        shown = "–" if value is None or value != value else f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)
        out.print(f"{name:>12}  {escape(shown)}")
    for event in opened.events(as_of=day).query("subject == @action").itertuples():
        out.print(f"{str(event.day)[:10]}  {event.kind}  {escape(event.who or event.origin)}  {escape(_said(event.payload))}", style="dim")


def _said(payload: str) -> str:
    return ", ".join(f"{name}: {value}" for name, value in json.loads(payload).items() if name != "after")


@app.command("add")
def actions_add(
    params_file: ParamsFile,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is to be done.")],
    owner: Annotated[str, typer.Option("--owner", help="Who does it.")],
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="By when.")],
    amount: Annotated[float | None, typer.Option("--amount", help="Money at stake.")] = None,
    as_of: Today = "",
    who: Who = "",
) -> None:
    """Add an action between meetings; it gets the next free number of the month.

    Example: [bold]sopnb actions add params/demo.yaml "Call the carrier" --owner rina.kusuma --due 2026-10-20[/bold]
    """
    opened, day = _book(params_file, as_of)
    number = opened.add(title=title, owner=owner, due=_day(due), day=day, who=who or _user(), amount=amount)
    out.print(f"{number}: added.")


def _verb(kind: str, help_text: str) -> None:
    past = {"start": "started", "done": "done", "drop": "dropped"}[kind]

    def command(params_file: ParamsFile, action: Number, note: Note = "", as_of: Today = "", who: Who = "") -> None:
        opened, day = _book(params_file, as_of)
        _one(opened, action, day)
        opened.change(action, kind, day=day, who=who or _user(), note=note)
        out.print(f"{action}: {past}.")

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
    from sopnb.problems import Problem, Problems

    if not due and not owner:
        raise Problems([Problem("actions move", "nothing to change", remedy="Give --due, --owner or both")])
    opened, day = _book(params_file, as_of)
    _one(opened, action, day)
    opened.change(action, "move", day=day, who=who or _user(), note=note, due=_day(due) if due else None, owner=owner or None)
    out.print(f"{action}: moved.")


def _book(params_file: str, as_of: str) -> tuple[Any, dt.date]:
    """A company's ledger, and the day it is: as given, as the params file has it, else today.

    A company that stands still (`latest_cycle`, the demo) is looked at from the day its latest cycle begins.
    """
    from sopnb import ledger

    where, company = company_of(params_file)
    still = dt.date.fromisoformat(f"{company.latest_cycle}-01") if company.latest_cycle else dt.date.today()
    return ledger.open(company.ledger.url, where.reports), _day(as_of) if as_of else company.as_of or still


def _one(opened: Any, action: str, day: dt.date) -> dict[str, Any]:
    from sopnb.problems import Problem, Problems, nearest

    rows = opened.actions(day)
    found = rows[rows["action"] == action]
    if found.empty:
        raise Problems([Problem("actions", f"there is no action {action} on {day}", "a number of `sopnb actions list --all`", nearest(action, rows["action"]))])
    return dict(found.iloc[0])


def _day(given: str) -> dt.date:
    from sopnb.problems import Problem, Problems

    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise Problems([Problem("--as-of, --due", f"{given!r} is not a day", "YYYY-MM-DD, as 2026-10-31")]) from None


def _user() -> str:
    import getpass

    return getpass.getuser()
