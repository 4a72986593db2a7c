"""The mails of a published set: who gets them, when they leave, and why they do not.

    pack     mail/*.eml         after the run, or some days before the meeting (`mail.send`); never after the meeting
    recap    mail/recap/*.eml   after `sopnb recap`

The audience gets nothing rather than something wrong: a red verdict holds the mail, and a set that is incomplete, empty or
older than what it was made from sends none.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopnb import params, project, recipients, reuse, steps
from sopnb.job import CYCLE_STEPS
from sopnb.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

    from sopnb.job import Job

PACK, RECAP = "pack", "recap"
FOLDERS = {PACK: "mail", RECAP: "mail/recap"}  # of the mails in a cycle's set
MARKS = {PACK: "mail", RECAP: "recap"}  # of the edition in the set's manifest
NOT_FOR_READERS = "tables/people.parquet"  # a new colleague makes no revision for all the others


@dataclass
class Delivery:
    """What became of a set's mails.

    notes    what to tell, a line each
    failed   whether somebody who should have the mail does not have it, or nobody knows
    """

    notes: list[str] = field(default_factory=list)
    failed: bool = False


# --- before a run ---------------------------------------------------------------------------------------------------

def check_mail(company: params.Company) -> list[Problem]:
    """What would keep the mail from leaving, known before a run starts."""
    if company.mail.send == "never":
        return []
    from sopnb import smtp_line

    if not company.mail.smtp:
        return [Problem("mail.smtp", "is missing, and mail.send is not never", "env:NAME of an smtps:// address", "Add it, or write `send: never`")]
    problems = []
    url, name = smtp_line.address(company.mail.smtp), company.mail.smtp.removeprefix("env:")
    if not url:
        problems.append(Problem("mail.smtp", f"the environment has no {name}", "smtps://user:password@host:465", f"Set {name}"))
    else:
        try:
            smtp_line.check(url)
        except smtp_line.MailError as error:
            problems.append(Problem("mail.smtp", f"the value of {name} cannot be used", remedy=str(error)))
    sender = company.mail.sender or company.owner
    if "@" not in sender:
        problems.append(Problem("mail.sender", "is missing", "an address, as planning@company.example", "Add it: readers see who the mail comes from"))
    elif not recipients.domain(sender):
        problems.append(Problem("mail.sender", f"{sender!a} is no plain address", "name@company.example, ASCII letters, one @", "Mend it"))
    if "@" in company.owner and (wrong := recipients.refused(company.owner, domains(company))):
        problems.append(Problem("owner", f"{company.owner!a} would hear of no failure: {wrong}", remedy="Mend it, or add its domain to mail.domains"))
    return problems


def domains(company: params.Company) -> tuple[str, ...]:
    """Where readers may be."""
    return recipients.allowed(company.mail.domains, company.mail.sender, company.owner)


def edition(job: Job, manifest: dict[str, Any]) -> dict[str, Any]:
    """What readers get: content (a digest of the figures) and revision (1 for the first they got of this cycle)."""
    figures = {step: {p: d for p, d in entry["outputs"].items() if p.startswith("tables/") and p != NOT_FOR_READERS}
               for step, entry in manifest["steps"].items() if step != project.STEPS[-1]}
    content = steps.digest(figures, manifest["verdict"], [a.model_dump(mode="json") for a in job.company.assumptions])
    if not job.company.mail.smtp:
        return {"content": content, "revision": 1}
    from sopnb import delivery

    return {"content": content, "revision": delivery.revision(book(job), job.name, PACK, content)}


# --- when -----------------------------------------------------------------------------------------------------------

def last_day(company: params.Company, name: str, kind: str) -> dt.date:
    """The last day on which a report is of use: the pack's meeting, for a recap the next one."""
    year, month = int(name[:4]), int(name[5:])
    return company.meeting_day(name if kind == PACK else f"{year + month // 12:04}-{month % 12 + 1:02}")


def first_day(company: params.Company, name: str) -> dt.date | None:
    """The day from which `sopnb send --due` sends the pack; None where a run does."""
    before = company.mail.days_before
    return None if before is None else company.meeting_day(name) - dt.timedelta(days=before)


# --- whether --------------------------------------------------------------------------------------------------------

def unfit(job: Job, manifest: dict[str, Any], kind: str) -> str:
    """Why the published set must not be mailed: incomplete, empty, or not what it says it is; '' where it may."""
    missing = [step[:2] for step in CYCLE_STEPS if step not in manifest["steps"]]
    if missing:
        return f"its steps {', '.join(missing)} have not been run"
    if manifest.get("cycle") != job.name or manifest.get("company") != job.where.company or not manifest.get("verdict"):
        return "its manifest names another company or cycle, or no verdict"
    broken = [step[:2] for step, entry in manifest["steps"].items() if not reuse._intact(job.target, entry)]
    if broken or not reuse._pages_whole(job.target, manifest):
        return "files of it were changed or removed since it was published"
    page = job.target / "index.html"
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.read_text(encoding="utf-8"), re.S) if page.is_file() else None
    if not found or not re.sub(r"<[^>]+>|\s", "", found[1]):
        return "its first page has no headline"
    if empty := [step[:2] for step in CYCLE_STEPS if not _rows(job.target, manifest["steps"][step])]:
        return f"the tables of {', '.join(empty)} are empty"
    return ""


