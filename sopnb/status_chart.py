"""Two small charts of actions by month, drawn by hand: what was made and closed, and how old what stands open is.

Bars stretch with the page, words do not; colours are roles of the page's style sheet, and each part has its name.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from sopnb import words
from sopnb.words import message

TALL = 150  # pixels of the field
ROOM = 18  # above and below, for figures


def flow(rows: pd.DataFrame) -> Markup:
    """Made upwards, done and dropped downwards, month by month.

    rows   see `status_page.by_month`
    """
    top, down = int(rows["made"].max()), int((rows["done"] + rows["dropped"]).max())
    unit = TALL / max(top + down, 1)
    base = ROOM + top * unit
    marks = []
    for i, row in enumerate(rows.itertuples(index=False)):
        x, wide = _place(i, len(rows))
        marks += [_bar(x, base - row.made * unit, wide, row.made * unit, "fp"), _bar(x, base, wide, row.done * unit, "fb"), _bar(x, base + row.done * unit, wide, row.dropped * unit, "fo")]
        marks += [_figure(x + wide / 2, base - row.made * unit - 5, row.made), _figure(x + wide / 2, base + (row.done + row.dropped) * unit + 14, row.done + row.dropped)]
    marks.append(f'<line class="zero" x1="0" x2="100%" y1="{_n(base)}" y2="{_n(base)}"/>')
    height = base + down * unit + ROOM
    return _whole(marks, rows, height, message("status.flow.alt", {"made": int(rows["made"].sum()), "done": int(rows["done"].sum()), "dropped": int(rows["dropped"].sum())}).text,
                  [("fp", "made"), ("fb", "done"), *([("fo", "dropped")] if rows["dropped"].any() else [])])


def ages(rows: pd.DataFrame) -> Markup:
    """What stood open at each month's end, by age: the oldest at the bottom, where it can be compared."""
    unit = TALL / max(int(rows["open"].max()), 1)
    base = ROOM + TALL
    marks = []
    for i, row in enumerate(rows.itertuples(index=False)):
        x, wide = _place(i, len(rows))
        y = base
        for css, n in (("fs", row.old), ("fo", row.aged), ("fb", row.fresh)):
            y -= n * unit
            marks.append(_bar(x, y, wide, n * unit, css))
        marks.append(_figure(x + wide / 2, y - 5, row.open))
    marks.append(f'<line class="zero" x1="0" x2="100%" y1="{_n(base)}" y2="{_n(base)}"/>')
    now = rows.iloc[-1]
    return _whole(marks, rows, base, message("status.age.alt", {"open": int(now["open"]), "old": int(now["old"]), "aged": int(now["aged"]), "fresh": int(now["fresh"])}).text,
                  [("fs", "old"), ("fo", "aged"), ("fb", "fresh")])


def _whole(marks: Sequence[str], rows: pd.DataFrame, height: float, alt: str, parts: Sequence[tuple[str, str]]) -> Markup:
    """The picture with its months below and its names above."""
    months = [_month(i, month, rows, height) for i, month in enumerate(rows["month"])]
    key = "".join(f'<li><svg width="11" height="11" aria-hidden="true" focusable="false"><rect class="{css}" width="11" height="11"/></svg> {html.escape(message(f"status.part.{part}", {}).text)}</li>'
                  for css, part in parts)
    return Markup(f'<ul class="key">{key}</ul><svg class="c" role="img" aria-label="{html.escape(alt)}" width="100%" height="{_n(height + 34)}">{"".join(marks)}{"".join(months)}</svg>')


def _month(i: int, month: pd.Timestamp, rows: pd.DataFrame, height: float) -> str:
    """A month's first letter, and the year below its first month."""
    x, wide = _place(i, len(rows))
    year = f'<text x="{_n(x + wide / 2)}%" y="{_n(height + 31)}" text-anchor="middle">{month:%Y}</text>' if i == 0 or month.month == 1 else ""
    letter = words.show(month, "mon")[:1]
    return f'<text x="{_n(x + wide / 2)}%" y="{_n(height + 16)}" text-anchor="middle">{html.escape(letter)}</text>{year}'


def _place(i: int, n: int) -> tuple[float, float]:
    """Left edge and width of a month's bar, in percent."""
    step = 100 / max(n, 6)
    return i * step + step * 0.14, step * 0.72


def _bar(x: float, y: float, wide: float, tall: float, css: str) -> str:
    return f'<rect class="{css}" x="{_n(x)}%" y="{_n(y)}" width="{_n(wide)}%" height="{_n(tall)}"/>' if tall > 0 else ""


def _figure(x: float, y: float, n: int) -> str:
    return f'<text class="li" x="{_n(x)}%" y="{_n(y)}" text-anchor="middle">{n}</text>' if n else ""


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
