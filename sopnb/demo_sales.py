"""The demo company's commercial side, as each cycle's extracts show it: prices, pipeline, quotas, events, opinions.

Every function takes the world and a cycle (YYYY-MM) and returns the table of the source of the same name, as known on
the first day of the cycle month. Quota is money of deals won, not of all orders: the run-rate needs no deal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import demo_catalogue as catalogue
from sopnb import frames
from sopnb.demo_supply import rain
from sopnb.demo_world import CURRENT, KNOWN, NET, RISE_2027_KNOWN, RISES, World, first_of, stream

STAGES = ("prospect", "qualified", "proposal", "negotiation")
# location: who forecasts there, how far too high, and how much of it is chance
SALES_OWNERS = {"JKT": ("dewi.lestari", 0.01, 0.05), "SBY": ("joko.widianto", -0.01, 0.09), "MDN": ("rudi.siregar", 0.13, 0.05), "MKS": ("andi.pratama", 0.03, 0.14)}
MARKETING = "rina.kusuma"
TAKEN_BY_LAUNCH = 0.2  # of what the launch to come sells, marketing expects so much from those who buy its siblings now
# family: share of leads that order, and cartons an order
LEADS = {"Coffee": (0.30, 24.0), "RTD tea": (0.22, 30.0), "Biscuits": (0.25, 18.0)}
LATE_OPPORTUNITIES = {"2026-10": 6, "2026-04": 2}  # cycle: open deals whose expected day has passed
STALE_MARKET = {"2026-03": "2025-11"}  # cycle: last month that its market extract really holds
AMBITION = {"Coffee": 1.06, "Instant noodles": 1.00, "Sauces": 1.02, "Biscuits": 0.985, "Syrup": 0.98, "RTD tea": 0.955}  # budget against what is to be expected

# owner: how much of what is coming the person sees, how far too high the person aims, and how much of it is chance
OVERRIDERS = {"sari.wulandari": (0.75, 0.0, 0.04), "dewi.lestari": (0.50, 0.02, 0.06), "rudi.siregar": (0.10, 0.15, 0.06),
              "rina.kusuma": (0.35, 0.05, 0.08), "joko.widianto": (0.60, -0.01, 0.06)}
LOOKED_AT = 9  # series a person looks at before speaking about the three that seem furthest off
# reason: what is written beside it, and whether it raises the forecast, lowers it, or either
REASONS = {
    "promotion": ("Retailer's leaflet confirmed", "up"), "new_account": ("New outlets listed from this month", "up"),
    "price": ("Buying ahead of the January price rise", "up"), "lost_account": ("Account moved to a competitor", "down"),
    "competitor": ("Competitor's price cut in the region", "down"), "judgement": ("Trade feels otherwise than the statistics", "either"),
}


def prices(world: World, cycle: str) -> pd.DataFrame:
    """The price list by month, a year back and to the end of the horizon; a rise stands in it once it is decided."""
    t = world.at(cycle)
    months = world.months[t - 12:]
    price = world.price[:, t - 12:].copy()
    known = 2027 if cycle >= RISE_2027_KNOWN else 2026
    late = np.array([m.year > known for m in months])
    if late.any():
        price[:, late] = price[:, [int(np.argmax(late)) - 1]]
    item, month = np.indices(price.shape).reshape(2, -1)
    return pd.DataFrame({"item": world.items["item"].to_numpy()[item], "month": months[month], "price": price.ravel(),
                         "discount": round(1 - NET, 3)})


def accounts(world: World, cycle: str) -> pd.DataFrame:
    """Customers and prospects."""
    rng = stream(world.seed, "accounts")
    table = world.customers
    size = np.where(table["weight"] > 0, table["weight"] * 300e9, rng.lognormal(22.2, 0.6, len(table))) * world.count / 120
    return pd.DataFrame({
        "account": table["account"], "name": table["name"], "territory": table["location"], "rep": table["rep"],
        "potential": np.round(size * rng.uniform(1.05, 1.6, len(table)), -6),
        "workload": np.where(table["weight"] > 0.08, 48, np.where(table["weight"] > 0, 24, 12)),
        "closeness": rng.uniform(0.15, 0.95, len(table)).round(2)})


def reps(world: World, cycle: str) -> pd.DataFrame:
    """The sales team as it stands: people hired later are not in it yet, nor is a leaving day still to come."""
    table = pd.DataFrame(catalogue.REPS, columns=["rep", "name", "territory", "start", "end"])
    cut_off = f"{frames.month(cycle):%Y-%m-%d}"
    table = table[table["start"] < cut_off].reset_index(drop=True)
    return table.assign(end=table["end"].where(table["end"] < cut_off, ""))


def quotas(world: World, cycle: str) -> pd.DataFrame:
    """Quota by rep and month from January 2025 to the end of the horizon; new people begin at half for six months."""
    monthly = 1.07e9 * world.count / 120
    rows = []
    for rep, _, _, start, end in catalogue.REPS:
        if start >= f"{cycle}-01":
            continue
        for month in world.months[world.at("2025-01"):]:
            since = frames.months_between(frames.month(start[:7]), month)
            gone = end and end < f"{cycle}-01" and month > pd.Timestamp(end)
            if since >= 0 and not gone:
                growth = 1.05 ** (month.year - 2026)
                season = 1.15 if month.month in (7, 8, 9) else 1.08 if month.month in (1, 2) else 0.98  # Lebaran is sold in summer
                rows.append((rep, month, round(monthly * growth * season * (0.5 if since < 6 else 1.0), -6)))
    return pd.DataFrame(rows, columns=["rep", "month", "quota"])


def _deals(world: World) -> pd.DataFrame:
    """All deals from October 2024, with the days on which they moved from stage to stage."""
    if "deals" in world.cache:
        return world.cache["deals"]
    rng = stream(world.seed, "deals")
    first = np.datetime64("2024-08-01")
    n = 1900
    created = np.sort(first + rng.integers(0, 791, n))
    row = rng.integers(0, len(world.customers), n)
    family = rng.choice(len(catalogue.FAMILIES), n, p=[f.share for f in catalogue.FAMILIES])
    amount = np.round(np.exp(rng.normal(19.55, 0.72, n)) * world.count / 120, -6)
    days = np.clip(np.exp(rng.normal(4.25, 0.45, n)), 14, 240).astype(int)
    rep = _rep_of(world, row, created, rng)
    good = {r[0]: 0.36 + 0.14 * k / len(catalogue.REPS) for k, r in enumerate(catalogue.REPS)}
    won = rng.random(n) < np.array([good[r] for r in rep])
    reached = np.where(won, 4, rng.choice([1, 2, 3, 4], n, p=[0.25, 0.3, 0.25, 0.2]))  # stages gone through before it closed
    days = np.where(won, days, np.maximum(10, (days * reached / 4).astype(int)))
    table = pd.DataFrame({
        "account": world.customers["account"].to_numpy()[row], "item": None, "family": [catalogue.FAMILIES[f].name for f in family],
        "rep": rep, "territory": world.customers["location"].to_numpy()[row], "amount": amount, "created": created,
        "closed": created + days, "planned": created + np.clip(rng.normal(75, 25, n), 25, 160).astype(int), "won": won,
        "reached": reached, "flag_new": ["new" if new else None for new in (world.customers["weight"].to_numpy()[row] == 0) & (rng.random(n) < 0.35)]})
    world.cache["deals"] = _named_deals(world, table)
    return world.cache["deals"]


def _rep_of(world: World, row: np.ndarray, created: np.ndarray, rng: np.random.Generator) -> list[str]:
    """A rep of the account's territory who worked there on the day."""
    chosen = []
    pick = rng.random(len(row))
    for location, day, share in zip(world.customers["location"].to_numpy()[row], created.astype(str), pick, strict=True):
        there = [rep for rep, _, territory, start, end in catalogue.REPS if territory == location and start < day and (not end or end > day)]
        chosen.append(there[int(share * len(there))])
    return chosen


