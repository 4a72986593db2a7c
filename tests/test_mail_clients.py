"""The mails judged by other people's rules: caniemail.com for Gmail, Outlook, Apple Mail and Thunderbird, and an HTML parser that knows what must be closed.

Nothing a mail program does not support may carry meaning. What they do not support, and why nothing is lost then, stands in
UNSUPPORTED; what they support in part, in PARTLY. A line that no rule speaks of any more fails too.
"""

from __future__ import annotations

import html.parser
import json
import re
import subprocess
from pathlib import Path

import mail_cases as cases
import node_packages
import pytest

from sopnb import mail_html

PROJECT = Path(__file__).parent.parent

# What is not supported: who by, and what stands in for it.
UNSUPPORTED: dict[str, tuple[set[str], str]] = {
    "<body> element": ({"outlook.macos"}, "its colour and margin only: the tables inside have their own ground"),
    "<style> element": ({"gmail.mobile-webmail"}, "adds to inline styles that stand alone: light colours, one column that bends, the wide pictures"),
    "@media": ({"gmail.mobile-webmail", "outlook.windows", "outlook.windows-mail", "thunderbird.macos"}, "the same: phones get other margins and pictures, dark mode its colours"),
    "display:none": ({"gmail.mobile-webmail"}, "what is hidden (the inbox's preview line, a phone's pictures) also has no height and hides what overflows"),
    "overflow": ({"outlook.windows", "outlook.windows-mail"}, "stands behind display:none, which they follow"),
    "role attribute": ({"outlook.windows-mail"}, "for screen readers: the order of the words is the order of reading without it"),
    "white-space": ({"outlook.windows", "outlook.windows-mail"}, "a number may break from its unit; at 640 px it has room"),
}
# What is supported in part, and why that part is enough.
PARTLY: dict[str, str] = {
    "<body> element": "becomes a div",
    "<img> element": "PNG is supported; formats we do not use are not",
    "<style> element": "in the head, where ours is, with Google accounts; the others see the inline styles",
    "<ul>, <ol> and <dl>": "plain lists; no reversed, no value",
    "@media": "by width and by colours; not nested, not by height",
    "align attribute": "on cells and captions, never on tables",
    "background": "as background-color only",
    "border": "at most 8 px; on cells, and as the rule above a heading, which is decoration",
    "display": "block and none",
    "display:none": "on a div, around no table",
    "font-size": "in pixels",
    "font-weight": "bold and normal",
    "height property": "auto, on pictures, whose width attribute settles it",
    "line-height": "in pixels",
    "margin": "none is negative; on paragraphs, headings, lists and pictures",
    "max-width": "the width attribute says 640 where it is not followed",
    "overflow": "hidden, where display:none already hides",
    "padding": "in cells; on headings and captions as air that may be left out",
    "text-align": "left and right as attributes of cells too",
    "text-decoration": "none, on the button, whose ground shows that it is one",
    "white-space": "nowrap, so that a number stays with its unit",
    "width attribute": "in pixels on pictures, 100% on tables",
    "width property": "tables and pictures say it as an attribute too",
}


