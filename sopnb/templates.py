"""Templates compiled once in a process, however many pages and mails are made of them: compiling one takes longer than filling it."""

from __future__ import annotations

import functools
from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket


class Kept(jinja2.BytecodeCache):
    """What a template was compiled to, by its file and its text; an edited template is compiled again."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


@functools.cache
def kept(kind: str) -> Kept:
    """The compiled templates of one kind of environment: another one's escape and trim in another way."""
    return Kept()


def environment(folder: Path) -> jinja2.Environment:
    """An environment of a page's own over the templates of a folder: every value is escaped, a missing one is an error."""
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined, bytecode_cache=kept("page"))
