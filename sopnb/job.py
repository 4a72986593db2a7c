"""What one run knows, and how it ends: the words the runner's rooms share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sopnb import params, project
from sopnb.journal import Journal

# Exit codes, one for each class of outcome; `sopnb run --help` and the README list them.
OK, UNEXPECTED, USAGE, BAD_INPUT, STEP_FAILED, DEADLINE, KERNEL_DIED, BUSY, RED, UNSENT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
FAILURES = {"cell": STEP_FAILED, "deadline": DEADLINE, "kernel": KERNEL_DIED}

CYCLE_STEPS = project.STEPS[:5]  # `sopnb run`; the recap follows the meeting
RECAP_STEP = project.STEPS[5]


@dataclass
class Outcome:
    """How a run ended.

    code     exit code
    folder   the published set
    done     step: seconds, for steps that ran
    skipped  steps whose key and outputs were unchanged
    """

    code: int
    folder: Path | None = None
    verdict: str = "green"
    done: dict[str, float] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Tell = Callable[[str, dict[str, Any]], None]


def silent(event: str, facts: dict[str, Any]) -> None:
    """Nobody listens."""


@dataclass
class Job:
    """What one run knows: which company and cycle, which steps, where it builds."""

    where: project.Places
    company: params.Company
    name: str
    wanted: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    pages: bool = True
    in_kernel: bool = True
    force: bool = False
    tell: Tell = silent
    build: Path = Path()
    journal: Journal = field(default_factory=lambda: Journal(Path()))

    @property
    def notebooks(self) -> dict[str, Path]:
        return {step: self.where.root / "notebooks" / f"{step}.ipynb" for step in self.wanted}

    @property
    def target(self) -> Path:
        return self.where.published(self.name)

    @property
    def recap(self) -> bool:
        return self.wanted == (RECAP_STEP,)
