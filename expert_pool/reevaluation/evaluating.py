"""One pool looked at from every side on a day: conduct, measurement, recusals, health. Changes nothing.

What a command, a job and a cycle ask of re-evaluation comes through here, so that all of them see the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.policies.load import preset
from expert_pool.reevaluation.appraising import POLICY, Appraisal, appraise, find_pool
from expert_pool.reevaluation.comparing import Comparison, compared
from expert_pool.reevaluation.days import EARLIEST, refuse_too_early
from expert_pool.reevaluation.recusals import Failures, failures
from expert_pool.reevaluation.scheme import Scheme
from expert_pool.registry import CycleState, Membership, Step
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

if TYPE_CHECKING:
    from expert_pool.reevaluation.health.document import Health
    from expert_pool.reevaluation.measurement.measured import Measured

Cancelled = Callable[[], bool]

TRIES = 3
"""So often a cycle is computed while others write; then they wait."""


@dataclass(frozen=True)
class Gathered:
    """What an appraisal is given besides what is on record about each expert. `measured` None: nobody's scores are on
    record."""

    measured: Measured | None
    failures: Failures


@dataclass(frozen=True)
class Evaluation:
    """Everything about one pool on one day. `comparison`: with a second scheme, where one was asked for."""

    appraisal: Appraisal
    measured: Measured | None
    failures: Failures
    health: Health | None
    comparison: Comparison | None


def gather(
    store: Store,
    viewer: Viewer,
    pool: str,
    scheme: Scheme,
    as_of: date,
    known_at: datetime | None = None,
    *,
    policy: str = POLICY,
    replications: int = 0,
    seed: int = 0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Gathered:
    """The measurement and the failures to recuse of the scheme's period that ends on `as_of`.

    Only what the viewer may see goes in. Raises Fault `appraisal.pool_unknown`, `appraisal.future`,
    `appraisal.too_early`, `runs.cancelled`.
    """
    from expert_pool.reevaluation.measurement.measured import measure
    from expert_pool.reevaluation.scores import pool_ratings

    moment = known_at or clock.now()
    if as_of > clock.today():
        raise Fault("appraisal.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    since = scheme.since(as_of) or EARLIEST
    with store.reading() as session:
        report(Progress("recusals"))
        people = members_of(session, viewer, pool)
        found = failures(session, viewer, people, since, as_of, moment, policy=preset(policy))
        report(Progress("ratings"))
        ratings = pool_ratings(session, viewer, pool, since, as_of, moment)
    stop(cancelled)
    measured = None
    if ratings is not None:
        report(Progress("measure"))
        rules = scheme.doc.measurement
        measured = measure(
            ratings,
            at_least=rules.at_least,
            rate=rules.rate,
            seed=seed,
            replications=replications,
            cancelled=cancelled,
            report=report,
        )
        stop(cancelled)
    return Gathered(measured, found)


def evaluate(
    store: Store,
    viewer: Viewer,
    pool: str,
    scheme: Scheme,
    as_of: date,
    *,
    against: Scheme | None = None,
    policy: str = POLICY,
    replications: int = 0,
    seed: int = 0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Evaluation:
    """Appraise a pool (code) by a scheme as of a day, as known now; with `against`, by a second scheme too.

    Where no committee draws on the pool there is no health to picture. Raises Fault as `gather` and `appraise`, and
    `runs.cancelled` once `cancelled` says so.
    """
    from expert_pool.reevaluation.health.picture import picture

    moment = clock.now()
    given = gather(
        store,
        viewer,
        pool,
        scheme,
        as_of,
        moment,
        policy=policy,
        replications=replications,
        seed=seed,
        report=report,
        cancelled=cancelled,
    )
    report(Progress("appraise"))
    with store.reading() as session:
        first, *more = (
            appraise(
                session,
                viewer,
                pool,
                one,
                as_of,
                moment,
                measured=given.measured,
                recusals=given.failures.found,
                policy=policy,
            )
            for one in (scheme, *([] if against is None else [against]))
        )
        stop(cancelled)
        health = None
        if len(first):
            health = picture(
                session, viewer, first.pool_id, as_of, moment, report=report, cancelled=cancelled
            )
    stop(cancelled)
    comparison = compared(first, more[0]) if more else None
    return Evaluation(first, given.measured, given.failures, health, comparison)


def stop(cancelled: Cancelled) -> None:
    """Raises Fault `runs.cancelled` where somebody asked for the end."""
    if cancelled():
        raise Fault("runs.cancelled")


def members_of(session: Session, viewer: Viewer, pool: str) -> frozenset[int]:
    """The ids of everybody who was ever admitted to a pool (code). Raises Fault `appraisal.pool_unknown`."""
    home = find_pool(session, viewer, pool)
    admitted = select(Membership.expert_id).where(
        Membership.pool_id == home.id, Membership.step == Step.ADMITTED
    )
    return frozenset(session.scalars(admitted))


def compute_cycle(
    store: Store,
    viewer: Viewer,
    code: str,
    *,
    replications: int = 0,
    seed: int = 0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> None:
    """Gather what a cycle needs and compute it; a cycle that was computed already stays as it is.

    What goes in is what its organiser may see, whoever asks. Others go on writing meanwhile; where something was written that
    should have been known, it is computed again, at last with everybody waiting. Raises Fault as `gather` and `cycle.compute`.
    """
    from expert_pool.ledger.heads import settled
    from expert_pool.reevaluation import cycle
    from expert_pool.reevaluation.cycle.finding import find_cycle, pool_code, scheme_of

    with store.reading() as session:
        found = find_cycle(session, viewer, code)
        if found.state is not CycleState.OPEN:
            return
        scheme, pool = scheme_of(found), pool_code(session, found)
    viewer.require(found.organiser_id)
    for attempt in range(TRIES):
        moment = clock.now()
        given = gather(
            store,
            Viewer(viewer.actor, frozenset({found.organiser_id})),
            pool,
            scheme,
            found.as_of,
            moment,
            policy=found.policy,
            replications=replications,
            seed=seed,
            report=report,
            cancelled=cancelled,
        )
        report(Progress("appraise", attempt, TRIES))
        asked, unrecused = given.measured, given.failures.found
        with settled(store) as session:
            proposed = cycle.computed(
                session, viewer, code, known_at=moment, measured=asked, recusals=unrecused
            )
        stop(cancelled)
        with store.session() as session:
            if proposed is None or cycle.keep(session, viewer, code, proposed):
                return
    with store.session() as session:  # others write too much: now they wait
        cycle.compute(session, viewer, code, measured=asked, recusals=unrecused)
