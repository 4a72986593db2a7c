"""Which columns fold under the row's name on a phone, so that no table is wider than the window.

A page says which of its columns are secondary. What is still too wide for a window of 320 pixels folds as well: first
counts, then shares, texts, states and money, from the right; never the column that the rows are ranked by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sopnb.style import text_width

ROOM = 288  # pixels between the margins of a window of 320
BROAD = 580  # pixels between the margins of a window of 640
_BODY, _HEAD, _PAD = 15, 13, 10
_NAME = 84  # a row's name, or a text, may break into lines, but not into single words
_RANK = {"month": 1, "date": 1, "count": 1, "number": 1, "price": 2, "percent": 2, "points": 2, "text": 3, "written": 3, "status": 4, "money": 5}
_DRAWN = {"picture": 92, "bar": 60}


def folds(columns: Mapping[str, Any], cells: Sequence[Sequence[str]], keep: Iterable[str] = ()) -> list[str]:
    """The columns to fold beside those that fold already.

    columns   name: how it is shown (kind, heading, wide); the first names the row
    cells     rows of texts, in the order of the columns
    keep      columns that stay
    """
    names = list(columns)
    widths = {name: _width(columns[name], [row[i] for row in cells], first=i == 0) for i, name in enumerate(names)}
    shown = [name for name in names if not columns[name].wide]
    can = sorted((name for name in shown[1:] if name not in set(keep) and columns[name].kind in _RANK), key=lambda name: (_RANK[columns[name].kind], -names.index(name)))
    out: list[str] = []
    while can and len(shown) > 2 and sum(widths[name] for name in shown) > ROOM:
        out.append(can.pop(0))
        shown.remove(out[-1])
    return out


def is_broad(columns: Mapping[str, Any], cells: Sequence[Sequence[str]]) -> bool:
    """Whether all columns together need more than a window of 640 pixels: then those that may fold do so up to 960."""
    return sum(_width(column, [row[i] for row in cells], first=i == 0) + 4 for i, column in enumerate(columns.values())) > BROAD


def _width(column: Any, texts: Iterable[str], *, first: bool) -> float:
    """The least a column takes: numbers do not break, texts do, between words."""
    head = max((text_width(word, _HEAD, True) for word in column.heading.split()), default=0.0)
    if column.kind in _DRAWN:
        return max(head, _DRAWN[column.kind]) + _PAD
    breaks = column.kind in ("text", "month", "date")
    body = 0.0
    for text in texts:
        whole = text_width(text, _BODY, first) + (19 if column.kind == "status" else 0)
        body = max(body, max(min(whole, _NAME), *(text_width(word, _BODY, first) for word in text.split() or [""])) if breaks else whole)
    return max(head, body) + (0 if first else _PAD)
