"""Where overrides are kept: the company's own source, changed as a whole or not at all, and the history of every change.

    a text file   its other rows and columns stay as they are; what is added is written as the company writes
    a workbook    written anew, where it holds that one sheet and no formula; else refused, since these would be lost
    a query       never written to: sopnb only reads databases and other systems' extracts. The rows to be imported there
                  are written to a file, and stand in no plan before they are imported

The history, `<file>.history.csv` beside the source, only grows: `overrides.replay` makes of it what stands.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import csv_text, frames, overrides, parsing, reading, sources
from sopnb.problems import Problem, Problems
from sopnb.workbook_cells import CREATED, SAFE, put, put_text

_LAST = pd.Timestamp("2199-12-31")


def standing(setting: dict[str, Any]) -> pd.DataFrame:
    """All overrides of the source, whenever they were made: frames.OVERRIDES. None where its file does not exist yet.

    raises    Problems
    """
    if setting.get("path") and not Path(setting["path"]).is_file() and Path(setting["path"]).parent.is_dir():
        return frames.empty(frames.OVERRIDES)
    return sources.collect({"overrides": setting}, cut_off=_LAST).tables["overrides"]


def begin(setting: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Where each cycle has a file of its own and this one has none yet, it begins as a copy of the last cycle's, with its
    history: what was said of months to come is not lost with the folder.

    returns  whether it was begun
    """
    if not (setting.get("path") and earlier.get("path")):
        return False
    path, old = Path(setting["path"]), Path(earlier["path"])
    if path.is_file() or not old.is_file() or not path.parent.is_dir():
        return False
    if history_file(old).is_file():
        _replace(history_file(path), history_file(old).read_bytes())
    _replace(path, old.read_bytes())
    return True


def numbers(setting: dict[str, Any]) -> set[str]:
    """Every override's number in the source, also of rows that cannot be used: no new one may bear it."""
    if setting.get("path") and not Path(setting["path"]).is_file():
        return set()
    column = setting["columns"].get("override", "override")
    cells = reading.read("overrides", setting, cut_off=_LAST).df
    return {number for number in parsing.words(cells[column]) if number} if column in cells else set()


def writable(setting: dict[str, Any]) -> Path | None:
    """The file that is changed; None where the source is a query.

    raises    Problems where it could be changed only by losing something
    """
    if not setting.get("path"):
        return None
    path = Path(setting["path"])
    lower = path.name.lower()
    if lower.endswith(reading.TEXT):
        return path
    what = f"overrides: {path}"
    if not lower.endswith((".xlsx", ".xlsm")):
        raise Problems([Problem(what, "cannot be written", "csv, txt, tsv (also .gz) or xlsx", "Keep the overrides in one of these, and name it in the params file")])
    if path.is_file() and (lost := _would_be_lost(path, setting.get("sheet"))):
        raise Problems([Problem(what, f"holds {lost}, which writing it anew would lose", "a workbook with one sheet of values", "Keep the overrides in a file of their own")])
    return path


def land(setting: dict[str, Any], merged: overrides.Merged, before: pd.DataFrame, *, instead: Path) -> Path | None:
    """Write what a change makes of the source, and its history. Both whole or not at all; nothing where nothing changes.

    before    the overrides that the change started from: where the file says something else by now, nothing is written
    instead   the file for a source that is a query
    returns   the file written; None where nothing changed
    raises    Problems
    """
    if merged.log.empty:
        return None
    path = writable(setting)
    if path is None:
        instead.parent.mkdir(parents=True, exist_ok=True)
        changed = merged.table[merged.table["override"].isin(merged.log["override"])]
        _replace(instead, csv_text.text(changed, days="%Y-%m-%d").encode())
        return instead
    if not standing(setting).equals(before):
        raise Problems([Problem(f"overrides: {path}", "was changed by somebody else just now", remedy="Repeat the command")])
    text = path.name.lower().endswith(reading.TEXT)
    data = _text(path, setting, merged, before) if text else _book(path, setting, merged, before)
    log = csv_text.text(merged.log, days="%Y-%m-%d").partition("\n")[2].encode()
    past = history_file(path).read_bytes() if history_file(path).is_file() else (",".join(overrides.HISTORY) + "\n").encode()
    if not past.endswith(b"\n" + log):  # else an earlier try wrote the history and was stopped before the file itself
        _replace(history_file(path), past + log)
    _replace(path, data)
    return path


