"""The ground every chart is drawn on: a figure in pixels, axes in pixels, words at data points, and the way out to SVG.

Matplotlib draws each figure twice, at the least width of a phone and of a page. `svg_fluid.fluid` then lets lines and areas
stretch with the page while words and dots keep their size. All text positions come from `style.text_width`, not from
the fonts of the machine, so that the same table gives the same bytes everywhere.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.style import LIGHT, text_width
from sopnb.svg_fluid import fluid
from sopnb.words import Sentence

NARROW, WIDE = 288, 620  # least widths in pixels: a phone of 320, and the width from which the wide drawing is shown
TICK, LABEL = 12, 13  # font sizes in pixels


class ChartError(ValueError):
    """A chart cannot be drawn from this table; the message names the columns and the remedy."""


@dataclass(frozen=True)
class Figure:
    """A chart ready to be shown: `.html`, `.alt`, `.png()`, and by itself in a notebook."""

    name: str
    title: Sentence
    subtitle: Sentence
    source: Sentence
    alt: str
    narrow: str = ""
    wide: str = ""
    painter: Callable[[Any], None] | None = field(default=None, repr=False, compare=False)
    heights: tuple[float, float] = (0, 0)

    @property
    def html(self) -> str:
        if not self.name:
            return ""
        sub = f'<span class="sub" style="display:block">{self.subtitle.html}</span>' if self.subtitle else ""
        source = f'<p class="src">{self.source.html}</p>' if self.source else ""
        body = (
            f'<div class="fig-n" style="display:none">{self.narrow}</div><div class="fig-w">{self.wide}</div>'
            if self.wide else f'<p class="none">{words.message("charts.none").html}</p>'
        )
        return (
            f'<figure class="fig" id="fig-{self.name}" style="margin:0"><figcaption style="margin-bottom:8px"><span class="f" style="display:block;font-weight:700">'
            f"{self.title.html}</span>{sub}</figcaption>{body}{source}</figure>"
        )

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.title.text, self.alt, self.source.text) if part)

    def png(self, *, wide: bool = False, dots: int = 2, width: float = 0) -> bytes:
        """The drawing as a PNG in the light colours, `dots` pixels to one: for mail. Empty where nothing is drawn.

        width   pixels across, where it is not the least width of the narrow or the wide drawing
        """
        if self.painter is None:
            return b""
        canvas = _paint(self.painter, width or (WIDE if wide else NARROW), self.heights[1 if wide else 0], wide)
        return canvas.export("png", dots)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def figure(
    painter: Callable[[Any], None] | None, *, name: str, title: Sentence | str, subtitle: Sentence | str, source: Sentence | str,
    alt: str, heights: tuple[float, float],
) -> Figure:
    """A figure from what paints it. `painter` is None where there is no data; heights are those of narrow and wide.

    raises   ChartError where the name is not a short id
    """
    if os.environ.get("SOPNB_PAGES") == "0":  # earlier cycles are filled in without pages nobody opens
        nothing = words.plain("")
        return Figure("", nothing, nothing, nothing, "")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ChartError(f"name {name!r} must be a short id of small letters, digits and hyphens, unique on its page, as demand-plan.")
    head = words.as_sentence(title)
    said = f"{head.text.rstrip('.')}. {alt}".strip()
    origin = words.message("tables.source", {"source": words.label(source)}) if str(source) else words.plain("")
    if painter is None:
        return Figure(name, head, words.as_sentence(subtitle), origin, said)
    drawn = []
    for width, height, wide in ((NARROW, heights[0], False), (WIDE, heights[1], True)):
        canvas = _paint(painter, width, height, wide)
        drawn.append(fluid(canvas.export("svg").decode("utf-8"), alt=said))
    narrow, wide_drawing = drawn
    return Figure(name, head, words.as_sentence(subtitle), origin, said, narrow, wide_drawing, painter=painter, heights=heights)


def _paint(painter: Callable[[Any], None], width: float, height: float, wide: bool) -> Canvas:
    canvas = Canvas(width, height, wide)
    painter(canvas)
    return canvas


_RC: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "sopnb", "text.parse_math": False, "font.size": TICK, "path.simplify": False,
    "font.family": ["DejaVu Sans"], "axes.unicode_minus": True, "figure.dpi": 72, "savefig.dpi": 72,
}


def type_file(weight: str) -> Path:
    """Where the package font-roboto keeps Regular or Bold; found without importing it, since its code is of 2018."""
    found = importlib.util.find_spec("font_roboto")
    if found is None or not found.submodule_search_locations:
        raise ChartError("the package font-roboto is not installed: pictures for mail are drawn with it. Install the project anew: make install.")
    return Path(found.submodule_search_locations[0]) / "files" / f"Roboto-{weight}.ttf"


@functools.cache
def _own_type() -> list[str]:
    """Roboto, which comes as a package; letters it lacks come from matplotlib's."""
    from matplotlib import font_manager

    for weight in ("Regular", "Bold"):
        font_manager.fontManager.addfont(type_file(weight))
    return ["Roboto", "DejaVu Sans"]


