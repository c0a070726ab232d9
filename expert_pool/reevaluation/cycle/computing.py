"""Computing a cycle: read in one snapshot, appraised without holding anybody up, then kept in one short transaction that
first makes sure that nothing it rests on has changed. And computing it again from what it kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.bulk import insert_rows
from expert_pool.ledger.canonical import encode
from expert_pool.policies.load import preset
from expert_pool.privacy.exports import bitmap
from expert_pool.reevaluation.appraising import KEEP, Appraisal, appraise_asked
from expert_pool.reevaluation.asks import Ask, Measured, asks_of, plain, read, written
from expert_pool.reevaluation.cycle.finding import find_cycle, held, pool_code, scheme_of
from expert_pool.reevaluation.cycle.marking import tell
from expert_pool.reevaluation.scheme import Scheme
from expert_pool.registry import (
    Attestation,
    CaseState,
    Committee,
    Cycle,
    CycleCase,
    CycleState,
    Expert,
    LedgerEntry,
    Pool,
    Recorded,
    Table,
)
from expert_pool.store import allocate
from expert_pool.viewer import Viewer
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.reevaluation.recusals import Failure

_CASE = (
    "id", "cycle_id", "expert_id", "organiser_id", "state", "measure", "months", "decided_by", "by_conduct", "reasons",
)  # fmt: skip
_IN_PLACE = frozenset(table.__tablename__ for table in (Expert, Pool, Committee))
"""Tables an appraisal rests on whose rows are changed in place, so that no moment tells what they were."""


@dataclass(frozen=True)
class Computed:
    """What a cycle is found to propose, as known at a moment. `heads`: by organiser the last entry of its chain (sequence,
    hash) that had been read."""

    known_at: datetime
    heads: Mapping[int, tuple[int, str]]
    asks: tuple[Ask, ...]
    measurement_sha256: str | None
    appraisal: Appraisal


def computed(
    session: Session,
    viewer: Viewer,
    code: str,
    *,
    known_at: datetime | None = None,
    measured: Measured | None = None,
    recusals: Iterable[Failure] | None = None,
) -> Computed | None:
    """Appraise the pool of a cycle as known at a moment (default now); None where it was computed already. Nothing is
    written: `keep` does. The session should be one snapshot. Raises Fault as `appraising.appraise`, `cycle.unknown`."""
    cycle = find_cycle(session, viewer, code)
    viewer.require(cycle.organiser_id)
    if cycle.state is not CycleState.OPEN:
        return None
    scheme = scheme_of(cycle)
    asks = tuple(asks_of(scheme, measured, recusals))
    moment, heads = known_at or clock.now(), _heads(session)
    document = None if measured is None else sha256(encode(plain(measured.document()))).hexdigest()
    found = _appraised(session, viewer, cycle, scheme, asks, moment)
    return Computed(moment, heads, asks, document, found)


def keep(session: Session, viewer: Viewer, code: str, found: Computed) -> bool:
    """Store a case for everybody for whom something is proposed, with the entry that attests it; True also where the cycle
    was computed meanwhile. False, and nothing written, where since then something was written that `found` should
    have known. Raises Fault `cycle.ended`, `cycle.unknown`."""
    cycle = held(session, viewer, code)
    if cycle.state is not CycleState.OPEN:
        return True
    if _overtaken(session, found):
        return False
    cycle.known_at = found.known_at
    cycle.flags = json.dumps([[ask.expert, written(ask.reason)] for ask in found.asks], ensure_ascii=False)
    cycle.measurement_sha256 = found.measurement_sha256
    cycle.ledger_sequence, cycle.ledger_sha256 = found.heads[cycle.organiser_id]
    cycle.computed_by = viewer.actor
    appraisal = found.appraisal
    cycle.appraisal_sha256 = appraisal.sha256()
    cycle.experts = len(appraisal)
    cycle.counts = json.dumps(appraisal.counts())
    cycle.kept = bitmap(appraisal.ids[appraisal.measure == KEEP].tolist())
    cycle.state = CycleState.COMPUTED
    ids = _store(session, cycle, appraisal)
    known = {"known_at": cycle.known_at, "appraisal": cycle.appraisal_sha256, "cases": len(ids)}
    tell(session, viewer, cycle, "cycle.computed", (), known, row_ids={CycleCase: ids})
    return True


def compute(
    session: Session,
    viewer: Viewer,
    code: str,
    *,
    measured: Measured | None = None,
    recusals: Iterable[Failure] | None = None,
) -> None:
    """`computed` and `keep` in one transaction, which others who would write wait for. Computed already: nothing changes.
    Raises Fault as both."""
    held(session, viewer, code)
    found = computed(session, viewer, code, measured=measured, recusals=recusals)
    if found is not None:
        keep(session, viewer, code, found)


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
    return _appraised(session, viewer, cycle, scheme_of(cycle), asks, cycle.known_at)


def same(session: Session, viewer: Viewer, code: str) -> bool:
    """Whether a cycle computed again gives what it gave. Faults as `recompute`."""
    return recompute(session, viewer, code).sha256() == find_cycle(session, viewer, code).appraisal_sha256


def _heads(session: Session) -> dict[int, tuple[int, str]]:
    last = select(LedgerEntry.organiser_id, func.max(LedgerEntry.sequence).label("sequence"))
    ends = last.group_by(LedgerEntry.organiser_id).subquery()
    rows = session.execute(
        select(LedgerEntry.organiser_id, LedgerEntry.sequence, LedgerEntry.sha256).join(
            ends,
            and_(
                LedgerEntry.organiser_id == ends.c.organiser_id,
                LedgerEntry.sequence == ends.c.sequence,
            ),
        )
    )
    return {organiser: (sequence, mark) for organiser, sequence, mark in rows}


def _overtaken(session: Session, found: Computed) -> bool:
    """Whether entries written since attest something the appraisal should have known: a record of its moment or before,
    or a change in place of what it rests on."""
    later = [
        and_(
            LedgerEntry.organiser_id == organiser,
            LedgerEntry.sequence > found.heads.get(organiser, (0, ""))[0],
        )
        for organiser, (sequence, _) in _heads(session).items()
        if sequence > found.heads.get(organiser, (0, ""))[0]
    ]
    if not later:
        return False
    entries = select(LedgerEntry.id).where(or_(*later))
    touched = select(Attestation.table).where(Attestation.entry_id.in_(entries)).distinct()
    return any(_touches(session, name, entries, found.known_at) for name in session.scalars(touched).all())


def _touches(session: Session, name: str, entries: Any, known_at: datetime) -> bool:
    if name in _IN_PLACE:
        return True
    kinds: list[Any] = [mapper.class_ for mapper in Table.registry.mappers]
    table = next((k for k in kinds if k.__tablename__ == name and issubclass(k, Recorded)), None)
    if table is None:
        return False
    rows = select(Attestation.row_id).where(Attestation.entry_id.in_(entries), Attestation.table == name)
    backdated = select(table.id).where(table.id.in_(rows), table.recorded_at <= known_at)
    return session.scalar(backdated.limit(1)) is not None


def _appraised(
    session: Session, viewer: Viewer, cycle: Cycle, scheme: Scheme, asks: Iterable[Ask], known_at: datetime
) -> Appraisal:
    """As the cycle's organiser sees it, so that everybody who computes it again gets the same."""
    return appraise_asked(
        session,
        Viewer(viewer.actor, frozenset({cycle.organiser_id})),
        pool_code(session, cycle),
        scheme,
        cycle.as_of,
        known_at,
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
