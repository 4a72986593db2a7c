"""The tables that 01 collects and 02 plans: history, what was found in the data, forecast, plan."""

from __future__ import annotations

from sopnb.frame import Frame, by_name, declare

HISTORY = declare("history", "item location month", """
item text
location text
month month month the customer asked for
demand number units, corrected for months without stock and for successors
demand_raw number units, as ordered
returns number units sent back, positive
shipped number units that left, of this month's demand
revenue number money, net, of demand and returns
days_out number days without stock
censored flag demand could not be served for want of stock, and was corrected
learned number units the forecast learns from: demand without one-off months, past levels brought to the last one
outlier number units above or below the usual, in a month that nothing explains; else missing
level_shift number new level / old - 1, in the first month of a lasting change; else missing
""", "Demand by month")

SET_ASIDE = declare("set_aside", "id", """
id text
source text
file text
row integer row in the file, the header is row 1; 0 for a query
column text
rule text message id
value text what was there
amount number money
severity text amber or red
""", "Rows that were not used, each with its reason")

FINDINGS = declare("findings", "id", """
id text
source text
rule text message id
column text
rows integer rows concerned
of_rows integer rows of the source
amount number money concerned
share number the larger of the share of rows and of money
severity text info, amber or red
first text the first case
values text JSON: what the sentence needs
""", "Data checks that did not pass")

INSIGHTS = declare("insights", "id", """
id text
kind text drop, surge, stopped, started, restated or concentration
level text item, family, customer, channel, location or total
key text
location text
month month
value number units
expected number units
change number units
amount number money at stake, signed
values text JSON: what the sentence needs
""", "What jumps out of this month's data, by money")

RESTATED = declare("restated", "item location month", """
item text
location text
month month
before number units, as the previous cycle held it
after number units, as this one holds it
change number units
amount number money
""", "Past demand that changed since the previous cycle")

FRESHNESS = declare("freshness", "source", """
source text
file text
rows integer
left_out integer rows after the cut-off, left out
set_aside integer
first date
last date
days_old integer days from the last row to the cut-off; -1 where it has no date
severity text info, amber or red
""", "How much of each source there is, and how fresh")

SEGMENTS = declare("segments", "item location", """
item text
location text
abc text A, B or C by margin
xyz text X, Y or Z by forecast error
pattern text smooth, erratic, intermittent, lumpy, short, new or ending
adi number months between demands
cv2 number squared coefficient of variation of non-zero demand
months integer months since the first demand
margin number money over the last 12 months
previous text abc and xyz in the previous cycle
""", "How each series behaves and what it is worth")

TESTED = declare("tested", "item location origin month model", """
item text
location text
origin month last month the forecast had seen
month month month forecast
lag integer months after the origin
model text
forecast number units
demand number units
""", "Backtest: forecasts of known months")

FORECAST = declare("forecast", "item location month", """
item text
location text
month month
model text model or combination chosen
baseline number units
lo80 number units
hi80 number units
lo95 number units
hi95 number units
""", "Statistical baseline with bands")

RECONCILED = declare("reconciled", "item location month", """
item text
location text
month month
alone number units, the series forecast for itself
moved number units, by which the baseline differs from it so that items, families and the total agree
""", "What making the levels agree moved; series it left alone have no row")

CALENDAR_FACTORS = declare("calendar_factors", "family month", """
family text only families whose forecast holidays that move make better
month month past and planned
factor number what holidays that move multiply the month's demand by
""", "What holidays that move do to demand")

SCORES = declare("scores", "item location model", """
item text
location text
model text
wape number fraction
bias number fraction
n integer months tested
demand number units, in the months tested
chosen flag
beats_naive flag
""", "Backtest score of each model for each series, at the decision lags")

PLAN = declare("plan", "item location month", """
item text
location text
month month
baseline number units
events number units added by events
pipeline number units added by new deals
leads number units added by marketing's weighed leads
sales number units added or taken by the weighed sales forecast
override number units added or taken by overrides
consensus number units, what we plan with
price number money per unit, net
revenue number money
margin number money
""", "The demand plan, stream by stream")

OUTLOOK = declare("outlook", "family month", """
family text family of the deal, else its item; `all` where it has neither
month month month the deals are expected to close
deals number expected to be won: Σ chance
open number money, as the deals stand
expected number money: Σ amount × chance
""", "What open deals are expected to bring, by the month they should close")

OVERRIDES_USED = declare("overrides_used", "override", """
override text
level text
key text
location text
month month
kind text
value number
units number units it moved
amount number money it moved
reason text
owner text
made_on date
expires date
state text used, small (less than half of the noise), expired, beyond (after the last month planned), conflict (two people, one cell), replaced or unknown
noise number units that the forecast of its rows usually misses by
note text
""", "What became of each override")

VALUE_ADDED = declare("value_added", "stream month", """
stream text naive, baseline, events, pipeline, leads, sales or override: the plan up to and including it
month month month judged
lag integer
wape number fraction
bias number fraction
added number points of WAPE taken off the stream before, as a fraction
error number units, Σ|error|
demand number units
""", "Does each step earn its place?")

VALUE_ADDED_BY = declare("value_added_by", "scope key stream", """
scope text all, family, owner, reason or size
key text `all`, the family, person or reason; of size used or small
stream text naive to override, and consensus: naive to plan; of owner, reason and size override
lag integer
months integer months judged
n integer overrides judged; 0 for other streams
hits integer of these, closer to demand with it than without
wape number fraction, after the stream
added number points of WAPE taken off, as a fraction of the demand of the rows judged
low number lower end of the range of added, 95 %
high number upper end
units number units of error taken off
demand number units, of the rows judged
amount number money: error taken off, at the plan's price
skill text helps, hurts, open (the range holds zero: luck and skill cannot be told apart) or none
""", "Value added by stream, family, person and reason, with its range")

LAG_ACCURACY = declare("lag_accuracy", "lag month", """
lag integer
month month month judged
wape number fraction, item × location
bias number fraction
error number units, Σ|error|
signed number units, Σ error
demand number units
""", "Accuracy of frozen plans by lag")

CHANGES = declare("changes", "item location month part", """
item text
location text
month month
part text restated, actuals, calendar, items, reconciled, method, events, pipeline, leads, sales, override, price or new
units number units, this plan minus last
amount number money, this plan minus last
""", "Why the plan changed: parts that add up")

DEMAND_TABLES: dict[str, Frame] = by_name(
    HISTORY, SET_ASIDE, FINDINGS, INSIGHTS, RESTATED, FRESHNESS, SEGMENTS, TESTED, FORECAST, SCORES, RECONCILED,
    CALENDAR_FACTORS, PLAN, OUTLOOK, OVERRIDES_USED, VALUE_ADDED, VALUE_ADDED_BY, LAG_ACCURACY, CHANGES,
)
