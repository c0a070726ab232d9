"""Robustness, fairness and policies for people: what a what-if prints of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.face import Face, table

if TYPE_CHECKING:
    from expert_pool.simulation.lens_results import FairnessPart, GroupPart, PoliciesPart, RobustPart
    from expert_pool.simulation.results import Simulation

MOST_MEETINGS = 12
"""Meetings told of one by one; the result has all."""


def lens_lines(face: Face, found: Simulation) -> list[object]:
    """What robustness, fairness and policies came to."""
    lines: list[object] = []
    if found.robustness is not None:
        panels = sorted(found.robustness.panels, key=lambda one: one.lawful.chance if one.lawful else -1.0)
        for one in panels[:MOST_MEETINGS]:
            lines += _robust(face, found, one)
        if len(panels) > 1 and found.robustness.failing is not None:
            failing = f"{found.robustness.failing:.2f}"
            lines.append(face.say("cli.simulate.robust_year", count=len(panels), failing=failing))
    if found.fairness is not None:
        lines += _fair(face, found.fairness)
    if found.policies is not None:
        lines += _policies(face, found, found.policies)
    return lines


def stopped_lines(face: Face, found: Simulation) -> list[object]:
    """How far each of the three came before somebody stopped the work; nothing of what was not asked."""
    robust, fair, policies = found.robustness, found.fairness, found.policies
    done: dict[str, tuple[int, int, int] | None] = dict.fromkeys(("robustness", "fairness", "policies"))
    if robust is not None:
        done["robustness"] = len(robust.panels), len(found.bases), 0
    if fair is not None:
        left = sum(1 for rule in fair.rules if rule.open)
        done["fairness"] = len(fair.optimum), len(found.bases), left
    if policies is not None:
        done["policies"] = len(policies.assembled), len(policies.policies) * len(found.bases), 0
    lines: list[object] = []
    for name, came in done.items():
        if found.scenario.get(name) is None:
            continue
        kind = face.say(f"lens.kind.{name}")
        if came is None:
            lines.append(face.say("cli.simulate.stopped_before", kind=kind))
        else:
            said = {"done": came[0], "asked": came[1], "open": came[2] or None}
            lines.append(face.say("cli.simulate.stopped_part", kind=kind, **said))
    return [face.say("cli.simulate.stopped"), *lines] if lines else []


def _robust(face: Face, found: Simulation, one: RobustPart) -> list[object]:
    from expert_pool.documents.lens_naming import meeting_name, rule_name, share

    meeting = meeting_name(found, one.base)
    if one.lawful is None or one.quorum is None or one.unreplaced_lawful is None:
        return [
            face.say("cli.simulate.robust_none", meeting=meeting, status=face.say(f"status.{one.status}"))
        ]
    lines: list[object] = [
        face.say(
            "cli.simulate.robust",
            meeting=meeting,
            people=one.people,
            rate=share(one.mean_rate),
            lawful=share(one.lawful.chance),
            quorum=share(one.quorum.chance),
            late=share(one.unreplaced_lawful.chance),
        )
    ]
    if one.fewest is None:
        looked = min((part.looked for part in one.breaks), default=0)
        lines.append(face.say("cli.simulate.robust_safe", looked=looked))
    elif one.weakest is not None:
        kind = next((part.kind for part in one.breaks if part.id == one.weakest), "")
        name = rule_name(one.weakest, kind, face.lang)
        lines.append(face.say("cli.simulate.robust_break", name=name, fewest=one.fewest))
    if len(found.bases) == 1:
        lines += [
            face.say(
                "cli.simulate.robust_alternate",
                group=part.group,
                order=part.order,
                expert=part.expert,
                called=share(part.called),
                worth=_points(part.lawful),
                low=None if part.low == part.high else _points(part.low),
                high=_points(part.high),
            )
            for part in one.alternates
        ]
    return lines


def _points(difference: float) -> str:
    """A difference of two chances in percentage points."""
    return f"{100 * difference:+.1f}"


def _fair(face: Face, found: FairnessPart) -> list[object]:
    from expert_pool.documents.lens_naming import cell_name, fact_name, rule_name, share

    if found.complete and not found.optimum:
        return [face.say("lens.nobody")]
    lines: list[object] = []
    heads = [
        face.say(f"cli.simulate.column.{name}")
        for name in ("group", "eligible", "even", "optimum", "near", "drawn")
    ]
    for by in dict.fromkeys(part.by for part in found.groups):
        parts: list[GroupPart] = [part for part in found.groups if part.by == by]
        rows = [
            [
                cell_name(by, part.of, part.values, face.lang),
                f"{part.eligible}/{part.pool}",
                f"{share(part.even.share)} ({share(part.even.low)}–{share(part.even.high)})",
                share(part.optimum),
                "—" if part.near is None else f"{share(part.near.low)}–{share(part.near.high)}",
                "—" if part.drawn is None else f"{share(part.drawn.low)}–{share(part.drawn.high)}",
            ]
            for part in parts
        ]
        lines += [face.say("cli.simulate.fair", by=fact_name(by, face.lang)), table(heads, rows)]
    lines += [
        face.say(
            "cli.simulate.load",
            way=face.say(f"lens.way.{part.way}"),
            people=part.people,
            seated=part.seated,
            gini=f"{part.gini or 0:.2f}",
            low=f"{part.even_low or 0:.2f}",
            high=f"{part.even_high or 0:.2f}",
            top=share(part.top_tenth or 0.0),
        )
        for part in found.load
    ]
    joint = face.say("words.and")
    for rule in found.rules:
        named = [(cell_name(e.by, e.of, 2, face.lang), e) for e in rule.effects]
        moved = joint.join(f"{name} {e.seats:+d}" for name, e in named if e.seats)
        gained = joint.join(f"{name} {e.eligible:+d}" for name, e in named if e.eligible)
        effects = [face.say("cli.simulate.effect.moved", effects=moved)] if moved else []
        effects += [face.say("cli.simulate.effect.same")] if not moved and not rule.open else []
        effects += [face.say("cli.simulate.effect.gained", effects=gained)] if gained else []
        effects += [face.say("cli.simulate.effect.open", count=rule.open)] if rule.open else []
        name = rule_name(rule.rule, rule.kind, face.lang)
        lines.append(
            face.say("cli.simulate.effect", rule=name, effects=face.say("words.clause").join(effects))
        )
    return lines


def _policies(face: Face, simulation: Simulation, found: PoliciesPart) -> list[object]:
    from expert_pool.documents.lens_naming import rule_name
    from expert_pool.documents.parameter_naming import goal_name
    from expert_pool.documents.policy_charts import broken_by

    lines: list[object] = []
    for at, policy in enumerate(found.policies):
        unlawful, rules = broken_by(found, at)
        joined = face.say("words.and").join(
            f"{rule_name(id_, kind, face.lang)} {count}" for (id_, kind), count in rules.most_common(4)
        )
        lines.append(
            face.say(
                "cli.simulate.policy",
                name=policy.name[face.lang],
                count=len(found.panels),
                broken=unlawful,
                rules=joined or None,
                none=sum(1 for one in found.assembled if one.policy == at and one.panel is None),
                lost=len(found.lost[at]),
            )
        )
    lines += [
        face.say(
            "cli.simulate.policy_cost",
            name=found.policies[cost.policy].name[face.lang],
            goal=goal_name(cost.goal, face.lang, simulation.goals),
            first=cost.first,
            other=cost.other,
            meetings=cost.meetings,
            rises=cost.rises,
        )
        for cost in found.costs
        if cost.first != cost.other
    ]
    return lines
