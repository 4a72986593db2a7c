"""The workbook of a cycle, as planners meet it in Excel or LibreOffice."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from helpers import frame
from python_calamine import CalamineWorkbook

from sopnb import frames, kpis, lots, overrides, rescheduling, streams, words, workbook, workbook_sheets, workbook_words

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def small() -> dict[str, pd.DataFrame]:
    """A cycle of two items at one place: numbers that can be followed by hand."""
    made = {
        "items": frame("item name family", "A Apple Fruit", "B =1+1 Fruit"),
        "people": frame("person name", "ann Ann"),
        "plan": frame("item location month consensus revenue margin price baseline events",
                      "A JKT 2026-10 10 100 40 10 12 -2", "A JKT 2026-11 20 200 80 10 20 0", "B JKT 2026-10 5 25 5 5 5 0"),
        "kpis": frame("kpi scope month value target low status version", "forecast_accuracy all 2026-09 0.823 0.85 0.8 watch 1", "cash location:JKT 2026-09 5 - - none 1"),
        "exceptions": pd.DataFrame({"id": ["e1", "e2"], "kind": "excess", "item": ["A", "B"], "location": "JKT", "first": pd.Timestamp("2026-10-01"), "last": pd.Timestamp("2026-10-01"),
                                    "units": [4.0, 9.0], "amount": [40.0, 90.0], "because": "exceptions.excess",
                                    "values": '{"item": "A", "limit": 6, "location": "JKT", "on_hand": 9, "units": 4, "within": 5}', "group": "all-excess", "overlap": 0.0}),
        "actions": frame("action title owner made_on due state amount", "2026-09-A1 Buy ann 2026-09-08 2026-10-05 open 30"),
        "overrides_used": frame("override level key location month kind value units state reason owner", "O1 item A JKT 2026-10 percent -0.2 -2 used price ann", "O2 item B JKT 2026-10 delta 7 7 small price ann"),
    }
    made = {name: df if name in ("items", "people") else filled(df, frames.TABLES[name]) for name, df in made.items()}
    return {name: frames.conform(df, frames.TABLES[name]) if name not in ("items", "people") else df for name, df in made.items()}


def filled(df: pd.DataFrame, about: frames.Frame) -> pd.DataFrame:
    """With the columns that an example does not need."""
    usual = {"text": None, "number": float("nan"), "integer": 0, "date": pd.NaT, "month": pd.NaT, "flag": False}
    return df.assign(**{column.name: usual[column.kind] for column in about.columns if column.name not in df.columns})


KNOWN = {"locations": {"JKT": "Jakarta"}, "measures": {"forecast_accuracy": "percent", "cash": "days"}, "currency": "USD"}


def sheets(tables: dict[str, pd.DataFrame] | None = None, language: str = "en") -> dict[str, workbook.Sheet]:
    tables = tables or small()
    with words.speaking(language, "USD"):
        return workbook_sheets.sheets(tables, workbook_sheets.names(tables, **KNOWN))


@pytest.fixture
def book(tmp_path) -> Path:
    return workbook.workbook(tmp_path / "w.xlsx", sheets(), front=workbook_sheets.front("Pasar & Co", "2026-10", None))


def rows(path: Path, name: str) -> list[list]:
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).to_python()


# --- what a planner reads -----------------------------------------------------------------------------------------------

def test_sheets_stand_in_the_order_of_the_meeting_and_absent_tables_have_none(book):
    assert CalamineWorkbook.from_path(str(book)).sheet_names == ["Contents", "Actions", "KPIs", "Plan by month", "Demand plan", "Overrides", "Exceptions"]


def test_a_code_is_followed_by_its_name_and_heads_carry_their_unit(book):
    plan = rows(book, "Demand plan")
    assert plan[0][:8] == ["Item", "Item name", "Family", "Location", "Location name", "Month", "Consensus\nunits", "Revenue\nUSD"]
    assert plan[1][:8] == ["A", "Apple", "Fruit", "JKT", "Jakarta", dt.date(2026, 10, 1), 10.0, 100.0]
    assert plan[3][1] == "=1+1"


def test_the_plan_by_month_has_a_column_for_each_month_and_adds_up(book):
    found = rows(book, "Plan by month")
    assert found[0] == ["Item", "Item name", "Location", "Location name", "Family", "Oct 26\nunits", "Nov 26\nunits", "Sum\nunits", "Revenue\nUSD"]
    assert found[1] == ["A", "Apple", "JKT", "Jakarta", "Fruit", 10.0, 20.0, 30.0, 300.0]
    assert found[2] == ["B", "=1+1", "JKT", "Jakarta", "Fruit", 5.0, "", 5.0, 25.0]


def test_sentences_stand_instead_of_ids_the_most_money_first(book):
    found = rows(book, "Exceptions")
    assert found[0][:4] == ["Kind", "What and why", "At stake\nUSD", "Units\nunits"] and [row[2] for row in found[1:]] == [90.0, 40.0]
    assert found[1][0] == "Excess" and "exceptions." not in found[1][1] and "{" not in str(found)
    assert rows(book, "Actions")[1][:5] == ["2026-09-A1", "Buy", "Ann", dt.date(2026, 10, 5), "Open"]
    assert rows(book, "KPIs")[2][:2] == ["Cash", "Location: Jakarta"] or rows(book, "KPIs")[1][1] == "Location: Jakarta"


def test_every_column_that_a_sheet_can_show_has_a_heading_that_a_person_wrote():
    told = set(words.MESSAGES.values())
    bare = [f"{spec.id}.{column.name}" for spec in workbook_sheets.SPECS for column in frames.TABLES[spec.table].columns
            if column.name not in workbook_sheets.JSON | {spec.said, "topic", "edited"} and workbook_words.head(spec.id, spec.table, column.name) not in told]
    assert bare == []


# --- one word per thing -------------------------------------------------------------------------------------------------

def codes(table: str, column: str) -> list[str]:
    """The codes that a frame's own words list for a column: `open, started, done or dropped`."""
    given = {"rule": [*lots.RULES, "need", "moq", "multiple"], "stream": [*streams.STREAMS, "consensus"], "source": list(frames.SOURCES), "asked.kind": [*codes("exceptions", "kind"), "hiring", "budget"],
             "overrides_used.kind": list(overrides.KINDS), "messages.message": [*rescheduling.MESSAGES, "expedite", "past_due"]} if (table, column) != ("exceptions", "kind") else {}
    about = next(one.unit for one in frames.TABLES[table].columns if one.name == column)
    listed = re.sub(r"\(.*?\)|`", "", about.split("what service_target means: ")[-1].split("of demand over that time: ")[-1].split("what safety_stock rests on: ")[-1])
    return given.get(f"{table}.{column}") or given.get(column) or [part.split()[0] for part in re.split(r",? or |, ", listed)]


