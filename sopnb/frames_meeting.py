"""The tables that 04 to 06 and the ledger keep: KPIs, the meeting's agenda and questions, what was decided and what became of it."""

from __future__ import annotations

from sopnb.frame import Frame, by_name, declare
from sopnb.frames_demand import FINDINGS

KPIS = declare("kpis", "kpi scope month", """
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

BRIDGE = declare("bridge", "bridge part", """
bridge text which comparison
part text
position integer
amount number money
""", "Bridges that add up")

AGENDA = declare("agenda", "point", """
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

ASKED = declare("asked", "decision", """
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

CHOICES = declare("choices", "decision option", """
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

ACTIONS = declare("actions", "action", """
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

ATTENDANCE = declare("attendance", "person", """
person text
name text
role text
mandatory flag
state text present, delegated or absent
delegate text
""", "Who came")

DECISIONS = declare("decisions", "decision", """
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

MINUTES = declare("minutes", "point", """
point text
position integer
topic text
discussion text
""", "Discussion points")

HELD = declare("held", "cycle", """
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

ABSENCES = declare("absences", "person", """
person text
name text
role text
missed integer meetings in which the role was neither there nor represented
meetings integer of the last twelve
now flag missed at this meeting
""", "How often mandatory roles were missing")

RECAP_FINDINGS = Frame("recap_findings", FINDINGS.key, FINDINGS.columns, "What of the meeting was not as its charter asks")

RECAP_CHANGES = declare("recap_changes", "position", """
position integer
rule text message id
values text JSON
""", "What corrected minutes say otherwise than the first")

SCORED = declare("scored", "decision", """
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

ASSUMPTIONS = declare("assumptions", "assumption", """
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

AGENDA_CHANGES = declare("agenda_changes", "change", """
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

MEETING_TABLES: dict[str, Frame] = by_name(
    KPIS, BRIDGE, AGENDA, ASKED, CHOICES, MEETING_FINDINGS, ACTIONS, ACTIONS_AFTER, ATTENDANCE, DECISIONS, MINUTES,
    ASSUMPTIONS, SCORED, HELD, ABSENCES, RECAP_FINDINGS, RECAP_CHANGES, ASSUMPTIONS_SAID,
)
