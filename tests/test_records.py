"""Published records of material and distribution requirements planning, to the unit.

What is quoted from memory (item C, the shutters) was recomputed with a pencil, line by line.
"""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import lots, mrp, network, pegging, projection, promise, records

# Krajewski, Ritzman and Malhotra, Operations Management, the seat subassembly (item C) of the ladder-back chair
SEAT = [150, 0, 0, 120, 0, 150, 120, 0]


def seat(**settings):
    return records.record(SEAT, [230], on_hand=37, lead=2, **settings)


def row(table, name, item=None, location=None):
    """One line of a record as integers, the column before the first left out."""
    if item is not None:
        table = table[(table["item"] == item) & (table["location"] == (location or "all"))]
    values = table[name].tolist()[1:]
    assert values == [round(v, 6) for v in values]
    return [int(v) if v == int(v) else v for v in values]


def releases(table, item, location=None):
    """Planned order releases that are not zero, by period; period 0 is past due."""
    mine = table[(table["item"] == item) & (table["location"] == (location or "all")) & (table["releases"] > 0)]
    return dict(zip(mine["period"], mine["releases"], strict=True))


@pytest.mark.parametrize("module", [records, mrp, network, pegging, projection, promise], ids=lambda m: m.__name__)
def test_the_examples_of_the_docstrings(module):
    ran = doctest.testmod(module)
    assert ran.attempted > 0 and ran.failed == 0


# --- one item -------------------------------------------------------------------------------------------------------

def test_fixed_order_quantity():
    """The whole published record of item C at lots of 230."""
    r = seat(lot_rule="fixed", lot_size=230)
    assert row(r, "projected") == [117, 117, 117, 227, 227, 77, 187, 187]
    assert row(r, "receipts") == [0, 0, 0, 230, 0, 0, 230, 0]
    assert row(r, "releases") == [0, 230, 0, 0, 230, 0, 0, 0]
    assert r["projected"][0] == 37


def test_period_order_quantity():
    """Item C at P = 3: 153 for weeks 4 to 6, 120 for week 7."""
    r = seat(lot_rule="period", lot_periods=3)
    assert row(r, "receipts") == [0, 0, 0, 153, 0, 0, 120, 0]
    assert row(r, "projected") == [117, 117, 117, 150, 150, 0, 0, 0]
    assert row(r, "releases") == [0, 153, 0, 0, 120, 0, 0, 0]


def test_lot_for_lot():
    """Item C: 3, 150 and 120."""
    r = seat()
    assert row(r, "receipts") == [0, 0, 0, 3, 0, 150, 120, 0]
    assert row(r, "net") == [0, 0, 0, 3, 0, 150, 120, 0]
    assert row(r, "releases") == [0, 3, 0, 150, 120, 0, 0, 0]


def test_safety_stock_is_kept_in_every_period():
    """Item C at lots of 230 with 80 units of safety stock: week 6 would end with 77, so an order comes then."""
    r = seat(lot_rule="fixed", lot_size=230, safety_stock=80)
    assert row(r, "projected") == [117, 117, 117, 227, 227, 307, 187, 187]
    assert row(r, "receipts") == [0, 0, 0, 230, 0, 230, 0, 0] and row(r, "net") == [0, 0, 0, 83, 0, 3, 0, 0]


def test_two_ways_to_show_safety_stock():
    """Krajewski counts it in what is on hand, Heizer shows what lies above it and what is not allocated."""
    whole = records.record([40, 50], on_hand=100, safety_stock=20, allocated=10)
    above = records.record([40, 50], on_hand=100, safety_stock=20, allocated=10, show_safety=False)
    assert row(whole, "opening") == [90, 50] and row(above, "opening") == [70, 30]
    assert row(whole, "receipts") == row(above, "receipts") == [0, 20]


def test_releases_before_the_first_period_are_past_due():
    r = records.record([10, 20, 30], lead=2)
    assert r["releases"].tolist() == [30, 30, 0, 0]


def test_no_order_arrives_before_its_lead_time_where_it_waits():
    """Lead time 2: periods 1 and 2 stay short, 60 arrive in period 3; what is short is carried below zero."""
    r = records.record([10, 20, 30], lead=2, late="wait")
    assert row(r, "receipts") == [0, 0, 60] and row(r, "projected") == [-10, -30, 0]
    assert r["releases"].tolist() == [0, 60, 0, 0]


