"""The verdict on each rule: kept, broken, or not judged; always by the rule's own measures.

What is unknown is looked at both ways: every test of an unknown fact passed, then failed; an unknown employer nobody
else's, then everybody's; specialties, conflicts and earlier seats that may be, there and not there. A rule that is kept
both ways is kept, one that is broken at the same place in the same direction both ways is broken, and any other is not
judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from pydantic import BaseModel

from expert_pool.audits.gaps import Gap, Weight, gaps_of
from expert_pool.audits.identity import Same, same_unit
from expert_pool.audits.laying import Laid
from expert_pool.audits.roster import Unit
from solver.answer import Saying
from solver.facts import Column, Where
from solver.panel import Measure, Panel
from solver.rules import Rule
from solver.rules.alternates import Alternates
from solver.rules.cap import Cap

Verdict = Literal["kept", "broken", "not_judged"]
Model = TypeVar("Model", bound=BaseModel)
_Key = tuple[object, ...]
NO_SHOWS = "rule.alternates.no_shows"
"""The measure that says what no-shows do."""


@dataclass(frozen=True, slots=True)
class World:
    """One way that everything unknown may be: the panel then, and the rule as it reads unknown facts."""

    panel: Panel
    rule: Rule

    def measures(self) -> list[Measure]:
        return list(self.rule.measures(self.panel))


@dataclass(frozen=True, slots=True)
class Seen:
    """A measure as the kindest reading of what is unknown has it; its value lies from `least` to `most`, and the people
    it names are those it names whatever the unknown is."""

    measure: Measure
    least: int
    most: int


@dataclass(frozen=True)
class Judged:
    """A rule with its verdict. `broken` are the measures that are surely out of bounds; `tightest` the one that stands
    for the rule; `gaps` what keeps it from being judged, or judged further."""

    rule: Rule
    verdict: Verdict
    broken: tuple[Seen, ...] = ()
    tightest: Seen | None = None
    gaps: tuple[Gap, ...] = ()


def judge(laid: Laid) -> list[Judged]:
    """Every rule of the policy, in its order."""
    rules = laid.kind.problem.rules
    judged = {rule.id: _judged(rule, laid) for rule in rules if not isinstance(rule, Alternates)}
    for rule in rules:
        if isinstance(rule, Alternates):
            judged[rule.id] = _alternates(rule, laid, judged)
    return [judged[rule.id] for rule in rules]


def _judged(rule: Rule, laid: Laid) -> Judged:
    gaps = gaps_of(rule, laid)
    if any(gap.weight is Weight.ALL for gap in gaps):
        return Judged(rule, "not_judged", gaps=gaps)
    found = [world.measures() for world in worlds(rule, laid, gaps)]
    return _verdict(rule, found, gaps)


def _verdict(rule: Rule, found: Sequence[list[Measure]], gaps: tuple[Gap, ...]) -> Judged:
    """From the measures in every world to a verdict."""
    sides = [_broken_sides(measures) for measures in found]
    sure = {key for key, side in sides[0].items() if all(other.get(key) == side for other in sides)}
    if isinstance(rule, Cap):  # whoever is unknown can only add to those who share a value
        sure = set(sides[0])
    broken = [m for m in found[0] if not m.holds and _key(m) in sure]
    everything = [m for measures in found for m in measures]
    first = min(broken or everything, key=lambda m: m.margin, default=None)
    tightest = None if first is None else _seen(first, everything)
    if broken:
        return Judged(rule, "broken", tuple(_seen(m, everything) for m in broken), tightest, gaps)
    if all(m.holds for m in everything) and all(gap.weight is Weight.SOME for gap in gaps):
        return Judged(rule, "kept", (), tightest)
    return Judged(rule, "not_judged", (), tightest, gaps)


def _seen(measure: Measure, everything: Sequence[Measure]) -> Seen:
    """A measure with what becomes of it in all worlds."""
    same = [m for m in everything if _key(m) == _key(measure)]
    people = tuple(e for e in measure.experts if all(e in m.experts for m in same))
    values = [m.value for m in same]
    return Seen(replace(measure, experts=people), min(values), max(values))


def _broken_sides(measures: Sequence[Measure]) -> dict[_Key, bool]:
    """Of measures out of bounds: whether there is too much (else too little)."""
    return {_key(m): m.high is not None and m.value > m.high for m in measures if not m.holds}


def _key(measure: Measure) -> _Key:
    """What a measure is about, so that it is known again in another world."""
    words = tuple((name, value) for name, value in measure.params if isinstance(value, str))
    people = measure.experts if measure.code == "rule.apart.pair" else ()
    return measure.code, measure.group, words, people


def worlds(rule: Rule, laid: Laid, gaps: Sequence[Gap]) -> Iterator[World]:
    """The ways in which all may be that matters to a rule; one where nothing is missing."""
    yield World(laid.kind, with_unknown(rule, "passes") if gaps else rule)
    if not gaps:
        return
    harsh = with_unknown(rule, "fails")
    if not isinstance(rule, Cap):
        yield World(laid.harsh, harsh)
        return
    column = _joined(laid, rule)
    for value in sorted({v for v in column if v is not None}) or ["?"]:
        values = [value if v is None else v for v in column]
        facts = {**laid.harsh.problem.facts, rule.fact: Column.categories(values)}
        yield World(replace(laid.harsh, problem=replace(laid.harsh.problem, facts=facts)), harsh)


def with_unknown(model: Model, outcome: Literal["passes", "fails"]) -> Model:
    """The same rule, but a test of an unknown fact has this outcome."""
    if isinstance(model, Where):
        return model.model_copy(update={"unknown": outcome})
    changed: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, tuple):
            changed[name] = tuple(
                with_unknown(item, outcome) if isinstance(item, BaseModel) else item for item in value
            )
        elif isinstance(value, BaseModel):
            changed[name] = with_unknown(value, outcome)
    return model.model_copy(update=changed)


def _joined(laid: Laid, rule: Cap) -> list[str | None]:
    """The category a cap looks at; employers that may be one legal person joined under the shortest name."""
    column = laid.harsh.problem.facts[rule.fact]
    values = [column.show(e) for e in range(len(laid.roster.people))]
    shown = [None if v is None else str(v) for v in values]
    if rule.fact != "employer":
        return shown
    units = [laid.unit(e) for e in range(len(shown))]
    known = sorted({unit for unit in units if unit is not None}, key=lambda u: (len(u.name), u.name))
    return [None if unit is None else _shortest(unit, known) for unit in units]


def _shortest(unit: Unit, known: Sequence[Unit]) -> str:
    return next(other.name for other in known if same_unit(other, unit) is not Same.NO)


def _alternates(rule: Alternates, laid: Laid, judged: Mapping[str, Judged]) -> Judged:
    """The number of alternates, and what no-shows do to every hard rule.

    Rules of which all is known are tried together, as the checker does. Of the others one that is kept and survives
    whatever is unknown is survived; for any other that cannot be said.
    """
    gaps = gaps_of(rule, laid)
    if not any(laid.kind.alternates):
        gaps = (*gaps, Gap(Saying(code="audit.gap.no_alternates"), Weight.ALL))
    if any(gap.weight is Weight.ALL for gap in gaps):
        return Judged(rule, "not_judged", gaps=gaps)
    hard = [other for other in laid.kind.problem.rules if other.soft is None and other.survival != "none"]
    missing = {other.id: gaps_of(other, laid) for other in hard}
    known = [other for other in hard if not missing[other.id]]
    known.sort(key=lambda other: judged[other.id].verdict == "broken")  # what only no-shows break comes first
    unsure = [
        other.id
        for other in hard
        if missing[other.id]
        and rule.no_shows
        and rule.soft is None
        and not (
            judged[other.id].verdict == "kept"
            and all(_survives(rule, world) for world in worlds(other, laid, missing[other.id]))
        )
    ]
    if unsure:
        gaps = (*gaps, Gap(Saying(code="audit.gap.rules", params={"rules": unsure}), Weight.OPEN))
    found = World(_only(laid.kind, tuple(known)), rule).measures()
    tried = next((m for m in found if m.code == NO_SHOWS), None)
    if tried is not None and (untried := _untried(tried)):
        gaps = (*gaps, Gap(Saying(code="audit.gap.untried", params={"count": untried}), Weight.OPEN))
    verdict = _verdict(rule, [found], gaps)
    if verdict.verdict == "broken" or tried is None:
        return verdict
    return replace(verdict, tightest=Seen(tried, tried.value, tried.value))


def _survives(rule: Alternates, world: World) -> bool:
    """Whether every no-show leaves the one rule of a world unbroken; however many alternates are named."""
    measures = World(_only(world.panel, (world.rule,)), rule).measures()
    return all(measure.holds and not _untried(measure) for measure in measures if measure.code == NO_SHOWS)


def _untried(no_shows: Measure) -> int:
    """How many ways to stay away were too many to try."""
    return dict(no_shows.params).get("untried") or 0


def _only(panel: Panel, rules: tuple[Rule, ...]) -> Panel:
    return replace(panel, problem=replace(panel.problem, rules=rules))
