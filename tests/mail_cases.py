"""The three mails as small worked cases: a pack of the company of front_data, a recap of its meeting, a reminder to one owner."""

from __future__ import annotations

import functools
from typing import Any

import front_data as small
import pandas as pd

from sopnb import frames, front, mail, report, status_page, words
from sopnb.words import plain

READER = {"to": "budi@pangan.example", "name": "Budi Hartono", "person": "P1", "sender": "sop@pangan.example", "owner": "sari@pangan.example"}
URL = "https://reports.pangan.example/2026-10"
PEOPLE = small.make(frames.PEOPLE, {"person": "P1", "name": "Budi Hartono", "role": "Supply manager", "email": "budi@pangan.example", "mandatory": True, "gets": "both"},
                    {"person": "P2", "name": "Agus Santoso", "role": "Purchasing", "email": "agus@pangan.example", "mandatory": False, "gets": "pack"},
                    {"person": "P3", "name": "No Address", "role": "Finance", "mandatory": True, "gets": "none"},
                    {"person": "P4", "name": "Reads Nothing", "role": "Guest", "email": "guest@pangan.example", "mandatory": False, "gets": "none"})


@functools.cache
def page() -> dict[str, Any]:
    with words.speaking("en", "IDR"):
        return front.facts(small.tables(), small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK)


@functools.cache
def pictures() -> Any:
    with words.speaking("en", "IDR"):
        return mail.pictures(page())


def pack(**other: Any) -> Any:
    return mail.build(page(), **{**READER, "reports_url": URL, "drawn": pictures(), **other})


def action(id: str, title: str, person: str, owner: str, due: str, late: int, word: str, new: bool, money: str = "") -> dict[str, Any]:
    return {"action": id, "title": title, "person": person, "owner": owner, "due": pd.Timestamp(due), "late": late, "word": word, "amount": float("nan"), "money": money,
            "new": new, "age": 30, "started": False, "source": ""}