CODED = [(spec.table, column.name) for spec in workbook_sheets.SPECS for column in frames.TABLES[spec.table].columns
         if spec.id != "by_month" and workbook_words.coded(spec.table, column.name) and column.name not in ("location", "reason", "kpi", "scope", "level")]


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_code_that_a_sheet_can_hold_has_words_in_both_languages(language):
    with words.speaking(language, "USD"):
        said = {(table, column, code): workbook_words.word(table, column, code) for table, column in CODED for code in codes(table, column)}
        said |= {("overrides_used", "level", code): workbook_words.word("overrides_used", "level", code) for code in overrides.LEVELS}
        said |= {("kpis", "scope", code): workbook_words.scope(code, {}) for code in ("all", "family", "location", "territory", "resource", "lag", "owner", "reason", "size")}
        said |= {("kpis", "kpi", code): workbook_words.word("kpis", "kpi", code) for code in kpis.described()}
    assert len(said) > 110, "every list of codes is read"
    assert [about for about, text in said.items() if text == about[2] and not (about[1] == "source" and language == "en")] == []


def test_every_column_whose_codes_the_frame_lists_is_looked_up():
    """A list of codes in a frame's words (`a, b or c`) is a column with words; classes, sizes and letters are their own."""
    listed = [(spec.table, column.name) for spec in workbook_sheets.SPECS for column in frames.TABLES[spec.table].columns
              if column.kind == "text" and re.match(r"(of \w+ \w+ )?[a-z_]+(, [a-z_]+)* or [a-z_]+$", column.unit)]
    assert len(listed) >= 8 and [one for one in listed if not workbook_words.coded(*one) and one not in {("findings", "first")}] == []


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_workbooks_words_are_the_pages(language):
    """What a page says of a code, the workbook says, with a capital."""
    pages = {("proposed", "rule", "wagner_whitin"): "supply.wagner_whitin", ("messages", "message", "cancel"): "supply.cancel", ("kpis", "status", "off"): "words.off",
             ("value_added_by", "stream", "sales"): "plan.stream.sales", ("value_added_by", "skill", "open"): "plan.skill.open", ("overrides_used", "state", "conflict"): "plan.state.conflict",
             ("overrides_used", "reason", "price"): "term.reason.price", ("findings", "source", "stock"): "term.source.stock", ("exceptions", "kind", "short"): "supply.kind.short",
             ("actions", "state", "done"): "recap.closed.done", ("assumptions", "state", "failed"): "recap.assumption.failed", ("findings", "severity", "red"): "checks.severity.red"}
    with words.speaking(language, "USD"):
        for (table, column, code), one in pages.items():
            assert workbook_words.word(table, column, code).casefold() == words.message(one).text.casefold(), one
        assert workbook_words.head("plan", "plan", "sales") == words.message("plan.stream.sales").text
        assert workbook_words.head("answers", "choices", "keeps") == words.message("meeting.keeps").text
        assert workbook_words.word("overrides_used", "reason", "seen_at_a_fair") == "Seen at a fair"


