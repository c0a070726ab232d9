"""Which records led to a measure in a cycle before, and to which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.reevaluation.scheme import MEASURES, Measure
from expert_pool.registry import Cycle, CycleCase, CycleDecision, Verdict
from expert_pool.viewer import Viewer

ELSEWHERE = "-"
"""In place of a cycle of another organiser."""


@dataclass(frozen=True, slots=True)
class Acted:
    """In `cycle` a `measure` (index into MEASURES) was executed on these records (table and row). What a condition rests
    on is not among them: it calls for its measure as long as it holds."""

    cycle: str
    measure: int
    records: frozenset[tuple[str, int]]


def acted_on(session: Session, viewer: Viewer, known_at: datetime) -> Mapping[int, tuple[Acted, ...]]:
    """By expert (id), the measures executed until a moment, as they stood then: after an appeal that was settled by
    then, what it left of them. Those of other organisers count too, without their names."""
    rows = session.execute(
        select(
            CycleCase.id,
            CycleCase.expert_id,
            CycleCase.reasons,
            CycleDecision.measure,
            Cycle.code,
            Cycle.organiser_id,
        )
        .join(Cycle, Cycle.id == CycleCase.cycle_id)
        .join(CycleDecision, CycleDecision.case_id == CycleCase.id)
        .where(
            CycleCase.executed_at <= known_at,
            CycleDecision.verdict == Verdict.CONFIRMED,
            CycleDecision.answered_at <= known_at,
        )
        .order_by(CycleDecision.id)
    )
    last = {row.id: row for row in rows}
    found: dict[int, tuple[Acted, ...]] = {}
    for row in last.values():
        measure = MEASURES.index(Measure(row.measure))
        if measure <= MEASURES.index(Measure.LOOK):
            continue
        behind = frozenset(
            (table, number)
            for reason in json.loads(row.reasons)
            for table, number in reason["records"]
            if reason["already"] is None and reason["code"] != "conduct.condition"
        )
        code = row.code if viewer.owns(row.organiser_id) else ELSEWHERE
        found[row.expert_id] = (*found.get(row.expert_id, ()), Acted(code, measure, behind))
    return found
