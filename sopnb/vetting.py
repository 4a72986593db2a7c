"""Which rows of a source can be used, and what is wrong with the others. Nothing is dropped in silence:

    rows = used + set aside + left out

    left out    rows of a day that the cycle does not know yet; of stock, counts on other days than the one used
    set aside   rows that cannot be used, each with file, row, reason and money
    noted       rows that are used although something is odd
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, parsing
from sopnb.limits import ALLOWED, CLOSING, EVERYWHERE, HAPPENS, KNOWN_BY, LIMITS, MASTERS, NO_END, NO_START, WITH_ITEM

FUTURE_DAYS = 366  # an order placed later than this after the cut-off cannot come from an extract made soon after it
REACH_YEARS = 20  # no plan, contract or validity reaches further; later dates mean "no end"
# Characters that no one can see, and that turn or break the line they stand in. Line breaks and tabs may stay.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
BREAKS = re.compile("[\t\n\r\u2028\u2029]+")
IN_HEADERS = {("people", "name"), ("people", "email")}  # of mails, where a second line would be a header of its own
LONGEST = 200  # characters of a code or a name
FREE_TEXT = {("intelligence", "text"), ("overrides", "note"), ("overrides", "reason")}


@dataclass(frozen=True)
class Context:
    """What a row is judged by.

    locale     decimal, thousands, dates, months: how the source writes them
    cut_off    first day not known yet
    items      the item master, or None where there is none
    locations  planning locations declared; empty: any
    """

    locale: dict[str, Any]
    cut_off: pd.Timestamp
    items: pd.DataFrame | None = None
    locations: tuple[str, ...] = ()


@dataclass
class Vetted:
    """A source after its rows were judged.

    table      the rows used, as the frame says
    set_aside  frames.SET_ASIDE
    notes      frames.FINDINGS of rows used although something is odd
    totals     source × state   rows, units, amount (money): received, used, set aside, left out
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    notes: pd.DataFrame
    totals: pd.DataFrame


@dataclass
class _Work:
    """The rows under way: cells as they stand, values as read, and what became of each row."""

    name: str
    frame: frames.Frame
    cells: pd.DataFrame
    values: pd.DataFrame
    file: str
    rows: np.ndarray
    left_out: np.ndarray
    rule: np.ndarray
    column: np.ndarray
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def alive(self) -> np.ndarray:
        return ~self.left_out & (self.rule == "")

    def put_aside(self, hit: Any, rule: str, column: str) -> None:
        """Set rows aside; the first reason found is the one told."""
        now = np.asarray(hit, dtype=bool)
        if not now.any():
            return
        now = now & self.alive
        self.rule[now] = f"set_aside.{rule}"
        self.column[now] = column

    def note(self, hit: Any, rule: str, column: str, severity: str = "amber", **values: Any) -> None:
        """Tell of rows that are used all the same."""
        now = np.asarray(hit, dtype=bool)
        if now.any() and (now := now & self.alive).any():
            first = int(np.flatnonzero(now)[0])
            cell = self.cells[column].iloc[first] if column in self.cells else None
            told = {"source": self.name, "column": column, "rows": int(now.sum()), "file": self.file, "row": int(self.rows[first]),
                    "value": _text(cell), **values}
            self.notes.append({"rule": f"findings.{rule}", "column": column, "rows": int(now.sum()), "severity": severity,
                               "first": _place(self.file, int(self.rows[first]), _text(cell)), "values": told})

    def blank(self, hit: Any, column: str) -> None:
        """Take the values of a column away."""
        self.values[column] = self.values[column].mask(pd.Series(np.asarray(hit, dtype=bool), index=self.values.index))


