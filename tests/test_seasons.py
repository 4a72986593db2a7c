"""One order for one season: the newsvendor's, for items that live within the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers import frame

from sopnb import frames, order_sizes, seasons


def tables(*rows, price=250.0, sd=100.0):
    """A skier's winter of two months: 350 ± 100 pairs, as Chopra and Meindl have it, half of the spread in each month."""
    items = frames.conform(frame("item launch_date end_date unit_cost unit_price moq lot_multiple", *rows).assign(family="F"), frames.ITEMS)
    months = frames.months("2026-10", 18)
    plan = pd.concat([pd.DataFrame({"item": item, "location": "all", "month": months, "consensus": 0.0, "price": price}) for item in items["item"]])
    plan.loc[plan["month"].isin(months[2:4]), "consensus"] = 175.0
    half = seasons.BAND80 / 2 * sd / 2
    forecast = plan[["item", "location", "month"]].assign(baseline=plan["consensus"], lo80=plan["consensus"] - half, hi80=plan["consensus"] + half)
    return plan, forecast, items


def test_skis_of_chopra_and_meindl():
    """Price 250, cost 100, 80 for what is left: 468 pairs, profit 49,146 (49,147 in whole pairs)."""
    got = seasons.one_season(*tables("SKI 2026-12-01 2027-01-31 100 - - -"), clearance_discount=1 - 80 / 250, distribution="normal").iloc[0]
    assert (got.demand, got.sd) == pytest.approx((350, 100)) and got.ratio == pytest.approx(0.882, abs=1e-3)
    assert got.quantity == 469 and got.profit == pytest.approx(49146, abs=1) and got.because == ""
    assert (got["first"], got["last"]) == (pd.Timestamp("2026-12-01"), pd.Timestamp("2027-01-01"))


def test_the_order_obeys_lots_and_says_what_they_bring():
    got = seasons.one_season(*tables("SKI 2026-12-01 2027-01-31 100 - 480 25"), clearance_discount=0.68, distribution="normal").iloc[0]
    assert got.quantity == 500
    assert got.profit == pytest.approx(float(order_sizes.newsvendor(150, 20, 350, 100, quantity=500).profit))


def test_only_lives_within_the_plan_count():
    many = tables("OLD 2025-01-01 2027-01-31 100 - - -", "STAYS 2026-12-01 - 100 - - -", "LONG 2026-12-01 2029-01-31 100 - - -", "SKI 2026-12-01 2027-01-31 100 - - -")
    assert list(seasons.one_season(*many)["item"]) == ["SKI"]


def test_what_cannot_be_weighed_is_said():
    """Sold below cost: nothing. Worth its cost when cleared: no order is too large. Without a cost: unknown."""
    got = seasons.one_season(*tables("BELOW 2026-12-01 2027-01-31 300 - - -", "FREE 2026-12-01 2027-01-31 60 - - -", "NONE 2026-12-01 2027-01-31 - - - -"), clearance_discount=0.5)
    assert dict(zip(got["item"], got["because"], strict=True)) == {"BELOW": "below_cost", "FREE": "no_loss", "NONE": "unknown"}
    assert got.set_index("item").quantity["BELOW"] == 0 and np.isnan(got.set_index("item").quantity["FREE"])


def test_the_list_price_stands_in_and_no_season_is_no_row():
    plan, forecast, items = tables("SKI 2026-12-01 2027-01-31 100 250 - -")
    same = seasons.one_season(plan.assign(price=np.nan), forecast, items, clearance_discount=0.68)
    assert same.quantity[0] == seasons.one_season(plan, forecast, items, clearance_discount=0.68).quantity[0]
    assert seasons.one_season(plan, forecast, items.assign(end_date=pd.NaT)).empty


def test_inputs_stay_as_they_were():
    given = tables("SKI 2026-12-01 2027-01-31 100 250 - -")
    before = [t.copy() for t in given]
    seasons.one_season(*given)
    for was, now in zip(before, given, strict=True):
        pd.testing.assert_frame_equal(was, now)
