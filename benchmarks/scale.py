"""How long, and with how much memory, the demand step takes for N series: backtest, choice, forecast, bands, plan, changes.

    python benchmarks/scale.py                      480 series × 60 months, one worker and two
    python benchmarks/scale.py --series 10000 --months 48 --workers 2

Prints one line per run: seconds by step, the peak memory of the process, and whether all runs gave the same values.
The series are made up: a season, a level that wanders, and one in three bought now and then.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import time

import numpy as np
import pandas as pd

from sopnb import changes, demand, forecast, frames, plan

LAGS = [1, 2, 3]


def made_up(series: int, months: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History and item master of `series` items in twelve families."""
    rng = np.random.default_rng(20261001)
    t = np.arange(months)
    level = rng.lognormal(4, 1, (series, 1)) * np.exp(rng.normal(0, 0.03, (series, months)).cumsum(axis=1))
    season = 1 + rng.uniform(0, 0.4, (series, 1)) * np.sin(2 * np.pi * (t + rng.integers(0, 12, (series, 1))) / 12)
    units = np.round(rng.gamma(20, 0.05, (series, months)) * level * season)
    rare = np.arange(series) % 3 == 0
    units[rare] = np.round(units[rare] * (rng.random((int(rare.sum()), months)) < 0.35))
    items = pd.DataFrame({"item": [f"I{i:06d}" for i in range(series)]})
    items["family"] = [f"F{i % 12:02d}" for i in range(series)]
    history = pd.DataFrame({
        "item": np.repeat(items["item"].to_numpy(), months), "location": "all",
        "month": np.tile(frames.months("2021-10", months).to_numpy(), series), "demand": units.ravel(),
    })  # fmt: skip
    history = history.assign(demand_raw=history["demand"], returns=0.0, shipped=history["demand"], revenue=history["demand"] * 10)
    return history, items.assign(unit_cost=6.0, unit_price=10.0)


def run(history: pd.DataFrame, items: pd.DataFrame, workers: int, horizon: int) -> tuple[dict[str, float], str]:
    """Seconds by step, and a digest of the forecast."""
    seconds, before = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal before
        now = time.perf_counter()
        seconds[name], before = now - before, now

    segments = demand.segments(history, items)
    lap("segments")
    tested = forecast.backtest(history, segments=segments, items=items, horizon=horizon, far=True, lags=LAGS, workers=workers)
    lap("backtest")
    scores = forecast.choose(tested, lags=LAGS, segments=segments)
    lap("choice")
    ahead = frames.months(frames.next_month(history["month"].max()), horizon)
    found = forecast.baseline(history, scores, tested, months=ahead, items=items, workers=workers)
    lap("forecast")
    forecast.coverage(tested, scores, history, by=[])
    lap("coverage")
    planned = plan.consensus(found, items=items, months=ahead, as_of=ahead[0], history=history)
    lap("plan")
    other = scores.assign(chosen=scores["model"] == "Naive")  # as if last cycle had chosen another model for every series
    steps = forecast.retrace(history, scores, other, months=ahead, items=items, tested=tested, restated=history.tail(1), workers=workers)
    changes.changes(planned, planned.assign(baseline=0.9 * planned["baseline"]), steps=steps)
    lap("changes")
    return seconds, hashlib.sha256(pd.util.hash_pandas_object(found, index=False).to_numpy().tobytes()).hexdigest()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--series", type=int, default=480)
    ask.add_argument("--months", type=int, default=60)
    ask.add_argument("--horizon", type=int, default=18)
    ask.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    given = ask.parse_args()
    history, items = made_up(given.series, given.months)
    digests = set()
    for workers in given.workers:
        seconds, digest = run(history, items, workers, given.horizon)
        digests.add(digest)
        unit = 1024**2 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        steps = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
        print(f"{given.series} series × {given.months} months, workers {workers}: {sum(seconds.values()):.2f} s ({steps}), peak {peak:,.0f} MB")
    print("same values" if len(digests) == 1 else "VALUES DIFFER between workers")


if __name__ == "__main__":
    main()
