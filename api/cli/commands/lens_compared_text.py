"""What differs between two results in absences, seats and policies, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.face import Face, table

if TYPE_CHECKING:
    from expert_pool.simulation.comparing import Compared
    from expert_pool.simulation.lens_differences import (
        FairnessCompared,
        Gap,
        PoliciesCompared,
        RobustnessCompared,
    )
    from expert_pool.simulation.results import Simulation

MOST = 60


def lens_differences(face: Face, found: Compared, goals: Simulation) -> list[object]:
    """The lines; `goals`: a result that knows what its goals are called."""
    lines: list[object] = []
    if found.robustness is not None:
        lines += _robustness(face, found.robustness)
    if found.fairness is not None:
        lines += _fairness(face, found.fairness)
    if found.policies is not None:
        lines += _policies(face, found.policies, goals)
    if lines:
        lines.append(face.say("cli.simulate.gaps"))
    return lines


def _heads(face: Face, *more: str) -> list[str]:
    return [*more, *(face.say(f"years.{name}") for name in ("what", "first", "second", "difference", "sure"))]


def _cells(face: Face, gap: Gap) -> list[str]:
    from expert_pool.documents.lens_naming import share

    return [
        share(gap.first),
        share(gap.second),
        _difference(gap),
        face.say("words.true" if gap.sure else "words.false"),
    ]


def _difference(gap: Gap) -> str:
    said = f"{100 * gap.difference:+.1f}"
    if gap.how == "exact" or gap.low is None or gap.high is None:
        return said
    return f"{said} [{100 * gap.low:+.1f}..{100 * gap.high:+.1f}]"


def _robustness(face: Face, found: RobustnessCompared) -> list[object]:
    lines: list[object] = [
        face.say(
            "cli.simulate.compared_robust",
            meetings=found.meetings,
            same=found.same_panels,
            first=found.failing_first,
            second=found.failing_second,
        )
    ]
    rows = [
        [one.meeting, face.say(f"lens.chance.{one.what}"), *_cells(face, one.gap)]
        for one in found.differences[:MOST]
    ]
    if rows:
        lines.append(table(_heads(face, face.say("cli.simulate.column.meeting")), rows))
    lines += [
        face.say("cli.simulate.compared_fewest", meeting=one.meeting, first=one.first, second=one.second)
        for one in found.fewest[:MOST]
    ]
    return lines if len(lines) > 1 else [*lines, face.say("cli.simulate.compared_same")]


def _fairness(face: Face, found: FairnessCompared) -> list[object]:
    from expert_pool.documents.lens_naming import cell_name, fact_name, rule_name

    lines: list[object] = [
        face.say(
            "cli.simulate.compared_fair",
            groups=found.groups,
            draws=found.draws or None,
            luck=found.same_luck and found.draws > 0,
        )
    ]
    rows = [
        [
            f"{fact_name(one.by, face.lang)}: {cell_name(one.by, one.of, one.values, face.lang)}",
            face.say(f"lens.way.{one.what}"),
            *_cells(face, one.gap),
        ]
        for one in found.differences[:MOST]
    ]
    if rows:
        lines.append(table(_heads(face, face.say("cli.simulate.column.group")), rows))
    lines += [
        face.say(
            "cli.simulate.compared_load",
            way=face.say(f"lens.way.{one.way}"),
            first=None if one.first is None else f"{one.first:.2f}",
            second=None if one.second is None else f"{one.second:.2f}",
        )
        for one in found.load
    ]
    lines += [
        face.say(
            "cli.simulate.compared_effect",
            rule=rule_name(one.rule, one.kind, face.lang),
            name=cell_name(one.by, one.of, 2, face.lang),
            first=one.first,
            second=one.second,
        )
        for one in found.rules[:MOST]
    ]
    return lines if len(lines) > 1 else [*lines, face.say("cli.simulate.compared_same")]


def _policies(face: Face, found: PoliciesCompared, goals: Simulation) -> list[object]:
    from expert_pool.documents.lens_naming import cell_name, rule_name, share
    from expert_pool.documents.parameter_naming import goal_name

    by = goals.policies.by if goals.policies is not None else ""
    lines: list[object] = []
    for one in found.policies:
        gap = one.unlawful
        lines.append(
            face.say(
                "cli.simulate.compared_policy",
                name=one.name[face.lang],
                first=None if gap is None else share(gap.first),
                second=None if gap is None else share(gap.second),
                gap=None if gap is None or gap.how == "exact" else _difference(gap),
                one=one.panels_first,
                other=one.panels_second,
                paired=one.paired or None,
                worse=one.turned_unlawful,
                better=one.turned_lawful,
                none_first=one.without_panel_first,
                none_second=one.without_panel_second,
                lost_first=one.lost_first,
                lost_second=one.lost_second,
            )
        )
        lines += [
            face.say(
                "cli.simulate.compared_rule",
                rule=rule_name(rule.name, rule.kind, face.lang),
                first=rule.first,
                second=rule.second,
            )
            for rule in one.rules
        ]
        lines += [
            face.say(
                "cli.simulate.compared_seats",
                name=cell_name(by, seats.of, seats.values, face.lang),
                first=seats.first,
                second=seats.second,
                before=seats.eligible_first,
                after=seats.eligible_second,
            )
            for seats in one.seats
        ]
        lines += [
            face.say(
                "cli.simulate.compared_cost",
                goal=goal_name(cost.name, face.lang, goals.goals),
                first=cost.first,
                second=cost.second,
            )
            for cost in one.costs
        ]
    alone = [*found.only_first, *found.only_second]
    if alone:
        names = face.say("words.and").join(name[face.lang] for name in alone)
        lines.append(face.say("cli.simulate.compared_alone", names=names))
    return lines
