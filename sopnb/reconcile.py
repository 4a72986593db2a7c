"""Forecasts that agree: items, families and the total are each forecast, and then made to add up.

    series → family → total              item × location below, sums of them above

    bottom_up    the items stand; families and total are their sums
    middle_out   families stand; items keep their shares of the family (forecast proportions)
    min_trace    each gives way by how wrong it was in the backtest, so that the error variance of all together is least

What is shown of a family is always the sum of its items, so that every level adds up whatever the method is.
Items that come or end, that are young (short of two years), or take over from an ending one are left as they are, and their
demand is not in the sums forecast above: the past of a family knows nothing of a launch, and its errors would be those of
launches.

The arithmetic and its sources are in `agreement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sopnb import accuracy, agreement, forecast, frames
from sopnb.agreement import METHODS

KEY = ["item", "location"]
LEVELS = ("series", "family", "total")
FAMILY, TOTAL = "family", "total"  # stand for a location in the tables of sums, so that no code can be taken for one
HELD = ("new", "short", "ending")
DUST = 1e-12  # of the forecast: a smaller move is rounding


@dataclass(frozen=True)
class Above:
    """Families and the total forecast as series of their own: item is the family (`all` of the total), location the level.

    tested    frames.TESTED
    scores    frames.SCORES
    forecast  frames.FORECAST
    """

    tested: pd.DataFrame
    scores: pd.DataFrame
    forecast: pd.DataFrame


# --- who takes part -------------------------------------------------------------------------------------------------


def steady(segments: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The series that are reconciled: all but those that come, end or are young.

    segments  item × location   pattern
    items     item              family, successor
    returns   item × location   family; new, short and ending series and the successors of ending ones are left out
    """
    ending = set(segments.loc[segments["pattern"] == "ending", "item"])
    heirs = set(items.loc[items["item"].isin(ending), "successor"].dropna()) if "successor" in items.columns else set()
    kept = segments[~segments["pattern"].isin(HELD) & ~segments["item"].isin(heirs)]
    families = dict(zip(items["item"], items["family"], strict=True))
    return kept[KEY].assign(family=kept["item"].map(families).fillna("unknown")).sort_values(KEY, kind="stable").reset_index(drop=True)


def totals(history: pd.DataFrame, series: pd.DataFrame) -> pd.DataFrame:
    """Demand of families and of all.

    history  item × location × month   demand (units), and learned (units) where the past was cleaned
    series   item × location           family: those that count
    returns  item (family, or `all`) × location (`family` or `total`) × month   the same columns
    """
    values = [name for name in ("demand", "learned") if name in history.columns]
    rows = history[[*KEY, "month", *values]].merge(series, on=KEY)
    if "learned" in values:
        rows["learned"] = rows["learned"].fillna(rows["demand"])
    by_family = rows.groupby(["family", "month"], sort=True)[values].sum().reset_index().rename(columns={"family": "item"})
    whole = rows.groupby("month", sort=True)[values].sum().reset_index().assign(item="all", location=TOTAL)
    return pd.concat([by_family.assign(location=FAMILY), whole], ignore_index=True)[[*KEY, "month", *values]]


def factors_above(calendar_factors: pd.DataFrame | None, sums: pd.DataFrame) -> pd.DataFrame | None:
    """What holidays that move do to families and to all: the total's factor is that of its families, by their demand.

    calendar_factors  family × month   factor
    sums              `totals`
    returns           item (family, or `all`) × month   factor
    """
    if calendar_factors is None or calendar_factors.empty:
        return None
    size = sums[sums["location"] == FAMILY].groupby("item")["demand"].sum()
    whole = float(size.sum())
    own = calendar_factors.rename(columns={"family": "item"})[["item", "month", "factor"]]
    lift = (own["factor"] - 1) * own["item"].map(size).fillna(0.0) / (whole or 1.0)
    total = (1 + lift.groupby(own["month"]).sum()).rename("factor").reset_index().assign(item="all")
    return pd.concat([own[own["item"] != "all"], total[["item", "month", "factor"]]], ignore_index=True)


