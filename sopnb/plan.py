"""The demand plan: a baseline, and what events, new deals, leads, sales and people add to it, in units and in money.

    consensus = baseline + events + pipeline + leads + sales + override        units, each stream under its own name

Streams come in this order; each sees the plan as the streams before it left it. What is said for a family, for all
locations or for the total is spread by the shares of the plan so far (the proportional split), equally where all
is zero: so an absolute override is met exactly, and a cut never takes an item below zero while others have some left.
The plan is never below zero; what is cut off is charged to the stream that asked for it.

The baseline is learnt from history without the lift of past events (`lifts.without`), so that a planned one is added
once: its lift is stated against a usual month. What has run through the whole last month of history and goes on stays in
the baseline and is left out here. Holidays belong to the calendar and the season of the baseline and are left out too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames, pricing, siblings
from sopnb.overrides import apply, usual_errors
from sopnb.overrides import known as known_by

__all__ = ["STREAMS", "consensus", "month_share", "overrides", "unplaced", "usual_errors"]

STREAMS = ("baseline", "events", "pipeline", "leads", "sales", "override")
_KEY = ["item", "location", "month"]
# Where a number may be said, finest first: the columns that tell which rows it is meant for.
_SCOPES = {
    ("item", False): ["item", "location", "month"],
    ("item", True): ["item", "month"],
    ("family", False): ["family", "location", "month"],
    ("family", True): ["family", "month"],
    ("total", False): ["location", "month"],
    ("total", True): ["month"],
}


def consensus(
    forecast: pd.DataFrame,
    *,
    items: pd.DataFrame,
    months: Iterable[Any],
    as_of: Any,
    events: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    pipeline: pd.DataFrame | None = None,
    leads: pd.DataFrame | None = None,
    leads_weight: float | pd.DataFrame = 0.25,
    sales: pd.DataFrame | None = None,
    sales_weight: float | pd.DataFrame = 0.25,
    overrides: pd.DataFrame | None = None,
    prices: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The plan, stream by stream.

    forecast      item × location × month      baseline (units); months without a row count as zero
    items         item                         family, unit_price, unit_cost (money per unit)
    events        event                        start, end, level, key, location, effect (fraction of baseline),
                                               from_family (share of what an item wins that its siblings lose; may be missing)
    history       item × location × month      demand_raw, returns (units), revenue (money): the net price of 12 months
    pipeline      level × key × location × month   amount (money expected of new deals; see sales.pipeline)
    leads         level × key × location × month   leads, conversion (fraction), units (an order), owner
    leads_weight  fraction, or owner × weight: the plan grows by weight × leads × conversion × units
    sales         level × key × location × month   quantity (units), owner: what sales expects
    sales_weight  fraction, or owner × weight: the plan moves by weight × (what sales expects − plan so far); of
                  several statements on a row the finest counts, a family's is for what its items leave
    overrides     override                     see frames.OVERRIDES; taken in the order they were made
    prices        item × month                 price (money per unit), discount (fraction)
    returns       frames.PLAN: every series × month
                  revenue = consensus × price, margin = consensus × (price − unit_cost)
    """
    months = pd.DatetimeIndex(list(months))
    known = None if overrides is None else known_by(overrides, as_of)
    leads = None if leads is None else leads[leads["leads"] * leads["conversion"] * leads["units"] > 0]
    grid = _grid(forecast, items, months, [pipeline, leads, sales, known])
    grid["price"] = pricing.net(grid, items=items, prices=prices, history=history)["price"].to_numpy()
    now = grid["baseline"].to_numpy()
    now = _add(grid, "events", now, _events(grid, events))
    now = _add(grid, "pipeline", now, _pipeline(grid, now, pipeline))
    now = _add(grid, "leads", now, _leads(grid, now, leads, leads_weight))
    now = _add(grid, "sales", now, _sales(grid, now, sales, sales_weight))
    _add(grid, "override", now, apply(grid, now, known, as_of)[0])
    return _with_money(grid, items)


