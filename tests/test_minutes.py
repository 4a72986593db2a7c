"""Minutes: read from text, workbook or cells to the same thing; every problem in one list; forms that hold what is known."""

from __future__ import annotations

import doctest
import shutil
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sopnb import (
    demo_meetings,
    frames,
    meeting,
    minutes,
    minutes_book,
    minutes_cells,
    minutes_events,
    minutes_files,
    minutes_form,
    minutes_place,
)
from sopnb.minutes import Known
from sopnb.problems import Problems

PEOPLE = pd.DataFrame({
    "person": ["p01", "p02", "p03", "p05"], "name": ["Dewi", "Budi", "Sari", "Andi"],
    "role": ["Managing director", "Supply planner", "Sales director", "Supply clerk"], "mandatory": [True, True, True, False],
})
MINUTES = """
cycle: 2026-09
held_on: 2026-09-08
chair: p01
attendance: [{person: p01, state: present}, {person: p02, state: delegated, delegate: p05}]
points: [{topic: "Oven", discussion: "318 hours short: before Lebaran"}]
decisions: [{id: D1, title: "Run Saturdays", option: A, decided_by: p01, effect_kpi: otif, effect: 0.02, judged: 2026-12, asked: D1}]
actions: [{id: A1, title: "Book the crews", owner: p02, due: 2026-09-30, amount: 1200000000, source: D1}]
updates: [{action: 2026-08-A2, state: done, on: 2026-09-05}]
assumptions: [{id: S1, state: failed, note: "a month later"}]
next_meeting: 2026-10-08
"""
ASKED = pd.DataFrame({"decision": ["D1", "D2"], "position": [1, 2], "question": ["x", "y"], "values": ["{}", "{}"], "decides": ["p02", None],
                      "recommended": ["B", None], "text": ['Who covers "318" hours: # and {braces}?', "=What of the tins"]})
AGENDA = pd.DataFrame({"position": [1, 2], "topic": ["a", "b"], "values": ["{}", "{}"], "owner": ["p01", None], "minutes": [10, 20], "text": ["Results", "Plan: ahead"]})
ACTIONS = frames.conform(pd.DataFrame({
    "action": ["2026-08-A2", "2026-07-A1"], "title": ["Book: {the} #crews", "Over"], "owner": ["p02", "p01"], "made_on": pd.to_datetime(["2026-08-08"] * 2),
    "due": pd.to_datetime(["2026-09-01"] * 2), "state": ["open", "done"], "closed_on": pd.to_datetime([None, "2026-08-20"]), "amount": [5e9, 0], "source": [None, None],
    "cycle": pd.to_datetime(["2026-08-01"] * 2), "age_days": [31, 12], "overdue_days": [7, 0]}), frames.ACTIONS)
ASSUMED = pd.DataFrame({"assumption": ["S1", "S2"], "text": ["Prices rise", "Gone"], "if_not": [None, None], "amount": [-2.6e9, 1.0], "owner": ["p03", None],
                        "made_on": pd.to_datetime(["2026-08-08"] * 2), "state": ["open", "held"], "due": pd.to_datetime([None, None])})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "minutes.yaml"
    path.write_text(MINUTES, encoding="utf-8")
    return path


def prefilled() -> dict:
    return minutes_form.prefilled(AGENDA, ASKED, PEOPLE, cycle="2026-09", meeting_day="2026-09-08", chair="p01", actions=ACTIONS, assumptions=ASSUMED)


def problems(text: str, tmp_path: Path, **known: object) -> str:
    path = tmp_path / "minutes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as caught:
        meeting.read_minutes(path, known=Known(PEOPLE, **known))  # type: ignore[arg-type]
    return "\n".join(map(str, caught.value.problems))


# --- reading --------------------------------------------------------------------------------------------------------

def test_minutes_become_tables(file: Path):
    said = meeting.read_minutes(file, cycle="2026-09", people=PEOPLE, known_actions=["2026-08-A2"])
    assert meeting.decisions(said).loc[0, ["decision", "judged"]].tolist() == ["2026-09-D1", pd.Timestamp("2026-12-01")]
    assert meeting.points(said)["discussion"].tolist() == ["318 hours short: before Lebaran"]
    assert said.next_meeting == pd.Timestamp("2026-10-08")


