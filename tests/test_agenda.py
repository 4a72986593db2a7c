"""The agenda: what becomes a point, the template, what people change, and minutes that add up whatever they do."""

from __future__ import annotations

import doctest
import json

import pandas as pd
import pytest
from helpers import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sopnb import agenda, charter, frames, params_meeting, words
from sopnb.params_meeting import AgendaPoint, Meeting

PEOPLE = frame("person name role", "p01 Dewi Chair", "p02 Budi Supply_manager", "p03 Maya Finance_manager")
ACTIONS = frame("action title owner state overdue_days age_days due amount", "2026-08-A1 Call p02 open 13 40 2026-09-18 100", "2026-08-A2 Ask p03 started 1 20 2026-09-30 300",
                "2026-08-A3 Later p03 open 0 20 2026-10-30 70", "2026-08-A4 Gone p03 done 0 20 2026-09-01 70")
KPIS = frame("kpi scope month status", "otif all 2026-07 watch", "otif all 2026-08 off", "otif all 2026-09 off", "cover all 2026-07 off", "cover all 2026-08 on", "cover all 2026-09 off",
             "bias all 2026-09 on", "otif north 2026-09 off")
INSIGHTS = pd.DataFrame({"amount": [50.0, -30.0]})


def build(minutes: int = 60, changes: pd.DataFrame | None = None, template: tuple = (), **more: object) -> agenda.Agenda:
    settings = {"insights": INSIGHTS, "kpis": KPIS, "actions": ACTIONS, "people": PEOPLE, "chair": "p01", **more}
    return agenda.build(minutes=minutes, month="2026-09", changes=changes, template=[line if isinstance(line, dict) else line.model_dump() for line in template], **settings)


def said(*lines: tuple[str, str, dict]) -> pd.DataFrame:
    """Changes in order: verb, point, what else was said."""
    rows = [{"change": i, "verb": verb, "point": point, "who": "p09", "day": "2026-10-02", **more} for i, (verb, point, more) in enumerate(lines, start=1)]
    return frames.conform(pd.DataFrame(rows).reindex(columns=frames.AGENDA_CHANGES.names), frames.AGENDA_CHANGES)


def keys(found: agenda.Agenda) -> list[str]:
    return found.points.sort_values("position")["key"].tolist()


def test_examples():
    assert doctest.testmod(agenda).failed == 0 and doctest.testmod(charter).failed == 0


# --- what becomes a point -------------------------------------------------------------------------------------------

def test_each_overdue_action_rises_by_itself_with_its_name_age_owner_and_money():
    points = build().points.set_index("key")
    assert [key for key in keys(build()) if key.startswith("action-")] == ["action-2026-08-A1", "action-2026-08-A2"], "the longest overdue first; what is not due or done does not rise"
    row = points.loc["action-2026-08-A1"]
    assert (row["owner"], row["amount"]) == ("p02", 100)
    assert words.message(row["topic"], row["values"]).text == "Overdue since 18 September 2026, 40 days old: Call"


def test_actions_in_time_have_no_money_at_stake_beside_them():
    """Rp 0 would say that nothing hangs on them."""
    assert pd.isna(build(actions=ACTIONS.assign(overdue_days=0)).points.set_index("key").loc["actions", "amount"])


def test_with_many_overdue_actions_the_others_are_counted_in_one_point():
    many = pd.concat([ACTIONS.head(1).assign(action=f"2026-08-A{i}", overdue_days=i) for i in range(1, 12)], ignore_index=True)
    found = build(actions=many)
    assert sum(key.startswith("action-") for key in keys(found)) == agenda.MOST_OVERDUE
    row = found.points.set_index("key").loc["actions"]
    assert words.message(row["topic"], row["values"]).text == "Actions agreed: 11 still open, 11 overdue; the 8 that are longest overdue have a point each"


