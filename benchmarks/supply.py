"""How long, and with how much memory, supply takes for many items: netting beside a plain loop, the item-level plan beside a modelling library.

    python benchmarks/supply.py                         all parts at full size
    python benchmarks/supply.py --only netting --series 10000
    python benchmarks/supply.py --only lp --items 300   the item-level plan alone, smaller

Each part prints a line a step: seconds, peak memory of the process, and whether the other way gave the same numbers.
The items, their demand, stock and orders are made up.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from sopnb import constrained, frames, netting

AS_OF = pd.Timestamp("2026-10-01")


class Watch:
    """Prints the seconds since the last line, and the memory the process has needed at most."""

    def __init__(self) -> None:
        self.before = time.perf_counter()

    def lap(self, what: str) -> float:
        now = time.perf_counter()
        seconds, self.before = now - self.before, now
        print(f"{what:<72}{seconds:8.2f} s   peak {peak():6,.0f} MB", flush=True)
        return seconds

    def again(self) -> None:
        self.before = time.perf_counter()


def peak() -> float:
    """Most memory the process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


# --- netting --------------------------------------------------------------------------------------------------------

def company(series: int, months: int) -> dict[str, pd.DataFrame]:
    """Items at four places, the first of which supplies the others: plan, stock, open orders, items, lanes, policy."""
    rng = np.random.default_rng(20261001)
    count = max(series // 4, 1)
    items = pd.DataFrame({"item": [f"I{i:06d}" for i in range(count)], "family": "F", "moq": rng.choice([0.0, 50.0, 200.0], count),
                          "lot_multiple": rng.choice([1.0, 10.0, 25.0], count), "unit_cost": 5.0,
                          "lead_time_days": rng.integers(5, 60, count).astype(float)})
    keys = items[["item"]].merge(pd.DataFrame({"location": ["A", "B", "C", "D"]}), how="cross").head(series)
    plan = keys.loc[keys.index.repeat(months)].reset_index(drop=True)
    plan["month"] = np.tile(frames.months(AS_OF, months).to_numpy(), len(keys))
    plan["consensus"] = np.round(rng.gamma(2, 40, len(plan)))
    stock = keys.assign(as_of=AS_OF - pd.Timedelta(days=1), on_hand=np.round(rng.gamma(2, 60, len(keys))))
    due = keys.iloc[::2].reset_index(drop=True)
    receipts = due.assign(order=[f"PO{i}" for i in range(len(due))], due_date=AS_OF + pd.to_timedelta(rng.integers(0, 150, len(due)), unit="D"),
                          quantity=np.round(rng.gamma(2, 60, len(due))))
    lanes = keys[keys["location"] != "A"].assign(source_location="A", transit_days=7.0).reset_index(drop=True)
    policy = keys.assign(safety_stock=np.round(rng.gamma(2, 15, len(keys))), eoq=np.nan)
    return {"plan": plan, "stock": stock, "receipts": receipts, "items": items, "lanes": lanes, "policy": policy}


def plain_loop(given: dict[str, pd.DataFrame]) -> float:
    """Units ordered by a loop over items and months in plain Python: what a script of a few lines would do, without lanes."""
    moq, multiple = (dict(zip(given["items"]["item"], given["items"][c], strict=True)) for c in ("moq", "lot_multiple"))
    stock = dict(zip(zip(given["stock"]["item"], given["stock"]["location"], strict=True), given["stock"]["on_hand"], strict=True))
    safety = dict(zip(zip(given["policy"]["item"], given["policy"]["location"], strict=True), given["policy"]["safety_stock"], strict=True))
    coming: dict[tuple[str, str, pd.Timestamp], float] = {}
    for item, place, day, units in given["receipts"][["item", "location", "due_date", "quantity"]].itertuples(index=False):
        month = day.replace(day=1)
        coming[item, place, month] = coming.get((item, place, month), 0.0) + units
    last = given["plan"][given["plan"]["consensus"] > 0].groupby(["item", "location"])["month"].max().to_dict()
    ordered = 0.0
    for (item, place), rows in given["plan"].groupby(["item", "location"], sort=False):
        on_hand = stock.get((item, place), 0.0)
        for month, units in zip(rows["month"], rows["consensus"], strict=True):
            on_hand += coming.get((item, place, month), 0.0) - units
            keep = safety[item, place] if month <= last[item, place] else 0.0
            if on_hand < keep:
                lot = math.ceil(max(keep - on_hand, moq[item]) / multiple[item]) * multiple[item]
                on_hand, ordered = on_hand + lot, ordered + lot
    return ordered


def netting_part(series: int, months: int) -> None:
    """Netting of a company: each series by itself, beside the plain loop; and the network with everything made of it."""
    given = company(series, months)
    watch = Watch()
    size = f"{series:,d} item-locations × {months} months"
    alone = {name: given[name] for name in ("plan", "stock", "receipts", "items", "policy")}
    ours = netting.requirements(**alone, as_of=AS_OF)
    units = float(ours.proposed["quantity"].sum())
    watch.lap(f"{size}: netted, {len(ours.proposed):,d} orders")
    theirs = plain_loop(given)
    watch.lap("the same by a loop in plain Python")
    print("same units ordered" if math.isclose(units, theirs) else f"UNITS DIFFER: {units:,.0f} and {theirs:,.0f}")
    del ours
    watch.again()
    whole = netting.requirements(**given, as_of=AS_OF)
    watch.lap(f"{size}: a network of four places each")
    count = len(whole.proposed) + len(whole.shipments)
    watch.lap(f"  tables of orders and shipments, {count:,d} rows")
    told = len(whole.messages)
    watch.lap(f"  messages, {told:,d} rows")
    pegs = len(whole.pegs)
    watch.lap(f"  pegs of every order to the customer's month, {pegs:,d} rows")


# --- the plan within the hours ----------------------------------------------------------------------------------------

def shop(items: int, months: int, resources: int) -> dict[str, pd.DataFrame]:
    """Items with a season on one to three of the resources, whose hours are a little short in the high months."""
    rng = np.random.default_rng(20261002)
    names, when = [f"I{i:05d}" for i in range(items)], frames.months(AS_OF, months)
    season = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(months) + rng.integers(0, 12, (items, 1))) / 12)
    units = np.round(rng.lognormal(4, 1, (items, 1)) * season * rng.gamma(10, 0.1, (items, months)))
    price = rng.uniform(5, 50, items)
    margin = price * rng.uniform(0.15, 0.5, items)
    plan = pd.DataFrame({"item": np.repeat(names, months), "location": "all", "month": np.tile(when.to_numpy(), items), "consensus": units.ravel()})
    plan = plan.assign(revenue=plan["consensus"] * np.repeat(price, months), margin=plan["consensus"] * np.repeat(margin, months))
    uses = [(i, r) for i in range(items) for r in rng.choice(resources, rng.integers(1, 4), replace=False)]
    bill = pd.DataFrame({"item": [names[i] for i, _ in uses], "resource": [f"R{r:02d}" for _, r in uses], "hours_per_unit": np.round(rng.uniform(0.02, 0.3, len(uses)), 3)})
    load = bill.merge(plan, on="item").assign(hours=lambda d: d["consensus"] * d["hours_per_unit"]).groupby("resource")["hours"].sum() / months
    capacity = load.rename("mean").reset_index().merge(pd.DataFrame({"month": when}), how="cross")
    capacity["available_hours"] = np.round(capacity["mean"] * capacity["resource"].map(dict(zip(load.index, rng.uniform(0.85, 1.15, len(load)), strict=True))))
    capacity = capacity.assign(overtime_hours=0.15 * capacity["available_hours"], cost_rate=20.0, overtime_rate=30.0).drop(columns="mean")
    master = pd.DataFrame({"item": names, "family": "F", "unit_cost": price - margin, "make_or_buy": "make"})
    stock = pd.DataFrame({"item": names, "location": "all", "on_hand": np.round(units[:, 0] * rng.uniform(0, 1.2, items))})
    policy = pd.DataFrame({"item": names, "location": "all", "safety_stock": np.round(units.mean(axis=1) * 0.4), "service_class": rng.choice(list("ABC"), items, p=[0.2, 0.3, 0.5])})
    return {"plan": plan, "routings": bill, "capacity": capacity, "items": master, "stock": stock, "policy": policy}


