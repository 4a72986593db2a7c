"""The plan on the front page: its total, why it changed, demand and plan as a chart, the families against budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, words
from sopnb.front_ground import Ground, Scale, about
from sopnb.words import message

PARTS = ("restated", "actuals", "calendar", "items", "reconciled", "method", "events", "pipeline", "leads", "sales", "override", "price", "new")


def totals(ground: Ground) -> dict[str, Any] | None:
    """The plan of the window in money and units, against last plan and budget.

    returns  plan, units, last, change, change_units, share_units; budget and gap over the months that have a budget,
             covered (their number); None where there is no plan
    """
    plan = ground.get("plan")
    if plan is None:
        return None
    now, before = ground.within(plan), ground.last_plan()
    revenue, units = float(now["revenue"].sum()), float(now["consensus"].sum())
    last = None if before is None else float(before["revenue"].sum())
    last_units = None if before is None else float(before["consensus"].sum())
    budget, gap, covered = _budget(ground, now)
    return {"plan": revenue, "units": units, "last": last, "change": None if last is None else revenue - last,
            "change_units": None if last_units is None else units - last_units,
            "share_units": None if not last_units else units / last_units - 1, "budget": budget, "gap": gap, "covered": covered}


def outlook(ground: Ground) -> dict[str, Any] | None:
    """What open deals are expected to bring in the window: the large words of a company without orders.

    returns  expected, open (money); None where there is no pipeline
    """
    deals = ground.get("outlook")
    return None if deals is None else {name: float(ground.within(deals)[name].sum()) for name in ("expected", "open")}


def _budget(ground: Ground, now: pd.DataFrame) -> tuple[float | None, float | None, int]:
    """Budget and plan − budget over the window's months that have a budget; months without one are left out of both."""
    budget = ground.get("budget")
    if budget is None:
        return None, None, 0
    inside = ground.within(budget).dropna(subset=["revenue"])
    if inside.empty:
        return None, None, 0
    held = now[now["month"].isin(inside["month"])]
    amount = float(inside["revenue"].sum())
    return amount, float(held["revenue"].sum()) - amount, int(inside["month"].nunique())


def changes(ground: Ground) -> dict[str, Any]:
    """Last plan to this plan, part by part, as rows of a waterfall that starts at last plan = 0.

    returns  finding, sub, unit, rows: label, why, kind (total, part or budget), text, and the drawing's percents
             (zero, left, width, before, after); no rows where there is no earlier plan
    """
    sums = totals(ground)
    table = ground.get("changes")
    if sums is None or table is None or sums["last"] is None:
        return {"rows": [], "finding": message("front.changes.none", {})}
    inside = ground.within(table)
    amounts, units = inside.groupby("part")["amount"].sum(), inside.groupby("part")["units"].sum()
    parts = [(part, float(amounts[part]), float(units[part])) for part in [*PARTS, *sorted(set(amounts.index) - set(PARTS))] if part in amounts.index]
    rest = sums["change"] - sum(amount for _, amount, _ in parts)
    if abs(rest) > 1e-6 * max(abs(sums["plan"]), 1.0):
        parts.append(("rest", rest, float("nan")))
    parts = [part for part in parts if part[1] or part[2]]
    scale = Scale.of([sums["plan"], sums["last"]])
    return {"rows": _waterfall(parts, sums, scale), "unit": scale.label, "parts": parts,
            "finding": _why(parts, sums), "sub": message("front.changes.sub", {"window": ground.window_text, "unit": scale.label}),
            "source": message("front.changes.source", {"before": f"{frames.next_month(ground.cycle, -1):%Y-%m}",
                                                       "now": f"{ground.cycle:%Y-%m}", "change": scale.show(sums["change"], signed=True)})}


def _why(parts: list[tuple[str, float, float]], sums: dict[str, Any]) -> words.Sentence:
    """The finding: how much it moved and which part moved it most, in the direction of the change."""
    same_way = [part for part in parts if part[1] * sums["change"] > 0]
    if not same_way:
        return message("front.changes.same", {})
    largest = max(same_way, key=lambda part: abs(part[1]))
    return message("front.changes.rose" if sums["change"] > 0 else "front.changes.fell", {
        "change": about(abs(sums["change"])), "part": _part(largest[0]), "amount": about(largest[1])})


def _part(part: str) -> str:
    known = f"front.part.{part}" in words.MESSAGES
    return message(f"front.part.{part}", {}).text if known else part