def test_measures_off_target_are_named_and_those_that_keep_missing_are_a_point():
    """On time in full missed three months in a row; cover was on target in August; one region is not the company."""
    points = build(measures={"otif": "On time in full", "cover": "Stock cover"}).points.set_index("key")
    assert words.message(points.loc["results", "topic"], points.loc["results", "values"]).text == "Results: 1 of 3 measures on target; off target: Stock cover, On time in full"
    assert json.loads(points.loc["signals", "values"]) == {"n": 1, "names": "On time in full (3)"}
    assert agenda.missed(KPIS[KPIS["scope"] == "all"], month="2026-09")[["kpi", "months"]].to_numpy().tolist() == [["otif", 3]]
    assert "signals" not in keys(build(kpis=KPIS[KPIS["month"] > "2026-07-31"]))


def test_what_failed_is_a_point_with_its_money_and_what_nobody_judged_is_one_together():
    log = frame("assumption text if_not amount owner state overdue_days", "S1 Sugar 17000 -40 p02 failed 0", "S2 Glass late -10 p03 open 5", "S3 Tea - 5 p03 open 2", "S4 Oil - 5 p03 held 0")
    points = build(assumptions=log).points.set_index("key")
    assert (points.loc["assumption-S1", "amount"], points.loc["assumption-S1", "owner"], points.loc["assumption-S1", "part"]) == (-40, "p02", "now")
    assert json.loads(points.loc["assumptions", "values"]) == {"n": 2, "text": "Glass"} and points.loc["assumptions", "amount"] == 15


