"""What the commands on the ledger share: the book, the day it is, the people, and how an answer is given to a script."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sopnb.problems import Problem, Problems, nearest
from sopnb.terminal import company_of, out

if TYPE_CHECKING:
    import pandas as pd

    from sopnb.ledger import Ledger

Today = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day it is; without it today, or the day the params file stands still at.")]
Note = Annotated[str, typer.Option("--note", help="Kept with what is said.")]
Who = Annotated[str, typer.Option("--who", help="Who says so; without it the user's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="For a script: JSON, days as YYYY-MM-DD.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="For a script or a spreadsheet: CSV with a heading; an apostrophe stands before a text that would be a formula.")]
WIDE = 200  # characters of a table where there is no terminal whose width could be kept


@dataclass(frozen=True)
class Desk:
    """A company's ledger as a command finds it.

    book     the ledger
    day      today
    names    person: name, of everybody known
    where, company   its files and parameters
    """

    book: Ledger
    day: dt.date
    names: Mapping[str, str]
    where: Any
    company: Any

    @property
    def actions(self) -> pd.DataFrame:
        return self.book.actions(self.day)

    def name(self, person: object) -> str:
        return "–" if person is None or person != person else self.names.get(str(person), str(person))

    def person(self, given: str, option: str = "--owner", *, new: bool = True) -> str:
        """The person a word means: a code or a full name, of people or of who has owned an action.

        new      whether it may be somebody nobody knows yet, where the company names no people
        raises   Problems naming the nearest one known
        """
        known = {**{owner: owner for owner in self.actions["owner"].dropna()}, **self.names}
        same = [code for code, name in known.items() if given.casefold() in (str(code).casefold(), str(name).casefold())]
        if same or not known or (new and not self.names):
            return same[0] if same else given
        codes = {**{code: code for code in known}, **{name: code for code, name in known.items()}}
        raise Problems([Problem(option, f"nobody is called {given}", ", ".join(sorted(known)), nearest(given, codes) or "Add the person to the source people, or correct the name")])


def desk(params_file: str, as_of: str = "") -> Desk:
    """A company's ledger, and the day it is: as given, as the params file has it, else today.

    A company that stands still (`latest_cycle`, the demo) is looked at from the day its latest cycle begins, or from
    the last day its ledger knows of: what a meeting of that cycle agreed is there to be reported on.
    """
    from sopnb import between, ledger

    where, company = company_of(params_file)
    book = ledger.open(company.ledger.url, where.reports)
    given = day_of(as_of, "--as-of") if as_of else company.as_of
    if given is None and company.latest_cycle:
        given = between.known_until(book, dt.date.fromisoformat(f"{company.latest_cycle}-01"))
    people = between.people(where)
    names = {} if people is None else {code: name or code for code, name in zip(people["person"], people["name"], strict=True)}
    return Desk(book, given or dt.date.today(), names, where, company)


def day_of(given: str, option: str) -> dt.date:
    """raises   Problems"""
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise Problems([Problem(option, f"{given!r} is not a day", "YYYY-MM-DD, as 2026-10-31")]) from None


def user() -> str:
    from sopnb.ledger import _user

    return _user()


def one_of(rows: pd.DataFrame, key: str, given: str, what: str, day: dt.date) -> dict[str, Any]:
    """The row with this number.

    raises   Problems naming the nearest
    """
    found = rows[rows[key] == given]
    if found.empty:
        raise Problems([Problem(f"{what}s", f"there is no {what} {given} on {day}", f"a number of `sopnb {what}s list --all`", nearest(given, rows[key]))])
    return {str(name): value for name, value in found.iloc[0].items()}


def for_a_script(rows: pd.DataFrame, as_json: bool, as_csv: bool) -> bool:
    """Print rows for a script where one was asked for: days as YYYY-MM-DD, nothing where nothing is known.

    raises   Problems where both are asked for
    """
    import json

    from sopnb import csv_text

    if as_json and as_csv:
        raise Problems([Problem("--json, --csv", "both are given", "one of them")])
    if not (as_json or as_csv):
        return False
    plain = rows.assign(**{name: rows[name].dt.strftime("%Y-%m-%d") for name in rows if str(rows[name].dtype).startswith("datetime")})
    if as_json:
        records = [{str(name): None if value is None or value != value else value for name, value in row.items()} for row in plain.to_dict("records")]
        sys.stdout.write(json.dumps(records, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write(csv_text.text(plain))
    return True


def print_table(table: Any) -> None:
    """A table as wide as the terminal; where there is none, as wide as it is."""
    before = out.width
    out.width = before if out.is_terminal else WIDE
    try:
        out.print(table, soft_wrap=False)
    finally:
        out.width = before


def shown_day(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:%Y-%m-%d}"
