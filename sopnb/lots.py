"""How much to order at a time: net requirements of many series turned into lots, month by month.

Net requirements are what is still short in each month once the shortages before it are met (gross − on hand − receipts,
down to the safety stock). An order of a month is there in that month: lead times are the caller's. All rules walk through
time once, with all series side by side; a rule only says up to which month an order reaches.

    lot_for_lot      what the month needs
    fixed            lots of a given size
    economic         lots of the economic order quantity, from mean requirements
    period           what the next `periods` months need; without `periods`, as many as the economic quantity lasts
    silver_meal      as many months as make the cost per month least (Silver and Meal, 1973)
    least_unit_cost  as many months as make the cost per unit least
    part_period      as many months as make holding about as dear as ordering (DeMatteis, 1968; Jacobs and Chase call it
                     least total cost)
    wagner_whitin    the cheapest plan of all (Wagner and Whitin, 1958)

A least order (`moq`) and a `multiple` hold for every rule; what they add beyond need is carried and used up later. Wagner and
Whitin's plan is the cheapest without them; with them it keeps its months and rounds its lots, which is good but not proven best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RULES = ("lot_for_lot", "fixed", "economic", "period", "silver_meal", "least_unit_cost", "part_period", "wagner_whitin")
NONE = 1e-6  # units below which nothing is short: floating point, not stock


@dataclass(frozen=True)
class Lots:
    """What is ordered, and why so much.

    quantity  series × months (units)
    by        series × months: need, moq, multiple, or the name of the rule; empty where nothing is ordered
    """

    quantity: np.ndarray
    by: np.ndarray


@dataclass(frozen=True)
class _Case:
    """Series of one rule, with everything the rule may ask for as series × months or one figure a series."""

    net: np.ndarray
    moq: np.ndarray
    multiple: np.ndarray
    fixed: np.ndarray
    periods: np.ndarray
    order_cost: np.ndarray
    holding_cost: np.ndarray
    holding_on: str
    beyond: str
    balance: str
    longest: int

    @property
    def months(self) -> int:
        return self.net.shape[1]


def sizes(net, rule="lot_for_lot", **settings):
    """Lots of every series and month, in units; see `sized`, whose quantities these are.

    >>> sizes([100, 0, 60, 20], "period", periods=2)
    array([100.,   0.,  80.,   0.])
    """
    return sized(net, rule, **settings).quantity


def sized(net, rule="lot_for_lot", *, moq=0.0, multiple=0.0, fixed=np.nan, periods=np.nan, order_cost=np.nan, holding_cost=np.nan,
          holding_on="ending", beyond="lots", balance="closest", longest=None) -> Lots:
    """Lots of every series and month, and what sized each.

    net           series × months (units), or the months of one series: what is short, the months before it being met
    rule          one of RULES, for all or one a series
    moq           units, least order; 0 or missing: none. One figure, or one a series, as all that follow
    multiple      units, orders come in multiples of it; 0 or missing: none, fractions of a unit may be ordered
    fixed         units, the lot of `fixed`; give an economic quantity computed elsewhere here
    periods       months that an order of `period` reaches; missing: the economic quantity over mean requirements, rounded
    order_cost    money an order; one figure, one a series, or series × months (of one series: one a month)
    holding_cost  money a unit and month; as order_cost. Missing: nothing is known of cost, and rules that weigh it order lot
                  for lot. Zero: holding is free, and all is ordered at once
    holding_on    ending: an order's first month holds nothing; average: half a month more, as stock runs down evenly
    beyond        a need beyond the lot of `fixed` or `economic`: lots (as many as needed) or need (just what is needed)
    balance       part_period: closest (holding nearest to the order cost) or below (the last month that does not pass it)
    longest       months that an order may reach at most, as where shelf life is short; None: no limit. Lots of a size of their own
                  (fixed, economic, moq, multiple) may last longer
    returns       Lots, shaped as net
    raises        ValueError: unknown rule or convention, requirement below zero or missing, negative size or cost

    source        Silver, Pyke and Peterson, Inventory Management and Production Planning and Scheduling, chapter 6
    """
    wide = np.atleast_2d(np.asarray(net, float))
    _refuse(wide, moq=moq, multiple=multiple, fixed=fixed, periods=periods, order_cost=order_cost, holding_cost=holding_cost)
    _one_of("holding_on", holding_on, ("ending", "average"))
    _one_of("beyond", beyond, ("lots", "need"))
    _one_of("balance", balance, ("closest", "below"))
    rows, months = wide.shape
    figures = {"moq": moq, "multiple": multiple, "fixed": fixed, "periods": periods}
    given = {name: np.broadcast_to(np.asarray(value, float), rows) for name, value in figures.items()}
    given |= {"order_cost": _by_month(order_cost, rows, months), "holding_cost": _by_month(holding_cost, rows, months)}
    if longest is not None and longest < 1:
        raise ValueError(f"longest is 1 month or more, or None for no limit; not {longest}.")
    rules = _rules(rule, rows, given)
    quantity, by = np.zeros(wide.shape), np.full(wide.shape, "", dtype=object)
    for name in sorted(set(rules)):
        here = np.flatnonzero(rules == name)
        case = _Case(wide[here], **{k: v[here] for k, v in given.items()}, holding_on=holding_on, beyond=beyond, balance=balance,
                     longest=months if longest is None else int(longest))
        quantity[here], by[here] = _walk(case, name)
    shape = np.shape(net)
    return Lots(quantity.reshape(shape), by.reshape(shape))


def cost(net, quantity, *, order_cost, holding_cost, holding_on="ending"):
    """What a plan of lots costs: Σ order_cost where something is ordered + Σ holding_cost · stock.

    net, quantity  series × months (units), or the months of one series
    holding_on     ending: stock at month end; average: mean of opening (after the order) and ending stock
    returns        money, a series; one figure for one series

    >>> float(cost([10, 40, 30], [50, 0, 30], order_cost=100, holding_cost=1))
    240.0
    """
    _one_of("holding_on", holding_on, ("ending", "average"))
    wide, lots = np.atleast_2d(np.asarray(net, float)), np.atleast_2d(np.asarray(quantity, float))
    ending = np.cumsum(lots - wide, axis=1)
    held = ending if holding_on == "ending" else ending + wide / 2
    out = (_by_month(order_cost, *wide.shape) * (lots > NONE)).sum(axis=1) + (_by_month(holding_cost, *wide.shape) * held).sum(axis=1)
    return out[0] if np.ndim(net) == 1 else out


def _rules(rule, rows, given):
    """The rule of each series; lot for lot where what its rule needs is not known."""
    rules = np.broadcast_to(np.asarray(rule, dtype=object), rows).copy()
    for name in sorted({str(each) for each in rules}):
        _one_of("rule", name, RULES)
    without_cost = np.isnan(given["order_cost"] + given["holding_cost"]).any(axis=1)
    without_periods = ~(given["periods"] > 0)
    unknown = {"fixed": ~(given["fixed"] > 0), "period": without_periods & without_cost}
    for name in RULES[1:]:
        rules[(rules == name) & unknown.get(name, without_cost)] = "lot_for_lot"
    return rules


# --- the walk -------------------------------------------------------------------------------------------------------

def _walk(case, rule):
    """Month by month: where something is short, an order that reaches as far as the rule says."""
    quantity, by = np.zeros(case.net.shape), np.full(case.net.shape, "", dtype=object)
    left = np.zeros(len(case.net))  # carried beyond need, from lots larger than needed
    lot = _lot(case, rule)
    reach = _REACH.get(rule, _own_month)
    starts, ends = _cheapest(case) if rule == "wagner_whitin" else (None, None)
    for m in range(case.months):
        need = case.net[:, m] - left
        short = need > NONE
        if ends is None:
            last = np.where(short, np.minimum(reach(case, m, need), min(m + case.longest, case.months) - 1), m)
        else:
            last = ends[:, m]
        wanted = need + _between(case.net, m + 1, last)
        short = short if starts is None else (short | starts[:, m]) & (wanted > NONE)
        rounded, reason = _rounded(case, rule, wanted, lot)
        quantity[:, m] = np.where(short, rounded, 0.0)
        by[:, m] = np.where(short, reason, "")
        left = np.maximum(left + quantity[:, m] - case.net[:, m], 0.0)
    return quantity, by


def _rounded(case, rule, wanted, lot):
    """Up to the lot, the least order and the multiple, and which of them decided."""
    own = "need" if rule == "lot_for_lot" else rule
    reason = np.full(len(wanted), own, dtype=object)
    if lot is not None:
        many = np.ceil(wanted / np.maximum(lot, NONE) - NONE)
        wanted = np.where((many > 1) & ((case.beyond == "need") | (lot <= NONE)), wanted, many * lot)
    least = np.nan_to_num(case.moq)
    reason[least > wanted] = "moq"
    wanted = np.maximum(wanted, least)
    step = np.where(case.multiple > 0, case.multiple, 0.0)
    out = np.where(step > 0, np.ceil(wanted / np.where(step > 0, step, 1.0) - NONE) * step, wanted)
    reason[out > np.ceil(wanted - NONE) + NONE] = "multiple"  # whole units are no multiple worth naming
    return out, reason


def _lot(case, rule):
    """The lot of `fixed` and `economic`; all there is where holding is free, nothing (need alone) where ordering is."""
    if rule not in ("fixed", "economic"):
        return None
    if rule == "fixed":
        return case.fixed
    lot = np.where(np.isfinite(computed := _economic(case)), computed, case.net.sum(axis=1))
    step = np.where(case.multiple > 0, case.multiple, np.nan)
    return np.fmax(np.rint(lot / step) * step, lot * np.isnan(step))  # to the nearest multiple: cost is flat about the optimum


def _economic(case):
    """√(2·K·d / h), with d the mean requirement a month and costs of the first month."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(2 * case.order_cost[:, 0] * case.net.mean(axis=1) / case.holding_cost[:, 0])


