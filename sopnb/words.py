"""Sentences with numbers in them, in the report's language and number format.

    say("**{model}** misses by {wape:.1%} of demand.", model="AutoETS", wape=0.258)

A template is a literal: what a program writes is never a template, so a product called `{x}` or `<b>` is shown as
text. Marks are allowed in the template only: `**bold**` and `` `code` ``. The specs (`{x:money}`, `{x:month}`,
`{x:+.1%}` …) are the table at the top of `sopnb.formats`; `{x:source}` is a source's name, `{x:case}` the place of a row in a file.

Sentences whose kind is stored in a table (a finding's rule, an exception's cause) are kept by id in
sopnb/messages/<module>.yaml, flat `id: "template"`; `message(id, values)` says them. In another language each template is
looked up in `sopnb.translations` before it is filled.
"""

from __future__ import annotations

import functools
import html
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from string import Formatter
from types import CodeType
from typing import Any

import yaml

from sopnb import translations, yaml_files
from sopnb.formats import (
    MISSING,
    WordsError,
    compact,
    currency_sign,
    is_missing,
    language,
    money,
    month,
    number,
    scales,
    short,
    show,
    speak,
    speaking,
    whole_money,
)
from sopnb.problems import nearest

__all__ = [
    "MESSAGES", "MISSING", "Sentence", "WordsError", "as_sentence", "compact", "currency_sign", "is_missing", "label",
    "language", "message", "money", "month", "number", "plain", "read_messages", "say", "scales", "show", "speak", "speaking", "status", "term", "terms", "whole_money",
]

MESSAGES: dict[str, str]  # all messages by id; read when first asked for, see __getattr__


class Sentence:
    """What was said, three times: `.text` as it is read, `.html` escaped, `.markdown` escaped."""

    __slots__ = ("html", "markdown", "text")

    def __init__(self, text: str, html: str, markdown: str):
        self.text, self.html, self.markdown = text, html, markdown

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and (self.text, self.html) == (other.text, other.html)

    def __hash__(self) -> int:
        return hash((self.text, self.html))

    def __bool__(self) -> bool:
        return bool(self.text)

    def __add__(self, other: Sentence) -> Sentence:
        """Two sentences in a row, with a space between."""
        if not isinstance(other, Sentence):
            return NotImplemented
        return Sentence(f"{self.text} {other.text}", f"{self.html} {other.html}", f"{self.markdown} {other.markdown}")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": f'<p class="say">{self.html}</p>', "text/plain": self.text}


def plain(text: object) -> Sentence:
    """Text as a sentence, every character of it shown as it is: for titles that are data."""
    shown = "" if text is None else str(text)
    return Sentence(shown, html.escape(shown), _markdown(shown))


def as_sentence(said: Sentence | str) -> Sentence:
    """A sentence stays what it is; a string is a text of ours without values, in the reader's language."""
    return said if isinstance(said, Sentence) else plain(label(said))


def label(text: Sentence | str) -> str:
    """A heading, a subtitle or a source in the reader's language; a sentence as it reads."""
    return text.text if isinstance(text, Sentence) else translations.translated(str(text))


def say(template: str, /, **values: Any) -> Sentence:
    """The template with its values, escaped and in the reader's number format.

    template  a literal; `{name:spec}` for values, `**bold**` and `` `code` `` for marks
    values    what the template names; more may be given
    raises    WordsError: the template is not a literal, a value is missing, a spec does not fit its value
    """
    if not _is_literal(template, sys._getframe(1).f_code):
        raise WordsError(f"say() takes a literal template, and {short(template)} was put together by the program. "
                         'Write say("… {name} …", name=value), so that values are escaped and formatted.')
    return _fill(template, values)


def message(message_id: str, values: Mapping[str, Any] | str | None = None) -> Sentence:
    """The sentence stored under an id in sopnb/messages/*.yaml, with values from a dict or from a column's JSON.

    raises   WordsError for an unknown id (naming the nearest), values that are no JSON object, or a missing value
    """
    templates = _messages()
    if message_id not in templates:
        raise WordsError(f"no message {message_id!r} in sopnb/messages. {nearest(str(message_id), templates)}".strip())
    return _fill(templates[message_id], _values(message_id, values), name=message_id)


