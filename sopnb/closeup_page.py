"""One item, taken apart, as a planner reads it: a sentence, two charts, three tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import charts, closeup, tables
from sopnb.blocks import Block, block
from sopnb.closeup import Closeup
from sopnb.models_page import readable, what_it_is
from sopnb.words import Sentence, message, number, say


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
    return block(_headline(one, near, months, place, lags), _history(one, near, place, source), _parts(one, source), _models(one, lags), _months(near), _marks(one))


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
    said = message("closeup.planned", {**about, "units": units, "revenue": _sum(near, "revenue"), "margin": _sum(near, "margin")}
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
    told: dict[str, Any] = {"name": one.name, "year": float(one.history["demand"].tail(12).sum()), "n": len(near), "units": float(near["consensus"].sum())}
    kind = ".new" if one.history.empty else "" if told["units"] > 0 else ".old"
    return charts.item_history(
        one.history, one.plan, marks=one.marks, versions=one.versions, name="one-item", title=message(f"closeup.history.title{kind}", told),
        subtitle=message("closeup.history.sub", {"place": place}), source=source)


def _parts(one: Closeup, source: Sentence | str) -> charts.Figure | None:
    if one.history.empty or (len(one.parts) and one.strength["low"] != one.strength["low"]):
        return None  # nothing was sold in the last year: there is no level to compare with
    kind = ".none" if one.parts.empty else ".moving" if one.strength["calendar"] > 0 else ""
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
        shown.assign(used=mark, how=shown["model"].map(what_it_is)), caption=title,
        subtitle=message("closeup.models.sub", {"lags": ", ".join(map(str, lags))}), source=message("closeup.source.models"),
        columns={"name": "Model", "how": tables.col("What it is", wide=True), "wape": tables.col("WAPE", "percent", digits=1), "bias": tables.col("Bias", "percent", digits=1, signed=True),
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
        shown, caption=message("closeup.months.title", {"revenue": _sum(near, "revenue"), "margin": _sum(near, "margin")}),
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
        recent.assign(what=what), source=message("closeup.source.marks"), top=12, subtitle=message("closeup.marks.sub"),
        caption=message("closeup.marks.title", {"events": kinds.eq("event").sum(), "corrected": kinds.isin(["censored", "outlier"]).sum()}),
        columns={"month": tables.col("Month", "month"), "what": "What", "name": tables.col("Name", wide=True), "units": tables.col("Corrected by", "count", signed=True),
                 "effect": tables.col("Expected effect", "percent", signed=True, wide=True)},
    ) if len(recent) else None
