"""The statistical baseline: test models on the past, choose by evidence, forecast, and say how wrong it may be.

    tested   = backtest(history, segments=segments, items=items, horizon=18, origins=4, lags=[1, 2, 3])
    scores   = choose(tested, lags=[1, 2, 3], segments=segments)
    forecast = baseline(history, scores, tested, months=months, items=items)

Error = forecast − demand. Origin is the last month a forecast has seen; lag 1 is the month after it.
One door to the rooms: `backtesting`, `choice`, `baselining`, `bands`, `retracing` (why it moved), `holiday_effects`. Behind them are `trials`
(one origin), `models`, what joins them in `combinations` and `learner`, history as arrays in `cube`, `work` on several processors, new
items in `launches`.
"""

from __future__ import annotations

from sopnb.backtesting import backtest as backtest
from sopnb.bands import coverage as coverage
from sopnb.bands import family_bands as family_bands
from sopnb.bands import kept as kept
from sopnb.bands import range_of_sum as range_of_sum
from sopnb.baselining import baseline as baseline
from sopnb.choice import choose as choose
from sopnb.choice import league as league
from sopnb.holiday_effects import calendar_effects as calendar_effects
from sopnb.retracing import retrace as retrace
