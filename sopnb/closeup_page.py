"""One item, one family, one rep, taken apart, as a planner reads it: a sentence, a chart or two, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import charts, closeup, demand_page, tables, words
from sopnb.blocks import Block, Heading, Scope, block, rough
from sopnb.closeup import Closeup
from sopnb.closeup_family import Family
from sopnb.closeup_rep import Rep
from sopnb.models_page import readable, what_it_is
from sopnb.words import Sentence, message, number, say, terms

col = tables.col


def show(one: Closeup, *, months: pd.DatetimeIndex, lags: Sequence[int], source: Sentence | str = "", locations: Mapping[str, str] | None = None) -> Block:
    """An item taken apart.

    months      the months of the plan spoken about
    lags        the decision lags
    source      where the figures come from
    locations   location: its name
    returns     a block; of an unknown item or location, the one sentence that says which there are
    """
    if not one.item:
        return block(_unknown(one))
    names = locations or {}
    if not one.location:
        places = ", ".join(_named(place, names) for place in one.places)
        return block(message("closeup.no_place", {"name": one.name, "item": one.item, "asked": one.asked_place, "places": places}))
    if one.history.empty and one.plan.empty:
        return block(message("closeup.empty", {"name": one.name, "item": one.item}))
    place = message("closeup.all").text if one.location == "all" else _named(one.location, names)
    near = one.plan[one.plan["month"].isin(months)]
    return block(_headline(one, near, months, place, lags), _history(one, near, place, source), _months(near), _parts(one, source), _models(one, lags), _marks(one))


def _sum(rows: pd.DataFrame, column: str) -> float:
    """The sum, missing where nothing is known."""
    return float(rows[column].sum(min_count=1))


def _named(place: str, names: Mapping[str, str]) -> str:
    return names.get(place, place)


def _unknown(one: Closeup) -> Sentence:
    if not one.asked:
        return message("closeup.nothing")
    near = "; ".join(f"{code} {name}" if name != code else code for code, name in one.near)
    return message("closeup.unknown", {"asked": one.asked}) + (message("closeup.near", {"near": near}) if near else message("closeup.no_near"))


def _headline(one: Closeup, near: pd.DataFrame, months: pd.DatetimeIndex, place: str, lags: Sequence[int]) -> Sentence:
    about = {"name": one.name, "item": one.item, "place": place, "first": months[0], "last": months[-1]}
    units = float(near["consensus"].sum())
    said = message("closeup.planned", {**about, "units": rough(units), "revenue": _sum(near, "revenue"), "margin": _sum(near, "margin")}
                   ) if units > 0 else message("closeup.nothing_planned", about)
    before = float(near["year_ago"].sum(skipna=False)) if len(near) else 0.0
    if units > 0 and before > 0:
        said += message("closeup.grows", {"grows": units / before - 1})
    if one.history.empty:
        said += message("closeup.no_history")
    if one.successor and units <= 0:
        said += message("closeup.successor", {"successor": one.successor})
    if one.like_item:
        said += message("closeup.like", {"like": one.like_item})
    said += _used(one)
    judged = closeup.record(one, lags=lags)
    return said + (message("closeup.record", judged) if judged["months"] else message("closeup.first"))


def _used(one: Closeup) -> Sentence:
    used = one.models[one.models["chosen"] > 0]
    tested = one.backtest
    if used.empty or tested["wape"] != tested["wape"]:
        return message("closeup.untested")
    names = ", ".join(used.sort_values(["chosen", "model"], ascending=[False, True], kind="stable")["model"].map(readable))
    kind = "closeup.models" if len(used) > 1 else "closeup.model" if tested["naive"] == tested["naive"] else "closeup.model.alone"
    return message(kind, {**tested, "model": names})


def _history(one: Closeup, near: pd.DataFrame, place: str, source: Sentence | str) -> charts.Figure:
    told: dict[str, Any] = {"name": one.name, "year": rough(one.history["demand"].tail(12).sum()), "n": len(near), "units": rough(near["consensus"].sum())}
    kind = ".new" if one.history.empty else "" if told["units"] > 0 else ".old"
    return charts.item_history(
        one.history, one.plan, marks=one.marks, versions=one.versions, name="one-item", title=message(f"closeup.history.title{kind}", told),
        subtitle=message("closeup.history.sub", {"place": place}), source=source)


_SURE = 0.05  # a season that explains less of the movement than this is not told from chance


def _parts(one: Closeup, source: Sentence | str) -> charts.Figure | None:
    if one.history.empty or (len(one.parts) and one.strength["low"] != one.strength["low"]):
        return None  # nothing was sold in the last year: there is no level to compare with
    kind = ".none" if one.parts.empty else ".moving" if one.strength["calendar"] > 0 else ".chance" if one.strength["season"] < _SURE else ""
    return charts.decomposition(one.parts, name="one-item-parts", title=message(f"closeup.parts.title{kind}", one.strength),
                                subtitle=message("closeup.parts.sub", one.strength) if len(one.parts) else "", source=source)


def _models(one: Closeup, lags: Sequence[int]) -> tables.Table | None:
    tried = one.models[one.models["wape"].notna()]
    if tried.empty:
        return None
    shown = _twins(tried)
    used = shown[shown["chosen"] > 0]
    several = len(one.places) > 1 and one.location == "all"
    title = message("closeup.models.title.used", {"model": used["name"].iloc[0], "wape": used["wape"].iloc[0]}) if len(used) == 1 and not several else message(
        "closeup.models.title", {"best": shown["name"].iloc[0], "wape": shown["wape"].iloc[0]})
    mark = [f"{n}/{of}" if several and n else "●" if n else "" for n, of in zip(shown["chosen"].tolist(), shown["series"].tolist(), strict=True)]
    return tables.show(
        shown.assign(used=mark, how=shown["model"].map(what_it_is)), caption=title, shut=True,
        subtitle=message("closeup.models.sub", {"lags": ", ".join(map(str, lags))}), source=message("closeup.source.models"),
        columns={"name": "Model", "how": tables.col("What it is", wide=True), "wape": tables.col("Error", "percent", digits=1), "bias": tables.col("Bias", "percent", digits=1, signed=True),
                 "n": tables.col("Months", "count", wide=True), "used": "Used"})


def _twins(models: pd.DataFrame) -> pd.DataFrame:
    """Models whose forecasts were the same in every month tested, in one row under both names, the one in use first.

    A model that looks back some years only is its own twin where the history is no longer than that.
    """
    order = models.sort_values(["wape", "chosen", "model"], ascending=[True, False, True], kind="stable")
    rows = order.assign(same=order["wape"].round(12), way=order["bias"].round(12)).groupby(["same", "way", "n"], sort=False, as_index=False)
    return rows.agg(model=("model", "first"), name=("model", lambda names: " = ".join(map(readable, names))), wape=("wape", "first"), bias=("bias", "first"),
                    chosen=("chosen", "sum"), series=("series", "max"))


def _months(near: pd.DataFrame) -> tables.Table | None:
    if near.empty:
        return None
    moved = {"events": say("Events"), "pipeline": say("New deals"), "leads": say("Leads"), "sales": say("Sales"), "override": say("Overrides")}
    streams = {name: tables.col(label, "count", signed=True, wide=True) for name, label in moved.items() if name in near.columns and near[name].abs().sum() > 0.5}
    compared = {name: tables.col(label, "count", wide=True) for name, label in (("last", say("Last plan")), ("year_ago", say("Year before"))) if near[name].notna().any()}
    band = {"band": tables.col("80% band", wide=True)} if near["lo80"].notna().any() else {}
    shown = near.assign(band=[f"{number(low, ',.0f')}–{number(high, ',.0f')}" for low, high in zip(near["lo80"], near["hi80"], strict=True)])
    sums = ["baseline", *streams, "consensus", "revenue", "margin"]
    return tables.show(
        shown, shut=True, caption=message("closeup.months.title", {"revenue": _sum(near, "revenue"), "margin": _sum(near, "margin")}),
        subtitle=message("closeup.months.sub"), source=message("closeup.source.months"), total=sums,
        columns={"month": tables.col("Month", "month"), "baseline": tables.col("Baseline", "count", wide=True), **band, **streams,
                 "consensus": tables.col("Plan", "count"), **compared, "revenue": tables.col("Revenue", "money"), "margin": tables.col("Margin", "money", wide=True)})


def _marks(one: Closeup) -> tables.Table | None:
    if one.marks.empty:
        return None
    shown = one.marks.sort_values("month", ascending=False, kind="stable")
    last = one.history["month"].max()
    recent = shown[shown["month"] > (last if last == last else shown["month"].min()) - pd.DateOffset(months=36)]
    kinds = recent["kind"]
    what = [message(f"charts.mark.{kind}").text for kind in kinds]
    return tables.show(
        recent.assign(what=what), shut=True, source=message("closeup.source.marks"), top=12, subtitle=message("closeup.marks.sub"),
        caption=message("closeup.marks.title", {"events": kinds.eq("event").sum(), "corrected": kinds.isin(["censored", "outlier"]).sum()}),
        columns={"month": tables.col("Month", "month"), "what": "What", "name": tables.col("Name", wide=True), "units": tables.col("Corrected by", "count", signed=True),
                 "effect": tables.col("Expected effect", "percent", signed=True, wide=True)},
    ) if len(recent) else None


# --- one family -----------------------------------------------------------------------------------------------------


def family(one: Family, *, lags: Sequence[int], scope: Scope) -> Block:
    """A family taken apart: its plan beside demand and budget, its items by money, its months.

    lags      the decision lags
    returns   a block; of an unknown family, the sentence that names the nearest
    """
    if not one.family:
        return block(Heading(say("One family")), _no_family(one))
    near = one.plan[one.plan["month"].isin(scope.window)]
    return block(Heading(say("One family: {family}", family=one.family)), _family_said(one, near, lags), _family_drawn(one, near, scope), _family_items(one, scope), _family_months(near, scope))


def _no_family(one: Family) -> Sentence:
    if not one.asked.strip():
        return say("There is no plan of a family.")
    if not one.near:
        return say("No family is called {asked}: the item master names none.", asked=one.asked)
    return say("No family is called {asked}. Type one of these into `family` in the first cell: {near}.", asked=one.asked, near=", ".join(one.near))


def _family_said(one: Family, near: pd.DataFrame, lags: Sequence[int]) -> Sentence:
    if near.empty:
        return say("Nothing of it is planned in these months.")
    units, before = float(near["consensus"].sum()), float(near["year_ago"].sum(skipna=False))
    said = say("**{units:compact} units worth {revenue:money}, with {margin:money} of margin, are planned from {first:month} to {last:month}.**", units=rough(units), revenue=_sum(near, "revenue"),
               margin=_sum(near, "margin"), first=near["month"].min(), last=near["month"].max())
    if before > 0:
        said += say("That is {grows:+.1%} on the demand of the same months a year before.", grows=units / before - 1)
    held = near[near["budget_revenue"].notna()]
    if len(held):
        gap = float(held["revenue"].sum() - held["budget_revenue"].sum())
        said += say("Its budget is missed by {gap:money}.", gap=-gap) if gap < 0 else say("Its budget is passed by {gap:money}.", gap=gap)
    streams = near[[name for name in closeup.STREAMS[1:6] if name in near.columns]].sum()
    if streams.abs().sum() > 0.5:
        most = str(streams.abs().idxmax())
        said += say("Largest beside the statistical baseline: {stream}, {moved:compact+} units.", stream=message("plan.stream." + most), moved=rough(streams[most]))
    judged = closeup.record(one, lags=lags)
    return said + (say("Earlier plans missed its demand by {wape:.1%}, {bias:+.1%} on balance, over {months} months.", **judged) if judged["months"] else say("No earlier plan of it can be judged yet."))


def _family_drawn(one: Family, near: pd.DataFrame, scope: Scope) -> charts.Figure | None:
    if near.empty:
        return None
    peak = near.loc[near["consensus"].idxmax()]
    band = one.plan.dropna(subset=["lo80", "hi80"])
    budget = one.plan[["month", "budget_units"]].dropna().rename(columns={"budget_units": "units"})
    return charts.demand_and_plan(
        one.history, one.plan, forecast=band if len(band) else None, budget=budget if len(budget) else None, events=demand_page.marks(one.events), name="one-family",
        title=say("{family} peaks in {month:month} at {units:compact} units", family=one.family, month=peak["month"], units=rough(peak["consensus"])),
        subtitle=say("Units per month; the band around the baseline holds 80% by design; triangles mark its promotions"), source=say("demand history to {origin:month}; plan {cycle}", origin=scope.origin, cycle=scope.cycle))


def _family_items(one: Family, scope: Scope) -> tables.Table | None:
    if one.items.empty:
        return None
    whole, first = one.items["revenue"].sum(), one.items.iloc[0]
    rows = one.items.assign(share=one.items["revenue"] / whole if whole else float("nan"))
    return tables.show(
        rows, top=5, by="revenue", total=["units", "revenue", "margin", "moved"] if rows["moved"].notna().any() else ["units", "revenue", "margin"], source=say("plan {cycle}", cycle=scope.cycle),
        caption=say("{name} brings {share:.0%} of its revenue", name=first["name"], share=first["revenue"] / whole) if whole else say("Its items by units"),
        subtitle=say("{first:month} to {last:month}; on last plan over the months that both have", first=scope.window[0], last=scope.window[-1]),
        columns={"name": "Item", "units": col("Units", "count", wide=True), "revenue": col("Revenue", "money"), "share": col("Of the family", "percent", wide=True), "margin": col("Margin", "money", wide=True),
                 "moved": col("On last plan", "money", signed=True)})


def _family_months(near: pd.DataFrame, scope: Scope) -> tables.Table | None:
    if near.empty:
        return None
    moved = {name: tables.col(message("plan.stream." + name), "count", signed=True, wide=True) for name in closeup.STREAMS[1:6] if near[name].abs().sum() > 0.5}
    compared = {name: tables.col(label, "count", wide=True) for name, label in (("last", say("Last plan")), ("year_ago", say("Year before")), ("budget_units", say("Budget"))) if near[name].notna().any()}
    band = {"lo80": col(say("80% from"), "count", wide=True), "hi80": col(say("80% to"), "count", wide=True)} if near["lo80"].notna().any() else {}
    return tables.show(
        near, shut=True, total=["baseline", *moved, "consensus", "revenue", "margin"], source=say("plan {cycle} and the one before, demand history", cycle=scope.cycle),
        caption=say("Month by month: {revenue:money} of revenue, {margin:money} of margin", revenue=_sum(near, "revenue"), margin=_sum(near, "margin")), subtitle=say("Units; the band is that of the baseline"),
        columns={"month": col("Month", "month"), "baseline": col("Baseline", "count", wide=True), **band, **moved, "consensus": col("Plan", "count"), **compared, "revenue": col("Revenue", "money"),
                 "margin": col("Margin", "money", wide=True)})


# --- one rep --------------------------------------------------------------------------------------------------------


def rep(one: Rep, *, scope: Scope) -> Block:
    """A rep, or a team, taken apart: open deals, quota, accounts, and whose forecast counts how far.

    returns   a block; of an unknown name, the sentence that names the nearest
    """
    if not one.name:
        near = ", ".join(f"{name} ({code})" for code, name in one.near)
        return block(Heading(say("One rep")), say("Not available: {table}.", table=terms("source", ["reps"])) if not one.asked.strip() else say(
            "No rep is called {asked}, and nobody of that name forecasts sales. Type one of these into `rep` in the first cell: {near}.", asked=one.asked, near=near) if near else say(
            "No rep is called {asked}, and nobody of that name forecasts sales. Nobody has a name like it: look at the list of reps, and type one into `rep` in the first cell.", asked=one.asked))
    where = ", ".join(scope.place(pd.Series(one.territories, dtype=object)))
    who = f"{one.name}, {where}" if where else one.name
    head = say("One rep: {name}", name=who) if not one.team else say("One team: {name}", name=who)
    return block(Heading(head), _rep_said(one, scope), _rep_drawn(one, scope), _rep_deals(one, scope), _rep_accounts(one, scope), _rep_quota(one))


def _rep_said(one: Rep, scope: Scope) -> Sentence:
    n = len(one.deals)
    about = {"n": n, "open": one.deals["amount"].sum(), "expected": one.deals["expected"].sum()} if n else {}
    said = say("**No deal is open.**") if not n else say("**{expected:money} is expected of one open deal that stands at {open:money}.**", **about) if n == 1 else say(
        "**{expected:money} is expected of {n} open deals that stand at {open:money}.**", **about)
    quota, sold = (float(one.quota[name].sum()) for name in ("quota", "sold"))
    said += say("Of the quota of the twelve months to {origin:month} {share:.0%} was won: {sold:money} of {quota:money}.", origin=scope.origin, share=sold / quota, sold=sold, quota=quota) if quota > 0 else say(
        "No quota of the last twelve months can be set against deals won.")
    for voice in one.voices.to_dict("records"):
        about = {**voice, "owner": scope.people.get(voice["owner"], voice["owner"])}
        said += say("The sales forecast here is that of {owner}, followed {weight:.0%} of the way: taken alone it missed by {wape_with:.1%}, the plan without it by {wape_before:.1%}.", **about
                    ) if voice["months"] else say("The sales forecast here is that of {owner}, followed {weight:.0%} of the way; none of it can be judged yet.", **about)
    return said


def _rep_drawn(one: Rep, scope: Scope) -> charts.Figure | None:
    known = one.quota.dropna(subset=["attainment"])
    if len(known) < 2:
        return None
    met = int((known["attainment"] >= 1).sum())
    return charts.lines(
        known.melt("month", ["sold", "quota"], var_name="what", value_name="money"), x="month", y="money", series="what", kind="money", name="one-rep", roles={"sold": "plan", "quota": "base"},
        names={"sold": say("Won").text, "quota": say("Quota").text}, title=say("The quota was met in {met} of {n} months", met=met, n=len(known)),
        subtitle=say("Deals won and quota by month, {currency}", currency=words.currency_sign()), source=say("opportunities known on {day:day}; quotas", day=scope.as_of))


def _rep_deals(one: Rep, scope: Scope) -> tables.Table | None:
    if one.deals.empty:
        return None
    first = one.deals.iloc[0]
    rows = one.deals.assign(what=scope.item(one.deals["item"]).fillna(one.deals["family"]), plan=[say("yes").text if added else say("in the baseline").text for added in one.deals["added"].astype(bool)])
    return tables.show(
        rows, top=5, by="expected", other=["amount", "expected"], total=["amount", "expected"], source=say("opportunities known on {day:day}", day=scope.as_of),
        caption=say("{name}: {expected:money} is expected of {amount:money}, at a chance of {chance:.0%}", **first[["name", "expected", "amount", "chance"]]),
        subtitle=say("Open deals; the chance is what past deals still open at their age had. Large deals and new ones are added to the plan; the usual ones stand in the baseline"),
        columns={"name": "Account", "what": col("For", wide=True), "stage": col("Stage", wide=True), "close_date": col("Closes", "date", wide=True), "amount": col("As it stands", "money", wide=True),
                 "chance": col("Chance", "percent"), "expected": col("Expected", "money"), "plan": col("Added", wide=True)})


def _rep_accounts(one: Rep, scope: Scope) -> tables.Table | None:
    if one.accounts.empty:
        return None
    idle = int((one.accounts["deals"] == 0).sum())
    return tables.show(
        one.accounts, shut=True, top=12, by="expected", other=["deals", "open", "expected"], total=["deals", "open", "expected"], source=say("accounts; opportunities known on {day:day}", day=scope.as_of),
        caption=say("{n} of {all} accounts have no open deal", n=idle, all=len(one.accounts)) if idle else say("Every one of the {all} accounts has an open deal", all=len(one.accounts)),
        subtitle=say("Open deals by account: as they stand, and what is expected of them"),
        columns={"name": "Account", "deals": col("Open deals", "count"), "open": col("As they stand", "money", wide=True), "expected": col("Expected", "money")})


def _rep_quota(one: Rep) -> tables.Table | None:
    known = one.quota.dropna(subset=["attainment"])
    if known.empty:
        return None
    best = known.loc[known["attainment"].idxmax()]
    return tables.show(
        known, shut=True, total=["sold", "quota"], source=say("opportunities, quotas"), caption=say("Best month: {month:month}, {attainment:.0%} of the quota", **best[["month", "attainment"]]),
        subtitle=say("Deals won against the quota by month"),
        columns={"month": col("Month", "month"), "sold": col("Won", "money"), "quota": col("Quota", "money", wide=True), "attainment": col("Of the quota", "percent")})
