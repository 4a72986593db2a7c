"""What customers asked for: order lines become monthly demand, corrected for empty shelves and handovers, and sorted.

Order of thought: `monthly` counts what was ordered, `history` corrects it and keeps both versions, `segments` says
how each series behaves and what it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sopnb import calendar, cleaning, frames

KEY = ["item", "location"]
ROW = [*KEY, "month"]
MEASURES = ["demand_raw", "returns", "shipped", "revenue"]


# --- counting -------------------------------------------------------------------------------------------------------


def lines(orders: pd.DataFrame, *, last: object, first: object = None) -> pd.DataFrame:
    """The order lines that make history, with the month they count in.

    orders   order × line                   item, location, quantity (units), amount (money) …, as frames.ORDERS
    returns  the same rows and columns, fewer rows, with month, and amount filled as below; sorted by order, line

    month   = month of requested_date, of order_date where it is missing
    amount  = amount, or quantity × unit_price × (1 − discount) where missing; 0 where no price is known
    Left out: cancelled lines; lines asked for after `last` (open orders, not history) or before `first`.
    """
    out = orders.assign(
        location=_column(orders, "location", None).fillna("all").astype(object),
        month=_months(_dates(orders, "requested_date").fillna(_dates(orders, "order_date"))),
        amount=_amount(orders),
    )
    cancelled = _column(orders, "status", "").fillna("").astype(str).str.strip().str.lower().isin(["cancelled", "canceled"])
    keep = ~cancelled & out["month"].notna() & out["quantity"].notna() & (out["month"] <= frames.month(last))
    if first is not None:
        keep &= out["month"] >= frames.month(first)
    return out[keep].sort_values(["order", "line"], kind="stable").reset_index(drop=True)


def monthly(orders: pd.DataFrame, *, first: object = None, last: object) -> pd.DataFrame:
    """Demand by month as ordered: complete months from each series' first order to `last`, zeros where nothing came.

    orders   order × line             item, location, quantity (units), shipped_quantity (units), amount (money) …
    returns  item × location × month  demand_raw, returns, shipped (units), revenue (money)

    demand_raw = Σ quantity > 0; returns = −Σ quantity < 0; revenue = Σ amount of both;
    shipped = Σ shipped_quantity of the month's lines that left by the end of `last` (quantity where only the day is
    known); missing where the source has no shipping days at all.
    So Σ demand_raw − Σ returns = Σ quantity and Σ revenue = Σ amount of `lines`, to the cent.
    """
    used = lines(orders, first=first, last=last)
    quantity = used["quantity"].astype("float64")
    counted = used[ROW].assign(
        demand_raw=quantity.clip(lower=0), returns=(-quantity).clip(lower=0), shipped=_shipped(used, last), revenue=used["amount"]
    )
    sums = counted.groupby(ROW, sort=True)[MEASURES].sum().reset_index()
    out = _complete(sums, last)
    if not _dates(orders, "shipped_date").notna().any():
        out["shipped"] = np.nan
    return out


def _amount(orders: pd.DataFrame) -> pd.Series:
    price = _column(orders, "unit_price", np.nan).astype("float64")
    discount = _column(orders, "discount", 0.0).astype("float64").fillna(0.0)
    computed = orders["quantity"].astype("float64") * price * (1 - discount)
    return _column(orders, "amount", np.nan).astype("float64").fillna(computed).fillna(0.0)


def _shipped(used: pd.DataFrame, last: object) -> pd.Series:
    """Units of each line that had left by the end of `last`; what left later is not known then."""
    left = _dates(used, "shipped_date") < frames.next_month(last)
    units = _column(used, "shipped_quantity", np.nan).astype("float64").fillna(used["quantity"].astype("float64"))
    return units.where(left & (used["quantity"] > 0), 0.0)


def _complete(sums: pd.DataFrame, last: object) -> pd.DataFrame:
    """Every month from each series' first to `last`, zeros in new rows."""
    if sums.empty:
        return sums.astype({"month": "datetime64[ns]", **dict.fromkeys(MEASURES, "float64")})
    first = sums.groupby(KEY, sort=True)["month"].transform("min")
    start = sums.assign(start=first)[[*KEY, "start"]].drop_duplicates()
    grid = start.merge(pd.DataFrame({"month": pd.date_range(sums["month"].min(), frames.month(last), freq="MS")}), how="cross")
    grid = grid.loc[grid["month"] >= grid["start"], ROW].astype({"month": "datetime64[ns]"})
    return grid.merge(sums, on=ROW, how="left").fillna(dict.fromkeys(MEASURES, 0.0)).sort_values(ROW, kind="stable").reset_index(drop=True)


