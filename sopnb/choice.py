"""Which model a series gets: its own record at the decision lags, steadied by the record of series like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sopnb import frames, models

KEY = ["item", "location"]
BOTH_NAIVE = ["Naive", "SeasonalNaive"]
YOUNG_THIN = 18  # of short, new and ending series those alike stand at other points of their lives, and say less
WORST = 2.0  # no single series may count more than twice its field's usual error


def choose(
    tested: pd.DataFrame, *, lags: Sequence[int], segments: pd.DataFrame | None = None, thin: int = 120, margin: float = 0.08
) -> pd.DataFrame:
    """The model of each series.

    tested    frames.TESTED
    segments  item × location  pattern; None: rare where more than a quarter of the tested months are empty
    thin      months of own record that weigh as much as the record of series like it
    margin    how much less another model's score must be than that of the usual one (Learned, or Weighted where nothing was learned)
    returns   frames.SCORES: wape, bias, n, demand at the lags; one row per series is chosen

    measure      Σ |error|; for intermittent and lumpy series √Σ error², since WAPE rewards a forecast of zero there
    own          measure / that of the mean of all models in the same months, at most 2
    like         mean of `own` over the series that try the same field of models, weighed by w
    w            tested months with demand: an empty month cannot tell whether demand is dead or late
    score        (w · own + thin · like) / (w + thin); the least is chosen, the usual model's counted as (1 − margin) of it. A series
                 without a usual model, such as a young one of which nothing could be learned, takes YOUNG_THIN in place of `thin`
    beats_naive  the score is below that of both Naive and SeasonalNaive. Where no model's is, the better of the two is used.

    A dozen months of own record say little, and of sixteen models one looks good by luck: the record of series like it weighs as
    much as `thin` months, and the usual model is kept besides. `wape` is always the series' own record, so that the reader sees it.
    Series in `segments` that could not be tested take `models.DEFAULT`: n = 0, and beats_naive is false.
    """
    at = tested[tested["lag"].isin(list(lags)) & tested["demand"].notna()]
    table = _field(_record(at), at, segments)
    rare = table["pattern"].isin(["intermittent", "lumpy", "rare"])
    own = _relative(table["error"].where(~rare, np.sqrt(table["square"])), table["usual_error"].where(~rare, np.sqrt(table["usual_square"])))
    weight = table["sold"]
    alike = [table["field"], table["model"]]
    weights = weight.groupby(alike).transform("sum")
    like = ((own * weight).groupby(alike).transform("sum") / weights.where(weights > 0)).fillna(1.0)
    table["usual"] = table["model"].eq(_usual_model(table))
    guarded = table["usual"].groupby(table["series"]).transform("any")
    steady = np.where(guarded, thin, YOUNG_THIN)
    table["score"] = (weight * own + steady * like) / (weight + steady)
    bar = table["score"].where(table["model"].isin(BOTH_NAIVE)).groupby(table["series"]).transform("min")
    table["beats_naive"] = table["score"] < bar
    usual = table["usual"] & table["beats_naive"]
    table["rank"] = table["score"].where(~usual, table["score"] * (1 - margin)).where(table["beats_naive"] | table["model"].isin(BOTH_NAIVE), np.inf)
    ranked = table.sort_values(["series", "rank", "model"], kind="stable")
    table["chosen"] = table.index.isin(ranked.drop_duplicates("series").index)
    parts = [table[frames.SCORES.names], _untested(table, segments)]
    return frames.conform(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), frames.SCORES)


def _record(at: pd.DataFrame) -> pd.DataFrame:
    """Sums of error by series and model."""
    error = at["forecast"] - at["demand"]
    sums = at[[*KEY, "model"]].assign(
        n=1, sold=at["demand"].gt(0).astype("int64"), demand=at["demand"], error=error.abs(), signed=error, square=error**2
    )
    sums = sums.assign(**_usual(at, sums))
    table = sums.groupby([*KEY, "model"], sort=True).sum().reset_index()
    size = table["demand"].where(table["demand"] > 0)
    table["wape"], table["bias"] = table["error"] / size, table["signed"] / size
    table["series"] = table.groupby(KEY, sort=True).ngroup()
    return table


def _usual(at: pd.DataFrame, sums: pd.DataFrame) -> dict[str, pd.Series]:
    """What the models of a series missed a month by, on average of those tested there: the yardstick of each row.

    A model that was not tested at every origin is measured by the months at which it was; others could not be beaten by luck of months.
    """
    cell = at.groupby([*KEY, "origin", "month"], sort=False).ngroup()
    return {f"usual_{name}": sums[name].groupby(cell).transform("mean") for name in ("error", "square")}


def _field(table: pd.DataFrame, at: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    """Pattern and field of each series. Patterns that try the same models are judged together."""
    if segments is None:
        empty = at["demand"].le(0).groupby([at["item"], at["location"]], sort=True).mean().rename("empty").reset_index()
        rare = table[KEY].merge(empty, on=KEY, how="left")["empty"] > 0.25
        pattern = pd.Series(np.where(rare, "rare", "regular"), table.index, dtype=object)
        return table.assign(pattern=pattern, field=pattern)
    pattern = table[KEY].merge(segments[[*KEY, "pattern"]], on=KEY, how="left")["pattern"].fillna("short")
    return table.assign(pattern=pattern, field=pattern.map(lambda p: "/".join(models.FIELDS[p])))


def _usual_model(table: pd.DataFrame) -> pd.Series:
    """The model a series keeps unless another is better by more than the margin: Learned, or Weighted where there was too little to learn."""
    learned = table["model"].eq("Learned").groupby(table["series"]).transform("any")
    return pd.Series("Weighted", table.index).where(~learned, "Learned")


def _relative(measure: pd.Series, reference: pd.Series) -> pd.Series:
    """measure / reference; 1 where no model made an error."""
    return (measure / reference.where(reference > 0)).fillna(1.0).clip(upper=WORST)


def _untested(table: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    if segments is None:
        return frames.empty(frames.SCORES)
    seen = pd.MultiIndex.from_frame(table[KEY])
    rest = segments[~pd.MultiIndex.from_frame(segments[KEY]).isin(seen)]
    return rest[KEY].assign(
        model=rest["pattern"].map(models.DEFAULT), wape=np.nan, bias=np.nan, n=0, demand=0.0, chosen=True, beats_naive=False
    )


# --- the field, shown -----------------------------------------------------------------------------------------------

KINDS = {"smooth": "regular", "erratic": "regular", "intermittent": "rare", "lumpy": "rare"}


def league(tested: pd.DataFrame, scores: pd.DataFrame, segments: pd.DataFrame, *, lags: Sequence[int], money: pd.Series) -> pd.DataFrame:
    """How the models of each field did over all its series: those in use, the best single model, and both naive ones.

    tested    frames.TESTED
    scores    frames.SCORES
    segments  item × location  pattern
    money     by item × location: what rests on a series
    returns   kind × model  wape, bias (fractions, at the lags, in the months in which the model was tested), naive (WAPE of Naive in the same
              months), tried, chosen (series), money (of the series that use it); kind is regular, rare or young; the best beside
              naive first
    """
    cell = [*KEY, "origin", "month"]
    at = tested[tested["lag"].isin(list(lags)) & tested["demand"].notna()].merge(segments[[*KEY, "pattern"]], on=KEY, how="left")
    at = at.assign(kind=at["pattern"].map(KINDS).fillna("young"), error=at["forecast"] - at["demand"])
    at = at.assign(size=at["error"].abs())
    at = at.merge(at.loc[at["model"] == "Naive", [*cell, "size"]].rename(columns={"size": "naive"}), on=cell)
    sums = at.groupby(["kind", "model"], sort=True)[["size", "error", "naive", "demand"]].sum()
    size = sums["demand"].where(sums["demand"] > 0)
    out = pd.DataFrame({"wape": sums["size"] / size, "bias": sums["error"] / size, "naive": sums["naive"] / size})
    out["tried"] = at.drop_duplicates(["kind", "model", *KEY]).groupby(["kind", "model"]).size()
    used = scores.loc[scores["chosen"], [*KEY, "model"]].merge(segments[[*KEY, "pattern"]], on=KEY, how="left")
    used = used.assign(kind=used["pattern"].map(KINDS).fillna("young"), money=money.reindex(pd.MultiIndex.from_frame(used[KEY])).fillna(0.0).to_numpy())
    in_use = used.groupby(["kind", "model"]).agg(chosen=("item", "size"), money=("money", "sum"))
    out = out.join(in_use, how="outer").fillna({"chosen": 0, "money": 0.0, "tried": 0}).reset_index()
    out["rank"] = out["wape"] / out["naive"].where(out["naive"] > 0)
    single = out[~out["model"].isin([*BOTH_NAIVE, *models.JOINT]) & ~out["model"].str.contains("+", regex=False)]
    best = single.sort_values("rank", kind="stable").drop_duplicates("kind").index
    out = out[(out["chosen"] > 0) | out["model"].isin(BOTH_NAIVE) | out.index.isin(best)]
    out = out.sort_values(["kind", "rank", "model"], kind="stable").drop(columns="rank")
    return out.astype({"chosen": "int64", "tried": "int64"}).reset_index(drop=True)
