"""S&OP on a page: the numbers on it are the tables' numbers, and what is absent is said."""

from __future__ import annotations

import json
import re

import front_data as small
import pandas as pd
import pytest
from front_data import BN
from test_report import harmless

from sopnb import (
    bands,
    deliverable,
    frames,
    front,
    front_ground,
    front_headline,
    front_plan,
    report,
    words,
)


@pytest.fixture(autouse=True)
def rupiah():
    """The sentences of these tests are in English, about rupiah."""
    with words.speaking("en", "IDR"):
        yield


def facts(tables=None, past=None, **settings):
    return front.facts(small.tables() if tables is None else tables, small.past() if past is None else past,
                       **{"header": small.HEADER, "links": small.LINKS, "book": small.BOOK, **settings})


def test_totals_are_the_tables_totals():
    """540 bn planned, 528 bn in the last plan, 552 bn budgeted: 12 bn more, 12 bn short."""
    totals = facts()["totals"]
    assert totals["plan"] == 540 * BN and totals["last"] == 528 * BN and totals["budget"] == 552 * BN
    assert totals["change"] == 12 * BN and totals["gap"] == -12 * BN


def test_the_headline_names_cause_money_and_day():
    page = facts()
    assert page["headline"].text == "Biscuit oven is 318 hours short from January 2027: decide on Rp 12.3 bn of sales by 12 Oct"
    assert page["lead"][0].text == ("The plan for October 2026 to March 2027 is Rp 540.0 bn, Rp 12.0 bn more than last month’s plan "
                                    "for the same months and Rp 12.0 bn (2.2%) short of budget.")


@pytest.mark.parametrize(("without", "said"), [
    ({"asked"}, "Rp 15.8 bn of sales is at risk and Rp 1.0 bn of stock is too much; the largest case: Biscuit oven"),
    ({"asked", "exceptions"}, "The plan for October 2026 to March 2027 is Rp 12.0 bn (2.2%) short of budget"),
    ({"asked", "exceptions", "budget"}, "The plan for October 2026 to March 2027 rises by Rp 12.0 bn (2.3%) to Rp 540.0 bn"),
    ({"asked", "exceptions", "budget", "plan"}, "No plan was made in October 2026"),
])
def test_with_less_to_say_the_headline_says_the_next_thing(without, said):
    assert facts(small.tables(**dict.fromkeys(without)))["headline"].text == said


def test_a_first_plan_is_said_once_and_one_that_did_not_change_does_not_rise():
    """A young company: no last plan, no budget, no stock. The headline is the plan, so what follows is its units."""
    page = facts(small.tables(**dict.fromkeys(("asked", "exceptions", "budget", "changes", "projection"))), {})
    assert page["headline"].text == "The plan for October 2026 to March 2027 is Rp 540.0 bn"
    assert page["lead"][0].text.startswith("That is ") and page["lead"][0].text.endswith(" units.")
    same = {"decisions": None, "exceptions": None, "window": "October", "outlook": None, "totals": {"gap": None, "budget": None, "change": 1e5, "last": 540 * BN, "plan": 540 * BN, "units": 5.0}}
    assert front.headline(same, None).text == "The plan for October is Rp 540.0 bn"


def test_a_decision_of_no_known_kind_has_its_money_and_day_and_no_question_behind_a_colon():
    tables = small.tables()
    tables["asked"] = tables["asked"].assign(exception=None)
    assert facts(tables)["headline"].text == "2 decisions are asked for, the largest on Rp 12.3 bn: decide by 12 Oct"


