"""A small demo company in a folder of its own, planned by the real notebooks: made once for all tests that look at what comes of them.

What uses it stands in conftest's group `notebooks`, so that one worker makes it and the others none.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sopnb import demo, run

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks beside two cycles of the company: 2026-09 published, and its meeting held; 2026-10 not yet run."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    (shared / "workspace-is-made").touch(exist_ok=False)  # by one worker: it takes minutes
    folder = tmp_path_factory.mktemp("workspace")
    for name in ("notebooks", "params"):
        shutil.copytree(PROJECT / name, folder / name)
    demo.generate(folder / "data" / "demo", cycles=["2026-09", "2026-10"], items=24)
    before = Path.cwd()
    os.chdir(folder)
    try:
        run.run("params/demo.yaml", "2026-09", pages=False, in_kernel=False)
        run.run("params/demo.yaml", "2026-09", recap=True)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="session")
def outcome(workspace: Path) -> run.Outcome:
    """The run of 2026-10, in kernels, with its pages."""
    before = Path.cwd()
    os.chdir(workspace)
    try:
        return run.run("params/demo.yaml", "2026-10")
    finally:
        os.chdir(before)
