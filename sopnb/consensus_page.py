"""Who says what of the plan, as it is read: the streams side by side, what open deals promise, overrides and their owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import beside, charts, tables, words
from sopnb.blocks import Block, Heading, Note, Scope, block, missing, rough, told, waiting
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, term, terms

col = tables.col
PEOPLE = ["events", "pipeline", "leads", "sales", "override"]  # the streams that people know, beside the baseline
COUNTS = ("used", "small")  # states of an override that is in the plan


# --- who says so? ---------------------------------------------------------------------------------------------------


def who(
    plan: pd.DataFrame, *, shares: pd.DataFrame, alone: pd.DataFrame | None, records: Mapping[str, pd.DataFrame | None], unplaced: pd.DataFrame, absent: Sequence[str],
    needed: int, deals: bool, minimum: float, caps: Mapping[str, float], scope: Scope, drawn: Figure | None = None,
) -> Block:
    """The streams: what each says and adds, how near each came, and how far people are followed.

    plan      frames.PLAN
    shares    streams.shares: what each stream adds over the months spoken about
    alone     beside.together: what each says by itself, with its record; None without a plan
    records   sales, leads: the table of weights, None where nobody says anything
    unplaced  plan.unplaced: what streams say of items nobody knows
    absent    sources that were not handed over
    needed    cycles until the first plan can be judged at the lag
    deals     whether open deals are handed over; minimum: money from which one is added
    caps      sales, leads: how far they are followed at most
    drawn     the figure of the streams, which stands below the answer; None: there is none
    """
    said = _added(shares) if len(plan) else say("No plan is made without orders.")
    if absent:
        said += say("Not available: {tables}.", tables=terms("source", absent))
    if plan.empty or alone is None:
        return block(said, _followed(records, caps, scope))
    return block(said, drawn, _side_by_side(alone, shares, needed, scope), _followed(records, caps, scope), _counted_once(unplaced, deals, minimum, scope))


def _added(shares: pd.DataFrame) -> Sentence:
    size = shares.set_index("stream")["size"].reindex(PEOPLE)
    if not size.sum() > 0:
        return say("**The plan is the statistical baseline**: nothing else is known of these months.")
    return say("**The statistical baseline comes to {share:.1%} of the plan.** What people know beside it moves {moved:.1%} of the units, up or down; the largest mover is {top} ({most:.1%}).",
               share=shares["units"].iloc[0] / shares["units"].iloc[-1], moved=size.sum(), top=message("plan.stream." + size.idxmax()), most=size.max())


def _side_by_side(alone: pd.DataFrame, shares: pd.DataFrame, needed: int, scope: Scope) -> Table:
    both = alone.merge(shares[["stream", "units", "amount"]].rename(columns={"units": "moves"}), on="stream", how="outer", sort=False)
    both = both[both["cells"].notna() | (both["moves"].fillna(0) != 0)].set_index("stream").reindex(beside.ORDER).dropna(how="all").reset_index()
    judged = both.dropna(subset=["wape"])
    nearest = judged.loc[judged["wape"].idxmin()] if len(judged) else None
    caption = say("The streams side by side; how near each comes can be told at {wait}", wait=waiting(scope.lag, needed)) if nearest is None else say(
        "{stream} came nearest so far: {wape:.1%} off, {lag} months ahead; the baseline {without:.1%} in the same families and months", lag=scope.lag,
        stream=message("plan.stream." + nearest["stream"]), wape=nearest["wape"], without=nearest["without"])
    return tables.show(
        both.assign(who=told("plan.stream.", both["stream"])), shut=True, caption=caption,
        subtitle=say("Units, {first:month} to {last:month}: what each says by itself (of events, deals and leads: what they add), and what it moves in the plan. Error (WAPE) and bias by family "
                     "and month, alone", first=scope.window[0], last=scope.window[-1]),
        source=say("streams of plan {cycle}; frozen plans and sources of past cycles, lag {lag}", cycle=scope.cycle, lag=scope.lag),
        columns={"who": "Who says so", "says": col("Says", "count", wide=True), "moves": col("Moves the plan by", "count", signed=True, wide=True),
                 "amount": col("Worth", "money"), "wape": col("Error alone", "percent", digits=1), "without": col("Baseline there", "percent", digits=1, wide=True),
                 "bias": col("Bias", "percent", digits=1, signed=True, wide=True), "months": col("Months judged", "count", wide=True)})


def _counted_once(unplaced: pd.DataFrame, deals: bool, minimum: float, scope: Scope) -> Note:
    said = say("Each stream sees the plan as the streams before it left it. What is said for a family or for all locations is spread by the shares of the plan. Nothing is counted twice: an event "
               "that has run through all of {origin:month} is left to the baseline; what earlier ones brought is taken out of it where it could be measured; holidays belong to its season and calendar.",
               origin=scope.origin)
    if deals:
        said += say("Of open deals those of at least {minimum:money}, or flagged new, are added; the others are won every month and stand in the baseline already.", minimum=minimum) if minimum else say(
            "Of open deals only those flagged new are added; the others are won every month and stand in the baseline already.")
    if len(unplaced):
        said += say("Items and families that a stream names and the item master does not: {lost}.", lost=len(unplaced))
    return Note(said, say("How the streams are added, each once"))


def _followed(records: Mapping[str, pd.DataFrame | None], caps: Mapping[str, float], scope: Scope) -> Table | None:
    found = [record.assign(stream=message("plan.stream." + name).text) for name, record in records.items() if record is not None and len(record)]
    if not found:
        return None
    voices = pd.concat(found, ignore_index=True)
    voices = voices.assign(owner=scope.person(voices["owner"]), rests=told("plan.weight.", voices["basis"]))
    first = voices.loc[voices["weight"].idxmax()]
    return tables.show(
        voices, shut=True, caption=say("{owner} is followed furthest: {weight:.0%} of the way", owner=first["owner"], weight=first["weight"]), source=say("past sales forecasts, leads and plans"),
        subtitle=say("Weight is what would have been best so far at lags {lags}, at most {cap:.0%} of the way (leads: {cap_leads:.0%}); months is how many are judged",
                     lags=scope.decision_lags, cap=caps["sales"], cap_leads=caps["leads"]),
        columns={"owner": "Who", "stream": col("Stream", wide=True), "months": col("Months", "count", wide=True), "wape_before": col("Error without", "percent", digits=1),
                 "wape_with": col("Error alone", "percent", digits=1, wide=True), "wape_weighed": col("Error weighed", "percent", digits=1),
                 "bias": col("Bias", "percent", digits=1, signed=True, wide=True), "weight": col("Weight", "percent"), "rests": col("Rests on", wide=True)})


# --- what do open deals promise? ------------------------------------------------------------------------------------


def deals(outlook: pd.DataFrame | None, win_rates: pd.DataFrame | None, *, orders: bool, scope: Scope) -> Block:
    """What open deals should bring: by month as a chart, by family as a table.

    outlook    sales.outlook, None where no deals are handed over
    win_rates  sales.win_rates of the same deals
    orders     whether the company hands over orders, so that the run-rate of its deals stands in the baseline
    """
    head = Heading(say("What do open deals promise?"))
    if outlook is None or win_rates is None:
        return block(head, missing("opportunities"))
    said = _promised(outlook, win_rates.iloc[0], orders, scope)
    if outlook.empty:
        return block(head, said)
    note = Note(say("A deal's money times its chance: the share won of past deals that were still open at its age. Where its closing day has passed, or is not stated, it closes after the time that "
                    "won deals as old as it still took."), say("Where the chance of a deal comes from"))
    return block(head, said, _outlook(outlook, scope) if outlook["expected"].sum() else None, _by_family(outlook, scope), note)


def _promised(outlook: pd.DataFrame, closed: pd.Series, orders: bool, scope: Scope) -> Sentence:
    if not closed["won"] + closed["lost"]:
        return say("No deal has been won or lost yet, so no chance can be learnt and nothing is expected.")
    said = say("**{expected:money} is expected of open deals that stand at {open:money}** and should close from {first:month} to {last:month}.", expected=outlook["expected"].sum(),
               open=outlook["open"].sum(), first=scope.months[0], last=scope.months[-1])
    if orders:
        said += say("Most of that stands in the baseline already, since such deals are won every month.")
    return said + say("Of the deals closed so far {rate:.0%} were won: {won:,.0f} of {closed:,.0f}.", rate=closed["raw"], won=closed["won"], closed=closed["won"] + closed["lost"])


def _outlook(outlook: pd.DataFrame, scope: Scope) -> Figure:
    """To the month of the last deal: a line of zeros to the end of the plan would say nothing."""
    span = scope.months[scope.months <= outlook["month"].max()]
    sums = outlook.groupby("month")[["expected", "open"]].sum().reindex(span, fill_value=0.0).rename_axis("month")
    most = {"month": sums["expected"].idxmax(), "most": sums["expected"].max(), "open": sums["open"].max(), "open_month": sums["open"].idxmax()}
    return charts.lines(
        sums.reset_index().melt("month", var_name="what", value_name="money"), x="month", y="money", series="what", kind="money", name="outlook",
        names={"expected": say("Expected").text, "open": say("As they stand").text},
        title=say("Open deals are expected to bring most in {month:month}: {most:money}", **most),
        alt=say("Expected: {most:money} in {month:month}, {whole:money} in all months. As they stand: {open:money} in {open_month:month}, {all_open:money} in all.",
                whole=sums["expected"].sum(), all_open=sums["open"].sum(), **most).text,
        subtitle=say("Open deals by the month they should close, in full and times their chance, {currency}", currency=words.currency_sign()), source=say("opportunities known on {day:day}", day=scope.as_of))


def _by_family(outlook: pd.DataFrame, scope: Scope) -> Table:
    sums = outlook.groupby("family", as_index=False)[["deals", "open", "expected"]].sum()
    whole = sums["expected"].sum()
    return tables.show(
        sums, shut=True, source=say("opportunities known on {day:day}", day=scope.as_of), top=8, by="expected", total=["deals", "open", "expected"],
        caption=say("{family}: {share:.0%} of what open deals should bring", family=sums.loc[sums["expected"].idxmax(), "family"], share=sums["expected"].max() / whole) if whole else say("Open deals by family"),
        subtitle=say("{first:month} to {last:month}; each deal counts with its chance", first=scope.months[0], last=scope.months[-1]),
        columns={"family": "Family", "deals": col("Deals to be won", "count"), "open": col("As they stand", "money"), "expected": col("Expected", "money")})


# --- overrides and their owners -------------------------------------------------------------------------------------


def overrides(used: pd.DataFrame, *, record: pd.DataFrame, answers: pd.DataFrame, small: float, scope: Scope) -> Block:
    """What overrides do to the plan, those that count for little or nothing, and their owners' record.

    used      plan.overrides: what became of each
    record    value_added.record
    answers   value_added.answers of those that are small or count for nothing
    small     share of the usual error below which an override is small
    """
    if used.empty:
        return block(say("No overrides."), _judged(record, scope))
    note = Note(say("An override that moves less than half of what the forecast of its rows usually misses by is small: even when it is right, it takes less than a tenth off the error, and small ones "
                    "usually hurt. So each is answered with its owner's own record. Where two people say different things of the same item, location and month, neither counts until one of them is taken "
                    "out: `sopnb overrides settle` keeps one."), say("When an override is small, and what is done where two contradict each other"))
    return block(_what_they_do(used, small), _largest(used, scope), _answered(answers, used, scope), _judged(record, scope), note)


def _what_they_do(used: pd.DataFrame, small: float) -> Sentence:
    counts = used["state"].value_counts()
    n, less = int(counts.reindex(list(COUNTS)).sum()), int(counts.get("small", 0))
    about = {"n": n, "all": len(used), "owners": used["owner"].nunique(), "units": rough(used["units"].sum()), "amount": used["amount"].sum(), "small": less, "limit": small}
    said = say("**{n} of {all} overrides, by {owners} people, move the plan by {units:compact+} units ({amount:money+}).**", **about) if about["owners"] > 1 else say(
        "**{n} of {all} overrides, by one person, move the plan by {units:compact+} units ({amount:money+}).**", **about)
    if less:
        said += say("{small} of them are small: each moves less than {limit:.0%} of what the forecast of its rows usually misses by.", **about) if less > 1 else say(
            "One of them is small: it moves less than {limit:.0%} of what the forecast of its rows usually misses by.", **about)
    dropped = [message("plan.dropped." + str(state), {"n": count}).text for state, count in counts.items() if state not in COUNTS]
    return said + say("The others count for nothing: {dropped}.", dropped=", ".join(dropped)) if dropped else said


def _meant(used: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Overrides as they are read: for what, by whom, and what became of them."""
    return used.assign(what=scope.item(used["key"]).fillna(say("all").text), by=scope.person(used["owner"]), location=scope.place(used["location"]), reason=[term("reason", reason) for reason in used["reason"]], became=told("plan.state.", used["state"]))


