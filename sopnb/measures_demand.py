"""Measures of demand, money and sales; what a measure is stands in sopnb.book."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames
from sopnb.book import AHEAD, CLOSED, QUARTER, ahead, end, kpi, one, scopes

# --- forecast ---------------------------------------------------------------------------------------------------------

_PAST = """
    past_plans
      cycle item location month consensus override
      2026-07 A all 2026-09 90 5
      2026-07 B all 2026-09 120 20
    history
      item location month demand
      A all 2026-09 100
      B all 2026-09 100
"""


@kpi("Forecast accuracy", unit="percent", better="higher", owner="Demand planner", value="complement",
     formula="1 − Σ|plan − demand| / Σ demand, item × location, against the plan frozen at the decision lag",
     measure="at the decision lag, item × location", source="WAPE; frozen plans of past cycles, demand history", example=_PAST, gives=0.85, settings={"lag": 3})
def forecast_accuracy(past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp, lag: int) -> pd.DataFrame | None:
    """|90 − 100| + |120 − 100| = 30 of 200: 85 %. Also by lag, as far back as plans are kept."""
    rows = _frozen(past_plans, history, month, lag)
    parts = [] if rows is None else [scopes(rows.assign(n=rows["error"].abs(), d=rows["demand"]), items)]
    for other in range(1, AHEAD + 1):
        found = _frozen(past_plans, history, month, other)
        if found is not None:
            parts.append(one(f"lag:{other}", found["error"].abs().sum(), found["demand"].sum()))
    return pd.concat(parts, ignore_index=True) if parts else None


@kpi("Forecast bias", unit="percent", better="zero", owner="Demand planner", formula="Σ(plan − demand) / Σ demand at the decision lag; plus is too high",
     measure="at the decision lag; plus is too high", source="Hyndman and Athanasopoulos, Forecasting; frozen plans, demand history", example=_PAST, gives=0.05, settings={"lag": 3})
def forecast_bias(past_plans: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp, lag: int) -> pd.DataFrame | None:
    """−10 + 20 = 10 of 200: 5 % too high."""
    rows = _frozen(past_plans, history, month, lag)
    return None if rows is None else scopes(rows.assign(n=rows["error"], d=rows["demand"]), items)


@kpi("Value added to the forecast", unit="percent", better="higher", owner="Demand planner", measure="points of error taken off naive",
     formula="(Σ|naive − demand| − Σ|plan − demand|) / Σ demand, at the same lag", source="Gilliland, forecast value added; table value_added",
     example="""
         value_added
           stream month lag error demand
           naive 2026-09 3 60 200
           baseline 2026-09 3 40 200
           override 2026-09 3 30 200
     """, gives=0.15, settings={"lag": 3})
def value_added(value_added: pd.DataFrame, *, month: pd.Timestamp, lag: int) -> pd.DataFrame | None:
    """60 − 30 = 30 of 200: the process takes 15 points off the error of doing nothing."""
    rows = value_added[(value_added["month"] == month) & (value_added["lag"] == lag)].set_index("stream")
    if "naive" not in rows.index or "override" not in rows.index:
        return None
    error, demand = rows["error"].astype(float), rows["demand"].astype(float)
    return one("all", error["naive"] - error["override"], demand["override"])


@kpi("Overrides that helped", unit="percent", better="higher", owner="Sales director", measure="series brought nearer to demand",
     formula="series whose override brought the plan nearer to demand / series with an override, at the decision lag",
     source="Fildes et al. (2009); frozen plans, demand history", example=_PAST, gives=0.5, settings={"lag": 3})
def override_hit_rate(past_plans: pd.DataFrame, history: pd.DataFrame, *, month: pd.Timestamp, lag: int) -> pd.DataFrame | None:
    """A: 90 instead of 85 for a demand of 100, nearer. B: 120 instead of 100 for 100, further away."""
    rows = _frozen(past_plans, history, month, lag)
    if rows is None:
        return None
    moved = rows[rows["override"].abs() > 1e-9]
    return one("all", (moved["error"].abs() < (moved["error"] - moved["override"]).abs()).sum(), len(moved))


@kpi("Plan stability", unit="percent", better="higher", owner="Demand planner", value="complement", measure="next six months against last plan",
     formula="1 − Σ|plan − last plan| / Σ last plan, item × location, the next six months that both have",
     source="practice: nervousness of the plan; plans of this cycle and the one before",
     example="""
         plan
           item location month consensus
           A all 2026-10 90
           A all 2026-11 110
         past_plans
           cycle item location month consensus
           2026-09 A all 2026-10 100
           2026-09 A all 2026-11 100
     """, gives=0.9)
def plan_stability(plan: pd.DataFrame, past_plans: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """10 + 10 = 20 of 200 moved: 90 % stood still."""
    before = past_plans[(past_plans["cycle"] == month)]
    span = sorted(set(ahead(month)) & set(plan["month"]) & set(before["month"]))
    if not span:
        return None
    key = ["item", "location", "month"]
    both = plan.loc[plan["month"].isin(span), [*key, "consensus"]].merge(
        before.loc[before["month"].isin(span), [*key, "consensus"]], on=key, how="outer", suffixes=("", "_before"))
    both = both.fillna({"consensus": 0.0, "consensus_before": 0.0})
    return scopes(both.assign(n=(both["consensus"] - both["consensus_before"]).abs(), d=both["consensus_before"]), items)


# --- money ------------------------------------------------------------------------------------------------------------

_BUDGET = """
    items
      item family unit_cost
      A Tea 6
    history
      item location month demand_raw returns revenue
      A all 2026-09 100 10 900
    budget
      family month revenue
      Tea 2026-09 1000
      Tea 2026-10 1000
    plan
      item location month revenue
      A all 2026-10 980
