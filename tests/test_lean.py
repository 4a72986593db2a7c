"""What is left out of libraries is left out only there, and only for the moment."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sopnb import lean


def test_a_module_is_not_there_for_the_moment(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with lean.without("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    with lean.without("colorsys"):
        import colorsys as again
    assert again is colorsys is sys.modules["colorsys"]


def test_a_notebook_is_read_and_judged_without_the_grammar_of_web_addresses():
    """In a process of its own: papermill and nbconvert find what is loaded already; who needs the grammar later can have it."""
    code = ("import sys, json; from sopnb import lean; n = lean.nbformat(); import papermill, nbconvert.exporters; seen = 'rfc3987_syntax' in sys.modules; "
            "n.validate(n.v4.new_notebook(cells=[n.v4.new_code_cell('1')])); bad = [e.message for e in n.validator.iter_validate({'nbformat': 4, 'nbformat_minor': 5, 'metadata': {}})]; "
            "import rfc3987_syntax; print(json.dumps([seen, bad]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, ["'cells' is a required property"]]
