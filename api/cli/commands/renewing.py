"""Replace members of a recorded panel, and keep its invitations."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.commands.inviting import forecast_told, invitations_told
from api.cli.commands.replacing import exit_of_replacement, further, listed, told
from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.interrupt import interruptible
from api.cli.progress import progress

if TYPE_CHECKING:
    from expert_pool.policies.policy import Policy
    from expert_pool.replacing import Renewed

PolicyName = Annotated[str | None, typer.Option("--policy", metavar="POLICY")]
Overrides = Annotated[list[str] | None, typer.Option("--override", metavar="NAME=VALUE")]
Why = Annotated[list[str] | None, typer.Option("--why", metavar="TEXT")]
PanelCode = Annotated[str | None, typer.Option("--panel", metavar="CODE")]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)]
OpenSeals = Annotated[bool, typer.Option("--open-seals")]


def replace(
    context: typer.Context,
    committee: Annotated[str, typer.Argument()],
    meeting: Annotated[str, typer.Argument()],
    absent: Annotated[list[str], typer.Option("--absent", metavar="CODE")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")],
    more: Annotated[list[str] | None, typer.Argument(metavar="[CODE]...")] = None,
    take: Annotated[list[str] | None, typer.Option("--take", metavar="CODE[:GROUP]")] = None,
    unlock: Annotated[list[str] | None, typer.Option("--unlock", metavar="CODE")] = None,
    substitutes: Annotated[int, typer.Option("--substitutes", min=0, max=100)] = 3,
    panel: PanelCode = None,
    policy: PolicyName = None,
    override: Overrides = None,
    why: Why = None,
    seconds: Seconds = None,
    open_seals: OpenSeals = False,
) -> Exit:
    """The least change to a recorded panel that is legal again, as a new record."""
    from api.cli.commands.panel import limits_of
    from expert_pool.replacing import replace_panel
    from expert_pool.snapshots import Choice

    face = Face.of(context)
    rules = _policy(face, policy, override, why)
    chosen = [
        Choice(code, reason, group or None)
        for code, _, group in (word.partition(":") for word in listed(take))
    ]
    with face.store() as store, progress(face) as report:
        done = interruptible(
            lambda cancelled: replace_panel(
                store,
                face.viewer(opens_seals=open_seals),
                committee=committee,
                meeting=meeting,
                absent=[Choice(code, reason) for code in listed(further(absent, more))],
                chosen=chosen,
                freed=[Choice(code, reason) for code in listed(unlock)],
                panel=panel,
                policy=rules,
                substitutes=substitutes,
                limits=limits_of(seconds, None),
                report=report,
                cancelled=cancelled,
            )
        )
    _answer(face, done, {})
    return exit_of_replacement(done.replacement) if done.replacement else Exit.OK


def invite(
    context: typer.Context,
    committee: Annotated[str, typer.Argument()],
    meeting: Annotated[str, typer.Argument()],
    accepted: Annotated[list[str] | None, typer.Option("--accepted", metavar="CODE")] = None,
    declined: Annotated[list[str] | None, typer.Option("--declined", metavar="CODE")] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365)] = 5,
    panel: PanelCode = None,
    policy: PolicyName = None,
    override: Overrides = None,
    why: Why = None,
    seconds: Seconds = None,
    open_seals: OpenSeals = False,
) -> Exit:
    """Begin the invitations of a recorded panel, take in answers, replace who declined."""
    from api.cli.commands.panel import limits_of
    from expert_pool.replacing import invite as next_step
    from solver.forecast import forecast, rates_of
    from solver.invitations import Heard

    face = Face.of(context)
    rules = _policy(face, policy, override, why)
    heard = [Heard(code, True) for code in listed(accepted)]
    heard += [Heard(code, False, reason) for code in listed(declined)]
    with face.store() as store, progress(face) as report:
        done = interruptible(
            lambda cancelled: next_step(
                store,
                face.viewer(opens_seals=open_seals),
                committee=committee,
                meeting=meeting,
                heard=heard,
                days=days,
                panel=panel,
                policy=rules,
                limits=limits_of(seconds, None),
                report=report,
                cancelled=cancelled,
            )
        )
    expected = None
    if done.answer.members and done.invitations and not done.invitations.seated:
        expected = forecast(done.problem, done.answer, rates_of(done.problem), done.invitations)
    lines = []
    if done.invitations is not None:
        names = {pseudonym: person.name for pseudonym, person in done.names.items()}
        lines += ["", *invitations_told(face, done.invitations, done.problem, names)]
    if expected is not None:
        lines += ["", *forecast_told(face, expected, done.problem)]
    document = {"forecast": expected.model_dump(mode="json") if expected else None}
    _answer(face, done, document, *lines)
    return exit_of_replacement(done.replacement) if done.replacement else Exit.OK


def _policy(
    face: Face, name: str | None, override: list[str] | None, why: list[str] | None
) -> "Policy | None":
    """The policy asked for; None: the preset that the panel names."""
    from api.cli.commands.policy import overrides_of
    from expert_pool import clock
    from expert_pool.panels import DEFAULT_POLICY
    from expert_pool.policies.load import load

    if name is None and not override:
        return None
    return load(name or DEFAULT_POLICY, overrides_of(override or [], why or [], face.actor, clock.today()))


def _answer(face: Face, done: "Renewed", more: dict[str, Any], *lines: str) -> None:
    said = [face.say(note.code, **note.params) for note in done.notes]
    names = {pseudonym: person.name for pseudonym, person in done.names.items()}
    document = {
        "panel": done.panel_code,
        "replaces": done.replaces,
        "notes": said,
        "names": names,
        "replacement": done.replacement.model_dump(mode="json") if done.replacement else None,
        "invitations": done.invitations.model_dump(mode="json") if done.invitations else None,
        **more,
    }
    if face.json:
        face.answer(document)
        return
    shown: list[Any] = []
    if done.replacement is not None:
        from expert_pool.documents import panel_text

        shown = [panel_text(done.answer, done.names, face.lang, done.problem), *said]
        shown += told(face, done.replacement, done.problem, names)
    code = "cli.panel.replaced" if done.replaces else "cli.panel.stays"
    face.answer(None, *shown, *lines, "", face.say(code, panel=done.panel_code, old=done.replaces))
