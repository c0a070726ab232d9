"""The neighbourhood of an expert, a case or a panel, as a graph to be drawn: why each edge is there, and where each node lies.
Whoever looks is told on the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.http.accepting import Model
from api.http.access import allowed
from api.http.service import Served, Service
from expert_pool import clock, directory, ledger
from expert_pool.accounts.rights import Principal, Right
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import preset
from expert_pool.privacy.purposes import teller
from expert_pool.recorded import find_panel
from expert_pool.registry import Agenda, Case, Committee, Expert, Meeting, Seat
from expert_pool.relations.drawing import Positions
from expert_pool.relations.neighbourhood import MOST_NODES, Edge, Key, Neighbourhood, around
from expert_pool.rows import find_thing
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

router = APIRouter(prefix="/conflict-graphs", tags=["conflicts"])

_Expert = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]
_Panel = Annotated[Principal, Depends(allowed(Right.PANELS_READ))]
_Code = Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["E01"])]
_Policy = Annotated[str | None, Query(max_length=200, description="The policy that judges what counts.")]
_On = Annotated[date | None, Query(ge=date(1950, 1, 1), le=date(2200, 1, 1), description="The day (today).")]
_Kinds = Annotated[
    list[str] | None, Query(max_length=20, description="Only edges of these kinds.", examples=[["relative"]])
]
_Since = Annotated[date | None, Query(description="Only what lasted to this day or later, or has no end.")]
_Counting = Annotated[bool, Query(description="Of relations only those that the policy counts on the day.")]
_POSITIONS = Positions()
Find = Callable[[Session, Viewer], tuple[Sequence[Key], int]]
"""Finds the middle of a graph, and the organiser in whose chain the look is told."""


class GraphNode(Model):
    """A node: who or what, where it is drawn, and in which community. `name` null: not the caller's to see."""

    id: str = Field(examples=["expert:E01"])
    what: str = Field(examples=["expert"])
    code: str
    name: str | None
    hops: int = Field(description="From the middle; 0 is the middle itself.")
    community: int = Field(description="From 0, the largest first.")
    x: float
    y: float


class GraphEdge(Model):
    """A record between two nodes. `counts`: the policy holds it against somebody on the day; null: by itself no conflict.
    `withheld`: another organiser recorded it, so its dates and record are not told."""

    source: str
    target: str
    kind: str = Field(examples=["co_author"])
    since: date | None
    until: date | None
    counts: bool | None
    record: str | None = Field(examples=["relation:12"])
    withheld: bool


class ConflictGraph(Model):
    """A neighbourhood. `left_out`: nodes beyond the most that are drawn."""

    middle: str
    on: date
    policy: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    kinds: list[str] = Field(description="Every kind of edge there is, before any filter.")
    communities: int
    left_out: int


class Asked:
    """How a graph is asked for, whatever its middle is."""

    def __init__(
        self,
        service: Served,
        on: _On = None,
        policy: _Policy = None,
        kind: _Kinds = None,
        since: _Since = None,
        counting: _Counting = False,
        most: Annotated[int, Query(ge=10, le=MOST_NODES, description="The most nodes.")] = MOST_NODES,
    ) -> None:
        self.service, self.on, self.policy, self.kinds = service, on, policy, kind
        self.since, self.counting, self.most = since, counting, most

    def graph(
        self, asks: Principal, right: Right, what: str, code: str, hops: int, find: Find
    ) -> ConflictGraph:
        """The graph around what `find` finds; the look is an entry in the same transaction."""
        viewer, day = asks.viewer(right), self.on or clock.today()
        rules = preset(self.policy or DEFAULT_POLICY)
        with self.service.store.session() as session:
            middle, organiser_id = find(session, viewer)
            found = around(session, viewer, rules, middle, on=day, hops=hops, most=self.most)
            ledger.append(
                session,
                organiser_id=organiser_id,
                actor=viewer.actor,
                action="conflicts.looked",
                subject=code,
                payload={"what": what, "on": day, "hops": hops, "nodes": len(found.nodes)},
            )
        return self.told(found, f"{what}:{code}", day, rules.id)

    def told(self, found: Neighbourhood, middle: str, day: date, policy: str) -> ConflictGraph:
        """A neighbourhood as it is told: drawn whole, so that a filter moves nothing, then filtered."""
        ids = {node.key: f"{node.key[0]}:{node.code}" for node in found.nodes}
        placed = _POSITIONS.of(list(ids.values()), [(ids[e.a], ids[e.b]) for e in found.edges])
        kept = [edge for edge in found.edges if self.wanted(edge)]
        joined = {end for edge in kept for end in (edge.a, edge.b)}
        nodes = [node for node in found.nodes if node.hops == 0 or node.key in joined]
        return ConflictGraph(
            middle=middle,
            on=day,
            policy=policy,
            nodes=[
                GraphNode(
                    id=ids[node.key],
                    what=node.key[0],
                    code=node.code,
                    name=node.name,
                    hops=node.hops,
                    community=placed[ids[node.key]].community,
                    x=placed[ids[node.key]].x,
                    y=placed[ids[node.key]].y,
                )
                for node in nodes
            ],
            edges=[
                GraphEdge(
                    source=ids[edge.a],
                    target=ids[edge.b],
                    kind=edge.kind,
                    since=edge.since,
                    until=edge.until,
                    counts=edge.counts,
                    record=edge.record,
                    withheld=edge.withheld,
                )
                for edge in kept
            ],
            kinds=sorted({edge.kind for edge in found.edges}),
            communities=len({placed[ids[node.key]].community for node in nodes}),
            left_out=found.left_out,
        )

    def wanted(self, edge: Edge) -> bool:
        """Whether an edge passes the filters."""
        if self.kinds and edge.kind not in self.kinds:
            return False
        if self.since is not None and edge.until is not None and edge.until < self.since:
            return False
        return not (self.counting and edge.counts is False)