def vet(name: str, cells: pd.DataFrame, rows: list[int], file: str, bad: list[tuple[str, int, str]], *, context: Context) -> Vetted:
    """Judge every row of a source.

    name     the source
    cells    its columns under our names, as they stand in the file
    rows     row numbers in the file; 0 for a query
    bad      rows the reader could not split: (file, row, text)
    returns  Vetted; len(table) + set aside + left out = len(cells) + len(bad)
    """
    n = len(cells)
    cells = cells.reset_index(drop=True)
    work = _Work(name, frames.SOURCES[name], cells, pd.DataFrame(index=cells.index), file, np.array(rows, dtype="int64"),
                 np.zeros(n, dtype=bool), np.full(n, "", dtype=object), np.full(n, "", dtype=object))
    wrong = _read_cells(work, context)
    _readable(work)
    _leave_out(work, context)
    for column, rule, hit in wrong:
        _refuse(work, hit, rule, column)
    _need(work)
    _limits(work, context)
    _belongs(work, context)
    _keys(work)
    _not_known_yet(work, context)
    return _result(work, bad, context)


def _read_cells(work: _Work, context: Context) -> list[tuple[str, str, np.ndarray]]:
    """Values as the locale says; the slips come back as (column, rule, rows), to be judged once the cut-off is applied."""
    wrong: list[tuple[str, str, np.ndarray]] = []
    read: dict[str, pd.Series] = {}
    for column in work.frame.columns:
        if column.name not in work.cells:
            continue
        cell, kind = work.cells[column.name], column.kind
        if kind == "text":
            read[column.name] = parsing.words(cell)
        elif kind == "flag":
            read[column.name], slip = parsing.flags(cell)
            wrong.append((column.name, "unreadable_flag", slip.to_numpy()))
        elif kind in ("number", "integer"):
            read[column.name], slip = parsing.numbers(cell, decimal=context.locale["decimal"], thousands=context.locale["thousands"])
            wrong.append((column.name, "unreadable_number", slip.to_numpy()))
        else:
            date, state = parsing.dates(cell, form=context.locale["dates"], months=context.locale["months"], month=kind == "month")
            read[column.name] = date.dt.to_period("M").dt.to_timestamp() if kind == "month" else date
            wrong += _wrong_dates(column.name, date, state, context)
    work.values = pd.DataFrame(read, index=work.cells.index)
    return wrong


def _readable(work: _Work) -> None:
    """Text that a page can show: without unseen characters, and not longer than a name can be. Both are told."""
    for column in work.frame.columns:
        if column.kind != "text" or column.name not in work.values:
            continue
        text = work.values[column.name]
        distinct = [value for value in text.unique() if value is not None]
        if not "".join(distinct).isprintable():
            bare = {value: clean for value in distinct if (clean := _bare(value, one_line=(work.name, column.name) in IN_HEADERS)) != value}
            odd = text.isin(list(bare))
            work.note(odd, "unseen", column.name)
            work.values.loc[odd, column.name] = [bare[value] or None for value in text[odd]]
        if (work.name, column.name) not in FREE_TEXT and max(map(len, distinct), default=0) > LONGEST:
            long = text.isin([value for value in distinct if len(value) > LONGEST])
            if column.name in work.frame.needed:
                work.put_aside(long, "too_long", column.name)
            else:
                work.note(long, "shortened", column.name)
                work.values.loc[long, column.name] = [value[:LONGEST - 1] + "…" for value in work.values.loc[long, column.name]]


def _bare(text: str, *, one_line: bool) -> str:
    """
    >>> _bare("Rina\\nKus\\x01uma", one_line=True)
    'Rina Kusuma'
    """
    return UNSEEN.sub("", BREAKS.sub(" ", text) if one_line else text)


def _wrong_dates(column: str, date: pd.Series, state: pd.Series, context: Context) -> list[tuple[str, str, np.ndarray]]:
    beyond = (state == "late") | (date > context.cut_off + pd.DateOffset(years=REACH_YEARS))
    early = state == "early"
    return [(column, "unreadable_date", (state == "unreadable").to_numpy()), (column, "impossible_date", (state == "impossible").to_numpy()),
            (column, "no_limit" if column in NO_END else "impossible_date", beyond.to_numpy()),
            (column, "no_limit" if column in NO_START else "impossible_date", early.to_numpy())]


