"""What-if: a scenario file in, every point it asks about out, with charts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import writable, write_json
from api.cli.interrupt import interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.simulation.comparing import Compared
    from expert_pool.simulation.results import Simulation

MOST_ROWS = 60
MOST_STEPS = 20


def simulate(
    context: typer.Context,
    scenario: Annotated[Path | None, typer.Argument(metavar="SCENARIO.yaml")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, metavar="N")] = 1,
    compare: Annotated[tuple[Path, Path] | None, typer.Option("--compare", metavar="A B")] = None,
    point: Annotated[int | None, typer.Option("--point", min=0, metavar="N")] = None,
    yes: Annotated[bool, typer.Option("--yes")] = False,
) -> Exit:
    """Settle a scenario, point by point; or compare two results."""
    face = Face.of(context)
    if (scenario is None) == (compare is None):
        raise Fault("cli.simulate.one_of", "SCENARIO.yaml")
    if compare is not None:
        return _compared(face, *compare)
    assert scenario is not None
    from expert_pool.simulation.asking import affordable, asked, at_point
    from expert_pool.simulation.comparing import NAME
    from expert_pool.simulation.histories import recalled
    from expert_pool.simulation.reading import load
    from expert_pool.simulation.running import simulate as run

    read = load(scenario)
    if read.doc.base.problem is not None or read.doc.base.region is not None:
        laid = asked(read, _problems(read), recalled(read))
    else:
        with face.store() as store:
            laid = asked(read, _problems(read, store, face.viewer()), recalled(read, store, face.viewer()))
    affordable(laid, yes)
    if point is not None:
        if read.doc.years is not None and not laid.count:
            from api.cli.commands.years_text import panel_behind

            return _opened(face, *panel_behind(laid, output, point), point)
        return _opened(face, at_point(laid, point), output, point)
    folder = _folder(output)
    with progress(face) as report:
        if not face.json and laid.count > 1:
            import sys

            print(face.say("cli.simulate.coming", count=laid.count), file=sys.stderr)
        found = interruptible(
            lambda cancelled: run(laid, folder, workers=workers, report=report, cancelled=cancelled)
        )
    written: list[Path] = []
    if folder is not None:
        from expert_pool.documents.simulation_charts import write_charts

        written = [write_json(folder / NAME, found.model_dump(mode="json"))]
        written += write_charts(found, folder, face.lang)
        if found.policies is not None:
            from expert_pool.documents.policy_brief import write_briefs

            written += write_briefs(found, folder)
    if face.json:
        face.answer(found.model_dump(mode="json"))
    else:
        lines = _told(face, found)
        lines += [face.say("cli.written", where=str(written[0]))] if written else []
        if found.stopped:
            from api.cli.commands.lens_text import stopped_lines

            lines += stopped_lines(face, found)
        if not found.complete and folder is not None:
            lines.append(face.say("cli.simulate.again", scenario=str(scenario)))
        face.answer(None, *lines)
    return _exit(found)


def _problems(read: Any, store: Any = None, viewer: Any = None) -> Any:
    from expert_pool.simulation.bases import problems_of

    return problems_of(read, store, viewer)


def _folder(output: Path | None) -> Path | None:
    """The folder for the result, made where it is not there. Raises Fault when nothing can be written into it."""
    if output is None:
        return None
    if not output.exists():
        writable(output)
        try:
            output.mkdir()
        except OSError as error:
            raise Fault("cli.unwritable", str(output), reason=error.strerror or str(error)) from None
    if not output.is_dir() or not os.access(output, os.W_OK):
        raise Fault("cli.unwritable", str(output), reason=os.strerror(13 if output.is_dir() else 20))
    return output


def _exit(found: "Simulation") -> Exit:
    """Interrupted when somebody ended the work; a limit when something was left unproven."""
    if found.stopped:
        return Exit.INTERRUPTED
    if found.years is not None and found.years.proven < len(found.years.panels):
        return Exit.LIMIT
    if not found.complete or any(p.status in ("feasible", "unknown") for p in found.points):
        return Exit.LIMIT
    return Exit.OK


def _opened(face: Face, problem: Any, output: Path | None, point: int) -> Exit:
    """The problem behind a point, to be assembled and checked by itself."""
    from solver.document import to_plain

    where = output or Path(f"point-{point}.json")
    writable(where)
    write_json(where, to_plain(problem))
    said = face.say("cli.written", where=str(where))
    face.answer({"written": str(where)}, said)
    return Exit.OK


def _told(face: Face, found: "Simulation") -> list[object]:
    """The result for people: how it was settled, the points, tipping points, the frontier."""
    from expert_pool.documents.cycles_taken import cycles_said
    from expert_pool.documents.marginal_prices import marginal_steps
    from expert_pool.documents.parameter_naming import parameter_in_full, value_name, written_in_scenarios

    lines: list[object] = [*cycles_said(found, face.lang)]
    if found.asked:
        solved = sum(p.how == "solved" for p in found.points)
        lines.append(
            face.say(
                "cli.simulate.settled",
                done=len(found.points),
                asked=found.asked,
                solved=solved,
                taken=len(found.points) - solved,
                none=sum(p.status == "infeasible" for p in found.points),
                open=sum(p.status in ("feasible", "unknown") for p in found.points),
            )
        )
        lines += [
            parameter_in_full(found, axis, face.lang) for axis in found.axes if written_in_scenarios(axis)
        ]
        lines.append(_table(face, found))
        if len(found.points) > MOST_ROWS:
            lines.append(face.say("cli.simulate.more", count=len(found.points) - MOST_ROWS))
        steps = marginal_steps(found, face.lang)
        lines += [face.say("marginal.title")] if steps else []
        lines += [f"  {step.told(face.lang)}" for step in steps[:MOST_STEPS]]
        if len(steps) > MOST_STEPS:
            lines.append(face.say("marginal.more", count=len(steps) - MOST_STEPS))
    for tip in found.tipping:
        params = {
            "parameter": parameter_in_full(found, tip.parameter, face.lang),
            "last": None if tip.last is None else value_name(found, tip.parameter, tip.last, face.lang),
            "first": None if tip.first is None else value_name(found, tip.parameter, tip.first, face.lang),
            "looked": len(tip.looked),
        }
        lines.append(face.say(f"cli.simulate.tipping.{tip.status}", **params))
        if tip.status == "found":
            lines.append(face.say(f"cli.simulate.tipping.{'exact' if tip.exact else 'between'}"))
        if not tip.monotone:
            lines.append(face.say("cli.simulate.tipping.other"))
    if found.frontier is not None:
        lines += _frontier(face, found)
    if found.years is not None:
        from api.cli.commands.years_text import years_lines

        lines += years_lines(face, found, found.years)
    from api.cli.commands.lens_text import lens_lines

    return [*lines, *lens_lines(face, found)]


def _table(face: Face, found: "Simulation") -> object:
    from expert_pool.documents.parameter_naming import goal_name, parameter_name, value_name

    axes = list(found.axes)
    levels = {goal.level: goal.id for point in found.points for goal in point.goals}
    several = len(found.bases) > 1
    heads = [face.say("cli.simulate.column.point")]
    heads += [face.say("cli.simulate.column.meeting")] if several else []
    heads += [*(parameter_name(found, axis, face.lang) for axis in axes)]
    heads.append(face.say("cli.simulate.column.status"))
    heads += [goal_name(id_, face.lang, found.goals) for _, id_ in sorted(levels.items())]
    heads.append(face.say("cli.simulate.column.how"))
    rows = []
    for point in found.points[:MOST_ROWS]:
        costs = {goal.level: goal for goal in point.goals}
        row = [str(point.number)]
        row += [found.bases[point.base].meeting] if several else []
        row += [value_name(found, axis, point.values[axis], face.lang) for axis in axes]
        row.append(face.say(f"status.{point.status}"))
        for level in sorted(levels):
            goal = costs.get(level)
            row.append(
                "—"
                if goal is None
                else f"{goal.value:,}"
                if goal.proven
                else f"{goal.bound:,}..{goal.value:,}"
            )
        row.append(face.say(f"cli.simulate.how.{point.how}", source=point.source))
        rows.append(row)
    return table(heads, rows)


def _frontier(face: Face, found: "Simulation") -> list[object]:
    traced = found.frontier
    assert traced is not None
    if not traced.points:
        return [face.say(f"cli.simulate.frontier.{traced.status}")]
    rows = [
        [
            str(at),
            *(f"{cost:,}" for cost in point.costs),
            face.say("words.true" if point.proven else "words.false"),
            face.say("cli.simulate.knee") if at == traced.knee else "",
        ]
        for at, point in enumerate(traced.points)
    ]
    from expert_pool.documents.parameter_naming import goal_name

    names = [goal_name(goal, face.lang, found.goals) for goal in traced.goals]
    heads = [face.say("cli.simulate.column.point"), *names, face.say("cli.simulate.column.proven"), ""]
    code = "cli.simulate.frontier.complete" if traced.complete else "cli.simulate.frontier.part"
    return [face.say(code, count=len(traced.points)), table(heads, rows)]


def _compared(face: Face, first: Path, second: Path) -> Exit:
    from expert_pool.simulation.comparing import compare, read_simulation

    one, other = read_simulation(first), read_simulation(second)
    found = compare(one, other)
    face.answer(found.model_dump(mode="json"), *_differences(face, found, one))
    return Exit.OK


def _differences(face: Face, found: "Compared", first: "Simulation") -> list[object]:
    lines: list[object] = []
    if found.points or found.only_first or found.only_second:
        lines.append(
            face.say(
                "cli.simulate.compared",
                points=found.points,
                differing=len(found.differing),
                same_inputs=found.same_inputs,
                other_inputs=not found.same_inputs,
                only_first=found.only_first,
                only_second=found.only_second,
            )
        )
    else:
        same = found.same_inputs
        lines.append(face.say("cli.simulate.compared_inputs", same=same, other=not same))
    for code, kinds in (("asked_first", found.asked_first), ("asked_second", found.asked_second)):
        if kinds:
            named = face.say("words.and").join(face.say(f"lens.kind.{kind}") for kind in kinds)
            lines.append(face.say(f"cli.simulate.{code}", kinds=named))
    from expert_pool.documents.parameter_naming import (
        goal_name,
        parameter_in_full,
        standing_at,
        value_name,
    )

    goals = {goal.level: goal.id for point in first.points for goal in point.goals}
    lines += [
        face.say(
            "cli.simulate.differs",
            at=standing_at(first, one.values, face.lang),
            first=face.say(f"status.{one.first}"),
            second=face.say(f"status.{one.second}"),
            costs=face.say("words.and").join(
                f"{goal_name(goals[level], face.lang, first.goals)} {gap:+,}"
                for level, gap in one.differences.items()
            )
            or None,
        )
        for one in found.differing[:MOST_ROWS]
    ]
    lines += [
        face.say(
            "cli.simulate.tipped",
            parameter=parameter_in_full(first, parameter, face.lang),
            first=value_name(first, parameter, a, face.lang),
            second=value_name(first, parameter, b, face.lang),
        )
        for parameter, a, b in found.tipping
    ]
    if found.frontier_only_first or found.frontier_only_second:
        lines.append(
            face.say(
                "cli.simulate.frontiers",
                first=len(found.frontier_only_first),
                second=len(found.frontier_only_second),
            )
        )
    if found.years is not None:
        from api.cli.commands.years_text import years_differences

        lines += years_differences(face, found.years)
    from api.cli.commands.lens_compared_text import lens_differences

    return [*lines, *lens_differences(face, found, first)]
