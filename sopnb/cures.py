"""What an overload costs to cure: each cure alone, and the cheapest mix of them, hour by hour and never more than there is.

    overtime       in the month itself, as far as it goes, at its rate
    pull_forward   made in an earlier month with hours to spare, and kept till then
    shift          customers take it in a later month with hours to spare, for a discount
    subcontract    somebody else's hours, at a premium on the cost of the goods
    ration         not made: the margin is lost

Hours to spare are used once, by whoever needs them most. A resource is one queue of hours; which goods are moved is `pulled`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from sopnb import frames

CURES = ("overtime", "pull_forward", "shift", "subcontract", "ration")
NONE = 1e-6  # hours below which nothing is overloaded
ARC = ["resource", "month", "cure", "when", "hours", "cost"]


def cures(load, *, holding_rate=0.20, subcontract_premium=0.15, shift_discount=0.05, shift_months=2, subcontract_hours=None):
    """The cures of every overload, each alone and in the cheapest mix.

    load      resource × month   LOAD
    holding_rate         of the cost of the goods, a year
    subcontract_premium  of the cost of the goods
    shift_discount       of the price, for customers who take the goods later; shift_months: how much later at most
    subcontract_hours    hours a month that others can take over, of each resource; None: no limit
    returns   CURES: resource × month × way × cure   hours (covered), left (hours it leaves undone), cost (money spent), lost (margin of
              what is left undone), first and last month in which the hours are worked

    way   alone: this cure and no other, what it cannot cover is lost; spare hours are shared out among the months that want them
          mix: the cheapest of all together; its rows add up to the overload, `ration` being what is lost
    Cheapest is the least Σ cost + lost over all months of a resource: a linear programme (a transport from hours to overloads).
    In the mix an hour whose cure costs more than its margin is left undone; goods sold below their cost are worth no cure.

    source    Vollmann, Berry, Whybark and Jacobs, rough-cut capacity and its remedies; Hillier and Lieberman, transportation problem
    """
    parts = []
    rates = {"holding_rate": holding_rate, "subcontract_premium": subcontract_premium, "shift_discount": shift_discount, "shift_months": shift_months}
    _possible(**rates, subcontract_hours=subcontract_hours)
    arcs = _arcs(load, **rates)
    if arcs.empty:
        return frames.empty(frames.CURES)
    for cure in CURES[:-1]:
        parts.append(_alone(arcs[arcs["cure"].isin([cure, "ration"])], cure, subcontract_hours))
    mixed = _solved(arcs, subcontract_hours)
    rows = mixed.groupby(["resource", "month", "cure"], as_index=False).agg(hours=("hours", "sum"), cost=("cost", "sum"), first=("when", "min"), last=("when", "max"))
    undone = rows["cure"] == "ration"
    parts.append(rows.assign(way="mix", left=0.0, lost=rows["cost"].where(undone, 0.0), cost=rows["cost"].mask(undone, 0.0)))
    out = pd.concat(parts, ignore_index=True)
    return frames.conform(out[frames.CURES.names], frames.CURES)


def moves(load, *, subcontract_hours=None, **rates):
    """The hours that the cheapest mix makes earlier: from which month to which.

    load      resource × month   LOAD
    rates     as in `cures`
    returns   resource × month × when   hours (those of month that are worked in the earlier month `when`)
    """
    arcs = _arcs(load, **{"holding_rate": 0.20, "subcontract_premium": 0.15, "shift_discount": 0.05, "shift_months": 2, **rates})
    earlier = arcs.assign(hours=0.0) if arcs.empty else _solved(arcs, subcontract_hours)
    return earlier.loc[earlier["cure"] == "pull_forward", ["resource", "month", "when", "hours"]].reset_index(drop=True)


def pulled(proposed, moves, routings, *, load, as_of, bom=None):
    """Planned orders with the hours of `moves` brought forward: as many units of each as the spare hours of all its resources allow.

    proposed  order              item, location, release, due, quantity, amount, …
    moves     resource × month × when   hours
    routings  item × resource    hours_per_unit
    load      resource × month   LOAD: hours to spare
    bom       item × component   quantity, scrap: planned orders of parts move with what is made of them, through all levels; None: none do
    as_of     today: an order that should have been released before it says so in its message
    returns   PROPOSED: part of an order, or all of it, is due in the earlier month under a number of its own (the order's, then the
              month); the quantity of every item stays what it was. The largest orders are moved first, whole units at a time.

    What they ask of parts is asked earlier too: `pulled_demand`.
    """
    spare = ((load["available"] - load["hours"]).clip(lower=0.0)).fillna(0.0).set_axis(pd.MultiIndex.from_frame(load[["resource", "month"]])).to_dict()
    hours = routings[routings["hours_per_unit"] > 0].groupby(["item", "resource"])["hours_per_unit"].sum()
    uses = {item: own.droplevel("item").to_dict() for item, own in hours.groupby(level="item")}
    left, taken = proposed["quantity"].to_dict(), []
    month = proposed["due"].dt.to_period("M").dt.to_timestamp()
    for move in moves.sort_values(["month", "when", "resource"], ascending=[True, False, True], kind="stable").itertuples(index=False):
        wanted = move.hours
        ours = proposed[(month == move.month) & proposed["item"].map(lambda item, r=move.resource: r in uses.get(item, {}))]
        for row in ours.assign(size=ours["quantity"]).sort_values(["size", "order"], ascending=[False, True], kind="stable").index:
            a_unit = uses[proposed.at[row, "item"]]
            fits = min(spare.get((r, move.when), np.inf) / h for r, h in a_unit.items())
            units = np.floor(min(left[row], wanted / a_unit[move.resource], fits) + 1e-9)
            if units < 1:
                continue
            left[row] -= units
            wanted -= units * a_unit[move.resource]
            for r, h in a_unit.items():
                spare[r, move.when] = spare.get((r, move.when), np.inf) - units * h
            taken.append((row, move.when, units))
    out, moved = _moved(proposed, pd.DataFrame(taken, columns=["row", "when", "units"]), pd.Timestamp(as_of))
    while bom is not None and len(moved):
        out, moved = _moved(out, _asked_of(out, moved, bom), pd.Timestamp(as_of))
    return out


def pulled_demand(demand, before, after, bom, as_of):
    """What is asked for once planned orders are made earlier: their parts are needed earlier by as many units.

    demand         item × location × month   consensus (units)
    before, after  order                     item, location, release, quantity: planned orders, and what `pulled` made of them
    bom            item × component          quantity, scrap; None: demand as it is
    as_of          today: what should have been released before counts in its month
    returns        demand, of parts in the month in which the order is released now instead of the one in which it was
    """
    if bom is None or bom.empty:
        return demand
    both = pd.concat([after.assign(sign=1.0), before.assign(sign=-1.0)])
    both = both.assign(month=_month(both["release"], as_of), units=both["quantity"] * both["sign"])
    shift = both.merge(_per(bom), on="item")
    shift = shift.assign(item=shift["component"], consensus=shift["units"] * shift["per"]).groupby(["item", "location", "month"], as_index=False)["consensus"].sum()
    known = pd.MultiIndex.from_frame(demand[["item", "location"]].drop_duplicates())
    shift = shift[(shift["consensus"].abs() > NONE) & pd.MultiIndex.from_frame(shift[["item", "location"]]).isin(known)]
    out = pd.concat([demand, shift], ignore_index=True).groupby(["item", "location", "month"], as_index=False)["consensus"].sum()
    return out.assign(consensus=out["consensus"].clip(lower=0.0))


# --- the programme ----------------------------------------------------------------------------------------------------

def _possible(**rates):
    """A cure that pays for itself would be taken without need."""
    wrong = [f"{name} is {value}" for name, value in rates.items() if value is not None and not 0 <= value < np.inf]
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}. Give numbers of zero or more.")


def _arcs(load, *, holding_rate, subcontract_premium, shift_discount, shift_months):
    """Every way in which an hour of an overload can be cured: resource, month, cure, when it is worked, room there, money an hour."""
    known = load[load["overload"].fillna(0.0) > NONE]
    a_hour = {name: (known[name] / known["hours"]).fillna(0.0) for name in ("revenue", "margin", "goods")}
    need = known[["resource", "month"]].assign(need=known["overload"], overtime=known["overtime"], overtime_rate=known["overtime_rate"], **a_hour)
    free = load[["resource", "month"]].assign(room=(load["available"] - load["hours"]).clip(lower=0.0).fillna(0.0)).rename(columns={"month": "when"})
    pairs = need.merge(free[free["room"] > NONE], on="resource")
    apart = (pairs["month"].dt.year - pairs["when"].dt.year) * 12 + pairs["month"].dt.month - pairs["when"].dt.month
    earlier, later = pairs[apart > 0], pairs[(apart < 0) & (apart >= -shift_months)]
    here = need.assign(when=need["month"], room=np.inf)
    parts = [
        here.assign(cure="overtime", room=here["overtime"].fillna(0.0), price=here["overtime_rate"].fillna(0.0)),
        earlier.assign(cure="pull_forward", price=earlier["goods"] * holding_rate / 12 * apart[earlier.index]),
        later.assign(cure="shift", price=later["revenue"] * shift_discount),
        here.assign(cure="subcontract", price=here["goods"] * subcontract_premium),
        here.assign(cure="ration", price=here["margin"].clip(lower=0.0))]
    out = pd.concat(parts, ignore_index=True)[["resource", "month", "cure", "when", "need", "room", "price"]]
    return out[out["room"] > NONE].sort_values(["resource", "month", "cure", "when"], kind="stable").reset_index(drop=True)


def _solved(arcs, subcontract_hours):
    """The cheapest hours of every arc."""
    room = arcs["room"].mask(arcs["cure"] == "subcontract", np.inf if subcontract_hours is None else float(subcontract_hours)).to_numpy()
    wants = arcs.groupby(["resource", "month"], sort=False).ngroup().to_numpy()
    need = arcs.drop_duplicates(["resource", "month"])["need"].to_numpy()
    place = arcs["cure"].isin(["pull_forward", "shift"])  # both use the same spare hours
    shared = arcs[place].groupby(["resource", "when"], sort=False).ngroup().to_numpy()
    rows, columns = np.flatnonzero(place), np.arange(len(arcs))
    most = arcs[place].drop_duplicates(["resource", "when"])["room"].to_numpy()
    limit = sparse.csr_matrix((np.ones(len(rows)), (shared, rows)), shape=(len(most), len(arcs))) if len(rows) else None
    done = linprog(arcs["price"].to_numpy(), A_ub=limit, b_ub=most if limit is not None else None,
                   A_eq=sparse.csr_matrix((np.ones(len(arcs)), (wants, columns)), shape=(len(need), len(arcs))), b_eq=need,
                   bounds=np.column_stack([np.zeros(len(arcs)), np.where(place, np.inf, room)]), method="highs")
    out = arcs.assign(hours=done.x)
    out = out[out["hours"] > NONE]
    return out.assign(cost=out["hours"] * out["price"])[ARC]


def _alone(arcs, cure, subcontract_hours):
    """One cure without the others, as far as it goes; where it cannot serve all, what is worth most comes first."""
    dear = arcs["price"].max() + 1.0  # as far as it goes, whether it pays or not: leaving an hour undone is dearer than any cure here
    undoing = arcs["cure"] == "ration"
    used = _solved(arcs.assign(price=arcs["price"] + dear * undoing), subcontract_hours)
    used["cost"] -= used["hours"] * dear * (used["cure"] == "ration")
    told = arcs[["resource", "month", "need"]].drop_duplicates(["resource", "month"])
    mine = used[used["cure"] == cure].groupby(["resource", "month"], as_index=False).agg(hours=("hours", "sum"), cost=("cost", "sum"), first=("when", "min"), last=("when", "max"))
    undone = used[used["cure"] == "ration"].groupby(["resource", "month"], as_index=False).agg(left=("hours", "sum"), lost=("cost", "sum"))
    out = told.merge(mine, on=["resource", "month"], how="left").merge(undone, on=["resource", "month"], how="left")
    amounts = ["hours", "cost", "left", "lost"]
    return out.assign(cure=cure, way="alone", **{name: out[name].fillna(0.0) for name in amounts})


def _per(bom):
    """item × component: units of the component in one of the item."""
    return bom.assign(per=bom["quantity"] / (1 - bom["scrap"].fillna(0.0)))[["item", "component", "per"]]


def _month(days, as_of):
    """The month of a day, none before today's."""
    return days.clip(lower=pd.Timestamp(as_of)).dt.to_period("M").dt.to_timestamp()


