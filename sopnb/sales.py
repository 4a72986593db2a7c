"""What sales can win and what sales can sell: the pipeline as demand, quotas, and the capacity of the reps.

The pipeline adds to the plan only what the run-rate does not hold: deals of at least `minimum` money, or flagged
`new`. All others are of the kind that is won every month, and the baseline has learnt from them already. Without a
minimum only flagged deals are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

AGES = (0, 30, 60, 90, 180, 365)  # days; from each on, deals still open are looked at together
_DAYS_PER_MONTH = 365.25 / 12
YEAR = 12  # months
_GAP_DUST = 1e-6  # share of target below which a gap is rounding


# --- the pipeline ---------------------------------------------------------------------------------------------------

def win_rates(opportunities: pd.DataFrame, *, as_of: Any, ages: Sequence[int] = AGES, prior: float = 10.0) -> pd.DataFrame:
    """The chance of an open deal, by its age: won / (won + lost) among the deals that were still open at that age.

    opportunities   frames.OPPORTUNITIES; deals closed on or before as_of count, open ones do not
    prior           deals that each bucket borrows from the one before it (the first: from all), so that three deals
                    do not make a certainty: rate = (won + prior × rate before) / (won + lost + prior)
    returns         age_from (days)   won, lost (deals), raw (fraction, unsmoothed), rate (fraction)

    Overall, raw from age 0 is the plain win rate. Stages are not used: a list of deals holds the stage of today only,
    and the stage of a closed deal is its outcome.
    """
    closed = _closed(opportunities, as_of)
    age = (closed["close_date"] - closed["created"]).dt.days.fillna(0).clip(lower=0)
    won = (closed["outcome"] == "won").to_numpy()
    rows, before = [], won.mean() if len(won) else 0.0
    for start in ages:
        still = (age >= start).to_numpy()
        w, n = int((won & still).sum()), int(still.sum())
        before = (w + prior * before) / (n + prior) if n + prior else 0.0
        rows.append((start, w, n - w, w / n if n else float("nan"), before))
    return pd.DataFrame.from_records(rows, columns=["age_from", "won", "lost", "raw", "rate"])


def deals(opportunities: pd.DataFrame, *, as_of: Any, minimum: float = 0.0) -> pd.DataFrame:
    """The open deals, each with its chance, its expected money and whether it is added to the plan.

    returns   opportunity   account, item, family, rep, territory, stage, amount (money; where missing the mean of won
              deals of its item, else of all), close_date, age_days, chance (fraction), expected (money), added (flag)
    """
    today = pd.Timestamp(as_of)
    rates = win_rates(opportunities, as_of=as_of)
    known = opportunities["created"].isna() | (opportunities["created"] <= today)
    closed_later = opportunities["close_date"] > today  # closed after as_of: still open then
    out = opportunities[known & (opportunities["outcome"].isna() | closed_later)].copy()
    won = _closed(opportunities, as_of).query("outcome == 'won'")
    amount = out["amount"].fillna(out["item"].map(won.groupby("item")["amount"].mean())).fillna(won["amount"].mean())
    age = (today - out["created"]).dt.days.fillna(0).clip(lower=0)
    bucket = np.searchsorted(rates["age_from"].to_numpy(), age.to_numpy(), side="right") - 1
    chance = rates["rate"].to_numpy()[bucket]
    large = amount >= minimum if minimum > 0 else pd.Series(False, index=out.index)
    out = out.assign(amount=amount, age_days=age, chance=chance, expected=amount * chance, added=large | (out["flag_new"] == "new"))
    names = ["opportunity", "account", "item", "family", "rep", "territory", "stage", "amount", "close_date", "age_days", "chance", "expected", "added"]
    return out[names].sort_values("opportunity", kind="stable").reset_index(drop=True)


def pipeline(
    opportunities: pd.DataFrame, *, months: Iterable[Any], as_of: Any, minimum: float = 0.0, spread_months: int = 6, items: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Expected money of the deals that the run-rate does not hold, month by month.

    minimum        money; deals of at least that, or flagged `new`, are added; 0: flagged ones only
    spread_months  a won deal is delivered in equal parts over so many months from the month it closes; what falls
                   behind the last planned month is not in the plan. A closing date that has passed, or is missing,
                   counts as the first planned month.
    items          to tell known items and families; a deal for an unknown one is laid on the next level up
    returns        level (item, family or total) × key × location (`all`) × month   amount (money), deals (number)
    """
    span = pd.DatetimeIndex(list(months))
    names = ["level", "key", "location", "month", "amount", "deals"]
    added = deals(opportunities, as_of=as_of, minimum=minimum).query("added")
    if added.empty or not len(span):
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in names}).astype({"level": object, "key": object, "location": object})
    start = added["close_date"].fillna(span[0]).dt.to_period("M").dt.to_timestamp().clip(lower=span[0])
    parts = [added.assign(month=start + pd.DateOffset(months=n), amount=added["expected"] / spread_months) for n in range(spread_months)]
    out = pd.concat(parts, ignore_index=True)
    out = out[out["month"].isin(span)].assign(location="all", deals=1 / spread_months)
    out["level"], out["key"] = _level(out, items)
    summed = out.groupby(["level", "key", "location", "month"], as_index=False, dropna=False)[["amount", "deals"]].sum()
    return summed.assign(key=pd.Series([None if pd.isna(key) else key for key in summed["key"]], dtype=object))[names]


