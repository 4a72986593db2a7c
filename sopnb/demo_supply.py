"""The demo company's supply side, as each cycle's extracts show it: items, stock, orders, recipes, hours, people.

Every function takes the world and a cycle (YYYY-MM) and returns the table of the source of the same name, as known on
the first day of the cycle month.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import demo_catalogue as catalogue
from sopnb import demo_materials, frames
from sopnb.demo_world import KNOWN, World, first_of, late_supply, stream, working_days

# Resource: hours a day, load of its heaviest month from October 2026 to March 2028, Rp an hour, Rp an overtime hour,
# overtime as a share of regular hours. The oven is the one that cannot carry Lebaran 2027: its hours were bought for
# an ordinary month. The others have room for what a plan adds to demand: stock to build, lots, a forecast that is high.
RESOURCES = {
    "Biscuit oven": (24.0, 1.40, 3_200_000, 5_300_000, 0.13),
    "Noodle line": (96.0, 0.92, 2_100_000, 3_400_000, 0.10),
    "Tea filling": (48.0, 0.92, 1_900_000, 3_000_000, 0.10),
    "Coffee roasting": (32.0, 0.87, 1_500_000, 2_400_000, 0.12),
    "Syrup line": (32.0, 0.90, 1_200_000, 1_900_000, 0.12),
    "Sauce kettles": (32.0, 0.88, 1_300_000, 2_000_000, 0.12),
    "Mixing": (48.0, 0.90, 900_000, 1_500_000, 0.15),
}
OVEN_STOP = ("2027-02", 4)  # days of maintenance, and the month they fall in
TRANSIT = {("JKT", "SBY"): 3, ("JKT", "MDN"): 7, ("JKT", "MKS"): 9, ("SBY", "JKT"): 3, ("SBY", "MDN"): 9, ("SBY", "MKS"): 5}
NO_LEAD_TIME = {"2026-10": ("Sauces", "Syrup", "Coffee")}  # cycle: families whose smallest item has none
NEGATIVE_STOCK = ("2026-10", "MKS")  # cycle and location of a count below zero


def items(world: World, cycle: str) -> pd.DataFrame:
    """The item master: what is sold, four months ahead of a launch, and the materials and made parts behind it."""
    t, rng = world.at(cycle), stream(world.seed, "item master")
    table = world.items.copy()
    n = len(table)
    by_item = world.mean.reshape(n, len(catalogue.LOCATIONS), -1).mean(axis=1)
    usual = np.where(by_item[:, 48:66] > 0, by_item[:, 48:66], np.nan)
    monthly = np.nan_to_num(np.nanmean(np.where(np.isnan(usual).all(axis=1, keepdims=True), 1.0, usual), axis=1))
    table["unit_price"] = world.price[:, t]
    # Costs rise by 2.6% a year, without a jump in January.
    table["unit_cost"] = np.round(table["price"] * (1 - table["margin"]) * 1.026 ** ((t - KNOWN) / 12), -1)
    table["lead_time_days"] = rng.integers(14, 29, n).astype(float)
    table["lead_time_sd_days"] = rng.integers(2, 6, n).astype(float)
    for row in late_supply(world.series):  # what came late may come late again
        table.loc[world.series["row"].iloc[row], "lead_time_days"] = 35.0
    table["lot_multiple"] = np.select([monthly > 4000, monthly > 600], [100.0, 50.0], 10.0)
    table["moq"] = np.maximum(table["lot_multiple"], np.round(monthly * 0.3 / table["lot_multiple"]) * table["lot_multiple"])
    table["safety_stock"], table["reorder_point"] = _as_once_set(world, monthly, table["lead_time_days"].to_numpy())
    revenue = (monthly * world.price[:, KNOWN]).argsort()[::-1].argsort()
    table["service_class"] = np.select([revenue < n * 0.2, revenue < n * 0.5], ["A", "B"], "C")
    table["shelf_life_days"] = [float(catalogue.FAMILY[f].shelf_life_days) for f in table["family"]]
    table["make_or_buy"] = "make"
    table = _lives(world, table, t)
    for family in NO_LEAD_TIME.get(cycle, ()):
        table.loc[table.index[table["family"] == family][-1:], ["lead_time_days", "lead_time_sd_days"]] = np.nan
    return pd.concat([table.reindex(columns=frames.ITEMS.names), demo_materials.master()], ignore_index=True)


def _as_once_set(world: World, monthly: np.ndarray, lead_days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Safety stocks and reorder points as somebody set them in 2024: right in all, wrong item by item.

    Days of the volume of that year, by a rule of thumb that knew nothing of how well an item is forecast.
    """
    rng = stream(world.seed, "erp safety stock")
    n = len(world.items)
    then = world.mean.reshape(n, len(catalogue.LOCATIONS), -1).sum(axis=1)[:, 24:36].mean(axis=1)
    volume = np.where(then > 0, then, 0.5 * len(catalogue.LOCATIONS) * monthly)  # a guess, for what came later
    days = rng.choice((7, 14, 21, 30), n, p=(0.25, 0.35, 0.25, 0.15))
    held = np.round(volume * days / 30)
    return held, np.round(volume * lead_days / 30) + held


