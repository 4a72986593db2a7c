"""What a table is made of: a frame with its key and its columns, read from a few lines of text.

>>> ORDERS = declare("orders", "order line", '''
... order text! order number
... line text!
... quantity number units asked for
... ''', "Order lines")
>>> ORDERS.needed, ORDERS.kind("quantity")
(['order', 'line'], 'number')
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("text", "number", "integer", "date", "month", "flag")


class FrameError(ValueError):
    """A table is not what its frame says. The message names columns, rows and the remedy."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, its unit or meaning, and whether a row may leave it out."""

    name: str
    kind: str = "text"
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Frame:
    """What a table is.

    name       file name under tables/, and the name of the source
    key        columns that identify a row
    columns    all columns, the key included, in the order they are saved
    meaning    one line for the codebook
    needed     columns a source must bring (a step table must bring all)
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str = ""

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def needed(self) -> list[str]:
        return [column.name for column in self.columns if column.required or column.name in self.key]

    def kind(self, name: str) -> str:
        return next(column.kind for column in self.columns if column.name == name)


def declare(name: str, key: str, spec: str, meaning: str) -> Frame:
    """Read a frame from lines of `column kind! unit`; `!` marks a column a source must bring."""
    columns = []
    for line in spec.strip().splitlines():
        words = line.split(maxsplit=2)
        kind = words[1] if len(words) > 1 else "text"
        columns.append(Column(words[0], kind.rstrip("!"), words[2] if len(words) > 2 else "", kind.endswith("!")))
    return Frame(name, tuple(key.split()), tuple(columns), meaning)


def by_name(*frames: Frame) -> dict[str, Frame]:
    """The frames by the name of their table, in this order."""
    return {frame.name: frame for frame in frames}
