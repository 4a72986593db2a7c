"""A company's extracts → frames. The only place that knows what other systems call things.

    check     everything wrong with files, columns and queries, in one list, before a run
    collect   every source present as its frame says, with what was set aside and how fresh it is
    digest    whether anything changed

Errors (`Problems`) stop a run: a missing file or column, an empty extract, a query that fails. Findings do not: rows
that cannot be used are set aside with their reason (sopnb.vetting), and the run goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, parsing, reading, vetting
from sopnb.problems import Problem, Problems, nearest

AGES = ("orders", "stock", "stock_history", "purchases", "opportunities", "market")  # sources that grow, and so grow stale
NO_DATE = -1
LAST_DAY = pd.Timestamp("2199-12-31")  # as of which everything is known
LAST_ROWS = 2000  # extracts mostly end with the latest orders


class OutOfTime(Problem):
    """The cycle lies before the first order or after the last."""


@dataclass
class Collected:
    """What was collected.

    tables     source: its rows as the frame says, for every source declared
    set_aside  frames.SET_ASIDE: rows not used
    freshness  frames.FRESHNESS
    notes      frames.FINDINGS: rows used although something is odd
    totals     source × state (received, used, set aside, left out)   rows, units, amount (money)
    """

    tables: dict[str, pd.DataFrame]
    set_aside: pd.DataFrame
    freshness: pd.DataFrame
    notes: pd.DataFrame
    totals: pd.DataFrame

    @property
    def absent(self) -> list[str]:
        """Sources that no one declared: what needs them is not available."""
        return [name for name in frames.SOURCES if name not in self.tables]

    def total(self, source: str, state: str) -> pd.Series:
        """rows, units and amount of one source in one state."""
        hit = (self.totals["source"] == source) & (self.totals["state"] == state)
        return self.totals.loc[hit, ["rows", "units", "amount"]].iloc[0]


def collect(settings: dict[str, dict[str, Any]], *, cut_off: pd.Timestamp, locations: Iterable[str] | None = None) -> Collected:
    """Read every source declared, and judge every row.

    settings   source: its settings, as sopnb.cycle.source_settings gives them
    cut_off    first day not known yet, the first day of the cycle month
    locations  planning locations; None or empty: as found
    returns    Collected; for every source, rows = used + set aside + left out
    raises     Problems of all sources, in one list
    """
    problems, without = _missing_files(settings)
    done: dict[str, vetting.Vetted] = {}
    lines: list[dict[str, Any]] = []
    seen: reading.Seen = {}
    for name in _items_first(settings):
        if name in without:
            continue
        try:
            raw = reading.read(name, settings[name], cut_off=cut_off, seen=seen)
            cells = _our_columns(name, settings[name], raw.df)
        except Problems as found:
            problems += found.problems
            continue
        items = done["items"].table if "items" in done else None
        if items is None and "items" in settings and name != "items":
            continue  # the item master could not be read: that is told, and every item would be unknown
        context = vetting.Context(settings[name], cut_off, None if name == "items" else items, tuple(locations or ()))
        done[name] = vetting.vet(name, cells, raw.rows, raw.file, raw.bad, context=context)
        lines.append(_freshness(name, settings[name], raw, done[name], cut_off))
    if problems:
        raise Problems(problems)
    return Collected(
        tables={name: done[name].table for name in frames.SOURCES if name in done},
        set_aside=_stacked([v.set_aside for v in done.values()], frames.SET_ASIDE),
        freshness=frames.conform(pd.DataFrame(lines, columns=frames.FRESHNESS.names), frames.FRESHNESS),
        notes=_stacked([v.notes for v in done.values()], frames.FINDINGS),
        totals=pd.concat([done[name].totals for name in frames.SOURCES if name in done], ignore_index=True),
    )


def check(settings: dict[str, dict[str, Any]], *, cut_off: pd.Timestamp) -> list[Problem]:
    """Everything that would stop a run: files, columns, queries, empty extracts, no orders in the last month.

    Of a file only the header and one row are read; orders are read in full, for their last month.
    returns   problems, each naming file and column, what is allowed and what to do; none is good
    """
    problems, without = _missing_files(settings)
    empty: dict[str, Problem] = {}
    seen: reading.Seen = {}
    outside = False  # the cycle lies where the orders tell nothing: a query up to the cut-off is empty for that reason
    for name in _items_first(settings):
        try:
            _check_locale(name, settings[name])
            if name in without:
                continue
            if name == "orders":
                raw = reading.read(name, settings[name], cut_off=cut_off, seen=seen)
                names, any_row = [str(c) for c in raw.df.columns], bool(len(raw.df))
            else:
                names, any_row = reading.header(name, settings[name], cut_off=cut_off, seen=seen)
            found = _column_problems(name, settings[name], names)
            problems += found
            if name == "orders" and not found and (any_row or _asks_cut_off(settings[name])):
                late = _last_month(settings[name], raw, cut_off, seen)
                problems += late
                outside = any(isinstance(problem, OutOfTime) for problem in late)
                any_row = any_row or outside
            if not any_row and not found:
                empty[name] = _empty(name, settings[name])
        except Problems as found_now:
            problems += found_now.problems
    return problems + [problem for name, problem in empty.items() if not (outside and _asks_cut_off(settings[name]))]


def _missing_files(settings: dict[str, dict[str, Any]]) -> tuple[list[Problem], set[str]]:
    """One problem for each file that is not there, with all sources that need it; and those sources."""
    needed_by: dict[Path, list[str]] = {}
    for name in _items_first(settings):
        for path in dict.fromkeys(reading.files(settings[name]).values()):
            if not path.is_file():
                needed_by.setdefault(path, []).append(name)
    problems: list[Problem] = []
    for path, names in needed_by.items():
        try:
            reading.existing(", ".join(names), str(path))
        except Problems as found:
            problems += found.problems
    return problems, {name for names in needed_by.values() for name in names}


def _asks_cut_off(setting: dict[str, Any]) -> bool:
    return "$cut_off" in (setting.get("sql") or "")


def _empty(name: str, setting: dict[str, Any]) -> Problem:
    if setting.get("sql"):
        return Problem(f"{name}: {_place(setting)}", "is empty: the query gives no row", "at least one row",
                       "Mend the query or its extracts, or take the source out of the params file")
    return Problem(f"{name}: {_place(setting)}", "is empty: no row stands below the header", "at least one row",
                   "Make the extract again, or take the source out of the params file")


def digest(settings: dict[str, dict[str, Any]]) -> str:
    """sha256 over everything the sources depend on: their settings, the bytes of their files, the rows of their queries.

    Paths count by file name only, so that the same extracts in another folder give the same digest. A file that is
    not there counts as absent; a database that does not answer counts by its problem.
    """
    total = hashlib.sha256()
    seen: dict[Path, bytes] = {}
    for name in sorted(settings):
        setting = settings[name]
        plain = {key: value for key, value in setting.items() if key not in ("path", "files", "folders")}
        total.update(json.dumps([name, plain], sort_keys=True, default=str).encode())
        for view, path in sorted(reading.files(setting).items()):
            total.update(json.dumps([view, path.name]).encode() + (seen.get(path) or seen.setdefault(path, _bytes_digest(path))))
        if setting.get("url"):
            total.update(_rows_digest(name, setting))
    return total.hexdigest()


def _bytes_digest(path: Path) -> bytes:
    if not path.is_file():
        return b"absent"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _rows_digest(name: str, setting: dict[str, Any]) -> bytes:
    """A query with $cut_off is asked as of the last day there is: later rows change the digest, which is right."""
    try:
        raw = reading.read(name, setting, cut_off=LAST_DAY)
    except Problems as found:
        return str(found).encode()
    text = raw.df.astype(str).to_csv(index=False)
    return hashlib.sha256(text.encode()).digest()


# --- columns --------------------------------------------------------------------------------------------------------

def _our_columns(name: str, setting: dict[str, Any], df: pd.DataFrame) -> pd.DataFrame:
    """The source's columns under our names, with its constants; still untyped.

    raises   Problems
    """
    problems = _column_problems(name, setting, [str(c) for c in df.columns])
    if problems:
        raise Problems(problems)
    theirs = _theirs(name, setting, [str(c) for c in df.columns])
    cells = pd.DataFrame({ours: df[column] for ours, column in theirs.items()}, index=df.index)
    for ours, constant in setting["defaults"].items():
        value = _constant(name, ours, constant)
        if ours not in cells:
            cells[ours] = pd.Series([value] * len(cells), index=cells.index, dtype=object)
        else:
            cells[ours] = cells[ours].astype(object).where(parsing.given(cells[ours]), value)
    if "location" in frames.SOURCES[name].names and "location" not in cells:
        cells["location"] = "all"
    return cells


def _theirs(name: str, setting: dict[str, Any], names: list[str]) -> dict[str, str]:
    """our column: theirs, in the frame's order; a column of our name needs no line in the map."""
    mapped = setting["columns"]
    return {ours: mapped.get(ours, ours) for ours in frames.SOURCES[name].names if mapped.get(ours, ours) in names}


