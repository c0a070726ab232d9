"""From estimates to flags: few scores are pulled to the middle, many tests are corrected for."""

from __future__ import annotations

import numpy as np

from solver.facts import Floats, Mask


def shrunk(value: Floats, error: Floats) -> Floats:
    """Empirical Bayes: each estimate pulled to the mean as far as its error is larger than the true spread, which is
    estimated by moments (DerSimonian & Laird 1986). Without any spread beyond error all come out alike."""
    known = np.isfinite(value) & np.isfinite(error)
    if not known.any():
        return np.zeros_like(value)
    weight = 1 / error[known] ** 2
    mean = float(weight @ value[known] / weight.sum())
    excess = float(weight @ (value[known] - mean) ** 2) - (int(known.sum()) - 1)
    scale = float(weight.sum() - (weight @ weight) / weight.sum())
    true = max(0.0, excess / scale) if scale > 0 else 0.0
    part = true / (true + np.where(known, error, np.inf) ** 2) if true else np.zeros_like(value)
    return np.asarray(np.where(known, mean + part * (np.where(known, value, 0.0) - mean), mean))


def discoveries(p: Floats, rate: float) -> Mask:
    """Which of many tests count, so that at most `rate` of them are false on average (Benjamini & Hochberg 1995); NaN
    never does."""
    found = np.zeros(len(p), dtype=bool)
    tested = np.flatnonzero(~np.isnan(p))
    if not len(tested):
        return found
    order = tested[np.argsort(p[tested], kind="stable")]
    passed = np.flatnonzero(p[order] <= rate * np.arange(1, len(order) + 1) / len(order))
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found
