"""How we did and what we stand on, on the front page: the scorecard, open actions, data quality, assumptions."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from sopnb import frames, front_ground, svg, words
from sopnb.front_ground import Ground, Scale, rows_of
from sopnb.front_supply import told
from sopnb.report import status
from sopnb.words import Sentence, message

# Without a choice in the params file: what a general manager asks for first, of what was measured.
PRIORITY = ("forecast_accuracy", "forecast_bias", "otif", "stock_cover", "excess_obsolete", "plan_vs_budget", "quota_attainment", "action_closure",
            "fill_rate", "revenue", "gross_margin", "stockout_rate", "inventory_turns", "capacity_load", "pipeline_coverage", "revenue_vs_budget")
TONE = {"on": "ok", "watch": "watch", "off": "off"}
REQUIRED = ("orders", "items")  # absent only of a company that plans on deals alone
OPTIONAL = ("stock", "receipts", "routings", "capacity", "budget", "forecast_sales", "opportunities", "quotas", "events", "people")


def scorecard(ground: Ground, *, chosen: list[str] | None, book: dict[str, dict[str, Any]] | None, cards: int = 8) -> dict[str, Any] | None:
    """The measures of the last month: value, change, status against target, thirteen months as a line.

    returns  finding, sub, answer, cards: name, measure, value, unit, change, status, target (a sentence) and goal (its number), line (SVG), trend (what the
             line is drawn from), first, last; None where nothing was measured
    """
    now = ground.get("kpis")
    if now is None:
        return None
    past = ground.past.get("kpis")
    every = _frozen(now.assign(cycle=ground.cycle) if past is None or past.empty else pd.concat([past, now.assign(cycle=ground.cycle)], ignore_index=True))
    last = now["month"].max()
    measured = now[(now["month"] == last) & now["value"].notna()]
    known = book if book is not None else kpi_book()
    shown = [_card(name, _of_scope(measured, every, name), last, known.get(name, {})) for name in _choice(measured, chosen, cards)]
    if not shown:
        return None
    judged = [card for card in shown if card["state"] in TONE]
    values = {"on": sum(card["state"] == "on" for card in judged), "n": len(judged), "month": last}
    worst = max((card for card in judged if card["state"] != "on"), key=lambda card: card["miss"], default=None)
    kind = "none" if not judged else "all" if worst is None else "worst.moved" if worst["moved"] else "worst"
    told_of = {} if worst is None else {"name": _inside(worst["name"]), "value": worst["shown"], "goal": worst["goal"], "moved": worst["moved"]}
    return {"cards": shown, "finding": message(f"front.score.{kind}", {**values, **told_of}),
            "sub": message("front.score.sub", {"month": last, "before": frames.next_month(last, -1)}), "month": last, "answer": message("front.answer.04" if judged else "front.answer.04.none", values)}


def _inside(name: str) -> str:
    """A measure's name within a sentence: its first letter small, unless the word is a name or a code."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _miss(now: pd.Series, about: dict[str, Any]) -> float:
    """How far a measure lies beyond its target, in steps from target to the limit of `watch`: 1 is where it goes off target."""
    if words.is_missing(now["target"]) or words.is_missing(now["value"]):
        return 0.0
    value, target = float(now["value"]), float(now["target"])
    beyond = {"zero": abs(value) - abs(target), "lower": value - target}.get(about.get("better", ""), target - value)
    limit = now.get("low")
    step = abs(abs(float(limit)) - abs(target)) if not words.is_missing(limit) else 0.0
    return beyond / (step or abs(target) or 1.0)


def _frozen(told: pd.DataFrame) -> pd.DataFrame:
    """One row for a measure's month: as judged by the cycle whose last month it was, so that the past does not move."""
    own = told["cycle"] == told["month"] + pd.DateOffset(months=1)
    ranked = told.assign(later=~own).sort_values(["kpi", "scope", "month", "later", "cycle"], kind="stable")
    return ranked.drop_duplicates(["kpi", "scope", "month"])


def kpi_book() -> dict[str, dict[str, Any]]:
    """What each KPI is called and measured in: from the KPI book."""
    from sopnb import kpis

    return kpis.described()


