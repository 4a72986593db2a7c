"""Charts of things side by side: bars with their names and numbers in rows, heat maps, load against capacity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, ChartError, Figure, cut, figure, need, said
from sopnb.charts_scale import known, place, scale
from sopnb.style import text_width
from sopnb.words import Sentence


@dataclass(frozen=True)
class Row:
    """A bar from `start` to `end` with its name left and its number right. `ghost` is where a dashed outline ends."""

    label: str
    start: float
    end: float
    value: str
    role: str = "plan"
    ghost: float | None = None
    note: str = ""
    note_role: str = "mute"
    point: bool = False


def _bars(rows: Sequence[Row], *, alt: str, **about: Any) -> Figure:
    """Rows of bars. On a phone the name and the number stand above the bar; wide, beside it."""
    if not rows or not known([v for row in rows for v in (row.start, row.end)]):
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    ends = [0.0, *known([v for row in rows for v in (row.start, row.end, row.ghost if row.ghost is not None else 0.0)])]
    low, high = min(ends), max(ends)
    if low == high:
        high = low + 1.0
    step = {False: 42, True: 32}
    has_note = any(row.note for row in rows)

    def paint(canvas: Canvas) -> None:
        names = max(text_width(row.label, LABEL, True) for row in rows) + 16
        values = max(text_width(row.value, LABEL) for row in rows) + 14
        notes = max((text_width(row.note, LABEL) for row in rows), default=0) + 16 if has_note else 0.0
        left = min(names, canvas.width * 0.5) if canvas.wide else 0.0
        right = values + notes if canvas.wide else 0.0
        tall = step[canvas.wide]
        pane = canvas.pane(left, 4, right, 4, (low, high), (len(rows) - 0.5, -0.5))
        for i, row in enumerate(rows):
            middle = 4 + tall * (i + 0.5)
            top, bottom = ((i - 0.29, i + 0.29) if canvas.wide else (i + 0.06, i + 0.36))
            if row.ghost is not None and row.ghost > max(row.start, row.end):
                pane.block(max(row.start, row.end), row.ghost, top, bottom, role="base", hollow=True)
            if row.point:
                pane.dot(row.end, i if canvas.wide else i + 0.21, role=row.role, size=8)
            elif row.start != row.end:
                pane.block(row.start, row.end, top, bottom, role=row.role)
            base = middle + 5 if canvas.wide else middle - 5
            canvas.words(0, base, cut(row.label, (left or canvas.width - values - notes) - 8, LABEL, True), role="ink", size=LABEL, bold=True)
            canvas.words(canvas.width - notes, base, row.value, role="ink", size=LABEL, align="right")
            if row.note:
                canvas.words(canvas.width, base, row.note, role=row.note_role, size=LABEL, align="right")
        zero, role = pane.px(0), "mute" if low < 0 < high else "line"
        for top, bottom in [(4.0, canvas.height - 4)] if canvas.wide else [(pane.py(i + 0.02), pane.py(i + 0.4)) for i in range(len(rows))]:
            canvas.rule((zero, zero), (top, bottom), role=role)  # on a phone beside the bars only: their names stand above them

    heights = (8 + step[False] * len(rows), 8 + step[True] * len(rows))
    parts = "; ".join(f"{row.label} {row.value} {row.note}".strip() for row in rows)
    return figure(paint, alt=alt or said("charts.alt.bars", {"parts": parts}), heights=heights, **about)


def bridge(
    parts: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    kind: str = "money", names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """What changed between two numbers: changes only, from zero, so that no axis is cut.

    parts   part, amount, in order; `total` true marks the numbers the changes lead from and to (first and last)
    raises  ChartError where the changes between two totals do not add up to their difference
    """
    need(parts, ["part", "amount"], "bridge")
    axis = scale(parts["amount"], kind, fine=True)
    rows, running, opened = [], 0.0, None
    for record in parts.to_dict("records"):
        amount, label = float(record["amount"]), str((names or {}).get(record["part"], record["part"]))
        if bool(record.get("total", False)):
            if opened is not None and abs(opened + running - amount) > 0.005 + 1e-6 * abs(amount):
                raise ChartError(f"charts.bridge: the changes to {label!r} add up to {running:,.2f}, and the totals differ by {amount - opened:,.2f}. "
                                 "Add the part that is missing.")
            opened = amount - running if opened is None else opened
            rows.append(Row(label, running, running, axis.full(amount), "ink", point=True))
            continue
        rows.append(Row(label, running, running + amount, axis.full(amount, signed=True), "plan" if amount >= 0 else "over"))
        running += amount
    return _bars(rows, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def stairs(
    value_added: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """Does each step earn its place? Error after each stream; the dashed outline is error the stream took off.

    value_added  stream × wape, added (fractions), in the order of the plan
    """
    need(value_added, ["stream", "wape", "added"], "stairs")
    rows, before = [], None
    for i, record in enumerate(value_added.to_dict("records")):
        wape, added = float(record["wape"]), record["added"]
        last = i == len(value_added) - 1
        note = words.number(added, "+.1pp") if added == added and added is not None and i else words.MISSING
        worse = added == added and added is not None and added < 0 and i > 0
        rows.append(Row(str((names or {}).get(record["stream"], record["stream"])), 0.0, wape, words.number(wape, ".1%"), "plan" if last else "base",
                        ghost=before if before is not None and before > wape else None, note=note, note_role="short" if worse else "ink"))
        before = wape
    return _bars(rows, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def ranking(
    df: pd.DataFrame, *, label: str, value: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "number", top: int = 10, role: str = "plan", role_of: str | None = None, alt: str = "",
) -> Figure:
    """Bars in order of size, the largest first; the rest as "All other (n)", so that nothing is left out.

    df       label, value; role_of names a column with a role of colour for each row
    """
    need(df, [label, value, *([role_of] if role_of else [])], "ranking")
    ordered = df.iloc[(-df[value].astype("float64").abs()).fillna(math.inf).to_numpy().argsort(kind="stable")]
    kept, rest = ordered.iloc[:top], ordered.iloc[top:]
    axis, changes = scale(df[value], kind, fine=True), any(amount < 0 for amount in known(df[value]))  # beside a minus a plus is said

    def one(text: str, amount: float, colour: str) -> Row:
        drawn = amount if amount == amount and math.isfinite(amount) else 0.0
        return Row(text, 0.0, drawn, axis.full(amount, signed=changes) if amount == amount else words.MISSING, colour)

    rows = [one(str(r[label]), float(r[value]), str(r[role_of]) if role_of else ("over" if role == "plan" and r[value] < 0 else role)) for r in kept.to_dict("records")]
    if len(rest):
        rows.append(one(words.message("tables.other", {"count": len(rest)}).text, math.fsum(known(rest[value])), "base"))
    return _bars(rows, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def funnel(
    df: pd.DataFrame, *, stage: str, amount: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "money", note: str | None = None, alt: str = "",
) -> Figure:
    """Stages of the pipeline in their own order, each with its amount and its share of the first.

    df      stage, amount; note names a column with a text for each row instead of the share
    """
    need(df, [stage, amount, *([note] if note else [])], "funnel")
    axis = scale(df[amount], kind, fine=True)
    first = known(df[amount])[:1]
    rows = []
    for record in df.to_dict("records"):
        size = float(record[amount])
        share = words.number(size / first[0], ".0%") if first and first[0] > 0 else ""
        rows.append(Row(str(record[stage]), 0.0, size if size == size else 0.0, axis.full(size), "plan", note=str(record[note]) if note else share))
    return _bars(rows, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def attainment(
    df: pd.DataFrame, *, label: str, done: str, goal: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "money", top: int = 14, alt: str = "",
) -> Figure:
    """What was done of a goal: a bar for each row, the dashed outline is what is missing, the share stands beside it.

    df      label, done, goal, in the order they are drawn; rows beyond `top` come together as "All other (n)"
    """
    need(df, [label, done, goal], "attainment")
    axis = scale(df[done], kind, fine=True)

    def one(text: str, did: float, asked: float) -> Row:
        share = did / asked if asked > 0 else math.nan
        return Row(text, 0.0, did, axis.full(did), "over" if share < 1 else "plan", ghost=asked if share < 1 else None,
                   note=words.number(share, ".0%"), note_role="over-t" if share < 1 else "ink")

    kept, rest = df.iloc[:top], df.iloc[top:]
    rows = [one(str(r[label]), float(r[done]), float(r[goal])) for r in kept.to_dict("records")]
    if len(rest):
        rows.append(one(words.message("tables.other", {"count": len(rest)}).text, math.fsum(known(rest[done])), math.fsum(known(rest[goal]))))
    return _bars(rows, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def ageing(
    actions: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "", alt: str = "",
) -> Figure:
    """Open actions by how late they are.

    actions  state, overdue_days (days, 0 or less where not yet due); closed and dropped ones are left out
    """
    need(actions, ["state", "overdue_days"], "ageing")
    late = actions.loc[~actions["state"].isin(["done", "dropped"]), "overdue_days"]
    ages = (("charts.not_due", -math.inf, 0, "base"), ("charts.late_week", 0, 7, "over"), ("charts.late_month", 7, 30, "short"), ("charts.late_more", 30, math.inf, "short"))
    counts = [(key, int(((late > low) & (late <= high)).sum()), role) for key, low, high, role in ages]
    rows = [Row(words.message(key).text, 0.0, float(count), words.number(count, ",d"), role) for key, count, role in counts]
    return _bars(rows if len(late) else [], title=title, name=name, subtitle=subtitle, source=source, alt=alt)


# --- a field of numbers ---------------------------------------------------------------------------------------------

def heatmap(
    df: pd.DataFrame, *, rows: str, columns: str, value: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "number", alt: str = "",
) -> Figure:
    """Numbers in a field, the larger the denser; negative ones in the colour of shortage; an empty cell is a gap.

    df     rows × columns, value (sums where a pair stands more than once)
    """
    need(df, [rows, columns, value], "heatmap")
    order = list(dict.fromkeys(df[rows].dropna()))
    across = sorted(df[columns].dropna().unique()) if pd.api.types.is_datetime64_any_dtype(df[columns]) else list(dict.fromkeys(df[columns].dropna()))
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": words.as_sentence(subtitle), "source": source}
    field = df.groupby([rows, columns], sort=False)[value].sum(min_count=1).unstack(columns).reindex(index=order, columns=across)
    values = known(field.to_numpy().ravel())
    if not values:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axis = scale(values, kind)
    if axis.unit:
        about["subtitle"] = about["subtitle"] + words.plain("·") + words.plain(axis.unit) if str(subtitle) else words.plain(axis.unit)
    months = pd.api.types.is_datetime64_any_dtype(df[columns])

    def paint(canvas: Canvas) -> None:
        _paint_heat(canvas, field, axis, months)

    top = field.stack().idxmax()
    told = {"count": len(order), "across": len(across), "high": axis.full(max(values)), "low": axis.full(min(values)), "row": str(top[0]),
            "column": words.month(top[1]) if months else str(top[1])}
    return figure(paint, alt=alt or said("charts.alt.heat", told), heights=(28 + 46 * len(order), 28 + 30 * len(order)), **about)


def _paint_heat(canvas: Canvas, field: pd.DataFrame, axis: Any, months: bool) -> None:
    """Shades by seaborn, from the house's colours by opacity, so that they turn with dark mode."""
    import seaborn
    from matplotlib.colors import ListedColormap

    from sopnb.style import SHADES, shade

    count = len(field.columns)
    left = min(max(text_width(str(n), LABEL, True) for n in field.index) + 14, canvas.width * 0.32) if canvas.wide else 0.0
    size = max(abs(v) for v in known(field.to_numpy().ravel())) or 1.0
    pane = canvas.pane(left, 24, 0, 4, (0, count), (len(field), 0))
    cell = (pane.right - pane.left) / count
    levels = field.map(lambda v: math.nan if v != v else float(round(v / size * SHADES)))
    colours = ListedColormap([shade(level) for level in range(-SHADES, SHADES + 1)])
    if canvas.wide:
        seaborn.heatmap(levels, ax=pane.axes, cmap=colours, vmin=-SHADES - 0.5, vmax=SHADES + 0.5, cbar=False, xticklabels=False, yticklabels=False, linewidths=0)
    else:  # the names stand above their rows, so the rows lie apart
        for i in range(len(field)):
            for j in range(count):
                level = levels.iat[i, j]
                if level == level:
                    pane.axes.fill([j, j + 1, j + 1, j], [i + 0.42, i + 0.42, i + 0.98, i + 0.98], facecolor=shade(int(level)), linewidth=0)
    pane.axes.axis("off")
    pane.axes.set_xlim(0, count)
    pane.axes.set_ylim(len(field), 0)
    widest = max(text_width(axis.plain(v), TICK) for v in known(field.to_numpy().ravel()))
    for i, key in enumerate(field.index):
        y = pane.py(i + 0.5) if canvas.wide else pane.py(i + 0.7)
        canvas.words(0, y + 4 if canvas.wide else pane.py(i + 0.34), cut(str(key), (left or canvas.width - 90) - 10, LABEL, True), role="ink", size=LABEL, bold=True)
        if not canvas.wide:
            row = known(field.iloc[i])
            spread = words.MISSING if not row else axis.plain(row[0]) if len(row) == 1 else f"{axis.plain(min(row))} … {axis.plain(max(row))}"
            canvas.words(canvas.width, pane.py(i + 0.34), spread, align="right")
        for j in range(count):
            number = field.iat[i, j]
            if number == number and widest < cell - 4:
                canvas.words(pane.px(j + 0.5), y + 4, axis.plain(number), role="ink", align="center")
    _heads(canvas, pane, list(field.columns), cell, months)


