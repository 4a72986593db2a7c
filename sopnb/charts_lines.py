"""What charts over months share: lines that carry their names at their ends, the place where the plan begins, months below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, Pane, cut, spread
from sopnb.charts_scale import Scale, month_ticks, named
from sopnb.style import text_role, text_width


@dataclass(frozen=True)
class Line:
    """A named row of points. `end` is the name at the line's end."""

    name: str
    x: list[float]
    y: list[float]
    role: str = "plan"
    width: float = 2.25
    dash: tuple[float, ...] | None = None

    @property
    def last(self) -> tuple[float, float] | None:
        points = [(x, y) for x, y in zip(self.x, self.y, strict=True) if y == y and math.isfinite(y)]
        return points[-1] if points else None


def line_of(name: str, values: pd.Series, role: str, width: float = 2.25, dash: tuple[float, ...] | None = None) -> Line:
    """A row of values by place (a month as a whole number) as a line."""
    return Line(name, [float(i) for i in values.index], [float(v) for v in values], role, width, dash)


def joined(past: pd.Series, ahead: pd.Series) -> pd.Series:
    """The plan starts at the last actual, so that the two lines meet."""
    if not len(past) or not len(ahead) or int(ahead.index.min()) != int(past.index.max()) + 1:
        return ahead
    return pd.concat([past.iloc[-1:], ahead])


def ends_room(lines: Sequence[tuple[str, str]], canvas: Canvas) -> tuple[float, bool]:
    """Pixels right of the plot for names at line ends, and whether name and value go in two lines."""
    whole = max((text_width(f"{name} {value}", LABEL, True) for name, value in lines), default=0) + 14
    if whole <= canvas.width * 0.3:
        return whole, False
    split = max((text_width(part, LABEL, True) for pair in lines for part in pair), default=0) + 14
    return min(split, canvas.width * 0.38), True


def name_ends(pane: Pane, ends: Sequence[tuple[Line, str]], two: bool, room: float) -> None:
    """Each line's name and last value at its end, kept apart."""
    with_end = [(line, value, line.last) for line, value in ends if line.last is not None]
    gap = 32 if two else 17
    wanted = [pane.py(last[1]) for _, _, last in with_end if last]
    placed = spread(wanted, gap, pane.top + 4, max(pane.bottom - 8, pane.top + 4))
    for (line, value, _), y in zip(with_end, placed, strict=True):
        look: dict[str, Any] = {"role": text_role(line.role), "size": LABEL, "bold": True}
        if two:
            pane.canvas.words(pane.right + 8, y - 2, cut(line.name, room - 8, LABEL, True), **look)
            pane.canvas.words(pane.right + 8, y + 13, value, **look)
        else:
            pane.canvas.words(pane.right + 8, y + 4, f"{line.name} {value}".strip(), **look)


def months_below(pane: Pane, first: int, last: int, anchor: int | None = None) -> None:
    """Names of months under the plot, the anchor among them."""
    for at in month_ticks(first, last, pane.right - pane.left, anchor):
        x = pane.px(at)
        label = named(at)
        half = text_width(label, TICK) / 2
        align = "left" if x - half < 0 else "right" if x + half > pane.canvas.width else "center"
        pane.canvas.words({"left": 0.0, "right": pane.canvas.width}.get(align, x), pane.bottom + 17, label, align=align)


def axis_room(at: Sequence[float], axis: Scale) -> float:
    """Pixels left of the first month, for the numbers at the axis (the topmost, with its unit, stands above the plot)."""
    return max((text_width(axis.tick(t, False), TICK) for t in at), default=0) + 10


def plan_begins(pane: Pane, at: int) -> None:
    """A dotted line after the last month known, with what lies on either side of it."""
    x = pane.px(at)
    pane.canvas.rule((x, x), (14, pane.bottom), role="mute", width=1.25, dash=(1, 2.4))
    before = words.message("charts.data_to", {"month": pd.Timestamp(at // 12, at % 12 + 1, 1)}).text
    if x - 6 > text_width(before, TICK):
        pane.canvas.words(x - 6, 12, before, align="right")
    pane.canvas.words(x + 6, 12, words.message("charts.plan_begins").text, role="plan", size=LABEL, bold=True)
