"""What if?, as it is read: the scenarios beside the plan, where each difference comes from, and what is changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, frames, scenarios, tables, what_if
from sopnb.blocks import Block, Note, block
from sopnb.charts import Figure
from sopnb.scenarios_change import ELASTICITY
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
NOTHING = 0.5  # money below which nothing differs
DUST = 1e-8  # share of the plan's own figure below which nothing differs: what adding up leaves
SHARE = 5e-5  # of a share, below which it is shown as nothing: half of the last digit


def seen() -> bool:
    """Whether anybody will read the page: an earlier cycle that is filled in without pages has no use for scenarios, which no table keeps."""
    return os.environ.get("SOPNB_PAGES") != "0"


def beside(found: scenarios.Found | None, *, names: Mapping[str, str], months: pd.DatetimeIndex, unsold: float = 0.0) -> Block:
    """The scenarios beside the plan.

    found    scenarios.run; None: nothing is asked, or no page is made
    names    item: its name; event: its name
    months   the months planned
    unsold   money of the plan as it is that nobody is there to sell: told, since scenarios do not count it
    """
    if found is None:
        return block(say("No scenarios are asked for. Name some under `scenarios:` in the params file."))
    lost = _left_out(found)
    plain = found.measures[found.measures["scenario"] != scenarios.BASE].reset_index(drop=True)
    if plain.empty:
        return block(*lost)
    base = found.measures.iloc[0]
    answer = _answer(plain, months)
    if unsold > NOTHING:
        answer += say("All that is asked for counts as sold here, also what the reps of today cannot sell: {unsold:money} of the plan as it is. More demand needs more of them.", unsold=unsold)
    return block(answer, *lost, _figure(plain, months), _causes(found, plain), _side_by_side(plain, base, months), _changes(found, names), _note(base))


def _answer(plain: pd.DataFrame, months: pd.DatetimeIndex) -> Sentence:
    best, worst = plain.loc[plain["difference"].idxmax()], plain.loc[plain["difference"].idxmin()]
    when = {"last": months[-1]}
    if plain["difference"].abs().max() < NOTHING:
        return say("None of the scenarios changes the result to {last:month}.", **when)
    if worst["difference"] >= -NOTHING:
        return say("**{best}** brings most: {more:money} more result to {last:month}. None of the scenarios costs anything.", best=best["scenario"], more=best["difference"], **when)
    if best["difference"] <= NOTHING:
        return say("**{worst}** costs most: {less:money} of result to {last:month}. None of the scenarios brings anything.", worst=worst["scenario"], less=-worst["difference"], **when)
    return say("**{best}** brings most: {more:money} more result to {last:month}. **{worst}** costs most: {less:money} of it.", best=best["scenario"], more=best["difference"],
               worst=worst["scenario"], less=-worst["difference"], **when)


def _left_out(found: scenarios.Found) -> list[Sentence]:
    lost = [message("scenarios.left_out", {"name": row["scenario"], "because": row["because"].replace("\n", " ")}) for row in found.left_out.to_dict("records")]
    numbers = found.measures.drop(columns=["scenario", "difference"])
    same = found.measures["scenario"].where((numbers.eq(numbers.iloc[0]) | (numbers.isna() & numbers.iloc[0].isna())).all(axis=1))
    return [*lost, *(message("scenarios.idle", {"name": name}) for name in same.dropna() if name != scenarios.BASE)]


def _figure(plain: pd.DataFrame, months: pd.DatetimeIndex) -> Figure:
    largest = plain.loc[plain["difference"].abs().idxmax()]
    return charts.ranking(
        plain, label="scenario", value="difference", kind="money", name="what-if", top=len(plain),
        title=say("{scenario} would move the result most: {difference:money+}", scenario=largest["scenario"], difference=largest["difference"]),
        subtitle=say("Result of each scenario less that of the plan as it is, {first:month} to {last:month}", first=months[0], last=months[-1]), source=_source())


def _source() -> Sentence:
    return say("each scenario planned as the plan above: policy, orders, stock, hours, people")


def _causes(found: scenarios.Found, plain: pd.DataFrame) -> Table:
    """Where each difference comes from; parts that are nothing everywhere have no column."""
    wide = found.parts.pivot(index="scenario", columns="part", values="amount").reindex(plain["scenario"]).reset_index()
    wide["difference"] = plain["difference"].to_numpy()
    least = max(NOTHING, DUST * abs(found.measures["result"].iloc[0]))
    kept = [part for part in scenarios.PARTS if wide[part].abs().max() >= least]
    wide[kept] = wide[kept].where(wide[kept].abs() >= least)
    largest = found.parts.loc[found.parts["amount"].abs().idxmax()]
    return tables.show(
        wide, shut=True, caption=say("Where the differences come from: the largest part is {part} in {scenario}, {amount:money+}", part=message("scenarios.part." + largest["part"]).text.lower(),
                          scenario=largest["scenario"], amount=largest["amount"]),
        subtitle=say("Result is margin, less sales lost for want of hours, what customers' waiting costs, what people cost beyond the wages in unit cost, and the cost of keeping stock. Where hours are missing, goods are made "
                     "earlier: that shows as people and as keeping stock. Volume is units at today's margin; price and unit cost are their changes at the new units; units follow a price as (1 + change) to the power of the "
                     "elasticity"), source=_source(),
        columns={"scenario": "Scenario", **{part: col(message("scenarios.part." + part).text, "money", signed=True, wide=True) for part in kept},
                 "difference": col("Result", "money", signed=True)})


def _side_by_side(plain: pd.DataFrame, base: pd.Series, months: pd.DatetimeIndex) -> Table:
    amounts = ["revenue", "margin", "stock_mean", "stock_peak", "people", "supply_cost", "service", "below", "at_risk"]
    shown = plain.assign(**{name: _apart(plain[name], base[name]) for name in amounts}, load=[_load(row) for row in plain.to_dict("records")])
    risk = plain.loc[plain["at_risk"].idxmax()]
    caption = say("{scenario} puts most at risk: sales of {amount:money} come late or never, {before:money} in the plan as it is", scenario=risk["scenario"], amount=risk["at_risk"],
                  before=base["at_risk"]) if risk["at_risk"] > base["at_risk"] + NOTHING else say("None of the scenarios puts more sales at risk than the plan as it is: {before:money}", before=base["at_risk"])
    known = [name for name in amounts if pd.notna(base[name])]
    columns = {
        "revenue": col("Revenue", "money", signed=True), "margin": col("Margin", "money", signed=True, wide=True), "stock_mean": col("Stock, average", "money", signed=True, wide=True),
        "stock_peak": col("Stock, peak", "money", signed=True, wide=True), "service": col("Service", "points", 2, signed=True, unit="points", wide=True),
        "load": col("Highest load", wide=True), "people": col("People", "count", signed=True, wide=True), "supply_cost": col("Supply cost", "money", signed=True, wide=True),
        "below": col("Below safety stock", "points", 2, signed=True, unit="points", wide=True), "at_risk": col("Sales at risk", "money", signed=True)}
    return tables.show(shown, shut=True, caption=caption, subtitle=say("Difference to the plan as it is, {first:month} to {last:month}; a dash where nothing differs; the highest load as it would be", first=months[0], last=months[-1]),
                       source=_source(), columns={"scenario": "Scenario", **{name: given for name, given in columns.items() if name in known or name == "load"}})


def _apart(values: pd.Series, base: float) -> pd.Series:
    """What differs from the base; missing where nothing does, which is shown as a dash."""
    least = SHARE if values.name in ("service", "below") else DUST * max(abs(base), 1.0)
    return (values - base).where((values - base).abs() > least)


def _load(row: Mapping[str, Any]) -> str:
    if row["peak_resource"] is None or pd.isna(row["peak_month"]):
        return "–"
    told_by = "scenarios.load_shut" if row["peak_load"] == float("inf") else "scenarios.load"
    return message(told_by, {"resource": row["peak_resource"], "share": row["peak_load"], "month": row["peak_month"]}).text


def _changes(found: scenarios.Found, names: Mapping[str, str]) -> Table | None:
    """Change by change, where a scenario has more than one."""
    several = found.changes[found.changes.groupby("scenario")["position"].transform("size") > 1]
    if several.empty:
        return None
    rows = several.assign(what=[said(row["change"], row["said"], names) for row in several.to_dict("records")])
    rows = rows.assign(what=rows["what"].str[:1].str.upper() + rows["what"].str[1:])
    first = rows.loc[rows["amount"].abs().idxmax()]
    return tables.show(
        rows, shut=True, caption=say("Change by change: the largest is {what} ({amount:money+})", what=first["what"][:1].lower() + first["what"][1:], amount=first["amount"]),
        subtitle=say("What each change does on average over all orders in which they could come; they add up to the result"), source=_source(),
        columns={"what": "Change", "scenario": col("Scenario", wide=True), "amount": col("Result", "money", signed=True)})


def said(kind: str, words_of: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A change in words."""
    given = dict(words_of)
    whom = [names.get(given[word], given[word]) for word in ("item", "family", "supplier", "location") if word in given]
    first, last = (frames.month(str(given[word])) if word in given else None for word in ("first", "last"))
    when = "between" if first is not None and last is not None else "from" if first is not None else "to" if last is not None else "always"
    values = {"elasticity": ELASTICITY, **given, "whom": ", ".join(whom) or message("scenarios.all").text, "event": names.get(given.get("event", ""), given.get("event", "")),
              "when": message("scenarios." + when, {"first": first, "last": last}).text}
    if kind == "down":
        values["day"] = pd.Timestamp(str(given["first"]))
    if kind == "event":
        values["to"] = frames.month(str(given["to"]))
    by_days = ".days" if kind in what_if.EITHER and "days" in given else ""
    return message("scenarios.change." + kind + by_days, values).text


def _note(base: pd.Series) -> Note:
    out = say("The plan as it is: revenue {revenue:money}, margin {margin:money}, result {result:money}; stock of {stock:money} on average and {peak:money} at its peak; {service:.2%} of sales served in their "
              "month.", revenue=base["revenue"], margin=base["margin"], result=base["result"], stock=base["stock_mean"], peak=base["stock_peak"], service=base["service"])
    if pd.notna(base["people"]):
        out += say("The cheapest way of working needs at most {people:,.0f} people and costs {cost:money}.", people=base["people"], cost=base["supply_cost"])
    return Note(out)


def as_table(found: scenarios.Found) -> pd.DataFrame:
    """All figures in one flat table, for a file: a row for each scenario, the plan as it is first; the parts of the difference behind the measures."""
    wide = found.parts.pivot(index="scenario", columns="part", values="amount").reindex(columns=list(scenarios.PARTS)).add_prefix("part_").reset_index()
    return found.measures.merge(wide, on="scenario", how="left")
