"""Between runs: what leaves by `sopnb send`, what would, what nobody knows of, and a person's word on it."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sopnb import params, posting, project, reuse
from sopnb.job import CYCLE_STEPS, RECAP_STEP, Job
from sopnb.journal import Journal
from sopnb.posting import FOLDERS, MARKS, PACK, RECAP, Delivery
from sopnb.problems import Problem, Problems, nearest

KINDS = (PACK, RECAP)
LOOK_BACK = 2  # cycles that `--due` looks at: the one to come, and the one whose recap may wait
PATIENCE = 60  # seconds to wait for a run that holds the cycle


@dataclass(frozen=True)
class Fate:
    """What would become of one reader's mail."""

    cycle: str
    kind: str
    reader: str
    what: str
    file: Path


def job_of(where: project.Places, company: params.Company, name: str, kind: str = PACK) -> Job:
    """A cycle as it was published, for its mails."""
    wanted = (RECAP_STEP,) if kind == RECAP else CYCLE_STEPS
    return Job(where, company, name, wanted, journal=Journal(where.runs / "journal.jsonl"))


def cycles(where: project.Places, named: str, due: bool) -> list[str]:
    """The cycles meant: the one named, else the latest published, with `--due` also the one before.

    raises   Problems where it was not published
    """
    published = where.cycles()
    if named and named not in published:
        raise Problems([Problem(f"{where.company} {named}", "was not published, so there is nothing to send", ", ".join(published[-3:]) or "none yet",
                                f"Run it first: sopnb run params/{where.company}.yaml --cycle {named}")])
    if not published:
        raise Problems([Problem(where.company, "no cycle was published, so there is nothing to send", remedy=f"Run one first: sopnb run params/{where.company}.yaml")])
    return [named] if named else published[-(LOOK_BACK if due else 1):]


def check(company: params.Company) -> None:
    """raises   Problems where the settings cannot send; nothing where there are none, since then only files are written"""
    problems = posting.check_mail(company) if company.mail.smtp else []
    if company.mail.smtp and company.mail.send == "never":
        problems = [Problem("mail.send", "is never, so nothing is sent", "after_run, or {days_before: N}", "Change it; or look at what would leave: --dry-run")]
    if problems:
        raise Problems(problems)


# --- send -----------------------------------------------------------------------------------------------------------

def send(where: project.Places, company: params.Company, name: str, *, day: dt.date, due: bool = False) -> Delivery:
    """Send what a published cycle has to send: the pack in its time, the recap, and what did not leave before.

    due      by the scheduler: the pack waits for its day, and what needs no word gets none
    raises   Busy where a run holds the cycle for longer than a minute
    """
    result = Delivery()
    with _held(where, company, name):
        for kind in KINDS:
            one = _send_kind(job_of(where, company, name, kind), kind, day, due)
            result.notes += one.notes
            result.failed |= one.failed
    return result


def _send_kind(job: Job, kind: str, day: dt.date, due: bool) -> Delivery:
    manifest = reuse.manifest(job.target)
    if manifest.get("verdict") == "red":
        return Delivery([posting.held(job)] if kind == PACK else [])
    over = day > posting.last_day(job.company, job.name, kind)
    if MARKS[kind] not in manifest:
        again = f"{job.name}: no mails were made. Make them: sopnb run params/{job.where.company}.yaml --cycle {job.name}"
        return Delivery([again], bool(job.company.mail.smtp)) if kind == PACK and not over else Delivery()
    if not job.company.mail.smtp:
        return Delivery() if over else posting.written(job, manifest, kind)
    first = posting.first_day(job.company, job.name) if kind == PACK and due else None
    if first and day < first:
        return Delivery([f"{job.name}: the pack leaves from {posting.said(first)} on, for the meeting on {posting.said(job.company.meeting_day(job.name))}."])
    if posting.all_have_it(job, manifest, kind):
        return Delivery([] if due else [f"{job.name}: everybody has the {kind}."])
    return posting.post(job, manifest, kind, day)


@contextlib.contextmanager
def _held(where: project.Places, company: params.Company, name: str) -> Iterator[None]:
    """The cycle's lock, so that no run makes the set anew meanwhile."""
    from sopnb import run

    until = time.monotonic() + PATIENCE
    job = job_of(where, company, name)
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(run._lock(job))
                break
            except run.Busy:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
        yield


# --- what would happen ----------------------------------------------------------------------------------------------

def fates(where: project.Places, company: params.Company, name: str, *, day: dt.date) -> tuple[list[Fate], list[str]]:
    """What would become of every mail of a published cycle, and what is to be said beside."""
    from sopnb import delivery

    found, notes = [], []
    for kind in KINDS:
        job = job_of(where, company, name, kind)
        manifest = reuse.manifest(job.target)
        if MARKS[kind] not in manifest:
            continue
        paths, wrong = posting.letters(job, manifest, kind)
        notes += wrong
        known = delivery.standings(posting.book(job), name, kind)
        for path in paths:
            one = known.get(delivery.local(path), delivery.Standing("", delivery.reader(path)))
            found.append(Fate(name, kind, delivery.reader(path), _fate(job, manifest, kind, path, one, day), path))
    manifest = reuse.manifest(where.published(name))
    if manifest.get("verdict") == "red":
        notes.append(posting.held(job_of(where, company, name)))
    elif not found and not notes:
        notes.append(f"{name}: nobody in `people` gets a mail.")
    return found, notes


