"""The commands. Each does one thing a planner or a scheduler asks for; `sopnb COMMAND --help` shows an example.

Exit codes: 0 done, 1 unexpected fault, 2 wrong usage, 3 bad input (nothing ran), 4 a step failed, 5 a deadline passed,
6 a kernel died, 7 another run holds the cycle, 8 done, but the data verdict is red and the mail is held, 9 done, but a mail
did not leave, or nobody knows whether it did.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from sopnb import cli_actions, cli_agenda, cli_decisions, cli_overrides, cli_recap, cli_scenarios, cli_send, redact
from sopnb.terminal import CycleMonth, ParamsFile, company_of, err, out, shown

CODES = ("Exit codes: 0 done; 1 unexpected; 2 usage; 3 bad input, nothing ran; 4 step failed; 5 deadline; 6 kernel died; 7 busy; "
         "8 done, verdict red, mail held; 9 done, a mail did not leave.")
app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False, epilog=CODES,
                  help="The monthly sales and operations planning cycle, from extracts to a pack worth meeting over.\n\n"
                       "A month: [bold]check[/bold] the extracts, [bold]run[/bold] the cycle, hold the meeting off its reports, [bold]recap[/bold] it. "
                       "New here: [bold]sopnb demo[/bold]. Example: [bold]sopnb run params/demo.yaml --cycle 2026-10[/bold]")
app.add_typer(cli_actions.app, name="actions")
app.add_typer(cli_decisions.app, name="decisions")
app.add_typer(cli_overrides.app, name="overrides")
app.add_typer(cli_agenda.agenda, name="agenda")
app.add_typer(cli_agenda.assumptions, name="assumptions")
app.command("scenarios")(cli_scenarios.scenarios)
app.command("recap", epilog=CODES)(cli_recap.recap)
app.command("send", epilog=cli_send.CODES)(cli_send.send)
app.command("remind", epilog=cli_send.CODES)(cli_send.remind)

class Progress:
    """Tells which step runs, how long it took, and what is left."""

    def __init__(self, prefix: str = ""):
        self.prefix = prefix

    def __call__(self, event: str, facts: dict[str, Any]) -> None:
        step = facts.get("step", "")
        n = facts.get("of", 0) - facts.get("position", 0)
        left = f"{n} step{'' if n == 1 else 's'} left" if n else "the last step"
        if event == "step_started":
            out.print(f"{self.prefix}{step} …", style="dim")
        elif event == "step_done":
            out.print(f"{self.prefix}{step} done in {facts['seconds']:.1f} s, {left}")
        elif event == "step_kept":
            out.print(f"{self.prefix}{step} unchanged, {left}", style="dim")
        elif event == "pages":
            out.print(f"{self.prefix}pages …", style="dim")


@app.command(epilog=CODES)
def run(
    params_file: ParamsFile,
    cycle_month: CycleMonth = "",
    first: Annotated[str, typer.Option("--from", metavar="STEP", help="First step to run: 02, demand or 02_demand. Those before it must be unchanged.")] = "",
    through: Annotated[str, typer.Option("--through", metavar="STEP", help="Last step to run.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Run steps even where nothing changed.")] = False,
    pages: Annotated[bool, typer.Option("--pages/--no-pages", help="Without pages only tables are made, in one process: for a backfill.")] = True,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A notebook parameter for this run.")] = None,
) -> None:
    """Run a cycle: validate everything, then steps 01 to 05, then publish the reports at once.

    A step whose inputs, code and parameters are unchanged is not run again:
    repeat the command after any fault. Where the params file says `mail:
    {send: after_run}` the readers of the pack get their mail, once; with
    `{send: {days_before: 3}}` by `sopnb send --due`; else the mails lie as
    files in the cycle's folder mail/.

    Example: [bold]sopnb run params/demo.yaml --cycle 2026-10[/bold]

    The first two steps: [bold]sopnb run params/demo.yaml --through 02[/bold]
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
    if not outcome.done:
        out.print(f"Nothing changed: nothing to do ({seconds:.1f} s).")
    for note in outcome.notes:
        out.print(escape(redact.text(note)))
    if outcome.verdict != "green":
        out.print(f"Data verdict: [bold]{outcome.verdict}[/bold].")
    page = outcome.folder / "index.html"
    out.print(f"Report: {page if page.is_file() else outcome.folder / 'tables'}")
    if outcome.code:
        raise typer.Exit(outcome.code)


@app.command()
def check(params_file: ParamsFile, cycle_month: CycleMonth = "") -> None:
    """Check the parameters and the sources; every problem in one list, nothing is run or written.

    Example: [bold]sopnb check params/demo.yaml[/bold]
    """
    from sopnb import aftermath, cycle
    from sopnb import run as runner
    from sopnb.problems import Problems

    where, company = company_of(params_file)
    name = cycle_month or cycle.latest(where, company)
    runner._check_month(name)
    problems = runner.check_sources(where, company, name) + aftermath.check_mail(company)
    if problems:
        raise Problems(problems)
    out.print(f"{company.name}, cycle {name}: parameters and {len(company.sources)} sources can be read.")