def test_the_workbooks_messages_hold_no_word_that_a_page_has():
    """A code told twice would drift apart: workbook.yaml has headings, sheets and the codes that no page tells."""
    groups = {one.split(".")[1] for one in words.MESSAGES if one.startswith("workbook.")}
    assert groups == {"title", "front", "cut", "part", "column", "unit", "fact", "sheet", "about", "head", "order", "given", "measure", "basis", "distribution"}


def test_whose_value_added_it_is_stands_in_words():
    rows = frame("scope key", "all all", "family Coffee", "owner ann", "reason lost_account", "size small")
    assert workbook_words.keys(rows, {"ann": "Ann"}) == ["All", "Coffee", "Ann", "Lost account", "Used, but small"]


def test_nothing_of_a_table_is_lost():
    """Each column is a column of the sheet, or in a sentence, or a name."""
    given, made = small(), sheets()
    plan = made["Demand plan"]
    assert set(given["plan"].columns) <= {column.name for column in plan.columns}
    assert list(plan.df["baseline"]) == list(given["plan"]["baseline"])


def test_kinds_come_from_the_frame(tmp_path):
    columns = {column.name: column for column in sheets()["Demand plan"].columns}
    assert [columns[name].kind for name in ("month", "consensus", "price", "revenue", "item")] == ["month", "units", "price", "money", "text"]
    assert columns["events"].signed and not columns["consensus"].signed
    assert columns["consensus"].note == "Units, what we plan with. Column consensus of the table plan."
    kpis, overrides = sheets()["KPIs"], sheets()["Overrides"]
    assert dict(zip(kpis.df["kpi"], kpis.df["kind_of_row"], strict=True))["Forecast accuracy"] == "percent" and set(kpis.df["kind_of_row"]) == {"percent", "hours"}
    assert list(overrides.df["kind_of_row"]) == ["percent", "units"]


def test_a_long_table_keeps_the_series_of_most_money_and_says_how_many_rows_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(workbook_sheets, "ROWS", 2)
    made = sheets()
    cut = "These are the 2 of 3 rows with the most money; the other 1 are left out here and stand in tables/plan.parquet."
    assert list(made["Demand plan"].df["item"]) == ["A", "A"] and made["Demand plan"].note.endswith(cut)
    path = workbook.workbook(tmp_path / "w.xlsx", made, front=workbook_sheets.front("Pasar", "2026-10", None))
    assert rows(path, "Demand plan")[-1][0] == cut, "the sheet says it as well, below its rows"
    assert any(cut in str(cell) for row in rows(path, "Contents") for cell in row)


