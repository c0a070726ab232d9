"""Years ahead in words: a table of the seasons, where and when the pool runs dry, the plan; and two of them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.face import Face, table
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.simulation.asking import Asked
    from expert_pool.simulation.results import Simulation
    from expert_pool.simulation.years.comparing import YearsCompared
    from expert_pool.simulation.years.results import DryPart, FigurePart, YearsPart
    from solver.problem import Problem

SHOWN = (
    "in_pool",
    "mean_age",
    "entered",
    "retired",
    "ended",
    "eligible",
    "seated",
    "climbed",
    "dry",
    "new",
    "ever_dry",
)
IF_ANY = frozenset({"entered", "retired", "ended", "climbed"})
"""Shown where they are not all zero."""
SHARES = frozenset({"new", "ever_dry", "proven"})
MOST = 30


def years_lines(face: Face, found: Simulation, part: YearsPart) -> list[object]:
    """The years ahead for people."""
    lines: list[object] = [
        face.say(
            "cli.simulate.years.settled",
            done=len(part.panels),
            years=len(part.years),
            replications=part.replications,
            committees=len(part.committees),
            sampled=part.sampled,
            proven=part.proven,
        )
    ]
    by_name = {(figure.year, figure.name): figure for figure in part.figures}
    names = [
        name
        for name in SHOWN
        if any((f := by_name.get((year, name))) and (name not in IF_ANY or f.mean) for year in part.years)
    ]
    heads = [face.say("years.year"), *(face.say(f"years.figure.{name}") for name in names)]
    rows = [[str(year), *(_shown(name, by_name.get((year, name))) for name in names)] for year in part.years]
    lines.append(table(heads, rows))
    if part.replications > 1:
        lines.append(face.say("cli.simulate.years.intervals"))
    lines += _dry(face, found, part)
    lines += _plan(face, part)
    return lines


def _shown(name: str, figure: FigurePart | None) -> str:
    if figure is None or figure.mean is None:
        return "—"

    def number(value: float) -> str:
        if name in SHARES:
            return f"{100 * value:.0f}%"
        return f"{value:,.0f}" if value == round(value) and name != "mean_age" else f"{value:,.1f}"

    if figure.low is None or figure.high is None or figure.low == figure.high:
        return number(figure.mean)
    return f"{number(figure.mean)} [{number(figure.low)}..{number(figure.high)}]"


def _dry(face: Face, found: Simulation, part: YearsPart) -> list[object]:
    if not part.dry:
        return [face.say("cli.simulate.years.never")]
    lines: list[object] = [face.say("cli.simulate.years.dry", count=len(part.dry))]
    lines += [one_dry(face, found, part, one) for one in part.dry[:MOST]]
    if len(part.dry) > MOST:
        lines.append(face.say("cli.simulate.years.dry_more", count=len(part.dry) - MOST))
    return lines


def one_dry(face: Face, found: Simulation, part: YearsPart, one: DryPart) -> str:
    """One committee without a panel in a year, and what it lacks."""
    from expert_pool.documents.parameter_naming import rule_called

    lacks = ", ".join(
        face.say(
            "years.lack",
            count=lack.count,
            specialty=lack.specialty,
            group=found.groups.get(lack.group, lack.group),
            rules=[rule_called(found, id_, face.lang) for id_ in lack.rules] or None,
        )
        for lack in one.lacks
    )
    missing = None if one.missing is None else "–".join(dict.fromkeys(map(str, one.missing)))
    return face.say(
        "cli.simulate.years.dry_one",
        year=one.year,
        meeting=part.committees[one.committee].committee,
        times=one.times,
        of=one.of,
        low=one.low,
        high=one.high,
        missing=missing,
        hopeless=one.hopeless or None,
        lacks=lacks or None,
    )


def _plan(face: Face, part: YearsPart) -> list[object]:
    from expert_pool.documents.parameter_naming import facts_said

    plan = part.plan
    if plan is None:
        return []
    lines: list[object] = [
        face.say(f"cli.simulate.years.plan.{plan.status}", count=plan.count, rounds=plan.rounds)
    ]
    if plan.status in ("found", "too_many"):
        lines += [
            face.say(
                "cli.simulate.years.plan.line",
                year=line.from_,
                count=line.count,
                specialty=line.specialty,
                committee=line.committee,
                facts=facts_said(line.facts, face.lang),
            )
            for line in plan.recruits
        ]
    if plan.minimal and plan.count:
        lines.append(face.say("cli.simulate.years.plan.minimal"))
    if plan.hopeless:
        lines.append(face.say("cli.simulate.years.plan.hopeless", count=plan.hopeless))
    return lines


def years_differences(face: Face, found: YearsCompared) -> list[object]:
    """Two results side by side."""
    lines: list[object] = [
        face.say(
            "cli.simulate.years.compared",
            paired=found.paired,
            same_luck=found.same_luck,
            first=found.dry_first,
            second=found.dry_second,
        )
    ]
    shown = [one for one in found.differences if one.name in SHOWN]
    heads = [face.say(f"years.{name}") for name in ("year", "what", "first", "second", "difference", "sure")]
    rows = [
        [
            str(one.year),
            face.say(f"years.figure.{one.name}"),
            f"{one.first:,.3g}",
            f"{one.second:,.3g}",
            f"{one.difference:+,.3g}" + ("" if one.low is None else f" [{one.low:+,.3g}..{one.high:+,.3g}]"),
            face.say("words.true" if one.sure else "words.false"),
        ]
        for one in shown
    ]
    return [*lines, table(heads, rows)] if rows else lines


def panel_behind(laid: Asked, folder: Path | None, number: int) -> tuple[Problem, Path]:
    """The problem behind a panel of the result in a folder, and the file for it there. Raises Fault where that is not the
    result of this scenario, or has no such panel."""
    from expert_pool.simulation.comparing import read_simulation
    from expert_pool.simulation.running import laid_out
    from expert_pool.simulation.years.running import problem_behind, setting_of

    if folder is None or not folder.is_dir():
        raise Fault("years.point_folder", "-o")
    found = read_simulation(folder)
    if found.years is None or found.inputs_sha256 != laid_out(laid)[0].inputs_sha256:
        raise Fault("years.other_result", str(folder))
    problem = problem_behind(setting_of(laid.scenario, laid.problems), found.years, number)
    return problem, folder / f"panel-{number}.json"
