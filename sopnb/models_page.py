"""Which model earned its place, as it is read: the models' backtests, what the bands held, levels made to agree, launches."""

from __future__ import annotations

import pandas as pd

from sopnb import frames, tables, words
from sopnb.blocks import Block, Note, Scope, block, missing, told
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, term

col = tables.col
KEY = ["item", "location"]
BOTH_NAIVE = ("Naive", "SeasonalNaive")


def what_it_is(model: str) -> Sentence:
    """A model's name in plain words."""
    if model in BOTH_NAIVE or "plan.model." + model in words.MESSAGES:
        return message("plan.model." + model)
    return message("plan.model.joint" if "+" in model else "plan.model.other")


def readable(model: str) -> str:
    """A combination with room to break its name on a phone.

    >>> readable("Average6+SES")
    'Average6 + SES'
    """
    return str(model).replace("+", " + ")


def last_year(history: pd.DataFrame, origin: pd.Timestamp) -> pd.Series:
    """Revenue of the last 12 months by item × location, as `money`: what rests on the forecast of a series."""
    return history[history["month"] > frames.next_month(origin, -12)].groupby(KEY)["revenue"].sum().rename("money")


def earned(
    plan: pd.DataFrame, tested: pd.DataFrame, scores: pd.DataFrame, segments: pd.DataFrame, *, money: pd.Series, league: pd.DataFrame, coverage: pd.DataFrame,
    agreed: pd.DataFrame, method: str, together: int, launches: pd.DataFrame, scope: Scope,
) -> Block:
    """How much money rests on models that beat naive, what each missed by, and what new items rest on.

    plan, tested, scores, segments   frames.PLAN, TESTED, SCORES, SEGMENTS
    money      by item × location: `last_year`
    league     forecast.league; coverage: forecast.coverage by group
    agreed     reconcile.side_by_side of reconcile.judge; method: how levels are made to agree; together: series that take part
    launches   launches.told: items whose plan rests on a like item
    """
    if plan.empty:
        return block(missing("orders"))
    if tested.empty:
        return block(say("**No model could be tested yet**: no series has the months behind it that a backtest needs. The plan rests on the level of the months there are."),
                     _resting(launches), _after_like(launches, scope))
    chosen = _chosen(scores, segments, money)
    note = Note(say("Every series is forecast from several past months with several models, naive and seasonal naive always among them. Where nothing beats naive, naive is used. `Weighted` is the mean of "
                    "all models of a field, each weighed by its record. `Learned` takes off it what the models' errors on all series have in common, as far as the number of cases lets it; a series leaves "
                    "it only for a model that did better by more than luck."), say("How a model is chosen"))
    return block(_rests_on(chosen, coverage), _league(league, tested, scope), note, _classes(chosen, segments), _agreed(agreed, method, together, len(segments), scope),
                 _resting(launches), _after_like(launches, scope))


def _chosen(scores: pd.DataFrame, segments: pd.DataFrame, money: pd.Series) -> pd.DataFrame:
    """The model of each series, with its segment and the money that rests on it."""
    out = scores[scores["chosen"]].merge(money, on=KEY, how="left").merge(segments[[*KEY, "abc", "pattern"]], on=KEY)
    return out.assign(money=out["money"].fillna(0.0), error=out["wape"] * out["demand"], naive=out["model"].isin(BOTH_NAIVE))


