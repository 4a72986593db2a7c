"""The commands. Each does one thing a planner or a scheduler asks for; `sopnb COMMAND --help` shows an example.

Exit codes: 0 done, 1 unexpected fault, 2 wrong usage, 3 bad input (nothing ran), 4 a step failed, 5 a deadline passed,
6 a kernel died, 7 another run holds the cycle, 8 done, but the data verdict is red and the mail is held.
"""

from __future__ import annotations

import datetime as dt
import signal
import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False,
                  help="The monthly sales and operations planning cycle, from extracts to a pack worth meeting over.",
                  epilog="Exit codes: 0 done; 1 unexpected; 2 usage; 3 bad input, nothing ran; 4 step failed; 5 deadline; 6 kernel died; 7 busy; 8 done, verdict red, mail held.")
actions_app = typer.Typer(no_args_is_help=True, help="The actions agreed in the meetings. Example: [bold]sopnb actions list params/demo.yaml --overdue[/bold]")
app.add_typer(actions_app, name="actions")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

ParamsFile = Annotated[str, typer.Argument(metavar="PARAMS", help="params/<company>.yaml")]
CycleMonth = Annotated[str, typer.Option("--cycle", metavar="YYYY-MM", help="The cycle; without it the latest possible.")]


class Progress:
    """Tells which step runs, how long it took, and what is left."""

    def __init__(self, prefix: str = ""):
        self.prefix = prefix

    def __call__(self, event: str, facts: dict[str, Any]) -> None:
        step = facts.get("step", "")
        left = facts.get("of", 0) - facts.get("position", 0)
        if event == "step_started":
            out.print(f"{self.prefix}{step} …", style="dim")
        elif event == "step_done":
            out.print(f"{self.prefix}{step} done in {facts['seconds']:.1f} s, {left} steps left")
        elif event == "step_kept":
            out.print(f"{self.prefix}{step} unchanged, {left} steps left", style="dim")
        elif event == "pages":
            out.print(f"{self.prefix}pages …", style="dim")


@app.command()
def run(
    params_file: ParamsFile,
    cycle_month: CycleMonth = "",
    first: Annotated[str, typer.Option("--from", metavar="STEP", help="First step to run: 02, demand or 02_demand.")] = "",
    through: Annotated[str, typer.Option("--through", metavar="STEP", help="Last step to run.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Run steps even where nothing changed.")] = False,
    pages: Annotated[bool, typer.Option("--pages/--no-pages", help="Without pages only tables are made, in one process: for a backfill.")] = True,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A notebook parameter for this run.")] = None,
) -> None:
    """Run a cycle: validate everything, then steps 01 to 05, then publish the reports at once.

    A step whose inputs, code and parameters are unchanged is not run again.

    Example: [bold]sopnb run params/demo.yaml --cycle 2026-10[/bold]
    """
    from sopnb import run as runner

    began = time.monotonic()
    outcome = runner.run(params_file, cycle_month, first=first, through=through, force=force, pages=pages, in_kernel=pages,
                         settings=_settings(settings or []), tell=Progress())
    _tell_end(outcome, time.monotonic() - began)


def _settings(given: list[str]) -> dict[str, Any]:
    import yaml

    from sopnb.problems import Problem, Problems

    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise Problems([Problem("--set", f"{pair!r} has no =", "NAME=VALUE, as horizon_months=12") for pair in wrong])
    return {name.strip(): yaml.safe_load(value) for name, value in (pair.split("=", 1) for pair in given)}


def _tell_end(outcome: Any, seconds: float) -> None:
    from sopnb import run as runner

    if not outcome.done:
        out.print(f"Nothing changed: nothing to do ({seconds:.1f} s).")
    for note in outcome.notes:
        out.print(escape(note))
    if outcome.verdict != "green":
        out.print(f"Data verdict: [bold]{outcome.verdict}[/bold]" + (". The pack is built; its mail is held until the data is mended or waived." if outcome.code == runner.RED else "."))
    page = outcome.folder / "index.html"
    out.print(f"Report: {page if page.is_file() else outcome.folder / 'tables'}")
    if outcome.code:
        raise typer.Exit(outcome.code)


