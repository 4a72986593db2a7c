"""How much to order where demand is steady, or comes only once: economic order quantities and the newsvendor.

Demand and costs are of one period, usually a year; whatever period demand counts in, holding cost counts in too. Holding is
charged on average stock (half a lot), as these models have it; planned shortages are backlogged. Every function takes
single figures or arrays; where costs are zero or missing the answer is infinite or missing, and no error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sopnb import safety


class Backorders(NamedTuple):
    """An economic order quantity with planned shortages, in units and money a period."""

    quantity: Any  # units an order
    shortage: Any  # units owed at most, just before an order arrives
    peak: Any  # units in stock at most
    cost: Any  # money a period: ordering, holding and backorders


class Run(NamedTuple):
    """An economic production quantity."""

    quantity: Any  # units a run
    peak: Any  # units in stock at most, when the run ends
    runs: Any  # runs a period
    cycle: Any  # periods from the start of one run to the next
    run: Any  # periods that one run lasts
    cost: Any  # money a period: setting up and holding


class Discounted(NamedTuple):
    """The cheapest order under quantity discounts."""

    quantity: Any  # units an order
    price: Any  # money a unit paid on average
    cost: Any  # money a period: buying, ordering and holding


class OneSeason(NamedTuple):
    """What a single order for a season is expected to bring."""

    quantity: Any  # units ordered
    ratio: Any  # critical ratio cu / (cu + co)
    service: Any  # probability that demand is served in full
    sales: Any  # units expected to be sold
    leftover: Any  # units expected to be left
    shortage: Any  # units expected to be asked for in vain
    profit: Any  # money expected


# --- economic order quantities --------------------------------------------------------------------------------------

def eoq(demand, order_cost, holding_cost):
    """Economic order quantity √(2·K·D / h), in units.

    demand        D, units a year
    order_cost    K, money an order
    holding_cost  h, money a unit and year
    source        Harris (1913); Chopra and Meindl: D 12,000, K 4,000, h 0.2 × 500: 980 units

    >>> round(float(eoq(12000, 4000, 100)))
    980
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(2 * np.asarray(demand, float) * order_cost / np.asarray(holding_cost, float))


