"""Replace members of a panel from files: the least change that is legal again, or the calls on the day of the meeting."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit, exit_of
from api.cli.face import Face
from api.cli.files import read_bytes, writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from solver.answer import Answer
    from solver.attendance import Attendance
    from solver.events import Events
    from solver.problem import Problem
    from solver.replace import Replacement


def replace(
    context: typer.Context,
    problem: Annotated[Path, typer.Argument()],
    panel: Annotated[Path, typer.Argument()],
    more: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    absent: Annotated[list[str] | None, typer.Option("--absent", metavar="ID")] = None,
    conflict: Annotated[list[str] | None, typer.Option("--conflict", metavar="ID:ID[:EFFECT]")] = None,
    withdraw: Annotated[list[str] | None, typer.Option("--withdraw", metavar="CASE")] = None,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="CASE:SPECIALTY[:GROUP]")] = None,
    take: Annotated[list[str] | None, typer.Option("--take", metavar="ID[:GROUP]")] = None,
    unlock: Annotated[list[str] | None, typer.Option("--unlock", metavar="ID")] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT")] = "",
    state: Annotated[Path | None, typer.Option("--state", metavar="STATE.json")] = None,
    substitutes: Annotated[int, typer.Option("--substitutes", min=0, max=100)] = 3,
    on_the_day: Annotated[bool, typer.Option("--on-the-day")] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.01, max=86400)] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PANEL.json")] = None,
    save_problem: Annotated[Path | None, typer.Option("--save-problem", metavar="PROBLEM.json")] = None,
) -> Exit:
    """The least change that is legal again, and who else could take each seat."""
    from expert_pool import clock
    from solver.check import read_answer
    from solver.document import read_problem, write_problem
    from solver.invitations import keeping, read_invitations
    from solver.replace import replace_members

    face = Face.of(context)
    for path in (output, save_problem):
        writable(path)
    absent = further(absent, more)
    asked, answer = read_problem(problem), read_answer(read_bytes(panel), str(panel))
    if on_the_day:
        if conflict or withdraw or add or take or unlock:
            raise Fault("cli.replace.only_absent", "--on-the-day")
        return _called(face, asked, answer, listed(absent), output)
    events = events_of(
        face.actor,
        clock.today(),
        why,
        absent=listed(absent),
        conflict=listed(conflict),
        withdraw=listed(withdraw),
        add=listed(add),
        take=listed(take),
        unlock=listed(unlock),
    )
    so_far = None if state is None else read_invitations(read_bytes(state), str(state))
    asked, events, rules = keeping(asked, events, so_far)
    with progress(face) as report:
        done = interruptible(
            lambda cancelled: replace_members(
                asked,
                answer,
                events,
                rules=rules,
                substitutes=substitutes,
                seconds=seconds,
                report=report,
                cancelled=cancelled,
            )
        )
    found = done.document
    if output is not None:
        write_json(output, found.answer.model_dump(mode="json"))
    if save_problem is not None:
        write_problem(done.problem, save_problem)
    if face.json:
        face.answer(found.model_dump(mode="json"))
    else:
        from expert_pool.documents import panel_text, people_in

        seated = [*(m.expert for m in found.answer.members), *(a.expert for a in found.answer.alternates)]
        people = people_in(done.problem, seated)
        face.answer(
            None, panel_text(found.answer, people, face.lang, done.problem), *told(face, found, done.problem)
        )
    return exit_of_replacement(found)


def events_of(actor: str, on: date, why: str, **words: list[str]) -> "Events":
    """The events that options speak of. Raises Fault for one that cannot be read."""
    from solver.events import Decision, Events, LateConflict, NewCase

    by: dict[str, Any] = {"by": actor, "on": on, "why": why}
    decisions = [Decision(kind="free", expert=e, **by) for e in words["unlock"]]
    decisions += [Decision(kind="out", expert=e, **by) for e in words["absent"]]
    for word in words["take"]:
        expert, group = _parts(word, "--take", 1, 2)
        decisions.append(Decision(kind="in", expert=str(expert), group=group, **by))
    conflicts = []
    for word in words["conflict"]:
        expert, other, effect = _parts(word, "--conflict", 2, 3)
        if effect not in (None, "pair", "group", "panel"):
            raise Fault("cli.replace.effect", "--conflict", given=effect)
        conflicts.append(LateConflict(str(expert), str(other), effect or "pair", why=why))  # type: ignore[arg-type]
    added = []
    for word in words["add"]:
        case, specialty, group = _parts(word, "--add", 2, 3)
        added.append(NewCase(str(case), str(specialty), group))
    return Events(tuple(decisions), tuple(conflicts), tuple(added), tuple(words["withdraw"]))


def further(absent: list[str] | None, more: list[str] | None) -> list[str] | None:
    """`--absent A B C` as well as `--absent A --absent B`: what stands behind belongs to it. Raises Fault where nothing
    of the kind was said."""
    if more and not absent:
        raise Fault("cli.too_many", extra=" ".join(more))
    return [*(absent or []), *(more or [])]


def listed(words: list[str] | None) -> list[str]:
    """An option given several times, or once with commas, each word once."""
    return list(
        dict.fromkeys(part.strip() for word in words or [] for part in word.split(",") if part.strip())
    )


def told(
    face: Face, found: "Replacement", problem: "Problem", names: Mapping[str, str] | None = None
) -> list[str]:
    """A replacement for people: what changes, how sure that is, and the substitutes, each with what is otherwise then;
    `names` for the pseudonyms."""
    groups = {group.id: group.name for group in problem.groups}
    lines = [""]
    if found.least is not None:
        code = "cli.replace.least" if found.least.proven else "cli.replace.bound"
        lines.append(face.say(code, value=found.least.value, bound=found.least.bound))
        if not found.changes:
            lines.append("  " + face.say("cli.replace.nothing"))
        lines += [f"  {_said(face, change.says.params, change.says.code, names)}" for change in found.changes]
        lines += [
            "  " + face.say("cli.replace.size", group=groups[size.group], was=size.was, now=size.now)
            for size in found.sizes
        ]
    chosen = {(change.expert, change.now) for change in found.changes}
    for place in found.seats:
        kind = "cli.replace.place" if place.waits else "cli.replace.seat"
        lines += ["", face.say(kind, group=groups[place.group])]
        for one in place.substitutes:
            goals = face.say("cli.replace.then").join(str(goal.value) for goal in one.goals)
            who = None if one.expert is None else (names or {}).get(one.expert, one.expert)
            proven = "" if one.proven else face.say("cli.replace.unproven")
            lines.append(
                face.say("cli.replace.substitute", rank=one.rank, expert=who, goals=goals, proven=proven)
            )
            otherwise = [
                _said(face, change.says.params, change.says.code, names)
                for change in one.changes
                if (change.expert, change.now) not in chosen and change.says.code != "replace.order"
            ]
            if otherwise:
                lines.append("     " + face.say("cli.replace.semicolon").join(otherwise))
        if place.ended != "enough":
            lines.append("  " + face.say("cli.replace.ended", ended=place.ended))
    return lines


def exit_of_replacement(found: "Replacement") -> Exit:
    """As for a panel; a list of substitutes cut short by a limit counts like any other limit."""
    ended = {place.ended for place in found.seats}
    if "cancelled" in ended:
        return Exit.INTERRUPTED
    code = exit_of(found.answer)
    return Exit.LIMIT if code is Exit.OK and ended & {"time", "memory", "engine"} else code


def _called(face: Face, problem: "Problem", answer: "Answer", absent: list[str], output: Path | None) -> Exit:
    """Call the alternates, search for nothing."""
    from solver.attendance import on_the_day

    meets = on_the_day(problem, answer, absent)
    document = meets.model_dump(mode="json")
    if output is not None:
        write_json(output, document)
    face.answer(document, *_attendance(face, meets, problem))
    return Exit.OK if meets.holds else Exit.FOUND


def _attendance(face: Face, meets: "Attendance", problem: "Problem") -> Iterable[str]:
    groups = {group.id: group.name for group in problem.groups}
    yield face.say("cli.replace.meets", members=len(meets.members), presides=meets.presides)
    for called in meets.called:
        yield "  " + face.say("cli.replace.calls", expert=called.expert, group=groups[called.at.group])
    for group, seats in meets.empty.items():
        yield "  " + face.say("cli.replace.empty", group=groups[group], seats=seats)
    for finding in meets.findings:
        code = "cli.check.broken" if finding.hard else "cli.check.short"
        said = face.say(finding.says.code, **finding.says.params)
        who, basis = finding.experts or None, finding.basis or None
        yield "  " + face.say(code, rule=finding.rule, said=said, who=who, basis=basis)
    if meets.holds:
        yield face.say("cli.replace.holds")


def _said(face: Face, params: Mapping[str, Any], code: str, names: Mapping[str, str] | None) -> str:
    expert = str(params["expert"])
    return face.say(code, **{**params, "expert": (names or {}).get(expert, expert)})


def _parts(word: str, option: str, least: int, most: int) -> list[str | None]:
    """The parts of a word with colons, None for those left out. Raises Fault for too few, too many or empty ones."""
    parts = word.split(":")
    if not least <= len(parts) <= most or not all(parts):
        raise Fault("cli.replace.parts", option, given=word)
    return [*parts, *[None] * (most - len(parts))]
