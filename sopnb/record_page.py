"""What past plans were worth, as it is read: which step earns its place, how far ahead plans hold, who is biased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, lags, tables, value_added, words
from sopnb.blocks import Block, Heading, Note, Scope, block, missing, told, waiting
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col


# --- how far ahead can we trust it? ---------------------------------------------------------------------------------


def held(
    plan: pd.DataFrame, *, at: pd.DataFrame, by_lag: pd.DataFrame, lines: pd.DataFrame, made: pd.DataFrame, versions: pd.DataFrame, tracked: pd.DataFrame, families: pd.DataFrame,
    limit: float, wait: int, scope: Scope, kept: pd.DataFrame | None = None,
) -> Block:
    """Error and bias by lag, what each cycle planned for a month, and the series planned too high or too low.

    plan      frames.PLAN of this cycle
    at        lags.at: accuracy at the lags people ask about; by_lag: streams.by_lag; lines: streams.lag_lines
    made      streams.triangle; versions: lags.versions
    tracked   lags.tracking by series, families: by family; limit: of the signal
    wait      lags.months_needed: cycles until a signal can reach the limit
    kept      forecast.kept: what the bands of earlier cycles held; None: not told
    """
    if plan.empty:
        return block(missing("orders"))
    memory = made["cycle"].nunique() > 1
    return block(_truth(at), _kept(kept), _by_lag(lines, by_lag, scope), _versions(made, versions) if memory else None, _triangle(versions) if memory else None,
                 _biased(_can_be_judged(tracked, plan, limit), families, limit, wait, scope))


def _truth(at: pd.DataFrame) -> Sentence | None:
    known, unknown = at[at["months"] > 0].to_dict("records"), at[at["months"] == 0].to_dict("records")
    held_up = "; ".join(message("plan.lag.one" if row["lag"] == 1 else "plan.lag", row).text for row in known)
    truth = say("**Frozen plans missed demand, item by item: {held}.** Bias is what is left of it in total; plus is planned too high.", held=held_up) if known else None
    still = say("Plans cannot be judged yet at {waits}.", waits=", ".join(waiting(row["lag"], row["needed"]) for row in unknown)) if unknown else None
    return truth + still if truth and still else truth or still


def _kept(kept: pd.DataFrame | None) -> Sentence | None:
    if kept is None or kept.empty:
        return None
    held = kept.set_index("level")["covered"]
    return say("Of the bands given in earlier cycles those for 80% held {held80:.0%} of the months known by now, those for 95% {held95:.0%}, events and surprises included.",
               held80=held[80], held95=held[95])


def _by_lag(lines: pd.DataFrame, by_lag: pd.DataFrame, scope: Scope) -> Figure | None:
    if lines.empty:
        return None
    first, last = by_lag.iloc[0], by_lag.iloc[-1]
    title = say("The plan misses by {first:.1%} of demand one month ahead, by {last:.1%} at lag {lag}", first=first["wape"], last=last["wape"], lag=int(last["lag"])) if len(by_lag) > 1 else say(
        "The plan misses by {wape:.1%} of demand at lag {lag}, the only one known so far", wape=first["wape"], lag=int(first["lag"]))
    return charts.lag_accuracy(
        lines.assign(stream=told("plan.stream.", lines["stream"]).map(str)), decision_lag=scope.lag, name="lag-accuracy", title=title, source=_frozen(),
        subtitle=say("WAPE, item × location, by lag in months; the same rows for every line. Months judged: {most} at lag {first}, {least} at lag {last}", first=int(first["lag"]), last=int(last["lag"]),
                     most=int(first["months"]), least=int(last["months"])))


def _versions(made: pd.DataFrame, versions: pd.DataFrame) -> Figure:
    drift = lags.drift(versions)
    return charts.versions(
        made, name="versions", source=_frozen(),
        title=say("What each cycle planned, and what came") if not drift else say(
            "From six months ahead to one, the plan of a month moved by {moved:.1%} on average and came {nearer:.1pp} points nearer to demand", nearer=-drift["change"], **drift) if drift["change"] < 0 else say(
            "From six months ahead to one, the plan of a month moved by {moved:.1%} on average and came no nearer to demand ({change:+.1pp} points)", **drift),
        subtitle=say("Units per month, all items and locations; each thin line is what one cycle planned for the six months ahead of it"))


def _triangle(versions: pd.DataFrame) -> Table | None:
    if versions.empty:
        return None
    return tables.show(
        versions, shut=True, caption=_last_known(versions),
        subtitle=say("Units, all items and locations; error is that of the plan one month ahead"), source=_frozen(),
        columns={"month": col("Month", "month"), "lag_6": col("6 months ahead", "count", wide=True), "lag_3": col("3 ahead", "count"), "lag_1": col("1 ahead", "count"),
                 "demand": col("Demand", "count"), "error": col("Error", "percent", digits=1, signed=True, wide=True)})


def _last_known(versions: pd.DataFrame) -> Sentence:
    known = versions[versions["demand"].notna() & versions["lag_1"].notna()]
    if known.empty:
        return say("What was planned for each month six, three and one months ahead")
    last = known.iloc[-1]
    about = {"month": last["month"], "error": abs(last["error"]), "n": len(known), "mean": known["error"].abs().mean()}
    return say("The plan of {month:month}, one month ahead, was {error:.1%} too high; of the {n} months known it was {mean:.1%} off on average", **about) if last["error"] >= 0 else say(
        "The plan of {month:month}, one month ahead, was {error:.1%} too low; of the {n} months known it was {mean:.1%} off on average", **about)


def _can_be_judged(tracked: pd.DataFrame, plan: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Series that this plan has, with as many judged months as a signal needs to reach its limit.

    Of one that has left the range nobody can correct the next plan; one still to come has missed nothing.
    """
    series = pd.MultiIndex.from_frame(plan[["item", "location"]])
    planned = pd.MultiIndex.from_frame(tracked[["item", "location"]]).isin(series)
    return tracked[planned & (tracked["n"] >= limit) & tracked["signal"].notna()]


