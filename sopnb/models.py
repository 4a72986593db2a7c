"""The forecasting models by name, and which of them a series tries.

A model is a function from a `panel.Panel` to forecasts, series × steps: `smoothing` holds those for demand that is there every
month, `intermittent` those for demand with empty months. Combinations are written with a plus (`Theta+HoltWinters`) and
are the mean of their parts; `Mean`, `Median`, `Weighted` and `Learned` join all members of a field (`combinations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sopnb import intermittent, smoothing
from sopnb.panel import Panel as Panel  # one door to the rooms

MODELS: dict[str, Callable[[Panel], np.ndarray]] = {
    "Naive": smoothing.naive,
    "SeasonalNaive": smoothing.seasonal_naive,
    "Average6": smoothing.window_average(6),
    "Average12": smoothing.window_average(12),
    "TwoSeasons": smoothing.two_seasons,
    "SES": smoothing.ses,
    "Theta": smoothing.theta,
    "Theta60": smoothing.recent(smoothing.theta, 60),
    "DampedTrend": smoothing.damped,
    "HoltWinters": smoothing.holt_winters,
    "HoltWinters72": smoothing.recent(smoothing.holt_winters, 72),
    "HoltWintersAdded": smoothing.holt_winters_added,
    "HoltWintersLogs": smoothing.holt_winters_logs,
    "CES": smoothing.ces,
    "Airline": smoothing.airline,
    "SBA": intermittent.sba,
    "TSB": intermittent.tsb,
    "ADIDA": intermittent.adida,
    "IMAPA": intermittent.imapa,
}

# Found in statsforecast; slower by a factor of 10 to 200, loaded only where a company names them in `demand.models`.
BORROWED = ("AutoETS", "AutoCES", "AutoARIMA", "AutoTheta", "DynamicOptimizedTheta", "OptimizedTheta", "CrostonOptimized", "MSTL")

PLAIN = ("Naive", "SeasonalNaive")
JOINT = ("Mean", "Median", "Weighted", "Learned")  # made from all other members of a field

# M3 monthly, 18 months ahead, OWA: HoltWintersLogs 0.809, HoltWinters 0.822, CES 0.830, DampedTrend 0.832, Theta 0.832, HoltWintersAdded
# 0.858, Airline 0.890, SeasonalNaive 1.066. The weak ones stand in the field for being wrong in their own way.
REGULAR = (
    *PLAIN, "TwoSeasons", "Theta", "Theta60", "DampedTrend", "HoltWinters", "HoltWinters72", "HoltWintersAdded", "HoltWintersLogs", "CES",
    "Airline", *JOINT,
)  # fmt: skip
RARE = (*PLAIN, "Average12", "SES", "SBA", "TSB", "ADIDA", "IMAPA", "Average12+IMAPA", *JOINT)
YOUNG = (*PLAIN, "Average6", "SES", "Theta", "TSB", "Average6+SES", "Learned")

FIELDS: dict[str, tuple[str, ...]] = {
    "smooth": REGULAR, "erratic": REGULAR, "intermittent": RARE, "lumpy": RARE, "short": YOUNG, "new": YOUNG, "ending": YOUNG,
}  # fmt: skip
# What a series that could not be tested gets.
DEFAULT: dict[str, str] = {
    "smooth": "Median", "erratic": "Median", "intermittent": "Average12+IMAPA",
    "lumpy": "Average12+IMAPA", "short": "Average6+SES", "new": "Average6+SES", "ending": "Average6+SES",
}  # fmt: skip


def parts(name: str) -> list[str]:
    """The single models of a combination.

    >>> parts("Theta+HoltWinters")
    ['Theta', 'HoltWinters']
    """
    return name.split("+")


def known(name: str) -> bool:
    """Whether every part of a model's name is a model."""
    return name in JOINT or all(part in MODELS or part in BORROWED for part in parts(name))


def singles(names: Iterable[str]) -> list[str]:
    """The single models that some names are made of, without the joint ones.

    >>> singles(["Naive", "Average6+SES", "Median"])
    ['Average6', 'Naive', 'SES']
    """
    return sorted({part for name in names if name not in JOINT for part in parts(name)})


def members(names: Iterable[str]) -> list[str]:
    """The models that the joint ones of a field are made of: its singles but the plain naive ones.

    >>> members(["Naive", "SES", "Theta", "SES+Theta", "Median"])
    ['SES', 'Theta']
    """
    return [name for name in singles(names) if name not in PLAIN]


def field(names: Iterable[str]) -> tuple[str, ...]:
    """The field that a company names: with both naive models; joint ones join what else is named, or else the regular field.

    >>> field(["Theta"])
    ('Naive', 'SeasonalNaive', 'Theta')
    """
    names = list(names)
    joined = (members(names) or members(REGULAR)) if set(names) & set(JOINT) else []
    return tuple(dict.fromkeys([*PLAIN, *joined, *names]))


def run(panel: Panel, name: str, *, workers: int = 1) -> np.ndarray:
    """Forecasts of a single model, series × steps; NaN or infinite where it gives none for a series."""
    if name in MODELS:
        with np.errstate(all="ignore"):
            return MODELS[name](panel)
    return _borrowed(panel, name, workers)


def _borrowed(panel: Panel, name: str, workers: int) -> np.ndarray:
    """A model of statsforecast; NaN where it fails."""
    import pandas as pd
    from statsforecast import StatsForecast, models

    enough = np.flatnonzero(panel.months >= 4)  # the library's models raise below
    out = np.full((len(panel.y), panel.steps), np.nan)
    if not len(enough):
        return out
    rows, columns = np.nonzero(~np.isnan(panel.y[enough]))
    month = pd.date_range("2000-01-01", periods=panel.y.shape[1], freq="MS")
    long = pd.DataFrame({"unique_id": rows, "ds": month[columns], "y": panel.y[enough][rows, columns]})
    model = models.MSTL(season_length=panel.season) if name == "MSTL" else (
        models.CrostonOptimized() if name == "CrostonOptimized" else getattr(models, name)(season_length=panel.season)
    )
    spread = StatsForecast(models=[model], freq="MS", n_jobs=workers, fallback_model=models.NaNModel())
    found = spread.forecast(df=long, h=panel.steps)
    value = next(c for c in found.columns if c not in ("unique_id", "ds", "index"))
    out[enough] = found[value].to_numpy(dtype="float64").reshape(len(enough), panel.steps)
    return out
