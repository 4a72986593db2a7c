"""What stops a run before it starts: every problem, in one list, with its remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Problem:
    """One thing that must be mended before a run.

    where    file, and column, row or parameter in it
    wrong    what is wrong, with the value met
    allowed  what would be right
    remedy   what to do next
    """

    where: str
    wrong: str
    allowed: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.wrong.rstrip('.')}."]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed.rstrip('.')}.")
        if self.remedy:
            parts.append(self.remedy if self.remedy.endswith("?") else f"{self.remedy.rstrip('.')}.")
        return " ".join(parts)


class Problems(Exception):
    """All that was found wrong, so that a person mends a file once and not five times."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in together(self.problems)))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows under the cell: the list, and not the way of the program to it."""
        return str(self).splitlines()


def together(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that differ in their place alone, from four on, as one: a folder misspelt is one mistake, not one per file in it.

    >>> print(*together(Problem(f"{name}: 2031-05/{name}.csv", "no folder 2031-05") for name in "abcde"))
    a, b, c and 2 more: no folder 2031-05.
    """
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.wrong, problem.allowed, problem.remedy), []).append(problem)
    return [shown for group in alike.values() for shown in ([_several(group)] if len(group) > 3 else group)]


def _several(group: list[Problem]) -> Problem:
    short = list(dict.fromkeys(problem.where.partition(": ")[0] for problem in group))
    names = short if len(short) == len(group) else [problem.where for problem in group]
    return replace(group[0], where=f"{', '.join(names[:3])} and {len(names) - 3} more")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """'Did you mean …?' for a misspelt word, or '' where nothing is close.

    >>> nearest("horizn_months", ["horizon_months", "language"])
    'Did you mean horizon_months?'
    """
    names: dict[str, str] = {}
    for name in allowed:
        names.setdefault(_plain(name), str(name))
    close = difflib.get_close_matches(_plain(word), list(names), n=1, cutoff=0.6)
    return f"Did you mean {names[close[0]]}?" if close else ""


def _plain(word: object) -> str:
    """Case and spaces do not make two names: `ORDER DATE` is near order_date."""
    return str(word).lower().replace(" ", "_")
