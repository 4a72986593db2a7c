"""Places that supply each other, as one network with what is made there; circles and other bad input are told, and the rest is planned."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from helpers import frame

from sopnb import frames, netting, network, words

AS_OF = pd.Timestamp("2026-01-01")
LANES = frame("item location source_location transit_days", "A shop depot 15", "A depot plant 10")


def items(*rows: str, columns="item moq lot_multiple unit_cost lead_time_days"):
    return frames.conform(frame(columns, *(rows or ("A - - 2 20", "B - - 1 5"))).assign(family="F"), frames.ITEMS)


def plan(*demand, item="A", location="shop"):
    return pd.DataFrame({"item": item, "location": location, "month": frames.months("2026-01", len(demand)), "consensus": np.array(demand, float)})


def stock(*rows: str):
    return frame("item location as_of on_hand", *rows)


def found(r):
    """Findings as they are said, by rule."""
    return {row["rule"].removeprefix("findings."): words.message(row["rule"], row["values"]).text for row in r.findings.to_dict("records")}


# --- the network ----------------------------------------------------------------------------------------------------

def test_low_level_codes_take_the_longest_way():
    assert network.ranks([0, 0, 1, 2], [1, 2, 2, 3], 4).tolist() == [0, 1, 2, 3]


def test_what_lies_in_a_circle_or_below_has_no_level():
    assert network.ranks([0, 1, 2, 2], [1, 2, 1, 3], 4).tolist() == [0, -1, -1, -1]


def test_a_circle_is_looked_for_from_the_top():
    """X needs A: so the step that closes the circle is the one back to A, and A's own bill stays."""
    assert network.closing_links([("X", "A"), ("A", "B"), ("B", "A")]) == {("B", "A"): ["A", "B", "A"]}


def test_shipments_and_orders_of_a_chain():
    """30 in the shop in March: they leave the depot from 14 February on, and the plant from 4 February; half and all of it, as days go."""
    r = netting.requirements(plan(0, 0, 30), stock("A plant 2026-01-01 5"), None, items(), as_of=AS_OF, lanes=LANES, spread=False)
    shipped = r.shipments.set_index("location")
    assert shipped.loc["shop", "release"] == pd.Timestamp("2026-02-14") == shipped.loc["depot", "due"]
    assert shipped.loc["depot", "release"] == pd.Timestamp("2026-02-04") and shipped["source_location"].to_dict() == {"depot": "plant", "shop": "depot"}
    made = r.proposed.iloc[0]
    assert (made["location"], made["quantity"], made["due"]) == ("plant", 25, pd.Timestamp("2026-02-04"))


def test_a_shipment_leaves_over_as_long_a_time_as_the_month_it_serves():
    """February has 28 days and 7 of transit: a quarter of what the shop sells in it leaves in January."""
    lanes = frame("item location source_location transit_days", "A shop plant 7")
    r = netting.requirements(plan(0, 28), None, None, items(), as_of=AS_OF, lanes=lanes)
    at_plant = r.demand[r.demand["location"] == "plant"]
    assert at_plant["consensus"].tolist() == pytest.approx([7, 21])
    whole = netting.requirements(plan(0, 28), None, None, items(), as_of=AS_OF, lanes=lanes, spread=False)
    assert whole.demand.loc[whole.demand["location"] == "plant", "consensus"].tolist() == [28, 0]


def test_each_place_nets_its_own_stock_first():
    """40 asked for; 10 are in the shop, 12 in the depot, 5 in the plant: 30 are shipped, then 18, and 13 are made."""
    r = netting.requirements(plan(0, 0, 0, 40), stock("A shop 2026-01-01 10", "A depot 2026-01-01 12", "A plant 2026-01-01 5"), None, items(), as_of=AS_OF, lanes=LANES)
    assert r.shipments.groupby("location")["quantity"].sum().to_dict() == {"depot": 18, "shop": 30}
    assert r.proposed["quantity"].sum() == 13


def test_components_are_needed_where_the_item_is_made():
    bill = frames.conform(frame("item component quantity", "A B 2"), frames.BOM)
    r = netting.requirements(plan(0, 0, 0, 40), stock("B plant 2026-01-01 0"), None, items(), as_of=AS_OF, lanes=LANES, bom=bill)
    assert r.need[["item", "location"]].drop_duplicates().values.tolist() == [["B", "plant"]] and r.need["consensus"].sum() == 80


def test_stock_is_where_projection_says_it_is():
    """All that is shipped leaves one place and comes to another: over all places closing = opening + made − sold, once all is there."""
    r = netting.requirements(plan(5, 10, 15, 20), stock("A depot 2026-01-01 12"), None, items(), as_of=AS_OF, lanes=LANES, lead_time_days=0)
    moves = pd.concat([r.proposed, r.shipments], ignore_index=True)
    p = netting.project(stock("A depot 2026-01-01 12"), None, moves, r.demand, as_of=AS_OF, expedite=True)
    assert p.groupby("month")["closing"].sum().iloc[-1] == pytest.approx(12 + r.proposed["quantity"].sum() - 50)
    assert (p["closing"] >= -1e-6).all()


# --- bad input ------------------------------------------------------------------------------------------------------

