"""What a rule would need to know and the roster does not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pydantic import BaseModel

from expert_pool.audits.identity import Same, same_unit
from expert_pool.audits.laying import Laid
from expert_pool.audits.layout import PAGES, columns_for
from expert_pool.audits.roster import Unit
from expert_pool.audits.subjects import Grade
from solver.answer import Saying
from solver.facts import Where
from solver.rules import Gate, Rule
from solver.rules.cap import Cap

_STATED = frozenset({"self", "same_employer"})
"""Kinds of conflict that follow from the lists of people and cases; all others stand in the sheet of relations."""


class Weight(IntEnum):
    """What a gap does to a verdict."""

    SOME = 0
    """Both ways it may be can be looked at: where it does not matter the rule is decided all the same."""
    OPEN = 1
    """What is missing has no bounds: the rule may be found broken, and cannot be found kept."""
    ALL = 2
    """Without it there is nothing to judge."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing missing, as a sentence, with the people (indices) and the cases (labels) it is missing for."""

    says: Saying
    weight: Weight
    people: tuple[int, ...] = ()
    cases: tuple[str, ...] = ()


Finder = Callable[[Rule, Laid], Iterator[Gap]]


def gaps_of(rule: Rule, laid: Laid) -> tuple[Gap, ...]:
    """All that is missing to judge a rule; of gaps without which there is nothing to judge, these alone."""
    if rule.rule not in NEEDS:
        return (Gap(Saying(code="audit.gap.rule_unknown", params={"rule": rule.rule}), Weight.ALL),)
    finders: tuple[Finder, ...] = (_facts, *NEEDS[rule.rule])
    if getattr(rule, "scope", "panel") == "group" or getattr(rule, "of", "panel") == "group":
        finders += (_groups,)
    found = [gap for finder in finders for gap in finder(rule, laid)]
    return tuple([gap for gap in found if gap.weight is Weight.ALL] or found)


def tests_in(rule: BaseModel) -> Iterator[Where]:
    """Every test of a fact in a rule."""
    for name in type(rule).model_fields:
        value = getattr(rule, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Where):
                yield item
            elif isinstance(item, BaseModel):
                yield from tests_in(item)


def facts_in(rule: Rule) -> list[str]:
    """The facts of people that a rule looks at."""
    tested = [test.fact for test in tests_in(rule)]
    return list(dict.fromkeys([*tested, *([rule.fact] if isinstance(rule, Cap) else [])]))


def _looked_at(rule: Rule, laid: Laid) -> Sequence[int]:
    """The people whose facts a rule looks at."""
    panel = laid.kind
    if isinstance(rule, Gate):
        return panel.everybody
    if rule.rule == "roles":
        return [e for e in (panel.chair, *panel.deputies) if e is not None]
    return sorted(panel.members)


def _facts(rule: Rule, laid: Laid) -> Iterator[Gap]:
    people = _looked_at(rule, laid)
    for name in facts_in(rule):
        column = laid.kind.problem.facts[name]
        unknown = [e for e in people if column.show(e) is None]
        yield from _missing("fact", unknown, people, {"fact": name, "columns": columns_for(name)})
    if isinstance(rule, Cap) and rule.fact == "employer":
        units = [unit for e in people if (unit := laid.unit(e)) is not None]
        yield from _alike(units, units)


def _missing(
    code: str, unknown: Sequence[int], people: Sequence[int], params: Mapping[str, object]
) -> Iterator[Gap]:
    """What some people lack, or all of them."""
    if unknown:
        whole = "_of_all" if len(unknown) == len(people) else ""
        says = Saying(code=f"audit.gap.{code}{whole}", params={**params, "count": len(unknown)})
        yield Gap(says, Weight.SOME, tuple(unknown))


def _missing_cases(column: str, unknown: Sequence[str], weight: Weight) -> Iterator[Gap]:
    if unknown:
        params = {"column": PAGES["cases"].heading(column).shown, "count": len(unknown)}
        yield Gap(Saying(code="audit.gap.cases", params=params), weight, cases=tuple(unknown))


def _no_column(name: str) -> Gap:
    params = {"column": PAGES["people"].heading(name).shown}
    return Gap(Saying(code="audit.gap.column", params=params), Weight.ALL)


def _no_sheet(name: str, weight: Weight) -> Gap:
    page = PAGES[name]
    return Gap(Saying(code="audit.gap.sheet", params={"sheet": f"{page.zh} / {page.name}"}), weight)


def _alike(left: Sequence[Unit], right: Sequence[Unit]) -> Iterator[Gap]:
    """Employers whose names leave open whether they are one legal person."""
    pairs = {(a.name, b.name) for a in set(left) for b in set(right) if same_unit(a, b) is Same.MAYBE}
    if pairs:
        names = sorted({name for pair in pairs for name in pair})
        yield Gap(Saying(code="audit.gap.employers_alike", params={"employers": names}), Weight.SOME)


def _groups(rule: Rule, laid: Laid) -> Iterator[Gap]:
    """Who sits in which group, and which group judges which case."""
    if not laid.stated_groups:
        yield _no_column("group")
    elif rule.rule in ("case_peers", "quorum", "barred") and len(laid.kind.problem.groups) > 1:
        homeless = [case.label for case in laid.roster.cases or () if case.group is None]
        yield from _missing_cases("group", homeless, Weight.ALL)


