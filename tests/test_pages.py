"""Every page of a real cycle, and the mails, judged as their readers meet them.

A small demo company has run two cycles; the six steps' pages, the report, S&OP on a page, the pack and the page of actions
are opened in a real browser at a phone's width and a desk's, light and dark.
"""

from __future__ import annotations

import re
from pathlib import Path

import chromium
import front_data
import judges
import mail_cases
import pandas as pd
import pytest

from sopnb import blocks, cycle, frames, front, mail, report, run, style, supply, supply_page, tables, words

pytestmark = pytest.mark.slow
needs_browser = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)
NAMES = [*(f"{step}.html" for step in cycle.STEPS), "index.html", report.ONE_PAGE, "pack.html", "actions.html"]
MAILS = [f"mail-{kind}.html" for kind in mail_cases.MAILS]
POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">"""


@pytest.fixture(scope="module")
def pages(workspace: Path, outcome: run.Outcome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages by name, of a cycle with a plan of the month before behind it; 06 is of that month, whose meeting was held."""
    folder, reports = tmp_path_factory.mktemp("mails"), workspace / "reports" / "demo"
    found = {path.name: path for where in ("2026-09", "2026-10", ".") for path in (reports / where).glob("*.html")}
    for kind, make in mail_cases.MAILS.items():
        page = folder / f"mail-{kind}.html"
        page.write_text(mail_cases.body(make()), encoding="utf-8")
        found[page.name] = page
    return found


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", [*NAMES, *MAILS])
def test_axe_core_finds_nothing_against_wcag(name, width, dark, pages, look):
    assert judges.axe(look, pages[name], width=width, dark=dark) == []


@needs_browser
@pytest.mark.parametrize("name", [name for name in NAMES if name != "pack.html"])
def test_axe_core_finds_nothing_where_what_folds_stays_folded(name, pages, look):
    assert judges.axe(look, pages[name], width=390, folded=True) == []


@needs_browser
@pytest.mark.parametrize("name", NAMES)
def test_nothing_scrolls_sideways_overlaps_or_is_too_small_to_read(name, pages, look):
    """Words of drawings lie apart, all words have their contrast, on a phone, between and at a desk."""
    for width, dark in ((320, False), (320, True), (768, False), (1280, False), (1280, True)):
        said = judges.layout(look, pages[name], width=width, dark=dark)
        assert said == {"width": width, "beyond": [], "small": [], "over": [], "pale": []}, (width, dark)


@needs_browser
@pytest.mark.parametrize("name", NAMES)
def test_every_page_has_an_outline_and_every_table_its_caption(name, pages, look):
    found = judges.structure(look, pages[name])
    parts = 7 if name == "pack.html" else 1  # S&OP on a page, the report, and five steps
    assert found == ([] if parts == 1 else [f"h1: {parts}"])


def test_html_validate_finds_no_fault(pages, tmp_path):
    wrong = tmp_path / "wrong.html"
    wrong.write_text('<!doctype html><html lang="en"><head><title>x</title></head><body><ul><p>x</p></ul></body></html>', encoding="utf-8")
    assert judges.markup([wrong], tmp_path), "it must see what is wrong"
    assert judges.markup([pages[name] for name in NAMES], tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_runs_nothing_and_fetches_nothing(name, pages):
    text = pages[name].read_text(encoding="utf-8")
    assert POLICY in text and text.index(POLICY) < text.index("<title>")
    assert not re.search(r"<script|<link|<iframe|<object|<embed|<form|<base|javascript:|@import|url\((?!['\"]?data:)", text, re.I)
    tags = re.findall(r"<[a-zA-Z][^<>]*>", text)
    assert not [tag for tag in tags if re.search(r"\son[a-z]+\s*=", tag, re.I)], "an event attribute"
    assert not [tag for tag in tags if re.search(r"\s(?:src|href|srcset|action|poster|background|xlink:href)\s*=\s*[\"']?\s*(?:https?:)?//", tag, re.I)], "an external address"


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_small_and_their_shell_smaller(name, pages):
    text = pages[name].read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    main = text.split("<main", 1)[1].split(">", 1)[1].rsplit("</main>", 1)[0]
    assert len(text.replace(main, "").encode()) < 40 * 1024


@needs_browser
@pytest.mark.parametrize("name", [*(f"{step}.html" for step in cycle.STEPS), "pack.html"])
def test_paper_is_a4_light_and_repeats_the_heads_of_tables(name, pages, look, tmp_path):
    look.open(pages[name], width=1280, dark=True)
    pdf = look.paper(tmp_path / "page.pdf").read_bytes()
    assert re.search(rb"/MediaBox \[0 0 59\d\.?\d* 84\d\.?\d*\]", pdf), "A4, standing"
    look.call("Emulation.setEmulatedMedia", media="print")
    heads = look.evaluate("[...document.querySelectorAll('thead')].filter(h => h.checkVisibility() && !h.closest('.sheet')).map(h => getComputedStyle(h).display)")
    ground = look.evaluate("getComputedStyle(document.body).backgroundColor")
    kept = look.evaluate("[...document.querySelectorAll('figure,tr')].filter(e => e.checkVisibility() && !getComputedStyle(e).breakInside.startsWith('avoid')).length")
    loose = look.evaluate("""[...document.querySelectorAll('h2,h3,caption,thead,tbody tr:first-child,details.more>summary')].filter(e => e.checkVisibility() && !e.closest('.sheet')
        && getComputedStyle(e).breakAfter !== 'avoid').map(e => e.tagName + ' ' + e.textContent.slice(0, 40))""")
    split = look.evaluate("[...document.querySelectorAll('.tb')].filter(e => e.querySelectorAll('tbody tr').length < 9 && getComputedStyle(e).breakInside !== 'avoid').length")
    shut = look.evaluate("[...document.querySelectorAll('details.more table')].filter(e => !e.getBoundingClientRect().height).length")
    code = look.evaluate("[...document.querySelectorAll('details:not(.more)')].filter(e => e.checkVisibility()).length")
    look.call("Emulation.setEmulatedMedia", media="")
    assert (loose, split, shut, code) == ([], 0, 0, 0), "no heading stands alone, no short table is cut, tables that are shut are open on paper, code is not printed"
    assert set(heads) <= {"table-header-group"} and ground == "rgb(255, 255, 255)" and kept == 0


@pytest.fixture(scope="module")
def indonesian(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The front page, S&OP on a page, the exceptions as step 03 shows them and the mail of a small company in Indonesian, whose words are longer."""
    folder = tmp_path_factory.mktemp("indonesian")
    months = pd.date_range("2026-10-01", periods=6, freq="MS")
    scope = blocks.Scope(cycle="2026-10", origin=pd.Timestamp("2026-09-01"), as_of=pd.Timestamp("2026-10-01"), months=months, window=months, lag=3, lags=(1, 2, 3), names={"A": "Assorted Biscuit Tin 650 g"})
    found = front_data.exceptions().assign(because="exceptions.overload_beyond_overtime", values='{"share": 1.17, "units": 77, "beyond": 17}')
    with words.speaking("id", "IDR"):
        told = front.facts(front_data.tables(), front_data.past(), header={**front_data.HEADER, "language": "id"}, links=front_data.LINKS, book=front_data.BOOK)
        page = front.render(told)
        decided = supply_page.decide(found, frames.empty(frames.OPTIONS), top=5, later=supply.beyond(after=months[-1]), excess_months=6, places={}, scope=scope)
        step = re.sub(r"(<main[^>]*>).*(</main>)", lambda found: f"{found[1]}<h1>03</h1>{decided.html}{found[2]}", page, flags=re.DOTALL)
        mailed = mail_cases.body(mail.build(told, **mail_cases.READER))
        report.one_page(told, folder / "one-page.html")
    for name, text in {"index.html": page, "step.html": step, "mail.html": mailed}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {path.name: path for path in folder.glob("*.html")}


@needs_browser
@pytest.mark.parametrize("name", ["index.html", "one-page.html", "step.html", "mail.html"])
def test_longer_words_of_another_language_fit_the_smallest_phone(name, indonesian, look):
    said = judges.layout(look, indonesian[name], width=320)
    assert (said["width"], said["beyond"], said["over"]) == (320, [], [])


@needs_browser
def test_the_judges_see_what_is_wrong(tmp_path, look):
    page = tmp_path / "wrong.html"
    page.write_text('<!doctype html><html lang="en"><head><title>x</title></head><body><h1>x</h1><h3>y</h3><table><tr><th>wide</th></tr></table><p style="width:500px;font-size:9px;color:#999">x</p>'
                    '<svg role="img" aria-label="a" width="100" height="30"><text y="20" font-size="14">one</text><text y="22" x="3" font-size="14">two</text></svg></body></html>', encoding="utf-8")
    said = judges.layout(look, page, width=320)
    assert said["width"] > 320 and said["beyond"] and said["small"] and said["over"] and said["pale"]
    assert len(judges.structure(look, page)) == 4  # level left out, no caption, no scope, no head


# --- many rows ------------------------------------------------------------------------------------------------------

@needs_browser
def test_a_hundred_thousand_rows_are_the_top_and_all_other(tmp_path, look):
    """The largest stand on the page, the rest in one row, the total is that of all; a page of several such tables stays small."""
    many = pd.DataFrame({"item": [f"Item {i:06d}" for i in range(100_000)], "units": range(100_000), "amount": [1e6 * (i % 997) + i for i in range(100_000)]})
    with words.speaking("en", "IDR"):
        shown = tables.show(many, caption="All", columns={"item": "Item", "units": tables.col("Units", "count"), "amount": tables.col("Money", "money")}, top=10, by="amount", total=["units", "amount"])
    assert len(shown.rows) == 11 and shown.rows[-1].name.text == "All other (99,990)" and len(shown.html) < 10_000
    assert shown.foot[0].cells[0].text == words.number(many["units"].sum(), ",.0f")


# --- colours --------------------------------------------------------------------------------------------------------

# Red, green and blue as readers without green cones and without red cones see them: Viénot, Brettel and Mollon 1999, in linear RGB.
BLIND = {"deuteranope": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
         "protanope": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))}


