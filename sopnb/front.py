"""The report of a cycle: what a general manager reads, made from saved tables only; `onepage` makes one sheet of the same facts.

`facts` computes the page as plain values and sentences; `render` puts them into template/front.html.j2; the mail is
made from the same facts. The order is headline, asks, evidence: who stops after the large sentences has the meeting.
A block whose tables are absent says so in one line; nothing on the page is typed in.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb import frames, front_decisions, front_headline, front_plan, front_review, front_supply, report, words
from sopnb.front_ground import Ground, about, held
from sopnb.words import Sentence, message

Facts = dict[str, Any]


def facts(tables: dict[str, pd.DataFrame], past: dict[str, pd.DataFrame], *, header: dict[str, Any], links: list[dict[str, Any]],
          window: int = 6, assumptions: list[dict[str, Any]] | None = None, scorecard: list[str] | None = None,
          book: dict[str, dict[str, Any]] | None = None, exceptions: int = 10, locations: dict[str, str] | None = None) -> Facts:
    """All that stands on the front page.

    tables       saved tables of the cycle by name; any may be absent
    past         tables of earlier cycles by name, with the month of their cycle in `cycle`: kpis, plan
    header       see `report`
    links        pages of the steps in order: {title, href}; "" where a page is not made
    window       months of the plan that the page is about, from the cycle month on; the months in which exceptions were
                 looked for (supply.exception_months), so that plan, exceptions, options and decisions speak of the same
    assumptions  {text, if_not, amount, owner}: what is said where the tables have no log of them
    scorecard    KPIs to show; None: the eight that matter most of those measured
    book         what each KPI is: {name, measure, unit, better, digits}; None: the KPI book
    exceptions   how many of them are listed
    locations    location: name; one without a name stands as it is
    """
    shown = report.heading(header)
    ground = Ground(tables, past, cycle=frames.month(str(header["cycle"])), window=window, locations=locations or {})
    page: Facts = {
        "header": shown, "links": links, "window": ground.window_text, "as_of": pd.Timestamp(header.get("as_of") or ground.cycle),
        "totals": front_plan.totals(ground), "outlook": front_plan.outlook(ground),
        "scorecard": front_review.scorecard(ground, chosen=scorecard, book=book),
        "changes": front_plan.changes(ground), "chart": front_plan.demand_chart(ground), "families": front_plan.families(ground),
        "exceptions": front_supply.exceptions(ground, top=exceptions), "decisions": front_decisions.decisions(ground),
        "capacity": front_supply.capacity(ground), "binds": front_supply.binds(ground),
        "actions": front_review.actions(ground, as_of=pd.Timestamp(header.get("as_of") or ground.cycle)),
        "data": front_review.data(ground, verdict=header.get("verdict") or "green"),
        "assumptions": front_review.assumptions(ground, assumptions or []),
    }
    page["headline"] = headline(page, ground)
    page["lead"] = lead(page)
    page["asks"] = asks(page)
    page["steps"] = steps(page, links)
    return page


# --- the large words ------------------------------------------------------------------------------------------------

def headline(page: Facts, ground: Ground) -> Sentence:
    """The one sentence: the largest decision asked for, else money at risk, else plan against budget, else the change.

    What happened comes first, then the money and the day; see `front_headline`.
    """
    decisions, exceptions, totals = page["decisions"], page["exceptions"], page["totals"]
    if decisions:
        return front_headline.of(decisions["cards"])
    if exceptions and exceptions["total"]:
        short, excess = about(exceptions["short"]), about(exceptions["total"] - exceptions["short"])
        kind = "both" if short and excess else "short" if short else "excess"
        return message(f"front.headline.exceptions.{kind}", {"short": short, "excess": excess, "name": exceptions["largest"]})
    if totals and totals["gap"] is not None and abs(totals["gap"]) >= 0.005 * totals["budget"]:
        return message("front.headline.under" if totals["gap"] < 0 else "front.headline.over",
                       {"gap": abs(totals["gap"]), "share": abs(totals["gap"]) / totals["budget"], "window": page["window"], "plan": totals["plan"]})
    if totals and totals["change"] is not None and abs(totals["change"]) >= 0.0005 * totals["last"] > 0:
        return message("front.headline.rose" if totals["change"] >= 0 else "front.headline.fell",
                       {"plan": totals["plan"], "window": page["window"], "change": abs(totals["change"]), "share": abs(totals["change"]) / totals["last"]})
    if totals:
        return message("front.headline.plan", {"plan": totals["plan"], "window": page["window"], "units": totals["units"]})
    if page["outlook"]:
        return message("front.headline.outlook", {**page["outlook"], "window": page["window"]})
    return message("front.headline.none", {"month": ground.cycle})


def lead(page: Facts) -> list[Sentence]:
    """Two or three sentences under the headline: the plan, against last plan and budget; what is at risk."""
    totals, said = page["totals"], []
    if totals:
        known = [name for name, value in (("change", totals["change"]), ("gap", totals["gap"])) if value is not None]
        if known == ["change", "gap"] and page["decisions"] and front_headline.largest(page["decisions"]["cards"])["kind"] == "budget":
            known = ["change", "budget"]  # the headline says the gap: here is what it is a gap to
        if not known and not page["decisions"] and not (page["exceptions"] and page["exceptions"]["total"]):
            known = ["units"]  # the headline is the plan itself
        said.append(message("front.lead." + ("_".join(known) or "plan"), {
            "window": page["window"], "plan": totals["plan"], "units": totals["units"], "budget": totals["budget"],
            "change": _more(totals["change"]), "gap": _gap(totals["gap"], totals["budget"])}))
    if page["exceptions"] and page["exceptions"]["short"]:
        said.append(_risk(page))
    if totals and not page["changes"]["rows"]:
        said.append(message("front.lead.first", {}))
    return said


def _risk(page: Facts) -> Sentence:
    """Sales at risk, and how much of it the decisions asked for answer: only then does it hang on deciding."""
    short, answered = page["exceptions"]["short"], page["exceptions"]["answered"]
    kind = "" if not page["decisions"] else ".none" if not about(answered) else ".all" if about(answered) == about(short) else ".part"
    return message(f"front.lead.risk{kind}", {"amount": about(short), "answered": about(answered)})


def _more(change: float | None) -> str:
    if change is None:
        return ""
    return message("front.more" if change >= 0 else "front.less", {"amount": about(abs(change))}).text


def _gap(gap: float | None, budget: float | None) -> str:
    if gap is None or not budget:
        return ""
    return message("front.over_budget" if gap >= 0 else "front.under_budget", {"amount": abs(gap), "share": abs(gap) / budget}).text


def asks(page: Facts) -> list[dict[str, Any]]:
    """The decisions in a line each, under the headline: at most six, the rest by the section's link."""
    if not page["decisions"]:
        return []
    return [{"href": f"#{card['id']}", "title": card["question"], "line": card["line"]} for card in page["decisions"]["cards"][:6]]


