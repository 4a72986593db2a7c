"""What the series have in common: a learner over all items that corrects the combination of the models.

A model knows one series. The learner has seen how the models erred on all of them: how much of a trend lasts, when the disagreement
of models is a warning, how demand of dying parts goes on. From the backtest's origins it learns the error of the median
of the models, and takes it off the next forecast. At each origin it learns only from what was known by then.

Regular series    target  (ln demand − ln median) / usual monthly change, of the adjusted series' logarithms
Series with zeros target  demand / mean demand: logarithms would learn the median, and the median of rare demand is zero

Boosted trees and a ridge regression, averaged: trees find what only holds for some series, the line what holds for all and
goes on where trees stop. Few cases are left to the line alone.

Sources: Montero-Manso & Hyndman (2021), Principles and algorithms for forecasting groups of time series, IJF 37(4): one model over all series;
Montero-Manso et al. (2020), FFORMA, IJF 36(1): learning how to combine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sopnb import intermittent, smoothing, work
from sopnb.combinations import Case, known, weighted
from sopnb.panel import mean_of, slope

FLOOR = 0.02  # of mean demand: logarithms go no deeper
LOOK_BACK = 36  # months in which a regular series is never near zero
LEAST_CASES = 1000  # month × series from which there is something to learn
MOST_CASES = {1: 35_000, 2: 130_000}  # by how often the trees are grown: more teach little and cost time
TREES_SHARE = 0.62  # the trees' say beside the line's
CROWD = 2000  # series × origins from which trees are grown: with fewer they find what is not there, and cost time
LEAST_MONTHS = {"regular": 24, "rare": 6}
STEADY = {False: 2000.0, True: 800.0}  # by whether there is a crowd: series × origins at which half of what was learned is applied
CLIP = 3.0  # usual changes: one broken series must not teach all
RARE_CLIP = 12.0  # mean demands; lower would teach too little demand
AVERAGES = {"SES": smoothing.ses, "SBA": intermittent.sba, "TSB": intermittent.tsb, "ADIDA": intermittent.adida, "IMAPA": intermittent.imapa}
RARE_MEMORY = 12  # months: what dies now says more than what died years ago


@dataclass(frozen=True)
class Lessons:
    """The rows of a table to learn from, or to answer."""

    x: np.ndarray  # rows × features
    target: np.ndarray  # rows
    kind: str
    seen: int  # series × origins behind the rows


def is_regular(case: Case) -> np.ndarray:
    """Whether each series is never near zero, so that logarithms tell of it."""
    y = case.panel.y
    floor = FLOOR * mean_of(y[:, -24:])
    lately = y[:, -LOOK_BACK:]
    return (np.where(np.isnan(lately), np.inf, lately) > floor).all(axis=1) & (floor[:, 0] > 0)


def learned(cases: Sequence[Case], past: Sequence[Case], series: int, *, seeds: int = 1, workers: int = 1) -> list[np.ndarray]:
    """Forecasts of one origin after what earlier cases taught.

    cases    the fields of one origin
    past     cases of other origins, of all fields; what was not known at this origin is not looked at. Regular series learn
             from series with the same models
    series   how many there are in all fields together
    seeds    how often the trees are grown; their mean is taken
    workers  processes that grow the trees
    returns  for each case series × steps, units; NaN for series of which there is nothing to learn

        forecast = weighted mean + seen / (seen + STEADY) · (what was learned − weighted mean)      seen: series × origins
    """
    out = [np.full(case.median.shape, np.nan) for case in cases]
    plain = [weighted(case, past, series) for case in cases]
    for kind in LEAST_MONTHS:
        for together in _alike(cases, kind):
            asking = {k: some for k in together if len(some := np.flatnonzero(_of_kind(cases[k], kind)))}
            if not asking:
                continue
            teachers = [before for before in past if kind == "rare" or set(before.parts) == set(cases[together[0]].parts)]
            lessons = _lessons(teachers, kind, cases[0].back, MOST_CASES[seeds], workers)
            if lessons is None:
                continue
            trust = lessons.seen / (lessons.seen + STEADY[lessons.seen >= CROWD])
            answers = _answers(lessons, [_described(cases[k], kind) for k in asking], seeds, workers)
            for (k, mine), answer in zip(asking.items(), answers, strict=True):
                out[k][mine] = plain[k][mine] + trust * (np.where(np.isfinite(answer), answer, plain[k][mine]) - plain[k][mine])
    return out


def _alike(cases: Sequence[Case], kind: str) -> list[list[int]]:
    """Which cases learn together: all of them about rare demand, those with the same models about regular demand."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, case in enumerate(cases):
        groups.setdefault(() if kind == "rare" else tuple(sorted(case.parts)), []).append(k)
    return [groups[key] for key in sorted(groups)]


# --- the tables -----------------------------------------------------------------------------------------------------


