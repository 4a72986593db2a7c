"""The forecasting models, each for many series at once.

Every model is a function from a `Panel` to forecasts, series × steps. All of them walk through time once with the states
of all series (and all candidate smoothing constants) side by side in arrays, so that a thousand series cost
milliseconds. They give the same values however the series are divided. Sums run in a fixed
order, without matrix products.

Smoothing constants come from a grid, by the sum of squared one-step errors. A grid never fails to converge.

Sources
    Assimakopoulos & Nikolopoulos (2000), The theta model, IJF 16(4); Hyndman & Billah (2003), Unmasking the Theta method
    Gardner & McKenzie (1985), Forecasting trends in time series, Management Science 31(10): damped trend
    Winters (1960): seasonal smoothing; Croston (1972); Syntetos & Boylan (2005): SBA
    Teunter, Syntetos & Babai (2011): TSB; Nikolopoulos et al. (2011): ADIDA; Petropoulos & Kourentzes (2015): IMAPA
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sopnb import calendar

SLOW = np.array([0.1, 0.15, 0.2, 0.25, 0.3])  # for sums over months, of which there are few: as in statsforecast
ALPHAS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9])


@dataclass(frozen=True)
class Panel:
    """Many series up to the same month.

    y        series × time, right-aligned: the last column is the origin; NaN before a series' first month
    steps    months to forecast
    season   months in a season
    profile  series × season, mean 1: the seasonal factors a series borrows from its family while it is short; position
             0 is the first forecast month
    """

    y: np.ndarray
    steps: int
    season: int
    profile: np.ndarray

    @cached_property
    def months(self) -> np.ndarray:
        return (~np.isnan(self.y)).sum(axis=1)

    @cached_property
    def ahead(self) -> np.ndarray:
        """Position in the season of each step."""
        return np.arange(self.steps) % self.season

    @cached_property
    def behind(self) -> np.ndarray:
        """Position in the season of each past month."""
        return (np.arange(self.y.shape[1]) - self.y.shape[1]) % self.season

    @cached_property
    def index(self) -> np.ndarray:
        """Series × season: own factors where the series has two full seasons and shows a season, else its family's.

        A season too faint to show in one item's noise shows in the family's total.
        """
        t = self.y.shape[1]
        own = np.roll(calendar.seasonal_index(self.y, season=self.season, robust=False), -(t % self.season), axis=1)
        # Factors near zero would blow the adjusted series up; such items are left to the seasonal naive.
        usable = calendar.is_seasonal(self.y, self.season) & (own.min(axis=1) >= 0.05)
        return np.where(usable[:, None], own, np.maximum(self.profile, 0.05))

    @cached_property
    def adjusted(self) -> np.ndarray:
        """The series without their season."""
        return self.y / self.index[:, self.behind]

    def seasonal(self, level: np.ndarray) -> np.ndarray:
        """Put the season back on forecasts of the adjusted series."""
        return level * self.index[:, self.ahead]


def _mean(y: np.ndarray) -> np.ndarray:
    """Mean of each row without its missing values, as a column; 0 for a row without any."""
    n = (~np.isnan(y)).sum(axis=1, keepdims=True)
    return np.nan_to_num(y).sum(axis=1, keepdims=True) / np.maximum(n, 1)


# --- simple ---------------------------------------------------------------------------------------------------------


def naive(panel: Panel) -> np.ndarray:
    """The last month, again and again."""
    return np.repeat(panel.y[:, -1:], panel.steps, axis=1)


def seasonal_naive(panel: Panel) -> np.ndarray:
    """The same month a season ago; the last month where the series is shorter than a season."""
    t, m = panel.y.shape[1], panel.season
    padded = np.concatenate([np.full((len(panel.y), max(m - t, 0)), np.nan), panel.y], axis=1)[:, -m:]
    out = padded[:, panel.ahead]
    return np.where((panel.months >= m)[:, None] & ~np.isnan(out), out, panel.y[:, -1:])


def window_average(months: int) -> Callable[[Panel], np.ndarray]:
    def model(panel: Panel) -> np.ndarray:
        """The mean of the last months."""
        return np.repeat(_mean(panel.y[:, -months:]), panel.steps, axis=1)

    return model


# --- smoothing ------------------------------------------------------------------------------------------------------


def _head(y: np.ndarray, months: int) -> np.ndarray:
    """The first months of each series, left-aligned."""
    first = np.argmax(~np.isnan(y), axis=1)
    at = first[:, None] + np.arange(months)
    return np.where(at < y.shape[1], np.take_along_axis(y, np.minimum(at, y.shape[1] - 1), axis=1), np.nan)


def _smooth(y: np.ndarray, alphas: np.ndarray, *, first: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Simple exponential smoothing for each constant: last level and Σ squared one-step errors, series × constants.

    The first level is the mean of the first months, four unless told.
    """
    level = np.repeat(_mean(_head(y, first)), len(alphas), axis=1)
    sse = np.zeros_like(level)
    for j in range(y.shape[1]):
        error = np.nan_to_num(y[:, j : j + 1] - level)
        level = level + alphas * error
        sse += error**2
    return level, sse


