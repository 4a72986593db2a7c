"""Stock policy: how much to hold, when to order, how much at a time, and what that costs against what the ERP holds.

The formulas come first, as plain functions with their source; `policy` applies them to every item × location.
Months are the unit of time: a lead time in days becomes months by 365.25 / 12 days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sopnb import frames

DAYS = 365.25 / 12  # days in a month
SERIES = ["item", "location"]


# --- the formulas ---------------------------------------------------------------------------------------------------

def spread(error_sd, lead, demand, lead_sd):
    """Standard deviation of demand over the lead time: √(L·σ_e² + d²·σ_L²).

    error_sd  σ_e, units per month: standard deviation of the forecast error
    lead      L, months covered: the lead time, and the review period where stock is looked at periodically
    demand    d, units per month
    lead_sd   σ_L, months: standard deviation of the lead time
    source    Chopra and Meindl, Supply Chain Management, "Impact of supply uncertainty on safety inventory"

    >>> round(float(spread(500, 7, 2500, 7)))
    17550
    """
    return np.sqrt(np.asarray(lead, float) * np.square(error_sd) + np.square(np.asarray(demand, float) * lead_sd))


def safety_for_cycle(sigma, target):
    """Safety stock for a cycle service level, the chance of no shortage in a replenishment cycle: z·σ.

    sigma   units, from `spread`
    target  fraction
    source  Chopra and Meindl; weekly demand 2,500 ± 500, lead time 2 weeks, 90 %: 906 units

    >>> round(float(safety_for_cycle(spread(500, 2, 2500, 0), 0.90)))
    906
    """
    from scipy.special import ndtri

    return ndtri(np.asarray(target, float)) * np.asarray(sigma, float)


def unit_loss(k):
    """Unit normal loss G(k) = φ(k) − k·(1 − Φ(k)): units expected short, in standard deviations.

    source  Silver, Pyke and Peterson, Inventory Management and Production Planning and Scheduling, table B.1

    >>> round(float(unit_loss(1.0)), 4)
    0.0833
    """
    from scipy.special import ndtr

    k = np.asarray(k, float)
    return np.exp(-0.5 * k * k) / math.sqrt(2 * math.pi) - k * ndtr(-k)


def fill_rate(safety, sigma, quantity):
    """Fill rate that a safety stock gives: 1 − σ·G(ss/σ) / Q.

    quantity  Q, units ordered at a time
    source    Chopra and Meindl; ss 1,000, σ 707, Q 10,000: 0.9975

    >>> round(float(fill_rate(1000, 707, 10000)), 4)
    0.9975
    """
    return 1 - np.asarray(sigma, float) * unit_loss(np.asarray(safety, float) / sigma) / quantity


def safety_for_fill(sigma, target, quantity):
    """Safety stock for a fill rate β, the share of demand served: ss = k·σ with σ·G(k) = (1 − β)·Q.

    Never below zero: where the lot alone gives the fill rate, no safety stock is needed.
    source  Chopra and Meindl; σ 707, Q 10,000, 97.5 %: 67 units

    >>> round(float(safety_for_fill(707.1, 0.975, 10000)))
    67
    """
    sigma, target, quantity = np.broadcast_arrays(*(np.asarray(v, float) for v in (sigma, target, quantity)))
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.where(sigma > 0, (1 - target) * quantity / sigma, np.inf)
    low, high = np.zeros(sigma.shape), np.full(sigma.shape, 8.0)
    for _ in range(60):  # halving: G falls with k, and 60 halvings of 8 leave no digit open
        middle = (low + high) / 2
        above = unit_loss(middle) > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(unit_loss(0.0) <= wanted, 0.0, low * sigma)


def eoq(demand, order_cost, holding_cost):
    """Economic order quantity √(2·K·D / h).

    demand        D, units a year
    order_cost    K, money an order
    holding_cost  h, money a unit and year
    source        Harris (1913); Chopra and Meindl: D 12,000, K 4,000, h 0.2 × 500: 980 units

    >>> round(float(eoq(12000, 4000, 100)))
    980
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(2 * np.asarray(demand, float) * order_cost / np.asarray(holding_cost, float))


