"""The charter, checked: who may decide, who holds which role, and the days of the month."""

from __future__ import annotations

import pandas as pd
import pytest
from helpers import frame
from pydantic import ValidationError

from sopnb import asked as asking
from sopnb import charter, frames, meeting_page, words
from sopnb.params_meeting import Charter, Meeting

PEOPLE = frame("person name role", "p01 Dewi Sales_director", "p02 Budi Supply_manager", "p03 Maya Finance_manager")
PEOPLE["role"] = PEOPLE["role"].str.replace("_", " ")
ASKED = frames.conform(pd.DataFrame([
    {"decision": "D1", "position": 1, "question": "meeting.ask_late", "values": "{}", "decides": None, "by": "2026-10-08", "amount": 60.0, "recommended": None, "exception": "x", "kind": "overload", "overlap": 0.0},
    {"decision": "D2", "position": 2, "question": "meeting.ask_late", "values": "{}", "decides": "p01", "by": "2026-10-08", "amount": 5.0, "recommended": None, "exception": "y", "kind": "excess", "overlap": 0.0}]), frames.ASKED)


def check(asked: pd.DataFrame = ASKED.iloc[1:], **more: object) -> dict[str, str]:
    settings = {"stated": True, "purpose": "Agree one plan", "roles": {"Sales director": "sells"}, "decides": {"excess": ["Sales director"]}, "days": [], "people": PEOPLE, "meeting_day": "2026-10-08", **more}
    found = charter.check(asked, **settings)
    assert found["severity"].isin(["amber"]).all()
    return {rule.removeprefix("meeting.found_"): words.message(rule, values).text for rule, values in zip(found["rule"], found["values"], strict=True)}


def test_a_charter_that_fits_has_no_findings():
    assert check() == {}


def test_a_decision_without_an_entitled_decider_is_a_finding_that_says_what_to_add():
    told = check(ASKED)["undecided"]
    assert "take D1: no role decides on overload" in told and "Add overload: ROLE under meeting.charter.decides" in told
    found = charter.check(ASKED, stated=True, purpose="x", roles={}, decides={}, days=[], people=PEOPLE, meeting_day="2026-10-08")
    assert found["amount"].sum() == 60


def test_a_role_that_decides_and_that_nobody_has_is_a_finding():
    told = check(ASKED, decides={"excess": ["Sales director"], "overload": ["Plant manager"]})
    assert "Plant manager decides on overload, and nobody has that role" in told["unheld"] and "Nobody has the role Plant manager" in told["empty_role"]
    assert "Supply manger" in check(decides={"excess": ["Sales director"], "short": ["Supply manger"]})["empty_role.near"]


def test_a_kind_given_to_two_is_a_finding():
    assert "excess: Sales director, Finance manager" in check(decides={"excess": ["Sales director", "Finance manager"]})["two_roles"]
    two = pd.concat([PEOPLE, frame("person name role", "p04 Rudi x").assign(role="Sales director")], ignore_index=True)
    assert "Dewi, Rudi" in check(people=two)["two_people"]


def test_old_and_new_keys_that_disagree_are_two_roles():
    held = Meeting(decides={"excess": "Finance manager", "short": "Supply manager"}, charter={"decides": {"excess": "Sales director"}, "purpose": ""}, purpose="Agree")
    assert held.entitled == {"excess": ["Sales director", "Finance manager"], "short": ["Supply manager"]} and held.aim == "Agree"
    assert "two_roles" in check(decides=held.entitled)
    assert Meeting(decides={"excess": "Sales director"}, charter={"decides": {"excess": "Sales director"}}).entitled == {"excess": ["Sales director"]}


def test_no_charter_and_no_purpose_are_said_plainly_with_the_remedy():
    told = check(stated=False, purpose="", roles={}, decides={})
    found = charter.check(ASKED.iloc[1:], stated=False, purpose="", roles={}, decides={}, days=[], people=PEOPLE, meeting_day="2026-10-08")
    page = meeting_page.charter(found, roles={}, decides={}, days=charter.dated([], month="2026-10"), people=PEOPLE, names={}, cycle="2026-10")
    assert page.text.startswith("Nothing says who may decide what.")
    assert list(told) == ["no_charter"] and "Say under meeting.charter in the params file" in told["no_charter"]
    assert "Add purpose" in check(purpose="")["no_purpose"]


