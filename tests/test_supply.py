"""Load, exceptions and their answers: small plants and warehouses whose money can be added up by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import frame

from sopnb import capacity, deliverable, frames, netting, supply

AS_OF = pd.Timestamp("2026-01-01")


def items(*rows: str, columns: str = "item unit_cost unit_price make_or_buy end_date"):
    return frames.conform(frame(columns, *rows).assign(family="F"), frames.ITEMS)


def plan(*demand, item="A", location="EU", price=10.0, cost=6.0):
    units = np.array(demand, float)
    return pd.DataFrame({"item": item, "location": location, "month": frames.months("2026-01", len(units)), "consensus": units,
                         "revenue": units * price, "margin": units * (price - cost)})


def stock(on_hand, item="A", location="EU"):
    return frame("item location as_of on_hand", f"{item} {location} 2026-01-01 {on_hand}")


def oven(*hours, overtime=0.0, resource="oven"):
    return pd.DataFrame({"resource": resource, "month": frames.months("2026-01", len(hours)), "available_hours": np.array(hours, float),
                         "overtime_hours": overtime, "cost_rate": 10.0, "overtime_rate": 15.0})


ROUTING = frame("item resource hours_per_unit", "A oven 0.5")
ONE = items("A 6 10 make -")


def loaded(demand=(100, 300, 100), hours=(100, 100, 100), **more):
    p = plan(*demand)
    made = capacity.production(p, ROUTING, ONE, as_of=AS_OF)
    return capacity.load(made, ROUTING, oven(*hours, **more), ONE, p)


# --- load -----------------------------------------------------------------------------------------------------------

def test_load_is_units_times_hours():
    """100, 300, 100 units at half an hour: 50, 150, 50 hours; 50 too many in February, a third of its 3,000 revenue."""
    out = loaded(overtime=20)
    assert list(out.hours) == [50, 150, 50] and list(out.overload) == [0, 50, 0]
    assert out.overload_amount[1] == pytest.approx(1000) and out.cost[1] == 20 * 15
    assert out.revenue.sum() == 5000 and out.goods.sum() == 3000 and out.margin.sum() == 2000


def test_planned_and_open_orders_of_made_items_are_the_load():
    """What is due in the past is work of the first month; what is bought takes no hours."""
    both = items("A 6 10 make -", "B 6 10 buy -")
    routing = frame("item resource hours_per_unit", "A oven 0.5", "B oven 9")
    proposed = frame("item due quantity", "A 2026-02-01 40", "B 2026-02-01 40")
    receipts = frame("item due_date quantity", "A 2025-12-01 10", "A 2026-02-20 20")
    made = capacity.production(plan(1, 1), routing, both, proposed=proposed, receipts=receipts, as_of=AS_OF)
    assert made[["item", "quantity"]].values.tolist() == [["A", 10], ["A", 60]]


def test_a_month_without_capacity_is_unknown_not_empty():
    out = loaded(hours=(100, 100))
    assert np.isnan(out.available[2]) and np.isnan(out.overload[2])
    assert capacity.unknown(out).values.tolist() == [["oven", 1, 50]]


def test_made_items_without_a_routing_are_named():
    assert list(capacity.without_routing(plan(5, item="B"), ROUTING, items("A 6 10 make -", "B 6 10 make -")).item) == ["B"]


# --- exceptions -----------------------------------------------------------------------------------------------------

def exceptions(demand, on_hand, **more):
    p = plan(*demand)
    projection = netting.project(stock(on_hand), None, more.get("proposed"), p, as_of=AS_OF)
    return supply.exceptions(projection, more.pop("master", ONE), as_of=AS_OF, plan=p, **more)


def test_a_shortage_is_what_is_owed_at_its_worst():
    """20 on hand, 15 a month for three months: 10 owed in February, 25 in March, at 10 each."""
    got = exceptions((15, 15, 15), 20).iloc[0]
    assert (got.kind, got.units, got.amount, got.id) == ("short", 25, 250, "short-A-EU-202602")
    assert got["first"] == pd.Timestamp("2026-02-01") and got["last"] == pd.Timestamp("2026-03-01")


def shared_source(asked_here):
    """EU has 10 on hand and ships 30 to US on top of what its own customers ask for."""
    p = pd.concat([plan(asked_here, 0), plan(30, 0, location="US")])
    demand = pd.concat([plan(asked_here + 30, 0), plan(30, 0, location="US")])
    held = pd.concat([stock(10), stock(30, location="US")])
    projection = netting.project(held, None, None, demand, as_of=AS_OF)
    return projection, p, supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, excess_months=99)


def test_what_a_place_owes_to_others_is_no_sale_of_its_own():
    """20 asked for here and 30 shipped: 40 are owed, 20 of them to customers, at 10 each. The place it was shipped to is not short."""
    projection, p, got = shared_source(20)
    assert got[["location", "units", "amount"]].to_numpy().tolist() == [["EU", 20, 200]]
    found = answers(got, projection=projection, p=p, places={"US": "America"})
    assert found["costs"]["wait"] == 20 * 4 and found["service"]["wait"] == 0
    missing = deliverable.short(p, projection=projection)
    assert (missing["stock"] * missing["price"]).sum() == got["amount"].sum(), "what the plan that can be delivered lacks"


def test_what_is_short_only_for_other_places_is_worth_its_cost():
    projection, p, got = shared_source(0)
    assert got[["units", "amount", "because"]].to_numpy().tolist() == [[20, 20 * 6, "exceptions.short_inside"]]
    assert list(answers(got, projection=projection, p=p).index) == ["expedite"], "no customer waits here"


def test_the_price_is_that_of_the_month_in_which_customers_wait():
    p = plan(20, 20)
    p.loc[p["month"] == p["month"].max(), ["revenue", "margin"]] *= 3
    projection = netting.project(stock(20), None, None, p, as_of=AS_OF)
    assert supply.exceptions(projection, ONE, as_of=AS_OF, plan=p).query("kind == 'short'")["amount"].tolist() == [600]


def test_the_reason_names_the_lead_time_of_the_order_that_comes_too_late():
    proposed = netting.net(plan(15, 15, 15), stock(5), None, items("A 6 10 make -"), as_of=AS_OF, lead=frame("item location lead_days", "A EU 45"))
    p = plan(15, 15, 15)
    projection = netting.project(stock(5), None, proposed, p, as_of=AS_OF)
    got = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, proposed=proposed).iloc[0]
    assert got.because == "exceptions.short_lead_time"
    assert json.loads(got["values"])["arrives"] == "2026-02-15" and json.loads(got["values"])["lead_days"] == 45


def test_excess_is_above_the_months_of_coming_demand():
    """10 a month and a limit of 2 months: of 50 on hand, 30 are too many, 180 at cost."""
    got = exceptions((10, 10, 10, 10, 10, 10), 50, excess_months=2).iloc[0]
    assert (got.kind, got.units, got.amount) == ("excess", 30, 180)


def test_a_limit_beyond_the_plan_goes_on_at_its_mean():
    assert exceptions((10, 10, 10), 50, excess_months=4.5).iloc[0].units == 5


def test_stock_nobody_asks_for_is_obsolete():
    got = exceptions((0, 0, 0), 7).iloc[0]
    assert (got.kind, got.units, got.amount, got.because) == ("obsolete", 7, 42, "exceptions.obsolete")


def test_stock_past_its_end_date_is_obsolete_beyond_what_is_still_asked_for():
    """Forks are no longer sold. Bicycles still take 1 a month: 3 of the 7 are live, 4 are not. At 10 a month all are live."""
    ended = items("A 6 10 make 2025-06-30")
    got = exceptions((1, 1, 1), 7, master=ended).iloc[0]
    assert (got.kind, got.units, got.because) == ("obsolete", 4, "exceptions.obsolete_ended")
    assert exceptions((10, 10, 10), 7, master=ended, months=1).query("kind == 'obsolete'").empty


def test_stock_past_its_end_date_is_counted_once():
    """2 a month, 9 on hand, a limit of two months: 3 are beyond the whole plan, 2 of the others beyond the limit."""
    got = exceptions((2, 2, 2), 9, master=items("A 6 10 make 2025-06-30"), excess_months=2).set_index("kind")["units"]
    assert got.to_dict() == {"excess": 2, "obsolete": 3}


def test_overloads_in_a_row_are_one_exception():
    """February and March together, May apart; beyond is what overtime cannot take."""
    p = plan(100, 300, 300, 100, 300)
    made = capacity.production(p, ROUTING, ONE, as_of=AS_OF)
    load = capacity.load(made, ROUTING, oven(*[100] * 5, overtime=20), ONE, p)
    projection = netting.project(stock(1100), None, None, p, as_of=AS_OF)
    got = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, load=load, excess_months=99)
    assert list(got.id) == ["overload-oven-202602", "overload-oven-202605"]
    assert list(got.units) == [100, 50] and json.loads(got["values"][0])["beyond"] == 60


def test_late_orders_are_exceptions():
    late = frame("order item location due_date quantity", "PO1 A EU 2025-12-02 5", "PO2 A EU 2026-02-02 5")
    got = exceptions((0,), 0, receipts=late)
    assert list(got.kind) == ["late"] and got.amount[0] == 30 and json.loads(got["values"][0])["days"] == 30


def test_the_largest_money_comes_first():
    both = frame("id amount", "b 5", "a 5", "c -9")
    assert list(supply.ranked(both).id) == ["c", "a", "b"] and len(supply.ranked(both, 2)) == 2


def test_no_exceptions_is_an_empty_table():
    assert exceptions((1, 1), 2).empty


# --- one set of months, each good once ------------------------------------------------------------------------------

def test_exceptions_look_at_the_first_months_and_the_rest_is_one_line():
    """50 hours too many in each of February to May, revenue 1,000 each: two months are asked about, two come later."""
    load, p = loaded(demand=(100, 300, 300, 300, 300), hours=[100] * 5), plan(100, 300, 300, 300, 300)
    projection = netting.project(stock(9999), None, None, p, as_of=AS_OF)
    near = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, load=load, excess_months=99, months=3)
    got = near.iloc[0]
    assert (got.kind, got.units, got.amount, got["last"]) == ("overload", 100, 2000, pd.Timestamp("2026-03-01"))
    hours = json.loads(supply.options(near, projection, ONE, plan=p, load=load)["values"].iloc[-1])["hours"]
    assert hours == 100, "the options answer the same months"
    later = supply.beyond(after=pd.Timestamp("2026-03-01"), load=load, projection=projection)
    assert later[["kind", "units", "amount"]].values.tolist() == [["overload", 100.0, 2000.0]]
    assert json.loads(later["values"][0])["first"] == "2026-04-01"


def test_a_shortage_behind_the_months_is_told_once_and_not_asked_about():
    p = plan(10, 10, 10, 10)
    projection = netting.project(stock(25), None, None, p, as_of=AS_OF)
    assert supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, excess_months=99, months=2).empty
    later = supply.beyond(after=pd.Timestamp("2026-02-01"), projection=projection)
    assert later[["kind", "units", "because"]].values.tolist() == [["short", 15.0, "exceptions.beyond_short"]]
    assert supply.beyond(after=pd.Timestamp("2026-04-01"), projection=projection).empty


def clash(on_hand, second="mixer"):
    """300 of A in February: 50 hours too many at the oven (1,000 of sales), 25 at the mixer (750), and what is short besides."""
    p, routing = plan(100, 300, 100), frame("item resource hours_per_unit", "A oven 0.5", f"A {second} 0.25")
    hours = pd.concat([oven(100, 100, 100), oven(50, 56.25, 50, resource=second)])
    made = capacity.production(p, routing, ONE, as_of=AS_OF)
    load = capacity.load(made, routing, hours, ONE, p)
    projection = netting.project(stock(on_hand), None, None, p, as_of=AS_OF)
    return supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, load=load, made=made, routings=routing, excess_months=99)


def test_goods_that_wait_for_two_resources_count_once():
    """The mixer's 750 are of the oven's 1,000: the same units in the same month. At stake is 1,000, not 1,750."""
    got = clash(9999).set_index("resource")
    assert got["amount"].to_dict() == {"oven": 1000, "mixer": 750} and got["overlap"].to_dict() == {"oven": 0, "mixer": 750}


@pytest.mark.parametrize(("on_hand", "at_stake"), [(450, 1000), (150, 3500)])
def test_of_a_shortage_and_an_overload_of_the_same_goods_the_larger_counts(on_hand, at_stake):
    """450 on hand: 50 short in March, 500, less than the oven's 1,000. 150 on hand: 350 short, 3,500, more than it."""
    got = clash(on_hand)
    assert {"short", "overload"} == set(got.kind)
    assert (got.amount - got.overlap).sum() == pytest.approx(at_stake)
    assert supply.by_kind(got)["amount"].sum() == pytest.approx(at_stake)