def above(
    history: pd.DataFrame,
    series: pd.DataFrame,
    *,
    months: Iterable[object],
    lags: Sequence[int],
    judged: pd.DataFrame | None = None,
    horizon: int = 12,
    origins: int = 4,
    season: int = 12,
    short_months: int = 24,
    calendar_factors: pd.DataFrame | None = None,
    cap_multiple: float = 3.0,
) -> Above:
    """Families and the total forecast by the same engine as the series: tested, chosen, forecast.

    history, series   as for `totals`; the settings are those of `forecast.backtest` and `forecast.baseline`
    judged            the past as it was, where `history` is a corrected copy: a level that was mended with hindsight was not known at the
                      origins of a test. None: history
    """
    sums = totals(history, series)
    past = sums if judged is None else totals(judged, series)
    if sums.empty:
        return Above(frames.empty(frames.TESTED), frames.empty(frames.SCORES), frames.empty(frames.FORECAST))
    length = sums.groupby(KEY, sort=True)["month"].nunique()
    kinds = length.reset_index()[KEY].assign(pattern=np.where(length < short_months, "short", "smooth"))
    factors = factors_above(calendar_factors, sums)
    tested = forecast.backtest(past, segments=kinds, horizon=horizon, origins=origins, season=season, lags=lags,
                               calendar_factors=factors, cap_multiple=cap_multiple)
    scores = forecast.choose(tested, lags=lags, segments=kinds)
    ahead = forecast.baseline(sums, scores, tested, months=months, season=season, calendar_factors=factors, cap_multiple=cap_multiple)
    return Above(tested, scores, ahead)


# --- making them agree ----------------------------------------------------------------------------------------------


def reconcile(
    alone: pd.DataFrame, upper: Above, tested: pd.DataFrame, scores: pd.DataFrame, *, series: pd.DataFrame, method: str, lags: Sequence[int],
    history: pd.DataFrame | None = None, cap_multiple: float = 3.0,
) -> pd.DataFrame:
    """The baseline with items, families and total in agreement.

    alone    frames.FORECAST, each series forecast for itself
    upper    families and total forecast for themselves (`above`)
    tested, scores   of the series: their past errors weigh them
    series   item × location   family: those that take part (`steady`); the others stay as they are
    method   bottom_up, middle_out or min_trace
    history  item × location × month   demand (units): no series is lifted above cap_multiple × its highest month
    returns  frames.FORECAST: baseline moved, its bands by as many units, so that they keep their width; lo ≥ 0, and 0 where it was
    raises   ValueError for a method that does not exist

    Nothing is negative, and a forecast of nothing stays nothing. Forecasts that agree already are not moved.
    """
    agreement.known(method)
    if method == "bottom_up" or alone.empty or upper.forecast.empty:
        return alone.copy()
    tree = _tree(alone, series)
    months = pd.DatetimeIndex(sorted(alone["month"].unique()))
    bottom = _wide(alone, tree.keys, months, "baseline")
    top = _wide(upper.forecast, tree.nodes, months, "baseline")
    values = agreement.solve(bottom, top, tree.member, _errors(tested, scores, upper, tree, lags), method=method,
                             origins=_picked(upper.tested, upper.scores, lags)["origin"].nunique())
    if history is not None:
        highest = history.groupby(KEY)["demand"].max().reindex(pd.MultiIndex.from_frame(tree.keys)).to_numpy() * cap_multiple
        values = np.minimum(values, np.fmax(bottom, highest[:, None]))
    moved = pd.DataFrame({"item": np.repeat(tree.keys["item"], len(months)), "location": np.repeat(tree.keys["location"], len(months)),
                          "month": np.tile(months, len(tree.keys)), "move": (values - np.nan_to_num(bottom)).ravel()})
    out = alone.merge(moved, on=[*KEY, "month"], how="left")
    move = out.pop("move").fillna(0.0)
    move = move.where(move.abs() > DUST * out["baseline"], 0.0)
    for name in ("baseline", "lo80", "hi80", "lo95", "hi95"):
        # A band that reached down to nothing still does: an empty month has not become impossible.
        nothing = (out[name] <= 0) & name.startswith("lo")
        out[name] = (out[name] + move).where(~nothing, 0.0).clip(lower=0.0)
    return frames.conform(out, frames.FORECAST)


