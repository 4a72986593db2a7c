"""The tables that 03 plans: stock, orders, hours, people, and the plan the company can deliver."""

from __future__ import annotations

from sopnb.frame import Frame, by_name, declare
from sopnb.frames_demand import FINDINGS

POLICY = declare("policy", "item location", """
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

SUPPLY_FINDINGS = Frame("supply_findings", FINDINGS.key, FINDINGS.columns, "What of the inputs of supply could not be planned with as it is")

PROPOSED = declare("proposed", "order", """
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

SHIPMENTS = declare("shipments", "order", """
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

PEGS = declare("pegs", "order serves end end_item end_location month", """
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

MESSAGES = declare("messages", "order item location", """
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

ATP = declare("atp", "item location month", """
item text
location text
month month
on_hand number units, in the first month
supply number units, open orders (and planned ones where they are counted)
booked number units that customers have ordered and not received
discrete number units that can still be promised of this month's supply
cumulative number units that can be promised up to this month
""", "Available to promise")

PROJECTION = declare("projection", "item location month", """
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

LOAD = declare("load", "resource month", """
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

CURES = declare("cures", "resource month way cure", """
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

EXCEPTIONS = declare("exceptions", "id", """
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

OPTIONS = declare("options", "exception option", """
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

AGGREGATE = declare("aggregate", "family strategy month", """
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

MARGINALS = declare("marginals", "family what month", """
family text family, or `all`
what text regular, hour, overtime, a limit by its name, demand or end_stock
month month
value number money saved by one more of it; demand and end_stock: what one more costs
unit text unit, hour or person
""", "What one more of each limit is worth in the optimum")

UNPLANNED = declare("unplanned", "family position", """
family text family, or `all`
position integer
limit text limit that must give way, or column that cannot be
month month
amount number units or people by which it must give way
alone flag this limit is enough; else all that are not alone are needed together
because text message id
values text JSON: what the sentence needs
""", "Families without an optimum, and what would mend it")

CONSTRAINED = declare("constrained", "item month", """
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

UNSERVED = declare("unserved", "item month", """
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

BOTTLENECKS = declare("bottlenecks", "resource month", """
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

SHEET = declare("sheet", "family measure month", """
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

HIRING = declare("hiring", "month", """
month month
reps number people
target number money
capacity number money reps can sell
gap number money, capacity minus target, before hires; negative: short
hires integer people to start this month
hired number money reps can sell with the hires
naive_reps number people, target divided by quota: a warning only
""", "What sales can sell")

DELIVERABLE = declare("deliverable", "family month", """
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

SUPPLY_TABLES: dict[str, Frame] = by_name(
    POLICY, SUPPLY_FINDINGS, PROPOSED, SHIPMENTS, PEGS, MESSAGES, ATP, PROJECTION, LOAD, CURES, EXCEPTIONS, OPTIONS,
    AGGREGATE, MARGINALS, UNPLANNED, CONSTRAINED, UNSERVED, BOTTLENECKS, SHEET, HIRING, DELIVERABLE,
)