def test_overlap_is_never_more_than_the_amount_nor_the_whole():
    for on_hand in (0, 100, 300, 420, 480, 9999):
        got = clash(on_hand)
        assert got.overlap.between(0, got.amount + 1e-9).all() and (got.amount - got.overlap).sum() >= got.amount.max() - 1e-9


def test_goods_of_different_items_both_count():
    """A is short, B overloads the oven: nothing is counted twice."""
    both = items("A 6 10 make -", "B 6 10 make -")
    p = pd.concat([plan(30, 0), plan(300, 0, item="B")])
    routing = frame("item resource hours_per_unit", "B oven 0.5")
    made = capacity.production(p, routing, both, as_of=AS_OF)
    load = capacity.load(made, routing, oven(100, 100), both, p)
    projection = netting.project(pd.concat([stock(5), stock(999, item="B")]), None, None, p, as_of=AS_OF)
    got = supply.exceptions(projection, both, as_of=AS_OF, plan=p, load=load, made=made, routings=routing, excess_months=99)
    assert {"short", "overload"} <= set(got.kind) and got.overlap.sum() == 0


# --- one cause, one question ----------------------------------------------------------------------------------------

def dead_stock(*units):
    """As many items without demand, 6 each in cost, 10 in price."""
    rows = [f"Z{i} 6 10 buy 2025-06-30" for i in range(len(units))]
    master, nothing = items(*rows), pd.concat([plan(0, 0, item=f"Z{i}") for i in range(len(units))]).assign(revenue=0.0, margin=0.0)
    projection = netting.project(pd.concat([stock(n, item=f"Z{i}") for i, n in enumerate(units)]), None, None, nothing, as_of=AS_OF)
    return supply.exceptions(projection, master, as_of=AS_OF, plan=nothing), projection, master, nothing


