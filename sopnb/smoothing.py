"""Models for demand that is there every month, many series at once.

Smoothing constants come from grids. A grid never fails to converge; its values are joined by their likelihood (`panel.weights`).

Sources
    Gardner & McKenzie (1985), Forecasting trends in time series, Management Science 31(10): damped trend, ETS(A,Ad,N)
    Winters (1960): seasonal smoothing, ETS(A,Ad,M) and ETS(A,Ad,A); on logarithms, all of it multiplies
    Assimakopoulos & Nikolopoulos (2000), The theta model, IJF 16(4); Hyndman & Billah (2003), Unmasking the Theta method
    Svetunkov, Kourentzes & Ord (2022), Complex exponential smoothing, Naval Research Logistics 69(8)
    Box & Jenkins (1970): the airline model, ARIMA(0,1,1)(0,1,1)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sopnb.panel import ALPHAS, LEAST_FACTOR, Panel, best, grid, head, mean_of, slope, smooth, start, weights

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
        return np.repeat(mean_of(panel.y[:, -months:]), panel.steps, axis=1)

    return model


def two_seasons(panel: Panel) -> np.ndarray:
    """The mean of the same month in the last two seasons, each brought to today's level at half the growth between them."""
    m = panel.season
    if panel.y.shape[1] < 2 * m:
        return np.full((len(panel.y), panel.steps), np.nan)
    one, two = panel.y[:, -m:], panel.y[:, -2 * m : -m]
    before = mean_of(two)
    growth = np.clip(np.where(before > 0, mean_of(one) / np.where(before > 0, before, 1.0), 1.0), 0.7, 1.4)
    return (0.5 * (one + two * growth) * np.sqrt(growth))[:, panel.ahead]


# --- level and trend ------------------------------------------------------------------------------------------------


def ses(panel: Panel) -> np.ndarray:
    """Simple exponential smoothing on the adjusted series, with the season put back."""
    level, sse = smooth(panel.adjusted, ALPHAS)
    return panel.seasonal(np.repeat(best(level, sse), panel.steps, axis=1))


def theta(panel: Panel) -> np.ndarray:
    """Theta: smoothing of the adjusted series plus half its linear trend.

        level + b/2 · (h − 1 + 1/α − (1 − α)^n / α)      b: least-squares slope (Hyndman & Billah 2003)

    A series shorter than a season has no trend: what rises for half a year is as often its season, or its launch. With
    6 months of M3 known, a trend makes the error 12 months ahead 7 % larger, of Australian retail 42 %; with 12 months,
    6 % smaller and 10 % larger.
    """
    y, n = panel.adjusted, panel.months
    level, sse = smooth(y, ALPHAS)
    alpha = ALPHAS[np.argmin(sse, axis=1)]
    drift = (1 - (1 - alpha) ** n) / alpha
    h = np.arange(panel.steps)
    out = best(level, sse) + slope(y)[:, None] / 2 * (h + drift[:, None])
    return panel.seasonal(np.where((n >= panel.season)[:, None], out, best(level, sse)))


def recent(model: Callable[[Panel], np.ndarray], months: int) -> Callable[[Panel], np.ndarray]:
    """The model fitted to the last months alone: what was true long ago may be true no more."""

    def on_recent(panel: Panel) -> np.ndarray:
        return model(panel.recent(months))

    return on_recent


# --- level, trend and season ----------------------------------------------------------------------------------------

SEASONAL_GRID = {"alpha": [0.05, 0.15, 0.3, 0.5, 0.8], "beta": [0.0, 0.1], "phi": [0.9, 0.97], "gamma": [0.0, 0.1, 0.25]}
LOG_GRID = {"alpha": [0.05, 0.15, 0.3, 0.5, 0.8], "beta": [0.0, 0.1], "phi": [0.9, 0.97, 1.0], "gamma": [0.0, 0.1, 0.25]}
FLAT_GRID = {"alpha": [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9], "beta": [0.0, 0.05, 0.1, 0.25], "phi": [0.8, 0.9, 0.95, 0.98]}


