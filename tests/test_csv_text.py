"""CSV that people open by a double click, in any country: nothing is computed, nothing is lost."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hostile import TEXTS

from sopnb import csv_text

SIGNS = tuple("=+-@＝＋－＠")


def cells(text: str, separator: str) -> list[str]:
    """What a spreadsheet makes of it that parts cells by this sign."""
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_parts_the_cells(separator):
    """The row's own number comes first: a row that begins with a text would begin with an apostrophe anyway."""
    made = csv_text.text(pd.DataFrame({"n": range(len(TEXTS)), "what": TEXTS, "more": TEXTS[::-1]}))
    assert [cell for cell in cells(made, separator) if cell.lstrip(" \u00a0").startswith(SIGNS) or cell.startswith(("\t", "\r"))] == []


def test_the_judge_sees_a_formula_that_only_a_semicolon_lets_out():
    assert "=1+1" in cells(pd.DataFrame({"n": [1], "what": ["tea;=1+1;"]}).to_csv(index=False), ";")


def test_every_text_comes_back():
    made = csv_text.text(pd.DataFrame({"n": range(len(TEXTS)), "what": TEXTS}))
    assert [csv_text.plain(row[1]) for row in csv.reader(io.StringIO(made, newline=""))][1:] == list(TEXTS)
    assert [csv_text.plain(csv_text.defused(text)) for text in TEXTS] == list(TEXTS)


def test_numbers_days_and_leading_zeros_are_as_they_were():
    made = csv_text.text(pd.DataFrame({"code": ["00123"], "n": [-5], "x": [-0.5], "on": [pd.Timestamp("2026-10-01")], "gone": [None]}), days="%Y-%m-%d")
    assert made == "code,n,x,on,gone\n00123,-5,-0.5,2026-10-01,\n"
