"""The office's main job: ask for a panel, look at it, approve it, have its documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit, exit_of
from api.cli.face import Face
from api.cli.interrupt import interruptible
from api.cli.papers import write_papers
from api.cli.progress import progress

if TYPE_CHECKING:
    from expert_pool.panels import Shown
    from solver.answer import Saying
    from solver.problem import Limits, Problem

Code = Annotated[str, typer.Argument()]
OpenSeals = Annotated[bool, typer.Option("--open-seals")]


def request(
    context: typer.Context,
    committee: Annotated[str, typer.Argument()],
    meeting: Annotated[str, typer.Argument()],
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY")] = None,
    override: Annotated[list[str] | None, typer.Option("--override", metavar="NAME=VALUE")] = None,
    why: Annotated[list[str] | None, typer.Option("--why", metavar="TEXT")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0)] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64)] = None,
    open_seals: OpenSeals = False,
) -> Exit:
    """Assemble and record the panel of a meeting."""
    from api.cli.commands.policy import overrides_of
    from expert_pool import clock, panels
    from expert_pool.policies.load import load

    face = Face.of(context)
    overrides = overrides_of(override or [], why or [], face.actor, clock.today())
    rules = load(policy or panels.DEFAULT_POLICY, overrides)
    viewer = face.viewer(opens_seals=open_seals)
    with face.store() as store, progress(face) as report:
        decided = interruptible(
            lambda cancelled: panels.request(
                store,
                viewer,
                committee=committee,
                meeting=meeting,
                policy=rules,
                seed=seed,
                report=report,
                limits=limits_of(seconds, workers),
                cancelled=cancelled,
            )
        )
        shown = panels.show(store, viewer, decided.panel_code)
    _print(face, shown, decided.problem, decided.notes)
    return exit_of(decided.answer)


def show(
    context: typer.Context,
    code: Code,
    reasons: Annotated[bool, typer.Option("--reasons")] = False,
    open_seals: OpenSeals = False,
) -> Exit:
    """A recorded panel, as far as it may be seen."""
    shown, problem = _look(Face.of(context), code, open_seals)
    _print(Face.of(context), shown, problem, reasons=reasons)
    return Exit.OK


def approve(
    context: typer.Context,
    code: Code,
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY")] = None,
) -> Exit:
    """Give a panel force."""
    from expert_pool import panels
    from expert_pool.policies.load import load

    face = Face.of(context)
    with face.store() as store:
        panels.approve(store, face.viewer(), code, policy=load(policy) if policy else None)
    document = {"panel": code, "state": "approved", "by": face.actor}
    face.answer(document, face.say("cli.panel.approved", panel=code, by=face.actor))
    return Exit.OK


def document(
    context: typer.Context,
    code: Code,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")],
    open_seals: OpenSeals = False,
) -> Exit:
    """Write the panel's documents in both languages."""
    face = Face.of(context)
    shown, problem = _look(face, code, open_seals)
    with progress(face) as report:
        files = write_papers(shown.answer, shown.names, problem, out, report)
    written = [str(path) for path in files]
    face.answer({"panel": code, "sealed": shown.sealed, "files": written}, *written)
    return Exit.OK


def _look(face: Face, code: str, open_seals: bool) -> "tuple[Shown, Problem]":
    from expert_pool import panels
    from expert_pool.recorded import problem_of

    viewer = face.viewer(opens_seals=open_seals)
    with face.store() as store:
        shown = panels.show(store, viewer, code)
        with store.reading() as session:
            problem = problem_of(session, viewer, code)
    return shown, problem


def limits_of(seconds: float | None, workers: int | None) -> "Limits | None":
    """The limits typed; None where the usual ones hold."""
    from solver.problem import Limits

    if seconds is None and workers is None:
        return None
    usual = Limits()
    return Limits(
        seconds=usual.seconds if seconds is None else seconds,
        gap=usual.gap,
        workers=usual.workers if workers is None else workers,
    )


def _print(
    face: Face, shown: "Shown", problem: "Problem", notes: "tuple[Saying, ...]" = (), *, reasons: bool = False
) -> None:
    said = [face.say(note.code, **note.params) for note in notes]
    state = face.say("cli.panel.state", panel=shown.panel_code, state=str(shown.state))
    head = [state]
    if shown.sealed:
        head.append(face.say("cli.panel.sealed", on=shown.open_on.isoformat() if shown.open_on else None))
    document: dict[str, Any] = {
        "panel": shown.panel_code,
        "state": str(shown.state),
        "fileable": shown.fileable,
        "sealed": shown.sealed,
        "open_on": shown.open_on,
        "requested_at": shown.requested_at,
        "requested_by": shown.requested_by,
        "approved_at": shown.approved_at,
        "approved_by": shown.approved_by,
        "notes": said,
        "names": {pseudonym: person.name for pseudonym, person in shown.names.items()},
        "answer": shown.answer.model_dump(mode="json"),
    }
    if face.json:
        face.answer(document)
        return
    from expert_pool.documents import panel_text

    text = panel_text(shown.answer, shown.names, face.lang, problem, reasons=reasons)
    face.answer(document, text, *said, *head)