@app.command()
def recap(params_file: ParamsFile, cycle_month: CycleMonth = "") -> None:
    """After the meeting: bring its minutes into the ledger and publish the recap.

    The minutes are a YAML file or a workbook where `meeting.file` of the params file says. Without them the recap
    shows the form to fill in.

    Example: [bold]sopnb recap params/demo.yaml --cycle 2026-09[/bold]
    """
    from sopnb import run as runner

    began = time.monotonic()
    outcome = runner.run(params_file, cycle_month, recap=True, tell=Progress())
    _tell_end(outcome, time.monotonic() - began)


@app.command()
def check(params_file: ParamsFile, cycle_month: CycleMonth = "") -> None:
    """Check the parameters and the sources; every problem in one list, nothing is run or written.

    Example: [bold]sopnb check params/demo.yaml[/bold]
    """
    from sopnb import cycle, params
    from sopnb import run as runner
    from sopnb.problems import Problems

    where = cycle.places(params_file)
    company = params.load(where.params_file)
    name = cycle_month or cycle.latest(where, company)
    runner._check_month(name)
    problems = runner.check_sources(where, company, name)
    if problems:
        raise Problems(problems)
    out.print(f"{company.name}, cycle {name}: parameters and {len(company.sources)} sources can be read.")


@app.command()
def status(params_file: ParamsFile) -> None:
    """Show each cycle's state: published or failed, its data verdict, its time by step.

    Example: [bold]sopnb status params/demo.yaml[/bold]
    """
    from rich.table import Table

    from sopnb import cycle, params
    from sopnb import run as runner
    from sopnb.journal import Journal

    where = cycle.places(params_file)
    company = params.load(where.params_file)
    events = Journal(where.runs / "journal.jsonl").read()
    names = sorted({*where.cycles(), *(e["cycle"] for e in events if "cycle" in e)})
    table = Table(title=company.name, title_justify="left")
    for heading in ("cycle", "state", "verdict", "last run (UTC)", "seconds by step"):
        table.add_column(heading, no_wrap=heading == "cycle")
    for name in names:
        table.add_row(*_state(where, name, events, runner))
    out.print(table if names else f"{company.name}: no cycle has been run. Start with: sopnb run {params_file}")


def _state(where: Any, name: str, events: list[dict[str, Any]], runner: Any) -> list[str]:
    manifest = runner._manifest(where.published(name))
    mine = [e for e in events if e.get("cycle") == name]
    last = next((e for e in reversed(mine) if e["event"] in ("run_done", "run_failed", "run_refused", "run_started")), {})
    state = "published" if manifest["steps"] else "not published"
    if runner.RECAP_STEP in manifest["steps"]:
        state = "published, meeting held"
    if last.get("event") == "run_failed":
        state += f"; last run failed: {last.get('step', '')} {last.get('error', '')}"
    elif last.get("event") == "run_refused":
        state += f"; last run refused: {len(last['problems'])} problems"
    elif last.get("event") == "run_started":
        state += "; a run is under way or was interrupted"
    seconds = next((e["seconds"] for e in reversed(mine) if e["event"] == "run_done" and e.get("seconds")), {})
    return [name, escape(state), manifest.get("verdict", "–"), last.get("at", "–")[:16].replace("T", " "),
            "  ".join(f"{step[:2]} {value:.1f}" for step, value in seconds.items()) or "–"]


@app.command()
def init(name: Annotated[str, typer.Argument(metavar="NAME", help="Short name of the company or business unit: letters, digits, - and _.")]) -> None:
    """Start a new company: a commented params file and empty CSV templates of every source.

    Example: [bold]sopnb init acme[/bold]
    """
    from sopnb import start

    for path in start.init(name):
        out.print(f"wrote {path}")
    out.print(f"Next: put this month's extracts in the folder, mend the params file, then: sopnb check params/{name}.yaml")


