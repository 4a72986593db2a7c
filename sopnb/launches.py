"""Items that come and go: how much of its like item's demand a new item takes, and where an ended one's goes.

    curve    = curves(history, items, assumed=0.25)
    baseline = forecast.baseline(history, scores, tested, months=months, items=items, launch_curves=curve)
    resting  = told(baseline, planned, items, curve, months=window)

A coming item (launch_date ahead, like_item given, nothing sold) is planned at a share of its like item's baseline. The
share is what this company's own earlier launches reached, month by month since launch (scale and shift); where too few can
be measured it is an assumption, and the report says so. A young item, on sale for fewer than `new_months`, moves from that
prior to what it sold itself, month by month. An item that ends runs down as earlier ones did, is zero after its end, and
what it would have sold goes to its successor.

What a new item takes from its family is not measured here: a launch lasts, and its family's own course cannot be told from it. Where
it is known beforehand, `from_family` of the launch in the source `events` says so, and the plan takes it off the siblings (`siblings`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sopnb import diffusion, frames

KEY = ["item", "location"]
SIZES = ["baseline", "lo80", "hi80", "lo95", "hi95"]
NEW_ITEM = "LikeItem"
HANDED_OVER = "Handover"
COMPANY = "all"
BASS_MONTHS = 24
STEADY = 3.0  # months of own demand that weigh as much as the prior, where earlier launches cannot tell
MOST_SCALE = 10.0  # a first month of a prior near nothing proves no more than that
FADE = 3  # months over which an item may run down before its end
CURVE = ["family", "since", "share", "basis", "launches"]
NEXT_TO_NOTHING = 1e-100  # units: less cannot be divided by
# A launch seldom lands where it was planned: within a third and three times (80 %), a fifth and five times (95 %) before it is sold. Read off
# AdventureWorks' launches of 2023 and 2024: with this, 80 % of their months lie within. (The demo's, which had no part in it: 82 %.)
UNSURE = {"lo80": 1 / 2.8, "hi80": 2.8, "lo95": 0.2, "hi95": 5.0}


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
    least_launches: int = 3, steady: int = 3, cap: float = 1.0, shape: str = "measured",
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
    shape    measured: the medians as they are; bass: drawn smooth and on to two years by `diffusion.bass`, whose F(t) is the
             part of its buyers that an item has won; the medians where that does not fit
    """
    seen = launched(history, items, months=months, least_months=least_months)
    whole = _curve(seen, least_launches, cap, shape)
    n = seen["item"].nunique()
    if whole.empty:
        return pd.DataFrame([(COMPANY, 1, float(assumed), "assumed", n)], columns=CURVE)
    pieces = [_rows(COMPANY, whole, "company", n)]
    for family, own in seen.groupby("family", sort=True):
        curve, count = _curve(own, least_launches, cap, shape), own["item"].nunique()
        if len(curve):
            reach = range(1, max(curve.index.max(), whole.index.max()) + 1)
            blend = (count * curve.reindex(reach, method="ffill") + steady * whole.reindex(reach, method="ffill")) / (count + steady)
            pieces.append(_rows(str(family), blend, "family", count))
    return pd.concat(pieces, ignore_index=True)


def _curve(seen: pd.DataFrame, least: int, cap: float, shape: str) -> pd.Series:
    """since → share; empty where fewer than `least` launches can be measured."""
    by = seen.groupby("since", sort=True)["share"].agg(["median", "size"])
    backed = by.loc[by["size"] >= least, "median"]
    if backed.empty:
        return backed
    whole = backed.reindex(range(1, int(backed.index.max()) + 1)).ffill().bfill()
    spread = diffusion.bass(np.diff(whole.to_numpy(), prepend=0.0)) if shape == "bass" else None
    if spread is not None:
        smooth = spread.taken_up(BASS_MONTHS)
        return pd.Series(np.minimum(smooth, whole.max()), range(1, BASS_MONTHS + 1)).clip(upper=cap)
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
             launch is the first month ahead where its date has passed), zero before it; w = 0
    young    sold for fewer than new_months: like baseline × share of the month since launch × scale, where
             scale = w · own demand / (like demand × share) + (1 − w), w = n / (n + k) after n months (`credibility`)
    bands    baseline · e^{± √(d² + u²)}: d as far as the like item's own band is from its baseline, u the doubt about the launch,
             both in logarithms; u = log UNSURE · √(1 − w): the doubt shrinks as Bühlmann's posterior variance does, with what is
             believed of its own demand.
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
    young = pairs[pairs["first"].notna()].merge(scales(history, pairs, curve, k=credibility(history, items, curve)), on=KEY)
    found = [table for table in (_coming(coming, curve, out["month"].min()), _young(young, curve)) if len(table)]
    if not found:
        return out
    new = pd.concat(found, ignore_index=True)
    rest = out[~pd.MultiIndex.from_frame(out[KEY]).isin(pd.MultiIndex.from_frame(new[KEY]))]
    return pd.concat([rest, new.assign(model=NEW_ITEM)[out.columns]], ignore_index=True)