def _between(net, first, last):
    """Σ net from month `first` to `last` (its own for each series)."""
    months = np.arange(first, net.shape[1])
    return (net[:, first:] * (months[None, :] <= last[:, None])).sum(axis=1)


# --- how far an order reaches ---------------------------------------------------------------------------------------

def _own_month(case, m, need):
    return np.full(len(case.net), m)


def _periods(case, m, need):
    with np.errstate(divide="ignore", invalid="ignore"):
        lasting = np.rint(_economic(case) / case.net.mean(axis=1))
    wanted = np.where(case.periods > 0, case.periods, lasting)
    return m + np.clip(np.nan_to_num(wanted, nan=1.0, posinf=case.months), 1, case.months).astype(int) - 1


def _extend(case, m, need, measure):
    """The last month before `measure` first rises: measure(money so far, months, units) of an order in month m."""
    half = 0.5 if case.holding_on == "average" else 0.0
    held = half * case.holding_cost[:, m] * need
    units, carrying = need.copy(), np.zeros(len(need))
    best = measure(case.order_cost[:, m] + held, 1, units)
    last, going = np.full(len(need), m), np.ones(len(need), dtype=bool)
    for j in range(m + 1, case.months):
        carrying = carrying + case.holding_cost[:, j - 1]
        held = held + (carrying + half * case.holding_cost[:, j]) * case.net[:, j]
        units = units + case.net[:, j]
        now = measure(case.order_cost[:, m] + held, j - m + 1, units)
        going &= now <= best * (1 + 1e-12)  # a tie goes on: one order less for the same money
        last[going], best = j, np.where(going, now, best)
        if not going.any():
            break
    return last


