"""A small company whose front page can be checked with a pencil: two families, three items, two locations.

Money is rupiah. The plan for October 2026 to March 2027 is 6 months × (A 40 + B 30 + C 20 = 90 bn) = 540 bn; last plan
was 528 bn; the budget is 6 × 92 bn = 552 bn. Changes: actuals −6, events +10, pipeline +8 = +12 bn.
"""

from __future__ import annotations

import json

import pandas as pd

from sopnb import frames

BN = 1e9
CYCLE = pd.Timestamp("2026-10-01")
HEADER = {"company": "Contoh Pangan", "cycle": "2026-10", "verdict": "amber", "findings": 2, "version": "0.1.0", "run": "r1", "language": "en",
          "currency": "IDR", "as_of": pd.Timestamp("2026-10-05"), "meeting": pd.Timestamp("2026-10-08")}
LINKS = [{"title": f"{n:02d} {name}", "href": f"{n:02d}_{name.lower()}.html"} for n, name in enumerate(
    ("Collect", "Demand", "Supply", "KPIs", "Meeting", "Recap"), start=1)]
BOOK = {
    "forecast_accuracy": {"name": "Forecast accuracy", "measure": "3 months ahead, item × location", "unit": "fraction", "digits": 1, "better": "higher"},
    "bias": {"name": "Forecast bias", "measure": "3 months ahead; plus is too high", "unit": "fraction", "digits": 1, "better": "zero"},
    "otif": {"name": "On time in full", "measure": "order lines, requested date", "unit": "fraction", "digits": 1, "better": "higher"},
    "cover": {"name": "Stock cover", "measure": "days of coming demand", "unit": "days", "digits": 0, "better": "lower"},
    "excess": {"name": "Excess and obsolete", "measure": "stock beyond 6 months", "unit": "money", "digits": 1, "better": "lower"},
}


def make(frame: frames.Frame, *rows: dict) -> pd.DataFrame:
    """Rows with what matters; the other columns missing."""
    df = pd.DataFrame([{c.name: row.get(c.name) for c in frame.columns} for row in rows], columns=frame.names)
    for column in frame.columns:
        if column.kind == "integer":
            df[column.name] = [0 if v is None else v for v in df[column.name]]
    return frames.typed(df, frame)


ITEMS = make(frames.ITEMS, {"item": "A", "name": "Butter Biscuit 300 g", "family": "Biscuits"}, {"item": "B", "name": "Curry Noodles 5-pack", "family": "Noodles"},
             {"item": "C", "name": "Beef Noodles 5-pack", "family": "Noodles"})
REVENUE = {"A": 40 * BN, "B": 30 * BN, "C": 20 * BN}  # a month
LAST = {"A": 42 * BN, "B": 27 * BN, "C": 19 * BN}
PRICE = 100_000.0


def plan_of(revenue: dict[str, float], months: pd.DatetimeIndex) -> pd.DataFrame:
    return make(frames.PLAN, *({"item": item, "location": "JKT", "month": month, "consensus": money / PRICE, "price": PRICE, "revenue": money, "baseline": money / PRICE}
                               for item, money in revenue.items() for month in months))


def history() -> pd.DataFrame:
    months = pd.date_range("2024-10-01", "2026-09-01", freq="MS")
    season = [1, 1, 1.05, 1, 1.2, 1.25, .8, .95, 1, 1, 1, 1]
    return make(frames.HISTORY, *({"item": item, "location": "JKT", "month": month, "demand": money * season[(month.month + 2) % 12] * .9 / PRICE,
                                   "revenue": money * season[(month.month + 2) % 12] * .9} for item, money in REVENUE.items() for month in months))


def changes() -> pd.DataFrame:
    parts = {"A": {"actuals": -6 * BN, "events": 0.0, "pipeline": -6 * BN}, "B": {"events": 10 * BN, "pipeline": 8 * BN}, "C": {"pipeline": 6 * BN}}
    return make(frames.CHANGES, *({"item": item, "location": "JKT", "month": CYCLE, "part": part, "amount": amount, "units": amount / PRICE}
                                  for item, of in parts.items() for part, amount in of.items()))


def kpis(months: pd.DatetimeIndex) -> pd.DataFrame:
    values = {"forecast_accuracy": (.70, .004, .75, "watch"), "bias": (.06, -.0025, .03, "on"), "otif": (.95, -.0015, .95, "off"),
              "cover": (41, -.25, 42, "on"), "excess": (6.9 * BN, -.16 * BN, 5 * BN, "on")}
    return make(frames.KPIS, *({"kpi": kpi, "scope": "all", "month": month, "value": start + step * i + (.01 * start if i % 3 == 1 else 0), "target": target, "status": status, "version": "1"}
                               for kpi, (start, step, target, status) in values.items() for i, month in enumerate(months)))


def exceptions() -> pd.DataFrame:
    rows = [{"id": "E01", "kind": "overload", "resource": "Biscuit oven", "first": "2027-01-01", "last": "2027-02-01", "units": 318, "amount": 12.3 * BN},
            {"id": "E02", "kind": "short", "item": "A", "location": "JKT", "first": "2027-01-01", "last": "2027-02-01", "units": 24_000, "amount": 2.5 * BN},
            {"id": "E03", "kind": "excess", "item": "C", "location": "MDN", "first": "2026-10-01", "last": "2027-03-01", "units": 8_100, "amount": .96 * BN}]
    rows += [{"id": f"E{n:02d}", "kind": "short", "item": "B", "location": f"L{n}", "first": "2026-11-01", "last": "2026-11-01", "units": 100, "amount": .1 * BN} for n in range(4, 14)]
    return make(frames.EXCEPTIONS, *rows)


