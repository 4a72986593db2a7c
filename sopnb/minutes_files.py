"""Minutes as plain values, out of a YAML file or a workbook: no checks but that the file can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sopnb.minutes_place import SUFFIXES, TEXTS
from sopnb.problems import Problem, Problems, nearest

FOR_READING = ("Start", "Lists")  # sheets of the form that hold no minutes


def read(path: Path) -> dict[str, Any]:
    """What the file says.

    raises   Problems where it is not there, cannot be read, or holds no minutes
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Problems([Problem(path.name, f"{path.suffix or 'a file without ending'} cannot be read", ", ".join(SUFFIXES))])
    if not path.is_file():
        others = sorted(p.name for p in path.parent.glob("*") if p.suffix.lower() in SUFFIXES) if path.parent.is_dir() else []
        raise Problems([Problem(str(path), "the minutes are not there", ", ".join(others), nearest(path.name, others) or "`sopnb recap PARAMS --form` writes the form there")])
    data = _yaml(path) if path.suffix.lower() in TEXTS else _workbook(path)
    if not isinstance(data, dict):
        raise Problems([Problem(path.name, "holds no minutes", "`name: value` lines", "`sopnb recap PARAMS --form` writes a form")])
    return data


class _OnceOnly(yaml.SafeLoader):
    """Safe loading; a name given twice is refused, since YAML would keep the last one and say nothing."""


def _mapping(loader: _OnceOnly, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep)


# Dates stay text until they are checked, so that 2026-02-30 is told with its place; so do words such as `on`,
# which YAML 1.1 takes for a truth value.
_OnceOnly.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_OnceOnly.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_OnceOnly)  # a SafeLoader, see above
    except UnicodeDecodeError as error:
        raise Problems([Problem(path.name, f"is not UTF-8 text (byte {error.start})", remedy="Save it as UTF-8")]) from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}, line {mark.line + 1}, column {mark.column + 1}" if mark else path.name
        raise Problems([Problem(place, f"cannot be read as YAML: {getattr(error, 'problem', error)}", remedy="Mend that line; put texts with a colon in quotes")]) from None


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
