"""The form a planner fills in: a workbook with this cycle's baseline, last plan and everybody's record beside the empty cells.

    Start       how to fill it in
    Overrides   one row for the total, each family and each series of most money, month by month: what is forecast, what
                stands, what the forecast usually misses by, and the cells to fill in (the yellow ones)
    Standing    the overrides that stand now, and what became of them
    Record      what each person's and each reason's overrides did so far
    Lists       what the drop-downs offer
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import forms, overrides, words
from sopnb.workbook_cells import Looks, opened, put

ASK = ("kind", "value", "reason", "note", "owner", "expires")  # what is filled in
KEYS = ("level", "key", "name", "family", "location", "month")
SHOWN = ("baseline", "low80", "high80", "last plan", "usual error", "standing")
SAID = ("level", "key", "location", "month")  # filled in where a row is not listed
ASKED = {"expires": "asked date", "value": "asked value", "month": "asked year-month"}
NUMBERS = {"month", "baseline", "low80", "high80", "last plan", "usual error", "judged", "months", "closer", "value added", "from", "to", "units", "value", "made_on", "expires"}
FREE = 200  # rows below, for cells that are not listed
WIDTHS = {"key": 14, "name": 30, "family": 16, "note": 34, "standing": 34, "owner": 18, "reason": 16}


def rows(
    forecast: pd.DataFrame, items: pd.DataFrame, *, months: pd.DatetimeIndex, last_plan: pd.DataFrame | None = None, standing: pd.DataFrame | None = None,
    errors: pd.DataFrame | None = None, top: int = 200,
) -> pd.DataFrame:
    """What the form shows: total, families and the series of most money, month by month.

    forecast    frames.FORECAST
    last_plan   frames.PLAN of the cycle before
    standing    frames.OVERRIDES that count
    errors      item × location × origin × lag   error (units)
    returns     level × key × location × month   name, family, baseline, low80, high80 (of series), last plan, usual error
                (units), standing (words)
    """
    near = forecast[forecast["month"].isin(months)].merge(items[["item", "name", "family", "unit_price"]], on="item", how="left")
    last = None if last_plan is None else last_plan.merge(items[["item", "family"]], on="item", how="left")
    missed = None if errors is None or errors.empty else errors.merge(items[["item", "family"]], on="item", how="left")
    worth = (near["baseline"] * near["unit_price"].fillna(1.0)).groupby([near["item"], near["location"]]).sum().sort_values(ascending=False, kind="stable")
    parts = [_level(near, last, missed, "total", []), _level(near, last, missed, "family", ["family"])]
    parts.append(_level(near.set_index(["item", "location"]).loc[worth.index[:top]].reset_index(), last, missed, "item", ["item", "location"]))
    out = pd.concat([part for part in parts if len(part)], ignore_index=True)
    rank = {pair: n for n, pair in enumerate(worth.index)}
    order = {"total": 0, "family": 1, "item": 2}
    out = out.assign(a=out["level"].map(order), b=[rank.get((key, place), 0) for key, place in zip(out["key"], out["location"], strict=True)])
    out = out.sort_values(["a", "b", "key", "location", "month"], kind="stable").drop(columns=["a", "b"]).reset_index(drop=True)
    return out.assign(standing=_said(out, standing))[[*KEYS, *SHOWN]]


def _level(near: pd.DataFrame, last: pd.DataFrame | None, missed: pd.DataFrame | None, level: str, by: list[str]) -> pd.DataFrame:
    """The rows of one level."""
    columns = [*by, "month"]
    out = near.groupby(columns, as_index=False)[["baseline"]].sum()
    if level == "item":
        out = near[[*columns, "name", "family", "baseline", "lo80", "hi80"]].rename(columns={"lo80": "low80", "hi80": "high80"})
    if last is not None:
        out = out.merge(last.groupby(columns, as_index=False)["consensus"].sum().rename(columns={"consensus": "last plan"}), on=columns, how="left")
    if missed is not None:
        cases = missed.groupby([*by, "origin", "lag"], as_index=False)["error"].sum().assign(error=lambda d: d["error"].abs())
        usual = cases.groupby(by, as_index=False)["error"].mean().rename(columns={"error": "usual error"}) if by else None
        out = out.assign(**{"usual error": cases["error"].mean()}) if usual is None else out.merge(usual, on=by, how="left")
    key = out[by[0]] if by else pd.Series(None, index=out.index, dtype=object)
    out = out.assign(level=level, key=key, location=out["location"] if "location" in by else "all")
    return out.reindex(columns=[*KEYS, *(name for name in SHOWN if name != "standing")])


def _said(cells: pd.DataFrame, standing: pd.DataFrame | None) -> list[str | None]:
    """What stands of each cell: `rina.kusuma +11%; dewi.lestari 3,457`."""
    said: dict[tuple[Any, ...], list[str]] = {}
    if standing is not None and len(standing):
        for record, cell in zip(standing.to_dict("records"), overrides.cells(standing)[overrides.CELL].itertuples(index=False, name=None), strict=True):
            said.setdefault(cell, []).append(f"{record['owner'] or '–'} {as_said(record['kind'], record['value'])}")
    return ["; ".join(said.get(cell, [])) or None for cell in overrides.cells(cells)[overrides.CELL].itertuples(index=False, name=None)]


def as_said(kind: str, value: float) -> str:
    """An override's number in words of its kind.

    >>> [as_said("percent", 0.113), as_said("delta", -81), as_said("absolute", 3457)]
    ['+11.3%', '−81', '= 3,457']
    """
    return words.message(f"plan.said.{kind}", {"value": value}).text


def write(
    path: Path, table: pd.DataFrame, *, title: str, months: pd.DatetimeIndex, last: pd.Timestamp, owner: str = "", standing: pd.DataFrame | None = None, record: pd.DataFrame | None = None,
    reasons: Sequence[str] = (), owners: Sequence[str] = (), locations: Sequence[str] = (), names: Mapping[str, str] | None = None,
) -> Path:
    """The workbook.

    table     from `rows`
    months    months shown;  last: the last month planned
    owner     prefilled in every row; empty: to be filled in
    standing  frames.OVERRIDES with state
    record    frames.VALUE_ADDED_BY
    returns   the path
    """
    with opened(path, title=title) as book:
        looks = Looks(book)
        forms.start(book.add_worksheet("Start"), looks, title, _told())
        lists = {"level": list(overrides.LEVELS), "kind": list(overrides.KINDS), "reason": sorted(reasons), "owner": sorted(owners), "location": sorted({*locations, "all"})}
        _ask(book.add_worksheet("Overrides"), looks, table, owner, lists, months, last)
        if standing is not None and len(standing):
            _plain(book.add_worksheet("Standing"), looks, "Standing", _standing(standing, names or {}))
        if record is not None and len(record):
            _plain(book.add_worksheet("Record"), looks, "Record", _records(record, names or {}))
        forms.lists(book.add_worksheet(forms.LISTS), looks, lists)
        book.get_worksheet_by_name("Overrides").activate()
    return path


def _told() -> list[tuple[str, str]]:
    """The first sheet's headings and sentences; of a column that is filled in, its name."""
    return [(what if what in ASK else words.message(f"overrides.form.{what}.head").text, words.message(f"overrides.form.{what}").text) for what in ("fill", "level", *ASK, "percent", "small", "two", "send")]


