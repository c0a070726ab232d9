"""What every document of an audit says, in rows of plain text: report, workbook and terminal lay out the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from expert_pool.audits.report import Audit, FactRead, Finding, Missing, PersonRead, RuleVerdict
from expert_pool.documents.contents import bounds, signed
from expert_pool.words import cited, condition, say, term
from expert_pool.words.sentence import UNKNOWN, written_date
from solver.answer import Saying

_ORDER = {"broken": 0, "not_judged": 1, "kept": 2}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in words. `verdict` is `broken`, `short`, `not_judged` or `kept`."""

    id: str
    title: str
    verdict: str
    says: str
    value: str
    bounds: str
    margin: str
    basis: str
    status: str
    missing: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    rule: str
    title: str
    hard: bool
    says: str
    who: str
    value: str
    bounds: str
    margin: str
    basis: str
    status: str


@dataclass(frozen=True)
class AuditView:
    """One audit in one language."""

    audit: Audit
    lang: str = "zh"

    def word(self, name: str, /, **params: Any) -> str:
        """A label or sentence of the report."""
        return say(f"audit.{name}", self.lang, **params)

    def term(self, kind: str, value: Any) -> str:
        """A word of the house as it stands in a table, with a capital; empty for what is unknown."""
        said = term(kind, value, self.lang) if value not in (None, "") else ""
        return said[:1].upper() + said[1:]

    def rule(self, id: str) -> str:
        return self._titles.get(id, id)

    def tell(self, saying: Saying) -> str:
        """The sentence of a saying, with rules called by their titles."""
        params = {name: value for name, value in saying.params.items() if name != "lang"}
        if isinstance(params.get("broken_rule"), str):
            params["broken_rule"] = self.rule(params["broken_rule"])
        if isinstance(params.get("rules"), list):
            params["rules"] = [self.rule(str(id)) for id in params["rules"]]
        return say(saying.code, self.lang, **params)

    def cited(self, basis: str) -> str:
        return cited(basis, self.lang) or UNKNOWN

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        return {rule.id: self._title(rule.title) for rule in self.audit.rules}

    def _title(self, title: Saying) -> str:
        params = dict(title.params)
        if title.code == "name.share" and params.get("op"):
            params["what"] = condition(str(params["fact"]), str(params["op"]), params.get("than"), self.lang)
        return say(title.code, self.lang, **params)


def verdict_of(rule: RuleVerdict) -> str:
    """The verdict as a reader is told it: a wish that is not met is short, not broken."""
    return "short" if rule.verdict == "broken" and not rule.hard else rule.verdict


def rule_rows(view: AuditView) -> list[RuleRow]:
    """Every rule: broken ones first, then wishes not met, then those not judged, then the rest."""
    ordered = sorted(view.audit.rules, key=lambda r: (_ORDER[r.verdict], not r.hard))
    return [
        RuleRow(
            id=r.id,
            title=view.rule(r.id)
            if r.hard
            else say("documents.soft_title", view.lang, title=view.rule(r.id)),
            verdict=verdict_of(r),
            says="" if r.says is None or r.verdict == "not_judged" else view.tell(r.says),
            value=_range(r.value_low, r.value_high),
            bounds=bounds(r.low, r.high),
            margin=signed(r.margin),
            basis=view.cited(r.basis),
            status=view.term("basis", r.basis_status),
            missing=view.word("semicolon").join(missing(m, view) for m in r.missing),
        )
        for r in ordered
    ]


def finding_rows(view: AuditView) -> list[FindingRow]:
    """Every place where a rule is broken: those that must hold first, then wishes."""
    ordered = sorted(view.audit.findings, key=lambda f: not f.hard)
    return [
        FindingRow(
            rule=f.rule,
            title=view.rule(f.rule)
            if f.hard
            else say("documents.soft_title", view.lang, title=view.rule(f.rule)),
            hard=f.hard,
            says=_told(f, view),
            who=view.word("comma").join(_who(f)),
            value=_range(f.value_low, f.value_high),
            bounds=bounds(f.low, f.high),
            margin=signed(f.margin),
            basis=view.cited(f.basis),
            status=view.term("basis", f.basis_status),
        )
        for f in ordered
    ]


def missing(gap: Missing, view: AuditView, most: int = 6) -> str:
    """What is missing, with the people or cases it is missing for where they are few."""
    said, who = view.tell(gap.says), gap.people or gap.cases
    if not who or gap.says.code.endswith("_of_all"):
        return said
    shown = view.word("comma").join(who[:most])
    return view.word(
        "missing_for", missing=said, who=shown, more=len(who) - most if len(who) > most else None
    )


def conclusion(view: AuditView) -> str:
    """The outcome in one sentence."""
    counts = view.audit.counts
    code = "broken" if counts.broken else "undecided" if counts.not_judged else "clean"
    return view.word(f"conclusion.{code}", broken=counts.broken, undecided=counts.not_judged)


