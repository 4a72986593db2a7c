"""Why did the plan change? This plan minus last plan over the months both have, in parts that add up.

    restated     past demand was corrected since
    actuals      another month of demand is known
    calendar     the effect of holidays that move is known better
    items        the item master changed: a launch, an end, a successor
    reconciled   items, families and the total were made to agree (`reconcile`)
    method       another model was chosen for the series
    events, pipeline, leads, sales, override    the streams
    price        the same units at another price: (p1 − p0) × q1
    new          the series is in one of the two plans only

Unit parts are valued at last plan's price p0, so that units and money both add up exactly:
p0 × (q1 − q0) + (p1 − p0) × q1 = p1 q1 − p0 q0.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

PARTS = ("restated", "actuals", "calendar", "items", "reconciled", "method", "events", "pipeline", "leads", "sales", "override", "price", "new")
_SERIES = ["item", "location"]
_KEY = ["item", "location", "month"]
_STEPS = ["restated", "actuals", "calendar", "items", "reconciled"]
_STREAMS = ["events", "pipeline", "leads", "sales", "override"]
_DUST = 1e-9  # units and money below which a part is rounding, not a change


def changes(
    plan: pd.DataFrame,
    previous_plan: pd.DataFrame | None,
    *,
    steps: pd.DataFrame | None = None,
    restated: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None,
    previous_forecast: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """This plan minus last plan, part by part.

    plan, previous_plan   frames.PLAN; without a previous plan there are no rows
    steps                 item × location × month   restated, actuals, calendar, items: last plan's baseline (units) after
                          each of these steps in turn; a step or a row that is missing changed nothing. The rest of the
                          baseline's change is method. (`forecast.retrace` makes them.)
    restated              item × location × …   series whose past demand was corrected
    forecast, previous_forecast   item × location × month   model: a series with another model changed its method
    returns               frames.CHANGES: units, amount (money), this minus last; parts of nothing are left out

    Without steps, the whole change of a series' baseline goes to one part: restated where its past was corrected, else
    method where its model changed, else actuals.
    """
    if previous_plan is None or previous_plan.empty or plan.empty:
        return frames.empty(frames.CHANGES)
    both = _side_by_side(plan, previous_plan)
    price = both["price_was"].fillna(0.0)
    kept = both["kept"]
    units = {name: (both[name] - both[f"{name}_was"]).where(kept, 0.0) for name in ("baseline", *_STREAMS)}
    parts = {**_baseline_parts(both, units.pop("baseline"), steps, restated, forecast, previous_forecast), **units}
    rows = [_part(both, name, value, value * price) for name, value in parts.items()]
    whole, whole_was = both["consensus"], both["consensus_was"]
    rows.append(_part(both, "price", 0.0 * whole, ((both["price"].fillna(0.0) - price) * whole).where(kept, 0.0)))
    lone = both["revenue"].fillna(0.0) - both["revenue_was"].fillna(0.0)
    rows.append(_part(both, "new", (whole - whole_was).where(~kept, 0.0), lone.where(~kept, 0.0)))
    out = pd.concat(rows, ignore_index=True)
    out = out[(out["units"].abs() > _DUST) | (out["amount"].abs() > _DUST)]
    return frames.conform(out, frames.CHANGES)


def bridge(changes: pd.DataFrame, plan: pd.DataFrame, previous_plan: pd.DataFrame, *, value: str = "amount") -> pd.DataFrame:
    """From last plan to this one, over the months both have.

    value    amount (money) or units
    returns  part, amount, total (flag): `last`, the parts that are not nothing in the order of PARTS, `this`
    """
    column = "revenue" if value == "amount" else "consensus"
    shared = set(plan["month"]) & set(previous_plan["month"])
    last, this = (float(p.loc[p["month"].isin(shared), column].sum()) for p in (previous_plan, plan))
    sums = changes.groupby("part")[value].sum()
    rows = [("last", last, True)] + [(part, float(sums[part]), False) for part in PARTS if part in sums.index and sums[part] != 0] + [("this", this, True)]
    return pd.DataFrame.from_records(rows, columns=["part", "amount", "total"])


def movers(changes: pd.DataFrame, plan: pd.DataFrame, previous_plan: pd.DataFrame) -> pd.DataFrame:
    """The series that moved most, by money, with the part that moved them most, the way they went.

    returns  item × location   last, this (units, months both have), change (units), amount (money), part; by |amount|
    """
    shared = set(plan["month"]) & set(previous_plan["month"])
    last, this = (p[p["month"].isin(shared)].groupby(_SERIES)["consensus"].sum() for p in (previous_plan, plan))
    by_part = changes.groupby([*_SERIES, "part"], as_index=False)[["units", "amount"]].sum()
    way = np.sign(by_part.groupby(_SERIES)["amount"].transform("sum"))
    by_part = by_part.assign(size=(by_part["amount"] * way).where(way != 0, by_part["amount"].abs()))
    by_part = by_part.sort_values([*_SERIES, "size", "part"], ascending=[True, True, False, True], kind="stable")
    most = by_part.drop_duplicates(_SERIES).set_index(_SERIES)["part"]
    sums = by_part.groupby(_SERIES)[["units", "amount"]].sum()
    out = pd.DataFrame({"last": last, "this": this}).reindex(sums.index).fillna(0.0)
    out = out.assign(change=sums["units"], amount=sums["amount"], part=most).reset_index()
    return out.sort_values("amount", key=lambda a: -a.abs(), kind="stable").reset_index(drop=True)


def reasons(
    movers: pd.DataFrame, changes: pd.DataFrame, plan: pd.DataFrame, previous_plan: pd.DataFrame, *, history: pd.DataFrame | None = None,
    forecast: pd.DataFrame | None = None, previous_forecast: pd.DataFrame | None = None, restated: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Why each mover moved: the part that moved it most, and that part from what to what.

    movers     some rows of `movers`
    changes    the changes they were made from
    plan       as there: the months spoken about
    previous_plan   frames.PLAN, the whole of it, the month that came in since included
    history    item × location × month   demand (units): of that month
    forecast, previous_forecast   item × location × month   model
    restated   item × location × month   change (units)
    returns    movers, with part_amount (money), because (message id: plan.moved…) and values (dict)
    """
    shared = set(plan["month"]) & set(previous_plan["month"])
    this, last = (p[p["month"].isin(shared)].groupby(_SERIES)[["consensus", "revenue", *_STREAMS]].sum() for p in (plan, previous_plan))
    facts = {
        "this": this, "last": last, "came": _came_in(previous_plan, history), "corrected": _sum_of(restated, "change"),
        "models": (_models(forecast), _models(previous_forecast)),
    }
    by_part = changes.groupby([*_SERIES, "part"])["amount"].sum()
    told = [_reason(row, facts) for row in movers.to_dict("records")]
    amounts = [float(by_part.get((row["item"], row["location"], row["part"]), 0.0)) for row in movers.to_dict("records")]
    return movers.assign(part_amount=amounts, because=[id_ for id_, _ in told], values=[values for _, values in told])


