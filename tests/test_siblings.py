"""What one item wins from its family: found where it is there, not claimed where it is not, taken off once."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, lifts, plan, siblings, windows

PLACES = ["EU", "US", "AS", "AF"]
ITEMS = frame("item family unit_price unit_cost", *[f"I{i} {'f' if i < 5 else 'g'} 10 6" for i in range(10)])
MONTHS = frames.months("2022-01", 48)


def company(share: float, *, noise: float = 0.03, seed: int = 1, lift: float = 0.5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten items in two families at four places, 100 a month each; the families share a fashion. One item at one place is promoted
    every other month, and its siblings there lose `share` of what it wins."""
    rng = np.random.default_rng(seed)
    y = np.full((10, 4, 48), 100.0)
    rows = []
    for k, month in enumerate(range(7, 44, 2)):
        item, place = int(rng.integers(10)), int(rng.integers(4))
        mates = [i for i in range(10) if (i < 5) == (item < 5) and i != item]
        y[item, place, month] += 100 * lift
        y[mates, place, month] -= share * 100 * lift / len(mates)
        rows.append(f"E{k} P promotion {MONTHS[month]:%Y-%m-%d} {MONTHS[month] + pd.offsets.MonthEnd(0):%Y-%m-%d} item I{item} {PLACES[place]} {lift}")
    fashion = np.exp(rng.normal(0, 0.08, (2, 1, 48))).repeat(5, axis=0)
    y = y * fashion * np.exp(rng.normal(0, noise, y.shape))
    grid = pd.MultiIndex.from_product([ITEMS["item"], PLACES, MONTHS], names=["item", "location", "month"]).to_frame(index=False)
    table = frames.conform(frame("event name kind start end level key location effect", *rows).astype({"event": str}), frames.EVENTS)
    return grid.assign(demand=y.ravel(), learned=y.ravel()), table


