"""Overrides on their way: the form, what people filled in, one table of many people's words, and its history."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from helpers import frame
from hostile import TEXTS
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from tiny import add

from sopnb import csv_text, cycle, frames, overrides, overrides_form, overrides_kept, overrides_said, parsing, vetting
from sopnb.problems import Problems

LOCALE = {"decimal": ".", "thousands": "", "dates": "yyyy-mm-dd", "months": "en", "delimiter": ",", "encoding": "utf-8"}
ALLOWED = overrides_said.Allowed(
    items=frozenset({"A-1", "B-2"}), families=frozenset({"Tea", "Tin"}), locations=frozenset({"JKT", "SBY"}), months=frames.months("2026-10", 6),
    owners=frozenset({"dewi", "budi"}), reasons=("contract", "price"), day=pd.Timestamp("2026-10-01"))
HEAD = "level,key,location,month,kind,value,reason,note,owner,expires"


def table(*rows: str) -> pd.DataFrame:
    """Overrides from `override level key location month kind value owner made_on`."""
    made = frame("override level key location month kind value owner made_on", *rows)
    return frames.conform(made.assign(reason="contract", expires=made["month"] + pd.offsets.MonthEnd(0)), frames.OVERRIDES)


def said(*rows: str) -> pd.DataFrame:
    """What a file says: `level key location month kind value owner`."""
    made = frame("level key location month kind value owner", *rows)
    return made.assign(override=None, reason="contract", note=None, made_on=pd.NaT, expires=made["month"] + pd.offsets.MonthEnd(0), file="a.csv", row=range(2, len(made) + 2))


def written(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def read(*paths: Path, allowed: overrides_said.Allowed = ALLOWED, **locale) -> pd.DataFrame:
    return overrides_said.read(paths, locale={**LOCALE, **locale}, allowed=allowed)


def told(*paths: Path, **locale) -> list[str]:
    with pytest.raises(Problems) as found:
        read(*paths, **locale)
    return [str(problem) for problem in found.value.problems]


# --- what people filled in ------------------------------------------------------------------------------------------

def test_rows_without_kind_value_reason_and_note_are_no_overrides(tmp_path):
    """A form comes with its keys, owner and expiry filled in; only what somebody wrote counts."""
    file = written(tmp_path / "a.csv", "item,A-1,JKT,2026-11,,,,,dewi,", "item,A-1,SBY,2026-11,delta,50,contract,New shop,dewi,", "total,,,2026-10,percent,5%,price,,budi,2026-10-20")
    found = read(file)
    assert found[["level", "key", "location", "kind", "value", "owner", "row"]].fillna("-").values.tolist() == [
        ["item", "A-1", "SBY", "delta", 50, "dewi", 3], ["total", "-", "all", "percent", 0.05, "budi", 4]]
    assert found["expires"].dt.strftime("%Y-%m-%d").tolist() == ["2026-11-30", "2026-10-20"], "without a day, the end of its month"


@pytest.mark.parametrize(("row", "column", "wrong", "help"), [
    ("sku,A-1,,2026-10,delta,5,contract,,dewi,", "level", "'sku' is not a level", "item, family, location, total"),
    ("item,A-11,,2026-10,delta,5,contract,,dewi,", "key", "'A-11' is no item code of the plan", "Did you mean A-1?"),
    ("family,Te,,2026-10,delta,5,contract,,dewi,", "key", "'Te' is no family of the plan", "Did you mean Tea?"),
    ("location,,,2026-10,delta,5,contract,,dewi,", "key", "is empty", "a location"),
    ("total,Tea,,2026-10,delta,5,contract,,dewi,", "key", "'Tea' cannot stand beside level total", "an empty key"),
    ("item,A-1,BDG,2026-10,delta,5,contract,,dewi,", "location", "'BDG' is no location of the plan", "JKT, SBY, all"),
    ("item,A-1,,2026-09,delta,5,contract,,dewi,", "month", "'2026-09' is not planned in this cycle", "2026-10 to 2027-03"),
    ("item,A-1,,soon,delta,5,contract,,dewi,", "month", "'soon' is not a date", "yyyy-mm"),
    ("item,A-1,,,delta,5,contract,,dewi,", "month", "is empty", "2026-10 to 2027-03"),
    ("item,A-1,,2026-10,set,5,contract,,dewi,", "kind", "'set' is not a kind of override", "absolute, delta, percent"),
    ("item,A-1,,2026-10,delta,five,contract,,dewi,", "value", "'five' is not a number", "decimal ."),
    ("item,A-1,,2026-10,delta,,contract,,dewi,", "value", "is empty", "units"),
    ("item,A-1,,2026-10,percent,10,contract,,dewi,", "value", "'10' is too much for a percent, a fraction", "Write 0.10 or 10% for ten per cent"),
    ("item,A-1,,2026-10,absolute,-5,contract,,dewi,", "value", "'-5' is below zero", "Choose kind delta"),
    ("item,A-1,,2026-10,delta,5,,,dewi,", "reason", "is empty", "contract, price"),
    ("item,A-1,,2026-10,delta,5,contrct,,dewi,", "reason", "'contrct' is not a reason of the params file", "Did you mean contract?"),
    ("item,A-1,,2026-10,delta,5,contract,,,", "owner", "is empty", "the person who answers for it"),
    ("item,A-1,,2026-10,delta,5,contract,,zoe,", "owner", "'zoe' is not known", "--new-owner zoe"),
    ("item,A-1,,2026-10,delta,5,contract,,dewi,2026-09-30", "expires", "'2026-09-30' is over already", "the end of its month"),
])
def test_each_slip_is_told_with_its_place_what_is_allowed_and_what_to_do(tmp_path, row, column, wrong, help):
    problems = told(written(tmp_path / "a.csv", "item,A-1,JKT,2026-10,delta,1,contract,,dewi,", row))
    assert len(problems) == 1 and problems[0].startswith(f"a.csv, row 3, {column}: {wrong}") and help in problems[0]


def test_all_slips_of_all_files_come_in_one_list(tmp_path):
    one = written(tmp_path / "a.csv", "sku,A-1,,2026-10,delta,five,contract,,dewi,", "item,A-1,,2026-10,delta,5,contract,,dewi,")
    other = written(tmp_path / "b.csv", "item,A-1,,2026-10,delta,5,,,budi,")
    none = written(tmp_path / "c.csv", "x,y", head="item,qty")
    found = told(one, other, none, tmp_path / "d.xlsx")
    assert [re.split(r", row|:", problem)[0] for problem in found[:3]] == ["a.csv", "a.csv", "b.csv"]
    assert "has no column level, key, month" in found[3] and "sopnb overrides template" in found[3] and "d.xlsx" in found[4] and len(found) == 5


def test_a_person_says_one_thing_of_a_row_in_a_file(tmp_path):
    problems = told(written(tmp_path / "a.csv", "location,JKT,,2026-10,delta,5,contract,,dewi,", "total,,JKT,2026-10,delta,6,contract,,dewi,"))
    assert len(problems) == 1 and "row 3, value: speaks of what row 2 speaks of" in problems[0], "a location is a location, however it is said"


def test_nor_does_a_person_say_two_things_of_a_row_in_two_files(tmp_path):
    """Which is the later word nobody can tell, and loading both again would change it back and forth. The same word twice is one."""
    one = written(tmp_path / "a.csv", "item,A-1,,2026-10,delta,5,contract,,dewi,", "item,B-2,,2026-10,delta,5,contract,,dewi,")
    other = written(tmp_path / "b.csv", "item,B-2,,2026-10,delta,5,contract,,dewi,", "item,A-1,all,2026-10,delta,6,contract,,dewi,")
    assert [problem.split(". ")[0] for problem in told(one, other)] == ["b.csv, row 3, value: speaks of what row 2 of a.csv speaks of, and says something else"]


def test_a_text_file_is_read_as_the_company_writes(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("\ufeff" + HEAD.replace(",", ";") + "\nitem;A-1;JKT;05/11/2026;delta;1.250,5;contract;;dewi;30/11/2026\n", encoding="utf-8")
    found = read(file, decimal=",", thousands=".", dates="dd/mm/yyyy", delimiter=";")
    assert found[["month", "value"]].values.tolist() == [[pd.Timestamp("2026-11-01"), 1250.5]]


# --- one table of many people's words -------------------------------------------------------------------------------

def test_a_later_word_replaces_the_earlier_and_two_people_contradict_each_other():
    before = table("O1 item A-1 all 2026-10 delta 10 dewi 2026-09-20", "O2 item B-2 all 2026-10 delta 10 dewi 2026-09-20", "O3 family Tea all 2026-11 percent 0.1 dewi 2026-09-20")
    now = said("item A-1 all 2026-10 delta 12 dewi", "item B-2 all 2026-10 delta 99 budi", "family Tea all 2026-11 percent 0.1 budi", "item A-1 JKT 2026-10 delta 1 budi")
    merged = overrides.merge(before, now, day="2026-10-01", as_of="2026-10-01")
    assert merged.counts == {"added": 3, "revised": 1, "unchanged": 0, "agreed": 1}
    assert merged.table.set_index("override")["value"].to_dict() == {"O1": 12, "O2": 10, "O3": 0.1, "OV-2610-01": 99, "OV-2610-02": 0.1, "OV-2610-03": 1}
    assert merged.conflicts["override"].tolist() == ["O2", "OV-2610-01"], "what two people say alike is no conflict, nor is what they say of a place and of all"
    assert merged.log["change"].tolist() == ["was", "revised", "added", "added", "added"]


def test_loading_again_changes_nothing_on_a_later_day_too():
    before = table("O1 item A-1 all 2026-10 delta 10 dewi 2026-09-20")
    once = overrides.merge(before, said("item A-1 all 2026-10 delta 12 dewi", "item B-2 all 2026-10 delta 99 budi"), day="2026-10-01", as_of="2026-10-01")
    again = overrides.merge(once.table, said("item A-1 all 2026-10 delta 12 dewi", "item B-2 all 2026-10 delta 99 budi"), day="2026-10-09", as_of="2026-10-01")
    assert again.log.empty and again.counts["unchanged"] == 2 and again.table.equals(once.table)


def test_an_expired_word_is_no_party_to_a_conflict_and_keeps_its_number():
    before = table("OV-2610-01 item A-1 all 2026-10 delta 10 dewi 2026-09-20").assign(expires=pd.Timestamp("2026-09-30"))
    merged = overrides.merge(before, said("item A-1 all 2026-10 delta 12 budi", "item A-1 all 2026-10 delta 14 dewi"), day="2026-10-01", as_of="2026-10-01", taken=["OV-2610-02"])
    assert merged.table["override"].tolist() == ["OV-2610-01", "OV-2610-03", "OV-2610-04"] and merged.conflicts["override"].tolist() == ["OV-2610-03", "OV-2610-04"]


WORDS = st.lists(st.tuples(st.sampled_from(["item A-1 all", "item A-1 JKT", "family Tea all", "total - all"]), st.sampled_from(["delta 5", "delta 7", "percent 0.1"]),
                           st.sampled_from(["dewi", "budi"])), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(loads=st.lists(WORDS, min_size=1, max_size=4), out=st.integers(0, 3))
def test_the_history_gives_what_stands_and_nothing_said_is_lost(loads, out):
    """Whatever is loaded, in whatever order, and taken out: the history replays to the table, and every word stands in one of them."""
    now, log = frames.empty(frames.OVERRIDES), []
    for load in loads:
        merged = overrides.merge(now, said(*[f"{cell} 2026-11 {word} {owner}" for cell, word, owner in load]), day="2026-10-01", as_of="2026-10-01")
        now, log = merged.table, [*log, merged.log]
    gone = overrides.take_out(now, list(now["override"][:out]), day="2026-10-02", why="withdrawn")
    history = pd.concat([part for part in [*log, gone.log] if len(part)], ignore_index=True)
    assert overrides.replay(history).equals(gone.table)
    kept = {(row["level"], row["location"], row["kind"], row["value"], row["owner"]) for row in history.to_dict("records")}
    assert kept == {(cell.split()[0], cell.split()[2], word.split()[0], float(word.split()[1]), owner) for load in loads for cell, word, owner in load}
    assert not now.duplicated([*overrides.CELL, "owner"]).any(), "one word of a person on a row"


# --- where they are kept --------------------------------------------------------------------------------------------

def setting(path: Path, **given) -> dict:
    return {"path": str(path), "sheet": None, "columns": {}, "defaults": {}, "sql": None, "files": {}, "url": None, "fresh_days": 40, "folders": [], **LOCALE, **given}


def load(source: dict, now: pd.DataFrame, *, day: str = "2026-10-01") -> Path | None:
    before = overrides_kept.standing(source)
    merged = overrides.merge(before, now, day=day, as_of="2026-10-01", taken=overrides_kept.numbers(source))
    return overrides_kept.land(source, merged, before, instead=Path(source.get("instead", "unused")))


def test_a_text_file_keeps_its_other_rows_columns_and_ways_of_writing(tmp_path):
    """Semicolons, a decimal comma, days as 05 Okt 2026, our columns under their names, a column of their own, a row that cannot be used."""
    path = tmp_path / "ubah.csv"
    path.write_bytes("\ufeffno;tingkat;kode;gudang;bulan;cara;nilai;alasan;catatan;oleh;tgl;akhir;cek\r\n"
                     "7;item;A-1;JKT;2026-10;delta;10,5;contract;;dewi;20 Sep 2026;31 Okt 2026;ok\r\n"
                     "8;item;A-1;JKT;kapan;delta;banyak;contract;;dewi;20 Sep 2026;;?\r\n".encode())
    theirs = ["no", "tingkat", "kode", "gudang", "bulan", "cara", "nilai", "alasan", "catatan", "oleh", "tgl", "akhir"]
    columns = dict(zip(frames.OVERRIDES.names, theirs, strict=True))
    source = setting(path, columns=columns, delimiter=";", decimal=",", thousands=".", dates="dd mmm yyyy", months="id")
    assert load(source, said("item A-1 JKT 2026-10 delta 12.25 dewi", "family Tea all 2026-12 percent 0.1 budi")) == path
    assert path.read_bytes().decode().split("\r\n") == [
        "\ufeffno;tingkat;kode;gudang;bulan;cara;nilai;alasan;catatan;oleh;tgl;akhir;cek",
        "7;item;A-1;JKT;01 Okt 2026;delta;12,25;contract;;dewi;01 Okt 2026;31 Okt 2026;ok",
        "8;item;A-1;JKT;kapan;delta;banyak;contract;;dewi;20 Sep 2026;;?",
        "OV-2610-01;family;Tea;all;01 Des 2026;percent;0,1;contract;;budi;01 Okt 2026;31 Des 2026;", ""]
    before, history = path.read_bytes(), overrides_kept.history_file(path).read_bytes()
    assert load(source, said("item A-1 JKT 2026-10 delta 12.25 dewi", "family Tea all 2026-12 percent 0.1 budi"), day="2026-10-05") is None
    assert (path.read_bytes(), overrides_kept.history_file(path).read_bytes()) == (before, history)
    assert overrides_kept.history_file(path).name == "ubah.history.csv" and not list(tmp_path.glob(".*"))
    assert overrides.replay(overrides_kept.history(path)).equals(overrides_kept.standing(source))


def test_a_source_without_a_file_yet_gets_one(tmp_path):
    source = setting(tmp_path / "overrides.csv.gz")
    load(source, said("total - all 2026-10 percent -0.02 dewi"))
    assert overrides_kept.standing(source)[["override", "value"]].values.tolist() == [["OV-2610-01", -0.02]]


def test_a_column_that_the_file_lacks_is_asked_for_and_nothing_is_lost(tmp_path):
    path = written(tmp_path / "o.csv", "O1,item,A-1,2026-10,delta,5,contract,dewi,2026-09-20", head="override,level,key,month,kind,value,reason,owner,made_on")
    with pytest.raises(Problems, match="has no column for location, expires"):
        load(setting(path), said("item A-1 JKT 2026-11 delta 9 dewi"))
    assert len(overrides_kept.standing(setting(path))) == 1 and not overrides_kept.history_file(path).exists()


def workbook(path: Path, *, formula: bool = False, more: str = "") -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Ubah")
        sheet.write_row(0, 0, [*frames.OVERRIDES.names, "mine"])
        sheet.write_row(1, 0, ["O1", "item", "A-1", "JKT", "2026-10-01", "delta", 5, "contract", "", "dewi", "2026-09-20", "2026-10-31", "keep"])
        if formula:
            sheet.write_formula(2, 6, "=1+1")
        if more:
            book.add_worksheet(more)
    return path


def test_a_workbook_is_written_anew_and_refused_where_something_would_be_lost(tmp_path):
    source = setting(workbook(tmp_path / "o.xlsx"), sheet="Ubah")
    load(source, said("item A-1 JKT 2026-10 delta 8 dewi", "total - all 2026-11 delta 9 budi"))
    cells = CalamineWorkbook.from_path(str(tmp_path / "o.xlsx")).get_sheet_by_name("Ubah").to_python()
    assert [row[6] for row in cells[1:]] == [8, 9] and [row[12] for row in cells] == ["mine", "keep", ""]
    assert overrides_kept.standing(source)["month"].tolist() == [pd.Timestamp("2026-10-01"), pd.Timestamp("2026-11-01")]
    for wrong in ({"formula": True}, {"more": "Notes"}):
        path = workbook(tmp_path / "x.xlsx", **wrong)
        there = path.read_bytes()
        with pytest.raises(Problems, match="which writing it anew would lose"):
            load(setting(path, sheet="Ubah"), said("total - all 2026-11 delta 9 budi"))
        assert path.read_bytes() == there


NOTES = [text for text in parsing.words(pd.Series(TEXTS, dtype=object)) if text and not vetting.UNSEEN.search(text)]  # as the house reads what people type


def hostile() -> pd.DataFrame:
    """An override a month, each with a note that a spreadsheet would compute, send or break on."""
    now = said(*(f"total - all {month:%Y-%m} delta 9 budi" for month in pd.date_range("2026-10-01", periods=len(NOTES), freq="MS")))
    return now.assign(note=NOTES)


@pytest.mark.parametrize("name", ["o.xlsx", "o.csv"])
def test_whatever_a_note_holds_it_is_kept_and_read_again(tmp_path, name):
    source = setting(tmp_path / name)
    load(source, hostile())
    kept = overrides_kept.standing(source)
    assert dict(zip(kept["month"], kept["note"], strict=True)) == dict(zip(hostile()["month"], NOTES, strict=True))
    history = overrides_kept.history(tmp_path / name)
    assert history["note"].tolist() == NOTES and overrides.replay(history).equals(kept)
    again = hostile().assign(value=10.0)
    load(source, again, day="2026-10-05")
    assert overrides_kept.standing(source)["value"].unique().tolist() == [10.0] and overrides_kept.history(tmp_path / name)["note"].tolist() == [*NOTES, *(note for note in NOTES for _ in "12")]
    assert not formulas(overrides_kept.history_file(tmp_path / name).read_bytes().decode())


def formulas(text: str) -> list[str]:
    """Cells that a spreadsheet would compute, whichever sign its country parts cells by."""
    cells = [cell for sign in ",;\t" for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign) for cell in row]
    return [cell for cell in cells if cell.lstrip(" \u00a0").startswith(tuple("=+-@＝＋－＠"))]


def test_a_workbook_keeps_long_numbers_of_other_columns_and_marked_texts(tmp_path):
    path = tmp_path / "o.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Ubah")
        sheet.write_row(0, 0, [*frames.OVERRIDES.names, "mine"])
        sheet.write_row(1, 0, ["O1", "item", "A-1", "JKT", "2026-10-01", "delta", 5, "contract", "", "dewi", "2026-09-20", "2026-10-31"])
        sheet.write_number(1, 12, 1e20)
    load(setting(path, sheet="Ubah"), said("total - all 2026-11 delta 9 budi").assign(note="<r>&broken</r>"))
    head, first, second = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Ubah").to_python()
    assert head[12] == "mine" and float(first[12]) == 1e20 and second[8] == "<r>&broken</r>"


def test_what_is_to_be_imported_opens_in_a_spreadsheet_without_computing(tmp_path, monkeypatch):
    monkeypatch.setattr(overrides_kept, "writable", lambda setting: None)
    merged = overrides.merge(table().iloc[:0], hostile(), day="2026-10-01", as_of="2026-10-01", taken=set())
    out = overrides_kept.land({}, merged, table().iloc[:0], instead=tmp_path / "import.csv")
    text = out.read_bytes().decode()
    assert not formulas(text) and [csv_text.plain(row["note"]) for row in csv.DictReader(io.StringIO(text, newline=""))] == NOTES


def test_a_database_is_never_written_to(tmp_path, monkeypatch):
    """What is to be imported there goes to a file; when it is there, loading again changes nothing."""
    import sqlite3

    base = tmp_path / "erp.db"
    with sqlite3.connect(base) as con:
        table("O1 item A-1 JKT 2026-10 delta 5 dewi 2026-09-20").to_sql("ubah", con, index=False)
    con.close()
    monkeypatch.setenv("ERP_URL", f"sqlite:///{base}")
    source = {**setting(tmp_path / "x"), "path": None, "sql": "SELECT * FROM ubah", "url": "env:ERP_URL", "dates": "yyyy-mm-dd", "instead": str(tmp_path / "out" / "import.csv")}
    there, now = base.read_bytes(), said("item A-1 JKT 2026-10 delta 5 dewi", "total - all 2026-11 delta 9 budi")
    path = load(source, now)
    assert path == tmp_path / "out" / "import.csv" and base.read_bytes() == there
    to_import = pd.read_csv(path)
    assert to_import[["override", "value"]].values.tolist() == [["OV-2610-01", 9]]
    with sqlite3.connect(base) as con:
        to_import.to_sql("ubah", con, index=False, if_exists="append")
    con.close()
    assert load(source, now) is None


def test_a_file_that_somebody_else_changed_meanwhile_is_left_alone(tmp_path):
    source = setting(written(tmp_path / "o.csv", "O1,item,A-1,JKT,2026-10,delta,5,contract,,dewi,2026-09-20,", head="override," + HEAD.replace(",expires", ",made_on,expires")))
    before = overrides_kept.standing(source)
    merged = overrides.merge(before, said("total - all 2026-11 delta 9 budi"), day="2026-10-01", as_of="2026-10-01")
    load(source, said("total - all 2026-12 delta 1 dewi"))
    with pytest.raises(Problems, match="was changed by somebody else just now"):
        overrides_kept.land(source, merged, before, instead=tmp_path)


def test_a_try_stopped_between_history_and_file_is_taken_up_again(tmp_path, monkeypatch):
    source = setting(tmp_path / "o.csv")
    real = overrides_kept._replace
    monkeypatch.setattr(overrides_kept, "_replace", lambda path, data: real(path, data) if "history" in path.name else (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        load(source, said("total - all 2026-11 delta 9 budi"))
    assert overrides_kept.standing(source).empty
    monkeypatch.setattr(overrides_kept, "_replace", real)
    load(source, said("total - all 2026-11 delta 9 budi"))
    assert len(overrides_kept.history(tmp_path / "o.csv")) == len(overrides_kept.standing(source)) == 1


# --- the form -------------------------------------------------------------------------------------------------------

FORECAST = frame("item location month baseline lo80 hi80", "A-1 JKT 2026-10 60 50 70", "A-1 SBY 2026-10 40 30 50", "B-2 JKT 2026-10 10 0 20").assign(model="ETS")
ITEMS = frame("item name family unit_price", "A-1 Tea-bag Tea 10", "B-2 Green Tea 5")


def test_the_form_shows_total_families_and_series_with_what_stands_and_what_is_usual():
    """A-1 missed by +30 and −10 at its two places, then by 10 and 10: the item's places usually by 20 and 10, the family by 20."""
    errors = frame("item location origin lag error", "A-1 JKT 2026-06 1 30", "A-1 SBY 2026-06 1 -10", "A-1 JKT 2026-07 1 10", "A-1 SBY 2026-07 1 10")
    last = frame("item location month consensus", "A-1 JKT 2026-10 55", "A-1 SBY 2026-10 45")
    found = overrides_form.rows(FORECAST, ITEMS, months=frames.months("2026-10", 1), last_plan=last, errors=errors, top=2,
                                standing=table("O1 item A-1 SBY 2026-10 percent 0.1 dewi 2026-09-20", "O2 location JKT all 2026-10 delta 5 budi 2026-09-20"))
    assert found[["level", "key", "location", "baseline", "last plan", "usual error", "standing"]].fillna("-").values.tolist() == [
        ["total", "-", "all", 110, 100, 20, "-"], ["family", "Tea", "all", 110, 100, 20, "-"],
        ["item", "A-1", "JKT", 60, 55, 20, "-"], ["item", "A-1", "SBY", 40, 45, 10, "dewi +10.0%"]]


