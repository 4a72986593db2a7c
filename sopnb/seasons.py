"""Items that are sold for one season only: one order, sized by what a unit too few and a unit too many cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb.order_sizes import newsvendor

SERIES = ["item", "location"]
BAND80 = 2 * 1.2815515655446004  # standard deviations between the ends of an 80 % band of the normal


def one_season(plan, forecast, items, *, clearance_discount=0.50, distribution="gamma"):
    """The order for every item × location whose whole life lies within the plan.

    plan       item × location × month   consensus (units), price (money a unit)
    forecast   item × location × month   baseline, lo80, hi80 (units): how far off the season may be
    items      item                      launch_date, end_date, unit_cost, unit_price (list, where the plan has no price), moq, lot_multiple
    clearance_discount   of price, to sell what is left: what is left is worth price · (1 − clearance_discount)
    distribution         of the season's demand, see `safety.level_for_cycle`
    returns    item × location   first, last (months), demand, sd (units), price, unit_cost, worth (money a unit), ratio, quantity, sales,
               leftover, shortage (units), profit (money), because (empty; below_cost: nothing is ordered; no_loss: what is left
               loses nothing, so no order is too large; unknown: price, cost or band is missing)

    An item counts where it is launched in or after the first month and ends by the last. Bands of months are added up, since a
    season that is misjudged is misjudged in all its months. The order is the newsvendor's, at least moq and in multiples.
    source     Chopra and Meindl, Supply Chain Management, "Determining the optimal level of product availability"
    """
    first, end = plan["month"].min(), plan["month"].max() + pd.offsets.MonthEnd(0)
    own = items[(items["launch_date"] >= first) & (items["end_date"] <= end)].set_index("item")
    rows = plan[plan["item"].isin(own.index) & (plan["consensus"] > 0)]
    rows = rows.merge(forecast[[*SERIES, "month", "lo80", "hi80"]], on=[*SERIES, "month"], how="left")
    rows = rows.assign(sd=(rows["hi80"] - rows["lo80"]) / BAND80, amount=rows["consensus"] * rows["price"])
    out = rows.groupby(SERIES, as_index=False).agg(first=("month", "min"), last=("month", "max"), demand=("consensus", "sum"),
                                                   sd=("sd", lambda s: s.sum(skipna=False)), amount=("amount", lambda s: s.sum(skipna=False)))
    out["price"] = (out.pop("amount") / out["demand"]).fillna(out["item"].map(own["unit_price"]).astype("float64"))
    out["unit_cost"] = out["item"].map(own["unit_cost"]).astype("float64")
    out["worth"] = out["price"] * (1 - clearance_discount)
    out["because"] = np.select([out[["sd", "price", "unit_cost"]].isna().any(axis=1), out["price"] <= out["unit_cost"], out["worth"] >= out["unit_cost"]],
                               ["unknown", "below_cost", "no_loss"], default="")
    return _ordered(out, own, distribution)


def _ordered(out, own, distribution):
    """The newsvendor's order of every row that can be judged, rounded to lots, and what it brings."""
    for name in ("ratio", "quantity", "sales", "leftover", "shortage", "profit"):
        out[name] = np.nan
    out.loc[out["because"] == "below_cost", "quantity"] = 0.0
    sound = out.index[out["because"] == ""]
    if len(sound):
        rows = out.loc[sound]
        costs = (rows["price"] - rows["unit_cost"]).to_numpy(), (rows["unit_cost"] - rows["worth"]).to_numpy(), rows["demand"].to_numpy(), rows["sd"].to_numpy()
        best = newsvendor(*costs, distribution=distribution)
        moq, multiple = (rows["item"].map(own[name]).astype("float64").to_numpy() for name in ("moq", "lot_multiple"))
        step = np.where(multiple > 0, multiple, 1.0)
        quantity = np.ceil(np.fmax(np.rint(best.quantity / step) * step, np.nan_to_num(moq)) / step - 1e-9) * step
        for name, value in newsvendor(*costs, distribution=distribution, quantity=quantity)._asdict().items():
            if name != "service":
                out.loc[sound, name] = value
    return out
