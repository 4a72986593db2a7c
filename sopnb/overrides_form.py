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

from sopnb import overrides, words
from sopnb.workbook_cells import CREATED

ASK = ("kind", "value", "reason", "note", "owner", "expires")  # what is filled in
KEYS = ("level", "key", "name", "family", "location", "month")
SHOWN = ("baseline", "low80", "high80", "last plan", "usual error", "standing")
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
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": title, "created": CREATED})
        looks = {name: book.add_format(look) for name, look in {
            "title": {"bold": True, "font_size": 14}, "wrap": {"text_wrap": True, "valign": "top"}, "bold": {"bold": True, "valign": "top"},
            "head": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom"},
            "head_number": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom", "align": "right"},
            "ask_head": {"bold": True, "bottom": 2, "text_wrap": True, "valign": "bottom", "bg_color": "#FFE699"},
            "text": {"num_format": "@"}, "count": {"num_format": "#,##0"}, "month": {"num_format": "yyyy-mm"}, "date": {"num_format": "yyyy-mm-dd"},
            "percent": {"num_format": "0%"}, "points": {"num_format": "+0.0%;-0.0%;0.0%"},
            **{f"ask_{kind}": {"bg_color": "#FFF9E5", "border": 1, "border_color": "#E0D6B0", "num_format": form}
               for kind, form in (("text", "@"), ("date", "yyyy-mm-dd"), ("number", "General"))},
        }.items()}
        _start(book.add_worksheet("Start"), looks, title)
        lists = {"level": list(overrides.LEVELS), "kind": list(overrides.KINDS), "reason": sorted(reasons), "owner": sorted(owners), "location": sorted({*locations, "all"})}
        _ask(book.add_worksheet("Overrides"), looks, table, owner, lists, months, last)
        if standing is not None and len(standing):
            _plain(book.add_worksheet("Standing"), looks, standing.assign(state=("plan.state." + standing["state"].replace("", "used")).map(words.message).map(str)))
        if record is not None and len(record):
            _plain(book.add_worksheet("Record"), looks, _records(record, names or {}))
        _lists(book.add_worksheet("Lists"), looks, lists)
        book.get_worksheet_by_name("Overrides").activate()
    return path


def _start(sheet: Any, looks: Mapping[str, Any], title: str) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title, looks["title"])
    for row, what in enumerate(("fill", "level", *ASK, "percent", "small", "two", "send"), start=2):
        head = words.message(f"overrides.form.{what}.head").text
        told = words.message(f"overrides.form.{what}").text
        sheet.set_row(row, 16 * (1 + len(told) // 95))  # LibreOffice does not fit the height of wrapped rows by itself
        sheet.write_string(row, 0, head, looks["bold"])
        sheet.write_string(row, 1, told, looks["wrap"])
    sheet.fit_to_pages(1, 0)


def _ask(sheet: Any, looks: Mapping[str, Any], table: pd.DataFrame, owner: str, lists: Mapping[str, list[str]], months: pd.DatetimeIndex, last: pd.Timestamp) -> None:
    """The sheet that is filled in: what is known to the left, the empty cells to the right."""
    heads = [*KEYS, *SHOWN, *ASK]
    at = {name: n for n, name in enumerate(heads)}
    sheet.freeze_panes(1, at["month"] + 1)
    for name, column in at.items():
        sheet.write_string(0, column, name, looks["ask_head" if name in ASK else "head_number" if name in NUMBERS else "head"])
        sheet.write_comment(0, column, words.message(f"overrides.form.column.{name.replace(' ', '_')}").text, {"author": "", "x_scale": 2})
        look = looks["text"] if name in ("level", "key", "name", "family", "location", "standing") else looks["month"] if name == "month" else looks["count"]
        sheet.set_column(column, column, WIDTHS.get(name, 11), look if name not in ASK else None)
    for row, record in enumerate(table.to_dict("records"), start=1):
        for name in (*KEYS, *SHOWN):
            _put(sheet, row, at[name], record[name], looks["month"] if name == "month" else looks["count"] if not isinstance(record[name], str) else looks["text"])
    end = len(table) + FREE
    for row in range(1, end + 1):
        for name in ASK:
            look = looks["ask_date" if name == "expires" else "ask_number" if name == "value" else "ask_text"]
            if name == "owner" and owner and row <= len(table):
                sheet.write_string(row, at[name], owner, look)
            else:
                sheet.write_blank(row, at[name], None, look)
    for name, values in lists.items():
        if values:
            letter = "ABCDEFGH"[list(lists).index(name)]
            sheet.data_validation(1, at[name], end, at[name], {
                "validate": "list", "source": f"=Lists!${letter}$2:${letter}${len(values) + 1}", "error_type": "warning" if name in ("reason", "owner") else "stop",
                "error_title": name, "error_message": words.message(f"overrides.form.column.{name}").text[:250]})
    sheet.data_validation(1, at["month"], end, at["month"], {"validate": "date", "criteria": "between", "minimum": months[0].date(), "maximum": last.date(), "error_title": "month",
                                                             "error_message": words.message("overrides.form.column.month").text[:250]})
    sheet.data_validation(1, at["value"], end, at["value"], {"validate": "decimal", "criteria": "between", "minimum": -1e12, "maximum": 1e12, "error_title": "value",
                                                             "error_message": words.message("overrides.form.column.value").text[:250]})
    sheet.data_validation(1, at["expires"], end, at["expires"], {"validate": "date", "criteria": ">=", "value": months[0].date(), "error_title": "expires",
                                                                 "error_message": words.message("overrides.form.column.expires").text[:250]})
    sheet.autofilter(0, 0, end, len(heads) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _records(record: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """What people's and reasons' overrides did so far, as a table for reading."""
    rows = record[record["scope"].isin(["owner", "reason", "size"]) & (record["n"] > 0)]
    return pd.DataFrame({
        "by": ("plan.scope." + rows["scope"]).map(words.message).map(str), "whose": rows["key"].replace(dict(names)), "judged": rows["n"], "months": rows["months"],
        "closer": rows["hits"] / rows["n"], "value added": rows["added"], "from": rows["low"], "to": rows["high"], "units": rows["units"],
        "luck or skill": ("plan.skill." + rows["skill"].fillna("none")).map(words.message).map(str)})


def _plain(sheet: Any, looks: Mapping[str, Any], df: pd.DataFrame) -> None:
    """A table for reading."""
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for column, name in enumerate(df.columns):
        sheet.write_string(0, column, name, looks["head_number" if name in NUMBERS else "head"])
        look = looks["percent" if name == "closer" else "points" if name in ("value added", "from", "to") else "month" if name == "month" else "date" if name in ("made_on", "expires")
                     else "count" if name in ("units", "judged", "months") else "text"]
        longest = max((len(str(v)) for v in df[name] if isinstance(v, str)), default=8)
        sheet.set_column(column, column, min(max(longest, len(name), 10) + 2, 40))
        for row, value in enumerate(df[name].tolist(), start=1):
            _put(sheet, row, column, value, look if name != "value" else None)


def _lists(sheet: Any, looks: Mapping[str, Any], lists: Mapping[str, list[str]]) -> None:
    for column, (name, values) in enumerate(lists.items()):
        sheet.write_string(0, column, name, looks["head"])
        sheet.set_column(column, column, 20)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, column, value)


def _put(sheet: Any, row: int, column: int, value: Any, look: Any) -> None:
    """One cell in its type; missing stays empty."""
    if value is None or value is pd.NaT or value != value:
        return
    if isinstance(value, pd.Timestamp | dt.date):
        sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), look)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, look)
    else:
        sheet.write_string(row, column, str(value), look)
