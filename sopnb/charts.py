"""The house's charts. Each form takes a table and returns a `Figure` that shows itself in a notebook and on a page.

    charts.demand_and_plan(history, plan, name="demand-plan",
                           title=say("The plan peaks at {peak:,.0f} in {month:month}", peak=peak, month=when),
                           subtitle="Cartons per month, all items", source="demand history to September 2026")

All forms take `title` (what one learns, a sentence), `subtitle` (measure, unit, scope), `source`, `name` (a short id,
unique on its page) and, where the one made from the data will not do, `alt`. A form without data says so and does not
fail. With SOPNB_PAGES=0 nothing is drawn. Drawing libraries are imported when the first chart is drawn.

Figures are drawn at two widths; the page shows one of them (`style.FIGURE_CSS`), JupyterLab the wide one. `Figure.png()`
is the drawing for a mail.
"""

from __future__ import annotations

from sopnb.charts_bars import ageing, attainment, bridge, funnel, heatmap, load, ranking, stairs
from sopnb.charts_canvas import ChartError, Figure
from sopnb.charts_item import decomposition, item_history
from sopnb.charts_multiples import small_multiples, trend
from sopnb.charts_plans import plan_costs, plan_paths
from sopnb.charts_stock import stock_panels
from sopnb.charts_time import demand_and_plan, lag_accuracy, lines, projected_stock
from sopnb.charts_versions import versions
from sopnb.svg import sparkline

__all__ = [
    "ChartError", "Figure", "ageing", "attainment", "bridge", "decomposition", "demand_and_plan", "funnel", "heatmap", "item_history", "lag_accuracy", "lines", "load",
    "plan_costs", "plan_paths", "projected_stock", "ranking", "small_multiples", "sparkline", "stairs", "stock_panels", "trend", "versions",
]
