"""The journal of a company's runs: append-only, written before work starts, on disk before work goes on.

It is the truth about a run. Papermill's own record is not: after a killed kernel it leaves a notebook whose cells all
claim to be completed. One JSON object a line; a line that was cut short by a crash is the last one and is left out.
Secrets are blanked before they are written.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

from sopnb import redact


class Journal:
    """Events of a company's runs, oldest first."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, event: str, **facts: Any) -> None:
        """Add an event and wait until it is on disk."""
        line = json.dumps(redact.plain({"at": _now(), "event": event, **facts}), ensure_ascii=False, default=lambda value: redact.text(str(value)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            if file.tell() and not _ends_with_newline(self.path):
                file.write(b"\n")  # a crash cut the last line short: keep it apart from this one
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[dict[str, Any]]:
        """All whole events."""
        if not self.path.is_file():
            return []
        events = []
        for line in self.path.read_bytes().splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue  # cut short by a crash
        return events

    def last(self, cycle: str, event: str) -> dict[str, Any] | None:
        """The newest event of a kind for a cycle."""
        return next((e for e in reversed(self.read()) if e.get("cycle") == cycle and e["event"] == event), None)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _ends_with_newline(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