def _ask(sheet: Any, looks: Looks, table: pd.DataFrame, owner: str, lists: Mapping[str, list[str]], months: pd.DatetimeIndex, last: pd.Timestamp) -> None:
    """The sheet that is filled in: what is known to the left, the empty cells to the right; below, rows for what is not listed."""
    at = {name: n for n, name in enumerate([*KEYS, *SHOWN, *ASK])}
    end = len(table) + FREE
    forms.table(sheet, "Overrides", frozen=at["month"] + 1)
    for name, column in at.items():
        forms.column(sheet, looks, column, name, look="head asked" if name in ASK else "head right" if name in NUMBERS else "head", width=WIDTHS.get(name, 11), note=_meaning(name))
    for row, record in enumerate(table.to_dict("records"), start=1):
        for name in (*KEYS, *SHOWN):
            put(sheet, row, at[name], record[name], looks("year-month" if name == "month" else "whole" if name in NUMBERS else "text"))
    for row in range(1, end + 1):
        for name in ASK if row <= len(table) else (*SAID, *ASK):
            put(sheet, row, at[name], owner or None if name == "owner" and row <= len(table) else None, looks(ASKED.get(name, "asked text")))
    for name in lists:
        if lists[name]:
            forms.offer(sheet, (1, end), at[name], name, lists, told=_meaning(name), strict=name not in ("reason", "owner"))
    forms.dates(sheet, (1, end), at["month"], "month", told=_meaning("month"), least=months[0].date(), most=last.date())
    forms.dates(sheet, (1, end), at["expires"], "expires", told=_meaning("expires"), least=months[0].date(), most=dt.date(2200, 1, 1))
    forms.numbers(sheet, (1, end), at["value"], "value", told=_meaning("value"), most=1e12)
    sheet.autofilter(0, 0, end, len(at) - 1)


def _meaning(name: str) -> str:
    return words.message(f"overrides.form.column.{name.replace(' ', '_')}").text


def _standing(standing: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The overrides that stand, as they are read: reasons, people and states in words."""
    return standing.assign(state=_capital(("plan.state." + standing["state"].replace("", "used")).map(words.message)),
                           reason=_capital(standing["reason"].map(lambda code: words.term("reason", code))), owner=standing["owner"].replace(dict(names)))


def _capital(told: pd.Series) -> pd.Series:
    return told.map(str).map(lambda text: text[:1].upper() + text[1:])


def _records(record: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """What people's and reasons' overrides did so far, as a table for reading."""
    rows = record[record["scope"].isin(["owner", "reason", "size"]) & (record["n"] > 0)]
    whose = [words.term("reason", key).text if scope == "reason" else words.message(f"plan.state.{key}").text if scope == "size" else names.get(key, key)
             for scope, key in zip(rows["scope"], rows["key"], strict=True)]
    return pd.DataFrame({
        "by": ("plan.scope." + rows["scope"]).map(words.message).map(str), "whose": _capital(pd.Series(whose, index=rows.index, dtype=object)), "judged": rows["n"], "months": rows["months"],
        "closer": rows["hits"] / rows["n"], "value added": rows["added"], "from": rows["low"], "to": rows["high"], "units": rows["units"],
        "luck or skill": _capital(("plan.skill." + rows["skill"].fillna("none")).map(words.message))})


def _plain(sheet: Any, looks: Looks, title: str, df: pd.DataFrame) -> None:
    """A table for reading."""
    forms.table(sheet, title, frozen=1)
    for column, name in enumerate(df.columns):
        longest = max((len(str(value)) for value in df[name] if isinstance(value, str)), default=8)
        forms.column(sheet, looks, column, name, look="head right" if name in NUMBERS else "head", width=min(max(longest + 3, 11), 44))
        look = {"closer": "percent", "month": "year-month", "made_on": "date", "expires": "date", "units": "whole", "judged": "whole", "months": "whole"}.get(name, "plain")
        for row, value in enumerate(df[name].tolist(), start=1):
            put(sheet, row, column, value, looks("percent", True) if name in ("value added", "from", "to") else looks(look), looks("text"))
    sheet.autofilter(0, 0, max(len(df), 1), len(df.columns) - 1)
