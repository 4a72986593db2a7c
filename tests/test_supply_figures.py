"""Figures of 03: what is drawn is what the tables hold, nothing where there is nothing, and words for those who cannot see them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pandas as pd
import pytest
from helpers import frame

from sopnb import blocks, charts, deliverable_page, figures_page, frames, plans_page, stock_page, words

MONTHS = frames.months("2026-10", 3)
SCOPE = blocks.Scope("2026-10", pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01"), MONTHS, MONTHS, 3, [1, 2, 3], {"A": "Apple <b>", "B": "Bean"})
ITEMS = frame("item family unit_cost", "A Fruit 6", "B Pulses 2")


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


def drawn(figure):
    """The texts of the wide drawing, in the order in which they stand."""
    return ["".join(e.itertext()) for e in ET.fromstring(figure.wide).iter("text")]


def roles(figure):
    return {part.split("(")[1].split(",")[0].removeprefix("--") for part in figure.wide.replace("var(", "\nvar(").splitlines() if part.startswith("var(--")}


# --- exceptions as a field --------------------------------------------------------------------------------------------

def exceptions(*rows):
    return frames.conform(frame("id kind item resource amount overlap", *rows).assign(location="EU", first=MONTHS[0], last=MONTHS[1], units=1.0, because="exceptions.excess", values="{}", group=None),
                          frames.EXCEPTIONS)


def test_the_field_of_exceptions_holds_the_money_of_each_family_and_kind_once():
    """Fruit is short by 300 + 100; the oven's 500 hold 200 that are short already, so 300 count; pulses tie up 50."""
    table = exceptions("x1 short A - 300 0", "x2 short A - 100 0", "x3 overload - Oven 500 200", "x4 excess B - 50 0", "x5 late B - 30 30")
    shown = figures_page.exceptions(table, ITEMS, SCOPE)
    texts = drawn(shown)
    assert [text for text in texts if text.isdigit()] == ["400", "300", "50"], "what is counted elsewhere already is no cell"
    assert [text for text in texts if text in ("Fruit", "Oven", "Pulses")] == ["Fruit", "Oven", "Pulses"], "the largest first"
    assert [text for text in texts if text in ("Short", "Overload", "Excess", "Late")] == ["Short", "Overload", "Excess"]
    assert shown.alt.startswith("USD 400 of the USD 750 at stake is short: Fruit.") and "highest USD 400 at Fruit, Short; lowest USD 50" in shown.alt


def test_an_exception_of_an_item_nobody_knows_stands_with_other():
    shown = figures_page.exceptions(exceptions("x1 short Z - 300 0", "x2 short A - 100 0"), ITEMS, SCOPE)
    assert "other" in drawn(shown) and "300" in drawn(shown)


def test_where_nothing_is_at_stake_no_field_is_drawn():
    assert figures_page.exceptions(None, ITEMS, SCOPE) is None and figures_page.exceptions(frames.empty(frames.EXCEPTIONS), ITEMS, SCOPE) is None
    assert figures_page.exceptions(exceptions("x1 short A - 30 30"), ITEMS, SCOPE) is None


# --- quotas -----------------------------------------------------------------------------------------------------------

def attained(table):
    return figures_page.attained(table, names={"R1": "Rina"}, first=MONTHS[0], last=MONTHS[2])


def test_quotas_stand_the_lowest_first_with_what_was_sold_and_its_share():
    table = frame("rep sold quota attainment", "R1 150 100 1.5", "R2 40 100 0.4", "R3 0 0 nan")
    shown = attained(table.assign(attainment=table["attainment"].astype(float)))
    texts = [text for text in drawn(shown) if text]
    assert texts == ["R2", "USD 40", "40%", "Rina", "USD 150", "150%"], "who has no quota has no bar"
    assert shown.alt.startswith("The reps reach 95% of their quotas; 1 of 2 are below their own.") and "R2 USD 40 40%; Rina USD 150 150%" in shown.alt


def test_without_quotas_nothing_is_drawn():
    assert attained(None) is None
    assert attained(pd.DataFrame({"rep": ["R1"], "sold": [1.0], "quota": [0.0], "attainment": [float("nan")]})) is None


# --- load, stock, deliverable -----------------------------------------------------------------------------------------

def loaded(*shares):
    return frames.conform(pd.DataFrame([{"resource": name, "month": month, "hours": 100.0 * share, "available": 100.0, "ratio": share, "overtime": 10.0, "overload": max(0.0, 100 * share - 100),
                                         **dict.fromkeys(("overload_amount", "cost", "overtime_rate", "revenue", "margin", "goods"), 0.0)}
                                        for name, row in zip(("Oven", "Line"), shares, strict=False) for month, share in zip(MONTHS, row, strict=True)]), frames.LOAD)