def _few_colours(png: io.BytesIO) -> bytes:
    """The same picture in 96 colours: a third of the bytes, and no difference an eye finds in lines and words."""
    from PIL import Image  # matplotlib brings it

    out = io.BytesIO()
    Image.open(png).convert("RGB").quantize(96, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()


class Canvas:
    """A figure of `width` × `height` pixels. No pyplot: nothing is shared between figures."""

    def __init__(self, width: float, height: float, wide: bool):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Drawing

        self.width, self.height, self.wide = width, height, wide
        self.drawing = Drawing(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
        FigureCanvasAgg(self.drawing)

    def export(self, kind: str, dots: int = 1) -> bytes:
        import matplotlib

        out = io.BytesIO()
        with matplotlib.rc_context(_RC):
            if kind == "svg":
                nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
                self.drawing.savefig(out, format="svg", metadata=nothing, transparent=True)
            else:
                self._in_own_type()
                self.drawing.savefig(out, format="png", dpi=72 * dots, facecolor=LIGHT["bg"], metadata={"Software": None})
        return out.getvalue() if kind == "svg" else _few_colours(out)

    def _in_own_type(self) -> None:
        """Words in our own type, which has the widths the layout counts on, and with a margin that parts them from lines."""
        from matplotlib.patheffects import withStroke
        from matplotlib.text import Text

        family = _own_type()
        for text in self.drawing.findobj(Text):
            text.set_fontfamily(family)
            text.set_path_effects([withStroke(linewidth=3, foreground=LIGHT["bg"])])

    def pane(self, left: float, top: float, right: float, bottom: float, x: tuple[float, float], y: tuple[float, float]) -> Pane:
        """Axes whose edges lie so many pixels from the figure's edges; `x` and `y` are the limits of the data."""
        from matplotlib.ticker import NullLocator

        box = (left / self.width, bottom / self.height, (self.width - left - right) / self.width, (self.height - top - bottom) / self.height)
        axes = self.drawing.add_axes(box)
        axes.axis("off")
        for axis in (axes.xaxis, axes.yaxis):  # ticks and names of axes are ours: seaborn need not make any
            axis.set_major_locator(NullLocator())
            axis.set_label_text("-")
        axes.set_xlim(*x)
        axes.set_ylim(*y)
        return Pane(self, axes, left, self.width - right, top, self.height - bottom)

    def words(self, x: float, y: float, text: str, *, role: str = "mute", size: float = TICK, bold: bool = False, align: str = "left") -> None:
        """Text with its baseline at pixels from the left and from the top."""
        self.drawing.text(x / self.width, 1 - y / self.height, text, color=LIGHT[role], fontsize=size,
                          fontweight="bold" if bold else "normal", ha=align, va="baseline", parse_math=False)

    def rule(self, x: tuple[float, float], y: tuple[float, float], *, role: str = "grid", width: float = 1, dash: Any = None) -> None:
        """A line between two points in pixels."""
        from matplotlib.lines import Line2D

        self.drawing.add_artist(Line2D([v / self.width for v in x], [1 - v / self.height for v in y], color=LIGHT[role],
                                       linewidth=width, linestyle=(0, dash) if dash else "-", zorder=-1))


@dataclass
class Pane:
    """Axes with their edges in pixels."""

    canvas: Canvas
    axes: Any
    left: float
    right: float
    top: float
    bottom: float

    def px(self, x: float) -> float:
        low, high = self.axes.get_xlim()
        return float(self.left + (x - low) / (high - low) * (self.right - self.left))

    def py(self, y: float) -> float:
        low, high = self.axes.get_ylim()
        return float(self.bottom - (y - low) / (high - low) * (self.bottom - self.top))

    def line(self, x: Sequence[float], y: Sequence[float], *, role: str, width: float = 2.25, dash: Any = None, step: bool = False) -> None:
        """A line that breaks where a value is missing; a value alone between gaps is a dot."""
        self.axes.plot(x, y, color=LIGHT[role], linewidth=width, linestyle=(0, dash) if dash else "-", solid_joinstyle="round",
                       solid_capstyle="round", clip_on=False, drawstyle="steps-mid" if step else "default")
        for i, value in enumerate(y):
            alone = value == value and (i == 0 or y[i - 1] != y[i - 1]) and (i == len(y) - 1 or y[i + 1] != y[i + 1])
            if alone:
                self.dot(x[i], value, role=role, size=5 if len(y) > 1 else 8)

    def dot(self, x: float, y: float, *, role: str, size: float = 8) -> None:
        self.axes.plot([x], [y], marker="o", markersize=size, markeredgewidth=0, color=LIGHT[role], linestyle="none", clip_on=False)

    def mark(self, x: float, y: float, *, shape: str, role: str, size: float = 8) -> None:
        """A filled mark of matplotlib's shapes (^ v s D …), which keeps its size."""
        self.axes.plot([x], [y], marker=shape, markersize=size, markeredgewidth=0, color=LIGHT[role], linestyle="none", clip_on=False)

    def area(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], *, role: str, opacity: float) -> None:
        """A band between two lines, broken where either has a gap."""
        run: list[int] = []
        for i in range(len(x) + 1):
            if i < len(x) and low[i] == low[i] and high[i] == high[i]:
                run.append(i)
                continue
            if len(run) > 1:
                around = [(x[j], low[j]) for j in run] + [(x[j], high[j]) for j in reversed(run)]
                self.axes.fill(*zip(*around, strict=True), facecolor=LIGHT[role], alpha=opacity, linewidth=0, clip_on=False)
            run = []

    def bar(self, x: float, low: float, high: float, *, role: str, half: float = 0.36, opacity: float = 1, hollow: bool = False) -> None:
        """An upright bar from low to high, `half` a width to each side of x."""
        self.block(x - half, x + half, low, high, role=role, opacity=opacity, hollow=hollow)

    def block(self, x1: float, x2: float, y1: float, y2: float, *, role: str, opacity: float = 1, hollow: bool = False) -> None:
        """A rectangle; hollow ones are dashed outlines."""
        look = {"facecolor": "none", "edgecolor": LIGHT[role], "linewidth": 1.25, "linestyle": (0, (3, 3))} if hollow else {
            "facecolor": LIGHT[role], "alpha": opacity if opacity < 1 else None, "linewidth": 0}
        self.axes.fill([x1, x2, x2, x1], [y1, y1, y2, y2], clip_on=False, **look)

    def say(self, x: float, y: float, text: str, *, dx: float = 0, dy: float = 0, **look: Any) -> None:
        """Text at a data point, `dx` pixels right and `dy` pixels down of it."""
        self.canvas.words(self.px(x) + dx, self.py(y) + dy, text, **look)

    def grid(self, ticks: Sequence[float], label: Callable[[float, bool], str], *, start: float = 0) -> None:
        """Light lines across, each with its value above its left end; the line at zero is darker."""
        for tick in ticks:
            y = self.py(tick)
            self.canvas.rule((start, self.right), (y, y), role="mute" if tick == 0 else "grid")
            self.canvas.words(start, y - 4, label(tick, tick == ticks[-1]))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near as can be to those wanted, in the same order, at least `gap` apart and between low and high.

    >>> spread([10, 12, 50], 16, 0, 100)
    [3.0, 19.0, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[float, list[int]]] = []  # centre of a run of touching labels, and who stands in it
    for i in order:
        blocks.append((float(min(max(wanted[i], low), high)), [i]))
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < gap * (len(blocks[-1][1]) + len(blocks[-2][1])) / 2:
            (c2, m2), (c1, m1) = blocks.pop(), blocks.pop()
            members = m1 + m2
            centre = (c1 * len(m1) + c2 * len(m2)) / len(members)
            half = gap * (len(members) - 1) / 2
            blocks.append((min(max(centre, low + half), max(high - half, low + half)), members))
    placed = [0.0] * len(wanted)
    for centre, members in blocks:
        for rank, i in enumerate(members):
            placed[i] = centre + gap * (rank - (len(members) - 1) / 2)
    return placed


def cut(text: str, room: float, size: float = TICK, bold: bool = False) -> str:
    """The text, or as much of it as fits into `room` pixels, with an ellipsis."""
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def need(df: pd.DataFrame, names: Sequence[str], form: str) -> None:
    """raises ChartError where a chart's columns are not all there."""
    lacking = [name for name in names if name not in df.columns]
    if lacking:
        raise ChartError(f"charts.{form} needs the columns {', '.join(names)}; the table lacks {', '.join(lacking)}. It has: {', '.join(map(str, df.columns))}.")


def said(message_id: str, values: Mapping[str, Any]) -> str:
    return words.message(message_id, values).text
