"""Bridges: from one number to another by parts that add up."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import frames


def price_volume_mix(history: pd.DataFrame, items: pd.DataFrame, *, month: Any, base: Any = None) -> pd.DataFrame:
    """Why revenue of a month differs from that of another: price, volume, mix, new and ended items, by family.

    Over the items sold in both months (q units net of returns, p = revenue / q, Q = Σq, p̄0 = Σp0·q0 / Q0):
        price   Σ(p1 − p0)·q1
        volume  (Q1 − Q0)·p̄0
        mix     Σp0·(q1 − Q1·q0/Q0)
    Each item's own part of volume is p̄0·(q1 − q0) and of mix (p0 − p̄0)·(q1 − q0), so that families add up as well.

    history   item × location × month   demand_raw, returns (units), revenue (money)
    items     item                      family
    month     the month explained; base: the month it is compared with, a year before where not given
    returns   family   before, price, volume, mix, new, ended, after (money); before + the five parts = after
    Source: ACCA, sales variances; the joint term of price and volume stands with price.
    """
    month = frames.month(month)
    base = frames.next_month(month, -12) if base is None else frames.month(base)
    now, then = _sold(history, month), _sold(history, base)
    rows = pd.DataFrame({"q1": now["units"], "r1": now["revenue"]}).join(
        pd.DataFrame({"q0": then["units"], "r0": then["revenue"]}), how="outer").fillna(0.0).sort_index()
    both = (rows["q0"] > 0) & (rows["q1"] > 0)
    q0, q1, r0, r1 = (rows[name].where(both, 0.0) for name in ("q0", "q1", "r0", "r1"))
    p0 = (r0 / q0).fillna(0.0)
    average = float(r0.sum() / q0.sum()) if both.any() else 0.0
    out = pd.DataFrame({
        "before": rows["r0"], "price": r1 - p0 * q1, "volume": average * (q1 - q0), "mix": (p0 - average) * (q1 - q0),
        "new": (rows["r1"] - rows["r0"]).where(~both & (rows["q0"] <= 0), 0.0),
        "ended": (rows["r1"] - rows["r0"]).where(~both & (rows["q0"] > 0), 0.0), "after": rows["r1"],
    })
    family = pd.Series(rows.index, index=rows.index).map(items.set_index("item")["family"]).fillna("")
    return out.groupby(family.to_numpy()).sum().rename_axis("family").reset_index()


def _sold(history: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    rows = history[history["month"] == month]
    return rows.assign(units=rows["demand_raw"] - rows["returns"].fillna(0.0)).groupby("item")[["units", "revenue"]].sum()


def revenue_bridge(by_family: pd.DataFrame) -> pd.DataFrame:
    """The whole company's bridge from last year's month to this one, from `price_volume_mix`.

    returns  frames.BRIDGE: revenue_year_ago, volume, mix, price, new, ended, revenue; without rows where nothing was
             sold in one of the two months
    """
    sums = by_family[["before", "volume", "mix", "price", "new", "ended", "after"]].sum()
    if not sums["before"] or not sums["after"]:
        return frames.empty(frames.BRIDGE)
    return _bridge("revenue", {"revenue_year_ago": sums["before"], **{name: sums[name] for name in ("volume", "mix", "price", "new", "ended")}, "revenue_now": sums["after"]})


def budget_bridge(plan: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame, *, months: Any) -> pd.DataFrame:
    """From the budget to the plan by family, over the months that both have.

    months    months looked at
    returns   frames.BRIDGE: budget, family:… (largest gap first), plan; without rows where no month is in both
    """
    span = sorted(set(pd.DatetimeIndex(months)) & set(plan["month"]) & set(budget["month"]))
    if not span:
        return frames.empty(frames.BRIDGE)
    mine = plan[plan["month"].isin(span)]
    family = mine["item"].map(items.set_index("item")["family"]).fillna("")
    ours = mine.groupby(family.to_numpy())["revenue"].sum()
    theirs = budget[budget["month"].isin(span)].groupby("family")["revenue"].sum()
    gap = ours.sub(theirs, fill_value=0.0)
    ranked = gap.iloc[(-gap.abs()).to_numpy().argsort(kind="stable")]
    return _bridge("budget", {"budget": theirs.sum(), **{f"family:{name}": amount for name, amount in ranked.items()}, "plan": ours.sum()})


def _bridge(name: str, parts: dict[str, Any]) -> pd.DataFrame:
    df = pd.DataFrame({"bridge": name, "part": list(parts), "position": range(1, len(parts) + 1), "amount": [float(v) for v in parts.values()]})
    return frames.conform(df, frames.BRIDGE)


def steps(bridge: pd.DataFrame, name: str, *, largest: int | None = None) -> pd.DataFrame:
    """One bridge in its order, ready for a chart: part, amount, total (flag of the first and the last).

    largest  keep so many of the largest changes; the rest is added up as `rest`
    """
    rows = bridge[bridge["bridge"] == name].sort_values("position", kind="stable")[["part", "amount"]].reset_index(drop=True)
    rows["total"] = rows.index.isin([0, len(rows) - 1])
    if largest is None or len(rows) - 2 <= largest:
        return rows
    changes = rows[~rows["total"]]
    kept = changes.iloc[sorted((-changes["amount"].abs()).to_numpy().argsort(kind="stable")[:largest])]
    rest = pd.DataFrame({"part": ["rest"], "amount": [changes["amount"].sum() - kept["amount"].sum()], "total": [False]})
    return pd.concat([rows.iloc[:1], kept, rest, rows.iloc[-1:]], ignore_index=True)
