"""The demo company's meetings: minutes of the eleven earlier cycles, and the notes people brought."""

from __future__ import annotations

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
    ("2026-09-24", "trade press", "Lebaran 2027 is expected on 10 March, eleven days earlier.", "Biscuits;Syrup"),
    ("2026-09-28", "marketing", "Mitra Mart confirms the year-end leaflet for biscuit tins.", "Biscuits"),
)


def minutes(cycle: str) -> dict:
    return {}
