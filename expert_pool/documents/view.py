"""One answer as one reader sees it: in a language, with the people and names this reader may know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from expert_pool.documents.people import Person
from expert_pool.documents.rule_naming import rule_title
from expert_pool.words import known, say, term
from solver.answer import Answer, RuleResult, Saying

if TYPE_CHECKING:
    from solver.problem import Problem


@dataclass(frozen=True)
class View:
    """`people`: pseudonym -> person; whoever is missing is shown by pseudonym. `problem`, where it is at hand, gives
    groups, specialties and rules their names; without it their ids show. `employers`: code -> name, for sentences that
    speak of an employer."""

    answer: Answer
    people: Mapping[str, Person] = field(default_factory=dict)
    lang: str = "zh"
    problem: Problem | None = None
    employers: Mapping[str, str] = field(default_factory=dict)

    def word(self, name: str, /, **params: Any) -> str:
        """A label or sentence of the documents."""
        return say(f"documents.{name}", self.lang, **params)

    def term(self, kind: str, value: Any) -> str:
        """A word of the house as it stands in a table, with a capital; empty for what is unknown."""
        said = term(kind, value, self.lang) if value not in (None, "") else ""
        return said[:1].upper() + said[1:]

    def person(self, pseudonym: str) -> Person:
        return self.people.get(pseudonym) or Person(pseudonym)

    @cached_property
    def named(self) -> bool:
        """Whether anybody in this panel is known by more than the pseudonym."""
        seated = (*(m.expert for m in self.answer.members), *(a.expert for a in self.answer.alternates))
        return any(e in self.people and self.people[e].name != e for e in seated)

    def group(self, id: str) -> str:
        return self._group_names.get(id, id)

    def specialty(self, code: str) -> str:
        return self._specialty_names.get(code, code)

    def rule(self, id: str) -> str:
        """The title of a rule or goal; several that were joined into one level are joined again."""
        return " + ".join(self._titles.get(part) or self._goal(part) for part in id.split("+"))

    def tell(self, saying: Saying) -> str:
        """The sentence of a saying, with rules called by their titles, people and employers by their names."""
        params = {**saying.params}
        if params.get("fact") == "employer":
            params["same"] = self.employers.get(str(params.get("same")), params.get("same"))
        if params.get("expert") in self.people:
            params["expert"] = self.person(params["expert"]).name
        if isinstance(params.get("experts"), list):
            params["experts"] = [self.person(str(who)).name for who in params["experts"]]
        for name in ("rule", "broken_rule"):
            if isinstance(params.get(name), str):
                params[name] = self.rule(params[name])
        for name in ("rules", "gates"):
            if isinstance(params.get(name), list):
                params[name] = [self.rule(str(id)) for id in params[name]]
        return say(saying.code, self.lang, **_without_lang(params))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The ids of the groups, in the order of the answer."""
        seated = (*(m.group for m in self.answer.members), *(a.group for a in self.answer.alternates))
        return tuple(dict.fromkeys((*seated, *(c.group for c in self.answer.cases))))

    @cached_property
    def _titles(self) -> dict[str, str]:
        plain = {r.id: self._title(r) for r in self.answer.rules}
        for gate in self.answer.funnel:
            plain.setdefault(gate.id, self._said_of_problem(gate.id) or self._goal(gate.id))
        if self.problem is not None:
            for rule in self.problem.rules:
                plain.setdefault(rule.id, self._said_of_problem(rule.id) or rule.id)
        times = Counter(plain.values())
        return {
            id: title if times[title] == 1 else self.word("title_of_several", title=title, id=id)
            for id, title in plain.items()
        }

    def _title(self, rule: RuleResult) -> str:
        if known(f"title.{rule.id}", self.lang):
            return say(f"title.{rule.id}", self.lang)
        said = self._said_of_problem(rule.id)
        return said or say(f"name.{rule.rule}", self.lang, **_without_lang(rule.says.params))

    def _said_of_problem(self, id: str) -> str | None:
        """A title made from the rule itself, e.g. what a share is a share of."""
        rule = next((r for r in self.problem.rules if r.id == id), None) if self.problem else None
        if rule is None:
            return say(f"title.{id}", self.lang) if known(f"title.{id}", self.lang) else None
        return rule_title(rule.id, rule.rule, rule.model_dump(mode="json"), self.lang)

    def _goal(self, id: str) -> str:
        for code in (f"goal.{id}", f"title.{id}"):
            if known(code, self.lang):
                return say(code, self.lang)
        if self.problem is not None:
            goal = next((g for g in self.problem.goals if g.id == id), None)
            if goal is not None:
                return say(f"goal.{goal.goal}", self.lang, **_without_lang(goal.model_dump(mode="json")))
        return id

    @cached_property
    def _group_names(self) -> dict[str, str]:
        return {g.id: g.name or g.id for g in self.problem.groups} if self.problem else {}

    @cached_property
    def _specialty_names(self) -> dict[str, str]:
        names = self.problem.specialties if self.problem else None
        return dict(zip(names.code, names.name, strict=True)) if names else {}


def _without_lang(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != "lang"}
