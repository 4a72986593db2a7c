"""What all commands share: where they print, the arguments they take, the company they are about."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from sopnb import redact
from sopnb.problems import Problem, Problems

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

ParamsFile = Annotated[str, typer.Argument(metavar="PARAMS", help="params/<company>.yaml")]


def _given(context: typer.Context, option: typer.CallbackParam, value: str) -> str:
    """Without the option the latest cycle is meant; an option given as empty is a variable that somebody forgot to set.

    raises   Problems
    """
    source = context.get_parameter_source(option.name or "")
    if not value.strip() and source is not None and source.name != "DEFAULT":
        raise Problems([Problem("--cycle", "is given and empty", "YYYY-MM, as 2026-10", "Name the month, or leave --cycle out for the latest")])
    return value


CycleMonth = Annotated[str, typer.Option("--cycle", metavar="YYYY-MM", callback=_given, help="The cycle; without it the latest possible.")]


def shown(text: object) -> str:
    """Text that came from outside: no secret, and no markup of its own."""
    return escape(redact.text(str(text)))


def company_of(params_file: str) -> tuple[Any, Any]:
    """Where a company's files are, and its parameters; the secrets they refer to are never shown from here on."""
    from sopnb import params, project

    where = project.places(params_file)
    company = params.load(where.params_file)
    redact.know(company.model_dump())
    return where, company
