"""One source as it stands: a file, a query over files, or a query on a database, into rows with their numbers.

Nothing is typed here: a text file's columns stay text, so that the declared locale decides (sopnb.parsing).
A query is one SELECT over the declared files; it reaches no other file, no network and no setting of the engine.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from sopnb import databases
from sopnb.problems import Problem, Problems, nearest

TEXT = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
SMALL = 300_000  # bytes: below, starting the engine takes longer than reading the file record by record
BOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1, "preserve_insertion_order": "true", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "allow_community_extensions": "false", "python_enable_replacements": "false",
}


Seen = dict[tuple[Path, str, str], tuple[Any, list[tuple[str, int, str]]]]  # file, delimiter, encoding: table and bad rows


@dataclass
class Raw:
    """Rows as they stand.

    df     their columns, untyped
    rows   number of each row in the file, the header is row 1; 0 for a query
    file   file name, or the names of a query's files
    bad    rows that have too few or too many values: (file, row, text)
    """

    df: pd.DataFrame
    rows: list[int]
    file: str
    bad: list[tuple[str, int, str]] = field(default_factory=list)


def read(name: str, setting: dict[str, Any], *, cut_off: pd.Timestamp, seen: Seen | None = None) -> Raw:
    """All rows of one source.

    name      the source, for messages
    setting   as sopnb.cycle.source_settings gives it
    cut_off   stands for $cut_off in a query
    seen      text files already read for queries; one dict over many calls reads each file once
    raises    Problems
    """
    if setting.get("url"):
        df = databases.read(name, setting, cut_off=cut_off)
        return Raw(df, [0] * len(df), setting["url"])
    if setting.get("sql"):
        return _read_query(name, setting, cut_off, {} if seen is None else seen)
    path = existing(name, setting["path"])
    if _kind(path) == "text":
        return _read_text(name, path, setting)
    if _kind(path) == "book":
        return _read_book(name, path, setting)
    with _connection() as con:
        df = _run(name, con, f"SELECT * FROM {_reader(path)}", {})
    return Raw(df, list(range(2, len(df) + 2)), path.name)


def header(name: str, setting: dict[str, Any], *, cut_off: pd.Timestamp, seen: Seen | None = None) -> tuple[list[str], bool]:
    """The column names of one source, and whether a row stands below them. Reads as little as that takes.

    raises   Problems
    """
    path = existing(name, setting["path"]) if setting.get("path") else None
    if path is None or _kind(path) == "book":
        raw = read(name, setting, cut_off=cut_off, seen=seen)
        return [str(c) for c in raw.df.columns], bool(len(raw.df) or raw.bad)
    if _kind(path) == "text":
        records = _records(name, path, setting)
        names = next(records, [])
        return _unique(names), any(any(cell.strip() for cell in record) for record in records)
    with _connection() as con:
        df = _run(name, con, f"SELECT * FROM {_reader(path)} LIMIT 1", {})
    return [str(c) for c in df.columns], len(df) > 0


def files(setting: dict[str, Any]) -> dict[str, Path]:
    """The files a source reads, by view name; `''` for a plain path."""
    named = {"": Path(setting["path"])} if setting.get("path") else {}
    return {**named, **{view: Path(path) for view, path in setting.get("files", {}).items()}}


def existing(name: str, path: str) -> Path:
    """The path, if a file is there.

    raises   Problems with the nearest name that does exist
    """
    place = Path(path)
    if place.is_file():
        return place
    if place.is_dir():
        inside = sorted(p.name for p in place.iterdir() if p.is_file())
        raise Problems([Problem(f"{name}: {place}", "is a folder, not a file", f"a file in it: {', '.join(inside[:12])}" if inside else "a file",
                                f"Add the file's name to the path of `{name}` in the params file")])
    above = next((folder for folder in place.parents if folder.is_dir()), Path("/"))
    looked_for = place.relative_to(above).parts[0]
    there = sorted(p.name for p in above.iterdir() if not p.name.startswith("."))
    what = "file" if above == place.parent else "folder"
    shown = ", ".join(there[:12]) + (f" and {len(there) - 12} more" if len(there) > 12 else "")
    raise Problems([Problem(f"{name}: {place}", f"the {what} {looked_for} does not exist in {above}", f"one of {shown}" if there else "",
                            nearest(looked_for, there) or f"Put the extract there, or mend the path of `{name}` in the params file")])


def _kind(path: Path) -> str:
    lower = path.name.lower()
    return "text" if lower.endswith(TEXT) else "book" if lower.endswith(BOOKS) else "typed"


def _reader(path: Path) -> str:
    """DuckDB's reader of a typed file."""
    lower = path.name.lower()
    quoted = "'" + str(path).replace("'", "''") + "'"
    if lower.endswith(".parquet"):
        return f"read_parquet({quoted})"
    if lower.endswith((".json", ".ndjson", ".jsonl", ".json.gz")):
        return f"read_json({quoted})"
    raise Problems([Problem(str(path), f"a file ending in {path.suffix or 'nothing'} cannot be read",
                            "csv, txt, tsv (also .gz), parquet, json, xlsx, xlsm, xls, xlsb, ods")])


