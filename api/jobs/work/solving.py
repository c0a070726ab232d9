"""Problems and panels that came as documents: no row of the registry is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from api.jobs.job import Job, Result
from api.jobs.work.asks import (
    AlternativesAsk,
    AssembleAsk,
    AttendanceAsk,
    DiagnoseAsk,
    EventsAsk,
    ExplainAsk,
    ForecastAsk,
    RoundAsk,
)
from api.jobs.work.telling import steady
from expert_pool.accounts.rights import Right
from expert_pool.runs import Attachment
from solver.check import read_answer
from solver.document import read_problem
from solver.errors import Fault

if TYPE_CHECKING:
    from solver.answer import Answer
    from solver.invitations import Invitations
    from solver.problem import Problem

JSON = "application/json"


def assemble(job: Job) -> Result:
    """One panel: answer and run log, and the proof as a file where it was asked for."""
    from solver.assemble import assembled
    from solver.proof import proof_of

    ask = AssembleAsk.model_validate(job.params["ask"])
    problem = _problem(job)
    given: dict[str, Any] = ask.model_dump(
        include={"seconds", "gap", "workers", "memory_mb"}, exclude_none=True
    )
    limits = replace(problem.limits, **given)
    answer, log, outcome = assembled(
        replace(problem, limits=limits), report=steady(job.report), cancelled=job.cancelled
    )
    files = []
    if ask.with_proof:
        written = proof_of(outcome).model_dump_json().encode()
        files.append(Attachment("proof.json", written, JSON))
    return Result({"panel": _plain(answer), "run_log": _plain(log)}, files)


def check(job: Job) -> Result:
    """The verdict on a panel document."""
    from solver.check import checked

    return Result({"check": _plain(checked(_problem(job), _answer(job)))})


def verify(job: Job) -> Result:
    """The verdict on a proof."""
    from solver.proof import verdict

    return Result({"verdict": _plain(verdict(_problem(job), _answer(job), _document(job, "proof"), "proof"))})


def diagnose(job: Job) -> Result:
    """Why a problem has no panel, and what would help."""
    from solver.diagnosis.diagnose import diagnose as ask_why

    ask = DiagnoseAsk.model_validate(job.params["ask"])
    said = ask_why(
        _problem(job),
        sets=ask.sets,
        relaxations=ask.relaxations,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    return Result({"diagnosis": _plain(said)})


def explain(job: Job) -> Result:
    """Why a panel is as it is."""
    from solver.explain import explain as ask_why

    ask = ExplainAsk.model_validate(job.params["ask"])
    said = ask_why(
        _problem(job),
        _seated(job, "panel"),
        experts=ask.experts,
        rules=ask.rules,
        exact=ask.exact,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    return Result({"explanation": _plain(said)})


def alternatives(job: Job) -> Result:
    """Several panels within a tolerance of the optimum."""
    from solver.diverse import several

    ask = AlternativesAsk.model_validate(job.params["ask"])
    found = several(
        _problem(job),
        ask.count,
        ask.room(),
        level=ask.level,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    return Result({"alternatives": _plain(found)})


def replace_(job: Job) -> Result:
    """The least change that is legal again; the changed problem as a file, so that it can be checked."""
    from solver.document import problem_bytes
    from solver.invitations import keeping
    from solver.replace import replace_members

    ask = EventsAsk.model_validate(job.params["ask"])
    problem, answer = _problem(job), _answer(job)
    events = ask.events(_actor(job), _day(job))
    problem, events, rules = keeping(problem, events, _invitations(job))
    done = replace_members(
        problem,
        answer,
        events,
        rules=rules,
        substitutes=ask.substitutes,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    file = Attachment("problem.json", problem_bytes(done.problem), JSON)
    return Result({"replacement": _plain(done.document)}, [file])


def attend(job: Job) -> Result:
    """Who meets when some do not come."""
    from solver.attendance import on_the_day

    ask = AttendanceAsk.model_validate(job.params["ask"])
    return Result({"attendance": _plain(on_the_day(_problem(job), _answer(job), ask.absent))})


def invite(job: Job) -> Result:
    """The next round of invitations, the panel to invite, and what to expect; its problem as a file where it changed."""
    from solver.document import problem_bytes
    from solver.forecast import FACT, forecast, rates_of
    from solver.invitations import next_round

    ask = RoundAsk.model_validate(job.params["ask"])
    problem = _problem(job)
    rates = rates_of(problem, fact=ask.rate_fact or FACT, default=ask.rate)
    done = next_round(
        problem,
        _answer(job),
        _invitations(job),
        [answer.heard() for answer in ask.answers],
        on=ask.on or _day(job),
        by=_actor(job),
        days=ask.days,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    replaced = done.replaced
    expected = forecast(problem, done.answer, rates, done.state) if done.answer.members else None
    document = {
        "invitations": _plain(done.state),
        "panel": _plain(done.answer),
        "replacement": _plain(replaced.document) if replaced else None,
        "forecast": _plain(expected) if expected else None,
    }
    files = [Attachment("problem.json", problem_bytes(replaced.problem), JSON)] if replaced else []
    return Result(document, files)


def foretell(job: Job) -> Result:
    """What to expect of the invitations of a panel."""
    from solver.forecast import FACT, forecast, rates_of

    ask = ForecastAsk.model_validate(job.params["ask"])
    problem = _problem(job)
    rates = rates_of(problem, fact=ask.rate_fact or FACT, default=ask.rate)
    return Result({"forecast": _plain(forecast(problem, _answer(job), rates, _invitations(job)))})


def compare(job: Job) -> Result:
    """What differs between two panels."""
    from solver.diff import diff

    job.viewer(Right.PROBLEMS_SOLVE)
    given = _given(job)
    problem = read_problem(given["problem"]) if "problem" in given else None
    return Result({"difference": _plain(diff(problem, _seated(job, "was"), _seated(job, "now")))})


def _problem(job: Job) -> Problem:
    job.viewer(Right.PROBLEMS_SOLVE)
    return read_problem(_document(job, "problem"))


def _answer(job: Job, name: str = "panel") -> Answer:
    return read_answer(_document(job, name), name)


def _seated(job: Job, name: str) -> Answer:
    answer = _answer(job, name)
    if not answer.members:
        raise Fault("panel.empty", name)
    return answer


def _invitations(job: Job) -> Invitations | None:
    from solver.invitations import read_invitations

    text = _given(job).get("invitations")
    return None if text is None else read_invitations(text, "invitations")


def _document(job: Job, name: str) -> bytes:
    return _given(job)[name]


def _given(job: Job) -> dict[str, bytes]:
    """The documents that came with the request, by the name of their field."""
    return {file.name: file.content for file in job.attachments}


def _actor(job: Job) -> str:
    return job.viewer(Right.PROBLEMS_SOLVE).actor


def _day(job: Job) -> date:
    return date.fromisoformat(job.params["on"])


def _plain(document: Any) -> Any:
    return document.model_dump(mode="json")
