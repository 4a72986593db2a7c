"""S&OP on a page: one sheet, whatever the month brings; nothing on it that the report does not say, no total that is none."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import chromium
import front_data as small
import pytest
from front_data import BN
from hypothesis import given
from hypothesis import strategies as st
from judges import npm
from test_report import harmless

from sopnb import frames, front, front_review, onepage, onepage_fit, report, words
from sopnb.front_ground import Ground

PROJECT = Path(__file__).parent.parent
LONG = "Assorted Butter Biscuit Gift Tin with Chocolate and Cashew, 650 g, Export Edition for the Year-End Season"
EVIL = '<img src=x onerror="document.title=\'ran\'"><script>document.title="ran"</script>'
SCREEN, PAPER = (1440, 900), (1062, 733)  # A4 landscape within margins of 8 mm: 281 × 194 mm at 96 px an inch


def usual(language: str = "en", currency: str = "IDR", tables: dict | None = None, past: dict | None = None, **header) -> dict:
    assumptions = [{"text": "List prices rise 2.5% in January", "if_not": "one month later", "amount": -2.6 * BN}, {"text": "Lebaran is on 10 March 2027", "amount": .4 * BN}]
    return front.facts(small.tables() if tables is None else tables, small.past() if past is None else past, links=small.LINKS, book=small.BOOK, assumptions=assumptions,
                       header={**small.HEADER, "language": language, "currency": currency, **header})


def bare() -> dict:
    """A company's first month with orders alone: no people, no budget, no KPI, no exception, no decision, no assumption."""
    tables = {"items": small.ITEMS, "freshness": small.tables()["freshness"]}
    return front.facts(tables, {}, links=[], book=small.BOOK, header={**small.HEADER, "verdict": "green", "findings": 0, "meeting": None})


def huge(language: str = "en", currency: str = "IDR", name: str = LONG, seed: int = 0) -> dict:
    """More of everything than a sheet can hold; the seed changes how much more, and how long the words are."""
    rng = random.Random(seed)

    def some(least: int, most: int) -> int:
        return most if not seed else rng.randint(least, most)

    def words_of(text: str) -> str:
        return text if not seed else " ".join(rng.choices(f"{text} of kg 12.5 (Jakarta) Surabaya; x Unterbrechungsfreiestromversorgung".split(), k=rng.randint(1, 30)))

    page = usual(language, currency, tables=_many(name, rng, some), verdict="amber", findings=50)
    cards = page["scorecard"]["cards"]
    page["scorecard"]["cards"] = [card | {"name": words_of(f"{card['name']} of all channels")} for card in (cards * 3)[:some(1, 13)]]
    first = page["decisions"]["cards"][0]
    page["decisions"]["cards"] = [first | {"id": f"d{n}", "number": n, "question": words.plain(words_of(f"{name}: how do we cover what it lacks until March 2027, and who pays for it?")),
                                           "why": words.plain("Take A: " + words_of(name) + ". Why: " + words_of("it is the cheapest way that keeps all customers") + "."),
                                           "decides": words_of("Raden Mas Hendra Gunawan Wicaksana"), "amount": 1e9 * n + 1} for n in range(1, some(1, 14) + 1)]
    page["decisions"]["amount"] = sum(card["amount"] - card["twice"] for card in page["decisions"]["cards"])
    page["headline"] = words.plain(words_of(f"{name} is short from January to March 2027: Rp 12.3 bn of sales needs a decision by 12 October. ") * 2)
    page["lead"] = page["lead"] * some(1, 3)
    return page


