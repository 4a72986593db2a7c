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

from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, levels, siblings
from sopnb.windows import ALL, family_of, groups, share_of, windows

__all__ = ["adds", "brought", "by_month", "effects", "planned", "share_of", "shown", "slope", "surest", "windows", "without"]

KEY = ["item", "location"]
ROW = [*KEY, "month"]
EFFECTS = ["kind", "family", "effect", "se", "t", "months", "series", "stated", "realised", "realised_se", "used"]
TAKEN = ["taken", "taken_se", "taken_months", "taken_used"]
LASTING = ("holiday", "launch", "price")  # the calendar's, the launch curve's, and a change that stays: no lift that comes and goes
LEAST_MONTHS = 10   # event months behind an effect of a family; with fewer it takes that of its kind over all families
LEAST_USED = 6      # event months behind an effect of a kind; with fewer nothing is said
LEAST_T = 2.0
MOST = 3.0          # no measured lift above four times a usual month is believed, nor one that takes all demand away
Lines = dict[tuple[str, str], dict[Any, Any]]
LAGS = 3            # months over which errors of one series may hang together (Newey & West)


# --- measured on the past -------------------------------------------------------------------------------------------


def effects(history: pd.DataFrame, table: pd.DataFrame | None, items: pd.DataFrame, *, season: int = 12) -> pd.DataFrame:
    """The effect of past events by kind, and by kind and family, with standard errors.

    history  item × location × month  demand, learned (units)
    table    event                    kind, start, end, level, key, location, effect (as stated beforehand; may be missing)
    items    item                     family
    returns  kind × family (`all`: over all families)
             effect (fraction of a usual month, for a whole month of it), se, t, months (series × months with the event),
             series, stated (mean of what was stated), realised (share of it that came), realised_se, used (flag),
             taken (share of what single items won that their family's other items lost), taken_se, taken_months (compared), taken_used (flag)

    Each month of a series that had such an event is compared with its usual value: the running median of the months
    without one, × season, × what most of the family did in that month (so that a holiday is not credited to a promotion).
        demand / usual = c + b · share of the month;   effect = b / c
    by least squares weighted by how steady the series is, with standard errors that allow for errors of one series hanging
    together over three months (Newey & West by series; statsmodels). realised: the same with share × stated in place of
    share. used: |t| ≥ 2 and at least six event months; a family needs ten of its own, and the sign of its kind, which must be sure
    too; else it takes its kind's.
    taken: from siblings at the place of a promotion beside the same family elsewhere (`siblings.compared`), by the same regression;
    taken_used: two standard errors from zero, between 0 and 1, ten months, for a kind that is used. Over all families only, since
    one family has too few. What does not show so is not taken off anybody.
    Not asked of holidays, launches and prices (LASTING).
    """
    none = pd.DataFrame(columns=[*EFFECTS, *TAKEN]).astype({"effect": "float64", "se": "float64", "used": bool, "taken": "float64", "taken_used": bool})
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
    return _with_taken(pd.DataFrame(out, columns=EFFECTS), cube, table[~table["kind"].isin(LASTING)], items, season)


def _with_taken(measured: pd.DataFrame, cube: levels.Panel, table: pd.DataFrame, items: pd.DataFrame, season: int) -> pd.DataFrame:
    """The measured effects with what siblings lost to single items."""
    lines, family = _lines(measured), family_of(cube.keys, items)
    push = {kind: np.zeros(cube.y.shape) for kind in sorted(set(measured.loc[measured["used"], "kind"]))}
    busy = np.zeros(cube.y.shape, dtype=bool)
    for rows, share, event in windows(cube.keys, cube.months, table, items):
        busy[rows] |= share > 0
        line = _line(lines, event["kind"], family[rows[0]]) if event["level"] == "item" else None
        if line is not None:
            push[event["kind"]][rows] += line["effect"] * share
    group = groups(cube.keys, family)  # what is usual must not know months in which a sibling was promoted, or it would hide the loss
    near = np.isin(group[:, None] * len(cube.months) + np.arange(len(cube.months)), (group[:, None] * len(cube.months) + np.arange(len(cube.months)))[busy])
    usual = levels.usual_value(cube.y, near, season=season)[0] if push else cube.y
    seen = {kind: siblings.compared(cube.y, usual, part, busy, family, cube.keys["location"].to_numpy()) for kind, part in push.items()}
    found = [_taken(seen.get(kind) if of == ALL else None, used) for kind, of, used in zip(measured["kind"], measured["family"], measured["used"], strict=True)]
    return measured.assign(**{name: [row[i] for row in found] for i, name in enumerate(TAKEN)})


