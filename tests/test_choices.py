"""Decisions framed: answers side by side with what follows, what is not known said so, and no money counted twice."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import asked as asking
from sopnb import choices, frames, meeting_page, minutes_form, supply, words

DAY = "2026-10-08"
HIRING = frame("month reps target capacity gap hires hired", "2026-11 10 100 100 0 0 100", "2026-12 9.8 104 100 -4 1 101", "2027-01 9.6 104 100 -4 0 102", "2027-02 9.4 101 100 -1 0 103",
               "2027-03 9 130 100 -30 1 112")
PLAN = frame("item location month revenue margin", "A EU 2026-12 100 25")
GAP = frame("family month plan budget gap", "Tea 2026-10 90 100 -10", "Oil 2026-11 96 100 -4")
CLOSING = pd.DataFrame({"kind": ["won", "renewed", "cut"], "name": ["OP1", "EV1", "o"], "owner": ["p01", None, "p02"], "amount": [6.0, 2.0, 5.0], "care": ["new", "new", "opinion"],
                        "values": [{"account": "Mitra", "family": "Tea"}, {"event": "Leaflet"}, {"n": 3}]})


def exceptions(*rows: tuple) -> pd.DataFrame:
    df = pd.DataFrame(rows, columns=["id", "kind", "item", "location", "resource", "first", "units", "amount", "overlap"])
    return frames.conform(df.assign(first=pd.to_datetime(df["first"]), last=pd.to_datetime(df["first"]), because=None, values="{}", group=df["id"]), frames.EXCEPTIONS)


def options(*rows: tuple) -> pd.DataFrame:
    """group, option, title, values, keeps, gains, costs, service, recommended"""
    df = pd.DataFrame(rows, columns=["exception", "option", "title", "values", "keeps", "gains", "costs", "service", "recommended"])
    return frames.conform(df.assign(net=df["gains"] - df["costs"], title="options." + df["title"], values=[json.dumps(v) for v in df["values"]]), frames.OPTIONS)


OVEN = exceptions(("overload-Oven-202612", "overload", None, None, "Oven", "2026-12", 20, 60, 0.0))
CURED = options(("overload-Oven-202612", "A", "pull_forward", {"hours": 20}, 60, 24, 2, 1.0, True), ("overload-Oven-202612", "B", "subcontract", {"hours": 20}, 60, 24, 9, 1.0, False),
                ("overload-Oven-202612", "C", "ration", {"hours": 20}, 0, 24, 24, 0.8, False))
LOAD = frame("resource month hours goods", "Oven 2026-12 100 400")


# --- what follows ---------------------------------------------------------------------------------------------------

def test_hires_are_answered_now_later_and_not_at_all():
    """Hired in December they sell 1, 2, 3 to February, of which the plan asks for 1 + 2 + 1 = 4; a month later 0 + 1 + 1 = 2. A quarter is margin; three months at 0.2 cost 0.6, two 0.4."""
    asked = asking.asked(None, decides={}, meeting_day=DAY, hiring=HIRING)
    assert asked["amount"].tolist() == [4.0]
    found = choices.choices(asked, hiring=HIRING, plan=PLAN, rep_cost=0.2)
    assert found["keeps"].tolist() == [4.0, 2.0, 0.0] and found["gains"].tolist() == [1.0, 0.5, 0.0]
    assert found["costs"].round(6).tolist() == [0.6, 0.4, 0.0] and found["net"].round(6).tolist() == [0.4, 0.1, 0.0]
    assert found["people"].round(6).tolist() == [0.4, 0.4, -0.6], "six tenths of a rep leave to February, one is hired"
    assert found["nothing"].tolist() == [False, False, True] and found["recommended"].tolist() == [True, False, False]
    assert json.loads(found["reason_values"][0])["lost"] == 2.0 and json.loads(found["reason_values"][0])["missed"] == 30.0
    assert "waiting a month loses USD 2 by February 2027; from March 2027 to March 2027 the plan asks for USD 30 more" in words.message(found["reason"][0], found["reason_values"][0]).text


def test_hires_that_the_plan_needs_only_later_have_no_money_of_these_months():
    """Nothing is missing to February: what is at stake is not known, not zero; the offer goes out on a working day."""
    calm = HIRING.assign(target=[100, 100, 100, 100, 130])
    asked = asking.asked(OVEN, CURED, decides={}, meeting_day=DAY, hiring=calm, recruiting_months=1)
    assert asked["kind"].tolist() == ["overload", "hiring"] and np.isnan(asked["amount"][1]) and asking.at_stake(asked) == 60
    assert f"{asked['by'][1]:%a %Y-%m-%d}" == "Fri 2026-10-30", "1 November is a Sunday"
    assert "the plan needs what they sell after February 2027" in words.message("meeting.more_hiring_later", asked["values"][1]).text
    found = choices.choices(asked, CURED, hiring=calm, plan=PLAN, rep_cost=0.2)
    assert found["reason"].dropna().tolist() == ["choices.reason_sales", "choices.reason_hire_later"]
    assert "What follows from each answer" in meeting_page.framed(asked, found, names={}, cycle="2026-10").text


def test_what_a_hire_costs_is_not_known_and_never_zero():
    found = choices.choices(asking.asked(None, decides={}, meeting_day=DAY, hiring=HIRING), hiring=HIRING, plan=PLAN)
    assert found["costs"].isna().tolist() == [True, True, False] and found["net"].isna().tolist() == [True, True, False]
    assert meeting_page.shown("costs", found["costs"][0]) == "not known" and meeting_page.shown("stock", found["stock"][0]) == "not known"
    without = choices.choices(asking.asked(None, decides={}, meeting_day=DAY, hiring=HIRING), hiring=HIRING)
    assert np.isnan(without["gains"][0]), "nor is the margin, where nothing is planned"


def test_a_gap_to_budget_is_answered_by_named_actions_a_new_forecast_or_nothing():
    """Fourteen are missing; eight are new money, of which a quarter is margin; what the actions cost nobody knows."""
    asked = asking.asked(None, decides={}, meeting_day=DAY, gap=GAP)
    found = choices.choices(asked, closing=CLOSING, plan=PLAN)
    assert found["title"].tolist() == ["choices.close", "choices.reforecast"] and found["nothing"].tolist() == [False, True], "to change nothing brings the same as to accept the plan"
    assert found["keeps"].tolist() == [8.0, 0.0] and found["gains"].tolist() == [2.0, 0.0] and np.isnan(found["costs"][0])
    assert words.message(found["title"][0], found["values"][0]).text == "Start the named actions (2): USD 8 that the plan lacks"
    assert words.message(found["reason"][0], found["reason_values"][0]).text == "it is new money, 57% of the gap; the other USD 6 is accepted as forecast. The largest: win Mitra (Tea), USD 6"
    doubtful = choices.choices(asked, closing=CLOSING.iloc[2:], plan=PLAN)
    assert doubtful["title"].tolist()[0] == "choices.close_doubtful" and doubtful["recommended"].tolist() == [False, True]
    assert choices.choices(asked, closing=CLOSING.iloc[:0], plan=PLAN)["title"].tolist() == ["choices.reforecast", "choices.no_change"]
    assert choices.choices(asked)["recommended"].tolist() == [True, False], "without a search for actions too"


def test_an_answer_that_brings_the_same_as_doing_nothing_stands_once():
    def row(option, title, keeps, **more):
        return {"option": option, "title": title, "values": "{}", "keeps": keeps, "costs": 0.0, "net": keeps, "service": None, "stock": 0.0, "people": 0.0, "gains": 0.0, "recommended": option == "A", **more}

    answers = [row("A", "choices.close", 5.0), row("B", "choices.reforecast", 0.0), row("C", "choices.no_change", 0.0, nothing=True)]
    assert [(o["option"], o.get("nothing", False)) for o in choices.distinct(answers)] == [("A", False), ("B", True)]
    assert choices.distinct([answers[0], row("B", "choices.reforecast", 1.0), answers[2]])[2]["option"] == "C", "what brings something else stays"
    assert [o["option"] for o in choices.distinct([answers[0], {**answers[1], "recommended": True}, answers[2]])] == ["A", "B"] and "nothing" not in choices.distinct(
        [{**answers[0], "recommended": False}, {**answers[1], "recommended": True}, answers[2]])[1], "the recommended answer is no measure of itself"
    unknown = [{**answers[0]}, *({**one, **dict.fromkeys(choices.COMPARED)} for one in answers[1:])]
    assert len(choices.distinct(unknown)) == 3, "what nobody knows cannot be compared"


def test_every_page_form_and_mail_names_the_same_answers():
    """The form of minutes, the table of the meeting and the front page take them from one table."""
    asked = asking.asked(None, decides={}, meeting_day=DAY, gap=GAP)
    found = choices.choices(asked, closing=CLOSING, plan=PLAN)
    form = minutes_form.prefilled(None, asked, None, cycle="2026-10", meeting_day=DAY, choices=found)["decisions"][0]["(options)"]
    table = meeting_page.framed(asked, found, names={}, cycle="2026-10").text
    for text in (form, table):
        assert "B: Accept the plan as forecast" in text or "B (as it is): Accept the plan as forecast" in text
        assert "Change nothing" not in text


def test_the_actions_win_no_more_than_the_gap():
    asked = asking.asked(None, decides={}, meeting_day=DAY, gap=GAP)
    assert choices.choices(asked, closing=CLOSING.assign(amount=[60.0, 2.0, 5.0]), plan=PLAN)["keeps"][0] == 14.0


def test_goods_made_earlier_lie_in_stock_and_nobody_is_hired():
    """Twenty hours at 400 / 100 of goods an hour: 80 lie in stock."""
    found = choices.choices(asking.asked(OVEN, CURED, decides={}, meeting_day=DAY), CURED, load=LOAD)
    assert found["stock"].tolist() == [80.0, 0.0, 0.0] and found["people"].tolist() == [0.0, 0.0, 0.0]
    assert json.loads(found["reason_values"][0]) == {"net": 22.0, "costs": 2.0, "more": 7.0, "second": "B"}
    assert np.isnan(choices.choices(asking.asked(OVEN, CURED, decides={}, meeting_day=DAY), CURED)["stock"][0]), "without hours nobody knows what lies in stock"


def test_stock_that_is_sold_or_written_off_is_no_longer_there():
    much = exceptions(("excess-B", "excess", "B", "EU", None, "2026-10", 10, 50, 0.0))
    told = options(("excess-B", "A", "carry", {"units": 10}, 0, 0, 5, None, True), ("excess-B", "B", "promote", {"units": 10, "discount": 0.2}, 40, 0, 12, None, False),
                   ("excess-B", "C", "stop_orders", {"units": 4}, 0, 0, 7, None, False))
    found = choices.choices(asking.asked(much, told, decides={}, meeting_day=DAY), told)
    assert found["stock"].tolist() == [0.0, -50.0, -20.0] and found["people"].isna().all() and found["nothing"].tolist() == [True, False, False]
    assert "costs USD 2 less in all than C" in words.message(found["reason"][0], found["reason_values"][0]).text


def test_leaving_it_as_it_is_is_always_among_the_answers():
    """Nobody can wait for a component, so supply has no such answer; what then follows is not known, not nothing."""
    part = exceptions(("short-G-EU-202612", "short", "G", "EU", None, "2026-12", 5, 9, 0.0))
    told = options(("short-G-EU-202612", "A", "expedite", {"units": 5}, 0, 0, 1, 1.0, True))
    found = choices.choices(asking.asked(part, told, decides={}, meeting_day=DAY), told)
    assert found["title"].tolist() == ["options.expedite", "choices.nothing"] and found["nothing"].tolist() == [False, True]
    assert found.loc[1, ["keeps", "gains", "costs", "net"]].isna().all()


def test_a_place_is_called_by_its_name():
    told = options(("overload-Oven-202612", "A", "transfer", {"units": 5, "source": "MDN"}, 0, 0, 1, 1.0, True))
    found = choices.choices(asking.asked(OVEN, told, decides={}, meeting_day=DAY), told, locations={"MDN": "Medan"})
    assert words.message(found["title"][0], found["values"][0]).text == "Move 5 units from Medan"


def test_the_recommended_answer_stands_beside_the_question():
    asked = asking.asked(OVEN, CURED, decides={}, meeting_day=DAY, gap=GAP)
    both = choices.recommended(asked, choices.choices(asked, CURED, closing=CLOSING, plan=PLAN))
    assert dict(zip(both["exception"], both["recommended"], strict=True)) == {"overload-Oven-202612": "A", "budget": "A"}


def test_one_way_to_say_that_nothing_changes():
    assert set(supply.NOTHING) <= set(choices.NOTHING)


def test_every_answer_and_reason_has_its_words():
    asked = asking.asked(OVEN, CURED, decides={}, meeting_day=DAY, gap=GAP, hiring=HIRING)
    found = choices.choices(asked, CURED, closing=CLOSING, plan=PLAN, hiring=HIRING, load=LOAD)
    for row in found.to_dict("records"):
        assert "–" not in words.message(row["title"], row["values"]).text
        assert row["reason"] is None or "–" not in words.message(row["reason"], row["reason_values"]).text
    assert found.groupby("decision")["recommended"].sum().tolist() == [1, 1, 1] and found.groupby("decision")["nothing"].any().all()


# --- money once -----------------------------------------------------------------------------------------------------

def test_sales_that_neither_reps_nor_hours_allow_count_once():
    """The oven lacks hours for 60 in December; of the hires' 1 + 2 + 1 the one of December may be the same sale."""
    asked = asking.asked(OVEN, CURED, decides={}, meeting_day=DAY, hiring=HIRING, gap=GAP)
    assert dict(zip(asked["kind"], asked["overlap"], strict=True)) == {"overload": 0.0, "budget": 0.0, "hiring": 1.0}
    assert asking.at_stake(asked) == 60 + 14 + 4 - 1