def fill(form: Path, to: Path, **cells: dict) -> Path:
    """The form as a person saves it: its sheets read, some cells of `Overrides` filled in by row number, written again."""
    book = CalamineWorkbook.from_path(str(form))
    with xlsxwriter.Workbook(str(to)) as out:
        date = out.add_format({"num_format": "yyyy-mm-dd"})
        for name in book.sheet_names:
            rows, sheet = book.get_sheet_by_name(name).to_python(skip_empty_area=False), out.add_worksheet(name)
            for n, row in enumerate(rows):
                row = [cells.get(f"row{n + 1}", {}).get(head, value) for head, value in zip(rows[0], row, strict=True)] if name == "Overrides" else row
                for column, value in enumerate(row):
                    sheet.write_datetime(n, column, value, date) if hasattr(value, "year") else sheet.write(n, column, value)
    return to


def test_a_form_that_was_filled_in_comes_back_as_overrides(tmp_path):
    months = frames.months("2026-10", 1)
    form = overrides_form.write(tmp_path / "form.xlsx", overrides_form.rows(FORECAST, ITEMS, months=months), title="Acme", months=months, last=frames.month("2027-03"),
                                owner="dewi", reasons=["contract"], owners=["dewi"], locations=["JKT", "SBY"])
    assert read(form).empty, "as it was handed out it says nothing"
    assert CalamineWorkbook.from_path(str(form)).sheet_names == ["Start", "Overrides", "Lists"]
    filled = fill(form, tmp_path / "dewi.xlsx", row2={"kind": "percent", "value": 0.05, "reason": "contract"}, row4={"kind": "absolute", "value": 75, "reason": "contract", "note": "New shop"})
    assert read(filled)[["level", "key", "location", "kind", "value", "owner"]].fillna("-").values.tolist() == [
        ["total", "-", "all", "percent", 0.05, "dewi"], ["item", "A-1", "JKT", "absolute", 75, "dewi"]]
    wrong = fill(form, tmp_path / "slip.xlsx", row4={"kind": "percent", "value": 10, "reason": "contract"})
    assert told(wrong)[0].startswith("slip.xlsx, sheet Overrides, row 4, value: 10.0 is too much for a percent")