@app.command()
def status(params_file: ParamsFile) -> None:
    """Show each cycle's state: published or failed, its data verdict, its time by step, and what a failed run needs.

    Example: [bold]sopnb status params/demo.yaml[/bold]
    """
    from rich.table import Table

    from sopnb.journal import Journal

    where, company = company_of(params_file)
    events = Journal(where.runs / "journal.jsonl").read()
    names = sorted({*where.cycles(), *(e["cycle"] for e in events if e["event"] == "run_started")})
    table = Table(title=company.name, title_justify="left")
    for heading in ("cycle", "state", "verdict", "last run (UTC)", "seconds by step"):
        table.add_column(heading, no_wrap=heading in ("cycle", "last run (UTC)"))
    needs: list[str] = []
    for name in names:
        mine = [e for e in events if e.get("cycle") == name]
        table.add_row(*_state(where, name, mine))
        needs += _needs(where, name, mine, params_file) + _mails(where, company, name)
    out.print(table if names else f"{company.name}: no cycle has been run. Start with: sopnb run {params_file}")
    for line in [*needs, *_refusal(events, params_file)]:
        out.print(escape(redact.text(line)))


def _mails(where: Any, company: Any, name: str) -> list[str]:
    """Mails of which nobody knows whether they arrived, and those that were refused."""
    from sopnb import outgoing

    return outgoing.unsettled(where, company, name)


ENDS = ("run_done", "run_failed", "run_refused", "run_started")


def _last(mine: list[dict[str, Any]]) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return next((e for e in reversed(mine) if e["event"] in ENDS), nothing)


def _state(where: Any, name: str, mine: list[dict[str, Any]]) -> list[str]:
    from sopnb import reuse
    from sopnb import run as runner

    manifest, last = reuse.manifest(where.published(name)), _last(mine)
    state = "published" if manifest["steps"] else "not published"
    if runner.RECAP_STEP in manifest["steps"]:
        state = "published, recap made"
    if last.get("event") == "run_failed":
        state += f"; last run failed (exit code {last['code']})"
    elif last.get("event") == "run_refused":
        state += f"; last run refused, {len(last['problems'])} to mend"
    elif last.get("event") == "run_started":
        state += "; a run is under way" if _held(where, name) else "; last run was killed"
    spent: dict[str, float] = {}
    for event in mine:  # the newest time of each step, whichever run it was
        spent.update({event["step"]: event["seconds"]} if event["event"] == "step_done" else {})
    return [name, state, manifest.get("verdict", "–"), last.get("at", "–")[:16].replace("T", " "),
            "  ".join(f"{step[:2]} {spent[step]:.1f}" for step in sorted(spent)) or "–"]


def _held(where: Any, name: str) -> bool:
    """Whether a run holds the cycle now: the system frees the lock of one that was killed."""
    from filelock import FileLock, Timeout

    path = where.runs / f"{name}.lock"
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def _needs(where: Any, name: str, mine: list[dict[str, Any]], params_file: str) -> list[str]:
    """What a cycle's last run needs, where it did not end well."""
    last = _last(mine)
    again = f"- then: sopnb run {params_file} --cycle {name} (finished steps are kept)"
    if last.get("event") == "run_failed":
        place = f"{last['step']}, cell {last['cell']}: " if last.get("step") else ""
        return [f"{name} needs: {place}{last['error']}: {last['message']} {last.get('remedy', '')}".rstrip(), again]
    if last.get("event") == "run_started" and not _held(where, name):
        return [f"{name} needs: nothing; its last run was killed before its end.", again]
    return []


def _refusal(events: list[dict[str, Any]], params_file: str) -> list[str]:
    """The last run that was refused before it began, in one line; none where its cycle has run since."""
    last = next((e for e in reversed(events) if e["event"] == "run_refused"), None)
    if last is None or _last([e for e in events if e.get("cycle") == last["cycle"]]) is not last:
        return []
    n, first = len(last["problems"]), str(last["problems"][0]).split("; ")[0].split(". ")[0].rstrip(".")
    return [f"Last refusal: {last['cycle']}, {last['at'][:16].replace('T', ' ')}, {n} to mend{', the first' if n > 1 else ''}: {first}. "
            f"All of it: sopnb check {params_file} --cycle {last['cycle']}"]


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


# --- the door -------------------------------------------------------------------------------------------------------

def _stop(number: int, _frame: Any) -> None:
    """A stop from outside ends the kernels on its way out: `finally` blocks run."""
    from sopnb.kernels import Stopped

    raise Stopped(128 + number)


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
    code = _say(error)
    for note in getattr(error, "__notes__", []):  # what the owner was told
        err.print(shown(note), style="dim")
    return code


def _say(error: Exception) -> int:
    from sopnb import aftermath
    from sopnb import run as runner
    from sopnb.problems import Problems, together

    if isinstance(error, Problems):
        problems = together(error.problems)
        err.print(f"[bold red]Nothing was run or changed; {len(problems)} to mend:[/bold red]")
        for problem in problems:
            err.print(f"- {shown(problem)}")
        return runner.BAD_INPUT
    if isinstance(error, runner.StepFailed):
        if error.trace:
            err.print(shown("\n".join(error.trace.splitlines()[-15:])), style="dim")
        err.print(f"[bold red]The run stopped; earlier reports are untouched.[/bold red] {shown(error)}")
        return runner.FAILURES[error.kind]
    if isinstance(error, runner.Busy):
        err.print(shown(error))
        return runner.BUSY
    if isinstance(error, aftermath.CannotWrite):
        err.print(f"[bold red]The run stopped; earlier reports are untouched.[/bold red] {shown(error)}")
        return runner.UNEXPECTED
    import traceback

    err.print(shown("".join(traceback.format_exception(error))), style="dim")
    err.print(f"[bold red]Unexpected:[/bold red] {shown(type(error).__name__)}: {shown(error)}. Earlier reports are untouched.")
    return runner.UNEXPECTED


if __name__ == "__main__":
    main()