def _choice(measured: pd.DataFrame, chosen: list[str] | None, cards: int) -> list[str]:
    there = list(dict.fromkeys(measured["kpi"]))
    if chosen:
        return [name for name in chosen if name in there][:cards]
    rank = {name: i for i, name in enumerate(PRIORITY)}
    with_target = set(measured.loc[measured["target"].notna(), "kpi"])
    ordered = sorted(there, key=lambda name: (name not in rank, name not in with_target, rank.get(name, 0), name))
    return ordered[:cards]


def _of_scope(measured: pd.DataFrame, every: pd.DataFrame, kpi: str) -> pd.DataFrame:
    """The KPI's months in the widest scope it has: `all`, else the first by name."""
    scopes = sorted(measured.loc[measured["kpi"] == kpi, "scope"].unique(), key=lambda scope: (scope != "all", scope))
    return every[(every["kpi"] == kpi) & (every["scope"] == scopes[0])].sort_values("month")


def _card(kpi: str, rows: pd.DataFrame, last: pd.Timestamp, about: dict[str, Any]) -> dict[str, Any]:
    by_month = rows.set_index("month")
    now = by_month.loc[last]
    if str(now["scope"]).startswith("lag:"):  # not of the decision lag yet: it says its own lag, and the target is not meant for it
        months = int(str(now["scope"]).removeprefix("lag:"))
        about = {**about, "measure": message("front.score.lag.one" if months == 1 else "front.score.lag", {"lag": months}).text}
        by_month = by_month.assign(target=float("nan"), status="none")
        now = by_month.loc[last]
    span = frames.months(frames.next_month(last, -12), 13)
    version = by_month["version"].fillna("")
    line = by_month["value"].where(version == version[last]).reindex(span)  # of another definition: not comparable
    unit, name = about.get("unit", ""), words.label(about.get("name") or kpi.replace("_", " ").capitalize())
    before = line.iloc[-2]
    shown, small = _value(now["value"], about)
    target = None if words.is_missing(now["target"]) else float(now["target"])
    state = str(now["status"]) if now["status"] in TONE else "none"
    moved = "" if words.is_missing(before) else _change(now["value"] - before, about)
    change = words.plain("") if not moved else message("front.score.change" if re.search("[1-9]", moved) else "front.score.same", {"change": moved, "month": span[-2]})
    goal = message("front.score.target", {"target": _goal(target, about)}) if target is not None else words.plain("")
    return {"kpi": kpi, "name": name, "measure": words.label(about.get("measure", "")), "value": shown, "small": small, "shown": shown + small, "unit": unit, "state": state,
            "status": status(TONE[state], words.status(state).text) if state in TONE else "", "word": words.status(state).text if state in TONE else "",
            "miss": _miss(now, about), "change": change, "moved": moved if re.search("[1-9]", moved) else "", "target": goal, "goal": _goal(target, about) if target is not None else "", "first": words.show(span[0], "mon"), "last": words.show(last, "mon"),
            **_trend(name, line, target, about)}


def _trend(name: str, line: pd.Series, target: float | None, about: dict[str, Any]) -> dict[str, Any]:
    """The months as a picture: `line` (SVG), and what it is drawn from in `trend`, for a page that draws it smaller."""
    if line.notna().sum() < 2:
        return {"line": "", "trend": None}
    known = line.dropna()
    desc = message("front.score.alt", {"first": "".join(_value(known.iloc[0], about)), "from": known.index[0], "last": "".join(_value(known.iloc[-1], about)),
                                       "to": known.index[-1], "low": "".join(_value(known.min(), about)), "high": "".join(_value(known.max(), about))}).text
    year = line.iloc[0]
    trend: dict[str, Any] = {"values": list(line), "target": target, "last_year": None if words.is_missing(year) else float(year), "title": name, "desc": desc}
    return {"line": svg.sparkline(**trend, width=200, height=50), "trend": trend}


