"""How far off a forecast usually is: larger many months ahead and where models disagree, and plain where little is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from test_forecast import history

from sopnb import scale


def errors(n: int, *, seed: int = 1) -> pd.DataFrame:
    """Past forecasts of series that sell 100 a month; the usual error is apart · √lag, and nothing else counts."""
    rng = np.random.default_rng(seed)
    lag, apart = rng.integers(1, 13, n), rng.choice([2.0, 5.0, 12.0], n)
    return pd.DataFrame({
        "group": "regular", "lag": lag, "forecast": 100.0, "demand": 100.0 + rng.normal(0, 1, n) * apart * np.sqrt(lag), "apart": apart, "unit": 100.0,
        "monthly": 8.0, "yearly": 12.0, "long": 12.0, "known": 60, "empty": 0.0, "plain": 10.0,
    })  # fmt: skip


def asked(**given: object) -> pd.DataFrame:
    return errors(1).drop(columns="demand").drop(columns=list(given)).merge(pd.DataFrame(given), how="cross")


def test_the_scale_rises_with_the_lag_and_with_disagreement_where_errors_do():
    """Errors grow as √lag and in step with disagreement: between 1 and 9 months threefold, between 2 and 12 apart sixfold."""
    past = errors(6000)
    by_lag = scale.predicted(past, asked(lag=[1, 4, 9], apart=[5.0, 5.0, 5.0]))
    by_apart = scale.predicted(past, asked(lag=[4, 4, 4], apart=[2.0, 5.0, 12.0]))
    assert by_lag / by_lag[0] == pytest.approx([1, 2, 3], rel=0.2)
    assert by_apart / by_apart[0] == pytest.approx([1, 2.5, 6], rel=0.2)


def test_the_scale_is_level_where_errors_are():
    past = errors(6000).assign(demand=100.0 + np.random.default_rng(2).normal(0, 10, 6000))
    found = scale.predicted(past, asked(lag=[1, 4, 12, 12], apart=[2.0, 5.0, 5.0, 12.0]))
    assert found / found[0] == pytest.approx(np.ones(4), rel=0.15)


def test_with_few_errors_the_scale_is_plain():
    past, rows = errors(scale.LEAST - 1), asked(lag=[1, 9])
    assert scale.predicted(past, rows).tolist() == [10, 10]
    assert scale.predicted(errors(scale.LEAST), rows).tolist() != [10, 10]
    assert scale.predicted(past[:0], rows).tolist() == [10, 10]


def test_each_group_learns_from_its_own_errors_and_a_new_series_from_all():
    past = pd.concat([errors(600), errors(600, seed=2).assign(group="rare", demand=lambda d: 100 + 10 * (d["demand"] - 100))], ignore_index=True)
    regular, rare, some = scale.predicted(past, asked(group=["regular", "rare", "any"]))
    assert rare / regular == pytest.approx(10, rel=0.25)
    assert regular < some < rare
    assert scale.predicted(past, asked(group=["unheard of"])).tolist() == [10]


def test_sizes_by_pencil():
    """Demand 10, 14, 12, 20 with a season of two: from month to month 4, 2, 8; from season to season 2, 6. The lesser is the plain scale."""
    h = history({"A": [10, 14, 12, 20]})
    row = scale.sizes(h, [h["month"].max()], season=2).iloc[0]
    assert (row["unit"], row["known"], row["empty"]) == (14, 4, 0)
    assert (row["monthly"], row["yearly"], row["long"], row["plain"]) == (pytest.approx(14 / 3), 4, 4, 4)
    before = scale.sizes(h, [h["month"].sort_values().iloc[1]], season=2).iloc[0]
    assert (before["unit"], before["monthly"], before["plain"]) == (12, 4, 4), "of two months known only those two"


def test_a_steady_series_has_a_tenth_of_its_demand_as_scale_and_a_dead_one_none():
    h = history({"A": [50.0] * 30, "Z": [0.0] * 30})
    assert scale.sizes(h, [h["month"].max()])["plain"].tolist() == [5, 0]


def test_a_series_next_to_nothing_has_the_unit_it_had_before():
    h = history({"A": [100.0] * 24 + [5e-324] * 24, "B": [5e-324] * 48})
    assert scale.sizes(h, [h["month"].max()])["unit"].tolist() == [50, 0]


def test_disagreement_is_the_spread_of_single_models():
    """SES says 10, Theta 14, and a naive 90 and a combination 12 do not count: mean 12, deviation 2."""
    tested = frame("item location origin month lag model forecast demand", *[
        f"A EU 2026-01 2026-02 1 {model} {value} 10" for model, value in (("SES", 10), ("Theta", 14), ("Naive", 90), ("SES+Theta", 12), ("Learned", 99))
    ])  # fmt: skip
    assert scale.disagreement(tested)["apart"].tolist() == [2]
    assert scale.disagreement(tested[tested["model"] == "Naive"]).empty
    assert scale.disagreement(tested[:0]).empty


def test_a_series_is_never_ten_times_surer_than_its_own_changes_say():
    """All others were forecast to the unit; this one changes by 10 a month whatever they taught."""
    past = errors(6000).assign(demand=100.0)
    assert scale.predicted(past, asked(lag=[1, 12], apart=[2.0, 12.0])) == pytest.approx([1.0, 1.0])