def test_stock_of_one_cause_is_one_group_and_one_item_is_none():
    many, *_ = dead_stock(7, 5, 3)
    assert set(many.group) == {"all-obsolete_ended"} and many.id.nunique() == 3
    one, *_ = dead_stock(7)
    assert list(one.group) == list(one.id)


def test_answers_to_a_group_are_the_sums_of_its_members():
    """15 units of three items, cost 90: cleared at 5 each they bring 75; written off nothing; kept they cost a fifth more."""
    table, projection, master, p = dead_stock(7, 5, 3)
    got = answers(table, projection=projection, p=p, master=master)
    assert set(got["exception"]) == {"all-obsolete_ended"}
    assert got["net"].to_dict() == pytest.approx({"clear": -15, "write_off": -90, "keep": -108})
    told = json.loads(got["values"]["clear"])
    assert (told["units"], told["count"]) == (15, 3)


def test_who_lacks_an_answer_of_the_group_stays_as_it_is():
    """30 too many of A and of B at 10 a month, carried for 10.50 each; only A has an order that can be stopped: half of its carrying is saved."""
    p, both = pd.concat([plan(*[10] * 6), plan(*[10] * 6, item="B")]), items("A 6 10 buy -", "B 6 10 buy -")
    due = frame("order item location due_date quantity", "PO1 A EU 2026-03-01 15")
    projection = netting.project(pd.concat([stock(50), stock(50, item="B")]), due, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, both, as_of=AS_OF, plan=p, excess_months=2)
    got = answers(table, projection=projection, p=p, master=both, receipts=due, excess_months=2)
    assert got["costs"][["carry", "stop_orders"]].to_dict() == pytest.approx({"carry": 21, "stop_orders": 15.75})
    assert json.loads(got["values"]["stop_orders"])["units"] == 15 and got["option"].to_dict()["carry"] == "C"


