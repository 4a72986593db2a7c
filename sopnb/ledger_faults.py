"""What a database says when it refuses, in words that name the place and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from sopnb.problems import Problem, Problems

CONNECT_SECONDS = 10  # how long a server may keep silent before the first word

# What the driver says (small letters): what is wrong, and what to do.
_SAID = (
    (r"database is locked|lock.?timeout|lock timeout|canceling statement due to lock",
     "another program holds the ledger and did not let go", "Close the program that has it open, or wait and run again; nothing was recorded"),
    (r"readonly|read-only|permission denied for|must be owner",
     "may be read and not written by this user", "Ask who keeps it for the right to write; nothing was recorded"),
    (r"not a database|malformed|disk image", "is not a ledger, or is damaged", "Put back its copy, or move the file away; events since that copy are lost"),
    (r"disk is full|disk full|no space", "the disk is full", "Make room and run again; nothing was recorded"),
    (r"unable to open database file", "cannot be opened", "Look at the rights of that file and its folder"),
    (r"password authentication failed|no password supplied|authentication", "the server refuses the user or the password", "Look at user and password in the address"),
    (r"database \".*\" does not exist", "the server has no such database", "Create it, or mend the address"),
    (r"could not translate host|name or service not known|nodename|resolve host", "the server's name is not known", "Look at the host in the address"),
    (r"connection refused|could not connect|timeout expired|connection timed out|is the server running|connection failed|unreachable|server closed|terminat|broken pipe|connection already closed|consuming input",
     "the server cannot be reached", "See that it runs and that this machine may reach it, then run again; what was not finished was not recorded"),
    (r"no such table|undefined ?table|has no column", "holds another kind of table", "Look at the address"),
)


class LedgerError(Problems):
    """The ledger cannot be read or written; nothing was recorded."""


@contextmanager
def plainly(called: str) -> Iterator[None]:
    """Whatever a database or its driver refuses inside becomes a LedgerError; the address is never shown.

    called   the ledger's file, or the setting that holds its address
    """
    try:
        yield
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise _error(called, f"this installation lacks the driver ({_named(error)})", "", "pip install 'sopnb[postgres]'") from None
    except sa.exc.ArgumentError:
        raise _error(called, "is not a database address", "as postgresql+psycopg://user:password@host/database", "Mend the address in the environment") from None
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.OperationalError, sa.exc.InternalError, sa.exc.DatabaseError) as error:
        found = _said(str(error.orig))
        if found is None:
            raise
        raise _error(called, *found) from None


def folder_of(file: Path, called: str) -> None:
    """Make the folder a ledger's file is to lie in.

    raises   LedgerError
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _error(called, f"its folder cannot be made ({error.strerror})", "", "Look at the rights of the folder above; no file may be in its place") from None


def _said(text: str) -> tuple[str, str, str] | None:
    for pattern, wrong, remedy in _SAID:
        if re.search(pattern, text.lower()):
            return wrong, "", remedy
    return None


def _named(error: Exception) -> str:
    return str(getattr(error, "name", None) or error).splitlines()[0]


def _error(called: str, wrong: str, allowed: str, remedy: str) -> LedgerError:
    return LedgerError([Problem(called, wrong, allowed, remedy)])
