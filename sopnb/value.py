"""The plan in money and in a few numbers: what it comes to, by family, against last plan and the budget."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import frames


def headline(plan: pd.DataFrame, history: pd.DataFrame, previous_plan: pd.DataFrame | None = None, *, months: Any) -> dict[str, Any]:
    """What the plan comes to over some months.

    months    the months spoken about; those the plan does not have are left out
    returns   first, last (months), units, revenue, margin, peak (month), peak_units; grows: units over the same months
              a year before, minus 1 (NaN where history has not all of them); changes, changed_revenue: units and money
              over last plan's, over the months it has too (NaN without a last plan). All NaN where nothing is planned.
    """
    rows = plan[plan["month"].isin(pd.DatetimeIndex(months))]
    by_month = rows.groupby("month")["consensus"].sum()
    if by_month.empty:
        names = ["first", "last", "units", "revenue", "margin", "peak", "peak_units", "grows", "changes", "changed_revenue"]
        return dict.fromkeys(names, float("nan"))
    units = float(by_month.sum())
    year_ago = history[history["month"].isin([frames.next_month(month, -12) for month in by_month.index])]
    before = float(year_ago["demand"].sum()) if year_ago["month"].nunique() == len(by_month) else 0.0
    out = {
        "first": by_month.index[0], "last": by_month.index[-1], "units": units, "revenue": float(rows["revenue"].sum()),
        "margin": float(rows["margin"].sum()), "peak": by_month.idxmax(), "peak_units": float(by_month.max()),
        "grows": units / before - 1 if before else float("nan"), "changes": float("nan"), "changed_revenue": float("nan"),
    }
    if previous_plan is not None and len(previous_plan):
        shared = rows["month"].isin(previous_plan["month"])
        last = previous_plan[previous_plan["month"].isin(rows["month"])]
        if last["consensus"].sum() > 0:
            out["changes"] = float(rows.loc[shared, "consensus"].sum() / last["consensus"].sum() - 1)
            out["changed_revenue"] = float(rows.loc[shared, "revenue"].sum() - last["revenue"].sum())
    return out


def families(plan: pd.DataFrame, items: pd.DataFrame, *, months: Any, previous_plan: pd.DataFrame | None = None, budget: pd.DataFrame | None = None) -> pd.DataFrame:
    """The plan of some months by family.

    returns   family   units, revenue, change (money, this plan minus last over the months both have), budget, gap
              (money, over the months that have a budget); missing where there is nothing to compare with; by revenue
    """
    months = pd.DatetimeIndex(months)
    rows = plan[plan["month"].isin(months)].merge(items[["item", "family"]], on="item", how="left")
    out = rows.groupby("family")[["consensus", "revenue"]].sum().rename(columns={"consensus": "units"})
    out[["change", "budget", "gap"]] = float("nan")
    if previous_plan is not None and len(previous_plan):
        last = _by_family(previous_plan[previous_plan["month"].isin(months)], items, "revenue", "last").groupby("family")["last"].sum()
        now = rows[rows["month"].isin(previous_plan["month"])].groupby("family")["revenue"].sum()
        out = out.reindex(sorted(set(out.index) | set(last.index)))
        out["change"] = now.reindex(out.index).fillna(0.0) - last.reindex(out.index).fillna(0.0)
    if budget is not None and len(budget):
        against = gap(plan[plan["month"].isin(months)], budget, items).groupby("family")[["budget", "gap"]].sum()
        out = out.reindex(sorted(set(out.index) | set(against.index)))
        if previous_plan is not None and len(previous_plan):
            out["change"] = out["change"].fillna(0.0)
        out["budget"], out["gap"] = against["budget"].reindex(out.index), against["gap"].reindex(out.index)
    out[["units", "revenue"]] = out[["units", "revenue"]].fillna(0.0)
    return out.rename_axis("family").reset_index().sort_values(["revenue", "family"], ascending=[False, True], kind="stable").reset_index(drop=True)


def gap(plan: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The plan against the budget, in money, over the months both have.

    plan      frames.PLAN
    budget    family × month   revenue (money)
    returns   family × month   plan, budget, gap = plan − budget (money); a family in one of them alone counts zero
              in the other
    """
    ours = _by_family(plan, items, "revenue", "plan")
    theirs = budget.groupby(["family", "month"], as_index=False)[["revenue"]].sum().rename(columns={"revenue": "budget"})
    both = sorted(set(ours["month"]) & set(theirs["month"]))
    out = ours.merge(theirs, on=["family", "month"], how="outer").fillna({"plan": 0.0, "budget": 0.0})
    out = out[out["month"].isin(both)].assign(gap=lambda d: d["plan"] - d["budget"])
    return out.sort_values(["family", "month"], kind="stable").reset_index(drop=True)


