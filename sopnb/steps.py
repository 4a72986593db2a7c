"""What a step depends on: the digest that decides whether it must run again.

A step's key is the digest of its notebook, the sopnb modules that notebook imports (transitively), its parameters, its
inputs, the tables of the steps before it, the cycles before it, and the ledger as of the cycle. Same key and intact
outputs: the step is skipped. That is resume, and that is "run twice, nothing happens".
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from sopnb.problems import Problem, nearest

PACKAGE = Path(__file__).parent


def digest(*parts: Any) -> str:
    """SHA-256 over plain values, in their order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _file_digest(path: Path, _size: int, _mtime: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes; read once while size and time stay the same within this process."""
    stat = path.stat()
    return _file_digest(path, stat.st_size, stat.st_mtime_ns)


def folder_digest(folder: Path) -> dict[str, str]:
    """Relative path: digest, for every file below a folder, in order."""
    return {str(p.relative_to(folder)): file_digest(p) for p in sorted(folder.rglob("*")) if p.is_file()}


# --- notebooks ------------------------------------------------------------------------------------------------------

def read_notebook(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict[str, Any]) -> str:
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()]


def parameters(notebook: dict[str, Any]) -> list[str]:
    """Names of the notebook's parameters: the annotated assignments of the cell tagged `parameters`."""
    for cell in notebook["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return [node.target.id for node in ast.parse(source(cell)).body
                    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return []


def check_parameters(notebooks: dict[str, Path], given: dict[str, Any]) -> list[Problem]:
    """A parameter that no notebook takes is a problem: papermill would use the default and say nothing."""
    takes = {name: parameters(read_notebook(path)) for name, path in notebooks.items()}
    everything = sorted({parameter for names in takes.values() for parameter in names})
    return [
        Problem(", ".join(f"{name}.ipynb" for name in takes), f"no notebook has a parameter {name}", ", ".join(everything), nearest(name, everything))
        for name in given if name not in everything
    ]


def without_outputs(notebook: dict[str, Any]) -> str:
    """What counts of a notebook: its cells' types, sources and tags."""
    return digest([(c["cell_type"], source(c), c.get("metadata", {}).get("tags", [])) for c in notebook["cells"]])


# --- modules --------------------------------------------------------------------------------------------------------

# An import statement of ours, its names in brackets over several lines or not. A walk through the syntax trees of all
# modules takes most of a second, which is what a run with nothing to do may take; a test compares the two.
_IMPORT = re.compile(r"^[ \t]*(?:from sopnb import (\([^)]*\)|[^\n]*)|(?:from|import) sopnb\.(\w+))", re.M)


def imported(code: str) -> set[str]:
    """Names of the sopnb modules that a piece of code imports, at any depth of it."""
    found = {name for names, module in _IMPORT.findall(code) for name in (module, *re.findall(r"\w+", names))}
    return {name for name in found if name and (PACKAGE / f"{name}.py").is_file()}


@cache
def _imports_of(module: str) -> frozenset[str]:
    return frozenset(imported((PACKAGE / f"{module}.py").read_text(encoding="utf-8")))


def closure(modules: set[str]) -> list[str]:
    """The modules and all they import of ours, sorted."""
    seen: set[str] = set()
    todo = set(modules)
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= _imports_of(name) - seen
    return sorted(seen)


def code_digest(notebook: dict[str, Any]) -> str:
    """Digest of a notebook and of all our code it stands on, the messages and their translations included."""
    modules = closure(set().union(*(imported(source(c)) for c in code_cells(notebook))))
    said = [folder_digest(PACKAGE / folder) for folder in ("messages", "locale")] if "words" in modules else []
    return digest(without_outputs(notebook), {m: file_digest(PACKAGE / f"{m}.py") for m in modules}, said)


def page_digest() -> str:
    """Digest of what turns an executed notebook into a page."""
    modules = closure({"report"})
    return digest({m: file_digest(PACKAGE / f"{m}.py") for m in modules}, folder_digest(PACKAGE / "template"), folder_digest(PACKAGE / "locale"))
