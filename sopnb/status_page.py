"""What is open between meetings, for whoever wants to look: the facts of reminders, and the page of all actions.

`facts` computes the page as plain values and sentences, `render` puts them into template/status.html.j2. Tables come in,
no file is read: see `between`.
"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from sopnb import frames, kpis, measures_supply, status_chart, words
from sopnb.front_ground import Scale
from sopnb.ledger_read import ACTION_VERBS, RUNNING
from sopnb.words import Sentence, message

AHEAD_DAYS = 3  # how many days before its date an owner hears of an action
MONTHS = 13  # shown in the chart: a month stands beside the same one last year
SPEC = {"percent": "+.1pp", "money": "money+", "days": "+,.0f", "ratio": "+,.2f"}
TONES = {"hit": "ok", "missed": "off", "ask": "watch"}
Facts = dict[str, Any]


# --- the page -------------------------------------------------------------------------------------------------------

def facts(
    actions: pd.DataFrame, events: pd.DataFrame, scored: pd.DataFrame, decisions: pd.DataFrame, *, day: Any, company: str, language: str = "en", currency: str = "USD",
    people: pd.DataFrame | None = None, cycles: list[str] | None = None, version: str = "", hit_share: float = 0.5,
) -> Facts:
    """All that stands on the page of actions.

    actions    frames.ACTIONS on `day`
    events     those that hold, by day and arrival: the last word on each action
    scored     frames.SCORED
    decisions  see Ledger.decisions: those whose month has not come are counted
    people     person   name
    cycles     published cycles whose first page is there: the page links to them
    """
    words.speak(language, currency)
    today, names = pd.Timestamp(day), _names(people)
    running, closed = actions[actions["state"].isin(RUNNING)], actions[~actions["state"].isin(RUNNING)]
    late = running[running["overdue_days"] > 0]
    links = {name: f"{name}/index.html" for name in cycles or []}
    return {
        "language": words.language(), "company": company, "version": version, "day": today, "links": links, "latest": max(links, default=""),
        "headline": _headline(running, late), "lead": message("status.lead", {"day": today}),
        "owners": _owners(running, events, names, links, today), "open": _open(running, late, today), "chart": _chart(actions, today),
        "decisions": _decisions(scored, decisions, names, links, today, hit_share), "closed": _closed(closed, names, links),
    }


def _names(people: pd.DataFrame | None) -> dict[str, str]:
    return {} if people is None else dict(zip(people["person"], people["name"].fillna(people["person"]), strict=True))


def _headline(running: pd.DataFrame, late: pd.DataFrame) -> Sentence:
    values = {"n": len(running), "late": len(late), "amount": float(late["amount"].fillna(0).sum()), "all": float(running["amount"].fillna(0).sum())}
    if running.empty:
        return message("status.headline.none", {})
    kind = "late" if len(late) else "open"
    return message(f"status.headline.{kind}{'.one' if len(running) == 1 else ''}{'' if values['amount' if len(late) else 'all'] else '.plain'}", values)


def _open(running: pd.DataFrame, late: pd.DataFrame, today: pd.Timestamp) -> Facts:
    if running.empty:
        return {"finding": message("status.open.none", {}), "sub": words.plain(""), "unit": ""}
    oldest = running.sort_values(["age_days", "action"], ascending=[False, True], kind="stable").iloc[0]
    most = (late if len(late) else running).groupby("owner").size().sort_values(kind="stable", ascending=False)
    values = {"title": oldest["title"] or oldest["action"], "days": int(oldest["age_days"]), "owners": running["owner"].nunique(), "n": len(running), "day": today, "most": int(most.iloc[0])}
    return {"finding": message("status.open.finding" + (".one" if values["owners"] == 1 else "") + {0: ".new", 1: ".day"}.get(values["days"], ""), values), "sub": message("status.open.sub", values), "unit": Scale.of(running["amount"]).label}


def _owners(running: pd.DataFrame, events: pd.DataFrame, names: dict[str, str], links: dict[str, str], today: pd.Timestamp) -> list[Facts]:
    """Open actions by owner: the owner with the longest overdue one first, then the one with the soonest date."""
    scale, said = Scale.of(running["amount"]), _last_words(events, names)
    ranked = running.sort_values(["overdue_days", "due", "action"], ascending=[False, True, True], kind="stable")
    groups: list[Facts] = []
    for owner in dict.fromkeys(ranked["owner"]):
        mine = ranked[ranked["owner"] == owner]
        n, late = len(mine), int((mine["overdue_days"] > 0).sum())
        groups.append({"name": names.get(owner, owner), "id": f"o{len(groups) + 1}", "count": message("status.owner" + (".late" if late else "") + (".one" if n == 1 else ""), {"n": n, "late": late}),
                       "rows": [_action(row, said, scale, links, today) for row in mine.to_dict("records")]})
    return groups


def _action(row: dict[Any, Any], said: dict[str, Sentence], scale: Scale, links: dict[str, str], today: pd.Timestamp) -> Facts:
    cycle = f"{row['cycle']:%Y-%m}"
    return {"action": row["action"], "title": row["title"] or row["action"], "due": row["due"], "age": int(row["age_days"]), "late": int(row["overdue_days"]),
            "when": _when(row, today), "state": message(f"status.state.{row['state']}", {}).text, "amount": "" if pd.isna(row["amount"]) or not row["amount"] else scale.show(row["amount"]),
            "money": "" if pd.isna(row["amount"]) or not row["amount"] else words.show(row["amount"], "money"),
            "said": said.get(row["action"], words.plain("")), "source": row["source"] or "", "cycle": cycle, "href": links.get(cycle, "")}


def _when(row: dict[Any, Any], today: pd.Timestamp) -> str:
    days = (today - row["due"]).days
    one = ".one" if abs(days) == 1 else ""
    return message("front.actions.today" if days == 0 else f"front.actions.{'late' if days > 0 else 'left'}{one}", {"days": abs(days)}).text


def _last_words(events: pd.DataFrame, names: dict[str, str]) -> dict[str, Sentence]:
    """What was last said of each action after it was made: moved, by whom, with which note."""
    found = {}
    for row in events[events["kind"].isin(ACTION_VERBS[1:])].itertuples(index=False):
        payload = json.loads(str(row.payload))
        noted = row.kind == "move" and not {"due", "owner"} & set(payload)
        values = {"day": row.day, "who": names.get(row.who, row.who), "note": payload.get("note") or ""}
        key = f"status.said.{'note' if noted else row.kind}" + (".by" if row.who else "")
        found[str(row.subject)] = message(key, values) + words.plain(values["note"]) if values["note"] else message(key, values)
    return found


# --- the chart ------------------------------------------------------------------------------------------------------

def by_month(actions: pd.DataFrame, *, day: Any, months: int = MONTHS) -> pd.DataFrame:
    """How many actions were made and closed in each month, and how old those were that stood open at its end.

    actions  frames.ACTIONS on `day`
    returns  month   made, done, dropped, open (at the month's end, or on the day), and of the open: fresh (under 30 days
             old), aged (30 to 59), old (60 and more), overdue
             A month's open = the month's before + made − done − dropped, from the first action on.
    """
    last = frames.month(pd.Timestamp(day))
    first = max(frames.next_month(last, 1 - months), frames.month(actions["made_on"].min())) if len(actions) else last
    rows = []
    for month in pd.date_range(first, last, freq="MS"):
        end = min(month + pd.offsets.MonthEnd(0), pd.Timestamp(day))
        there = actions[(actions["made_on"] <= end) & (actions["closed_on"].isna() | (actions["closed_on"] > end))]
        age = (end - there["made_on"]).dt.days
        closed = actions[actions["closed_on"].between(month, end)]
        rows.append({"month": month, "made": int(actions["made_on"].between(month, end).sum()), "done": int((closed["state"] == "done").sum()),
                     "dropped": int((closed["state"] == "dropped").sum()), "open": len(there), "fresh": int((age < 30).sum()), "aged": int(age.between(30, 59).sum()),
                     "old": int((age >= 60).sum()), "overdue": int((there["due"] < end).sum())})
    return pd.DataFrame(rows)


def _chart(actions: pd.DataFrame, today: pd.Timestamp) -> Facts | None:
    if actions.empty:
        return None
    rows = by_month(actions, day=today)
    whole, now, before = rows[["made", "done", "dropped"]].sum(), rows.iloc[-1], rows.iloc[max(len(rows) - 4, 0)]
    values = {"made": int(whole["made"]), "closed": int(whole["done"] + whole["dropped"]), "first": rows["month"].iloc[0], "day": today, "open": int(now["open"]), "old": int(now["old"]),
              "before": int(before["open"]), "then": before["month"]}
    return {"flow": {"finding": message("status.flow.finding", values), "sub": message("status.flow.sub", values), "picture": status_chart.flow(rows)},
            "age": {"finding": message("status.age.finding" + (".none" if not now["old"] else ".one" if now["old"] == 1 else ""), values), "sub": message("status.age.sub", values), "picture": status_chart.ages(rows)}}


# --- decisions ------------------------------------------------------------------------------------------------------

def _decisions(scored: pd.DataFrame, decisions: pd.DataFrame, names: dict[str, str], links: dict[str, str], today: pd.Timestamp, hit_share: float) -> Facts | None:
    """Decisions judged, the latest first; those that wait for a word, and how many whose month has not come."""
    if decisions.empty:
        return None
    rate = measures_supply.decision_hit_rate(scored, month=frames.next_month(today, -1)) if len(scored) else None
    ask = int((scored["outcome"] == "ask").sum())
    values = {"hits": 0 if rate is None else int(rate["numerator"].iloc[0]), "of": 0 if rate is None else int(rate["denominator"].iloc[0]), "ask": ask, "share": hit_share,
              "later": int((~decisions["decision"].isin(scored["decision"]) & decisions["judged"].notna()).sum())}
    kind = "none" if not values["of"] else "one" if values["of"] == 1 else "some"
    ordered = scored.sort_values(["judged", "decision"], ascending=[False, True], kind="stable")
    return {"finding": message(f"status.decisions.{kind}", values), "sub": message("status.decisions.sub", values), "rows": [_decision(row, names, links) for row in ordered.to_dict("records")],
            "later": message("status.decisions.later" + (".one" if values["later"] == 1 else ""), values) if values["later"] else words.plain(""),
            "ask": message("status.decisions.ask" + (".one" if ask == 1 else ""), values) if ask else words.plain("")}


def _decision(row: dict[Any, Any], names: dict[str, str], links: dict[str, str]) -> Facts:
    cycle = f"{row['cycle']:%Y-%m}"
    why = message(row["because"], {}).text if row["because"] else ""
    said = message("status.decisions.said", {"who": names.get(row["said_by"], row["said_by"]), "note": row["note"] or ""}).text if row["by"] == "person" else why
    return {"decision": row["decision"], "title": row["title"] or row["decision"], "who": names.get(row["decided_by"], row["decided_by"]) or "", "measure": measure_name(row["effect_kpi"]),
            "judged": words.show(row["judged"], "mon"), "expected": change(row["effect_kpi"], row["expected"]), "came": change(row["effect_kpi"], row["realised"]),
            "outcome": row["outcome"], "tone": TONES[row["outcome"]], "word": message(f"scored.outcome.{row['outcome']}", {}).text, "why": said, "cycle": cycle, "href": links.get(cycle, "")}


def measure_name(kpi: object) -> str:
    """A measure of the book in words; what nobody has defined, as it was written; – where none was named."""
    if not isinstance(kpi, str):
        return words.MISSING
    return message(f"kpis.{kpi}", {}).text if kpi in kpis.BOOK else kpi


def change(kpi: object, value: float) -> str:
    """A change of a measure in its unit, signed: +2.0 points; – where it is not known."""
    if words.is_missing(value):
        return words.MISSING
    unit = kpis.BOOK[kpi].unit if isinstance(kpi, str) and kpi in kpis.BOOK else "ratio"
    shown = words.show(value, SPEC[unit])
    return message("front.points", {"points": shown}).text if unit == "percent" else shown


# --- closed ones ----------------------------------------------------------------------------------------------------

def _closed(closed: pd.DataFrame, names: dict[str, str], links: dict[str, str]) -> Facts:
    """Closed actions by cycle, the newest first."""
    done = closed[closed["state"] == "done"]
    values = {"n": len(closed), "time": int((done["closed_on"] <= done["due"]).sum()), "done": len(done), "dropped": len(closed) - len(done)}
    ordered = closed.sort_values(["cycle", "action"], ascending=[False, True], kind="stable")
    groups = []
    for month in dict.fromkeys(ordered["cycle"]):
        mine, cycle = ordered[ordered["cycle"] == month], f"{month:%Y-%m}"
        groups.append({"title": words.show(month, "month"), "cycle": cycle, "href": links.get(cycle, ""), "rows": [_shut(row, names) for row in mine.to_dict("records")]})
    return {"groups": groups, "finding": message("status.closed.none" if closed.empty else "status.closed.finding", values), "n": len(closed),
            "summary": message("status.closed.summary" + (".one" if len(closed) == 1 else ""), values)}


def _shut(row: dict[Any, Any], names: dict[str, str]) -> Facts:
    late = (row["closed_on"] - row["due"]).days
    kind = "dropped" if row["state"] == "dropped" else "time" if late <= 0 else "late.one" if late == 1 else "late"
    return {"action": row["action"], "title": row["title"] or row["action"], "owner": names.get(row["owner"], row["owner"]), "due": words.show(row["due"], "day"),
            "closed": words.show(row["closed_on"], "day"), "how": message(f"status.shut.{kind}", {"days": late}).text, "late": kind.startswith("late")}


def render(page: Facts) -> str:
    """The facts as one self-contained HTML page."""
    from markupsafe import Markup

    from sopnb import report, templates

    environment = templates.environment(report.TEMPLATES)
    environment.filters["h"] = lambda said: Markup(said.html) if isinstance(said, Sentence) else said
    header = {"language": page["language"], "draft": False, "cycle": page["latest"], "run": "", "version": page["version"]}
    environment.globals.update(t=report.t, status=report.status, css=report.css("page", "status"), show=words.show, header=header, title=f"{message('status.title', {}).text}: {page['company']}")
    return environment.get_template("status.html.j2").render(**page)


# --- reminders ------------------------------------------------------------------------------------------------------

def reminders(actions: pd.DataFrame, *, day: Any, ahead_days: int = AHEAD_DAYS, people: pd.DataFrame | None = None) -> dict[str, dict[str, Any]]:
    """Who is to hear of which actions today: what is overdue, and what is due from today to `ahead_days` from now.

    actions     frames.ACTIONS on `day`; closed ones are nobody's
    day         today
    ahead_days  0: only what is due today, and what is overdue
    people      person   name, email, language; None: nobody has an address
    returns     owner: {
                    owner     the person's code, as in actions
                    name      the person's name; the code where `people` does not know it
                    email     the address; "" where none is known: see `without_address`
                    language  "en" or "id"; "" where none is known: the company's
                    day       Timestamp, today
                    ahead_days
                    overdue   rows, the longest overdue first
                    due       rows, the soonest first
                    amount    money at stake in both, 0.0 where none is stated
                }, by owner; an owner with nothing to hear of is not there.
                A row is {action, title, due (Timestamp), days (overdue: days late, from 1; due: days left, from 0),
                state (open or started), amount (float, None where none is stated), made_on (Timestamp), age_days (int),
                source (point or decision, or None), cycle (Timestamp)}.
    """
    today = pd.Timestamp(day).normalize()
    running = actions[actions["state"].isin(RUNNING) & actions["due"].notna() & actions["owner"].notna()]
    soon = running[running["due"] <= today + pd.Timedelta(days=ahead_days)].sort_values(["due", "action"], kind="stable")
    known = {} if people is None else {row["person"]: row for row in people.to_dict("records")}
    return {str(owner): _reminder(str(owner), rows, today, ahead_days, known.get(owner, {})) for owner, rows in soon.groupby("owner", sort=True)}


def _reminder(owner: str, rows: pd.DataFrame, today: pd.Timestamp, ahead_days: int, person: dict[Any, Any]) -> dict[str, Any]:
    late, left = rows[rows["due"] < today], rows[rows["due"] >= today]
    return {"owner": owner, "name": person.get("name") or owner, "email": person.get("email") or "", "language": person.get("language") or "",
            "day": today, "ahead_days": ahead_days, "overdue": [_fact(row, today) for row in late.to_dict("records")],
            "due": [_fact(row, today) for row in left.to_dict("records")], "amount": float(rows["amount"].fillna(0.0).sum())}


def _fact(row: dict[Any, Any], today: pd.Timestamp) -> dict[str, Any]:
    return {"action": row["action"], "title": row["title"] or row["action"], "due": row["due"], "days": abs((today - row["due"]).days), "state": row["state"],
            "amount": None if pd.isna(row["amount"]) else float(row["amount"]), "made_on": row["made_on"], "age_days": int(row["age_days"]),
            "source": row["source"], "cycle": row["cycle"]}


def without_address(facts: dict[str, dict[str, Any]]) -> list[str]:
    """Owners who have something to hear of and no address, a line each."""
    return [f"{one['name']} ({len(one['overdue']) + len(one['due'])} to hear of): no email in people" for one in facts.values() if not one["email"]]
