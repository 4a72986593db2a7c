"""What the three forms share: a first sheet that tells how in the reader's language, notes on headings, yellow cells, checked cells."""

from __future__ import annotations

import re
import zipfile

import pandas as pd
import pytest
from helpers import frame
from python_calamine import CalamineWorkbook
from test_workbook_text import forms

from sopnb import frames, overrides_form, words


@pytest.mark.parametrize("sheet", ["Overrides", "Actions", "points"])
def test_a_form_tells_how_in_the_readers_language_and_keeps_its_headings(tmp_path, sheet):
    """Headings are what the form is read by again, so they are the same in every language; what they mean is not."""
    told, heads, notes = {}, {}, {}
    for language in ("en", "id"):
        (tmp_path / language).mkdir()
        with words.speaking(language, "IDR"):
            path = forms(tmp_path / language, "x")[sheet]
        book = CalamineWorkbook.from_path(str(path))
        told[language] = [row[1] for row in book.get_sheet_by_name("Start").to_python()[2:]]
        heads[language] = book.get_sheet_by_name(sheet).to_python()[0]
        with zipfile.ZipFile(path) as parts:
            notes[language] = "".join(parts.read(name).decode() for name in sorted(parts.namelist()) if "comments" in name)
    assert heads["en"] == heads["id"] and len(told["en"]) == len(told["id"]) >= 7
    assert not set(told["en"]) & set(told["id"]) and notes["en"] != notes["id"]


@pytest.mark.parametrize(("sheet", "file"), [("Overrides", "xl/worksheets/sheet2.xml"), ("Actions", "xl/worksheets/sheet2.xml"), ("points", "xl/worksheets/sheet4.xml")])
def test_a_form_stays_in_view_prints_one_page_wide_and_repeats_its_heading(tmp_path, sheet, file):
    with zipfile.ZipFile(forms(tmp_path, "x")[sheet]) as parts:
        inside, whole = parts.read(file).decode(), parts.read("xl/workbook.xml").decode()
    assert 'state="frozen"' in inside and 'orientation="landscape"' in inside and 'fitToHeight="0"' in inside and f"{sheet}!$1:$1" in whole


def test_below_what_is_listed_every_cell_that_an_override_needs_is_there_to_fill_in(tmp_path):
    with zipfile.ZipFile(forms(tmp_path, "x")["Overrides"]) as parts:
        free = re.search(r'<row r="100".*?</row>', parts.read("xl/worksheets/sheet2.xml").decode())[0]
    given = [*overrides_form.KEYS, *overrides_form.SHOWN, *overrides_form.ASK]
    there = {given["ABCDEFGHIJKLMNOPQR".index(cell)] for cell in re.findall(r'<c r="([A-Z])100"', free)}
    assert there == {*overrides_form.SAID, *overrides_form.ASK}


def test_what_stands_and_everybodys_record_are_in_the_readers_words(tmp_path):
    months = frames.months("2026-10", 1)
    standing = pd.DataFrame({"override": ["O1"], "state": [""], "reason": ["lost_account"], "owner": ["ann"], "value": [5.0]})
    record = frame("scope key stream n months hits added low high units skill", "owner ann override 2 1 1 0.1 0.0 0.2 5 open", "reason lost_account override 2 1 1 0.1 0.0 0.2 5 helps", "size small override 2 1 1 0.1 0.0 0.2 5 hurts")
    cells = frame("level key name family location month", "item A-1 n f JKT 2026-10").assign(**dict.fromkeys(overrides_form.SHOWN))
    with words.speaking("id", "IDR"):
        book = CalamineWorkbook.from_path(str(overrides_form.write(tmp_path / "o.xlsx", cells, title="t", months=months, last=months[-1], standing=standing, record=record, names={"ann": "Ann"})))
        lost, small = (words.term("reason", "lost_account").text, words.message("plan.state.small").text)
    assert book.get_sheet_by_name("Standing").to_python()[1][1:4] == ["Dipakai", lost[:1].upper() + lost[1:], "Ann"]
    assert [row[1] for row in book.get_sheet_by_name("Record").to_python()[1:]] == ["Ann", lost[:1].upper() + lost[1:], small]