@app.command()
def demo(
    earlier: Annotated[int, typer.Option("--earlier", min=0, max=11, help="How many earlier cycles to run before the current one.")] = 11,
    data_only: Annotated[bool, typer.Option("--data-only", help="Write the extracts and stop.")] = False,
) -> None:
    """Make the demo company and run its current cycle and the eleven before it.

    Example: [bold]sopnb demo[/bold]
    """
    from sopnb import start

    folder = start.demo_data(tell=out.print)
    if data_only:
        out.print(f"Extracts: {folder}")
        return
    outcome, seconds = start.demo_cycles(earlier, tell=out.print, progress=Progress)
    _tell_end(outcome, seconds)


# --- actions --------------------------------------------------------------------------------------------------------

Today = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day to look at; without it today.")]
Who = Annotated[str, typer.Option("--who", help="Who says so; without it the user's name.")]


@actions_app.command("list")
def actions_list(
    params_file: ParamsFile,
    owner: Annotated[str, typer.Option("--owner", help="Only this person's.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only overdue ones.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_of: Today = "",
) -> None:
    """List actions, most overdue first. Example: [bold]sopnb actions list params/demo.yaml --owner p02[/bold]"""
    from rich.table import Table

    rows = _ledger(params_file).actions(_day(as_of))
    rows = rows if everything else rows[rows["state"].isin(["open", "started"])]
    rows = rows[rows["owner"] == owner] if owner else rows
    rows = rows[rows["overdue_days"] > 0] if overdue else rows
    table = Table(box=None)
    for heading in ("action", "what", "owner", "due", "state", "overdue days"):
        table.add_column(heading)
    for row in rows.sort_values(["overdue_days", "due", "action"], ascending=[False, True, True], kind="stable").itertuples():
        due = f"{row.due:%Y-%m-%d}" if row.due == row.due else "–"
        table.add_row(escape(row.action), escape(row.title or ""), escape(row.owner or ""), due, row.state, str(max(row.overdue_days, 0)))
    out.print(table if len(rows) else "No such actions.")


@actions_app.command("show")
def actions_show(params_file: ParamsFile, action: Annotated[str, typer.Argument(help="Its number, as 2026-09-A1.")], as_of: Today = "") -> None:
    """Show one action and all its events. Example: [bold]sopnb actions show params/demo.yaml 2026-09-A1[/bold]"""
    opened = _ledger(params_file)
    row = _one(opened, action, _day(as_of))
    for name, value in row.items():
        out.print(f"{name:>12}  {escape(str(value))}")
    for event in opened.events(as_of=_day(as_of)).query("subject == @action").itertuples():
        out.print(f"{str(event.day)[:10]}  {event.kind}  {escape(str(event.who))}  {escape(str(event.payload))}", style="dim")


@actions_app.command("add")
def actions_add(
    params_file: ParamsFile,
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    owner: Annotated[str, typer.Option("--owner", help="Who does it.")],
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="By when.")],
    amount: Annotated[float | None, typer.Option("--amount", help="Money at stake.")] = None,
    as_of: Today = "",
    who: Who = "",
) -> None:
    """Add an action between meetings. Example: [bold]sopnb actions add params/demo.yaml "Call the carrier" --owner p02 --due 2026-10-20[/bold]"""
    opened = _ledger(params_file)
    day = _day(as_of)
    number = _next_number(opened, day)
    _record(opened, "add", number, day, who, title=title, owner=owner, due=_day(due), amount=amount)
    out.print(f"Added {number}.")


def _next_number(opened: Any, day: dt.date) -> str:
    """The next free number of the month: 2026-10-B1, 2026-10-B2, … (A is for those of the minutes)."""
    taken = set(opened.everything()["subject"])
    return next(number for n in range(1, 100_000) if (number := f"{day:%Y-%m}-B{n}") not in taken)


def _record(opened: Any, kind: str, action: str, day: dt.date, who: str, **payload: Any) -> None:
    from sopnb import ledger

    opened.record([ledger.event(kind, action, day=day, cycle=f"{day:%Y-%m}", origin="cli", who=who or _user(), **payload)])