def test_goods_in_two_exceptions_count_once():
    two = exceptions(("overload-Oven-202612", "overload", None, None, "Oven", "2026-12", 20, 60, 0.0), ("short-A-EU-202612", "short", "A", "EU", None, "2026-12", 20, 25, 25.0))
    assert asking.at_stake(asking.asked(two, decides={}, meeting_day=DAY)) == 60


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 90), st.floats(0, 1)), max_size=5), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=5, max_size=5))
def test_at_stake_lies_between_the_largest_amount_and_the_sum(rows: list, months: list):
    """Overlaps never exceed what they are taken from, and no month's hires are taken off twice."""
    span = frames.months("2026-11", 5)
    found = exceptions(*((f"short-{i}-{span[m]:%Y%m}", "short", f"i{i}", "EU", None, span[m], 1, amount, amount * share) for i, (m, amount, share) in enumerate(rows))) if rows else None
    hiring = pd.DataFrame({"month": span, "reps": 10.0, "target": [100.0 + short for short, _ in months], "capacity": 100.0, "gap": [-float(short) for short, _ in months],
                           "hires": [0, 1, 0, 0, 0], "hired": [100.0 + (more if i else 0) for i, (_, more) in enumerate(months)]})
    asked = asking.asked(found, decides={}, meeting_day=DAY, hiring=hiring, least_share=0.0, most=9)
    assert (asked["overlap"] >= 0).all() and (asked["overlap"] <= asked["amount"].fillna(0.0) + 1e-9).all()
    assert asking.at_stake(asked) <= asked["amount"].sum() + 1e-9
    hires = asked[asked["kind"] == "hiring"]
    selling = asked[asked["kind"] == "short"]
    assert hires.empty or float(hires["overlap"].sum()) <= float((selling["amount"] - selling["overlap"]).sum()) + 1e-6


