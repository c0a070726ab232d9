"""The three filings: of the pool, of the committee, of the results of each season. Without those due, no seat.

A filing is in force from its day until its last day, and no longer than the policy's years for one. The filing of a
pool counts for every committee that draws on it. Pool and committee must be filed on the day of the meeting. The
results of a season are filed after it: a season counts as filed when a results filing follows its last sitting before
the season held next has ended; one that comes later still (or a second one in that time) serves the latest season
that had none. Missing results do not bar a seat; they are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.columns import years_after
from expert_pool.registry import Committee, Filing, FilingKind, Service
from expert_pool.viewer import Viewer, counted
from solver.answer import Saying

if TYPE_CHECKING:
    from expert_pool.policies.policy import Policy

Lack = Literal["absent", "expired", "not_yet"]


@dataclass(frozen=True, slots=True)
class FilingGap:
    """A filing that is due and not in force: `absent`, `expired` (since `until`) or `not_yet` in force. `season` for
    results. `bars`: no seat without it."""

    kind: FilingKind
    lack: Lack
    bars: bool
    season: int | None = None
    reference: str = ""
    until: date | None = None
    basis: str = ""

    def says(self) -> Saying:
        """The gap as a sentence to be made."""
        params: dict[str, Any] = {"kind": str(self.kind), "season": self.season, "basis": self.basis}
        params |= {
            "reference": self.reference or None,
            "until": self.until.isoformat() if self.until else None,
        }
        return Saying(code=f"filing_gap.{self.lack}", params=params)


def filings_missing(
    session: Session,
    viewer: Viewer,
    *,
    committee_id: int,
    on: date,
    policy: Policy,
    season: int | None = None,
    known_at: datetime | None = None,
) -> list[FilingGap]:
    """The filings that the policy asks for and that are not in force on a day, those that bar a seat first.

    `season` is that of the meeting (default the year of `on`): results are due of the seasons before it.
    """
    moment = known_at or clock.now()
    pool_id = session.scalar(select(Committee.pool_id).where(Committee.id == committee_id))
    rows = session.execute(
        select(Filing.kind, Filing.committee_id, Filing.reference, Filing.holds_on, Filing.until)
        .join(Committee, Committee.id == Filing.committee_id)
        .where(Committee.pool_id == pool_id, records.standing(Filing, moment), *counted(viewer, Filing))
        .order_by(Filing.holds_on, Filing.id)
    ).all()
    years = policy.terms.filing_years
    filings = [
        _Filing(FilingKind(row.kind), row.committee_id, row.reference, row.holds_on, _end(row, years))
        for row in rows
    ]
    gaps = []
    due = {FilingKind(name): basis.text for name, basis in policy.filings.items()}
    for kind in (FilingKind.POOL, FilingKind.COMMITTEE):
        if kind in due:
            own = [
                f
                for f in filings
                if f.kind == kind and (kind == FilingKind.POOL or f.committee_id == committee_id)
            ]
            gaps += _in_force(kind, own, on, due[kind])
    if FilingKind.RESULTS in due:
        ends = _seasons(session, viewer, committee_id, on, on.year if season is None else season, moment)
        days = [
            f.holds_on for f in filings if f.kind == FilingKind.RESULTS and f.committee_id == committee_id
        ]
        gaps += [
            FilingGap(FilingKind.RESULTS, "absent", False, season=held, basis=due[FilingKind.RESULTS])
            for held in unfiled(ends, [d for d in days if d <= on])
        ]
    return gaps


def unfiled(ends: Sequence[tuple[int, date]], filed: Sequence[date]) -> list[int]:
    """Of seasons with the day each ended, those without a results filing among the days `filed`."""
    seasons = sorted(ends, key=lambda end: end[1])
    left = sorted(filed)
    missing: list[tuple[int, date]] = []
    for number, (season, ended) in enumerate(seasons):
        following = seasons[number + 1][1] if number + 1 < len(seasons) else date.max
        mine = next((d for d in left if ended <= d < following), None)
        if mine is None:
            missing.append((season, ended))
        else:
            left.remove(mine)
    for season, ended in reversed(missing.copy()):
        late = next((d for d in left if d >= ended), None)
        if late is not None:
            left.remove(late)
            missing.remove((season, ended))
    return [season for season, _ in missing]


@dataclass(frozen=True, slots=True)
class _Filing:
    kind: FilingKind
    committee_id: int
    reference: str
    holds_on: date
    until: date


def _end(row: Any, years: int | None) -> date:
    until: date = row.until
    return until if years is None else min(until, years_after(row.holds_on, years))


def _in_force(kind: FilingKind, filings: Sequence[_Filing], on: date, basis: str) -> list[FilingGap]:
    if any(f.holds_on <= on <= f.until for f in filings):
        return []
    past = [f for f in filings if f.until < on]
    if past:
        last = max(past, key=lambda f: f.until)
        return [FilingGap(kind, "expired", True, None, last.reference, last.until, basis)]
    if filings:
        return [FilingGap(kind, "not_yet", True, None, filings[0].reference, None, basis)]
    return [FilingGap(kind, "absent", True, basis=basis)]


def _seasons(
    session: Session, viewer: Viewer, committee_id: int, on: date, season: int, known_at: datetime
) -> list[tuple[int, date]]:
    """The seasons before `season` in which the committee sat, each with the day it ended."""
    return [
        (row.season, row.ended)
        for row in session.execute(
            select(Service.season, func.max(Service.holds_on).label("ended"))
            .where(
                Service.committee_id == committee_id,
                Service.season < season,
                records.current(Service, on, known_at),
                *counted(viewer, Service),
            )
            .group_by(Service.season)
        )
    ]
