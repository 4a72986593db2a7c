"""The scorecard as it is read: names, signs, and a line that says its latest value."""

from __future__ import annotations

import pandas as pd
import pytest

from sopnb import kpis, kpis_page, words


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "IDR"):
        yield


CARD = pd.DataFrame({"kpi": ["forecast_bias", "otif"], "unit": ["percent", "percent"], "value": [0.02, 0.91], "target": [0.05, 0.95], "before": [-0.01, None], "year_ago": [None, 0.9],
                     "status": ["on", "off"], "version": ["1", "1"], "got_worse": [False, False]})
TREND = pd.DataFrame({"kpi": ["forecast_bias"] * 2 + ["otif"] * 2, "month": pd.to_datetime(["2026-08-01", "2026-09-01"] * 2), "value": [-0.01, 0.02, None, 0.91], "target": [0.05, 0.05, 0.95, 0.95]})


def test_a_measure_that_is_best_at_zero_is_signed_and_its_target_lies_on_both_sides():
    shown = kpis_page.read(CARD, TREND, called={"forecast_bias": "Bias", "otif": "On time in full"})
    bias, otif = shown.to_dict("records")
    assert (bias["value"], bias["before"], bias["goal"]) == ("+2.0%", "−1.0%", "±5.0%")
    assert (otif["value"], otif["before"], otif["goal"]) == ("91.0%", "–", "95.0%")
    assert "91.0%" in otif["line"], "who cannot see the line hears its latest value"


def test_the_scorecard_counts_what_it_shows():
    shown = kpis_page.read(CARD, TREND, called={"forecast_bias": "Bias", "otif": "On time in full"})
    (table,) = kpis_page.scorecard(shown, month=pd.Timestamp("2026-09-01")).parts
    assert table.caption.text == "1 on target, 0 to watch, 1 off" and [row.name.text for row in table.rows] == ["Bias", "On time in full"]
    assert "Value +2.0% · Target ±5.0% · Month before −1.0%" in table.rows[0].folded, "a number alone would say nothing there"
    assert "w" in dict(table.heads)["Target"].split(), "on a phone the target stands under the name"


def test_measures_without_a_target_stand_shut_and_say_what_got_worse():
    card = pd.DataFrame([*CARD.to_dict("records"), {"kpi": "inventory_turns", "unit": "ratio", "value": 10.0, "before": 11.0, "status": "none", "got_worse": True}])
    trend = pd.DataFrame([*TREND.to_dict("records"), *({"kpi": "inventory_turns", "month": pd.Timestamp(month), "value": value} for month, value in (("2026-08-01", 11.0), ("2026-09-01", 10.0)))])
    shown = kpis_page.read(card, trend, called={"forecast_bias": "Bias", "otif": "On time in full", "inventory_turns": "Inventory turns"})
    judged, free = kpis_page.scorecard(shown, month=pd.Timestamp("2026-09-01")).parts
    assert not judged.shut and [row.name.text for row in judged.rows] == ["Bias", "On time in full"]
    assert free.shut and free.caption.text == "Without a target: 1, of them worse than a month before: Inventory turns"
    assert [free.rows[0].cells[i].text for i in (0, 2)] == ["10.00×", "11.00×"], "a ratio is so many times"
    (only,) = kpis_page.scorecard(shown.tail(1), month=pd.Timestamp("2026-09-01")).parts
    assert not only.shut, "where nothing has a target this is the scorecard"


def test_every_measure_of_the_book_is_explained_in_plain_words():
    rows = pd.DataFrame({"kpi": list(kpis.BOOK), "what": list(kpis.BOOK)})
    table = kpis_page.explained(rows)
    assert table.shut and len(table.rows) == len(kpis.BOOK) and all(row.cells[0].text.endswith(".") for row in table.rows)


def test_places_off_target_are_counted_in_whole_sentences():
    one = pd.DataFrame({"what": ["Capacity load"], "where": ["Biscuit oven"]})
    assert kpis_page.off_target(one).text == "Off target in one place: Capacity load, Biscuit oven"
    assert kpis_page.off_target(pd.concat([one, one])).text == "Off target in 2 places; the largest: Capacity load, Biscuit oven"


# --- bridges ----------------------------------------------------------------------------------------------------------

SEPTEMBER = pd.Timestamp("2026-09-01")
YEAR = pd.DataFrame({"part": ["revenue_year_ago", "volume", "price", "revenue_now"], "amount": [8e9, 3e9, -1e9, 10e9], "total": [True, False, False, True]})
GAP = pd.DataFrame({"part": ["budget", "family:Tea", "rest", "plan"], "amount": [20e9, -3e9, 1e9, 18e9], "total": [True, False, False, True]})
AHEAD = list(pd.date_range("2026-10-01", periods=3, freq="MS"))


def test_revenue_is_told_with_what_moved_it_most():
    assert kpis_page.revenue(YEAR, month=SEPTEMBER).text == "Revenue of September 2026 was Rp 10.0 bn, +25.0% on the year before; most of it is volume (+Rp 3.0 bn)."
    down = YEAR.assign(amount=[8e9, 1e9, -3e9, 6e9])
    assert kpis_page.revenue(down, month=SEPTEMBER).text.endswith("−25.0% on the year before; most of it is price (−Rp 3.0 bn)."), "the largest either way"


def test_revenue_that_cannot_be_compared_says_why():
    assert kpis_page.revenue(None, month=SEPTEMBER).text == "Revenue cannot be compared with a year ago: there is no such month."
    assert kpis_page.revenue(None, month=SEPTEMBER, orders=False).text.startswith("Not available: ")
    assert kpis_page.revenue_bridge(None, month=SEPTEMBER) is None


def test_the_bridge_of_revenue_stands_between_two_months():
    drawn = kpis_page.revenue_bridge(YEAR, month=SEPTEMBER).html
    assert "September 2025" in drawn and "September 2026" in drawn and "Volume: " in drawn and "revenue_now" not in drawn


def test_families_add_up_to_the_change_of_revenue():
    by_family = pd.DataFrame({"family": ["Tea", ""], "before": [5e9, 3e9], "after": [8e9, 2e9], "price": [1e9, -1e9], "volume": [2e9, 0.0], "mix": 0.0, "new": 0.0, "ended": 0.0})
    table = kpis_page.revenue_families(by_family, month=SEPTEMBER)
    assert table.caption.text == "Tea moved most: +Rp 3.0 bn" and table.rows[0].name.text == "Tea"
    assert by_family.columns.tolist() == ["family", "before", "after", "price", "volume", "mix", "new", "ended"], "what came in stays as it was"
    assert "+2.0" in str(table._repr_mimebundle_()["text/html"]), "the sum of the changes"


def test_the_gap_to_the_budget_is_told_and_drawn_by_family():
    assert kpis_page.budget(GAP, months=AHEAD).text == ("The plan from October 2026 to December 2026 comes to Rp 18.0 bn; the budget is Rp 20.0 bn. "
                                                        "The gap is −Rp 2.0 bn (−10.0%).")
    drawn = kpis_page.budget_bridge(GAP, months=AHEAD, cycle="2026-10").html
    assert "Tea is the largest difference" in drawn and "family:" not in drawn and "plan 2026-10; budget" in drawn


def test_without_a_budget_that_is_said():
    assert kpis_page.budget(None, months=[]).text.startswith("Not available: ") and kpis_page.budget_bridge(None, months=[], cycle="2026-10") is None