def _best(values: np.ndarray, sse: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, np.argmin(sse, axis=1)[:, None], axis=1)


def ses(panel: Panel) -> np.ndarray:
    """Simple exponential smoothing on the adjusted series, with the season put back."""
    level, sse = _smooth(panel.adjusted, ALPHAS)
    return panel.seasonal(np.repeat(_best(level, sse), panel.steps, axis=1))


def theta(panel: Panel) -> np.ndarray:
    """Theta: smoothing of the adjusted series plus half its linear trend.

        level + b/2 · (h − 1 + 1/α − (1 − α)^n / α)      b: least-squares slope (Hyndman & Billah 2003)

    A series shorter than a season has no trend: what rises for half a year is as often its season, or its launch. With
    6 months of M3 known, a trend makes the error 12 months ahead 7 % larger, of Australian retail 42 %; with 12 months,
    6 % smaller and 10 % larger.
    """
    y, n = panel.adjusted, panel.months
    level, sse = _smooth(y, ALPHAS)
    alpha = ALPHAS[np.argmin(sse, axis=1)]
    slope = _slope(y)
    drift = (1 - (1 - alpha) ** n) / alpha
    h = np.arange(panel.steps)
    out = _best(level, sse) + slope[:, None] / 2 * (h + drift[:, None])
    return panel.seasonal(np.where((n >= panel.season)[:, None], out, _best(level, sse)))


def _slope(y: np.ndarray) -> np.ndarray:
    """Least-squares slope of each series over its own months."""
    seen = ~np.isnan(y)
    n = seen.sum(axis=1)
    x = np.where(seen, np.arange(y.shape[1]), 0.0)
    centre = x.sum(axis=1) / np.maximum(n, 1)
    dx = np.where(seen, x - centre[:, None], 0.0)
    square = (dx**2).sum(axis=1)
    return (dx * np.nan_to_num(y)).sum(axis=1) / np.where(square > 0, square, 1.0)


def _grid(**axes: list[float]) -> dict[str, np.ndarray]:
    """All combinations of the values, each as a row vector."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: m.ravel()[None, :] for name, m in zip(axes, mesh, strict=True)}


def damped(panel: Panel) -> np.ndarray:
    """Damped trend on the adjusted series (Gardner & McKenzie).

        level ← level + φ·trend + α·error;  trend ← φ·trend + α·β·error;  forecast = level + (φ + … + φ^h)·trend
    """
    y = panel.adjusted
    g = _grid(alpha=[0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9], beta=[0.0, 0.05, 0.1, 0.25], phi=[0.8, 0.9, 0.95, 0.98])
    level, trend = (np.repeat(v[:, None], g["phi"].shape[1], axis=1) for v in _start(y))
    sse = np.zeros_like(level)
    for j in range(y.shape[1]):
        here = ~np.isnan(y[:, j : j + 1])
        error = np.where(here, y[:, j : j + 1] - (level + g["phi"] * trend), 0.0)
        level = np.where(here, level + g["phi"] * trend + g["alpha"] * error, level)
        trend = np.where(here, g["phi"] * trend + g["alpha"] * g["beta"] * error, trend)
        sse += error**2
    best = np.argmin(sse, axis=1)
    rows = np.arange(len(y))
    phi = g["phi"][0, best]
    reach = np.cumsum(phi[:, None] ** np.arange(1, panel.steps + 1), axis=1)
    return panel.seasonal(level[rows, best][:, None] + reach * trend[rows, best][:, None])


def _start(y: np.ndarray, months: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Level and trend before the first month, from a line through the first months."""
    head = _head(y, months)
    width = (~np.isnan(head)).sum(axis=1)
    slope = np.where(width >= 6, _slope(head), 0.0)
    return _mean(head)[:, 0] - slope * (width + 1) / 2, slope


