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
    """Pixels right of the plot for names at line ends, and whether name and value go below each other."""
    whole = max((text_width(f"{name} {value}", LABEL, True) for name, value in lines), default=0) + 14
    if whole <= canvas.width * 0.3:
        return whole, False
    split = max((text_width(part, LABEL, True) for pair in lines for part in pair), default=0) + 14
    most = canvas.width * 0.38
    if split > most:  # a name of several words takes two lines
        split = max((text_width(part, LABEL, True) for name, value in lines for part in (*folded(name, most - 14), value)), default=0) + 14
    return min(split, most), True


def folded(name: str, room: float) -> list[str]:
    """A name in one line where it fits, else in the two lines that are nearest to each other in length; a single word is cut.

    >>> folded("Safety stock", 60), folded("Plan", 60)
    (['Safety', 'stock'], ['Plan'])
    """
    if text_width(name, LABEL, True) <= room or " " not in name:
        return [cut(name, room, LABEL, True)]
    parts = name.split(" ")
    both = min(([" ".join(parts[:i]), " ".join(parts[i:])] for i in range(1, len(parts))), key=lambda two: max(text_width(part, LABEL, True) for part in two))
    return [cut(part, room, LABEL, True) for part in both]


def name_ends(pane: Pane, ends: Sequence[tuple[Line, str]], two: bool, room: float) -> None:
    """Each line's name and last value at its end, kept apart."""
    with_end = [(line, value, line.last) for line, value in ends if line.last is not None]
    names = {line.name: folded(line.name, room - 8) if two else [] for line, _, _ in with_end}
    most = max(map(len, names.values()), default=0)
    gap, top = 2 + 15 * (1 + most), pane.top + 4 + 15 * max(most - 1, 0)  # a name's first line stays below what is written above the plot
    wanted = [pane.py(last[1]) for _, _, last in with_end if last]
    placed = spread(wanted, gap, top, max(pane.bottom - 8, top))
    for (line, value, _), y in zip(with_end, placed, strict=True):
        look: dict[str, Any] = {"role": text_role(line.role), "size": LABEL, "bold": True}
        if two:
            for at, part in enumerate([*names[line.name], value]):
                pane.canvas.words(pane.right + 8, y - 2 + 15 * (at + 1 - len(names[line.name])), part, **look)
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


def axis_room(at: Sequence[float], axis: Scale, lines: Sequence[Line] = (), canvas: Canvas | None = None) -> float:
    """Pixels left of the first month, for the numbers at the axis.

    The topmost, with its unit, stands above the plot; where one of the lines is as high in its first months, there is room for it too.
    """
    plain = max((text_width(axis.tick(t, False), TICK) for t in at), default=0) + 10
    topmost = text_width(axis.tick(at[-1], True), TICK) + 6 if len(at) else 0.0
    if canvas is None or topmost <= plain or len(at) < 2:
        return plain
    places = [x for line in lines for x in line.x]
    beside = min(places, default=0.0) + 1 + (topmost - plain) / (canvas.width * 0.5) * (max(places, default=0.0) - min(places, default=0.0))
    near = at[-1] - 0.03 * (at[-1] - at[0])
    return topmost if any(y >= near for line in lines for x, y in zip(line.x, line.y, strict=True) if x <= beside) else plain


def plan_begins(pane: Pane, at: int) -> None:
    """A dotted line after the last month known, with what lies on either side of it."""
    x = pane.px(at)
    pane.canvas.rule((x, x), (14, pane.bottom), role="mute", width=1.25, dash=(1, 2.4))
    before = words.message("charts.data_to", {"month": pd.Timestamp(at // 12, at % 12 + 1, 1)}).text
    if x - 6 > text_width(before, TICK):
        pane.canvas.words(x - 6, 12, before, align="right")
    pane.canvas.words(x + 6, 12, words.message("charts.plan_begins").text, role="plan", size=LABEL, bold=True)
