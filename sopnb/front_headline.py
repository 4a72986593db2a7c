"""The one large sentence of a decision: what happened, how much hangs on it, and by which day somebody must decide.

Each kind of decision has its own sentence, so that cause, money and day stand once each and a phone shows it in three lines.
The question itself is asked below, on the decision's card.
"""

from __future__ import annotations

from typing import Any

from sopnb import words
from sopnb.front_ground import about
from sopnb.words import Sentence, message

Card = dict[str, Any]


def largest(cards: list[Card]) -> Card:
    """The decision with most money, which the headline is about."""
    return max(cards, key=lambda card: abs(card["amount"]))


def of(cards: list[Card]) -> Sentence:
    """The headline of the decisions asked for."""
    card = largest(cards)
    values = {**card["told"], **card["cause"], "amount": about(abs(card["amount"])), "by": card["by"], "question": card["question"].text, "n": len(cards)}
    return message(f"front.headline.{_form(card, values)}", values)


def _form(card: Card, values: dict[str, Any]) -> str:
    """Which sentence: the kind of decision, and the form of it that its numbers allow."""
    kind = card["kind"] + (".many" if values.get("many") else "")
    if kind == "hiring" and "hires" in values:
        return "hiring" + (".one" if values["hires"] == 1 else "") + ("" if values["amount"] else ".later")
    if not values["amount"]:
        return "question"
    if kind == "budget" and "family_amount" in values:
        same = words.show(about(values["family_amount"]), "money") == words.show(values["amount"], "money")
        return "budget.family" if same else "budget"  # an amount that stands twice says nothing the second time
    known = card["cause"] and f"front.headline.{kind}" in words.MESSAGES
    return kind if known else "asked" if values["n"] > 1 else "asked.one"
