"""Largest remainder (Hamilton's method): whole seats for shares."""

from __future__ import annotations

from collections.abc import Sequence


def apportion(seats: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`seats` divided in proportion to `weights`, in whole seats that sum to `seats`.

    Every part gets the floor of its quota; what is left goes to the largest remainders, at equal remainders to the
    larger weight, then to the earlier part. Raises ValueError when no weight is positive or one is negative.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"weights must be non-negative and not all zero: {list(weights)}")
    parts = [seats * w // total for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(seats * weights[i] % total), -weights[i], i))
    for i in by_remainder[: seats - sum(parts)]:
        parts[i] += 1
    return tuple(parts)
