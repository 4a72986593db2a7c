"""Stock policy: how much to hold, when to order, how much at a time, and what that costs against what the ERP holds.

The formulas are plain functions with their source, in `safety` (safety stock, fill rate, reorder points) and `order_sizes`
(economic quantities, newsvendor), and can be called from here. `policy` applies them to every item × location.
Months are the unit of time: a lead time in days becomes months by 365.25 / 12 days.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sopnb import door, frames, safety
from sopnb.order_sizes import (
    critical_ratio,
    eoq,
    eoq_with_backorders,
    eoq_with_discounts,
    eoq_with_production_rate,
    newsvendor,
    newsvendor_discrete,
    order_costs,
)
from sopnb.past_errors import (
    error_spread,
    errors_of_choice,
    lasted,
    level_from_sample,
    pattern_of,
    rows_of,
    shapes,
    standardised,
)
from sopnb.safety import (
    BY_PATTERN,
    cycle_service,
    fill_at,
    fill_rate,
    fill_rate_periodic,
    level_for_cycle,
    level_for_fill,
    order_up_to,
    reorder_point,
    safety_for_cycle,
    safety_for_fill,
    safety_stock,
    service_at,
    shortage,
    shortage_at,
    spread,
    unit_loss,
)

__all__ = [
    "BY_PATTERN", "DISTRIBUTIONS", "by_class", "critical_ratio", "cycle_service", "doubtful", "eoq", "eoq_with_backorders", "eoq_with_discounts",
    "eoq_with_production_rate", "error_spread", "fill_at", "fill_rate", "fill_rate_periodic", "lasted", "lead_times", "level_for_cycle", "level_for_fill",
    "level_from_sample", "newsvendor", "newsvendor_discrete", "order_costs", "order_up_to", "policy", "reorder_point", "safety_for_cycle",
    "safety_for_fill", "safety_stock", "service_at", "shortage", "shortage_at", "spread", "together", "unit_loss"]

DAYS = 365.25 / 12  # days in a month
SERIES = ["item", "location"]
DISTRIBUTIONS = (*safety.DISTRIBUTIONS, "empirical")  # empirical: the shape of past errors, see `past_errors`


WANTS = {"plan": door.Wants("item location month", "consensus"), "tested": door.Wants("item location origin month* model", "forecast demand lag", once=False),
         "items": door.Wants("item", "", "unit_cost lead_time_days lead_time_sd_days moq lot_multiple service_class safety_stock reorder_point"),
         "lanes": door.Wants("item location", "transit_days")}


# --- what the formulas need, from the tables ------------------------------------------------------------------------

def lead_times(items, keys, *, lanes=None, lead_time_days=30):
    """Lead time of every series, in days: the item's own, plus the transit where another location supplies it.

    items    item                lead_time_days, lead_time_sd_days
    keys     item × location
    lanes    item × location     transit_days; optional
    returns  item × location     lead_days, lead_sd_days; in the order of keys

    A time below zero cannot be: it is read as missing, and `doubtful` says so.
    """
    items, lanes = door.enter(WANTS, {"items": items, "lanes": lanes})
    own = items.set_index("item")
    out = keys[SERIES].reset_index(drop=True)
    days, deviation = (out["item"].map(own[name]).astype("float64") for name in ("lead_time_days", "lead_time_sd_days"))
    out["lead_days"] = days.where(days >= 0).fillna(lead_time_days)
    out["lead_sd_days"] = deviation.where(deviation >= 0).fillna(0.0)
    if lanes is not None and len(lanes):
        transit = lanes.assign(transit_days=lanes["transit_days"].clip(lower=0)).groupby(SERIES, as_index=False)["transit_days"].max()
        out["lead_days"] += out.merge(transit, on=SERIES, how="left")["transit_days"].fillna(0.0).to_numpy()
    return out


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
    errors = errors_of_choice(tested, scores)
    errors = errors.assign(location="all", model="chosen").groupby(["item", "location", "origin", "month", "lag", "model"], as_index=False)[
        ["forecast", "demand"]].sum() if len(errors) else tested
    if segments is not None:
        segments = segments.sort_values("abc", kind="stable").assign(location="all").drop_duplicates(SERIES)
    return plan, _as_one(stock, ["as_of"], "on_hand"), _as_one(receipts, ["order", "due_date"], "quantity"), errors, None, segments, True


def _as_one(table, keys, quantity):
    return None if table is None else table.assign(location="all").groupby([*SERIES, *keys], as_index=False, dropna=False)[[quantity]].sum()


# --- the policy -----------------------------------------------------------------------------------------------------

def policy(plan, tested, items, *, service: Mapping[str, float], segments=None, scores=None, lanes=None, lead_time_days=30,
           review_days=30, review="periodic", measure="cycle", holding_rate=0.20, order_cost=0.0, least=6, distribution=None):
    """Stock policy of every item × location in the plan.

    plan      item × location × month    consensus (units)
    tested    item × location × origin × month × model   forecast, demand, lag
    items     item                       unit_cost, lead_time_days, lead_time_sd_days, moq, lot_multiple, service_class, safety_stock, …
    service   class: target              fraction
    measure   what targets mean: cycle (service level) or fill (fill rate), for all or class: word; cycle where a class has none
    review    periodic: the stock must last L + R, with R = review_days; continuous: L
    distribution  of demand over that time: a name of DISTRIBUTIONS for all, or pattern: name; None: by pattern, normal for smooth
              demand and where no pattern is known, gamma for erratic, negative binomial for intermittent and lumpy.
              empirical takes the shape of past errors of the pattern, where there are enough
    returns   POLICY
    raises    FrameError: columns that are lacking; ValueError: unknown review, measure or distribution; no class with a target between 0 and 1

    sigma = √((L + R)·σ_e² + d²·σ_L²), with σ_e from forecast errors and d from the coming months
    safety stock = level − d·(L + R), the level that serves the target; z·sigma where normal; rounded up to whole units
    reorder point = d·L + safety stock;  order-up-to = d·(L + R) + safety stock, or reorder point + order quantity when continuous
    order quantity = the largest of moq, eoq and what a review period uses, in multiples. Fill rates count shortages against it
    difference, reorder_difference = computed minus ERP, at cost;  order_difference = what the economic quantity would cost a
    year (ordering and holding) minus what the ERP's rules cost: its least order, or what a review period uses where that is more

    Nothing is held for an item without coming demand. Where no error is known, or its class has no possible target, the ERP's
    safety stock stands (basis erp). The ERP's figures are per item: they are shared among its locations by coming demand, so
    that their total stays theirs.
    """
    measures = set(measure.values()) if isinstance(measure, Mapping) else {measure}
    if review not in ("periodic", "continuous") or measures - {"cycle", "fill"}:
        raise ValueError(f"review is periodic or continuous, measure is cycle or fill; not {review}, {measure}.")
    plan, tested, items, lanes = door.enter(WANTS, {"plan": plan, "tested": tested, "items": items, "lanes": lanes})
    plan, items = plan.assign(consensus=plan["consensus"].clip(lower=0.0)), items.assign(unit_cost=items["unit_cost"].where(items["unit_cost"] >= 0))
    out = plan[SERIES].drop_duplicates().sort_values(SERIES, kind="stable").reset_index(drop=True)
    lead = lead_times(items, out, lanes=lanes, lead_time_days=lead_time_days)
    out["lead_months"] = lead["lead_days"] / DAYS
    out["protection"] = out["lead_months"] + (review_days / DAYS if review == "periodic" else 0.0)
    out["lags"] = np.ceil(out["protection"] - 1e-9).clip(lower=1).astype(int)
    out["demand"], out["year"] = _coming(plan, out)
    out = _with_errors(out, error_spread(tested, scores, segments, protection=out, least=least))
    own = items.set_index("item")
    out["cost"] = out["item"].map(own["unit_cost"]).astype("float64")
    out["service_class"], out["service_target"] = _targets(out, own, segments, service)
    out["measure"] = out["service_class"].map(dict(measure)).fillna("cycle") if isinstance(measure, Mapping) else measure
    out["distribution"] = _distributions(out, segments, distribution)
    out["sigma"] = spread(out["error_sd"].fillna(0), out["protection"], out["demand"], lead["lead_sd_days"] / DAYS)
    out = _order_sizes(out, own, review_days, order_cost, holding_rate)
    for ours, theirs in (("erp_safety_stock", "safety_stock"), ("erp_reorder_point", "reorder_point")):
        out[ours] = _share_out(out, own[theirs].astype("float64"))
    known = shapes(standardised(tested, scores, segments, protection=out, least=least)) if (out["distribution"] == "empirical").any() else {}
    out = _safety(out, _Protection(out, pattern_of(out, segments), known))
    out["sigma"] = out["sigma"].where(out["error_sd"].notna())  # what is not known is not zero
    out["reorder_point"] = reorder_point(out["demand"], out["lead_months"], out["safety_stock"])
    refill = out["demand"] * review_days / DAYS if review == "periodic" else out["order_quantity"]
    out["order_up_to"] = out["reorder_point"] + refill
    out["difference"] = (out["safety_stock"] - out["erp_safety_stock"]) * out["cost"]
    out["reorder_difference"] = (out["reorder_point"] - out["erp_reorder_point"]) * out["cost"]
    return frames.conform(out[frames.POLICY.names], frames.POLICY)


class _Protection:
    """Demand over the months to last, of every series: levels that serve a target, and what a level serves."""

    def __init__(self, out, pattern, known):
        self.mean, self.sigma, self.lot = (out["demand"] * out["protection"]).to_numpy(), out["sigma"].to_numpy(), out["order_quantity"].to_numpy()
        empirical = (out["distribution"] == "empirical").to_numpy() & (self.sigma > 0)
        self.named = out["distribution"].replace("empirical", "normal").to_numpy()
        self.shapes = [(rows & empirical, shape) for rows, shape in rows_of(pattern, known)]

    def level(self, target, measure):
        out = np.full(len(target), np.nan)
        cycle, fill = measure == "cycle", measure == "fill"
        out[cycle] = level_for_cycle(self.mean[cycle], self.sigma[cycle], target[cycle], self.named[cycle])
        out[fill] = level_for_fill(self.mean[fill], self.sigma[fill], target[fill], self.lot[fill], self.named[fill])
        for rows, shape in self.shapes:
            wanted, sigma = target[rows], self.sigma[rows]
            by_fill = shape.factor_for_loss((1 - wanted) * self.lot[rows] / sigma)
            out[rows] = self.mean[rows] + np.where(measure[rows] == "cycle", shape.factor(wanted), by_fill) * sigma
        return out

    def service(self, level):
        out = service_at(level, self.mean, self.sigma, self.named)
        for rows, shape in self.shapes:
            out[rows] = shape.below((level[rows] - self.mean[rows]) / self.sigma[rows])
        return out

    def filled(self, level):
        out = fill_at(level, self.mean, self.sigma, self.lot, self.named)
        for rows, shape in self.shapes:
            short = self.sigma[rows] * shape.loss((level[rows] - self.mean[rows]) / self.sigma[rows])
            out[rows] = 1 - short / np.where(self.lot[rows] > 0, self.lot[rows], np.nan)
        return np.clip(out, 0.0, None)


def _safety(out, protection):
    """Safety stock for the target, and the service that it and the ERP's figure can be expected to give."""
    level = protection.level(out["service_target"].to_numpy(), out["measure"].to_numpy())
    known = out["error_sd"].notna() & out["service_target"].notna()
    out["basis"] = out["basis"].where(known, np.where(out["erp_safety_stock"].notna(), "erp", "none"))
    computed = np.ceil(np.maximum(level - protection.mean, 0) - 1e-9)
    held = np.where(known, computed, out["erp_safety_stock"].fillna(0.0))
    out["safety_stock"] = np.where(out["year"] > 0, held, 0.0)
    judged = (out["error_sd"].notna() & (out["year"] > 0)).to_numpy()
    for prefix in ("", "erp_"):
        stock = protection.mean + out[f"{prefix}safety_stock"].to_numpy()
        out[f"{prefix}cycle_service"] = np.where(judged, protection.service(stock), np.nan)
        out[f"{prefix}fill_rate"] = np.where(judged & (protection.lot > 0), protection.filled(stock), np.nan)
    return out


