"""redact: a secret is blanked by its value, however it is written."""

from __future__ import annotations

import io
import json

import pytest

from sopnb import redact

URL = "postgresql://planner:k%26 \"7ö/x@db.example/erp"


@pytest.fixture(autouse=True)
def knows(monkeypatch):
    """What an earlier test's project taught is forgotten, and what this one teaches, too."""
    monkeypatch.setattr(redact, "_known", {})
    monkeypatch.setenv("ERP_URL", URL)
    redact.know({"sources": {"orders": {"url": "env:ERP_URL"}}, "ledger": {"url": "env:NOT_SET"}, "owner": "a@b.example"})


@pytest.mark.parametrize("written", [
    URL, "k%26 \"7ö/x", "k& \"7ö/x", "k&amp; &quot;7ö/x", "k&amp; \"7ö/x", "k%26%20%227%C3%B6%2Fx", json.dumps("k& \"7ö/x"), json.dumps("k& \"7ö/x", ensure_ascii=False),
])
def test_a_password_is_blanked_in_every_form_it_is_written(written):
    assert redact.text(f"could not log in with {written}!").replace('"', "") == "could not log in with [env:ERP_URL]!"


def test_other_text_is_left_alone():
    assert redact.text("planner at db.example, table erp") == "planner at db.example, table erp"


def test_plain_values_are_blanked_at_any_depth():
    assert redact.plain({"a": [1, None, {"b": f"x {URL}"}], "c": (URL, 2.5)}) == {"a": [1, None, {"b": "x [env:ERP_URL]"}], "c": ["[env:ERP_URL]", 2.5]}


def test_a_value_too_short_to_be_a_secret_blanks_no_words(monkeypatch):
    monkeypatch.setenv("ERP_URL", "sqlite://u:to@h")
    redact.know({"url": "env:ERP_URL"})
    assert redact.text("go to it") == "go to it"


def test_a_stream_blanks_what_is_written_to_it():
    to = io.StringIO()
    print("at", URL, file=redact.Stream(to), flush=True)
    assert to.getvalue() == "at [env:ERP_URL]\n"
