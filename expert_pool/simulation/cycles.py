"""Cycles of re-evaluation that a scenario takes as in force: what each decides, or proposes, as changes of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.ledger import append
from expert_pool.lifecycle import GRAVITY, State
from expert_pool.policies.located import nearest
from expert_pool.reevaluation.cycle.executing import LEAVES
from expert_pool.reevaluation.cycle.finding import confirmed_of
from expert_pool.reevaluation.cycle.letter_contents import last_day
from expert_pool.reevaluation.scheme import MEASURES, Measure
from expert_pool.registry import Cycle, CycleCase, CycleState, Expert, Pool
from expert_pool.simulation.bases import meetings_of, moment_of
from expert_pool.simulation.edits import CycleEdit
from expert_pool.simulation.reading import Scenario, cycles_named, edits_of
from expert_pool.simulation.results import CyclePart, digest
from expert_pool.snapshots import Sitting, find_sitting
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.sweeping.people import FactMove

if TYPE_CHECKING:
    from expert_pool.store import Store

STATES = {
    Measure.LOWER: State.RESTRICTED,
    Measure.RETRAIN: State.RETRAIN,
    Measure.SUSPEND: State.SUSPENDED,
    Measure.EXIT: State.EXITED,
    Measure.BAN: State.BANNED,
}
"""What an expert is in the pool once a measure is in force, unless something graver holds."""
_ORDER = tuple(state for _, _, state in GRAVITY)


@dataclass(frozen=True)
class Taken:
    """A cycle as a scenario takes it: what is told of it, and of each measure who is under it (pseudonyms) in which meetings
    (committee and meeting) where the registry does not know of it yet."""

    part: CyclePart
    moves: tuple[tuple[Measure, tuple[str, ...], tuple[tuple[str, str], ...]], ...]
    own: tuple[tuple[str, str], ...]
    """The meetings that draw on the cycle's pool."""

    def changes(self, measures: Sequence[str] | None) -> tuple[FactMove, ...]:
        """The changes of a problem, the mildest measure first. Sanctions count in every pool; who leaves, leaves this one."""
        found = []
        for measure, experts, meetings in self.moves:
            if measures is not None and measure not in measures:
                continue
            state = STATES[measure]
            milder = tuple(map(str, _ORDER[_ORDER.index(state) + 1 :]))
            there = tuple(one for one in meetings if one in self.own)
            counts = there if measure is Measure.EXIT else meetings
            found.append(FactMove("state", str(state), experts, milder, counts))
            if measure in LEAVES:
                found.append(FactMove("in_pool", False, experts, None, there))
        return tuple(found)


def taken(scenario: Scenario, store: Store | None, viewer: Viewer | None) -> dict[str, Taken]:
    """The cycles that a scenario names, by code, each look in the ledger of its organiser; nothing where it names none.

    Raises Fault at the line of the edit: `scenario.no_registry`, `scenario.cycle_unknown` (with the nearest),
    `scenario.cycle_idle` (not computed, or dropped), `scenario.cycle_elsewhere` (of a pool that no meeting draws on).
    """
    named = cycles_named(scenario)
    if not named:
        return {}
    if store is None or viewer is None:
        raise Fault("scenario.no_registry", next(iter(named.values())))
    found: dict[str, Taken] = {}
    owners: dict[str, int] = {}
    with store.reading() as session:
        sittings = [
            find_sitting(session, viewer, committee, meeting)
            for committee, meeting in meetings_of(session, viewer, scenario)
        ]
        for code, where in named.items():
            cycle = usable(session, viewer, code, where)
            if all(sitting.pool_id != cycle.pool_id for sitting in sittings):
                raise Fault("scenario.cycle_elsewhere", where, name=code, pool=_pool(session, cycle))
            found[code] = _taken(session, cycle, sittings, moment_of(scenario), _asked_for(scenario, code))
            owners[code] = cycle.organiser_id
    with store.session() as session:
        for code, one in found.items():
            append(
                session,
                organiser_id=owners[code],
                actor=viewer.actor,
                action="scenario.cycle_taken",
                subject=code,
                payload={"sha256": one.part.sha256},
            )
    return found