def outlook(opportunities: pd.DataFrame, *, months: Iterable[Any], as_of: Any, items: pd.DataFrame | None = None) -> pd.DataFrame:
    """What all open deals are expected to bring, by the month they should close: for a company without orders, its plan.

    items     gives an item's family where the deal names none
    returns   frames.OUTLOOK, the months planned; deals that should close later are not in it

    A deal closes on its stated day. Where that day has passed, or none is stated, it closes after the time that won
    deals as old as it still took: the median of (days to close − age) among those that took longer than its age.
    """
    ahead = deals(opportunities, as_of=as_of)
    family = ahead["family"]
    if items is not None:
        family = family.where(family.notna(), ahead["item"].map(items.set_index("item")["family"]))
    family = family.where(family.notna(), ahead["item"])
    month = _expected_close(ahead, opportunities, pd.Timestamp(as_of)).dt.to_period("M").dt.to_timestamp()
    out = ahead.assign(family=family.where(family.notna(), "all"), month=month, deals=ahead["chance"], open=ahead["amount"])
    out = out[out["month"].isin(pd.DatetimeIndex(list(months)))]
    return frames.conform(out.groupby(["family", "month"], as_index=False)[["deals", "open", "expected"]].sum(), frames.OUTLOOK)


def _expected_close(ahead: pd.DataFrame, opportunities: pd.DataFrame, today: pd.Timestamp) -> pd.Series:
    """The day each open deal should close: as stated, else today and the median of what won deals of its age still took."""
    past = _closed(opportunities, today).query("outcome == 'won'")
    took = np.sort((past["close_date"] - past["created"]).dt.days.dropna().to_numpy(dtype="float64"))
    age = ahead["age_days"].to_numpy(dtype="float64")
    longer = np.searchsorted(took, age, side="right")  # won deals from here on took longer than this one's age
    middle = (longer + len(took) - 1) // 2
    wait = np.array([took[m] - a if n < len(took) else 0.0 for m, a, n in zip(middle, age, longer, strict=True)], dtype="float64")
    guessed = today + pd.to_timedelta(pd.Series(wait, index=ahead.index), unit="D")
    return ahead["close_date"].where(ahead["close_date"] >= today, guessed)


