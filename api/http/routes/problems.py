"""Panel problems and panels as documents: assembled, checked, diagnosed, explained, changed. No row of the registry is
read, and nothing is computed in this process: each request becomes a run, whose result a caller may wait for."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import Field
from starlette.responses import Response

from api.http import openapi
from api.http.accepting import Model, Prefer, Run, RunResult, Work, accept
from api.http.access import allowed
from api.http.once import Repeatable
from api.http.service import Served
from api.jobs.work.asks import (
    AlternativesAsk,
    Ask,
    AssembleAsk,
    AttendanceAsk,
    DiagnoseAsk,
    EventsAsk,
    ExplainAsk,
    ForecastAsk,
    RoundAsk,
)
from expert_pool import clock
from expert_pool.accounts.rights import Principal, Right
from expert_pool.packaged import fixture
from expert_pool.runs import Attachment
from solver.answer import Answer, RunLog
from solver.attendance import Attendance
from solver.check import Checked, read_answer
from solver.diagnosis.document import Diagnosis
from solver.diff import PanelDiff
from solver.diverse import Several
from solver.document import from_plain
from solver.explanation.document import Explanation
from solver.forecast import Forecast
from solver.invitations import Invitations, read_invitations
from solver.proof import Verdict
from solver.replace import Replacement

router = APIRouter(prefix="/problems", tags=["problems"])

Solver = Annotated[Principal, Depends(allowed(Right.PROBLEMS_SOLVE))]
Document = dict[str, Any]


class ProblemSent(Ask):
    problem: Document = Field(description="`panel-problem/1`: its JSON Schema is at /schemas/panel-problem.")


class PanelSent(ProblemSent):
    panel: Document = Field(description="`panel/1`: its JSON Schema is at /schemas/panel.")


class InvitedSent(PanelSent):
    invitations: Document | None = Field(
        default=None, description="`invitations/1`: how the invitations stand, where they have begun."
    )


class AssemblySent(ProblemSent, AssembleAsk):
    """A problem to assemble a panel for."""


class CheckSent(PanelSent):
    """A panel to check under the rules of a problem."""


class ProofSent(PanelSent):
    """A proof to check."""

    proof: Document = Field(description="`proof/1`, as the assembly of the panel wrote it.")


class DiagnosisSent(ProblemSent, DiagnoseAsk):
    """A problem that has no panel."""


class ExplanationSent(PanelSent, ExplainAsk):
    """A panel to explain; experts by their ids in the problem."""


class AlternativesSent(ProblemSent, AlternativesAsk):
    """A problem to find several panels for."""


class ReplacementSent(InvitedSent, EventsAsk):
    """A panel, and what has happened since it was made. Those who have accepted an invitation keep their place."""


class AttendanceSent(PanelSent, AttendanceAsk):
    """A panel on the day of its meeting."""


class InvitationSent(InvitedSent, RoundAsk):
    """A panel whose invitations take their next step."""


class ForecastSent(InvitedSent, ForecastAsk):
    """A panel whose invitations are to be foretold."""


class ComparisonSent(Ask):
    """Two panels; with a problem both are measured under its rules, else their own figures are compared."""

    was: Document = Field(description="`panel/1`.")
    now: Document = Field(description="`panel/1`.")
    problem: Document | None = Field(default=None, description="`panel-problem/1`.")


class Assembled(Model):
    """The panel and its run log; file `proof.json` where the proof was asked for."""

    panel: Answer
    run_log: RunLog


class CheckedPanel(Model):
    check: Checked


class CheckedProof(Model):
    verdict: Verdict


class Diagnosed(Model):
    diagnosis: Diagnosis


class Explained(Model):
    explanation: Explanation


class AlternativesFound(Model):
    alternatives: Several


class Replaced(Model):
    """The replacement; the changed problem is the file `problem.json`."""

    replacement: Replacement


class Attended(Model):
    attendance: Attendance


class Invited(Model):
    """The invitations now, and the panel to invite; where members were replaced its problem is the file `problem.json`."""

    invitations: Invitations
    panel: Answer
    replacement: Replacement | None
    forecast: Forecast | None


class Foretold(Model):
    forecast: Forecast


class Compared(Model):
    difference: PanelDiff


def _small() -> Any:
    return json.loads(fixture("problems", "small.json").read_text(encoding="utf-8"))


def _answers(model: type[Model]) -> dict[str, Any]:
    """How a route describes that it answers with a run, or with its result."""
    result: Any = RunResult[model]  # type: ignore[valid-type]
    return {
        "status_code": 202,
        "response_model": Run,
        "responses": {
            200: {
                "model": result,
                "description": "The result, where it came within the time of `Prefer: wait=N`.",
            },
            409: openapi.CHANGES[409],
        },
    }


@router.post("/panels", **_answers(Assembled))
def assemble_problem(
    sent: Annotated[AssemblySent, Body(examples=[{"problem": _small()}])],
    asks: Solver,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """One panel for a problem, with its proof if wanted."""
    return accept(service, once, asks, _work("problem.assemble", sent), prefer=prefer)


@router.post("/checks", **_answers(CheckedPanel))
def check_panel(
    sent: CheckSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """What is wrong with a panel under the rules of a problem."""
    return accept(service, once, asks, _work("problem.check", sent), prefer=prefer)


@router.post("/verifications", **_answers(CheckedProof))
def verify_proof(
    sent: ProofSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Recompute a proof in integers, without an engine."""
    return accept(service, once, asks, _work("problem.verify", sent), prefer=prefer)


