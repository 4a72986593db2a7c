"""The runner: validates everything, then runs the steps, and publishes the whole set or nothing.

A run builds in reports/<company>/.runs/<run>/ and publishing replaces the link reports/<company>/<cycle> at once, so a
reader sees the old set or the new set and never a mixture. A step whose key and outputs are unchanged is not run again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sopnb import __version__, aftermath, params, project, recap, redact, reuse, steps
from sopnb.job import (  # noqa: F401  callers ask the runner for its exit codes
    BAD_INPUT,
    BUSY,
    CYCLE_STEPS,
    DEADLINE,
    FAILURES,
    KERNEL_DIED,
    OK,
    RECAP_STEP,
    RED,
    STEP_FAILED,
    UNEXPECTED,
    UNSENT,
    USAGE,
    Job,
    Outcome,
    Tell,
    silent,
)
from sopnb.journal import Journal
from sopnb.kernels import Kernel, StepFailed, Stopped, run_here, run_notebook
from sopnb.problems import Problem, Problems

# One thread for each numeric library: sums in a fixed order, and two kernels at once do not fight for the cores.
STEADY = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}


class Busy(RuntimeError):
    """Another run holds this company's cycle."""


def run(params_file: str | Path, cycle_month: str = "", *, first: str = "", through: str = "", force: bool = False,
        pages: bool = True, in_kernel: bool = True, settings: dict[str, Any] | None = None, recap: bool = False,
        tell: Tell = silent) -> Outcome:
    """Run a cycle's steps and publish them.

    params_file   params/<company>.yaml
    cycle_month   YYYY-MM; empty: the latest possible
    first         first step to run; earlier ones are taken as published
    through       last step to run
    force         run steps even where nothing changed
    pages         make pages; without them only tables are made (a backfill)
    in_kernel     each step in a fresh kernel; else its code cells in this interpreter
    settings      parameters of the notebooks to override, by name
    recap         the step after the meeting: minutes into the ledger, then 06
    tell          is called with each event and its facts, for progress
    raises        Problems (bad input, all in one list), StepFailed, Busy, aftermath.CannotWrite; the owner hears of all
                  but Busy
    """
    where = project.places(params_file)
    company = params.load(where.params_file)
    redact.know(company.model_dump())
    name = cycle_month or project.latest(where, company)
    _check_month(name)
    wanted = (RECAP_STEP,) if recap else _chosen(first, through)
    job = Job(where, company, name, wanted, settings or {}, pages, in_kernel, force, tell)
    job.journal = Journal(where.runs / "journal.jsonl")
    with aftermath.owner_hears(job), _lock(job):
        return _run_locked(job)


def _check_month(name: str) -> None:
    if not project.MONTH.match(name):
        raise Problems([Problem("--cycle", f"{name!r} is not a month", "YYYY-MM, as 2026-10")])


def _chosen(first: str, through: str) -> tuple[str, ...]:
    """The steps from `first` to `through`; either may be given as 02, demand or 02_demand."""
    start = CYCLE_STEPS.index(step_name(first)) if first else 0
    stop = CYCLE_STEPS.index(step_name(through)) if through else len(CYCLE_STEPS) - 1
    if start > stop:
        raise Problems([Problem("--from, --through", f"{CYCLE_STEPS[start]} comes after {CYCLE_STEPS[stop]}")])
    return CYCLE_STEPS[start:stop + 1]


def step_name(word: str) -> str:
    """A step by its number, its name or both.

    >>> step_name("demand")
    '02_demand'
    """
    for step in CYCLE_STEPS:
        if word in (step, step[:2], step[3:], str(int(step[:2]))):
            return step
    raise Problems([Problem("--from, --through", f"no step is called {word}", ", ".join(CYCLE_STEPS))])


# --- one run at a time ----------------------------------------------------------------------------------------------

