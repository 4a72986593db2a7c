"""Stock of several items side by side: the projection with its band, against the safety stock it should not fall below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, Figure, cut, figure, need, said
from sopnb.charts_scale import by_month, known, limits, named
from sopnb.style import text_width
from sopnb.words import Sentence


def stock_panels(
    projection: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """One small chart for each panel, each on its own scale from zero: stock at month end, its band, and safety stock, dashed.

    projection  panel × month   closing, safety_stock; lo80 and hi80, and place (where it is) where they are columns; in the order
                in which they come
    names       panel: what to call it

    Below zero is in the colour of shortage. Each panel tells its lowest month.
    """
    need(projection, ["panel", "month", "closing", "safety_stock"], "stock_panels")
    columns = ["closing", "safety_stock", *(c for c in ("lo80", "hi80") if c in projection.columns)]
    parts = {key: by_month(projection[projection["panel"] == key], columns) for key in dict.fromkeys(projection["panel"])}
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not parts:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    titles = {key: str((names or {}).get(key, key)) for key in parts}
    places = projection.drop_duplicates("panel").set_index("panel")["place"].to_dict() if "place" in projection.columns else {}
    step = {True: 156, False: 112}  # a phone has them one below the other: two beside each other cut their names

    def paint(canvas: Canvas) -> None:
        across, gap, tall = 3 if canvas.wide else 1, 30, step[canvas.wide]
        width = (canvas.width - gap * (across - 1)) / across
        for i, (key, part) in enumerate(parts.items()):
            _panel(canvas, part, titles[key], str(places.get(key, "")), (i % across) * (width + gap), (i // across) * tall, width, tall)

    told = "; ".join(said("charts.stock.told", {"item": titles[key], **_lowest(part)}) for key, part in parts.items())
    return figure(paint, alt=alt or said("charts.alt.stocks", {"parts": told}), heights=(len(parts) * step[False], -(-len(parts) // 3) * step[True]), **about)


def _lowest(part: pd.DataFrame) -> dict[str, str]:
    at = int(part["closing"].idxmin())
    return {"low": words.number(float(part.at[at, "closing"]), ",.0f"), "month": named(at, "mon"), "safety": words.number(float(part.at[at, "safety_stock"]), ",.0f")}


def _panel(canvas: Canvas, part: pd.DataFrame, title: str, where: str, left: float, top: float, width: float, tall: float) -> None:
    at, low = [int(p) for p in part.index], _lowest(part)
    ends = limits(known([v for column in part.columns for v in part[column]]))
    pane = canvas.pane(left, top + 42, canvas.width - left - width, canvas.height - top - tall + 26, (at[0] - 0.3, max(at[-1], at[0] + 1) + 0.3), ends)
    below = float(part["closing"].min()) < 0
    size = LABEL if text_width(title, LABEL, True) <= width else TICK
    canvas.words(left, top + 14, cut(title, width, size, True), role="ink", size=size, bold=True)
    label = words.message("charts.stock.lowest", low).text
    canvas.words(left, top + 32, f"{cut(where, width * 0.42, TICK, below)}: {label}" if where else label, role="short" if below else "mute", size=TICK, bold=below)
    if "lo80" in part.columns:
        pane.area(at, list(part["lo80"]), list(part["hi80"]), role="plan", opacity=0.16)
    canvas.rule((left, left + width), (pane.py(0), pane.py(0)), role="mute")
    pane.line(at, list(part["safety_stock"]), role="base", width=1.75, dash=(5, 3))
    pane.line(at, list(part["closing"]), role="plan", width=2.25)
    for x, y in zip(at, part["closing"], strict=True):
        if y < 0:
            pane.dot(x, float(y), role="short", size=6)
    canvas.words(left, top + tall - 8, named(at[0]))
    canvas.words(left + width, top + tall - 8, named(at[-1]), align="right")
