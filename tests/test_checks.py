"""Findings, verdict, what jumps out, what was restated: small tables with one thing wrong each."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sopnb import checks, frames, vetting, words

CUT_OFF = pd.Timestamp("2026-10-01")


def order_lines(days: pd.DatetimeIndex, *, location: str = "JKT", quantity: float = 10.0, **more: object) -> pd.DataFrame:
    """A line a day."""
    lines = pd.DataFrame({"order": [f"{location}-{i:04d}" for i in range(len(days))], "line": "1", "item": "A", "location": location, "order_date": days,
                          "quantity": quantity, "unit_price": 5.0, "amount": quantity * 5.0, **more})
    return frames.typed(lines, frames.ORDERS)


def fresh(source: str = "orders", *, rows: int = 100, severity: str = "info", days: int = 1) -> pd.DataFrame:
    last = CUT_OFF - pd.Timedelta(days=days)
    return frames.conform(pd.DataFrame([{"source": source, "file": f"{source}.csv", "rows": rows, "left_out": 0, "set_aside": 0, "first": last, "last": last,
                                         "days_old": days, "severity": severity}]), frames.FRESHNESS)


def aside(count: int, *, source: str = "orders", rule: str = "set_aside.unknown_item", amount: float = 1.0) -> pd.DataFrame:
    return frames.conform(pd.DataFrame([{"id": f"{source}-{i:03d}", "source": source, "file": f"{source}.csv", "row": i + 2, "column": "item", "rule": rule,
                                         "value": "X", "amount": amount, "severity": "amber"} for i in range(count)]), frames.SET_ASIDE)


def money(amount: float, source: str = "orders") -> pd.DataFrame:
    return pd.DataFrame([{"source": source, "state": state, "rows": 0, "units": 0.0, "amount": amount} for state in ("received", "used")])


def find(**tables: object) -> pd.DataFrame:
    given = {"set_aside": frames.empty(frames.SET_ASIDE), "freshness": frames.empty(frames.FRESHNESS), "tables": {}, **tables}
    return checks.findings(given.pop("tables"), given.pop("set_aside"), given.pop("freshness"), red_share=0.05, cut_off=CUT_OFF, **given)


# --- findings and verdict -------------------------------------------------------------------------------------------

def test_below_the_stated_share_a_finding_is_amber_above_it_red():
    """5 of 100 rows are at the limit of 5 %, 6 are above it."""
    assert find(set_aside=aside(5), freshness=fresh())["severity"].tolist() == ["amber"]
    assert find(set_aside=aside(6), freshness=fresh())["severity"].tolist() == ["red"]


def test_the_share_of_money_counts_as_much_as_the_share_of_rows():
    """One row of a hundred, but with 60 of 1,000: 6 %."""
    found = find(set_aside=aside(1, amount=60), freshness=fresh(), totals=money(1_000))
    assert found["share"].tolist() == [0.06] and found["severity"].tolist() == ["red"]


def test_many_small_causes_are_no_better_than_one_large():
    both = pd.concat([aside(3), aside(3, rule="set_aside.missing").assign(id=lambda d: "b" + d["id"])])
    assert find(set_aside=both, freshness=fresh())["severity"].tolist() == ["red", "red"]


def test_a_red_finding_holds_the_mail_until_a_person_waives_it():
    found = find(set_aside=aside(6), freshness=fresh())
    waiver = {"rule": "unknown_item", "source": "orders", "cycle": "2026-10", "owner": "Sari", "reason": "new items not in the master yet"}
    assert checks.verdict(found) == "red"
    assert checks.verdict(found, [waiver], cycle="2026-10") == "amber"
    assert checks.verdict(found, [waiver], cycle="2026-11") == "red", "a waiver holds for one cycle"
    assert checks.verdict(found, [{**waiver, "source": "stock"}]) == "red"


def test_nothing_found_is_green_and_a_note_alone_too():
    assert checks.verdict(find()) == "green"
    note = find(set_aside=aside(1), freshness=fresh()).assign(severity="info")
    assert checks.verdicts(note) == {"orders": "green"}


def test_a_stale_source_is_told_with_its_age():
    found = find(freshness=fresh("market", severity="amber", days=45))
    assert words.message(found["rule"][0], found["values"][0]).text == "The last row of market is of 17 August 2026: 45 days old."


def test_a_source_dated_after_the_cut_off_is_newer_not_fresh():
    """A count of 11 August in the cycle of May: 102 days newer. Plans (no age) may reach beyond, and a count of the very day is of the day."""
    table = pd.concat([fresh("stock", days=0), fresh("orders", days=1), fresh("events", days=-1), fresh("purchases", days=0)], ignore_index=True)
    table["last"] = pd.to_datetime(["2025-08-11", "2025-04-30", "2026-12-31", "2025-05-01"])
    assert checks.newer(table, cut_off="2025-05-01").fillna(0).tolist() == [102, 0, 0, 0]


def test_order_lines_that_do_not_add_up_are_told_and_used():
    lines = order_lines(pd.date_range("2026-09-01", "2026-09-30"))
    lines.loc[3, "amount"] = 500.0
    lines.loc[4, ["shipped_quantity", "shipped_date"]] = [12.0, pd.Timestamp("2026-09-02")]
    found = find(tables={"orders": lines}).set_index("rule")
    assert found.loc["findings.amount_mismatch", ["rows", "amount"]].tolist() == [1, 450.0]
    assert found.loc["findings.overshipped", "first"] == "JKT-0004 · 1 · A · JKT"
    assert "findings.shipped_before_order" in found.index


def test_stock_below_zero_and_deals_past_their_day_are_told():
    stock = frames.typed(pd.DataFrame({"item": ["A", "B"], "location": "JKT", "on_hand": [-3.0, 5.0]}), frames.STOCK)
    deals = frames.typed(pd.DataFrame({"opportunity": ["D-1", "D-2"], "stage": ["Offer", "Offer"], "amount": [7.0, 9.0],
                                       "close_date": pd.to_datetime(["2026-09-30", "2026-10-01"])}), frames.OPPORTUNITIES)
    found = find(tables={"stock": stock, "opportunities": deals}).set_index("rule")
    assert found.loc["findings.negative_stock", "first"] == "A · JKT"
    assert found.loc["findings.late_opportunity", ["rows", "amount"]].tolist() == [1, 7.0]


def test_every_rule_has_its_sentence():
    """A rule without words would be met by a reader first."""
    calls = [node for module in (checks, vetting) for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    given = [(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""), arg.value)
             for node in calls for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    columns = {column for table in frames.SOURCES.values() for column in table.names}
    rules = {text for name, text in given if name in ("put_aside", "note", "_refuse", "_rows")} - columns - {"amber", "info"}
    assert {"wrong_unit", "negative_stock", "future_date", "no_limit"} <= rules
    assert {rule for rule in rules if f"findings.{rule}" not in words.MESSAGES} == set()
    assert {m for m in words.MESSAGES if m.startswith("set_aside.") and m.replace("set_aside.", "findings.") not in words.MESSAGES} == set()


# --- wrong units, missing weeks -------------------------------------------------------------------------------------

def test_pieces_for_cartons_are_seen_by_price_and_quantity():
    """240 at 0.21 where 10 at 5 is usual: 24 pieces to the carton. A large order at the usual price is a large order."""
    lines = order_lines(pd.date_range("2026-01-01", "2026-09-30"))
    lines.loc[270, ["quantity", "unit_price"]] = [240.0, 0.21]
    lines.loc[271, "quantity"] = 90.0
    assert list(np.flatnonzero(checks.wrong_units(lines, cut_off=CUT_OFF))) == [270]


def test_a_quantity_far_above_all_before_is_told_without_that_witness():
    lines = order_lines(pd.date_range("2026-01-01", "2026-09-30"))
    lines.loc[270, "quantity"] = 120.0
    assert list(np.flatnonzero(checks.wrong_units(lines, cut_off=CUT_OFF))) == [270]


def test_a_small_line_in_pieces_is_seen_by_its_price_alone():
    """48 pieces at 0.21 are two cartons at 5: fewer than usual, and still pieces. Turned round, half a carton at 120."""
    lines = order_lines(pd.date_range("2026-01-01", "2026-09-30"))
    lines.loc[0:20, "quantity"] = 2.0
    lines.loc[270, ["quantity", "unit_price"]] = [48.0, 0.21]
    lines.loc[271, ["quantity", "unit_price"]] = [0.5, 120.0]
    assert list(np.flatnonzero(checks.wrong_units(lines, cut_off=CUT_OFF))) == [270, 271]


def test_a_low_price_alone_is_a_low_price():
    """A twelfth of the price for the usual cartons is a gift, or a wrong price: the money is not usual, the unit may be right."""
    lines = order_lines(pd.date_range("2026-01-01", "2026-09-30"))
    lines.loc[270, "unit_price"] = 5 / 12
    lines.loc[271, ["quantity", "unit_price"]] = [20.0, 2.5]  # half the price for twice as many: a promotion
    assert not checks.wrong_units(lines, cut_off=CUT_OFF).any()


def test_a_new_item_that_grows_is_no_slip_of_unit():
    """Launched in July: 1 unit a line, 2 months later 40. And an item of few lines tells nothing yet."""
    days = pd.date_range("2026-07-01", "2026-09-30")
    new = order_lines(days, quantity=1.0)
    new.loc[days >= "2026-09-01", "quantity"] = 40.0
    assert not checks.wrong_units(new, cut_off=CUT_OFF).any()
    few = order_lines(days[-3:])
    few.loc[2, ["quantity", "unit_price"]] = [240.0, 0.21]
    assert not checks.wrong_units(few, cut_off=CUT_OFF).any()


def test_who_buys_unevenly_may_buy_more_unevenly():
    """Usual 10, once 50: 150 is large, and no further above 50 than 50 was above 10. 300 is further."""
    lines = order_lines(pd.date_range("2026-01-01", "2026-09-30"))
    lines.loc[100, "quantity"] = 50.0
    lines.loc[[270, 271], "quantity"] = [150.0, 300.0]
    assert list(np.flatnonzero(checks.wrong_units(lines, cut_off=CUT_OFF))) == [271]


def test_a_week_without_orders_in_one_place_is_told_with_its_money():
    days = pd.date_range("2025-01-01", "2026-09-30")
    gone = days[(days < "2026-09-14") | (days > "2026-09-20")]
    both = pd.concat([order_lines(days), order_lines(gone, location="MKS")], ignore_index=True)
    found = checks.missing_weeks(both, cut_off=CUT_OFF)
    assert found[["location", "first", "last", "days"]].values.tolist() == [["MKS", pd.Timestamp("2026-09-14"), pd.Timestamp("2026-09-20"), 7]]
    assert found["amount"][0] == pytest.approx(50 * 358 / 365 * 7, rel=0.01)


def test_a_holiday_of_every_year_and_a_batch_each_month_are_no_missing_week():
    days = pd.date_range("2024-09-01", "2026-09-30")
    holiday = days[~((days.month == 9) & (days.day >= 10) & (days.day <= 17))]
    batches = pd.date_range("2022-09-30", "2026-09-30", freq="ME")
    assert checks.missing_weeks(order_lines(holiday), cut_off=CUT_OFF).empty
    assert checks.missing_weeks(order_lines(batches), cut_off=CUT_OFF).empty


# --- what jumps out -------------------------------------------------------------------------------------------------

def history(*, months: int = 36, last: dict[str, float] | None = None, items: int = 6) -> pd.DataFrame:
    """Items I0 … of 100 units a month, a little uneven, at 2 a unit; `last` sets the last month of some."""
    rng = np.random.default_rng(7)
    when = pd.date_range(end="2026-09-01", periods=months, freq="MS")
    parts = []
    for i in range(items):
        units = (100 + rng.normal(0, 4, months)).round()
        units[-1] = (last or {}).get(f"I{i}", units[-1])
        parts.append(pd.DataFrame({"item": f"I{i}", "location": "all", "month": when, "demand": units, "demand_raw": units, "returns": 0.0, "shipped": units,
                                   "revenue": 2 * units, "days_out": np.nan, "censored": False, "learned": units, "outlier": np.nan, "level_shift": np.nan}))
    return frames.conform(pd.concat(parts), frames.HISTORY)


MASTER = frames.typed(pd.DataFrame({"item": [f"I{i}" for i in range(6)], "name": [f"Item {i}" for i in range(6)], "family": ["F"] * 3 + ["G"] * 3}), frames.ITEMS)


def test_a_drop_and_a_surge_are_told_by_money_and_nothing_else():
    told = checks.insights(history(last={"I1": 40, "I4": 260}), None, month="2026-09", items=MASTER)
    assert told.loc[told["level"] == "item", ["kind", "key"]].values.tolist() == [["surge", "I4"], ["drop", "I1"]]
    assert told["amount"].abs().is_monotonic_decreasing
    assert "family" not in set(told["level"]), "one item explains its family's change: it is told once"
    said = words.message("insights.drop", told.set_index("kind").loc["drop", "values"]).text
    assert said.startswith("Item 1 (I1) fell to 40 units in September 2026, −6")


def test_a_quiet_month_tells_nothing():
    assert checks.insights(history(), None, month="2026-09", items=MASTER).empty


def test_both_limits_must_be_passed():
    """−20 % is unusual here and not large; of a wild series −30 % is large and not unusual."""
    assert checks.insights(history(last={"I1": 80}), None, month="2026-09", items=MASTER).empty
    wild = history(items=1)
    wild["demand_raw"] = wild["demand_raw"] * np.tile([0.5, 1.5, 1.0, 0.6, 1.4, 0.7], 6)
    assert checks.insights(wild, None, month="2026-09", items=MASTER).empty


def test_a_season_of_every_year_is_no_surge():
    """Sales double every September."""
    seasonal = history()
    seasonal.loc[seasonal["month"].dt.month == 9, ["demand_raw", "revenue"]] *= 2
    assert checks.insights(seasonal, None, month="2026-09", items=MASTER).empty


def test_when_the_whole_family_moves_the_family_is_told():
    moved = history(last={"I0": 160, "I1": 162, "I2": 158})
    told = checks.insights(moved, None, month="2026-09", items=MASTER)
    assert told[["kind", "level", "key"]].values.tolist() == [["surge", "family", "F"]]


def test_what_stopped_and_what_started():
    old = history(last={"I2": 0})
    new = old[old["item"] == "I5"].tail(1).assign(item="I9")
    told = checks.insights(pd.concat([old, new]), None, month="2026-09", items=MASTER)
    assert set(zip(told["kind"], told["key"], strict=True)) >= {("stopped", "I2"), ("started", "I9")}
    known = MASTER.assign(end_date=MASTER["end_date"].mask(MASTER["item"] == "I2", pd.Timestamp("2026-08-31")))
    assert ("stopped", "I2") not in set(zip(*checks.insights(old, None, month="2026-09", items=known)[["kind", "key"]].T.values, strict=True)), "its end was planned"


def test_a_customer_who_stopped_is_told():
    days = pd.date_range("2025-01-15", "2026-09-30", freq="MS") + pd.Timedelta(days=14)
    lines = pd.concat([order_lines(days, customer="C1"), order_lines(days[:-1], location="SBY", customer="C2")], ignore_index=True)
    told = checks.insights(history(), lines, month="2026-09", items=MASTER)
    assert told.loc[told["level"] == "customer", ["kind", "key"]].values.tolist()[0] == ["stopped", "C2"]


def test_restated_months_say_which_by_how_much_and_what_it_is_worth():
    before = history()
    after = before.copy()
    hit = (after["item"] == "I3") & (after["month"] == pd.Timestamp("2026-07-01"))
    after.loc[hit, ["demand_raw", "revenue"]] += [5.0, 10.0]
    after = pd.concat([after, after[after["item"] == "I3"].tail(1).assign(month=pd.Timestamp("2026-10-01"))])
    changed = checks.restated(after, before)
    assert changed[["item", "month", "change", "amount"]].values.tolist() == [["I3", pd.Timestamp("2026-07-01"), 5.0, 10.0]], "the new month is news, not a restatement"
    assert checks.restated(after, None).empty
    told = checks.insights(after, None, month="2026-10", restated=changed)
    values = json.loads(told.set_index("kind").loc["restated", "values"])
    assert values["month"] == "2026-07"
    assert values["change"] == pytest.approx(5 / before.loc[before["month"] == "2026-07-01", "demand_raw"].sum(), abs=1e-6), "of all demand of that month"


def test_what_was_booked_is_compared_never_what_was_corrected():
    """A handover moves demand between items, a correction raises it: both leave what was booked, and restate nothing. A late
    return and a price put right change money, not units ordered."""
    before = history()
    after = before.copy()
    old, heir, july = after["item"] == "I3", after["item"] == "I4", after["month"] == pd.Timestamp("2026-07-01")
    after.loc[heir, "demand"] += 50.0
    after.loc[old, "demand"] = 0.0
    inherited = after[heir].head(1).assign(month=pd.Timestamp("2020-01-01"), demand=9.0, demand_raw=0.0, returns=0.0, revenue=0.0)
    assert checks.restated(pd.concat([after, inherited]), before).empty
    after.loc[old & july, ["returns", "revenue"]] += [2.0, -20.0]
    after.loc[heir & july, "revenue"] += 7.0
    changed = checks.restated(after, before)
    assert changed[["item", "change", "amount"]].values.tolist() == [["I3", 0.0, -20.0], ["I4", 0.0, 7.0]]
