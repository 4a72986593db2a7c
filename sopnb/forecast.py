"""The statistical baseline: test models on the past, choose by evidence, forecast, and say how wrong it may be.

    tested   = backtest(history, segments=segments, items=items, horizon=18, origins=4, lags=[1, 2, 3])
    scores   = choose(tested, lags=[1, 2, 3], segments=segments)
    forecast = baseline(history, scores, tested, months=months, items=items)

Error = forecast − demand. Origin is the last month a forecast has seen; lag 1 is the month after it.
Models are in `models`, the choice in `choice`, bands in `bands`, history as arrays in `cube`, new items in `launches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from sopnb import accuracy, bands, calendar, cube, frames, launches, models
from sopnb.bands import coverage as coverage  # one door to the rooms
from sopnb.bands import family_bands as family_bands
from sopnb.choice import choose as choose
from sopnb.cube import Cube

KEY = ["item", "location"]
CHUNK = 500  # series at a time: the arrays of all candidate constants stay in the processor's cache
MASTER = ["item", "family", "launch_date", "end_date", "successor", "like_item"]  # what the forecast reads of the item master
PLAIN = ("Naive", "SeasonalNaive")
YOUNG = ("short", "new", "ending")  # tested from every month


# --- forecasting one origin -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """Which series want which model, from one origin."""

    cube: Cube
    origin: int
    steps: int
    cap_multiple: float
    workers: int


def _forecasts(ask: Ask, wanted: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], int]:
    """Bounded forecasts of each wanted model for its series, and how many fell back.

    wanted   model → positions of the series that want it
    returns  model → len(positions) × steps (units); and the number of series × models that fell back

    Bounds: not negative, finite, at most cap_multiple × the highest month known at the origin. Where a model gives no
    number, Average12 answers, and is counted. Naive and SeasonalNaive stay plain: the calendar's factors do not touch them,
    or what the calendar adds would be credited to them.
    """
    plain = {name: rows for name, rows in wanted.items() if name in PLAIN}
    wanted = {name: rows for name, rows in wanted.items() if name not in PLAIN}
    y = ask.cube.until(ask.origin)
    profile = cube.profiles(ask.cube, y)
    single: dict[str, set[int]] = {}
    for name, rows in wanted.items():
        for part in models.parts(name):
            single.setdefault(part, set()).update(rows.tolist())
    spare = np.repeat(models.window_average(12)(models.Panel(y, 1, ask.cube.season, profile)), ask.steps, axis=1)
    cap = ask.cap_multiple * np.nan_to_num(y).max(axis=1, initial=0.0)
    found: dict[str, np.ndarray] = {}
    fallen = 0
    for part in sorted(single):
        rows = np.array(sorted(single[part]), dtype=int)
        values = _in_chunks(ask, part, y, profile, rows)
        bad = ~np.isfinite(values).all(axis=1)
        fallen += int(bad.sum())
        values = np.where(bad[:, None], spare[rows], values)
        full = np.zeros((len(y), ask.steps))
        full[rows] = np.clip(values, 0.0, cap[rows][:, None])
        found[part] = full
    past = ask.cube.demand[:, : ask.origin + 1]
    out = {name: models.run(models.Panel(past[rows], ask.steps, ask.cube.season, profile[rows]), name) for name, rows in plain.items()}
    for name, rows in wanted.items():
        pieces = [found[part][rows] for part in models.parts(name)]
        total = pieces[0]
        for piece in pieces[1:]:
            total = total + piece
        ahead = ask.cube.factors[rows, ask.origin + 1 : ask.origin + 1 + ask.steps]
        out[name] = total / len(pieces) * ahead
    return out, fallen


def _in_chunks(ask: Ask, part: str, y: np.ndarray, profile: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """One model over many series; threads share the chunks, since the arrays do not hold Python's lock."""
    if part in models.BORROWED:
        return models.run(models.Panel(y[rows], ask.steps, ask.cube.season, profile[rows]), part, workers=ask.workers)
    cut = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]

    def one(piece: np.ndarray) -> np.ndarray:
        return models.run(models.Panel(y[piece], ask.steps, ask.cube.season, profile[piece]), part)

    if ask.workers > 1 and len(cut) > 1:
        with ThreadPoolExecutor(ask.workers) as pool:
            done = list(pool.map(one, cut))
    else:
        done = [one(piece) for piece in cut]
    return np.concatenate(done) if done else np.zeros((0, ask.steps))


# --- backtest -------------------------------------------------------------------------------------------------------


