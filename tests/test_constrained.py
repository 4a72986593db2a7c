"""The plan within the hours: by pencil, by another formulation, and what must hold for any input."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sopnb import constrained, frames, words

MONTHS = frames.months("2026-01", 3)
EQUAL = {"A": 1.0, "B": 1.0, "C": 1.0}


def goods(**demand):
    """Plan and items: item_class=[units by month]; a unit sells at 30, costs 20 and brings 10."""
    plan, rows = [], []
    for name, units in demand.items():
        plan.append(pd.DataFrame({"item": name, "location": "EU", "month": MONTHS[: len(units)], "consensus": np.array(units, dtype="float64")}))
        rows.append({"item": name, "family": "F", "unit_cost": 20.0, "make_or_buy": "make", "service_class": name[0]})
    table = pd.concat(plan, ignore_index=True)
    return table.assign(revenue=table["consensus"] * 30.0, margin=table["consensus"] * 10.0), frames.conform(pd.DataFrame(rows), frames.ITEMS)


def hours(*regular, overtime=0.0, rate=8.0, resource="oven"):
    return pd.DataFrame({"resource": resource, "month": MONTHS[: len(regular)], "available_hours": np.array(regular, dtype="float64"), "overtime_hours": overtime,
                         "cost_rate": 5.0, "overtime_rate": rate})


def routed(plan, per_unit=1.0, resource="oven"):
    return pd.DataFrame({"item": sorted(plan["item"].unique()), "resource": resource, "hours_per_unit": per_unit})


def made(result, item):
    return result.items.set_index("item").loc[[item], "made"].round(4).tolist()


# --- by pencil --------------------------------------------------------------------------------------------------------

def test_a_is_served_before_b_before_c():
    """100 hours for 180 units: all 60 of A, 40 of B, none of C. What is lost stands with its money, and the oven in January binds."""
    plan, items = goods(A1=[60], B1=[60], C1=[60])
    out = constrained.plan_hours(plan, routed(plan), hours(100), items, wait_cost=None)
    assert [made(out, i) for i in ("A1", "B1", "C1")] == [[60], [40], [0]]
    told = out.unserved[["item", "lost", "amount", "margin", "resource", "binds"]].to_numpy().tolist()
    assert told == [["C1", 60.0, 1800.0, 600.0, "oven", MONTHS[0]], ["B1", 20.0, 600.0, 200.0, "oven", MONTHS[0]]]
    assert out.bottlenecks["value"].tolist() == [10.0]  # one more hour, one more unit, ten of margin: plain money, not weighted
    assert out.costs.set_index("what")["amount"]["lost"] == 800


def test_without_classes_the_hours_go_where_they_bring_most():
    """C needs half an hour for the same margin: it is served first when all classes count the same."""
    plan, items = goods(A1=[60], C1=[60])
    bill = routed(plan).assign(hours_per_unit=[1.0, 0.5])
    alike = constrained.plan_hours(plan, bill, hours(60), items, wait_cost=None, weights=EQUAL)
    assert made(alike, "C1") == [60] and made(alike, "A1") == [30]
    by_class = constrained.plan_hours(plan, bill, hours(60), items, wait_cost=None)
    assert made(by_class, "A1") == [60] and made(by_class, "C1") == [0]


def test_goods_are_made_earlier_where_hours_are_left():
    """100 hours a month for 50, 150 and 100 units: 50 are made a month early. An hour in February saves keeping one for a month; one in March comes too late for anything."""
    plan, items = goods(A1=[50, 150, 100])
    out = constrained.plan_hours(plan, routed(plan), hours(100, 100, 100), items, holding_rate=0.24)
    assert made(out, "A1") == [100, 100, 100] and out.items["stock"].tolist() == [50, 0, 0] and out.unserved.empty
    assert out.bottlenecks["value"].tolist() == pytest.approx([0, 0.4, 0])  # 24 % of 20 a year


def test_overtime_is_worked_where_it_pays():
    """At 8 an hour 20 hours of overtime save 10 of margin a unit; at 12 an hour the sales are lost, and an hour is worth ten."""
    plan, items = goods(A1=[120])
    cheap = constrained.plan_hours(plan, routed(plan), hours(100, overtime=30, rate=8), items, wait_cost=None)
    assert cheap.bottlenecks[["overtime_used", "value", "value_overtime"]].to_numpy().tolist() == [[20, 8, 0]]
    dear = constrained.plan_hours(plan, routed(plan), hours(100, overtime=30, rate=12), items, wait_cost=None)
    assert dear.bottlenecks[["overtime_used", "value"]].to_numpy().tolist() == [[0, 10]] and dear.unserved["lost"].tolist() == [20]
    short = constrained.plan_hours(plan, routed(plan), hours(100, overtime=15, rate=8), items, wait_cost=None)
    assert short.bottlenecks[["overtime_used", "value", "value_overtime"]].to_numpy().tolist() == [[15, 10, 2]]


def test_customers_wait_for_the_next_hours():
    """150 units in January, 100 hours a month: 50 wait until February, and count as late, not lost."""
    plan, items = goods(A1=[150, 40])
    out = constrained.plan_hours(plan, routed(plan), hours(100, 100), items)
    assert out.items["late"].tolist() == [50, 0] and out.items["lost"].sum() == 0
    assert out.unserved[["late", "lost", "late_amount", "amount", "binds"]].to_numpy().tolist() == [[50, 0, 1500, 0, MONTHS[0]]]


def test_safety_stock_is_held_where_hours_are_left_and_gives_way_to_customers():
    """80 units and a safety stock of 30: 20 of it in January with 100 hours, all of it in February. With 70 hours: none, and no
    customer waits for it."""
    plan, items = goods(A1=[80, 80])
    policy = frame("item location safety_stock service_class", "A1 EU 30 A")
    enough = constrained.plan_hours(plan, routed(plan), hours(100, 100), items, policy=policy)
    assert enough.items["stock"].tolist() == [20, 30] and enough.items["below"].tolist() == [10, 0]
    tight = constrained.plan_hours(plan, routed(plan), hours(80, 70), items, policy=policy)
    assert tight.items["stock"].tolist() == [0, 0] and tight.items["lost"].sum() == 10


def test_open_orders_come_and_use_their_hours():
    """60 units on order use 60 of the 100 hours; of the 40 other units, nothing is lost. Overdue orders come in the first month."""
    plan, items = goods(A1=[60], B1=[50])
    receipts = frame("order item location due_date quantity", "P1 A1 EU 2025-11-20 60")
    out = constrained.plan_hours(plan, routed(plan), hours(100), items, receipts=receipts, wait_cost=None)
    assert made(out, "A1") == [0] and made(out, "B1") == [40] and out.unserved["lost"].tolist() == [10]
    assert out.bottlenecks[["hours", "ordered"]].to_numpy().tolist() == [[100, 60]]


def test_goods_owed_today_are_made_first():
    plan, items = goods(A1=[50, 50])
    stock = frame("item location on_hand", "A1 EU -30")
    out = constrained.plan_hours(plan, routed(plan), hours(100, 100), items, stock=stock)
    assert made(out, "A1") == [80, 50]
    slow = constrained.plan_hours(plan, routed(plan), hours(60, 60), items, stock=stock, wait_cost=None)
    assert slow.items["made"].sum() == 120


# --- bad input --------------------------------------------------------------------------------------------------------

def test_unknown_hours_do_not_limit_and_hours_of_zero_do_and_both_are_told():
    """The oven is shut in January and has no figure in February; D1 has no routing and E1 one below zero: each is a finding."""
    plan, items = goods(A1=[50, 50], D1=[5, 5], E1=[7, 7])
    bill = pd.DataFrame({"item": ["A1", "E1"], "resource": "oven", "hours_per_unit": [1.0, -2.0]})
    out = constrained.plan_hours(plan, bill, hours(0.0), items, wait_cost=None)
    assert made(out, "A1") == [0, 50] and out.unserved[["item", "resource", "binds"]].to_numpy().tolist() == [["A1", "oven", MONTHS[0]]]
    assert np.isnan(out.bottlenecks["value"].iloc[1])
    told = out.findings.set_index("rule")
    assert told["first"].to_dict() == {"findings.routing_hours": "E1 oven", "findings.routing_missing": "D1", "findings.capacity_zero": "oven 2026-01",
                                       "findings.capacity_unknown": "oven 2026-02"}
    assert told["rows"].to_dict()["findings.routing_missing"] == 2  # E1's is no routing either
    assert told.loc["findings.routing_missing", "amount"] == 24 * 30
    for row in out.findings.to_dict("records"):
        assert words.message(row["rule"], row["values"]).text


def test_hours_below_zero_are_unknown_and_told():
    plan, items = goods(A1=[50])
    out = constrained.plan_hours(plan, routed(plan), hours(-5.0), items)
    assert made(out, "A1") == [50] and {"findings.capacity_hours", "findings.capacity_unknown"} <= set(out.findings["rule"])


def test_nothing_to_make_is_an_empty_plan():
    plan, items = goods(A1=[50])
    out = constrained.plan_hours(plan, routed(plan).iloc[:0], hours(100), items)
    assert out.items.empty and out.unserved.empty and out.bottlenecks.empty and out.findings["rule"].tolist() == ["findings.routing_missing"]


# --- other routes, and what holds for any input -------------------------------------------------------------------------

SMALL = {"units": st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=2, max_size=4),
         "regular": st.lists(st.integers(0, 120), min_size=3, max_size=3), "seed": st.integers(0, 10_000)}


def made_up(units, regular, seed):
    """Items of classes A to C on two resources, with stock, safety stock and overtime."""
    rng = np.random.default_rng(seed)
    plan, items = goods(**{f"{'ABC'[i % 3]}{i}": row for i, row in enumerate(units)})
    names = sorted(plan["item"].unique())
    bill = pd.concat([pd.DataFrame({"item": names, "resource": r, "hours_per_unit": rng.integers(0, 4, len(names)) / 2}) for r in ("mill", "oven")])
    bill = pd.concat([bill[bill["hours_per_unit"] > 0], pd.DataFrame({"item": names, "resource": "dock", "hours_per_unit": 0.01})])
    margin = dict(zip(names, rng.integers(2, 20, len(names)), strict=True))
    plan = plan.assign(margin=plan["consensus"] * plan["item"].map(margin))
    capacity = pd.concat([hours(*regular, overtime=15.0, rate=4.0, resource=r) for r in ("mill", "oven")] + [hours(90, 90, 90, resource="dock")])
    stock = pd.DataFrame({"item": names, "location": "EU", "on_hand": rng.integers(0, 40, len(names)).astype(float)})
    policy = pd.DataFrame({"item": names, "location": "EU", "safety_stock": rng.integers(0, 20, len(names)).astype(float), "service_class": [n[0] for n in names]})
    return {"plan": plan, "routings": bill, "capacity": capacity, "items": items, "stock": stock, "policy": policy}


@settings(max_examples=20, deadline=None)
@given(**SMALL, wait=st.sampled_from([None, 0.1, 0.5]))
def test_what_goes_in_comes_out_and_hours_are_kept(units, regular, seed, wait):
    tables = made_up(units, regular, seed)
    out = constrained.plan_hours(**tables, wait_cost=wait)
    for _, p in out.items.groupby("item"):
        net = p["stock"] - p["late"]
        assert np.allclose(net, p["opening"] + p["receipts"] + p["made"] + p["lost"] - p["demand"], atol=1e-4)
        assert np.allclose(p["opening"].iloc[1:], net.iloc[:-1], atol=1e-4) and p["late"].iloc[-1] == 0
        assert ((p["late"] < 1e-3) | (p["stock"] < 1e-3)).all()  # no customer waits while goods are there
    assert (out.items.select_dtypes("number").drop(columns="opening") >= -1e-6).all(axis=None) and (out.items["lost"] <= out.items["demand"] + 1e-6).all()
    b = out.bottlenecks
    assert (b["hours"] <= b["available"] + b["overtime_used"] + 1e-3).all() and (b["overtime_used"] <= b["overtime"] + 1e-6).all()
    assert np.allclose(b["value"][b["hours"] < b["available"] - 1e-3], 0, atol=1e-6)  # an hour that nobody needs is worth nothing
    parts = out.costs.set_index("what")["amount"]
    assert parts.drop("all").sum() == pytest.approx(parts["all"], rel=1e-5, abs=1e-2)
    assert out.unserved["lost"].sum() == pytest.approx(out.items["lost"].sum(), abs=1e-2)
    assert out.unserved["resource"].notna().all() and out.unserved["amount"].is_monotonic_decreasing


@settings(max_examples=20, deadline=None)
@given(**SMALL)
def test_the_least_cost_is_that_of_another_formulation(units, regular, seed):
    """Without stock among the unknowns: what is made and lost up to a month, less what is asked for, is kept or owed. Interior point.
    Safety stock is left out, since it only takes what customers leave."""
    tables = {**made_up(units, regular, seed), "policy": None}
    out = constrained.plan_hours(**tables, weights=EQUAL, wait_cost=0.1)
    if out.items.empty:
        return
    wide = {name: out.items.pivot(index="item", columns="month", values=name).to_numpy() for name in ("demand", "opening")}
    demand, names = wide["demand"], sorted(out.items["item"].unique())
    n, t = demand.shape
    sums = tables["plan"].groupby("item")[["consensus", "margin"]].sum().loc[names]
    lost = np.maximum(sums["margin"] / sums["consensus"], 0.2 * 20).to_numpy()
    keep, wait = 20 * 0.2 / 12, 0.1 * lost
    resources = ["dock", "mill", "oven"]
    need = tables["routings"].pivot(index="item", columns="resource", values="hours_per_unit").reindex(index=names, columns=resources).fillna(0).to_numpy()
    size, tri = n * t, np.kron(np.eye(n), np.tril(np.ones((t, t))))
    there = (np.repeat(wide["opening"][:, 0], t) - np.cumsum(demand, axis=1).ravel())
    # unknowns: made, lost, cost of what is kept or owed, overtime
    blank, eye = np.zeros((size, size)), np.eye(size)
    over = np.zeros((size, 3 * t))
    rows, right = [], []

    def at_least(slope):  # cost ≥ slope × position, by item and month
        rows.append(np.hstack([slope[:, None] * tri, slope[:, None] * tri, -eye, over]))
        right.append(-slope * there)

    at_least(np.full(size, keep))
    at_least(-np.repeat(wait, t))
    used = np.vstack([np.hstack([np.kron(need[:, r], np.eye(t)), np.zeros((t, 2 * size)), -np.kron(np.eye(3)[r], np.eye(t))]) for r in range(3)])
    stated = tables["capacity"].pivot(index="resource", columns="month", values="available_hours").loc[resources].to_numpy()
    rows += [used, np.hstack([-tri, -tri, blank, over])[t - 1:: t]]
    right += [stated.ravel(), there[t - 1:: t]]
    price = np.concatenate([np.zeros(size), np.repeat(lost, t), np.ones(size), np.repeat([8.0, 4.0, 4.0], t)])
    bounds = [(0, None)] * size + [(0, d) for d in demand.ravel()] + [(0, None)] * size + [(0, 0)] * t + [(0, 15)] * (2 * t)
    least = linprog(price, A_ub=np.vstack(rows), b_ub=np.concatenate(right), bounds=bounds, method="highs-ipm").fun
    assert out.costs.set_index("what")["amount"]["all"] == pytest.approx(least, rel=1e-6, abs=1e-3)


def test_an_hours_worth_is_the_slope_of_the_least_cost():
    tables = {**made_up([[40, 60, 30], [50, 55, 45], [60, 20, 58]], [70, 75, 72], 3), "policy": None}
    base = constrained.plan_hours(**tables, weights=EQUAL)
    slopes = base.bottlenecks[base.bottlenecks["value"].notna()]
    assert (slopes["value"] > 0.01).sum() >= 3
    for row in slopes.itertuples():
        more = tables["capacity"].copy()
        more.loc[(more["resource"] == row.resource) & (more["month"] == row.month), "available_hours"] += 1e-3
        after = constrained.plan_hours(**{**tables, "capacity": more}, weights=EQUAL)
        saved = base.costs["amount"].iloc[-1] - after.costs["amount"].iloc[-1]
        assert saved / 1e-3 == pytest.approx(row.value, abs=1e-2)


@settings(max_examples=15, deadline=None)
@given(**SMALL)
def test_weights_never_serve_the_first_class_worse(units, regular, seed):
    """What class A loses in money, with its weight against without."""
    tables = made_up(units, regular, seed)

    def lost(weights):
        out = constrained.plan_hours(**tables, weights=weights, wait_cost=None).unserved
        return out.loc[out["service_class"] == "A", "margin"].sum()

    assert lost({"A": 50.0, "B": 5.0, "C": 1.0}) <= lost(EQUAL) + 0.01


def test_the_inputs_are_left_as_they_were():
    tables = made_up([[40, 60, 30], [50, 55, 45]], [70, 75, 72], 3)
    before = {name: table.copy(deep=True) for name, table in tables.items()}
    constrained.plan_hours(**tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_the_benchmark_finds_the_same_least_cost_by_pulp_and_cbc(capsys):
    """benchmarks/supply.py at a small size: twenty items, six months, four resources, written out in another library."""
    pytest.importorskip("pulp")
    path = Path(__file__).parent.parent / "benchmarks" / "supply.py"
    spec = importlib.util.spec_from_file_location("benchmark_supply", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.main(["--only", "lp", "--items", "20", "--lp-months", "6", "--resources", "4"])
    assert "same least cost" in capsys.readouterr().out
