"""One family and one rep, taken apart: found by what is typed, and every sum has a second route."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame

from sopnb import blocks, closeup, closeup_family, closeup_page, closeup_rep, frames, sales, words

MONTHS = frames.months("2026-10", 3)
NOW = pd.Timestamp("2026-10-01")
SCOPE = blocks.Scope("2026-10", pd.Timestamp("2026-09-01"), NOW, MONTHS, MONTHS[:2], 3, [1, 2], {"A": "Apple <b>", "B": "Bun"}, {"ADA": "Ada"}, {"EU": "Europe", "US": "America"})
ITEMS = frame("item name family", "A Apple Fruit", "B Bun Bread", "C Cherry Fruit", "D Date -")


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


@pytest.fixture(scope="module")
def known() -> dict:
    """Two items of fruit at two places, one of bread; last cycle planned the fruit 10 lower a month and item."""
    cells = [(item, place, month, size) for item, place, size in (("A", "EU", 60.0), ("A", "US", 40.0), ("B", "EU", 30.0), ("C", "EU", 20.0)) for month in MONTHS]
    plan = pd.DataFrame(cells, columns=["item", "location", "month", "baseline"]).assign(events=2.0, pipeline=0.0, leads=0.0, sales=-1.0, override=0.0)
    plan = plan.assign(consensus=plan["baseline"] + 1, price=10.0)
    plan = plan.assign(revenue=plan["consensus"] * 10, margin=plan["consensus"] * 4)
    history = pd.concat([plan[["item", "location"]].drop_duplicates().assign(month=month, demand=25.0, revenue=250.0) for month in frames.months("2025-08", 14)], ignore_index=True)
    last = plan.assign(cycle=pd.Timestamp("2026-09-01"), consensus=plan["consensus"] - 10, revenue=plan["revenue"] - 100)
    old = plan.assign(cycle=pd.Timestamp("2026-08-01"), month=plan["month"] - pd.DateOffset(months=2), consensus=30.0)
    bands = pd.concat([pd.DataFrame({"group": group, "month": MONTHS, "lo80": low, "hi80": low + 30}) for group, low in (("Fruit", 100.0), ("Bread", 20.0))])
    return {
        "items": ITEMS, "history": history, "plan": plan, "bands": bands, "past_plans": pd.concat([old, last], ignore_index=True), "months": MONTHS[:2],
        "budget": frame("family month units revenue", "Fruit 2026-10 130 1300", "Fruit 2026-11 130 1300", "Bread 2026-10 10 100"),
        "events": frame("event name kind start end level key location effect", "E1 Promo promotion 2026-10-10 2026-11-01 item C EU 0.2", "E2 Other promotion 2026-10-10 2026-11-01 item B EU 0.2",
                        "E3 Lebaran holiday 2026-10-20 2026-12-20 all - all -")}  # fmt: skip


# --- a family -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "family"), [("", "Fruit"), ("bread", "Bread"), (" FRUIT ", "Fruit")])
def test_a_family_is_found_in_any_case_and_nothing_is_the_one_with_most_money(known, typed, family):
    assert closeup_family.take(typed, **known).family == family


def test_a_family_is_the_sum_of_its_items(known):
    """The second route: each item by itself, by the close-up of one item."""
    one = closeup_family.take("Fruit", **known)
    more = {"forecast": pd.DataFrame(columns=["item", "location", "month", "lo80", "hi80", "lo95", "hi95"]), "tested": pd.DataFrame(columns=["item", "location"]),
            "scores": pd.DataFrame(columns=["item", "location"])}
    parts = [closeup.take(item, items=ITEMS, history=known["history"], plan=known["plan"], past_plans=known["past_plans"], **more) for item in ("A", "C")]
    columns = ["baseline", "events", "sales", "consensus", "revenue", "margin", "last", "year_ago"]
    assert one.plan[columns].to_numpy() == pytest.approx(sum(part.plan[columns].to_numpy() for part in parts))
    assert one.history["demand"].to_numpy() == pytest.approx(sum(part.history["demand"].to_numpy() for part in parts))


def test_the_numbers_of_a_family_by_hand(known):
    """Fruit: 61 + 41 + 21 = 123 units a month at 10; three series of 25 asked for a year ago; last plan was 3 × 10 lower."""
    one = closeup_family.take("Fruit", **known)
    first = one.plan.iloc[0]
    assert first[["consensus", "revenue", "margin", "last", "year_ago", "lo80", "hi80", "budget_units", "budget_revenue"]].tolist() == [123, 1230, 492, 93, 75, 100, 130, 130, 1300]
    assert one.items[["item", "units", "revenue", "moved"]].to_numpy().tolist() == [["A", 204.0, 2040.0, 400.0], ["C", 42.0, 420.0, 200.0]], "two months, most money first"
    assert one.events["event"].tolist() == ["E1", "E3"]
    assert closeup.record(one, lags=[1, 2]) == {"wape": pytest.approx(15 / 75), "bias": pytest.approx(15 / 75), "months": 2}, "planned 90 for August and September, 75 came"


def test_a_family_reads_answer_figure_items_and_months(known):
    page = closeup_page.family(closeup_family.take("", **known), lags=[1, 2], scope=SCOPE)
    assert [type(part).__name__ for part in page.parts] == ["Heading", "Sentence", "Figure", "Table", "Table"]
    assert "246 units worth USD 2,460, with USD 984 of margin, are planned from October 2026 to November 2026." in page.text
    assert "That is +64.0% on the demand" in page.text and "Its budget is missed by USD 140." in page.text and "Largest beside the statistical baseline: Events, +12 units." in page.text
    assert "missed its demand by 20.0%, +20.0% on balance, over 2 months" in page.text
    assert "Apple brings 83% of its revenue" in page.text and page.parts[-1].shut and not page.parts[-2].shut
    assert "Marked: Lebaran (November 2026)" in page.parts[2].alt, "a holiday stands in the middle of its weeks"


def test_an_unknown_family_is_answered_with_the_nearest_and_what_to_do(known):
    told = closeup_page.family(closeup_family.take("Friut", **known), lags=[1], scope=SCOPE).text
    assert told == "One family\n\nNo family is called Friut. Type one of these into family in the first cell: Fruit."
    assert closeup_family.take("qqqq", **known).near == ["Bread", "Fruit"], "none is like it: all there are"
    assert "names none" in closeup_page.family(closeup_family.take("x", **{**known, "items": ITEMS.assign(family=None)}), lags=[1], scope=SCOPE).text


def test_a_family_without_budget_past_plans_or_events_still_reads(known):
    bare = closeup_family.take("Bread", **{**known, "budget": None, "past_plans": None, "events": None, "bands": pd.DataFrame(columns=["month", "lo80", "hi80"])})
    page = closeup_page.family(bare, lags=[1, 2], scope=SCOPE)
    assert "budget" not in page.text.lower() and "No earlier plan of it can be judged yet." in page.text
    assert bare.items["moved"].isna().all() and bare.plan["last"].isna().all()


# --- a rep ----------------------------------------------------------------------------------------------------------


REPS = frame("rep name territory", "R1 Rosa EU", "R2 Raul EU", "R3 Rita US")
DEALS = frame(
    "opportunity account item family rep territory stage amount created close_date outcome flag_new",
    "O1 C1 A Fruit R1 EU lead 100 2026-09-01 2026-11-15 - -", "O2 C2 - Bread R1 EU offer 400 2026-09-01 2026-12-15 - new", "O3 C3 A Fruit R2 EU lead 900 2026-09-01 2026-11-15 - -",
    "O4 C1 A Fruit R1 EU won 300 2026-05-01 2026-07-10 won -", "O5 C9 A Fruit R1 EU lost 100 2026-05-01 2026-07-20 lost -", "O6 C9 A Fruit R1 EU won 50 2024-05-01 2024-07-20 won -",
    "O7 C8 A Fruit R3 US won 70 2026-06-01 2026-08-20 won -")  # fmt: skip
ACCOUNTS = frame("account name territory rep", "C1 Corner EU R1", "C2 Canteen EU R1", "C4 Calm EU R1", "C3 Cafe EU R2")
QUOTAS = frame("rep month quota", "R1 2026-07 200", "R1 2026-08 100", "R1 2025-01 999", "R2 2026-07 50", "R3 2026-08 10")
SAID = frame("level key location month quantity owner", "family Fruit EU 2026-10 5 ADA", "family Fruit US 2026-10 5 BOB")
RECORD = pd.DataFrame({"owner": ["ADA", "BOB"], "weight": [0.5, 0.25], "wape_before": [0.3, 0.2], "wape_with": [0.1, 0.4], "bias": [0.0, 0.1], "months": [11, 0]})


def _rep(typed: str = "", **other) -> closeup_rep.Rep:
    given = {"reps": REPS, "deals": sales.deals(DEALS, as_of=NOW, minimum=500), "won": sales.won(DEALS, as_of=NOW), "origin": SCOPE.origin, "accounts": ACCOUNTS, "quotas": QUOTAS, "expected": SAID,
             "record": RECORD, "people": {"ADA": "Ada Lovelace"}}
    return closeup_rep.take(typed, **{**given, **other})


@pytest.mark.parametrize(("typed", "name", "reps"), [("", "Raul", ["R2"]), ("r1", "Rosa", ["R1"]), ("ROSA", "Rosa", ["R1"]), ("Ada Lovelace", "Ada Lovelace", ["R1", "R2"]), ("bob", "BOB", ["R3"])])
def test_a_rep_is_found_by_code_or_name_and_who_forecasts_stands_for_a_team(typed, name, reps):
    one = _rep(typed)
    assert (one.name, one.reps) == (name, reps)


def test_what_a_rep_expects_is_the_sum_of_the_deals_and_what_was_won_that_of_attainment():
    """The second routes: sales.deals and sales.attainment, over all reps."""
    open_deals = sales.deals(DEALS, as_of=NOW, minimum=500)
    for code in REPS["rep"]:
        one = _rep(code)
        assert one.deals["expected"].sum() == pytest.approx(open_deals.loc[open_deals["rep"] == code, "expected"].sum()) == pytest.approx(one.accounts["expected"].sum())
        asked = sales.attainment(sales.won(DEALS, as_of=NOW), QUOTAS, REPS, first=pd.Timestamp("2025-10-01"), last=SCOPE.origin).set_index("rep").loc[code]
        assert one.quota["sold"].sum() / one.quota["quota"].sum() == pytest.approx(asked["attainment"])
    team = _rep("ADA")
    assert team.deals["expected"].sum() == pytest.approx(sum(_rep(code).deals["expected"].sum() for code in ("R1", "R2")))
    assert team.quota["quota"].sum() == sum(_rep(code).quota["quota"].sum() for code in ("R1", "R2")) == 350


def test_the_numbers_of_a_rep_by_hand():
    """Rosa won 300 of a quota of 200 in July, nothing of 100 in August; the quota of January 2025 is too long ago. Of three accounts Calm has no open deal."""
    one = _rep("R1")
    assert one.quota[["quota", "sold"]].to_numpy().tolist() == [[200.0, 300.0], [100.0, 0.0]] and one.quota["attainment"].tolist() == [1.5, 0.0]
    assert one.deals["opportunity"].tolist() == ["O2", "O1"] and one.deals["name"].tolist() == ["Canteen", "Corner"] and one.deals["added"].tolist() == [True, False]
    assert dict(zip(one.accounts["name"], one.accounts["deals"], strict=True)) == {"Canteen": 1, "Corner": 1, "Calm": 0}
    assert one.voices["owner"].tolist() == ["ADA"] and _rep("R3").voices["owner"].tolist() == ["BOB"]


def test_a_rep_reads_answer_figure_deals_accounts_and_quota():
    page = closeup_page.rep(_rep("R1"), scope=SCOPE)
    assert [type(part).__name__ for part in page.parts] == ["Heading", "Sentence", "Figure", "Table", "Table", "Table"]
    assert page.text.startswith("One rep: Rosa, Europe\n\n") and "is expected of 2 open deals that stand at USD 500." in page.text
    assert "Of the quota of the twelve months to September 2026 100% was won: USD 300 of USD 300." in page.text and "The quota was met in 1 of 2 months" in page.text
    assert "that of Ada, followed 50% of the way: taken alone it missed by 10.0%, the plan without it by 30.0%." in page.text
    assert "1 of 3 accounts have no open deal" in page.text and "Apple <b>" in page.text and "<b>" not in page.html
    assert [part.shut for part in page.parts if hasattr(part, "shut")] == [False, True, True]
    team = closeup_page.rep(_rep("bob"), scope=SCOPE).text
    assert team.startswith("One team: BOB, America\n\n"), "he forecasts for the one rep there, and is none"
    assert "No deal is open." in team and "none of it can be judged yet" in team


def test_an_unknown_rep_is_answered_with_the_nearest_and_what_to_do():
    told = closeup_page.rep(_rep("Rossa"), scope=SCOPE).text
    assert told.startswith("One rep\n\nNo rep is called Rossa, and nobody of that name forecasts sales. Type one of these into rep in the first cell: Rosa (R1)")
    assert "look at the list of reps" in closeup_page.rep(_rep("qqqqqq"), scope=SCOPE).text
    assert closeup_page.rep(closeup_rep.take("", reps=None, deals=None, won=None, origin=SCOPE.origin), scope=SCOPE).text == "One rep\n\nNot available: sales reps."


def test_a_rep_without_deals_quotas_or_forecast_still_reads():
    page = closeup_page.rep(_rep("R1", deals=None, won=None, quotas=None, accounts=None, expected=None, record=None), scope=SCOPE)
    assert page.text == "One rep: Rosa, Europe\n\nNo deal is open. No quota of the last twelve months can be set against deals won."


def test_a_code_of_digits_may_be_typed_as_a_number_and_nothing_as_none(known):
    """A first cell says item = 1042 as soon as codes are numbers; the nearest begin with what was typed."""
    numbers = {**known, "items": ITEMS.replace({"item": {"A": "1042", "B": "7"}, "family": {"Fruit": "3"}})}
    for table in ("plan", "history", "past_plans"):
        numbers[table] = known[table].replace({"item": {"A": "1042", "B": "7"}})
    more = {"forecast": pd.DataFrame(columns=["item", "location", "month", "lo80", "hi80", "lo95", "hi95"]), "tested": pd.DataFrame(columns=["item", "location"]), "scores": pd.DataFrame(columns=["item", "location"])}
    one = closeup.take(1042, "ALL", items=numbers["items"], history=numbers["history"], plan=numbers["plan"], **more)
    assert (one.item, one.location) == ("1042", "all")
    assert closeup.take(None, items=numbers["items"], history=numbers["history"], plan=numbers["plan"], **more).item == closeup.take("  ", items=numbers["items"], history=numbers["history"], plan=numbers["plan"], **more).item == "1042"
    assert closeup_family.take(3, **numbers).family == "3" == closeup_family.take(None, **numbers).family
    assert _rep(5, reps=REPS.replace({"rep": {"R1": "5"}})).name == "Rosa" and _rep(None).name == "Raul"
    assert [code for code, _ in closeup.alike("te", {"BI": "Butter", "TE-1": "Lemon", "X": "Tea"})] == ["TE-1", "X", "BI"]
