"""What 02 shows: each block says its answer first, counts people and series right, and says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import frame

from sopnb import (
    blocks,
    change_page,
    closeup_page,
    closing,
    consensus_page,
    demand_page,
    frames,
    models_page,
    record_page,
    streams,
    value,
    value_added,
    words,
)
from sopnb.words import say

MONTHS = frames.months("2026-10", 3)
SCOPE = blocks.Scope("2026-10", pd.Timestamp("2026-09-01"), pd.Timestamp("2026-10-01"), MONTHS, MONTHS, 3, [1, 2, 3], {"A": "Apple <b>"}, {"ADA": "Ada"})
NOTHING = {"mended": 0, "mended_amount": 0.0, "shown": 0, "shown_amount": 0.0, "shifts": 0, "shift_amount": 0.0}


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


# --- blocks ---------------------------------------------------------------------------------------------------------


def test_a_block_shows_its_parts_in_order_and_leaves_out_what_is_not_there():
    made = blocks.block(say("First."), None, blocks.Note(say("Last.")))
    assert made.text == "First.\n\nLast." and made.html.index("First.") < made.html.index("Last.")
    assert len(made.parts) == 2


def test_two_blocks_add_up_to_one_with_a_heading_between():
    both = blocks.block(say("One.")) + blocks.block(blocks.Heading(say("And two?")), say("Two."))
    assert both.text == "One.\n\nAnd two?\n\nTwo." and "<h3>And two?</h3>" in both.html


def test_an_explanation_with_a_head_stands_shut_and_is_read_in_full_as_text():
    note = blocks.Note(say("Because <it>."), say("Why & how"))
    html = note._repr_mimebundle_()["text/html"]
    assert html == '<details class="more"><summary><span class="f">Why &amp; how</span></summary><p class="sm m">Because &lt;it&gt;.</p></details>' and note.text == "Because <it>."
    assert "<details" not in blocks.Note(say("Open."))._repr_mimebundle_()["text/html"]


def test_places_are_named_and_counts_are_said_to_three_figures():
    scope = blocks.Scope("2026-10", SCOPE.origin, SCOPE.as_of, MONTHS, MONTHS, 3, [1], places={"EU": "Europe"})
    assert scope.place(pd.Series(["EU", "XX", "all"])).tolist() == ["Europe", "XX", "all"]
    assert [blocks.rough(value) for value in (466463, -5249, 1, 0)] == [466000, -5250, 1, 0]


def test_names_from_a_table_are_text_not_markup():
    told = SCOPE.item(pd.Series(["A", "B"]))
    assert told.tolist() == ["Apple <b>", "B"], "a code without a name stays"
    assert "<b>" not in blocks.block(blocks.Note(say("{name} moved", name=told[0]))).html
    assert blocks.names(frame("item name", "A Apple", "B -"), "item") == {"A": "Apple"} and blocks.names(frame("item", "A"), "item") == {}


def test_the_notebook_is_short_cells_of_calls():
    """DESIGN: 15 to 25 cells; about ten lines each."""
    notebook = json.loads((Path(__file__).parent.parent / "notebooks" / "02_demand.ipynb").read_text(encoding="utf-8"))
    lines = [len("".join(cell["source"]).splitlines()) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert 15 <= len(notebook["cells"]) <= 25 and max(lines) <= 12


# --- how much, and what the past must not teach ---------------------------------------------------------------------


def _lessons(**counted: float) -> str:
    none = pd.DataFrame()
    one = demand_page.lessons(
        frame("item month demand", "A 2026-09 1"), none, odd=none, counted={**NOTHING, **counted}, effects=none, surest={}, brought={"units": 0.0, "amount": 0.0}, adds=none, feast=none,
        by_month=none, events=False, scope=SCOPE)
    return one.text


@pytest.mark.parametrize(("counted", "said"), [
    ({}, "No month of the last three years was mended"),
    ({"mended": 1}, "one month of a single item was mended"),
    ({"mended": 31}, "31 months of single items were mended"),
    ({"shown": 1}, "One more is out of line"),
    ({"shown": 3}, "3 more are out of line"),
    ({"shifts": 1, "shift_amount": 20.0}, "One item at one location moved to a lasting new level, +USD 20 a month; its earlier months"),
    ({"shifts": 10}, "10 series, each one item at one location, moved to a lasting new level")])
def test_one_is_one_and_several_are_several(counted, said):
    assert said in _lessons(**counted)


def test_without_orders_each_block_says_so():
    none = pd.DataFrame()
    assert demand_page.how_much(none, none, headline={}, families=none, by_month=none, prices=none, band=none, family_bands=none, budget=None, scope=SCOPE).text.startswith("Not available: orders.")
    assert change_page.moved(none, bridge=None, movers=None, reasons=None, residual=None, scope=SCOPE).text == "Not available: orders."
    assert change_page.budget(None, year={}, actions=None).text == "Not available: budget."
    assert consensus_page.deals(None, None, orders=True, scope=SCOPE).text == "What do open deals promise?\n\nNot available: opportunities."


# --- deals ----------------------------------------------------------------------------------------------------------


def test_the_chart_of_deals_ends_with_the_last_deal_and_its_words_tell_the_sums():
    """Deals close in October and November; December, planned too, is not drawn. Half of each is expected."""
    outlook = frame("month family deals open expected", "2026-10 Tea 1 100 50", "2026-11 Tea 2 300 150", "2026-11 Box 1 100 50")
    rates = pd.DataFrame({"won": [5], "lost": [5], "raw": [0.5]})
    made = consensus_page.deals(outlook, rates, orders=True, scope=SCOPE)
    drawing = next(part for part in made.parts if hasattr(part, "alt"))
    assert drawing.alt.endswith("Expected: USD 200 in November 2026, USD 250 in all months. As they stand: USD 400 in November 2026, USD 500 in all.")
    assert "Oct 26" in drawing.wide and "Dec 26" not in drawing.wide
    assert "Most of that stands in the baseline already" in made.text and "50% were won: 5 of 10" in made.text
    assert "stands in the baseline" not in consensus_page.deals(outlook, rates, orders=False, scope=SCOPE).text


# --- overrides ------------------------------------------------------------------------------------------------------


def _used(*states: str) -> pd.DataFrame:
    rows = [{"override": f"O{n}", "key": "A", "location": "EU", "month": MONTHS[0], "state": state, "owner": "ADA", "units": 10.0 if state in ("used", "small") else 0.0,
             "amount": 100.0 if state in ("used", "small") else 0.0, "reason": "lost_account", "kind": "delta", "value": 10.0, "noise": np.nan} for n, state in enumerate(states)]
    return pd.DataFrame(rows)


def test_only_overrides_that_count_are_said_to_move_the_plan():
    record = frames.empty(frames.VALUE_ADDED_BY)
    used = _used("used", "small", "expired", "conflict")
    shown = consensus_page.overrides(used, record=record, answers=value_added.answers(used, record), small=0.5, scope=SCOPE)
    assert shown.text.startswith("2 of 4 overrides, by one person, move the plan by +20 units (+USD 200). One of them is small: it moves less than 50%")
    assert "The others count for nothing: 1 expired, 1 of two people who contradict each other." in shown.text
    assert "lost account" in shown.text and "Ada" in shown.text and "<b>" not in shown.html
    assert consensus_page.overrides(used.iloc[:0], record=record, answers=used.iloc[:0], small=0.5, scope=SCOPE).text == "No overrides.\n\nNo override made 3 months ahead can be judged yet."


def _record(*skills: str) -> pd.DataFrame:
    rows = [{"scope": scope, "key": key, "stream": "override", "months": 6, "n": 8, "hits": 5, "wape": 0.2, "added": 0.01, "low": -0.1, "high": 0.1, "amount": 10.0, "skill": skill}
            for scope, key, skill in [("all", "", "open"), *(("owner", f"P{n}", skill) for n, skill in enumerate(skills))]]
    return pd.DataFrame(rows)


def test_a_word_that_every_row_would_have_is_said_once_in_the_caption():
    told = consensus_page._judged(_record("open", "open"), SCOPE)
    assert "10 of 16 overrides came closer to demand; together they took +1.00 points off the error (not yet clear)" in told.text and "Helps?" not in told.text and told.shut
    assert "Helps?" in consensus_page._judged(_record("open", "hurts"), SCOPE).text


# --- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "said"), [
    ("Theta", "Smoothing, and half the straight trend"), ("Average6+SES", "The mean of the models named"), ("TBATS", "A model the company asked for")])
def test_every_model_is_told_in_plain_words(model, said):
    assert models_page.what_it_is(model).text == said


def test_a_model_and_its_twin_stand_in_one_row_the_one_in_use_first():
    """Five years of history: the model that looks back five years is the whole one. Two that only miss alike in sum stay apart by their bias."""
    models = frame("model wape bias n chosen series", "Theta 0.1 0.02 12 0 1", "Theta60 0.1 0.02 12 1 1", "SES 0.1 -0.02 12 0 1", "Naive 0.3 0 12 0 1")
    rows = closeup_page._twins(models).set_index("model")
    assert rows["name"].to_dict() == {"Theta60": "Theta60 = Theta", "SES": "SES", "Naive": "Naive"}
    assert rows["chosen"].to_dict() == {"Theta60": 1, "SES": 0, "Naive": 0} and rows.loc["Theta60", "series"] == 1


# --- past plans -----------------------------------------------------------------------------------------------------


def test_only_series_still_planned_and_long_enough_judged_count_as_biased_or_not():
    """Of four series two can be judged: one is gone from the plan, one has two months, which cannot reach the limit of six."""
    tracked = frame("item location n signal bias units amount beyond", "A EU 11 8 0.2 50 500 True", "B EU 11 1 0.0 5 50 False", "GONE EU 11 9 0.5 70 700 True", "NEW EU 2 2 0.1 1 10 False")
    tracked = tracked.assign(beyond=tracked["beyond"] == "True")
    plan = frame("item location month consensus", "A EU 2026-10 1", "B EU 2026-10 1", "NEW EU 2026-10 1")
    none = pd.DataFrame()
    shown = record_page.held(
        plan, at=pd.DataFrame({"lag": [1], "months": [0], "needed": [1]}), by_lag=none, lines=none, made=pd.DataFrame({"cycle": []}), versions=none, tracked=tracked,
        families=pd.DataFrame({"family": ["Tea"], "amount": [500.0], "beyond": [True]}), limit=6.0, wait=0, scope=SCOPE)
    assert "1 of 2 series were planned too high or too low" in shown.text and "of whole families: Tea (+USD 500)" in shown.text
    assert "GONE" not in shown.text and "Apple" in shown.text
    assert shown.text.startswith("Plans cannot be judged yet at lag 1 (one more cycle).")


@pytest.mark.parametrize(("last", "said"), [(115.0, "came 15.0 points nearer to demand"), (150.0, "came no nearer to demand")])
def test_whether_later_versions_came_nearer_is_said_as_such(last, said):
    """Demand 100; six months ahead 130 was planned."""
    versions = pd.DataFrame({"month": [pd.Timestamp("2026-09-01")], "lag_6": [130.0], "lag_3": [120.0], "lag_1": [last], "demand": [100.0], "error": [last / 100 - 1]})
    plans = pd.DataFrame({"cycle": [pd.Timestamp("2026-04-01")] * 2, "month": frames.months("2026-08", 2), "consensus": [120.0, 130.0]})
    made = streams.triangle(plans, plans.iloc[:0], pd.DataFrame({"month": plans["month"], "demand": [100.0, 100.0]}), cycle_month="2026-10")
    assert said in record_page._versions(made, versions).title.text


# --- changes and budget ---------------------------------------------------------------------------------------------


def test_the_bridge_is_told_with_its_largest_parts_first():
    bridge = frame("part amount total", "last 100 True", "actuals -2 False", "events 9 False", "sales -5 False", "this 102 True")
    bridge = bridge.assign(total=bridge["total"] == "True")
    assert change_page._moved(bridge).text == "The plan moved by +USD 2 (+2.0%), from USD 100 to USD 102. The largest parts: Events (+USD 9), Sales forecast (−USD 5)."


def _landing(gap: float) -> pd.DataFrame:
    return pd.DataFrame({"family": ["Tea"], "last": [MONTHS[-1]], "actual": [60.0], "to_go": [40.0 + gap], "landing": [100.0 + gap], "budget": [100.0], "gap": [gap], "volume": [gap], "price": [0.0]})


def test_the_year_lands_below_or_above_its_budget():
    short, over = _landing(-20.0), _landing(5.0)
    none = pd.DataFrame(columns=closing.COLUMNS)
    below = change_page.budget(short, year=value.year(short), actions=none).text
    assert below.startswith("The fiscal year to December 2026 lands USD 20 (20.0%) below its budget of USD 100: USD 60 are sold, USD 20 are planned. Tea is furthest below, −USD 20.")
    assert "No action has a name" in below
    above = change_page.budget(over, year=value.year(over), actions=None).text
    assert "lands USD 5 (5.0%) above its budget" in above and "Tea is furthest below" not in above and "no action is needed" in above
    assert value.year(short.iloc[:0]) == {} and value.year(None) == {}


def test_new_money_stands_open_and_what_may_be_counted_already_behind_a_line():
    """Of 100 missing a deal brings 30 anew; 20 may be in the run-rate, 50 is held at stake and not added up."""
    rows = [("won", "O1", 30.0, "new", {"account": "C1", "family": "Tea", "whole": 60.0, "chance": 0.5, "close": MONTHS[0]}), ("left_out", "O2", 20.0, "runrate", {"account": "C2", "family": "Tea", "whole": 40.0, "chance": 0.5, "close": MONTHS[0]}),
            ("agreed", "A1", 50.0, "stake", {"action": "A1", "title": "Buy"})]
    actions = pd.DataFrame([{"kind": kind, "name": name, "owner": "Ada", "amount": amount, "running": amount, "care": care, "closes": False, "values": values} for kind, name, amount, care, values in rows])
    fresh, rest = change_page._actions(actions, {"gap": -100.0})
    assert "Of the USD 100 missing, named actions could bring USD 30 of new money" in fresh.text and "C1" in fresh.text and "C2" not in fresh.text and not fresh.shut
    assert rest.shut and rest.caption.text == "Named besides, but perhaps counted already: USD 20; held at stake by meetings and not added up: USD 50" and "Buy" in rest.text
    assert len(change_page._actions(actions.iloc[:1], {"gap": -100.0})) == 1
    doubtful, = change_page._actions(actions.iloc[1:2], {"gap": -100.0})[1:]
    assert "C2" in doubtful.text


def test_an_item_says_where_it_is_unless_there_is_one_place_only():
    scope = blocks.Scope("2026-10", SCOPE.origin, SCOPE.as_of, MONTHS, MONTHS, 3, [1], {"A": "Apple"}, places={"EU": "Europe"})
    assert [scope.at("A", place) for place in ("EU", "XX", "all")] == ["Apple, Europe", "Apple, XX", "Apple"]
    assert scope.at("B", "EU", {"EU": "Europa"}) == "B, Europa"