def _lives(world: World, table: pd.DataFrame, t: int) -> pd.DataFrame:
    """First and last days, successors and like items, as far as they are known."""
    table = table.assign(launch_date=None, end_date=None, successor=None, like_item=None)
    keep = np.ones(len(table), dtype=bool)
    for k, row in enumerate(world.items.itertuples()):
        if not row.kind:
            continue
        when = frames.month(row.month)
        at = world.at(when)
        if row.kind == "launched":
            table.loc[k, ["launch_date", "like_item"]] = [f"{when:%Y-%m-%d}", row.other]
            keep[k] = at <= t + 4
        elif at <= t + 5:
            table.loc[k, ["end_date", "successor"]] = [f"{frames.next_month(when) - pd.Timedelta(days=1):%Y-%m-%d}", row.other]
        if row.kind == "replaced":
            new = world.items.index[world.items["item"] == row.other][0]
            table.loc[new, "launch_date"] = f"{frames.next_month(when, -1):%Y-%m-%d}"
            keep[new] = at - 1 <= t + 4
    return table[keep]


def _live(world: World, t: int) -> np.ndarray:
    """Series sold in the last six months or coming within two."""
    return np.flatnonzero(world.mean[:, t - 6:t + 3].sum(axis=1) > 0)


def stock(world: World, cycle: str) -> pd.DataFrame:
    """Finished cartons in the four warehouses, and materials in the plants, on the last day before the cycle month."""
    t = world.at(cycle)
    rows = _live(world, t)
    table = world.series.loc[rows, ["item", "location"]].assign(
        as_of=world.months[t] - pd.Timedelta(days=1), on_hand=world.stock[rows, t - 1])
    row = negative_stock(world, cycle)
    if row is not None:
        table.loc[row, "on_hand"] = -abs(table.loc[row, "on_hand"]) - 12
    return pd.concat([table, demo_materials.on_hand(world, cycle)], ignore_index=True)


def negative_stock(world: World, cycle: str) -> int | None:
    """Series whose count is written below zero."""
    return first_of(world.series, "Sauces", NEGATIVE_STOCK[1], 1) if cycle == NEGATIVE_STOCK[0] else None


def stock_history(world: World, cycle: str) -> pd.DataFrame:
    """Stock at month end and days without stock, from October 2021."""
    t = world.at(cycle)
    row, month = np.indices((len(world.series), t)).reshape(2, -1)
    sold = (world.mean[:, :t].cumsum(axis=1) > 0).ravel() & ((world.mean[:, :t] > 0) | (world.stock[:, :t] > 0)).ravel()
    row, month = row[sold], month[sold]
    return pd.DataFrame({
        "item": world.series["item"].to_numpy()[row], "location": world.series["location"].to_numpy()[row],
        "month": world.months[month], "on_hand": world.stock[row, month].astype(int), "days_out": world.days_out[row, month]})


def receipts(world: World, cycle: str) -> pd.DataFrame:
    """Open production orders, three weeks of demand or so, less where stock is high; a few are past due. Then materials."""
    t, rng = world.at(cycle), stream(world.seed, f"receipts {cycle}")
    rows = _live(world, t)
    coming = world.mean[rows, t:t + 2].mean(axis=1)
    wanted = np.clip(coming * 1.9 - np.maximum(world.stock[rows, t - 1], 0), 0, None)
    lot = np.select([coming > 4000, coming > 600], [100, 50], 10)
    parts = []
    for share, first, last in ((0.55, 3, 13), (0.45, 14, 34)):
        quantity = np.round(wanted * share * rng.uniform(0.85, 1.15, len(rows)) / lot) * lot
        due = world.months[t].to_numpy().astype("datetime64[D]") + rng.integers(first, last, len(rows))
        due = np.where(rng.random(len(rows)) < 0.025, due - 30, due)  # past due
        if t == KNOWN:  # nothing comes of these before November
            due = np.where(np.isin(rows, list(late_supply(world.series))), np.datetime64("2026-11-05") + first, due)
        parts.append(world.series.loc[rows, ["item", "location"]].assign(due_date=due, quantity=quantity))
    table = pd.concat(parts, ignore_index=True)
    table = table[table["quantity"] > 0].sort_values(["due_date", "item", "location"], kind="stable").reset_index(drop=True)
    table.insert(0, "order", [f"PR{cycle[2:4]}{cycle[5:]}{k + 1:04d}" for k in range(len(table))])
    table["due_date"] = pd.to_datetime(table["due_date"])
    return pd.concat([table, demo_materials.under_way(world, cycle)], ignore_index=True)