def _refuse(work: _Work, hit: np.ndarray, rule: str, column: str) -> None:
    """A slip sets the row aside; in a side column of a master it blanks the cell, and says so."""
    if rule == "no_limit":
        work.note(hit, "no_limit", column, "info")
        if hit.any():
            work.blank(hit, column)
        if column in work.frame.needed:  # an event without an end, a rep without a start
            work.values.loc[hit, column] = pd.Timestamp("2199-12-31") if column in NO_END else pd.Timestamp("1950-01-01")
    elif work.name in MASTERS and column not in work.frame.needed:
        work.note(hit, "blanked", column)
        if hit.any():
            work.blank(hit, column)
    else:
        work.put_aside(hit, rule, column)


def _leave_out(work: _Work, context: Context) -> None:
    """Rows of days the cycle does not know yet; of stock, all but the count that holds."""
    if work.name == "stock" and "as_of" in work.values:
        _choose_count(work, context)
    column, grace = KNOWN_BY.get(work.name, ("", 0))
    if column not in work.values:
        return
    date, known_from = work.values[column], context.cut_off + pd.DateOffset(months=grace)
    last_plausible = known_from + pd.Timedelta(days=FUTURE_DAYS)
    work.left_out |= ((date >= known_from) & (date <= last_plausible)).to_numpy()
    if column in ("order_date", "ordered", "created", "made_on", "date"):
        work.put_aside(date > last_plausible, "future_date", column)
    else:
        work.left_out |= (date > last_plausible).to_numpy()


def _choose_count(work: _Work, context: Context) -> None:
    """In each location the latest count on or before the cut-off; with none, the earliest after it, and a note.

    One day for a location: an item absent from the latest count has no stock, which an older count would hide.
    """
    date = work.values["as_of"]
    place = work.values["location"].fillna("") if "location" in work.values else pd.Series("", index=date.index)
    known = date <= context.cut_off
    latest = date.where(known).groupby(place).transform("max")
    earliest_after = date.where(~known).groupby(place).transform("min")
    used = latest.where(latest.notna(), earliest_after)
    work.left_out |= (date.notna() & (date != used)).to_numpy()
    newer = date.notna() & (date == used) & ~known
    if newer.any():
        work.note(newer, "stock_newer", "as_of", date=f"{date[newer].min():%Y-%m-%d}", cut_off=f"{context.cut_off:%Y-%m-%d}")
    older = date.notna() & (date < used)
    if older.any() and "item" in work.values:
        counted = set(zip(work.values["item"][date == used], place[date == used], strict=True))
        absent = {pair for pair in zip(work.values["item"][older], place[older], strict=True) if pair not in counted}
        if absent:
            work.notes.append({"rule": "findings.stock_absent", "column": "as_of", "rows": len(absent), "severity": "info",
                               "first": str(min(str(item) for item, _ in absent)),
                               "values": {"source": work.name, "column": "as_of", "rows": len(absent), "first": str(min(str(item) for item, _ in absent))}})


def _need(work: _Work) -> None:
    for column in work.frame.needed:
        if column == "location" and work.name in EVERYWHERE:
            work.values["location"] = work.values["location"].fillna("all")
        work.put_aside(work.values[column].isna(), "missing", column)
    if "location" in work.values and "location" not in work.frame.needed:
        work.put_aside(work.values["location"].isna(), "missing", "location")


def _limits(work: _Work, context: Context) -> None:
    for (source, column), (low, high) in LIMITS.items():
        if source == work.name and column in work.values:
            value = work.values[column]
            _refuse(work, ((value < low) | (value > high)).to_numpy(), "out_of_range", column)
    for (source, column), allowed in ALLOWED.items():
        if source == work.name and column in work.values:
            work.values[column] = work.values[column].str.lower()
            _refuse(work, (work.values[column].notna() & ~work.values[column].isin(allowed)).to_numpy(), "not_allowed", column)
    if work.name == "opportunities" and "stage" in work.values:
        _outcome(work)
    if "status" in work.values:
        work.values["status"] = work.values["status"].str.lower().replace({"canceled": "cancelled", "batal": "cancelled"})


