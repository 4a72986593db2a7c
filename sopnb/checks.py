"""Data checks: findings with their share of rows and money, and the verdict. `insights` and `restated` are told beside them.

A finding is a data check that did not pass. Rows set aside count towards a share: above `red_share` of a source's rows
or money the finding is red, and the mail is held until the data is mended or a person waives it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames
from sopnb.insights import insights, restated

__all__ = ["findings", "insights", "missing_weeks", "newer", "restated", "totals_agree", "verdict", "verdicts", "wrong_units"]

GROWS_RED = {"wrong_unit", "amount_mismatch"}  # rows that are used, and bend totals: many of them are as bad as rows set aside
RECENT_DAYS = 62  # older months were looked at in their own cycles
GAP_DAYS = 7
PACKS = (6, 10, 12, 20, 24, 25, 30, 36, 40, 48, 50, 60, 72, 96, 100, 120, 144)  # units in a carton, as a slip of unit would have it
NEAR = 0.06  # how far a price may be from usual / pack and still tell of the pack: a price rise, no more
FEW = 6  # lines of an item from which its usual price and quantity are known


def findings(
    tables: Mapping[str, pd.DataFrame], set_aside: pd.DataFrame, freshness: pd.DataFrame, *, red_share: float, cut_off: object,
    notes: pd.DataFrame | None = None, totals: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """All data checks that did not pass, worst first by severity, then money.

    tables     source: its rows
    set_aside  frames.SET_ASIDE
    freshness  frames.FRESHNESS
    notes      frames.FINDINGS from collecting: rows used although something is odd
    totals     source × state  amount (money): what a share of money is taken of; None: rows only
    red_share  share of a source's rows or money from which rows set aside are red
    cut_off    first day not known yet
    returns    frames.FINDINGS

    share = the larger of rows / rows of the source and |money| / |money| of the source. A source whose set-aside rows
    together pass red_share turns all of them red: many small causes are no better than one large.
    """
    day = frames.month(cut_off)
    rows = [*_of_set_aside(set_aside, freshness, totals, red_share), *_of_freshness(freshness)]
    for source, check in (("orders", lambda t: _order_checks(t, day)), ("stock", _stock_checks), ("stock_history", _stock_checks),
                          ("items", _item_checks), ("opportunities", lambda t: _pipeline_checks(t, day)), ("purchases", _purchase_checks)):
        if source in tables and len(tables[source]):
            rows += [_line(source, len(tables[source]), red_share=red_share, **found) for found in check(tables[source])]
    rows += _places(tables)
    out = pd.DataFrame(rows, columns=frames.FINDINGS.names)
    parts = [part for part in (out, notes) if part is not None and len(part)]
    return frames.conform(pd.concat(parts, ignore_index=True), frames.FINDINGS) if parts else frames.empty(frames.FINDINGS)


def verdicts(found: pd.DataFrame, waivers: Iterable[Any] = (), *, cycle: str | None = None) -> dict[str, str]:
    """source: green, amber or red. A red finding that a person waived counts as amber.

    waivers   rule, source, cycle, owner, reason each; the rule with or without `findings.`
    cycle     only waivers of this cycle count; None: all given
    """
    worst: dict[str, str] = {}
    waived = {(str(_of(w, "rule")).removeprefix("findings."), _of(w, "source")) for w in waivers if cycle is None or _of(w, "cycle") == cycle}
    for row in found.to_dict("records"):
        red = row["severity"] == "red" and (str(row["rule"]).removeprefix("findings."), row["source"]) not in waived
        now = "red" if red else "amber" if row["severity"] in ("red", "amber") else "green"
        worst[row["source"]] = max(now, worst.get(row["source"], "green"), key=("green", "amber", "red").index)
    return worst


def verdict(found: pd.DataFrame, waivers: Iterable[Any] = (), *, cycle: str | None = None) -> str:
    """Can we trust this month's data? green; amber: shown, the mail goes; red: the mail is held until mended or waived."""
    return max(verdicts(found, waivers, cycle=cycle).values(), default="green", key=("green", "amber", "red").index)


def totals_agree(totals: pd.DataFrame, *, cent: float = 0.005) -> bool:
    """received = used + set aside + left out, for every source, in rows, units and money to the cent."""
    by = {state: part.set_index("source")[["rows", "units", "amount"]] for state, part in totals.groupby("state", sort=True)}
    return bool(((by["received"] - by["used"] - by["set aside"] - by["left out"]).abs() < cent).all(axis=None))