def test_rows_without_money_are_the_first_and_of_the_others_those_of_most_money_in_their_order():
    stock = pd.DataFrame({"item": list("ABC"), "closing": [1.0, 9.0, 5.0]})
    orders = pd.DataFrame({"order": ["1", "2", "3"], "amount": [5.0, float("nan"), 7.0]})
    assert list(workbook_sheets.top(stock, 2, "projection")[0]["item"]) == ["A", "B"]
    kept, said = workbook_sheets.top(orders, 2, "proposed")
    assert list(kept["order"]) == ["1", "3"] and "proposed.parquet" in said
    assert workbook_sheets.top(orders, 3, "proposed")[1] == ""


def test_many_long_tables_share_the_room_of_a_workbook_that_people_can_open():
    tables = small()
    assert workbook_sheets.room(tables) == workbook_sheets.ROWS
    plan = pd.DataFrame({"month": frames.months("2026-10", 18).repeat(100_000)})
    assert workbook_sheets.room({"plan": plan.head(200_000)}) == workbook_sheets.ROWS, "a plan of 200,000 rows has room"
    big = {"plan": plan, "projection": plan, "policy": plan.head(100_000)}
    most = workbook_sheets.room(big)
    cells = sum(min(len(big[name]), most) * len(frames.TABLES[name].columns) for name in big) + most * 25
    assert 10_000 < most < workbook_sheets.ROWS and cells <= workbook_sheets.CELLS


def test_the_front_sheet_explains(tmp_path):
    front = workbook.Front("Contents", "Pasar & Co", ("The headline.", "The lead."), (("Plan, money", 659087430412.0, "money"), ("Data", "accepted", "text")), advice="Hold the pointer.")
    path = workbook.workbook(tmp_path / "w.xlsx", {"Demand plan": sheets()["Demand plan"]}, front=front)
    found = rows(path, "Contents")
    assert [found[0][0], found[1][0], found[2][0]] == ["Pasar & Co", "The headline.", "The lead."]
    assert ["Plan, money", 659087430412.0, ""] in found and ["Data", "accepted", ""] in found
    assert ["Demand plan", 3.0, sheets()["Demand plan"].note] in found and found[-1][0] == "Hold the pointer."


# --- the file itself ------------------------------------------------------------------------------------------------------

def faults(path: Path) -> list[str]:
    """What makes Excel offer a repair, or leads out of the file: judged from the parts, not by the library that wrote them."""
    found = []
    with zipfile.ZipFile(path) as parts:
        names = set(parts.namelist())
        found += [f"{name} twice" for name in names if parts.namelist().count(name) > 1]
        trees = {name: ET.fromstring(parts.read(name)) for name in sorted(names) if name.endswith((".xml", ".rels", ".vml"))}
    for name, tree in trees.items():
        if name.endswith(".rels"):
            base = Path(name).parent.parent
            for one in tree:
                target = (Path("/") / base / one.get("Target")).resolve() if not one.get("Target").startswith("/") else Path(one.get("Target"))
                found += [f"{name} leads outside: {one.get('Target')}"] if one.get("TargetMode") == "External" else [] if str(target)[1:] in names else [f"{name}: {one.get('Target')} is missing"]
        if "/worksheets/sheet" in name:
            cells = [cell.get("r") for cell in tree.iter(f"{MAIN}c")]
            found += [f"{name}: a cell twice"] if len(cells) != len(set(cells)) else []
            found += [f"{name}: a formula"] if any(True for _ in tree.iter(f"{MAIN}f")) else []
            found += [f"{name}: {cell.get('r')} is no number" for cell in tree.iter(f"{MAIN}c") if cell.get("t") is None for v in cell if not re.fullmatch(r"-?[\d.]+(E[+-]?\d+)?", v.text or "", re.I)]
            found += [f"{name}: link out" for link in tree.iter(f"{MAIN}hyperlink") if link.get(f"{RELS}id") or not link.get("location")]
            order = [part.tag.removeprefix(MAIN) for part in tree]
            known = ["sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter", "mergeCells", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "legacyDrawing"]
            found += [f"{name}: parts out of order"] if order != sorted(order, key=known.index) else []
    listed = [sheet.get("name") for sheet in trees["xl/workbook.xml"].iter(f"{MAIN}sheet")]
    return found + ([] if len({one.lower() for one in listed}) == len(listed) and all(len(one) <= 31 for one in listed) else ["sheet names"])


