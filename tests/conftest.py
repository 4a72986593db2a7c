"""What all tests share: the project's folders, and the public data that may be absent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parent
SHARED = PROJECT.parent / "shared" / "data"
sys.path.insert(0, str(HERE))
pytest_plugins = ["post_office", "tiny"]  # fixtures: a mail server on this machine, a project that does next to nothing


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(autouse=True)
def english():
    """Every test begins in English and dollars, whatever one before it, or a notebook it ran, has spoken last."""
    from sopnb import words

    words.speak("en", "USD")


@pytest.fixture(scope="session")
def adventureworks() -> Path:
    """The folder of the AdventureWorks CSV tables, or a skip with its reason."""
    folder = SHARED / "adventureworks"
    if not folder.is_dir():
        pytest.skip("the AdventureWorks CSV tables are not beside the project (../shared/data/adventureworks)")
    return folder