def history_file(path: Path) -> Path:
    return path.with_name(re.sub(r"(\.csv|\.txt|\.tsv)?(\.gz)?$|\.xls\w$", "", path.name, count=1) + ".history.csv")


def history(path: Path) -> pd.DataFrame:
    """Every change of a source, oldest first: overrides.HISTORY; no rows where there is none."""
    file = history_file(path)
    if not file.is_file():
        return pd.DataFrame(columns=overrides.HISTORY)
    raw = pd.read_csv(file, dtype={name: "object" for name in overrides.HISTORY}, keep_default_na=False, na_values=[""])
    raw = raw.apply(lambda column: column.map(csv_text.plain))
    days = {name: pd.to_datetime(raw[name]) for name in ("day", "month", "made_on", "expires")}
    return raw.assign(**days, value=raw["value"].astype("float64")).astype(object).where(raw.notna(), None)


def _replace(path: Path, data: bytes) -> None:
    """The file with these bytes, whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


# --- a text file ----------------------------------------------------------------------------------------------------

def _text(path: Path, setting: dict[str, Any], merged: overrides.Merged, before: pd.DataFrame) -> bytes:
    """The file after a change: rows kept as they stand, revised ones in their place, new ones at the end."""
    encoding = setting["encoding"]
    raw = _bytes(path).decode("utf-8-sig" if encoding == "utf-8" else encoding) if path.is_file() else ""
    delimiter = {"\\t": "\t", "tab": "\t"}.get(setting["delimiter"], setting["delimiter"])
    records = list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter))
    header = [name.strip() for name in records[0]] if records else [setting["columns"].get(name, name) for name in frames.OVERRIDES.names]
    at = {name: header.index(setting["columns"].get(name, name)) for name in frames.OVERRIDES.names if setting["columns"].get(name, name) in header}
    now = {record["override"]: record for record in merged.table.to_dict("records")}
    changed = [number for number in dict.fromkeys(merged.log["override"]) if number in now]
    _fits(path, at, [now[number] for number in changed])
    gone = set(before["override"]) - set(now)
    out, placed = [], set()
    for record in records[1:]:
        number = parsing.words(pd.Series([record[at["override"]]], dtype=object)).iloc[0] if len(record) == len(header) else None
        if number in gone:
            continue
        out.append(_record(record, at, now[number], setting) if number in changed else record)
        placed.add(number)
    out += [_record([""] * len(header), at, now[number], setting) for number in changed if number not in placed]
    buffer = io.StringIO(newline="")
    rows = [records[0] if records else header, *out]
    torn = any("\r" in cell for row in rows for cell in row)  # bare, it would end the row
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n" if "\r\n" in raw else "\n", quoting=csv.QUOTE_ALL if torn else csv.QUOTE_MINIMAL).writerows(rows)
    mark = "utf-8-sig" if encoding == "utf-8" and path.is_file() and _bytes(path).startswith(b"\xef\xbb\xbf") else encoding
    data = buffer.getvalue().encode(mark)
    return gzip.compress(data, mtime=0) if path.name.lower().endswith(".gz") else data


def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.name.lower().endswith(".gz") else path.read_bytes()


def _fits(path: Path, at: dict[str, int], rows: list[dict[Any, Any]]) -> None:
    """Every value has a column to stand in.

    raises   Problems
    """
    homeless = [name for name in frames.OVERRIDES.names if name not in at and any(pd.notna(row[name]) and row[name] not in ("", "all") for row in rows)]
    if homeless:
        raise Problems([Problem(f"overrides: {path}", f"has no column for {', '.join(homeless)}", remedy="Add it to the header of that file, empty, so that nothing said is lost")])


def _record(record: list[str], at: dict[str, int], values: dict[Any, Any], setting: dict[str, Any]) -> list[str]:
    out = list(record)
    for name, position in at.items():
        out[position] = _written(values[name], name, setting)
    return out


def _written(value: Any, name: str, setting: dict[str, Any]) -> str:
    """A value as the file writes it: its decimal mark, its form of dates."""
    if value is None or pd.isna(value):
        return ""
    kind = frames.OVERRIDES.kind(name)
    if kind == "number":
        return f"{value:.15g}".replace(".", setting["decimal"])
    return as_date(value, setting["dates"], setting["months"]) if kind in ("date", "month") else str(value)


def as_date(day: pd.Timestamp, form: str, months: str = "en") -> str:
    """A day in a declared form.

    >>> as_date(pd.Timestamp("2026-10-05"), "dd mmm yyyy", "id")
    '05 Okt 2026'
    """
    names = sorted((name for name, number in parsing.MONTHS[months].items() if number == day.month), key=len)
    parts = {"yyyy": f"{day:%Y}", "yy": f"{day:%y}", "mmmm": names[-1].title(), "mmm": next(n for n in names if len(n) >= 3).title(), "mm": f"{day:%m}",
             "dd": f"{day:%d}", "m": str(day.month), "d": str(day.day)}
    return re.sub(r"yyyy|yy|mmmm|mmm|mm|dd|m|d", lambda met: parts[met[0].lower()], form.strip(), flags=re.I)


# --- a workbook -----------------------------------------------------------------------------------------------------

def _would_be_lost(path: Path, sheet: str | None) -> str:
    """What a workbook holds besides the values of one sheet."""
    from python_calamine import CalamineWorkbook

    others = [name for name in CalamineWorkbook.from_path(str(path)).sheet_names if name != sheet]
    if len(others) > (0 if sheet else 1):
        return f"other sheets ({', '.join(others[:5])})"
    with zipfile.ZipFile(path) as parts:
        formulas = any(re.search(rb"<f[ >]", parts.read(name)) for name in parts.namelist() if name.startswith("xl/worksheets/sheet"))
    return "formulas" if formulas else "macros" if path.suffix.lower() == ".xlsm" else ""


def _book(path: Path, setting: dict[str, Any], merged: overrides.Merged, before: pd.DataFrame) -> bytes:
    """The workbook after a change: headings, sheet, other rows and columns as they were, cells in their types."""
    import xlsxwriter

    raw = reading.read("overrides", setting, cut_off=_LAST).df if path.is_file() else pd.DataFrame()
    heads = list(raw.columns) if len(raw.columns) else [setting["columns"].get(name, name) for name in frames.OVERRIDES.names]
    theirs = {setting["columns"].get(name, name): name for name in frames.OVERRIDES.names}
    now = {record["override"]: record for record in merged.table.to_dict("records")}
    changed = [number for number in dict.fromkeys(merged.log["override"]) if number in now]
    _fits(path, {theirs[head]: n for n, head in enumerate(heads) if head in theirs}, [now[number] for number in changed])
    gone = set(before["override"]) - set(now)
    numbers_there = list(parsing.words(raw[setting["columns"].get("override", "override")])) if len(raw) else []
    rows = [{head: now[number][theirs[head]] if number in changed and head in theirs else record[head] for head in heads}
            for number, record in zip(numbers_there, raw.to_dict("records"), strict=True) if number not in gone]
    rows += [{head: now[number][theirs[head]] for head in heads if head in theirs} for number in changed if number not in numbers_there]
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {**SAFE, "in_memory": True}) as book:
        book.set_properties({"created": CREATED})
        bold, plain, date, month = (book.add_format(look) for look in ({"bold": True, "bottom": 2}, {}, {"num_format": "yyyy-mm-dd"}, {"num_format": "yyyy-mm"}))
        sheet = book.add_worksheet(setting.get("sheet") or "Overrides")
        sheet.freeze_panes(1, 1)
        for column, head in enumerate(heads):
            put_text(sheet, 0, column, head, bold)
            sheet.set_column(column, column, 16)
        for row, record in enumerate(rows, start=1):
            for column, head in enumerate(heads):
                value = record.get(head)
                day = month if theirs.get(head) == "month" else date
                put(sheet, row, column, value, day if hasattr(value, "strftime") else plain, plain)
    return buffer.getvalue()