def _biased(tracked: pd.DataFrame, families: pd.DataFrame, limit: float, wait: int, scope: Scope) -> Table | Sentence:
    beyond = tracked[tracked["beyond"]]
    if beyond.empty:
        return say("A tracking signal needs {months} judged months: {wait} more cycles.", months=int(limit), wait=wait) if wait > 1 else say(
            "A tracking signal needs {months} judged months: one more cycle.", months=int(limit)) if wait else say("No series misses to one side beyond the limit of {limit:,.0f}.", limit=limit)
    chance = lags.luck(limit, tracked["n"].median())
    biased = ", ".join(message("plan.biased.family", row).text for row in families[families["beyond"]].to_dict("records"))
    about = {"n": len(beyond), "all": len(tracked), "chance": len(tracked) * chance, "families": biased}
    subtitle = say("Tracking signal: the errors of a year, one month ahead, added up, over their mean size. Beyond {limit:,.0f} a series counts as biased: {low:.0%} of unbiased ones pass that by luck, "
                   "a limit of 4 would be passed by {four:.0%}. Judged are series with at least {limit:,.0f} months in which something was planned or asked for", limit=limit, low=chance, four=lags.luck(4, tracked["n"].median()))
    return tables.show(
        beyond.assign(name=scope.item(beyond["item"]), place=scope.place(beyond["location"]), way=told("plan.biased.", (beyond["signal"] > 0).map({True: "over", False: "under"}))), top=6, by="amount", other=["amount"], shut=True,
        caption=say("{n:,.0f} of {all:,.0f} series were planned too high or too low month after month, where luck alone would make it {chance:,.0f}; of whole families: {families}", **about) if biased else say(
            "{n:,.0f} of {all:,.0f} series were planned too high or too low month after month, where luck alone would make it {chance:,.0f}; no family was as a whole", **about),
        subtitle=subtitle, source=_frozen(),
        columns={"name": "Item", "place": col("Location", wide=True), "way": "Planned", "bias": col("Bias", "percent", signed=True), "signal": col("Signal", "number", digits=1, signed=True, wide=True),
                 "n": col("Months", "count", wide=True), "amount": col("Money", "money", signed=True)})


# --- does each step earn its place? ---------------------------------------------------------------------------------


def steps(plan: pd.DataFrame, *, stairs: pd.DataFrame, record: pd.DataFrame, families: pd.DataFrame, needed: int, scope: Scope) -> Block:
    """Error after each stream and what the stream took off it, in all and by family, with the range that luck leaves.

    stairs    value_added.stairs
    record    value_added.record; families: value_added.families of it
    needed    cycles until the first plan can be judged at the lag
    """
    head = Heading(say("Does each step earn its place?"))
    if plan.empty:
        return block(head, missing("orders"))
    if stairs.empty:
        return block(head, say("No plan made that far ahead can be judged yet: {wait}.", wait=waiting(scope.lag, needed)))
    judged = record[(record["scope"] == "all") & (record["stream"] != "naive") & (record["skill"] != "none")].set_index("stream")
    note = Note(say("A few months can favour a step by chance; so each has a range, and where it holds zero nobody can tell "
                    "luck from skill yet."), say("How luck is told from skill"))
    return block(head, _stairs(stairs, judged, scope), _climbed(judged), _families(families, scope), note)