def holt_winters(panel: Panel) -> np.ndarray:
    """Damped trend with seasonal factors that keep learning (Winters); the damped trend alone where a series is short.

        s ← s + γ·(y / level − s) beside the recursions of `damped`
    """
    y, m = panel.y, panel.season
    g = _grid(alpha=[0.05, 0.15, 0.3, 0.5, 0.8], beta=[0.0, 0.1], phi=[0.9, 0.97], gamma=[0.0, 0.1, 0.25])
    width = g["phi"].shape[1]
    level, trend = (np.repeat(v[:, None], width, axis=1) for v in _start(panel.adjusted))
    factors = np.repeat(panel.index[:, None, :], width, axis=1)
    sse = np.zeros_like(level)
    for j, p in enumerate(panel.behind):
        here = ~np.isnan(y[:, j : j + 1])
        season = factors[:, :, p]
        ahead = level + g["phi"] * trend
        error = np.where(here, y[:, j : j + 1] - ahead * season, 0.0)
        step = error / np.maximum(season, 0.05)
        level = np.where(here, ahead + g["alpha"] * step, level)
        trend = np.where(here, g["phi"] * trend + g["alpha"] * g["beta"] * step, trend)
        size = np.where(np.abs(ahead) > 0, ahead, np.inf)
        factors[:, :, p] = np.clip(season + g["gamma"] * (1 - g["alpha"]) * error / size, 0.01, m)
        sse += error**2
    best = np.argmin(sse, axis=1)
    rows = np.arange(len(y))
    reach = np.cumsum(g["phi"][0, best][:, None] ** np.arange(1, panel.steps + 1), axis=1)
    flat = level[rows, best][:, None] + reach * trend[rows, best][:, None]
    return flat * factors[rows, best][:, panel.ahead]


# --- intermittent demand --------------------------------------------------------------------------------------------


def sba(panel: Panel) -> np.ndarray:
    """Croston's size over interval, with Syntetos and Boylan's correction (1 − α/2); one constant for both."""
    y = panel.y
    n, width = len(y), len(ALPHAS)
    size, gap, since = np.full((n, width), np.nan), np.full((n, width), np.nan), np.ones((n, 1))
    sse = np.zeros((n, width))
    for j in range(y.shape[1]):
        v = y[:, j : j + 1]
        rate = np.nan_to_num((1 - ALPHAS / 2) * size / gap)  # no rate before the first demand
        sse += np.nan_to_num(v - rate) ** 2
        sold = np.nan_to_num(v) > 0
        first = sold & np.isnan(size)
        size = np.where(first, v, np.where(sold, size + ALPHAS * (v - size), size))
        gap = np.where(first, np.maximum(since, 1.0), np.where(sold, gap + ALPHAS * (since - gap), gap))
        since = np.where(sold, 1.0, since + ~np.isnan(v))
    return np.repeat(_best(np.nan_to_num((1 - ALPHAS / 2) * size / gap), sse), panel.steps, axis=1)


def tsb(panel: Panel) -> np.ndarray:
    """Teunter, Syntetos and Babai: the chance of demand is updated every month, so that dying demand decays.

        p ← p + β·(sold − p) each month;  z ← z + α·(y − z) in months with demand;  forecast = p·z
    """
    y = panel.y
    g = _grid(alpha=[0.05, 0.1, 0.2, 0.4], beta=[0.02, 0.05, 0.1, 0.2, 0.4])
    sold_ever = np.nan_to_num(y) > 0
    some = np.maximum(sold_ever.sum(axis=1), 1)
    size = np.repeat((np.nan_to_num(y).sum(axis=1) / some)[:, None], g["alpha"].shape[1], axis=1)
    chance = np.repeat((sold_ever.sum(axis=1) / np.maximum(panel.months, 1))[:, None], g["alpha"].shape[1], axis=1)
    sse = np.zeros_like(size)
    for j in range(y.shape[1]):
        v = y[:, j : j + 1]
        here, sold = ~np.isnan(v), np.nan_to_num(v) > 0
        sse += np.where(here, v - chance * size, 0.0) ** 2
        size = np.where(sold, size + g["alpha"] * (v - size), size)
        chance = np.where(here, chance + g["beta"] * (sold - chance), chance)
    return np.repeat(_best(chance * size, sse), panel.steps, axis=1)


