"""The rules of the house that a machine can read: who imports whom, what notebooks hold, which files agree."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sopnb import cycle, frames, steps

PROJECT = Path(__file__).parent.parent
PACKAGE = PROJECT / "sopnb"
MODULES = {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"}
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))

# Shared ground: imported by all, imports nothing of ours but itself.
GROUND = {"yaml_files", "frames", "frame", "frames_sources", "frames_demand", "frames_supply", "frames_meeting", "problems", "accuracy", "calendar", "siblings", "door"}
# Step modules: only the ground and their own rooms, so that a notebook stays the place where steps meet.
STEPS = {
    "checks": {"checks", "insights"},
    "demand": {"demand", "segments", "history", "cleaning", "levels", "lifts", "windows"},
    "forecast": {"forecast", "backtesting", "baselining", "retracing", "holiday_effects", "trials", "cube", "panel", "models", "smoothing", "intermittent", "combinations", "learner", "scale", "work", "choice", "bands", "launches", "diffusion", "agreement", "reconcile", "closeup", "closeup_family", "closeup_rep"},
    "sales": {"sales"},
    "plan": {"plan", "beside", "changes", "closing", "lags", "overrides", "pricing", "streams", "value", "value_added", "weights"},
    "inventory": {"inventory", "policy", "safety", "order_sizes", "past_errors", "seasons", "lots", "netting", "bom", "grids", "mrp", "network", "pegging", "projection", "promise", "records", "rescheduling", "stock_bands", "usable"},
    "supply": {"supply", "capacity", "capacity_bills", "cures", "aggregate", "aggregate_costs", "aggregate_rules", "aggregate_optimum", "infeasible", "constrained", "constrained_lp", "deliverable", "exceptions"},
    "scenarios": {"scenarios", "scenarios_change", "scenarios_measures", "scenarios_people", "scenarios_read", "scenarios_try", "what_if"},
    "kpis": {"kpis", "book", "bridges", "measures_demand", "measures_supply"},
    "meeting": {"agenda", "asked", "assumptions", "charter", "choices", "meeting", "minutes", "minutes_events", "minutes_files", "minutes_place", "minutes_recap", "minutes_rules", "scored"},
}
ROOM_OF = {room: step for step, rooms in STEPS.items() for room in rooms}
# A what-if must walk the same way as the notebook, through other steps' functions: the one step that may call them.
MEETS = {"scenarios": ("plan", "inventory", "supply")}
# Third-party packages with one home; a home may have several rooms.
CHARTS = {"charts", "charts_bars", "charts_canvas", "charts_lines", "charts_multiples", "charts_scale"}
HOMES = {
    "matplotlib": CHARTS,
    "seaborn": CHARTS,
    "papermill": {"run", "kernels"},
    "nbclient": {"run", "kernels"},
    "jupyter_client": {"run", "kernels"},
    "sqlalchemy": {"sources", "reading", "databases", "ledger", "ledger_faults"},
    "icalendar": {"calendar_file"},
    "duckdb": {"sources", "reading", "queries"},
    "nbconvert": {"report", "pages"},
}
KNOW_CYCLE = {"cycle", "project", "params", "run", "job", "reuse", "cli", "report", "mail", "demo", "start", "pack", "front", "aftermath", "recap", "cli_recap", "posting", "outgoing", "reminding", "cli_send", "terminal", "cli_actions", "between", "cli_ledger", "cli_agenda", "cli_overrides", "cli_scenarios"}


def imports(path: Path) -> tuple[set[str], set[str]]:
    """Our modules and the third-party packages that a file imports, at any depth of it."""
    code = path.read_text(encoding="utf-8")
    third = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            third |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            third.add(node.module.split(".")[0])
    return steps.imported(code), third - {"sopnb"}


def broken_rules(name: str, path: Path) -> list[str]:
    """What a module imports that it must not."""
    ours, third = imports(path)
    ours -= {name}
    broken = []
    if name in GROUND:
        broken += [f"{name} is shared ground and imports {other}" for other in ours - GROUND]
    if name in ROOM_OF:
        allowed = GROUND.union(*(STEPS[step] for step in (ROOM_OF[name], *MEETS.get(ROOM_OF[name], ()))))
        broken += [f"{name} is a step module and imports {other}" for other in ours - allowed]
    if name not in KNOW_CYCLE:
        broken += [f"{name} imports {other}: only {', '.join(sorted(KNOW_CYCLE))} may" for other in ours & {"cycle", "project", "params"}]
    broken += [f"{name} imports {package}, whose home is {', '.join(sorted(homes))}"
               for package, homes in HOMES.items() if package in third and name not in homes]
    return broken


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_place_allows(name):
    assert broken_rules(name, MODULES[name]) == []


def test_the_import_rule_fails_when_it_is_broken(tmp_path):
    """The rule is worth nothing if it cannot fail."""
    bad = tmp_path / "inventory.py"
    bad.write_text("def f():\n    from sopnb import forecast, cycle\n    import matplotlib.pyplot as plt\n")
    assert len(broken_rules("inventory", bad)) == 4


@pytest.mark.parametrize("name", MODULES)
def test_the_imports_a_step_depends_on_are_those_of_the_syntax_tree(name):
    """A step's key is found without parsing; an import it missed would leave a step standing although its code changed."""
    code = MODULES[name].read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(code)))
    direct = {alias.name for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "sopnb" for alias in n.names}
    dotted = {n.module.split(".")[1] for n in nodes if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("sopnb.")}
    plain = {alias.name.split(".")[1] for n in nodes if isinstance(n, ast.Import) for alias in n.names if alias.name.startswith("sopnb.")}
    assert steps.imported(code) == (direct | dotted | plain) & set(MODULES)