def _many(name: str, rng: random.Random, some) -> dict:
    tables = small.tables()
    tables["items"] = tables["items"].assign(name=[f"{name} {i}" for i in range(3)])
    tables["exceptions"] = small.make(frames.EXCEPTIONS, *({"id": f"E{n:03d}", "kind": rng.choice(["short", "excess", "late", "obsolete"]), "item": "ABC"[n % 3], "location": "Kabupaten Kepulauan",
                                                            "first": "2026-10-01", "last": "2027-03-01", "units": 9e6, "amount": (61 - n) * 1.37e10, "overlap": 1e9 if n == 1 else 0.0}
                                                           for n in range(1, some(1, 60) + 1)))
    tables["actions"] = small.make(frames.ACTIONS, *({"action": f"K{n}", "title": f"{name}: agree price and quantity with {n} co-packers", "owner": "Raden Mas Hendra Gunawan Wicaksana",
                                                      "due": f"2026-{rng.randint(8, 12):02d}-15", "state": "open", "cycle": "2026-08"} for n in range(some(1, 40))))
    tables["findings"] = small.make(frames.FINDINGS, *({"id": f"F{n:03d}", "source": "orders", "rule": "front.headline.question", "values": json.dumps({"question": f"{name} stands twice in {n} files"}),
                                                        "rows": n, "amount": 1e9 * n, "severity": "amber"} for n in range(some(1, 50))))
    tables["assumptions"] = small.make(frames.ASSUMPTIONS, *({"assumption": f"S{n}", "text": f"{name} sells as last year", "if_not": LONG, "amount": -1.1e9 * n, "state": rng.choice(["open", "held", "failed"]),
                                                              "judged_on": "2026-10-03"} for n in range(some(1, 20))))
    parts = ["restated", "actuals", "calendar", "items", "reconciled", "method", "events", "pipeline", "leads", "sales", "override", "price", "new"]
    tables["changes"] = small.make(frames.CHANGES, *({"item": "A", "location": "JKT", "month": small.CYCLE, "part": part, "amount": (i - 5) * BN, "units": 100.0 * i} for i, part in enumerate(parts)))
    for source in ("budget", "people") if not some(0, 1) else ():
        tables.pop(source)
    return tables


MONTHS = {"usual": usual, "bare": bare, "huge": huge, "huge in Indonesian": lambda: huge("id"), "huge in dollars": lambda: huge("en", "USD"), "hostile": lambda: huge(name=EVIL),
          **{f"seed {seed}": (lambda seed=seed: huge("id" if seed % 2 else "en", seed=seed)) for seed in range(1, 9)}}


@pytest.fixture(scope="module")
def sheets(tmp_path_factory) -> dict[str, Path]:
    """Every month as a page on disk."""
    folder, out = tmp_path_factory.mktemp("sheets"), {}
    for name, month in MONTHS.items():
        with words.speaking("en", "IDR"):
            out[name] = report.one_page(month(), folder / f"{name}.html")
    return out


@pytest.fixture
def rupiah():
    with words.speaking("en", "IDR"):
        yield


def block(page: dict, kind: str) -> dict:
    return next(one for column in onepage.sheet(page)["columns"] for one in column if one["kind"] == kind)


# --- what it says ---------------------------------------------------------------------------------------------------

def test_the_sheet_says_what_the_report_says(rupiah):
    """The same headline, findings and money: the sheet computes nothing of its own."""
    page = usual()
    sheet, before = onepage.sheet(page), repr(page)
    shown = {one["kind"]: one for column in sheet["columns"] for one in column}
    assert sheet["hero"]["headline"]["text"].replace("\u00a0", " ") == page["headline"].text
    for kind, fact in (("decisions", "decisions"), ("exceptions", "exceptions"), ("scorecard", "scorecard"), ("changes", "changes"), ("actions", "actions")):
        assert shown[kind]["finding"]["text"].replace("\u00a0", " ") == page[fact]["finding"].text
    assert shown["exceptions"]["total"] == page["exceptions"]["total_text"] == "16.8"
    assert [row["text"] for row in shown["changes"]["rows"]] == ["528.0", "−6.0", "+10.0", "+8.0", "540.0", "552.0"]
    assert repr(page) == before, "the facts stay as they are"


