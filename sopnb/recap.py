"""After the meeting, for the runner: its minutes are read, brought to the ledger, and told to everybody once.

    read     the minutes, checked against the cycle's people, questions, measures and the ledger's actions
    record   their events, in one transaction; minutes corrected since replace what they said before
    mails    one for everybody who gets the recap, as files in mail/recap/: their own actions first
    form     the form to fill in, as a file where `meeting.file` says

A run that fails after `record` can be repeated: the ledger takes an event once, 06 runs again, and what was sent is not sent
again. Minutes with problems change nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopnb import minutes_place, params, project, reuse, steps
from sopnb.problems import Problem, Problems

if TYPE_CHECKING:
    import pandas as pd

    from sopnb.job import Job
    from sopnb.minutes import Minutes

MARK = "recap"  # of the edition in the set's manifest
FOLDER = "mail/recap"
FORM_TABLES = ("agenda", "asked", "choices", "assumptions", "people")


# --- the minutes ----------------------------------------------------------------------------------------------------

def read(job: Job) -> Minutes | None:
    """The cycle's minutes; None where no meeting was held.

    raises   Problems, all in one list
    """
    path = reuse.minutes_path(job)
    if path is None:
        return None
    from sopnb import kpis, meeting, minutes_recap

    tables = _tables(job.target, ("asked", "assumptions", "people"))
    known = minutes_recap.known(tables.get("people"), _book(job.where, job.company).everything(), asked=tables.get("asked"), assumptions=tables.get("assumptions"),
                                measures=kpis.BOOK, rights=job.company.meeting.entitled, stand_for=job.company.meeting.stand_for)
    return meeting.held(path, cycle=job.name, known=known)


def record(job: Job, minutes: Minutes) -> int:
    """Bring the meeting's events into the ledger; returns how many were new."""
    from sopnb import meeting

    return meeting.record(_book(job.where, job.company), minutes, _tables(job.target, ("people",)).get("people"))


def waiting(job: Job) -> list[str]:
    """What to tell where the recap was made and no meeting was held; nothing where it was."""
    given, path = job.company.meeting.file, reuse.minutes_path(job)
    command = f"sopnb recap {_params(job.where)} --cycle {job.name}"
    if not given:
        return [f"No minutes: the params file names no place for them. Add `meeting: file: data/{job.where.company}/{{cycle}}/minutes.yaml`; then `{command} --form` writes the form."]
    if path is None:
        return [f"No minutes yet at {job.where.resolve(given, job.name, job.company.folders)}. `{command} --form` writes the form there, `--workbook` as a workbook."]
    from sopnb import minutes, minutes_files

    return [f"The form {path} is not filled in: held_on, the day of the meeting, is empty."] if minutes.untouched(minutes_files.read(path)) else []


# --- the mails ------------------------------------------------------------------------------------------------------

def mails(job: Job, build: Path, manifest: dict[str, Any]) -> list[Path]:
    """The recap's mails as files in mail/recap/, and the edition noted in the manifest; none where no meeting was held."""
    tables = _tables(build, ("held", "attendance", "absences", "decisions", "minutes", "actions_after", "recap_findings", "recap_changes", "assumptions_said", "people", "asked", "choices", "findings"))
    if "held" not in tables:
        return []
    from sopnb import delivery, mail, pack, recap_facts, report, words

    company = job.company
    with words.speaking(company.language, company.currency):
        facts = recap_facts.facts(tables, header=report.heading(pack.heading(company, job.name, tables, manifest)))
    if facts is None:
        return []
    people = tables.get("people")
    owner = pack.owner_address(company, people)
    readers, _ = mail.readers(people, MARK, also=owners(tables))
    letters = [mail.recap(facts, to=one["to"], name=one["name"], person=one["person"], sender=company.mail.sender or owner or pack.NOBODY, owner=owner,
                          reports_url=company.mail.reports_url) for one in readers]
    entry = manifest["steps"][project.STEPS[-1]]
    manifest[MARK] = {"content": steps.digest({p: d for p, d in entry["outputs"].items() if p.startswith("tables/")}), "revision": facts["revision"]}
    return delivery.outbox(build / FOLDER, letters) if letters else []