def _verb(kind: str, help_text: str) -> None:
    def command(params_file: ParamsFile, action: Annotated[str, typer.Argument(help="Its number, as 2026-09-A1.")],
                note: Annotated[str, typer.Option("--note")] = "", as_of: Today = "", who: Who = "") -> None:
        opened = _ledger(params_file)
        _one(opened, action, _day(as_of))
        _record(opened, kind, action, _day(as_of), who, note=note or None)
        out.print(f"{action}: {kind}.")

    command.__doc__ = f"{help_text} Example: [bold]sopnb actions {kind} params/demo.yaml 2026-09-A1[/bold]"
    actions_app.command(kind)(command)


_verb("start", "Say that work on an action has begun.")
_verb("done", "Close an action as done.")
_verb("drop", "Close an action without doing it.")


@actions_app.command("move")
def actions_move(
    params_file: ParamsFile, action: Annotated[str, typer.Argument(help="Its number, as 2026-09-A1.")],
    due: Annotated[str, typer.Option("--due", metavar="YYYY-MM-DD", help="The new day.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="The new owner.")] = "",
    note: Annotated[str, typer.Option("--note")] = "", as_of: Today = "", who: Who = "",
) -> None:
    """Give an action a new day or owner; the old ones stay on record. Example: [bold]sopnb actions move params/demo.yaml 2026-09-A1 --due 2026-10-31[/bold]"""
    from sopnb.problems import Problem, Problems

    if not due and not owner:
        raise Problems([Problem("actions move", "nothing to change", remedy="Give --due, --owner or both")])
    opened = _ledger(params_file)
    _one(opened, action, _day(as_of))
    _record(opened, "move", action, _day(as_of), who, note=note or None, due=_day(due) if due else None, owner=owner or None)
    out.print(f"{action}: moved.")


def _ledger(params_file: str) -> Any:
    from sopnb import cycle, ledger, params

    where = cycle.places(params_file)
    return ledger.open(params.load(where.params_file).ledger.url, where.reports)


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
        return dt.date.fromisoformat(given) if given else dt.date.today()
    except ValueError:
        raise Problems([Problem("--as-of, --due", f"{given!r} is not a day", "YYYY-MM-DD, as 2026-10-31")]) from None


def _user() -> str:
    import getpass

    return getpass.getuser()


# --- the door -------------------------------------------------------------------------------------------------------

def _stop(number: int, _frame: Any) -> None:
    """A stop from outside ends the kernels on its way out: `finally` blocks run."""
    raise SystemExit(128 + number)


def main() -> None:
    """The `sopnb` command: every fault ends in its own exit code and one clear message."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except KeyboardInterrupt:
        err.print("Interrupted; finished steps are kept.")
        sys.exit(130)
    except Exception as error:
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Print what went wrong and what to do; the exit code of its class."""
    from sopnb import run as runner
    from sopnb.problems import Problems

    if isinstance(error, Problems):
        err.print(f"[bold red]{len(error.problems)} to mend before anything runs:[/bold red]")
        for problem in error.problems:
            err.print(f"- {escape(str(problem))}")
        return runner.BAD_INPUT
    if isinstance(error, runner.StepFailed):
        err.print(f"[bold red]The run stopped; earlier reports are untouched.[/bold red] {escape(str(error))}")
        if error.trace:
            err.print(escape("\n".join(error.trace.splitlines()[-15:])), style="dim")
        return runner.FAILURES[error.kind]
    if isinstance(error, runner.Busy):
        err.print(escape(str(error)))
        return runner.BUSY
    import traceback

    err.print(escape("".join(traceback.format_exception(error))), style="dim")
    err.print(f"[bold red]Unexpected:[/bold red] {escape(type(error).__name__)}: {escape(str(error))}. Earlier reports are untouched.")
    return runner.UNEXPECTED


if __name__ == "__main__":
    main()


