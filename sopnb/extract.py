"""Which strings a reader sees: Babel's extractors for this house, named in babel.cfg and registered in pyproject.toml.

    pybabel extract -F babel.cfg -o sopnb.pot .

    python     the template of say(), the heading of col() and label(), name and measure of a kpi(), headings in columns={…}, and what stands as caption,
               subtitle, source, title, total_label or note of a call
    notebook   the same of code cells, and text cells block by block
    messages   every sentence of sopnb/messages/*.yaml
    frames     the meaning of the columns that the workbook shows: its notes
"""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sopnb import translations

FIRST = {"say", "col", "label", "kpi"}
NAMED = {"caption", "subtitle", "source", "title", "total_label", "note"}
OTHERS = {"assign", "rename", "DataFrame", "astype", "event", "add_argument", "Typer"}  # calls whose names mean something else
Found = tuple[int, str, str, list[str]]


def python(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """The strings of a module: (line, function, string, comments) as Babel takes them."""
    yield from _code(fileobj.read().decode("utf-8"))


def notebook(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """The strings of a notebook; the line is the number of its cell."""
    for number, cell in enumerate(json.load(fileobj)["cells"], start=1):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from ((number, "", words, ["text cell"]) for _, words in translations.blocks(source))
        elif cell["cell_type"] == "code":
            yield from ((number, name, words, told) for _, name, words, told in _code(source))


def messages(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """The sentences of a messages file, each with its id as the comment."""
    node = yaml.compose(io.TextIOWrapper(fileobj, encoding="utf-8"), Loader=yaml.SafeLoader)
    for key, value in node.value if node is not None else []:
        yield value.start_mark.line + 1, "", value.value, [key.value]


def frames(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """The meanings of columns in sopnb/frames_*.py, of the tables that are sheets of the workbook."""
    from sopnb.workbook_sheets import SPECS

    shown = {spec.table for spec in SPECS}
    for call in ast.walk(ast.parse(fileobj.read().decode("utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "declare":
            name, _, columns, _ = (ast.literal_eval(given) for given in call.args)
            for number, line in enumerate(columns.splitlines() if name in shown else [], start=call.args[2].lineno):
                column, *_, meaning = [*line.split(maxsplit=2), "", ""][:3]
                if meaning:
                    yield number, "", meaning, [f"{name}.{column}"]


def _code(source: str) -> Iterator[Found]:
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in OTHERS:
            continue
        named = {"measure"} if name == "kpi" else NAMED | {"unit"} if name == "col" else NAMED
        given = [*(call.args[:1] if name in FIRST else []), *(word.value for word in call.keywords if word.arg in named)]
        for word in call.keywords:
            if word.arg == "columns" and name == "show" and isinstance(word.value, ast.Dict):
                given += word.value.values
        for one in given:
            yield from ((line, "", words, [name] if name else []) for line, words in _strings(one))


def _strings(node: ast.expr) -> Iterator[tuple[int, str]]:
    """The string constants an expression may be: itself, or either side of an `if`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and any(c.isalpha() for c in node.value):
        yield node.lineno, node.value
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for one in node.values:
            yield from _strings(one)


# --- the catalogue on disk ------------------------------------------------------------------------------------------

SOURCES = (("sopnb/frames_*.py", frames), ("sopnb/*.py", python), ("notebooks/*.ipynb", notebook), ("sopnb/messages/*.yaml", messages))
HEADER = "# What sopnb says, in another language. `python -m sopnb.extract` adds what is new and takes out what is gone."


def strings(project: Path) -> dict[str, list[str]]:
    """Every string a reader may see, in the order of files: where it stands and what it is."""
    found: dict[str, list[str]] = {}
    for pattern, extractor in SOURCES:
        for path in sorted(project.glob(pattern)):
            with path.open("rb") as file:
                for _, _, words, told in extractor(file, None, None, None):
                    if not any(c.isalpha() for c in words):
                        continue
                    note = " ".join([path.relative_to(project).as_posix(), *told])
                    if note not in found.setdefault(words, []):
                        found[words].append(note)
    return found


def update(project: Path, language: str) -> tuple[int, int]:
    """Bring a language's .po in step with the strings of today; what is translated stays.

    returns  how many strings there are, and how many of them nobody has translated
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    path = project / "sopnb" / "locale" / language / "LC_MESSAGES" / "sopnb.po"
    before = Catalog(locale=language)
    if path.is_file():
        with path.open("rb") as file:
            before = read_po(file, locale=language)
    known = {str(one.id): one for one in before if one.id}
    after = Catalog(locale=language, header_comment=HEADER, fuzzy=False)
    wanted = strings(project)
    for words, notes in wanted.items():
        old = known.get(words)
        after.add(words, str(old.string) if old else "", flags=("fuzzy",) if old is not None and old.fuzzy else (), auto_comments=notes[:3])
    path.parent.mkdir(parents=True, exist_ok=True)
    with io.BytesIO() as out:
        write_po(out, after, width=0, omit_header=True)
        body = out.getvalue().decode("utf-8")
    head = f'{HEADER}\nmsgid ""\nmsgstr ""\n"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    path.write_text(head + body, encoding="utf-8", newline="\n")
    return len(wanted), sum(1 for one in after if one.id and (not one.string or one.fuzzy))


if __name__ == "__main__":
    for found in ("id",):
        of, left = update(Path(__file__).parent.parent, found)
        print(f"{found}: {of} strings, {left} to translate")
