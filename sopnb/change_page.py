"""What moved since last plan, and where that leaves the budget, as it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, closing, tables
from sopnb.blocks import Block, Note, Scope, block, missing, rough, told
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
ALMOST = 0.0005  # share of last plan below which no percentage would show that anything moved
SEEN = 0.01  # share of the largest part from which another is drawn by itself
NEAR_NOTHING = 0.0005  # share of what moved that is left unexplained, below which it is rounding


# --- what moved since last plan, and why? ---------------------------------------------------------------------------


def moved(plan: pd.DataFrame, *, bridge: pd.DataFrame | None, movers: pd.DataFrame | None, reasons: pd.DataFrame | None, residual: float | None, scope: Scope) -> Block:
    """This plan minus last: the parts as a bridge, the series that moved most and why.

    plan      frames.PLAN
    bridge    changes.bridge over the months spoken about, None without a last plan
    movers    changes.movers; reasons: changes.reasons of the first of them
    residual  changes.residual: share of what moved that the parts leave unexplained
    """
    if plan.empty:
        return block(missing("orders"))
    if bridge is None or movers is None or reasons is None:
        return block(say("There is no plan of last month to compare with."))
    if movers.empty:
        return block(say("Nothing moved since last plan."))
    note = Note(say("This plan minus last plan over the months spoken about that both have. Units are valued at last plan's price, and a change of price at this plan's units, so that the parts add up. The "
                    "baseline's part is taken apart by forecasting again with last plan's models: first on the past as it is held now, then with the new month, the calendar and the item master of now, and "
                    "with items, families and the total made to agree as they are now; what is left is the choice of models."), say("How the parts are told apart"))
    return block(_moved(bridge), _bridge(bridge, residual or 0.0, scope), _movers(movers, reasons, scope), note)


def _parts(bridge: pd.DataFrame) -> pd.DataFrame:
    return bridge[~bridge["total"]].sort_values("amount", key=lambda amount: -amount.abs(), kind="stable")


def _moved(bridge: pd.DataFrame) -> Sentence:
    """The answer: how far the plan moved, and the two largest parts of it."""
    last, this = bridge["amount"].iloc[0], bridge["amount"].iloc[-1]
    largest = [message("plan.part.largest", {"part": message("plan.part." + row["part"]), "amount": row["amount"]}).text for row in _parts(bridge).head(2).to_dict("records")]
    if last and abs(this - last) < ALMOST * last:
        return say("**The plan comes to {this:money}, almost what last plan had ({change:money+}).** The largest parts: {parts}.", change=this - last, this=this, parts=", ".join(largest))
    return say("**The plan moved by {change:money+} ({share:+.1%}), from {last:money} to {this:money}.** The largest parts: {parts}.", change=this - last, share=(this - last) / last if last else None,
               last=last, this=this, parts=", ".join(largest))


def _bridge(bridge: pd.DataFrame, residual: float, scope: Scope) -> Figure:
    largest, change = _parts(bridge).iloc[0], bridge["amount"].iloc[-1] - bridge["amount"].iloc[0]
    start = bridge["amount"].iloc[0]
    about: Mapping[str, Any] = {"first": scope.window[0], "last": scope.window[-1], "left": residual, "change": change, "share": change / start if start else None,
                                "part": message("plan.part." + largest["part"]), "amount": largest["amount"]}
    return charts.bridge(
        _drawn(bridge), name="plan-bridge",
        title=say("{change:money+} ({share:+.1%}) on last plan; the largest part is {part}: {amount:money+}", **about) if about["share"] is None or abs(about["share"]) >= ALMOST else say(
            "{change:money+} on last plan; the largest part is {part}: {amount:money+}", **about),
        subtitle=say("Revenue, {first:month} to {last:month}; {left:.2%} of what moved is left unexplained", **about) if residual >= NEAR_NOTHING else say(
            "Revenue, {first:month} to {last:month}; the parts add up to all of it", **about),
        source=say("plan {cycle} minus the plan of the month before", cycle=scope.cycle))


def _drawn(bridge: pd.DataFrame) -> pd.DataFrame:
    """The bridge with its parts in words; those too small to be seen in the figure are added up in one."""
    size = bridge.loc[~bridge["total"], "amount"].abs()
    tiny = size[size < SEEN * size.max()].index
    named = bridge.assign(part=told("plan.part.", bridge["part"]).map(str))
    if len(tiny) < 2:
        return named
    rest = named.loc[tiny[:1]].assign(part=message("plan.part.rest", {"n": len(tiny)}).text, amount=named.loc[tiny, "amount"].sum())
    return pd.concat([named.drop(index=tiny).iloc[:-1], rest, named.iloc[-1:]], ignore_index=True)


def _movers(movers: pd.DataFrame, reasons: pd.DataFrame, scope: Scope) -> Table:
    why = [message("plan.moved", {"part": message("plan.part." + row["part"]), "amount": row["part_amount"], "reason": message(row["because"], row["values"])}) for row in reasons.to_dict("records")]
    named = movers.assign(name=scope.item(movers["item"]), place=scope.place(movers["location"]), why=pd.Series(why, dtype=object).reindex(movers.index))
    first = named.iloc[0]
    about = {"name": scope.at(first["item"], first["location"]), "amount": first["amount"], "last": rough(first["last"]), "this": rough(first["this"])}
    return tables.show(
        named, top=5, by="amount", other=["last", "this", "change", "amount"], total=["last", "this", "change", "amount"], total_label=say("Series that moved").text,
        caption=say("{name} moved most: {amount:money+}, from {last:compact} to {this:compact} units", **about),
        subtitle=say("The same months; units, this plan minus last; the largest by money, each with the part that moved it most"), source=say("plan {cycle}", cycle=scope.cycle),
        columns={"name": "Item", "place": col("Location", wide=True), "last": col("Last plan", "count", wide=True), "this": col("This plan", "count", wide=True),
                 "amount": col("Money", "money", signed=True), "why": col("Why, mostly", wide=True)})


# --- shall we make the budget? --------------------------------------------------------------------------------------


def budget(landing: pd.DataFrame | None, *, year: Mapping[str, Any], actions: pd.DataFrame | None, drawn: Figure | None = None) -> Block:
    """Where the fiscal year lands, by family, and the named actions that would close the gap.

    landing  value.landing, None without a budget; year: value.year of it, empty where nothing lands
    actions  closing.actions, None where the year lands above its budget
    drawn    the figure of the gap, which stands below the answer; None: there is none
    """
    if landing is None or not year:
        return block(missing("budget"))
    return block(_lands(landing, year), drawn, _by_family(landing), *_actions(actions, year))


def _lands(landing: pd.DataFrame, year: Mapping[str, Any]) -> Sentence:
    worst = landing.loc[landing["gap"].idxmin()]
    about = {**year, "away": abs(year["gap"]), "share": abs(year["gap"]) / year["budget"] if year["budget"] else None, "family": worst["family"], "worst": worst["gap"]}
    said = say("**The fiscal year to {last:month} lands {away:money} ({share:.1%}) below its budget of {budget:money}**: {actual:money} are sold, {to_go:money} are planned.", **about) if year["gap"] < 0 else say(
        "**The fiscal year to {last:month} lands {away:money} ({share:.1%}) above its budget of {budget:money}**: {actual:money} are sold, {to_go:money} are planned.", **about)
    if worst["gap"] < 0:
        said += say("{family} is furthest below, {worst:money+}.", **about)
    return said + (say("Of the gap {volume:money+} is volume, {price:money+} price and mix.", **year) if landing["volume"].notna().all() else say(
        "The budget does not state units for every family, so the gap is not split into volume and price for all of them."))


def _by_family(landing: pd.DataFrame) -> Table:
    return tables.show(
        landing.sort_values("gap"), shut=True, caption=_apart(landing), subtitle=say("Sold so far, planned to go, and where that lands"),
        source=say("demand history, plan, budget"), top=12, total=["actual", "to_go", "landing", "budget", "gap", "volume", "price"],
        columns={"family": "Family", "actual": col("Sold", "money", wide=True), "to_go": col("To go", "money", wide=True), "landing": col("Lands at", "money"),
                 "budget": col("Budget", "money", wide=True), "gap": col("Gap", "money", signed=True), "volume": col("by volume", "money", signed=True, wide=True),
                 "price": col("by price and mix", "money", signed=True, wide=True)})


def _apart(landing: pd.DataFrame) -> Sentence:
    below = landing[landing["gap"] < 0]
    return say("No family lands below its budget") if below.empty else say("{n} of {all} families land below their budget, by {gap:money} together", n=len(below), all=len(landing), gap=-below["gap"].sum())


def _actions(actions: pd.DataFrame | None, year: Mapping[str, Any]) -> list[Table | Sentence]:
    """What would bring new money, open; what is named but may be counted already, or is not added up, shut."""
    if year["gap"] >= 0:
        return [say("The year lands above its budget: no action is needed for the total.")]
    if actions is None or actions.empty:
        return [say("No action has a name: no open deal, no promotion to renew, no override and no open action falls into the months to go.")]
    shown, sure = closing.shown(actions), closing.summary(actions, -year["gap"])
    rows = shown.to_dict("records")
    what = [message("plan.close." + row["kind"], row["values"]) for row in rows]
    nobody = {"others": message("plan.close.several").text}
    owner = [row["owner"] if isinstance(row["owner"], str) else nobody.get(row["kind"], message("plan.close.nobody").text) for row in rows]
    care = [message("plan.care." + row["care"]) for row in rows]
    new = [message("plan.close.closes", {"sure": kind}) if row["closes"] else kind for row, kind in zip(rows, care, strict=True)]
    caption = say("Of the {shortfall:money} missing, named actions could bring {new:money} of new money; {doubtful:money} more is named but may be counted already, and {unnamed:money} has no name at all",
                  **sure) if sure["unnamed"] > 0 else say(
        "Of the {shortfall:money} missing, named actions could bring {new:money} of new money; {doubtful:money} more is named but may be counted already", **sure)
    named = shown.assign(what=what, owner=owner, sure=new)
    fresh = named["care"] == "new"
    columns: Mapping[str, str | tables.Col] = {"what": "Action", "owner": col("Owner", wide=True), "amount": col("Money", "money"), "running": col("Added up", "money", wide=True), "sure": col("New money?", wide=True)}
    source = say("open deals, events, overrides, actions of past meetings")
    surest = tables.show(
        named[fresh], caption=caption, source=source, columns=columns,
        subtitle=say("What could close the gap in the months to go with new money, the largest first, added up line by line")) if fresh.any() else caption
    rest = tables.show(
        named[~fresh], shut=True, source=source, columns=columns,
        caption=say("Named besides, but perhaps counted already: {doubtful:money}; held at stake by meetings and not added up: {stake:money}", **sure),
        subtitle=say("The run-rate of the baseline holds the usual amount of small deals; taking back a cut brings customers only where the cut was wrong. What meetings hold at stake may be a cost or stand "
                     "above already")) if not fresh.all() else None
    return [surest] if rest is None else [surest, rest]