HIRES = {"hires": 2, "first": "2027-01-01", "last": "2027-03-01", "amount": 3.2 * BN}
GAP = {"amount": 18.4 * BN, "share": .027, "first": "2026-10-01", "last": "2027-03-01", "family": "Biscuits", "family_amount": 8.1 * BN}
KINDS = [
    ("overload", {}, {"what": "Biscuit oven", "when": "in February 2027", "units": 77.0}), ("short", {}, {"what": "Chilli Sauce 340 ml, Surabaya,", "when": "in October 2026"}),
    ("late", {}, {"what": "Wheat flour, kg, Surabaya,", "when": "in October 2026"}), ("late", {}, {"what": "12 items", "many": True}),
    ("excess", {}, {"what": "Orange Syrup 600 ml, Jakarta,"}), ("excess", {}, {"what": "9 items", "many": True}), ("obsolete", {}, {"what": "Kopi Susu 165 g, Surabaya,"}),
    ("obsolete", {}, {"what": "69 items whose selling has ended", "many": True}), ("budget", GAP, {}), ("budget", {**GAP, "family_amount": 18.4 * BN}, {}),
    ("hiring", HIRES, {}), ("hiring", {**HIRES, "hires": 1}, {}), ("hiring", {**HIRES, "amount": 0.0}, {}), ("asked", {}, {}),
]


@pytest.mark.parametrize(("kind", "told", "cause"), KINDS)
def test_every_kind_of_decision_has_a_short_headline_that_says_no_amount_twice(kind, told, cause):
    """A phone shows a hundred letters in three or four lines; the question itself stands on the card."""
    amount = told.get("amount", 4.5 * BN)
    card = {"kind": kind, "told": told, "cause": {"kind": kind, **cause} if cause else {}, "amount": amount, "by": pd.Timestamp("2026-10-08"), "question": words.plain("How do we?")}
    said = front_headline.of([card]).text
    amounts = re.findall(r"Rp [\d.]+ \w+", said)
    assert len(said) <= 100 and "How do we" not in said and "by 8 Oct" in said and len(set(amounts)) == len(amounts) and (bool(amounts) or not amount), said


def test_what_a_question_rests_on_is_told_below_it():
    """A title ends at its question mark; the rest of what is stored with the question is the card's first sentence."""
    tables = small.tables()
    tables["asked"] = tables["asked"].head(1).assign(kind="budget", exception="budget", question="meeting.ask_budget", values=json.dumps(GAP))
    page = facts(tables)
    card = page["decisions"]["cards"][0]
    assert card["question"].text.endswith("?") and card["said"].text == "Biscuits alone is Rp 8.1 bn short."
    assert "short of budget" not in page["lead"][0].text and "the budget is Rp 552.0 bn" in page["lead"][0].text, "the headline has said the gap"


def test_the_cost_of_the_decisions_counts_every_recommended_answer():
    """1.6 bn for the hours and 0.2 bn for the promotion; where one is not known, the sentence says so."""
    tables = small.tables()
    assert facts(tables)["decisions"]["costs"] == pytest.approx(1.8 * BN)
    tables["options"] = tables["options"].assign(costs=tables["options"]["costs"].where(tables["options"]["exception"] == "E01"))
    assert facts(tables)["decisions"]["finding"].text.endswith("keep Rp 12.3 bn of sales for Rp 1.6 bn, as far as costs are known")


def test_the_plan_has_its_band_in_money_and_the_feasts_their_names(monkeypatch):
    """The total's band lies 20 % around the baseline of 100 units: around 50 of revenue it is 40 to 60."""
    tables = small.tables(forecast=None)
    ground = front_ground.Ground({"events": pd.DataFrame({"kind": ["holiday", "price"], "name": ["Lebaran 2027", "Prices"], "start": pd.to_datetime(["2027-01-24", "2027-01-01"]),
                                                          "end": pd.to_datetime(["2027-03-30", "2027-01-31"])})} | tables, {}, cycle=pd.Timestamp("2026-10-01"), window=6)
    feasts = front_plan._feasts(ground, pd.Timestamp("2026-10-01"))
    assert feasts["name"].tolist() == ["Lebaran"] and feasts["start"].iloc[0].month == 2
    planned = pd.DataFrame({"month": [pd.Timestamp("2026-10-01")], "revenue": [50.0]})
    assert front_plan._band(ground, planned) is None, "no forecast, no band"
    monkeypatch.setattr(bands, "family_bands", lambda forecast, tested: planned[["month"]].assign(baseline=100.0, lo80=80.0, hi80=120.0))
    known = front_ground.Ground({**ground.tables, "forecast": planned, "tested": planned}, {}, cycle=ground.cycle, window=6)
    assert front_plan._band(known, planned)[["lo80", "hi80"]].to_numpy().tolist() == [[40.0, 60.0]]


