"""The decisions asked for: which questions the meeting must answer, by when, and who may answer each.

A question comes from a group of exceptions, from hires that cannot wait for the next meeting, or from a gap to the budget.
Its answers are made in `choices`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sopnb import calendar, frames

ALIKE = {"obsolete": "excess", "late": "short"}  # who decides on the one decides on the other, unless said
SELLING = ("short", "overload")  # kinds that lose sales: what reps cannot sell either is the same money
NOTICE_DAYS = 30  # a decision is due this long before the month it is about, and not before the meeting
Entitled = Mapping[str, str | Sequence[str]]


def asked(
    exceptions: pd.DataFrame | None,
    options: pd.DataFrame | None = None,
    *,
    decides: Entitled,
    meeting_day: Any,
    people: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    locations: Mapping[str, str] | None = None,
    gap: pd.DataFrame | None = None,
    gap_share: float = 0.02,
    hiring: pd.DataFrame | None = None,
    hiring_until: Any = None,
    recruiting_months: int = 2,
    least_share: float = 0.02,
    most: int = 5,
    country: str = "none",
) -> pd.DataFrame:
    """The decisions asked for: the largest exceptions that have options, hires that cannot wait for the next meeting,
    and the gap to budget where it is large.

    exceptions   id        kind, item, location, resource, first, last, units, amount (money at stake), overlap (of it, what
                           another one counts), group: those of one group are one question, with their money together and
                           the largest named; None: none
    options      exception × option   recommended (flag), `exception` being the group; None: asked without a recommendation
    decides      kind of exception, or `budget`, or `hiring`: role that may take the decision, or several of them
    people       person    role; None: the role stands for the person
    gap          family × month   plan, budget, gap (money); see value.gap
    gap_share    of the budget, from which a shortfall is asked about
    hiring       month   capacity, hired (money), hires to start in the month; target (money), where there is one: only
                         what the plan asks for is at stake, and where that is nothing in these months the money is not known
    hiring_until the last month that counts for hires: that of the other decisions; None: the whole plan
    least_share  of the money of all exceptions, below which one is not asked about: the meeting's time is for what
                 moves the company, the planner answers the rest
    country      whose public holidays are no day for a decision; see calendar.working_days
    returns      frames.ASKED, by money; `decides` is missing where nobody is entitled; `exception` is the group, or
                 `hiring` or `budget`

    Σ (amount − overlap) counts no money twice: goods in two exceptions count once, and sales that neither reps nor hours
    allow count once. The gap to budget lies beyond the plan, all other amounts within it.
    """
    exceptions = frames.empty(frames.EXCEPTIONS) if exceptions is None else exceptions
    size = exceptions["amount"].abs()
    whole = size.groupby(exceptions["group"]).transform("sum")
    framed = exceptions[whole >= least_share * size.sum()]
    framed = framed if options is None else framed[framed["group"].isin(options["exception"])]
    names = called(items, locations)
    rows = [_exception(group, members, options, names, meeting_day, country) for group, members in framed.groupby("group", sort=True)]
    rows += _budget(gap, gap_share, meeting_day) + _hires(hiring, hiring_until, recruiting_months, meeting_day, country)
    out = pd.DataFrame(rows, columns=frames.ASKED.names).sort_values(["amount", "exception", "question"], ascending=[False, True, True], kind="stable").head(most)
    out = _counted_once(out, framed, hiring)
    out["decides"] = [entitled(kind, decides, people) for kind in out["kind"]]
    out["position"] = np.arange(1, len(out) + 1)
    out["decision"] = [f"D{i}" for i in out["position"]]
    return frames.conform(out, frames.ASKED)


def at_stake(asked: pd.DataFrame) -> float:
    """The money of all decisions, each good and each sale once."""
    return float((asked["amount"].fillna(0.0) - asked["overlap"].fillna(0.0)).sum())


def called(items: pd.DataFrame | None, locations: Mapping[str, str] | None) -> dict[str, str]:
    """Codes of items and locations with the names people know."""
    own = {} if items is None else dict(zip(items["item"], items["name"].fillna(items["item"]), strict=True))
    return dict(locations or {}) | own


# --- the questions --------------------------------------------------------------------------------------------------

def _exception(group: Any, members: pd.DataFrame, options: pd.DataFrame | None, names: dict[str, str], meeting_day: Any, country: str) -> dict[str, Any]:
    """One question for the exceptions of a group; `what` is the one of them with most money."""
    mine = None if options is None else options[options["exception"] == group].sort_values("option", kind="stable")
    best = [] if mine is None else list(mine.loc[mine["recommended"], "option"])
    row = members.assign(size=members["amount"].abs()).sort_values(["size", "id"], ascending=[False, True], kind="stable").to_dict("records")[0]
    what = names.get(row["item"], row["item"]) or row["resource"] or row["id"]
    place = names.get(row["location"], row["location"]) if row["location"] not in (None, "all") else None
    first, last = members["first"].min(), members["last"].max()
    one_place = place and row["item"] and members["location"].nunique() == 1
    values = {"kind": row["kind"], "what": f"{what}, {place}" if one_place else what, "first": iso(first), "last": iso(last), "units": total(members["units"]),
              "amount": total(members["amount"]), "largest": _number(row["amount"]), "n": int(members["item"].nunique()), "count": len(members)}
    overlap = total(members["overlap"]) if "overlap" in members else 0.0
    return {"kind": row["kind"], "question": _question(row, members["item"].nunique(), first == last), "values": as_json(values), "overlap": overlap,
            "by": _by(first, meeting_day, country), "amount": total(members["amount"].abs()), "recommended": best[0] if best else None, "exception": group}


def _question(row: Mapping[Any, Any], count: int, one_month: bool) -> str:
    """Which question is asked: many items have their own, by cause where it matters; one month has `in`, not `from`."""
    ended = row["kind"] == "obsolete" and row["because"] == "exceptions.obsolete_ended"
    kind = f"{row['kind']}_ended" if ended and count > 1 else row["kind"]
    form = "_all" if count > 1 else "_in" if one_month and row["kind"] in SELLING else ""
    return f"meeting.ask_{kind}{form}"


def _budget(gap: pd.DataFrame | None, gap_share: float, meeting_day: Any) -> list[dict[str, Any]]:
    """The question about the budget, where the plan of the months both have lies further below it than gap_share."""
    if gap is None or gap.empty:
        return []
    short, budget = -float(gap["gap"].sum()), float(gap["budget"].sum())
    if budget <= 0 or short / budget < gap_share:
        return []
    by_family = gap.groupby("family")["gap"].sum().sort_values(kind="stable")
    values = {"amount": short, "share": short / budget, "first": iso(gap["month"].min()), "last": iso(gap["month"].max()),
              "family": by_family.index[0], "family_amount": -float(by_family.iloc[0])}
    return [{"kind": "budget", "question": "meeting.ask_budget", "values": as_json(values), "by": pd.Timestamp(meeting_day), "overlap": 0.0,
             "amount": short, "recommended": None, "exception": "budget"}]


def _hires(hiring: pd.DataFrame | None, until: Any, recruiting_months: int, meeting_day: Any, country: str) -> list[dict[str, Any]]:
    """The next hires, where the offer must go out before the next meeting: what they sell until others join them."""
    starts = pd.DatetimeIndex([]) if hiring is None else pd.DatetimeIndex(hiring.loc[hiring["hires"] > 0, "month"].sort_values())
    if hiring is None or starts.empty:
        return []
    first, day = starts[0], pd.Timestamp(meeting_day)
    offer = first - pd.DateOffset(months=recruiting_months)
    if offer > day + pd.DateOffset(months=1):
        return []
    last = hired_until(hiring, until)
    amount = total(needed(hiring)[lambda months: (months.index >= first) & (months.index <= last)])
    values = {"hires": int(hiring.loc[hiring["month"] == first, "hires"].iloc[0]), "first": iso(first), "last": iso(last), "amount": amount}
    later = "" if amount > 0 else "_later"
    return [{"kind": "hiring", "question": f"meeting.ask_hiring{later}", "values": as_json(values), "by": max(calendar.working_day(offer, country), day), "overlap": 0.0,
             "amount": amount if amount > 0 else float("nan"), "recommended": None, "exception": "hiring"}]


def hired_until(hiring: pd.DataFrame, until: Any) -> pd.Timestamp:
    """The last month in which the first hires stand alone, and not after `until`: from then on others sell beside them."""
    starts = pd.DatetimeIndex(hiring.loc[hiring["hires"] > 0, "month"].sort_values())
    end = hiring["month"].max() if until is None else max(starts[0], pd.Timestamp(until))
    return min(end, frames.next_month(starts[1], -1)) if len(starts) > 1 else end


def needed(hiring: pd.DataFrame) -> pd.Series:
    """Money by month that the hires sell of what the plan asks for: never more than the reps of today leave open."""
    by_month = hiring.set_index("month").sort_index()
    added = by_month["hired"] - by_month["capacity"]
    if "target" not in by_month:
        return added
    return np.minimum(added, (by_month["target"] - by_month["capacity"]).clip(lower=0.0)).where(by_month["target"].notna(), added)


def _counted_once(out: pd.DataFrame, framed: pd.DataFrame, hiring: pd.DataFrame | None) -> pd.DataFrame:
    """With what the hires' money and the exceptions' have in common: a sale that neither reps nor hours allow is lost once.

    Which goods the reps would sell is not known, so as much as can be common is taken to be.
    """
    mine = out["kind"] == "hiring"
    if not mine.any() or hiring is None:
        return out
    row = out[mine].iloc[0]
    told, months = json.loads(row["values"]), needed(hiring)
    months = months[(months.index >= pd.Timestamp(told["first"])) & (months.index <= pd.Timestamp(told["last"]))].copy()
    common = 0.0
    for one in framed[framed["group"].isin(out["exception"]) & framed["kind"].isin(SELLING)].sort_values("id").to_dict("records"):
        within = (months.index >= one["first"]) & (months.index <= one["last"])
        both = min(abs(one["amount"]) - one.get("overlap", 0.0), float(months[within].sum()))
        if both > 0:
            months[within] *= 1 - both / float(months[within].sum())
            common += both
    return out.assign(overlap=out["overlap"].where(~mine, common))


# --- who and by when ------------------------------------------------------------------------------------------------

def _by(first: Any, meeting_day: Any, country: str = "none") -> pd.Timestamp:
    """NOTICE_DAYS before the first month, or the last working day before that; not before the meeting."""
    day = pd.Timestamp(meeting_day)
    if pd.isna(first):
        return day
    return max(day, calendar.working_day(pd.Timestamp(first) - pd.Timedelta(days=NOTICE_DAYS), country))


def roles_of(kind: str, decides: Entitled) -> list[str]:
    """The roles that may decide on a kind, in their order; those of a kind alike where nothing is said of its own."""
    given = decides.get(kind) or decides.get(ALIKE.get(kind, "")) or []
    return [given] if isinstance(given, str) else list(given)


def entitled(kind: str, decides: Entitled, people: pd.DataFrame | None) -> str | None:
    """The first person whose role may decide; the role itself where no people are known; None where nobody may."""
    roles = roles_of(kind, decides)
    if not roles or people is None:
        return roles[0] if roles else None
    return next((person for role in roles if (person := with_role(people, role))), None)


def with_role(people: pd.DataFrame | None, word: str) -> str | None:
    """The first person with this role, else the first whose role holds the word."""
    found = holders(people, word)
    return found[0] if found else None


def holders(people: pd.DataFrame | None, word: str) -> list[str]:
    """Everybody with this role; where nobody has it, everybody whose role holds the word.

    >>> holders(pd.DataFrame({"person": ["p1", "p2"], "role": ["Sales director", "Sales director North"]}), "sales director")
    ['p1']
    """
    if people is None or people.empty or not word:
        return []
    roles = people["role"].fillna("").str.casefold()
    for fits in (roles == word.casefold(), roles.str.contains(word.casefold(), regex=False)):
        if fits.any():
            return [str(person) for person in people.loc[fits, "person"]]
    return []


# --- small things ---------------------------------------------------------------------------------------------------

def iso(value: Any) -> str | None:
    return None if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%d}"


def total(values: pd.Series) -> float:
    return float(values.fillna(0).sum())


def as_json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, allow_nan=False)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
