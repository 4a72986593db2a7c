"""What people filled in: one or several files, every row checked, all that is wrong in one list.

A file is a workbook made by `sopnb overrides template` (its sheet `Overrides`), any other workbook (its first sheet) or a
text file written as the company writes them. Columns are found by name; those that are not an override's are passed
over. A row in which nobody wrote a kind, a value, a reason or a note is not an override.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import frames, overrides, parsing, reading
from sopnb.problems import Problem, Problems, nearest

SHEET = "Overrides"
TOUCHED = ("kind", "value", "reason", "note")
PERCENT = (-1.0, 3.0)  # beyond it, 10 was written for 10 %
NEEDED = ("level", "key", "month", "kind", "value", "reason", "owner")


@dataclass(frozen=True)
class Allowed:
    """What a row may say.

    items, families, locations   codes and names the plan knows
    months                       months planned
    owners                       people known; empty: anybody
    reasons                      reason codes declared; empty: any
    day                          today: an override made later, or over before, is a slip
    unsold                       codes and families that are bought or made and never sold: nobody asks for them
    """

    items: frozenset[str]
    families: frozenset[str]
    locations: frozenset[str]
    months: pd.DatetimeIndex
    owners: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    day: pd.Timestamp = field(default_factory=lambda: pd.Timestamp("2199-12-31"))
    unsold: frozenset[str] = frozenset()


def sold(items: pd.DataFrame, planned: pd.DataFrame | None = None) -> pd.Series:
    """Whether customers ask for an item: it has a forecast, a list price, or an item that it will sell like.

    items    item   unit_price, like_item
    planned  item × location × month   the baseline; None: not made yet
    returns  flag, in the order of items. Materials and packaging have none of the three; where no item has, nothing is known and all count
    """
    known = items["item"].isin([] if planned is None else planned["item"].unique())
    for name in ("unit_price", "like_item"):
        known |= items[name].notna() if name in items.columns else False
    return known if known.any() else ~known


def read(paths: Sequence[str | Path], *, locale: dict[str, Any], allowed: Allowed, names: dict[str, str] | None = None) -> pd.DataFrame:
    """The overrides of all files.

    locale    decimal, thousands, dates, months, delimiter, encoding: how the company writes text
    names     our column: theirs, as the params file maps the source `overrides`
    returns   frames.OVERRIDES and file, sheet, row: `override` and `made_on` are missing where a row has none, `expires` is the
              last day of the month where a row has none
    raises    Problems of all files, each naming file, sheet, row and column
    """
    problems: list[Problem] = []
    parts = []
    for path in paths:
        try:
            rows, found = _one(Path(path), locale, allowed, names or {})
            parts.append(rows)
            problems += found
        except Problems as wrong:
            problems += wrong.problems
    rows = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True) if parts else pd.DataFrame()
    problems += _twice(rows) if len(rows) else []
    if problems:
        raise Problems(problems)
    return rows


def _one(path: Path, locale: dict[str, Any], allowed: Allowed, names: dict[str, str]) -> tuple[pd.DataFrame, list[Problem]]:
    raw, sheet = _raw(path, locale)
    place = f"{path.name}{f', sheet {sheet}' if sheet else ''}"
    cells = _named(raw.df, names)
    missing = [name for name in NEEDED if name not in cells]
    if missing:
        raise Problems([Problem(place, f"has no column {', '.join(missing)}", f"a header with {', '.join(NEEDED)}, location, note and expires",
                                "Fill in a form made by `sopnb overrides template`, or name the columns so")])
    problems = [Problem(f"{place}, row {row}", "has more or fewer values than the header", remedy="Mend that row") for _, row, _ in raw.bad]
    touched = cells[[name for name in TOUCHED if name in cells]].notna().any(axis=1).to_numpy()
    rows = [row for row, hit in zip(raw.rows, touched, strict=True) if hit]
    checker = _Checker(place, cells[touched].reset_index(drop=True), rows, locale, allowed)
    table = checker.table()
    return table.assign(file=path.name, sheet=sheet, row=rows), problems + checker.problems


def _twice(rows: pd.DataFrame) -> list[Problem]:
    """A person who says two things of one cell, in one file or in two: which of them is the later word, nobody can tell."""
    key, problems = overrides.cells(rows).assign(owner=rows["owner"]), []
    clear = rows["owner"].notna() & rows["month"].notna()
    for _, said in rows[key.duplicated(keep=False) & clear].groupby([key[name] for name in key.columns], dropna=False):
        first, *more = said.to_dict("records")
        for row in more:
            if any(not overrides.same(first[name], row[name]) for name in overrides.SAID):
                there = "" if row["file"] == first["file"] else f" of {first['file']}"
                place = row["file"] + (f", sheet {row['sheet']}" if row["sheet"] else "")
                problems.append(Problem(f"{place}, row {row['row']}, value", f"speaks of what row {first['row']}{there} speaks of, and says something else",
                                        "one row for each level, key, location, month and owner", "Keep the one that holds"))
    return problems


def _raw(path: Path, locale: dict[str, Any]) -> tuple[reading.Raw, str]:
    """The file as it stands, and the sheet it was read from."""
    setting = {"path": str(path), "sheet": None, "sql": None, "url": None, **locale}
    if not path.name.lower().endswith(reading.BOOKS):
        return reading.read("overrides load", setting, cut_off=pd.Timestamp("2199-12-31")), ""
    reading.existing("overrides load", str(path))
    try:
        return reading.read("overrides load", {**setting, "sheet": SHEET}, cut_off=pd.Timestamp("2199-12-31")), SHEET
    except Problems as found:
        if "has no sheet" not in str(found):
            raise
    return reading.read("overrides load", setting, cut_off=pd.Timestamp("2199-12-31")), ""


def _named(df: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Columns under our names, whatever their case; cells that hold only blanks are empty."""
    ours = {theirs.lower(): our for our, theirs in names.items()} | {name: name for name in frames.OVERRIDES.names}
    found = {column: ours[str(column).strip().lower()] for column in df.columns if str(column).strip().lower() in ours}
    out = df[list(found)].rename(columns=found)
    return out.loc[:, ~out.columns.duplicated()].apply(lambda column: column.map(lambda v: None if isinstance(v, str) and not v.strip() else v)).astype(object)


