"""From estimates to flags: few scores are pulled to the middle, who stands out is judged against how much all differ, many
tests are corrected for."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from solver.facts import Floats, Mask

HALF = 0.6744897501960817
"""Half of all standard normal values lie within it."""


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


def standing_out(value: Floats, error: Floats) -> tuple[Floats, float, float]:
    """How far each estimate lies from the middle of all, in standard deviations of what raters differ by and its own error
    (the random-effects funnel of Spiegelhalter 2005); the middle; and the spread. Middle and spread are the median's, so
    that those who stand out do not hide themselves: half of all lie within 0.674 deviations."""
    middle = float(np.median(value))
    away = np.abs(value - middle)
    low, high = 0.0, float(away.max(initial=0.0)) / HALF + 1.0
    if np.median(away / error) > HALF:
        for _ in range(60):
            tried = (low + high) / 2
            if np.median(away / np.sqrt(tried**2 + error**2)) > HALF:
                low = tried
            else:
                high = tried
    else:
        high = 0.0
    return (value - middle) / np.sqrt(high**2 + error**2), middle, high


def two_sided(z: Floats) -> Floats:
    """The chance of a standard normal value at least as far from 0; NaN stays."""
    return np.array([erfc(abs(x) / sqrt(2)) for x in z.ravel().tolist()]).reshape(z.shape)


def as_normal(t: Floats, freedom: Floats) -> Floats:
    """The normal value as unlikely as Student's t on so many degrees of freedom (Wallace 1959), within 0.02 from three
    degrees on."""
    size = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t * t / freedom))
    return np.asarray(np.sign(t) * size)


def q_values(p: Floats) -> Floats:
    """The lowest false discovery rate at which each test would still count (Benjamini & Hochberg 1995); NaN stays."""
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    raised = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(1.0, np.minimum.accumulate(raised[::-1])[::-1])
    return q


def discoveries(p: Floats, rate: float) -> Mask:
    """Which of many tests count, so that at most `rate` of them are false on average; NaN never does."""
    q = q_values(p)
    return np.asarray(np.where(np.isnan(q), False, q <= rate * (1 + 1e-12)), dtype=bool)


def upper(z: float) -> float:
    """The chance of a standard normal value of at least z."""
    return erfc(z / sqrt(2)) / 2