"""


@kpi("Plan against budget", unit="percent", better="zero", owner="Finance manager", value="over", measure="revenue, the next six months",
     formula="plan revenue / budget revenue − 1, the next six months as far as the budget goes", source="practice; plan, budget", example=_BUDGET, gives=-0.02)
def plan_vs_budget(plan: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """980 against 1,000. Also by family."""
    span = sorted(set(ahead(month)) & set(plan["month"]) & set(budget["month"]))
    return _against(plan[plan["month"].isin(span)], budget[budget["month"].isin(span)], items)


@kpi("Revenue against budget", unit="percent", better="zero", owner="Finance manager", value="over", history=True, measure="of the month",
     formula="revenue / budget revenue − 1, of the month", source="practice; history, budget", example=_BUDGET, gives=-0.1)
def revenue_vs_budget(history: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """900 against 1,000. Also by family."""
    return _against(history[history["month"] == month], budget[budget["month"] == month], items)


@kpi("Revenue", unit="money", better="higher", owner="Finance manager", value="amount", history=True, measure="net, by the month asked for",
     formula="Σ net amount of the month's order lines, returns taken off", source="order lines, through history", example=_BUDGET, gives=900.0)
def revenue(history: pd.DataFrame, items: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """The one line of September."""
    rows = history[history["month"] == month]
    return scopes(rows.assign(n=rows["revenue"], d=rows["revenue"]), items)


@kpi("Gross margin", unit="percent", better="higher", owner="Finance manager", history=True, measure="of revenue, at today's unit cost",
     formula="(revenue − (units ordered − returned) × unit cost) / revenue, items with a cost", source="textbook; history, items", example=_BUDGET, gives=0.4)
def gross_margin(history: pd.DataFrame, items: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """900 − 90 × 6 = 360 of 900."""
    rows = history[history["month"] == month]
    rows = rows.assign(cost=rows["item"].map(items.set_index("item")["unit_cost"])).dropna(subset=["cost"])
    return scopes(rows.assign(n=rows["revenue"] - (rows["demand_raw"] - rows["returns"]) * rows["cost"], d=rows["revenue"]), items)


# --- sales ------------------------------------------------------------------------------------------------------------

_DEALS = """
    quotas
      rep month quota
      r1 2026-07 100
      r1 2026-08 100
      r1 2026-09 100
      r1 2026-10 100
      r1 2026-11 100
      r1 2026-12 100
    opportunities
      opportunity rep amount created close_date outcome
      1 r1 270 2026-06-01 2026-08-10 won
      2 r1 90 2026-06-01 2026-09-10 lost
      3 r1 500 2026-08-01 2026-11-20 -
      4 r1 250 2026-09-01 2026-12-20 -
      5 r1 400 2026-09-01 2027-01-20 -
"""


@kpi("Quota attainment", unit="percent", better="higher", owner="Sales director", history=True, measure="won against quota, last three months",
     formula="money won / quota, the last three months; without a pipeline, revenue of the order lines of reps with a quota",
     source="practice; opportunities (else orders), quotas", example=_DEALS, gives=0.9)
def quota_attainment(quotas: pd.DataFrame, opportunities: pd.DataFrame | None = None, orders: pd.DataFrame | None = None, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """270 of 300. Three months, so that one deal's day does not decide, and quotas set by quarter compare."""
    first = frames.next_month(month, 1 - QUARTER)
    asked = quotas[quotas["month"].between(first, month)]
    if opportunities is not None:
        sold = opportunities[(opportunities["outcome"] == "won") & opportunities["close_date"].between(first, end(month))]["amount"].sum()
    elif orders is not None and orders["rep"].notna().any():
        sold = _sold(orders, first, end(month), set(asked["rep"]))
    else:
        return None
    return one("all", sold, asked["quota"].sum())


@kpi("Win rate", unit="percent", better="higher", owner="Sales director", history=True, measure="deals, last three months",
     formula="deals won / deals won or lost, by count, closed in the last three months", source="practice; opportunities", example=_DEALS, gives=0.5)
