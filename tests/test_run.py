"""run: nothing before validation, nothing twice, nothing half-published, and an exit code that never lies."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from tiny import ORDERS, WORK, add, events, here, tables, write_notebook

from sopnb import cycle, kernels, ledger, params, reuse, run
from sopnb.journal import Journal
from sopnb.problems import Problems


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


def test_an_earlier_cycle_run_late_leaves_the_later_one_as_it_was_published(tiny):
    here(cycle_month="2026-03")
    later = tiny / "reports/tiny/2026-03"
    before, link = tables(later), os.readlink(later)
    here(cycle_month="2026-02")
    assert tables(later) == before and os.readlink(later) == link
    assert here(cycle_month="2026-02").done == {}, "and is not marked as out of date itself"
    assert here(cycle_month="2026-03").skipped == [], "the later one sees it at its own next run"


def test_the_same_inputs_give_the_same_bytes_in_another_folder(tiny, tmp_path_factory):
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


def test_two_runs_at_once_the_second_is_told_who_holds_the_cycle(tiny, sopnb):
    places, company = cycle.places("params/tiny.yaml"), params.load(tiny / "params/tiny.yaml")
    with run._lock(run.Job(places, company, "2026-03", run.CYCLE_STEPS)):
        said = sopnb("run", "params/tiny.yaml", "--no-pages")
        other = sopnb("run", "params/tiny.yaml", "--no-pages", "--cycle", "2026-02")
    assert said.code == run.BUSY and f"process {os.getpid()}" in said.err
    assert other.code == run.OK, "another cycle is another lock"


# --- part of the steps ----------------------------------------------------------------------------------------------

def test_part_of_the_steps_needs_the_earlier_ones(tiny):
    with pytest.raises(Problems, match="01_collect has not been run") as refused:
        here(first="03")
    assert len(refused.value.problems) == 1, "told once, not for every step"
    here(through="02")
    assert list(here(first="03").done) == ["03_supply", "04_kpis", "05_meeting"]


@pytest.mark.parametrize(("first", "through", "done"), [
    ("02", "02", ["02_demand"]), ("02", "03", ["02_demand", "03_supply"]), ("kpis", "", ["04_kpis", "05_meeting"]), ("", "1", ["01_collect"]),
])
def test_force_runs_the_steps_asked_for_and_keeps_the_others(tiny, first, through, done):
    here()
    outcome = here(first=first, through=through, force=True)
    assert list(outcome.done) == done
    assert sorted(outcome.done) + sorted(outcome.skipped) == sorted(outcome.done) + [s for s in run.CYCLE_STEPS if s not in done]


@pytest.mark.parametrize("change", ["input", "code", "parameter", "damage"])
def test_a_run_from_a_later_step_never_stands_on_stale_ones(tiny, change):
    """--from 03 says: 01 and 02 are as they were. Where they are not, nothing is published, and it says what to do."""
    here()
    before = tables(tiny / "reports/tiny/2026-03")
    if change == "input":
        (tiny / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))
    elif change == "code":
        write_notebook(tiny / "notebooks/02_demand.ipynb", ["total = 1.0", *WORK["02_demand"][1:]])
    elif change == "parameter":
        add(tiny, "quality: {red_share: 0.5}\n")
    else:
        (tiny / "reports/tiny/2026-03/tables/market.parquet").unlink()
        before.pop("market.parquet")
    stale = "02_demand" if change in ("code", "damage") else "01_collect"
    with pytest.raises(Problems, match=f"{stale} would not give what it gave") as refused:
        here(first="03", force=True)
    assert f"--from {stale[:2]}" in str(refused.value)
    assert tables(tiny / "reports/tiny/2026-03") == before and events(tiny)[-1]["event"] == "run_refused"
    assert stale in here(first=stale[:2]).done


def test_a_change_in_the_later_steps_is_no_hindrance(tiny):
    here()
    write_notebook(tiny / "notebooks/04_kpis.ipynb", ["c.save(accounts=pd.DataFrame({'account': ['B'], 'workload': [1.0]}))"])
    outcome = here(first="03")
    assert outcome.skipped == ["01_collect", "02_demand", "03_supply"] and "04_kpis" in outcome.done


def test_a_run_through_an_early_step_keeps_the_later_ones_true(tiny):
    """The published set is one plan: with a new 02, the 03 to 05 that stand there are made again."""
    here()
    (tiny / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))
    assert list(here(through="02").done) == list(run.CYCLE_STEPS)


@pytest.mark.parametrize(("first", "through", "wrong"), [("04", "02", "04_kpis comes after 02_demand"), ("07", "", "no step is called 07")])
def test_steps_that_make_no_sense_are_refused(tiny, first, through, wrong):
    with pytest.raises(Problems, match=wrong):
        here(first=first, through=through)
    assert not (tiny / "reports").exists()


# --- the recap ------------------------------------------------------------------------------------------------------

MINUTES = "cycle: 2026-03\nheld_on: 2026-03-08\nchair: p1\nattendance: [{person: p1, state: present}]\nactions: [{id: A1, title: Call, owner: p2, due: 2026-03-20}]\n"


def test_the_recap_adds_its_step_and_keeps_the_others(tiny):
    here()
    outcome = here(recap=True)
    assert list(outcome.done) == ["06_recap"] and outcome.skipped == list(run.CYCLE_STEPS)
    assert (tiny / "reports/tiny/2026-03/tables/intelligence.parquet").is_file()
    assert here(recap=True).done == {}


def test_a_recap_before_the_first_run_is_refused_and_leaves_the_ledger_alone(tiny):
    add(tiny, "meeting: {file: minutes.yaml}\n")
    (tiny / "minutes.yaml").write_text(MINUTES)
    with pytest.raises(Problems, match=r"01_collect has not been run\. Run `sopnb run params/tiny.yaml --cycle 2026-03` first"):
        here(recap=True)
    assert not (tiny / "reports/tiny/ledger.sqlite").exists()


def test_the_recap_leaves_the_pack_as_the_meeting_saw_it(tiny):
    """The plan on the table in the meeting is not planned anew because the data moved since; the next run sees that."""
    here()
    met = tables(tiny / "reports/tiny/2026-03")
    (tiny / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))
    outcome = here(recap=True)
    assert list(outcome.done) == ["06_recap"]
    assert met.items() <= tables(tiny / "reports/tiny/2026-03").items()
    assert here(recap=True).done == {}
    assert "01_collect" in here().done


def test_minutes_reach_the_ledger_with_who_had_to_come(peopled):
    add(peopled, "meeting: {file: minutes.yaml}\n")
    (peopled / "minutes.yaml").write_text(MINUTES)
    here()
    here(recap=True)
    book = ledger.open(None, peopled / "reports/tiny")
    came = book.attendance("2026-03-31").set_index("person")
    assert list(book.actions("2026-03-31")["action"]) == ["2026-03-A1"]
    assert came.loc["p2", "state"] == "absent" and came.loc["p2", "mandatory"], "who must come and does not stand in the minutes"
    assert came.loc["p1", "name"] == "Ann"


@pytest.mark.parametrize(("old", "new", "wrong"), [
    ("cycle: 2026-03", "cycle: 2026-02", "these are the minutes of 2026-02"),
    ("chair: p1", "chair: p9", "nobody is called p9"),
    ("actions:", "updates: [{action: 2026-03-A7, state: done}]\nactions:", "the ledger has no action 2026-03-A7"),
])
def test_wrong_minutes_are_refused_before_anything_runs(peopled, sopnb, old, new, wrong):
    add(peopled, "meeting: {file: minutes.yaml}\n")
    (peopled / "minutes.yaml").write_text(MINUTES.replace(old, new))
    here()
    before = tables(peopled / "reports/tiny/2026-03")
    said = sopnb("recap", "params/tiny.yaml")
    assert said.code == run.BAD_INPUT and wrong in said.err
    assert tables(peopled / "reports/tiny/2026-03") == before and not (peopled / "reports/tiny/ledger.sqlite").exists()


# --- readers, disks -------------------------------------------------------------------------------------------------

def test_a_reader_never_sees_a_mixture_of_two_sets(tiny):
    """Sets are published while somebody reads: manifest and tables always belong together."""
    here()
    published = tiny / "reports/tiny/2026-03"
    stop, seen, wrong = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            folder = published.resolve()  # a reader that stays in the set it has opened
            manifest = json.loads((folder / "manifest.json").read_text())
            said = {p: d for entry in manifest["steps"].values() for p, d in entry["outputs"].items()}
            found = {f"tables/{p.name}": hashlib.sha256(p.read_bytes()).hexdigest() for p in (folder / "tables").iterdir()}
            seen.add(said["tables/market.parquet"])
            wrong.extend([said] if found != said else [])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for quantity in range(50, 54):
            (tiny / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", f"2026-02-11,{quantity}"))
            here()
    finally:
        stop.set()
        reader.join(10)
    assert not wrong and len(seen) > 1 and not reader.is_alive()


@pytest.mark.parametrize(("code", "remedy"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "mount it for writing"), (errno.EACCES, "right to read")])
@pytest.mark.parametrize("where", ["runner", "step"])
def test_a_disk_that_takes_nothing_is_told_plainly(tiny, sopnb, monkeypatch, code, remedy, where):
    here()
    before = tables(tiny / "reports/tiny/2026-03")

    def full(*_arguments, **_settings):
        raise OSError(code, os.strerror(code), "reports/tiny")

    monkeypatch.setattr(*((reuse, "write_manifest") if where == "runner" else (cycle, "save_table")), full)
    said = sopnb("run", "params/tiny.yaml", "--no-pages", "--force")
    assert said.code == (run.UNEXPECTED if where == "runner" else run.STEP_FAILED)
    assert os.strerror(code) in said.err and remedy in said.err and "earlier reports are untouched" in said.err
    assert where == "step" or "Traceback" not in said.err
    assert tables(tiny / "reports/tiny/2026-03") == before


def test_a_folder_of_reports_that_cannot_be_made_is_told_plainly(tiny, sopnb):
    (tiny / "reports").write_text("a file stands where the folder should be")
    said = sopnb("run", "params/tiny.yaml", "--no-pages")
    assert said.code == run.UNEXPECTED and "Not a directory" in said.err and "Traceback" not in said.err


def test_failed_runs_do_not_pile_up_and_never_take_the_published_set(tiny):
    here()
    write_notebook(tiny / "notebooks/05_meeting.ipynb", ["1 / 0"])
    for _ in range(4):
        with pytest.raises(kernels.StepFailed):
            here(force=True)
    assert len([p for p in (tiny / "reports/tiny/.runs").glob("2026-03-*T*") if p.is_dir()]) <= 3
    assert (tiny / "reports/tiny/2026-03/tables/conversions.parquet").is_file()


# --- in kernels -----------------------------------------------------------------------------------------------------

@pytest.fixture(autouse=True)
def cold(monkeypatch):
    """The tiny notebooks draw nothing: their kernels need not import what draws."""
    monkeypatch.setattr(kernels, "WARM", "pass")


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
    ("open('reached', 'w').close()\nimport time; time.sleep(300)", "deadline", "Deadline"),
])
def test_a_kernel_that_stops_early_never_counts_as_success(tiny, monkeypatch, cell, kind, error):
    class Deadline(threading.Timer):
        """It passes when the cell is reached: how fast a kernel starts does not matter."""

        def run(self) -> None:
            wait(lambda: self.finished.is_set() or (tiny / "notebooks/reached").exists(), 60)
            if not self.finished.is_set():
                self.function()

    monkeypatch.setattr(kernels.threading, "Timer", Deadline)
    write_notebook(tiny / "notebooks" / "01_collect.ipynb", [cell, *WORK["01_collect"]])
    with pytest.raises(kernels.StepFailed) as failed:
        run.run("params/tiny.yaml", pages=False, through="01")
    assert (failed.value.kind, failed.value.error, failed.value.cell) == (kind, error, 3)
    assert not (tiny / "reports/tiny/2026-03").exists()


class Running:
    """A run in kernels, in a process of its own, held up in a step."""

    def __init__(self, project: Path, step: str, command: str):
        write_notebook(project / "notebooks" / f"{step}.ipynb", ["open('reached', 'w').close()\nimport time; time.sleep(300)", *WORK[step]])
        code = f"import sys; from sopnb import cli, kernels, run; kernels.WARM = 'pass'; {command}"
        self.process = psutil.Popen([sys.executable, "-c", code], cwd=project, stdout=subprocess.DEVNULL)
        wait((project / "notebooks/reached").exists, 60)
        self.kernels = self.process.children(recursive=True)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def wait(until, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(until())


@pytest.mark.slow
def test_a_run_told_to_stop_stops_its_kernels(tiny):
    """SIGTERM, as a scheduler sends it: the kernel at work and the one being warmed are gone, and the exit code says so."""
    running = Running(tiny, "01_collect", "sys.argv[1:] = ['run', 'params/tiny.yaml']; cli.main()")
    assert len(running.kernels) == 2
    with pytest.raises(run.Busy, match=f"process {running.process.pid}"):
        here()
    assert running.end(signal.SIGTERM) == 143
    assert not psutil.wait_procs(running.kernels, timeout=15)[1]
    assert (events(tiny)[-1]["event"], events(tiny)[-1]["code"]) == ("run_failed", 143)
    assert not (tiny / "reports/tiny/2026-03").exists()


@pytest.mark.slow
def test_a_killed_run_leaves_no_kernel_and_is_resumed(tiny):
    """SIGKILL: nobody cleans up, so the kernels notice by themselves; the next run takes over what was finished."""
    with pytest.raises(kernels.StepFailed):  # 01 is done, in a run that was never published
        write_notebook(tiny / "notebooks/02_demand.ipynb", ["1 / 0"])
        here()
    running = Running(tiny, "02_demand", "run.run('params/tiny.yaml', pages=False)")
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert not psutil.wait_procs(running.kernels, timeout=15)[1]
    write_notebook(tiny / "notebooks/02_demand.ipynb", WORK["02_demand"])
    outcome = here()
    assert outcome.skipped == ["01_collect"] and "02_demand" in outcome.done


@pytest.mark.slow
def test_pages_of_an_earlier_cycle_can_be_made_later(tiny):
    """A backfill makes tables only. Its pages come when somebody asks, from the same tables, byte for byte."""
    here(cycle_month="2026-02")
    here(cycle_month="2026-03")
    early, late = tiny / "reports/tiny/2026-02", tiny / "reports/tiny/2026-03"
    before, untouched = tables(early), os.readlink(late)
    assert not (early / "index.html").exists()
    outcome = run.run("params/tiny.yaml", "2026-02")
    assert list(outcome.done) == list(run.CYCLE_STEPS)
    assert tables(early) == before and all((early / page).is_file() for page in ("index.html", "pack.html", *(f"{s}.html" for s in run.CYCLE_STEPS)))
    assert os.readlink(late) == untouched and here(cycle_month="2026-03").done == {}, "later cycles remember the same"


def test_exit_codes_tell_the_classes_of_failure_apart(tiny, sopnb):
    assert sopnb("run", "params/tiny.yaml", "--no-pages").code == run.OK
    assert sopnb("run", "params/tiny.yaml", "--wrong").code == run.USAGE
    assert sopnb("run", "params/missing.yaml").code == run.BAD_INPUT
    write_notebook(tiny / "notebooks" / "02_demand.ipynb", ["1 / 0"])
    assert sopnb("run", "params/tiny.yaml", "--no-pages").code == run.STEP_FAILED
