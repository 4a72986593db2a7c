"""Value added: the stair from naive to plan, by family, person and reason, and whether it was luck."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, plan, value_added

ITEMS = frame("item family unit_price unit_cost", "A Tea 10 6", "B Tea 10 6")
STREAMS = ["baseline", "events", "pipeline", "leads", "sales", "override"]


def plans(*rows: str) -> pd.DataFrame:
    table = frame("cycle_date item location month baseline events pipeline leads sales override price", *rows)
    return table.rename(columns={"cycle_date": "cycle"}).assign(consensus=table[STREAMS].sum(axis=1))


# Two cycles before: August 2026 planned August to October, September planned September and October.
PLANS = plans(
    "2026-08 A EU 2026-08 100 0 0 0 0 0 10", "2026-08 A EU 2026-09 100 20 0 0 0 -30 10", "2026-08 A EU 2026-10 100 0 0 0 0 0 10",
    "2026-09 A EU 2026-09 110 0 0 0 0 0 10", "2026-09 A EU 2026-10 100 0 0 0 0 0 10")
HISTORY = frame("item location month demand", "A EU 2025-09 70", "A EU 2026-07 95", "A EU 2026-08 90", "A EU 2026-09 120", "B EU 2026-09 40")


def used(*rows: str) -> pd.DataFrame:
    table = frame("cycle_date override level key location month units owner state made_on", *rows)
    return table.rename(columns={"cycle_date": "cycle"}).assign(reason="contract")


# --- the stair ------------------------------------------------------------------------------------------------------

def test_value_added_is_the_error_each_stream_took_off_the_one_before():
    """September at lag 2: demand 160, of which 40 nobody planned. A: naive 70, baseline 100, with events 120, after the
    override 90. Errors 90, 60, 40, 70 of 160."""
    found = value_added.by_month(PLANS, HISTORY, lag=2).set_index("stream")
    assert found.loc[["naive", "baseline", "events", "override"], "error"].tolist() == [90, 60, 40, 70]
    assert found.loc[STREAMS, "added"].tolist() == pytest.approx([30 / 160, 20 / 160, 0, 0, 0, -30 / 160])
    assert found.loc["override", "bias"] == pytest.approx(-70 / 160)


def test_naive_without_a_year_of_history_is_the_last_demand_before_the_cycle():
    """August at lag 1: no August a year ago; July's 95 was known, August's 90 was not."""
    found = value_added.by_month(PLANS, HISTORY, lag=1)
    assert found.query("stream == 'naive' and month == @pd.Timestamp('2026-08-01')")["error"].item() == 5


def test_the_stairs_add_up_from_naive_to_the_plan():
    found = value_added.stairs(value_added.by_month(PLANS, HISTORY, lag=1))
    assert found["stream"].tolist() == list(value_added.STREAMS)
    assert found["wape"].iloc[0] - found["added"].sum() == pytest.approx(found["wape"].iloc[-1])


def test_before_anything_can_be_judged_there_is_nothing():
    none = PLANS.iloc[:0]
    assert value_added.by_month(none, HISTORY, lag=1).empty
    assert value_added.record(none, HISTORY, ITEMS, lag=1).columns.tolist() == frames.VALUE_ADDED_BY.names


# --- luck or skill --------------------------------------------------------------------------------------------------

SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]  # Student (1908), The probable error of a mean: hours gained by ten patients
GAINS = [0.4, 1.1, 0.9, -0.2, 0.6, 1.4, 1.2, 0.1, -0.3, 0.8, 1.0, 0.5]


def test_student_of_1908():
    """1.58 hours on average, standard error 0.389, t of nine degrees 2.262: 0.70 to 2.46."""
    assert value_added.interval(SLEEP, np.ones(10), frames.months("2026-01", 10)) == pytest.approx((0.70, 2.46), abs=0.005)


def test_the_range_equals_that_of_statsmodels_with_covariance_of_two_months():
    """Second route: a constant fitted by least squares, its error robust to covariance (uniform weights), corrected as
    Harvey, Leybourne and Newbold (1997) do: √((n + 1 − 2h + h(h − 1)/n) / n)."""
    import statsmodels.api as sm
    from scipy import stats

    n, lag = len(GAINS), 2
    fit = sm.OLS(GAINS, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lag - 1, "kernel": "uniform"})
    assert fit.bse[0] ** 2 * n > np.var(GAINS), "months that go together make the range wider"
    reach = fit.bse[0] / np.sqrt((n + 1 - 2 * lag + lag * (lag - 1) / n) / n) * stats.t.ppf(0.975, n - 1)
    found = value_added.interval(GAINS, np.ones(n), frames.months("2026-01", n), lag=lag)
    assert found == pytest.approx((fit.params[0] - reach, fit.params[0] + reach))


def test_covariance_never_makes_the_range_narrower_than_independent_months():
    """Gains that go up and down in turn look steadier than they are."""
    swing = [1.0, -0.5] * 5
    apart = value_added.interval(swing, np.ones(10), frames.months("2026-01", 10), lag=2)
    assert apart[1] - apart[0] >= np.diff(value_added.interval(swing, np.ones(10), frames.months("2026-01", 10)))[0]


@pytest.mark.parametrize(("months", "lag"), [(0, 1), (1, 1), (2, 3), (3, 3)])
def test_too_few_months_tell_nothing(months, lag):
    low, high = value_added.interval([0.1] * months, [1.0] * months, frames.months("2026-01", months), lag=lag)
    assert np.isnan(low) and np.isnan(high) and value_added.skill(0.1, low, high) == "open"


def test_where_months_move_together_luck_is_called_skill_far_less_often():
    """600 streams that add nothing, over twelve months in which any three move as one, the worst case at lag 3: the range
    leaves out zero in one of eight. As if months were independent, it would in three of ten."""
    noise = np.random.default_rng(7).normal(size=(600, 14))
    gains, months = noise[:, 2:] + noise[:, 1:-1] + noise[:, :-2], frames.months("2026-01", 12)
    called = {lag: np.mean([value_added.skill(1.0, *value_added.interval(g, np.full(12, 10.0), months, lag=lag)) != "open" for g in gains]) for lag in (1, 3)}
    assert called[3] < 0.15 and called[1] > 0.25
    steady = [value_added.skill(1.0, *value_added.interval(g, np.full(12, 10.0), months, lag=3)) != "open" for g in noise[:, :12]]
    assert np.mean(steady) < 0.05, "of independent months fewer than the one in twenty stated"


def test_a_step_that_always_helps_is_told_from_luck_and_one_that_never_speaks_is_not_judged():
    """Six months: the baseline misses by 20, sales takes 9 to 11 of it off, and says the rest of the plan nothing."""
    months = frames.months("2026-03", 6)
    rows = [f"{m:%Y-%m} A EU {m:%Y-%m} 120 0 0 0 {-gain} 0 10" for m, gain in zip(months, (9, 10, 11, 9, 10, 11), strict=True)]
    history = pd.concat([frame("item location demand", "A EU 100").assign(month=m) for m in [*frames.months("2025-03", 6), *months]])
    found = value_added.record(plans(*rows), history, ITEMS, lag=1).query("scope == 'all'").set_index("stream")
    assert found.loc["sales", ["months", "units", "skill", "amount"]].tolist() == [6, 60, "helps", 600]
    assert found.loc["sales", "added"] == pytest.approx(0.10) and 0.09 < found.loc["sales", "low"] < 0.10
    assert found.loc["baseline", "skill"] == "hurts" and found.loc["leads", "skill"] == "none"


def test_each_family_has_its_stair_in_one_row_and_absurd_shares_are_left_out():
    """Tea: naive misses by 50 of 120, the plan by 10. Tin sold 1 where a year before it sold 90: 8,900 % is no share."""
    items = frame("item family", "A Tea", "B Tin", "C Pot")
    past = plans("2026-09 A EU 2026-09 110 0 0 0 0 0 10", "2026-09 B EU 2026-09 1 0 0 0 0 0 10", "2026-09 C EU 2026-09 5 0 0 0 0 0 10")
    history = frame("item location month demand", "A EU 2025-09 70", "B EU 2025-09 90", "A EU 2026-09 120", "B EU 2026-09 1")
    found = value_added.families(value_added.record(past, history, items, lag=1))
    assert found["family"].tolist() == ["Tea", "Tin"] and found["units"].tolist() == [40, 89]
    assert found["added"].iloc[0] == pytest.approx(40 / 120) and found[["naive", "wape", "added"]].iloc[1].isna().all()


# --- people and reasons ---------------------------------------------------------------------------------------------

def test_an_override_is_judged_on_the_rows_it_was_meant_for():
    """The plan of A for September was 120 without overrides, and 120 came: the cut of 30 made it 30 worse, at 10 each."""
    found = value_added.record(PLANS, HISTORY, ITEMS, used("2026-08 O1 item A all 2026-09 -30 Dewi used 2026-07-20"), lag=2).set_index(["scope", "key", "stream"])
    one = found.loc[("owner", "Dewi", "override")]
    assert one[["n", "hits", "months", "units", "demand", "amount", "skill"]].tolist() == [1, 0, 1, -30, 120, -300, "open"]
    assert one["added"] == -30 / 120 and found.loc[("reason", "contract", "override"), "units"] == -30
    assert found.loc[("all", "all", "override"), "units"] == -30


def test_two_overrides_are_walked_in_the_order_made_and_add_up_to_the_step():
    """100 planned, 130 came. Budi first adds 40 (error 30 to 10), then Dewi takes 25 off (10 to 15): 20 − 5 = 15."""
    past = plans("2026-09 A EU 2026-09 100 0 0 0 0 15 10")
    history = frame("item location month demand", "A EU 2026-09 130")
    asked = used("2026-09 O1 item A all 2026-09 40 Budi used 2026-08-20", "2026-09 O2 family Tea all 2026-09 -25 Dewi small 2026-08-21",
                 "2026-09 O3 item A all 2026-09 0 Sari expired 2026-08-22")
    found = value_added.record(past, history, ITEMS, asked, lag=1).set_index(["scope", "key", "stream"])["units"]
    assert found[("owner", "Budi", "override")] == 20 and found[("owner", "Dewi", "override")] == -5
    assert found[("size", "used", "override")] == 20 and found[("size", "small", "override")] == -5
    assert found[("all", "all", "override")] == 15


def test_what_no_override_explains_stands_apart():
    """The plan was frozen with 15 more than the one override on record gives it: an item left its family since."""
    past = plans("2026-09 A EU 2026-09 100 0 0 0 0 25 10")
    history = frame("item location month demand", "A EU 2026-09 130")
    found = value_added.record(past, history, ITEMS, used("2026-09 O1 item A all 2026-09 10 Budi used 2026-08-20"), lag=1)
    units = found[found["scope"] == "owner"].set_index("key")["units"]
    assert units.to_dict() == {"Budi": 10, "rest": 15} and units.sum() == found.query("scope == 'all' and stream == 'override'")["units"].item()


def test_a_small_override_is_answered_with_its_owners_own_record():
    now = plan.overrides(
        PLANS[PLANS["cycle"] == pd.Timestamp("2026-09-01")].drop(columns="cycle"), items=ITEMS, as_of="2026-09-01", overrides=frames.conform(frame(
            "override level key location month kind value reason owner made_on expires", "N1 item A all 2026-10 delta 1 contract Dewi 2026-09-01 -",
            "N2 item A all 2026-09 delta 30 contract Dewi 2026-09-01 -", "N3 item A all 2026-09 delta 5 contract Budi 2026-08-01 2026-08-20"), frames.OVERRIDES))
    record = value_added.record(PLANS, HISTORY, ITEMS, used("2026-08 O1 item A all 2026-09 -30 Dewi used 2026-07-20"), lag=2)
    found = value_added.answers(now, record)
    assert found[["override", "state", "n", "hits", "added", "skill"]].fillna(-1).values.tolist() == [
        ["N3", "expired", 0, 0, -1, "none"], ["N1", "small", 1, 0, -0.25, "open"]]


units = st.floats(0, 200).map(lambda x: round(x, 1))
change = st.floats(-50, 50).map(lambda x: round(x, 1))


@settings(max_examples=25, deadline=None)
@given(baseline=st.lists(units, min_size=8, max_size=8), demand=st.lists(units, min_size=8, max_size=8), sales=st.lists(change, min_size=8, max_size=8),
       asked=st.lists(st.tuples(st.sampled_from(["item", "family", "location", "total"]), st.sampled_from(["absolute", "delta", "percent"]), st.floats(-1, 2),
                                st.sampled_from(["Dewi", "Budi"])), max_size=4, unique_by=lambda row: row[0]))
def test_steps_add_up_to_naive_minus_plan_and_people_and_families_to_their_steps(baseline, demand, sales, asked):
    """Whatever is planned, said and asked for: two items, two places, two months."""
    grid = pd.MultiIndex.from_product([["A", "B"], ["EU", "US"], frames.months("2026-08", 2)], names=["item", "location", "month"]).to_frame(index=False)
    keys = {"item": ("A", "all"), "family": ("Tea", "EU"), "location": ("US", None), "total": (None, "all")}
    said = frames.conform(pd.DataFrame([
        {"override": f"O{n}", "level": level, "key": keys[level][0], "location": keys[level][1], "month": month, "kind": kind, "value": value * (1 if kind == "percent" else 100),
         "reason": "contract", "owner": owner, "made_on": pd.Timestamp("2026-07-20"), "expires": pd.NaT}
        for n, (level, kind, value, owner) in enumerate(asked) for month in frames.months("2026-08", 1)], columns=frames.OVERRIDES.names), frames.OVERRIDES)
    expected = grid.assign(quantity=np.clip(np.add(baseline, sales), 0, None), level="item", owner="S").rename(columns={"item": "key"})
    made = plan.consensus(grid.assign(baseline=baseline), items=ITEMS, months=frames.months("2026-08", 2), as_of="2026-08-01", sales=expected, sales_weight=1.0, overrides=said)
    became = plan.overrides(made, said, items=ITEMS, as_of="2026-08-01")
    cycle = frames.month("2026-08")
    found = value_added.record(made.assign(cycle=cycle), grid.assign(demand=demand), ITEMS, became.assign(cycle=cycle), lag=1)
    table = found.set_index(["scope", "key", "stream"])["units"]
    whole = table[("all", "all")]
    assert whole[list(value_added.STREAMS[1:])].sum() == pytest.approx(whole["consensus"], abs=1e-6)
    assert table[("family", "Tea")].to_dict() == pytest.approx(whole.to_dict(), abs=1e-6)
    for scope in ("owner", "reason", "size"):
        parts = table[[key for key in table.index if key[0] == scope]]
        assert parts.sum() == pytest.approx(whole["override"], abs=1e-6)
        assert "rest" not in [key[1] for key in parts.index]
