"""Three ways to make forecasts of series, of their families and of the total agree, on arrays. Tables are in `reconcile`.

Sources
    Wickramasuriya, Athanasopoulos & Hyndman (2019), Optimal forecast reconciliation through trace minimization, JASA 114
    Schäfer & Strimmer (2005), A shrinkage approach to large-scale covariance matrix estimation, SAGMB 4(1)
    Wickramasuriya, Turlach & Hyndman (2020), Optimal non-negative forecast reconciliation, Statistics and Computing 30
    Athanasopoulos, Ahmed & Hyndman (2009), Hierarchical forecasts for Australian domestic tourism, IJF 25: proportions
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METHODS = ("bottom_up", "middle_out", "min_trace")


def solve(bottom: np.ndarray, upper: np.ndarray, member: np.ndarray, errors: np.ndarray, *, method: str, shrink: float | None = None, origins: int | None = None) -> np.ndarray:
    """Reconciled forecasts of the series, one column a month.

    bottom   series × months              forecasts of the series
    upper    (families + 1) × months      forecasts of the families and, last, of the total; NaN: none, the sum stands
    member   series                       the place of its family
    errors   cases × (series + families + 1)   past errors of all of them in this order; NaN where not tested
    origins  how many origins the cases come from: those of one origin share their luck (`shrinkage`); None: each is its own
    shrink   λ in place of the one estimated: 1 leaves the variances alone (WLS)
    returns  series × months, none below zero

    min_trace   ỹ = ŷ − W C′ (C W C′)⁻¹ C ŷ,   C ŷ = what each sum's own forecast says more than its items
                W = λ diag(σ²) + (1 − λ) · covariance of past errors (Schäfer & Strimmer; `shrinkage`)
    It equals S (S′W⁻¹S)⁻¹ S′W⁻¹ ŷ (Wickramasuriya et al. 2019, eq. 9), but solves for the families only: no matrix of all
    series by all series is ever made. A series that would fall below zero is set to zero and the others are solved again
    (with λ = 1 this is the exact non-negative optimum; else a close heuristic).
    """
    known(method)
    base = np.maximum(np.nan_to_num(bottom), 0.0)
    groups = upper.shape[0] - 1
    if method == "bottom_up":
        return base
    if method == "middle_out":
        added = sums(base, member, groups)[:-1]
        ratio = np.divide(upper[:-1], added, out=np.ones_like(added), where=(added > 0) & np.isfinite(upper[:-1]))
        return base * ratio[member]
    w = _Spread.of(errors, base, upper, member, shrink, origins)
    return np.column_stack([_month(base[:, k], upper[:, k], member, w) for k in range(base.shape[1])]) if base.size else base


@dataclass(frozen=True)
class _Spread:
    """W in parts: σ of every node, scaled errors (cases × nodes), and λ."""

    sd: np.ndarray
    scaled: np.ndarray
    shrink: float

    @classmethod
    def of(cls, errors: np.ndarray, bottom: np.ndarray, upper: np.ndarray, member: np.ndarray, shrink: float | None, origins: int | None) -> _Spread:
        tested = np.isfinite(errors)
        n = tested.sum(axis=0)
        squares = np.where(tested, errors, 0.0) ** 2
        sd = np.sqrt(np.divide(squares.sum(axis=0), n, out=np.zeros(errors.shape[1]), where=n > 0))
        size = np.concatenate([bottom.mean(axis=1), np.nan_to_num(upper).mean(axis=1)]) if bottom.size else np.zeros(errors.shape[1])
        sd = np.where(n > 0, sd, _usual(sd, size, n > 0, len(bottom)) * size)
        scaled = np.divide(np.where(tested, errors, 0.0), sd, out=np.zeros(errors.shape), where=sd > 0)
        return cls(sd, scaled, shrinkage(scaled, origins) if shrink is None else shrink)


def _usual(sd: np.ndarray, size: np.ndarray, tested: np.ndarray, series: int) -> np.ndarray:
    """σ / forecast that is usual among the series, and among the sums: for nodes without a past."""
    out = np.zeros(len(sd))
    for part in (slice(0, series), slice(series, None)):
        known = tested[part] & (size[part] > 0)
        out[part] = float((sd[part][known] / size[part][known]).mean()) if known.any() else 1.0
    return out


def shrinkage(scaled: np.ndarray, origins: int | None = None) -> float:
    """λ of Schäfer & Strimmer: Σ_{i≠j} Var(r_ij) / Σ_{i≠j} r_ij², between 0 and 1; 1 with fewer than 3 cases.

    The variance counts origins where given, not cases: at three lags from one origin a surprise is seen three times.

    scaled   cases × nodes   errors divided by their √mean square

    The sums over all pairs of nodes are found from cases × cases: ‖X′X‖² = ‖XX′‖².
    """
    cases = len(scaled)
    free = cases if origins is None else min(origins, cases)
    if free < 3:
        return 1.0
    squares = scaled**2
    pairs = (np.einsum("ti,si->ts", scaled, scaled) ** 2).sum() - (squares.sum(axis=0) ** 2).sum()
    fourth = (squares.sum(axis=1) ** 2).sum() - (squares**2).sum()
    variance = (fourth - pairs / cases) / (cases * (cases - 1)) * cases / free
    return float(np.clip(variance / (pairs / cases**2), 0.0, 1.0)) if pairs > 0 else 1.0


def _month(bottom: np.ndarray, upper: np.ndarray, member: np.ndarray, w: _Spread) -> np.ndarray:
    """One month: solve, set what falls below zero to zero, solve again for the rest."""
    n = len(bottom)
    told = np.isfinite(upper)
    fixed = bottom <= 0
    now = bottom.copy()
    sd = w.sd.copy()
    while True:
        sd[:n][fixed] = 0.0
        start = np.where(fixed, 0.0, bottom)
        apart = np.where(told, upper - sums(start, member, len(upper) - 1), 0.0)
        now = start - _step(apart, told, member, sd, w)[:n]
        now[fixed] = 0.0
        below = now < 0
        if not below.any():
            return now
        fixed |= below


def _step(apart: np.ndarray, told: np.ndarray, member: np.ndarray, sd: np.ndarray, w: _Spread) -> np.ndarray:
    """W C′ (C W C′)⁻¹ · apart, for every node. Sums by einsum run in a fixed order: the same bytes on any number of threads."""
    groups, keep = len(apart) - 1, 1 - w.shrink
    own = (w.scaled**2).sum(axis=0) / max(len(w.scaled), 1)
    # C W C′: an arrow of variances, and a part from the covariances
    g = _arrow(sd**2 * (1 - keep * own), member, groups)
    if keep > 0:
        x = _rows(w.scaled * sd, member, groups)
        g += keep * np.einsum("ta,tb->ab", x, x) / len(w.scaled)
    scale = np.sqrt(np.where(np.diag(g) > 0, np.diag(g), 1.0))
    use = told & (np.diag(g) > 0)
    z = np.zeros(groups + 1)
    if use.any():
        z[use] = np.linalg.lstsq((g / np.outer(scale, scale))[np.ix_(use, use)], apart[use] / scale[use], rcond=None)[0] / scale[use]
    v = sd * np.concatenate([-(z[:-1][member] + z[-1]), z])
    if keep > 0:
        v = v + keep * (np.einsum("ti,t->i", w.scaled, np.einsum("ti,i->t", w.scaled, v)) / len(w.scaled) - own * v)
    return sd * v


def _arrow(variance: np.ndarray, member: np.ndarray, groups: int) -> np.ndarray:
    """C diag(variance) C′."""
    n = len(member)
    below = np.bincount(member, variance[:n], groups)
    g = np.diag(np.concatenate([below + variance[n:-1], [below.sum() + variance[-1]]]))
    g[:-1, -1] = g[-1, :-1] = below
    return g


def _rows(x: np.ndarray, member: np.ndarray, groups: int) -> np.ndarray:
    """X C′: each sum's column minus those of its series."""
    n = len(member)
    return x[:, n:] - sums(x[:, :n].T, member, groups).T


def sums(bottom: np.ndarray, member: np.ndarray, groups: int) -> np.ndarray:
    """Families and, last, the total of the series."""
    out = np.zeros((groups + 1, *bottom.shape[1:]))
    np.add.at(out, member, bottom)
    out[-1] = bottom.sum(axis=0)
    return out


def known(method: str) -> None:
    """raises ValueError for a method that does not exist."""
    if method not in METHODS:
        raise ValueError(f"no reconciliation is called {method}. There are {', '.join(METHODS)}.")