def _outcome(work: _Work) -> None:
    """A deal without an outcome whose stage says it: `Won`, `closed lost`."""
    said = work.values["stage"].str.lower().str.extract(r"^(?:closed[ _-]*)?(won|lost)\b")[0].astype(object)
    given = work.values["outcome"] if "outcome" in work.values else pd.Series(None, index=said.index, dtype=object)
    work.values["outcome"] = given.where(given.notna(), said.where(said.notna(), None))


def _belongs(work: _Work, context: Context) -> None:
    """Items stand in the item master, locations among the planning locations."""
    if context.items is not None:
        known = set(context.items["item"])
        if work.name in WITH_ITEM:
            work.put_aside(~work.values["item"].isin(known), "unknown_item", "item")
        elif work.name == "opportunities" and "item" in work.values:
            work.put_aside(work.values["item"].notna() & ~work.values["item"].isin(known), "unknown_item", "item")
        elif work.name in EVERYWHERE and {"level", "key"} <= set(work.values):
            work.put_aside((work.values["level"] == "item") & ~work.values["key"].isin(known), "unknown_item", "key")
    if context.locations and "location" in work.values and not (work.values["location"] == "all").all():
        allowed = {*context.locations, *(["all"] if work.name in EVERYWHERE else [])}
        work.put_aside(~work.values["location"].isin(allowed), "unknown_location", "location")


def _keys(work: _Work) -> None:
    """Of rows with one key the first is used. A copy is told apart from a second row that says something else."""
    alive = work.values[work.alive]
    copies, repeats = alive.duplicated(), alive.duplicated(list(work.frame.key))
    for hit, rule in ((copies, "duplicate_key"), (repeats, "conflicting_key")):
        where = np.zeros(len(work.values), dtype=bool)
        where[alive.index[hit.to_numpy()]] = True
        work.put_aside(where, rule, " × ".join(work.frame.key))


def _not_known_yet(work: _Work, context: Context) -> None:
    """What happened on or after the cut-off becomes missing, so that a past cycle sees what was known then."""
    column, brings = HAPPENS.get(work.name, ("", ()))
    if column in work.values:
        later = work.values[column] >= context.cut_off
        work.note(later, "not_known_yet", column, "info")
        for blanked in (column, *brings):
            if blanked in work.values:
                work.values[blanked] = work.values[blanked].mask(later)
    if work.name == "opportunities" and {"close_date", "outcome"} <= set(work.values):
        later = work.values["outcome"].notna() & (work.values["close_date"] >= context.cut_off)
        work.note(later, "not_known_yet", "outcome", "info")
        work.blank(later, "outcome")
        closing = work.values["stage"].str.lower().str.contains("|".join(CLOSING), na=False)
        work.values["stage"] = work.values["stage"].where(~(later & closing), "open")


# --- what came of it ------------------------------------------------------------------------------------------------

def money(name: str, values: pd.DataFrame, items: pd.DataFrame | None = None) -> pd.Series:
    """Money of each row: orders net, stock and receipts at unit cost, sales forecasts at list price; NaN where it has none."""
    none = pd.Series(np.nan, index=values.index, dtype="float64")
    if name == "orders":
        computed = values.get("quantity", none) * values.get("unit_price", none) * (1 - values.get("discount", none).fillna(0))
        return values.get("amount", none).fillna(computed)
    for source, column in (("budget", "revenue"), ("opportunities", "amount"), ("quotas", "quota")):
        if name == source:
            return values.get(column, none)
    for source, column, price in (("stock", "on_hand", "unit_cost"), ("receipts", "quantity", "unit_cost"), ("forecast_sales", "quantity", "unit_price")):
        key = "key" if source == "forecast_sales" else "item"
        if name == source and items is not None and {column, key} <= set(values):
            return values[column] * values[key].map(items.drop_duplicates("item").set_index("item")[price]).astype("float64")
    return none


