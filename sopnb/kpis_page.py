"""The scorecard, as it is read: each measure with its value, target, status and line of thirteen months."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sopnb import charts, kpis, tables, words
from sopnb.tables import Table
from sopnb.words import message, say

col = tables.col
SPEC = {"percent": "+.1%", "money": "money", "days": ",.0f", "ratio": ",.2f"}


def specs() -> dict[str, str]:
    """How the value of each measure is written; signed where zero is best, so that the side it misses to can be seen."""
    return {one: SPEC["percent"] if about["better"] == "zero" else SPEC[about["unit"]].lstrip("+") for one, about in kpis.described().items()}


def read(card: pd.DataFrame, trended: pd.DataFrame, *, called: Mapping[str, str]) -> pd.DataFrame:
    """The scorecard with what stands in its cells.

    card      kpis.scorecard; trended: kpis.trend of the same measures
    called    kpi: its name, with its lag where it has one
    returns   card, with what, goal, value, before, year_ago as texts, and line (a picture)
    """
    spec, lines = specs(), dict(list(trended.groupby("kpi")))
    more = {"days": ", " + words.term("unit", "days").text, "capacity_load": ", " + message("kpis.peak_ahead").text}
    what = [called[one] + (more.get(unit) or more.get(one, "")) for one, unit in zip(card["kpi"], card["unit"], strict=True)]
    goal = ["±" * (kpis.BOOK[one].better == "zero") + words.show(value, SPEC[unit].lstrip("+")) if value == value else None for one, unit, value in zip(card["kpi"], card["unit"], card["target"], strict=True)]
    texts = {column: [words.show(value, spec[one]) for one, value in zip(card["kpi"], card[column], strict=True)] for column in ("value", "before", "year_ago")}
    drawn = []
    for one, value in zip(card["kpi"], texts["value"], strict=True):
        about = message("kpis." + one).text
        drawn.append(charts.sparkline(list(lines[one]["value"]), target=lines[one]["target"].iloc[-1], title=about, desc=value))
    return card.assign(what=what, goal=goal, line=drawn, **texts)


def scorecard(shown: pd.DataFrame, *, month: pd.Timestamp) -> Table:
    """Every measure with its status, the worst first.

    shown   read
    """
    counts = {status: (shown["status"] == status).sum() for status in ("on", "watch", "off")}
    return tables.show(
        shown, caption=say("{on:,.0f} on target, {watch:,.0f} to watch, {off:,.0f} off", **counts), source=say("the KPI book, definitions as numbered; targets of the params file"),
        subtitle=say("{month:month}, the worst first; the line shows thirteen months, dashed the target", month=month),
        columns={"what": "Measure", "value": col("Value", "written"), "status": col("Status", "status"), "goal": col("Target", "written", wide=True), "line": col("13 months", "picture"),
                 "before": col("Month before", "written", wide=True), "year_ago": col("A year ago", "written", wide=True), "version": col("Definition", "written", wide=True)})
