"""What events do to demand: measured on the past, taken out of what the forecast learns, added where they are planned.

    measured = effects(history, table, items)                       by kind and family, with standard errors
    learned  = without(history, table, items, measured)             history as it would have been without them
    coming   = planned(table, items, measured, first=months[0])     the effect of each event to come, given or measured
    added    = adds(plan, coming, items)                            what that adds, month by month

An event's effect is a fraction of the demand of a usual month, for as long as it runs: a month of which it covers half the
days is lifted by half of it. The baseline is learnt from history without past events, so that a planned one is added once:
neither its own lift nor the average of earlier ones stands in the baseline already. The other side of it: a month for
which nothing is planned yet holds no event at all, and the report says what events brought in the last year.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, levels

KEY = ["item", "location"]
ROW = [*KEY, "month"]
EFFECTS = ["kind", "family", "effect", "se", "t", "months", "series", "stated", "realised", "realised_se", "used"]
ALL = "all"
LASTING = ("holiday", "launch", "price")  # the calendar's, the launch curve's, and a change that stays: no lift that comes and goes
LEAST_MONTHS = 10   # event months behind an effect of a family; with fewer it takes that of its kind over all families
LEAST_USED = 6      # event months behind an effect of a kind; with fewer nothing is said
LEAST_T = 2.0
MOST = 3.0          # no measured lift above four times a usual month is believed, nor one that takes all demand away
Lines = dict[tuple[str, str], dict[Any, Any]]
LAGS = 3            # months over which errors of one series may hang together (Newey & West)


# --- which months of which series -----------------------------------------------------------------------------------


def windows(
    keys: pd.DataFrame, months: pd.DatetimeIndex, table: pd.DataFrame | None, items: pd.DataFrame
) -> Iterable[tuple[np.ndarray, np.ndarray, dict[Any, Any]]]:
    """For each event: the positions of its series, the share of each month's days that it runs, and the event itself.

    keys     item, location: one row a series
    table    event   kind, start, end, level (item, family, all), key, location; None: no events
    """
    if table is None or table.empty or not len(months):
        return
    family = keys["item"].map(dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {})
    of = {"item": keys.groupby("item").indices, "family": keys.groupby(family).indices if family.notna().any() else {}}
    everything = np.arange(len(keys))
    at = keys["location"].to_numpy()
    first, last = months[0], months[-1] + pd.offsets.MonthEnd(0)
    near = table[table["start"].notna() & table["end"].notna() & (table["end"] >= first) & (table["start"] <= last)]
    for event in near.sort_values("event", kind="stable").to_dict("records"):
        rows = of[event["level"]].get(event["key"], everything[:0]) if event["level"] in of else everything
        place = event["location"]
        if isinstance(place, str) and place not in ("", ALL):
            rows = rows[at[rows] == place]
        if len(rows):
            yield rows, share_of(event["start"], event["end"], months), event


def share_of(start: Any, end: Any, months: pd.DatetimeIndex) -> np.ndarray:
    """Share of each month's days from start to end, both included.

    >>> share_of("2026-03-17", "2026-04-15", pd.DatetimeIndex(["2026-03-01", "2026-04-01"])).round(4).tolist()
    [0.4839, 0.5]
    """
    first, days = months.to_numpy(dtype="datetime64[D]"), months.days_in_month.to_numpy()
    last = first + (days - 1).astype("timedelta64[D]")
    begin, stop = (np.datetime64(pd.Timestamp(day), "D") for day in (start, end))
    return np.clip((np.minimum(last, stop) - np.maximum(first, begin)).astype(int) + 1, 0, None) / days


# --- measured on the past -------------------------------------------------------------------------------------------


def effects(history: pd.DataFrame, table: pd.DataFrame | None, items: pd.DataFrame, *, season: int = 12) -> pd.DataFrame:
    """The effect of past events by kind, and by kind and family, with standard errors.

    history  item × location × month  demand, learned (units)
    table    event                    kind, start, end, level, key, location, effect (as stated beforehand; may be missing)
    items    item                     family
    returns  kind × family (`all`: over all families)
             effect (fraction of a usual month, for a whole month of it), se, t, months (series × months with the event),
             series, stated (mean of what was stated), realised (share of it that came), realised_se, used (flag)

    Each month of a series that had such an event is compared with its usual value: the running median of the months
    without one, × season, × what most of the family did in that month (so that a holiday is not credited to a promotion).
        demand / usual = c + b · share of the month;   effect = b / c
    by least squares weighted by how steady the series is, with standard errors that allow for errors of one series hanging
    together over three months (Newey & West by series; statsmodels). realised: the same with share × stated in place of
    share. used: |t| ≥ 2 and at least six event months; a family needs ten of its own, and the sign of its kind, which must be sure
    too; else it takes its kind's.
    Not asked of holidays, launches and prices (LASTING).
    """
    none = pd.DataFrame(columns=EFFECTS).astype({"effect": "float64", "se": "float64", "used": bool})
    if table is None or table.empty or history.empty:
        return none
    cube = levels.panel(history, value="learned" if "learned" in history.columns else "demand")
    rows = _observations(cube, table[~table["kind"].isin(LASTING)], items, season)
    if rows.empty:
        return none
    out = []
    for kind in sorted(rows["kind"].dropna().unique()):
        mine = rows[(rows["kind"] == kind) | (rows["kind"].isna() & rows["series"].isin(rows.loc[rows["kind"] == kind, "series"]))]
        of_kind = _regressed(mine, kind, ALL)
        of_family = [_regressed(own, kind, str(family)) for family, own in mine.groupby("family", sort=True) if (own["share"] > 0).sum() >= LEAST_MONTHS]
        out += [of_kind, *({**own, "used": own["used"] and of_kind["used"] and own["effect"] * of_kind["effect"] > 0} for own in of_family)]
    return pd.DataFrame(out, columns=EFFECTS)


def _observations(cube: levels.Panel, table: pd.DataFrame, items: pd.DataFrame, season: int) -> pd.DataFrame:
    """Months of series that ever had an event: ratio to the usual value, share, stated share, kind (missing without event)."""
    n, t = cube.y.shape
    kinds = {kind: np.zeros((n, t)) for kind in sorted(table["kind"].unique())}
    stated = {kind: np.zeros((n, t)) for kind in kinds}
    for series, share, event in windows(cube.keys, cube.months, table, items):
        kinds[event["kind"]][series] += share
        if event["effect"] == event["effect"] and event["effect"] is not None:
            stated[event["kind"]][series] += share * event["effect"]
    total = np.zeros((n, t)) + sum(kinds.values())
    family = cube.keys["item"].map(dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {}).fillna("unknown").to_numpy()
    ratio, spread = usual_ratio(cube.y, total > 0, season=season, group=family)
    touched = (total > 0).any(axis=1) & np.isfinite(spread)
    pieces = []
    free = touched[:, None] & (total == 0) & np.isfinite(ratio)
    for kind, share in [(None, free.astype(float) * 0), *kinds.items()]:
        here = free if kind is None else touched[:, None] & (share > 0) & (total == share) & np.isfinite(ratio)  # two kinds at once tell nothing of either
        at, when = np.nonzero(here)
        pieces.append(pd.DataFrame({
            "series": at, "when": when, "family": family[at], "kind": kind, "ratio": ratio[at, when], "share": share[at, when],
            "stated": stated[kind][at, when] if kind else 0.0, "weight": 1 / np.maximum(spread[at], 0.02) ** 2}))
    return pd.concat([p for p in pieces if len(p)], ignore_index=True).astype({"kind": object}) if any(len(p) for p in pieces) else pd.DataFrame({"kind": []})


def usual_ratio(y: np.ndarray, event: np.ndarray, *, season: int = 12, group: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Demand / its usual value without events, and how far usual months stray from 1 (missing: nothing to compare with).

    y      series × time (units); event: flags of the months that have one
    """
    top = np.nanmax(np.where(np.isfinite(y), y, 0.0), axis=1, initial=0.0, keepdims=True)
    own = y / np.where(top > 0, top, 1.0)
    index, _ = levels.season_of(own, season)
    u, level = levels.residual(np.where(event, np.nan, own), index)
    had = np.flatnonzero(event.any(axis=1))
    if len(had):  # once more, with a season that no longer holds the events
        filled = np.where(event[had] & np.isfinite(own[had]), (level * index)[had], own[had])
        index[had], _ = levels.season_of(filled, season)
        u[had], level[had] = levels.residual(np.where(event[had], np.nan, own[had]), index[had])
    common = levels.common(u, group)
    usual = level * index * np.exp(common)
    ratio = np.where((usual > 0) & np.isfinite(own), own / np.where(usual > 0, usual, 1.0), np.nan)
    calm = np.where(event, np.nan, ratio)
    low, high = levels.quartiles(calm)
    enough = np.isfinite(calm).sum(axis=1) >= 12
    return ratio, np.where(enough, ((high - low) / 1.349)[:, 0], np.nan)


