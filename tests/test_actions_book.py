"""The actions as a workbook that goes round and comes back: what was edited counts, once, and nobody's word is lost."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from tiny import here

from sopnb import actions_book, ledger, run

TODAY = "2026-03-25"
Cells = dict[str, list[list[Any]]]


@pytest.fixture
def book(tiny):
    """Three actions of the meeting of 8 March, one of them with a title that looks like a formula."""
    opened = ledger.open(None, tiny / "reports/tiny")
    opened.record([ledger.event("add", f"2026-03-A{n}", day="2026-03-08", cycle="2026-03", origin="minutes:2026-03", who="p1", title=title, owner=owner, due=due, amount=5.0 if n == 1 else None)
                   for n, title, owner, due in ((1, "Book the crews", "p1", "2026-03-20"), (2, "=1+1", "p2", "2026-04-30"), (3, "Call the carrier", "p2", "2026-04-10"))])
    return opened


def act(sopnb, verb: str, *words: str, day: str = TODAY):
    return sopnb("actions", verb, "params/tiny.yaml", *words, "--as-of", day)


def exported(sopnb, *words: str, name: str = "actions.xlsx") -> Path:
    said = act(sopnb, "export", name, "--replace", *words)
    assert said.code == run.OK, said.text
    return Path(name)


def cells(path: Path) -> Cells:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def save(sheets: Cells, path: Path) -> None:
    """The sheets written anew by another program, as Excel would."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, line in enumerate(rows):
                for c, value in enumerate(line):
                    if isinstance(value, dt.date):
                        sheet.write_datetime(r, c, value, days)
                    elif isinstance(value, str):
                        sheet.write_string(r, c, value)
                    else:
                        sheet.write(r, c, value)


def edit(path: Path, *changes: tuple[str, str, Any], new: tuple[dict[str, Any], ...] = ()) -> None:
    """Change cells (action, column, value), and add rows at the end."""
    sheets = cells(path)
    rows = sheets["Actions"]
    heads = rows[0]
    for action, column, value in changes:
        line = next(line for line in rows[1:] if line[0] == action)
        line[heads.index(column)] = value
    sheets["Actions"] = [line for line in rows if any(cell != "" for cell in line)] + [[row.get(head, "") for head in heads] for row in new]
    save(sheets, path)


def row(book, action: str, day: str = TODAY):
    return book.actions(day).set_index("action").loc[action]


def test_a_workbook_that_nobody_edited_changes_nothing(book, sopnb):
    before = len(book.everything())
    assert act(sopnb, "load", str(exported(sopnb, "--all"))).out == "0 new, 0 changed, 3 as they stand. Nothing changed.\n"
    assert len(book.everything()) == before


def test_what_was_edited_is_shown_then_done_and_a_second_time_changes_nothing(book, sopnb):
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "state", "Done"), ("2026-03-A1", "closed on", dt.date(2026, 3, 19)), ("2026-03-A2", "due", dt.date(2026, 5, 31)), ("2026-03-A2", "owner", "p1"),
         ("2026-03-A3", "note", "No answer yet"), new=({"what": "Ask the bank", "owner": "p1", "due": "2026-04-15", "at stake": 7.5, "from": "2026-03-D1", "note": "urgent"},))
    dry = act(sopnb, "load", str(path), "--dry-run")
    assert "1 new, 3 changed, 0 as they stand. Only shown; nothing was changed." in dry.out and re.search(r"2026-03-A2 +=1\+1 +due +2026-04-30 +2026-05-31", dry.out)
    assert len(book.everything()) == 3
    assert "1 new, 3 changed, 0 as they stand." in act(sopnb, "load", str(path), "--who", "Ann").out
    first, second = row(book, "2026-03-A1"), row(book, "2026-03-A2")
    assert (first["state"], first["closed_on"]) == ("done", dt.datetime(2026, 3, 19)) and (f"{second['due']:%m-%d}", second["owner"]) == ("05-31", "p1")
    added = row(book, "2026-03-X1")
    assert (added["title"], added["amount"], added["source"]) == ("Ask the bank", 7.5, "2026-03-D1")
    said = book.everything()
    assert set(said.loc[said["origin"] == "workbook", "who"]) == {"Ann"} and "No answer yet" in act(sopnb, "show", "2026-03-A3").out
    events = len(said)
    assert act(sopnb, "load", str(path)).out == "0 new, 0 changed, 4 as they stand. Nothing changed.\n" and len(book.everything()) == events


