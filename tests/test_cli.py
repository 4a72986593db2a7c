"""The commands, as a person types them: what each says, what it does, and the exit code it ends with."""

from __future__ import annotations

import functools
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest
import typer
from tiny import WORK, add, here, write_notebook

from sopnb import cli, cycle, run
from sopnb.journal import Journal

COMMANDS = ["run", "recap", "check", "status", "init", "demo"]
GROUPS = {"actions": ["list", "show", "add", "start", "done", "drop", "move", "page", "export", "load"], "decisions": ["list", "judge"]}


# --- help -----------------------------------------------------------------------------------------------------------

def test_help_names_every_command_and_where_to_begin(sopnb):
    said = sopnb("--help")
    assert said.code == 0 and all(re.search(rf"│ {name} ", said.out) for name in [*COMMANDS, *GROUPS])
    assert "New here: sopnb demo" in said.out and "8 done, verdict red, mail held" in said.out


@pytest.mark.parametrize("words", [*((name,) for name in (*COMMANDS, *GROUPS)), *((group, verb) for group, verbs in GROUPS.items() for verb in verbs)], ids=" ".join)
def test_help_of_each_command_shows_an_example_that_would_run(sopnb, words):
    """Every example is parsed by the command line itself: an option that is renamed is renamed in its example, too."""
    said = sopnb(*words, "--help")
    example = re.search(r"Example: sopnb (.+)", said.out)
    assert said.code == 0 and example, said.out
    named = shlex.split(example[1].strip())
    assert named[:len(words)] == list(words)
    command = typer.main.get_command(cli.app)
    depth = 2 if named[0] in GROUPS else 1
    for word in named[:depth]:
        command = command.commands[word]
    command.make_context(words[-1], named[depth:], resilient_parsing=False)


def test_the_exit_codes_of_the_help_are_those_of_the_runner_and_the_readme(project):
    codes = {getattr(run, name) for name in ("OK", "UNEXPECTED", "USAGE", "BAD_INPUT", "STEP_FAILED", "DEADLINE", "KERNEL_DIED", "BUSY", "RED", "UNSENT")}
    assert {int(code) for code in re.findall(r"(\d) [a-z]", cli.CODES)} == codes
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d) \|", readme, flags=re.M)} == codes


@pytest.mark.parametrize("words", [("runn",), ("run",), ("run", "params/tiny.yaml", "--cycel", "2026-03"), ("actions", "done", "params/tiny.yaml"), ("demo", "--earlier", "12")])
def test_wrong_usage_has_its_own_code(tiny, sopnb, words):
    assert sopnb(*words).code == run.USAGE


# --- check, run, status ---------------------------------------------------------------------------------------------

def test_check_says_what_can_be_read_and_writes_nothing(tiny, sopnb):
    said = sopnb("check", "params/tiny.yaml")
    assert (said.code, said.out) == (run.OK, "Tiny, cycle 2026-03: parameters and 2 sources can be read.\n")
    assert not (tiny / "reports").exists()


def test_check_lists_everything_at_once_mail_included(tiny, sopnb):
    (tiny / "data/tiny/2026-03/items.csv").unlink()
    orders = tiny / "data/tiny/2026-03/orders.csv"
    orders.write_text(orders.read_text().replace("quantity", "qty"))
    add(tiny, "mail: {send: after_run, smtp: 'env:TINY_NOWHERE', sender: a@b.example}\n")
    said = sopnb("check", "params/tiny.yaml")
    assert said.code == run.BAD_INPUT
    assert all(word in said.err for word in ("items.csv", "quantity", "TINY_NOWHERE", "3 to mend"))


