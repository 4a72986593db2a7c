"""The pack in another language: what is looked up, what is not, and that the catalogue keeps step with the strings."""

from __future__ import annotations

import io
import string

import pandas as pd
import pytest

from sopnb import extract, tables, translations, words
from sopnb.words import say


@pytest.fixture
def indonesian(monkeypatch):
    """Indonesian with a few sentences of its own, whatever the real catalogue holds."""
    said = {"Question": "Pertanyaan", "**{n:,.0f} rows** of {file}": "**{n:,.0f} baris** dari {file}", "Worst first": "Terburuk dahulu",
            "02 Demand": "02 Permintaan", "What will customers ask for?": "Apa yang akan diminta pelanggan?"}
    monkeypatch.setattr(translations, "read", lambda language: said)
    with words.speaking("id", "IDR"):
        yield


def test_a_sentence_is_said_in_the_language_with_its_numbers(indonesian):
    assert say("**{n:,.0f} rows** of {file}", n=1234, file="<b>").html == "<strong>1.234 baris</strong> dari &lt;b&gt;"


def test_english_is_as_it_is_written():
    assert say("**{n:,.0f} rows** of {file}", n=1234, file="x").text == "1,234 rows of x"


def test_what_nobody_has_translated_stands_in_english_and_is_noted(indonesian):
    assert say("Nobody has translated this test.").text == "Nobody has translated this test."
    assert "Nobody has translated this test." in translations.missed()


def test_headings_and_subtitles_are_looked_up_and_data_are_not(indonesian):
    shown = tables.show(pd.DataFrame({"a": ["Question"]}), caption=say("**{n:,.0f} rows** of {file}", n=1, file="Question"), subtitle="Worst first", columns={"a": "Question"})
    assert shown.heads[0][0] == "Pertanyaan" and shown.subtitle.text == "Terburuk dahulu"
    assert shown.rows[0].name.text == "Question" and shown.caption.text == "1 baris dari Question"


def test_text_cells_are_translated_block_by_block(indonesian):
    assert translations.text("# 02 Demand\n\nWhat will customers ask for?\n\nFor planners.") == "# 02 Permintaan\n\nApa yang akan diminta pelanggan?\n\nFor planners."


def test_strings_are_found_in_code_notebooks_and_messages():
    code = b'tables.show(df, caption=say("A {n}") if n else say("None"), columns={"a": "Head", "b": tables.col("Other", "money")})\nd.rename(columns={"a": "b"})\n'
    assert {found for _, _, found, _ in extract.python(io.BytesIO(code), None, None, None)} == {"A {n}", "None", "Head", "Other"}
    assert [found for _, _, found, _ in extract.messages(io.BytesIO(b'a.b: "One {n}"\n'), None, None, None)] == ["One {n}"]


def names(template: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", ["id"])
def test_a_translation_takes_the_same_values_and_marks(language):
    wrong = {}
    for source, said in translations.read(language).items():
        asks_for_more = {name for name, _ in names(said)} - {name for name, _ in names(source)} if "{" in source else set()
        if asks_for_more or said.count("**") % 2 != source.count("**") % 2:
            wrong[source] = said
    assert not wrong