def lanes(world: World, cycle: str) -> pd.DataFrame:
    """Each family is made in one plant and carried to the other warehouses."""
    table = world.series[["item", "location", "family"]].copy()
    table["source_location"] = [catalogue.FAMILY[f].plant for f in table["family"]]
    table = table[table["location"] != table["source_location"]]
    table["transit_days"] = [TRANSIT[pair] for pair in zip(table["source_location"], table["location"], strict=True)]
    return table[["item", "location", "source_location", "transit_days"]].reset_index(drop=True)


def routings(world: World, cycle: str) -> pd.DataFrame:
    """Hours a carton needs: by weight, so scaled that each resource's heaviest month is as RESOURCES says."""
    kg = world.items.set_index("item")["kg"]
    hours = available_hours(world)
    window = slice(KNOWN, KNOWN + 18)
    parts = []
    for resource, (_, peak, *_) in RESOURCES.items():
        families = [f.name for f in catalogue.FAMILIES if f.resource == resource or (resource == "Mixing" and f.mixing)]
        mine = world.series["family"].isin(families).to_numpy()
        weight = world.series.loc[mine, "item"].map(kg).to_numpy() ** 0.5
        need = (world.mean[mine][:, window] * weight[:, None]).sum(axis=0)
        scale = peak / (need / hours[resource][window]).max()
        made = world.items[world.items["family"].isin(families)]
        parts.append(pd.DataFrame({"item": made["item"], "resource": resource,
                                   "hours_per_unit": (made["kg"] ** 0.5 * scale).round(7)}))
    return pd.concat(parts, ignore_index=True)


def available_hours(world: World) -> dict[str, np.ndarray]:
    """Regular hours by resource and month."""
    days = working_days(world.months)
    hours = {resource: np.round(days * daily * 0.97) for resource, (daily, *_) in RESOURCES.items()}
    hours["Biscuit oven"][world.at(OVEN_STOP[0])] -= OVEN_STOP[1] * 24
    return hours


def capacity(world: World, cycle: str) -> pd.DataFrame:
    """Hours and rates by month, two years back and to the end of the horizon."""
    hours, first = available_hours(world), world.at(cycle) - 24
    return pd.concat([pd.DataFrame({
        "resource": resource, "month": world.months[first:], "available_hours": hours[resource][first:],
        "overtime_hours": np.round(hours[resource][first:] * share), "cost_rate": rate, "overtime_rate": overtime,
    }) for resource, (_, _, rate, overtime, share) in RESOURCES.items()], ignore_index=True)


def workforce(world: World, cycle: str) -> pd.DataFrame:
    """People by family, enough for a month of ordinary demand, and what it costs to change that."""
    rows = []
    t = world.at(cycle)
    for family in catalogue.FAMILIES:
        mine = (world.series["family"] == family.name).to_numpy()
        monthly = world.mean[mine, t - 12:t].sum(axis=0).mean()
        per_person = {"Instant noodles": 2_600, "RTD tea": 2_900, "Biscuits": 1_250}.get(family.name, 1_500)
        price = float((world.items["price"] * world.items["weight"])[world.items["family"] == family.name].sum()
                      / world.items["weight"][world.items["family"] == family.name].sum())
        cost = price * (1 - family.margin)
        rows.append((family.name, float(np.ceil(monthly / per_person)), per_person, 7_500_000, 21_000_000, 6_200_000,
                     round(6_200_000 / per_person * 1.6), round(cost * 0.15, -2), round(price * 0.04, -2), round(cost * 0.20 / 12, -1)))
    return pd.DataFrame(rows, columns=frames.WORKFORCE.names[:10])  # no limits stated


def conversions(world: World, cycle: str) -> pd.DataFrame:
    """A carton in pieces, and a pallet in cartons."""
    pieces = pd.DataFrame({"item": world.items["item"], "unit": "pcs", "factor": (1 / world.items["pieces"]).round(8)})
    pallets = pd.DataFrame({"item": world.items["item"], "unit": "pallet", "factor": [float(round(420 / kg) // 5 * 5 + 5) for kg in world.items["kg"]]})
    return pd.concat([pieces, pallets], ignore_index=True)


def rates(world: World, cycle: str) -> pd.DataFrame:
    """Rupiah for one of another currency, month by month."""
    rng = stream(world.seed, "rates")
    parts = []
    for currency, level in (("SGD", 12_300.0), ("USD", 16_250.0)):
        path = level * np.exp(np.cumsum(rng.normal(0.001, 0.009, KNOWN + 1)) - 0.06)
        t = world.at(cycle)
        parts.append(pd.DataFrame({"currency": currency, "month": world.months[:t], "rate": path[:t].round(0)}))
    return pd.concat(parts, ignore_index=True)


def rain(world: World) -> np.ndarray:
    """Millimetres of rain in Java by month, for the market series."""
    usual = np.array([330, 300, 260, 190, 120, 70, 50, 45, 70, 140, 220, 290], dtype=float)
    noise = stream(world.seed, "rain").normal(1, 0.18, len(world.months))
    return np.round(np.array([usual[m.month - 1] for m in world.months]) * noise)
