"""params: a misspelt setting is refused, never ignored; every problem in one list."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from sopnb import cycle, params, start
from sopnb.problems import Problems

GOOD = "name: Tiny\nsources:\n  orders: {path: o.csv}\n  items: {path: i.csv}\n"


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    with pytest.raises(Problems) as refused:
        params.load(path)
    return [str(p) for p in refused.value.problems]


def test_all_problems_come_in_one_list_with_the_nearest_name(tmp_path):
    found = problems(tmp_path, GOOD + "horizn_months: 12\ncurrency: rupiah\ndemand: {orgins: 3}\n")
    assert len(found) == 3
    text = "\n".join(found)
    assert "Did you mean horizon_months?" in text and "Did you mean origins?" in text and "'rupiah'" in text


@pytest.mark.parametrize(("text", "expected"), [
    ("name: x\nname: y\n", "the key name stands twice"),
    ("name: [x\n", "cannot be read as YAML"),
    ("? [a]\n: b\n", "cannot be read as YAML: found unhashable key"),
    (GOOD + "as_of: 2026-02-30\n", "cannot be read as YAML: day is out of range for month"),
    ("- a\n", "holds no parameters"),
    (GOOD.replace("orders", "ordrs"), "Did you mean orders?"),
    (GOOD.replace("path: o.csv", "path: o.csv, sql: SELECT 1"), "either path or sql"),
    (GOOD.replace("path: o.csv", "sql: SELECT 1, url: 'postgresql://u:secret@h/d'"), "reference to the environment"),
    (GOOD + "ledger: {url: 'postgresql://u:secret@h/d'}\n", "reference to the environment"),
    (GOOD + "latest_cycle: 2026-13\n", "latest_cycle"),
    (GOOD + "supply: {service: {A: 1.0, B: 0.95, C: 0}}\n", "between 0 and 1, both left out, as 0.98 for 98 %; not A 1, C 0"),
    (GOOD + "supply: {service: {}}\n", "names no class"),
    (GOOD + "demand: {adi: 0.5}\n", "demand.adi"),
    (GOOD + "supply: {distribution: weibull}\n", "'empirical'"),
    (GOOD + "scenarios: [{name: A, changes: [{change: demand, by: 0.1, first: 2027-13}]}]\n", "write it as YYYY-MM, such as 2027-01, or a day as 2027-01-11 (it is '2027-13')"),
    (GOOD + "scenarios: [" + 6 * "{name: A, changes: [{change: demand, by: 0.1}]}, " + "]\n", "scenarios: 6 are given. Allowed: at most 5. Take some out"),
    ("name: x\nsources:\n  stock: {path: s.csv}\n", "orders and items are required"),
])
def test_what_is_wrong_is_named(tmp_path, text, expected):
    assert any(expected in p for p in problems(tmp_path, text))


def test_a_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "acme.yaml").write_text(GOOD)
    with pytest.raises(Problems, match=r"Did you mean acme\?"):
        params.load(tmp_path / "acmee.yaml")


def test_unsafe_yaml_is_not_carried_out(tmp_path):
    found = problems(tmp_path, "name: !!python/object/apply:os.system ['true']\n")
    assert "cannot be read as YAML" in found[0]


def test_init_writes_a_params_file_that_is_valid_and_overwrites_nothing(tmp_path):
    written = start.init("acme", tmp_path)
    assert params.load(written[0]).name == "acme"
    assert (tmp_path / "data/acme/templates/orders.csv").read_text().startswith("order,line,item,")
    with pytest.raises(Problems, match="is there already"):
        start.init("acme", tmp_path)
    with pytest.raises(Problems, match="cannot be a file name"):
        start.init("../acme", tmp_path)


def test_the_optional_lines_of_a_new_params_file_are_valid_too(tmp_path):
    """What a user uncomments must work: every `  # source: {…}` line is read as a source."""
    path = start.init("acme", tmp_path)[0]
    lines = [line.replace("  # ", "  ", 1) if line.startswith("  # ") and "{path:" in line else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    from sopnb import frames

    assert set(params.load(path).sources) == set(frames.SOURCES)


def test_a_cycle_knows_its_months(tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "tiny.yaml").write_text(GOOD)
    c = cycle.open(str(tmp_path / "params" / "tiny.yaml"), "2026-10", horizon_months=3)
    assert (f"{c.origin:%Y-%m}", [f"{m:%Y-%m}" for m in c.months]) == ("2026-09", ["2026-10", "2026-11", "2026-12"])
    assert "DRAFT" in repr(c)
    with pytest.raises(cycle.NotRunYet, match=r"sopnb run params/tiny\.yaml --cycle 2026-10"):
        c.read("history")


def test_paths_take_the_cycle_and_named_folders(tmp_path):
    where = cycle.Places(tmp_path, tmp_path / "params" / "x.yaml")
    assert where.resolve("{extracts}/o.csv", "2026-10", {"extracts": "data/{cycle}"}) == tmp_path / "data/2026-10/o.csv"


def test_the_sources_known_to_the_parameters_are_those_of_the_frames():
    from sopnb import frames

    assert tuple(frames.SOURCES) == params.SOURCES


def test_parameters_and_places_are_found_without_the_libraries_of_tables():
    """A run with nothing to do may take a second; pandas alone takes half of one."""
    code = "import sys; from sopnb import run; sys.exit(', '.join({'pandas', 'pyarrow', 'sqlalchemy', 'nbconvert'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_one_room_says_which_day_it_is(tmp_path):
    """A cycle knows its own day; who sends knows the clock, unless the company stands still or the file says otherwise."""
    def company(extra: str = "") -> params.Company:
        (tmp_path / "c.yaml").write_text(GOOD + extra)
        return params.load(tmp_path / "c.yaml")

    usual = company("meeting: {day: 8}\n")
    assert (usual.day("2026-10"), usual.meeting_day("2026-12")) == (dt.date(2026, 10, 1), dt.date(2026, 12, 8))
    assert usual.today() == dt.date.today() and usual.today(dt.date(2020, 2, 29)) == dt.date(2020, 2, 29)
    assert company("latest_cycle: 2026-10\n").today() == dt.date(2026, 10, 1)
    fixed = company("latest_cycle: 2026-10\nas_of: 2026-10-05\n")
    assert fixed.today() == fixed.day("2026-10") == fixed.day("2026-03") == dt.date(2026, 10, 5)
