"""Between meetings: the page of all actions, the facts of reminders, and decisions judged from the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from test_report import harmless
from tiny import add, here

from sopnb import between, cycle, frames, ledger, params, run, status_chart, status_page, words

TODAY = "2026-03-25"
SPIKE = 'Call <script>alert(1)</script> & "Sons"'


def event(kind: str, subject: str, day: str, origin: str = "minutes:2026-03", who: str = "p1", **said: object) -> dict:
    return ledger.event(kind, subject, day=day, cycle=day[:7], origin=origin, who=who, **said)


def made(number: str, day: str, due: str, owner: str = "p1", title: str = "Book the crews", amount: float | None = None) -> dict:
    return event("add", number, day, title=title, owner=owner, due=due, amount=amount)


@pytest.fixture
def book(tiny: Path) -> ledger.Ledger:
    """Five actions of two cycles, two of them closed, and two decisions."""
    opened = ledger.open(None, tiny / "reports/tiny")
    opened.record([
        made("2026-02-A1", "2026-02-08", "2026-02-28"), made("2026-02-A2", "2026-02-08", "2026-02-20", owner="p2"), made("2026-03-A1", "2026-03-08", "2026-03-20", owner="p2", amount=4e6),
        made("2026-03-A2", "2026-03-08", "2026-04-30", title=SPIKE), made("2026-03-A3", "2026-03-08", "2026-03-26", owner="p2", title="Ask the bank"),
        event("done", "2026-02-A1", "2026-03-08", on="2026-02-27"), event("drop", "2026-02-A2", "2026-03-08", on="2026-03-08"),
        event("move", "2026-03-A1", "2026-03-15", who="p2", origin="cli", due="2026-03-22", note="The crews are ill"),
        event("decide", "2026-02-D1", "2026-02-08", title="Run Saturdays", decided_by="p1", judged="2026-02"),
        event("decide", "2026-03-D1", "2026-03-08", title="Hire one", decided_by="p1", effect_kpi="otif", effect=0.02, judged="2026-12")])
    return opened


def page_of(tiny: Path, book: ledger.Ledger, day: str = TODAY) -> str:
    where = cycle.places(str(tiny / "params/tiny.yaml"))
    return between.page(where, params.load(where.params_file), book, pd.Timestamp(day).date()).read_text(encoding="utf-8")


# --- the page -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("day", "told"), [("2026-03-08", "the oldest since today: Call"), ("2026-03-09", "the oldest, for a day: Call"), ("2026-03-10", "the oldest, for 2 days: Call")])
def test_how_long_the_oldest_is_open_is_said_in_plain_words(tiny, day, told):
    opened = ledger.open(None, tiny / "reports/tiny")
    opened.record([made("2026-03-A1", "2026-03-08", "2026-03-20", title="Call"), made("2026-03-A2", "2026-03-08", "2026-03-20", owner="p2", title="Ask")])
    assert told in page_of(tiny, opened, day)


def test_the_page_shows_every_action_of_every_cycle_and_fetches_nothing(book, tiny):
    """Open ones stand by owner with age and lateness, closed ones folded; what people typed is text."""
    html = page_of(tiny, book)
    page = harmless(html)
    assert all(number in page.words for number in ("2026-02-A1", "2026-02-A2", "2026-03-A1", "2026-03-A2", "2026-03-A3"))
    assert "1 of 3 open actions are overdue, with USD 4.0 m at stake" in page.words or re.search(r"1 of 3 open actions are overdue, with \S*\s?4\.0 m at stake", page.words), page.words[:400]
    assert "Content-Security-Policy" in html and "<script" not in html and SPIKE in page.words
    assert "3 days late" in page.words and "in 1 day" in page.words and "As of 25 March 2026" in page.words
    assert "moved 15 March 2026 by p2 The crews are ill" in re.sub(r"\s+", " ", page.words)
    opened, closed = html.split('id="closed"')
    assert "2026-02-A1" not in opened and "<details" in closed and "2026-03-A1" not in closed
    assert "1 of 1 actions done were done by their date" in page.words
    assert all(link[1:] in page.ids() for link in page.links() if link.startswith("#"))


def test_owners_stand_in_the_order_of_their_longest_overdue_action(book):
    facts = _facts(book)
    assert [(owner["name"], [row["action"] for row in owner["rows"]]) for owner in facts["owners"]] == [("p2", ["2026-03-A1", "2026-03-A3"]), ("p1", ["2026-03-A2"])]
    assert facts["owners"][0]["count"].text == "2 open, 1 overdue"


def _facts(book, day: str = TODAY, **more):
    return status_page.facts(book.actions(day), book.events(day), frames.empty(frames.SCORED), book.decisions(day), day=day, company="Tiny", **more)


def test_the_same_ledger_gives_the_same_bytes_whenever_it_was_written_down(book, tiny):
    again = ledger.open(None, tiny / "elsewhere")
    rows = book.everything()
    import json

    again.record([{**row, "payload": json.loads(row["payload"])} for row in rows[["kind", "subject", "day", "cycle", "origin", "who", "payload"]].to_dict("records")])
    assert page_of(tiny, again) == page_of(tiny, book)


def test_an_empty_ledger_has_a_page_that_says_so(tiny):
    page = harmless(page_of(tiny, ledger.open(None, tiny / "reports/tiny")))
    assert "No action is open" in page.words and "Nothing is waiting for anybody" in page.words
    assert not (tiny / "reports/tiny/ledger.sqlite").exists()


def test_closed_actions_fold_on_the_screen_and_open_on_paper(book, tiny):
    """The house's rule for what stands behind a sentence: `.more` opens where it is printed, other `<details>` stay away."""
    page = page_of(tiny, book)
    assert '<details class="more shut">' in page and "details:not(.more),.prev{display:none}.more::details-content{content-visibility:visible" in page


