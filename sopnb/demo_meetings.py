"""The demo company's meetings: minutes of the eleven earlier cycles, and the notes people brought.

The last of them shows what minutes can hold: a delegate, a role that must come and did not, dissent, an assumption that failed.

The schema of the minutes stands in sopnb/minutes.py. An action is called <cycle>-<id> in the ledger.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from sopnb import frames
from sopnb.demo_world import World


def intelligence(world: World, cycle: str) -> pd.DataFrame:
    """Notes on competitors and trade of the last two months."""
    table = pd.DataFrame(NOTES, columns=["date", "source", "text", "families"])
    table.insert(0, "note", [f"N{k + 1:03d}" for k in range(len(table))])
    cut_off = frames.month(cycle)
    day = pd.to_datetime(table["date"])
    return table[(day < cut_off) & (day >= frames.next_month(cut_off, -2))].reset_index(drop=True)


# day, source, what was heard, families touched
NOTES = (
    ("2025-09-11", "sales Jakarta", "A national chain asks three noodle makers for a private label.", "Instant noodles"),
    ("2025-09-24", "trade press", "Glass makers announce 4% higher prices from January.", "Syrup"),
    ("2025-10-08", "sales Medan", "A competitor gives one free in ten on coffee sachets.", "Coffee"),
    ("2025-10-27", "purchasing", "Palm oil exports may be limited before the year ends.", "Instant noodles;Biscuits"),
    ("2025-11-06", "marketing", "A new tea brand is advertised on Java, 350 ml at a lower price.", "RTD tea"),
    ("2025-11-20", "sales Surabaya", "Two wholesalers merge; they will want one price.", "Sauces;Instant noodles"),
    ("2025-12-04", "trade press", "Wheat prices ease; competitors may use it for promotions.", "Instant noodles;Biscuits"),
    ("2025-12-17", "sales Makassar", "Vessel space is short until mid-January.", ""),
    ("2026-01-09", "sales Jakarta", "Chains order hampers early; tins are asked for by mid-February.", "Biscuits;Syrup"),
    ("2026-01-22", "purchasing", "A bottle maker's furnace is down for three weeks.", "Syrup"),
    ("2026-02-05", "sales Medan", "Competitor's biscuit tins are short in Medan; buyers come to us.", "Biscuits"),
    ("2026-02-19", "marketing", "Online hamper sales are half as much again as last year.", "Biscuits;Syrup"),
    ("2026-03-12", "sales Surabaya", "Wholesalers hold more stock than usual after Lebaran.", "Biscuits;Syrup"),
    ("2026-03-26", "trade press", "A competitor launches a premium noodle cup.", "Instant noodles"),
    ("2026-04-09", "sales Makassar", "A local sauce maker closes; its outlets look for supply.", "Sauces"),
    ("2026-04-23", "purchasing", "Robusta harvest in Lampung is expected late.", "Coffee"),
    ("2026-05-14", "marketing", "Less sugar is asked for in tea; two chains add shelf space.", "RTD tea"),
    ("2026-05-28", "sales Jakarta", "A discounter opens forty outlets by October.", "Instant noodles;Sauces"),
    ("2026-06-11", "sales Surabaya", "Chilli sauce from a competitor sells at 8% less.", "Sauces"),
    ("2026-06-25", "trade press", "Forecasts see a long dry season.", "RTD tea;Coffee"),
    ("2026-07-09", "sales Medan", "Our second largest coffee customer speaks with a competitor.", "Coffee"),
    ("2026-07-23", "purchasing", "The chilli supplier warns of late deliveries from September.", "Sauces"),
    ("2026-08-06", "marketing", "A competitor plans a biscuit tin at Rp 149,000 for Lebaran.", "Biscuits"),
    ("2026-08-20", "sales Jakarta", "Segar Raya wants Melati Tea in all its outlets from November.", "RTD tea"),
    ("2026-09-03", "sales Medan", "Coffee: a competitor cut its list price by a tenth in Sumatra.", "Coffee"),
    ("2026-09-17", "sales Surabaya", "A wholesaler in the east of the city stopped buying from us.", "Instant noodles;Sauces"),
    ("2026-09-21", "sales Makassar", "The vessel with noodles is nine days late; the next one leaves at the end of October.", "Instant noodles"),
    ("2026-09-24", "trade press", "Lebaran 2027 is expected on 10 March, eleven days earlier.", "Biscuits;Syrup"),
    ("2026-09-28", "marketing", "Mitra Mart confirms the year-end leaflet for biscuit tins.", "Biscuits"),
)


def held_on(cycle: str) -> pd.Timestamp:
    """The day of the meeting: the 8th, or the Monday after it.

    >>> held_on("2026-08")
    Timestamp('2026-08-10 00:00:00')
    """
    day = frames.month(cycle) + pd.Timedelta(days=7)
    return day + pd.Timedelta(days=max(0, 7 - day.dayofweek) if day.dayofweek > 4 else 0)


def minutes(cycle: str) -> dict:
    """The minutes of a cycle's meeting, as sopnb.minutes reads them.

    An action that was done since the meeting before is reported at this one, with the day it was done. An assumption is
    said in full where it is judged, so that a demo of few cycles knows it too.
    """
    away, points, decisions, actions = MEETINGS[cycle]
    return {
        "cycle": cycle, "held_on": held_on(cycle).date(), "chair": "hendra.gunawan",
        "attendance": [_attendance(person, away.get(person)) for person in ATTENDEES],
        "points": [{"topic": topic, "discussion": discussion} for topic, discussion in points],
        "decisions": [dict(zip(("id", "title", "option", "why", "dissent", "decided_by", "effect_kpi", "effect", "judged"),
                               (f"D{k}", *decision), strict=True)) for k, decision in enumerate(decisions, start=1)],
        "actions": [{"id": f"A{k}", "title": title, "owner": owner, "due": _day(due), "amount": round(amount * 1e6), "source": source}
                    for k, (title, owner, due, amount, source, _) in enumerate(actions, start=1)],
        "updates": _updates(cycle),
        "assumptions": [{name: _day(value) if name in ("made", "due", "on") else value for name, value in {**_made(one["id"]), **one}.items()}
                        for one in ASSUMPTIONS.get(cycle, ())],
        "next_meeting": held_on(f"{frames.next_month(cycle):%Y-%m}").date(),
    }


def _made(assumption: str) -> dict[str, Any]:
    """What an assumption said when it was made."""
    return next(dict(given) for said in ASSUMPTIONS.values() for given in said if given["id"] == assumption and "text" in given)


def _attendance(person: str, away: str | None) -> dict[str, str]:
    """Present unless said otherwise: `absent`, or the name of the one who stood in."""
    if away is None:
        return {"person": person, "state": "present"}
    return {"person": person, "state": "absent"} if away == "absent" else {"person": person, "state": "delegated", "delegate": away}


def _updates(cycle: str) -> list[dict]:
    """What became of earlier actions since the meeting before: the day each was done, moved or dropped."""
    since = held_on(f"{frames.next_month(cycle, -1):%Y-%m}")
    until = held_on(cycle)
    found = []
    for earlier, (_, _, _, actions) in MEETINGS.items():
        for k, (*_, fate) in enumerate(actions, start=1):
            for step in fate.split(", ") if fate else []:
                state, day, *rest = step.split()
                if since < pd.Timestamp(day) <= until and earlier < cycle:
                    found.append({"action": f"{earlier}-A{k}", "state": state, "on": _day(day), **({"due": _day(rest[0])} if rest else {})})
    return found


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# What was assumed at a meeting beside the params file's own, and what later meetings said of it.
ASSUMPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "2026-06": ({"id": "S6", "text": "Competitors keep their coffee prices until the year ends", "if_not": "a tenth of the volume in Medan is lost", "amount": -1_900_000_000,
                 "owner": "dewi.lestari", "made": "2026-06-08", "due": "2026-12-31"},),
    "2026-07": ({"id": "S7", "text": "Wheat stays below last year's price until September", "if_not": "margins of noodles and biscuits fall by a point", "amount": -1_200_000_000,
                 "owner": "agus.santoso", "made": "2026-07-08", "due": "2026-09-30"},),
    "2026-09": ({"id": "S6", "state": "failed", "on": "2026-09-03", "note": "A competitor cut its list price by a tenth in Sumatra"},
                {"id": "S7", "state": "held", "note": "Bought to the end of September, 3% below last year"}),
}
ATTENDEES = ("hendra.gunawan", "sari.wulandari", "budi.hartono", "dewi.lestari", "maya.putri", "agus.santoso", "rudi.siregar", "rina.kusuma")

# cycle: who was away, points (topic, discussion),
#   decisions (title, option, why, dissent, decided by, measure, expected effect, month in which it is judged),
#   actions (title, owner, due, Rp m, source, fate: `done DAY`, `moved DAY NEW-DUE`, `started DAY`, `dropped DAY`)
Meeting = tuple[dict[str, str], tuple, tuple, tuple]
MEETINGS: dict[str, Meeting] = {
    "2025-11": (
        {"rudi.siregar": "absent"},
        (("Lebaran 2026", "Biscuits and syrup peak in February. The oven is tight for three weeks."),
         ("Budget 2026", "Coffee is planned 8% above trend. Sales will say where it comes from."),
         ("Data", "The Medan branch sent its lines late; one week is missing.")),
        (("Build biscuit tins ahead from December", "A", "Cheaper than overtime in February", "", "budi.hartono", "otif", 0.02, "2026-03"),
         ("Use the planners' calendar for Lebaran", "A", "Sales and supply counted different weeks", "", "hendra.gunawan", "forecast_accuracy", 0.01, "2026-04")),
        (("Book pallet places for 9,000 tins", "budi.hartono", "2025-11-28", 420, "D1", "done 2025-11-26"),
         ("Plan where coffee growth comes from", "dewi.lestari", "2025-12-05", 5800, "", "done 2025-12-19"),
         ("Medan branch to close its books by the third working day", "rudi.siregar", "2025-12-03", 0, "", "started 2025-12-05, done 2026-02-11"))),
    "2025-12": (
        {"agus.santoso": "budi.hartono"},
        (("Missing week, Medan", "The week of 17 November is missing. It is in the system by now."),
         ("Syrup bottles", "Lead time is 75 days. The order for Lebaran leaves now or never."),
         ("Vessel space", "Makassar is short until mid-January.")),
        (("Order bottles for 250,000 cartons", "A", "A lost carton costs four times a leftover one", "Finance: 230,000 is enough", "budi.hartono", "fill_rate", 0.015, "2026-03"),),
        (("Order syrup bottles", "agus.santoso", "2025-12-12", 7900, "D1", "done 2025-12-11"),
         ("Second carrier for Makassar until January", "budi.hartono", "2025-12-20", 310, "", "done 2025-12-29"),
         ("Check completeness by branch and week before the cut-off", "sari.wulandari", "2026-01-05", 0, "", "done 2026-01-05"))),
    "2026-01": (
        {"rina.kusuma": "absent", "maya.putri": "absent"},
        (("Year end", "December closed at plan. Biscuits were short in Jakarta for four days."),
         ("Lebaran", "Tins are built as decided. Chains order hampers early."),
         ("Budget", "Coffee remains below; the plan was not shown yet.")),
        (("Serve hampers first in February", "B", "They cannot be sold after Lebaran", "Sales Medan: wholesalers will complain", "dewi.lestari", "otif", 0.01, "2026-03"),),
        (("Agree hamper quantities with three chains", "dewi.lestari", "2026-01-23", 6200, "D1", "done 2026-01-21"),
         ("Two more Saturday shifts on the oven", "putu.ardana", "2026-01-30", 180, "", "done 2026-01-30"),
         ("Price list for January checked against orders", "maya.putri", "2026-01-31", 0, "", "done 2026-02-06"))),
    "2026-02": (
        {"hendra.gunawan": "maya.putri"},
        (("Lebaran", "The oven runs at its limit. Butter biscuits are short in Surabaya."),
         ("Medan", "Biscuits sell far above plan: a competitor is out of stock."),
         ("Tea", "A new brand takes shelf space on Java.")),
        (("Move 4,000 cartons of tins from Surabaya to Medan", "A", "Medan sells them before Lebaran, Surabaya does not", "", "budi.hartono", "fill_rate", 0.01, "2026-03"),
         ("No tea promotion before April", "B", "Filling is needed for stock", "Marketing would have answered the new brand", "dewi.lestari", "plan_vs_budget", -0.003, "2026-05")),
        (("Ship tins to Medan", "budi.hartono", "2026-02-14", 640, "D1", "done 2026-02-13"),
         ("Answer to the new tea brand", "rina.kusuma", "2026-03-06", 1500, "D2", "done 2026-03-27"),
         ("Bottle maker: written dates after the furnace repair", "agus.santoso", "2026-02-20", 900, "", "done 2026-02-18"))),
    "2026-03": (
        {"rudi.siregar": "absent", "agus.santoso": "absent"},
        (("Lebaran on 21 March", "Last deliveries leave on the 16th. Stock in Makassar will remain."),
         ("Market series", "The market data were not updated; the old ones were shown as such."),
         ("Noodle launch", "Fried Noodles in a new pack start as planned.")),
        (("Let syrup stock in Makassar run out rather than promote it", "B", "A promotion would cost more than holding it", "Supply would promote", "hendra.gunawan", "excess_obsolete", -400000000, "2026-09"),),
        (("Market data: a name and a day for delivery", "rina.kusuma", "2026-03-31", 0, "", "done 2026-03-30"),
         ("Count stock in Makassar after Lebaran", "andi.pratama", "2026-04-10", 420, "D1", "moved 2026-04-07 2026-04-30, done 2026-05-06"),
         ("Launch stock of the new pack at all four warehouses", "budi.hartono", "2026-03-20", 1300, "", "done 2026-03-19"))),
    "2026-04": (
        {},
        (("After Lebaran", "Biscuits and syrup fell as every year. Wholesalers hold stock."),
         ("Service", "On time in full fell below 90% in March; the oven was the cause in most cases."),
         ("Coffee", "Sales presented the growth plan; half of it is not backed by accounts.")),
        (("Study more oven hours for 2027", "A", "Two seasons in a row were short", "", "hendra.gunawan", "capacity_load", -0.2, "2027-02"),
         ("Plan coffee by accounts, not by target", "A", "The budget stays, the plan tells the truth", "Sales Medan keeps its figure", "dewi.lestari", "forecast_bias", -0.01, "2026-08")),
        (("Oven study: second line, co-packer, maintenance calendar", "putu.ardana", "2026-06-05", 12300, "D1", "started 2026-05-08, done 2026-07-02"),
         ("Coffee accounts: names and volumes", "dewi.lestari", "2026-04-30", 5900, "D2", "done 2026-04-29"),
         ("Medan: why is the forecast always above?", "rudi.siregar", "2026-05-08", 0, "D2", "dropped 2026-07-08"))),
    "2026-05": (
        {"maya.putri": "absent"},
        (("Restated March", "Surabaya cancelled lines of March in April. The cause is a returned load."),
         ("Dry season", "Tea is expected above last year by a tenth."),
         ("Coffee launch", "Kopi Tubruk in jars starts in all locations.")),
        (("Fill tea ahead for July to September", "A", "Filling is free in May, not in August", "", "budi.hartono", "fill_rate", 0.01, "2026-09"),),
        (("Rule for cancellations after month end", "sari.wulandari", "2026-05-29", 0, "", "done 2026-05-27"),
         ("Tea: build 60,000 cartons by the end of June", "budi.hartono", "2026-06-30", 3900, "D1", "done 2026-06-29"),
         ("Shelf plan for jars with two chains", "rina.kusuma", "2026-05-22", 800, "", "done 2026-06-04"))),
    "2026-06": (
        {"hendra.gunawan": "maya.putri", "rudi.siregar": "absent"},
        (("Unknown items", "Samples were booked as sales; five lines were set aside."),
         ("Sauces, Surabaya", "A competitor sells 8% cheaper."),
         ("Sales team", "One of three people in Medan leaves in June.")),
        (("Hold the sauce price", "A", "The margin lost is more than the volume", "Sales Surabaya would follow", "dewi.lestari", "plan_vs_budget", -0.002, "2026-09"),
         ("Fill the post in Medan", "A", "Pipeline coverage falls below two", "", "dewi.lestari", "pipeline_coverage", 0.3, "2027-01")),
        (("Samples get their own order type", "sari.wulandari", "2026-06-26", 0, "", "done 2026-06-24"),
         ("Candidates for the post in Medan", "rudi.siregar", "2026-07-10", 1100, "D2", "done 2026-07-24"),
         ("Watch sauce volumes in Surabaya weekly", "joko.widianto", "2026-07-31", 600, "D1", "done 2026-07-31"))),
    "2026-07": (
        {"agus.santoso": "budi.hartono"},
        (("Half year", "Revenue is 1.9% under budget; coffee and noodles make all of it."),
         ("Oven study", "A second line pays from 2028. Until then: building ahead, overtime, co-packer."),
         ("Chilli", "The supplier warns of late deliveries from September.")),
        (("No second oven line in 2027", "B", "It pays only above 30% growth", "Plant Sidoarjo: the third season will be short too", "hendra.gunawan", "capacity_load", 0.0, "2027-02"),
         ("Look for a second source of chilli", "A", "One supplier, late one time in three", "", "budi.hartono", "supplier_on_time", 0.03, "2026-12")),
        (("Second source for chilli, two quotes", "agus.santoso", "2026-08-21", 370, "D2", "moved 2026-08-20 2026-09-18"),
         ("Co-packers for biscuits: a list of three", "budi.hartono", "2026-08-05", 2700, "D1", "done 2026-08-04"),
         ("Reasons for the noodle gap by chain", "dewi.lestari", "2026-07-31", 5600, "", "done 2026-08-14"))),
    "2026-08": (
        {"maya.putri": "absent"},
        (("January prices", "Finance proposes 2.5% from January, as in each year."),
         ("Lebaran 2027", "It is eleven days earlier; the oven stop of four days falls in February."),
         ("Biscuit launch", "Sandwich biscuits start in August, slower than the like item.")),
        (("List prices +2.5% from January 2027", "A", "Wheat and sugar rose 3%", "Sales: coffee cannot carry it", "hendra.gunawan", "plan_vs_budget", 0.006, "2027-02"),
         ("Move the oven stop out of the season", "A", "Four days are worth 90 hours before Lebaran", "", "budi.hartono", "capacity_load", -0.15, "2027-02")),
        (("Move oven maintenance from February to November", "budi.hartono", "2026-09-25", 3500, "D2", "started 2026-09-07"),
         ("Announce prices to chains", "dewi.lestari", "2026-09-04", 2600, "D1", "done 2026-09-03"),
         ("Agree the cut-off for Medan returns", "sari.wulandari", "2026-09-30", 800, "", "started 2026-09-04"),
         ("Launch review: sandwich biscuits", "rina.kusuma", "2026-09-02", 700, "", "done 2026-09-08"))),
    "2026-09": (
        {"maya.putri": "absent", "sari.wulandari": "rina.kusuma"},
        (("Coffee, Medan", "The second largest customer may leave; a competitor cut its price by a tenth."),
         ("Segar Raya", "Melati Tea in all outlets from November. The contract is nearly signed."),
         ("Sales team", "Two more people are needed in Medan before March."),
         ("Syrup bottles", "The order for Lebaran leaves by mid-October.")),
        (("Ask co-packers for prices before October", "A", "The oven is short again before Lebaran", "", "budi.hartono", "otif", 0.02, "2027-02"),
         ("Do not follow the coffee price", "A", "Margin first; watch volume", "Sales Medan would follow", "dewi.lestari", "plan_vs_budget", -0.004, "2026-12")),
        (("Co-packer price for 22,000 cartons", "budi.hartono", "2026-10-07", 2700, "D1", ""),
         ("Cash plan for Rp 8.4 bn of bottles", "maya.putri", "2026-10-07", 8400, "", ""),
         ("Segar Raya start date in writing", "dewi.lestari", "2026-10-09", 1300, "", ""),
         ("Candidates for two posts", "rudi.siregar", "2026-10-12", 1700, "", ""))),
}
