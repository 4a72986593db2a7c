"""How wrong the baseline may be: bands from the errors of the backtest, and how much of the truth they held.

A band is conformal: the forecast plus quantiles of past errors (demand − forecast), each divided by its usual size (`scale`),
pooled over series and put back on the usual size of the error to come. No distribution is assumed, so that
intermittent items get the skewed bands they have, down to zero.

Sources: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World; Lei et al. (2018), Distribution-free predictive inference for
regression, JASA 113(523): errors over a regressed scale; for the pooling over series, Hyndman & Athanasopoulos, FPP3, section 5.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from sopnb import cube, scale

KEY = ["item", "location"]
LEVELS = {"80": 0.80, "95": 0.95}
ENOUGH = 60  # errors from which the 2.5 % quantile is more than the single worst case
SIDES = ("lo80", "hi80", "top80", "lo95", "hi95", "top95")
UNTESTED = {"lo80": 1.2816, "hi80": 1.2816, "top80": 0.8416, "lo95": 1.96, "hi95": 1.96, "top95": 1.6449}
FARTHEST = 3.0  # a family forecast at next to nothing before its launch says little of how wrong it is now
WILDEST = 25.0  # usual errors: one broken month of one series must not widen the bands of all
STEADY = 30  # errors of its own that move a series' band halfway from the usual to its own size


def errors(tested: pd.DataFrame, scores: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Scaled errors of the chosen models.

    returns  item × location × origin × month  lag, group, forecast, demand (units), scale (units), scaled = (demand − forecast) / scale, and
             what the scale rests on (`scale.sizes`, `scale.disagreement`)

    group is `rare` where more than a quarter of the series' tested months are empty, else `regular`: their errors have
    different shapes.
    """
    return _scaled(_chosen(tested, scores, history))