def test_the_sheet_has_every_part_that_a_meeting_needs(rupiah):
    for page in (usual(), bare(), huge()):
        kinds = [one["kind"] for column in onepage.sheet(page)["columns"] for one in column]
        assert [kind for kind in kinds if kind not in ("families", "limits")] == ["decisions", "exceptions", "scorecard", "changes", "actions", "assumptions", "data"]


def test_what_is_absent_is_said(rupiah):
    text = re.sub(r"<[^>]+>", " ", onepage.render(bare()))
    for said in ("No decision is asked for", "stock and load were not projected", "No measure could be taken", "no plan to compare", "No action is open", "No assumption is on record", "Data accepted"):
        assert said in text


def test_a_decision_stands_with_recommendation_date_decider_and_money(rupiah):
    first = block(usual(), "decisions")["rows"][0]
    assert first["answer"]["text"].startswith("Take A: add hours") and first["by"] == "by 12 Oct"
    assert first["decides"]["text"] == "Budi Hartono" and first["amount"] == "Rp 12.3 bn"


def test_rows_and_the_rest_add_up_to_the_total(rupiah):
    """Whatever is left out, the exceptions listed + all other − what is in two of them = the total."""
    page = huge()
    shown, found = block(page, "exceptions"), page["exceptions"]
    number = {"short": 1.0}
    listed = sum(row["amount"] for row in found["rows"][:len(shown["rows"])])
    number["other"] = float(shown["left"]["text"].replace(",", "")) * found["scale"].divisor
    assert len(shown["rows"]) <= 10 and shown["left"]["label"].text == f"All other ({found['count'] - len(shown['rows'])})"
    assert listed + number["other"] - 1e9 == pytest.approx(found["total"], rel=1e-3)


def test_what_does_not_fit_is_told_with_its_money(rupiah):
    page = huge()
    decisions, assumptions, actions = (block(page, kind) for kind in ("decisions", "assumptions", "actions"))
    n = 14 - len(decisions["rows"])
    rest = sum(1e9 * k + 1 for k in range(len(decisions["rows"]) + 1, 15))
    assert 0 < n < 14 and decisions["left"].text == f"and {n} more, {words.show(rest, 'money')}"
    assert re.fullmatch(r"and \d+ more, Rp [\d.]+ bn", assumptions["left"].text)
    assert len(actions["rows"]) + int(re.match(r"and (\d+) more", actions["left"].text)[1]) == 40
    assert block(page, "scorecard")["left"].text == f"and {13 - len(block(page, 'scorecard')['rows'])} more measures"


def test_the_smallest_parts_of_the_change_become_one_row_and_it_still_adds_up(rupiah):
    rows = [row for row in block(huge(), "changes")["rows"] if row["kind"] == "part"]
    assert 3 <= len(rows) < 14 and rows[-1]["label"].startswith("All other (")
    assert sum(row["amount"] for row in rows) == pytest.approx(12 * BN), "540 planned now, 528 before"


def test_a_failed_assumption_stands_first_and_is_counted(rupiah):
    log = small.make(frames.ASSUMPTIONS, {"assumption": "S1", "text": "Prices rise in January", "amount": -5 * BN, "state": "open"},
                     {"assumption": "S2", "text": "The oven runs in May", "amount": -1 * BN, "state": "failed", "judged_on": "2026-10-03"},
                     {"assumption": "S3", "text": "Nobody cares any more", "amount": -9 * BN, "state": "dropped"})
    shown = block(usual(tables=small.tables() | {"assumptions": log}), "assumptions")
    assert [row["text"]["text"] for row in shown["rows"]] == ["The oven runs in May", "Prices rise in January"]
    assert "Failed, 3 Oct" in shown["rows"][0]["state"] and shown["finding"]["text"] == "1 of 2 assumptions failed"


