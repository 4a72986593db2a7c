"""Frozen plans judged by the demand that came."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame

from sopnb import streams

ITEMS = frame("item family", "A Tea", "B Tea")
# Two cycles before: August 2026 planned August, September and October; September planned September and October.
_PLANS = frame(
    "cycle_date item location month baseline events pipeline sales override price",
    "2026-08 A EU 2026-08 100 0 0 0 0 10", "2026-08 A EU 2026-09 100 20 0 0 -30 10", "2026-08 A EU 2026-10 100 0 0 0 0 10",
    "2026-09 A EU 2026-09 110 0 0 0 0 10", "2026-09 A EU 2026-10 100 0 0 0 0 10",
)
PLANS = _PLANS.rename(columns={"cycle_date": "cycle"}).assign(leads=0.0, consensus=_PLANS[["baseline", "events", "pipeline", "sales", "override"]].sum(axis=1))
HISTORY = frame(
    "item location month demand", "A EU 2025-09 70", "A EU 2026-07 95", "A EU 2026-08 90", "A EU 2026-09 120", "B EU 2026-09 40")


def test_accuracy_is_judged_at_each_lag_with_the_months_that_are_known():
    found = streams.lag_accuracy(PLANS, HISTORY, lags=[1, 2, 3]).set_index(["lag", "month"])
    assert found["error"].to_dict() == {(1, pd.Timestamp("2026-08-01")): 10, (1, pd.Timestamp("2026-09-01")): 50, (2, pd.Timestamp("2026-09-01")): 70}
    overall = streams.by_lag(found.reset_index()).set_index("lag")
    assert overall.loc[1, "wape"] == pytest.approx(60 / 250) and overall.loc[1, "months"] == 2


def test_the_lines_by_lag_stand_on_the_same_rows():
    """September at lag 2: naive 70, baseline 100, consensus 90 of A's 120, and B's 40 in nobody's plan."""
    found = streams.lag_lines(PLANS, HISTORY, lags=[1, 2]).set_index(["stream", "lag"])
    assert [found.loc[(stream, 2), "wape"] for stream in ("naive", "baseline", "consensus")] == [90 / 160, 60 / 160, 70 / 160]
    assert found.loc[("consensus", 1), "months"] == 2


def test_a_first_cycle_has_nothing_to_judge_and_says_how_many_it_takes():
    none = PLANS.iloc[:0]
    assert streams.lag_accuracy(none, HISTORY, lags=[1, 2, 3]).empty
    assert [streams.cycles_needed(none, cycle_month="2026-10", lag=lag) for lag in (1, 3)] == [1, 3]
    assert [streams.cycles_needed(PLANS, cycle_month="2026-10", lag=lag) for lag in (1, 2, 3)] == [0, 0, 1]


def test_the_triangle_shows_each_version_beside_the_demand():
    now = frame("item location month consensus", "A EU 2026-10 77")
    found = streams.triangle(PLANS, now, HISTORY, cycle_month="2026-10")
    assert found.query("month == @pd.Timestamp('2026-10-01')")["consensus"].tolist() == [100, 100, 77]
    assert found.query("month == @pd.Timestamp('2026-09-01')")["demand"].tolist() == [160, 160]


def test_the_streams_run_up_to_the_plan():
    """August's plan for September: 100 and 20 more for an event, 30 less by an override, at 10 each."""
    found = streams.shares(PLANS.iloc[[1]], months=[pd.Timestamp("2026-09-01")]).set_index("stream")
    assert found["running"].tolist() == [100, 120, 120, 120, 120, 90, 90]
    assert found.loc["override", ["units", "amount"]].tolist() == [-30, -300] and found.loc["override", "size"] == pytest.approx(30 / 90)
