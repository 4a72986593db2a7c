"""A sample of `make torture`: random faults, killed senders, two senders at once; nothing twice, nothing lost unsaid."""

from __future__ import annotations

import pytest
import torture

from sopnb import smtp_line

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH", "ignore:.*fork.*:DeprecationWarning")


@pytest.mark.skipif(torture.FORKED is None, reason="senders are killed by forking, which this system does not do")
def test_nothing_is_sent_twice_and_nothing_is_lost_unsaid(tmp_path, authority, trusted, monkeypatch):
    for name in ("SECONDS", "DOT_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(smtp_line, name, getattr(smtp_line, name))  # put back afterwards
    tally, wrong, met = torture.torture(60, 7, tmp_path, authority)
    assert not wrong, wrong
    assert tally["mails"] == 60 == tally["sent"] + tally["unknown"] + tally["refused"]
    assert tally["taken"] >= 30 and sum(met.values()) >= 20 and tally["killed"] >= 1 and tally["together"] >= 1, "it was a torture"


def test_the_count_sees_a_mail_that_left_twice(tmp_path, authority, trusted, monkeypatch):
    """The torture is worth nothing if it cannot fail: a sender that forgets its claims sends again."""
    if torture.FORKED is None:
        pytest.skip("senders are killed by forking, which this system does not do")
    for name in ("SECONDS", "DOT_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(smtp_line, name, getattr(smtp_line, name))
    monkeypatch.setattr(torture.delivery.Standing, "again", lambda *_: True)
    monkeypatch.setattr(torture, "ROUNDS", 1)
    _, wrong, _ = torture.torture(20, 7, tmp_path, authority)
    assert any("times" in line for line in wrong)
