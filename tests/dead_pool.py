"""A pool of helpers of which one is dead already: it breaks when it is given work."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self


class DeadPool:
    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, *_: Any) -> None:
        raise BrokenProcessPool