def _closed(opportunities: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    done = opportunities["outcome"].isin(["won", "lost"]) & (opportunities["close_date"] <= pd.Timestamp(as_of))
    return opportunities[done]


def _level(rows: pd.DataFrame, items: pd.DataFrame | None) -> tuple[pd.Series, pd.Series]:
    """The finest level that is known of a deal: its item, else its family, else the total."""
    item, family = rows["item"], rows["family"]
    if items is not None:
        family = family.where(family.isin(items["family"]))
        item = item.where(item.isin(items["item"]))
    key = item.where(item.notna(), family)
    level = pd.Series(np.where(item.notna(), "item", np.where(family.notna(), "family", "total")), index=rows.index, dtype=object)
    return level, key


# --- quotas ---------------------------------------------------------------------------------------------------------

def won(opportunities: pd.DataFrame, *, as_of: Any) -> pd.DataFrame:
    """Money won by rep, territory and month of closing.

    returns   rep × territory × month   amount (money), deals (number)
    """
    rows = _closed(opportunities, as_of).query("outcome == 'won'")
    rows = rows.assign(month=rows["close_date"].dt.to_period("M").dt.to_timestamp())
    grouped = rows.groupby(["rep", "territory", "month"], dropna=False)
    return grouped.agg(amount=("amount", "sum"), deals=("opportunity", "size")).reset_index()


def attainment(sold: pd.DataFrame, quotas: pd.DataFrame, reps: pd.DataFrame, *, by: Sequence[str] = ("rep",), first: Any = None, last: Any = None) -> pd.DataFrame:
    """What was sold against the quota: attainment = sold / quota.

    sold      rep × month    amount (money): from `won`, or order lines by rep
    quotas    rep × month    quota (money)
    reps      rep            territory: a rep's sales and quota count there
    by        rep, territory, month: any of them
    returns   by × sold, quota (money), attainment (fraction; missing without a quota), over months first … last;
              months without any quota are left out, since a quota of nobody is no yardstick
    """
    window = quotas[quotas["month"].between(first or quotas["month"].min(), last or quotas["month"].max())]
    did = sold[sold["month"].isin(window["month"])].groupby(["rep", "month"], as_index=False)[["amount"]].sum()
    both = window[["rep", "month", "quota"]].merge(did, on=["rep", "month"], how="outer").merge(reps[["rep", "territory"]], on="rep", how="left")
    out = both.groupby(list(by), as_index=False, dropna=False)[["amount", "quota"]].sum().rename(columns={"amount": "sold"})
    return out.assign(attainment=out["sold"] / out["quota"].where(out["quota"] > 0))[[*by, "sold", "quota", "attainment"]]


def usual_attainment(sold: pd.DataFrame, quotas: pd.DataFrame, *, as_of: Any, months: int = 12) -> float:
    """Sold / quota over the months before as_of and all reps who had a quota; NaN where there was none."""
    past = quotas[(quotas["month"] < frames.month(as_of)) & (quotas["month"] >= frames.next_month(as_of, -months)) & (quotas["quota"] > 0)]
    both = past.groupby(["rep", "month"], as_index=False)[["quota"]].sum().merge(
        sold.groupby(["rep", "month"], as_index=False)[["amount"]].sum(), on=["rep", "month"], how="left")
    return float(both["amount"].sum() / both["quota"].sum()) if len(both) else float("nan")


def coverage(opportunities: pd.DataFrame, quotas: pd.DataFrame, reps: pd.DataFrame, *, as_of: Any, first: Any, last: Any, by: Sequence[str] = ("territory",)) -> pd.DataFrame:
    """Open pipeline against the quota of a period, by both customs.

    first, last   months of the period (a quarter, a fiscal year); open deals closing in it, overdue ones included
    returns       by × pipeline, weighted (Σ amount × chance), quota, won (money), remaining = max(quota − won, 0),
                  coverage_full = pipeline / quota, coverage_remaining = pipeline / remaining
    """
    first, last = frames.month(first), frames.month(last)
    ends = last + pd.offsets.MonthEnd(0)
    open_deals = deals(opportunities, as_of=as_of)
    open_deals = open_deals[open_deals["close_date"].isna() | (open_deals["close_date"] <= ends)]
    place = reps[["rep", "territory"]]
    sums = {
        "pipeline": (open_deals.drop(columns="territory"), "amount"),
        "weighted": (open_deals.drop(columns="territory"), "expected"),
        "quota": (quotas[quotas["month"].between(first, last)], "quota"),
        "won": (won(opportunities, as_of=as_of).query("@first <= month <= @last").drop(columns="territory"), "amount"),
    }
    columns = {name: table.merge(place, on="rep", how="left").groupby(list(by), dropna=False)[value].sum() for name, (table, value) in sums.items()}
    out = pd.DataFrame(columns).fillna(0.0).rename_axis(list(by)).reset_index()
    out["remaining"] = (out["quota"] - out["won"]).clip(lower=0)
    out["coverage_full"] = out["pipeline"] / out["quota"].where(out["quota"] > 0)
    out["coverage_remaining"] = out["pipeline"] / out["remaining"].where(out["remaining"] > 0)
    return out


# --- capacity -------------------------------------------------------------------------------------------------------

def through_reps(orders: pd.DataFrame, plan: pd.DataFrame, *, as_of: Any) -> tuple[float, pd.DataFrame, pd.DataFrame]:
    """How much of the sales goes through reps, what the plan asks of them, and what each sold.

    orders   order × line   rep, status (`cancelled` leaves), order_date, amount (money)
    plan     item × location × month   revenue (money)
    returns  share of the last twelve months' sales (fraction; missing where nothing was sold); month: target (money); rep × month: amount
    """
    lines = orders[orders["status"].ne("cancelled")]
    lines = lines.assign(month=lines["order_date"].dt.to_period("M").dt.to_timestamp())
    first = frames.next_month(as_of, -12)
    year = lines[(lines["month"] >= first) & (lines["month"] < frames.month(pd.Timestamp(as_of)))]
    whole = year["amount"].sum()
    share = float(year.loc[year["rep"].notna(), "amount"].sum() / whole) if whole else float("nan")
    sold = lines[lines["rep"].notna()].groupby(["rep", "month"], as_index=False)["amount"].sum()
    return share, (plan.groupby("month")["revenue"].sum() * share).rename("target").reset_index(), sold


def ramp(months_since_start: Any, ramp_months: int | Sequence[float]) -> np.ndarray:
    """What a rep sells, as a share of a full one, so many months after the first: k / ramp_months, at most 1.

    ramp_months   months until full, or the shares themselves, month by month (1 after the last); not begun: 0

    >>> ramp([-1, 0, 3, 6, 9], 6).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    >>> ramp([0, 1, 2, 3], [0.1, 0.4, 0.7]).tolist()
    [0.1, 0.4, 0.7, 1.0]
    """
    k = np.asarray(months_since_start, dtype="float64")
    if not isinstance(ramp_months, int):
        steps = np.asarray([*ramp_months, 1.0])
        return np.where(k < 0, 0.0, steps[np.clip(k, 0, len(steps) - 1).astype(int)])
    share = np.minimum(k / ramp_months, 1.0) if ramp_months else np.ones_like(k)
    return np.where(k < 0, 0.0, share)


def season(target: pd.DataFrame) -> pd.Series:
    """How much more, or less, customers buy in a month than in the mean month of the year around it, as the plan has it.

    target   month   target (money)
    returns  month: factor = target / mean of the nearest twelve months; 1 where fewer than twelve are planned

    A rep writes more orders before the feast than after it, without being more of a rep. The plan knows in which month the feast
    falls, which moves; a year that asks for more of a rep than before still does so, since a year's mean is 1.

    >>> plan = pd.DataFrame({"month": pd.date_range("2027-01-01", periods=12, freq="MS"), "target": [5.0, 15.0] + 10 * [10.0]})
    >>> season(plan).tolist()[:3]
    [0.5, 1.5, 1.0]
    """
    sums = target.groupby("month")["target"].sum().sort_index()
    if len(sums) < YEAR or not sums.gt(0).any():
        return pd.Series(1.0, index=sums.index)
    years = sums.rolling(YEAR).mean().iloc[YEAR - 1:].to_numpy()
    middle = np.clip(np.arange(len(sums)) - YEAR // 2, 0, len(years) - 1)
    around = pd.Series(years[middle], index=sums.index)
    return (sums / around.where(around > 0)).fillna(1.0)


def capacity(
    reps: pd.DataFrame,
    quotas: pd.DataFrame,
    target: pd.DataFrame,
    *,
    months: Iterable[Any],
    as_of: Any,
    attainment: float,
    ramp_months: int | Sequence[float] = 6,
    attrition: float = 0.15,
    recruiting_months: int = 2,
    season: pd.Series | None = None,
) -> pd.DataFrame:
    """What the reps can sell, and the smallest set of hires, by start month, that closes the gap to the target.

    reps        rep            start, end (dates); without a start: long here
    quotas      rep × month    quota (money): the mean per rep and month over the last 12 months that have one, or
                               the coming ones, is what a full rep is asked for
    target      month          target (money): what has to be sold
    attainment  fraction       of quota that a full rep sells (see `attainment`)
    season      month: factor  what a rep sells in the month as a share of the year's mean (see `season`); None: every month the same
    returns     frames.HIRING, every month of `months`

        capacity = Σ reps quota × attainment × season × ramp(months since start) × (1 − attrition)^(years from as_of)
        gap      = capacity − target       negative: short; before hires
        hired    = capacity with the hires

    A hire starts after recruiting_months at the earliest and needs the ramp. So hires are asked to close the gap from
    the first month in which someone recruited today is fully ramped; a gap before it no hiring can close, and it stays
    in the table. Fewest hires first, then the latest starts. naive_reps = target / quota: it forgets ramp, leavers and
    attainment, and is a warning only.
    """
    span = pd.DatetimeIndex(list(months))
    wanted = target.groupby("month")["target"].sum().reindex(span).fillna(0.0).to_numpy()
    quota = _full_quota(quotas, as_of)
    ahead = np.array([max(frames.months_between(as_of, m), 0) for m in span])
    stays = (1 - attrition) ** (ahead / 12)
    people, full = _team(reps, span, ramp_months, as_of)
    sells = quota * attainment * (np.ones(len(span)) if season is None else season.reindex(span).fillna(1.0).to_numpy())
    can = full * stays * sells
    worth = np.array([[sells[t] * float(ramp(t - s, ramp_months)) * (1 - attrition) ** (max(t - s, 0) / 12) for s in range(len(span))] for t in range(len(span))])
    earliest = recruiting_months - frames.months_between(as_of, span[0]) if len(span) else 0
    hires = _fewest(wanted - can, worth, wanted, max(earliest, 0), ramp_months if isinstance(ramp_months, int) else len(ramp_months))
    out = pd.DataFrame({
        "month": span, "reps": people * stays, "target": wanted, "capacity": can, "gap": can - wanted, "hires": hires,
        "hired": can + worth @ hires, "naive_reps": wanted / quota if quota else np.nan,
    })
    return frames.conform(out, frames.HIRING)


def _full_quota(quotas: pd.DataFrame, as_of: Any) -> float:
    """Money a month that one rep is asked for: the mean over reps and the latest 12 months with quotas."""
    if quotas.empty:
        return 0.0
    known = quotas[quotas["month"] <= frames.next_month(as_of, 11)]
    recent = known[known["month"] > frames.next_month(known["month"].max(), -12)]
    recent = recent[recent["quota"] > 0]
    return float(recent["quota"].sum() / len(recent)) if len(recent) else 0.0


def _team(reps: pd.DataFrame, span: pd.DatetimeIndex, ramp_months: int | Sequence[float], as_of: Any) -> tuple[np.ndarray, np.ndarray]:
    """People present in each month, and their sum as full reps."""
    start = reps["start"].fillna(pd.Timestamp(as_of) - pd.DateOffset(years=50)).dt.to_period("M").dt.to_timestamp()
    end = reps["end"].fillna(pd.Timestamp.max.normalize())
    here = np.array([[(s <= m) and (e >= m) for s, e in zip(start, end, strict=True)] for m in span]).reshape(len(span), len(reps))
    since = np.array([[frames.months_between(s, m) for s in start] for m in span]).reshape(len(span), len(reps))
    return here.sum(axis=1).astype(float), (here * ramp(since, ramp_months)).sum(axis=1)


def _fewest(short: np.ndarray, worth: np.ndarray, target: np.ndarray, earliest: int, full_after: int) -> np.ndarray:
    """Whole hires by start month: the fewest that cover what is short, and of those the latest starts.

    Minimise Σ hires, then Σ hires × months employed, subject to worth × hires ≥ short in the months that hiring can reach.
    """
    from scipy import optimize

    count = len(short)
    reach = np.arange(count) >= min(earliest + full_after, count - 1)
    need = np.where(reach & (short > _GAP_DUST * np.maximum(target, 1)), short, 0.0)
    allowed = (np.arange(count) >= earliest) & (worth.max(axis=0, initial=0) > 0)
    if not need.any() or not allowed.any() or (worth[need > 0][:, allowed].max(axis=1, initial=0) <= 0).any():
        return np.zeros(count, dtype=int)
    scale = worth.max()
    cover = optimize.LinearConstraint(worth / scale, lb=need / scale)
    bounds = optimize.Bounds(0, np.where(allowed, np.inf, 0))
    whole = np.ones(count)
    fewest = optimize.milp(whole, constraints=[cover], bounds=bounds, integrality=whole)
    total = round(fewest.fun)
    employed = np.arange(count, 0, -1).astype(float)
    latest = optimize.milp(employed, constraints=[cover, optimize.LinearConstraint(whole[None, :], ub=total)], bounds=bounds, integrality=whole)
    return np.rint(latest.x).astype(int)
