"""What people typed reaches a workbook as they typed it: in cells, headings, notes, names, links, the front sheet and the forms."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from helpers import frame
from hostile import FORMULAS, TEXTS
from python_calamine import CalamineWorkbook
from test_workbook import MAIN, faults, rows

from sopnb import (
    actions_book,
    frames,
    minutes_book,
    overrides_form,
    workbook,
    workbook_cells,
)
from sopnb.workbook import Column, Front, Sheet


def table() -> Sheet:
    df = pd.DataFrame({"text": TEXTS, "wrap": TEXTS})
    return Sheet(df, tuple(Column(name, label=label, kind=kind, unit="=1", note=f"=1+1 {label}") for name, label, kind in (("text", "@SUM(1)", "text"), ("wrap", "=cmd|' /C calc'!A0", "wrap"))), note="=1+1", foot="=2+2")


@pytest.mark.parametrize("many", [1_000_000, 1])
def test_every_text_is_in_its_cell_as_it_was_typed(tmp_path, monkeypatch, many):
    """Kept in memory and written row by row alike."""
    monkeypatch.setattr(workbook, "MANY", many)
    path = workbook.workbook(tmp_path / "w.xlsx", {"Texts": table()})
    found = rows(path, "Texts")
    assert found[0] == ["@SUM(1)\n=1", "=cmd|' /C calc'!A0\n=1"] and faults(path) == []
    assert [row[0] for row in found[1:len(TEXTS) + 1]] == list(TEXTS) == [row[1] for row in found[1:len(TEXTS) + 1]]
    assert found[-1][0] == "=2+2"


def test_the_front_sheet_its_links_the_properties_and_the_footer_hold_text_only(tmp_path):
    names = ["=1+1", "a'b", "it''s", "#REF!", "A1", "R1C1", "2026", "<b>&amp;", "%41", "Sheet!", "😀 RTL שלום", "internal", "TRUE"]
    front = Front("@front", "=title", ("=said", *FORMULAS[:5]), (("=label", "=value", "text"), ("+n", 5.0, "money")), ("=a", "=b", "=c"), advice="-advice")
    path = workbook.workbook(tmp_path / "w.xlsx", {name: Sheet(pd.DataFrame({"x": ["1"]}), note="=note", part="=part", tab="#1f7a4d") for name in names}, front=front)
    assert faults(path) == [] and CalamineWorkbook.from_path(str(path)).sheet_names == ["@front", *names]
    found = rows(path, "@front")
    assert [row[0] for row in found[:7]] == ["=title", "=said", *FORMULAS[:5]] and ["=label", "=value", ""] in found and found[-1][0] == "-advice"
    assert [row[0] for row in found if row[2] == "=note"] == names
    with zipfile.ZipFile(path) as parts:
        import xml.etree.ElementTree as ET

        links = [link.get("location") for link in ET.fromstring(parts.read("xl/worksheets/sheet1.xml")).iter(f"{MAIN}hyperlink")]
        defined = [one.text for one in ET.fromstring(parts.read("xl/workbook.xml")).iter(f"{MAIN}definedName")]
    assert links == ["'" + name.replace("'", "''") + "'!A1" for name in names], "a link leads to its sheet, whatever it is called"
    quoted = {name.replace("'", "''") for name in names}
    assert [text for text in defined if text.rsplit("!", 1)[0].strip("'") not in quoted] == [] and len(defined) == 2 * len(names), "a defined name points at its own sheet"


@pytest.mark.parametrize("name", ["", "a" * 32, "a/b", "a[b]", "'a", "a'", "History", "a\x00b", "😀" * 16])
def test_a_sheet_name_that_excel_would_repair_is_refused(tmp_path, name):
    with pytest.raises(workbook.WorkbookError, match="sheet name"):
        workbook.workbook(tmp_path / "w.xlsx", {name: pd.DataFrame({"x": [1]})})
    assert list(tmp_path.iterdir()) == []


# --- nothing is lost -----------------------------------------------------------------------------------------------------

def test_what_no_cell_holds_in_its_type_stands_as_text(tmp_path):
    values = [10**15, -(10**17) - 1, 999_999_999_999_999, float("inf"), pd.Timestamp("1899-12-31"), pd.Timestamp("1900-03-01"), pd.Timestamp("2026-10-01T07:00", tz="Asia/Jakarta"), dt.date(1850, 5, 1), True, None, "00123"]
    path = workbook.workbook(tmp_path / "w.xlsx", {"S": (pd.DataFrame({"x": pd.Series(values, dtype=object)}), "")})
    assert [row[0] for row in rows(path, "S")[1:]] == ["1000000000000000", "-100000000000000001", 999_999_999_999_999.0, "∞", "1899-12-31", dt.date(1900, 3, 1), "2026-10-01T07:00:00+07:00", "1850-05-01", True, "", "00123"]


@pytest.mark.parametrize("text", ["a" * 40_000, "😀" * 20_000, "é" * 32_767, "a" + "😀" * 16_383])
def test_a_text_longer_than_a_cell_ends_with_dots_and_one_that_fits_is_whole(tmp_path, text):
    """Excel counts an emoji as two; one character more, and it would offer a repair."""
    kept = rows(workbook.workbook(tmp_path / "w.xlsx", {"S": pd.DataFrame({"x": [text]})}), "S")[1][0]
    assert workbook_cells.utf16(kept) <= workbook_cells.CELL
    assert kept == text if workbook_cells.utf16(text) <= workbook_cells.CELL else kept.endswith("…") and text.startswith(kept[:-1]) and workbook_cells.utf16(kept) >= workbook_cells.CELL - 1


def test_a_workbook_that_cannot_be_finished_leaves_the_one_before(tmp_path, monkeypatch):
    """Over a slow disk nobody opens half a file: it is written beside its place and moved there whole."""
    path = workbook.workbook(tmp_path / "w.xlsx", {"S": pd.DataFrame({"x": [1]})})
    before = path.read_bytes()

    def full(*given):
        raise OSError("no space left")

    monkeypatch.setattr(workbook, "_sheet", full)
    with pytest.raises(OSError, match="no space"):
        workbook.workbook(path, {"S": pd.DataFrame({"x": [2]})})
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["w.xlsx"]


# --- the forms -------------------------------------------------------------------------------------------------------------

def forms(tmp_path: Path, text: str) -> dict[str, Path]:
    """The three forms with one text wherever a person's or a source's text goes."""
    months = frames.months("2026-10", 1)
    cells = frame("level key name family location month baseline low80 high80 last_plan usual_error standing", "item A-1 n f JKT 2026-10 1 1 1 1 1 s").rename(columns={"last_plan": "last plan", "usual_error": "usual error"})
    for column in ("key", "name", "family", "location", "standing"):
        cells[column] = text
    actions = frame("action title state owner due closed_on overdue_days age_days made_on amount source", "x t open o 2026-10-30 - 0 1 2026-10-01 5 D1")
    for column in ("title", "owner", "source"):
        actions[column] = text
    said = {"cycle": "2026-10", "points": [{"topic": text, "discussion": text, "(who)": text}], "actions": [{"id": "A1", "title": text, "owner": text}]}
    return {"Overrides": overrides_form.write(tmp_path / "o.xlsx", cells, title=text, months=months, last=months[-1], owner=text, reasons=[text], owners=[text], locations=[text]),
            "Actions": actions_book.write(tmp_path / "a.xlsx", actions, frames.empty(frames.TABLES["actions"]).assign(id="", seq=0, subject="", kind=""), company="c", day=dt.date(2026, 10, 8), names={text: text}, title=text),
            "points": minutes_book.write(tmp_path / "m.xlsx", said, title=text, people=[text])}


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(1)", "<r>&broken</r>", "https://evil.example/", "tea\n=1", "00123"])
def test_the_forms_hold_text_only(tmp_path, text):
    for sheet, path in forms(tmp_path, text).items():
        book = CalamineWorkbook.from_path(str(path))
        seen = [cell for name in (sheet, "Lists", "Start") for row in book.get_sheet_by_name(name).to_python() for cell in row]
        assert seen.count(text) >= 4 and formulas(path) == [], path.name


def formulas(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as parts:
        inside = {name: parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet") or name.endswith(".rels")}
    return [name for name, text in inside.items() if "<f>" in text or "<hyperlink" in text or 'TargetMode="External"' in text]
