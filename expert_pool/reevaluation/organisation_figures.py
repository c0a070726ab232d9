"""What is on record about each committee: every figure with the rows it is made of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.filings import filings_missing
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.organisation_scheme import Indicator
from expert_pool.registry import (
    Agenda,
    Complaint,
    Filing,
    FilingKind,
    LedgerEntry,
    Meeting,
    PanelRecord,
    ReviewResult,
    Service,
)
from expert_pool.viewer import Viewer, counted, visible

Row = tuple[str, int]
"""A table and the id of a row in it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that counts: on a day, by a row; `number` where it stands for several (parameters set otherwise). `known`:
    when it was found, where that is later than the day (a complaint upheld)."""

    on: date
    row: Row
    number: int = 1
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, with the rows both are made of."""

    number: int = 0
    of: int = 0
    rows: tuple[Row, ...] = ()


@dataclass
class Recorded:
    """One committee's events by indicator, in the order of their days, and its pass rate. `of` are cases reviewed: what
    complaints are counted against."""

    events: dict[Indicator, list[Event]] = field(default_factory=lambda: defaultdict(list))
    passed: Rate = field(default_factory=Rate)

    def since(self, indicator: Indicator, first: date, found_after: datetime | None = None) -> list[Event]:
        """The events from a day on, and those before it that were found after a moment only."""
        return [
            event
            for event in self.events.get(indicator, ())
            if event.on >= first or (found_after and event.known and event.known > found_after)
        ]


@dataclass(frozen=True, slots=True)
class Period:
    """The days and the moment of knowledge that figures are asked for."""

    first: date
    last: date
    known_at: datetime


def figures(
    session: Session,
    viewer: Viewer,
    committees: Sequence[int],
    period: Period,
    policy: Policy,
    results_within: int,
) -> Mapping[int, Recorded]:
    """The figures of committees (ids) in a period. `policy` says which filings are due; results count as late when they are
    filed more than `results_within` days after the last sitting of a season."""
    found: dict[int, Recorded] = {identity: Recorded() for identity in committees}
    for add in (_panels, _looks, _complaints):
        for identity, indicator, event in add(session, viewer, period):
            if identity in found:
                found[identity].events[indicator].append(event)
    for identity, indicator, event in _filings(session, viewer, found, period, policy, results_within):
        found[identity].events[indicator].append(event)
    for identity, rate in _pass_rates(session, viewer, period).items():
        if identity in found:
            found[identity].passed = rate
    for own in found.values():
        for events in own.events.values():
            events.sort(key=lambda event: (event.on, event.row))
    return found


_Found = Iterable[tuple[int, Indicator, Event]]


def _panels(session: Session, viewer: Viewer, period: Period) -> _Found:
    rows = session.execute(
        select(
            PanelRecord.id,
            PanelRecord.meeting_id,
            PanelRecord.state,
            PanelRecord.overrides,
            PanelRecord.requested_at,
            PanelRecord.approved_at,
            Meeting.on,
            Agenda.committee_id,
        )
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .where(
            Meeting.on >= period.first,
            Meeting.on <= period.last,
            PanelRecord.requested_at <= period.known_at,
            *visible(viewer, PanelRecord),
        )
        .order_by(PanelRecord.meeting_id, PanelRecord.requested_at, PanelRecord.id)
    ).all()
    first: dict[int, int] = {}
    approved = []
    for row in rows:
        earlier = first.setdefault(row.meeting_id, row.id) != row.id
        if earlier and row.requested_at.astimezone().date() >= row.on:
            yield row.committee_id, Indicator.REPLACED_ON_THE_DAY, Event(row.on, ("panel", row.id))
        if row.approved_at is not None and row.approved_at <= period.known_at:
            approved.append(row)
            if row.overrides:
                number = len(json.loads(row.overrides))
                yield row.committee_id, Indicator.OVERRIDES, Event(row.on, ("panel", row.id), number)
    for row in approved:
        answer = session.scalar(select(PanelRecord.answer).where(PanelRecord.id == row.id))
        if _breaks(json.loads(answer or "{}")):
            yield row.committee_id, Indicator.FAILED_CHECKS, Event(row.on, ("panel", row.id))


def _breaks(answer: Mapping[str, Any]) -> bool:
    """Whether a recorded answer says of itself that a hard rule does not hold."""
    return any(rule.get("hard") and not rule.get("holds") for rule in answer.get("rules", ()))


def _looks(session: Session, viewer: Viewer, period: Period) -> _Found:
    """Looks at sealed seats, by the panel they name; the ledger knows the day of each."""
    rows = session.execute(
        select(LedgerEntry.id, LedgerEntry.at, Agenda.committee_id)
        .join(PanelRecord, PanelRecord.code == LedgerEntry.subject)
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .where(
            LedgerEntry.action == "panel.seals_opened",
            LedgerEntry.at <= period.known_at,
            *visible(viewer, LedgerEntry),
        )
    )
    for identity, at, committee in rows:
        on = at.astimezone().date()
        if period.first <= on <= period.last:
            yield committee, Indicator.SEALS_OPENED, Event(on, ("ledger_entry", identity))