# --- correcting -----------------------------------------------------------------------------------------------------


def history(
    orders: pd.DataFrame, items: pd.DataFrame, stock_history: pd.DataFrame | None = None, *, last: object, season: int = 12,
    events: pd.DataFrame | None = None, outliers: str = "drops", level_shifts: bool = True,
) -> pd.DataFrame:
    """Demand by month, as ordered and as we believe it would have been.

    orders         order × line             quantity (units), amount (money) …
    items          item                     family, end_date, launch_date, successor
    stock_history  item × location × month  days_out; None where there is none
    events, outliers, level_shifts    what explains a month, and what is done about those that nothing does: `cleaning.clean`
    returns        frames.HISTORY: `monthly`, plus demand (units, corrected), days_out, censored, and learned, outlier,
                   level_shift as `cleaning.clean` finds them

    Empty shelves (`uncensored`) raise demand; a handover (`handover`) moves it from one item to its successor and changes
    no total: Σ demand = Σ demand_raw + Σ corrections for empty shelves. Counts of orders, returns, shipped and revenue
    stay with the item that was ordered.
    """
    counted = monthly(orders, last=last)
    out = handover(uncensored(counted, items, stock_history, season=season), items, last=last)
    out = cleaning.clean(out, items, events=events, outliers=outliers, level_shifts=level_shifts, season=season)
    return frames.conform(out[frames.HISTORY.names], frames.HISTORY)


def uncensored(
    counted: pd.DataFrame, items: pd.DataFrame, stock_history: pd.DataFrame | None, *, season: int = 12
) -> pd.DataFrame:
    """Demand corrected where the shelf was empty.

    counted  item × location × month  demand_raw …
    returns  the same with demand (units), days_out (days), censored (flag)

    Orders already hold lost demand where customers ordered all the same. So a month is corrected only where it had at
    least one day without stock and fewer orders than the series' months with stock let expect:
        demand = min(demand_raw × days / (days − days_out), expectation), the expectation where no day had stock
        expectation = median of the 12 nearest months with stock, each divided by its family's seasonal index, × index
    """
    out = counted.assign(demand=counted["demand_raw"], days_out=0.0, censored=False)
    if stock_history is None or counted.empty or "days_out" not in stock_history.columns:
        return out
    out["days_out"] = counted[ROW].merge(stock_history[[*ROW, "days_out"]], on=ROW, how="left")["days_out"].fillna(0.0).to_numpy()
    doubtful = out["days_out"] >= 1
    if not doubtful.any():
        return out
    days = out["month"].dt.days_in_month
    with_stock = (days - out["days_out"]).clip(lower=0)
    expected = _expected(out.assign(family=_family(out, items)), doubtful, season)
    scaled = (out["demand_raw"] * days / with_stock.where(with_stock > 0)).fillna(np.inf)
    corrected = np.minimum(scaled, expected)
    out["censored"] = doubtful & (corrected > out["demand_raw"])
    out["demand"] = corrected.where(out["censored"], out["demand_raw"])
    return out


