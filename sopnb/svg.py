"""Small pictures made by hand: bars in table cells, status marks, sparklines. Text in, SVG out; no drawing library."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from markupsafe import Markup

from sopnb.style import css_value

_SHAPES = {
    "on": ("ok", '<circle cx="6" cy="6" r="6"/><path class="k" d="M3 6l2 2 4-4"/>'),
    "watch": ("over-t", '<path d="M6 .5l6 11H0z"/><path class="k" d="M6 4.5v3.2M6 9v1"/>'),
    "off": ("short", '<path d="M6 0l6 6-6 6-6-6z"/><path class="k" d="M4 4l4 4M8 4l-4 4"/>'),
    "short": ("short", '<path d="M0 1h12L6 11.500z"/>'),
    "excess": ("over-t", '<path d="M6 1l6 10H0z"/>'),
    "none": ("mute", '<circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" stroke-width="1.5"/>'),
}
_CSS = {"on": "ok", "watch": "watch", "off": "off", "short": "off", "excess": "watch", "none": "m"}


def status_mark(status: str, word: str) -> Markup:
    """Shape, word and colour of a KPI's status: circle with tick, triangle, diamond with cross; of an exception: down for too little, up for too much."""
    role, shape = _SHAPES.get(status, _SHAPES["none"])
    shape = shape.replace('class="k"', f'fill="none" style="stroke:{css_value("bg")};stroke-width:1.5"')
    return Markup(
        f'<span class="st {_CSS.get(status, "m")}" style="color:{css_value(role)}"><svg width="12" height="12" viewBox="0 0 12 12" '
        f'fill="currentColor" aria-hidden="true">{shape}</svg> {html.escape(word)}</span>'
    )


def bar_cell(value: float, low: float, high: float) -> Markup:
    """A number as a bar from zero, on the scale of its column; negative bars go left in the colour of overrides."""
    span = high - low
    if not math.isfinite(value) or span <= 0:
        return Markup("")
    zero = -low / span * 100
    width = abs(value) / span * 100
    left = zero if value >= 0 else zero - width
    fill = css_value("plan" if value >= 0 else "over")
    return Markup(
        f'<svg width="100%" height="14" aria-hidden="true" style="min-width:60px">'
        f'<rect x="{_n(left)}%" y="0" width="{_n(width)}%" height="14" style="fill:{fill}"/></svg>'
    )


def sparkline(
    values: Sequence[float], *, target: float | None = None, last_year: float | None = None, title: str, desc: str = "",
    width: int = 240, height: int = 46,
) -> Markup:
    """A row of months as a line: gaps where a value is missing, dashed target, last point marked.

    values      oldest first; None or NaN is a gap
    target      dashed line
    last_year   the same month last year, a grey dot at the end
    title, desc what it shows, for those who cannot see it
    """
    series = [None if v is None or not math.isfinite(v) else float(v) for v in values]
    known = [v for v in [*series, target, last_year] if v is not None and math.isfinite(v)]
    label = html.escape(f"{title}. {desc}".strip(" .") + ".")
    open_tag = f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%;height:auto">'
    if not any(v is not None for v in series):
        return Markup(f"{open_tag}</svg>")
    low, high = min(known), max(known)
    pad = 5

    def y(value: float) -> str:
        share = 0.5 if high == low else (value - low) / (high - low)
        return _n(height - pad - share * (height - 2 * pad))

    def x(position: int) -> str:
        return _n(pad + (position / max(len(series) - 1, 1)) * (width - 2 * pad))

    parts = [open_tag]
    if target is not None and math.isfinite(target):
        parts.append(f'<line x1="{pad}" x2="{width - pad}" y1="{y(target)}" y2="{y(target)}" style="stroke:{css_value("base")};stroke-width:1.25;stroke-dasharray:3 3"/>')
    for run in _runs(series):
        points = " ".join(f"{x(i)},{y(v)}" for i, v in run)
        if len(run) > 1:
            parts.append(f'<polyline points="{points}" style="fill:none;stroke:{css_value("ink")};stroke-width:1.75;stroke-linejoin:round"/>')
        else:
            parts.append(f'<circle cx="{x(run[0][0])}" cy="{y(run[0][1])}" r="1.5" style="fill:{css_value("ink")}"/>')
    if last_year is not None and math.isfinite(last_year):
        parts.append(f'<circle cx="{x(max(len(series) - 13, 0))}" cy="{y(last_year)}" r="3" style="fill:{css_value("base")}"/>')
    end, value = [(i, v) for i, v in enumerate(series) if v is not None][-1]
    parts.append(f'<circle cx="{x(end)}" cy="{y(value)}" r="3.5" style="fill:{css_value("ink")}"/></svg>')
    return Markup("".join(parts))


def _runs(series: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The unbroken stretches of a row of values.

    >>> _runs([1.0, None, 2.0, 3.0])
    [[(0, 1.0)], [(2, 2.0), (3, 3.0)]]
    """
    runs: list[list[tuple[int, float]]] = [[]]
    for i, value in enumerate(series):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((i, value))
    return [run for run in runs if run]


def _n(value: float) -> str:
    """A coordinate, two decimals at most.

    >>> _n(3.0), _n(3.14159)
    ('3', '3.14')
    """
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown
