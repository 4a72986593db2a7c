"""Items that come and go: how much of its like item's demand a new item takes, and where an ended one's goes.

    curve    = curves(history, items, assumed=0.25)
    baseline = forecast.baseline(history, scores, tested, months=months, items=items, launch_curves=curve)
    resting  = told(baseline, planned, items, curve, months=window)

A coming item (launch_date ahead, like_item given, nothing sold) is planned at a share of its like item's baseline. The
share is what this company's own earlier launches reached, month by month since launch; where too few can be measured it
is an assumption, and the report says so. A young item, on sale for fewer than `new_months`, keeps its own share so far.
An item that ends is zero after it, and what it would have sold goes to its successor.

Not modelled: cannibalisation. What a new item takes from the like item and its family is not taken off them; where it
will be much, an override on the items that lose says so, with a reason and an owner.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sopnb import frames

KEY = ["item", "location"]
SIZES = ["baseline", "lo80", "hi80", "lo95", "hi95"]
NEW_ITEM = "LikeItem"
HANDED_OVER = "Handover"
COMPANY = "all"
CURVE = ["family", "since", "share", "basis", "launches"]
# A launch seldom lands where it was planned. Taken, not measured: within half and double (80 %), a quarter and four times (95 %).
UNSURE = {"lo80": 0.5, "hi80": 2.0, "lo95": 0.25, "hi95": 4.0}


# --- what earlier launches reached ----------------------------------------------------------------------------------


def launched(history: pd.DataFrame, items: pd.DataFrame, *, months: int = 36, least_months: int = 6) -> pd.DataFrame:
    """The earlier launches that can be measured, month by month.

    history  item × location × month  demand (units)
    items    item                     family, like_item, successor, end_date
    returns  item × since             family, share (own / like demand, all locations), since = 1 in the first month sold

    Measured: items with a like item, first sold in the last `months` but after history begins, with at least
    `least_months` since. A successor is not a launch: it inherits demand.
    """
    names = ["item", "family", "since", "share"]
    pairs = links(items, history["month"].max())
    if pairs.empty or history.empty:
        return pd.DataFrame(columns=names)
    total = history.groupby(["item", "month"], sort=True)["demand"].sum()
    own = total[total.index.get_level_values("item").isin(pairs["item"])].reset_index()
    own = own[own["demand"].gt(0).groupby(own["item"]).cummax()]
    own["since"] = own.groupby("item").cumcount() + 1
    first, last = history["month"].min(), history["month"].max()
    start, age = own.groupby("item")["month"].transform("min"), own.groupby("item")["since"].transform("max")
    heirs = set(items["successor"].dropna()) if "successor" in items.columns else set()
    fit = (start > first) & (start > frames.next_month(last, -months)) & (age >= least_months) & ~own["item"].isin(heirs)
    own = own[fit].merge(pairs, on="item")
    like = total.rename("like").reset_index().rename(columns={"item": "like_item"})
    both = own.merge(like, on=["like_item", "month"], how="left")
    both["share"] = both["demand"] / both["like"].where(both["like"] > 0)
    return both.dropna(subset=["share"])[names].reset_index(drop=True)


def curves(
    history: pd.DataFrame, items: pd.DataFrame, *, assumed: float = 0.25, months: int = 36, least_months: int = 6,
    least_launches: int = 3, steady: int = 3, cap: float = 1.0,
) -> pd.DataFrame:
    """The share of its like item's demand that a new item reaches, by month since launch.

    history  item × location × month  demand (units)
    items    item                     family, like_item, successor, end_date
    assumed  the share where fewer than `least_launches` can be measured
    returns  family × since   share (fraction), basis (family, company or assumed), launches (measured); family `all` is
             the company's. The last `since` holds for all later months.

    company  the median over the launches that have been on sale so long, while there are least_launches of them; then the
             mean of its last three months
    family   the same over the family's launches, drawn to the company's: (n · family + steady · company) / (n + steady);
             the company's where the family has fewer than least_launches
    cap      the highest share believed
    """
    seen = launched(history, items, months=months, least_months=least_months)
    whole = _curve(seen, least_launches, cap)
    n = seen["item"].nunique()
    if whole.empty:
        return pd.DataFrame([(COMPANY, 1, float(assumed), "assumed", n)], columns=CURVE)
    pieces = [_rows(COMPANY, whole, "company", n)]
    for family, own in seen.groupby("family", sort=True):
        curve, count = _curve(own, least_launches, cap), own["item"].nunique()
        if len(curve):
            reach = range(1, max(curve.index.max(), whole.index.max()) + 1)
            blend = (count * curve.reindex(reach, method="ffill") + steady * whole.reindex(reach, method="ffill")) / (count + steady)
            pieces.append(_rows(str(family), blend, "family", count))
    return pd.concat(pieces, ignore_index=True)


def _curve(seen: pd.DataFrame, least: int, cap: float) -> pd.Series:
    """since → share; empty where fewer than `least` launches can be measured."""
    by = seen.groupby("since", sort=True)["share"].agg(["median", "size"])
    backed = by.loc[by["size"] >= least, "median"]
    if backed.empty:
        return backed
    whole = backed.reindex(range(1, int(backed.index.max()) + 1)).ffill().bfill()
    return pd.concat([whole, pd.Series({len(whole) + 1: whole.tail(3).mean()})]).clip(upper=cap)


def _rows(family: str, curve: pd.Series, basis: str, launches: int) -> pd.DataFrame:
    return pd.DataFrame({"family": family, "since": curve.index, "share": curve.to_numpy(dtype="float64"), "basis": basis, "launches": launches})


def links(items: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Which item follows which: item, like_item, family, launch (month). Where the like item has ended by `last`, its
    successor is followed, since that has its demand."""
    if "like_item" not in items.columns or items["like_item"].isna().all():
        return pd.DataFrame(columns=["item", "like_item", "family", "launch"])
    ends = month_of(items, "end_date")
    gone = ends <= last if pd.notna(last) else ends.notna() & False
    successor = items["successor"] if "successor" in items.columns else pd.Series(None, items.index, dtype=object)
    heir = dict(zip(items.loc[gone & successor.notna(), "item"], successor[gone & successor.notna()], strict=True))
    out = items.loc[items["like_item"].notna(), ["item", "like_item"]]
    for _ in range(len(heir)):  # a successor may have ended too
        out = out.assign(like_item=out["like_item"].map(heir).fillna(out["like_item"]))
    family = items["family"] if "family" in items.columns else pd.Series("all", items.index, dtype=object)
    out = out.assign(family=family.fillna("unknown"), launch=month_of(items, "launch_date"))
    return out[out["like_item"] != out["item"]].reset_index(drop=True)


def sizes(out: pd.DataFrame) -> list[str]:
    """The columns of units that a forecast has: its baseline, and its bands where it has them."""
    return [name for name in SIZES if name in out.columns]


def month_of(items: pd.DataFrame, name: str) -> pd.Series:
    dates = items[name] if name in items.columns else pd.Series(pd.NaT, items.index)
    return pd.Series(pd.to_datetime(dates).dt.to_period("M").dt.to_timestamp(), index=items.index, dtype="datetime64[ns]")


# --- the forecast of new items --------------------------------------------------------------------------------------


def follow(out: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame, curve: pd.DataFrame, *, new_months: int) -> pd.DataFrame:
    """The forecast with its new items following their like items.

    out      item × location × month  model, baseline, lo80 … hi95 (units); months ahead of history
    curve    as from `curves`
    returns  the same columns: rows of coming items added, those of young ones replaced, model LikeItem

    coming   never sold, launched ahead or in the last new_months: like baseline × share of the month since launch (the
             launch is the first month ahead where its date has passed), zero before it; bands × UNSURE besides
    young    sold for fewer than new_months: like baseline × own / like demand since the first own demand, bands alike
    """
    last = history["month"].max()
    pairs = links(items, last)
    if pairs.empty or out.empty:
        return out
    sold = history[history["item"].isin(pairs["item"]) & (history["demand"] > 0)].groupby(KEY, sort=True)["month"].min().rename("first").reset_index()
    to_come = ~pairs["item"].isin(sold["item"]) & (pairs["launch"] > frames.next_month(last, -new_months))
    sold = sold[sold["first"] > frames.next_month(last, 1 - new_months)]
    pairs = pairs[to_come | pairs["item"].isin(sold["item"])]
    pairs = pairs.merge(out[out["item"].isin(pairs["like_item"])].rename(columns={"item": "like_item"}), on="like_item").merge(sold, on=KEY, how="left")
    coming = pairs[~pairs["item"].isin(sold["item"])]
    young = pairs[pairs["first"].notna()].merge(_own_shares(history, pairs), on=KEY)
    new = pd.concat([_coming(coming, curve, out["month"].min()), _young(young)], ignore_index=True)
    if new.empty:
        return out
    rest = out[~pd.MultiIndex.from_frame(out[KEY]).isin(pd.MultiIndex.from_frame(new[KEY]))]
    return pd.concat([rest, new.assign(model=NEW_ITEM)[out.columns]], ignore_index=True)