def by_pulp(given: dict[str, pd.DataFrame], watch: Watch) -> float | None:
    """The least cost of the same problem, every sale alike and without safety stock, written out in PuLP and solved by CBC."""
    try:
        import pulp
    except ImportError:
        print("  PuLP: not installed; it is among the development tools (requirements-dev.lock)")
        return None
    months = sorted(given["plan"]["month"].unique())
    demand = given["plan"].set_index(["item", "month"])["consensus"].to_dict()
    sums = given["plan"].groupby("item")[["consensus", "margin"]].sum()
    cost, opening = given["items"].set_index("item")["unit_cost"].to_dict(), given["stock"].set_index("item")["on_hand"].to_dict()
    lost = {i: max(margin / units if units else 0.0, 0.2 * cost[i], 1e-3) for i, units, margin in sums.itertuples()}
    model, last = pulp.LpProblem("hours", pulp.LpMinimize), months[-1]
    keys = [(i, m) for i in lost for m in months]
    made, kept = pulp.LpVariable.dicts("made", keys, 0), pulp.LpVariable.dicts("kept", keys, 0)
    late = {key: pulp.LpVariable(f"late_{n}", 0, 0 if key[1] == last else None) for n, key in enumerate(keys)}
    gone = {key: pulp.LpVariable(f"gone_{n}", 0, demand[key]) for n, key in enumerate(keys)}
    hours = given["capacity"].set_index(["resource", "month"])
    over = {key: pulp.LpVariable(f"over_{n}", 0, row.overtime_hours) for n, (key, row) in enumerate(zip(hours.index, hours.itertuples(), strict=True))}
    model += pulp.lpSum([*(kept[k] * (cost[k[0]] * 0.2 / 12) + gone[k] * lost[k[0]] + late[k] * (0.1 * lost[k[0]]) for k in keys), *(30.0 * v for v in over.values())])
    for i in lost:
        for n, m in enumerate(months):
            before = kept[i, months[n - 1]] - late[i, months[n - 1]] if n else opening[i]
            model += before + made[i, m] + gone[i, m] == demand[i, m] + kept[i, m] - late[i, m]
    for resource_name, rows in given["routings"].groupby("resource"):
        for m in months:
            used = pulp.lpSum(made[i, m] * h for i, h in zip(rows["item"], rows["hours_per_unit"], strict=True))
            model += used <= over[resource_name, m] + float(hours.loc[(resource_name, m), "available_hours"])
    watch.lap("  PuLP: the problem written out")
    model.solve(pulp.PULP_CBC_CMD(msg=False))
    watch.lap(f"  PuLP with CBC: {pulp.LpStatus[model.status].lower()}")
    return float(pulp.value(model.objective))


