"""What if: changes by pencil, the base as the notebook has it, differences whose parts add up."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import (
    aggregate,
    capacity,
    constrained,
    inventory,
    netting,
    scenarios,
    scenarios_change,
    scenarios_measures,
    scenarios_page,
    words,
)
from sopnb.params import Supply
from sopnb.problems import Problems

MONTHS = pd.date_range("2026-10-01", periods=6, freq="MS")
AS_OF = pd.Timestamp("2026-10-01")
RULES = Supply(order_cost=50.0)


def a_plan(units=(100.0, 40.0), price=(10.0, 25.0), cost=(6.0, 15.0)):
    rows = [{"item": item, "location": "EU", "month": month, "baseline": q, "events": 0.0, "pipeline": 0.0, "leads": 0.0, "sales": 0.0, "override": 0.0, "consensus": q,
             "price": p, "revenue": q * p, "margin": q * (p - c)} for item, q, p, c in zip("AB", units, price, cost, strict=True) for month in MONTHS]
    return pd.DataFrame(rows)


def some_tables(**other):
    items = pd.DataFrame({
        "item": ["A", "B", "BOTTLE"], "name": ["Apple juice", "Berry juice", "Bottle"], "family": ["Apple", "Berry", "Materials"], "unit_cost": [6.0, 15.0, 1.0],
        "unit_price": [10.0, 25.0, np.nan], "lead_time_days": [10.0, 10.0, 30.0], "lead_time_sd_days": 0.0, "moq": np.nan, "lot_multiple": np.nan, "service_class": ["A", "B", None],
        "safety_stock": [20.0, 10.0, np.nan], "reorder_point": np.nan, "make_or_buy": ["make", "make", "buy"]})
    hours = pd.DataFrame([{"resource": "Line", "month": month, "available_hours": 100.0, "overtime_hours": 10.0, "cost_rate": 20.0, "overtime_rate": 30.0} for month in MONTHS])
    tested = pd.DataFrame([{"item": item, "location": "EU", "origin": AS_OF - pd.DateOffset(months=k + lag), "month": AS_OF - pd.DateOffset(months=k), "model": "Naive", "lag": lag,
                            "forecast": 100.0 + 7 * (k % 3), "demand": 100.0} for item in "AB" for k in range(1, 9) for lag in (1, 2, 3)])
    given_tables = {
        "plan": a_plan(), "items": items,
        "stock": frame("item location as_of on_hand", "A EU 2026-09-30 130", "B EU 2026-09-30 60", "BOTTLE EU 2026-09-30 300"),
        "receipts": frame("order item location due_date quantity", "P1 BOTTLE EU 2026-11-03 150").assign(due_date=lambda d: pd.to_datetime(d["due_date"])),
        "bom": frame("item component quantity scrap", "A BOTTLE 1 0", "B BOTTLE 2 0").assign(phantom=False, valid_from=pd.NaT, valid_to=pd.NaT),
        "routings": frame("item resource hours_per_unit", "A Line 0.5", "B Line 0.5"), "hours": hours,
        "workforce": pd.DataFrame([{"family": "Apple", "opening_people": 2.0, "units_per_worker": 50.0, "hire_cost": 100.0, "layoff_cost": 150.0, "regular_cost": 60.0,
                                    "overtime_cost": 2.0, "subcontract_cost": 5.0, "backlog_cost": 3.0, "holding_cost": 0.1},
                                   {"family": "Berry", "opening_people": 2.0, "units_per_worker": 20.0, "hire_cost": 100.0, "layoff_cost": 150.0, "regular_cost": 60.0,
                                    "overtime_cost": 4.0, "subcontract_cost": 9.0, "backlog_cost": 6.0, "holding_cost": 0.2}]),
        "tested": tested,
        "events": pd.DataFrame({"event": ["EV1", "EV2", "FEAST"], "name": ["Leaflet", "Unstated", "Feast"], "kind": ["promotion", "promotion", "holiday"],
                                "start": pd.to_datetime(["2026-11-01", "2026-12-01", "2026-12-25"]), "end": pd.to_datetime(["2026-11-30", "2026-12-31", "2026-12-26"]),
                                "level": "item", "key": ["A", "B", "A"], "location": "all", "effect": [0.2, np.nan, 0.1], "owner": None, "from_family": np.nan}),
        "purchases": frame("order line item location supplier", "P9 1 BOTTLE EU Glassworks").assign(ordered=AS_OF)}
    return scenarios.Tables(**{**given_tables, **other})


def compared(*changes, given_tables=None, name="it"):
    return scenarios.run([scenarios.scenario(name, *changes)], given_tables or some_tables(), RULES, as_of=AS_OF)


def difference(found, name="it"):
    return found.measures.set_index("scenario")["difference"][name]


# --- by pencil --------------------------------------------------------------------------------------------------------

def test_what_the_reps_cannot_sell_is_said_since_no_scenario_counts_it():
    words.speak("en", "USD")
    found = compared(scenarios.change("demand", by=0.15, family="Apple"))
    assert "cannot sell: USD 700 of the plan as it is" in scenarios_page.beside(found, names={}, months=MONTHS, unsold=700.0).text
    assert "cannot sell" not in scenarios_page.beside(found, names={}, months=MONTHS).text


def test_hours_nobody_believes_are_those_that_parts_take_too():
    """140 bottles and 180 a month at an hour each, 100 hours stated: what was sold cannot have been made in them. Juice alone would take 50."""
    given = some_tables()
    routings = pd.concat([given.routings, frame("item resource hours_per_unit", "BOTTLE Blow 1")], ignore_index=True)
    hours = pd.concat([given.hours, given.hours.assign(resource="Blow")], ignore_index=True)
    past = pd.DataFrame([{"item": item, "location": "EU", "month": AS_OF - pd.DateOffset(months=k), "demand": units} for item, units in (("A", 100.0), ("B", 40.0)) for k in range(1, 13)])
    have = {"plan": given.plan, "items": given.items, "stock": given.stock, "routings": routings, "capacity": hours, "history": past, "bom": given.bom}
    assert set(scenarios.tables(have.get, as_of=AS_OF).hours["resource"]) == {"Line"}
    assert set(scenarios.tables({**have, "bom": None}.get, as_of=AS_OF).hours["resource"]) == {"Line", "Blow"}


def test_demand_of_a_family_from_a_month_on():
    """15 % more of A (margin 4 each, 100 a month) in the last three of six months: 45 units, 180 of margin."""
    found = compared(scenarios.change("demand", by=0.15, family="Apple", first="2027-01"))
    parts = found.parts.set_index("part")["amount"]
    assert parts["volume"] == pytest.approx(45 * 4)
    assert found.measures.set_index("scenario")["revenue"].diff().iloc[-1] == pytest.approx(45 * 10)
    assert found.plans["it"].tables.plan.query("item == 'A'")["consensus"].tolist() == pytest.approx([100, 100, 100, 115, 115, 115])


def test_price_with_elasticity_by_pencil():
    """+10 % at elasticity −2: units × 1.1⁻² = 0.826446. A: 100 → 82.6446 at 11; margin 5 instead of 4.

    Volume (82.6446 − 100) × 4 = −69.42 and price 1 × 82.6446 a month add up to 82.6446 × 5 − 400 = 13.22.
    """
    found = compared(scenarios.change("price", by=0.10, item="A", elasticity=-2))
    parts = found.parts.set_index("part")["amount"] / 6
    assert parts["volume"] == pytest.approx((100 / 1.21 - 100) * 4)
    assert parts["price"] == pytest.approx(100 / 1.21)
    assert parts["volume"] + parts["price"] == pytest.approx(100 / 1.21 * 5 - 400)
    assert found.plans["it"].tables.plan.query("item == 'A'")["price"].tolist() == pytest.approx([11.0] * 6)


def test_revenue_follows_price_to_the_power_of_one_plus_elasticity():
    """At elasticity −1 a change of price changes units and not revenue."""
    found = compared(scenarios.change("price", by=0.25, elasticity=-1))
    revenue = found.measures.set_index("scenario")["revenue"]
    assert revenue["it"] == pytest.approx(revenue["base"])
    assert scenarios_change.units_after(0.0) == 1.0
    assert scenarios_change.units_after(0.1) == pytest.approx(math.exp(-1.76 * math.log(1.1)))


def test_unit_cost():
    """A costs 10 % more: 0.6 on 100 units a month."""
    parts = compared(scenarios.change("cost", by=0.10, item="A")).parts.set_index("part")["amount"]
    assert parts["cost"] == pytest.approx(-0.6 * 600)
    assert parts["volume"] == parts["price"] == 0


def test_a_standstill_takes_its_share_of_each_months_days():
    """Six weeks from 11 January: 21 of 31 days of January and 21 of 28 of February."""
    changed, _ = scenarios_change.apply(scenarios.change("down", resource="Line", first="2027-01-11", weeks=6), some_tables(), RULES)
    left = changed.hours.set_index("month")["available_hours"]
    assert left["2027-01-01"] == pytest.approx(100 * 10 / 31)
    assert left["2027-02-01"] == pytest.approx(100 * 7 / 28)
    assert left["2026-12-01"] == left["2027-03-01"] == 100
    assert changed.hours["overtime_hours"].sum() == pytest.approx(10 * (4 + 10 / 31 + 7 / 28))


def test_a_moved_promotion_adds_what_it_added_in_another_month():
    """A promotion of 20 % on 100 a month, all November (30 days), moved to February: 28 of its 30 days fall there, two into March."""
    plan = a_plan()
    november = (plan["item"] == "A") & (plan["month"] == "2026-11-01")
    plan.loc[november, ["events", "consensus", "revenue", "margin"]] += [20.0, 20.0, 200.0, 80.0]
    changed, _ = scenarios_change.apply(scenarios.change("event", event="EV1", to="2027-02"), some_tables(plan=plan), RULES)
    a = changed.plan.query("item == 'A'").set_index("month")
    assert a["consensus"].tolist() == pytest.approx([100, 100, 100, 100, 120, 100 + 20 * 2 / 31])
    assert a["events"].sum() == pytest.approx(20 + 20 * 2 / 31)
    assert a["margin"].tolist() == pytest.approx([400, 400, 400, 400, 480, 400 + 80 * 2 / 31])


def test_a_suppliers_lead_time_doubled_makes_what_needs_it_wait():
    """300 bottles on hand, some 180 a month used. Bottles ordered today come at the end of January instead of October."""
    found = compared(scenarios.change("lead_time", supplier="Glassworks", factor=4.0), given_tables=some_tables(receipts=None))
    two = found.plans["it"]
    assert two.tables.items.set_index("item")["lead_time_days"].to_dict() == {"A": 10.0, "B": 10.0, "BOTTLE": 120.0}
    bottles = {name: plan.projection.query("item == 'BOTTLE'").set_index("month")["closing"] for name, plan in found.plans.items()}
    assert bottles["it"].min() < bottles["base"].min() - 1
    measures = found.measures.set_index("scenario")
    assert measures["at_risk"]["it"] > measures["at_risk"]["base"]
    assert measures["service"]["it"] < measures["service"]["base"]
    assert found.parts.set_index("part")["amount"]["late"] < 0


def test_a_setting_changes_what_it_sets_and_nothing_else():
    """Half the rate of keeping stock: half the cost of keeping what is there."""
    found = compared(scenarios.change("setting", setting="holding_rate", value=RULES.holding_rate / 2))
    parts = found.parts.set_index("part")["amount"]
    stock = scenarios_measures.in_stock(netting.at_cost(found.plans["base"].projection, some_tables().items, a_plan()))
    assert parts["keeping"] == pytest.approx(RULES.holding_rate / 24 * stock.sum(), rel=0.05)
    served = compared(scenarios.change("setting", setting="service.A", value=0.999)).plans["it"]
    assert served.policy.set_index("item")["service_target"]["A"] == 0.999


# --- the chain --------------------------------------------------------------------------------------------------------

def test_the_base_is_what_the_functions_of_the_notebook_give():
    """Table by table the same numbers, through the calls of the supply notebook."""
    given_tables = some_tables()
    t, base = given_tables, scenarios.evaluate(given_tables, RULES, as_of=AS_OF)
    policy = inventory.policy(t.plan, t.tested, t.items, service=RULES.service, segments=None, scores=None, lanes=None, lead_time_days=RULES.lead_time_days,
                              review_days=RULES.review_days, review=RULES.review, measure=RULES.measure, holding_rate=RULES.holding_rate, order_cost=RULES.order_cost)
    netted = netting.requirements(t.plan, t.stock, t.receipts, t.items, as_of=AS_OF, bom=t.bom, policy=policy, lead_time_days=RULES.lead_time_days, order_cost=RULES.order_cost,
                                  holding_rate=RULES.holding_rate, uncounted_parts="tell")
    ordered = pd.concat([netted.proposed, netted.shipments.drop(columns="source_location")], ignore_index=True)
    projection = netting.project(t.stock, t.receipts, ordered, netted.demand, as_of=AS_OF, policy=policy)
    made = capacity.production(t.plan, t.routings, t.items, proposed=netted.proposed, receipts=t.receipts, as_of=AS_OF)
    load = capacity.load(made, t.routings, t.hours, t.items, t.plan, bom=t.bom)
    ways = aggregate.plans(t.plan, t.workforce, t.items, stock=t.stock, policy=policy, overtime_share=RULES.overtime_share)
    best = ways[ways["strategy"] == "optimum"].reset_index(drop=True)
    within = constrained.plan_hours(t.plan, capacity.with_parts(t.routings, t.bom, AS_OF), t.hours, t.items, stock=t.stock, receipts=t.receipts, policy=policy, holding_rate=RULES.holding_rate, as_of=AS_OF)
    for ours, theirs in ((base.policy, policy), (base.netted.proposed, netted.proposed), (base.projection, projection), (base.load, load), (base.within.items, within.items)):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    pd.testing.assert_frame_equal(base.people.sort_values(["family", "month"]).reset_index(drop=True), best.sort_values(["family", "month"]).reset_index(drop=True), check_exact=True)
    path = netting.at_cost(projection, t.items, t.plan)
    assert base.measures["stock_mean"] == (path["closing"] + path["owed"]).mean()
    assert base.measures["supply_cost"] == pytest.approx(aggregate.compare(ways, by=["strategy"]).set_index("strategy")["cost"]["optimum"], abs=0.005)
    assert base.measures["peak_load"] == (load["hours"] / load["available"]).max()
    assert base.measures["margin"] == t.plan["margin"].sum()


def test_what_the_notebook_has_made_need_not_be_made_again():
    """The same figures whether the base is computed or handed over; and the scenarios beside it are the same."""
    t, asked = some_tables(), [scenarios.scenario("more", scenarios.change("demand", by=0.2, item="A"))]
    base = scenarios.evaluate(t, RULES, as_of=AS_OF)
    ways = aggregate.plans(t.plan, t.workforce, t.items, stock=t.stock, policy=base.policy, overtime_share=RULES.overtime_share)
    handed = scenarios.run(asked, t, RULES, as_of=AS_OF, made={"policy": base.policy, "netted": base.netted, "within": base.within, "people": ways})
    anew = scenarios.run(asked, t, RULES, as_of=AS_OF)
    for ours, theirs in zip(handed[:4], anew[:4], strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_a_scenario_without_a_change_is_the_base():
    found = compared()
    assert found.parts["amount"].eq(0).all()
    assert found.measures.drop(columns="scenario").nunique(dropna=False).eq(1).all()


def test_two_runs_give_the_same():
    asked = (scenarios.change("demand", by=0.3), scenarios.change("down", resource="Line", first="2026-12", weeks=3))
    one, two = compared(*asked), compared(*asked)
    for ours, theirs in zip(one[:4], two[:4], strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_the_inputs_are_left_as_they_were():
    given_tables = some_tables()
    before = {name: None if value is None else value.copy(deep=True) for name, value in vars(given_tables).items()}
    compared(scenarios.change("price", by=0.1), scenarios.change("cost", by=0.1), scenarios.change("capacity", resource="Line", by=-0.5), given_tables=given_tables)
    for name, table in before.items():
        if table is not None:
            pd.testing.assert_frame_equal(getattr(given_tables, name), table)


def test_what_is_taken_over_from_the_base_is_what_it_would_be_anew():
    """A plan evaluated beside its base reuses what does not change; the numbers are those of a plan computed alone."""
    base = scenarios.evaluate(some_tables(), RULES, as_of=AS_OF)
    changed, rules = scenarios_change.apply(scenarios.change("demand", by=0.2, item="A"), base.tables, RULES)
    beside = scenarios.evaluate(changed, rules, as_of=AS_OF, base=base)
    alone = scenarios.evaluate(changed, rules, as_of=AS_OF)
    for name in ("policy", "projection", "load", "people"):
        pd.testing.assert_frame_equal(getattr(beside, name), getattr(alone, name), check_exact=True)
    assert {k: v for k, v in beside.money.items() if k not in ("keeping", "result")} == {k: v for k, v in alone.money.items() if k not in ("keeping", "result")}


def test_fewer_hours_cost_money_and_are_felt_by_people():
    """The line has 100 hours and needs 70; with a tenth of them for four months sales are late or lost and others make the goods."""
    found = compared(scenarios.change("capacity", resource="Line", by=-0.9, first="2026-11", last="2027-02"))
    parts, measures = found.parts.set_index("part")["amount"], found.measures.set_index("scenario")
    assert parts["hours"] < 0
    assert parts["people"] < 0
    assert measures["peak_load"]["it"] > measures["peak_load"]["base"]
    assert measures["at_risk"]["it"] > measures["at_risk"]["base"]
    made = found.plans["it"].people.loc[lambda d: d["month"] == pd.Timestamp("2026-12-01")]
    assert ((made["regular"]) * 0.5).sum() <= 10 + 1e-6, "people cannot make more than the line has hours for"


def test_more_hours_than_needed_change_nothing():
    """A slack limit is no limit."""
    found = compared(scenarios.change("capacity", resource="Line", by=1.0))
    assert difference(found) == pytest.approx(0, abs=1e-6)


def test_goods_made_ahead_lie_in_stock_until_they_are_needed():
    """February's 70 hours must be made before it: the goods are kept for a month or more, and that costs."""
    found = compared(scenarios.change("down", resource="Line", first="2027-02-01", weeks=4))
    measures = found.measures.set_index("scenario")
    assert measures["stock_mean"]["it"] > measures["stock_mean"]["base"]
    assert found.parts.set_index("part")["amount"]["keeping"] < 0


