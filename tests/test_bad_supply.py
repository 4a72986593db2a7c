"""Tables of supply as people may hand them over: what is wrong is told by row, the rest of the plan comes out, and no figure is silently another."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest

from sopnb import aggregate, capacity, constrained, cures, door, frames, inventory, netting, projection

AS_OF = pd.Timestamp("2026-10-01")
MONTHS = frames.months(AS_OF, 4)
ITEMS = pd.DataFrame({"item": ["A", "B"], "family": ["F", "F"], "unit_cost": [5.0, 3.0], "moq": [0.0, 50.0], "lot_multiple": [np.nan, 10.0],
                      "lead_time_days": [10.0, 20.0], "make_or_buy": ["make", "make"]})
KEYS = pd.DataFrame({"item": ["A", "B"], "location": ["X", "X"]})
PLAN = KEYS.merge(pd.DataFrame({"month": MONTHS}), how="cross").assign(consensus=[10.0, 20, 30, 40, 5, 15, 25, 35]).assign(
    revenue=lambda d: d["consensus"] * 10, margin=lambda d: d["consensus"] * 4)
STOCK = KEYS.assign(as_of=AS_OF - pd.Timedelta(days=1), on_hand=[12.0, 8.0])
RECEIPTS = pd.DataFrame({"order": ["P1"], "item": ["A"], "location": ["X"], "due_date": pd.to_datetime(["2026-11-15"]), "quantity": [7.0]})
POLICY = KEYS.assign(safety_stock=4.0, eoq=np.nan, service_class="A")
BILL = pd.DataFrame({"item": ["A"], "component": ["B"], "quantity": [2.0], "scrap": [0.0]})
LANES = pd.DataFrame({"item": ["A"], "location": ["X"], "source_location": ["S"], "transit_days": [5.0]})
ROUTINGS = pd.DataFrame({"item": ["A", "B"], "resource": ["R", "R"], "hours_per_unit": [0.5, 0.2]})
CAPACITY = pd.DataFrame({"resource": "R", "month": MONTHS, "available_hours": 10.0, "overtime_hours": 4.0, "cost_rate": 20.0, "overtime_rate": 30.0})
PEOPLE = pd.DataFrame({"family": ["F"], "opening_people": [3.0], "units_per_worker": [12.0], "hire_cost": [50.0], "layoff_cost": [80.0], "regular_cost": [100.0]})
NETTED = {"plan": PLAN, "stock": STOCK, "receipts": RECEIPTS, "items": ITEMS, "policy": POLICY, "bom": BILL, "lanes": LANES}
HOURS = {"plan": PLAN, "routings": ROUTINGS, "capacity": CAPACITY, "items": ITEMS, "stock": STOCK, "receipts": RECEIPTS, "policy": POLICY}
TWICE = [*((netted, name) for netted in (True, False) for name in ("plan", "stock", "receipts", "policy")), (True, "bom"), (False, "routings"), (False, "capacity"),
         (False, "items")]


def net(**changed):
    return netting.requirements(**{**NETTED, **changed}, as_of=AS_OF)


def within(**changed):
    return constrained.plan_hours(**{**HOURS, **changed}, as_of=AS_OF)


def told(findings):
    return {(row.rule.removeprefix("findings."), row.source): row.first for row in findings.itertuples()}


def twice(table):
    return pd.concat([table, table.iloc[[0]]], ignore_index=True)


def where(table, row, column, value):
    out = table.copy().astype({column: object}) if isinstance(value, str) else table.copy()
    out.loc[row, column] = value
    return out


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(door).failed == 0


@pytest.mark.parametrize("netted, name", TWICE)
def test_a_row_that_stands_twice_counts_once_and_is_told(netted, name):
    run, given = (net, NETTED) if netted else (within, HOURS)
    plain, doubled = run(), run(**{name: twice(given[name])})
    assert told(doubled.findings)["row_repeated", name].startswith(("A", "P1", "R"))
    for table in ("proposed", "shipments", "pegs") if netted else ("items", "bottlenecks", "costs"):
        pd.testing.assert_frame_equal(getattr(doubled, table), getattr(plain, table))


def test_projection_load_policy_and_people_count_rows_once_too():
    lines = capacity.load(capacity.production(PLAN, ROUTINGS, ITEMS, as_of=AS_OF), ROUTINGS, CAPACITY, ITEMS, PLAN)
    again = capacity.load(capacity.production(twice(PLAN), twice(ROUTINGS), twice(ITEMS), as_of=AS_OF), twice(ROUTINGS), twice(CAPACITY), twice(ITEMS), twice(PLAN))
    pd.testing.assert_frame_equal(again, lines)
    orders = net().proposed
    pd.testing.assert_frame_equal(projection.project(twice(STOCK), twice(RECEIPTS), twice(orders), twice(PLAN), as_of=AS_OF, policy=twice(POLICY)),
                                  projection.project(STOCK, RECEIPTS, orders, PLAN, as_of=AS_OF, policy=POLICY))
    plans = aggregate.plans(PLAN, PEOPLE, ITEMS, stock=STOCK, policy=POLICY)
    pd.testing.assert_frame_equal(aggregate.plans(twice(PLAN), PEOPLE, twice(ITEMS), stock=twice(STOCK), policy=twice(POLICY)), plans)


@pytest.mark.parametrize("run, given", [(net, NETTED), (within, HOURS)])
def test_missing_columns_are_named_all_at_once(run, given):
    """No bare KeyError: the table, what it lacks and what it needs, of all tables in one message."""
    with pytest.raises(frames.FrameError, match=r"`plan` lacks month, consensus\..*`stock` lacks on_hand\. It needs: item"):
        run(plan=given["plan"].drop(columns=["month", "consensus"]), stock=given["stock"].drop(columns="on_hand"))


def test_columns_that_may_be_missing_are_not_needed():
    bare = ITEMS[["item", "family"]]
    assert len(net(items=bare, stock=STOCK.drop(columns="as_of")).proposed)
    hours = CAPACITY[["resource", "month", "available_hours"]]
    assert within(capacity=hours, items=bare).costs["amount"].iloc[-1] > 0
    load = capacity.load(capacity.production(PLAN, ROUTINGS, bare, as_of=AS_OF), ROUTINGS, hours, bare, PLAN.drop(columns=["revenue", "margin"]))
    assert load["hours"].sum() == pytest.approx(0.5 * 100 + 0.2 * 80) and (load["cost"] == 0).all()
    tested = pd.DataFrame({"item": "A", "location": "X", "origin": frames.months("2025-01", 12), "month": frames.months("2025-02", 12), "model": "m", "lag": 1,
                           "forecast": 10.0, "demand": np.arange(12.0)})
    assert inventory.policy(PLAN, tested, bare, service={"A": 0.95})["safety_stock"].notna().all()
    assert inventory.doubtful(bare, service={"A": 0.95}).empty


@pytest.mark.parametrize("value", [np.inf, "many"])
@pytest.mark.parametrize("name, column", [("plan", "consensus"), ("stock", "on_hand"), ("receipts", "quantity"), ("policy", "safety_stock"), ("items", "unit_cost")])
def test_a_word_or_no_end_is_no_figure(name, column, value):
    """The row is told with what stands there; the plan comes out as if nothing stood there."""
    for run, given in ((net, NETTED), (within, HOURS)):
        out = run(**{name: where(given[name], 0, column, value)})
        assert ("no_figure", name) in told(out.findings)
        main = out.proposed["quantity"] if run is net else out.items["made"]
        blank = run(**{name: where(given[name], 0, column, np.nan)})
        assert np.isfinite(main).all() and main.tolist() == (blank.proposed["quantity"] if run is net else blank.items["made"]).tolist()


@pytest.mark.parametrize("column", ["lead_time_days", "moq", "lot_multiple"])
def test_master_data_without_end_is_told(column):
    assert told(net(items=where(ITEMS, 1, column, np.inf)).findings)["no_figure", "items"] == "B: inf"


def test_rows_that_name_nothing_are_left_out_and_told():
    out = net(plan=where(PLAN, 0, "item", None), receipts=where(RECEIPTS, 0, "order", None))
    assert {("row_unnamed", "plan"), ("row_unnamed", "receipts")} <= set(told(out.findings))
    asked = net(plan=where(PLAN, 0, "consensus", 0.0), receipts=None)
    assert out.demand["consensus"].sum() == asked.demand["consensus"].sum() and out.proposed["quantity"].sum() == asked.proposed["quantity"].sum()


def test_costs_below_zero_do_not_pay_for_anything():
    """Overtime that pays for itself, or goods that earn by lying about, would be used without need."""
    plain, cheap = within(), within(capacity=where(CAPACITY, 0, "overtime_rate", -1e3), items=where(ITEMS, 0, "unit_cost", -5.0))
    assert told(cheap.findings)["capacity_overtime_rate", "capacity"] == "R 2026-10" and told(cheap.findings)["cost_negative", "items"] == "A"
    assert cheap.costs.set_index("what").loc["overtime", "amount"] >= 0 and cheap.bottlenecks["overtime"].sum() <= plain.bottlenecks["overtime"].sum() + 1e-6
    assert told(net(items=where(ITEMS, 0, "unit_cost", -5.0)).findings)["cost_negative", "items"] == "A: -5"
    for wrong in ({"weights": {"A": -1.0}}, {"wait_cost": -0.1}, {"holding_rate": float("nan")}):
        with pytest.raises(ValueError, match=r"Give numbers of zero or more"):
            constrained.plan_hours(PLAN, ROUTINGS, CAPACITY, ITEMS, **wrong)
    load = capacity.load(capacity.production(PLAN, ROUTINGS, ITEMS, as_of=AS_OF), ROUTINGS, CAPACITY, ITEMS, PLAN)
    with pytest.raises(ValueError, match="subcontract_premium is nan"):
        cures.cures(load, subcontract_premium=float("nan"))


def test_safety_stock_below_zero_is_none_and_told():
    below, none = net(policy=where(POLICY, 0, "safety_stock", -6.0)), net(policy=where(POLICY, 0, "safety_stock", 0.0))
    assert told(below.findings)["safety_negative", "policy"] == "A · X: -6"
    pd.testing.assert_frame_equal(below.proposed, none.proposed)


def test_a_margin_that_is_not_known_does_not_make_a_sale_cheaper():
    """Of 10, 20, 30 and 40 units at 4 the margin of the 40 is missing: a unit still earns 4, not 2.40."""
    short = within(plan=where(PLAN, 3, "margin", np.nan), capacity=CAPACITY.assign(available_hours=1.0, overtime_hours=0.0))
    lost = short.unserved.query("item == 'A' and lost > 0")
    assert (lost["margin"] / lost["lost"]).tolist() == pytest.approx([4.0] * len(lost)) and len(lost)


def test_of_several_counts_the_latest_holds():
    """Last month's count is not stock a second time."""
    earlier = STOCK.assign(as_of=pd.Timestamp("2026-08-31"), on_hand=1000.0)
    counts = pd.concat([earlier, STOCK], ignore_index=True)
    pd.testing.assert_frame_equal(within(stock=counts).items, within().items)
    pd.testing.assert_frame_equal(aggregate.plans(PLAN, PEOPLE, ITEMS, stock=counts), aggregate.plans(PLAN, PEOPLE, ITEMS, stock=STOCK))


