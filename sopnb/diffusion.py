"""How a new thing spreads: the Bass model, for the shape of a launch.

Sales of a durable are first purchases: n_t = m · (F(t) − F(t−1)), where of those who have not bought yet a share p buys by
itself and a share q · F because others have (Bass 1969, A new product growth for model consumer durables, Management
Science 15(5), 215-227). What is bought again and again follows the number of those who have taken it up: its monthly demand is
m · F(t), and the change of it from month to month is what a durable's sales are. So one fit serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bass:
    """p innovation, q imitation (per period), m all who will ever buy (units, or a share)."""

    p: float
    q: float
    m: float

    def taken_up(self, periods: np.ndarray | int) -> np.ndarray:
        """m · F(t), F(t) = (1 − e^{−(p+q)t}) / (1 + q/p · e^{−(p+q)t}); t = 1 at the end of the first period.

        >>> Bass(0.03, 0.38, 1000.0).taken_up(3).round(1).tolist()
        [35.8, 85.1, 150.5]
        """
        t = np.arange(1, periods + 1) if isinstance(periods, int) else np.asarray(periods, dtype="float64")
        left = np.exp(-(self.p + self.q) * t)
        return self.m * (1 - left) / (1 + self.q / self.p * left)

    def sales(self, periods: int) -> np.ndarray:
        """First purchases in each period: m · (F(t) − F(t−1))."""
        return np.diff(self.taken_up(periods), prepend=0.0)


def regressed(sales: np.ndarray) -> Bass | None:
    """The parameters as Bass (1969) found them: least squares of sales on a + b·Y + c·Y², Y what was sold before.

    m = (−b − √(b² − 4ac)) / 2c, p = a / m, q = −m·c; None where these are no positive numbers.
    """
    y = np.asarray(sales, dtype="float64")
    before = np.concatenate([[0.0], np.cumsum(y)[:-1]])
    if len(y) < 4 or not np.isfinite(y).all():
        return None
    a, b, c = np.linalg.lstsq(np.column_stack([np.ones(len(y)), before, before**2]), y, rcond=None)[0]
    inside = b * b - 4 * a * c
    if not (a > 0 and c < 0 and inside > 0):
        return None
    m = (-b - np.sqrt(inside)) / (2 * c)
    if not m > 0:
        return None
    found = Bass(float(a / m), float(-m * c), float(m))
    return found if found.p > 0 and found.q > 0 else None


def bass(sales: np.ndarray) -> Bass | None:
    """The parameters by nonlinear least squares on the sales of each period.

    sales    units sold in periods 1, 2, …; at least five
    returns  p, q, m; None where the sales are not numbers, or not all above zero together, or nothing fits

    Srinivasan & Mason (1986), Nonlinear least squares estimation of new product diffusion models, Marketing Science 5(2):
    minimise Σ (n_t − m · (F(t) − F(t−1)))², started from Bass's regression or from p 0.03, q 0.38, the means of Sultan,
    Farley & Lehmann (1990) over 213 launches.
    """
    from scipy.optimize import least_squares  # imported late: a slow import

    y = np.asarray(sales, dtype="float64")
    total = float(y.sum()) if len(y) else 0.0
    if len(y) < 5 or not np.isfinite(y).all() or not np.isfinite(total) or total <= 0:
        return None
    scaled = y / total
    first = regressed(scaled) or Bass(0.03, 0.38, 1.5)

    def miss(v: np.ndarray) -> np.ndarray:
        return Bass(*v).sales(len(scaled)) - scaled

    start = np.clip([first.p, first.q, first.m], [1e-4, 1e-4, 1.0], [0.5, 2.0, 10.0])
    fit = least_squares(miss, start, bounds=([1e-6, 1e-6, 0.5], [1.0, 3.0, 20.0]), x_scale=[0.01, 0.1, 1.0], max_nfev=500, xtol=1e-10, ftol=1e-10)
    p, q, m = (float(v) for v in fit.x)
    return Bass(p, q, m * total) if fit.success and np.isfinite(m * total) else None