def _chosen(tested: pd.DataFrame, scores: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """The backtest of the chosen models, with all that tells how unsure they were."""
    used = by_choice(tested, scores)
    used = used.merge(scale.sizes(history, sorted(used["origin"].unique())), on=[*KEY, "origin"], how="left")
    used = used.merge(scale.disagreement(tested), on=[*KEY, "origin", "month"], how="left").fillna({"apart": 0.0})
    used = used[used["plain"] > 0].reset_index(drop=True)
    empty = used["demand"].le(0).groupby([used["item"], used["location"]]).transform("mean")
    return used.assign(group=np.where(empty > 0.25, "rare", "regular"))


def by_choice(tested: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The months judged, as each series' chosen model forecast them.

    tested   frames.TESTED  scores   item × location × model  chosen
    """
    picked = scores[scores["chosen"]].drop_duplicates(KEY)
    at = cube.positions(picked, tested)
    chosen = np.array([*picked["model"], None], dtype=object)[at]  # positions, not merged by three columns of text: a tenth of the time
    return tested[(tested["model"].to_numpy(dtype=object) == chosen) & tested["demand"].notna().to_numpy()].reset_index(drop=True)


def _scaled(used: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Errors over their usual size, as `past` (None: the same errors) tells it, at most WILDEST."""
    usual = scale.predicted(used if past is None else past, used)
    scaled = (used["demand"] - used["forecast"]) / np.where(usual > 0, usual, 1.0)
    return used.assign(scale=usual, scaled=scaled.clip(-WILDEST, WILDEST))


def _wildness(past: pd.DataFrame, *, leave_out: bool) -> pd.Series:
    """How much wilder than usual each series' scaled errors are, for each row of `past`; 1 is usual.

        (Σ|own| + STEADY · usual) / (n + STEADY) / usual      usual: mean |scaled| of the group at the lag

    leave_out: from the other origins only, so that an error is not divided by itself.
    """
    size = past["scaled"].abs()
    usual = size.groupby([past["group"], past["lag"]]).transform("mean")
    relative = (size / usual.where(usual > 0)).fillna(1.0)
    series = [past.groupby(KEY).ngroup()]
    total, n = relative.groupby(series).transform("sum"), relative.groupby(series).transform("size")
    if leave_out:
        here = [*series, past["origin"]]
        total, n = total - relative.groupby(here).transform("sum"), n - relative.groupby(here).transform("size")
    return (total + STEADY) / (n + STEADY)


def quantiles(errors: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Quantiles of scaled errors by group and step.

    errors   group, lag, scaled
    returns  group × step  lo80, hi80, lo95, hi95, and top80, top95 that alone hold the level (in scales), for `regular`, `rare` and `any`

    The k-th of n errors is taken so that a new one lies within with at least the stated probability:
    k = ⌈(n + 1)·(1 + level)/2⌉ (conformal). A step uses its own lag and its neighbours'; with fewer than ENOUGH errors, all
    groups together; with fewer still, all lags up to it, and then the two sides together. Steps beyond the longest lag
    tested grow with √step. A band never narrows with the horizon. Where nothing at all was tested, the normal quantiles of
    the scale stand in.
    """
    longest = int(errors["lag"].max()) if len(errors) else 0
    lag, scaled = errors["lag"].to_numpy(), errors["scaled"].to_numpy()
    member = {group: errors["group"].eq(group).to_numpy() for group in ("regular", "rare", "any")}
    rows = []
    for group in ("regular", "rare", "any"):
        widest = dict.fromkeys(SIDES, 0.0) if longest else dict(UNTESTED)
        base = 1
        for step in range(1, steps + 1):
            if step <= longest:
                now = _quantiles(_pool(scaled, lag, member[group], step))
                widest = {name: max(widest[name], value) for name, value in now.items()}
                base = step
            grown = np.sqrt(step / base)
            rows.append({"group": group, "step": step, **{name: value * grown for name, value in widest.items()}})
    out = pd.DataFrame(rows, columns=["group", "step", *SIDES])
    return out.assign(lo80=-out["lo80"], lo95=-out["lo95"])


def _pool(scaled: np.ndarray, lag: np.ndarray, same: np.ndarray, step: int) -> np.ndarray:
    """The errors a step's quantiles rest on."""
    near = (lag >= step - 1) & (lag <= step + 1)
    for use in (near & same, near, lag <= step + 1):
        pool = scaled[use]
        if len(pool) >= ENOUGH:
            return pool
    return np.concatenate([pool, -pool])


def _quantiles(pool: np.ndarray) -> dict[str, float]:
    """Distance below and above the forecast that holds each level, as positive numbers."""
    ordered = np.sort(pool)
    n = len(ordered)
    out = {}
    for name, level in LEVELS.items():
        k = min(int(np.ceil((n + 1) * (1 + level) / 2)), n)
        out[f"hi{name}"] = max(float(ordered[k - 1]), 0.0)
        out[f"lo{name}"] = max(float(-ordered[n - k]), 0.0)
        out[f"top{name}"] = max(float(ordered[min(int(np.ceil((n + 1) * level)), n) - 1]), 0.0)
    return out


def attach(forecast: pd.DataFrame, tested: pd.DataFrame, scores: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """The forecast with its bands.

    forecast  item × location × month  model, baseline (units), apart (units; standard deviation over the models of the field)
    returns   item × location × month  model, baseline, lo80, hi80, lo95, hi95 (units): max(0, baseline + quantile × scale);
              lo ≤ baseline ≤ hi
    """
    last = history["month"].max()
    past = _scaled(_chosen(tested, scores, history))
    past["wild"] = _wildness(past, leave_out=False)
    out = forecast.merge(scale.sizes(history, [last]).drop(columns="origin"), on=KEY, how="left")
    groups = past[[*KEY, "group", "wild"]].drop_duplicates(KEY)
    out = out.merge(groups, on=KEY, how="left").fillna({"group": "any", "empty": 0.0, "plain": 0.0, "unit": 0.0, "known": 0, "apart": 0.0, "wild": 1.0})
    out["step"] = (out["month"].dt.year - last.year) * 12 + out["month"].dt.month - last.month
    out["lag"] = np.minimum(out["step"], past["lag"].max() if len(past) else out["step"])
    # A series without a change or a month yet still has an unsure future: a tenth of its forecast is its scale.
    usual = scale.predicted(past, out.assign(forecast=out["baseline"]))
    out["scale"] = np.maximum(usual, np.where(out["plain"] > 0, 0.0, 0.1 * out["baseline"])) * out["wild"]
    past["scaled"] = past["scaled"] / _wildness(past, leave_out=True)
    out = _placed(out, quantiles(past, int(out["step"].max())))
    return out[[*(name for name in forecast.columns if name != "apart"), "lo80", "hi80", "lo95", "hi95"]]


def _placed(out: pd.DataFrame, q: pd.DataFrame) -> pd.DataFrame:
    out = out.merge(q.rename(columns={name: f"q_{name}" for name in SIDES}), on=["group", "step"], how="left")
    for name in LEVELS:
        low = out["baseline"] + out[f"q_lo{name}"] * out["scale"]
        # Where an empty month is no surprise, the band begins at zero, and what lies above it is all that lies outside.
        often_empty = out["empty"] > (1 - LEVELS[name]) / 2
        out[f"lo{name}"] = np.clip(low.where(~often_empty, 0.0), 0.0, out["baseline"])
        above = out[f"q_hi{name}"].where(~often_empty, out[f"q_top{name}"])
        out[f"hi{name}"] = np.maximum(out["baseline"] + above * out["scale"], out["baseline"])
    return out


def coverage(tested: pd.DataFrame, scores: pd.DataFrame, history: pd.DataFrame, *, by: Sequence[str] = ("lag",)) -> pd.DataFrame:
    """Share of known months that the bands held, each origin judged by bands made from the other origins only.

    returns  by × level (80 or 95), covered (fraction), n; `by` of lag, group, origin, item, location, or empty

    Judged at the origins that all but young series share; what is known of young ones between them makes bands there too. The models were chosen
    with all origins in view, so that the figure is slightly kind; the bands were not.
    """
    past = _chosen(tested, scores, history)
    judged = []
    for origin in _whole_origins(past):
        now, rest = past[past["origin"] == origin], past[past["origin"] != origin]
        if rest.empty:
            continue
        both = _scaled(pd.concat([now, rest], ignore_index=True), rest)
        now, rest = both.iloc[: len(now)], both.iloc[len(now) :].copy()
        known = rest[KEY].assign(wild=_wildness(rest, leave_out=False)).drop_duplicates(KEY)
        rest["scaled"] = rest["scaled"] / _wildness(rest, leave_out=True)
        now = now.merge(known, on=KEY, how="left").fillna({"wild": 1.0})
        now = now.assign(step=now["lag"], baseline=now["forecast"], scale=now["scale"] * now["wild"])
        judged.append(_placed(now, quantiles(rest, int(now["lag"].max()))))
    columns = [*by, "level", "covered", "n"]
    if not judged:
        return pd.DataFrame(columns=columns)
    table = pd.concat(judged, ignore_index=True)
    held = [
        table[list(by)].assign(level=int(name), covered=(table["demand"] >= table[f"lo{name}"] - 1e-9) & (table["demand"] <= table[f"hi{name}"] + 1e-9))
        for name in LEVELS
    ]
    grouped = pd.concat(held, ignore_index=True).groupby([*by, "level"], sort=True)["covered"]
    return grouped.agg(covered="mean", n="size").reset_index()[columns]


def kept(past: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Share of months that the bands of earlier cycles held, as they were given then.

    past     cycle × item × location × month  lo80, hi80, lo95, hi95 (units): frames.FORECAST of each earlier cycle
    history  item × location × month          demand (units)
    returns  level (80 or 95), covered (fraction), n; no rows where no month of them is known yet
    """
    known = past.merge(history[[*KEY, "month", "demand"]], on=[*KEY, "month"])
    known = known[known["demand"].notna()]
    if known.empty:
        return pd.DataFrame({"level": pd.Series(dtype="int64"), "covered": pd.Series(dtype=float), "n": pd.Series(dtype="int64")})
    inside = [((known["demand"] >= known[f"lo{name}"] - 1e-9) & (known["demand"] <= known[f"hi{name}"] + 1e-9)).mean() for name in LEVELS]
    return pd.DataFrame({"level": [int(name) for name in LEVELS], "covered": inside, "n": len(known)})


def range_of_sum(forecast: pd.DataFrame, tested: pd.DataFrame, *, months: Iterable[object], level: float = 0.80) -> tuple[float, int]:
    """How far the sum of the next months may be off, as a fraction of it, in `level` of cases; and of how many origins that is known.

    forecast  item × location × month  model: those used count
    tested    frames.TESTED
    months    the months added up, from the first planned on
    returns   (NaN, 0) where no origin has all of these lags

    The relative errors of the sum at lags 1 to n, (Σ demand − Σ forecast) / Σ forecast, at most FARTHEST; t of as many degrees of freedom as
    origins × their root mean square. A sum errs less than its months, but not by their square root: they err together.
    """
    from scipy import stats

    n = len(list(months))
    picked = forecast[[*KEY, "model"]].drop_duplicates(KEY)
    used = tested[tested["demand"].notna()].merge(picked, on=[*KEY, "model"])
    used = used[used["origin"].isin(_whole_origins(used)) & (used["lag"] <= n)]
    sums = used.groupby("origin", sort=True).agg(forecast=("forecast", "sum"), demand=("demand", "sum"), lags=("lag", "nunique"))
    sums = sums[(sums["lags"] == n) & (sums["forecast"] > 0)]
    if sums.empty:
        return float("nan"), 0
    relative = (sums["demand"] / sums["forecast"] - 1).clip(upper=FARTHEST)
    return float(stats.t.ppf((1 + level) / 2, len(sums)) * np.sqrt((relative**2).mean())), len(sums)


def family_bands(forecast: pd.DataFrame, tested: pd.DataFrame, *, by: pd.Series | dict[str, str] | None = None) -> pd.DataFrame:
    """Bands of the total, or of each family: from errors of the total, since bands of items do not add up.

    forecast  item × location × month  model, baseline (units)
    tested    frames.TESTED; the models in `forecast` count
    by        item → group (family, brand …); None: one total
    returns   [group ×] month  baseline, lo80, hi80, lo95, hi95 (units)

    The relative errors of the total, (Σ demand − Σ forecast) / Σ forecast, at most FARTHEST, at lags up to two from the step's; half
    width = t × their root mean square, with as many degrees of freedom as origins, since the lags of an origin share
    their luck. Beyond the longest lag it grows with √step; it never narrows.
    """
    from scipy import stats

    groups = (lambda df: pd.Series("all", df.index)) if by is None else (lambda df: df["item"].map(by).fillna("unknown"))
    picked = forecast[[*KEY, "model"]].drop_duplicates(KEY)
    used = tested[tested["demand"].notna()].merge(picked, on=[*KEY, "model"])
    past = used.assign(group=groups(used)).groupby(["group", "origin", "lag"], sort=True)[["forecast", "demand"]].sum().reset_index()
    past = past[(past["forecast"] > 0) & past["origin"].isin(_whole_origins(used))]
    past["relative"] = ((past["demand"] - past["forecast"]) / past["forecast"]).clip(upper=FARTHEST)
    totals = forecast.assign(group=groups(forecast)).groupby(["group", "month"], sort=True)["baseline"].sum().reset_index()
    first = totals["month"].min()
    pieces = []
    for group, rows in totals.groupby("group", sort=True):
        own = past[past["group"] == group]
        steps = ((rows["month"].dt.year - first.year) * 12 + rows["month"].dt.month - first.month + 1).to_numpy()
        spread = _spread(own if len(own) else past, int(steps.max(initial=1)))[steps - 1]
        freedom = max((own if len(own) else past)["origin"].nunique(), 1)
        widths = {name: spread * float(stats.t.ppf((1 + level) / 2, freedom)) for name, level in LEVELS.items()}
        pieces.append(rows.assign(**{
            f"{side}{name}": np.maximum(rows["baseline"] * (1 + sign * width), 0.0)
            for name, width in widths.items() for side, sign in (("lo", -1), ("hi", 1))
        }))  # fmt: skip
    columns = [*([] if by is None else ["group"]), "month", "baseline", "lo80", "hi80", "lo95", "hi95"]
    return pd.concat(pieces, ignore_index=True)[columns] if pieces else pd.DataFrame(columns=columns)


def _whole_origins(used: pd.DataFrame) -> list[pd.Timestamp]:
    """Origins that test at least half as many series as the one that tests most: between them only young series are tested."""
    series = used.drop_duplicates([*KEY, "origin"]).groupby("origin", sort=True).size()
    return [] if series.empty else list(series.index[series >= series.max() / 2])


def _spread(past: pd.DataFrame, steps: int) -> np.ndarray:
    """Root mean square relative error by step, never falling."""
    longest = int(past["lag"].max()) if len(past) else 0
    out = np.zeros(steps)
    for step in range(1, steps + 1):
        near = past[past["lag"].between(min(step, longest) - 2, min(step, longest) + 2)]
        value = float(np.sqrt((near["relative"] ** 2).mean())) if len(near) else 0.0
        out[step - 1] = max(value, out[:step].max(initial=0.0)) if step <= longest else out[max(longest, 1) - 1] * np.sqrt(step / max(longest, 1))
    return out
