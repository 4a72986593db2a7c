"""S&OP on a page: one sheet that fits a screen of 1440 × 900 and one A4, made of the same facts as the report.

Nothing is computed a second time: `front.facts` says what is so, this room says how much of it stands on the sheet. Three
columns, as on a newspaper's first page: what is asked of the meeting, how the month went, who does what and what it all
rests on. What does not fit is told in a line of its own ("and 4 more, Rp 2.1 bn"), so that totals stay totals.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from sopnb import frames, report, svg, words
from sopnb.front_ground import Scale, about, held
from sopnb.onepage_fit import Block, fill, lines, shorten
from sopnb.words import Sentence, message

Facts = dict[str, Any]
View = dict[str, Any]

# The sheet in em of its text: 12.5 px on a screen 1440 px wide, 7.5 pt on A4. onepage.css has the same columns.
ASKED, MONTH, BASIS, GUTTER = 41.5, 30.0, 29.0, 2.25  # widths of the three columns, and of what is between them
SHEET = 71.2  # height
HEAD, FOOT = 2.5, 1.8  # the line on top and the line below, with their rules
LINE, FINDING = 1.28, 1.16  # height of a line; letters of the sentence over a block
GAP = 1.35  # between two blocks
ASIDE = 0.9  # above the third column, which stands beside the headline
HEADLINES = ((2.5, 1), (2.2, 2), (1.9, 3), (1.55, 4))  # sizes of the headline with the lines each may take
LEAD, LEAD_LINES = 1.12, 3


def render(page: Facts) -> str:
    """The facts of `front.facts` as one self-contained sheet."""
    from sopnb import templates

    environment = templates.environment(report.TEMPLATES)
    environment.filters["h"] = lambda said: Markup(said.html) if isinstance(said, Sentence) else said
    month = frames.month(str(page["header"]["cycle"]))
    environment.globals.update(t=report.t, show=words.show, width=WIDTHS, css=report.css("page", "onepage"),
                               title=f"{page['header']['company']}: {message('onepage.title', {'month': month}).text}")
    return environment.get_template("onepage.html.j2").render(**sheet(page))


def sheet(page: Facts) -> View:
    """What stands on the sheet: headline and lead, three columns of blocks, links to all else.

    page     the facts, as `front.facts` gives them; they stay as they are
    returns  header, hero, columns (blocks that fit, each with its `view`), links
    """
    hero = _hero(page)
    room = SHEET - HEAD - FOOT
    under = room - hero["height"]
    columns = ((under, [decisions(page), exceptions(page)]), (under, [scorecard(page), changes(page), *families(page)]),
               (room - ASIDE, [actions(page), assumptions(page), data(page), *limits(page)]))
    return {"header": page["header"], "hero": hero, "links": page["links"],
            "columns": [[block.view | {"kind": block.kind, **_cut(block)} for block in fill(blocks, height, gap=GAP)] for height, blocks in columns]}


def _cut(block: Block) -> View:
    """The rows that stay, and the words for those that do not."""
    choose = block.view["choose"] if "choose" in block.view else lambda rows, kept: rows[:kept]
    rows = choose(block.view.get("rows", []), block.kept)
    left = block.view["left"](block.kept) if "left" in block.view else None
    return {"rows": rows, "left": left, "choose": None}


# --- the large words ------------------------------------------------------------------------------------------------

def _hero(page: Facts) -> View:
    """Headline over two columns, as large as its length allows, and what it means under it."""
    wide = ASKED + GUTTER + MONTH
    text, lead = held(page["headline"].text), held(" ".join(said.text for said in page["lead"]))
    size, most = next(((size, most) for size, most in HEADLINES if lines(text, wide, size=size, bold=True) <= most), HEADLINES[-1])
    shown = _clamped(text, wide, most=most, size=size, bold=True)
    under = _clamped(lead, wide, most=LEAD_LINES, size=LEAD)
    height = shown["lines"] * size * 1.14 + (under["lines"] * LEAD * 1.36 + 0.5 if lead else 0.0) + 2.0
    return {"headline": shown, "size": HEADLINES.index((size, most)) + 1, "lead": under if lead else None, "height": height}


def _topped(finding: str, room: float, *, most: int = 2, head: float = 0.0) -> tuple[View, float]:
    """The sentence over a block, and the height of topic, sentence and table head."""
    said = _clamped(finding, room, most=most, size=FINDING, bold=True)
    return said, 1.95 + said["lines"] * FINDING * 1.22 + 0.35 + head


def _clamped(text: str, room: float, *, most: int, size: float = 1.0, bold: bool = False) -> View:
    """A text of at most so many lines, with their number: the style sheet holds it to that, whatever the font."""
    said = shorten(held(text), room, at_most=most, size=size, bold=bold)
    return {"text": said, "lines": lines(said, room, size=size, bold=bold)}


# --- what is asked of the meeting -----------------------------------------------------------------------------------

QUESTION, DATE = 29.6, 9.2  # of a decision: its words, and by when, who, how much


def decisions(page: Facts) -> Block:
    """Decisions asked for: question, recommendation with what it brings, by when, who decides, what is at stake."""
    asked = page["decisions"]
    finding, fixed = _topped((asked["finding"] if asked else message("onepage.decisions.none", {})).text, ASKED)
    cards = [_decision(card) for card in asked["cards"]] if asked else []
    heights = [max(card["question"]["lines"] + card["answer"]["lines"], 3) * LINE + 0.8 for card in cards]

    def left(kept: int) -> Sentence | None:
        rest = asked["cards"][kept:] if asked else []
        return _rest(len(rest), sum(card["amount"] - card["twice"] for card in rest)) if rest else None

    return Block("decisions", fixed, heights, least=4, rest=1.6, share=2.4, view={"finding": finding, "rows": cards, "left": left})


def _decision(card: Facts) -> View:
    return {"id": card["id"], "number": card["number"], "question": _clamped(card["question"].text, QUESTION, most=2, bold=True),
            "answer": _recommended(card),
            "by": message("onepage.by" if card["by"] is not None else "onepage.by.none", {"by": card["by"]}).text,
            "decides": _clamped(card["decides"] or message("onepage.decides.none", {}).text, DATE, most=1),
            "amount": words.show(about(card["amount"]), "money") if card["amount"] else ""}


def _recommended(card: Facts) -> View:
    """The recommended option and why, in as many whole sentences as stand on two lines."""
    if not any(option["taken"] for option in card["options"]):
        return _clamped(message("onepage.undecided", {}).text, QUESTION, most=2)
    first, *rest = _SENTENCE.split(held(card["why"].text))
    for said in rest:
        if lines(f"{first} {said}", QUESTION) > 2:
            break
        first = f"{first} {said}"
    return _clamped(first, QUESTION, most=2)


_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[^\W\d_a-z])")  # a full stop, and a capital letter after it


NAME, WORD, WHEN, MONEY, NUMBER = 15.9, 6.9, 7.6, 5.4, 5.7  # the columns of the exceptions


def exceptions(page: Facts) -> Block:
    """Exceptions by money, at most ten, all other in a row, goods that are in two of them taken off, the total."""
    found = page["exceptions"]
    said = found["finding"] if found else message("onepage.exceptions.absent", {})
    rows = found["rows"][:10] if found else []
    head = 0.5 + 1.25 * lines(found["unit"], MONEY - 0.5, bold=True) if rows else 0.0
    finding, fixed = _topped(said.text, ASKED, head=head)
    row = LINE + 0.3
    shown = [_exception(one) for one in rows]
    foot = row * (1 + bool(found and found["overlap"]) + bool(found and found["other"])) + 0.2 if rows else 0.0
    view = {"finding": finding, "rows": shown, "left": lambda kept: _other(found, kept) if rows else None,
            "unit": found["unit"] if found else "", "total": found.get("total_text") if found else "", "overlap": found["overlap"] if found else None}
    return Block("exceptions", fixed + foot, [row + (one["name"]["lines"] - 1) * LINE for one in shown], least=5 if all(one["name"]["lines"] == 1 for one in shown) else 3, rest=0.0 if found and found["other"] else row, view=view)


def _exception(row: Facts) -> View:
    """A name stands whole, with its place: on two lines where it is long."""
    place = shorten(row["place"], 6.5)
    name = f"{row['name']}, {place}" if place else row["name"]
    told = _clamped(name, NAME - 0.6, most=2, bold=True)
    return {**row, "name": {**told, "text": row["name"] if told["text"].replace("\u00a0", " ") == name else told["text"]},
            "place": place if told["text"].replace("\u00a0", " ") == name else "", "span": row["span"].replace(message("front.span", {"first": "", "last": ""}).text, "–"), "number": row["answer"].removeprefix("d")}


def _other(found: Facts, kept: int) -> View | None:
    """All exceptions that are not listed, in one row: the rows add up to the total whatever is left out."""
    left = found["count"] - kept
    if not left:
        return None
    overlap = found["overlap"]["amount"] if found["overlap"] else 0.0
    amount = found["total"] + overlap - sum(row["amount"] for row in found["rows"][:kept])
    return {"label": message("front.other", {"n": left}), "text": found["scale"].show(amount)}


# --- how the month went ---------------------------------------------------------------------------------------------

MEASURE, TREND, VALUE, STATUS = 9.0, 5.3, 7.2, 8.5  # the columns of the scorecard


def scorecard(page: Facts) -> Block:
    """The measures: name, thirteen months, value and change, shape and word against the target."""
    score = page["scorecard"]
    if score is None:
        finding, fixed = _topped(message("onepage.score.none", {}).text, MONTH)
        return Block("scorecard", fixed, view={"finding": finding, "key": None, "month": None})
    key = _clamped(message("onepage.score.key", {"before": frames.next_month(score["month"], -1)}).text, MONTH, most=2)
    finding, fixed = _topped(score["finding"].text, MONTH, head=1.75)
    rows = [_measure(card) for card in score["cards"]]

    def left(kept: int) -> Sentence | None:
        n = len(rows) - kept
        return message("onepage.rest.measures" if n > 1 else "onepage.rest.measure", {"n": n}) if n else None

    return Block("scorecard", fixed + key["lines"] * LINE + 0.4, [_measure_lines(row) * LINE + 0.36 for row in rows], least=8, rest=1.6, share=1.5,
                 view={"finding": finding, "rows": rows, "month": score["month"], "key": key, "left": left})


def _measure(card: Facts) -> View:
    line = svg.sparkline(**card["trend"], width=66, height=30) if card["trend"] else ""
    return {"name": _clamped(card["name"], MEASURE, most=2, bold=True), "line": line, "value": card["value"], "small": card["small"], "moved": card["moved"],
            "status": card["status"], "target": card["goal"] or message("onepage.target.none", {}).text}


def _measure_lines(row: View) -> int:
    return 2 if row["line"] or row["moved"] or row["status"] or row["name"]["lines"] > 1 else 1


LABEL, DRAWN, AMOUNT = 11.2, 12.4, 6.4  # the columns of what changed


def changes(page: Facts) -> Block:
    """Last plan to this plan, part by part; the smallest parts go into one row where there is no room."""
    found, sums = page["changes"], page["totals"]
    if not found["rows"] or sums is None:
        said = found["finding"] if sums is not None else message("onepage.changes.none", {})
        finding, fixed = _topped(said.text, MONTH, most=3)
        return Block("changes", fixed, view={"finding": finding, "key": ""})
    key = _clamped(message("onepage.changes.source", {"window": page["window"], "unit": found["unit"]}).text, MONTH, most=2)
    finding, fixed = _topped(found["finding"].text, MONTH)
    ends = [row for row in found["rows"] if row["kind"] != "part"]
    parts = [row | {"amount": part[1], "label": row["label"][:1].upper() + row["label"][1:]}
             for row, part in zip((row for row in found["rows"] if row["kind"] == "part"), found["parts"], strict=True)]
    row, scale = LINE + 0.2, Scale.of([sums["plan"], sums["last"]])

    def choose(rows: list[View], kept: int) -> list[View]:
        return _with_ends(ends, _largest_parts(rows, kept, scale))

    return Block("changes", fixed + row * len(ends) + key["lines"] * LINE + 0.4, [row] * len(parts), least=3, rest=row,
                 view={"finding": finding, "rows": parts, "choose": choose, "key": key, "unit": found["unit"]})


def _largest_parts(parts: list[View], kept: int, scale: Scale) -> list[View]:
    """The largest parts in their own order, and the sum of the others. Drawn from zero, since a bridge with a hole is none."""
    ranked = sorted(range(len(parts)), key=lambda i: -abs(parts[i]["amount"]))
    shown = [parts[i] for i in sorted(ranked[:kept])]
    rest = [parts[i] for i in sorted(ranked[kept:])]
    if not rest:
        return shown
    amount = sum(part["amount"] for part in rest)
    return [*shown, {"kind": "part", "label": message("front.other", {"n": len(rest)}).text, "text": scale.show(amount, signed=True), "amount": amount, "loose": True}]


def _with_ends(ends: list[View], parts: list[View]) -> list[View]:
    """Last plan, its parts, this plan and the budget, each part a bar from where the one before it ended."""
    total = [part["amount"] for part in parts]
    marks, at = [0.0], 0.0
    for amount in total:
        at += amount
        marks.append(at)
    low, high = min(marks), max(marks)
    span = (high - low) or 1.0

    def x(amount: float) -> float:
        return round(4 + 92 * (amount - low) / span, 2)

    drawn = [{**part, "label": shorten(str(part["label"]), LABEL), "left": min(x(start), x(start + part["amount"])), "width": max(round(abs(x(start + part["amount"]) - x(start)), 2), 0.8),
              "up": part["amount"] >= 0, "zero": x(0)} for part, start in zip(parts, marks, strict=False)]
    names = {row["kind"]: {**row, "label": row["label"].text, "zero": x(0), "after": x(marks[-1])} for row in ends}
    return [row for row in (names.get("last"), *drawn, names.get("this"), names.get("budget")) if row]


def families(page: Facts) -> list[Block]:
    """Where there is room: the plan by family, the rest in one row."""
    found = page["families"]
    if not found:
        return []
    finding, fixed = _topped(found["finding"].text, MONTH, head=1.75)
    row = LINE + 0.22
    return [Block("families", fixed + row + 0.2, [row] * len(found["rows"]), least=min(3, len(found["rows"])), rest=row, filler=True,
                  view={"finding": finding, "rows": found["rows"], "choose": lambda rows, kept: _families(found, kept), "total": _family(found["total"]), "unit": found["unit"],
                        "has_last": found["has_last"], "has_budget": found["has_budget"]})]


def _family(row: Facts) -> View:
    return {**row, "name": shorten(str(row["name"]), 11.0, bold=True)}


def _families(found: Facts, kept: int) -> list[View]:
    shown, rest = found["rows"][:kept], found["rows"][kept:]
    if not rest:
        return [_family(row) for row in shown]
    sums = {column: found["scale"].show(sum(row["amounts"][column] for row in rest), signed=column in ("change", "gap")) for column in rest[0]["amounts"]}
    return [*map(_family, shown), {"name": message("front.other", {"n": sum(row["n"] for row in rest)}).text, "other": True, **sums}]


# --- who does what, and what it rests on ------------------------------------------------------------------------------

TITLE, DUE = 18.0, 10.4  # of an action


def actions(page: Facts) -> Block:
    """Open actions, the most overdue first: what, who, until when."""
    found = page["actions"]
    finding, fixed = _topped(found["finding"].text, BASIS)
    key = _clamped(message("front.actions.sub", {"day": page["as_of"]}).text, BASIS, most=2) if found["rows"] else None
    every = found.get("all", found["rows"])
    rows = [{**row, "title": _clamped(row["title"], TITLE, most=2, bold=True), "owner": shorten(str(row["owner"]), TITLE)} for row in every]
    heights = [max(row["title"]["lines"] + 1, 2) * LINE + 0.5 for row in rows]

    def left(kept: int) -> Sentence | None:
        rest = every[kept:]
        late = sum((row["late"] or 0) > 0 for row in rest)
        return message("onepage.rest.late" if late else "onepage.rest", {"n": len(rest), "late": late}) if rest else None

    return Block("actions", fixed + (key["lines"] * LINE + 0.35 if key else 0.0), heights, least=4, rest=1.6, share=1.5, view={"finding": finding, "rows": rows, "left": left, "key": key})


EFFECT = 5.4  # of an assumption: the money that hangs on it


def assumptions(page: Facts) -> Block:
    """What the plan rests on, the largest effect first, with its state where somebody has judged it."""
    found = page["assumptions"]
    if not found:
        finding, fixed = _topped(message("onepage.assumptions.none", {}).text, BASIS)
        return Block("assumptions", fixed, view={"finding": finding, "unit": ""})
    said = ("failed" if found["failed"] else "many") + (".one" if len(found["rows"]) == 1 else "")
    finding, fixed = _topped(message(f"onepage.assumptions.{said}", {"n": len(found["rows"]), "failed": found["failed"]}).text, BASIS)
    rows = [_assumption(row) for row in found["rows"]]
    heights = [(row["text"]["lines"] + bool(row["note"] or row["state"])) * LINE + 0.5 for row in rows]
    key = _clamped(message("onepage.assumptions.key", {"unit": found["unit"]}).text, BASIS, most=2)

    def left(kept: int) -> Sentence | None:
        rest = found["rows"][kept:]
        return _rest(len(rest), sum(row["size"] for row in rest)) if rest else None

    return Block("assumptions", fixed + key["lines"] * LINE + 0.4, heights, least=3, rest=1.6, view={"finding": finding, "rows": rows, "left": left, "key": key, "unit": found["unit"]})


def _assumption(row: Facts) -> View:
    room = BASIS - EFFECT - 0.6
    note = message("onepage.if_not", {"text": row["if_not"]}).text if row["if_not"] else ""
    return {"text": _clamped(row["text"], room, most=2, bold=True), "note": shorten(note, room - (9.0 if row["status"] else 0.0)),
            "amount": row["amount"], "state": row["status"]}


def data(page: Facts) -> Block:
    """The verdict with its shape, how much was read, the findings by money, what is not there."""
    found = page["data"]
    finding, fixed = _topped(page["header"]["said"] or found["finding"].text, BASIS - 1.6)
    received = [*found["facts"][:1], *found["facts"][-1:]] if len(found["facts"]) > 1 else found["facts"]  # what came, and what of it could not be used
    facts = [{"label": shorten(label.text, BASIS - 5.5), "value": value} for label, value in received]
    rows = [{**row, "said": _clamped(row["said"].text, BASIS - EFFECT - 0.6, most=3)} for row in found["findings"]]
    missing = _clamped(message("onepage.data.missing", {"names": ", ".join(found["missing"]).replace("_", " ")}).text, BASIS, most=2) if found["missing"] else None
    fixed += len(facts) * (LINE + 0.35) + (missing["lines"] * LINE + 0.4 if missing else 0.0)

    def left(kept: int) -> Sentence | None:
        n = found["count"] - kept
        return message("onepage.rest.findings" if n > 1 else "onepage.rest.finding", {"n": n}) if n else None

    standing = 1.6 if found["count"] > len(rows) else 0.0  # findings that the facts do not list are told of in any case
    return Block("data", fixed + standing, [row["said"]["lines"] * LINE + 0.45 for row in rows], least=1, rest=1.6 - standing, share=0.7,
                 view={"finding": finding, "status": page["header"]["status"], "rows": rows, "facts": facts, "missing": missing, "left": left})


def limits(page: Facts) -> list[Block]:
    """Where there is room: which limit is met first."""
    found = page["binds"]
    if not found:
        return []
    finding, fixed = _topped(found["finding"].text, BASIS, most=3)
    rows: list[View] = [{"title": shorten(row["title"].text, BASIS, bold=True), "why": _clamped(row["why"].text, BASIS, most=3)} for row in found["rows"]]
    return [Block("limits", fixed, [LINE + row["why"]["lines"] * LINE + 0.5 for row in rows], least=len(rows), filler=True, view={"finding": finding, "rows": rows})]


# The columns of each table, as its <col> elements say them (em).
WIDTHS = {"exceptions": (NAME, WORD, WHEN, MONEY, NUMBER), "scorecard": (MEASURE, TREND, VALUE, STATUS), "changes": (LABEL, DRAWN, AMOUNT),
          "actions": (BASIS - DUE, DUE), "assumptions": (BASIS - EFFECT, EFFECT)}


def _rest(n: int, amount: float) -> Sentence:
    return message("onepage.rest.money" if amount else "onepage.rest", {"n": n, "amount": about(amount)})
