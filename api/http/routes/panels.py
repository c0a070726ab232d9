"""Panels: asked for, looked at as far as their seal allows, approved, changed, explained, printed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http import panel_shapes as shapes
from api.http.accepting import Runs, Work, answers
from api.http.access import allowed
from api.http.files import FILE, Purpose, Purposed, attached
from api.http.paging import USUAL, Cursor, Limit, Page, orders, page_of
from api.http.service import Served, Service
from api.http.versions import IfMatch, require_match
from api.jobs.work.asks import Ask, DiagnoseAsk, ExplainAsk, InviteAsk, PanelAsk, ReplaceAsk
from expert_pool import clock, panels
from expert_pool.accounts.rights import Principal, Right
from expert_pool.documents.papers import media_type, papers
from expert_pool.opened import (
    compare_panels,
    open_panel,
    panels_listed,
    people_of,
    require_open,
    require_readable,
)
from expert_pool.privacy.papers import Readable, print_papers, readable
from expert_pool.privacy.purposes import purpose_of
from expert_pool.recorded import committee_of, find_panel, version_of
from expert_pool.registry import PanelRecord, PanelState
from expert_pool.snapshots import find_sitting
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.diff import PanelDiff
from solver.document import problem_bytes

router = APIRouter(prefix="/panels", tags=["panels"])

Reader = Annotated[Principal, Depends(allowed(Right.PANELS_READ))]
Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]
Approver = Annotated[Principal, Depends(allowed(Right.PANELS_APPROVE))]
PanelCode = Annotated[str, Path(max_length=200, examples=["M1-P1"])]
PaperName = Annotated[str, Path(max_length=100, examples=["panel.zh.docx"])]

ORDERS = orders(
    code=(PanelRecord.code,),
    requested_at=(PanelRecord.requested_at, PanelRecord.id),
)
ETAG: dict[str, Any] = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-Match."}}}


def changing(model: Any) -> dict[str, Any]:
    """`answers` of a route that needs If-Match."""
    return answers(model, openapi.CHANGES)


@router.post("", **answers(shapes.PanelDecided))
def request_panel(sent: PanelAsk, asks: Office, runs: Runs) -> Response:
    """Ask for the panel of a meeting. It is assembled in the background and put on record."""
    viewer = asks.viewer(Right.PANELS_REQUEST)

    def work(session: Session) -> Work:
        sitting = find_sitting(session, viewer, sent.committee, sent.meeting)
        viewer.require(sitting.organiser_id, sitting.committee_id)
        return Work("panel.request", _asked(sent), organiser_id=sitting.organiser_id)

    return runs.take(asks, work)


@router.get("", response_model=Page[shapes.PanelLine])
def list_panels(
    asks: Reader,
    service: Served,
    committee: Annotated[str | None, Query(max_length=200)] = None,
    meeting: Annotated[str | None, Query(max_length=200)] = None,
    season: Annotated[int | None, Query(ge=1900, le=2999)] = None,
    state: Annotated[PanelState | None, Query()] = None,
    sort: Annotated[Literal["requested_at", "-requested_at", "code", "-code"], Query()] = "-requested_at",
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Page[shapes.PanelLine]:
    """The panels on record."""
    filters = {"committee": committee, "meeting": meeting, "season": season, "state": state}
    statement = panels_listed(asks.viewer(Right.PANELS_READ), **filters)  # type: ignore[arg-type]
    by_code = sort.endswith("code")
    with service.store.reading() as session:
        page: Page[shapes.PanelLine] = page_of(
            session,
            statement,
            ORDERS[sort],
            shapes.line,
            limit=limit,
            cursor=cursor,
            filters=filters | {"sort": sort},
            keys=lambda row: (row[0].code,) if by_code else (row[0].requested_at, row[0].id),
        )
    return page


@router.get("/{panel}", response_model=shapes.PanelShown, responses={200: ETAG})
def show_panel(panel: PanelCode, asks: Reader, service: Served, response: Response) -> shapes.PanelShown:
    """A recorded panel; who sits in it once its seal is open."""
    return _told(service, asks.viewer(Right.PANELS_READ), panel, response)


@router.get("/{panel}/people", response_model=shapes.PanelPeople)
def list_panel_people(
    panel: PanelCode,
    asks: Reader,
    service: Served,
    who: Annotated[
        list[str] | None,
        Query(
            max_length=500,
            description="Pseudonyms of the panel's problem; those who sit or wait where none is given.",
        ),
    ] = None,
) -> shapes.PanelPeople:
    """Who is behind the pseudonyms of an open panel."""
    viewer = asks.viewer(Right.PANELS_READ)
    opened = open_panel(service.store, viewer, panel)
    people = people_of(service.store, viewer, opened, who)
    return shapes.PanelPeople(panel=panel, people=shapes.known(people))


@router.get("/{panel}/problem", response_class=Response, responses=FILE)
def fetch_panel_problem(panel: PanelCode, asks: Reader, service: Served) -> Response:
    """The problem behind an open panel, as a file: whoever solves it again has the same panel."""
    opened = open_panel(service.store, asks.viewer(Right.PANELS_READ), panel)
    return attached(problem_bytes(opened.problem), f"{panel}.problem.json", "application/json")


@router.get("/{panel}/invitations", response_model=shapes.InvitationsShown)
def show_panel_invitations(panel: PanelCode, asks: Reader, service: Served) -> shapes.InvitationsShown:
    """How the invitations of an open panel stand."""
    viewer = asks.viewer(Right.PANELS_READ)
    opened = open_panel(service.store, viewer, panel)
    there = set(opened.problem.experts)
    invited = [one.expert for one in opened.invitations.people] if opened.invitations else []
    people = people_of(service.store, viewer, opened, [who for who in invited if who in there])
    return shapes.InvitationsShown(panel=panel, invitations=opened.invitations, people=shapes.known(people))


@router.post("/{panel}/approval", response_model=shapes.PanelShown, responses={200: ETAG, **openapi.CHANGES})
def approve_panel(
    panel: PanelCode, asks: Approver, service: Served, response: Response, if_match: IfMatch = None
) -> shapes.PanelShown:
    """Give a panel force; one approved for the same meeting before is replaced by it."""
    viewer = asks.viewer(Right.PANELS_APPROVE)
    panels.approve(
        service.store, viewer, panel, seen=lambda found: require_match(if_match, _etag(version_of(found)))
    )
    return _told(service, viewer, panel, response)


@router.post("/{panel}/replacements", **changing(shapes.PanelRenewed))
def replace_members(
    panel: PanelCode,
    sent: ReplaceAsk,
    asks: Office,
    runs: Runs,
    if_match: IfMatch = None,
) -> Response:
    """Replace members of an open panel with the least change, as a new panel on record."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    work = change("panel.replace", sent, viewer, panel, if_match)
    return runs.take(asks, work)