def test_the_recommended_answer_is_a_and_doing_nothing_comes_last():
    table, projection, master, p = dead_stock(7, 5)
    out = supply.options(table, projection, master, plan=p)
    assert out["title"].str.removeprefix("options.").tolist()[-1] in supply.NOTHING
    assert out.loc[out["recommended"], "option"].tolist() == ["A"]


def test_the_largest_groups_are_taken_whole():
    table = frame("id group amount", "a all-x 3", "b all-x 3", "c c 5", "d d 4")
    assert list(supply.largest_groups(table, 2)["id"]) == ["a", "b", "c"]


# --- options --------------------------------------------------------------------------------------------------------

def answers(table, load=None, projection=None, p=None, **more):
    p = plan(100, 300, 100) if p is None else p
    projection = netting.project(stock(1100), None, None, p, as_of=AS_OF) if projection is None else projection
    out = supply.options(table, projection, more.pop("master", ONE), plan=p, load=load, **more)
    return out.assign(title=out["title"].str.removeprefix("options.")).set_index("title")


def test_five_answers_to_an_overload_by_pencil():
    """50 hours too many in February, 100 units: revenue 1,000, margin 400, cost 600.

    overtime: 20 hours at 15 = 300, and 30 hours undone lose 240 of margin          → costs 540, net −140
    pull forward: January has 50 hours of slack; 600 of goods a month early at 24 % → costs 12, net 388
    shift: March has 50 hours of slack; 5 % of 1,000                                → costs 50, net 350
    subcontract: 15 % of 600                                                        → costs 90, net 310
    ration: loses 400                                                               → net 0
    """
    load = loaded(overtime=20)
    projection = netting.project(stock(1100), None, None, plan(100, 300, 100), as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=plan(100, 300, 100), load=load, excess_months=99)
    got = answers(table, load, holding_rate=0.24)
    assert got["costs"].round(6).to_dict() == {"overtime": 540, "pull_forward": 12, "shift": 50, "subcontract": 90, "ration": 400}
    assert got["net"].round(6).to_dict() == {"overtime": -140, "pull_forward": 388, "shift": 350, "subcontract": 310, "ration": 0}
    assert got["keeps"].round(6).to_dict() == {"overtime": 400, "pull_forward": 1000, "shift": 1000, "subcontract": 1000, "ration": 0}
    assert got["service"]["ration"] == pytest.approx(100 / 150) and got["service"]["subcontract"] == 1
    assert list(got.index[got["recommended"]]) == ["pull_forward"] and list(got["option"]) == ["A", "B", "C", "D", "E"]


