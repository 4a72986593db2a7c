"""Extracts → frames: the tiny company's four files, one of each fault, and what must never happen to a row."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, mail, parsing, reading, sources, vetting
from sopnb.problems import Problems

TINY = Path(__file__).parent / "data" / "tiny"
APRIL = pd.Timestamp("2026-04-01")
PLAIN: dict[str, Any] = {
    "path": None, "sheet": None, "columns": {}, "defaults": {}, "sql": None, "files": {}, "url": None, "decimal": ".", "thousands": "",
    "dates": "yyyy-mm-dd", "months": "en", "delimiter": ",", "encoding": "utf-8", "fresh_days": 10, "folders": []}
ORDERS: dict[str, Any] = {
    "delimiter": ";", "decimal": ",", "thousands": ".", "dates": "dd/mm/yyyy",
    "columns": {"order": "no_pesanan", "line": "baris", "item": "kode", "location": "gudang", "order_date": "tgl_pesan", "requested_date": "tgl_minta",
                "quantity": "qty", "unit_price": "harga", "discount": "diskon", "amount": "jumlah", "shipped_date": "tgl_kirim", "shipped_quantity": "qty_kirim"}}


def setting(**given: Any) -> dict[str, Any]:
    return copy.deepcopy({**PLAIN, **given})


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The tiny company's settings, over a copy of its files."""
    shutil.copytree(TINY, tmp_path, dirs_exist_ok=True)
    return {"orders": setting(path=str(tmp_path / "orders.csv"), **ORDERS), "items": setting(path=str(tmp_path / "items.csv")),
            "stock": setting(path=str(tmp_path / "stock.csv")), "opportunities": setting(path=str(tmp_path / "opportunities.csv"))}


def told(problems: list) -> str:
    return "\n".join(str(problem) for problem in problems)


# --- rows -----------------------------------------------------------------------------------------------------------

def test_each_fault_is_set_aside_with_its_row_and_money(tiny):
    done = sources.collect(tiny, cut_off=APRIL, locations=["JKT", "SBY"])
    faults = done.set_aside.set_index("row")[["rule", "column", "value", "amount"]]
    assert faults.loc[6].tolist() == ["set_aside.duplicate_key", "order × line", "S-03 · 1", 300_000]
    assert faults.loc[7].tolist() == ["set_aside.unknown_item", "item", "ROTI", 80_000]
    assert faults.loc[8].tolist() == ["set_aside.unreadable_number", "quantity", "dua", 100_000]
    assert faults.loc[9].tolist() == ["set_aside.impossible_date", "requested_date", "31/02/2026", 100_000]
    assert faults.loc[13].tolist() == ["set_aside.future_date", "order_date", "15/03/2062", 50_000]
    assert set(done.set_aside["file"]) == {"orders.csv"}


def test_the_declared_locale_reads_1_250_as_a_thousand(tiny):
    first = sources.collect(tiny, cut_off=APRIL).tables["orders"].iloc[0]
    assert (first["quantity"], first["unit_price"], first["discount"], first["amount"]) == (1250, 10_000, 0.1, 11_250_000)
    assert first["order_date"] == pd.Timestamp("2026-01-05")


def test_rows_of_the_cycle_month_are_left_out_and_counted(tiny):
    done = sources.collect(tiny, cut_off=APRIL)
    assert "S-09" not in set(done.tables["orders"]["order"])
    assert done.freshness.set_index("source").loc["orders", "left_out"] == 1
    assert done.total("orders", "left out").tolist() == [1, 25, 125_000]


def test_what_happened_after_the_cut_off_is_not_known_yet(tiny):
    """S-08 left on 3 April and deal D-2 was won on 20 April: a cycle run later sees neither."""
    done = sources.collect(tiny, cut_off=APRIL)
    line = done.tables["orders"].set_index("order").loc["S-08"]
    assert pd.isna(line["shipped_date"]) and np.isnan(line["shipped_quantity"])
    deals = done.tables["opportunities"].set_index("opportunity")
    assert deals.loc["D-2", ["stage", "outcome"]].tolist() == ["open", None]
    assert deals.loc["D-1", "outcome"] == "won" and "D-3" not in deals.index
    assert {"findings.not_known_yet"} <= set(done.notes["rule"])


