"""Audits: a roster that somebody else made, judged by the rules of a policy."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Header, Path, Query, UploadFile
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.http.accepting import Model, Prefer, Work, accept, answers
from api.http.access import allowed
from api.http.files import FILE, PURPOSE, attached
from api.http.once import Once
from api.http.service import Served
from api.jobs.work.asks import Code, Level, OverrideAsk, overrides_of
from api.jobs.work.rosters import MEDIA_TYPES
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.audits import Audit
from expert_pool.audits.asking import MOST_UNPACKED, template_bytes
from expert_pool.imports.unpacking import kind_of
from expert_pool.policies.load import preset
from expert_pool.privacy.purposes import purpose_of
from expert_pool.runs import Attachment
from expert_pool.snapshots import committee_owner
from solver.errors import Fault, misfit

router = APIRouter(tags=["audits"])

Solver = Annotated[Principal, Depends(allowed(Right.PROBLEMS_SOLVE))]
Reader = Annotated[Principal, Depends(allowed(Right.EXPERTS_READ))]

Roster = Annotated[UploadFile, File(description="The roster as .xlsx, or its list of people as .csv.")]
PolicyField = Annotated[Code, Form(examples=["cn-title-jilin-2013"])]
DayField = Annotated[date | None, Form(description="The day to judge by; today where it is left out.")]
LevelField = Annotated[Level, Form()]
OverridesField = Annotated[
    str,
    Form(
        max_length=100_000,
        description="Overrides of the policy as JSON: `[{parameter, value, why}, ...]`.",
        examples=['[{"parameter": "panel_low", "value": 11, "why": "评审任务较少"}]'],
    ),
]
PurposeField = Annotated[str, Form(**PURPOSE)]
OnceKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]
_OVERRIDES = TypeAdapter(list[OverrideAsk])


class RosterError(Model):
    """Something wrong with the roster: the sheet, the row a spreadsheet shows, the column, and a sentence per language."""

    sheet: str
    row: int
    column: str
    code: str
    params: dict[str, str]
    message: dict[str, str]


class Audited(Model):
    """The audit, or what is wrong with the roster. Report and workbook are files: `audit.zh.docx`, `audit.en.xlsx`, ..."""

    ok: bool
    errors: list[RosterError]
    audit: Audit | None


@router.post("/audits", **answers(Audited))
def audit_roster(
    roster: Roster,
    policy: PolicyField,
    purpose: PurposeField,
    asks: Solver,
    service: Served,
    on: DayField = None,
    level: LevelField = "senior",
    overrides: OverridesField = "[]",
    prefer: Prefer = None,
    key: OnceKey = None,
) -> Response:
    """Judge a roster by what stands in it alone."""
    work = _work(asks, roster, policy, purpose, on, level, overrides, None)
    return accept(service, _once(key, work), asks, work, prefer=prefer)


@router.post("/committees/{committee}/audits", **answers(Audited))
def audit_roster_with_registry(
    committee: Annotated[str, Path(max_length=200, examples=["C1"])],
    roster: Roster,
    policy: PolicyField,
    purpose: PurposeField,
    asks: Reader,
    service: Served,
    on: DayField = None,
    level: LevelField = "senior",
    overrides: OverridesField = "[]",
    prefer: Prefer = None,
    key: OnceKey = None,
) -> Response:
    """Judge a roster, with what the registry knows of its people and of the committee's earlier panels. The look goes into
    the committee's ledger."""
    work = _work(asks, roster, policy, purpose, on, level, overrides, committee)

    def owned(session: Session) -> Work:
        owner = committee_owner(session, asks.viewer(Right.EXPERTS_READ), committee)
        return Work(work.kind, work.params, work.attachments, owner)

    return accept(service, _once(key, work), asks, owned, prefer=prefer)


@router.get("/audit-template", response_class=Response, responses=FILE)
def fetch_audit_template(asks: Solver, lang: Annotated[Literal["zh", "en"], Query()] = "zh") -> Response:
    """An empty roster to fill in."""
    return attached(template_bytes(lang), f"roster.{lang}.xlsx", MEDIA_TYPES["xlsx"])


def _work(
    asks: Principal,
    roster: UploadFile,
    policy: str,
    purpose: str,
    on: date | None,
    level: str,
    overrides: str,
    committee: str | None,
) -> Work:
    """The run of an audit. What cannot be an audit at all is refused here: Fault."""
    name = _shown(roster.filename)
    content = roster.file.read()
    kind_of(content, name, most=MOST_UNPACKED)
    try:
        asked = _OVERRIDES.validate_json(overrides)
    except ValidationError as error:
        place, reason = misfit(error)
        raise Fault("audit.overrides_malformed", f"overrides.{place}".rstrip("."), reason=reason) from None
    preset(policy, overrides_of(asked, asks.actor, clock.today())).rules(level)
    ask = {
        "policy": policy,
        "overrides": [override.model_dump(mode="json") for override in asked],
        "on": (on or clock.today()).isoformat(),
        "level": level,
        "committee": committee,
        "file": name,
        "purpose": purpose_of(purpose),
    }
    return Work("roster.audit", {"ask": ask}, [Attachment("roster", content)])


def _once(key: str | None, work: Work) -> Once:
    """Whether it is the same request again. The body's form was read already, so what came of it is compared.

    Raises Fault `once.malformed`.
    """
    if key is not None and (not key or not key.isascii() or not key.isprintable()):
        raise Fault("once.malformed", "Idempotency-Key")
    said = repr((work.kind, work.params)).encode("utf-8", "surrogatepass")
    return Once(key, sha256(said + work.attachments[0].content).hexdigest())


def _shown(name: str | None) -> str:
    """What the sender calls the file, as it is shown: its last part, without what cannot be printed."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if c.isprintable())[:200]
    return kept or "roster"
