"""The meetings of a scenario under several policies, and the panels that were recorded for them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool.ledger import append
from expert_pool.policies.load import presets
from expert_pool.policies.located import nearest
from expert_pool.policies.policy import Policy
from expert_pool.recorded import looked, opens_on
from expert_pool.registry import PanelRecord, PanelState, Seat
from expert_pool.simulation.bases import meetings_of, moment_of
from expert_pool.simulation.reading import Scenario, cycles_named
from expert_pool.simulation.spreading import changes_of
from expert_pool.simulation.supposing import BASE, base_policy, policy_name, supposed, windows
from expert_pool.snapshots import Sitting, find_sitting, take
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer
from solver.check import panel_of
from solver.document import check_problem, problem_sha256, read_problem
from solver.errors import Fault
from solver.panel import Panel
from solver.problem import Problem
from solver.sweeping.changes import applied

if TYPE_CHECKING:
    from expert_pool.simulation.cycles import Taken
    from expert_pool.store import Store


@dataclass(frozen=True)
class Past:
    """A recorded panel of a meeting, in the numbers of the problem it was made from."""

    base: int
    code: str
    panel: Panel


@dataclass(frozen=True)
class Recalled:
    """What a registry adds: meetings under other policies (policy number, base number), their hashes, how far back each kind
    of conflict counts under every policy, recorded panels, cycles of re-evaluation."""

    problems: Mapping[tuple[int, int], Problem] = field(default_factory=dict)
    sha256: Mapping[int, str] = field(default_factory=dict)
    windows: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    past: tuple[Past, ...] = ()
    cycles: Mapping[str, Taken] = field(default_factory=dict)
    sealed: int = 0
    """Meetings whose panel the viewer may not see yet."""


@dataclass(frozen=True)
class Histories:
    """Every meeting under every policy: `problems[policy][base]`, the first policy first."""

    problems: tuple[tuple[Problem, ...], ...]
    sha256: tuple[str | None, ...]
    windows: Mapping[int, Mapping[str, str]]
    past: tuple[Past, ...]
    sealed: int

    @property
    def hangs_on(self) -> list[object]:
        """What a result hangs on beside the scenario and its bases."""
        hashes = [[problem_sha256(problem) for problem in own] for own in self.problems]
        return [hashes, [[one.base, one.code, sorted(one.panel.members)] for one in self.past]]


def recalled(scenario: Scenario, store: Store | None = None, viewer: Viewer | None = None) -> Recalled:
    """What the policies and the edits of a scenario need of the registry; nothing where it compares none and names no cycle.

    Everything is read before anything is written, so that nobody waits for the snapshots; nothing is given back before an
    entry stands in the ledger of each organiser for every meeting looked at. Raises Fault `policies.no_registry` where
    a registry is needed and none was given, `policy.unknown`, and as `cycles.taken`.
    """
    cycles: Mapping[str, Taken] = {}
    if cycles_named(scenario):
        from expert_pool.simulation.cycles import taken

        cycles = taken(scenario, store, viewer)
    doc = scenario.doc.policies
    if doc is None:
        return Recalled(cycles=cycles)
    named = [at for at, one in enumerate(doc.compare) if one.policy is not None or one.overrides]
    if not named and doc.history.panels != "past":
        return Recalled(cycles=cycles)
    if scenario.doc.base.problem is not None or store is None or viewer is None:
        at = min(named, default=0)
        where = (
            scenario.at("policies", "compare", at, "policy") if named else scenario.at("policies", "history")
        )
        raise Fault("policies.no_registry", where)
    laws = {at: _policy(scenario, at) for at in named}
    own_law = base_policy(scenario)
    problems: dict[tuple[int, int], Problem] = {}
    past: list[Past] = []
    sealed = 0
    seen: list[tuple[Sitting, list[Past], list[tuple[str, date]]]] = []
    with store.reading() as session:
        for base, (committee, meeting) in enumerate(meetings_of(session, viewer, scenario)):
            sitting = find_sitting(session, viewer, committee, meeting)
            viewer.require(sitting.organiser_id, sitting.committee_id)
            for at, law in laws.items():
                problem = take(session, viewer, sitting, law, known_at=moment_of(scenario)).problem
                check_problem(problem)
                problems[at, base] = problem
            own: list[Past] = []
            opened: list[tuple[str, date]] = []
            if doc.history.panels == "past":
                own, opened, closed = _recorded(session, viewer, sitting, base)
                past, sealed = past + own, sealed + closed
            seen.append((sitting, own, opened))
    with store.session() as session:
        for sitting, own, opened in seen:
            for code, open_on in opened:
                looked(session, viewer, sitting.organiser_id, code, open_on)
            append(
                session,
                organiser_id=sitting.organiser_id,
                actor=viewer.actor,
                action="scenario.compared",
                subject=sitting.meeting,
                payload={
                    "policies": {str(at): law.sha256 for at, law in laws.items()},
                    "panels": [one.code for one in own],
                },
            )
    return Recalled(
        problems,
        {at: law.sha256 for at, law in laws.items()},
        {at: windows(laws.get(at, own_law)) for at in range(len(doc.compare))},
        tuple(past),
        cycles,
        sealed,
    )


def _policy(scenario: Scenario, at: int) -> Policy:
    """A preset, or a policy file beside a scenario that lies in a folder, or the base's own, with what is supposed there.
    Raises Fault for any other name."""
    assert scenario.doc.policies is not None
    one = scenario.doc.policies.compare[at]
    path = ("policies", "compare", at)
    if one.policy is None:
        layers = ((scenario.doc.base.overrides, BASE), (one.overrides, (*path, "overrides")))
        return supposed(scenario, policy_name(scenario), layers)
    beside = scenario.folder.is_dir() and (scenario.folder / one.policy).is_file()
    if not beside and one.policy not in presets():
        near, known = nearest(one.policy, presets()), ", ".join(presets())
        raise Fault(
            "policy.unknown", scenario.at(*path, "policy"), name=one.policy, nearest=near, known=known
        )
    return supposed(scenario, one.policy, ((one.overrides, (*path, "overrides")),))


def _recorded(
    session: Session, viewer: Viewer, sitting: Sitting, base: int
) -> tuple[list[Past], list[tuple[str, date]], bool]:
    """The approved panel of a meeting, else the one proposed last; its code with the day its seats open, if they are sealed
    and the viewer opens seals; and whether there is one that is sealed for the viewer."""
    rows = session.scalars(
        select(PanelRecord)
        .where(PanelRecord.meeting_id == sitting.meeting_id, *visible(viewer, PanelRecord))
        .order_by(PanelRecord.requested_at.desc(), PanelRecord.id.desc())
    ).all()
    approved = [row for row in rows if row.state is PanelState.APPROVED]
    for row in approved or rows:
        answer = Answer.model_validate_json(row.answer)
        if not answer.members:
            continue
        own = select(func.count(Seat.id)).where(Seat.panel_id == row.id, *visible(viewer, Seat))
        if not session.scalar(own):
            return [], [], True
        open_on = opens_on(session, row)
        panel = panel_of(read_problem(zlib.decompress(row.problem)), answer)
        return [Past(base, row.code, panel)], [] if open_on is None else [(row.code, open_on)], False
    return [], [], False


def histories(scenario: Scenario, problems: Sequence[Problem], recalled: Recalled) -> Histories | None:
    """Every policy over every base; None where the scenario compares none. `problems`: the bases after `change`. Raises
    Fault for changes that do not fit, naming the policy."""
    doc = scenario.doc.policies
    if doc is None:
        return None
    fixed = changes_of(scenario.doc.change, scenario.cycles)
    found = []
    for at, one in enumerate(doc.compare):
        own = changes_of(one.change, scenario.cycles)
        where = scenario.at("policies", "compare", at)
        try:
            found.append(
                tuple(
                    applied(applied(_as_patient(recalled.problems[at, base], problem), fixed), own)
                    if (at, base) in recalled.problems
                    else applied(problem, own)
                    for base, problem in enumerate(problems)
                )
            )
        except Fault as fault:
            raise Fault(
                fault.code, f"{where}: {fault.where}" if fault.where else where, **fault.params
            ) from None
    sha256 = tuple(recalled.sha256.get(at) for at in range(len(found)))
    return Histories(tuple(found), sha256, recalled.windows, recalled.past, recalled.sealed)


def _as_patient(problem: Problem, base: Problem) -> Problem:
    """With the seed and the limits of the base."""
    return replace(problem, seed=base.seed, limits=base.limits)