def _largest(used: pd.DataFrame, scope: Scope) -> Table | None:
    shown = _meant(used[used["state"].isin(COUNTS)], scope)
    if shown.empty:
        return None
    most = shown.loc[shown["amount"].abs().idxmax()]
    return tables.show(
        shown, caption=say("Largest of all: {what}, {amount:money+} ({owner})", what=most["what"], amount=most["amount"], owner=most["by"]), subtitle=say("By money moved"),
        source=say("overrides known on {day:day}", day=scope.as_of), top=5, by="amount", other=["units", "amount"], total=["units", "amount"],
        columns={"what": "For", "location": col("Location", wide=True), "month": col("Month", "month"), "units": col("Units", "count", signed=True, wide=True),
                 "amount": col("Money", "money", signed=True), "reason": col("Reason", wide=True), "by": col("Owner", wide=True), "became": col("State", wide=True)})


def _answered(answers: pd.DataFrame, used: pd.DataFrame, scope: Scope) -> Table | None:
    if answers.empty:
        return None
    less = int((used["state"] == "small").sum())
    shown = _meant(answers, scope).assign(skill=told("plan.skill.", answers["skill"]),
                                          says=[message("plan.said." + kind, {"value": value}) for kind, value in zip(answers["kind"], answers["value"], strict=True)])
    return tables.show(
        shown, shut=True, caption=say("{none} overrides count for nothing and {small} are small: what became of each, and its owner's record", none=len(answers) - less, small=less),
        subtitle=say("Those that count for nothing first. Closer (to demand than without it), judged and value added are the owner's own record, {lag} months ahead; not yet clear: skill cannot be told from "
                     "luck", lag=scope.lag),
        source=say("overrides of this cycle; frozen plans of past cycles"), top=14, other=["units"],
        columns={"what": "For", "location": col("Location", wide=True), "month": col("Month", "month", wide=True), "says": col("Says", wide=True), "became": "What became of it",
                 "units": col("Units", "count", signed=True, wide=True), "noise": col("Usual error", "count", wide=True), "by": "Owner", "override": col("Number", wide=True),
                 "hit_rate": col("Closer", "percent"), "n": col("Judged", "count", wide=True), "added": col("Value added", "points", digits=1, signed=True, wide=True),
                 **_helps(answers)})


