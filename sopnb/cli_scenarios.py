"""`sopnb scenarios`: scenarios of a cycle beside its plan, as a table in the terminal, a page and a file in the cycle's draft."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from sopnb.terminal import CycleMonth, ParamsFile, company_of, err, out, shown

Only = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="A scenario by its name; repeat for several.")]


def scenarios(params_file: ParamsFile, cycle_month: CycleMonth = "", only: Only = None) -> None:
    """Compare up to five scenarios with the cycle's plan: revenue, margin, stock, service, load, people, cost and risk.

    They stand under `scenarios:` in the params file. Each is planned as the
    cycle is: policy, orders, stock, hours, people. The first two steps must
    have run. Nothing of the cycle changes; the page and a CSV lie in its draft.

    Example: [bold]sopnb scenarios params/demo.yaml --cycle 2026-10 --only "Glass takes twice as long"[/bold]
    """
    from sopnb import csv_text, cycle, scenarios_page, words
    from sopnb import scenarios as what_ifs

    began = time.monotonic()
    where, company = company_of(params_file)
    c = cycle.open(params_file, cycle_month or cycle.latest(where, company))
    asked = what_ifs.chosen(what_ifs.read(company.scenarios), only or ())
    _there(asked, c, params_file)
    words.speak(company.language, company.currency)
    found = what_ifs.run(asked, what_ifs.tables(c.optional, as_of=c.as_of), company.supply, as_of=c.as_of)
    for row in found.left_out.to_dict("records"):
        for line in str(row["because"]).splitlines():
            err.print(f"[bold]Not computed:[/bold] {shown(line)}")
    _print(found)
    page = _page(c, scenarios_page.beside(found, names=names(c), months=c.months))
    file = page.with_suffix(".csv")
    file.write_text(csv_text.text(scenarios_page.as_table(found)), encoding="utf-8", newline="")
    out.print(shown(f"Page: {page}"))
    out.print(shown(f"Figures: {file} ({time.monotonic() - began:.1f} s)"))


def names(c: Any) -> dict[str, str]:
    """Items and events by the names people know."""
    from sopnb import blocks

    return {**blocks.names(c.rows("items"), "item"), **(blocks.names(c.read("events"), "event") if c.has("events") else {})}


def _there(asked: list[Any], c: Any, params_file: str) -> None:
    from sopnb.problems import Problem, Problems

    if not asked:
        raise Problems([Problem(f"{params_file}, scenarios", "names no scenario", remedy="Add some, as params/demo.yaml does")])
    if not c.has("plan"):
        raise Problems([Problem("scenarios", f"cycle {c.name} has no plan yet", remedy=f"Run its first two steps: sopnb run {params_file} --cycle {c.name} --through 02")])


MONEY = {"difference": ("result", "money+"), "revenue_more": ("revenue", "money+"), "margin_more": ("margin", "money+"), "stock_mean": ("stock", "money"), "stock_peak": ("at its peak", "money")}
REST = {"service": ("service", ".2%"), "at_risk": ("at risk", "money"), "below": ("below safety", ".2%"), "people": ("people", ",.0f"), "supply_cost": ("supply cost", "money"), "peak_load": ("load", ".0%")}


def _print(found: Any) -> None:
    """The names with their numbers, then what each comes to: two tables that fit eighty columns."""
    from rich.table import Table

    from sopnb import words

    names = [words.message("scenarios.base").text, *found.measures["scenario"].iloc[1:]]
    for place, name in enumerate(names):
        out.print(shown(f"{place}  {name}"))
    base = found.measures.iloc[0]
    rows = found.measures.assign(**{f"{key}_more": found.measures[key] - base[key] for key in ("revenue", "margin")})
    for columns in (MONEY, REST):
        table = Table(box=None, pad_edge=False)
        for heading in ("", *(heading for heading, _ in columns.values())):
            table.add_column(heading, justify="right", no_wrap=True)
        for place, row in enumerate(rows.to_dict("records")):
            said = {key: words.show(row[key], spec) for key, (_, spec) in columns.items()}
            if place == 0 and columns is MONEY:  # the plan as it is stands in full, the others against it
                said = {**said, **{key: words.show(row[own], "money") for key, own in (("difference", "result"), ("revenue_more", "revenue"), ("margin_more", "margin"))}}
            table.add_row(str(place), *said.values())
        out.print(table)


def _page(c: Any, block: Any) -> Path:
    """The block in the shell of a step's page, a draft."""
    from sopnb import lean, report, words

    nbformat = lean.nbformat()
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell(f"# {words.message('scenarios.title').text}\n\n{words.message('scenarios.lead').markdown}"),
        nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data=block._repr_mimebundle_())])])
    target = c.places.draft(c.name) / "scenarios.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_suffix(".partial.ipynb")
    nbformat.write(notebook, made)
    header = {"company": c.params.name, "cycle": c.name, "origin": c.origin, "draft": True, "language": c.params.language, "currency": c.params.currency, "as_of": c.as_of}
    try:
        return report.page(made, header=header, links=[], out=target)
    finally:
        made.unlink()