class _Checker:
    """The rows of one file: each column read and checked, problems gathered."""

    def __init__(self, place: str, cells: pd.DataFrame, rows: list[int], locale: dict[str, Any], allowed: Allowed):
        self.place, self.cells, self.rows, self.locale, self.allowed = place, cells, rows, locale, allowed
        self.problems: list[Problem] = []
        self.out = pd.DataFrame(index=cells.index)

    def table(self) -> pd.DataFrame:
        for name in frames.OVERRIDES.names:
            self.out[name] = self._read(name)
        self._cell()
        self._said()
        self._who()
        self._when()
        self.problems.sort(key=lambda problem: int(problem.where.split(", row ")[1].split(",")[0]))
        return self.out

    def _read(self, name: str) -> pd.Series:
        cell, kind = self.cells.get(name, pd.Series(None, index=self.cells.index, dtype=object)), frames.OVERRIDES.kind(name)
        if kind == "text":
            return parsing.words(cell)
        if kind == "number":
            values, slip = parsing.numbers(cell, decimal=self.locale["decimal"], thousands=self.locale["thousands"])
            self._wrong(slip, name, "is not a number", f"a number with decimal {self.locale['decimal']}")
            return values
        dates, wrong = parsing.dates(cell, form=self.locale["dates"], months=self.locale["months"], month=kind == "month")
        slip = (wrong != "") & ~((name == "expires") & (wrong == "late"))
        self._wrong(slip, name, "is not a date", f"a date cell, or {self.locale['dates']}{' or yyyy-mm' if kind == 'month' else ''}")
        return dates.dt.to_period("M").dt.to_timestamp() if kind == "month" else dates

    def _wrong(self, hit: Any, column: str, wrong: str, allowed: str = "", remedy: str | Callable[[Any], str] = "") -> None:
        for index in self.cells.index[pd.Series(hit, index=self.cells.index).fillna(False).astype(bool)]:
            met = self.cells[column].iloc[index] if column in self.cells else None
            shown = "is empty" if wrong == "is empty" else f"{_shown(met)} {wrong}" if met is not None else wrong
            self.problems.append(Problem(f"{self.place}, row {self.rows[index]}, {column}", shown, allowed, remedy(met) if callable(remedy) else remedy))

    def _cell(self) -> None:
        """level, key and location: what the override speaks of."""
        out, known = self.out, self.allowed
        out["level"], out["kind"] = out["level"].str.lower(), out["kind"].str.lower()
        self._wrong(out["level"].isna(), "level", "is empty", ", ".join(overrides.LEVELS))
        self._wrong(out["level"].notna() & ~out["level"].isin(overrides.LEVELS), "level", "is not a level", ", ".join(overrides.LEVELS), lambda met: nearest(str(met), overrides.LEVELS))
        for level, names, what in (("item", known.items, "item code"), ("family", known.families, "family"), ("location", known.locations, "location")):
            here = out["level"] == level
            self._wrong(here & out["key"].isna(), "key", "is empty", f"a {what}")
            self._wrong(here & out["key"].notna() & ~out["key"].isin(names), "key", f"is no {what} of the plan", _some(names), functools.partial(_hint, names, known.unsold))
        self._wrong((out["level"] == "total") & out["key"].notna() & ~out["key"].isin(["all", "total"]), "key", "cannot stand beside level total", "an empty key",
                    "Write item, family or location as level, or take the key out")
        out.loc[out["level"] == "total", "key"] = None
        out["location"] = out["location"].where(out["location"].notna(), "all")
        self._wrong(~out["location"].isin({*known.locations, "all"}), "location", "is no location of the plan", _some({*known.locations, "all"}),
                    lambda met: nearest(str(met), known.locations))
        self._wrong((out["level"] == "location") & ~out["location"].isin(["all"]) & (out["location"] != out["key"]), "location", "is another location than the key",
                    "the same location, or nothing")
        out.loc[out["level"] == "location", "location"] = "all"

    def _said(self) -> None:
        """kind, value, reason: what it says."""
        out = self.out
        self._wrong(out["kind"].isna(), "kind", "is empty", ", ".join(overrides.KINDS))
        self._wrong(out["kind"].notna() & ~out["kind"].isin(overrides.KINDS), "kind", "is not a kind of override", ", ".join(overrides.KINDS),
                    lambda met: nearest(str(met), overrides.KINDS))
        absent = self.cells["value"].isna()
        self._wrong(absent, "value", "is empty", "units (absolute, delta) or a fraction (percent)")
        low, high = PERCENT
        self._wrong((out["kind"] == "percent") & ((out["value"] < low) | (out["value"] > high)), "value", "is too much for a percent, a fraction",
                    f"{low:.0%} to {high:+.0%}", "Write 0.10 or 10% for ten per cent, or choose kind delta for units")
        self._wrong((out["kind"] == "absolute") & (out["value"] < 0), "value", "is below zero, and demand is not", "zero or more", "Choose kind delta to take units off")
        self._wrong(out["reason"].isna(), "reason", "is empty", ", ".join(self.allowed.reasons) or "a reason code")
        if self.allowed.reasons:
            self._wrong(out["reason"].notna() & ~out["reason"].isin(self.allowed.reasons), "reason", "is not a reason of the params file", ", ".join(self.allowed.reasons),
                        lambda met: nearest(str(met), self.allowed.reasons))

    def _who(self) -> None:
        known = self.allowed.owners
        self._wrong(self.out["owner"].isna(), "owner", "is empty", "the person who answers for it")
        if known:
            self._wrong(self.out["owner"].notna() & ~self.out["owner"].isin(known), "owner", "is not known", _some(known),
                        lambda met: nearest(str(met), known) or f"If {met} is new, say so: --new-owner {met}")

    def _when(self) -> None:
        out, months = self.out, self.allowed.months
        self._wrong(self.cells["month"].isna(), "month", "is empty", f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}")
        self._wrong(out["month"].notna() & ~out["month"].isin(months), "month", "is not planned in this cycle", f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}",
                    "Choose a month of the plan, or another --cycle")
        self._wrong(out["made_on"] > self.allowed.day, "made_on", "is later than today", f"up to {self.allowed.day:%Y-%m-%d}, or nothing")
        self._wrong(out["expires"] < self.allowed.day, "expires", "is over already", f"a day from {self.allowed.day:%Y-%m-%d} on, or nothing: the end of its month")
        out["expires"] = out["expires"].fillna(out["month"] + pd.offsets.MonthEnd(0)).astype("datetime64[ns]")


def _hint(names: Iterable[str], unsold: frozenset[str], met: Any) -> str:
    return f"{met} is bought or made and never sold; an override is about what customers ask for" if met in unsold else nearest(str(met), names)


def _shown(met: Any) -> str:
    return f"{met:%Y-%m-%d}" if hasattr(met, "strftime") else repr(met)


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:12]) + (f" and {len(ordered) - 12} more" if len(ordered) > 12 else "")
