"""The reader's language: what the house says in English, in the words of another language.

A string is its own key, as gettext has it; the translations stand in sopnb/locale/<language>/LC_MESSAGES/sopnb.po and are
read from there. What is written in a table or a parameter file is data and is never looked up.

    say("…"), message(id)      the template is looked up, then filled
    label("Question")          a heading, a subtitle, a source: ours, without values
    text(markdown)             a notebook's text cell, block by block
"""

from __future__ import annotations

import functools
import re
from importlib import resources

from sopnb import formats

SOURCE = "en"  # the language the strings are written in
_missed: set[str] = set()


def translated(text: str) -> str:
    """The string in the language spoken; as it is where that is English, or nobody has translated it."""
    language = formats.language()
    if language == SOURCE or not text.strip():
        return text
    found = read(language).get(text)
    if found is None:
        _missed.add(text)
        return text
    return found


def missed() -> set[str]:
    """What was asked for and stands in no catalogue, since the start: nothing, if all is well."""
    return set(_missed)


@functools.cache
def read(language: str) -> dict[str, str]:
    """A language's translations by their English string; those marked fuzzy are left out, since nobody has read them."""
    from babel.messages.pofile import read_po

    path = resources.files("sopnb").joinpath("locale", language, "LC_MESSAGES", "sopnb.po")
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale=language) if one.id and one.string and not one.fuzzy}


def text(source: str) -> str:
    """A text cell in the language spoken.

    >>> text("# 02 Demand\\n\\nWhat will customers ask for?")
    '# 02 Demand\\n\\nWhat will customers ask for?'
    """
    if formats.language() == SOURCE:
        return source
    return "\n\n".join(mark + translated(block) for mark, block in blocks(source))


def blocks(source: str) -> list[tuple[str, str]]:
    """A text cell's blocks: the marks of a heading, and the words; between blocks lies an empty line.

    >>> blocks("## Which months?\\nThose ahead.")
    [('## ', 'Which months?'), ('', 'Those ahead.')]
    """
    found = []
    for block in re.split(r"\n\s*\n", source.strip()):
        head = re.match(r"(#{1,6}\s+)(.*?)(?:\n|$)", block)
        if head:
            found.append((head[1], head[2].strip()))
            block = block[head.end():]
        if block.strip():
            found.append(("", block.strip()))
    return found