def test_a_month_that_nobody_plans_still_brings_what_is_due_in_it():
    """November is in no row of the plan; what comes in it is there in December."""
    gap = PLAN[PLAN["month"] != MONTHS[1]]
    without = net(plan=gap, receipts=None, lanes=None, bom=None)
    brought = net(plan=gap, lanes=None, bom=None)
    assert without.proposed["quantity"].sum() - brought.proposed["quantity"].sum() == 7
    assert projection.project(STOCK, RECEIPTS, None, gap, as_of=AS_OF)["receipts"].sum() == 7


def test_a_plan_without_rows_has_no_orders():
    nothing = PLAN.iloc[:0]
    out = net(plan=nothing)
    assert out.proposed.empty and out.shipments.empty and out.pegs.empty and out.demand.empty
    assert within(plan=nothing).items.empty and projection.project(STOCK, RECEIPTS, None, nothing, as_of=AS_OF).empty
    assert capacity.load(capacity.production(nothing, ROUTINGS, ITEMS, as_of=AS_OF), ROUTINGS, CAPACITY, ITEMS, nothing).empty


def test_families_that_stand_twice_or_that_no_item_has_are_named():
    other = ITEMS.assign(family=["F", "G"])
    people = pd.concat([PEOPLE, PEOPLE, PEOPLE.assign(family="G"), PEOPLE.assign(family="Tee")], ignore_index=True)
    assert set(aggregate.plans(PLAN, people, other)["family"]) == {"G"}
    left = aggregate.unplanned(PLAN, people, other).set_index("family")
    assert "stands 2 times" in left.loc["F", "values"] and "is no family of the items" in left.loc["Tee", "values"] and "G" not in left.index
