"""The baseline: the chosen models' forecasts of the months planned, with bands and what the item master says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from sopnb import bands, cube, frames, launches, learner, models, trials
from sopnb.combinations import Case
from sopnb.cube import Cube

KEY = ["item", "location"]
NONE = np.array([], dtype=int)
SEEDS = 2  # how often the learner's trees are grown for the plan; once is enough for a test


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
    out, fallen = points(history, scores, tested, plan, season, cap_multiple, items, calendar_factors, workers, bands_too=True)
    out = bands.attach(out, tested, scores, history)
    out = by_the_master(out, history, items, new_months, launch_curves)
    out = frames.conform(out[out["month"].isin(plan)], frames.FORECAST)
    out.attrs["fallbacks"] = fallen
    return out


def points(
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
    (parts,), fallen = trials.singles(whole, [(origin, ahead, asked)], cap_multiple, workers)
    values, apart = np.zeros((len(whole.keys), ahead)), np.zeros((len(whole.keys), ahead))
    for name, rows in wanted.items():
        if name not in models.JOINT:
            values[rows] = trials.with_calendar(whole, origin, name, rows, trials.named(name, parts, rows))
    cases = [trials.case(whole, origin, ahead, {name: parts[name] for name in members}, everyone) for members, everyone in groups.items()]
    for case in cases:
        apart[case.rows] = np.std(case.stack, axis=0)
    wanting = [case.of(np.flatnonzero(np.isin(chosen[case.rows], models.JOINT))) for case in cases]
    taught = learner.learned(wanting, past, len(whole.keys), seeds=SEEDS, workers=workers) if "Learned" in wanted else [None] * len(wanting)
    for case, answer in zip(wanting, taught, strict=True):
        for name in sorted(set(chosen[case.rows])):
            mine = np.flatnonzero(chosen[case.rows] == name)
            joined = trials.joined("Weighted" if name == "Learned" else name, case, past, len(whole.keys))[mine]
            if name == "Learned" and answer is not None:
                joined = np.where(np.isfinite(answer[mine]), answer[mine], joined)
            rows = case.rows[mine]
            values[rows] = trials.with_calendar(whole, origin, name, rows, trials.bounded(whole, origin, rows, joined, cap_multiple))
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
    origin = cube.when(tested["origin"], whole.months[0])
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
                cases.append(trials.case(whole, int(now), steps, {name: wide[k] for name, k in zip(members, which, strict=True)}, rows))
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


def by_the_master(
    out: pd.DataFrame, history: pd.DataFrame, items: pd.DataFrame | None, new_months: int, launch_curves: pd.DataFrame | None
) -> pd.DataFrame:
    if items is None:
        return out
    curve = launches.curves(history, items) if launch_curves is None else launch_curves
    return launches.ended(launches.follow(out, history, items, curve, new_months=new_months), items, history=history)