def _expected(counted: pd.DataFrame, doubtful: pd.Series, season: int) -> pd.Series:
    """What the months with stock let expect; missing where no doubt is, or where nothing can be compared."""
    index = calendar.seasonal_factors(counted[~doubtful], by=["family"], value="demand_raw", season=season)
    known = counted[["family"]].assign(position=calendar.position(counted["month"], season)).merge(index, on=["family", "position"], how="left")
    factor = pd.Series(known["factor"].fillna(1.0).to_numpy(), counted.index)
    level = (counted["demand_raw"] / factor.where(factor > 0)).where(~doubtful)
    expected = pd.Series(np.nan, counted.index)
    concerned = doubtful.groupby([counted["item"], counted["location"]]).transform("any")
    for rows in counted[concerned].groupby(KEY, sort=True).indices.values():
        place = np.flatnonzero(concerned)[rows]
        values = level.to_numpy()[place]
        sure = np.flatnonzero(~np.isnan(values))
        for i in np.flatnonzero(np.isnan(values)) if len(sure) else []:
            nearest = sure[np.argsort(np.abs(sure - i), kind="stable")[:12]]
            expected.iloc[place[i]] = np.median(values[nearest]) * factor.iloc[place[i]]
    return expected


def handover(counted: pd.DataFrame, items: pd.DataFrame, *, last: object) -> pd.DataFrame:
    """The successor takes over its predecessor's demand, past months included.

    counted  item × location × month  demand, censored …
    items    item                     successor, end_date, launch_date
    returns  the same columns; demand moved, rows added for the successor's months before its launch

    It happens once the plan begins after the handover: the predecessor's end_date (the successor's launch_date where it
    has none) lies before the end of the month after `last`. Until then both keep their own history, and the forecast
    hands over at that date. All demand of the predecessor moves, late orders too, so that nothing is counted twice;
    its demand_raw, revenue and the rest stay where they were booked. Chains (A → B → C) go to the last in line; a
    circle is left alone.
    """
    heir = heirs(items, last=last)
    moved = counted["item"].map(heir)
    going = moved.notna()
    if not going.any():
        return counted
    amounts = [*MEASURES, "days_out"]
    inherited = counted.loc[going, ["location", "month", "demand", "censored"]].assign(item=moved[going], **dict.fromkeys(amounts, 0.0))
    stay = counted.assign(demand=counted["demand"].where(~going, 0.0), censored=counted["censored"] & ~going)
    both = pd.concat([stay, inherited[counted.columns]], ignore_index=True)
    summed = both.groupby(ROW, sort=True)[["demand", *amounts]].sum(min_count=1).reset_index()
    flags = both.groupby(ROW, sort=True)["censored"].any().reset_index()
    return _unbroken(summed.merge(flags, on=ROW), last)[list(counted.columns)]


def heirs(items: pd.DataFrame, *, last: object) -> dict[str, str]:
    """Which item's demand has moved to which by the month after `last`: item → the last in its line of successors."""
    ends = _months(_dates(items, "end_date"))
    starts = dict(zip(items["item"], _months(_dates(items, "launch_date")), strict=True))
    successor = _column(items, "successor", None)
    link = {}
    for item, heir, end in zip(items["item"], successor, ends, strict=True):
        known = heir is not None and heir == heir and heir in starts and heir != item
        when = end if end == end and end is not pd.NaT else starts.get(heir, pd.NaT)
        if known and (pd.isna(when) or when <= frames.month(last)):
            link[item] = heir
    out = {}
    for item in link:
        line = [item]
        while line[-1] in link and link[line[-1]] not in line:
            line.append(link[line[-1]])
        if line[-1] not in link:
            out[item] = line[-1]
    return out


def _unbroken(counted: pd.DataFrame, last: object) -> pd.DataFrame:
    """Fill the months between a predecessor's last and a successor's first, which neither may have."""
    start = counted.groupby(KEY, sort=True)["month"].min().rename("start").reset_index()
    grid = start.merge(pd.DataFrame({"month": pd.date_range(start["start"].min(), frames.month(last), freq="MS")}), how="cross")
    grid = grid.loc[grid["month"] >= grid["start"], ROW].astype({"month": "datetime64[ns]"})
    out = grid.merge(counted, on=ROW, how="left")
    unknown = counted["shipped"].isna().all()
    out[["demand", *MEASURES, "days_out"]] = out[["demand", *MEASURES, "days_out"]].fillna(0.0)
    out["censored"] = out["censored"].eq(True)
    return out.assign(shipped=np.nan) if unknown else out


