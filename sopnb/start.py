"""A first start: a new company's params file and templates, and the demo company with its memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sopnb import cycle, frames, steps
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
        if done.done or held.done:
            spent = time.monotonic() - began
            left = spent / number * (len(names) - number)
            tell(f"Earlier cycle {name}, {number} of {len(names)}: {time.monotonic() - start:.0f} s; about {left:.0f} s left")
    if names:
        tell(f"Memory of {len(names)} earlier cycles in {time.monotonic() - began:.0f} s.")
    tell(f"Current cycle {latest}:")
    began = time.monotonic()
    outcome = runner.run(params_file, latest, tell=progress("") if progress else runner.silent)
    return outcome, time.monotonic() - began