def test_changes_add_up_from_last_plan_to_this_one():
    changes = facts()["changes"]
    assert [(row["kind"], row["text"]) for row in changes["rows"]] == [
        ("last", "528.0"), ("part", "−6.0"), ("part", "+10.0"), ("part", "+8.0"), ("this", "540.0"), ("budget", "552.0")]
    assert changes["finding"].text == "The plan rose by Rp 12.0 bn; the largest part: events, +Rp 10.0 bn"
    ends = [row["after"] for row in changes["rows"] if row["kind"] in ("part", "this")]
    assert ends[-1] == ends[-2], "the last part ends where this plan stands"


def test_a_change_that_the_parts_do_not_explain_is_shown_and_not_hidden():
    tables = small.tables()
    tables["changes"] = tables["changes"][tables["changes"]["part"] != "pipeline"]
    rows = {row["label"]: row["text"] for row in facts(tables)["changes"]["rows"] if row["kind"] == "part"}
    assert rows == {"actuals in": "−6.0", "events": "+10.0", "not explained": "+8.0"}


def test_the_first_cycle_says_that_there_is_no_earlier_plan(tmp_path):
    page = facts(small.tables(changes=None), {})
    assert page["changes"]["rows"] == [] and "first plan" in page["changes"]["finding"].text
    assert page["totals"]["change"] is None
    assert page["families"]["has_last"] is False
    assert "first plan kept here" in front.render(page)


def test_families_stand_by_gap_and_total_to_the_plan():
    families = facts()["families"]
    assert [(row["name"], row["plan"], row["change"], row["gap"]) for row in families["rows"]] == [("Noodles", "300.0", "+24.0", "−9.0"), ("Biscuits", "240.0", "−12.0", "−3.0")]
    assert families["total"]["plan"] == "540.0" and families["total"]["change"] == "+12.0" and families["total"]["gap"] == "−12.0"


def test_budget_gap_counts_only_months_that_have_a_budget():
    """Budget for October and November alone: 2 × 90 − 2 × 92 = −4 bn."""
    tables = small.tables()
    tables["budget"] = tables["budget"][tables["budget"]["month"] <= "2026-11-01"]
    totals = facts(tables)["totals"]
    assert totals["gap"] == pytest.approx(-4 * BN) and totals["covered"] == 2
    assert facts(tables)["families"]["total"]["gap"] == "−4.0"


def test_exceptions_are_the_largest_ten_the_rest_and_the_total():
    """12.3 + 2.5 + 0.96 + 10 × 0.1 = 16.76 bn; of the ten small ones seven are shown and three are the rest."""
    found = facts()["exceptions"]
    assert len(found["rows"]) == 10 and found["count"] == 13
    assert found["total"] == pytest.approx(16.76 * BN) and found["other"]["text"] == "0.3"
    assert sum(row["amount"] for row in found["rows"]) + 0.3 * BN == pytest.approx(found["total"])
    assert [row["answer"] for row in found["rows"][:3]] == ["d1", "", "d2"]


def test_decisions_show_their_options_side_by_side():
    first = facts()["decisions"]["cards"][0]
    assert [(o["letter"], o["title"].text, o["taken"]) for o in first["options"]] == [("A", "add hours", True), ("B", "ration", False)]
    assert {row["label"].text: row["cells"] for row in first["rows"]}["Net effect"] == ["+2.6", "0.0"]
    assert first["line"].text == "by 12 Oct; keeps Rp 12.3 bn for Rp 1.6 bn"


