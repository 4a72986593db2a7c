"""The whole cycle in another language: every word a reader sees comes from the catalogue, from the company, or from the calendar.

`nameless` stands for a language in which every string of the house is a sign: what can still be read then was never looked
up, or is the company's own.
"""

from __future__ import annotations

import html.parser
import re
import shutil
import string
from pathlib import Path

import pandas as pd
import pytest
import yaml
from babel.dates import get_month_names
from test_companies import CYCLE, PROJECT, Company, company, orders

from sopnb import cycle, demo, front, pack, params, report, reuse, run, translations, words

__all__ = ["company"]  # the fixture

MONTHS = {name for width in ("wide", "abbreviated") for name in get_month_names(width, locale="id").values()}
DAYS = {"Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"}
OURS = {"Rp", "IDR", "juta", "miliar", "triliun", "ribu", "ya", "tidak", "sopnb",
        "quantity", "amount", "location"}  # columns are named as the params file has them
ENGLISH = re.compile(r"\b(the|of|and|is|are|by|with|than|their|each|what|this|that|which|was|were|all|month|months|units|order|orders|demand|done|open)\b", re.IGNORECASE)
SMALL = {"name": "Kecil", "currency": "IDR"}
ITEMS = "item,name,family,unit_cost\nA,Apel,Buah,6000\nB,Buncis,Sayur,9000\nC,Ceri,Buah,12000\n"


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extracts")
    demo.generate(folder, cycles=[CYCLE], items=12)
    return folder


def hand_over(company: Company, extracts: Path, language: str) -> None:
    """The demo company, twelve items of it."""
    given = yaml.safe_load((PROJECT / "params" / "demo.yaml").read_text(encoding="utf-8"))
    given["folders"]["extracts"] = f"{extracts}/{{cycle}}"
    company.hand_over(settings={**given, "language": language})


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch):
    """A language whose every string is §, with the places for values."""
    def sign(text: str) -> str:
        parts = []
        for literal, name, spec, _ in string.Formatter().parse(text):
            parts += ["".join(piece if piece in ("**", "`") else "§" for piece in re.split(r"(\*\*|`)", literal) if piece)]
            parts += [] if name is None else [f"{{{name}:{spec}}}" if spec else f"{{{name}}}"]
        return "".join(parts)

    known = translations.read("id")
    monkeypatch.setattr(translations, "read", lambda language: {source: sign(source) for source in known})


class Seen(html.parser.HTMLParser):
    """What a reader sees or hears of a page: its text, and alternative texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script", "pre")
        self.texts += [value for name, value in attrs if name in ("alt", "aria-label", "title") and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script", "pre")

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.texts.append(" ".join(data.split()))


def read(page: str) -> list[str]:
    seen = Seen()
    seen.feed(page)
    return seen.texts


def own(company: Company) -> re.Pattern[str]:
    """What the company itself wrote: texts of its tables and of its params file that hold a capital, a digit or a space."""
    found: set[str] = set()
    for path in (company.root / "reports" / "tiny" / CYCLE / "tables").glob("*.parquet"):
        table = pd.read_parquet(path).select_dtypes("object")
        for name in table.columns:
            found |= {value for value in table[name].dropna().unique() if isinstance(value, str) and not value.startswith("{")}
    found |= {re.sub(r"\s*\b\d{4}$", "", text) for text in found}  # Lebaran 2027 stands as Lebaran on a figure
    lines = (company.root / "params" / "tiny.yaml").read_text(encoding="utf-8")
    found |= set(_texts(yaml.safe_load(lines)))
    tables = company.root / "reports" / "tiny" / CYCLE / "tables"
    heard = {text for table, column in (("intelligence", "source"), ("opportunities", "stage"))  # who told it, and the stages of the company's own CRM, as written
             for text in pd.read_parquet(tables / f"{table}.parquet")[column].dropna()}
    kept = sorted((text for text in found if text in heard or (len(text) > 1 and re.search(r"[A-Z0-9 @]", text))), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kept)))


def _texts(node: object) -> list[str]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return [node] if isinstance(node, str) else [text for one in inner for text in _texts(one)]


def foreign(text: str, theirs: re.Pattern[str]) -> list[str]:
    """Words of a text that are neither the company's, nor a date's, nor a number's."""
    plain = re.sub(r"\S*[\d@/_]\S*|\S+\.(csv|xlsx|parquet|yaml)\b", " ", theirs.sub(" ", text))
    return [word for word in re.findall(r"[A-Za-zÀ-ž]{2,}", plain) if word not in OURS | MONTHS | DAYS]


