"""The demand plan: streams, overrides, money, and the plan against the budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, plan

ITEMS = frame("item family unit_price unit_cost", "A Tea 10 6", "B Tea 20 12", "C Tin 5 -")
FORECAST = frame(
    "item location month baseline",
    "A North 2026-10 60", "A South 2026-10 40", "B North 2026-10 100", "C North 2026-10 0",
    "A North 2026-11 60", "A South 2026-11 40", "B North 2026-11 100", "C North 2026-11 0",
)
MONTHS = frames.months("2026-10", 2)


def consensus(forecast=FORECAST, **streams):
    return plan.consensus(forecast, items=ITEMS, months=MONTHS, as_of="2026-10-01", **streams)


def override(*rows: str) -> pd.DataFrame:
    """Overrides from `level key location month kind value`, with owner, reason and dates filled in."""
    table = frame("level key location month kind value", *rows)
    return frames.conform(table.assign(
        override=[f"O{n}" for n in range(1, len(table) + 1)], reason="contract", owner="Dewi",
        made_on=pd.Timestamp("2026-09-20"), expires=pd.NaT), frames.OVERRIDES)


def event(start: str, end: str, level: str = "item", key: str | None = "A", location: str = "all", effect: float = 0.5, kind: str = "promotion"):
    return frames.conform(pd.DataFrame([{"event": "E1", "name": "x", "kind": kind, "start": start, "end": end, "level": level,
                                         "key": key, "location": location, "effect": effect}]), frames.EVENTS)


def sales(*rows: str) -> pd.DataFrame:
    return frame("level key location month quantity owner", *rows)


def pipeline(*rows: str) -> pd.DataFrame:
    return frame("level key location month amount", *rows)


def october(table: pd.DataFrame, column: str = "consensus") -> dict[tuple[str, str], float]:
    rows = table[table["month"] == MONTHS[0]]
    return {(r["item"], r["location"]): round(r[column], 9) for r in rows.to_dict("records")}


# --- events ---------------------------------------------------------------------------------------------------------

def test_an_event_lifts_the_baseline_by_its_effect_for_the_days_it_runs():
    """A promotion of +50 % from 17 October runs 15 of 31 days: 60 × 0.5 × 15/31 = 14.52 units."""
    result = october(consensus(events=event("2026-10-17", "2026-10-31")), "events")
    assert result[("A", "North")] == pytest.approx(60 * 0.5 * 15 / 31)
    assert result[("B", "North")] == 0


def test_an_event_may_be_meant_for_a_family_or_for_one_location():
    family = october(consensus(events=event("2026-10-01", "2026-10-31", "family", "Tea")), "events")
    assert family == {("A", "North"): 30, ("A", "South"): 20, ("B", "North"): 50, ("C", "North"): 0}
    south = october(consensus(events=event("2026-10-01", "2026-10-31", "all", None, "South")), "events")
    assert south == {("A", "North"): 0, ("A", "South"): 20, ("B", "North"): 0, ("C", "North"): 0}


@pytest.mark.parametrize(("start", "end", "kind", "why"), [
    ("2026-08-01", "2026-12-31", "promotion", "it ran through all of September: the baseline has seen it"),
    ("2026-06-01", "2026-06-30", "promotion", "it is over"),
    ("2026-10-01", "2026-10-31", "holiday", "holidays are in the season and the calendar of the baseline"),
])
def test_what_the_baseline_already_holds_is_not_added_again(start, end, kind, why):
    assert consensus(events=event(start, end, kind=kind))["events"].abs().sum() == 0, why


def test_an_event_that_began_in_the_last_month_of_history_is_still_news():
    assert consensus(events=event("2026-09-15", "2026-10-15"))["events"].sum() > 0


def test_month_shares_of_a_window_add_up_to_its_days():
    """Lebaran 2026 with the weeks before it: 17 March to 15 April is 15 of 31 and 15 of 30 days."""
    share = plan.month_share("2026-03-17", "2026-04-15", frames.months("2026-02", 4))
    assert share.tolist() == pytest.approx([0, 15 / 31, 15 / 30, 0])


# --- pipeline -------------------------------------------------------------------------------------------------------

def test_expected_money_of_a_deal_becomes_units_at_the_price():
    """600 money of item A at 10 a unit is 60 units, 60:40 to North and South as the plan is."""
    result = october(consensus(pipeline=pipeline("item A all 2026-10 600")), "pipeline")
    assert result == {("A", "North"): 36, ("A", "South"): 24, ("B", "North"): 0, ("C", "North"): 0}


def test_a_deal_for_a_family_keeps_its_money():
    table = consensus(pipeline=pipeline("family Tea all 2026-10 900"))
    assert (table["pipeline"] * table["price"]).sum() == pytest.approx(900)


# --- sales ----------------------------------------------------------------------------------------------------------

def test_the_plan_moves_by_the_weight_towards_what_sales_expects():
    """Sales expects 150 of A where the plan has 100; at a weight of 0.3 the plan moves by 15, spread 60:40."""
    result = october(consensus(sales=sales("item A all 2026-10 150 Budi"), sales_weight=0.3), "sales")
    assert result[("A", "North")] == pytest.approx(9) and result[("A", "South")] == pytest.approx(6)


def test_a_family_is_spread_by_the_shares_of_the_plan():
    result = october(consensus(sales=sales("family Tea all 2026-10 300 Budi"), sales_weight=1.0))
    assert result == {("A", "North"): 90, ("A", "South"): 60, ("B", "North"): 150, ("C", "North"): 0}


def test_the_finest_statement_counts_and_a_family_speaks_for_the_rest():
    """The family is to sell 300, of which 120 are A's own: 180 are left for B."""
    said = sales("family Tea all 2026-10 300 Budi", "item A all 2026-10 120 Sari")
    assert october(consensus(sales=said, sales_weight=1.0)) == {("A", "North"): 72, ("A", "South"): 48, ("B", "North"): 180, ("C", "North"): 0}