def _coming(pairs: pd.DataFrame, curve: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    start = pairs["launch"].clip(lower=first)
    return _like(pairs, shares(curve, pairs["family"], _since(pairs["month"], start)), np.zeros(len(pairs)))


def _young(pairs: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    share = shares(curve, pairs["family"], _since(pairs["month"], pairs["first"])) * pairs["scale"].to_numpy(dtype="float64")
    return _like(pairs, share, pairs["weight"].to_numpy(dtype="float64"))


def _like(pairs: pd.DataFrame, share: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """The like item's forecast × share, with bands that also hold the doubt about the launch."""
    base, out = pairs["baseline"].to_numpy(), pairs.copy()
    for name in sizes(pairs):
        theirs = pairs[name].to_numpy()
        own = np.abs(np.log(np.divide(theirs, base, out=np.ones(len(base)), where=(base > NEXT_TO_NOTHING) & (theirs > NEXT_TO_NOTHING))))
        doubt = np.log(UNSURE.get(name, 1.0)) * np.sqrt(1 - weight)
        out[name] = theirs * share * np.exp(np.copysign(np.hypot(own, doubt) - own, doubt))
    return out


def _since(month: pd.Series, first: pd.Series) -> pd.Series:
    """1 in the first month."""
    return (month.dt.year - first.dt.year) * 12 + month.dt.month - first.dt.month + 1


def shares(curve: pd.DataFrame, family: pd.Series, since: pd.Series) -> np.ndarray:
    """The share of each row: its family's curve, the company's where it has none; 0 before the launch."""
    known = {name: rows.sort_values("since")["share"].to_numpy() for name, rows in curve.groupby("family", sort=True)}
    out = np.zeros(len(family))
    for name in sorted(family.unique()):
        values, here = known.get(name, known[COMPANY]), (family == name).to_numpy()
        step = since.to_numpy()[here].astype(int)
        out[here] = np.where(step >= 1, values[np.clip(step, 1, len(values)) - 1], 0.0)
    return out


def scales(history: pd.DataFrame, pairs: pd.DataFrame, curve: pd.DataFrame, *, k: float) -> pd.DataFrame:
    """How a young item does against what launches do, and how far that is believed.

    pairs    item, like_item, family
    returns  item × location  own (share of the like item's demand so far), n (months), weight (w), scale; not where the
             like item had no demand

    own / prior = Σ own demand / Σ (like demand × share of the month since launch);  scale = w · own / prior + (1 − w)
    """
    followed = pairs[["item", "like_item", "family"]].drop_duplicates()
    named = history[history["item"].isin(followed[["item", "like_item"]].to_numpy().ravel())]
    own = named[[*KEY, "month", "demand"]].merge(followed, on="item")
    own = own[own["demand"].gt(0).groupby([own["item"], own["location"]]).cummax()]
    like = named[[*KEY, "month", "demand"]].rename(columns={"item": "like_item", "demand": "like"})
    both = own.merge(like, on=["like_item", "location", "month"])
    if both.empty:
        return pd.DataFrame(columns=[*KEY, "own", "n", "weight", "scale"])
    both["prior"] = both["like"] * shares(curve, both["family"], _since(both["month"], both.groupby(KEY)["month"].transform("min")))
    out = both.groupby(KEY, sort=True).agg(demand=("demand", "sum"), like=("like", "sum"), prior=("prior", "sum"), n=("month", "size")).reset_index()
    out = out[(out["like"] > 0) & (out["prior"] > 0)]
    out = out.assign(own=out["demand"] / out["like"], weight=out["n"] / (out["n"] + k))
    out["scale"] = (out["weight"] * out["demand"] / out["prior"] + 1 - out["weight"]).clip(upper=MOST_SCALE)
    return out[[*KEY, "own", "n", "weight", "scale"]].reset_index(drop=True)


def credibility(history: pd.DataFrame, items: pd.DataFrame, curve: pd.DataFrame, *, least_launches: int = 3) -> float:
    """The months k of own demand that weigh as much as the prior, learnt from earlier launches.

    Bühlmann (1967), Experience rating and credibility, ASTIN Bulletin 4(3):
        k = within / between, within the mean variance of a launch's monthly share / curve around its own mean, between the
        variance of those means less within / n.
    Launches that end up far apart, each steady, are believed soon. Between one month and a year; 3 with fewer than three.
    """
    seen = launched(history, items)
    if seen["item"].nunique() < least_launches:
        return STEADY
    typical = shares(curve, pd.Series(COMPANY, seen.index), seen["since"])
    ratio = (seen["share"] / np.where(typical > 0, typical, np.nan)).groupby(seen["item"]).agg(["mean", "var", "size"])
    within = float(ratio["var"].mean())
    between = float(ratio["mean"].var() - within / ratio["size"].mean())
    if not np.isfinite([within, between]).all():
        return STEADY
    return float(np.clip(within / between, 1.0, 12.0)) if between > 0 else 12.0


def fades(history: pd.DataFrame, items: pd.DataFrame, *, months: int = FADE, least: int = 3) -> np.ndarray:
    """How earlier items ran down: of their usual demand, what was left in the last months before their end.

    history  item × location × month  demand_raw where there (a successor has taken over `demand`), else demand (units)
    returns  months shares, the last is the month of end_date; ones where fewer than `least` endings can be measured

    The median over ended items of demand in that month / mean of the twelve months before the run-down, at most 1.
    """
    whole = np.ones(months)
    if history.empty:
        return whole
    ends = month_of(items, "end_date").set_axis(items["item"])
    ends = ends[(ends <= history["month"].max()) & (ends >= frames.next_month(history["month"].min(), months + 12))]
    value = "demand_raw" if "demand_raw" in history.columns else "demand"
    own = history[history["item"].isin(ends.index)].groupby(["item", "month"], sort=True)[value].sum().reset_index()
    left = _since(own["item"].map(ends), own["month"]) if len(own) else pd.Series(dtype="int64")  # 1 in the month of end_date
    usual = own[(left > months) & (left <= months + 12)].groupby("item")[value].mean()
    late = own[(left >= 1) & (left <= months)].assign(left=left)
    late["share"] = late[value] / late["item"].map(usual[usual > 0])
    late = late.dropna(subset=["share"])
    if late["item"].nunique() < least:
        return whole
    shared = late.groupby("left")["share"].median().reindex(range(months, 0, -1))
    return shared.fillna(1.0).clip(0.0, 1.0).to_numpy()


def ended(out: pd.DataFrame, items: pd.DataFrame, *, history: pd.DataFrame | None = None) -> pd.DataFrame:
    """The forecast running down to each end_date and zero after it; what would have been sold goes to the successor.

    out      item × location × month  model, baseline, lo80 … hi95 (units)
    history  item × location × month  demand (units): how earlier items ran down (`fades`); None: to the end as before
    returns  the same columns; a successor that had no rows gets all months, model Handover

    In the last three months of an item: baseline × share of that month / share of the last month known, which its own
    recent demand holds already.
    """
    ends = month_of(items, "end_date").set_axis(items["item"])
    last = out["item"].map(ends[ends <= out["month"].max()])
    keep = _kept(out["month"], last, np.ones(FADE) if history is None else fades(history, items))
    after = (keep < 1).to_numpy()
    if not after.any():
        return out
    units = sizes(out)
    gone = out[after].copy()
    gone[units] = gone[units].mul(1 - keep[after], axis=0)
    stay = out.copy()
    stay[units] = stay[units].mul(keep, axis=0)
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


def _kept(month: pd.Series, last: pd.Series, fade: np.ndarray) -> pd.Series:
    """What each row keeps of its baseline: 1 before the run-down, its share in it, 0 after the last month."""
    known = _since(last, pd.Series(frames.next_month(month.min(), -1), month.index))  # months from the last known one to the end, 1: it is the end
    left = _since(last, month)
    at = np.concatenate([fade[::-1], [1.0]])  # by months left, 1 first
    then, now = (at[np.clip(n.fillna(99).astype(int).to_numpy() - 1, 0, len(fade))] for n in (known, left))
    share = np.minimum(now / np.where(then > 0, then, 1.0), 1.0)
    return pd.Series(np.where(last.isna(), 1.0, np.where(left < 1, 0.0, share)), month.index)


# --- what the plan rests on -----------------------------------------------------------------------------------------


def told(forecast: pd.DataFrame, plan: pd.DataFrame, items: pd.DataFrame, curve: pd.DataFrame, history: pd.DataFrame, *, months: Iterable[object]) -> pd.DataFrame:
    """The items whose plan rests on a like item, by money.

    forecast  item × location × month  model, baseline (units)
    plan      item × location × month  consensus (units), revenue (money)
    months    the months spoken about
    returns   item  like_item, family, launch (month), share (of the like item's baseline, over the forecast from the launch
              on), basis (own, family, company or assumed), launches (measured), units, revenue (in `months`), sold (months on
              sale), weight (of its own demand against what launches do, see `follow`)
    """
    names = ["item", "like_item", "family", "launch", "share", "basis", "launches", "units", "revenue", "sold", "weight"]
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
    own = scales(history, out, curve, k=credibility(history, items, curve)).groupby("item")[["n", "weight"]].max()
    out["sold"] = out["item"].map(own["n"]).fillna(0).astype("int64")
    out["weight"] = out["item"].map(own["weight"]).fillna(0.0).astype("float64")
    money = plan[plan["month"].isin(pd.DatetimeIndex(months))].groupby("item")[["consensus", "revenue"]].sum().rename(columns={"consensus": "units"})
    out = out.merge(money, on="item", how="left").fillna({"units": 0.0, "revenue": 0.0})
    return out.sort_values(["revenue", "item"], ascending=[False, True], kind="stable")[names].reset_index(drop=True)


def _share(total: pd.Series, item: str, like: str) -> float:
    own = total.loc[item]
    beside = total.reindex([(like, month) for month in own.index[own > 0]]).sum()
    return float(own.sum() / beside) if beside > 0 else float("nan")