def test_kept_sales_and_money_back_are_not_added():
    """The first decision keeps 12.3 bn of sales for 1.6 bn; the second brings back 0.7 bn of stock: 13.26 bn at stake in all."""
    decisions = facts()["decisions"]
    assert decisions["finding"].text == "2 decisions, Rp 13.3 bn at stake; the recommended answers cost Rp 1.8 bn and keep Rp 12.3 bn of sales"
    assert decisions["cards"][1]["line"].text == "by 16 Oct; recommended: promotion"
    assert [row["label"].text for row in decisions["cards"][1]["rows"]] == ["Sold soon", "Cost"]


def test_the_scorecard_judges_shows_the_change_and_thirteen_months():
    score = facts()["scorecard"]
    assert score["finding"].text == "3 of 5 measures are on target; furthest from it: on time in full, 93.1% (−0.2 pts) against 95%"
    cover = next(card for card in score["cards"] if card["kpi"] == "cover")
    assert (cover["shown"], cover["target"].text, cover["word"], cover["first"], cover["last"]) == ("38 days", "target 42 days", "On target", "Sep 25", "Sep 26")
    bias = next(card for card in score["cards"] if card["kpi"] == "bias")
    assert (bias["shown"], bias["target"].text) == ("+2.9%", "target ±3%")
    assert [card["kpi"] for card in facts(scorecard=["otif", "unknown", "bias"])["scorecard"]["cards"]] == ["otif", "bias"]


def test_a_measure_of_another_definition_is_not_compared():
    """Stock cover is at version 2 since September: no change on August, and its line begins anew."""
    tables, past = small.tables(), small.past()
    tables["kpis"] = tables["kpis"].assign(version="2")
    past["kpis"] = past["kpis"].assign(version=["1" if kpi == "cover" else "2" for kpi in past["kpis"]["kpi"]])
    cards = {card["kpi"]: card for card in front.facts(tables, past, header=small.HEADER, links=small.LINKS, book=small.BOOK)["scorecard"]["cards"]}
    assert cards["cover"]["change"].text == "" and cards["otif"]["change"].text != ""


def test_open_actions_stand_by_how_late_they_are():
    actions = facts()["actions"]
    assert [(row["owner"], row["late"]) for row in actions["rows"]] == [("Agus Santoso", 17), ("Budi Hartono", -2)]
    assert actions["finding"].text == "2 actions are open, 1 of them overdue"


def test_capacity_shows_the_fullest_first_and_what_binds_first():
    page = facts()
    assert [panel["name"] for panel in page["capacity"]["panels"]] == ["Biscuit oven", "Noodle line", "Mixing"]
    assert page["capacity"]["finding"].text == "Biscuit oven needs 135% of its hours in February 2027; 315 hours are missing on 2 resources"


def test_an_overload_stands_with_its_cheapest_way_out(tmp_path):
    """The oven in January lacks 100 hours: 60 made earlier for 1 bn, 40 left undone. What a later month costs is not this page's."""
    tables = small.tables()
    january, later = pd.Timestamp("2027-01-01"), pd.Timestamp("2027-09-01")
    rows = [("mix", "pull_forward", january, 60, 1.0), ("mix", "ration", january, 40, 0.0), ("alone", "overtime", january, 40, 5.0), ("mix", "overtime", later, 9, 7.0)]
    cures = small.make(frames.CURES, *({"resource": "Biscuit oven", "month": m, "way": w, "cure": c, "hours": h, "cost": cost * BN} for w, c, m, h, cost in rows))
    assert facts({**tables, "cures": cures})["capacity"]["cure"].text == "The cheapest way out costs Rp 1.0 bn: 60 hours made earlier. 40 hours stay undone: no cure is worth their margin."
    assert facts({**tables, "cures": cures.iloc[:1]})["capacity"]["cure"].text == "The cheapest way out costs Rp 1.0 bn: 60 hours made earlier."
    assert facts({**tables, "cures": cures.iloc[1:2]})["capacity"]["cure"].text.startswith("No cure pays for the 40 hours")
    assert facts(tables)["capacity"]["cure"].text == ""
    out = report.front_page({**tables, "cures": cures}, small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK, out=tmp_path / "index.html")
    assert "The cheapest way out costs" in out.read_text(encoding="utf-8")


