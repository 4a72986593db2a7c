"""What a step depends on in a company's cycle, and whether an earlier set already holds it.

Keys are made in `steps` from code and content; here they take in the company's inputs, its past cycles and its ledger.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from sopnb import minutes_place, project, steps
from sopnb.job import RECAP_STEP, Job

WITH_LEDGER = ("04_kpis", "05_meeting", "06_recap")
WITH_AGENDA = "05_meeting"  # what people change on a cycle's agenda counts, whatever its day
WHAT_IFS = "03_supply"
NO_EVENTS = hashlib.sha256(b"").hexdigest()  # what a ledger without events says, and one that is not there yet


def all_steps(job: Job, bases: list[Path]) -> list[str]:
    """The steps of the set: those wanted, those before them, and later ones already there that must stay true."""
    last = project.STEPS.index(job.wanted[-1])
    later = [s for s in project.STEPS[last + 1:] if job.target.is_dir() and s in manifest(job.target)["steps"]]
    return [*project.STEPS[:last + 1], *later]


def key(job: Job, step: str, manifest: dict[str, Any]) -> str:
    """The digest of all that a step depends on."""
    notebook = steps.read_notebook(job.where.root / "notebooks" / f"{step}.ipynb")
    apart = {"mail", "run", "owner", *(() if step == WHAT_IFS else ("scenarios",))}  # a new what if is shown on one page and kept in no table
    settings = job.company.model_dump(mode="json", exclude=apart)
    upstream = {s: {p: d for p, d in m["outputs"].items() if p.startswith("tables/")} for s, m in manifest["steps"].items()}
    inputs = _inputs_digest(job) if step == project.STEPS[0] else ""
    ledger = _ledger_digest(job, step) if step in WITH_LEDGER else ""
    minutes = _minutes_digest(job) if step == RECAP_STEP else ""
    return steps.digest(steps.code_digest(notebook), settings, job.settings, job.name, upstream, inputs, _past_digest(job), ledger, minutes)


def _inputs_digest(job: Job) -> str:
    """Digest of every input file's bytes, and of what a database answers."""
    settings = project.source_settings(job.where, job.company, job.name)
    files: dict[str, Any] = {}
    for name, source in settings.items():
        given = [source["path"]] if source["path"] else list(source["files"].values())
        files[name] = [steps.file_digest(Path(p)) if Path(p).is_file() else "missing" for p in given]
        if source["url"]:
            from sopnb import sources

            files[name] = [sources.digest({name: source})]
    return steps.digest(files)


def _past_digest(job: Job) -> str:
    """Digest of the published cycles before this one: the memory a step reads."""
    earlier = [c for c in job.where.cycles() if c < job.name]
    return steps.digest({c: {s: {p: d for p, d in m["outputs"].items() if p.startswith("tables/")}
                             for s, m in manifest(job.where.published(c))["steps"].items()} for c in earlier})


def _ledger_path(job: Job) -> Path:
    return job.where.reports / "ledger.sqlite"


def _ledger_digest(job: Job, step: str) -> str:
    """Digest of what the ledger says on the step's day.

    A ledger file with the bytes of last time says what it said then: to open it takes longer than all else that a run
    with nothing to do must find out.
    """
    # The recap looks at the end of its month: the meeting and what was reported after it.
    day = job.company.day(job.name) if step != RECAP_STEP else _month_end(job)
    if job.company.ledger.url is None and not _ledger_path(job).is_file():
        return NO_EVENTS
    noted = job.where.runs / f"{job.name}-{step}.ledger"
    asked = "" if job.company.ledger.url else f"{steps.file_digest(_ledger_path(job))} {day} "
    told = noted.read_text(encoding="utf-8") if asked and noted.is_file() else ""
    if asked and told.startswith(asked):
        return told.removeprefix(asked)
    from sopnb import ledger

    agenda = job.name if step == WITH_AGENDA else None
    said = ledger.open(job.company.ledger.url, job.where.reports).digest(day, agenda=agenda)
    if asked:
        noted.write_text(asked + said, encoding="utf-8")
    return said