@pytest.mark.parametrize(("shares", "title"), [
    (((0.5, 0.9, 0.7), (0.4, 0.4, 0.4)), "All 2 resources have the hours they need; the fullest is Oven, 90% in November 2026"),
    (((0.5, 1.2, 0.7), (0.4, 0.4, 0.4)), "Of 2 resources Oven alone lacks hours: it would need 120% of them in November 2026"),
    (((0.5, 1.2, 0.7), (0.4, 0.4, 1.3)), "2 of 2 resources lack hours, most of all Line: it would need 130% of them in December 2026")])
def test_the_title_of_the_load_is_what_it_shows(shares, title):
    shown = plans_page._load(loaded(*shares), SCOPE)
    assert shown.alt.startswith(title + ".") and all(f"{max(row):.0%}" in " ".join(drawn(shown)) for row in shares)
    assert ("short" in roles(shown)) == any(share > 1 for row in shares for share in row)


def test_stock_says_whether_it_falls_or_rises_to_what_is_to_be_held():
    path = pd.DataFrame({"month": MONTHS, "opening": [140.0, 120, 60], "receipts": 0.0, "proposed": 0.0, "demand": 0.0, "closing": [120.0, 60, 50], "safety_stock": 45.0, "owed": 0.0, "cover": [2.0, 1.0, 1.5]})
    shown = stock_page.path(path, places={}, scope=SCOPE)
    assert "Stock falls from USD 140 to USD 50, 11% above the safety stock" in shown.text and "Month by month: stock covers least at the end of November 2026, 1.0 months of demand" in shown.text
    for held, said in ((50.0, "as much as the safety stock"), (20.0, "2.5 times the safety stock"), (62.5, "20% below the safety stock")):
        assert f"Stock falls from USD 140 to USD 50, {said}" in stock_page.path(path.assign(safety_stock=held), places={}, scope=SCOPE).text
    rising = path.assign(opening=[40.0, 120, 60], safety_stock=[100.0, 100, 100])
    assert "Stock rises from USD 40 to USD 50, 50% below the safety stock" in stock_page.path(rising, places={}, scope=SCOPE).text
    assert "Stock rises from USD 40 to USD 50\n" in stock_page.path(rising.assign(safety_stock=0.0), places={}, scope=SCOPE).text


@pytest.mark.parametrize(("lows", "title"), [
    ({"A": (50, 40), "B": (50, 60)}, "Below safety stock at some month end: 0 of the 2 that matter most; none runs out"),
    ({"A": (5, 40), "B": (50, 60)}, "Below safety stock at some month end: 1 of the 2 that matter most; none runs out"),
    ({"A": (-5, 40), "B": (50, 60)}, "Apple <b> runs out in October 2026, one of the 2 that matter most"),
    ({"A": (-5, 40), "B": (50, -60)}, "2 of the 2 that matter most run out, Bean furthest, in November 2026")])
def test_the_items_that_matter_say_which_of_them_runs_out(lows, title):
    rows = pd.DataFrame([{"item": item, "location": "EU", "month": month, "closing": float(low), "safety_stock": 20.0, "lo80": low - 1.0, "hi80": low + 1.0}
                         for item, pair in lows.items() for month, low in zip(MONTHS, pair, strict=False)])
    shown = stock_page._items(rows, {"EU": "Europe"}, SCOPE)
    assert shown.alt.startswith(title) and all(f"{min(pair):,}".replace("-", "−") in " ".join(drawn(shown)) for pair in lows.values())


def test_what_can_be_delivered_has_a_colour_of_its_own_and_the_budget_that_of_budgets():
    limits = pd.DataFrame({"month": MONTHS, "plan": [100.0, 120, 110], "revenue": [90.0, 100, 110], "budget": [105.0, 105, 105], "binds": ["sales", "sales", ""]})
    shown = deliverable_page._figure(limits, MONTHS)
    assert {"plan", "ok", "base"} <= roles(shown) and "demand" not in roles(shown)
    assert shown.alt.startswith("Of the next 3 months November 2026 falls short most: USD 20 of USD 120.") and "Plan USD 110; Deliverable USD 110; Budget USD 105" in shown.alt


def test_small_charts_of_ways_of_working_say_what_they_name():
    """The highest of each measure stands under its name; where there is no room for words, the number alone."""
    table = pd.DataFrame([{"strategy": way, "month": month, "people": 10.0 + k, "regular": 5000.0 * k, "overtime": 0.0, "subcontract": 0.0, "stock": 7.0, "backlog": 0.0, "demand": 4000.0}
                          for way in ("level", "chase") for k, month in enumerate(MONTHS)])
    shown = charts.plan_paths(table, title="Ways", name="ways")
    texts = drawn(shown)
    assert texts.count("12 at most") == 2 and texts.count("People") == 2 and texts.count("10.0 thousand at most") == 2
    narrow = ["".join(e.itertext()) for e in ET.fromstring(shown.narrow).iter("text")]
    assert "12 at most" in narrow and "10.0 thousand at most" not in narrow and "10.0 thousand" in narrow
    assert "Level plan 12 people, 10.0 thousand made, 7 in stock" in shown.alt