# --- parts add up -----------------------------------------------------------------------------------------------------

@settings(max_examples=6, deadline=None)
@given(by=st.floats(-0.5, 0.8), price=st.floats(-0.3, 0.5), cost=st.floats(-0.3, 0.5), hours=st.floats(-0.6, 0.6))
def test_parts_and_changes_add_up_to_the_difference(by, price, cost, hours):
    changes = [scenarios.change("demand", by=by, family="Apple"), scenarios.change("price", by=price, elasticity=-1.5), scenarios.change("capacity", resource="Line", by=hours, first="2026-12")]
    found = compared(*changes, scenarios.change("cost", by=cost, item="B"), given_tables=some_tables(workforce=None))
    scale = abs(found.measures["result"]).max()
    assert found.parts["amount"].sum() == pytest.approx(difference(found), abs=1e-9 * scale)
    assert found.changes["amount"].sum() == pytest.approx(difference(found), abs=1e-9 * scale)


def test_shapley_does_not_know_an_order():
    """Two changes that help each other share what they bring together, whichever is named first."""
    more, dearer = scenarios.change("demand", by=0.3), scenarios.change("price", by=0.1, elasticity=-0.5)
    alike = some_tables(workforce=None)
    one, two = compared(more, dearer, given_tables=alike), compared(dearer, more, given_tables=alike)
    assert one.changes.set_index("change")["amount"].to_dict() == pytest.approx(two.changes.set_index("change")["amount"].to_dict())
    alone = difference(compared(more, given_tables=alike))
    together = difference(one)
    last = together - difference(compared(dearer, given_tables=alike))
    assert one.changes.set_index("change")["amount"]["demand"] == pytest.approx((alone + last) / 2)


