"""A request for a panel looked at before it is made: who is eligible, where the funnel narrows, what a panel costs at least.

A prepared meeting is kept in memory for a while: the facts of its pool and their conflicts as they were read, the rows made
of them. Other rules over the same people then take no database and a fraction of a second. It is kept for one viewer only,
and taken anew once the ledger has moved on, so a count is never older than `SETTLED` seconds behind what is recorded.
Nothing is decided here, and nobody is named.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

import numpy as np
from sqlalchemy import func, select

from expert_pool import clock
from expert_pool.agendas import Application, Fields, fields_on, form_groups
from expert_pool.filings import FilingGap, filings_missing
from expert_pool.policies.policy import Policy
from expert_pool.registry import Case, LedgerEntry
from expert_pool.snapshots import Choice, Snapshot, find_sitting, take
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.answer import GateResult, Saying
from solver.diagnosis.elements import same_people
from solver.errors import Fault
from solver.facts import Mask
from solver.floors import Floors, floors
from solver.model import Funnel
from solver.problem import CLOSE, Exclusion, Problem
from solver.problem import Lock as Locked
from solver.rules import Gate
from solver.sweeping.kept import Kept

MOST = 4
"""So many meetings are kept prepared in one process."""
SETTLED = 30.0
"""Seconds for which a prepared meeting is taken as it is, whatever was written meanwhile."""
OLDEST = 900.0
"""Seconds after which it is taken anew in any case."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a meeting of a committee (by code) under a policy, with decisions about persons (by code)."""

    committee: str
    meeting: str
    policy: Policy
    locks: tuple[Choice, ...] = ()
    exclusions: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """A review group: its seats, how many may sit in it, and how many of those are close peers."""

    id: str
    name: str
    low: int
    high: int
    alternates: int
    eligible: int
    close: int


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody locked in who may not sit: the gates that bar them (none: the decision names a group closed to them)."""

    expert: str
    gates: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """`eligible` are open to some group. `floors` None: not asked. `notes` say how groups came about and which filings are
    missing; `held_up`: who is locked in and barred."""

    problem: Problem
    known_at: datetime
    considered: int
    eligible: int
    gates: tuple[GateResult, ...]
    groups: tuple[GroupLeft, ...]
    floors: Floors | None
    notes: tuple[Saying, ...]
    missing: tuple[FilingGap, ...]
    held_up: tuple[Held, ...]

    @property
    def impossible(self) -> bool:
        """Whether it is shown that no panel keeps the hard rules."""
        return self.floors is not None and self.floors.impossible


@dataclass(frozen=True, slots=True)
class Barred:
    """Somebody a gate bars: `alone` when no other gate does. `facts` are those the gate asks about."""

    pseudonym: str
    alone: bool
    facts: dict[str, int | bool | str | None]


@dataclass
class _Prepared:
    """A meeting as read for one viewer, and what was made of it so far."""

    taken: Snapshot
    applications: tuple[Application, ...]
    fields: Fields
    missing: tuple[FilingGap, ...]
    known_at: datetime
    head: int
    since: float
    known: Kept = field(default_factory=Kept)
    using: Lock = field(default_factory=Lock)
    formed: dict[Hashable, Problem] = field(default_factory=dict)

    def problem(self, policy: Policy) -> tuple[Problem, tuple[Saying, ...]]:
        """The problem under a policy that reads the same records: other rules, perhaps other groups."""
        base, level = self.taken.problem, self.taken.sitting.level
        grouping = form_groups(policy, self.applications, base.specialties, self.fields, level=level)
        # People and cases stay the very same objects where nothing about groups changed: what was made of them holds.
        key = (grouping.groups, grouping.of_case.tobytes())
        grouped = self.formed.get(key)
        if grouped is None:
            if len(self.formed) >= MOST:
                self.formed.clear()
            cases = replace(base.cases, group=grouping.of_case)
            grouped = self.formed[key] = replace(base, groups=grouping.groups, cases=cases)
        problem = same_people(
            grouped,
            procedure=policy.procedure,
            policy=policy.ref,
            rules=policy.rules(level),
            goals=policy.goals(level),
            weighted=policy.weighted,
            ladder=policy.ladder(level),
        )
        for rule in problem.rules:
            rule.check(problem)
        return problem, grouping.notes


class Preparations:
    """The meetings kept prepared in this process, the one used last at the end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Prepared] = OrderedDict()
        self._lock = Lock()

    def preview(self, store: Store, viewer: Viewer, asked: Request, *, bounded: bool = True) -> Preview:
        """What a request would work with; `bounded`: with the floors of its cost.

        Raises Fault as `snapshots.snapshot` does.
        """
        prepared = self._prepared(store, viewer, asked)
        with prepared.using:
            problem, notes = _decided(prepared, asked, viewer)
            passed = prepared.known.funnel(problem)
            shown = floors(problem, passed, prepared.known) if bounded else None
        return _told(prepared, problem, passed, shown, notes, asked)

    def barred(self, store: Store, viewer: Viewer, asked: Request, gate: str | None) -> list[Barred]:
        """Whom a gate bars (None: whom no gate bars), in the order of the pseudonyms.

        Raises Fault `previews.gate_unknown`, and as `preview` does.
        """
        prepared = self._prepared(store, viewer, asked)
        with prepared.using:
            problem, _ = _decided(prepared, asked, viewer)
        gates = {rule.id: rule for rule in problem.rules if isinstance(rule, Gate) and rule.soft is None}
        if gate is not None and gate not in gates:
            raise Fault("previews.gate_unknown", gate, known=", ".join(gates))
        closed = {id_: ~_anywhere(rule.passes(problem)) for id_, rule in gates.items()}
        often = np.sum(list(closed.values()), axis=0)
        if gate is None:
            passed = prepared.known.funnel(problem).passes.any(axis=1)
            who, asks = np.flatnonzero(passed), []
        else:
            who, asks = np.flatnonzero(closed[gate]), _asked_about(gates[gate])
        return [
            Barred(
                problem.experts[e],
                gate is not None and int(often[e]) == 1,
                {name: problem.facts[name].show(e) for name in asks if name in problem.facts},
            )
            for e in who.tolist()
        ]

    def _prepared(self, store: Store, viewer: Viewer, asked: Request) -> _Prepared:
        policy = asked.policy
        key = (
            viewer,
            asked.committee,
            asked.meeting,
            policy.terms,
            tuple(sorted(policy.conflicts.items())),
            tuple(sorted(policy.filings)),
            clock.today(),
        )
        now = time.monotonic()
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        if found is not None and now - found.since < SETTLED:
            return found
        with store.reading() as session:
            head = session.scalar(select(func.max(LedgerEntry.id))) or 0
            if found is not None and found.head == head and now - found.since < OLDEST:
                return found
            moment = clock.now()
            sitting = find_sitting(session, viewer, asked.committee, asked.meeting)
            viewer.require(sitting.organiser_id, sitting.committee_id)
            taken = take(session, viewer, sitting, policy, known_at=moment)
            directed = dict(
                session.execute(
                    select(Case.code, Case.directed).where(Case.agenda_id == sitting.agenda_id)
                ).all()
            )
            missing = filings_missing(
                session,
                viewer,
                committee_id=sitting.committee_id,
                on=sitting.on,
                policy=policy,
                season=sitting.season,
                known_at=moment,
            )
            fields = fields_on(session, sitting.on)
        cases = taken.problem.cases
        made = _Prepared(
            taken,
            tuple(
                Application(code, specialty, directed[code])
                for code, specialty in zip(cases.id, cases.specialty.tolist(), strict=True)
            ),
            fields,
            tuple(missing),
            moment,
            head,
            now,
        )
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return made


