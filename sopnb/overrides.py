"""A person's changes to the forecast: which of them count, what they move, and how several people's become one table.

    cell        level × key × location × month: what an override speaks of
    said        absolute: the cell becomes `value` units; delta: `value` units more; percent: grows by the fraction `value`
    spread      by the shares of the plan so far, equally where all of it is zero

Of one cell one word counts. A person's own later word replaces the earlier one. Where two people say different things
of one cell, neither counts until one of them is taken out: to apply one after the other would count the same knowledge
twice, and to take the later one would let whoever files last decide. Overrides of different cells (an item and its
family) are taken in the order they were made, each seeing what those before it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sopnb import frames

LEVELS = ("item", "family", "location", "total")
KINDS = ("absolute", "delta", "percent")
CELL = ["level", "key", "location", "month"]
SAID = ["kind", "value", "reason", "note", "expires"]
HISTORY = ["day", "change", "file", *frames.OVERRIDES.names]
_CASES = ["origin", "lag"]


def known(overrides: pd.DataFrame, as_of: Any) -> pd.DataFrame:
    """Overrides made before the end of the month of `as_of`: those of the cycle month are made for this cycle."""
    return overrides[overrides["made_on"].isna() | (overrides["made_on"] < frames.next_month(pd.Timestamp(as_of)))]


def cells(overrides: pd.DataFrame) -> pd.DataFrame:
    """level × key × location × month of each override, one way of writing for each cell; the index is kept.

    A location is said as level `location` with its name as key, or as level `total` with its name as location.
    """
    place = overrides["location"].where(overrides["location"].notna() & (overrides["location"] != ""), "all")
    of_place = (overrides["level"] == "location") & overrides["key"].notna()
    named = overrides["level"].isin(["item", "family"])
    return pd.DataFrame({
        "level": overrides["level"].where(~of_place, "total"), "key": overrides["key"].where(named, ""),
        "location": place.where(~of_place, overrides["key"]), "month": overrides["month"]}, index=overrides.index)


def standing(overrides: pd.DataFrame, *, as_of: Any, last: Any = None) -> pd.Series:
    """Why an override does not count, or '' where it does. The index is that of `overrides`.

    last       the last month planned; None: any
    returns    expired   its last day, or its month, lies before as_of
               beyond    its month is after the last
               conflict  another person says something else of the same cell
               replaced  its owner said something of the cell later, or another person said the very same before
    """
    state = pd.Series("", index=overrides.index, dtype=object)
    gone = (overrides["expires"] < pd.Timestamp(as_of)) | (overrides["month"] < frames.month(as_of))
    state[gone] = "expired"
    if last is not None:
        state[(state == "") & (overrides["month"] > last)] = "beyond"
    alive = overrides.assign(**cells(overrides), owner=overrides["owner"].fillna(""))[state == ""]
    shared = alive[alive.duplicated(CELL, keep=False)].sort_values(["made_on", "override"], kind="stable")
    for _, cell in shared.groupby(CELL, dropna=False):
        state[cell.index] = _settled(cell)
    return state


def _settled(cell: pd.DataFrame) -> list[str]:
    """The states of several overrides of one cell, in the order they were made."""
    latest = ~cell.duplicated("owner", keep="last")
    words = cell[latest].drop_duplicates(["kind", "value"])
    if len(words) > 1:
        return ["conflict" if is_latest else "replaced" for is_latest in latest]
    return ["" if row == words.index[0] else "replaced" for row in cell.index]


def usual_errors(tested: pd.DataFrame, scores: pd.DataFrame, *, lags: Sequence[int]) -> pd.DataFrame:
    """What the chosen model of each series missed by in the backtest, at the decision lags.

    returns  item × location × origin × lag   error (units)
    """
    names = ["item", "location", *_CASES, "error"]
    if tested.empty or scores.empty:
        return pd.DataFrame(columns=names)
    chosen = scores.loc[scores["chosen"], ["item", "location", "model"]]
    rows = tested[tested["lag"].isin(list(lags))].merge(chosen, on=["item", "location", "model"])
    return rows.assign(error=rows["forecast"] - rows["demand"])[names]


# --- what they move -------------------------------------------------------------------------------------------------

def apply(
    grid: pd.DataFrame, now: np.ndarray, overrides: pd.DataFrame | None, as_of: Any, *,
    errors: pd.DataFrame | None = None, small: float = 0.5, small_share: float = 0.05,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Units each row of the plan moves, and the record of each override.

    grid      item × location × month   family, baseline (units), price (money per unit)
    now       units of each row before any override
    errors    from `usual_errors`
    returns   units moved by row; the overrides with units, amount (money), noise (units) and state
              noise: mean |Σ error| over the override's rows, case by case; what these rows usually miss by together
              small: moves less than `small` of the noise; where no error is known, less than `small_share` of the baseline
    """
    moved, records = np.zeros(len(grid)), []
    if overrides is None or overrides.empty:
        return moved, pd.DataFrame()
    noise, price = _Noise(grid, errors), grid["price"].fillna(0).to_numpy()
    baseline = grid["baseline"].to_numpy()
    at_month = {month: np.asarray(rows) for month, rows in grid.groupby("month", sort=True).indices.items()}
    columns = {name: pd.Categorical(grid[name]) for name in ("item", "family", "location")}
    ordered = overrides.assign(state=standing(overrides, as_of=as_of, last=grid["month"].max())).sort_values(["made_on", "override"], kind="stable")
    for record, cell in zip(ordered.to_dict("records"), cells(ordered).to_dict("records"), strict=True):
        record.update(units=0.0, amount=0.0, noise=float("nan"))
        records.append(record)
        rows = _rows(at_month.get(cell["month"], np.array([], dtype=int)), columns, cell["level"], cell["key"], cell["location"])
        if record["state"]:
            continue
        if not len(rows) or record["kind"] not in KINDS or pd.isna(record["value"]):
            record["state"] = "unknown"
            continue
        current = now[rows] + moved[rows]
        change = np.maximum(_change(record["kind"], record["value"], current), -current)
        moved[rows] += change
        record["units"], record["amount"], record["noise"] = float(change.sum()), float((change * price[rows]).sum()), noise.of(rows)
        limit = small * record["noise"] if np.isfinite(record["noise"]) else small_share * baseline[rows].sum()
        record["state"] = "small" if abs(record["units"]) < limit or record["units"] == 0 else "used"
    return moved, pd.DataFrame.from_records(records)