def _constant(name: str, ours: str, constant: Any) -> Any:
    """A constant of the params file, already of its kind: dates are ISO there, numbers are numbers."""
    if frames.SOURCES[name].kind(ours) in ("date", "month"):
        return pd.Timestamp(str(constant))
    return constant


def _column_problems(name: str, setting: dict[str, Any], names: list[str]) -> list[Problem]:
    """Columns that are missing, misnamed, or not ours."""
    frame, place = frames.SOURCES[name], f"{name}: {_place(setting)}"
    problems = _no_header(name, setting, names)
    if problems:
        return problems
    for kind in ("columns", "defaults"):
        problems += [Problem(f"{name}: {kind}", f"{name} has no column {ours}", ", ".join(frame.names), nearest(ours, frame.names))
                     for ours in setting[kind] if ours not in frame.names]
    problems += [Problem(place, f"has no column {theirs}, which the params file maps to {ours}", _shown(names),
                         nearest(theirs, names) or "Mend the name in columns:, or the extract")
                 for ours, theirs in setting["columns"].items() if ours in frame.names and theirs not in names]
    have = {*names, *setting["columns"], *setting["defaults"], *(["location"] if "location" in frame.names else [])}
    for ours in frame.needed:
        if ours not in have:
            close = nearest(ours, names)
            remedy = (f"{close} Then write `{ours}: {close.removeprefix('Did you mean ').rstrip('?')}` under columns:" if close
                      else f"Map it under columns: (`{ours}: their name`), or give a constant under defaults:")
            problems.append(Problem(place, f"has no column {ours}, which {name} needs", _shown(names), remedy))
    if setting.get("sql"):
        mapped = set(setting["columns"].values())
        problems += [Problem(place, f"gives a column {theirs}, which is not one of {name}", ", ".join(frame.names), nearest(theirs, frame.names) or "Leave it out of the SELECT")
                     for theirs in names if theirs not in frame.names and theirs not in mapped]
    return problems


