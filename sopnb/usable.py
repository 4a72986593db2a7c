"""What of the inputs of supply can be planned with, and what is wrong with the rest. The plan comes out either way.

Each fault is a finding: the table, the column, the first row by its key, what was done instead, what is missing from the
plan, and what to mend (sopnb/messages/supply.yaml). Rows are left out or read as stated there, never dropped in silence.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from sopnb import door, frames, lots, network

SERIES = ["item", "location"]
KEYS = ("order", "item", "component", "location", "source_location", "month")
# What netting wants of its tables; rows of items and lanes that stand twice have findings of their own.
WANTS = {"plan": door.Wants("item location month", "consensus"), "stock": door.Wants("item location as_of?", "on_hand", "as_of"),
         "receipts": door.Wants("order item location", "due_date quantity"), "items": door.Wants("item", "", "lead_time_days moq lot_multiple unit_cost lot_size lot_periods", once=False),
         "lanes": door.Wants("item location", "source_location transit_days", once=False), "bom": door.Wants("item component valid_from? valid_to?", "quantity"),
         "policy": door.Wants("item location", "safety_stock"), "lead": door.Wants("item location", "lead_days")}


class Found:
    """Findings under way."""

    def __init__(self):
        self.rows: list[dict] = []

    def note(self, source, table, hit, rule, column, *, first=None, severity="amber", amount=np.nan):
        """Tell of the rows of a table where hit is true; the first is named by its key and what stands there."""
        hit = np.asarray(hit, dtype=bool)
        if not hit.any():
            return hit
        row = table[hit].iloc[0]
        key = " · ".join(_word(row[name]) for name in KEYS if name in table.columns and not pd.isna(row[name]))
        told = first or (f"{key}: {_word(row[column])}" if column in table.columns and column not in KEYS else key)
        share = float(hit.mean())
        values = {"source": source, "column": column, "rows": int(hit.sum()), "of_rows": len(table), "first": told}
        self.rows.append({"id": f"{source}-{rule}" + (f"-{len(self.rows)}" if first else ""), "source": source, "rule": f"findings.{rule}",
                          "column": column, "rows": int(hit.sum()), "of_rows": len(table), "amount": amount, "share": share, "severity": severity,
                          "first": told, "values": json.dumps(values, ensure_ascii=False, sort_keys=True)})
        return hit

    def table(self):
        return frames.conform(pd.DataFrame(self.rows, columns=frames.SUPPLY_FINDINGS.names), frames.SUPPLY_FINDINGS)


def _word(value):
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def entered(found, **tables):
    """The tables of netting, fit to compute with; what their rows lack is told. Raises FrameError for columns that are lacking."""
    return door.enter(WANTS, tables, found.note)


def plans(plan, items, found):
    """Demand that can be netted: no month without a figure, none below zero."""
    found.note("plan", plan, plan["consensus"].isna(), "plan_missing", "consensus")
    found.note("plan", plan, plan["consensus"] < 0, "plan_negative", "consensus")
    unknown = ~plan["item"].isin(set(items["item"])) & (plan["consensus"] > 0)
    found.note("plan", plan, unknown, "plan_unknown_item", "item")
    return plan.assign(consensus=plan["consensus"].fillna(0.0).clip(lower=0.0))


def stocks(stock, items, found):
    """Stock that belongs to an item; what is not counted counts as none."""
    if stock is None:
        return None
    gone = found.note("stock", stock, ~stock["item"].isin(set(items["item"])), "stock_unknown_item", "item")
    blank = found.note("stock", stock, stock["on_hand"].isna() & ~gone, "stock_missing", "on_hand")
    return stock[~gone & ~blank]


def open_orders(receipts, items, found):
    """Open orders of known items with a day and something to come."""
    if receipts is None:
        return None
    quantity = receipts["quantity"]
    gone = found.note("receipts", receipts, ~receipts["item"].isin(set(items["item"])), "receipt_unknown_item", "item")
    undated = found.note("receipts", receipts, receipts["due_date"].isna() & ~gone, "receipt_undated", "due_date")
    below = found.note("receipts", receipts, ((quantity < 0) | quantity.isna()) & ~gone & ~undated, "receipt_negative", "quantity")
    return receipts[~(gone | undated | below)]


def masters(items, found):
    """The item master with lead times and lots that can be: what is below zero is read as not given."""
    repeated = found.note("items", items, items.duplicated("item"), "item_repeated", "item")
    out = items[~repeated].copy()
    found.note("items", out, out["unit_cost"] < 0, "cost_negative", "unit_cost")
    out["unit_cost"] = out["unit_cost"].mask(out["unit_cost"] < 0)
    for column, rule in (("lead_time_days", "lead_negative"), ("moq", "lot_negative"), ("lot_multiple", "lot_negative_multiple")):
        out[column] = out[column].mask(found.note("items", out, out[column] < 0, rule, column))
    if "lot_rule" in out:
        wrong = out["lot_rule"].notna() & ~out["lot_rule"].isin(lots.RULES)
        out["lot_rule"] = out["lot_rule"].mask(found.note("items", out, wrong, "lot_rule", "lot_rule"))
    found.note("items", out, (out["moq"] == 0) & (out["lot_multiple"] > 0), "moq_zero", "moq", severity="info")
    return out


def stock_policy(policy, found):
    """Safety stocks that can be held."""
    if policy is None:
        return None
    below = found.note("policy", policy, policy["safety_stock"] < 0, "safety_negative", "safety_stock")
    return policy.assign(safety_stock=policy["safety_stock"].mask(below, 0.0))


def ways(lanes, plan, found):
    """Lanes that lead somewhere, in time that does not run backwards, and not in a circle: of one, the lane back to where
    customers ask is left out.

    returns  item × location   source_location, transit_days
    """
    if lanes is None or lanes.empty:
        return None
    repeated = found.note("lanes", lanes, lanes.duplicated(SERIES), "lane_repeated", "location")
    out = lanes[~repeated].copy()
    nowhere = found.note("lanes", out, out["source_location"].isna() | (out["source_location"] == out["location"]), "lane_nowhere", "source_location")
    out = out[~nowhere]
    back = found.note("lanes", out, (out["transit_days"] < 0) | out["transit_days"].isna(), "lane_negative", "transit_days")
    out["transit_days"] = out["transit_days"].mask(back, 0.0)
    pairs = list(zip(zip(out["item"], out["location"], strict=True), zip(out["item"], out["source_location"], strict=True), strict=True))
    return out[~_circular(out, pairs, "lanes", "lane_circle", "source_location", found,
                          lambda path: f"{path[0][0]}: " + " → ".join(place for _, place in path), _asked(plan, SERIES))]


def bills(bom, plan, items, found):
    """Rows of the bill that can be exploded: a quantity, a scrap below one, an end after the beginning, no circle.

    returns  item, component   per (units a unit, scrap on top), begins, ends (days as numbers), phantom
    """
    if bom is None or bom.empty:
        return None
    out = frames.typed(bom, frames.BOM)
    none = found.note("bom", out, ~(out["quantity"] > 0), "bom_quantity", "quantity")
    out = out[~none]
    scrap = found.note("bom", out, (out["scrap"] < 0) | (out["scrap"] >= 1), "bom_scrap", "scrap")
    out["scrap"] = out["scrap"].mask(scrap).fillna(0.0)
    never = found.note("bom", out, out["valid_to"] < out["valid_from"], "bom_never", "valid_to")
    out = out[~never]
    unknown = ~out["component"].isin(set(items["item"]))
    found.note("bom", out, unknown, "bom_unknown_component", "component")
    out = out[~_circular(out, list(zip(out["item"], out["component"], strict=True)), "bom", "bom_circle", "component", found, " → ".join, _asked(plan, ["item"]))]
    return pd.DataFrame({"item": out["item"], "component": out["component"], "per": out["quantity"] / (1 - out["scrap"]),
                         "begins": _day(out["valid_from"], np.iinfo("int64").min), "ends": _day(out["valid_to"], np.iinfo("int64").max),
                         "phantom": out["phantom"]}).reset_index(drop=True)


def _asked(plan, columns):
    """What customers ask for: where to begin looking for circles."""
    rows = plan.loc[plan["consensus"] > 0, columns].drop_duplicates().sort_values(columns, kind="stable")
    return rows[columns[0]].tolist() if len(columns) == 1 else list(rows.itertuples(index=False, name=None))


def _circular(table, pairs, source, rule, column, found, told, first):
    """Rows that close a circle; each circle is told with its path."""
    closing = network.closing_links(pairs, first) if pairs else {}
    hit = np.array([pair in closing for pair in pairs], dtype=bool)
    for pair, path in sorted(closing.items(), key=lambda entry: str(entry[0])):
        found.note(source, table, np.array([p == pair for p in pairs]), rule, column, first=told(path))
    return hit


def _day(dates, missing):
    days = dates.to_numpy().astype("datetime64[D]").astype("int64")
    return np.where(dates.isna(), missing, days)
