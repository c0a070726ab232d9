"""A diagnosis as the page shows it: what clashes in words, and every way to give way as a request that can be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from api.page.names import employers_told
from expert_pool.documents.view import View
from expert_pool.opened import MOST_PEOPLE, open_panel, people_of
from expert_pool.policies.conceding import concessions
from expert_pool.recorded import find_panel, policy_of
from expert_pool.registry import Agenda, Committee, Meeting, PanelRecord
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.check import panel_of
from solver.diagnosis.document import Diagnosis, RelaxationResult
from solver.diagnosis.elements import named
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Way:
    """One way to give way: `says` for each rule, and the overrides that would allow it (None: no parameter of the policy
    does). `kept` are the overrides there were that stay, as (parameter, value, why)."""

    way: RelaxationResult
    says: tuple[tuple[str, tuple[str, ...]], ...]
    overrides: Mapping[str, Any] | None
    kept: tuple[tuple[str, Any, str], ...]


@dataclass(frozen=True)
class Diagnosed:
    """`locks` and `exclusions` as (expert by code, group, why): a new request makes the same decisions about persons."""

    told: Diagnosis
    view: View
    panel: str
    committee: str
    meeting: str
    policy: str
    ways: tuple[Way, ...]
    locks: tuple[tuple[str, str | None, str], ...]
    exclusions: tuple[tuple[str, str | None, str], ...]


def _asked(way: RelaxationResult) -> list[str]:
    """The rules that give way; what is promised after no-shows comes last, as it speaks of all the others."""
    return sorted(dict.fromkeys(one.rule for one in way.concessions), key=lambda rule: rule == "alternates")


def diagnosed(store: Store, viewer: Viewer, document: Mapping[str, Any], lang: str) -> Diagnosed | None:
    """The diagnosis of a recorded panel; None where the panel is closed to the viewer meanwhile."""
    told = Diagnosis.model_validate(document)
    with store.reading() as session:
        panel = session.scalar(
            select(PanelRecord.code)
            .where(PanelRecord.problem_sha256 == told.problem.sha256, *visible(viewer, PanelRecord))
            .order_by(PanelRecord.id.desc())
            .limit(1)
        )
    if panel is None:
        return None
    try:
        opened = open_panel(store, viewer, panel)
    except Fault:
        return None
    problem = opened.problem
    with store.reading() as session:
        record = find_panel(session, viewer, panel)
        committee, meeting, level, on = session.execute(
            select(Committee.code, Meeting.code, Committee.level, Meeting.on)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Meeting, Meeting.agenda_id == Agenda.id)
            .where(Meeting.id == record.meeting_id, *visible(viewer, Meeting))
        ).one()
        policy = policy_of(record)
        sayings = [one.says for found in told.sets for one in found.elements]
        sayings += [saying for way in told.relaxations for one in way.concessions for saying in one.says]
        employers = {} if problem.procedure == "draw" else employers_told(session, viewer, sayings, on)
    spoken_of = [problem.experts[e] for e in sorted(set(named(problem)))]
    spoken_of += [str(who) for saying in sayings for who in saying.params.get("experts") or ()]
    people = people_of(store, viewer, opened, list(dict.fromkeys(spoken_of))[:MOST_PEOPLE])
    view = View(
        opened.answer,
        {who: one.person for who, one in people.items()} if problem.procedure == "compose" else {},
        lang,
        problem,
        employers,
    )

    def code(expert: int) -> str:
        who = problem.experts[expert]
        return people[who].code if who in people else who

    ways = []
    for way in told.relaxations:
        found = concessions(
            policy.id,
            policy.overrides,
            str(level),
            panel_of(problem, way.panel),
            _asked(way),
        )
        says = tuple(
            (view.rule(one.rule), tuple(view.tell(saying) for saying in one.says)) for one in way.concessions
        )
        kept = tuple(
            (one.parameter, one.value, one.why)
            for one in policy.overrides
            if found is None or one.parameter not in found
        )
        ways.append(Way(way, says, found, kept))
    return Diagnosed(
        told=told,
        view=view,
        panel=panel,
        committee=committee,
        meeting=meeting,
        policy=policy.id,
        ways=tuple(ways),
        locks=tuple(
            (code(one.expert), None if one.group is None else problem.groups[one.group].id, one.why)
            for one in problem.locks
        ),
        exclusions=tuple((code(one.expert), None, one.why) for one in problem.exclusions),
    )
