"""Waiting for what another thread or process does. No verdict of a test rests on the clock of the machine: a test waits for a
condition, and its patience is for what will never come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0
"""Seconds, for a machine that is busy with something else."""

Value = TypeVar("Value")


def until(holds: Callable[[], Value], told: Callable[[], object] = lambda: "") -> Value:
    """The first true value of `holds`; `told` says what there is instead when the patience is over."""
    ends = time.monotonic() + PATIENCE
    while not (value := holds()):
        assert time.monotonic() < ends, told()
        time.sleep(0.02)
    return value