def test_the_parts_of_the_file_are_whole_and_lead_nowhere_else(book):
    assert faults(book) == []


def test_the_judge_sees_a_formula_and_a_link(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "x.xlsx")) as made:
        sheet = made.add_worksheet("a")
        sheet.write_formula(0, 0, "=1+1")
        sheet.write_url(1, 0, "https://x.example/")
    assert {fault.split(": ")[-1] for fault in faults(tmp_path / "x.xlsx")} >= {"a formula", "link out"}


def test_heads_stay_filter_and_explain_and_pages_repeat_them(book):
    with zipfile.ZipFile(book) as parts:
        plan = parts.read("xl/worksheets/sheet5.xml").decode()
        notes = " ".join(parts.read(name).decode() for name in parts.namelist() if "comments" in name)
        whole = parts.read("xl/workbook.xml").decode()
    assert 'state="frozen"' in plan and "<autoFilter" in plan and 'fitToHeight="0"' in plan
    assert "Units, what we plan with." in notes and whole.count("_xlnm.Print_Titles") == 6


def test_the_same_cycle_gives_the_same_bytes_and_a_big_one_too(tmp_path, monkeypatch):
    first = workbook.workbook(tmp_path / "a.xlsx", sheets()).read_bytes()
    assert workbook.workbook(tmp_path / "b.xlsx", sheets()).read_bytes() == first
    monkeypatch.setattr(workbook, "MANY", 1)  # as one with a million cells: rows go to disk
    big = workbook.workbook(tmp_path / "c.xlsx", sheets())
    assert rows(big, "Demand plan") == rows(tmp_path / "a.xlsx", "Demand plan") and faults(big) == []
    assert workbook.workbook(tmp_path / "d.xlsx", sheets()).read_bytes() == big.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_it_and_gives_back_the_same_cells(book, tmp_path):
    subprocess.run(["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "ods", "--outdir", str(tmp_path / "out"), str(book)],
                   check=True, capture_output=True, timeout=180)
    back = CalamineWorkbook.from_path(str(tmp_path / "out" / "w.ods"))
    assert back.sheet_names == CalamineWorkbook.from_path(str(book)).sheet_names
    for name in back.sheet_names[1:]:
        assert [[_plain(cell) for cell in row] for row in back.get_sheet_by_name(name).to_python()] == [[_plain(cell) for cell in row] for row in rows(book, name)], name


def _plain(cell: object) -> object:
    return cell.date() if isinstance(cell, dt.datetime) else round(cell, 9) if isinstance(cell, float) else cell


# --- the same bytes -------------------------------------------------------------------------------------------------------

MADE = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from test_workbook import sheets
from sopnb import workbook, workbook_sheets, words
with words.speaking("id", "IDR"):
    path = workbook.workbook("w.xlsx", sheets(language="id"), front=workbook_sheets.front("Pasar & Co", "2026-10", None), language="id")
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_folder_zone_locale_and_seed_make_no_difference(tmp_path):
    """A whole cycle is held to the same in test_same_bytes; here the workbook alone, so that its fault is named."""
    runs = {"here": {"TZ": "Asia/Jakarta", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}, "there with blanks": {"TZ": "America/New_York", "LC_ALL": "C", "LANG": "id_ID.UTF-8", "PYTHONHASHSEED": "77"}}
    digests = set()
    for name, about in runs.items():
        (tmp_path / name).mkdir()
        done = subprocess.run([sys.executable, "-c", MADE.format(tests=str(Path(__file__).parent))], cwd=tmp_path / name, capture_output=True, text=True, timeout=120,
                              env={**os.environ, **about, "PYTHONPATH": str(Path(__file__).parent.parent), "TMPDIR": str(tmp_path / name)})
        assert done.returncode == 0, done.stderr[-800:]
        digests.add(done.stdout)
    assert len(digests) == 1
