"""Work that is spread over processors, with the same values as on one.

Models of single series run in processes; the learner, whose libraries let go of the interpreter, in threads: all of them read the same cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from sopnb import models
from sopnb.panel import Panel

CHUNK = 400  # series at a time: the arrays of all candidate constants stay in the processor's cache
WORTH = 40_000  # series × months from which processes cost less than they save


def chunks(rows: np.ndarray) -> Iterable[np.ndarray]:
    for i in range(0, len(rows), CHUNK):
        yield rows[i : i + CHUNK]


def forecasts(
    names: Sequence[str], y: np.ndarray, profile: np.ndarray, steps: int, season: int, cap_multiple: float
) -> tuple[dict[str, np.ndarray], int]:
    """Bounded forecasts of some models for some series: model → series × steps; and how many gave no number (Average12 answers)."""
    panel = Panel(y, steps, season, profile)
    cap = cap_multiple * np.nan_to_num(y).max(axis=1, initial=0.0)[:, None]
    spare = np.repeat(models.run(Panel(y, 1, season, profile), "Average12"), steps, axis=1)
    out, fallen = {}, 0
    for name in names:
        values = models.run(panel, name)
        bad = ~np.isfinite(values).all(axis=1)
        fallen += int(bad.sum())
        values = np.where(bad[:, None], spare, values)
        out[name] = values if name in models.PLAIN else np.clip(values, 0.0, cap)
    return out, fallen


def shared(
    do: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], workers: int, *, size: int, meanwhile: Callable[[], None] | None = None
) -> list[Any]:
    """The results of some tasks, in their order, from as many processes as asked for where their size (numbers) makes that pay.

    meanwhile  done here while other processes work
    """
    if workers <= 1 or len(tasks) < 2 or size < WORTH:
        return [do(*task) for task in tasks]
    from joblib import Parallel, delayed

    found = Parallel(n_jobs=workers, batch_size=1, return_as="generator")(delayed(do)(*task) for task in tasks)
    if meanwhile is not None:
        meanwhile()
    return list(found)


def threaded(do: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], workers: int) -> list[Any]:
    """The results of some tasks, in their order, from threads. Libraries keep to one thread each: their last bits would hang on how many."""
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    if workers <= 1 or len(tasks) < 2:
        return [do(*task) for task in tasks]
    with threadpool_limits(1):
        return list(Parallel(n_jobs=workers, backend="threading", batch_size=1)(delayed(do)(*task) for task in tasks))