def test_of_several_counts_the_latest_before_the_cut_off_holds_and_a_newer_one_alone_is_told(tiny):
    """JKT counts on 28 February and 31 March; SBY only on 30 April. TEH is not in JKT's latest count: no stock."""
    done = sources.collect(tiny, cut_off=APRIL)
    assert done.tables["stock"][["item", "location", "on_hand"]].values.tolist() == [["KOPI", "JKT", 80], ["TEH", "SBY", -3]]
    notes = done.notes.set_index("rule")
    assert notes.loc["findings.stock_newer", "severity"] == "amber"
    assert notes.loc["findings.stock_absent", "first"] == "TEH"
    assert done.freshness.set_index("source").loc["stock", "left_out"] == 2


def test_a_slip_in_a_side_column_of_an_item_does_not_take_its_orders_along(tiny):
    """TEH's lead time is `soon`, and its launch the placeholder 1900: both become missing, and both are told."""
    done = sources.collect(tiny, cut_off=APRIL)
    item = done.tables["items"].set_index("item").loc["TEH"]
    assert np.isnan(item["lead_time_days"]) and pd.isna(item["launch_date"])
    assert {"findings.blanked", "findings.no_limit"} <= set(done.notes.loc[done.notes["source"] == "items", "rule"])


def test_an_unknown_location_is_set_aside_only_where_locations_are_declared(tiny):
    assert "set_aside.unknown_location" in set(sources.collect(tiny, cut_off=APRIL, locations=["JKT"]).set_aside["rule"])
    assert "set_aside.unknown_location" not in set(sources.collect(tiny, cut_off=APRIL).set_aside["rule"])


def test_a_source_without_location_uses_all(tiny):
    del tiny["orders"]["columns"]["location"]
    assert set(sources.collect(tiny, cut_off=APRIL, locations=["JKT"]).tables["orders"]["location"]) == {"all"}


def test_two_rows_with_one_key_that_differ_are_told_apart_from_copies(tiny):
    path = Path(tiny["orders"]["path"])
    path.write_text(path.read_text().replace("S-03;1;KOPI;SBY;10/03/2026;12/03/2026;30;10.000;;300.000;;13/03/2026;30\nS-04",
                                             "S-03;1;KOPI;SBY;10/03/2026;12/03/2026;31;10.000;;310.000;;13/03/2026;31\nS-04"))
    assert "set_aside.conflicting_key" in set(sources.collect(tiny, cut_off=APRIL).set_aside["rule"])


def test_ragged_rows_and_blank_lines_keep_the_row_numbers_of_the_file(tiny):
    path = Path(tiny["items"]["path"])
    path.write_text(path.read_text().replace("TEH,", "\nSIRUP,Sirup\nTEH,"))
    done = sources.collect(tiny, cut_off=APRIL)
    ragged = done.set_aside[done.set_aside["source"] == "items"].iloc[0]
    assert (ragged["rule"], ragged["row"], ragged["value"]) == ("set_aside.ragged_row", 4, "SIRUP,Sirup")
    assert "row 5" in done.notes.set_index("rule").loc["findings.blanked", "first"]


def test_a_large_text_file_gives_what_a_small_one_gives(tiny, monkeypatch):
    small = sources.collect(tiny, cut_off=APRIL)
    monkeypatch.setattr(reading, "SMALL", 0)  # every file counts as large: read by the engine
    large = sources.collect(tiny, cut_off=APRIL)
    for name, table in small.tables.items():
        pd.testing.assert_frame_equal(large.tables[name], table)
    pd.testing.assert_frame_equal(large.set_aside, small.set_aside)


