"""benchmarks/supply.py: its plain loop orders what netting orders, and a run prints what it measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sopnb import netting

FILE = Path(__file__).parent.parent / "benchmarks" / "supply.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_supply", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_netting_orders_what_a_plain_loop_orders(benchmark):
    """Another route to the same number: items and months one by one, in a few lines of Python."""
    given = benchmark.company(60, 12)
    alone = {name: table for name, table in given.items() if name != "lanes"}
    ours = netting.requirements(**alone, as_of=benchmark.AS_OF).proposed["quantity"].sum()
    assert ours == pytest.approx(benchmark.plain_loop(given)) and ours > 0


def test_a_run_prints_each_step(benchmark, capsys):
    benchmark.main(["--only", "netting", "--series", "40", "--months", "6"])
    said = capsys.readouterr().out
    assert "40 item-locations × 6 months" in said and "same units ordered" in said and "pegs of every order" in said
