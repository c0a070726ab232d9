"""Re-evaluation in the background: cycles carried step by step, pools pictured, reports written."""

from __future__ import annotations

from datetime import date
from typing import Any

from api.http.cycle_shapes import cycle_document
from api.jobs.job import Job, Result
from expert_pool import clock
from expert_pool.accounts.rights import Right
from expert_pool.reevaluation import cycle as cycles
from expert_pool.reevaluation.cycle.carrying import ACTIONS, Carried, moved
from expert_pool.reevaluation.scheme_told import scheme_preset
from expert_pool.runs import Attachment
from expert_pool.viewer import Viewer
from solver.errors import Fault

MOST_MOVES = 2000
"""So many experts whose measure changes are told in an answer."""
_OTHERS = frozenset({"cycle.second_person_missing", "cycle.same_person"})
"""What a step says where only others can go on."""


def compute(job: Job) -> Result:
    """A cycle computed; one that was computed already stays as it is."""
    from expert_pool.reevaluation.evaluating import compute_cycle

    viewer, code = job.viewer(Right.CYCLES_PREPARE), job.params["cycle"]
    compute_cycle(
        job.store,
        viewer,
        code,
        replications=job.params["replications"],
        seed=job.params["seed"],
        report=job.report,
        cancelled=job.cancelled,
    )
    with job.store.reading() as session:
        return Result(cycle_document(cycles.show(session, viewer, code)).model_dump(mode="json"))


def verify(job: Job) -> Result:
    """Whether a cycle computed again gives what it gave."""
    with job.store.reading() as session:
        return Result({"same": cycles.same(session, job.viewer(Right.EXPERTS_READ), job.params["cycle"])})


def notify(job: Job) -> Result:
    """Everybody told who was not."""
    return _carried(job, "notify", Right.CYCLES_PREPARE)


def decide(job: Job) -> Result:
    """Decided as proposed, all who said nothing in time."""
    return _carried(job, "decide", Right.CYCLES_DECIDE)


def execute(job: Job) -> Result:
    """What two people decided, as records."""
    return _carried(job, "execute", Right.CYCLES_PREPARE)


def confirm(job: Job) -> Result:
    """The second person's word: of some experts, or of all that wait."""
    viewer, code = job.viewer(Right.CYCLES_DECIDE), job.params["cycle"]
    experts, refuse = job.params["experts"], job.params["refuse"]
    if experts is None and refuse is None:
        return _carried(job, "confirm", Right.CYCLES_DECIDE)
    done = _moved_before(job, viewer, "cycle.confirmed" if refuse is None else "cycle.refused")
    while not job.cancelled():
        try:
            with job.store.session() as session:
                step = cycles.confirm(session, viewer, code, experts, refuse=refuse)
        except Fault as fault:
            if _done_before(job, fault):
                break
            raise
        done += step.done
        if experts is not None or not step.done or not step.left:
            break
    with job.store.reading() as session:
        return _stepped(done, cycles.show(session, viewer, code))


def letters(job: Job) -> Result:
    """The letters of a cycle that are due, as one archive with a watermark."""
    from expert_pool.reevaluation.letter_files import letters_marked

    viewer, code = job.viewer(Right.EXPERTS_EXPORT), job.params["cycle"]
    made = letters_marked(
        job.store,
        viewer,
        code,
        purpose=job.params["purpose"],
        kind=job.params["kind"],
        serial=job.already("export.begun"),
        report=job.report,
        cancelled=job.cancelled,
    )
    file = Attachment(f"{code}.letters.zip", made.content, "application/zip")
    return Result({"letters": made.letters, "serial": made.serial, "file": file.name}, [file])


