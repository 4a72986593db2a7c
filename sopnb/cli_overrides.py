"""`sopnb overrides`: the form for a person's changes to the forecast, and the way back of what people filled in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from sopnb.terminal import CycleMonth, ParamsFile, company_of, out, shown

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="Hand out the form for overrides, and take in what people filled in.\n\n"
                       "Example: [bold]sopnb overrides template params/demo.yaml --owner rina.kusuma[/bold]")

Today = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day it is; without it today, or the day the params file stands still at.")]
Numbers = Annotated[list[str], typer.Argument(metavar="OVERRIDE...", help="Its number, as OV-2610-07; `sopnb overrides list` shows them.")]


@app.command("template")
def overrides_template(
    params_file: ParamsFile, cycle_month: CycleMonth = "",
    owner: Annotated[str, typer.Option("--owner", help="Whose form it is: stands in every row.")] = "",
    to: Annotated[str, typer.Option("--out", metavar="FILE", help="The workbook to write; without it data/<company>/overrides/<cycle>-<owner>.xlsx.")] = "",
    months: Annotated[int, typer.Option("--months", min=1, help="Months shown, from the cycle month on.")] = 6,
    top: Annotated[int, typer.Option("--top", min=1, help="Series shown, those of most money; others are typed into the empty rows.")] = 200,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a form that is there.")] = False,
) -> None:
    """Write the form: this cycle's baseline, the last plan, what stands, and everybody's record, beside the cells to fill in.

    The first two steps of the cycle must have run.

    Example: [bold]sopnb overrides template params/demo.yaml --owner rina.kusuma --months 6[/bold]
    """
    from sopnb import cycle, overrides, overrides_form, overrides_kept
    from sopnb.problems import Problem, Problems
    from sopnb.words import message, speak

    where, company, name = _cycle(params_file, cycle_month)
    c = cycle.open(params_file, name)
    if not c.has("forecast"):
        raise Problems([Problem("overrides template", f"cycle {name} has no baseline yet", remedy=f"Run its first two steps: sopnb run {params_file} --cycle {name} --through 02")])
    path = Path(to) if to else where.root / "data" / where.company / "overrides" / f"{name}{f'-{owner}' if owner else ''}.xlsx"
    if path.exists() and not replace:
        raise Problems([Problem(str(path), "is there already, and may be filled in", remedy="Name another with --out, or repeat with --replace")])
    speak(company.language, company.currency)
    settings = c.sources()
    kept = overrides_kept.standing(settings["overrides"]) if "overrides" in settings else c.optional("overrides")
    states = None if kept is None else kept.assign(state=overrides.standing(kept, as_of=c.as_of, last=c.months[-1]))
    alive = None if states is None else states[states["state"].isin(["", "conflict"])].drop(columns="state")
    errors = overrides.usual_errors(c.rows("tested"), c.rows("scores"), lags=company.demand.decision_lags) if c.has("tested") else None
    table = overrides_form.rows(c.read("forecast"), c.rows("items"), months=c.months[:months], last_plan=c.previous("plan"), standing=alive, errors=errors, top=top)
    known = _known(c, kept)
    people = c.optional("people")
    overrides_form.write(
        path, table, title=message("overrides.form.title", {"company": company.name, "cycle": name}).text, months=c.months[:months], last=c.months[-1], owner=owner, standing=states, record=c.optional("value_added_by"),
        reasons=company.demand.override_reasons or sorted(set(kept["reason"].dropna()) if kept is not None else ()), owners=sorted(known["owners"]), locations=sorted(known["locations"]),
        names={} if people is None else people.set_index("person")["name"].to_dict())
    out.print(shown(f"{path}: {len(table)} rows to look at, {months} months. Fill in the yellow cells, then: sopnb overrides load {params_file} {path}"))


@app.command("load")
def overrides_load(
    params_file: ParamsFile,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Forms that people filled in: workbooks or text files.")],
    cycle_month: CycleMonth = "",
    new_owner: Annotated[list[str] | None, typer.Option("--new-owner", metavar="NAME", help="A person without earlier overrides.")] = None,
    dry_run: Annotated[bool, typer.Option("--check", help="Check the files and say what would change, without changing it.")] = False,
    as_of: Today = "",
) -> None:
    """Check people's files row by row, and bring them into the overrides source of the params file: all of it or nothing.

    A person's later word replaces the earlier one; two people's words on one
    row are both kept, and neither counts until one is taken out. Loading a file
    again changes nothing. Every change is kept in <source>.history.csv.

    Example: [bold]sopnb overrides load params/demo.yaml rina.xlsx dewi.xlsx[/bold]
    """
    from sopnb import cycle, frames, overrides, overrides_kept, overrides_said

    where, company, name = _cycle(params_file, cycle_month)
    c = cycle.open(params_file, name)
    setting = _source(where, c.sources())
    day = _day(company, as_of)
    earlier = cycle.source_settings(where, company, f"{frames.next_month(c.month, -1):%Y-%m}").get("overrides", {})
    with _alone(where):
        if not dry_run and overrides_kept.begin(setting, earlier):
            out.print(shown(f"The cycle {name} had no overrides yet: begun with {earlier['path']}"))
        before = overrides_kept.standing(setting)
        known = _known(c, before)
        allowed = overrides_said.Allowed(
            items=known["items"], families=known["families"], unsold=known["unsold"], locations=known["locations"], months=c.months, day=day, reasons=tuple(company.demand.override_reasons),
            owners=known["owners"] | frozenset(new_owner or ()) if known["owners"] else frozenset())
        said = overrides_said.read(files, locale=company.locale.model_dump(), allowed=allowed, names=setting["columns"])
        merged = overrides.merge(before, said, day=day, as_of=c.as_of, taken=overrides_kept.numbers(setting))
        written = None if dry_run else overrides_kept.land(setting, merged, before, instead=where.reports / "overrides" / f"{name}-to-import.csv")
    _tell_load(merged, len(said), len(files), written, setting, params_file, dry_run)


def _tell_load(merged: Any, rows: int, files: int, written: Path | None, setting: dict[str, Any], params_file: str, dry_run: bool) -> None:
    counts = merged.counts
    out.print(f"{rows} overrides in {files} file{'' if files == 1 else 's'}: {counts['added']} added, {counts['revised']} revised, {counts['unchanged']} as they stood"
              + (f", {counts['agreed']} of them what another person says too" if counts["agreed"] else "") + ".")
    for cell in _cells_of(merged.conflicts):
        out.print(shown("Conflict, counts for nothing until settled: " + cell))
    if len(merged.conflicts):
        out.print(f"Settle each: sopnb overrides settle {params_file} NUMBER keeps that one.")
    if dry_run:
        out.print("Only checked; nothing was changed.")
    elif written is None:
        out.print("Nothing changed.")
    elif setting.get("path"):
        from sopnb import overrides_kept

        out.print(shown(f"Written: {written}; history: {overrides_kept.history_file(written)}"))
    else:
        out.print(shown(f"The source is a query, which sopnb only reads. To be imported there: {written}. Until then these stand in no plan."))


@app.command("list")
def overrides_list(
    params_file: ParamsFile, cycle_month: CycleMonth = "",
    owner: Annotated[str, typer.Option("--owner", help="Only this person's.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Those too that no longer count.")] = False,
) -> None:
    """List the overrides that stand in the source, with those that contradict each other.

    Example: [bold]sopnb overrides list params/demo.yaml --owner rina.kusuma[/bold]
    """
    from rich.table import Table

    from sopnb import cycle, overrides, overrides_form, overrides_kept

    where, _, name = _cycle(params_file, cycle_month)
    c = cycle.open(params_file, name)
    rows = overrides_kept.standing(_source(where, c.sources()))
    rows = rows.assign(state=overrides.standing(rows, as_of=c.as_of, last=c.months[-1]).replace("", "counts"))
    rows = rows if everything else rows[rows["state"].isin(["counts", "conflict"])]
    rows = rows[rows["owner"] == owner] if owner else rows
    table = Table(box=None)
    for heading in ("override", "for", "month", "says", "owner", "until", "state"):
        table.add_column(heading, no_wrap=heading == "override")
    for row in rows.sort_values(["state", "month", "override"], kind="stable").to_dict("records"):
        table.add_row(shown(row["override"]), shown(_what(row)), f"{row['month']:%Y-%m}", overrides_form.as_said(row["kind"], row["value"]), shown(row["owner"] or ""),
                      f"{row['expires']:%Y-%m-%d}" if row["expires"] == row["expires"] else "–", row["state"])
    out.print(table if len(rows) else f"No overrides stand in cycle {name}.")


@app.command("settle")
def overrides_settle(
    params_file: ParamsFile, keep: Annotated[str, typer.Argument(metavar="OVERRIDE", help="The number of the one that is to count.")], cycle_month: CycleMonth = "", as_of: Today = "",
) -> None:
    """Settle a conflict: keep one override, and take out what other people say of the same row. Their words stay in the history.

    Example: [bold]sopnb overrides settle params/demo.yaml OV-2610-12[/bold]
    """
    from sopnb import overrides

    def others(before: Any) -> list[str]:
        _there(before, [keep])
        cells = overrides.cells(before)
        mine = cells[before["override"] == keep].iloc[0]
        return list(before.loc[(cells == mine).all(axis=1) & (before["override"] != keep), "override"])

    _take_out(params_file, cycle_month, as_of, others, "settled", f"{keep} is the only word on its row")


@app.command("withdraw")
def overrides_withdraw(params_file: ParamsFile, number: Numbers, cycle_month: CycleMonth = "", as_of: Today = "") -> None:
    """Take overrides out of the source. Their words stay in the history.

    Example: [bold]sopnb overrides withdraw params/demo.yaml OV-2610-07[/bold]
    """
    def named(before: Any) -> list[str]:
        _there(before, number)
        return list(number)

    _take_out(params_file, cycle_month, as_of, named, "withdrawn", "Nothing to take out")


def _take_out(params_file: str, cycle_month: str, as_of: str, which: Any, why: str, nothing: str) -> None:
    from sopnb import cycle, overrides, overrides_kept
    from sopnb.problems import Problem, Problems

    where, company, name = _cycle(params_file, cycle_month)
    setting = _source(where, cycle.open(params_file, name).sources())
    if not setting.get("path"):
        raise Problems([Problem("overrides", "the source is a query, which sopnb only reads", remedy="Take them out there, or let them expire")])
    with _alone(where):
        before = overrides_kept.standing(setting)
        numbers = which(before)
        merged = overrides.take_out(before, numbers, day=_day(company, as_of), why=why)
        overrides_kept.land(setting, merged, before, instead=where.reports)
    out.print(shown(f"{', '.join(numbers)}: {why}; kept in {overrides_kept.history_file(Path(setting['path']))}" if numbers else f"{nothing}."))


# --- what the commands share ----------------------------------------------------------------------------------------

def _cycle(params_file: str, cycle_month: str) -> tuple[Any, Any, str]:
    from sopnb import cycle

    where, company = company_of(params_file)
    return where, company, cycle_month or cycle.latest(where, company)


def _source(where: Any, settings: dict[str, Any]) -> dict[str, Any]:
    from sopnb.problems import Problem, Problems

    if "overrides" not in settings:
        raise Problems([Problem(f"{where.params_file}, sources", "names no overrides", remedy='Add a line such as `overrides: {path: "{extracts}/overrides.csv"}`; the file is made when there is none')])
    return dict(settings["overrides"])


def _known(c: Any, standing: Any) -> dict[str, frozenset[str]]:
    """What an override may name: items, families, locations and people, as the sources hold them now."""
    from sopnb import overrides_said, sources

    settings = c.sources()
    found = sources.collect({name: settings[name] for name in ("items", "people") if name in settings}, cut_off=c.month).tables
    items, people = found.get("items"), found.get("people")
    planned = c.optional("forecast")
    places = set(c.params.locations) or set(planned["location"] if planned is not None else ())
    past = set() if standing is None else set(standing["owner"].dropna())
    asked = None if items is None else items[overrides_said.sold(items, planned)]
    codes, families = (frozenset(() if asked is None else asked[name].dropna()) for name in ("item", "family"))
    others = frozenset(() if items is None else {*items["item"], *items["family"].dropna()}) - codes - families
    return {"items": codes, "families": families, "unsold": others,
            "locations": frozenset(places - {"all"}), "owners": frozenset((set() if people is None else set(people["person"])) | past)}


def _alone(where: Any) -> Any:
    """Nobody else changes the overrides meanwhile."""
    from filelock import FileLock

    where.runs.mkdir(parents=True, exist_ok=True)
    return FileLock(where.runs / "overrides.lock", timeout=60)


def _day(company: Any, as_of: str) -> Any:
    """The day it is: as given, as the params file has it, else today; a company that stands still is at the first of its latest cycle."""
    import pandas as pd

    from sopnb.problems import Problem, Problems

    try:
        return pd.Timestamp(company.today(dt.date.fromisoformat(as_of) if as_of else None))
    except ValueError:
        raise Problems([Problem("--as-of", f"{as_of!r} is not a day", "YYYY-MM-DD, as 2026-10-31")]) from None


def _there(before: Any, numbers: list[str]) -> None:
    from sopnb.problems import Problem, Problems, nearest

    lost = [number for number in numbers if number not in set(before["override"])]
    if lost:
        raise Problems([Problem("overrides", f"there is no override {number}", "a number of `sopnb overrides list --all`", nearest(number, before["override"])) for number in lost])


def _what(row: dict[Any, Any]) -> str:
    return " ".join(str(part) for part in (row["level"], row["key"], None if row["location"] in (None, "all") else row["location"]) if part)


def _cells_of(conflicts: Any) -> list[str]:
    """`item A, 2026-10: OV-1 Dewi +20.0%; OV-2 Budi = 120`, one line for each cell."""
    from sopnb import overrides, overrides_form

    lines = []
    for _, rows in conflicts.groupby([overrides.cells(conflicts)[name] for name in overrides.CELL], dropna=False) if len(conflicts) else ():
        words = [f"{row['override']} {row['owner']} {overrides_form.as_said(row['kind'], row['value'])}" for row in rows.to_dict("records")]
        lines.append(f"{_what(rows.iloc[0].to_dict())}, {rows['month'].iloc[0]:%Y-%m}: {'; '.join(words)}")
    return lines