def _value(value: object, about: dict[str, Any]) -> tuple[str, str]:
    """The number and its unit, apart, since the unit is set smaller: ("74.2", "%"), ("Rp 4.9", " bn"), ("38", " days")."""
    if words.is_missing(value):
        return words.MISSING, ""
    amount, unit = float(value), about.get("unit", "")  # type: ignore[arg-type]
    digits = int(about.get("digits", 1))
    sign = "+" if about.get("better") == "zero" else ""
    if unit in ("fraction", "%", "percent"):
        return words.number(amount, f"{sign}.{digits}%").removesuffix("%"), "%"
    if unit in ("money", "currency"):
        parts = words.show(amount, "money").rsplit(" ", 1)
        return (parts[0], f" {parts[1]}") if not parts[1][:1].isdigit() else (" ".join(parts), "")
    body = words.number(amount, f"{sign},.{digits if abs(amount) < 100 else 0}f")
    return body, "×" if unit == "ratio" else f" {words.term('unit', unit)}" if unit else ""


def _goal(target: float, about: dict[str, Any]) -> str:
    """A target as people write it: 75%, not 75.0%; ±3% where zero is best and the target is a limit."""
    body, unit = _value(target, about)
    shown = re.sub(r"[.,]0+$", "", body) + unit
    return f"±{shown.lstrip('+')}" if about.get("better") == "zero" else shown


def _change(change: float, about: dict[str, Any]) -> str:
    unit, digits = about.get("unit", ""), int(about.get("digits", 1))
    if unit in ("fraction", "%", "percent"):
        return message("front.points", {"points": words.number(change, f"+.{digits}pp")}).text
    if unit in ("money", "currency"):
        return words.show(front_ground.about(change), "money+")
    return words.number(change, f"+,.{digits}f")


def actions(ground: Ground, *, as_of: pd.Timestamp, top: int = 8) -> dict[str, Any]:
    """Open actions, the most overdue first.

    returns  finding, count, overdue, more; rows: action, title, owner (name), person (id), due, late (days; below zero
             is time left), status; no rows where there is none
    """
    table = ground.get("actions")
    if table is None:
        return {"rows": [], "count": 0, "overdue": 0, "finding": message("front.actions.none", {}), "more": 0}
    live = table[table["state"].isin(["open", "started"])]
    late = (as_of - live["due"]).dt.days
    ranked = live.assign(late=late).sort_values(["late", "due", "action"], ascending=[False, True, True], kind="stable", na_position="last")
    overdue = int((ranked["late"] > 0).sum())
    rows = [{"action": row["action"], "title": row["title"] or row["action"], "owner": ground.person(row["owner"]), "person": row["owner"], "due": row["due"],
             "late": None if words.is_missing(row["late"]) else int(row["late"]), "status": _due(row["late"]), "word": _due_word(row["late"])}
            for row in rows_of(ranked)]
    kind = "front.actions.none" if ranked.empty else ("front.actions.overdue" if overdue else "front.actions.open") + (".one" if len(rows) == 1 else "")
    return {"rows": rows[:top], "all": rows, "count": len(rows), "overdue": overdue, "more": max(len(rows) - top, 0),
            "finding": message(kind, {"n": len(rows), "overdue": overdue})}


def _due_word(late: object) -> str:
    if words.is_missing(late):
        return ""
    days = int(late)  # type: ignore[call-overload]
    one = ".one" if abs(days) == 1 else ""
    return message("front.actions.today" if days == 0 else f"front.actions.{'late' if days > 0 else 'left'}{one}", {"days": abs(days)}).text


def _due(late: object) -> Any:
    return status("off", _due_word(late)) if not words.is_missing(late) and late > 0 else _due_word(late)  # type: ignore[operator]


def data(ground: Ground, *, verdict: str, top: int = 5) -> dict[str, Any]:
    """What the numbers rest on: rows read, rows set aside, findings with their money, sources that are not there.

    returns  finding, answer, facts [label, value], findings (severity, said, amount), more, missing
    """
    fresh, found, aside = ground.get("freshness"), ground.get("findings"), ground.get("set_aside")
    told_of = None if found is None else found[found["severity"].isin(["amber", "red"])]
    count = 0 if told_of is None else len(told_of)
    main = "opportunities" if fresh is not None and "orders" not in set(fresh["source"]) else "orders"  # what the company plans on
    orders = None if fresh is None else fresh[fresh["source"] == main]
    rows = float(orders["rows"].sum()) if orders is not None and len(orders) else float("nan")
    facts = [] if orders is None or orders.empty else _received(main, orders)
    if fresh is not None:
        facts.append((message("front.data.sources", {}), str(fresh["source"].nunique())))
    worth = 0.0 if aside is None else float(aside["amount"].abs().sum())
    facts.append((message("front.data.aside" if worth else "front.data.aside.none", {"amount": worth}), str(0 if aside is None else len(aside))))
    lines = [] if told_of is None else _findings(told_of, top)
    kind = ("red.one" if count == 1 else "red") if verdict == "red" else "none" if not count else "one" if count == 1 else "amber"
    return {"finding": message(f"front.data.{kind}", {"n": count}), "facts": facts, "findings": lines, "more": max(count - top, 0), "count": count,
            "missing": [words.term("source", name).text for name in ((*REQUIRED, *OPTIONAL) if main != "orders" else OPTIONAL) if name not in ground.tables],
            "answer": message(f"front.answer.01.{main}" if kind == "none" else f"front.answer.01.{kind}", {"n": count, "rows": rows})}


