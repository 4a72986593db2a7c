"""How much stock, as it is read: the policy beside the ERP, where the plan leaves the stock, and what to do with too much of it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sopnb import charts, tables
from sopnb.blocks import Block, Scope, block, marked, missing
from sopnb.charts import Figure
from sopnb.tables import Table
from sopnb.words import Sentence, message, say

col = tables.col
SERIES = ["item", "location"]


# --- how much safety stock? -------------------------------------------------------------------------------------------

def policy(policy: pd.DataFrame, items: pd.DataFrame, *, by_class: pd.DataFrame, places: Mapping[str, str], scope: Scope) -> Block:
    """Safety stock as our errors ask for it beside the ERP's, in money and in the service both can be expected to give.

    policy     frames.POLICY
    items      item   unit_cost
    by_class   inventory.by_class
    """
    if policy.empty:
        return block(missing("plan"))
    at_cost = policy.assign(name=scope.item(policy["item"]), place=policy["location"].map(places).fillna(policy["location"]), cost=policy["item"].map(items.set_index("item")["unit_cost"]).astype("float64"))
    known = bool(at_cost["erp_safety_stock"].notna().any())
    return block(_needed(at_cost, by_class, known), _classes(by_class, scope) if known else None, _apart(at_cost, places, scope) if known else None)


def _needed(at_cost: pd.DataFrame, by_class: pd.DataFrame, known: bool) -> Sentence:
    ours = (at_cost["safety_stock"] * at_cost["cost"]).sum()
    if not known:
        return say("**Our forecast errors ask for {ours:money} of safety stock.** The ERP gives no figure to compare.", ours=ours)
    said = say("**Our forecast errors ask for {ours:money} of safety stock; the ERP holds {erp:money}.** It holds {more:money} too much on some items and {less:money} too little on others.",
               ours=ours, erp=(at_cost["erp_safety_stock"] * at_cost["cost"]).sum(), more=-at_cost["difference"].clip(upper=0).sum(), less=at_cost["difference"].clip(lower=0).sum())
    judged = by_class.dropna(subset=["erp_cycle_service", "service_target"])
    if judged.empty:
        return said
    short = judged[judged["erp_cycle_service"] < judged["service_target"] - 0.005]
    if short.empty:
        return said + say("On paper the ERP's figures reach the service asked for in every class, and so do ours.")
    worst = (short["service_target"] - short["erp_cycle_service"]).idxmax()
    return said + say("On paper the ERP's figures see class {name} through {erp:.0%} of its replenishments, where {target:.0%} is asked for; ours through {ours:.0%}.", name=short.at[worst, "service_class"],
                      erp=short.at[worst, "erp_cycle_service"], target=short.at[worst, "service_target"], ours=short.at[worst, "cycle_service"])


def _classes(by_class: pd.DataFrame, scope: Scope) -> Table | None:
    if by_class.empty:
        return None
    most = by_class.loc[by_class["difference"].abs().idxmax()]
    caption = say("Most is to be freed in class {name}: the ERP holds {amount:money} more than our errors ask for", name=most["service_class"], amount=-most["difference"]) if most["difference"] < 0 else say(
        "Most is lacking in class {name}: our errors ask for {amount:money} more than the ERP holds", name=most["service_class"], amount=most["difference"])
    return tables.show(
        by_class, caption=caption, total=["series", "erp_safety_stock", "safety_stock", "difference"],
        subtitle=say("Safety stock at standard cost, and the service that the formulas of the books expect of it; series are one item at one location"), source=say("forecast errors of the backtest; item master; plan {cycle}", cycle=scope.cycle),
        columns={"service_class": "Class", "series": col("Series", "count", wide=True), "erp_safety_stock": col("ERP", "money"), "safety_stock": col("Ours", "money"),
                 "difference": col("Difference", "money", signed=True, wide=True), "service_target": col("Target", "percent"), "erp_cycle_service": col("ERP gives", "percent", digits=1),
                 "cycle_service": col("Ours gives", "percent", digits=1, wide=True)})


def _apart(at_cost: pd.DataFrame, places: Mapping[str, str], scope: Scope) -> Table | None:
    told = at_cost.dropna(subset=["difference"])
    if told.empty:
        return None
    most = told.loc[told["difference"].abs().idxmax()]
    return tables.show(
        told, top=8, by="difference", other=["difference"], total=["difference"], shut=True,
        subtitle=say("Safety stock follows the errors of our own forecast over the lead time and the review period, and how much the lead time varies. Service is the share of replenishments that end without a shortage, "
                     "weighed by demand at cost"),
        caption=say("Item by item: {name} differs most from the ERP, by {amount:money+}", name=scope.at(most["item"], most["location"], places), amount=most["difference"]),
        source=say("forecast errors of the backtest; item master; plan {cycle}", cycle=scope.cycle),
        columns={"name": "Item", "place": col("Location", wide=True), "lead_months": col("Lead time", "number", 1, unit="months", wide=True),
                 "error_sd": col("Error", "count", unit="a month", wide=True), "erp_safety_stock": col("ERP", "count", unit="units", wide=True),
                 "safety_stock": col("Ours", "count", unit="units"), "erp_cycle_service": col("ERP gives", "percent", wide=True), "service_target": col("Target", "percent", wide=True),
                 "difference": col("Difference", "money", signed=True)})


# --- does it hold what it promises? ------------------------------------------------------------------------------------

def lasting(policy: pd.DataFrame, sure: pd.DataFrame, lasted: pd.DataFrame, items: pd.DataFrame, *, holding_rate: float) -> Block:
    """How often safety stock like ours would have lasted at past origins, and what stock that keeps the promise costs.

    policy   POLICY;  sure: the same by the shape of past errors (distribution empirical)
    lasted   inventory.lasted of the policy; empty: no past errors to judge by, nothing is said
    items    item   unit_cost
    holding_rate   of unit cost, a year
    """
    if lasted.empty:
        return block()
    cost = items.set_index("item")["unit_cost"].astype("float64")
    ours, safe = ((table["safety_stock"] * table["item"].map(cost)).groupby(table["service_class"]).sum() for table in (policy, sure))
    rows = lasted.assign(ours=lasted["service_class"].map(ours), safe=lasted["service_class"].map(safe), more=lasted["service_class"].map(safe - ours))
    broken = rows[rows["lasted"] < rows["service_target"] - 2 * rows["by_chance"]]
    if broken.empty:
        return block(say("Held in the past, this safety stock would have lasted as often as is asked for."))
    worst = broken.loc[(broken["service_target"] - broken["lasted"]).idxmax()]
    more = rows["more"].sum()
    said = say("**Held in the past, this stock would have run out more often than promised: in class {name} it would have lasted {lasted:.0f} times in 100, where {target:.0f} are asked for.** Misses come in runs, and the formulas of the "
               "books do not reckon with that.", lasted=100 * worst["lasted"], name=worst["service_class"], target=100 * worst["service_target"])
    if policy["distribution"].eq("empirical").all() or more <= 0:
        return block(said + say("It follows the shape of past errors already; better forecasts or shorter lead times are what is left."), _kept(rows, []))
    said += say("Stock that keeps the promise is worth {safe:money}, {more:money} more, and costs {year:money} a year to hold. If service is worth that, set `distribution: empirical` under `supply` in the params file.",
                safe=rows["safe"].sum(), more=more, year=more * holding_rate)
    return block(said, _kept(rows, ["safe", "more"]))


def _kept(rows: pd.DataFrame, more: list[str]) -> Table:
    worst = rows.loc[(rows["service_target"] - rows["lasted"]).idxmax()]
    columns: dict[str, str | tables.Col] = {"service_class": "Class", "cases": col("Cases", "count", wide=True), "service_target": col("Asked for", "percent"), "lasted": col("Would have lasted", "percent", digits=1), "ours": col("Ours", "money", wide=True),
               "safe": col("To keep it", "money", wide=True), "more": col("More", "money", signed=True)}
    return tables.show(
        rows, shut=True, caption=say("Class by class: to keep the promise everywhere takes {more:money} more", more=rows["more"].sum()) if more else say(
            "Class by class: {name} is furthest below what is asked for, by {gap:.0f} times in 100", name=worst["service_class"], gap=100 * (worst["service_target"] - worst["lasted"])),
        subtitle=say("Cases are a series at a past origin; it lasts where demand until the next delivery was no more than forecast and safety stock; money at standard cost"),
        source=say("forecast errors of the backtest"), total=["cases", "ours", *more], columns={name: how for name, how in columns.items() if name in (*more, "service_class", "cases", "service_target", "lasted", "ours")})


# --- sold for one season ----------------------------------------------------------------------------------------------

def seasons(table: pd.DataFrame | None, *, places: Mapping[str, str], scope: Scope) -> Block:
    """The one order for each item that is sold for one season only; nothing where there is none.

    table   seasons.one_season; None: no bands of the forecast
    """
    if table is None or table.empty:
        return block()
    sized = table.dropna(subset=["profit"])
    n = table["item"].nunique()
    said = say("**{n:,d} items are sold for one season only**, so there is one order and no second chance.", n=n) if n > 1 else say("**One item is sold for one season only**, so there is one order and no second chance.")
    if len(sized):
        said += say("Ordered as below, they should bring {profit:money}; goods worth {left:money} at cost should be left over.", profit=sized["profit"].sum(), left=(sized["leftover"] * sized["unit_cost"]).sum())
    why = [message("stock.season." + (because or "ordered"), {"ratio": ratio}) for because, ratio in zip(table["because"], table["ratio"], strict=True)]
    rows = table.assign(name=scope.item(table["item"]), place=table["location"].map(places).fillna(table["location"]), why=why, when=[
        say("{first:mon} to {last:mon}", first=first, last=last).text for first, last in zip(table["first"], table["last"], strict=True)], size=table["profit"].fillna(0.0))
    return block(said, tables.show(
        rows, top=8, by="size", other=["profit"], total=["profit"], caption=_once(rows), source=say("plan {cycle} and its bands; item master; rates of the params file", cycle=scope.cycle),
        subtitle=say("Units; the chance that all is sold out is weighed by what a unit too few loses in margin and a unit too many below its cost"),
        columns={"name": "Item", "place": col("Location", wide=True), "when": col("Sold", wide=True), "demand": col("Expected", "count", wide=True), "sd": col("Usual miss", "count", wide=True),
                 "quantity": col("Order", "count", unit="units"), "leftover": col("Left over", "count", wide=True), "shortage": col("Missed", "count", wide=True), "profit": col("Brings", "money"), "why": col("Why", wide=True)}))


def _once(rows: pd.DataFrame) -> Sentence:
    """The one order that brings most."""
    best = rows.loc[rows["size"].idxmax()]
    return say("{item} brings most: {profit:money} from one order of {quantity:,.0f} units", item=best["name"], profit=best["size"], quantity=best["quantity"]) if best["size"] > 0 else say(
        "None of the one orders brings money")


# --- where does that leave the stock? ---------------------------------------------------------------------------------

def path(path: pd.DataFrame | None, *, parts: pd.DataFrame | None = None, banded: pd.DataFrame | None = None, safety: float = 0.0, places: Mapping[str, str], scope: Scope, expedite: bool = False) -> Block:
    """The stock in money month by month, its cover, and the items that matter with their bands.

    path     netting.at_cost; None: no stock is counted
    parts    netting.at_cost of what is not sold; None or empty: all of it is
    banded   stock_bands.bands of the items to show
    safety   safety stock of the policy at cost
    expedite whether late orders are shown as if they could be hurried
    """
    if path is None or path.empty:
        return block(missing("stock"))
    near = path.iloc[min(len(scope.window), len(path)) - 1]
    low = path.loc[path["closing"].idxmin()]
    said = say("**Stock of {now:money} today becomes {soon:money} at the end of {soon_month:month} and {end:money} at the end of {last:month}**, enough for {cover:.1f} months of demand. {safety:money} is to be held as safety stock.",
               now=path["opening"].iloc[0], soon=near["closing"], soon_month=near["month"], end=path["closing"].iloc[-1], last=path["month"].iloc[-1], cover=path["cover"].iloc[-1], safety=safety)
    if low["closing"] < 0.97 * path["closing"].iloc[-1]:
        said += say("It is lowest in {month:month}, at {low:money}: {cover:.1f} months of demand.", month=low["month"], low=low["closing"], cover=low["cover"])
    if parts is not None and len(parts) and parts["opening"].iloc[0] > 0:
        said += _of_parts(parts, near["month"])
    owed = path.loc[path["owed"].idxmax()]
    if owed["owed"] > 0.5:
        said += say("Most is owed in {month:month}, to customers, to production and to other places: goods worth {owed:money} at cost.", month=owed["month"], owed=owed["owed"])
    if expedite:
        said += say("Late orders are shown as if every one of them could be hurried.")
    return block(said, _value(path, scope), _cover(path, scope), _items(banded, places, scope))


def _of_parts(parts: pd.DataFrame, month: pd.Timestamp) -> Sentence:
    """What of the fall is materials: the policy knows no errors of what production asks for, so no safety stock of it is planned."""
    now, soon = parts["opening"].iloc[0], parts.loc[parts["month"] == month, "closing"].sum()
    if soon < 0.01 * now:
        return say("Of today's stock {now:money} is materials and parts, used up by the end of {month:month}: they are ordered for what is to be made, and no safety stock of them is planned.", now=now, month=month)
    return say("Of today's stock {now:money} is materials and parts, and {soon:money} at the end of {month:month}: they are ordered for what is to be made, and no safety stock of them is planned.", now=now, soon=soon, month=month)


def _value(path: pd.DataFrame, scope: Scope) -> Figure:
    now, end = path["opening"].iloc[0], path["closing"].iloc[-1]
    title = say("Stock falls from {now:money} to {end:money}", now=now, end=end) if end < now else say("Stock rises from {now:money} to {end:money}", now=now, end=end)
    safety = path["safety_stock"].iloc[-1]
    if safety > 0:
        values = {"stock": title.text, "off": abs(end / safety - 1), "times": end / safety}
        title = (say("{stock}, as much as the safety stock", **values) if values["off"] < 0.005 else say("{stock}, {off:.0%} below the safety stock", **values) if end < safety else
                 say("{stock}, {times:.1f} times the safety stock", **values) if end >= 2 * safety else say("{stock}, {off:.0%} above the safety stock", **values))
    return charts.projected_stock(  # without what arrives: parts and what is made of them would stand there twice
        path[["month", "closing", "safety_stock"]], name="stock-value", unit="money", title=title,
        subtitle=say("Stock at month end at standard cost, all items and locations"), source=say("stock, open and planned orders, plan {cycle}", cycle=scope.cycle))


def _cover(path: pd.DataFrame, scope: Scope) -> Table:
    near = path[path["month"].isin(scope.window)]
    least = near.loc[near["cover"].idxmin()] if near["cover"].notna().any() else near.iloc[-1]
    return tables.show(
        near, shut=True, caption=say("Month by month: stock covers least at the end of {month:month}, {cover:.1f} months of demand", month=least["month"], cover=least["cover"]), source=say("stock, open and planned orders, plan {cycle}", cycle=scope.cycle),
        subtitle=say("Money at standard cost; cover is months of customers' demand in all stock; what is used includes what production takes"),
        columns={"month": col("Month", "month"), "opening": col("Opens", "money", wide=True), "receipts": col("Open orders", "money", wide=True), "proposed": col("Planned orders", "money", wide=True),
                 "demand": col("Used", "money", wide=True), "closing": col("Closes", "money"), "safety_stock": col("To hold", "money", wide=True), "cover": col("Cover", "number", 1, unit="months")})


def _items(banded: pd.DataFrame | None, places: Mapping[str, str], scope: Scope) -> Figure | None:
    if banded is None or banded.empty:
        return None
    named = banded.assign(panel=banded["item"] + " · " + banded["location"])
    return charts.stock_panels(
        named.assign(place=named["location"].map(places).fillna(named["location"].replace({"all": ""}))), name="stock-items", names=dict(zip(named["panel"], scope.item(named["item"]), strict=True)),
        title=_lowest(named, scope), subtitle=say("Units at month end, the lowest named; the band holds four cases of five if nothing is planned again; dashed: safety stock"),
        source=say("stock, open and planned orders, bands of the forecast, plan {cycle}; every item: tables/projection.parquet", cycle=scope.cycle))


def _lowest(named: pd.DataFrame, scope: Scope) -> Sentence:
    """Which of the items shown runs out, or falls below what is to be held."""
    n, below, owing = (rows["panel"].nunique() for rows in (named, named[named["closing"] < named["safety_stock"]], named[named["closing"] < 0]))
    worst = named.loc[named["closing"].idxmin()]
    values = {"item": scope.item(pd.Series([worst["item"]])).iloc[0], "month": worst["month"], "n": n, "below": below, "owing": owing}
    if owing > 1:
        return say("{owing:,d} of the {n:,d} that matter most run out, {item} furthest, in {month:month}", **values)
    if owing:
        return say("{item} runs out in {month:month}, one of the {n:,d} that matter most", **values)
    return say("Below safety stock at some month end: {below:,d} of the {n:,d} that matter most; none runs out", **values)


# --- too much of it ---------------------------------------------------------------------------------------------------

def too_much(exceptions: pd.DataFrame, options: pd.DataFrame, projection: pd.DataFrame, *, places: Mapping[str, str], scope: Scope) -> Table | None:
    """Excess and obsolete stock, item by item, with the action that costs least.

    exceptions   EXCEPTIONS;  options: OPTIONS;  projection: PROJECTION, for the demand still to come
    """
    rows = exceptions[exceptions["kind"].isin(["excess", "obsolete"])]
    if rows.empty:
        return None
    best = options[options["recommended"]].set_index("exception")["title"].str.removeprefix("options.")
    demand = projection[projection["month"].isin(scope.window)].groupby(SERIES)["demand"].sum()
    done = rows["group"].map(best).fillna("none")
    told = rows.assign(name=scope.item(rows["item"]), place=rows["location"].map(places).fillna(rows["location"]), asked=demand.reindex(pd.MultiIndex.from_frame(rows[SERIES])).to_numpy(),
                       why=[marked("excess", message("supply.kind." + kind)) for kind in rows["kind"]], action=[message("stock.action." + word) for word in done])
    whole = rows.groupby("kind")["amount"].sum()
    return tables.show(
        told, top=8, by="amount", other=["amount"], total=["amount"], source=say("stock, plan {cycle}; rates of the params file", cycle=scope.cycle),
        shut=True, caption=say("Item by item: {excess:money} of stock is more than needed soon, {dead:money} nothing asks for", excess=whole.get("excess", 0.0), dead=whole.get("obsolete", 0.0)),
        subtitle=say("Units above the limit, at standard cost; demand from {first:month} to {last:month}; the action that costs least", first=scope.window[0], last=scope.window[-1]),
        columns={"name": "Item", "place": col("Location", wide=True), "why": col("Kind", wide=True), "units": col("Too many", "count", unit="units", wide=True),
                 "asked": col("Asked for", "count", unit="units", wide=True), "amount": col("At cost", "money"), "action": "Action"})