def test_open_orders_are_moved_before_new_ones_are_planned():
    """The rescheduling assumption: 50 due in period 3 serve period 1, and nothing is ordered before they are used up."""
    asis = records.record([30, 0, 0, 40], [0, 0, 50, 0])
    moved = records.record([30, 0, 0, 40], [0, 0, 50, 0], open_orders="as_needed")
    assert row(asis, "receipts") == [30, 0, 0, 0]
    assert row(moved, "receipts") == [0, 0, 0, 20] and row(moved, "scheduled") == [30, 0, 0, 20]


# --- several levels -------------------------------------------------------------------------------------------------

def shutters(**lots_of):
    """Stevenson, Operations Management, example 2 of MRP: shutters of two frames and four wood sections."""
    items = frame("item lead on_hand", "shutter 1 0", "frame 2 0", "section 1 0")
    items["lot_rule"] = [None, *("fixed" if lots_of else None for _ in range(2))]
    items["lot_size"] = [np.nan, lots_of.get("frame", np.nan), lots_of.get("section", np.nan)]
    return records.records(items, frame("item period quantity", "shutter 4 100", "shutter 8 150"), frame("item period quantity", "section 1 70"),
                           frame("item component quantity", "shutter frame 2", "shutter section 4"), periods=8)


def test_shutters_lot_for_lot():
    r = shutters()
    assert releases(r, "shutter") == {3: 100, 7: 150}
    assert row(r, "gross", "frame") == [0, 0, 200, 0, 0, 0, 300, 0] and releases(r, "frame") == {1: 200, 5: 300}
    assert row(r, "gross", "section") == [0, 0, 400, 0, 0, 0, 600, 0] and releases(r, "section") == {2: 330, 6: 600}


def test_shutters_in_lots():
    """Lots of 320 frames and 70 sections: 320 twice; 350 and 630."""
    r = shutters(frame=320, section=70)
    assert releases(r, "frame") == {1: 320, 5: 320}
    assert row(r, "projected", "frame") == [0, 0, 120, 120, 120, 120, 140, 140]
    assert releases(r, "section") == {2: 350, 6: 630}
    assert row(r, "net", "section") == [0, 0, 330, 0, 0, 0, 580, 0]


def test_chairs_seats_backs_and_legs():
    """Aldershot Manufacturing (teaching case), all four published records of the eight weeks, lead time two weeks each."""
    items = frame("item lead on_hand", "chair 2 260", "seat 2 60", "back 2 40", "leg 2 80")
    mps = frame("item period quantity", "chair 1 150", "chair 3 70", "chair 5 175", "chair 7 90", "chair 8 60")
    r = records.records(items, mps, frame("item period quantity", "seat 1 50", "back 1 10"),
                        frame("item component quantity", "chair seat 1", "chair back 1", "chair leg 4"))
    assert row(r, "projected", "chair")[:4] == [110, 110, 40, 40] and releases(r, "chair") == {3: 135, 5: 90, 6: 60}
    assert releases(r, "seat") == {1: 25, 3: 90, 4: 60}
    assert releases(r, "back") == {1: 85, 3: 90, 4: 60}
    assert releases(r, "leg") == {1: 460, 3: 360, 4: 240}


