"""How did we do, on the same measures as always? The scorecard, its trend over 13 months, and bridges that add up.

The measures stand in `sopnb.book.BOOK`; this file takes them, judges them against their targets, and remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, measures_demand, measures_supply  # the measures enter the book as they are read
from sopnb.book import BOOK, VALUES, Kpi
from sopnb.bridges import budget_bridge, price_volume_mix, revenue_bridge, steps

__all__ = [
    "BOOK", "absent", "budget_bridge", "compute", "compute_history", "described", "document", "example", "judge", "panels",
    "price_volume_mix", "revenue_bridge", "scorecard", "steps", "trend",
]
HOMES = (measures_demand, measures_supply)
TAKEN_FROM = {"past_plans": "plan"}  # a table of the book that is another one's past
SETTINGS = {"lag": 3, "excess_months": 6.0, "fiscal_year_start": 1}


def compute(
    tables: Mapping[str, pd.DataFrame | None], *, month: Any, targets: Mapping[str, Any] | None = None,
    only_history: bool = False, **settings: Any,
) -> pd.DataFrame:
    """Every measure that the tables allow, for one month.

    tables    by name: sources and step tables; past_plans (plan with its `cycle`); actions and attendance of the
              ledger. None or missing: what needs it is absent.
    month     the month judged: the last with actuals
    targets   measure: target, watch (limit of `watch`) and better (higher, lower or zero), as attributes or a mapping
    settings  lag: months ahead at which supply decides; excess_months; fiscal_year_start
    returns   frames.KPIS; status on, watch or off against the target, `none` without one. A target in money is the
              whole company's and judges scope `all` alone.
    """
    return _compute(tables, frames.month(month), targets, settings, [one for one in BOOK.values() if one.history or not only_history])


def _compute(tables: Mapping[str, pd.DataFrame | None], month: pd.Timestamp, targets: Mapping[str, Any] | None, settings: Mapping[str, Any], measures: list[Kpi]) -> pd.DataFrame:
    given = {name: table for name, table in tables.items() if table is not None and len(table)}
    parts = [_taken(one, given, month, targets or {}, {**SETTINGS, **settings}) for one in measures]
    there = [part for part in parts if part is not None]
    return frames.conform(pd.concat(there, ignore_index=True), frames.KPIS) if there else frames.empty(frames.KPIS)


def further(
    kpis: pd.DataFrame, tables: Mapping[str, pd.DataFrame | None], *, month: Any, targets: Mapping[str, Any] | None = None, **settings: Any,
) -> pd.DataFrame:
    """The measures of a month, with those that wait for the others: how decisions came out is read off the month's measures.

    kpis     of the month, see `compute`
    tables   those that came since, `scored`; measures taken before stay as they are
    returns  frames.KPIS
    """
    given = {name for name, table in tables.items() if table is not None}
    more = _compute(tables, frames.month(month), targets, settings, [one for one in BOOK.values() if one.id not in set(kpis["kpi"]) and set(one.needs) <= given])
    return frames.conform(pd.concat([part for part in (kpis, more) if len(part)], ignore_index=True), frames.KPIS) if len(more) else kpis


def compute_history(
    tables: Mapping[str, pd.DataFrame | None], *, month: Any, months: int = 13, targets: Mapping[str, Any] | None = None,
    past: pd.DataFrame | None = None, **settings: Any,
) -> pd.DataFrame:
    """The measures that may look back, for the months before memory starts: `compute`, one month at a time.

    month     the month judged now; months: how many up to it
    past      kpis of earlier cycles: months they judged are left as they were judged
    returns   frames.KPIS of the months before `month`
    """
    known = set() if past is None else set(zip(past["kpi"], past["month"], strict=True))
    parts = [_compute(tables, one, targets, settings, [k for k in BOOK.values() if k.history and (k.id, one) not in known])
             for one in frames.months(frames.next_month(month, 1 - months), months - 1)]
    there = [part for part in parts if len(part)]
    return frames.conform(pd.concat(there, ignore_index=True), frames.KPIS) if there else frames.empty(frames.KPIS)


def _taken(one: Kpi, tables: Mapping[str, pd.DataFrame], month: pd.Timestamp, targets: Mapping[str, Any], settings: Mapping[str, Any]) -> pd.DataFrame | None:
    if not set(one.needs) <= set(tables):
        return None
    arguments = {name: tables[name] for name in one.takes if name in tables}
    asked = {name: month if name == "month" else settings[name] for name in one.asks}
    found = one.function(**arguments, **asked)
    if found is None:
        return None
    found = found[found["denominator"].notna() & (found["denominator"] != 0)]
    value = VALUES[one.value](found["numerator"], found["denominator"])
    out = found.assign(kpi=one.id, month=month, value=value, version=one.version)
    out = out[np.isfinite(out["value"])]
    return judge(out, one, targets.get(one.id))


def judge(rows: pd.DataFrame, one: Kpi, target: Any) -> pd.DataFrame:
    """Target, limit and status beside the values: on, watch or off; none without a target."""
    limits = _limits(target)
    if limits is None:
        return rows.assign(target=np.nan, low=np.nan, status="none")
    goal, watch, better = limits
    size = {"higher": -rows["value"], "lower": rows["value"], "zero": rows["value"].abs()}[better]  # the smaller the better
    sign = -1 if better == "higher" else 1
    status = np.where(size <= sign * goal + 1e-12, "on", np.where(size <= sign * watch + 1e-12, "watch", "off"))
    meant = (rows["scope"] == "all") if one.unit == "money" else pd.Series(True, index=rows.index)
    return rows.assign(target=np.where(meant, goal, np.nan), low=np.where(meant, watch, np.nan), status=np.where(meant, status, "none"))


def _limits(target: Any) -> tuple[float, float, str] | None:
    if target is None:
        return None
    get = target.get if isinstance(target, Mapping) else lambda name: getattr(target, name)
    return float(get("target") or 0.0), float(get("watch") or 0.0), str(get("better"))


def absent(tables: Mapping[str, pd.DataFrame | None], kpis: pd.DataFrame, *, month: Any) -> pd.DataFrame:
    """The measures that could not be taken, and why.

    returns  kpi, name, missing: the tables that are not there, joined; '' where they are there and too young or empty
    """
    have = {name for name, table in tables.items() if table is not None and len(table)}
    whole = (kpis["scope"] == "all") | kpis["scope"].str.startswith("lag:")
    taken = set(kpis.loc[(kpis["month"] == frames.month(month)) & whole, "kpi"])
    rows = [(one.id, one.name, ", ".join(name for name in one.needs if name not in have)) for one in BOOK.values() if one.id not in taken]
    return pd.DataFrame(rows, columns=["kpi", "name", "missing"])


def trend(past_kpis: pd.DataFrame | None, kpis: pd.DataFrame, *, month: Any, months: int = 13, scope: str = "all") -> pd.DataFrame:
    """Each measure over the months up to the one judged, as it was judged at the time; a gap is a gap.

    past_kpis  kpis of earlier cycles, with `cycle`: of a month judged more than once, the cycle that judged it as its
               last month counts, then the earliest
    returns    kpi × month   value, target, low, status, version, scope, line
               A measure that cannot be taken at the decision lag yet stands in for it with its first lag, as scope
               `lag:…`; a target is meant for the decision lag, so it has none.
               `line` counts up where the definition changed: values on two lines are not comparable. A measure taken
               in no month is left out; other months without a value are there, with the value missing.
    """
    month = frames.month(month)
    now = kpis.assign(cycle=frames.next_month(month))
    every = now if past_kpis is None or past_kpis.empty else pd.concat([past_kpis, now], ignore_index=True)
    every = _stood_in(every, month, scope)
    every = every[every["month"].between(frames.next_month(month, 1 - months), month)]
    frozen = every["cycle"] == every["month"] + pd.DateOffset(months=1)
    every = every.assign(later=~frozen).sort_values(["kpi", "month", "later", "cycle"], kind="stable").drop_duplicates(["kpi", "month"])
    span = pd.DataFrame({"month": frames.months(frames.next_month(month, 1 - months), months)})
    grid = pd.DataFrame({"kpi": [name for name in BOOK if name in set(every["kpi"])]}).merge(span, how="cross")
    out = grid.merge(every[["kpi", "month", "value", "target", "low", "status", "version", "scope"]], on=["kpi", "month"], how="left")
    filled = out.groupby("kpi", sort=False)["version"].transform(lambda version: version.ffill().bfill())
    changed = (filled != filled.groupby(out["kpi"], sort=False).shift()) & (out["kpi"] == out["kpi"].shift())
    out["line"] = changed.groupby(out["kpi"], sort=False).cumsum().astype(int) + 1
    return out


def _stood_in(every: pd.DataFrame, month: pd.Timestamp, scope: str) -> pd.DataFrame:
    """The rows of a scope; of a measure that has none in the month judged, those of its first lag."""
    now = every[every["month"] == month]
    by_lag = now[now["scope"].str.startswith("lag:") & ~now["kpi"].isin(now.loc[now["scope"] == scope, "kpi"])]
    first = by_lag.groupby("kpi")["scope"].min()
    lagged = every[every["kpi"].isin(first.index) & (every["scope"] == every["kpi"].map(first))]
    rest = every[(every["scope"] == scope) & ~every["kpi"].isin(first.index)]
    return pd.concat([rest, lagged.assign(target=np.nan, low=np.nan, status="none")], ignore_index=True) if len(lagged) else rest


def scorecard(trended: pd.DataFrame, *, month: Any) -> pd.DataFrame:
    """One row a measure for the month judged: the worst first, then in the order of the book.

    trended  see `trend`
    returns  kpi, name, value, before (the month before), year_ago, target, status, got_worse (flag: away from where
             it is better than the month before), version, unit, scope; `before` and `year_ago` only on the same line
    """
    month = frames.month(month)
    at = {name: trended[trended["month"] == frames.next_month(month, -back)].set_index("kpi") for name, back in (("now", 0), ("before", 1), ("year_ago", 12))}
    now = at["now"].dropna(subset=["value"])
    out = now[["value", "target", "status", "version", "scope"]].copy()
    for name in ("before", "year_ago"):
        other = at[name].reindex(now.index)
        out[name] = other["value"].where(other["line"] == now["line"])
    out["name"] = [BOOK[one].name for one in out.index]
    out["unit"] = [BOOK[one].unit for one in out.index]
    worse = {"higher": out["value"] < out["before"], "lower": out["value"] > out["before"], "zero": out["value"].abs() > out["before"].abs()}
    out["got_worse"] = [bool(worse[BOOK[one].better].loc[one]) for one in out.index]
    rank = out["status"].map({"off": 0, "watch": 1, "on": 2}).fillna(3)
    out = out.assign(rank=rank, place=[list(BOOK).index(one) for one in out.index]).sort_values(["rank", "place"], kind="stable")
    return out.rename_axis("kpi").reset_index()[["kpi", "name", "value", "before", "year_ago", "target", "status", "got_worse", "version", "unit", "scope"]]


def panels(trended: pd.DataFrame, *, names: Mapping[str, str]) -> pd.DataFrame:
    """The trend ready for small charts: a measure whose definition changed gets a panel for each definition.

    trended   see `trend`
    names     measure: what to call it
    returns   trended with panel (text) and kind (percent, money or number)
    """
    several = trended.groupby("kpi")["line"].transform("max") > 1
    called = trended["kpi"].map(names)
    newer = called + " (" + trended["version"].ffill().fillna("") + ")"
    kinds = {one.id: one.unit if one.unit in ("percent", "money") else "number" for one in BOOK.values()}
    return trended.assign(panel=called.where(~several, newer), kind=trended["kpi"].map(kinds))


def described() -> dict[str, dict[str, Any]]:
    """What each measure is called and measured in: name, unit, digits, better, measure, owner, formula, version."""
    return {one.id: {"name": one.name, "unit": one.unit, "digits": one.digits, "better": one.better, "measure": one.measure,
                     "owner": one.owner, "formula": one.formula, "version": one.version} for one in BOOK.values()}


# --- the book as a document -----------------------------------------------------------------------------------------

def example(one: Kpi, *, month: str = "2026-09") -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of a measure's worked example, typed, and its settings."""
    blocks: dict[str, list[list[str]]] = {}
    for line in one.example.splitlines():
        if not line.startswith(" "):
            rows = blocks.setdefault(line.strip(), [])
        else:
            rows.append(line.split())
    return {name: _example_table(name, rows) for name, rows in blocks.items()}, {"month": month, **one.settings}