def test_a_circle_of_lanes_is_told_with_its_path_and_the_rest_is_planned():
    lanes = pd.concat([LANES, frame("item location source_location transit_days", "A plant shop 1", "B shop plant 3")])
    r = netting.requirements(pd.concat([plan(0, 0, 30), plan(0, 0, 7, item="B")]), None, None, items(), as_of=AS_OF, lanes=lanes)
    assert found(r)["lane_circle"].startswith("A circle of lanes: A: shop → depot → plant → shop.")
    assert set(r.shipments["item"]) == {"A", "B"} and r.proposed.groupby("item")["quantity"].sum().to_dict() == {"A": 30, "B": 7}


def test_a_circle_in_the_bill_is_told_with_its_path_and_the_rest_is_planned():
    bill = frames.conform(frame("item component quantity", "A B 2", "B C 1", "C B 1"), frames.BOM)
    r = netting.requirements(plan(0, 0, 30), stock("B shop 2026-01-01 0", "C shop 2026-01-01 0"), None, items("A - - 2 0", "B - - 1 0", "C - - 1 0"), as_of=AS_OF, bom=bill)
    assert "B → C → B" in found(r)["bom_circle"]
    assert r.proposed.set_index("item")["quantity"].to_dict() == {"A": 30, "B": 60, "C": 60}


BAD = {
    "stock_unknown_item": (None, None, ("Z shop 2026-01-01 9",), ()),
    "stock_missing": (None, None, ("A shop 2026-01-01 -",), ()),
    "receipt_unknown_item": (None, None, (), ("PO1 Z shop 2026-02-01 5",)),
    "receipt_undated": (None, None, (), ("PO1 A shop - 5",)),
    "receipt_negative": (None, None, (), ("PO1 A shop 2026-02-01 -5",)),
    "lead_negative": (("A - - 2 -4",), None, (), ()),
    "lot_negative": (("A -5 - 2 0",), None, (), ()),
    "lot_negative_multiple": (("A - -5 2 0",), None, (), ()),
    "moq_zero": (("A 0 6 2 0",), None, (), ()),
    "item_repeated": (("A - - 2 0", "A - - 3 0"), None, (), ()),
    "plan_unknown_item": (("B - - 2 0",), None, (), ()),
    "lane_nowhere": (None, ("A shop shop 1",), (), ()),
    "lane_negative": (None, ("A shop plant -1",), (), ()),
    "lane_repeated": (None, ("A shop plant 1", "A shop depot 1"), (), ()),
}


@pytest.mark.parametrize("rule", BAD)
def test_bad_input_is_a_finding_that_names_the_row_and_the_plan_comes_out(rule):
    """One finding, with the row's key in it and what to do; 12 in March are still planned for, with the lead time of the parameters."""
    master, lanes, counts, due = BAD[rule]
    table = frame("item moq lot_multiple unit_cost lead_time_days", *(master or ("A - - 2 0",))).assign(family="F")
    r = netting.requirements(plan(0, 0, 12), stock(*counts) if counts else None,
                             frame("order item location due_date quantity", *due) if due else None, table, as_of=AS_OF,
                             lanes=frame("item location source_location transit_days", *lanes) if lanes else None, lead_time_days=30)
    assert list(found(r)) == [rule]
    first = json.loads(r.findings["values"][0])["first"]
    assert first.split(":")[0].split(" · ")[0] in ("A", "Z", "PO1") and first in found(r)[rule]
    made = r.proposed
    assert made["quantity"].sum() == 12 and set(made["item"]) == {"A"}
    if rule == "lead_negative":
        assert made["release"][0] == pd.Timestamp("2026-01-30")  # 30 days before 1 March


@pytest.mark.parametrize(("rule", "rows", "columns"), [
    ("bom_quantity", ("A B 0", "A C 1"), "item component quantity"), ("bom_scrap", ("A B 1 1.5", "A C 1 -"), "item component quantity scrap"),
    ("bom_never", ("A B 1 2026-06-01 2026-01-01", "A C 1 - -"), "item component quantity valid_from valid_to"),
    ("bom_unknown_component", ("A Q 1", "A C 1"), "item component quantity")])
def test_a_bad_row_of_the_bill_leaves_the_others(rule, rows, columns):
    table = frame(columns, *rows).reindex(columns=frames.BOM.names)
    table["phantom"] = False
    r = netting.requirements(plan(0, 0, 12), stock("B shop 2026-01-01 0", "C shop 2026-01-01 0"), None, items("A - - 2 0", "B - - 1 0", "C - - 1 0"), as_of=AS_OF, bom=table)
    assert list(found(r)) == [rule] and r.proposed.set_index("item")["quantity"]["C"] == 12


def test_demand_without_a_figure_or_below_zero_counts_as_none():
    r = netting.requirements(plan(np.nan, -5, 12), None, None, items(), as_of=AS_OF)
    assert set(found(r)) == {"plan_missing", "plan_negative"} and r.proposed["quantity"].tolist() == [12]


def test_an_items_own_lot_rule_wins_and_an_unknown_one_is_told():
    master = items("A - - 2 0", "B - - 1 0").assign(lot_rule=["fixed", "by_feel"], lot_size=[25.0, np.nan])
    r = netting.requirements(pd.concat([plan(12), plan(12, item="B")]), None, None, master, as_of=AS_OF)
    assert r.proposed.set_index("item")["quantity"].to_dict() == {"A": 25, "B": 12} and list(found(r)) == ["lot_rule"]


def test_good_input_has_no_finding():
    assert netting.requirements(plan(1), stock("A shop 2026-01-01 1"), None, items(), as_of=AS_OF, lanes=LANES).findings.empty
