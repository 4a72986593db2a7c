"""Order lines to monthly demand: what is counted, what is corrected, and the totals that must not move."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import demand, frames

ITEMS = frame("item family unit_cost end_date launch_date successor", "A food 6 - - -", "B food 2 - - -")
COLUMNS = "order line item location requested_date order_date shipped_date quantity shipped_quantity unit_price discount amount status"


def orders(*rows: str) -> pd.DataFrame:
    return frames.conform(frame(COLUMNS, *rows).astype({"order": str, "line": str}), frames.ORDERS)


def cell(table: pd.DataFrame, item: str, month: str, column: str):
    return table.loc[(table["item"] == item) & (table["month"] == month), column].item()


def test_demand_counts_in_the_month_asked_for():
    """Ordered in January for February: February's. Without a requested day: the order's month."""
    table = demand.monthly(
        orders(
            "1 1 A EU 2026-02-03 2026-01-20 2026-02-05 10 10 5 0 - -",
            "2 1 A EU -          2026-01-10 2026-01-11 4  4  5 0 - -",
        ),
        last="2026-02",
    )
    assert list(table["demand_raw"]) == [4, 10]
    assert list(table["revenue"]) == [20, 50]


def test_returns_are_not_demand_and_are_netted_in_money():
    table = demand.monthly(
        orders("1 1 A EU 2026-01-03 2026-01-03 2026-01-05 10 10 5 0.1 - -", "2 1 A EU 2026-01-09 2026-01-09 - -3 - 5 0 -15 -"), last="2026-01"
    )
    assert table.loc[0, ["demand_raw", "returns", "shipped", "revenue"]].tolist() == [10, 3, 10, 30]


def test_cancelled_lines_and_open_orders_are_not_history():
    table = demand.monthly(
        orders(
            "1 1 A EU 2026-01-03 2026-01-03 - 10 - 5 0 - Cancelled",
            "2 1 A EU 2026-02-03 2026-01-03 - 7  - 5 0 - -",
            "3 1 A EU 2026-01-03 2026-01-03 - 1  - 5 0 - -",
        ),
        last="2026-01",
    )
    assert list(table["demand_raw"]) == [1]


def test_a_line_that_left_after_the_last_month_has_not_left_yet():
    """A past cycle run today sees what was known then."""
    rows = ("1 1 A EU 2026-01-30 2026-01-20 2026-02-02 10 10 5 0 - -", "2 1 A EU 2026-01-30 2026-01-20 2026-01-31 5 - 5 0 - -")
    assert demand.monthly(orders(*rows), last="2026-01")["shipped"].item() == 5
    assert demand.monthly(orders(*rows), last="2026-02")["shipped"].tolist() == [15, 0]


def test_months_without_orders_are_zeros_from_the_first_on():
    table = demand.monthly(orders("1 1 A EU 2025-11-03 - - 2 - 5 0 - -", "2 1 B EU 2026-01-03 - - 3 - 5 0 - -"), last="2026-02")
    assert list(table["item"]) == ["A"] * 4 + ["B"] * 2
    assert list(table["demand_raw"]) == [2, 0, 0, 0, 3, 0]
    assert table["shipped"].isna().all(), "no shipping days in the source: not known, rather than zero"


def test_no_orders_no_rows():
    none = frames.empty(frames.ORDERS)
    assert demand.monthly(none, last="2026-01").empty
    assert demand.history(none, ITEMS, None, last="2026-01").empty
    assert demand.segments(frames.empty(frames.HISTORY), ITEMS).empty


def steady(item: str, values: list[float], first: str = "2025-01") -> list[str]:
    months = frames.months(first, len(values))
    return [f"{item}{i} 1 {item} EU {m:%Y-%m}-05 - {m:%Y-%m}-06 {v} {v} 10 0 - -" for i, (m, v) in enumerate(zip(months, values, strict=True))]


def test_empty_shelves_raise_demand_to_what_full_shelves_let_expect():
    """A sells 100 a month; 40 in a month of 31 days with 15 empty: 40 × 31/16 = 77.5, below the expected 100."""
    book = orders(*steady("A", [100, 100, 100, 100, 100, 100, 40]))
    stock = frame("item location month on_hand days_out", "A EU 2025-07 0 15")
    h = demand.history(book, ITEMS, stock, last="2025-07")
    assert cell(h, "A", "2025-07", "demand") == pytest.approx(77.5)
    assert cell(h, "A", "2025-07", "demand_raw") == 40
    assert cell(h, "A", "2025-07", "censored")
    assert h["censored"].sum() == 1


@pytest.mark.parametrize(("days_out", "ordered", "corrected"), [(25, 40, 100), (31, 0, 100), (31, 40, 100), (5, 120, 120), (0, 40, 40)])
def test_the_correction_never_passes_the_expectation(days_out, ordered, corrected):
    """25 of 31 days empty would scale 40 to 207: capped at 100. Customers who order more all the same need no correction."""
    book = orders(*steady("A", [100] * 6 + [ordered] if ordered else [100] * 6))
    h = demand.history(book, ITEMS, frame("item location month days_out", f"A EU 2025-07 {days_out}"), last="2025-07")
    assert cell(h, "A", "2025-07", "demand") == pytest.approx(corrected)


def test_the_successor_inherits_and_no_total_moves():
    """A ends in March and B takes over: B's history is A's, and A's demand is gone, not doubled."""
    items = frame("item family unit_cost end_date launch_date successor", "A food 6 2025-03-31 - B", "B food 6 - 2025-03-15 -")
    book = orders(*steady("A", [10, 11, 5]), *steady("B", [6, 12], "2025-03"))
    h = demand.history(book, items, None, last="2025-04")
    b = h[h["item"] == "B"]
    assert b["demand"].tolist() == [10, 11, 11, 12]
    assert b["demand_raw"].tolist() == [0, 0, 6, 12]
    assert h.loc[h["item"] == "A", "demand"].sum() == 0
    assert h["demand"].sum() == h["demand_raw"].sum()
    assert cell(h, "A", "2025-01", "revenue") == 100


