"""The backtest: forecasts of months that are already known, from several origins, with every model of a series' field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from sopnb import combinations, cube, frames, learner, models, trials, work
from sopnb.combinations import Case
from sopnb.cube import Cube
from sopnb.trials import Wanted

KEY = ["item", "location"]
YOUNG = ("short", "new", "ending")  # tested from every month
FAR = (0, 12, 30, 42)  # months before the first far origin at which there is another one
LEAST_FAR = 36  # months a series must have had at a far origin: with fewer its season does not show yet, and its errors are not today's
NONE = np.array([], dtype=int)
Said = tuple[str, int, np.ndarray, np.ndarray]  # model, origin (position in time), series, what it said of them: series × steps


def backtest(
    history: pd.DataFrame,
    *,
    segments: pd.DataFrame,
    horizon: int,
    origins: int = 4,
    far: bool = False,
    season: int = 12,
    lags: Sequence[int] = (1, 2, 3),
    models: Sequence[str] | None = None,
    items: pd.DataFrame | None = None,
    calendar_factors: pd.DataFrame | None = None,
    cap_multiple: float = 3.0,
    workers: int = 1,
) -> pd.DataFrame:
    """Forecast months that are already known, from several origins, with every model of a series' field.

    history   item × location × month  demand (units)
    segments  item × location          pattern: it names the field
    items     item                     family: short series borrow its season
    horizon   longest lag tested (months)
    origins   how many; they lie max(lags) months apart, the latest max(lags) before the end, so that every decision lag
              is judged at each and, with the defaults, in each of the last twelve months
    far       also from up to four origins at which the whole horizon is known (`FAR`), where series had at least LEAST_FAR months:
              for bands many months ahead, and for the learner to see how models err there
    models    names in place of the fields (`models.MODELS`, `models.BORROWED`, `models.JOINT`, `A+B` is the mean); Naive and
              SeasonalNaive are always added
    workers   processes; the values do not depend on it
    returns   frames.TESTED; `.attrs["fallbacks"]` counts series × models that gave no number and were answered by Average12

    A series is tested from the origins at which it had at least one month of demand. Short, new and ending ones are tested
    from every month between the first origin and the last: at three months' distance they have one origin or two, all of
    them the same, and the fashion of that month chose for all. (M3 cut to 15 months: WAPE at lags 1 to 3 of 11.8 %, not
    12.3 %; AdventureWorks: the plan of the same six months moves by 11 % a month, not by 16 %.)
    `Weighted` and `Learned` know at each origin only how the models had erred by then.
    Months after an item's end_date are not judged (demand is missing there): the plan holds nothing of them, and the errors of what
    is over would make the bands of what is not.
    raises    ValueError for a model that does not exist
    """
    whole = cube.build(history, items=items, calendar_factors=calendar_factors, season=season)
    fields = _fields(whole.keys, segments, models)
    asks = list(_asks(whole, fields, segments, horizon, origins, max(lags), far))
    found, fallen = trials.singles(whole, asks, cap_multiple, workers, meanwhile=learner.libraries)
    by_field = _cases(whole, fields, asks, found)
    out = _in_order(whole, [*_single(whole, asks, found), *_joint(whole, by_field, cap_multiple, workers)])
    out.attrs["fallbacks"] = fallen
    return out


def _asks(
    whole: Cube, fields: Mapping[tuple[str, ...], np.ndarray], segments: pd.DataFrame, horizon: int, origins: int, spread: int, far: bool
) -> Iterable[tuple[int, int, Wanted]]:
    """Origin, steps, model → series, from the earliest origin to the latest."""
    last = len(whole.months) - 1
    young = _pattern_of(whole.keys, segments).isin(YOUNG).to_numpy()
    first_far = horizon if horizon > origins * spread else origins * spread + 6
    distant = [first_far + more for more in FAR] if far else []
    for back in sorted({*range(spread, origins * spread + 1), *distant}, reverse=True):
        origin = last - back
        if origin < 0:
            continue
        known = (~np.isnan(whole.demand[:, : origin + 1])).sum(axis=1)
        alive = known > 0
        if back in distant and back > origins * spread:
            alive = (known >= LEAST_FAR) & ~young
        elif back % spread:
            alive &= young
        wanted: dict[str, np.ndarray] = {}
        for names, rows in fields.items():
            for name in names:
                if len(some := rows[alive[rows]]):
                    wanted[name] = np.concatenate([wanted[name], some]) if name in wanted else some
        if wanted:
            yield origin, min(horizon, back), {name: np.sort(rows) for name, rows in wanted.items()}


def _fields(keys: pd.DataFrame, segments: pd.DataFrame, names: Sequence[str] | None) -> dict[tuple[str, ...], np.ndarray]:
    """Field, a tuple of names of models → the positions of the series that try it."""
    for name in names or ():
        if not models.known(name):
            raise ValueError(f"no model is called {name}. There are {', '.join([*models.MODELS, *models.JOINT, *models.BORROWED])}, and means of them as A+B.")
    out: dict[tuple[str, ...], list[int]] = {}
    for i, kind in enumerate(_pattern_of(keys, segments)):
        field = models.FIELDS[kind] if not names else models.field(names)
        out.setdefault(field, []).append(i)
    return {field: np.array(rows, dtype=int) for field, rows in sorted(out.items())}


def _single(whole: Cube, asks: Sequence[tuple[int, int, Wanted]], found: Sequence[Mapping[str, np.ndarray]]) -> Iterable[Said]:
    """What single models, and means of them, said."""
    for (origin, _, wanted), parts in zip(asks, found, strict=True):
        for name, rows in wanted.items():
            if name not in models.JOINT:
                yield name, origin, rows, trials.with_calendar(whole, origin, name, rows, trials.named(name, parts, rows))


def _joint(whole: Cube, by_field: Mapping[tuple[str, ...], Sequence[Case]], cap_multiple: float, workers: int) -> Iterable[Said]:
    """What joins the members of a field, at each origin from the cases of earlier ones."""
    said: list[tuple[str, Case, np.ndarray]] = []
    for field, cases in by_field.items():
        for case in cases:
            past = [before for before in cases if before.back > case.back]
            said += [(name, case, trials.joined(name, case, past, len(whole.keys))) for name in models.JOINT[:-1] if name in field]
    for name, case, values in [*said, *_learned(whole, by_field, workers)]:
        known = np.isfinite(values).all(axis=1)
        rows, origin = case.rows[known], len(whole.months) - 1 - case.back
        bounded = trials.bounded(whole, origin, rows, values[known], cap_multiple)
        yield name, origin, rows, trials.with_calendar(whole, origin, name, rows, bounded)


def _learned(whole: Cube, by_field: Mapping[tuple[str, ...], Sequence[Case]], workers: int) -> Iterable[tuple[str, Case, np.ndarray]]:
    """The learner's answers at the origins that all but young series share; NaN for series of which nothing is ever learned."""
    everything = [case for cases in by_field.values() for case in cases]
    learning = {back: [case for field, cases in by_field.items() for case in cases if case.back == back and "Learned" in field]
                for back in sorted({case.back for case in _shared(everything)})}
    tasks = [(cases, [before for before in everything if before.back > back], len(whole.keys)) for back, cases in learning.items() if cases]
    answered = work.threaded(learner.learned, tasks, workers)
    ever = np.zeros(len(whole.keys), dtype=bool)
    for (cases, _, _), answers in zip(tasks, answered, strict=True):
        for case, answer in zip(cases, answers, strict=True):
            ever[case.rows] |= np.isfinite(answer).all(axis=1)
    for (cases, past, _), answers in zip(tasks, answered, strict=True):
        for case, answer in zip(cases, answers, strict=True):  # where there was too little to learn yet, it is the weighted mean
            early = np.where(ever[case.rows, None], combinations.weighted(case, past, len(whole.keys)), np.nan)
            yield "Learned", case, np.where(np.isfinite(answer), answer, early)


