"""What to order and what needs a decision, as it is read: orders and why, open orders, shipments, promises, exceptions, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sopnb import frames, supply, tables, words
from sopnb.blocks import Block, Heading, Scope, block, marked, missing, short_day, short_month
from sopnb.tables import Table
from sopnb.words import Sentence, message, say, terms

col = tables.col
SERIES = ["item", "location"]
SHOWN = 5  # rows of a list, of orders or exceptions: the others stand in the workbook
LOSING = ("short", "overload", "late")  # what is too little; the other kinds tie up money
OPEN = ("overdue", "reschedule_in", "reschedule_out", "cancel")


def sources(absent: Sequence[str], *, as_one: bool) -> Block:
    """Which sources of supply are there, and whether all locations are planned as one."""
    said = say("Not available: {tables}.", tables=terms("source", absent)) if absent else say("Every source of supply is there.")
    return block(said + say("Demand and stock share no location: supply is planned for **all locations as one**.") if as_one else said)


# --- what to order, and when? -----------------------------------------------------------------------------------------

def orders(netted: Any, items: pd.DataFrame, *, pegs: pd.DataFrame | None, messages: pd.DataFrame | None, findings: pd.DataFrame | None, places: Mapping[str, str], scope: Scope) -> Block:
    """What to release this month and why, and what to tell whoever placed the open orders.

    netted     netting.Requirements; None where no stock is counted
    pegs       PEGS;  messages: MESSAGES
    findings   SUPPLY_FINDINGS of everything that supply was given
    """
    faults = [] if findings is None else [message(rule, values) for rule, values in zip(findings["rule"], findings["values"], strict=True)]
    if netted is None:
        return block(missing("stock"), *faults)
    soon = netted.proposed[netted.proposed["release"] < frames.next_month(scope.as_of.replace(day=1))]
    made = soon["item"].map(items.set_index("item")["make_or_buy"]).eq("make")
    said = say("**{n:,d} orders are to be released in {month:month}: {make:money} to make and {buy:money} to buy.**", n=len(soon), month=scope.window[0], make=soon.loc[made, "amount"].sum(),
               buy=soon.loc[~made, "amount"].sum()) if len(soon) else say("**No order is to be released in {month:month}.**", month=scope.window[0])
    late = soon[soon["message"] != "order"]
    if len(late):
        said += say("{n:,d} of them, worth {amount:money}, should have gone out before {day:day}: hurry them, or tell the customers.", n=len(late), amount=late["amount"].sum(), day=scope.as_of)
    return block(said, _release(soon, made, pegs, places, scope), _open_said(messages), _open(messages, places, scope), *faults)


def _release(soon: pd.DataFrame, made: pd.Series, pegs: pd.DataFrame | None, places: Mapping[str, str], scope: Scope) -> Table | None:
    if soon.empty:
        return None
    rows = soon.assign(name=scope.item(soon["item"]), place=soon["location"].map(places).fillna(soon["location"]), kind=[message("supply.make" if own else "supply.buy") for own in made],
                       rule=[message("supply." + rule) for rule in soon["rule"]], day=_days(soon["release"], soon["message"]))
    shown = soon.reindex(soon["amount"].abs().sort_values(ascending=False, kind="stable").index).head(SHOWN)["order"]
    why = serves(pegs, shown, scope)
    return tables.show(
        rows.assign(why=rows["order"].map(why).fillna("")), caption=_largest(rows), top=SHOWN, by="amount", total=["amount"],
        subtitle=say("Each with the demand that most of it serves, and the rule that sized it"), source=say("stock, open orders and plan {cycle}; every order: tables/proposed.parquet", cycle=scope.cycle),
        columns={"name": "Item", "place": col("Location", wide=True), "kind": col("Make or buy", wide=True), "day": col("Release", wide=True), "quantity": col("Quantity", "count", unit="units"),
                 "why": col("Serves", wide=True), "rule": col("Sized by", wide=True), "amount": col("Amount", "money")})


def _days(days: pd.Series, messages: pd.Series) -> list[Sentence | str]:
    """Days for a narrow column; one that is past for what it serves carries its mark."""
    return [short_day(day) if word == "order" else marked("short", message("supply.day_late", {"day": short_day(day)})) for day, word in zip(days, messages, strict=True)]


def _largest(rows: pd.DataFrame) -> Sentence:
    """How much of the money the rows shown are."""
    first = rows["amount"].abs().sort_values(ascending=False, kind="stable").head(SHOWN).sum()
    if len(rows) <= SHOWN or not rows["amount"].abs().sum() > 0:
        return say("Orders to release now: {n:,d}, worth {amount:money}", n=len(rows), amount=rows["amount"].sum())
    return say("{n:,d} of {all:,d} orders are {share:.0%} of the money to release", n=SHOWN, all=len(rows), share=first / rows["amount"].abs().sum())


def serves(pegs: pd.DataFrame | None, orders: Sequence[str] | pd.Series, scope: Scope) -> dict[str, str]:
    """What most of each order is for, in words: customers of which month, an item made of it, or safety stock.

    pegs      PEGS;  orders: their numbers
    returns   order: words
    """
    if pegs is None:
        return {}
    out = {}
    mine = pegs[pegs["order"].isin(list(orders))]
    for order, rows in mine.groupby("order"):
        ends = rows.assign(own=rows["end_item"] == rows["item"]).groupby(["end", "own"])["quantity"].sum()
        end, own = ends.idxmax()
        best = rows[(rows["end"] == end) & ((rows["end_item"] == rows["item"]) == own)]
        names = best.groupby("end_item")["quantity"].sum().sort_values(ascending=False, kind="stable")
        word = {"customers": "customers" if own else "made", "safety": "safety" if own else "made_safety"}.get(str(end), "stock")
        first, last = best["month"].min(), best["month"].max()
        values = {"item": scope.names.get(names.index[0], names.index[0]), "n": len(names) - 1, "first": first, "last": last, "share": ends.max() / rows["quantity"].sum()}
        out[str(order)] = message(f"supply.serves.{word}" + (".more" if word.startswith("made") and len(names) > 1 else "") + ("" if first == last or word in ("stock", "safety") else ".span"), values).text
    return out


def _open_said(messages: pd.DataFrame | None) -> Sentence | None:
    if messages is None:
        return None
    told = messages[messages["kind"] == "open"].groupby("message")["amount"].agg(["size", "sum"]).reindex(list(OPEN), fill_value=0)
    if not told["size"].sum():
        return say("Every open order is due when it is needed.")
    parts = [message(f"supply.open.{word}" + (".one" if row["size"] == 1 else ""), {"n": int(row["size"]), "amount": float(row["sum"])}).text for word, row in told.iterrows() if row["size"]]
    return say("Open orders that need a word: {parts}.", parts="; ".join(parts))


def _open(messages: pd.DataFrame | None, places: Mapping[str, str], scope: Scope) -> Table | None:
    rows = None if messages is None else messages[messages["kind"] == "open"]
    if rows is None or rows.empty:
        return None
    do = [message("supply.do." + row["message"], {"needed": row["needed"], "due": row["due"]}) for row in rows.to_dict("records")]
    return tables.show(
        rows.assign(name=scope.item(rows["item"]), place=rows["location"].map(places).fillna(rows["location"]), do=do, day=[short_day(day) for day in rows["due"]]), top=8, by="amount", total=["amount"], shut=True,
        caption=say("What to tell whoever placed them: {n:,d} orders, worth {amount:money}", n=len(rows), amount=rows["amount"].sum()), source=say("open orders, stock and plan {cycle}; every order: tables/messages.parquet", cycle=scope.cycle),
        columns={"name": "Item", "order": col("Order", wide=True), "place": col("Location", wide=True), "day": col("Due", wide=True), "quantity": col("Quantity", "count", unit="units", wide=True),
                 "amount": col("At cost", "money"), "do": "Do"})


# --- shipments and promises -------------------------------------------------------------------------------------------

def moving(netted: Any, atp: pd.DataFrame | None, blind: pd.DataFrame | None, parts: pd.DataFrame | None, *, lanes: bool, bom: bool, items: pd.DataFrame, plan: pd.DataFrame,
           places: Mapping[str, str], scope: Scope) -> Block:
    """What moves between locations, what can still be promised, and what nobody counts.

    atp     ATP; None where stock or orders are absent
    blind   netting.uncounted; parts: bom.uncounted of the near months; lanes, bom: whether they are handed over
    """
    if netted is None:
        return block()
    return block(Heading(say("What moves between locations?")), *_shipments(netted.shipments, lanes, places, scope), Heading(say("What can still be promised?")), *_promised(atp, plan, places, scope),
                 *_uncounted(netted.proposed, blind, parts, bom, scope))


def _shipments(shipments: pd.DataFrame, lanes: bool, places: Mapping[str, str], scope: Scope) -> list[Sentence | Table | None]:
    if not lanes:
        return [missing("lanes")]
    now = shipments[shipments["release"] < frames.next_month(scope.window[0])]
    if now.empty:
        return [say("Nothing has to move between locations in {month:month}.", month=scope.window[0])]
    late = now[now["message"] != "order"]
    said = say("**{n:,d} shipments are to leave in {month:month}, goods worth {amount:money}.**", n=len(now), month=scope.window[0], amount=now["amount"].sum())
    if len(late):
        said += say("{n:,d} of them should have left before {day:day}.", n=len(late), day=scope.as_of)
    way = [say("{a} to {b}", a=places.get(a, a), b=places.get(b, b)).text for a, b in zip(now["source_location"], now["location"], strict=True)]
    return [said, tables.show(
        now.assign(name=scope.item(now["item"]), way=way, leaves=_days(now["release"], now["message"]), arrives=[short_day(day) for day in now["due"]]), top=8, by="amount", total=["amount"], shut=True,
        caption=_busiest(now.assign(way=way)), source=say("lanes, stock and plan {cycle}; every shipment: tables/shipments.parquet", cycle=scope.cycle),
        columns={"name": "Item", "way": "Route", "leaves": col("Departs", wide=True), "arrives": col("Arrives", wide=True), "quantity": col("Quantity", "count", unit="units", wide=True), "amount": col("At cost", "money")})]


def _busiest(now: pd.DataFrame) -> Sentence:
    """The way that most goes, by money."""
    by = now.groupby("way")["amount"].sum()
    return say("Shipment by shipment: most goes from {way}, {amount:money}", way=by.idxmax(), amount=by.max())


def _promised(atp: pd.DataFrame | None, plan: pd.DataFrame, places: Mapping[str, str], scope: Scope) -> list[Sentence | Table | None]:
    if atp is None or atp.empty:
        return [say("Not available: {tables}.", tables=terms("source", ["stock", "orders"]))]
    months = sorted(atp["month"].unique())
    wide = atp.pivot(index=SERIES, columns="month", values="cumulative").set_axis([f"m{k + 1}" for k in range(len(months))], axis=1).reset_index()
    last = wide[f"m{len(months)}"]
    asked = plan[plan["month"].isin(months)].groupby(SERIES)[["consensus", "revenue"]].sum()
    wide = wide.merge(asked, left_on=SERIES, right_index=True, how="left").fillna({"consensus": 0.0, "revenue": 0.0})
    booked = atp.groupby(SERIES)["booked"].sum()
    wide["booked"] = booked.reindex(pd.MultiIndex.from_frame(wide[SERIES])).to_numpy()
    wide["still"] = ((wide["consensus"] - wide["booked"]).clip(lower=0) - last.clip(lower=0)).clip(lower=0) * (wide["revenue"] / wide["consensus"].where(wide["consensus"] > 0)).fillna(0.0)
    none = last <= 0
    said = say("**Of stock and open orders to the end of {month:month}, {free:compact} units are promised to nobody yet.** {n:,d} of {all:,d} items and locations have nothing left to promise.",
               month=months[-1], free=last.clip(lower=0).sum(), n=int(none.sum()), all=len(wide))
    short = wide[wide["still"] > 0]
    if short.empty:
        return [said]
    said += say("Sales of {still:money} planned until then rest on orders still to be placed.", still=short["still"].sum())
    most = short.loc[short["still"].idxmax()]
    heads = {f"m{k + 1}": col(words.show(pd.Timestamp(month), "mon"), "count", wide=k + 1 < len(months)) for k, month in enumerate(months)}
    return [said, tables.show(
        short.assign(name=scope.item(short["item"]), place=short["location"].map(places).fillna(short["location"])), top=8, by="still", other=["still"], total=["still"], shut=True,
        caption=say("{item} rests most on orders still to be placed: {amount:money}", item=scope.at(most["item"], most["location"], places), amount=most["still"]),
        source=say("stock, open orders, customers' orders, plan {cycle}; every item: tables/atp.parquet", cycle=scope.cycle),
        subtitle=say("Units booked, planned to sell, and free to promise to the end of each month; sales planned beyond them, in money"),
        columns={"name": "Item", "place": col("Location", wide=True), "booked": col("Booked", "count", wide=True), "consensus": col("Planned", "count", wide=True), **heads, "still": col("Rests on new orders", "money")})]


def _uncounted(proposed: pd.DataFrame, blind: pd.DataFrame | None, parts: pd.DataFrame | None, bom: bool, scope: Scope) -> list[Sentence | Table | None]:
    out: list[Sentence | Table | None] = []
    if blind is not None and len(blind):
        out.append(say("**{n:,d} sold items have no stock count**; {amount:money} of the {all:money} of proposed orders to {last:month} assume an empty shelf. The largest: {names}. Count them before the orders go out.",
                       n=len(blind), amount=blind["amount"].sum(), all=proposed["amount"].sum(), last=scope.months[-1], names=", ".join(scope.item(blind["item"]).head(3))))
    if not bom:
        return [*out, missing("bom")]
    if parts is not None and len(parts):
        out.append(say("For {n:,d} components no stock is counted: they are needed as shown, what must be bought of them is not known.", n=len(parts)))
        out.append(tables.show(
            parts.assign(amount=parts["amount"].fillna(0), name=scope.item(parts["item"])), caption=say("Components needed soon without a stock count: {n:,d}", n=len(parts)), shut=True, top=6, by="amount", total=["amount"],
            source=say("bill of materials; planned orders of {cycle}", cycle=scope.cycle), columns={"name": "Component", "consensus": col("Needed", "count", unit="units"), "amount": col("At cost", "money")}))
    return out


# --- what needs a decision? -------------------------------------------------------------------------------------------

def decide(exceptions: pd.DataFrame | None, options: pd.DataFrame | None, *, top: int, later: pd.DataFrame, excess_months: float, places: Mapping[str, str], scope: Scope) -> Block:
    """What of the plan needs a decision, the largest by money, and the answers with what they cost.

    exceptions   EXCEPTIONS; None where no stock is counted;  options: OPTIONS
    later        supply.beyond
    """
    if exceptions is None or options is None:
        return block(missing("stock"))
    near = scope.window
    sums = supply.by_kind(exceptions).set_index("kind")["amount"].to_dict()
    told = [message("exceptions.sum_" + kind, {"amount": amount, "months": excess_months}).text for kind, amount in sums.items() if amount > 0]
    said = say("**Nothing needs a decision from {first:month} to {last:month}.**", first=near[0], last=near[-1]) if not told else say(
        "**From {first:month} to {last:month}: {first_told}**{others}.", first=near[0], last=near[-1], first_told=told[0], others="".join("; " + one for one in told[1:]))
    coming = [message(m, v) for m, v in zip(later["because"], later["values"], strict=True)]
    return block(said, *coming, _ranked(exceptions, top, places, scope), *_answers(exceptions, options, places, scope))


def _ranked(exceptions: pd.DataFrame, top: int, places: Mapping[str, str], scope: Scope) -> Table | None:
    if exceptions.empty:
        return None
    rows = supply.ranked(exceptions)
    rows = rows.assign(size=rows["amount"].abs(), since=[short_month(month) for month in rows["first"]], what=scope.item(rows["item"]).fillna(rows["resource"]), place=rows["location"].map(places).fillna(rows["location"]).fillna(""),
                       word=[kind_of(kind) for kind in rows["kind"]], why=[message(m, v) for m, v in zip(rows["because"], rows["values"], strict=True)])
    return tables.show(
        rows, top=min(top, SHOWN + 1), by="size", other=["size"],
        caption=say("{what} is the largest of {all:,d} exceptions: {amount:money}", what=rows["what"].iloc[0], all=len(rows), amount=rows["size"].iloc[0]) if len(rows) > 1 else say(
            "{what} is the one exception: {amount:money}", what=rows["what"].iloc[0], amount=rows["size"].iloc[0]),
        subtitle=say("Shortages and overloads count the sales behind them, stock and late orders what they cost; {first:month} to {last:month}", first=scope.window[0], last=scope.window[-1]),
        source=say("projection, load and open orders of {cycle}; every exception: tables/exceptions.parquet", cycle=scope.cycle),
        columns={"what": "What", "word": "Kind", "place": col("Location", wide=True), "since": col("From", wide=True), "why": col("Because", wide=True), "size": col("At stake", "money")})


def kind_of(kind: str) -> Sentence:
    """The kind of an exception with its mark: down is too little, up too much."""
    return marked("short" if kind in LOSING else "excess", message("supply.kind." + kind))


def _answers(exceptions: pd.DataFrame, options: pd.DataFrame, places: Mapping[str, str], scope: Scope) -> list[Sentence | Table | Heading]:
    if options.empty:
        return []
    taken = options[options["recommended"]]
    asked = exceptions[exceptions["group"].isin(options["exception"])]
    said = say("The recommended answers to {n:,d} questions, which are {count:,d} of the exceptions, keep or recover **{keeps:money}** of sales and cost {costs:money}, book value given up included.", n=len(taken), count=len(asked),
               keeps=taken["keeps"].sum(), costs=taken["costs"].sum())
    first = supply.ranked(asked).assign(count=lambda d: d.groupby("group")["id"].transform("size")).drop_duplicates("group")
    name = scope.item(first["item"]).fillna(first["resource"])
    where = first["location"].map(places).fillna(first["location"])
    several = first["count"] > 1
    more = [message("supply.and_more", {"what": what, "n": int(n) - 1}).text if n > 1 else what for what, n in zip(name, first["count"], strict=True)]
    about = pd.DataFrame({"exception": first["group"], "what": more, "place": where.where(~several).fillna(""), "kind": [kind_of(kind) for kind in first["kind"]]})
    best = [marked("on", message("supply.recommended")) if best else "" for best in options["recommended"]]
    rows = about.merge(options.assign(answer=[message(m, v) for m, v in zip(options["title"], options["values"], strict=True)], best=best), on="exception")
    columns: dict[str, str | tables.Col] = {"what": "What", "kind": col("Kind", wide=True), "place": col("Location", wide=True), "option": col("Option", wide=True), "answer": "Answer", "keeps": col("Keeps", "money", wide=True),
               "costs": col("Costs", "money", wide=True), "net": col("Net", "money", signed=True), "service": col("Service", "percent", wide=True), "best": col("Advice", wide=True)}
    source = say("exceptions of {cycle}; rates of the params file", cycle=scope.cycle)
    advice = rows[rows["recommended"]]
    return [Heading(say("What are the answers, and what do they cost?")), said, tables.show(
        advice, caption=say("Together the recommended answers are worth {net:money}, net of what they cost", net=advice["net"].sum()), source=source, total=["keeps", "costs", "net"] if len(advice) > 1 else None,
        subtitle=say("Sales that an answer keeps; net is the margin it saves less what is spent and given up"), columns={name: columns[name] for name in ("what", "kind", "place", "answer", "keeps", "costs", "net")}),
        tables.show(rows, shut=True, caption=_second(rows), source=source, columns=columns,
                    subtitle=say("Costs are what is spent or given up, and the margin of sales that stay unserved; net is the margin at stake, or what is recovered, less these costs"))]


def _second(rows: pd.DataFrame) -> Sentence:
    """By how much the advice beats the next best answer, where that is most."""
    gaps = rows.groupby("what", sort=False)["net"].apply(lambda net: net.nlargest(2).diff().abs().iloc[-1]).dropna()
    if gaps.empty:
        return say("Every answer that was weighed: {n:,d}", n=len(rows))
    return say("Every answer that was weighed: for {what} the advice is {more:money} better than the next", what=gaps.idxmax(), more=gaps.max())
