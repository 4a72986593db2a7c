"""Packages that judge mails and pages: installed once by however many processes; without a line a skip, soon and with its reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import node_packages
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="npm is stood in for by a shell script")


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that notes when it is called and does as it is told."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def does(what: str) -> Path:
        for name, script in (("npm", f"echo called >> {tmp_path}/calls\n{what}"), ("node", "true")):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        return tmp_path / "calls"

    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(node_packages, "CACHE", tmp_path / "cache")
    node_packages.installed.cache_clear()
    yield does
    node_packages.installed.cache_clear()


def test_without_a_line_it_is_a_skip_with_its_reason_and_tried_once(npm):
    calls = npm("echo 'npm error code ENOTFOUND' >&2; exit 1")
    for _ in range(3):
        with pytest.raises(pytest.skip.Exception, match="ENOTFOUND"):
            node_packages.installed()
    assert calls.read_text().count("called") == 1


def test_a_failure_is_forgotten_after_a_while(npm, monkeypatch):
    calls = npm("exit 1")
    with pytest.raises(pytest.skip.Exception, match="it says nothing"):
        node_packages.installed()
    monkeypatch.setattr(node_packages, "FORGET", 0)
    npm("mkdir node_modules")
    assert (node_packages.installed() / "node_modules").is_dir() and calls.read_text().count("called") == 2


def test_an_installation_that_hangs_is_a_skip(npm, monkeypatch):
    npm("exec sleep 30")
    monkeypatch.setattr(node_packages, "SECONDS", 0.3)
    with pytest.raises(pytest.skip.Exception, match="not done in"):
        node_packages.installed()


def test_without_node_the_skip_names_what_is_missing(monkeypatch):
    node_packages.installed.cache_clear()
    monkeypatch.setattr(node_packages.shutil, "which", lambda program: None if program == "npm" else program)
    with pytest.raises(pytest.skip.Exception, match="no npm on this machine"):
        node_packages.installed()


def test_processes_at_once_install_once(npm, tmp_path):
    calls = npm("sleep 0.5; mkdir node_modules")
    code = f"import pathlib, node_packages as n; n.CACHE = pathlib.Path({str(tmp_path / 'cache')!r}); assert (n.installed() / 'node_modules').is_dir()"
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert calls.read_text().count("called") == 1
