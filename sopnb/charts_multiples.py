"""Small charts side by side: one for each KPI, item or family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, Figure, Pane, cut, figure, need, said
from sopnb.charts_scale import Scale, by_month, known, limits, named, place, scale
from sopnb.style import LIGHT, text_width
from sopnb.words import Sentence


def small_multiples(
    df: pd.DataFrame, *, x: str = "month", y: str, by: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "number", shared: bool = True, target: str | None = None, top: int = 12,
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """One small chart for each value of `by`, on one scale, in the order they come in.

    df      by × x (month), y, and target where it is a column
    shared  one scale for all; False where their units differ
    top     so many of them, the first
    """
    need(df, [x, y, by, *([target] if target else [])], "small_multiples")
    keys = list(dict.fromkeys(df[by].dropna()))[:top]
    rows = []
    for key in keys:
        part = df[df[by] == key].rename(columns={x: "month", y: "value"})
        shown = by_month(part, ["value"])["value"]
        rows += [(key, "plan", i, v) for i, v in shown.items()]
        if target:
            rows += [(key, "base", place(m), v) for m, v in zip(part["month"], part[target], strict=True)]
    table = pd.DataFrame(rows, columns=["panel", "role", "place", "value"])
    return multiples(table, keys, kind=kind, shared=shared, names=names, name=name, title=title, subtitle=subtitle, source=source, alt=alt)


def trend(
    kpis: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    kinds: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None, top: int = 16, alt: str = "",
) -> Figure:
    """Each KPI over its months, with its target dashed; every KPI on its own scale, since their units differ.

    kpis    kpi × month, value, target; rows of one scope
    kinds   kpi: number, money or percent; names: kpi: what to call it
    """
    need(kpis, ["kpi", "month", "value", "target"], "trend")
    keys = list(dict.fromkeys(kpis["kpi"].dropna()))[:top]
    rows = []
    for key in keys:
        part = kpis[kpis["kpi"] == key]
        rows += [(key, "ink", i, v) for i, v in by_month(part, ["value"])["value"].items()]
        rows += [(key, "base", place(m), v) for m, v in zip(part["month"], part["target"], strict=True)]
    table = pd.DataFrame(rows, columns=["panel", "role", "place", "value"])
    return multiples(table, keys, kind="number", kinds=kinds, shared=False, from_zero=False, names=names, name=name, title=title,
                      subtitle=subtitle, source=source, alt=alt)


def multiples(
    table: pd.DataFrame, keys: Sequence[Any], *, kind: str, shared: bool, kinds: Mapping[str, str] | None = None, from_zero: bool = True,
    names: Mapping[str, str] | None = None, **about: Any,
) -> Figure:
    """Panels of lines: panel × role × place, value. The last known value stands beside the panel's name."""
    alt = about.pop("alt", "")
    values = known(table["value"])
    if not keys or not values:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    title_of = {key: (names or {}).get(key, str(key)) for key in keys}
    parts = {key: table[table["panel"] == key] for key in keys}
    axes = {key: scale(values if shared else parts[key]["value"], (kinds or {}).get(key, kind)) for key in keys}
    first, last = int(table["place"].min()), int(table["place"].max())
    tall = 148

    def paint(canvas: Canvas) -> None:
        across, gap = _across(len(keys), canvas.wide), 24
        width = (canvas.width - gap * (across - 1)) / across
        for i, key in enumerate(keys):
            part, axis = parts[key], axes[key]
            left, top = (i % across) * (width + gap), (i // across) * tall
            inside = values if shared else known(part["value"])
            low, high = limits(inside) if from_zero or not inside else _around(inside)
            pane = canvas.pane(left + 4, top + 42, canvas.width - left - width + 4, canvas.height - top - tall + 28, (first, max(last, first + 1)), (low, high))
            _panel(pane, part, axis, title_of[key], left, top, width, low <= 0 <= high and from_zero)
            for at, align, x in ((first, "left", left), (last, "right", left + width)):
                if at == first or last > first:
                    canvas.words(x, pane.bottom + 17, named(at), align=align)

    rows_of = {wide: -(-len(keys) // _across(len(keys), wide)) for wide in (False, True)}
    latest = "; ".join(f"{title_of[key]} {axes[key].full(end)}" for key in keys if (end := _latest(parts[key])) is not None)
    return figure(paint, alt=alt or said("charts.alt.lines", {"latest": latest}), heights=(rows_of[False] * tall, rows_of[True] * tall), **about)


def _across(panels: int, wide: bool) -> int:
    """How many panels stand in a row: as even as can be, five as 3 + 2."""
    if not wide:
        return min(2, panels)
    return 3 if panels in (3, 5, 6, 9) else min(4, panels)


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    return low - 0.12 * span, high + 0.12 * span


def _latest(part: pd.DataFrame) -> float | None:
    drawn = part[(part["role"] != "base") & part["value"].notna()]
    return None if drawn.empty else float(drawn.sort_values("place", kind="stable")["value"].iloc[-1])


def _panel(pane: Pane, part: pd.DataFrame, axis: Scale, title: str, left: float, top: float, width: float, zero: bool) -> None:
    """One small chart: name, last value, lines by seaborn with a break at every gap, last point marked."""
    import seaborn

    end = _latest(part)
    value = axis.full(end) if end is not None else words.MISSING
    canvas = pane.canvas
    size = LABEL if text_width(title, LABEL, True) <= width else TICK
    canvas.words(left, top + 14, cut(title, width, size, True), role="ink", size=size, bold=True)
    canvas.words(left, top + 31, value, role="ink", size=LABEL)
    ground = pane.py(0) if zero else pane.bottom  # where values lie on both sides of zero, the line at zero is what they are read from
    canvas.rule((left, left + width), (ground, ground), role="mute" if zero else "grid")
    ordered = part.sort_values(["role", "place"], kind="stable")
    seen = ordered.assign(run=ordered["value"].isna().cumsum())[ordered["value"].notna()]
    if len(seen):
        roles = list(dict.fromkeys(seen["role"]))
        seaborn.lineplot(seen, x="place", y="value", hue="role", hue_order=roles, palette=[LIGHT[r] for r in roles], style="role", style_order=roles,
                         dashes=[(3, 2) if r == "base" else "" for r in roles], units="run", estimator=None, legend=False, linewidth=1.75,
                         ax=pane.axes, clip_on=False)
    drawn = seen[seen["role"] != "base"].sort_values("place", kind="stable")
    if len(drawn):
        pane.dot(float(drawn["place"].iloc[-1]), float(drawn["value"].iloc[-1]), role=str(drawn["role"].iloc[-1]), size=6)
