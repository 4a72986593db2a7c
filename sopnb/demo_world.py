"""The demo company's truth: expected and actual demand, prices, costs, stock, from October 2021 to March 2028.

Everything is drawn once, for all months, from a seed; a cycle's extracts show the part that was known then. Each
subject has its own stream of random numbers, so that a change in one leaves the others as they were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sopnb import demo_catalogue as catalogue
from sopnb import frames

FIRST = "2021-10"       # first month of orders
CURRENT = "2026-10"     # the demo's current cycle
MONTHS = 78             # to March 2028: 60 known at CURRENT, 18 to plan
KNOWN = 60
SIX_MONTHS = 680e9      # Rp: expected revenue October 2026 to March 2027, for the whole range
NET = 0.955             # what is left of the list price after usual discounts

# List prices rise each January.
RISES = {2022: 0.035, 2023: 0.045, 2024: 0.030, 2025: 0.030, 2026: 0.025, 2027: 0.025, 2028: 0.025}
RISE_2027_KNOWN = "2026-08"  # cycle from which the January 2027 rise stands in the price list


def stream(seed: int, subject: str) -> np.random.Generator:
    """Random numbers of one subject."""
    return np.random.default_rng([seed, zlib.crc32(subject.encode())])


@dataclass(frozen=True)
class World:
    """The truth, as arrays over series × month; a series is an item at a location.

    series     item, location, family, … of each series
    mean       expected demand in cartons, promotions known beforehand included
    demand     demand in cartons, as it comes
    days_out   days without stock
    stock      on hand at month end, cartons
    price      list price, item × month, Rp
    promotions event × item or family, location, start, end, effect
    """

    seed: int
    count: int
    months: pd.DatetimeIndex
    items: pd.DataFrame
    customers: pd.DataFrame
    series: pd.DataFrame
    mean: np.ndarray
    demand: np.ndarray
    days_out: np.ndarray
    stock: np.ndarray
    price: np.ndarray
    promotions: pd.DataFrame
    cache: dict = field(default_factory=dict)

    def at(self, when: str | pd.Timestamp) -> int:
        """Position of a month."""
        return frames.months_between(self.months[0], frames.month(when))


def lebaran_share(months: pd.DatetimeIndex, first: int, last: int) -> np.ndarray:
    """Share of each month's days that lie from `first` to `last` days after a Lebaran (before it: negative).

    >>> lebaran_share(pd.DatetimeIndex(["2027-02-01"]), -45, -4).tolist()  # Lebaran: 10 March 2027
    [1.0]
    """
    days = pd.date_range(months[0], months[-1] + pd.offsets.MonthEnd(0))
    inside = np.zeros(len(days), dtype=bool)
    for day in catalogue.LEBARAN:
        feast = pd.Timestamp(day)
        inside |= (days >= feast + pd.Timedelta(days=first)) & (days <= feast + pd.Timedelta(days=last))
    return pd.Series(inside, index=days).groupby(days.to_period("M").to_timestamp()).mean().reindex(months).to_numpy()


def working_days(months: pd.DatetimeIndex) -> np.ndarray:
    """Days a plant runs: Monday to Saturday, without five days at Lebaran."""
    off = [pd.Timestamp(day) + pd.Timedelta(days=k) for day in catalogue.LEBARAN for k in range(5)]
    return np.array([np.busday_count(m.date(), frames.next_month(m).date(), weekmask="1111110",
                                     holidays=[d.date() for d in off]) for m in months], dtype=float)


def build(*, seed: int = 20261001, items: int = 120) -> World:
    """Draw the whole truth.

    items    how many items; the revenue is in proportion
    """
    months = frames.months(FIRST, MONTHS)
    ranges = catalogue.items(items, stream(seed, "items"))
    price = _prices(ranges, months)
    series = _series(ranges, stream(seed, "series"))
    promotions = _promotions(ranges, months, stream(seed, "promotions"))
    shape = _shape(series, ranges, months)
    mean = shape * (1 + _lift(series, months, promotions))
    mean *= SIX_MONTHS * items / 120 / (mean[:, KNOWN:KNOWN + 6] * price[series["row"], KNOWN:KNOWN + 6]).sum() / NET
    for _, row, when, factor in changes(series):
        mean[row, frames.months_between(months[0], frames.month(when)):] *= factor
    demand = _demand(series, mean, months, stream(seed, "demand"))
    _surprises(series, demand, months)
    days_out, stock = _stock(series, mean, months, stream(seed, "stock"))
    served = demand * (1 - 0.6 * days_out / 30)  # customers who find nothing order elsewhere
    buyers = catalogue.customers(stream(seed, "customers"))
    return World(seed, items, months, ranges, buyers, series, mean, np.round(served), days_out, stock, price, promotions)


def _prices(ranges: pd.DataFrame, months: pd.DatetimeIndex) -> np.ndarray:
    """List price by item and month, in hundreds of rupiah: 2026 is the catalogue's."""
    level = {2026: 1.0}
    for year in range(2027, 2029):
        level[year] = level[year - 1] * (1 + RISES[year])
    for year in range(2025, 2020, -1):
        level[year] = level[year + 1] / (1 + RISES[year + 1])
    factor = np.array([level[m.year] for m in months])
    return np.round(ranges["price"].to_numpy()[:, None] * factor / 100) * 100


