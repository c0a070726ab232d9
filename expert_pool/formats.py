"""The documents that go in and come out, and their JSON Schemas, by name."""

from __future__ import annotations

from typing import Any

from solver.errors import Fault

SCHEMAS = (
    "panel-problem",
    "panel",
    "panel-run",
    "policy",
    "diagnosis",
    "explanation",
    "panel-diff",
    "audit",
    "replacement",
    "attendance",
    "invitations",
    "forecast",
    "panels",
    "proof",
    "scenario",
    "simulation",
    "appraisal",
    "pool-health",
)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a format by name. Raises Fault `format.unknown`."""
    match name:
        case "panel-problem":
            from solver.document import problem_schema

            return problem_schema()
        case "panel":
            from solver.answer import Answer

            return Answer.model_json_schema()
        case "panel-run":
            from solver.answer import RunLog

            return RunLog.model_json_schema()
        case "policy":
            from expert_pool.policies.document import PolicyDoc

            return PolicyDoc.model_json_schema()
        case "diagnosis":
            from solver.diagnosis.document import Diagnosis

            return Diagnosis.model_json_schema()
        case "explanation":
            from solver.explanation.document import Explanation

            return Explanation.model_json_schema()
        case "panel-diff":
            from solver.diff import PanelDiff

            return PanelDiff.model_json_schema()
        case "replacement":
            from solver.replace import Replacement

            return Replacement.model_json_schema()
        case "attendance":
            from solver.attendance import Attendance

            return Attendance.model_json_schema()
        case "invitations":
            from solver.invitations import Invitations

            return Invitations.model_json_schema()
        case "forecast":
            from solver.forecast import Forecast

            return Forecast.model_json_schema()
        case "panels":
            from solver.diverse import Several

            return Several.model_json_schema()
        case "proof":
            from solver.proof import Proof

            return Proof.model_json_schema()
        case "scenario":
            from expert_pool.simulation.scenario import ScenarioDoc

            return ScenarioDoc.model_json_schema()
        case "simulation":
            from expert_pool.simulation.results import Simulation

            return Simulation.model_json_schema()
        case "audit":
            from expert_pool.audits import Audit

            return Audit.model_json_schema()
        case "appraisal":
            from expert_pool.reevaluation.appraisal_document import AppraisalDoc

            return AppraisalDoc.model_json_schema()
        case "measurement":
            from expert_pool.reevaluation.measurement.document import MeasurementDocument

            return MeasurementDocument.model_json_schema()
        case "pool-health":
            from expert_pool.reevaluation.health.document import Health

            return Health.model_json_schema()
    raise Fault("format.unknown", name, name=name, known=list(SCHEMAS))
