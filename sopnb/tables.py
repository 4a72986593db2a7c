"""Tables for readers: one renderer, semantic HTML and plain text, and the workbook for further work.

    tables.show(exceptions, caption=say("{amount:money} needs an answer", amount=total),
                subtitle="By money at stake", source="stock projection 2026-10",
                columns={"item": "Item", "location": tables.col("Location", wide=True),
                         "units": tables.col("Cartons", "count"), "amount": tables.col("At stake", "money")},
                top=8, by="amount", total=["units", "amount"])

The caption is the finding. The first column is the row's name; numbers stand right-aligned in the reader's format,
signed where they are changes; a missing value is "–". The total is the total of all rows, shown or not.
Money has one unit in all of a table, in the headers (At stake, Rp bn) or, from three columns on, behind the subtitle.
Columns marked `wide` fold under the row's name on a phone: the page hides `.w` and shows `.n` there. What is still too
wide for it folds by itself (`tables_narrow`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from sopnb import tables_narrow, tables_scale, words
from sopnb.problems import nearest
from sopnb.svg import bar_cell, status_mark
from sopnb.words import Sentence
from sopnb.workbook import workbook

__all__ = ["KINDS", "Table", "TableError", "col", "show", "workbook"]

KINDS = ("text", "number", "money", "price", "percent", "points", "month", "date", "count", "written", "status", "bar", "picture")
_LEFT = ("text", "status", "bar", "picture", "month", "date")


class TableError(ValueError):
    """A table cannot be shown: the message names the column, what is allowed and what to do."""


@dataclass(frozen=True)
class Col:
    """How one column is shown.

    label    heading
    kind     text, number, count (whole), money (short, with currency), price (in full), percent (of a fraction),
             points (a fraction as percentage points), month, date, written (a number that is text already),
             status (on, watch, off, none: shape and word), bar (a number as a bar from zero), picture (a chart made by
             sopnb.charts)
    digits   decimals of number, percent and points
    signed   show a plus as well: for changes
    unit     stands behind the label
    wide     folds under the row's name on a phone
    """

    label: Sentence | str
    kind: str = "text"
    digits: int = 0
    signed: bool = False
    unit: str = ""
    wide: bool = False
    money: tables_scale.Money | None = None  # set by `show`, for the whole column

    @property
    def heading(self) -> str:
        return f"{self.label}, {self.unit}" if self.unit else str(self.label)

    @property
    def spec(self) -> str:
        plus = "+" if self.signed else ""
        return {
            "number": f"{plus},.{self.digits}f", "count": f"{plus},.0f", "percent": f"{plus}.{self.digits}%",
            "points": f"{plus}.{self.digits}pp", "money": f"money{plus}", "price": "price", "month": "month", "date": "day",
        }.get(self.kind, "")


def col(label: Sentence | str, kind: str = "text", digits: int = 0, signed: bool = False, unit: str = "", wide: bool = False) -> Col:
    """How one column is shown; see `Col` for the kinds.

    raises   TableError for a kind that is not known
    """
    if kind not in KINDS:
        raise TableError(f"column {label!r}: kind {kind!r} is not known. Allowed: {', '.join(KINDS)}. {nearest(kind, KINDS)}".strip())
    return Col(label, kind, digits, signed, unit, wide)


@dataclass(frozen=True)
class _Cell:
    text: str
    html: Markup
    css: str
    folded: str = ""  # as it reads under the row's name, where no header gives the unit


@dataclass(frozen=True)
class _Row:
    name: _Cell
    cells: list[_Cell]
    folded: str = ""
    css: str = ""


@dataclass(frozen=True)
class Table:
    """A table ready to be shown: `.html`, `.text`, and by itself in a notebook."""

    caption: Sentence
    subtitle: Sentence
    source: Sentence
    heads: list[tuple[str, str]]
    rows: list[_Row]
    foot: list[_Row] = field(default_factory=list)
    broad: bool = False  # folds on a tablet too
    shut: bool = False

    @property
    def html(self) -> str:
        return _template().render(table=self, nothing=words.message("tables.none").text)

    @property
    def text(self) -> str:
        return _as_text(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def show(
    df: pd.DataFrame,
    *,
    caption: Sentence | str,
    columns: Mapping[str, str | Col],
    subtitle: Sentence | str = "",
    source: Sentence | str = "",
    top: int | None = None,
    by: str | None = None,
    other: Sequence[str] | None = None,
    total: Sequence[str] | None = None,
    total_label: str = "",
    shut: bool = False,
) -> Table:
    """A table as a reader meets it.

    df        any table; the first of `columns` names the row
    columns   column: heading, or tables.col(heading, kind, …); a plain heading takes its kind from the values
    top, by   the `top` rows largest by |by|, largest first (without `by`: the first rows as they stand)
    other     columns added up for the rest, in a row "All other (n)"; as `total`, or `by`, where not given
    total     columns added up over all rows of df, in the last row
    shut      only the caption shows until a reader opens it: for what stands behind a figure, or for the few. On paper
              it is open
    A column in which no row has a value is left out, and so is the location of a company that has only one.

    raises    TableError: a column that df lacks, a sum over a column that is not a number
    """
    if not columns:
        raise TableError("columns must name at least one column of the table.")
    shown = {name: _spoken(given if isinstance(given, Col) else _guessed(df, name, given)) for name, given in columns.items()}
    summed = list(other if other is not None else total or ([by] if by else []))
    _check(df, shown, [*summed, *(total or []), *([by] if by else [])])
    shown = _speaking(df, shown, by)
    kept, rest = _cut(df, top, by)
    shown, unit = _with_units(df, kept, rest, shown, [*summed, *(total or [])])

    def lines(shown: Mapping[str, Col]) -> tuple[list[_Row], list[_Row]]:
        scale = _scales(kept, shown)
        rows = [_row(record, shown, scale) for record in kept[list(shown)].to_dict("records")]
        if len(rest):
            rows.append(_sum_row(rest, shown, summed, words.message("tables.other", {"count": len(rest)}).text, "oth"))
        return rows, [_sum_row(df, shown, total, total_label or words.message("tables.total").text, "")] if total else []

    rows, foot = lines(shown)
    texts = [[row.name.text, *(cell.text for cell in row.cells)] for row in (*rows, *foot)]
    narrow = tables_narrow.folds(shown, texts, [by] if by else [])
    if narrow:
        shown = {name: replace(column, wide=column.wide or name in narrow) for name, column in shown.items()}
        rows, foot = lines(shown)
    return Table(
        words.as_sentence(caption), _beside(words.as_sentence(subtitle), unit),
        words.message("tables.source", {"source": words.label(source)}) if str(source) else words.plain(""),
        [(c.heading, _css(c)) for c in shown.values()], rows, foot, broad=tables_narrow.is_broad(shown, texts), shut=shut,
    )


def _speaking(df: pd.DataFrame, shown: Mapping[str, Col], by: str | None) -> dict[str, Col]:
    """The columns that say something: without those in which no row has a value, and without the place of a company that has only one."""
    _, *others = shown
    everywhere = {"", "all", words.term("location", "all").text}
    silent = [name for name in others if len(df) and name != by
              and all((isinstance(value, str | Sentence) and str(value) in everywhere) or words.is_missing(value) for value in df[name])]
    return {name: column for name, column in shown.items() if name not in silent}


def _with_units(df: pd.DataFrame, kept: pd.DataFrame, rest: pd.DataFrame, shown: Mapping[str, Col], summed: Iterable[str]) -> tuple[dict[str, Col], str]:
    """The columns with the unit of their money in the heading; three or more columns of one unit name it once, for the subtitle."""
    found = {}
    for name, column in shown.items():
        if column.kind == "money":
            sums = [math.fsum(_amounts(part[name])) for part in (df, rest)] if name in summed else []
            found[name] = [*_amounts(kept[name]), *sums]
    units = tables_scale.money(found)
    different = {one.unit for one in units.values()}
    once = different.pop() if len(units) > 2 and len(different) == 1 else ""
    return {name: replace(column, money=units[name], unit="" if once else units[name].unit) if name in units else column for name, column in shown.items()}, once


def _amounts(values: Iterable[Any]) -> list[float]:
    return [float(v) for v in values if not isinstance(v, str | Sentence) and not words.is_missing(v)]


def _beside(subtitle: Sentence, unit: str) -> Sentence:
    """The subtitle with the unit of all money behind it."""
    if not unit:
        return subtitle
    said = words.plain(unit)
    if not subtitle:
        return said
    return subtitle + said if subtitle.text.endswith(".") else subtitle + words.plain("·") + said


def _spoken(column: Col) -> Col:
    """The heading in the reader's language."""
    return replace(column, label=words.label(column.label), unit=words.label(column.unit))


