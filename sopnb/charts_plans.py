"""Charts of aggregate plans side by side: people, output and stock of each strategy, and what each costs by term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, Figure, cut, figure, need, said
from sopnb.charts_scale import by_month, known, limits, named, scale
from sopnb.style import text_width
from sopnb.words import Sentence

MEASURES = ("people", "made", "stock")
ORDER = ("level", "chase", "hybrid", "optimum", "own")
OUTPUT = ["regular", "overtime", "subcontract"]
# What a plan is paid for, in the order in which it is drawn, with its terms and its colour.
PARTS: dict[str, tuple[tuple[str, ...], str]] = {
    "regular": (("cost_regular",), "base"), "material": (("cost_material",), "line"), "more": (("cost_overtime", "cost_subcontract"), "over"),
    "changes": (("cost_hiring", "cost_layoff"), "ink"), "holding": (("cost_holding",), "plan"), "waiting": (("cost_backlog", "cost_lost"), "short")}


def plan_paths(
    aggregate: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """People, output and stock of each strategy, month by month, in rows of three small charts; each measure on one scale.

    aggregate  strategy × month   people, regular, overtime, subcontract, stock, backlog, demand; families add up
    names      strategy: what to call it

    Dashed behind output stands demand. Stock below the line is what is owed.
    """
    need(aggregate, ["strategy", "month", "people", *OUTPUT, "stock", "backlog", "demand"], "plan_paths")
    table = aggregate.assign(made=aggregate[OUTPUT].sum(axis=1), stock=aggregate["stock"] - aggregate["backlog"])
    keys = sorted(dict.fromkeys(table["strategy"]), key=lambda key: ORDER.index(key) if key in ORDER else len(ORDER))
    paths = {key: by_month(table[table["strategy"] == key], [*MEASURES, "demand"]) for key in keys}
    values = {measure: known([v for path in paths.values() for column in ((measure, "demand") if measure == "made" else (measure,)) for v in path[column]])
              for measure in MEASURES}
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not keys or not values["people"]:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axes = {measure: scale(values[measure]) for measure in MEASURES}
    tall = 118

    def paint(canvas: Canvas) -> None:
        gap = 26 if canvas.wide else 14
        width = (canvas.width - 2 * gap) / 3
        for row, key in enumerate(keys):
            top = row * tall
            canvas.words(0, top + 14, called(key, names), role="ink", size=LABEL, bold=True)
            for column, measure in enumerate(MEASURES):
                _small(canvas, paths[key], measure, axes[measure], limits(values[measure]), column * (width + gap), top, width, tall)
        first, last = (int(end) for end in (paths[keys[0]].index.min(), paths[keys[0]].index.max()))
        for column in range(3 if canvas.wide else 1):  # a phone has room for them once
            left = column * (width + gap)
            canvas.words(left, canvas.height - 4, named(first))
            if last > first:
                canvas.words(left + width if canvas.wide else canvas.width, canvas.height - 4, named(last), align="right")

    told = "; ".join(said("charts.plans.told", {"plan": called(key, names), **{m: axes[m].full(max(known(paths[key][m]), default=0.0)) for m in MEASURES}})
                     for key in keys)
    return figure(paint, alt=alt or said("charts.alt.plans", {"plans": told}), heights=(len(keys) * tall + 14, len(keys) * tall + 14), **about)


def _small(canvas: Canvas, path: pd.DataFrame, measure: str, axis: Any, ends: tuple[float, float], left: float, top: float, width: float, tall: float) -> None:
    """One measure of one strategy: its name, its highest value, its line."""
    canvas.words(left, top + 31, words.message(f"charts.plans.{measure}").text)
    most = axis.full(max(known(path[measure]), default=0.0))
    told = words.message("charts.plans.most", {"value": most}).text
    canvas.words(left, top + 46, told if text_width(told, TICK) <= width else most, role="ink")
    places = [int(p) for p in path.index]
    pane = canvas.pane(left + 2, top + 56, canvas.width - left - width + 2, canvas.height - top - tall + 14, (places[0], max(places[-1], places[0] + 1)), ends)
    canvas.rule((left, left + width), (pane.py(0), pane.py(0)), role="mute")
    if measure == "made":
        pane.line(places, list(path["demand"]), role="base", width=1.5, dash=(3, 2))
    pane.line(places, list(path[measure]), role="plan", width=1.75)


def plan_costs(
    beside: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """What each strategy costs, one bar each, made up of what it is paid for; the key below names the parts in their order.

    beside   strategy, the cost terms and cost, as `aggregate.compare` gives them, in the order in which they are drawn
    names    strategy: what to call it
    """
    terms = [term for columns, _ in PARTS.values() for term in columns]
    need(beside, ["strategy", *terms, "cost"], "plan_costs")
    parts = pd.DataFrame({part: beside[list(columns)].sum(axis=1) for part, (columns, _) in PARTS.items()}).set_index(beside["strategy"])
    used = [part for part in PARTS if parts[part].max() > 0.002 * max(beside["cost"].max(), 1e-9)] if len(beside) else []
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not used:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axis = scale(beside["cost"], "money", fine=True)
    label = {part: words.message(f"charts.plans.{part}").text for part in used}
    step, high = {False: 46, True: 36}, float(parts[used].sum(axis=1).max())
    below = {wide: 20 * len(_key_lines(label, wide)) + 8 for wide in (False, True)}

    def paint(canvas: Canvas) -> None:
        totals = [axis.full(v) for v in beside["cost"]]
        left = max(text_width(called(key, names), LABEL, True) for key in parts.index) + 16 if canvas.wide else 0.0
        right = max(text_width(total, LABEL) for total in totals) + 14 if canvas.wide else 0.0
        count, tall = len(parts), step[canvas.wide]
        pane = canvas.pane(left, 4, right, 4 + below[canvas.wide], (0, high), (count - 0.5, -0.5))
        for i, (key, total) in enumerate(zip(parts.index, totals, strict=True)):
            edges = (i - 0.29, i + 0.29) if canvas.wide else (i + 0.02, i + 0.38)
            start = 0.0
            for part in used:
                end = start + float(parts.at[key, part])
                if end > start:
                    pane.block(start, end, *edges, role=PARTS[part][1])
                start = end
            base = 4 + tall * (i + 0.5) + (5 if canvas.wide else -7)
            canvas.words(0, base, cut(called(key, names), canvas.width * 0.5, LABEL, True), role="ink", size=LABEL, bold=True)
            canvas.words(canvas.width, base, total, role="ink", size=LABEL, align="right")
        _key(canvas, label, canvas.height - below[canvas.wide] + 10)

    told = "; ".join(f"{called(key, names)} {axis.full(v)}" for key, v in zip(parts.index, beside["cost"], strict=True))
    heights = tuple(8 + step[wide] * len(beside) + below[wide] for wide in (False, True))
    return figure(paint, alt=alt or said("charts.alt.bars", {"parts": told}), heights=(heights[0], heights[1]), **about)


def _key_lines(label: Mapping[str, str], wide: bool) -> list[list[str]]:
    """The parts in the order of the bars, as many to a line as fit."""
    room, at = (620 if wide else 288), 0.0
    lines: list[list[str]] = [[]]
    for part, text in label.items():
        size = text_width(text, TICK) + 32
        if lines[-1] and at + size > room:
            lines.append([])
            at = 0.0
        lines[-1].append(part)
        at += size
    return lines


def _key(canvas: Canvas, label: Mapping[str, str], top: float) -> None:
    """A small square and a name for each part."""
    pane = canvas.pane(0, 0, 0, 0, (0, canvas.width), (canvas.height, 0))
    for line, parts in enumerate(_key_lines(label, canvas.wide)):
        at, base = 0.0, top + 20 * line + 10
        for part in parts:
            pane.block(at, at + 10, base - 9, base + 1, role=PARTS[part][1])
            canvas.words(at + 15, base, label[part])
            at += text_width(label[part], TICK) + 32


def called(strategy: str, names: Mapping[str, str] | None = None) -> str:
    """What a strategy is called on a page."""
    if names and strategy in names:
        return str(names[strategy])
    return words.message(f"charts.strategy.{strategy}").text if strategy in ORDER else str(strategy)
