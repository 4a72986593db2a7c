"""Forecast versions: what each cycle planned for the months ahead of it, beside the demand that came.

Each version is a short line from the last month its cycle knew; where the lines fan out, the plan was moved late; where
they all lie to one side of the demand, it was biased.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import TICK, Canvas, Figure, Pane, figure, need, said
from sopnb.charts_lines import Line, axis_room, ends_room, months_below, name_ends
from sopnb.charts_scale import by_month, known, limits, named, place, scale, ticks
from sopnb.style import text_width
from sopnb.words import Sentence

_FLOOR = 0.45  # share of the axis that the lines may leave empty below them before it starts above zero


def versions(
    triangle: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    lags: int = 6, back: int = 12, alt: str = "",
) -> Figure:
    """Each cycle's plan for the next `lags` months, thin; demand and the plan of now, strong.

    triangle   cycle × month   consensus, demand (missing while not known): streams.triangle
    back       months of demand shown before the last cycle
    raises     ChartError: a column is missing

    Totals move little beside their size, so the axis may start above zero here, which it says: what is to be seen is
    how far the versions lie from each other and from the demand.
    """
    need(triangle, ["cycle", "month", "consensus", "demand"], "versions")
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    rows = triangle.assign(at=[place(m) for m in triangle["month"]], made=[place(c) for c in triangle["cycle"]])
    now = int(rows["made"].max()) if len(rows) else 0
    rows = rows[(rows["at"] < rows["made"] + lags) & (rows["at"] >= now - back)]
    came = by_month(triangle.drop_duplicates("month").dropna(subset=["demand"]), ["demand"])["demand"]
    came = came[(came.index >= now - back) & (came.index < now)]
    old = [_version(part, came) for made, part in rows.groupby("made") if made < now]
    demand = Line(words.message("charts.demand").text, [float(i) for i in came.index], [float(v) for v in came], "demand", 2.5)
    plan = Line(words.message("charts.plan").text, *_version(rows[rows["made"] == now], came), "plan", 2.75)
    every = known([*demand.y, *plan.y, *(v for _, y in old for v in y)])
    if not every:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axis = scale(every)
    first, last = int(min(rows["at"].min(), came.index.min() if len(came) else now)), int(rows["at"].max())
    cut_off = min(every) > _FLOOR * max(every)

    def paint(canvas: Canvas) -> None:
        ends = [(line, axis.plain(line.last[1])) for line in (demand, plan) if line.last]
        room, two = ends_room([(line.name, value) for line, value in ends[-1:]], canvas)
        low, high = (min(every) - 0.06 * max(every), max(every) * 1.02) if cut_off else limits(every)
        pane = canvas.pane(axis_room(ticks(low, high), axis, [demand, plan], canvas), 40 if canvas.wide else 58, room, 24, (first, max(last, first + 1)), (low, high))
        pane.grid(ticks(low, high), axis.tick)
        for x, y in old:
            pane.line(x, y, role="base", width=1.25)
        pane.line(demand.x, demand.y, role="demand", width=2.5)
        pane.line(plan.x, plan.y, role="plan", width=2.75)
        _key(pane, canvas, cut_off)
        months_below(pane, first, last, now)
        name_ends(pane, ends[-1:], two, room)

    spread = _widest(rows[rows["at"] < now], axis.full)
    return figure(paint, alt=alt or said("charts.alt.versions", spread), heights=(290, 330), **about)


def _version(part: pd.DataFrame, came: pd.Series) -> tuple[list[float], list[float]]:
    """A cycle's plan by month, from the last demand it knew on."""
    sums = part.groupby("at")["consensus"].sum()
    before = int(sums.index.min()) - 1 if len(sums) else 0
    start = came[came.index == before]
    joined = pd.concat([start, sums]) if len(start) else sums
    return [float(i) for i in joined.index], [float(v) for v in joined]


def _key(pane: Pane, canvas: Canvas, cut_off: bool) -> None:
    """Above the plot: which line is which, and that the axis does not start at zero."""
    x = pane.left
    for role, words_id, width in (("demand", "charts.demand", 2.5), ("base", "charts.versions.old", 1.25)):
        text = words.message(words_id).text
        canvas.rule((x, x + 18), (12, 12), role=role, width=width)
        canvas.words(x + 23, 16, text)
        x += 23 + text_width(text, TICK) + 14
    if cut_off:
        text = words.message("charts.versions.axis").text
        below = x + text_width(text, TICK) >= canvas.width  # on a phone
        canvas.words(pane.left if below else canvas.width, 32 if below else 16, text, align="left" if below else "right")


def _widest(rows: pd.DataFrame, show: object) -> dict[str, object]:
    """The known month whose versions lie furthest apart."""
    span = rows.groupby("at")["consensus"].agg(["min", "max"]) if len(rows) else pd.DataFrame(columns=["min", "max"])
    if span.empty:
        return {"month": words.MISSING, "low": words.MISSING, "high": words.MISSING}
    at = (span["max"] - span["min"]).idxmax()
    return {"month": named(int(at), "month"), "low": show(span.loc[at, "min"]), "high": show(span.loc[at, "max"])}  # type: ignore[operator]
