"""The meeting: what is asked, in which order it is talked about, who came, what was decided.

Before it, `asked`, `choices`, `agenda`, `charter` and `assumptions` frame the pack; after it, the minutes become tables and
events for the ledger in `minutes_events`. The names most used stand here. The executive meeting sees no new data: it picks
from framed options and leaves with decisions, owners and dates.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import frames
from sopnb.agenda import agenda
from sopnb.asked import asked
from sopnb.minutes import Minutes, held, read_minutes
from sopnb.minutes_events import attendance, decisions, events, known, missing, points, quorum, record
from sopnb.minutes_form import form

__all__ = [
    "Minutes", "agenda", "asked", "attendance", "decisions", "events", "form", "held", "known", "missing", "points", "quorum",
    "read_minutes", "record", "scored",
]

# --- after the meeting ----------------------------------------------------------------------------------------------

def scored(decisions: pd.DataFrame, kpis: pd.DataFrame, *, month: Any) -> pd.DataFrame:
    """Decisions whose effect can be judged by now: what was expected of them and what came.

    decisions  decision   title, effect_kpi, effect, judged, cycle (the month of the meeting); see Ledger.decisions
    kpis       kpi × scope × month   value; those of `all` count
    month      last month with actuals
    returns    decision   title, effect_kpi, judged, expected, before, after, realised, came (share of what was expected)
               before is the value of the month before the meeting, realised = after − before; missing where either is
    """
    names = ["decision", "title", "effect_kpi", "judged", "expected", "before", "after", "realised", "came"]
    due = decisions[decisions["judged"].notna() & (decisions["judged"] <= frames.month(month)) & decisions["effect"].notna()]
    values = kpis[kpis["scope"] == "all"].drop_duplicates(["kpi", "month"], keep="last").set_index(["kpi", "month"])["value"]
    rows = []
    for row in _records(due):
        before = values.get((row["effect_kpi"], frames.next_month(row["cycle"], -1)), float("nan"))
        after = values.get((row["effect_kpi"], row["judged"]), float("nan"))
        rows.append({**row, "expected": row["effect"], "before": before, "after": after, "realised": after - before,
                     "came": (after - before) / row["effect"] if row["effect"] else float("nan")})
    return pd.DataFrame(rows, columns=names).sort_values(["judged", "decision"], kind="stable").reset_index(drop=True)


# --- small things ---------------------------------------------------------------------------------------------------

def _records(df: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in df.to_dict("records")]