def damped(panel: Panel) -> np.ndarray:
    """Damped trend on the adjusted series (Gardner & McKenzie).

        level ← level + φ·trend + α·error;  trend ← φ·trend + α·β·error;  forecast = level + (φ + … + φ^h)·trend
    """
    y, g = panel.adjusted, grid(**FLAT_GRID)
    width = g["phi"].shape[1]
    level, trend = (np.repeat(v[:, None], width, axis=1) for v in start(y))
    sse = np.zeros_like(level)
    for j in range(y.shape[1]):
        now = y[:, j : j + 1]
        here = ~np.isnan(now)
        ahead = level + g["phi"] * trend
        error = np.where(here, now - ahead, 0.0)
        level = np.where(here, ahead + g["alpha"] * error, level)
        trend = np.where(here, g["phi"] * trend + g["alpha"] * g["beta"] * error, trend)
        sse += error**2
    return panel.seasonal(_joined(level, trend, g["phi"], weights(sse, panel.months), panel.steps))


def _joined(level: np.ndarray, trend: np.ndarray, phi: np.ndarray, w: np.ndarray, steps: int) -> np.ndarray:
    """Forecasts without season, joined over the constants: Σ w · (level + (φ + … + φ^h) · trend)."""
    out = np.empty((len(level), steps))
    reach, power = np.zeros_like(phi), np.ones_like(phi)
    for h in range(steps):
        power = power * phi
        reach = reach + power
        out[:, h] = (w * (level + reach * trend)).sum(axis=1)
    return out


def holt_winters(panel: Panel) -> np.ndarray:
    """Damped trend with seasonal factors that keep learning (Winters); the damped trend alone where a series is short.

        s ← s + γ·(1 − α)·error / level beside the recursions of `damped`, error / s in place of error there
    """
    y, m, g = panel.y, panel.season, grid(**SEASONAL_GRID)
    alpha, phi, lasting, learning = _constants(g)
    level, trend = (np.repeat(v[:, None], phi.shape[1], axis=1) for v in start(panel.adjusted))
    factors = [np.repeat(panel.index[:, p, None], phi.shape[1], axis=1) for p in range(m)]
    sse = np.zeros_like(level)
    for j, p in enumerate(panel.behind):
        now, season = y[:, j : j + 1], factors[p]
        here = ~np.isnan(now)
        going = phi * trend
        ahead = level + going
        error = now - ahead * season
        step = error / np.maximum(season, LEAST_FACTOR)
        size = np.where(np.abs(ahead) > 0, ahead, np.inf)
        turned = np.clip(season + learning * error / size, 0.01, m)
        ahead += alpha * step
        going += lasting * step
        level, trend, factors[p], sse = _kept(here, (ahead, going, turned, sse + error**2), (level, trend, season, sse))
    w = weights(sse, panel.months)
    out = np.empty((len(y), panel.steps))
    reach, power = np.zeros_like(phi), np.ones_like(phi)
    for h, p in enumerate(panel.ahead):
        power = power * phi
        reach = reach + power
        out[:, h] = (w * (level + reach * trend) * factors[p]).sum(axis=1)
    return out