# --- text -----------------------------------------------------------------------------------------------------------

def _records(name: str, path: Path, setting: dict[str, Any]) -> Iterator[list[str]]:
    """The records of a text file, the header first; an empty line is an empty record.

    raises   Problems where the bytes are not in the declared encoding
    """
    encoding = "utf-8-sig" if setting["encoding"] == "utf-8" else setting["encoding"]
    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    row = 0
    try:
        with opener(path, "rt", encoding=encoding, newline="") as text:
            for record in csv.reader(text, delimiter=_delimiter(setting)):
                row += 1
                yield record
    except UnicodeError as error:
        line = _foreign_line(opener, path, encoding) or row + 1
        raise Problems([Problem(f"{name}: {path}", f"is not {setting['encoding']} text: line {line}, {getattr(error, 'reason', error)}",
                                "encoding: utf-8, latin-1, utf-16 or cp1252", "Save the extract as UTF-8, or name its encoding in the params file")]) from None
    except (csv.Error, OSError, EOFError) as error:
        raise Problems([Problem(f"{name}: {path}", f"cannot be read after row {row}: {error}", remedy="Make the extract again")]) from None


def _foreign_line(opener: Any, path: Path, encoding: str) -> int:
    """The first line whose bytes the encoding does not know; 0 where lines cannot be told apart (utf-16)."""
    if encoding == "utf-16":
        return 0
    with opener(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return number
    return 0


def _delimiter(setting: dict[str, Any]) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(setting["delimiter"], setting["delimiter"])


def _unique(names: list[str]) -> list[str]:
    """Trimmed header names; the second `Date` becomes `Date_2`, so that neither hides the other."""
    seen: dict[str, int] = {}
    out = []
    for name in (n.strip() or f"column {i}" for i, n in enumerate(names, 1)):
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return out


def _read_text(name: str, path: Path, setting: dict[str, Any]) -> Raw:
    """A text file, every column as text: fast where it is large and all is well, record by record where it is not."""
    if path.stat().st_size > SMALL and setting["encoding"] == "utf-8" and not _has_blank_lines(path):
        names = _unique(next(_records(name, path, setting), []))
        with _connection() as con:
            try:
                df = con.execute(f"SELECT * FROM {_text_reader(path, names, setting)}").df() if names else pd.DataFrame()
                return Raw(df, list(range(2, len(df) + 2)), path.name)
            except duckdb.Error:
                pass  # ragged rows or foreign bytes: read with care below, which says where
    return _read_text_with_care(name, path, setting)


def _text_reader(path: Path, names: list[str], setting: dict[str, Any]) -> str:
    columns = ", ".join(f"{_sql(n)}: 'VARCHAR'" for n in names)
    return (f"read_csv({_sql(str(path))}, auto_detect=false, header=true, delim={_sql(_delimiter(setting))}, quote='\"', escape='\"', "
            f"columns={{{columns}}}, nullstr='')")


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _has_blank_lines(path: Path) -> bool:
    """Whether row numbers need care: DuckDB passes over blank lines."""
    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    last = b""
    try:
        with opener(path, "rb") as stream:
            while block := stream.read(1 << 22):
                joined = (last + block).replace(b"\r", b"")
                if b"\n\n" in joined:
                    return True
                last = block[-3:]
    except (OSError, EOFError):
        return True  # a broken archive: the careful reader says so
    return False


def _read_text_with_care(name: str, path: Path, setting: dict[str, Any]) -> Raw:
    records = _records(name, path, setting)
    names = _unique(next(records, []))
    cells: list[list[str]] = []
    rows: list[int] = []
    bad: list[tuple[str, int, str]] = []
    for row, record in enumerate(records, 2):
        if not any(cell.strip() for cell in record):
            continue
        if len(record) == len(names):
            cells.append(record)
            rows.append(row)
        else:
            bad.append((path.name, row, _delimiter(setting).join(record)[:200]))
    df = pd.DataFrame(cells, columns=names, dtype=object)
    return Raw(_without_empty(df), rows, path.name, bad)


def _without_empty(df: pd.DataFrame) -> pd.DataFrame:
    """Empty cells as None."""
    return df.mask(df == "", None).astype(object)


# --- workbooks ------------------------------------------------------------------------------------------------------

def _read_book(name: str, path: Path, setting: dict[str, Any]) -> Raw:
    """A sheet of a workbook, its header in the first row."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise Problems([Problem(f"{name}: {path}", f"cannot be read as a workbook: {error}", remedy="Save it again as .xlsx")]) from None
    sheets = list(book.sheet_names)
    sheet = setting.get("sheet") or sheets[0]
    if sheet not in sheets:
        raise Problems([Problem(f"{name}: {path}", f"has no sheet {sheet}", ", ".join(sheets), nearest(sheet, sheets))])
    cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    if not cells:
        return Raw(pd.DataFrame(), [], path.name)
    names = _unique([str(c) for c in cells[0]])
    kept = [(row, record) for row, record in enumerate(cells[1:], 2) if any(str(c).strip() for c in record)]
    df = pd.DataFrame([record for _, record in kept], columns=names, dtype=object)
    headed = df.iloc[:, [i for i, c in enumerate(cells[0]) if str(c).strip()]]  # without a heading: notes beside the table
    return Raw(_without_empty(headed), [row for row, _ in kept], path.name)


# --- queries over files ---------------------------------------------------------------------------------------------

def _connection() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config=_LOCKED)
    con.execute("SET TimeZone='UTC'")
    return con


def _read_query(name: str, setting: dict[str, Any], cut_off: pd.Timestamp, seen: Seen) -> Raw:
    """One SELECT over the declared files, each a view with every column of a text file as text."""
    paths = {view: existing(name, path) for view, path in setting["files"].items()}
    bad: list[tuple[str, int, str]] = []
    with _connection() as con:
        _select_only(name, con, setting["sql"])
        for view, path in paths.items():
            bad += _view(name, con, view, path, setting, seen)
        _lock(con, setting, paths)
        df = _run(name, con, setting["sql"], {"cut_off": cut_off.date()})
    return Raw(df, [0] * len(df), ", ".join(path.name for path in paths.values()), bad)


def _view(name: str, con: duckdb.DuckDBPyConnection, view: str, path: Path, setting: dict[str, Any], seen: Seen) -> list[tuple[str, int, str]]:
    """Give a file the name of a view; text files keep every column as text. Returns the rows that could not be split."""
    if _kind(path) == "typed":
        con.execute(f'CREATE VIEW "{view.replace(chr(34), chr(34) * 2)}" AS SELECT * FROM {_reader(path)}')
        return []
    if _kind(path) == "book":
        con.register(view, _read_book(name, path, setting).df)
        return []
    key = (path, setting["delimiter"], setting["encoding"])
    if key not in seen:
        seen[key] = _text_table(name, con, path, setting)
    table, bad = seen[key]
    con.register(view, table)
    return bad


def _text_table(name: str, con: duckdb.DuckDBPyConnection, path: Path, setting: dict[str, Any]) -> tuple[Any, list[tuple[str, int, str]]]:
    """A text file as an Arrow table of text, and the rows that could not be split."""
    import pyarrow as pa

    if setting["encoding"] == "utf-8":
        names = _unique(next(_records(name, path, setting), []))
        try:
            return con.sql(f"SELECT * FROM {_text_reader(path, names, setting)}").to_arrow_table(), []
        except duckdb.Error:
            pass  # ragged rows or foreign bytes: read with care below, which says where
    raw = _read_text_with_care(name, path, setting)
    return pa.table({column: pa.array(raw.df[column], type=pa.string()) for column in raw.df.columns}), raw.bad


def _lock(con: duckdb.DuckDBPyConnection, setting: dict[str, Any], paths: dict[str, Path]) -> None:
    """From here on: the declared files and folders, and nothing else."""
    con.execute("SET temp_directory=''")  # DuckDB would allow its own temporary folder too
    con.execute("SET allowed_directories=[" + ", ".join(_sql(f.rstrip("/") + "/") for f in setting.get("folders", [])) + "]")
    con.execute("SET allowed_paths=[" + ", ".join(_sql(str(p)) for p in paths.values()) + "]")
    con.execute("SET enable_external_access=false")
    con.execute("SET lock_configuration=true")


def _select_only(name: str, con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Accept a single SELECT.

    raises   Problems: several statements, another kind of statement, or one that does not parse
    """
    try:
        kinds = [statement.type for statement in con.extract_statements(sql)]
    except duckdb.Error as error:
        raise Problems([Problem(f"{name}: sql", f"is not SQL that can be read: {_first_lines(error)}", "one SELECT")]) from None
    if len(kinds) != 1 or kinds[0] != duckdb.StatementType.SELECT or not databases.only_reads(sql):
        told = f"holds {len(kinds)} statements" if len(kinds) != 1 else f"is not a SELECT but {kinds[0].name}" if kinds[0] != duckdb.StatementType.SELECT else "changes data"
        raise Problems([Problem(f"{name}: sql", told, "one SELECT", "Reading is all a source may do")])


def _run(name: str, con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> pd.DataFrame:
    try:
        wanted = con.extract_statements(sql)[0].named_parameters
        return con.execute(sql, {k: v for k, v in values.items() if k in wanted} or None).df()
    except (duckdb.Error, ValueError) as error:
        outside = "file system operations are disabled" in str(error)
        raise Problems([Problem(f"{name}: sql", f"{_first_lines(error)}",
                                "files declared under files: or folders:" if outside else "",
                                "Declare the file" if outside else "Mend the query; its own lines are counted from its first")]) from None


def _first_lines(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines()[:2] if line.strip())
