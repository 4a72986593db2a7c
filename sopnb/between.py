"""Between meetings: what the ledger and the published cycles say together, and the page of it that anyone can open.

The page is made at the end of a run and of a recap, and by `sopnb actions page`. It says as of which day, since it lags
behind what people report until it is made again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sopnb import cycle, frames, scored, status_page

if TYPE_CHECKING:
    from sopnb import params
    from sopnb.ledger import Ledger

PAGE = "actions.html"


def measured(where: cycle.Places) -> pd.DataFrame:
    """The measures of all published cycles: frames.KPIS, in the order of the cycles."""
    paths = [where.published(name) / "tables" / "kpis.parquet" for name in where.cycles()]
    parts = [cycle.load_table(path, "kpis") for path in paths if path.is_file()]
    return pd.concat(parts, ignore_index=True) if parts else frames.empty(frames.KPIS)


def judged(where: cycle.Places, company: params.Company, book: Ledger, day: dt.date) -> pd.DataFrame:
    """Decisions whose month of judgement has come, by what is measured and said on a day: frames.SCORED."""
    kpis = measured(where)
    last = min(frames.next_month(pd.Timestamp(day), -1), kpis["month"].max()) if len(kpis) else frames.next_month(pd.Timestamp(day), -1)
    return scored.scored(book.decisions(day), kpis, month=last, hit_share=company.meeting.hit_share)


def people(where: cycle.Places) -> pd.DataFrame | None:
    """Who takes part, as the latest published cycle knows them."""
    paths = (where.published(name) / "tables" / "people.parquet" for name in reversed(where.cycles()))
    return next((cycle.load_table(path, "people") for path in paths if path.is_file()), None)


def known_until(book: Ledger, day: dt.date) -> dt.date:
    """The last day anything is known of: the given one, or that of the newest word in the ledger.

    No clock is read, so that the same ledger gives the same page.
    """
    events = book.events()
    last = events.loc[events["kind"] != "delivery", "day"].max()
    return day if pd.isna(last) else max(day, last.date())


def page(where: cycle.Places, company: params.Company, book: Ledger, day: dt.date) -> Path:
    """Make reports/<company>/actions.html; returns its path."""
    from sopnb import __version__, report

    whole = {name for name in where.cycles() if (where.published(name) / "index.html").is_file()}
    facts = status_page.facts(
        book.actions(day), book.events(day), judged(where, company, book, day), book.decisions(day), day=day, company=company.name, language=company.language,
        currency=company.currency, people=people(where), cycles=sorted(whole), version=__version__, hit_share=company.meeting.hit_share)
    return report.write(status_page.render(facts), where.reports / PAGE)


def publish(where: cycle.Places, company: params.Company, day: dt.date, tell: Callable[[str], Any]) -> None:
    """The page after a run or a recap. Its cycle is published whether or not the ledger can be read now."""
    from sopnb import ledger
    from sopnb.problems import Problems

    try:
        book = ledger.open(company.ledger.url, where.reports)
        page(where, company, book, known_until(book, day))
    except Problems as fault:
        tell(f"The page of actions was not made anew: {fault}")
