"""What events do to demand: found with its standard error, taken out of the past once, added to the plan once."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import calendar, frames, lifts, plan

ITEMS = frame("item family unit_price unit_cost", *[f"I{i} {'f' if i < 6 else 'g'} 10 6" for i in range(12)])
EVENT = "event name kind start end level key location effect"


def events(*rows: str) -> pd.DataFrame:
    return frames.conform(frame(EVENT, *rows).astype({"event": str}), frames.EVENTS)


def promoted(lift: float, *, months: int = 48, noise: float = 0.0, stated: str = "0.3", series: int = 6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items of 100 a month, each promoted for four whole months, no two alike; `lift` is what came of it."""
    rng = np.random.default_rng(5)
    when, parts, rows = frames.months("2022-01", months), [], []
    for i in range(series):
        y = np.full(months, 100.0) * np.exp(rng.normal(0, noise, months))
        for k, at in enumerate((8 + i, 17 + i, 26 + i, 35 + i)):
            y[at] *= 1 + lift
            rows.append(f"E{i}-{k} P promotion {when[at]:%Y-%m-%d} {when[at] + pd.offsets.MonthEnd(0):%Y-%m-%d} item I{i} all {stated}")
        parts.append(pd.DataFrame({"item": f"I{i}", "location": "EU", "month": when, "demand": y, "demand_raw": y, "learned": y, "revenue": 10 * y, "returns": 0.0}))
    return pd.concat(parts, ignore_index=True), events(*rows)


def test_every_docstring_example_holds():
    assert doctest.testmod(lifts).failed == 0


def test_a_lift_without_noise_is_found_to_the_digit():
    """100 a month, 130 with a promotion that was said to bring 60 %: effect 0.3, half of what was stated."""
    found = lifts.effects(*promoted(0.3, stated="0.6"), ITEMS).set_index(["kind", "family"]).loc[("promotion", "all")]
    assert (found["effect"], found["stated"], found["realised"]) == pytest.approx((0.3, 0.6, 0.5))
    assert (found["months"], found["series"], found["used"]) == (24, 6, True)


def test_with_noise_the_truth_lies_within_the_standard_errors():
    found = lifts.effects(*promoted(0.3, noise=0.1), ITEMS).set_index("family").loc["all"]
    assert found["effect"] == pytest.approx(0.3, abs=3 * found["se"]) and 0 < found["se"] < 0.1 and found["t"] > 5


def test_the_slope_by_two_other_routes():
    """A share of 0 or 1 and equal weights: b / c is the difference of two means; with any share, numpy's least squares."""
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"series": np.repeat([0, 1], 40), "when": np.tile(np.arange(40), 2), "weight": 1.0})
    rows["share"] = (rng.random(80) < 0.3).astype(float)
    rows["ratio"] = 1 + 0.4 * rows["share"] + rng.normal(0, 0.1, 80)
    by_means = rows.groupby("share")["ratio"].mean()
    assert lifts.slope(rows, "share")[0] == pytest.approx(by_means[1.0] / by_means[0.0] - 1)
    rows = rows.assign(share=rng.random(80), weight=rng.uniform(1, 4, 80))
    root = np.sqrt(rows["weight"].to_numpy())
    c, b = np.linalg.lstsq(np.column_stack([root, root * rows["share"]]), root * rows["ratio"], rcond=None)[0]
    assert lifts.slope(rows, "share")[0] == pytest.approx(b / c)


@pytest.mark.parametrize("series", [1, 4])
def test_the_standard_error_by_the_formula(series):
    """Newey & West (1987) by series, summed month by month with Bartlett's weights 1, 3/4, 1/2, 1/4: (X'X)⁻¹ S (X'X)⁻¹ · n / (n − 2)."""
    rng = np.random.default_rng(series)
    at, when = np.repeat(np.arange(series), 30), np.tile(np.arange(30), series)
    rows = pd.DataFrame({"series": at, "when": when, "weight": rng.uniform(1, 4, 30 * series)[at], "share": rng.random(30 * series)})
    rows["ratio"] = 1 + 0.3 * rows["share"] + rng.normal(0, 0.1, len(rows))
    root = np.sqrt(rows["weight"].to_numpy())
    x, y = np.column_stack([root, root * rows["share"]]), root * rows["ratio"].to_numpy()
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    score, meat = x * (y - x @ beta)[:, None], np.zeros((2, 2))
    for i in range(len(rows)):
        for j in range(len(rows)):
            if at[i] == at[j] and abs(when[i] - when[j]) <= lifts.LAGS:
                meat += (1 - abs(when[i] - when[j]) / (lifts.LAGS + 1)) * np.outer(score[i], score[j])
    inverse = np.linalg.inv(x.T @ x)
    error = np.sqrt((inverse @ meat @ inverse)[1, 1] * (len(rows) / (len(rows) - 2) if series > 1 else 1.0))
    shuffled = rows.sample(frac=1.0, random_state=1)
    assert lifts.slope(shuffled, "share") == pytest.approx((beta[1] / beta[0], error / beta[0], beta[1] / error), rel=1e-9)


