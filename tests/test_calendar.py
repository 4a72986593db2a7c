"""The time of year, working days, and Lebaran, which is announced and moves."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import calendar, frames


def test_every_docstring_example_holds():
    assert doctest.testmod(calendar).failed == 0


@pytest.mark.parametrize("day", ["2021-05-13", "2022-05-02", "2023-04-22", "2024-04-10", "2025-03-31", "2026-03-21"])
def test_lebaran_as_announced(day):
    """Indonesia's Ministry of Religious Affairs; a Hijri conversion is a day off in several of these years."""
    year = calendar.holiday_dates(f"{day[:4]}-01", f"{day[:4]}-12")
    assert year["date"].dt.strftime("%Y-%m-%d").tolist() == [day]
    assert not year["estimated"].any()


def test_a_day_that_is_not_announced_yet_says_so():
    assert calendar.holiday_dates("2030-01", "2030-12")["estimated"].tolist() == [True]


def test_two_lebarans_in_one_year():
    assert len(calendar.holiday_dates("2033-01", "2033-12")) == 2


def test_the_window_of_a_day_at_the_end_of_march():
    """31 March 2025, 20 days before and 7 after: 21 of 28 days in March, 7 in April."""
    share = calendar.window_share(["2025-03-31"], frames.months("2025-01", 6))
    assert share["share"].tolist() == pytest.approx([0, 0, 0.75, 0.25, 0, 0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dates(min_value=pd.Timestamp("2020-03-01").date(), max_value=pd.Timestamp("2026-09-01").date()), max_size=5),
       st.integers(0, 40), st.integers(0, 20))  # fmt: skip
def test_each_window_sums_to_one(days, before, after):
    share = calendar.window_share(days, frames.months("2019-12", 100), before=before, after=after)
    assert share["share"].sum() == pytest.approx(len(days))
    assert share["share"].ge(0).all()


def test_working_days_by_pencil():
    """July 2026 has 23 weekdays. In the United States Independence Day falls on a Saturday and is kept on Friday the 3rd."""
    assert calendar.working_days("2026-07", "2026-07")["working_days"].item() == 23
    assert calendar.working_days("2026-07", "2026-07", "US")["working_days"].item() == 22


def test_an_unknown_country_is_told():
    with pytest.raises(ValueError, match="no public holidays are known for XX"):
        calendar.working_days("2026-01", "2026-01", "XX")


def test_seasonal_factors_of_a_family_with_a_trend():
    """A rising total with a doubled December: the factors find December, and their mean is one."""
    months = frames.months("2022-03", 40)
    pattern = np.where(months.month == 12, 2.0, 1.0)
    df = pd.DataFrame({"family": "f", "month": months, "demand": (100 + np.arange(40)) * pattern})
    found = calendar.seasonal_factors(df).set_index("position")["factor"]
    assert found.mean() == pytest.approx(1)
    assert found[11] == pytest.approx(2 * 12 / 13, rel=0.02)
    assert found.drop(11).std() < 0.02


def test_a_short_family_has_no_season():
    df = pd.DataFrame({"family": "f", "month": frames.months("2025-01", 23), "demand": np.arange(23.0)})
    assert calendar.seasonal_factors(df)["factor"].eq(1).all()