def test_the_inputs_stay_as_they_were():
    before = [table.copy() for table in (OVEN, CURED, HIRING, GAP, CLOSING, LOAD)]
    asked = asking.asked(OVEN, CURED, decides={}, meeting_day=DAY, gap=GAP, hiring=HIRING)
    choices.choices(asked, CURED, closing=CLOSING, plan=PLAN, hiring=HIRING, load=LOAD)
    for table, was in zip((OVEN, CURED, HIRING, GAP, CLOSING, LOAD), before, strict=True):
        pd.testing.assert_frame_equal(table, was)


# --- as it is read --------------------------------------------------------------------------------------------------

def test_the_page_names_what_is_not_known_and_who_decides():
    asked = asking.asked(OVEN, CURED, decides={"overload": ["Chief"]}, meeting_day=DAY, gap=GAP)
    found = choices.choices(asked, CURED, closing=CLOSING, plan=PLAN, load=LOAD)
    text = meeting_page.framed(asked, found, names={"Chief": "Dewi"}, cycle="2026-10").text
    assert "Take A: Make it earlier: 20 hours in months with slack. Why: it brings USD 22 after all costs, USD 7 more than B. Dewi decides by Friday 30 October." in text
    assert "Nobody is entitled to decide this; it is due by Thursday 8 October." in text and "Not known: service after" in text
    assert "C (as it is): Leave 20 hours of work undone" in text
    said = meeting_page.decisions(asked, found, names={}, cycle="2026-10").text
    assert "2 decisions are asked for, with USD 74 at stake" in said and "Nobody is entitled to decide this" in said


@pytest.mark.parametrize("empty", [True, False])
def test_without_decisions_or_answers_the_page_says_so(empty: bool):
    asked = asking.asked(None if empty else OVEN, decides={}, meeting_day=DAY)
    found = choices.choices(asked)
    assert (meeting_page.decisions(asked, found, names={}, cycle="2026-10").text == "No decision is asked for.") is empty
    assert meeting_page.framed(asked, found, names={}, cycle="2026-10").text == ("There is nothing to choose between." if empty else "Not available: options.")