def _rests_on(chosen: pd.DataFrame, coverage: pd.DataFrame) -> Sentence:
    whole, n = chosen["money"].sum(), int(chosen["naive"].sum())
    about = {"share": chosen.loc[chosen["beats_naive"], "money"].sum() / whole if whole else None, "n": n, "series": len(chosen), "money": chosen.loc[chosen["naive"], "money"].sum()}
    about["share"] = None if about["share"] is None else min(about["share"], 0.999) if not chosen["beats_naive"].all() else about["share"]  # 100 % is all of them
    said = say("**{share:.1%} of revenue** rests on a model that beat both naive forecasts in the backtest, by its own record and that of series like it.", **about)
    said += say("For {n:,.0f} of {series:,.0f} series, with {money:money} of revenue, none did, and naive is used.", **about) if n else say(
        "Not one of the {series:,.0f} series (one item at one location) has to fall back on naive.", **about)
    held = coverage.assign(hits=coverage["covered"] * coverage["n"]).groupby("level")[["hits", "n"]].sum().eval("hits / n")
    said += say("Bands meant to hold 80% held {held80:.0%} of known months, those for 95% held {held95:.0%}.", held80=held.get(80), held95=held.get(95))
    rarely = coverage[coverage["group"] == "rare"].set_index("level")["covered"]
    if len(rarely):
        said += say("Of series sold now and then they held {rare80:.0%} and {rare95:.0%}.", rare80=rarely.get(80), rare95=rarely.get(95))
    untested = int((chosen["n"] == 0).sum())
    if untested:
        said += say("{n:,.0f} of the series could not be tested; they take what series like them do best with.", n=untested) if untested > 1 else say(
            "One of the series could not be tested; it takes what series like it do best with.")
    return said


def _league(league: pd.DataFrame, tested: pd.DataFrame, scope: Scope) -> Table | None:
    if league.empty:
        return None
    failed = tested.attrs.get("fallbacks", 0)
    most = league.groupby("kind")["money"].sum()
    first = league.loc[league["money"].idxmax()]
    ordered = league.assign(order=-league["kind"].map(most)).sort_values("order", kind="stable")  # the field with most money first
    return tables.show(
        ordered.assign(what=told("plan.kind.", ordered["kind"]), money=ordered["money"].where(ordered["chosen"] > 0), name=ordered["model"].map(readable), how=ordered["model"].map(what_it_is)),
        shut=True, caption=say("{model} forecasts most: of {money:money} of revenue, missing by {wape:.1%}, naive by {naive:.1%}", model=readable(first["model"]), money=first["money"], wape=first["wape"],
                               naive=first["naive"]),
        subtitle=say("Backtest, lags {lags}: each over all series of its kind, not only those that use it, beside what the naive forecast missed in the same months. Models in use, the best single one, and both naive "
                     "ones; revenue of the last 12 months that rests on it",
                     lags=scope.decision_lags),
        source=say("backtest to {origin:month}; {n:,.0f} times a model gave no number and the mean of twelve months answered", origin=scope.origin, n=failed) if failed else say(
            "backtest to {origin:month}; every model gave a number", origin=scope.origin),
        columns={"name": "Model", "what": col("For series", wide=True), "how": col("What it is", wide=True), "wape": col("Error", "percent", digits=1), "naive": col("Naive there", "percent", digits=1),
                 "bias": col("Bias", "percent", digits=1, signed=True, wide=True), "chosen": col("Used by", "count"), "money": col("Revenue", "money", wide=True)})


def _classes(chosen: pd.DataFrame, segments: pd.DataFrame) -> Table | None:
    if chosen.empty:
        return None
    sums = chosen.groupby(["abc", "pattern"], as_index=False).agg(series=("item", "size"), money=("money", "sum"), error=("error", "sum"), demand=("demand", "sum"))
    whole, known = sums["money"].sum(), segments["previous"].notna()
    about = {"share": sums.loc[sums["abc"] == "A", "money"].sum() / whole if whole else None, "n": int((known & (segments["previous"] != segments["abc"] + segments["xyz"])).sum())}
    caption = say("Series by class and pattern") if not whole else say("Class A series hold {share:.0%} of revenue; series that changed class since last month: {n:,.0f}", **about) if known.any() else say(
        "Class A series hold {share:.0%} of revenue", **about)
    return tables.show(
        sums.assign(pattern=[term("pattern", pattern) for pattern in sums["pattern"]], wape=sums["error"] / sums["demand"].where(sums["error"] < 2 * sums["demand"])), caption=caption, source=say("demand history; backtest"),
        shut=True, subtitle=say("ABC by margin, pattern by months without demand and by spread; no error (WAPE) where it is twice the demand"),
        columns={"abc": "Class", "pattern": "Pattern", "series": col("Series", "count"), "money": col("Revenue", "money"), "wape": col("Error", "percent", digits=1)})


