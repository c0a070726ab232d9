"""The cases of a cycle: looked at, amended, answered on paper, decided by two people, appealed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http import openapi
from api.http.accepting import Model, Prefer, Work, accept
from api.http.cycle_shapes import CaseDocument, case_document, cycle_document
from api.http.files import FILE, Purpose, attached
from api.http.once import Answer, Repeatable
from api.http.paging import USUAL, Cursor, Limit, Page, mark_of, read, write
from api.http.problems import language_of
from api.http.routes.cycles import CycleCode, Decider, Exporter, Preparer, Reader, StepDone, answers
from api.http.service import Served
from api.http.versions import IfMatch, etag_of, put_etag, require_match
from api.jobs.work.asks import Code, Reason, Remark
from expert_pool.accounts.rights import Right
from expert_pool.reevaluation import cycle as cycles
from expert_pool.reevaluation.cycle import Deciding, Kind
from expert_pool.reevaluation.cycle.finding import find_cycle, held
from expert_pool.reevaluation.cycle.hearing import FILE_MOST, NAME_MOST
from expert_pool.reevaluation.letter_files import DOCX, letter_marked
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import CaseState
from expert_pool.runs import Attachment
from expert_pool.viewer import Viewer
from solver.errors import Fault

router = APIRouter(prefix="/cycles/{cycle}", tags=["cycles"])

ExpertCode = Annotated[str, Path(max_length=200, examples=["E01"])]
LetterKind = Annotated[Kind, Path()]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Said = Annotated[str, Form(min_length=1, max_length=5000, pattern=r"^[^\x00]+$")]
Files = Annotated[list[UploadFile] | None, File(description="Evidence: at most 5 MB a file.")]
Months = Annotated[int | None, Field(default=None, ge=1, le=1200)]


class ProposalAsk(Model):
    """Another measure than was computed, with the reason."""

    measure: Measure
    months: Months
    reason: Reason


class DecisionAsk(Model):
    """What the first person decides of one expert: null as proposed. `etag`: of the case as it was read; refused where it
    changed since."""

    expert: Code
    measure: Measure | None = None
    months: Months
    reason: Remark = ""
    etag: str | None = Field(default=None, max_length=100)


class DecisionsAsk(Model):
    """Decisions, all or none of which are kept."""

    decisions: list[DecisionAsk] = Field(min_length=1, max_length=500)


class ConfirmationAsk(Model):
    """Whose decisions the second person confirms (null: all that wait), or sends back with a reason."""

    experts: list[Code] | None = Field(default=None, min_length=1, max_length=500)
    refuse: Reason | None = None


class AppealDecisionAsk(Model):
    """What the first person decides of an appeal: null it stands, `keep` it is overturned, else something lighter."""

    measure: Measure | None = None
    months: Months
    reason: Reason


class VerdictAsk(Model):
    """The second person's word: confirmed, or sent back with a reason."""

    refuse: Reason | None = None


class CycleCasePage(Page[CaseDocument]):
    """A page of cases, by the experts' codes."""


