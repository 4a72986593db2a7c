"""Components through all levels: quantities, scrap, phantoms, dates, and circles refused."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame

from sopnb import bom, frames, netting

AS_OF = pd.Timestamp("2026-01-01")


def rows(*lines: str, columns: str = "item component quantity"):
    return frames.conform(frame(columns, *lines), frames.BOM)


def master(*names: str, lead=0):
    return frames.conform(pd.DataFrame({"item": list(names), "family": "F", "unit_cost": 1.0, "lead_time_days": float(lead)}), frames.ITEMS)


def asked(quantity, month="2026-03-01", item="A", months=6):
    """A plan of six months that asks for something in one."""
    all_months = frames.months("2026-01", months)
    return pd.DataFrame({"item": item, "location": "EU", "month": all_months, "consensus": [float(quantity) * (m == pd.Timestamp(month)) for m in all_months]})


def planned(plan, table, *lines: str, items=None, **settings):
    """The network netted; lines are stock counts."""
    stock = frame("item location as_of on_hand", *lines) if lines else None
    names = sorted({*table["item"], *table["component"], *plan["item"]})
    return netting.requirements(plan, stock, None, master(*names) if items is None else items, as_of=AS_OF, bom=table, **settings)


def needed(plan, table, *lines: str, **settings):
    return planned(plan, table, *lines, **settings).need.groupby("item")["consensus"].sum().to_dict()


def test_low_level_codes():
    """D is used by B on level 2 and by A on level 1: its code is 2, so that both needs are known when it is planned."""
    assert bom.levels(rows("A B 1", "A D 1", "B D 1")).to_dict() == {"A": 0, "B": 1, "D": 2}


def test_requirements_multiply_through_the_levels():
    """Two B to an A, three C to a B, and one C straight to A: ten A need 20 B and 70 C."""
    assert needed(asked(10), rows("A B 2", "B C 3", "A C 1")) == {"B": 20, "C": 70}


BRACKET = ("bracket base 1", "bracket spring 2", "bracket clamp 4", "base clamp 1", "base housing 2", "clamp handle 1", "clamp casting 1",
           "housing bearing 2", "housing shaft 1")


def test_bracket_of_fifty():
    """Heizer, Render and Munson, Operations Management, problem 14.3 (b): the gross requirements of 50 brackets.

    A bracket: a base, 2 springs, 4 clamps. A base: a clamp, 2 housings. A clamp: a handle, a casting.
    A housing: 2 bearings, a shaft. Clamps are used on two levels.
    """
    assert needed(asked(50, item="bracket"), rows(*BRACKET)) == {
        "base": 50, "spring": 100, "clamp": 250, "handle": 250, "casting": 250, "housing": 100, "bearing": 200, "shaft": 100}


def test_bracket_of_fifty_with_half_of_it_there():
    """The same, problem 14.3 (c): 25 bases and 100 clamps are on hand. To be made: 25 bases, 100 springs, 125 clamps, 125 handles,
    125 castings, 50 housings, 100 bearings, 50 shafts."""
    r = planned(asked(50, item="bracket"), rows(*BRACKET), "base EU 2026-01-01 25", "clamp EU 2026-01-01 100", *(
        f"{part} EU 2026-01-01 0" for part in ("spring", "handle", "casting", "housing", "bearing", "shaft")))
    assert r.proposed.set_index("item")["quantity"].drop("bracket").to_dict() == {
        "base": 25, "spring": 100, "clamp": 125, "handle": 125, "casting": 125, "housing": 50, "bearing": 100, "shaft": 50}


def test_components_are_needed_when_the_parent_is_released():
    """A takes 45 days: ten for March are begun on 15 January, and B must be there that day."""
    r = planned(asked(10), rows("A B 1"), "B EU 2026-01-01 0", items=master("A", "B", lead=45))
    assert r.need.month[0] == AS_OF
    assert r.proposed.set_index("item").loc["B", "due"] == pd.Timestamp("2026-01-15")


def test_what_was_needed_before_today_is_needed_now():
    r = planned(asked(10, "2026-01-01"), rows("A B 1"), "B EU 2026-01-01 0", items=master("A", "B", lead=90))
    assert r.need.month[0] == AS_OF and r.proposed.set_index("item").loc["B", "due"] == AS_OF


def test_scrap_is_ordered_on_top():
    """A fifth is lost: 10 good ones need 12.5."""
    assert needed(asked(10), rows("A B 1 0.2", columns="item component quantity scrap")) == {"B": pytest.approx(12.5)}


def test_dates_of_a_row():
    """B until June, C from July on."""
    swap = rows("A B 1 - 2026-06-30", "A C 1 2026-07-01 -", columns="item component quantity valid_from valid_to")
    plan = pd.concat([asked(1, "2026-06-01", months=8), asked(1, "2026-07-01", months=8)]).groupby(["item", "location", "month"], as_index=False)["consensus"].sum()
    need = planned(plan, swap).need
    assert list(need.item) == ["B", "C"] and list(need.month.dt.month) == [6, 7]


def test_net_takes_the_components_own_stock_before_going_deeper():
    """Ten A need ten B; four B are there, so only six B are ordered, and these need six C."""
    assert needed(asked(10), rows("A B 1", "B C 1"), "B EU 2026-01-01 4") == {"B": 10, "C": 6}


def test_open_orders_of_a_component_are_netted():
    """Ten A need ten B; seven B are on order for February: three are left to order."""
    due = frame("order item location due_date quantity", "PO1 B EU 2026-02-10 7")
    r = netting.requirements(asked(10), frame("item location as_of on_hand", "B EU 2026-01-01 0"), due, master("A", "B"), as_of=AS_OF, bom=rows("A B 1"))
    assert r.proposed.set_index("item")["quantity"].to_dict() == {"A": 10, "B": 3}


PHANTOM = rows("A P 1", "P C 2").assign(phantom=[False, True])


def test_a_phantom_is_passed_through():
    """P is never stocked: its stock of 4 is not used up, its 60 days do not count, and its part is needed when P is."""
    items = master("A", "P", "C", lead=0)
    items.loc[items["item"] == "P", "lead_time_days"] = 60.0
    r = planned(asked(10), PHANTOM, "P EU 2026-01-01 4", "C EU 2026-01-01 0", items=items)
    assert r.need.set_index("item").consensus.to_dict() == {"C": 20, "P": 10}
    assert r.need.set_index("item").month["C"] == pd.Timestamp("2026-03-01")
    assert set(r.proposed["item"]) == {"A", "C"}  # nobody orders a phantom


def test_a_phantoms_stock_is_used_where_asked_for():
    """The APICS Dictionary lets a phantom's occasional stock be netted: 4 P are there, so 6 are made of 12 C."""
    assert needed(asked(10), PHANTOM, "P EU 2026-01-01 4", phantom_stock=True) == {"C": 12, "P": 10}


