"""Safety stock: how much protects against a forecast that is wrong and supply that is late. Plain formulas, with their source.

Levels are what is on hand and on order when an order is placed: safety stock = level − mean demand until the next order can
be there. That time, the protection time, is the lead time L where stock is watched continuously, and lead time plus review
period, L + R, where it is looked at every R. Any unit of time will do, if all arguments use the same.

Cycle service is the chance of no shortage in a replenishment cycle; fill rate is the share of demand served from stock.
The fill rate counts units short in a cycle, σ·G(k), against the units of a cycle: Q, the quantity ordered, or what is used in
a review period. Every function takes single figures or arrays.

The normal distribution is a poor picture of demand that is rare or small: it has demand below zero, and a tail too thin.

    normal             demand of many customers, sd over the protection time below half the mean (Silver, Pyke and Peterson)
    gamma              skewed and never below zero, by mean and sd (Burgin, 1975)
    negative_binomial  whole units that come in clumps, sd² above the mean; found to fit intermittent demand of parts best or
                       nearly so (Syntetos, Babai and Altay, 2012). With sd² at or below the mean it is Poisson
    poisson            whole units one at a time, sd² = mean; sd is not used
    uniform            anything from mean − √3·sd to mean + √3·sd alike: from a to b, mean (a + b) / 2 and sd (b − a) / √12
"""

from __future__ import annotations

import math

import numpy as np

DISTRIBUTIONS = ("normal", "gamma", "negative_binomial", "poisson", "uniform")
# The distribution of demand over the protection time, by pattern of demand, unless something else is asked for.
BY_PATTERN = {"smooth": "normal", "erratic": "gamma", "intermittent": "negative_binomial", "lumpy": "negative_binomial"}
FARTHEST = 8.0  # standard deviations: beyond them a normal shortage is below 1e-15 of one


# --- spread ---------------------------------------------------------------------------------------------------------

def spread(error_sd, lead, demand=0.0, lead_sd=0.0, *, review=0.0):
    """Standard deviation of demand over the protection time: √((L + R)·σ_e² + d²·σ_L²).

    error_sd  σ_e, units per period: standard deviation of demand, or better of the forecast error
    lead      L, periods: the lead time, or the whole protection time where `review` is left out
    demand    d, units per period
    lead_sd   σ_L, periods: standard deviation of the lead time
    review    R, periods between looks at the stock; 0: continuous review
    source    Chopra and Meindl, Supply Chain Management, "Impact of supply uncertainty on safety inventory"

    Errors of different periods are taken as independent: the variance grows with time.

    >>> round(float(spread(500, 7, 2500, 7)))
    17550
    """
    time = np.asarray(lead, float) + review
    return np.sqrt(time * np.square(np.asarray(error_sd, float)) + np.square(np.asarray(demand, float) * lead_sd))


def safety_stock(target, error_sd, lead, demand=0.0, lead_sd=0.0, *, review=0.0, measure="cycle", quantity=None, distribution="normal", unmet="backlog"):
    """Safety stock in one call: level for the target, less mean demand over the protection time; not below zero for a fill rate.

    target        fraction; measure says of what: cycle (service level) or fill (fill rate)
    error_sd, lead, demand, lead_sd, review   as of `spread`, all in one unit of time
    quantity      Q, units ordered at a time, for a fill rate; None: what a review period uses, d·R
    distribution  of demand over the protection time, one of DISTRIBUTIONS; all but the normal need demand
    source        Chopra and Meindl; 2,500 ± 500 a day, 7 ± 7 days, 90 %: 22,491 units

    >>> round(float(safety_stock(0.90, 500, 7, 2500, 7)))
    22491
    """
    if measure not in ("cycle", "fill"):
        raise ValueError(f"measure is cycle or fill; not {measure}.")
    sigma, mean = spread(error_sd, lead, demand, lead_sd, review=review), np.asarray(demand, float) * (np.asarray(lead, float) + review)
    if measure == "cycle":
        return level_for_cycle(mean, sigma, target, distribution) - mean
    lot = np.asarray(demand, float) * review if quantity is None else quantity
    return level_for_fill(mean, sigma, target, lot, distribution, unmet=unmet) - mean


def reorder_point(demand, lead, safety_stock=0.0):
    """Stock on hand and on order at which to order, under continuous review: d·L + ss.

    source  Heizer and Render, Operations Management: 8,000 a year of 250 days, 3 days: 96 units

    >>> float(reorder_point(8000 / 250, 3))
    96.0
    """
    return np.asarray(demand, float) * lead + safety_stock