def overrides(
    plan: pd.DataFrame,
    overrides: pd.DataFrame | None,
    *,
    items: pd.DataFrame,
    as_of: Any,
    errors: pd.DataFrame | None = None,
    small: float = 0.5,
    small_share: float = 0.05,
) -> pd.DataFrame:
    """What became of each override that was made by the end of the month of `as_of`.

    plan       frames.PLAN, made by `consensus` from the same overrides
    errors     item × location × origin × lag   error (units), from `usual_errors`; their mean size, added up over the
               rows of an override case by case, is its noise
    returns    frames.OVERRIDES_USED; units and money it moved, its noise, and its state:
               used      it moved the plan
               small     it moved the plan by less than `small` of the noise (where no error is known, by less than
                         `small_share` of the baseline): with half of it, even a right one takes less than a tenth off
               expired   its last day, or its month, lies before as_of
               beyond    its month is after the plan's last
               conflict  another person says something else of the same cell: neither counts until one is taken out
               replaced  its owner said something of the cell later, or another person said the very same before
               unknown   no such item, family, location, level or kind, or no value
    """
    if overrides is None or overrides.empty:
        return frames.empty(frames.OVERRIDES_USED)
    grid = plan.merge(items[["item", "family"]], on="item", how="left")
    before = grid["baseline"] + grid["events"] + grid["pipeline"] + grid["leads"] + grid["sales"]
    _, used = apply(grid, before.to_numpy(), known_by(overrides, as_of), as_of, errors=errors, small=small, small_share=small_share)
    if used.empty:
        return frames.empty(frames.OVERRIDES_USED)
    return frames.conform(used[frames.OVERRIDES_USED.names], frames.OVERRIDES_USED)


def unplaced(items: pd.DataFrame, **streams: pd.DataFrame | None) -> pd.DataFrame:
    """What events, pipeline and sales say about items and families that the item master does not have: it is in no plan.

    streams   name: level × key table; None is skipped
    returns   stream × key   level, rows
    """
    known = {"item": set(items["item"]), "family": set(items["family"].dropna())}
    found = []
    for stream, table in streams.items():
        if table is None or table.empty:
            continue
        lost = table[[key not in known[level] if level in known else False for level, key in zip(table["level"], table["key"], strict=True)]]
        found.append(lost.groupby(["level", "key"], as_index=False, dropna=False).size().rename(columns={"size": "rows"}).assign(stream=stream))
    names = ["stream", "key", "level", "rows"]
    return pd.concat(found, ignore_index=True)[names] if found else pd.DataFrame(columns=names)