def spread(units: float, current: np.ndarray) -> np.ndarray:
    """Units over rows, by the shares of what is there, equally where nothing is.

    >>> spread(10.0, np.array([60.0, 40.0])).tolist()
    [6.0, 4.0]
    """
    total = current.sum()
    return units * (current / total if total > 0 else np.full(len(current), 1 / len(current)))


def _change(kind: str, value: float, current: np.ndarray) -> np.ndarray:
    """Units each row changes: percent of itself, or the whole spread by shares of the plan so far."""
    if kind == "percent":
        return current * value
    return spread(value - current.sum() if kind == "absolute" else value, current)


def _rows(rows: np.ndarray, columns: dict[str, pd.Categorical], level: Any, key: Any, location: Any) -> np.ndarray:
    """Of these rows, those a cell holds; by codes, since overrides come in thousands."""
    if level not in LEVELS:
        return rows[:0]
    # A company without locations has the one location `all`; then everything is said for it.
    wanted = ([(level, key)] if level in ("item", "family") else []) + ([] if location == "all" else [("location", location)])
    for name, value in wanted:
        if value not in columns[name].categories:
            return rows[:0]
        rows = rows[columns[name].codes[rows] == columns[name].categories.get_loc(value)]
    return rows


class _Noise:
    """What rows of the plan usually miss by together: errors are added up before their size is taken, so that what
    evens out among the items of a family is not counted as its error."""

    def __init__(self, grid: pd.DataFrame, errors: pd.DataFrame | None):
        self.cases = None
        if errors is not None and len(errors):
            wide = errors.pivot_table(index=["item", "location"], columns=_CASES, values="error")
            self.cases = wide.reindex(pd.MultiIndex.from_frame(grid[["item", "location"]])).to_numpy()

    def of(self, rows: np.ndarray) -> float:
        """NaN where no error of these rows is known."""
        if self.cases is None:
            return float("nan")
        found = self.cases[rows]
        known_cases = ~np.isnan(found).all(axis=0)
        return float(np.abs(np.nansum(found[:, known_cases], axis=0)).mean()) if known_cases.any() else float("nan")


# --- many people's words, one table ---------------------------------------------------------------------------------

@dataclass(frozen=True)
class Merged:
    """What loading people's files makes of the overrides.

    table      frames.OVERRIDES: what stands afterwards
    log        HISTORY: one row for each change (was, added, revised); none where nothing changes
    conflicts  frames.OVERRIDES: all words of the cells two people speak of differently
    counts     added, revised, unchanged, agreed: how many rows
    """

    table: pd.DataFrame
    log: pd.DataFrame
    conflicts: pd.DataFrame
    counts: dict[str, int]


