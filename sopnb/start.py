"""A first start: a new company's params file and templates, and the demo company with its memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sopnb import cycle, frames, params, project, steps
from sopnb import run as runner
from sopnb.problems import Problem, Problems

NEW_COMPANY = '''\
# The parameters of {name}. Lines that start with # show what else can be set; docs/codebook.md lists every table.
name: {name}
currency: USD            # three letters
language: en             # en or id
horizon_months: 18       # months planned
fiscal_year_start: 1
owner: ""                # who hears of failures

# How numbers and dates are written in your text files. Declared, never guessed; a source may differ (see stock).
locale:
  decimal: "."
  thousands: ""
  dates: yyyy-mm-dd
  delimiter: ","

# One folder of extracts a cycle; {{cycle}} becomes the cycle month, as 2026-10. The newest folder is the latest cycle.
folders:
  extracts: data/{name}/{{cycle}}

# Orders and items are required; every other source is optional: take the # away once you have the file.
# `columns` maps our name to yours where they differ: columns: {{order: ORDER_NO, quantity: QTY}}
sources:
  orders: {{path: "{{extracts}}/orders.csv"}}
  items: {{path: "{{extracts}}/items.csv"}}
{optional}
# Instead of a file, a query over files (every column is text, so CAST what is a number or a date):
#   stock:
#     files: {{bins: "{{extracts}}/bins.csv"}}
#     sql: SELECT sku AS item, site AS location, CAST(counted AS DATE) AS as_of, SUM(CAST(qty AS DOUBLE)) AS on_hand FROM bins GROUP BY ALL
# or on a database, its address in the environment: {{url: env:ERP_URL, sql: "SELECT …"}}

# supply:
#   service: {{A: 0.98, B: 0.95, C: 0.90}}   # cycle service level by class
# targets:
#   otif: {{target: 0.95, watch: 0.92, better: higher}}
# meeting:
#   day: 8
#   file: data/{name}/{{cycle}}/minutes.yaml
#   charter:             # without one nobody knows who has the last word; 05 checks it
#     purpose: Agree one plan
#     decides: {{overload: Supply manager, short: Supply manager, excess: Sales director, hiring: Sales director, budget: General manager}}
#   agenda:              # points of the facts in the order and with the minutes wanted, and points of your own
#     - {{title: Safety minute, minutes: 1}}
'''


def init(name: str, root: Path | None = None) -> list[Path]:
    """Write a new company's commented params file and an empty CSV template of every source.

    name     letters, digits, - and _
    returns  the files written
    raises   Problems where the name cannot be used or the company exists: nothing is overwritten
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise Problems([Problem("NAME", f"{name!r} cannot be a file name", "letters, digits, - and _")])
    root = root or _root_or_here()
    params_file, templates = root / "params" / f"{name}.yaml", root / "data" / name / "templates"
    if params_file.exists():
        raise Problems([Problem(str(params_file), "is there already", remedy="Choose another name, or edit that file")])
    optional = "".join(f'  # {source}: {{path: "{{extracts}}/{source}.csv"}}\n' for source in frames.SOURCES if source not in ("orders", "items"))
    params_file.parent.mkdir(parents=True, exist_ok=True)
    templates.mkdir(parents=True, exist_ok=True)
    written = [params_file]
    for source, frame in frames.SOURCES.items():
        path = templates / f"{source}.csv"
        path.write_text(",".join(frame.names) + "\n", encoding="utf-8")
        written.append(path)
    params_file.write_text(NEW_COMPANY.format(name=name, optional=optional), encoding="utf-8")
    return written


def _root_or_here() -> Path:
    try:
        return cycle.root()
    except Problems:
        return Path.cwd()


def demo_data(root: Path | None = None, tell: Callable[[str], Any] = print) -> Path:
    """The demo company's extracts, made anew only when what makes them changed."""
    from sopnb import demo

    folder = (root or cycle.root()) / "data" / "demo"
    made_by = steps.digest({m: steps.file_digest(steps.PACKAGE / f"{m}.py") for m in steps.closure({"demo"})})
    mark = folder / ".made-by"
    if mark.is_file() and mark.read_text(encoding="utf-8") == made_by:
        return folder
    tell("Making the demo company's extracts: twelve cycles …")
    began = time.monotonic()
    mark.unlink(missing_ok=True)
    demo.generate(folder)
    mark.write_text(made_by, encoding="utf-8")
    tell(f"Extracts made in {time.monotonic() - began:.0f} s: {folder}")
    return folder


