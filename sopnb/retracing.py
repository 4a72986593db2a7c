"""Why the baseline moved: last cycle's brought to this one's, one step at a time."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from sopnb import baselining, frames

KEY = ["item", "location"]
MASTER = ["item", "family", "launch_date", "end_date", "successor", "like_item"]  # what the forecast reads of the item master


def retrace(
    history: pd.DataFrame,
    scores: pd.DataFrame,
    previous_scores: pd.DataFrame | None,
    *,
    months: Iterable[object],
    items: pd.DataFrame,
    tested: pd.DataFrame | None = None,
    previous_items: pd.DataFrame | None = None,
    restated: pd.DataFrame | None = None,
    calendar_factors: pd.DataFrame | None = None,
    previous_factors: pd.DataFrame | None = None,
    season: int = 12,
    cap_multiple: float = 3.0,
    new_months: int = 6,
    launch_curves: pd.DataFrame | None = None,
    workers: int = 1,
) -> pd.DataFrame | None:
    """Last cycle's baseline brought to this one's, one step at a time: why it changed.

    history           item × location × month   demand (units), to the last month known now
    scores, previous_scores    item × location × model   chosen; a series that had none takes today's
    items, previous_items      item   family, launch_date, end_date, successor, like_item; None: as today
    tested            frames.TESTED of this cycle: what `Weighted` and `Learned` know; None: both answer as `Mean`
    restated          past demand that changed since; None or no rows: nothing did
    calendar_factors, previous_factors    family × month   factor; previous None: as today
    returns           item × location × month   the baseline (units) after each step: `restated` (last cycle's models, on
                      its months as they are held today), `actuals` (on all months known now), `calendar` (with today's
                      factors), `items` (with today's item master). What is left is the choice of models. A step that
                      changed nothing has no column. None where there is no last cycle.
    """
    if previous_scores is None or previous_scores.empty or history.empty:
        return None
    plan = pd.DatetimeIndex([frames.month(m) for m in months])
    models_then = pd.concat([previous_scores, scores], ignore_index=True)
    models_then = models_then[models_then["chosen"]].drop_duplicates(KEY)
    before = items if previous_items is None else previous_items
    factors = calendar_factors if previous_factors is None else previous_factors
    runs = {"actuals": (history, factors, before)}
    if restated is not None and len(restated):
        runs = {"restated": (history[history["month"] < history["month"].max()], factors, before), **runs}
    if not _same(factors, calendar_factors):
        runs["calendar"] = (history, calendar_factors, before)
    if not _same(*(table.reindex(columns=MASTER) for table in (before, items))):
        runs["items"] = (history, calendar_factors, items)
    pieces = []
    for step, (known, now_factors, master) in runs.items():
        out, _ = baselining.points(known, models_then, tested, plan, season, cap_multiple, master, now_factors, workers, bands_too=False)
        out = baselining.by_the_master(out.drop(columns="apart"), known, master, new_months, launch_curves)
        pieces.append(out.loc[out["month"].isin(plan)].set_index([*KEY, "month"])["baseline"].rename(step))
    return pd.concat(pieces, axis=1, sort=True).reset_index()


def _same(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two tables say the same; no table is as one without rows."""
    a, b = (None if table is None or table.empty else table.reset_index(drop=True) for table in (one, other))
    if a is None or b is None:
        return a is b
    if "factor" in a.columns:
        a, b = a.round(9), b.round(9)
    return bool(a.equals(b))
