"""A cycle of re-evaluation, step by step: each step may be repeated, and goes on where it was stopped."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.commands.cycle_text import case_told, cycle_told, document_of, rows_of_cases, rows_of_cycles
from api.cli.commands.reevaluating import (
    DEFAULT_SCHEME,
    AsOf,
    Policy,
    Replications,
    SchemeName,
    Seed,
    as_of_day,
    folder_for,
)
from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import read_bytes, write_bytes
from api.cli.interrupt import Cancelled, interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from expert_pool.reevaluation.cycle import CaseView
    from expert_pool.reevaluation.cycle.carrying import Carried
    from expert_pool.reevaluation.scheme import Measure
    from expert_pool.registry import CaseState
    from expert_pool.runs import Attachment
    from expert_pool.store import Store
    from expert_pool.viewer import Viewer

Code = Annotated[str, typer.Argument(metavar="CYCLE")]
Expert = Annotated[str, typer.Argument(metavar="EXPERT")]
Text = Annotated[str, typer.Option("--text", metavar="TEXT")]
EvidenceFiles = Annotated[list[Path] | None, typer.Option("--evidence", metavar="FILE")]
MeasureName = Annotated[str | None, typer.Option("--measure", metavar="keep|lower|retrain|suspend|exit|ban")]
Months = Annotated[int | None, typer.Option("--months", min=1, max=1200)]
Refuse = Annotated[str | None, typer.Option("--refuse", metavar="TEXT")]


def open_(
    context: typer.Context,
    pool: Annotated[str, typer.Argument(metavar="POOL")],
    as_of: AsOf = None,
    scheme: SchemeName = DEFAULT_SCHEME,
    policy: Policy = None,
) -> Exit:
    """Open a cycle for a pool. The same question again names the same cycle."""
    from expert_pool.reevaluation import cycle
    from expert_pool.reevaluation.appraising import POLICY
    from expert_pool.reevaluation.scheme import load_scheme

    face = Face.of(context)
    on, rules = as_of_day(as_of), load_scheme(scheme)
    with face.store() as store:
        with store.session() as session:
            code = cycle.open_(session, face.viewer(), pool, rules, on, policy=policy or POLICY)
        return _shown(face, store, code)


def compute(context: typer.Context, code: Code, replications: Replications = 0, seed: Seed = 0) -> Exit:
    """Appraise the pool and keep a case for everybody for whom something is proposed."""
    from expert_pool.reevaluation.evaluating import compute_cycle

    face = Face.of(context)
    with face.store() as store, progress(face) as report:
        try:
            interruptible(
                lambda cancelled: compute_cycle(
                    store,
                    face.viewer(),
                    code,
                    replications=replications,
                    seed=seed,
                    report=report,
                    cancelled=cancelled,
                )
            )
        except Fault as fault:
            if fault.code != "runs.cancelled":
                raise
            return Exit.INTERRUPTED
        return _shown(face, store, code)


def notify(context: typer.Context, code: Code) -> Exit:
    """Tell everybody what is proposed and until when they may answer."""
    return _carry(Face.of(context), code, "notify")


def execute(context: typer.Context, code: Code) -> Exit:
    """Write what was decided by two people as records, and the letters of decision."""
    return _carry(Face.of(context), code, "execute")


def amend(
    context: typer.Context,
    code: Code,
    expert: Expert,
    measure: Annotated[str, typer.Option("--measure", metavar="lower|retrain|suspend|exit|ban")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")],
    months: Months = None,
) -> Exit:
    """Propose something else than was computed; the expert is told anew."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    chosen = measure_named(measure)
    assert chosen is not None
    with face.store() as store:
        with store.session() as session:
            cycle.amend(session, face.viewer(), code, expert, chosen, months, reason)
        return _case(face, store, code, expert)


