"""The pack in another language: what is looked up, what is not, and that the catalogue keeps step with the strings."""

from __future__ import annotations

import contextlib
import io
import re
import string
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from sopnb import extract, tables, translations, words
from sopnb.words import say

PROJECT = Path(__file__).parent.parent


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


def untranslated(project: Path, language: str) -> list[str]:
    """Strings a reader sees that the catalogue lacks; those marked fuzzy are lacking too, since nobody has read them."""
    known = translations.read(language)
    return [words for words in extract.strings(project) if words not in known]


def unlike(source: str, said: str) -> bool:
    """Whether a translation takes other values than its string, shows them otherwise, or has other marks."""
    return names(source) != names(said) or any(source.count(mark) != said.count(mark) for mark in ("**", "`"))


@pytest.mark.parametrize("language", ["id"])
def test_every_string_that_a_reader_sees_is_translated(language):
    left = untranslated(PROJECT, language)
    assert not left, f"{len(left)} to translate in sopnb/locale/{language}: run `python -m sopnb.extract`, fill in the empty ones"


@pytest.mark.parametrize("language", ["id"])
def test_a_translation_takes_the_same_values_and_marks(language):
    said = translations.read(language)
    assert {source: text for source, text in said.items() if "{" in source + text and unlike(source, text)} == {}
    assert {source: text for source, text in said.items() if "{" not in source and source.count("**") != text.count("**")} == {}


def test_a_new_string_an_other_value_and_a_lost_mark_are_found(tmp_path):
    """The two tests above, held to faults."""
    (tmp_path / "sopnb" / "messages").mkdir(parents=True)
    (tmp_path / "sopnb" / "a.py").write_text('say("Nobody has read this {n}.")\ncol("Item")\n')
    (tmp_path / "sopnb" / "messages" / "a.yaml").write_text('a.b: "Nor this."\n')
    assert untranslated(tmp_path, "id") == ["Nobody has read this {n}.", "Nor this."]
    assert unlike("**{n:,.0f}** rows", "**{m:,.0f}** baris") and unlike("{n:,.0f} rows", "{n} baris") and unlike("**{n}** rows", "{n} baris")
    assert not unlike("{a} of {b}", "{b}: {a}")


@pytest.mark.parametrize("language", ["id"])
def test_sheets_have_names_that_a_workbook_takes_and_no_two_the_same(language):
    names = [translations.read(language)[words.MESSAGES[one]] for one in words.MESSAGES if one.startswith("workbook.sheet.")]
    assert names and len({name.lower() for name in names}) == len(names) and max(map(len, names)) <= 31


def test_babel_extracts_the_same_strings_as_we_do(tmp_path):
    """`pybabel extract -F babel.cfg`, with the extractors as babel.cfg names them: nothing has to be installed anew for it."""
    from babel.messages.frontend import CommandLineInterface
    from babel.messages.pofile import read_po

    out = tmp_path / "sopnb.pot"
    with contextlib.chdir(PROJECT):
        CommandLineInterface().run(["pybabel", "--quiet", "extract", "-F", "babel.cfg", "-o", str(out), "."])
    with out.open("rb") as file:
        found = {str(one.id) for one in read_po(file) if one.id}
    assert found >= set(extract.strings(PROJECT))


def test_the_extractors_are_registered_as_babel_cfg_names_them():
    registered = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["babel.extractors"]
    config = (PROJECT / "babel.cfg").read_text(encoding="utf-8")
    assert registered == dict(re.findall(r"^(\w+) = (\S+)$", config, re.MULTILINE)) and all(f"[{name}: " in config for name in registered)
