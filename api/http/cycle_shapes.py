"""Cycles of re-evaluation and their cases as the API tells them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from api.http.accepting import Model
from expert_pool.reevaluation.cycle import CaseView, CycleView
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import CaseState, CycleState, Verdict
from expert_pool.words import say


class CycleDocument(Model):
    """A cycle: of which pool and day, by which scheme, how far it is. `counts`: experts by proposed measure; `cases`: cases
    by state; the hashes are those of what it rests on."""

    code: str = Field(examples=["P1-20261120"])
    pool: str
    as_of: date
    period: str
    state: CycleState
    scheme: str
    scheme_version: str
    scheme_sha256: str
    policy: str
    opened_at: AwareDatetime
    opened_by: str
    known_at: AwareDatetime | None
    ledger_sequence: int | None
    ledger_sha256: str | None
    measurement_sha256: str | None
    appraisal_sha256: str | None
    experts: int | None
    counts: dict[str, int]
    cases: dict[str, int]
    reply_until: date | None
    reply_provisional: bool
    appeal_until: date | None
    appeal_provisional: bool
    ended_at: AwareDatetime | None
    ended_by: str | None
    ended_why: str | None


class RecordNamed(Model):
    """A row of a table of records."""

    table: str = Field(examples=["credit"])
    row: int


class CaseReason(Model):
    """Why a measure is proposed: the figures, the records behind it that the caller may see (`withheld`: how many others),
    what would have to be otherwise, and a sentence. `already`: the cycle that acted on it before; then it counts no more."""

    code: str = Field(examples=["conduct.count"])
    id: str
    measure: Measure
    months: int | None
    decided_by: str
    figures: dict[str, Any]
    records: list[RecordNamed]
    withheld: int
    otherwise: dict[str, Any]
    already: str | None
    message: str


class EvidenceTold(Model):
    """A file that came with an answer."""

    number: int
    name: str
    media_type: str
    size: int
    sha256: str


class SaidTold(Model):
    """What the expert said; `appeal`: as an appeal."""

    id: int
    at: AwareDatetime
    by: str
    text: str
    appeal: bool
    evidence: list[EvidenceTold]


class DecisionTold(Model):
    """What one person decided, and what the second one said of it. `appeal`: on the appeal."""

    measure: Measure
    months: int | None
    reason: str
    at: AwareDatetime
    by: str
    verdict: Verdict
    answered_at: AwareDatetime | None
    answered_by: str | None
    answer: str | None
    appeal: bool


class CaseDocument(Model):
    """One expert's case in a cycle: what is proposed and why, what was said, decided, executed."""

    cycle: str
    expert: str
    state: CaseState
    measure: Measure
    months: int | None
    decided_by: str
    by_conduct: bool
    reasons: list[CaseReason]
    amended_by: str | None
    amended_why: str | None
    notified_at: AwareDatetime | None
    reply_until: date | None
    reply_provisional: bool
    heard_at: AwareDatetime | None
    said: list[SaidTold]
    decisions: list[DecisionTold]
    outcome: Measure | None
    outcome_months: int | None
    executed_at: AwareDatetime | None
    executed: list[RecordNamed]
    appeal_until: date | None
    appeal_provisional: bool
    corrected: list[RecordNamed]


class Cases(Model):
    """The cases of an expert, the latest first."""

    items: list[CaseDocument]


def cycle_document(view: CycleView) -> CycleDocument:
    """A cycle as it is told."""
    said = asdict(view)
    del said["organiser_id"]
    return CycleDocument(**said)


def case_document(view: CaseView, lang: str) -> CaseDocument:
    """A case as it is told, its reasons in words too."""
    said = asdict(view)
    reasons = [
        {**reason, "message": say(reason["code"], lang, **{"id": reason["id"], **reason["figures"]})}
        for reason in view.reasons
    ]
    rows = {
        name: [{"table": table, "row": row} for table, row in said[name]]
        for name in ("executed", "corrected")
    }
    return CaseDocument(**{**said, **rows, "reasons": reasons})
