"""What if? Scenarios computed by the same functions as the supply plan, side by side, with the difference in parts that add up.

    tables = scenarios.tables(c.optional)                              what the supply notebook reads
    found  = scenarios.run(asked, tables, rules, as_of=c.as_of)        up to five, beside the plan as it is
    found.measures, found.parts, found.changes, found.left_out

The chain: change → policy → netting → projection → load → plan within the hours → people (the cheapest aggregate plan) → money.

    result = margin planned − sales lost − waiting − people beyond wages − keeping stock

is the yardstick of the difference, and each of its terms is a part. Margin is at unit cost, which holds the wages of a unit
made in regular time; so of people only what they cost beyond that counts. What waits costs a share of its margin a month.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd

from sopnb import capacity, constrained, cures, deliverable, inventory, netting, scenarios_change, what_if
from sopnb.problems import Problem, Problems, nearest
from sopnb.scenarios_measures import PARTS, measured, money_of, split, with_ahead
from sopnb.scenarios_people import fewer, optimum
from sopnb.scenarios_read import Change, Scenario, change, read, scenario, wrong

__all__ = ["PARTS", "Change", "Evaluated", "Found", "Scenario", "Tables", "change", "chosen", "evaluate", "read", "run", "scenario", "tables"]

BASE = "base"
EXACT = 3  # changes up to which each gets its mean over all orders (Shapley); more are taken in the order they stand


@dataclass(frozen=True)
class Tables:
    """What a plan of supply is made from. `hours` are those of resources whose capacity can be believed."""

    plan: pd.DataFrame
    items: pd.DataFrame
    stock: pd.DataFrame | None = None
    receipts: pd.DataFrame | None = None
    lanes: pd.DataFrame | None = None
    bom: pd.DataFrame | None = None
    routings: pd.DataFrame | None = None
    hours: pd.DataFrame | None = None
    workforce: pd.DataFrame | None = None
    tested: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    segments: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    purchases: pd.DataFrame | None = None


@dataclass(frozen=True)
class Evaluated:
    """One plan of supply: its tables, as the supply notebook makes them, and its measures."""

    tables: Tables
    rules: Any
    policy: pd.DataFrame
    netted: Any
    proposed: pd.DataFrame | None
    projection: pd.DataFrame | None
    load: pd.DataFrame | None
    within: Any
    people: pd.DataFrame | None
    missing: pd.DataFrame
    measures: dict[str, Any]
    money: dict[str, float]
    solved: dict[Any, pd.DataFrame] = field(default_factory=dict, repr=False)


class Found(NamedTuple):
    """What `run` returns.

    measures   scenario   the measures of `scenarios_measures.measured`, result (money); the plan as it is first, named base
    parts      scenario × part   amount (money); they add up to the scenario's result minus that of the base
    changes    scenario × position   amount (money) of each change; they add up to the same
    left_out   scenario   because: what stands in its way, one line for each problem
    plans      scenario: Evaluated
    """

    measures: pd.DataFrame
    parts: pd.DataFrame
    changes: pd.DataFrame
    left_out: pd.DataFrame
    plans: dict[str, Evaluated]


def tables(read_table: Callable[[str], pd.DataFrame | None], *, as_of: Any) -> Tables:
    """The tables of a cycle, as the supply notebook takes them.

    read_table   gives a table by name, None where it is absent: Cycle.optional
    raises       ValueError where there is no plan
    """
    names = ("plan", "items", "stock", "receipts", "lanes", "bom", "routings", "capacity", "workforce", "tested", "scores", "segments", "events", "purchases", "history")
    found: dict[str, Any] = {name: read_table(name) for name in names}
    if found["plan"] is None or found["items"] is None or found["plan"].empty:
        raise ValueError("scenarios need a plan: there is none in this cycle")
    hours, past = found.pop("capacity"), found.pop("history")
    if hours is not None and found["routings"] is not None and past is not None:
        doubted = capacity.doubtful(hours, capacity.with_parts(found["routings"], found["bom"], as_of), past, as_of=as_of)
        hours = hours[~hours["resource"].isin(doubted["resource"])]
    together = inventory.together(found["plan"], found["stock"], found["receipts"], tested=found["tested"], scores=found["scores"], segments=found["segments"])
    six = ("plan", "stock", "receipts", "tested", "scores", "segments")
    return Tables(**{**found, **dict(zip(six, together[:6], strict=True)), "hours": hours})


# --- one plan of supply -----------------------------------------------------------------------------------------------

def evaluate(given: Tables, rules: Any, *, as_of: Any, lot_rule: str = "lot_for_lot", expedite: bool = False, pull_forward: bool = False, wait_cost: float = 0.10,
             wages_in_cost: bool = True, base: Evaluated | None = None, made: Mapping[str, Any] | None = None) -> Evaluated:
    """The supply plan of these tables, and what it comes to.

    rules          the supply block of the params file
    as_of          today
    lot_rule, expedite, pull_forward   as in the supply notebook
    wait_cost      of margin, a month that a customer waits
    wages_in_cost  whether unit cost holds the wages of regular time, so that only what people cost beyond them counts
    base           a plan with other tables: what is the same in both is taken over, and capacity below its own limits people
    made           what the supply notebook has made of these very tables, and need not be made again: policy, netted, within
                   (constrained.Constrained), people (AGGREGATE); None: nothing
    returns        Evaluated

    Without any change every table and figure is that of the supply notebook, to the cent.
    """
    made = made or {}
    policy = made["policy"] if "policy" in made else _policy(given, rules, base)
    netted = made["netted"] if "netted" in made else _netted(given, rules, policy, as_of, lot_rule, base)
    proposed, load, asked = _made(given, rules, netted, as_of, pull_forward)
    projection = None
    if netted is not None:
        ordered = pd.concat([proposed, netted.shipments.drop(columns="source_location")], ignore_index=True)
        projection = netting.project(given.stock, given.receipts, ordered, asked, as_of=as_of, policy=policy, expedite=expedite)
    within = made["within"] if "within" in made else _within(given, rules, policy, as_of, wait_cost, base)
    solved: dict[Any, pd.DataFrame] = {} if base is None else base.solved
    people = None if given.workforce is None else optimum(given, policy, rules, solved, fewer(given, None if base is None else base.tables.hours), made.get("people"))
    missing = deliverable.short(given.plan, projection=projection, within=within, bom=given.bom, proposed=proposed)
    path = None if projection is None else with_ahead(netting.at_cost(projection, given.items, given.plan), within, None if base is None else base.within, given.items)
    money = money_of(given.plan, missing, path, people, within, given.workforce, holding_rate=rules.holding_rate, wait_cost=wait_cost, wages_in_cost=wages_in_cost)
    measures = measured(given.plan, missing, path, load, people, projection, money)
    return Evaluated(given, rules, policy, netted, proposed, projection, load, within, people, missing, measures, money, solved)


def _same(base: Evaluated, given: Tables, *names: str) -> bool:
    return all(getattr(base.tables, name) is getattr(given, name) for name in names)


def _policy(given: Tables, rules: Any, base: Evaluated | None) -> pd.DataFrame:
    if base is not None and _same(base, given, "plan", "items", "lanes", "tested", "scores", "segments") and rules is base.rules:
        return base.policy
    return inventory.policy(
        given.plan, given.tested, given.items, service=rules.service, segments=given.segments, scores=given.scores, lanes=given.lanes,
        lead_time_days=rules.lead_time_days, review_days=rules.review_days, review=rules.review, measure=rules.measure, holding_rate=rules.holding_rate,
        order_cost=rules.order_cost, distribution=rules.distribution)


def _netted(given: Tables, rules: Any, policy: pd.DataFrame, as_of: Any, lot_rule: str, base: Evaluated | None) -> Any:
    if given.stock is None:
        return None
    if base is not None and policy is base.policy and _same(base, given, "plan", "items", "stock", "receipts", "lanes", "bom"):
        return base.netted
    return netting.requirements(given.plan, given.stock, given.receipts, given.items, as_of=as_of, lanes=given.lanes, bom=given.bom, policy=policy,
                                lead_time_days=rules.lead_time_days, lot_rule=lot_rule, order_cost=rules.order_cost, holding_rate=rules.holding_rate, uncounted_parts="tell")


def _made(given: Tables, rules: Any, netted: Any, as_of: Any, pull_forward: bool) -> tuple[pd.DataFrame | None, pd.DataFrame | None, pd.DataFrame | None]:
    """The orders, the load they make and all that is asked for; where asked, with orders moved out of months without hours."""
    proposed, asked = (None, None) if netted is None else (netted.proposed, netted.demand)
    if given.routings is None or given.hours is None:
        return proposed, None, asked
    load = _load(given, proposed, as_of)
    if netted is None or not pull_forward:
        return proposed, load, asked
    rates = {"holding_rate": rules.holding_rate, "subcontract_premium": rules.subcontract_premium, "shift_discount": rules.shift_discount}
    earlier = cures.pulled(proposed, cures.moves(load, **rates), given.routings, load=load, as_of=as_of, bom=given.bom)
    return earlier, _load(given, earlier, as_of), cures.pulled_demand(asked, proposed, earlier, given.bom, as_of)


def _load(given: Tables, proposed: pd.DataFrame | None, as_of: Any) -> pd.DataFrame:
    made = capacity.production(given.plan, given.routings, given.items, proposed=proposed, receipts=given.receipts, as_of=as_of)
    return capacity.load(made, given.routings, given.hours, given.items, given.plan, bom=given.bom)


def _within(given: Tables, rules: Any, policy: pd.DataFrame, as_of: Any, wait_cost: float, base: Evaluated | None) -> Any:
    """The plan within the hours; that of the base where nothing it rests on differs."""
    if given.routings is None or given.hours is None:
        return None
    if base is not None and policy is base.policy and rules is base.rules and _same(base, given, "plan", "items", "stock", "receipts", "routings", "hours", "bom"):
        return base.within
    return constrained.plan_hours(given.plan, capacity.with_parts(given.routings, given.bom, as_of), given.hours, given.items, stock=given.stock, receipts=given.receipts,
                                  policy=policy, wait_cost=wait_cost, holding_rate=rules.holding_rate, as_of=as_of)


# --- scenarios side by side -------------------------------------------------------------------------------------------

def chosen(asked: Iterable[Scenario], only: Iterable[str] = ()) -> list[Scenario]:
    """The scenarios named in `only`, or all.

    raises   Problems: a name that is not there (with the nearest), one given twice, more than five
    """
    every, wanted = list(asked), list(only)
    names = [one.name for one in every]
    found = [Problem("scenarios", f"no scenario is called {name}", ", ".join(names), nearest(name, names)) for name in wanted if name not in names]
    found += [Problem("scenarios", f"{name} stands twice", remedy="Give each scenario a name of its own") for name in sorted({n for n in names if names.count(n) > 1} | ({BASE} & set(names)))]
    kept = [one for one in every if one.name in wanted] if wanted else every
    if len(kept) > what_if.MOST:
        found.append(Problem("scenarios", f"{len(kept)} are asked for", f"at most {what_if.MOST} on one page", "Name those to compare, as `--only NAME`"))
    if found:
        raise Problems(found)
    return kept


def run(asked: Iterable[Scenario], given: Tables, rules: Any, *, as_of: Any, made: Mapping[str, Any] | None = None, base: Evaluated | None = None, **settings: Any) -> Found:
    """Up to five scenarios beside the plan as it is.

    asked      scenarios; what one names and the tables do not have leaves it out, the others are computed
    made, settings   of `evaluate`; made is the base's
    base     the plan of these very tables, where it is computed already; None: it is made
    returns    Found
    raises     Problems, see `chosen`

    A scenario of several changes: each change gets the mean of what it does over all orders in which they could come (Shapley, so that no
    order is favoured), for up to three changes; with more of them, what it does after those before it. Either way they add up.
    """
    wanted = chosen(asked)
    base = base or evaluate(_slim(given), rules, as_of=as_of, made=made, **settings)
    slim = base.tables
    plans, parts, changes, left_out = {BASE: base}, [], [], []
    for one in wanted:
        problems = wrong(one, slim, rules)
        if problems:
            left_out.append({"scenario": one.name, "because": "\n".join(map(str, problems))})
            continue
        results = _Results(one, base, {"as_of": as_of, **settings})
        plans[one.name] = results.of(frozenset(range(len(one.changes))))
        parts += [{"scenario": one.name, "part": part, "amount": amount} for part, amount in split(base, plans[one.name]).items()]
        changes += [{"scenario": one.name, "position": place, "change": one.changes[place].kind, "said": one.changes[place].said, "amount": amount}
                    for place, amount in enumerate(shared(results.worth, len(one.changes)))]
    measures = pd.DataFrame([{"scenario": name, **plan.measures} for name, plan in plans.items()])
    measures["difference"] = measures["result"] - base.measures["result"]
    return Found(measures, pd.DataFrame(parts, columns=["scenario", "part", "amount"]), pd.DataFrame(changes, columns=["scenario", "position", "change", "said", "amount"]),
                 pd.DataFrame(left_out, columns=["scenario", "because"]), plans)


def _slim(given: Tables) -> Tables:
    """Of the backtest the errors of the models chosen: the others are not looked at again."""
    return given if given.tested is None or given.scores is None else replace(given, tested=inventory.errors_of_choice(given.tested, given.scores))


class _Results:
    """What any of a scenario's changes come to together, each computed once."""

    def __init__(self, one: Scenario, base: Evaluated, settings: dict[str, Any]):
        self.one, self.base, self.settings = one, base, settings
        self.known: dict[frozenset[int], Evaluated] = {frozenset(): base}

    def of(self, places: frozenset[int]) -> Evaluated:
        if places not in self.known:
            changed, rules = self.base.tables, self.base.rules
            for place in sorted(places):
                changed, rules = scenarios_change.apply(self.one.changes[place], changed, rules)
            self.known[places] = evaluate(changed, rules, base=self.base, **self.settings)
        return self.known[places]

    def worth(self, places: frozenset[int]) -> float:
        return self.of(places).measures["result"] - self.base.measures["result"]


def shared(worth: Callable[[frozenset[int]], float], count: int) -> list[float]:
    """What each of `count` changes adds, so that they add up to worth(all): Shapley's mean over all orders up to three of them, else in order.

    source   Shapley (1953), A value for n-person games

    >>> gloves = lambda held: 1.0 if 0 in held and (1 in held or 2 in held) else 0.0
    >>> [round(value, 4) for value in shared(gloves, 3)]
    [0.6667, 0.1667, 0.1667]
    """
    everyone = range(count)
    if count > EXACT:
        return [worth(frozenset(range(place + 1))) - worth(frozenset(range(place))) for place in everyone]
    out = []
    for place in everyone:
        others = [one for one in everyone if one != place]
        total = 0.0
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for before in itertools.combinations(others, size):
                total += weight * (worth(frozenset((*before, place))) - worth(frozenset(before)))
        out.append(total)
    return out