def test_a_line_of_months_has_its_words(rupiah):
    """The scorecard's trend travels with its numbers: the sheet draws it smaller, with the same words for those who cannot see it."""
    ground = Ground(small.tables(), small.past(), cycle=small.CYCLE, window=6)
    card = front_review.scorecard(ground, chosen=["otif"], book=small.BOOK)["cards"][0]
    drawn = onepage.scorecard(usual()).view["rows"]
    assert "highest 9" in card["trend"]["desc"] and all('role="img" aria-label="' in row["line"] for row in drawn)
    assert any(card["trend"]["desc"] in row["line"] for row in drawn)


def test_names_are_text_and_nothing_runs(sheets):
    page = harmless(sheets["hostile"].read_text(encoding="utf-8"))
    assert "<img src=x" in page.words and "<script>" in page.words, "shown as they are written"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels))
    tables = [tag for tag, _ in page.elements if tag == "table"]
    assert len(tables) == sum(tag == "caption" for tag, _ in page.elements) and all("scope" in attrs for tag, attrs in page.elements if tag == "th")


def test_the_same_facts_give_the_same_bytes(rupiah):
    page = usual()
    assert onepage.render(page) == onepage.render(copy.deepcopy(page))


def test_columns_of_style_sheet_and_reckoning_are_the_same():
    css = (report.TEMPLATES / "onepage.css").read_text(encoding="utf-8")
    held = dict(re.findall(r"--(\w+):([\d.]+)em", css))
    assert {name: float(em) for name, em in held.items()} == {"asked": onepage.ASKED, "month": onepage.MONTH, "basis": onepage.BASIS, "gutter": onepage.GUTTER, "gap": onepage.GAP}


def test_the_pack_begins_with_the_sheet(tmp_path, rupiah):
    page = usual()
    report.one_page(page, tmp_path / report.ONE_PAGE)
    report.write(front.render(page), tmp_path / "index.html")
    whole = report.pack(tmp_path, tmp_path / "pack.html").read_text(encoding="utf-8")
    parsed = harmless(whole)
    assert whole.index('id="one-sheet"') < whole.index('id="whole"') < whole.index('id="h-k"')
    inside = [link[1:] for link in parsed.links() if link.startswith("#")]
    assert "one-top" in inside and set(inside) <= set(parsed.ids()), "the report and the sheet lead to each other"


# --- how much fits --------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300)


@given(TEXT, st.floats(3, 60), st.integers(1, 4), st.booleans())
def test_a_shortened_text_fits_its_lines(text, room, at_most, bold):
    said = onepage_fit.shorten(text, room, at_most=at_most, bold=bold)
    assert onepage_fit.lines(said, room, bold=bold) <= at_most or len(said) <= 2
    assert said == text or said.endswith("…")


@given(st.lists(st.tuples(st.lists(st.floats(1, 6), max_size=20), st.integers(0, 3), st.floats(0.5, 3)), min_size=1, max_size=4), st.floats(40, 80))
def test_a_column_is_never_fuller_than_it_is_high(given_rows, room):
    blocks = [onepage_fit.Block(str(i), 3.0, rows, least=least, rest=1.5, share=share) for i, (rows, least, share) in enumerate(given_rows)]
    least = sum(block.fixed + block.rest + sum(block.rows[:block.least]) for block in blocks) + 3
    kept = onepage_fit.fill(blocks, room, gap=1.0)
    assert len(kept) == len(blocks)
    if least <= room:
        assert sum(block.height for block in kept) + len(kept) - 1 <= room
        assert all(block.kept >= min(block.least, len(block.rows)) for block in kept)


def test_a_line_breaks_where_its_words_do_not_fit():
    """"Rp 12" is 2.667 em wide: twice with a space is 5.612."""
    assert onepage_fit.lines("Rp 12 Rp 12", 5.7) == 1 and onepage_fit.lines("Rp 12 Rp 12", 5.5) == 2
    assert onepage_fit.lines("Rp\u00a012 Rp\u00a012", 5.0) == 2 and onepage_fit.lines("", 5) == 1


