"""Pages do not grow with the number of items: they show the top and offer the file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from sopnb import report

FILE = Path(__file__).parent.parent / "benchmarks" / "pages.py"
FEW, MANY = 1_000, 10_000  # benchmarks/pages.py takes 100,000
GROWTH = 1.03  # longer numbers take a few letters more


@pytest.fixture(scope="module")
def sizes() -> dict[int, dict[str, int]]:
    """The bytes of each part of the pack; the workbook holds rows for further work, and is bounded elsewhere."""
    spec = importlib.util.spec_from_file_location("benchmark_pages", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return {items: {name: size for name, (size, _) in module.measured(items, without=["workbook"]).items()} for items in (FEW, MANY)}


def test_ten_times_the_items_make_no_page_and_no_mail_larger(sizes):
    assert {name: (sizes[FEW][name], size) for name, size in sizes[MANY].items() if size > GROWTH * sizes[FEW][name]} == {}
    assert len(sizes[MANY]) >= 12 and min(sizes[MANY].values()) > 2_000, "each part shows something"


def test_every_page_is_far_below_a_megabyte(sizes):
    assert sum(sizes[MANY].values()) < 300_000


def test_a_page_over_a_disk_that_fails_half_way_is_the_one_before(tmp_path, monkeypatch):
    """Who opens it meanwhile reads a whole page: it is written beside its place and moved there."""
    page = report.write("<p>before</p>", tmp_path / "index.html")

    def torn(path: Path, text: str, **given: object) -> int:
        path.write_bytes(text.encode()[:5])
        raise OSError("the disk went away")

    monkeypatch.setattr(Path, "write_text", torn)
    with pytest.raises(OSError, match="went away"):
        report.write("<p>after</p>", page)
    assert page.read_bytes() == b"<p>before</p>" and list(tmp_path.iterdir()) == [page], "nothing is left beside it"