def newer(freshness: pd.DataFrame, *, cut_off: object) -> pd.Series:
    """Days by which a source's last row lies after the cut-off; missing where it does not, or where the source has no age.

    freshness   frames.FRESHNESS
    cut_off     first day not known yet
    returns     days, by freshness' rows

    Only a stock count is used although it is newer: for want of an older one.
    """
    days = (freshness["last"] - frames.month(cut_off)).dt.days.astype("float64")
    return days.where((days > 0) & (freshness["days_old"] >= 0))


def _of(waiver: Any, name: str) -> Any:
    return waiver[name] if isinstance(waiver, Mapping) else getattr(waiver, name)


# --- what the collecting found --------------------------------------------------------------------------------------

def _of_set_aside(set_aside: pd.DataFrame, freshness: pd.DataFrame, totals: pd.DataFrame | None, red_share: float) -> list[dict[str, Any]]:
    """One finding for each source, reason and column."""
    received = dict(zip(freshness["source"], freshness["rows"], strict=True))
    money = _received_money(totals)
    lines: list[dict[str, Any]] = []
    share_of = {source: _share(len(rows), int(received.get(source, len(rows))), rows["amount"].abs().sum(), money.get(str(source), 0.0))
                for source, rows in set_aside.groupby("source", sort=True)}
    for (source, rule, column), rows in set_aside.groupby(["source", "rule", "column"], sort=True, dropna=False):
        first, of = rows.iloc[0], int(received.get(source, len(rows)))
        amount = float(rows["amount"].abs().sum())
        lines.append(_line(
            str(source), of, rule=str(rule).removeprefix("set_aside."), column=str(column or ""), rows=len(rows), amount=amount,
            share=_share(len(rows), of, amount, money.get(source, 0.0)), severity="red" if share_of[source] > red_share else "amber",
            first=_place(first), value=first["value"] or "", file=first["file"], row=int(first["row"])))
    return lines


def _received_money(totals: pd.DataFrame | None) -> dict[str, float]:
    if totals is None:
        return {}
    received = totals[totals["state"] == "received"]
    return dict(zip(received["source"], received["amount"].abs(), strict=True))


def _share(rows: int, of_rows: int, amount: float, of_amount: float) -> float:
    return max(rows / max(of_rows, 1), amount / of_amount if of_amount > 0 else 0.0)


def _of_freshness(freshness: pd.DataFrame) -> list[dict[str, Any]]:
    stale = freshness[freshness["severity"] != "info"]
    return [_line(row["source"], row["rows"], rule="stale", column="", rows=0, severity=row["severity"], first=f"{row['last']:%Y-%m-%d}",
                  file=row["file"], days=int(row["days_old"]), last=f"{row['last']:%Y-%m-%d}") for row in stale.to_dict("records")]


def _line(source: str, of_rows: int, *, rule: str, column: str, rows: int, severity: str = "amber", first: str = "", amount: float = 0.0,
          share: float | None = None, red_share: float | None = None, name: str = "", **values: Any) -> dict[str, Any]:
    """One row of frames.FINDINGS; the values its sentence needs go along as JSON."""
    share = rows / max(of_rows, 1) if share is None else share
    if red_share is not None and rule in GROWS_RED and share > red_share:
        severity = "red"
    told = {"source": source, "column": column, "rows": rows, "of_rows": int(of_rows), "amount": round(float(amount), 2), "share": round(share, 6), "first": first, **values}
    return {"id": "-".join(part for part in (source, rule, column.replace(" × ", "."), name) if part), "source": source, "rule": f"findings.{rule}", "column": column,
            "rows": rows, "of_rows": int(of_rows), "amount": float(amount), "share": share, "severity": severity, "first": first,
            "values": json.dumps(told, ensure_ascii=False, sort_keys=True)}


def _place(row: pd.Series) -> str:
    return ", ".join([str(row["file"]), *([f"row {row['row']}"] if row["row"] else []), *([str(row["value"])] if row["value"] else [])])


# --- what the tables themselves tell --------------------------------------------------------------------------------