def test_a_closed_one_is_opened_before_it_is_moved(book, sopnb):
    book.change("2026-03-A1", "done", day="2026-03-20")
    path = exported(sopnb, "--all")
    edit(path, ("2026-03-A1", "state", "started"), ("2026-03-A1", "due", "2026-06-30"), ("2026-03-A3", "state", "dropped"), ("2026-03-A3", "owner", "p1"))
    assert act(sopnb, "load", str(path)).code == run.OK
    assert list(book.everything()["kind"])[4:] == ["start", "move", "move", "drop"]
    assert (row(book, "2026-03-A1")["state"], f"{row(book, '2026-03-A1')['due']:%m-%d}") == ("started", "06-30")


# --- two people -----------------------------------------------------------------------------------------------------

@pytest.fixture
def conflict(book, sopnb):
    """The workbook moves A1 to May and closes A3; meanwhile Bob has closed A1."""
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "due", dt.date(2026, 5, 1)), ("2026-03-A3", "state", "done"))
    act(sopnb, "done", "2026-03-A1", "--who", "Bob")
    return path


def test_what_somebody_changed_since_is_shown_side_by_side_and_nothing_is_applied(book, conflict, sopnb):
    for words in ((), ("--dry-run",)):
        said = act(sopnb, "load", str(conflict), *words)
        assert said.code == run.BAD_INPUT and len(book.everything()) == 4, "the change to A3 waits too: all or nothing"
        assert re.search(r"2026-03-A1 +Book the crews +due +2026-03-20 +2026-03-20 +2026-05-01 +done on 2026-03-25 by Bob", said.out)
        assert re.search(r"2026-03-A1 +Book the crews +state +open +done +open +done on 2026-03-25 by Bob", said.out), "what the other one changed"
        assert "--mine 2026-03-A1 takes the workbook's, --theirs 2026-03-A1 leaves what stands" in said.err


def test_a_person_decides_which_word_counts(book, conflict, sopnb):
    assert "0 new, 1 changed, 2 as they stand" in act(sopnb, "load", str(conflict), "--theirs", "2026-03-A1").out
    assert (row(book, "2026-03-A1")["state"], f"{row(book, '2026-03-A1')['due']:%m-%d}", row(book, "2026-03-A3")["state"]) == ("done", "03-20", "done")


def test_mine_takes_the_cells_of_the_workbook_and_no_others(book, sopnb):
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "due", dt.date(2026, 5, 1)))
    act(sopnb, "move", "2026-03-A1", "--due", "2026-04-04", "--owner", "p2")
    assert act(sopnb, "load", str(path)).code == run.BAD_INPUT
    assert act(sopnb, "load", str(path), "--mine", "2026-03-A1").code == run.OK
    assert (f"{row(book, '2026-03-A1')['due']:%m-%d}", row(book, "2026-03-A1")["owner"]) == ("05-01", "p2"), "the owner was not touched in the workbook"
    assert "Nothing changed" in act(sopnb, "load", str(path)).out


def test_who_said_the_same_meanwhile_is_no_conflict(book, sopnb):
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "state", "done"))
    act(sopnb, "done", "2026-03-A1")
    assert "Nothing changed" in act(sopnb, "load", str(path)).out


def test_a_change_between_reading_and_writing_is_seen(book, sopnb, monkeypatch):
    """What is compared is what stands when the ledger is held for writing, not what was read before."""
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "due", dt.date(2026, 5, 1)))
    act_of, meanwhile = ledger.Ledger.act, [("2026-03-A1", "done")]

    def late(self, plan):
        while meanwhile:
            book.change(*meanwhile.pop(), day=TODAY, who="Bob")
        return act_of(self, plan)

    monkeypatch.setattr(ledger.Ledger, "act", late)
    said = act(sopnb, "load", str(path))
    assert said.code == run.BAD_INPUT and "done on 2026-03-25 by Bob" in said.err and f"{row(book, '2026-03-A1')['due']:%m-%d}" == "03-20"


# --- bad workbooks --------------------------------------------------------------------------------------------------