def test_shapleys_glove_game():
    """Shapley (1953); the glove game as in Osborne and Rubinstein: one left glove, two right ones: 2/3, 1/6, 1/6."""
    def worth(held):
        return 1.0 if 0 in held and held & {1, 2} else 0.0

    assert scenarios.shared(worth, 3) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert scenarios.shared(lambda held: float(len(held) ** 2), 4) == [1.0, 3.0, 5.0, 7.0], "more than three: in the order they stand"


def test_price_and_volume_over_items_by_hand():
    """A 100 → 110 at 10 → 11, B 40 → 30 at 25: volume 10×4 − 10×10 = −60, price 1 × 110."""
    one, two = some_tables(), some_tables(plan=a_plan(units=(110.0, 30.0), price=(11.0, 25.0)))
    parts = scenarios_measures.price_volume(one, two)
    assert {name: value / 6 for name, value in parts.items()} == pytest.approx({"volume": -60.0, "price": 110.0, "cost": 0.0})


def test_an_item_of_one_plan_only_is_all_volume():
    one, two = a_plan(units=(100.0, 0.0)), a_plan()
    parts = scenarios_measures.price_volume(some_tables(plan=one), some_tables(plan=two))
    assert parts["volume"] / 6 == pytest.approx(40 * 10)
    assert parts["price"] == parts["cost"] == 0