def test_before_the_handover_each_keeps_its_own_history():
    items = frame("item family unit_cost end_date launch_date successor", "A food 6 2025-06-30 - B", "B food 6 - 2025-06-15 -")
    h = demand.history(orders(*steady("A", [10, 11, 5])), items, None, last="2025-03")
    assert h["item"].unique().tolist() == ["A"]
    assert h["demand"].tolist() == [10, 11, 5]


def test_a_chain_goes_to_its_last_and_a_circle_is_left_alone():
    chain = frame("item end_date launch_date successor", "A 2024-01-01 - B", "B 2024-06-01 - C", "C - - -")
    assert demand.heirs(chain, last="2025-01") == {"A": "C", "B": "C"}
    circle = frame("item end_date launch_date successor", "A 2024-01-01 - B", "B 2024-06-01 - A")
    assert demand.heirs(circle, last="2025-01") == {}
    unknown = frame("item end_date launch_date successor", "A 2024-01-01 - Z")
    assert demand.heirs(unknown, last="2025-01") == {}


def test_a_gap_between_predecessor_and_successor_is_months_of_zero():
    items = frame("item family unit_cost end_date launch_date successor", "A food 6 2025-02-28 - B", "B food 6 - - -")
    h = demand.history(orders(*steady("A", [10, 11]), *steady("B", [7], "2025-05")), items, None, last="2025-05")
    assert h.loc[h["item"] == "B", "demand"].tolist() == [10, 11, 0, 0, 7]


