"""Many questions at once: p-values raised for it, by Holm for what was registered first, by Benjamini-Hochberg else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uptake.statistics.distributions import Bools, Floats


def holm(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values (n,) in the order given: the chance of one false claim among all stays below alpha."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    count = len(values)
    raised = np.minimum(np.maximum.accumulate(values[order] * (count - np.arange(count))), 1.0)
    back = np.empty(count)
    back[order] = raised
    return back


def benjamini_hochberg(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values (n,): among those below q, at most a share q is expected to be false."""
    values = np.asarray(p, dtype=np.float64)
    count = len(values)
    order = np.argsort(values, kind="stable")
    raised = values[order] * count / np.arange(1, count + 1)
    back = np.empty(count)
    back[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return back


def discoveries(p: Sequence[float] | Floats, q: float = 0.05) -> Bools:
    """(n,) which hold at a false discovery rate of q."""
    return np.asarray(benjamini_hochberg(p) <= q)
