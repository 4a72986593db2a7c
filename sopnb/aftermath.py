"""What follows a run: its readers get their mail once (`posting`), or its owner hears why there is none.

A failed run sends nothing to the audience. Whoever answers for the run (`owner`) hears of the failure with cause, notebook,
cell, remedy and the log.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sopnb import redact
from sopnb.kernels import UNWRITABLE, StepFailed
from sopnb.posting import Delivery, anyone, check_mail, deliver, edition, people
from sopnb.problems import Problems

if TYPE_CHECKING:
    from sopnb.job import Job


__all__ = ["CannotWrite", "Delivery", "all_well", "anyone", "check_mail", "deliver", "edition", "failure_text", "owner_hears", "people"]


class CannotWrite(RuntimeError):
    """The disk is full, or a folder may not be written; the message says which, and what to do."""


# --- the owner ------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def owner_hears(job: Job) -> Iterator[None]:
    """Whatever fails inside is told to the owner; what the owner was told stands in the fault's notes."""
    from sopnb.run import Busy

    try:
        yield
    except Busy:
        raise
    except Exception as error:
        told = _plainly(error)
        _tell(job, told)
        if told is error:
            raise
        raise told from error


UNWRITABLE_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)


def _plainly(error: Exception) -> Exception:
    """A fault of the disk in words; any other fault as it is."""
    if not isinstance(error, OSError) or error.errno not in UNWRITABLE_CODES:
        return error
    what = os.strerror(error.errno)
    place = f": {error.filename}" if error.filename else ""
    return CannotWrite(f"{what}{place}. {UNWRITABLE.get(what, 'Look at that folder and at the rights of this user, then run again.')}")


def _tell(job: Job, error: Exception) -> None:
    from sopnb import alarm

    text = redact.text(failure_text(job, error))
    path = _failure_file(job)
    written = ""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written = f"The message for the owner is in {'/'.join(path.parts[-4:])}."
    told = alarm.tell(job, subject=_subject(job, error), text=text, people=anyone(job))
    if told or written:
        error.add_note(redact.text(told if told.endswith("told by mail.") else f"{told} {written}".strip()))


def _failure_file(job: Job) -> Path:
    """In the run's own folder; beside them where nothing was started."""
    return job.build / "failure.txt" if job.build != Path() and job.build.is_dir() else job.where.runs / f"{job.name}-refused.txt"


def all_well(job: Job) -> None:
    """An earlier refusal of this cycle no longer stands."""
    (job.where.runs / f"{job.name}-refused.txt").unlink(missing_ok=True)


def _subject(job: Job, error: Exception) -> str:
    where = f" at {error.notebook}" if isinstance(error, StepFailed) else ""
    return f"S&OP {job.name}, {job.company.name}: the run stopped{where}"


def failure_text(job: Job, error: Exception) -> str:
    """What the owner reads: that it stopped, where, why, what to do."""
    lines = [f"The run of {job.company.name}, cycle {job.name}, stopped.", "Earlier reports are untouched, and the readers got nothing.", ""]
    if isinstance(error, StepFailed):
        place = f"{error.notebook}, cell {error.cell}" if error.cell else error.notebook
        lines += [f"Where:  {place}", f"Cause:  {error.error}: {error.message}", f"Remedy: {error.remedy}"]
    elif isinstance(error, Problems):
        lines += ["To mend before anything runs:", *(f"- {problem}" for problem in error.problems)]
    else:
        lines += [f"Cause:  {error}" if isinstance(error, CannotWrite) else f"Cause:  {type(error).__name__}: {error}"]
    file = f"{job.where.params_file.parent.name}/{job.where.params_file.name}"
    again = "recap" if job.recap else "run"
    lines += ["", f"Then:   sopnb {again} {file} --cycle {job.name}", "        Steps that finished are not run again."]
    if job.build != Path():
        lines += ["", f"Run:    {job.build.name}"]
    return "\n".join(lines) + "\n"