CELLS = st.sampled_from(["", "5", "-3", "x", "1.250", "2026-03-05", "2026-04-05", "2026-02-31", "2999-01-01", "A", "B"])


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(*[CELLS] * 6), max_size=12))
def test_rows_in_are_rows_used_and_set_aside_and_left_out(rows):
    """The identity that no input may break, in rows, units and money."""
    cells = pd.DataFrame(rows, columns=["order", "line", "item", "order_date", "quantity", "unit_price"], dtype=object)
    context = vetting.Context(PLAIN, APRIL, pd.DataFrame({"item": ["A", "B"], "unit_cost": 1.0, "unit_price": 2.0}))
    done = vetting.vet("orders", cells, list(range(2, len(rows) + 2)), "orders.csv", [("orders.csv", 99, "ragged")], context=context)
    totals = done.totals.set_index("state")[["rows", "units", "amount"]]
    assert totals.loc["received"].to_numpy() == pytest.approx((totals.loc["used"] + totals.loc["set aside"] + totals.loc["left out"]).to_numpy())
    assert totals.loc["received", "rows"] == len(rows) + 1
    assert len(done.table) == totals.loc["used", "rows"] and len(done.set_aside) == totals.loc["set aside", "rows"]


# --- files, queries, databases --------------------------------------------------------------------------------------

def test_text_parquet_json_workbook_and_query_give_the_same_table(tiny, tmp_path):
    """One item master, handed over in five ways."""
    plain = pd.read_csv(tmp_path / "items.csv").drop(columns=["lead_time_days", "launch_date"])
    plain.to_csv(tmp_path / "i.csv.gz", index=False)
    plain.to_parquet(tmp_path / "i.parquet")
    plain.to_json(tmp_path / "i.json", orient="records")
    with pd.ExcelWriter(tmp_path / "i.xlsx", engine="xlsxwriter") as book:
        plain.to_excel(book, sheet_name="Master", index=False)
    ways = [setting(path=str(tmp_path / name)) for name in ("i.csv.gz", "i.parquet", "i.json")]
    ways.append(setting(path=str(tmp_path / "i.xlsx"), sheet="Master"))
    ways += [setting(sql="SELECT item, name, family, unit_cost, unit_price FROM master", files={"master": str(tmp_path / name)}) for name in ("i.csv.gz", "i.xlsx", "i.parquet")]
    tables = [sources.collect({"items": way}, cut_off=APRIL).tables["items"] for way in ways]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_in_a_query_text_stays_text_and_the_cut_off_is_known(tiny, tmp_path):
    """A sniffed 1.250 would be 1.25; as text it is a thousand, because the locale says so."""
    sql = 'SELECT no_pesanan AS "order", baris AS line, kode AS item, tgl_pesan AS order_date, qty AS quantity FROM o WHERE strptime(tgl_pesan, \'%d/%m/%Y\') < $cut_off'
    way = setting(sql=sql, files={"o": str(tmp_path / "orders.csv")}, **{k: ORDERS[k] for k in ("delimiter", "decimal", "thousands", "dates")})
    orders = sources.collect({"orders": way, "items": tiny["items"]}, cut_off=APRIL).tables["orders"]
    assert orders.iloc[0]["quantity"] == 1250
    assert orders["order_date"].max() < APRIL


@pytest.mark.parametrize(("sql", "says"), [
    ("SELECT 1 AS item; SELECT 2 AS item", "holds 2 statements"),
    ("COPY (SELECT 1) TO 'out.csv'", "is not a SELECT but COPY"),
    ("WITH gone AS (DELETE FROM i RETURNING *) SELECT * FROM gone", "changes data"),
    ("SELECT item, FROM WHERE", "is not SQL that can be read"),
    ("SELECT itm FROM i", "itm"),
    ("SELECT * FROM read_csv('/etc/passwd')", "file system operations are disabled"),
    ("SELECT * FROM '../secret.csv'", "file system operations are disabled"),
])
def test_a_query_reads_what_is_declared_and_nothing_else(tmp_path, sql, says):
    shutil.copy(TINY / "items.csv", tmp_path / "items.csv")
    problems = sources.check({"items": setting(sql=sql, files={"i": str(tmp_path / "items.csv")})}, cut_off=APRIL)
    assert says in told(problems)