def made(company: Company) -> Path:
    """The folder with the report, the one-page, the workbook and the mails of the last run."""
    where = cycle.places("params/tiny.yaml")
    build = company.root / "build"
    shutil.copytree(where.published(CYCLE), build)
    pack.make(where, params.load(where.params_file), CYCLE, build, reuse.manifest(build), revision=1)
    return build


def texts(company: Company) -> list[str]:
    """All that is read in the steps of the last run, the report and the one-page."""
    build = made(company)
    return [text for page in [*(one.html for one in company.shown), *((build / name).read_text(encoding="utf-8") for name in ("index.html", "one-page.html"))] for text in read(page)]


@pytest.mark.slow
def test_every_word_of_ours_is_looked_up(company, extracts, nameless):
    """The demo company, twelve items of it, through all six steps: nothing is left to read but its own words."""
    hand_over(company, extracts, "id")
    assert company.run_all().code == run.OK
    theirs = own(company)
    assert {(one.step, one.cell, text[:80]): left for one in company.shown for text in read(one.html) if (left := foreign(text, theirs))} == {}
    build = company.root / "build"
    where = cycle.places("params/tiny.yaml")
    shutil.copytree(where.published(CYCLE), build)
    told = params.load(where.params_file)
    tables = {path.stem: cycle.load_table(path, path.stem) for path in sorted((build / "tables").glob("*.parquet"))}
    words.speak(told.language, told.currency)
    facts = front.facts(tables, {name: pack._past(where, CYCLE, name) for name in pack.MEMORY}, header=pack.heading(told, CYCLE, tables, reuse.manifest(build)),
                        links=pack.links(list(cycle.STEPS)), assumptions=[one.model_dump(mode="json") for one in told.assumptions], locations=told.locations)
    for page in (front.render(facts), report.one_page(facts, build / report.ONE_PAGE).read_text(encoding="utf-8")):
        assert {text[:80]: left for text in read(page) if (left := foreign(text, theirs))} == {}


def test_what_was_never_looked_up_is_seen(nameless):
    """The detector itself: a heading written past the catalogue, an alternative text, and a company's own words."""
    theirs = re.compile("Orange Syrup")
    assert [foreign(text, theirs) for text in read('<th>Late</th><td title="due soon">Orange Syrup</td><p>§ 12 Oktober 2026 Rp 1,2 miliar orders.csv</p>')] == [["Late"], ["due", "soon"], [], []]


def test_the_smallest_company_reads_and_computes_the_same_in_both_languages(company):
    """Three items: the tables are the same bytes, and the Indonesian pages hold Indonesian, with its numbers, money and months."""
    tables = {}
    for language in ("en", "id"):
        company.hand_over(orders=orders(31).replace(",10\n", ",90000\n"), items=ITEMS, settings={**SMALL, "language": language})
        shutil.rmtree(company.root / "reports", ignore_errors=True)
        missed = translations.missed()
        assert company.run_all().code == run.OK
        tables[language] = {path.name: path.read_bytes() for path in sorted((company.root / "reports" / "tiny" / CYCLE / "tables").glob("*.parquet"))}
    assert tables["en"] == tables["id"] and "plan.parquet" in tables["id"]
    said = texts(company)
    assert {text for text in translations.missed() - missed if foreign(text, re.compile("Apel|Buncis|Ceri|Buah|Sayur"))} == set(), "headings may be months and names, but no words of ours"
    whole = " ".join(said)
    assert re.search(r"Rp \d+,\d juta", whole) and "Oktober 2026" in whole and "prakiraan" in whole.lower() and re.search(r"\d\.\d{3}\b", whole)
    assert not re.search(r"\b(October|August|May|December|bn)\b", whole)
    left = [text for text in said if len(ENGLISH.findall(text)) > 1]
    assert left == []