def _waterfall(parts: list[tuple[str, float, float]], sums: dict[str, Any], scale: Scale) -> list[dict[str, Any]]:
    """Rows with their drawing in percent of the cell's width; the axis is the change from last plan, never cut."""
    ends = np.cumsum([0.0, *[amount for _, amount, _ in parts]])
    marks = [*ends, sums["change"]] + ([sums["change"] - sums["gap"]] if _with_budget(sums) else [])
    low, high = min(marks), max(marks)
    width = (high - low) or 1.0

    def at(amount: float) -> float:
        return round(6 + 88 * (amount - low) / width, 2)

    rows: list[dict[str, Any]] = [{"kind": "last", "label": message("front.last_plan", {}), "why": "", "text": scale.show(sums["last"]), "zero": at(0)}]
    for (part, amount, units), start in zip(parts, ends[:-1], strict=True):
        why = "" if np.isnan(units) or part == "price" else message("front.part.units", {"units": units}).text
        rows.append({"kind": "part", "label": _part(part), "why": why, "text": scale.show(amount, signed=True), "zero": at(0), "up": amount >= 0,
                     "before": at(start), "after": at(start + amount), "left": min(at(start), at(start + amount)),
                     "width": max(abs(at(start + amount) - at(start)), 0.4)})
    rows.append({"kind": "this", "label": message("front.this_plan", {}), "why": "", "text": scale.show(sums["plan"]), "zero": at(0), "after": at(sums["change"])})
    if _with_budget(sums):
        rows.append({"kind": "budget", "label": message("front.budget", {}), "why": message("front.budget.gap", {"gap": sums["gap"]}).text,
                     "text": scale.show(sums["budget"]), "zero": at(0), "before": at(sums["change"]), "after": at(sums["change"] - sums["gap"])})
    return rows


def _with_budget(sums: dict[str, Any]) -> bool:
    """The budget stands in the waterfall only where its bar does not dwarf the changes and it covers the whole window."""
    return sums["gap"] is not None and abs(sums["gap"]) <= 8 * max(abs(sums["change"]), 0.002 * sums["plan"])


def demand_chart(ground: Ground) -> Any | None:
    """Revenue by month: what was sold, what is planned, what was budgeted. None where there is no plan."""
    plan, history = ground.get("plan"), ground.get("history")
    if plan is None or history is None:
        return None
    from sopnb import charts  # brings matplotlib: only where something is drawn

    first, last = frames.next_month(ground.cycle, -24), frames.next_month(ground.cycle, 12)
    sold = _by_month(history[history["month"] >= first])
    planned = _by_month(plan[plan["month"] < last])
    budget = ground.get("budget")
    thin = None
    if budget is not None:
        shown = budget[(budget["month"] >= first) & (budget["month"] < last)].dropna(subset=["revenue"])
        thin = _by_month(shown) if len(shown) else None
    unit = Scale.of([*sold["revenue"], *planned["revenue"]]).label
    peak = planned.iloc[int(planned["revenue"].argmax())]
    band = _band(ground, planned)
    return charts.demand_and_plan(
        sold, planned, forecast=band, events=_feasts(ground, first), budget=thin, unit="money", months=24, name="demand-plan", title=_chart_title(ground, peak, sold),
        subtitle=message("front.chart.sub" if band is None else "front.chart.sub.band", {"unit": unit}), source=message("front.chart.source" if thin is None else "front.chart.source.budget", {
            "origin": frames.next_month(ground.cycle, -1), "cycle": f"{ground.cycle:%Y-%m}"}))


def _band(ground: Ground, planned: pd.DataFrame) -> pd.DataFrame | None:
    """The 80 % band of the plan's money: as far around it as the total's band in units lies around the baseline.

    planned  month   revenue
    returns  month   lo80, hi80 (money); None where no forecast was tested
    """
    forecast, tested = ground.get("forecast"), ground.get("tested")
    if forecast is None or tested is None:
        return None
    from sopnb import bands

    units = bands.family_bands(forecast, tested)
    known = planned.merge(units[units["baseline"] > 0], on="month")
    return None if known.empty else pd.DataFrame({"month": known["month"], **{side: known["revenue"] * known[side] / known["baseline"] for side in ("lo80", "hi80")}})


def _feasts(ground: Ground, first: pd.Timestamp) -> pd.DataFrame | None:
    """Holidays that move demand, by name without their year, in the middle of their weeks; None where none is known."""
    events = ground.get("events")
    told = None if events is None else events[(events["kind"] == "holiday") & (events["start"] >= first)]
    if told is None or told.empty:
        return None
    middle = told["start"] + (told["end"].fillna(told["start"]) - told["start"]) / 2
    return pd.DataFrame({"name": told["name"].str.replace(r"\s*\b\d{4}$", "", regex=True), "start": middle}).reset_index(drop=True)