def _coming(pairs: pd.DataFrame, curve: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    start = pairs["launch"].clip(lower=first)
    since = (pairs["month"].dt.year - start.dt.year) * 12 + pairs["month"].dt.month - start.dt.month + 1
    share = shares(curve, pairs["family"], since)
    out = pairs.copy()
    for name in sizes(pairs):
        out[name] = pairs[name] * share * UNSURE.get(name, 1.0)
    return out


def _young(pairs: pd.DataFrame) -> pd.DataFrame:
    out = pairs.copy()
    for name in sizes(pairs):
        out[name] = pairs[name] * pairs["share"]
    return out


def shares(curve: pd.DataFrame, family: pd.Series, since: pd.Series) -> np.ndarray:
    """The share of each row: its family's curve, the company's where it has none; 0 before the launch."""
    known = {name: rows.sort_values("since")["share"].to_numpy() for name, rows in curve.groupby("family", sort=True)}
    out = np.zeros(len(family))
    for name in sorted(family.unique()):
        values, here = known.get(name, known[COMPANY]), (family == name).to_numpy()
        step = since.to_numpy()[here].astype(int)
        out[here] = np.where(step >= 1, values[np.clip(step, 1, len(values)) - 1], 0.0)
    return out


def _own_shares(history: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Own demand / the like item's demand over the months since the first own demand; none where the like item had none."""
    followed = pairs[["item", "like_item"]].drop_duplicates()
    named = history[history["item"].isin(followed.to_numpy().ravel())]
    own = named.merge(followed, on="item")
    own = own[own["demand"].gt(0).groupby([own["item"], own["location"]]).cummax()]
    like = named[[*KEY, "month", "demand"]].rename(columns={"item": "like_item", "demand": "like"})
    both = own.merge(like, on=["like_item", "location", "month"])
    sums = both.groupby(KEY, sort=True)[["demand", "like"]].sum().reset_index()
    return sums[sums["like"] > 0].assign(share=lambda d: d["demand"] / d["like"])[[*KEY, "share"]]


def ended(out: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The forecast with zero after each end_date; what would have been sold then goes to the successor.

    out      item × location × month  model, baseline, lo80 … hi95 (units)
    returns  the same columns; a successor that had no rows gets all months, model Handover
    """
    ends = month_of(items, "end_date").set_axis(items["item"])
    ends = ends[ends < out["month"].max()]
    last = out["item"].map(ends)
    after = (out["month"] > last).to_numpy()
    if not after.any():
        return out
    units = sizes(out)
    gone = out[after]
    stay = out.copy()
    stay.loc[after, units] = 0.0
    successor = items["successor"] if "successor" in items.columns else pd.Series(None, items.index, dtype=object)
    heirs = successor.where(successor.isin(items["item"]) & (successor != items["item"])).set_axis(items["item"])
    passed = gone.assign(item=gone["item"].map(heirs), model=HANDED_OVER).dropna(subset=["item"])
    if passed.empty:
        return stay
    takes = pd.MultiIndex.from_frame(stay[KEY]).isin(pd.MultiIndex.from_frame(passed[KEY]))
    both = pd.concat([stay[takes], passed], ignore_index=True)
    summed = both.groupby([*KEY, "month"], sort=True).agg({"model": "first", **dict.fromkeys(units, "sum")}).reset_index()
    nothing: dict[str, object] = dict.fromkeys(units, 0.0)
    whole = frames.fill_months(summed, out["month"].min(), out["month"].max(), ("item", "location"), **nothing)
    return pd.concat([stay[~takes], whole.assign(model=whole["model"].fillna(HANDED_OVER))[out.columns]], ignore_index=True)


# --- what the plan rests on -----------------------------------------------------------------------------------------


def told(forecast: pd.DataFrame, plan: pd.DataFrame, items: pd.DataFrame, curve: pd.DataFrame, history: pd.DataFrame, *, months: Iterable[object]) -> pd.DataFrame:
    """The items whose plan rests on a like item, by money.

    forecast  item × location × month  model, baseline (units)
    plan      item × location × month  consensus (units), revenue (money)
    months    the months spoken about
    returns   item  like_item, family, launch (month), share (of the like item's baseline, over the forecast from the launch
              on), basis (own, family, company or assumed), launches (measured), units, revenue (in `months`)
    """
    names = ["item", "like_item", "family", "launch", "share", "basis", "launches", "units", "revenue"]
    out = links(items, history["month"].max())
    out = out[out["item"].isin(forecast.loc[forecast["model"] == NEW_ITEM, "item"])]
    if out.empty:
        return pd.DataFrame(columns=names)
    known = curve.drop_duplicates("family").set_index("family")[["basis", "launches"]]
    of = out["family"].where(out["family"].isin(known.index), COMPANY)
    sold = set(history.loc[history["demand"] > 0, "item"])
    out["basis"] = np.where(out["item"].isin(sold), "own", of.map(known["basis"]))
    out["launches"] = np.where(out["item"].isin(sold), 0, of.map(known["launches"])).astype("int64")
    total = forecast.groupby(["item", "month"])["baseline"].sum()
    out["share"] = [_share(total, item, like) for item, like in zip(out["item"], out["like_item"], strict=True)]
    money = plan[plan["month"].isin(pd.DatetimeIndex(months))].groupby("item")[["consensus", "revenue"]].sum().rename(columns={"consensus": "units"})
    out = out.merge(money, on="item", how="left").fillna({"units": 0.0, "revenue": 0.0})
    return out.sort_values(["revenue", "item"], ascending=[False, True], kind="stable")[names].reset_index(drop=True)


def _share(total: pd.Series, item: str, like: str) -> float:
    own = total.loc[item]
    beside = total.reindex([(like, month) for month in own.index[own > 0]]).sum()
    return float(own.sum() / beside) if beside > 0 else float("nan")
