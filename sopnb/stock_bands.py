"""How far the stock of an item can be from what is projected, and which items are worth a look.

The orders stand as planned; only demand differs from the plan. So errors of the months add up: what is sold too much in
October is missing in every month after it, until somebody plans again.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SERIES = ["item", "location"]


def bands(projection, forecast, months):
    """Projected stock with the band that the forecast's own band leaves it.

    projection  item × location × month   closing, safety_stock (units)
    forecast    item × location × month   baseline, lo80, hi80 (units)
    months      the months wanted, from the first of the plan on
    returns     the projection of those months, with lo80, hi80 (units); both are closing where nothing is forecast

    lo80 = closing − √Σ (hi80 − baseline)²,  hi80 = closing + √Σ (baseline − lo80)²,  summed over the months so far: errors of
    different months are taken to be independent.
    """
    rows = projection[projection["month"].isin(months)].merge(
        forecast[[*SERIES, "month", "baseline", "lo80", "hi80"]], on=[*SERIES, "month"], how="left").sort_values([*SERIES, "month"], kind="stable")
    above, below = ((rows["hi80"] - rows["baseline"]).fillna(0.0) ** 2, (rows["baseline"] - rows["lo80"]).fillna(0.0) ** 2)
    key = [rows[name] for name in SERIES]
    rows["lo80"] = rows["closing"] - np.sqrt(above.groupby(key).cumsum())
    rows["hi80"] = rows["closing"] + np.sqrt(below.groupby(key).cumsum())
    return rows.drop(columns="baseline").reset_index(drop=True)


def that_matter(exceptions, projection, worth, months, count):
    """Items and locations to show: those short by most money first, then those with a safety stock and most demand in money.

    exceptions  EXCEPTIONS;  projection: PROJECTION;  worth: money a unit by item
    returns     item × location, at most `count` rows
    """
    short = exceptions[exceptions["kind"] == "short"].sort_values(["amount", "id"], ascending=[False, True], kind="stable")[SERIES]
    asked = projection[projection["month"].isin(months) & (projection["safety_stock"] > 0)]
    money = (asked["demand"] * asked["item"].map(worth).fillna(0.0)).groupby([asked["item"], asked["location"]]).sum()
    most = money[money > 0].sort_values(ascending=False, kind="stable").reset_index()[SERIES]
    return pd.concat([short, most], ignore_index=True).drop_duplicates().head(count).reset_index(drop=True)