def demo_cycles(earlier: int, tell: Callable[[str], Any] = print, progress: Callable[[str], runner.Tell] | None = None) -> tuple[runner.Outcome, float]:
    """Run the demo's cycles: the earlier ones without pages, each followed by its meeting's recap, then the current one.

    The last meeting's recap gets its page and its mails, and its owners their reminders: the story the demo tells.
    returns  the current cycle's outcome, seconds it took
    """
    params_file = "params/demo.yaml"
    latest = cycle.open(params_file).name
    names = [f"{frames.next_month(latest, -back):%Y-%m}" for back in range(earlier, 0, -1)]
    began = time.monotonic()
    for number, name in enumerate(names, start=1):
        start = time.monotonic()
        done = runner.run(params_file, name, pages=False, in_kernel=False)
        held = runner.run(params_file, name, pages=False, in_kernel=False, recap=True)
        if name == names[-1]:  # the last meeting: what everybody got of it
            held = runner.run(params_file, name, recap=True)
        if done.done or held.done:
            spent = time.monotonic() - began
            left = spent / number * (len(names) - number)
            tell(f"Earlier cycle {name}, {number} of {len(names)}: {time.monotonic() - start:.0f} s; about {left:.0f} s left")
    if names:
        tell(f"Memory of {len(names)} earlier cycles in {time.monotonic() - began:.0f} s.")
    tell(f"Current cycle {latest}:")
    began = time.monotonic()
    outcome = runner.run(params_file, latest, tell=progress("") if progress else runner.silent)
    seconds = time.monotonic() - began
    outcome.notes += story(params_file, latest, names[-1] if names else "")
    return outcome, seconds


def story(params_file: str, latest: str, before: str) -> list[str]:
    """What lies where once the demo has run: the coming meeting, the one before it, and what happens between them.

    before   the cycle before; empty: none was run
    """
    where = project.places(params_file)
    company = params.load(where.params_file)
    lines = ["", *_ahead(where, company, latest), *(_held(where, company, before) if before else []), *_between(where, company)]
    return [*lines, f"At the meeting: sopnb recap {params_file} --form writes the form of its minutes; filled in, sopnb recap {params_file} tells everybody.", ""]


def _ahead(where: project.Places, company: params.Company, latest: str) -> list[str]:
    folder = where.published(latest)
    return [f"The meeting of {company.meeting.day} {frames.month(latest):%B %Y}, which the reports below are for:", *_file(where, folder / "one-page.html", "all of it on one page"),
            *_file(where, folder / "invitation.ics", "the invitation, with the agenda"), *_mails(where, folder / "mail", "with the pack, one for each reader")]


def _held(where: project.Places, company: params.Company, before: str) -> list[str]:
    folder = where.published(before)
    recap = _file(where, folder / "06_recap.html", "what was decided, who does what by when")
    if not recap:
        return []
    minutes = _file(where, where.resolve(company.meeting.file, before, company.folders), "the minutes it was made from") if company.meeting.file else []
    return [f"The meeting of {frames.month(before):%B %Y}, which was held:", *recap, *_mails(where, folder / "mail" / "recap", "with the recap, everybody's own actions first"), *minutes]


def _between(where: project.Places, company: params.Company) -> list[str]:
    """What of that meeting is still open, and the reminders owners get of it."""
    from sopnb import ledger, reminding

    day = company.today()
    actions = ledger.open(company.ledger.url, where.reports).actions(day)
    running = actions[actions["state"].isin(["open", "started"])]
    if running.empty:
        return []
    _, paths = reminding.remind(where, company, day=day)
    late = int((running["overdue_days"] > 0).sum())
    overdue = f"{late} of them overdue, on the next agenda by themselves" if late else "none of them overdue"
    lines = [f"Between them, on {day.day} {day:%B %Y}: {len(running)} actions carried over, {overdue}:"]
    lines += _mails(where, paths[0].parent, "reminding their owners") if paths else []
    return lines + _file(where, where.reports / "actions.html", "every action of every cycle")


def _mails(where: project.Places, folder: Path, what: str) -> list[str]:
    count = len(list(folder.glob("*.eml"))) if folder.is_dir() else 0
    return [f"  {_shown(where, folder)}/  {count} mails {what}"] if count else []


def _file(where: project.Places, path: Path, what: str) -> list[str]:
    return [f"  {_shown(where, path)}  {what}"] if path.is_file() else []


def _shown(where: project.Places, path: Path) -> str:
    return path.relative_to(where.root).as_posix()
