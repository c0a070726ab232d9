"""The conflict graph: the neighbourhood of a panel, an expert or a case, drawn, and the same as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.http import problems
from api.http.access import allowed
from api.http.problems import language_of
from api.http.routes.conflict_graphs import ConflictGraph, GraphEdge, GraphNode, graph_of
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render, written_day
from expert_pool.accounts import Principal, Right
from expert_pool.policies.load import preset, presets
from expert_pool.words import known, say
from solver.errors import Fault

router = pages()
_Day = Annotated[date | None, Given]
_Text = Annotated[Annotated[str, Field(max_length=200)] | None, Given]
_Hops = Annotated[Annotated[int, Field(ge=1, le=3)] | None, Given]
_Kinds = Annotated[list[str] | None, Query(max_length=20)]
_ROWS = 300
"""So many rows of the table are shown at once."""


class Filters:
    """What of a graph is asked for, as it stands in the address."""

    def __init__(
        self,
        on: _Day = None,
        policy: _Text = None,
        kind: _Kinds = None,
        since: _Day = None,
        counting: bool = False,
        hops: _Hops = None,
        rows: Literal["all", ""] = "",
    ) -> None:
        self.given: dict[str, Any] = {
            "on": on,
            "policy": policy,
            "kind": kind,
            "since": since,
            "counting": counting,
        }
        self.hops, self.rows = hops, rows


@dataclass(frozen=True, slots=True)
class Line:
    """An edge in words."""

    one: GraphNode
    other: GraphNode
    kind: str
    dates: str
    counts: bool | None
    record: str | None
    withheld: bool


@router.get("/conflicts")
def conflicts_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))],
    service: Served,
    filters: Annotated[Filters, Depends()],
    about: Literal["experts", "cases"] = "experts",
    code: _Text = None,
) -> Response:
    """Around an expert or a case; without a code, where to begin."""
    more: dict[str, Any] = {"about": about, "code": code, "usual_hops": 2}
    try:
        graph = graph_of(service, asks, about, code, filters.hops or 2, **filters.given) if code else None
    except Fault as fault:
        told = problems.sentence(fault, language_of(request))
        status = problems.status_of(fault.code)
        return _shown(request, asks, None, filters, status=status, fault=told, **more)
    return _shown(request, asks, graph, filters, **more)


@router.get("/panels/{panel}/conflicts")
def panel_conflicts_page(
    request: Request,
    panel: str,
    asks: Annotated[Principal, Depends(allowed(Right.PANELS_READ))],
    service: Served,
    filters: Annotated[Filters, Depends()],
) -> Response:
    """Around those who sit in an open panel or wait for it."""
    graph = graph_of(service, asks, "panels", panel, filters.hops or 1, **filters.given)
    return _shown(request, asks, graph, filters, about="panels", code=panel, usual_hops=1)


def _shown(
    request: Request,
    asks: Principal,
    graph: ConflictGraph | None,
    filters: Filters,
    fault: str = "",
    status: int = 200,
    **more: Any,
) -> Response:
    lang = language_of(request)
    lines = _lines(graph, lang) if graph else []
    return render(
        request,
        "conflicts.html",
        asks,
        status=status,
        fault=fault,
        graph=graph,
        drawn=_drawn(graph, lines) if graph else "",
        lines=lines if filters.rows == "all" else lines[:_ROWS],
        all_lines=len(lines),
        wanted=filters.given,
        hops=filters.hops,
        kind_said=lambda kind: _kind(kind, lang),
        policies=[(name, preset(name).title[lang]) for name in presets()],
        link=node_link,
        **more,
    )


def node_link(node: GraphNode) -> str | None:
    """Where a node is looked at, to one who sees it by name."""
    return f"/experts/{node.code}" if node.what == "expert" and node.name else None


def _lines(graph: ConflictGraph, lang: str) -> list[Line]:
    """The edges, what counts first, then by kind and code."""
    nodes = {node.id: node for node in graph.nodes}
    ordered = sorted(graph.edges, key=lambda e: (e.counts is not True, e.kind, e.source, e.target))
    return [
        Line(
            nodes[edge.source],
            nodes[edge.target],
            _kind(edge.kind, lang),
            _dates(edge, lang),
            edge.counts,
            edge.record,
            edge.withheld,
        )
        for edge in ordered
    ]


def _drawn(graph: ConflictGraph, lines: list[Line]) -> str:
    """What the drawing needs, short: nodes as [id, what, label, community, x, y, hops, address], edges as [source, target,
    counts (1, 0, -1 for no conflict by itself), kind, dates, record]."""
    place = {node.id: n for n, node in enumerate(graph.nodes)}
    nodes = [
        [n.id, n.what, n.name or n.code, n.community, n.x, n.y, n.hops, node_link(n)] for n in graph.nodes
    ]
    edges = [
        [
            place[line.one.id],
            place[line.other.id],
            -1 if line.counts is None else int(line.counts),
            line.kind,
            line.dates,
            line.record,
        ]
        for line in lines
    ]
    return orjson.dumps({"nodes": nodes, "edges": edges}).decode()


def _kind(kind: str, lang: str) -> str:
    code = f"kind.{kind}"
    return say(code if known(code, lang) else f"page.graph.edge.{kind}", lang)


def _dates(edge: GraphEdge, lang: str) -> str:
    if edge.withheld or (edge.since is None and edge.until is None):
        return ""
    since = written_day(edge.since, lang) if edge.since else ""
    until = written_day(edge.until, lang) if edge.until else ""
    return say("page.graph.dates", lang, since=since, until=until)