def test_a_holiday_that_the_family_shares_is_not_credited_to_a_promotion():
    """All items double in the months in which one is promoted in vain."""
    h, table = promoted(0.0)
    some = table[table["key"] == "I0"]
    h["demand"] = h["learned"] = h["demand"] * np.where(h["month"].isin(some["start"]), 2.0, 1.0)
    assert lifts.effects(h, some, ITEMS)["effect"].dropna().abs().max() < 0.02 or not lifts.effects(h, some, ITEMS)["used"].any()


def test_the_past_without_its_events_is_flat_again_and_nothing_else_moves():
    h, table = promoted(0.3, stated="0.6")
    measured = lifts.effects(h, table, ITEMS)
    out = lifts.without(h, table, ITEMS, measured)
    assert out["demand"].to_numpy() == pytest.approx(100.0)
    assert (out["demand"] * out["lift"]).to_numpy() == pytest.approx(h["demand"].to_numpy())
    untold = lifts.without(h, table.assign(effect=np.nan), ITEMS, measured)
    assert untold["demand"].to_numpy() == pytest.approx(100.0), "no lift was stated: the measured one is taken out"


def test_a_peak_that_someone_can_name_is_taken_out_by_naming_it():
    """One order of 200 on top of 100, of a kind never seen before: as stated."""
    h, _ = promoted(0.0, series=1)
    h.loc[20, ["demand", "learned"]] = 300.0
    named = events("N1 Tender one-off 2023-09-01 2023-09-30 item I0 all 2")
    out = lifts.without(h, named, ITEMS, lifts.effects(h, named, ITEMS))
    assert out["demand"].to_numpy() == pytest.approx(100.0)


def test_an_event_that_goes_on_is_counted_once():
    """Begun before the last month and running on: it stays in the baseline, and neither the plan nor `adds` adds it. Begun in
    the last month: its lift so far is taken out, and the rest is added."""
    h, table = promoted(0.3, series=6)
    last = h["month"].max()
    month = frames.next_month(last)
    on = events(f"L1 A promotion {last - pd.Timedelta(days=9):%Y-%m-%d} {month + pd.Timedelta(days=27):%Y-%m-%d} item I1 all 0.3",
                f"L2 B promotion {last + pd.Timedelta(days=14):%Y-%m-%d} {month + pd.Timedelta(days=27):%Y-%m-%d} item I2 all 0.3")
    both = pd.concat([table, on], ignore_index=True)
    measured = lifts.effects(h, table, ITEMS)
    out = lifts.without(h, both, ITEMS, measured)
    lifted = out[(out["month"] == last) & (out["lift"] > 1)]["item"].tolist()
    ready = lifts.planned(both, ITEMS, measured, first=month)
    f = pd.DataFrame([(i, "EU", month, 100.0) for i in ITEMS["item"]], columns=["item", "location", "month", "baseline"])
    made = plan.consensus(f, items=ITEMS, months=[month], as_of=month, events=ready, history=h)
    assert lifted == ["I2"] and made.loc[made["events"] > 0, "item"].tolist() == ["I2"]
    assert lifts.adds(made, ready, ITEMS)["units"].sum() == pytest.approx(made["events"].sum())


def test_what_shows_no_sure_effect_is_left_in():
    h, table = promoted(0.0, noise=0.1)
    measured = lifts.effects(h, table, ITEMS)
    assert not measured["used"].any()
    assert lifts.without(h, table, ITEMS, measured)["demand"].tolist() == h["demand"].tolist()


