"""The month's data, as it is read: what did not pass, what was set aside, how old each source is, what moved and what stands out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import blocks, charts, tables, words
from sopnb.blocks import Block, block
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
Names = Mapping[str, str]
SHAPES = {"red": "off", "amber": "watch", "info": "none"}


# --- what did not pass ------------------------------------------------------------------------------------------------

def findings(found: pd.DataFrame, *, locations: Names, cycle: str) -> Block:
    """Each finding in words, the gravest first, with its money and its share of the source.

    found   frames.FINDINGS
    """
    if found.empty:
        return block(say("Every check passed."))
    rank = found["severity"].map({"red": 0, "amber": 1, "info": 2})
    rows = found.assign(order=rank).sort_values(["order", "amount"], ascending=[True, False], kind="stable")
    rows = rows.assign(name=[words.source_name(one) for one in rows["source"]], what=[message(rule, _placed(values, locations)) for rule, values in zip(rows["rule"], rows["values"], strict=True)],
                       state=[blocks.marked(SHAPES[one], message("checks.severity." + one)) for one in rows["severity"]], share=[_share(one) for one in rows["share"]],
                       amount=rows["amount"].where(rows["amount"] > 0))
    red, told = (found["severity"] == "red").sum(), found[found["severity"] != "info"]
    most = told["source"].value_counts()
    caption = (say("Findings: {n:,.0f}, of them red: {red:,.0f}", red=red, n=len(told)) if red else
               say("No finding is red; {most:,.0f} of {n:,.0f} in {source}", most=most.max(), n=len(told), source=words.term("source", min(most.index[most == most.max()]))) if len(told) else
               say("Nothing but notes: {n:,.0f}", n=len(rows)))
    return block(tables.show(
        rows, caption=caption, subtitle=say("The gravest first, then by money; the share is of the rows or the money of the source, the larger of the two"), source=say("extracts of cycle {cycle}", cycle=cycle),
        columns={"name": "Source", "what": "What was found", "amount": col("Money", "money", wide=True), "share": col("Share", "written", wide=True), "state": "State"}))


def _placed(values: str, locations: Names) -> dict[str, Any]:
    """The values of a message, its place by name."""
    read = dict(json.loads(values))
    return {**read, "location": locations.get(read["location"], read["location"])} if "location" in read else read


def _share(share: float) -> str:
    """A share that is there is never shown as nothing."""
    if words.is_missing(share) or share == 0:
        return words.MISSING
    return say("under {share:.1%}", share=0.001).text if share < 0.001 else words.show(share, ".1%")


# --- what was set aside -----------------------------------------------------------------------------------------------

def set_aside(rows: pd.DataFrame, *, cycle: str, top: int = 20) -> Block:
    """The reasons with their rows and money; the rows themselves, for the owner of the extract.

    rows   frames.SET_ASIDE
    """
    if rows.empty:
        return block(say("No row was set aside."))
    each = rows.assign(size=rows["amount"].abs().fillna(0.0), reason=[message("checks.reason." + rule.removeprefix("set_aside.")).text for rule in rows["rule"]])
    why = each.groupby("reason", as_index=False).agg(n=("size", "size"), amount=("size", "sum")).sort_values(["amount", "reason"], ascending=[False, True], kind="stable")
    first = why.iloc[0]
    largest = each.sort_values(["size", "id"], ascending=[False, True], kind="stable").head(top)
    largest = largest.assign(row=largest["row"].astype(str), why=[message(one["rule"], one) for one in largest.to_dict("records")])
    source = say("extracts of cycle {cycle}", cycle=cycle)
    return block(
        say("**Rows set aside: {n:,.0f}, worth {amount:money}.** Most often: {reason} ({rows:,.0f}).", n=len(rows), amount=each["size"].sum(), reason=first["reason"], rows=first["n"]),
        tables.show(why, caption=say("Why rows were set aside: {n:,.0f} reasons", n=len(why)) if len(why) > 1 else say("Why rows were set aside"), source=source, total=["n", "amount"],
                    columns={"reason": "Reason", "n": col("Rows", "count"), "amount": col("Money", "money")}),
        tables.show(largest, caption=say("To find them: file and row of the largest ({n:,.0f})", n=len(largest)), subtitle=say("By money; all are in the table `set_aside`"), source=source, shut=True,
                    columns={"why": "Reason", "file": col("File", wide=True), "row": col("Row", "text"), "amount": col("Money", "money")}))


# --- how old it is ----------------------------------------------------------------------------------------------------

def freshness(sources: pd.DataFrame, newer: pd.Series, *, cycle: str) -> Block:
    """How old each source is that has an age; lists and plans, which have none, apart.

    sources   frames.FRESHNESS; newer: checks.newer
    """
    rows = sources.assign(name=[words.source_name(one) for one in sources["source"]], newer=newer)
    aged = rows[(rows["days_old"] >= 0) | rows["newer"].notna()].sort_values(["severity", "newer", "days_old", "source"], ascending=[True, False, False, True], kind="stable")
    rest = rows.drop(aged.index).sort_values("name", kind="stable")
    stale, ahead = aged[aged["severity"] != "info"], aged[aged["newer"] > 0]
    told = words.plain("")
    for one in stale.to_dict("records"):
        told = _joined(told, say("**{source} is {days:,.0f} days old**; its last row is of {last:day}.", source=one["name"], days=one["days_old"], last=one["last"]))
    for one in ahead.to_dict("records"):
        told = _joined(told, say("**{source} is newer than the cycle**, by {days:,.0f} days.", source=one["name"], days=one["newer"]))
    aged = aged.assign(days=aged["days_old"].where((aged["days_old"] >= 0) & aged["newer"].isna()))
    source = say("extracts of cycle {cycle}", cycle=cycle)
    ages = tables.show(
        aged, caption=say("Sources that have an age: {n:,.0f}", n=len(aged)), subtitle=say("Rows handed over, left out and set aside; first and last day among the rows used"), source=source, shut=True,
        columns={"name": "Source", "days": col("Days old", "count"), **({"newer": col("Days newer than the cycle", "count")} if len(ahead) else {}), "last": col("Last", "date"),
                 "first": col("First", "date", wide=True), **COUNTS}) if len(aged) else None
    lists = tables.show(
        rest, caption=say("Lists and plans have no age: {n:,.0f} of them", n=len(rest)), subtitle=say("Rows handed over, left out and set aside"), source=source, shut=True,
        columns={"name": "Source", **COUNTS}) if len(rest) else None
    return block(told if told else say("**Every source is fresh.**"), ages, lists)


COUNTS = {"rows": col("Rows", "count"), "left_out": col("Left out", "count", wide=True), "set_aside": col("Set aside", "count", wide=True)}


def _joined(before: Sentence, more: Sentence) -> Sentence:
    return before + more if before else more


# --- what moved, and what stands out ----------------------------------------------------------------------------------

def restated(moved: pd.DataFrame, *, items: Names, locations: Names) -> Table | None:
    """Past figures that are not what they were, the largest first.

    moved   frames.RESTATED
    """
    if moved.empty:
        return None
    months = moved.groupby("month")["amount"].sum()
    most = months.abs().idxmax()
    rows = moved.assign(item=moved["item"].map(dict(items)).fillna(moved["item"]), location=moved["location"].map(dict(locations)).fillna(moved["location"]))
    return tables.show(
        rows, caption=say("{month:month} moved most: {amount:money+}", month=most, amount=months[most]), subtitle=say("Units as ordered, by money moved"), source=say("history of this cycle and the last"), top=8, by="amount",
        other=["change", "amount"], total=["change", "amount"],
        columns={"item": "Item", "location": col("Location", wide=True), "month": col("Month", "month"), "before": col("Before", "count", wide=True),
                 "after": col("After", "count", wide=True), "change": col("Change", "count", signed=True), "amount": col("Money", "money", signed=True)})


def standing_out(insights: pd.DataFrame, *, month: pd.Timestamp, items: Names, locations: Names, accounts: Names) -> Block:
    """What is both large and unusual: drops and surges drawn by money, then everything in words.

    insights   frames.INSIGHTS
    """
    if insights.empty:
        return block(say("Nothing was both large and unusual in {month:month}.", month=month))
    rows = insights.assign(who=[_who(one, items, locations, accounts) for one in insights.to_dict("records")])
    rows = rows.assign(level=[words.term("level", level).text.capitalize() for level in rows["level"]],
                       what=[message("insights." + kind, {**json.loads(values), "key": who}) for kind, values, who in zip(rows["kind"], rows["values"], rows["who"], strict=True)])
    jumps = rows[rows["kind"].isin(["drop", "surge"])]
    drawn = charts.ranking(jumps, label="who", value="amount", kind="money", name="standing-out", title=_extremes(jumps), top=len(jumps), source=say("demand history to {month:month}", month=month),
                           subtitle=say("Revenue above or below what was to be expected, {month:month}; items and customers overlap, so bars do not add up", month=month)) if len(jumps) else None
    return block(rows["what"].iloc[0], drawn, tables.show(
        rows, caption=say("Each in words, with units: {n:,.0f}", n=len(rows)), subtitle=say("Drops and surges by money, then what stopped, started or was restated"), source=say("demand history to {month:month}", month=month),
        shut=drawn is not None, columns={"level": "Level", "what": "What", "amount": col("Money", "money", signed=True)}))


def _who(one: Mapping[Any, Any], items: Names, locations: Names, accounts: Names) -> str:
    """An item, customer or place by name, and where."""
    known = {"item": items, "customer": accounts, "location": locations}.get(one["level"], {})
    key = json.loads(one["values"]).get("key", one["key"]) if one["level"] == "total" else known.get(one["key"], one["key"])
    return str(key) if one["location"] == "all" else f"{key}, {locations.get(one['location'], one['location'])}"


def _extremes(jumps: pd.DataFrame) -> Sentence:
    """The largest surge and the largest drop."""
    up, down = jumps[jumps["amount"] > 0].nlargest(1, "amount"), jumps[jumps["amount"] < 0].nsmallest(1, "amount")
    if up.empty or down.empty:
        one = (down if up.empty else up).iloc[0] if len(up) + len(down) else jumps.iloc[0]
        return say("{who} stands out: {amount:money+}", who=one["who"], amount=one["amount"])
    return say("{up} rose most, {down} fell most", up=up["who"].iloc[0], down=down["who"].iloc[0])