@router.get("/cases", response_model=CycleCasePage)
def list_cycle_cases(
    cycle: CycleCode,
    asks: Reader,
    service: Served,
    request: Request,
    state: Annotated[CaseState | None, Query()] = None,
    measure: Annotated[Measure | None, Query()] = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> Any:
    """The cases of a cycle."""
    viewer, lang = asks.viewer(Right.EXPERTS_READ), language_of(request)
    mark = mark_of({"cycle": cycle, "state": state, "measure": measure})
    after = _after(cursor, mark)
    with service.store.reading() as session:
        found = cycles.cases(
            session, viewer, cycle, state=state, measure=measure, after=after, most=limit + 1
        )
    more = len(found) > limit
    return CycleCasePage(
        items=[case_document(view, lang) for view in found[:limit]],
        next=write(mark, [found[limit - 1].expert]) if more else None,
    )


@router.get("/cases/{expert}", response_model=CaseDocument)
def show_cycle_case(
    cycle: CycleCode, expert: ExpertCode, asks: Reader, service: Served, request: Request, response: Response
) -> CaseDocument:
    """One case with everything said and decided."""
    with service.store.reading() as session:
        view = cycles.case(session, asks.viewer(Right.EXPERTS_READ), cycle, expert)
    put_etag(response, repr(view))
    return case_document(view, language_of(request))


@router.post("/cases/{expert}/proposal", response_model=CaseDocument, responses=openapi.CHANGES)
def amend_cycle_case(
    cycle: CycleCode,
    expert: ExpertCode,
    sent: ProposalAsk,
    asks: Preparer,
    service: Served,
    request: Request,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """Propose something else than was computed; the expert is told anew and has the whole time to answer."""
    viewer = asks.viewer(Right.CYCLES_PREPARE)

    def work(session: Session) -> Answer:
        _match(session, viewer, cycle, expert, if_match)
        cycles.amend(session, viewer, cycle, expert, sent.measure, sent.months, sent.reason)
        return _told(session, viewer, cycle, expert, language_of(request))

    return once.write(service, asks, work)


@router.post(
    "/cases/{expert}/replies", response_model=CaseDocument, status_code=201, responses=openapi.CHANGES
)
def enter_case_reply(
    cycle: CycleCode,
    expert: ExpertCode,
    asks: Preparer,
    service: Served,
    request: Request,
    once: Repeatable,
    text: Said,
    last: Annotated[bool, Form(description="The expert has nothing to add.")] = False,
    evidence: Files = None,
) -> Response:
    """Put down what an expert answered on paper."""
    viewer, files = asks.viewer(Right.CYCLES_PREPARE), attachments(evidence)

    def work(session: Session) -> Answer:
        key = service.store.key
        cycles.reply(session, viewer, key, cycle, expert, text, evidence=files, last=last)
        return _told(session, viewer, cycle, expert, language_of(request), 201)

    return once.write(service, asks, work)


@router.get("/cases/{expert}/evidence/{reply}/{number}", response_class=Response, responses=FILE)
def fetch_case_evidence(
    cycle: CycleCode, expert: ExpertCode, reply: Number, number: Number, asks: Decider, service: Served
) -> Response:
    """A file that came with an answer, for those who decide."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)
    with service.store.reading() as session:
        file = cycles.evidence_file(session, viewer, service.store.key, cycle, expert, reply, number)
    return attached(file.content, file.name, "application/octet-stream")


@router.post("/decisions", response_model=StepDone, responses=openapi.CHANGES)
def decide_cases(
    cycle: CycleCode, sent: DecisionsAsk, asks: Decider, service: Served, once: Repeatable
) -> Response:
    """Decide as the first person, once the time to answer is over."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)

    def work(session: Session) -> Answer:
        for one in sent.decisions:
            if one.etag is not None:
                _match(session, viewer, cycle, one.expert, one.etag)
        wanted = [Deciding(d.expert, d.measure, d.months, d.reason) for d in sent.decisions]
        return _stepped(session, viewer, cycle, cycles.decide(session, viewer, cycle, wanted).done)

    return once.write(service, asks, work)


@router.post("/confirmations", **answers(StepDone))
def confirm_cases(
    cycle: CycleCode,
    sent: ConfirmationAsk,
    asks: Decider,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """Confirm, as a second person, what somebody else decided; or send it back."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)

    def work(session: Session) -> Work:
        found = find_cycle(session, viewer, cycle)
        viewer.require(found.organiser_id)
        params = {"cycle": cycle, **sent.model_dump()}
        return Work("cycle.confirm", params, organiser_id=found.organiser_id)

    return accept(service, once, asks, work, prefer=prefer)


@router.post(
    "/cases/{expert}/appeals", response_model=CaseDocument, status_code=201, responses=openapi.CHANGES
)
def enter_case_appeal(
    cycle: CycleCode,
    expert: ExpertCode,
    asks: Preparer,
    service: Served,
    request: Request,
    once: Repeatable,
    text: Said,
    evidence: Files = None,
) -> Response:
    """Put down an appeal that came on paper."""
    viewer, files = asks.viewer(Right.CYCLES_PREPARE), attachments(evidence)

    def work(session: Session) -> Answer:
        cycles.appeal(session, viewer, service.store.key, cycle, expert, text, evidence=files)
        return _told(session, viewer, cycle, expert, language_of(request), 201)

    return once.write(service, asks, work)


@router.post("/cases/{expert}/appeal-decisions", response_model=CaseDocument, responses=openapi.CHANGES)
def decide_case_appeal(
    cycle: CycleCode,
    expert: ExpertCode,
    sent: AppealDecisionAsk,
    asks: Decider,
    service: Served,
    request: Request,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """Decide an appeal as the first person."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)

    def work(session: Session) -> Answer:
        _match(session, viewer, cycle, expert, if_match)
        cycles.decide_appeal(session, viewer, cycle, expert, sent.measure, sent.months, reason=sent.reason)
        return _told(session, viewer, cycle, expert, language_of(request))

    return once.write(service, asks, work)


@router.post("/cases/{expert}/appeal-confirmations", response_model=CaseDocument, responses=openapi.CHANGES)
def confirm_case_appeal(
    cycle: CycleCode,
    expert: ExpertCode,
    sent: VerdictAsk,
    asks: Decider,
    service: Served,
    request: Request,
    once: Repeatable,
    if_match: IfMatch = None,
) -> Response:
    """Confirm, as a second person, the decision on an appeal; its records are corrected at once."""
    viewer = asks.viewer(Right.CYCLES_DECIDE)

    def work(session: Session) -> Answer:
        _match(session, viewer, cycle, expert, if_match)
        cycles.confirm_appeal(session, viewer, service.store.key, cycle, expert, refuse=sent.refuse)
        return _told(session, viewer, cycle, expert, language_of(request))

    return once.write(service, asks, work)


@router.get("/cases/{expert}/letters/{kind}", response_class=Response, responses=FILE)
def fetch_case_letter(
    cycle: CycleCode,
    expert: ExpertCode,
    kind: LetterKind,
    purpose: Purpose,
    asks: Exporter,
    service: Served,
    request: Request,
) -> Response:
    """A letter of a case as a document with a watermark, in the caller's language (`?lang=`)."""
    lang = language_of(request)
    viewer = asks.viewer(Right.EXPERTS_EXPORT)
    file = letter_marked(service.store, viewer, cycle, expert, kind, lang=lang, purpose=purpose)
    return attached(file.content, file.name, DOCX)


def attachments(files: list[UploadFile] | None) -> list[Attachment]:
    """Files as evidence. Raises Fault `cycle.evidence_large` before more of one is read than may be kept."""
    found = []
    for file in files or []:
        name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
        shown = "".join(c for c in name if c.isprintable())[:NAME_MOST] or "file"
        content = file.file.read(FILE_MOST + 1)
        if len(content) > FILE_MOST:
            raise Fault("cycle.evidence_large", shown, most=FILE_MOST, name_most=NAME_MOST)
        found.append(Attachment(shown, content, file.content_type or "application/octet-stream"))
    return found


def _after(cursor: str | None, mark: str) -> str:
    values = read(cursor, mark) if cursor is not None else [""]
    if len(values) != 1 or not isinstance(values[0], str) or "\0" in values[0]:
        raise Fault("paging.cursor", "cursor")
    return values[0]


def _match(session: Session, viewer: Viewer, cycle: str, expert: str, if_match: str | None) -> None:
    held(session, viewer, cycle)
    require_match(if_match, etag_of(repr(cycles.case(session, viewer, cycle, expert))))


def _told(session: Session, viewer: Viewer, cycle: str, expert: str, lang: str, status: int = 200) -> Answer:
    session.flush()
    view = cycles.case(session, viewer, cycle, expert)
    return Answer(case_document(view, lang), status, {"ETag": etag_of(repr(view))})


def _stepped(session: Session, viewer: Viewer, cycle: str, done: int) -> Answer:
    session.flush()
    return Answer(StepDone(done=done, cycle=cycle_document(cycles.show(session, viewer, cycle))))
