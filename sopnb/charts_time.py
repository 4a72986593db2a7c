"""Charts over months and lags: lines that carry their names at their ends, bands, projected stock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import words
from sopnb.charts_canvas import LABEL, TICK, Canvas, ChartError, Figure, Pane, figure, need, said
from sopnb.charts_lines import Line, axis_room, ends_room, joined, line_of, months_below, name_ends, plan_begins
from sopnb.charts_multiples import multiples
from sopnb.charts_scale import Scale, by_month, known, limits, named, place, scale, ticks
from sopnb.style import BAND, text_role, text_width
from sopnb.words import Sentence

NAN = math.nan
LINES = ("plan", "demand", "over", "base", "ok", "short")  # roles in order, where a chart has no roles of its own


def demand_and_plan(
    history: pd.DataFrame, plan: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", forecast: pd.DataFrame | None = None, budget: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None, by: str = "total", unit: str = "units", months: int = 36, alt: str = "",
) -> Figure:
    """Demand by month, then the plan behind a dotted line; band, baseline and budget where given.

    history   month × demand (or revenue); summed over all other columns
    plan      month × consensus (or revenue), baseline drawn dashed where it is a column and unit is units
    forecast  month × lo80, hi80 for the total; one row a month, since bands of items do not add up
    budget    month × units (or revenue), thin and dashed
    events    name, start: named above the months where there is room; without a name a small triangle at the foot
    by        total, or a column of history and plan: one small chart for each of its values, the largest six
    unit      units, or money for revenue; any other word counts as units
    months    months of history shown
    raises    ChartError: a column is missing, a band has several rows for a month
    """
    money = unit == "money"
    demanded, planned = ("revenue", "revenue") if money else ("demand", "consensus")
    need(history, ["month", demanded], "demand_and_plan")
    need(plan, ["month", planned], "demand_and_plan")
    if by != "total":
        return _demand_by(history, plan, by, demanded, planned, money, months, name=name, title=title, subtitle=subtitle, source=source, alt=alt)
    past, ahead = by_month(history, [demanded]).tail(months), by_month(plan, [planned])
    band = _band(forecast)
    lines = [line_of(words.message("charts.demand").text, past[demanded], "demand")]
    consensus = line_of(words.message("charts.plan").text, joined(past[demanded], ahead[planned]), "plan", 2.75)
    extra = []
    if not money and "baseline" in plan.columns and len(ahead):
        baseline = by_month(plan, ["baseline"])["baseline"]
        if not baseline.equals(ahead[planned].rename("baseline")):
            extra.append(line_of(words.message("charts.baseline").text, baseline, "base", 1.75, (6, 4)))
    budget_column = "revenue" if money else "units"
    if budget is not None and budget_column in budget.columns and len(budget):
        spent = by_month(budget, [budget_column])[budget_column]
        spent = spent[(spent.index >= _first(past, ahead)) & (spent.index <= _last(past, ahead))]
        extra.append(line_of(words.message("charts.budget").text, spent, "base", 1.25, (2, 2)))
    drawn = [*lines, *extra, consensus]
    every = [v for line in drawn for v in line.y] + ([] if band is None else [*band["lo80"], *band["hi80"]])
    if not known(every):
        return figure(None, name=name, title=title, subtitle=subtitle, source=source, alt=alt or said("charts.none", {}), heights=(0, 0))
    axis = scale(every, "money" if money else "number")
    first, last = _first(past, ahead), _last(past, ahead)
    break_at = int(past.index.max()) if len(past) else None

    def paint(canvas: Canvas) -> None:
        ends = [(line, axis.plain(line.last[1])) for line in [consensus, *extra] if line.last]
        if not len(ahead):
            ends = [(line, axis.plain(line.last[1])) for line in lines if line.last]
        room, two = ends_room([(line.name, value) for line, value in ends], canvas)
        low, high = limits(every)
        pane = canvas.pane(axis_room(ticks(low, high), axis, drawn, canvas), 40, room, 24, (first, max(last, first + 1)), (low, high))
        pane.grid(ticks(low, high), axis.tick)
        if band is not None:
            pane.area(list(band.index), list(band["lo80"]), list(band["hi80"]), role="plan", opacity=BAND)
        for line in drawn:
            pane.line(line.x, line.y, role=line.role, width=line.width, dash=line.dash)
        if break_at is not None and len(ahead):
            plan_begins(pane, break_at)
        _peaks(pane, lines[0] if len(past) else None, consensus if len(ahead) else None, break_at, axis)
        if len(past) and len(ahead):
            _name_on(pane, lines[0])
        _events(pane, events, first, last)
        months_below(pane, first, last, break_at)
        name_ends(pane, ends, two, room)

    return figure(paint, name=name, title=title, subtitle=subtitle, source=source, heights=(270, 340),
                  alt=alt or _demand_alt(lines[0], consensus, ahead, axis, _inside(events, first, last)))


def _first(*tables: pd.DataFrame) -> int:
    return min((int(t.index.min()) for t in tables if len(t)), default=0)


def _last(*tables: pd.DataFrame) -> int:
    return max((int(t.index.max()) for t in tables if len(t)), default=1)


def _band(forecast: pd.DataFrame | None) -> pd.DataFrame | None:
    if forecast is None or not len(forecast):
        return None
    need(forecast, ["month", "lo80", "hi80"], "demand_and_plan")
    if forecast["month"].duplicated().any():
        raise ChartError("charts.demand_and_plan: `forecast` must have one row per month, as the bands of items do not add up to the "
                         "band of their total. Give the bands of the total (forecast.family_bands).")
    band = forecast[["lo80", "hi80"]].astype("float64").set_axis([place(m) for m in forecast["month"]], axis=0)
    return band.sort_index()


def _peaks(pane: Pane, past: Line | None, ahead: Line | None, break_at: int | None, axis: Scale) -> None:
    """The highest month on either side, named and marked, where the name has room."""
    taken: list[tuple[float, float]] = []
    for line in (ahead, past):
        if line is None:
            continue
        points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y == y and (line is past or break_at is None or x > break_at)]
        if len(points) < 3 or max(y for _, y in points) <= 0:
            continue
        x, y = max(points, key=lambda point: (point[1], -point[0]))
        label = f"{named(int(x), 'mon').split()[0]} {axis.plain(y)}"
        half = text_width(label, LABEL, True) / 2
        clear = text_width(axis.tick(tops[-1], True), TICK) + 8 if (tops := ticks(*pane.axes.get_ylim())) else 0.0
        left = pane.px(break_at) + 5 if line is ahead and break_at is not None else clear
        middle = min(max(pane.px(x), left + half), pane.canvas.width - half)
        if abs(middle - pane.px(x)) > half or any(abs(middle - other) < half + width + 8 for other, width in taken):
            continue
        taken.append((middle, half))
        pane.dot(x, y, role=line.role)
        pane.canvas.words(middle, pane.py(y) - 10, label, role=text_role(line.role), size=LABEL, bold=True, align="center")


def _name_on(pane: Pane, line: Line) -> None:
    """The name of a line that ends in the middle of the chart: close under its middle, where the line leaves room."""
    points = [(pane.px(x), pane.py(y)) for x, y in zip(line.x, line.y, strict=True) if y == y]
    half = text_width(line.name, LABEL, True) / 2 + 4
    centre = (points[0][0] + points[-1][0]) / 2 if points else 0.0
    under = [y for x, y in points if abs(x - centre) <= half + 6]
    if not under or points[-1][0] - points[0][0] < 2 * half:
        return
    below, above = max(under) + 19, min(under) - 9
    y = below if below < pane.bottom - 22 else above
    pane.canvas.words(centre, y, line.name, role=text_role(line.role), size=LABEL, bold=True, align="center")


def _events(pane: Pane, events: pd.DataFrame | None, first: int, last: int) -> None:
    left = math.inf
    for at, name in reversed(_inside(events, first, last)):  # where room is short, what is to come keeps its name
        if not name:
            pane.mark(at, pane.axes.get_ylim()[0], shape="v", role="base", size=6)
            continue
        width = text_width(name, TICK)
        x = min(pane.px(at), pane.right - width / 2)
        if x + width / 2 + 8 < left:
            pane.canvas.words(x, pane.bottom - 10, name, align="center")
            left = x - width / 2


def _inside(events: pd.DataFrame | None, first: int, last: int) -> list[tuple[int, str]]:
    """What is marked in the months drawn, in their order: place and name; each once."""
    if events is None or not len(events):
        return []
    need(events, ["name", "start"], "demand_and_plan")
    found = {(place(row.start), "" if words.is_missing(row.name) else str(row.name)) for row in events.itertuples(index=False)}
    return sorted((at, name) for at, name in found if first <= at <= last)


def _demand_alt(past: Line, consensus: Line, ahead: pd.DataFrame, axis: Scale, marked: Sequence[tuple[int, str]]) -> str:
    parts = []
    if past.last:
        parts.append(said("charts.alt.demand", {"value": axis.full(past.last[1]), "month": named(int(past.last[0]), "month")}))
    points = [(x, y) for x, y in zip(consensus.x, consensus.y, strict=True) if y == y and len(ahead) and x >= ahead.index.min()]
    if points:
        x, y = max(points, key=lambda point: (point[1], -point[0]))
        parts.append(said("charts.alt.plan", {
            "peak": axis.full(y), "month": named(int(x), "month"), "end": axis.full(points[-1][1]), "last": named(int(points[-1][0]), "month"),
        }))
    named_marks = [f"{name} ({named(at, 'month')})" for at, name in marked if name]
    if named_marks:
        parts.append(said("charts.alt.marked", {"marks": ", ".join(named_marks)}))
    return " ".join(parts)


def _demand_by(
    history: pd.DataFrame, plan: pd.DataFrame, by: str, demanded: str, planned: str, money: bool, months: int, **about: Any,
) -> Figure:
    """Small charts by a column, the largest six by plan."""
    need(history, [by], "demand_and_plan")
    need(plan, [by], "demand_and_plan")
    sizes = plan.groupby(by, sort=True)[planned].sum().sort_values(ascending=False, kind="stable")
    kept = list(sizes.index[:6])
    rows = []
    for key in kept:
        past = by_month(history[history[by] == key], [demanded])[demanded].tail(months)
        ahead = by_month(plan[plan[by] == key], [planned])[planned]
        rows += [(key, "demand", i, v) for i, v in past.items()] + [(key, "plan", i, v) for i, v in joined(past, ahead).items()]
    table = pd.DataFrame(rows, columns=["panel", "role", "place", "value"])
    return multiples(table, kept, kind="money" if money else "number", shared=False, **about)


def lines(
    df: pd.DataFrame, *, x: str, y: str, series: str, title: Sentence | str, name: str, subtitle: Sentence | str = "",
    source: Sentence | str = "", kind: str = "number", roles: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None,
    mark: float | None = None, mark_label: str = "", alt: str = "", heights: tuple[float, float] = (240, 300),
) -> Figure:
    """Lines with their names at their ends.

    df       x (a month or a number) × series, y; at most six series
    kind     number, money or percent (of a fraction)
    roles    series: role of its colour; names: series: what to call it
    mark     a value of x at which a dotted line stands, with mark_label
    raises   ChartError: a column is missing, more than six series
    """
    need(df, [x, y, series], "lines")
    keys = list(dict.fromkeys(df[series].dropna()))
    if len(keys) > len(LINES):
        raise ChartError(f"charts.lines shows at most {len(LINES)} series and was given {len(keys)}. Use charts.small_multiples, or keep the largest.")
    is_month = pd.api.types.is_datetime64_any_dtype(df[x])
    drawn = [_series_line(df[df[series] == key], x, y, is_month, (names or {}).get(key, str(key)), (roles or {}).get(key, LINES[i])) for i, key in enumerate(keys)]
    every = known([v for line in drawn for v in line.y])
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not every:
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    axis = scale(every, kind)
    at = [v for line in drawn for v in line.x]
    first, last = min(at), max(at)

    def paint(canvas: Canvas) -> None:
        ends = [(line, axis.plain(line.last[1])) for line in drawn if line.last]
        room, two = ends_room([(line.name, value) for line, value in ends], canvas)
        low, high = limits(every)
        pane = canvas.pane(axis_room(ticks(low, high), axis, drawn, canvas), 28, room, 24, (first, max(last, first + 1)), (low, high))
        pane.grid(ticks(low, high), axis.tick)
        for line in reversed(drawn):
            pane.line(line.x, line.y, role=line.role, width=line.width, dash=line.dash)
        if mark is not None:
            x_mark = pane.px(mark)
            canvas.rule((x_mark, x_mark), (16, pane.bottom), role="mute", width=1.25, dash=(1, 2.4))
            half = text_width(mark_label, TICK) / 2
            canvas.words(min(max(x_mark, half), canvas.width - half), 11, mark_label, align="center")
        if is_month:
            months_below(pane, int(first), int(last))
        else:
            steps = [t for t in ticks(first, last, 6 if canvas.wide else 5) if t >= first]
            apart = [t for t in steps if t in (first, last) or pane.px(last) - pane.px(t) > text_width(words.show(last), TICK) + 6]
            for t in sorted({first, last, *apart}) if last - first <= 12 and first == round(first) else steps:
                canvas.words(pane.px(t), pane.bottom + 17, words.show(t), align="center")
        name_ends(pane, ends, two, room)

    latest = "; ".join(f"{line.name} {axis.full(line.last[1])}" for line in drawn if line.last)
    return figure(paint, alt=alt or said("charts.alt.lines", {"latest": latest}), heights=heights, **about)


def _series_line(df: pd.DataFrame, x: str, y: str, is_month: bool, name: str, role: str) -> Line:
    dash = (6.0, 4.0) if role == "base" else None
    width = 2.75 if role == "plan" else 1.75 if dash else 2.25
    if is_month:
        values = by_month(df.rename(columns={x: "month", y: "value"})[["month", "value"]], ["value"])["value"]
        return Line(name, [float(i) for i in values.index], [float(v) for v in values], role, width, dash)
    ordered = df.sort_values(x, kind="stable")
    return Line(name, [float(v) for v in ordered[x]], [float(v) for v in ordered[y]], role, width, dash)


def lag_accuracy(
    scores: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    names: Mapping[str, str] | None = None, decision_lag: int | None = None, alt: str = "",
) -> Figure:
    """Error by lag, a line for each stream: how far ahead can we trust it?

    scores        stream × lag, wape (fraction)
    decision_lag  the lag at which supply decides, marked
    """
    need(scores, ["stream", "lag", "wape"], "lag_accuracy")
    known_roles = {"consensus": "plan", "plan": "plan", "baseline": "base", "naive": "demand", "seasonal naive": "demand"}
    spare = [role for role in LINES if role not in ("plan", "base", "demand")]
    streams = list(dict.fromkeys(scores["stream"].dropna()))
    roles = {s: known_roles.get(str(s).lower()) or spare[i % len(spare)] for i, s in enumerate(streams)}
    label = words.message("charts.decision_lag", {"lag": decision_lag}).text if decision_lag is not None else ""
    return lines(scores, x="lag", y="wape", series="stream", kind="percent", roles=roles, names=names, mark=decision_lag,
                 mark_label=label, title=title, name=name, subtitle=subtitle, source=source, alt=alt)


def projected_stock(
    projection: pd.DataFrame, *, title: Sentence | str, name: str, subtitle: Sentence | str = "", source: Sentence | str = "",
    unit: str = "units", alt: str = "",
) -> Figure:
    """Stock at month end against safety stock; what arrives as bars; below zero in the colour of shortage.

    projection  month × closing, safety_stock; receipts and proposed where they are columns (units), one item or a sum
    """
    need(projection, ["month", "closing", "safety_stock"], "projected_stock")
    arriving = [c for c in ("receipts", "proposed") if c in projection.columns]
    sums = by_month(projection, ["closing", "safety_stock", *arriving])
    about: dict[str, Any] = {"name": name, "title": title, "subtitle": subtitle, "source": source}
    if not known(sums["closing"]):
        return figure(None, alt=alt or said("charts.none", {}), heights=(0, 0), **about)
    come = [(i, known([row[c] for c in arriving])) for i, row in sums.iterrows()]
    every = known([*sums["closing"], *sums["safety_stock"], *(sum(v) for _, v in come)])
    axis = scale(every, "money" if unit == "money" else "number")
    first, last = int(sums.index.min()), int(sums.index.max())
    stock = line_of(words.message("charts.stock").text, sums["closing"], "plan", 2.75)
    safety = line_of(words.message("charts.safety").text, sums["safety_stock"], "base", 1.75, (6, 4))

    def paint(canvas: Canvas) -> None:
        ends = [(line, axis.plain(line.last[1])) for line in (stock, safety) if line.last]
        room, two = ends_room([(line.name, value) for line, value in ends], canvas)
        low, high = limits(every)
        at = ticks(low, high)
        left = max(axis_room(at, axis) + 8, text_width(axis.tick(at[-1], True), TICK) + 2)  # stock is often highest in its first month, beside the topmost number
        pane = canvas.pane(left, 28, room, 24, (first - 0.4, last + 0.4), (low, high))
        pane.grid(ticks(low, high), axis.tick)
        for at, amounts in come:
            if sum(amounts) > 0:
                pane.bar(float(at), 0, sum(amounts), role="base", half=0.28, opacity=0.45)
        _below_zero(pane, stock)
        pane.line(safety.x, safety.y, role="base", width=1.75, dash=(6, 4))
        pane.line(stock.x, stock.y, role="plan", width=2.75)
        for x, y in zip(stock.x, stock.y, strict=True):
            if y < 0:
                pane.dot(x, y, role="short", size=7)
        if any(sum(v) > 0 for _, v in come):
            at, amounts = max(((i, v) for i, v in come if sum(v) > 0), key=lambda pair: sum(pair[1]))
            label = words.message("charts.arriving").text
            half = text_width(label, TICK) / 2
            canvas.words(min(max(pane.px(float(at)), half), pane.right - half), max(pane.py(sum(amounts)) - 5, 22), label, role="base-t", align="center")
        months_below(pane, first, last, first)
        name_ends(pane, ends, two, room)

    lowest = min(zip(stock.y, stock.x, strict=True), key=lambda pair: (pair[0] != pair[0], pair[0]))
    told = {"low": axis.full(lowest[0]), "month": named(int(lowest[1]), "month"), "end": axis.full(stock.last[1] if stock.last else NAN),
            "last": named(last, "month"), "safety": axis.full(safety.last[1]) if safety.last else words.MISSING}
    return figure(paint, alt=alt or said("charts.alt.stock", told), heights=(250, 310), **about)


def _below_zero(pane: Pane, line: Line) -> None:
    """What we would owe: the area between the line and zero where it is below."""
    for (x1, y1), (x2, y2) in zip(zip(line.x, line.y, strict=True), list(zip(line.x, line.y, strict=True))[1:], strict=False):
        if not (y1 < 0 or y2 < 0) or y1 != y1 or y2 != y2:
            continue
        cross = x1 + (x2 - x1) * (0 - y1) / (y2 - y1) if y1 * y2 < 0 else None
        left, right = (cross if cross is not None and y1 > 0 else x1), (cross if cross is not None and y2 > 0 else x2)
        pane.area([left, right], [min(y1, 0), min(y2, 0)], [0, 0], role="short", opacity=0.3)