# --- sorting --------------------------------------------------------------------------------------------------------


def segments(
    history: pd.DataFrame,
    items: pd.DataFrame,
    scores: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    *,
    abc: Sequence[float] = (0.80, 0.95),
    xyz: Sequence[float] = (0.25, 0.50),
    adi: float = 1.32,
    cv2: float = 0.49,
    new_months: int = 6,
    short_months: int = 24,
    season: int = 12,
) -> pd.DataFrame:
    """What each series is worth and how it behaves.

    history   item × location × month  demand, demand_raw, returns (units), revenue (money)
    items     item                     unit_cost (money), family, end_date
    scores    item × location × model  wape, chosen; None: by the variation left after season
    previous  frames.SEGMENTS of the previous cycle
    returns   frames.SEGMENTS

    margin   revenue − unit_cost × (demand_raw − returns) over the last 12 months; where the cost is not known, revenue at
             the average margin rate of the others
    abc      by falling margin: A while the series before it hold less than abc[0] of all (positive) margin, B while
             less than abc[1], else C; ties by item and location; no margin is C
    xyz      by WAPE of the chosen model: X up to xyz[0], Y up to xyz[1], else Z
    pattern  the first that holds: ending (end_date within 12 months, or all demand handed over), new (fewer than
             new_months since the first demand), short (fewer than short_months), then by ADI = months / months with
             demand and CV² of the demand in those (standard deviation with n − 1): smooth, erratic, intermittent, lumpy.
             Syntetos, Boylan & Croston (2005), On the categorization of demand patterns, JORS 56(5)
    """
    if history.empty:
        return frames.empty(frames.SEGMENTS)
    last = history["month"].max()
    out = _behaviour(history)
    out["margin"] = _margins(history, items, last).reindex(pd.MultiIndex.from_frame(out[KEY])).fillna(0.0).to_numpy()
    out["abc"] = _abc(out, abc)
    out["xyz"] = _xyz(out, history.assign(family=_family(history, items)), scores, xyz, season)
    out["pattern"] = _pattern(out, items, last, adi=adi, cv2=cv2, new_months=new_months, short_months=short_months)
    before = {} if previous is None else {
        (i, w): f"{a}{x}" for i, w, a, x in zip(previous["item"], previous["location"], previous["abc"], previous["xyz"], strict=True)
    }
    out["previous"] = pd.Series([before.get(key) for key in zip(out["item"], out["location"], strict=True)], index=out.index, dtype=object)
    return frames.conform(out[frames.SEGMENTS.names], frames.SEGMENTS)


def _behaviour(history: pd.DataFrame) -> pd.DataFrame:
    """Months, ADI and CV² since each series' first demand."""
    h = history.sort_values(ROW, kind="stable")
    since = h["demand"].gt(0).astype(int).groupby([h["item"], h["location"]], sort=True).cummax().astype(bool)
    keys = h[KEY].drop_duplicates()
    months = h[since].groupby(KEY, sort=True).size().rename("months")
    sizes = h[since & h["demand"].gt(0)].groupby(KEY, sort=True)["demand"].agg(["count", "mean", "std"])
    out = keys.merge(months.reset_index(), on=KEY, how="left").merge(sizes.reset_index(), on=KEY, how="left")
    out["months"] = out["months"].fillna(0).astype("int64")
    out["adi"] = out["months"] / out["count"]
    out["cv2"] = (out["std"].fillna(0.0) / out["mean"]) ** 2
    return out[[*KEY, "months", "adi", "cv2"]].reset_index(drop=True)


