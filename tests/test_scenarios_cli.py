"""The command `sopnb scenarios`, and the supply notebook beside it: a draft of a small company, its tables saved as the first steps do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from test_scenarios import AS_OF, MONTHS, some_tables
from typer.testing import CliRunner

from sopnb import cli, cycle, frames, scenarios, steps
from sopnb.problems import Problems

PROJECT = Path(__file__).parent.parent
PARAMS = """name: Juices
latest_cycle: 2026-10
horizon_months: 6
sources:
  orders: {path: orders.csv}
  items: {path: items.csv}
scenarios:
  - name: More apples
    changes: [{change: demand, by: 0.15, family: Apple, first: 2027-01}]
  - name: The line stands
    changes: [{change: down, resource: Line, first: 2026-11-02, weeks: 4}]
  - name: Nobody knows it
    changes: [{change: demand, by: 0.1, family: Aple}]
"""


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables of the steps before supply, in a draft."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "juices.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    t = some_tables()
    history = pd.DataFrame([{"item": item, "location": "EU", "month": AS_OF - pd.DateOffset(months=k), "demand": 90.0, "demand_raw": 90.0, "shipped": 90.0, "revenue": 900.0}
                            for item in "AB" for k in range(1, 13)])
    step = {"plan": t.plan, "tested": t.tested, "history": history}
    ready = {name: table.reindex(columns=frames.TABLES[name].names) for name, table in step.items()}
    ready["history"] = ready["history"].assign(censored=False)
    cycle.open("params/juices.yaml").save(
        **ready, items=t.items, stock=t.stock, receipts=t.receipts, bom=t.bom, routings=t.routings, capacity=t.hours,
        workforce=t.workforce, events=t.events, purchases=t.purchases.assign(quantity=500.0), freshness=frames.empty(frames.FRESHNESS))
    return tmp_path


def call(*words: str):
    return CliRunner().invoke(cli.app, ["scenarios", "params/juices.yaml", *words])


def test_the_command_prints_the_table_and_writes_page_and_figures(company):
    done = call()
    assert done.exit_code == 0, done.output
    for text in ("0  The plan as it is", "1  More apples", "2  The line stands", "supply cost"):
        assert text in done.output
    folder = company / "reports" / "juices" / ".draft" / "2026-10"
    page = (folder / "scenarios.html").read_text(encoding="utf-8")
    assert "More apples" in page
    assert "DRAFT" in page
    figures = pd.read_csv(folder / "scenarios.csv")
    assert figures["scenario"].tolist() == ["base", "More apples", "The line stands"]
    assert figures["part_volume"].tolist()[1] == pytest.approx(180)
    assert not list(folder.glob("*.partial*"))
    first = (folder / "scenarios.csv").read_bytes()
    call()
    assert (folder / "scenarios.csv").read_bytes() == first, "two runs, the same bytes"


def test_only_some_are_compared_and_a_wrong_name_says_the_nearest(company):
    done = call("--only", "More apples")
    assert "The line stands" not in done.output
    assert isinstance(call("--only", "More aples").exception, Problems)
    assert "Did you mean More apples?" in str(call("--only", "More aples").exception)


def test_without_a_plan_the_command_that_makes_it_is_named(company):
    (company / "reports" / "juices" / ".draft" / "2026-10" / "tables" / "plan.parquet").unlink()
    assert "--through 02" in str(call().exception)


def test_the_base_is_what_the_notebook_saves(company, monkeypatch):
    """The cells of the supply notebook, run as a backfill runs them; its tables are those of the base, to the last bit."""
    shutil.copytree(PROJECT / "notebooks", company / "notebooks")
    monkeypatch.setenv("SOPNB_PAGES", "0")
    space: dict[str, object] = {}
    for cell in steps.code_cells(steps.read_notebook(company / "notebooks" / "03_supply.ipynb")):
        exec(steps.source(cell), space)
        if "parameters" in cell["metadata"].get("tags", []):
            space.update(params_file="params/juices.yaml", cycle_month="2026-10")
    c = cycle.open("params/juices.yaml")
    base = scenarios.evaluate(scenarios.tables(c.optional, as_of=c.as_of), c.params.supply, as_of=c.as_of)
    for name, ours in (("policy", base.policy), ("proposed", base.netted.proposed), ("projection", base.projection), ("load", base.load)):
        pd.testing.assert_frame_equal(frames.conform(ours, frames.TABLES[name]), c.read(name), check_exact=True)
    people = c.read("aggregate").query("strategy == 'optimum'").reset_index(drop=True)
    pd.testing.assert_frame_equal(frames.conform(base.people, frames.AGGREGATE), people, check_exact=True)
    saved = c.read("deliverable")
    assert saved["plan"].sum() == pytest.approx(c.read("plan")["revenue"].sum())
    assert set(saved["month"]) == set(MONTHS)


def test_the_scenarios_of_the_companies_in_the_box_can_be_read():
    """Every params file of this project says scenarios that a change can be made of."""
    from sopnb import params

    for path in sorted((PROJECT / "params").glob("*.yaml")):
        given = params.load(path).scenarios
        assert [one.name for one in scenarios.chosen(scenarios.read(given))] == [one.name for one in given]
    assert json.loads(json.dumps([one.model_dump() for one in params.load(PROJECT / "params" / "demo.yaml").scenarios]))