def test_a_query_may_read_the_declared_folders(tmp_path):
    shutil.copy(TINY / "items.csv", tmp_path / "items.csv")
    way = setting(sql=f"SELECT item, family FROM read_csv('{tmp_path}/items.csv')", folders=[str(tmp_path)])
    assert len(sources.collect({"items": way}, cut_off=APRIL).tables["items"]) == 2


def test_a_database_is_read_by_reference_and_its_address_is_never_told(tmp_path, monkeypatch):
    import sqlalchemy as sa

    address = f"sqlite:///{tmp_path}/erp.db"
    pd.read_csv(TINY / "items.csv").to_sql("master", sa.create_engine(address), index=False)
    way = setting(sql="SELECT item, family FROM master WHERE $cut_off > '2000'", url="env:ERP_URL")
    assert "the environment variable ERP_URL is not set" in told(sources.check({"items": way}, cut_off=APRIL))
    monkeypatch.setenv("ERP_URL", address)
    assert list(sources.collect({"items": way}, cut_off=APRIL).tables["items"]["item"]) == ["KOPI", "TEH"]
    for sql, says in (("SELECT item FROM nowhere", "no such table"), ("DELETE FROM master", "is not a single SELECT")):
        message = told(sources.check({"items": {**way, "sql": sql}}, cut_off=APRIL))
        assert says in message and address not in message


# --- errors ---------------------------------------------------------------------------------------------------------

def test_a_good_set_of_files_has_no_problem(tiny):
    assert sources.check(tiny, cut_off=APRIL) == []


def test_every_error_is_told_at_once_with_what_to_do(tiny, tmp_path):
    """A misspelt file, a misspelt column, an empty extract, a wrong map: four sources, four messages."""
    tiny["items"]["path"] = str(tmp_path / "item.csv")
    tiny["orders"]["columns"]["quantity"] = "qyt"
    (tmp_path / "stock.csv").write_text("item,location,as_of,on_hand\n")
    tiny["opportunities"]["columns"] = {"acount": "account"}
    message = told(sources.check(tiny, cut_off=APRIL))
    assert "the file item.csv does not exist" in message and "Did you mean items.csv?" in message
    assert "has no column qyt, which the params file maps to quantity" in message and "Did you mean qty?" in message
    assert "is empty" in message
    assert "opportunities has no column acount" in message and "Did you mean account?" in message
    with pytest.raises(Problems, match=r"items\.csv"):
        sources.collect(tiny, cut_off=APRIL)


