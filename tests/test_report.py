"""A step's page and the one-file pack: nothing runs, nothing is fetched, nothing of the notebook's words is lost."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import front_data as small
import nbformat
import pandas as pd
import pytest

from sopnb import report, tables, webtext, words

VOID = {"meta", "br", "hr", "img", "link", "input", "wbr", "col"}
EVIL = '<script>alert(1)</script>'


class Page(HTMLParser):
    """What a test asks of a page: elements with attributes, text, whether every element is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.words += data.replace("\u00a0", " ")  # a space that does not break is read as a space

    def ids(self) -> list[str]:
        return [a["id"] for _, a in self.elements if "id" in a]

    def links(self) -> list[str]:
        return [a["href"] for t, a in self.elements if t == "a" and "href" in a]


def harmless(text: str) -> Page:
    """The page parses, closes what it opens, has unique ids, runs nothing and fetches nothing."""
    page = Page(text)
    assert page.open == []
    assert len(page.ids()) == len(set(page.ids()))
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "base", "form"}
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on")], f"{tag} has a handler"
        for name in ("src", "href", "srcset", "action", "background"):
            assert not re.match(r"\s*(https?:|//|javascript:|ftp:)", attrs.get(name) or ""), f"{tag} {name}={attrs[name]}"
    policy = [a["content"] for t, a in page.elements if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    return page


def notebook(*cells) -> nbformat.NotebookNode:
    book = nbformat.v4.new_notebook(cells=list(cells))
    for i, cell in enumerate(book.cells):
        cell.id = f"c{i:02d}"
    return book


def text(source: str):
    return nbformat.v4.new_markdown_cell(source)


def code(source: str, *outputs, tags: tuple[str, ...] = ()):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def shown(**data):
    kinds = {"html": "text/html", "plain": "text/plain", "png": "image/png", "md": "text/markdown"}
    return nbformat.v4.new_output("display_data", data={kinds[k]: v for k, v in data.items()})


def made(tmp_path, *cells, name: str = "02_demand.ipynb", current: int = 1, **header) -> str:
    path = tmp_path / name
    nbformat.write(notebook(*cells), path)
    links = [{**link, "current": i == current} for i, link in enumerate(small.LINKS)]
    return report.page(path, header={**small.HEADER, **header}, links=links, out=tmp_path / name.replace(".ipynb", ".html")).read_text()


OPENING = text("# 02 Demand\nWhat will customers ask for, and who says so? For planners.")


def test_a_notebook_becomes_a_page_with_question_contents_and_folded_code(tmp_path):
    html = made(tmp_path, OPENING, code("cycle_month: str = ''", tags=("parameters",)), text("## How much, and when?"),
                code("plan = make()"), code("plan.total", shown(plain="6,556")), text("## Why?\nBecause of *Lebaran*."))
    page = harmless(html)
    assert "<h1>What will customers ask for, and who says so?</h1>" in html
    assert 'id="how-much-and-when"' in html and "#why" in page.links()
    assert html.index("6,556") < html.index("How this was computed", html.index("6,556"))
    assert "plan = make()\n" not in re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    assert "<em>Lebaran</em>" in html
    assert page.links()[:8] == ["#main", "one-page.html", "index.html", "01_collect.html", "02_demand.html", "03_supply.html", "04_kpis.html", "05_meeting.html"]
    assert 'aria-current="page">02 Demand' in html


def test_what_a_cell_shows_is_text_unless_it_is_harmless(tmp_path):
    frame = pd.DataFrame({"item": [EVIL], "<b>": [1]})
    html = made(tmp_path, OPENING, text(f"## Raw {EVIL}\n{EVIL} <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](https://elsewhere.example/y.png)"),
                code("a", shown(plain=EVIL)), code("b", shown(html=frame.to_html(escape=False) + '<a href="https://elsewhere.example" onclick="x()">z</a>')),
                code("c", shown(html=words.say("**{name}** leads", name=EVIL)._repr_mimebundle_()["text/html"])),
                code("d", nbformat.v4.new_output("stream", name="stdout", text=f"\x1b[31m{EVIL}\x1b[0m")),
                code("e", nbformat.v4.new_output("error", ename="ValueError", evalue=EVIL, traceback=[f"\x1b[0;31mValueError\x1b[0m: {EVIL}"])))
    page = harmless(html)
    assert page.words.count(EVIL) == 6  # heading, text, plain output, sentence, printed, error; gone from the foreign table
    assert "\x1b" not in html and "elsewhere" not in html.replace("elsewhere.example/y.png", "")


def test_foreign_html_keeps_its_table_and_loses_the_rest():
    table = '<table class="dataframe"><tr><th>a</th><td style="color:red">1 &lt; 2</td></tr></table>'
    assert webtext.sanitised(table) == table
    for attack in ('<svg/onload=x()>', '<a href="jav&#x09;ascript:x()">', '<iframe srcdoc="<script>x()</script>"></iframe>', '<style>*{display:none}</style>', '<p style="background:url(//e.example)">',
                   '<meta http-equiv=refresh content="0;url=//e.example">', '<math><mtext><script>x()</script>', '<img src="//e.example/x.png">', '<use xlink:href="//e.example#x"/>'):
        left = webtext.sanitised(attack)
        assert not re.search(r"script|onload|example|display:none|refresh", left), left


def test_pictures_carry_their_words(tmp_path):
    output = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}, metadata={"image/png": {"alt": 'Demand "peaks" in March'}})
    html = made(tmp_path, OPENING, code("fig", output))
    assert 'alt="Demand &#34;peaks&#34; in March"' in html and 'src="data:image/png;base64,iVBORw0KGgo="' in html


