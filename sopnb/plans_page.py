"""Hours, people and money, as they are read: load and its cheapest cures, who goes without, ways of working, the sheet, the reps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, sheet, tables, words
from sopnb.blocks import Block, Heading, Note, Scope, block, missing, short_month
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, terms

col = tables.col


# --- do the hours suffice? --------------------------------------------------------------------------------------------

def hours(load: pd.DataFrame | None, cures: pd.DataFrame | None, *, wrong: pd.DataFrame | None, dark: pd.DataFrame | None, unrouted: pd.DataFrame | None, scope: Scope) -> Block:
    """Load against hours, and what the cheapest way out of each overload costs.

    load       LOAD; None where routings or capacity are absent
    cures      CURES of it
    wrong      capacity.doubtful: resources whose hours nobody should believe
    dark       capacity.unknown; unrouted: capacity.without_routing
    """
    if load is None or cures is None:
        return block(say("Not available: {tables}.", tables=terms("source", ["routings", "capacity"])))
    judged = load["available"].notna().any()
    return block(_first(load, cures), _doubts(wrong, dark, unrouted), _load(load, scope) if judged else None, _cures(load, cures, scope))


def _first(load: pd.DataFrame, cures: pd.DataFrame) -> Sentence:
    if load["available"].isna().all():
        return say("No load can be judged.")
    over = load[load["overload"] > 0].sort_values(["month", "overload_amount"], ascending=[True, False], kind="stable")
    if over.empty:
        most = load.loc[load["ratio"].idxmax()]
        return say("**Every resource has the hours it needs in every month.** The fullest is {resource}, at {ratio:.0%} in {month:month}.", resource=most["resource"], ratio=most["ratio"], month=most["month"])
    said = say("**{resource} is the first to run out of hours, in {month:month}: {hours:,.0f} hours too many, with {amount:money} of sales behind them.**", resource=over["resource"].iloc[0],
               month=over["month"].iloc[0], hours=over["overload"].iloc[0], amount=over["overload_amount"].iloc[0])
    if len(over) > 1:
        said += say("Overloaded months in all: {months:,d}.", months=len(over)) if over["resource"].nunique() == 1 else say(
            "Overloaded months in all: {months:,d}, on {n:,d} resources.", months=len(over), n=over["resource"].nunique())
    mix = cures[cures["way"] == "mix"]
    parts = mix.groupby("cure")[["hours", "cost", "lost"]].sum()
    told = [message("cures." + name, {"hours": parts.at[name, "hours"]}).text for name in ("pull_forward", "overtime", "shift", "subcontract") if name in parts.index]
    if told:
        said += say("The cheapest way out costs {cost:money}: {parts}.", cost=mix["cost"].sum(), parts=", ".join(told))
    if mix["lost"].sum() > 0.5:
        said += say("{hours:,.0f} hours are left undone, since no cure is worth their margin of {lost:money}.", hours=parts.at["ration", "hours"], lost=mix["lost"].sum())
    elif "ration" in parts.index:
        said += say("For {hours:,.0f} hours no cure pays: the goods behind them sell below their cost. Mend their price or their cost first.", hours=parts.at["ration", "hours"])
    return said


def _small(text: str) -> str:
    """Words that stand alone elsewhere, inside a sentence."""
    return text[:1].lower() + text[1:]


def _doubts(wrong: pd.DataFrame | None, dark: pd.DataFrame | None, unrouted: pd.DataFrame | None) -> Sentence | None:
    said = say("**The hours stated for {resources} cannot be right**: what was sold in the last twelve months, parts included, takes up to {share:.0%} of them. Their load is not judged until the capacity is mended.",
               resources=", ".join(wrong["resource"]), share=wrong["share"].max()) if wrong is not None and len(wrong) else None
    lacking, unknown = 0 if unrouted is None else len(unrouted), (0 if dark is None else len(dark)) - (0 if wrong is None else len(wrong))
    if lacking <= 0 and unknown <= 0:
        return said
    left = say("No hours are known for {n:,d} of the items we make, and no capacity is stated for {dark:,d} of the resources they use: the load leaves them out. Complete `routings` and `capacity`.", n=lacking, dark=max(unknown, 0))
    return said + left if said else left


def _load(load: pd.DataFrame, scope: Scope) -> Figure:
    over, most = load[load["overload"] > 0], load.loc[load["ratio"].idxmax()]
    values = {"n": over["resource"].nunique(), "all": load["resource"].nunique(), "resource": most["resource"], "share": most["ratio"], "month": most["month"]}
    if not values["n"]:
        title = say("All {all:,d} resources have the hours they need; the fullest is {resource}, {share:.0%} in {month:month}", **values)
    elif values["n"] == 1:
        title = say("Of {all:,d} resources {resource} alone lacks hours: it would need {share:.0%} of them in {month:month}", **values)
    else:
        title = say("{n:,d} of {all:,d} resources lack hours, most of all {resource}: it would need {share:.0%} of them in {month:month}", **values)
    return charts.load(
        load, name="load", title=title, subtitle=say("Hours needed as a share of hours available, by month; dotted: what overtime can add"),
        source=say("routings, capacity, planned and open orders of {cycle}; every resource: tables/load.parquet", cycle=scope.cycle))


def _cures(load: pd.DataFrame, cures: pd.DataFrame, scope: Scope) -> Table | None:
    """Of the overloads with most money behind them: each cure alone, and how much of it is in the cheapest mix."""
    if cures.empty:
        return None
    most = load[load["overload"].fillna(0) > 0].sort_values(["overload_amount", "resource", "month"], ascending=[False, True, True], kind="stable").head(3)[["resource", "month"]]
    alone, mix = cures[cures["way"] == "alone"], cures[cures["way"] == "mix"][["resource", "month", "cure", "hours"]].rename(columns={"hours": "mixed"})
    rows = most.merge(alone, on=["resource", "month"]).merge(mix, on=["resource", "month", "cure"], how="left").fillna({"mixed": 0.0})
    rows = rows[rows["hours"] > 0].assign(whole=lambda d: d["cost"] + d["lost"])
    if rows.empty:
        return None
    rows = rows.assign(what=[message("cures.name." + cure) for cure in rows["cure"]], over=[say("{resource}, {month:mon}", resource=r, month=m).text for r, m in zip(rows["resource"], rows["month"], strict=True)])
    order = rows.groupby("over", sort=False).ngroup()
    rows = rows.assign(**{name: [short_month(month) for month in rows[name]] for name in ("first", "last")})
    rows = rows.assign(_order=order).sort_values(["_order", "whole"], kind="stable")
    best = rows.iloc[0]
    return tables.show(
        rows, shut=True, caption=say("Cheapest cure for {over}: {cure}, {cost:money}", over=best["over"], cure=_small(best["what"].text), cost=best["whole"]), source=say("load of {cycle}; rates of the params file", cycle=scope.cycle),
        subtitle=say("The largest overloads by money, the cheapest cure first; the months in which its hours are worked; all in is what is spent and the margin of what it leaves undone"),
        columns={"over": "Overload", "what": "Cure", "first": col("From", wide=True), "last": col("To", wide=True), "hours": col("Hours", "count"), "left": col("Leaves", "count", wide=True),
                 "cost": col("Costs", "money", wide=True), "lost": col("Margin lost", "money", wide=True), "whole": col("All in", "money"), "mixed": col("In the mix", "count", wide=True)})


# --- who goes without? ------------------------------------------------------------------------------------------------

def within(constrained: Any | None, scope: Scope) -> Block:
    """What the hours cannot serve, by money and by the resource that binds, and what an hour there is worth.

    constrained   constrained.Constrained; None where routings or capacity are absent
    """
    if constrained is None:
        return block()
    faults = [message(rule, values) for rule, values in zip(constrained.findings["rule"], constrained.findings["values"], strict=True)]
    return _served(constrained, scope) + block(*faults)


def _served(constrained: Any, scope: Scope) -> Block:
    made, unserved, hours = constrained.items, constrained.unserved, constrained.bottlenecks
    head = Heading(say("Within the hours, who goes without?"))
    if made.empty:
        return block(head, say("No item with demand has hours to plan with."))
    if unserved.empty:
        served, worth = say("**With overtime and with goods made earlier, the hours serve all demand in its month.**"), _worth(hours)
        return block(head, served + worth if worth else served)
    lost, late = unserved["amount"].sum(), unserved["late_amount"].sum()
    said = say("**The hours cannot serve sales of {lost:money}**, with overtime and every month before used as well as can be.", lost=lost) if late < 0.5 else say(
        "**For want of hours sales of {late:money} come late**, with overtime and every month before used as well as can be.", late=late) if lost < 0.5 else say(
        "**The hours cannot serve sales of {lost:money}, and {late:money} come late**, with overtime and every month before used as well as can be.", lost=lost, late=late)
    first = unserved.dropna(subset=["resource"])
    if len(first):
        by = first.assign(money=first["amount"] + first["late_amount"]).groupby("resource")["money"].sum()
        said += say("Most of it waits for {resource}: {money:money}.", resource=by.idxmax(), money=by.max())
    worth = _worth(hours)
    rows = unserved.assign(name=scope.item(unserved["item"]), money=unserved["amount"] + unserved["late_amount"])
    return block(head, said + worth if worth else said, tables.show(
        rows, top=8, by="money", other=["amount", "late_amount", "money"], total=["amount", "late_amount", "money"], caption=say("{item} waits most: {amount:money} of sales in {month:month}", item=rows.loc[rows["money"].idxmax(), "name"], amount=rows["money"].max(), month=rows.loc[rows["money"].idxmax(), "month"]),
        subtitle=say("Classes are served in their order; revenue lost and revenue that comes late. Hours of parts count with the item they go into, as if none were in stock"), source=say("plan, routings, capacity and stock of {cycle}", cycle=scope.cycle),
        columns={"name": "Item", "service_class": col("Class", wide=True), "month": col("Month", "month"), "late": col("Late", "count", unit="units", wide=True), "lost": col("Lost", "count", unit="units", wide=True),
                 "resource": col("Waits for", wide=True), "late_amount": col("Comes late", "money", wide=True), "amount": col("Lost ", "money", wide=True), "money": col("Together", "money")}))


def _worth(hours: pd.DataFrame) -> Sentence | None:
    known = hours.dropna(subset=["value"])
    if known.empty or not known["value"].max() > 0.005:
        return None
    best = known.loc[known["value"].idxmax()]
    return say("One more hour on {resource} in {month:month} would bring {value:price}.", resource=best["resource"], month=best["month"], value=best["value"])


# --- ways of working --------------------------------------------------------------------------------------------------

def people(ways: pd.DataFrame | None, compared: pd.DataFrame | None, marginals: pd.DataFrame | None, unplanned: pd.DataFrame | None, scope: Scope) -> Block:
    """Four ways of working side by side: what each costs, whom it needs, and what one more hour or unit is worth.

    ways        AGGREGATE; compared: aggregate.compare by strategy
    marginals   MARGINALS;  unplanned: UNPLANNED
    """
    if ways is None or compared is None or marginals is None or unplanned is None:
        return block(missing("workforce"))
    told = [_unplanned(row) for row in unplanned.drop_duplicates("family").to_dict("records")]
    if compared.empty:
        return block(say("**No family has all four plans.**"), *told)
    worth = _value(marginals)
    named = compared.assign(name=[words.message(f"charts.strategy.{s}") for s in compared["strategy"]])
    dear, swings = named.loc[named["cost"].idxmax()], named.loc[(named["most_people"] - named["least_people"]).idxmax()]
    return block(
        _cheapest(compared, scope), *told,
        charts.plan_costs(compared, name="plan-costs", title=say("{name} is the dearest way of working: {more:money} more than the cheapest", name=dear["name"].text, more=dear["cost"] - compared["cost"].min()),
                          subtitle=say("Cost over the horizon by what it is paid for; material is left out where it is the same in every plan"), source=say("workforce; plan {cycle}", cycle=scope.cycle)),
        charts.plan_paths(ways, name="plan-paths", title=say("{name} asks most of people: from {least:,.0f} of them to {most:,.0f}", name=swings["name"].text, least=swings["least_people"], most=swings["most_people"]),
                          subtitle=say("People, units made and units in stock by month, the highest named, all families; dashed: demand"), source=say("workforce; plan {cycle}; every month: tables/aggregate.parquet", cycle=scope.cycle)),
        tables.show(named, shut=True, caption=_side_by_side(named), source=say("workforce; plan {cycle}", cycle=scope.cycle),
                    subtitle=say("Level keeps people and output steady, chase follows demand, hybrid keeps people steady and buys the peaks, the optimum is the cheapest plan there is"),
                    columns={"name": "Plan", "cost": col("Cost", "money"), "more": col("Above the cheapest", "money", wide=True), "hires": col("Hired", "count", wide=True), "layoffs": col("Laid off", "count", wide=True),
                             "least_people": col("Fewest people", "count", wide=True), "most_people": col("Most people", "count", wide=True), "peak_stock": col("Peak stock", "count", unit="units", wide=True),
                             "service": col("On time", "percent", 1)}), Note(worth) if worth else None)


def _side_by_side(named: pd.DataFrame) -> Sentence:
    """Whom the ways of working hire and lay off, from least to most."""
    moved = named["hires"] + named["layoffs"]
    few, many = named.loc[moved.idxmin()], named.loc[moved.idxmax()]
    return say("Plan by plan: {few} hires {h0:,.0f} and lays off {l0:,.0f}, {many} {h1:,.0f} and {l1:,.0f}", few=_small(few["name"].text), h0=few["hires"], l0=few["layoffs"], many=_small(many["name"].text), h1=many["hires"],
               l1=many["layoffs"])


def _cheapest(compared: pd.DataFrame, scope: Scope) -> Sentence:
    of = compared.set_index("strategy")
    best = compared.iloc[0]
    said = say("**The cheapest way of working costs {cost:money} to {last:month}: {name}.**", cost=best["cost"], name=_small(words.message(f"charts.strategy.{best['strategy']}").text), last=scope.months[-1])
    rest = [message("plans.more", {"name": message(f"plans.way.{name}").text, "more": float(of.at[name, "cost"] - best["cost"])}).text for name in ("hybrid", "level", "chase") if name in of.index and name != best["strategy"]]
    told = "; ".join(rest)
    said += say("{rest}.", rest=told[:1].upper() + told[1:])
    return said + say("The cheapest hires {hires:,.0f} people, lays off {layoffs:,.0f} and serves {service:.1%} on time; what that does to people is in no figure.",
                      hires=best["hires"], layoffs=best["layoffs"], service=best["service"])


def _value(marginals: pd.DataFrame) -> Sentence | None:
    """The hour, or the unit of regular capacity, that is worth most; and what a unit of closing stock costs."""
    named = marginals[marginals["what"].isin(["hour"])] if (marginals["what"] == "hour").any() else marginals[marginals["what"] == "regular"]
    worth = named[named["value"] > 0.005]
    if worth.empty:
        return say("No month is short of regular hours in the optimum: one more would save nothing.") if len(named) else None
    best = worth.loc[worth["value"].idxmax()]
    what = message("plans.worth." + best["what"], {"value": float(best["value"]), "family": best["family"], "month": best["month"]})
    end = marginals[(marginals["what"] == "end_stock") & (marginals["value"] > 0.005)]
    if end.empty:
        return say("{what}", what=what.text)
    dear = end.loc[end["value"].idxmax()]
    return say("{what} {end}", what=what.text, end=message("plans.worth.end_stock", {"value": float(dear["value"]), "family": dear["family"]}).text)


def _unplanned(row: Mapping[str, Any]) -> Sentence:
    month = row["month"]
    return say("{family}, {month:mon}: no plan keeps all limits. {mend}", family=row["family"], month=month, mend=message(row["because"], row["values"]).text) if pd.notna(month) else say(
        "{family}: no plan. {mend}", family=row["family"], mend=message(row["because"], row["values"]).text)


# --- the sheet --------------------------------------------------------------------------------------------------------

def sheets(table: pd.DataFrame, *, months: pd.DatetimeIndex, first: pd.Timestamp, scope: Scope, count: int = 3) -> Block:
    """The S&OP sheet: all families in money, then the largest and all other in units, three months back and those ahead.

    table    SHEET;  months: the months shown;  first: the first that is still to come
    """
    if table.empty:
        return block(missing("orders"))
    pages = sheet.largest(table, count)
    names = [name for name in dict.fromkeys(sheet.in_money(table, pages, first=first)["page"]) if name] + ([""] if "" in pages.values() else [])
    return block(Heading(say("The sheet: sales, production and stock by family")), _fared(table, first), _in_money(table, pages, first, scope), *[_units(table, [f for f in pages if pages[f] == name], name, months, scope, first) for name in names],
                 Note(say("Production is what came in, made or bought: closing stock less opening stock plus sales, and what went into other goods. A month past stands beside the plan of its own cycle.")))


def _fared(table: pd.DataFrame, first: pd.Timestamp) -> Sentence:
    then, coming = table[table["month"] < first], table[table["month"] >= first]
    both = then[(then["measure"] == "sales")].dropna(subset=["amount_difference"])
    said = say("**In the last {n:,d} months sales came to {sold:money} against {plan:money} planned: {off:+.1%}.**", n=both["month"].nunique(), sold=both["amount_actual"].sum(), plan=both["amount_plan"].sum(),
               off=both["amount_difference"].sum() / both["amount_plan"].sum()) if both["amount_plan"].sum() > 0 else say("**No plan of the months past is kept yet to compare them with.**")
    sales = coming[coming["measure"] == "sales"]["amount_plan"].sum()
    said += say("The {n:,d} months to come plan sales of {sales:money}.", n=coming["month"].nunique(), sales=sales)
    stock = coming[(coming["measure"] == "stock") & (coming["month"] == coming["month"].max())]["amount_plan"]
    made = coming[coming["measure"] == "production"]["amount_plan"]
    return said + say("Production of {made:money} at cost leaves {stock:money} in stock.", made=made.sum(), stock=stock.sum()) if len(stock) else said + missing("stock")


def _in_money(table: pd.DataFrame, pages: Mapping[str, str], first: pd.Timestamp, scope: Scope) -> Table:
    rows = sheet.in_money(table, pages, first=first)
    amounts = [name for name in rows.columns if name != "page"]
    rows = rows.assign(page=rows["page"].where(rows["page"] != "", words.message("sheet.other").text))
    apart = rows[rows["sold_difference"].notna() & rows["page"].isin([page for page in pages.values() if page])]
    caption = say("In money: coming sales of {amount:money}, family by family", amount=rows["sales"].sum())
    if len(apart):
        far = apart.loc[apart["sold_difference"].abs().idxmax()]
        caption = say("In money: of the largest families {family} was furthest from its plan: sales {amount:money+}", family=far["page"], amount=far["sold_difference"])
    return tables.show(
        rows, shut=True, caption=caption, total=[name for name in amounts if rows[name].notna().any()],
        subtitle=say("Sales as revenue, production and stock at standard cost; past months against their plan, stock at the end of the last one"),
        source=say("plans and stock of the cycles; demand history; plan {cycle}", cycle=scope.cycle),
        columns={"page": "Family", "sold": col("Sold", "money", wide=True), "sold_difference": col("Against plan", "money", signed=True), "held": col("In stock", "money", wide=True),
                 "held_difference": col("Stock against plan", "money", signed=True, wide=True), "sales": col("Sales to come", "money"), "production": col("Production", "money", wide=True), "stock": col("Stock at the end", "money", wide=True)})


def _units(table: pd.DataFrame, families: list[str], name: str, months: pd.DatetimeIndex, scope: Scope, first: pd.Timestamp) -> Table:
    rows = sheet.page_of(table, families, months)
    what = [message(f"sheet.{row['measure']}.{row['kind']}") for row in rows.to_dict("records")]
    shown = {f"m{k + 1}": col(words.show(month, "mon"), "count", wide=month not in (first, scope.origin)) for k, month in enumerate(months)}
    page = name or words.message("sheet.other").text
    return tables.show(rows.assign(what=what), shut=True, caption=_off(rows, page),
                       subtitle=say("Months past: the plan of their own cycle, what came of it, and the difference; months to come: plan {cycle}", cycle=scope.cycle),
                       source=say("plans and stock of the cycles; demand history"), columns={"what": "", **shown})


def _off(rows: pd.DataFrame, family: str) -> Sentence:
    """How far sales and stock of the months past were from their plan, in units; of stock the last month."""
    of = rows.set_index(["measure", "kind"]).astype("float64")
    both = of.loc[[("sales", "plan"), ("sales", "actual")]].dropna(axis=1)
    held = of.loc[[("stock", "plan"), ("stock", "actual")]].dropna(axis=1)
    sold, planned = both.sum(axis=1).loc[("sales", "actual")], both.sum(axis=1).loc[("sales", "plan")]
    if not planned > 0:
        return say("{family}: sales, production and stock in units", family=family)
    said = {"family": family, "off": sold / planned - 1}
    if held.empty or not held.iloc[0, -1] > 0:
        return say("{family} in units: sales {off:+.0%} against their plan", **said)
    return say("{family} in units: sales {off:+.0%} against their plan, stock {stock:+.0%}", **said, stock=held.iloc[1, -1] / held.iloc[0, -1] - 1)


# --- what can the reps sell? ------------------------------------------------------------------------------------------

def selling(hiring: pd.DataFrame | None, *, through_reps: float | None, scope: Scope) -> Block:
    """What the reps can sell month by month, and how many to hire.

    hiring         HIRING; None where reps, quotas or orders are absent
    through_reps   share of sales that goes through reps
    """
    if hiring is None:
        return block(say("Not available: {tables}.", tables=terms("source", ["reps", "quotas"])))
    hires = int(hiring["hires"].sum())
    people = say("{share:.0%} of sales go through reps. They can sell {can:money} of the {want:money} planned through them to {last:month}.", share=through_reps, can=hiring["capacity"].sum(),
                 want=hiring["target"].sum(), last=hiring["month"].max())
    people += say("Nobody has to be hired for it.") if not hires else say("**One hire** is needed to close what can still be closed.") if hires == 1 else say(
        "**{hires:,d} hires** are needed to close what can still be closed.", hires=hires)
    near = hiring[hiring["month"].isin(scope.window)]
    worst = near.loc[near["gap"].idxmin()] if near["gap"].notna().any() else None
    caption = say("Month by month: reps fall short most in {month:month}, by {gap:money}", month=worst["month"], gap=-worst["gap"]) if worst is not None and worst["gap"] < 0 else say(
        "Month by month: the reps can sell what is planned")
    return block(people, tables.show(
        near, shut=True, caption=caption, source=say("reps, quotas, orders; plan {cycle}", cycle=scope.cycle),
        columns={"month": col("Month", "month"), "reps": col("Reps", "number", 1, wide=True), "target": col("Planned", "money", wide=True), "capacity": col("Can sell", "money"),
                 "gap": col("Gap", "money", signed=True), "hires": col("Hires to start", "count")}))
