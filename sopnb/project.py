"""Where a project's files are and which cycle is planned: paths and parameters, no tables.

Apart from `cycle`, so that a run which finds nothing to do does not import what tables need: that would take longer than
finding out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sopnb import params
from sopnb.problems import Problem, Problems

TABLES_DIR = "SOPNB_TABLES"  # set by the runner: where this run saves its tables
STEPS = ("01_collect", "02_demand", "03_supply", "04_kpis", "05_meeting", "06_recap")
MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


def root(start: Path | None = None) -> Path:
    """The project root: the nearest folder upwards that holds `params/`.

    raises   Problems where there is none
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "params").is_dir():
            return folder
    raise Problems([Problem(str(here), "no folder above holds params/", remedy="Start in the project's folder, or `sopnb init NAME`")])


@dataclass(frozen=True)
class Places:
    """Where a company's files are. Paths only; nothing is created here."""

    root: Path
    params_file: Path

    @property
    def company(self) -> str:
        return self.params_file.stem

    @property
    def reports(self) -> Path:
        return self.root / "reports" / self.company

    def published(self, cycle_month: str) -> Path:
        return self.reports / cycle_month

    def draft(self, cycle_month: str) -> Path:
        return self.reports / ".draft" / cycle_month

    @property
    def runs(self) -> Path:
        return self.reports / ".runs"

    def resolve(self, path: str, cycle_month: str, folders: dict[str, str]) -> Path:
        """A path of the params file: {cycle} and {folder names} filled in, relative to the project root."""
        filled = path
        for _ in range(3):  # a folder may stand in a folder
            filled = filled.replace("{cycle}", cycle_month)
            for name, folder in folders.items():
                filled = filled.replace("{" + name + "}", folder)
        return (self.root / filled).resolve() if not Path(filled).is_absolute() else Path(filled)

    def cycles(self) -> list[str]:
        """The published cycles, oldest first."""
        if not self.reports.is_dir():
            return []
        return sorted(p.name for p in self.reports.iterdir() if MONTH.match(p.name) and (p / "tables").is_dir())


def places(params_file: str | Path, start: Path | None = None) -> Places:
    """Find the project that a params file belongs to; a relative path starts at the project root."""
    given = Path(params_file)
    if given.is_absolute():
        return Places(given.parent.parent, given)
    base = root(start)
    return Places(base, base / given)


def latest(where: Places, company: params.Company) -> str:
    """The cycle to plan when none is named: the params file's, else the newest folder of extracts.

    raises   Problems where neither says
    """
    if company.latest_cycle:
        return company.latest_cycle
    newest = max((name for path in _all_paths(company) for name in _cycle_folders(where, path, company.folders)), default="")
    if not newest:
        raise Problems([Problem(str(where.params_file), "no cycle is named and no folder of extracts tells the latest",
                                "a month as 2026-10", "Give --cycle YYYY-MM, or latest_cycle: in the params file")])
    return newest


def _all_paths(company: params.Company) -> list[str]:
    return [*company.folders.values(), *(s.path for s in company.sources.values() if s.path)]


def _cycle_folders(where: Places, path: str, folders: dict[str, str]) -> list[str]:
    """Names of the cycles for which a path with {cycle} exists."""
    before, mark, _ = path.partition("{cycle}")
    if not mark:
        return []
    parent = where.resolve(before or ".", "", folders)
    return [p.name for p in parent.iterdir() if MONTH.match(p.name)] if parent.is_dir() else []


def source_settings(where: Places, company: params.Company, cycle_month: str) -> dict[str, dict[str, Any]]:
    """Each source's settings as plain values: paths filled in, the locale of the file beside them.

    returns  source: {path, sheet, columns, defaults, sql, files, url, decimal, thousands, dates, months, delimiter,
             encoding, fresh_days, folders}
    """
    settings = {}
    for name, source in company.sources.items():
        plain = source.model_dump()
        for key, default in company.locale.model_dump().items():
            plain[key] = default if plain[key] is None else plain[key]
        if plain["path"]:
            plain["path"] = str(where.resolve(plain["path"], cycle_month, company.folders))
        plain["files"] = {view: str(where.resolve(path, cycle_month, company.folders)) for view, path in plain["files"].items()}
        plain["folders"] = [str(where.resolve(path, cycle_month, company.folders)) for path in company.folders.values()]
        plain["fresh_days"] = company.quality.fresh_days if plain["fresh_days"] is None else plain["fresh_days"]
        settings[name] = plain
    return settings