def test_each_owner_may_have_a_weight_and_one_without_does_not_count():
    said = sales("item A all 2026-10 200 Budi", "item B all 2026-10 200 Sari")
    table = consensus(sales=said, sales_weight=frame("owner weight", "Budi 0.5"))
    assert table.groupby("item")["sales"].sum().to_dict() == {"A": 50, "B": 0, "C": 0}


# --- overrides ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("row", "expected"), [
    ("item A all 2026-10 absolute 150", {("A", "North"): 90, ("A", "South"): 60, ("B", "North"): 100, ("C", "North"): 0}),
    ("item A South 2026-10 delta -10", {("A", "North"): 60, ("A", "South"): 30, ("B", "North"): 100, ("C", "North"): 0}),
    ("family Tea all 2026-10 percent 0.1", {("A", "North"): 66, ("A", "South"): 44, ("B", "North"): 110, ("C", "North"): 0}),
    ("total - North 2026-10 absolute 320", {("A", "North"): 120, ("A", "South"): 40, ("B", "North"): 200, ("C", "North"): 0}),
    ("location North all 2026-10 percent 0.5", {("A", "North"): 90, ("A", "South"): 40, ("B", "North"): 150, ("C", "North"): 0}),
    ("total - all 2026-10 delta 20", {("A", "North"): 66, ("A", "South"): 44, ("B", "North"): 110, ("C", "North"): 0}),
    ("family Tin all 2026-10 delta 8", {("A", "North"): 60, ("A", "South"): 40, ("B", "North"): 100, ("C", "North"): 8}),
])
def test_an_override_is_spread_by_the_shares_of_the_plan(row, expected):
    """And equally where all of them are zero, as for the family of tins."""
    assert october(consensus(overrides=override(row))) == pytest.approx(expected)


def test_a_later_override_sees_what_an_earlier_one_did():
    both = override("item A all 2026-10 absolute 200", "family Tea all 2026-10 percent 0.5")
    assert consensus(overrides=both).query("month == @MONTHS[0]").groupby("item")["consensus"].sum().to_dict() == {"A": 300, "B": 150, "C": 0}


def test_a_cut_below_zero_is_charged_to_the_override_that_asked_for_it():
    asked = override("item A South 2026-10 delta -100")
    table = consensus(overrides=asked)
    assert october(table)[("A", "South")] == 0
    used = plan.overrides(table, asked, items=ITEMS, as_of="2026-10-01")
    assert used["units"].tolist() == [-40] and used["amount"].tolist() == [-400]