@router.post("/diagnoses", **_answers(Diagnosed))
def diagnose_problem(
    sent: Annotated[DiagnosisSent, Body(examples=[{"problem": _small()}])],
    asks: Solver,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """What cannot hold together, and what would help."""
    return accept(service, once, asks, _work("problem.diagnose", sent), prefer=prefer)


@router.post("/explanations", **_answers(Explained))
def explain_problem(
    sent: ExplanationSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Why these people sit and others do not, and what each rule costs."""
    return accept(service, once, asks, _work("problem.explain", sent), prefer=prefer)


@router.post("/alternatives", **_answers(AlternativesFound))
def find_alternatives(
    sent: Annotated[AlternativesSent, Body(examples=[{"problem": _small(), "count": 2}])],
    asks: Solver,
    service: Served,
    once: Repeatable,
    prefer: Prefer = None,
) -> Response:
    """Panels within a tolerance of the optimum, each as unlike the others as can be."""
    return accept(service, once, asks, _work("problem.alternatives", sent), prefer=prefer)


@router.post("/replacements", **_answers(Replaced))
def replace_in_problem(
    sent: ReplacementSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """The least change that is legal again, and who else could take each seat."""
    return accept(service, once, asks, _work("problem.replace", sent), prefer=prefer)


@router.post("/attendances", **_answers(Attended))
def attend_meeting(
    sent: AttendanceSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Who meets when some do not come: alternates are called, nothing is searched for."""
    return accept(service, once, asks, _work("problem.attend", sent), prefer=prefer)


@router.post("/invitations", **_answers(Invited))
def invite_in_problem(
    sent: InvitationSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """Take in answers, replace who declined, say whom to invite and how many rounds to expect."""
    return accept(service, once, asks, _work("problem.invite", sent), prefer=prefer)


@router.post("/forecasts", **_answers(Foretold))
def forecast_invitations(
    sent: ForecastSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """How many rounds of invitations to expect, and where people may run out."""
    return accept(service, once, asks, _work("problem.forecast", sent), prefer=prefer)


@router.post("/comparisons", **_answers(Compared))
def compare_documents(
    sent: ComparisonSent, asks: Solver, service: Served, once: Repeatable, prefer: Prefer = None
) -> Response:
    """What differs between two panels."""
    return accept(service, once, asks, _work("problem.compare", sent), prefer=prefer)


_DOCUMENTS = ("problem", "panel", "was", "now", "proof", "invitations")


def _work(kind: str, sent: Ask) -> Work:
    """The run: what was asked as its parameters, the documents as its files. Raises Fault for a document that is none."""
    documents = {name: getattr(sent, name, None) for name in _DOCUMENTS}
    written = {name: json.dumps(said).encode() for name, said in documents.items() if said is not None}
    if "problem" in written:
        from_plain(documents["problem"])
    for name in ("panel", "was", "now"):
        if name in written:
            read_answer(written[name], name)
    if "invitations" in written:
        read_invitations(written["invitations"], "invitations")
    params = {
        "ask": sent.model_dump(mode="json", exclude=set(_DOCUMENTS)),
        "on": clock.today().isoformat(),
    }
    return Work(kind, params, [Attachment(name, text, "application/json") for name, text in written.items()])