def test_a_needed_column_that_is_not_there_names_those_that_are(tiny, tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(path.read_text().replace("family", "famly"))
    message = told(sources.check(tiny, cut_off=APRIL))
    assert "has no column family, which items needs" in message
    assert "item, name, famly" in message and "`family: famly` under columns:" in message


def test_a_month_without_orders_is_an_error(tiny):
    message = told(sources.check(tiny, cut_off=pd.Timestamp("2026-06-01")))
    assert "has no order for 2026-05" in message and "--cycle 2026-05" in message


def test_a_cycle_before_the_first_order_names_the_first_possible_one(tmp_path):
    """The dates are fine, only later than the cut-off: nothing is said of their format. Queries up to the cut-off are empty for the same cause."""
    settings = plain(tmp_path)
    late = setting(sql="SELECT item, 'all' AS location, CAST(order_date AS DATE) AS as_of, 1 AS on_hand FROM o WHERE CAST(order_date AS DATE) < $cut_off",
                   files={"o": settings["orders"]["path"]})
    query = setting(sql="SELECT * FROM o", files={"o": settings["orders"]["path"]})
    up_to = setting(sql="SELECT * FROM o WHERE CAST(order_date AS DATE) < $cut_off", files={"o": settings["orders"]["path"]})
    for orders in (settings["orders"], query, up_to):
        for years in (1, 4):  # a year before, an order may still be one of the months to come; four years before, it is far
            problems = sources.check({**settings, "orders": orders, "stock": late}, cut_off=pd.Timestamp(f"{2026 - years}-01-01"))
            assert len(problems) == 1
            message = str(problems[0])
            assert "begins in 2026-03 and ends in 2026-03: no actuals exist before" in message and "--cycle 2026-04" in message
            assert "row 0" not in message and "dates:" not in message


def test_a_query_that_is_empty_for_another_cause_is_told(tmp_path):
    settings = plain(tmp_path)
    settings["stock"] = setting(sql="SELECT item, 'all' AS location, DATE '2026-03-01' AS as_of, 1 AS on_hand FROM o WHERE false", files={"o": settings["orders"]["path"]})
    assert "is empty: the query gives no row" in told(sources.check(settings, cut_off=APRIL))
    assert len(sources.check(settings, cut_off=pd.Timestamp("2022-01-01"))) == 2


def test_a_query_whose_rows_cannot_be_read_names_no_row(tmp_path):
    settings = plain(tmp_path, orders=PLAIN_ORDERS.replace("2026-03", "03/2026"))
    settings["orders"] = setting(sql="SELECT * FROM o", files={"o": settings["orders"]["path"]})
    assert "rows cannot be used, first order_date: 03/2026-02" in told(sources.check(settings, cut_off=APRIL))


def test_a_missing_file_is_told_once_with_all_sources_that_need_it(tmp_path):
    settings = plain(tmp_path)
    gone, other = str(tmp_path / "header.csv"), str(tmp_path / "detail.csv")
    for name in ("stock", "receipts", "lanes"):
        settings[name] = setting(sql="SELECT * FROM h JOIN d USING (order)", files={"h": gone, "d": other})
    problems = sources.check(settings, cut_off=APRIL)
    assert [problem.where for problem in problems] == [f"stock, receipts, lanes: {path}" for path in (gone, other)]
    with pytest.raises(Problems) as found:
        sources.collect(settings, cut_off=APRIL)
    assert found.value.problems == problems


def test_the_last_month_is_found_wherever_its_orders_stand(tiny, monkeypatch):
    monkeypatch.setattr(sources, "LAST_ROWS", 1)
    assert sources.check(tiny, cut_off=APRIL) == []


def test_a_locale_that_reads_no_row_says_so_before_the_run(tiny):
    tiny["orders"]["dates"] = "yyyy-mm-dd"
    assert "no row can be used" in told(sources.check(tiny, cut_off=APRIL))
    tiny["orders"]["dates"] = "day first"
    assert "'day first' names no year or no month" in told(sources.check(tiny, cut_off=APRIL))


def test_bytes_of_another_encoding_name_file_and_row(tiny, tmp_path):
    (tmp_path / "items.csv").write_bytes(b"item,family\nKOPI,Caf\xe9\nTEH,Tea\n")
    with pytest.raises(Problems, match=r"items\.csv: is not utf-8 text"):
        sources.collect(tiny, cut_off=APRIL)
    tiny["items"]["encoding"] = "latin-1"
    assert sources.collect(tiny, cut_off=APRIL).tables["items"]["family"].tolist() == ["Café", "Tea"]


# --- digest, order of rows ------------------------------------------------------------------------------------------

def test_the_digest_changes_with_a_byte_and_not_with_the_folder(tiny, tmp_path, tmp_path_factory):
    before = sources.digest(tiny)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(tmp_path, elsewhere, dirs_exist_ok=True)
    moved = {name: {**s, "path": str(elsewhere / Path(s["path"]).name)} for name, s in tiny.items()}
    assert sources.digest(moved) == before
    (tmp_path / "stock.csv").write_text((tmp_path / "stock.csv").read_text() + " ")
    assert sources.digest(tiny) != before


def test_the_order_of_rows_in_a_file_does_not_change_the_table(tiny, tmp_path):
    first = sources.collect(tiny, cut_off=APRIL).tables["orders"]
    lines = (tmp_path / "orders.csv").read_text().splitlines()
    (tmp_path / "orders.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    pd.testing.assert_frame_equal(sources.collect(tiny, cut_off=APRIL).tables["orders"], first)


# --- cells ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "decimal", "thousands", "number"), [
    ("1.250", ",", ".", 1250), ("1.250", ".", "", 1.25), ("1,250.5", ".", ",", 1250.5), ("12.50", ",", ".", np.nan), ("(12)", ".", "", -12),
    ("12-", ".", "", -12), ("−7", ".", "", -7), ("5%", ".", "", 0.05), ("Rp 5", ".", "", np.nan), ("nan", ".", "", np.nan), ("1 250", ".", " ", 1250)])