def _month_end(job: Job) -> dt.date:
    year, month = int(job.name[:4]), int(job.name[5:])
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def minutes_path(job: Job) -> Path | None:
    """The minutes, where a file is there: the one named, or its twin of another kind.

    raises   Problems where there are two
    """
    given = job.company.meeting.file
    return minutes_place.place(job.where.resolve(given, job.name, job.company.folders)) if given else None


def _minutes_digest(job: Job) -> str:
    path = minutes_path(job)
    return steps.file_digest(path) if path else "not held yet"


def manifest(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"steps": {}}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    temporary = folder / "manifest.partial"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / "manifest.json")


def bases(job: Job) -> list[Path]:
    """Where unchanged steps may be taken from: the published set, then unfinished runs of this cycle, newest first."""
    unfinished = sorted((p for p in job.where.runs.glob(f"{job.name}-*T*-*") if (p / "manifest.json").is_file()), reverse=True)
    return [p for p in [job.target, *unfinished] if p.is_dir()]


def reusable(job: Job, step: str, key: str, bases: list[Path], *, pages: bool = True) -> Path | None:
    """The first base that holds the step with this key, its outputs intact, and an executed notebook where pages are wanted."""
    for base in bases:
        entry = manifest(base)["steps"].get(step)
        if not entry or entry["key"] != key:
            continue
        if pages and job.pages and not entry["page"]:
            continue
        if _intact(base, entry):
            return base
    return None


def _intact(base: Path, entry: dict[str, Any]) -> bool:
    return all((base / p).is_file() and steps.file_digest(base / p) == d for p, d in entry["outputs"].items())


def as_met(job: Job, step: str, key: str) -> Path | None:
    """For a recap: the published set, where a step before it would give something else by now, or was run without a page.

    The pack stays as the meeting saw it; the next `sopnb run` sees what changed.
    """
    entry = manifest(job.target)["steps"].get(step)
    if not job.recap or step == RECAP_STEP or not entry or not _intact(job.target, entry) or (entry["key"] == key and entry["page"]):
        return None
    return job.target


def all_reusable(job: Job, bases: list[Path]) -> dict[str, Any] | None:
    """The published manifest, where every wanted step is unchanged in it and the pages are whole; else None."""
    published = manifest(job.target)
    walked: dict[str, Any] = {"steps": {}}
    for step in all_steps(job, bases):
        if step not in published["steps"]:
            return None
        made = key(job, step, walked)
        met = as_met(job, step, made)
        if met is None and reusable(job, step, made, [job.target]) is None:
            return None
        walked["steps"][step] = entry = published["steps"][step]
        if job.pages and entry["page"] != steps.page_digest() and (entry["page"] or not met):
            return None
    if job.pages and (published.get("front") != front_key(job, published) or not _pages_whole(job.target, published)):
        return None
    return published


def _pages_whole(folder: Path, manifest: dict[str, Any]) -> bool:
    return all((folder / p).is_file() and steps.file_digest(folder / p) == d for p, d in manifest.get("pages", {}).items())


def front_key(job: Job, manifest: dict[str, Any]) -> str:
    """Digest of what the front page, the pack and the mails are made from."""
    mail = (steps.file_digest(steps.PACKAGE / "mail.py"), job.company.mail.model_dump(mode="json", exclude={"send", "smtp", "domains", "remind_days"}), job.company.owner)
    return steps.digest(steps.page_digest(), {s: m["key"] for s, m in manifest["steps"].items()}, manifest.get("verdict", ""), mail)


def take(job: Job, base: Path, step: str) -> dict[str, Any]:
    """Carry a step's outputs over from an earlier set; the same file on disk where the file system can."""
    entry = manifest(base)["steps"][step]
    for relative in entry["outputs"]:
        target = job.build / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(base / relative, target)
        except OSError:
            shutil.copy2(base / relative, target)
    return {**entry, "page": steps.page_digest() if job.pages and entry["page"] else entry["page"]}