def _received(main: str, fresh: pd.DataFrame) -> list[tuple[Sentence, str]]:
    """Rows received, and what became of each of them: used + set aside + left out = received."""
    received, aside, left = (int(fresh[name].sum()) for name in ("rows", "set_aside", "left_out"))
    shown = [(f"front.data.{main}", received), ("front.data.used", received - aside - left), ("front.data.own_aside", aside), ("front.data.left_out", left)]
    span = {"first": fresh["first"].min(), "last": fresh["last"].max()}
    return [(message(key, span), words.number(n, ",.0f")) for key, n in shown if n or key == f"front.data.{main}"]


def _findings(told_of: pd.DataFrame, top: int) -> list[dict[str, Any]]:
    order = {"red": 0, "amber": 1}
    ranked = told_of.assign(rank=told_of["severity"].map(order), size=told_of["amount"].abs().fillna(0)).sort_values(
        ["rank", "size", "id"], ascending=[True, False, True], kind="stable").head(top)
    return [{"status": status("off" if row["severity"] == "red" else "watch", message(f"front.finding.{row['severity']}", {}).text),
             "said": told(row["rule"], row["values"]), "source": words.term("source", row["source"]).text, "amount": words.show(row["amount"], "money") if row["size"] else ""}
            for row in rows_of(ranked)]


STATES = {"failed": "off", "held": "ok"}  # an open one stands without a mark: that is what an assumption is


def assumptions(ground: Ground, given: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the plan rests on: what failed first, then by effect; None where nobody states any.

    given    as the params file has them: where step 05 did not save the log, which knows what became of each
    returns  finding, sub, unit, failed (their number), rows: text, if_not, amount, size (without its sign), state, status
    """
    log = ground.get("assumptions")
    every = given if log is None else rows_of(log[log["state"] != "dropped"])
    if not every:
        return None
    stated = [{**one, "amount": None if words.is_missing(one.get("amount")) else float(one["amount"]), "state": one.get("state") or "open"} for one in every]
    ordered = sorted(stated, key=lambda one: (one["state"] != "failed", one["state"] == "held", -abs(one["amount"] or 0.0)))
    scale = Scale.of([one["amount"] for one in ordered])
    rows = [{"text": one["text"], "if_not": "" if words.is_missing(one.get("if_not")) else one["if_not"], "amount": scale.show(one["amount"], signed=True),
             "size": abs(one["amount"] or 0.0), "state": one["state"], "status": _judged(one)} for one in ordered]
    first = max(ordered, key=lambda one: abs(one["amount"] or 0.0))
    failed = sum(row["state"] == "failed" for row in rows)
    kind = ("failed" if failed else "many") if len(rows) > 1 else "one.failed" if failed else "one"
    return {"rows": rows, "unit": scale.label, "failed": failed, "finding": message(f"front.assumptions.{kind}", {"n": len(rows), "failed": failed, "first": first["text"]}),
            "sub": message("front.assumptions.sub", {"unit": scale.label})}


def _judged(one: dict[str, Any]) -> Any:
    """Shape and word of one that somebody has judged, with the day where it is known."""
    if one["state"] not in STATES:
        return ""
    day = "" if words.is_missing(one.get("judged_on")) else ".on"
    return status(STATES[one["state"]], message(f"front.state.{one['state']}{day}", {"on": one.get("judged_on")}).text)