def _complaints(session: Session, viewer: Viewer, period: Period) -> _Found:
    rows = session.execute(
        select(Complaint.id, Complaint.committee_id, Complaint.holds_on).where(
            Complaint.upheld.is_(True),
            Complaint.holds_on >= period.first,
            records.current(Complaint, period.last, period.known_at),
            *visible(viewer, Complaint),
        )
    ).all()
    said = {
        row.id: row
        for row in session.execute(
            select(Complaint.id, Complaint.corrects_id, Complaint.upheld, Complaint.recorded_at).where(
                Complaint.committee_id.in_({row.committee_id for row in rows}), *visible(viewer, Complaint)
            )
        )
    }
    for identity, committee, on in rows:
        first = said[identity]
        while (before := said.get(first.corrects_id)) is not None and before.upheld:
            first = before
        event = Event(on, ("complaint", identity), known=first.recorded_at)
        yield committee, Indicator.COMPLAINTS_UPHELD, event


def _pass_rates(session: Session, viewer: Viewer, period: Period) -> dict[int, Rate]:
    rows = session.execute(
        select(ReviewResult.id, ReviewResult.committee_id, ReviewResult.reviewed, ReviewResult.passed)
        .where(
            ReviewResult.holds_on >= period.first,
            records.current(ReviewResult, period.last, period.known_at),
            *visible(viewer, ReviewResult),
        )
        .order_by(ReviewResult.holds_on, ReviewResult.id)
    )
    found: dict[int, Rate] = {}
    for row in rows:
        own = found.get(row.committee_id, Rate())
        found[row.committee_id] = Rate(
            own.number + row.passed, own.of + row.reviewed, (*own.rows, ("review_result", row.id))
        )
    return found


def _filings(
    session: Session,
    viewer: Viewer,
    committees: Mapping[int, Recorded],
    period: Period,
    policy: Policy,
    results_within: int,
) -> _Found:
    sat = session.execute(
        select(Service.committee_id, Service.season, Service.holds_on, func.min(Service.id).label("row"))
        .where(
            Service.committee_id.in_(list(committees)),
            records.current(Service, period.last, period.known_at),
            *counted(viewer, Service),
        )
        .group_by(Service.committee_id, Service.season, Service.holds_on)
        .order_by(Service.committee_id, Service.holds_on, Service.season)
    ).all()
    ended: dict[tuple[int, int], tuple[date, int]] = {}
    for row in sat:
        ended[row.committee_id, row.season] = (row.holds_on, row.row)
        if row.holds_on >= period.first:
            gaps = filings_missing(
                session,
                viewer,
                committee_id=row.committee_id,
                on=row.holds_on,
                policy=policy,
                season=row.season,
                known_at=period.known_at,
            )
            if any(gap.bars for gap in gaps):
                yield row.committee_id, Indicator.UNFILED_SITTINGS, Event(row.holds_on, ("service", row.row))
    filed = _results_filed(session, viewer, period)
    for committee in committees:
        seasons = sorted((day, season, row) for (c, season), (day, row) in ended.items() if c == committee)
        yield from (
            (committee, indicator, event)
            for indicator, event in late_results(
                seasons, filed.get(committee, []), period.last, results_within
            )
            if event.on >= period.first
        )


def late_results(
    seasons: Sequence[tuple[date, int, int]], filed: Sequence[tuple[date, int]], last: date, within: int
) -> Iterable[tuple[Indicator, Event]]:
    """Of seasons (day it ended, season, a row of its last sitting) those whose results were filed late or not at all by
    `last`, given the results filings (day, row). The event is on the day on which the time to file was over."""
    for (ended, _, row), mine in _served(sorted(seasons), sorted(filed)):
        due = ended + timedelta(days=within)
        if mine is not None and mine[0] > due:
            yield Indicator.LATE_RESULTS, Event(due, ("filing", mine[1]))
        elif mine is None and last > due:
            yield Indicator.UNFILED_RESULTS, Event(due, ("service", row))


_Season = tuple[date, int, int]
_Filed = tuple[date, int]


def _served(seasons: Sequence[_Season], filed: Sequence[_Filed]) -> Iterable[tuple[_Season, _Filed | None]]:
    """Each season with its filing, as `filings.unfiled` reads them: one that comes before the next season has ended; else,
    for the latest seasons first, any that is left and comes after."""
    left = list(filed)
    own: dict[int, _Filed] = {}
    for at, season in enumerate(seasons):
        following = seasons[at + 1][0] if at + 1 < len(seasons) else date.max
        mine = next((one for one in left if season[0] <= one[0] < following), None)
        if mine is not None:
            own[at] = mine
            left.remove(mine)
    for at in reversed([at for at in range(len(seasons)) if at not in own]):
        late = next((one for one in left if one[0] >= seasons[at][0]), None)
        if late is not None:
            own[at] = late
            left.remove(late)
    return [(season, own.get(at)) for at, season in enumerate(seasons)]


def _results_filed(session: Session, viewer: Viewer, period: Period) -> dict[int, list[tuple[date, int]]]:
    rows = session.execute(
        select(Filing.committee_id, Filing.holds_on, Filing.id).where(
            Filing.kind == FilingKind.RESULTS,
            records.current(Filing, period.last, period.known_at),
            *visible(viewer, Filing),
        )
    )
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for committee, on, identity in rows:
        found[committee].append((on, identity))
    return found
