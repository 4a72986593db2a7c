"""The six notebooks, as three readers run them: in JupyterLab top to bottom, by plain papermill, by the runner."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sopnb import cycle, run, steps

PROJECT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def there(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder of the small company; its last cycle is run by the last test here, with what the ones before have left."""
    monkeypatch.chdir(workspace)


def test_nbmake_runs_the_six_in_order_without_edits(workspace):
    """Run All in a fresh kernel, one after the other; each reads the draft of those before it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=300", "-p", "no:xdist", "-q", "notebooks"],
        cwd=workspace, capture_output=True, text=True)
    assert re.search(r"\b6 passed", done.stdout), done.stdout[-4000:] + done.stderr[-2000:]
    assert (workspace / "reports/demo/.draft/2026-10/tables/plan.parquet").is_file()
    assert not (workspace / "reports/demo/2026-10").exists(), "a draft must not publish"


def test_plain_papermill_gives_the_same_tables_as_the_runner(workspace):
    """The engine is ours, the notebooks are not bound to it."""
    run.run("params/demo.yaml", "2026-10", through="02", pages=False, in_kernel=False)
    published = steps.folder_digest(workspace / "reports/demo/2026-10/tables")
    shutil.rmtree(workspace / "reports/demo/.draft", ignore_errors=True)
    for step in ("01_collect", "02_demand"):
        out = workspace / f"{step}.ipynb"
        subprocess.run([sys.executable, "-m", "papermill", f"notebooks/{step}.ipynb", str(out), "--cwd", "notebooks", "-p", "cycle_month", "2026-10",
                        "--no-progress-bar"], cwd=workspace, check=True, capture_output=True)
    assert steps.folder_digest(workspace / "reports/demo/.draft/2026-10/tables") == published


def test_a_step_without_the_one_before_it_names_the_command(workspace):
    """Opened first, the second notebook says what to run."""
    shutil.rmtree(workspace / "reports/demo/.draft", ignore_errors=True)
    shutil.copy(PROJECT / "params" / "demo.yaml", workspace / "params" / "fresh.yaml")
    done = subprocess.run([sys.executable, "-m", "papermill", "notebooks/02_demand.ipynb", "-", "--cwd", "notebooks", "--no-progress-bar",
                           "-p", "params_file", "params/fresh.yaml"], cwd=workspace, capture_output=True, text=True)
    assert done.returncode and "sopnb run params/fresh.yaml --cycle 2026-10" in done.stderr + done.stdout


def test_the_runner_publishes_pages_and_the_pack(outcome):
    assert outcome.code in (run.OK, run.RED)
    folder = outcome.folder
    for page in (*(f"{s}.html" for s in cycle.STEPS[:5]), "index.html", "pack.html"):
        text = (folder / page).read_text(encoding="utf-8")
        assert "default-src 'none'" in text
        assert "<script" not in text.lower()
        assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text), f"{page} names an external address"
    assert (folder / "demo-2026-10.xlsx").is_file()
    assert run.run("params/demo.yaml", "2026-10").done == {}
