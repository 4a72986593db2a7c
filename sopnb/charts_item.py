"""Charts of one item: its history with what happened to it, and what the history is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, Figure, Pane, figure, need, said
from sopnb.charts_lines import Line, axis_room, ends_room, joined, line_of, months_below, name_ends, plan_begins
from sopnb.charts_scale import by_month, known, limits, named, place, scale, ticks
from sopnb.style import BAND, text_width
from sopnb.words import Sentence

# What happened in a month: matplotlib's marker, the same shape as a letter for the key, and its role.
SHAPES: dict[str, tuple[str, str, str]] = {
    "censored": ("^", "▲", "short"), "outlier": ("D", "◆", "over"), "level_shift": ("s", "■", "ok"), "event": ("v", "▼", "base"),
}
HIGHEST = 2.0  # times the highest line: a band beyond it is cut off and its end told, or the lines would lie flat


def item_history(
    history: pd.DataFrame, plan: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    marks: pd.DataFrame | None = None, versions: pd.DataFrame | None = None, months: int = 36, reach: int = 6, alt: str = "",
) -> Figure:
    """One item's demand with what happened to it, the plan with its band, and earlier plans of the same months.

    history   month   demand, demand_raw (units); a month without stock is drawn from what was ordered up to what was wanted
    plan      month   consensus, baseline, lo80, hi80 (units)
    marks     month × kind (censored, outlier, level_shift, event): a shape each, with a key below
    versions  cycle × month   consensus: thin lines, the first `reach` months of each earlier plan
    months    months of history shown
    """
    need(history, ["month", "demand"], "item_history")
    need(plan, ["month", "consensus"], "item_history")
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    past, ahead = by_month(history, ["demand"])["demand"].tail(months), by_month(plan, ["consensus"])["consensus"]
    demand = line_of(words.message("charts.demand").text, past, "demand")
    consensus = line_of(words.message("charts.plan").text, joined(past, ahead), "plan", 2.75)
    extra = []
    if "baseline" in plan.columns and len(ahead):
        baseline = by_month(plan, ["baseline"])["baseline"]
        if (baseline - ahead).abs().max() > 0.005 * max(float(ahead.max()), 1e-9):
            extra.append(line_of(words.message("charts.baseline").text, baseline, "base", 1.75, (6, 4)))
    band = plan.dropna(subset=["lo80", "hi80"]).sort_values("month") if {"lo80", "hi80"} <= set(plan.columns) else plan.iloc[:0].assign(lo80=[], hi80=[])
    first = int(past.index.min()) if len(past) else int(ahead.index.min()) if len(ahead) else 0
    last = int(ahead.index.max()) if len(ahead) else int(past.index.max()) if len(past) else 1
    earlier = _earlier(versions, first, last, reach)
    lost = _lost(history, first)
    drawn = [*demand.y, *consensus.y, *(v for line in [*extra, *earlier] for v in line.y), *(v for _, v, _ in lost)]
    highest = max(known(drawn), default=0.0) * HIGHEST
    every = [*drawn, *band["lo80"].clip(upper=highest), *band["hi80"].clip(upper=highest)]
    cut_off = bool((band["hi80"] > highest).any())
    if not known([*demand.y, *consensus.y]):
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axis = scale(every)
    shown = _at(marks, first, last)
    kinds = [kind for kind in SHAPES if kind in set(shown["kind"])]
    keys = [(SHAPES[kind][1], words.message(f"charts.mark.{kind}").text, SHAPES[kind][2]) for kind in kinds]
    keys += [("—", words.message("charts.mark.versions").text, "base")] if earlier else []
    rows = {wide: _rows_of(keys, 620 if wide else 288) for wide in (False, True)}

    def paint(canvas: Canvas) -> None:
        ends = [(line, axis.plain(line.last[1])) for line in [consensus if len(ahead) else demand, *extra] if line.last]
        room, two = ends_room([(line.name, value) for line, value in ends], canvas)
        below = 26 + 20 * len(rows[canvas.wide])
        low, high = limits(every)
        pane = canvas.pane(axis_room(ticks(low, high), axis, [demand, *extra, consensus], canvas), 40, room, below, (first, max(last, first + 1)), (low, high))
        pane.grid(ticks(low, high), axis.tick)
        pane.area([place(m) for m in band["month"]], list(band["lo80"].clip(upper=highest)), list(band["hi80"].clip(upper=highest)), role="plan", opacity=BAND)
        if cut_off:
            canvas.words(canvas.width, pane.top - 6, words.message("charts.band_to", {"value": axis.full(float(band["hi80"].max()))}).text, role="plan", align="right")
        for line in earlier:
            pane.line(line.x, line.y, role="base", width=1)
        for at, ordered, wanted in lost:
            pane.line([at, at], [ordered, wanted], role="short", width=1.25, dash=(2, 2))
        for line in [demand, *extra, consensus]:
            pane.line(line.x, line.y, role=line.role, width=line.width, dash=line.dash)
        _marks(pane, shown, past, ahead)
        if len(past) and len(ahead):
            plan_begins(pane, int(past.index.max()))
        months_below(pane, first, last, int(past.index.max()) if len(past) else None)
        name_ends(pane, ends, two, room)
        _key(canvas, rows[canvas.wide], pane.bottom + 40)

    told = "; ".join(f"{words.message(f'charts.mark.{kind}').text}: {', '.join(named(place(m), 'month') for m in shown.loc[shown['kind'] == kind, 'month'])}" for kind in kinds)
    story = " ".join(part for part in (_ends_said(demand, consensus, ahead, axis), f"{told}." if told else "") if part)
    return figure(paint, alt=alt or story, heights=(260 + 20 * len(rows[False]), 330 + 20 * len(rows[True])), **about)


def _earlier(versions: pd.DataFrame | None, first: int, last: int, reach: int) -> list[Line]:
    """Each earlier plan as a line from its own month on."""
    if versions is None or versions.empty:
        return []
    need(versions, ["cycle", "month", "consensus"], "item_history")
    lines = []
    for cycle, rows in versions.groupby("cycle", sort=True):
        values = by_month(rows, ["consensus"])["consensus"]
        values = values[(values.index >= max(first, place(cycle))) & (values.index < place(cycle) + reach) & (values.index <= last)]
        if len(values) > 1:
            lines.append(line_of("", values, "base", 1))
    return lines


def _lost(history: pd.DataFrame, first: int) -> list[tuple[int, float, float]]:
    """Months whose demand was corrected for want of stock: place, as ordered, as wanted."""
    if "demand_raw" not in history.columns or "censored" not in history.columns:
        return []
    rows = history[history["censored"].astype(bool) & (history["demand"] > history["demand_raw"])]
    return [(place(m), float(raw), float(wanted)) for m, raw, wanted in zip(rows["month"], rows["demand_raw"], rows["demand"], strict=True) if place(m) >= first]


def _at(marks: pd.DataFrame | None, first: int, last: int) -> pd.DataFrame:
    if marks is None or marks.empty:
        return pd.DataFrame(columns=["month", "kind"])
    need(marks, ["month", "kind"], "item_history")
    inside = pd.Series([first <= place(m) <= last for m in marks["month"]], marks.index)
    return marks[inside & marks["kind"].isin(list(SHAPES))].drop_duplicates(["month", "kind"])


def _marks(pane: Pane, marks: pd.DataFrame, past: pd.Series, ahead: pd.Series) -> None:
    """Events stand at the foot of their month, the others on the line."""
    foot = pane.axes.get_ylim()[0]
    for month, kind in zip(marks["month"], marks["kind"], strict=True):
        at = place(month)
        on = past.get(at, ahead.get(at)) if kind != "event" else foot
        if on is not None and on == on:
            pane.mark(at, float(on), shape=SHAPES[kind][0], role=SHAPES[kind][2], size=8 if kind != "outlier" else 7)


def _rows_of(keys: Sequence[tuple[str, str, str]], width: float) -> list[list[tuple[float, str, str, str]]]:
    """The key in as many rows as it needs: (x, shape, words, role)."""
    rows: list[list[tuple[float, str, str, str]]] = []
    at = width
    for shape, word, role in keys:
        size = 16 + text_width(word, TICK) + 18
        if at + size - 18 > width:
            rows.append([])
            at = 0.0
        rows[-1].append((at, shape, word, role))
        at += size
    return rows


def _key(canvas: Canvas, rows: Sequence[Sequence[tuple[float, str, str, str]]], top: float) -> None:
    for number, row in enumerate(rows):
        for x, shape, word, role in row:
            canvas.words(x, top + 20 * number, shape, role=role, size=LABEL, bold=True)
            canvas.words(x + 16, top + 20 * number, word)


def _ends_said(demand: Line, consensus: Line, ahead: pd.Series, axis: Any) -> str:
    parts = []
    if demand.last:
        parts.append(said("charts.alt.demand", {"value": axis.full(demand.last[1]), "month": named(int(demand.last[0]), "month")}))
    if len(ahead) and consensus.last:
        parts.append(said("charts.alt.plan", {"peak": axis.full(float(ahead.max())), "month": named(int(ahead.idxmax()), "month"),
                                              "end": axis.full(consensus.last[1]), "last": named(int(consensus.last[0]), "month")}))
    return " ".join(parts)


def decomposition(
    parts: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """What a history is made of: trend, season and remainder one below the other, each on its own scale, months in line.

    parts   month   demand, trend, season, remainder (units), and calendar where holidays that move do something; demand
                    stands thin behind the trend
    """
    need(parts, ["month", "demand", "trend", "season", "remainder"], "decomposition")
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not known(parts["trend"]):
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    moving = ["calendar"] if "calendar" in parts.columns and parts["calendar"].abs().max() > 0 else []
    panels = ["trend", "season", *moving, "remainder"]
    table = by_month(parts, ["demand", *panels])
    label = {part: (names or {}).get(part) or words.message(f"charts.part.{part}").text for part in panels}
    inside = {part: known([*table[part], *table["demand"]] if part == "trend" else table[part]) for part in panels}
    axes = {part: scale(values) for part, values in inside.items()}
    tall = {part: 160 if part == "trend" else 124 for part in panels}
    first, last = int(table.index.min()), int(table.index.max())
    x = [float(i) for i in table.index]
    room = 10 + max(text_width(axes[part].tick(t, t == at[-1]), TICK) for part in tall for at in [ticks(*_span(inside[part], part), 3)] for t in at)

    def paint(canvas: Canvas) -> None:
        top, whole = 0.0, sum(tall.values())
        for part, height in tall.items():
            low, high = _span(inside[part], part)
            pane = canvas.pane(room, top + 36, 22, whole - top - height + 32, (first, max(last, first + 1)), (low, high))
            canvas.words(0, top + 12, label[part], role="ink", size=LABEL, bold=True)
            pane.grid(ticks(low, high, 3), axes[part].tick)
            if part == "trend":
                pane.line(x, list(table["demand"]), role="base", width=1)
            if part in ("remainder", "calendar"):
                for at, value in zip(x, table[part], strict=True):
                    if value == value and value != 0:
                        pane.bar(at, 0, value, role="plan" if part == "calendar" else "base", half=0.3)
            else:
                pane.line(x, list(table[part]), role="plan", width=2.25)
            top += height
        months_below(pane, first, last, last)

    ranges = "; ".join(f"{label[part]} {axes[part].full(min(inside[part]))} – {axes[part].full(max(inside[part]))}" for part in tall)
    return figure(paint, alt=alt or said("charts.alt.parts", {"ranges": ranges}), heights=(sum(tall.values()) + 26, sum(tall.values()) + 26), **about)


def _span(values: Sequence[float], part: str) -> tuple[float, float]:
    """The trend's panel starts at zero; the others lie around it."""
    low, high = limits(values)
    return (low, high) if part == "trend" else (min(low, 0.0), max(high, 0.0))

