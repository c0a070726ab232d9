"""The audit: a roster and a policy in, `audit/1` out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from expert_pool.audits.gaps import Gap, facts_in, tests_in
from expert_pool.audits.judging import Judged, Seen, judge
from expert_pool.audits.laying import Laid, lay
from expert_pool.audits.report import (
    Audit,
    Counts,
    FactRead,
    Finding,
    LeftOut,
    Missing,
    OverrideUsed,
    PersonRead,
    PolicyUsed,
    RegistryUsed,
    RosterRead,
    RuleVerdict,
)
from expert_pool.audits.roster import Person, Roster, Subject
from expert_pool.audits.values import ALTERNATE
from expert_pool.policies.policy import Policy
from expert_pool.policies.vocabulary import FACTS
from expert_pool.region.names import MARK
from expert_pool.words import known
from solver.answer import Saying
from solver.check import says
from solver.rules import Rule


def audit(
    roster: Roster, policy: Policy, on: date, *, level: str = "senior", registry: RegistryUsed | None = None
) -> Audit:
    """The verdict on every rule of a policy for committees of `level`, on the panel of a roster as of the day `on`.

    `registry` says what was taken from there, where `roster` was completed from it. Raises Fault
    `policy.level_unknown`.
    """
    policy.rules(level)
    laid = lay(roster, policy, level, on)
    judged = judge(laid)
    rules = [_rule(one, laid) for one in judged]
    findings = [_finding(one.rule, seen, laid) for one in judged for seen in one.broken]
    waiting = sum(person.role == ALTERNATE for person in roster.people)
    return Audit(
        roster=RosterRead(
            file=roster.file,
            sha256=roster.sha256,
            members=len(roster.people) - waiting,
            alternates=waiting,
            groups=[group.name for group in laid.kind.problem.groups if group.name],
            cases=None if roster.cases is None else len(roster.cases),
            relations=None if roster.relations is None else len(roster.relations),
            previous=None if roster.previous is None else len(roster.previous),
        ),
        on=on.isoformat(),
        policy=PolicyUsed(
            id=policy.id,
            version=policy.version,
            sha256=policy.sha256,
            title=dict(policy.title),
            procedure=policy.procedure,
            level=level,
            overrides=[
                OverrideUsed(
                    parameter=o.parameter,
                    value=dict(o.value) if isinstance(o.value, Mapping) else o.value,
                    by=o.by,
                    on=o.on.isoformat(),
                    why=o.why,
                )
                for o in policy.overrides
            ],
        ),
        made=any(MARK in person.name for person in roster.people),
        counts=Counts(
            kept=sum(rule.verdict == "kept" for rule in rules),
            broken=sum(rule.verdict == "broken" and rule.hard for rule in rules),
            short=sum(rule.verdict == "broken" and not rule.hard for rule in rules),
            not_judged=sum(rule.verdict == "not_judged" for rule in rules),
        ),
        rules=rules,
        findings=findings,
        left_out=[
            LeftOut(parameter=u.parameter, rules=list(u.leaves_out), note=dict(u.note))
            for u in policy.unstated
            if u.leaves_out and (not u.levels or level in u.levels)
        ],
        notes=[*roster.notes, *_notes(laid)],
        registry=registry,
        people=[_person(number, laid) for number in range(len(roster.people))],
        version=_version(),
    )


def _rule(judged: Judged, laid: Laid) -> RuleVerdict:
    rule, seen = judged.rule, judged.tightest
    tightest = None if seen is None else seen.measure
    return RuleVerdict(
        id=rule.id,
        rule=rule.rule,
        title=title_of(rule),
        verdict=judged.verdict,
        hard=rule.soft is None,
        facts=facts_in(rule),
        says=None if tightest is None else says(laid.kind, tightest),
        value_low=None if seen is None else seen.least,
        value_high=None if seen is None else seen.most,
        low=None if tightest is None else tightest.low,
        high=None if tightest is None else tightest.high,
        margin=None if tightest is None or judged.verdict == "not_judged" else tightest.margin,
        basis=rule.basis.text,
        basis_status=rule.basis.status,
        missing=[_missing(gap, laid) for gap in judged.gaps],
    )


def _finding(rule: Rule, seen: Seen, laid: Laid) -> Finding:
    problem, measure = laid.kind.problem, seen.measure
    return Finding(
        rule=rule.id,
        hard=rule.soft is None,
        says=says(laid.kind, measure),
        value_low=seen.least,
        value_high=seen.most,
        low=measure.low,
        high=measure.high,
        margin=measure.margin,
        people=[problem.experts[e] for e in measure.experts],
        cases=[problem.cases.id[c] for c in measure.cases],
        group=None if measure.group is None else problem.groups[measure.group].name,
        basis=rule.basis.text,
        basis_status=rule.basis.status,
    )


def _missing(gap: Gap, laid: Laid) -> Missing:
    people = [laid.roster.people[e].label for e in gap.people]
    return Missing(says=gap.says, people=people, cases=list(gap.cases))


def title_of(rule: Rule) -> Saying:
    """What a rule is called: by its id where the catalogues know it, else by its kind and what it tests."""
    if known(f"title.{rule.id}"):
        return Saying(code=f"title.{rule.id}")
    tests = [(test.fact, test.op, test.value) for test in tests_in(rule)]
    fact, op, than = tests[0] if tests else (getattr(rule, "fact", None), None, None)
    params = {"fact": fact, "op": op, "than": than, "grade": getattr(rule, "grade", None), "what": None}
    return Saying(code=f"name.{rule.rule}", params={k: v for k, v in params.items() if v is not None})


def _notes(laid: Laid) -> list[Saying]:
    """What a reader must know about how it was judged."""
    roster, notes = laid.roster, []
    if laid.policy.procedure == "draw":
        notes.append(Saying(code="audit.note.draw"))
    if roster.relations is not None:
        notes.append(Saying(code="audit.note.relations_as_given", params={"count": len(roster.relations)}))
    if any(not unit.legal for p in range(len(roster.people)) if (unit := laid.unit(p)) is not None):
        notes.append(Saying(code="audit.note.employers_as_written"))
    if len(laid.policy.rules(laid.level)) > len(laid.kind.problem.rules):
        notes.append(Saying(code="audit.note.locks"))
    asked = laid.seating.alternates if laid.seating else 0
    waiting = sum(map(len, laid.kind.alternates))
    if 0 < waiting < asked and not any(g.alternates is not None for g in roster.groups or ()):
        notes.append(Saying(code="audit.note.alternates_shared", params={"asked": asked, "named": waiting}))
    return notes


def _person(number: int, laid: Laid) -> PersonRead:
    person = laid.roster.people[number]
    unit, meant = person.unit, laid.unit(number)
    return PersonRead(
        label=person.label,
        row=person.row,
        name=person.name,
        code=person.code,
        role=person.role,
        group=person.group,
        order=person.order,
        employer=unit.name if unit else None,
        legal_person=meant.name if meant and meant.legal else None,
        specialties=[_subject(subject) for subject in person.subjects],
        facts=_facts_read(person, number, laid),
    )


def _facts_read(person: Person, number: int, laid: Laid) -> dict[str, FactRead]:
    facts: dict[str, FactRead] = {}
    columns: Mapping[str, Any] = laid.kind.problem.facts
    for name in FACTS:
        value = columns[name].show(number)
        if value is None or (name == "employer" and name not in person.sources):
            continue
        if name in person.sources:
            facts[name] = FactRead(value=value, source="registry", record=person.sources[name] or None)
        else:
            facts[name] = FactRead(value=value, source="roster" if name in person.facts else "cases")
    if "specialties" in person.sources:
        held = [_subject(subject) for subject in person.subjects]
        facts["specialties"] = FactRead(value=held, source="registry", record=person.sources["specialties"])
    return facts


def _subject(subject: Subject) -> str:
    return "/".join(part for part in (subject.broad, subject.sub) if part)


def _version() -> str:
    try:
        return version("expert-pool")
    except PackageNotFoundError:
        return "checkout"