def owners(tables: dict[str, pd.DataFrame]) -> set[str]:
    """Who has a new action from this meeting, and so gets its recap whatever `people.gets` says.

    tables   held, actions_after
    """
    held, actions = tables.get("held"), tables.get("actions_after")
    if held is None or actions is None or held.empty:
        return set()
    return set(actions.loc[(actions["made_on"] >= held["held_on"].iloc[0]) & actions["state"].isin(["open", "started"]), "owner"].dropna())


def owners_of(folder: Path) -> set[str]:
    """The same of a published set."""
    return owners(_tables(folder, ("held", "actions_after")))


# --- the form -------------------------------------------------------------------------------------------------------

def form(where: project.Places, company: params.Company, name: str, *, workbook: bool = False) -> Path:
    """Write the form of a cycle's minutes where `meeting.file` says, filled in as far as it is known before the meeting.

    workbook   as a workbook beside that place, with drop-downs; else as YAML
    returns    the file
    raises     Problems where no place is named, the cycle was not run, or minutes are there already: nothing is overwritten
    """
    from sopnb import minutes_form, words

    if not company.meeting.file:
        raise Problems([Problem("meeting.file", "is missing, so there is no place for the minutes", f"a path, as data/{where.company}/{{cycle}}/minutes.yaml",
                                "Add it to the params file")])
    published = where.published(name)
    if "05_meeting" not in reuse.manifest(published)["steps"]:
        raise Problems([Problem(f"{where.company} {name}", "05_meeting has not been run, so there is no agenda to fill in", remedy=f"Run `sopnb run {_params(where)} --cycle {name}` first")])
    words.speak(company.language, company.currency)
    data, people = prefilled(where, company, name)
    place = where.resolve(company.meeting.file, name, company.folders)
    if not workbook:
        path = place if place.suffix.lower() in minutes_place.TEXTS else place.with_suffix(".yaml")
        return minutes_form.save(path, minutes_form.text(data))
    path = place if place.suffix.lower() in (".xlsx", ".xlsm") else place.with_suffix(".xlsx")
    minutes_form.refuse_over(path)
    return _workbook(path, data, company, name, published, people)


def prefilled(where: project.Places, company: params.Company, name: str) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """What the form says before the meeting, and the people; actions as the ledger has them on the day planned."""
    import pandas as pd

    from sopnb import minutes_form

    tables = _tables(where.published(name), FORM_TABLES)
    day = pd.Timestamp(company.meeting_day(name))
    actions = _book(where, company).actions(day, exclude_origin=f"minutes:{name}")
    data = minutes_form.prefilled(tables.get("agenda"), tables.get("asked"), tables.get("people"), cycle=name, meeting_day=day, chair=company.meeting.chair, actions=actions,
                                  choices=tables.get("choices"), assumptions=tables.get("assumptions"))
    return data, tables.get("people")


def _workbook(path: Path, data: dict[str, Any], company: params.Company, name: str, published: Path, people: pd.DataFrame | None) -> Path:
    from sopnb import kpis, minutes_book, words

    choices = _tables(published, ("choices",)).get("choices")
    title = words.message("minutes.form.title.company", {"company": company.name, "cycle": name}).text
    return minutes_book.write(path, data, title=title, people=[] if people is None else people["person"].tolist(), measures=sorted(kpis.BOOK), rights=sorted(company.meeting.entitled),
                              options=[] if choices is None else sorted(choices["option"].unique()))


# --- small ----------------------------------------------------------------------------------------------------------

def _tables(folder: Path, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Those of the tables that a set has."""
    from sopnb import cycle

    return {name: cycle.load_table(path, name) for name in names if (path := folder / "tables" / f"{name}.parquet").is_file()}


def _book(where: project.Places, company: params.Company) -> Any:
    from sopnb import ledger

    return ledger.open(company.ledger.url, where.reports)


def _params(where: project.Places) -> str:
    return f"{where.params_file.parent.name}/{where.params_file.name}"
