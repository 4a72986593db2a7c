"""The pipeline as demand, quotas, and what the reps can sell."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import frames, sales

MONTHS = frames.months("2026-10", 12)
REPS = frame("rep territory start end", "Budi West 2020-01-01 -", "Sari East 2026-07-01 -", "Adi East 2024-01-01 2026-11-30")


def opportunities(*rows: str) -> pd.DataFrame:
    table = frame("opportunity item family rep territory amount created close_date outcome flag_new", *rows)
    return frames.conform(table.assign(stage="x"), frames.OPPORTUNITIES)


CLOSED = opportunities(
    "W1 A Tea Budi West 100 2026-01-01 2026-01-11 won -", "W2 A Tea Budi West 300 2026-01-01 2026-03-12 won -",
    "L1 A Tea Sari East 0 2026-01-01 2026-01-21 lost -", "L2 A Tea Sari East 0 2026-01-01 2026-05-01 lost -")
OPEN = opportunities(
    "O1 A Tea Budi West 900 2026-09-01 2026-11-15 - -", "O2 A Tea Budi West 90 2026-09-01 2026-11-15 - -",
    "O3 - Tea Budi West 60 2026-09-01 2026-08-15 - new", "O4 X Cars Sari East 600 2026-09-01 - - new")


# --- pipeline -------------------------------------------------------------------------------------------------------

def test_the_chance_is_won_of_closed_among_deals_still_open_at_that_age():
    """Closed after 10, 20, 70 and 120 days: from 30 days on, one of two was won; from 90 on, none of one."""
    rates = sales.win_rates(CLOSED, as_of="2026-10-01", prior=0).set_index("age_from")
    assert rates["raw"].dropna().to_dict() == {0: 0.5, 30: 0.5, 60: 0.5, 90: 0.0}
    assert rates.loc[90, ["won", "lost"]].tolist() == [0, 1]


def test_few_deals_do_not_make_a_certainty():
    """Half of all are won; the one lost deal older than 90 days, against 10 borrowed at a half: 5 of 11."""
    rates = sales.win_rates(CLOSED, as_of="2026-10-01").set_index("age_from")["rate"]
    assert rates[60] == pytest.approx(0.5) and rates[90] == pytest.approx(5 / 11)


def test_a_deal_closed_later_was_open_then():
    assert len(sales.deals(CLOSED, as_of="2026-02-01")) == 2
    assert sales.win_rates(CLOSED, as_of="2026-02-01").loc[0, ["won", "lost"]].tolist() == [1, 1]


def test_only_large_or_new_deals_are_added_the_others_are_in_the_run_rate():
    book = pd.concat([CLOSED, OPEN])
    assert sales.deals(book, as_of="2026-10-01", minimum=500).query("added")["opportunity"].tolist() == ["O1", "O3", "O4"]
    assert sales.deals(book, as_of="2026-10-01").query("added")["opportunity"].tolist() == ["O3", "O4"], "no minimum: flagged ones only"


def test_expected_money_is_spread_from_the_month_of_closing():
    """O1: 900 at one half, over three months from November. O3 is overdue: from October on."""
    book = pd.concat([CLOSED, OPEN])
    table = sales.pipeline(book, months=MONTHS, as_of="2026-10-01", minimum=500, spread_months=3, items=frame("item family", "A Tea"))
    found = table.set_index(["level", "month"])["amount"]
    assert found["item"].to_dict() == {m: pytest.approx(150) for m in MONTHS[1:4]}
    assert found["family"].to_dict() == {m: pytest.approx(10) for m in MONTHS[0:3]}
    assert found["total"].to_dict() == {m: pytest.approx(100) for m in MONTHS[0:3]}, "an unknown item of an unknown family"


def test_what_is_delivered_after_the_horizon_is_not_in_the_plan():
    table = sales.pipeline(pd.concat([CLOSED, OPEN]), months=MONTHS[:2], as_of="2026-10-01", minimum=500, spread_months=6)
    assert table.query("level == 'item' and key == 'A'")["amount"].sum() == pytest.approx(75)


def test_a_deal_without_an_amount_counts_as_the_mean_of_those_won():
    book = pd.concat([CLOSED, opportunities("O9 A Tea Budi West - 2026-09-30 2026-11-15 - new")])
    assert sales.deals(book, as_of="2026-10-01")["amount"].tolist() == [200]


def test_no_deals_at_all():
    none = frames.empty(frames.OPPORTUNITIES)
    assert sales.pipeline(none, months=MONTHS, as_of="2026-10-01").empty
    assert sales.win_rates(none, as_of="2026-10-01")["rate"].tolist() == [0] * len(sales.AGES)


# --- quotas ---------------------------------------------------------------------------------------------------------

def test_attainment_is_sold_over_quota():
    quotas = frame("rep month quota", "Budi 2026-01 80", "Budi 2026-03 120", "Sari 2026-01 50")
    sold = sales.won(CLOSED, as_of="2026-10-01")
    assert sales.attainment(sold, quotas, REPS).values.tolist() == [["Budi", 400, 200, 2.0], ["Sari", 0, 50, 0.0]]
    by_territory = sales.attainment(sold, quotas, REPS, by=["territory", "month"], first=pd.Timestamp("2026-03-01"))
    assert by_territory[["territory", "sold", "quota"]].values.tolist() == [["West", 300, 120]]
    assert sales.usual_attainment(sold, quotas, as_of="2026-10-01") == pytest.approx(400 / 250)


def test_coverage_is_given_over_the_full_and_over_the_remaining_quota():
    """West: 1,050 open (O1, O2, O3) against a quota of 1,400 of which 400 are won."""
    quotas = frame("rep month quota", "Budi 2026-01 1400", "Sari 2026-12 300")
    found = sales.coverage(pd.concat([CLOSED, OPEN]), quotas, REPS, as_of="2026-10-01", first="2026-01", last="2026-12").set_index("territory")
    assert found.loc["West", ["pipeline", "quota", "won", "remaining"]].tolist() == [1050, 1400, 400, 1000]
    assert found.loc["West", "coverage_full"] == 0.75 and found.loc["West", "coverage_remaining"] == 1.05


# --- capacity -------------------------------------------------------------------------------------------------------

def hiring(target: float | list[float], reps: pd.DataFrame = REPS.iloc[:1], **how):
    values = target if isinstance(target, list) else [target] * len(MONTHS)
    how = {"attainment": 0.8, "ramp_months": 3, "attrition": 0.0, "recruiting_months": 2, **how}
    quotas = frame("rep month quota", "Budi 2026-09 100")
    return sales.capacity(reps, quotas, pd.DataFrame({"month": MONTHS, "target": values}), months=MONTHS, as_of="2026-10-01", **how)


def test_ramped_and_ramping_reps_sell_what_a_published_example_says():
    """7 ramped reps × 150k × 85 % + 3 ramping × 150k × 40 % = 1.0725M (Metrickit, Sales capacity guide).

    Its 40 % holds the attainment already, so that the ramp is 0.40 / 0.85."""
    team = frame("rep start end", *[f"R{n} 2020-01-01 -" for n in range(7)], *[f"N{n} 2026-10-01 -" for n in range(3)])
    quotas = frame("rep month quota", *[f"R{n} 2026-10 150000" for n in range(7)])
    first = sales.capacity(team, quotas, frame("month target", "2026-10 1072500"), months=MONTHS[:1], as_of="2026-10-01",
                           attainment=0.85, ramp_months=[0.40 / 0.85], attrition=0.0).iloc[0]
    assert first["capacity"] == pytest.approx(1_072_500) and first["gap"] == pytest.approx(0, abs=1e-6)


def test_target_over_quota_is_a_warning_only():
    """6M over a quota of 800k says 7.5 reps; at 80 % attainment it takes 9.4, before anyone is ramping or leaves."""
    quotas = frame("rep month quota", "Budi 2026-09 800000")
    found = sales.capacity(REPS.iloc[:1], quotas, frame("month target", "2027-09 6000000"), months=MONTHS, as_of="2026-10-01",
                           attainment=0.8, attrition=0.0, ramp_months=6)
    assert found["naive_reps"].iloc[-1] == 7.5
    assert 1 + found["hires"].sum() == 10


def test_reps_sell_more_before_the_feast_but_not_in_the_year():
    """100 a month, 200 in the month of the feast and 50 after it: who can sell the year can sell its feast, and nobody is hired for it."""
    feast = [100.0] * 4 + [200.0, 50.0] + [100.0] * 6
    target = pd.DataFrame({"month": MONTHS, "target": feast})
    mean = sum(feast) / 12
    assert sales.season(target).tolist() == pytest.approx([value / mean for value in feast])
    flat, shaped = hiring(feast, attainment=mean / 100), hiring(feast, attainment=mean / 100, season=sales.season(target))
    assert shaped["gap"].abs().max() < 1e-9 and shaped["hires"].sum() == 0
    assert flat["gap"].min() < -90 and shaped["capacity"].sum() == pytest.approx(flat["capacity"].sum())


def test_a_season_is_not_growth_and_a_short_plan_has_none():
    """Twice the demand from a month on is asked of the reps as it is; eleven months show no year."""
    months = pd.date_range("2026-10-01", periods=24, freq="MS")
    steps = sales.season(pd.DataFrame({"month": months, "target": [100.0] * 12 + [200.0] * 12}))
    assert steps.iloc[0] == 1 and steps.iloc[-1] == 1
    assert sales.season(pd.DataFrame({"month": MONTHS[:11], "target": range(1, 12)})).eq(1).all()


def test_new_reps_ramp_and_leavers_leave():
    """Sari began in July: ramped in October. Adi's last day is in November."""
    found = hiring(0, REPS)
    assert found["reps"].tolist()[:3] == [3, 3, 2] and found["capacity"].tolist()[:3] == [240, 240, 160]


