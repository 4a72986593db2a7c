"""run: nothing before validation, nothing twice, nothing half-published, and an exit code that never lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from sopnb import cycle, kernels, params, run, steps
from sopnb.journal import Journal
from sopnb.problems import Problems

pytestmark = pytest.mark.xdist_group("runner")  # kernels: one worker, so that two cores are not fought over

PARAMETERS = 'params_file: str = "params/tiny.yaml"\ncycle_month: str = ""\nhorizon_months: int = None'
OPEN = "import pandas as pd\nfrom sopnb import cycle, frames\nc = cycle.open(params_file, cycle_month, horizon_months=horizon_months)\nc"

# What each step of the tiny project does: a few rows, so that the runner is what is tested.
WORK = {
    "01_collect": ["orders = pd.read_csv(c.sources()['orders']['path'], dtype={'order': str, 'line': str, 'item': str})",
                   "orders['location'] = 'all'\nc.save(orders=orders, findings=frames.empty(frames.FINDINGS))"],
    "02_demand": ["total = c.read('orders')['quantity'].sum()",
                  "c.save(market=pd.DataFrame({'series': ['total'], 'month': [c.month], 'value': [total]}))"],
    "03_supply": ["c.save(rates=pd.DataFrame({'currency': ['USD'], 'month': [c.month], 'rate': [c.read('market')['value'][0] / 2]}))"],
    "04_kpis": ["c.save(accounts=pd.DataFrame({'account': ['A'], 'workload': [float(len(c.months))]}))"],
    "05_meeting": ["c.save(conversions=pd.DataFrame({'item': ['A'], 'unit': ['box'], 'factor': [float(len(c.past('market')))]}))"],
    "06_recap": ["c.save(intelligence=pd.DataFrame({'note': ['n'], 'date': [c.month], 'text': ['held']}))"],
}

ORDERS = "order,line,item,order_date,quantity,unit_price\n1,1,A,2026-01-10,4,2.5\n2,1,B,2026-01-20,6,1\n3,1,A,2026-02-11,5,2.5\n"
ITEMS = "item,name,family,unit_cost\nA,Apple,Fruit,1\nB,Bean,Pulses,0.5\n"


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
    """A project whose six notebooks do next to nothing."""
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


def here(**options):
    """A run in this interpreter: what most of these tests need."""
    return run.run("params/tiny.yaml", pages=False, in_kernel=False, **options)


def tables(folder: Path) -> dict[str, str]:
    return steps.folder_digest(folder / "tables")


def test_a_run_publishes_the_whole_set_as_a_relative_link(tiny):
    outcome = here()
    published = tiny / "reports" / "tiny" / "2026-03"
    assert outcome.code == run.OK and list(outcome.done) == list(run.CYCLE_STEPS)
    assert published.is_symlink() and not os.path.isabs(os.readlink(published))
    assert set(tables(published)) == {f"{t}.parquet" for t in ("orders", "findings", "market", "rates", "accounts", "conversions")}


def test_run_twice_and_nothing_happens(tiny):
    here()
    journal = (tiny / "reports/tiny/.runs/journal.jsonl").read_bytes()
    link = os.readlink(tiny / "reports/tiny/2026-03")
    again = here()
    assert again.done == {} and again.skipped == list(run.CYCLE_STEPS)
    assert (tiny / "reports/tiny/.runs/journal.jsonl").read_bytes() == journal
    assert os.readlink(tiny / "reports/tiny/2026-03") == link


def test_a_changed_input_runs_what_depends_on_it_and_keeps_the_rest(tiny):
    here()
    orders = tiny / "data/tiny/2026-03/orders.csv"
    orders.write_text(ORDERS.replace("2026-02-11,5,2.5", "2026-02-12,5,2.5"))  # another day of the same month, the same total
    outcome = here()
    assert "01_collect" in outcome.done
    assert (tiny / "reports/tiny/2026-03/tables/market.parquet").is_file()
    orders.write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))
    outcome = here()
    assert list(outcome.done) == list(run.CYCLE_STEPS)


def test_a_changed_notebook_runs_again_from_that_step_on(tiny):
    here()
    write_notebook(tiny / "notebooks" / "04_kpis.ipynb", ["c.save(accounts=pd.DataFrame({'account': ['B'], 'workload': [1.0]}))"])
    outcome = here()
    assert outcome.skipped == ["01_collect", "02_demand", "03_supply"]
    assert list(outcome.done) == ["04_kpis", "05_meeting"]


def test_a_changed_parameter_runs_everything_again_but_mail_settings_do_not(tiny):
    here()
    text = (tiny / "params/tiny.yaml").read_text()
    (tiny / "params/tiny.yaml").write_text(text + "mail: {attach: none}\nowner: planner\n")
    assert here().done == {}
    (tiny / "params/tiny.yaml").write_text(text.replace("horizon_months: 6", "horizon_months: 7"))
    assert list(here().done) == list(run.CYCLE_STEPS)


def test_a_damaged_output_is_made_again(tiny):
    here()
    path = tiny / "reports/tiny/2026-03/tables/market.parquet"
    good = path.read_bytes()
    path.write_bytes(b"not parquet")
    outcome = here()
    assert "02_demand" in outcome.done and "01_collect" in outcome.skipped
    assert path.read_bytes() == good


def test_a_new_earlier_cycle_is_seen_by_the_later_one(tiny):
    """The memory is an input: a cycle planned before this one changes what this one may say."""
    here(cycle_month="2026-03")
    here(cycle_month="2026-02")
    outcome = here(cycle_month="2026-03")
    assert "05_meeting" in outcome.done


def test_the_same_inputs_give_the_same_bytes_in_another_folder(tiny, tmp_path_factory):
    import shutil

    here()
    first = tables(tiny / "reports/tiny/2026-03")
    other = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(tiny, other, ignore=shutil.ignore_patterns("reports"))
    os.chdir(other)
    here()
    assert tables(other / "reports/tiny/2026-03") == first


def test_a_failed_cell_names_notebook_and_cell_and_leaves_the_published_set(tiny):
    here()
    before = tables(tiny / "reports/tiny/2026-03")
    write_notebook(tiny / "notebooks" / "03_supply.ipynb", ["x = 1", "c.read('nothing_like_it')"])
    with pytest.raises(kernels.StepFailed) as failed:
        here()
    assert (failed.value.notebook, failed.value.cell, failed.value.error) == ("03_supply.ipynb", 4, "NotRunYet")
    assert "sopnb run params/tiny.yaml --cycle 2026-03" in failed.value.message
    assert tables(tiny / "reports/tiny/2026-03") == before
    assert Journal(tiny / "reports/tiny/.runs/journal.jsonl").read()[-1]["event"] == "run_failed"


def test_after_a_failure_the_finished_steps_are_kept(tiny):
    write_notebook(tiny / "notebooks" / "03_supply.ipynb", ["1 / 0"])
    with pytest.raises(kernels.StepFailed):
        here()
    assert not (tiny / "reports/tiny/2026-03").exists()
    write_notebook(tiny / "notebooks" / "03_supply.ipynb", WORK["03_supply"])
    outcome = here()
    assert outcome.skipped == ["01_collect", "02_demand"]
    assert list(outcome.done) == ["03_supply", "04_kpis", "05_meeting"]


def test_the_journal_is_written_before_the_work(tiny):
    write_notebook(tiny / "notebooks" / "01_collect.ipynb", ["import os; os._exit(9)"])
    code = "from sopnb import run; run.run('params/tiny.yaml', pages=False, in_kernel=False)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tiny).returncode == 9
    events = [e["event"] for e in Journal(tiny / "reports/tiny/.runs/journal.jsonl").read()]
    assert events == ["run_started", "step_started"]


def test_a_journal_line_cut_short_by_a_crash_is_left_out_and_kept_apart(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("run_started", cycle="2026-03")
    with open(journal.path, "ab") as file:
        file.write(b'{"event": "step_st')
    journal.write("run_done", cycle="2026-03")
    assert [e["event"] for e in journal.read()] == ["run_started", "run_done"]


def test_everything_is_validated_before_a_step_runs(tiny):
    (tiny / "data/tiny/2026-03/orders.csv").unlink()
    with pytest.raises(Problems) as refused:
        here(settings={"horizn_months": 3})
    text = str(refused.value)
    assert "horizn_months" in text and "orders.csv" in text
    events = [e["event"] for e in Journal(tiny / "reports/tiny/.runs/journal.jsonl").read()]
    assert events == ["run_refused"]


def test_a_setting_reaches_the_notebooks_that_take_it(tiny):
    here(settings={"horizon_months": 3})
    accounts = cycle.load_table(tiny / "reports/tiny/2026-03/tables/accounts.parquet", "accounts")
    assert accounts["workload"][0] == 3


def test_only_one_run_at_a_time(tiny):
    places, company = cycle.places("params/tiny.yaml"), params.load(tiny / "params/tiny.yaml")
    job = run.Job(places, company, "2026-03", run.CYCLE_STEPS)
    with run._lock(job), pytest.raises(run.Busy, match="under way"):
        here()
    assert here().code == run.OK


def test_part_of_the_steps_needs_the_earlier_ones(tiny):
    with pytest.raises(Problems, match="01_collect has not been run"):
        here(first="02")
    here(through="02")
    assert list(here(first="03").done) == ["03_supply", "04_kpis", "05_meeting"]


def test_the_recap_adds_its_step_and_keeps_the_others(tiny):
    here()
    outcome = here(recap=True)
    assert list(outcome.done) == ["06_recap"] and outcome.skipped == list(run.CYCLE_STEPS)
    assert (tiny / "reports/tiny/2026-03/tables/intelligence.parquet").is_file()
    assert here(recap=True).done == {}


def test_a_recap_without_the_cycle_is_refused(tiny):
    with pytest.raises(Problems, match="has not been run"):
        here(recap=True)


# --- in kernels -----------------------------------------------------------------------------------------------------

def test_a_step_in_a_kernel_gives_the_same_bytes_as_in_this_interpreter(tiny):
    here(through="02")
    plain = tables(tiny / "reports/tiny/2026-03")
    run.run("params/tiny.yaml", pages=False, force=True, through="02")
    assert tables(tiny / "reports/tiny/2026-03") == plain
    executed = json.loads((tiny / "reports/tiny/2026-03/executed/01_collect.ipynb").read_text())
    assert "papermill" not in executed["metadata"]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "kind", "error"), [
    ("import sys; sys.exit(0)", "cell", "SystemExit"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel", "DeadKernelError"),
    ("import time; time.sleep(60)", "deadline", "Deadline"),
])
def test_a_kernel_that_stops_early_never_counts_as_success(tiny, cell, kind, error):
    write_notebook(tiny / "notebooks" / "01_collect.ipynb", [cell, *WORK["01_collect"]])
    text = (tiny / "params/tiny.yaml").read_text()
    (tiny / "params/tiny.yaml").write_text(text + "run: {step_seconds: 8}\n")
    with pytest.raises(kernels.StepFailed) as failed:
        run.run("params/tiny.yaml", pages=False, through="01")
    assert (failed.value.kind, failed.value.error, failed.value.cell) == (kind, error, 3)
    assert not (tiny / "reports/tiny/2026-03").exists()


@pytest.mark.slow
def test_exit_codes_tell_the_classes_of_failure_apart(tiny):
    def code(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-m", "sopnb.cli", *arguments], cwd=tiny, capture_output=True).returncode

    assert code("run", "params/tiny.yaml", "--no-pages") == run.OK
    assert code("run", "params/tiny.yaml", "--wrong") == run.USAGE
    assert code("run", "params/missing.yaml") == run.BAD_INPUT
    assert code("check", "params/tiny.yaml") == run.OK
    assert code("status", "params/tiny.yaml") == run.OK
    write_notebook(tiny / "notebooks" / "02_demand.ipynb", ["1 / 0"])
    assert code("run", "params/tiny.yaml", "--no-pages") == run.STEP_FAILED
