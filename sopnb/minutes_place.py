"""Where a meeting's minutes are: the file that the params file names, or one beside it of the same name and another kind.

Without pandas: a run that has nothing to do looks here too.
"""

from __future__ import annotations

from pathlib import Path

from sopnb.problems import Problem, Problems

TEXTS, BOOKS = (".yaml", ".yml"), (".xlsx", ".xlsm", ".xls", ".ods")
SUFFIXES = (*TEXTS, *BOOKS)


def beside(path: str | Path) -> list[Path]:
    """The files there are: the one named, and those beside it that differ in their ending alone."""
    path = Path(path)
    kinds = [path, *(path.with_suffix(suffix) for suffix in SUFFIXES if suffix != path.suffix.lower())]
    return [one for one in kinds if one.is_file()]


def place(path: str | Path | None) -> Path | None:
    """The minutes, whichever of a YAML and a workbook was filled in; None where neither is there.

    raises   Problems where there are two: nobody could say which of them holds
    """
    found = beside(path) if path is not None else []
    if len(found) > 1:
        raise Problems([Problem(", ".join(one.name for one in found), "are all minutes of one meeting, so none of them can be taken", "one of them",
                                f"Keep one in {found[0].parent} and move the others away")])
    return found[0] if found else None
