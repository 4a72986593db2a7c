"""YAML read safely: plain values only, and no key twice, since YAML would keep the last one and say nothing.

    parsed(text)           its values
    file(path)             the values of a file; Problems name file, line and column where it cannot be read
    as_written=True        dates stay text until they are checked, so that 2026-02-30 is told with its place; so do words
                           such as `on`, which YAML 1.1 takes for a truth value
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from sopnb.problems import Problem, Problems


class _Once(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser where it was built: ten times as fast
    """Safe loading that refuses a key given twice."""


class _AsWritten(_Once):
    """The same, with dates and truth values as the text they are."""


def _mapping(loader: _Once, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=deep)
        if not isinstance(key, Hashable):
            continue  # refused below
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep)


_Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parsed(text: str, *, as_written: bool = False) -> Any:
    """The values of a text.

    >>> parsed("due: 2026-10-08", as_written=True)
    {'due': '2026-10-08'}
    """
    return yaml.load(text, Loader=_AsWritten if as_written else _Once)  # both are SafeLoaders, see above


def file(path: Path, *, called: str = "", as_written: bool = False, remedy: str = "Mend that line; indentation is by spaces") -> Any:
    """The values of a file.

    called    what messages call it; its path where not said
    raises    FileNotFoundError, and Problems with line and column where it cannot be read
    """
    called = called or str(path)
    try:
        return parsed(path.read_text(encoding="utf-8-sig"), as_written=as_written)
    except UnicodeDecodeError as error:
        raise Problems([Problem(called, f"is not UTF-8 text (byte {error.start})", remedy="Save it as UTF-8")]) from None
    except (yaml.YAMLError, ValueError) as error:  # a day that is none is a ValueError
        mark = getattr(error, "problem_mark", None)
        place = f"{called}, line {mark.line + 1}, column {mark.column + 1}" if mark else called
        raise Problems([Problem(place, f"cannot be read as YAML: {getattr(error, 'problem', error)}", remedy=remedy)]) from None