def order_up_to(demand, lead, review, safety_stock=0.0):
    """Level to order up to at every review: d·(L + R) + ss; the order is this less what is on hand and on order.

    source  Chopra and Meindl: 2,500 a week, L 2, R 4, ss 1,570: 16,570 units

    >>> float(order_up_to(2500, 2, 4, 1570))
    16570.0
    """
    return np.asarray(demand, float) * (np.asarray(lead, float) + review) + safety_stock


# --- the normal distribution ----------------------------------------------------------------------------------------

def safety_for_cycle(sigma, target):
    """Safety stock for a cycle service level, the chance of no shortage in a replenishment cycle: z·σ.

    sigma   units, from `spread`
    target  fraction between 0 and 1
    source  Chopra and Meindl; weekly demand 2,500 ± 500, lead time 2 weeks, 90 %: 906 units

    >>> round(float(safety_for_cycle(spread(500, 2), 0.90)))
    906
    """
    from scipy.special import ndtri

    return ndtri(_share(target)) * np.asarray(sigma, float)


def cycle_service(safety_stock, sigma):
    """Cycle service level that a safety stock gives: Φ(ss/σ). Without spread, 1 where nothing is lacking.

    source  Chopra and Meindl; reorder point 6,000 for 5,000 ± 707: 92 %

    >>> round(float(cycle_service(1000, 707)), 2)
    0.92
    """
    from scipy.special import ndtr

    return ndtr(_factor(safety_stock, sigma))


def unit_loss(k):
    """Unit normal loss G(k) = φ(k) − k·(1 − Φ(k)): units expected short, in standard deviations.

    source  Silver, Pyke and Peterson, Inventory Management and Production Planning and Scheduling, table B.1

    >>> round(float(unit_loss(1.0)), 4)
    0.0833
    """
    from scipy.special import ndtr

    k = np.asarray(k, float)
    with np.errstate(invalid="ignore", over="ignore"):
        out = np.exp(-0.5 * k * k) / math.sqrt(2 * math.pi) - k * ndtr(-k)
    return np.where(np.isposinf(k), 0.0, np.maximum(out, 0.0))[()]


def shortage(safety_stock, sigma):
    """Units expected short in a cycle: σ·G(ss/σ).

    source  Chopra and Meindl; ss 1,000, σ 707: 25 units

    >>> round(float(shortage(1000, 707)))
    25
    """
    safety_stock, sigma = np.broadcast_arrays(np.asarray(safety_stock, float), np.asarray(sigma, float))
    with np.errstate(invalid="ignore"):
        return np.where(sigma > 0, sigma * unit_loss(_factor(safety_stock, sigma)), np.maximum(-safety_stock, 0.0))[()]


def fill_rate(safety_stock, sigma, quantity, *, unmet="backlog"):
    """Fill rate that a safety stock gives: 1 − σ·G(ss/σ) / Q.

    quantity  Q, units ordered at a time; under periodic review what is used in a review period, d·R
    unmet     backlog: customers wait; lost: they go, and a cycle's demand is Q plus what was lost
    source    Chopra and Meindl; ss 1,000, σ 707, Q 10,000: 0.9975. Lost sales: Silver, Pyke and Peterson

    >>> round(float(fill_rate(1000, 707, 10000)), 4)
    0.9975
    """
    return _filled(shortage(safety_stock, sigma), quantity, unmet)


def fill_rate_periodic(level, demand, error_sd, lead, review, lead_sd=0.0):
    """Fill rate of an order-up-to level under periodic review, what was already short before the period not counted twice.

    level    units, what orders bring stock on hand and on order up to
    returns  1 − (shortage before an order arrives − shortage after the one before it did) / (d·R)
    source   Silver and Bischak (2011), The exact fill rate in a periodic review base stock system under normally distributed demand

    Equal to `fill_rate` with Q = d·R where stock seldom runs out; higher where it often does. The figure is ours.

    >>> round(float(fill_rate_periodic(16570, 2500, 500, 2, 4)), 4)
    0.9942
    """
    demand = np.asarray(demand, float)
    ends = shortage(np.asarray(level, float) - demand * (np.asarray(lead, float) + review), spread(error_sd, lead, demand, lead_sd, review=review))
    begins = shortage(np.asarray(level, float) - demand * lead, spread(error_sd, lead, demand, lead_sd))
    return 1 - (ends - begins) / (demand * review)


