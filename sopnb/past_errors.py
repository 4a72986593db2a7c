"""What past forecast errors say of safety stock: how large they are, what shape they have, and how often stock would have lasted.

Errors come from the backtest, of the model chosen for each series, at the lags that the stock must last. Their shape, taken
over all series of a pattern as multiples of each series' own usual error, is a distribution that nobody had to assume: it
holds the fat tails, the bias, the errors of neighbouring months that go the same way, and how badly a usual error is known
from a dozen of them.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sopnb import safety

SERIES = ["item", "location"]
ENOUGH = 100  # errors from which a pattern's own shape is believed; below it, the shape of all


def error_spread(tested, scores=None, segments=None, *, protection, least=6):
    """Root mean square of the forecast error of each series, over the lags of its protection time.

    tested    item × location × origin × month × model   forecast, demand, lag
    scores    item × location × model                    chosen; without it every model tested counts
    segments  item × location                            pattern; series with few errors borrow from those like them
    protection  item × location                          lags (months of the protection time)
    least     errors below which a series borrows the relative error of its pattern
    returns   item × location                            error_sd (units per month), basis (own, pooled or none)

    Root mean square, not the spread about the mean: a forecast that is always short needs the same protection as one
    that is short by chance. Pooled: √(Σe² / Σm²) over series of one pattern, times m, with m a series' mean demand.
    """
    out = protection[[*SERIES, "lags"]].copy()
    errors = errors_of_choice(tested, scores)
    if errors.empty:
        return out[SERIES].assign(error_sd=np.nan, basis="none")
    last = int(errors["lag"].max())
    errors = errors.merge(out, on=SERIES)
    errors = errors[errors["lag"] <= errors["lags"].clip(1, last)]
    errors = errors.assign(square=(errors["forecast"] - errors["demand"]) ** 2)
    own = errors.groupby(SERIES, as_index=False).agg(square=("square", "mean"), level=("demand", "mean"), n=("square", "size"))
    out = out.merge(own, on=SERIES, how="left")
    out["pattern"] = pattern_of(out, segments).fillna("all").to_numpy()
    out["relative"] = _pooled(out, least)
    thin = out["n"].fillna(0) < least
    out["error_sd"] = np.sqrt(out["square"]).where(~thin, out["relative"] * out["level"])
    out["basis"] = np.where(out["error_sd"].isna(), "none", np.where(thin, "pooled", "own"))
    return out[[*SERIES, "error_sd", "basis", "relative"]]


def errors_of_choice(tested, scores):
    """Errors of the model chosen for each series; all models where no choice is given for the series."""
    if tested is None or not len(tested):
        return pd.DataFrame(columns=[*SERIES, "origin", "model", "lag", "forecast", "demand"]) if tested is None else tested
    known = tested[tested["demand"].notna() & tested["forecast"].notna()]
    if scores is None:
        return known
    chosen = scores.loc[scores["chosen"], [*SERIES, "model"]]
    ours = known.merge(chosen, on=[*SERIES, "model"])
    without = known.merge(ours[SERIES].drop_duplicates(), on=SERIES, how="left", indicator="_side")
    return pd.concat([ours, without[without["_side"] == "left_only"].drop(columns="_side")], ignore_index=True)


def pattern_of(keys, segments):
    """The pattern of each series; missing where none is known."""
    if segments is None:
        return pd.Series(None, index=keys.index, dtype=object)
    return keys[SERIES].merge(segments[[*SERIES, "pattern"]], on=SERIES, how="left")["pattern"].set_axis(keys.index)


def _pooled(table, least):
    """Relative error by pattern, from series with enough errors; of all series where a pattern has none."""
    enough = table[table["n"].fillna(0) >= least]
    enough = enough if len(enough) else table[table["n"].fillna(0) > 0]
    enough = enough.assign(level2=enough["level"] ** 2)
    sums = enough.groupby("pattern")[["square", "level2"]].sum()
    by_pattern = np.sqrt(sums["square"] / sums["level2"].where(sums["level2"] > 0))
    total = enough["level2"].sum()
    overall = math.sqrt(enough["square"].sum() / total) if total > 0 else float("nan")
    return table["pattern"].map(by_pattern).astype("float64").fillna(overall)


# --- the shape of errors --------------------------------------------------------------------------------------------

class Shape:
    """An empirical distribution of errors as multiples of sigma: what `safety` says of the normal, said of errors as they were."""

    def __init__(self, factors):
        self.sorted = np.sort(np.asarray(factors, float))
        self._above = np.append(np.cumsum(self.sorted[::-1])[::-1], 0.0)

    def factor(self, target):
        """k: the smallest with the share `target` of errors at or below it."""
        place = np.ceil(np.nan_to_num(target, nan=1.0) * len(self.sorted) - 1e-9).astype(int)
        return np.where(np.isnan(target), np.nan, self.sorted[np.clip(place, 1, len(self.sorted)) - 1])

    def below(self, k):
        """Share of errors at or below k; missing where k is."""
        return np.where(np.isnan(k), np.nan, np.searchsorted(self.sorted, k, side="right") / len(self.sorted))

    def loss(self, k):
        """Mean of max(error − k, 0): the unit loss G(k)."""
        first = np.searchsorted(self.sorted, k, side="right")
        return np.maximum(self._above[first] - np.asarray(k, float) * (len(self.sorted) - first), 0.0) / len(self.sorted)

    def factor_for_loss(self, wanted):
        """k from 0 up: the smallest with G(k) at or below `wanted`."""
        wanted = np.asarray(wanted, float)
        low, high = np.zeros(wanted.shape), np.full(wanted.shape, max(float(self.sorted[-1]), 0.0) + 1.0)
        for _ in range(50):
            middle = (low + high) / 2
            up = self.loss(middle) > wanted
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        return np.where(self.loss(np.zeros(wanted.shape)) <= wanted, 0.0, high)


def standardised(tested, scores=None, segments=None, *, protection, least=6):
    """Errors over the months the stock must last, as multiples of what the other origins would have taken for usual.

    tested, scores, segments, least   as of `error_spread`
    protection  item × location         lags (months of the protection time)
    returns  item × location × origin   pattern, forecast, demand (units, over these months), sigma (units), factor (error / sigma)

    sigma = √lags · the root mean square error of the series at its other origins, `least` errors or more: an origin is not
    judged by a usual error that already knows it. Error here is demand − forecast: what safety stock must cover.
    """
    errors = errors_of_choice(tested, scores)
    if errors.empty:
        return pd.DataFrame(columns=[*SERIES, "origin", "pattern", "forecast", "demand", "sigma", "factor"])
    errors = errors.merge(protection[[*SERIES, "lags"]], on=SERIES)
    errors["lags"] = errors["lags"].clip(1, int(errors["lag"].max()))
    errors = errors[errors["lag"] <= errors["lags"]]
    errors = errors.assign(square=(errors["demand"] - errors["forecast"]) ** 2)
    out = errors.groupby([*SERIES, "origin"], as_index=False).agg(
        forecast=("forecast", "sum"), demand=("demand", "sum"), square=("square", "sum"), n=("square", "size"), lags=("lags", "first"))
    of_all = out.groupby(SERIES)[["square", "n"]].transform("sum")
    others = of_all["n"] - out["n"]
    out["sigma"] = np.sqrt(out["lags"] * (of_all["square"] - out["square"]).clip(lower=0) / others.where(others >= least))
    out = out[(out["n"] == out["lags"]) & (out["sigma"] > 0)].reset_index(drop=True)
    out["factor"] = (out["demand"] - out["forecast"]) / out["sigma"]
    out["pattern"] = pattern_of(out, segments).to_numpy()
    return out[[*SERIES, "origin", "pattern", "forecast", "demand", "sigma", "factor"]]


def shapes(factors, *, enough=ENOUGH):
    """The shape of errors of each pattern that has enough of them, and of all under `all`; nothing where all are too few.

    factors  item × location × origin   pattern, factor: from `standardised`
    """
    if len(factors) < enough:
        return {}
    by_pattern = {str(name): Shape(rows["factor"]) for name, rows in factors.groupby("pattern", sort=True) if len(rows) >= enough}
    return {**by_pattern, "all": Shape(factors["factor"])}


def level_from_sample(demands, target=None, *, fill=None, quantity=None):
    """The level by demands over the protection time as they were, with no distribution assumed.

    demands   units over one protection time each: past ones, or simulated
    target    cycle service level: the smallest demand with that share of demands at or below it; or
    fill      fill rate, with quantity: the smallest r with mean(max(demand − r, 0)) ≤ (1 − fill)·Q
    returns   units
    source    the empirical distribution; Nahmias, newsstand: 52 weeks of sales, 77 %: 15 copies

    >>> float(level_from_sample([4, 0, 0, 9, 2, 0, 3, 0, 0, 2], 0.9))
    4.0
    """
    cases = np.sort(np.asarray(demands, float))
    asked = target if fill is None else fill
    if (target is None) == (fill is None) or (fill is not None and quantity is None) or not 0 < asked < 1:
        raise ValueError("give target (a cycle service level), or fill (a fill rate) with quantity, between 0 and 1.")
    if target is not None:
        return cases[max(math.ceil(target * len(cases) - 1e-9), 1) - 1]
    allowed = (1 - fill) * float(quantity)
    above = np.append(np.cumsum(cases[::-1])[::-1], 0.0)  # Σ of the cases from the i-th on
    count = len(cases) - np.arange(len(cases) + 1)
    starts = np.concatenate([[0.0], cases])
    short = (above - count * starts) / len(cases)  # expected short where the level is starts[i]
    last = int(np.argmax(short <= allowed + 1e-12))
    if last == 0:
        return 0.0
    return (above[last - 1] - allowed * len(cases)) / count[last - 1]  # the shortage is a straight line between two cases


# --- would it have lasted -------------------------------------------------------------------------------------------

def lasted(policy, tested, *, scores=None, segments=None, review_days=30, review="periodic", least=6):
    """How often safety stock set as in the policy would have lasted at past origins, class by class.

    policy   POLICY          service_class, service_target, measure (series with a fill rate are left out), distribution, lead_months
    tested, scores, segments, review_days, review, least   as of the policy
    returns  service_class   service_target, cases (origins × series), lasted (fraction of them), by_chance (standard error of lasted)

    At each origin the stock is forecast + safety stock over the months to last, by what the other origins tell of errors, and
    lasts where demand was no more. Lead times are taken as sure, since what they were at each origin is not known.
    """
    months = policy["lead_months"] + (review_days * 12 / 365.25 if review == "periodic" else 0.0)
    lags = np.ceil(months - 1e-9).clip(lower=1).astype(int)
    cases = standardised(tested, scores, segments, protection=policy[SERIES].assign(lags=lags), least=least)
    asked = policy.loc[(policy["measure"] == "cycle") & policy["service_target"].notna(), [*SERIES, "service_class", "service_target", "distribution"]]
    cases = cases.merge(asked, on=SERIES)
    empirical = cases["distribution"] == "empirical"
    named = cases["distribution"].where(~empirical, "normal").to_numpy()
    level = np.asarray(safety.level_for_cycle(cases["forecast"], cases["sigma"], cases["service_target"], named), float).copy()
    for origin in cases.loc[empirical, "origin"].unique():
        here = (empirical & (cases["origin"] == origin)).to_numpy()
        known = shapes(cases[cases["origin"] != origin])
        level[here] = cases["forecast"][here] + cases["sigma"][here] * factors_of(cases["pattern"][here], cases["service_target"][here], known)
    level = np.maximum(level, cases["forecast"])
    out = cases.assign(held=cases["demand"] <= np.ceil(level - 1e-9), target=cases["service_target"]).groupby("service_class", as_index=False).agg(
        service_target=("target", "first"), cases=("held", "size"), lasted=("held", "mean"))
    out["by_chance"] = np.sqrt(out["lasted"] * (1 - out["lasted"]) / out["cases"])
    return out.sort_values("service_target", ascending=False, kind="stable").reset_index(drop=True)


def factors_of(pattern, target, known):
    """Safety factor of each series from the shape of its pattern; the normal's where no shape is known."""
    from scipy.special import ndtri

    out = np.asarray(ndtri(np.asarray(target, float)), float).copy()
    for here, shape in rows_of(pattern, known):
        out[here] = shape.factor(np.asarray(target, float)[here])
    return out


def rows_of(pattern, known):
    """Each shape with the rows it stands for: a pattern's own, or that of all."""
    names = np.array([name if name in known else "all" for name in pattern], dtype=object)
    for name in sorted(set(names)):
        if name in known:
            yield names == name, known[name]
