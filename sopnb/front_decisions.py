"""Decisions on the front page: a question, by when, the recommendation, and what follows from at most three answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.choices import distinct, leaves_it
from sopnb.front_ground import Ground, Scale, about, rows_of, span_text
from sopnb.front_supply import SELLING, group_name, group_of, in_order, told
from sopnb.words import message

OPTION_ROWS = ("keeps", "costs", "net")  # what follows in money; service, stock and people stand below
WON = ("hiring", "budget")  # kinds whose answers win sales that the plan of today does not have
BESIDE = 3  # answers a reader can compare at once, on a phone too


def decisions(ground: Ground) -> dict[str, Any] | None:
    """Decisions asked for, each with its options side by side; None where nothing is asked.

    returns  finding; amount (at stake; goods in two exceptions once); costs (of all recommended answers, as far as known);
             cards: id, number, kind, question, said (what else belongs to it), told (its values), by, by_text, amount, line,
             keeps, costs, costs_known, why, reason (of it, alone), largest, options, rows (consequence × option), unit, note, more, cause
    """
    asked = ground.get("asked")
    if asked is None:
        return None
    causes = ground.get("exceptions")
    cards = [_decision(ground, i, row, _answers(ground, row), causes) for i, row in enumerate(in_order(asked), start=1)]
    selling = [card for card in cards if card["cause"].get("kind") in SELLING]  # kept sales and money back are two things
    amount = sum(card["amount"] - card["twice"] for card in cards)
    at_risk = sum(card["amount"] - card["twice"] for card in selling)
    costs, known = sum(card["costs"] for card in cards), all(card["costs_known"] for card in cards)
    values = {"n": len(cards), "amount": about(amount), "keeps": about(min(sum(card["keeps"] for card in selling), at_risk)), "costs": about(costs)}
    form = ".plain" if values["keeps"] <= 0 else "" if known else ".known" if costs else ".keeps"
    return {"cards": cards, "amount": amount, "costs": costs, "finding": message(f"front.decisions.{'one' if len(cards) == 1 else 'many'}{form}", values)}


def _answers(ground: Ground, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers framed for the meeting; where that step has not run, those of supply."""
    framed, options = ground.get("choices"), ground.get("options")
    if framed is not None:
        return rows_of(framed[framed["decision"] == row["decision"]].sort_values("option"))
    return [] if options is None else distinct(rows_of(options[options["exception"].isin([x for x in (row["exception"], row["decision"]) if x])].sort_values("option")))


def _decision(ground: Ground, number: int, row: dict[str, Any], choices: list[dict[str, Any]], causes: pd.DataFrame | None) -> dict[str, Any]:
    amount = 0.0 if words.is_missing(row["amount"]) else float(row["amount"])
    taken = next((o for o in choices if o["option"] == row["recommended"]), next((o for o in choices if o["recommended"]), None))
    keeps, costs = (_amount(taken, "keeps"), _amount(taken, "costs")) if taken else (0.0, 0.0)
    by = None if words.is_missing(row["by"]) else pd.Timestamp(row["by"])
    values = {"by": by, "amount": about(amount), "keeps": about(keeps), "costs": about(costs), "option": taken["option"] if taken else "",
              "title": told(taken["title"], taken["values"]).text if taken else ""}
    cause = _cause(ground, row["exception"], causes)
    kind, who = str(row.get("kind") or cause.get("kind", "")), ground.person(row["decides"])
    line = _line(kind, taken, keeps, amount)
    return {"id": f"d{number}", "number": number, "kind": kind, "question": told(row["question"], row["values"]), "said": _said(row), "told": _values(row["values"]),
            "costs_known": taken is None or not words.is_missing(taken["costs"]), "amount": amount, "twice": cause.get("twice", 0.0) if words.is_missing(row.get("overlap")) else float(row["overlap"]), "by": by,
            "by_text": message("front.decide_by" if who or ground.get("choices") is None else "front.decide_by.nobody", values) if by is not None else words.plain(""), "decides": who,
            "line": message(line, values) if by is not None else message("front.ask.undated", values), "keeps": keeps, "costs": costs,
            "why": _why(taken, values), "reason": _reason(taken), "largest": cause.get("largest", words.plain("")),
            **_consequences(choices, taken, kind), "cause": cause}


def _said(row: dict[str, Any]) -> words.Sentence:
    """What a question rests on, as a sentence of its own: a title ends at its question mark."""
    rests_on = str(row["question"]).replace(".ask_", ".more_")
    return told(rests_on, row["values"]) if rests_on != row["question"] and rests_on in words.MESSAGES else words.plain("")


def _values(values: Any) -> dict[str, Any]:
    return {} if words.is_missing(values) or not values else dict(json.loads(values) if isinstance(values, str) else values)


def _why(taken: dict[str, Any] | None, values: dict[str, Any]) -> words.Sentence:
    """The recommendation with its reason, where one is known."""
    if not taken:
        return words.plain("")
    reason = _reason(taken)
    return message("front.take.why", {**values, "reason": reason}) if reason else message("front.take", values)


def _reason(taken: dict[str, Any] | None) -> str:
    return told(taken.get("reason"), taken.get("reason_values")).text if taken else ""


def _line(kind: str, taken: dict[str, Any] | None, keeps: float, amount: float) -> str:
    """Which sentence stands under the question: what the recommended option keeps or brings back, else what it is."""
    if taken and keeps > 0 and kind != "excess":
        return "front.ask.option" if kind in SELLING else "front.ask.won" if kind in WON else "front.ask.back"
    return "front.ask.title" if taken else "front.ask.amount" if amount else "front.ask.plain"


