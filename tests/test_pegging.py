"""Pegs: every order is cut into what it serves, up to the customer's month, and the pieces add up."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, lots, netting, pegging

AS_OF = pd.Timestamp("2026-01-01")
MONTHS = frames.months("2026-01", 5)


def master(**lots_of):
    """Items A (sold), B and C (parts): days of lead time, lots."""
    table = pd.DataFrame({"item": ["A", "B", "C"], "family": "F", "unit_cost": [9.0, 2.0, 1.0], "lead_time_days": [20.0, 40.0, 10.0]})
    return frames.conform(table.assign(**lots_of), frames.ITEMS)


def plan(**series):
    """plan(A_EU=[…]): demand by item and place."""
    return pd.concat([pd.DataFrame({"item": name[0], "location": name[2:], "month": MONTHS[:len(units)], "consensus": np.array(units, float)})
                      for name, units in series.items()], ignore_index=True)


BILL = frames.conform(frame("item component quantity", "A B 2", "B C 3", "A C 1"), frames.BOM)
LANES = frame("item location source_location transit_days", "A US EU 12")
NOTHING = "B EU 2026-01-01 0", "C EU 2026-01-01 0"


def netted(asked, *stock, receipts=None, **settings):
    counted = frame("item location as_of on_hand", *NOTHING, *stock)
    return netting.requirements(asked, counted, receipts, settings.pop("items", master()), as_of=AS_OF, bom=BILL, lanes=LANES, **settings)


def test_two_partitions_side_by_side():
    """Orders of 4 and 6 against needs of 7 and 2; one unit of the second order is left over."""
    left, right, length = pegging.overlaps([0, 0], [4.0, 6.0], [0, 0], [7.0, 2.0])
    assert list(zip(left, right, length, strict=True)) == [(0, 0, 4.0), (1, 0, 3.0), (1, 1, 2.0)]


def test_lines_of_different_rows_do_not_meet():
    left, right, _ = pegging.overlaps([0, 2], [5.0, 5.0], [1, 2], [5.0, 5.0])
    assert list(zip(left, right, strict=True)) == [(1, 1)]


def test_an_order_names_the_months_it_serves_and_what_stays():
    """A lot of 50 for 20 in January, 20 in February, 5 in March: 5 stay in stock."""
    pegs = netting.requirements(plan(A_EU=[20, 20, 5]), None, None, master(moq=50.0), as_of=AS_OF).pegs
    assert pegs[["serves", "quantity"]].values.tolist() == [["customers", 20], ["customers", 20], ["customers", 5], ["stock", 5]]
    assert list(pegs["month"][:3]) == list(MONTHS[:3]) and set(pegs["rule"]) == {"moq"} and set(pegs["order"]) == {"A-EU-202601-1"}


def test_what_fills_the_safety_stock_says_so():
    """5 are on hand and 20 are to be kept: of an order of 25, 15 fill the safety stock and 10 go to customers."""
    policy = frame("item location safety_stock", "A EU 20")
    pegs = netting.requirements(plan(A_EU=[10, 1]), frame("item location as_of on_hand", "A EU 2026-01-01 5"), None, master(), as_of=AS_OF, policy=policy).pegs
    first = pegs[pegs["order"] == "A-EU-202601-1"].set_index("serves")["quantity"]
    assert first.to_dict() == {"customers": 10, "safety": 15}


def test_a_component_knows_the_customer_at_the_end():
    """C is ordered for B, B for A: 12 of C for B's 4, which serve 2 A; 2 more for the A themselves."""
    pegs = netted(plan(A_EU=[0, 0, 0, 2])).pegs
    mine = pegs[pegs["item"] == "C"]
    assert set(mine["end_item"]) == {"A"} and set(mine["month"]) == {MONTHS[3]}
    assert mine.groupby("serves")["quantity"].sum().to_dict() == {"A-EU-202604-1": 2, "B-EU-202603-1": 12}


def test_a_shipment_is_pegged_to_the_place_it_goes_to():
    """10 asked for in the US in March are shipped from EU over twelve days' transit, and made there."""
    r = netted(plan(A_US=[0, 0, 10], A_EU=[0, 0, 5]), items=master())
    made = r.pegs[(r.pegs["item"] == "A") & (r.pegs["location"] == "EU")]
    assert made.groupby("serves")["quantity"].sum().to_dict() == {"A-US-202603-1": pytest.approx(10), "customers": 5}
    assert set(made.loc[made["serves"] == "A-US-202603-1", "end_location"]) == {"US"}


