"""Every measure by its worked example; targets, trend and bridges by small tables and identities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, kpis, supply, words

IDS = ("forecast_accuracy", "forecast_bias", "value_added", "override_hit_rate", "plan_stability", "otif", "fill_rate", "stock_cover",
       "inventory_turns", "excess_obsolete", "stockout_rate", "supplier_on_time", "capacity_load", "plan_vs_budget", "revenue_vs_budget",
       "gross_margin", "quota_attainment", "win_rate", "pipeline_coverage", "action_closure", "attendance", "decision_hit_rate", "data_quality")


# --- the book -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", kpis.BOOK)
def test_the_worked_example_gives_what_the_book_says(name: str):
    one = kpis.BOOK[name]
    tables, options = kpis.example(one)
    found = kpis.compute(tables, **options).query("kpi == @name and scope == 'all'")
    assert found["value"].item() == pytest.approx(one.gives)
    assert found[["numerator", "denominator"]].notna().all(axis=None)


@pytest.mark.parametrize("name", kpis.BOOK)
def test_without_a_table_it_needs_a_measure_is_absent_and_not_zero(name: str):
    one = kpis.BOOK[name]
    tables, options = kpis.example(one)
    for missing in one.needs:
        less = {key: table for key, table in tables.items() if key != missing}
        assert name not in set(kpis.compute(less, **options)["kpi"])
        assert missing in kpis.absent(less, kpis.compute(less, **options), month="2026-09").set_index("kpi").loc[name, "missing"]


@pytest.mark.parametrize("name", kpis.BOOK)
def test_tables_without_matter_make_no_measure_and_no_error(name: str):
    one = kpis.BOOK[name]
    tables, options = kpis.example(one)
    assert name not in set(kpis.compute({key: table.iloc[:0] for key, table in tables.items()}, **options)["kpi"])
    kpis.compute(tables, **{**options, "month": "2031-01"})


def test_the_book_has_the_measures_of_the_design_and_each_says_all_of_itself():
    assert set(IDS) <= set(kpis.BOOK)
    for one in kpis.BOOK.values():
        assert one.unit in ("percent", "money", "days", "ratio") and one.better in ("higher", "lower", "zero")
        assert all((one.name, one.formula, one.source, one.owner, one.version, one.measure, one.function.__doc__))
        assert words.message(f"kpis.{one.id}").text == one.name


def test_the_document_is_current(project: Path):
    assert (project / "docs" / "kpis.md").read_text(encoding="utf-8") == kpis.document(), "run `python -m sopnb.kpis > docs/kpis.md`"


def test_inputs_stay_as_they_were():
    for one in kpis.BOOK.values():
        tables, options = kpis.example(one)
        before = {name: table.copy() for name, table in tables.items()}
        kpis.compute(tables, **options)
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, before[name])


# --- scopes, targets ------------------------------------------------------------------------------------------------

def _everything() -> tuple[dict[str, pd.DataFrame], dict]:
    """The example of on time in full, in two families and two locations."""
    tables, options = kpis.example(kpis.BOOK["otif"])
    orders = tables["orders"].assign(item=["A", "A", "B", "B"], location=["EU", "US", "EU", "US"])
    items = frames.typed(pd.DataFrame({"item": ["A", "B"], "family": ["Tea", "Oil"]}), frames.ITEMS)
    return {"orders": orders, "items": items}, options


def test_families_and_locations_add_up_to_all():
    tables, options = _everything()
    found = kpis.compute(tables, **options).query("kpi == 'otif'").set_index("scope")
    assert found["value"].to_dict() == {"all": 0.5, "family:Oil": 0.0, "family:Tea": 1.0, "location:EU": 0.5, "location:US": 0.5}
    for name in ("family", "location"):
        part = found[found.index.str.startswith(name)]
        assert part[["numerator", "denominator"]].sum().tolist() == found.loc["all", ["numerator", "denominator"]].tolist()


@pytest.mark.parametrize(("target", "watch", "better", "status"), [
    (0.5, 0.4, "higher", "on"), (0.6, 0.5, "higher", "watch"), (0.9, 0.6, "higher", "off"),
    (0.5, 0.6, "lower", "on"), (0.4, 0.5, "lower", "watch"), (0.1, 0.2, "lower", "off"),
    (0.5, 0.6, "zero", "on"), (0.4, 0.5, "zero", "watch"), (0.1, 0.2, "zero", "off"),
])
def test_status_by_target_limit_and_direction(target: float, watch: float, better: str, status: str):
    tables, options = _everything()
    found = kpis.compute(tables, targets={"otif": {"target": target, "watch": watch, "better": better}}, **options)
    assert found.query("kpi == 'otif' and scope == 'all'")["status"].item() == status


def test_closer_to_zero_is_better_on_either_side():
    tables, options = kpis.example(kpis.BOOK["plan_vs_budget"])
    target = {"plan_vs_budget": {"target": 0.01, "watch": 0.03, "better": "zero"}}
    assert kpis.compute(tables, targets=target, **options).query("kpi == 'plan_vs_budget' and scope == 'all'")["status"].item() == "watch"


def test_excess_is_that_of_the_exceptions_to_the_cent():
    """A unit of A has customers, B goes into A, C has ended: 40 of A, 30 of B and all of C are too much, in the measure and in the exceptions; a short plan goes on."""
    months = frames.months("2026-10", 4)
    rows = [(item, month, opening, demand) for item, opening, demand in (("A", 100, 10), ("B", 60, 5), ("C", 7, 0)) for month in months]
    projection = frames.conform(pd.DataFrame(rows, columns=["item", "month", "opening", "demand"]).assign(location="all", closing=0.0, receipts=0.0, proposed=0.0, safety_stock=0.0, cover=0.0), frames.PROJECTION)
    items = frames.conform(frame("item family unit_cost end_date", "A F 2 -", "B F 3 -", "C F 4 2026-08-31"), frames.ITEMS)
    plan = frame("item location month consensus revenue margin", "A all 2026-10 10 50 30")
    found = supply.exceptions(projection, items, as_of=pd.Timestamp("2026-10-01"), plan=plan, excess_months=6)
    measure = kpis.compute({"projection": projection, "items": items}, month="2026-09", excess_months=6).query("kpi == 'excess_obsolete' and scope == 'all'").iloc[0]
    assert measure["numerator"] == 40 * 2 + 30 * 3 + 7 * 4 == found["amount"].sum() and measure["version"] == "2"


def test_cover_counts_what_goes_into_other_goods_and_not_what_only_moves():
    """92 on hand and 1 a day: 31, 30 and 31 to bicycles over 92 days; as many again that move to another place change nothing."""
    months = frames.months("2026-10", 3)
    items = frames.conform(frame("item family unit_cost unit_price", "F Frames 10 20"), frames.ITEMS)
    stock, plan = frame("item location as_of on_hand", "F A 2026-09-30 92"), frame("item location month consensus", *[f"F A {m:%Y-%m} 0" for m in months])
    projection = pd.DataFrame({"item": "F", "location": "A", "month": months, "demand": [31.0, 30, 31]})
    bill = frame("item component quantity", "Bike F 1")

    def days(**more):
        return kpis.BOOK["stock_cover"].function(stock, plan, items, month=pd.Timestamp("2026-09-01"), **more).query("scope == 'all'").eval("numerator / denominator").item()

    assert days(projection=projection, bom=bill) == pytest.approx(92)
    shipments = pd.DataFrame({"item": "F", "source_location": "A", "location": "B", "due": months, "quantity": [10.0, 10, 10]})
    assert days(projection=projection.assign(demand=projection["demand"] + 10), bom=bill, shipments=shipments) == pytest.approx(92)
    assert days(projection=projection, bom=bill.iloc[:0]) == np.inf, "nobody takes it"


def test_a_target_in_money_judges_the_whole_and_not_a_family():
    tables, options = kpis.example(kpis.BOOK["excess_obsolete"])
    found = kpis.compute(tables, targets={"excess_obsolete": {"target": 1, "watch": 2, "better": "lower"}}, **options)
    found = found.query("kpi == 'excess_obsolete'").set_index("scope")
    assert found["status"].to_dict() == {"all": "off", "family:Tea": "none"} and pd.isna(found.loc["family:Tea", "target"])


# --- history --------------------------------------------------------------------------------------------------------

def test_a_line_shipped_or_ordered_after_the_month_is_not_known_in_it():
    """Due 28 September, shipped 2 October: late in September for ever. Ordered in October for September: not there yet."""
    tables, options = kpis.example(kpis.BOOK["fill_rate"])
    later = tables["orders"].iloc[[0, 1, 2, 3, 3]].reset_index(drop=True)
    later.loc[4, "order_date"] = pd.Timestamp("2026-10-03")
    more = {"orders": later}
    pd.testing.assert_frame_equal(kpis.compute(more, **options), kpis.compute(tables, **options))


def test_history_is_the_same_function_one_month_at_a_time():
    tables: dict[str, pd.DataFrame] = {}
    for name in ("otif", "gross_margin", "inventory_turns", "win_rate"):
        tables.update(kpis.example(kpis.BOOK[name])[0])
    tables["history"] = frame("item location month demand demand_raw returns shipped revenue", "A all 2026-07 9 9 0 9 90", "A all 2026-08 8 8 0 8 88", "A all 2026-09 9 9 0 9 99")
    before = kpis.compute_history(tables, month="2026-10")
    assert before["month"].max() == pd.Timestamp("2026-09-01")
    for month in ("2026-08", "2026-09"):
        alone = kpis.compute(tables, month=month, only_history=True)
        pd.testing.assert_frame_equal(before[before["month"] == month].reset_index(drop=True), alone)
    assert set(before["kpi"]) >= {"otif", "fill_rate", "revenue", "gross_margin", "inventory_turns", "win_rate"}


def test_months_that_a_past_cycle_judged_are_not_judged_again():
    tables, _ = kpis.example(kpis.BOOK["revenue"])
    past = frame("kpi month value cycle", "revenue 2026-09 1 2026-10")
    assert "revenue" not in set(kpis.compute_history(tables, month="2026-10", past=past)["kpi"])
    assert "revenue" in set(kpis.compute_history(tables, month="2026-10")["kpi"])


def _kpi(month: str, value: float, version: str = "1", cycle: str | None = None) -> pd.DataFrame:
    row = frames.conform(pd.DataFrame({"kpi": ["otif"], "scope": ["all"], "month": [month], "value": [value], "target": [0.9], "low": [0.8],
                                       "status": ["on"], "version": [version], "numerator": [value], "denominator": [1.0]}), frames.KPIS)
    return row.assign(cycle=frames.month(cycle)) if cycle else row


def test_the_trend_shows_what_was_said_at_the_time():
    """August was judged in the September cycle; what a later cycle says of it does not move the line."""
    past = pd.concat([_kpi("2026-08", 0.8, cycle="2026-09"), _kpi("2026-08", 0.7, cycle="2026-08"), _kpi("2026-07", 0.6, cycle="2026-09")])
    out = kpis.trend(past, pd.concat([_kpi("2026-09", 0.9), _kpi("2026-08", 0.1)]), month="2026-09", months=4)
    assert out["month"].dt.strftime("%m").tolist() == ["06", "07", "08", "09"]
    assert out["value"].fillna(-1).tolist() == [-1, 0.6, 0.8, 0.9]


def test_a_changed_definition_breaks_the_line():
    past = pd.concat([_kpi("2026-07", 0.6, cycle="2026-08"), _kpi("2026-08", 0.8, cycle="2026-09")])
    out = kpis.trend(past, _kpi("2026-09", 0.9, version="2"), month="2026-09", months=4)
    assert out["line"].tolist() == [1, 1, 1, 2]
    row = kpis.scorecard(out, month="2026-09").iloc[0]
    assert pd.isna(row["before"]) and not row["got_worse"], "two definitions are not compared"


def test_the_scorecard_has_the_worst_first_and_tells_what_got_worse():
    tables, options = kpis.example(kpis.BOOK["otif"])
    now = kpis.compute(tables, targets={"fill_rate": {"target": 0.9, "watch": 0.8, "better": "higher"}}, **options)
    out = kpis.scorecard(kpis.trend(_kpi("2026-08", 0.8, cycle="2026-09"), now, month="2026-09"), month="2026-09")
    assert out["kpi"].tolist() == ["fill_rate", "otif"]
    assert out.set_index("kpi")["got_worse"].to_dict() == {"fill_rate": False, "otif": True}


def test_until_the_decision_lag_can_be_judged_the_first_lag_stands_in_under_its_own_name():
    """A plan of September judged in October's cycle: lag 1 alone. A target is meant for the decision lag, so it judges nothing."""
    tables, options = kpis.example(kpis.BOOK["forecast_accuracy"])
    early = {**tables, "past_plans": tables["past_plans"].assign(cycle=pd.Timestamp("2026-09-01"))}
    now = kpis.compute(early, targets={"forecast_accuracy": {"target": 0.9, "watch": 0.8, "better": "higher"}}, **options)
    row = kpis.scorecard(kpis.trend(None, now, month="2026-09"), month="2026-09").set_index("kpi").loc["forecast_accuracy"]
    assert (row["scope"], row["status"]) == ("lag:1", "none") and pd.isna(row["target"]) and row["value"] == pytest.approx(0.85)
    assert "forecast_accuracy" not in set(kpis.absent(early, now, month="2026-09")["kpi"])
    whole = kpis.scorecard(kpis.trend(None, kpis.compute(tables, **options), month="2026-09"), month="2026-09").set_index("kpi")
    assert whole.loc["forecast_accuracy", "scope"] == "all"


