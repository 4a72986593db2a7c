"""How much of a text, and how many rows, one sheet can hold: found here, since a page that runs nothing cannot measure.

Sizes are in em of the page's own text, so that the screen (12.5 px) and the paper (7.5 pt) break lines at the same words.
The widths of letters are Helvetica's; in a wider font a text ends with "…" where the page says it must, and the height
stays what was reckoned here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# Width of the letters from space to ~ in thousandths of the font size: Helvetica's, as Adobe publishes them.
_WIDTHS = dict(zip(map(chr, range(32, 127)), (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
), strict=True))
_WIDTHS["\u00a0"] = _WIDTHS[" "]
_BOLD = 1.075  # bold letters are so much wider, all in all
_LATIN, _WIDE = 600, 1050  # other letters; from Hangul on, one square each
ELLIPSIS = "…"


def width(text: str, bold: bool = False) -> float:
    """Width of a text on one line, in em of its own size.

    >>> width("Rp 12")
    2.667
    """
    total = sum(_WIDTHS.get(letter) or (_LATIN if letter < "\u1100" else _WIDE) for letter in text)
    return round(total * (_BOLD if bold else 1.0) / 1000, 3)


def lines(text: str, room: float, *, size: float = 1.0, bold: bool = False) -> int:
    """How many lines a text takes in a column: words that fit, one after another; a word longer than a line is broken.

    room   width of the column (em of the page)
    size   size of the letters (em of the page)
    """
    room, count, used, gap = room / size, 1, 0.0, width(" ", bold)
    for word in text.split(" "):  # not at a space that holds
        long = width(word, bold)
        if used and used + gap + long <= room:
            used += gap + long
            continue
        count += bool(used)
        while long > room:
            count, long = count + 1, long - room
        used = long
    return count


def shorten(text: str, room: float, *, at_most: int = 1, size: float = 1.0, bold: bool = False) -> str:
    """The text where it fits in so many lines, else its first words and "…".

    >>> shorten("Assorted Biscuit Tin 650 g", 8)
    'Assorted…'
    """
    if lines(text, room, size=size, bold=bold) <= at_most:
        return text
    words = text.split(" ")
    while len(words) > 1 and lines(" ".join(words) + ELLIPSIS, room, size=size, bold=bold) > at_most:
        words.pop()
    kept = " ".join(words)
    while len(kept) > 1 and lines(kept + ELLIPSIS, room, size=size, bold=bold) > at_most:
        kept = kept[:-1]
    return kept.rstrip(" ,;:.") + ELLIPSIS


@dataclass
class Block:
    """A part of the page: what always stands, and rows of which the last may be left out.

    kind     which part it is
    fixed    height without rows (em)
    rows     height of each row, the most important first (em)
    least    rows that stay whatever else there is
    rest     height of the line that tells what was left out (em)
    share    of the rows' room that it may claim, against the others
    filler   stands only where there is room left
    """

    kind: str
    fixed: float
    rows: Sequence[float] = ()
    least: int = 0
    rest: float = 0.0
    share: float = 1.0
    filler: bool = False
    kept: int = field(init=False)
    view: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kept = len(self.rows)

    @property
    def height(self) -> float:
        return self.fixed + sum(self.rows[:self.kept]) + (self.rest if self.kept < len(self.rows) else 0.0)


def fill(blocks: list[Block], room: float, *, gap: float) -> list[Block]:
    """The blocks of a column with as many rows as it holds: rows go one by one from the block that has most for its share.

    room     height of the column (em)
    gap      between two blocks (em)
    returns  the blocks that stand, with `kept` set; a filler only where all of the others stand whole beside it
    """
    standing = [block for block in blocks if not block.filler]
    while _height(standing, gap) > room:
        able = [block for block in standing if block.kept > min(block.least, len(block.rows))]
        if not able:
            break
        largest = max(able, key=lambda block: sum(block.rows[:block.kept]) / block.share)
        largest.kept -= 1
    _grow(standing, room, gap)
    for block in (block for block in blocks if block.filler):
        while block.kept > block.least and _height([*standing, block], gap) > room:
            block.kept -= 1
        if _height([*standing, block], gap) <= room:
            standing.append(block)
    return [block for block in blocks if any(block is one for one in standing)]


def _grow(standing: list[Block], room: float, gap: float) -> None:
    """Rows of other heights may still fit where a tall one did not; and one row left out saves no more than its notice."""
    grown = True
    while grown:
        grown = False
        for block in sorted(standing, key=lambda one: sum(one.rows[:one.kept]) / one.share):
            if block.kept < len(block.rows):
                block.kept += 1
                if grown := _height(standing, gap) <= room:
                    break
                block.kept -= 1


def _height(blocks: list[Block], gap: float) -> float:
    return sum(block.height for block in blocks) + gap * max(len(blocks) - 1, 0)
