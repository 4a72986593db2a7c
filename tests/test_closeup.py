"""One item, taken apart: found by what a planner types, and all that is known of it adds up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import charts, closeup, closeup_page, forecast, frames, words

KEY = ["item", "location"]
MONTHS = frames.months("2026-07", 6)
ITEMS = frame("item name family unit_price successor like_item", "TE-1 Tea drinks 10 - -", "TE-2 Green_tea drinks 10 - -", "CO-1 Coffee drinks 10 - -",
              "NW-1 New_tea drinks 10 - TE-1", "BX-1 Box - 1 - -")  # fmt: skip
ITEMS["name"] = ITEMS["name"].str.replace("_", " ")


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


def _history() -> pd.DataFrame:
    """Three years, seasonal and growing; in December 2025 tea was out of stock in EU, in March 2026 an outlier."""
    rng = np.random.default_rng(3)
    months = frames.months("2023-07", 36)
    rows = []
    for item, place, level in (("TE-1", "EU", 100), ("TE-1", "US", 300), ("TE-2", "EU", 50), ("CO-1", "EU", 20)):
        demand = (level + np.arange(36)) * (1 + 0.3 * np.sin(2 * np.pi * months.month.to_numpy() / 12)) + rng.normal(0, level / 20, 36)
        rows.append(pd.DataFrame({"item": item, "location": place, "month": months, "demand": demand, "demand_raw": demand, "returns": 0.0, "shipped": demand,
                                  "revenue": 10 * demand, "days_out": 0.0, "censored": False, "learned": demand, "outlier": np.nan, "level_shift": np.nan}))
    out = pd.concat(rows, ignore_index=True)
    out_of_stock = (out["item"] == "TE-1") & (out["location"] == "EU") & (out["month"] == "2025-12-01")
    one_off = (out["item"] == "TE-1") & (out["location"] == "US") & (out["month"] == "2026-03-01")
    out.loc[out_of_stock, ["demand_raw", "censored"]] = [40.0, True]
    out.loc[one_off, "outlier"] = 77.0
    out.loc[one_off, "learned"] -= 77.0
    return out


@pytest.fixture(scope="module")
def known() -> dict:
    """The tables of a cycle as 02 has them."""
    history = _history()
    patterns = history[KEY].drop_duplicates().assign(pattern="smooth", abc="A", xyz="X")
    tested = forecast.backtest(history, segments=patterns, items=ITEMS, horizon=6, origins=4)
    scores = forecast.choose(tested, lags=[1, 2, 3], segments=patterns)
    ahead = forecast.baseline(history, scores, tested, months=MONTHS)
    new = ahead[(ahead["item"] == "TE-2")].assign(item="NW-1", baseline=5.0, lo80=1.0, hi80=9.0, lo95=0.0, hi95=12.0)
    ahead = pd.concat([ahead, new, new.assign(location="US")], ignore_index=True)
    plan = ahead[[*KEY, "month", "baseline"]].assign(events=0.0, pipeline=0.0, leads=0.0, sales=2.0, override=0.0)
    plan["consensus"] = plan["baseline"] + 2
    plan = plan.assign(price=10.0, revenue=plan["consensus"] * 10, margin=plan["consensus"] * 4)
    past = pd.concat([plan.assign(cycle=frames.month(c), month=plan["month"] - pd.DateOffset(months=n)) for c, n in (("2026-05", 2), ("2026-06", 1))], ignore_index=True)
    events = frame("event name kind start end level key location effect", "E1 Promo promotion 2026-02-10 2026-03-01 item TE-1 EU 0.2",
                   "E2 Fair promotion 2026-08-01 2026-08-05 family drinks all 0.1", "E3 Other promotion 2026-08-01 2026-08-05 item CO-1 all 0.1")  # fmt: skip
    return {"items": ITEMS, "history": history, "plan": plan, "forecast": ahead, "tested": tested, "scores": scores, "segments": patterns,
            "past_plans": past, "events": events, "months": MONTHS}


def text(one: closeup.Closeup) -> str:
    return closeup_page.show(one, months=MONTHS, lags=[1, 2], locations={"EU": "Europe"}).text


# --- which item -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["TE-2", " te-2 ", "Green tea", "GREEN TEA"])
def test_a_code_or_a_name_in_any_case_is_found(known, typed):
    assert closeup.take(typed, **known).item == "TE-2"


def test_nothing_typed_is_the_item_with_most_money_at_all_its_locations(known):
    one = closeup.take("", **known)
    assert (one.item, one.location, one.places) == ("TE-1", "all", ["US", "EU"])


def test_an_unknown_item_is_answered_with_the_nearest(known):
    """Those that hold the word come first, then look-alikes."""
    assert closeup.take("tea", **known).item == "TE-1", "a whole name"
    one = closeup.take("TEE-2", **known)
    assert one.item == "" and one.near[0] == ("TE-2", "Green tea")
    assert closeup.take("een", **known).near[0][0] == "TE-2"
    assert "No item is called TEE-2. Type one of these into item in the first cell: TE-2 Green tea" in text(one)
    assert text(closeup.take("qqqqqq", **known)) == "No item is called qqqqqq. No item has a code or a name like it: look at the item master, and type one into item in the first cell."


def test_an_unknown_location_is_answered_with_those_there_are(known):
    one = closeup.take("TE-1", "Mars", **known)
    assert text(one) == "Tea (TE-1) is not sold or planned at Mars. Type one of its locations into location in the first cell: US, Europe."
    assert closeup.take("TE-1", "eu", **known).location == "EU"
    assert closeup.take("TE-1", "europe", names={"EU": "Europe"}, **known).location == "EU", "the name that the page gives it"


# --- what is known of it --------------------------------------------------------------------------------------------


def test_all_locations_are_the_sum_of_each(known):
    whole, parts = closeup.take("TE-1", **known), [closeup.take("TE-1", place, **known) for place in ("EU", "US")]
    for table, columns in (("history", ["demand", "revenue"]), ("plan", ["baseline", "consensus", "revenue", "margin", "last", "year_ago"])):
        added = sum(getattr(part, table)[columns].to_numpy() for part in parts)
        assert getattr(whole, table)[columns].to_numpy() == pytest.approx(added, nan_ok=True)
    assert whole.models["chosen"].sum() == 2 and set(whole.models["series"]) <= {1, 2}
    single = closeup.take("TE-1", "EU", **known)
    mine = known["scores"].query("item == 'TE-1' and location == 'EU'")
    assert single.backtest["wape"] == pytest.approx(mine.loc[mine["chosen"], "wape"].iloc[0])
    assert dict(zip(single.models["model"], single.models["wape"], strict=True)) == pytest.approx(dict(zip(mine["model"], mine["wape"], strict=True)))


def test_one_location_keeps_its_own_band_and_several_take_the_band_of_their_total(known):
    one, whole = closeup.take("TE-1", "EU", **known), closeup.take("TE-1", **known)
    own = known["forecast"].query("item == 'TE-1' and location == 'EU'")
    assert one.plan["hi80"].tolist() == own["hi80"].tolist()
    mine = {name: known[name][known[name]["item"] == "TE-1"] for name in ("forecast", "tested")}
    assert whole.plan["hi80"].tolist() == forecast.family_bands(mine["forecast"], mine["tested"])["hi80"].tolist()


def test_what_happened_is_marked_in_its_month(known):
    marks = closeup.take("TE-1", **known).marks
    told = {(f"{row.month:%Y-%m}", row.kind): row.units for row in marks.itertuples()}
    raw = known["history"].query("item == 'TE-1' and location == 'EU'").set_index("month")["demand"]["2025-12-01"]
    assert told[("2025-12", "censored")] == pytest.approx(raw - 40)
    assert told[("2026-03", "outlier")] == pytest.approx(-77)
    assert {key for key in told if key[1] == "event"} == {("2026-02", "event"), ("2026-08", "event")}, "its own and its family's, not another item's"
    assert ("2026-02", "event") not in {(f"{row.month:%Y-%m}", row.kind) for row in closeup.take("TE-1", "US", **known).marks.itertuples()}


def test_earlier_plans_are_judged_at_the_lags_asked_for(known):
    """The plan of May 2026 said June at lag 2; the cycle of June said it at lag 1."""
    one = closeup.take("TE-1", "EU", **known)
    june = one.history.set_index("month")["demand"]["2026-06-01"]
    said = one.versions.set_index(["cycle", "month"])["consensus"]
    error = said[("2026-05-01", "2026-06-01")] - june
    assert closeup.record(one, lags=[2]) == pytest.approx({"wape": abs(error) / june, "bias": error / june, "months": 1})
    assert closeup.record(one, lags=[6])["months"] == 0


# --- decomposition --------------------------------------------------------------------------------------------------


def test_parts_add_up_and_a_pure_season_is_all_season():
    """100 and ±50 in turn over four years: the trend is 100, nothing is left over."""
    months = frames.months("2022-01", 48)
    past = pd.DataFrame({"month": months, "learned": 100 + 50 * np.where(months.month <= 6, 1.0, -1.0)})
    parts = closeup.decompose(past)
    assert parts["remainder"].abs().max() < 1e-6 and parts["trend"].to_numpy() == pytest.approx(100, abs=1e-6)
    found = closeup.strength(parts)
    assert (found["season"], found["year"], found["low"], found["high"]) == pytest.approx((1, 0, -0.5, 0.5), abs=1e-6)


def test_a_season_that_is_no_more_than_chance_is_not_told(known):
    one = closeup.take("TE-1", **known)
    weak = dataclasses.replace(one, strength={**one.strength, "season": 0.01, "calendar": 0.0})
    sure = dataclasses.replace(one, strength={**one.strength, "season": 0.5, "calendar": 0.0})
    assert "no season can be told from chance" in closeup_page._parts(weak, "s").alt and "the season moves it" in closeup_page._parts(sure, "s").alt


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=24, max_size=60))
def test_whatever_was_sold_is_trend_and_season_and_remainder(values):
    past = pd.DataFrame({"month": frames.months("2020-01", len(values)), "learned": values})
    parts = closeup.decompose(past)
    assert parts[closeup.PARTS].sum(axis=1).to_numpy() == pytest.approx(np.array(values), rel=1e-9, abs=1e-6)
    assert np.isfinite(parts[closeup.PARTS].to_numpy()).all()


def test_a_holiday_that_moves_is_a_part_of_its_own_and_not_season():
    """100 a month, doubled by Lebaran in May 2022, April 2023, March 2024 and March 2025."""
    months = frames.months("2022-01", 48)
    factor = pd.Series(1.0, months)
    factor[pd.to_datetime(["2022-05-01", "2023-04-01", "2024-03-01", "2025-03-01"])] = 2.0
    past = pd.DataFrame({"month": months, "learned": 100 * factor.to_numpy()})
    parts = closeup.decompose(past, factor=factor).set_index("month")
    assert parts["calendar"].to_dict() == (100 * (factor - 1)).to_dict()
    assert parts[["season", "remainder"]].abs().max().max() < 1e-6
    assert closeup.strength(parts.reset_index())["calendar"] == pytest.approx(1.0)
    assert closeup.decompose(past)["season"].abs().max() > 1, "not told, it is taken for season"


def test_less_than_two_seasons_cannot_be_told_apart():
    past = pd.DataFrame({"month": frames.months("2025-01", 23), "learned": 1.0})
    assert closeup.decompose(past).empty and closeup.decompose(past, season=1).empty


# --- as it is read --------------------------------------------------------------------------------------------------


def test_the_page_has_a_sentence_two_charts_and_three_tables(known):
    page = closeup_page.show(closeup.take("TE-1", "EU", **known), months=MONTHS, lags=[1, 2, 3])
    kinds = [type(part).__name__ for part in page.parts]
    assert kinds == ["Sentence", "Figure", "Table", "Figure", "Table", "Table"] and all(part.shut for part in page.parts if hasattr(part, "shut"))
    bundle = page._repr_mimebundle_()
    assert bundle["text/html"].count("<figure") == 2 and "out of stock, corrected" in bundle["text/html"]
    assert bundle["text/plain"].startswith("Tea (TE-1, EU): ")


@pytest.mark.parametrize(("item", "said"), [
    ("NW-1", "It has no demand of its own yet. While young it follows TE-1."), ("BX-1", "Box (BX-1) has neither demand nor a plan.")])
def test_an_item_without_history_or_plan_is_told_so(known, item, said):
    one = closeup.take(item, **known)
    assert said in text(one)
    if item == "NW-1":
        assert one.plan["hi80"].tolist() == [18.0] * 6, "nothing was tested: both locations right, or wrong, at once"


def test_an_ended_item_has_a_history_and_no_plan(known):
    gone = {**known, "plan": known["plan"][known["plan"]["item"] != "CO-1"], "forecast": known["forecast"][known["forecast"]["item"] != "CO-1"],
            "items": ITEMS.assign(successor=["", "", "TE-2", "", ""])}
    said = text(closeup.take("CO-1", **gone))
    assert "nothing is planned from July 2026 to December 2026" in said and "carried on by TE-2" in said


def test_a_company_without_plan_memory_or_events_still_gets_its_page(known):
    bare = {**known, "past_plans": None, "events": None, "segments": None}
    assert "No earlier plan of it can be judged yet." in text(closeup.take("TE-1", **bare))
    nothing = {name: table.iloc[:0] if isinstance(table, pd.DataFrame) else table for name, table in known.items()}
    assert text(closeup.take("", **nothing)) == "There is no plan and no item was named."


def test_the_inputs_are_left_alone(known):
    before = {name: table.copy() for name, table in known.items() if isinstance(table, pd.DataFrame)}
    text(closeup.take("TE-1", **known))
    for name, table in before.items():
        pd.testing.assert_frame_equal(known[name], table)


def test_a_name_cannot_be_markup(known):
    evil = {**known, "items": ITEMS.assign(name=["<b>x", *ITEMS["name"][1:]])}
    assert "<b>x" not in closeup_page.show(closeup.take("TE-1", **evil), months=MONTHS, lags=[1]).html


# --- the charts -----------------------------------------------------------------------------------------------------


def test_a_chart_of_nothing_says_so(known):
    one = closeup.take("TE-1", **known)
    empty = charts.item_history(one.history.iloc[:0], one.plan.iloc[:0], title="t", name="n")
    assert "No data" in empty.alt and empty.wide == ""
    assert "No data" in charts.decomposition(one.parts.iloc[:0], title="t", name="n").alt


def test_the_key_names_what_is_drawn_and_nothing_else(known):
    one = closeup.take("TE-1", **known)
    drawn = charts.item_history(one.history, one.plan, marks=one.marks, versions=one.versions, title="t", name="n")
    assert all(word in drawn.wide for word in ("out of stock", "one-off month", "event", "earlier plans")) and "new level" not in drawn.wide
    plain = charts.item_history(one.history, one.plan, title="t", name="n")
    assert "earlier plans" not in plain.wide and "event" not in plain.wide


def test_a_band_far_above_all_lines_is_cut_and_its_end_told(known):
    one = closeup.take("TE-1", "EU", **known)
    wild = one.plan.assign(hi80=np.where(one.plan.index == 5, 1e6, one.plan["hi80"]))
    shown, usual = (charts.item_history(one.history, plan, title="t", name="n").wide for plan in (wild, one.plan))
    assert "band up to 1,000,000" in shown and "band up to" not in usual
