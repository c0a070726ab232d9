"""Rules and goals of a policy as objects of the solver, each checked where it stands in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from expert_pool.policies.document import BasisDoc
from expert_pool.policies.located import Path, nearest
from expert_pool.policies.parameters import Part, as_share, stood_on
from expert_pool.policies.parsing import misfit, parsed
from expert_pool.policies.vocabulary import FACTS, values
from solver.errors import Fault
from solver.facts import Column, Where
from solver.goals import GOALS, Goal
from solver.problem import Cases, Pairs, PolicyRef, Problem, Skills, Specialties
from solver.rules import RULES, Rule

if TYPE_CHECKING:
    from expert_pool.policies.load import _Reading

Kind = TypeVar("Kind", bound=BaseModel)
_EMPTY = np.empty(0, dtype=np.int64)
_FACTS = {name: Column(kind, _EMPTY) for name, kind in FACTS.items()}


class Judging:
    """The rules and goals of one policy for committees of one level."""

    def __init__(self, reading: _Reading, level: str) -> None:
        self.reading = reading
        self.located = reading.located
        self.level = level

    def rules(self) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for i, data in enumerate(self.reading.doc.rules):
            rule = self.one(("rules", i), data, "rule", RULES)
            if rule is not None:
                found.append(rule)
        return tuple(found)

    def goals(self) -> tuple[Goal, ...]:
        found: list[Goal] = []
        for i, data in enumerate(self.reading.doc.goals):
            goal = self.one(("goals", i), data, "goal", GOALS)
            if goal is not None:
                found.append(goal)
        return tuple(found)

    def one(
        self, path: Path, data: dict[str, Any], tag: str, family: Mapping[str, type[Kind]]
    ) -> Kind | None:
        """One rule or goal; None when it stands on a parameter without a number."""
        name = data.get(tag)
        if not isinstance(name, str) or name not in family:
            raise Fault(
                f"policy.{tag}_unknown",
                self.located.at((*path, tag)),
                name=str(name),
                nearest=nearest(name, family),
                known=", ".join(family),
            )
        self.once(path, data)
        model = family[name]
        part = self.reading.references.settle(path, data, self.level)
        needs = self.needed(path, part)
        lacking = {*part.lacking.values(), *needs}
        self.shares(path, part.data)
        if "basis" in part.data:
            part.data["basis"] = self.basis(path, part)
        made = self.made(model, path, part)
        if made is not None:
            for found, inside in _walk(made, ()):
                self.facts(found, (*path, *inside))
            self.sense(made, path, part, tag)
        for parameter in sorted(lacking):
            self.reading.note(parameter, self.level, str(data.get("id", name)))
        return None if lacking else made

    def once(self, path: Path, data: dict[str, Any]) -> None:
        """Raises Fault when an earlier rule or goal has the same id."""
        doc, at = self.reading.doc, int(path[1])
        earlier = doc.rules[:at] if path[0] == "rules" else [*doc.rules, *doc.goals[:at]]
        if any(other.get("id") == data.get("id") for other in earlier):
            raise Fault("policy.rule_twice", self.located.at((*path, "id")), id=str(data.get("id")))

    def needed(self, path: Path, part: Part) -> list[str]:
        """Parameters that a rule names in `needs` and that have no value."""
        names = part.data.pop("needs", [])
        if not isinstance(names, list):
            raise Fault(
                "policy.field_wrong",
                self.located.at((*path, "needs")),
                field="needs",
                value=str(names),
                why="a list of parameters",
            )
        found = []
        for i, name in enumerate(names):
            parameter = self.reading.references.find(name, self.located.at((*path, "needs", i)))
            part.at["needs", i] = parameter.name
            if parameter.at(self.level) is None:
                found.append(parameter.name)
        return found

    def basis(self, path: Path, part: Part) -> dict[str, Any]:
        doc = parsed(BasisDoc, self.located, (*path, "basis"), part.data["basis"])
        basis = self.reading.basis(doc, (*path, "basis"))
        return stood_on(basis, self.reading.parameters, part.names).model_dump()

    def shares(self, path: Path, data: Any) -> None:
        """Shares written as percentages become fractions; those outside 0..1 are refused."""
        if isinstance(data, dict):
            for key, value in data.items():
                if isinstance(value, str) and value.strip().endswith("%"):
                    data[key] = as_share(value, str(key), self.located.at((*path, key)))
                else:
                    self.shares((*path, key), value)
        elif isinstance(data, list):
            for i, item in enumerate(data):
                self.shares((*path, i), item)

    def made(self, model: type[Kind], path: Path, part: Part) -> Kind | None:
        """The object; None when all that is wrong with it stands where a number is lacking."""
        try:
            return model.model_validate(part.data)
        except ValidationError as error:
            for i, found in enumerate(error.errors(include_url=False)):
                if not part.without(tuple(found["loc"])):
                    raise misfit(model, self.located, path, error, i) from None
            return None

    def facts(self, found: Where | str, path: Path) -> None:
        """Raises Fault for an unknown fact, or a value its fact never has."""
        name = found if isinstance(found, str) else found.fact
        if name not in FACTS:
            near, known = nearest(name, FACTS), ", ".join(sorted(FACTS))
            raise Fault(
                "policy.fact_unknown", self.located.at((*path, "fact")), fact=name, nearest=near, known=known
            )
        allowed = values(name)
        if isinstance(found, str) or allowed is None:
            return
        wanted = found.value if isinstance(found.value, list) else [found.value]
        for value in wanted:
            if value not in allowed:
                raise Fault(
                    "policy.value_unknown",
                    self.located.at((*path, "value")),
                    fact=name,
                    value=str(value),
                    nearest=nearest(value, allowed),
                    known=", ".join(sorted(allowed)),
                )

    def sense(self, made: BaseModel, path: Path, part: Part, tag: str) -> None:
        """Raises Fault when the rule's own check finds it makes no sense."""
        if part.lacking or not isinstance(made, Rule | Goal):
            return
        try:
            made.check(_nobody())
        except Fault as fault:
            steps = fault.where.split(".")[2:]
            inside = tuple(int(step) if step.isdigit() else step for step in steps)
            raise Fault(fault.code, self.located.at((*path, *inside)), **fault.params) from None


def _walk(made: BaseModel, path: Path) -> Iterator[tuple[Where | str, Path]]:
    """Every test of a fact in a rule, and every fact it names by itself."""
    if isinstance(made, Where):
        yield made, path
        return
    for name in type(made).model_fields:
        value = getattr(made, name)
        if name == "fact" and isinstance(value, str):
            yield value, path
        items = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for i, item in items:
            if isinstance(item, BaseModel):
                yield from _walk(item, (*path, name) if i is None else (*path, name, i))


def _nobody() -> Problem:
    """A problem without people, in which a rule can look at its facts."""
    return Problem(
        title="",
        committee="",
        meeting="",
        on=date(2000, 1, 1),
        procedure="compose",
        policy=PolicyRef("", ""),
        seed=0,
        experts=(),
        facts=_FACTS,
        specialties=Specialties((), (), ()),
        skills=Skills(_EMPTY, _EMPTY, _EMPTY),
        cases=Cases((), _EMPTY, _EMPTY),
        groups=(),
        with_cases=Pairs.none(),
    )