def _order_sizes(out, own, review_days, order_cost, holding_rate):
    """The economic quantity, the quantity to order, what the ERP's rules order, and what the two cost a year apart."""
    moq, multiple = (out["item"].map(own[name]).astype("float64") for name in ("moq", "lot_multiple"))
    step = multiple.where(multiple > 0, 1.0)
    used = out["demand"] * review_days / DAYS
    holding = holding_rate * out["cost"]
    out["eoq"] = pd.Series(eoq(out["year"], order_cost, holding), index=out.index).replace(np.inf, np.nan) if order_cost > 0 else np.nan
    out["order_quantity"] = np.ceil(np.fmax(np.fmax(moq.fillna(0), out["eoq"]), used) / step - 1e-9).clip(lower=0) * step
    out["erp_order_quantity"] = np.ceil(np.fmax(moq.fillna(0), used) / step - 1e-9).clip(lower=0) * step
    theirs = order_costs(out["erp_order_quantity"], out["year"], order_cost, holding)
    apart = order_costs(out["eoq"], out["year"], order_cost, holding) - theirs
    out["order_difference"] = apart.where(out["eoq"] > 0)
    return out


def by_class(policy, items):
    """What the ERP holds against what is computed, class by class, in money.

    policy   POLICY
    items    item            unit_cost (money a unit)
    returns  service_class   service_target, series (count), safety_stock, erp_safety_stock, difference, reorder_difference (money
             at cost), cycle_service, erp_cycle_service (of the series weighed by coming demand at cost); the lowest target last

    Series for which the ERP has no figure, or without a cost, count in neither sum.
    """
    cost = policy["item"].map(items.set_index("item")["unit_cost"]).astype("float64")
    table = policy[["service_class", "service_target", "difference", "reorder_difference"]].assign(series=1)
    both = policy["erp_safety_stock"].notna()
    for name in ("safety_stock", "erp_safety_stock"):
        table[name] = (policy[name] * cost).where(both)
    weight = policy["demand"] * cost
    judged = weight.where(policy["cycle_service"].notna() & policy["erp_cycle_service"].notna())
    for name in ("cycle_service", "erp_cycle_service"):
        table[name] = policy[name] * judged
    sums = table.assign(weight=judged).groupby("service_class", as_index=False).agg(
        {"service_target": "first", "series": "sum", "safety_stock": "sum", "erp_safety_stock": "sum", "difference": "sum",
         "reorder_difference": "sum", "cycle_service": "sum", "erp_cycle_service": "sum", "weight": "sum"})
    for name in ("cycle_service", "erp_cycle_service"):
        sums[name] = sums[name] / sums["weight"].where(sums["weight"] > 0)
    return sums.drop(columns="weight").sort_values(["service_target", "service_class"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _coming(plan, keys):
    """Mean demand a month over the protection time, and the demand of the first twelve months."""
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
    """Class and target: the item's own class, else its ABC class, else the lowest target. Missing where the target cannot be."""
    possible = _possible(service)
    if not possible:
        raise ValueError(f"No class has a service target between 0 and 1, as A: 0.98; there is {dict(service)}.")
    named = out["item"].map(own["service_class"])
    abc = None if segments is None else out.merge(segments[[*SERIES, "abc"]], on=SERIES, how="left")["abc"]
    kind = named.where(named.isin(list(service)), abc if abc is not None else None)
    lowest = min(possible, key=lambda name: (possible[name], name))
    kind = kind.where(kind.isin(list(service)), lowest)
    return kind, kind.map(possible).astype("float64")


def _possible(service):
    return {name: target for name, target in service.items() if 0 < target < 1}


def _distributions(out, segments, chosen):
    """The distribution of each series by its pattern; one name for all where one is asked for."""
    names = {chosen} if isinstance(chosen, str) else set((BY_PATTERN if chosen is None else chosen).values())
    if unknown := sorted(names - set(DISTRIBUTIONS)):
        raise ValueError(f"distribution is one of {', '.join(DISTRIBUTIONS)}; not {unknown[0]}.")
    if isinstance(chosen, str):
        return pd.Series(chosen, index=out.index)
    return pattern_of(out, segments).map(dict(BY_PATTERN if chosen is None else chosen)).fillna("normal")


def _share_out(out, held):
    """An item's figure shared among its locations by coming demand; equally where none is coming."""
    demand = out.groupby("item")["year"].transform("sum")
    share = (out["year"] / demand).where(demand > 0, 1 / out.groupby("item")["item"].transform("size"))
    return out["item"].map(held) * share


# --- what cannot be -------------------------------------------------------------------------------------------------

def doubtful(items, *, service: Mapping[str, float], lanes=None):
    """Master data of the stock policy that cannot be, or that no rule of this company knows; the policy comes out all the same.

    items    item              lead_time_days, lead_time_sd_days, moq, lot_multiple, service_class
    service  class: target     fraction
    lanes    item × location   transit_days; optional
    returns  SUPPLY_FINDINGS; each with its first row, and in its sentence what is done instead and what to mend

    Lead times below zero are read as missing, zero least orders as none; a class that no target names takes the item's ABC
    class or the lowest target; a class whose target cannot be reached keeps the ERP's safety stock. Netting looks at items and
    lanes too: rows with the same id say the same, and one of them is enough.
    """
    left_out: list[dict | None] = []
    items, lanes = door.enter(WANTS, {"items": items, "lanes": lanes}, lambda *fault: left_out.append(_left_out(*fault)))
    classes = items["service_class"]
    possible = _possible(service)
    found = [
        *left_out,
        _finding("items", items, items["unit_cost"] < 0, "cost_negative", "unit_cost"),
        _finding("items", items, items["lead_time_days"] < 0, "lead_negative", "lead_time_days"),
        _finding("items", items, items["lead_time_sd_days"] < 0, "lead_sd_negative", "lead_time_sd_days"),
        _finding("items", items, (items["moq"] == 0) & (items["lot_multiple"] > 0), "moq_zero", "moq", severity="info"),
        _finding("items", items, _off_multiple(items), "moq_off_multiple", "moq", severity="info"),
        _finding("items", items, classes.notna() & ~classes.isin(list(service)), "unknown_class", "service_class", allowed=", ".join(service)),
        _finding("items", items, classes.isin([name for name in service if name not in possible]), "impossible_target", "service_class",
                 targets=", ".join(f"{name} {target:g}" for name, target in service.items() if name not in possible))]
    if lanes is not None:
        found.append(_finding("lanes", lanes, lanes["transit_days"] < 0, "lane_negative", "transit_days"))
    return frames.conform(pd.DataFrame([row for row in found if row], columns=frames.SUPPLY_FINDINGS.names), frames.SUPPLY_FINDINGS)


def _off_multiple(items):
    """A least order that is no multiple of the lot: orders are larger than it."""
    lots = items["moq"] / items["lot_multiple"].where(items["lot_multiple"] > 0)
    return (items["moq"] > 0) & ((lots - lots.round()).abs() > 1e-6)


def _left_out(source, table, hit, rule, column):
    """A finding for rows that the door has left out."""
    return _finding(source, table, pd.Series(hit, index=table.index), rule, column)


def _finding(source, table, hit, rule, column, *, severity="amber", **values):
    """One finding, or None where no row is concerned; the first row is named by its key and what stands there."""
    rows = table[hit.fillna(False)]
    if rows.empty:
        return None
    met = rows.iloc[0][column]
    key = " · ".join(str(rows.iloc[0][name]) for name in SERIES if name in rows)
    first = f"{key}: {met if met is None or isinstance(met, str) else format(met, 'g')}"
    told = {"source": source, "column": column, "rows": len(rows), "of_rows": len(table), "first": first, **values}
    return {"id": f"{source}-{rule}", "source": source, "rule": f"findings.{rule}", "column": column, "rows": len(rows), "of_rows": len(table),
            "amount": np.nan, "share": len(rows) / len(table), "severity": severity, "first": first,
            "values": json.dumps(told, ensure_ascii=False, sort_keys=True)}
