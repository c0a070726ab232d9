"""A pool with something on record, the people of its office, and the days of a cycle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tiny_registry import Tiny, entered

from expert_pool import clock, ledger
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.scheme import load_scheme
from expert_pool.registry import Credit, Table
from expert_pool.viewer import Viewer

AS_OF = date(2026, 8, 31)
NOW = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
BAD = (
    ("E02", "缺席", date(2026, 3, 2)),
    ("E02", "缺席", date(2026, 4, 2)),
    ("E03", "泄露评审信息", date(2026, 5, 6)),
    ("E04", "差错致评审延长", date(2026, 5, 7)),
    ("E05", "缺席", date(2026, 6, 1)),
    ("E05", "迟到", date(2026, 6, 3)),
)
"""Under our own scheme: E02 leaves (50 points), E03 is banned for life, E04 is drawn less often (70), so is E05 (70)."""


def person(tiny: Tiny, name: str) -> Viewer:
    """Somebody of the organiser's."""
    return Viewer(name, frozenset({tiny.organiser_id}))


def misbehave(tiny: Tiny, rows: Sequence[tuple[str, str, date]] = BAD) -> None:
    """Enter what some experts did."""
    entered(
        tiny,
        [
            Credit(
                expert_id=tiny.ids["expert"][expert],
                event=event,
                points=0,
                holds_on=when,
                recorded_at=tiny.recorded_at,
                recorded_by="office",
                organiser_id=tiny.organiser_id,
            )
            for expert, event, when in rows
        ],
    )


@contextmanager
def on(days: int) -> Iterator[None]:
    """So many days after the cycle began."""
    with clock.fixed(NOW + timedelta(days=days)):
        yield


def computed(tiny: Tiny, *, scheme: str = "own-default", measured: Any = None) -> str:
    """A cycle of the pool, opened and computed."""
    with on(0), tiny.store.session() as session:
        code = cycle.open_(session, person(tiny, "clerk"), "P1", load_scheme(scheme), AS_OF)
        cycle.compute(session, person(tiny, "clerk"), code, measured=measured)
    return code


def sizes(session: Session) -> dict[str, int]:
    """How many rows every table has."""
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in Table.metadata.sorted_tables
    }


def sound(session: Session) -> None:
    """The ledger verifies, and every record is in it."""
    assert ledger.verify(session) == []


@dataclass(frozen=True)
class MadeFlag:
    """A flag as a measurement gives it."""

    rater: str
    kind: str = "severe"
    figures: dict[str, Any] = field(default_factory=lambda: {"severity": 1.25, "error": 0.2, "points": 0.6})
    p: float | None = 0.001
    q: float | None = 0.02


@dataclass(frozen=True)
class MadeMeasurement:
    """A measurement with some flags."""

    flags: tuple[MadeFlag, ...]

    def document(self) -> dict[str, Any]:
        return {"format": "measurement/1", "flags": [flag.rater for flag in self.flags]}
