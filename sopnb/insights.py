"""What jumps out of the month's data, ranked by money, and what changed in the past.

A month is compared with what was to be expected of it: the same month last year times the trend, or the usual level
of the last six months, whichever would have missed less over the last two years. A change is told when it is large (as a
share) and unusual (in deviations of that same expectation).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

SEASON, USUAL, JUDGED = 12, 6, 24  # months: a year; the usual level; past expectations that tell what is unusual
TREND = (0.5, 2.0)  # beyond these a year's ratio is a launch or an ending, not a trend
TOLD_BY = 0.7  # a family is not told where one of its items explains this share of its change
WORTH = 0.005  # of the month's revenue: what a new or lost item or customer must be worth to be told
CONCENTRATED = 0.25  # of a year's revenue with one customer


def insights(
    history: pd.DataFrame | None, orders: pd.DataFrame | None, *, month: object, items: pd.DataFrame | None = None, restated: pd.DataFrame | None = None,
    jump_share: float = 0.25, jump_score: float = 3.0, top: int = 10,
) -> pd.DataFrame:
    """Drops and surges, what stopped and started, restated months, and dependence on one customer.

    history   item × location × month  demand_raw (units), revenue (money); None: nothing was sold yet, no rows
    orders    order × line             customer, channel, quantity (units), amount (money); None: no customers
    month     the last month with actuals
    items     item                     name, family; None: no families
    restated  item × location × month  change (units), amount (money)
    returns   frames.INSIGHTS, at most `top` drops and surges, each kind ranked by money

    expected = demand of the same month last year × demand of the last 6 months / the same 6 a year before,
               or the median of the last 6 months; told where |actual − expected| / expected ≥ jump_share and
               |actual − expected| / (1.4826 × median |past errors|) ≥ jump_score.
    """
    if history is None or history.empty:
        return frames.empty(frames.INSIGHTS)
    now = frames.month(month)
    families = items.set_index("item")["family"] if items is not None else pd.Series(dtype=object)
    names = items.set_index("item")["name"] if items is not None else pd.Series(dtype=object)
    lines = _lines(orders, now)
    series = _series(history, lines, families, now)
    judged = pd.concat([_judge(group, level, now) for level, group in series.items() if len(group)], ignore_index=True)
    judged = _beside_family(judged, families)
    worth = WORTH * float(history.loc[history["month"] == now, "revenue"].sum())
    jumps = _jumps(judged, jump_share, jump_score).head(top)
    parts = [jumps, _stopped(judged, items, worth, now), _started(judged, worth), _restated(restated, history), _concentration(lines, now)]
    return _as_insights(pd.concat([p for p in parts if len(p)], ignore_index=True) if any(len(p) for p in parts) else jumps, names, now)


def restated(history: pd.DataFrame | None, previous: pd.DataFrame | None, *, tolerance: float = 1e-6, cent: float = 0.005) -> pd.DataFrame:
    """Past months that are not what the previous cycle held.

    history   item × location × month  demand_raw, returns (units), revenue (money), as this cycle holds it
    previous  the same, as the previous cycle held it; None: no previous cycle, nothing to compare
    returns   frames.RESTATED: before, after, change (units ordered), amount (money)

    change = after − before, amount = revenue after − revenue before; a row where units ordered, units returned or money
    differ. What was booked is compared, never corrected demand: a handover to a successor, days without stock that become
    known and a new correction move `demand` and restate nothing.
    """
    if history is None or previous is None or previous.empty:
        return frames.empty(frames.RESTATED)
    key, booked = list(frames.RESTATED.key), ["demand_raw", "returns", "revenue"]
    both = history[[*key, *booked]].merge(previous[[*key, *booked]], on=key, how="outer", suffixes=("_after", "_before")).fillna(dict.fromkeys(
        [f"{name}_{side}" for name in booked for side in ("after", "before")], 0.0))
    both = both[both["month"] <= previous["month"].max()]
    moved = {name: both[f"{name}_after"] - both[f"{name}_before"] for name in booked}
    out = both[key].assign(before=both["demand_raw_before"], after=both["demand_raw_after"], change=moved["demand_raw"], amount=moved["revenue"])
    differs = (moved["demand_raw"].abs() > tolerance) | (moved["returns"].abs() > tolerance) | (moved["revenue"].abs() > cent)
    return frames.conform(out[differs], frames.RESTATED)


# --- the series that are watched ------------------------------------------------------------------------------------

def _lines(orders: pd.DataFrame | None, now: pd.Timestamp) -> pd.DataFrame:
    """Demand lines to the month: month, customer, channel, units, money."""
    if orders is None:
        return pd.DataFrame(columns=["month", "customer", "channel", "units", "amount"])
    asked = orders["requested_date"].fillna(orders["order_date"]).dt.to_period("M").dt.to_timestamp()
    net = orders["amount"].fillna(orders["quantity"] * orders["unit_price"] * (1 - orders["discount"].fillna(0.0))).fillna(0.0)
    used = (asked <= now) & (orders["status"] != "cancelled")
    return orders.assign(month=asked, units=orders["quantity"].clip(lower=0), amount=net)[used]


def _series(history: pd.DataFrame, lines: pd.DataFrame, families: pd.Series, now: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """level → key × location × month   units, amount. An item is watched in all locations together and in each."""
    h = history[["item", "location", "month"]].assign(units=history["demand_raw"], amount=history["revenue"], family=history["item"].map(families))
    h = h[h["month"] <= now]
    several = h["location"].nunique() > 1
    out = {"item": [h.assign(key=h["item"], location="all"), *([h.assign(key=h["item"])] if several else [])],
           "family": [h.assign(key=h["family"], location="all").dropna(subset=["key"])],
           "location": [h.assign(key=h["location"], location="all")] if several else [],
           "total": [h.assign(key="all", location="all")]}
    for level in ("customer", "channel"):
        known = lines.dropna(subset=[level])
        out[level] = [known.assign(key=known[level], location="all")] if known[level].nunique() > 1 else []
    keys = ["key", "location", "month"]
    out["customer"] = [_watched(part, now) for part in out["customer"]]
    return {level: pd.concat(parts)[[*keys, "units", "amount"]].groupby(keys, sort=True).sum().reset_index() if parts else pd.DataFrame()
            for level, parts in out.items()}


def _watched(lines: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Customers who order in nearly every month, and new ones: of the many who order once a year no month is unusual."""
    recent = lines[(lines["month"] >= frames.next_month(now, -USUAL)) & (lines["month"] < now)]
    often = recent.groupby("key")["month"].nunique()
    first = lines.groupby("key")["month"].min()
    return lines[lines["key"].isin(often.index[often >= USUAL - 1]) | lines["key"].isin(first.index[first == now])]