def usable(session: Session, viewer: Viewer, code: str, where: str) -> Cycle:
    """A cycle the viewer sees that has something to say. Raises Fault `scenario.cycle_unknown`, `scenario.cycle_idle`."""
    cycle = session.scalar(select(Cycle).where(Cycle.code == code, *visible(viewer, Cycle)))
    if cycle is None:
        codes = session.scalars(
            select(Cycle.code).where(*visible(viewer, Cycle)).order_by(Cycle.id.desc()).limit(1000)
        ).all()
        near = nearest(code, codes)
        raise Fault(
            "scenario.cycle_unknown", where, name=code, nearest=near, known=", ".join(codes[:10]) or None
        )
    if cycle.state in (CycleState.OPEN, CycleState.DROPPED):
        raise Fault("scenario.cycle_idle", where, name=code, state=str(cycle.state))
    return cycle


def _asked_for(scenario: Scenario, code: str) -> frozenset[Measure]:
    """The measures of a cycle that any edit takes."""
    found: set[Measure] = set()
    for _, edits in edits_of(scenario):
        for edit in edits:
            if isinstance(edit, CycleEdit) and edit.cycle == code:
                found.update(STATES if edit.measures is None else map(Measure, edit.measures))
    return frozenset(found)


def _taken(
    session: Session,
    cycle: Cycle,
    sittings: Sequence[Sitting],
    known_at: datetime,
    asked_for: frozenset[Measure],
) -> Taken:
    rows = session.execute(
        select(CycleCase, Expert.pseudonym)
        .join(Expert, Expert.id == CycleCase.expert_id)
        .where(CycleCase.cycle_id == cycle.id)
        .order_by(Expert.pseudonym)
    ).all()
    said = {
        case: one
        for case, one in confirmed_of(session, [case.id for case, _ in rows]).items()
        if one.answered_at is not None and one.answered_at <= known_at
    }
    under: dict[tuple[Measure, tuple[tuple[str, str], ...]], list[str]] = {}
    content: list[Any] = []
    counts: dict[str, int] = {}
    decided = 0
    for case, pseudonym in rows:
        decision = said.get(case.id)
        measure = Measure(case.measure if decision is None else decision.measure)
        months = case.months if decision is None else decision.months
        if measure not in asked_for:
            continue
        executed = case.executed_at if case.executed_at and case.executed_at <= known_at else None
        begins = cycle.as_of if executed is None else executed.astimezone().date()
        ends = None if months is None else last_day(begins, months)
        meetings = tuple(
            (sitting.committee, sitting.meeting)
            for sitting in sittings
            if _counts(sitting.on, None if executed is None else begins, ends)
        )
        counts[str(measure)] = counts.get(str(measure), 0) + 1
        decided += decision is not None
        content.append([pseudonym, str(measure), months, begins.isoformat(), decision is not None])
        under.setdefault((measure, meetings), []).append(pseudonym)
    part = CyclePart(
        code=cycle.code,
        pool=_pool(session, cycle),
        as_of=cycle.as_of.isoformat(),
        state=str(cycle.state),
        sha256=digest([cycle.code, cycle.scheme_sha256, content]),
        counts={str(m): counts[m] for m in MEASURES if m in counts},
        decided=decided,
    )
    ordered = sorted(under.items(), key=lambda item: (MEASURES.index(item[0][0]), item[1]))
    own = tuple((s.committee, s.meeting) for s in sittings if s.pool_id == cycle.pool_id)
    return Taken(part, tuple((m, tuple(who), at) for (m, at), who in ordered if at), own)


def _counts(on: date, executed: date | None, ends: date | None) -> bool:
    """Whether a measure is to be put in force for a meeting: not where the registry knows of it already, nor where it is over
    by then."""
    return (executed is None or on < executed) and (ends is None or on <= ends)


def _pool(session: Session, cycle: Cycle) -> str:
    return session.scalars(select(Pool.code).where(Pool.id == cycle.pool_id)).one()