def _series(ranges: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each item at each location, with its size, growth and habits.

    returns  item × location × row (of the item), family, base (relative Rp), growth, noise, chance (of a month with demand)
    """
    count, places = len(ranges), len(catalogue.LOCATIONS)
    share = np.array(catalogue.LOCATION_SHARE) * np.exp(rng.normal(0, 0.22, (count, places)))
    share /= share.sum(axis=1, keepdims=True)
    table = ranges.loc[np.repeat(np.arange(count), places)].reset_index(drop=True)
    table["location"] = list(catalogue.LOCATIONS) * count
    table["row"] = np.repeat(np.arange(count), places)
    table["base"] = (ranges["weight"].to_numpy()[:, None] * share).ravel()
    table["growth"] = [catalogue.FAMILY[f].growth for f in table["family"]] + rng.normal(0, 0.03, len(table))
    rank = table["base"].rank(pct=True).to_numpy()
    table["noise"] = 0.12 + 0.26 * (1 - rank) ** 1.4
    # The tail is bought now and then: the lowest quarter has months without demand.
    table["chance"] = np.where(rank < 0.27, np.clip(0.30 + 2.0 * rank + rng.normal(0, 0.10, len(table)), 0.18, 0.93), 1.0)
    table["slow"] = rng.random(len(table))
    return table


def _shape(series: pd.DataFrame, ranges: pd.DataFrame, months: pd.DatetimeIndex) -> np.ndarray:
    """Expected demand before promotions, relative: size × growth × season × Lebaran × the item's life."""
    t = np.arange(len(months))
    before, after = lebaran_share(months, -45, -4), lebaran_share(months, 0, 20)
    by_family = {}
    for family in catalogue.FAMILIES:
        season = np.array([family.season[m.month - 1] for m in months])
        by_family[family.name] = season * (1 + family.lebaran * before) * (1 - 0.28 * after)
    season = np.stack([by_family[f] for f in series["family"]])
    growth = np.exp(series["growth"].to_numpy()[:, None] * (t - KNOWN) / 12)
    base = (series["base"] / series["price"]).to_numpy()[:, None]
    return base * growth * season * _lives(series, ranges, months)


def _lives(series: pd.DataFrame, ranges: pd.DataFrame, months: pd.DatetimeIndex) -> np.ndarray:
    """Launches, phase-outs and successors, as a factor by month."""
    factor = np.ones((len(series), len(months)))
    weight = ranges.set_index("item")["weight"]
    t = np.arange(len(months))
    for item, kind, when, other in ranges.loc[ranges["kind"] != "", ["item", "kind", "month", "other"]].itertuples(index=False):
        at = frames.months_between(months[0], frames.month(when))
        rows = (series["item"] == item).to_numpy()
        if kind == "launched":
            factor[rows] *= np.clip((t - at + 1) / 5, 0, 1)
        else:  # sells out over three months and is gone after its end month
            factor[rows] *= np.clip((at - t + 1) / 3, 0, 1)
        if kind == "replaced":
            new = (series["item"] == other).to_numpy()
            ramp = np.clip((t - at + 3) / 3, 0, 1) * (t > at - 2)
            factor[new] *= ramp * weight[item] / weight[other]
    return factor


def _promotions(ranges: pd.DataFrame, months: pd.DatetimeIndex, rng: np.random.Generator) -> pd.DataFrame:
    """About two promotions a month; the coming ones are planned five months ahead.

    returns  event × name, level, key, location, start, end, effect (fraction of baseline while it runs)
    """
    rows = [("EV-MITRA", "Mitra Mart year-end promotion", "item", ranges.loc[ranges["family"] == "Biscuits", "item"].iloc[0],
             "JKT", pd.Timestamp("2026-11-01"), pd.Timestamp("2026-12-31"), 0.18)]
    top = ranges.sort_values("weight", ascending=False)["item"].tolist()[: max(8, len(ranges) // 3)]
    name = ranges.set_index("item")["name"]
    for t in range(len(months) - 12):
        for k in range(2):
            item = top[int(rng.integers(len(top)))]
            location = ["all", *catalogue.LOCATIONS][int(rng.choice(5, p=[0.3, 0.3, 0.2, 0.1, 0.1]))]
            start = months[t] + pd.Timedelta(days=int(rng.integers(0, 14)))
            end = start + pd.Timedelta(days=int(rng.choice([13, 20, 27])))
            rows.append((f"EV-{months[t]:%y%m}-{k + 1}", f"Promotion {name[item]}", "item", item, location, start, end,
                         round(float(rng.uniform(0.12, 0.40)), 2)))
    return pd.DataFrame(rows, columns=["event", "name", "level", "key", "location", "start", "end", "effect"])


def _lift(series: pd.DataFrame, months: pd.DatetimeIndex, promotions: pd.DataFrame) -> np.ndarray:
    """Lift of promotions by series and month: effect × the share of the month it runs."""
    lift = np.zeros((len(series), len(months)))
    firsts = months.to_numpy("datetime64[D]")
    ends = (months + pd.offsets.MonthEnd(0)).to_numpy("datetime64[D]")
    length = (ends - firsts).astype(float) + 1
    starts, stops = (promotions[c].to_numpy("datetime64[D]") for c in ("start", "end"))
    for event, first, last in zip(promotions.itertuples(index=False), starts, stops, strict=True):
        days = (np.minimum(ends, last) - np.maximum(firsts, first)).astype(float) + 1
        share = np.clip(days, 0, None) / length
        rows = (series["item"] == event.key).to_numpy() & ((series["location"] == event.location).to_numpy() | (event.location == "all"))
        lift[rows] += event.effect * share
    return lift


def _demand(series: pd.DataFrame, mean: np.ndarray, months: pd.DatetimeIndex, rng: np.random.Generator) -> np.ndarray:
    """Demand as it comes: family shocks, a slow wander of each series, monthly noise, and months without demand."""
    n, t = mean.shape
    families = {f.name: k for k, f in enumerate(catalogue.FAMILIES)}
    shock = np.exp(_wander(rng.normal(0, 0.022, (len(families), t)), 0.7))[[families[f] for f in series["family"]]]
    slow = np.exp(_wander(rng.normal(0, 1, (n, t)) * series["noise"].to_numpy()[:, None] * 0.28, 0.85))
    noise = series["noise"].to_numpy()[:, None]
    monthly = np.exp(rng.normal(0, 1, (n, t)) * noise - noise**2 / 2)
    chance = series["chance"].to_numpy()[:, None]
    bought = rng.random((n, t)) < chance
    lumpy = np.where(chance < 1, np.exp(rng.normal(0, 0.45, (n, t)) - 0.1), 1.0)
    demand = mean * shock * slow * monthly * bought * lumpy / chance
    return np.round(np.where((demand > 0) & (demand < 1), 1, demand))


def _wander(steps: np.ndarray, memory: float) -> np.ndarray:
    """A first-order autoregression along the months."""
    level = np.zeros_like(steps)
    for k in range(1, steps.shape[1]):
        level[:, k] = memory * level[:, k - 1] + steps[:, k]
    return level


def first_of(series: pd.DataFrame, family: str, location: str, place: int = 0) -> int:
    """Row of a family's item at a location; place 0 is its largest."""
    return int(np.flatnonzero((series["family"] == family) & (series["location"] == location) & (series["place"] == place))[0])


def surprises(series: pd.DataFrame) -> list[tuple[str, str, int, str, float]]:
    """What happened to demand that nobody expected: id, kind, series, month, factor."""
    return [
        ("drop-coffee-mdn", "drop", first_of(series, "Coffee", "MDN"), "2026-09", 0.22),
        ("surge-tea-jkt", "surge", first_of(series, "RTD tea", "JKT"), "2026-09", 1.5),
        ("surge-noodles-sby", "surge", first_of(series, "Instant noodles", "SBY", 1), "2026-09", 2.2),
        ("drop-sauce-sby", "drop", first_of(series, "Sauces", "SBY"), "2026-06", 0.3),
        ("surge-biscuit-mdn", "surge", first_of(series, "Biscuits", "MDN", 1), "2026-02", 2.2),
    ]


def changes(series: pd.DataFrame) -> list[tuple[str, int, str, float]]:
    """Where demand moved to a lasting new level: id, series, first month, factor. A retailer listed one, one lost its shelf."""
    planted = (("level-syrup-sby", "Syrup", "SBY", 1, "2025-10", 0.55), ("level-coffee-jkt", "Coffee", "JKT", 2, "2025-06", 1.6))
    there = set(zip(series["family"], series["location"], series["place"], strict=True))  # a small range has fewer items
    return [(name, first_of(series, family, location, place), when, factor)
            for name, family, location, place, when, factor in planted if (family, location, place) in there]


def _surprises(series: pd.DataFrame, demand: np.ndarray, months: pd.DatetimeIndex) -> None:
    for _, _, row, when, factor in surprises(series):
        demand[row, frames.months_between(months[0], frames.month(when))] *= factor


def _stock(series: pd.DataFrame, mean: np.ndarray, months: pd.DatetimeIndex,
           rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days without stock, and stock at month end: 38 days of coming demand, with some excess and some shortage."""
    n, t = mean.shape
    before = lebaran_share(months, -45, -4)
    feast = np.array([catalogue.FAMILY[f].lebaran for f in series["family"]])[:, None]
    slow = series["slow"].to_numpy()
    short = (slow < 0.04)[:, None]
    chance = 0.012 + 0.24 * (feast > 0.5) * before + 0.07 * short
    out = rng.random((n, t)) < chance
    days_out = np.where(out, rng.integers(3, 15, (n, t)), 0)
    ahead = np.concatenate([mean[:, 1:], mean[:, -1:]], axis=1)
    two = np.concatenate([ahead[:, 1:], ahead[:, -1:]], axis=1)
    usual = np.where(mean[:, [-1]] > 0, (0.62 * ahead + 0.38 * two), ahead)
    cover = 31 / 30 * np.exp(rng.normal(0, 0.24, (n, t)))
    cover *= np.where(slow > 0.945, rng.uniform(4.0, 9.5, n), 1.0)[:, None]  # left from last season
    cover *= np.where(short, 0.45, 1.0) * np.where(days_out > 0, 0.25, 1.0)
    last = KNOWN - 1
    cover[first_of(series, "Coffee", "MDN"), last - 1:last + 3] *= 2.6  # demand fell away
    if (series["place"] == 1).any():
        cover[first_of(series, "Syrup", "MKS", 1), last - 6:last + 1] *= 4.5  # left from Lebaran
    for row, left in late_supply(series).items():
        cover[row, last] = left
        days_out[row, last] = 6
    stock = np.round(usual * cover)
    for over in np.flatnonzero(series["kind"] == "ended").tolist():  # two months of it are left, and nobody asks for them
        end = frames.months_between(months[0], frames.month(series["month"].iloc[over]))
        stock[over, end:end + 5] = np.round(2 * mean[over, end - 6:end - 2].mean())
    return days_out, stock


def late_supply(series: pd.DataFrame) -> dict[int, float]:
    """Series whose supply comes late in October 2026: row, and months of demand left in stock at the end of September."""
    rows = {first_of(series, "Sauces", "SBY"): 0.12}  # the chilli came late
    if (series["place"] == 2).any():
        rows[first_of(series, "Instant noodles", "MKS", 2)] = 0.30  # so did the vessel
    return rows
