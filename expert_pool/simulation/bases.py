"""What a scenario asks about: a problem file, a meeting of the registry, every meeting of a year, a made region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import Agenda, Committee, Meeting
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.scenario import RegionDoc
from expert_pool.simulation.supposing import base_policy
from expert_pool.snapshots import find_sitting, take
from expert_pool.viewer import Viewer, visible
from solver.document import check_problem, read_problem
from solver.errors import Fault
from solver.problem import Problem

if TYPE_CHECKING:
    from expert_pool.store import Store


def problems_of(
    scenario: Scenario, store: Store | None = None, viewer: Viewer | None = None
) -> list[Problem]:
    """The problems asked about, with the seed and the patience of the scenario. Those of the registry as known at
    `known_at` (default now), with an entry in the ledger of each organiser whose pool was looked at.

    Raises Fault where the file or the meeting is not there, or a registry is asked about and none was given.
    """
    base = scenario.doc.base
    if base.problem is not None:
        found = [read_problem(scenario.folder / base.problem)]
    elif base.region is not None:
        found = _of_region(base.region)
    elif store is None or viewer is None:
        raise Fault("scenario.no_registry", scenario.at("base"))
    else:
        found = _of_registry(scenario, store, viewer)
    return [_asked(scenario, problem) for problem in found]


def _asked(scenario: Scenario, problem: Problem) -> Problem:
    doc = scenario.doc
    limits = problem.limits if doc.seconds is None else replace(problem.limits, seconds=doc.seconds)
    return replace(problem, limits=limits, seed=problem.seed if doc.seed is None else doc.seed)


def _of_region(region: RegionDoc) -> list[Problem]:
    from expert_pool.region.season import season_problems

    return list(season_problems(region.experts, region.committees, region.seed, region.cases))


def _of_registry(scenario: Scenario, store: Store, viewer: Viewer) -> list[Problem]:
    from expert_pool.ledger import append

    policy = base_policy(scenario)
    known_at = moment_of(scenario)
    problems, looked = [], []
    with store.reading() as session:
        for committee, meeting in meetings_of(session, viewer, scenario):
            sitting = find_sitting(session, viewer, committee, meeting)
            viewer.require(sitting.organiser_id, sitting.committee_id)
            problem = take(session, viewer, sitting, policy, known_at=known_at).problem
            check_problem(problem)
            problems.append(problem)
            looked.append(sitting)
    with store.session() as session:
        for sitting in looked:
            append(
                session,
                organiser_id=sitting.organiser_id,
                actor=viewer.actor,
                action="scenario.asked",
                subject=sitting.meeting,
                payload={"known_at": known_at.isoformat(), "policy": policy.sha256},
            )
    return problems


def meetings_of(session: Session, viewer: Viewer, scenario: Scenario) -> Sequence[tuple[str, str]]:
    """Committee and meeting of everything a scenario of the registry asks about. Raises Fault for a year without any, and
    where it asks about a file."""
    base = scenario.doc.base
    if base.year is not None:
        pairs = _of_year(session, viewer, base.year)
        if not pairs:
            raise Fault("scenario.year_empty", scenario.at("base", "year"), year=base.year)
        return pairs
    if base.committee is None or base.meeting is None:
        raise Fault("scenario.meeting", scenario.at("base"))
    return [(base.committee, base.meeting)]


def _of_year(session: Session, viewer: Viewer, year: int) -> Sequence[tuple[str, str]]:
    """Committee and meeting of every sitting of a year that the viewer sees, by day."""
    rows = session.execute(
        select(Committee.code, Meeting.code)
        .join(Agenda, Agenda.committee_id == Committee.id)
        .join(Meeting, Meeting.agenda_id == Agenda.id)
        .where(Meeting.on.between(date(year, 1, 1), date(year, 12, 31)), *visible(viewer, Committee))
        .order_by(Meeting.on, Meeting.code)
    )
    return [(row[0], row[1]) for row in rows]


def moment_of(scenario: Scenario) -> datetime:
    """The moment as known at which the registry is read. Raises Fault `scenario.moment`."""
    text = scenario.doc.base.known_at
    if text is None:
        return clock.now()
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise Fault("scenario.moment", scenario.at("base", "known_at"), value=text) from None
