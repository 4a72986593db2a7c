"""What the company can really deliver: what sales can sell, what plants can make and what stock can serve, month by month.

    missing = short(plan, projection=…, within=…)           what of each item comes late or never, and why
    by_family = join(plan, missing, …)                      the plan that is left, with the gap by cause
    by_month = limits(by_family, hiring, …)                 the three limits beside each other, and which binds
    binding(by_family)                                      which binds first, for step 03 and the front page alike

Each month's demand counts in its own month: what comes later is not delivered then, and stands as late.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sopnb import frames

SERIES = ["item", "location"]
ROW = ["item", "month"]
CAUSES = ("stock", "hours", "sales")
TINY = 1e-6  # of the plan, below which a limit does not bind


# --- what stock and hours cannot serve --------------------------------------------------------------------------------

def short(plan, *, projection=None, within=None, bom=None, proposed=None):
    """What of each item comes late or never: for want of stock, of components, of hours.

    plan        item × location × month   consensus (units), revenue, margin (money)
    projection  PROJECTION; None: stock does not limit
    within      constrained.Constrained; None: hours do not limit
    bom, proposed   what is made of what, and what is to be made: for components that come late; None: none does
    returns     as `unserved`
    """
    waiting = waiting_for_parts(projection, bom, proposed)
    return unserved(plan, projection=projection, waiting=waiting, unserved=None if within is None else within.unserved, constrained=None if within is None else within.items)


def unserved(plan, *, projection=None, unserved=None, constrained=None, waiting=None):
    """What of each item's demand is not served in its month: for want of stock, and for want of hours.

    plan         item × location × month   consensus (units), revenue, margin (money)
    projection   item × location × month   closing (units): below zero is owed
    unserved     UNSERVED     late, lost (units): what the hours cannot serve; None: hours do not limit
    constrained  CONSTRAINED  late (units owed at month end)
    waiting      item × month   units (of `waiting_for_parts`) that wait for a component; each place waits by its share of demand
    returns      item × month   demand (units), price, margin (money a unit), stock (units of the month's demand not there in time),
                 late, lost (units, of hours), owed_stock, owed_hours (units owed at month end)

    Goods short for both reasons are missing once: the larger counts, see `join`.
    """
    out = plan.groupby(ROW, as_index=False)[["consensus", "revenue", "margin"]].sum().rename(columns={"consensus": "demand"})
    units = out["demand"].where(out["demand"] > 0)
    out["price"], out["margin"] = (out["revenue"] / units).fillna(0.0), (out["margin"] / units).fillna(0.0)
    out = out.merge(_owed(plan, projection, waiting), on=ROW, how="left")
    if unserved is not None:
        out = out.merge(unserved[[*ROW, "late", "lost"]], on=ROW, how="left")
    if constrained is not None:
        out = out.merge(constrained[[*ROW, "late"]].rename(columns={"late": "owed_hours"}), on=ROW, how="left")
    wanted = ["stock", "late", "lost", "owed_stock", "owed_hours"]
    return out.reindex(columns=[*ROW, "demand", "price", "margin", *wanted]).fillna(dict.fromkeys(wanted, 0.0))


def _owed(plan, projection, waiting):
    """item × month: what customers are owed at month end, and how much of it is the month's own demand."""
    if projection is None:
        return pd.DataFrame({"item": pd.Series(dtype=object), "month": pd.Series(dtype="datetime64[ns]"), "stock": [], "owed_stock": []})
    rows = plan[[*SERIES, "month", "consensus"]].merge(projection[[*SERIES, "month", "closing"]], on=[*SERIES, "month"], how="left")
    closing = rows["closing"].fillna(0.0)
    if waiting is not None and len(waiting):
        late = rows.merge(waiting, on=ROW, how="left")["units"].fillna(0.0)
        whole = rows.groupby(ROW)["consensus"].transform("sum")
        closing = closing - late * (rows["consensus"] / whole.where(whole > 0)).fillna(0.0)
    so_far = rows.sort_values("month", kind="stable").groupby(SERIES)["consensus"].cumsum().reindex(rows.index)
    owed = np.minimum((-closing).clip(lower=0.0), so_far)
    rows = rows.assign(owed_stock=owed, stock=np.minimum(owed, rows["consensus"]))
    return rows.groupby(ROW, as_index=False)[["stock", "owed_stock"]].sum()


def waiting_for_parts(projection, bom, proposed, *, parts=None):
    """Units of what is sold or made that wait at each month end for a component that has not come.

    projection  item × location × month   demand, closing (units): of components that are counted
    bom         item × component
    proposed    order                     due, quantity (units): what is to be made
    parts       components that may be short; None: all of the bill
    returns     item × month   units, above zero only

    A component's units owed at month end are those that its latest orders ask for: all of the last month's, then of the one
    before. The parents' orders of those months wait by the same shares, and so do their own parents; what is not stocked (a phantom) is
    passed through. Of several short components the one that holds back most counts.
    """
    if bom is None or proposed is None or projection is None or bom.empty or proposed.empty:
        return _nobody()
    months = pd.DatetimeIndex(sorted(projection["month"].unique()))
    through = set(bom.loc[bom["phantom"].astype(bool), "item"]) if "phantom" in bom else set()
    names = (set(bom["component"]) if parts is None else set(parts)) - through
    of_parts = projection[projection["item"].isin(names)]
    whole = of_parts.assign(owed=(-of_parts["closing"]).clip(lower=0.0)).groupby(ROW)[["owed", "demand"]].sum()
    owed = {item: row for item, row in _rows(whole["owed"], months).items() if row.max() > 0.5}
    if not owed:
        return _nobody()
    asked = _rows(whole["demand"], months)
    made = _rows(proposed.assign(month=proposed["due"].dt.to_period("M").dt.to_timestamp().clip(lower=months[0])).groupby(ROW)["quantity"].sum(), months)
    parents = _stocked_parents(bom, through)
    waits: dict[str, np.ndarray] = {}
    line = list(owed)
    while line:  # ends in a circle too: what waits only grows, and never above what is made
        part = line.pop(0)
        short = _shares(owed[part], asked.get(part, made.get(part, np.zeros(len(months)))))
        for parent in parents.get(part, ()):
            late = _waits(short, made.get(parent, np.zeros(len(months))))
            before = waits.get(parent, np.zeros(len(months)))
            if (late > before + 0.5).any():
                waits[parent] = np.maximum(before, late)
                owed[parent] = waits[parent] if parent not in owed else np.maximum(owed[parent], waits[parent])
                line += [parent] if parent in parents else []
    rows = [(item, month, units) for item, late in sorted(waits.items()) for month, units in zip(months, late, strict=True) if units > 0]
    return pd.DataFrame(rows, columns=["item", "month", "units"]).astype({"item": object, "month": "datetime64[ns]", "units": "float64"})


def _nobody():
    return pd.DataFrame({"item": pd.Series(dtype=object), "month": pd.Series(dtype="datetime64[ns]"), "units": pd.Series(dtype="float64")})


def _rows(values, months):
    """item: its values by month, from item × month."""
    wide = values.unstack("month").reindex(columns=months).fillna(0.0)
    return dict(zip(wide.index, wide.to_numpy(copy=True), strict=True))


def _stocked_parents(bom, through):
    """component: what is made of it, with those that are not stocked (phantoms) replaced by what is made of them."""
    parents = {part: sorted(set(rows["item"])) for part, rows in bom.groupby("component")}

    def above(part, met=()):  # a bill in a circle is told elsewhere; here its phantoms end where they were met before
        return sorted({name for one in parents.get(part, ()) if one not in met for name in (above(one, (*met, one)) if one in through else [one])})

    return {part: above(part) for part in parents}


def _shares(owed, asked):
    """shares[m, k]: the share of month k's orders that is owed at the end of month m."""
    months = len(owed)
    out = np.zeros((months, months))
    for m in range(months):
        left = owed[m]
        for k in range(m, -1, -1):
            if asked[k] > 0 and left > 0:
                out[m, k] = min(1.0, left / asked[k])
                left -= out[m, k] * asked[k]
    return out


def _waits(shares, made):
    return shares @ made


# --- the plan that is left --------------------------------------------------------------------------------------------

def join(plan, missing, items, *, hiring=None, budget=None, policy=None):
    """The plan the company can deliver, by family and month, and the gap by cause.

    plan      item × location × month   consensus (units), revenue, margin (money)
    missing   item × month              from `unserved`
    items     item                      family, service_class
    hiring    HIRING                    target, capacity (money): what reps can sell, hires not yet decided left out; None: reps do not limit
    budget    family × month            revenue (money)
    policy    item × location           service_class
    returns   DELIVERABLE

    plan = revenue + stock_gap + hours_gap + sales_gap, in every row. Of goods short for stock and for hours, the larger is missing and
    its cause counts. Where reps can sell less than what is left, classes are sold in their order, and in each what brings most
    margin for its price; so a limit that does not bind changes nothing.
    """
    rows = missing.assign(gap_stock=missing["stock"], gap_hours=missing["late"] + missing["lost"])
    by_hours = rows["gap_hours"] >= rows["gap_stock"]
    rows["gap_hours"] = np.minimum(rows["gap_hours"].where(by_hours, 0.0), rows["demand"])
    rows["gap_stock"] = np.minimum(rows["gap_stock"].where(~by_hours, 0.0), rows["demand"])
    rows["later"] = np.where(by_hours, rows["gap_hours"] - np.minimum(rows["lost"], rows["gap_hours"]), rows["gap_stock"])
    rows["left"] = rows["demand"] - rows["gap_hours"] - rows["gap_stock"]
    rows["service_class"] = _class(rows["item"], items, policy)
    rows["gap_sales"] = _unsold(rows, hiring)
    rows["left"] = rows["left"] - rows["gap_sales"]
    price = rows["price"]
    named = rows["item"].map(items.set_index("item")["family"]).fillna("all")
    sums = pd.DataFrame({
        "family": named, "month": rows["month"], "plan_units": rows["demand"], "units": rows["left"], "plan": rows["demand"] * price, "revenue": rows["left"] * price,
        "margin": rows["left"] * rows["margin"], **{f"{cause}_gap": rows[f"gap_{cause}"] * price for cause in CAUSES}, "late": rows["later"] * price})
    out = sums.groupby(["family", "month"], as_index=False).sum()
    asked = None if budget is None else budget.groupby(["family", "month"], as_index=False)["revenue"].sum().rename(columns={"revenue": "budget"})
    out = out.assign(budget=np.nan) if asked is None else out.merge(asked, on=["family", "month"], how="left")
    return frames.conform(out[frames.DELIVERABLE.names], frames.DELIVERABLE)


def _class(item, items, policy):
    own = items.set_index("item")["service_class"] if "service_class" in items else pd.Series(dtype=object)
    told = item.map(own)
    if policy is not None and len(policy):
        told = item.map(policy.dropna(subset=["service_class"]).groupby("item")["service_class"].min()).fillna(told)
    return told.fillna("~")  # without a class: last


def _unsold(rows, hiring):
    """Units that nobody can sell: what is left of each month's plan once the best of it fills what reps can sell."""
    if hiring is None:
        return 0.0
    short = (hiring["target"] - hiring["capacity"]).clip(lower=0.0).groupby(hiring["month"]).sum()
    planned = (rows["demand"] * rows["price"]).groupby(rows["month"]).sum()
    can_sell = (planned - short.reindex(planned.index).fillna(0.0)).clip(lower=0.0)
    share = (rows["margin"] / rows["price"].where(rows["price"] > 0)).fillna(0.0)
    order = rows.assign(share=-share).sort_values(["month", "service_class", "share", "item"], kind="stable").index
    money = (rows["left"] * rows["price"]).loc[order]
    before = money.groupby(rows["month"].loc[order]).cumsum() - money
    over = (before + money - rows["month"].loc[order].map(can_sell)).clip(lower=0.0)
    over = over.where(over > TINY * money.groupby(rows["month"].loc[order]).transform("sum"), 0.0)
    cut = np.minimum(over, money) / money.where(money > 0) * rows["left"].loc[order]
    return cut.fillna(0.0).reindex(rows.index)


def limits(deliverable, missing, *, hiring=None):
    """The three limits beside each other, month by month.

    returns  month   plan, sales, hours, stock (money that each limit alone would let through; sales may be more than the plan), revenue
             (money delivered), late (money of the plan that comes later), budget (money), binds (the lowest limit that is below the
             plan; empty: none)
    """
    months = deliverable.groupby("month")[["plan", "revenue", "late"]].sum()
    months["budget"] = deliverable.groupby("month")["budget"].sum(min_count=1)
    lost = missing.assign(hours=(missing["late"] + missing["lost"]) * missing["price"], stock=missing["stock"] * missing["price"]).groupby("month")[["hours", "stock"]].sum()
    for name in ("hours", "stock"):
        months[name] = months["plan"] - lost[name].reindex(months.index).fillna(0.0)
    months["sales"] = np.nan
    if hiring is not None:
        room = (hiring["capacity"] - hiring["target"]).groupby(hiring["month"]).sum()
        months["sales"] = months["plan"] + room.reindex(months.index)
    three = months[list(CAUSES)].astype("float64")
    lowest = three.fillna(np.inf).idxmin(axis=1)
    months["binds"] = lowest.where(three.min(axis=1) < months["plan"] * (1 - TINY), "")
    return months.reset_index()[["month", "plan", *CAUSES, "revenue", "late", "budget", "binds"]]


def binding(deliverable):
    """Which limits take something from the plan, the one that binds first on top; no rows where the whole plan can be delivered.

    returns  cause (stock, hours, sales), month (the first), amount (money it takes from that month's plan), months (count in which it
             does), all_amount (money it takes in all of them)

    Of two that begin in the same month sales is the lower one, since it takes what stock and hours have left; of the others the larger.
    """
    months = deliverable.groupby("month")[["plan", *(f"{cause}_gap" for cause in CAUSES)]].sum()
    rows = []
    for cause in CAUSES:
        gap = months[f"{cause}_gap"]
        gap = gap[gap > TINY * months["plan"]]
        if len(gap):
            rows.append({"cause": cause, "month": gap.index[0], "amount": gap.iloc[0], "months": len(gap), "all_amount": gap.sum()})
    out = pd.DataFrame(rows, columns=["cause", "month", "amount", "months", "all_amount"])
    order = out.assign(last=out["cause"].ne("sales"), size=-out["amount"]).sort_values(["month", "last", "size"], kind="stable").index
    return out.loc[order].reset_index(drop=True)


def by_family(deliverable):
    """The same over all months, by family, the largest gap first.

    returns  family   plan, revenue, gap (money), stock_gap, hours_gap, sales_gap, late, margin, budget (money)
    """
    names = ["plan", "revenue", "margin", *(f"{cause}_gap" for cause in CAUSES), "late"]
    out = deliverable.groupby("family", as_index=False)[names].sum()
    out["budget"] = deliverable.groupby("family")["budget"].sum(min_count=1).to_numpy()
    out["gap"] = out["plan"] - out["revenue"]
    return out.sort_values(["gap", "family"], ascending=[False, True], kind="stable").reset_index(drop=True)