def _judge(series: pd.DataFrame, level: str, now: pd.Timestamp) -> pd.DataFrame:
    """key × location   value, expected (units), score, price (money per unit), active (of the last 6 months), age (months)."""
    months = pd.date_range(max(series["month"].min(), frames.next_month(now, -(SEASON + 2 * USUAL + JUDGED))), now, freq="MS")
    wide = {c: series.pivot_table(index=["key", "location"], columns="month", values=c, aggfunc="sum", sort=True).reindex(columns=months) for c in ("units", "amount")}
    keys = wide["units"].index
    first = series.groupby(["key", "location"])["month"].min().reindex(keys)
    born = np.array([months.get_indexer([m])[0] if m in months else 0 for m in first])
    units = np.nan_to_num(wide["units"].to_numpy(dtype="float64"))
    units[np.arange(len(months))[None, :] < born[:, None]] = np.nan  # before the first demand there is nothing to expect
    amount = np.nan_to_num(wide["amount"].to_numpy(dtype="float64"))
    expected, score = _expected(units)
    year = slice(-SEASON - 1, None)
    sold = np.nansum(units[:, year], axis=1)
    price = np.divide(amount[:, year].sum(axis=1), sold, out=np.zeros(len(keys)), where=sold > 0)
    return pd.DataFrame({
        "level": level, "key": keys.get_level_values(0), "location": keys.get_level_values(1), "value": np.nan_to_num(units[:, -1]),
        "expected": expected, "score": score, "price": price, "money": amount[:, -1],
        "active": (np.nan_to_num(units[:, -USUAL - 1:-1]) > 0).sum(axis=1),
        "usual": np.nan_to_num(units[:, -USUAL - 1:-1]).mean(axis=1) if len(months) > 1 else 0.0,
        "new": (first == now).to_numpy() & (series["month"].min() < now),
    })