def residual(changes: pd.DataFrame, plan: pd.DataFrame, previous_plan: pd.DataFrame) -> float:
    """What the parts leave unexplained: |Σ parts − (this − last)| / Σ |parts|, in money; a fraction, 0 where nothing moved."""
    shared = set(plan["month"]) & set(previous_plan["month"])
    this, last = (float(p.loc[p["month"].isin(shared), "revenue"].sum()) for p in (plan, previous_plan))
    size = float(changes["amount"].abs().sum())
    return abs(float(changes["amount"].sum()) - (this - last)) / size if size else 0.0


def _side_by_side(plan: pd.DataFrame, previous_plan: pd.DataFrame) -> pd.DataFrame:
    """Both plans over their shared months, row by row; `kept` where the series is in both."""
    shared = set(plan["month"]) & set(previous_plan["month"])
    this, last = (p[p["month"].isin(shared)] for p in (plan, previous_plan))
    out = this.merge(last, on=_KEY, how="outer", suffixes=("", "_was")).sort_values(_KEY, kind="stable").reset_index(drop=True)
    series = pd.MultiIndex.from_frame(out[_SERIES])
    in_this, in_last = (series.isin(pd.MultiIndex.from_frame(p[_SERIES].drop_duplicates())) for p in (this, last))
    streams = [f"{name}{side}" for name in ("baseline", *_STREAMS, "consensus") for side in ("", "_was")]
    out[streams] = out[streams].fillna(0.0)
    out["kept"] = in_this & in_last
    return out


def _baseline_parts(
    both: pd.DataFrame, change: pd.Series, steps: pd.DataFrame | None, restated: pd.DataFrame | None,
    forecast: pd.DataFrame | None, previous_forecast: pd.DataFrame | None,
) -> dict[str, pd.Series]:
    """The baseline's change, part by part: by the steps where given, else whole."""
    if steps is not None:
        return _stepped(both, change, steps)
    series = pd.MultiIndex.from_frame(both[_SERIES])
    corrected, other_model = _among(series, restated), series.isin(_remodelled(forecast, previous_forecast))
    return {
        "restated": change.where(corrected, 0.0),
        "method": change.where(~corrected & other_model, 0.0),
        "actuals": change.where(~corrected & ~other_model, 0.0),
    }