def _result(work: _Work, bad: list[tuple[str, int, str]], context: Context) -> Vetted:
    amount = money(work.name, work.values, context.items)
    aside = work.rule != ""
    values = work.values.assign(amount=amount) if work.name == "orders" else work.values  # stated, or as its frame computes it
    table = frames.conform(values[work.alive], work.frame)
    return Vetted(table, _set_aside(work, aside, amount, bad), _notes(work), _totals(work, aside, amount, len(bad)))


def _set_aside(work: _Work, aside: np.ndarray, amount: pd.Series, bad: list[tuple[str, int, str]]) -> pd.DataFrame:
    where = np.flatnonzero(aside)
    out = pd.DataFrame({
        "file": work.file, "row": work.rows[where], "column": work.column[where], "rule": work.rule[where],
        "value": [_met(work, int(i)) for i in where], "amount": amount.to_numpy()[where], "severity": "amber"})
    ragged = pd.DataFrame([{"file": file, "row": row, "column": "", "rule": "set_aside.ragged_row", "value": _text(text), "amount": np.nan,
                            "severity": "amber"} for file, row, text in bad], columns=out.columns)
    both = pd.concat([part for part in (ragged, out) if len(part)], ignore_index=True) if len(ragged) or len(out) else out
    both.insert(0, "source", work.name)
    both.insert(0, "id", [f"{work.name}-{i:06d}" for i in range(1, len(both) + 1)])
    return frames.conform(both, frames.SET_ASIDE)


def _met(work: _Work, i: int) -> str | None:
    """What stood there: the cell; for a key, the key."""
    column = work.column[i]
    if column in work.cells:
        return _text(work.cells[column].iloc[i])
    return " · ".join(_text(work.values[key].iloc[i]) or "" for key in work.frame.key if key in work.values) or None


def _notes(work: _Work) -> pd.DataFrame:
    rows = [{"id": f"{work.name}-{note['rule'].removeprefix('findings.')}-{note['column']}", "source": work.name, "rule": note["rule"],
             "column": note["column"], "rows": note["rows"], "of_rows": len(work.values), "amount": np.nan,
             "share": note["rows"] / max(len(work.values), 1), "severity": note["severity"], "first": note["first"],
             "values": json.dumps(note["values"], ensure_ascii=False, sort_keys=True)} for note in work.notes]
    return frames.conform(pd.DataFrame(rows, columns=frames.FINDINGS.names).drop_duplicates("id"), frames.FINDINGS)


def _totals(work: _Work, aside: np.ndarray, amount: pd.Series, bad: int) -> pd.DataFrame:
    """source × state   rows, units, amount (money). Rows that could not be split count as rows, without units or money."""
    units = next((work.values[c] for c in ("quantity", "on_hand", "units") if c in work.values), pd.Series(np.nan, index=work.values.index))
    states = {"received": np.ones(len(aside), dtype=bool), "used": work.alive, "set aside": aside, "left out": work.left_out}
    return pd.DataFrame([{"source": work.name, "state": state, "rows": int(hit.sum()) + (bad if state in ("received", "set aside") else 0),
                          "units": float(units[hit].sum()), "amount": float(amount[hit].sum())} for state, hit in states.items()])


def _text(value: Any) -> str | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    word = parsing.words(pd.Series([value], dtype=object)).iloc[0]
    return None if word is None else UNSEEN.sub("\ufffd", word if len(word) <= LONGEST else word[:LONGEST - 1] + "…")


def _place(file: str, row: int, value: str | None) -> str:
    return ", ".join([file, *([f"row {row}"] if row else []), *([value] if value else [])])