def tables(**without: None) -> dict[str, pd.DataFrame]:
    """All tables of the cycle; `tables(budget=None)` leaves one out."""
    months = frames.months(CYCLE, 18)
    hours = [91, 93, 100, 120, 135, 79]
    made = {
        "items": ITEMS, "plan": plan_of(REVENUE, months), "history": history(), "changes": changes(), "exceptions": exceptions(),
        "budget": make(frames.BUDGET, *({"family": f, "month": m, "revenue": r} for m in months for f, r in (("Biscuits", 40.5 * BN), ("Noodles", 51.5 * BN)))),
        "kpis": kpis(pd.DatetimeIndex([CYCLE - pd.DateOffset(months=1)])).assign(value=[.742, .029, .931, 38, 4.9 * BN]),
        "asked": make(frames.ASKED, {"decision": "D1", "position": 1, "question": "front.headline.question", "values": json.dumps({"question": "Who covers 318 oven hours?"}),
                                     "decides": "P1", "by": "2026-10-12", "amount": 12.3 * BN, "recommended": "A", "exception": "E01"},
                      {"decision": "D2", "position": 2, "question": "front.headline.question", "values": json.dumps({"question": "How do we sell <b>8,100</b> cartons in Medan?"}),
                       "decides": "P2", "by": "2026-10-16", "amount": .96 * BN, "recommended": "A", "exception": "E03"}),
        "options": make(frames.OPTIONS, *({"exception": e, "option": o, "title": "front.headline.question", "values": json.dumps({"question": q}), "keeps": k * BN, "gains": k * .34 * BN,
                                           "costs": c * BN, "net": (k * .34 - c) * BN, "service": s, "recommended": o == "A"}
                                          for e, o, q, k, c, s in (("E01", "A", "add hours", 12.3, 1.6, .98), ("E01", "B", "ration", 0, 0, .79),
                                                                   ("E03", "A", "promotion", .7, .2, None), ("E03", "B", "write off", 0, .96, None)))),
        "load": make(frames.LOAD, *({"resource": r, "month": m, "hours": h * k, "available": 500.0, "overtime": 40, "overload": max(h * k - 500, 0), "overload_amount": max(h * k - 500, 0) * .0387 * BN}
                                    for r, k in (("Biscuit oven", 5), ("Noodle line", 4), ("Mixing", 3)) for m, h in zip(months[:6], hours, strict=True))),
        "hiring": make(frames.HIRING, *({"month": m, "reps": 12.6, "target": 15 * BN, "capacity": (15.2 - .3 * i) * BN, "gap": (.2 - .3 * i) * BN, "hires": 1 if i < 2 else 0}
                                        for i, m in enumerate(months[:6]))),
        "projection": make(frames.PROJECTION, {"item": "B0", "location": "MDN", "month": months[0], "closing": 10.0}),
        "deliverable": make(frames.DELIVERABLE, *({"family": "Biscuits", "month": m, "plan": 90 * BN, "revenue": (90 - gap) * BN, "stock_gap": 0.0, "hours_gap": 2.0 * BN * (i in (3, 4)),
                                                   "sales_gap": max(0.3 * i - .2, 0) * BN, "late": 0.0} for i, m in enumerate(months[:6]) for gap in [2.0 * (i in (3, 4)) + max(0.3 * i - .2, 0)])),
        "actions": make(frames.ACTIONS, {"action": "K1", "title": "Second source for chilli, two quotes", "owner": "P2", "due": "2026-09-18", "state": "open", "cycle": "2026-08"},
                        {"action": "K2", "title": "Co-packer price for 22,000 cartons", "owner": "P1", "due": "2026-10-07", "state": "started", "cycle": "2026-09"},
                        {"action": "K3", "title": "Closed long ago", "owner": "P1", "due": "2026-09-01", "state": "done", "cycle": "2026-08"}),
        "people": make(frames.PEOPLE, {"person": "P1", "name": "Budi Hartono", "email": "budi@pangan.example", "gets": "pack"},
                       {"person": "P2", "name": "Agus Santoso", "email": "agus@pangan.example", "gets": "both"}),
        "freshness": make(frames.FRESHNESS, {"source": "orders", "rows": 48_216, "left_out": 3, "first": "2021-10-01", "last": "2026-09-30", "severity": "info"}),
        "findings": make(frames.FINDINGS, {"id": "F1", "source": "orders", "rule": "front.headline.question", "values": json.dumps({"question": "312 rows repeat a key"}),
                                           "rows": 312, "amount": -.8 * BN, "severity": "amber"},
                         {"id": "F2", "source": "items", "rule": "findings.not_in_any_catalogue", "rows": 3, "severity": "amber"}),
        "set_aside": make(frames.SET_ASIDE, {"id": "S1", "amount": .8 * BN}),
    }
    return {name: df for name, df in made.items() if name not in without}


def past() -> dict[str, pd.DataFrame]:
    """The plan of cycle 2026-09 and the KPIs of twelve earlier months."""
    last = CYCLE - pd.DateOffset(months=1)
    plan = plan_of(LAST, frames.months(last, 18))
    plan.insert(0, "cycle", last)
    earlier = kpis(pd.date_range("2025-09-01", "2026-08-01", freq="MS"))
    earlier.insert(0, "cycle", earlier["month"] + pd.DateOffset(months=1))
    return {"plan": plan, "kpis": earlier}