def test_every_problem_of_the_minutes_stands_in_one_list(tmp_path: Path):
    path = tmp_path / "minutes.yaml"
    path.write_text("""
cycle: 2026-09
held_on: 2026-09-08
chair: p09
attendance: [{person: p01, state: late}, {person: p02, state: delegated}]
actions: [{id: A1, title: "Call", due: 2026-09-01}, {id: A2, title: "Ask", owner: p02, due: soon}]
updates: [{action: 2026-08-A9, state: done, on: 2026-09-30}]
decision: []
""", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        meeting.read_minutes(path, cycle="2026-10", people=PEOPLE, known_actions=["2026-08-A2"])
    told = "\n".join(map(str, caught.value.problems))
    for part in ("minutes.yaml, attendance 1, state: 'late' is not allowed. Allowed: present, delegated, absent",
                 "attendance 2, delegate: p02 is delegated to nobody", "actions 1, owner: is missing", "A1 is due 2026-09-01, before the meeting",
                 "actions 2, due: 'soon' is not allowed. Allowed: a day, as 2026-09-30", "the ledger has no action 2026-08-A9",
                 "Did you mean 2026-08-A2", "2026-09-30 is after the meeting", "decision is not a part of the minutes", "Did you mean decisions",
                 "chair: nobody is called p09", "these are the minutes of 2026-09"):
        assert part in told, part


@pytest.mark.parametrize(("text", "told"), [
    ("cycle: 2026-09\ncycle: 2026-10\n", "cycle stands twice"), ("- a\n- b\n", "holds no minutes"), ("a: [", "cannot be read as YAML"),
    ("cycle: !!python/object/apply:os.getcwd []\n", "cannot be read as YAML"), ("cycle: 2026-13\nheld_on: 2026-02-30\nchair: p01", "is not allowed"),
])
def test_a_file_that_is_no_minutes_is_refused(tmp_path: Path, text: str, told: str):
    path = tmp_path / "minutes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problems, match=told):
        meeting.read_minutes(path)


def test_an_action_from_before_the_ledgers_time_may_be_reported_on(file: Path):
    """The ledger knows July's actions but none of August: 2026-08-A2 may be older than the ledger. With August there, it must be known."""
    assert len(meeting.read_minutes(file, known_actions=["2026-07-A1"]).updates) == 1
    with pytest.raises(Problems, match="the ledger has no action 2026-08-A2"):
        meeting.read_minutes(file, known_actions=["2026-08-A1"])
    file.write_text(MINUTES.replace("2026-08-A2", "A2"), encoding="utf-8")
    with pytest.raises(Problems, match="the ledger has no action A2"):
        meeting.read_minutes(file, known_actions=["2026-07-A1"])


HEAD = "cycle: 2026-09\nheld_on: 2026-09-08\nchair: p01\n"


@pytest.mark.parametrize(("rows", "told"), [
    ("{person: p01, state: delegated, delegate: p01}", "p01 cannot stand in for himself or herself"),
    ("{person: p01, state: delegated, delegate: p05}, {person: p05, state: absent}", "p05 stands in for p01 and is absent too"),
    ("{person: p01, state: present, delegate: p05}", "p01 is present and has a delegate, p05"),
    ("{person: p01, state: delegated, delegate: nobody}", "nobody is called nobody"),
    ("{person: p01, state: delegated, delegate: p05}, {person: p02, state: delegated, delegate: p05}", "p05 stands in for 2 who must come: p01, p02. Allowed: at most 1"),
])
def test_a_delegate_is_a_person_who_was_there_for_one_role(tmp_path: Path, rows: str, told: str):
    assert told in problems(f"{HEAD}attendance: [{rows}]\n", tmp_path)


def test_one_delegate_may_stand_in_for_two_where_the_params_allow_it(tmp_path: Path):
    path = tmp_path / "minutes.yaml"
    path.write_text(f"{HEAD}attendance: [{{person: p01, state: delegated, delegate: p05}}, {{person: p02, state: delegated, delegate: p05}}]\n")
    assert len(meeting.read_minutes(path, known=Known(PEOPLE, stand_for=2)).attendance) == 2


@pytest.mark.parametrize(("text", "told"), [
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, effect: 0.02}]", "D1 expects an effect that can never be judged: effect_kpi and judged missing"),
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, effect_kpi: otiff, effect: 1, judged: 2026-12}]", "no measure is called otiff. Allowed: fill_rate, otif. Did you mean otif?"),
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, effect_kpi: otif, effect: 1, judged: 2026-08}]", "2026-08 is before the cycle of the meeting"),
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, effect_kpi: otif, effect: .nan, judged: 2026-12}]", "'.nan' is not allowed"),
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, asked: D7}]", "no decision was asked for under D7. Allowed: D1, D2"),
    ("decisions: [{id: D1, title: T, option: A, decided_by: p01, kind: overlod}]", "the charter has no right called overlod"),
    ("actions: [{id: A1, title: T, owner: p01, due: 2026-09-30, source: D4}]", "A1 comes from D4, which these minutes do not decide"),
    ("assumptions: [{id: S9, state: held}]", "there is no assumption S9"),
    ("assumptions: [{id: S1, state: broken}]", "'broken' is not allowed. Allowed: open, held, failed, dropped"),
])
def test_what_names_nothing_or_cannot_be_judged_is_told(tmp_path: Path, text: str, told: str):
    text = text.replace(".nan", "'.nan'")
    assert told in problems(f"{HEAD}{text}\n", tmp_path, asked={"D1", "D2"}, measures={"otif", "fill_rate"}, assumptions={"S1"}, rights={"overload"})


