"""A scenario from its file to its result: what is known already is read, the rest is settled, each point kept as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from expert_pool.simulation.asking import Asked, Gathering
from expert_pool.simulation.bench import Bench
from expert_pool.simulation.lensing import through_lenses
from expert_pool.simulation.naming import named_in
from expert_pool.simulation.questions import tipped, trace
from expert_pool.simulation.results import (
    BasePart,
    MarginalPart,
    PointPart,
    Simulation,
    digest,
    point_sha256,
)
from expert_pool.simulation.spreading import (
    Axis,
    changes_at,
    number,
    places_of,
    values_at,
)
from expert_pool.simulation.years.running import simulate_years
from solver.document import problem_sha256
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.progress import Reporter, silent

POINTS = "points"


def simulate(
    asked: Asked,
    folder: Path | None = None,
    *,
    workers: int = 1,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Simulation:
    """Settles everything a scenario asks. With a `folder` each point is kept there as it comes, and what was kept before is
    not settled again; the document is left to the caller."""
    doc = asked.scenario.doc
    gathering = Gathering()
    versions = _versions()
    hashes = [problem_sha256(problem) for problem in asked.problems]
    shelf = None if folder is None else folder / POINTS
    bench = Bench(asked, gathering, shelf, versions, workers, report, cancelled)
    points = _swept(bench, hashes) if doc.sweep is not None else []
    tips = [tipped(bench, i) for i in range(len(doc.tipping)) if not cancelled()]
    traced = trace(bench) if doc.pareto is not None and not cancelled() else None
    ahead = None
    if doc.years is not None and not cancelled():
        ahead = simulate_years(
            asked.scenario, asked.problems, digest(versions), folder,
            workers=workers, report=report, cancelled=cancelled,
        )  # fmt: skip
    seen = through_lenses(bench)
    complete = (
        gathering.complete
        and len(points) == _laid(asked)
        and len(tips) == len(doc.tipping)
        and (doc.pareto is None or (traced is not None and traced.complete))
        and (doc.years is None or (ahead is not None and ahead.complete))
    )
    return _empty(asked, hashes, versions).model_copy(
        update={
            "points": points,
            "marginal": list(_marginal(points, asked.axes)),
            "tipping": tips,
            "frontier": traced,
            "years": ahead,
            **seen,
            "panels": dict(sorted(gathering.panels.items())),
            "complete": complete,
            "stopped": cancelled() and not complete,
        }
    )


def laid_out(asked: Asked) -> tuple[Simulation, list[tuple[int, int, dict[str, str], str]]]:
    """The result with nothing settled yet, and of every point number, base, values and sha256."""
    versions = _versions()
    hashes = [problem_sha256(problem) for problem in asked.problems]
    places = places_of(asked.scenario, asked.axes) if asked.scenario.doc.sweep else []
    points = [
        (
            base * len(places) + at,
            base,
            dict(values_at(asked.axes, place)),
            point_sha256(sha256, changes_at(asked.axes, place), versions),
        )
        for base, sha256 in enumerate(hashes)
        for at, place in enumerate(places)
    ]
    return _empty(asked, hashes, versions), points


def _empty(asked: Asked, hashes: Sequence[str], versions: Mapping[str, str]) -> Simulation:
    doc = asked.scenario.doc
    said = doc.model_dump(mode="json", by_alias=True)
    named = named_in(asked.problems)
    cycles = [one for _, one in sorted(asked.scenario.cycles.items())]
    return Simulation(
        title=None if doc.title is None else doc.title.model_dump(),
        inputs_sha256=digest(
            [
                said,
                hashes,
                versions,
                *(asked.histories.hangs_on if asked.histories else ()),
                *(one.part.sha256 for one in cycles),
            ]
        ),
        scenario=said,
        versions=dict(versions),
        bases=[
            BasePart(
                number=i,
                problem_sha256=sha256,
                title=problem.title,
                committee=problem.committee,
                meeting=problem.meeting,
                on=problem.on.isoformat(),
                experts=len(problem.experts),
                made=problem.made,
            )
            for i, (problem, sha256) in enumerate(zip(asked.problems, hashes, strict=True))
        ],
        axes={axis.name: list(axis.values) for axis in asked.axes},
        asked=_laid(asked),
        points=[],
        marginal=[],
        tipping=[],
        frontier=None,
        goals=named.goals,
        rules=named.rules,
        groups=named.groups,
        cycles=[one.part for one in cycles],
        panels={},
        complete=False,
    )


def _laid(asked: Asked) -> int:
    if asked.scenario.doc.sweep is None:
        return 0
    return len(places_of(asked.scenario, asked.axes)) * len(asked.problems)


def _versions() -> dict[str, str]:
    found = {}
    for package in ("expert-pool", "ortools", "highspy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "checkout"
    return found


def _swept(bench: Bench, hashes: Sequence[str]) -> list[PointPart]:
    asked = bench.asked
    places = places_of(asked.scenario, asked.axes)
    changes = [changes_at(asked.axes, place) for place in places]
    done = bench.settle(asked.problems, changes, hashes)
    parts = []
    for task, settled in enumerate(done):
        for at, one in sorted(settled.items()):
            parts.append(
                PointPart(
                    number=task * len(places) + at,
                    base=task,
                    values=dict(values_at(asked.axes, places[at])),
                    status=one.status,
                    stopped_by=one.stopped_by,
                    goals=list(one.goals),
                    unique=one.unique,
                    how=one.how,
                    source=None if one.source is None else task * len(places) + one.source,
                    panel=bench.gathering.keep(one.panel),
                    sha256=point_sha256(hashes[task], changes[at], bench.versions),
                )
            )
    return parts


def _marginal(points: Sequence[PointPart], axes: Sequence[Axis]) -> list[MarginalPart]:
    """Difference quotients between neighbours on each axis, at every goal level that both ends have proven."""
    found = []
    by_place = {(p.base, tuple(p.values.items())): p for p in points if p.status == "optimal"}
    for (base, values), point in by_place.items():
        for axis in axes:
            here = dict(values)
            at = axis.values.index(here[axis.name])
            if at + 1 == len(axis.values):
                continue
            beside = tuple({**here, axis.name: axis.values[at + 1]}.items())
            other = by_place.get((base, beside))
            if other is None:
                continue
            rest = {name: value for name, value in here.items() if name != axis.name}
            for low, high in zip(point.goals, other.goals, strict=True):
                difference = high.value - low.value
                found.append(
                    MarginalPart(
                        base=base,
                        axis=axis.name,
                        low=axis.values[at],
                        high=axis.values[at + 1],
                        at=rest,
                        level=low.level,
                        difference=difference,
                        per_unit=_quotient(difference, axis.values[at], axis.values[at + 1]),
                    )
                )
                if difference:
                    break  # later levels stand under other conditions
    return found


def _quotient(difference: int, low: str, high: str) -> str | None:
    try:
        return str(Fraction(difference) / (number(high, "") - number(low, "")))
    except (Fault, ZeroDivisionError):
        return None
