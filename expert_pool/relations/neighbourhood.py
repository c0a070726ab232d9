"""What lies around an expert, a case or a panel: people, cases and employers as nodes, records as edges.

An edge is one record (a relation, an employment, a link between employers, what a case says), so that it can always say why.
Colleagues meet at their employer's node instead of each with each: the picture grows with the records and not with their
square. Records of others count for verdicts but are not shown; where one joins two nodes that are there all the same, the edge
has its kind and nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from expert_pool import directory, records
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Applicant,
    Case,
    Employer,
    EmployerLink,
    EmployerName,
    Employment,
    Expert,
    LinkKind,
    NameKind,
    Relation,
)
from expert_pool.relations.windows import EVER, reach
from expert_pool.viewer import Viewer, counted, visible
from solver.facts import day

What = Literal["expert", "employer", "applicant", "case"]
Key = tuple[What, int]
"""A node before it has a name: what it is, and its id."""

MOST_NODES = 500
"""So many nodes are drawn at most; the nearest first."""
EMPLOYED, PART_OF, MERGED, APPLIES, CASE_FROM = "employed", "part_of", "merged_into", "applies", "case_from"
"""Kinds of edges beside the kinds of relations: who works where, what a unit is a part of, whose case it is and where from."""

_TABLES: Mapping[What, Any] = {
    "expert": Expert,
    "employer": Employer,
    "applicant": Applicant,
    "case": Case,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A node: `name` None where the viewer may not be shown it; `hops` from the middle."""

    key: Key
    code: str
    name: str | None
    hops: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A record between two nodes. `counts`: the policy holds it against somebody on the day (None: it is no conflict by
    itself). `record` and the dates are None where another organiser recorded it, and `withheld` says so."""

    a: Key
    b: Key
    kind: str
    since: date | None
    until: date | None
    counts: bool | None
    record: str | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Nodes by how near they are, then by code, and the edges among them; `left_out`: nodes beyond the most."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int


def around(
    session: Session,
    viewer: Viewer,
    policy: Policy,
    middle: Collection[Key],
    *,
    on: date,
    hops: int,
    known_at: datetime | None = None,
    most: int = MOST_NODES,
) -> Neighbourhood:
    """The neighbourhood of some nodes up to so many hops away, by what the viewer may see, on a day."""
    return _Walk(session, viewer, policy, on, known_at).walk(middle, hops, most)


class _Walk:
    """One walk outwards from the middle."""

    def __init__(
        self, session: Session, viewer: Viewer, policy: Policy, on: date, known_at: datetime | None
    ) -> None:
        self.session, self.viewer, self.policy, self.on, self.known_at = (
            session,
            viewer,
            policy,
            on,
            known_at,
        )

    def walk(self, middle: Collection[Key], hops: int, most: int) -> Neighbourhood:
        distance: dict[Key, int] = dict.fromkeys(sorted(middle), 0)
        edges: dict[Edge, None] = {}
        frontier = list(distance)
        left_out: set[Key] = set()
        for hop in range(1, hops + 1):
            found = list(self.touching(frontier))
            edges |= dict.fromkeys(found)
            fresh = {end for edge in found for end in (edge.a, edge.b)} - distance.keys()
            ordered = sorted(fresh)
            taken = ordered[: max(0, most - len(distance))]
            left_out |= set(ordered[len(taken) :])
            distance |= dict.fromkeys(taken, hop)
            frontier = taken
        edges |= dict.fromkeys(self.touching(frontier))  # among the outermost
        edges |= dict.fromkeys(self.withheld(distance, edges))
        kept = [edge for edge in edges if edge.a in distance and edge.b in distance]
        nodes = sorted(self.named(distance), key=lambda node: (node.hops, node.key[0], node.code))
        return Neighbourhood(tuple(nodes), tuple(kept), len(left_out))

    def touching(self, keys: Iterable[Key]) -> Iterable[Edge]:
        """The records that name one of these nodes, as far as the viewer may see them."""
        ids = {what: sorted(id_ for kind, id_ in keys if kind == what) for what in _TABLES}
        if any(ids.values()):
            yield from self.relations(ids, visible(self.viewer, Relation), withheld=False)
            yield from self.employments(ids)
            yield from self.cases(ids)
            yield from self.links(ids["employer"])

    def withheld(self, distance: Mapping[Key, int], known: Collection[Edge]) -> Iterable[Edge]:
        """Relations among the nodes that others recorded: that they are there, and no more."""
        ids = {what: sorted(id_ for kind, id_ in distance if kind == what) for what in _TABLES}
        seen = {(frozenset((edge.a, edge.b)), edge.kind) for edge in known}
        for edge in self.relations(ids, counted(self.viewer, Relation), withheld=True):
            if (frozenset((edge.a, edge.b)), edge.kind) not in seen and {edge.a, edge.b} <= distance.keys():
                yield edge

    def relations(self, ids: Mapping[What, list[int]], where: Any, *, withheld: bool) -> Iterable[Edge]:
        columns: tuple[tuple[What, Any], ...] = (
            ("expert", Relation.expert_id),
            ("expert", Relation.other_expert_id),
            ("applicant", Relation.applicant_id),
            ("case", Relation.case_id),
            ("employer", Relation.employer_id),
        )
        touched = [column.in_(ids[what]) for what, column in columns if ids[what]]
        if not touched:
            return
        wanted = select(Relation).where(records.current(Relation, self.on, self.known_at), or_(*touched))
        for row in self.session.scalars(wanted.where(*where).order_by(Relation.id)):
            other: Key = next(
                (what, id_)
                for (what, _), id_ in zip(
                    columns[1:],
                    (row.other_expert_id, row.applicant_id, row.case_id, row.employer_id),
                    strict=True,
                )
                if id_ is not None
            )
            mine: Key = ("expert", row.expert_id)
            counts = self.counts(str(row.kind), row.since, row.until)
            if withheld:
                yield Edge(mine, other, str(row.kind), None, None, counts, None, withheld=True)
            else:
                yield Edge(mine, other, str(row.kind), row.since, row.until, counts, f"relation:{row.id}")

    def employments(self, ids: Mapping[What, list[int]]) -> Iterable[Edge]:
        columns: tuple[tuple[What, Any], ...] = (
            ("expert", Employment.expert_id),
            ("employer", Employment.employer_id),
        )
        touched = [column.in_(ids[what]) for what, column in columns if ids[what]]
        if not touched:
            return
        standing = records.current(Employment, self.on, self.known_at)
        wanted = select(Employment).where(standing, or_(*touched), *visible(self.viewer, Employment))
        for row in self.session.scalars(wanted.order_by(Employment.id)):
            current = row.until is None or row.until >= self.on
            kind = "same_employer" if current else "former_employer"
            # Working somewhere is held against nobody by itself: it leads to the colleagues, and to cases from there.
            counts = None if self.counts(kind, row.holds_on, row.until) else False
            ends: tuple[Key, Key] = ("expert", row.expert_id), ("employer", row.employer_id)
            yield Edge(*ends, EMPLOYED, row.holds_on, row.until, counts, f"employment:{row.id}")

    def cases(self, ids: Mapping[What, list[int]]) -> Iterable[Edge]:
        columns: tuple[tuple[What, Any], ...] = (("case", Case.id), ("applicant", Case.applicant_id))
        touched = [column.in_(ids[what]) for what, column in columns if ids[what]]
        if not touched:
            return
        wanted: Select[Any] = select(Case).where(or_(*touched), *visible(self.viewer, Case))
        for row in self.session.scalars(wanted.order_by(Case.id)):
            case: Key = ("case", row.id)
            yield Edge(case, ("applicant", row.applicant_id), APPLIES, None, None, None, f"case:{row.code}")
            yield Edge(case, ("employer", row.employer_id), CASE_FROM, None, None, None, f"case:{row.code}")

    def links(self, employers: list[int]) -> Iterable[Edge]:
        if not employers:
            return
        wanted = select(EmployerLink).where(
            records.current(EmployerLink, self.on, self.known_at),
            or_(EmployerLink.employer_id.in_(employers), EmployerLink.other_id.in_(employers)),
            *visible(self.viewer, EmployerLink),
        )
        for row in self.session.scalars(wanted.order_by(EmployerLink.id)):
            ends: tuple[Key, Key] = ("employer", row.employer_id), ("employer", row.other_id)
            kind = PART_OF if row.kind is LinkKind.PART_OF else MERGED
            yield Edge(*ends, kind, row.holds_on, row.until, None, f"employer_link:{row.id}")

    def counts(self, kind: str, since: date | None, until: date | None) -> bool:
        """Whether a relation of these dates is held against somebody on the day; unknown dates count."""
        rule = self.policy.conflicts.get(kind)
        if rule is None or (since is not None and since > self.on):
            return False
        first = reach(rule.window, self.on)
        return first == EVER or until is None or day(until) >= first

    def named(self, distance: Mapping[Key, int]) -> Iterable[Node]:
        """The nodes with their codes, and with their names where the viewer may be shown those."""
        for what, table in _TABLES.items():
            ids = [id_ for kind, id_ in distance if kind == what]
            told = self.session.execute(select(table.id, table.code).where(table.id.in_(ids)))
            codes: dict[int, str] = {row.id: row.code for row in told}
            names = self.names(what, ids)
            for id_ in ids:
                key: Key = (what, id_)
                yield Node(key, codes[id_], names.get(id_), distance[key])

    def names(self, what: What, ids: list[int]) -> dict[int, str]:
        wanted: Any
        if what == "expert":
            wanted = select(Expert.id, Expert.name).where(Expert.id.in_(ids), *directory.seen(self.viewer))
        elif what == "employer":
            wanted = (
                select(EmployerName.employer_id, EmployerName.name)
                .where(
                    EmployerName.employer_id.in_(ids),
                    EmployerName.kind == NameKind.OFFICIAL,
                    records.current(EmployerName, self.on, self.known_at),
                )
                .order_by(EmployerName.holds_on, EmployerName.id)
            )
        elif what == "applicant":
            shown = directory.shown(self.viewer, Applicant)
            wanted = select(Applicant.id, Applicant.name).where(Applicant.id.in_(ids), *shown)
        else:
            return {}
        return dict(self.session.execute(wanted).all())