def test_people_count_beyond_the_wages_in_unit_cost():
    """Two people at 60 make 100 at a wage of 1.2 each; a month without work costs all their wages, one fully worked nothing."""
    workforce = pd.DataFrame({"family": ["Apple"], "regular_cost": [60.0], "units_per_worker": [50.0]})
    people = pd.DataFrame({"family": "Apple", "regular": [100.0, 0.0], "overtime": [10.0, 0.0], "subcontract": 0.0, "cost_regular": 120.0, "cost_overtime": [20.0, 0.0],
                           "cost_hiring": 0.0, "cost_layoff": 0.0, "cost_subcontract": 0.0})
    assert scenarios_measures._people(people, None, workforce, True) == pytest.approx((120 + 20 - 110 * 1.2) + 120)
    assert scenarios_measures._people(people, None, workforce, False) == pytest.approx(260)


# --- what cannot be asked ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("kind", "words_of", "told"), [
    ("demnd", {"by": 0.1}, "Did you mean demand?"),
    ("demand", {"buy": 0.1, "by": 0.1}, "Did you mean by?"),
    ("demand", {}, "demand needs by"),
    ("demand", {"by": -1.5}, "by is -1.5; it must be at least -1"),
    ("price", {"by": -1.0}, "a price cannot fall by all of itself"),
    ("down", {"resource": "Line", "first": "2026-11", "weeks": 0}, "weeks is 0; it must be more than 0"),
    ("lead_time", {"factor": 2}, "lead_time needs one of supplier, family, item"),
    ("capacity", {"resource": "Line", "by": 0.1, "factor": 2}, "capacity takes no factor"),
])
def test_a_change_that_cannot_be(kind, words_of, told):
    with pytest.raises(Problems, match=told.replace("?", r"\?")):
        scenarios.change(kind, **words_of)