def _lessons(past: Sequence[Case], kind: str, at: int, most: int, workers: int) -> Lessons | None:
    """All that earlier cases teach about a kind of series when `at` months were unknown; None if too little."""
    xs, targets, seen_cases = [], [], 0
    farthest = RARE_MEMORY if kind == "rare" else np.inf
    teaching = [before for before in past if 0 < before.back - at <= farthest and _of_kind(before, kind).any()]
    work.threaded(_describe, [(before, kind) for before in teaching], workers)
    for before in teaching:
        x, centre, unit = _described(before, kind)
        target = _target(known(before, at)[_of_kind(before, kind)], centre, unit, kind)
        seen = np.isfinite(target)
        seen_cases += int(seen.any(axis=1).sum())
        xs.append(x[seen])
        targets.append(target[seen])
    if sum(map(len, targets)) < LEAST_CASES:
        return None
    x, target = np.concatenate(xs), np.concatenate(targets)
    if len(x) > most:
        kept = np.sort(np.random.default_rng(0).permutation(len(x))[:most])
        x, target = x[kept], target[kept]
    return Lessons(x, target, kind, seen_cases)


def _target(demand: np.ndarray, centre: np.ndarray, unit: np.ndarray, kind: str) -> np.ndarray:
    if kind == "rare":
        return np.minimum(demand / unit, RARE_CLIP)
    floor = FLOOR * np.exp(unit[1])
    return np.clip((np.log(np.maximum(demand, floor)) - np.log(np.maximum(centre, floor))) / unit[0], -CLIP, CLIP)


def _of_kind(case: Case, kind: str) -> np.ndarray:
    """Which series of a case can teach or be taught as a kind."""
    return np.asarray((is_regular(case) == (kind == "regular")) & (case.panel.months >= LEAST_MONTHS[kind]))


def _describe(case: Case, kind: str) -> None:
    with case.lock:  # several origins may learn from it at once
        if kind in case.notes:
            return
        some = np.flatnonzero(_of_kind(case, kind))
        own = case if len(some) == len(case.rows) else case.of(some)
        case.notes[kind] = _regular(own) if kind == "regular" else _rare(own)


