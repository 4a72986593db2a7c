"""The demo company's materials: recipes, what they use by plant and month, what is bought, on hand and under way.

Materials are counted where they are used: flour lies in both plants, tea leaves in Bekasi alone. What is ordered
follows what the months to come will use, so that stock, open orders and requirements belong together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import demo_catalogue as catalogue
from sopnb import frames
from sopnb.demo_world import World, stream

STALE_PURCHASES = {"2026-10": "2026-08-28"}  # cycle: the day its purchase extract really is from
LATE_SHARE = {"RM-CHILLI": 0.34, "PK-GLASS": 0.34}  # of orders that come late; the others: a tenth
EARLY = 1  # months from using a material to selling what is made of it


def master() -> pd.DataFrame:
    """Materials and made parts as the item master has them; a made part costs what its recipe costs."""
    bought = [(code, name, "Materials", kind, cost, float(days), "buy") for code, name, cost, days, _, kind in catalogue.MATERIALS]
    cost = {code: cost for code, _, cost, *_ in catalogue.MATERIALS}
    made = [(part, f"{family}, base, kg", "Materials", "made part",
             round(sum(cost[c] * quantity / (1 - scrap) for c, quantity, scrap in recipe), -1), 2.0, "make")
            for family, (part, recipe, _) in catalogue.MADE_PARTS.items()]
    table = pd.DataFrame(bought + made, columns=["item", "name", "family", "category", "unit_cost", "lead_time_days", "make_or_buy"])
    return table.reindex(columns=frames.ITEMS.names)


def bom(world: World, cycle: str) -> pd.DataFrame:
    """Two levels: a carton holds a made part, packaging and a box; the made part holds ingredients. The box is shared."""
    rows = []
    for item in world.items.itertuples():
        rows.append((item.item, catalogue.MADE_PARTS[item.family][0], item.kg, 0.02, False))
        rows.append((item.item, "PK-BOX", 1.0, 0.01, False))
        pack = "PK-CUP" if item.category == "cup" else "PK-TIN" if item.category.startswith("Tin") else catalogue.PACKAGING[item.family]
        by_weight = pack in ("PK-FILM", "PK-SACHET")
        rows.append((item.item, pack, round(item.kg * 0.06, 3) if by_weight else float(item.pieces), 0.02, False))
    for part, recipe, phantom in catalogue.MADE_PARTS.values():
        rows += [(part, component, quantity, scrap, phantom) for component, quantity, scrap in recipe]
    table = pd.DataFrame(rows, columns=["item", "component", "quantity", "scrap", "phantom"])
    return table.assign(phantom=table["phantom"].map({True: "yes", False: "no"}), valid_from=None, valid_to=None)


def usage(world: World) -> pd.DataFrame:
    """What the plants use of each material and stocked made part, by month of sale.

    returns  item × location, columns 0 … months − 1: kg or pieces
    """
    if "usage" not in world.cache:
        recipe = bom(world, "").assign(per=lambda d: d["quantity"] / (1 - d["scrap"]))
        made = pd.DataFrame(world.mean).groupby(world.series["item"].to_numpy()).sum()
        first = recipe[recipe["item"].isin(made.index)]
        plant = first["item"].map(world.items.set_index("item")["family"]).map({f.name: f.plant for f in catalogue.FAMILIES})
        direct = made.loc[first["item"]].mul(first["per"].to_numpy(), axis=0).groupby([first["component"].to_numpy(), plant.to_numpy()]).sum()
        second = recipe[~recipe["item"].isin(made.index)].merge(
            pd.DataFrame(direct.index.to_list(), columns=["item", "location"]), on="item")
        below = direct.loc[list(zip(second["item"], second["location"], strict=True))].mul(second["per"].to_numpy(), axis=0)
        below = below.groupby([second["component"].to_numpy(), second["location"].to_numpy()]).sum()
        phantoms = [part for part, _, phantom in catalogue.MADE_PARTS.values() if phantom]
        table = pd.concat([direct.drop(index=phantoms, level=0), below]).groupby(level=[0, 1]).sum().sort_index()
        world.cache["usage"] = table.rename_axis(["item", "location"])
    return world.cache["usage"]


def orders(world: World) -> pd.DataFrame:
    """All purchase orders of materials from October 2023 on, with the day each will have come.

    One order a week, every second week where the way is long, for what is used in that time a month later.
    """
    if "purchases" not in world.cache:
        rng = stream(world.seed, "purchases")
        used = usage(world)
        about = {row[0]: row for row in catalogue.MATERIALS}
        first, last = world.months[24].to_numpy().astype("datetime64[D]"), np.datetime64("2026-10-15")
        parts = []
        for k, ((code, location), month) in enumerate(used[used.index.get_level_values(0).isin(list(about))].iterrows()):
            _, _, _, days, supplier, _ = about[code]
            every = 7 if days < 30 else 14
            ordered = np.arange(first + k % 7, last, every)
            due = ordered + days
            late = rng.random(len(ordered)) < LATE_SHARE.get(code, 0.10)
            received = due + np.where(late, rng.integers(2, 16, len(ordered)), -rng.integers(0, 3, len(ordered)))
            at = (due.astype("datetime64[M]") - world.months[0].to_numpy().astype("datetime64[M]")).astype(int) + EARLY
            quantity = month.to_numpy()[np.minimum(at, len(month) - 1)] * every / 30.4 * rng.uniform(0.9, 1.1, len(ordered))
            parts.append(pd.DataFrame({"item": code, "location": location, "supplier": supplier, "ordered": ordered, "due": due,
                                       "received": received, "quantity": np.ceil(quantity / 100) * 100}))
        table = pd.concat(parts, ignore_index=True).sort_values(["ordered", "item", "location"], kind="stable").reset_index(drop=True)
        table.insert(0, "order", [f"PO{k // 3 + 1:05d}" for k in range(len(table))])
        table.insert(1, "line", [str((k % 3 + 1) * 10) for k in range(len(table))])
        world.cache["purchases"] = table
    return world.cache["purchases"]


def purchases(world: World, cycle: str) -> pd.DataFrame:
    """Purchase orders of materials of the last two years, open ones without a day received; chilli comes late."""
    table = orders(world)
    day = pd.Timestamp(STALE_PURCHASES.get(cycle, frames.month(cycle) - pd.Timedelta(days=1)))
    since = frames.next_month(frames.month(cycle), -24)
    table = table[(table["ordered"] <= day) & (table["ordered"] >= since)].reset_index(drop=True)
    return table.assign(received=table["received"].where(table["received"] <= day))


def under_way(world: World, cycle: str) -> pd.DataFrame:
    """Materials ordered and not there yet, as receipts.

    returns  order × item × location   due_date, quantity
    """
    table, cut_off = orders(world), frames.month(cycle)
    still = table[(table["ordered"] < cut_off) & (table["received"] >= cut_off)].reset_index(drop=True)
    return pd.DataFrame({"order": still["order"] + "-" + still["line"], "item": still["item"], "location": still["location"],
                         "due_date": still["due"], "quantity": still["quantity"]})


def on_hand(world: World, cycle: str) -> pd.DataFrame:
    """Materials in the plants on the last day before the cycle month: two to three and a half weeks of use; made parts for two days.

    returns  item × location   as_of, on_hand
    """
    t, rng = world.at(cycle), stream(world.seed, f"materials {cycle}")
    used = usage(world)
    coming = used.to_numpy()[:, t + EARLY]
    weeks = rng.uniform(2.0, 3.5, len(used))
    made = used.index.get_level_values(0).str.startswith("SF-")
    chilli = used.index.get_level_values(0) == "RM-CHILLI"
    months = np.select([made, chilli], [2 / 30.4, 0.35], weeks * 7 / 30.4)
    table = used.index.to_frame(index=False)
    return table.assign(as_of=world.months[t] - pd.Timedelta(days=1), on_hand=np.round(coming * months))
