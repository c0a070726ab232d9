"""Why two parties are, or are not, in conflict: each record between them, the way it takes, and the rule it meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.policies.document import Window
from expert_pool.policies.policy import Conflict, Policy
from expert_pool.policies.vocabulary import KINDS
from expert_pool.registry import Applicant, Case, Employer, Employment, Expert, Relation, RelationKind
from expert_pool.relations.deriving import Deriver, Source, Targets
from expert_pool.relations.legal_persons import LegalPersons
from expert_pool.viewer import Viewer, counted, visible
from solver.errors import Fault
from solver.facts import MISSING
from solver.rules import Basis

INDIRECT = "indirect"
"""The kind of a way over other people; it is shown, and never counts."""

_NEAR = (RelationKind.RELATIVE, RelationKind.ADVISOR)
_LONGEST = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A station of a way: an expert, applicant, case or employer, by its code."""

    what: str
    code: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing between two parties.

    `counts`: it is a conflict under the policy on the day. `rule` is None where the policy says nothing of the kind.
    `record` names the row behind it (`relation:12`); it and the dates are None, and `path` has only its two ends, for
    a viewer who may not see the organiser that recorded it.
    """

    kind: str
    path: tuple[Place, ...]
    since: date | None
    until: date | None
    rule: Conflict | None
    counts: bool
    record: str | None


@dataclass(frozen=True, slots=True)
class _Party:
    """One of the two; `person`, `applicant`, `case` and `employer` are the ids of what it stands for."""

    place: Place
    person: int = MISSING
    applicant: int = MISSING
    case: int = MISSING
    employer: int = MISSING


@dataclass(frozen=True, slots=True)
class _Found:
    """A record between the two: its kind, source, row, and the legal person on the way."""

    kind: str
    source: Source
    row: int
    through: int


def why(
    session: Session,
    viewer: Viewer,
    policy: Policy,
    a: str,
    b: str,
    on: date,
    known_at: datetime | None = None,
) -> list[Reason]:
    """What lies between two parties on a day, as known at a moment: first what counts, then what does not.

    `a` and `b` are codes; one is an expert's, the other an expert's, a case's, an applicant's or an employer's.
    Raises Fault `relations.party_unknown`, `relations.no_expert`, `relations.same_party`.
    """
    first, second = _party(session, viewer, a), _party(session, viewer, b)
    if first.place.what != "expert":
        first, second = second, first
    if first.place.what != "expert":
        raise Fault("relations.no_expert", f"{a}, {b}", a=a, b=b)
    if first.place == second.place:
        raise Fault("relations.same_party", a, party=a)
    asking = _Asking(session, viewer, policy, first, second, on, known_at)
    return [*asking.direct(), *asking.indirect()]


class _Asking:
    """One question: what lies between an expert and another party."""

    def __init__(
        self,
        session: Session,
        viewer: Viewer,
        policy: Policy,
        expert: _Party,
        other: _Party,
        on: date,
        known_at: datetime | None,
    ) -> None:
        self.session, self.viewer, self.policy = session, viewer, policy
        self.expert, self.other, self.on, self.known_at = expert, other, on, known_at
        near = {other.employer, *self.units(expert.person), *self.units(other.person)} - {MISSING}
        self.employers = LegalPersons.read(session, viewer, on, known_at, around=near)

    def direct(self) -> list[Reason]:
        """Every record between the two; those count that the policy's own kinds and windows let through."""
        strict = self.found(self.policy.conflicts)
        members = {kind for kind, conflict in self.policy.conflicts.items() if conflict.members}
        wide = self.found({kind: self.widened(kind) for kind in KINDS})
        current = {found.row for found in strict if found.kind == "same_employer"}
        reasons = [
            self.reason(
                found, found in strict and (self.other.place.what != "expert" or found.kind in members)
            )
            for found in dict.fromkeys([*strict, *wide])
            if found in strict or found.kind != "former_employer" or found.row not in current
        ]
        return sorted(reasons, key=lambda r: (not r.counts, KINDS.index(r.kind)))

    def widened(self, kind: str) -> Conflict:
        """The kind without limits, so that what does not count is seen too."""
        known = self.policy.conflicts.get(kind)
        window: Window = "current" if kind == "same_employer" else "always"
        if known is None:
            return Conflict(kind, window, "pair", False, None, Basis(text=""))
        return replace(known, window=window, most=None)

    def found(self, conflicts: Mapping[str, Conflict]) -> list[_Found]:
        """What lies between the two under these kinds; between experts, of whomever it was recorded."""
        pair = self.other.place.what == "expert"
        ways = [(self.expert.person, self.targets())]
        if pair:
            ways.append((self.other.person, _targets([(MISSING, MISSING, self.expert.person, MISSING)])))
        found: dict[_Found, None] = {}
        for expert, targets in ways:
            ids = np.array([expert], dtype=np.int64)
            deriver = Deriver(
                self.session, self.viewer, conflicts, ids, self.on, self.known_at, self.employers
            )
            hits = deriver.with_targets(targets)
            if pair:  # what somebody has to do with another's employer is nothing between the two
                hits = hits.at((hits.source == int(Source.EMPLOYMENT)) | (hits.through == MISSING))
            columns = (hits.kind, hits.source, hits.row, hits.through)
            for kind, source, row, through in zip(*(c.tolist() for c in columns), strict=True):
                found[_Found(deriver.conflicts[kind].kind, Source(source), row, through)] = None
        return sorted(found, key=lambda f: (f.source, f.row, f.through))

    def targets(self) -> Targets:
        """The other party as something to be in conflict with; an expert besides by each employer of the day."""
        other = self.other
        rows = [(other.case, other.applicant, other.person, other.employer)]
        if other.place.what == "expert":
            rows += [(MISSING, MISSING, MISSING, unit) for unit in self.units(other.person)]
        return _targets(rows)

    def units(self, expert: int) -> list[int]:
        """The employers an expert works for on the day."""
        current = select(Employment.employer_id).where(
            Employment.expert_id == expert,
            records.current(Employment, self.on, self.known_at),
            or_(Employment.until.is_(None), Employment.until >= self.on),
            *counted(self.viewer, Employment),
        )
        return sorted(set(self.session.scalars(current)))

    def reason(self, found: _Found, counts: bool) -> Reason:
        """One record as a reason, as far as the viewer may see it."""
        ends = (self.expert.place, self.other.place)
        rule = self.policy.conflicts.get(found.kind)
        reference = f"{found.source.name.lower()}:{found.row}"
        if found.source == Source.APPLICANT:
            return Reason(found.kind, ends, None, None, rule, counts, reference)
        table: Any = Employment if found.source == Source.EMPLOYMENT else Relation
        row = self.session.scalars(
            select(table).where(table.id == found.row, *visible(self.viewer, table))
        ).first()
        if row is None:
            return Reason(found.kind, ends, None, None, rule, counts, None)
        between: Iterable[Place]
        if isinstance(row, Employment):
            between, since = self.climbed(row.employer_id, found.through), row.holds_on
        else:
            between = self.climbed(row.employer_id, found.through) if row.employer_id else self.named(row)
            since = row.since
        path = tuple(_once([ends[0], *between, ends[1]]))
        return Reason(found.kind, path, since, row.until, rule, counts, reference)

    def named(self, row: Relation) -> list[Place]:
        """Whom or what a relation names, where that is neither of the two as they were asked for."""
        people = [
            Place("expert", code)
            for code in self.session.scalars(
                select(Expert.code).where(
                    Expert.id.in_([row.expert_id, row.other_expert_id or row.expert_id])
                )
            )
        ]
        if row.applicant_id is not None:
            code = self.session.scalars(select(Applicant.code).where(Applicant.id == row.applicant_id)).one()
            people.append(Place("applicant", code))
        return sorted(
            (p for p in people if p not in (self.expert.place, self.other.place)), key=lambda p: p.code
        )

    def climbed(self, unit: int, person: int) -> list[Place]:
        """From a unit up the tree to the legal person, and down to the unit of the other party."""
        import networkx as nx

        tree: nx.DiGraph[int] = nx.DiGraph()
        for below, links in sorted(self.employers.upward.items()):
            tree.add_edges_from((below, other) for other, *_ in sorted(links))
        theirs = [self.other.employer] if self.other.employer != MISSING else self.units(self.other.person)
        tree.add_nodes_from([unit, person, *theirs])
        up = nx.shortest_path(tree, unit, person) if nx.has_path(tree, unit, person) else [unit, person]
        down = next(
            (nx.shortest_path(tree, t, person) for t in theirs if nx.has_path(tree, t, person)), [person]
        )
        way = [*up, *reversed(down)]
        named = select(Employer.id, Employer.code).where(Employer.id.in_(way))
        codes = {row.id: row.code for row in self.session.execute(named)}
        return [Place("employer", codes[i]) for i in way if i in codes]

    def indirect(self) -> list[Reason]:
        """The shortest way over other people, by relatives and advisors whose records the viewer may see."""
        import networkx as nx

        if self.other.person in (MISSING, self.expert.person):
            return []
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from([self.expert.person, self.other.person])
        edge: set[int] = {self.expert.person, self.other.person}
        seen: set[int] = set()
        for _ in range(_LONGEST - 1):
            rows = self.session.execute(
                select(Relation.expert_id, Relation.other_expert_id)
                .where(
                    records.current(Relation, self.on, self.known_at),
                    Relation.kind.in_(_NEAR),
                    Relation.other_expert_id.is_not(None),
                    or_(Relation.expert_id.in_(edge), Relation.other_expert_id.in_(edge)),
                    *visible(self.viewer, Relation),
                )
                .order_by(Relation.id)
            ).all()
            graph.add_edges_from((x, y) for x, y in rows if y is not None)
            seen |= edge
            edge = {person for pair in rows for person in pair if person is not None} - seen
            if not edge:
                break
        if graph.has_edge(self.expert.person, self.other.person):
            graph.remove_edge(self.expert.person, self.other.person)
        if not nx.has_path(graph, self.expert.person, self.other.person):
            return []
        way = nx.shortest_path(graph, self.expert.person, self.other.person)
        if len(way) - 1 > _LONGEST:
            return []
        named = select(Expert.id, Expert.code).where(Expert.id.in_(way))
        codes = {row.id: row.code for row in self.session.execute(named)}
        people = [Place("expert", codes[i]) for i in way]
        path = tuple(_once([*people, self.other.place]))
        return [Reason(INDIRECT, path, None, None, None, False, None)]


