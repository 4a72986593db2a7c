"""What the workbook costs on top of its own code, on the demo company: ratios, side by side in one run.

    python benchmarks/cycle.py [--items 120] [--repeats 3]

    plain    the code cells of the five steps, figures drawn, in one plain process
    cycle    `sopnb run --force`: kernels, executed notebooks, pages, pack, workbook, publishing
    again    `sopnb run` with nothing to do

Budgets (the design's): cycle ≤ 1.25 × plain; again ≤ 1 s.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent

PLAIN = """
import os
from pathlib import Path
from sopnb import cycle, kernels, run
here = Path.cwd()
env = {**run.STEADY, cycle.TABLES_DIR: str(here / "plain-tables"), "SOPNB_PAGES": "1"}
for step in run.CYCLE_STEPS:
    kernels.run_here(here / "notebooks" / f"{step}.ipynb", {"params_file": "params/demo.yaml", "cycle_month": "2026-10"}, env, cwd=here / "notebooks")
"""


def timed(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode not in (0, 8):
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sopnb-bench-"))
    try:
        from sopnb import demo

        for name in ("notebooks", "params"):
            shutil.copytree(PROJECT / name, folder / name)
        demo.generate(folder / "data" / "demo", cycles=["2026-09", "2026-10"], items=options.items)
        sopnb = [sys.executable, "-m", "sopnb.cli"]
        timed([*sopnb, "run", "params/demo.yaml", "--cycle", "2026-09", "--no-pages"], folder)
        seconds: dict[str, list[float]] = {"plain": [], "cycle": [], "again": []}
        for _ in range(options.repeats):  # one after the other, so that a busy machine hurts all three alike
            seconds["plain"].append(timed([sys.executable, "-c", PLAIN], folder))
            seconds["cycle"].append(timed([*sopnb, "run", "params/demo.yaml", "--cycle", "2026-10", "--force"], folder))
            seconds["again"].append(timed([*sopnb, "run", "params/demo.yaml", "--cycle", "2026-10"], folder))
        best = {name: min(values) for name, values in seconds.items()}
        for name, values in seconds.items():
            print(f"{name:6} best {best[name]:6.2f} s, median {statistics.median(values):6.2f} s")
        print(f"cycle / plain = {best['cycle'] / best['plain']:.2f} (budget 1.25)")
        print(f"again = {best['again']:.2f} s (budget 1 s)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