def _stepped(both: pd.DataFrame, change: pd.Series, steps: pd.DataFrame) -> dict[str, pd.Series]:
    """Each step's baseline minus that of the step before it; what no step explains is the choice of models."""
    found = both[_KEY].merge(steps, on=_KEY, how="left")
    at, parts = both["baseline_was"], {}
    for name in _STEPS:
        after = found[name].fillna(at) if name in found.columns else at
        parts[name] = (after - at).where(both["kept"], 0.0)
        at = after
    parts["method"] = (both["baseline_was"] + change - at).where(both["kept"], 0.0)
    return parts


def _among(series: pd.MultiIndex, table: pd.DataFrame | None) -> pd.Series:
    named = pd.MultiIndex.from_frame(table[_SERIES]) if table is not None and len(table) else pd.MultiIndex.from_arrays([[], []])
    return pd.Series(series.isin(named))


def _remodelled(forecast: pd.DataFrame | None, previous_forecast: pd.DataFrame | None) -> pd.MultiIndex:
    """Series whose model is not last cycle's."""
    if forecast is None or previous_forecast is None:
        return pd.MultiIndex.from_arrays([[], []])
    models = [f.drop_duplicates(_SERIES)[[*_SERIES, "model"]] for f in (forecast, previous_forecast)]
    pair = models[0].merge(models[1], on=_SERIES, suffixes=("", "_was"))
    return pd.MultiIndex.from_frame(pair.loc[pair["model"] != pair["model_was"], _SERIES])


def _part(both: pd.DataFrame, name: str, units: pd.Series, amount: pd.Series) -> pd.DataFrame:
    return both[_KEY].assign(part=name, units=units, amount=amount)


# --- a sentence for each mover --------------------------------------------------------------------------------------

def _came_in(previous_plan: pd.DataFrame, history: pd.DataFrame | None) -> pd.DataFrame:
    """item × location   month, expected (last plan's baseline), demand: last plan's first month, which is known by now."""
    if history is None or previous_plan.empty or previous_plan["month"].min() not in set(history["month"]):
        return pd.DataFrame(columns=["month", "expected", "demand"])
    month = previous_plan["month"].min()
    planned = previous_plan[previous_plan["month"] == month].groupby(_SERIES)["baseline"].sum().rename("expected")
    demand = history[history["month"] == month].groupby(_SERIES)["demand"].sum()
    return pd.concat([planned, demand], axis=1).fillna(0.0).assign(month=month)


def _sum_of(table: pd.DataFrame | None, value: str) -> pd.Series:
    return pd.Series(dtype="float64") if table is None or table.empty else table.groupby(_SERIES)[value].sum()


def _models(forecast: pd.DataFrame | None) -> pd.Series:
    return pd.Series(dtype=object) if forecast is None or forecast.empty else forecast.drop_duplicates(_SERIES).set_index(_SERIES)["model"]


def _reason(row: dict[Hashable, Any], facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The message id and its values for one mover."""
    key, part = (row["item"], row["location"]), row["part"]
    this, last = (facts[side].loc[key] if key in facts[side].index else None for side in ("this", "last"))
    if part in _STREAMS:
        return f"plan.moved.{part}", {"this": _of(this, part), "last": _of(last, part)}
    if part == "price":
        return "plan.moved.price", {side: _of(of, "revenue") / _of(of, "consensus") if _of(of, "consensus") else float("nan")
                                    for side, of in (("this", this), ("last", last))}
    if part == "new":
        return ("plan.moved.gone", {"last": _of(last, "consensus")}) if this is None else ("plan.moved.new", {"this": _of(this, "consensus")})
    if part == "actuals" and key in facts["came"].index:
        return "plan.moved.actuals", dict(facts["came"].loc[key])
    if part == "restated" and key in facts["corrected"].index:
        return "plan.moved.restated", {"units": float(facts["corrected"].loc[key])}
    now, was = (models.get(key) for models in facts["models"])
    if part == "method" and now and was and now != was:
        return "plan.moved.method", {"this": now, "last": was}
    return f"plan.moved.{part}.plain", {}


def _of(row: Any, name: str) -> float:
    return 0.0 if row is None else float(row[name])
