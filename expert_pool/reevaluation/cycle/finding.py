"""Cycles and cases by their codes: read as somebody sees them, or held for a step."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.privacy.exports import touches
from expert_pool.reevaluation.appraising import hidden_rows, shown
from expert_pool.reevaluation.asks import read
from expert_pool.reevaluation.scheme import MEASURES, Measure, Scheme, read_scheme
from expert_pool.registry import (
    CaseState,
    Cycle,
    CycleAppeal,
    CycleCase,
    CycleDecision,
    CycleEvidence,
    CycleState,
    Expert,
    Pool,
    Reply,
    Verdict,
)
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

CASE = CycleCase.__tablename__
"""What a `Reply` about a case names as its table."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch of a step did, and how many cases are left for it."""

    done: int
    left: int


@dataclass(frozen=True, slots=True)
class CycleView:
    """A cycle as faces show it. `counts`: experts by proposed measure; `cases`: cases by state. `overdue` are those
    whose time to reply is over and who are not decided; `waiting` those that wait for a second person."""

    code: str
    pool: str
    organiser_id: int
    as_of: date
    period: str
    state: CycleState
    scheme: str
    scheme_version: str
    scheme_sha256: str
    policy: str
    opened_at: datetime
    opened_by: str
    known_at: datetime | None
    ledger_sequence: int | None
    ledger_sha256: str | None
    measurement_sha256: str | None
    appraisal_sha256: str | None
    experts: int | None
    counts: Mapping[str, int]
    cases: Mapping[str, int]
    reply_until: date | None
    reply_provisional: bool
    appeal_until: date | None
    appeal_provisional: bool
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that came with a reply: number within it, name, size in bytes, hash."""

    number: int
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the expert said, by `id` of the reply; `appeal`: it is the appeal."""

    id: int
    at: datetime
    by: str
    text: str
    appeal: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: by whom, and what the second person said of it. `appeal`: on the appeal."""

    measure: Measure
    months: int | None
    reason: str
    at: datetime
    by: str
    verdict: Verdict
    answered_at: datetime | None
    answered_by: str | None
    answer: str | None
    appeal: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """One expert's case. `reasons` as the document `appraisal/1` has them, without the records of organisers the viewer
    does not see. `outcome` is what was decided and confirmed last; `executed` and `corrected` are the rows written."""

    cycle: str
    expert: str
    state: CaseState
    measure: Measure
    months: int | None
    decided_by: str
    by_conduct: bool
    reasons: tuple[Mapping[str, Any], ...]
    amended_by: str | None
    amended_why: str | None
    notified_at: datetime | None
    reply_until: date | None
    reply_provisional: bool
    heard_at: datetime | None
    said: tuple[Said, ...]
    decisions: tuple[Decided, ...]
    outcome: Measure | None
    outcome_months: int | None
    executed_at: datetime | None
    executed: tuple[tuple[str, int], ...]
    appeal_until: date | None
    appeal_provisional: bool
    corrected: tuple[tuple[str, int], ...]


def find_cycle(session: Session, viewer: Viewer, code: str) -> Cycle:
    """A cycle the viewer sees. Raises Fault `cycle.unknown`."""
    found = session.scalar(select(Cycle).where(Cycle.code == code, *visible(viewer, Cycle)))
    if found is None:
        raise Fault("cycle.unknown", code)
    return found


def held(session: Session, viewer: Viewer, code: str) -> Cycle:
    """A cycle for a step: others who would write are kept out until the transaction ends. Raises Fault
    `cycle.unknown`, `cycle.ended`."""
    cycle = find_cycle(session, viewer, code)
    viewer.require(cycle.organiser_id)
    ledger.hold(session, cycle.organiser_id)
    session.refresh(cycle)
    if cycle.state in (CycleState.CLOSED, CycleState.DROPPED):
        raise Fault("cycle.ended", code, state=str(cycle.state))
    return cycle


def scheme_of(cycle: Cycle) -> Scheme:
    """The scheme of a cycle, as it was when the cycle was opened."""
    return _scheme(cycle.scheme_text, cycle.scheme)


@lru_cache(8)
def _scheme(text: str, name: str) -> Scheme:
    return read_scheme(text.encode("utf-8"), name)


def cases_of(session: Session, cycle: Cycle, experts: Collection[str]) -> list[CycleCase]:
    """The cases of some experts, in the order asked. Raises Fault `cycle.case_unknown` for one who has none here."""
    wanted = list(dict.fromkeys(experts))
    rows = session.execute(
        select(Expert.code, CycleCase)
        .join(CycleCase, CycleCase.expert_id == Expert.id)
        .where(CycleCase.cycle_id == cycle.id, Expert.code.in_(wanted))
    )
    found: dict[str, CycleCase] = dict(rows.all())
    missing = next((code for code in wanted if code not in found), None)
    if missing is not None:
        raise Fault("cycle.case_unknown", missing, cycle=cycle.code)
    return [found[code] for code in wanted]


def codes_of(session: Session, cases: Iterable[CycleCase]) -> dict[int, str]:
    """The codes of experts, by id."""
    ids = [case.expert_id for case in cases]
    return dict(session.execute(select(Expert.id, Expert.code).where(Expert.id.in_(ids))).all())


def confirmed(session: Session, case_id: int) -> CycleDecision | None:
    """What was decided and confirmed last on a case."""
    return session.scalar(
        select(CycleDecision)
        .where(CycleDecision.case_id == case_id, CycleDecision.verdict == Verdict.CONFIRMED)
        .order_by(CycleDecision.id.desc())
        .limit(1)
    )


def confirmed_of(session: Session, case_ids: Collection[int]) -> dict[int, CycleDecision]:
    """As `confirmed`, of some cases, by case."""
    of = select(CycleDecision).where(
        CycleDecision.case_id.in_(case_ids), CycleDecision.verdict == Verdict.CONFIRMED
    )
    return {one.case_id: one for one in session.scalars(of.order_by(CycleDecision.id))}


def decisions_of(session: Session, case_id: int) -> list[CycleDecision]:
    """All decisions on a case, the oldest first."""
    of = select(CycleDecision).where(CycleDecision.case_id == case_id).order_by(CycleDecision.id)
    return list(session.scalars(of))


def weight(measure: Measure, months: int | None) -> tuple[int, float]:
    """How grave a measure is; one for life the gravest of its kind."""
    return MEASURES.index(measure), float("inf") if months is None else months


def kept_in(cycle: Cycle, expert_id: int) -> bool:
    """Whether a cycle appraised an expert and proposed nothing."""
    return cycle.kept is not None and touches(cycle.kept, expert_id)


def case_view(session: Session, viewer: Viewer, cycle: Cycle, case: CycleCase, expert: str) -> CaseView:
    """One case, with everything that was said and decided."""
    reasons = [read(one) for one in json.loads(case.reasons)]
    hidden = hidden_rows(session, viewer, {row for reason in reasons for row in reason.records})
    appeal = session.scalar(select(CycleAppeal).where(CycleAppeal.case_id == case.id))
    decisions = decisions_of(session, case.id)
    last = next((one for one in reversed(decisions) if one.verdict is Verdict.CONFIRMED), None)
    return CaseView(
        cycle=cycle.code,
        expert=expert,
        state=case.state,
        measure=Measure(case.measure),
        months=case.months,
        decided_by=case.decided_by,
        by_conduct=case.by_conduct,
        reasons=tuple(shown(reason, hidden) for reason in reasons),
        amended_by=case.amended_by,
        amended_why=case.amended_why,
        notified_at=case.notified_at,
        reply_until=case.reply_until,
        reply_provisional=bool(case.reply_provisional),
        heard_at=case.heard_at,
        said=_said(session, case, appeal),
        decisions=tuple(_decided(one) for one in decisions),
        outcome=Measure(last.measure) if last else None,
        outcome_months=last.months if last else None,
        executed_at=case.executed_at,
        executed=rows_in(case.executed),
        appeal_until=case.appeal_until,
        appeal_provisional=bool(case.appeal_provisional),
        corrected=rows_in(case.corrected),
    )


def rows_in(text: str | None) -> tuple[tuple[str, int], ...]:
    """Rows as a case keeps them."""
    return tuple((table, row) for table, row in json.loads(text or "[]"))


def cycle_view(cycle: Cycle, pool: str, cases: Mapping[str, int], until: Any) -> CycleView:
    """A cycle with its cases counted; `until`: the last day to reply, whether provisional, the same to appeal."""
    return CycleView(
        code=cycle.code,
        pool=pool,
        organiser_id=cycle.organiser_id,
        as_of=cycle.as_of,
        period=cycle.period,
        state=cycle.state,
        scheme=cycle.scheme,
        scheme_version=cycle.scheme_version,
        scheme_sha256=cycle.scheme_sha256,
        policy=cycle.policy,
        opened_at=cycle.opened_at,
        opened_by=cycle.opened_by,
        known_at=cycle.known_at,
        ledger_sequence=cycle.ledger_sequence,
        ledger_sha256=cycle.ledger_sha256,
        measurement_sha256=cycle.measurement_sha256,
        appraisal_sha256=cycle.appraisal_sha256,
        experts=cycle.experts,
        counts=json.loads(cycle.counts or "{}"),
        cases=cases,
        reply_until=until[0],
        reply_provisional=bool(until[1]),
        appeal_until=until[2],
        appeal_provisional=bool(until[3]),
        ended_at=cycle.ended_at,
        ended_by=cycle.ended_by,
        ended_why=cycle.ended_why,
    )


def pool_code(session: Session, cycle: Cycle) -> str:
    """The code of a cycle's pool."""
    return session.scalars(select(Pool.code).where(Pool.id == cycle.pool_id)).one()


def _said(session: Session, case: CycleCase, appeal: CycleAppeal | None) -> tuple[Said, ...]:
    replies = session.scalars(
        select(Reply).where(Reply.about_table == CASE, Reply.about_id == case.id).order_by(Reply.id)
    ).all()
    files: dict[int, list[Evidence]] = {}
    kept = select(CycleEvidence).where(CycleEvidence.case_id == case.id)
    for row in session.scalars(kept.order_by(CycleEvidence.reply_id, CycleEvidence.number)):
        one = Evidence(row.number, row.name, row.media_type, row.size, row.sha256)
        files.setdefault(row.reply_id, []).append(one)
    last = appeal.reply_id if appeal else None
    return tuple(
        Said(r.id, r.recorded_at, r.recorded_by, r.text, r.id == last, tuple(files.get(r.id, ())))
        for r in replies
    )


def _decided(row: CycleDecision) -> Decided:
    return Decided(
        measure=Measure(row.measure),
        months=row.months,
        reason=row.reason,
        at=row.at,
        by=row.by,
        verdict=row.verdict,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        answer=row.answer,
        appeal=row.appeal_id is not None,
    )
