"""Tables for readers, and the workbook."""

from __future__ import annotations

import datetime as dt
import math
import re
import shutil
import subprocess
import time
import zipfile
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import tables, words
from sopnb.tables import TableError
from sopnb.words import plain, say
from sopnb.workbook import WorkbookError
from tests.helpers import frame


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "IDR"):
        yield


class Cells(HTMLParser):
    """What stands in a table: (tag, attributes, text) of every cell, and each tag met."""

    def __init__(self, page: str):
        super().__init__()
        self.cells: list[tuple[str, dict, str]] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("th", "td"):
            self.cells.append((tag, dict(attrs), ""))

    def handle_data(self, data):
        if self.cells:
            tag, attrs, text = self.cells[-1]
            self.cells[-1] = (tag, attrs, text + data)


SHORT = frame("item location units amount", "Tin JKT 100 1e9", "Coffee SBY 200 -5e9", "Tea MDN -30 2.5e9", "Noodle - - 1e6")


def shown(**more):
    columns = {"item": "Item", "location": tables.col("Location", wide=True), "units": tables.col("Cartons", "count"), "amount": tables.col("At stake", "money", signed=True)}
    return tables.show(SHORT, caption=say("{n:money} **needs** an answer", n=16e9), subtitle="By money", source="projection 2026-10", columns=columns, **more)


def test_the_largest_come_first_and_the_rest_is_not_lost():
    """|−5.0| > |2.5| > 1.0 bn: two rows kept, two in all other, and the total is the total of all four rows."""
    assert shown(top=2, by="amount", total=["units", "amount"]).text == """\
Rp 16.0 bn needs an answer
By money

Item           Location  Cartons  At stake, Rp\u00a0bn
-------------------------------------------------
Coffee         SBY           200            −5.00
Tea            MDN           −30            +2.50
All other (2)                100            +1.00
-------------------------------------------------
Total                        270            −1.50
Source: projection 2026-10"""


MIXED = frame("family plan change costs", "Drinks 1.0342e12 -2.15e10 4e6", "Noodles 9.7e10 3e9 2e6", "Soap 2e9 -1e8 -")


def money_of(*names, rows=MIXED, **more):
    return tables.show(rows, caption="c", subtitle="By money", columns={"family": "Family", **{name: tables.col(name, "money", signed=name == "change") for name in names}}, **more)


def test_money_of_a_table_has_one_unit_and_its_decimals_stand_below_each_other():
    """Not Rp 1.0 tn beside Rp 97.0 bn: 1,034.2 and 97.0 in Rp bn; the change in the same unit, so that it can be added."""
    table = money_of("plan", "change")
    assert [head for head, _ in table.heads] == ["Family", "plan, Rp\u00a0bn", "change, Rp\u00a0bn"]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["1,034.2", "−21.5"], ["97.0", "+3.0"], ["2.0", "−0.1"]]


def test_a_column_that_would_be_lost_in_the_unit_has_its_own():
    table = money_of("plan", "costs")
    assert [head for head, _ in table.heads][1:] == ["plan, Rp\u00a0bn", "costs, Rp\u00a0m"]
    assert [row.cells[1].text for row in table.rows] == ["4.00", "2.00", "–"]


def test_three_columns_of_one_unit_name_it_once():
    rows = MIXED.assign(before=MIXED["plan"] - MIXED["change"])
    table = money_of("before", "plan", "change", rows=rows)
    assert [head for head, _ in table.heads] == ["Family", "before", "plan", "change"] and table.subtitle.text == "By money · Rp\u00a0bn"


def test_a_sum_counts_when_the_unit_is_chosen():
    """Eight rows of 0.2 bn are 1.6 bn: in millions the total would be the widest by far; in bn all stay visible."""
    rows = pd.DataFrame({"family": list("abcdefgh"), "plan": 2e8})
    table = money_of("plan", rows=rows, total=["plan"])
    assert {row.cells[0].text for row in table.rows} == {"0.20"} and table.foot[0].cells[0].text == "1.60"


def test_on_a_phone_the_row_says_the_unit_by_itself():
    rows = MIXED.assign(long="a-text-that-cannot-break-anywhere")
    page = tables.show(rows, caption="c", columns={"family": "Family", "long": "Long", "plan": tables.col("Plan", "money", wide=True)}).html
    assert '<span class="s n" style="display:none">Plan Rp\xa01.0\xa0tn</span>' in page


