"""A cycle's pack: the page of each step, the report, S&OP on a page, all of it as one file, the workbook, and the readers' mails.

Made from what the steps saved, in the build folder, before it is published.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sopnb import __version__, cycle, frames, params, steps, words

MEMORY = ("kpis", "plan")  # tables of earlier cycles that the front page looks back on
MONTHS = 13
INVITATION = "invitation.ics"
NOBODY = "sopnb@sopnb.invalid"  # who a mail that is only a file comes from, where the params file names no sender


def make(where: cycle.Places, company: params.Company, name: str, build: Path, manifest: dict[str, Any], *, revision: int | None = None) -> list[Path]:
    """Make the pages of a run that has finished its steps.

    build     the run's folder: tables/ and executed/
    manifest  its steps and their keys
    revision  how often readers got other figures of this cycle before, and one; None: no mails are written
    returns   the files made
    """
    from sopnb import front, report

    words.speak(company.language, company.currency)
    tables = {path.stem: cycle.load_table(path, path.stem) for path in sorted((build / "tables").glob("*.parquet"))}
    made = []
    done = [step for step in cycle.STEPS if (build / "executed" / f"{step}.ipynb").is_file()]
    book = "" if done == [cycle.STEPS[-1]] else f"{where.company}-{name}.xlsx"  # a recap of a cycle that was only backfilled: nobody works on with its plan
    header = {**heading(company, name, tables, manifest), "workbook": book}
    for step in done:
        made.append(report.page(build / "executed" / f"{step}.ipynb", header=header, links=links(done, step), out=build / f"{step}.html"))
    past = {table: _past(where, name, table) for table in MEMORY}
    rests_on = [a.model_dump(mode="json") for a in company.assumptions]
    facts = front.facts(tables, past, header=header, links=links(done), assumptions=rests_on, window=company.supply.exception_months, locations=company.locations)  # the page's, and the mail's
    made.append(report.one_page(facts, build / report.ONE_PAGE))
    made.append(report.write(front.render(facts), build / "index.html"))
    made.append(report.pack(build, build / "pack.html"))
    workbook = _workbook(tables, company, name, build / book, facts=facts) if book else None
    made += [workbook] if workbook else []
    made.append(_invitation(company, name, tables, header, build / INVITATION, revision, where.published(name) / INVITATION))
    if revision is not None:
        made += mails(company, tables.get("people"), facts, build, revision=revision, workbook=workbook)
    return made


def mails(company: params.Company, people: pd.DataFrame | None, facts: dict[str, Any], build: Path, *, revision: int, workbook: Path | None = None) -> list[Path]:
    """One mail for each reader of the pack, as a file in mail/, with what `mail.attach` asks for; none where nobody is to get it."""
    from sopnb import delivery, mail

    readers, _ = mail.readers(people, "pack")
    if not readers:
        return []
    chosen, owner = company.mail.attached, owner_address(company, people)
    page, calendar = build / "pack.html" if "html" in chosen else None, (build / INVITATION).read_bytes() if "calendar" in chosen else b""
    drawn = mail.pictures(facts)  # once for all readers
    return delivery.outbox(build / "mail", [
        mail.build(facts, to=one["to"], name=one["name"], person=one["person"], sender=company.mail.sender or owner or NOBODY, owner=owner, revision=revision,
                   reports_url=company.mail.reports_url, attachment=page, workbook=workbook if "xlsx" in chosen else None, calendar=calendar, drawn=drawn)
        for one in readers])


def _invitation(company: params.Company, name: str, tables: dict[str, pd.DataFrame], header: dict[str, Any], out: Path, revision: int | None, before: Path) -> Path:
    """The invitation to the meeting as a calendar file, agenda within; as it went out before where no mails are written (a recap, a red verdict)."""
    from sopnb import invitation

    if revision is None and before.is_file():
        out.write_bytes(before.read_bytes())
        return out
    people = tables.get("people")
    with words.speaking(company.language, company.currency):
        out.write_bytes(invitation.of(company.meeting, company=company.name, cycle=name, agenda=tables.get("agenda"), people=people,
                                      organizer=owner_address(company, people) or company.mail.sender, url=company.mail.reports_url, revision=revision or 1,
                                      made=header["as_of"]))
    return out


def owner_address(company: params.Company, people: pd.DataFrame | None) -> str:
    """The owner's mail address: as given, or as `people` has it for that person; '' where neither tells one that can be used."""
    from sopnb import letters

    if "@" in company.owner or people is None or not company.owner:
        return company.owner if "@" in company.owner else ""
    found = people.loc[(people["person"] == company.owner) | (people["name"] == company.owner), "email"].dropna()
    return next((address for address in map(str, found) if letters.usable(address)), "")


def heading(company: params.Company, name: str, tables: dict[str, pd.DataFrame], manifest: dict[str, Any]) -> dict[str, Any]:
    """What stands at the top of every page, as plain values."""
    month = frames.month(name)
    findings = tables.get("findings", frames.empty(frames.FINDINGS))
    inputs = steps.digest({step: entry["key"] for step, entry in sorted(manifest["steps"].items())})
    return {
        "company": company.name, "cycle": name, "origin": frames.next_month(month, -1), "verdict": manifest.get("verdict", "green"),
        "findings": int(findings["severity"].isin(["amber", "red"]).sum()), "version": __version__, "run": inputs[:8],
        "draft": False, "language": company.language, "currency": company.currency,
        "as_of": pd.Timestamp(company.day(name)), "meeting": pd.Timestamp(company.meeting_day(name)),
    }


def links(done: list[str], current: str = "") -> list[dict[str, Any]]:
    """The steps' pages in order; a step that has not run has no address."""
    return [{"title": words.label(f"{step[:2]} {step[3:].capitalize() if step != '04_kpis' else 'KPIs'}"), "step": step,
             "href": f"{step}.html" if step in done else "", "current": step == current} for step in cycle.STEPS]


def _past(where: cycle.Places, name: str, table: str) -> pd.DataFrame:
    company = cycle.Cycle(where, params.load(where.params_file), name)
    return company.past(table, MONTHS)


def _workbook(tables: dict[str, pd.DataFrame], company: params.Company, name: str, out: Path, *, facts: dict[str, Any] | None = None) -> Path:
    """One workbook for further work: typed cells, names beside codes, a front sheet that explains, in the company's language."""
    from sopnb import kpis, workbook, workbook_sheets

    measures = {one: about["unit"] for one, about in kpis.described().items()}
    with words.speaking(company.language, company.currency):
        known = workbook_sheets.names(tables, locations=company.locations, measures=measures, currency=company.currency)
        return workbook.workbook(out, workbook_sheets.sheets(tables, known), front=workbook_sheets.front(company.name, name, facts), language=company.language)
