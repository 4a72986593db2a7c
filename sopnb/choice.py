"""Which model a series gets: its own record at the decision lags, steadied by the record of series like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sopnb import frames, models

KEY = ["item", "location"]
BOTH_NAIVE = ["Naive", "SeasonalNaive"]
WORST = 2.0  # no single series may count more than twice its field's usual error


def choose(tested: pd.DataFrame, *, lags: Sequence[int], segments: pd.DataFrame | None = None, thin: int = 18) -> pd.DataFrame:
    """The model of each series.

    tested    frames.TESTED
    segments  item × location  pattern; None: rare where more than a quarter of the tested months are empty
    thin      months of own record that weigh as much as the record of series like it
    returns   frames.SCORES: wape, bias, n, demand at the lags; one row per series is chosen

    measure      mean |error|; for intermittent and lumpy series √mean error², since WAPE rewards a forecast of zero there
    own          measure / mean measure of all models of the series, at most 2
    like         mean of `own` over the series that try the same field of models, weighed by w
    w            tested months with demand: an empty month cannot tell whether demand is dead or late
    score        (w · own + thin · like) / (w + thin); the least is chosen
    beats_naive  the score is below that of both Naive and SeasonalNaive. Where no model's is, the better of the two is used.

    A dozen months of own record say little: on M3 monthly (480 series, 48 to 60 months) the own record alone gives a WAPE
    of 13.5 % and picks a naive forecast for one series in four; with both records it is 12.9 %. `wape` is always the
    series' own record, so that the reader sees it.
    Series in `segments` that could not be tested take `models.DEFAULT`: n = 0, and beats_naive is false.
    """
    at = tested[tested["lag"].isin(list(lags)) & tested["demand"].notna()]
    table = _field(_record(at), at, segments)
    rare = table["pattern"].isin(["intermittent", "lumpy", "rare"])
    measure = pd.Series(np.where(rare, np.sqrt(table["square"] / table["n"]), table["error"] / table["n"]), table.index)
    own = _relative(measure, measure.groupby(table["series"]).transform("mean"))
    weight = table["sold"]
    alike = [table["field"], table["model"]]
    weights = weight.groupby(alike).transform("sum")
    like = ((own * weight).groupby(alike).transform("sum") / weights.where(weights > 0)).fillna(1.0)
    table["score"] = (weight * own + thin * like) / (weight + thin)
    bar = table["score"].where(table["model"].isin(BOTH_NAIVE)).groupby(table["series"]).transform("min")
    table["beats_naive"] = table["score"] < bar
    ranked = table.sort_values(["series", "score", "model"], kind="stable")
    table["chosen"] = table.index.isin(ranked.drop_duplicates("series").index)
    parts = [table[frames.SCORES.names], _untested(table, segments)]
    return frames.conform(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True), frames.SCORES)


def _record(at: pd.DataFrame) -> pd.DataFrame:
    """Sums of error by series and model."""
    error = at["forecast"] - at["demand"]
    sums = at[[*KEY, "model"]].assign(
        n=1, sold=at["demand"].gt(0).astype("int64"), demand=at["demand"], error=error.abs(), signed=error, square=error**2
    )
    table = sums.groupby([*KEY, "model"], sort=True).sum().reset_index()
    size = table["demand"].where(table["demand"] > 0)
    table["wape"], table["bias"] = table["error"] / size, table["signed"] / size
    table["series"] = table.groupby(KEY, sort=True).ngroup()
    return table


def _field(table: pd.DataFrame, at: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    """Pattern and field of each series. Patterns that try the same models are judged together."""
    if segments is None:
        empty = at["demand"].le(0).groupby([at["item"], at["location"]], sort=True).mean().rename("empty").reset_index()
        rare = table[KEY].merge(empty, on=KEY, how="left")["empty"] > 0.25
        pattern = pd.Series(np.where(rare, "rare", "regular"), table.index, dtype=object)
        return table.assign(pattern=pattern, field=pattern)
    pattern = table[KEY].merge(segments[[*KEY, "pattern"]], on=KEY, how="left")["pattern"].fillna("short")
    return table.assign(pattern=pattern, field=pattern.map(lambda p: "/".join(models.FIELDS[p])))


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
