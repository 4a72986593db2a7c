"""Libraries without what they load and nobody here needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(module: str) -> Iterator[None]:
    """While this lasts a module cannot be imported; who asks for it does as where it is not installed. One that is loaded stays."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # the import system's own sign for this
    try:
        yield
    finally:
        del sys.modules[module]


def nbformat() -> Any:
    """nbformat, and with it the jsonschema that papermill and nbconvert use too.

    jsonschema would build a grammar of internationalised web addresses (RFC 3987) when it is imported: 1.6 s of computing in
    each process, for a kind of field that no notebook has.
    """
    with without("rfc3987_syntax"):
        import nbformat
    return nbformat