@pytest.mark.parametrize(("change", "told"), [
    (scenarios.change("demand", by=0.1, family="Aple"), "no family is called Aple. Allowed: Apple, Berry. Did you mean Apple?"),
    (scenarios.change("demand", by=0.1, item="A", location="US"), "no location is called US"),
    (scenarios.change("demand", by=0.1, family="Materials"), "no family is called Materials"),
    (scenarios.change("demand", by=0.1, first="2028-01"), "lies outside the months planned, 2026-10 to 2027-03"),
    (scenarios.change("down", resource="line", first="2026-11", weeks=2), "Did you mean Line?"),
    (scenarios.change("down", resource="Line", first="2025-11", weeks=2), "lies outside the months planned"),
    (scenarios.change("lead_time", supplier="Glasworks", factor=2), "Did you mean Glassworks?"),
    (scenarios.change("event", event="EV2", to="2027-01"), "event EV2 states no effect"),
    (scenarios.change("event", event="FEAST", to="2027-01"), "a holiday, which cannot be moved"),
    (scenarios.change("event", event="EV1", to="2029-01"), "lies outside the months planned"),
    (scenarios.change("setting", setting="holding_rat", value=0.1), "Did you mean holding_rate?"),
    (scenarios.change("setting", setting="holding_rate", value=-1), "supply.holding_rate cannot be -1"),
    (scenarios.change("setting", setting="service.A", value=1.2), "supply.service.A cannot be 1.2"),
])
def test_what_a_scenario_names_and_nobody_has_leaves_it_out_and_the_others_in(change, told):
    good = scenarios.scenario("good", scenarios.change("demand", by=0.1))
    found = scenarios.run([scenarios.scenario("bad", change), good], some_tables(), RULES, as_of=AS_OF)
    assert found.measures["scenario"].tolist() == ["base", "good"]
    assert told in found.left_out["because"].iloc[0]
    assert found.left_out["because"].iloc[0].startswith("scenario bad, change 1: ")