def _order_checks(orders: pd.DataFrame, cut_off: pd.Timestamp) -> list[dict[str, Any]]:
    stated = orders["amount"].notna() & orders["unit_price"].notna()
    computed = orders["quantity"] * orders["unit_price"] * (1 - orders["discount"].fillna(0.0))
    off = (orders["amount"] - computed).abs()
    mismatch = stated & (off > 0.01 * computed.abs()) & (off > 1)
    money = orders["amount"].fillna(computed)
    unit = wrong_units(orders, cut_off=cut_off)
    found = [
        _rows(orders, mismatch, "amount_mismatch", "amount", off),
        _rows(orders, unit, "wrong_unit", "quantity", money),
        _rows(orders, (orders["shipped_quantity"] > orders["quantity"]) & (orders["quantity"] > 0), "overshipped", "shipped_quantity"),
        _rows(orders, orders["shipped_date"] < orders["order_date"], "shipped_before_order", "shipped_date"),
        _rows(orders, orders["requested_date"] < orders["order_date"], "requested_before_order", "requested_date", severity="info"),
        _rows(orders, money.isna(), "no_money", "amount"),
    ]
    gaps = [{"rule": "missing_week", "column": "order_date", "rows": 0, "first": f"{gap['first']:%Y-%m-%d}", "name": gap["location"], "location": gap["location"],
             "start": f"{gap['first']:%Y-%m-%d}", "end": f"{gap['last']:%Y-%m-%d}", "days": int(gap["days"]), "amount": gap["amount"]}
            for gap in missing_weeks(orders, cut_off=cut_off).to_dict("records")]
    return [*(f for f in found if f), *gaps]


def _stock_checks(stock: pd.DataFrame) -> list[dict[str, Any]]:
    return [f for f in [_rows(stock, stock["on_hand"] < 0, "negative_stock", "on_hand")] if f]


def _item_checks(items: pd.DataFrame) -> list[dict[str, Any]]:
    return [f for f in [_rows(items, items["lead_time_days"].isna(), "missing_lead_time", "lead_time_days"),
                        _rows(items, items["unit_cost"].isna() | (items["unit_cost"] == 0), "missing_cost", "unit_cost")] if f]


def _pipeline_checks(pipeline: pd.DataFrame, cut_off: pd.Timestamp) -> list[dict[str, Any]]:
    still_open = pipeline["outcome"].isna() & ~pipeline["stage"].str.lower().str.contains("won|lost", na=False)
    return [f for f in [_rows(pipeline, still_open & (pipeline["close_date"] < cut_off), "late_opportunity", "close_date", pipeline["amount"])] if f]