def test_what_became_of_each_override():
    asked = override("item A all 2026-10 delta 20", "item A all 2026-11 delta 1", "item X all 2026-10 delta 5",
                     "item A all 2026-09 delta 5", "item A all 2027-10 delta 5", "item B all 2026-10 delta 5", "item B all 2026-10 delta 9")
    asked.loc[5, "expires"] = pd.Timestamp("2026-09-30")
    asked.loc[6, "made_on"] = pd.Timestamp("2026-11-02")
    used = plan.overrides(consensus(overrides=asked), asked, items=ITEMS, as_of="2026-10-01").set_index("override")
    assert used["state"].to_dict() == {"O1": "used", "O2": "small", "O3": "unknown", "O4": "expired", "O5": "beyond", "O6": "expired"}
    assert used["units"].to_dict() == {"O1": 20, "O2": 1, "O3": 0, "O4": 0, "O5": 0, "O6": 0}, "small ones are used, and flagged"
    assert "O7" not in used.index, "made after the cycle month: not yet known"


def test_small_is_measured_by_what_the_forecast_of_its_rows_usually_misses_by():
    """A was 30 too high in the North and 10 too low in the South, then 10 and 10 too high: together 20 and 20, so 20 is
    usual and half of it is 10."""
    errors = frame("item location origin lag error", "A North 2026-06 1 30", "A South 2026-06 1 -10", "A North 2026-07 1 10", "A South 2026-07 1 10")
    asked = override("item A all 2026-10 delta 9", "item A all 2026-11 delta 11")
    used = plan.overrides(consensus(overrides=asked), asked, items=ITEMS, as_of="2026-10-01", errors=errors)
    assert used["state"].tolist() == ["small", "used"] and used["noise"].tolist() == [20, 20]


def test_a_right_override_of_half_the_usual_error_takes_less_than_a_tenth_off_it():
    """Why small is half of it: with normal errors E|e + s| = σ√(2/π) e^(−s²/2σ²) + s (1 − 2Φ(−s/σ))."""
    from scipy import stats

    usual = np.sqrt(2 / np.pi)
    s = usual / 2
    without = usual * np.exp(-(s**2) / 2) + s * (1 - 2 * stats.norm.cdf(-s))
    assert 1 - usual / without == pytest.approx(0.073, abs=0.001)


def test_usual_errors_are_those_of_the_chosen_model_at_the_decision_lags():
    tested = frame("item location origin month lag model forecast demand", "A North 2026-06 2026-07 1 ETS 12 10", "A North 2026-06 2026-08 2 ETS 9 10",
                   "A North 2026-06 2026-07 1 Naive 30 10")
    scores = frame("item location model", "A North ETS", "A North Naive").assign(chosen=[True, False])
    assert plan.usual_errors(tested, scores, lags=[1])["error"].tolist() == [2]


def test_two_people_who_say_different_things_of_one_cell_count_for_nothing():
    """Of A in October Dewi says 120 and Budi says 20 % more: neither counts, and the plan stays at 100."""
    asked = override("item A all 2026-10 absolute 120", "item A all 2026-10 percent 0.2", "item A all 2026-11 delta 10", "item A all 2026-11 delta 10",
                     "item B all 2026-10 delta 5", "item B all 2026-10 delta 9")
    asked["owner"] = ["Dewi", "Budi", "Dewi", "Budi", "Dewi", "Dewi"]
    table = consensus(overrides=asked)
    used = plan.overrides(table, asked, items=ITEMS, as_of="2026-10-01").set_index("override")
    assert used["state"].to_dict() == {"O1": "conflict", "O2": "conflict", "O3": "used", "O4": "replaced", "O5": "replaced", "O6": "used"}
    assert table["override"].sum() == used["units"].sum() == 10 + 9, "the very same words count once, a person's later word replaces the earlier"


def test_an_expired_override_is_in_no_conflict():
    asked = override("item A all 2026-10 absolute 120", "item A all 2026-10 percent 0.2").assign(owner=["Dewi", "Budi"])
    asked.loc[0, "expires"] = pd.Timestamp("2026-09-30")
    used = plan.overrides(consensus(overrides=asked), asked, items=ITEMS, as_of="2026-10-01")
    assert used["state"].tolist() == ["expired", "used"]


