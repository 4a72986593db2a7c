"""Figures that show at one look where something lies: fields of shades, streams side by side, deals by stage, quotas.

Each takes a finished table and stands beside the sentences and tables that say the same in numbers; None where there is
nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, words
from sopnb.blocks import Scope, rough, told
from sopnb.charts import Figure
from sopnb.words import message, say

PEOPLE = ["events", "pipeline", "leads", "sales", "override"]
_ROWS = 10  # of a field: what is smaller stands in the table beside it


# --- demand ---------------------------------------------------------------------------------------------------------

def streams(plan: pd.DataFrame, scope: Scope) -> Figure | None:
    """What each stream adds to the baseline, month by month, all on one scale.

    plan    frames.PLAN
    """
    near = plan[plan["month"].isin(scope.window)]
    long = near.groupby("month")[PEOPLE].sum().reset_index().melt("month", var_name="stream", value_name="units")
    size = long.assign(units=long["units"].abs()).groupby("stream")["units"].sum()
    if not size.sum() > 0:
        return None
    order = list(size[size > 0].sort_values(ascending=False, kind="stable").index)
    top = long[long["stream"] == order[0]]
    peak = top.loc[top["units"].abs().idxmax()]
    return charts.small_multiples(
        pd.concat([long[long["stream"] == name] for name in order]), y="units", by="stream", name="streams", names={name: message("plan.stream." + name).text for name in order},
        title=say("Largest beside the baseline: {stream}, {units:compact+} units in {month:month} alone", stream=message("plan.stream." + order[0]), units=rough(peak["units"]), month=peak["month"]),
        subtitle=say("Units added to the baseline or taken off it, by month; one scale for all, the last month's number beside the name"), source=say("plan {cycle}", cycle=scope.cycle))


def stages(deals: pd.DataFrame | None, scope: Scope) -> Figure | None:
    """Open deals by stage, the stage of the youngest first, and what of each is expected.

    deals   sales.deals: stage, amount, expected, age_days
    """
    if deals is None or deals.empty:
        return None
    sums = deals.groupby("stage").agg(amount=("amount", "sum"), expected=("expected", "sum"), age=("age_days", "mean"), n=("amount", "size")).sort_values(["age", "amount"], kind="stable").reset_index()
    most = sums.loc[sums["amount"].idxmax()]
    return charts.funnel(
        sums.assign(note=[words.show(value, "money") for value in sums["expected"]]), stage="stage", amount="amount", note="note", name="funnel",
        title=say("Most of the open deals stand at {stage}: {amount:money}, of which {expected:money} is expected", stage=most["stage"], amount=most["amount"], expected=most["expected"]),
        subtitle=say("Open deals by stage, the stage of the youngest first: as they stand, and what of them is expected"), source=say("opportunities known on {day:day}", day=scope.as_of))


def triangle(made: pd.DataFrame) -> Figure | None:
    """How far each cycle's plan was off, for each month it planned: a row is a cycle, a column a month.

    made    streams.triangle: cycle × month   consensus, demand (missing while not known)
    """
    known = made[made["demand"] > 0]
    if known.empty:
        return None
    known = known.assign(error=known["consensus"] / known["demand"] - 1, made=[words.show(cycle, "mon") for cycle in known["cycle"]]).sort_values(["cycle", "month"], kind="stable")
    worst = known.loc[known["error"].abs().idxmax()]
    return charts.heatmap(
        known, rows="made", columns="month", value="error", kind="percent", name="triangle", source=say("frozen plans of past cycles"),
        title=say("The plan was furthest off for {month:month}, made in {cycle:month}: {error:+.1%} of demand", month=worst["month"], cycle=worst["cycle"], error=worst["error"]),
        subtitle=say("Plan minus demand as a share of demand, all items; a row is the cycle that planned, a column the month planned; minus is planned too low"))


def to_budget(gaps: pd.DataFrame | None) -> Figure | None:
    """Where the plan lies above and below its budget: family × month.

    gaps    value.gap: family × month   plan, budget, gap (money)
    """
    if gaps is None or gaps.empty:
        return None
    size = gaps.groupby("family")["gap"].sum().sort_values(kind="stable")
    shown = list(size.index[size.abs().rank(ascending=False, method="first") <= _ROWS])
    field = pd.concat([gaps[gaps["family"] == family] for family in shown])
    worst = gaps.loc[gaps["gap"].idxmin()]
    title = say("{family} in {month:month} is furthest below its budget: {gap:money+}", family=worst["family"], month=worst["month"], gap=worst["gap"]) if worst["gap"] < 0 else say(
        "No family is below its budget in any month")
    return charts.heatmap(field, rows="family", columns="month", value="gap", kind="money", name="to-budget", title=title, source=say("plan, budget"),
                          subtitle=say("Plan minus budget by family and month; the family furthest below first"))


# --- supply ---------------------------------------------------------------------------------------------------------

def exceptions(exceptions: pd.DataFrame | None, items: pd.DataFrame, scope: Scope) -> Figure | None:
    """Where the exceptions lie: family, or resource, by kind; goods that are in two count once.

    exceptions   frames.EXCEPTIONS
    """
    if exceptions is None or exceptions.empty:
        return None
    family = exceptions["item"].map(items.set_index("item")["family"]).fillna(exceptions["resource"]).fillna(say("other").text)
    rows = exceptions.assign(family=family, amount=(exceptions["amount"] - exceptions["overlap"].fillna(0)), kind=told("supply.kind.", exceptions["kind"]).map(str))
    rows = rows[rows["amount"] > 0]
    if rows.empty:
        return None
    size = rows.groupby("family")["amount"].sum().sort_values(ascending=False, kind="stable")
    order = rows.groupby("kind")["amount"].sum().sort_values(ascending=False, kind="stable").index
    field = rows.groupby(["family", "kind"])["amount"].sum().reindex(pd.MultiIndex.from_product([size.index[:_ROWS], order], names=["family", "kind"])).reset_index()
    most = field.loc[field["amount"].idxmax()]
    return charts.heatmap(
        field, rows="family", columns="kind", value="amount", kind="money", name="exceptions",
        title=say("{amount:money} of the {whole:money} at stake is {kind}: {family}", family=most["family"], amount=most["amount"], whole=size.sum(), kind=most["kind"][:1].lower() + most["kind"][1:]),
        subtitle=say("Money at stake by family, or resource, and kind; goods in two exceptions count once"),
        source=say("exceptions of {cycle}; every exception: tables/exceptions.parquet", cycle=scope.cycle))


# --- sales ----------------------------------------------------------------------------------------------------------

def attained(attainment: pd.DataFrame | None, *, names: Mapping[str, str], first: Any, last: Any) -> Figure | None:
    """What each rep sold of the quota, the lowest first; the dashed outline is what is missing.

    attainment   sales.attainment by rep: sold, quota (money), attainment (fraction)
    """
    rows = None if attainment is None else attainment.dropna(subset=["attainment"]).sort_values("attainment", kind="stable")
    if rows is None or rows.empty:
        return None
    below, share = int((rows["attainment"] < 1).sum()), rows["sold"].sum() / rows["quota"].sum()
    shown = rows.assign(rep=rows["rep"].map(dict(names)).fillna(rows["rep"]))
    return charts.attainment(
        shown, label="rep", done="sold", goal="quota", name="attainment",
        title=say("The reps reach {share:.0%} of their quotas; {below:,d} of {all:,d} are below their own", share=share, below=below, all=len(rows)),
        subtitle=say("Won by each rep against the quota, {first:month} to {last:month}: money, and its share of the quota", first=first, last=last), source=say("opportunities, else orders; quotas"))