# --- bridges --------------------------------------------------------------------------------------------------------

SOLD = "item location month demand_raw returns revenue"


def test_price_volume_and_mix_of_two_items():
    """A went from 10 at 10 to 20 at 11, B from 10 at 20 to 10 at 20: p̄0 = 15.

    price 20·(11−10) = 20; volume (30−20)·15 = 150; mix 10·(20−30·10/20) + 20·(10−30·10/20) = 50 − 100 = −50.
    """
    history = frame(SOLD, "A all 2025-09 10 0 100", "B all 2025-09 10 0 200", "A all 2026-09 20 0 220", "B all 2026-09 10 0 200", "C all 2026-09 1 0 7", "D all 2025-09 1 0 9")
    items = frame("item family", "A Tea", "B Tea", "C Tea", "D Oil")
    out = kpis.price_volume_mix(history, items, month="2026-09")
    sums = out.sum(numeric_only=True).round(9).to_dict()
    assert sums == {"before": 309, "price": 20, "volume": 150, "mix": -50, "new": 7, "ended": -9, "after": 427}
    assert kpis.revenue_bridge(out)["amount"].sum() == pytest.approx(2 * 427)  # both totals and what lies between them


def test_mix_alone_moves_revenue_when_prices_and_volume_stand_still():
    history = frame(SOLD, "A all 2025-09 10 0 100", "B all 2025-09 10 0 200", "A all 2026-09 5 0 50", "B all 2026-09 15 0 300")
    out = kpis.price_volume_mix(history, frame("item family", "A Tea", "B Oil"), month="2026-09").sum(numeric_only=True)
    assert out[["price", "volume", "mix"]].round(9).tolist() == [0, 0, 50]


