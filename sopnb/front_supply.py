"""Supply on the front page: exceptions by money, the decisions with their options, capacity, and which limit binds first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import words
from sopnb.front_ground import Ground, Scale, rows_of, span_text
from sopnb.report import status
from sopnb.words import Sentence, message

LOSING = ("short", "overload", "late")  # kinds that lose sales; the others tie up money
OPTION_ROWS = ("keeps", "gains", "costs", "net")


def told(message_id: object, values: object) -> Sentence:
    """A stored message; where its words are not known, the id itself, so that nothing is lost."""
    if words.is_missing(message_id) or message_id == "":
        return words.plain("")
    if str(message_id) not in words.MESSAGES:
        return words.plain(str(message_id))
    return message(str(message_id), values if isinstance(values, str | dict) else None)


def exceptions(ground: Ground, *, top: int) -> dict[str, Any] | None:
    """Planned results that need a decision: the largest by money, all other in one row, the total.

    returns  rows: name, place, kind, status, span, because, units, text, amount, bar (% of the longest), tone, answer
             (id of the decision that answers it); other, total, short, count, unit; None where it was not computed
    """
    if "exceptions" not in ground.tables:
        return None
    table = ground.tables["exceptions"]
    empty: dict[str, Any] = {"rows": [], "other": None, "total": 0.0, "short": 0.0, "count": 0, "unit": "", "finding": message("front.exceptions.calm", {})}
    if table.empty:
        return empty
    ranked = table.assign(size=table["amount"].abs()).sort_values(["size", "id"], ascending=[False, True], kind="stable")
    shown, rest = (ranked, ranked.iloc[:0]) if len(ranked) <= top else (ranked.head(top), ranked.iloc[top:])
    total, scale = float(ranked["size"].sum()), Scale.of(ranked["size"])
    longest = max(float(shown["size"].max()), float(rest["size"].sum()), 1e-9)
    answers = _answers(ground)
    rows = [_exception(ground, row, scale, longest, answers) for row in rows_of(shown)]
    largest = rows[0]
    same = sum(r["amount"] for r in rows if r["name"] == largest["name"])
    losing = float(ranked.loc[ranked["kind"].isin(LOSING), "size"].sum())
    other = None if rest.empty else {"n": len(rest), "text": scale.show(rest["size"].sum()), "bar": 100 * float(rest["size"].sum()) / longest,
                                     "label": message("front.exceptions.other", {"n": len(rest)})}
    return {"rows": rows, "other": other, "total": total, "total_text": scale.show(total), "count": len(ranked), "unit": scale.label, "scale": scale,
            "short": losing, "because": any(r["because"].text for r in rows),
            "answers": any(r["answer"] for r in rows), "places": any(r["place"] for r in rows), "largest": largest["name"],
            "finding": message("front.exceptions.one" if len(ranked) == 1 else "front.exceptions.finding", {"total": total, "first": same, "name": largest["name"]}),
            "sub": message("front.exceptions.sub", {"unit": scale.label}),
            "source": message("front.exceptions.source", {"cycle": f"{ground.cycle:%Y-%m}", "short": losing, "excess": total - losing})}


def _answers(ground: Ground) -> dict[str, str]:
    asked = ground.get("asked")
    if asked is None:
        return {}
    return {row["exception"]: f"d{i}" for i, row in enumerate(_in_order(asked), start=1) if row["exception"]}


def _in_order(asked: pd.DataFrame) -> list[dict[str, Any]]:
    return rows_of(asked.sort_values(["position", "decision"], kind="stable"))


def _exception(ground: Ground, row: dict[str, Any], scale: Scale, longest: float, answers: dict[str, str]) -> dict[str, Any]:
    losing = row["kind"] in LOSING
    place = row["location"] if row["location"] not in (None, "all") else ""
    known = f"front.kind.{row['kind']}" in words.MESSAGES
    word = message(f"front.kind.{row['kind']}", {}).text if known else row["kind"]
    number = answers.get(row["id"], "")
    return {"name": ground.item_name(row["item"]) or row["resource"] or row["id"], "place": place or "", "kind": row["kind"],
            "status": status("short" if losing else "excess", word, "off" if losing else "watch"), "word": word, "losing": losing,
            "span": span_text(row["first"], row["last"]), "because": told(row["because"], row["values"]),
            "units": words.number(row["units"], ",.0f") if row["kind"] != "overload" else message("front.hours", {"hours": row["units"]}).text,
            "text": scale.show(abs(row["amount"])), "amount": abs(float(row["amount"])), "bar": 100 * abs(row["amount"]) / longest,
            "answer": number, "answer_text": message("front.decision", {"n": number[1:]}) if number else words.plain("")}


def decisions(ground: Ground) -> dict[str, Any] | None:
    """Decisions asked for, each with its options side by side; None where nothing is asked.

    returns  finding; cards: id, number, question, by, by_text, amount, line, why, options, rows (consequence × option), unit, cause
    """
    asked = ground.get("asked")
    if asked is None:
        return None
    options, causes = ground.get("options"), ground.get("exceptions")
    cards = [_decision(ground, i, row, options, causes) for i, row in enumerate(_in_order(asked), start=1)]
    selling = [card for card in cards if card["cause"].get("kind") in LOSING]  # kept sales and money back are two things
    values = {"n": len(cards), "amount": sum(abs(card["amount"]) for card in cards), "keeps": sum(card["keeps"] for card in selling),
              "costs": sum(card["costs"] for card in selling)}
    one = "one" if len(cards) == 1 else "many"
    return {"cards": cards, "finding": message(f"front.decisions.{one}" + ("" if values["keeps"] > 0 else ".plain"), values)}


def _decision(ground: Ground, number: int, row: dict[str, Any], options: pd.DataFrame | None, causes: pd.DataFrame | None) -> dict[str, Any]:
    amount = 0.0 if words.is_missing(row["amount"]) else float(row["amount"])
    mine = None if options is None else options[options["exception"].isin([x for x in (row["exception"], row["decision"]) if x])]
    choices = [] if mine is None else rows_of(mine.sort_values("option"))
    taken = next((o for o in choices if o["option"] == row["recommended"]), next((o for o in choices if o["recommended"]), None))
    keeps, costs = (_amount(taken, "keeps"), _amount(taken, "costs")) if taken else (0.0, 0.0)
    by = None if words.is_missing(row["by"]) else pd.Timestamp(row["by"])
    values = {"by": by, "amount": amount, "keeps": keeps, "costs": costs, "option": taken["option"] if taken else "",
              "title": told(taken["title"], taken["values"]).text if taken else ""}
    cause = _cause(ground, row["exception"], causes)
    line = _line(cause, taken, keeps, amount)
    return {"id": f"d{number}", "number": number, "question": told(row["question"], row["values"]), "amount": amount, "by": by,
            "by_text": message("front.decide_by", values) if by is not None else words.plain(""), "decides": ground.person(row["decides"]),
            "line": message(line, values) if by is not None else message("front.ask.undated", values), "keeps": keeps, "costs": costs,
            "why": message("front.take", values) if taken else words.plain(""), **_consequences(choices, taken, cause), "cause": cause}


def _line(cause: dict[str, Any], taken: dict[str, Any] | None, keeps: float, amount: float) -> str:
    """Which sentence stands under the question: what the recommended option keeps or brings back, else what it is."""
    if taken and keeps > 0:
        return "front.ask.option" if cause.get("kind") in LOSING else "front.ask.back"
    return "front.ask.title" if taken else "front.ask.amount" if amount else "front.ask.plain"


def _amount(option: dict[str, Any], column: str) -> float:
    return 0.0 if words.is_missing(option[column]) else float(option[column])


def _consequences(choices: list[dict[str, Any]], taken: dict[str, Any] | None, cause: dict[str, Any]) -> dict[str, Any]:
    """The options as columns, what follows from each as rows, in one unit; rows nobody has a value for are left out."""
    scale = Scale.of([choice[c] for choice in choices for c in OPTION_ROWS])
    stock = ".back" if cause and cause["kind"] not in LOSING else ""
    rows = [{"label": message(f"front.option.{c}{stock if c == 'keeps' else ''}", {}), "cells": [scale.show(choice[c], signed=c == "net") for choice in choices]}
            for c in OPTION_ROWS if any(not words.is_missing(choice[c]) for choice in choices)]
    if any(not words.is_missing(choice["service"]) for choice in choices):
        rows.append({"label": message("front.option.service", {}), "cells": [words.number(choice["service"], ".1%") for choice in choices]})
    heads = [{"letter": o["option"], "title": told(o["title"], o["values"]), "taken": o is taken} for o in choices]
    return {"options": heads, "rows": rows, "unit": scale.label}


def _cause(ground: Ground, exception: str | None, causes: pd.DataFrame | None) -> dict[str, Any]:
    """What the headline needs of the exception behind a decision: kind, what, when, units; empty where there is none."""
    if causes is None or not exception:
        return {}
    found = causes[causes["id"] == exception]
    if found.empty:
        return {}
    row = rows_of(found)[0]
    place = row["location"] if row["location"] not in (None, "all") else None
    name = ground.item_name(row["item"]) or row["resource"] or row["id"]
    return {"kind": row["kind"], "what": f"{name}, {place}," if place else name, "when": _when(row["first"], row["last"], ground),
            "units": row["units"]}


def _when(first: object, last: object, ground: Ground) -> str:
    span = span_text(first, last, "month") or ground.window_text
    one = not words.is_missing(first) and (words.is_missing(last) or first == last)
    return message("front.when.month" if one else "front.when.span", {"span": span}).text


def capacity(ground: Ground, top: int = 6) -> dict[str, Any] | None:
    """Load of the fullest resources as a share of their hours, month by month, on one scale.

    returns  finding, sub, panels: name, status, bars (month letter, share, over, drawing in percent and pixels), alt;
             None where there is no load
    """
    load = ground.get("load")
    if load is None:
        return None
    inside = ground.within(load)
    inside = inside[inside["available"] > 0].assign(share=lambda d: d["hours"] / d["available"])
    if inside.empty:
        return None
    peaks = inside.groupby("resource")["share"].max().sort_values(ascending=False, kind="stable")
    ceiling = max(1.15, float(peaks.iloc[0]) * 1.12)
    shown = [_panel(name, inside[inside["resource"] == name].sort_values("month"), ceiling) for name in peaks.index[:top]]
    over = inside[inside["hours"] > inside["available"]]
    worst = inside.loc[inside["share"].idxmax()]
    values = {"resource": worst["resource"], "share": worst["share"], "month": worst["month"], "n": len(peaks),
              "hours": float((over["hours"] - over["available"]).sum()), "resources": over["resource"].nunique()}
    kind = "front.capacity.over" if len(over) else "front.capacity.enough"
    more = len(peaks) - len(shown)
    return {"finding": message(kind, values), "sub": message("front.capacity.sub", {"window": ground.window_text}), "panels": shown,
            "more": message("front.capacity.more", {"n": more, "peak": float(peaks.iloc[top])}) if more > 0 else words.plain("")}


def _panel(name: str, rows: pd.DataFrame, ceiling: float, height: int = 118, ground_line: int = 98) -> dict[str, Any]:
    """One small multiple: bars to the line at 100 %, red above it, the peak named."""
    def y(share: float) -> float:
        return round(ground_line - (ground_line - 14) * share / ceiling, 2)

    step, peak = 100 / len(rows), float(rows["share"].max())
    at_peak, bars = int(rows["share"].argmax()), []
    for i, (month, share) in enumerate(zip(rows["month"], rows["share"], strict=True)):
        bars.append({"letter": words.show(month, "mon")[:1], "x": round(i * step + step * .15, 2), "w": round(step * .7, 2), "mid": round((i + .5) * step, 2),
                     "y": y(min(share, 1)), "h": round(ground_line - y(min(share, 1)), 2), "over_y": y(share), "over_h": round(y(1) - y(share), 2) if share > 1 else 0,
                     "label": words.number(share, ".0%") if i == at_peak and peak > 0 else ""})
    over = int((rows["share"] > 1).sum())
    word = message("front.capacity.months" if over > 1 else "front.capacity.month" if over else "front.capacity.tight" if peak > .9 else "front.capacity.free", {"n": over}).text
    listed = ", ".join(f"{words.show(m, 'mon')} {words.number(s, '.0%')}" for m, s in zip(rows["month"], rows["share"], strict=True))
    return {"name": name, "bars": bars, "line": y(1), "base": ground_line, "height": height,
            "status": status("off" if over else "watch" if peak > .9 else "ok", word), "alt": message("front.capacity.alt", {"resource": name, "listed": listed}).text}


def binds(ground: Ground) -> dict[str, Any] | None:
    """Which limit is met first, hours or sales: the first month over, and the money behind it. None where neither is known."""
    rows = []
    load, hiring = ground.get("load"), ground.get("hiring")
    if load is not None:
        over = load[(load["overload"] > 0)].sort_values(["month", "overload_amount"], ascending=[True, False], kind="stable")
        if len(over):
            first = over.iloc[0]
            every = over[over["resource"] == first["resource"]]
            rows.append((first["month"], message("front.binds.hours", {"resource": first["resource"], "month": first["month"]}),
                         message("front.binds.hours.why", {"hours": float(every["overload"].sum()), "n": len(every), "amount": float(every["overload_amount"].sum())})))
    if hiring is not None:
        short = hiring[hiring["gap"] < 0].sort_values("month")
        if len(short):
            first = short.iloc[0]
            rows.append((first["month"], message("front.binds.reps", {"month": first["month"]}),
                         message("front.binds.reps.why", {"gap": abs(float(first["gap"])), "hires": int(hiring["hires"].sum()), "reps": float(first["reps"])})))
    if load is None and hiring is None:
        return None
    rows.sort(key=lambda row: row[0])
    known = [name for name, table in (("hours", load), ("reps", hiring)) if table is not None]
    finding = message("front.binds.none", {"what": " / ".join(message(f"front.binds.{k}.word", {}).text for k in known)}) if not rows else rows[0][1]
    return {"finding": finding, "rows": [{"title": title, "why": why} for _, title, why in rows]}