def _add(grid: pd.DataFrame, stream: str, now: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Write what a stream adds, cut where the plan would fall below zero; returns the plan after it."""
    after = np.clip(now + asked, 0, None)
    grid[stream] = after - now
    return after


# --- the rows -------------------------------------------------------------------------------------------------------

def _grid(forecast: pd.DataFrame, items: pd.DataFrame, months: pd.DatetimeIndex, asks: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    """Every series × month with its family and its baseline, not below zero. A series nobody forecast but somebody
    speaks of (a new item) gets rows with a baseline of zero."""
    series = forecast[["item", "location"]].drop_duplicates()
    series = pd.concat([series, _spoken_of(series, items, asks)], ignore_index=True).drop_duplicates()
    grid = series.merge(pd.DataFrame({"month": months.astype("datetime64[ns]")}), how="cross")
    grid = grid.merge(forecast[[*_KEY, "baseline"]], on=_KEY, how="left")
    grid["baseline"] = grid["baseline"].fillna(0.0).clip(lower=0)
    grid = grid.merge(items[["item", "family"]], on="item", how="left")
    return grid.sort_values(_KEY, kind="stable").reset_index(drop=True)


def _spoken_of(series: pd.DataFrame, items: pd.DataFrame, asks: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    """item × location of known items that are spoken of but have no forecast; `all` is every location there is."""
    places = sorted(series["location"].unique()) or ["all"]
    have, have_items = set(map(tuple, series.to_numpy())), set(series["item"])
    by_family = items.groupby("family")["item"].apply(list).to_dict()
    known, new = set(items["item"]), []
    for table in asks:
        if table is None or table.empty:
            continue
        for level, key, location in table[["level", "key", "location"]].drop_duplicates().itertuples(index=False):
            named = [key] if level == "item" and key in known else by_family.get(key, []) if level == "family" else []
            if level == "family" and have_items & set(named):
                continue
            for item in named:
                if not _everywhere(location):
                    new += [(item, location)] if location in places and (item, location) not in have else []
                elif item not in have_items:
                    new += [(item, place) for place in places]
    return pd.DataFrame(new, columns=["item", "location"], dtype=object)


def _looked_up(grid: pd.DataFrame, values: pd.Series, key: list[str]) -> pd.Series:
    wanted = pd.MultiIndex.from_frame(grid[key]) if len(key) > 1 else pd.Index(grid[key[0]])
    return pd.Series(values.reindex(wanted).to_numpy(dtype="float64"), index=grid.index)


def _with_money(grid: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    out = grid.copy()
    out["consensus"] = sum((out[name] for name in STREAMS[1:]), out["baseline"]).clip(lower=0)
    cost = _looked_up(out, items.set_index("item")["unit_cost"], ["item"])
    out["revenue"] = out["consensus"] * out["price"]
    out["margin"] = out["consensus"] * (out["price"] - cost)
    return frames.conform(out[frames.PLAN.names], frames.PLAN)


# --- the streams ----------------------------------------------------------------------------------------------------

def month_share(start: Any, end: Any, months: Iterable[Any]) -> np.ndarray:
    """Share of each month's days inside a window, both ends included.

    >>> month_share("2026-03-17", "2026-04-15", ["2026-03-01", "2026-04-01"]).round(4).tolist()
    [0.4839, 0.5]
    """
    index = pd.DatetimeIndex(list(months))
    first, days = index.to_numpy(dtype="datetime64[D]"), index.days_in_month.to_numpy()
    last = first + (days - 1).astype("timedelta64[D]")
    inside = np.minimum(last, np.datetime64(pd.Timestamp(end), "D")) - np.maximum(first, np.datetime64(pd.Timestamp(start), "D"))
    return np.clip(inside.astype(int) + 1, 0, None) / days


def _events(grid: pd.DataFrame, events: pd.DataFrame | None) -> np.ndarray:
    """effect × share of the month's days in the window × baseline, summed over the events that are still news, less what
    siblings lose to them (`from_family`; a launch wins what its item is planned at)."""
    if events is None or events.empty or grid.empty:
        return np.zeros(len(grid))
    months = pd.DatetimeIndex(grid["month"].unique())
    keys, baseline = grid.iloc[:: len(months)], grid["baseline"].to_numpy().reshape(-1, len(months))  # every series has every month
    group = keys.groupby(["family", "location"], dropna=False, sort=True).ngroup().to_numpy()
    lift, lost = np.zeros(baseline.shape), np.zeros(baseline.shape)
    news = events[(events["start"] > frames.next_month(months.min(), -1)) & (events["end"] >= months.min()) & (events["kind"] != "holiday")]
    for event in news.sort_values("event", kind="stable").to_dict("records"):
        mine = _rows(keys, event["level"], event["key"], event["location"])
        effect = 0.0 if pd.isna(event["effect"]) else event["effect"]
        gain = np.where(mine[:, None], effect * month_share(event["start"], event["end"], months) * baseline, 0.0)
        lift += gain
        taken = event.get("from_family")
        if event["level"] == "item" and taken is not None and taken > 0:
            begun = (months >= frames.month(event["start"])) & (event["kind"] == "launch")
            lost += siblings.losses(gain + np.where(mine[:, None] & begun, baseline, 0.0), baseline, group, mine, taken)
    return (lift + lost).ravel()


def _pipeline(grid: pd.DataFrame, now: np.ndarray, pipeline: pd.DataFrame | None) -> np.ndarray:
    """Expected money of new deals, spread by the shares of the plan's money, in units at each row's price."""
    units = np.zeros(len(grid))
    if pipeline is None or pipeline.empty:
        return units
    price = grid["price"].fillna(0).to_numpy()
    for scope, asked in _by_scope(pipeline, "amount"):
        money = _asked(grid, asked, scope)
        share = _share(grid, now * price, scope, allowed=price > 0)
        units += np.divide(np.nan_to_num(money) * share, price, out=np.zeros(len(grid)), where=price > 0)
    return units


def expected(rows: pd.DataFrame, now: np.ndarray, sales: pd.DataFrame) -> np.ndarray:
    """What sales expects of each row, the finest statement first; missing where it says nothing.

    rows     item × location × month   family
    now      the plan before it, units: what is said for a family is spread by its shares
    """
    return _said(rows, now, sales.assign(weight=1.0).dropna(subset=["quantity"]))[0]


def _sales(grid: pd.DataFrame, now: np.ndarray, sales: pd.DataFrame | None, weight: float | pd.DataFrame) -> np.ndarray:
    """weight × (what sales expects − plan so far), the finest statement first."""
    if sales is None or sales.empty:
        return np.zeros(len(grid))
    asked, weights = _said(grid, now, sales.assign(weight=_weights(sales, weight)).dropna(subset=["quantity"]))  # an empty cell says nothing
    return np.where(np.isnan(asked), 0.0, weights * (asked - now))


def _said(grid: pd.DataFrame, now: np.ndarray, sales: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What sales expects of each row (missing where nothing), and the weight it is given."""
    found, weights = np.full(len(grid), np.nan), np.zeros(len(grid))
    for scope, asked in _by_scope(sales, "quantity", "weight"):
        quantity, said_weight = _asked(grid, asked, scope), _asked(grid, asked, scope, "weight")
        open_rows = np.isnan(found)
        finer = pd.Series(np.nan_to_num(found), index=grid.index).groupby([grid[c] for c in scope], dropna=False).transform("sum")
        rest = np.clip(quantity - finer.to_numpy(), 0, None)
        here = open_rows & ~np.isnan(quantity)
        found = np.where(here, rest * _share(grid, now, scope, allowed=open_rows), found)
        weights = np.where(here, said_weight, weights)
    return found, weights


def _leads(grid: pd.DataFrame, now: np.ndarray, leads: pd.DataFrame | None, weight: float | pd.DataFrame) -> np.ndarray:
    """weight × units that leads should bring, spread by the shares of the plan so far."""
    added = np.zeros(len(grid))
    if leads is None or leads.empty:
        return added
    promised = leads.assign(quantity=_weights(leads, weight) * leads["leads"] * leads["conversion"] * leads["units"])
    for scope, asked in _by_scope(promised, "quantity"):
        added += np.nan_to_num(_asked(grid, asked, scope)) * _share(grid, now, scope, allowed=np.ones(len(grid), dtype=bool))
    return added


def _weights(sales: pd.DataFrame, weight: float | pd.DataFrame) -> Any:
    if not isinstance(weight, pd.DataFrame):
        return float(weight)
    by_owner = weight.set_index("owner")["weight"]
    return sales["owner"].fillna("").map(by_owner).fillna(0.0)  # an owner without a weight does not count


# --- who is meant ---------------------------------------------------------------------------------------------------

def _everywhere(location: Any) -> bool:
    return location is None or pd.isna(location) or location in ("", "all")


def _rows(grid: pd.DataFrame, level: Any, key: Any, location: Any) -> np.ndarray:
    """The rows an event is meant for."""
    meant = grid[level] == key if level in ("item", "family") else pd.Series(True, index=grid.index)
    return (meant if _everywhere(location) or location == "all" else meant & (grid["location"] == location)).to_numpy()


def _by_scope(asks: pd.DataFrame, *values: str) -> Iterable[tuple[list[str], pd.DataFrame]]:
    """The statements, finest first, each with the columns that tell its rows; statements on one scope are summed."""
    broad = asks["location"].map(_everywhere).astype(bool)
    for (level, everywhere), scope in _SCOPES.items():
        said = asks[(asks["level"] == level) & (broad == everywhere)]
        if said.empty:
            continue
        named = said.rename(columns={"key": level}) if level in ("item", "family") else said
        how = {name: "mean" if name == "weight" else "sum" for name in values}
        yield scope, named.groupby(scope, as_index=False).agg(how)


def _asked(grid: pd.DataFrame, asked: pd.DataFrame, scope: list[str], value: str | None = None) -> np.ndarray:
    """What was said for each row's scope, on every row of it; missing where nothing was."""
    value = value or next(name for name in asked.columns if name not in scope)
    return grid[scope].merge(asked, on=scope, how="left")[value].to_numpy(dtype="float64")


def _share(grid: pd.DataFrame, weight: np.ndarray, scope: list[str], *, allowed: np.ndarray) -> np.ndarray:
    """Each row's share of its scope: by weight over the allowed rows, equally where all weigh nothing."""
    keys = [grid[name] for name in scope]
    own = pd.DataFrame({"weight": np.where(allowed, weight, 0.0), "rows": allowed.astype(float)}, index=grid.index)
    sums = own.groupby(keys, dropna=False).transform("sum")
    equal = np.divide(own["rows"], sums["rows"], out=np.zeros(len(grid)), where=(sums["rows"] > 0).to_numpy())
    return np.divide(own["weight"], sums["weight"], out=np.asarray(equal), where=(sums["weight"] > 0).to_numpy())
