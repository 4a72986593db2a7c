"""What each table is: its key, its columns with their units, and the few operations all tables share.

A table is a pandas DataFrame in long form. `conform` is the door every saved or received table passes:
it checks columns, types and key, and returns a new table with the declared columns, key first, sorted by key.

    key          the columns that identify a row; no two rows share them, none is missing
    month        the first day of a month, datetime64[ns]
    text         object; missing is None
    number       float64; missing is NaN
    integer      int64; never missing
    date         datetime64[ns] at midnight; missing is NaT
    flag         bool; never missing

>>> PLAN.key
('item', 'location', 'month')
>>> next_month("2026-12")
Timestamp('2027-01-01 00:00:00')
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KINDS = ("text", "number", "integer", "date", "month", "flag")


class FrameError(ValueError):
    """A table is not what its frame says. The message names columns, rows and the remedy."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, its unit or meaning, and whether a row may leave it out."""

    name: str
    kind: str = "text"
    unit: str = ""
    required: bool = False


@dataclass(frozen=True)
class Frame:
    """What a table is.

    name       file name under tables/, and the name of the source
    key        columns that identify a row
    columns    all columns, the key included, in the order they are saved
    meaning    one line for the codebook
    needed     columns a source must bring (a step table must bring all)
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str = ""

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def needed(self) -> list[str]:
        return [column.name for column in self.columns if column.required or column.name in self.key]

    def kind(self, name: str) -> str:
        return next(column.kind for column in self.columns if column.name == name)


def _frame(name: str, key: str, spec: str, meaning: str) -> Frame:
    """Read a frame from lines of `column kind! unit`; `!` marks a column a source must bring."""
    columns = []
    for line in spec.strip().splitlines():
        words = line.split(maxsplit=2)
        kind = words[1] if len(words) > 1 else "text"
        columns.append(Column(words[0], kind.rstrip("!"), words[2] if len(words) > 2 else "", kind.endswith("!")))
    return Frame(name, tuple(key.split()), tuple(columns), meaning)


# --- what a company hands over --------------------------------------------------------------------------------------

ORDERS = _frame("orders", "order line", """
order text! order number
line text! line in the order
item text! item code
location text planning location; one location, `all`, where the source has none
customer text
channel text
territory text
rep text
order_date date! day the order was placed
requested_date date day the customer asked for; order_date where missing
promised_date date day promised to the customer
quantity number! units asked for; negative is a return
shipped_date date
shipped_quantity number units
unit_price number money per unit before discount
discount number fraction
amount number money, net, as the source states it; quantity × unit_price × (1 − discount) where missing
status text `cancelled` leaves demand
""", "Order lines: what customers asked for, and what left")

ITEMS = _frame("items", "item", """
item text! item code
name text
family text! first level of the hierarchy
brand text
category text
unit_cost number money per unit
unit_price number money per unit, list
lead_time_days number days from release to stock
lead_time_sd_days number days, standard deviation
moq number units, least order
lot_multiple number units, orders come in multiples of it
lot_rule text how its orders are sized, where not as the company's others: lot_for_lot, fixed, economic, period, silver_meal, least_unit_cost, part_period or wagner_whitin
lot_size number units, the lot of rule fixed; moq where missing
lot_periods number months that an order of rule period reaches
safety_stock number units, as the ERP holds it
reorder_point number units, as the ERP holds it
service_class text A, B, C or a name of params' service targets
launch_date date first day sold
end_date date last day sold
successor text item that takes over the demand
like_item text item whose history a new one borrows
shelf_life_days number days
make_or_buy text make or buy
""", "The item master")

STOCK = _frame("stock", "item location as_of", """
item text! item code
location text!
as_of date day of the count
on_hand number! units
""", "Stock on hand")

STOCK_HISTORY = _frame("stock_history", "item location month", """
item text!
location text!
month month!
on_hand number units at month end
days_out number days in the month without stock
""", "Stock at month end and days without stock")

RECEIPTS = _frame("receipts", "order item location", """
order text! purchase or production order
item text!
location text!
due_date date! day expected
quantity number! units
""", "Open purchase and production orders")

PURCHASES = _frame("purchases", "order line", """
order text!
line text!
item text!
location text
supplier text
ordered date! day ordered
due date day due
received date day received
quantity number! units
""", "Purchase history, for lead times and suppliers on time")

LANES = _frame("lanes", "item location", """
item text!
location text! where it is needed
source_location text! where it comes from
transit_days number! days
""", "Which location supplies which")

BOM = _frame("bom", "item component", """
item text! parent
component text!
quantity number! units of component per unit of item
scrap number fraction lost
phantom flag the parent is not stocked
valid_from date
valid_to date
""", "Bill of materials")

ROUTINGS = _frame("routings", "item resource", """
item text!
resource text!
hours_per_unit number! hours
offset_months number months before the item is due in which these hours fall; 0 where missing
""", "Hours an item needs of a resource")

CAPACITY = _frame("capacity", "resource month", """
resource text!
month month!
available_hours number! hours, regular
overtime_hours number hours, at most
cost_rate number money per regular hour
overtime_rate number money per overtime hour
""", "Hours a resource has")

WORKFORCE = _frame("workforce", "family", """
family text! family, or `all`
opening_people number! people
units_per_worker number! units per person and month
hire_cost number money per person
layoff_cost number money per person
regular_cost number money per person and month
overtime_cost number money per unit
subcontract_cost number money per unit
backlog_cost number money per unit and month; without it nothing may be owed
holding_cost number money per unit and month
material_cost number money per unit made; where missing, material is left out of every plan
lost_cost number money per unit never served; without it no sale may be lost
hours_per_unit number hours of work in a unit, for the value of an hour
regular_limit number units a month in regular time, at most
overtime_limit number units a month in overtime, at most
subcontract_limit number units a month bought in, at most
people_limit number people, at most
stock_limit number units at month end, at most
""", "People, their costs and limits")

PRICES = _frame("prices", "item month", """
item text!
month month!
price number! money per unit, list
discount number fraction expected
""", "Price list by month")

FORECAST_SALES = _frame("forecast_sales", "level key location month", """
level text! item or family
key text! item code or family name
location text location, or `all`
month month!
quantity number! units
owner text
""", "What sales expects")

LEADS = _frame("leads", "level key location month", """
level text! item or family
key text! item code or family name
location text location, or `all`
month month! month in which they should order
leads number! leads: enquiries, samples asked for, visitors of a fair
conversion number! fraction of leads that should order
units number! units an order, on average
owner text
""", "What marketing expects of its leads: leads × conversion × units an order, beside what is sold anyway")

OPPORTUNITIES = _frame("opportunities", "opportunity", """
opportunity text!
account text
item text
family text
rep text
territory text
stage text! stage name; won and lost close it
amount number money
created date
close_date date expected or actual
outcome text won, lost, or empty while open
flag_new text `new` where the deal is outside the run-rate
""", "The sales pipeline")

ACCOUNTS = _frame("accounts", "account", """
account text!
name text
territory text
rep text
potential number money per year
workload number calls per year
closeness number 0 to 1
""", "Customers and prospects")

REPS = _frame("reps", "rep", """
rep text!
name text
territory text
start date first day
end date last day
""", "Sales representatives")

QUOTAS = _frame("quotas", "rep month", """
rep text!
month month!
quota number! money
""", "Quota by rep and month")

EVENTS = _frame("events", "event", """
event text!
name text
kind text! promotion, launch, price, competitor or holiday
start date!
end date!
level text item, family or all
key text item code, family name, or empty
location text location, or `all`
effect number expected effect, fraction of baseline
owner text who plans it: person or name
from_family number share of what it brings that the family's other items lose, fraction; empty: what past ones took, where that is sure
""", "Promotions, launches and other events")

MARKET = _frame("market", "series month", """
series text!
month month!
value number!
""", "Leads, indices, category growth")

INTELLIGENCE = _frame("intelligence", "note", """
note text!
date date!
source text
text text!
families text families touched, separated by ;
""", "Competitive intelligence for the meeting")

BUDGET = _frame("budget", "family month", """
family text!
month month!
revenue number! money
units number units
""", "The budget")

OVERRIDES = _frame("overrides", "override", """
override text! its number
level text! item, family, location or total
key text item code, family name or location
location text location, or `all`
month month!
kind text! absolute, delta or percent
value number! units, units or fraction
reason text! reason code
note text
owner text!
made_on date!
expires date last day it holds
""", "A person's changes to the forecast")

PEOPLE = _frame("people", "person", """
person text!
name text!
role text
email text
mandatory flag must attend or be represented
delegate text person who may stand in
language text en or id
gets text pack, recap, both or none
""", "Who takes part")

CONVERSIONS = _frame("conversions", "item unit", """
item text!
unit text!
factor number! stock units in one of this unit
""", "Units of measure")

RATES = _frame("rates", "currency month", """
currency text!
month month!
rate number! company currency for one of this currency
""", "Exchange rates")

# What `minutes` holds is not one table: sopnb.meeting reads it.

SOURCES: dict[str, Frame] = {frame.name: frame for frame in (
    ORDERS, ITEMS, STOCK, STOCK_HISTORY, RECEIPTS, PURCHASES, LANES, BOM, ROUTINGS, CAPACITY, WORKFORCE, PRICES,
    FORECAST_SALES, LEADS, OPPORTUNITIES, ACCOUNTS, REPS, QUOTAS, EVENTS, MARKET, INTELLIGENCE, BUDGET, OVERRIDES, PEOPLE,
    CONVERSIONS, RATES,
)}

# --- what the steps write -------------------------------------------------------------------------------------------

HISTORY = _frame("history", "item location month", """
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