def order_costs(quantity, demand, order_cost, holding_cost, price=0.0):
    """Money a year that a given order quantity costs: K·D/Q + h·Q/2 + c·D.

    quantity      Q, units an order
    price         c, money a unit; 0 leaves the purchase out
    source        Heizer and Render, Sharp Inc.: Q 200, D 1,000, K 10, h 0.50: 100

    >>> float(order_costs(200, 1000, 10, 0.5))
    100.0
    """
    quantity, demand = np.asarray(quantity, float), np.asarray(demand, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return order_cost * demand / quantity + holding_cost * quantity / 2 + price * demand


def eoq_with_backorders(demand, order_cost, holding_cost, backorder_cost, production_rate=np.inf) -> Backorders:
    """Economic order quantity where customers wait, at a cost: Q = √(2KD/h)·√((h + b)/b), of which Q·h/(h + b) are owed.

    backorder_cost   b, money a unit and year owed
    production_rate  p, units a year, above demand, where the order arrives as it is made: h becomes h·(1 − D/p), b likewise
    returns          Backorders; cost = √(2KDh)·√(b/(h + b))
    raises           ValueError: production below demand
    source           Hillier and Lieberman, Introduction to Operations Research, television speakers: 8,000 a month, K 12,000,
                     h 0.30, b 1.10: Q 28,540, peak 22,424

    >>> tuple(round(float(v)) for v in eoq_with_backorders(8000, 12000, 0.3, 1.1)[:3])
    (28540, 6116, 22424)
    """
    holding, owed, building = np.asarray(holding_cost, float), np.asarray(backorder_cost, float), _building(demand, production_rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(np.isinf(owed), 0.0, holding / (holding + owed))  # of the time, and of a lot, that is owed
        quantity = eoq(demand, order_cost, holding * building) / np.sqrt(1 - share)
        swing = quantity * building  # from the most owed to the most in stock
        return Backorders(quantity, swing * share, swing * (1 - share), holding * swing * (1 - share))


def eoq_with_production_rate(demand, order_cost, holding_cost, production_rate) -> Run:
    """Economic production quantity: stock builds up while a run lasts. Q = √(2KD / (h·(1 − D/p))).

    production_rate  p, units a year, above demand; in the time unit of demand
    returns          Run; peak = Q·(1 − D/p), run = Q/p, cycle = Q/D, cost = K·D/Q + h·peak/2
    raises           ValueError: production below demand
    source           Stevenson, Operations Management, toy wheels: D 48,000 (240 days), p 800 a day, K 45, h 1: run of 2,400,
                     cost 1,800, cycle 12 days, run 3 days

    >>> made = eoq_with_production_rate(48000, 45, 1, 800 * 240)
    >>> round(float(made.quantity)), round(float(made.cost)), round(float(made.cycle * 240)), round(float(made.run * 240))
    (2400, 1800, 12, 3)
    """
    demand, rate, building = np.asarray(demand, float), np.asarray(production_rate, float), _building(demand, production_rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        quantity = eoq(demand, order_cost, np.asarray(holding_cost, float) * building)
        peak = quantity * building
        return Run(quantity, peak, demand / quantity, quantity / demand, quantity / rate, order_cost * demand / quantity + holding_cost * peak / 2)


def _building(demand, production_rate):
    """Share of what is made that is not used up while it is made: 1 − D/p."""
    demand, rate = np.asarray(demand, float), np.asarray(production_rate, float)
    if np.any(rate < demand):
        raise ValueError("production_rate is below demand somewhere: no lot size can keep up. Give units of the same period as demand.")
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - demand / rate


def eoq_with_discounts(demand, order_cost, breaks, prices, *, holding_rate=None, holding_cost=None, kind="all_units") -> Discounted:
    """The cheapest order quantity where the price falls with the quantity.

    demand        D, units a year; one figure or an array
    breaks        units from which each price holds, rising; the first is usually 0 or 1
    prices        money a unit, one a break
    holding_rate  of the price paid, a year; or
    holding_cost  h, money a unit and year, whatever was paid
    kind          all_units: the price of the quantity's bracket holds for the whole order
                  incremental: each unit costs its own bracket's price
    returns       Discounted
    raises        ValueError: breaks that do not rise, as many prices, both or neither holding, unknown kind

    all_units    in each bracket Q = √(2KD/h) where it lies in the bracket, else the bracket's first quantity; the cheapest wins
    incremental  the order costs R + c·Q with R what the first units cost beyond c, so Q = √(2·(K + R)·D / h) where it lies in
                 the bracket; holding_rate is charged on the average price paid
    source       Nahmias, trash bags: D 600, K 8, 20 %, 0.30 / 0.29 from 500 / 0.28 from 1,000: 500 for 198.10 (all units),
                 400 for 204.00 (incremental)

    >>> best = eoq_with_discounts(600, 8, [0, 500, 1000], [0.30, 0.29, 0.28], holding_rate=0.2)
    >>> float(best.quantity), round(float(best.cost), 2)
    (500.0, 198.1)
    """
    starts, price = _brackets(breaks, prices, holding_rate, holding_cost, kind)
    demand = np.asarray(demand, float)[..., None]
    paid_before = np.concatenate([[0.0], np.cumsum(np.diff(starts) * price[:-1])])  # for the units before each bracket
    extra = paid_before - starts * price if kind == "incremental" else np.zeros(len(price))  # R of an order in the bracket
    holding = price * holding_rate if holding_rate is not None else np.full(len(price), float(holding_cost))
    with np.errstate(divide="ignore", invalid="ignore"):
        ideal = np.sqrt(2 * (order_cost + extra) * demand / holding)
    ends = np.append(starts[1:], np.inf)
    if kind == "all_units":
        quantity, allowed = np.maximum(ideal, starts), ideal < ends
    else:
        quantity, allowed = ideal, (ideal >= starts) & (ideal < ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        average = (extra + price * quantity) / quantity
        held = average * holding_rate if holding_rate is not None else holding
        cost = np.where(allowed & (quantity > 0), demand * average + order_cost * demand / quantity + held * quantity / 2, np.inf)
    best = cost.argmin(axis=-1)[..., None]
    pick = (np.take_along_axis(v, best, axis=-1)[..., 0][()] for v in (quantity, average, cost))
    return Discounted(*pick)


def _brackets(breaks, prices, holding_rate, holding_cost, kind):
    starts, price = np.asarray(breaks, float), np.asarray(prices, float)
    if kind not in ("all_units", "incremental"):
        raise ValueError(f"kind is all_units or incremental; not {kind}.")
    if starts.ndim != 1 or starts.shape != price.shape or np.any(np.diff(starts) <= 0):
        raise ValueError("breaks must rise, with one price each, as [0, 500, 1000] and [0.30, 0.29, 0.28].")
    if (holding_rate is None) == (holding_cost is None):
        raise ValueError("give holding_rate (of the price, a year) or holding_cost (money a unit and year), one of them.")
    if kind == "incremental" and starts[0] <= 1:
        starts = np.append(0.0, starts[1:])  # a first bracket "from 1" begins with the first unit
    return starts, price


# --- one order for a season -----------------------------------------------------------------------------------------

def critical_ratio(underage, overage):
    """The service level that a season's order should have: cu / (cu + co).

    underage  cu, money lost for each unit short: usually price − cost
    overage   co, money lost for each unit left: usually cost − salvage value
    source    Nahmias, newsstand: cu 0.50, co 0.15: 0.77

    >>> round(float(critical_ratio(0.50, 0.15)), 2)
    0.77
    """
    underage = np.asarray(underage, float)
    return underage / (underage + np.asarray(overage, float))


def newsvendor(underage, overage, mean, sd, *, distribution="normal", quantity=None, goodwill=0.0) -> OneSeason:
    """One order for one season, demand being of a known distribution: the quantity with P(demand ≤ Q) = cu / (cu + co).

    mean, sd      units, of the season's demand
    distribution  normal, gamma, negative_binomial, poisson or uniform, see `safety.level_for_cycle`
    quantity      units; to judge a given order instead of the best one
    goodwill      money, the part of underage that is no margin: cu = price − cost + goodwill
    returns       OneSeason; profit = (cu − goodwill)·sales − co·leftover − goodwill·shortage
    source        Chopra and Meindl, skis: demand 350 ± 100, cu 150, co 20: order 468 (468.7), expected profit 49,146

    >>> skis = newsvendor(150, 20, 350, 100)
    >>> round(float(skis.quantity), 1), round(float(skis.profit), -1)
    (468.7, 49150.0)
    """
    ratio = critical_ratio(underage, overage)
    best = safety.level_for_cycle(mean, sd, ratio, distribution) if quantity is None else np.asarray(quantity, float)[()]
    short = safety.shortage_at(best, mean, sd, distribution)
    return _season(best, ratio, safety.service_at(best, mean, sd, distribution), np.asarray(mean, float), short, underage, overage, goodwill)


def newsvendor_discrete(underage, overage, demand, probability=None, *, quantity=None, goodwill=0.0) -> OneSeason:
    """One order for one season, demand being a list of cases: the smallest case with P(demand ≤ Q) ≥ cu / (cu + co).

    demand        units: possible demands, or past seasons as they were
    probability   of each; None: all alike
    quantity      units; to judge a given order instead of the best one
    returns       OneSeason, see `newsvendor`
    raises        ValueError: probabilities that do not add up to 1
    source        Chopra and Meindl, parkas at L.L. Bean: cu 55, co 5: order 1,300

    >>> float(newsvendor_discrete(0.50, 0.15, [10, 11, 12, 13]).quantity)
    13.0
    """
    cases = np.asarray(demand, float)
    weight = np.full(len(cases), 1 / len(cases)) if probability is None else np.asarray(probability, float)
    if weight.shape != cases.shape or np.any(weight < 0) or abs(weight.sum() - 1) > 1e-6:
        raise ValueError(f"probability must be one for each demand and add up to 1; these add up to {weight.sum():.6g}.")
    order = np.argsort(cases, kind="stable")
    cases, weight = cases[order], weight[order]
    ratio = float(critical_ratio(underage, overage))
    first = int(np.argmax(np.cumsum(weight) >= ratio - 1e-12))
    best = cases[first] if quantity is None else float(quantity)
    short = float((weight * np.maximum(cases - best, 0)).sum())
    served = float(weight[cases <= best].sum())
    return _season(best, ratio, served, float((weight * cases).sum()), short, underage, overage, goodwill)


def _season(quantity, ratio, service, mean, short, underage, overage, goodwill):
    underage, overage, goodwill = (np.asarray(v, float)[()] for v in (underage, overage, goodwill))
    sales = mean - short
    left = quantity - sales
    profit = (underage - goodwill) * sales - overage * left - goodwill * short
    return OneSeason(quantity, ratio, service, sales, left, short, profit)
