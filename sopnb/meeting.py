"""The meeting: what is asked, in which order it is talked about, who came, what was decided.

Before it, `asked`, `choices`, `agenda`, `charter` and `assumptions` frame the pack; after it, the minutes become tables and
events for the ledger in `minutes_events`. The names most used stand here. The executive meeting sees no new data: it picks
from framed options and leaves with decisions, owners and dates.
"""

from __future__ import annotations

from sopnb.agenda import agenda
from sopnb.asked import asked
from sopnb.minutes import Minutes, held, read_minutes
from sopnb.minutes_events import attendance, decisions, events, known, missing, points, quorum, record
from sopnb.scored import scored

__all__ = [
    "Minutes", "agenda", "asked", "attendance", "decisions", "events", "held", "known", "missing", "points", "quorum",
    "read_minutes", "record", "scored",
]