def recap_facts(**other: Any) -> dict[str, Any]:
    """As `recap_facts.facts` gives them: four actions, two of them Budi's; a dissent; one who had to come and sent nobody."""
    with words.speaking("en", "IDR"):
        header = report.heading({**small.HEADER, "cycle": "2026-09"})
    rows = [action("2026-08-A1", "Second source for chilli", "P2", "Agus Santoso", "2026-08-28", 11, "11 days late", False, "Rp 370 m"),
            action("2026-09-A2", "Move oven maintenance to <November>", "P1", "Budi Hartono", "2026-09-25", -17, "in 17 days", True, "Rp 3.5 bn"),
            action("2026-09-A1", "Co-packer price for 22,000 cartons", "P1", "Budi Hartono", "2026-10-07", -29, "in 29 days", True, "Rp 2.7 bn"),
            action("2026-09-A3", "Cash plan for bottles", "P3", "Maya Putri", "2026-10-07", -29, "in 29 days", True)]
    owners = [{"person": p, "name": n, "rows": [row for row in rows if row["person"] == p]} for p, n in (("P1", "Budi Hartono"), ("P2", "Agus Santoso"), ("P3", "Maya Putri"))]
    decided = {"decision": "D1", "title": "Ask co-packers for prices", "option": "A", "why": "The oven is short before Lebaran", "dissent": "", "person": "P1", "who": "Budi Hartono",
               "effect": plain("On time in full +2.0 pts, to be judged in February 2027"), "judged": pd.Timestamp("2027-02-01"), "flags": [], "asked": plain("")}
    against = {**decided, "decision": "D2", "title": "Do not follow the coffee price", "dissent": "Sales Medan would follow", "effect": plain(""), "flags": [plain("Nobody was entitled to decide it.")]}
    return {
        "header": header, "as_of": pd.Timestamp("2026-09-08"), "revision": 1, "changes": [], "headline": plain("2 decisions and 3 new actions, with Rp 6.2 bn at stake"),
        "lead": [plain("Held on Tuesday 8 September; 2 of the 3 who must come were there."), plain("Maya Putri (Finance) was neither there nor represented.")],
        "held_on": pd.Timestamp("2026-09-08"), "chair": "Budi Hartono", "quorum": {"there": 2, "of": 3, "share": 2 / 3, "met": True, "said": plain("2 of 3")},
        "attendance": [{"person": "P1", "name": "Budi Hartono", "role": "Supply", "mandatory": True, "state": "present", "word": "present", "delegate": ""},
                       {"person": "P2", "name": "Agus Santoso", "role": "Purchasing", "mandatory": True, "state": "delegated", "word": "represented", "delegate": "Putu Ardana"},
                       {"person": "P3", "name": "Maya Putri", "role": "Finance", "mandatory": True, "state": "absent", "word": "absent", "delegate": ""},
                       {"person": "P4", "name": "Rina Kusuma", "role": "Marketing", "mandatory": False, "state": "absent", "word": "absent", "delegate": ""}],
        "missing": [{"person": "P3", "name": "Maya Putri", "role": "Finance", "missed": 2, "meetings": 11, "said": plain("Maya Putri (Finance) was neither there nor represented.")}],
        "findings": [], "decisions": {"finding": plain("Decisions taken: 2; with dissent: 1"), "rows": [decided, against]},
        "undecided": [{"question": plain("Hire in Medan now or in January?"), "who": "Dewi Lestari"}],
        "actions": {"finding": plain("4 actions are open, 3 of them new"), "count": 4, "overdue": 1, "new": 3, "amount": 6.2e9, "all": rows, "owners": owners},
        "closed": [{"action": "2026-08-A4", "title": "Announce prices to chains", "person": "P2", "owner": "Agus Santoso", "state": "done", "word": "done",
                    "on": pd.Timestamp("2026-09-03"), "due": pd.Timestamp("2026-09-04"), "in_time": True}],
        "assumptions": [{"assumption": "S1", "text": "Lebaran is on 10 March", "state": "failed", "word": "did not hold", "owner": "Sari", "note": "Announced for the 20th", "amount": 1e9, "money": "Rp 1 bn"}],
        "points": [{"topic": "Coffee, Medan", "discussion": "The second largest customer may leave."}], "next_meeting": pd.Timestamp("2026-10-08"),
        "next_said": plain("The next meeting is on Thursday 8 October."), **other}


def recap(reader: dict[str, Any] | None = None, **other: Any) -> Any:
    return mail.recap(recap_facts(**other), **{**READER, **(reader or {})}, reports_url=URL)


@functools.cache
def owned() -> dict[str, Any]:
    """Budi on 6 October: one action 11 days late, one due tomorrow."""
    actions = small.make(frames.ACTIONS,
                         {"action": "2026-08-A1", "title": "Move oven maintenance", "owner": "P1", "due": "2026-09-25", "state": "started", "cycle": "2026-08", "amount": 3.5e9, "made_on": "2026-08-10"},
                         {"action": "2026-09-A1", "title": "Co-packer price for 22,000 cartons", "owner": "P1", "due": "2026-10-07", "state": "open", "cycle": "2026-09", "made_on": "2026-09-08"},
                         {"action": "2026-09-A9", "title": "Far away", "owner": "P1", "due": "2026-12-07", "state": "open", "cycle": "2026-09", "made_on": "2026-09-08"})
    return status_page.reminders(actions, day="2026-10-06", ahead_days=3, people=PEOPLE)["P1"]


def reminder(**other: Any) -> Any:
    return mail.reminder(owned(), **{"company": "Contoh Pangan", "sender": READER["sender"], "owner": READER["owner"], "currency": "IDR",
                                     "command": "sopnb actions done params/contoh.yaml", **other})


MAILS = {"pack": pack, "recap": recap, "reminder": reminder}


def body(message: Any, kind: str = "html") -> str:
    return message.get_body((kind,)).get_content()