# --- in a real browser ----------------------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)
LIKE_ARIAL = shutil.which("fc-match") and re.search("Liberation|Arial|Helvetica|Roboto|Arimo", subprocess.run(["fc-match", "Arial"], capture_output=True, text=True).stdout)

MEASURED = """(() => {
  const seen = [...document.querySelectorAll('body *')].filter(x => !x.closest('.skip,.unseen,svg') && x.getClientRects().length);
  const small = seen.filter(x => [...x.childNodes].some(n => n.nodeType == 3 && n.data.trim())).map(x => [parseFloat(getComputedStyle(x).fontSize), x.tagName + ' ' + x.textContent.slice(0, 30)]);
  small.sort((a, b) => a[0] - b[0]);
  return {
    height: document.documentElement.scrollHeight, width: document.documentElement.scrollWidth, smallest: small[0],
    cut: [...document.querySelectorAll('.c')].filter(x => x.scrollHeight > x.clientHeight + 1).map(x => x.textContent.slice(0, 60)),
    over: seen.filter(x => x.matches('.sheet td,.sheet th,.sheet p,.sheet dd,.sheet h1,.sheet caption') && !x.matches('.oth th,tfoot th') && x.scrollWidth > x.clientWidth + 2).map(x => x.tagName + ' ' + x.textContent.slice(0, 40)),
    columns: new Set([...document.querySelectorAll('.col')].map(x => Math.round(x.getBoundingClientRect().left))).size,
    beside: [...document.querySelectorAll('.col')].map(x => Math.max(0, ...[...x.children].map(y => y.getBoundingClientRect().bottom)) - document.querySelector('footer').getBoundingClientRect().top),
    title: document.title}})()"""


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@needs_browser
@pytest.mark.parametrize("name", MONTHS)
def test_the_sheet_fits_a_screen(name, sheets, look):
    look.open(sheets[name], width=SCREEN[0], height=SCREEN[1])
    said = look.evaluate(MEASURED)
    assert said["height"] <= SCREEN[1] and said["width"] <= SCREEN[0] and said["columns"] == 3
    assert said["smallest"][0] >= 12 and said["over"] == [] and max(said["beside"]) <= 0, said
    if LIKE_ARIAL:
        assert said["cut"] == [], "a text is cut where its … does not say so"
    assert said["title"] != "ran"


@needs_browser
@pytest.mark.parametrize("name", MONTHS)
def test_the_sheet_is_one_sheet_of_paper(name, sheets, look, tmp_path):
    look.open(sheets[name], width=SCREEN[0], height=SCREEN[1], dark=True)
    pdf = look.paper(tmp_path / "sheet.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1 and re.search(rb"/MediaBox \[0 0 84\d\.?\d* 59\d\.?\d*\]", pdf), "A4, lying"
    look.call("Emulation.setDeviceMetricsOverride", width=PAPER[0], height=PAPER[1], deviceScaleFactor=1, mobile=False)
    look.call("Emulation.setEmulatedMedia", media="print")
    said = look.evaluate(MEASURED)
    white = look.evaluate("getComputedStyle(document.body).backgroundColor")
    look.call("Emulation.setEmulatedMedia", media="")
    assert said["smallest"][0] >= 9.999 and said["height"] <= PAPER[1] and said["width"] <= PAPER[0], said  # 10 px are 7.5 pt
    assert said["over"] == [] and max(said["beside"]) <= 0 and white == "rgb(255, 255, 255)", said
    if LIKE_ARIAL:
        assert said["cut"] == []


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 1024, 1280, 1920])
def test_the_sheet_is_no_wider_than_any_screen(width, sheets, look):
    for page in (sheets[name] for name in ("usual", "bare", "huge in Indonesian", "hostile", "seed 2")):
        look.open(page, width=width, height=1080)
        said = look.evaluate(MEASURED)
        assert said["width"] <= width and said["over"] == [] and said["smallest"][0] >= 12, (page.name, said)
        assert said["columns"] == (1 if width < 640 else 3 if width > 1408 else 2)
        assert width < 1900 or said["height"] <= 1080, "larger letters, still one screen"


