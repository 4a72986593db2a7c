"""Why the plan changed: parts that add up, in units and in money."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import changes, frames

COLUMNS = "item location month baseline events pipeline sales override price"


def plan(*rows: str, columns: str = COLUMNS) -> pd.DataFrame:
    table = frame(columns, *rows)
    table["leads"] = table.get("leads", 0.0)
    table["consensus"] = table[["baseline", "events", "pipeline", "leads", "sales", "override"]].sum(axis=1)
    table["revenue"] = table["consensus"] * table["price"]
    return frames.conform(table.assign(margin=table["revenue"] * 0.4), frames.PLAN)


LAST = plan("A EU 2026-10 100 0 0 0 5 10", "B EU 2026-10 50 10 0 0 0 20", "C EU 2026-10 7 0 0 0 0 1", "A EU 2026-09 90 0 0 0 0 10")
THIS = plan("A EU 2026-10 110 0 0 0 -5 11", "B EU 2026-10 50 0 4 0 0 20", "D EU 2026-10 3 0 0 0 0 2", "A EU 2026-11 95 0 0 0 0 10")


def parts(result: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    return {(r["item"], r["part"]): (r["units"], r["amount"]) for r in result.to_dict("records")}


def test_each_stream_answers_for_its_own_change_at_last_plans_price():
    """A: +10 baseline, −10 overrides, at 10; then 105 units a unit of money dearer. C is gone, D is new."""
    assert parts(changes.changes(THIS, LAST)) == {
        ("A", "actuals"): (10, 100), ("A", "override"): (-10, -100), ("A", "price"): (0, 105),
        ("B", "events"): (-10, -200), ("B", "pipeline"): (4, 80),
        ("C", "new"): (-7, -7), ("D", "new"): (3, 6),
    }


def test_only_months_that_both_plans_have_are_compared():
    assert changes.changes(THIS, LAST)["month"].unique().tolist() == [pd.Timestamp("2026-10-01")]


def test_a_corrected_past_or_another_model_takes_the_change_of_the_baseline():
    corrected = frame("item location month", "A EU 2026-05")
    assert ("A", "restated") in parts(changes.changes(THIS, LAST, restated=corrected))
    models = frame("item location month model", "A EU 2026-10 Theta"), frame("item location month model", "A EU 2026-10 ETS")
    assert ("A", "method") in parts(changes.changes(THIS, LAST, forecast=models[0], previous_forecast=models[1]))
    assert ("A", "actuals") in parts(changes.changes(THIS, LAST, forecast=models[0], previous_forecast=models[0]))


def test_steps_split_the_change_of_the_baseline_exactly():
    """From 100 to 110: 104 with the corrected past, 112 with September in, 111 with this cycle's Lebaran; the model does the rest."""
    steps = frame("item location month restated actuals calendar", "A EU 2026-10 104 112 111")
    found = parts(changes.changes(THIS, LAST, steps=steps))
    assert [found[("A", part)][0] for part in ("restated", "actuals", "calendar", "method")] == [4, 8, -1, -1]
    assert ("B", "method") not in found, "its baseline did not change"


def test_a_step_that_is_missing_changed_nothing():
    found = parts(changes.changes(THIS, LAST, steps=frame("item location month actuals items", "A EU 2026-10 107 107")))
    assert {part: found[("A", part)][0] for item, part in found if item == "A" and part != "price"} == {"actuals": 7, "method": 3, "override": -10}


def test_the_bridge_leads_from_last_plan_to_this_one():
    bridge = changes.bridge(changes.changes(THIS, LAST), THIS, LAST)
    assert bridge["part"].tolist() == ["last", "actuals", "events", "pipeline", "override", "price", "new", "this"]
    assert bridge.loc[bridge["part"] == "last", "amount"].item() == 105 * 10 + 60 * 20 + 7
    assert bridge["amount"].iloc[:-1].sum() == pytest.approx(bridge["amount"].iloc[-1])


def test_movers_come_by_money_with_what_moved_them_most():
    table = changes.movers(changes.changes(THIS, LAST), THIS, LAST)
    assert table[["item", "last", "this", "change", "amount"]].values.tolist() == [
        ["B", 60, 54, -6, -120], ["A", 105, 105, 0, 105], ["C", 7, 0, -7, -7], ["D", 0, 3, 3, 6]]
    assert table["part"].tolist() == ["events", "price", "new", "new"]


def test_a_first_plan_has_nothing_to_be_compared_with():
    assert changes.changes(THIS, None).empty
    assert list(changes.changes(THIS, None).columns) == frames.CHANGES.names