def test_numbers_as_the_locale_says(text, decimal, thousands, number):
    value, wrong = parsing.numbers(pd.Series([text], dtype=object), decimal=decimal, thousands=thousands)
    assert value[0] == pytest.approx(number, nan_ok=True) and wrong[0] == np.isnan(number)


@pytest.mark.parametrize(("text", "form", "months", "day"), [
    ("05/10/2026", "dd/mm/yyyy", "en", "2026-10-05"), ("05/10/2026", "mm/dd/yyyy", "en", "2026-05-10"), ("05 Agu 2026", "dd mmm yyyy", "id", "2026-08-05"),
    ("5 August 2026", "dd mmm yyyy", "en", "2026-08-05"), ("202610", "yyyymm", "en", "2026-10-01"), ("20261005", "yyyymmdd", "en", "2026-10-05"),
    ("2026-10-05 23:59:59", "yyyy-mm-dd", "en", "2026-10-05"), ("Des-26", "mmm-yy", "id", "2026-12-01")])
def test_dates_as_declared(text, form, months, day):
    value, wrong = parsing.dates(pd.Series([text], dtype=object), form=form, months=months)
    assert value[0] == pd.Timestamp(day) and wrong[0] == ""


@pytest.mark.parametrize(("text", "why"), [("31/02/2026", "impossible"), ("01/01/1900", "early"), ("31/12/9999", "late"), ("2026-10-05", "unreadable"), ("5 Aug", "unreadable")])
def test_a_date_that_is_none_says_why(text, why):
    assert parsing.dates(pd.Series([text], dtype=object), form="dd/mm/yyyy")[1][0] == why


def test_whole_numbers_from_a_workbook_are_codes_without_a_point():
    assert frames.conform(pd.DataFrame({"item": parsing.words(pd.Series([101.0, "0101"], dtype=object)), "family": "F"}), frames.ITEMS)["item"].tolist() == ["0101", "101"]


# --- hostile and broken files ---------------------------------------------------------------------------------------

PLAIN_ORDERS = "order,line,item,order_date,quantity,unit_price\nS1,1,A,2026-03-02,5,10\nS2,1,B,2026-03-03,7,10\nS3,1,A,2026-03-04,2,10\n"
PLAIN_ITEMS = "item,name,family\nA,Apple,Fruit\nB,Bean,Pulses\n"


def plain(folder: Path, *, orders: str | bytes = PLAIN_ORDERS, items: str | bytes = PLAIN_ITEMS, **more: str | bytes) -> dict[str, dict[str, Any]]:
    """Settings of plain files, written as given."""
    for name, content in {"orders": orders, "items": items, **more}.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return {name: setting(path=str(folder / f"{name}.csv")) for name in ("orders", "items", *more)}


