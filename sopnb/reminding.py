"""`sopnb remind`: who has something due or overdue hears of it, at most once a day.

A reminder is known by its day, as a pack is by its cycle: run again on the same day nothing leaves twice, whatever became of
the actions meanwhile. Nobody hears that nothing is due.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sopnb import params, posting, project, steps
from sopnb.job import CYCLE_STEPS, Job
from sopnb.journal import Journal
from sopnb.posting import Delivery

KIND, FOLDER = "reminder", "reminders"
PATIENCE = 60  # seconds to wait for others that remind


def remind(where: project.Places, company: params.Company, *, day: dt.date, dry: bool = False) -> tuple[Delivery, list[Path]]:
    """Write the reminders of a day, and send them where the settings say so.

    day      the day it is
    dry      write them beside the reports and send nothing
    returns  what to tell; the .eml files
    raises   Busy where somebody else has been reminding for longer than a minute
    """
    with contextlib.nullcontext() if dry else _alone(where):
        return _remind(where, company, day, dry)


@contextlib.contextmanager
def _alone(where: project.Places) -> Iterator[None]:
    """One at a time: a mail that another is just sending would count as one of which nobody knows."""
    from filelock import FileLock, Timeout

    from sopnb.run import Busy

    where.runs.mkdir(parents=True, exist_ok=True)
    lock = FileLock(where.runs / "reminders.lock")
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise Busy(f"Reminders of {where.company} are just being sent. Wait for that, then try again.") from None
    try:
        yield
    finally:
        lock.release()


def _remind(where: project.Places, company: params.Company, day: dt.date, dry: bool) -> tuple[Delivery, list[Path]]:
    from sopnb import delivery, smtp_line, status_page

    job = Job(where, company, f"{day:%Y-%m}", CYCLE_STEPS, journal=Journal(where.runs / "journal.jsonl"))
    book, people = posting.book(job), posting.anyone(job)
    facts = status_page.reminders(book.actions(day), day=day, ahead_days=company.mail.remind_days, people=people)
    if not facts:
        return Delivery([f"{day}: nothing is overdue, and nothing is due within {company.mail.remind_days} days."]), []
    without = [f"No reminder for {line}" for line in status_page.without_address(facts)]
    letters, wrong = _letters(where, company, facts, people)
    folder = (where.draft(f"{day:%Y-%m}") if dry else where.reports) / FOLDER / str(day)
    notes, paths = [*without, *wrong], _outbox(folder, letters, delivery.standings(book, str(day), KIND))
    place = folder.relative_to(where.root).as_posix()
    if dry or not company.mail.smtp or company.mail.send == "never":
        why = "a dry run" if dry else "no SMTP settings (mail: smtp:)" if not company.mail.smtp else "mail.send is never"
        said = [f"{delivery.counted(len(paths))} written as .eml files to {place}/; {why}, so nothing was sent."] if paths else []
        return Delivery([*notes, *said], bool(notes) and not dry), paths
    content = steps.digest({owner: [row["action"] for row in [*one["overdue"], *one["due"]]] for owner, one in facts.items()})
    result = delivery.send(paths, smtp_line.address(company.mail.smtp), book, cycle=str(day), kind=KIND, content=content, revision=1, day=day,
                           domains=posting.domains(company))
    told = delivery.told(result, folder=place, revision=1, command="")
    notes += told or ([f"{day}: whoever has something due was reminded before."] if result.before else [])
    if result.sent or result.news:
        job.journal.write("reminded", cycle=job.name, day=str(day), sent=result.sent, refused=[*result.refused, *result.lasting, *result.outside],
                          unknown=result.unknown, fault=result.fault)
    if result.news and (line := posting.owner_hears(job, f"reminder of {day}", told)):
        notes.append(line)
    return Delivery(notes, result.failed or bool(without or wrong)), paths


def _letters(where: project.Places, company: params.Company, facts: dict[str, Any], people: Any) -> tuple[list[Any], list[str]]:
    """One mail for each owner with an address; and a line for each whose address is none."""
    from sopnb import mail, pack

    owner = pack.owner_address(company, people)
    made, wrong = [], []
    for one in facts.values():
        if not one["email"]:
            continue
        try:
            made.append(mail.reminder(one, company=company.name, sender=company.mail.sender or owner or pack.NOBODY, owner=owner, language=company.language,
                                      currency=company.currency, reports_url=company.mail.reports_url, command=f"sopnb actions done params/{where.company}.yaml"))
        except mail.MailError as error:
            wrong.append(f"No reminder for {one['name']}: {error}")
    return made, wrong


def _outbox(folder: Path, letters: list[Any], known: dict[str, Any]) -> list[Path]:
    """The mails as files; one that left stays as it left."""
    from sopnb import delivery

    made = []
    for letter in letters:
        path = delivery.path_of(folder, letter)
        one = known.get(delivery.identity(letter))
        made += [path] if path.is_file() and one is not None else delivery.outbox(folder, [letter])
    return made