def _rows(folder: Path, entry: dict[str, Any]) -> int:
    from pyarrow import parquet

    return sum(parquet.read_metadata(folder / path).num_rows for path in entry["outputs"] if path.endswith(".parquet"))


def outdated(job: Job) -> str:
    """Why a run would make the set anew; '' where it would change nothing."""
    return "its inputs, code or parameters changed since it was made" if reuse.all_reusable(job, reuse.bases(job)) is None else ""


def letters(job: Job, manifest: dict[str, Any], kind: str) -> tuple[list[Path], list[str]]:
    """The set's mails that belong to its edition; and a line for everyone who should get one and has none."""
    from sopnb import delivery, mail, pack, recap

    found = people(job.target)
    readers, wrong = mail.readers(found, kind, also=recap.owners_of(job.target) if kind == RECAP else ())
    notes = [f"No mail for {line}" for line in wrong]
    sender = job.company.mail.sender or pack.owner_address(job.company, found) or pack.NOBODY
    page = {"header": {"company": job.company.name, "cycle": job.name}}
    number = manifest[MARKS[kind]]["revision"]
    due = {mail.message_id(page, kind=kind, revision=number, to=one["to"], sender=sender): one for one in readers}
    there = {str(delivery.head(path)["Message-ID"]): path for path in sorted((job.target / FOLDERS[kind]).glob("*.eml"))}
    lost = [one["person"] for identity, one in due.items() if identity not in there]
    notes += [f"No mail for {person}: this edition has none. Make it anew: sopnb run {_params(job)} --cycle {job.name} --force" for person in lost]
    return [there[identity] for identity in due if identity in there], notes


def held(job: Job) -> str:
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


# --- send -----------------------------------------------------------------------------------------------------------

def deliver(job: Job, manifest: dict[str, Any]) -> Delivery:
    """After a run or a recap: send the published set's mails where the params file says so; else say what lies there."""
    kind, fresh = RECAP if job.recap else PACK, job.build != Path()
    mail = job.company.mail
    sends = bool(mail.smtp) and mail.send != "never"
    if manifest.get("verdict") == "red":
        return Delivery([held(job)])
    if MARKS[kind] not in manifest or not (fresh or sends) or all_have_it(job, manifest, kind):
        return Delivery()
    if not sends:
        return written(job, manifest, kind)
    leaves = first_day(job.company, job.name) if kind == PACK else None
    if leaves is None:
        return post(job, manifest, kind, job.company.today())
    count = len(letters(job, manifest, kind)[0])
    return Delivery([f"{_counted(count)} in {_shown(job)}/{FOLDERS[kind]}/; `sopnb send {_params(job)} --due` sends them from {said(leaves)} "
                     f"to the meeting on {said(job.company.meeting_day(job.name))}."] if fresh and count else [])


def written(job: Job, manifest: dict[str, Any], kind: str) -> Delivery:
    paths, notes = letters(job, manifest, kind)
    why = "no SMTP settings (mail: smtp:)" if not job.company.mail.smtp else "mail.send is never"
    said = f"{_counted(len(paths))} written as .eml files to {_shown(job)}/{FOLDERS[kind]}/; {why}, so nothing was sent."
    return Delivery([*notes, *([said] if paths else [])])


def post(job: Job, manifest: dict[str, Any], kind: str, day: dt.date) -> Delivery:
    """Send a published set's mails now, each once; `day` is the day it is."""
    if day > last_day(job.company, job.name, kind):
        return _too_late(job, manifest, kind)
    if why := unfit(job, manifest, kind) or (outdated(job) if kind == PACK and job.build == Path() and _todo(job, manifest, kind) else ""):
        again = f"sopnb {'run' if kind == PACK else 'recap'} {_params(job)} --cycle {job.name}"
        return Delivery([f"Not sent: the published set of {job.name} is not fit to be sent, {why}. Make it anew: {again}"], True)
    from sopnb import delivery, smtp_line

    paths, notes = letters(job, manifest, kind)
    wrong, folder, mark = bool(notes), f"{_shown(job)}/{FOLDERS[kind]}", manifest[MARKS[kind]]
    result = delivery.send(paths, smtp_line.address(job.company.mail.smtp), book(job), cycle=job.name, kind=kind,
                           content=mark["content"], revision=mark["revision"], day=_cycle_day(job), domains=domains(job.company))
    told = delivery.told(result, folder=folder, revision=mark["revision"], command=f"sopnb send {_params(job)} --cycle {job.name}")
    notes += told
    if result.sent or result.news:
        job.journal.write("mailed", cycle=job.name, kind=kind, sent=result.sent, refused=[*result.refused, *result.lasting, *result.outside],
                          unknown=result.unknown, fault=result.fault)
    if result.news and (line := owner_hears(job, kind, told)):
        notes.append(line)
    if not (wrong or result.failed):
        _mark(job, kind).write_text(_digest(job, manifest, kind), encoding="utf-8")
    if not paths and not wrong and job.build != Path():
        notes.append(f"Nobody in `people` gets the {kind}, so no mail was sent.")
    return Delivery(notes, result.failed or wrong)