@pytest.mark.parametrize("change", [
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: b"\xef\xbb\xbf" + text.replace("order,line", '"order","line"', 1).encode(),
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\n\n"),
    lambda text: text.replace("order,", " order ,", 1),
    lambda text: text.replace(",A,", ', A ,'),
], ids=["byte order mark", "byte order mark and quotes", "crlf", "blank lines", "spaces in the header", "spaces around a code"])
def test_what_programs_leave_in_a_file_changes_nothing(tmp_path, change):
    expected = sources.collect(plain(tmp_path), cut_off=APRIL).tables["orders"]
    settings = plain(tmp_path, orders=change(PLAIN_ORDERS))
    assert sources.check(settings, cut_off=APRIL) == []
    pd.testing.assert_frame_equal(sources.collect(settings, cut_off=APRIL).tables["orders"], expected)


def test_a_quoted_field_may_hold_the_delimiter_a_quote_and_a_line_break(tmp_path):
    settings = plain(tmp_path, items='item,name,family\nA,"Apple, ""red""\nlarge",Fruit\nB,Bean,Pulses\n')
    assert sources.collect(settings, cut_off=APRIL).tables["items"]["name"].tolist() == ['Apple, "red"\nlarge', "Bean"]


@pytest.mark.parametrize(("orders", "says"), [
    ("", "is empty: not even a header stands in it"),
    ("order,line,item,order_date,quantity\n", "is empty: no row stands below the header"),
    (PLAIN_ORDERS.replace(",", ";"), 'Write `delimiter: ";"` for orders'),
    (PLAIN_ORDERS.replace(",", "\t"), 'Write `delimiter: "tab"` for orders'),
    (PLAIN_ORDERS.replace("order_date", "Order Date"), "`order_date: Order Date` under columns:"),
    (PLAIN_ORDERS.upper(), "`quantity: QUANTITY` under columns:"),
    (PLAIN_ORDERS.replace("S2", "Sé").encode("latin-1"), "is not utf-8 text: line 3"),
    (PLAIN_ORDERS.encode("utf-16"), "is not utf-8 text: line 1"),
    (PLAIN_ORDERS.replace("2026-03", "2026-02"), "has no order for 2026-03, the month before the cycle"),
    (PLAIN_ORDERS.replace("2026-03", "03/2026"), "no row can be used before 2026-04-01; 3 rows cannot be used, first row 2, order_date: 03/2026-02"),
], ids=["no bytes", "header alone", "semicolons", "tabs", "a space", "capitals", "latin-1 bytes", "utf-16 bytes", "an old month", "another date form"])
def test_a_file_that_cannot_be_planned_on_is_an_error_with_its_remedy(tmp_path, orders, says):
    problems = sources.check(plain(tmp_path, orders=orders), cut_off=APRIL)
    assert says in told(problems) and "orders.csv" in told(problems)
    assert len(problems) <= 5


def test_a_folder_where_a_file_should_be_is_an_error(tmp_path):
    settings = plain(tmp_path)
    settings["items"]["path"] = str(tmp_path)
    assert "is a folder, not a file" in told(sources.check(settings, cut_off=APRIL)) and "items.csv" in told(sources.check(settings, cut_off=APRIL))


