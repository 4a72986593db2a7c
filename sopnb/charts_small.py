"""Very small pictures without words, for cells of a mail: a row of months as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sopnb.charts_canvas import Canvas
from sopnb.charts_scale import known

EDGE = 6  # pixels left free around the line, for its dots


def spark_png(values: Sequence[float | None], *, target: float | None = None, last_year: float | None = None, width: int = 264, height: int = 52,
              dots: int = 2) -> bytes:
    """A row of months as a PNG: gaps where a value is missing, dashed target, last point marked, the same month last year as a grey dot.

    values     oldest first, the last being this month; None or NaN is a gap
    returns    b"" where fewer than two months are known
    """
    row = [math.nan if v is None else float(v) for v in values]
    there = known(row)
    if len(there) < 2:
        return b""
    every = known([*row, target if target is not None else math.nan, last_year if last_year is not None else math.nan])
    low, high = min(every), max(every)
    canvas = Canvas(width, height, wide=False)
    pane = canvas.pane(EDGE, EDGE, EDGE, EDGE, (0, len(row) - 1), (low, high) if high > low else (low - 1, high + 1))
    if target is not None:
        pane.line([0.0, len(row) - 1.0], [target, target], role="base", width=1.25, dash=(3, 3))
    pane.line([float(i) for i in range(len(row))], row, role="demand", width=1.75)
    if last_year is not None and last_year == last_year:
        pane.dot(max(len(row) - 13, 0), last_year, role="base", size=6)
    end = max(i for i, value in enumerate(row) if value == value)
    pane.dot(end, row[end], role="demand", size=7)
    return canvas.export("png", dots)