def _constants(g: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """α, φ, α·β and γ·(1 − α) of each combination."""
    return g["alpha"], g["phi"], g["alpha"] * g["beta"], g["gamma"] * (1 - g["alpha"])


def _kept(here: np.ndarray, after: tuple[np.ndarray, ...], before: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """States after a month, of series that have begun; the others keep theirs. Most months all have, and nothing is copied."""
    if here.all():
        return after
    return tuple(np.where(here, new, old) for new, old in zip(after, before, strict=True))


def _additive(y: np.ndarray, season: np.ndarray, panel: Panel, constants: dict[str, list[float]]) -> np.ndarray:
    """Damped trend with a season that is added: series × season at the start, learning by γ·(1 − α)·error."""
    alpha, phi, lasting, learning = _constants(grid(**constants))
    level, trend = (np.repeat(v[:, None], phi.shape[1], axis=1) for v in start(y - season[:, panel.behind]))
    added = [np.repeat(season[:, p, None], phi.shape[1], axis=1) for p in range(panel.season)]
    sse = np.zeros_like(level)
    for j, p in enumerate(panel.behind):
        now = y[:, j : j + 1]
        going = phi * trend
        ahead = level + going
        error = now - ahead - added[p]
        ahead += alpha * error
        going += lasting * error
        level, trend, added[p], sse = _kept(
            ~np.isnan(now), (ahead, going, added[p] + learning * error, sse + error**2), (level, trend, added[p], sse))
    w = weights(sse, panel.months)
    flat = _joined(level, trend, phi, w, panel.steps)
    return flat + np.stack([(w * added[p]).sum(axis=1) for p in panel.ahead], axis=1)


def holt_winters_added(panel: Panel) -> np.ndarray:
    """Winters with a season that is added to the level: its size stays, whatever the level does."""
    season = (panel.index - 1) * mean_of(head(panel.y, 2 * panel.season))
    return _additive(panel.y, season, panel, SEASONAL_GRID)


def holt_winters_logs(panel: Panel) -> np.ndarray:
    """Winters on logarithms: level, trend and season multiply. Series that come near zero are smoothed as they are."""
    z, positive, unit = _logs(panel)
    season = np.where(positive, np.log(np.maximum(panel.index, LEAST_FACTOR)), panel.index - 1)
    season = season - season.mean(axis=1, keepdims=True)
    return _levels(_additive(z, season, panel, LOG_GRID), positive, unit)


def _logs(panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln(y / mean) where no month is below a twentieth of the mean, else y / mean; which of the two; and the mean."""
    y = panel.y
    mean = mean_of(y)
    least = np.where(np.isnan(y), np.inf, y).min(axis=1, initial=np.inf)[:, None]
    positive = (least > 0.05 * mean) & (mean > 0)
    unit = np.where(mean > 0, mean, 1.0)
    return np.where(positive, np.log(np.maximum(y, np.finfo(float).tiny) / unit), y / unit), positive, unit


def _levels(z: np.ndarray, positive: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return np.where(positive, np.exp(np.clip(z, -20, 6)), z) * unit


# --- two more ways to look ahead ------------------------------------------------------------------------------------


def ces(panel: Panel) -> np.ndarray:
    """Complex exponential smoothing of the adjusted series: one state that can be a level, a trend or both.

        l ← l − (1 − a₁)·c + (a₀ − a₁)·error;  c ← l + (1 − a₀)·c + (a₀ + a₁)·error;  forecast = l, then the same without error
    """
    y, g = panel.adjusted, grid(a0=[0.9, 1.05, 1.2, 1.4, 1.6, 1.8, 2.0], a1=[0.985, 0.993, 1.0, 1.007, 1.015])
    a0, a1 = g["a0"], g["a1"]
    real = np.repeat(mean_of(head(y, 6)), a0.shape[1], axis=1)
    imaginary, sse = real.copy(), np.zeros_like(real)
    for j in range(y.shape[1]):
        here = ~np.isnan(y[:, j : j + 1])
        error = np.where(here, y[:, j : j + 1] - real, 0.0)
        moved = real - (1 - a1) * imaginary + (a0 - a1) * error
        imaginary = np.where(here, real + (1 - a0) * imaginary + (a0 + a1) * error, imaginary)
        real = np.where(here, moved, real)
        sse += error**2
    w = weights(sse, panel.months)
    out = np.empty((len(y), panel.steps))
    for h in range(panel.steps):
        out[:, h] = (w * real).sum(axis=1)
        real, imaginary = real - (1 - a1) * imaginary, real + (1 - a0) * imaginary
    return panel.seasonal(out)


def airline(panel: Panel) -> np.ndarray:
    """ARIMA(0,1,1)(0,1,1) on logarithms, least conditional sum of squares (Box & Jenkins).

        (1 − B)(1 − Bᵐ) z = (1 − θB)(1 − ΘBᵐ) e
    """
    m, steps = panel.season, panel.steps
    z, positive, unit = _logs(panel)
    n, t = z.shape
    if t <= m + 1:
        return np.full((n, steps), np.nan)
    w = z[:, m + 1 :] - z[:, m:-1] - z[:, 1:-m] + z[:, : -m - 1]
    g = grid(theta=[-0.3, 0.0, 0.3, 0.5, 0.7, 0.85, 0.95], season=[0.3, 0.5, 0.65, 0.8, 0.9])
    a, b = g["theta"], g["season"]
    past = [np.zeros((n, a.shape[1]))] * (m + 1)  # errors of the last m + 1 months, the latest last
    sse = np.zeros((n, a.shape[1]))
    for j in range(w.shape[1]):
        error = np.nan_to_num(w[:, j : j + 1] + a * past[-1] + b * past[-m] - a * b * past[-m - 1])
        sse += error**2
        past = [*past[1:], error]
    likely = weights(sse, np.maximum(panel.months - m - 1, 1))
    known = [np.repeat(z[:, t - m - 1 + i, None], a.shape[1], axis=1) for i in range(m + 1)]
    out = np.empty((n, steps))
    for h in range(steps):
        ahead = known[-1] + known[-m] - known[-m - 1] - a * past[-1] - b * past[-m] + a * b * past[-m - 1]
        known, past = [*known[1:], ahead], [*past[1:], np.zeros_like(ahead)]
        out[:, h] = (likely * ahead).sum(axis=1)
    return _levels(out, positive, unit)
