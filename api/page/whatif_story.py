"""A what-if from its first request to its end: every run that worked on it, why each ended, from where the next went on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import runs
from expert_pool.accounts import Principal, Right
from expert_pool.keys import Key
from expert_pool.registry import RunRecord, RunState, SimulationRecord
from expert_pool.runs.files import open_json
from expert_pool.runs.turning import ENDED
from expert_pool.simulation import kept
from expert_pool.viewer import Viewer
from solver.errors import Fault

KIND = "simulation.sweep"
_MOST_RUNS, _MOST_EVENTS = 500, 5000


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run came in one of its phases: `first` was done when it began, `last` when it ended or now."""

    phase: str
    first: int
    last: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One run. `seen`: whether whoever looks may open its page; `stopped_by`: who asked it to end; `losses`: workers that
    were lost under it; `fault`: what ended it, for its own asker."""

    code: str
    seen: bool
    actor: str
    state: RunState
    accepted_at: datetime
    ended_at: datetime | None
    stopped_by: str | None
    stopped_at: datetime | None
    losses: int
    reached: tuple[Reached, ...]
    fault: Fault | None


def story(session: Session, asks: Principal, made: SimulationRecord, key: Key) -> list[Turn]:
    """The runs of a simulation that the caller may see, oldest first; those that were cleared away are not there."""
    began = select(RunRecord.id).where(RunRecord.code == made.code).scalar_subquery()
    wanted = (
        select(RunRecord)
        .where(RunRecord.kind == KIND, RunRecord.organiser_id == made.organiser_id)
        .where(RunRecord.id >= func.coalesce(began, 0))
        .order_by(RunRecord.id)
        .limit(_MOST_RUNS)
    )
    return [
        _turn(session, asks, run, key)
        for run in session.scalars(wanted)
        if run.code == made.code or open_json(key, run.params_sealed).get("simulation") == made.code
    ]


def simulation_of(session: Session, asks: Principal, viewer: Viewer, run: str, key: Key) -> str:
    """The code of the simulation that a run works or worked on. Raises Fault `simulation.unknown`, `runs.run_unknown`."""
    try:
        return kept.of_run(session, viewer, run).code
    except Fault as fault:
        if fault.code != "simulation.unknown":
            raise
    one = runs.find(session, asks, run)  # neither its first run nor its latest
    code = open_json(key, one.params_sealed).get("simulation") if one.kind == KIND else None
    return kept.find(session, viewer, code or run).code


def _turn(session: Session, asks: Principal, run: RunRecord, key: Key) -> Turn:
    own = run.account_id == asks.account_id
    outcome = runs.outcome(session, asks, run, key=key) if own and run.state in ENDED else None
    return Turn(
        run.code,
        own or asks.may(Right.SERVICE_OPERATE),
        run.actor,
        run.state,
        run.accepted_at,
        run.ended_at,
        run.cancel_asked_by,
        run.cancel_asked_at,
        run.losses,
        _reached(session, run),
        outcome.fault if outcome else None,
    )


def _reached(session: Session, run: RunRecord) -> tuple[Reached, ...]:
    """Each phase with the first and the last count that were told of it."""
    found: dict[str, Reached] = {}
    for one in runs.events(session, run, limit=_MOST_EVENTS):
        done, phase = one.data.get("done"), one.data.get("phase")
        if one.kind != "progress" or phase is None or done is None:
            continue
        before = found.get(phase)
        found[phase] = Reached(phase, before.first if before else done, done, one.data.get("total"))
    return tuple(found.values())
