"""The month's data as it is read: no share that is there shown as nothing, names instead of codes, lists apart from what has an age."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from sopnb import collect_page, frames, words
from sopnb.charts import Figure
from sopnb.tables import Table

MONTH = pd.Timestamp("2026-09-01")


@pytest.fixture(autouse=True)
def rupiah():
    with words.speaking("en", "IDR"):
        yield


def test_a_source_is_called_as_a_reader_calls_it():
    assert [words.source_name(one) for one in ("orders", "stock_history", "bom")] == ["Orders", "Stock history", "Bills of material"]


@pytest.mark.parametrize(("share", "told"), [(0.0, "–"), (None, "–"), (2.3e-5, "under 0.1%"), (0.0207, "2.1%")])
def test_a_share_that_is_there_is_never_nothing(share, told: str):
    assert collect_page._share(share) == told


def _found(*severities: str) -> pd.DataFrame:
    values = json.dumps({"days": 10, "location": "MKS", "start": "2026-09-11", "end": "2026-09-20", "amount": 3.5e9})
    return pd.DataFrame([{"source": "orders", "rule": "findings.missing_week", "values": values, "amount": 1e9 * (i + 1), "share": 0.0, "severity": one} for i, one in enumerate(severities)])


def test_findings_stand_gravest_first_with_places_by_name_and_their_state_marked():
    (table,) = collect_page.findings(_found("info", "amber", "red"), locations={"MKS": "Makassar"}, cycle="2026-10").parts
    assert table.caption.text == "Findings: 2, of them red: 1" and "location Makassar" in table.rows[0].cells[0].text
    assert [row.cells[-1].text for row in table.rows] == ["Red", "Watch", "Note"] and "<svg" in str(table.rows[0].cells[-1].html)
    (calm,) = collect_page.findings(_found("amber"), locations={}, cycle="2026-10").parts
    assert calm.caption.text == "No finding is red; 1 of 1 in orders"
    assert collect_page.findings(_found("info")[:0], locations={}, cycle="2026-10").text == "Every check passed."


def test_rows_set_aside_are_summed_by_reason_and_found_by_file_and_row():
    rows = pd.DataFrame([("a1", "x.csv", 5, "item", "unknown_item", "B", 10e6), ("a2", "x.csv", 6, "item", "unknown_item", "C", -30e6), ("a3", "x.csv", 7, "", "duplicate_key", "", 5e6)],
                        columns=["id", "file", "row", "column", "rule", "value", "amount"]).assign(source="orders")
    said, why, rowwise = collect_page.set_aside(rows.assign(rule="set_aside." + rows["rule"]), cycle="2026-10").parts
    assert said.text.replace("\u00a0", " ") == "Rows set aside: 3, worth Rp 45.0 m. Most often: The item master does not have the item (2)."
    assert [row.name.text for row in why.rows] == ["The item master does not have the item", "The row stands twice"] and [cell.text for cell in why.foot[0].cells] == ["3", "45.0"]
    assert rowwise.shut and [row.cells[1].text for row in rowwise.rows] == ["6", "5", "7"]


def test_lists_and_plans_stand_apart_and_what_is_stale_is_said():
    sources = pd.DataFrame({"source": ["orders", "purchases", "items"], "rows": [9, 8, 7], "left_out": 0, "set_aside": 0, "days_old": [1, 34, -1], "severity": ["info", "amber", "info"],
                            "first": pd.to_datetime(["2026-01-01", "2026-01-01", None]), "last": pd.to_datetime(["2026-09-30", "2026-08-28", None])})
    newer = pd.Series([None, None, None], dtype="float64")
    said, aged, lists = collect_page.freshness(sources, newer, cycle="2026-10").parts
    assert said.text == "Purchases is 34 days old; its last row is of 28 August 2026."
    assert [row.name.text for row in aged.rows] == ["Purchases", "Orders"] and [row.name.text for row in lists.rows] == ["Items"] and aged.shut and lists.shut
    fresh = collect_page.freshness(sources.assign(severity="info"), newer, cycle="2026-10").parts[0]
    assert fresh.text == "Every source is fresh."
    ahead = collect_page.freshness(sources.assign(severity="info"), pd.Series([5.0, None, None]), cycle="2026-10").parts[0]
    assert ahead.text == "Orders is newer than the cycle, by 5 days."


def test_a_restated_month_is_named_by_its_money_and_items_by_their_names():
    moved = pd.DataFrame({"item": ["A", "B"], "location": "MDN", "month": pd.to_datetime(["2026-07-01", "2026-08-01"]), "before": [1.0, 9.0], "after": [2.0, 4.0], "change": [1.0, -5.0], "amount": [1e6, -5e6]})
    table = collect_page.restated(moved, items={"B": "Biscuit"}, locations={"MDN": "Medan"})
    assert table.caption.text.replace("\u00a0", " ") == "August 2026 moved most: −Rp 5.0 m"
    assert [(row.name.text, row.cells[0].text) for row in table.rows] == [("Biscuit", "Medan"), ("A", "Medan")]
    assert collect_page.restated(moved[:0], items={}, locations={}) is None


def _jump(kind: str, level: str, key: str, location: str, amount: float) -> dict[str, object]:
    values = {"key": key, "location": location, "month": "2026-09", "value": 5.0, "expected": 9.0, "change": -0.4, "amount": amount, "units": 4.0, "level": level, "share": 0.0, "series": 0}
    return {"id": key, "kind": kind, "level": level, "key": key, "location": location, "month": MONTH, "amount": amount, "values": json.dumps(values)}


def test_what_stands_out_is_drawn_by_name_and_then_said_in_words():
    told = pd.DataFrame([_jump("surge", "item", "TE-1", "JKT", 3e9), _jump("drop", "customer", "C1", "all", -2e9), _jump("stopped", "customer", "C2", "all", -1e9)])
    first, drawn, table = collect_page.standing_out(told, month=MONTH, items={"TE-1": "Tea"}, locations={"JKT": "Jakarta"}, accounts={"C1": "Mulia"}).parts
    assert first.text.startswith("Tea, Jakarta rose to 5 units") and isinstance(drawn, Figure) and isinstance(table, Table)
    assert drawn.title.text == "Tea, Jakarta rose most, Mulia fell most" and table.shut
    assert [row.cells[0].text.split(" ")[0] for row in table.rows] == ["Tea,", "Mulia", "C2:"], "what has no name keeps its code"
    alone = collect_page.standing_out(told.tail(1), month=MONTH, items={}, locations={}, accounts={}).parts
    assert len(alone) == 2 and not alone[1].shut, "nothing to draw: the words stand open"
    assert collect_page.standing_out(frames.empty(frames.INSIGHTS), month=MONTH, items={}, locations={}, accounts={}).text == "Nothing was both large and unusual in September 2026."


def test_where_all_went_one_way_one_is_named():
    jumps = pd.DataFrame({"who": ["Tea", "Coffee"], "amount": [-1e9, -2e9]})
    assert collect_page._extremes(jumps).text.replace("\u00a0", " ") == "Coffee stands out: −Rp 2.0 bn"