def _per_month(case, m, need):
    return _extend(case, m, need, lambda money, months, units: money / months)


def _per_unit(case, m, need):
    return _extend(case, m, need, lambda money, months, units: money / np.maximum(units, NONE))


def _balanced(case, m, need):
    """Holding cost against order cost: the month at which they are closest, or the last at which holding is not dearer."""
    half = 0.5 if case.holding_on == "average" else 0.0
    held, carrying = half * case.holding_cost[:, m] * need, np.zeros(len(need))
    order = case.order_cost[:, m]
    last, apart, going = np.full(len(need), m), np.abs(order - held), np.ones(len(need), dtype=bool)
    for j in range(m + 1, case.months):
        carrying = carrying + case.holding_cost[:, j - 1]
        held = held + (carrying + half * case.holding_cost[:, j]) * case.net[:, j]
        closer = np.abs(order - held) <= apart * (1 + 1e-12) if case.balance == "closest" else held <= order * (1 + 1e-12)
        going &= closer
        last[going], apart = j, np.where(going, np.abs(order - held), apart)
        if not going.any():
            break
    return last


_REACH: dict[str, Callable] = {"period": _periods, "silver_meal": _per_month, "least_unit_cost": _per_unit, "part_period": _balanced}


def _cheapest(case):
    """Wagner and Whitin: the cheapest months to order in, and for each month the last month its order reaches.

    f(t) = min over i ≤ t of f(i−1) + K_i + Σ_j h·(j − i)·net_j, an order in i reaching to t. Of two plans that cost the
    same the one that orders later is taken. Half a month's holding on average stock is the same for all plans.
    """
    rows, months = case.net.shape
    least = np.zeros((rows, months + 1))
    came_from = np.zeros((rows, months), dtype=int)
    for t in range(months):
        best, first = np.full(rows, np.inf), np.full(rows, t)
        units, held = np.zeros(rows), np.zeros(rows)
        for i in range(t, max(t - case.longest, -1), -1):
            held = held + case.holding_cost[:, i] * units
            units = units + case.net[:, i]
            money = least[:, i] + np.where(units > NONE, case.order_cost[:, i], 0.0) + held
            better = money < best * (1 - 1e-12)
            best, first = np.where(better, money, best), np.where(better, i, first)
        least[:, t + 1], came_from[:, t] = best, first
    starts, ends = np.zeros((rows, months), dtype=bool), np.zeros((rows, months), dtype=int)
    end = np.full(rows, months - 1)
    for t in range(months - 1, -1, -1):
        ends[:, t] = end
        first = came_from[np.arange(rows), end] == t
        starts[:, t] = first
        end = np.where(first, t - 1, end)
    return starts, ends


