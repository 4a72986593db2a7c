"""The demo company, generated: Nusantara Pangan, an invented Indonesian maker of food and drinks.

`generate` writes one folder of extracts a cycle, as an ERP, a CRM and people with spreadsheets would hand them over:
twelve cycles, 2025-11 to 2026-10, each with all history known on the first day of its month. The same seed gives the
same bytes in any folder. Between two cycles history differs only by what was not known yet: shipments still open,
late entries, cancellations, and faults of one extract.

What one extract got wrong the next has right, so a row set aside in one cycle appears as restated in the next.

What is wrong in an extract was put there on purpose. `planted.json` in each folder, and `planted`, list it:

    id        <cycle>-<source>-<kind>
    kind      drop, surge, stopped, started, restated, missing_week, stale, duplicate_key, unknown_item,
              unreadable_number, impossible_date, future_date, wrong_unit, amount_mismatch, negative_stock,
              missing_lead_time, late_opportunity
    source, file, rows (in the file, the header is row 1), keys
    month, units, amount (Rp)
    find_in   the table in which it should be found: set_aside, findings, insights or restated
    find      the rule or kind it should be found by
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from sopnb import demo_materials, demo_meetings, demo_orders, demo_sales, demo_supply, demo_world, frames

CURRENT = demo_world.CURRENT
EARLIER = 11
SEED = 20261001

Table = Callable[[demo_world.World, str], pd.DataFrame]

# source: file, table, the file's own column names where they differ from ours
SOURCES: dict[str, tuple[str, Table, dict[str, str]]] = {
    "items": ("barang.csv", demo_supply.items, {
        "item": "kode_barang", "name": "nama_barang", "family": "kelompok", "brand": "merek", "category": "kemasan",
        "unit_cost": "harga_pokok", "unit_price": "harga_daftar"}),
    "stock": ("stok.xlsx", demo_supply.stock, {"item": "Kode", "location": "Gudang", "as_of": "Tanggal", "on_hand": "Saldo"}),
    "stock_history": ("stock_history.csv", demo_supply.stock_history, {}),
    "receipts": ("receipts.csv", demo_supply.receipts, {}),
    "purchases": ("pembelian.csv", demo_materials.purchases, {
        "order": "no_po", "line": "baris", "item": "kode", "location": "gudang", "supplier": "pemasok",
        "ordered": "tgl_po", "due": "tgl_janji", "received": "tgl_terima", "quantity": "qty"}),
    "lanes": ("lanes.csv", demo_supply.lanes, {}),
    "bom": ("bom.csv", demo_materials.bom, {}),
    "routings": ("routings.csv", demo_supply.routings, {}),
    "capacity": ("capacity.csv", demo_supply.capacity, {}),
    "workforce": ("workforce.csv", demo_supply.workforce, {}),
    "prices": ("prices.csv", demo_sales.prices, {}),
    "forecast_sales": ("forecast_sales.csv", demo_sales.forecast_sales, {}),
    "leads": ("leads.csv", demo_sales.leads, {}),
    "opportunities": ("opportunities.csv", demo_sales.opportunities, {}),
    "accounts": ("accounts.csv", demo_sales.accounts, {}),
    "reps": ("reps.csv", demo_sales.reps, {}),
    "quotas": ("quotas.csv", demo_sales.quotas, {}),
    "events": ("events.csv", demo_sales.events, {}),
    "market": ("market.csv", demo_sales.market, {}),
    "intelligence": ("intelligence.csv", demo_meetings.intelligence, {}),
    "budget": ("budget.csv", demo_sales.budget, {}),
    "overrides": ("overrides.csv", demo_sales.overrides, {}),
    "people": ("people.csv", demo_sales.people, {}),
    "conversions": ("conversions.csv", demo_supply.conversions, {}),
    "rates": ("rates.csv", demo_supply.rates, {}),
}
MONTHS_ID = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def all_cycles(last: str = CURRENT, earlier: int = EARLIER) -> list[str]:
    """The demo's cycles, oldest first.

    >>> all_cycles()[0], all_cycles()[-1], len(all_cycles())
    ('2025-11', '2026-10', 12)
    """
    return [f"{month:%Y-%m}" for month in frames.months(frames.next_month(last, -earlier), earlier + 1)]


@functools.lru_cache(maxsize=2)
def world(seed: int = SEED, items: int = 120) -> demo_world.World:
    """The demo company's truth; drawn once."""
    return demo_world.build(seed=seed, items=items)