def test_people_without_a_role_are_named():
    assert "Maya" in check(people=PEOPLE.assign(role=["Sales director", "Supply manager", None]))["no_role"]
    assert check(people=None) == {}, "without people no role can be looked for"


def test_a_kind_that_no_decision_has_is_told_with_the_nearest():
    assert "Did you mean budget?" in check(decides={"excess": ["Sales director"], "budgets": ["Sales director"]})["unknown_kind.near"]
    with pytest.raises(ValidationError, match="Did you mean budget"):
        Charter(decides={"budgets": "Sales director"})


@pytest.mark.parametrize(("day", "rule", "told"), [
    ({"day": 9, "what": "S&OP meeting", "owner": ""}, "other_day", "Friday 9 October, and meeting.day says Thursday 8 October"),
    ({"day": 12, "what": "Board", "owner": "", "step": "meeting"}, "other_day", "Monday 12 October"),
    ({"day": 9, "what": "Supply review", "owner": "", "step": "supply"}, "too_late", "after the meeting of Thursday 8 October"),
    ({"day": 7, "what": "Recap", "owner": "", "step": "recap"}, "too_early", "before the meeting of Thursday 8 October"),
    ({"day": 4, "what": "Extracts", "owner": "", "step": "collect"}, "day_off", "Sunday 4 October, which is no working day; the last one before it is Friday 2 October"),
])
def test_days_that_contradict_the_meeting_or_fall_on_holidays_are_told(day: dict, rule: str, told: str):
    assert told in check(days=[day])[rule]


def test_a_public_holiday_is_no_working_day_and_a_meeting_on_one_is_told_with_the_next_day():
    """17 August is Indonesia's independence day, in 2026 a Monday."""
    assert "Monday 17 August" in check(meeting_day="2026-08-17", country="ID")["meeting_off"] and "Tuesday 18 August" in check(meeting_day="2026-08-17", country="ID")["meeting_off"]
    assert check(meeting_day="2026-08-17") == {}


def test_steps_in_the_wrong_order_are_told():
    days = [{"day": 1, "what": "Supply review", "owner": "", "step": "supply"}, {"day": 2, "what": "Demand review", "owner": "", "step": "demand"}]
    assert check(days=days)["wrong_order"].startswith("Supply review (Thursday 1 October) comes before Demand review (Friday 2 October)")


def test_the_last_day_of_a_short_month_is_its_last():
    assert charter.dated([{"day": 31, "what": "Close"}], month="2027-02")["on"].tolist() == [pd.Timestamp("2027-02-28")]


def test_the_page_shows_roles_rights_and_days():
    days = charter.dated([{"day": 2, "what": "Demand review", "owner": "p01"}], month="2026-10")
    text = meeting_page.charter(frames.empty(frames.MEETING_FINDINGS), roles={"Sales director": "sells", "Ghost": ""}, decides={"excess": ["Sales director"]}, days=days, people=PEOPLE, names={"p01": "Dewi"},
                                cycle="2026-10").text
    for part in ("The charter fits", "Sales director", "Dewi", "stock that is too much", "Ghost", "nobody", "Demand review"):
        assert part in text, part


def test_who_decides_is_the_first_role_that_somebody_holds():
    assert asking.entitled("excess", {"excess": ["Plant manager", "Finance manager"]}, PEOPLE) == "p03"
    assert asking.entitled("obsolete", {"excess": "Sales director"}, PEOPLE) == "p01" and asking.entitled("late", {}, PEOPLE) is None


def test_the_hour_zone_and_place_are_checked():
    assert Meeting(time=570).time == "09:30", "YAML reads an unquoted 9:30 as a number"
    for wrong in ({"time": "25:00"}, {"time": "nine"}, {"timezone": "Asia/Jakrta"}):
        with pytest.raises(ValidationError, match=r"hour of the day|Did you mean Asia/Jakarta"):
            Meeting(**wrong)