# --- what the formulas need, from the tables ------------------------------------------------------------------------

def lead_times(items, keys, *, lanes=None, lead_time_days=30):
    """Lead time of every series, in days: the item's own, plus the transit where another location supplies it.

    items    item                lead_time_days, lead_time_sd_days
    keys     item × location
    lanes    item × location     transit_days; optional
    returns  item × location     lead_days, lead_sd_days; in the order of keys
    """
    own = items.set_index("item")
    out = keys[SERIES].reset_index(drop=True)
    out["lead_days"] = out["item"].map(own["lead_time_days"]).astype("float64").fillna(lead_time_days)
    out["lead_sd_days"] = out["item"].map(own["lead_time_sd_days"]).astype("float64").fillna(0.0)
    if lanes is not None and len(lanes):
        transit = lanes.groupby(SERIES, as_index=False)["transit_days"].max()
        out["lead_days"] += out.merge(transit, on=SERIES, how="left")["transit_days"].fillna(0.0).to_numpy()
    return out


def error_spread(tested, scores=None, segments=None, *, cover, least=6):
    """Root mean square of the forecast error of each series, over the lags its lead time covers.

    tested    item × location × origin × month × model   forecast, demand, lag
    scores    item × location × model                    chosen; without it every model tested counts
    segments  item × location                            pattern; series with few errors borrow from those like them
    cover     item × location                            lags (months the stock must last)
    least     errors below which a series borrows the relative error of its pattern
    returns   item × location                            error_sd (units per month), basis (own, pooled or none)

    Root mean square, not the spread about the mean: a forecast that is always short needs the same protection as one
    that is short by chance. Pooled: √(Σe² / Σm²) over series of one pattern, times m, with m a series' mean demand.
    """
    out = cover[[*SERIES, "lags"]].copy()
    errors = _errors_of_choice(tested, scores)
    if errors.empty:
        return out[SERIES].assign(error_sd=np.nan, basis="none")
    last = int(errors["lag"].max())
    errors = errors.merge(out, on=SERIES)
    errors = errors[errors["lag"] <= errors["lags"].clip(1, last)]
    errors = errors.assign(square=(errors["forecast"] - errors["demand"]) ** 2)
    own = errors.groupby(SERIES, as_index=False).agg(square=("square", "mean"), level=("demand", "mean"), n=("square", "size"))
    out = out.merge(own, on=SERIES, how="left")
    out["pattern"] = "all" if segments is None else out.merge(segments[[*SERIES, "pattern"]], on=SERIES, how="left")["pattern"].fillna("all").to_numpy()
    out["relative"] = _pooled(out, least)
    thin = out["n"].fillna(0) < least
    out["error_sd"] = np.sqrt(out["square"]).where(~thin, out["relative"] * out["level"])
    out["basis"] = np.where(out["error_sd"].isna(), "none", np.where(thin, "pooled", "own"))
    return out[[*SERIES, "error_sd", "basis", "relative"]]


def _errors_of_choice(tested, scores):
    """Errors of the model chosen for each series; all models where no choice is given for the series."""
    if tested is None or not len(tested):
        return pd.DataFrame(columns=[*SERIES, "lag", "forecast", "demand"])
    known = tested[tested["demand"].notna() & tested["forecast"].notna()]
    if scores is None:
        return known
    chosen = scores.loc[scores["chosen"], [*SERIES, "model"]]
    ours = known.merge(chosen, on=[*SERIES, "model"])
    without = known.merge(ours[SERIES].drop_duplicates(), on=SERIES, how="left", indicator="_side")
    return pd.concat([ours, without[without["_side"] == "left_only"].drop(columns="_side")], ignore_index=True)