def merge(before: pd.DataFrame, said: pd.DataFrame, *, day: Any, as_of: Any, taken: Iterable[str] = ()) -> Merged:
    """Bring what people say now into what stands.

    before    frames.OVERRIDES, as they stand
    said      override (or missing), level … owner, made_on (or missing), expires, file: checked rows, in any order, one word
              of a person on a cell
    day       the day of loading: made_on where a row has none
    as_of     today, for the cycle: what has expired then takes part in no conflict
    taken     numbers that no new override may bear
    returns   Merged. A row that says what its owner already says changes nothing; one that says something else replaces
              it under the same number; a cell of another person is never touched. Words of two people are both kept.
    """
    rows = {record["override"]: record for record in before.sort_values(["made_on", "override"], kind="stable").to_dict("records")}
    gone = set(before.loc[standing(before, as_of=as_of) == "expired", "override"])
    spoken = {number: cell for number, cell in zip(before["override"], _cells(before), strict=True) if number not in gone}
    by_cell: dict[tuple[Any, ...], dict[str, str]] = {}  # cell: owner: number
    for number in (number for number in rows if number in spoken):
        by_cell.setdefault(spoken[number], {})[rows[number]["owner"] or ""] = number
    counts, log = {"added": 0, "revised": 0, "unchanged": 0, "agreed": 0}, []
    taken = set(taken)
    said = said.sort_values([name for name in ("file", "row") if name in said] or ["owner"], kind="stable")
    for new, cell in zip(said.to_dict("records"), _cells(said), strict=True):
        words = by_cell.setdefault(cell, {})
        file, owner = new.get("file") or "", new["owner"] or ""
        old = rows[words[owner]] if owner in words else None
        if old is not None and all(same(old[name], new[name]) for name in SAID):
            counts["unchanged"] += 1
            continue
        counts["agreed"] += old is None and any(same(rows[n]["kind"], new["kind"]) and same(rows[n]["value"], new["value"]) for n in words.values())
        made = new.get("made_on") if pd.notna(new.get("made_on")) else pd.Timestamp(day)
        number = old["override"] if old is not None else _number({*rows, *taken}, new.get("override"), made)
        if old is not None:
            log.append({**old, "change": "was", "file": file})
        rows[number] = {**{name: new.get(name) for name in frames.OVERRIDES.names}, "override": number, "made_on": made}
        words[owner] = number
        change = "added" if old is None else "revised"
        counts[change] += 1
        log.append({**rows[number], "change": change, "file": file})
    table = _table(list(rows.values()))
    history = pd.DataFrame(log, columns=HISTORY[1:]).assign(day=pd.Timestamp(day))[HISTORY]
    return Merged(table, history, table[standing(table, as_of=as_of) == "conflict"].reset_index(drop=True), counts)


def take_out(before: pd.DataFrame, numbers: Sequence[str], *, day: Any, why: str) -> Merged:
    """What stands without some overrides; the log keeps their last words.

    why   withdrawn or settled
    """
    out = before["override"].isin(list(numbers))
    log = before[out].assign(change=why, file="", day=pd.Timestamp(day))[HISTORY].reset_index(drop=True)
    return Merged(_table(before[~out].to_dict("records")), log, before.iloc[:0], {why: int(out.sum())})


def replay(log: pd.DataFrame) -> pd.DataFrame:
    """What stands after all changes of a history, from nothing: frames.OVERRIDES.

    `was` states a word that stood before the first change the history knows of.
    """
    rows: dict[str, dict[Any, Any]] = {}
    for record in log.to_dict("records"):
        if record["change"] in ("withdrawn", "settled"):
            rows.pop(record["override"], None)
        else:
            rows[record["override"]] = {name: record[name] for name in frames.OVERRIDES.names}
    return _table(list(rows.values()))


def _table(records: list[dict[Any, Any]]) -> pd.DataFrame:
    return frames.conform(pd.DataFrame(records, columns=frames.OVERRIDES.names), frames.OVERRIDES)


def _cells(overrides: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(cells(overrides)[CELL].itertuples(index=False, name=None))


def same(one: Any, other: Any) -> bool:
    """Equal, or both missing; an empty text is missing."""
    absent = [value is None or value == "" or pd.isna(value) for value in (one, other)]
    return all(absent) or (not any(absent) and one == other)


def _number(taken: set[str], wanted: Any, made: pd.Timestamp) -> str:
    """A row's own number where it is free, else the next one of its month: OV-2610-07."""
    if isinstance(wanted, str) and wanted and wanted not in taken:
        return wanted
    count = 1
    while f"OV-{made:%y%m}-{count:02d}" in taken:
        count += 1
    return f"OV-{made:%y%m}-{count:02d}"
