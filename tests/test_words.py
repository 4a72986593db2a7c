"""Sentences: values in the reader's format, never markup, and templates that stand in the source."""

from __future__ import annotations

import html
import json
import math
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import words
from sopnb.words import WordsError, say

NAUGHTY = [
    "<script>alert(1)</script>", "<b>", "&amp;", "**bold**", "`code`", "[a](http://x)", "{item}", "{0}", "%s", "$x^2$", "a|b", "# head",
    "1. list", "- list", "    code", "line\nbreak", "tab\there", "'\"", "\\", "=1+1", "テスト", "‮abc", "</p>", "]]>", "<!-- x -->", "~~x~~",
]


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "IDR"):
        yield


@pytest.mark.parametrize(("value", "short", "signed"), [
    (1.23e10, "Rp 12.3 bn", "+Rp 12.3 bn"),
    (450e6, "Rp 450.0 m", "+Rp 450.0 m"),
    (1.2e12, "Rp 1.2 tn", "+Rp 1.2 tn"),
    (-4.6e9, "−Rp 4.6 bn", "−Rp 4.6 bn"),
    (999.96e6, "Rp 1.0 bn", "+Rp 1.0 bn"),  # rounded first, then named
    (12_345, "Rp 12,345", "+Rp 12,345"),
    (-0.2, "Rp 0", "Rp 0"),  # zero has no sign
    (None, "–", "–"),
    (math.nan, "–", "–"),
])
def test_money_is_short(value, short, signed):
    assert say("{x:money}", x=value).text == short
    assert say("{x:money+}", x=value).text == signed


def test_each_language_and_currency_has_its_own_way():
    with words.speaking("id", "IDR"):
        assert [words.money(v) for v in (1.23e10, 450e6, 1.2e12)] == ["Rp 12,3 miliar", "Rp 450,0 juta", "Rp 1,2 triliun"]
        assert say("{d:month}, {d:mon}, {d:day}", d="2026-10-05").text == "Oktober 2026, Okt 26, 5 Oktober 2026"
        assert say("{x:+,.1f} {y:.1%}", x=1234.5, y=0.258).text == "+1.234,5 25,8%"
    with words.speaking("en", "USD"):
        assert [words.money(v) for v in (1.23e6, 12_345, 12.5)] == ["USD 1.2 m", "USD 12,345", "USD 12.50"]
        assert say("{x:price}", x=-1234.5).text == "−USD 1,234.50"
    assert words.money(1e9) == "Rp 1.0 bn", "speaking() gives the voice back"


def test_a_line_on_a_page_does_not_break_within_an_amount():
    said = say("{x:money} of {y:compact} units in {d:mon} at {z:price}, {name}", x=1.23e10, y=6.4e6, d="2026-10-05", z=950, name="Wheat flour, kg")
    assert said.html == "Rp\xa012.3\xa0bn of 6.4\xa0m units in Oct\xa026 at Rp\xa0950, Wheat flour, kg"
    assert said.text == said.html.replace("\xa0", " "), "text is searched and compared"


def test_dates_numbers_and_missing_values():
    said = say("{d:month} {d:mon} {d:day} {d:weekday} {n:,.0f} {p:+.1%} {q:.1pp} {z:+.1f} {m} {t:day}",
               d=pd.Timestamp("2026-10-05"), n=-12345.6, p=-0.123, q=0.081, z=-0.01, m=None, t=pd.NaT)
    assert said.text == "October 2026 Oct 26 5 October 2026 Monday 5 October −12,346 −12.3% 8.1 0.0 – –"


def test_without_a_spec_a_year_is_a_year_and_a_count_is_a_count():
    assert say("{a} {b} {c} {d} {e}", a=2026, b=48216, c=0.5, d=True, e=pd.Timestamp("2026-01-02")).text == "2026 48,216 0.5 yes 2 January 2026"


