"""The cheapest aggregate plan of a scenario, family by family: a family of which nothing changes is not solved again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sopnb import aggregate


def optimum(given: Any, policy: pd.DataFrame, rules: Any, solved: dict[Any, pd.DataFrame], limited: dict[str, dict[str, np.ndarray]],
            made: pd.DataFrame | None = None) -> pd.DataFrame:
    """The optimum of every family of the workforce table: the rows of aggregate.plans.

    given     Tables; policy POLICY
    solved    what has been solved before; grows
    limited   family: limits of its own (`fewer`)
    made      AGGREGATE of the very same tables, which need not be solved; None: nothing is
    returns   AGGREGATE, strategy optimum
    """
    parts = []
    for place in range(len(given.workforce)):
        row = given.workforce.iloc[[place]]
        family = row["family"].iloc[0]
        members = set(given.items["item"]) if family == "all" else set(given.items.loc[given.items["family"] == family, "item"])
        own = limited.get(family, {})
        key = (family, tuple(_sum(given.plan, "consensus", members, by="month")), _sum(given.stock, "on_hand", members), _sum(policy, "safety_stock", members),
               rules.overtime_share, tuple((name, tuple(values)) for name, values in sorted(own.items())))
        if key not in solved:
            found = made[made["family"] == family] if made is not None else aggregate.plans(
                given.plan, row, given.items, stock=given.stock, policy=policy, overtime_share=rules.overtime_share, **own)
            solved[key] = found[found["strategy"] == "optimum"].reset_index(drop=True)
        parts.append(solved[key])
    there = [part for part in parts if len(part)]
    return pd.concat(there, ignore_index=True) if there else parts[0] if parts else pd.DataFrame()


def fewer(given: Any, before: pd.DataFrame | None) -> dict[str, dict[str, np.ndarray]]:
    """What people can make where a resource has fewer hours than in the base: limits in units, family by family, by month.

    before    resource × month   available_hours, overtime_hours of the base; None, or the same table: nothing is limited
    returns   family: {regular_limit, overtime_limit}   units a month, infinite where its resources have what they had

    units = hours left / hours a unit of the family takes, by its plan of the month; the family's share of a shared resource is
    that of the hours its plan needs there. A limit of the workforce table that is lower stands.
    """
    if before is None or given.hours is before or given.workforce is None or given.routings is None:
        return {}
    now = given.hours.merge(before, on=["resource", "month"], suffixes=("", "_before"))
    now = now[now["available_hours"] < now["available_hours_before"] * (1 - 1e-9)]
    need = given.plan.merge(given.routings[["item", "resource", "hours_per_unit"]], on="item").merge(given.items[["item", "family"]], on="item")
    need = need[need["resource"].isin(now["resource"])]
    need = need.assign(hours=need["consensus"] * need["hours_per_unit"])
    months = sorted(given.plan["month"].unique())
    out: dict[str, dict[str, np.ndarray]] = {}
    for row in given.workforce.to_dict("records"):
        mine = need if row["family"] == "all" else need[need["family"] == row["family"]]
        if mine.empty:
            continue
        sums = mine.groupby(["resource", "month"])[["consensus", "hours"]].sum()
        sums["share"] = sums["hours"] / need.groupby(["resource", "month"])["hours"].sum().reindex(sums.index)
        both = now.set_index(["resource", "month"]).join(sums, how="inner")
        a_unit = both["hours"] / both["consensus"].where(both["consensus"] > 0)
        # Items of the family that do not use the resource go on as they were.
        total = given.plan[given.plan["item"].isin(given.items["item"] if row["family"] == "all" else given.items.loc[given.items["family"] == row["family"], "item"])]
        others = total.groupby("month")["consensus"].sum().reindex(both.index.get_level_values("month")).to_numpy() - both["consensus"].to_numpy()
        limits = {}
        for name, column, rest in (("regular_limit", "available_hours", others), ("overtime_limit", "overtime_hours", 0.0)):
            units = (both[column].fillna(0.0) * both["share"] / a_unit + rest).groupby(level="month").min().reindex(months)
            stated = row.get(name)
            limits[name] = np.minimum(units.fillna(np.inf).to_numpy(dtype="float64"), np.inf if stated is None or pd.isna(stated) else float(stated))
        out[row["family"]] = limits
    return out


def _sum(table: pd.DataFrame | None, column: str, members: set[str], by: str | None = None) -> Any:
    if table is None:
        return 0.0
    rows = table[table["item"].isin(members)]
    return float(rows[column].sum()) if by is None else rows.groupby(by)[column].sum()
