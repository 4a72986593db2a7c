"""The pictures a pack mail shows: demand, plan and budget; a line for each measure; load of the fullest resources.

Drawn once for a cycle, and twice each: for a page of 592 pixels and for a phone, since words of the one are too small on the
other. They are opaque, so that they read on a dark ground; what they say stands in words beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sopnb.letters import Picture
from sopnb.words import Sentence

WIDE, PHONE, CELL = 592, 328, 264  # pixels
CARDS = 4  # measures with a picture
ACROSS = {True: 3, False: 2}  # resources side by side, on a page and on a phone
TIGHT = 0.9  # share of its hours from which a resource is worth a picture
FIRST = {"off": 0, "watch": 1, "on": 2}


@dataclass(frozen=True)
class Figure:
    """A chart in its two sizes, with what stands above and below it."""

    title: Sentence
    sub: Sentence
    source: Sentence
    wide: Picture
    phone: Picture


@dataclass(frozen=True)
class Pictures:
    """plan and load may be missing, load where all resources have room; `lines` has a picture for each KPI shown with one."""

    plan: Figure | None = None
    load: Figure | None = None
    lines: dict[str, Picture] = field(default_factory=dict)

    def all(self) -> list[Picture]:
        figures = [one for one in (self.plan, self.load) if one]
        return [*self.lines.values(), *(picture for one in figures for picture in (one.wide, one.phone))]


def of(page: dict[str, Any]) -> Pictures:
    """The pictures of a cycle, from the front page's facts."""
    return Pictures(_figure("plan", page["chart"]), _load(page.get("capacity")), _lines(page.get("scorecard")))


def cards(scorecard: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The measures shown large, those off target first, and the others: each keeps its place among its like."""
    ranked = sorted(scorecard["cards"], key=lambda card: FIRST.get(card["state"], 3))
    large = {id(card) for card in ranked[:CARDS]}
    return [card for card in ranked if id(card) in large], [card for card in scorecard["cards"] if id(card) not in large]


def _lines(scorecard: dict[str, Any] | None) -> dict[str, Picture]:
    if not scorecard:
        return {}
    from sopnb.charts_small import spark_png  # brings matplotlib: only where something is drawn

    drawn = {}
    for card in cards(scorecard)[0]:
        trend = card.get("trend")
        png = spark_png(trend["values"], target=trend["target"], last_year=trend["last_year"], width=CELL) if trend else b""
        if trend and png:
            drawn[card["kpi"]] = Picture(f"line-{card['kpi'].replace('_', '-')}", png, f"{card['name']}. {trend['desc']}.", CELL)
    return drawn


def _load(capacity: dict[str, Any] | None) -> Figure | None:
    if not capacity or not (capacity["load"]["hours"] > TIGHT * capacity["load"]["available"]).any():
        return None
    from sopnb import charts

    n = capacity["load"]["resource"].nunique()
    wide, phone = (charts.load(capacity["load"], top=top, name="mail-load", title=capacity["finding"], subtitle=capacity["sub"])
                   for top in (ACROSS[True], ACROSS[False] * (2 if n >= 2 * ACROSS[False] else 1)))
    return _figure("load", wide, phone)


def _figure(name: str, chart: Any, phone: Any = None) -> Figure | None:
    """A chart's drawing in both sizes; `phone` where a phone gets another one.

    The title stands beside the picture, so the words for those who do not see it leave the title out.
    """
    if chart is None or chart.painter is None:
        return None

    def picture(drawn: Any, label: str, width: int) -> Picture:
        said = drawn.alt.removeprefix(f"{drawn.title.text.rstrip('.')}.").strip()
        return Picture(f"{name}-{label}", drawn.png(wide=label == "wide", width=width), said, width)

    return Figure(chart.title, chart.subtitle, chart.source, picture(chart, "wide", WIDE), picture(phone or chart, "phone", PHONE))
