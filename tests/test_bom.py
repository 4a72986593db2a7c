"""Components through all levels: quantities, scrap, phantoms, dates, and circles refused."""

from __future__ import annotations

import functools

import pandas as pd
import pytest
from helpers import frame

from sopnb import bom, frames, netting

AS_OF = pd.Timestamp("2026-01-01")


def rows(*lines: str, columns: str = "item component quantity"):
    return frames.conform(frame(columns, *lines), frames.BOM)


def orders(*lines: str):
    return frame("item location release due quantity", *lines)


def test_low_level_codes():
    """D is used by B on level 2 and by A on level 1: its code is 2, so that both needs are known when it is planned."""
    assert bom.levels(rows("A B 1", "A D 1", "B D 1")).to_dict() == {"A": 0, "B": 1, "D": 2}


def test_requirements_multiply_through_the_levels():
    """Two B to an A, three C to a B, and one C straight to A: ten A need 20 B and 70 C."""
    need = bom.explode(orders("A EU 2026-02-01 2026-03-01 10"), rows("A B 2", "B C 3", "A C 1"), first=AS_OF)
    assert need.groupby("item").consensus.sum().to_dict() == {"B": 20, "C": 70}


def test_bracket_of_fifty():
    """Heizer, Render and Munson, Operations Management, problem 14.3 (b): the gross requirements of 50 brackets.

    A bracket: a base, 2 springs, 4 clamps. A base: a clamp, 2 housings. A clamp: a handle, a casting.
    A housing: 2 bearings, a shaft. Clamps are used on two levels.
    """
    bracket = rows("bracket base 1", "bracket spring 2", "bracket clamp 4", "base clamp 1", "base housing 2", "clamp handle 1",
                   "clamp casting 1", "housing bearing 2", "housing shaft 1")
    need = bom.explode(orders("bracket EU 2026-02-01 2026-02-01 50"), bracket, first=AS_OF)
    assert need.set_index("item").consensus.to_dict() == {
        "base": 50, "spring": 100, "clamp": 250, "handle": 250, "casting": 250, "housing": 100, "bearing": 200, "shaft": 100}


def test_components_are_needed_when_the_parent_is_released():
    line = orders("A EU 2026-02-10 2026-04-01 10")
    assert bom.explode(line, rows("A B 1"), first=AS_OF).month[0] == pd.Timestamp("2026-02-01")
    assert bom.explode(line, rows("A B 1"), first=AS_OF, offset=False).month[0] == pd.Timestamp("2026-04-01")


def test_what_was_needed_before_today_is_needed_now():
    assert bom.explode(orders("A EU 2025-10-01 2026-01-01 10"), rows("A B 1"), first=AS_OF).month[0] == AS_OF


def test_scrap_is_ordered_on_top():
    """A fifth is lost: 10 good ones need 12.5."""
    need = bom.explode(orders("A EU 2026-02-01 2026-03-01 10"), rows("A B 1 0.2", columns="item component quantity scrap"), first=AS_OF)
    assert need.consensus[0] == pytest.approx(12.5)


def test_dates_of_a_row():
    """B until June, C from July on."""
    swap = rows("A B 1 - 2026-06-30", "A C 1 2026-07-01 -", columns="item component quantity valid_from valid_to")
    need = bom.explode(orders("A EU 2026-05-01 2026-06-01 1", "A EU 2026-06-01 2026-07-01 1"), swap, first=AS_OF)
    assert list(need.item) == ["B", "C"]


def test_net_takes_the_components_own_stock_before_going_deeper():
    """Ten A need ten B; four B are there, so only six B are ordered, and these need six C."""
    parts = frames.conform(frame("item moq lot_multiple unit_cost", "B - - 1", "C - - 1").assign(family="F"), frames.ITEMS)
    stock = frame("item location as_of on_hand", "B EU 2026-01-01 4")
    lead = frame("item location lead_days", "B EU 0", "C EU 0")
    net = functools.partial(netting.net, stock=stock, receipts=None, items=parts, as_of=AS_OF, lead=lead)
    need = bom.explode(orders("A EU 2026-02-01 2026-03-01 10"), rows("A B 1", "B C 1"), first=AS_OF, net=net)
    assert need.set_index("item").consensus.to_dict() == {"B": 10, "C": 6}


def test_a_phantom_is_passed_through():
    """P is never stocked: its stock of 4 is not used up, and its part is needed when P is."""
    parts = frames.conform(frame("item moq lot_multiple unit_cost", "P - - 1", "C - - 1").assign(family="F"), frames.ITEMS)
    stock = frame("item location as_of on_hand", "P EU 2026-01-01 4")
    lead = frame("item location lead_days", "P EU 60", "C EU 0")
    net = functools.partial(netting.net, stock=stock, receipts=None, items=parts, as_of=AS_OF, lead=lead)
    table = rows("A P 1", "P C 2").assign(phantom=[False, True])
    need = bom.explode(orders("A EU 2026-05-01 2026-06-01 10"), table, first=AS_OF, net=net).set_index("item")
    assert need.consensus.to_dict() == {"C": 20, "P": 10} and need.month["C"] == pd.Timestamp("2026-05-01")


def test_a_circle_is_refused_with_its_path():
    with pytest.raises(bom.BomError, match="A → B → C → A"):
        bom.levels(rows("A B 1", "B C 1", "C A 1"))


def test_nothing_to_explode():
    assert bom.explode(orders("X EU 2026-02-01 2026-03-01 10"), rows("A B 1"), first=AS_OF).empty
    assert bom.explode(orders("X EU 2026-02-01 2026-03-01 10"), rows(), first=AS_OF).empty


def test_components_are_needed_where_the_parent_is_made():
    """MDN is supplied by JKT, and JKT makes it itself; two lanes that lead to each other end somewhere."""
    lanes = frame("item location source_location transit_days", "A MDN JKT 7", "B X Y 1", "B Y X 1")
    made = bom.made_at(frame("item location", "A MDN", "A JKT", "B X"), lanes)
    assert list(made.location) == ["JKT", "JKT", "Y"]
    assert bom.made_at(made, None) is made


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
