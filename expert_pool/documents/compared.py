"""Two panels side by side in lines of plain text, in one language."""

from __future__ import annotations

from collections.abc import Iterator

from expert_pool.documents.contents import bounds, signed
from expert_pool.documents.moved import tell_moves
from expert_pool.documents.view import View
from expert_pool.words import say
from solver.answer import Answer
from solver.diff import CaseChange, CaseJudges, PanelDiff, RuleState
from solver.problem import Problem


def compared_text(said: PanelDiff, now: Answer, problem: Problem | None, lang: str) -> list[str]:
    """The lines: what differs between the problems, then people, goals, rules and cases."""
    view = View(now, lang=lang, problem=problem)

    def word(name: str, /, **params: object) -> str:
        return say(f"diff.{name}", lang, **params)

    lines = [
        word("field", field=word(f"field.{change.field}"), was=change.was or None, now=change.now or None)
        for change in said.problem
    ]
    lines += [word("status", was=said.was.status, now=said.now.status)] * (said.was.status != said.now.status)
    people = said.people
    lines.append(
        word(
            "people",
            came=len(people.came),
            left=len(people.left),
            moved=len(people.moved),
            stayed=people.stayed,
        )
    )
    lines += ["  " + told for told in tell_moves(view, people, most=1000)]
    for goal in said.goals:
        if goal.was != goal.now:
            change = None if goal.was is None or goal.now is None else signed(goal.now - goal.was)
            lines.append(word("goal", goal=view.rule(goal.id), was=goal.was, now=goal.now, change=change))
    for rule in said.rules:
        lines.append(
            word("rule", rule=view.rule(rule.id), was=_rule(rule.was, lang), now=_rule(rule.now, lang))
        )
    for case in said.cases:
        lines += _case(case, view)
    return [*lines, word("alike")] if said.alike else lines


def _rule(state: RuleState | None, lang: str) -> str | None:
    if state is None:
        return None
    range_ = bounds(state.low, state.high)
    if state.holds:
        return say("diff.rule_state", lang, value=state.value, bounds=range_, margin=signed(state.margin))
    return say("diff.rule_broken", lang, value=state.value, bounds=range_, short=abs(state.margin or 0))


def _case(change: CaseChange, view: View) -> Iterator[str]:
    def state(of: CaseJudges | None) -> str | None:
        if of is None:
            return None
        return say(
            "diff.case_state",
            view.lang,
            close=len(of.close),
            broad=len(of.broad),
            recused=len(of.recused),
            present=of.present,
            quorum=of.quorum,
        )

    yield say(
        "diff.case",
        view.lang,
        case=change.case,
        group=view.group(change.group),
        was=state(change.was),
        now=state(change.now),
    )
