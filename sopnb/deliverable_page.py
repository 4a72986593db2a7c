"""What the company can really deliver, as it is read: which limit binds first, the plan that is left, against budget."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sopnb import charts, deliverable, tables
from sopnb.blocks import Block, block, missing
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, terms

col = tables.col
CAUSES = deliverable.CAUSES
NOTHING = 0.5  # money below which nothing is missing


def shown(table: pd.DataFrame | None, limits: pd.DataFrame | None, *, absent: Sequence[str], near: pd.DatetimeIndex, with_hires: float | None = None) -> Block:
    """The plan that can be delivered, month by month and by family.

    table       DELIVERABLE, None without a plan
    limits      deliverable.limits of it
    absent      sources without which a limit is not known
    near        the first months, which a decision can still change: spoken of, shown one by one
    with_hires  money that could be delivered over all months with the hires proposed; None: none are
    """
    if table is None or limits is None or table.empty:
        return block(missing("plan"))
    if not {"stock", "capacity", "reps"} - set(absent):
        return block(say("No limit is known, so nothing says how much of the plan can be delivered. Not available: {tables}.", tables=terms("source", absent)))
    soon, now = table[table["month"].isin(near)], limits[limits["month"].isin(near)]
    said = _answer(soon, now) + _against_budget(now) if len(now) else _answer(table, limits)
    if len(now) < len(limits):
        said += _later(limits, with_hires)
    if absent:
        said += say("Not available: {tables}; what they would limit counts as no limit.", tables=terms("source", absent))
    return block(said, _figure(limits, near), _months(limits, near), _families(soon, now))


def _answer(table: pd.DataFrame, limits: pd.DataFrame) -> Sentence:
    last, plan, revenue = limits["month"].iloc[-1], limits["plan"].sum(), limits["revenue"].sum()
    gaps = {cause: table[f"{cause}_gap"].sum() for cause in CAUSES}
    if sum(gaps.values()) < NOTHING:
        return say("**The whole plan to {last:month}, {plan:money}, can be delivered in its months.**", plan=plan, last=last)
    bound = deliverable.binding(table).iloc[0]
    at = limits[limits["month"] == bound["month"]].iloc[0]
    parts = [message(f"deliverable.gap.{cause}", {"amount": amount}).text for cause, amount in sorted(gaps.items(), key=lambda item: -item[1]) if amount >= NOTHING]
    out = say("**Of the {plan:money} planned to {last:month}, {revenue:money} ({share:.1%}) can be delivered in its month**: {parts}.", plan=plan, revenue=revenue, share=revenue / plan, last=last,
              parts="; ".join(parts))
    return out + say("{first}: in {month:month}, {gap:money} below the plan.", first=message("deliverable.first." + bound["cause"]), month=bound["month"], gap=at["plan"] - at[bound["cause"]])


def _later(limits: pd.DataFrame, with_hires: float | None) -> Sentence:
    plan, revenue, last = limits["plan"].sum(), limits["revenue"].sum(), limits["month"].iloc[-1]
    if with_hires is not None and with_hires > revenue + NOTHING:
        return say("Over all months to {last:month} it is {share:.1%}; with the hires proposed below it would be {hired:.1%}, {more:money} more.", last=last, share=revenue / plan, hired=with_hires / plan,
                   more=with_hires - revenue)
    return say("Over all months to {last:month} it is {share:.1%}.", last=last, share=revenue / plan)


def _against_budget(limits: pd.DataFrame) -> Sentence:
    known = limits[limits["budget"].notna()]
    if known.empty:
        return say("No budget is given to compare.")
    gap, planned = known["revenue"].sum() - known["budget"].sum(), known["plan"].sum() - known["budget"].sum()
    return say("Against the budget of {first:month} to {last:month}: {gap:money+} with what can be delivered, {planned:money+} with the plan.", first=known["month"].iloc[0], last=known["month"].iloc[-1], gap=gap, planned=planned)


def _figure(limits: pd.DataFrame, near: pd.DatetimeIndex) -> Figure:
    soon = limits[limits["month"].isin(near)] if limits["month"].isin(near).any() else limits
    worst = soon.loc[(soon["plan"] - soon["revenue"]).idxmax()]
    names = {"plan": say("Plan").text, "revenue": say("Deliverable").text, "budget": say("Budget").text}
    kept = [name for name in names if limits[name].notna().any()]
    long = limits[["month", *kept]].melt("month", var_name="what", value_name="money")
    title = say("Of the next {n:,d} months {month:month} falls short most: {gap:money} of {plan:money}", n=len(soon), month=worst["month"], gap=worst["plan"] - worst["revenue"],
                plan=worst["plan"]) if worst["plan"] - worst["revenue"] >= NOTHING else say("Every month to {last:month} can be delivered", last=soon["month"].iloc[-1])
    return charts.lines(long, x="month", y="money", series="what", kind="money", name="deliverable", names=names, roles={"plan": "plan", "revenue": "ok", "budget": "base"}, title=title,
                        subtitle=say("Sales of each month: planned, budgeted, and what reps, plants and stock together let through"), source=_source())


def _source() -> Sentence:
    return say("plan, projected stock, plan within the hours, rep capacity; every month: tables/deliverable.parquet")


def _months(limits: pd.DataFrame, near: pd.DatetimeIndex) -> Table:
    rows = limits.assign(limit=["" if binds == "" else message("deliverable.binds." + binds).text for binds in limits["binds"]], over=limits["revenue"] - limits["budget"])
    bound = int((limits["binds"] != "").sum())
    known = [name for name in ("sales", "hours", "stock", "budget") if limits[name].notna().any()]
    columns = {"plan": col("Plan", "money", wide=True), "sales": col("Sales can sell", "money", wide=True), "hours": col("Plants can make", "money", wide=True),
               "stock": col("Stock can serve", "money", wide=True), "revenue": col("Can be delivered", "money"), "limit": col("Binds"),
               **({"over": col("Against budget", "money", signed=True, wide=True)} if "budget" in known else {})}
    sums = ["plan", "revenue", *[name for name in ("sales", "hours", "stock") if name in known], *(["over"] if "budget" in known else [])]
    return tables.show(rows, shut=True, caption=say("Month by month: in {n:,d} of {all:,d} the plan is more than can be delivered", n=bound, all=len(limits)) if bound else say("Month by month: all of the plan can be delivered"), top=len(near), total=sums,
                       subtitle=say("Each limit alone, were it the only one; goods short for stock and for hours are missing once. Where reps can sell less than what is left, classes A, B and C come in this order, and in each what "
                                    "brings most margin for its price; hires that nobody has decided are left out"), source=_source(),
                       columns={"month": col("Month", "month"), **{name: given for name, given in columns.items() if name in sums or name == "limit"}})


def _families(table: pd.DataFrame, limits: pd.DataFrame) -> Table | None:
    rows = deliverable.by_family(table).query("plan > 0")
    if rows["gap"].sum() < NOTHING:
        return None
    worst = rows.iloc[0]
    gaps = [f"{cause}_gap" for cause in CAUSES if rows[f"{cause}_gap"].sum() >= NOTHING]
    rows[[*gaps, "late"]] = rows[[*gaps, "late"]].where(rows[[*gaps, "late"]] >= NOTHING)  # nothing is a dash
    rows[gaps] = -rows[gaps]
    heads = {"stock_gap": say("Stock"), "hours_gap": say("Hours"), "sales_gap": say("Sales")}
    return tables.show(rows.assign(gap=-rows["gap"]), shut=True, caption=say("Family by family: {family} gives up most: {gap:money} of its plan of {plan:money}", family=worst["family"], gap=worst["gap"], plan=worst["plan"]),
                       subtitle=say("Plan, less what each cause takes, {first:month} to {last:month}; late is the part of the gap that comes in a later month", first=limits["month"].iloc[0], last=limits["month"].iloc[-1]),
                       source=_source(), total=["plan", *gaps, "gap", "revenue", "late"], top=8, by="gap",
                       columns={"family": "Family", "plan": col("Plan", "money", wide=True), **{name: col(heads[name], "money", signed=True, wide=True) for name in gaps},
                                "gap": col("Gap", "money", signed=True), "revenue": col("Can be delivered", "money"), "late": col("Of the gap, late", "money", wide=True)})
