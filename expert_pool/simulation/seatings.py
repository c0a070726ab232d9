"""Panels that are not the optimum: near-optimal ones, and today's draw; kept as they come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from expert_pool.simulation.bench import Bench
from expert_pool.simulation.lenses import DrawDoc, NearDoc
from expert_pool.simulation.results import PanelPart, Part, panel_from, panel_part
from solver.check import panel_of
from solver.diverse import several
from solver.document import problem_sha256
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress
from solver.screened_draw import ScreenedDraw

BATCH = 20
"""Drawn panels that are kept together."""


class Batch(Part):
    """Drawn panels, with the draws begun and the people exchanged for each."""

    panels: list[PanelPart | None]
    starts: list[int]
    exchanges: list[int]


class Near(Part):
    panels: list[PanelPart]


def near_panels(bench: Bench, problem: Problem, doc: NearDoc) -> tuple[Panel, ...]:
    """The best panel and others near it, each as unlike those before as can be."""
    name = bench.name("near", problem_sha256(problem), doc.model_dump(mode="json"))
    kept = bench.recall(name, Near)
    if kept is None:
        found = several(problem, doc.panels, doc.within, report=bench.report, cancelled=bench.cancelled)
        panels = [panel_of(problem, one.answer) for one in found.panels if one.answer.members]
        kept = Near(panels=[panel_part(panel) for panel in panels])
        if not bench.cancelled():
            bench.keep(name, kept)
    return tuple(panel_from(part, problem) for part in kept.panels)


def draws(bench: Bench, problem: Problem, sizes: Sequence[int], doc: DrawDoc, count: int) -> Batch:
    """So many of today's panels, in batches that are kept; the n-th has a random stream of its own."""
    draw = ScreenedDraw(problem, sizes)
    found = Batch(panels=[], starts=[], exchanges=[])
    said = [problem_sha256(problem), list(sizes), doc.procedure, doc.starts]
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        name = bench.name("drawn", *said, numbers.start, numbers.stop)
        batch = bench.recall(name, Batch)
        if batch is None:
            bench.report(Progress("drawing", done=first, total=count))
            done = [
                draw.draw(
                    np.random.default_rng([problem.seed, number]),
                    doc.procedure,
                    starts=doc.starts,
                    cancelled=bench.cancelled,
                )
                for number in numbers
            ]
            if bench.cancelled():
                break
            batch = Batch(
                panels=[None if one.panel is None else panel_part(one.panel) for one in done],
                starts=[one.starts for one in done],
                exchanges=[one.exchanges for one in done],
            )
            bench.keep(name, batch)
        found = Batch(
            panels=found.panels + batch.panels,
            starts=found.starts + batch.starts,
            exchanges=found.exchanges + batch.exchanges,
        )
    return found
