"""Which moving holidays make a family's forecast better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from sopnb import accuracy, calendar, frames
from sopnb.backtesting import backtest

KEY = ["item", "location"]


def calendar_effects(
    history: pd.DataFrame,
    *,
    items: pd.DataFrame,
    shares: pd.DataFrame,
    lags: Sequence[int] = (1, 2, 3),
    origins: int = 8,
    season: int = 12,
    model: str = "Theta+HoltWinters",
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The effect of a moving holiday by family, and whether it makes the family's forecast better.

    history  item × location × month  demand (units)
    items    item                     family
    shares   window × month           share of the holiday's windows (`calendar.holiday_shares`), months ahead included
    previous family × month   factor: last cycle's factors; a family for which it counted then keeps it a while (`calendar.switched`)
    returns  family × window  effect (fraction), se, t, n, wape_without, wape_with (fractions), used, kept (flags)

    Family totals are forecast from `origins` origins, max(lags) months apart, with and without the effect; each time it
    is estimated from the months up to the origin only. `used` where the error is less with it, and |t| ≥ 2 for a window, or `kept`.
    `calendar.holiday_factors(effects, shares)` gives the factors for `backtest` and `baseline`.
    """
    if history.empty or shares.empty:
        return pd.DataFrame(columns=["family", "window", "effect", "se", "t", "n", "wape_without", "wape_with", "used", "kept"])
    families = dict(zip(items["item"], items["family"], strict=True))
    totals = history.assign(item=history["item"].map(families).fillna("unknown"), location="all")
    totals = totals.groupby([*KEY, "month"], sort=True)["demand"].sum().reset_index()
    effects = calendar.moving_holiday_effect(totals.rename(columns={"item": "family"}), shares, season=season)
    first, last, spread = totals["month"].min(), totals["month"].max(), max(lags)
    ends = [frames.next_month(last, -number * spread) for number in range(origins, 0, -1)]
    ends = [origin for origin in ends if frames.months_between(first, origin) >= season]
    smooth = totals[KEY].drop_duplicates().assign(pattern="smooth")
    test = partial(backtest, segments=smooth, horizon=spread, lags=lags, season=season, models=[model])
    pieces = [test(totals, origins=len(ends)).assign(way="without")] if ends else []
    for origin in ends:
        known = totals[totals["month"] <= frames.next_month(origin, spread)]
        seen = known[known["month"] <= origin].rename(columns={"item": "family"})
        then = calendar.holiday_factors(calendar.moving_holiday_effect(seen, shares, season=season), shares)
        pieces.append(test(known, origins=1, calendar_factors=then.rename(columns={"family": "item"})).assign(way="with"))
    if not pieces:  # too short a history to judge
        return effects.assign(wape_without=np.nan, wape_with=np.nan, used=False, kept=False)
    both = pd.concat(pieces, ignore_index=True)
    wapes = accuracy.score(both[both["model"] == model], by=["item", "way"]).pivot(index="item", columns="way", values="wape")
    found = effects.assign(wape_without=effects["family"].map(wapes["without"]), wape_with=effects["family"].map(wapes["with"]))
    return calendar.switched(found, previous)
