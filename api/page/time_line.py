"""A time line of records, drawn on the server: a lane for each kind, a bar from the day a record holds to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from api.page.records import sheet_name

WIDE, LANE, LEFT, TOP = 900.0, 26.0, 130.0, 22.0
"""The room, in the units of the drawing: its width, the height of a lane, and what labels and years take."""
_HALF_YEAR = 16.0
"""Half the width of a year's number, which stands in the middle of its line."""
_SHORTEST = 6.0


class Entry(Protocol):
    """What is drawn of a record."""

    @property
    def table(self) -> str: ...
    @property
    def holds_on(self) -> date: ...
    @property
    def stands(self) -> bool: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """A record: where it begins and how long it is; `open`: it has no end yet; `gone`: it was corrected or withdrawn."""

    x: float
    wide: float
    since: date
    until: date | None
    open: bool
    gone: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """The records of one kind."""

    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The whole drawing: its height, the lanes, the years with their places, and where today is."""

    high: float
    lanes: tuple[Lane, ...]
    years: tuple[tuple[int, float], ...]
    today: float


def time_line(entries: Iterable[Entry], today: date, lang: str) -> TimeLine | None:
    """The time line of some records; None where there is none."""
    found = sorted(entries, key=lambda one: (one.holds_on, one.table))
    if not found:
        return None
    spans = [(one, one.holds_on, _end(one)) for one in found]
    first = min(since for _, since, _ in spans)
    last = max([today, *(min(until, date(today.year + 5, 12, 31)) for _, _, until in spans if until)])
    room, days = WIDE - LEFT - _HALF_YEAR, max((last - first).days, 1)

    def at(day: date) -> float:
        return LEFT + room * min(max((day - first).days, 0), days) / days

    lanes = []
    tables = dict.fromkeys(one.table for one in found)
    for n, table in enumerate(tables):
        bars = tuple(
            Bar(
                at(since),
                max(at(until or (today if _lasts(one) else since)) - at(since), _SHORTEST),
                since,
                until,
                until is None and _lasts(one),
                not one.stands,
            )
            for one, since, until in spans
            if one.table == table
        )
        lanes.append(Lane(sheet_name(table, lang), TOP + n * LANE, bars))
    step = max(1, -(-(last.year - first.year + 1) // 10))
    years = tuple(
        (year, at(date(year, 1, 1))) for year in range(first.year + 1, last.year + 1) if year % step == 0
    )
    return TimeLine(TOP + len(lanes) * LANE + 6, tuple(lanes), years, at(today))


def _lasts(entry: Entry) -> bool:
    """Whether a record of this kind goes on until something ends it."""
    return "until" in entry.fields


def _end(entry: Entry) -> date | None:
    until = entry.fields.get("until")
    if isinstance(until, str):
        return date.fromisoformat(until[:10])
    return until if isinstance(until, date) else None