def test_the_months_of_the_chart_add_up():
    """What is open at a month's end is what was open before, plus made, less closed; ages and overdue are of that day."""
    frame = pd.DataFrame({
        "made_on": pd.to_datetime(["2026-01-08", "2026-01-08", "2026-02-08", "2026-03-08"]), "due": pd.to_datetime(["2026-01-31", "2026-02-10", "2026-03-31", "2026-03-20"]),
        "closed_on": pd.to_datetime(["2026-01-30", None, "2026-03-01", None]), "state": ["done", "open", "dropped", "open"]})
    rows = status_page.by_month(frame, day="2026-03-25")
    assert rows[["made", "done", "dropped", "open"]].to_numpy().tolist() == [[2, 1, 0, 1], [1, 0, 0, 2], [1, 0, 1, 2]]
    assert (rows["open"].diff().dropna() == (rows["made"] - rows["done"] - rows["dropped"]).iloc[1:]).all()
    assert rows[["fresh", "aged", "old", "overdue"]].to_numpy().tolist() == [[1, 0, 0, 0], [1, 1, 0, 1], [1, 0, 1, 2]]
    assert (rows[["fresh", "aged", "old"]].sum(axis=1) == rows["open"]).all()


def test_the_charts_say_in_words_what_they_show(book):
    rows = status_page.by_month(book.actions(TODAY), day=TODAY)
    assert 'aria-label="Bars by month: 5 actions made, 1 done, 1 dropped."' in status_chart.flow(rows)
    assert "Now open: 3; 0 of them 60 days old or older, 0 from 30 to 59 days, 3 younger" in status_chart.ages(rows)


def test_the_page_speaks_the_company_s_language(book, tiny):
    add(tiny, "language: id\n")
    assert '<html lang="id">' in page_of(tiny, book)
    words.speak("en", "USD")


# --- when it is made ------------------------------------------------------------------------------------------------

def test_a_run_makes_the_page_and_says_as_of_which_day(book, tiny, sopnb):
    """Of a run of an earlier cycle too: the page is of all that is known, not of what one cycle saw."""
    said = sopnb("run", "params/tiny.yaml", "--cycle", "2026-02")
    assert said.code == run.OK, said.text
    html = (tiny / "reports/tiny/actions.html").read_text(encoding="utf-8")
    assert "As of 15 March 2026" in html and 'href="2026-02/index.html"' in html
    assert 'href="../actions.html"' in (tiny / "reports/tiny/2026-02/index.html").read_text(encoding="utf-8")
    sopnb("actions", "done", "params/tiny.yaml", "2026-03-A1", "--as-of", TODAY)
    assert "As of 25 March 2026" in sopnb("actions", "page", "params/tiny.yaml", "--as-of", TODAY).out or "as of 2026-03-25" in sopnb("actions", "page", "params/tiny.yaml", "--as-of", TODAY).out
    assert "2026-03-A1" in (tiny / "reports/tiny/actions.html").read_text(encoding="utf-8").split('id="closed"')[1]


def test_a_ledger_that_cannot_be_read_costs_the_page_and_not_the_cycle(tiny, book):
    where, notes = cycle.places(str(tiny / "params/tiny.yaml")), []
    (tiny / "reports/tiny/ledger.sqlite").write_bytes(b"no ledger " * 500)
    between.publish(where, params.load(where.params_file), pd.Timestamp(TODAY).date(), notes.append)
    assert "The page of actions was not made anew" in notes[0] and "is not a ledger" in notes[0]
    assert not (tiny / "reports/tiny/actions.html").exists()


# --- decisions ------------------------------------------------------------------------------------------------------

def decide(sopnb, *rest: str):
    return sopnb("decisions", rest[0], "params/tiny.yaml", *rest[1:], "--as-of", TODAY)


def test_decisions_are_listed_with_what_came_of_them(book, tiny, sopnb):
    lines = decide(sopnb, "list").out.splitlines()
    assert "0 of 0 judged were hits, 1 to be asked" in lines[0]
    assert re.search(r"2026-03-D1 +Hire one +p1 +On time in full +2026-12 +\+2\.0 pts +– +–", lines[2]) and "ask (no measure was named)" in lines[3]
    assert "2026-03-D1" not in decide(sopnb, "list", "--ask").out and "No such decisions" not in decide(sopnb, "list", "--due").out


