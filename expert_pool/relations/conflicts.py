"""Conflicts of a pool with an agenda and among itself, derived for one policy and day: arrays throughout.

Relations count whoever recorded them; dates that are unknown count as if they reached to the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.policies.policy import Policy
from expert_pool.registry import Agenda, Applicant, Case
from expert_pool.relations.deriving import Deriver, Hits, Targets
from expert_pool.viewer import Viewer, counted
from solver.errors import Fault
from solver.facts import MISSING, Ints
from solver.problem import ConflictKind, Pairs


@dataclass(frozen=True)
class Conflicts:
    """What the problem needs. `between` and `with_cases` hold indices into the experts given and into `case_ids`, the
    agenda's cases in the order of their codes; `kind` is an index into `kinds`."""

    kinds: tuple[ConflictKind, ...]
    between: Pairs
    with_cases: Pairs
    case_ids: tuple[int, ...]


def derive(
    session: Session,
    viewer: Viewer,
    policy: Policy,
    experts: Ints,
    agenda_id: int,
    on: date,
    known_at: datetime | None = None,
) -> Conflicts:
    """The conflicts of `experts` (ids) with the cases of an agenda and with one another on a day, as known at a moment.

    Each pair is named once for every kind, with the first record behind it. Raises Fault `relations.agenda_unknown`.
    """
    if session.scalar(select(Agenda.id).where(Agenda.id == agenda_id, *counted(viewer, Agenda))) is None:
        raise Fault("relations.agenda_unknown", str(agenda_id))
    case_ids, targets = targets_of(session, viewer, agenda_id)
    deriver = Deriver(session, viewer, policy.conflicts, np.asarray(experts, dtype=np.int64), on, known_at)
    kinds = tuple(
        ConflictKind(c.kind, c.effect, c.basis.text, c.basis.status) for c in policy.conflicts.values()
    )
    return Conflicts(kinds, _once(deriver.between()), _once(deriver.with_targets(targets)), case_ids)


def targets_of(session: Session, viewer: Viewer, agenda_id: int) -> tuple[tuple[int, ...], Targets]:
    """The cases of an agenda by code: their ids, and who and what each is about."""
    rows = session.execute(
        select(Case.id, Case.code, Case.applicant_id, Applicant.expert_id, Case.employer_id)
        .join(Applicant, Applicant.id == Case.applicant_id)
        .where(Case.agenda_id == agenda_id, *counted(viewer, Case))
    ).all()
    rows = sorted(rows, key=lambda row: row.code)
    columns = np.array(
        [
            (r.id, r.applicant_id, MISSING if r.expert_id is None else r.expert_id, r.employer_id)
            for r in rows
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    return tuple(r.id for r in rows), Targets(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])


def _once(hits: Hits) -> Pairs:
    """One pair for every (left, right, kind), with the first reference, in that order."""
    width = int(hits.right.max(initial=0)) + 1
    pair = (hits.left * width + hits.right) * (int(hits.kind.max(initial=0)) + 1) + hits.kind
    order = np.lexsort((hits.row, hits.source, pair))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(pair[order]) != 0
    kept = hits.at(order[first])
    return Pairs(kept.left, kept.right, kept.kind, tuple(kept.references()))