def test_a_decision_keeps_its_key_when_its_numbers_and_month_change():
    """The oven lacks hours in February, next run in January: the same matter. Two of one matter are told apart by their month."""
    def asked(*groups: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame([{"position": i, "decision": f"D{i}", "exception": group, "kind": "overload", "question": "meeting.ask_late", "decides": "p02", "amount": 9.0,
                              "values": json.dumps({"first": first, "what": "x", "units": 5})} for i, (group, first) in enumerate(groups, start=1)])
    assert "decision-overload-biscuit-oven" in keys(build(asked=asked(("overload-Biscuit oven-202702", "2027-02-01"))))
    assert "decision-overload-biscuit-oven" in keys(build(asked=asked(("overload-Biscuit oven-202701", "2027-01-01"), ("all-excess", "2026-10-01"))))
    assert [key for key in keys(build(asked=asked(("overload-Oven-202701", "2027-01-01"), ("overload-Oven-202704", "2027-04-01")))) if "oven" in key] == [
        "decision-overload-oven-2027-01", "decision-overload-oven-2027-04"]


# --- the template ---------------------------------------------------------------------------------------------------

def test_the_template_orders_adds_leaves_out_and_gives_minutes_and_words():
    template = (AgendaPoint(title="Safety minute", minutes=1, owner="supply"), AgendaPoint(point="results", minutes=7, title="How did we do?"), AgendaPoint(point="actions", owner="p03"),
                AgendaPoint(point="jumps", minutes=0))
    found = build(template=template)
    assert keys(found) == ["own-safety-minute", "results", "signals", "actions", "action-2026-08-A1", "action-2026-08-A2", "close"], "overdue actions go with the actions"
    points = found.points.set_index("key")
    assert points.loc[["own-safety-minute", "results"], "minutes"].tolist() == [1, 7] and points["minutes"].sum() == 60
    assert points.loc["own-safety-minute", "owner"] == "p02", "a role stands for who has it"
    assert points.loc["actions", "owner"] == "p03"
    assert words.message(points.loc["results", "topic"], points.loc["results", "values"]).text == "How did we do?"


def test_a_template_that_names_one_point_moves_nothing_and_the_order_of_time_stays():
    plain = keys(build())
    assert keys(build(template=(AgendaPoint(point="close", minutes=10),))) == plain
    assert keys(build(template=(AgendaPoint(point="jumps", weight=9),))) == plain
    assert keys(build(template=(AgendaPoint(point="jumps"), AgendaPoint(point="results")))) == plain, "drops and surges are of now, results of last month"
    assert keys(build(template=(AgendaPoint(point="jumps"), AgendaPoint(title="Guests"))))[-2:] == ["own-guests", "close"], "a point of one's own stands behind the line above it"


@pytest.mark.parametrize(("line", "told"), [
    ({"point": "result"}, "Did you mean results"), ({}, "needs a point of the facts"), ({"point": "plan", "part": "now"}, "leave `part` out"),
    ({"point": "decision", "title": "x"}, "leave `title` out"), ({"title": "x", "minutes": -1}, "greater than or equal to 0"),
])
def test_a_template_that_cannot_be_is_refused_in_words(line: dict, told: str):
    with pytest.raises(ValidationError, match=told):
        AgendaPoint(**line)


def test_a_point_named_twice_is_refused():
    with pytest.raises(ValidationError, match="results stands twice"):
        Meeting(agenda=[{"point": "results"}, {"point": "results", "minutes": 3}])


def test_the_parameters_name_the_points_and_kinds_that_there_are():
    assert set(params_meeting.POINTS) | {"own", "reserve"} == set(agenda.WEIGHTS)
    assert params_meeting.KINDS == charter.KINDS


# --- what people change ---------------------------------------------------------------------------------------------

def test_people_add_drop_move_and_restore_and_it_stays_when_the_numbers_change():
    changes = said(("drop", "jumps", {"amount": 80.0}), ("move", "action-2026-08-A2", {"position": 1, "minutes": 9, "owner": "p01"}), ("add", "own-visit", {"title": "Visit", "part": "now", "minutes": 5}))
    for actions in (ACTIONS, ACTIONS.assign(overdue_days=[3, 60, 0, 0], amount=[1.0, 2.0, 3.0, 4.0])):
        found = build(changes=changes, actions=actions)
        assert keys(found)[0] == "action-2026-08-A2" and "jumps" not in keys(found) and keys(found)[-2:] == ["own-visit", "close"]
        row = found.points.set_index("key").loc["action-2026-08-A2"]
        assert (row["minutes"], row["owner"], row["edited"], row["edited_by"]) == (9, "p01", "move", "p09")
        assert found.points["minutes"].sum() == 60 and found.findings.empty
    back = build(changes=pd.concat([changes, said(("restore", "jumps", {}), ("restore", "action-2026-08-A2", {})).assign(change=[4, 5])]))
    assert set(keys(back)) == {*keys(build()), "own-visit"}
    assert keys(back).index("action-2026-08-A2") == keys(build()).index("action-2026-08-A2")


def test_a_point_of_ones_own_may_be_dropped_and_comes_back_as_it_was_added():
    add, drop = ("add", "own-visit", {"title": "Visit", "minutes": 5}), ("drop", "own-visit", {})
    assert "own-visit" not in keys(build(changes=said(add, drop)))
    back = build(changes=said(add, drop, ("restore", "own-visit", {}))).points.set_index("key")
    assert json.loads(back.loc["own-visit", "values"]) == {"title": "Visit"}


def test_a_change_of_a_point_that_is_no_more_is_told_and_not_lost():
    found = build(changes=said(("drop", "decision-budget", {"title": "Gap to budget"})))
    assert found.findings["rule"].tolist() == ["meeting.found_gone"] and keys(found) == keys(build())
    assert "p09 changed the agenda on 2 October 2026 (Gap to budget), and there is no such point any more" in words.message(found.findings["rule"][0], found.findings["values"][0]).text


def test_a_dropped_point_that_grows_by_half_stays_dropped_and_is_told():
    """Dropped at 50, by now 80: told. Dropped at 60, by now 80: a third more is not."""
    grown = build(changes=said(("drop", "jumps", {"amount": 50.0, "title": "Jumps"})))
    assert "jumps" not in keys(grown) and grown.findings["rule"].tolist() == ["meeting.found_grown"] and grown.findings["amount"].tolist() == [80]
    assert "at USD 50; by now USD 80 is at stake" in words.message(grown.findings["rule"][0], grown.findings["values"][0]).text
    assert build(changes=said(("drop", "jumps", {"amount": 60.0}))).findings.empty


def test_own_minutes_that_leave_too_few_are_cut_and_told():
    found = build(minutes=30, template=(AgendaPoint(point="results", minutes=40), AgendaPoint(point="actions", minutes=20)))
    assert found.points["minutes"].sum() == 30 and found.points["minutes"].min() >= 1
    assert found.findings["rule"].tolist() == ["meeting.found_over"]
    assert "ask for 60 of 30 minutes" in words.message(found.findings["rule"][0], found.findings["values"][0]).text


def test_time_that_no_point_asks_for_is_shown_as_time_in_hand():
    found = build(actions=None, kpis=None, insights=None, template=(AgendaPoint(point="close", minutes=10),))
    assert found.points[["key", "minutes"]].to_numpy().tolist() == [["close", 10], ["reserve", 50]]
    empty = build(actions=None, kpis=None, insights=None, changes=said(("drop", "close", {})))
    assert empty.points[["key", "minutes"]].to_numpy().tolist() == [["reserve", 60]]


def test_points_beyond_the_minutes_are_told_and_those_that_people_put_there_stay():
    many = pd.concat([ACTIONS.head(1).assign(action=f"2026-08-A{i}", overdue_days=i) for i in range(1, 9)], ignore_index=True)
    found = build(minutes=10, actions=many, changes=said(("add", "own-visit", {"title": "Visit"})))
    assert len(found.points) == 10 and "own-visit" in keys(found) and found.points["minutes"].tolist() == [1] * 10
    assert found.findings["rule"].tolist() == ["meeting.found_full"]


VERBS = st.sampled_from(["add", "drop", "move", "restore"])
CHANGE = st.tuples(VERBS, st.sampled_from(["results", "actions", "action-2026-08-A1", "jumps", "close", "own-a", "own-b", "nothing"]),
                   st.fixed_dictionaries({}, optional={"position": st.integers(1, 40), "minutes": st.integers(1, 90), "owner": st.just("p02"), "part": st.sampled_from(["last", "now", "ahead"])}))
LINE = st.builds(lambda point, minutes, weight: {"point": point, "minutes": minutes, "weight": weight, "title": "", "owner": "", "part": None},
                 st.sampled_from(["results", "actions", "jumps", "close", "overdue"]), st.none() | st.integers(0, 90), st.none() | st.floats(0.1, 50))


@settings(max_examples=150, deadline=None)
@given(st.integers(10, 240), st.lists(CHANGE, max_size=9), st.lists(LINE, max_size=4, unique_by=lambda line: line["point"]))
def test_minutes_add_up_for_any_template_and_any_changes(minutes: int, changes: list, template: list):
    """To the budget exactly; no point without a minute, no point twice; own minutes are kept wherever they fit."""
    found = build(minutes=minutes, changes=said(*changes) if changes else None, template=tuple(template))
    points = found.points
    assert points["minutes"].sum() == minutes and points["minutes"].min() >= 1 and points["key"].is_unique
    assert sorted(points["position"]) == list(range(1, len(points) + 1))
    last = {point: more.get("minutes") for verb, point, more in changes if verb in ("add", "move")}
    if "meeting.found_over" not in set(found.findings["rule"]):
        for key, own in last.items():
            restored = [verb for verb, point, _ in changes if point == key][-1:] != ["restore"]
            row = points[(points["key"] == key) & points["edited"].notna()]
            if own and restored and len(row) and not any(verb == "restore" and point == key for verb, point, _ in changes):
                assert row["minutes"].iloc[0] == own


@settings(max_examples=60, deadline=None)
@given(st.integers(10, 240), st.lists(st.integers(1, 9), min_size=1, max_size=10))
def test_shares_add_up_to_the_minutes(minutes: int, weights: list[int]):
    shared = agenda.shared(minutes, weights)
    assert sum(shared) == minutes and min(shared) >= 1
