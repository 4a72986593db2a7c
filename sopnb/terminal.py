"""What all commands share: where they print, the arguments they take, the company they are about."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from sopnb import redact

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

ParamsFile = Annotated[str, typer.Argument(metavar="PARAMS", help="params/<company>.yaml")]
CycleMonth = Annotated[str, typer.Option("--cycle", metavar="YYYY-MM", help="The cycle; without it the latest possible.")]


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