def _amount(option: dict[str, Any], column: str) -> float:
    return 0.0 if words.is_missing(option[column]) else float(option[column])


# --- what follows ---------------------------------------------------------------------------------------------------

def _beside(choices: list[dict[str, Any]], taken: dict[str, Any] | None) -> list[dict[str, Any]]:
    """At most three answers: the recommended one, the next best by net, and the one that leaves things as they are."""
    if len(choices) <= BESIDE:
        return choices
    nothing = next((o for o in choices if leaves_it(o)), None)
    best = sorted(choices, key=lambda o: (o is not taken, -_amount(o, "net"), o["option"]))
    chosen = [o for o in best if o is not nothing or o is taken][:BESIDE - (nothing is not None and nothing is not taken)]
    return [o for o in choices if o in chosen or o is nothing]


def _consequences(choices: list[dict[str, Any]], taken: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    """The options as columns, what follows from each as rows, in one unit; a row nobody has a value for is left out.

    The margin at stake is the same for every option, so it stands in the note that says how the net comes about.
    """
    shown = _beside(choices, taken)
    scale = Scale.of([choice[c] for choice in shown for c in (*OPTION_ROWS, "stock") if c in choice])
    of = "stock" if kind == "excess" else kind if kind == "obsolete" else "won" if kind in WON else "sales"
    rows = [{"label": message(f"front.option.{c}.{of}", {}), "cells": [_cell(choice[c], scale.show(choice[c], signed=c == "net")) for choice in shown]}
            for c in OPTION_ROWS if f"front.option.{c}.{of}" in words.MESSAGES and (c != "keeps" or any(_amount(choice, c) for choice in shown))] if shown else []
    if any(not words.is_missing(choice["service"]) for choice in shown):
        rows.append({"label": message("front.option.service", {}), "cells": [_cell(choice["service"], words.show(choice["service"], ".1%")) for choice in shown]})
    rows += _moved("stock", shown, lambda value: scale.show(value, signed=True)) + _moved("people", shown, lambda value: words.show(value, "+,.1f"))
    heads = [{"letter": o["option"], "title": told(o["title"], o["values"]), "short": _short(o), "taken": o is taken, "nothing": leaves_it(o) and o is not taken} for o in shown]
    left = [o["option"] for o in choices if o not in shown]
    gains = {round(_amount(o, "gains"), 2) for o in shown}
    note = f"front.option.note.{of}" if shown and kind and (of != "sales" or len(gains) == 1) else ""
    return {"options": heads, "rows": rows, "unit": scale.label,
            "note": message(note, {"gains": scale.show(shown[0]["gains"])}) if note else words.plain(""),
            "more": message("front.option.more.one" if len(left) == 1 else "front.option.more", {"options": ", ".join(left)}) if left else words.plain("")}


def _short(option: dict[str, Any]) -> words.Sentence:
    """An answer in two or three words, for the head of its column; the whole of it where no short name is known."""
    name = f"choices.short.{str(option['title']).split('.', 1)[-1]}"
    return told(name if name in words.MESSAGES else option["title"], option["values"])


def _cell(value: object, text: str) -> str:
    """What is not known is said: a dash could be read as nothing."""
    return message("front.option.unknown", {}).text if words.is_missing(value) else text


def _moved(name: str, shown: list[dict[str, Any]], as_text: Callable[[Any], str]) -> list[dict[str, Any]]:
    """A row for stock or people where an answer moves them; no row where none does, or nobody knows."""
    values = [choice.get(name) for choice in shown]
    if not any(not words.is_missing(value) and round(float(value), 2) for value in values):  # type: ignore[arg-type]
        return []
    none = message("front.option.unchanged", {}).text
    return [{"label": message(f"front.option.{name}", {}), "cells": [_cell(v, none if not words.is_missing(v) and not round(float(v), 2) else as_text(v)) for v in values]}]  # type: ignore[arg-type]


# --- what is behind it ----------------------------------------------------------------------------------------------

def _cause(ground: Ground, exception: str | None, causes: pd.DataFrame | None) -> dict[str, Any]:
    """What the headline needs of the exceptions behind a decision; empty where there is none.

    returns  kind (with `.many` for a group, see `headline`), what, when, units, n (items), twice (money counted elsewhere),
             largest (a sentence; empty for one exception)
    """
    if causes is None or not exception:
        return {}
    found = causes[group_of(causes) == exception]
    if found.empty:
        return {}
    row = rows_of(found.assign(size=found["amount"].abs()).sort_values(["size", "id"], ascending=[False, True], kind="stable"))[0]
    place = ground.place(row["location"])
    name = ground.item_name(row["item"]) or row["resource"] or row["id"]
    several = found["item"].nunique() > 1
    what = group_name(found) if several else f"{name}, {place}," if place and len(found) == 1 else name
    twice = 0.0 if "overlap" not in found else float(found["overlap"].fillna(0.0).sum())
    said = {"name": f"{name}, {place}" if place else name, "amount": about(abs(row["amount"])), "of": about(float(found["amount"].abs().sum())),
            "units": row["units"]}
    return {"kind": row["kind"], "many": several, "what": what, "when": _when(found["first"].min(), found["last"].max(), ground), "units": float(found["units"].sum()),
            "n": int(found["item"].nunique()), "twice": twice, "largest": message("front.group.largest", said) if several else words.plain("")}


def _when(first: object, last: object, ground: Ground) -> str:
    span = span_text(first, None, "month") or ground.window_text  # the month it begins says enough in one sentence
    one = not words.is_missing(first) and (words.is_missing(last) or first == last)
    return message("front.when.month" if one else "front.when.span", {"span": span}).text