def reply(
    context: typer.Context,
    code: Code,
    expert: Expert,
    text: Text,
    evidence: EvidenceFiles = None,
    last: Annotated[bool, typer.Option("--last")] = False,
) -> Exit:
    """Put down what an expert answered on paper; online, experts answer by themselves."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    files = attachments(evidence or [])
    with face.store() as store:
        with store.session() as session:
            cycle.reply(session, face.viewer(), store.key, code, expert, text, evidence=files, last=last)
        return _case(face, store, code, expert)


def decide(
    context: typer.Context,
    code: Code,
    experts: Annotated[list[str] | None, typer.Argument(metavar="[EXPERT]...")] = None,
    measure: MeasureName = None,
    months: Months = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")] = "",
    unanswered: Annotated[bool, typer.Option("--unanswered")] = False,
) -> Exit:
    """Decide as the first person: as proposed, or otherwise with a reason; or all who did not answer in time."""
    from expert_pool.reevaluation import cycle
    from expert_pool.reevaluation.cycle import Deciding

    face = Face.of(context)
    named = experts or []
    if bool(named) == unanswered:
        raise Fault("cli.cycle.whom", "EXPERT, --unanswered")
    if unanswered:
        return _carry(face, code, "decide")
    chosen = measure_named(measure)
    with face.store() as store:
        with store.session() as session:
            wanted = [Deciding(one, chosen, months, reason) for one in named]
            step = cycle.decide(session, face.viewer(), code, wanted)
        return _shown(face, store, code, "decide", step.done)


def confirm(
    context: typer.Context,
    code: Code,
    experts: Annotated[list[str] | None, typer.Argument(metavar="[EXPERT]...")] = None,
    refuse: Refuse = None,
) -> Exit:
    """Confirm, as a second person, what the first one decided; or refuse it with a reason."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    if not experts and refuse is None:
        return _carry(face, code, "confirm")
    with face.store() as store:
        done, left = 0, 1
        while left:
            with store.session() as session:
                step = cycle.confirm(session, face.viewer(), code, experts or None, refuse=refuse)
            done += step.done
            left = step.left if not experts and step.done else 0
        return _shown(face, store, code, "refuse" if refuse else "confirm", done)


