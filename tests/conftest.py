"""What all tests share: the project's folders, and the public data that may be absent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parent
SHARED = PROJECT.parent / "shared" / "data"
sys.path.insert(0, str(HERE))
pytest_plugins = ["post_office", "tiny", "workspace"]  # fixtures: a mail server on this machine, a project that does next to nothing, a real one


# Several workers (`make test`): each takes a whole file, or the files of a group, so that what a module makes is made once. Those
# that take long begin first, so that no worker stands alone with one of them at the end.
GROUPS = {
    "notebooks": ("test_notebooks", "test_pages", "test_lab"),  # one small company, planned once; a browser that looks at its pages
    "runner": ("test_run", "test_send", "test_aftermath"),  # kernels and deadlines: one after the other
}
FIRST = ("notebooks", "runner", "test_companies", "test_scenarios", "test_language", "test_naughty", "test_onepage", "test_same_bytes", "test_forecast", "test_recap", "test_ledger_writers")
GROUP_OF = {file: group for group, files in GROUPS.items() for file in files}


def group(nodeid: str) -> str:
    """tests/test_pages.py::test_x[1] is of notebooks."""
    file = Path(nodeid.split("::")[0]).stem
    return GROUP_OF.get(file, file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(group(item.nodeid)) if group(item.nodeid) in FIRST else len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """xdist's own, by our groups: its mark for groups does nothing since pytest 9.2 (pytest-xdist issue 1386), and says nothing."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # in the order above
    return ByGroup(config, log)


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
