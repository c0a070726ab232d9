"""How often somebody may ask: token buckets, kept in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

_MOST = 20_000

Kept = TypeVar("Kept")


class Bucket:
    """`burst` requests at once, `rate` a second in the long run."""

    __slots__ = ("burst", "full_at", "rate")

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.full_at = 0.0
        """When it will be full again; a bucket is described by this one number."""

    def take(self, now: float | None = None) -> float:
        """Take one token: 0.0, or, where there is none, the seconds until there is (and nothing is taken)."""
        now = monotonic() if now is None else now
        full_at = max(self.full_at, now) + 1 / self.rate
        missing = (full_at - now) - self.burst / self.rate
        if missing > 1e-9:
            return missing
        self.full_at = full_at
        return 0.0


class Remembered(Generic[Kept]):
    """What is known of the last 20,000 keys; the one not used for longest is forgotten first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def get(self, key: Hashable) -> Kept | None:
        """What is kept under the key, if anything is."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def of(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept under the key, made now if nothing is."""
        found = self.get(key)
        if found is None:
            self.put(key, found := make())
        return found

    def put(self, key: Hashable, kept: Kept) -> None:
        """Keep this under the key."""
        self._kept[key] = kept
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        """Forget the key."""
        self._kept.pop(key, None)