def read(folder: Path, text: str) -> minutes.Minutes:
    (folder / "minutes.yaml").write_text(text, encoding="utf-8")
    return minutes.read_minutes(folder / "minutes.yaml")


@pytest.mark.parametrize("due", ["2026-09-301", "2026-09-30 or so", "2026-9-30", "30/09/2026", "9999-01-01", "20260930"])
def test_a_day_that_is_nearly_one_is_not_guessed_at(tmp_path: Path, due: str):
    with pytest.raises(Problems, match=r"actions 1, due: .* is not allowed. Allowed: a day, as 2026-09-30"):
        read(tmp_path, MINUTES.replace("due: 2026-09-30", f"due: '{due}'"))


@pytest.mark.parametrize(("old", "new", "told"), [
    ("actions: [", "actions: [{id: 2026-09-A1, title: Ask, owner: p02, due: 2026-09-30}, ", "actions, id: A1 stands 2 times"),
    ("id: A1,", 'id: "A\\n1",', "is no number. Allowed: letters, digits"), ("id: A1,", f"id: {'A' * 41},", "is no number"),
    ("updates: [", "updates: [{action: 2026-08-A2, state: dropped}, ", "2026-08-A2 stands 2 times: dropped, done"),
    ("title: \"Book the crews\"", f"title: {'x' * 301}", "actions 1, title: has 301 characters. Allowed: at most 300"),
    ("topic: \"Oven\"", f"topic: {'x' * 1001}", "points 1, topic: has 1,001 characters"),
    ("held_on: 2026-09-08", "held_on: 2025-09-08", "held_on: 2025-09-08 is no day for the meeting of 2026-09. Allowed: 2026-09-01 to 2026-10-31"),
])
def test_what_two_could_understand_otherwise_is_refused(tmp_path: Path, old: str, new: str, told: str):
    with pytest.raises(Problems) as caught:
        read(tmp_path, MINUTES.replace(old, new, 1))
    assert told in str(caught.value)


def test_an_action_may_be_moved_and_begun_at_one_meeting_held_late(tmp_path: Path):
    text = MINUTES.replace("updates: [", "updates: [{action: 2026-08-A2, state: moved, due: 2026-11-30}, ").replace("held_on: 2026-09-08", "held_on: 2026-10-02")
    held = read(tmp_path, text.replace("due: 2026-09-30", "due: 2026-10-30"))
    assert list(held.updates["state"]) == ["moved", "done"]


def test_infinity_is_no_number(tmp_path: Path):
    assert "'inf' is not allowed" in problems(f"{HEAD}actions: [{{id: A1, title: T, owner: p01, due: 2026-09-30, amount: inf}}]\n", tmp_path)


