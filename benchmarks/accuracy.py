"""How good the forecast is on any data set, beside the models that people know.

    python benchmarks/accuracy.py --data FILE.parquet --horizon 18 [--season 12] --out FORECASTS.parquet

FILE has `unique_id, ds, y, split` (train or test), one row a month. The test part is forecast from the train part with the code and the
default settings that a company gets: outliers and lasting changes of level looked for, segments, backtest, choice, bands. Nothing is reconciled, since no
families are known.
FORECASTS gets `unique_id, ds, y_hat, lo-80, hi-80, lo-95, hi-95` for the test months.

Printed, for sopnb and, measured in the same run on one core, for seasonal naive, AutoETS, AutoTheta, AutoCES (statsforecast) and
their mean and median:
    sMAPE   percent, 0 to 200                                   MASE    scale: seasonal naive in the train part
    OWA     mean of sMAPE and MASE over those of Naive2 (M4)     RMSSE   scale: naive in the train part from its first demand (M5)
    bias    Σ forecast / Σ demand − 1                            80, 95  share of months inside the band; MSIS of the 95 % band
    s/1000  seconds per 1,000 series, points and bands
`--workers 2` runs sopnb a second time with two processes and says whether every number is the same. `--quick` leaves the others out.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # one core a process: the clock compares like with like

import numpy as np
import pandas as pd

from sopnb import cleaning, demand, forecast, frames
from sopnb.params import Demand

LEVELS = {"80": 0.80, "95": 0.95}
OTHERS = ("SeasonalNaive", "AutoETS", "AutoTheta", "AutoCES")


# --- sopnb ----------------------------------------------------------------------------------------------------------


def company(train: pd.DataFrame, horizon: int, season: int, workers: int) -> pd.DataFrame:
    """Forecast by the chain of 01 and 02: clean, sort, test, choose, forecast.

    Series may end in different months; a company's all end in the last month. Rows that are weeks or quarters count as months. They are moved to end together, and each is a family of its own:
    nobody knows whether a neighbour's season is its season.
    """
    rules = Demand(season=season)
    history, items = _as_history(train)
    learned = cleaning.clean(history, items, outliers=rules.outliers, level_shifts=rules.level_shifts, season=season)
    learned = learned.assign(demand=learned["learned"])
    segments = demand.segments(history, items, **rules.model_dump(include={"abc", "xyz", "adi", "cv2", "new_months", "short_months", "season"}))
    tested = forecast.backtest(
        history, segments=segments, items=items, horizon=horizon, origins=rules.origins, far=True, season=season, lags=rules.decision_lags,
        models=rules.models or None, cap_multiple=rules.cap_multiple, workers=workers)
    scores = forecast.choose(tested, lags=rules.decision_lags, segments=segments)
    months = frames.months(frames.next_month(history["month"].max()), horizon)
    ahead = forecast.baseline(learned, scores, tested, months=months, season=season, cap_multiple=rules.cap_multiple, items=items, workers=workers)
    wide = {name: ahead.pivot(index="item", columns="month", values=name).to_numpy() for name in ("baseline", "lo80", "hi80", "lo95", "hi95")}
    names = {"baseline": "y_hat", "lo80": "lo-80", "hi80": "hi-80", "lo95": "lo-95", "hi95": "hi-95"}
    ids = np.sort(ahead["item"].unique())
    out = pd.DataFrame({"unique_id": np.repeat(ids, horizon), "step": np.tile(np.arange(horizon), len(ids))})
    out.attrs["chosen"] = ahead.drop_duplicates("item")["model"].value_counts().to_dict()
    return out.assign(**{names[name]: values.ravel() for name, values in wide.items()})


def _position(train: pd.DataFrame) -> pd.Series:
    """Each row's place in time: its month, or, where rows are weeks or quarters, its number in the series."""
    days = train.groupby("unique_id")["ds"].diff().dt.days.median()
    if 25 <= days <= 35:
        return train["ds"].dt.year * 12 + train["ds"].dt.month
    return train.groupby("unique_id").cumcount()


