"""A source that is a query on a database: one SELECT, read and never written; the address comes from the environment."""

from __future__ import annotations

import os
import re
from typing import Any

import pandas as pd

from sopnb.problems import Problem, Problems

_WRITES = re.compile(r"\b(insert|update|delete|merge|drop|alter|create|truncate|grant|revoke|exec|execute|call|attach|copy|into|pragma|install|load|set)\b", re.I)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|`[^`]*`|\[[^\]]*\]", re.S)


def only_reads(sql: str) -> bool:
    """No word that writes stands outside quotes: `WITH x AS (DELETE …)` parses as a SELECT too."""
    bare = _QUOTED.sub(" ", sql).strip().rstrip(";")
    return not _WRITES.search(bare) and ";" not in bare and bool(re.match(r"(select|with|from|values)\b|\(", bare, re.I))


def read(name: str, setting: dict[str, Any], *, cut_off: pd.Timestamp) -> pd.DataFrame:
    """The rows of one SELECT on a database, in a transaction that is rolled back. The address is named, never shown.

    name      the source, for messages
    setting   its `sql`, and its `url` as env:VARIABLE
    cut_off   stands for $cut_off in the query
    raises    Problems: variable not set, not a SELECT, or what the database answers
    """
    import sqlalchemy as sa

    variable = setting["url"].removeprefix("env:")
    address = os.environ.get(variable)
    if not address:
        raise Problems([Problem(f"{name}: url", f"the environment variable {variable} is not set", "an address such as postgresql+psycopg://…",
                                f"Set {variable} where sopnb runs")])
    if not only_reads(setting["sql"]):
        raise Problems([Problem(f"{name}: sql", "is not a single SELECT", "one SELECT", "Reading is all a source may do")])
    sql = re.sub(r"\$cut_off\b", ":cut_off", setting["sql"])
    try:
        engine = sa.create_engine(address)
        try:
            with engine.connect() as con:
                if engine.dialect.name == "postgresql":
                    con.execute(sa.text("SET TRANSACTION READ ONLY"))
                result = con.execute(sa.text(sql), {"cut_off": cut_off.date()} if re.search(r"(?<!:):cut_off\b", sql) else {})
                df = pd.DataFrame(result.fetchall(), columns=list(result.keys()), dtype=object)
                con.rollback()
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        told = _without_secrets(str(getattr(error, "orig", None) or error).splitlines()[0], address)
        raise Problems([Problem(f"{name}: url env:{variable}", f"the database answers: {told}", remedy="Mend the query, or the address in that variable")]) from None
    return df


def _without_secrets(text: str, address: str) -> str:
    """A message without the address or any part of its user and password."""
    inside = re.search(r"//([^@/]*)@", address)
    secrets = [address, *(inside.group(1).split(":") if inside else [])]
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text