def generate(folder: Path, *, cycles: list[str] | None = None, seed: int = SEED, items: int = 120) -> None:
    """Write the demo company's extracts.

    folder   the company's data, as data/demo; each cycle becomes a folder in it
    cycles   which; None: all twelve
    items    how many items are sold; a small number makes a small company of the same shape
    """
    company = world(seed, items)
    for cycle in cycles or all_cycles():
        place = Path(folder) / cycle
        place.mkdir(parents=True, exist_ok=True)
        lines, found = demo_orders.extract(company, cycle)
        _write(place / demo_orders.FILE, "\n".join(lines) + "\n")
        known = set(demo_supply.items(company, cycle)["item"])
        for name, (file, table, names) in SOURCES.items():
            _save(_of_known(table(company, cycle), known), name, place / file, names)
        _write(place / "planted.json", json.dumps([*found, *_others(company, cycle)], indent=1, ensure_ascii=False) + "\n")
        if cycle < CURRENT:
            minutes = demo_meetings.minutes(cycle)
            _write(place / "minutes.yaml", yaml.safe_dump(minutes, sort_keys=False, allow_unicode=True, width=110))


def planted(cycle: str, *, seed: int = SEED, items: int = 120) -> list[dict]:
    """What was planted in a cycle's extracts; see the top of this file."""
    company = world(seed, items)
    return [*demo_orders.extract(company, cycle)[1], *_others(company, cycle)]


def _others(company: demo_world.World, cycle: str) -> list[dict]:
    """What was planted in the other sources."""
    found = []

    def add(source: str, kind: str, table: str, keys: list[str], rows: list[int], amount: float = 0.0, **more: object) -> None:
        found.append({"id": f"{cycle}-{source}-{kind}", "cycle": cycle, "kind": kind, "source": source, "file": SOURCES[source][0],
                      "find_in": table, "find": f"findings.{kind}" if table == "findings" else kind, "rows": rows, "keys": keys, "amount": int(amount), **more})

    if cycle in demo_materials.STALE_PURCHASES:
        add("purchases", "stale", "findings", [], [], month=cycle, last=demo_materials.STALE_PURCHASES[cycle])
    if cycle in demo_sales.STALE_MARKET:
        add("market", "stale", "findings", [], [], month=cycle, last=demo_sales.STALE_MARKET[cycle])
    row = demo_supply.negative_stock(company, cycle)
    if row is not None:
        stock = demo_supply.stock(company, cycle)
        item = company.series.iloc[row]
        at = stock.index[(stock["item"] == item["item"]) & (stock["location"] == item["location"])][0]
        add("stock", "negative_stock", "findings", [f"{item['item']}/{item['location']}"], [int(at) + 2],
            stock.loc[at, "on_hand"] * item["price"], units=int(stock.loc[at, "on_hand"]))
    if cycle in demo_supply.NO_LEAD_TIME:
        master = demo_supply.items(company, cycle)
        without = master[master["lead_time_days"].isna()]
        add("items", "missing_lead_time", "findings", without["item"].tolist(), [int(k) + 2 for k in without.index])
    late = demo_sales.late_opportunities(company, cycle)
    if late:
        pipeline = demo_sales.opportunities(company, cycle).loc[late]
        add("opportunities", "late_opportunity", "findings", pipeline["opportunity"].tolist(), [k + 2 for k in late], pipeline["amount"].sum())
    return found


def _of_known(df: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Rows about items that stand in the cycle's item master: nobody prices an item before it is created."""
    if {"level", "key"} <= set(df.columns):
        return df[(df["level"] != "item") | df["key"].isin(known)].reset_index(drop=True)
    if "item" in df.columns:
        return df[df["item"].isna() | df["item"].isin(known)].reset_index(drop=True)
    return df


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _save(df: pd.DataFrame, name: str, path: Path, names: dict[str, str]) -> None:
    """Write a source: text with ISO dates, except the two that have their own ways."""
    table = df.rename(columns=names)
    if name == "stock":
        _save_workbook(table, path)
    elif name == "purchases":
        for column in ("tgl_po", "tgl_janji", "tgl_terima"):
            days = {day: f"{day:%d} {MONTHS_ID[day.month - 1]} {day.year}" for day in table[column].dropna().unique()}
            table[column] = table[column].map(days)
        _whole(table).to_csv(path, index=False, sep=";", decimal=",", lineterminator="\n")
    else:
        _whole(table).to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def _whole(df: pd.DataFrame) -> pd.DataFrame:
    """Numbers without decimals are written without a decimal point."""
    out = df.copy()
    for column in out.columns[out.dtypes == "float64"]:
        values = out[column]
        if (values.dropna() % 1 == 0).all():
            out[column] = values.astype("Int64")
    return out


def _save_workbook(df: pd.DataFrame, path: Path) -> None:
    """Stock as a workbook; its day of making is fixed, so that its bytes are the same each time."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": False})
    book.set_properties({"title": "Stok gudang", "created": dt.datetime(2026, 1, 1)})
    sheet = book.add_worksheet("Stok")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, list(df.columns))
    for k, (item, location, as_of, on_hand) in enumerate(df.itertuples(index=False), start=1):
        sheet.write_string(k, 0, item)
        sheet.write_string(k, 1, location)
        sheet.write_datetime(k, 2, as_of.to_pydatetime(), day)
        sheet.write_number(k, 3, on_hand)
    book.close()