def _by_month(df: pd.DataFrame) -> pd.DataFrame:
    return df.groupby("month")["revenue"].sum().reset_index()


def _chart_title(ground: Ground, peak: pd.Series, sold: pd.DataFrame) -> words.Sentence:
    """The window's plan against the same months a year earlier, and its peak."""
    plan = ground.within(ground.tables["plan"])["revenue"].sum()
    before = sold[sold["month"].isin(ground.months - pd.DateOffset(years=1))]
    if len(before) < len(ground.months) or not before["revenue"].sum():
        return message("front.chart.peak", {"amount": peak["revenue"], "month": peak["month"]})
    share = plan / before["revenue"].sum() - 1
    return message("front.chart.up" if share >= 0 else "front.chart.down", {
        "share": abs(share), "amount": peak["revenue"], "month": peak["month"], "window": ground.window_text})


def families(ground: Ground, top: int = 8) -> dict[str, Any] | None:
    """Plan of the window by family, against last plan and budget: the largest gap first, else the largest plan.

    returns  finding, sub, unit, has_last, has_budget, rows and total: name, plan, change, budget, gap as text
             and, in `amounts`, as they are
    """
    plan = ground.get("plan")
    if plan is None or ground.get("items") is None:
        return None
    of = ground.families()

    def by_family(df: pd.DataFrame | None) -> pd.Series | None:
        if df is None:
            return None
        return df.groupby(df["item"].map(of).fillna("–"))["revenue"].sum()

    table = pd.DataFrame({"plan": by_family(ground.within(plan))})
    before, sums = by_family(ground.last_plan()), totals(ground) or {}
    if before is not None:
        table = table.join(before.rename("last"), how="outer").fillna({"plan": 0.0, "last": 0.0})
        table["change"] = table["plan"] - table["last"]
    if sums.get("budget"):
        budget = ground.within(ground.tables["budget"]).dropna(subset=["revenue"])
        held = ground.within(plan)
        same = by_family(held[held["month"].isin(budget["month"])])
        table = table.join(budget.groupby("family")["revenue"].sum().rename("budget"), how="outer").fillna({"plan": 0.0})
        table["gap"] = same.reindex(table.index).fillna(0.0) - table["budget"].fillna(0.0)  # type: ignore[union-attr]
    order = table.sort_values("gap") if "gap" in table else table.sort_values("plan", ascending=False)
    return _family_table(ground, order, sums, top)


def _family_table(ground: Ground, table: pd.DataFrame, sums: dict[str, Any], top: int) -> dict[str, Any]:
    scale = Scale.of(table["plan"])
    has_last, has_budget = "change" in table, "gap" in table
    sign = {"plan": False, "change": True, "budget": False, "gap": True}

    shown = table if len(table) <= top else (table.head(top - 1))

    def cells(row: pd.Series, name: object, other: bool = False) -> dict[str, Any]:
        return {"name": name, "other": other, "n": len(table) - len(shown) if other else 1, "amounts": {c: float(row[c]) for c in sign if c in table},
                **{c: scale.show(row[c], signed=sign[c]) for c in sign if c in table}}

    rows = [cells(row, name) for name, row in shown.iterrows()]
    if len(table) > len(shown):
        rest = table.iloc[len(shown):]
        rows.append(cells(rest.sum(), message("front.other", {"n": len(rest)}), other=True))
    return {"unit": scale.label, "scale": scale, "has_last": has_last, "has_budget": has_budget, "rows": rows, "total": cells(table.sum(), message("front.all_families", {})),
            "finding": _family_finding(table, sums), "sub": message("front.families.gap" if has_budget else "front.families.plan", {
                "window": ground.window_text, "unit": scale.label})}


def _family_finding(table: pd.DataFrame, sums: dict[str, Any]) -> words.Sentence:
    if "gap" in table and sums.get("gap") is not None:
        worst, name = float(table["gap"].min()), str(table["gap"].idxmin())
        if worst < 0:
            return message("front.families.behind" if sums["gap"] < 0 else "front.families.behind.alone", {
                "family": name, "gap": about(abs(worst)), "total": about(abs(sums["gap"]))})
        return message("front.families.ahead", {})
    if "change" in table and table["change"].abs().sum():
        name = str(table["change"].abs().idxmax())
        return message("front.families.moved", {"family": name, "change": about(float(table.loc[name, "change"]))})
    name = str(table["plan"].idxmax())
    return message("front.families.largest", {"family": name, "share": float(table["plan"].max() / table["plan"].sum()) if table["plan"].sum() else 0.0})
