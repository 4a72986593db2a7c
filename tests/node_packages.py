"""The npm packages of package.json, installed once in .cache for all test processes; a skip with its reason where that cannot be."""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import time
from pathlib import Path

import filelock
import pytest

PROJECT = Path(__file__).parent.parent
CACHE = PROJECT / ".cache"  # not in git
COMMAND = ("npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000")
SECONDS = 300
FORGET = 600  # seconds after which a failed installation is tried again: without a line every test would wait for it


@functools.cache
def installed() -> Path:
    """The folder with node_modules in it, a new one for each package.json."""
    if missing := [program for program in ("node", "npm") if not shutil.which(program)]:
        pytest.skip(f"no {' and no '.join(missing)} on this machine")
    wanted = (PROJECT / "package.json").read_bytes()
    folder = CACHE / f"npm-{hashlib.sha256(wanted).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / "lock", timeout=2 * SECONDS):
            why = _install(folder, wanted)
    except filelock.Timeout:
        why = "another process has been installing them for too long"
    if why:
        pytest.skip(f"npm cannot install what package.json names: {why}")
    return folder


def _install(folder: Path, wanted: bytes) -> str:
    """Why it cannot be; '' where it is."""
    whole, failed = folder / "whole", folder / "failed"
    if whole.exists():
        return ""
    if failed.exists() and time.time() - failed.stat().st_mtime < FORGET:
        return failed.read_text(encoding="utf-8")
    (folder / "package.json").write_bytes(wanted)
    try:
        done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        why = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it says nothing"])[0]
    except subprocess.TimeoutExpired:
        why = f"not done in {SECONDS} seconds"
    if why:
        failed.write_text(why, encoding="utf-8")
    else:
        failed.unlink(missing_ok=True)
        whole.touch()
    return why