@pytest.mark.parametrize(("words", "wrong"), [
    (("check", "params/tinny.yaml"), "Did you mean tiny?"),
    (("run", "params/tiny.yaml", "--cycle", "March"), "'March' is not a month"),
    (("run", "params/tiny.yaml", "--set", "horizon_months"), "has no ="),
    (("run", "params/tiny.yaml", "--set", "horizn_months=3"), "Did you mean horizon_months?"),
    (("run", "params/tiny.yaml", "--from", "9"), "no step is called 9"),
    (("recap", "params/tiny.yaml"), "01_collect has not been run"),
    (("init", "tiny"), "tiny"),
])
def test_what_is_wrong_is_named_with_what_would_be_right(tiny, sopnb, words, wrong):
    said = sopnb(*words)
    assert said.code == run.BAD_INPUT and wrong in said.err and "Traceback" not in said.err


def test_run_tells_each_step_and_where_the_report_is(tiny, sopnb):
    said = sopnb("run", "params/tiny.yaml", "--no-pages")
    assert said.code == run.OK
    assert all(f"{step} done in" in said.out for step in run.CYCLE_STEPS) and "1 step left" in said.out and "the last step" in said.out
    assert said.out.splitlines()[-1] == f"Report: {tiny}/reports/tiny/2026-03/tables"
    again = sopnb("run", "params/tiny.yaml", "--no-pages")
    assert again.code == run.OK and again.out.startswith("Nothing changed: nothing to do")


def test_run_takes_a_notebooks_parameter(tiny, sopnb):
    sopnb("run", "params/tiny.yaml", "--no-pages", "--set", "horizon_months=3", "--through", "04")
    assert cycle.load_table(tiny / "reports/tiny/2026-03/tables/accounts.parquet", "accounts")["workload"][0] == 3


def test_status_before_the_first_run_says_how_to_begin(tiny, sopnb):
    assert "Start with: sopnb run params/tiny.yaml" in sopnb("status", "params/tiny.yaml").out


def test_status_shows_each_cycle_with_verdict_and_times(tiny, sopnb):
    here(cycle_month="2026-02")
    here(cycle_month="2026-03")
    here(cycle_month="2026-03", recap=True)
    lines = sopnb("status", "params/tiny.yaml").out.splitlines()
    february, march = (next(line for line in lines if month in line) for month in ("2026-02", "2026-03"))
    assert "published" in february and "green" in february and re.search(r"01 \d+\.\d  02 \d+\.\d", february)
    assert "recap made" in march and re.search(r"05 \d+\.\d  06 \d+\.\d", march), "the steps keep their times although the recap ran last"
    assert not any("needs" in line for line in lines)


def test_status_says_what_a_failed_run_needs(tiny, sopnb):
    here(cycle_month="2026-02")
    write_notebook(tiny / "notebooks/03_supply.ipynb", ["c.read('nothing_like_it')"])
    assert sopnb("run", "params/tiny.yaml", "--no-pages").code == run.STEP_FAILED
    said = sopnb("status", "params/tiny.yaml").out
    assert "not published; last run failed (exit code 4)" in said
    assert "2026-03 needs: 03_supply.ipynb, cell 3: NotRunYet: `nothing_like_it`" in said and "Run the earlier steps first." in said
    assert "then: sopnb run params/tiny.yaml --cycle 2026-03 (finished steps are kept)" in said


def test_status_tells_the_last_refusal_in_one_line_and_shows_no_cycle_for_it(tiny, sopnb):
    """Months that never could be planned are no cycles of the company."""
    here(cycle_month="2026-02")
    for nonsense in ("2022-01", "2030-01"):
        assert sopnb("run", "params/tiny.yaml", "--cycle", nonsense, "--no-pages").code == run.BAD_INPUT
    lines = sopnb("status", "params/tiny.yaml").out.splitlines()
    assert not any("2022-01" in line for line in lines)
    refusal = [line for line in lines if "2030-01" in line]
    assert len(refusal) == 1 and refusal[0].startswith("Last refusal: 2030-01, ") and "to mend" in refusal[0]
    assert refusal[0].endswith("sopnb check params/tiny.yaml --cycle 2030-01")