def _todo(job: Job, manifest: dict[str, Any], kind: str) -> list[Path]:
    """The mails that would leave now."""
    from sopnb import delivery, smtp_line

    known, url = delivery.standings(book(job), job.name, kind), smtp_line.address(job.company.mail.smtp)
    return [path for path in letters(job, manifest, kind)[0] if (one := known.get(delivery.local(path))) is None or one.again(path, url)]


def _too_late(job: Job, manifest: dict[str, Any], kind: str) -> Delivery:
    """After its last day nobody gets a report any more; who never got it is said, once."""
    from sopnb import delivery

    known = delivery.standings(book(job), job.name, kind)
    without = [path for path in letters(job, manifest, kind)[0] if (one := known.get(delivery.local(path))) is None or one.state not in ("sent", "arrived")]
    mark, digest = _mark(job, kind).with_name(_mark(job, kind).name + "-late"), steps.digest([path.name for path in without])
    if not without or (mark.is_file() and mark.read_text(encoding="utf-8") == digest):
        return Delivery()
    mark.write_text(digest, encoding="utf-8")
    readers, over = ", ".join(delivery.reader(path) for path in without), said(last_day(job.company, job.name, kind))
    return Delivery([f"Not sent: the {kind} of {job.name} is of use until {over}, the day of {'its' if kind == PACK else 'the next'} meeting, and that is over. "
                     f"Without this edition for sure: {readers}. This is said once."], True)


def owner_hears(job: Job, kind: str, told: list[str]) -> str:
    """Tell the owner what became of mails that did not reach everybody; returns the line that says so."""
    from sopnb import alarm

    text = "\n".join([f"The {kind} of {job.company.name}, cycle {job.name}, did not reach everybody.", "", *(f"- {line}" for line in told), ""])
    return alarm.tell(job, subject=f"S&OP {job.name}, {job.company.name}: a mail did not leave", text=text, people=anyone(job))


def all_have_it(job: Job, manifest: dict[str, Any], kind: str) -> bool:
    """Once everybody has this edition there is nothing to ask the ledger: opening it takes longer than all the rest."""
    mark = _mark(job, kind)
    return job.build == Path() and mark.is_file() and mark.read_text(encoding="utf-8") == _digest(job, manifest, kind)


def _mark(job: Job, kind: str) -> Path:
    return job.where.runs / (f"{job.name}.mailed" if kind == PACK else f"{job.name}.mailed-{kind}")


def _digest(job: Job, manifest: dict[str, Any], kind: str) -> str:
    return steps.digest(manifest[MARKS[kind]], [path.name for path in sorted((job.target / FOLDERS[kind]).glob("*.eml"))])


# --- small ----------------------------------------------------------------------------------------------------------

def book(job: Job) -> Any:
    from sopnb import ledger

    return ledger.open(job.company.ledger.url, job.where.reports)


def people(folder: Path) -> pd.DataFrame | None:
    """Who takes part, as a published set knows them; None where the company names nobody."""
    from sopnb import cycle

    path = folder / "tables" / "people.parquet"
    return cycle.load_table(path, "people") if path.is_file() else None


def anyone(job: Job) -> pd.DataFrame | None:
    """The people of this cycle, or of the latest cycle that was published."""
    names = [job.name, *reversed(job.where.cycles())]
    return next((found for name in names if (found := people(job.where.published(name))) is not None), None)


def _cycle_day(job: Job) -> dt.date:
    """The day of a claim: the cycle's own, whatever the params file says of today, so that two claims are one event."""
    return dt.date(int(job.name[:4]), int(job.name[5:]), 1)


def _params(job: Job) -> str:
    return f"{job.where.params_file.parent.name}/{job.where.params_file.name}"


def _shown(job: Job) -> str:
    """reports/demo/2026-10"""
    return "/".join(job.target.parts[-3:])


def said(day: dt.date) -> str:
    """8 March 2026"""
    return f"{day.day} {day:%B %Y}"


def _counted(n: int) -> str:
    return "1 mail" if n == 1 else f"{n} mails"
