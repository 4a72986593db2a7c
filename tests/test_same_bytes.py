"""The same inputs give the same bytes, wherever and whenever: another folder, user, time zone, locale, hash seed and clock.

One thing is declared to differ: what says when and where a run happened stands in the run's own papers (the executed
notebooks, manifest.json, which names the seconds each step took) and not in what people read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sopnb"
# The declared stamp: papers of the run itself, with its hours and seconds. Everything else is compared byte by byte.
STAMPED = ("manifest.json", "executed/")
RUNS = {
    "a": {"TZ": "Asia/Jakarta", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    "b of another name": {"TZ": "America/New_York", "LC_ALL": "C", "LANG": "id_ID.UTF-8", "PYTHONHASHSEED": "77", "COLUMNS": "40", "USER": "otto", "LOGNAME": "otto"},
}


def made(project: Path, code: Path, folder: Path, about: dict[str, str]) -> dict[str, str]:
    """A cycle of the small project in a folder and an environment of its own: each file with the digest of its bytes.

    sopnb itself is taken from a copy in that folder: where it lies must not count, and nobody edits it between two runs.
    """
    shutil.copytree(project, folder)
    shutil.copytree(code, folder / "code" / "sopnb")
    words = [sys.executable, "-m", "sopnb.cli", "run", "params/tiny.yaml", "--cycle", "2026-03"]
    done = subprocess.run(words, cwd=folder, env={**os.environ, **about, "PYTHONPATH": str(folder / "code")}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    published = folder / "reports" / "tiny" / "2026-03"
    return {path.relative_to(published).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(published.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_two_folders_zones_locales_and_seeds_give_the_same_files(peopled, tmp_path_factory):
    here = tmp_path_factory.mktemp("twice")
    shutil.copytree(PACKAGE, here / "sopnb", ignore=shutil.ignore_patterns("__pycache__", "*.partial"))
    first, second = (made(peopled, here / "sopnb", here / name, about) for name, about in RUNS.items())
    assert list(first) == list(second)
    kinds = {Path(name).suffix for name in first}
    assert {".html", ".eml", ".xlsx", ".ics", ".parquet"} <= kinds, "pages, mails, workbook, calendar and tables are all compared"
    unlike = [name for name in first if first[name] != second[name] and not name.startswith(STAMPED)]
    assert unlike == []
