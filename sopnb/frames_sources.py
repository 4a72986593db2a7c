"""What a company hands over: the sources that a params file maps its own files to."""

from __future__ import annotations

from sopnb.frame import Frame, by_name, declare

ORDERS = declare("orders", "order line", """
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

ITEMS = declare("items", "item", """
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

STOCK = declare("stock", "item location as_of", """
item text! item code
location text!
as_of date day of the count
on_hand number! units
""", "Stock on hand")

STOCK_HISTORY = declare("stock_history", "item location month", """
item text!
location text!
month month!
on_hand number units at month end
days_out number days in the month without stock
""", "Stock at month end and days without stock")

RECEIPTS = declare("receipts", "order item location", """
order text! purchase or production order
item text!
location text!
due_date date! day expected
quantity number! units
""", "Open purchase and production orders")

PURCHASES = declare("purchases", "order line", """
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

LANES = declare("lanes", "item location", """
item text!
location text! where it is needed
source_location text! where it comes from
transit_days number! days
""", "Which location supplies which")

BOM = declare("bom", "item component", """
item text! parent
component text!
quantity number! units of component per unit of item
scrap number fraction lost
phantom flag the parent is not stocked
valid_from date
valid_to date
""", "Bill of materials")

ROUTINGS = declare("routings", "item resource", """
item text!
resource text!
hours_per_unit number! hours
offset_months number months before the item is due in which these hours fall; 0 where missing
""", "Hours an item needs of a resource")

CAPACITY = declare("capacity", "resource month", """
resource text!
month month!
available_hours number! hours, regular
overtime_hours number hours, at most
cost_rate number money per regular hour
overtime_rate number money per overtime hour
""", "Hours a resource has")

WORKFORCE = declare("workforce", "family", """
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

PRICES = declare("prices", "item month", """
item text!
month month!
price number! money per unit, list
discount number fraction expected
""", "Price list by month")

FORECAST_SALES = declare("forecast_sales", "level key location month", """
level text! item or family
key text! item code or family name
location text location, or `all`
month month!
quantity number! units
owner text
""", "What sales expects")

LEADS = declare("leads", "level key location month", """
level text! item or family
key text! item code or family name
location text location, or `all`
month month! month in which they should order
leads number! leads: enquiries, samples asked for, visitors of a fair
conversion number! fraction of leads that should order
units number! units an order, on average
owner text
""", "What marketing expects of its leads: leads × conversion × units an order, beside what is sold anyway")

OPPORTUNITIES = declare("opportunities", "opportunity", """
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

ACCOUNTS = declare("accounts", "account", """
account text!
name text
territory text
rep text
potential number money per year
workload number calls per year
closeness number 0 to 1
""", "Customers and prospects")

REPS = declare("reps", "rep", """
rep text!
name text
territory text
start date first day
end date last day
""", "Sales representatives")

QUOTAS = declare("quotas", "rep month", """
rep text!
month month!
quota number! money
""", "Quota by rep and month")

EVENTS = declare("events", "event", """
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

MARKET = declare("market", "series month", """
series text!
month month!
value number!
""", "Leads, indices, category growth")

INTELLIGENCE = declare("intelligence", "note", """
note text!
date date!
source text
text text!
families text families touched, separated by ;
""", "Competitive intelligence for the meeting")

BUDGET = declare("budget", "family month", """
family text!
month month!
revenue number! money
units number units
""", "The budget")

OVERRIDES = declare("overrides", "override", """
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

PEOPLE = declare("people", "person", """
person text!
name text!
role text
email text
mandatory flag must attend or be represented
delegate text person who may stand in
language text en or id
gets text pack, recap, both or none
""", "Who takes part")

CONVERSIONS = declare("conversions", "item unit", """
item text!
unit text!
factor number! stock units in one of this unit
""", "Units of measure")

RATES = declare("rates", "currency month", """
currency text!
month month!
rate number! company currency for one of this currency
""", "Exchange rates")

# What `minutes` holds is not one table: sopnb.meeting reads it.

SOURCES: dict[str, Frame] = by_name(
    ORDERS, ITEMS, STOCK, STOCK_HISTORY, RECEIPTS, PURCHASES, LANES, BOM, ROUTINGS, CAPACITY, WORKFORCE, PRICES,
    FORECAST_SALES, LEADS, OPPORTUNITIES, ACCOUNTS, REPS, QUOTAS, EVENTS, MARKET, INTELLIGENCE, BUDGET, OVERRIDES,
    PEOPLE, CONVERSIONS, RATES,
)
