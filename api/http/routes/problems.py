"""Panel problems and panels as documents: assembled, checked, diagnosed, explained, changed. No row of the registry is
read, and nothing is computed in this process: each request becomes a run, whose result a caller may wait for."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import Field
from starlette.responses import Response

from api.http.accepting import Model, Runs, Work, answers
from api.http.access import allowed
from api.http.documents import NAMES, Document, DocumentsRoute, Taken
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
from solver.check import Checked
from solver.diagnosis.document import Diagnosis
from solver.diff import PanelDiff
from solver.diverse import Several
from solver.explanation.document import Explanation
from solver.forecast import Forecast
from solver.invitations import Invitations
from solver.proof import ProofVerdict
from solver.replace import Replacement

router = APIRouter(prefix="/problems", tags=["problems"], route_class=DocumentsRoute)

Solver = Annotated[Principal, Depends(allowed(Right.PROBLEMS_SOLVE))]


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
    verdict: ProofVerdict


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


class PanelInvited(Model):
    """The invitations now, and the panel to invite; where members were replaced its problem is the file `problem.json`."""

    invitations: Invitations
    panel: Answer
    replacement: Replacement | None
    forecast: Forecast | None


class Foretold(Model):
    forecast: Forecast


class PanelsCompared(Model):
    difference: PanelDiff


def _small() -> Any:
    return json.loads(fixture("problems", "small.json").read_text(encoding="utf-8"))


@router.post("/panels", **answers(Assembled))
def assemble_problem(
    sent: Annotated[AssemblySent, Body(examples=[{"problem": _small()}])],
    asks: Solver,
    runs: Runs,
) -> Response:
    """One panel for a problem, with its proof if wanted."""
    return runs.take(asks, _work("problem.assemble", sent))


@router.post("/checks", **answers(CheckedPanel))
def check_panel(sent: CheckSent, asks: Solver, runs: Runs) -> Response:
    """What is wrong with a panel under the rules of a problem."""
    return runs.take(asks, _work("problem.check", sent))


@router.post("/verifications", **answers(CheckedProof))
def verify_proof(sent: ProofSent, asks: Solver, runs: Runs) -> Response:
    """Recompute a proof in integers, without an engine."""
    return runs.take(asks, _work("problem.verify", sent))


@router.post("/diagnoses", **answers(Diagnosed))
def diagnose_problem(
    sent: Annotated[DiagnosisSent, Body(examples=[{"problem": _small()}])],
    asks: Solver,
    runs: Runs,
) -> Response:
    """What cannot hold together, and what would help."""
    return runs.take(asks, _work("problem.diagnose", sent))


@router.post("/explanations", **answers(Explained))
def explain_problem(sent: ExplanationSent, asks: Solver, runs: Runs) -> Response:
    """Why these people sit and others do not, and what each rule costs."""
    return runs.take(asks, _work("problem.explain", sent))


@router.post("/alternatives", **answers(AlternativesFound))
def find_alternatives(
    sent: Annotated[AlternativesSent, Body(examples=[{"problem": _small(), "count": 2}])],
    asks: Solver,
    runs: Runs,
) -> Response:
    """Panels within a tolerance of the optimum, each as unlike the others as can be."""
    return runs.take(asks, _work("problem.alternatives", sent))


@router.post("/replacements", **answers(Replaced))
def replace_in_problem(sent: ReplacementSent, asks: Solver, runs: Runs) -> Response:
    """The least change that is legal again, and who else could take each seat."""
    return runs.take(asks, _work("problem.replace", sent))


@router.post("/attendances", **answers(Attended))
def attend_meeting(sent: AttendanceSent, asks: Solver, runs: Runs) -> Response:
    """Who meets when some do not come: alternates are called, nothing is searched for."""
    return runs.take(asks, _work("problem.attend", sent))


@router.post("/invitations", **answers(PanelInvited))
def invite_in_problem(sent: InvitationSent, asks: Solver, runs: Runs) -> Response:
    """Take in answers, replace who declined, say whom to invite and how many rounds to expect."""
    return runs.take(asks, _work("problem.invite", sent))


@router.post("/forecasts", **answers(Foretold))
def forecast_invitations(sent: ForecastSent, asks: Solver, runs: Runs) -> Response:
    """How many rounds of invitations to expect, and where people may run out."""
    return runs.take(asks, _work("problem.forecast", sent))


@router.post("/comparisons", **answers(PanelsCompared))
def compare_documents(sent: ComparisonSent, asks: Solver, runs: Runs) -> Response:
    """What differs between two panels."""
    return runs.take(asks, _work("problem.compare", sent))


def _work(kind: str, sent: Ask) -> Work:
    """The run: what was asked as its parameters, the documents as its files. Raises Fault for a document that is none."""
    documents: dict[str, Taken | None] = {name: getattr(sent, name, None) for name in NAMES}
    files = [
        Attachment(name, taken.checked(), "application/json") for name, taken in documents.items() if taken
    ]
    params = {
        "ask": sent.model_dump(mode="json", exclude=set(NAMES)),
        "on": clock.today().isoformat(),
    }
    return Work(kind, params, files)
