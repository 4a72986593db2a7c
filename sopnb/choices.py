"""Decisions framed: the answers to each question side by side, with what follows in money, service, stock and people.

Answers to exceptions come with their money from the step of supply; here they get what they do to stock and people. Hires
and the gap to budget are answered here. Leaving things as they are is always one of the answers: it is the measure. What
is not known is missing in the table, never zero; the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import frames
from sopnb.asked import as_json, hired_until, iso, needed, total

# Answers that leave things as they are; those of supply, and those made here.
NOTHING = ("ration", "ration_loss", "wait", "wait_loss", "carry", "keep", "nothing", "no_hire", "no_change")
UNKNOWN = float("nan")
MONEY = ("keeps", "gains", "costs", "net")
COMPARED = ("keeps", "costs", "net", "service", "stock", "people")  # what a reader sees of an answer
FEW = 3  # answers; of two, one that leaves things as they are is the only measure of the other


def choices(
    asked: pd.DataFrame,
    options: pd.DataFrame | None = None,
    *,
    load: pd.DataFrame | None = None,
    hiring: pd.DataFrame | None = None,
    hiring_until: Any = None,
    rep_cost: float | None = None,
    closing: pd.DataFrame | None = None,
    plan: pd.DataFrame | None = None,
    locations: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The answers to the decisions asked for.

    asked     frames.ASKED
    options   frames.OPTIONS, `exception` being the group
    load      resource × month   hours, goods (money at cost): what an hour makes, for what is made earlier
    hiring    frames.HIRING;  hiring_until: as in `asked`
    rep_cost  money a month that a rep costs; None: not known
    closing   kind, name, owner, amount (money), care, values: named actions, see closing.actions; None: not looked for
    plan      item × location × month   revenue, margin: what a sale brings; None: not known
    locations location: name
    returns   frames.CHOICES, lettered as the options are; of each decision one is recommended, with its reason. These are the
              answers that every page, form and mail shows: `distinct` has left out what says the same twice

    hires     now; at the next meeting, so that they start a month later; not. Sales that the plan asks for and the reps
              of today cannot sell, in the months of the question
    budget    start the named actions that are new money (else those that may be counted already), and accept the rest;
              accept the plan as the new forecast; leave both as they are
    """
    share = _margin_share(plan)
    rows: list[dict[str, Any]] = []
    for one in asked.sort_values("position", kind="stable").to_dict("records"):
        if one["kind"] == "hiring":
            found = _hiring(one, hiring, hiring_until, rep_cost, share)
        elif one["kind"] == "budget":
            found = _budget(one, closing, share)
        else:
            found = _of_supply(one, options, load, locations or {})
        rows += [{**_BLANK, **row, "decision": one["decision"]} for row in distinct(found)]
    return frames.conform(pd.DataFrame(rows)[frames.CHOICES.names], frames.CHOICES) if rows else frames.empty(frames.CHOICES)


def recommended(asked: pd.DataFrame, choices: pd.DataFrame) -> pd.DataFrame:
    """The questions with the answer that is recommended, for those that supply does not answer too."""
    best = choices[choices["recommended"]].drop_duplicates("decision").set_index("decision")["option"]
    return asked.assign(recommended=asked["decision"].map(best).astype(object).where(asked["decision"].isin(best.index), None))