numbers = st.floats(-1e5, 1e5).map(lambda x: round(x, 2))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(*[numbers] * 10, st.floats(0, 1e3), st.floats(0, 1e3)), min_size=1, max_size=4), corrected=st.booleans(), stepped=st.booleans())
def test_the_parts_add_up_to_the_difference_in_units_and_in_money(rows, corrected, stepped):
    last = plan(*[f"I{n} EU 2026-10 {' '.join(map(str, r[:5]))} {r[10]}" for n, r in enumerate(rows)])
    this = plan(*[f"I{n + 1} EU 2026-10 {' '.join(map(str, r[5:10]))} {r[11]}" for n, r in enumerate(rows)])
    restated = frame("item location month", "I1 EU 2026-05") if corrected else None
    steps = frame("item location month restated actuals items", "I1 EU 2026-10 12.5 - 7", "I2 EU 2026-10 - 1e5 0") if stepped else None
    found = changes.changes(this, last, restated=restated, steps=steps)
    np.testing.assert_allclose(found["units"].sum(), this["consensus"].sum() - last["consensus"].sum(), atol=1e-6)
    np.testing.assert_allclose(found["amount"].sum(), this["revenue"].sum() - last["revenue"].sum(), atol=1e-4, rtol=1e-10)
    assert changes.residual(found, this, last) < 1e-3 or found["amount"].abs().sum() < 1e-2, "below 0.1 %, whatever cancels out"


def test_a_mover_is_told_by_the_part_that_moved_it_the_way_it_went():
    """E grew by 70: +100 by sales, −30 by overrides. F shrank by 20 although its deals grew: its baseline fell by 50."""
    last = plan("E EU 2026-10 100 0 0 0 0 1", "F EU 2026-10 100 0 0 0 0 1")
    this = plan("E EU 2026-10 100 0 0 100 -30 1", "F EU 2026-10 50 0 30 0 0 1")
    assert changes.movers(changes.changes(this, last), this, last)[["item", "amount", "part"]].values.tolist() == [["E", 70, "sales"], ["F", -20, "actuals"]]


def test_each_mover_has_its_reason_from_what_to_what():
    """A: dearer. B: fewer events. C has left, D is new."""
    found = changes.changes(THIS, LAST)
    told = changes.reasons(changes.movers(found, THIS, LAST), found, THIS, LAST).set_index("item")
    assert told["because"].to_dict() == {"B": "plan.moved.events", "A": "plan.moved.price", "C": "plan.moved.gone", "D": "plan.moved.new"}
    assert told.loc["A", "values"] == {"this": 11, "last": 10} and told.loc["B", "values"] == {"this": 0, "last": 10}
    assert told.loc["C", "values"] == {"last": 7} and told.loc["B", "part_amount"] == -200


def test_the_month_that_came_in_and_the_models_are_named():
    last = plan("A EU 2026-09 90 0 0 0 0 1", "A EU 2026-10 100 0 0 0 0 1", "B EU 2026-10 100 0 0 0 0 1")
    this = plan("A EU 2026-10 130 0 0 0 0 1", "B EU 2026-10 150 0 0 0 0 1")
    history = frame("item location month demand", "A EU 2026-09 140")
    models = frame("item location month model", "A EU 2026-10 SES", "B EU 2026-10 SES"), frame("item location month model", "A EU 2026-10 SES", "B EU 2026-10 Theta")
    found = changes.changes(this, last, forecast=models[0], previous_forecast=models[1])
    told = changes.reasons(changes.movers(found, this, last), found, this, last, history=history, forecast=models[0], previous_forecast=models[1]).set_index("item")
    assert told.loc["A", "because"] == "plan.moved.actuals" and (told.loc["A", "values"]["demand"], told.loc["A", "values"]["expected"]) == (140, 90)
    assert told.loc["B", "because"] == "plan.moved.method" and told.loc["B", "values"] == {"this": "SES", "last": "Theta"}


def test_every_part_of_a_change_has_its_sentence():
    from sopnb import words

    streams = {"events", "pipeline", "leads", "sales", "override"}
    for part in changes.PARTS:
        plain = f"plan.moved.{part}" if part in streams | {"price", "new"} else f"plan.moved.{part}.plain"
        assert plain in words.MESSAGES, part


def test_nothing_is_left_unexplained():
    assert changes.residual(changes.changes(THIS, LAST), THIS, LAST) < 1e-12
    assert changes.residual(changes.changes(THIS, LAST).query("part != 'price'"), THIS, LAST) > 0.1