def test_what_a_phantom_needs_is_pegged_to_its_parent():
    pegs = planned(asked(10), PHANTOM, "C EU 2026-01-01 0").pegs
    assert pegs.loc[pegs["item"] == "C", ["serves", "end_item", "quantity"]].values.tolist() == [["A-EU-202603-1", "A", 20.0]]


def test_a_circle_is_refused_with_its_path():
    with pytest.raises(bom.BomError, match="A → B → C → A"):
        bom.levels(rows("A B 1", "B C 1", "C A 1"))


def test_demand_of_customers_and_of_parents_is_added_up():
    """B is sold, 5 a month, and needed by A in February. C has no stock count: unknown is not zero, so it is told apart."""
    plan = pd.DataFrame({"item": "B", "location": "EU", "month": frames.months("2026-01", 2), "consensus": 5.0, "revenue": 50.0, "margin": 10.0})
    need = frame("item location month consensus", "B EU 2026-02-01 7", "C EU 2026-02-01 7")
    stock = frame("item location on_hand", "B EU 3")
    both = bom.with_components(plan, need, stock)
    assert list(both.item) == ["B", "B"] and list(both.consensus) == [5, 12] and both.revenue.sum() == 100
    master = frames.conform(frame("item family unit_cost", "B F 1", "C F 2"), frames.ITEMS)
    apart = bom.uncounted(need, stock, master, months=plan["month"])
    assert apart[["item", "consensus", "amount"]].values.tolist() == [["C", 7, 14]]


def test_a_component_that_nobody_counts():
    """10 A need 10 B, and B 20 C. B's stock is unknown: it is ordered as if there were none, or told apart; C is counted either way."""
    table = rows("A B 1", "B C 2")
    as_empty = planned(asked(10), table, "C EU 2026-01-01 5")
    told = planned(asked(10), table, "C EU 2026-01-01 5", uncounted_parts="tell")
    assert as_empty.proposed.set_index("item")["quantity"].to_dict() == {"A": 10, "B": 10, "C": 15}
    assert told.proposed.set_index("item")["quantity"].to_dict() == {"A": 10, "C": 15}
    assert as_empty.need.equals(told.need) and set(told.need["item"]) == {"B", "C"}
    assert told.pegs.loc[told.pegs["item"] == "C", "serves"].tolist() == ["A-EU-202603-1"]  # through B, which has no order to show


def test_what_is_never_stocked_need_not_be_counted():
    """Tea base is passed through: its sugar is ordered without it. Sugar has no count, and nobody knows what to buy."""
    need = frame("item location month consensus", "base EU 2026-01 50", "sugar EU 2026-01 5")
    stock, items = frame("item location on_hand", "flour EU 1"), frame("item name unit_cost", "base Base 2", "sugar Sugar 3")
    bill = frame("item component quantity", "tea base 1", "base sugar 0.1").assign(phantom=[False, True])
    assert bom.uncounted(need, stock, items, months=[pd.Timestamp("2026-01-01")], bom=bill)["item"].tolist() == ["sugar"]
    assert bom.uncounted(need, stock, items, months=[pd.Timestamp("2026-01-01")])["item"].tolist() == ["base", "sugar"]