def _no_header(name: str, setting: dict[str, Any], names: list[str]) -> list[Problem]:
    """A file without a header, or one whose header is a single column because the file uses another delimiter."""
    place = f"{name}: {_place(setting)}"
    if not names:
        return [Problem(place, "is empty: not even a header stands in it", "a header and at least one row",
                        "Make the extract again, or take the source out of the params file")]
    other = next((mark for mark in (";", ",", "\t", "|") if mark != setting["delimiter"] and mark in names[0]), None)
    if len(names) > 1 or other is None or not setting.get("path"):
        return []
    return [Problem(place, f"has a single column, `{names[0][:60]}`, when it is split at {setting['delimiter']!r}", "the delimiter that the file uses",
                    f"Write `delimiter: \"{'tab' if other == chr(9) else other}\"` for {name} in the params file")]


def _shown(names: list[str]) -> str:
    return "the columns there are " + ", ".join(names) if names else "a header in the first row"


def _place(setting: dict[str, Any]) -> str:
    return setting.get("path") or (f"sql on {setting['url']}" if setting.get("url") else "sql over " + ", ".join(setting["files"]))


def _check_locale(name: str, setting: dict[str, Any]) -> None:
    try:
        parsing.date_pattern(setting["dates"])
    except ValueError as error:
        raise Problems([Problem(f"{name}: dates", f"{setting['dates']!r} {error}",
                                "a form such as yyyy-mm-dd, dd/mm/yyyy, dd mmm yyyy, yyyymmdd or yyyymm")]) from None
    if setting["decimal"] == setting["thousands"]:
        raise Problems([Problem(f"{name}: thousands", f"is {setting['thousands']!r}, the same as decimal", "two different marks")])


def _last_month(setting: dict[str, Any], raw: reading.Raw, cut_off: pd.Timestamp, seen: reading.Seen) -> list[Problem]:
    """Orders without one line asked for in the month before the cut-off: the cycle would plan on a month it has not seen."""
    last = frames.next_month(cut_off, -1)
    size = len(raw.df)
    # Most often a handful of the last rows tells; all are judged only where they do not.
    for tail in (LAST_ROWS, size):
        done = _vet_orders(setting, raw, cut_off, tail=tail)
        asked = _asked(done.table)
        if ((asked >= last) & (asked < cut_off)).any():
            return []
    place = f"orders: {_place(setting)}"
    if done.table.empty:
        return [_nothing_before(place, setting, raw, done, cut_off, seen)]
    known = asked[asked < cut_off]
    if known.empty:
        return [OutOfTime(place, f"has no order asked for before {cut_off:%Y-%m-%d}, the cut-off of the cycle", remedy="Plan a later cycle, or make the extract again")]
    return [OutOfTime(place, f"has no order for {last:%Y-%m}, the month before the cycle; the last is of {known.max():%Y-%m-%d}, the first of {known.min():%Y-%m}",
                      f"orders up to {cut_off - pd.Timedelta(days=1):%Y-%m-%d}",
                      f"Make the extract again, or plan an earlier cycle: --cycle {frames.next_month(known.max()):%Y-%m}")]


