"""The streams side by side, each by itself and with its own record."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame

from sopnb import beside, frames

ITEMS = frame("item family", "A Tea", "B Tea", "C Tin")
COLUMNS = "item location month baseline events pipeline leads sales override price"
_ROWS = frame(COLUMNS, "A EU 2026-10 60 12 0 1 0 0 10", "A US 2026-10 40 0 0 0 0 0 10", "B EU 2026-10 100 0 0 0 0 -5 10", "C EU 2026-10 50 0 25 0 0 0 4")
PLAN = _ROWS.assign(consensus=_ROWS[["baseline", "events", "pipeline", "leads", "sales", "override"]].sum(axis=1)).assign(revenue=lambda d: d["consensus"] * d["price"])
MONTHS = frames.months("2026-10", 1)
LEADS = frame("level key location month leads conversion units owner", "family Tea all 2026-10 100 0.2 1 Rina", "item C all 2026-10 0 0.5 1 Rina")


def said(result: pd.DataFrame) -> dict[tuple[str, str], float]:
    return {(r["stream"], r["family"]): round(r["units"], 6) for r in result.to_dict("records")}


def test_each_stream_speaks_for_itself_where_it_speaks():
    """Tea: baseline 200, an event of 12, leads promise 20. Tin: a deal of 25. Nobody's leads are no statement."""
    found = said(beside.says(PLAN, ITEMS, months=MONTHS, leads=LEADS))
    assert found == {("baseline", "Tea"): 200, ("baseline", "Tin"): 50, ("events", "Tea"): 212, ("pipeline", "Tin"): 75, ("leads", "Tea"): 220,
                     ("consensus", "Tea"): 208, ("consensus", "Tin"): 75}


def test_where_sales_speaks_of_one_place_the_plan_before_it_stands_for_the_others():
    """Sales expects 150 of tea in EU, where the plan before it had 173; US keeps its 40."""
    sales = frame("level key location month quantity owner", "family Tea EU 2026-10 150 Budi")
    assert said(beside.says(PLAN, ITEMS, months=MONTHS, sales=sales)) [("sales", "Tea")] == 190


def test_a_budget_of_money_is_read_at_the_plans_price():
    """2,288 at tea's 10 a unit is 228.8 units; tin is budgeted in units."""
    budget = frame("family month revenue units", "Tea 2026-10 2288 -", "Tin 2026-10 999 80", "Toys 2026-10 5 5")
    found = said(beside.says(PLAN, ITEMS, months=MONTHS, budget=budget))
    assert found[("budget", "Tea")] == 228.8 and found[("budget", "Tin")] == 80 and ("budget", "Toys") not in found


def test_each_is_judged_where_it_spoke_with_the_baseline_beside_it():
    """Tea came to 210: the baseline missed by 10, with the event by 2, with all leads by 10 the other way. Tin came to 60."""
    past = PLAN.assign(cycle=MONTHS[0])
    history = frame("item location month demand", "A EU 2026-10 70", "A US 2026-10 40", "B EU 2026-10 100", "C EU 2026-10 60")
    found = beside.records(past, history, ITEMS, lag=1, past_leads=LEADS.assign(cycle=MONTHS[0])).set_index("stream")
    assert found.loc["events", ["wape", "bias", "without", "months"]].tolist() == pytest.approx([2 / 210, 2 / 210, 10 / 210, 1])
    assert found.loc["leads", ["wape", "without"]].tolist() == pytest.approx([10 / 210, 10 / 210])
    assert found.loc["baseline", ["wape", "bias"]].tolist() == pytest.approx([20 / 270, -20 / 270])
    assert beside.records(past, history, ITEMS, lag=3).empty


def test_together_a_lift_says_what_it_adds():
    both = beside.together(beside.says(PLAN, ITEMS, months=MONTHS, leads=LEADS), beside.records(PLAN.assign(cycle=MONTHS[0]).iloc[:0], PLAN.iloc[:0].assign(demand=0.0), ITEMS, lag=1)).set_index("stream")
    assert both["says"].to_dict() == {"baseline": 250, "events": 12, "pipeline": 25, "leads": 20, "consensus": 283}
    assert both["wape"].isna().all()


def test_a_plan_without_rows_says_nothing():
    assert beside.says(PLAN.iloc[:0], ITEMS, months=MONTHS, leads=LEADS).empty