def _guessed(df: pd.DataFrame, name: str, label: str) -> Col:
    """The kind a column's values suggest."""
    if name not in df.columns:
        return Col(label)
    values = df[name]
    if pd.api.types.is_datetime64_any_dtype(values):
        return Col(label, "month" if name == "month" else "date")
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return Col(label)
    return Col(label, "number")


def _check(df: pd.DataFrame, shown: Mapping[str, Col], summed: Iterable[str]) -> None:
    lacking = [name for name in [*shown, *summed] if name not in df.columns]
    if lacking:
        hint = nearest(lacking[0], map(str, df.columns))
        raise TableError(f"the table has no column {', '.join(dict.fromkeys(lacking))}. It has: {', '.join(map(str, df.columns))}. {hint}".strip())
    for name in summed:
        if not pd.api.types.is_numeric_dtype(df[name]) and len(df):
            raise TableError(f"column {name} is not a number and cannot be added up or ranked.")


def _cut(df: pd.DataFrame, top: int | None, by: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows shown and the rest. Equal sizes keep the order they came in; missing sizes come last."""
    ordered = df
    if by is not None:
        order = (-df[by].astype("float64").abs()).fillna(math.inf).to_numpy().argsort(kind="stable")
        ordered = df.iloc[order]
    return (ordered, ordered.iloc[:0]) if top is None else (ordered.iloc[:top], ordered.iloc[top:])


def _scales(df: pd.DataFrame, shown: Mapping[str, Col]) -> dict[str, tuple[float, float]]:
    """For each column of bars the least and the largest value, zero within."""
    ends = {}
    for name, column in shown.items():
        if column.kind == "bar":
            finite = [float(v) for v in df[name] if not words.is_missing(v) and math.isfinite(v)]
            ends[name] = (min([0.0, *finite]), max([0.0, *finite]))
    return ends


def _css(column: Col) -> str:
    kind = "br" if column.kind == "bar" else "" if column.kind in _LEFT else "r"
    return " ".join(part for part in (kind, "w" if column.wide else "") if part)


def _row(record: Mapping[Any, Any], shown: Mapping[str, Col], scale: Mapping[str, tuple[float, float]], css: str = "") -> _Row:
    cells = [_cell(record[name], column, scale.get(name)) for name, column in shown.items()]
    folded = " · ".join(
        cell.text if column.kind in ("text", "status") else f"{column.label} {cell.folded or cell.text}".strip()  # words speak for themselves
        for cell, column in zip(cells, shown.values(), strict=True)
        if column.wide and cell.text not in ("", words.MISSING) and column.kind not in ("bar", "picture")
    )
    return _Row(cells[0], cells[1:], folded, css)


def _cell(value: Any, column: Col, scale: tuple[float, float] | None = None) -> _Cell:
    css = _css(column)
    if isinstance(value, Sentence):
        return _Cell(value.text, Markup(value.html), css)  # a Sentence is escaped where it is made
    if value == "" or (words.is_missing(value) and column.kind in ("bar", "picture")):
        return _Cell("", Markup(""), css)
    if column.kind == "picture":
        return _Cell("", Markup(value) if hasattr(value, "__html__") else Markup.escape(str(value)), css)
    if column.kind == "bar":
        low, high = scale or (0.0, 0.0)
        return _Cell("", bar_cell(float(value), low, high), css)
    if column.kind == "status" and not words.is_missing(value):
        text = words.status(str(value)).text
        return _Cell(text, status_mark(str(value), text), css)
    text = words.show(value, column.spec)
    if column.money is None or words.is_missing(value):
        return _Cell(text, Markup.escape(text), css)
    alone = column.money.show(float(value), column.signed)
    return _Cell(alone, Markup.escape(alone), css, folded=text.replace(" ", "\u00a0"))


def _sum_row(df: pd.DataFrame, shown: Mapping[str, Col], summed: Iterable[str], label: str, css: str) -> _Row:
    """One row of sums; `math.fsum`, so that the order of rows cannot change a digit."""
    record: dict[str, Any] = dict.fromkeys(shown, "")
    for name in summed:
        values = [float(v) for v in df[name] if not words.is_missing(v)]
        if name in record:
            record[name] = math.fsum(values) if values else None
    first, *others = shown
    cells = [_cell(record[name], shown[name]) if shown[name].kind != "bar" else _Cell("", Markup(""), _css(shown[name])) for name in others]
    row = _row({**record, first: ""}, {first: Col("")} | {name: shown[name] for name in others if shown[name].kind != "bar"}, {})
    return _Row(_Cell(label, Markup.escape(label), ""), cells, row.folded, css)


# The inline styles are for JupyterLab, which right-aligns every cell and knows nothing of the page's style sheet.
# The page's own rules for `.n` carry !important for the same reason.
_HTML = """\
{% if table.shut %}<details class="more"><summary><span class="f">{{ cap }}</span></summary>{% endif -%}
<div class="tb{{ " broad" if table.broad }}"><table>
<caption style="text-align:left;caption-side:top"><span class="f" style="display:block">{{ cap }}</span>{% if sub %}<span class="sub" style="display:block">{{ sub }}</span>{% endif %}</caption>
<thead><tr>
{%- for label, css in table.heads -%}
<th scope="col"{% if css %} class="{{ css }}"{% endif %}{% if 'r' not in css.split() %} style="text-align:left"{% endif %}>{{ label }}</th>
{%- endfor -%}
</tr></thead>
<tbody>
{%- for row in table.rows %}
{{ line(row) }}
{%- else %}
<tr><td colspan="{{ table.heads|length }}" style="text-align:left">{{ nothing }}</td></tr>
{%- endfor %}
</tbody>
{%- if table.foot %}
<tfoot>
{%- for row in table.foot %}
{{ line(row) }}
{%- endfor %}
</tfoot>
{%- endif %}
</table>{% if src %}<p class="src">{{ src }}</p>{% endif %}</div>
{%- if table.shut %}</details>{% endif %}
"""
_LINE = """\
{% macro line(row) -%}
<tr{% if row.css %} class="{{ row.css }}"{% endif %}><th scope="row" style="text-align:left">{{ row.name.html }}
{%- if row.folded %}<span class="s n" style="display:none">{{ row.folded }}</span>{% endif %}</th>
{%- for cell in row.cells -%}
<td{% if cell.css %} class="{{ cell.css }}"{% endif %}{% if 'r' not in cell.css.split() %} style="text-align:left"{% endif %}>{{ cell.html }}</td>
{%- endfor -%}
</tr>
{%- endmacro %}
"""
_SET = """\
{% set cap = safe(table.caption.html) %}{% set sub = safe(table.subtitle.html) %}{% set src = safe(table.source.html) -%}
"""


@functools.cache
def _template() -> Any:
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=False, keep_trailing_newline=False)
    environment.globals["safe"] = Markup  # only ever given a Sentence's html, which is escaped where it is made
    return environment.from_string(_LINE + _SET + _HTML)


def _as_text(table: Table) -> str:
    """The table for a terminal or a plain mail: caption, columns set with spaces, source."""
    head_line = [label for label, _ in table.heads]
    body = [[row.name.text, *(cell.text for cell in row.cells)] for row in [*table.rows, *table.foot]]
    keep = [i for i in range(len(table.heads)) if "br" not in table.heads[i][1].split()]
    grid = [[line[i] for i in keep] for line in [head_line, *body]]
    right = ["r" in table.heads[i][1].split() for i in keep]
    width = [max(len(line[i]) for line in grid) for i in range(len(keep))]
    drawn = ["  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, width, right, strict=True)).rstrip() for line in grid]
    rule = "-" * (sum(width) + 2 * (len(width) - 1))
    drawn.insert(1, rule)
    if table.foot:
        drawn.insert(len(drawn) - len(table.foot), rule)
    if not body:
        drawn.append(words.message("tables.none").text)
    head = [text for text in (table.caption.text, table.subtitle.text) if text]
    return "\n".join([*head, *([""] if head else []), *drawn, *([table.source.text] if table.source else [])])