def summary(view: AuditView) -> list[tuple[str, str]]:
    """Label and text of what was audited, against what, with what outcome."""
    audit = view.audit
    roster, policy, counts = audit.roster, audit.policy, audit.counts
    rows = [
        (view.word("file"), roster.file),
        (view.word("on"), written_date(audit.on, view.lang)),
        (view.word("policy"), _policy(view)),
        (view.word("level"), view.term("level", policy.level)),
        (
            view.word("panel"),
            view.word(
                "panel_text", members=roster.members, alternates=roster.alternates, groups=len(roster.groups)
            ),
        ),
        (
            view.word("given"),
            view.word("given_text", cases=roster.cases, relations=roster.relations, previous=roster.previous),
        ),
        (
            view.word("counts"),
            view.word(
                "counts_text",
                kept=counts.kept,
                broken=counts.broken,
                short=counts.short,
                undecided=counts.not_judged,
            ),
        ),
    ]
    if policy.overrides:
        rows.append((view.word("overrides"), view.word("semicolon").join(_overrides(view))))
    if audit.registry is not None:
        used = audit.registry
        said = view.word(
            "registry_text", committee=used.committee, matched=used.matched, unmatched=len(used.unmatched)
        )
        rows.append((view.word("registry"), said))
    return [*rows, (view.word("sha256"), roster.sha256)]


def banners(view: AuditView) -> list[str]:
    """What must stand above everything: that the people are made up."""
    return [say("documents.made", view.lang)] if view.audit.made else []


def left_out(view: AuditView) -> list[tuple[str, str, str]]:
    """Rules that the policy leaves out for want of a number: the rules, the parameter as it is overridden, why."""
    return [
        (
            view.word("comma").join(_left_out_rule(rule, view) for rule in out.rules),
            out.parameter,
            out.note.get(view.lang, ""),
        )
        for out in view.audit.left_out
    ]


def taken(view: AuditView) -> Iterator[tuple[str, str, str, str]]:
    """Every fact that did not stand in the list of people: whose, which, its value, where from."""
    for person in view.audit.people:
        for name, fact in person.facts.items():
            if fact.source != "roster":
                record = view.term("cli.table", fact.record)
                source = view.word(f"source.{fact.source}", record=record or None)
                yield person.label, _fact(name, view), shown(name, fact, view), source


def taken_from_registry(view: AuditView) -> Iterator[tuple[str, str]]:
    """Whoever something was taken of from the registry that a rule looks at, and what, each with the record behind it."""
    wanted = {name for rule in view.audit.rules for name in rule.facts} | {"employer", "specialties"}
    for person in view.audit.people:
        said = [
            view.word(
                "taken_one",
                fact=_fact(name, view),
                value=shown(name, fact, view),
                record=view.term("cli.table", fact.record) or None,
            )
            for name, fact in person.facts.items()
            if fact.source == "registry" and name in wanted
        ]
        if said:
            yield person.label, view.word("semicolon").join(said)


def _fact(name: str, view: AuditView) -> str:
    return view.word("specialties") if name == "specialties" else view.term("fact", name)


def shown(name: str, fact: FactRead | None, view: AuditView) -> str:
    """A fact's value in words; empty where it is unknown."""
    if fact is None:
        return ""
    if isinstance(fact.value, list):
        return view.word("comma").join(fact.value)
    if name in ("term_until", "trained_until") or (isinstance(fact.value, int) and name not in ("rank",)):
        return view.term("words", fact.value) if isinstance(fact.value, bool) else str(fact.value)
    return view.term(name, fact.value)


def ordered_people(view: AuditView) -> list[PersonRead]:
    """Members by group, then alternates; else in the order of the list."""
    groups = {group: number for number, group in enumerate(view.audit.roster.groups)}
    return sorted(
        view.audit.people,
        key=lambda p: (p.role == "alternate", groups.get(p.group or "", 0), p.order or 0, p.row),
    )


def _told(finding: Finding, view: AuditView) -> str:
    said = view.tell(finding.says)
    if finding.value_low == finding.value_high:
        return said
    return view.word("at_best", said=said, low=finding.value_low, high=finding.value_high)


def _left_out_rule(rule: str, view: AuditView) -> str:
    for code in (f"title.{rule}", f"conflict.{rule}"):
        if (said := say(code, view.lang)) != code:
            return said
    return rule


def _who(finding: Finding) -> Iterable[str]:
    """The people, unless there are none; then the cases, where the sentence does not name its own."""
    return finding.people or ([] if "case" in finding.says.params else finding.cases)


def _policy(view: AuditView) -> str:
    policy = view.audit.policy
    title = policy.title.get(view.lang, policy.id)
    return view.word("policy_text", title=title, id=policy.id, version=policy.version)


def _overrides(view: AuditView) -> Iterator[str]:
    for override in view.audit.policy.overrides:
        name = view.term("parameter", override.parameter)
        yield view.word("override", name=name, value=override.value, by=override.by, why=override.why)


def _range(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return UNKNOWN
    return str(low) if low == high else f"{low}–{high}"
