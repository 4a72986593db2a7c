"""`sopnb decisions`: what was decided, what came of it, and a person's word where nothing can be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from sopnb.cli_ledger import AsCsv, AsJson, Desk, Note, Today, Who, desk, for_a_script, one_of, print_table, user
from sopnb.problems import Problem, Problems, nearest
from sopnb.terminal import ParamsFile, out

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="List decisions and what came of them; say so where nothing can be measured.\n\nExample: [bold]sopnb decisions list params/demo.yaml --ask[/bold]")
WORDS = ("hit", "missed", "open")
STYLES = {"hit": "green", "missed": "red", "ask": "yellow"}


@app.command("list")
def decisions_list(
    params_file: ParamsFile,
    ask: Annotated[bool, typer.Option("--ask", help="Only those that wait for a person's word.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Only those whose month of judgement has come.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_of: Today = "",
) -> None:
    """List decisions with what was expected, what came, and the outcome: hit, missed, ask, or the month they are judged in.

    Example: [bold]sopnb decisions list params/demo.yaml --due[/bold]
    """
    at = desk(params_file, as_of)
    everything = decided(at)
    rows = everything[everything["outcome"] == "ask"] if ask else everything[everything["outcome"].isin(STYLES)] if due else everything
    if for_a_script(rows, as_json, as_csv):
        return
    if rows.empty:
        out.print(f"No such decisions on {at.day}.")
        return
    known = everything[everything["outcome"].isin(("hit", "missed"))]
    _print(at, rows, f"{(known['outcome'] == 'hit').sum()} of {len(known)} judged were hits, {(everything['outcome'] == 'ask').sum()} to be asked")


def decided(at: Desk) -> pd.DataFrame:
    """Every decision, the newest first: what was expected and what came; outcome is `later` before its month, `never` without one.

    returns  frames.SCORED
    """
    import pandas as pd

    from sopnb import between, frames

    everything = at.book.decisions(at.day)
    judged = between.judged(at.where, at.company, at.book, at.day)
    rest = everything[~everything["decision"].isin(judged["decision"])]
    waiting = rest.assign(expected=rest["effect"], outcome=rest["judged"].notna().map({True: "later", False: "never"}))
    parts = [judged, *([waiting.reindex(columns=frames.SCORED.names)] if len(waiting) else [])]
    return pd.concat(parts, ignore_index=True).sort_values(["cycle", "decision"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _print(at: Desk, rows: pd.DataFrame, counted: str) -> None:
    from rich.table import Table

    from sopnb import status_page, words

    words.speak(at.company.language, at.company.currency)
    table = Table(box=None, pad_edge=False, title_justify="left", title=f"{at.company.name}, {at.day}: {counted}")
    for heading, right in (("decision", False), ("what", False), ("decided by", False), ("measure", False), ("judged", False), ("expected", True), ("came", True), ("outcome", False)):
        table.add_column(heading, no_wrap=heading in ("decision", "judged", "expected", "came"), justify="right" if right else "left")
    for row in rows.to_dict("records"):
        outcome = row["outcome"] if row["outcome"] in STYLES else "–"
        why = f" ({words.message(row['because']).text})" if outcome == "ask" else f" (said by {at.name(row['said_by'])})" if row["by"] == "person" else ""
        table.add_row(escape(row["decision"]), escape(row["title"] or ""), escape(at.name(row["decided_by"])), escape(status_page.measure_name(row["effect_kpi"])),
                      f"{row['judged']:%Y-%m}" if row["judged"] == row["judged"] else "–", status_page.change(row["effect_kpi"], row["expected"]),
                      status_page.change(row["effect_kpi"], row["realised"]), escape(outcome + why), style=STYLES.get(outcome, ""))
    print_table(table)


@app.command("judge")
def decisions_judge(
    params_file: ParamsFile,
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="Its number, as 2026-09-D1; `sopnb decisions list` shows them.")],
    word: Annotated[str, typer.Argument(metavar="OUTCOME", help="hit: it brought what it was meant to; missed: it did not; open: take back what was said.")],
    note: Note = "",
    as_of: Today = "",
    who: Who = "",
) -> None:
    """Say whether a decision brought what it was meant to, where nothing can be measured.

    Example: [bold]sopnb decisions judge params/demo.yaml 2025-11-D2 hit --note "Both count the same weeks now"[/bold]
    """
    from sopnb import ledger

    if word not in WORDS:
        raise Problems([Problem("OUTCOME", f"{word!r} is none", ", ".join(WORDS), nearest(word, WORDS))])
    at = desk(params_file, as_of)
    row = one_of(decided(at), "decision", decision, "decision", at.day)
    wrong = _not_to_be_judged(row, word)
    if wrong:
        raise Problems([Problem(decision, **wrong)])
    last = at.book.events()
    mine = last.loc[(last["kind"] == "judge") & (last["subject"] == decision), "id"]
    at.book.record([ledger.event("judge", decision, day=at.day, cycle=f"{at.day:%Y-%m}", origin="cli", who=who or user(), state=word, note=note or None,
                                 after=mine.iloc[-1] if len(mine) else None)])
    out.print(f"{escape(decision)}: {word}.")


def _not_to_be_judged(row: dict[str, Any], word: str) -> dict[str, str]:
    from sopnb import status_page, words

    if row["outcome"] == "later":
        return {"wrong": f"it is judged in {row['judged']:%Y-%m}, once the figures of that month are there", "remedy": f"`sopnb decisions list` shows it then; a word before {row['judged']:%Y-%m} would be a guess"}
    if row["by"] == "measure":
        return {"wrong": f"its measure speaks: {words.message('kpis.' + row['effect_kpi']).text} was to change by {status_page.change(row['effect_kpi'], row['expected'])} "
                f"and changed by {status_page.change(row['effect_kpi'], row['realised'])}, {row['outcome']}", "remedy": "Say what else moved it in the meeting's minutes"}
    if word == (row["outcome"] if row["by"] == "person" else "open"):
        return {"wrong": f"it is {word} already" + (f", as {row['said_by']} said" if row["by"] == "person" else "")}
    return {}