def _named_deals(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """The deals people talk about in the meetings."""
    tea, noodles = (world.items.loc[world.items["family"] == f, "item"].iloc[0] for f in ("RTD tea", "Instant noodles"))
    raya = world.customers.loc[world.customers["name"] == "Segar Raya", "account"].iloc[0]
    size = world.count / 120
    rows = [
        (raya, tea, "RTD tea", "R02", "JKT", 6.4e9 * size, "2026-06-09", "2026-09-24", "2026-09-20", True, 4, "new"),
        ("C101", noodles, "Instant noodles", "R01", "JKT", 8.4e9 * size, "2026-07-21", "2026-11-17", "2026-11-13", True, 4, "new"),
        ("C157", None, "Biscuits", "R10", "MDN", 3.6e9 * size, "2026-08-03", "2026-12-04", "2026-11-27", False, 4, "new"),
    ]
    named = pd.DataFrame(rows, columns=["account", "item", "family", "rep", "territory", "amount", "created", "closed", "planned", "won", "reached", "flag_new"])
    for column in ("created", "closed", "planned"):
        named[column] = pd.to_datetime(named[column])
    both = pd.concat([table, named], ignore_index=True).sort_values(["created", "account"], kind="stable").reset_index(drop=True)
    both.insert(0, "opportunity", [f"OP{k + 1:05d}" for k in range(len(both))])
    return both


def opportunities(world: World, cycle: str) -> pd.DataFrame:
    """The pipeline as the CRM shows it: closed deals with their outcome, open ones at their stage and expected day."""
    deals, cut_off = _deals(world), frames.month(cycle)
    table = deals[deals["created"] < cut_off].reset_index(drop=True)
    closed = (table["closed"] < cut_off).to_numpy()
    age = (cut_off - table["created"]).dt.days / (table["closed"] - table["created"]).dt.days
    step = np.clip((age * table["reached"]).astype(int), 0, 3)
    stage = np.where(closed, np.where(table["won"], "won", "lost"), np.array(STAGES)[step])
    # An expected day that has passed is moved a month or so ahead, as people do when they are asked.
    ahead = cut_off + pd.to_timedelta(15 + table.index.to_numpy() * 7 % 50, unit="D")
    expected = table["planned"].where(table["planned"] >= cut_off, ahead)
    table["close_date"] = table["closed"].where(closed, expected)
    for k in late_opportunities(world, cycle):
        table.loc[k, "close_date"] = cut_off - pd.Timedelta(days=12 + 5 * (k % 9))
    table["stage"] = stage
    table["outcome"] = table["stage"].where(closed, None)
    return table[frames.OPPORTUNITIES.names]


def late_opportunities(world: World, cycle: str) -> list[int]:
    """Open deals left with an expected day in the past: the oldest ones."""
    deals, cut_off = _deals(world), frames.month(cycle)
    still = deals[(deals["created"] < cut_off - pd.Timedelta(days=75)) & (deals["closed"] >= cut_off)]
    return still.index[: LATE_OPPORTUNITIES.get(cycle, 0)].tolist()


def forecast_sales(world: World, cycle: str) -> pd.DataFrame:
    """What the four sales managers expect, by family and location, six months ahead; Medan's is always too high."""
    t, rng = world.at(cycle), stream(world.seed, f"sales forecast {cycle}")
    rows = []
    for family in catalogue.FAMILIES:
        for location, (owner, bias, chance) in SALES_OWNERS.items():
            mine = ((world.series["family"] == family.name) & (world.series["location"] == location)).to_numpy()
            for k in range(6):
                truth = 0.5 * world.mean[mine, t + k].sum() + 0.5 * world.demand[mine, t + k].sum()
                quantity = truth * (1 + bias + rng.normal(0, chance))
                rows.append(("family", family.name, location, world.months[t + k], round(float(quantity), -1), owner))
    return pd.DataFrame(rows, columns=frames.FORECAST_SALES.names)


def leads(world: World, cycle: str) -> pd.DataFrame:
    """What marketing expects of fairs, samples and its outlet scheme, by family, four months ahead.

    Marketing sees a third of what will be asked for beyond the usual, and always something.
    """
    t, rng = world.at(cycle), stream(world.seed, f"leads {cycle}")
    rows = []
    for name, (conversion, units) in LEADS.items():
        mine = (world.series["family"] == name).to_numpy()
        for k in range(4):
            usual = world.mean[mine, t + k].sum()
            coming = 0.35 * (world.demand[mine, t + k].sum() - usual) + usual * rng.normal(0.006, 0.006)
            count = max(coming, 0.002 * usual) / (conversion * units)
            rows.append(("family", name, "all", world.months[t + k], round(float(count)), conversion, units, MARKETING))
    return pd.DataFrame(rows, columns=frames.LEADS.names)


def events(world: World, cycle: str) -> pd.DataFrame:
    """Promotions, launches, price rises and feasts of the last two years and as far ahead as they are announced.

    A promotion at one place is its sales manager's, one everywhere that of marketing; feasts and competitors are nobody's.
    """
    cut_off = frames.month(cycle)
    of_place = {place: owner for place, (owner, *_) in SALES_OWNERS.items()}
    table = world.promotions.assign(kind="promotion", owner=world.promotions["location"].map(of_place).fillna(MARKETING), from_family=np.nan)
    announced = (table["start"] < frames.next_month(cut_off, 5)) & ((table["event"] != "EV-MITRA") | (cycle >= "2026-10"))
    rows: list[tuple] = []
    for item in world.items[world.items["kind"] == "launched"].itertuples():
        if world.at(item.month) <= world.at(cycle) + 4:
            start = frames.month(item.month)
            rows.append((f"EV-NEW-{item.item}", f"Launch {item.name}", "launch", start, start + pd.Timedelta(days=90), "item", item.item, "all", None, MARKETING, TAKEN_BY_LAUNCH if item.month >= CURRENT else None))
    for year, rise in RISES.items():
        if year < 2027 or (year == 2027 and cycle >= RISE_2027_KNOWN):
            start = pd.Timestamp(year, 1, 1)
            rows.append((f"EV-PRICE-{year}", f"List prices +{rise:.1%} from January {year}", "price", start, start + pd.Timedelta(days=30), "all", None, "all", None, SALES_OWNERS["JKT"][0], None))
    for day in catalogue.LEBARAN:
        feast = pd.Timestamp(day)
        # No effect is given: the calendar in demand measures it, and stating it here would count it twice.
        rows.append((f"EV-LEBARAN-{feast.year}", f"Lebaran {feast.year}", "holiday", feast - pd.Timedelta(days=45), feast + pd.Timedelta(days=20), "all", None, "all", None, None, None))
    coffee = "Coffee"
    if cycle >= "2026-09":
        rows.append(("EV-COMP-1", "Competitor's coffee price cut in Medan", "competitor", pd.Timestamp("2026-09-01"), pd.Timestamp("2026-12-31"), "family", coffee, "MDN", -0.10, None, None))
    more = pd.DataFrame(rows, columns=frames.EVENTS.names).astype({"effect": "float64", "from_family": "float64"})
    both = pd.concat([table[announced][frames.EVENTS.names], more], ignore_index=True)
    both = both[(both["end"] >= frames.next_month(cut_off, -24)) & (both["start"] <= world.months[-1])]
    return both.sort_values(["start", "event"], kind="stable").reset_index(drop=True)


def market(world: World, cycle: str) -> pd.DataFrame:
    """Outside series by month: what may lead demand or costs."""
    rng, t = stream(world.seed, "market"), world.at(STALE_MARKET.get(cycle, f"{frames.next_month(cycle, -1):%Y-%m}")) + 1
    months = len(world.months)
    series = {"rainfall_java_mm": rain(world), "consumer_confidence": (121 + np.cumsum(rng.normal(0, 0.9, months))).round(1),
              "palm_oil_rp_kg": (14_200 * np.exp(np.cumsum(rng.normal(0.002, 0.03, months)))).round(0),
              "sugar_rp_kg": (13_600 * np.exp(np.cumsum(rng.normal(0.002, 0.012, months)))).round(0),
              "robusta_rp_kg": (46_000 * np.exp(np.cumsum(rng.normal(0.004, 0.035, months)))).round(0)}
    for family in catalogue.FAMILIES:
        series[f"category_growth_{family.prefix}"] = (family.growth + rng.normal(0, 0.012, months)).round(3)
    return pd.concat([pd.DataFrame({"series": name, "month": world.months[:t], "value": values[:t]}) for name, values in series.items()], ignore_index=True)


def budget(world: World, cycle: str) -> pd.DataFrame:
    """Revenue and units by family, fiscal years 2025 to 2027 and the first quarter of 2028."""
    first = world.at("2025-01")
    parts = []
    for family in catalogue.FAMILIES:
        mine = (world.series["family"] == family.name).to_numpy()
        units = world.mean[mine] * AMBITION[family.name]
        revenue = (units * world.price[world.series["row"].to_numpy()[mine]] * NET).sum(axis=0)
        parts.append(pd.DataFrame({"family": family.name, "month": world.months[first:], "revenue": revenue[first:].round(-6),
                                   "units": units.sum(axis=0)[first:].round(-2)}))
    return pd.concat(parts, ignore_index=True)


def overrides(world: World, cycle: str) -> pd.DataFrame:
    """Changes to the forecast made for this cycle and the three before it; some have expired, some are small."""
    t = world.at(cycle)
    made = [_overrides_of(world, at) for at in range(t - 3, t + 1)]
    table = pd.concat([part for part in made if len(part)], ignore_index=True)
    # What was made for a month now past goes out of the list; what expired unused stays to be seen.
    return table[table["month"] >= world.months[t]].reset_index(drop=True)


def _overrides_of(world: World, t: int) -> pd.DataFrame:
    """The overrides people made for the cycle of month t."""
    rng = stream(world.seed, f"overrides {t}")
    sold = world.mean[:, t:t + 4].min(axis=1) > 0
    big = np.flatnonzero((world.series["base"].rank(ascending=False) <= max(12, len(world.series) // 6)).to_numpy() & sold)
    rows: list[tuple] = []
    for owner, (sees, high, chance) in OVERRIDERS.items():
        places = {"rudi.siregar": ["MDN"], "joko.widianto": ["SBY"]}.get(owner, list(catalogue.LOCATIONS))
        mine = big[np.isin(world.series["location"].to_numpy()[big], places)]
        seen = [(int(row), int(rng.integers(0, 4))) for row in rng.choice(mine, LOOKED_AT)]
        seen.sort(key=lambda pair: -abs(_coming(world, pair[0], pair[1], t)[1]) if sees > 0.2 else 0.0)  # the others speak of what they like
        for row, ahead in seen[:3]:
            rows.append(_override(world, t, owner, row, ahead, (sees, high, chance), rng))
    made_on = world.months[t] - pd.Timedelta(days=6)
    if t == KNOWN:
        row = world.series.iloc[first_of(world.series, "Coffee", "MDN")]
        rows.append(("item", row["item"], "MDN", world.months[t], "percent", -0.25, "lost_account", REASONS["lost_account"][0], "dewi.lestari", world.months[t] + pd.Timedelta(days=60)))
        rows.append(("family", "Sauces", "all", world.months[t + 1], "percent", -0.02, "judgement", "Slower start of the season", "sari.wulandari", world.months[t] + pd.Timedelta(days=90)))
    table = pd.DataFrame(rows, columns=["level", "key", "location", "month", "kind", "value", "reason", "note", "owner", "expires"])
    table.insert(0, "override", [f"OV-{world.months[t]:%y%m}-{k + 1:02d}" for k in range(len(table))])
    table["made_on"] = made_on - pd.to_timedelta(np.arange(len(table)) % 5, unit="D")
    return table.drop_duplicates(["key", "location", "month"])[frames.OVERRIDES.names]


def _coming(world: World, row: int, ahead: int, t: int) -> tuple[float, float]:
    """What statistics would say of a coming month, and how far demand will be from it.

    Statistics know the season and the level of the last six months.
    """
    level = world.demand[row, t - 6:t].sum() / max(world.mean[row, t - 6:t].sum(), 1e-9)
    said = world.mean[row, t + ahead] * float(np.clip(level, 0.5, 2.0))
    return said, float(world.demand[row, t + ahead] / max(said, 1e-9) - 1)


def _override(world: World, t: int, owner: str, row: int, ahead: int, habit: tuple[float, float, float], rng: np.random.Generator) -> tuple:
    """One override: what its owner sees of the coming surprise, plus the owner's habit, plus chance."""
    sees, high, chance = habit
    said, coming = _coming(world, row, ahead, t)
    change = float(np.clip(sees * coming + high + rng.normal(0, chance), -0.45, 0.60))
    if rng.random() < 0.10:
        change = float(rng.choice([0.01, -0.01, 0.02]))  # too small to matter
    reasons = [r for r, (_, way) in REASONS.items() if way in ("either", "up" if change > 0 else "down")]
    reason = reasons[int(rng.integers(len(reasons)))]
    kind = ("percent", "percent", "delta", "absolute")[int(rng.integers(4))]
    value = {"percent": round(change, 3), "delta": round(change * said), "absolute": round((1 + change) * said)}[kind]
    # One in eight holds for a short while only, and has run out when its month comes.
    expires = world.months[t] + pd.Timedelta(days=int(12 if rng.random() < 0.125 else 31 * (ahead + 1)))
    item = world.series.iloc[row]
    return ("item", item["item"], item["location"], world.months[t + ahead], kind, float(value), reason, REASONS[reason][0], owner, expires)


def people(world: World, cycle: str) -> pd.DataFrame:
    """Who takes part in the meeting."""
    table = pd.DataFrame(catalogue.PEOPLE, columns=["person", "name", "role", "mandatory", "delegate", "language", "gets"])
    return table.assign(email=table["person"] + "@example.com", mandatory=table["mandatory"].map({True: "yes", False: "no"}))[frames.PEOPLE.names]