@pytest.mark.parametrize(("row", "rule", "column", "amount"), [
    ("S4,1,A,2026-03-05,many,10", "unreadable_number", "quantity", np.nan),
    ("S4,1,A,2026-03-05,NaN,10", "unreadable_number", "quantity", np.nan),
    ("S4,1,A,2026-03-05,-inf,10", "unreadable_number", "quantity", np.nan),
    ("S4,1,A,2026-03-05,1e400,10", "unreadable_number", "quantity", np.nan),
    ("S4,1,A,2026-03-05,1e300,10", "unreadable_number", "quantity", np.nan),
    ('S4,1,A,2026-03-05,"1.250,00",10', "unreadable_number", "quantity", np.nan),
    ("S4,1,A,2026-02-31,5,10", "impossible_date", "order_date", 50),
    ("S4,1,A,31/03/2026,5,10", "unreadable_date", "order_date", 50),
    ("S4,1,A,2062-03-05,5,10", "future_date", "order_date", 50),
    ("S4,1,Z,2026-03-05,5,10", "unknown_item", "item", 50),
    ("S4,1,,2026-03-05,5,10", "missing", "item", 50),
    ("S4,1,A,2026-03-05,5,-10", "out_of_range", "unit_price", -50),
    ("S1,1,A,2026-03-02,5,10", "duplicate_key", "order × line", 50),
    ("S1,1,A,2026-03-02,6,10", "conflicting_key", "order × line", 60),
    ("S4,1,A", "ragged_row", "", np.nan),
    (f"S4,1,{'A' * 10_000},2026-03-05,5,10", "too_long", "item", 50),
])
def test_a_row_that_cannot_be_used_is_set_aside_and_the_others_are_used(tmp_path, row, rule, column, amount):
    settings = plain(tmp_path, orders=PLAIN_ORDERS + row + "\n")
    assert sources.check(settings, cut_off=APRIL) == []
    done = sources.collect(settings, cut_off=APRIL)
    aside = done.set_aside.iloc[0]
    assert (aside["file"], aside["row"], aside["rule"], aside["column"] or "") == ("orders.csv", 5, f"set_aside.{rule}", column)
    assert aside["amount"] == pytest.approx(amount, nan_ok=True) and len(aside["value"] or "") <= 200
    assert done.tables["orders"]["order"].tolist() == ["S1", "S2", "S3"]


def test_unseen_characters_are_taken_out_and_told(tmp_path):
    """A NUL, a bell, and the sign that turns the line round; letters of any script, emoji and line breaks stay."""
    settings = plain(tmp_path, items="item,name,family\nA,Ap\0ple\x07,\u202eFruit\nB,Bönchen \U0001f600 שלום,Pulses\n")
    done = sources.collect(settings, cut_off=APRIL)
    assert done.tables["items"]["name"].tolist() == ["Apple", "Bönchen \U0001f600 שלום"] and done.tables["items"]["family"].tolist() == ["Fruit", "Pulses"]
    assert sorted(done.notes.loc[done.notes["rule"] == "findings.unseen", "column"]) == ["family", "name"]


@pytest.mark.parametrize("name", ["Rina\nKusuma", "Rina\tKusuma", "Rina\r\nKusuma", "Rina\u2028Kusuma", "Rina \x01Kusuma", "Rina \x7fKusuma"])
def test_a_readers_name_in_two_lines_is_told_with_its_row_and_the_mail_leaves(tmp_path, name):
    """It stands in the header of a mail, where a second line would be a header of its own."""
    people = f'person,name,email,mandatory,gets\np1,Budi,budi@tiny.example,True,pack\np2,"{name}",rina@tiny.example,True,pack\n'
    done = sources.collect({**plain(tmp_path), "people": plain(tmp_path, people=people)["people"]}, cut_off=APRIL)
    (note,) = done.notes.to_dict("records")
    told = json.loads(note["values"])
    assert (note["rule"], told["source"], told["column"], told["row"]) == ("findings.unseen", "people", "name", 3)
    readers, wrong = mail.readers(done.tables["people"], "pack")
    assert [one["name"] for one in readers] == ["Budi", "Rina Kusuma"] and not wrong


def test_the_stage_says_how_a_deal_ended_where_no_outcome_does(tmp_path):
    stages = ["Won", "closed lost", "ClosedWon", "Wonderful", "Lost - price", "Open"]
    rows = "".join(f"D{i},{stage},2026-01-02,2026-02-03\n" for i, stage in enumerate(stages))
    settings = {"opportunities": plain(tmp_path, opportunities="opportunity,stage,created,close_date\n" + rows)["opportunities"]}
    assert sources.collect(settings, cut_off=APRIL).tables["opportunities"]["outcome"].tolist() == ["won", "lost", "won", None, "lost", None]