def _fate(job: Job, manifest: dict[str, Any], kind: str, path: Path, one: Any, day: dt.date) -> str:
    from sopnb import delivery, recipients, smtp_line

    first, last = posting.first_day(job.company, job.name) if kind == PACK else None, posting.last_day(job.company, job.name, kind)
    url = smtp_line.address(job.company.mail.smtp)
    told = {"sent": "has it", "arrived": f"has it, says {one.by}"}
    if one.state in told:
        return told[one.state]
    if one.unknown:
        return "unknown whether it arrived; not sent again without a person's word"
    if manifest.get("verdict") == "red":
        return "held, the data verdict is red"
    if why := delivery.fault_in(delivery.head(path)) or recipients.refused(one.reader, posting.domains(job.company)):
        return f"not sent: {why}"
    if day > last:
        return f"not sent: {posting.said(last)} is over"
    if not job.company.mail.smtp:
        return "stays a file: no SMTP settings (mail: smtp:)"
    if job.company.mail.send == "never":
        return "stays a file: mail.send is never"
    if not one.again(path, url):
        return f"not sent: refused for good ({one.said})"
    if why := posting.unfit(job, manifest, kind) or (posting.outdated(job) if kind == PACK else ""):
        return f"not sent: {why}"
    again = f", again after {one.said}" if one.state == "refused" else ", again by a person's word" if one.state == "resend" else ""
    return f"sent{again}" if first is None or day >= first else f"sent from {posting.said(first)} on, by send --due"


def copies(where: project.Places, found: list[Fate]) -> list[Path]:
    """The mails of a dry run, copied beside the published set."""
    import shutil

    made = []
    for one in found:
        folder = where.draft(one.cycle) / FOLDERS[one.kind]
        folder.mkdir(parents=True, exist_ok=True)
        made.append(Path(shutil.copy2(one.file, folder / one.file.name)))
    return made


# --- a person's word ------------------------------------------------------------------------------------------------

def word(where: project.Places, company: params.Company, name: str, state: str, reader: str, *, who: str, day: dt.date) -> list[str]:
    """Record a person's word on what nobody knows, or what was refused for good: resend or arrived.

    reader   an address, or a person's id or name in `people`; all: everybody it may be said of
    returns  what was recorded, a line each
    raises   Problems where there is no such mail, or the word changes nothing
    """
    from sopnb import delivery

    if not who.strip():
        raise Problems([Problem("--who", "is missing: a word on a mail has a name", "a name, as \"Rina Kusuma\"", "Add --who NAME")])
    found = posting.people(where.published(name))
    known = {} if found is None else {str(key).lower(): str(row.email or "") for row in found.itertuples() for key in (row.person, row.name) if key}
    wanted, book, lines = known.get(reader.lower(), reader).lower(), posting.book(job_of(where, company, name)), []
    readers: set[str] = set()
    for kind in KINDS:
        for one in _latest(where, company, name, kind, book):
            readers.add(one.reader)
            open_to = one.unknown or (one.state == "refused" and one.lasting) or (state == "resend" and reader != "all" and one.state in ("sent", "arrived"))
            if open_to and (reader == "all" or one.reader.lower() == wanted):
                delivery.say(book, one, state, cycle=name, kind=kind, by=who, day=day)
                lines.append(f"{name}, {kind}, {one.reader}: {'to be sent again' if state == 'resend' else 'it arrived'}, says {who}.")
    if not lines:
        raise Problems([Problem(f"--{state}", f"of {name} there is no mail to {reader} of which that could be said", ", ".join(sorted(readers)) or "none was tried yet",
                                nearest(reader, readers) or "See: sopnb status")])
    return lines


def _latest(where: project.Places, company: params.Company, name: str, kind: str, book: Any) -> list[Any]:
    """What is known of the mails of the published edition; of older ones a word would change nothing."""
    from sopnb import delivery

    job = job_of(where, company, name, kind)
    manifest = reuse.manifest(job.target)
    paths = posting.letters(job, manifest, kind)[0] if MARKS[kind] in manifest else []
    known = delivery.standings(book, name, kind)
    return [known[local] for path in paths if (local := delivery.local(path)) in known]


def unsettled(where: project.Places, company: params.Company, name: str) -> list[str]:
    """What `sopnb status` says of a cycle's mails: those of which nobody knows, and those refused; of the latest edition."""
    from sopnb import delivery

    try:
        book = posting.book(job_of(where, company, name))
    except Problems:  # a ledger that cannot be opened is told by what needs it
        return []
    lines, command = [], f"sopnb send params/{where.company}.yaml --cycle {name}"
    for kind in KINDS:
        known = delivery.standings(book, name, kind).values()
        latest = max((one.revision for one in known), default=1)
        for one in known:
            if one.revision == latest and one.unknown:
                lines.append(f"{name} {kind}: unknown whether it arrived at {one.reader}. Ask, then: {command} --arrived {one.reader} --who NAME, or --resend {one.reader} --who NAME")
            elif one.revision == latest and one.state == "refused":
                lines.append(f"{name} {kind}: {one.reader} was refused ({one.said}); {'mend the address, or --resend' if one.lasting else 'the next run tries again'}.")
    return lines
