"""`sopnb agenda` and `sopnb assumptions`: what people say between the run and the meeting, and what of it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sopnb import agenda, cli, cycle, frames, ledger

PARAMS = """
name: Acme
latest_cycle: "2026-10"
sources: {orders: {path: orders.csv}, items: {path: items.csv}}
meeting: {minutes: 30}
assumptions: [{id: S1, text: Sugar is cheap, owner: p01, amount: -5, due: 2026-09-15}]
"""


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company whose agenda has been run, without the steps before it."""
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "params" / "acme.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    tables = tmp_path / "reports" / "acme" / "2026-10" / "tables"
    tables.mkdir(parents=True)
    points = agenda.agenda(insights=pd.DataFrame({"amount": [50.0]}), minutes=30, month="2026-09")
    cycle.save_table(frames.conform(points, frames.AGENDA), tables / "agenda.parquet", "agenda")
    return tmp_path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return str(done.exception)
    return done.output


def book(company: Path) -> ledger.Ledger:
    return ledger.open(None, company / "reports" / "acme")


def test_points_are_listed_dropped_moved_added_and_restored(company: Path):
    assert [row["key"] for row in json.loads(run("agenda", "list", "params/acme.yaml", "--json"))] == ["jumps", "close"]
    assert "jumps: dropped" in run("agenda", "drop", "params/acme.yaml", "p01", "--who", "dewi")
    assert "close: moved" in run("agenda", "move", "params/acme.yaml", "close", "--minutes", "9", "--to", "1", "--who", "dewi")
    assert "own-visit: added" in run("agenda", "add", "params/acme.yaml", "Visit!", "--part", "now", "--who", "dewi")
    said = book(company).agenda("2026-10")
    assert said[["verb", "point"]].to_numpy().tolist() == [["drop", "jumps"], ["move", "close"], ["add", "own-visit"]]
    assert (said["amount"][0], said["who"][0], said["part"][2], said["minutes"][1]) == (50.0, "dewi", "now", 9.0)
    assert "jumps: restored" in run("agenda", "restore", "params/acme.yaml", "jumps")
    assert "own-visit-2: added" in run("agenda", "add", "params/acme.yaml", "Visit"), "a second point of the same words is another one"
    assert "drop jumps" in run("agenda", "list", "params/acme.yaml")


def test_dropped_again_after_it_was_restored_it_is_dropped(company: Path):
    """The same words on the same day are said twice: the last word counts."""
    for verb in ("drop", "restore", "drop"):
        run("agenda", verb, "params/acme.yaml", "jumps", "--who", "dewi")
    assert book(company).agenda("2026-10")["verb"].tolist() == ["drop", "restore", "drop"]


@pytest.mark.parametrize(("arguments", "told"), [
    (("drop", "params/acme.yaml", "jump"), "Did you mean jumps"), (("move", "params/acme.yaml", "jumps"), "nothing to change"),
    (("add", "params/acme.yaml", "!!"), "holds no word"), (("add", "params/acme.yaml", "x", "--part", "noww"), "Did you mean now"),
    (("move", "params/acme.yaml", "jumps", "--minutes", "31"), "31 is more than the meeting has"), (("restore", "params/acme.yaml", "jumps"), "nobody changed jumps"),
    (("list", "params/acme.yaml", "--cycle", "2026-11"), "has no agenda yet"),
])
def test_what_cannot_be_is_refused_and_nothing_is_recorded(company: Path, arguments: tuple[str, ...], told: str):
    assert told in run("agenda", *arguments)
    assert book(company).everything().empty


def test_after_the_meeting_its_agenda_is_closed(company: Path):
    book(company).record([ledger.event("held", "2026-10", day="2026-10-08", cycle="2026-10", origin="minutes:2026-10")])
    assert "was held on 2026-10-08" in run("agenda", "drop", "params/acme.yaml", "jumps", "--as-of", "2026-10-09")


def test_the_step_of_the_meeting_sees_the_change_and_no_other(company: Path):
    before = {step: book(company).digest("2026-10-01", agenda=name) for step, name in (("04", None), ("05", "2026-10"), ("next", "2026-11"))}
    run("agenda", "drop", "params/acme.yaml", "jumps", "--as-of", "2026-10-06")
    after = {step: book(company).digest("2026-10-01", agenda=name) for step, name in (("04", None), ("05", "2026-10"), ("next", "2026-11"))}
    assert {step for step in before if before[step] != after[step]} == {"05"}


def test_assumptions_are_listed_written_down_and_judged(company: Path):
    rows = json.loads(run("assumptions", "list", "params/acme.yaml", "--overdue", "--json", "--as-of", "2026-10-01"))
    assert [(row["assumption"], row["overdue_days"]) for row in rows] == [("S1", 16)]
    assert "S2: written down" in run("assumptions", "add", "params/acme.yaml", "Glass is on time", "--owner", "p02", "--due", "2026-12-31", "--as-of", "2026-10-01")
    assert "S1: failed, where it was open" in run("assumptions", "judge", "params/acme.yaml", "S1", "failed", "--note", "19 since July", "--as-of", "2026-10-01")
    states = {row["assumption"]: row["state"] for row in json.loads(run("assumptions", "list", "params/acme.yaml", "--json", "--as-of", "2026-10-02"))}
    assert states == {"S1": "failed", "S2": "open"}
    assert "Did you mean failed" in run("assumptions", "judge", "params/acme.yaml", "S1", "faild", "--as-of", "2026-10-02")
    assert "there is no assumption S9" in run("assumptions", "judge", "params/acme.yaml", "S9", "held", "--as-of", "2026-10-02")