_Hops = Annotated[int, Query(ge=1, le=3, description="How many records away from the middle at most.")]


@router.get("/experts/{code}", response_model=ConflictGraph, summary="专家的利害关系图 · around an expert")
def show_expert_graph(
    code: _Code, asks: _Expert, asked: Annotated[Asked, Depends()], hops: _Hops = 2
) -> ConflictGraph:
    """What lies around an expert: employers and colleagues, relatives, co-authors, applicants and cases."""

    def find(session: Session, viewer: Viewer) -> tuple[Sequence[Key], int]:
        expert = session.get_one(Expert, directory.expert_id(session, viewer, code))
        return [("expert", expert.id)], teller(session, viewer, expert)

    return asked.graph(asks, Right.EXPERTS_READ, "expert", code, hops, find)


@router.get("/cases/{code}", response_model=ConflictGraph, summary="申报的利害关系图 · around a case")
def show_case_graph(
    code: _Code, asks: _Expert, asked: Annotated[Asked, Depends()], hops: _Hops = 2
) -> ConflictGraph:
    """What lies around a case: its applicant, its employer, and the experts who have to do with them."""

    def find(session: Session, viewer: Viewer) -> tuple[Sequence[Key], int]:
        case: int = find_thing(session, viewer, "cases", code).number
        owner = (
            select(Committee.organiser_id)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Case, Case.agenda_id == Agenda.id)
        )
        return [("case", case)], session.scalars(owner.where(Case.id == case)).one()

    return asked.graph(asks, Right.EXPERTS_READ, "case", code, hops, find)


@router.get("/panels/{panel}", response_model=ConflictGraph, summary="评审组的利害关系图 · around a panel")
def show_panel_graph(
    panel: Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["M1-P1"])],
    asks: _Panel,
    asked: Annotated[Asked, Depends()],
    hops: _Hops = 1,
) -> ConflictGraph:
    """What lies around those who sit in an open panel or wait for it, and between them and the cases."""

    def find(session: Session, viewer: Viewer) -> tuple[Sequence[Key], int]:
        record = find_panel(session, viewer, panel)
        mine = Seat.panel_id == record.id
        seated = session.scalars(select(Seat.expert_id).where(mine, *visible(viewer, Seat))).all()
        if not seated and session.scalar(select(exists().where(mine))):
            opens = session.scalars(select(Seat.open_on).where(mine).limit(1)).one()
            raise Fault("panels.seals_closed", panel, on=opens)
        cases = (
            select(Case.id)
            .join(Meeting, Meeting.agenda_id == Case.agenda_id)
            .where(Meeting.id == record.meeting_id, *visible(viewer, Case))
        )
        keys: list[Key] = [("expert", one) for one in dict.fromkeys(seated)]
        keys += [("case", one) for one in session.scalars(cases.order_by(Case.code))]
        return keys, record.organiser_id

    return asked.graph(asks, Right.PANELS_READ, "panel", panel, hops, find)


def graph_of(
    service: Service, asks: Principal, what: str, code: str, hops: int, **given: Any
) -> ConflictGraph:
    """The graph around an expert, a case or a panel, as its route tells it. Raises Fault as the routes do."""
    routes = {"experts": show_expert_graph, "cases": show_case_graph, "panels": show_panel_graph}
    return routes[what](code, asks, Asked(service, **given), hops)


RIGHTS = {"experts": Right.EXPERTS_READ, "cases": Right.EXPERTS_READ, "panels": Right.PANELS_READ}
"""With which right each kind of graph is read."""