def test_a_mix_is_an_answer_where_it_beats_each_cure_alone():
    """100 hours too many, 40 to spare before and 40 in overtime at 1: the rest is subcontracted at 1.80 an hour. Alone none is as cheap."""
    p = plan(120, 400)
    made = capacity.production(p, ROUTING, ONE, as_of=AS_OF)
    load = capacity.load(made, ROUTING, oven(100, 100, overtime=40).assign(overtime_rate=1.0), ONE, p)
    projection = netting.project(stock(1100), None, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, load=load, excess_months=99)
    got = answers(table, load, p=p, holding_rate=0.12)
    assert got["costs"]["mix"] == pytest.approx(40 * 12 * 0.01 + 40 + 20 * 1.8) and got.index[0] == "mix"
    assert got["service"]["mix"] == 1 and json.loads(got["values"]["mix"])["subcontract"] == 20


def test_slack_is_used_once():
    """Two overloaded months, 50 hours of slack before them: only 50 hours can be made earlier."""
    load = loaded(demand=(100, 300, 300))
    projection = netting.project(stock(1100), None, None, plan(100, 300, 300), as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=plan(100, 300, 300), load=load, excess_months=99)
    got = answers(table, load)
    assert json.loads(got["values"]["pull_forward"])["hours"] == 50 and "overtime" not in got.index


def test_three_answers_to_a_shortage_by_pencil():
    """20 units short, margin 4, cost 6; US can spare 15 all along.

    expedite: 10 % of 120 = 12;  transfer: 5 % of 90, and 5 units lose 20 = 24.5;  wait: loses 80.
    """
    p = pd.concat([plan(20, 0), plan(5, 5, location="US")])
    projection = netting.project(stock(25, location="US"), None, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, excess_months=99)
    got = answers(table, projection=projection, p=p)
    assert got["costs"].to_dict() == pytest.approx({"expedite": 12, "transfer": 24.5, "wait": 80})
    moved = json.loads(got["values"]["transfer"])
    assert moved["source"] == "US" and moved["units"] == 15
    named = answers(table, projection=projection, p=p, places={"US": "America"})
    assert json.loads(named["values"]["transfer"])["source"] == "America"
    assert list(got.index[got["recommended"]]) == ["expedite"] and got["service"]["transfer"] == pytest.approx(0.75)