def test_a_component_used_on_two_levels():
    """Jacobs and Chase, Operations and Supply Chain Management, MRP problem: A of B and C; B of 3 D and F; C of 3 B, D and 4 E; D of E.

    Lots of 20 A, 40 B and 160 D, the rest lot for lot; 20 A in week 10. The releases were found by hand, level by level: B is
    needed by C in week 7 and by A in week 8, D by B in weeks 5 and 6 and by C in week 7, E by D in week 2 and by C in week 7.
    """
    items = frame("item lead on_hand lot_rule lot_size", "A 2 5 fixed 20", "B 2 10 fixed 40", "C 1 0 lot_for_lot -", "D 3 100 fixed 160",
                  "E 2 100 lot_for_lot -", "F 2 0 lot_for_lot -")
    bill = frame("item component quantity", "A B 1", "A C 1", "B D 3", "B F 1", "C B 3", "C D 1", "C E 4", "D E 1")
    due = frame("item period quantity", "A 3 10", "B 7 20", "F 5 40", "E 2 60")
    r = records.records(items, frame("item period quantity", "A 10 20"), due, bill)
    assert releases(r, "A") == {8: 20} and releases(r, "C") == {7: 20}
    assert row(r, "gross", "B")[6:8] == [60, 20] and releases(r, "B") == {5: 40, 6: 40}
    assert releases(r, "F") == {4: 40}
    assert row(r, "gross", "D")[4:7] == [120, 120, 20] and releases(r, "D") == {2: 160}
    assert row(r, "gross", "E")[1] == 160 and row(r, "gross", "E")[6] == 80 and releases(r, "E") == {5: 80}


def test_a_phantom_takes_no_time_and_no_lot():
    items = frame("item lead lot_rule lot_size", "A 1 lot_for_lot -", "P 3 fixed 50", "C 1 lot_for_lot -")
    bill = frame("item component quantity", "A P 1", "P C 2").assign(phantom=[False, True])
    r = records.records(items, frame("item period quantity", "A 4 10"), bill=bill)
    assert releases(r, "C") == {2: 20}


# --- distribution ---------------------------------------------------------------------------------------------------

def test_shipments_become_the_sources_requirements():
    """Milan and Rome, served from one centre (Martin, Distribution Resource Planning, as taught by Pinto): both records, and their sum.

    Milan: lead time 2, safety stock 200, lots of 300. Rome: lead time 1, safety stock 75, lots of 150, 150 due in week 2.
    """
    items = frame("item location on_hand safety_stock lot_rule lot_size", "X Milan 500 200 fixed 300", "X Rome 160 75 fixed 150", "X centre 1000 0 lot_for_lot -")
    asked = {"Milan": [100, 120, 90, 110, 120, 100, 80, 120], "Rome": [40, 50, 45, 50, 40, 45, 40, 50]}
    gross = pd.concat([pd.DataFrame({"item": "X", "location": place, "period": range(1, 9), "quantity": units}) for place, units in asked.items()])
    lanes = frame("item location source_location transit", "X Milan centre 2", "X Rome centre 1")
    r = records.records(items, gross, frame("item location period quantity", "X Rome 2 150"), lanes=lanes)
    assert row(r, "projected", "X", "Milan") == [400, 280, 490, 380, 260, 460, 380, 260]
    assert row(r, "projected", "X", "Rome") == [120, 220, 175, 125, 85, 190, 150, 100]
    assert releases(r, "X", "Milan") == {1: 300, 4: 300} and releases(r, "X", "Rome") == {5: 150}
    assert row(r, "gross", "X", "centre") == [300, 0, 0, 300, 150, 0, 0, 0]
    assert row(r, "projected", "X", "centre") == [700, 700, 700, 400, 250, 250, 250, 250]


def test_sources_of_sources():
    """Shop ← warehouse ← plant, two periods and one: 10 asked for in period 5 leave the plant in period 2."""
    items = frame("item location on_hand", "X shop 0", "X warehouse 0", "X plant 0")
    lanes = frame("item location source_location transit", "X shop warehouse 2", "X warehouse plant 1")
    r = records.records(items, frame("item location period quantity", "X shop 5 10"), lanes=lanes)
    assert releases(r, "X", "shop") == {3: 10} and releases(r, "X", "warehouse") == {2: 10} and releases(r, "X", "plant") == {2: 10}


def test_a_circle_is_refused_with_its_path():
    items, asked = frame("item lead", "A 1", "B 1"), frame("item period quantity", "A 3 1")
    with pytest.raises(ValueError, match="A at all → B at all → A at all"):
        records.records(items, asked, bill=frame("item component quantity", "A B 1", "B A 1"))


def test_items_that_are_needed_must_be_described():
    with pytest.raises(ValueError, match=r"items has no row for 1 .*: B at all"):
        records.records(frame("item lead", "A 1"), frame("item period quantity", "A 3 1"), bill=frame("item component quantity", "A B 1"))


