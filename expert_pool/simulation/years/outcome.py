"""What became of a committee in a season: its panel, or what it lacks."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from solver.answer import GoalResult, Saying, Status, Stopped
from solver.panel import Panel
from solver.problem import Problem

Fate = Literal["seated", "climbed", "dry", "open"]
"""`seated` under all rules; `climbed`: only after a step of the thin-pool ladder; `dry`: proven that there is no panel, on
any step; `open`: neither was found in time."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LackPart(Part):
    """So many people of a sub-specialty in a group, with what is asked of them beside passing the gates, would do."""

    count: int
    group: str
    specialty: str
    facts: dict[str, bool | int | str | None]
    rules: list[str]


class NeedPart(Part):
    """The fewest people with whom the panel could sit: `missing`, proven to be no fewer than `bound`; null where no number
    helps, or none was found in time."""

    status: Literal["found", "no_number_helps", "undecided"]
    missing: int | None
    bound: int
    lacks: list[LackPart]


class Fated(Part):
    """The outcome of one problem. Members by group, alternates in calling order; `why`: what cannot hold together, where no
    panel exists; `step`: of the ladder."""

    fate: Fate
    status: Status
    stopped_by: Stopped | None
    seconds: float
    goals: list[GoalResult] = []
    members: dict[str, list[str]] = {}
    chair: str | None = None
    deputies: list[str] = []
    alternates: dict[str, list[str]] = {}
    step: str | None = None
    need: NeedPart | None = None
    why: list[Saying] = []

    @property
    def settled(self) -> bool:
        """Whether nothing was left open by a limit."""
        undecided = self.need is not None and self.need.status == "undecided"
        return self.status in ("optimal", "infeasible") and self.fate != "open" and not undecided

    def panel(self, problem: Problem) -> Panel | None:
        """The panel again; KeyError where somebody is not in the problem."""
        if not self.members:
            return None
        experts = {id_: e for e, id_ in enumerate(problem.experts)}
        groups = {group.id: g for g, group in enumerate(problem.groups)}
        seated = {experts[id_]: groups[g] for g, own in self.members.items() for id_ in own}
        return Panel(
            problem,
            seated,
            None if self.chair is None else experts[self.chair],
            tuple(experts[id_] for id_ in self.deputies),
            tuple(
                tuple(experts[id_] for id_ in self.alternates.get(group.id, ())) for group in problem.groups
            ),
        )


def panel_fields(panel: Panel) -> dict[str, object]:
    """A panel by its pseudonyms."""
    problem = panel.problem
    names = problem.experts
    waiting = zip(problem.groups, panel.alternates, strict=False)
    return {
        "members": {
            g.id: [names[e] for e in own] for g, own in zip(problem.groups, panel.by_group, strict=True)
        },
        "chair": None if panel.chair is None else names[panel.chair],
        "deputies": [names[e] for e in panel.deputies],
        "alternates": {group.id: [names[e] for e in called] for group, called in waiting},
    }


def key_of(problem: Problem, frame: str) -> str:
    """A name for a problem by all that its outcome depends on but patience; `frame` names its rules, goals and catalogue."""
    made = hashlib.sha256()
    told = [frame, problem.on.isoformat(), str(problem.seed), "\x1f".join(problem.experts)]
    told += [
        "\x1f".join(problem.cases.id),
        repr(problem.groups),
        repr(problem.locks),
        repr(problem.exclusions),
    ]
    told += [repr((p.id, p.on, sorted(p.members), p.size)) for p in problem.previous]
    told += [
        repr(problem.specialties.code),
        str(problem.limits.gap),
        ",".join(rule.id for rule in problem.rules),
    ]
    for name, column in problem.facts.items():
        told.append(f"{name}:{column.type}:{'|'.join(column.names)}")
    made.update("\x1e".join(told).encode())
    pairs = (problem.between, problem.with_cases)
    arrays = [column.values for column in problem.facts.values()]
    arrays += [problem.skills.expert, problem.skills.specialty, problem.skills.proficiency]
    arrays += [problem.cases.specialty, problem.cases.group]
    arrays += [array for p in pairs for array in (p.left, p.right, p.kind)]
    for array in arrays:
        made.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
        made.update(b"\x1e")
    return made.hexdigest()
