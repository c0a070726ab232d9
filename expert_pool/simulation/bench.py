"""What the lenses work with: panels settled and kept as points are, and pieces of results kept by what they hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from expert_pool.documents.files import put
from expert_pool.simulation.asking import Asked, Gathering
from expert_pool.simulation.results import Stored, digest, point_sha256, restored, stored
from solver.claims import level_costs
from solver.document import problem_sha256
from solver.engines.race import Cancelled
from solver.problem import Problem
from solver.progress import Reporter
from solver.sweeping.changes import Change
from solver.sweeping.crew import Task, sweep_all
from solver.sweeping.settled import Settled, lawful
from solver.sweeping.sweep import Plan

Piece = TypeVar("Piece", bound=BaseModel)


@dataclass(frozen=True)
class Bench:
    """One run. With a `shelf`, a folder, whatever was settled is kept there and not settled again."""

    asked: Asked
    gathering: Gathering
    shelf: Path | None
    versions: Mapping[str, str]
    workers: int
    report: Reporter
    cancelled: Cancelled

    def settle(
        self,
        problems: Sequence[Problem],
        points: Sequence[tuple[Change, ...]] = ((),),
        hashes: Sequence[str] | None = None,
    ) -> list[dict[int, Settled]]:
        """Every point of every problem; those that a stop left out are missing. `hashes` of the problems, where known."""
        names = [
            [point_sha256(sha256, point, self.versions) for point in points]
            for sha256 in hashes or map(problem_sha256, problems)
        ]
        return sweep_all(
            [Task(problem, tuple(points)) for problem in problems],
            workers=self.workers,
            known=lambda task, plan: self.known(names[task], plan),
            watch=lambda task, point, settled: self.put(names[task], point, settled, problems[task]),
            report=self.report,
            cancelled=self.cancelled,
        )

    def known(self, names: Sequence[str], plan: Plan) -> dict[int, Settled]:
        """Points kept before, by their places among the names: proven ones, and those that had as much time as they would
        have now. A panel that is not lawful, or does not cost what was written, is not believed."""
        found = {}
        for at, name in enumerate(names):
            part, problem = self.recall(name, Stored), plan.problems[at]
            if part is None or part.sha256 != name:
                continue
            patient = part.seconds >= problem.limits.seconds and part.stopped_by == "time"
            if part.status not in ("optimal", "infeasible") and not patient:
                continue
            try:
                settled = restored(part, problem, names)
            except KeyError:
                continue
            if _stands(settled):
                found[at] = settled
        return found

    def put(self, names: Sequence[str], at: int, settled: Settled, problem: Problem) -> None:
        """Keeps a point by its name."""
        self.keep(names[at], stored(settled, names[at], problem.limits.seconds, names))

    def recall(self, name: str, kind: type[Piece]) -> Piece | None:
        """What was kept by a name; None where there is nothing, or half a file."""
        if self.shelf is None:
            return None
        try:
            return kind.model_validate_json((self.shelf / f"{name}.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, name: str, piece: BaseModel) -> None:
        """Keeps a piece by a name."""
        if self.shelf is not None:
            self.shelf.mkdir(parents=True, exist_ok=True)
            put(self.shelf / f"{name}.json", piece.model_dump_json(indent=1).encode() + b"\n")

    def name(self, *hangs_on: Any) -> str:
        """What names a piece: everything it hangs on, the versions with it."""
        return digest([*hangs_on, dict(self.versions)])


def _stands(settled: Settled) -> bool:
    """Whether what was kept of a point agrees with itself: a panel where there is one to be, lawful, at its costs."""
    if settled.panel is None:
        return settled.status in ("infeasible", "unknown")
    costs = tuple(level_costs(settled.panel).values())
    return lawful(settled.panel) and (costs == settled.costs if settled.exact else True)


def answered(settled: Settled | None) -> bool:
    """Whether a point was settled and nothing is left open."""
    return settled is not None and settled.proven