def test_a_person_judges_what_cannot_be_measured_and_only_that(book, tiny, sopnb):
    assert decide(sopnb, "judge", "2026-02-D1", "hit", "--note", "No late order", "--who", "Ann").out == "2026-02-D1: hit.\n"
    assert "hit (said by Ann)" in decide(sopnb, "list").out and "1 of 1 judged were hits" in decide(sopnb, "list").out
    for words_given, wrong in ((("2026-02-D1", "hit"), "it is hit already, as Ann said"), (("2026-03-D1", "hit"), "it is judged in 2026-12"), (("2026-02-D2", "hit"), "Did you mean 2026-02-D1?"),
                               (("2026-02-D1", "his"), "Did you mean hit?")):
        said = decide(sopnb, "judge", *words_given)
        assert said.code == run.BAD_INPUT and wrong in said.err, said.err
    assert "said Ann. No late order" in page_of(tiny, book)
    assert decide(sopnb, "judge", "2026-02-D1", "open").code == run.OK and "ask" in decide(sopnb, "list", "--ask").out
    assert decide(sopnb, "judge", "2026-02-D1", "missed").code == run.OK and "0 of 1 judged" in decide(sopnb, "list").out


def test_where_a_measure_speaks_a_person_is_told_what_it_says(book, tiny, sopnb):
    here(cycle_month="2026-03")
    kpis = pd.DataFrame([{"kpi": "otif", "scope": "all", "month": pd.Timestamp(month), "value": value, "version": "1"} for month, value in (("2026-01-01", 0.90), ("2026-02-01", 0.93))])
    cycle.save_table(frames.conform(kpis.reindex(columns=frames.KPIS.names), frames.KPIS), tiny / "reports/tiny/2026-03/tables/kpis.parquet", "kpis")
    book.record([event("decide", "2026-02-D2", "2026-02-08", title="Hire two", decided_by="p1", effect_kpi="otif", effect=0.02, judged="2026-02")])
    assert re.search(r"2026-02-D2 .*\+2\.0 pts +\+3\.0 pts +hit", decide(sopnb, "list").out)
    assert "its measure speaks: On time in full was to change by +2.0 pts and changed by +3.0 pts, hit" in decide(sopnb, "judge", "2026-02-D2", "missed").err
    html = page_of(tiny, book)
    assert "One decision was judged in the last twelve months; hits: 1" in html and "1 wait" not in html


# --- reminders ------------------------------------------------------------------------------------------------------

PEOPLE = pd.DataFrame({"person": ["p1", "p2"], "name": ["Ann", "Bob"], "email": ["ann@tiny.example", None], "language": ["id", None]})


def test_an_owner_hears_of_what_is_overdue_and_what_is_due_in_the_coming_days(book):
    """On 25 March: p2 is three days late with one, and has until tomorrow for another; p1's is far off."""
    found = status_page.reminders(book.actions(TODAY), day=TODAY, ahead_days=3, people=PEOPLE)
    assert list(found) == ["p2"]
    bob = found["p2"]
    assert (bob["name"], bob["email"], bob["language"], bob["amount"], bob["day"]) == ("Bob", "", "", 4e6, pd.Timestamp(TODAY))
    assert [(row["action"], row["days"]) for row in bob["overdue"]] == [("2026-03-A1", 3)] and [(row["action"], row["days"]) for row in bob["due"]] == [("2026-03-A3", 1)]
    assert (bob["overdue"][0]["amount"], bob["due"][0]["amount"], bob["due"][0]["title"]) == (4e6, None, "Ask the bank")
    assert status_page.without_address(found) == ["Bob (2 to hear of): no email in people"]


@pytest.mark.parametrize(("ahead", "due"), [(0, []), (1, ["2026-03-A3"]), (36, ["2026-03-A3"])])
def test_how_far_ahead_is_a_setting_and_today_is_due_not_overdue(book, ahead, due):
    found = status_page.reminders(book.actions(TODAY), day=TODAY, ahead_days=ahead)
    assert [row["action"] for row in found["p2"]["due"]] == due and ("p1" in found) == (ahead == 36)
    today = status_page.reminders(book.actions("2026-03-26"), day="2026-03-26", ahead_days=0)["p2"]
    assert [(row["action"], row["days"]) for row in today["due"]] == [("2026-03-A3", 0)] and [row["action"] for row in today["overdue"]] == ["2026-03-A1"]


def test_nobody_is_reminded_of_what_is_closed_and_inputs_stay_as_they_were(book):
    actions = book.actions("2026-03-08")
    before = actions.copy(deep=True)
    status_page.reminders(actions, day="2026-03-08", people=PEOPLE)
    pd.testing.assert_frame_equal(actions, before)
    for action in ("2026-03-A1", "2026-03-A2", "2026-03-A3"):
        book.change(action, "done", day=TODAY)
    assert status_page.reminders(book.actions(TODAY), day=TODAY, ahead_days=99) == {}
