"""What a step along a parameter costs, in words: the steps of a sweep at which a goal level changes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from expert_pool.documents.parameter_naming import goal_name, parameter_name, standing_at, value_name
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.spreading import is_share
from expert_pool.words import say


@dataclass(frozen=True, slots=True)
class Step:
    """From one value of a parameter to the next, all else at `rest`: what goal rises by `difference`. `each`: for one unit, or
    one percentage point of a share; empty where the parameter does not count. `meeting`: empty where there is only one."""

    meeting: str
    parameter: str
    low: str
    high: str
    rest: str
    goal: str
    difference: int
    each: str

    def told(self, lang: str) -> str:
        """The step as a sentence."""
        return say(
            "marginal.step",
            lang,
            meeting=self.meeting or None,
            parameter=self.parameter,
            low=self.low,
            high=self.high,
            rest=self.rest or None,
            goal=self.goal,
            difference=self.difference,
            each=self.each,
        )


def marginal_steps(found: Simulation, lang: str) -> list[Step]:
    """The steps between proven neighbours of a parameter that counts, where something is paid for, in the order of the points."""
    goals = {goal.level: goal.id for point in found.points for goal in point.goals}
    return [
        Step(
            meeting=found.bases[one.base].meeting if len(found.bases) > 1 else "",
            parameter=parameter_name(found, one.axis, lang),
            low=value_name(found, one.axis, one.low, lang),
            high=value_name(found, one.axis, one.high, lang),
            rest=standing_at(found, one.at, lang),
            goal=goal_name(goals[one.level], lang, found.goals),
            difference=one.difference,
            each=_each(found, one.axis, one.per_unit, lang),
        )
        for one in found.marginal
        if one.difference and one.per_unit is not None and not _of_luck(found, goals[one.level])
    ]


def _of_luck(found: Simulation, level: str) -> bool:
    """Whether a level only orders panels that are equally good by all others."""
    named = found.goals.get(level)
    return named is not None and named.kind == "tie_break"


def _each(found: Simulation, axis: str, per_unit: str, lang: str) -> str:
    kind, _, rest = axis.partition(".")
    id_, _, field = rest.rpartition(".")
    share = kind == "rules" and id_ in found.rules and is_share(found.rules[id_].kind, field)
    price = Fraction(per_unit) / (100 if share else 1)
    said = f"{int(price):+,}" if price.denominator == 1 else f"{float(price):+,.2f}"
    return say("marginal.point" if share else "marginal.unit", lang, price=said)
