"""Opening a cycle, computing it, computing it again from what it kept, and dropping one that was opened in error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.bulk import insert_rows
from expert_pool.ledger.canonical import encode
from expert_pool.policies.load import preset
from expert_pool.privacy.exports import bitmap
from expert_pool.reevaluation.appraising import (
    KEEP,
    POLICY,
    Appraisal,
    appraise_asked,
    find_pool,
)
from expert_pool.reevaluation.asks import Ask, Measured, asks_of, plain, read, written
from expert_pool.reevaluation.cycle.finding import find_cycle, held, pool_code, scheme_of
from expert_pool.reevaluation.cycle.hearing import settled
from expert_pool.reevaluation.cycle.marking import count, tell
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.reevaluation.scheme import Scheme
from expert_pool.registry import CaseState, Cycle, CycleCase, CycleState, LedgerEntry
from expert_pool.store import allocate
from expert_pool.viewer import Viewer
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.reevaluation.recusals import Failure

_CASE = (
    "id", "cycle_id", "expert_id", "organiser_id", "state", "measure", "months", "decided_by", "by_conduct", "reasons",
)  # fmt: skip


def open_(
    session: Session, viewer: Viewer, pool: str, scheme: Scheme, as_of: date, *, policy: str = POLICY
) -> str:
    """Open a cycle for a pool and return its code; the same question again gives the same cycle.

    Raises Fault `appraisal.pool_unknown`, `cycle.future`, `appraisal.too_early`, `cycle.taken` (the period has a cycle by another scheme or
    day), `cycle.open_already` (an earlier one of this pool has not ended), `policy.unknown`, `viewer.not_yours`.
    """
    home, rules = find_pool(session, viewer, pool), preset(policy)
    if as_of > clock.today():
        raise Fault("cycle.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    ledger.hold(session, home.organiser_id)
    since = scheme.since(as_of)
    period = str(as_of.year) if scheme.doc.period == "calendar_year" else f"{since or ''}..{as_of}"
    before = session.scalars(select(Cycle).where(Cycle.pool_id == home.id).order_by(Cycle.id)).all()
    for one in before:
        if one.state is CycleState.DROPPED:
            continue
        if one.period == period or one.as_of == as_of:
            if (one.as_of, one.scheme_sha256, one.policy_sha256) == (as_of, scheme.sha256, rules.sha256):
                return one.code
            raise Fault("cycle.taken", pool, cycle=one.code, period=one.period, scheme=one.scheme)
        if one.state is not CycleState.CLOSED:
            raise Fault("cycle.open_already", pool, cycle=one.code, state=str(one.state))
    attempt = 1 + sum(one.period == period for one in before)
    stem = f"{home.code}-{as_of:%Y%m%d}"
    again = sum(one.as_of == as_of for one in before)
    cycle = Cycle(
        code=stem if not again else f"{stem}-{again + 1}",
        organiser_id=home.organiser_id,
        pool_id=home.id,
        period=period,
        attempt=attempt,
        as_of=as_of,
        state=CycleState.OPEN,
        scheme=scheme.doc.id,
        scheme_version=scheme.doc.version,
        scheme_sha256=scheme.sha256,
        scheme_text=scheme.text,
        policy=policy,
        policy_sha256=rules.sha256,
        opened_at=clock.now(),
        opened_by=viewer.actor,
    )
    session.add(cycle)
    tell(session, viewer, cycle, "cycle.opened", (), {"as_of": as_of, "scheme": scheme.sha256})
    return cycle.code


def compute(
    session: Session,
    viewer: Viewer,
    code: str,
    *,
    measured: Measured | None = None,
    recusals: Iterable[Failure] | None = None,
) -> None:
    """Appraise the pool and store a case for everybody for whom something is proposed, in one transaction. Computed
    already: nothing changes. Raises Fault as `appraising.appraise`, `cycle.ended`, `cycle.unknown`."""
    cycle = held(session, viewer, code)
    if cycle.state is not CycleState.OPEN:
        return
    scheme = scheme_of(cycle)
    asks = asks_of(scheme, measured, recusals)
    head = session.execute(
        select(LedgerEntry.sequence, LedgerEntry.sha256)
        .where(LedgerEntry.organiser_id == cycle.organiser_id)
        .order_by(LedgerEntry.sequence.desc())
        .limit(1)
    ).one()
    cycle.known_at = clock.now()
    cycle.flags = json.dumps([[ask.expert, written(ask.reason)] for ask in asks], ensure_ascii=False)
    if measured is not None:
        cycle.measurement_sha256 = sha256(encode(plain(measured.document()))).hexdigest()
    found = _appraised(session, viewer, cycle, scheme, asks)
    cycle.ledger_sequence, cycle.ledger_sha256 = head.sequence, head.sha256
    cycle.computed_by = viewer.actor
    cycle.appraisal_sha256 = found.sha256()
    cycle.experts = len(found)
    cycle.counts = json.dumps(found.counts())
    cycle.kept = bitmap(found.ids[found.measure == KEEP].tolist())
    cycle.state = CycleState.COMPUTED
    ids = _store(session, cycle, found)
    known = {"known_at": cycle.known_at, "appraisal": cycle.appraisal_sha256, "cases": len(ids)}
    tell(session, viewer, cycle, "cycle.computed", (), known, row_ids={CycleCase: ids})


def recompute(session: Session, viewer: Viewer, code: str) -> Appraisal:
    """The appraisal of a cycle, made again from what the cycle kept: its scheme, policy, day, moment and flags.

    Raises Fault `cycle.unknown`, `cycle.not_computed`, `cycle.policy_changed` (this version's policy of that name is
    another)."""
    cycle = find_cycle(session, viewer, code)
    if cycle.known_at is None:
        raise Fault("cycle.not_computed", code)
    if preset(cycle.policy).sha256 != cycle.policy_sha256:
        raise Fault("cycle.policy_changed", code, policy=cycle.policy)
    asks = [Ask(expert, read(reason)) for expert, reason in json.loads(cycle.flags or "[]")]
    return _appraised(session, viewer, cycle, scheme_of(cycle), asks)


def same(session: Session, viewer: Viewer, code: str) -> bool:
    """Whether a cycle computed again gives what it gave. Faults as `recompute`."""
    return recompute(session, viewer, code).sha256() == find_cycle(session, viewer, code).appraisal_sha256


def drop(session: Session, viewer: Viewer, code: str, reason: str) -> None:
    """End a cycle of which nobody was told yet; its period can be opened anew. Dropped already: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.told_already`, `cycle.reason_missing`.
    """
    if find_cycle(session, viewer, code).state is CycleState.DROPPED:
        return
    cycle = held(session, viewer, code)
    if not reason.strip():
        raise Fault("cycle.reason_missing", code)
    told = (CycleCase.cycle_id == cycle.id) & (
        CycleCase.notified_at.is_not(None) | (CycleCase.state != CaseState.PROPOSED)
    )
    if session.scalar(select(CycleCase.id).where(told).limit(1)) is not None:
        raise Fault("cycle.told_already", code)
    _end(session, viewer, cycle, CycleState.DROPPED, reason.strip())


def close(session: Session, viewer: Viewer, code: str) -> None:
    """End a cycle whose cases are all executed, and whose time to appeal is over. Closed already: nothing changes.

    Raises Fault `cycle.unknown`, `cycle.ended`, `cycle.not_computed`, `cycle.cases_left`, `cycle.appeal_time_runs`.
    """
    if find_cycle(session, viewer, code).state is CycleState.CLOSED:
        return
    cycle = held(session, viewer, code)
    if cycle.state is CycleState.OPEN:
        raise Fault("cycle.not_computed", code)
    left = count(session, cycle, *(s for s in CaseState if s not in (CaseState.EXECUTED, CaseState.SETTLED)))
    if left:
        raise Fault("cycle.cases_left", code, left=left)
    days = scheme_of(cycle).doc.appeal_days
    told = session.execute(
        select(CycleCase.appeal_until, CycleCase.appeal_provisional, CycleCase.executed_at)
        .where(
            CycleCase.cycle_id == cycle.id,
            CycleCase.state == CaseState.EXECUTED,
            CycleCase.appeal_until.is_not(None),
        )
        .distinct()
    )
    ends = [
        settled(until, bool(moves), at, days)
        for until, moves, at in told
        if until is not None and at is not None
    ]
    if ends and max(ends) >= clock.today():
        raise Fault("cycle.appeal_time_runs", code, until=max(ends))
    _end(session, viewer, cycle, CycleState.CLOSED, None)


def _end(session: Session, viewer: Viewer, cycle: Cycle, state: CycleState, why: str | None) -> None:
    cycle.state, cycle.ended_at, cycle.ended_by, cycle.ended_why = state, clock.now(), viewer.actor, why
    tell(session, viewer, cycle, f"cycle.{state}", ())


def _appraised(
    session: Session, viewer: Viewer, cycle: Cycle, scheme: Scheme, asks: Iterable[Ask]
) -> Appraisal:
    """As the cycle's organiser sees it, so that everybody who computes it again gets the same."""
    return appraise_asked(
        session,
        Viewer(viewer.actor, frozenset({cycle.organiser_id})),
        pool_code(session, cycle),
        scheme,
        cycle.as_of,
        cycle.known_at,
        asks=tuple(asks),
        policy=cycle.policy,
    )


def _store(session: Session, cycle: Cycle, found: Appraisal) -> list[int]:
    chosen = np.flatnonzero(found.measure != KEEP).tolist()
    ids = allocate(session, CycleCase, len(chosen))
    rows = []
    for identity, index, proposal in zip(ids, chosen, found.proposals(), strict=True):
        reasons = json.dumps([written(reason) for reason in proposal.reasons], ensure_ascii=False)
        rows.append(
            (
                identity,
                cycle.id,
                int(found.ids[index]),
                cycle.organiser_id,
                CaseState.PROPOSED,
                str(proposal.measure),
                proposal.months,
                proposal.decided_by,
                proposal.by_conduct,
                reasons,
            )
        )
    insert_rows(session, CycleCase, _CASE, rows)
    return ids