# --- tables as arrays -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tree:
    """The series that take part, the place of their family, and the keys of the sums above them."""

    keys: pd.DataFrame
    member: np.ndarray
    nodes: pd.DataFrame


def _tree(bottom: pd.DataFrame, series: pd.DataFrame) -> _Tree:
    keys = bottom[KEY].drop_duplicates().merge(series, on=KEY).sort_values(KEY, kind="stable").reset_index(drop=True)
    families = sorted(keys["family"].unique())
    place = {family: i for i, family in enumerate(families)}
    nodes = pd.DataFrame({"item": [*families, "all"], "location": [FAMILY] * len(families) + [TOTAL]})
    return _Tree(keys, keys["family"].map(place).to_numpy(dtype=int), nodes)


def _wide(long: pd.DataFrame, keys: pd.DataFrame, columns: pd.Index, value: str, by: str | Sequence[str] = "month") -> np.ndarray:
    """A table as an array: one row a key, one column a month; NaN where there is no row."""
    wide = long.pivot_table(index=KEY, columns=by, values=value, aggfunc="first")
    return wide.reindex(index=pd.MultiIndex.from_frame(keys[KEY]), columns=columns).to_numpy(dtype="float64")


def _picked(tested: pd.DataFrame, scores: pd.DataFrame, lags: Sequence[int]) -> pd.DataFrame:
    """The tested forecasts of the chosen models at the decision lags, where demand is known."""
    used = tested[tested["lag"].isin(list(lags)) & tested["demand"].notna()]
    return used.merge(scores.loc[scores["chosen"], [*KEY, "model"]], on=[*KEY, "model"])


def _cases(picked: pd.DataFrame, upper: Above, lags: Sequence[int]) -> pd.MultiIndex:
    """The origins and months at which the sums were tested, and at least half as many series as at the fullest.

    A model that learns from earlier origins is not tested at the first; a sum is not judged by the few series left there.
    """
    rows = _picked(upper.tested, upper.scores, lags)[["origin", "month"]].drop_duplicates()
    series = picked.drop_duplicates([*KEY, "origin"]).groupby("origin").size()
    whole = series.index[series >= series.max() / 2] if len(series) else []
    return pd.MultiIndex.from_frame(rows[rows["origin"].isin(whole)].sort_values(["origin", "month"]))


def _errors(tested: pd.DataFrame, scores: pd.DataFrame, upper: Above, tree: _Tree, lags: Sequence[int]) -> np.ndarray:
    picked = _picked(tested, scores, lags).merge(tree.keys[KEY], on=KEY)
    cases = _cases(picked, upper, lags)
    parts = [picked, _picked(upper.tested, upper.scores, lags)]
    wide = [_wide(part.assign(error=part["forecast"] - part["demand"]), keys, cases, "error", ["origin", "month"])
            for part, keys in zip(parts, (tree.keys, tree.nodes), strict=True)]
    return np.concatenate(wide).T


# --- what it did to accuracy ----------------------------------------------------------------------------------------


def judge(tested: pd.DataFrame, scores: pd.DataFrame, upper: Above, *, series: pd.DataFrame, lags: Sequence[int], shrink: float | None = None) -> pd.DataFrame:
    """What each method would have done to the forecasts of known months.

    tested, scores   of the series; upper: of their sums; series: those that take part
    returns          level (series, family, total) × method (alone, and METHODS)   wape, bias (fractions), error, demand
                     (units). `alone` is each level's own forecast, which does not add up.

    Chosen models, decision lags. Each origin is reconciled with the errors of the other origins only.
    """
    columns = ["level", "method", "wape", "bias", "n", "demand", "error"]
    picked = _picked(tested, scores, lags).merge(series[KEY], on=KEY)
    cases = _cases(picked, upper, lags)
    if picked.empty or cases.empty:
        return pd.DataFrame(columns=columns)
    tree = _tree(picked, series)
    groups = len(tree.nodes) - 1
    bottom, demand = (_wide(picked, tree.keys, cases, name, ["origin", "month"]) for name in ("forecast", "demand"))
    top = _wide(_picked(upper.tested, upper.scores, lags), tree.nodes, cases, "forecast", ["origin", "month"])
    errors = _errors(tested, scores, upper, tree, lags)
    real = agreement.sums(np.nan_to_num(demand), tree.member, groups)
    rows = []
    for method in ("alone", *METHODS):
        values = np.nan_to_num(bottom) if method == "alone" else _left_out(bottom, top, tree.member, errors, cases, method, shrink)
        sums = np.where(np.isfinite(top), top, 0.0) if method == "alone" else agreement.sums(values, tree.member, groups)
        known = np.where(np.isfinite(top), real, np.nan)  # each level is judged where it was forecast for itself, whatever the method
        for level, f, d in (("series", values, np.where(np.isfinite(bottom), demand, np.nan)), ("family", sums[:-1], known[:-1]), ("total", sums[-1:], known[-1:])):
            score = accuracy.score(pd.DataFrame({"forecast": f.ravel(), "demand": d.ravel()}), by=[])
            rows.append(score.assign(level=level, method=method))
    return pd.concat(rows, ignore_index=True)[columns]


