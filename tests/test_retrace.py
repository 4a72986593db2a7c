"""Why the baseline moved: last cycle's models on the past as it is held now, the new month, the calendar, the item master."""

from __future__ import annotations

import numpy as np
import pandas as pd
from helpers import frame
from test_forecast import KEY, LAGS, history, patterns, seasonal

from sopnb import changes, forecast, frames

MONTHS = frames.months("2026-07", 6)
ITEMS = frame("item family launch_date end_date successor like_item", "A f - - - -", "B g - - - -")


def scored(h: pd.DataFrame, **models: str) -> pd.DataFrame:
    """Scores in which a model is chosen for each item by name."""
    table = h[KEY].drop_duplicates().assign(wape=0.1, bias=0.0, n=12, demand=1.0, chosen=True, beats_naive=True)
    return frames.conform(table.assign(model=table["item"].map(models)), frames.SCORES)


def retraced(h: pd.DataFrame, now: dict[str, str], then: dict[str, str], **given) -> pd.DataFrame:
    out = forecast.retrace(h, scored(h, **now), scored(h, **then), months=MONTHS, items=ITEMS, **given)
    return out[out["month"] == "2026-07-01"].set_index("item")


H = history({"A": [*[100.0] * 30, 130.0], "B": [50.0] * 31})


def test_the_new_month_is_judged_with_last_cycles_model():
    """A: the last month said 130, where Naive was used; today the mean of twelve months, 102.5, is."""
    found = retraced(H, {"A": "Average12", "B": "SES"}, {"A": "Naive", "B": "SES"})
    assert list(found.columns) == [*KEY[1:], "month", "actuals"], "nothing else changed"
    assert found["actuals"].round(6).tolist() == [130.0, 50.0]


def test_a_corrected_past_is_seen_without_the_new_month():
    """The month before was corrected to 100: Naive said 100 then, 130 with June in."""
    found = retraced(H, {"A": "Naive", "B": "SES"}, {"A": "Naive", "B": "SES"}, restated=frame("item location month", "A EU 2026-05"))
    assert found.loc["A", ["restated", "actuals"]].tolist() == [100.0, 130.0]


def test_another_calendar_and_another_master_are_steps_of_their_own():
    factors = frame("family month factor", "f 2026-07 2.0")
    ended = ITEMS.assign(end_date=[pd.NaT, pd.Timestamp("2026-06-30")])
    found = forecast.retrace(H, scored(H, A="SES", B="SES"), scored(H, A="SES", B="SES"), months=MONTHS, items=ended, previous_items=ITEMS,
                             calendar_factors=factors, previous_factors=factors.iloc[:0])  # fmt: skip
    july = found[found["month"] == "2026-07-01"].set_index("item")
    assert (july["calendar"] / july["actuals"]).tolist() == [2.0, 1.0]
    assert july["items"].round(6).tolist() == [july.loc["A", "calendar"].round(6), 0.0]


def test_a_series_that_is_new_in_the_scores_takes_todays_model_and_a_first_cycle_has_no_steps():
    then = scored(H, A="Naive", B="SES").iloc[:1]
    found = forecast.retrace(H, scored(H, A="Naive", B="Average12"), then, months=MONTHS, items=ITEMS)
    assert set(found["item"]) == {"A", "B"}
    assert forecast.retrace(H, scored(H, A="Naive", B="SES"), None, months=MONTHS, items=ITEMS) is None


def test_steps_lead_to_the_baseline_itself_where_no_model_changed_so_that_the_parts_add_up():
    full = history({f"I{i}": np.maximum(seasonal(48, 100 + i, 10, i), 0) for i in range(6)})
    before = full[full["month"] < full["month"].max()]
    items = pd.DataFrame({"item": [f"I{i}" for i in range(6)], "family": "f"})
    plans, scores = [], []
    for h, first in ((before, "2026-06"), (full, "2026-07")):
        tested = forecast.backtest(h, segments=patterns(h), horizon=12, lags=LAGS)
        scores.append(forecast.choose(tested, lags=LAGS, segments=patterns(h)))
        f = forecast.baseline(h, scores[-1], tested, months=frames.months(first, 6), items=items)
        plans.append(f.assign(events=0.0, pipeline=0.0, leads=0.0, sales=0.0, override=0.0, consensus=f["baseline"], price=2.0, revenue=2 * f["baseline"], margin=0.0))
    same = forecast.retrace(full, scores[1], scores[1], tested=tested, months=MONTHS, items=items).merge(plans[1], on=[*KEY, "month"])
    np.testing.assert_allclose(same["actuals"], same["baseline"])
    steps = forecast.retrace(full, scores[1], scores[0], tested=tested, months=MONTHS, items=items)
    found = changes.changes(plans[1][frames.PLAN.names], plans[0][frames.PLAN.names], steps=steps)
    shared = plans[1]["month"].isin(plans[0]["month"]), plans[0]["month"].isin(plans[1]["month"])
    np.testing.assert_allclose(found["units"].sum(), plans[1].loc[shared[0], "baseline"].sum() - plans[0].loc[shared[1], "baseline"].sum())
