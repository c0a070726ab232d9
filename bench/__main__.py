"""`make bench`: every figure of docs/benchmarks.md, measured anew; `python -m bench PART...` for some of them.

Parts: solve, lexicographic, diagnosis, registry, snapshot, coauthors. Besides, only when asked for: measurement, conduct, sweep, frontier, years, service, scale, page. Medians over seeds with [least .. most]; ratios are taken within one run,
job against job on the same problem, so that a busy machine weighs on both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench import coauthors, conduct, measurement, page, scale, service
from bench.measure import Cost, machine, run, spread
from bench.picture import Point, draw

PARTS = ("solve", "lexicographic", "diagnosis", "registry", "snapshot", "coauthors")
WHAT_IF = ("sweep", "frontier", "years")
"""Parts of the what-if, with `--what-if-experts`, `--years-experts`."""
AT_HOME = ("service", "scale", "page")
"""Parts that run only when they are asked for: they make large databases under --home and use them again."""

METHODS = (
    "ours",
    "ours, from a cold start",
    "ours, 2 engines",
    "gated cliques, CP-SAT",
    "same rows, HiGHS",
    "naive CP-SAT",
    "office draw",
)
"""Who is compared; the first is the measure of the others."""


def _method(name: str, experts: int, seed: int, cut: float) -> Cost:
    match name:
        case "ours":
            return run("assemble", str(experts), str(seed), "weighted")
        case "ours, from a cold start":
            return run("assemble", str(experts), str(seed), "weighted", "1", "cold")
        case "ours, 2 engines":
            return run("assemble", str(experts), str(seed), "weighted", "2")
        case "office draw":
            return run("rival", "draw", str(experts), str(seed), str(min(cut, 30.0)))
    rival = {"gated cliques, CP-SAT": "gated", "same rows, HiGHS": "highs", "naive CP-SAT": "naive"}[name]
    return run("rival", rival, str(experts), str(seed), str(cut))


def solve(seeds: int, sizes: list[int], cut: float, plot: Path | None, methods: list[str]) -> None:
    """Our assembly beside its rivals on the same weighted problems, seed by seed, smallest pool first."""
    points: list[Point] = []
    for experts in sizes:
        print(f"\n## Panel of 25 + 8 from {experts:,} experts, 200 cases, weighted goals, {seeds} seeds")
        print("| method | wall s | CPU s | MB above the pool | proven | optimum as ours | CPU to ours |")
        print("|---|---|---|---|---|---|---|", flush=True)
        ours: list[Cost] = []
        for name in methods:
            costs = [_method(name, experts, seed, cut) for seed in range(1, seeds + 1)]
            ours = ours or costs
            proven = [cost.said["status"] == "optimal" for cost in costs]
            same = [a.said["objective"] == b.said["objective"] for a, b in zip(costs, ours, strict=True)]
            above = [cost.peak_mb - cost.said["loaded_mb"] for cost in costs]
            ratios = [a.cpu / b.cpu for a, b in zip(costs, ours, strict=True)]
            print(
                f"| {name} | {spread([c.wall for c in costs])} | {spread([c.cpu for c in costs])} | "
                f"{spread(above, 0)} | {sum(proven)} of {seeds} | {sum(same)} of {seeds} | {spread(ratios, 1)} |",
                flush=True,
            )
            points += [
                Point(name, experts, seed, cost.cpu, done)
                for seed, (cost, done) in enumerate(zip(costs, proven, strict=True), start=1)
            ]
    if plot is not None:
        draw(points, plot)
        print(f"\nplot: {plot}")


def lexicographic(seeds: int, experts: int) -> None:
    """The same problems with the goal levels settled one after the other."""
    print(f"\n## The same from {experts:,} experts, lexicographic, {seeds} seeds")
    runs = [run("assemble", str(experts), str(seed), "lexicographic") for seed in range(1, seeds + 1)]
    for seed, one in enumerate(runs, start=1):
        print(
            f"seed {seed}: {one.said['status']} {one.wall:.2f} s wall {one.cpu:.2f} s CPU {one.said['goals']}"
        )
    print(f"wall s: {spread([one.wall for one in runs])}; CPU s: {spread([one.cpu for one in runs])}")


def diagnosis(seeds: int, experts: int) -> None:
    """Why there is no panel: one minimal set, and the first way to give way, of problems made impossible."""
    print(f"\n## Diagnosis of impossible problems from {experts:,} experts, {seeds} seeds")
    print("| made impossible by | asked | wall s | CPU s | settled | size |")
    print("|---|---|---|---|---|---|", flush=True)
    for kind in ("caps", "peers"):
        for job, size in (("clash", "size"), ("relaxation", "found")):
            runs = [run(job, str(experts), str(seed), kind) for seed in range(1, seeds + 1)]
            settled = sum(bool(one.said["settled"]) for one in runs)
            print(
                f"| {kind} | {job} | {spread([one.wall for one in runs])} | {spread([one.cpu for one in runs])} | "
                f"{settled} of {seeds} | {spread([one.said[size] for one in runs], 0)} |",
                flush=True,
            )


def registry(seeds: int, experts: int) -> None:
    """Generating, importing, facts of a past date."""
    print(f"\n## Registry of {experts:,} experts with records, {seeds} seeds")
    made, imported, facts = [], [], []
    rows = 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(1, seeds + 1):
            folder, database = f"{scratch}/{seed}", f"{scratch}/{seed}.db"
            made.append(run("generate", str(experts), str(seed), folder))
            imported.append(run("load", folder, database))
            facts.append(run("facts", database, "2025-06-01"))
            rows = imported[-1].said["rows"]
    print(f"generate, wall s: {spread([c.wall for c in made])}   must 60, stretch 20")
    print(f"import of {rows:,} rows, wall s: {spread([c.wall for c in imported])}   must 120, stretch 40")
    print(f"facts and gates on 2025-06-01, wall s: {spread([c.wall for c in facts])}   must 2, stretch 0.5")


def snapshot(experts: int) -> None:
    """A large registry into one problem."""
    print(f"\n## Snapshot of {experts:,} experts from SQLite into a problem")
    with tempfile.TemporaryDirectory() as scratch:
        run("generate", str(experts), "1", f"{scratch}/made", seconds=1800)
        run("load", f"{scratch}/made", f"{scratch}/large.db", seconds=3600)
        runs = [run("snapshot", f"{scratch}/large.db") for _ in range(3)]
    print(f"experts in the problem: {runs[0].said['experts']:,}, conflicts: {runs[0].said['conflicts']:,}")
    print(f"wall s: {spread([c.wall for c in runs])}   must 5, stretch 2")
    print(f"peak MB: {median(c.peak_mb for c in runs):.0f}   must 600")


def sweep(seeds: int, experts: int, mode: str) -> None:
    """Fifty points warm beside fifty cold searches: the same optima, a part of the CPU."""
    print(f"\n## Sweep of 50 points, {experts:,} experts, {mode}, {seeds} seeds")
    print(
        "| seed | cold CPU s | cold wall s | warm CPU s | warm wall s | searched | cold to warm | same optima |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    ratios = []
    for seed in range(1, seeds + 1):
        cold = run("sweep_cold", str(experts), str(seed), mode, seconds=3600)
        warm = run("sweep_warm", str(experts), str(seed), mode)
        ratios.append(cold.cpu / warm.cpu)
        print(
            f"| {seed} | {cold.cpu:.1f} | {cold.wall:.1f} | {warm.cpu:.2f} | {warm.wall:.2f} | "
            f"{warm.said['searched']} of 50 | {ratios[-1]:.1f} | {cold.said['costs'] == warm.said['costs']} |",
            flush=True,
        )
    print(f"cold to warm, CPU: {spread(ratios, 1)}   must 4, stretch 8; warm wall must 15, stretch 6")


def frontier(seeds: int, experts: int) -> None:
    """Exact frontiers of two goals."""
    print(f"\n## Exact frontier of two goals, {experts:,} experts, {seeds} seeds")
    print("| goals | wall s | CPU s | points | complete |")
    print("|---|---|---|---|---|", flush=True)
    for goals in (("peer_match", "least_recently_served"), ("peer_match", "load")):
        runs = [run("trace", str(experts), str(seed), *goals) for seed in range(1, seeds + 1)]
        print(
            f"| {' x '.join(goals)} | {spread([r.wall for r in runs])} | {spread([r.cpu for r in runs])} | "
            f"{spread([r.said['points'] for r in runs], 0)} | "
            f"{sum(r.said['complete'] for r in runs)} of {seeds} |",
            flush=True,
        )
    print("must 60 s wall, stretch 20")


def years(experts: int, committees: int, seasons: int, shorter: int, seconds: float) -> None:
    """Years ahead with every panel assembled: the whole on two workers; fewer seasons on one and on two."""
    print(f"\n## Years ahead: {experts:,} experts, {committees} committees, {seconds:g} s at most a panel")
    print("| seasons | workers | wall s | panels | seated | proven | outcomes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    walls = {}
    for length, workers in ((shorter, 1), (shorter, 2), (seasons, 2)):
        if (length, workers) in walls:
            continue
        asked = [str(value) for value in (experts, committees, length, seconds, workers)]
        one = run("years", *asked, seconds=4 * 3600)
        walls[length, workers] = one.wall
        fates = one.said["fates"]
        seated = fates.get("seated", 0) + fates.get("climbed", 0)
        print(
            f"| {length} | {workers} | {one.wall:.1f} | {one.said['panels']} | {seated} | {one.said['proven']} | "
            f"{one.said['keys']} |",
            flush=True,
        )
    gained = walls[shorter, 1] / walls[shorter, 2] / 2
    print(f"{seasons} seasons: {walls[seasons, 2] / 60:.1f} min   must 10, stretch 4")
    print(f"efficiency from one to two workers: {gained:.0%}   must 80%")


def main() -> None:
    """Runs the parts asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which figures (default: all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--experts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument(
        "--plot", type=Path, default=None, help="where to put the picture of the first part (PNG)"
    )
    parser.add_argument("--cut", type=float, default=60.0, help="seconds after which a rival is stopped")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=list(METHODS), help="of the first part"
    )
    parser.add_argument("--large", type=int, default=100_000, help="experts of the snapshot")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(tempfile.gettempdir()) / "expert-pool-bench",
        help="of service, scale and page",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each figure of the service")
    parser.add_argument("--connections", type=int, default=8, help="of the service's client")
    parser.add_argument("--service-experts", type=int, default=100_000)
    parser.add_argument("--scale-experts", type=int, default=1_000_000)
    parser.add_argument("--plans", action="store_true", help="show the plans behind the figures of scale")
    parser.add_argument("--what-if-experts", type=int, default=10_000, help="of sweep and frontier")
    parser.add_argument("--years-experts", type=int, default=20_000)
    parser.add_argument("--years-committees", type=int, default=78)
    parser.add_argument("--years-seasons", type=int, default=10)
    parser.add_argument("--years-shorter", type=int, default=2, help="seasons run on one worker and on two")
    parser.add_argument("--years-seconds", type=float, default=20.0, help="of each panel")
    given = parser.parse_args()
    chosen = given.parts or PARTS
    print(f"# {machine()}")
    if "solve" in chosen:
        solve(given.seeds, given.experts, given.cut, given.plot, given.methods)
    if "lexicographic" in chosen:
        for experts in given.experts:
            lexicographic(given.seeds, experts)
    if "diagnosis" in chosen:
        for experts in given.experts:
            diagnosis(given.seeds, experts)
    if "registry" in chosen:
        registry(given.seeds, 20_000)
    if "snapshot" in chosen:
        snapshot(given.large)
    if "coauthors" in chosen:
        print("\n## The main job on a real co-author graph")
        if coauthors.GRAPH.exists():
            coauthors.main()
        else:
            print(f"absent: {coauthors.GRAPH}; set EXPERT_POOL_INSTANCES", file=sys.stderr)
    if "measurement" in chosen:
        measurement.main(given.seeds)
    if "conduct" in chosen:
        conduct.main(given.seeds)
    if "service" in chosen:
        service.main(given.home, given.service_experts, given.seconds, given.connections)
    if "page" in chosen:
        page.main(given.home, given.service_experts, given.seeds)
    if "scale" in chosen:
        scale.main(given.home, given.scale_experts, plans=given.plans)
    if "sweep" in chosen:
        for mode in ("weighted", "lexicographic"):
            sweep(given.seeds, given.what_if_experts, mode)
    if "frontier" in chosen:
        frontier(given.seeds, given.what_if_experts)
    if "years" in chosen:
        years(
            given.years_experts,
            given.years_committees,
            given.years_seasons,
            given.years_shorter,
            given.years_seconds,
        )
    print(f"\n# {machine()}")


if __name__ == "__main__":
    main()