def _seen_by(kind: str, colour: str) -> tuple[float, float, float]:
    """A colour as that reader sees it, in CIE Lab."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    seen = [sum(m * c for m, c in zip(row, linear, strict=True)) for row in BLIND[kind]]
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    x, y, z = (sum(m * max(min(c, 1.0), 0.0) for m, c in zip(row, seen, strict=True)) for row in matrix)

    def f(t: float) -> float:
        return t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116

    fx, fy, fz = f(x / 0.95047), f(y), f(z / 1.08883)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _apart(kind: str, one: str, other: str) -> float:
    return sum((a - b) ** 2 for a, b in zip(_seen_by(kind, one), _seen_by(kind, other), strict=True)) ** 0.5


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("mode", [1, 2], ids=["light", "dark"])
def test_roles_that_meet_in_a_drawing_differ_for_red_green_blind_readers(mode, kind):
    """At least 12 apart in Lab (one just noticeable difference is 2.3); black and grey are known."""
    assert _seen_by(kind, "#000000") == pytest.approx((0, 0, 0), abs=0.1) and _seen_by(kind, "#ffffff")[0] == pytest.approx(100, abs=0.1)
    close = {"deuteranope": ("#c00000", "#5c7a00"), "protanope": ("#c00000", "#4a4a00")}[kind]
    assert _apart(kind, *close) < 25, "the test must see that a red and a green come close"
    meet = [("demand", "plan"), ("demand", "base"), ("demand", "over"), ("plan", "base"), ("plan", "over"), ("base", "over"), ("base", "short"), ("plan", "short"), ("short", "over"), ("demand", "short"), ("base", "ink"), ("plan", "ink"), ("over", "ink"), ("short", "ink")]
    assert [(one, other, round(_apart(kind, style.ROLES[one][mode], style.ROLES[other][mode]), 1)) for one, other in meet
            if _apart(kind, style.ROLES[one][mode], style.ROLES[other][mode]) < 12] == []


@pytest.mark.parametrize("mode", [1, 2], ids=["light", "dark"])
def test_roles_stand_out_from_their_ground(mode):
    """3:1 for what is drawn, 4.5:1 for words (WCAG 1.4.11 and 1.4.3)."""
    def light(colour: str) -> float:
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(w * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for w, v in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    def ratio(role: str) -> float:
        one, ground = light(style.ROLES[role][mode]), light(style.ROLES["bg"][mode])
        return (max(one, ground) + 0.05) / (min(one, ground) + 0.05)

    drawn, said = ("demand", "plan", "base", "over", "short", "ok"), ("ink", "mute", "plan", "base-t", "over-t", "short", "ok")
    assert [(role, round(ratio(role), 2)) for role in drawn if ratio(role) < 3] + [(role, round(ratio(role), 2)) for role in said if ratio(role) < 4.5] == []
