"""Plain text for mails: at most 78 columns, headings underlined, numbers at the right edge."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from sopnb.letters import COLUMNS
from sopnb.words import message


def joined(parts: Iterable[str]) -> str:
    """Blocks with a line between them; empty ones left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def wrap(text: str, indent: str = "", *, first: str = "", underline: bool = False) -> str:
    """A paragraph; `first` stands before its first line, `indent` before the others. A word longer than a line is cut, so that no line is."""
    flat = re.sub(r"\s+", " ", text).strip()
    body = textwrap.fill(flat, COLUMNS, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    return f"{body}\n{'=' * min(COLUMNS, max(map(len, body.splitlines()), default=0))}" if underline and body else body


def topic(key: str, finding: str) -> list[str]:
    """A heading, underlined, and what one learns under it."""
    title = message(key, {}).text
    return [title, "-" * len(title), *([wrap(finding)] if finding else [])]


def line(left: str, right: str, indent: str = "  ") -> str:
    """Name at the left, number at the right, in 78 columns; a long name wraps above its number."""
    width = COLUMNS - len(right) - 2
    lines = textwrap.wrap(re.sub(r"\s+", " ", left).strip() or "–", width, initial_indent=indent, subsequent_indent=indent + "  ") or [indent]
    return "\n".join([*lines[:-1], f"{lines[-1]:<{width}}  {right}"])


def unit(text: str) -> str:
    """What the numbers below are in, at the right edge."""
    return f"{text:>{COLUMNS}}" if text else ""


def grid(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], corner: str = "", indent: str = "   ") -> list[str]:
    """A small table: names at the left, numbers under their heads.

    >>> print(*grid(["A", "B"], [("Cost", ["0.07", "0.60"])], "Rp bn"), sep=chr(10))
       Rp bn     A     B
       Cost   0.07  0.60
    """
    wide = [max([len(head), *(len(cells[i]) for _, cells in rows)]) for i, head in enumerate(heads)]
    first = min(max([len(corner), *(len(name) for name, _ in rows)]), COLUMNS - len(indent) - sum(wide) - 2 * len(wide))
    table = [(corner, list(heads)), *((name, list(cells)) for name, cells in rows)]
    return [(indent + f"{name[:first]:<{first}}" + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, wide, strict=True))).rstrip() for name, cells in table]


def web(address: str, key: str = "mail.open") -> str:
    """A link on a line of its own: cut in two it would lead nowhere."""
    return f"{message(key, {}).text}:\n{address}" if address else ""