# --- rows, identities -----------------------------------------------------------------------------------------------

def test_an_item_nobody_forecast_but_somebody_speaks_of_is_planned():
    table = plan.consensus(FORECAST[FORECAST["item"] != "C"], items=ITEMS, months=MONTHS, as_of="2026-10-01",
                           overrides=override("item C all 2026-10 absolute 30"))
    assert october(table)[("C", "North")] == 15 and october(table)[("C", "South")] == 15


def test_no_demand_at_all_gives_an_empty_plan():
    none = frames.empty(frames.FORECAST)
    assert plan.consensus(none, items=ITEMS, months=MONTHS, as_of="2026-10-01").empty


units = st.floats(0, 1e6).map(lambda x: round(x, 3))


@settings(max_examples=40, deadline=None)
@given(
    baseline=st.lists(units, min_size=8, max_size=8), effect=st.floats(-2, 3), deal=units, expected=units,
    weight=st.floats(0, 1), kind=st.sampled_from(["absolute", "delta", "percent"]), value=st.floats(-2, 1e5),
    where=st.sampled_from(["item A all", "item B North", "family Tea all", "total - all", "total - South"]),
)
def test_the_streams_add_up_to_a_plan_that_is_never_negative(baseline, effect, deal, expected, weight, kind, value, where):
    table = consensus(
        FORECAST.assign(baseline=baseline), events=event("2026-10-10", "2026-11-20", "family", "Tea", effect=effect),
        pipeline=pipeline(f"family Tea all 2026-10 {deal}"), sales=sales(f"family Tea all 2026-10 {expected} Budi"), sales_weight=weight,
        overrides=override(f"{where} 2026-10 {kind} {value}"))
    added = table[list(plan.STREAMS)].sum(axis=1)
    assert (table["consensus"] >= 0).all()
    np.testing.assert_allclose(added, table["consensus"], rtol=1e-9, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(baseline=st.lists(units, min_size=8, max_size=8), weight=st.floats(0, 1))
def test_a_stream_that_says_nothing_changes_nothing(baseline, weight):
    forecast = FORECAST.assign(baseline=baseline)
    plain = consensus(forecast)
    told = consensus(forecast, events=event("2026-10-01", "2026-10-31", effect=0.0), pipeline=pipeline("item A all 2026-10 0"),
                     sales=frames.empty(frames.FORECAST_SALES), sales_weight=weight, overrides=override("total - all 2026-10 percent 0"))
    pd.testing.assert_frame_equal(plain, told)


def test_inputs_are_left_as_they_were():
    asked, forecast = override("item A all 2026-10 delta 5"), FORECAST.copy()
    before = asked.copy()
    consensus(forecast, overrides=asked)
    pd.testing.assert_frame_equal(asked, before)
    pd.testing.assert_frame_equal(forecast, FORECAST)


# --- money ----------------------------------------------------------------------------------------------------------

def test_the_price_list_less_its_discount_comes_first_and_the_last_known_price_goes_on():
    prices = frame("item month price discount", "A 2026-09 11 -", "A 2026-11 12 0.25", "B 2026-12 99 -")
    table = consensus(prices=prices).set_index(["item", "location", "month"])
    assert table.loc[("A", "North", MONTHS[0]), "price"] == 11
    assert table.loc[("A", "North", MONTHS[1]), "price"] == 9
    assert table.loc[("B", "North", MONTHS[1]), "price"] == 20, "a price of a later month is not yet known"


def test_without_a_price_list_the_price_is_what_the_item_fetched_over_twelve_months():
    """(450 + 0) money for (50 − 0) units in the North; the South fetched nothing: the item's price; B has its list price."""
    history = frame("item location month demand_raw returns revenue", "A North 2026-09 60 10 450", "A North 2025-09 60 0 60000")
    price = october(consensus(history=history), "price")
    assert price == {("A", "North"): 9, ("A", "South"): 9, ("B", "North"): 20, ("C", "North"): 5}


def test_revenue_and_margin_follow_from_units_price_and_cost():
    row = consensus().iloc[0]
    assert (row["revenue"], row["margin"]) == (600, 240)
    assert consensus().query("item == 'C'")["margin"].isna().all(), "without a cost there is no margin, rather than a wrong one"


def test_what_is_said_of_unknown_items_is_told():
    lost = plan.unplaced(ITEMS, sales=sales("item X all 2026-10 5 Budi", "item X all 2026-11 5 Budi", "item A all 2026-10 5 Budi"), events=None)
    assert lost.values.tolist() == [["sales", "X", "item", 2]]


# --- leads, and streams of nothing ----------------------------------------------------------------------------------

def leads(*rows: str) -> pd.DataFrame:
    return frame("level key location month leads conversion units owner", *rows)


def test_leads_add_what_is_believed_of_their_promise():
    """200 leads × 20 % × half a unit promise 20 units; believed by half they add 10 to the family, by the shares of the plan."""
    result = october(consensus(leads=leads("family Tea all 2026-10 200 0.2 0.5 Rina"), leads_weight=0.5), "leads")
    assert result == {("A", "North"): 3, ("A", "South"): 2, ("B", "North"): 5, ("C", "North"): 0}
    weight = pd.DataFrame({"owner": ["Rina"], "weight": [0.0]})
    assert consensus(leads=leads("family Tea all 2026-10 200 0.2 0.5 Rina"), leads_weight=weight)["leads"].sum() == 0


def test_sales_sees_the_plan_with_the_leads_in_it():
    """The plan of A is 120 with the leads; sales expects 150, and half of the 30 is taken."""
    result = consensus(leads=leads("item A all 2026-10 100 0.2 1 Rina"), leads_weight=1.0, sales=sales("item A all 2026-10 150 Budi"), sales_weight=0.5)
    assert sum(v for (item, _), v in october(result, "sales").items() if item == "A") == pytest.approx(15)


FULL = {"events": event("2026-10-01", "2026-10-31"), "pipeline": pipeline("family Tea all 2026-10 600"), "leads": leads("family Tea all 2026-10 100 0.2 1 Rina"),
        "sales": sales("family Tea North 2026-10 150 Budi"), "overrides": override("item A all 2026-10 delta 7")}
NULL = {
    "events": [event("2026-10-01", "2026-10-31", effect=0.0), event("2026-10-01", "2026-10-31").iloc[:0]],
    "pipeline": [pipeline("family Tea all 2026-10 0"), pipeline("family Tea all 2026-10 0").iloc[:0]],
    "leads": [leads("family Tea all 2026-10 0 0.2 1 Rina", "item X all 2026-10 0 0 0 Rina"), leads("item A all 2026-10 0 0 0 Rina").iloc[:0]],
    "sales": [sales("family Tea North 2026-10 150 Budi").iloc[:0], sales("family Tea North 2026-10 - Budi").astype({"quantity": "float64"})],
    "overrides": [override("item A all 2026-10 delta 0"), override("family Tea all 2026-10 percent 0"), override("item A all 2026-10 delta 7").iloc[:0]],
}


@settings(max_examples=60, deadline=None)
@given(others=st.sets(st.sampled_from(sorted(FULL))), name=st.sampled_from(sorted(NULL)), which=st.integers(0, 2), weight=st.floats(0, 1))
def test_adding_a_stream_of_nothing_changes_nothing_and_the_streams_are_the_consensus(others, name, which, weight):
    """Empty, or of zeros; and a sales forecast or leads with a weight of zero."""
    given_others = {key: FULL[key] for key in others if key != name}
    without = consensus(**given_others, sales_weight=weight, leads_weight=weight)
    added = consensus(**given_others, **{name: NULL[name][which % len(NULL[name])]}, sales_weight=weight, leads_weight=weight)
    pd.testing.assert_frame_equal(added, without, check_exact=True)
    pd.testing.assert_series_equal(added[list(plan.STREAMS)].sum(axis=1), added["consensus"], check_names=False)
    assert (added["consensus"] >= 0).all()
    if name in ("sales", "leads"):
        pd.testing.assert_frame_equal(consensus(**given_others, **{name: FULL[name]}, **{f"{name}_weight": 0.0, ("leads" if name == "sales" else "sales") + "_weight": weight}), without)