def term(kind: str, code: object) -> Sentence:
    """A code of a table in the reader's language, as sopnb/messages/terms.yaml has it; one without a line as it is.

    >>> term("pattern", "lumpy"), term("reason", "seen_at_a_fair")
    (lumpy, seen at a fair)
    """
    known = f"term.{kind}.{code}"
    return message(known) if known in _messages() else plain(MISSING if is_missing(code) else str(code).replace("_", " ") if kind == "reason" else code)


def terms(kind: str, codes: Iterable[object]) -> str:
    """Codes in a row, each as `term` says it; sources by the names that readers give them."""
    return ", ".join(_lower(source_name(code)) if kind == "source" else term(kind, code).text for code in codes)


def source_name(code: object) -> str:
    """A source as a reader calls it: Stock history, not stock_history."""
    own = f"term.named.{code}"
    text = message(own).text if own in _messages() else term("source", code).text.replace("_", " ")
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _values(message_id: str, values: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if isinstance(values, Mapping):
        return values
    if values is None or values == "" or (isinstance(values, float) and math.isnan(values)):
        return {}
    try:
        read = json.loads(values)
    except (TypeError, ValueError) as error:
        raise WordsError(f"values of message {message_id!r} are not JSON: {short(values)}") from error
    if not isinstance(read, dict):
        raise WordsError(f"values of message {message_id!r} must be a JSON object with names, not {short(values)}")
    return read


def _is_literal(template: object, code: CodeType) -> bool:
    """Whether the string stands in the caller's source: as a constant of its code or of code nested in it."""
    return isinstance(template, str) and any(_holds(constant, template) for constant in code.co_consts)


def _holds(constant: object, template: str) -> bool:
    if isinstance(constant, str):
        return constant == template
    if isinstance(constant, tuple | frozenset):
        return any(_holds(part, template) for part in constant)
    return isinstance(constant, CodeType) and any(_holds(part, template) for part in constant.co_consts)


@functools.lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[tuple[str, str, str], ...]:
    """A template as (kind, content, spec): kind is text, value, ** or `.

    >>> _parts("**{n:,d}** rows")
    (('**', '', ''), ('value', 'n', ',d'), ('**', '', ''), ('text', ' rows', ''))
    """
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise WordsError(f"template {short(template)} cannot be read: {error}") from error
    parts: list[tuple[str, str, str]] = []
    for literal, name, spec, conversion in fields:
        for piece in re.split(r"(\*\*|`)", literal):
            if piece:
                parts.append((piece, "", "") if piece in ("**", "`") else ("text", piece, ""))
        if name is not None:
            if not name.isidentifier() or conversion:
                raise WordsError(f"template {short(template)}: {{{name}}} must be a plain name, as in {{amount:money}}.")
            parts.append(("value", name, spec or ""))
    for mark in ("**", "`"):
        if sum(kind == mark for kind, _, _ in parts) % 2:
            raise WordsError(f"template {short(template)}: {mark} is opened and not closed.")
    return tuple(parts)


_WHOLE = {"money", "money+", "price", "compact", "compact+", "mon"}  # a line on a page does not break within them
_AMOUNT = re.compile(r"(?<=\bRp) (?=\d)|(?<=\b[A-Z]{3}) (?=\d)|(?<=\d) (?=(?:tn|bn|m|triliun|miliar|juta)\b)")  # nor within amounts in what was said before


def _fill(source: str, values: Mapping[str, Any], name: str = "") -> Sentence:
    template = translations.translated(source)
    where = f"message {name!r}" if name else f"template {short(template)}"
    text, page, mark = [], [], []
    bold = code = False
    run: list[str] = []  # words inside a code span
    for kind, content, spec in _parts(template):
        if kind == "**":
            bold = not bold
            page.append("<strong>" if bold else "</strong>")
            mark.append("**")
            continue
        if kind == "`":
            code = not code
            page.append("<code>" if code else "</code>")
            if not code:
                mark.append(_code("".join(run)))
                run = []
            continue
        shown = content if kind == "text" else _value(values, content, spec, where)
        text.append(shown)
        page.append(html.escape(shown.replace(" ", "\u00a0") if spec in _WHOLE else _AMOUNT.sub("\u00a0", shown) if kind == "value" and not spec else shown))
        if code:
            run.append(shown)
        else:
            mark.append(_markdown(shown) if kind == "value" else _markdown_literal(shown))
    return Sentence("".join(text), "".join(page), "".join(mark))


def _value(values: Mapping[str, Any], name: str, spec: str, where: str) -> str:
    if name not in values:
        given = ", ".join(map(str, values)) or "none"
        raise WordsError(f"{where} needs a value for {name!r}. Given: {given}. {nearest(name, values)}".strip())
    try:
        return _SAID[spec](values[name]) if spec in _SAID else show(values[name], spec)
    except WordsError as error:
        raise WordsError(f"{where}, value {name!r}: {error}") from error


def _case(value: object) -> str:
    """The place of a first case, stored as `orders.csv, row 12, 31/09/2026`."""
    file, mark, rest = str(value).partition(", row ")
    return message("term.place", {"file": file, "row": rest}).text if mark else show(value)


_SAID: dict[str, Callable[[Any], str]] = {"source": lambda value: term("source", value).text, "case": _case}  # specs that are words of ours


def _markdown(text: str) -> str:
    """A value in Markdown: every punctuation mark escaped, white space that could start a block as a reference."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    escaped = re.sub(r"[\t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]", lambda found: f"&#{ord(found[0])};", escaped)
    return re.sub(r"^ +| +$", lambda found: "&#32;" * len(found[0]), escaped)


def _markdown_literal(text: str) -> str:
    return re.sub(r"([\\*_\[\]<>|$&~])", r"\\\1", text)


def _code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks in it."""
    inner = re.sub(r"\s", " ", text)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", inner)), default=0) + 1)
    return f"{fence} {inner} {fence}" if inner.startswith("`") or inner.endswith("`") or inner != inner.strip() else f"{fence}{inner}{fence}"


# --- the messages of the steps --------------------------------------------------------------------------------------

def _read(file: str, text: str) -> dict[str, Any]:
    try:
        return yaml_files.parsed(text) or {}
    except yaml.YAMLError as error:
        raise WordsError(f"messages in {file}: {' '.join(str(error).split())}") from None


def read_messages(texts: Mapping[str, str]) -> dict[str, str]:
    """Message templates from YAML texts by file name: flat `id: "template"`, each id once over all files.

    raises   WordsError: an id twice, a template that is not text or cannot be read
    """
    found: dict[str, str] = {}
    home: dict[str, str] = {}
    for file in sorted(texts):
        for message_id, template in _read(file, texts[file]).items():
            if message_id in found:
                raise WordsError(f"message {message_id!r} stands in {home[message_id]} and again in {file}. Give one another id.")
            if not isinstance(template, str):
                raise WordsError(f"message {message_id!r} in {file} must be a text, not {template!r}.")
            _parts(template)
            found[message_id], home[message_id] = template, file
    return found


@functools.cache
def _messages() -> dict[str, str]:
    folder = resources.files("sopnb").joinpath("messages")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".yaml")] if folder.is_dir() else []
    return read_messages({entry.name: entry.read_text(encoding="utf-8") for entry in files})


def __getattr__(name: str) -> Any:
    """`words.MESSAGES`: read when first asked for, so that importing words stays cheap."""
    if name == "MESSAGES":
        return _messages()
    raise AttributeError(f"module 'sopnb.words' has no attribute {name!r}")


def status(word: str) -> Sentence:
    """A KPI's status as its word: on, watch, off or none."""
    return message(f"words.{word}")