def _roles(_: Rule, laid: Laid) -> Iterator[Gap]:
    if not laid.roster.has("people", "role"):
        yield _no_column("role")


def _group_least(_: Rule, laid: Laid) -> Iterator[Gap]:
    planned = laid.roster.groups
    if laid.seating is None and not (planned and all(group.low is not None for group in planned)):
        yield Gap(Saying(code="audit.gap.number", params={"policy": laid.policy.id}), Weight.OPEN)


def _previous(_: Rule, laid: Laid) -> Iterator[Gap]:
    sure, may = laid.kind.problem.previous, laid.harsh.problem.previous
    if not sure:
        yield _no_sheet("previous", Weight.ALL)
    unsure = {e for a, b in zip(sure, may, strict=True) for e in b.members - a.members}
    people = tuple(sorted(unsure & laid.kind.members.keys()))
    if people:
        code = "audit.gap.unplaced" if laid.roster.previous is None else "audit.gap.sat_before"
        says = Saying(code=code, params={"count": len(people)})
        yield Gap(says, Weight.SOME, people)


def _cases(_: Rule, laid: Laid) -> Iterator[Gap]:
    if laid.roster.cases is None:
        yield _no_sheet("cases", Weight.ALL)


def _case_subjects(rule: Rule, laid: Laid) -> Iterator[Gap]:
    grade = _grade(rule)
    unknown = [c.label for c in laid.roster.cases or () if laid.catalogue.lacks(c.subject, grade)]
    yield from _missing_cases(_column(grade), unknown, Weight.SOME)


def _group_subjects(rule: Rule, laid: Laid) -> Iterator[Gap]:
    """What each group judges."""
    grade = _grade(rule)
    unknown = [
        group.name
        for group, own in zip(laid.kind.problem.groups, laid.subjects, strict=True)
        if any(laid.catalogue.lacks(subject, grade) for subject in own)
    ]
    if unknown and laid.stated_groups:
        nowhere = all(own == (None,) for own in laid.subjects)
        says = Saying(code="audit.gap.group_subjects", params={"groups": unknown})
        yield Gap(says, Weight.ALL if nowhere else Weight.SOME)


def _subjects(rule: Rule, laid: Laid) -> Iterator[Gap]:
    """The specialties of the people."""
    grade = _grade(rule)
    people = _looked_at(rule, laid)
    unknown = [
        e
        for e in people
        if any(laid.catalogue.lacks(s, grade) for s in laid.roster.people[e].subjects or (None,))
    ]
    params = {"columns": [PAGES["people"].heading(_column(grade)).shown]}
    yield from _missing("specialty", unknown, people, params)


def _grade(rule: Rule) -> Grade:
    """What kind of peer a rule asks for."""
    return "broad" if getattr(rule, "grade", "close") == "broad" else "close"


def _column(grade: Grade) -> str:
    return "sub_specialty" if grade == "close" else "specialty"


def _relations(_: Rule, laid: Laid) -> Iterator[Gap]:
    if laid.roster.relations is None and any(c.members for c in laid.policy.conflicts.values()):
        yield _no_sheet("relations", Weight.OPEN)


def _conflicts(rule: Rule, laid: Laid) -> Iterator[Gap]:
    """Who is in conflict with which case. Only kinds that keep people out matter to `barred`."""
    counting = [c for c in laid.policy.conflicts.values() if rule.rule != "barred" or c.effect != "pair"]
    kinds = {c.kind for c in counting}
    cases = laid.roster.cases or ()
    if kinds - _STATED and laid.roster.relations is None:
        yield _no_sheet("relations", Weight.OPEN)
    if rule.rule == "barred" and any(c.effect == "group" for c in counting):
        yield from _groups(rule, laid)
    if "self" in kinds:
        nameless = [c.label for c in cases if c.applicant is None and c.code is None]
        yield from _missing_cases("applicant", nameless, Weight.OPEN)
        unsure = tuple(e for e in laid.kind.everybody if e in laid.perhaps_applicants)
        if unsure:
            yield Gap(Saying(code="audit.gap.applies", params={"count": len(unsure)}), Weight.SOME, unsure)
    if "same_employer" in kinds:
        people = _looked_at(rule, laid)
        unknown = [e for e in people if laid.unit(e) is None]
        columns = columns_for("employer")
        yield from _missing("fact", unknown, people, {"fact": "employer", "columns": columns})
        yield from _missing_cases("employer", [c.label for c in cases if c.unit is None], Weight.SOME)
        theirs = [laid.roster.meant(c.unit) for c in cases if c.unit is not None]
        yield from _alike([unit for e in people if (unit := laid.unit(e)) is not None], theirs)


NEEDS: Mapping[str, tuple[Finder, ...]] = {
    "alternates": (_groups,),
    "apart": (_relations,),
    "barred": (_cases, _conflicts),
    "cap": (),
    "case_peers": (_groups, _cases, _case_subjects, _subjects, _conflicts),
    "gate": (),
    "group_peers": (_groups, _group_subjects, _subjects),
    "group_size": (_groups, _group_least),
    "newcomers": (_previous,),
    "panel_size": (),
    "peer_grade": (_groups, _group_subjects, _subjects),
    "quorum": (_cases, _conflicts),
    "ratio": (),
    "roles": (_roles,),
    "share": (),
}
"""What each kind of rule needs besides the facts that its tests name. A kind that is not here is never judged."""