def lp_part(items: int, months: int, resources: int) -> None:
    """The plan within the hours with classes and safety stock; then every sale alike and without safety stock, beside PuLP with CBC."""
    given = shop(items, months, resources)
    watch = Watch()
    out = constrained.plan_hours(**given)
    watch.lap(f"{items:,d} items × {months} months × {resources} resources: classes and safety stock")
    print(f"  late and lost: {len(out.unserved):,d} item-months; hours worth money: {(out.bottlenecks['value'] > 0).sum():,d} resource-months")
    plain = constrained.plan_hours(**{**given, "policy": None})
    watch.lap("  every sale alike, no safety stock: the least cost by sopnb")
    ours, theirs = plain.costs["amount"].iloc[-1], by_pulp(given, watch)
    if theirs is not None:
        print(f"  same least cost: {ours:,.2f}" if math.isclose(ours, theirs, rel_tol=1e-6) else f"  LEAST COSTS DIFFER: {ours:,.2f} and {theirs:,.2f}")


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "netting": lambda given: netting_part(given.series, given.months),
    "lp": lambda given: lp_part(given.items, given.lp_months, given.resources),
}


def main(words: list[str] | None = None) -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--only", choices=sorted(PARTS), help="one part; without it all")
    ask.add_argument("--series", type=int, default=100_000, help="netting: item-locations")
    ask.add_argument("--months", type=int, default=18, help="netting: months")
    ask.add_argument("--items", type=int, default=3_000, help="lp: items")
    ask.add_argument("--lp-months", type=int, default=12, help="lp: months")
    ask.add_argument("--resources", type=int, default=20, help="lp: resources")
    given = ask.parse_args(words)
    for name, part in PARTS.items():
        if given.only in (None, name):
            part(given)


if __name__ == "__main__":
    main()