def test_a_given_lift_wins_and_one_without_takes_that_of_its_kind():
    h, table = promoted(0.3)
    measured = lifts.effects(h, table, ITEMS)
    coming = events("N1 A promotion 2026-02-01 2026-02-28 item I1 all 0.1", "N2 B promotion 2026-02-01 2026-02-14 item I2 all -",
                    "N3 C price 2026-02-01 2026-02-28 item I3 all -", "N4 D promotion 2026-03-01 2026-03-31 family g all -")
    ready = lifts.planned(coming, ITEMS, measured, first="2026-01").set_index("event")
    assert ready["basis"].to_dict() == {"N1": "given", "N2": "measured", "N3": "none", "N4": "measured"}
    assert ready["effect"].tolist() == pytest.approx([0.1, 0.3, np.nan, 0.3], nan_ok=True)
    months = frames.months("2026-01", 3)
    f = pd.DataFrame([(i, "EU", m, 100.0) for i in ITEMS["item"] for m in months], columns=["item", "location", "month", "baseline"])
    made = plan.consensus(f, items=ITEMS, months=months, as_of="2026-01-05", events=ready.reset_index(), history=h)
    added = lifts.adds(made, ready.reset_index(), ITEMS)
    assert added.set_index("event")["units"].to_dict() == pytest.approx({"N1": 10, "N2": 15, "N4": 180})
    assert added["units"].sum() == pytest.approx(made["events"].sum()), "month by month as the plan has it"
    assert added["amount"].tolist() == pytest.approx((added["units"] * 10).tolist())
    table = lifts.by_month(added)
    assert table["events"].tolist() == pytest.approx([25, 180]) and lifts.by_month(added.iloc[:0]).empty


def test_what_the_holiday_adds_by_pencil():
    """A month of 150 with a factor of 1.5 holds 50 of Lebaran: 150 · (1 − 1 / 1.5). se of log 1.5: 0.15 / 1.5 = 0.1, so 15."""
    f = pd.DataFrame({"item": ["I0", "I1"], "location": "EU", "month": frames.month("2027-02"), "model": ["Theta", "Naive"], "baseline": [150.0, 99.0]})
    effects = pd.DataFrame({"family": ["f"], "window": ["before"], "effect": [0.5], "se": [0.15], "used": [True]})
    shares = pd.DataFrame({"window": ["before"], "month": [frames.month("2027-02")], "share": [1.0]})
    out = calendar.holiday_adds(f, effects, shares, ITEMS, price=f.assign(price=2.0))
    assert out[["units", "se_units", "amount"]].values.tolist() == [pytest.approx([50, 15, 100])]
    assert calendar.holiday_adds(f, effects.assign(used=False), shares, ITEMS).empty


def test_a_company_without_events_or_history_goes_on():
    h, table = promoted(0.3)
    for past, told in ((h, None), (h, table.iloc[:0]), (h.iloc[:0], table)):
        measured = lifts.effects(past, told, ITEMS)
        assert measured.empty and lifts.without(past, told, ITEMS, measured)["demand"].tolist() == past["demand"].tolist()
    assert lifts.planned(None, ITEMS, lifts.effects(h, None, ITEMS), first="2026-01") is None
    assert lifts.adds(h, None, ITEMS).empty


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([0.0, 5.0, 1e12, 1e-12, np.nan, np.inf, -3.0]), min_size=1, max_size=48), st.floats(-0.9, 2.0))
def test_any_series_and_any_effect_give_numbers(values, stated):
    h, table = promoted(0.3, series=2)
    odd = pd.DataFrame({"item": "I0", "location": "US", "month": frames.months("2022-01", len(values)), "demand": values, "learned": values})
    h = pd.concat([h, odd.assign(demand_raw=0.0, revenue=0.0, returns=0.0)], ignore_index=True)
    measured = lifts.effects(h, table.assign(effect=stated), ITEMS)
    out = lifts.without(h, table.assign(effect=stated), ITEMS, measured)
    real = np.isfinite(h["demand"]) & (h["demand"] >= 0)
    assert np.isfinite(out.loc[real, "demand"]).all() and (out.loc[real, "demand"] >= 0).all()
    assert np.isfinite(measured.loc[measured["used"], ["effect", "se"]]).all(axis=None)


def test_a_holiday_that_is_sure_and_does_not_help_is_told_from_one_that_is_not_sure():
    feast = frame("family window effect se n used", "f after -0.24 0.04 48 no", "f before 0.15 0.12 48 no", "g after 0.1 0.2 48 no", "h after 0.5 0.1 48 yes")
    told = lifts.shown(lifts.effects(*promoted(0.3), ITEMS), feast.assign(used=feast["used"].eq("yes")))
    assert told[told["what"].str.startswith("holiday")].set_index(["family", "what"])["used"].to_dict() == {
        ("f", "holiday.after"): "useless", ("f", "holiday.before"): "useless", ("g", "holiday.after"): "no", ("h", "holiday.after"): "yes"}  # fmt: skip
    kept = lifts.shown(lifts.effects(*promoted(0.3), ITEMS), feast.assign(used=True, kept=feast["family"].eq("f")))
    assert kept[kept["what"].str.startswith("holiday")].groupby("family")["used"].first().to_dict() == {"f": "kept", "g": "yes", "h": "yes"}
