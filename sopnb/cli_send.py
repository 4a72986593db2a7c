"""`sopnb send` and `sopnb remind`: what leaves between runs, by a person or by the scheduler."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from sopnb.terminal import CycleMonth, ParamsFile, company_of, out, shown

CODES = "Exit codes: 0 done or nothing to do; 3 bad input, nothing was sent; 7 a run holds the cycle; 8 verdict red, mail held; 9 a mail did not leave, or nobody knows."
Today = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day it is; without it today, or the day the params file stands still at.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: write the mails as .eml files and pictures, and say what would become of each.")]


def send(
    params_file: ParamsFile,
    cycle_month: CycleMonth = "",
    due: Annotated[bool, typer.Option("--due", help="By the scheduler, daily: the pack waits for its days before the meeting.")] = False,
    dry_run: DryRun = False,
    resend: Annotated[str, typer.Option("--resend", metavar="READER", help="A person's word: send it to this reader again. An address, a name, or all.")] = "",
    arrived: Annotated[str, typer.Option("--arrived", metavar="READER", help="A person's word: it is there.")] = "",
    who: Annotated[str, typer.Option("--who", metavar="NAME", help="Whose word it is; kept with it.")] = "",
    as_of: Today = "",
) -> None:
    """Send a published cycle's pack and recap to whoever has not got them.

    Every reader gets every content once, however often this runs. With
    `mail: {send: {days_before: 3}}` let the scheduler run it daily with --due.
    A mail of which nobody knows whether it arrived waits for a person's word.

    Example: [bold]sopnb send params/demo.yaml --dry-run[/bold]

    A person's word: [bold]sopnb send params/demo.yaml --cycle 2026-10 --arrived rina.kusuma@example.com --who Rina[/bold]
    """
    from sopnb import outgoing
    from sopnb import run as runner

    where, company = company_of(params_file)
    day = company.today(_day(as_of))
    if cycle_month:
        runner._check_month(cycle_month)
    names = outgoing.cycles(where, cycle_month, due)
    if dry_run:
        for name in names:
            _show(where, company, name, day)
        return
    outgoing.check(company)
    for state, reader in (("resend", resend), ("arrived", arrived)):
        for line in outgoing.word(where, company, names[-1], state, reader, who=who, day=day) if reader else ():
            out.print(shown(line))
    red, failed, said = False, False, False
    for name in names:
        result = outgoing.send(where, company, name, day=day, due=due)
        for note in result.notes:
            out.print(shown(note))
        failed, said = failed or result.failed, said or bool(result.notes)
        red |= any(note.startswith("Mail held") for note in result.notes)
    if not said:
        out.print(f"{', '.join(names)}: nothing to send.")
    if red or failed:
        raise typer.Exit(runner.RED if red else runner.UNSENT)


def remind(params_file: ParamsFile, dry_run: DryRun = False, as_of: Today = "") -> None:
    """Remind owners of actions that are overdue or due soon, at most once a day each.

    How far ahead it looks is `mail: {remind_days: 3}`. Let the scheduler run it
    every working day; where nothing is due nobody gets a mail.

    Example: [bold]sopnb remind params/demo.yaml --dry-run[/bold]
    """
    from sopnb import outgoing, reminding
    from sopnb import run as runner

    where, company = company_of(params_file)
    if not dry_run and company.mail.send != "never":
        outgoing.check(company)
    result, paths = reminding.remind(where, company, day=company.today(_day(as_of)), dry=dry_run)
    for note in result.notes:
        out.print(shown(note))
    if dry_run:
        _draw(paths)
    if result.failed:
        raise typer.Exit(runner.UNSENT)


def _day(given: str) -> dt.date | None:
    from sopnb.problems import Problem, Problems

    try:
        return dt.date.fromisoformat(given) if given else None
    except ValueError:
        raise Problems([Problem("--as-of", f"{given!r} is not a day", "YYYY-MM-DD, as 2026-10-31")]) from None


def _show(where: Any, company: Any, name: str, day: dt.date) -> None:
    """A dry run of one cycle: a line for each reader, the files, their pictures."""
    from rich.table import Table

    from sopnb import outgoing

    found, notes = outgoing.fates(where, company, name, day=day)
    table = Table(box=None, title=f"{name}, as on {day}: nothing is sent", title_justify="left")
    for heading in ("mail", "reader", "what would happen"):
        table.add_column(heading, no_wrap=heading != "what would happen")
    for one in found:
        table.add_row(one.kind, shown(one.reader), shown(one.what))
    if found:
        out.print(table)
    for note in notes:
        out.print(shown(note))
    _draw(outgoing.copies(where, found))


def _draw(paths: list[Path]) -> None:
    """Pictures beside the .eml files; where no browser is, that is said."""
    from sopnb import mail_shot

    if not paths:
        return
    drawn = [path for path in paths if mail_shot.program() and mail_shot.picture(path, path.with_suffix(".png"))]
    for folder in dict.fromkeys(path.parent for path in paths):
        inside, pictures = sum(path.parent == folder for path in paths), sum(path.parent == folder for path in drawn)
        said = f"{pictures} pictures" if mail_shot.program() else "no pictures, since there is no Chromium on this machine"
        out.print(f"{shown(folder)}: {inside} .eml, {said}.")
