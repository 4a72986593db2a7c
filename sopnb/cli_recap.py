"""`sopnb recap`: the meeting's minutes, from the form to the recap everybody gets."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from sopnb.problems import Problem, Problems
from sopnb.terminal import CycleMonth, ParamsFile, company_of, out, shown


def recap(
    params_file: ParamsFile,
    cycle_month: CycleMonth = "",
    form: Annotated[bool, typer.Option("--form", help="Write the form of the minutes where meeting.file says, and stop.")] = False,
    workbook: Annotated[bool, typer.Option("--workbook", help="Write the form as a workbook beside that place, and stop.")] = False,
) -> None:
    """After the meeting: bring its minutes into the ledger, publish the recap, mail it.

    The minutes are a YAML file or a workbook, where `meeting.file` of the
    params file says, or typed into notebook 06. Every problem in them is
    told in one list, and nothing is recorded until there is none. Minutes
    corrected and recapped again go out as revision 2. The pack stays as
    the meeting saw it.

    Example: [bold]sopnb recap params/demo.yaml --cycle 2026-09[/bold]

    Before the meeting: [bold]sopnb recap params/demo.yaml --cycle 2026-10 --form[/bold]
    """
    if form and workbook:
        raise Problems([Problem("--form, --workbook", "are both given", "one of them", "Minutes are kept in one file")])
    if form or workbook:
        _form(params_file, cycle_month, workbook)
        return
    from sopnb import cli
    from sopnb import run as runner

    began = time.monotonic()
    outcome = runner.run(params_file, cycle_month, recap=True, tell=cli.Progress())
    cli._tell_end(outcome, time.monotonic() - began)


def _form(params_file: str, cycle_month: str, workbook: bool) -> None:
    """Write the form and say what to do with it."""
    from sopnb import cycle
    from sopnb import recap as after
    from sopnb import run as runner

    where, company = company_of(params_file)
    name = cycle_month or cycle.latest(where, company)
    runner._check_month(name)
    path = after.form(where, company, name, workbook=workbook)
    out.print(f"wrote {shown(path)}")
    out.print(f"Fill it in at the meeting of {name}; then: sopnb recap {shown(params_file)} --cycle {name}")