def _asked_of(orders, moved, bom):
    """Which planned orders of parts move with what is made of them: row, when, units."""
    wants = moved.merge(_per(bom), on="item")
    wants = wants.assign(units=wants["units"] * wants["per"]).groupby(["component", "location", "month", "when"], as_index=False)["units"].sum()
    due, taken = orders["due"].dt.to_period("M").dt.to_timestamp(), []
    left = orders["quantity"].to_dict()
    for want in wants[wants["month"] > wants["when"]].itertuples(index=False):
        still = want.units
        for row in orders.index[(orders["item"] == want.component) & (orders["location"] == want.location) & (due == want.month)]:
            units = min(still, left[row])
            if units > NONE:
                taken.append((row, want.when, units))
                left[row] -= units
                still -= units
    return pd.DataFrame(taken, columns=["row", "when", "units"])


def _moved(orders, taken, as_of):
    """Orders after the move, what stays and what is due earlier; and what the move asks of parts: item, location, month, when, units."""
    if taken.empty:
        return orders, pd.DataFrame(columns=["item", "location", "month", "when", "units"])
    parts = taken.groupby(["row", "when"], as_index=False)["units"].sum()
    gone = parts.groupby("row")["units"].sum().reindex(orders.index).fillna(0.0)
    stays = orders.assign(quantity=orders["quantity"] - gone, amount=orders["amount"] * (1 - gone / orders["quantity"].where(orders["quantity"] > 0)))
    was = orders.loc[parts["row"]].reset_index(drop=True)
    early, when = was.copy(), parts["when"]
    back = was["due"].dt.to_period("M").dt.to_timestamp() - when
    early["amount"], early["quantity"] = was["amount"] * parts["units"] / was["quantity"], parts["units"]
    early["order"] = was["order"] + "-" + when.dt.strftime("%Y%m")
    early["due"], early["release"] = was["due"] - back, was["release"] - back
    early["message"] = np.where(early["release"] >= as_of, "order", np.where(early["due"] > as_of, "expedite", "past_due"))
    out = pd.concat([stays[stays["quantity"] > NONE], early], ignore_index=True)
    again = out.groupby("order").cumcount()
    out["order"] = out["order"].where(again == 0, out["order"] + "-" + (again + 1).astype(str))
    moved = pd.DataFrame({"item": was["item"], "location": was["location"], "month": _month(was["release"], as_of), "when": _month(early["release"], as_of), "units": parts["units"]})
    return out.sort_values("order", kind="stable").reset_index(drop=True)[orders.columns.tolist()], moved