def _pooled(table, least):
    """Relative error by pattern, from series with enough errors; of all series where a pattern has none."""
    enough = table[table["n"].fillna(0) >= least]
    enough = enough if len(enough) else table[table["n"].fillna(0) > 0]
    enough = enough.assign(level2=enough["level"] ** 2)
    sums = enough.groupby("pattern")[["square", "level2"]].sum()
    by_pattern = np.sqrt(sums["square"] / sums["level2"].where(sums["level2"] > 0))
    total = enough["level2"].sum()
    overall = math.sqrt(enough["square"].sum() / total) if total > 0 else float("nan")
    return table["pattern"].map(by_pattern).astype("float64").fillna(overall)


def together(plan, stock, receipts, *, tested=None, scores=None, segments=None):
    """The tables of supply for all locations as one, where those who count stock and those who plan name no common place.

    plan, stock, receipts    item × location × …
    tested, scores, segments item × location × …; of tested only the errors of the model chosen for each series are kept
    returns                  the six tables in this order, and whether they were put together; unchanged where places agree
    """
    if not frames.apart(plan, stock) and not frames.apart(plan, receipts):
        return plan, stock, receipts, tested, scores, segments, False
    whole = {name: column.dtype.kind == "f" for name, column in plan.items()}
    plan = plan.assign(location="all", amount=plan["consensus"] * plan["price"]).groupby(["item", "location", "month"], as_index=False)[
        [*(name for name, number in whole.items() if number), "amount"]].sum()
    plan["price"] = plan.pop("amount") / plan["consensus"].where(plan["consensus"] > 0)
    errors = _errors_of_choice(tested, scores)
    errors = errors.assign(location="all", model="chosen").groupby(["item", "location", "origin", "month", "lag", "model"], as_index=False)[
        ["forecast", "demand"]].sum() if len(errors) else tested
    if segments is not None:
        segments = segments.sort_values("abc", kind="stable").assign(location="all").drop_duplicates(SERIES)
    return plan, _as_one(stock, ["as_of"], "on_hand"), _as_one(receipts, ["order", "due_date"], "quantity"), errors, None, segments, True


def _as_one(table, keys, quantity):
    return None if table is None else table.assign(location="all").groupby([*SERIES, *keys], as_index=False, dropna=False)[[quantity]].sum()


# --- the policy -----------------------------------------------------------------------------------------------------