def _aggregated(panel: Panel, longest: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Smoothing of the series summed over 1 … `longest` months, as units per month; and each series' mean interval.

    From the first sum, by small constants: of car parts (2,208 series, 12 months ahead) ADIDA's bias is +12 % then, with the
    constants of monthly series +24 %, and its error falls too.
    """
    y = panel.y
    n, t = y.shape
    some = (np.nan_to_num(y) > 0).sum(axis=1)
    interval = np.clip(np.round(panel.months / np.maximum(some, 1)), 1, longest).astype(int)
    levels = np.full((n, longest), np.nan)
    for k in range(1, min(longest, t) + 1):
        fits = panel.months >= k
        buckets = y[fits][:, t - t // k * k :].reshape(int(fits.sum()), t // k, k).sum(axis=2)  # NaN where not whole
        level, sse = _smooth(buckets, SLOW, first=1)
        levels[fits, k - 1] = _best(level, sse)[:, 0] / k
    return levels, interval


def adida(panel: Panel) -> np.ndarray:
    """Aggregate over the mean interval between demands, smooth, divide again."""
    levels, interval = _aggregated(panel)
    return np.repeat(np.take_along_axis(levels, interval[:, None] - 1, axis=1), panel.steps, axis=1)


def imapa(panel: Panel) -> np.ndarray:
    """The mean of such forecasts over all aggregations up to the mean interval."""
    levels, interval = _aggregated(panel)
    used = np.where(np.arange(levels.shape[1]) < interval[:, None], levels, np.nan)
    return np.repeat(_mean(used), panel.steps, axis=1)


# --- the fields -----------------------------------------------------------------------------------------------------

MODELS: dict[str, Callable[[Panel], np.ndarray]] = {
    "Naive": naive,
    "SeasonalNaive": seasonal_naive,
    "Average6": window_average(6),
    "Average12": window_average(12),
    "SES": ses,
    "Theta": theta,
    "DampedTrend": damped,
    "HoltWinters": holt_winters,
    "SBA": sba,
    "TSB": tsb,
    "ADIDA": adida,
    "IMAPA": imapa,
}

# Found in statsforecast; slower by a factor of 10 to 200, loaded only where a company names them in `demand.models`.
BORROWED = ("AutoETS", "AutoCES", "AutoARIMA", "AutoTheta", "DynamicOptimizedTheta", "OptimizedTheta", "CrostonOptimized", "MSTL")

# Combinations are written with a plus and are the mean of their parts.
# On M3 monthly (OWA): HoltWinters 0.822, Theta 0.830, DampedTrend 0.831, Theta+HoltWinters 0.814, SeasonalNaive 1.066.
REGULAR = (
    "Naive", "SeasonalNaive", "Average12", "SES", "Theta", "DampedTrend", "HoltWinters", "Theta+HoltWinters",
    "SeasonalNaive+Theta+HoltWinters",
)  # fmt: skip
RARE = ("Naive", "SeasonalNaive", "Average12", "SBA", "TSB", "ADIDA", "IMAPA", "Average12+IMAPA")
YOUNG = ("Naive", "SeasonalNaive", "Average6", "SES", "Theta", "TSB", "Average6+SES")

FIELDS: dict[str, tuple[str, ...]] = {
    "smooth": REGULAR, "erratic": REGULAR, "intermittent": RARE, "lumpy": RARE, "short": YOUNG, "new": YOUNG, "ending": YOUNG,
}  # fmt: skip
# What a series that could not be tested gets.
DEFAULT: dict[str, str] = {
    "smooth": "Theta+HoltWinters", "erratic": "Theta+HoltWinters", "intermittent": "Average12+IMAPA",
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
    return all(part in MODELS or part in BORROWED for part in parts(name))


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