@contextlib.contextmanager
def _lock(job: Job) -> Iterator[None]:
    """One run per company and cycle. The operating system frees the lock of a holder that died."""
    from filelock import FileLock, Timeout

    job.where.runs.mkdir(parents=True, exist_ok=True)
    path = job.where.runs / f"{job.name}.lock"
    owner = job.where.runs / f"{job.name}.owner"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = owner.read_text(encoding="utf-8") if owner.is_file() else "unknown"
        raise Busy(f"Another run of {job.where.company} {job.name} is under way ({holder}). Wait for it, or stop that process.") from None
    try:
        owner.write_text(f"process {os.getpid()}, since {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC", encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


# --- the run --------------------------------------------------------------------------------------------------------

def _run_locked(job: Job) -> Outcome:
    problems = _missing_notebooks(job)
    if problems:
        raise Problems(problems)
    bases = reuse.bases(job)
    reusable = reuse.all_reusable(job, bases) if not job.force else None
    if reusable is not None:
        job.tell("nothing_to_do", {"cycle": job.name})
        return _delivered(job, Outcome(OK, job.target, reusable.get("verdict", "green"), skipped=list(job.wanted)), reusable)
    minutes = _validate(job, bases)
    if minutes is not None:
        recap.record(job, minutes)
    run_id = f"{job.name}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}-{os.getpid()}"
    job.build = job.where.runs / run_id
    job.build.mkdir(parents=True)
    job.journal.write("run_started", cycle=job.name, run=run_id, steps=job.wanted, version=__version__, pid=os.getpid(), settings=job.settings)
    from sopnb import between

    try:
        outcome = _build(job, bases)
        _publish(job)
    except BaseException as error:
        with contextlib.suppress(OSError):  # a full disk takes no line either: the fault itself is what must be told
            _journal_failure(job, error)
            _prune(job)
        raise
    if job.pages:
        between.publish(job.where, job.company, job.company.day(job.name), outcome.notes.append)
    outcome = _delivered(job, outcome, reuse.manifest(job.target))
    job.journal.write("run_done", cycle=job.name, run=run_id, code=outcome.code, verdict=outcome.verdict, seconds=outcome.done)
    _prune(job)
    aftermath.all_well(job)
    return outcome


def _journal_failure(job: Job, error: BaseException) -> None:
    if isinstance(error, StepFailed):
        facts: dict[str, Any] = {"step": error.notebook, "cell": error.cell, "error": error.error, "message": error.message, "remedy": error.remedy,
                                 "code": FAILURES[error.kind]}
    else:
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        code = error.code if isinstance(error, Stopped) else 130 if stopped else UNEXPECTED
        facts = {"error": type(error).__name__, "message": "somebody stopped the run" if stopped else str(error), "code": code}
    job.journal.write("run_failed", cycle=job.name, run=job.build.name, **facts)


def _delivered(job: Job, outcome: Outcome, manifest: dict[str, Any]) -> Outcome:
    """The published set's mails, sent where the params file says so and not sent before; the exit code of it all."""
    sent = aftermath.deliver(job, manifest) if job.pages else aftermath.Delivery()
    outcome.notes += (recap.waiting(job) if job.recap else []) + sent.notes
    outcome.code = RED if outcome.verdict == "red" else UNSENT if sent.failed else OK
    return outcome


def _missing_notebooks(job: Job) -> list[Problem]:
    missing = [path for path in job.notebooks.values() if not path.is_file()]
    return [Problem(str(path), "the notebook is missing", remedy="Take it back from version control") for path in missing]


def _validate(job: Job, bases: list[Path]) -> Any:
    """Everything that can be wrong before a kernel starts, in one list.

    returns  the meeting's minutes, for a recap whose meeting was held; else None
    raises   Problems
    """
    problems = steps.check_parameters(job.notebooks, job.settings)
    problems += _earlier_steps(job, bases)
    minutes = None
    if job.recap and not problems:
        try:
            minutes = recap.read(job)
        except Problems as found:
            problems += found.problems
    if CYCLE_STEPS[0] in job.wanted:
        problems += check_sources(job.where, job.company, job.name)
    if job.pages:
        problems += aftermath.check_mail(job.company)
    if problems:
        job.journal.write("run_refused", cycle=job.name, problems=[str(p) for p in problems], code=BAD_INPUT)
        raise Problems(problems)
    return minutes


def _earlier_steps(job: Job, bases: list[Path]) -> list[Problem]:
    """What a run that begins later than 01 stands on: each earlier step must be there, and still give what it gave.

    A recap stands on the pack as the meeting saw it, whatever changed since.
    """
    place, command = f"{job.where.company} {job.name}", f"sopnb run {_shown(job)} --cycle {job.name}"
    walked: dict[str, Any] = {"steps": {}}
    for step in project.STEPS[:project.STEPS.index(job.wanted[0])]:
        found = [entry for base in bases if (entry := reuse.manifest(base)["steps"].get(step))]
        if not found:
            return [Problem(place, f"{step} has not been run", remedy=f"Run `{command}` first")]
        base = None if job.recap else reuse.reusable(job, step, reuse.key(job, step, walked), bases, pages=False)
        if base is None and not job.recap:
            return [Problem(place, f"{step} would not give what it gave: its input, code or parameters changed since, or its tables",
                            remedy=f"Run it too: `{command}`, or --from {step[:2]}")]
        walked["steps"][step] = found[0] if base is None else reuse.manifest(base)["steps"][step]
    return []


def check_sources(where: project.Places, company: params.Company, name: str) -> list[Problem]:
    """Every problem of a cycle's sources, in one list."""
    from sopnb import frames, sources

    return sources.check(project.source_settings(where, company, name), cut_off=frames.month(name))


def _shown(job: Job) -> str:
    return f"{job.where.params_file.parent.name}/{job.where.params_file.name}"


def _build(job: Job, bases: list[Path]) -> Outcome:
    """Run what must run, keep what is unchanged, and finish the set in the build folder."""
    outcome = Outcome(OK, job.target)
    manifest: dict[str, Any] = {"company": job.where.company, "cycle": job.name, "version": __version__, "steps": {}}
    environment = {**STEADY, project.TABLES_DIR: str(job.build / "tables"), "SOPNB_PAGES": "1" if job.pages else "0"}
    started, kernel, ready = time.monotonic(), None, None
    todo = reuse.all_steps(job, bases)
    (job.build / "tables").mkdir()
    try:
        for position, step in enumerate(todo):
            key = reuse.key(job, step, manifest)
            base = None if job.force and step in job.wanted else reuse.reusable(job, step, key, bases) or reuse.as_met(job, step, key)
            if base is not None:
                manifest["steps"][step] = reuse.take(job, base, step)
                outcome.skipped.append(step)
                job.tell("step_kept", {"step": step, "position": position + 1, "of": len(todo)})
                continue
            left = job.company.run.run_seconds - (time.monotonic() - started)
            seconds = min(job.company.run.step_seconds, max(left, 1))
            job.journal.write("step_started", cycle=job.name, run=job.build.name, step=step, key=key)
            job.tell("step_started", {"step": step, "position": position + 1, "of": len(todo)})
            begun = time.monotonic()
            if job.in_kernel:
                kernel, ready = ready or Kernel(environment, job.where.root / "notebooks"), None
                # The next kernel imports its libraries while this step works.
                ready = Kernel(environment, job.where.root / "notebooks") if position + 1 < len(todo) else None
            outputs = _run_step(job, step, kernel, environment, seconds)
            if kernel:
                kernel.stop()
            manifest["steps"][step] = {"key": key, "page": steps.page_digest() if job.pages else "", "outputs": outputs}
            reuse.write_manifest(job.build, manifest)
            outcome.done[step] = round(time.monotonic() - begun, 2)
            job.journal.write("step_done", cycle=job.name, run=job.build.name, step=step, seconds=outcome.done[step])
            job.tell("step_done", {"step": step, "seconds": outcome.done[step], "position": position + 1, "of": len(todo)})
    finally:
        for each in (kernel, ready):
            if each is not None:
                each.stop()
    outcome.verdict = _verdict(job)
    manifest["verdict"] = outcome.verdict
    manifest["front"] = reuse.front_key(job, manifest)
    if job.pages:
        job.tell("pages", {})
        _finish(job, manifest)
    reuse.write_manifest(job.build, manifest)
    return outcome


def _run_step(job: Job, step: str, kernel: Kernel | None, environment: dict[str, str], seconds: float) -> dict[str, str]:
    """Run a step; returns its outputs, relative path: digest."""
    tables = job.build / "tables"
    before = steps.folder_digest(tables)
    given = {"params_file": _shown(job), "cycle_month": job.name}
    notebook = job.where.root / "notebooks" / f"{step}.ipynb"
    given.update({k: v for k, v in job.settings.items() if k in steps.parameters(steps.read_notebook(notebook))})
    cwd = job.where.root / "notebooks"
    if kernel is None:
        run_here(notebook, given, environment, cwd=cwd)
    else:
        executed = job.build / "executed" / f"{step}.ipynb"
        executed.parent.mkdir(exist_ok=True)
        try:
            run_notebook(notebook, executed, given, kernel, cwd=cwd, seconds=seconds)
        finally:
            if executed.is_file():
                _strip(executed)
    outputs = {f"tables/{p}": d for p, d in steps.folder_digest(tables).items() if before.get(p) != d}
    if not outputs:
        raise StepFailed(notebook.name, 0, "NoTables", "the step saved no table.", "Its last cell must save them with c.save(…).")
    if kernel is not None:
        outputs[f"executed/{step}.ipynb"] = steps.file_digest(executed)
    return outputs


def _strip(executed: Path) -> None:
    """Take secrets, times and machine words out of an executed notebook: the journal has the times, and the bytes stay the same."""
    notebook = redact.plain(json.loads(executed.read_text(encoding="utf-8")))
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["id"] = "injected"  # papermill draws it at random
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    temporary = executed.with_suffix(".partial")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, executed)