lines = st.lists(
    st.tuples(
        st.sampled_from("ABC"), st.integers(0, 13), st.integers(-20, 200), st.integers(0, 99999), st.sampled_from(["", "cancelled", "open"])
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(lines, st.integers(0, 31))
def test_totals_agree_with_the_order_lines_to_the_cent(rows, days_out):
    """Σ demand_raw − Σ returns = Σ quantity, Σ revenue = Σ amount, whatever is corrected or handed over."""
    months = frames.months("2025-01", 14)
    book = frames.conform(
        pd.DataFrame({
            "order": [str(i) for i in range(len(rows))], "line": "1", "item": [r[0] for r in rows], "location": "EU",
            "order_date": [months[r[1]] for r in rows], "quantity": [float(r[2]) for r in rows],
            "amount": [r[3] / 100 for r in rows], "status": [r[4] for r in rows],
        }), frames.ORDERS,
    )  # fmt: skip
    items = frame("item family unit_cost end_date launch_date successor", "A x 1 2025-09-30 - B", "B x 1 - - -", "C y 1 - - -")
    stock = pd.DataFrame({"item": "A", "location": "EU", "month": months, "days_out": float(days_out)})
    kept = book[(book["order_date"] < "2026-01-01") & (book["status"] != "cancelled")]
    h = demand.history(book, items, stock, last="2025-12")
    corrected = demand.uncensored(demand.monthly(book, last="2025-12"), items, stock)
    assert h["demand_raw"].sum() - h["returns"].sum() == pytest.approx(kept["quantity"].sum())
    assert round(h["revenue"].sum(), 2) == round(kept["amount"].sum(), 2)
    assert h["demand"].sum() == pytest.approx(corrected["demand"].sum())
    assert (corrected["demand"] >= corrected["demand_raw"]).all()
    assert (h["demand"] >= 0).all()
    again = demand.history(book.sample(frac=1, random_state=1), items, stock, last="2025-12")
    pd.testing.assert_frame_equal(h, again)


def series(item: str, values, first: str = "2024-01") -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return frames.conform(
        pd.DataFrame({
            "item": item, "location": "EU", "month": frames.months(first, len(values)), "demand": values, "demand_raw": values,
            "returns": 0.0, "shipped": values, "revenue": values * 10, "days_out": 0.0, "censored": False,
            "learned": values, "outlier": np.nan, "level_shift": np.nan,
        }), frames.HISTORY,
    )  # fmt: skip


def test_patterns_by_interval_and_variation():
    """ADI = 24 months / months with demand, limit 1.32; CV² of the sizes, limit 0.49 (Syntetos, Boylan & Croston 2005)."""
    h = pd.concat([
        series("smooth", [10, 11] * 12), series("erratic", [2, 20, 3] * 8), series("intermittent", [5, 0] * 12),
        series("lumpy", [1, 0, 0, 30, 0, 0] * 4), series("short", [5] * 10, "2025-03"), series("new", [5] * 3, "2025-10"),
        series("ended", [5] * 24), series("never", [0] * 24),
    ])  # fmt: skip
    items = frame("item family unit_cost end_date", *[f"{i} f 1 {'2026-03-01' if i == 'ended' else '-'}" for i in sorted(h["item"].unique())])
    s = demand.segments(h, items).set_index("item")
    for pattern in ("smooth", "erratic", "intermittent", "lumpy", "short", "new"):
        assert s.loc[pattern, "pattern"] == pattern
    assert s.loc["ended", "pattern"] == "ending"
    assert s.loc["intermittent", "adi"] == 2
    assert s.loc["never", "months"] == 0


def test_abc_by_margin_of_the_last_year():
    """Margins 70, 20, 8, 2 of 100: A until 80 % is reached, B until 95 %."""
    h = pd.concat([series(i, np.full(12, v), "2025-01") for i, v in [("P", 70), ("Q", 20), ("R", 8), ("S", 2)]])
    items = frame("item family unit_cost", "P f 9", "Q f 9", "R f 9", "S f 9")
    s = demand.segments(h, items).set_index("item")
    assert s["margin"].tolist() == [840, 240, 96, 24]
    assert s["abc"].tolist() == ["A", "A", "B", "C"]


def test_an_unknown_cost_takes_the_margin_rate_of_the_others():
    h = pd.concat([series("P", np.full(12, 10)), series("Q", np.full(12, 10))])
    s = demand.segments(h, frame("item family unit_cost", "P f 6", "Q f -")).set_index("item")
    assert s.loc["Q", "margin"] == pytest.approx(s.loc["P", "margin"]) == pytest.approx(480)


def test_xyz_by_the_chosen_models_error_and_the_previous_class():
    h = pd.concat([series("P", [10, 12] * 12), series("Q", [10, 12] * 12), series("R", ([1, 5, 90, 3, 40, 2, 60] * 4)[:24])])
    items = frame("item family unit_cost", "P f 1", "Q f 1", "R g 1")
    scores = frame("item location model wape chosen", "P EU a 0.1 0", "P EU b 0.3 1", "Q EU a 0.9 1").assign(chosen=[False, True, True])
    previous = frame("item location abc xyz", "P EU A X")
    s = demand.segments(h, items, scores, previous).set_index("item")
    assert s["xyz"].tolist() == ["Y", "Z", "Z"]
    assert s["previous"].tolist() == ["AX", None, None]
    assert demand.segments(h, items).set_index("item").loc["P", "xyz"] == "X", "without scores: variation after season"


def test_inputs_are_left_as_they_were():
    book = orders(*steady("A", [10, 11, 5]))
    before = book.copy(deep=True)
    h = demand.history(book, ITEMS, frame("item location month days_out", "A EU 2025-02 9"), last="2025-03")
    kept = h.copy(deep=True)
    demand.segments(h, ITEMS)
    pd.testing.assert_frame_equal(book, before)
    pd.testing.assert_frame_equal(h, kept)