def test_our_tables_and_sentences_pass_unchanged(tmp_path):
    table = tables.show(pd.DataFrame({"item": ["A & B"], "money": [1.5e9]}), caption="One item", columns={"item": "Item", "money": tables.col("Money", "money")})
    html = made(tmp_path, OPENING, code("t", shown(html=table.html)))
    assert "A &amp; B" in html and "<caption" in html and 'scope="row"' in html
    harmless(html)


def test_shell_and_time_stay_in_their_budgets(tmp_path):
    html = made(tmp_path, OPENING)
    assert len(html.encode()) <= 40 * 1024
    start = time.perf_counter()
    made(tmp_path, OPENING, *(code(f"x{i}", shown(html="<p>1</p>")) for i in range(25)))
    assert time.perf_counter() - start < 3  # 0.05 s measured; the budget itself is checked by benchmarks


def test_the_same_notebook_gives_the_same_bytes(tmp_path):
    one, two = tmp_path / "a", tmp_path / "b"
    one.mkdir(), two.mkdir()
    assert made(one, OPENING, code("a", shown(plain="1"))) == made(two, OPENING, code("a", shown(plain="1")))


# --- the pack -------------------------------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path):
    """A cycle's folder: front page and two steps that both have a section called Plan."""
    report.front_page(small.tables(), small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK, out=tmp_path / "index.html")
    figure = '<figure aria-labelledby="t"><svg><title id="t">x</title></svg></figure>'
    made(tmp_path, text("# 01 Collect\nCan we?"), text("## Plan"), code("a = 1", shown(html=figure)), text("## More\nSee [demand](02_demand.html#plan)."), name="01_collect.ipynb", current=0)
    made(tmp_path, text("# 02 Demand\nWhat?"), text("## Plan\nSee [the first page](index.html) and [collect](01_collect.html)."), code('b = "id=\\"x\\""', shown(html=figure)), text("## More"))
    return tmp_path


def test_the_pack_is_one_file_whose_links_lead_somewhere(folder):
    whole = report.pack(folder, folder / "pack.html").read_text()
    page = harmless(whole)
    there = set(page.ids())
    inside = [link for link in page.links() if link.startswith("#")]
    assert inside and all(link[1:] in there for link in inside), [link for link in inside if link[1:] not in there]
    assert not [link for link in page.links() if not link.startswith("#")]
    assert {"p01-plan", "p02-plan", "p01-t", "p02-t"} <= there
    assert any("p02-plan" in link for link in page.links())
    labelled = [a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a]
    assert all(label in there for label in labelled)
    assert 'b = &#34;id=\\&#34;x\\&#34;&#34;' in whole  # code is text, not tags


def test_pages_offer_the_workbook_and_the_pack_names_what_is_not_in_it(folder):
    name = "tiny-2026-10.xlsx"
    assert name in harmless(made(folder, OPENING, workbook=name)).links() and name not in made(folder, OPENING)
    report.front_page(small.tables(), small.past(), header={**small.HEADER, "workbook": name}, links=small.LINKS, book=small.BOOK, out=folder / "index.html")
    assert name in harmless((folder / "index.html").read_text()).links()
    whole = harmless(report.pack(folder, folder / "pack.html").read_text())
    assert name in whole.words and name not in whole.links()


def test_a_pack_that_is_too_large_drops_code_then_steps_and_says_so(folder):
    whole = len(report.pack(folder, folder / "pack.html").read_bytes())
    without_code = report.pack(folder, folder / "pack.html", limit=whole - 1).read_text()
    assert "How this was computed" not in without_code and 'id="p02-plan"' in without_code
    small_one = report.pack(folder, folder / "pack.html", limit=len(without_code.encode()) - 1).read_text()
    assert "these steps are left out" in small_one and "collect, demand" in small_one
    with pytest.raises(report.TooLarge, match="at most 100 are allowed"):
        report.pack(folder, folder / "pack.html", limit=100)
