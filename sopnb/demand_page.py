"""What customers will ask for, as it is read: the plan in units and money, and what its past must not teach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sopnb import charts, tables, value, words
from sopnb.blocks import Block, Scope, block, missing, rough, told
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, term

col = tables.col


# --- how much, and when? --------------------------------------------------------------------------------------------


def how_much(
    plan: pd.DataFrame, history: pd.DataFrame, *, headline: Mapping[str, Any], families: pd.DataFrame, by_month: pd.DataFrame, prices: pd.DataFrame,
    band: pd.DataFrame, family_bands: pd.DataFrame, budget: pd.DataFrame | None, scope: Scope, unsure: tuple[float, int] = (float("nan"), 0), marks: pd.DataFrame | None = None,
) -> Block:
    """The plan in a sentence, a chart, by family, and its money by family and month.

    plan, history   frames.PLAN, frames.HISTORY
    headline        value.headline: what the plan comes to over the months spoken about
    families        value.families
    by_month        value.by_month
    prices          pricing.summary: what the prices rest on
    band            forecast.family_bands of the total; family_bands: of each family, as `group`
    budget          frames.BUDGET, None where there is none
    unsure          forecast.range_of_sum: how far the sum may be off in four cases of five, and of how many origins that is known
    marks           name, start (and kind): what the months are marked with, such as holidays and promotions; None: nothing
    """
    if plan.empty:
        return block(say("Not available: {table}. What open deals are expected to bring stands below.", table=term("source", "orders")))
    return block(_answer(headline, *unsure), _chart(plan, history, headline, band, budget, marks, scope), _families(families, family_bands, headline, scope),
                 _money(by_month, prices, scope))


def marks(events: pd.DataFrame | None, *, first: Any = None) -> pd.DataFrame | None:
    """What a chart of demand is marked with: holidays by name in the middle of their weeks, promotions where they begin.

    events   frames.EVENTS; first: the month from which promotions are marked; None: all of them
    returns  name (none: a promotion), start; None where there is nothing to mark

    >>> marks(pd.DataFrame({"kind": ["holiday"], "name": ["Lebaran 2027"], "start": [pd.Timestamp("2027-01-24")], "end": [pd.Timestamp("2027-03-30")]}))["start"].iloc[0].month
    2
    """
    if events is None or events.empty:
        return None
    told = events[events["kind"].isin(["holiday", "promotion"])]
    ends = told["end"].fillna(told["start"])
    feast = told["kind"] == "holiday"
    start = told["start"].where(~feast, told["start"] + (ends - told["start"]) / 2)
    name = told["name"].str.replace(r"\s*\b\d{4}$", "", regex=True).where(feast, None)
    wanted = feast if first is None else feast | (told["start"] >= pd.Timestamp(first))
    out = pd.DataFrame({"name": name, "start": start})[wanted | (first is None)]
    return out if len(out) else None


def _answer(headline: Mapping[str, Any], width: float, origins: int) -> Sentence:
    said = say("**{units:compact} units worth {revenue:money}** from {first:month} to {last:month}.", **headline)
    said += say("There is no demand of the same months a year before to compare it with.") if pd.isna(headline["grows"]) else say(
        "That is {grows:+.1%} on the demand of the same months a year before.", **headline)
    said += say("There is no plan of last month to compare it with.") if pd.isna(headline["changes"]) else say(
        "Against last plan, over the months that both have, it hardly moved ({changed_revenue:money+}).", **headline) if abs(headline["changes"]) < 0.0005 else say(
        "Over the months that last plan had too, it moved by {changed_revenue:money+} ({changes:+.1%} of units).", **headline)
    said += say("The peak is {peak:month} with {peak_units:compact} units.", **headline)
    if origins > 1:
        said += say("In four cases of five demand should come to between {low:compact} and {high:compact} units, judged by how far {origins} earlier forecasts were off.",
                    low=headline["units"] * max(1 - width, 0.0), high=headline["units"] * (1 + width), origins=origins)
    return said


def _chart(plan: pd.DataFrame, history: pd.DataFrame, headline: Mapping[str, Any], band: pd.DataFrame, budget: pd.DataFrame | None, marks: pd.DataFrame | None, scope: Scope) -> Figure:
    return charts.demand_and_plan(
        history, plan, forecast=band, budget=budget, events=marks, name="demand-plan",
        title=say("The plan of the next {n} months peaks in {peak:month} at {peak_units:compact} units", n=len(scope.window), **headline),
        subtitle=say("Units per month, all items and locations; the band around the baseline holds 80% by design") if marks is None or marks["name"].notna().all() else say(
            "Units per month, all items and locations; the band around the baseline holds 80% by design; triangles mark planned promotions"),
        source=say("demand history to {origin:month}; plan {cycle}, all of it in the workbook", origin=scope.origin, cycle=scope.cycle))


def _families(families: pd.DataFrame, bands: pd.DataFrame, headline: Mapping[str, Any], scope: Scope) -> Table | None:
    if families.empty:
        return None
    at = scope.months[min(max(scope.lags), len(scope.months)) - 1]
    bands = bands.loc[bands["month"] == at, ["group", "lo80", "hi80"]].rename(columns={"group": "family"})
    whole = families["revenue"].sum()
    return tables.show(
        families.merge(bands, on="family", how="left").assign(band=lambda rows: [_span(low, high) for low, high in zip(rows["lo80"], rows["hi80"], strict=True)]), top=12, by="revenue", total=["units", "revenue", "change", "gap"], source=say("plan {cycle}", cycle=scope.cycle),
        caption=say("{family}: {share:.0%} of the revenue planned", family=families["family"].iloc[0], share=families["revenue"].iloc[0] / whole) if whole else say("The plan by family"),
        subtitle=say("{first:month} to {last:month}; change over the months that last plan had, gap over those with a budget; the band holds the baseline of {at:month} in four cases of five",
                     at=at, **headline),
        columns={"family": "Family", "units": col("Units", "count", wide=True), "revenue": col("Revenue", "money"),
                 "band": col(say("Band {month:mon}", month=at), "written", wide=True),
                 "change": col("On last plan", "money", signed=True, wide=True), "gap": col("To budget", "money", signed=True)})


def _span(low: float, high: float) -> str:
    return words.MISSING if words.is_missing(low) else f"{words.number(low)}–{words.number(high)}"


def _money(by_month: pd.DataFrame, prices: pd.DataFrame, scope: Scope) -> Table | None:
    if by_month.empty:
        return None
    rests = "; ".join(message(f"plan.price.{row['basis']}", row).text for row in prices.to_dict("records"))
    what = [message("plan.family." + (row["kind"] if row["measure"] == "revenue" else "margin"), row) for row in by_month.to_dict("records")]
    return tables.show(
        by_month.assign(what=what), shut=True, source=say("plan {cycle}; price list, demand history, item master", cycle=scope.cycle),
        caption=say("Of the revenue planned {share:.1%} stays as margin; most in {best} ({most:.1%}), least in {worst} ({least:.1%})", share=by_month["share"].iloc[-1],
                    **value.extremes(by_month)) if by_month["total"].iloc[0] else say("Revenue and margin by family and month"),
        subtitle=say("Revenue and margin by family and month. {prices}.", prices=rests) if rests else say("Revenue and margin by family and month."),
        columns={"what": "Family", **{f"m{k + 1}": col(words.show(month, "mon"), "money", wide=True) for k, month in enumerate(scope.window)},
                 "total": col("Together", "money"), "share": col("Of revenue", "percent", digits=1)})


# --- what the past must not teach, and what is special ahead --------------------------------------------------------


def lessons(
    history: pd.DataFrame, plan: pd.DataFrame, *, odd: pd.DataFrame, counted: Mapping[str, float], effects: pd.DataFrame, surest: Mapping[Any, Any],
    brought: Mapping[str, float], adds: pd.DataFrame, feast: pd.DataFrame, by_month: pd.DataFrame, events: bool, scope: Scope,
) -> Block:
    """What was mended in the past, what events and holidays do, and what they add.

    odd       cleaning.told; counted: cleaning.counted of it
    effects   lifts.shown: measured effects; surest: lifts.surest
    brought   lifts.brought: what past events brought
    adds      lifts.adds: what events to come add; feast: calendar.holiday_adds; by_month: lifts.by_month of both
    events    whether a company hands over events
    """
    if history.empty:
        return block(missing("orders"))
    return block(_mended(counted), _odd(odd, scope), None if plan.empty else _lifted(surest, brought, adds, feast, events), _effects(effects, feast, scope),
                 _special(by_month, scope))


def _mended(counted: Mapping[str, float]) -> Sentence:
    n = counted["mended"]
    said = say("**No month of the last three years was mended for the forecast.**") if not n else say(
        "**In the last three years one month of a single item was mended for the forecast ({mended_amount:money})**: nothing explains it.", **counted) if n == 1 else say(
        "**In the last three years {mended:,.0f} months of single items were mended for the forecast ({mended_amount:money})**: nothing explains them.", **counted)
    if counted["shown"]:
        said += say("One more is out of line, shown, but left in ({shown_amount:money}), since a peak may come again.", **counted
                    ) if counted["shown"] == 1 else say(
            "{shown:,.0f} more are out of line, shown, but left in ({shown_amount:money}), since a peak may come again.", **counted)
    if counted["shifts"]:
        said += say("One item at one location moved to a lasting new level, {shift_amount:money+} a month; its earlier months count at the new one.", **counted) if counted["shifts"] == 1 else say(
            "{shifts:,.0f} series, each one item at one location, moved to a lasting new level, {shift_amount:money+} a month; their earlier months count at the new one.", **counted)
    return said


def _odd(odd: pd.DataFrame, scope: Scope) -> Table | None:
    if odd.empty:
        return None
    most = odd["amount"].abs().idxmax()
    return tables.show(
        odd.assign(name=scope.item(odd["item"]), place=scope.place(odd["location"]), done=told("plan.odd.", odd["what"])), shut=True, total_label=say("Found").text,
        caption=say("Furthest out of line: {name} in {month:month}, {amount:money+}", name=scope.at(odd.loc[most, "item"], odd.loc[most, "location"]),
                    month=odd.loc[most, "month"], amount=odd.loc[most, "amount"]),
        subtitle=say("Last three years; units above or below the usual of that month, or of a month at the new level. To take out what is left in, name it in `events`, with its effect"), source=say("demand history to {origin:month}", origin=scope.origin),
        top=8, by="amount", other=["units", "amount"],
        columns={"name": "Item", "place": col("Location", wide=True), "month": col("Month", "month"), "units": col("Units", "count", signed=True, wide=True),
                 "amount": col("Money", "money", signed=True), "done": "What was done"})


def _lifted(surest: Mapping[Any, Any], brought: Mapping[str, float], adds: pd.DataFrame, feast: pd.DataFrame, events: bool) -> Sentence:
    if not events and feast.empty:
        return missing("events")
    said = _sure(surest) if surest else say("No past event shows an effect that is sure, so the baseline holds what they brought.")
    if surest:
        said += say("All events brought {units:compact+} units ({amount:money+}) in the last 12 months, which the baseline leaves out.", units=rough(brought["units"]), amount=brought["amount"])
    said += say("Those to come add {units:compact+} units ({amount:money+}); months without a planned event hold none.", units=rough(adds["units"].sum()), amount=adds["amount"].sum()
                ) if len(adds) else say("No event to come is planned with an effect.")
    if len(feast):
        most = feast.loc[feast["units"].idxmax()]
        said += say("Lebaran adds {units:compact+} units, give or take {se:compact}, in {month:month}.", units=rough(most["units"]), se=rough(most["se_units"]), month=most["month"])
        around = feast[(feast["month"] - most["month"]).abs() <= pd.Timedelta(days=62)]
        if len(around) > 1:
            said += say("With the two months before and after it is {net:compact+}, since some of it is bought earlier or not bought later.", net=rough(around["units"].sum()))
    return said


def _sure(surest: Mapping[Any, Any]) -> Sentence:
    kind = message("plan.event." + surest["what"])
    if pd.isna(surest["stated"]):
        return say("**{kind}: past ones lifted their months by {effect:.0%}, give or take {se:.0%}.**", **surest, kind=kind)
    return say("**{kind}: past ones lifted their months by {effect:.0%}, give or take {se:.0%}**; {stated:.0%} was stated beforehand.", **surest, kind=kind)


def _effects(effects: pd.DataFrame, feast: pd.DataFrame, scope: Scope) -> Table | None:
    if effects.empty:
        return None
    moving = effects["what"].astype(str).str.startswith("holiday").any()
    found: Mapping[str, Any] = {"n": len(effects), "sure": int(effects["used"].isin(["yes", "kept"]).sum())}
    return tables.show(
        effects.assign(family=[term("family", family) for family in effects["family"]], what=told("plan.event.", effects["what"]).map(str), counts=told("plan.counts.", effects["used"])), top=16, shut=True,
        caption=say("Of the {n} effects measured, of events and of Lebaran, {sure} are sure enough to count", **found) if moving else say(
            "Of the {n} effects of events measured, {sure} are sure enough to count", **found),
        subtitle=say("Effect of a whole month of it; ± is one standard error (regression; two of them hold the truth 19 times in 20)"),
        source=say("demand history to {origin:month}; events; announced holidays", origin=scope.origin),
        columns={"what": "What", "family": "Family", "effect": col("Effect", "percent", signed=True), "se": col("±", "percent"),
                 "stated": col("Stated", "percent", wide=True), "months": col("Months seen", "count", wide=True), "counts": "Counts"})


def _special(by_month: pd.DataFrame, scope: Scope) -> Table | None:
    if by_month.empty:
        return None
    sums = ["events", "events_amount", "holiday", "holiday_amount"]
    both = by_month.assign(both=by_month[["events_amount", "holiday_amount"]].sum(axis=1))
    most = both.loc[both["both"].idxmax()]
    return tables.show(
        by_month, caption=say("Most special is {month:month}: events and Lebaran bring {both:money+} to it", month=most["month"], both=most["both"]) if by_month["holiday"].notna().any() else say(
            "Events bring most to {month:month}: {both:money+}", month=most["month"], both=most["both"]), source=say("plan {cycle}", cycle=scope.cycle),
        top=len(scope.window), other=sums, total=sums, shut=True,
        subtitle=say("Units and money of plan {cycle}; Lebaran stands in the baseline, events beside it; ± is one standard error", cycle=scope.cycle),
        columns={"month": col("Month", "month"), "events": col("Events", "count", signed=True), "events_se": col("±", "count", wide=True),
                 "events_amount": col("Money", "money", signed=True), "holiday": col("Lebaran", "count", signed=True), "holiday_se": col("± ", "count", wide=True),
                 "holiday_amount": col("Money ", "money", signed=True, wide=True)})