def steps(page: Facts, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The six steps with the question each answers and this cycle's answer."""
    out = []
    for number, link in enumerate((x for x in links if x.get("href", "") != "index.html"), start=1):
        key = f"{number:02d}"
        out.append({"number": key, "title": link["title"].removeprefix(key).strip(), "href": link.get("href", ""),
                    "question": message(f"front.step.{key}", {}), "answer": _answer(key, page)})
    return out


def _answer(step: str, page: Facts) -> Sentence:
    totals, none = page["totals"], message("front.answer.none", {})
    if step == "01":
        return page["data"]["answer"]
    if step == "02" and totals:
        name = "02" if totals["change_units"] is None else "02.change"
        return message(f"front.answer.{name}", {"units": totals["units"], "window": page["window"], "share": totals["share_units"]})
    if step == "02" and page["outlook"]:
        return message("front.answer.02.outlook", page["outlook"])
    if step == "03" and page["exceptions"]:
        return _supplied(page["exceptions"])
    if step == "04" and page["scorecard"]:
        return page["scorecard"]["answer"]
    if step == "05":
        n = len(page["decisions"]["cards"]) if page["decisions"] else 0
        return message("front.answer.05" if n > 1 else "front.answer.05.one" if n else "front.answer.05.none", {"n": n})
    if step == "06":
        return message("front.answer.06", {})
    return none


def _supplied(exceptions: Facts) -> Sentence:
    """Shortages, overloads and late orders are why it cannot be made; stock that is too much is not."""
    n = exceptions["losing"]
    kind = "" if n > 1 else ".one" if n else ".stock" if exceptions["count"] else ".calm"
    return message(f"front.answer.03{kind}", {"n": n, "amount": about(exceptions["short"] + exceptions["late"] if n else exceptions["stock"])})


# --- the page -------------------------------------------------------------------------------------------------------

def render(page: Facts) -> str:
    """The facts as one self-contained HTML page."""
    from markupsafe import Markup

    from sopnb import templates

    environment = templates.environment(report.TEMPLATES)
    environment.filters["h"] = lambda said: Markup(held(said.html)) if isinstance(said, Sentence) else said
    environment.globals.update(t=report.t, status=report.status, css=report.css("page", "front"), show=words.show,
                               title=f"{page['header']['company']}: {message('front.title', {'month': frames.month(str(page['header']['cycle']))}).text}")
    return environment.get_template("front.html.j2").render(**page)