def test_the_page_is_whole_harmless_and_shows_data_as_text(tmp_path):
    out = report.front_page(small.tables(), small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK, out=tmp_path / "index.html",
                            assumptions=[{"text": "Prices +2.5% <i>", "if_not": "later", "amount": -2.9 * BN}])
    html = out.read_text()
    page = harmless(html)
    assert "How do we sell <b>8,100</b> cartons" in page.words and "Prices +2.5% <i>" in page.words
    assert [a for a in page.links() if a.endswith(".html")] == ["one-page.html", "../actions.html", *(link["href"] for link in small.LINKS)]
    assert all(link[1:] in page.ids() for link in page.links() if link.startswith("#"))
    assert len([1 for tag, _ in page.elements if tag == "h1"]) == 1
    for tag, attrs in page.elements:
        if tag == "svg" and attrs.get("role") == "img":
            assert len(attrs["aria-label"]) > 20
        if tag == "th":
            assert attrs.get("scope") in ("col", "row")
    css = re.search(r"<style>(.*?)</style>", html, re.S)
    assert css and len(css[1].encode()) < 24_000 and "http" not in css[1]


@pytest.mark.parametrize("absent", sorted(set(small.tables()) - {"plan"}))
def test_any_table_may_be_absent(absent, tmp_path):
    harmless(front.render(facts(small.tables(**{absent: None}))))


def test_with_no_tables_at_all_the_page_says_so():
    page = facts({}, {})
    assert page["headline"].text == "No plan was made in October 2026"
    assert "stock, receipts" in front.render(page)


def test_empty_tables_are_as_good_as_absent_ones():
    harmless(front.render(facts({name: df.iloc[:0] for name, df in small.tables().items()}, {name: df.iloc[:0] for name, df in small.past().items()})))


def test_the_same_tables_give_the_same_bytes():
    assert front.render(facts()) == front.render(facts())


def test_inputs_are_left_as_they_were():
    tables, past = small.tables(), small.past()
    facts(tables, past)
    for name, df in small.tables().items():
        pd.testing.assert_frame_equal(tables[name], df)
    pd.testing.assert_frame_equal(past["plan"], small.past()["plan"])


def test_one_scale_serves_a_whole_table():
    scale = front_ground.Scale.of([3.09 * BN, 16.2 * BN])
    assert (scale.label, scale.show(3.09 * BN), scale.show(-4.6 * BN, signed=True), scale.show(float("nan"))) == ("Rp bn", "3.1", "−4.6", "–")
    assert front_ground.Scale.of([]).show(0) == "0"


def test_an_unknown_message_is_shown_as_its_id():
    assert [row["said"].text for row in facts()["data"]["findings"]] == ["312 rows repeat a key", "findings.not_in_any_catalogue"]


def test_last_plan_is_the_month_before_and_no_other():
    """A plan two cycles old is not last month's plan."""
    past = small.past()
    past["plan"] = past["plan"].assign(cycle=frames.next_month(small.CYCLE, -2))
    ground = front_ground.Ground(small.tables(), past, cycle=small.CYCLE, window=6)
    assert ground.last_plan() is None
    assert front_plan.changes(ground)["rows"] == []


# --- one set of months, each good once -------------------------------------------------------------------------------

