"""The demo company's range, places and people: what stands still from cycle to cycle.

Nusantara Pangan is invented. It makes coffee, instant noodles, sauces, biscuits, syrup and ready-to-drink tea in two
plants (Bekasi, by Jakarta; Sidoarjo, by Surabaya) and sells from four warehouses. Everything is counted in cartons.
All names are made up; mail addresses lead nowhere (example.com, RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LOCATIONS = {"JKT": "Jakarta", "SBY": "Surabaya", "MDN": "Medan", "MKS": "Makassar"}
LOCATION_SHARE = (0.43, 0.29, 0.17, 0.11)

# First day of Idul Fitri (Lebaran). 2021–2026: as announced by the Ministry of Religious Affairs and kept in the joint
# decree of three ministers on national holidays; 2027 and 2028: as expected, to be announced.
LEBARAN = ("2021-05-13", "2022-05-02", "2023-04-22", "2024-04-10", "2025-03-31", "2026-03-21", "2027-03-10", "2028-02-27")


@dataclass(frozen=True)
class Family:
    """One family: what it earns, how it moves over the year, where it is made.

    share     of the company's revenue
    growth    of volume, a year
    margin    fraction of the list price
    lebaran   lift in the weeks before Lebaran, fraction
    season    factor by calendar month, January first; the mean is near 1
    packs     pack: pieces in a carton, Rp a carton, kg a carton
    resource  where its bottleneck hours are spent; mixing says whether it also needs the mixers
    """

    name: str
    prefix: str
    items: int
    share: float
    growth: float
    margin: float
    lebaran: float
    season: tuple[float, ...]
    shelf_life_days: int
    plant: str
    resource: str
    mixing: bool
    products: tuple[str, ...]
    packs: tuple[tuple[str, int, int, float], ...]


_RAIN = (1.08, 1.07, 1.04, 1.00, 0.97, 0.94, 0.93, 0.93, 0.95, 0.99, 1.04, 1.07)   # noodles and coffee: wet months
_DRY = (0.90, 0.89, 0.94, 1.00, 1.05, 1.08, 1.10, 1.12, 1.10, 1.03, 0.94, 0.90)    # tea: dry months
_FEAST = (0.96, 0.97, 1.00, 1.00, 0.98, 0.98, 0.98, 0.99, 0.99, 1.00, 1.03, 1.12)  # biscuits and syrup: year end
_EVEN = (0.99, 0.99, 1.00, 1.00, 1.00, 1.00, 0.99, 1.00, 1.00, 1.00, 1.01, 1.03)

FAMILIES = (
    Family("Instant noodles", "IN", 30, 0.380, 0.030, 0.25, 0.12, _RAIN, 240, "JKT", "Noodle line", False,
           ("Chicken Noodles", "Curry Noodles", "Fried Noodles", "Soto Noodles", "Spicy Fried Noodles", "Beef Noodles",
            "Shrimp Noodles", "Rendang Noodles", "Onion Chicken Noodles", "Vegetable Noodles"),
           (("5-pack", 40, 112_000, 3.4), ("single", 40, 104_000, 3.4), ("cup", 24, 128_000, 2.1))),
    Family("Biscuits", "BI", 26, 0.205, 0.045, 0.34, 0.75, _FEAST, 365, "SBY", "Biscuit oven", True,
           ("Assorted Biscuit", "Butter Biscuit", "Cream Wafer", "Coconut Biscuit", "Malkist Cracker",
            "Chocolate Sandwich", "Ginger Cookies", "Nastar Cookies", "Egg Roll"),
           (("Tin 650 g", 6, 168_000, 3.9), ("300 g", 12, 104_000, 3.6), ("120 g", 24, 92_000, 2.9))),
    Family("RTD tea", "TE", 14, 0.150, 0.070, 0.30, 0.22, _DRY, 300, "JKT", "Tea filling", False,
           ("Melati Tea", "Lemon Tea", "Less Sugar Tea", "Green Tea", "Milk Tea"),
           (("350 ml", 24, 64_000, 8.6), ("500 ml", 24, 82_000, 12.2), ("250 ml", 24, 52_000, 6.1))),
    Family("Coffee", "CF", 20, 0.105, -0.015, 0.34, 0.08, _RAIN, 540, "JKT", "Coffee roasting", False,
           ("Kopi Tubruk", "Kopi Susu", "White Coffee", "Robusta Lampung", "Mocha", "Arabica Gayo", "Kopi Jahe"),
           (("20 × 25 g", 6, 142_000, 3.0), ("10 × 20 g", 12, 118_000, 2.4), ("165 g", 24, 196_000, 4.0))),
    Family("Syrup", "SY", 12, 0.085, 0.025, 0.37, 1.15, _FEAST, 540, "SBY", "Syrup line", False,
           ("Orange Syrup", "Rose Syrup", "Cocopandan Syrup", "Melon Syrup", "Lychee Syrup", "Grape Syrup"),
           (("460 ml", 12, 132_000, 5.5), ("600 ml", 12, 158_000, 7.2))),
    Family("Sauces", "SC", 18, 0.075, 0.040, 0.33, 0.28, _EVEN, 540, "SBY", "Sauce kettles", True,
           ("Chilli Sauce", "Sweet Soy Sauce", "Tomato Sauce", "Sambal Terasi", "Oyster Sauce", "Salty Soy Sauce"),
           (("340 ml", 12, 118_000, 4.6), ("135 ml", 24, 98_000, 3.4), ("1 kg", 6, 156_000, 6.3))),
)
FAMILY = {family.name: family for family in FAMILIES}

# Materials and made parts: code, name, unit cost (Rp a kg or a piece), lead time in days, supplier, what it is.
MATERIALS = (
    ("RM-FLOUR", "Wheat flour, kg", 7_600, 14, "PT Gandum Sejahtera Abadi", "ingredient"),
    ("RM-PALM", "Palm oil, kg", 15_500, 10, "PT Minyak Khatulistiwa", "ingredient"),
    ("RM-SUGAR", "Sugar, kg", 13_600, 14, "PT Gula Tirta Manis", "ingredient"),
    ("RM-SALT", "Salt, kg", 4_600, 10, "UD Garam Pesisir", "ingredient"),
    ("RM-SEASON", "Seasoning mix, kg", 52_000, 21, "PT Rempah Cahaya", "ingredient"),
    ("RM-CHILLI", "Chilli paste, kg", 34_000, 18, "CV Cabai Lestari", "ingredient"),
    ("RM-SOY", "Soybeans, kg", 11_500, 30, "PT Kedelai Samudra", "ingredient"),
    ("RM-BUTTER", "Butter, kg", 92_000, 45, "Southern Dairy Trading", "ingredient"),
    ("RM-ROBUSTA", "Robusta green beans, kg", 52_000, 21, "KUD Lampung Makmur", "ingredient"),
    ("RM-MILK", "Milk powder, kg", 61_000, 45, "Southern Dairy Trading", "ingredient"),
    ("RM-TEA", "Tea leaves, kg", 41_000, 14, "PT Kebun Teh Priangan", "ingredient"),
    ("RM-FLAVOUR", "Fruit flavour, kg", 185_000, 40, "PT Aroma Tropika", "ingredient"),
    ("PK-BOX", "Carton box", 4_200, 12, "PT Kardus Nusa", "packaging"),
    ("PK-FILM", "Printed film, kg", 39_000, 25, "PT Kemasan Prima Jaya", "packaging"),
    ("PK-TIN", "Biscuit tin 650 g", 5_400, 35, "PT Kaleng Mandiri", "packaging"),
    ("PK-GLASS", "Syrup bottle, glass", 2_200, 75, "PT Kaca Utama", "packaging"),
    ("PK-PET", "PET bottle", 520, 20, "PT Botol Plastindo", "packaging"),
    ("PK-CUP", "Noodle cup", 1_050, 28, "PT Kemasan Prima Jaya", "packaging"),
    ("PK-SACHET", "Sachet film, kg", 44_000, 25, "PT Kemasan Prima Jaya", "packaging"),
)

# family: made part, its recipe (component, kg per kg, scrap), whether it is a phantom: used as it is made, never stocked.
# Materials come to half to seven tenths of what a carton costs; the rest is hours, energy and rent.
MADE_PARTS = {
    "Instant noodles": ("SF-NOODLE", (("RM-FLOUR", 0.78, 0.02), ("RM-PALM", 0.17, 0.01), ("RM-SALT", 0.02, 0.0), ("RM-SEASON", 0.05, 0.01)), False),
    "Biscuits": ("SF-DOUGH", (("RM-FLOUR", 0.58, 0.03), ("RM-SUGAR", 0.17, 0.01), ("RM-BUTTER", 0.012, 0.01), ("RM-PALM", 0.09, 0.01)), False),
    "RTD tea": ("SF-TEA", (("RM-TEA", 0.012, 0.02), ("RM-SUGAR", 0.055, 0.01)), True),
    "Coffee": ("SF-COFFEE", (("RM-ROBUSTA", 0.12, 0.16), ("RM-SUGAR", 0.50, 0.01), ("RM-MILK", 0.03, 0.01)), False),
    "Syrup": ("SF-SYRUP", (("RM-SUGAR", 0.24, 0.01), ("RM-FLAVOUR", 0.006, 0.01)), True),
    "Sauces": ("SF-SAUCE", (("RM-CHILLI", 0.12, 0.04), ("RM-SOY", 0.10, 0.03), ("RM-SUGAR", 0.14, 0.01), ("RM-SALT", 0.05, 0.0)), False),
}
PACKAGING = {"Instant noodles": "PK-FILM", "Biscuits": "PK-FILM", "RTD tea": "PK-PET", "Coffee": "PK-SACHET",
             "Syrup": "PK-GLASS", "Sauces": "PK-PET"}

# family, place in the family: what happened to it. A place beyond the range asked for is left out.
#   ("replaced", end month, by place)   ("launched", month, like place)   ("ended", month)
# A launch is compared with an item of its own size, and comes to LAUNCHED of it once it is known.
LIVES = {
    ("Sauces", 2): ("replaced", "2025-07", 3),
    ("Instant noodles", 10): ("replaced", "2025-10", 11),
    ("Biscuits", 12): ("replaced", "2026-03", 13),
    ("Coffee", 9): ("replaced", "2024-05", 10),
    ("Coffee", 3): ("launched", "2026-05", 1),
    ("Instant noodles", 15): ("launched", "2026-03", 6),
    ("Biscuits", 8): ("launched", "2026-08", 4),
    ("Sauces", 9): ("launched", "2025-02", 4),
    ("RTD tea", 5): ("launched", "2026-12", 4),
    ("Syrup", 9): ("ended", "2026-12"),
    ("Coffee", 13): ("ended", "2026-07"),
    ("Instant noodles", 22): ("ended", "2024-10"),
}

LAUNCHED = 0.65

# id, name, role, must attend, stands in, reads, gets
PEOPLE = (
    ("hendra.gunawan", "Hendra Gunawan", "General manager", True, "maya.putri", "en", "both"),
    ("sari.wulandari", "Sari Wulandari", "Demand planner", True, "rina.kusuma", "id", "both"),
    ("budi.hartono", "Budi Hartono", "Supply manager", True, "putu.ardana", "id", "both"),
    ("dewi.lestari", "Dewi Lestari", "Sales director", True, "rudi.siregar", "id", "both"),
    ("maya.putri", "Maya Putri", "Finance manager", True, "", "en", "both"),
    ("agus.santoso", "Agus Santoso", "Purchasing manager", False, "budi.hartono", "id", "both"),
    ("rudi.siregar", "Rudi Siregar", "Sales manager Medan", False, "", "id", "both"),
    ("rina.kusuma", "Rina Kusuma", "Marketing manager", False, "", "en", "both"),
    ("putu.ardana", "Putu Ardana", "Plant manager Sidoarjo", False, "", "id", "recap"),
    ("andi.pratama", "Andi Pratama", "Sales manager Makassar", False, "", "id", "pack"),
    ("joko.widianto", "Joko Widianto", "Sales manager Surabaya", False, "", "id", "recap"),
)

# rep, name, territory, first day, last day
REPS = (
    ("R01", "Fitri Handayani", "JKT", "2019-03-01", ""), ("R02", "Bayu Nugroho", "JKT", "2020-07-01", ""),
    ("R03", "Intan Permata", "JKT", "2021-02-01", ""), ("R04", "Dimas Saputra", "JKT", "2022-09-01", ""),
    ("R05", "Yuni Astuti", "JKT", "2026-06-01", ""), ("R06", "Eko Prasetyo", "SBY", "2018-05-01", ""),
    ("R07", "Lina Marlina", "SBY", "2020-01-01", ""), ("R08", "Wahyu Setiawan", "SBY", "2023-03-01", ""),
    ("R09", "Nur Aisyah", "SBY", "2024-08-01", ""), ("R10", "Togar Sinaga", "MDN", "2017-11-01", ""),
    ("R11", "Ruth Simanjuntak", "MDN", "2022-04-01", ""), ("R12", "Hotma Lubis", "MDN", "2021-01-01", "2026-06-30"),
    ("R13", "Irfan Syah", "MKS", "2019-08-01", ""), ("R14", "Rahma Daeng", "MKS", "2023-10-01", ""),
    ("R15", "Samuel Pane", "MDN", "2026-08-01", ""),
)

CHANNELS = (("GT", 0.50, 0.03), ("MT", 0.33, 0.06), ("HORECA", 0.10, 0.04), ("ONLINE", 0.07, 0.05))
_WORDS = ("Sumber", "Makmur", "Jaya", "Sentosa", "Abadi", "Sejahtera", "Lestari", "Bahari", "Cemerlang", "Mandala",
          "Harapan", "Mulia", "Timur", "Utara", "Pelita", "Surya", "Melati", "Kencana", "Anugerah", "Rejeki")


def customers(rng: np.random.Generator, per_location: int = 18) -> pd.DataFrame:
    """Who buys, and who might.

    returns  account × name, location, channel, rep, weight (of its location's sales; 0 for a prospect)

    >>> customers(np.random.default_rng(1)).groupby("location").weight.sum().round(6).unique().tolist()
    [1.0]
    """
    rows: list[tuple] = []
    for location in LOCATIONS:
        reps = [rep for rep, _, territory, start, end in REPS if territory == location and not end and start < "2026"]
        weights = 1 / np.arange(1, per_location + 1) ** 0.8
        weights = weights / weights.sum()
        for k in range(per_location + 10):
            channel = "MT" if k == 0 else CHANNELS[int(rng.choice(4, p=[c[1] for c in CHANNELS]))][0]
            first, second = rng.choice(len(_WORDS), 2, replace=False)
            kind = {"MT": "Swalayan", "HORECA": "Katering", "ONLINE": "Toko Daring"}.get(channel, "CV")
            rows.append((f"C{len(rows) + 101}", f"{kind} {_WORDS[first]} {_WORDS[second]}", location, channel,
                         reps[k % len(reps)], weights[k] if k < per_location else 0.0))
    table = pd.DataFrame(rows, columns=["account", "name", "location", "channel", "rep", "weight"])
    table.loc[table["account"] == "C101", "name"] = "Mitra Mart"
    table.loc[table["account"] == f"C{101 + per_location}", "name"] = "Segar Raya"
    return table


def _places(count: int) -> dict[str, int]:
    """How many items each family gets: in proportion, at least two."""
    total = sum(family.items for family in FAMILIES)
    return {family.name: min(family.items, max(2, round(family.items * count / total))) for family in FAMILIES}


def items(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """The range: what is sold, with what it weighs in the family's sales.

    returns  item × name, family, brand, category, place (in the family), pieces, price (Rp a carton, in 2026), kg,
             margin, weight (of the company's revenue), kind, month, other: its life, from LIVES
    """
    wanted = _places(count)
    rows: list[tuple] = []
    for family in FAMILIES:
        pack_weight = (1.0, 0.48, 0.24)
        pairs = sorted(((p + 1) ** -1.75 * pack_weight[k], p, k) for p in range(len(family.products)) for k in range(len(family.packs)))[::-1]
        spread = np.exp(rng.normal(0, 0.22, len(pairs)))
        margins = rng.normal(0, 0.03, len(pairs))
        codes = [f"{family.prefix}-{101 + place}" for place in range(wanted[family.name])]
        weights = np.array([w * spread[place] for place, (w, _, _) in enumerate(pairs[: len(codes)])])
        for place in range(len(codes)):
            kind, _, other = (*LIVES.get((family.name, place), ("", "", None)), None)[:3]
            if kind == "launched" and other < len(codes):
                weights[place] = LAUNCHED * weights[other]
        for place, code in enumerate(codes):
            _, product, pack = pairs[place]
            label, pieces, price, kg = family.packs[pack]
            kind, when, other = (*LIVES.get((family.name, place), ("", "", None)), None)[:3]
            partner = codes[other] if other is not None and other < len(codes) else None
            dear = 1 + 0.06 * ((product * 7 + pack) % 5 - 2) / 2
            rows.append((code, f"{family.products[product]} {label}", family.name, "Nusa Rasa" if product % 3 else "Nusantara",
                         label, place, pieces, round(price * dear, -2), kg, family.margin + margins[place],
                         weights[place] / weights.sum() * family.share,
                         kind if kind == "ended" or partner else "", when, partner))
    table = pd.DataFrame(rows, columns=["item", "name", "family", "brand", "category", "place", "pieces", "price", "kg",
                                        "margin", "weight", "kind", "month", "other"])
    return _successors(table)


def _successors(table: pd.DataFrame) -> pd.DataFrame:
    """A successor is its predecessor in a new recipe: same pack, same price."""
    table = table.copy()
    for old in table[table["kind"] == "replaced"].itertuples():
        new = table["item"] == old.other
        for column in ("brand", "category", "pieces", "price", "kg"):
            table.loc[new, column] = getattr(old, column)
        table.loc[new, "name"] = f"{old.name} new recipe"
    return table
