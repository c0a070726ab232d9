"""Committees and organisers appraised: rectify, suspend, withdraw. Decided by one account, confirmed by another."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.accepting import Model
from api.http.access import allowed
from api.http.files import FILE, attached
from api.http.once import Answer, Repeatable
from api.http.problems import language_of
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from api.jobs.work.asks import Code, Reason, Remark
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.documents.organisation_letters import hearing_document
from expert_pool.reevaluation import organisation_decisions as deciding
from expert_pool.reevaluation import organisation_hearing as hearing
from expert_pool.reevaluation.letter_files import DOCX
from expert_pool.reevaluation.organisation_asked import appraised, find_decision
from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme, organisation_schemes
from expert_pool.reevaluation.organisations import appraise_organisations
from expert_pool.registry import OrganisationDecision, OrganisationStep
from solver.errors import Fault

router = APIRouter(tags=["re-evaluation"])

Reader = Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))]
Writer = Annotated[Principal, Depends(allowed(Right.ORGANISERS_WRITE))]
Preparer = Annotated[Principal, Depends(allowed(Right.CYCLES_PREPARE))]
Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]
Decider = Annotated[Principal, Depends(allowed(Right.CYCLES_DECIDE))]
DEFAULT_SCHEME = "own-default"
CommitteeCode = Annotated[str, Path(max_length=200, examples=["C1"])]
DecisionCode = Annotated[str, Path(max_length=300, examples=["C1-D1"])]
Season = Annotated[int, Field(ge=1900, le=2999)]


class OrganisationAppraisals(Model):
    """Every committee, then every organiser (`organisation-appraisal/1` each)."""

    items: list[dict[str, Any]]


class OrganisationDecisionAsk(Model):
    """What the first person decides about a committee or (with `about` organiser) an organiser, on the appraisal of a day,
    and why. Rectifying and suspending have months."""

    about: Literal["committee", "organiser"] = "committee"
    code: Code
    step: OrganisationStep
    months: int | None = Field(default=None, ge=1, le=120)
    basis: Reason
    as_of: date | None = None
    scheme: Code = DEFAULT_SCHEME


class OrganisationReplyTold(Model):
    """What was answered, and by which account."""

    at: AwareDatetime
    by: str
    text: str


class OrganisationReplyAsk(Model):
    """An answer. `last`: there is nothing to add, so that the second person need not wait."""

    text: Reason
    last: bool = False


class OrganisationDecisionTold(Model):
    """A decision under way, or closed. `confirmed` null: it waits for the second person."""

    code: str
    step: OrganisationStep
    months: int | None
    basis: str
    appraisal_sha256: str
    decided_at: AwareDatetime
    decided_by: str
    closed_at: AwareDatetime | None
    closed_by: str | None
    confirmed: bool | None
    reply_until: date | None = Field(description="The last day to answer; null: nothing to answer.")
    reply_provisional: bool | None
    heard_at: AwareDatetime | None = Field(description="When the organisation had nothing to add.")
    replies: list[OrganisationReplyTold]


class OrganisationDecisions(Model):
    """Decisions by the moment they were made."""

    items: list[OrganisationDecisionTold]


class WordAsk(Model):
    """The second person's word."""

    refuse: bool = False


class ResultsAsk(Model):
    """How many cases a committee reviewed and passed in a season, as published on a day."""

    season: Season
    reviewed: int = Field(ge=0, le=10_000_000)
    passed: int = Field(ge=0, le=10_000_000)
    on: date
    reference: Remark = ""


class ComplaintAsk(Model):
    """A complaint about a committee; the same reference again says what was found. `upheld` null: not decided yet."""

    season: Season
    reference: Code
    upheld: bool | None = None
    on: date


class RowWritten(Model):
    """The row that was written."""

    table: str
    id: int


@router.get("/organisation-appraisals", response_model=OrganisationAppraisals)
def list_organisation_appraisals(
    asks: Reader,
    service: Served,
    as_of: Annotated[date | None, Query()] = None,
    scheme: Annotated[str, Query(max_length=200)] = DEFAULT_SCHEME,
) -> OrganisationAppraisals:
    """What the records of a period say of every committee and organiser, and what would follow. Nothing is changed."""
    viewer = asks.viewer(Right.ORGANISERS_READ)
    with service.store.reading() as session:
        found = appraise_organisations(session, viewer, _scheme(scheme), as_of or clock.today())
    return OrganisationAppraisals(items=[one.document() for one in found])


@router.get("/organisation-decisions", response_model=OrganisationDecisions)
def list_organisation_decisions(
    asks: Reader, service: Served, waiting: Annotated[bool, Query()] = False
) -> OrganisationDecisions:
    """Decisions about committees and organisers; `waiting`: only those that wait for a second person."""
    viewer = asks.viewer(Right.ORGANISERS_READ)
    with service.store.reading() as session:
        found = deciding.decisions(session, viewer, open_only=waiting)
        return OrganisationDecisions(items=[_told(session, row) for row in found])


@router.post(
    "/organisation-decisions",
    response_model=OrganisationDecisionTold,
    status_code=201,
    responses=openapi.CHANGES,
)
def decide_organisation(
    sent: OrganisationDecisionAsk, asks: Decider, service: Served, once: Repeatable
) -> Response:
    """Decide as the first person. Nothing is in force until a second one confirms it."""
    viewer, scheme = asks.viewer(Right.CYCLES_DECIDE), _scheme(sent.scheme)

    def work(session: Session) -> Answer:
        on = sent.as_of or clock.today()
        appraisal = appraised(session, viewer, scheme, on, sent.code, of_organiser=sent.about == "organiser")
        row = deciding.decide(session, viewer, appraisal, sent.step, months=sent.months, basis=sent.basis)
        hearing.announce(session, service.store.key, row)
        return Answer(_told(session, row), 201, {"ETag": etag_of(row)})

    return once.write(service, asks, work)