# --- bad input ------------------------------------------------------------------------------------------------------

def _by_month(value, rows, months):
    """One figure, one a series, or series × months, as series × months. Of one series, one a month."""
    value = np.asarray(value, float)
    if value.shape not in ((), (1,), (rows,), (rows, 1), (rows, months), *([(months,)] if rows == 1 else [])):
        raise ValueError(f"order_cost and holding_cost are one figure, {rows} (one a series) or {rows} × {months}; not {' × '.join(map(str, value.shape))}.")
    if value.ndim == 1 and not (rows == 1 and len(value) == months):
        value = value[:, None]
    return np.broadcast_to(value, (rows, months))


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}; not {value}.")


def _refuse(net, **settings):
    bad = np.isnan(net) | (net < 0)
    if bad.any():
        row, month = np.argwhere(bad)[0]
        raise ValueError(f"net holds {int(bad.sum())} requirements below zero or missing, first in series {row}, month {month}: "
                         f"{net[row, month]}. Give what is short, and 0 where nothing is.")
    for name, value in settings.items():
        below = np.asarray(value, float) < 0
        if below.any():
            where = f", first in series {int(np.argwhere(below)[0][0])}" if np.ndim(value) else ""
            raise ValueError(f"{name} is negative{where}. Give 0 or more, or nothing.")