def test_what_stock_serves_is_no_orders_business():
    """6 of 10 are on hand: the order of 4 serves the last 4, and the 8 B behind it the same month."""
    pegs = netted(plan(A_EU=[0, 6, 4]), "A EU 2026-01-01 6").pegs
    assert pegs.loc[pegs["item"] == "A", ["month", "quantity"]].values.tolist() == [[MONTHS[2], 4.0]]
    assert pegs.loc[pegs["item"] == "B", "quantity"].tolist() == [8.0] and pegs.loc[pegs["item"] == "B", "month"].tolist() == [MONTHS[2]]


def test_pegs_come_as_their_frame_says():
    """They are not conformed, since that takes long with millions of rows; so they must already be."""
    pegs = netted(plan(A_EU=[5, 9, 0, 2], A_US=[3, 0, 8])).pegs
    pd.testing.assert_frame_equal(pegs, frames.conform(pegs, frames.PEGS))


units = st.lists(st.integers(0, 80), min_size=5, max_size=5)
conventions = st.fixed_dictionaries({"lot_rule": st.sampled_from(lots.RULES), "open_orders": st.sampled_from(["as_due", "as_needed"]),
                                     "late": st.sampled_from(["hurry", "wait"]), "spread": st.booleans()})
coming = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 5), st.integers(1, 50)), max_size=4)


def cases(europe, america, there, due):
    """Plan, stock and open orders of a case."""
    counts = [f"{item} {place} 2026-01-01 {q}" for (item, place), q in zip((("A", "EU"), ("A", "US"), ("B", "EU"), ("C", "EU")), there, strict=True)]
    receipts = frame("order item location due_date quantity", *(f"PO{i} {item} EU 2026-0{m}-10 {q}" for i, (item, m, q) in enumerate(due))) if due else None
    return plan(A_EU=europe, A_US=america), frame("item location as_of on_hand", *counts), receipts


@settings(max_examples=40, deadline=None)
@given(units, units, st.tuples(*[st.integers(-10, 60)] * 4), coming, conventions, st.sampled_from([0.0, 30.0]), st.sampled_from([1.0, 12.0]), st.integers(0, 40))
def test_pegs_add_up(europe, america, there, due, settings, moq, multiple, safety):
    """Σ pegs of an order is the order; what customers are served from orders is no more than they ask for and are owed."""
    asked, stock, receipts = cases(europe, america, there, due)
    policy = frame("item location safety_stock eoq", f"A EU {safety} 40", f"A US {safety} -")
    r = netting.requirements(asked, stock, receipts, master(moq=moq, lot_multiple=multiple), as_of=AS_OF, bom=BILL, lanes=LANES, policy=policy, order_cost=60.0, **settings)
    orders = pd.concat([r.proposed, r.shipments]).set_index("order")["quantity"]
    assert (r.pegs["quantity"] > 0).all()
    assert r.pegs.groupby("order")["quantity"].sum().reindex(orders.index).tolist() == pytest.approx(orders.tolist())
    served = r.pegs[(r.pegs["serves"] == "customers") & (r.pegs["item"] == "A")].groupby("location")["quantity"].sum()
    for place, months, on_hand in (("EU", europe, there[0]), ("US", america, there[1])):
        assert served.get(place, 0.0) <= sum(months) + max(-on_hand, 0) + 1e-6


@settings(max_examples=40, deadline=None)
@given(units, units, st.tuples(*[st.integers(-10, 60)] * 4), coming, conventions, st.sampled_from([0.0, 30.0]), st.sampled_from([1.0, 12.0]), st.integers(0, 40))
def test_netting_twice_plans_nothing_new(europe, america, there, due, settings, moq, multiple, safety):
    """With its orders and shipments taken as placed, the network has nothing left to order."""
    asked, stock, receipts = cases(europe, america, there, due)
    policy = frame("item location safety_stock eoq", f"A EU {safety} 40", f"A US {safety} -")
    net = functools.partial(netting.requirements, items=master(moq=moq, lot_multiple=multiple), as_of=AS_OF, bom=BILL, lanes=LANES, policy=policy, order_cost=60.0, **settings)
    first = net(asked, stock, receipts)
    placed = netting.as_receipts(pd.concat([first.proposed, first.shipments]))
    again = net(asked, stock, placed if receipts is None else pd.concat([receipts, placed]))
    assert again.proposed.empty and again.shipments.empty