def judged(folder: Path, *bodies: str) -> list[dict[str, list[dict[str, str]]]]:
    """What the rules say of each HTML body: unsupported and partly, with client and title."""
    paths = []
    for number, body in enumerate(bodies):
        paths.append(folder / f"{number}.html")
        paths[-1].write_text(body, encoding="utf-8")
    done = subprocess.run(["node", str(PROJECT / "tests" / "caniemail.mjs"), str(node_packages.installed()), *map(str, paths)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-800:]
    said = json.loads(done.stdout)
    return [said[str(path)] for path in paths]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    return dict(zip(cases.MAILS, judged(tmp_path_factory.mktemp("mails"), *(cases.body(make()) for make in cases.MAILS.values())), strict=True))


@pytest.mark.parametrize("kind", cases.MAILS)
def test_nothing_unsupported_carries_meaning_in_gmail_outlook_apple_mail_and_thunderbird(kind, verdicts):
    beyond = {(one["title"], one["client"]) for one in verdicts[kind]["unsupported"] if one["client"] not in UNSUPPORTED.get(one["title"], (set(), ""))[0]}
    assert beyond == set()


@pytest.mark.parametrize("kind", cases.MAILS)
def test_what_is_supported_in_part_is_used_in_that_part_only(kind, verdicts):
    assert {one["title"] for one in verdicts[kind]["partly"]} <= set(PARTLY)


def test_every_exception_is_still_needed(verdicts):
    met = {(one["title"], one["client"]) for said in verdicts.values() for one in said["unsupported"]}
    assert met == {(title, client) for title, (clients, _) in UNSUPPORTED.items() for client in clients}
    assert {one["title"] for said in verdicts.values() for one in said["partly"]} == set(PARTLY)


def test_the_rules_see_what_a_mail_program_drops(tmp_path):
    """A judge that says yes to all is worth nothing."""
    body = cases.body(cases.reminder()).replace("<h1", '<div style="display:flex;position:fixed"><svg></svg></div><h1', 1)
    (said,) = judged(tmp_path, body)
    assert {"display:flex", "position"} & {one["title"] for one in said["unsupported"]}


# --- the HTML itself ------------------------------------------------------------------------------------------------

VOID = {"meta", "br", "img"}
ALLOWED = {"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "th", "caption", "h1", "h2", "h3", "p", "b", "strong", "code", "br", "span", "a",
           "img", "ul", "li"}
INSIDE = {"tr": {"table", "tbody"}, "td": {"tr"}, "th": {"tr"}, "caption": {"table"}, "tbody": {"table"}, "li": {"ul"}}


class Reader(html.parser.HTMLParser):
    """Keeps the open elements, and every fault it meets."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.faults: list[str] = []
        self.tables: list[dict] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.faults += [f"{tag} is not for mails"] * (tag not in ALLOWED) + [f"{tag} says {name} twice" for name, _ in attrs if [n for n, _ in attrs].count(name) > 1]
        if tag in INSIDE and (not self.open or self.open[-1][0] not in INSIDE[tag]):
            self.faults.append(f"{tag} inside {self.open[-1][0] if self.open else 'nothing'}")
        if tag in ("p", "h1", "h2", "h3") and any(t in ("p", "h1", "h2", "h3", "b", "span") for t, _ in self.open):
            self.faults.append(f"{tag} inside {[t for t, _ in self.open][-1]}")
        if tag == "table":
            self.tables.append({**given, "caption": False, "heads": []})
        if tag == "caption":
            self.tables[-1]["caption"] = True
        if tag == "th":
            self.tables[-1]["heads"].append(given.get("scope"))
        if tag == "img" and not given.get("alt"):
            self.faults.append("a picture without words")
        if tag not in VOID:
            self.open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        met = self.open.pop()[0] if self.open else "nothing"
        if met != tag:
            self.faults.append(f"</{tag}> closes {met}")


def read(body: str) -> Reader:
    reader = Reader()
    reader.feed(body)
    reader.close()
    return reader


@pytest.mark.parametrize("kind", cases.MAILS)
def test_every_element_is_closed_allowed_and_in_its_place(kind):
    reader = read(cases.body(cases.MAILS[kind]()))
    assert reader.faults == [] and reader.open == []


@pytest.mark.parametrize(("broken", "fault"), [("<tr><p>", "p"), ("<script>", "script"), ("<td></tr>", "tr"), ('<img src="x">', "words")])
def test_the_reader_sees_a_fault(broken, fault):
    assert any(fault in said for said in read(f"<table>{broken}</table>").faults)


@pytest.mark.parametrize("kind", cases.MAILS)
def test_every_table_of_data_has_a_caption_and_scoped_heads_and_all_others_say_they_are_layout(kind):
    tables = read(cases.body(cases.MAILS[kind]())).tables
    assert any(table["caption"] for table in tables)
    for table in tables:
        if table.get("role") == "presentation":
            assert not table["caption"] and not table["heads"]
        else:
            assert table["caption"] and table["heads"] and set(table["heads"]) <= {"col", "row", "rowgroup"}


@pytest.mark.parametrize("kind", cases.MAILS)
def test_nothing_is_fetched_and_nothing_runs(kind):
    body = cases.body(cases.MAILS[kind]())
    assert not re.search(r"(?i)data:|url\(|<script|<svg|<link|<iframe|<form|@import|javascript:|\son\w+=", body)
    assert all(address.startswith("cid:") for address in re.findall(r'\ssrc="([^"]*)"', body)) and "background=" not in body
    assert set(re.findall(r'href="([^"]*)"', body)) <= {cases.URL}


@pytest.mark.parametrize("kind", cases.MAILS)
def test_padding_stands_where_outlook_follows_it(kind):
    """Word's engine knows it in cells only: elsewhere nothing may hang on it."""
    found = re.findall(r'<(p|ul|li|h1|h3|div|span|b|a|img)\b[^>]*style="([^"]*)"', cases.body(cases.MAILS[kind]()))
    spent = [(tag, size) for tag, style in found for size in re.findall(r"padding[a-z-]*:([^;]+)", style) if size.strip("0 px") and "border-top" not in style]
    assert spent == []


@pytest.mark.parametrize("kind", cases.MAILS)
def test_what_an_inbox_shows_beside_the_subject_is_said_first_and_hidden(kind):
    body = cases.body(cases.MAILS[kind]())
    shown = re.search(r'<body[^>]*>\s*<div style="display:none;[^"]*max-height:0;overflow:hidden[^"]*">([^<]+)</div>', body)
    assert shown and 20 < len(shown[1]) <= 260
    first = {"pack": "You decide question 1. You have one open action", "recap": "You have 2 open actions", "reminder": "Move oven maintenance, Co-packer price"}[kind]
    assert shown[1].startswith(first)


def test_the_rules_in_the_head_are_few_enough_for_gmail():
    """Beyond 8,192 characters Gmail drops them all."""
    assert len(mail_html.css()) < 4_000 and "DARK_" not in mail_html.css()
