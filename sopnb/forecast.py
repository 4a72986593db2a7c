"""The statistical baseline: test models on the past, choose by evidence, forecast, and say how wrong it may be.

    tested   = backtest(history, segments=segments, items=items, horizon=18, origins=4, lags=[1, 2, 3])
    scores   = choose(tested, lags=[1, 2, 3], segments=segments)
    forecast = baseline(history, scores, tested, months=months, items=items)

Error = forecast − demand. Origin is the last month a forecast has seen; lag 1 is the month after it.
Models are in `models`, what joins them in `combinations` and `learner`, the choice in `choice`, bands in `bands`, history as arrays in
`cube`, the work on several processors in `work`, new items in `launches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from sopnb import accuracy, bands, calendar, combinations, cube, frames, launches, learner, models, work
from sopnb.bands import coverage as coverage  # one door to the rooms
from sopnb.bands import family_bands as family_bands
from sopnb.choice import choose as choose
from sopnb.choice import league as league
from sopnb.combinations import Case
from sopnb.cube import Cube
from sopnb.panel import Panel

KEY = ["item", "location"]
MASTER = ["item", "family", "launch_date", "end_date", "successor", "like_item"]  # what the forecast reads of the item master
YOUNG = ("short", "new", "ending")  # tested from every month
FAR = (0, 12, 30, 42)  # months before the first far origin at which there is another one
LEAST_FAR = 36  # months a series must have had at a far origin: with fewer its season does not show yet, and its errors are not today's
NONE = np.array([], dtype=int)
SEEDS = 2  # how often the learner's trees are grown for the plan; once is enough for a test


# --- forecasting one origin -----------------------------------------------------------------------------------------

Wanted = Mapping[str, np.ndarray]  # model → positions of the series that want it


def _singles(whole: Cube, asks: Sequence[tuple[int, int, Wanted]], cap_multiple: float, workers: int) -> tuple[list[dict[str, np.ndarray]], int]:
    """Bounded forecasts of single models, and how many fell back.

    asks     origin (position in time), steps, model → positions of the series that want it
    returns  for each ask: model → series of the cube × steps (units, without the calendar's effect), NaN where not asked

    Bounds: not negative, finite, at most cap_multiple × the highest month known at the origin. Where a model gives no
    number, Average12 answers, and is counted. Naive and SeasonalNaive stay plain: the calendar's factors do not touch them,
    or what the calendar adds would be credited to them.
    """
    tasks, places = [], []
    for number, (origin, steps, wanted) in enumerate(asks):
        y, past = whole.until(origin), whole.demand[:, : origin + 1]
        profile = cube.profiles(whole, y)
        for names, rows in _alike(wanted):
            plain = [name for name in names if name in models.PLAIN]
            for some, known in ((plain, past), ([n for n in names if n not in plain], y)):
                for piece in work.chunks(rows) if some else ():
                    tasks.append((some, known[piece], profile[piece], steps, whole.season, cap_multiple))
                    places.append((number, piece))
    found: list[dict[str, np.ndarray]] = [{} for _ in asks]
    fallen = 0
    for (number, piece), (values, bad) in zip(places, work.shared(work.forecasts, tasks, workers, size=whole.demand.size * len(asks)), strict=True):
        fallen += bad
        for name, value in values.items():
            into = found[number].setdefault(name, np.full((len(whole.keys), asks[number][1]), np.nan))
            into[piece] = value
    return found, fallen


def _alike(wanted: Wanted) -> list[tuple[list[str], np.ndarray]]:
    """Series that want the same single models together: models, positions."""
    by_series: dict[int, set[str]] = {}
    for name, rows in sorted(wanted.items()):
        for part in models.singles([name]):
            for row in rows.tolist():
                by_series.setdefault(row, set()).add(part)
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in sorted(by_series):
        groups.setdefault(tuple(sorted(by_series[row])), []).append(row)
    return [(list(names), np.array(rows, dtype=int)) for names, rows in sorted(groups.items())]


def _case(whole: Cube, origin: int, steps: int, parts: Mapping[str, np.ndarray], rows: np.ndarray) -> Case:
    """One origin of some series, whose members have forecast."""
    y = whole.until(origin)
    ahead = whole.until(len(whole.months) - 1)[:, origin + 1 : origin + 1 + steps]
    truth = np.full((len(rows), steps), np.nan)
    truth[:, : ahead.shape[1]] = ahead[rows]
    panel = Panel(y[rows], steps, whole.season, cube.profiles(whole, y)[rows])
    return Case(rows, panel, {name: part[rows] for name, part in parts.items()}, truth, len(whole.months) - 1 - origin)


def _plainly(name: str, case: Case, past: Sequence[Case], series: int) -> np.ndarray:
    """A joint model that learns nothing from other series' errors."""
    if name == "Weighted":
        return combinations.weighted(case, past, series)
    return case.mean if name == "Mean" else case.median


def _named(name: str, parts: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """A single model, or the mean of those joined by a plus."""
    pieces = [parts[part][rows] for part in models.parts(name)]
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    return total / len(pieces)


def _bounded(whole: Cube, origin: int, rows: np.ndarray, values: np.ndarray, cap_multiple: float) -> np.ndarray:
    cap = cap_multiple * np.nan_to_num(whole.until(origin)[rows]).max(axis=1, initial=0.0)
    return np.clip(values, 0.0, cap[:, None])


def _with_calendar(whole: Cube, origin: int, name: str, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values if name in models.PLAIN else values * whole.factors[rows, origin + 1 : origin + 1 + values.shape[1]]


# --- backtest -------------------------------------------------------------------------------------------------------


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
    found, fallen = _singles(whole, asks, cap_multiple, workers)
    out = _in_order([
        *_tested_singles(whole, asks, found), *_tested_joint(whole, fields, asks, found, cap_multiple, workers)
    ])  # fmt: skip
    out["demand"] = out["demand"].where(~_over(out, items))
    out.attrs["fallbacks"] = fallen
    return out


def _over(tested: pd.DataFrame, items: pd.DataFrame | None) -> pd.Series:
    """Whether the item had ended before the month."""
    if items is None or "end_date" not in items.columns:
        return pd.Series(False, tested.index)
    return tested["month"] > tested["item"].map(launches.month_of(items, "end_date").set_axis(items["item"]))


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


def _tested_singles(whole: Cube, asks: Sequence[tuple[int, int, Wanted]], found: Sequence[Mapping[str, np.ndarray]]) -> Iterable[pd.DataFrame]:
    for (origin, _, wanted), parts in zip(asks, found, strict=True):
        for name, rows in wanted.items():
            if name not in models.JOINT:
                yield _tested(whole, origin, name, rows, _with_calendar(whole, origin, name, rows, _named(name, parts, rows)))


def _tested_joint(
    whole: Cube, fields: Mapping[tuple[str, ...], np.ndarray], asks: Sequence[tuple[int, int, Wanted]], found: Sequence[Mapping[str, np.ndarray]],
    cap_multiple: float, workers: int,
) -> Iterable[pd.DataFrame]:
    """What joins the members of a field, at each origin from the cases of earlier ones."""
    by_field = _cases(whole, fields, asks, found)
    everything = [case for cases in by_field.values() for case in cases]
    said: list[tuple[str, Case, np.ndarray]] = []
    for field, cases in by_field.items():
        for case in cases:
            past = [before for before in cases if before.back > case.back]
            said += [(name, case, _plainly(name, case, past, len(whole.keys))) for name in models.JOINT[:-1] if name in field]
    learning = {back: [case for field, cases in by_field.items() for case in cases if case.back == back and "Learned" in field]
                for back in sorted({case.back for case in _shared(everything)})}
    tasks = [(cases, [before for before in everything if before.back > back], len(whole.keys)) for back, cases in learning.items() if cases]
    answered = work.shared(learner.learned, tasks, workers, size=whole.demand.size)
    ever = np.zeros(len(whole.keys), dtype=bool)
    for (cases, _, _), answers in zip(tasks, answered, strict=True):
        for case, answer in zip(cases, answers, strict=True):
            ever[case.rows] |= np.isfinite(answer).all(axis=1)
    for (cases, past, _), answers in zip(tasks, answered, strict=True):
        for case, answer in zip(cases, answers, strict=True):  # where there was too little to learn yet, it is the weighted mean
            early = np.where(ever[case.rows, None], combinations.weighted(case, past, len(whole.keys)), np.nan)
            said.append(("Learned", case, np.where(np.isfinite(answer), answer, early)))
    for name, case, values in said:
        known = np.isfinite(values).all(axis=1)
        rows, origin = case.rows[known], len(whole.months) - 1 - case.back
        yield _tested(whole, origin, name, rows, _with_calendar(whole, origin, name, rows, _bounded(whole, origin, rows, values[known], cap_multiple)))


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
                out.setdefault(field, []).append(_case(whole, origin, steps, {name: parts[name] for name in members}, rows))
    return out


def _pattern_of(keys: pd.DataFrame, segments: pd.DataFrame) -> pd.Series:
    return keys.merge(segments[[*KEY, "pattern"]], on=KEY, how="left")["pattern"].fillna("short")


def _tested(whole: Cube, origin: int, name: str, rows: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    steps = values.shape[1]
    return pd.DataFrame({
        "at": np.repeat(rows, steps), "item": np.repeat(whole.keys["item"].to_numpy()[rows], steps),
        "location": np.repeat(whole.keys["location"].to_numpy()[rows], steps), "origin": whole.months[origin],
        "month": np.tile(whole.months[origin + 1 : origin + 1 + steps].to_numpy(), len(rows)),
        "lag": np.tile(np.arange(1, steps + 1, dtype="int64"), len(rows)), "model": name,
        "forecast": values.ravel(), "demand": whole.demand[rows, origin + 1 : origin + 1 + steps].ravel(),
    })  # fmt: skip


def _in_order(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    if not pieces:
        return frames.empty(frames.TESTED)
    out = pd.concat(pieces, ignore_index=True)
    _, model = np.unique(np.array([piece["model"].iat[0] for piece in pieces if len(piece)]), return_inverse=True)
    model = np.repeat(model, [len(piece) for piece in pieces if len(piece)])
    out = out.take(np.lexsort((model, out["month"].to_numpy(), out["origin"].to_numpy(), out["at"].to_numpy()))).reset_index(drop=True)
    return out.astype({"origin": "datetime64[ns]", "month": "datetime64[ns]"})[frames.TESTED.names]


# --- holidays that move ---------------------------------------------------------------------------------------------


def calendar_effects(
    history: pd.DataFrame,
    *,
    items: pd.DataFrame,
    shares: pd.DataFrame,
    lags: Sequence[int] = (1, 2, 3),
    origins: int = 8,
    season: int = 12,
    model: str = "Theta+HoltWinters",
) -> pd.DataFrame:
    """The effect of a moving holiday by family, and whether it makes the family's forecast better.

    history  item × location × month  demand (units)
    items    item                     family
    shares   window × month           share of the holiday's windows (`calendar.holiday_shares`), months ahead included
    returns  family × window  effect (fraction), se, t, n, wape_without, wape_with (fractions), used (flag)

    Family totals are forecast from `origins` origins, max(lags) months apart, with and without the effect; each time it
    is estimated from the months up to the origin only. `used` where the error is less with it, and |t| ≥ 2 for a window.
    `calendar.holiday_factors(effects, shares)` gives the factors for `backtest` and `baseline`.
    """
    if history.empty or shares.empty:
        return pd.DataFrame(columns=["family", "window", "effect", "se", "t", "n", "wape_without", "wape_with", "used"])
    families = dict(zip(items["item"], items["family"], strict=True))
    totals = history.assign(item=history["item"].map(families).fillna("unknown"), location="all")
    totals = totals.groupby([*KEY, "month"], sort=True)["demand"].sum().reset_index()
    effects = calendar.moving_holiday_effect(totals.rename(columns={"item": "family"}), shares, season=season)
    first, last, spread = totals["month"].min(), totals["month"].max(), max(lags)
    ends = [frames.next_month(last, -number * spread) for number in range(origins, 0, -1)]
    ends = [origin for origin in ends if frames.months_between(first, origin) >= season]
    smooth = totals[KEY].drop_duplicates().assign(pattern="smooth")
    test = partial(backtest, segments=smooth, horizon=spread, lags=lags, season=season, models=[model])
    pieces = [test(totals, origins=len(ends)).assign(way="without")] if ends else []
    for origin in ends:
        known = totals[totals["month"] <= frames.next_month(origin, spread)]
        seen = known[known["month"] <= origin].rename(columns={"item": "family"})
        then = calendar.holiday_factors(calendar.moving_holiday_effect(seen, shares, season=season), shares)
        pieces.append(test(known, origins=1, calendar_factors=then.rename(columns={"family": "item"})).assign(way="with"))
    if not pieces:  # too short a history to judge
        return effects.assign(wape_without=np.nan, wape_with=np.nan, used=False)
    both = pd.concat(pieces, ignore_index=True)
    wapes = accuracy.score(both[both["model"] == model], by=["item", "way"]).pivot(index="item", columns="way", values="wape")
    found = effects.assign(wape_without=effects["family"].map(wapes["without"]), wape_with=effects["family"].map(wapes["with"]))
    sure = found["t"].abs().ge(2.0).groupby(found["family"]).transform("any")
    return found.assign(used=(found["wape_with"] < found["wape_without"]) & sure)


# --- the baseline ---------------------------------------------------------------------------------------------------


def baseline(
    history: pd.DataFrame,
    scores: pd.DataFrame,
    tested: pd.DataFrame,
    *,
    months: Iterable[object],
    season: int = 12,
    cap_multiple: float = 3.0,
    items: pd.DataFrame | None = None,
    calendar_factors: pd.DataFrame | None = None,
    new_months: int = 6,
    launch_curves: pd.DataFrame | None = None,
    workers: int = 1,
) -> pd.DataFrame:
    """The baseline of each series for the months planned, with bands.

    history   item × location × month          demand (units)
    scores    item × location × model          chosen
    tested    frames.TESTED: the errors behind the bands
    months    the months planned, after the last of history
    items     item                             family, launch_date, end_date, successor, like_item; None: none of these
    returns   frames.FORECAST; `.attrs["fallbacks"]` counts series whose model gave no number

    Bounds       not negative, never missing, at most cap_multiple × the highest month of its history
    New items    with a like_item follow it: at their own share of its demand while young, at the share that earlier launches
                 reached while still to come (`launches.follow`; launch_curves from `launches.curves`, None: made here)
    Ending items run to the month of end_date and are zero after it
    Handover     what a predecessor would sell after its end_date goes to its successor
    Bands        errors of the backtest, by step and pattern of error, on the scale of the series (`bands.attach`);
                 lo95 ≤ lo80 ≤ baseline ≤ hi80 ≤ hi95
    """
    plan = pd.DatetimeIndex([frames.month(m) for m in months])
    if history.empty or not len(plan):
        return frames.empty(frames.FORECAST)
    if frames.months_between(history["month"].max(), plan.min()) < 1:
        raise ValueError(f"months must lie after the last of history, {history['month'].max():%Y-%m}; the first given is {plan.min():%Y-%m}.")
    out, fallen = _points(history, scores, tested, plan, season, cap_multiple, items, calendar_factors, workers, bands_too=True)
    out = bands.attach(out, tested, scores, history)
    out = _by_the_master(out, history, items, new_months, launch_curves)
    out = frames.conform(out[out["month"].isin(plan)], frames.FORECAST)
    out.attrs["fallbacks"] = fallen
    return out


def retrace(
    history: pd.DataFrame,
    scores: pd.DataFrame,
    previous_scores: pd.DataFrame | None,
    *,
    months: Iterable[object],
    items: pd.DataFrame,
    tested: pd.DataFrame | None = None,
    previous_items: pd.DataFrame | None = None,
    restated: pd.DataFrame | None = None,
    calendar_factors: pd.DataFrame | None = None,
    previous_factors: pd.DataFrame | None = None,
    season: int = 12,
    cap_multiple: float = 3.0,
    new_months: int = 6,
    launch_curves: pd.DataFrame | None = None,
    workers: int = 1,
) -> pd.DataFrame | None:
    """Last cycle's baseline brought to this one's, one step at a time: why it changed.

    history           item × location × month   demand (units), to the last month known now
    scores, previous_scores    item × location × model   chosen; a series that had none takes today's
    items, previous_items      item   family, launch_date, end_date, successor, like_item; None: as today
    tested            frames.TESTED of this cycle: what `Weighted` and `Learned` know; None: they answer as Mean and Median
    restated          past demand that changed since; None or no rows: nothing did
    calendar_factors, previous_factors    family × month   factor; previous None: as today
    returns           item × location × month   the baseline (units) after each step: `restated` (last cycle's models, on
                      its months as they are held today), `actuals` (on all months known now), `calendar` (with today's
                      factors), `items` (with today's item master). What is left is the choice of models. A step that
                      changed nothing has no column. None where there is no last cycle.
    """
    if previous_scores is None or previous_scores.empty or history.empty:
        return None
    plan = pd.DatetimeIndex([frames.month(m) for m in months])
    models_then = pd.concat([previous_scores, scores], ignore_index=True)
    models_then = models_then[models_then["chosen"]].drop_duplicates(KEY)
    before = items if previous_items is None else previous_items
    factors = calendar_factors if previous_factors is None else previous_factors
    runs = {"actuals": (history, factors, before)}
    if restated is not None and len(restated):
        runs = {"restated": (history[history["month"] < history["month"].max()], factors, before), **runs}
    if not _same(factors, calendar_factors):
        runs["calendar"] = (history, calendar_factors, before)
    if not _same(*(table.reindex(columns=MASTER) for table in (before, items))):
        runs["items"] = (history, calendar_factors, items)
    pieces = []
    for step, (known, now_factors, master) in runs.items():
        out, _ = _points(known, models_then, tested, plan, season, cap_multiple, master, now_factors, workers, bands_too=False)
        out = _by_the_master(out.drop(columns="apart"), known, master, new_months, launch_curves)
        pieces.append(out.loc[out["month"].isin(plan)].set_index([*KEY, "month"])["baseline"].rename(step))
    return pd.concat(pieces, axis=1, sort=True).reset_index()


def _same(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two tables say the same; no table is as one without rows."""
    a, b = (None if table is None or table.empty else table.reset_index(drop=True) for table in (one, other))
    if a is None or b is None:
        return a is b
    if "factor" in a.columns:
        a, b = a.round(9), b.round(9)
    return bool(a.equals(b))


def _points(
    history: pd.DataFrame, scores: pd.DataFrame, tested: pd.DataFrame | None, plan: pd.DatetimeIndex, season: int, cap_multiple: float,
    items: pd.DataFrame | None, calendar_factors: pd.DataFrame | None, workers: int, *, bands_too: bool,
) -> tuple[pd.DataFrame, int]:
    """The chosen models' forecasts, for all months up to the plan's last, and (for bands) how far the models are apart; how many fell back."""
    ahead = frames.months_between(history["month"].max(), plan.max())
    whole = cube.build(history, items=items, calendar_factors=calendar_factors, season=season, ahead=ahead)
    chosen = _chosen(whole.keys, scores)
    wanted = {name: np.flatnonzero(chosen == name) for name in sorted(set(chosen))}
    members_of, past = _from_tested(whole, tested)
    groups = _by_members(members_of, np.arange(len(chosen)) if bands_too else np.flatnonzero(np.isin(chosen, models.JOINT)))
    asked = {name: rows for name, rows in wanted.items() if name not in models.JOINT}
    for members, rows in groups.items():
        for name in members:
            asked[name] = np.union1d(asked.get(name, NONE), rows)
    origin = len(whole.months) - 1
    (parts,), fallen = _singles(whole, [(origin, ahead, asked)], cap_multiple, workers)
    values, apart = np.zeros((len(whole.keys), ahead)), np.zeros((len(whole.keys), ahead))
    for name, rows in wanted.items():
        if name not in models.JOINT:
            values[rows] = _with_calendar(whole, origin, name, rows, _named(name, parts, rows))
    cases = [_case(whole, origin, ahead, {name: parts[name] for name in members}, everyone) for members, everyone in groups.items()]
    for case in cases:
        apart[case.rows] = np.std(case.stack, axis=0)
    wanting = [case.of(np.flatnonzero(np.isin(chosen[case.rows], models.JOINT))) for case in cases]
    taught = learner.learned(wanting, past, len(whole.keys), seeds=SEEDS, workers=workers) if "Learned" in wanted else [None] * len(wanting)
    for case, answer in zip(wanting, taught, strict=True):
        for name in sorted(set(chosen[case.rows])):
            mine = np.flatnonzero(chosen[case.rows] == name)
            joined = _plainly("Weighted" if name == "Learned" else name, case, past, len(whole.keys))[mine]
            if name == "Learned" and answer is not None:
                joined = np.where(np.isfinite(answer[mine]), answer[mine], joined)
            rows = case.rows[mine]
            values[rows] = _with_calendar(whole, origin, name, rows, _bounded(whole, origin, rows, joined, cap_multiple))
    return _long(whole, chosen, values, apart), fallen


def _by_members(members_of: Mapping[int, tuple[str, ...]], rows: np.ndarray) -> dict[tuple[str, ...], np.ndarray]:
    """Members of a field → series.

    The members of a field are read off the backtest: the single models that the series was tested with. Series that were not
    tested, or of which no backtest is given, take the members of the regular field.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in rows.tolist():
        groups.setdefault(members_of.get(row) or tuple(models.members(models.REGULAR)), []).append(row)
    return {members: np.array(rows, dtype=int) for members, rows in sorted(groups.items())}


def _from_tested(whole: Cube, tested: pd.DataFrame | None) -> tuple[dict[int, tuple[str, ...]], list[Case]]:
    """The backtest as arrays: position of a series → members of its field; and the cases, the earliest first."""
    if tested is None or tested.empty:
        return {}, []
    at = cube.positions(whole.keys, tested)
    first = whole.months[0]
    origin = ((tested["origin"].dt.year - first.year) * 12 + tested["origin"].dt.month - first.month).to_numpy()
    model = tested["model"].to_numpy()
    code, found = pd.factorize(model, sort=True)
    single = [name in models.MODELS or name in models.BORROWED for name in found]
    member = np.array([yes and name not in models.PLAIN for name, yes in zip(found, single, strict=True)], dtype=bool)
    seen = (at >= 0) & member[code] & (origin < len(whole.months))
    at, origin = at[seen], origin[seen]
    code, names = (np.cumsum(member) - 1)[code[seen]], np.array(found)[member].astype(str)
    lag, value = tested["lag"].to_numpy()[seen], tested["forecast"].to_numpy()[seen]
    tried = np.zeros((len(whole.keys), len(names)), dtype=bool)
    tried[at, code] = True
    members_of = {int(row): tuple(names[tried[row]].tolist()) for row in np.flatnonzero(tried.any(axis=1))}
    kinds = sorted(set(members_of.values()))
    kind_of = np.full(len(whole.keys), -1)
    for number, members in enumerate(kinds):
        kind_of[[row for row, mine in members_of.items() if mine == members]] = number
    cases: list[Case] = []
    for now in np.unique(origin):
        here = origin == now
        steps = int(lag[here].max())
        wide = np.full((len(names), len(whole.keys), steps), np.nan)
        wide[code[here], at[here], lag[here] - 1] = value[here]
        wide = wide / whole.factors[None, :, now + 1 : now + 1 + steps]
        present = ~np.isnan(wide).all(axis=2)
        for number, members in enumerate(kinds):
            which = [list(names).index(name) for name in members]
            rows = np.flatnonzero((kind_of == number) & present[which].all(axis=0))
            if len(rows):
                cases.append(_case(whole, int(now), steps, {name: wide[k] for name, k in zip(members, which, strict=True)}, rows))
    return members_of, cases


def _chosen(keys: pd.DataFrame, scores: pd.DataFrame) -> np.ndarray:
    picked = scores.loc[scores["chosen"], [*KEY, "model"]]
    return keys[KEY].merge(picked, on=KEY, how="left")["model"].fillna(models.DEFAULT["short"]).to_numpy(dtype=object)


def _long(whole: Cube, chosen: np.ndarray, values: np.ndarray, apart: np.ndarray) -> pd.DataFrame:
    steps = values.shape[1]
    months = pd.date_range(frames.next_month(whole.months[-1]), periods=steps, freq="MS")
    return pd.DataFrame({
        "item": np.repeat(whole.keys["item"].to_numpy(), steps), "location": np.repeat(whole.keys["location"].to_numpy(), steps),
        "month": np.tile(months.to_numpy(), len(whole.keys)), "model": np.repeat(chosen, steps), "baseline": values.ravel(), "apart": apart.ravel(),
    })  # fmt: skip


# --- what the item master says --------------------------------------------------------------------------------------

def _by_the_master(
    out: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame | None, new_months: int, launch_curves: pd.DataFrame | None
) -> pd.DataFrame:
    if items is None:
        return out
    curve = launches.curves(history, items) if launch_curves is None else launch_curves
    return launches.ended(launches.follow(out, history, items, curve, new_months=new_months), items, history=history)