# --- the set --------------------------------------------------------------------------------------------------------

def _verdict(job: Job) -> str:
    """The data verdict of step 01, waivers heard."""
    from sopnb import checks, cycle

    path = job.build / "tables" / "findings.parquet"
    if not path.is_file():
        return "green"
    waivers = [w.model_dump() for w in job.company.quality.waive if w.cycle == job.name]
    return checks.verdict(cycle.load_table(path, "findings"), waivers)


def _finish(job: Job, manifest: dict[str, Any]) -> None:
    """Pages of the steps, the front page, the one-file pack, the workbook and the mails, into the build folder."""
    from sopnb import pack

    revision = None
    if not job.recap and manifest["verdict"] != "red":
        manifest["mail"] = aftermath.edition(job, manifest)
        revision = manifest["mail"]["revision"]
    made = pack.make(job.where, job.company, job.name, job.build, manifest, revision=revision)
    if job.recap:  # the mails that went out with the pack stay as they went
        made += _kept_mails(job, manifest)
    if RECAP_STEP in manifest["steps"]:
        made += recap.mails(job, job.build, manifest)
    manifest["pages"] = {str(p.relative_to(job.build)): steps.file_digest(p) for p in made}


def _kept_mails(job: Job, manifest: dict[str, Any]) -> list[Path]:
    before = reuse.manifest(job.target)
    if "mail" in before:
        manifest["mail"] = before["mail"]
    paths = []
    for path in sorted((job.target / "mail").glob("*.eml")):
        (job.build / "mail").mkdir(exist_ok=True)
        paths.append(Path(shutil.copy2(path, job.build / "mail" / path.name)))
    return paths


def _publish(job: Job) -> None:
    """Make the build the cycle's published set, at once."""
    job.journal.write("publishing", cycle=job.name, run=job.build.name)
    if os.name != "posix":  # no links without privileges: the old set aside, the new one in
        aside = job.where.runs / f"{job.name}-old-{os.getpid()}"
        if job.target.exists():
            os.replace(job.target, aside)
        shutil.copytree(job.build, job.target)
        shutil.rmtree(aside, ignore_errors=True)
        return
    link = job.where.runs / f"{job.name}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(".runs") / job.build.name)
    if job.target.is_dir() and not job.target.is_symlink():  # a copy somebody made: keep it beside
        os.replace(job.target, job.where.runs / f"{job.name}-copy-{os.getpid()}")
    os.replace(link, job.target)


def _prune(job: Job) -> None:
    """Remove this cycle's earlier runs but the published one and the newest other: somebody may still be reading it."""
    keep = {job.build.name, job.target.resolve().name}
    others = sorted(p for p in job.where.runs.glob(f"{job.name}-*T*-*") if p.is_dir() and p.name not in keep)
    for old in others[:-1]:
        shutil.rmtree(old, ignore_errors=True)
