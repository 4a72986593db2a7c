"""Did earlier decisions bring what was expected? Expected and realised side by side, once the month of judgement has come.

A decision is a hit where its measure moved in the expected direction by at least `hit_share` (half, unless the params
file says otherwise) of what was expected. Where there is nothing to measure, whoever decided is asked, and their word
counts (`sopnb decisions judge`); where there is, the measure counts.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sopnb import frames

HIT_SHARE = 0.5


def scored(decisions: pd.DataFrame, kpis: pd.DataFrame, *, month: Any, hit_share: float = HIT_SHARE) -> pd.DataFrame:
    """Decisions whose effect can be judged by now: what was expected of them and what came.

    decisions  decision   title, decided_by, effect_kpi, effect, judged, cycle (the month of the meeting); and, of what a
                          person said since: said (hit or missed), said_by, note; see Ledger.decisions
    kpis       kpi × scope × month   value, version; those of `all` count, of a month judged twice the first
    month      last month with actuals
    hit_share  of the expected effect, from which a decision is a hit
    returns    frames.SCORED
               before is the value of the month before the meeting, after that of the month of judgement
               realised = after − before; came = realised / expected
               outcome: hit where came ≥ hit_share, else missed; as a person said where there is nothing to measure; ask
               where nobody has said. by: measure or person. because: why it cannot be measured
    """
    due = decisions[decisions["judged"].notna() & (decisions["judged"] <= frames.month(month))]
    values = kpis[kpis["scope"] == "all"].drop_duplicates(["kpi", "month"], keep="first").set_index(["kpi", "month"])
    rows = [_row(row, values, hit_share) for row in due.to_dict("records")]
    if not rows:
        return frames.empty(frames.SCORED)
    return frames.conform(pd.DataFrame(rows, columns=frames.SCORED.names), frames.SCORED).sort_values(
        ["judged", "decision"], kind="stable").reset_index(drop=True)


def _row(decision: dict[Any, Any], values: pd.DataFrame, hit_share: float) -> dict[str, Any]:
    kpi, expected = decision["effect_kpi"], float(decision["effect"]) if pd.notna(decision["effect"]) else math.nan
    (before, old), (after, new) = (_value(values, kpi, month) for month in (frames.next_month(decision["cycle"], -1), decision["judged"]))
    realised = after - before if old == new else math.nan
    because = _because(kpi, expected, before, after, old == new)
    came = math.nan if because else realised / expected
    said = decision.get("said")
    told = said if isinstance(said, str) else None
    outcome = ("hit" if came >= hit_share - 1e-12 else "missed") if because is None else told or "ask"
    return {"decision": decision["decision"], "title": decision["title"], "decided_by": decision.get("decided_by"), "cycle": decision["cycle"],
            "effect_kpi": kpi, "judged": decision["judged"], "expected": expected, "before": before, "after": after, "realised": realised, "came": came,
            "outcome": outcome, "by": "measure" if because is None else "person" if told else None, "because": because,
            "said_by": decision.get("said_by") if because and told else None, "note": decision.get("note") if because and told else None}


def _value(values: pd.DataFrame, kpi: Any, month: Any) -> tuple[float, str]:
    """A measure's value in a month, and the version of its definition."""
    if kpi is None or (kpi, month) not in values.index:
        return math.nan, ""
    row = values.loc[(kpi, month)]
    return float(row["value"]), str(row["version"]) if "version" in row.index else ""


def _because(kpi: Any, expected: float, before: float, after: float, same: bool) -> str | None:
    """Why nothing can be measured: a message id; None where it can."""
    if not isinstance(kpi, str) or math.isnan(expected):
        return "scored.because.no_effect"
    if math.isnan(before) or math.isnan(after):
        return "scored.because.no_value"
    if not same:
        return "scored.because.definition"
    return "scored.because.nothing" if expected == 0 else None