def distinct(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the answer that leaves things as they are where another one brings the same in every figure: that one is it.

    answers   option, title, recommended, keeps, costs, net, service, stock, people, nothing; what is not there is not known

        option  title       net   nothing          option  title       net   nothing
        A       close       5.0                    A       close       5.0
        B       reforecast  0.0              →     B       reforecast  0.0   yes
        C       no_change   0.0   yes
    """
    nothing = next((one for one in answers if leaves_it(one) and not one.get("recommended")), None)
    if nothing is None or len(answers) < FEW or all(_unknown(nothing.get(name)) for name in COMPARED):
        return answers
    alike = next((one for one in answers if not leaves_it(one) and all(_same(one.get(name), nothing.get(name)) for name in COMPARED)), None)
    if alike is None:
        return answers
    return [{**one, "nothing": True} if one is alike and not one.get("recommended") else one for one in answers if one is not nothing]


def leaves_it(answer: Mapping[str, Any]) -> bool:
    """Whether an answer leaves things as they are."""
    return bool(answer.get("nothing")) or _plain(str(answer["title"])) in NOTHING


def _unknown(value: Any) -> bool:
    return bool(pd.isna(value))


def _same(one: object, other: object) -> bool:
    return (_unknown(one) and _unknown(other)) or one == other


_BLANK: dict[str, Any] = {**dict.fromkeys((*MONEY, "service", "stock", "people"), UNKNOWN), "recommended": False, "nothing": False, "reason": None, "reason_values": "{}", "values": "{}"}


def _margin_share(plan: pd.DataFrame | None) -> float:
    """What of a sale is margin; missing where nothing is planned."""
    revenue = 0.0 if plan is None else total(plan["revenue"])
    return total(plan["margin"]) / revenue if plan is not None and revenue > 0 else UNKNOWN


# --- exceptions -----------------------------------------------------------------------------------------------------

def _of_supply(one: Mapping[Any, Any], options: pd.DataFrame | None, load: pd.DataFrame | None, locations: Mapping[str, str]) -> list[dict[str, Any]]:
    """The answers of supply, with stock and people; leaving it as it is among them."""
    if options is None:
        return []
    mine = options[options["exception"] == one["exception"]].sort_values("option", kind="stable").to_dict("records")
    names = ("option", "title", "values", *MONEY, "service", "recommended")
    rows = [{**{name: row[name] for name in names}, "values": _placed(row["values"], locations), "nothing": _plain(row["title"]) in NOTHING, "stock": _stock(one, row, load),
             "people": 0.0 if one["kind"] == "overload" else UNKNOWN} for row in mine]  # its cures are hours of others, of other months, or none: nobody is hired
    if rows and not any(row["nothing"] for row in rows):
        rows.append({"option": _letter(len(rows)), "title": "choices.nothing", "nothing": True, "recommended": False})
    return [{**row, **_why(one, row, rows)} for row in rows]


def _placed(values: str, locations: Mapping[str, str]) -> str:
    """A place that goods come from, by its name."""
    told = json.loads(values)
    return as_json({**told, "source": locations.get(told["source"], told["source"])}) if told.get("source") else values


def _plain(title: str) -> str:
    return str(title).split(".", 1)[-1]


def _stock(one: Mapping[Any, Any], row: Mapping[Any, Any], load: pd.DataFrame | None) -> float:
    """Money by which stock changes: built ahead, or sold, stopped and written off."""
    told, way = json.loads(row["values"]), _plain(row["title"]).removesuffix("_listed").removesuffix("_loss")
    if one["kind"] == "overload":
        ahead = told.get("pull_forward", 0.0) if way == "mix" else told.get("hours", 0.0) if way == "pull_forward" else 0.0
        return ahead * _hour_cost(one, load) if ahead else 0.0
    if one["kind"] in ("excess", "obsolete"):
        units = json.loads(one["values"]).get("units") or 0.0
        part = min(told.get("units", 0.0) / units, 1.0) if units else UNKNOWN
        return 0.0 if way in ("carry", "keep") else -part * float(one["amount"])
    return 0.0 if way in ("expedite", "transfer", "wait") else UNKNOWN  # served at once, or only moved


def _hour_cost(one: Mapping[Any, Any], load: pd.DataFrame | None) -> float:
    """What the goods of an hour cost, on average over the months of the question."""
    told = json.loads(one["values"])
    if load is None:
        return UNKNOWN
    mine = load[(load["resource"] == told["what"]) & load["month"].between(pd.Timestamp(told["first"]), pd.Timestamp(told["last"]))]
    hours = total(mine["hours"])
    return total(mine["goods"]) / hours if hours > 0 else UNKNOWN


def _why(one: Mapping[Any, Any], row: Mapping[Any, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Why the recommended one: how far its net lies above the next best."""
    others = [other for other in rows if other is not row and not pd.isna(other.get("net", UNKNOWN))]
    if not row["recommended"] or not others:
        return {}
    second = max(others, key=lambda other: other["net"])
    kind = "stock" if one["kind"] in ("excess", "obsolete") else "sales"
    return {"reason": f"choices.reason_{kind}", "reason_values": as_json({"net": row["net"], "costs": row["costs"], "more": row["net"] - second["net"], "second": second["option"]})}


# --- hires ----------------------------------------------------------------------------------------------------------

def _hiring(one: Mapping[Any, Any], hiring: pd.DataFrame | None, until: Any, rep_cost: float | None, share: float) -> list[dict[str, Any]]:
    """Now, a month later, or not: sales that the plan asks for and nobody else can sell, to the last month of the question."""
    if hiring is None:
        return []
    told = json.loads(one["values"])
    first, last = pd.Timestamp(told["first"]), hired_until(hiring, until)
    by_month = hiring.set_index("month").sort_index()
    later = by_month.assign(hired=by_month["capacity"] + (by_month["hired"] - by_month["capacity"]).shift(1, fill_value=0.0))  # one curve, begun a month later
    leave = float(by_month.loc[last, "reps"] - by_month["reps"].iloc[0])
    after = by_month[by_month.index > last]
    missed = total((after["target"] - after["capacity"]).clip(lower=0.0)) if "target" in after else 0.0

    def answer(option: str, way: str, sold: float, hires: int, start: Any, months: int, **more: Any) -> dict[str, Any]:
        gains, costs = sold * share, 0.0 if not hires else UNKNOWN if rep_cost is None else hires * rep_cost * months
        values = {"hires": hires, "first": iso(start), "last": iso(last), "amount": sold, "leave": -leave}
        return {"option": option, "title": f"choices.{way}", "values": as_json(values), "keeps": sold, "gains": gains, "costs": costs, "net": gains - costs,
                "people": hires + leave, **more}

    span, n = frames.months_between(first, last) + 1, int(told["hires"])
    now, then = (_sold(table.reset_index(), first, last) for table in (by_month, later))
    why = {"lost": now - then, "first": iso(first), "last": iso(last), "missed": missed, "after": iso(frames.next_month(last)), "end": iso(by_month.index[-1])}
    reason = {"recommended": True, "reason": "choices.reason_hire" + ("_later" if now - then <= 0 else "" if missed > 0 else "_now"), "reason_values": as_json(why)}
    return [answer("A", "hire_now", now, n, first, span, **reason), answer("B", "hire_later", then, n, frames.next_month(first), max(span - 1, 0)),
            answer("C", "no_hire", 0.0, 0, first, 0, nothing=True)]


def _sold(hiring: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> float:
    months = needed(hiring)
    return total(months[(months.index >= first) & (months.index <= last)])


# --- budget ---------------------------------------------------------------------------------------------------------

def _budget(one: Mapping[Any, Any], closing: pd.DataFrame | None, share: float) -> list[dict[str, Any]]:
    """Named actions, a new forecast, or neither. What the actions cost is not known; the plan itself stays as it is."""
    short = float(one["amount"])
    named = pd.DataFrame(columns=["care", "amount"]) if closing is None else closing
    lines = named[named["care"] == "new"]
    sure = len(lines) > 0
    lines = lines if sure else named[named["care"].isin(["runrate", "opinion"])]
    found: list[dict[str, Any]] = []
    won = min(total(lines["amount"]), short)
    if won > 0:
        top = lines.sort_values(["amount", "name"], ascending=[False, True], kind="stable").to_dict("records")[0]
        values = {"n": len(lines), "amount": total(lines["amount"]), "rest": short - won}
        why = {"share": won / short, "rest": short - won, "largest": float(top["amount"]), **_named(top)}
        reason = {"recommended": True, "reason": f"choices.reason_close_{top['kind']}", "reason_values": as_json(why)} if sure else {}
        found.append({"title": "choices.close" + ("" if sure else "_doubtful"), "values": as_json(values), "keeps": won, "gains": won * share, **reason})
    told = as_json({"amount": short, "last": json.loads(one["values"])["last"]})
    as_planned = {"values": told, "keeps": 0.0, "gains": 0.0, "costs": 0.0, "net": 0.0, "stock": 0.0, "people": 0.0}
    reason = {} if sure else {"recommended": True, "reason": "choices.reason_reforecast", "reason_values": told}
    found += [{"title": "choices.reforecast", **as_planned, **reason}, {"title": "choices.no_change", **as_planned, "nothing": True}]
    return [{"option": _letter(i), **row} for i, row in enumerate(found)]


def _named(line: Mapping[Any, Any]) -> dict[str, Any]:
    """What a named action is called: an account and its family, or a promotion."""
    told = line["values"] if isinstance(line["values"], Mapping) else {}
    return {"name": str(told.get("account") or told.get("event") or line["name"]), "family": str(told.get("family") or "")}


def _letter(i: int) -> str:
    return chr(ord("A") + i)