def _regressed(rows: pd.DataFrame, kind: str, family: str) -> dict[str, Any]:
    """One line of EFFECTS."""
    there, said = rows[rows["share"] > 0], rows[rows["stated"] != 0]
    months = len(there)
    effect, se, t = slope(rows, "share") if months >= LEAST_USED else (np.nan,) * 3
    realised, realised_se, _ = slope(rows, "stated") if len(said) >= LEAST_USED else (np.nan,) * 3
    used = bool(abs(t) >= LEAST_T and -1 < effect <= MOST)
    stated = said["stated"].sum() / said["share"].sum() if len(said) else np.nan
    found = (kind, family, effect, se, t, months, there["series"].nunique(), stated, realised, realised_se, used)
    return dict(zip(EFFECTS, found, strict=True))


def slope(rows: pd.DataFrame, of: str) -> tuple[float, float, float]:
    """b / c of ratio = c + b · `of`, its standard error (delta method with c as known) and t.

    rows  series × when   ratio, weight, `of`
    """
    from statsmodels.regression.linear_model import WLS  # imported late, and only this: all of statsmodels takes a second

    at, when, x = (rows[name].to_numpy() for name in ("series", "when", of))
    if float(np.ptp(x)) < 1e-9:
        return np.nan, np.nan, np.nan
    order = np.lexsort((when, at))  # neighbours in time beside each other
    design = np.column_stack([np.ones(len(x)), x[order].astype("float64")])
    fit = WLS(rows["ratio"].to_numpy()[order], design, weights=rows["weight"].to_numpy()[order]).fit()
    series = np.unique(at[order], return_inverse=True)[1]
    fit = fit.get_robustcov_results("hac-panel", groups=series, maxlags=LAGS) if series[-1] else fit.get_robustcov_results("HAC", maxlags=LAGS)
    c, b = (float(v) for v in np.asarray(fit.params))
    error = float(np.sqrt(max(np.asarray(fit.cov_params())[1, 1], 0.0)))
    if not (np.isfinite([b, c, error]).all() and c > 0):
        return np.nan, np.nan, np.nan
    return b / c, error / c, b / error if error > 0 else float(np.copysign(np.inf, b)) if b else 0.0


