"""How long, and with how much memory, supply takes for many items: netting beside a plain loop, the item-level plan beside a modelling library.

    python benchmarks/supply.py                         all parts at full size
    python benchmarks/supply.py --only netting --series 10000

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

from sopnb import frames, netting

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


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "netting": lambda given: netting_part(given.series, given.months),
}


def main(words: list[str] | None = None) -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--only", choices=sorted(PARTS), help="one part; without it all")
    ask.add_argument("--series", type=int, default=100_000, help="netting: item-locations")
    ask.add_argument("--months", type=int, default=18, help="netting: months")
    given = ask.parse_args(words)
    for name, part in PARTS.items():
        if given.only in (None, name):
            part(given)


if __name__ == "__main__":
    main()
