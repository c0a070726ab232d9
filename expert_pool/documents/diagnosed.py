"""A diagnosis in lines of plain text, in one language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expert_pool.documents.view import View
from expert_pool.words import cited, say
from solver.answer import Answer
from solver.diagnosis.document import (
    ConcessionResult,
    Diagnosis,
    RecruitmentResult,
    RelaxationResult,
    SetResult,
    StepResult,
)
from solver.problem import Problem

_NOBODY = Answer.model_construct(members=[], alternates=[], cases=[], rules=[], funnel=[])


def diagnosed_text(said: Diagnosis, problem: Problem, lang: str) -> list[str]:
    """The lines: the verdict, the sets, what may give way, whom to recruit, the ladder."""
    return list(_Telling(View(_NOBODY, lang=lang, problem=problem)).all(said))


class _Telling:
    def __init__(self, view: View) -> None:
        self.view = view

    def word(self, name: str, /, **params: Any) -> str:
        return say(f"diagnosis.{name}", self.view.lang, **params)

    def all(self, said: Diagnosis) -> Iterator[str]:
        yield self.view.tell(said.says)
        for number, clash in enumerate(said.sets, 1):
            yield ""
            yield from self.clash(clash, number if len(said.sets) > 1 else None)
        if said.sets and said.all_sets:
            yield self.word("all_sets", count=len(said.sets))
        if said.giving_way is not None:
            yield from ("", self.word(f"giving_way_{said.giving_way}"))
        if said.stuck is not None:
            yield from self.clash(said.stuck, None)
        for number, way in enumerate(said.relaxations, 1):
            yield ""
            yield from self.relaxation(way, number)
        if said.recruitment is not None:
            yield from ("", self.word("recruitment"))
            yield from self.recruitment(said.recruitment, "  ")
        if said.ladder:
            yield from ("", self.word("ladder"))
        for number, step in enumerate(said.ladder, 1):
            yield from self.step(step, number)
        if said.stopped_by is not None:
            yield from ("", self.word("stopped", stopped=said.stopped_by))

    def clash(self, clash: SetResult, number: int | None) -> Iterator[str]:
        yield self.word("together" if clash.minimal else "perhaps", number=number, count=len(clash.elements))
        for element in clash.elements:
            said = self.view.tell(element.says)
            doubt = None if element.settled else True
            yield "  - " + self.word("element", said=said, basis=self.basis(element.basis), doubt=doubt)
        for note in clash.notes:
            yield "  → " + self.view.tell(note)
        if not clash.exact:
            yield "  " + self.word("strict")

    def relaxation(self, way: RelaxationResult, number: int) -> Iterator[str]:
        kept = [self.view.rule(rule) for rule in way.kept] or None
        bound = None if way.proven else way.bound
        yield self.word("way", number=number, value=way.value, bound=bound, kept=kept)
        for concession in way.concessions:
            yield from self.concession(concession)
        yield from self.panel(way.panel)

    def concession(self, given: ConcessionResult) -> Iterator[str]:
        basis = self.basis(given.basis)
        said = self.word("semicolon").join(self.view.tell(saying) for saying in given.says)
        yield "  - " + self.word("concession", said=said, cost=given.cost, basis=basis)

    def recruitment(self, found: RecruitmentResult, indent: str) -> Iterator[str]:
        yield indent + self.view.tell(found.says)
        for profile in found.profiles:
            yield f"{indent}- " + self.view.tell(profile.says)

    def step(self, step: StepResult, number: int) -> Iterator[str]:
        changed = [self.view.rule(rule) for rule in step.rules] or None
        said = self.view.tell(step.says)
        yield f"  {number}. " + self.word("step", said=said, rules=changed, basis=self.basis(step.basis))
        if step.recruitment is not None and step.outcome == "with_recruits":
            for profile in step.recruitment.profiles:
                yield "     - " + self.view.tell(profile.says)
        if step.panel is not None:
            yield from self.panel(step.panel)

    def panel(self, panel: Answer) -> Iterator[str]:
        """Who would sit, a line for each group."""
        for group in dict.fromkeys(member.group for member in panel.members):
            members = [self.named(m.expert, m.role) for m in panel.members if m.group == group]
            waiting = [a.expert for a in panel.alternates if a.group == group] or None
            yield "    " + self.word("seats", group=self.view.group(group), members=members, waiting=waiting)

    def named(self, expert: str, role: str) -> str:
        return expert if role == "member" else self.word("role", expert=expert, role=role)

    def basis(self, text: str) -> str | None:
        return cited(text, self.view.lang) or None
