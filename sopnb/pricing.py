"""Money per unit: the price list of the month, less the discount to be expected.

    price = list × (1 − discount)          money per unit, net

    stated    the price list states the expected discount of the month
    usual     it states none: the discount really given over the last 12 months, 1 − Σ net / Σ (units × list), of the
              item; where it sold nothing, of all items together
    fetched   no price is listed: what a unit of the series, else of the item, fetched net over the last 12 months
    master    nor was it sold: the list price of the item master, without a discount
    none      no price is known

A listed price holds from its month until the next one listed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import frames

BASES = ("stated", "usual", "fetched", "master", "none")
_SERIES = ["item", "location"]


def net(rows: pd.DataFrame, *, items: pd.DataFrame, prices: pd.DataFrame | None = None, history: pd.DataFrame | None = None) -> pd.DataFrame:
    """The net price of each row, and what it rests on.

    rows      item × location × month, any order
    items     item           unit_price (money, list)
    prices    item × month   price (money, list), discount (fraction; may be missing)
    history   item × location × month   demand_raw, returns (units), revenue (money, net)
    returns   rows' item, location, month and index, with list, price (money per unit; missing where not known),
              discount (fraction of list), basis (see above)
    """
    out = rows[["item", "location", "month"]].copy()
    recent = None if history is None or history.empty else history[history["month"] > frames.next_month(history["month"].max(), -12)]
    listed = _listed(out, prices)
    out["list"] = listed["price"]
    usual = _usual_discount(out["item"], recent, prices) if listed["discount"].isna().any() else pd.Series(0.0, index=out.index)
    out["discount"] = listed["discount"].fillna(usual).where(out["list"].notna())
    out["price"] = out["list"] * (1 - out["discount"])
    out["basis"] = np.where(out["list"].isna(), "none", np.where(listed["discount"].notna(), "stated", "usual"))
    if recent is not None:
        for key in (_SERIES, ["item"]):
            out = _filled(out, _looked_up(out, _net_price(recent, key), key), "fetched")
    return _filled(out, _looked_up(out, items.set_index("item")["unit_price"], ["item"]), "master")


def summary(priced: pd.DataFrame, plan: pd.DataFrame, *, months: pd.DatetimeIndex) -> pd.DataFrame:
    """How much of the planned revenue rests on which kind of price.

    priced    what `net` returned for the plan's rows
    returns   basis, in the order of BASES   revenue (money), share (of all revenue, fraction), discount (fraction of the
              money at list; missing where nothing is listed); bases without revenue are left out
    """
    rows = plan[plan["month"].isin(months)].merge(priced[[*_SERIES, "month", "list", "basis"]], on=[*_SERIES, "month"])
    rows["gross"] = rows["consensus"] * rows["list"]
    rows["net"] = rows["revenue"].where(rows["list"].notna())
    sums = rows.groupby("basis")[["revenue", "gross", "net"]].sum()
    out = sums.reindex([basis for basis in BASES if basis in sums.index and sums.loc[basis, "revenue"] > 0]).reset_index()
    total = float(out["revenue"].sum())
    out["share"] = out["revenue"] / total if total else float("nan")
    out["discount"] = 1 - out["net"] / out["gross"].where(out["gross"] > 0)
    return out[["basis", "revenue", "share", "discount"]]


def _listed(rows: pd.DataFrame, prices: pd.DataFrame | None) -> pd.DataFrame:
    """The price and the stated discount that hold in each row's month."""
    if prices is None or prices.empty:
        return pd.DataFrame({"price": np.nan, "discount": np.nan}, index=rows.index)
    known = prices[["item", "month", "price"]].assign(discount=prices.get("discount", np.nan)).dropna(subset=["price"])
    asked = rows[["item", "month"]].reset_index(names="at").sort_values("month", kind="stable")
    found = pd.merge_asof(asked, known.sort_values("month", kind="stable"), on="month", by="item")
    return found.set_index("at")[["price", "discount"]].reindex(rows.index)


def _usual_discount(wanted: pd.Series, recent: pd.DataFrame | None, prices: pd.DataFrame | None) -> pd.Series:
    """1 − Σ net revenue / Σ (units sold × list price of their month), of each item; of all items where one sold nothing; else 0."""
    if recent is None:
        return pd.Series(0.0, index=wanted.index)
    sold = recent.assign(sold=recent["demand_raw"] - recent["returns"], list=_listed(recent, prices)["price"]).dropna(subset=["list"])
    sold["gross"] = sold["sold"] * sold["list"]
    sums = sold.groupby("item")[["revenue", "gross"]].sum()
    fit = sums[(sums["revenue"] > 0) & (sums["gross"] > 0)]
    overall = 1 - fit["revenue"].sum() / fit["gross"].sum() if len(fit) else 0.0
    return wanted.map(1 - fit["revenue"] / fit["gross"]).fillna(overall)


def _net_price(recent: pd.DataFrame, key: list[str]) -> pd.Series:
    """Σ revenue / Σ (units ordered − units returned), where both are above zero."""
    sums = recent.assign(sold=recent["demand_raw"] - recent["returns"]).groupby(key)[["revenue", "sold"]].sum()
    fit = sums[(sums["sold"] > 0) & (sums["revenue"] > 0)]
    return fit["revenue"] / fit["sold"]


def _looked_up(rows: pd.DataFrame, values: pd.Series, key: list[str]) -> pd.Series:
    wanted = pd.MultiIndex.from_frame(rows[key]) if len(key) > 1 else pd.Index(rows[key[0]])
    return pd.Series(values.reindex(wanted).to_numpy(dtype="float64"), index=rows.index)


def _filled(out: pd.DataFrame, found: pd.Series, basis: str) -> pd.DataFrame:
    """Rows without a price yet take this one."""
    new = out["price"].isna() & found.notna()
    return out.assign(price=out["price"].fillna(found), basis=out["basis"].where(~new, basis))