def _as_history(train: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    at = _position(train)
    behind = at - at.groupby(train["unique_id"]).transform("max")
    months = frames.months("2000-01", int(-behind.min()) + 1)
    y = train["y"].to_numpy(dtype="float64")
    history = pd.DataFrame({
        "item": train["unique_id"].astype(str).to_numpy(), "location": "all", "month": months[len(months) - 1 + behind.to_numpy()], "demand": y,
    })  # fmt: skip
    history = history.assign(demand_raw=y, returns=0.0, revenue=y, censored=False)
    items = pd.DataFrame({"item": np.sort(history["item"].unique())})
    return history, items.assign(family=items["item"], unit_cost=np.nan)


# --- the models that people know ------------------------------------------------------------------------------------


def others(train: pd.DataFrame, horizon: int, season: int) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Their forecasts with bands, and seconds."""
    from statsforecast import StatsForecast
    from statsforecast import models as known

    found, seconds = {}, {}
    for name in OTHERS:
        before = time.perf_counter()
        spread = StatsForecast(models=[getattr(known, name)(season_length=season)], freq="MS", n_jobs=1, fallback_model=known.Naive())
        levels = {} if name == "AutoCES" else {"level": [80, 95]}  # bands of CES are simulated: 16 times the time
        table = spread.forecast(df=train[["unique_id", "ds", "y"]], h=horizon, **levels)
        seconds[name] = time.perf_counter() - before
        called = next(column for column in table.columns if column not in ("unique_id", "ds"))  # AutoCES calls its column CES
        table = table.rename(columns={called: "y_hat", **{f"{called}-{side}-{level}": f"{side}-{level}" for side in ("lo", "hi") for level in LEVELS}})
        found[name] = table.fillna({"y_hat": 0.0}).assign(y_hat=lambda t: t["y_hat"].clip(lower=0))
    stack = np.stack([found[name]["y_hat"].to_numpy() for name in OTHERS[1:]])
    for name, joined in {"Mean of the three": stack.mean(axis=0), "Median of the three": np.median(stack, axis=0)}.items():
        found[name] = found["AutoETS"][["unique_id", "ds"]].assign(y_hat=joined)
        seconds[name] = sum(seconds[part] for part in OTHERS[1:])
    return found, seconds


def naive2(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The naive forecast of the seasonally adjusted series, adjusted where the 90 % test of the M competitions sees a season."""
    if not _seasonal(y, season) or (y <= 0).any():
        return np.repeat(y[-1], horizon)
    weights = np.repeat(1.0, season) if season % 2 else np.r_[0.5, np.repeat(1.0, season - 1), 0.5]
    trend = np.convolve(y, weights / season, "valid")
    half = (len(weights) - 1) // 2
    ratio, place = y[half : len(y) - half] / trend, np.arange(half, len(y) - half) % season
    index = np.array([ratio[place == p].mean() for p in range(season)])
    index = index / index.mean()
    return y[-1] / index[(len(y) - 1) % season] * index[(len(y) + np.arange(horizon)) % season]


def _seasonal(y: np.ndarray, season: int) -> bool:
    if season < 2 or len(y) < 3 * season:
        return False
    x = y - y.mean()
    whole = (x**2).sum()
    if whole == 0:
        return False
    r = np.array([(x[k:] * x[:-k]).sum() / whole for k in range(1, season + 1)])
    return bool(abs(r[-1]) > 1.645 * np.sqrt((1 + 2 * (r[:-1] ** 2).sum()) / len(y)))


# --- the measures ---------------------------------------------------------------------------------------------------


def measures(table: pd.DataFrame, truth: np.ndarray, past: list[np.ndarray], season: int, reference: tuple[float, float]) -> dict[str, float]:
    """All measures of a forecast whose rows run as `truth`, series × steps, does."""
    point = table["y_hat"].to_numpy().reshape(truth.shape)
    out = _errors(point, truth, past, season)
    out["OWA"] = (out["sMAPE"] / reference[0] + out["MASE"] / reference[1]) / 2
    scale = np.array([_change(y, season) for y in past])
    for level, share in LEVELS.items():
        if f"lo-{level}" in table:
            low, high = (np.maximum(table[f"{side}-{level}"].to_numpy().reshape(truth.shape), 0.0) for side in ("lo", "hi"))
            out[level] = float(((truth >= low - 1e-9) & (truth <= high + 1e-9)).mean())
            outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
            width = (high - low + 2 / (1 - share) * outside).mean(axis=1)
            out[f"MSIS{level}"] = float((width[scale > 0] / scale[scale > 0]).mean())
    return out


def _errors(point: np.ndarray, truth: np.ndarray, past: list[np.ndarray], season: int) -> dict[str, float]:
    size = np.abs(point) + np.abs(truth)
    change, jump = np.array([_change(y, season) for y in past]), np.array([_jump(y) for y in past])
    absolute, square = np.abs(point - truth).mean(axis=1), ((point - truth) ** 2).mean(axis=1)
    return {
        "sMAPE": float(200 * np.divide(np.abs(point - truth), size, out=np.zeros_like(size), where=size > 0).mean()),
        "MASE": float((absolute[change > 0] / change[change > 0]).mean()),
        "RMSSE": float(np.sqrt(square[jump > 0] / jump[jump > 0]).mean()),
        "bias": float(point.sum() / truth.sum() - 1),
    }


def _change(y: np.ndarray, season: int) -> float:
    lag = season if len(y) > season else 1
    return float(np.abs(y[lag:] - y[:-lag]).mean()) if len(y) > lag else 0.0


def _jump(y: np.ndarray) -> float:
    y = y[np.argmax(y != 0) :] if (y != 0).any() else y[:0]
    return float((np.diff(y) ** 2).mean()) if len(y) > 1 else 0.0


# --- the run --------------------------------------------------------------------------------------------------------


def read(path: str, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test part, sorted; every series has `horizon` test months."""
    table = pd.read_parquet(path, columns=["unique_id", "ds", "y", "split"]).sort_values(["unique_id", "ds"], kind="stable")
    table = table.assign(unique_id=table["unique_id"].astype(str), ds=pd.to_datetime(table["ds"]))
    train, test = (table[table["split"] == split].reset_index(drop=True) for split in ("train", "test"))
    if table.duplicated(["unique_id", "ds"]).any():
        twice = table.loc[table.duplicated(["unique_id", "ds"])].iloc[0]
        sys.exit(f"{path}: series {twice['unique_id']} has {twice['ds']:%Y-%m-%d} twice.")
    if len(unknown := sorted(set(test["unique_id"]) - set(train["unique_id"]))):
        sys.exit(f"{path}: {len(unknown)} series have test months and nothing to learn from, {unknown[0]} for one.")
    counts = test.groupby("unique_id").size().reindex(train["unique_id"].unique(), fill_value=0)
    if (counts != horizon).any():
        sys.exit(f"{path}: series {counts.index[counts != horizon][0]} has {counts[counts != horizon].iloc[0]} test months, --horizon says {horizon}.")
    return train, test


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--season", type=int, default=12)
    parser.add_argument("--out")
    parser.add_argument("--workers", type=int, default=1, help="2: run a second time with two processes and compare")
    parser.add_argument("--quick", action="store_true", help="sopnb and Naive2 alone")
    given = parser.parse_args(argv)
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    train, test = read(given.data, given.horizon)
    past = [g.to_numpy(dtype="float64") for _, g in train.groupby("unique_id", sort=True)["y"]]
    truth = test["y"].to_numpy(dtype="float64").reshape(len(past), given.horizon)
    plain = _errors(np.stack([naive2(y, given.horizon, given.season) for y in past]), truth, past, given.season)
    reference = (plain["sMAPE"], plain["MASE"])
    before = time.perf_counter()
    own = company(train, given.horizon, given.season, 1)
    seconds = {"sopnb": time.perf_counter() - before}
    tables = {"sopnb": own}
    if not given.quick:
        found, took = others(train, given.horizon, given.season)
        tables, seconds = {**tables, **found}, {**seconds, **took}
    rows = {name: measures(table, truth, past, given.season, reference) for name, table in tables.items()}
    shown = pd.DataFrame(rows).T.assign(**{"s/1000": pd.Series(seconds) * 1000 / len(past)})
    columns = ["sMAPE", "MASE", "OWA", "RMSSE", "bias", "80", "95", "MSIS95", "s/1000"]
    print(f"{given.data}: {len(past):,} series, {given.horizon} months ahead; Naive2: sMAPE {reference[0]:.3f}, MASE {reference[1]:.4f}")
    print(shown.reindex(columns=columns).to_string(float_format=lambda v: f"{v:.4f}", na_rep="–"))
    print("chosen: " + ", ".join(f"{name} {count}" for name, count in own.attrs["chosen"].items()))
    if not given.quick:
        print(f"sopnb took {seconds['sopnb'] / seconds['AutoETS']:.2f} × the time of AutoETS")
    if given.workers > 1:
        _twice(train, given, own, seconds["sopnb"])
    if given.out:
        out = own.drop(columns="step")
        out.insert(1, "ds", test["ds"].to_numpy())
        out.to_parquet(given.out, index=False)


def _twice(train: pd.DataFrame, given: argparse.Namespace, own: pd.DataFrame, seconds: float) -> None:
    before = time.perf_counter()
    again = company(train, given.horizon, given.season, given.workers)
    took = time.perf_counter() - before
    print(f"{given.workers} processes: {seconds / took:.2f} × faster, {'equal to the bit' if own.equals(again) else 'NOT EQUAL'}")


if __name__ == "__main__":
    main()