def safety_for_fill(sigma, target, quantity, *, unmet="backlog", negative=False):
    """Safety stock for a fill rate β, the share of demand served: ss = k·σ with σ·G(k) = (1 − β)·Q.

    quantity  Q, units ordered at a time; under periodic review what is used in a review period, d·R
    unmet     backlog, or lost: σ·G(k) = (1 − β)·Q / β
    negative  whether safety stock may fall below zero, where the lot alone serves more than asked for; else it is 0
    source    Chopra and Meindl; σ 707, Q 10,000, 97.5 %: 67 units

    >>> round(float(safety_for_fill(707.1, 0.975, 10000)))
    67
    """
    sigma, target, quantity = np.broadcast_arrays(np.asarray(sigma, float), _share(target), np.asarray(quantity, float))
    lost = 1 / target if _known_unmet(unmet) == "lost" else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.where(sigma > 0, (1 - target) * quantity * lost / sigma, np.inf)
    low, high = np.full(sigma.shape, -FARTHEST if negative else 0.0), np.full(sigma.shape, FARTHEST)
    low, _ = _halved(low, high, lambda k: unit_loss(k) > wanted)
    enough = (unit_loss(0.0) <= wanted) & (not negative)
    return np.where(enough | (sigma <= 0), 0.0, low * sigma)[()]


# --- any distribution -----------------------------------------------------------------------------------------------

def level_for_cycle(mean, sd, target, distribution="normal"):
    """The level that lasts the protection time with a given chance: the smallest r with P(demand ≤ r) ≥ target.

    mean, sd      units, of demand over the protection time
    distribution  one of DISTRIBUTIONS, for all or one a series; without spread, or without demand, normal
    returns       units; safety stock is this less the mean
    source        Silver, Pyke and Peterson. Gamma: SAP, course on inventory planning, 100 ± 25, 95 %: 145 (144.3 in whole units)

    >>> math.ceil(level_for_cycle(100, 25, 0.95, "gamma"))
    145
    """
    return _by_name(_level_for_cycle, distribution, mean, sd, _share(target))


def level_for_fill(mean, sd, target, quantity, distribution="normal", *, unmet="backlog"):
    """The level that serves a share of demand: the smallest r with E[units short] ≤ (1 − target)·Q; not below the mean.

    quantity  Q, units ordered at a time; under periodic review what is used in a review period
    unmet     backlog, or lost: E[units short] ≤ (1 − target)·Q / target
    returns   units; whole ones where demand is counted in whole units

    >>> round(float(level_for_fill(5000, 707.1, 0.975, 10000)))
    5067
    """
    target = _share(target)
    allowed = (1 - target) * np.asarray(quantity, float) / (target if _known_unmet(unmet) == "lost" else 1.0)
    return _by_name(_level_for_shortage, distribution, mean, sd, allowed)


def shortage_at(level, mean, sd, distribution="normal"):
    """Units expected short in a cycle that begins with a given level: E[max(demand − level, 0)].

    Every distribution here has ∫_r^∞ x·f(x) dx = mean · P(X' > r) with X' its size-biased sister, so that the answer is
    exact: mean·P(X' > r) − r·P(X > r).

    >>> round(float(shortage_at(6000, 5000, 707)))
    25
    """
    return _by_name(lambda name, m, s, r: _shortage(name, m, s, r), distribution, mean, sd, level)


def service_at(level, mean, sd, distribution="normal"):
    """Cycle service level that a level gives: P(demand ≤ level).

    >>> round(float(service_at(6000, 5000, 707)), 2)
    0.92
    """
    return _by_name(lambda name, m, s, r: _below(name, m, s, r), distribution, mean, sd, level)


def fill_at(level, mean, sd, quantity, distribution="normal", *, unmet="backlog"):
    """Fill rate that a level gives: 1 − E[units short] / Q.

    >>> round(float(fill_at(6000, 5000, 707, 10000)), 4)
    0.9975
    """
    return _filled(shortage_at(level, mean, sd, distribution), quantity, unmet)


# --- how it is done -------------------------------------------------------------------------------------------------

def _share(value):
    value = np.asarray(value, float)
    if np.any((value <= 0) | (value >= 1)):
        wrong = value[(value <= 0) | (value >= 1)].flat[0]
        raise ValueError(f"A service target lies between 0 and 1, as 0.95; not {wrong:g}. No stock serves all demand for certain.")
    return value


def _known_unmet(unmet):
    if unmet not in ("backlog", "lost"):
        raise ValueError(f"unmet is backlog or lost; not {unmet}.")
    return unmet


def _filled(short, quantity, unmet):
    quantity = np.asarray(quantity, float)
    asked = quantity + short if _known_unmet(unmet) == "lost" else quantity
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - short / asked