def test_status_forgets_a_refusal_once_its_cycle_has_run(tiny, sopnb):
    items = tiny / "data/tiny/2026-03/items.csv"
    kept = items.read_text()
    items.unlink()
    sopnb("run", "params/tiny.yaml", "--no-pages")
    said = sopnb("status", "params/tiny.yaml").out
    assert "Start with:" in said and "Last refusal: 2026-03" in said and "1 to mend" in said and "items.csv" in said
    items.write_text(kept)
    here(cycle_month="2026-03")
    assert "Last refusal" not in sopnb("status", "params/tiny.yaml").out


def test_status_tells_a_run_that_was_killed_from_one_under_way(tiny, sopnb):
    """A killed run leaves its journal open and its lock free."""
    here(cycle_month="2026-03")
    runs = tiny / "reports/tiny/.runs"
    Journal(runs / "journal.jsonl").write("run_started", cycle="2026-03", run="x", steps=[])
    said = sopnb("status", "params/tiny.yaml").out
    assert "last run was killed" in " ".join(said.split()) and "under way" not in said
    assert "then: sopnb run params/tiny.yaml --cycle 2026-03" in said
    holder = subprocess.Popen([sys.executable, "-c", f"from filelock import FileLock\nwith FileLock({str(runs / '2026-03.lock')!r}):\n print('held', flush=True)\n input()"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        said = sopnb("status", "params/tiny.yaml").out
        assert "under way" in said and "killed" not in said
    finally:
        holder.communicate("\n")


@pytest.mark.parametrize("command", ["run", "check", "recap"])
@pytest.mark.parametrize("empty", ["", " "])
def test_a_cycle_given_as_empty_is_refused(tiny, sopnb, command, empty):
    """`--cycle "$MONTH"` with MONTH unset must not plan whatever is latest."""
    said = sopnb(command, "params/tiny.yaml", "--cycle", empty)
    assert said.code == run.BAD_INPUT and "--cycle: is given and empty" in said.err
    assert not (tiny / "reports").exists()


def test_a_stop_from_outside_ends_in_its_own_code_without_kernels_too(tiny, sopnb):
    """A step in this process that is stopped is not a step that failed."""
    write_notebook(tiny / "notebooks/01_collect.ipynb", [f"import os; os.kill({os.getpid()}, {int(signal.SIGTERM)})", *WORK["01_collect"]])
    assert sopnb("run", "params/tiny.yaml", "--no-pages").code == 143
    assert "failed (exit code 143)" in sopnb("status", "params/tiny.yaml").out


def test_an_interrupted_run_says_what_is_kept(tiny, sopnb):
    write_notebook(tiny / "notebooks/02_demand.ipynb", ["raise KeyboardInterrupt"])
    said = sopnb("run", "params/tiny.yaml", "--no-pages")
    assert said.code == 130


def test_recap_publishes_beside_the_pack(tiny, sopnb, monkeypatch):
    here()
    monkeypatch.setattr(run, "run", functools.partial(run.run, in_kernel=False))  # the recap's page is another test's
    said = sopnb("recap", "params/tiny.yaml", "--cycle", "2026-03")
    assert said.code == run.OK and "06_recap done in" in said.out and "05_meeting unchanged" not in said.err
    assert (tiny / "reports/tiny/2026-03/tables/intelligence.parquet").is_file()


def test_init_writes_a_company_that_check_understands(tiny, sopnb):
    said = sopnb("init", "acme")
    assert said.code == run.OK and (tiny / "params/acme.yaml").is_file() and "sopnb check params/acme.yaml" in said.out
    checked = sopnb("check", "params/acme.yaml", "--cycle", "2026-03")
    assert checked.code == run.BAD_INPUT and "orders" in checked.err, "its extracts are still empty, and that is what it says"


# --- demo -----------------------------------------------------------------------------------------------------------

def test_demo_can_stop_after_its_extracts(tiny, sopnb, monkeypatch):
    from sopnb import demo

    monkeypatch.setattr(demo, "generate", lambda folder: (folder / "2026-10").mkdir(parents=True))
    assert f"Extracts: {tiny}/data/demo" in sopnb("demo", "--data-only").out
    assert "Making" not in sopnb("demo", "--data-only").out, "made once"