def lebaran_family(before: float, after: float = 0.0, months: int = 60, noise: float = 0.03) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A family with a season of its own, noise, and a Lebaran that moves from May to March over five years."""
    when = frames.months("2021-01", months)
    shares = calendar.holiday_shares("2021-01", "2027-12")
    wide = shares.pivot(index="month", columns="window", values="share").reindex(when)
    wobble = np.random.default_rng(7).normal(1, noise, months)
    lift = (1 + before) ** wide["before"].to_numpy() * (1 + after) ** wide["after"].to_numpy()
    demand = 1000 * (1 + 0.2 * np.sin(2 * np.pi * when.month / 12)) * lift * wobble
    return pd.DataFrame({"family": "snacks", "month": when, "demand": demand}), shares


def test_the_effect_of_lebaran_is_found_with_its_standard_error():
    """People buy before, and less after: both are found."""
    df, shares = lebaran_family(0.8, -0.3)
    found = calendar.moving_holiday_effect(df, shares).set_index("window")
    assert found.loc["before", "effect"] == pytest.approx(0.8, abs=3 * found.loc["before", "se"])
    assert found.loc["after", "effect"] == pytest.approx(-0.3, abs=3 * found.loc["after", "se"])
    assert found["t"].abs().min() > 4


def test_a_family_without_the_effect_gets_no_factors():
    df, shares = lebaran_family(0.0)
    effects = calendar.moving_holiday_effect(df, shares)
    assert effects["effect"].abs().max() < 0.15
    assert calendar.holiday_factors(effects.assign(t=0.5), shares).empty


def test_too_short_a_family_has_effect_zero():
    df, shares = lebaran_family(0.5, months=30)
    assert calendar.moving_holiday_effect(df, shares)["effect"].tolist() == [0.0, 0.0]


def test_a_country_without_the_holiday_has_no_shares():
    assert calendar.holiday_shares("2024-01", "2026-12", "US").empty


def test_factors_take_the_holiday_out_of_the_history_exactly():
    df, shares = lebaran_family(0.5, -0.2, noise=0.0)
    factors = calendar.holiday_factors(calendar.moving_holiday_effect(df, shares), shares)
    clean = df.merge(factors, on=["family", "month"]).eval("demand / factor")
    season = 1000 * (1 + 0.2 * np.sin(2 * np.pi * df["month"].dt.month / 12))
    assert clean.to_numpy() == pytest.approx(season.to_numpy(), rel=1e-9)


# --- soon on, slowly off --------------------------------------------------------------------------------------------


def judged(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    """family, t, error without, error with; two windows, of which one shows nothing."""
    return pd.DataFrame([(family, window, t * share, a, b) for family, t, a, b in rows for window, share in (("after", 0.0), ("before", 1.0))],
                        columns=["family", "window", "t", "wape_without", "wape_with"])


@pytest.mark.parametrize(("t", "error", "before", "used", "kept"), [
    (2.5, 0.09, False, True, False),   # better and sure
    (1.5, 0.09, False, False, False),  # better, but not sure: not switched on
    (1.5, 0.09, True, True, True),     # … and not switched off for that
    (2.5, 0.105, False, False, False), # worse: not switched on
    (2.5, 0.105, True, True, True),    # … and not clearly worse: not switched off
    (2.5, 0.111, True, False, False),  # clearly worse
    (0.9, 0.09, True, False, False),   # not even the sign is known
    (2.5, np.nan, True, False, False), # too short to judge
])  # fmt: skip
def test_soon_on_slowly_off(t, error, before, used, kept):
    last = pd.DataFrame({"family": ["tea"] if before else [], "month": pd.to_datetime(["2026-01-01"] if before else []), "factor": [1.1] if before else []})
    out = calendar.switched(judged(("tea", t, 0.1, error)), last)
    assert out["used"].tolist() == [used] * 2 and out["kept"].tolist() == [kept] * 2
    without = calendar.switched(judged(("tea", t, 0.1, error)))
    assert without["used"].tolist() == [t >= 2 and error < 0.1] * 2, "no last cycle: what the months say today"


def test_a_wavering_family_is_switched_once_and_its_factors_stay():
    """Errors with it of −7, +6, −1, +4, −3 % of those without: five cycles, on in three of them without a memory."""
    shares = pd.DataFrame({"window": ["before", "after"], "month": [frames.month("2026-03")] * 2, "share": [1.0, 0.0]})
    last, on, alone = None, [], []
    for moved in (-0.07, 0.06, -0.01, 0.04, -0.03):
        now = judged(("tea", 2.2, 0.1, 0.1 * (1 + moved))).assign(effect=0.2)
        effects = calendar.switched(now, last)
        last = calendar.holiday_factors(effects, shares)
        on.append(len(last))
        alone.append(bool(calendar.switched(now)["used"].any()))
    assert on == [1] * 5 and alone == [True, False, True, False, True] and last["factor"].tolist() == [pytest.approx(1.2)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1, max_size=6), st.floats(0, 0.5))
def test_with_a_memory_no_family_is_switched_off_that_would_be_on_without(rows, margin):
    now = judged(*[(f"f{i}", *row) for i, row in enumerate(rows)])
    everyone = now[["family"]].assign(month=frames.month("2026-01"), factor=1.0)
    fresh, with_memory = calendar.switched(now, None, margin=margin), calendar.switched(now, everyone, margin=margin)
    assert not (fresh["used"] & ~with_memory["used"]).any()
    assert (with_memory["used"] == (fresh["used"] | with_memory["kept"])).all()


def test_without_families_nothing_is_switched():
    none = pd.DataFrame(columns=["family", "window", "effect", "se", "t", "n", "wape_without", "wape_with", "used"])
    assert calendar.switched(none).empty and calendar.switched(none, judged(("tea", 1, 1, 1)).assign(month=frames.month("2026-01"))).empty