def test_what_is_too_wide_for_a_phone_folds_by_itself():
    """Counts first, from the right; the column the rows are ranked by never."""
    rows = pd.DataFrame({"item": ["Butter biscuit"], **{name: [123_456_789.0] for name in "abcdef"}, "amount": [5e9]})
    table = tables.show(rows, caption="c", by="amount", columns={"item": "Item", **{name: tables.col(name.upper(), "count") for name in "abcdef"}, "amount": tables.col("Money", "money")})
    folded = [head for head, css in table.heads if "w" in css.split()]
    assert folded == ["B", "C", "D", "E", "F"] and "C 123,456,789 · D 123,456,789" in table.html
    assert table.broad and 'class="tb broad"' in table.html, "and on a tablet too"
    few = tables.show(rows, caption="c", columns={"item": "Item", "a": tables.col("A", "count"), "amount": tables.col("Money", "money")})
    assert not any("w" in css.split() for _, css in few.heads) and not few.broad


def test_without_by_the_order_stays():
    body = [row.name.text for row in shown(top=3).rows]
    assert body == ["Tin", "Coffee", "Tea", "All other (1)"]


def test_headers_have_scope_and_the_caption_is_the_finding():
    page = shown(total=["amount"]).html
    heads = [attrs["scope"] for tag, attrs, _ in Cells(page).cells if tag == "th"]
    assert heads == ["col"] * 4 + ["row"] * 5
    assert '<span class="f" style="display:block">Rp\xa016.0\xa0bn <strong>needs</strong> an answer</span>' in page
    assert page.index("<tfoot>") > page.index("</tbody>")


def test_a_shut_table_shows_its_finding_and_holds_its_rows():
    page, open_one = shown(shut=True).html, shown().html
    summary, rows = re.fullmatch(r'\s*<details class="more"><summary>(.*?)</summary>(.*)</details>\s*', page, re.S).groups()
    assert summary == '<span class="f">Rp\xa016.0\xa0bn <strong>needs</strong> an answer</span>'
    assert rows.strip() == open_one.strip() and "<details" not in open_one
    assert shown(shut=True).text == shown().text, "a terminal has nothing to open"


def test_columns_that_say_nothing_are_left_out():
    rows = pd.DataFrame({"item": ["A", "B"], "location": "all", "budget": math.nan, "answer": "", "units": [1, None]})
    heads = {"item": "Item", "location": "Location", "budget": tables.col("Budget", "number"), "answer": "Answer", "units": "Units"}
    assert [head for head, _ in tables.show(rows, caption=plain("c"), columns=heads, total=["budget", "units"]).heads] == ["Item", "Units"]
    assert len(tables.show(rows.assign(location=["all", "JKT"]), caption=plain("c"), columns=heads).heads) == 3, "all beside a place says something"
    assert len(tables.show(rows.iloc[:0], caption=plain("c"), columns=heads).heads) == 5, "an empty table shows what it would hold"


def test_wide_columns_fold_under_the_name():
    page = shown().html
    assert '<span class="s n" style="display:none">JKT</span>' in page
    assert page.count('class="w"') == 5  # heading and four cells
    assert ">–</span>" not in page, "a missing value is not worth a line on a phone"


def test_the_inputs_are_left_alone():
    before = SHORT.copy(deep=True)
    shown(top=1, by="amount", total=["amount"])
    pd.testing.assert_frame_equal(SHORT, before)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["<b>x</b>", "<img src=x onerror=a>", "&lt;", "{{ x }}", "{% x %}", "**a**"]))
def test_nothing_of_the_data_becomes_markup(text, naughty):
    df = pd.DataFrame({"item": [text, naughty], "note": [naughty, text]})
    table = tables.show(df, caption=naughty, source=naughty, subtitle=naughty, columns={"item": naughty, "note": tables.col("N", wide=True)})
    plain = tables.show(pd.DataFrame({"item": ["a", "a"], "note": ["a", "a"]}), caption="c", source="s", subtitle="u",
                        columns={"item": "i", "note": tables.col("N", wide=True)})
    assert [t for t in Cells(table.html).tags if t != "span"] == [t for t in Cells(plain.html).tags if t != "span"]
    assert naughty in table.text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=1, max_size=30), st.integers(0, 12), st.randoms(use_true_random=False))
def test_shown_rest_and_total_agree(values, top, random):
    """Rows shown + all other = total, whatever the order of the rows."""
    df = pd.DataFrame({"item": [str(i) for i in range(len(values))], "amount": pd.Series(values, dtype="float64")})
    order = list(range(len(values)))
    random.shuffle(order)
    columns = {"item": "Item", "amount": tables.col("A", digits=2, kind="number")}
    totals = {tables.show(d, caption="c", columns=columns, top=top, by="amount", total=["amount"]).foot[0].cells[0].text for d in (df, df.iloc[order])}
    assert len(totals) == 1
    known = [v for v in values if v is not None]
    assert totals == {words.number(math.fsum(known), ",.2f") if known else "–"}


