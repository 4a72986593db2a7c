"""What follows a run: its readers get their mail once, or its owner hears why there is none.

The audience gets nothing rather than something wrong: a red verdict holds the mail, a failed run sends none. Whoever
answers for the run (`owner`) hears of a failure with cause, notebook, cell and remedy.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopnb import params, project, redact, steps
from sopnb.kernels import UNWRITABLE, StepFailed
from sopnb.problems import Problem, Problems

if TYPE_CHECKING:
    import pandas as pd

    from sopnb.run import Job

KIND = "pack"
MAILS = "mail"  # the folder of the mails in a cycle's set
NOT_FOR_READERS = "tables/people.parquet"  # a new colleague makes no revision for all the others


class CannotWrite(RuntimeError):
    """The disk is full, or a folder may not be written; the message says which, and what to do."""


@dataclass
class Delivery:
    """What became of a set's mails.

    notes    what to tell, a line each
    failed   whether somebody who should have the mail does not have it
    """

    notes: list[str] = field(default_factory=list)
    failed: bool = False


# --- the readers ----------------------------------------------------------------------------------------------------

def check_mail(company: params.Company) -> list[Problem]:
    """What would keep the mail from leaving, known before a run starts."""
    from sopnb import delivery

    if company.mail.send == "never":
        return []
    if not company.mail.smtp:
        return [Problem("mail.smtp", "is missing, and mail.send is after_run", "env:NAME of an smtps:// address", "Add it, or write `send: never`")]
    problems = []
    url, name = delivery.address(company.mail.smtp), company.mail.smtp.removeprefix("env:")
    if not url:
        problems.append(Problem("mail.smtp", f"the environment has no {name}", "smtps://user:password@host:465", f"Set {name}"))
    else:
        try:
            delivery.check(url)
        except delivery.MailError as error:
            problems.append(Problem("mail.smtp", f"the value of {name} cannot be used", remedy=str(error)))
    if "@" not in (company.mail.sender or company.owner):
        problems.append(Problem("mail.sender", "is missing", "an address, as planning@company.example", "Add it: readers see who the mail comes from"))
    return problems


def edition(job: Job, manifest: dict[str, Any]) -> dict[str, Any]:
    """What readers get: content (a digest of the figures) and revision (1 for the first they got of this cycle)."""
    figures = {step: {p: d for p, d in entry["outputs"].items() if p.startswith("tables/") and p != NOT_FOR_READERS}
               for step, entry in manifest["steps"].items() if step != project.STEPS[-1]}
    content = steps.digest(figures, manifest["verdict"], [a.model_dump(mode="json") for a in job.company.assumptions])
    if not job.company.mail.smtp:
        return {"content": content, "revision": 1}
    from sopnb import delivery

    return {"content": content, "revision": delivery.revision(_ledger(job), job.name, KIND, content)}


def deliver(job: Job, manifest: dict[str, Any]) -> Delivery:
    """Send the published set's mails where the params file says so; else say what lies there."""
    fresh, sends = job.build != Path(), bool(job.company.mail.smtp) and job.company.mail.send != "never"
    if manifest.get("verdict") == "red":
        return Delivery([_held(job)])
    if "mail" not in manifest or not (fresh or sends):
        return Delivery()
    paths = sorted((job.target / MAILS).glob("*.eml"))
    # Once everybody has this edition there is nothing to ask the ledger: opening it takes longer than all the rest.
    mark, edition = job.where.runs / f"{job.name}.mailed", steps.digest(manifest["mail"], [path.name for path in paths])
    if not fresh and mark.is_file() and mark.read_text(encoding="utf-8") == edition:
        return Delivery()
    from sopnb import delivery, mail

    _, wrong = mail.readers(people(job.target), KIND)
    notes = [f"No mail for {line}" for line in wrong]
    if not sends:
        why = "no SMTP settings (mail: smtp:)" if not job.company.mail.smtp else "mail.send is never"
        said = f"{delivery.counted(len(paths))} written as .eml files to {_shown(job.target)}/{MAILS}/; {why}, so nothing was sent."
        return Delivery([*notes, said] if paths else [])
    result = delivery.send(paths, delivery.address(job.company.mail.smtp), _ledger(job), cycle=job.name, kind=KIND,
                           content=manifest["mail"]["content"], revision=manifest["mail"]["revision"], day=_as_of(job))
    notes += delivery.told(result, folder=f"{_shown(job.target)}/{MAILS}", revision=manifest["mail"]["revision"])
    if result.sent or result.refused or result.fault:
        job.journal.write("mailed", cycle=job.name, sent=result.sent, refused=result.refused, unsure=result.unsure, fault=result.fault)
    if not (wrong or result.failed or result.unsure):
        mark.write_text(edition, encoding="utf-8")
    if not paths and not wrong and fresh:
        notes.append("Nobody in `people` gets the pack, so no mail was sent.")
    return Delivery(notes, result.failed or bool(wrong))


