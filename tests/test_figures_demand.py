"""Figures of the demand page: what is drawn is what the table says, nothing is drawn of nothing, and words tell the latest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame

from sopnb import blocks, change_page, charts, demand_page, figures_page, frames, words

MONTHS = frames.months("2026-10", 3)
SCOPE = blocks.Scope("2026-10", pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01"), MONTHS, MONTHS, 3, [1, 2, 3])


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


def _plan(**streams: list[float]) -> pd.DataFrame:
    none = {name: [0.0, 0.0, 0.0] for name in figures_page.PEOPLE}
    return pd.DataFrame({"item": "A", "location": "EU", "month": MONTHS, **none, **streams})


def drawn(monkeypatch, form: str) -> list[dict]:
    """What a page hands to a form of sopnb.charts: the table it draws."""
    seen: list[dict] = []
    real = getattr(charts, form)

    def look(table, *more, **given):
        seen.append({"table": table, "more": more, **given})
        return real(table, *more, **given)

    monkeypatch.setattr(charts, form, look)
    return seen


# --- streams --------------------------------------------------------------------------------------------------------


def test_streams_are_drawn_as_the_plan_has_them_the_largest_first(monkeypatch):
    """Sales move 30 + 40 up and down, events 5: added up by month over items; the others move nothing and are not drawn."""
    seen = drawn(monkeypatch, "small_multiples")
    plan = pd.concat([_plan(sales=[10.0, -40.0, 20.0], events=[0.0, 5.0, 0.0]), _plan(sales=[20.0, 0.0, 0.0]).assign(item="B")])
    figure = figures_page.streams(plan, SCOPE)
    table = seen[0]["table"]
    assert list(dict.fromkeys(table["stream"])) == ["sales", "events"]
    assert table.loc[table["stream"] == "sales", "units"].tolist() == [30.0, -40.0, 20.0] == plan.groupby("month")["sales"].sum().tolist()
    assert figure.title.text == "Largest beside the baseline: Sales forecast, −40 units in November 2026 alone"
    assert "Sales forecast 20" in figure.alt and "Events 0" in figure.alt


def test_only_the_months_spoken_about_are_drawn_and_nothing_of_nothing(monkeypatch):
    seen = drawn(monkeypatch, "small_multiples")
    near = blocks.Scope("2026-10", SCOPE.origin, SCOPE.as_of, MONTHS, MONTHS[:2], 3, [1])
    figures_page.streams(_plan(override=[1.0, 2.0, 90.0]), near)
    assert seen[0]["table"]["units"].tolist() == [1.0, 2.0]
    assert figures_page.streams(_plan(), SCOPE) is None and figures_page.streams(_plan(override=[0.0, 0.0, 9.0]), near) is None
    assert figures_page.streams(_plan().iloc[:0], SCOPE) is None


# --- deals by stage -------------------------------------------------------------------------------------------------


def test_stages_add_up_the_deals_the_stage_of_the_youngest_first(monkeypatch):
    seen = drawn(monkeypatch, "funnel")
    deals = frame("stage amount expected age_days", "offer 300 200 60", "lead 100 20 5", "lead 50 10 15", "offer 100 50 80")
    figure = figures_page.stages(deals, SCOPE)
    assert seen[0]["table"][["stage", "amount", "expected"]].to_numpy().tolist() == [["lead", 150, 30], ["offer", 400, 250]]
    assert seen[0]["table"]["amount"].sum() == deals["amount"].sum() and seen[0]["table"]["note"].tolist() == ["USD 30", "USD 250"]
    assert figure.title.text == "Most of the open deals stand at offer: USD 400, of which USD 250 is expected" and "USD 150" in figure.alt
    assert figures_page.stages(None, SCOPE) is None and figures_page.stages(deals.iloc[:0], SCOPE) is None


# --- how far each plan was off --------------------------------------------------------------------------------------


def test_the_triangle_is_plan_over_demand_and_leaves_out_what_is_not_known(monkeypatch):
    seen = drawn(monkeypatch, "heatmap")
    made = frame("cycle month consensus demand", "2026-06-01 2026-06-01 110 100", "2026-06-01 2026-07-01 60 80", "2026-07-01 2026-07-01 84 80", "2026-07-01 2026-10-01 90 -")
    figure = figures_page.triangle(made)
    table = seen[0]["table"]
    assert table["error"].tolist() == pytest.approx([0.1, -0.25, 0.05]) and table["made"].tolist() == ["Jun 26", "Jun 26", "Jul 26"]
    assert figure.title.text == "The plan was furthest off for July 2026, made in June 2026: −25.0% of demand" and "−25.0%" in figure.alt
    assert figures_page.triangle(made[made["demand"].isna()]) is None and figures_page.triangle(made.assign(demand=0.0)) is None


# --- to budget ------------------------------------------------------------------------------------------------------


def test_the_gap_to_budget_is_drawn_family_by_family_the_furthest_below_first(monkeypatch):
    seen = drawn(monkeypatch, "heatmap")
    gaps = frame("family month gap", "Tea 2026-10-01 5", "Tea 2026-11-01 2", "Box 2026-10-01 -4", "Box 2026-11-01 -9")
    figure = figures_page.to_budget(gaps)
    assert list(dict.fromkeys(seen[0]["table"]["family"])) == ["Box", "Tea"] and seen[0]["table"]["gap"].sum() == gaps["gap"].sum()
    assert figure.title.text == "Box in November 2026 is furthest below its budget: −USD 9" and figure.alt.endswith("highest USD 5 at Tea, October 2026; lowest −USD 9.")
    assert figures_page.to_budget(gaps[gaps["gap"] > 0]).title.text == "No family is below its budget in any month"
    assert figures_page.to_budget(None) is None and figures_page.to_budget(gaps.iloc[:0]) is None


def test_of_many_families_the_ten_with_the_largest_gap_are_drawn(monkeypatch):
    seen = drawn(monkeypatch, "heatmap")
    figures_page.to_budget(pd.DataFrame({"family": [f"F{n:02d}" for n in range(12)], "month": MONTHS[0], "gap": np.arange(12.0) - 3.5}))
    assert seen[0]["table"]["family"].tolist() == ["F00", "F01", "F02", *(f"F{n:02d}" for n in range(5, 12))], "the two nearest to their budget are left out"


# --- quotas ---------------------------------------------------------------------------------------------------------


def test_attainment_names_the_reps_the_lowest_first_and_leaves_out_those_without_a_quota(monkeypatch):
    seen = drawn(monkeypatch, "attainment")
    table = frame("rep sold quota attainment", "R1 80 100 0.8", "R2 30 60 0.5", "R3 90 60 1.5", "R4 10 0 -")
    figure = figures_page.attained(table, names={"R1": "Rosa"}, first=MONTHS[0], last=MONTHS[2])
    assert seen[0]["table"][["rep", "sold", "quota"]].to_numpy().tolist() == [["R2", 30, 60], ["Rosa", 80, 100], ["R3", 90, 60]]
    assert figure.title.text == "The reps reach 91% of their quotas; 2 of 3 are below their own" and "Rosa" in figure.alt
    assert figures_page.attained(None, names={}, first=MONTHS[0], last=MONTHS[2]) is None and figures_page.attained(table.tail(1), names={}, first=MONTHS[0], last=MONTHS[2]) is None


# --- the bridge, and what is marked ---------------------------------------------------------------------------------


def test_parts_too_small_to_be_seen_are_one_bar_and_the_bridge_still_adds_up():
    """Three parts of less than a hundredth of the largest, 0.5 − 0.2 + 0 = 0.3, stand together before the last total; one alone keeps its name."""
    bridge = frame("part amount total", "last 1000 True", "actuals 0.5 False", "events 100 False", "sales -60 False", "leads -0.2 False", "price 0 False", "this 1040.3 True")
    bridge = bridge.assign(total=bridge["total"] == "True")
    shown = change_page._drawn(bridge)
    assert shown["part"].tolist() == ["Last plan", "Events", "Sales forecast", "All other (3)", "This plan"]
    assert shown.loc[~shown["total"], "amount"].sum() == pytest.approx(40.3) and shown["amount"].tolist()[3] == pytest.approx(0.3)
    one = bridge[~bridge["part"].isin(["leads", "price"])]
    assert change_page._drawn(one)["part"].tolist() == ["Last plan", "Actuals in", "Events", "Sales forecast", "This plan"]


def test_a_plan_that_hardly_moved_is_said_to_be_almost_the_last():
    bridge = frame("part amount total", "last 1000000 True", "events 90 False", "sales -50 False", "this 1000040 True")
    told = change_page._moved(bridge.assign(total=bridge["total"] == "True")).text
    assert told == "The plan comes to USD 1.0 m, almost what last plan had (+USD 40). The largest parts: Events (+USD 90), Sales forecast (−USD 50)."


EVENTS = frame("event name kind start end", "E1 Lebaran_2027 holiday 2027-01-24 2027-03-30", "E2 Old promotion 2026-05-01 2026-05-20", "E3 New promotion 2026-11-05 2026-11-20", "E4 List price 2026-12-01 2026-12-31")


def test_holidays_are_marked_by_name_in_the_middle_of_their_weeks_and_planned_promotions_without():
    """Between 24 January and 30 March lies the end of February; the year goes from the name, since the axis has it."""
    events = EVENTS.assign(name=EVENTS["name"].str.replace("_", " "))
    marked = demand_page.marks(events, first=MONTHS[0])
    assert [name if isinstance(name, str) else None for name in marked["name"]] == ["Lebaran", None]
    assert [f"{start:%Y-%m}" for start in marked["start"]] == ["2027-02", "2026-11"]
    assert len(demand_page.marks(events)) == 3 and demand_page.marks(None) is None and demand_page.marks(events[events["kind"] == "price"]) is None


def test_marks_are_drawn_and_told_in_the_chart_of_demand():
    history = pd.DataFrame({"month": frames.months("2025-10", 12), "demand": 100.0})
    plan = pd.DataFrame({"month": frames.months("2026-10", 6), "consensus": [100.0, 110, 120, 130, 150, 90], "baseline": 100.0})
    marked = pd.DataFrame({"name": ["Lebaran <i>", None, "Lebaran"], "start": pd.to_datetime(["2026-03-10", "2026-11-05", "2031-01-01"])})
    figure = charts.demand_and_plan(history, plan, events=marked, name="d", title="Marked")
    bare = charts.demand_and_plan(history, plan, name="d", title="Marked")
    assert "Lebaran &lt;i&gt;" in figure.wide and "Lebaran" not in bare.wide and "<i>" not in figure.wide
    assert figure.alt.endswith("Marked: Lebaran <i> (March 2026)."), "named marks inside the months drawn"
    assert len(figure.wide) > len(bare.wide.replace("Marked", ""))


def test_a_lag_beside_the_last_one_is_not_written_where_the_two_would_touch():
    """Eleven lags: on a phone 10 would run into 11; wide there is room for both."""
    scores = pd.DataFrame({"stream": "plan", "lag": range(1, 12), "wape": 0.2})
    figure = charts.lag_accuracy(scores, name="lag", title="Lag")
    assert ">11<" in figure.narrow and ">10<" not in figure.narrow and ">8<" in figure.narrow
    assert ">11<" in figure.wide and ">10<" in figure.wide
