"""Minutes as plain values, out of a YAML file or a workbook: no checks but that the file can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sopnb import yaml_files
from sopnb.minutes_place import SUFFIXES, TEXTS
from sopnb.problems import Problem, Problems, nearest

FOR_READING = ("Start", "Lists")  # sheets of the form that hold no minutes
COLON = "Mend that line; put texts with a colon in quotes"


def read(path: Path) -> dict[str, Any]:
    """What the file says.

    raises   Problems where it is not there, cannot be read, or holds no minutes
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Problems([Problem(path.name, f"{path.suffix or 'a file without ending'} cannot be read", ", ".join(SUFFIXES))])
    if not path.is_file():
        others = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in SUFFIXES) if path.parent.is_dir() else []
        raise Problems([Problem(str(path), "the minutes are not there", ", ".join(others), nearest(path.name, others) or "`sopnb recap PARAMS --form` writes the form there")])
    data = yaml_files.file(path, called=path.name, as_written=True, remedy=COLON) if path.suffix.lower() in TEXTS else _workbook(path)
    if not isinstance(data, dict):
        raise Problems([Problem(path.name, "holds no minutes", "`name: value` lines", "`sopnb recap PARAMS --form` writes a form")])
    return data


def _workbook(path: Path) -> dict[str, Any]:
    """A workbook as the same plain values as the YAML.

    Empty rows, columns without a heading, and columns whose heading stands in brackets are left out: those are for
    whoever fills the form in.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise Problems([Problem(path.name, f"cannot be opened as a workbook: {error}", remedy="Save it as .xlsx")]) from None
    data: dict[str, Any] = {}
    for sheet in book.sheet_names:
        if sheet in FOR_READING:
            continue
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        cells = [(at, [None if cell == "" else cell for cell in row]) for at, row in enumerate(rows, start=1)]
        cells = [(at, row) for at, row in cells if any(cell is not None for cell in row)]
        if sheet == "meeting":
            data.update({str(row[0]).strip(): row[1] if len(row) > 1 else None for _, row in cells if row[0] is not None})
        elif cells:
            data[sheet] = _rows(cells)
    return data


class Row(dict[str, Any]):
    """An entry of a workbook's list, and the row in which it stands."""

    def __init__(self, at: int, values: dict[str, Any]):
        super().__init__(values)
        self.at = at


def _rows(cells: list[tuple[int, list[Any]]]) -> list[dict[str, Any]]:
    """Rows below the headings. A row in which nothing but brackets is filled says nothing."""
    heads = [str(cell).strip() if cell is not None else "" for cell in cells[0][1]]
    rows = [Row(at, {head: cell for head, cell in zip(heads, row, strict=False) if head and not head.startswith("(") and cell is not None}) for at, row in cells[1:]]
    return [row for row in rows if row]
