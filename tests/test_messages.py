"""No sentence lies unused: each id of sopnb/messages/ is written, or can be put together, somewhere in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from sopnb import frames, steps, words

PROJECT = Path(__file__).parent.parent
COUNTS = r"\.(one|none)$"  # a helper adds these to an id that is written whole
THEIRS = ("term.reason.",)  # codes that a company chooses


class Written:
    """What code writes: whole words, beginnings of ids that it goes on with, and the pieces it may go on with."""

    def __init__(self) -> None:
        self.whole: set[str] = set()
        self.heads: set[str] = set()
        self.pieces: set[str] = {".", "_", *frames.TABLES, *(name for one in frames.TABLES.values() for name in one.names)}

    def read(self, code: str) -> None:
        nodes = list(ast.walk(ast.parse(code)))
        plain = {id(node): node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w. ]+", node.value)}
        joined: set[int] = set()
        for node in nodes:
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                joined |= {id(node.left), id(node.right)}
            elif isinstance(node, ast.JoinedStr) and all(id(part) in plain and " " not in plain[id(part)] for part in node.values if isinstance(part, ast.Constant)):
                joined |= {id(part) for part in node.values}
            elif isinstance(node, ast.FunctionDef):
                self.pieces.add(node.name)
            elif isinstance(node, ast.keyword) and node.arg:
                self.pieces.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self.pieces.add(node.target.id)
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for key, text in plain.items():
            self.pieces |= {text, *text.split(), text.partition(".")[2]} - {""}  # the tail too: the short name of choices.later is choices.short.later
            self.whole |= set() if key in parts else {text}
            if "." in text and (key in joined or (key not in parts and text[-1] in "._")):
                self.heads.add(text)

    def template(self, text: str) -> None:
        found = set(re.findall(r"""["']([\w. ]+)["']""", text))
        self.whole |= found
        self.pieces |= found
        self.heads |= {one for one in found if "." in one and one[-1] in "._"} | set(re.findall(r"""["']([\w.]+\.[\w.]*)["'] *[~+]""", text))

    def reaches(self, wanted: str) -> bool:
        if wanted in self.whole or re.sub(COUNTS, "", wanted) in self.whole:
            return True
        ends = {len(head) for head in self.heads if wanted.startswith(head)}
        for at in range(len(wanted)):  # each place that pieces lead to, from left to right
            if at in ends:
                ends |= {end for end in range(at + 1, len(wanted) + 1) if wanted[at:end] in self.pieces}
        return len(wanted) in ends


def written() -> Written:
    found = Written()
    for path in sorted((PROJECT / "sopnb").glob("*.py")):
        found.read(path.read_text(encoding="utf-8"))
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        for cell in steps.code_cells(steps.read_notebook(path)):
            found.read(steps.source(cell))
    for path in sorted((PROJECT / "sopnb" / "template").rglob("*.j2")):
        found.template(path.read_text(encoding="utf-8"))
    return found


def test_every_sentence_can_be_said():
    known = written()
    assert [one for one in words.MESSAGES if not one.startswith(THEIRS) and not known.reaches(one)] == []


def test_what_no_code_says_is_seen():
    known = Written()
    known.read('message("a.whole"); message(f"b.{kind}.late" if kind == "ours" else "b.none"); message("c." + "one"); raise_(f"d.{form} needs more")')
    assert [known.reaches(one) for one in ("a.whole", "a.whole.one", "b.ours.late", "b.none", "c.one")] == [True] * 5
    assert [known.reaches(one) for one in ("a.whole.late", "b.theirs", "c.two", "d.ours")] == [False] * 4