@router.post("/{panel}/invitations", **changing(shapes.PanelRenewed))
def invite_members(
    panel: PanelCode,
    sent: InviteAsk,
    asks: Office,
    runs: Runs,
    if_match: IfMatch = None,
) -> Response:
    """Begin the invitations of an open panel, or take in answers and replace who declined."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    work = change("panel.invite", sent, viewer, panel, if_match)
    return runs.take(asks, work)


@router.post("/{panel}/explanations", **answers(shapes.PanelExplained))
def explain_panel(panel: PanelCode, sent: ExplainAsk, asks: Reader, runs: Runs) -> Response:
    """Why these people sit in an open panel and others do not (experts by code), and what each rule costs."""
    viewer = asks.viewer(Right.PANELS_READ)

    def work(session: Session) -> Work:
        found = find_panel(session, viewer, panel)
        require_open(session, viewer, found)
        return Work("panel.explain", _asked(sent, panel=panel), organiser_id=found.organiser_id)

    return runs.take(asks, work)


@router.post("/{panel}/diagnoses", **answers(shapes.PanelDiagnosed))
def diagnose_panel(
    panel: PanelCode,
    sent: DiagnoseAsk,
    asks: Reader,
    runs: Runs,
) -> Response:
    """Why a meeting got no panel, and what would help."""
    viewer = asks.viewer(Right.PANELS_READ)

    def work(session: Session) -> Work:
        found = find_panel(session, viewer, panel)
        require_readable(session, found)
        return Work("panel.diagnose", _asked(sent, panel=panel), organiser_id=found.organiser_id)

    return runs.take(asks, work)


@router.get("/{panel}/documents", response_model=shapes.PanelPapers)
def list_panel_documents(panel: PanelCode, asks: Reader, service: Served) -> shapes.PanelPapers:
    """The papers there are of a panel."""
    found = panels.show(service.store, asks.viewer(Right.PANELS_READ), panel)
    return shapes.PanelPapers(items=list(papers(found.answer)))


@router.get("/{panel}/documents/{name}", response_class=Response, responses=FILE)
def fetch_panel_document(
    panel: PanelCode, name: PaperName, asks: Reader, service: Served, purpose: Purpose
) -> Response:
    """One paper of a panel, with a watermark; it is told on the ledger. While the panel is sealed it names nobody."""
    viewer = asks.viewer(Right.PANELS_READ)
    return sheet_of(service.store, viewer, readable(service.store, viewer, panel), name, purpose)


@router.post("/{panel}/documents", **answers(shapes.PapersMade))
def make_panel_documents(
    panel: PanelCode,
    sent: Purposed,
    asks: Reader,
    runs: Runs,
) -> Response:
    """Every paper of a panel at once, as files of a run, with a watermark; they are told on the ledger."""
    viewer = asks.viewer(Right.PANELS_READ)

    def work(session: Session) -> Work:
        found = find_panel(session, viewer, panel)
        require_readable(session, found)
        params = {"panel": panel, "purpose": purpose_of(sent.purpose)}
        return Work("panel.documents", params, organiser_id=found.organiser_id)

    return runs.take(asks, work)


@router.get("/{panel}/differences/{other}", response_model=PanelDiff)
def compare_panel(panel: PanelCode, other: PanelCode, asks: Reader, service: Served) -> PanelDiff:
    """What differs between a panel and another one, both open."""
    return compare_panels(service.store, asks.viewer(Right.PANELS_READ), panel, other)


def sheet_of(store: Store, viewer: Viewer, panel: Readable, name: str, purpose: str) -> Response:
    """One paper as an answer."""
    printed = print_papers(store, viewer, panel, [name], purpose=purpose)
    return attached(printed.files[name], f"{panel.code}.{name}", media_type(name))


def change(kind: str, sent: Ask, viewer: Viewer, panel: str, if_match: str | None) -> Any:
    """The work that changes a panel, if the caller knows which one it changes and may know who sits in it."""

    def work(session: Session) -> Work:
        found = find_panel(session, viewer, panel)
        viewer.require(found.organiser_id, committee_of(session, found))
        version = version_of(found)
        require_match(if_match, _etag(version))
        require_open(session, viewer, found)
        params = _asked(sent, panel=panel, version=version, unseal=viewer.opens_seals)
        return Work(kind, params, organiser_id=found.organiser_id)

    return work


def _told(service: Service, viewer: Viewer, panel: str, response: Response) -> shapes.PanelShown:
    found = panels.show(service.store, viewer, panel)
    response.headers["ETag"] = _etag(found.version)
    return shapes.shown(found)


def _asked(sent: Ask, **more: Any) -> dict[str, Any]:
    return {"ask": sent.model_dump(mode="json"), "on": clock.today().isoformat(), **more}


def _etag(version: str) -> str:
    return f'"{version}"'
