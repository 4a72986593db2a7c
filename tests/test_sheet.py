"""The S&OP sheet by pencil: what came in is what closes, less what opened, plus what was sold; and stock with its band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, sheet, stock_bands

MONTHS = frames.months("2026-10", 2)
ITEMS = frame("item family unit_cost", "A Tea 6", "B Tea 2", "C Box 1", "flour Parts 3")
PLAN = frame("item location month consensus revenue", "A EU 2026-10 10 100", "A EU 2026-11 20 200", "B EU 2026-10 5 15", "B EU 2026-11 5 15", "C EU 2026-10 0 0")
HISTORY = frame("item location month demand shipped revenue", "A EU 2026-09 12 11 120", "A EU 2026-08 9 9 90", "B EU 2026-09 4 4 12")
PROJECTION = frame("item location month opening closing", "A EU 2026-10 30 25", "A EU 2026-11 25 40", "B EU 2026-10 10 5", "B EU 2026-11 5 0", "flour EU 2026-10 99 99")
HELD = frame("item location month on_hand", "A EU 2026-08 20", "A EU 2026-09 30", "B EU 2026-08 9", "B EU 2026-09 10")
PAST_PLAN = frame("cycle item location month consensus revenue", "2026-09 A EU 2026-09 15 150", "2026-08 A EU 2026-09 99 990", "2026-09 A EU 2026-10 88 880").assign(
    cycle=lambda d: pd.to_datetime(d["cycle"]))
PAST_PROJECTION = frame("cycle item location month opening closing", "2026-09 A EU 2026-09 20 24").assign(cycle=lambda d: pd.to_datetime(d["cycle"]))


def made(**more):
    given_tables = {"history": HISTORY, "projection": PROJECTION, "past_plans": PAST_PLAN, "past_projections": PAST_PROJECTION, "stock_history": HELD, "months": MONTHS, **more}
    return sheet.sheet(PLAN, ITEMS, **given_tables)


def row(table, family, measure, month):
    return table.set_index(["family", "measure", "month"]).loc[(family, measure, pd.Timestamp(month))]


def test_a_coming_month_is_planned_and_what_comes_in_is_the_balance():
    """October: 40 open, 15 are sold, 30 close: 5 come in. A: 25 − 30 + 10 = 5 at 6; B: 5 − 10 + 5 = 0."""
    table = made()
    assert row(table, "Tea", "sales", "2026-10")[["plan", "amount_plan"]].tolist() == [15, 115]
    assert row(table, "Tea", "stock", "2026-10")[["plan", "amount_plan"]].tolist() == [30, 25 * 6 + 5 * 2]
    assert row(table, "Tea", "production", "2026-10")[["plan", "amount_plan"]].tolist() == [5, 30]
    assert np.isnan(row(table, "Tea", "sales", "2026-10")["actual"])


def test_a_month_past_stands_beside_the_plan_of_its_own_cycle():
    """September's plan is that of September's cycle, 15 of A; 16 of the family were asked for, and 15 left: 40 − 29 + 15 came in."""
    table = made()
    sales, stock, production = (row(table, "Tea", measure, "2026-09") for measure in ("sales", "stock", "production"))
    assert sales[["plan", "actual", "difference", "amount_plan", "amount_actual", "amount_difference"]].tolist() == [15, 16, 1, 150, 132, -18]
    assert stock[["plan", "actual", "difference"]].tolist() == [24, 40, 16]
    assert production[["plan", "actual"]].tolist() == [24 - 20 + 15, 40 - 29 + 15]


def test_what_is_not_known_is_missing_and_what_is_not_sold_is_not_on_the_sheet():
    table = made(projection=None, past_plans=None, past_projections=None, stock_history=None)
    assert set(table["measure"]) == {"sales"} and np.isnan(row(table, "Tea", "sales", "2026-09")["plan"])
    assert set(made()["family"]) == {"Tea", "Box"}, "flour goes into others; no customer buys it"
    august = row(made(), "Tea", "stock", "2026-08")
    assert august["actual"] == 29 and np.isnan(august["plan"]) and ("Tea", "production", pd.Timestamp("2026-08")) not in made().set_index(["family", "measure", "month"]).index
    nobody = sheet.sheet(PLAN.iloc[:0], ITEMS, history=HISTORY.iloc[:0], months=MONTHS)
    assert nobody.empty and list(nobody.columns) == frames.SHEET.names


def test_what_goes_into_other_goods_came_in_as_well():
    """A opens with 30, 10 are sold and 8 built into something else, 25 close: 13 came in, not 5. Past months did not write down what was built in."""
    projection = PROJECTION.assign(demand=[18, 20, 5, 5, 0])
    table = made(projection=projection, past_projections=PAST_PROJECTION.assign(demand=15), bill=frame("item component", "set A", "bread flour"))
    assert row(table, "Tea", "production", "2026-10")[["plan", "amount_plan"]].tolist() == [25 - 30 + 18 + 5 - 10 + 5, 13 * 6]
    assert np.isnan(row(table, "Tea", "production", "2026-09")["actual"]) and row(table, "Tea", "stock", "2026-09")["actual"] == 40
    assert made(projection=projection).equals(made()), "where nothing goes into others the plan is what is asked for"


def test_pages_show_the_largest_and_all_other():
    table = pd.concat([made().assign(family=name, amount_plan=lambda d, k=k: d["amount_plan"] * k) for k, name in enumerate(("a", "b", "c", "d"), start=1)]).reset_index(drop=True)
    pages = sheet.largest(table, 2)
    assert pages == {"a": "", "b": "", "c": "c", "d": "d"} and sheet.largest(table, 3) == {name: name for name in "abcd"}, "one family alone is not all other"
    money = sheet.in_money(table, pages, first=MONTHS[0])
    assert money["page"].tolist() == ["d", "c", ""]
    assert money["sales"].sum() == pytest.approx(table[(table["measure"] == "sales") & (table["month"] >= MONTHS[0])]["amount_plan"].sum())
    nine = sheet.page_of(made(), ["Tea"], frames.months("2026-09", 2))
    assert nine[["measure", "kind"]].drop_duplicates().shape[0] == len(nine) == 9
    assert nine.set_index(["measure", "kind"]).loc[("sales", "plan")].tolist() == [15, 15]
    assert sheet.page_of(made(), ["Tea"], MONTHS[:1], amounts=True).set_index(["measure", "kind"]).loc[("sales", "plan"), "m1"] == 115


@settings(deadline=None)
@given(opening=st.integers(-20, 50), moves=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=2))
def test_stock_balances_whatever_happens(opening, moves):
    """Σ production = last closing − first opening + Σ sales."""
    rows, stock = [], float(opening)
    plan = [("A", "EU", month, float(sold), 0.0) for month, (_, sold) in zip(MONTHS, moves, strict=True)]
    for month, (came, sold) in zip(MONTHS, moves, strict=True):
        rows.append(("A", "EU", month, stock, stock + came - sold))
        stock += came - sold
    table = sheet.sheet(pd.DataFrame(plan, columns=["item", "location", "month", "consensus", "revenue"]), ITEMS, history=HISTORY.iloc[:0],
                        projection=pd.DataFrame(rows, columns=["item", "location", "month", "opening", "closing"]), months=MONTHS)
    assert table[table["measure"] == "production"]["plan"].tolist() == [came for came, _ in moves]


# --- bands of projected stock -----------------------------------------------------------------------------------------

def test_errors_of_the_months_add_up_as_independent_ones_do():
    """3 and 4 units too much sold leave 5 less: the band widens by √(9 + 16)."""
    projection = frame("item location month closing safety_stock", "A EU 2026-10 20 5", "A EU 2026-11 10 5", "B EU 2026-10 7 0")
    forecast = frame("item location month baseline lo80 hi80", "A EU 2026-10 10 9 13", "A EU 2026-11 10 10 14")
    got = stock_bands.bands(projection, forecast, MONTHS).set_index(["item", "month"])
    assert got.loc["A", "lo80"].tolist() == [17, 5] and got.loc["A", "hi80"].tolist() == [21, 11]
    assert got.loc[("B", MONTHS[0]), ["lo80", "hi80"]].tolist() == [7, 7], "nothing is forecast: no band"


def test_what_matters_is_what_runs_short_then_what_sells_most():
    projection = frame("item location month demand safety_stock", "A EU 2026-10 10 5", "B EU 2026-10 90 5", "C EU 2026-10 50 5", "flour EU 2026-10 999 0")
    exceptions = frame("id kind item location amount", "1 excess B EU 900", "2 short A EU 5", "3 short C EU 50")
    got = stock_bands.that_matter(exceptions, projection, pd.Series({"A": 1.0, "B": 1.0, "C": 1.0, "flour": 1.0}), MONTHS, 3)
    assert got["item"].tolist() == ["C", "A", "B"], "a component without a safety stock fills no place"
