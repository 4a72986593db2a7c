"""How large the pages, the mail and the workbook of a cycle become with many items: they show the top and offer the file.

    python benchmarks/pages.py                         1,000 and 20,000 items
    python benchmarks/pages.py --items 1000 100000

Prints a line for each part of the pack: its bytes at each number of items, the ratio of the last to the first, the seconds
of the last; then the largest page and the peak memory. The cycle is made up: each item has a plan of 18 months at one
location, a stock path and a policy; one in five has an exception and an order, one in fifty an override and an action.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from sopnb import (
    consensus_page,
    figures_page,
    frames,
    front,
    inventory,
    mail,
    meeting_page,
    onepage,
    stock_page,
    supply_page,
    value_added,
    words,
    workbook,
    workbook_sheets,
)
from sopnb.blocks import Scope

Tables = dict[str, pd.DataFrame]
CYCLE = frames.month("2026-10")
AHEAD = 18
PEOPLE = [f"P{n:02d}" for n in range(12)]
PAGE = 1_000_000  # bytes a page may have


def made_up(items: int) -> Tables:
    """The tables of a cycle with so many items."""
    rng = np.random.default_rng(20261001)
    codes = np.array([f"I{n:06d}" for n in range(items)], dtype=object)
    months = frames.months(CYCLE, AHEAD)
    every, fifth, fiftieth = np.arange(items), np.arange(0, items, 5), np.arange(0, items, 50)
    units = np.round(rng.lognormal(4, 1, items))
    out = {"items": pd.DataFrame({"item": codes, "name": [f"Item number {n}" for n in every], "family": [f"Family {n % 12}" for n in every], "unit_cost": 6.0, "unit_price": 10.0, "make_or_buy": "buy"}),
           "people": pd.DataFrame({"person": PEOPLE, "name": [f"Person {n}" for n in range(len(PEOPLE))], "email": "x@pangan.example", "gets": "pack"})}
    series = {"item": np.repeat(codes, AHEAD), "location": "JKT", "month": np.tile(months.to_numpy(), items)}
    asked = np.repeat(units, AHEAD)
    out["plan"] = _table("plan", series, baseline=asked, events=0.0, pipeline=np.repeat(np.where(every % 7 == 0, 5.0, 0.0), AHEAD), consensus=asked, price=10.0, revenue=asked * 10, margin=asked * 4)
    out["projection"] = _table("projection", series, opening=asked, receipts=0.0, proposed=asked, demand=asked, closing=asked, safety_stock=asked / 2, cover=1.0)
    at = {"item": codes, "location": "JKT"}
    out["policy"] = _table("policy", at, service_class=np.array(list("ABC"), dtype=object)[every % 3], service_target=0.95, measure="cycle", demand=units, error_sd=units / 3, lead_months=1.0, sigma=units / 2,
                           distribution="normal", safety_stock=units, cycle_service=0.95, fill_rate=0.99, erp_safety_stock=units * 2, erp_cycle_service=0.99, erp_fill_rate=0.99, difference=-units * 6, basis="own")
    some, amount = {"item": codes[fifth], "location": "JKT"}, units[fifth] * 10
    kinds = np.array(["short", "excess", "obsolete"], dtype=object)[fifth // 5 % 3]
    values = [json.dumps({"item": code, "location": "JKT", "units": 4, "on_hand": 9, "within": 5, "limit": 6}) for code in codes[fifth]]
    out["exceptions"] = _table("exceptions", some, id=[f"E{n}" for n in fifth], kind=kinds, first=CYCLE, last=CYCLE, units=units[fifth], amount=amount, because="exceptions." + kinds, values=values,
                               group=np.where(kinds == "short", [f"short-{n}" for n in fifth], "all-" + kinds), overlap=0.0)
    out["proposed"] = _table("proposed", some, order=[f"O{n}" for n in fifth], release=CYCLE, due=CYCLE, quantity=units[fifth], rule="moq", message="order", serves=CYCLE, amount=amount)
    out["shipments"] = _table("shipments", some, order=[f"S{n}" for n in fifth], source_location="SBY", release=CYCLE, due=CYCLE, quantity=units[fifth], rule="multiple", message="past_due", serves=CYCLE, amount=amount)
    out["messages"] = _table("messages", some, order=[f"R{n}" for n in fifth], kind="open", message="overdue", due=CYCLE, needed=CYCLE, quantity=units[fifth], needed_quantity=units[fifth], amount=amount, months=0.0)
    out["overrides_used"] = _table("overrides_used", {"key": codes[fiftieth], "location": "JKT", "month": CYCLE}, override=[f"V{n}" for n in fiftieth], level="item", kind="delta", value=5.0, units=5.0, amount=50.0, reason="price",
                                   owner=[PEOPLE[n % 12] for n in fiftieth], state="used", made_on=CYCLE, expires=CYCLE, noise=3.0)
    out["actions"] = _table("actions", {"action": [f"2026-09-A{n}" for n in fiftieth]}, title=[f"Ask about item {n}" for n in fiftieth], owner=[PEOPLE[n % 12] for n in fiftieth], due=CYCLE, state="open", made_on=CYCLE,
                            amount=100.0, overdue_days=fiftieth % 90, age_days=fiftieth % 120, cycle=CYCLE)
    out["findings"] = _table("findings", {"id": [f"F{n}" for n in fiftieth]}, source="orders", rule="findings.duplicate_key", column="item", rows=1, of_rows=items, amount=10.0, share=0.01, severity="amber", first="I1",
                             values=[json.dumps({"rows": 1, "key": "item", "of_rows": items, "source": "orders", "first": "I1", "column": "item", "amount": 10.0, "share": 0.01})] * len(fiftieth))
    out["kpis"] = _table("kpis", {"kpi": "otif", "scope": [f"family:Family {n}" for n in range(12)], "month": frames.next_month(CYCLE, -1)}, value=0.95, target=0.97, status="off", version="1")
    return out


def _table(name: str, key: Mapping[str, Any], **cells: Any) -> pd.DataFrame:
    """A table as its frame says, with these cells; the others missing."""
    about, rows = frames.TABLES[name], pd.DataFrame({**key, **cells})
    usual = {"text": None, "number": float("nan"), "integer": 0, "date": pd.NaT, "month": pd.NaT, "flag": False}
    return frames.typed(rows.assign(**{column.name: usual[column.kind] for column in about.columns if column.name not in rows.columns})[about.names], about)


def parts(tables: Tables, folder: Path) -> dict[str, Callable[[], int]]:
    """What makes each part of the pack and tells its bytes."""
    items, exceptions, none = tables["items"], tables["exceptions"], tables["exceptions"].head(0)
    names = dict(zip(items["item"], items["name"], strict=True))
    months = frames.months(CYCLE, AHEAD)
    scope = Scope("2026-10", frames.next_month(CYCLE, -1), CYCLE, months, months[:6], 3, (2, 3), names, places={"JKT": "Jakarta"})
    netted = SimpleNamespace(proposed=tables["proposed"], shipments=tables["shipments"])
    options = frames.empty(frames.OPTIONS)
    record = frames.empty(frames.VALUE_ADDED_BY)
    header = {"company": "Many Items", "cycle": "2026-10", "verdict": "amber", "findings": len(tables["findings"]), "version": "0", "run": "r", "language": "en", "currency": "USD", "as_of": CYCLE, "origin": frames.next_month(CYCLE, -1)}
    at: dict[str, Any] = {"places": scope.places, "scope": scope}

    @functools.cache
    def facts() -> dict[str, Any]:
        return front.facts(tables, {}, header=header, links=[], locations=dict(scope.places))

    def book() -> int:
        known = workbook_sheets.names(tables, locations=scope.places, measures={"otif": "percent"}, currency="USD")
        return workbook.workbook(folder / "w.xlsx", workbook_sheets.sheets(tables, known), front=workbook_sheets.front("Many Items", "2026-10", facts())).stat().st_size

    def letter() -> int:
        made = mail.build(facts(), to="x@pangan.example", sender="y@pangan.example")
        return len(made.get_body(("html",)).get_content().encode())  # type: ignore[union-attr]

    return {
        "index": lambda: len(front.render(facts()).encode()),
        "one page": lambda: len(onepage.render(facts()).encode()),
        "mail": letter,
        "02 streams": lambda: _bytes(figures_page.streams(tables["plan"], scope)),
        "02 overrides": lambda: _bytes(consensus_page.overrides(tables["overrides_used"], record=record, answers=value_added.answers(tables["overrides_used"].head(0), record), small=0.5, scope=scope)),
        "03 policy": lambda: _bytes(stock_page.policy(tables["policy"], items, by_class=inventory.by_class(tables["policy"], items), **at)),
        "03 orders": lambda: _bytes(supply_page.orders(netted, items, pegs=None, messages=tables["messages"], findings=None, **at)),
        "03 shipments": lambda: _bytes(supply_page.moving(netted, None, None, None, lanes=True, bom=False, items=items, plan=tables["plan"], **at)),
        "03 exceptions": lambda: _bytes(supply_page.decide(exceptions, options, top=10, later=none, excess_months=6, **at)),
        "03 by family": lambda: _bytes(figures_page.exceptions(exceptions, items, scope)),
        "03 too much": lambda: _bytes(stock_page.too_much(exceptions, options, tables["projection"], **at)),
        "05 actions": lambda: _bytes(meeting_page.actions(tables["actions"], as_of=CYCLE, names={})),
        "workbook": book,
    }


def _bytes(shown: Any) -> int:
    """The bytes of a block, a figure or a table as a page holds it."""
    return 0 if shown is None else len(shown._repr_mimebundle_()["text/html"].encode())


def measured(items: int, *, without: Collection[str] = ()) -> dict[str, tuple[int, float]]:
    """Bytes and seconds of each part of the pack with so many items."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, words.speaking("en", "USD"):
        for name, make in parts(made_up(items), Path(folder)).items():
            if name in without:
                continue
            began = time.perf_counter()
            found[name] = (make(), time.perf_counter() - began)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--items", type=int, nargs="+", default=[1_000, 20_000])
    ask.add_argument("--without", nargs="*", default=[], metavar="PART", help="parts left out, as workbook")
    given = ask.parse_args()
    counts = given.items
    found = [measured(count, without=given.without) for count in counts]
    print(f"{'bytes':<14}" + "".join(f"{count:>14,}" for count in counts) + f"{'ratio':>8}{'seconds':>9}")
    for name, (_, seconds) in found[-1].items():
        sizes = [one[name][0] for one in found]
        print(f"{name:<14}" + "".join(f"{size:>14,}" for size in sizes) + f"{sizes[-1] / max(sizes[0], 1):>8.2f}{seconds:>9.1f}")
    largest = max((size for name, (size, _) in found[-1].items() if name != "workbook"), default=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(f"largest part of a page {largest:,} bytes, {'under' if largest < PAGE else 'OVER'} {PAGE:,}; peak memory {peak:,.0f} MB")


if __name__ == "__main__":
    main()
