"""Two panels side by side: `panel-diff/1`. People first, then what their change does to goals, rules and cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from solver.answer import Answer, CaseResult, GoalResult, Part, RuleResult, Status, Stopped
from solver.assemble import reference
from solver.check import judge, panel_of
from solver.errors import Fault
from solver.explanation.standing import costs_of, rungs
from solver.moves import Moves, moves, stands_in
from solver.problem import Problem
from solver.reasons import cases_of

Key = TypeVar("Key")
Value = TypeVar("Value")


class FieldChange(Part):
    """A field of the problem reference that differs."""

    field: str
    was: str
    now: str


class Side(Part):
    """One of the two answers."""

    problem: str
    status: Status
    stopped_by: Stopped | None
    mode: Literal["lexicographic", "weighted"]
    members: int
    alternates: int


class GoalChange(Part):
    """What one goal level costs in both panels; None where a panel's problem has no such level."""

    id: str
    level: int
    was: int | None
    now: int | None


class RuleState(Part):
    holds: bool
    value: int | None
    low: int | None
    high: int | None
    margin: int | None


class RuleChange(Part):
    """A rule that holds otherwise, or by another margin."""

    id: str
    rule: str
    was: RuleState | None
    now: RuleState | None


class CaseJudges(Part):
    """Who may judge a case, and the quorum left."""

    close: list[str]
    broad: list[str]
    recused: dict[str, list[str]]
    quorum: int | None
    present: int


class CaseChange(Part):
    """A case that others may judge now, or with another quorum."""

    case: str
    group: str
    was: CaseJudges | None
    now: CaseJudges | None


class PanelDiff(Part):
    """`panel-diff/1`.

    `measured` is the hash of the problem under which both panels were measured anew; null: the figures are those
    that the answers give of themselves. `problem` lists what differs between their problems.
    """

    format: Literal["panel-diff/1"] = "panel-diff/1"
    was: Side
    now: Side
    measured: str | None
    same_problem: bool
    problem: list[FieldChange]
    people: Moves
    goals: list[GoalChange]
    rules: list[RuleChange]
    cases: list[CaseChange]

    @property
    def alike(self) -> bool:
        """Whether nothing differs but what the answers say of their making."""
        people = self.people
        return not (people.came or people.left or people.moved or self.rules or self.cases) and all(
            goal.was == goal.now for goal in self.goals
        )


def diff(problem: Problem | None, was: Answer, now: Answer) -> PanelDiff:
    """What differs between two panels.

    With a problem both are measured under its rules, whatever the documents claim; without one the claims are
    compared, be they of one problem or of two. Raises Fault where a panel is empty, or does not fit the problem.
    """
    for name, answer in (("was", was), ("now", now)):
        if not answer.members:
            raise Fault("panel.empty", f"{name}.members")
    old, new = _measured(problem, was), _measured(problem, now)
    return PanelDiff(
        was=_side(was),
        now=_side(now),
        measured=None if problem is None else reference(problem).sha256,
        same_problem=was.problem.sha256 == now.problem.sha256,
        problem=_fields(was, now),
        people=moves(stands_in(was), stands_in(now)),
        goals=[
            GoalChange(id=id_, level=level, was=before, now=after)
            for (level, id_), before, after in _joined(_goals(old.goals), _goals(new.goals))
        ],
        rules=[
            RuleChange(id=id_, rule=rule, was=before, now=after)
            for (id_, rule), before, after in _joined(_rules(old.rules), _rules(new.rules))
            if before != after
        ],
        cases=[
            CaseChange(case=case, group=group, was=before, now=after)
            for (case, group), before, after in _joined(_cases(old.cases), _cases(new.cases))
            if before != after
        ],
    )


def _measured(problem: Problem | None, answer: Answer) -> Answer:
    """The answer with the goals, rules and cases that its panel has under the problem."""
    if problem is None:
        return answer
    panel = panel_of(problem, answer)
    goals = [
        GoalResult(id=rung.id, level=rung.level, value=cost, bound=cost, proven=False)
        for rung, cost in zip(rungs(problem), costs_of(panel), strict=True)
    ]
    rules, _ = judge(panel)
    return answer.model_copy(update={"goals": goals, "rules": rules, "cases": cases_of(panel)})


def _side(answer: Answer) -> Side:
    return Side(
        problem=answer.problem.sha256,
        status=answer.status,
        stopped_by=answer.stopped_by,
        mode=answer.mode,
        members=len(answer.members),
        alternates=len(answer.alternates),
    )


def _fields(was: Answer, now: Answer) -> list[FieldChange]:
    before, after = was.problem.model_dump(), now.problem.model_dump()
    return [
        FieldChange(field=field, was=str(value), now=str(after[field]))
        for field, value in before.items()
        if value != after[field]
    ]


def _goals(results: list[GoalResult]) -> dict[tuple[int, str], int]:
    return {(goal.level, goal.id): goal.value for goal in results}


def _rules(results: list[RuleResult]) -> dict[tuple[str, str], RuleState]:
    return {
        (r.id, r.rule): RuleState(holds=r.holds, value=r.value, low=r.low, high=r.high, margin=r.margin)
        for r in results
    }


def _cases(results: list[CaseResult]) -> dict[tuple[str, str], CaseJudges]:
    return {
        (c.case, c.group): CaseJudges(
            close=sorted(c.close),
            broad=sorted(c.broad),
            recused=c.recused,
            quorum=c.quorum,
            present=c.present,
        )
        for c in results
    }


def _joined(
    was: Mapping[Key, Value], now: Mapping[Key, Value]
) -> list[tuple[Key, Value | None, Value | None]]:
    """Both sides by key, those of the first in its order, then those that only the second has."""
    return [(key, was.get(key), now.get(key)) for key in (*was, *(key for key in now if key not in was))]