# --- taken out of the past ------------------------------------------------------------------------------------------


def without(history: pd.DataFrame, table: pd.DataFrame | None, items: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """History as the forecast should know it: corrected, and without the lift of past events.

    history   item × location × month  demand, learned (units)
    measured  as from `effects`
    returns   the same rows and columns; demand = learned / lift, lift (factor, 1 where no event ran)

    lift = 1 + Σ share of the month × lift of the event: what was stated for it × the share of that which came, where both
    are known; else the measured effect of its kind. Of a kind too rare to be measured, what was stated: so a peak that
    someone can name is taken out by naming it. Where a kind shows no sure effect nothing is taken out. An event that has run through the whole last month and goes on stays in: the plan does not add it again.
    """
    learned = history["learned"].fillna(history["demand"]) if "learned" in history.columns else history["demand"]
    out = history.assign(demand=learned, lift=1.0)
    if table is None or table.empty or history.empty:
        return out
    cube = levels.panel(history)
    names, of = np.unique(_family_of(cube.keys, items).astype(str), return_inverse=True)
    lines, lift = _lines(measured), np.zeros(cube.y.shape)
    for rows, share, event in windows(cube.keys, cube.months, table, items):
        goes_on = event["start"] <= cube.months[-1] and event["end"] >= frames.next_month(cube.months[-1])
        if event["kind"] not in LASTING and not goes_on:
            said = event["effect"] if event["effect"] is not None and event["effect"] == event["effect"] else np.nan
            came = np.array([_came(lines, event["kind"], name, said) for name in names])
            lift[rows] += came[of[rows]][:, None] * share
    factor = np.clip(1 + lift, 0.5, 1 + MOST)[cube.at]
    return out.assign(demand=out["demand"] / factor, lift=factor)


def _came(lines: Lines, kind: str, family: str, said: float) -> float:
    """The lift that a past event is believed to have had."""
    own = _line(lines, kind, family)
    if own is None:
        return float(said) if np.isfinite(said) and not any(known == kind for known, _ in lines) else 0.0
    realised = own["realised"]
    return float(said * np.clip(realised, 0.0, 1.5)) if np.isfinite([said, realised]).all() else float(own["effect"])


def _lines(measured: pd.DataFrame) -> Lines:
    """The lines that could be measured, by kind and family."""
    rows = measured[measured["effect"].notna()].to_dict("records")
    return {(row["kind"], row["family"]): row for row in rows}


def _line(lines: Lines, kind: str, family: str) -> dict[Any, Any] | None:
    """The line that speaks for a kind in a family: its own, else of all families; None where none is sure."""
    for name in (family, ALL):
        found = lines.get((kind, name))
        if found is not None and found["used"]:
            return found
    return None


def _family_of(keys: pd.DataFrame, items: pd.DataFrame) -> np.ndarray:
    families = dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {}
    return keys["item"].map(families).fillna("unknown").to_numpy(dtype=object)


# --- added where they are planned -----------------------------------------------------------------------------------


def planned(table: pd.DataFrame | None, items: pd.DataFrame, measured: pd.DataFrame, *, first: object) -> pd.DataFrame | None:
    """The events with the effect that the plan adds: the one given, else the measured one of its kind.

    table    event   kind, start, end, level, key, location, effect (fraction; may be missing)
    first    the first month planned: only events that begin then or later are completed
    returns  event   the same with basis (given, measured, none) and se (fraction, of its kind's measured effect)
    """
    if table is None:
        return None
    families = dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {}
    family = table["key"].map(families).where(table["level"] == "item", table["key"].where(table["level"] == "family")).fillna(ALL)
    ahead = table["end"] >= frames.month(first)
    effect, se, basis = table["effect"].to_numpy(dtype="float64").copy(), np.full(len(table), np.nan), np.full(len(table), "none", dtype=object)
    basis[np.isfinite(effect)] = "given"
    lines = _lines(measured)
    for i in np.flatnonzero(ahead & ~table["kind"].isin(LASTING)):
        line = _line(lines, table["kind"].iloc[i], family.iloc[i])
        if line is not None:
            se[i] = line["se"]
            if not np.isfinite(effect[i]):
                effect[i], basis[i] = line["effect"], "measured"
    return table.assign(effect=effect, se=se, basis=basis)


def adds(plan: pd.DataFrame, coming: pd.DataFrame | None, items: pd.DataFrame) -> pd.DataFrame:
    """What each event to come adds to the plan, month by month.

    plan     item × location × month  baseline (units), price (money per unit)
    coming   as from `planned`
    returns  event × month  kind, name, basis, effect, se (fractions), units, se_units, amount (money)

    units = Σ effect × share of the month × baseline over the series it is meant for; as in `plan.consensus`, where an event
    that has run through the whole month before the first one planned adds nothing.
    """
    names = ["event", "month", "kind", "name", "basis", "effect", "se", "units", "se_units", "amount"]
    if coming is None or coming.empty or plan.empty:
        return pd.DataFrame(columns=names)
    cube = levels.panel(plan.assign(one=1.0), value="one")
    units, money = np.zeros(cube.y.shape), np.zeros(cube.y.shape)
    units[cube.at] = plan["baseline"].to_numpy()
    money[cube.at] = (plan["baseline"] * plan["price"].fillna(0.0)).to_numpy()
    news = coming[(coming["start"] > frames.next_month(cube.months[0], -1)) & coming["effect"].notna() & (coming["kind"] != "holiday")]
    pieces = []
    for rows, share, event in windows(cube.keys, cube.months, news, items):
        here = np.flatnonzero(share > 0)
        of = units[rows][:, here].sum(axis=0) * share[here]
        pieces.append(pd.DataFrame({
            "event": event["event"], "month": cube.months[here], "kind": event["kind"], "name": event["name"], "basis": event["basis"],
            "effect": event["effect"], "se": event["se"], "units": of * event["effect"], "se_units": of * event["se"],
            "amount": money[rows][:, here].sum(axis=0) * share[here] * event["effect"]}))
    return pd.concat(pieces, ignore_index=True)[names] if pieces else pd.DataFrame(columns=names)


def by_month(added: pd.DataFrame, holidays: pd.DataFrame | None = None) -> pd.DataFrame:
    """What events and holidays add in each month, with standard errors.

    added     as from `adds`; holidays: month   units, se_units, amount (`calendar.holiday_adds`)
    returns   month  events, events_se (units), events_amount (money), holiday, holiday_se, holiday_amount

    Events of one kind rest on the same measured effect, so their errors add up; those of different kinds do not hang
    together: the root of the sum of squares. se is missing where no effect of that kind is known.
    """
    per_kind = added.groupby(["month", "kind"], sort=True)[["units", "se_units", "amount"]].sum(min_count=1).reset_index()
    per_kind["square"] = per_kind["se_units"] ** 2
    own = per_kind.groupby("month", sort=True)[["units", "square", "amount"]].sum(min_count=1)
    out = pd.DataFrame({"events": own["units"], "events_se": np.sqrt(own["square"].astype("float64")), "events_amount": own["amount"]})
    if holidays is not None and len(holidays):
        other = holidays.set_index("month").rename(columns={"units": "holiday", "se_units": "holiday_se", "amount": "holiday_amount"})
        out = out.join(other, how="outer")
    out = out.reindex(columns=["events", "events_se", "events_amount", "holiday", "holiday_se", "holiday_amount"]).astype("float64")
    return out.rename_axis("month").reset_index()


def brought(learned: pd.DataFrame, *, months: int = 12) -> dict[str, float]:
    """What past events brought in the last months of history, at the revenue a unit of those months.

    learned  as from `without`, with revenue (money) and demand_raw (units)
    returns  units, amount (money)
    """
    if learned.empty:
        return {"units": 0.0, "amount": 0.0}
    own = learned[learned["month"] > frames.next_month(learned["month"].max(), -months)]
    price = (own["revenue"] / own["demand_raw"].where(own["demand_raw"] > 0)).fillna(0.0)
    units = own["demand"] * (own["lift"] - 1)
    return {"units": float(units.sum()), "amount": float((units * price).sum())}


def surest(measured: pd.DataFrame) -> dict[Any, Any]:
    """The line over all families with most months behind it, of those that are used; empty where there is none."""
    found = measured[(measured["family"] == ALL) & measured["used"]] if len(measured) else measured
    if not len(found):
        return {}
    line = found.sort_values("months", ascending=False, kind="stable").iloc[0].to_dict()
    return {"what": _named(line["kind"]), **{name: line[name] for name in ("effect", "se", "stated")}}


def _named(kind: str) -> str:
    """A kind that the words know, else `other`."""
    return kind if kind in ("promotion", "competitor", "launch", "price") else "other"


def shown(measured: pd.DataFrame, holidays: pd.DataFrame | None = None) -> pd.DataFrame:
    """All measured effects in one table: events by kind, the holiday by window.

    holidays  family × window  effect, se, n, used [, kept] (`forecast.calendar_effects`, `calendar.switched`)
    returns   what (kind, or holiday.window) × family  effect, se, stated (fractions), months, used (yes, kind: that of all
              families is taken, kept: counts as it did last cycle, useless: sure, but the family's forecasts were no better with it, no)
    """
    own = measured[measured["effect"].notna()].rename(columns={"kind": "what"})
    overall = set(own.loc[(own["family"] == ALL) & own["used"], "what"])
    own = own.assign(what=own["what"].map(_named), used=[("yes" if used else "kind" if what in overall else "no") for what, used in zip(own["what"], own["used"], strict=True)])
    pieces = [own[["what", "family", "effect", "se", "stated", "months", "used"]]]
    if holidays is not None and len(holidays):
        feast = holidays[holidays["se"] > 0]
        sure = (feast["effect"].abs() >= 2 * feast["se"]).groupby(feast["family"]).transform("any")
        kept = feast["kept"].astype(bool) if "kept" in feast.columns else False
        counts = np.where(kept, "kept", np.where(feast["used"].astype(bool), "yes", np.where(sure, "useless", "no")))
        pieces.append(feast.assign(what="holiday." + feast["window"].astype(str), months=feast["n"], stated=np.nan, used=counts)[pieces[0].columns])
    there = [piece for piece in pieces if len(piece)]
    return pd.concat(there, ignore_index=True) if there else pieces[0]