def _expected(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected units of the last month and how unusual the actual is; NaN where the past is too short."""
    n, total = units.shape
    errors = {way: np.full((n, JUDGED), np.nan) for way in ("season", "usual")}
    last = {way: np.full(n, np.nan) for way in errors}
    for back in range(min(JUDGED + 1, total)):
        t = total - 1 - back
        for way, forecast in (("season", _seasonal(units, t)), ("usual", _usual(units, t))):
            if back == 0:
                last[way] = forecast
            else:
                errors[way][:, back - 1] = units[:, t] - forecast
    both = np.isfinite(errors["season"]) & np.isfinite(errors["usual"])
    missed = {way: np.where(both, np.abs(e), 0.0).sum(axis=1) for way, e in errors.items()}  # the mean sees a yearly peak, the median would not
    by_season = (both.sum(axis=1) >= USUAL) & (missed["season"] <= missed["usual"]) & np.isfinite(last["season"])
    expected = np.where(by_season, last["season"], last["usual"])
    past = np.where(by_season[:, None], errors["season"], errors["usual"])
    spread = 1.4826 * _median(np.abs(past))
    floor = np.sqrt(np.maximum(np.nan_to_num(expected), 1.0))  # counts vary by their root at least
    score = (units[:, -1] - expected) / np.maximum(spread, floor)
    return expected, np.where(np.isfinite(past).sum(axis=1) >= USUAL, score, np.nan)


def _seasonal(units: np.ndarray, t: int) -> np.ndarray:
    if t < SEASON + USUAL:
        return np.full(len(units), np.nan)
    recent, before = units[:, t - USUAL:t].sum(axis=1), units[:, t - SEASON - USUAL:t - SEASON].sum(axis=1)
    trend = np.divide(recent, before, out=np.full(len(units), np.nan), where=before > 0)
    return units[:, t - SEASON] * np.clip(trend, *TREND)


def _usual(units: np.ndarray, t: int) -> np.ndarray:
    return np.median(units[:, t - USUAL:t], axis=1) if t >= USUAL else np.full(len(units), np.nan)


def _median(values: np.ndarray) -> np.ndarray:
    """Median of each row's known values; NaN where it has none."""
    some = np.isfinite(values).any(axis=1)
    out = np.full(len(values), np.nan)
    if some.any():
        out[some] = np.nanmedian(values[some], axis=1)
    return out


def _beside_family(judged: pd.DataFrame, families: pd.Series) -> pd.DataFrame:
    """Each item's change beside that of the rest of its family: `beside` = (actual / expected) / (rest's actual / expected) − 1.

    When the whole family moves (a feast in another month than last year), the family is the news, not each item.
    """
    ratio = pd.Series(np.nan, index=judged.index)
    item = (judged["level"] == "item") & (judged["expected"] > 0)
    rows = judged[item].assign(family=judged.loc[item, "key"].map(families).fillna(""))
    sums = rows.groupby(["family", "location"])[["value", "expected"]].transform("sum") - rows[["value", "expected"]]
    rest = (sums["value"] / sums["expected"].where(sums["expected"] > 0)).clip(0.25, 4.0)
    ratio[rows.index] = rows["value"] / rows["expected"] / rest.fillna(1.0) - 1
    return judged.assign(beside=ratio)


# --- what is told ---------------------------------------------------------------------------------------------------

def _jumps(judged: pd.DataFrame, share: float, score: float) -> pd.DataFrame:
    """Drops and surges by money; a larger group is left out where one of the smaller explains it."""
    change = judged["value"] - judged["expected"]
    relative = change / judged["expected"].where(judged["expected"] > 0)
    hit = (relative.abs() >= share) & (judged["score"].abs() >= score) & (judged["value"] > 0)
    hit &= judged["beside"].isna() | ((judged["beside"].abs() >= share) & (np.sign(judged["beside"]) == np.sign(change)))
    out = judged.assign(change=change, amount=change * judged["price"], kind=np.where(change < 0, "drop", "surge"))[hit]
    out = out.assign(size=out["amount"].abs()).sort_values(["size", "level", "key", "location"], ascending=[False, True, True, True], kind="stable")
    explained = [_explained(row, out[out["level"].isin(["item", "family"])]) for row in out.itertuples()]
    return out[~np.array(explained, dtype=bool)] if len(out) else out


def _explained(row: Any, parts: pd.DataFrame) -> bool:
    """Whether one item (in one location), or for larger groups one family, explains most of the change."""
    if row.level == "item" and row.location != "all":
        return False
    smaller = parts[(parts["location"] != "all") & (parts["key"] == row.key)] if row.level == "item" else parts
    smaller = smaller[smaller["level"] == "item"] if row.level == "family" else smaller
    share = smaller["amount"] / row.amount if row.amount else smaller["amount"] * 0.0
    return bool(((share >= TOLD_BY) & (share <= 1 / TOLD_BY)).any())


def _stopped(judged: pd.DataFrame, items: pd.DataFrame | None, worth: float, now: pd.Timestamp) -> pd.DataFrame:
    """Items, customers and channels that asked for something in nearly every month before, and for nothing now."""
    ended = set(items.loc[items["end_date"] < frames.next_month(now), "item"]) if items is not None and "end_date" in items else set()
    gone = judged[judged["level"].isin(["item", "customer", "channel"]) & (judged["value"] <= 0) & (judged["active"] >= USUAL - 1)]
    gone = gone[~((gone["level"] == "item") & gone["key"].isin(ended))]
    out = gone.assign(expected=gone["usual"], change=-gone["usual"], amount=-gone["usual"] * gone["price"], kind="stopped")
    everywhere = set(out.loc[(out["location"] == "all"), "key"])
    out = out[(out["location"] == "all") | ~out["key"].isin(everywhere)]
    return out[out["amount"].abs() >= worth].sort_values(["amount", "key"], kind="stable").head(5)


def _started(judged: pd.DataFrame, worth: float) -> pd.DataFrame:
    """Items and customers seen for the first time."""
    new = judged[judged["new"] & judged["level"].isin(["item", "customer"]) & (judged["location"] == "all") & (judged["value"] > 0)]
    out = new.assign(expected=0.0, change=new["value"], amount=new["money"], kind="started")
    return out[out["amount"].abs() >= worth].sort_values(["amount", "key"], ascending=[False, True], kind="stable").head(5)


def _restated(changed: pd.DataFrame | None, history: pd.DataFrame) -> pd.DataFrame:
    """Past months that changed, each as one line: all demand of the month before and after."""
    if changed is None or changed.empty:
        return pd.DataFrame()
    by = changed.groupby("month", sort=True).agg(change=("change", "sum"), amount=("amount", "sum"), series=("change", "size")).reset_index()
    after = by["month"].map(history.groupby("month", sort=True)["demand_raw"].sum()).fillna(0.0)
    return by.assign(value=after, expected=after - by["change"], level="total", key=by["month"].dt.strftime("%Y-%m"), location="all", kind="restated").drop(columns="month")


def _concentration(lines: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """The customer who brings more than a quarter of a year's revenue."""
    year = lines[lines["month"] > frames.next_month(now, -SEASON)]
    total = float(year["amount"].sum())
    by = year.groupby("customer", sort=True)[["units", "amount"]].sum()
    large = by[by["amount"] > CONCENTRATED * total] if total > 0 else by.head(0)
    return pd.DataFrame([{"level": "customer", "key": key, "location": "all", "kind": "concentration", "value": row["units"], "expected": np.nan,
                          "change": np.nan, "amount": row["amount"], "share": row["amount"] / total} for key, row in large.iterrows()])


def _as_insights(told: pd.DataFrame, names: pd.Series, now: pd.Timestamp) -> pd.DataFrame:
    if told.empty:
        return frames.empty(frames.INSIGHTS)
    rows = []
    for place, row in enumerate(told.to_dict("records"), 1):
        expected = row["expected"] if pd.notna(row["expected"]) else 0.0
        label = "Total" if row["level"] == "total" and row["kind"] != "restated" else f"{names[row['key']]} ({row['key']})" if row["level"] == "item" and row["key"] in names.index and names[row["key"]] else str(row["key"])
        values = {"key": label + (f", {row['location']}" if row["location"] != "all" else ""), "level": row["level"], "location": row["location"],
                  "month": row["key"] if row["kind"] == "restated" else f"{now:%Y-%m}", "value": row["value"], "expected": expected,
                  "units": abs(row["change"]) if pd.notna(row["change"]) else 0.0, "amount": row["amount"],
                  "change": (row["value"] - expected) / expected if expected else 0.0,
                  "share": row["share"] if pd.notna(row.get("share")) else 0.0, "series": int(row["series"]) if pd.notna(row.get("series")) else 0}
        rows.append({"id": f"{place:03d}-{row['kind']}", "kind": row["kind"], "level": row["level"], "key": row["key"], "location": row["location"],
                     "month": now, "value": row["value"], "expected": row["expected"], "change": row["change"], "amount": row["amount"],
                     "values": json.dumps({k: _plain(v) for k, v in values.items()}, ensure_ascii=False, sort_keys=True)})
    return frames.conform(pd.DataFrame(rows), frames.INSIGHTS)


def _plain(value: Any) -> Any:
    return round(float(value), 6) if isinstance(value, float | np.floating) else value