def _held(job: Job) -> str:
    """Why the mail is held, and how to let it go."""
    from sopnb import cycle, frames

    waived = {(w.rule.removeprefix("findings."), w.source) for w in job.company.quality.waive if w.cycle == job.name}
    path = job.target / "tables" / "findings.parquet"
    found = cycle.load_table(path, "findings") if path.is_file() else frames.empty(frames.FINDINGS)
    red = [(str(row.rule).removeprefix("findings."), str(row.source)) for row in found[found["severity"] == "red"].itertuples()]
    red = list(dict.fromkeys(one for one in red if one not in waived))
    why = ", ".join(f"{source} ({rule})" for rule, source in red)
    rule, source = red[0] if red else ("RULE", "SOURCE")
    return (f"Mail held, the data verdict is red: {why}. Mend the data and run again; or accept it, in {job.where.params_file.name}: "
            f"quality: {{waive: [{{rule: {rule}, source: {source}, cycle: {job.name}, owner: NAME, reason: WHY}}]}}")


def _ledger(job: Job) -> Any:
    from sopnb import ledger

    return ledger.open(job.company.ledger.url, job.where.reports)


def _as_of(job: Job) -> dt.date:
    return job.company.as_of or dt.date(int(job.name[:4]), int(job.name[5:]), 1)


def people(folder: Path) -> pd.DataFrame | None:
    """Who takes part, as a published set knows them; None where the company names nobody."""
    from sopnb import cycle

    path = folder / "tables" / "people.parquet"
    return cycle.load_table(path, "people") if path.is_file() else None


def _shown(folder: Path) -> str:
    """reports/demo/2026-10"""
    return "/".join(folder.parts[-3:])


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
    from sopnb import delivery, pack

    text = redact.text(failure_text(job, error))
    path = _failure_file(job)
    written = ""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written = f"The message for the owner is in {'/'.join(path.parts[-4:])}."
    url = delivery.address(job.company.mail.smtp)
    to = pack.owner_address(job.company, _anyone(job)) if job.company.owner else ""
    if url and to:
        try:
            written = delivery.alarm(text, subject=_subject(job, error), to=to, sender=job.company.mail.sender, url=url)
        except delivery.MailError as failed:
            written = f"The mail to {to} did not leave ({str(failed).rstrip('.')}). {written}"
    if written:
        error.add_note(redact.text(written))


def _failure_file(job: Job) -> Path:
    """In the run's own folder; beside them where nothing was started."""
    return job.build / "failure.txt" if job.build != Path() and job.build.is_dir() else job.where.runs / f"{job.name}-refused.txt"


def all_well(job: Job) -> None:
    """An earlier refusal of this cycle no longer stands."""
    (job.where.runs / f"{job.name}-refused.txt").unlink(missing_ok=True)


def _anyone(job: Job) -> pd.DataFrame | None:
    """The people of this cycle, or of the latest cycle that was published."""
    names = [job.name, *reversed(job.where.cycles())]
    return next((found for name in names if (found := people(job.where.published(name))) is not None), None)


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