def test_answers_to_excess_and_obsolete_stock():
    """30 units too many at 10 a month: carried 2 + 1.5 months, 30 · 6 · 0.24 / 12 · 3.5 = 12.60; at 20 % off 60 is given away."""
    p = plan(*[10] * 6)
    projection = netting.project(stock(50), None, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, excess_months=2)
    got = answers(table, projection=projection, p=p, holding_rate=0.24, excess_months=2)
    assert got.loc[["carry", "promote"], "costs"].to_dict() == pytest.approx({"carry": 12.6, "promote": 60})
    nothing = plan(0, 0)
    dead = netting.project(stock(7), None, None, nothing, as_of=AS_OF)
    got = answers(supply.exceptions(dead, ONE, as_of=AS_OF, plan=nothing), projection=dead, p=nothing)
    assert got["net"].to_dict() == pytest.approx({"clear": 7 * 10 * 0.5 - 42, "write_off": -42, "keep": -42 * 1.2})


def test_what_is_cleared_brings_part_of_the_price_last_paid():
    """List price 10; customers last paid 4 a unit: half of it. Where nobody ever bought, half of the list price, and it says so."""
    nothing = plan(0, 0).assign(revenue=0.0, margin=0.0)
    dead = netting.project(stock(7), None, None, nothing, as_of=AS_OF)
    table = supply.exceptions(dead, ONE, as_of=AS_OF, plan=nothing)
    history = frame("item location month demand_raw returns revenue", "A EU 2024-01-01 10 0 80", "A EU 2024-03-01 12 2 40", "A EU 2024-04-01 0 0 0")
    assert answers(table, projection=dead, p=nothing, history=history).loc["clear", "gains"] == 7 * 4 * 0.5
    never = answers(table, projection=dead, p=nothing, history=history.assign(item="B"))
    assert never.loc["clear_listed", "gains"] == 7 * 10 * 0.5 and json.loads(never["values"]["clear_listed"])["listed"] == 7


def test_no_cost_is_below_nothing_where_goods_sell_at_a_loss():
    """100 hours too many for goods that lose 1 a unit: not making the 200 units avoids 200, which is the reason for it."""
    p = plan(100, 400, 100, price=5)
    projection = netting.project(stock(9999), None, None, p, as_of=AS_OF)
    load = capacity.load(capacity.production(p, ROUTING, ONE, as_of=AS_OF), ROUTING, oven(100, 100, 100, overtime=20), ONE, p)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, load=load, excess_months=9999)
    got = answers(table, projection=projection, p=p, load=load)
    assert (got[["gains", "costs"]] >= 0).all(axis=None) and np.allclose(got["net"], got["gains"] - got["costs"])
    assert got["recommended"].idxmax() == "ration_loss" and got.loc["ration_loss", ["gains", "costs", "net"]].tolist() == [200, 0, 200]
    assert got.loc["overtime", "gains"] == 160 and got.loc["overtime", "costs"] == 300
    short = netting.project(stock(50), None, None, plan(100, price=5), as_of=AS_OF)
    got = answers(supply.exceptions(short, ONE, as_of=AS_OF, plan=plan(100, price=5)), projection=short, p=plan(100, price=5))
    assert got["recommended"].idxmax() == "wait_loss" and (got["costs"] >= 0).all() and got.loc["wait_loss", "net"] == 50


def test_open_orders_can_be_stopped_instead():
    p = plan(*[10] * 6)
    due = frame("order item location due_date quantity", "PO1 A EU 2026-03-01 15")
    projection = netting.project(stock(50), due, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, excess_months=2, receipts=due)
    got = answers(table, projection=projection, p=p, receipts=due, excess_months=2)
    assert got["costs"]["stop_orders"] == pytest.approx(got["costs"]["carry"] / 2)