def _nothing_before(place: str, setting: dict[str, Any], raw: reading.Raw, done: vetting.Vetted, cut_off: pd.Timestamp, seen: reading.Seen) -> Problem:
    """No order can be used: the extract begins after the cut-off, or it is not written as declared."""
    if _asks_cut_off(setting):
        raw = reading.read("orders", setting, cut_off=LAST_DAY, seen=seen)
    table = _vet_orders(setting, raw, LAST_DAY, tail=len(raw.df)).table
    asked = _asked(table)
    if len(asked):
        placed = table.loc[asked.index, "order_date"]
        first = frames.next_month(pd.concat([asked, placed], axis=1).max(axis=1).min())
        return OutOfTime(place, f"begins in {placed.min():%Y-%m} and ends in {placed.max():%Y-%m}: no actuals exist before {cut_off:%Y-%m-%d}, the cut-off of the cycle",
                       f"cycles from {first:%Y-%m} on", f"Plan the first possible cycle or a later one: --cycle {first:%Y-%m}")
    if raw.df.empty:
        return _empty("orders", setting)
    row = done.set_aside.iloc[0] if len(done.set_aside) else None
    number = f"row {row['row']}, " if row is not None and row["row"] else ""  # a query has no row numbers
    told = "" if row is None else f"; {len(done.set_aside)} rows cannot be used, first {number}{row['column']}: {row['value']}"
    return Problem(place, f"no row can be used before {cut_off:%Y-%m-%d}{told}", f"rows dated {setting['dates']}, decimal {setting['decimal']}",
                   "Check dates:, decimal: and thousands: of orders in the params file")


def _vet_orders(setting: dict[str, Any], raw: reading.Raw, cut_off: pd.Timestamp, *, tail: int) -> vetting.Vetted:
    """The last rows of the orders, judged by the columns that tell whether an order counts in a month."""
    cells = _our_columns("orders", setting, raw.df.tail(tail))
    cells = cells[[c for c in cells if c in frames.ORDERS.needed or c in ("requested_date", "status")]]
    return vetting.vet("orders", cells, raw.rows[-tail:] if tail else [], raw.file, raw.bad, context=vetting.Context(setting, cut_off))


def _asked(orders: pd.DataFrame) -> pd.Series:
    """The days that orders were asked for; without returns and what was cancelled."""
    real = (orders["quantity"] > 0) & (orders["status"] != "cancelled")
    return orders["requested_date"].fillna(orders["order_date"])[real]


# --- freshness ------------------------------------------------------------------------------------------------------

def _freshness(name: str, setting: dict[str, Any], raw: reading.Raw, done: vetting.Vetted, cut_off: pd.Timestamp) -> dict[str, Any]:
    """One line of frames.FRESHNESS. A month's row is as fresh as the month's last day."""
    column = _date_column(name)
    dates = done.table[column].dropna() if column else pd.Series(dtype="datetime64[ns]")
    days = NO_DATE
    if name in AGES and len(dates):
        last = dates.max() if frames.SOURCES[name].kind(column) == "date" else frames.next_month(dates.max()) - pd.Timedelta(days=1)
        days = max((cut_off - last).days, 0)
    return {"source": name, "file": raw.file, "rows": len(raw.df) + len(raw.bad), "set_aside": len(done.set_aside),
            "left_out": int(done.totals.loc[done.totals["state"] == "left out", "rows"].sum()),
            "first": dates.min() if len(dates) else pd.NaT, "last": dates.max() if len(dates) else pd.NaT, "days_old": days,
            "severity": "amber" if days > setting["fresh_days"] else "info"}


def _date_column(name: str) -> str:
    """The date a source is ordered by: the first that every row must have, else the first there is."""
    frame = frames.SOURCES[name]
    dated = [c.name for c in frame.columns if c.kind in ("date", "month")]
    return next((c for c in dated if c in frame.needed), dated[0] if dated and name in AGES else "")


def _items_first(settings: dict[str, Any]) -> list[str]:
    return [*(["items"] if "items" in settings else []), *(name for name in frames.SOURCES if name in settings and name != "items")]


def _stacked(parts: list[pd.DataFrame], frame: frames.Frame) -> pd.DataFrame:
    full = [part for part in parts if len(part)]
    return frames.conform(pd.concat(full, ignore_index=True), frame) if full else frames.empty(frame)