def test_money_at_risk_is_of_the_plans_months_and_counts_no_good_twice():
    """12.3 of overload and 2.5 + 10 × 0.1 short are 15.8 bn; 2.0 of the shortage is what the oven cannot make: 13.8 bn."""
    tables = small.tables()
    tables["exceptions"] = tables["exceptions"].assign(overlap=[2 * BN if e == "E02" else 0.0 for e in tables["exceptions"]["id"]])
    page = facts(tables)
    found = page["exceptions"]
    assert found["short"] == pytest.approx(13.8 * BN)
    assert page["lead"][1].text == "Sales of Rp 13.8 bn in these months are at risk; the decisions below answer Rp 12.3 bn of it."
    shown = sum(row["amount"] for row in found["rows"]) + 0.3 * BN  # ten rows and all other
    assert shown - found["overlap"]["amount"] == pytest.approx(found["total"]) and found["overlap"]["text"] == "−2.0"
    assert found["total"] == pytest.approx(found["short"] + found["stock"] + found["late"])
    assert "Same goods in two exceptions" in front.render(page)
    assert "Sales at risk Rp 13.8 bn. Too much stock Rp 1.0 bn. Goods in two exceptions count once, by the larger." in found["source"].text


def test_sales_at_risk_hang_on_deciding_only_where_a_decision_answers_them():
    tables = small.tables()
    asked = tables["asked"]
    said = {}
    for name, table in (("no decision", asked.iloc[:0]), ("of other things", asked.assign(exception="X1"))):
        said[name] = facts({**tables, "asked": table} if len(table) else {k: v for k, v in tables.items() if k != "asked"})["lead"][1].text
    assert said["no decision"].endswith(" in these months are at risk.")
    assert said["of other things"].endswith("no decision asked for answers them.")


def test_stock_that_is_too_much_is_no_reason_why_it_cannot_be_made():
    tables = small.tables()
    answer = {step["number"]: step["answer"].text for step in facts(tables)["steps"]}["03"]
    losing = int(tables["exceptions"]["kind"].isin(["short", "overload", "late"]).sum())
    assert answer.startswith(f"Not all of it: {losing} exceptions")
    alone = facts({**tables, "exceptions": tables["exceptions"].assign(kind="excess")})
    assert {step["number"]: step["answer"].text for step in alone["steps"]}["03"].startswith("Yes, but ")


def test_a_measure_of_another_lag_says_so_and_has_no_target():
    tables = small.tables()
    rows = tables["kpis"].assign(scope=lambda d: d["scope"].where(d["kpi"] != "forecast_accuracy", "lag:1"))
    card = next(c for c in facts({**tables, "kpis": rows})["scorecard"]["cards"] if c["kpi"] == "forecast_accuracy")
    assert (card["measure"], card["state"], card["target"].text) == ("one month ahead, item × location", "none", "")


def test_orders_that_are_late_are_no_sales_at_risk():
    """What they endanger is the shortage they cause, and that is an exception of its own."""
    tables = small.tables()
    tables["exceptions"] = tables["exceptions"].assign(kind=["late" if k == "short" else k for k in tables["exceptions"]["kind"]])
    found = facts(tables)["exceptions"]
    assert (found["short"], found["late"]) == (pytest.approx(12.3 * BN), pytest.approx(3.5 * BN))


def test_what_lies_behind_the_pages_months_is_one_line():
    """The oven lacks 100 hours in May 2027 and 50 in June, two months behind a page that ends in March."""
    tables = small.tables()
    later = small.make(frames.LOAD, *({"resource": "Biscuit oven", "month": f"2027-0{m}-01", "hours": 500 + over, "available": 500.0, "overload": over, "overload_amount": over * 1e7}
                                      for m, over in ((4, 0), (5, 100), (6, 50))))
    tables["load"] = pd.concat([tables["load"], later], ignore_index=True)
    said = facts(tables)["exceptions"]["beyond"]
    assert [one.text for one in said] == ["Beyond March 2027: 150 more hours are missing on Biscuit oven, May 2027 to June 2027, Rp 1.5 bn of sales behind them."]
    assert facts(tables)["capacity"]["finding"].text == facts()["capacity"]["finding"].text, "the capacity block speaks of the page's months"
    assert facts(tables, window=9)["exceptions"]["beyond"] == []