def _taken(rows: pd.DataFrame | None, used: bool) -> tuple[float, float, int, bool]:
    """TAKEN of one line."""
    months = 0 if rows is None else int((rows["share"] > 0).sum())
    if rows is None or months < LEAST_MONTHS:
        return np.nan, np.nan, months, False
    effect, se, t = slope(rows, "share")
    return -effect, se, months, bool(used and abs(t) >= LEAST_T and 0 < -effect <= 1)


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
    ratio, spread = levels.usual_ratio(cube.y, total > 0, season=season, group=family)
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
    from statsmodels.regression.linear_model import WLS  # late, and no more of it: all of it takes a second

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
    someone can name is taken out by naming it. Where a kind shows no sure effect nothing is taken out. What its siblings lost to an event of
    one item is put back (`planned` says how much). An event that has run through the whole last month and goes on stays in: the plan does not add it again.
    """
    learned = history["learned"].fillna(history["demand"]) if "learned" in history.columns else history["demand"]
    out = history.assign(demand=learned, lift=1.0)
    if table is None or table.empty or history.empty:
        return out
    cube = levels.panel(history)
    family = family_of(cube.keys, items).astype(str)
    names, of = np.unique(family, return_inverse=True)
    lines, lift, won = _lines(measured), np.zeros(cube.y.shape), []
    for rows, share, event in windows(cube.keys, cube.months, table, items):
        goes_on = event["start"] <= cube.months[-1] and event["end"] >= frames.next_month(cube.months[-1])
        if event["kind"] not in LASTING and not goes_on:
            said = event["effect"] if event["effect"] is not None and event["effect"] == event["effect"] else np.nan
            came = np.array([_came(lines, event["kind"], name, said) for name in names])
            lift[rows] += came[of[rows]][:, None] * share
            won.append((rows, came[of[rows]][:, None] * share, event))
    lift += _lost(won, np.nan_to_num(cube.y) / np.clip(1 + lift, 0.5, 1 + MOST), groups(cube.keys, family), lines)
    factor = np.clip(1 + lift, 0.5, 1 + MOST)[cube.at]
    return out.assign(demand=out["demand"] / factor, lift=factor)


def _lost(won: list[tuple[np.ndarray, np.ndarray, dict[Any, Any]]], usual: np.ndarray, group: np.ndarray, lines: Lines) -> np.ndarray:
    """What siblings lost to past events, as a fraction of their usual value: zero or less where the events won."""
    out = np.zeros(usual.shape)
    for rows, lift, event in won:
        said = event.get("from_family")
        share = float(said) if said is not None and said == said else _share_taken(lines, event["kind"])
        if event["level"] == "item" and share > 0:
            gain, mine = np.zeros(usual.shape), np.zeros(len(usual), dtype=bool)
            gain[rows], mine[rows] = lift * usual[rows], True
            moved = siblings.losses(gain, usual, group, mine, share)
            out += np.divide(moved, usual, out=np.zeros(usual.shape), where=usual > 0)
    return out


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


# --- added where they are planned -----------------------------------------------------------------------------------


def planned(table: pd.DataFrame | None, items: pd.DataFrame, measured: pd.DataFrame, *, first: object) -> pd.DataFrame | None:
    """The events with the effect that the plan adds: the one given, else the measured one of its kind.

    table    event   kind, start, end, level, key, location, effect (fraction; may be missing)
    first    the first month planned: only events that begin then or later are completed
    returns  event   the same with basis (given, measured, none) and se (fraction, of its kind's measured effect), and from_family:
             the share given, else the measured one of its kind where that is sure; missing: nobody loses
    """
    if table is None:
        return None
    families = dict(zip(items["item"], items["family"], strict=True)) if "family" in items.columns else {}
    family = table["key"].map(families).where(table["level"] == "item", table["key"].where(table["level"] == "family")).fillna(ALL)
    ahead = table["end"] >= frames.month(first)
    effect, se, basis = table["effect"].to_numpy(dtype="float64").copy(), np.full(len(table), np.nan), np.full(len(table), "none", dtype=object)
    basis[np.isfinite(effect)] = "given"
    lines, taken = _lines(measured), _from_family(table)
    for i in np.flatnonzero(ahead & ~table["kind"].isin(LASTING)):
        line = _line(lines, table["kind"].iloc[i], family.iloc[i])
        if line is not None:
            se[i] = line["se"]
            if not np.isfinite(effect[i]):
                effect[i], basis[i] = line["effect"], "measured"
            if table["level"].iloc[i] == "item" and not np.isfinite(taken[i]):
                taken[i] = _share_taken(lines, table["kind"].iloc[i])
    return table.assign(effect=effect, se=se, basis=basis, from_family=taken)


def _from_family(table: pd.DataFrame) -> np.ndarray:
    """The share that each event says it takes from its family; missing where it says nothing."""
    return table["from_family"].to_numpy(dtype="float64").copy() if "from_family" in table.columns else np.full(len(table), np.nan)


def _share_taken(lines: Lines, kind: str) -> float:
    """The measured share of a kind; missing where it is not sure."""
    line = lines.get((kind, ALL))
    return float(line["taken"]) if line is not None and line["taken_used"] else np.nan


def adds(plan: pd.DataFrame, coming: pd.DataFrame | None, items: pd.DataFrame) -> pd.DataFrame:
    """What each event to come adds to the plan, month by month.

    plan     item × location × month  baseline (units), price (money per unit)
    coming   as from `planned`
    returns  event × month  kind, name, basis, effect, se (fractions), units, se_units, amount (money)

    units = Σ effect × share of the month × baseline over the series it is meant for; as in `plan.consensus`, where an event
    that has run through the whole month before the first one planned adds nothing. What siblings lose to it stands in rows of their
    own, below zero: basis `taken`, effect −from_family, no se. A launch wins what its item is planned at, from its first month on.
    """
    names = ["event", "month", "kind", "name", "basis", "effect", "se", "units", "se_units", "amount"]
    if coming is None or coming.empty or plan.empty:
        return pd.DataFrame(columns=names)
    cube = levels.panel(plan.assign(one=1.0), value="one")
    units, money = np.zeros(cube.y.shape), np.zeros(cube.y.shape)
    units[cube.at] = plan["baseline"].to_numpy()
    money[cube.at] = (plan["baseline"] * plan["price"].fillna(0.0)).to_numpy()
    news = coming[(coming["start"] > frames.next_month(cube.months[0], -1)) & (coming["kind"] != "holiday")].assign(from_family=lambda d: _from_family(d))
    family, pieces = family_of(cube.keys, items).astype(str), []
    group = groups(cube.keys, family)
    for rows, share, event in windows(cube.keys, cube.months, news, items):
        lost = _taken_ahead(event, rows, share, cube.months, units, group)
        for month in np.flatnonzero(lost.any(axis=0)):
            price = np.divide(money[:, month], units[:, month], out=np.zeros(len(units)), where=units[:, month] > 0)
            pieces.append(pd.DataFrame([{
                "event": event["event"], "month": cube.months[month], "kind": event["kind"], "name": event["name"], "basis": "taken", "effect": -event["from_family"],
                "se": np.nan, "units": lost[:, month].sum(), "se_units": np.nan, "amount": (lost[:, month] * price).sum()}]))
        if not np.isfinite(event["effect"]):
            continue
        here = np.flatnonzero(share > 0)
        of = units[rows][:, here].sum(axis=0) * share[here]
        pieces.append(pd.DataFrame({
            "event": event["event"], "month": cube.months[here], "kind": event["kind"], "name": event["name"], "basis": event["basis"],
            "effect": event["effect"], "se": event["se"], "units": of * event["effect"], "se_units": of * event["se"],
            "amount": money[rows][:, here].sum(axis=0) * share[here] * event["effect"]}))
    return pd.concat(pieces, ignore_index=True)[names] if pieces else pd.DataFrame(columns=names)


def _taken_ahead(event: dict[Any, Any], rows: np.ndarray, share: np.ndarray, months: pd.DatetimeIndex, baseline: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Units that siblings lose to an event to come, series × months."""
    if event["level"] != "item" or not event["from_family"] > 0:
        return np.zeros(baseline.shape)
    gain, mine = np.zeros(baseline.shape), np.zeros(len(baseline), dtype=bool)
    effect = event["effect"] if np.isfinite(event["effect"]) else 0.0
    begun = (months >= frames.month(event["start"])) if event["kind"] == "launch" else np.zeros(len(months))
    gain[rows], mine[rows] = baseline[rows] * (effect * share + begun), True
    return siblings.losses(gain, baseline, group, mine, event["from_family"])


def by_month(added: pd.DataFrame, holidays: pd.DataFrame | None = None) -> pd.DataFrame:
    """What events and holidays add in each month, with standard errors.

    added     as from `adds`; holidays: month   units, se_units, amount (`calendar.holiday_adds`)
    returns   month  events, events_se (units), events_amount (money), holiday, holiday_se, holiday_amount; taken (units): the part
              of events that siblings lose, zero or less

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
    out["taken"] = added[added["basis"] == "taken"].groupby("month")["units"].sum().reindex(out.index).astype("float64").fillna(0.0)
    out = out.reindex(columns=["events", "events_se", "events_amount", "holiday", "holiday_se", "holiday_amount", "taken"]).astype("float64")
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
    returns   what (kind, holiday.window, or taken.kind: the share of what it won that siblings lost) × family
              effect, se, stated (fractions), months, used (yes, kind: that of all families is taken, kept: counts as it did last
              cycle, useless: sure, but the family's forecasts were no better with it, no)
    """
    own = measured[measured["effect"].notna()].rename(columns={"kind": "what"})
    overall = set(own.loc[(own["family"] == ALL) & own["used"], "what"])
    own = own.assign(what=own["what"].map(_named), used=[("yes" if used else "kind" if what in overall else "no") for what, used in zip(own["what"], own["used"], strict=True)])
    pieces = [own[["what", "family", "effect", "se", "stated", "months", "used"]]]
    lost = measured[measured["taken"].notna()] if "taken" in measured.columns else measured.iloc[:0]
    if len(lost):
        pieces.append(lost.assign(what="taken." + lost["kind"].map(_named), effect=lost["taken"], se=lost["taken_se"], stated=np.nan, months=lost["taken_months"],
                                  used=np.where(lost["taken_used"].astype(bool), "yes", "no"))[pieces[0].columns])
    if holidays is not None and len(holidays):
        feast = holidays[holidays["se"] > 0]
        sure = (feast["effect"].abs() >= 2 * feast["se"]).groupby(feast["family"]).transform("any")
        kept = feast["kept"].astype(bool) if "kept" in feast.columns else False
        counts = np.where(kept, "kept", np.where(feast["used"].astype(bool), "yes", np.where(sure, "useless", "no")))
        pieces.append(feast.assign(what="holiday." + feast["window"].astype(str), months=feast["n"], stated=np.nan, used=counts)[pieces[0].columns])
    there = [piece for piece in pieces if len(piece)]
    return pd.concat(there, ignore_index=True) if there else pieces[0]