def _shared(cases: Sequence[Case]) -> list[Case]:
    """Cases of origins that test at least half as many series as the one that tests most. Between them only young series are tested."""
    series: dict[int, int] = {}
    for case in cases:
        series[case.back] = series.get(case.back, 0) + len(case.rows)
    return [case for case in cases if series[case.back] >= max(series.values()) / 2]


def _cases(
    whole: Cube, fields: Mapping[tuple[str, ...], np.ndarray], asks: Sequence[tuple[int, int, Wanted]], found: Sequence[Mapping[str, np.ndarray]]
) -> dict[tuple[str, ...], list[Case]]:
    """The origins of each field that has joint models."""
    out: dict[tuple[str, ...], list[Case]] = {}
    for field, positions in fields.items():
        if not set(field) & set(models.JOINT):
            continue
        members = models.members(field)
        for (origin, steps, wanted), parts in zip(asks, found, strict=True):
            rows = np.intersect1d(positions, wanted.get(members[0], NONE)) if members else NONE
            if len(rows):
                out.setdefault(field, []).append(trials.case(whole, origin, steps, {name: parts[name] for name in members}, rows))
    return out


def _pattern_of(keys: pd.DataFrame, segments: pd.DataFrame) -> pd.Series:
    return keys.merge(segments[[*KEY, "pattern"]], on=KEY, how="left")["pattern"].fillna("short")


def _in_order(whole: Cube, said: Sequence[Said]) -> pd.DataFrame:
    """frames.TESTED of all that was said, sorted by its key."""
    said = [piece for piece in said if len(piece[2])]
    if not said:
        return frames.empty(frames.TESTED)
    names = sorted({name for name, *_ in said})

    def column(of: Callable[[str, int, np.ndarray, int], np.ndarray]) -> np.ndarray:
        return np.concatenate([of(name, origin, rows, values.shape[1]) for name, origin, rows, values in said])

    at = column(lambda _, origin, rows, steps: np.repeat(rows, steps))
    start = column(lambda _, origin, rows, steps: np.full(len(rows) * steps, origin))
    lag = column(lambda _, origin, rows, steps: np.tile(np.arange(1, steps + 1), len(rows)))
    model = column(lambda name, origin, rows, steps: np.full(len(rows) * steps, names.index(name)))
    key = ((at * len(whole.months) + start) * (int(lag.max()) + 1) + lag) * len(names) + model  # one number a row
    order = np.argsort(key, kind="stable")
    at, start, lag, model = at[order], start[order], lag[order], model[order]
    months = whole.months.to_numpy().astype("datetime64[ns]")
    columns = {
        "item": whole.keys["item"].to_numpy()[at], "location": whole.keys["location"].to_numpy()[at], "origin": months[start],
        "month": months[start + lag], "lag": lag, "model": np.array(names, dtype=object)[model],
        "forecast": np.concatenate([values.ravel() for *_, values in said])[order], "demand": whole.judged[at, start + lag],
    }  # fmt: skip
    return pd.DataFrame({name: columns[name] for name in frames.TESTED.names}, copy=False)  # copied, a million rows cost a second
