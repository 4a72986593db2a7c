"""S&OP on a page: the numbers on it are the tables' numbers, and what is absent is said."""

from __future__ import annotations

import re

import front_data as small
import pandas as pd
import pytest
from front_data import BN
from test_report import harmless

from sopnb import frames, front, front_ground, front_plan, report, words


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
    assert page["headline"].text == "Biscuit oven is 318 hours short from January to February 2027: Rp 12.3 bn of sales needs a decision by 12 Oct"
    assert page["lead"][0].text == ("The plan for October 2026 to March 2027 is Rp 540 bn, Rp 12.0 bn more than last month’s plan "
                                    "and Rp 12.0 bn (2.2%) short of budget.")


@pytest.mark.parametrize(("without", "said"), [
    ({"asked"}, "Rp 15.8 bn of sales is at risk and Rp 1.0 bn of stock is too much; Biscuit oven is the largest case"),
    ({"asked", "exceptions"}, "The plan for October 2026 to March 2027 is Rp 12.0 bn (2.2%) short of budget"),
    ({"asked", "exceptions", "budget"}, "The plan for October 2026 to March 2027 rises by Rp 12.0 bn (2.3%) to Rp 540 bn"),
    ({"asked", "exceptions", "budget", "plan"}, "No plan was made in October 2026"),
])
def test_with_less_to_say_the_headline_says_the_next_thing(without, said):
    assert facts(small.tables(**dict.fromkeys(without)))["headline"].text == said


def test_a_decision_without_an_exception_is_asked_as_it_stands():
    tables = small.tables()
    tables["asked"] = tables["asked"].assign(exception=None)
    assert facts(tables)["headline"].text == "Rp 12.3 bn needs a decision by 12 Oct: who covers 318 oven hours?"


def test_changes_add_up_from_last_plan_to_this_one():
    changes = facts()["changes"]
    assert [(row["kind"], row["text"]) for row in changes["rows"]] == [
        ("last", "528.0"), ("part", "−6.0"), ("part", "+10.0"), ("part", "+8.0"), ("this", "540.0"), ("budget", "552.0")]
    assert changes["finding"].text == "The plan rose Rp 12.0 bn, most of all by events: +Rp 10.0 bn"
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
    assert decisions["finding"].text == "2 decisions on Rp 13.3 bn; the recommended options keep Rp 12.3 bn of sales for Rp 1.6 bn"
    assert decisions["cards"][1]["line"].text == "by 16 Oct; brings back Rp 700 m"
    assert decisions["cards"][1]["rows"][0]["label"].text == "Brought back"


def test_the_scorecard_judges_shows_the_change_and_thirteen_months():
    score = facts()["scorecard"]
    assert score["finding"].text == "3 of 5 measures are on target; On time in full is not: 93.1%"
    cover = next(card for card in score["cards"] if card["kpi"] == "cover")
    assert (cover["shown"], cover["target"].text, cover["word"], cover["first"], cover["last"]) == ("38 days", "target 42 days", "On target", "Sep 25", "Sep 26")
    bias = next(card for card in score["cards"] if card["kpi"] == "bias")
    assert (bias["shown"], bias["target"].text) == ("+2.9%", "target ±3%")
    assert [card["kpi"] for card in facts(scorecard=["otif", "unknown", "bias"])["scorecard"]["cards"]] == ["otif", "bias"]


def test_open_actions_stand_by_how_late_they_are():
    actions = facts()["actions"]
    assert [(row["owner"], row["late"]) for row in actions["rows"]] == [("Agus Santoso", 17), ("Budi Hartono", -2)]
    assert actions["finding"].text == "2 actions are open, 1 of them overdue"


def test_capacity_shows_the_fullest_first_and_what_binds_first():
    page = facts()
    assert [panel["name"] for panel in page["capacity"]["panels"]] == ["Biscuit oven", "Noodle line", "Mixing"]
    assert page["binds"]["finding"].text == "Sales people: November 2026"


def test_the_page_is_whole_harmless_and_shows_data_as_text(tmp_path):
    out = report.front_page(small.tables(), small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK, out=tmp_path / "index.html",
                            assumptions=[{"text": "Prices +2.5% <i>", "if_not": "later", "amount": -2.9 * BN}])
    html = out.read_text()
    page = harmless(html)
    assert "How do we sell <b>8,100</b> cartons" in page.words and "Prices +2.5% <i>" in page.words
    assert [a for a in page.links() if a.endswith(".html")] == [link["href"] for link in small.LINKS]
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
