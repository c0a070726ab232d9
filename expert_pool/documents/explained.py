"""An explanation in lines of plain text, in one language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from expert_pool.documents.contents import signed
from expert_pool.documents.moved import stand, tell_moves
from expert_pool.documents.view import View
from expert_pool.words import cited, known, say
from solver.answer import Answer
from solver.explanation.document import (
    Change,
    Conflict,
    Explanation,
    GateBar,
    LevelChange,
    MemberWhy,
    OutsiderWhy,
    RuleWhy,
)
from solver.problem import Problem


def explained_text(said: Explanation, answer: Answer, problem: Problem, lang: str) -> list[str]:
    """The lines: what the panel costs now, then everybody asked about, then the rules."""
    telling = _Telling(View(answer, lang=lang, problem=problem), said.exact)
    lines = [telling.word("title", title=said.problem.title)]
    if not said.lawful:
        lines.append(telling.word("unlawful"))
    if said.levels:
        costs = [
            telling.word("level", goal=telling.goal(level.id, level.level), cost=level.cost)
            for level in said.levels
        ]
        lines.append(telling.word("levels", costs=costs, mode=said.mode))
    for member in said.members:
        lines += ["", *telling.member(member)]
    for outsider in said.outsiders:
        lines += ["", *telling.outsider(outsider)]
    for rule in said.rules:
        lines += ["", *telling.rule(rule)]
    if said.stopped_by is not None:
        lines += ["", telling.word("stopped", stopped=said.stopped_by)]
    elif not said.exact and telling.open:
        lines += ["", telling.word("quick")]
    return lines


class _Telling:
    def __init__(self, view: View, exact: bool) -> None:
        self.view, self.exact = view, exact
        self.open = False
        """Whether something was said that a search could say more exactly."""

    def word(self, name: str, /, **params: object) -> str:
        return say(f"explain.{name}", self.view.lang, **params)

    def member(self, why: MemberWhy) -> Iterator[str]:
        yield self.word("person", expert=why.expert, stand=stand(self.view, why.at))
        serves = [self.view.tell(reason) for reason in why.serves]
        yield "  " + (self.word("serves", reasons=self._list(serves)) if serves else self.word("serves_size"))
        if why.without.outcome == "impossible":
            yield "  " + self.word("irreplaceable")
            return
        yield "  " + self.word("without", said=self._cost(why.without))
        yield from self._people(why.without, why.expert)

    def outsider(self, why: OutsiderWhy) -> Iterator[str]:
        yield self.word("outsider", expert=why.expert)
        if why.excluded is not None:
            yield "  " + self.word("excluded", by=why.excluded.by, why=why.excluded.why)
        for gate in why.gates:
            yield from self._gate(gate)
        for conflict in why.conflicts:
            yield "  " + self._conflict(conflict)
        if why.seated is not None and why.seated.outcome == "impossible":
            yield "  " + self.word("impossible")
            yield from ("  " + self.view.tell(saying) for saying in why.clash)
        elif why.seated is not None:
            yield "  " + self.word("seated", said=self._cost(why.seated))
            yield from self._people(why.seated, why.expert)

    def rule(self, why: RuleWhy) -> Iterator[str]:
        result = why.result
        yield self.word("rule", rule=self.view.rule(result.id), said=self.view.tell(result.says))
        basis = cited(result.basis, self.view.lang) or None
        status = self.view.term("basis", result.basis_status) if basis else None
        yield "  " + self.word("margin", margin=signed(result.margin), basis=basis, status=status)
        if why.bars_alone is not None:
            yield "  " + self.word("bars_alone", count=why.bars_alone)
        if why.dropped is not None:
            yield "  " + self.word("dropped", said=self._cost(why.dropped))
            yield from self._people(why.dropped)
        if why.eased is not None:
            own = f"explain.eased.{result.rule}"
            code = own if known(own, self.view.lang) else "explain.eased"
            yield "  " + say(code, self.view.lang, said=self._cost(why.eased))
            yield from self._people(why.eased)

    def _gate(self, gate: GateBar) -> Iterator[str]:
        yield "  " + self.word(
            "barred",
            gate=self.view.rule(gate.id),
            said=self.view.tell(gate.says),
            groups=None if gate.everywhere else [self.view.group(group) for group in gate.groups],
            basis=cited(gate.basis, self.view.lang) or None,
            status=self.view.term("basis", gate.basis_status) if gate.basis else None,
        )
        yield from ("    " + self._conflict(conflict) for conflict in gate.conflicts)

    def _conflict(self, conflict: Conflict) -> str:
        return self.word(
            "conflict",
            kind=conflict.kind,
            expert=conflict.expert,
            case=conflict.case,
            record=conflict.why or None,
            basis=cited(conflict.basis, self.view.lang) or None,
        )

    def _people(self, change: Change, *known_to_go: str) -> Iterator[str]:
        if change.people is not None:
            told = tell_moves(self.view, change.people, *known_to_go)
            if told:
                yield "    " + self._list(told)

    def _cost(self, change: Change) -> str:
        """What a change costs, at the level that counts."""
        levels = change.levels
        differing = next((i for i, level in enumerate(levels) if level.most), None)
        if change.outcome == "open":
            return self._nothing_found(levels)
        if change.proven:
            if differing is None:
                return self.word("same")
            return self._at(levels[differing], "worse", "better")
        self.open = True
        unsure = next((level for level in levels if level.most != level.least), None)
        if differing is None:
            known_ = unsure is not None and unsure.least is not None
            return self._at(unsure, "same_unless") if unsure and known_ else self.word("same_open")
        level = levels[differing]
        bounded = level is unsure and level.least is not None
        if level.most and level.most > 0:
            return self._at(
                level, "worse_between" if bounded and (level.least or 0) >= 0 else "worse_at_most"
            )
        return self._at(level, "better_between" if bounded else "better_at_least")

    def _nothing_found(self, levels: Sequence[LevelChange]) -> str:
        self.open = True
        least = next((level for level in levels if level.least), None)
        code = "none_in_time" if self.exact else "none_found"
        if least is None or least.least is None or least.least < 0:
            return self.word(code)
        return self.word(code) + self._at(least, "worse_at_least")

    def _at(self, level: LevelChange, code: str, gain: str = "") -> str:
        """The sentence of a level; `gain` instead where the number is negative."""
        if gain and level.most is not None and level.most < 0:
            code = gain
        return self.word(
            code,
            goal=self.goal(level.id, level.level),
            most=None if level.most is None else abs(level.most),
            least=None if level.least is None else abs(level.least),
        )

    def goal(self, id_: str, level: int) -> str:
        """A level in words; a weighted problem has one, which adds up everything."""
        return self.word("total") if level == 0 else self.view.rule(id_)

    def _list(self, parts: Sequence[str]) -> str:
        return self.view.word("semicolon").join(parts)
