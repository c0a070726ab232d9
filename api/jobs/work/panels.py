"""The office's work on the registry: asking for panels, replacing members, inviting, explaining, papers.

Before the seal of a panel opens, a result names nobody, not even by pseudonym: who may look does so at the panel, and
each look is an entry in the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from api.jobs.job import Job, Result
from api.jobs.work.asks import DiagnoseAsk, ExplainAsk, InviteAsk, PanelAsk, ReplaceAsk, overrides_of
from api.jobs.work.telling import steady
from expert_pool import panels
from expert_pool.accounts.rights import Right
from expert_pool.policies.load import preset
from expert_pool.recorded import find_panel, opens_on, problem_of, version_of
from expert_pool.registry import Agenda, Committee, Expert, Meeting, PanelRecord
from expert_pool.runs import Attachment
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.replacing import Renewed
    from expert_pool.viewer import Viewer
    from solver.answer import Answer, RunLog, Saying


_PSEUDONYM = re.compile(r"P[A-Z2-7]{10}")
"""As `expert_pool.keys.Key.pseudonym` makes them."""


def request(job: Job) -> Result:
    """A panel for a meeting, on record."""
    viewer = job.viewer(Right.PANELS_REQUEST)
    if (done := job.already("panel.requested")) is not None:
        return Result(_on_record(job, viewer, done))
    ask = PanelAsk.model_validate(job.params["ask"])
    asked_on = date.fromisoformat(job.params["on"])
    policy = preset(ask.policy or panels.DEFAULT_POLICY, overrides_of(ask.overrides, viewer.actor, asked_on))
    decided = panels.request(
        job.store,
        viewer,
        committee=ask.committee,
        meeting=ask.meeting,
        policy=policy,
        seed=ask.seed,
        report=steady(job.report),
        limits=ask.limits(),
        locks=[choice.choice() for choice in ask.locks],
        exclusions=[choice.choice() for choice in ask.exclusions],
        cancelled=job.cancelled,
    )
    return Result(_told(decided.panel_code, decided.answer, decided.notes, decided.run_log))


def replace(job: Job) -> Result:
    """The least change to a panel that is legal again, as a new panel on record."""
    from expert_pool.replacing import replace_panel

    viewer = _opener(job)
    if (done := job.already("panel.replaced")) is not None:
        return Result(_on_record(job, viewer, done))
    ask = ReplaceAsk.model_validate(job.params["ask"])
    committee, meeting = _sitting(job, viewer)
    renewed = replace_panel(
        job.store,
        viewer,
        committee=committee,
        meeting=meeting,
        panel=job.params["panel"],
        absent=[choice.choice() for choice in ask.absent],
        chosen=[choice.choice() for choice in ask.take],
        freed=[choice.choice() for choice in ask.unlock],
        substitutes=ask.substitutes,
        limits=ask.limits(),
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    return Result(_renewed(job, viewer, renewed))


def invite(job: Job) -> Result:
    """The next step of a panel's invitations."""
    from expert_pool.replacing import invite as next_step
    from solver.forecast import forecast, rates_of

    viewer = _opener(job)
    for action in ("panel.replaced", "panel.invited", "panel.answered"):
        if (done := job.already(action)) is not None:
            return Result(_on_record(job, viewer, done))
    ask = InviteAsk.model_validate(job.params["ask"])
    committee, meeting = _sitting(job, viewer)
    renewed = next_step(
        job.store,
        viewer,
        committee=committee,
        meeting=meeting,
        panel=job.params["panel"],
        heard=[answer.heard() for answer in ask.answers],
        days=ask.days,
        limits=ask.limits(),
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    document = _renewed(job, viewer, renewed)
    if not document["sealed"] and renewed.answer.members and renewed.invitations:
        rates = rates_of(renewed.problem)
        expected = forecast(renewed.problem, renewed.answer, rates, renewed.invitations)
        document["forecast"] = None if renewed.invitations.seated else expected.model_dump(mode="json")
    return Result(document)


def explain(job: Job) -> Result:
    """Why an opened panel is as it is, with the people behind the pseudonyms."""
    from expert_pool.opened import explain_panel

    viewer = job.viewer(Right.PANELS_READ)
    ask = ExplainAsk.model_validate(job.params["ask"])
    said = explain_panel(
        job.store,
        viewer,
        job.params["panel"],
        experts=ask.experts,
        rules=ask.rules,
        exact=ask.exact,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    document = said.model_dump(mode="json")
    return Result({"explanation": document, "people": _people(job, document)})


def diagnose(job: Job) -> Result:
    """Why a meeting got no panel, and what would help."""
    from solver.diagnosis.diagnose import diagnose as ask_why

    viewer = job.viewer(Right.PANELS_READ)
    ask = DiagnoseAsk.model_validate(job.params["ask"])
    with job.store.reading() as session:
        problem = problem_of(session, viewer, job.params["panel"])
    said = ask_why(
        problem,
        sets=ask.sets,
        relaxations=ask.relaxations,
        seconds=ask.seconds,
        report=steady(job.report),
        cancelled=job.cancelled,
    )
    return Result({"diagnosis": said.model_dump(mode="json")})


def documents(job: Job) -> Result:
    """Every paper of a panel as files with a watermark; while it is sealed they name nobody."""
    from expert_pool.documents.papers import media_type
    from expert_pool.privacy.papers import print_papers, readable

    viewer = job.viewer(Right.PANELS_READ)
    panel = readable(job.store, viewer, job.params["panel"])
    printed = print_papers(
        job.store,
        viewer,
        panel,
        panel.papers,
        purpose=job.params["purpose"],
        serial=job.already("export.begun"),
        report=job.report,
        cancelled=job.cancelled,
    )
    files = [Attachment(name, content, media_type(name)) for name, content in printed.files.items()]
    told = {"panel": panel.code, "sealed": panel.sealed, "serial": printed.serial}
    return Result(told | {"files": list(printed.files)}, files)


def _opener(job: Job) -> Viewer:
    """Who works on a panel: the office once it is open, before that somebody who may open seals."""
    return job.viewer(Right.PANELS_UNSEAL if job.params["unseal"] else Right.PANELS_REQUEST)


def _sitting(job: Job, viewer: Viewer) -> tuple[str, str]:
    """The committee and meeting of the panel asked for, by code.

    Raises Fault `panels.panel_unknown`, `version.stale` where it changed since it was asked to be changed.
    """
    with job.store.reading() as session:
        panel = find_panel(session, viewer, job.params["panel"])
        if version_of(panel) != job.params["version"]:
            raise Fault("version.stale", panel.code)
        of = (
            select(Committee.code, Meeting.code)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Meeting, Meeting.agenda_id == Agenda.id)
            .where(Meeting.id == panel.meeting_id)
        )
        committee, meeting = session.execute(of).one()
    return committee, meeting


def _on_record(job: Job, viewer: Viewer, code: str) -> dict[str, Any]:
    """The result of an earlier attempt, as far as the record tells it."""
    with job.store.reading() as session:
        panel = find_panel(session, viewer, code)
        return _told(code, _answer_of(panel), (), None)


def _answer_of(panel: PanelRecord) -> Answer:
    from solver.answer import Answer

    return Answer.model_validate_json(panel.answer)


def _told(code: str, answer: Answer, notes: Collection[Saying], log: RunLog | None) -> dict[str, Any]:
    """What may be said of any panel, sealed or not."""
    return {
        "panel": code,
        "status": answer.status,
        "stopped_by": answer.stopped_by,
        "fileable": answer.fileable,
        "seats": len(answer.members),
        "goals": [goal.model_dump(mode="json") for goal in answer.goals],
        "notes": [note.model_dump(mode="json") for note in notes],
        "why_not": [saying.model_dump(mode="json") for saying in answer.why_not],
        "run_log": log.model_dump(mode="json") if log else None,
    }


def _renewed(job: Job, viewer: Viewer, renewed: Renewed) -> dict[str, Any]:
    """What came of a change to a panel; of people only where the panel is open."""
    from expert_pool import clock

    with job.store.reading() as session:
        opens = opens_on(session, find_panel(session, viewer, job.params["panel"]))
    sealed = opens is not None and clock.today() < opens
    document = {
        **_told(renewed.panel_code, renewed.answer, renewed.notes, None),
        "replaces": renewed.replaces,
        "sealed": sealed,
        "replacement": None,
        "invitations": None,
        "forecast": None,
        "people": {},
    }
    if sealed:
        return document
    if renewed.replacement is not None:
        document["replacement"] = renewed.replacement.model_dump(mode="json")
    if renewed.invitations is not None:
        document["invitations"] = renewed.invitations.model_dump(mode="json")
    document["people"] = _people(job, document)
    return document


def _people(job: Job, document: Any) -> dict[str, dict[str, str]]:
    """The codes and names behind every pseudonym in a document."""
    found = sorted(set(_pseudonyms(document)))
    people: dict[str, dict[str, str]] = {}
    with job.store.reading() as session:
        for some in (found[i : i + 500] for i in range(0, len(found), 500)):
            rows = session.execute(
                select(Expert.pseudonym, Expert.code, Expert.name).where(Expert.pseudonym.in_(some))
            )
            people |= {pseudonym: {"expert": code, "name": name} for pseudonym, code, name in rows}
    return people


def _pseudonyms(document: Any) -> Iterator[str]:
    if isinstance(document, str) and _PSEUDONYM.fullmatch(document):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from _pseudonyms(key)
            yield from _pseudonyms(value)
    elif isinstance(document, list):
        for value in document:
            yield from _pseudonyms(value)