def _frozen() -> Sentence:
    return say("frozen plans of past cycles")


def proven(pairs: Any) -> str:
    """Streams and their skill in words."""
    return ", ".join(message("plan.proven." + skill, {"stream": message("plan.stream." + stream).text}).text for stream, skill in pairs)


def named(pairs: Any) -> str:
    """Proven steps by name, those that hurt with the word; a dash where there is none."""
    called = [(message("plan.stream." + stream).text, skill) for stream, skill in pairs]
    return ", ".join(message("plan.step.hurts", {"stream": name}).text if skill == "hurts" else name for name, skill in called) or words.MISSING


def _stairs(stairs: pd.DataFrame, judged: pd.DataFrame, scope: Scope) -> Figure:
    sure = judged[judged["skill"].isin(["helps", "hurts"])].drop("consensus", errors="ignore")["skill"]
    about: Mapping[str, Any] = {"lag": scope.lag, "naive": stairs["wape"].iloc[0], "wape": stairs["wape"].iloc[-1], "sure": proven(sure.items()) or message("plan.proven.none")}
    return charts.stairs(
        stairs.assign(stream=told("plan.stream.", stairs["stream"]).map(str)), name="value-added", source=_frozen(),
        title=say("{lag} months ahead the plan misses by {wape:.1%} of demand, a copy of last year by {naive:.1%}; {sure}", **about) if scope.lag > 1 else say(
            "One month ahead the plan misses by {wape:.1%} of demand, a copy of last year by {naive:.1%}; {sure}", **about),
        subtitle=say("WAPE, item × location, months judged: {n}; points taken off the step before", n=stairs["months"].max()))


def _climbed(judged: pd.DataFrame) -> Table | None:
    if judged.empty:
        return None
    climbed = judged.reindex([name for name in [*value_added.STREAMS, "consensus"] if name in judged.index]).reset_index()
    shown = climbed.assign(name=told("plan.step.", climbed["stream"]), skill=told("plan.skill.", climbed["skill"]))
    return tables.show(
        shown, source=_frozen(), shut=True,
        caption=say("The plan takes {added:+.1pp} points off the naive error, over {n} months: {skill}", added=climbed["added"].iloc[-1], n=climbed["months"].max(), skill=shown["skill"].iloc[-1]),
        subtitle=say("Points of error (WAPE) taken off the step before, with the range that luck leaves (95%); where it holds zero it is not yet clear whether the step helps. The steps add up to the last row"),
        columns={"name": "Step", "wape": col("Error after it", "percent", digits=1, wide=True), "added": col("Value added", "points", digits=1, signed=True),
                 "low": col("From", "points", digits=1, signed=True), "high": col("To", "points", digits=1, signed=True), "months": col("Months", "count", wide=True),
                 "amount": col("Worth", "money", signed=True, wide=True), "skill": "Helps?"})


def _families(families: pd.DataFrame, scope: Scope) -> Table | None:
    if families.empty:
        return None
    about = {"n": (families["skill"] == "helps").sum(), "all": len(families), "worse": (families["skill"] == "hurts").sum()}
    return tables.show(
        families.assign(skill=told("plan.skill.", families["skill"]), proven=families["proven"].map(named)), source=_frozen(), shut=True, top=12, by="units", other=["units"],
        caption=say("In {n} of {all} families the plan is proven better than naive, in {worse} worse", **about) if about["worse"] else say(
            "In {n} of {all} families the plan is proven better than naive, in none worse", **about),
        subtitle=say("{lag} months ahead; points of error (WAPE) the plan takes off the naive one, with the range that luck leaves (95%); proven are steps of which the range leaves out zero", lag=scope.lag),
        columns={"family": "Family", "naive": col("Naive misses by", "percent", digits=1, wide=True), "wape": col("Plan misses by", "percent", digits=1),
                 "added": col("Value added", "points", digits=1, signed=True), "low": col("From", "points", digits=1, signed=True, wide=True),
                 "high": col("To", "points", digits=1, signed=True, wide=True), "months": col("Months", "count", wide=True), "skill": "Helps?", "proven": col("Proven steps", wide=True)})
