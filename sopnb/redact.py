"""Secrets never leave: the values behind a params file's `env:NAME` references are blanked wherever text goes out.

By value, not by place: a password turns up in a driver's error, in a printed address, in a cell's output. What leaves is
the journal, the message on failure, the mail, the terminal, and the executed notebooks with the pages made from them.
"""

from __future__ import annotations

import html
import json
import os
import re
from typing import IO, Any
from urllib.parse import quote, unquote

SHORTEST = 4  # characters; a shorter value would blank ordinary words

_known: dict[str, str] = {}  # text: what stands in its place


def know(settings: Any) -> None:
    """Learn the values behind every `env:NAME` in settings of plain values: the whole value, and the password in it."""
    for name in sorted(references(settings)):
        value = os.environ.get(name, "")
        for secret in {value, *_passwords(value)}:
            if len(secret) >= SHORTEST:
                _known.update((form, f"[env:{name}]") for form in _forms(secret))


def references(settings: Any) -> set[str]:
    """Names of the environment variables that settings refer to.

    >>> references({"url": "env:ERP_URL", "ledger": {"url": None}})
    {'ERP_URL'}
    """
    if isinstance(settings, dict):
        return set().union(*(references(value) for value in settings.values()))
    if isinstance(settings, list | tuple):
        return set().union(*(references(value) for value in settings))
    return {settings.removeprefix("env:")} if isinstance(settings, str) and settings.startswith("env:") else set()


def text(given: str) -> str:
    """The text with every known secret blanked, the longest first."""
    for form in sorted(_known, key=lambda form: (-len(form), form)):
        given = given.replace(form, _known[form])
    return given


def plain(value: Any) -> Any:
    """Plain values (dictionaries, lists, texts) with every known secret blanked."""
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()} if _known else value
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value] if _known else value
    return text(value) if isinstance(value, str) else value


class Stream:
    """A text stream that blanks secrets in what is written to it."""

    def __init__(self, to: IO[str]):
        self._to = to

    def write(self, given: str) -> int:
        self._to.write(text(given))
        return len(given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)


def _passwords(value: str) -> set[str]:
    """The password of an address such as smtps://user:password@host, as it stands there.

    To the first and to the last @: a person may have written one that stands in the password as it is.

    >>> sorted(_passwords("smtps://u:p@ss@host"))
    ['p', 'p@ss']
    """
    return {found[1] for pattern in (r"//[^:/@]*:(.*?)@", r"//[^:/@]*:(.*)@") if (found := re.search(pattern, value))}


def _forms(secret: str) -> set[str]:
    """A secret as it may be written: in an address, in HTML, in JSON, in a Python literal."""
    spoken = {secret, unquote(secret)}
    return {form for one in spoken for form in (one, quote(one, safe=""), html.escape(one), html.escape(one, quote=False),
                                                json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1], repr(one)[1:-1])}