def landing(
    history: pd.DataFrame, plan: pd.DataFrame, budget: pd.DataFrame, items: pd.DataFrame, *, fiscal_year_start: int = 1
) -> pd.DataFrame:
    """Where the fiscal year of the first planned month will land: actual so far + plan to go, against its budget.

    history   item × location × month   revenue (money), demand_raw, returns (units)
    returns   family   first, last (months of the fiscal year), actual, to_go, landing, budget, gap, volume, price (money);
              gap = landing − budget. No rows where the budget has none of the year's months to go.

    Where the budget has units, gap = volume + price: volume = (units − units budgeted) × price budgeted, and price, the
    rest, is units × (price − price budgeted), what the mix of items does to it included. Else both are missing.
    """
    names = ["family", "first", "last", "actual", "to_go", "landing", "budget", "gap", "volume", "price"]
    start = pd.Timestamp(plan["month"].min()) if len(plan) else pd.NaT
    if pd.isna(start) or budget.empty:
        return pd.DataFrame(columns=names)
    first = frames.next_month(start, -((start.month - fiscal_year_start) % 12))
    last = frames.next_month(first, 11)
    past, ahead = history[history["month"].between(first, last) & (history["month"] < start)], plan[plan["month"].between(start, last)]
    sold = past.assign(units=past["demand_raw"] - past["returns"])
    sums = {
        "actual": _by_family(past, items, "revenue", "x"),
        "to_go": _by_family(ahead, items, "revenue", "x"),
        "sold": _by_family(sold, items, "units", "x"),
        "planned": _by_family(ahead, items, "consensus", "x"),
        "budget": budget[budget["month"].between(first, last)].rename(columns={"revenue": "x"}),
    }
    if not budget["month"].between(start, last).any():
        return pd.DataFrame(columns=names)
    out = pd.DataFrame({name: part.groupby("family")["x"].sum() for name, part in sums.items()}).fillna(0.0)
    out["landing"] = out["actual"] + out["to_go"]
    out["gap"] = out["landing"] - out["budget"]
    out["volume"] = _volume(out["sold"] + out["planned"], out["budget"], budget[budget["month"].between(first, last)])
    out["price"] = out["gap"] - out["volume"]
    return out.rename_axis("family").reset_index().assign(first=first, last=last)[names].sort_values("family").reset_index(drop=True)


def year(landing: pd.DataFrame | None) -> dict[str, Any]:
    """The fiscal year over all families.

    landing   what `landing` returned; None: there is no budget
    returns   actual, to_go, landing, budget, gap, volume, price (money), last (month); empty where nothing lands
    """
    if landing is None or landing.empty:
        return {}
    return {**landing[["actual", "to_go", "landing", "budget", "gap", "volume", "price"]].sum(), "last": landing["last"].iloc[0]}


def by_month(plan: pd.DataFrame, items: pd.DataFrame, *, months: Any, top: int = 8) -> pd.DataFrame:
    """Revenue and margin by family and month, for a table whose columns are months.

    top       families shown by themselves, the largest by revenue
    returns   two rows each for a family, for the others together and for all (kind: family, other, all), revenue and
              then margin (measure): family, m1, m2, … (money, in the order of `months`), total (money), share (margin /
              revenue, on margin rows), families (how many)
    """
    span = pd.DatetimeIndex(months)
    rows = plan[plan["month"].isin(span)].merge(items[["item", "family"]], on="item", how="left")
    rows["family"] = rows["family"].fillna("")
    order = rows.groupby("family")["revenue"].sum().sort_values(ascending=False, kind="stable").index
    kept = order if len(order) <= top + 1 else order[:top]
    groups = [("family", name, [name]) for name in kept] + [("other", None, [name for name in order if name not in kept]), ("all", None, list(order))]
    names = [f"m{n + 1}" for n in range(len(span))]
    wide = {measure: rows.pivot_table(index="family", columns="month", values=measure, aggfunc="sum").reindex(index=order, columns=span).fillna(0.0)
            for measure in ("revenue", "margin")}
    records = []
    for kind, name, members in groups:
        if not members:
            continue
        whole = float(wide["revenue"].loc[members].to_numpy().sum())
        for measure, table in wide.items():
            sums = table.loc[members].sum()
            share = float(sums.sum()) / whole if measure == "margin" and whole > 0 else float("nan")
            records.append({"kind": kind, "family": name, "families": len(members), "measure": measure, **dict(zip(names, sums, strict=True)), "total": float(sums.sum()), "share": share})
    return pd.DataFrame.from_records(records, columns=["kind", "family", "families", "measure", *names, "total", "share"])


def extremes(by_month: pd.DataFrame) -> dict[str, Any]:
    """Of `by_month`, the families whose margin is the largest and the smallest share of revenue.

    returns  best, most, worst, least (families, fractions); missing where no family has a revenue
    """
    rows = by_month[(by_month["kind"] == "family") & by_month["share"].notna()]
    if rows.empty:
        return {"best": None, "most": float("nan"), "worst": None, "least": float("nan")}
    best, worst = rows.loc[rows["share"].idxmax()], rows.loc[rows["share"].idxmin()]
    return {"best": best["family"], "most": float(best["share"]), "worst": worst["family"], "least": float(worst["share"])}


def _volume(units: pd.Series, money: pd.Series, budget: pd.DataFrame) -> pd.Series:
    """(units − units budgeted) × price budgeted, by family; missing where no units are budgeted."""
    if "units" not in budget.columns:
        return pd.Series(float("nan"), index=units.index)
    planned = budget.groupby("family")["units"].sum(min_count=1).reindex(units.index)
    planned = planned.where(planned > 0)
    return (units - planned) * money / planned


def _by_family(table: pd.DataFrame, items: pd.DataFrame, value: str, name: str) -> pd.DataFrame:
    with_family = table.merge(items[["item", "family"]], on="item", how="left")
    return with_family.groupby(["family", "month"], as_index=False)[[value]].sum().rename(columns={value: name})
