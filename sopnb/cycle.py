"""The month being planned: its months, where its tables live, and the cycles before it.

Cycle 2026-10 is held in October 2026: actuals through September (the origin), lag 1 is October, the plan runs
`horizon_months` from October. Nothing here reads the clock or a file's date: today is `as_of`.

Only `sopnb run` publishes. It tells its notebooks by the environment variable SOPNB_TABLES where to save; any other
execution (Run All in JupyterLab, plain papermill, nbmake) is a draft beside the published cycles.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, params
from sopnb.problems import Problem, Problems
from sopnb.project import MONTH, STEPS, TABLES_DIR, Places, latest, places, root, source_settings

__all__ = ["MONTH", "STEPS", "TABLES_DIR", "Cycle", "NotRunYet", "Places", "latest", "load_table", "open", "places", "root", "save_table", "source_settings"]


class NotRunYet(RuntimeError):
    """A table of an earlier step is not there; the message names the command that makes it."""


class Cycle:
    """One company's cycle: its months, its parameters, and its tables.

    month      first day of the cycle month; rows from this day on are not known yet (the cut-off)
    origin     the last month with actuals
    months     the months planned
    as_of      today, for this cycle
    """

    def __init__(self, where: Places, company: params.Company, cycle_month: str):
        self.places = where
        self.params = company
        self.name = cycle_month
        self.month = frames.month(cycle_month)
        self.origin = frames.next_month(self.month, -1)
        self.months = frames.months(self.month, company.horizon_months)
        self.as_of = pd.Timestamp(company.day(cycle_month))
        run_tables = os.environ.get(TABLES_DIR)
        self.published = bool(run_tables)
        self.tables_dir = Path(run_tables) if run_tables else where.draft(cycle_month) / "tables"

    def _find(self, name: str) -> Path | None:
        candidates = [self.tables_dir / f"{name}.parquet"]
        if not self.published:
            candidates.append(self.places.published(self.name) / "tables" / f"{name}.parquet")
        return next((path for path in candidates if path.is_file()), None)

    def has(self, name: str) -> bool:
        """Whether a table of this cycle is there."""
        return self._find(name) is not None

    def read(self, name: str) -> pd.DataFrame:
        """A table that an earlier step saved.

        raises   NotRunYet, naming the command that makes it
        """
        path = self._find(name)
        if path is None:
            command = f"sopnb run {self.places.params_file.parent.name}/{self.places.params_file.name} --cycle {self.name}"
            raise NotRunYet(f"`{name}` of cycle {self.name} is not there yet. Run the steps before this one, or: {command}")
        return load_table(path, name)

    def optional(self, name: str) -> pd.DataFrame | None:
        """A table that may be absent: the optional sources."""
        return self.read(name) if self.has(name) else None

    def rows(self, name: str) -> pd.DataFrame:
        """A table, without rows where the company has none: a sell-side company has no items, no history and no plan.

        raises   NotRunYet where nothing has been collected yet
        """
        return self.read(name) if self.has(name) or not self.has("freshness") else frames.empty(frames.TABLES[name])

    def save(self, **tables: pd.DataFrame | None) -> None:
        """Save tables of this cycle, each checked against its frame; None is left out.

        raises   frames.FrameError
        """
        ready = {name: frames.conform(df, frames.TABLES[name]) for name, df in tables.items() if df is not None}
        self.tables_dir.mkdir(parents=True, exist_ok=True)
        for name, df in ready.items():
            save_table(df, self.tables_dir / f"{name}.parquet", name)

    def past_cycles(self, count: int | None = None) -> list[str]:
        """The published cycles before this one, oldest first; at most the last `count`."""
        earlier = [name for name in self.places.cycles() if name < self.name]
        return earlier[-count:] if count else earlier

    def past(self, name: str, count: int | None = None) -> pd.DataFrame:
        """A table over the cycles before this one, with the month of its cycle in the column `cycle`.

        returns  cycle × key of the table; no rows where no earlier cycle has it
        """
        parts = []
        for earlier in self.past_cycles(count):
            path = self.places.published(earlier) / "tables" / f"{name}.parquet"
            if path.is_file():
                part = load_table(path, name)
                part.insert(0, "cycle", frames.month(earlier)) if "cycle" not in part else None
                parts.append(part)
        if parts:
            return pd.concat(parts, ignore_index=True)
        none = frames.empty(frames.TABLES[name])
        none.insert(0, "cycle", pd.Series(dtype="datetime64[ns]")) if "cycle" not in none else None
        return none

    def previous(self, name: str) -> pd.DataFrame | None:
        """A table of the cycle of the month before; None where that month was not planned."""
        path = self.places.published(f"{frames.next_month(self.month, -1):%Y-%m}") / "tables" / f"{name}.parquet"
        return load_table(path, name) if path.is_file() else None

    def sources(self) -> dict[str, dict[str, Any]]:
        """The settings of each source for this cycle, as plain values with paths filled in, for sopnb.sources."""
        return source_settings(self.places, self.params, self.name)

    def path(self, given: str) -> Path:
        """A path of the params file for this cycle."""
        return self.places.resolve(given, self.name, self.params.folders)

    @property
    def title(self) -> str:
        return f"{self.params.name}, S&OP cycle {self.name}"

    def __repr__(self) -> str:
        return self._said().text

    def _repr_html_(self) -> str:
        from sopnb import style

        return f"<style>{style.LAB_CSS}</style><p class='cycle'>{self._said().html}</p>"

    def _said(self) -> Any:
        from sopnb import words

        values = {"company": self.params.name, "cycle": self.name, "origin": self.origin, "first": self.months[0], "last": self.months[-1]}
        return words.message("words.cycle" if self.published else "words.cycle.draft", values)


def open(params_file: str, cycle_month: str = "", **overrides: Any) -> Cycle:
    """Open a cycle for the notebooks.

    params_file  params/<company>.yaml, from the project root
    cycle_month  YYYY-MM; empty: the latest possible
    overrides    top-level parameters that win over the file where they are not None
    raises       Problems, all in one list
    """
    where = places(params_file)
    company = params.load(where.params_file, **overrides)
    name = cycle_month or latest(where, company)
    if not MONTH.match(name):
        raise Problems([Problem("cycle_month", f"{name!r} is not a month", "YYYY-MM, as 2026-10")])
    return Cycle(where, company, name)


def save_table(df: pd.DataFrame, path: Path, name: str) -> None:
    """Write a table with its frame's schema: the same rows give the same bytes. Whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(df, schema=_schema(frames.TABLES[name]), preserve_index=False).replace_schema_metadata(None)
    temporary = path.with_suffix(".partial")
    pq.write_table(table, temporary, compression="zstd")
    os.replace(temporary, path)


def load_table(path: Path, name: str) -> pd.DataFrame:
    """Read a saved table back into the types of its frame."""
    import pyarrow.parquet as pq

    frame = frames.TABLES[name]
    with pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
    df = table.to_pandas(coerce_temporal_nanoseconds=True, use_threads=False)
    # A table saved under today's frame has its types already; one of an older frame is brought to them.
    return df if table.schema.equals(_schema(frame)) else frames.typed(df, frame)


def _schema(frame: frames.Frame) -> Any:
    """A frame's columns as Arrow types."""
    import pyarrow as pa

    arrow = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "flag": pa.bool_(),
             "date": pa.timestamp("ms"), "month": pa.timestamp("ms")}
    return pa.schema([(c.name, arrow[c.kind]) for c in frame.columns])