def report(job: Job) -> Result:
    """A pool appraised on a day, with the report in every language, marked. Changes nothing."""
    from expert_pool.reevaluation.report_files import report_marked

    made = report_marked(
        job.store,
        job.viewer(Right.EXPERTS_EXPORT),
        job.params["pool"],
        scheme_preset(job.params["scheme"]),
        _day(job),
        against=scheme_preset(job.params["against"]) if job.params["against"] else None,
        purpose=job.params["purpose"],
        lang=job.params["lang"],
        replications=job.params["replications"],
        seed=job.params["seed"],
        serial=job.already("export.begun"),
        report=job.report,
        cancelled=job.cancelled,
    )
    files = [Attachment(file.name, file.content, file.media_type) for file in made.files]
    appraisal = made.evaluation.appraisal
    return Result(
        {
            "pool": appraisal.pool,
            "as_of": appraisal.as_of.isoformat(),
            "scheme": appraisal.scheme.doc.id,
            "experts": len(appraisal),
            "counts": appraisal.counts(),
            "flags": len(made.evaluation.measured.flags) if made.evaluation.measured else None,
            "failures": len(made.evaluation.failures.found),
            "serial": made.serial,
            "files": [file.name for file in files],
        },
        files,
    )


def health(job: Job) -> Result:
    """The health of a pool on a day."""
    from expert_pool.reevaluation.appraising import find_pool
    from expert_pool.reevaluation.health.picture import picture

    viewer = job.viewer(Right.EXPERTS_READ)
    with job.store.reading() as session:
        pool = find_pool(session, viewer, job.params["pool"])
        found = picture(session, viewer, pool.id, _day(job), report=job.report, cancelled=job.cancelled)
    return Result(found.model_dump(mode="json"))


def measured(job: Job) -> Result:
    """What the scores of a pool's committees say of its raters."""
    from expert_pool.reevaluation.evaluating import gather

    given = gather(
        job.store,
        job.viewer(Right.EXPERTS_READ),
        job.params["pool"],
        scheme_preset(job.params["scheme"]),
        _day(job),
        replications=job.params["replications"],
        seed=job.params["seed"],
        report=job.report,
        cancelled=job.cancelled,
    )
    return Result({"measurement": given.measured.document() if given.measured else None})


def compare(job: Job) -> Result:
    """Two schemes on the same pool and day."""
    from expert_pool.reevaluation.comparing import compare as compared

    viewer = job.viewer(Right.EXPERTS_READ)
    first, second = (scheme_preset(job.params[name]) for name in ("first", "second"))
    with job.store.reading() as session:
        found = compared(session, viewer, job.params["pool"], first, second, _day(job))
    return Result(found.document(MOST_MOVES))


def recusals(job: Job) -> Result:
    """Failures to recuse of a pool's experts."""
    from expert_pool.reevaluation.evaluating import members_of
    from expert_pool.reevaluation.recusals import failures

    viewer = job.viewer(Right.EXPERTS_READ)
    since, until = (date.fromisoformat(job.params[name]) for name in ("since", "until"))
    with job.store.reading() as session:
        people = members_of(session, viewer, job.params["pool"])
        found = failures(session, viewer, people, since, until, clock.now())
    return Result(found.document())


def _carried(job: Job, step: Carried, right: Right) -> Result:
    viewer, code = job.viewer(right), job.params["cycle"]
    before = _moved_before(job, viewer, ACTIONS[step])
    try:
        done, view = cycles.carry(job.store, viewer, code, step, report=job.report, cancelled=job.cancelled)
    except Fault as fault:
        if not _done_before(job, fault):
            raise
        with job.store.reading() as session:
            done, view = 0, cycles.show(session, viewer, code)
    return _stepped(before + done, view)


def _moved_before(job: Job, viewer: Viewer, action: str) -> int:
    """How many cases earlier attempts of this run moved, whose workers were lost."""
    batches = sum(one.action == action for one in job.decided)
    if not batches:
        return 0
    with job.store.reading() as session:
        return moved(session, viewer, job.params["cycle"], action, batches)


def _done_before(job: Job, fault: Fault) -> bool:
    """Whether an attempt whose worker was lost had done all there was, so that only what waits for others is left."""
    return bool(job.decided) and fault.code in _OTHERS


def _stepped(done: int, view: cycles.CycleView) -> Result:
    return Result({"done": done, "cycle": cycle_document(view).model_dump(mode="json")})


def _day(job: Job) -> date:
    asked: Any = job.params.get("as_of")
    return date.fromisoformat(asked) if asked else clock.today()