# --- the commands ---------------------------------------------------------------------------------------------------

def test_what_is_never_sold_is_not_spoken_of(tmp_path):
    """Salt is an ingredient: no forecast, no price, no like item. A coming item has its like item, an old one its price."""
    items = frame("item family unit_price like_item", "A Tea 10 -", "N Tea - A", "P Oil - -", "S Materials - -").astype({"unit_price": float})
    planned = pd.DataFrame({"item": ["P"]})
    assert overrides_said.sold(items, planned).tolist() == [True, True, True, False]
    assert overrides_said.sold(items[["item", "family"]]).all(), "nothing is known of any: all count"
    path = tmp_path / "x.csv"
    path.write_text("level,key,month,kind,value,reason,owner\nfamily,Materials,2026-10,delta,5,price,ann\n", encoding="utf-8")
    allowed = dataclasses.replace(ALLOWED, families=frozenset({"Tea", "Oil"}), unsold=frozenset({"Materials", "S"}))
    with pytest.raises(Problems, match="Materials is bought or made and never sold"):
        overrides_said.read([path], locale=LOCALE, allowed=allowed)


COMMANDS = ["template", "load", "list", "settle", "withdraw"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_that_names_the_command(sopnb, command):
    heard = sopnb("overrides", command, "--help")
    example = re.search(r"Example: sopnb (.+)", heard.out)
    assert heard.code == 0 and example and shlex.split(example[1])[:2] == ["overrides", command]


@pytest.fixture
def company(tiny) -> Path:
    """The tiny project with an overrides source that has no file yet, and the forecast its second step would have made."""
    add(tiny, "  overrides: {path: '{extracts}/overrides.csv'}\nlatest_cycle: 2026-03\ndemand: {override_reasons: [contract]}\n")
    tables = tiny / "reports" / "tiny" / ".draft" / "2026-03" / "tables"
    tables.mkdir(parents=True)
    forecast = frames.conform(frame("item location month baseline lo80 hi80 lo95 hi95", "A all 2026-03 60 50 70 40 80", "B all 2026-03 10 0 20 0 30").assign(model="ETS"), frames.FORECAST)
    cycle.save_table(forecast, tables / "forecast.parquet", "forecast")
    cycle.save_table(frames.conform(pd.read_csv(tiny / "data" / "tiny" / "2026-03" / "items.csv"), frames.ITEMS), tables / "items.parquet", "items")
    return tiny


def test_from_the_form_to_a_settled_conflict(company, sopnb):
    """Ann's form is filled in and loaded; Bob says something else of the same row; the planner settles it."""
    source = company / "data" / "tiny" / "2026-03" / "overrides.csv"
    made = sopnb("overrides", "template", "params/tiny.yaml", "--owner", "ann")
    assert made.code == 0 and "4 rows to look at" not in made.err and (company / "data" / "tiny" / "overrides" / "2026-03-ann.xlsx").is_file()
    assert sopnb("overrides", "template", "params/tiny.yaml", "--owner", "ann").code == 3, "a form that may be filled in is not written over"
    ann = fill(company / "data" / "tiny" / "overrides" / "2026-03-ann.xlsx", company / "ann.xlsx", row5={"kind": "absolute", "value": 75, "reason": "contract"})
    bob = written(company / "bob.csv", "item,A,,2026-03,percent,-0.1,contract,,bob,", "family,Pulses,,2026-03,delta,2,contract,,bob,")
    tried = sopnb("overrides", "load", "params/tiny.yaml", str(ann), str(bob), "--check")
    assert tried.code == 0 and "Only checked" in tried.out and not source.exists()
    loaded = sopnb("overrides", "load", "params/tiny.yaml", str(ann), str(bob))
    assert loaded.code == 0 and "3 overrides in 2 files: 3 added, 0 revised" in loaded.out
    assert "item A, 2026-03: OV-2603-01 ann = 75; OV-2603-02 bob −10.0%" in loaded.out and "sopnb overrides settle params/tiny.yaml" in loaded.out
    assert "Nothing changed." in sopnb("overrides", "load", "params/tiny.yaml", str(ann), str(bob)).out
    listed = sopnb("overrides", "list", "params/tiny.yaml").out
    assert listed.count("conflict") == 2 and listed.count("counts") == 1
    assert sopnb("overrides", "settle", "params/tiny.yaml", "OV-2603-01").out.startswith("OV-2603-02: settled")
    assert "conflict" not in sopnb("overrides", "list", "params/tiny.yaml").out
    assert "is the only word" in sopnb("overrides", "settle", "params/tiny.yaml", "OV-2603-01").out
    assert sopnb("overrides", "withdraw", "params/tiny.yaml", "OV-2603-03").code == 0
    history = overrides_kept.history(source)
    assert history["change"].tolist() == ["added", "added", "added", "settled", "withdrawn"] and history["value"].tolist() == [75, -0.1, 2, -0.1, 2]
    unknown = sopnb("overrides", "withdraw", "params/tiny.yaml", "OV-2603-99")
    assert unknown.code == 3 and "there is no override OV-2603-99" in unknown.err


def test_a_new_cycle_begins_with_what_stood_in_the_last(company, sopnb):
    """Each cycle has its own folder: what Ann said in February of June still stands when Bob speaks in March."""
    file = written(company / "ann.csv", "item,A,,2026-06,delta,2,contract,,ann,")
    assert sopnb("overrides", "load", "params/tiny.yaml", str(file), "--cycle", "2026-02", "--as-of", "2026-02-03").code == 0
    other = written(company / "bob.csv", "item,B,,2026-06,delta,3,contract,,bob,")
    assert "begun with" in sopnb("overrides", "load", "params/tiny.yaml", str(other), "--new-owner", "bob").out
    assert sopnb("overrides", "list", "params/tiny.yaml").out.count("counts") == 2
    assert len(overrides_kept.history(company / "data" / "tiny" / "2026-03" / "overrides.csv")) == 2
    assert len(overrides_kept.history(company / "data" / "tiny" / "2026-02" / "overrides.csv")) == 1


def test_a_slip_in_one_file_keeps_all_files_out(company, sopnb):
    good = written(company / "good.csv", "item,A,,2026-03,delta,2,contract,,ann,")
    bad = written(company / "bad.csv", "item,X,,2026-03,delta,2,whim,,bob,")
    heard = sopnb("overrides", "load", "params/tiny.yaml", str(good), str(bad))
    assert heard.code == 3 and "2 to mend" in heard.err and "bad.csv, row 2, key: 'X' is no item code" in heard.err and "Allowed: contract" in heard.err
    assert not (company / "data" / "tiny" / "2026-03" / "overrides.csv").exists()


def test_without_a_baseline_or_a_source_the_command_says_what_to_do(tiny, sopnb):
    assert "sopnb run params/tiny.yaml --cycle 2026-03 --through 02" in sopnb("overrides", "template", "params/tiny.yaml", "--cycle", "2026-03").err
    heard = sopnb("overrides", "load", "params/tiny.yaml", str(written(tiny / "a.csv", "item,A,,2026-03,delta,2,contract,,ann,")), "--cycle", "2026-03")
    assert heard.code == 3 and "names no overrides" in heard.err and "overrides: {path:" in heard.err
