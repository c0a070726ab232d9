"""The own cases of re-evaluation: what is proposed for an expert and why, answered and appealed by the expert."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.access import allowed
from api.http.cycle_shapes import CaseDocument, Cases, case_document
from api.http.files import FILE, attached
from api.http.once import Answer, Repeatable
from api.http.problems import language_of
from api.http.routes.cycle_cases import Files, LetterKind, Number, Said, attachments
from api.http.service import Served
from expert_pool.accounts.rights import Principal, Right
from expert_pool.documents.letters import letter_document
from expert_pool.reevaluation import cycle as cycles
from expert_pool.reevaluation.letter_files import DOCX
from solver.errors import Fault

router = APIRouter(prefix="/own-record/cycles", tags=["own record"])

Asks = Annotated[Principal, Depends(allowed(Right.OWN_RECORD))]
CycleCode = Annotated[str, Path(max_length=200, examples=["P1-20261120"])]


@router.get("", response_model=Cases, summary="本人评价案 · own cases")
def list_own_cases(asks: Asks, service: Served, request: Request) -> Cases:
    """What cycles proposed and decided for the expert, from the day they were told."""
    lang = language_of(request)
    with service.store.reading() as session:
        found = cycles.own_cases(session, _expert(asks))
    return Cases(items=[case_document(view, lang) for view in found])


@router.post(
    "/{cycle}/replies",
    response_model=CaseDocument,
    status_code=201,
    responses=openapi.CHANGES,
    summary="答复 · answer",
)
def answer_own_case(
    cycle: CycleCode,
    asks: Asks,
    service: Served,
    request: Request,
    once: Repeatable,
    text: Said,
    last: Annotated[bool, Form(description="Nothing will be added.")] = False,
    evidence: Files = None,
) -> Response:
    """Answer what is proposed, with files, as long as the time to answer runs."""
    expert_id, files = _expert(asks), attachments(evidence)

    def work(session: Session) -> Answer:
        key = service.store.key
        cycles.reply_own(session, asks.actor, key, cycle, expert_id, text, evidence=files, last=last)
        return _told(session, cycle, expert_id, language_of(request))

    return once.write(service, asks, work)


@router.post(
    "/{cycle}/appeals",
    response_model=CaseDocument,
    status_code=201,
    responses=openapi.CHANGES,
    summary="申诉 · appeal",
)
def appeal_own_case(
    cycle: CycleCode,
    asks: Asks,
    service: Served,
    request: Request,
    once: Repeatable,
    text: Said,
    evidence: Files = None,
) -> Response:
    """Appeal against what was decided, with files, as long as the time to appeal runs."""
    expert_id, files = _expert(asks), attachments(evidence)

    def work(session: Session) -> Answer:
        cycles.appeal_own(session, asks.actor, service.store.key, cycle, expert_id, text, evidence=files)
        return _told(session, cycle, expert_id, language_of(request))

    return once.write(service, asks, work)


@router.get("/{cycle}/letters/{kind}", response_class=Response, responses=FILE, summary="文书 · letter")
def fetch_own_letter(
    cycle: CycleCode, kind: LetterKind, asks: Asks, service: Served, request: Request
) -> Response:
    """A letter to the expert, in the caller's language (`?lang=`)."""
    lang = language_of(request)
    with service.store.reading() as session:
        content = cycles.own_letter(session, cycle, _expert(asks), kind)
    return attached(letter_document(content, lang), f"{cycle}.{kind}.{lang}.docx", DOCX)


@router.get(
    "/{cycle}/evidence/{reply}/{number}",
    response_class=Response,
    responses=FILE,
    summary="本人材料 · own evidence",
)
def fetch_own_evidence(
    cycle: CycleCode, reply: Number, number: Number, asks: Asks, service: Served
) -> Response:
    """A file that the expert sent."""
    with service.store.reading() as session:
        file = cycles.own_evidence_file(session, service.store.key, cycle, _expert(asks), reply, number)
    return attached(file.content, file.name, "application/octet-stream")


def _expert(asks: Principal) -> int:
    if asks.expert_id is None:
        raise Fault("own_record.expert_unknown", asks.actor)
    return asks.expert_id


def _told(session: Session, cycle: str, expert_id: int, lang: str) -> Answer:
    session.flush()
    found = next(view for view in cycles.own_cases(session, expert_id) if view.cycle == cycle)
    return Answer(case_document(found, lang), 201)