def _heads(canvas: Canvas, pane: Any, columns: Sequence[Any], cell: float, months: bool) -> None:
    labels = [words.show(c, "mon") if months else str(c) for c in columns]
    widest = max(text_width(label, TICK) for label in labels)
    every = max(1, math.ceil((widest + 6) / cell))
    for j, label in enumerate(labels):
        if j % every == 0:
            canvas.words(pane.px(j + 0.5) if cell > widest else pane.px(j), 14, cut(label, cell * every - 2), align="center" if cell > widest else "left")


# --- load against capacity ------------------------------------------------------------------------------------------

def load(
    load: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "", top: int = 6,
    names: Mapping[str, str] | None = None, alt: str = "",
) -> Figure:
    """Hours needed as a share of hours available: one small chart for each resource, the fullest first.

    load     resource × month, hours, available; overtime (hours, at most) where it is a column
    top      so many resources

    The line stands at 100%, the dotted one at what overtime can add; what lies above the line is in the colour of
    shortage, and the worst month carries its number.
    """
    need(load, ["resource", "month", "hours", "available"], "load")
    table = load.assign(share=load["hours"] / load["available"].where(load["available"] > 0))
    peaks = table.groupby("resource", sort=True)["share"].max().dropna().sort_values(ascending=False, kind="stable")
    keys = list(peaks.index[:top])
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not keys:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    high = max(1.15, float(peaks.iloc[0]) * 1.02)
    title_of = {key: str((names or {}).get(key, key)) for key in keys}
    tall = 150

    def paint(canvas: Canvas) -> None:
        across, gap = min(3 if canvas.wide else 2, len(keys)), 26
        width = (canvas.width - gap * (across - 1)) / across
        for i, key in enumerate(keys):
            _load_panel(canvas, table[table["resource"] == key].sort_values("month", kind="stable"), title_of[key],
                        (i % across) * (width + gap), (i // across) * tall, width, tall, high)

    rows = {wide: -(-len(keys) // min(3 if wide else 2, len(keys))) for wide in (False, True)}
    told = "; ".join(f"{title_of[key]} {words.number(peaks[key], '.0%')}" for key in keys)
    return figure(paint, alt=alt or said("charts.alt.load", {"parts": told}), heights=(rows[False] * tall, rows[True] * tall), **about)


def _load_panel(canvas: Canvas, part: pd.DataFrame, title: str, left: float, top: float, width: float, tall: float, high: float) -> None:
    at = [place(m) for m in part["month"]]
    first, last = min(at), max(at)
    pane = canvas.pane(left, top + 40, canvas.width - left - width, canvas.height - top - tall + 26, (first - 0.5, last + 0.5), (0, high))
    shares = [float(v) for v in part["share"]]
    for x, share in zip(at, shares, strict=True):
        if share != share:
            continue
        pane.bar(x, 0, min(share, 1), role="base", half=0.4)
        if share > 1:
            pane.bar(x, 1, min(share, high), role="short", half=0.4)
    worst = max((s, -x) for x, s in zip(at, shares, strict=True) if s == s)
    size = LABEL if text_width(title, LABEL, True) <= width else TICK
    canvas.words(left, top + 14, cut(title, width, size, True), role="ink", size=size, bold=True)
    label = words.message("charts.load.over", {"share": worst[0], "month": pd.Timestamp(-worst[1] // 12, -worst[1] % 12 + 1, 1)}).text
    canvas.words(left, top + 31, label, role="short" if worst[0] > 1 else "mute", size=LABEL, bold=worst[0] > 1)
    y = pane.py(1)
    canvas.rule((left, left + width), (y, y), role="ink", width=1)
    if "overtime" in part.columns:
        limit = (part["available"] + part["overtime"].fillna(0)) / part["available"].where(part["available"] > 0)
        pane.line(at, [float(v) if v == v and v > 1 else math.nan for v in limit], role="over", width=1.5, dash=(2, 2), step=True)
    canvas.rule((left, left + width), (pane.bottom, pane.bottom), role="mute")
    every = 1 if (width / len(at)) >= 14 else math.ceil(14 / (width / len(at)))
    for i, x in enumerate(at):
        if i % every == 0:
            canvas.words(pane.px(x), pane.bottom + 16, words.show(pd.Timestamp(x // 12, x % 12 + 1, 1), "mon")[0], align="center")
