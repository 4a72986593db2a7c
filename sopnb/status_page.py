"""What is open between meetings, for whoever wants to look: the facts of reminders, and the page of all actions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sopnb.ledger_read import RUNNING

AHEAD_DAYS = 3  # how many days before its date an owner hears of an action


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