def _party(session: Session, viewer: Viewer, code: str) -> _Party:
    """Whom or what a code stands for."""
    if (expert := session.scalars(select(Expert.id).where(Expert.code == code)).first()) is not None:
        return _Party(Place("expert", code), person=expert)
    case = session.execute(
        select(Case.id, Case.applicant_id, Applicant.expert_id, Case.employer_id)
        .join(Applicant, Applicant.id == Case.applicant_id)
        .where(Case.code == code, *visible(viewer, Case))
    ).first()
    if case is not None:
        return _Party(
            Place("case", code),
            person=case.expert_id or MISSING,
            applicant=case.applicant_id,
            case=case.id,
            employer=case.employer_id,
        )
    applicant = session.execute(
        select(Applicant.id, Applicant.expert_id).where(Applicant.code == code)
    ).first()
    if applicant is not None:
        return _Party(Place("applicant", code), person=applicant.expert_id or MISSING, applicant=applicant.id)
    employer = session.scalars(select(Employer.id).where(Employer.code == code)).first()
    if employer is not None:
        return _Party(Place("employer", code), employer=employer)
    raise Fault("relations.party_unknown", code, party=code)


def _targets(rows: list[tuple[int, int, int, int]]) -> Targets:
    columns = np.array(rows, dtype=np.int64)
    return Targets(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])


def _once(places: Iterable[Place]) -> Iterable[Place]:
    """The stations, without repeating one that follows itself."""
    return (place for place, _ in groupby(places))