def test_all_that_is_wrong_is_in_one_list_and_nothing_is_applied(book, sopnb):
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "what", "Book other crews"), ("2026-03-A1", "at stake", 6.0), ("2026-03-A2", "due", dt.date(2026, 3, 1)), ("2026-03-A3", "closed on", dt.date(2026, 3, 20)),
         new=({"what": "No owner", "due": "2026-04-15"}, {"action": "2026-03-A9", "state": "done"}, {"what": "Late", "owner": "p1", "due": "2026-03-24"},
              {"what": "Twice", "owner": "p1", "due": "2026-04-24"}, {"what": "Twice", "owner": "p1", "due": "2026-04-24"}, {"what": "x" * 301, "owner": "p1", "due": "2026-04-24"}))
    said = act(sopnb, "load", str(path))
    assert said.code == run.BAD_INPUT and len(book.everything()) == 3
    for wrong in (r"row 2, what: of 2026-03-A1 cannot be changed\. Allowed: Book the crews\. Drop the action, and add", r"row 2, at stake: of 2026-03-A1 cannot be changed\. Allowed: 5",
                  r"due: 2026-03-01 is before the day it was made\. Allowed: 2026-03-08 or later", r"closed on: is filled in, and the state is open",
                  r"row 5, owner: is missing", r"row 6, action: there is no action 2026-03-A9", r"row 7, due: 2026-03-24 is before today", r"row 9, what: stands twice", r"row 10, what: has 301 characters"):
        assert re.search(wrong, said.err), wrong
    assert "9 to mend" in said.err


def test_cells_that_cannot_be_read_are_named(book, sopnb):
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "state", "finished"), ("2026-03-A2", "due", "31/05/2026"), new=({"what": "Ask", "owner": "p1", "due": "soon", "at stake": "much"},))
    said = act(sopnb, "load", str(path)).err
    assert "'finished' is no state. Allowed: open, started, done, dropped" in said and "'31/05/2026' is not a day" in said and "'soon' is not a day" in said and "'much' is not a number" in said


def test_states_that_cannot_follow_are_refused(book, sopnb):
    book.change("2026-03-A1", "done", day=TODAY)
    book.change("2026-03-A2", "start", day=TODAY)
    path = exported(sopnb, "--all")
    edit(path, ("2026-03-A1", "state", "dropped"), ("2026-03-A2", "state", "open"))
    said = act(sopnb, "load", str(path)).err
    assert "is done and cannot be dropped at once" in said and "2026-03-A2 was started; it cannot be as if nobody had begun" in said


def test_an_owner_is_a_person_known(book, peopled, sopnb):
    here(cycle_month="2026-03")
    path = exported(sopnb)
    edit(path, ("2026-03-A1", "owner", "Bob"), ("2026-03-A3", "owner", "Boby"))
    said = act(sopnb, "load", str(path)).err
    assert "nobody is called Boby" in said and "Did you mean Bob?" in said and "1 to mend" in said
    edit(path, ("2026-03-A3", "owner", "p2"))
    assert act(sopnb, "load", str(path)).code == run.OK and row(book, "2026-03-A1")["owner"] == "p2"


def test_a_new_row_in_other_words_after_loading_is_not_added_again(book, sopnb):
    path = exported(sopnb)
    edit(path, new=({"what": "Ask the bank for a loan", "owner": "p1", "due": "2026-04-15"},))
    act(sopnb, "load", str(path))
    sheets = cells(path)
    sheets["Actions"][-1][sheets["Actions"][0].index("what")] = "Ask the bank for a bigger loan"
    save(sheets, path)
    said = act(sopnb, "load", str(path))
    assert said.code == run.BAD_INPUT and "looks like 2026-03-X1 (Ask the bank for a loan), added from this workbook before" in said.err


