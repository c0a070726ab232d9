"""Invitation rounds from files, and what to expect of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.commands.replacing import exit_of_replacement, listed, told
from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import day_of, read_bytes, writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress

if TYPE_CHECKING:
    from solver.forecast import Forecast
    from solver.invitations import Invitations
    from solver.problem import Problem


def invite(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
    state: Annotated[Path | None, typer.Option("--state", metavar="STATE.json")] = None,
    accepted: Annotated[list[str] | None, typer.Option("--accepted", metavar="ID")] = None,
    declined: Annotated[list[str] | None, typer.Option("--declined", metavar="ID")] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365)] = 5,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE")] = None,
    only_forecast: Annotated[bool, typer.Option("--forecast")] = False,
    rate: Annotated[int, typer.Option("--rate", min=0, max=100)] = 20,
    rate_fact: Annotated[str | None, typer.Option("--rate-fact", metavar="FACT")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PANEL.json")] = None,
    save_problem: Annotated[Path | None, typer.Option("--save-problem", metavar="PROBLEM.json")] = None,
) -> Exit:
    """Take in answers, replace who declined, say whom to invite and how many rounds to expect."""
    from expert_pool import clock
    from solver.check import read_answer
    from solver.document import read_problem, write_problem
    from solver.forecast import FACT, forecast, rates_of
    from solver.invitations import Heard, next_round, read_invitations

    face = Face.of(context)
    for path in (state, output, save_problem):
        writable(path)
    asked, answer = read_problem(problem), read_answer(read_bytes(panel), str(panel))
    so_far = None
    if state is not None and state.exists():
        so_far = read_invitations(read_bytes(state), str(state))
    rates = rates_of(asked, fact=rate_fact or FACT, default=rate)
    if only_forecast:
        expected = forecast(asked, answer, rates, so_far)
        face.answer(expected.model_dump(mode="json"), *forecast_told(face, expected, asked))
        return Exit.OK
    heard = [Heard(e, True) for e in listed(accepted)] + [Heard(e, False, why) for e in listed(declined)]
    day = clock.today() if on is None else day_of(on, "--on")
    with progress(face) as report:
        round_ = interruptible(
            lambda cancelled: next_round(
                asked,
                answer,
                so_far,
                heard,
                on=day,
                by=face.actor,
                days=days,
                seconds=seconds,
                report=report,
                cancelled=cancelled,
            )
        )
    found = round_.replaced.document if round_.replaced else None
    expected_then = None
    if round_.answer.members:
        expected_then = forecast(asked, round_.answer, rates, round_.state)
    if state is not None:
        write_json(state, round_.state.model_dump(mode="json"))
    if output is not None:
        write_json(output, round_.answer.model_dump(mode="json"))
    if save_problem is not None:
        write_problem(round_.replaced.problem if round_.replaced else asked, save_problem)
    document = {
        "invitations": round_.state.model_dump(mode="json"),
        "panel": round_.answer.model_dump(mode="json"),
        "replacement": found.model_dump(mode="json") if found else None,
        "forecast": expected_then.model_dump(mode="json") if expected_then else None,
    }
    lines: list[Any] = []
    if round_.replaced is not None and found is not None and not face.json:
        from expert_pool.documents import panel_text, people_in

        seated = [*(m.expert for m in found.answer.members), *(a.expert for a in found.answer.alternates)]
        lines += [panel_text(found.answer, people_in(asked, seated), face.lang, round_.replaced.problem)]
        lines += [*told(face, found, asked), ""]
    lines += invitations_told(face, round_.state, asked)
    if expected_then is not None and not round_.state.seated:
        lines += ["", *forecast_told(face, expected_then, asked)]
    face.answer(document, *lines)
    return exit_of_replacement(found) if found else Exit.OK


def invitations_told(
    face: Face, state: "Invitations", problem: "Problem", names: Mapping[str, str] | None = None
) -> list[str]:
    """How the invitations stand: whom to ask now, and the answers; `names` for the pseudonyms."""
    groups = {group.id: group.name for group in problem.groups}
    latest = {invited.expert: invited for invited in state.people}
    count = {name: len(state.who(name)) for name in ("invited", "accepted", "declined", "no_answer")}
    lines = [
        face.say("cli.invite.seated" if state.seated else "cli.invite.round", round=state.round, **count)
    ]
    for invited in latest.values():
        if invited.state == "invited":
            who = (names or {}).get(invited.expert, invited.expert)
            until = invited.until.isoformat()
            asked = {"expert": who, "group": groups[invited.group], "waits": invited.waits, "until": until}
            lines += ["  " + face.say("cli.invite.asked", round=invited.round, **asked)]
    return lines


def forecast_told(face: Face, expected: "Forecast", problem: "Problem") -> list[str]:
    """A forecast for people."""
    groups = {group.id: group.name for group in problem.groups}
    within = [f"{chance:.1%}" for chance in expected.within[:4]]
    lines = [
        face.say("cli.invite.expected", rounds=expected.rounds, dry=f"{expected.dry:.2%}"),
        face.say("cli.invite.within", within=within),
    ]
    lines += [
        "  "
        + face.say(
            "cli.invite.group",
            group=groups[group.group],
            open=group.open,
            pool=group.pool,
            mean=f"{group.mean:.0%}",
            dry=f"{group.dry:.2%}",
        )
        for group in expected.groups
    ]
    lines.append(face.say("cli.invite.assumed", known=expected.known, default=expected.default))
    return lines
