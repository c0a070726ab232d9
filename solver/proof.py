"""The proof of a panel's bounds as a file, and its check in integers without an engine.

A stage of the proof holds, for one goal level, the leaves of a cover: bounds that branch, and integer row prices. Weak
duality turns them into what every panel costs at least, and into the seats that a better panel could still use. Where
the bound meets the value the level is proven by the file alone; elsewhere an engine searched the few seats left open, and
the check says which and how many.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import numpy as np
from pydantic import ValidationError

from solver.answer import Answer, Part, Saying
from solver.blocks import Linear
from solver.cover import kept_within, present
from solver.document import problem_sha256
from solver.errors import Fault, misfit
from solver.facts import Mask
from solver.model import Level, Model, build, funnel, layout
from solver.problem import Problem
from solver.reduce import Prices, certify, fits, unpriced
from solver.search import Outcome, Stage, summed

NOTHING = Linear.of([])
"""The cost of a branch that is to be shown impossible."""


class LeafProof(Part):
    """`bounds`: column, lower, upper, in the order of branching; `rows`: row, price (scaled by 2^20); `bound`: what they
    prove, scaled; `impossible`: they prove at no cost at all that the branch is empty."""

    bounds: list[tuple[int, int, int]]
    rows: list[tuple[int, int]]
    bound: int
    impossible: bool


class StageProof(Part):
    """One goal level. `allowed`: the most it may cost at later levels; `open`: seats that a panel of less cost than
    `value` could use; `engine`: who searched them (None where the prices prove the value)."""

    id: str
    value: int
    allowed: int
    floor: int
    open: int
    engine: Literal["cp_sat", "highs"] | None
    leaves: list[LeafProof]


class Proof(Part):
    """`proof/1`. `sha256` is that of the file without it, keys sorted."""

    format: Literal["proof/1"] = "proof/1"
    problem_sha256: str
    columns: int
    rows: int
    stages: list[StageProof]
    sha256: str = ""


class Verified(Part):
    """What the check of one stage showed: the value is proven by the prices alone (`by_prices`), or up to what an engine
    said of the seats left open."""

    id: str
    value: int
    floor: int
    open: int
    leaves: int
    by_prices: bool
    engine: str | None


class ProofVerdict(Part):
    """What the check of a proof came to. `holds`: it shows what it claims; `whole`: every level of an optimal panel.
    Where it does not hold, `says` and `where` tell why."""

    holds: bool
    whole: bool
    stages: list[Verified]
    where: str = ""
    says: Saying | None = None


def proof_of(outcome: Outcome) -> Proof:
    """The proof of an outcome, as far as its levels were settled."""
    proof = Proof(
        problem_sha256=problem_sha256(outcome.problem),
        columns=outcome.model.width,
        rows=len(outcome.model.lower),
        stages=[_stage(stage) for stage in outcome.stages],
    )
    return sealed(proof)


def sealed(proof: Proof) -> Proof:
    """The proof with the sha256 of what it says."""
    return proof.model_copy(update={"sha256": _digest(proof)})


def read_proof(text: bytes, where: str = "-") -> Proof:
    """The proof in a file. Raises Fault where it is none, or was changed after it was written."""
    try:
        proof = Proof.model_validate_json(text)
    except ValidationError as error:
        place, reason = misfit(error)
        raise Fault("proof.schema", f"{where}: {place}", reason=reason) from None
    if proof.sha256 != _digest(proof):
        raise Fault("proof.changed", where)
    return proof


def verify(problem: Problem, answer: Answer, proof: Proof) -> list[Verified]:
    """Recomputes every stage from the problem, in integers. Raises Fault naming the stage where the proof does not show
    what it claims, or does not belong to this problem and panel."""
    if proof.problem_sha256 != problem_sha256(problem):
        raise Fault("proof.other_problem", "problem_sha256", proof=proof.problem_sha256)
    model = build(problem, layout(problem, funnel(problem).passes))
    if (proof.columns, proof.rows) != (model.width, len(model.lower)):
        raise Fault("proof.other_model", "columns", columns=model.width, rows=len(model.lower))
    levels: Sequence[Level] = (summed(model.levels),) if problem.weighted else model.levels
    if len(proof.stages) > len(levels) or len(proof.stages) > len(answer.goals):
        raise Fault("proof.stages", "stages", has=len(proof.stages), levels=len(levels))
    shown = []
    for number, (stage, level, goal) in enumerate(
        zip(proof.stages, levels, answer.goals, strict=False), start=1
    ):
        where = f"stages.{number - 1}"
        if (stage.id, stage.value) != (
            level.id,
            goal.value,
        ) or stage.allowed != stage.value + level.tolerance:
            raise Fault("proof.claim", where, claimed=stage.value, panel=goal.value)
        leaves = _recomputed(model, level, stage, where)
        verified, kept = _judged(model, level, stage, leaves, where)
        shown.append(verified)
        if kept is not None:
            model = model.within(model.column_lower, np.where(kept, model.column_upper, 0))
        model = model.keeping(level, stage.allowed)
    return shown


def verdict(problem: Problem, answer: Answer, text: bytes, where: str = "-") -> ProofVerdict:
    """Whether a proof file holds for a problem and its panel. Raises Fault `proof.schema` where it is none, and as
    `build` does; what the proof fails to show is no fault but the verdict."""
    try:
        stages = verify(problem, answer, read_proof(text, where))
    except Fault as fault:
        if not fault.code.startswith("proof.") or fault.code == "proof.schema":
            raise
        said = Saying(code=fault.code, params=fault.params)
        return ProofVerdict(holds=False, whole=False, stages=[], where=fault.where, says=said)
    whole = len(stages) == len(answer.goals) and answer.status == "optimal"
    return ProofVerdict(holds=True, whole=whole, stages=stages)


def _stage(stage: Stage) -> StageProof:
    leaves = [] if stage.cover is None else stage.cover.leaves
    step = 1 if stage.cover is None else stage.cover.step
    return StageProof(
        id=stage.level.id,
        value=stage.value,
        allowed=stage.allowed,
        floor=stage.value if stage.cover is None else stage.cover.floor,
        open=0 if stage.cover is None else present(stage.cover.model, stage.cover.kept(stage.value - step)),
        engine=stage.engine,
        leaves=[
            LeafProof(
                bounds=list(leaf.bounds),
                rows=[(int(row), int(leaf.prices.row[row])) for row in leaf.prices.row.nonzero()[0]],
                bound=leaf.prices.bound,
                impossible=leaf.prices.impossible,
            )
            for leaf in leaves
        ],
    )


def _recomputed(
    model: Model, level: Level, stage: StageProof, where: str
) -> list[tuple[Model, Prices, LeafProof]]:
    if not _partition(model, [leaf.bounds for leaf in stage.leaves]):
        raise Fault("proof.branches", where)
    leaves = []
    for i, leaf in enumerate(stage.leaves):
        lower, upper = model.column_lower.copy(), model.column_upper.copy()
        for column, low, high in leaf.bounds:
            lower[column], upper[column] = max(low, lower[column]), min(high, upper[column])
        branch = model.within(lower, upper)
        suggested = np.zeros(len(model.lower), dtype=np.int64)
        for row, price in leaf.rows:
            if not 0 <= row < len(suggested) or abs(price) >= 2**62:
                raise Fault("proof.row", f"{where}.leaves.{i}", row=row)
            suggested[row] = price
        cost = NOTHING if leaf.impossible else level.cost
        safe = fits(branch, cost, suggested.astype(np.float64))
        if leaf.rows and not safe:
            raise Fault("proof.row", f"{where}.leaves.{i}", row=leaf.rows[0][0])
        prices = certify(branch, cost, suggested) if safe else unpriced(branch, cost)
        if prices.bound != leaf.bound or (leaf.impossible and prices.bound <= 0):
            raise Fault("proof.bound", f"{where}.leaves.{i}", claimed=leaf.bound, shown=prices.bound)
        leaves.append((branch, prices, leaf))
    return leaves


def _judged(
    model: Model, level: Level, stage: StageProof, leaves: list[tuple[Model, Prices, LeafProof]], where: str
) -> tuple[Verified, Mask | None]:
    """What the leaves show, and the columns that may still be used by who costs no more than is allowed."""
    step = max(1, int(np.gcd.reduce(level.cost.vals, initial=0)))
    if not leaves:
        floor, left, kept = model.least(level.cost), 0, None
    else:
        floor = min((prices.floor for _, prices, leaf in leaves if not leaf.impossible), default=stage.value)
        floor += (level.cost.constant - floor) % step
        better, kept = np.zeros(model.width, dtype=bool), np.zeros(model.width, dtype=bool)
        for branch, prices, leaf in leaves:
            if not leaf.impossible:
                better |= kept_within(branch, prices, stage.value - step)
                kept |= kept_within(branch, prices, stage.allowed)
        left = present(model, better)
    if (floor, left) != (stage.floor, stage.open):
        raise Fault("proof.bound", where, claimed=stage.floor, shown=floor)
    by_prices = floor >= stage.value
    if not by_prices and stage.engine is None:
        raise Fault("proof.gap", where, value=stage.value, floor=floor)
    shown = Verified(
        id=stage.id,
        value=stage.value,
        floor=floor,
        open=left,
        leaves=len(leaves),
        by_prices=by_prices,
        engine=None if by_prices else stage.engine,
    )
    return shown, kept


def _partition(model: Model, leaves: list[list[tuple[int, int, int]]], depth: int = 0) -> bool:
    """Whether the branches hold every whole point between them: at each depth one column, its range cut in two."""
    if len(leaves) <= 1:
        return not leaves or len(leaves[0]) == depth
    if any(len(bounds) <= depth for bounds in leaves):
        return False
    ranges = list(dict.fromkeys(bounds[depth] for bounds in leaves))
    if len(ranges) != 2 or ranges[0][0] != ranges[1][0] or ranges[0][2] + 1 != ranges[1][1]:
        return False
    column = ranges[0][0]
    if not 0 <= column < model.width:
        return False
    before = [bounds for bounds in leaves[0][:depth] if bounds[0] == column]
    low = max((bound[1] for bound in before), default=int(model.column_lower[column]))
    high = min((bound[2] for bound in before), default=int(model.column_upper[column]))
    if ranges[0][1] > low or ranges[1][2] < high:
        return False
    parts = [[bounds for bounds in leaves if bounds[depth] == one] for one in ranges]
    return all(_partition(model, part, depth + 1) for part in parts)


def _digest(proof: Proof) -> str:
    plain = proof.model_dump(mode="json", exclude={"sha256"})
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
