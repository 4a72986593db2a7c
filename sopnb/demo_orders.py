"""The demo company's order lines, as its ERP would write them, and the faults planted in them.

The extract is a `;` separated text with decimal commas, points in thousands and dates as 31/12/2026. Every line is
written once; a cycle's extract is the lines entered before its cut-off, those that had not left yet without shipment.
What is restated (late entries, cancellations after the month) is known to a line by the cycle from which it holds.

    no_pesanan;baris;kode_barang;gudang;pelanggan;saluran;wilayah;sales;tgl_pesan;tgl_minta;qty;harga;diskon;jumlah;status;tgl_kirim;qty_kirim
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import demo_catalogue as catalogue
from sopnb import frames
from sopnb.demo_world import KNOWN, World, stream, surprises

HEADER = ("no_pesanan;baris;kode_barang;gudang;pelanggan;saluran;wilayah;sales;tgl_pesan;tgl_minta;qty;harga;diskon;"
          "jumlah;status;tgl_kirim;qty_kirim")
FILE = "pesanan.csv"
LINES_A_MONTH = 5       # at most, for one item at one location
NEVER = "9999-12"

# The weeks whose lines one cycle's extract lacks: cycle, location, first and last day ordered.
MISSING_WEEKS = (("2026-10", "MKS", "2026-09-14", "2026-09-20"), ("2025-12", "MDN", "2025-11-17", "2025-11-23"))
# Rows with a fault, by cycle: repeated, unknown item, unreadable number, impossible date, future date, in pieces, wrong amount
ROW_FAULTS = {
    "2026-10": {"duplicate_key": 24, "unknown_item": 12, "unreadable_number": 5, "impossible_date": 4, "future_date": 3,
                "wrong_unit": 3, "amount_mismatch": 2},
    "2026-09": {"duplicate_key": 6, "unreadable_number": 2},
    "2026-06": {"unknown_item": 5},
    "2026-02": {"impossible_date": 3},
}
USED_ALL_THE_SAME = ("wrong_unit", "amount_mismatch")  # faults that leave a row readable: a finding, not a row set aside
# Where a month was restated: cycle that first shows it, location, month, share of its lines cancelled, or entered late
RESTATED = (("2026-10", "MDN", "2026-08", 0.05, "cancelled"), ("2026-10", "MDN", "2026-07", 0.03, "late"),
            ("2026-05", "SBY", "2026-03", 0.04, "cancelled"))


def lines(world: World) -> pd.DataFrame:
    """All order lines to the cycle month, sorted as the ERP numbers them.

    returns  order × line × series, account, channel, rep, ordered, asked, left (days), quantity, shipped, price, discount,
             amount, status, known (cycle from which the line is there), dropped (cycle from which it is cancelled)
    """
    if "lines" not in world.cache:
        world.cache["lines"] = _restate(world, _number(world, _ship(world, _split(world))))
    return world.cache["lines"]


def _split(world: World) -> pd.DataFrame:
    """Monthly demand cut into order lines, each with a customer, a day and a quantity."""
    rng = stream(world.seed, "orders")
    demand = world.demand[:, : KNOWN + 1].astype(np.int64)
    volume = world.series["base"].rank(pct=True).to_numpy()[:, None]
    count = np.minimum(1 + rng.binomial(LINES_A_MONTH - 1, np.clip(0.25 + 0.75 * volume, 0, 1), demand.shape), demand)
    series, month = (np.repeat(part.ravel(), count.ravel()) for part in np.indices(demand.shape))
    first = np.r_[0, np.cumsum(count.ravel())[:-1]][count.ravel() > 0]
    part = rng.gamma(2.0, 1.0, len(series)) + 0.15
    total = np.repeat(np.add.reduceat(part, first), count.ravel()[count.ravel() > 0])
    whole = demand[series, month]
    quantity = np.maximum(1, np.floor(part / total * whole).astype(np.int64))
    over = np.add.reduceat(quantity, first) - demand.ravel()[count.ravel() > 0]
    quantity[first] -= over
    table = pd.DataFrame({"series": series, "month": month, "quantity": quantity})
    table = table[table["quantity"] > 0].reset_index(drop=True)
    return _customers(world, table, rng)


def _customers(world: World, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give each line a customer of its location, and the day of the week on which that customer is served."""
    places = world.series["location"].to_numpy()[table["series"].to_numpy()]
    draw, row = rng.random(len(table)), np.zeros(len(table), dtype=np.int64)
    for location in catalogue.LOCATIONS:
        here = np.flatnonzero((world.customers["location"] == location) & (world.customers["weight"] > 0))
        limits = np.cumsum(world.customers["weight"].to_numpy()[here])
        mine = places == location
        row[mine] = here[np.minimum(np.searchsorted(limits, draw[mine]), len(here) - 1)]
    month = table["month"].to_numpy()
    stopped, started = accounts(world)
    biggest = {location: int(np.flatnonzero(world.customers["location"] == location)[0]) for location in catalogue.LOCATIONS}
    row = np.where((row == started) & (month < KNOWN - 2), biggest["JKT"], row)
    keep = ~((row == stopped) & (month >= KNOWN - 1))  # the customer went to a competitor: this demand is lost
    table = table.assign(customer=row)[keep].reset_index(drop=True)
    row, month = row[keep], month[keep]
    starts = world.months[: KNOWN + 1].to_numpy("datetime64[D]")
    weekday = (row * 5 + row // 6) % 6  # Monday to Saturday
    first_weekday = (starts.astype(np.int64) + 3) % 7  # day 0, 1 January 1970, was a Thursday
    week = rng.integers(0, 4, len(table))
    offset = (weekday - first_weekday[month]) % 7 + 7 * week
    table["asked"] = starts[month] + offset
    table["ordered"] = table["asked"].to_numpy("datetime64[D]") - (2 + row * 7 % 8)
    return table


def accounts(world: World) -> tuple[int, int]:
    """Rows of the customer who stopped in September 2026 (Surabaya) and of the one who began in August (Jakarta)."""
    surabaya = np.flatnonzero(world.customers["location"] == "SBY")
    jakarta = np.flatnonzero(world.customers["location"] == "JKT")
    return int(surabaya[3]), int(jakarta[2])


def _ship(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """What left and when, at what price; returns and cancelled lines beside them."""
    rng = stream(world.seed, "shipments")
    n = len(table)
    series, month, row = (table[c].to_numpy() for c in ("series", "month", "customer"))
    short = world.days_out[series, month] > 0
    late = rng.random(n) < np.where(world.series["location"].to_numpy()[series] == "MKS", 0.09, 0.045) + 0.10 * short
    delay = np.where(late, rng.integers(1, 9, n), -rng.integers(0, 2, n))
    part = np.where(short & (rng.random(n) < 0.75), rng.uniform(0.3, 0.9, n), np.where(rng.random(n) < 0.02, 0.9, 1.0))
    table["left"] = table["asked"].to_numpy("datetime64[D]") + delay
    table["shipped"] = np.round(table["quantity"].to_numpy() * part).astype(np.int64)
    channel = world.customers["channel"].to_numpy()[row]
    usual = np.array([{c: d for c, _, d in catalogue.CHANNELS}[name] for name in channel])
    promoted = _promoted(world)[series, month]
    table["discount"] = np.round(usual + np.where(promoted, 0.06, 0.0), 2)
    table["price"] = world.price[world.series["row"].to_numpy()[series], month].astype(np.int64)
    table["status"] = np.where(rng.random(n) < 0.008, "cancelled", "")
    table.loc[table["status"] == "cancelled", "shipped"] = 0
    returns = table[rng.random(n) < 0.011].copy()
    returns["quantity"] = -np.maximum(1, (returns["quantity"] * 0.12).astype(np.int64))
    returns["asked"] = returns["ordered"] = returns["left"] = returns["left"] + pd.Timedelta(days=9)
    returns["shipped"], returns["status"] = returns["quantity"], "return"
    both = pd.concat([table, returns], ignore_index=True)
    both["amount"] = np.floor(both["quantity"] * both["price"] * (100 - np.round(both["discount"] * 100)) / 100 + 0.5).astype(np.int64)
    return both


def _promoted(world: World) -> np.ndarray:
    """Whether an item is on promotion at a location in most of a month."""
    shape = (len(world.series), len(world.months))
    flags = np.zeros(shape, dtype=bool)
    for event in world.promotions.itertuples():
        start = pd.Timestamp(event.start)
        rows = (world.series["item"] == event.key) & ((world.series["location"] == event.location) | (event.location == "all"))
        flags[np.flatnonzero(rows), world.at(start)] = True
    return flags


def _number(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Order numbers: what one customer orders on one day is one order."""
    table = table.assign(back=(table["status"] == "return").astype(int))
    table = table.sort_values(["ordered", "customer", "back", "series", "quantity", "price"], kind="stable").reset_index(drop=True)
    new = (table[["ordered", "customer", "back"]] != table[["ordered", "customer", "back"]].shift()).any(axis=1)
    number = new.cumsum().to_numpy()
    kind = np.where(table["back"] == 1, "RT", "SO")
    table["order"] = [f"{k}{v:06d}" for k, v in zip(kind, number, strict=True)]
    table["line"] = (table.groupby(number).cumcount() + 1) * 10
    buyer = world.customers.iloc[table["customer"].to_numpy()]
    return table.drop(columns="back").assign(account=buyer["account"].to_numpy(), channel=buyer["channel"].to_numpy(),
                                             rep=buyer["rep"].to_numpy())


def _restate(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Lines entered late, and lines cancelled after their month: each holds from the cycle named in RESTATED."""
    rng = stream(world.seed, "restated")
    table = table.assign(known="", dropped=NEVER)
    place = world.series["location"].to_numpy()[table["series"].to_numpy()]
    usable = (table["quantity"] > 0) & (table["status"] == "") & (table["left"] < pd.Timestamp("2026-09-01"))
    for cycle, location, month, share, how in RESTATED:
        there = np.flatnonzero(usable & (place == location) & (table["month"] == world.at(month)))
        chosen = np.sort(rng.choice(there, max(1, round(len(there) * share)), replace=False))
        table.loc[chosen, "known" if how == "late" else "dropped"] = cycle
    return table


def seen(world: World, cycle: str) -> pd.DataFrame:
    """The lines that a cycle's extract holds, before faults: entered before the cut-off, as they stood then.

    returns  as `lines`, with the flags open (not left yet) and cancelled
    """
    table, cut_off = lines(world), frames.month(cycle)
    place = world.series["location"].to_numpy()[table["series"].to_numpy()]
    visible = ((table["ordered"] < cut_off) & (table["known"] <= cycle)).to_numpy()
    for when, location, first, last in MISSING_WEEKS:
        if when == cycle:
            visible &= ~((place == location) & (table["ordered"] >= first) & (table["ordered"] <= last)).to_numpy()
    now = table[visible]
    cancelled = (now["status"] == "cancelled") | (now["dropped"] <= cycle)
    return now.assign(open=(now["left"] >= cut_off) & ~cancelled, cancelled=cancelled)


def extract(world: World, cycle: str) -> tuple[list[str], list[dict]]:
    """A cycle's extract as text lines, header first, and what was planted in it.

    returns  lines of text; planted faults as sopnb.demo.planted describes them
    """
    now = seen(world, cycle)
    closed, opened, dropped = _texts(world)
    rows = now.index.to_numpy()
    text = np.where(now["open"], opened[rows], np.where(now["dropped"] <= cycle, dropped[rows], closed[rows])).tolist()
    text, planted = _row_faults(world, now, text, cycle)
    return [HEADER, *text], planted + _missing(world, cycle) + _restatements(world, cycle) + _surprise_list(world, cycle)


def render(world: World, row: pd.Series, changes: dict[str, str]) -> str:
    """One shipped line of the extract; `changes` replaces columns by name, as text."""
    item = world.series.iloc[row["series"]]
    values = {
        "no_pesanan": row["order"], "baris": str(row["line"]), "kode_barang": item["item"], "gudang": item["location"],
        "pelanggan": row["account"], "saluran": row["channel"], "wilayah": item["location"], "sales": row["rep"],
        "tgl_pesan": f"{row['ordered']:%d/%m/%Y}", "tgl_minta": f"{row['asked']:%d/%m/%Y}", "qty": _points(row["quantity"]),
        "harga": _points(row["price"]), "diskon": f"{row['discount']:.2f}".replace(".", ","), "jumlah": _points(row["amount"]),
        "status": row["status"] if row["status"] == "cancelled" else "",
        "tgl_kirim": f"{row['left']:%d/%m/%Y}", "qty_kirim": _points(row["shipped"]),
    }
    return ";".join({**values, **changes}.values())


def _points(value: int) -> str:
    """A whole number with points in its thousands."""
    return f"{int(value):,}".replace(",", ".")


def _texts(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every line as text: as shipped, as still open, and as cancelled afterwards."""
    if "texts" not in world.cache:
        table = lines(world)
        series = world.series.iloc[table["series"].to_numpy()]
        days = {day: f"{day:%d/%m/%Y}" for column in ("ordered", "asked", "left") for day in table[column].unique()}
        discount = {d: f"{d:.2f}".replace(".", ",") for d in table["discount"].unique()}
        ordered, asked, left = (table[c].map(days).tolist() for c in ("ordered", "asked", "left"))
        heads = [
            f"{o};{n};{i};{w};{c};{ch};{w};{r};{d1};{d2};{_points(q)};{_points(p)};{d};{_points(a)};"
            for o, n, i, w, c, ch, r, d1, d2, q, p, d, a in zip(
                table["order"].tolist(), table["line"].tolist(), series["item"].tolist(), series["location"].tolist(),
                table["account"].tolist(), table["channel"].tolist(), table["rep"].tolist(), ordered, asked,
                table["quantity"].tolist(), table["price"].tolist(), table["discount"].map(discount).tolist(),
                table["amount"].tolist(), strict=True)]
        shipped, status = table["shipped"].tolist(), table["status"].tolist()
        closed = [h + ("cancelled;;" if s == "cancelled" else f";{d};{_points(q)}")
                  for h, s, d, q in zip(heads, status, left, shipped, strict=True)]
        world.cache["texts"] = tuple(np.array(part, dtype=object) for part in (
            closed, [h + ";;" for h in heads], [h + "cancelled;;" for h in heads]))
    return world.cache["texts"]


# --- what is planted ------------------------------------------------------------------------------------------------

def _row_faults(world: World, now: pd.DataFrame, text: list[str], cycle: str) -> tuple[list[str], list[dict]]:
    """Spoil some rows of the last month; rows are numbered as in the file, the header is row 1."""
    rng = stream(world.seed, f"faults {cycle}")
    last = world.at(cycle) - 1
    usable = (now["month"] == last) & (now["quantity"] > 5) & ~now["cancelled"] & ~now["open"] & (now["amount"] < 60_000_000)
    free = rng.permutation(np.flatnonzero(usable))
    text, planted = list(text), []
    for kind, count in ROW_FAULTS.get(cycle, {}).items():
        count = max(1, round(count * world.count / 120))
        chosen, free = np.sort(free[:count]), free[count:]
        rows, keys, amount = [], [], 0
        for k, position in enumerate(chosen.tolist()):
            row = now.iloc[position]
            if kind == "duplicate_key":
                text.append(text[position])
                rows.append(len(text) + 1)
            else:
                text[position] = render(world, row, _spoilt(world, row, kind, k))
                rows.append(position + 2)
            keys.append(f"{row['order']}/{row['line']}")
            amount += int(row["amount"])
        table = "findings" if kind in USED_ALL_THE_SAME else "set_aside"
        planted.append(_entry(cycle, kind, table, f"{table}.{kind}", rows=rows, keys=keys, amount=amount, month=str(world.months[last])[:7]))
    return text, planted


def _spoilt(world: World, row: pd.Series, kind: str, k: int) -> dict[str, str]:
    """The columns that carry the fault."""
    pieces = int(world.series["pieces"].iloc[row["series"]])
    if kind == "unknown_item":
        return {"kode_barang": ("BX-999", "IN-999", "CONTOH-01")[k % 3]}
    if kind == "unreadable_number":
        return {"qty": ("12o", "±40", "lihat lampiran", "1..5", "--")[k % 5]}
    if kind == "impossible_date":
        return {"tgl_minta": ("31/09/2026", "30/02/2026", "00/09/2026", "15/13/2026")[k % 4]}
    if kind == "future_date":
        return {"tgl_pesan": f"{row['ordered']:%d/%m/}2062", "tgl_minta": f"{row['asked']:%d/%m/}2062"}
    if kind == "amount_mismatch":
        return {"jumlah": _points(row["amount"] * 10)}
    price = f"{row['price'] / pieces:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")  # wrong unit: pieces
    return {"qty": _points(row["quantity"] * pieces), "harga": price, "qty_kirim": _points(row["shipped"] * pieces)}


def _entry(cycle: str, kind: str, table: str, find: str, *, source: str = "orders", file: str = FILE, **more: object) -> dict:
    return {"id": f"{cycle}-{source}-{kind}", "cycle": cycle, "kind": kind, "source": source, "file": file,
            "find_in": table, "find": find, **more}


def _missing(world: World, cycle: str) -> list[dict]:
    """The week that an extract lacks."""
    found = []
    table = lines(world)
    place = world.series["location"].to_numpy()[table["series"].to_numpy()]
    for when, location, first, last in MISSING_WEEKS:
        if when == cycle:
            gone = table[(place == location) & (table["ordered"] >= first) & (table["ordered"] <= last)]
            found.append(_entry(cycle, "missing_week", "findings", "findings.missing_week", location=location, first=first, last=last,
                                rows=[], keys=[], lines=len(gone), units=int(gone["quantity"].sum()),
                                amount=int(gone["amount"].sum()), month=first[:7]))
    return found


def _restatements(world: World, cycle: str) -> list[dict]:
    """Months that this cycle shows otherwise than the one before."""
    found = []
    table = lines(world)
    place = world.series["location"].to_numpy()[table["series"].to_numpy()]
    for when, location, month, _, how in RESTATED:
        if when == cycle:
            column, sign = ("known", 1) if how == "late" else ("dropped", -1)
            moved = table[(table[column] == cycle) & (place == location) & (table["month"] == world.at(month))]
            entry = _entry(cycle, "restated", "restated", "restated", location=location, month=month, how=how, rows=[],
                           keys=[f"{o}/{n}" for o, n in zip(moved["order"], moved["line"], strict=True)],
                           units=sign * int(moved["quantity"].sum()), amount=sign * int(moved["amount"].sum()))
            found.append({**entry, "id": f"{entry['id']}-{location}-{month}"})
    return found


def _surprise_list(world: World, cycle: str) -> list[dict]:
    """Drops and surges of the last month, the customer who stopped and the one who began."""
    found = []
    last = str(world.months[world.at(cycle) - 1])[:7]
    for name, kind, row, month, factor in surprises(world.series):
        if month == last:
            item = world.series.iloc[row]
            expected = int(world.mean[row, world.at(month)])
            units = int(world.demand[row, world.at(month)]) - expected
            found.append({**_entry(cycle, kind, "insights", kind, level="item", item=item["item"], location=item["location"],
                                   month=month, factor=factor, rows=[], keys=[], expected=expected, units=units,
                                   amount=int(units * world.price[item["row"], world.at(month)])), "id": f"{cycle}-{name}"})
    stopped, _ = accounts(world)
    if cycle == "2026-10":
        table = lines(world)
        before = table[(table["customer"] == stopped) & (table["month"] == KNOWN - 2)]
        found.append(_entry(cycle, "stopped", "insights", "stopped", level="customer", customer=world.customers["account"][stopped],
                            location="SBY", month=last, rows=[], keys=[], units=-int(before["quantity"].sum()),
                            amount=-int(before["amount"].sum())))
    if cycle == "2026-09":
        _, started = accounts(world)
        first = lines(world)
        first = first[(first["customer"] == started) & (first["month"] == KNOWN - 2)]
        found.append(_entry(cycle, "started", "insights", "started", level="customer", customer=world.customers["account"][started],
                            location="JKT", month=last, rows=[], keys=[], units=int(first["quantity"].sum()),
                            amount=int(first["amount"].sum())))
    return found