# --- the form -------------------------------------------------------------------------------------------------------

def test_the_form_holds_people_points_questions_with_options_and_open_actions():
    choices = pd.DataFrame({"decision": ["D1", "D1"], "option": ["A", "B"], "title": ["meeting.part_now", "meeting.part_last"], "values": ["{}", "{}"], "recommended": [False, True]})
    data = minutes_form.prefilled(AGENDA, ASKED, PEOPLE, cycle="2026-09", meeting_day="2026-09-08", chair="p01", actions=ACTIONS, choices=choices, assumptions=ASSUMED)
    assert [row["person"] for row in data["attendance"]] == ["p01", "p02", "p03", "p05"]
    assert [row["topic"] for row in data["points"]] == ["Results", "Plan: ahead"]
    assert data["decisions"][0]["(options)"] == "A: Problems and needs now; B: Last month" and data["decisions"][0]["(recommended)"] == "B"
    assert [row["action"] for row in data["updates"]] == ["2026-08-A2"] and [row["id"] for row in data["assumptions"]] == ["S1"]
    text = minutes_form.text(data)
    for part in ("planned for 2026-09-08", "# options: A: Problems and needs now", "# recommended: B", "# title: Book: {the} #crews", "# text: Prices rise", "Dewi, Managing director, must come"):
        assert part in text, part


def test_an_untouched_form_is_no_meeting_and_a_day_alone_makes_it_one(tmp_path: Path):
    """Nothing is taken for decided, reported or judged because a form spoke of it."""
    path = tmp_path / "minutes.yaml"
    path.write_text(minutes_form.text(prefilled()), encoding="utf-8")
    assert meeting.held(path, people=PEOPLE) is None
    path.write_text(path.read_text().replace("held_on: ", "held_on: 2026-09-08", 1), encoding="utf-8")
    said = meeting.held(path, cycle="2026-09", people=PEOPLE, known_actions=["2026-08-A2"])
    assert said is not None and len(said.attendance) == 4 and said.points["topic"].tolist() == ["Results", "Plan: ahead"]
    assert said.decisions.empty and said.updates.empty and said.assumptions.empty and said.actions.empty


def test_a_form_filled_in_without_its_day_is_told_and_not_taken_for_empty(tmp_path: Path):
    path = tmp_path / "minutes.yaml"
    path.write_text(minutes_form.text(prefilled()).replace('option: ""', "option: B", 1), encoding="utf-8")
    with pytest.raises(Problems, match="held_on: is missing"):
        meeting.held(path, people=PEOPLE)


def test_a_decision_is_one_once_its_option_is_named(tmp_path: Path):
    data = prefilled()
    data["held_on"] = "2026-09-08"
    data["decisions"][0] |= {"option": "B", "why": "cheapest"}
    path = tmp_path / "minutes.yaml"
    path.write_text(minutes_form.text(data), encoding="utf-8")
    said = meeting.read_minutes(path, people=PEOPLE)
    assert said.decisions[["id", "asked", "decided_by", "title"]].to_numpy().tolist() == [["D1", "D1", "p02", 'Who covers "318" hours: # and {braces}?']]


def test_a_form_is_written_once_and_never_over_minutes_of_either_kind(tmp_path: Path):
    path = minutes_form.save(tmp_path / "a" / "minutes.yaml", "x: 1\n")
    for other in (path, path.with_suffix(".xlsx")):
        with pytest.raises(Problems, match="never written over"):
            minutes_form.save(other, "y")
    assert path.read_text() == "x: 1\n"


def test_minutes_of_two_kinds_are_refused(tmp_path: Path, file: Path):
    assert minutes_place.place(tmp_path / "minutes.xlsx") == file, "the twin of another kind is found"
    (tmp_path / "minutes.xlsx").write_bytes(b"")
    with pytest.raises(Problems, match=r"minutes.yaml, minutes.xlsx: are all minutes of one meeting"):
        minutes_place.place(file)