def _example_table(name: str, rows: list[list[str]]) -> pd.DataFrame:
    frame = frames.TABLES[TAKEN_FROM.get(name, name)]
    cells = pd.DataFrame(rows[1:], columns=rows[0], dtype=object)
    cells = cells.replace({"-": None})
    more = [column for column in cells if column not in frame.names]
    for flag in (column.name for column in frame.columns if column.kind == "flag" and column.name in cells):
        cells[flag] = cells[flag] == "1"
    return frames.typed(cells, frame).assign(**{str(column): pd.to_datetime(cells[column]) for column in more})


def document() -> str:
    """docs/kpis.md, made from the book."""
    head = ["# The KPI book", "", "Made by `python -m sopnb.kpis`; change the measure in `sopnb/measures_*.py`, not this page.", "",
            "Every measure has one function, one formula, one worked example that is also a test, an owner and a definition version.",
            "Where the tables it needs are missing it is absent, never zero. Targets stand in the params file.", "",
            "Not among them: the perfect order. SCOR counts orders that are complete, on time, undamaged and rightly documented;",
            "order lines do not tell damage or documents, and a product of rates is not it.", "",
            "| id | name | unit | better | owner | version |", "|---|---|---|---|---|---|"]
    head += [f"| [{one.id}](#{one.id}) | {one.name} | {one.unit} | {one.better} | {one.owner} | {one.version} |" for one in BOOK.values()]
    return "\n".join([*head, *(line for one in BOOK.values() for line in _page(one)), ""])


def _page(one: Kpi) -> list[str]:
    settings = "".join(f", {name} {value}" for name, value in one.settings.items())
    back = " It can be computed for months before the first cycle." if one.history else ""
    return ["", f"## {one.id}", "", f"**{one.name}**, {one.unit}; {one.measure}. Better: {one.better}. Owner: {one.owner}. Version {one.version}.", "",
            f"    {one.formula}", "", f"Needs: {', '.join(one.needs)}. Source: {one.source}.{back}", "",
            f"Example, September 2026{settings}: **{one.gives:,.4g}**. {_about(one)}", "", "```", one.example, "```"]


def _about(one: Kpi) -> str:
    return " ".join((one.function.__doc__ or "").split())


if __name__ == "__main__":
    print(document(), end="")