def test_limits_are_those_of_step_03_and_speak_of_the_pages_months():
    """Reps lack 0.1, 0.4, 0.7, 1.0 and 1.3 bn of 15 from November to March; in January and February hours lack 2 bn, overtime and earlier months used."""
    binds = facts()["binds"]
    assert binds["finding"].text == "Sales people bind first, in November 2026; then plant hours, in January 2027"
    assert [row["why"].text for row in binds["rows"]] == [
        "12.6 people can sell Rp 100.0 m (0.7%) less than the plan asks of them in that month, Rp 3.5 bn less in 5 months by March 2027.",
        "Sales of Rp 2.0 bn cannot be made in that month, with overtime and goods made earlier; Rp 4.0 bn in 2 months by March 2027."]
    first = deliverable.binding(small.tables()["deliverable"]).iloc[0]
    assert (first["cause"], first["month"]) == ("sales", pd.Timestamp("2026-11-01")), "what 03 says"
    assert facts(window=1)["binds"]["finding"].text == "October 2026: the whole plan can be delivered in its months, as far as is known of stock and orders, plant hours, sales people"
    assert facts(small.tables(deliverable=None))["binds"] is None


def test_two_limits_of_one_month_are_said_together():
    tables = small.tables()
    tables["deliverable"] = tables["deliverable"].assign(stock_gap=[0.6 * BN] + 5 * [0.0], sales_gap=[0.2 * BN] + 5 * [0.0], hours_gap=0.0)
    binds = facts(tables)["binds"]
    assert binds["finding"].text == "Sales people bind first, in October 2026, and stock and orders in the same month"
    assert binds["rows"][1]["why"].text == "Sales of Rp 600.0 m cannot be served in their month."


# --- decisions -------------------------------------------------------------------------------------------------------

def grouped():
    """Ten items whose selling has ended, 0.1 bn each, are one decision, Rp 1.0 bn."""
    tables = small.tables()
    table = tables["exceptions"]
    many = table["amount"] == 0.1 * BN
    tables["exceptions"] = table.assign(kind=table["kind"].where(~many, "obsolete"), because=table["because"].where(~many, "exceptions.obsolete_ended"),
                                        item=[f"B{i}" if hit else item for i, (hit, item) in enumerate(zip(many, table["item"], strict=True))],
                                        values=table["values"].where(~many, '{"ends": "2025-12-31", "units": 100}'), group=table["id"].where(~many, "all-obsolete_ended"))
    tables["asked"] = tables["asked"].assign(exception=["E01", "all-obsolete_ended"], amount=[12.3 * BN, 1.0 * BN])
    tables["options"] = tables["options"].assign(exception=tables["options"]["exception"].replace("E03", "all-obsolete_ended"))
    return tables


def test_many_exceptions_of_one_cause_lead_to_one_decision():
    page = facts(grouped())
    assert [row["answer"] for row in page["exceptions"]["rows"]] == ["d1", "", ""] + 7 * ["d2"]
    card = page["decisions"]["cards"][1]
    assert card["amount"] == pytest.approx(1.0 * BN) and card["cause"]["n"] == 10
    assert card["largest"].text == "The largest is B3, L4: Rp 100.0 m of Rp 1.0 bn."
    assert [row["label"].text for row in card["rows"]] == ["Brought back", "Value given up", "Net effect"]


def test_the_headline_of_a_group_names_what_they_have_in_common():
    tables = grouped()
    tables["asked"] = tables["asked"].iloc[1:]
    assert facts(tables)["headline"].text == "10 items whose selling has ended are still in stock: decide on Rp 1.0 bn by 16 Oct"