def _described(case: Case, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (series × steps × features), the forecast they correct, and the unit of the correction; of the case's series of a kind.

    A case teaches at every later origin: it is described once.
    """
    _describe(case, kind)
    return case.notes[kind]


def _answers(
    lessons: Lessons, described: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], seeds: int, workers: int
) -> list[np.ndarray]:
    """What was learned, said of the series described: series × steps, units."""
    rows = np.concatenate([x.reshape(-1, x.shape[2]) for x, _, _ in described])
    say = _fitted(lessons, rows, seeds, workers)
    out, at = [], 0
    for _, centre, unit in described:
        own = say[at : at + centre.size].reshape(centre.shape)
        at += centre.size
        out.append(np.maximum(own, 0.0) * unit if lessons.kind == "rare" else centre * np.exp(own * unit[0]))
    return out


# --- what a series looks like ---------------------------------------------------------------------------------------


def _regular(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of regular series, in logarithms over the usual monthly change of the series.

    Where the last months stand against the smoothed level, trends over 6, 24 and all months, season and noise; and for each step
    what the same month was one and two years ago, and where each model stands against the median of all.
    """
    panel, centre = case.panel, case.median
    n, t = panel.y.shape
    size = np.maximum(mean_of(panel.y[:, -24:]), np.finfo(float).tiny)
    floor = FLOOR * size

    def log(x: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(x, floor))

    adjusted = np.where(np.isnan(panel.y), np.nan, log(panel.adjusted))
    level = log(smoothing.ses(panel)[:, :1] / panel.index[:, panel.ahead[:1]])
    change = np.diff(adjusted[:, -LOOK_BACK - 1 :], axis=1)
    noise = np.sqrt(np.maximum(mean_of(change**2) - mean_of(change) ** 2, 0.0)) + 0.01

    def stand(x: np.ndarray) -> np.ndarray:
        return (x - level) / noise

    def lately(first: int, last: int = 0) -> np.ndarray:
        span = adjusted[:, max(t - first, 0) : max(t - last, 0)]
        return np.where((panel.months > last)[:, None], stand(mean_of(span)), np.nan)

    def trend(months: int) -> np.ndarray:
        return slope(adjusted[:, -months:])[:, None] * 12 / noise

    index = panel.index
    own = [*(stand(adjusted[:, [t - k]]) for k in range(1, 5)), lately(3), lately(6), lately(12), lately(24, 12), lately(36, 24),
           trend(24), trend(6), trend(t), panel.seasonal_itself[:, None].astype(float),
           np.log(index.max(axis=1) / index.min(axis=1))[:, None], np.log(noise), np.log(panel.months)[:, None]]  # fmt: skip
    ahead = np.arange(panel.steps)
    factor = np.log(index[:, panel.ahead])

    def years_ago(months: int) -> np.ndarray:
        at = t + ahead - months
        inside = (at >= 0) & (at < t)
        out = np.full((n, panel.steps), np.nan)
        out[:, inside] = adjusted[:, at[inside]]
        return stand(out)

    others = [(log(part) - log(centre)) / noise for part in (smoothing.seasonal_naive(panel), smoothing.ses(panel), *case.stack)]
    disagreement = np.log(np.std(log(case.stack), axis=0) / noise + 0.01)
    steps = [np.broadcast_to(ahead + 1.0, (n, panel.steps)), years_ago(12), years_ago(24), *others, stand(log(centre) - factor), factor, disagreement]
    x = np.concatenate([np.repeat(np.concatenate(own, axis=1)[:, None, :], panel.steps, axis=1), np.stack(steps, axis=2)], axis=2)
    unit = np.stack([np.broadcast_to(noise, centre.shape), np.broadcast_to(np.log(size), centre.shape)])
    return x, centre, unit


def _rare(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of series with empty months, in mean demands of the series: models and averages, the last months, how rare and how uneven."""
    panel = case.panel
    n, t = panel.y.shape
    y = np.nan_to_num(panel.y)
    mean = mean_of(panel.y)
    unit = np.where(mean > 0, mean, 1.0)
    sold = y > 0
    times = sold.sum(axis=1, keepdims=True)
    size = y.sum(axis=1, keepdims=True) / np.maximum(times, 1)
    spread = np.sqrt(np.where(sold, (y - size) ** 2, 0.0).sum(axis=1, keepdims=True) / np.maximum(times, 1)) / np.where(size > 0, size, 1.0)
    since = np.where(sold.any(axis=1), np.argmax(sold[:, ::-1], axis=1), t)[:, None]
    flat = [(case.parts[name] if name in case.parts else model(panel))[:, :1] for name, model in AVERAGES.items()]
    flat += [mean_of(y[:, -3:]), mean_of(y[:, -6:]), mean_of(y[:, -12:]), mean_of(panel.y[:, -24:]), y[:, -1:], y[:, -2:-1], y[:, -3:-2]]
    own = [*(np.nan_to_num(v) / unit for v in flat), sold[:, -6:].mean(axis=1, keepdims=True), sold[:, -12:].mean(axis=1, keepdims=True),
           since, panel.months[:, None], times / np.maximum(panel.months[:, None], 1), spread, np.log(unit)]  # fmt: skip
    steps = [np.broadcast_to(np.arange(panel.steps) + 1.0, (n, panel.steps)), smoothing.seasonal_naive(panel) / unit, case.median / unit]
    x = np.concatenate([np.repeat(np.concatenate(own, axis=1)[:, None, :], panel.steps, axis=1), np.stack(steps, axis=2)], axis=2)
    return x, case.median, np.broadcast_to(unit, case.median.shape)


# --- the learners ---------------------------------------------------------------------------------------------------


def _fitted(lessons: Lessons, rows: np.ndarray, seeds: int, workers: int) -> np.ndarray:
    """What trees and line say of the rows: the line alone where there are few cases, the trees alone of rare demand where there are many."""
    crowd = lessons.seen >= CROWD
    tasks: list[tuple[str, Lessons, np.ndarray, int]] = [("trees", lessons, rows, seed) for seed in range(seeds)] if crowd else []
    tasks += [] if crowd and lessons.kind == "rare" else [("line", lessons, rows, 0)]
    say = work.threaded(_say, tasks, workers)
    if not crowd:
        return np.asarray(say[0])
    trees = sum(say[:seeds]) / seeds
    return np.asarray(trees if lessons.kind == "rare" else TREES_SHARE * trees + (1 - TREES_SHARE) * say[seeds])


def libraries() -> None:
    """Load what the learner needs: it takes a while, and can be had while other processes work."""
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401


def _say(who: str, lessons: Lessons, rows: np.ndarray, seed: int) -> np.ndarray:
    return line(lessons.x, lessons.target, rows) if who == "line" else _trees(lessons, rows, seed)


def _trees(lessons: Lessons, rows: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    rare = lessons.kind == "rare"
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05 if rare else 0.06, max_iter=80 if rare else 70, max_leaf_nodes=15 if rare else 31, min_samples_leaf=200 if rare else 100,
        l2_regularization=5.0, max_features=0.5, early_stopping=False, random_state=seed)  # fmt: skip
    with threadpool_limits(1):  # the order of adding, and so the last bits, would hang on the number of threads
        told = np.isfinite(lessons.x).any(axis=0)  # a young company has no month three years ago
        return np.asarray(trees.fit(lessons.x[:, told], lessons.target).predict(rows[:, told]))


def line(x: np.ndarray, target: np.ndarray, rows: np.ndarray, *, alpha: float = 100.0) -> np.ndarray:
    """What a ridge regression of the target on standard scores says of other rows; missing features count as their mean.

    x        cases × features          target  cases
    rows     cases to answer × features
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # as above
        ridge = Ridge(alpha=alpha, solver="cholesky")
        whole = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), FunctionTransformer(_within), ridge)
        return np.asarray(whole.fit(x, target).predict(rows))


def _within(x: np.ndarray) -> np.ndarray:
    """Standard scores, at most four: beyond, the line is not known to be one."""
    return np.clip(x, -4.0, 4.0)