def test_marks_stand_in_the_template_only():
    said = say("**{name}** in `{table}`: {note}", name="**A**", table="a`b", note="<i>")
    assert said.text == "**A** in a`b: <i>"
    assert said.html == "<strong>**A**</strong> in <code>a`b</code>: &lt;i&gt;"
    assert said.markdown == r"**\*\*A\*\*** in ``a`b``: \<i\>"


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.sampled_from(NAUGHTY), st.text(max_size=40)))
def test_no_value_becomes_markup(value):
    """Whatever the data holds: the text keeps it exactly, the page shows it exactly, Markdown cannot read it as a mark."""
    said = say("Item **{x}** sold {x} today.", x=value)
    assert said.text == f"Item {value} sold {value} today."
    shown = re.sub(r"</?strong>", "", said.html)
    assert "<" not in shown and html.unescape(shown) == html.unescape(html.escape(said.text))
    body = said.markdown.split(" sold ", 1)[1].removesuffix(" today.") if " sold " not in value else ""
    assert "\n" not in body and not re.search(r"(?<!\\)(?:\\\\)*[<>*_`\[\]|$~]", body.replace("\\\\", ""))


def test_a_template_is_a_literal():
    with pytest.raises(WordsError, match="literal template"):
        say("".join(["Item ", "{x}"]), x=1)
    name = "<b>"
    with pytest.raises(WordsError, match="literal"):
        say(f"Item {name}")
    assert (lambda: say("From a function: {x}", x=1))().text == "From a function: 1"
    assert [say("In a list: {x}", x=x).text for x in (1, 2)] == ["In a list: 1", "In a list: 2"]


@pytest.mark.parametrize(("call", "told"), [
    (lambda: say("{wap:.1%}", wape=0.1), r"needs a value for 'wap'\. Given: wape\. Did you mean wape\?"),
    (lambda: say("{x:.1%}", x="ten"), "'x': 'ten' is not a number"),
    (lambda: say("{x:month}", x="soon"), "'x': 'soon' is not a date"),
    (lambda: say("{x:>10}", x=1), "no format '>10'"),
    (lambda: say("{x.y}", x=1), "must be a plain name"),
    (lambda: say("**open"), "opened and not closed"),
    (lambda: words.speak("fr", "EUR"), "language 'fr' is not known"),
    (lambda: words.speak("en", "euro"), "three capital letters"),
])
def test_errors_name_the_template_and_the_value(call, told):
    with pytest.raises(WordsError, match=told):
        call()


def test_messages_say_what_tables_store():
    """Values come as a dict or as the JSON of a column; dates in it are read where the template shows a date."""
    assert words.message("tables.other", {"count": 1234}).text == "All other (1,234)"
    assert words.message("charts.data_to", json.dumps({"month": "2026-09-01"})).text == "data to Sep 26"
    assert words.status("on").text == "On target"
    with pytest.raises(WordsError, match=r"Did you mean tables\.other"):
        words.message("tables.othr")
    with pytest.raises(WordsError, match="must be a JSON object"):
        words.message("tables.other", "[1]")


def test_all_messages_can_be_read_and_stand_under_their_module():
    assert words.MESSAGES
    assert all("." in message_id for message_id in words.MESSAGES)


def test_an_id_stands_once():
    with pytest.raises(WordsError, match=r"'a\.x' stands in a\.yaml and again in b\.yaml"):
        words.read_messages({"a.yaml": 'a.x: "One"', "b.yaml": 'a.x: "Two"'})
    with pytest.raises(WordsError, match=r"a\.yaml: the key a\.x stands twice.*line 2"):
        words.read_messages({"a.yaml": 'a.x: "One"\na.x: "Two"'})
    with pytest.raises(WordsError, match="must be a text"):
        words.read_messages({"a.yaml": "a.x: [1]"})


def test_sentences_join_and_show_themselves():
    both = say("One {x}.", x="<") + say("Two.")
    assert both.text == "One <. Two."
    assert both._repr_mimebundle_() == {"text/html": '<p class="say">One &lt;. Two.</p>', "text/plain": "One <. Two."}


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e15, 1e15, allow_nan=False))
def test_a_number_shown_whole_is_read_back_as_rounded(value):
    shown = words.number(value, ",.0f")
    assert float(shown.replace(",", "").replace("−", "-")) == float(f"{value:.0f}")


def test_sources_have_names_in_a_row_and_their_own_word_alone():
    assert words.terms("source", ["stock_history", "bom", "budget"]) == "stock history, bills of material, budget"
    assert words.source_name("forecast_sales") == "Sales forecast" and words.term("source", "forecast_sales").text == "forecast_sales"