def test_three_answers_stand_beside_each_other_the_last_is_to_do_nothing():
    """Of five answers: the recommended one, the next best by net, and leaving it as it is; the others are in step 03."""
    tables = small.tables()
    titles = {"A": ("options.subcontract", 8.0), "B": ("options.pull_forward", 4.2), "C": ("options.overtime", 1.8), "D": ("options.overtime", 0.5), "E": ("options.ration", 0.0)}
    tables["options"] = small.make(frames.OPTIONS, *({"exception": "E01", "option": o, "title": title, "values": '{"hours": 10}', "keeps": 12.3 * BN, "gains": 8.2 * BN, "costs": (8.2 - net) * BN,
                                                      "net": net * BN, "service": .9, "recommended": o == "A"} for o, (title, net) in titles.items()))
    card = facts(tables)["decisions"]["cards"][0]
    assert [option["letter"] for option in card["options"]] == ["A", "B", "E"]
    assert card["more"].text == "Step 03 has the options C, D too."
    assert [row["label"].text for row in card["rows"]] == ["Sales kept", "Cost", "Net effect", "Service after"], "the margin at stake differs nowhere"
    assert card["note"].text.startswith("Net effect is the margin at stake, 8.2, less the cost.")
    for option, row in zip(("A", "B", "E"), range(3), strict=True):
        cost, net = (float(card["rows"][i]["cells"][row].replace("+", "")) for i in (1, 2))
        assert 8.2 - cost == pytest.approx(net), option


# --- words -----------------------------------------------------------------------------------------------------------

def test_rows_received_are_used_set_aside_or_left_out():
    """48,216 received: 48,201 used, 12 set aside, 3 left out."""
    tables = small.tables()
    tables["freshness"] = tables["freshness"].assign(set_aside=12)
    shown = {label.text: value for label, value in facts(tables)["data"]["facts"]}
    assert list(shown.values())[:4] == ["48,216", "48,201", "12", "3"]
    assert "of them used, 1 October 2021 to 30 September 2026" in shown
    received, *parts = (int(value.replace(",", "")) for value in list(shown.values())[:4])
    assert received == sum(parts)


def test_one_is_said_as_one():
    tables = small.tables()
    tables["actions"] = tables["actions"].iloc[:1].assign(due=pd.Timestamp("2026-10-04"))
    actions = facts(tables)["actions"]
    assert (actions["finding"].text, actions["rows"][0]["word"]) == ("One action is open, and overdue", "1 day late")


def test_places_have_their_names():
    found = facts(locations={"JKT": "Jakarta"})["exceptions"]["rows"]
    assert [row["place"] for row in found[:3]] == ["", "Jakarta", "MDN"]


def test_sentences_round_what_tables_keep():
    assert [front_ground.about(x) for x in (484_198.61, 37_449.0, 512.4, 8.17e9, 0.0)] == [484_000, 37_400, 512, 8.17e9, 0]


@pytest.mark.parametrize("window", [1, 3, 6, 12])
def test_every_total_on_the_page_is_recomputed_from_the_tables(window):
    tables = grouped()
    page, months = facts(tables, window=window), frames.months(small.CYCLE, window)

    def near(name):
        return tables[name][tables[name]["month"].isin(months)]

    assert page["totals"]["plan"] == pytest.approx(near("plan")["revenue"].sum())
    assert page["totals"]["budget"] == pytest.approx(near("budget")["revenue"].sum())
    scale = front_ground.Scale.of(near("plan").merge(small.ITEMS, on="item").groupby("family")["revenue"].sum())
    assert page["families"]["total"]["plan"] == scale.show(near("plan")["revenue"].sum())
    assert page["families"]["total"]["gap"] == scale.show(near("plan")["revenue"].sum() - near("budget")["revenue"].sum(), signed=True)
    told = tables["exceptions"]
    assert page["exceptions"]["total"] == pytest.approx((told["amount"].abs() - told["overlap"].fillna(0)).sum())
    assert page["decisions"]["amount"] == pytest.approx(tables["asked"]["amount"].sum())
    for card in page["decisions"]["cards"]:
        behind = told[told["group"] == tables["asked"].set_index("decision")["exception"][f"D{card['number']}"]]
        assert card["amount"] == pytest.approx(behind["amount"].sum()), "a decision is about all the money of its exceptions"
    missing = near("load")["overload"].sum()
    said = page["capacity"]["finding"].text
    assert f"{missing:,.0f} hours are missing" in said if missing else "No resource is over its hours" in said