def test_imports_are_found_at_any_depth_and_over_several_lines():
    code = "def f():\n    from sopnb import (\n        forecast,\n        cycle,\n    )\n    import sopnb.words\nfrom sopnb.plan import gap\n"
    assert steps.imported(code) == {"forecast", "cycle", "words", "plan"}


def test_every_step_module_of_the_rule_exists():
    assert set(STEPS) <= set(MODULES)


# --- notebooks ------------------------------------------------------------------------------------------------------

def test_the_six_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == list(cycle.STEPS)


def stored_faults(notebook: dict) -> list[str]:
    faults = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "code" and (cell.get("outputs") or cell.get("execution_count")):
            faults.append(f"cell {number} is stored with its output")
        if not cell.get("id"):
            faults.append(f"cell {number} has no id")
    return faults


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_stored_without_outputs(path):
    assert stored_faults(steps.read_notebook(path)) == []


def test_the_outputs_check_fails_when_a_notebook_holds_outputs():
    assert stored_faults({"cells": [{"cell_type": "code", "id": "a", "outputs": [{"output_type": "stream"}], "execution_count": 1}]})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_has_one_parameters_cell_of_plain_annotated_values(path):
    """Papermill appends values to this cell; anything computed there would be computed before they arrive."""
    notebook = steps.read_notebook(path)
    tagged = [c for c in notebook["cells"] if "parameters" in c.get("metadata", {}).get("tags", [])]
    assert len(tagged) == 1
    for node in ast.parse(steps.source(tagged[0])).body:
        assert isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant | ast.UnaryOp), ast.unparse(node)
    assert steps.parameters(notebook)[:2] == ["params_file", "cycle_month"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_calls_functions_and_defines_none(path):
    notebook = steps.read_notebook(path)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in steps.code_cells(notebook):
        tree = ast.parse(steps.source(cell))
        defined = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)]
        assert not defined, f"{path.stem} defines {defined[0].name}: move it into sopnb/"


def typed_numbers(text: str) -> list[str]:
    """Numbers typed in prose: next month they would be wrong. Step numbers, lags, levels and months of a rule stay."""
    text = re.sub(r"`[^`]*`", "", text)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return re.findall(r"\d+(?:[.,]\d+)?\s?%|\b\d{4,}\b|(?:Rp|USD)\s?\d", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_result_is_typed_in_a_notebooks_prose(path):
    for cell in steps.read_notebook(path)["cells"]:
        if cell["cell_type"] == "markdown":
            assert typed_numbers(steps.source(cell)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_last_cell_saves_the_steps_tables(path):
    last = steps.code_cells(steps.read_notebook(path))[-1]
    assert "c.save(" in steps.source(last)


def test_no_warning_about_unknown_parameters_is_needed():
    problems = steps.check_parameters({p.stem: p for p in NOTEBOOKS}, {"horizn_months": 12, "horizon_months": 12})
    assert [p.wrong for p in problems] == ["no notebook has a parameter horizn_months"]
    assert problems[0].remedy == "Did you mean horizon_months?"


# --- files that must agree ------------------------------------------------------------------------------------------

GIVEN = {"jupyterlab", "papermill", "pandas", "matplotlib", "seaborn", "statsmodels", "nbconvert", "nbmake"}


def ranges(lines: list[str]) -> dict[str, str]:
    return {m[1].lower(): m[2].replace(" ", "") for line in lines if (m := re.match(r"([A-Za-z0-9_-]+)\s*(.*)", line))}


def test_environment_and_pyproject_agree_on_what_both_name():
    import tomllib

    declared = ranges(tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"])
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    named = ranges([line for line in conda if isinstance(line, str)])
    assert set(named) >= GIVEN
    assert {k: v for k, v in named.items() if k in declared} == {k: declared[k] for k in named if k in declared}
    assert set(declared) >= GIVEN


def test_the_locks_hold_every_dependency_with_hashes_and_name_no_index():
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for lock, needs in (("requirements.lock", project["dependencies"]),
                        ("requirements-dev.lock", project["dependencies"] + project["optional-dependencies"]["dev"])):
        text = (PROJECT / lock).read_text(encoding="utf-8")
        pinned = {m[1].lower().replace("_", "-") for m in re.finditer(r"^([A-Za-z0-9_.-]+)==", text, flags=re.M)}
        assert {name.lower().replace("_", "-") for name in ranges(needs)} <= pinned
        assert "://" not in text and "index-url" not in text
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_docs_name_every_table_and_column():
    """docs/codebook.md is made from the frames; `python -m sopnb.docs` writes it anew."""
    from sopnb import docs

    assert (PROJECT / "docs" / "codebook.md").read_text(encoding="utf-8") == docs.codebook()
    assert all(f"`{name}`" in docs.codebook() for name in frames.TABLES)


def test_the_readme_shows_the_two_commands_on_its_first_screen():
    first = "\n".join((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    assert "make demo" in first and "make test" in first


def test_git_holds_no_generated_file():
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    bad = [f for f in tracked.stdout.splitlines() if re.match(r"(reports/(?!\.gitkeep)|data/)", f)]
    assert bad == []


def test_the_package_imports_quickly_and_without_the_slow_libraries():
    """statsforecast, matplotlib, papermill and SQLAlchemy cost seconds; a run with nothing to do must not pay them."""
    code = "import sys, sopnb.cli, sopnb.run; print([m for m in ('statsforecast','matplotlib','papermill','sqlalchemy','nbconvert','scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