@router.get("/organisation-decisions/{code}", response_model=OrganisationDecisionTold)
def show_organisation_decision(
    code: DecisionCode, asks: Reader, service: Served, response: Response
) -> OrganisationDecisionTold:
    """One decision."""
    with service.store.reading() as session:
        row = hearing.find_heard(session, asks.viewer(Right.ORGANISERS_READ), code)
        put_etag(response, row)
        return _told(session, row)


@router.get("/organisation-decisions/{code}/letter", response_class=Response, responses=FILE)
def fetch_organisation_letter(
    code: DecisionCode, asks: Reader, service: Served, request: Request
) -> Response:
    """The letter to the organisation, in the caller's language: what is proposed and until when it may answer, or, once the
    decision is closed, what became of it."""
    with service.store.reading() as session:
        row = hearing.find_heard(session, asks.viewer(Right.ORGANISERS_READ), code)
        content = hearing.hearing(session, row)
    return attached(hearing_document(content, language_of(request)), f"{code}.docx", DOCX)


@router.post(
    "/organisation-decisions/{code}/replies",
    response_model=OrganisationDecisionTold,
    status_code=201,
    responses=openapi.CHANGES,
)
def reply_to_organisation_decision(
    code: DecisionCode, sent: OrganisationReplyAsk, asks: Office, service: Served, once: Repeatable
) -> Response:
    """Answer, as the committee's office, before the second person decides."""
    return _replied(code, sent, asks, Right.PANELS_REQUEST, service, once)


@router.post(
    "/organisation-decisions/{code}/paper-replies",
    response_model=OrganisationDecisionTold,
    status_code=201,
    responses=openapi.CHANGES,
)
def enter_organisation_reply(
    code: DecisionCode, sent: OrganisationReplyAsk, asks: Preparer, service: Served, once: Repeatable
) -> Response:
    """Put down an answer that came on paper."""
    return _replied(code, sent, asks, Right.CYCLES_PREPARE, service, once)


@router.post(
    "/organisation-decisions/{code}/confirmation",
    response_model=OrganisationDecisionTold,
    responses=openapi.CHANGES,
)
def confirm_organisation_decision(
    code: DecisionCode,
    sent: WordAsk,
    asks: Decider,
    service: Served,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """Confirm as the second person, so that the measure is in force from today; or refuse."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)

    def work(session: Session) -> Answer:
        row = find_decision(session, viewer, code)
        require_match(if_match, etag_of(row))
        deciding.confirm(session, viewer, code, refuse=sent.refuse)
        hearing.announce(session, service.store.key, row)
        return Answer(_told(session, row), 200, {"ETag": etag_of(row)})

    return once.write(service, asks, work)


@router.post(
    "/committees/{code}/results", response_model=RowWritten, status_code=201, responses=openapi.CHANGES
)
def record_committee_results(
    code: CommitteeCode, sent: ResultsAsk, asks: Writer, service: Served, once: Repeatable
) -> Response:
    """Record how many cases a committee reviewed and passed in a season; again: a correction."""
    viewer = asks.viewer(Right.ORGANISERS_WRITE)

    def work(session: Session) -> Answer:
        row = deciding.record_results(
            session,
            viewer,
            code,
            sent.season,
            reviewed=sent.reviewed,
            passed=sent.passed,
            on=sent.on,
            reference=sent.reference,
        )
        return Answer(RowWritten(table="review_result", id=row.id), 201)

    return once.write(service, asks, work)


@router.post(
    "/committees/{code}/complaints", response_model=RowWritten, status_code=201, responses=openapi.CHANGES
)
def record_committee_complaint(
    code: CommitteeCode, sent: ComplaintAsk, asks: Writer, service: Served, once: Repeatable
) -> Response:
    """Record a complaint about a committee, or what was found about it."""
    viewer = asks.viewer(Right.ORGANISERS_WRITE)

    def work(session: Session) -> Answer:
        row = deciding.record_complaint(
            session, viewer, code, sent.season, reference=sent.reference, upheld=sent.upheld, on=sent.on
        )
        return Answer(RowWritten(table="complaint", id=row.id), 201)

    return once.write(service, asks, work)


def _scheme(name: str) -> Any:
    """A preset by name, never a file. Raises Fault `scheme.unknown`."""
    known = organisation_schemes()
    if name not in known:
        raise Fault("scheme.unknown", name, name=name, nearest=None, known=", ".join(known))
    return load_organisation_scheme(name)


def _replied(
    code: str, sent: OrganisationReplyAsk, asks: Principal, right: Right, service: Served, once: Repeatable
) -> Response:
    viewer = asks.viewer(right)

    def work(session: Session) -> Answer:
        hearing.reply(session, viewer, code, sent.text, last=sent.last)
        row = hearing.find_heard(session, viewer, code)
        return Answer(_told(session, row), 201, {"ETag": etag_of(row)})

    return once.write(service, asks, work)


def _told(session: Session, row: OrganisationDecision) -> OrganisationDecisionTold:
    own = {"replies", "reply_until"}
    said = [
        OrganisationReplyTold(at=one.at, by=one.by, text=one.text) for one in hearing.replies(session, row)
    ]
    names = OrganisationDecisionTold.model_fields.keys() - own
    known = {name: getattr(row, name) for name in names}
    return OrganisationDecisionTold(**known, reply_until=deciding.reply_until(row), replies=said)
