"""A change tried at the notebook, as it is read: one sentence, one small table; what is to mend, and what may be typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import scenarios, scenarios_page, scenarios_try, tables, words
from sopnb.blocks import Block, block, short_month
from sopnb.tables import Table
from sopnb.words import Sentence, message, plain, say

col = tables.col
LEAST = 0.5  # money below which nothing differs
DUST = 1e-8  # share of the plan's own figure below which nothing differs
# measure: how it is shown, and how its difference is
SHOWN: dict[str, tuple[str, str]] = {
    "result": ("money", "money+"), "revenue": ("money", "money+"), "margin": ("money", "money+"), "service": (".2%", "+.2pp"), "at_risk": ("money", "money+"), "stock_mean": ("money", "money+"),
    "stock_peak": ("money", "money+"), "missing_hours": (",.0f", "+,.0f"), "people": (",.0f", "+,.0f"), "supply_cost": ("money", "money+")}


def shown(tried: scenarios_try.Tried, *, names: Mapping[str, str], months: pd.DatetimeIndex) -> Block:
    """What was tried beside the plan as it is; where something is to mend, the whole list; and lines to copy.

    tried    scenarios_try.run
    names    item: its name; event: its name
    months   the months planned
    """
    if tried.problems:
        n = len(tried.problems)
        head = say("**Not computed: {n:,d} things are to mend.**", n=n) if n > 1 else say("**Not computed: one thing is to mend.**")
        return block(head, *(plain(str(problem)) for problem in tried.problems), _lines(tried, names))
    if tried.found is None:
        return block(say("Nothing is typed yet. Copy a line into the brackets and run the cell again."), _lines(tried, names)) if tried.examples else block()
    what = _what(tried.found, names)
    said = _answer(tried.found, what, months)
    if not tried.typed:
        said = say("Nothing is typed yet, so this is the first scenario of the params file: {name}.", name=tried.found.measures["scenario"].iloc[1]) + said
    return block(said, _beside(tried.found, what, months), _lines(tried, names))


def _what(found: scenarios.Found, names: Mapping[str, str]) -> str:
    """What is changed, in words, as the beginning of a sentence."""
    told = "; ".join(scenarios_page.said(row["change"], row["said"], names) for row in found.changes.to_dict("records"))
    return told[:1].upper() + told[1:]


def _answer(found: scenarios.Found, what: str, months: pd.DatetimeIndex) -> Sentence:
    more = float(found.measures["difference"].iloc[1])
    if abs(more) < LEAST:
        return say("**{what}: the result to {last:month} stays as it is.**", what=what, last=months[-1])
    said = say("**{what}: {more:money+} of result to {last:month}.**", what=what, more=more, last=months[-1])
    most = found.parts.loc[found.parts["amount"].abs().idxmax()]
    return said + say("Most of it is {part} ({amount:money+}).", part=_part(most["part"]), amount=most["amount"])


def _part(part: str) -> str:
    told = message("scenarios.part." + part).text
    return told[:1].lower() + told[1:]


def _beside(found: scenarios.Found, what: str, months: pd.DatetimeIndex) -> Table:
    """Measure by measure: as planned, with the change, the difference; a dash where nothing differs."""
    values = found.measures.assign(missing_hours=[_missing(plan) for plan in found.plans.values()])
    base, other = (row for row in values.to_dict("records"))
    known = [name for name in SHOWN if pd.notna(base[name])]
    rows = [{"what": message("scenarios.measure." + name), "base": words.show(base[name], SHOWN[name][0]), "other": words.show(other[name], SHOWN[name][0]),
             "apart": words.show(other[name] - base[name], SHOWN[name][1]) if _differs(name, base[name], other[name]) else words.MISSING} for name in known]
    moved = sum(row["apart"] != words.MISSING for row in rows)
    rows += [{"what": message("scenarios.measure.load"), "base": _load(base), "other": _load(other), "apart": ""}] if pd.notna(base["peak_load"]) else []
    return tables.show(
        pd.DataFrame(rows), caption=say("Of {all:,d} measures {moved:,d} would move", all=len(known), moved=moved), source=say("planned as the plan above: policy, orders, stock, hours, people"),
        subtitle=say("{what}; {first:month} to {last:month}", what=what, first=months[0], last=months[-1]),
        columns={"what": "Measure", "base": col("As planned", "written"), "other": col("With the change", "written"), "apart": col("Difference", "written")})


def _differs(name: str, base: float, other: float) -> bool:
    return abs(other - base) > (5e-5 if name == "service" else DUST * max(abs(base), 1.0))


def _missing(plan: Any) -> float:
    """Hours that are missing in all months; missing where no load is known."""
    return float("nan") if plan.load is None else float(plan.load["overload"].sum())


def _load(row: Mapping[str, Any]) -> str:
    if row["peak_load"] == float("inf"):
        return message("scenarios.load_shut", {"resource": row["peak_resource"], "month": row["peak_month"]}).text
    return f"{row['peak_resource']} {words.number(row['peak_load'], '.0%')}, {short_month(row['peak_month'])}"


def _lines(tried: scenarios_try.Tried, names: Mapping[str, str]) -> Table | None:
    """Lines to copy, one for each kind of change that can be tried here."""
    if not tried.examples:
        return None
    rows = [{"what": scenarios_page.said(one.kind, one.said, names), "line": say("`{line}`", line=scenarios_try.line(one))} for one in tried.examples]
    rows = [{**row, "what": str(row["what"])[:1].upper() + str(row["what"])[1:]} for row in rows]
    return tables.show(pd.DataFrame(rows), caption=say("{n:,d} changes to copy into the brackets; several, with commas between, happen together", n=len(rows)), columns={"what": "What", "line": "Line"},
                       shut=tried.found is not None)