@needs_browser
def test_in_a_wider_font_the_sheet_still_fits(sheets, look, tmp_path):
    """Where only a wide font is installed a text may end earlier, and says so by "…"; the sheet stays a sheet."""
    page = tmp_path / "wide.html"
    page.write_text(sheets["huge"].read_text(encoding="utf-8").replace("</style>", 'body{font-family:"DejaVu Sans",Verdana,sans-serif!important}</style>', 1), encoding="utf-8")
    look.open(page, width=SCREEN[0], height=SCREEN[1])
    assert look.evaluate("document.documentElement.scrollHeight") <= SCREEN[1]


@needs_browser
def test_the_measure_sees_a_sheet_that_is_too_full(sheets, look, tmp_path):
    page = tmp_path / "full.html"
    page.write_text(sheets["usual"].read_text(encoding="utf-8").replace('<div class="col">', '<div class="col"><p style="height:700px;font-size:9px">x</p>', 1), encoding="utf-8")
    look.open(page, width=SCREEN[0], height=SCREEN[1])
    said = look.evaluate(MEASURED)
    assert said["height"] > SCREEN[1] and said["smallest"][0] == 9


# --- judged with other people's tools ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def both(sheets, tmp_path_factory) -> list[Path]:
    """The sheet and the report, of a usual month and of one with more than fits."""
    folder = tmp_path_factory.mktemp("both")
    made = [sheets[name] for name in ("usual", "bare", "huge")]
    for name in ("usual", "bare", "huge"):
        with words.speaking("en", "IDR"):
            made.append(report.write(front.render(MONTHS[name]()), folder / f"index {name}.html"))
    return made


WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280, 1440])
def test_axe_finds_no_violation(width, dark, both, look):
    axe = (npm("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    found = {}
    for page in both:
        look.open(page, width=width, dark=dark, scripts=True)
        look.evaluate(f"{axe};0")
        said = look.evaluate(f"axe.run(document, {{runOnly: {json.dumps(WCAG)}}}).then(r => ({{bad: r.violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 200)), passed: r.passes.length}}))")
        assert said["passed"] > 15
        found |= {page.name: said["bad"]} if said["bad"] else {}
    assert found == {}


@needs_browser
def test_axe_sees_what_is_wrong(sheets, look, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text(sheets["usual"].read_text(encoding="utf-8").replace('<html lang="en">', "<html>", 1), encoding="utf-8")
    look.open(page, width=1280, scripts=True)
    look.evaluate(f"{(npm('axe-core') / 'axe.min.js').read_text(encoding='utf-8')};0")
    assert look.evaluate("axe.run(document).then(r => r.violations.map(v => v.id))").count("html-has-lang") == 1


def test_the_pages_are_valid_html(both, tmp_path):
    (tmp_path / ".htmlvalidate.json").write_text('{"root": true, "extends": ["html-validate:standard"]}', encoding="utf-8")
    wrong = tmp_path / "wrong.html"
    wrong.write_text('<!doctype html><html lang="en"><head><title>x</title></head><body><ul><p>x</p></ul></body></html>', encoding="utf-8")
    assert _faults([wrong], tmp_path), "it must see what is wrong"
    assert _faults(both, tmp_path) == []


def _faults(pages: list[Path], folder: Path) -> list[str]:
    out = folder / "said.json"
    with out.open("w", encoding="utf-8") as said:  # a file: it ends before a pipe is empty
        subprocess.run(["node", str(npm("html-validate") / "bin" / "html-validate.mjs"), "-c", str(folder / ".htmlvalidate.json"), "-f", "json", *map(str, pages)], stdout=said, cwd=folder, timeout=120)
    return [f"{Path(file['filePath']).name}: {message['ruleId']}: {message['message']}" for file in json.loads(out.read_text(encoding="utf-8")) for message in file["messages"]]