def side_by_side(judged: pd.DataFrame) -> pd.DataFrame:
    """WAPE of `judge`, one row a level.

    returns  level   alone, bottom_up, middle_out, min_trace (fractions)
    """
    wide = judged.pivot(index="level", columns="method", values="wape").reindex(index=LEVELS, columns=["alone", *METHODS])
    return wide.rename_axis(columns=None).reset_index() if len(judged) else pd.DataFrame(columns=["level", "alone", *METHODS])


# --- why did it change ----------------------------------------------------------------------------------------------


def moves(baseline: pd.DataFrame, alone: pd.DataFrame) -> pd.DataFrame:
    """What reconciling moved, kept for the next cycle.

    returns  frames.RECONCILED: alone, moved (units); rows that were not moved are left out
    """
    both = alone[[*KEY, "month", "baseline"]].merge(baseline[[*KEY, "month", "baseline"]], on=[*KEY, "month"], suffixes=("", "_now"))
    both = both.assign(alone=both["baseline"], moved=both["baseline_now"] - both["baseline"])
    return frames.conform(both.loc[both["moved"] != 0, frames.RECONCILED.names], frames.RECONCILED)


def retraced(steps: pd.DataFrame | None, moved: pd.DataFrame, previous_moved: pd.DataFrame | None) -> pd.DataFrame | None:
    """The steps from last plan's baseline to this one's, with reconciling as a step of its own.

    steps                  item × location × month   baselines (units), not reconciled (`forecast.retrace`); None: no last plan
    moved, previous_moved  frames.RECONCILED of this cycle and of the last; None: nothing was moved
    returns                the same, each step with last cycle's moves added, so that it differs from last plan by that step
                           alone; and `reconciled`, the last of them with this cycle's moves instead
    """
    if steps is None:
        return None
    names = [name for name in steps.columns if name not in (*KEY, "month")]
    then, now = _moved(steps, previous_moved), _moved(steps, moved)
    out = steps.copy()
    out[names] = steps[names].add(then, axis=0)
    return out.assign(reconciled=steps[names[-1]] + now)


def _moved(steps: pd.DataFrame, moved: pd.DataFrame | None) -> pd.Series:
    """Units moved in each row of steps; 0 where none."""
    if moved is None or moved.empty:
        return pd.Series(0.0, steps.index)
    found = steps[[*KEY, "month"]].merge(moved[[*KEY, "month", "moved"]], on=[*KEY, "month"], how="left")["moved"]
    return pd.Series(found.fillna(0.0).to_numpy(), steps.index)


def _left_out(bottom: np.ndarray, top: np.ndarray, member: np.ndarray, errors: np.ndarray, cases: pd.MultiIndex, method: str, shrink: float | None) -> np.ndarray:
    """Each origin's months reconciled with the errors of the other origins."""
    out = np.zeros(bottom.shape)
    origins = cases.get_level_values("origin")
    for origin in origins.unique():
        now = np.asarray(origins == origin)
        out[:, now] = agreement.solve(bottom[:, now], top[:, now], member, errors[~now], method=method, shrink=shrink, origins=origins.nunique() - 1)
    return out
