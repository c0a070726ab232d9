"""The one place that knows what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime

_fixed: ContextVar[datetime | None] = ContextVar("fixed", default=None)


def now() -> datetime:
    """This moment, in UTC; or the moment a surrounding `fixed` holds."""
    return _fixed.get() or datetime.now(UTC)


def today() -> date:
    """The date of `now` where this machine stands."""
    return now().astimezone().date()


@contextmanager
def fixed(moment: datetime) -> Iterator[datetime]:
    """Hold the clock at an aware `moment` inside the block (this thread only)."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield moment
    finally:
        _fixed.reset(token)
