"""A project whose six notebooks do next to nothing, so that the runner is what is tested; and its command line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from sopnb import cli, run, steps, terminal

PARAMETERS = 'params_file: str = "params/tiny.yaml"\ncycle_month: str = ""\nhorizon_months: int = None'
OPEN = "import pandas as pd\nfrom sopnb import cycle, frames\nc = cycle.open(params_file, cycle_month, horizon_months=horizon_months)\nc"

# What each step of the tiny project does: a few rows.
WORK = {
    "01_collect": ["orders = pd.read_csv(c.sources()['orders']['path'], dtype={'order': str, 'line': str, 'item': str})",
                   "people = pd.read_csv(c.sources()['people']['path']) if 'people' in c.sources() else None",
                   "orders['location'] = 'all'\nc.save(orders=orders, people=people, findings=frames.empty(frames.FINDINGS))"],
    "02_demand": ["total = c.read('orders')['quantity'].sum()",
                  "c.save(market=pd.DataFrame({'series': ['total'], 'month': [c.month], 'value': [total]}))"],
    "03_supply": ["c.save(rates=pd.DataFrame({'currency': ['USD'], 'month': [c.month], 'rate': [c.read('market')['value'][0] / 2]}))"],
    "04_kpis": ["c.save(accounts=pd.DataFrame({'account': ['A'], 'workload': [float(len(c.months))]}))"],
    "05_meeting": ["c.save(conversions=pd.DataFrame({'item': ['A'], 'unit': ['box'], 'factor': [float(len(c.past('market')))]}))"],
    "06_recap": ["c.save(intelligence=pd.DataFrame({'note': ['n'], 'date': [c.month], 'text': ['held']}))"],
}

ORDERS = "order,line,item,order_date,quantity,unit_price\n1,1,A,2026-01-10,4,2.5\n2,1,B,2026-01-20,6,1\n3,1,A,2026-02-11,5,2.5\n"
ITEMS = "item,name,family,unit_cost\nA,Apple,Fruit,1\nB,Bean,Pulses,0.5\n"
PEOPLE = "person,name,role,email,mandatory,delegate,language,gets\np1,Ann,Planner,ann@tiny.example,True,,en,both\np2,Bob,Chair,bob@tiny.example,True,,en,pack\n"


def write_notebook(path: Path, cells: list[str]) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, code in enumerate([PARAMETERS, OPEN, *cells]):
        cell = nbformat.v4.new_code_cell(code, id=f"c{number}")
        cell.metadata.tags = ["parameters"] if number == 0 else []
        notebook.cells.append(cell)
    nbformat.write(notebook, path)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, with the cycles 2026-02 and 2026-03."""
    for folder in ("params", "notebooks", "data/tiny/2026-02", "data/tiny/2026-03"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "params" / "tiny.yaml").write_text(
        "name: Tiny\nhorizon_months: 6\nfolders: {extracts: 'data/tiny/{cycle}'}\nsources:\n"
        "  orders: {path: '{extracts}/orders.csv'}\n  items: {path: '{extracts}/items.csv'}\n")
    for name in ("2026-02", "2026-03"):
        (tmp_path / "data" / "tiny" / name / "orders.csv").write_text(ORDERS)
        (tmp_path / "data" / "tiny" / name / "items.csv").write_text(ITEMS)
    for step, cells in WORK.items():
        write_notebook(tmp_path / "notebooks" / f"{step}.ipynb", cells)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def peopled(tiny: Path) -> Path:
    """The project with two people who get the pack, and an owner."""
    for name in ("2026-02", "2026-03"):
        (tiny / "data" / "tiny" / name / "people.csv").write_text(PEOPLE)
    add(tiny, "  people: {path: '{extracts}/people.csv'}\nowner: owner@tiny.example\n")
    return tiny


def add(project: Path, text: str) -> None:
    """Add lines to the params file."""
    path = project / "params" / "tiny.yaml"
    path.write_text(path.read_text() + text)


def here(**options) -> run.Outcome:
    """A run in this interpreter: what most tests need."""
    return run.run("params/tiny.yaml", in_kernel=False, **{"pages": False, **options})


def tables(folder: Path) -> dict[str, str]:
    return steps.folder_digest(folder / "tables")


def events(project: Path) -> list[dict]:
    return run.Journal(project / "reports/tiny/.runs/journal.jsonl").read()


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@pytest.fixture
def sopnb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator:
    """The command line in this process: sopnb("run", "params/tiny.yaml") gives exit code and texts."""
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 200)  # the width it took from the terminal of whoever runs the tests
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["sopnb", *words])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return Said(int(str(code)), said.out, said.err)

    before = signal.getsignal(signal.SIGTERM)
    yield call
    signal.signal(signal.SIGTERM, before)