def policy(plan, tested, items, *, service: Mapping[str, float], segments=None, scores=None, lanes=None, lead_time_days=30,
           review_days=30, review="periodic", measure="cycle", holding_rate=0.20, order_cost=0.0, least=6):
    """Stock policy of every item × location in the plan.

    plan      item × location × month    consensus (units)
    tested    item × location × origin × month × model   forecast, demand, lag
    items     item                       unit_cost, lead_time_days, lead_time_sd_days, moq, service_class, safety_stock, …
    service   class: target              fraction; `measure` says of what: cycle (service level) or fill (fill rate)
    review    periodic: the stock must last L + T, with T = review_days; continuous: L
    returns   POLICY: error_sd (units per month), safety_stock, reorder_point, order_up_to, eoq (units),
              difference (money: computed minus ERP safety stock, at cost), basis

    safety stock = z·√(L·σ_e² + d²·σ_L²), rounded up to whole units; σ_e from forecast errors, d from the coming months
    reorder point = d·L + safety stock;  order-up-to = d·(L + T) + safety stock, or reorder point + lot when continuous
    Nothing is held for an item without coming demand. Where no error is known, the ERP's safety stock stands (basis erp). The ERP's figures are per item: they are shared among its
    locations by coming demand, so that their total stays theirs.
    """
    if review not in ("periodic", "continuous") or measure not in ("cycle", "fill"):
        raise ValueError(f"review is periodic or continuous, measure is cycle or fill; not {review}, {measure}.")
    out = plan[SERIES].drop_duplicates().sort_values(SERIES, kind="stable").reset_index(drop=True)
    lead = lead_times(items, out, lanes=lanes, lead_time_days=lead_time_days)
    out["lead_months"] = lead["lead_days"] / DAYS
    out["cover"] = out["lead_months"] + (review_days / DAYS if review == "periodic" else 0.0)
    out["lags"] = np.ceil(out["cover"] - 1e-9).clip(lower=1).astype(int)
    out["demand"], out["year"] = _coming(plan, out)
    out = _with_errors(out, error_spread(tested, scores, segments, cover=out, least=least))
    own = items.set_index("item")
    out["cost"] = out["item"].map(own["unit_cost"]).astype("float64")
    out["service_class"], out["service_target"] = _targets(out, own, segments, service)
    out["eoq"] = eoq(out["year"], order_cost, holding_rate * out["cost"]) if order_cost > 0 else np.nan
    lot = np.fmax(np.fmax(out["item"].map(own["moq"]).astype("float64").fillna(0), out["eoq"].replace(np.inf, np.nan)), out["demand"] * review_days / DAYS)
    sigma = spread(out["error_sd"].fillna(0), out["cover"], out["demand"], lead["lead_sd_days"] / DAYS)
    raw = safety_for_cycle(sigma, out["service_target"]) if measure == "cycle" else safety_for_fill(sigma, out["service_target"], lot)
    for ours, theirs in (("erp_safety_stock", "safety_stock"), ("erp_reorder_point", "reorder_point")):
        out[ours] = _share_out(out, own[theirs].astype("float64"))
    out["basis"] = out["basis"].where(out["error_sd"].notna() | out["erp_safety_stock"].isna(), "erp")
    computed = np.ceil(np.maximum(raw, 0) - 1e-9)
    out["safety_stock"] = np.where(out["year"] > 0, np.where(out["basis"] == "erp", out["erp_safety_stock"], computed), 0.0)
    out["reorder_point"] = out["demand"] * out["lead_months"] + out["safety_stock"]
    out["order_up_to"] = out["reorder_point"] + (out["demand"] * review_days / DAYS if review == "periodic" else lot)
    out["difference"] = (out["safety_stock"] - out["erp_safety_stock"]) * out["cost"]
    return frames.conform(out[frames.POLICY.names], frames.POLICY)


def _coming(plan, keys):
    """Mean demand a month over the months the stock must cover, and the demand of the first twelve months."""
    wide = plan.pivot_table(index=SERIES, columns="month", values="consensus", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(pd.MultiIndex.from_frame(keys[SERIES])).fillna(0.0).to_numpy()
    months = wide.shape[1]
    covered = np.arange(months)[None, :] < keys["lags"].clip(upper=months).to_numpy()[:, None]
    return (wide * covered).sum(axis=1) / covered.sum(axis=1), wide[:, :12].sum(axis=1) * 12 / min(months, 12)


def _with_errors(out, errors):
    """The error of each series; one that was never tested takes the relative error of the others on its own demand."""
    out = out.merge(errors, on=SERIES, how="left")
    if "relative" in out:
        borrowed = out["error_sd"].isna() & out["relative"].notna() & (out["year"] > 0)
        out.loc[borrowed, "error_sd"] = out["relative"] * out["year"] / 12
        out.loc[borrowed, "basis"] = "pooled"
    return out


def _targets(out, own, segments, service):
    """Class and target: the item's own class, else its ABC class, else the lowest target."""
    named = out["item"].map(own["service_class"])
    abc = None if segments is None else out.merge(segments[[*SERIES, "abc"]], on=SERIES, how="left")["abc"]
    kind = named.where(named.isin(list(service)), abc if abc is not None else None)
    lowest = min(service, key=lambda name: (service[name], name))
    kind = kind.where(kind.isin(list(service)), lowest)
    return kind, kind.map(dict(service)).astype("float64")


def _share_out(out, held):
    """An item's figure shared among its locations by coming demand; equally where none is coming."""
    demand = out.groupby("item")["year"].transform("sum")
    share = (out["year"] / demand).where(demand > 0, 1 / out.groupby("item")["item"].transform("size"))
    return out["item"].map(held) * share