def test_a_table_that_is_not_there_is_named():
    found = compared(scenarios.change("lead_time", supplier="Glassworks", factor=2), given_tables=some_tables(purchases=None))
    assert "there is no table purchases" in found.left_out["because"].iloc[0]


def test_at_most_five_and_each_by_its_own_name():
    asked = [scenarios.scenario(f"s{i}", scenarios.change("demand", by=0.1)) for i in range(6)]
    with pytest.raises(Problems, match="6 are asked for"):
        scenarios.chosen(asked)
    assert [one.name for one in scenarios.chosen(asked, ["s4", "s1"])] == ["s1", "s4"]
    with pytest.raises(Problems, match=r"no scenario is called s44.*Did you mean s4\?"):
        scenarios.chosen(asked, ["s44"])
    with pytest.raises(Problems, match="s1 stands twice"):
        scenarios.chosen([asked[1], asked[1]])


def test_with_a_plan_and_items_alone_money_still_comes_out():
    """No stock, no hours, no people: what can be said is said."""
    given_tables = scenarios.Tables(plan=a_plan(), items=some_tables().items, tested=some_tables().tested)
    found = compared(scenarios.change("demand", by=0.1), given_tables=given_tables)
    assert difference(found) == pytest.approx(0.1 * (600 * 4 + 240 * 10))
    assert found.measures[["stock_mean", "peak_load", "people", "below"]].isna().all().all()
    words.speak("en", "USD")
    assert "brings most" in scenarios_page.beside(found, names={}, months=MONTHS).text


def test_the_page_says_which_brings_most_and_where_it_comes_from():
    words.speak("en", "USD")
    asked = [scenarios.scenario("More <juice>", scenarios.change("demand", by=0.1), scenarios.change("price", by=0.05, family="Apple", elasticity=-1, last="2026-12")),
             scenarios.scenario("The line stands", scenarios.change("down", resource="Line", first="2026-11-02", weeks=4)),
             scenarios.scenario("Nothing", scenarios.change("capacity", resource="Line", by=0.0)), scenarios.scenario("Lost", scenarios.change("demand", by=0.1, item="Z"))]
    found = scenarios.run(asked, some_tables(), RULES, as_of=AS_OF)
    shown = scenarios_page.beside(found, names={"A": "Apple juice"}, months=MONTHS)
    assert "More <juice> brings most" in shown.text
    assert "<juice>" not in shown.html
    for text in ("The line stands costs most", "Nothing changes nothing in this plan.", "Lost is not computed.", "Price of Apple +5.0% to December 2026, elasticity −1.00"):
        assert text in shown.text
    table = scenarios_page.as_table(found)
    assert (table.filter(like="part_").sum(axis=1) - table["difference"]).abs().max() < 1e-6