def test_lead_times_are_whole_periods():
    with pytest.raises(ValueError, match="lead time of A at all is no whole number"):
        records.records(frame("item lead", "A -1"), frame("item period quantity", "A 1 1"))


# --- the same by other routes ---------------------------------------------------------------------------------------

def by_hand(items, gross, scheduled, bill, lots_of, last):
    """A plain record of every item, parents first, in dictionaries: lot for lot, or lots of a size."""
    need = {item: [0.0] * (last + 1) for item in items}
    for item, period, units in gross:
        need[item][period] += units
    out = {}
    for item, (on_hand, lead) in items.items():  # in the order of levels
        stock, out[item] = on_hand, [0.0] * (last + 1)
        for t in range(1, last + 1):
            stock += sum(u for i, p, u in scheduled if i == item and p == t) - need[item][t]
            if stock < 0:
                size = lots_of.get(item)
                lot = -stock if size is None else -(stock // size) * size
                stock += lot
                out[item][t] = lot
                for parent, part, per in bill:
                    if parent == item:
                        need[part][max(t - lead, 1)] += per * lot
    return out


units = st.integers(0, 60)


@settings(max_examples=60, deadline=None)
@given(st.lists(units, min_size=6, max_size=6), st.lists(units, min_size=6, max_size=6), st.tuples(units, units, units, units),
       st.tuples(*[st.integers(0, 3)] * 4), st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(1, 6), units), max_size=4),
       st.tuples(*[st.sampled_from([None, 7, 25])] * 4))
def test_four_levels_agree_with_a_plain_record(asked, other, on_hand, leads, due, sizes):
    """A of 2 B and C, B of 3 C and D, C of D; A and C are sold."""
    items = {name: (float(q), int(n)) for name, q, n in zip("ABCD", on_hand, leads, strict=True)}
    bill = [("A", "B", 2), ("A", "C", 1), ("B", "C", 3), ("B", "D", 1), ("C", "D", 2)]
    gross = [("A", t + 1, q) for t, q in enumerate(asked)] + [("C", t + 1, q) for t, q in enumerate(other)]
    lots_of = {name: size for name, size in zip("ABCD", sizes, strict=True) if size}
    master = pd.DataFrame({"item": list("ABCD"), "on_hand": [v[0] for v in items.values()], "lead": [v[1] for v in items.values()],
                           "lot_rule": ["fixed" if name in lots_of else "lot_for_lot" for name in "ABCD"], "lot_size": [lots_of.get(name, np.nan) for name in "ABCD"]})
    columns = ["item", "period", "quantity"]
    got = records.records(master, pd.DataFrame(gross, columns=columns), pd.DataFrame(due, columns=columns), pd.DataFrame(bill, columns=["item", "component", "quantity"]), periods=6)
    want = by_hand(items, gross, due, bill, lots_of, 6)
    for name in "ABCD":
        assert got.loc[got["item"] == name, "receipts"].tolist() == pytest.approx(want[name])


@settings(max_examples=60, deadline=None)
@given(st.lists(units, min_size=5, max_size=8), st.integers(-20, 80), st.integers(0, 30), st.integers(0, 3), st.sampled_from(lots.RULES), st.integers(0, 40))
def test_a_record_balances(asked, on_hand, safety, lead, rule, moq):
    """projected = opening + scheduled + receipts − gross; never below safety stock; all receipts are released, a lead time before."""
    r = records.record(asked, on_hand=on_hand, safety_stock=safety, lead=lead, lot_rule=rule, lot_size=25, lot_periods=2, order_cost=50, holding_cost=1, moq=moq)
    assert np.allclose(r["projected"], r["opening"] + r["scheduled"] + r["receipts"] - r["gross"] + [on_hand, *[0] * len(asked)])
    assert (r["projected"][1:] >= safety - 1e-6).all()
    assert r["releases"].sum() == pytest.approx(r["receipts"].sum())
    again = records.record(asked, r["receipts"][1:], on_hand=on_hand, safety_stock=safety, lead=lead, lot_rule=rule, lot_size=25, lot_periods=2, order_cost=50, holding_cost=1, moq=moq)
    assert again["receipts"].sum() == 0
