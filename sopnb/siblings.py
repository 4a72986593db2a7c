"""What one item wins from the other items of its family: measured beside the same family elsewhere, and taken off once.

A promotion fills a basket, and part of it would have been bought anyway, as a sibling of the promoted item. So does a launch.

    rows  = compared(y, usual, push, busy, family, place)      siblings against the same siblings at other places
    moved = losses(gain, baseline, group, mine, share)         what siblings lose, never more than they have

Both work on arrays, series × months.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

OBSERVED = ["series", "when", "family", "ratio", "share", "weight"]
LEAST_ELSEWHERE = 2  # other places at which the family went its usual way: one alone would lend its own chance to the comparison
LEAST_CALM = 12      # months without an event, from which the spread of a comparison is read


def compared(
    y: np.ndarray, usual: np.ndarray, push: np.ndarray, busy: np.ndarray, family: np.ndarray, place: np.ndarray,
) -> pd.DataFrame:
    """Months of siblings beside a promoted item, compared with the same family at the other places.

    y, usual   units, and what they usually are in such a month, without events
    push       what the promoted items were expected to win, as a fraction of their usual value; 0 where none was promoted
    busy       flags: an event of whatever kind ran there
    family, place   of each series
    returns    family × place (`series`) × month (`when`)  ratio, share, weight

    Siblings are the series of a family at a place without an event in the month:
        ratio = (Σ y / Σ usual here) / (Σ y / Σ usual of the family elsewhere);   share = Σ push · usual / Σ usual of the siblings
    What siblings lose is −(slope of ratio on share), in units lost by unit won. The family's own fashions (a feast, a price,
    a season that moved) are the same elsewhere and drop out: differences in differences. A company with fewer than three places
    cannot tell, and no rows come back. weight = 1 / variance of the ratio in months without a promotion.
    """
    cells = pd.MultiIndex.from_arrays([family, place])
    code, names = pd.factorize(cells, sort=True)
    free = ~busy & np.isfinite(y) & np.isfinite(usual)
    sold, expected, pushed = (_sums(code, len(names), part) for part in (np.where(free, y, 0.0), np.where(free, usual, 0.0), np.nan_to_num(push * usual)))
    of = np.array([name[0] for name in names], dtype=object) if len(names) else np.array([], dtype=object)
    pieces = []
    for cell in range(len(names)):
        beside = (of == of[cell]) & (np.arange(len(names)) != cell)
        calm = (pushed[beside] == 0) & (expected[beside] > 0)  # elsewhere, where nothing was promoted
        there, then = (np.where(calm, part[beside], 0.0).sum(axis=0) for part in (sold, expected))
        ok = (expected[cell] > 0) & (then > 0) & (there > 0) & (calm.sum(axis=0) >= LEAST_ELSEWHERE)
        if not (pushed[cell][ok] > 0).any():
            continue
        ratio = sold[cell][ok] / expected[cell][ok] / (there[ok] / then[ok])
        share = pushed[cell][ok] / expected[cell][ok]
        usually = ratio[share == 0]
        if len(usually) >= LEAST_CALM:
            low, high = np.quantile(usually, [0.25, 0.75])
            pieces.append(pd.DataFrame({"series": cell, "when": np.flatnonzero(ok), "family": of[cell], "ratio": ratio, "share": share,
                                        "weight": 1 / max((high - low) / 1.349, 0.02) ** 2}))
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=OBSERVED)


def losses(gain: np.ndarray, baseline: np.ndarray, group: np.ndarray, mine: np.ndarray, share: float) -> np.ndarray:
    """What an event takes from the siblings of its items: zero or less where it wins.

    gain      units that its items win by it; 0 elsewhere
    baseline  units
    group     of each series: those of one group (a family at a place) are siblings
    mine      flags: series of the event's own items
    share     of what is won, taken from siblings
    returns   units, series × months; spread by the siblings' baseline, and no more than that

    >>> losses(np.array([[30.0], [0], [0]]), np.array([[100.0], [60], [20]]), np.array([1, 1, 1]), np.array([True, False, False]), 0.4).ravel().tolist()
    [0.0, -9.0, -3.0]
    """
    out = np.zeros(baseline.shape)
    for name in np.unique(group[mine]):
        others = np.flatnonzero((group == name) & ~mine)
        have = baseline[others].sum(axis=0)
        taken = np.clip(share * gain[(group == name) & mine].sum(axis=0), -have, have)
        out[others] = -baseline[others] * np.divide(taken, have, out=np.zeros(len(have)), where=have > 0)
    return out


def _sums(code: np.ndarray, n: int, values: np.ndarray) -> np.ndarray:
    """Sums of the rows of each group, always in the same order."""
    out = np.zeros((n, values.shape[1]))
    np.add.at(out, code, values)
    return out