SET_ASIDE = _frame("set_aside", "id", """
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

FINDINGS = _frame("findings", "id", """
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

SUPPLY_FINDINGS = Frame("supply_findings", FINDINGS.key, FINDINGS.columns, "What of the inputs of supply could not be planned with as it is")

INSIGHTS = _frame("insights", "id", """
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

RESTATED = _frame("restated", "item location month", """
item text
location text
month month
before number units, as the previous cycle held it
after number units, as this one holds it
change number units
amount number money
""", "Past demand that changed since the previous cycle")

FRESHNESS = _frame("freshness", "source", """
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

SEGMENTS = _frame("segments", "item location", """
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

TESTED = _frame("tested", "item location origin month model", """
item text
location text
origin month last month the forecast had seen
month month month forecast
lag integer months after the origin
model text
forecast number units
demand number units
""", "Backtest: forecasts of known months")

FORECAST = _frame("forecast", "item location month", """
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

RECONCILED = _frame("reconciled", "item location month", """
item text
location text
month month
alone number units, the series forecast for itself
moved number units, by which the baseline differs from it so that items, families and the total agree
""", "What making the levels agree moved; series it left alone have no row")

CALENDAR_FACTORS = _frame("calendar_factors", "family month", """
family text only families whose forecast holidays that move make better
month month past and planned
factor number what holidays that move multiply the month's demand by
""", "What holidays that move do to demand")

SCORES = _frame("scores", "item location model", """
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

PLAN = _frame("plan", "item location month", """
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

OUTLOOK = _frame("outlook", "family month", """
family text family of the deal, else its item; `all` where it has neither
month month month the deals are expected to close
deals number expected to be won: Σ chance
open number money, as the deals stand
expected number money: Σ amount × chance
""", "What open deals are expected to bring, by the month they should close")

OVERRIDES_USED = _frame("overrides_used", "override", """
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

VALUE_ADDED = _frame("value_added", "stream month", """
stream text naive, baseline, events, pipeline, leads, sales or override: the plan up to and including it
month month month judged
lag integer
wape number fraction
bias number fraction
added number points of WAPE taken off the stream before, as a fraction
error number units, Σ|error|
demand number units
""", "Does each step earn its place?")

VALUE_ADDED_BY = _frame("value_added_by", "scope key stream", """
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

LAG_ACCURACY = _frame("lag_accuracy", "lag month", """
lag integer
month month month judged
wape number fraction, item × location
bias number fraction
error number units, Σ|error|
signed number units, Σ error
demand number units
""", "Accuracy of frozen plans by lag")

CHANGES = _frame("changes", "item location month part", """
item text
location text
month month
part text restated, actuals, calendar, items, reconciled, method, events, pipeline, leads, sales, override, price or new
units number units, this plan minus last
amount number money, this plan minus last
""", "Why the plan changed: parts that add up")

POLICY = _frame("policy", "item location", """
item text
location text
service_class text
service_target number fraction
measure text what service_target means: cycle (service level) or fill (fill rate)
demand number units per month, mean over the months the stock must last
error_sd number units per month, standard deviation of the forecast error at the right lag
lead_months number months
sigma number units, standard deviation of demand over lead time and review period, of errors and lead time both
distribution text of demand over that time: normal, gamma, negative_binomial, poisson or empirical (the shape of past errors)
safety_stock number units
cycle_service number fraction, chance of no shortage in a cycle that safety_stock gives
fill_rate number fraction of demand served that safety_stock gives
reorder_point number units
order_up_to number units
eoq number units
order_quantity number units, the largest of moq, eoq and what a review period uses, in multiples
erp_safety_stock number units
erp_cycle_service number fraction, what the ERP's safety stock would give
erp_fill_rate number fraction, what the ERP's safety stock would give
erp_reorder_point number units
erp_order_quantity number units, the ERP's least order, or what a review period uses, in multiples
difference number money, safety stock at cost, computed minus ERP
reorder_difference number money, reorder point at cost, computed minus ERP
order_difference number money a year, ordering and holding: of the eoq minus of erp_order_quantity
basis text what safety_stock rests on: own errors, pooled errors of like series, erp (its figure stands), or none
""", "Stock policy")

PROPOSED = _frame("proposed", "order", """
order text
item text
location text
release date
due date
quantity number units
rule text rule that sized it
message text order, expedite or past_due
serves month month whose demand it serves
amount number money at cost
""", "Planned replenishment orders")

SHIPMENTS = _frame("shipments", "order", """
order text
item text
location text where it is needed
source_location text where it comes from
release date day it leaves
due date day it is there
quantity number units
rule text rule that sized it
message text order, expedite or past_due
serves month month whose demand it serves
amount number money at cost
""", "Planned shipments between locations")

PEGS = _frame("pegs", "order serves end end_item end_location month", """
order text planned order or shipment
serves text the planned order or shipment that needs it, or customers, safety (stock to be filled), stock (nothing asks for it yet)
end text what it serves at the end of the chain: customers, safety or stock
end_item text item that the customer buys, or whose stock it fills
end_location text
month month month of that demand
item text item of the order
location text
due date
rule text rule that sized the order
quantity number units of the order's item; they add up to the order
""", "Which demand each planned order serves")

MESSAGES = _frame("messages", "order item location", """
order text open or planned order
item text
location text
kind text open or planned
message text of open orders reschedule_in, reschedule_out, cancel or overdue; of planned ones expedite or past_due
due date day it is due
needed date first day of need; missing where nothing needs it
quantity number units
needed_quantity number units of it that the plan uses
months number months to move it by; negative is earlier; missing where it is to be cancelled
amount number money at cost
""", "Orders that need a word: open ones that come too early, too late or for nothing, planned ones that are late")

ATP = _frame("atp", "item location month", """
item text
location text
month month
on_hand number units, in the first month
supply number units, open orders (and planned ones where they are counted)
booked number units that customers have ordered and not received
discrete number units that can still be promised of this month's supply
cumulative number units that can be promised up to this month
""", "Available to promise")

PROJECTION = _frame("projection", "item location month", """
item text
location text
month month
opening number units
receipts number units, open orders
proposed number units, planned orders
demand number units
closing number units
safety_stock number units
cover number months of coming demand in closing
""", "Projected stock")

LOAD = _frame("load", "resource month", """
resource text
month month
hours number hours required
available number hours
ratio number hours required / hours available; missing where none are
overtime number hours, at most
overload number hours above available
overload_amount number money of revenue behind the overload
cost number money, of overtime that covers what it can
overtime_rate number money per overtime hour
revenue number money of revenue behind all hours
margin number money of margin behind all hours
goods number money at cost of the goods behind all hours
""", "Rough-cut load against capacity")

CURES = _frame("cures", "resource month way cure", """
resource text
month month month of the overload
way text alone (this cure and no other) or mix (the cheapest of all together)
cure text overtime, pull_forward, shift, subcontract or ration
hours number hours it covers; of ration: hours left undone
left number hours it leaves undone
cost number money spent
lost number money of margin of what is left undone
first month first month in which the hours are worked
last month last month in which the hours are worked
""", "What curing each overload costs, each cure alone and in the cheapest mix")

EXCEPTIONS = _frame("exceptions", "id", """
id text
kind text short, excess, obsolete, overload or late
item text
location text
resource text
first month first month
last month last month
units number units or hours
amount number money at stake
because text message id
values text JSON: what the sentence needs
group text what is answered together: stock and late orders of one cause; else the id
overlap number money: of the amount, what a larger exception of the same goods already counts
""", "Planned results that need a decision, by money")

OPTIONS = _frame("options", "exception option", """
exception text exception or decision it answers
option text A, B, …
title text message id
values text JSON: what the sentence needs
keeps number money of sales kept or recovered
gains number money: margin at stake, or what is recovered
costs number money: spent, and margin lost or book value given up
net number money, gains minus costs
service number fraction after
recommended flag
""", "Answers to an exception, with their money")

AGGREGATE = _frame("aggregate", "family strategy month", """
family text family, or `all`
strategy text level, chase, hybrid or optimum
month month
demand number units
people number people, after hiring and laying off
hires number people
layoffs number people
regular number units made in regular time
overtime number units made in overtime
subcontract number units bought in
stock number units at month end
backlog number units owed at month end
lost number units of demand never served
shadow number money saved by one more unit of regular capacity; optimum only
breaks text limits the plan passes in the month, by name; empty: none
cost_regular number money
cost_overtime number money
cost_hiring number money
cost_layoff number money
cost_material number money
cost_subcontract number money
cost_holding number money
cost_backlog number money
cost_lost number money
cost number money, all terms
""", "Aggregate plans side by side: people, output, stock and cost")

MARGINALS = _frame("marginals", "family what month", """
family text family, or `all`
what text regular, hour, overtime, a limit by its name, demand or end_stock
month month
value number money saved by one more of it; demand and end_stock: what one more costs
unit text unit, hour or person
""", "What one more of each limit is worth in the optimum")

UNPLANNED = _frame("unplanned", "family position", """
family text family, or `all`
position integer
limit text limit that must give way, or column that cannot be
month month
amount number units or people by which it must give way
alone flag this limit is enough; else all that are not alone are needed together
because text message id
values text JSON: what the sentence needs
""", "Families without an optimum, and what would mend it")

CONSTRAINED = _frame("constrained", "item month", """
item text
month month
demand number units
opening number units in stock, less units owed
receipts number units, open orders
made number units
stock number units at month end
late number units owed at month end
lost number units of demand never served
safety_stock number units to hold
below number units by which stock is less than that
""", "What can be made of each item with the hours there are")

UNSERVED = _frame("unserved", "item month", """
item text
month month month of the demand
service_class text
late number units of the month's demand served after it
lost number units never served
late_amount number money of revenue that comes late
amount number money of revenue lost
margin number money of margin lost
resource text resource that binds
binds month month in which its hours are missing
""", "What the hours cannot serve, by money")

BOTTLENECKS = _frame("bottlenecks", "resource month", """
resource text
month month
hours number hours used, open orders included
ordered number hours of it that open orders use
available number hours, regular
overtime number hours, at most
overtime_used number hours
value number money that one more hour would bring
value_overtime number money that one more hour of overtime would bring, beyond its pay
""", "Hours of the constrained plan, and what one more is worth")

SHEET = _frame("sheet", "family measure month", """
family text
measure text sales, production (what came in, made or bought) or stock (at month end)
month month
plan number units; of a month past the plan of its own cycle
actual number units
difference number units, actual minus plan
amount_plan number money: sales as revenue, production and stock at cost
amount_actual number money
amount_difference number money, actual minus plan
""", "The S&OP sheet: sales, production and stock by family, plan beside actual")

HIRING = _frame("hiring", "month", """
month month
reps number people
target number money
capacity number money reps can sell
gap number money, capacity minus target, before hires; negative: short
hires integer people to start this month
hired number money reps can sell with the hires
naive_reps number people, target divided by quota: a warning only
""", "What sales can sell")

DELIVERABLE = _frame("deliverable", "family month", """
family text
month month month of the demand
plan_units number units planned
units number units that can be delivered in their month
plan number money planned
revenue number money that can be delivered in its month
margin number money, of it
stock_gap number money of the plan that stock and orders cannot serve in its month
hours_gap number money of the plan that the hours cannot make in its month
sales_gap number money of the plan that the reps cannot sell
late number money of the gap that comes in a later month
budget number money
""", "The plan the company can really deliver, and the gap by cause")

KPIS = _frame("kpis", "kpi scope month", """
kpi text
scope text `all`, or a family, location, territory or lag
month month
value number in the KPI's unit
target number
low number limit for `watch`
status text on, watch, off or none
version text definition version
numerator number
denominator number
""", "The KPI book")

BRIDGE = _frame("bridge", "bridge part", """
bridge text which comparison
part text
position integer
amount number money
""", "Bridges that add up")

AGENDA = _frame("agenda", "point", """
point text
position integer
part text last, now or ahead
topic text message id
values text JSON
minutes integer
owner text
amount number money
key text what the point is about: the same in every run, whatever its number
kind text actions, overdue, results, signals, jumps, exceptions, conflicts, assumptions, plan, decision, close, own or reserve
edited text what a person did to it: add, move or restore
edited_by text
""", "The agenda, in order")

ASKED = _frame("asked", "decision", """
decision text
position integer
question text message id
values text JSON
decides text who decides
by date
amount number money at stake
recommended text option
exception text group of exceptions, hiring or budget
kind text of exception, or hiring or budget
overlap number money: of the amount, what another decision or exception counts already
""", "Decisions asked for")

CHOICES = _frame("choices", "decision option", """
decision text
option text A, B, …
title text message id
values text JSON: what the sentence needs
keeps number money of sales kept, sold or brought back
gains number money: margin at stake, or what is brought back
costs number money; missing: not known
net number money, gains minus costs; missing: not known
service number fraction after; missing: not known
stock number money: change in what lies in stock; missing: not known
people number change in people; missing: not known
recommended flag
nothing flag leaves things as they are
reason text message id: why it is recommended
reason_values text JSON
""", "Decisions asked for with their answers side by side")

MEETING_FINDINGS = Frame("meeting_findings", FINDINGS.key, FINDINGS.columns, "What stands in the way of a good meeting: its charter, its agenda")

ACTIONS = _frame("actions", "action", """
action text
title text
owner text
made_on date
due date
state text open, started, done or dropped
closed_on date
amount number money at stake
source text point or decision it comes from
cycle month cycle that made it
age_days integer
overdue_days integer
""", "Actions as the cycle saw them")

ACTIONS_AFTER = Frame("actions_after", ACTIONS.key, ACTIONS.columns, "Actions after the meeting")

ATTENDANCE = _frame("attendance", "person", """
person text
name text
role text
mandatory flag
state text present, delegated or absent
delegate text
""", "Who came")

DECISIONS = _frame("decisions", "decision", """
decision text
title text
option text
why text
dissent text
decided_by text
effect_kpi text measure the effect is expected on
effect number expected
judged month month in which the effect can be judged
asked text decision asked for that it answers
kind text right of the charter it falls under, where it answers no question
""", "Decisions taken")

MINUTES = _frame("minutes", "point", """
point text
position integer
topic text
discussion text
""", "Discussion points")

HELD = _frame("held", "cycle", """
cycle month
held_on date
chair text
next_meeting date
before_on date day of the meeting before
revision integer 1 for minutes never corrected
there integer people who must come and were there or represented
of_people integer people who must come
quorum_met flag
""", "The meeting that was held")

ABSENCES = _frame("absences", "person", """
person text
name text
role text
missed integer meetings in which the role was neither there nor represented
meetings integer of the last twelve
now flag missed at this meeting
""", "How often mandatory roles were missing")

RECAP_FINDINGS = Frame("recap_findings", FINDINGS.key, FINDINGS.columns, "What of the meeting was not as its charter asks")

RECAP_CHANGES = _frame("recap_changes", "position", """
position integer
rule text message id
values text JSON
""", "What corrected minutes say otherwise than the first")

SCORED = _frame("scored", "decision", """
decision text
title text
decided_by text
cycle month cycle that took it
effect_kpi text measure the effect was expected on
judged month month in which it is judged
expected number change of the measure, in its unit
before number the measure in the month before the meeting
after number in the month of judgement
realised number after − before
came number realised / expected
outcome text hit, missed or ask
by text measure or person; empty: nobody has said
because text message id: why nothing can be measured
said_by text person
note text
""", "Decisions whose month of judgement has come")

ASSUMPTIONS = _frame("assumptions", "assumption", """
assumption text its number, as S1
text text
if_not text what follows where it does not hold
amount number money at stake
owner text
made_on date
state text open, held, failed or dropped
judged_on date day on which somebody said so
note text
due date by when it is known whether it held
""", "What the plan rests on, and whether it held")

ASSUMPTIONS_SAID = Frame("assumptions_said", ASSUMPTIONS.key, ASSUMPTIONS.columns, "Assumptions the meeting spoke of, as they stand after it")

AGENDA_CHANGES = _frame("agenda_changes", "change", """
change integer order in which it was said
point text
verb text add, drop, move or restore
position number
title text
minutes number
owner text
who text
day date
part text last, now or ahead, of a point that was added
amount number money of the point when it was said
""", "What people changed on an agenda")

STEP_TABLES: dict[str, Frame] = {frame.name: frame for frame in (
    HISTORY, SET_ASIDE, FINDINGS, INSIGHTS, RESTATED, FRESHNESS, SEGMENTS, TESTED, FORECAST, SCORES, RECONCILED, CALENDAR_FACTORS, PLAN, OUTLOOK,
    OVERRIDES_USED, VALUE_ADDED, VALUE_ADDED_BY, LAG_ACCURACY, CHANGES, POLICY, SUPPLY_FINDINGS, PROPOSED, SHIPMENTS, PEGS, MESSAGES, ATP, PROJECTION, LOAD, CURES, EXCEPTIONS, OPTIONS,
    AGGREGATE, MARGINALS, UNPLANNED, CONSTRAINED, UNSERVED, BOTTLENECKS, SHEET, HIRING, DELIVERABLE, KPIS, BRIDGE, AGENDA, ASKED, CHOICES, MEETING_FINDINGS, ACTIONS, ACTIONS_AFTER, ATTENDANCE, DECISIONS, MINUTES, ASSUMPTIONS, SCORED,
    HELD, ABSENCES, RECAP_FINDINGS, RECAP_CHANGES, ASSUMPTIONS_SAID,
)}

TABLES: dict[str, Frame] = {**SOURCES, **STEP_TABLES}


# --- what all tables share ------------------------------------------------------------------------------------------

def conform(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The table as its frame says: declared columns only, right types, key unique, sorted by key.

    df       any columns; those the frame marks as needed must be there, others are filled with missing
    returns  a new table, key first, sorted by key
    raises   FrameError: unknown column, missing column, value of the wrong kind, missing or repeated key
    """
    unknown = [name for name in df.columns if name not in frame.names]
    if unknown:
        raise FrameError(f"`{frame.name}` has no column {', '.join(map(str, unknown))}. It takes: {', '.join(frame.names)}.")
    needed = frame.needed if frame.name in SOURCES else frame.names
    missing = [name for name in needed if name not in df.columns]
    if missing:
        raise FrameError(f"`{frame.name}` lacks {', '.join(missing)}. It needs: {', '.join(needed)}.")
    if df.empty:
        return empty(frame)
    out = typed(df, frame)
    empty_key = out[list(frame.key)].isna().any(axis=1)
    if empty_key.any():
        raise FrameError(f"`{frame.name}` must have {' × '.join(frame.key)} in every row; {int(empty_key.sum())} of {len(out)} rows lack one.")
    if _in_order(out, frame.key):
        return out
    repeated = out.duplicated(list(frame.key))
    if repeated.any():
        first = out.loc[repeated, list(frame.key)].iloc[0]
        named = ", ".join(f"{k}={_plain(v)}" for k, v in first.items())
        raise FrameError(
            f"`{frame.name}` must have one row per {' × '.join(frame.key)}; {int(repeated.sum())} of {len(out)} rows "
            f"repeat a key, first {named}. See frames.duplicates(df, frames.{frame.name.upper()})."
        )
    return out.sort_values(list(frame.key), kind="stable").reset_index(drop=True)


def _in_order(df: pd.DataFrame, key: tuple[str, ...]) -> bool:
    """Whether each row's key comes after that of the row before: then none repeats, and nothing need be sorted."""
    after, tied = np.zeros(max(len(df) - 1, 0), dtype=bool), np.ones(max(len(df) - 1, 0), dtype=bool)
    for name in key:
        values = df[name].to_numpy()
        after |= tied & (values[1:] > values[:-1])
        tied &= values[1:] == values[:-1]
    return bool(after.all())


def _cast(df: pd.DataFrame, column: Column, frame: Frame) -> pd.Series:
    if column.name not in df.columns:
        return _empty_column(column.kind, len(df))
    values = df[column.name].reset_index(drop=True)
    try:
        if column.kind == "text":
            return _text(values)
        if column.kind == "number":
            return pd.to_numeric(values).astype("float64")
        if column.kind == "integer":
            return pd.to_numeric(values).astype("int64")
        if column.kind == "flag":
            return values.where(values.notna(), False).astype(bool)
        dates = values if values.dtype == "datetime64[ns]" else pd.to_datetime(values).astype("datetime64[ns]")
        return pd.Series(dates.to_numpy().astype("datetime64[M]" if column.kind == "month" else "datetime64[D]").astype("datetime64[ns]"))
    except (ValueError, TypeError) as error:
        raise FrameError(f"`{frame.name}.{column.name}` must be a {column.kind}: {error}") from error


def _text(values: pd.Series) -> pd.Series:
    """Words as they are, None where missing; anything else as text. Cell by cell only where a cell is not a word yet."""
    if pd.api.types.infer_dtype(values, skipna=False) == "string":
        return values.astype(object)
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy()] = None
    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        cells[:] = [v if v is None or isinstance(v, str) else str(v) for v in cells]
    return pd.Series(cells, dtype=object)


def _empty_column(kind: str, rows: int) -> pd.Series:
    if kind == "text":
        return pd.Series([None] * rows, dtype=object)
    if kind == "number":
        return pd.Series([float("nan")] * rows, dtype="float64")
    if kind == "integer":
        return pd.Series([0] * rows, dtype="int64")
    if kind == "flag":
        return pd.Series([False] * rows, dtype=bool)
    return pd.Series([pd.NaT] * rows, dtype="datetime64[ns]")


def _plain(value: object) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else str(value)


def typed(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """The frame's columns in the frame's types, without a look at the key: for tables already conformed."""
    return pd.DataFrame({c.name: _cast(df, c, frame) for c in frame.columns}, columns=frame.names, copy=False)


def empty(frame: Frame) -> pd.DataFrame:
    """A table of this frame without rows, with its types."""
    return pd.DataFrame({c.name: _empty_column(c.kind, 0) for c in frame.columns}, columns=frame.names)


def duplicates(df: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """All rows whose key stands more than once, together."""
    key = list(frame.key)
    return df[df.duplicated(key, keep=False)].sort_values(key, kind="stable")


def month(value: object) -> pd.Timestamp:
    """The first day of the month of a date, a period or 'YYYY-MM'."""
    return pd.Timestamp(str(value) if not isinstance(value, pd.Timestamp) else value).to_period("M").to_timestamp()


def next_month(value: object, by: int = 1) -> pd.Timestamp:
    """The month `by` months after (before, where negative)."""
    return (month(value).to_period("M") + by).to_timestamp()


def months(first: object, count: int) -> pd.DatetimeIndex:
    """`count` months from `first` on."""
    return pd.date_range(month(first), periods=count, freq="MS")


def months_between(earlier: object, later: object) -> int:
    """Whole months from one month to another: 2026-09 to 2026-10 is 1."""
    a, b = month(earlier), month(later)
    return (b.year - a.year) * 12 + b.month - a.month


def apart(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two tables share no location: `all` in one of them and names in the other, or names of two systems.

    Joined by item and location they would share no row: all stock would look unasked for, all demand unserved.

    >>> apart(pd.DataFrame({"location": ["all"]}), pd.DataFrame({"location": ["JKT", "SBY"]}))
    True
    """
    both = [set() if table is None else set(table["location"]) for table in (one, other)]
    return all(both) and not both[0] & both[1]


def fill_months(df: pd.DataFrame, first: object, last: object, by: tuple[str, ...] = ("item", "location"), **fill: object) -> pd.DataFrame:
    """Every month from first to last for every key in `by`; new rows take the values given in `fill`.

    df       by × month, any columns
    returns  by × month, complete, sorted; columns not named in `fill` are missing in new rows
    """
    span = pd.date_range(month(first), month(last), freq="MS")
    keys = df[list(by)].drop_duplicates()
    grid = keys.merge(pd.DataFrame({"month": span}), how="cross")
    out = grid.merge(df, on=[*by, "month"], how="left", indicator="_side")
    new = out.pop("_side") == "left_only"
    for name, value in fill.items():
        out.loc[new, name] = value
        out[name] = out[name].astype(df[name].dtype)
    return out.sort_values([*by, "month"], kind="stable").reset_index(drop=True)
