"""Charts: what they draw, what they say, and that they leave the page alone."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sopnb import aggregate, charts, style, words
from sopnb.charts import ChartError
from sopnb.charts_canvas import Canvas, spread
from sopnb.charts_lines import Line, axis_room, folded
from sopnb.charts_scale import month_ticks, place, scale, ticks
from sopnb.words import say
from tests.helpers import frame

MONTHS = pd.date_range("2024-10-01", periods=24, freq="MS")
AHEAD = pd.date_range("2026-10-01", periods=12, freq="MS")
WAVE = 1e6 * (1 + 0.2 * np.sin(np.arange(24) / 2))
HISTORY = pd.DataFrame({"item": "A", "month": MONTHS, "demand": WAVE})
PLAN = pd.DataFrame({"item": "A", "month": AHEAD, "consensus": WAVE[:12] * 1.02, "baseline": WAVE[:12]})
BAND = PLAN.assign(lo80=PLAN["consensus"] * 0.9, hi80=PLAN["consensus"] * 1.1)[["month", "lo80", "hi80"]]
BUDGET = pd.DataFrame({"family": "x", "month": AHEAD, "units": WAVE[:12] * 1.05, "revenue": 1.0})
SERIES = pd.concat([pd.DataFrame({"month": MONTHS, "site": n, "y": WAVE * k}) for n, k in (("Jakarta", 1), ("Medan", 0.98), ("Bali", 0.2))])
LAGS = pd.DataFrame([(s, lag, b + 0.02 * lag) for s, b in (("consensus", 0.2), ("baseline", 0.21), ("naive", 0.3)) for lag in range(1, 7)], columns=["stream", "lag", "wape"])
TRIANGLE = pd.DataFrame([(m, made, d * (1 + 0.01 * n), d if m < MONTHS[-1] else np.nan) for n, made in enumerate(MONTHS[-6:]) for m, d in zip(MONTHS[-6:], WAVE[-6:], strict=True) if m >= made],
                        columns=["month", "cycle", "consensus", "demand"])
ADDED = frame("stream wape added", "Naive 0.339 -", "Baseline 0.274 0.065", "Overrides 0.277 -0.003")
PARTS = pd.DataFrame({"part": ["Last plan", "Actuals", "Events", "This plan"], "amount": [655.2e9, -4.6e9, 14.3e9, 664.9e9], "total": [True, False, False, True]})
STOCK = pd.DataFrame({"month": AHEAD[:6], "closing": [90, 20, -30, 10, 60, 70.0], "safety_stock": 40.0, "receipts": [0, 0, 0, 70, 0, 0], "proposed": 10})
LOAD = pd.concat([pd.DataFrame({"resource": r, "month": AHEAD[:6], "hours": h, "available": 100.0, "overtime": 10.0}) for r, h in (("Oven", [80, 90, 99, 112, 135, 88]), ("Mixer", 70))])
KPIS = pd.concat([pd.DataFrame({"kpi": k, "month": MONTHS[-13:], "value": v, "target": t}) for k, v, t in (("accuracy", np.linspace(0.7, 0.75, 13), 0.75), ("cover", 38.0, 40))])
GAPS = pd.DataFrame([(f, m, i * 10 - j * 5.0) for i, f in enumerate(["Tea", "Coffee"]) for j, m in enumerate(AHEAD) if (i, j) != (1, 3)], columns=["family", "month", "gap"])
QUOTAS = frame("rep sold quota", "Ada 6e9 9e9", "Ben 12e9 10e9", "A.name.that.is.far.too.long.for.any.phone 1e6 4e9", "New 0 0")
STAGES = frame("stage amount", "Lead 42e9", "Proposal 18e9", "Won 6e9")
ACTIONS = frame("state overdue_days", "open 17", "open -2", "done 40", "started 3")
ITEMS = pd.DataFrame({"item": [f"Item {i}" for i in range(14)], "amount": [1e9 / (i + 1) for i in range(14)]})

WAYS = aggregate.strategies(pd.Series([4e4, 9e4, 12e4, 5e4, 3e4, 7e4], index=AHEAD[:6]), aggregate.Costs(
    opening_people=50, units_per_worker=1200, hire_cost=7e6, layoff_cost=21e6, regular_cost=6e6, overtime_cost=8e3, overtime_share=0.1, subcontract_cost=13e3,
    holding_cost=1500, backlog_cost=900)).assign(family="all")
BESIDE = aggregate.compare(WAYS, by=["strategy"])

FORMS = {
    "demand-plan": lambda **k: charts.demand_and_plan(HISTORY, PLAN, forecast=BAND, budget=BUDGET, events=frame("name start", "Lebaran 2026-03-20"), **k),
    "by-item": lambda **k: charts.demand_and_plan(HISTORY, PLAN, by="item", **k),
    "bridge": lambda **k: charts.bridge(PARTS, **k),
    "lag-accuracy": lambda **k: charts.lag_accuracy(LAGS, decision_lag=3, **k),
    "stairs": lambda **k: charts.stairs(ADDED, **k),
    "stock": lambda **k: charts.projected_stock(STOCK, **k),
    "load": lambda **k: charts.load(LOAD, **k),
    "ranking": lambda **k: charts.ranking(ITEMS, label="item", value="amount", kind="money", **k),
    "trend": lambda **k: charts.trend(KPIS, kinds={"accuracy": "percent"}, **k),
    "lines": lambda **k: charts.lines(SERIES, x="month", y="y", series="site", **k),
    "item-history": lambda **k: charts.item_history(
        HISTORY.assign(demand_raw=HISTORY["demand"] * 0.8, censored=HISTORY.index % 9 == 0), PLAN.assign(lo80=80.0, hi80=180.0), versions=TRIANGLE,
        marks=pd.DataFrame({"month": [*MONTHS[-4:], AHEAD[1]], "kind": ["censored", "outlier", "level_shift", "event", "event"]}), **k),
    "decomposition": lambda **k: charts.decomposition(pd.DataFrame({"month": MONTHS, "demand": WAVE, "trend": 120.0, "season": WAVE - 125, "remainder": 5.0}), **k),
    "versions": lambda **k: charts.versions(TRIANGLE, **k),
    "funnel": lambda **k: charts.funnel(STAGES, stage="stage", amount="amount", **k),
    "ageing": lambda **k: charts.ageing(ACTIONS, **k),
    "attainment": lambda **k: charts.attainment(QUOTAS, label="rep", done="sold", goal="quota", **k),
    "heat": lambda **k: charts.heatmap(GAPS, rows="family", columns="month", value="gap", **k),
    "plan-paths": lambda **k: charts.plan_paths(WAYS, **k),
    "plan-costs": lambda **k: charts.plan_costs(BESIDE, **k),
    "multiples": lambda **k: charts.small_multiples(SERIES, y="y", by="site", **k),
}


@pytest.fixture(autouse=True)
def _voice():
    with words.speaking("en", "IDR"):
        yield


def draw(name: str, /, **more):
    return FORMS[name](**{"title": "What one learns", "subtitle": "Cartons per month", "source": "demand history", "name": name, **more})


def texts(drawing: str) -> list[str]:
    return ["".join(e.itertext()) for e in ET.fromstring(drawing).iter("text")]


@pytest.mark.parametrize("name", FORMS)
def test_a_figure_is_a_clean_guest_on_its_page(name):
    """Both drawings: well-formed, named for those who cannot see, no style sheet, id, reference or colour of the library."""
    shown = draw(name)
    for drawing in (shown.narrow, shown.wide):
        root = ET.fromstring(drawing)
        assert root.attrib["role"] == "img" and root.attrib["aria-label"] == shown.alt
        assert not re.search(r"<style|<\?xml|DOCTYPE|\bid=|href|url\(|<script|DejaVu|#(?!1f2933|0b6e99|7f97ad|4d6579|b7791f|865408|9b1c1c|1f7a4d|52606d|d5dce2|e4e9ed|fff)[0-9a-f]{6}", drawing)
        assert root.attrib["width"] == "100%"
        sizes = [float(v) for v in re.findall(r"font-size:([\d.]+)px", drawing)]
        assert min(sizes) >= 12
    page = shown.html
    assert page.startswith(f'<figure class="fig" id="fig-{name}"') and "What one learns" in page and "Source: demand history" in page
    assert len(page) < 30_000
    assert shown._repr_mimebundle_()["text/plain"] == shown.text


@pytest.mark.parametrize("name", FORMS)
def test_the_same_table_gives_the_same_bytes(name):
    assert draw(name).html == draw(name).html


@pytest.mark.parametrize("name", FORMS)
def test_words_stay_inside_and_apart(name):
    """No two texts of a drawing lie over each other, and none leaves it, by the widths of common fonts."""
    shown = draw(name)
    for drawing, width in ((shown.narrow, 288), (shown.wide, 620)):
        boxes = []
        for e in ET.fromstring(drawing).iter("text"):
            size = float(re.search(r"font-size:([\d.]+)", e.attrib["style"])[1])
            wide = style.text_width("".join(e.itertext()), size, "font-weight" in e.attrib["style"])
            at = float(e.attrib["x"].rstrip("%")) / 100 * width
            left = at - {"middle": wide / 2, "end": wide}.get(e.attrib.get("text-anchor", ""), 0)
            y = float(e.attrib["y"])
            assert left >= -2 and left + wide <= width + 3, "".join(e.itertext())
            boxes.append((left, left + wide, y - 0.72 * size, y, "".join(e.itertext())))
        for i, a in enumerate(boxes):
            for b in boxes[i + 1:]:
                assert not (a[0] < b[1] - 1 and b[0] < a[1] - 1 and a[2] < b[3] - 1 and b[2] < a[3] - 1), (a, b)


def test_another_process_draws_the_same():
    """No order of sets, no clock, no state of an earlier drawing."""
    code = "import pandas as pd; from sopnb import charts; df = pd.read_json({!r}, orient='split'); print(charts.lines(df, x='lag', y='wape', series='stream', kind='percent', title='t', name='n').html)"
    other = subprocess.run([sys.executable, "-c", "import io; " + code.replace("{!r}", f"io.StringIO({LAGS.to_json(orient='split')!r})")],
                           capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7", "PATH": ""})
    assert other.stdout.strip() == charts.lines(LAGS, x="lag", y="wape", series="stream", kind="percent", title="t", name="n").html


def test_importing_charts_is_cheap():
    code = "import sys, sopnb.charts; print([m for m in ('matplotlib', 'seaborn', 'jinja2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_alternative_text_tells_the_story():
    alt = draw("demand-plan", title=say("The plan **peaks**")).alt
    assert alt == "The plan peaks. Demand was 0.82 m in September 2026. The plan peaks at 1.22 m in January 2027 and stands at 0.88 m in September 2027. Marked: Lebaran (March 2026)."
    assert "Stock is lowest at −30 in December 2026 and stands at 70 in March 2027, with a safety stock of 40." in draw("stock").alt
    assert draw("ranking", alt="My own.").alt == "What one learns. My own."


def test_the_plan_begins_where_the_actuals_end():
    shown = texts(draw("demand-plan").wide)
    assert {"data to Sep 26", "plan", "Demand", "Lebaran"} <= set(shown)
    assert any(t.startswith("Plan ") for t in shown) and any(t.startswith("Budget ") for t in shown)


def test_months_speak_the_language_of_the_report():
    with words.speaking("id", "IDR"):
        shown = texts(draw("trend").wide)
    assert "Sep 26" in shown and "75,0%" in shown


def test_a_month_without_data_is_a_gap():
    history = HISTORY[HISTORY["month"] != pd.Timestamp("2026-01-01")]
    whole, broken = (charts.demand_and_plan(h, PLAN.iloc[:0], title="t", name="gap").wide for h in (HISTORY, history))
    moves = [max(d.count("M") for d in re.findall(r'<path d="([^"]+)"', drawing)) for drawing in (whole, broken)]
    assert moves == [1, 2]


@pytest.mark.parametrize("table", [HISTORY.iloc[:0], HISTORY.iloc[:1], HISTORY.assign(demand=0.0), HISTORY.assign(demand=WAVE * 1e12),
                                   HISTORY.assign(demand=math.nan), HISTORY.assign(demand=-WAVE)], ids=["empty", "one", "zero", "huge", "missing", "negative"])
def test_odd_data_is_drawn_or_said(table):
    for shown in (charts.demand_and_plan(table, PLAN.iloc[:0], title="t", name="odd"),
                  charts.lines(table, x="month", y="demand", series="item", title="t", name="odd"),
                  charts.small_multiples(table, y="demand", by="item", title="t", name="odd"),
                  charts.ranking(table, label="item", value="demand", title="t", name="odd"),
                  charts.heatmap(table, rows="item", columns="month", value="demand", title="t", name="odd")):
        assert "<svg" in shown.html or "No data to draw." in shown.html
        assert "nan" not in shown.html and "inf" not in shown.html


@pytest.mark.parametrize("form", [
    lambda: charts.bridge(PARTS.iloc[:0], title="t", name="n"), lambda: charts.stairs(ADDED.iloc[:0], title="t", name="n"),
    lambda: charts.projected_stock(STOCK.iloc[:0], title="t", name="n"), lambda: charts.load(LOAD.iloc[:0], title="t", name="n"),
    lambda: charts.plan_paths(WAYS.iloc[:0], title="t", name="n"), lambda: charts.plan_costs(BESIDE.iloc[:0], title="t", name="n"),
    lambda: charts.trend(KPIS.iloc[:0], title="t", name="n"), lambda: charts.funnel(STAGES.iloc[:0], stage="stage", amount="amount", title="t", name="n"),
    lambda: charts.ageing(ACTIONS.iloc[:0], title="t", name="n"), lambda: charts.lag_accuracy(LAGS.iloc[:0], title="t", name="n"),
])
def test_without_rows_a_chart_says_so(form):
    assert "No data to draw." in form().html and form().png() == b""


def test_nothing_is_drawn_where_no_page_is_wanted(monkeypatch):
    monkeypatch.setenv("SOPNB_PAGES", "0")
    assert draw("heat").html == "" and draw("heat").text == ""


def test_a_bridge_that_does_not_add_up_is_refused():
    with pytest.raises(ChartError, match="Add the part that is missing"):
        charts.bridge(PARTS.drop(index=1), title="t", name="n")


def test_bands_of_items_are_no_band_of_the_total():
    with pytest.raises(ChartError, match="bands of items do not add up"):
        charts.demand_and_plan(HISTORY, PLAN, forecast=pd.concat([BAND, BAND]), title="t", name="n")


def test_errors_name_the_columns_and_the_id():
    with pytest.raises(ChartError, match="lacks demand"):
        charts.demand_and_plan(HISTORY.drop(columns="demand"), PLAN, title="t", name="n")
    with pytest.raises(ChartError, match="short id"):
        draw("heat", name="Heat Map")
    with pytest.raises(ChartError, match="at most 6 series"):
        charts.lines(ITEMS.assign(x=1.0), x="x", y="amount", series="item", title="t", name="n")


def test_data_in_a_drawing_is_text():
    shown = charts.ranking(pd.DataFrame({"item": ["<b>&$x$"], "v": [1.0]}), label="item", value="v", title="<i>", name="n")
    assert "<b>&$x$" in texts(shown.wide) and "&lt;i&gt;" in shown.html and "<i>" not in shown.html


def test_nothing_is_left_out_of_a_ranking():
    """Ten shown, four in all other; the amounts add up."""
    assert "All other (4)" in texts(draw("ranking").wide)


def test_the_inputs_are_left_alone():
    before = [t.copy(deep=True) for t in (HISTORY, PLAN, LOAD, KPIS, GAPS)]
    for name in FORMS:
        draw(name)
    for table, old in zip((HISTORY, PLAN, LOAD, KPIS, GAPS), before, strict=True):
        pd.testing.assert_frame_equal(table, old)


def test_a_mail_takes_the_same_chart_as_an_image():
    shown = draw("bridge")
    assert shown.png()[:8] == b"\x89PNG\r\n\x1a\n" and shown.png(wide=True) == draw("bridge").png(wide=True)


def test_a_sparkline_has_gaps_a_target_and_a_name():
    line = charts.sparkline([0.7, None, 0.72, 0.75], target=0.75, last_year=0.7, title="<Accuracy>", desc="75%")
    root = ET.fromstring(str(line))
    assert root.attrib["aria-label"] == "<Accuracy>. 75%."
    assert [e.tag for e in root] == ["line", "circle", "polyline", "circle", "circle"]
    assert "<svg" in charts.sparkline([], title="none") and "<svg" in charts.sparkline([1.0], title="one")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 300), max_size=8))
def test_names_are_kept_apart_in_order_and_inside(wanted):
    placed = spread(wanted, 17, 0, 300)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert all(placed[b] - placed[a] >= 17 - 1e-6 for a, b in pairwise(order))
    assert all(-1e-6 <= p <= 300 + 1e-6 for p in placed)


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-3, 1e15))
def test_ticks_are_round_few_and_start_at_zero(high):
    at = ticks(0, high)
    assert at[0] == 0 and 2 <= len(at) <= 6 and at[-1] <= high * (1 + 1e-9)


def test_axes_have_one_unit():
    axis = scale([1_261_000.0, 400_000.0])
    assert [axis.tick(t, t == 1.2e6) for t in (0, 4e5, 8e5, 1.2e6)] == ["0", "0.4", "0.8", "1.2 m"]
    assert scale([650e9, 1e9], "money", fine=True).full(-0.8e9, signed=True) == "−Rp 0.8 bn"


def test_months_named_lie_evenly_and_hold_the_anchor():
    at = month_ticks(place("2023-10"), place("2028-03"), 520, anchor=place("2026-09"))
    assert place("2026-09") in at and {b - a for a, b in pairwise(at)} == {6}


def test_every_role_reads_on_its_ground():
    """Lines 3:1, words 4.5:1, in light and dark (WCAG 2.2, 1.4.3 and 1.4.11)."""
    def luminance(colour: str) -> float:
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for mode in (1, 2):
        ground = style.ROLES["bg"][mode]
        for role in ("ink", "demand", "plan", "base", "over", "short", "ok", "mute"):
            assert contrast(style.ROLES[role][mode], ground) >= 3, role
            assert contrast(style.ROLES[style.text_role(role)][mode], ground) >= 4.5, role
        for role in ("plan", "short"):  # ink on the densest shade of a heat map
            over, ink = style.ROLES[role][mode], style.ROLES["ink"][mode]
            densest = style.shade_of(style.shade(style.SHADES if role == "plan" else -style.SHADES))[1]
            mixed = "#" + "".join(f"{round(int(over[i:i + 2], 16) * densest + int(ground[i:i + 2], 16) * (1 - densest)):02x}" for i in (1, 3, 5))
            assert contrast(mixed, ink) >= 4.5, (role, mode)


def test_the_page_shows_what_jupyterlab_hides():
    """Inline styles are for JupyterLab; the page's rules must win over them, at the width of the figure's own box."""
    assert '<div class="fig-n" style="display:none">' in draw("bridge").html
    assert "@container (min-width:620px)" in style.FIGURE_CSS
    assert ".fig .fig-n{display:block!important}" in style.FIGURE_CSS and ".tb .s.n{display:block!important}" in style.FIGURE_CSS


def test_versions_show_how_far_the_plans_of_a_month_lie_apart():
    """Two plans for September, 100 and 120, demand 110; the axis says that it starts above zero."""
    triangle = frame("cycle_on month consensus demand", "2026-08-01 2026-08 100 105", "2026-08-01 2026-09 100 110", "2026-09-01 2026-09 120 110", "2026-10-01 2026-10 115 -")
    shown = charts.versions(triangle.rename(columns={"cycle_on": "cycle"}), name="v", title="x")
    assert "September 2026" in shown.alt and "100" in shown.alt and "120" in shown.alt
    assert "the axis does not start at zero" in texts(shown.wide) and "the axis does not start at zero" in texts(shown.narrow)
    assert charts.versions(triangle.rename(columns={"cycle_on": "cycle"}).iloc[:0], name="v", title="x").wide == ""


def test_a_long_name_at_a_lines_end_folds_rather_than_loses_letters():
    """On a phone the Indonesian name of safety stock takes two lines, one under the other, and its value the third."""
    with words.speaking("id", "IDR"):
        drawing = charts.projected_stock(STOCK, name="s", title="x").narrow
    found = {said: float(y) for y, said in re.findall(r'<text x="[^"]*" y="([^"]*)"[^>]*>([^<]*)</text>', drawing)}
    assert found["pengaman"] - found["Persediaan"] == 15 and not [said for said in found if "…" in said]
    assert folded("Plan", 60) == ["Plan"] and folded("Safety stock", 60) == ["Safety", "stock"] and folded("Incomprehensibilities", 60)[0].endswith("…")


def test_where_room_is_short_the_feast_to_come_keeps_its_name():
    months = pd.date_range("2024-10-01", periods=24, freq="MS")
    history = pd.DataFrame({"month": months, "demand": 100.0})
    plan = pd.DataFrame({"month": pd.date_range("2026-10-01", periods=12, freq="MS"), "consensus": 100.0})
    feasts = pd.DataFrame({"name": [f"A long feast of {year}" for year in (2025, 2026, 2027)], "start": pd.to_datetime(["2025-03-18", "2026-03-08", "2027-02-25"])})
    narrow = charts.demand_and_plan(history, plan, title="x", name="f", events=feasts).narrow
    assert ">A long feast of 2027<" in narrow and ">A long feast of 2026<" not in narrow


def test_a_folded_name_stays_below_what_is_written_above_the_plot():
    scores = pd.DataFrame([(name, lag, wape) for name, wape in (("Seasonal naive", 0.34), ("Baseline", 0.28)) for lag in range(1, 12)], columns=["stream", "lag", "wape"])
    drawing = charts.lag_accuracy(scores, title="x", name="l", decision_lag=3).narrow
    found = {said: float(y) for y, said in re.findall(r'<text x="[^"]*" y="([^"]*)"[^>]*>([^<]*)</text>', drawing)}
    assert found["Seasonal"] > found["lag 3: supply decides"] + 12 and found["naive"] == found["Seasonal"] + 15


def test_a_line_as_high_as_the_topmost_number_starts_right_of_it():
    """400 thousand, with its unit, stands above its line of the grid: a demand that starts there leaves room, one far below does not."""
    at, canvas = [0.0, 2e5, 4e5], Canvas(288, 270, False)
    axis = scale([4.1e5])
    high, low = Line("d", [0.0, 1.0, 24.0], [4.1e5, 4.0e5, 3e5]), Line("d", [0.0, 1.0, 24.0], [1e5, 1e5, 4.1e5])
    unit = style.text_width(axis.tick(4e5, True), 12)
    assert axis_room(at, axis, [low], canvas) == axis_room(at, axis) < unit < axis_room(at, axis, [high], canvas)