def _factor(safety_stock, sigma):
    """k = ss/σ; without spread, as far as can be on the side of the sign."""
    safety_stock, sigma = np.broadcast_arrays(np.asarray(safety_stock, float), np.asarray(sigma, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        k = safety_stock / sigma
    return np.where(sigma > 0, k, np.where(safety_stock >= 0, np.inf, -np.inf))


def _halved(low, high, above, times=50):
    """The place where `above` turns false, between low and high: 50 halvings leave no digit open that anyone reads."""
    for _ in range(times):
        middle = (low + high) / 2
        up = above(middle)
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return low, high


def _by_name(compute, distribution, mean, sd, value):
    """Apply a computation distribution by distribution; normal where mean or sd leave no other."""
    mean, sd, value = np.broadcast_arrays(np.asarray(mean, float), np.asarray(sd, float), np.asarray(value, float))
    names = np.broadcast_to(np.asarray(distribution, dtype=object), mean.shape)
    unknown = sorted({str(name) for name in names.flat} - set(DISTRIBUTIONS))
    if unknown:
        raise ValueError(f"distribution is one of {', '.join(DISTRIBUTIONS)}; not {unknown[0]}.")
    usable = (mean > 0) & ((sd > 0) | (names == "poisson"))
    out = np.full(mean.shape, np.nan)
    for name in DISTRIBUTIONS:
        here = (names == name) & usable if name != "normal" else (names == name) | ~usable
        if here.any():
            out[here] = compute(name, mean[here], sd[here], value[here])
    return out if out.ndim else out[()]


def _level_for_cycle(name, mean, sd, target):
    from scipy import special, stats

    if name == "normal":
        return mean + special.ndtri(target) * sd
    if name == "gamma":
        shape = np.square(mean / sd)
        return special.gammaincinv(shape, target) * mean / shape
    if name == "uniform":
        return mean + np.sqrt(3) * sd * (2 * target - 1)
    clumped = _clumped(name, mean, sd)
    out = stats.poisson.ppf(target, mean)
    n, p = _binomial(mean[clumped], sd[clumped])
    out[clumped] = stats.nbinom.ppf(target[clumped], n, p)
    return out


def _level_for_shortage(name, mean, sd, allowed):
    """The smallest level, from the mean up, at which no more than `allowed` units are expected short."""
    whole = name in ("negative_binomial", "poisson")
    spread_ = np.maximum(sd, np.sqrt(mean)) if whole else sd  # demand in units is never steadier than Poisson's
    low = np.floor(mean) if whole else mean
    high = low + np.ceil(12 * spread_ + 42 * spread_**2 / np.where(mean > 0, mean, np.inf) + 1)
    enough = _shortage(name, mean, sd, np.ceil(mean) if whole else mean) <= allowed
    if not whole:
        found, _ = _halved(low, high, lambda r: _shortage(name, mean, sd, r) > allowed)
        return np.where(enough, mean, found)
    for _ in range(int(np.ceil(np.log2(np.max(high - low) + 1))) + 1):  # low is never enough, high always
        middle = np.floor((low + high) / 2)
        up = _shortage(name, mean, sd, middle) > allowed
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return np.where(enough, np.ceil(mean), high)


def _shortage(name, mean, sd, level):
    if name == "normal":
        return shortage(level - mean, sd)
    if name == "uniform":  # (b − r)² / (2·(b − a)) within, mean − r below a, none above b
        half = np.sqrt(3) * sd
        return np.where(level < mean - half, mean - level, np.square(np.maximum(mean + half - level, 0.0)) / (4 * half))
    above, sister = _tails(name, mean, sd, level)
    return np.maximum(np.where(level <= 0, mean - level, mean * sister - level * above), 0.0)


def _below(name, mean, sd, level):
    if name == "normal":
        return cycle_service(level - mean, sd)
    if name == "uniform":
        return np.clip((level - mean) / (2 * np.sqrt(3) * sd) + 0.5, 0.0, 1.0)
    return 1 - _tails(name, mean, sd, level)[0]


def _tails(name, mean, sd, level):
    """P(X > level) and P(X' > level), X' being X weighted by its size."""
    from scipy import special, stats

    at = np.maximum(level, 0.0)
    if name == "gamma":
        shape = np.square(mean / sd)
        scaled = at * shape / mean
        return np.where(level < 0, 1.0, special.gammaincc(shape, scaled)), special.gammaincc(shape + 1, scaled)
    steps, clumped = np.floor(level), _clumped(name, mean, sd)
    above, sister = stats.poisson.sf(steps, mean), stats.poisson.sf(steps - 1, mean)
    n, p = _binomial(mean[clumped], sd[clumped])
    above[clumped], sister[clumped] = stats.nbinom.sf(steps[clumped], n, p), stats.nbinom.sf(steps[clumped] - 1, n + 1, p)
    return above, sister


def _clumped(name, mean, sd):
    return (np.square(sd) > mean * (1 + 1e-9)) & (name == "negative_binomial")


def _binomial(mean, sd):
    """n and p of a negative binomial by mean and sd."""
    variance = np.square(sd)
    return np.square(mean) / (variance - mean), mean / variance