def backtest(
    history: pd.DataFrame,
    *,
    segments: pd.DataFrame,
    horizon: int,
    origins: int = 4,
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
    models    names in place of the fields (`models.MODELS`, `models.BORROWED`, `A+B` is the mean); Naive and SeasonalNaive
              are always added
    workers   threads; the values do not depend on it
    returns   frames.TESTED; `.attrs["fallbacks"]` counts series × models that gave no number and were answered by Average12

    A series is tested from the origins at which it had at least one month of demand. Short, new and ending ones are tested
    from every month between the first origin and the last: at three months' distance they have one origin or two, all of
    them the same, and the fashion of that month chose for all. (M3 cut to 15 months: WAPE at lags 1 to 3 of 11.8 %, not
    12.3 %; AdventureWorks: the plan of the same six months moves by 11 % a month, not by 16 %.)
    raises    ValueError for a model that does not exist
    """
    whole = cube.build(history, items=items, calendar_factors=calendar_factors, season=season)
    fields = _fields(whole.keys, segments, models)
    spread = max(lags)
    last = len(whole.months) - 1
    young = _pattern_of(whole.keys, segments).isin(YOUNG).to_numpy()
    pieces, fallen = [], 0
    for back in range(origins * spread, spread - 1, -1):
        origin = last - back
        if origin < 0:
            continue
        alive = (~np.isnan(whole.demand[:, : origin + 1])).any(axis=1)
        if back % spread:
            alive &= young
        ask = Ask(whole, origin, min(horizon, back), cap_multiple, workers)
        wanted = {name: rows[alive[rows]] for name, rows in fields.items() if alive[rows].any()}
        found, bad = _forecasts(ask, wanted) if wanted else ({}, 0)
        fallen += bad
        pieces += [_tested(whole, origin, name, wanted[name], values) for name, values in found.items()]
    out = _in_order(pieces)
    out.attrs["fallbacks"] = fallen
    return out


def _fields(keys: pd.DataFrame, segments: pd.DataFrame, names: Sequence[str] | None) -> dict[str, np.ndarray]:
    """Model → the positions of the series that try it."""
    for name in names or ():
        if not models.known(name):
            raise ValueError(f"no model is called {name}. There are {', '.join([*models.MODELS, *models.BORROWED])}, and means of them as A+B.")
    out: dict[str, list[int]] = {}
    for i, kind in enumerate(_pattern_of(keys, segments)):
        field = models.FIELDS[kind] if not names else dict.fromkeys(["Naive", "SeasonalNaive", *names])
        for name in field:
            out.setdefault(name, []).append(i)
    return {name: np.array(rows, dtype=int) for name, rows in sorted(out.items())}


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
    out = out.sort_values(["at", "origin", "month", "model"], kind="stable").reset_index(drop=True)
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
    out, fallen = _points(history, scores, plan, season, cap_multiple, items, calendar_factors, workers)
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
        out, _ = _points(known, models_then, plan, season, cap_multiple, master, now_factors, workers)
        out = _by_the_master(out, known, master, new_months, launch_curves)
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
    history: pd.DataFrame, scores: pd.DataFrame, plan: pd.DatetimeIndex, season: int, cap_multiple: float,
    items: pd.DataFrame | None, calendar_factors: pd.DataFrame | None, workers: int,
) -> tuple[pd.DataFrame, int]:
    """The chosen models' forecasts without bands, for all months up to the plan's last; and how many fell back."""
    ahead = frames.months_between(history["month"].max(), plan.max())
    whole = cube.build(history, items=items, calendar_factors=calendar_factors, season=season, ahead=ahead)
    chosen = _chosen(whole.keys, scores)
    wanted = {name: np.flatnonzero(chosen == name) for name in sorted(set(chosen))}
    found, fallen = _forecasts(Ask(whole, len(whole.months) - 1, ahead, cap_multiple, workers), wanted)
    values = np.zeros((len(whole.keys), ahead))
    for name, rows in wanted.items():
        values[rows] = found[name]
    return _long(whole, chosen, values), fallen


def _chosen(keys: pd.DataFrame, scores: pd.DataFrame) -> np.ndarray:
    picked = scores.loc[scores["chosen"], [*KEY, "model"]]
    return keys[KEY].merge(picked, on=KEY, how="left")["model"].fillna(models.DEFAULT["short"]).to_numpy(dtype=object)


def _long(whole: Cube, chosen: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    steps = values.shape[1]
    months = pd.date_range(frames.next_month(whole.months[-1]), periods=steps, freq="MS")
    return pd.DataFrame({
        "item": np.repeat(whole.keys["item"].to_numpy(), steps), "location": np.repeat(whole.keys["location"].to_numpy(), steps),
        "month": np.tile(months.to_numpy(), len(whole.keys)), "model": np.repeat(chosen, steps), "baseline": values.ravel(),
    })  # fmt: skip


# --- what the item master says --------------------------------------------------------------------------------------

def _by_the_master(
    out: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame | None, new_months: int, launch_curves: pd.DataFrame | None
) -> pd.DataFrame:
    if items is None:
        return out
    curve = launches.curves(history, items) if launch_curves is None else launch_curves
    return launches.ended(launches.follow(out, history, items, curve, new_months=new_months), items)