amounts = st.integers(-200, 1000)
rows = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["2025-09", "2026-09"]), amounts, st.integers(0, 50), amounts), max_size=12,
                unique_by=lambda row: row[:2])


@settings(max_examples=80, deadline=None)
@given(rows)
def test_the_parts_add_up_whatever_was_sold_or_sent_back(sold: list[tuple]):
    history = pd.DataFrame(sold, columns=["item", "month", "demand_raw", "returns", "revenue"]).assign(location="all", month=lambda d: pd.to_datetime(d["month"]))
    items = frame("item family", "A Tea", "B Tea", "C Oil", "D -")
    out = kpis.price_volume_mix(history, items, month="2026-09")
    parts = out[["before", "price", "volume", "mix", "new", "ended"]].sum(axis=1)
    assert ((parts - out["after"]).abs() <= 1e-9 * (1 + out[["before", "after"]].abs().max(axis=1))).all()
    assert out["after"].sum() == pytest.approx(history.loc[history["month"] == "2026-09", "revenue"].sum())


def test_the_budget_bridge_leads_to_the_plan_family_by_family():
    plan = frame("item location month revenue", "A all 2026-10 90", "B all 2026-10 50", "B all 2026-11 99")
    budget = frame("family month revenue", "Tea 2026-10 100", "Oil 2026-10 45", "Fish 2026-10 2")
    bridge = kpis.budget_bridge(plan, budget, frame("item family", "A Tea", "B Oil"), months=["2026-10", "2026-11"])
    assert kpis.steps(bridge, "budget")[["part", "amount"]].to_numpy().tolist() == [
        ["budget", 147.0], ["family:Tea", -10.0], ["family:Oil", 5.0], ["family:Fish", -2.0], ["plan", 140.0]]
    short = kpis.steps(bridge, "budget", largest=1)
    assert short["part"].tolist() == ["budget", "family:Tea", "rest", "plan"] and short["amount"].tolist() == [147, -10, 3, 140]
    assert kpis.budget_bridge(plan, budget, frame("item family", "A Tea"), months=["2027-10"]).empty