def test_pictures_are_let_in_only_from_our_own_hand():
    from sopnb import charts

    spark = charts.sparkline([1, None, 2, 3], target=2, title="Accuracy")
    df = pd.DataFrame({"kpi": ["A", "B"], "line": [spark, "<svg onload=x>"], "size": [2.0, -1.0], "status": ["on", "off"]})
    page = tables.show(df, caption="c", columns={"kpi": "KPI", "line": tables.col("", "picture"), "size": tables.col("", "bar"), "status": tables.col("", "status")}).html
    assert "<polyline" in page and "&lt;svg onload=x&gt;" in page
    assert 'x="33.33%" y="0" width="66.67%"' in page, "2 of −1 … 2, from zero at a third"
    assert "On target" in page and "Off target" in page


def test_empty_tables_say_so():
    table = tables.show(SHORT.iloc[:0], caption="Nothing short", columns={"item": "Item", "amount": "At stake"}, top=5, by="amount")
    assert "No rows." in table.html and "No rows." in table.text


@pytest.mark.parametrize(("call", "told"), [
    (lambda: tables.show(SHORT, caption="c", columns={"itm": "Item"}), "no column itm.*Did you mean item"),
    (lambda: tables.show(SHORT, caption="c", columns={"item": "Item"}, total=["location"]), "location is not a number"),
    (lambda: tables.col("A", "mony"), "'mony' is not known.*Did you mean money"),
    (lambda: tables.show(SHORT, caption="c", columns={}), "at least one column"),
])
def test_errors_name_the_column(call, told):
    with pytest.raises(TableError, match=told):
        call()


# --- the workbook ---------------------------------------------------------------------------------------------------

TYPED = pd.DataFrame({
    "item": ["=1+1", "+62", "-x", "@cmd", "{=A1}", "http://x.y", "00123"],
    "month": pd.to_datetime(["2026-01-01"] * 6 + [None]),
    "units": [1.5, -2, None, 0, 1e9, math.inf, 3],
    "made": [True, False, True, False, True, False, True],
    "on": [dt.date(2026, 10, 5)] * 7,
})


def test_cells_keep_their_type_and_text_never_becomes_a_formula(tmp_path):
    import python_calamine

    path = tables.workbook(tmp_path / "pack.xlsx", {"plan": (TYPED, "The plan", {"units": "cartons"}), "empty": TYPED.iloc[:0]}, title="Pack")
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["Contents", "plan", "empty"]
    rows = book.get_sheet_by_name("plan").to_python()
    assert [row[0] for row in rows] == ["item", *TYPED["item"]]
    assert rows[1] == ["=1+1", dt.date(2026, 1, 1), 1.5, True, dt.date(2026, 10, 5)]
    assert [row[2] for row in rows[1:]] == [1.5, -2, "", 0, 1e9, "∞", 3]
    with zipfile.ZipFile(path) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any("<f>" in sheet or "hyperlink" in sheet for sheet in sheets[1:])
        assert "<f>" not in sheets[0] and re.findall("<hyperlink [^>]*>", sheets[0]) and all("location=" in link and "r:id" not in link for link in re.findall("<hyperlink [^>]*>", sheets[0]))
        assert "autoFilter" in sheets[1] and 'state="frozen"' in sheets[1]


def test_the_same_tables_give_the_same_bytes(tmp_path):
    first = tables.workbook(tmp_path / "a.xlsx", {"plan": TYPED}).read_bytes()
    time.sleep(2.1)  # the time in a zip file has steps of two seconds
    assert tables.workbook(tmp_path / "b.xlsx", {"plan": TYPED}).read_bytes() == first


@pytest.mark.parametrize("name", ["", "a/b", "x" * 32, "Contents", "'quoted"])
def test_sheet_names_excel_refuses(tmp_path, name):
    with pytest.raises(WorkbookError, match="sheet name"):
        tables.workbook(tmp_path / "a.xlsx", {name: TYPED})


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_the_workbook_opens_in_libreoffice(tmp_path):
    path = tables.workbook(tmp_path / "pack.xlsx", {"plan": TYPED})
    subprocess.run(["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2",
                    "--outdir", str(tmp_path), str(path)], check=True, capture_output=True, timeout=120)
    text = next(tmp_path.glob("*.csv")).read_text(encoding="utf-8")
    assert "=1+1" in text and "00123" in text and "2026-10-05" in text


def test_a_column_of_zeros_has_the_decimals_of_its_neighbours():
    from sopnb import tables_scale

    found = tables_scale.money({"price": [0.0, 0.0], "volume": [-3.21e10, 1.5e10], "small": [1e3]})
    assert (found["price"].show(0.0, False), found["volume"].show(1.5e10, False)) == ("0.0", "15.0")
    assert (found["price"].divisor, found["price"].unit) == (found["volume"].divisor, found["volume"].unit)
    assert tables_scale.money({"price": [0.0]})["price"].show(0.0, False) == "0"