def test_hires_start_after_recruiting_and_as_late_as_the_ramp_allows():
    """80 a month from one rep, 160 wanted: one hire; recruited by December, ramped in March, the first month that can be met."""
    found = hiring(160.0)
    assert found["hires"].tolist() == [0, 0, 1] + [0] * 9
    assert found["gap"].eq(-80).all() and (found["hired"].iloc[5:] >= 160 - 1e-9).all()
    late = hiring([80.0] * 9 + [160.0] * 3)
    assert late["hires"].tolist().index(1) == 6, "three months of ramp before July"


def test_enough_people_hire_nobody_and_without_quotas_nobody_can_tell():
    assert hiring(80.0)["hires"].sum() == 0
    none = sales.capacity(REPS, frames.empty(frames.QUOTAS), frame("month target", "2026-10 5"), months=MONTHS, as_of="2026-10-01", attainment=1.0)
    assert none["hires"].sum() == 0 and none["naive_reps"].isna().all()


def test_attrition_takes_its_share_each_month():
    found = hiring(0, attrition=0.15)
    assert found["capacity"].iloc[0] == 80 and found["capacity"].iloc[6] == pytest.approx(80 * 0.85**0.5)


@settings(max_examples=25, deadline=None)
@given(targets=st.lists(st.integers(0, 400), min_size=6, max_size=6), attrition=st.sampled_from([0.0, 0.2]))
def test_no_smaller_set_of_hires_closes_the_gap(targets, attrition):
    """Against all ways to hire one fewer, over six months, of which hiring can reach the last three."""
    months = MONTHS[:6]
    quotas = frame("rep month quota", "Budi 2026-09 100")
    target = pd.DataFrame({"month": months, "target": np.array(targets, dtype=float)})
    found = sales.capacity(REPS.iloc[:1], quotas, target, months=months, as_of="2026-10-01", attainment=1.0, ramp_months=2, attrition=attrition, recruiting_months=1)
    reach = found.iloc[3:]
    assert (reach["hired"] >= reach["target"] - 1e-6).all()
    total = int(found["hires"].sum())
    for starts in itertools.combinations_with_replacement(range(1, 6), max(total - 1, 0)) if total else []:
        worth = [sum(100 * min(max(t - s, 0) / 2, 1) * (1 - attrition) ** (max(t - s, 0) / 12) for s in starts) for t in range(3, 6)]
        assert (reach["capacity"].to_numpy() + worth < reach["target"].to_numpy() - 1e-6).any()