def test_a_workbook_without_its_hidden_sheet_or_of_another_company_is_refused(book, sopnb, tiny):
    path = exported(sopnb)
    sheets = cells(path)
    save({name: rows for name, rows in sheets.items() if name != "Seen"}, path)
    assert "does not hold what it was made from" in act(sopnb, "load", str(path)).err
    sheets["Seen"][0][0] = "acme"
    save(sheets, path)
    assert "is a workbook of acme. Allowed: tiny" in act(sopnb, "load", str(path)).err
    sheets["Seen"][0][0] = "tiny"
    sheets["Actions"][0][2] = "status"
    save(sheets, path)
    assert "the column state is missing" in act(sopnb, "load", str(path)).err
    (tiny / "broken.xlsx").write_bytes(b"nothing of the kind")
    assert "cannot be opened as a workbook" in act(sopnb, "load", "broken.xlsx").err
    assert "Did you mean actions.xlsx?" in act(sopnb, "load", "action.xlsx").err and ".docx cannot be read" in act(sopnb, "load", "a.docx").err


def test_rows_that_were_copied_sorted_or_taken_out(book, sopnb):
    path = exported(sopnb)
    sheets = cells(path)
    body = [line for line in sheets["Actions"][1:] if line[0]]
    save({**sheets, "Actions": [sheets["Actions"][0], *reversed(body)]}, path)
    assert "3 as they stand" in act(sopnb, "load", str(path)).out, "sorted"
    save({**sheets, "Actions": [sheets["Actions"][0], body[0]]}, path)
    assert "1 as they stand" in act(sopnb, "load", str(path)).out, "a row that is not there says nothing"
    save({**sheets, "Actions": [sheets["Actions"][0], body[0], body[0]]}, path)
    assert "stands 2 times" in act(sopnb, "load", str(path)).err


def test_a_workbook_that_may_be_filled_in_is_not_written_over(book, sopnb):
    exported(sopnb)
    assert "may be filled in" in act(sopnb, "export", "actions.xlsx").err and "ends in .xlsx" in act(sopnb, "export", "actions.csv").err


# --- other programs -------------------------------------------------------------------------------------------------

def test_no_cell_is_a_formula_and_states_and_owners_are_offered(book, sopnb):
    path = exported(sopnb)
    with zipfile.ZipFile(path) as parts:
        text = "".join(parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet"))
        names = parts.read("xl/workbook.xml").decode()
    assert "<f>" not in text and "<f " not in text
    assert text.count('type="list"') == 2 and text.count('type="date"') == 2 and "Lists!$A$2:$A$5" in text and "Lists!$B$2:$B$3" in text
    assert re.search(r'<sheet name="Seen"[^>]*state="hidden"', names)


def test_the_same_ledger_gives_the_same_workbook(book, sopnb):
    assert exported(sopnb, name="one.xlsx").read_bytes() == exported(sopnb, name="two.xlsx").read_bytes()


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_libreoffice_opens_it_and_what_it_saves_comes_back(book, sopnb, tmp_path, kind):
    """Saved by LibreOffice, hidden sheet and all, an unedited workbook changes nothing and an edited one what was edited."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.skip("LibreOffice is not installed")
    path = exported(sopnb)
    edited = tmp_path / "edited.xlsx"
    shutil.copy(path, edited)
    edit(edited, ("2026-03-A2", "state", "started"), ("2026-03-A1", "due", dt.date(2026, 5, 1)), new=({"what": "=2+2", "owner": "p1", "due": dt.date(2026, 4, 15)},))
    done = subprocess.run([office, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", kind, "--outdir", str(tmp_path / "saved"), str(path), str(edited)],
                          capture_output=True, text=True, timeout=120)
    assert (tmp_path / "saved" / f"actions.{kind}").is_file(), done.stderr
    assert "3 as they stand. Nothing changed." in act(sopnb, "load", str(tmp_path / "saved" / f"actions.{kind}")).out
    assert "1 new, 2 changed, 1 as they stand" in act(sopnb, "load", str(tmp_path / "saved" / f"edited.{kind}")).out
    assert row(book, "2026-03-X1")["title"] == "=2+2" and row(book, "2026-03-A2")["title"] == "=1+1"


def test_the_token_is_of_the_company_the_day_and_the_ledger(book):
    events = book.everything()
    one = actions_book.token("tiny", dt.date(2026, 3, 25), events)
    assert one == actions_book.token("tiny", dt.date(2026, 3, 25), events)
    assert len({one, actions_book.token("acme", dt.date(2026, 3, 25), events), actions_book.token("tiny", dt.date(2026, 3, 26), events),
                actions_book.token("tiny", dt.date(2026, 3, 25), events.iloc[:-1])}) == 4