def _agreed(agreed: pd.DataFrame, method: str, together: int, series: int, scope: Scope) -> Table | None:
    if agreed.empty:
        return None
    misses = agreed.set_index("level")
    return tables.show(
        agreed.assign(name=told("plan.level.", agreed["level"])), shut=True,
        caption=say("Made to agree by {way}, items miss by {item:.1%} (alone {alone:.1%}), families by {family:.1%} (their items added up {added:.1%})",
                    way=message("plan.reconciliation." + method), item=misses.loc["series", method], alone=misses.loc["series", "alone"], family=misses.loc["family", method],
                    added=misses.loc["family", "bottom_up"]),
        subtitle=say("WAPE in the backtest, lags {lags}; each origin with what was learnt at the others. A level forecast alone does not add up to the others", lags=scope.decision_lags),
        source=say("backtest to {origin:month}; {n:,.0f} of {series:,.0f} series, the others come, end or are short of two years", origin=scope.origin, n=together, series=series) if together < series
        else say("backtest to {origin:month}; all {series:,.0f} series", origin=scope.origin, series=series),
        columns={"name": "Level", "alone": col("Alone", "percent", digits=1), "bottom_up": col("Items added up", "percent", digits=1),
                 "middle_out": col("Shared out", "percent", digits=1, wide=True), "min_trace": col("Least error", "percent", digits=1)})


def _resting(launches: pd.DataFrame) -> Sentence | None:
    ahead, young = launches[launches["basis"] != "own"], launches[launches["basis"] == "own"]
    about = {"n": len(ahead), "money": ahead["revenue"].sum(), "share": ahead["share"].iloc[0], "basis": message("plan.launch." + ahead["basis"].iloc[0])} if len(ahead) else {}
    coming = None if not about else say(
        "**One item to come, with {money:money} of this plan, rests on a like item's demand**: at {share:.0%} of it, {basis}. What it takes from other items is taken off them only as far as its event says so.", **about
    ) if len(ahead) == 1 else say(
        "**{n} items to come, with {money:money} of this plan, rest on a like item's demand**: the largest at {share:.0%} of it, {basis}. What they take from other items is taken off them only as far as their events say so.", **about)
    has = {"n": len(young), "money": young["revenue"].sum(), "weight": young["weight"].mean()}
    started = None if young.empty else say(
        "One young item, with {money:money}, follows a like item: what it sold so far counts for {weight:.0%} of its plan, what launches usually reach for the rest.", **has) if len(young) == 1 else say(
        "{n} young items, with {money:money}, follow a like item: what they sold so far counts for {weight:.0%} of their plan on average, what launches usually reach for the rest.", **has)
    return coming + started if coming and started else coming or started


def _after_like(launches: pd.DataFrame, scope: Scope) -> Table | None:
    if launches.empty:
        return None
    most = launches["revenue"].idxmax()
    return tables.show(
        launches.assign(name=scope.item(launches["item"]), rests=told("plan.launch.", launches["basis"]), like=scope.item(launches["like_item"])),
        shut=True, caption=say("{name} rests most on a like item: {revenue:money} of the plan, after {like}", name=scope.item(launches["item"]).loc[most], revenue=launches.loc[most, "revenue"],
                               like=scope.item(launches["like_item"]).loc[most]), source=say("plan {cycle}; item master", cycle=scope.cycle), top=8, by="revenue", other=["units", "revenue"], total=["units", "revenue"],
        subtitle=say("Share of the like item's baseline, from the launch on; money {first:month} to {last:month}", first=scope.window[0], last=scope.window[-1]),
        columns={"name": "Item", "launch": col("Launch", "month"), "like": col("Like item", wide=True), "share": col("Share", "percent"), "rests": col("Rests on", wide=True),
                 "launches": col("Launches measured", "count", wide=True), "sold": col("Months sold", "count", wide=True), "weight": col("Own counts", "percent", wide=True),
                 "units": col("Units", "count", wide=True), "revenue": col("Revenue", "money")})