def _margins(history: pd.DataFrame, items: pd.DataFrame, last: pd.Timestamp) -> pd.Series:
    year = history[history["month"] > frames.next_month(last, -12)]
    cost = year["item"].map(dict(zip(items["item"], _column(items, "unit_cost", np.nan).astype("float64"), strict=True)))
    margin = year["revenue"] - cost * (year["demand_raw"] - year["returns"])
    known = cost.notna()
    earned = year.loc[known, "revenue"].sum()
    rate = margin[known].sum() / earned if earned > 0 else 1.0
    filled = margin.where(known, year["revenue"] * rate)
    return filled.groupby([year["item"], year["location"]], sort=True).sum()


def _abc(out: pd.DataFrame, limits: Sequence[float]) -> pd.Series:
    ranked = out.sort_values(["margin", *KEY], ascending=[False, True, True], kind="stable")
    positive = ranked["margin"].clip(lower=0)
    total = positive.sum()
    before = (positive.cumsum() - positive) / total if total > 0 else pd.Series(1.0, ranked.index)
    letters = np.select([positive <= 0, before < limits[0], before < limits[1]], ["C", "A", "B"], "C")
    return pd.Series(letters, ranked.index, dtype=object).reindex(out.index)


def _xyz(out: pd.DataFrame, history: pd.DataFrame, scores: pd.DataFrame | None, limits: Sequence[float], season: int) -> pd.Series:
    error = out[KEY].merge(_variation(history, season), on=KEY, how="left")["variation"]
    if scores is not None and len(scores):
        judged = scores.loc[scores["chosen"], [*KEY, "wape"]]
        error = out[KEY].merge(judged, on=KEY, how="left")["wape"].fillna(error)
    letters = np.select([error <= limits[0], error <= limits[1]], ["X", "Y"], "Z")  # a missing error is Z
    return pd.Series(letters, out.index, dtype=object)


def _variation(history: pd.DataFrame, season: int) -> pd.DataFrame:
    """Coefficient of variation over the last 24 months, after the family's season is taken out."""
    index = calendar.seasonal_factors(history, by=["family"], value="demand", season=season)
    recent = history[history["month"] > frames.next_month(history["month"].max(), -24)]
    known = recent.assign(position=calendar.position(recent["month"], season)).merge(index, on=["family", "position"], how="left")
    level = known["demand"] / known["factor"].fillna(1.0).clip(lower=0.05)
    stats = level.groupby([known["item"], known["location"]], sort=True).agg(["mean", "std"])
    return (stats["std"] / stats["mean"].where(stats["mean"] > 0)).rename("variation").reset_index()


def _pattern(out: pd.DataFrame, items: pd.DataFrame, last: pd.Timestamp, *, adi: float, cv2: float, new_months: int, short_months: int) -> pd.Series:
    ends = out["item"].map(dict(zip(items["item"], _dates(items, "end_date"), strict=True)))
    ending = (ends < frames.next_month(last, 13)) | out["item"].isin(list(heirs(items, last=last)))
    rare, wild = ~(out["adi"] < adi), out["cv2"] >= cv2
    names = np.select(
        [ending, out["months"] < new_months, out["months"] < short_months, rare & wild, rare, wild],
        ["ending", "new", "short", "lumpy", "intermittent", "erratic"], "smooth",
    )  # fmt: skip
    return pd.Series(names, out.index, dtype=object)


# --- small helpers --------------------------------------------------------------------------------------------------


def _column(df: pd.DataFrame, name: str, default: object) -> pd.Series:
    return df[name] if name in df.columns else pd.Series(default, df.index)


def _dates(df: pd.DataFrame, name: str) -> pd.Series:
    return pd.to_datetime(_column(df, name, pd.NaT)).astype("datetime64[ns]")


def _months(dates: pd.Series) -> pd.Series:
    return dates.dt.to_period("M").dt.to_timestamp().astype("datetime64[ns]")


def _family(df: pd.DataFrame, items: pd.DataFrame) -> pd.Series:
    """The family of each row; `unknown` for items the master does not hold."""
    families: Mapping[str, object] = dict(zip(items["item"], _column(items, "family", None), strict=True))
    return df["item"].map(families).fillna("unknown").astype(object)