def test_money_of_every_answer_adds_up():
    """net = gains − costs; one recommendation for each exception, the highest net; letters from A."""
    p = pd.concat([plan(20, 300, 20), plan(5, 5, 5, location="US"), plan(0, 0, 0, item="Z")])
    master = items("A 6 10 make -", "Z 3 8 buy -")
    on_hand = pd.concat([stock(25), stock(400, location="US"), stock(9, item="Z")])
    projection = netting.project(on_hand, None, None, p, as_of=AS_OF)
    load = capacity.load(capacity.production(p, ROUTING, master, as_of=AS_OF), ROUTING, oven(100, 100, 100), master, p)
    table = supply.exceptions(projection, master, as_of=AS_OF, plan=p, load=load)
    out = supply.options(table, projection, master, plan=p, load=load)
    assert set(table.kind) == {"short", "excess", "obsolete", "overload"}
    assert np.allclose(out.net, out.gains - out.costs)
    for _, rows in out.groupby("exception"):
        assert rows.recommended.sum() == 1 and rows.loc[rows.recommended, "net"].iloc[0] == pytest.approx(rows.net.max())
        assert list(rows.option) == [chr(ord("A") + i) for i in range(len(rows))]


def test_every_sentence_has_its_values(project):
    """Each message names only values that its rows bring."""
    from string import Formatter

    templates = yaml.safe_load((project / "sopnb" / "messages" / "supply.yaml").read_text(encoding="utf-8"))
    p = pd.concat([plan(20, 300, 20), plan(5, 5, 5, location="US"), plan(0, 0, 0, item="Z")])
    master = items("A 6 10 make -", "Z 3 8 buy -")
    due = frame("order item location due_date quantity", "PO1 A US 2025-12-01 5")
    projection = netting.project(pd.concat([stock(25), stock(400, location="US"), stock(9, item="Z")]), due, None, p, as_of=AS_OF)
    load = capacity.load(capacity.production(p, ROUTING, master, as_of=AS_OF), ROUTING, oven(100, 100, 100, overtime=5), master, p)
    table = supply.exceptions(projection, master, as_of=AS_OF, plan=p, load=load, receipts=due)
    assert {f"exceptions.sum_{kind}" for kind in table.kind} <= set(templates), "each kind has its part of the sentence that adds them up"
    out = supply.options(table, projection, master, plan=p, load=load, receipts=due)
    for sentence, values in [*zip(table.because, table["values"], strict=True), *zip(out.title, out["values"], strict=True)]:
        wanted = {name for _, name, _, _ in Formatter().parse(templates[sentence]) if name}
        assert wanted <= set(json.loads(values)), sentence


def test_a_component_that_is_short_stops_production_so_nobody_may_wait():
    """Flour is not sold: what is owed counts at its cost, and the answer is to hurry it."""
    flour = items("A 6 - buy -")
    p = plan(20, 0).assign(revenue=0.0, margin=0.0)
    projection = netting.project(stock(5), None, None, p, as_of=AS_OF)
    table = supply.exceptions(projection, flour, as_of=AS_OF, plan=p)
    assert table.because[0] == "exceptions.short_component" and table.amount[0] == 15 * 6
    assert list(supply.options(table, projection, flour, plan=p)["title"]) == ["options.expedite"]


# --- figures nobody should believe ----------------------------------------------------------------------------------

def test_hours_below_what_was_really_made_are_doubted():
    """200 units a month were made at half an hour: 100 hours a month. 60 stated are wrong, 90 may be overtime and stock."""
    history = pd.DataFrame({"item": "A", "location": "EU", "month": frames.months("2025-01", 12), "demand": 200.0})
    assert list(capacity.doubtful(oven(60), ROUTING, history, as_of=AS_OF).share) == [pytest.approx(100 / 60)]
    assert capacity.doubtful(oven(90), ROUTING, history, as_of=AS_OF).empty


def test_a_shortage_without_a_stock_count_says_so():
    """Nothing was counted: unknown is not the same as none, and the reader must hear it."""
    p = plan(5)
    projection = netting.project(None, None, None, p, as_of=AS_OF)
    for counted, because in ((stock(0, item="B"), "exceptions.short_uncounted"), (stock(0), "exceptions.short_no_stock")):
        assert supply.exceptions(projection, ONE, as_of=AS_OF, plan=p, stock=counted).because[0] == because