def letters(
    context: typer.Context,
    code: Code,
    experts: Annotated[list[str] | None, typer.Argument(metavar="[EXPERT]...")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR")] = Path("letters"),
    kind: Annotated[str | None, typer.Option("--kind", metavar="proposal|decision|appeal")] = None,
) -> Exit:
    """Write the letters of a cycle that are due as documents, in both languages."""
    from expert_pool.reevaluation.cycle import KINDS
    from expert_pool.reevaluation.letter_files import letter_files

    face = Face.of(context)
    chosen = next((one for one in KINDS if one == kind), None)
    if kind is not None and chosen is None:
        raise Fault("cli.cycle.letter_kind", "--kind", given=kind, known=list(KINDS))
    folder_for(out)
    with face.store() as store, progress(face) as report:
        made = letter_files(store, face.viewer(), code, experts or None, kind=chosen, report=report)
        written = [str(write_bytes(out / one.name, one.content)) for one in made]
    said = face.say("cli.cycle.letters", count=len(written), where=str(out))
    face.answer({"cycle": code, "files": written}, said)
    return Exit.OK


def appeal(
    context: typer.Context, code: Code, expert: Expert, text: Text, evidence: EvidenceFiles = None
) -> Exit:
    """Put down an expert's appeal against what was decided."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    files = attachments(evidence or [])
    with face.store() as store:
        with store.session() as session:
            cycle.appeal(session, face.viewer(), store.key, code, expert, text, evidence=files)
        return _case(face, store, code, expert)


def decide_appeal(
    context: typer.Context,
    code: Code,
    expert: Expert,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")],
    measure: MeasureName = None,
    months: Months = None,
) -> Exit:
    """Decide an appeal as the first person: it stands (no measure), is lighter, or is overturned (keep)."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    chosen = measure_named(measure)
    with face.store() as store:
        with store.session() as session:
            cycle.decide_appeal(session, face.viewer(), code, expert, chosen, months, reason=reason)
        return _case(face, store, code, expert)


def confirm_appeal(context: typer.Context, code: Code, expert: Expert, refuse: Refuse = None) -> Exit:
    """Confirm, as a second person, the decision on an appeal; then its records are corrected."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    with face.store() as store:
        with store.session() as session:
            cycle.confirm_appeal(session, face.viewer(), store.key, code, expert, refuse=refuse)
        return _case(face, store, code, expert)


def close(context: typer.Context, code: Code) -> Exit:
    """End a cycle in which nothing is left to do."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    with face.store() as store:
        with store.session() as session:
            cycle.close(session, face.viewer(), code)
        return _shown(face, store, code)


def drop(
    context: typer.Context, code: Code, reason: Annotated[str, typer.Option("--reason", metavar="TEXT")]
) -> Exit:
    """End a cycle of which nobody was told yet."""
    from expert_pool.reevaluation import cycle

    face = Face.of(context)
    with face.store() as store:
        with store.session() as session:
            cycle.drop(session, face.viewer(), code, reason)
        return _shown(face, store, code)


def show(
    context: typer.Context,
    code: Code,
    expert: Annotated[str | None, typer.Argument(metavar="[EXPERT]")] = None,
    state: Annotated[str | None, typer.Option("--state", metavar="STATE")] = None,
    measure: MeasureName = None,
    verify: Annotated[bool, typer.Option("--verify")] = False,
) -> Exit:
    """A cycle and its cases, or one case with everything said and decided."""
    from expert_pool.reevaluation import cycle
    from expert_pool.registry import CaseState

    face = Face.of(context)
    states = [str(one) for one in CaseState]
    if state is not None and state not in states:
        raise Fault("cli.cycle.state", "--state", given=state, known=states)
    chosen = measure_named(measure)
    with face.store() as store:
        if expert:
            return _case(face, store, code, expert)
        with store.reading() as session:
            viewer = face.viewer()
            found = cycle.show(session, viewer, code)
            same = cycle.same(session, viewer, code) if verify and found.known_at else None
            cases = list(_every_case(session, viewer, code, CaseState(state) if state else None, chosen))
    document = document_of(found) | {"same": same, "listed": [document_of(one) for one in cases]}
    face.answer(document, *cycle_told(face, found, same), *rows_of_cases(face, cases))
    return Exit.FOUND if same is False else Exit.OK


def list_(
    context: typer.Context,
    pool: Annotated[str | None, typer.Option("--pool", metavar="CODE")] = None,
    state: Annotated[str | None, typer.Option("--state", metavar="STATE")] = None,
) -> Exit:
    """The cycles there are, the newest first."""
    from expert_pool.reevaluation import cycle
    from expert_pool.registry import CycleState

    face = Face.of(context)
    states = [str(one) for one in CycleState]
    if state is not None and state not in states:
        raise Fault("cli.cycle.state", "--state", given=state, known=states)
    with face.store() as store, store.reading() as session:
        found = cycle.list_(session, face.viewer(), pool=pool, state=CycleState(state) if state else None)
    face.answer({"cycles": [document_of(one) for one in found]}, *rows_of_cycles(face, found))
    return Exit.OK


def measure_named(name: str | None) -> "Measure | None":
    """The measure a user names. Raises Fault `cli.cycle.measure`."""
    from expert_pool.reevaluation.scheme import MEASURES, Measure

    known = [str(one) for one in MEASURES]
    if name is None:
        return None
    if name not in known:
        raise Fault("cli.cycle.measure", "--measure", given=name, known=known)
    return Measure(name)


def attachments(paths: Sequence[Path]) -> "list[Attachment]":
    """Files as evidence. Raises Fault `cli.unreadable`."""
    from mimetypes import guess_type

    from expert_pool.runs import Attachment

    return [
        Attachment(path.name, read_bytes(path), guess_type(path.name)[0] or "application/octet-stream")
        for path in paths
    ]


def _every_case(
    session: "Session", viewer: "Viewer", code: str, state: "CaseState | None", measure: "Measure | None"
) -> "Iterator[CaseView]":
    """The cases of a cycle, in the order of the experts."""
    from expert_pool.reevaluation import cycle

    after = ""
    while batch := cycle.cases(session, viewer, code, state=state, measure=measure, after=after):
        yield from batch
        after = batch[-1].expert


def _carry(face: Face, code: str, step: "Carried") -> Exit:
    """All batches of a step; Ctrl-C stops between two of them, and the step goes on when it is asked for again."""
    from expert_pool.reevaluation import cycle

    with face.store() as store, progress(face) as report:

        def work(cancelled: Cancelled) -> tuple[int, bool]:
            done, _ = cycle.carry(store, face.viewer(), code, step, report=report, cancelled=cancelled)
            return done, cancelled()

        done, stopped = interruptible(work)
        ended = _shown(face, store, code, step, done)
    return Exit.INTERRUPTED if stopped else ended


def _shown(face: Face, store: "Store", code: str, step: str | None = None, done: int = 0) -> Exit:
    from expert_pool.reevaluation import cycle

    with store.reading() as session:
        found = cycle.show(session, face.viewer(), code)
    said = [face.say(f"cli.cycle.step.{step}", done=done)] if step else []
    face.answer(document_of(found) | ({"done": done} if step else {}), *said, *cycle_told(face, found))
    return Exit.OK


def _case(face: Face, store: "Store", code: str, expert: str) -> Exit:
    from expert_pool.reevaluation import cycle

    with store.reading() as session:
        found = cycle.case(session, face.viewer(), code, expert)
    face.answer(document_of(found), *case_told(face, found))
    return Exit.OK
