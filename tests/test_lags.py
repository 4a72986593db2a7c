"""Versions of a month's plan, and whether frozen plans miss to one side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, lags, streams

ITEMS = frame("item family", "A Tea", "B Tea")
CYCLES = frames.months("2026-01", 10)


def plans(consensus: dict[str, list[float]], lag: int = 1) -> pd.DataFrame:
    """A frozen plan of each item in each month, made `lag` months ahead, at a price of 10."""
    rows = [pd.DataFrame({"cycle": [frames.next_month(m, 1 - lag) for m in CYCLES[:len(units)]], "item": item, "location": "EU", "month": CYCLES[:len(units)], "consensus": units})
            for item, units in consensus.items()]
    out = pd.concat(rows, ignore_index=True).assign(events=0.0, pipeline=0.0, leads=0.0, sales=0.0, override=0.0, price=10.0)
    return out.assign(baseline=out["consensus"])


def history(demand: dict[str, list[float]]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame({"item": item, "location": "EU", "month": CYCLES[:len(units)], "demand": units}) for item, units in demand.items()], ignore_index=True)


def test_versions_of_a_month_stand_side_by_side():
    """September was planned at 90, 95 and 99, three, two and one months ahead; 100 came. October is not known yet."""
    past = frame("cycle_on item location month consensus", "2026-07 A EU 2026-09 90", "2026-08 A EU 2026-09 95", "2026-09 A EU 2026-09 99", "2026-08 A EU 2026-10 80", "2026-09 A EU 2026-10 85")
    now = frame("item location month consensus", "A EU 2026-10 88", "A EU 2026-11 70")
    found = lags.versions(past.rename(columns={"cycle_on": "cycle"}), now, frame("item location month demand", "A EU 2026-09 100"), cycle_month="2026-10", lags=(3, 2, 1), back=1, ahead=3)
    assert found[["lag_3", "lag_2", "lag_1", "demand", "error"]].round(6).values.tolist()[0] == [90, 95, 99, 100, -0.01]
    assert found["lag_3"].tolist()[1] == 80 and np.isnan(found["demand"].iloc[1]) and found["lag_2"].tolist()[2] == 70
    assert lags.drift(found) == pytest.approx({"moved": 0.1, "change": 0.01 - 0.10})
    assert lags.drift(found.iloc[1:]) == {}, "no month known"


def test_the_signal_is_the_sum_of_errors_over_their_mean_size():
    """A is 10 too high seven times and 10 too low once: 60 / 10; B's errors cancel."""
    up = [110.0] * 7 + [90.0]
    found = lags.tracking(plans({"A": up, "B": [110.0, 90.0] * 4}), history({"A": [100.0] * 8, "B": [100.0] * 8}), ITEMS, limit=6).set_index("item")
    assert found.loc["A", ["n", "signal", "units", "amount", "beyond"]].tolist() == [8, 6, 60, 600, True]
    assert found.loc["B", ["signal", "beyond"]].tolist() == [0, False]
    assert found.loc["A", "bias"] == pytest.approx(60 / 800)


def test_the_published_case_of_the_bakery():
    """Heizer & Render, Operations Management, Carlson's Bakery: errors of six quarters add up to 35 at a mean size of 14.2,
    a signal of 2.5, with demand − forecast; ours is plan − demand, so the sign turns."""
    forecast, demand = [100.0, 100, 100, 110, 110, 110], [90.0, 95, 115, 100, 125, 140]
    found = lags.tracking(plans({"A": forecast}), history({"A": demand}), ITEMS)
    assert found["units"].item() == -35 and found["signal"].item() == pytest.approx(-35 / (85 / 6)) and round(found["signal"].item(), 1) == -2.5


def test_a_family_is_added_up_before_it_is_judged():
    """What A has too much B has too little: the family's plan is right."""
    found = lags.tracking(plans({"A": [110.0] * 8, "B": [90.0] * 8}), history({"A": [100.0] * 8, "B": [100.0] * 8}), ITEMS, by=["family"])
    assert found[["family", "units", "beyond"]].values.tolist() == [["Tea", 0, False]]


def test_a_signal_needs_as_many_months_as_its_limit():
    few = lags.tracking(plans({"A": [110.0] * 5}), history({"A": [100.0] * 5}), ITEMS, limit=6)
    assert few[["n", "signal", "beyond"]].values.tolist() == [[5, 5, False]]
    none = plans({"A": [1.0]}).iloc[:0]
    assert lags.months_needed(none, cycle_month="2026-10", limit=6) == 6
    assert lags.months_needed(plans({"A": [1.0] * 3}), cycle_month="2026-04", limit=6) == 3
    assert lags.tracking(none, history({"A": [1.0]}), ITEMS).empty


def test_only_a_year_is_looked_back_on():
    months = frames.months("2024-01", 20)
    past = plans({"A": [0.0]}).iloc[[0] * 20].assign(cycle=months, month=months, consensus=[200.0] * 8 + [100.0] * 12)
    came = history({"A": [100.0]}).iloc[[0] * 20].assign(month=months)
    assert lags.tracking(past, came, ITEMS)[["n", "units"]].values.tolist() == [[12, 0]]


def test_luck_is_what_unbiased_series_show():
    """Second route: 20,000 unbiased series of normal errors, drawn. The formula is good to two points."""
    rng = np.random.default_rng(7)
    for months, limit in ((12, 4), (12, 6), (9, 6)):
        errors = rng.normal(0, 1, (20_000, months))
        passed = (np.abs(errors.sum(axis=1)) >= limit * np.abs(errors).mean(axis=1)).mean()
        assert lags.luck(limit, months) == pytest.approx(passed, abs=0.025)
    assert np.isnan(lags.luck(6, 0))


def test_a_lag_without_a_month_says_how_many_cycles_it_needs():
    past = plans({"A": [110.0, 110.0]})
    by_lag = streams.by_lag(streams.lag_accuracy(past, history({"A": [100.0, 100.0]}), lags=[1, 3, 6]))
    found = lags.at(by_lag, past, cycle_month="2026-03").set_index("lag")
    assert found.loc[1, ["wape", "bias", "months", "needed"]].tolist() == pytest.approx([0.1, 0.1, 2, 0])
    assert found["needed"].tolist() == [0, 1, 4]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=12))
def test_a_signal_lies_within_the_number_of_its_months(pairs):
    planned, came = (list(values) for values in zip(*pairs, strict=True))
    months = frames.months("2025-01", len(pairs))
    past = plans({"A": [0.0]}).iloc[[0] * len(pairs)].assign(cycle=months, month=months, consensus=planned)
    found = lags.tracking(past, history({"A": [0.0]}).iloc[[0] * len(pairs)].assign(month=months, demand=came), ITEMS)
    assert found["signal"].isna().item() or abs(found["signal"].item()) <= len(pairs) + 1e-6