# --- a real pipeline ------------------------------------------------------------------------------------------------

CRM = Path(os.environ.get("SOPNB_CRM", Path(__file__).parents[2] / "shared" / "data" / "crm"))


@pytest.mark.skipif(not (CRM / "sales_pipeline.csv").is_file(), reason="the CRM opportunities are not part of the repository")
def test_the_win_rate_of_a_real_pipeline():
    """Maven Analytics, CRM Sales Opportunities: 4,238 won and 2,473 lost, 63.15 %; 2,089 open."""
    raw = pd.read_csv(CRM / "sales_pipeline.csv")
    book = frames.conform(raw.assign(
        outcome=raw["deal_stage"].str.lower().where(raw["deal_stage"].isin(["Won", "Lost"])),
        item=raw["product"].replace("GTXPro", "GTX Pro"),
    ).rename(columns={"opportunity_id": "opportunity", "sales_agent": "rep", "deal_stage": "stage", "close_value": "amount", "engage_date": "created"})[
        ["opportunity", "account", "item", "rep", "stage", "amount", "created", "close_date", "outcome"]], frames.OPPORTUNITIES)
    rates = sales.win_rates(book, as_of="2017-12-31")
    assert rates.loc[0, ["won", "lost"]].tolist() == [4238, 2473]
    assert rates["raw"].iloc[0] == pytest.approx(0.6315, abs=5e-5)
    open_deals = sales.deals(book, as_of="2017-12-31")
    assert len(open_deals) == 1589 + 500
    assert open_deals["amount"].notna().all() and open_deals["chance"].between(0, 1).all()
    assert sales.won(book, as_of="2017-12-31")["amount"].sum() == raw["close_value"].sum()
