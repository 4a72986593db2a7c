"""The scorecard, as it is read: each measure with its value, target, status and line of thirteen months; and what stands
between two sums of money: revenue and that of a year ago, budget and plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import charts, kpis, tables, words
from sopnb.blocks import Block, block
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
SPEC = {"percent": "+.1%", "money": "money", "days": ",.0f", "ratio": ",.2f"}


def specs() -> dict[str, str]:
    """How the value of each measure is written; signed where zero is best, so that the side it misses to can be seen."""
    return {one: SPEC["percent"] if about["better"] == "zero" else SPEC[about["unit"]].lstrip("+") for one, about in kpis.described().items()}


def written(kpi: str, value: object) -> str:
    """The value of a measure with its unit: a ratio is so many times.

    >>> written("pipeline_coverage", 1.554)
    '1.55×'
    """
    return _times(kpi, words.show(value, specs()[kpi]))


def _times(kpi: str, text: str) -> str:
    return text + "×" if kpis.BOOK[kpi].unit == "ratio" and text != words.MISSING else text


def short_names(called: Mapping[str, str]) -> dict[str, str]:
    """Names that a small chart has room for: those of `called`, shorter where they are long."""
    return {one: message(f"kpis.short.{one}").text if f"kpis.short.{one}" in words.MESSAGES else name for one, name in called.items()}


def read(card: pd.DataFrame, trended: pd.DataFrame, *, called: Mapping[str, str]) -> pd.DataFrame:
    """The scorecard with what stands in its cells.

    card      kpis.scorecard; trended: kpis.trend of the same measures
    called    kpi: its name, with its lag where it has one
    returns   card, with what, goal, value, before, year_ago as texts, and line (a picture)
    """
    lines = dict(list(trended.groupby("kpi")))
    more = {"days": ", " + words.term("unit", "days").text, "capacity_load": ", " + message("kpis.peak_ahead").text}
    what = [called[one] + (more.get(unit) or more.get(one, "")) for one, unit in zip(card["kpi"], card["unit"], strict=True)]
    goal = ["±" * (kpis.BOOK[one].better == "zero") + _times(one, words.show(value, SPEC[unit].lstrip("+"))) if value == value else None for one, unit, value in zip(card["kpi"], card["unit"], card["target"], strict=True)]
    texts = {column: [written(one, value) for one, value in zip(card["kpi"], card[column], strict=True)] for column in ("value", "before", "year_ago")}
    drawn = []
    for one, value in zip(card["kpi"], texts["value"], strict=True):
        about = message("kpis." + one).text
        drawn.append(charts.sparkline(list(lines[one]["value"]), target=lines[one]["target"].iloc[-1], title=about, desc=value))
    return card.assign(what=what, goal=goal, line=drawn, **texts)


def scorecard(shown: pd.DataFrame, *, month: pd.Timestamp) -> Block:
    """Every measure with its status, the worst first; those without a target stand shut below.

    shown   read
    """
    counts = {status: (shown["status"] == status).sum() for status in ("on", "watch", "off")}
    aimed, free = shown[shown["status"] != "none"], shown[shown["status"] == "none"]
    line = say("{month:month}, the worst first; the line shows thirteen months, dashed the target", month=month)
    judged = tables.show(
        aimed, caption=say("{on:,.0f} on target, {watch:,.0f} to watch, {off:,.0f} off", **counts), subtitle=line, source=say("the KPI book; targets of the params file"),
        columns={"what": "Measure", "value": col("Value", "written"), "status": col("Status", "status"), "goal": col("Target", "written", wide=True), **SEEN}) if len(aimed) else None
    worse = free[free["got_worse"]]
    rest = (say("Without a target: {n:,.0f}, of them worse than a month before: {worse}", n=len(free), worse=", ".join(worse["what"])) if len(worse) else
            say("Without a target: {n:,.0f}, none of them worse than a month before", n=len(free)))
    watched = tables.show(free, caption=rest, subtitle=say("{month:month}; the line shows thirteen months", month=month), source=say("the KPI book"), shut=len(aimed) > 0,
                          columns={"what": "Measure", "value": col("Value", "written"), **SEEN}) if len(free) else None
    return block(judged, watched)


SEEN = {"line": col("13 months", "picture"), "before": col("Month before", "written", wide=True), "year_ago": col("A year ago", "written", wide=True)}


def explained(shown: pd.DataFrame) -> Table:
    """What each measure is, in plain words; for the reader who asks.

    shown   read
    """
    rows = shown.assign(meaning=[message(f"kpis.means.{one}") for one in shown["kpi"]])
    return tables.show(rows, caption=say("What each of the {n:,.0f} measures means", n=len(rows)), source=say("the KPI book, docs/kpis.md"), shut=True,
                       columns={"what": "Measure", "meaning": "What it is"})


def off_target(parts: pd.DataFrame) -> Sentence:
    """Where a measure is off target itself, counted in whole sentences."""
    first = parts.iloc[0]
    if len(parts) == 1:
        return say("Off target in one place: {what}, {where}", what=first["what"], where=first["where"])
    return say("Off target in {n:,.0f} places; the largest: {what}, {where}", n=len(parts), what=first["what"], where=first["where"])


# --- why did revenue change, where does the plan differ -----------------------------------------------------------------

PARTS = ("volume", "mix", "price", "new", "ended", "budget", "plan", "rest")


def _largest(steps: pd.DataFrame) -> pd.Series:
    """The part of a bridge that moved most, either way."""
    return steps.loc[steps.loc[~steps["total"], "amount"].abs().idxmax()]


def _parts(steps: pd.DataFrame, month: pd.Timestamp | None = None) -> dict[str, str]:
    """The parts of a bridge as they are called; a family by its own name, the two revenues by their months."""
    called = {part: message("kpis.part." + part).text for part in PARTS} | {part: part.removeprefix("family:") for part in steps["part"] if part.startswith("family:")}
    return called if month is None else called | {"revenue_year_ago": words.show(month - pd.DateOffset(years=1), "month"), "revenue_now": words.show(month, "month")}


def revenue(year: pd.DataFrame | None, *, month: pd.Timestamp, orders: bool = True) -> Sentence:
    """What became of a month's revenue in a year, and most of it by what.

    year     kpis.steps of kpis.revenue_bridge; None where there is no such month to compare with
    orders   whether there is a history of orders at all
    """
    if year is None:
        return say("Revenue cannot be compared with a year ago: there is no such month.") if orders else say("Not available: {table}.", table=words.term("source", "orders"))
    before, now, most = year["amount"].iloc[0], year["amount"].iloc[-1], _largest(year)
    return say("Revenue of {month:month} was **{now:money}**, {change:+.1%} on the year before; most of it is {part} ({amount:money+}).", month=month, now=now,
               change=now / before - 1, part=_parts(year)[most["part"]].lower(), amount=most["amount"])


def revenue_bridge(year: pd.DataFrame | None, *, month: pd.Timestamp) -> Any:
    """From the revenue of a year ago to this one; nothing where there is none to compare with.

    year   kpis.steps of kpis.revenue_bridge
    """
    if year is None:
        return None
    names, most = _parts(year, month), _largest(year)
    return charts.bridge(year, names=names, name="revenue-bridge",
                         title=say("{part}: {amount:money+} of revenue on the year before", part=names[most["part"]], amount=most["amount"]),
                         subtitle=say("Revenue of {month:month} against the same month last year", month=month), source="demand history; items")


def revenue_families(by_family: pd.DataFrame, *, month: pd.Timestamp) -> Table:
    """The change of revenue by family, the largest first; the parts add up.

    by_family   kpis.price_volume_mix
    """
    rows = by_family.assign(family=by_family["family"].replace("", None), change=by_family["after"] - by_family["before"])
    sums = ["before", "after", "change", "price", "volume", "mix", "new", "ended"]
    return tables.show(
        rows, caption=say("{family} moved most: {change:money+}", **rows.loc[rows["change"].abs().idxmax(), ["family", "change"]]),
        subtitle=say("Change of revenue, {month:month} on the same month last year; the parts add up to the change", month=month), source="demand history; items",
        top=12, by="change", other=sums, total=sums,
        columns={"family": "Family", "after": col("Revenue", "money"), "change": col("Change", "money", signed=True), "price": col("Price", "money", signed=True, wide=True),
                 "volume": col("Volume", "money", signed=True, wide=True), "mix": col("Mix", "money", signed=True, wide=True),
                 "new": col("Only now", "money", signed=True, wide=True), "ended": col("Only then", "money", signed=True, wide=True)})


def budget(leads: pd.DataFrame | None, *, months: Sequence[pd.Timestamp]) -> Sentence:
    """How far the plan is from the budget.

    leads    kpis.steps of kpis.budget_bridge; None where there is no budget
    months   those that both speak of
    """
    if leads is None:
        return say("Not available: {table}.", table=words.term("source", "budget"))
    first, last = leads["amount"].iloc[0], leads["amount"].iloc[-1]
    return say("The plan from {first:month} to {last:month} comes to **{plan:money}**; the budget is {budget:money}. The gap is {gap:money+} ({share:+.1%}).", first=months[0], last=months[-1],
               share=(last - first) / first, budget=first, plan=last, gap=last - first)


def budget_bridge(leads: pd.DataFrame | None, *, months: Sequence[pd.Timestamp], cycle: str) -> Any:
    """From the budget to the plan by family; nothing where there is no budget.

    leads   kpis.steps of kpis.budget_bridge, the largest gap first
    """
    if leads is None:
        return None
    return charts.bridge(leads, names=_parts(leads), name="budget-bridge",
                         title=say("{what} is the largest difference: {amount:money+}", what=leads["part"].iloc[1].removeprefix("family:"), amount=leads["amount"].iloc[1]),
                         subtitle=say("Revenue from {first:month} to {last:month} by family, the largest gap first", first=months[0], last=months[-1]),
                         source=say("plan {cycle}; budget", cycle=cycle))