def _helps(judged: pd.DataFrame) -> dict[str, tables.Col]:
    """The column that tells skill from luck, where it can be told of anybody: the same word in every row tells nothing."""
    return {} if (judged["skill"] == "open").all() else {"skill": col("Helps?", wide=True)}


def _judged(record: pd.DataFrame, scope: Scope) -> Table | Sentence:
    judged = record[record["scope"].isin(["owner", "reason", "size"]) & (record["n"] > 0)].sort_values(["scope", "added"], kind="stable")
    if judged.empty:
        return say("No override made {lag} months ahead can be judged yet.", lag=scope.lag)
    whole = record[(record["scope"] == "all") & (record["stream"] == "override")].iloc[0]
    own = judged[judged["scope"] == "owner"]
    groups = {"small": say("Small ones").text, "used": say("All others").text}
    key = scope.person(judged["key"]).where(judged["scope"] != "reason", judged["key"].map(lambda key: term("reason", key).text)).where(judged["scope"] != "size", judged["key"].map(groups))
    about: dict[str, Any] = {"hits": own["hits"].sum(), "n": own["n"].sum(), "added": whole["added"], "skill": message("plan.skill." + whole["skill"])}
    return tables.show(
        judged.assign(key=key, hit_rate=judged["hits"] / judged["n"], by=told("plan.scope.", judged["scope"]), skill=told("plan.skill.", judged["skill"])),
        caption=say("{hits} of {n} overrides came closer to demand; together they took {added:+.2pp} points off the error ({skill})", **about), shut=True,
        subtitle=say("Judged {lag} months ahead, in the order they were made; points of error (WAPE) taken off what they touched, with the range that luck leaves (95%); where it holds zero it is not yet clear whether they help", lag=scope.lag),
        source=say("overrides and frozen plans of past cycles whose month is known"),
        columns={"key": "Whose", "by": col("By", wide=True), "months": col("Months", "count", wide=True), "n": col("Judged", "count", wide=True),
                 "hit_rate": col("Closer", "percent"), "added": col("Value added", "points", digits=1, signed=True), "low": col("From", "points", digits=1, signed=True, wide=True),
                 "high": col("To", "points", digits=1, signed=True, wide=True), "amount": col("Worth", "money", signed=True, wide=True), **_helps(judged)})