def _places(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Stock that names no location of the orders: supply can only be planned for all of them as one."""
    orders, stock = tables.get("orders"), tables.get("stock")
    if orders is None or stock is None or not frames.apart(orders, stock):
        return []
    first, theirs = (", ".join(sorted(set(t["location"]))[:3]) for t in (stock, orders))
    return [_line("stock", len(stock), rule="no_common_location", column="location", rows=0, first=first, theirs=theirs)]


def _purchase_checks(purchases: pd.DataFrame) -> list[dict[str, Any]]:
    return [f for f in [_rows(purchases, purchases["due"] < purchases["ordered"], "due_before_order", "due"),
                        _rows(purchases, purchases["received"] < purchases["ordered"], "received_before_order", "received")] if f]


def _rows(table: pd.DataFrame, hit: pd.Series, rule: str, column: str, amount: pd.Series | None = None, severity: str = "amber") -> dict[str, Any] | None:
    """A finding about rows that are used; the first is named by its key, not by its row: tables are sorted."""
    rows = table[hit.fillna(False)]
    if rows.empty:
        return None
    key = [c for c in ("order", "line", "item", "location", "opportunity") if c in table]
    first = " · ".join(str(v) for v in rows.iloc[0][key] if v is not None)
    return {"rule": rule, "column": column, "rows": len(rows), "first": first, "severity": severity,
            "amount": float(amount[rows.index].abs().sum()) if amount is not None else 0.0}


def wrong_units(orders: pd.DataFrame, *, cut_off: object) -> pd.Series:
    """Lines of the last two months that look as if entered in another unit, such as pieces for cartons.

    orders   order × line  item, order_date, quantity (units), unit_price (money per unit)
    returns  flag per line

    Told where the price is the item's usual one divided (or multiplied) by a pack size, and the quantity turned back by
    that pack is one the item is known to sell in: price and quantity are off together, so that the money is usual. A
    small line counts as much as a large one. Or, without that witness, where the quantity is at least 10 × usual, twice
    the highest of the year before, and as far above that as it was above the usual: who buys unevenly may do so again.
    An item of less than half a year is still growing, and is not judged by its quantities.
    """
    day = frames.month(cut_off)
    start = day - pd.Timedelta(days=RECENT_DAYS)
    recent = orders["order_date"] >= start
    lines = orders[(orders["quantity"] > 0) & (orders["order_date"] >= day - pd.DateOffset(months=14)) & (orders["order_date"] < day)]
    told = recent & (_pack_off(orders, lines, day) | _far_above(orders, lines[lines["order_date"] < start], start))
    return told.rename(None)


def _pack_off(orders: pd.DataFrame, lines: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Whether a line's price is a pack away from the usual one of the last half year, and its quantity the other way."""
    now = lines[(lines["order_date"] >= day - pd.DateOffset(months=6)) & (lines["unit_price"] > 0)].groupby("item")["unit_price"]
    usual = now.median()[now.size() >= FEW]
    near = lines["unit_price"].between(0.5 * lines["item"].map(usual), 2 * lines["item"].map(usual))
    sold = lines[near].groupby("item")["quantity"].agg(["min", "max"])
    ratio = orders["item"].map(usual) / orders["unit_price"].where(orders["unit_price"] > 0)
    turned = orders["quantity"] / ratio
    times = np.fmax(ratio, 1 / ratio).to_numpy()
    pack = np.min(np.abs(times[:, None] / np.array(PACKS)[None, :] - 1), axis=1) <= NEAR
    return pack & turned.between(orders["item"].map(sold["min"]) / 2, orders["item"].map(sold["max"]) * 2)


def _far_above(orders: pd.DataFrame, before: pd.DataFrame, start: pd.Timestamp) -> pd.Series:
    """Whether a quantity is far above all that the item sold in the year before, of items sold for half a year or more."""
    past = before.groupby("item").agg(usual=("quantity", "median"), highest=("quantity", "max"), n=("quantity", "size"), first=("order_date", "min"))
    past = past[(past["n"] >= FEW) & (past["first"] <= start - pd.DateOffset(months=6))]
    usual, highest = orders["item"].map(past["usual"]), orders["item"].map(past["highest"])
    return (orders["quantity"] >= 10 * usual) & (orders["quantity"] >= 2 * highest) & (orders["quantity"] >= highest * highest / usual)


def missing_weeks(orders: pd.DataFrame, *, cut_off: object) -> pd.DataFrame:
    """Weeks of the last two months without an order, where orders come every few days.

    orders   order × line  location, order_date, amount (money)
    returns  location × first   last, days (days without an order), amount (money a usual such time brings)

    Told where a location (or all) has at least 7 days without an order, and half as long again as the longest pause of
    the two years before: so neither a yearly holiday nor a batch at each month's end is told.
    """
    day = frames.month(cut_off)
    places = {"all": orders, **(dict(list(orders.groupby("location", sort=True))) if orders["location"].nunique() > 1 else {})}
    found = [gap for name, lines in places.items() for gap in _gaps(str(name), lines, day)]
    out = pd.DataFrame(found, columns=["location", "first", "last", "days", "amount"])
    common = set(out.loc[out["location"] == "all", "first"])
    return out[(out["location"] == "all") | ~out["first"].isin(common)].reset_index(drop=True)


def _gaps(location: str, lines: pd.DataFrame, cut_off: pd.Timestamp) -> list[dict[str, Any]]:
    days = lines.loc[lines["order_date"] >= cut_off - pd.DateOffset(months=26), "order_date"].drop_duplicates().sort_values()
    if len(days) < 30:
        return []
    before = days.shift()
    empty = pd.DataFrame({"first": before + pd.Timedelta(days=1), "last": days - pd.Timedelta(days=1), "days": (days - before).dt.days - 1}).dropna()
    recent = empty["last"] >= cut_off - pd.Timedelta(days=RECENT_DAYS)
    longest = empty.loc[~recent, "days"].max()
    gaps = empty[recent & (empty["days"] >= GAP_DAYS) & (empty["days"] >= 1.5 * longest)]
    year = lines[(lines["order_date"] < cut_off) & (lines["order_date"] >= cut_off - pd.DateOffset(months=12))]
    a_day = float(year["amount"].sum()) / 365
    return [{"location": location, **gap, "days": int(gap["days"]), "amount": round(a_day * gap["days"], 2)} for gap in gaps.to_dict("records")]