def _decided(prepared: _Prepared, asked: Request, viewer: Viewer) -> tuple[Problem, tuple[Saying, ...]]:
    """The problem with the decisions about persons. Raises Fault `panels.locked_unknown`, `panels.group_unknown`,
    `panels.too_many_locks`."""
    problem, notes = prepared.problem(asked.policy)
    most = asked.policy.locks_most
    if most is not None and len(asked.locks) > most:
        raise Fault("panels.too_many_locks", asked.meeting, asked=len(asked.locks), most=most)
    if not asked.locks and not asked.exclusions:
        return problem, notes
    codes = prepared.taken.facts.codes
    places = {group.id: number for number, group in enumerate(problem.groups)}

    def index(choice: Choice) -> int:
        if choice.expert not in codes:
            raise Fault("panels.locked_unknown", choice.expert)
        return codes.index(choice.expert)

    for choice in asked.locks:
        if choice.group is not None and choice.group not in places:
            raise Fault("panels.group_unknown", choice.expert, group=choice.group, known=list(places))
    return same_people(
        problem,
        locks=tuple(
            Locked(index(c), None if c.group is None else places[c.group], viewer.actor, c.why)
            for c in asked.locks
        ),
        exclusions=tuple(Exclusion(index(c), viewer.actor, c.why) for c in asked.exclusions),
    ), notes


def _told(
    prepared: _Prepared,
    problem: Problem,
    passed: Funnel,
    shown: Floors | None,
    notes: Sequence[Saying],
    asked: Request,
) -> Preview:
    bases = {rule.id: rule.basis for rule in problem.rules}
    open_to = passed.passes.copy()
    open_to[[out.expert for out in problem.exclusions]] = False
    groups = tuple(
        GroupLeft(
            group.id,
            group.name,
            group.low,
            group.high,
            group.alternates,
            int(open_to[:, g].sum()),
            int((open_to[:, g] & (problem.grades[:, g] == CLOSE)).sum()),
        )
        for g, group in enumerate(problem.groups)
    )
    return Preview(
        problem=problem,
        known_at=prepared.known_at,
        considered=len(problem.experts),
        eligible=int(passed.passes.any(axis=1).sum()),
        gates=tuple(
            GateResult(id=id_, bars=bars, left=left, basis=bases[id_].text, basis_status=bases[id_].status)
            for id_, bars, left in passed.gates
        ),
        groups=groups,
        floors=shown,
        notes=tuple(notes),
        missing=prepared.missing,
        held_up=tuple(_held_up(problem, passed, asked)),
    )


def _held_up(problem: Problem, passed: Funnel, asked: Request) -> list[Held]:
    found = []
    for choice, lock in zip(asked.locks, problem.locks, strict=True):
        where = slice(None) if lock.group is None else lock.group
        if bool(np.any(passed.passes[lock.expert, where])):
            continue
        gates = [
            rule.id
            for rule in problem.rules
            if isinstance(rule, Gate) and rule.soft is None and not np.any(rule.passes(problem)[lock.expert])
        ]
        found.append(Held(choice.expert, tuple(gates)))
    return found


def _anywhere(passes: Mask) -> Mask:
    return np.asarray(passes.reshape(len(passes), -1).any(axis=1), dtype=bool)


def _asked_about(gate: Gate) -> list[str]:
    where = getattr(gate, "where", None)
    return [where.fact] if where is not None else []