def win_rate(opportunities: pd.DataFrame, *, month: pd.Timestamp) -> pd.DataFrame | None:
    """One won, one lost; open deals are left out."""
    closed = opportunities[opportunities["outcome"].isin(CLOSED) & opportunities["close_date"].between(frames.next_month(month, 1 - QUARTER), end(month))]
    return one("all", (closed["outcome"] == "won").sum(), len(closed))


@kpi("Pipeline coverage, full quota", unit="ratio", better="higher", owner="Sales director", measure="open deals against the quarter's quota",
     formula="open deals due to close by the end of the coming month's fiscal quarter / quota of the quarter", source="practice, first custom; opportunities, quotas",
     example=_DEALS, gives=2.5, settings={"fiscal_year_start": 1})
def pipeline_coverage(opportunities: pd.DataFrame, quotas: pd.DataFrame, *, month: pd.Timestamp, fiscal_year_start: int) -> pd.DataFrame | None:
    """500 + 250 = 750 against the 300 of October to December; deals overdue to close are counted."""
    first, last = _quarter(frames.next_month(month), fiscal_year_start)
    return one("all", _open(opportunities, month, last), quotas.loc[quotas["month"].between(first, last), "quota"].sum())


@kpi("Pipeline coverage, remaining quota", unit="ratio", better="higher", owner="Sales director", measure="open deals against what is still to be won",
     formula="open deals due to close by the end of the coming month's fiscal quarter / (quota of the quarter − won in it so far)",
     source="practice, second custom; opportunities, quotas", example="""
         quotas
           rep month quota
           r1 2026-08 100
           r1 2026-09 100
           r1 2026-10 100
         opportunities
           opportunity rep amount created close_date outcome
           1 r1 200 2026-06-01 2026-08-10 won
           2 r1 240 2026-08-01 2026-10-20 -
     """, gives=2.4, settings={"fiscal_year_start": 2})
def pipeline_coverage_remaining(opportunities: pd.DataFrame, quotas: pd.DataFrame, *, month: pd.Timestamp, fiscal_year_start: int) -> pd.DataFrame | None:
    """With a fiscal year from February the quarter is August to October: 240 against 300 − 200."""
    first, last = _quarter(frames.next_month(month), fiscal_year_start)
    won = opportunities[(opportunities["outcome"] == "won") & opportunities["close_date"].between(first, end(month))]["amount"].sum()
    left = quotas.loc[quotas["month"].between(first, last), "quota"].sum() - won
    return one("all", _open(opportunities, month, last), left if left > 0 else np.nan)


# --- what they share --------------------------------------------------------------------------------------------------

def _frozen(past_plans: pd.DataFrame, history: pd.DataFrame, month: pd.Timestamp, lag: int) -> pd.DataFrame | None:
    """The month as the cycle `lag` months before its end planned it, and as it came; a series in one alone is zero in the other."""
    planned = past_plans[(past_plans["cycle"] == frames.next_month(month, 1 - lag)) & (past_plans["month"] == month)]
    if planned.empty:
        return None
    came = history.loc[history["month"] == month, ["item", "location", "demand"]]
    rows = planned[["item", "location", "consensus", "override"]].merge(came, on=["item", "location"], how="outer")
    rows = rows.fillna({"consensus": 0.0, "override": 0.0, "demand": 0.0})
    return rows.assign(error=rows["consensus"] - rows["demand"])


def _against(rows: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame | None:
    if rows.empty or budget.empty:
        return None
    ours = rows.groupby(rows["item"].map(items.set_index("item")["family"]).fillna("").to_numpy())["revenue"].sum()
    theirs = budget.groupby("family")["revenue"].sum()
    families = pd.DataFrame({"numerator": ours.reindex(theirs.index).fillna(0.0), "denominator": theirs})
    return pd.concat([one("all", ours.sum(), theirs.sum()), families.assign(scope="family:" + families.index)], ignore_index=True)


def _sold(orders: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, reps: set[Any]) -> float:
    day = orders["requested_date"].fillna(orders["order_date"])
    rows = orders[day.between(first, last) & orders["rep"].isin(reps) & (orders["status"] != "cancelled")]
    counted = rows["quantity"] * rows["unit_price"] * (1 - rows["discount"].fillna(0.0))
    return float(rows["amount"].fillna(counted).sum())


def _quarter(month: pd.Timestamp, fiscal_year_start: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    first = frames.next_month(month, -((month.month - fiscal_year_start) % QUARTER))
    return first, frames.next_month(first, QUARTER - 1)


def _open(opportunities: pd.DataFrame, month: pd.Timestamp, last: pd.Timestamp) -> float:
    """Money of the deals open at the end of a month and due to close by the end of another, overdue ones included."""
    known = opportunities[~(opportunities["created"] > end(month))]
    still = ~known["outcome"].isin(CLOSED) | (known["close_date"] > end(month))
    return float(known.loc[still & ~(known["close_date"] > end(last)), "amount"].sum())