# --- the workbook ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cycle", ["2025-11", "2026-04", "2026-09"])
def test_a_filled_workbook_says_the_same_as_the_yaml(tmp_path: Path, cycle: str):
    data = demo_meetings.minutes(cycle)
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(minutes_form.text(data), encoding="utf-8")
    minutes_book.write(tmp_path / "c.xlsx", data, people=demo_meetings.ATTENDEES)
    first, *others = [minutes_events.events(minutes.read_minutes(tmp_path / name)) for name in ("a.yaml", "b.yaml", "c.xlsx")]
    assert others == [first, first] and len(first) > 5


def test_the_workbook_has_its_sheets_drop_downs_frozen_heads_and_notes(tmp_path: Path):
    path = minutes_book.write(tmp_path / "m.xlsx", prefilled(), people=PEOPLE["person"], measures=["otif"], options=["A", "B"], rights=["overload"])
    with zipfile.ZipFile(path) as book:
        names = book.read("xl/workbook.xml").decode()
        sheets = {name: book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")}
        notes = [name for name in book.namelist() if "comments" in name]
    for name in ("Start", "meeting", "attendance", "points", "decisions", "actions", "updates", "assumptions", "Lists"):
        assert f'name="{name}"' in names
    decisions = sheets["xl/worksheets/sheet5.xml"]
    assert decisions.count("<dataValidation ") >= 5 and "Lists!" in decisions and 'state="frozen"' in decisions
    assert len(notes) == 6 and not any("<f>" in text for name, text in sheets.items()), "a note on the columns of each list; no formula anywhere"
    assert minutes_book.write(tmp_path / "n.xlsx", prefilled(), people=PEOPLE["person"], measures=["otif"], options=["A", "B"], rights=["overload"]).read_bytes() == path.read_bytes()


def test_no_text_becomes_a_formula_and_what_is_for_reading_is_not_read(tmp_path: Path):
    data = prefilled()
    data["points"][0]["discussion"] = "=1+1"
    data["decisions"][1] |= {"option": "A", "why": "@SUM(A1)"}
    data["held_on"] = pd.Timestamp("2026-09-08")
    said = minutes.read_minutes(minutes_book.write(tmp_path / "m.xlsx", data), people=PEOPLE)
    assert said.points["discussion"][0] == "=1+1" and said.decisions[["title", "why"]].to_numpy().tolist() == [["=What of the tins", "@SUM(A1)"]]
    assert "(options)" not in minutes_files.read(tmp_path / "m.xlsx")["decisions"][0]


def test_a_problem_of_a_workbook_names_its_row(tmp_path: Path):
    data = prefilled()
    data["held_on"] = "2026-09-08"
    data["actions"] = [{}, {"id": "A2", "title": "Call", "owner": "p99", "due": pd.Timestamp("2026-09-20")}]
    with pytest.raises(Problems, match=r"m\.xlsx, actions row 3, owner: nobody is called p99"):
        minutes.read_minutes(minutes_book.write(tmp_path / "m.xlsx", data), people=PEOPLE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_the_workbook_and_saves_the_same(tmp_path: Path):
    data = demo_meetings.minutes("2026-09")
    path = minutes_book.write(tmp_path / "m.xlsx", data, people=demo_meetings.ATTENDEES)
    (tmp_path / "out").mkdir()
    subprocess.run(["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "ods", "--outdir", str(tmp_path / "out"), str(path)],
                   check=True, capture_output=True, timeout=180)
    ours, theirs = minutes.read_minutes(path), minutes.read_minutes(tmp_path / "out" / "m.ods")
    assert minutes_events.events(ours) == minutes_events.events(theirs)


# --- the notebook's cells -------------------------------------------------------------------------------------------

CELLS = {
    "held": dict(cycle="2026-09", held_on="2026-09-08", next_meeting="2026-10-08"), "came": {"p02": "p05", "p03": "absent"}, "said": {"P01": "318 hours short", "P02": None, "Fire drill": "On the 20th"},
    "decided": [dict(asked="D1", option="A", effect_kpi="otif", effect=0.02, judged="2026-12"), dict(title="Drill", why="Law")],
    "agreed": [dict(title="Book the crews", owner="p02", due="2026-09-30", amount=1.2e9, source="D1")], "reported": {"2026-08-A2": dict(state="done", on="2026-09-05")},
    "assumed": {"S1": "failed", "S3": dict(text="New", owner="p03")},
}
EMPTY = {"held": dict(cycle="", held_on=""), "came": {}, "said": {}, "decided": [], "agreed": [], "reported": {}, "assumed": {}}
KNOWN = Known(PEOPLE, {"2026-08-A2"}, {"D1", "D2"}, {"otif"}, {"S1", "S2"})


def test_cells_give_the_same_minutes_as_the_file_they_save(tmp_path: Path):
    path = tmp_path / "minutes.yaml"
    assert "Saved" in minutes_cells.fill(path, prefilled(), **CELLS, known=KNOWN).text
    said = minutes.read_minutes(path, cycle="2026-09", known=KNOWN)
    assert said.attendance.set_index("person")["state"].to_dict() == {"p01": "present", "p02": "delegated", "p03": "absent", "p05": "present"}
    assert said.points.to_numpy().tolist() == [["Results", "318 hours short"], ["Fire drill", "On the 20th"]]
    assert said.decisions[["id", "title", "decided_by"]].to_numpy().tolist() == [["D1", 'Who covers "318" hours: # and {braces}?', "p02"], ["D3", "Drill", "p01"]]
    assert said.assumptions[["id", "state", "text"]].to_numpy().tolist() == [["S1", "failed", None], ["S3", None, "New"]]
    by_book = minutes.read_minutes(minutes_book.write(tmp_path / "b.xlsx", minutes_files.read(path)))
    assert minutes_events.events(by_book) == minutes_events.events(said), "three kinds of form, one meeting"


def test_cells_left_as_they_are_change_nothing_nor_does_a_run_nor_another_cycle(tmp_path: Path):
    path = tmp_path / "minutes.yaml"
    assert "nothing is saved" in minutes_cells.fill(path, prefilled(), **EMPTY).text
    assert "nothing is saved" in minutes_cells.fill(path, prefilled(), **CELLS, asks=False).text
    assert "speak of cycle 2026-08" in minutes_cells.fill(path, prefilled(), **{**CELLS, "held": dict(cycle="2026-08", held_on="2026-08-08")}).text
    assert not path.exists()


def test_cells_fill_in_an_untouched_form_and_correct_minutes_only_when_asked(tmp_path: Path):
    path = minutes_form.save(tmp_path / "minutes.yaml", minutes_form.text(prefilled()))
    minutes_cells.fill(path, prefilled(), **CELLS)
    first = path.read_bytes()
    assert "says the same already" in minutes_cells.fill(path, prefilled(), **CELLS).text and path.read_bytes() == first
    other = {**CELLS, "came": {}}
    with pytest.raises(Problems, match="holds other minutes of this meeting"):
        minutes_cells.fill(path, prefilled(), **other)
    assert "Corrected" in minutes_cells.fill(path, prefilled(), **{**other, "held": {**CELLS["held"], "replaces": True}}).text
    assert (tmp_path / "minutes-1.yaml").read_bytes() == first and path.read_bytes() != first


def test_every_problem_of_the_cells_names_its_cell(tmp_path: Path):
    wrong = {**CELLS, "came": {"p02": "p99"}, "decided": [dict(asked="D9", option="A", efect=1)], "agreed": [dict(title="Call", owner="p01", due="soon")], "held": {**CELLS["held"], "chiar": "p01"}}
    with pytest.raises(Problems) as caught:
        minutes_cells.fill(tmp_path / "minutes.yaml", prefilled(), **wrong, known=KNOWN)
    told = "\n".join(map(str, caught.value.problems))
    for part in ("came (attendance 2, delegate): nobody is called p99", "efect is not a part of the minutes", "Did you mean effect", "no decision was asked for under D9",
                 "agreed (actions 1, due): 'soon' is not allowed", "held, chiar: chiar is not a part"):
        assert part in told, part
    with pytest.raises(Problems, match=r"agreed 1: is a str\. Allowed: dict"):
        minutes_cells.fill(tmp_path / "minutes.yaml", prefilled(), **{**CELLS, "agreed": ["Call"]})
    assert not (tmp_path / "minutes.yaml").exists()


def test_worked_examples():
    for module in (minutes, minutes_events):
        assert doctest.testmod(module).failed == 0
