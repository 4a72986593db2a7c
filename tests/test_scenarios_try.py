"""The cell to try a change: each kind through it, what it says of mistakes, and that it gives what `sopnb scenarios` gives."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import test_scenarios_cli
from test_scenarios import AS_OF, MONTHS, RULES, some_tables

from sopnb import scenarios, scenarios_try, scenarios_try_page, what_if, words

company = test_scenarios_cli.company
NAMES = {"A": "Apple juice", "EV1": "Leaflet"}


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "USD"):
        yield


@pytest.fixture(scope="module")
def base():
    """The plan as it is, with one scenario, as the cell before gives it."""
    return scenarios.run([scenarios.scenario("More apples", scenarios.change("demand", by=0.15, family="Apple", first="2027-01"))], some_tables(), RULES, as_of=AS_OF)


def tried(*typed, base=None):
    return scenarios_try.run(list(typed), some_tables() if base is None else base.plans[scenarios.BASE].tables, RULES, found=base, as_of=AS_OF)


def shown(one):
    return scenarios_try_page.shown(one, names=NAMES, months=MONTHS).text


def test_every_kind_has_a_line_to_copy_that_can_be_run(base):
    """The examples are typed back as they are shown; each gives what the same scenario gives by the other way."""
    examples = tried(base=base).examples
    assert [one.kind for one in examples] == ["demand", "price", "cost", "down", "capacity", "lead_time", "event", "setting"]
    assert set(what_if.KINDS) == {one.kind for one in examples}
    for one in examples:
        typed = eval(scenarios_try.line(one), {"dict": dict})
        found = tried(typed, base=base).found
        wholly = scenarios.run([scenarios.scenario(scenarios_try.TRIED, one)], some_tables(), RULES, as_of=AS_OF)
        pd.testing.assert_frame_equal(found.measures, wholly.measures)
        assert "result to March 2027" in shown(tried(typed, base=base))


def test_the_cell_gives_what_the_command_gives_with_the_same_words_in_the_params_file(company):
    """Second route: the params file, `sopnb scenarios`, the figures it writes."""
    typed = [dict(change="lead_time", supplier="Glassworks", days=14), dict(change="down", resource="Line", first="2026-11-02", days=20)]
    text = test_scenarios_cli.PARAMS.split("scenarios:")[0] + "scenarios:\n  - name: Both\n    changes: " + json.dumps(typed) + "\n"
    (company / "params" / "juices.yaml").write_text(text)
    done = test_scenarios_cli.call()
    assert done.exit_code == 0, done.output
    figures = pd.read_csv(company / "reports" / "juices" / ".draft" / "2026-10" / "scenarios.csv").set_index("scenario")
    from sopnb import cycle

    c = cycle.open("params/juices.yaml")
    ours = scenarios_try.run(typed, scenarios.tables(c.optional, as_of=c.as_of), c.params.supply, as_of=c.as_of).found.measures.set_index("scenario")
    assert ours["difference"].iloc[1] != 0
    for name in ("result", "revenue", "service", "stock_mean", "people", "supply_cost", "at_risk"):
        assert ours.at[scenarios_try.TRIED, name] == pytest.approx(figures.at["Both", name], rel=1e-9)
        assert ours.at[scenarios.BASE, name] == pytest.approx(figures.at[scenarios.BASE, name], rel=1e-9)


def test_days_and_weeks_of_a_standstill_are_the_same_and_lead_times_grow_by_days(base):
    two = tried(dict(change="down", resource="Line", first="2026-11-02", weeks=2), base=base).found
    same = tried(dict(change="down", resource="Line", first="2026-11-02", days=14), base=base).found
    assert two.measures["result"].tolist() == same.measures["result"].tolist() and two.measures["difference"].iloc[1] < 0
    slower = tried(dict(change="lead_time", item="A", days=14), base=base).found.plans[scenarios_try.TRIED].tables.items.set_index("item")["lead_time_days"]
    assert slower.to_dict() == {"A": 24.0, "B": 10.0, "BOTTLE": 30.0}
    assert tried(dict(change="lead_time", item="A", days=-30), base=base).found.plans[scenarios_try.TRIED].tables.items["lead_time_days"].iloc[0] == 0


def test_everything_wrong_is_told_in_one_list_with_what_to_do(base):
    wrong = tried(dict(change="demnd", by=0.1), dict(change="demand", family="Aple", by="10%"), "more demand", dict(by=3), dict(change="price", famly="Apple", item="A", location="UE", by=0.1),
                  dict(change="down", resource="line", first="2026-11-02", days=0), dict(change="lead_time", supplier="Glassworks", days=14, factor=2),
                  dict(change="capacity", resource="Line", by=0.1, first="2029-01"), base=base)
    assert wrong.found is None
    assert [str(problem) for problem in wrong.problems] == [
        "change 1: no change is called demnd. Allowed: demand, price, cost, capacity, down, lead_time, event, setting. Did you mean demand?",
        "change 2, demand: by is '10%', which is no number. Allowed: a fraction: 0.10 is 10% more, -0.10 is 10% less. Mend it and run the cell again.",
        "change 2, demand: no family is called Aple. Allowed: Apple, Berry. Did you mean Apple?",
        'change 3: \'more demand\' is no change. Allowed: dict(change="demand", by=0.10) and the like. Mend it and run the cell again.',
        "change 4: says no kind of change. Allowed: demand, price, cost, capacity, down, lead_time, event, setting. Begin with change=.",
        "change 5, price: no word is called famly. Allowed: by, family, item, location, first, last, elasticity. Did you mean family?",
        "change 5, price: no location is called UE. Allowed: EU. Mend it and run the cell again.",
        "change 6, down: days is 0; it must be more than 0. Mend it and run the cell again.",
        "change 7, lead_time: lead_time takes factor or days, not both. Mend it and run the cell again.",
        "change 8, capacity: lies outside the months planned, 2026-10 to 2027-03. Move its months, or take the scenario out."]
    told = shown(wrong)
    assert told.startswith("Not computed: 10 things are to mend.") and all(str(problem) in told for problem in wrong.problems) and 'dict(change="down", resource="Line"' in told
    assert "one thing is to mend" in shown(tried(dict(change="cost", by="a lot"), base=base))
    for typed in (5, {"change": ["demand"], "by": 0.1}):
        assert len(scenarios_try.run(typed, base.plans[scenarios.BASE].tables, RULES).problems) == 1, "told, not thrown"


def test_what_was_typed_stands_beside_the_plan_in_one_sentence_and_one_table(base):
    told = shown(tried(dict(change="demand", item="A", by=0.10), base=base))
    first = told.splitlines()[0]
    assert first.startswith("Demand of Apple juice +10% in every month: +USD") and "Most of it is volume (+USD 240)." in first
    lines = {line.split("  ")[0]: line for line in told.splitlines()}
    assert "USD 12,000" in lines["Sales"] and "+USD 600" in lines["Sales"] and lines["Hours missing"].rstrip()[-1] in "–0123456789"
    assert "dict(" not in told, "whoever types knows the words"
    together = shown(tried(dict(change="demand", item="A", by=0.10), dict(change="cost", family="Berry", by=0.05), base=base))
    assert together.startswith("Demand of Apple juice +10% in every month; unit cost of Berry +5.0%: ")


def test_with_nothing_typed_the_first_scenario_shows_what_a_try_looks_like(base):
    told = shown(tried(base=base))
    assert "Nothing is typed yet, so this is the first scenario of the params file: More apples." in told and "Demand of Apple +15% from January 2027: " in told and "8 changes to copy" in told
    assert tried(base=base).found.measures["difference"].tolist() == base.measures["difference"].tolist()
    alone = tried()
    assert alone.found is None and len(alone.examples) == 8 and shown(alone).startswith("Nothing is typed yet. Copy a line into the brackets")
    assert shown(scenarios_try.run([], None, RULES, as_of=AS_OF)) == ""


def test_only_what_the_tables_hold_is_offered():
    bare = scenarios.Tables(plan=some_tables().plan, items=some_tables().items)
    assert [one.kind for one in scenarios_try.examples(bare, RULES)] == ["demand", "price", "cost", "lead_time", "setting"]


def test_the_cell_is_on_no_page_and_costs_a_run_nothing():
    notebook = json.loads((Path(__file__).parent.parent / "notebooks" / "03_supply.ipynb").read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "what-if-try")
    source = "".join(cell["source"])
    assert cell["metadata"]["tags"] == ["desk"] and "changes = []" in source and "found=found" in source