def flat(share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same without noise, and without the fashion."""
    h, table = company(share, noise=0.0)
    fashion = h.groupby([h["item"].isin(ITEMS["item"][:5]), "month"])["demand"].transform("median") / 100
    return h.assign(demand=h["demand"] / fashion, learned=h["learned"] / fashion), table


def test_every_docstring_example_holds():
    assert doctest.testmod(siblings).failed == 0 and doctest.testmod(windows).failed == 0


def test_without_noise_and_fashion_the_share_is_found_to_the_digit():
    h, table = flat(0.4)
    found = lifts.effects(h, table, ITEMS).set_index("family").loc["all"]
    assert found["effect"] * found["taken"] == pytest.approx(0.5 * 0.4, rel=0.002) and found["taken"] == pytest.approx(0.4, abs=0.003) and found["taken_used"]


@pytest.mark.parametrize("share", [0.0, 0.4, 0.8])
def test_with_noise_the_truth_lies_within_its_standard_errors(share):
    """Over twenty companies: the mean is right, and the stated error is the one they stray by."""
    found = pd.DataFrame([lifts.effects(*company(share, seed=seed), ITEMS).set_index("family").loc["all", ["taken", "taken_se"]] for seed in range(20)]).astype(float)
    assert found["taken"].mean() == pytest.approx(share, abs=3 * found["taken"].std() / np.sqrt(20) + 0.02)
    assert found["taken_se"].mean() == pytest.approx(found["taken"].std(), rel=0.5)


def test_what_is_not_there_is_seldom_claimed():
    """Nothing is taken: of forty companies at most two (5 %, and only one side counts) may say that it is."""
    assert sum(lifts.effects(*company(0.0, seed=seed), ITEMS)["taken_used"].any() for seed in range(100, 140)) <= 2


def test_one_place_alone_cannot_tell():
    h, table = company(0.8, noise=0.0)
    one = lifts.effects(h[h["location"] == "EU"], table, ITEMS)
    assert not one["taken_used"].any() and one["taken"].isna().all()


def test_the_past_is_flat_again_for_those_who_lost_too():
    """Without noise and fashion all is 100 again: the promoted item's lift is taken out, what its siblings lost is put back."""
    h, table = flat(0.4)
    measured = lifts.effects(h, table, ITEMS)
    told = lifts.without(h, table.assign(from_family=0.4), ITEMS, measured)
    silent = lifts.without(h, table, ITEMS, measured.assign(taken_used=False))
    assert told["demand"].to_numpy() == pytest.approx(100.0, rel=0.01) and silent["demand"].min() < 96
    assert (told["demand"] * told["lift"]).to_numpy() == pytest.approx(h["demand"].to_numpy())


def test_it_is_shown_with_its_standard_error_sure_or_not():
    for share, counts in ((0.4, "yes"), (0.0, "no")):
        told = lifts.shown(lifts.effects(*company(share), ITEMS)).set_index("what").loc["taken.promotion"]
        assert told["used"] == counts and told["family"] == "all" and told["effect"] == pytest.approx(share, abs=0.15) and told["se"] > 0


# --- in the plan ----------------------------------------------------------------------------------------------------

AHEAD = frames.months("2026-10", 3)


def planned(table: pd.DataFrame, baseline: dict[str, float], items: pd.DataFrame = ITEMS) -> pd.DataFrame:
    f = pd.DataFrame([(item, place, month, units) for item, units in baseline.items() for place in ("EU", "US") for month in AHEAD],
                     columns=["item", "location", "month", "baseline"])
    return plan.consensus(f, items=items, months=AHEAD, as_of="2026-10-01", events=table)


def events(*rows: str) -> pd.DataFrame:
    return frames.conform(frame("event name kind start end level key location effect from_family", *rows).astype({"event": str}), frames.EVENTS)


def test_a_promotion_takes_from_its_siblings_at_its_place_by_pencil():
    """I0 wins 50 in November in EU; 40 % of it, 20, is lost by I1 and I2 there, 60 to 40 as they sell. I5 is of another family."""
    table = events("E1 P promotion 2026-11-01 2026-11-30 item I0 EU 0.5 0.4")
    out = planned(table, {"I0": 100, "I1": 60, "I2": 40, "I5": 70})
    moved = out[out["events"] != 0].set_index(["item", "location"])["events"].to_dict()
    assert moved == {("I0", "EU"): 50, ("I1", "EU"): pytest.approx(-12), ("I2", "EU"): pytest.approx(-8)}


def test_a_launch_takes_what_was_said_of_what_it_sells_from_its_first_month_on():
    table = events("E1 L launch 2026-11-01 2026-11-20 item I0 all - 0.2")
    out = planned(table, {"I0": 50, "I1": 100})
    assert out[out["item"] == "I1"].groupby("month")["events"].sum().tolist() == pytest.approx([0, -20, -20])
    assert (out.loc[out["item"] == "I0", "events"] == 0).all()
    begun = events("E1 L launch 2026-09-01 2026-11-20 item I0 all - 0.2")
    assert (planned(begun, {"I0": 50, "I1": 100})["events"] == 0).all(), "it has begun: what it takes is in its siblings' past already"


def test_where_nothing_is_said_and_nothing_is_sure_nobody_loses():
    table = events("E1 P promotion 2026-11-01 2026-11-30 item I0 EU 0.5 -")
    weak = lifts.effects(*company(0.0), ITEMS)
    assert not weak["taken_used"].any() and lifts.planned(table, ITEMS, weak, first="2026-10")["from_family"].isna().all()
    sure = lifts.effects(*company(0.6, noise=0.01), ITEMS)
    told = lifts.planned(table, ITEMS, sure, first="2026-10")["from_family"].iloc[0]
    assert told == pytest.approx(0.6, abs=0.1)
    assert lifts.planned(table.assign(from_family=0.1), ITEMS, sure, first="2026-10")["from_family"].tolist() == [0.1], "what is said wins"
    assert lifts.planned(table.assign(from_family=0.0), ITEMS, sure, first="2026-10")["from_family"].tolist() == [0.0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=4, max_size=4), st.floats(-0.9, 3), st.floats(0, 1), st.sampled_from(["promotion", "launch"]))
def test_what_events_add_by_event_is_what_the_plan_adds_and_no_plan_is_below_zero(units, effect, share, kind):
    table = events("E1 P promotion 2026-11-05 2026-12-10 item I0 all 0.5 0.4").assign(effect=effect, from_family=share, kind=kind)
    out = planned(table, dict(zip(["I0", "I1", "I2", "I5"], units, strict=True)))
    assert (out["consensus"] >= 0).all() and (out.loc[out["item"] == "I5", "events"] == 0).all()
    told = lifts.adds(out, lifts.planned(table, ITEMS, lifts.effects(out, None, ITEMS), first="2026-10"), ITEMS)
    assert told["units"].sum() == pytest.approx(out["events"].sum(), abs=1e-6)
    by_month = lifts.by_month(told)
    assert by_month["taken"].sum() == pytest.approx(out.loc[out["item"] != "I0", "events"].sum(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 2), st.booleans()), min_size=1, max_size=8), st.floats(-1e6, 1e6), st.floats(0, 1))
def test_no_sibling_loses_more_than_it_has(rows, won, share):
    baseline, group, mine = (np.array(column) for column in zip(*rows, strict=True))
    out = siblings.losses(np.where(mine, won, 0.0)[:, None], baseline[:, None].astype(float), group, mine, share)[:, 0]
    assert (out[mine] == 0).all() and (np.abs(out) <= baseline * (1 + 1e-12)).all()
    for name in set(group):
        here, win = group == name, won * (mine & (group == name)).sum() * share
        assert abs(out[here].sum()) <= abs(win) * (1 + 1e-9) + 1e-9
