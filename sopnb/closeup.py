"""One item, taken apart: all that is known of it, as tables.

    one = take("TE-109", "JKT", items=items, history=history, plan=plan, forecast=baseline, tested=tested, scores=scores)

Typed is a code or a name, in any case; nothing is the item with most money in the plan, and no location is all of them
together. An item nobody knows is answered with the nearest ones.

Sources
    Cleveland, Cleveland, McRae & Terpenning (1990), STL, Journal of Official Statistics 6(1)
    Hyndman & Athanasopoulos, FPP3, section 4.3: strength of trend and of season
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from sopnb import forecast as engine
from sopnb import frames

KEY = ["item", "location"]
BANDS = ["lo80", "hi80", "lo95", "hi95"]
STREAMS = ["baseline", "events", "pipeline", "leads", "sales", "override", "consensus", "revenue", "margin"]
FLAGS = ["censored", "outlier", "level_shift"]
PARTS = ["trend", "season", "calendar", "remainder"]
NEAREST = 5
STEADY_YEARS = 6  # years from which a season that changes can be told from chance


@dataclass(frozen=True)
class Closeup:
    """What is known of one item at one location, or at all of them.

    asked, asked_place   what was typed
    item, name, family   the item; item is empty where nobody knows it, then `near` has code and name of the nearest
    successor, like_item the item that carries its demand on; the one it follows; empty: none
    location             the location, or `all`; places: where it is sold or planned, the largest first
    segments             location   abc, xyz, pattern
    history              month      demand, demand_raw, learned (units), revenue (money), censored, outlier, level_shift (flags)
    marks                month × kind (event, censored, outlier, level_shift)   name, units (corrected by), effect (expected of an event, fraction)
    parts                month      demand, trend, season, calendar, remainder (units); no rows with less than two seasons
    strength             trend, season (fractions: 0 none, 1 all of the movement)
    models               model      wape, bias (fractions), n (months tested), chosen (series that use it), series
    backtest             wape, bias of the models chosen, naive (WAPE of the seasonal naive), months tested; NaN without
    plan                 month      the streams, consensus (units), revenue, margin (money), lo80 … hi95, last (last
                                    plan's consensus) and year_ago (demand a year before), NaN where there is none
    versions             cycle × month   consensus (units) of earlier plans, from their own month on
    """

    asked: str
    asked_place: str
    item: str = ""
    name: str = ""
    family: str = ""
    successor: str = ""
    like_item: str = ""
    location: str = "all"
    near: list[tuple[str, str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    marks: pd.DataFrame = field(default_factory=pd.DataFrame)
    parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    strength: dict[str, float] = field(default_factory=dict)
    models: pd.DataFrame = field(default_factory=pd.DataFrame)
    backtest: dict[str, float] = field(default_factory=dict)
    plan: pd.DataFrame = field(default_factory=pd.DataFrame)
    versions: pd.DataFrame = field(default_factory=pd.DataFrame)


def take(
    item: str,
    location: str = "",
    *,
    names: Mapping[str, str] | None = None,
    items: pd.DataFrame,
    history: pd.DataFrame,
    plan: pd.DataFrame,
    forecast: pd.DataFrame,
    tested: pd.DataFrame,
    scores: pd.DataFrame,
    segments: pd.DataFrame | None = None,
    past_plans: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    calendar_factors: pd.DataFrame | None = None,
    months: Iterable[object] | None = None,
    season: int = 12,
) -> Closeup:
    """All that is known of an item.

    names            location: its name, as it may be typed
    item, location   code or name as typed; empty: the item with most money in `months` of the plan; all locations
    items            item                      name, family
    history          frames.HISTORY; plan: frames.PLAN; forecast: frames.FORECAST; tested, scores, segments, events: as their frames
    past_plans       cycle × frames.PLAN
    calendar_factors family × month            factor: what holidays that move do to its family
    returns          Closeup; with an unknown item or location only `near` or `places` are filled
    """
    item, location = as_typed(item), as_typed(location)
    code = find(item, items, history) if item else _largest(plan, months)
    if not code:
        return Closeup(item, location, near=nearest(item, items, history) if item else [])
    known = items[items["item"] == code]
    name, family = _said(known, "name") or code, _said(known, "family")
    places = _places(code, plan, history)
    place = next((p for p in places if location.lower() in (p.lower(), str((names or {}).get(p, p)).lower())), "")
    if places and location and location.lower() != "all" and not place:
        return Closeup(item, location, item=code, name=name, family=family, location="", places=places)
    where = place or (places[0] if len(places) == 1 else "all")
    mine = {name: _of(table, code, place) for name, table in
            {"history": history, "plan": plan, "forecast": forecast, "tested": tested, "scores": scores, "segments": segments, "past": past_plans}.items()}
    past = _months(mine["history"])
    parts = decompose(past, season=season, factor=_factor(calendar_factors, family))
    return Closeup(
        item, location, item=code, name=name, family=family, successor=_said(known, "successor"), like_item=_said(known, "like_item"),
        location=where, places=places, segments=mine["segments"], history=past, marks=_marks(past, events, code, family, place),
        parts=parts, strength=strength(parts), models=models(mine["scores"]), backtest=backtest(mine["scores"]),
        plan=_plan(mine, past), versions=_versions(mine["past"]))


# --- which one ------------------------------------------------------------------------------------------------------


def as_typed(value: object) -> str:
    """What stands in a first cell, as text: a code of digits is a number there, and nothing may be None.

    >>> as_typed(1042), as_typed(" te-1 "), as_typed(None)
    ('1042', 'te-1', '')
    """
    return "" if value is None or value != value else str(value).strip()


def find(typed: str, items: pd.DataFrame, history: pd.DataFrame) -> str:
    """The code of what was typed: a code or a whole name, in any case; empty where it is neither, or names several.

    >>> find(" te-1 ", pd.DataFrame({"item": ["TE-1"], "name": ["Tea"]}), pd.DataFrame({"item": []}))
    'TE-1'
    """
    return named(typed, _names(items, history))


def named(typed: str, names: Mapping[str, str]) -> str:
    """The code of what was typed, a code or a whole name in any case; empty where it is neither, or names several.

    names   code: name
    """
    wanted = typed.strip().lower()
    codes = [code for code in names if code.lower() == wanted] or [code for code, name in names.items() if name.lower() == wanted]
    return codes[0] if len(codes) == 1 else typed.strip() if typed.strip() in codes else ""


def nearest(typed: str, items: pd.DataFrame, history: pd.DataFrame, *, count: int = NEAREST) -> list[tuple[str, str]]:
    """The items that what was typed comes closest to, as (code, name): those whose code or name holds it, then look-alikes."""
    return alike(typed, _names(items, history), count=count)


def alike(typed: str, names: Mapping[str, str], *, count: int = NEAREST) -> list[tuple[str, str]]:
    """Of code: name those that what was typed comes closest to, as (code, name): first those that begin with it, then those that hold it."""
    wanted = typed.strip().lower()
    holds = [code for code, name in names.items() if wanted and (wanted in code.lower() or wanted in name.lower())]
    holds.sort(key=lambda code: not (code.lower().startswith(wanted) or names[code].lower().startswith(wanted)))
    close = {code: max(difflib.SequenceMatcher(None, wanted, text.lower()).ratio() for text in (code, name)) for code, name in names.items()}
    looks = [code for code in sorted(close, key=lambda code: (-close[code], code)) if close[code] >= 0.5 and code not in holds]
    return [(code, names[code]) for code in [*holds, *looks][:count]]


def _names(items: pd.DataFrame, history: pd.DataFrame) -> dict[str, str]:
    named = items["name"] if "name" in items.columns else items["item"]
    known = {str(code): str(name) if isinstance(name, str) else str(code) for code, name in zip(items["item"], named, strict=True)}
    return {**{str(code): str(code) for code in sorted(set(history["item"]))}, **known}


def _largest(plan: pd.DataFrame, months: Iterable[object] | None) -> str:
    rows = plan if months is None else plan[plan["month"].isin(pd.DatetimeIndex(list(months)))]
    size = rows.assign(money=rows["revenue"].fillna(0.0)).groupby("item")[["money", "consensus"]].sum()
    return "" if size.empty else str(size.sort_values(["money", "consensus"], ascending=False, kind="stable").index[0])


def _places(code: str, plan: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    """Where it is planned or was sold, the largest first."""
    both = [plan.loc[plan["item"] == code, ["location", "consensus"]].rename(columns={"consensus": "units"}),
            history.loc[history["item"] == code, ["location", "demand"]].rename(columns={"demand": "units"})]
    size = pd.concat(both, ignore_index=True).groupby("location")["units"].sum()
    return list(size.sort_values(ascending=False, kind="stable").index)


def _said(known: pd.DataFrame, column: str) -> str:
    value = known[column].iloc[0] if len(known) and column in known.columns else None
    return value if isinstance(value, str) else ""


def _of(table: pd.DataFrame | None, code: str, place: str) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame()
    return table[(table["item"] == code) & (table["location"] == place)] if place else table[table["item"] == code]


# --- its past -------------------------------------------------------------------------------------------------------


def _months(rows: pd.DataFrame) -> pd.DataFrame:
    """History of one item by month: sums over locations, flags where any of them has it."""
    sums = ["demand", "demand_raw", "learned", "revenue"]
    if rows.empty:
        return pd.DataFrame({"month": pd.Series(dtype="datetime64[ns]"), **{name: pd.Series(dtype="float64") for name in sums},
                             **{name: pd.Series(dtype=bool) for name in FLAGS}})
    full = rows.assign(**{name: rows["demand"] for name in sums if name not in rows.columns})
    full = full.assign(learned=full["learned"].fillna(full["demand"]), **{name: _flag(rows, name) for name in FLAGS})
    out = full.groupby("month", sort=True)
    return out[sums].sum().join(out[FLAGS].any()).reset_index()


def _flag(rows: pd.DataFrame, name: str) -> pd.Series:
    """A column as a flag: a number that is neither missing nor zero is one."""
    if name not in rows.columns:
        return pd.Series(False, rows.index)
    return rows[name].astype("float64").fillna(0.0) != 0


def _marks(past: pd.DataFrame, events: pd.DataFrame | None, code: str, family: str, place: str) -> pd.DataFrame:
    """What happened to it: month × kind, name, units (it was corrected by), effect (expected, fraction)."""
    moved = {"censored": past["demand"] - past["demand_raw"], "outlier": past["learned"] - past["demand"], "level_shift": pd.Series(np.nan, past.index)}
    rows = [pd.DataFrame({"month": past.loc[past[kind], "month"], "kind": kind, "name": None, "units": units[past[kind]], "effect": np.nan}) for kind, units in moved.items()]
    if events is not None and len(events):
        mine = ((events["level"] == "all") | ((events["level"] == "item") & (events["key"] == code)) | ((events["level"] == "family") & (events["key"] == family)))
        there = events["location"].fillna("all").isin({"all", "", place or "all"}) | (place == "")
        told = events[mine & there]
        rows.append(pd.DataFrame({"month": told["start"].dt.to_period("M").dt.to_timestamp(), "kind": "event", "name": told["name"].fillna(told["kind"]), "units": np.nan,
                                  "effect": told["effect"].astype("float64")}))
    kept = [part for part in rows if len(part)]
    out = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["month", "kind", "name", "units", "effect"])
    return out.drop_duplicates(["month", "kind", "name"]).sort_values(["month", "kind"], kind="stable").reset_index(drop=True)


def decompose(past: pd.DataFrame, *, season: int = 12, value: str = "learned", factor: pd.Series | None = None) -> pd.DataFrame:
    """Trend, season, holidays that move and remainder, by STL; robust, so that a month out of line stays in the remainder.

    past     month   value (units)
    factor   month → what holidays that move multiply demand by; None: nothing moves
    returns  month   demand, trend, season, calendar, remainder (units): demand is their sum, to rounding. No rows where
             the series has less than two seasons or a season of one month; a missing month is drawn as a line.

    Holidays that move are taken out before: calendar = demand − demand / factor. With less than STEADY_YEARS the season is
    the same each year, or it would swallow what is only chance.
    """
    none = pd.DataFrame(columns=["month", "demand", *PARTS])
    if past.empty or season < 2:
        return none
    y = past.set_index("month")[value].astype("float64")
    y = y.reindex(pd.date_range(y.index.min(), y.index.max(), freq="MS")).interpolate()
    if len(y) < 2 * season:
        return none
    from statsmodels.tsa.seasonal import STL

    usual = y / (1.0 if factor is None else factor.reindex(y.index).fillna(1.0).clip(lower=0.05))
    look = {"seasonal": 11} if len(y) >= STEADY_YEARS * season else {"seasonal": 10 * len(y) + 1, "seasonal_deg": 0}
    found = STL(usual.to_numpy(), period=season, robust=True, **look).fit()
    parts = {"trend": np.asarray(found.trend), "season": np.asarray(found.seasonal), "calendar": (y - usual).to_numpy()}
    out = pd.DataFrame({"month": y.index, "demand": y.to_numpy(), **parts})
    return out.assign(remainder=out["demand"] - out["trend"] - out["season"] - out["calendar"])[["month", "demand", *PARTS]]


def _factor(calendar_factors: pd.DataFrame | None, family: str) -> pd.Series | None:
    if calendar_factors is None or calendar_factors.empty or "family" not in calendar_factors.columns:
        return None
    mine = calendar_factors[calendar_factors["family"] == family]
    return mine.set_index("month")["factor"] if len(mine) else None


def strength(parts: pd.DataFrame) -> dict[str, float]:
    """How much of the movement is trend, and season: max(0, 1 − Var(remainder) / Var(part + remainder)); NaN without parts.

    returns  trend, season (fractions); year: trend now over trend a year ago, minus 1; low, high: season's least and
             most over the last year, as a share of the trend; calendar: the most that a holiday that moves made
    """
    if parts.empty:
        return dict.fromkeys(["trend", "season", "year", "low", "high", "calendar"], float("nan"))
    rest = parts["remainder"]
    out = {}
    for name in ("trend", "season"):
        both = float((parts[name] + rest).var())
        out[name] = max(0.0, 1 - float(rest.var()) / both) if both > 0 else 0.0
    last = parts.tail(12)
    level = float(last["trend"].mean())
    before = float(parts["trend"].iloc[-13]) if len(parts) > 12 else float("nan")
    out["year"] = float(parts["trend"].iloc[-1]) / before - 1 if before > 0 else float("nan")
    out["low"], out["high"] = (float(last["season"].agg(pick)) / level if level > 0 else float("nan") for pick in ("min", "max"))
    out["calendar"] = float(parts["calendar"].max()) / level if level > 0 else float("nan")
    return out


# --- its forecast ---------------------------------------------------------------------------------------------------


def models(scores: pd.DataFrame) -> pd.DataFrame:
    """The backtests of an item's models over its locations, the least error first.

    scores   frames.SCORES of one item
    returns  model   wape, bias (fractions), n (months tested), chosen (series that use it), series (that tried it)
    """
    if scores.empty:
        return pd.DataFrame(columns=["model", "wape", "bias", "n", "chosen", "series"])
    sums = scores.assign(error=scores["wape"] * scores["demand"], signed=scores["bias"] * scores["demand"], series=1)
    out = sums.groupby("model", sort=True)[["error", "signed", "demand", "n", "chosen", "series"]].sum().reset_index()
    size = out["demand"].where(out["demand"] > 0)
    out = out.assign(wape=out["error"] / size, bias=out["signed"] / size, chosen=out["chosen"].astype("int64"))
    return out.sort_values(["wape", "model"], kind="stable")[["model", "wape", "bias", "n", "chosen", "series"]].reset_index(drop=True)


def backtest(scores: pd.DataFrame) -> dict[str, float]:
    """Of one item's series: wape and bias of the models chosen, WAPE of the seasonal naive (fractions), months tested."""
    out = {"months": float(scores["n"].max()) if len(scores) else 0.0}
    picks = {"wape": scores["chosen"].astype(bool), "naive": scores["model"] == "SeasonalNaive"} if len(scores) else {}
    for name in ("wape", "naive"):
        rows = scores[picks[name] & scores["wape"].notna()] if name in picks else scores
        demand = float(rows["demand"].sum()) if len(rows) else 0.0
        out[name] = float((rows["wape"] * rows["demand"]).sum()) / demand if demand > 0 else float("nan")
        if name == "wape":
            out["bias"] = float((rows["bias"] * rows["demand"]).sum()) / demand if demand > 0 else float("nan")
    return out


def _plan(mine: dict[str, pd.DataFrame], past: pd.DataFrame) -> pd.DataFrame:
    """The plan by month with the band of the baseline; of several locations the band of their total."""
    names = [name for name in STREAMS if name in mine["plan"].columns]
    out = mine["plan"].groupby("month", sort=True)[names].sum(min_count=1).reset_index()
    ahead = mine["forecast"]
    if ahead.empty:
        band = frames.empty(frames.FORECAST)[["month", *BANDS]]
    elif ahead.groupby(KEY).ngroups == 1:
        band = ahead[["month", *BANDS]]
    elif mine["tested"].empty:  # nothing tells how far its locations err together: as if all were right, or wrong, at once
        band = ahead.groupby("month", sort=True)[BANDS].sum().reset_index()
    else:
        band = engine.family_bands(ahead, mine["tested"])[["month", *BANDS]]
    out = out.merge(band, on="month", how="left")
    last = mine["past"]
    last = last[last["cycle"] == frames.next_month(out["month"].min(), -1)] if len(last) and len(out) else pd.DataFrame(columns=["month", "consensus"])
    out["last"] = out["month"].map(last.groupby("month")["consensus"].sum())
    ago = past.set_index("month")["demand"] if len(past) else pd.Series(dtype="float64")
    return out.assign(year_ago=[float(ago.get(frames.next_month(month, -12), np.nan)) for month in out["month"]])


def _versions(past_plans: pd.DataFrame) -> pd.DataFrame:
    if past_plans.empty:
        return pd.DataFrame(columns=["cycle", "month", "consensus"])
    return past_plans.groupby(["cycle", "month"], sort=True)["consensus"].sum().reset_index()


class Judged(Protocol):
    """What earlier plans said (cycle × month: consensus) and what came (month: demand): an item, or a family."""

    @property
    def versions(self) -> pd.DataFrame: ...

    @property
    def history(self) -> pd.DataFrame: ...


def record(one: Judged, *, lags: Sequence[int]) -> dict[str, float]:
    """How well earlier plans met the demand of an item, or of a family.

    returns  wape, bias (fractions), months: of frozen plans at the given lags; NaN and 0 where none can be judged
    """
    if one.versions.empty or one.history.empty:
        return {"wape": float("nan"), "bias": float("nan"), "months": 0}
    both = one.versions.merge(one.history[["month", "demand"]], on="month")
    lag = (both["month"].dt.year - both["cycle"].dt.year) * 12 + both["month"].dt.month - both["cycle"].dt.month + 1
    both = both[lag.isin(list(lags))]
    demand, error = float(both["demand"].sum()), both["consensus"] - both["demand"]
    if demand <= 0:
        return {"wape": float("nan"), "bias": float("nan"), "months": 0}
    return {"wape": float(error.abs().sum()) / demand, "bias": float(error.sum()) / demand, "months": int(both["month"].nunique())}
