"""The scorecard, as it is read: each measure with its value, target, status and line of thirteen months."""

from __future__ import annotations

from collections.abc import Mapping

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
