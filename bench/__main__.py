"""`make bench`: every figure of docs/benchmarks.md, measured anew; `python -m bench PART...` for some of them.

Parts: solve, lexicographic, registry, snapshot, coauthors. Medians over seeds with [least .. most]; ratios are taken within one run,
job against job on the same problem, so that a busy machine weighs on both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from statistics import median

from bench import coauthors
from bench.measure import Cost, machine, run, spread

PARTS = ("solve", "lexicographic", "registry", "snapshot", "coauthors")


def solve(seeds: int, experts: int, cut: float) -> None:
    """Our assembly against the naive CP-SAT model of the same rules, weighted goals."""
    print(f"\n## Panel of 25 + 8 from {experts:,} experts, 200 cases, weighted goals, {seeds} seeds")
    pairs: list[tuple[Cost, Cost]] = []
    for seed in range(1, seeds + 1):
        ours = run("assemble", str(experts), str(seed), "weighted")
        naive = run("naive", str(experts), str(seed), str(cut))
        pairs.append((ours, naive))
        ended = naive.said["status"] == "optimal"
        same = "same optimum" if naive.said["objective"] == ours.said["objective"] else "DIFFERENT VALUE"
        print(
            f"seed {seed}: {ours.said['eligible']} eligible; ours {ours.said['status']} "
            f"{ours.wall:.2f} s wall {ours.cpu:.2f} s CPU {ours.peak_mb:.0f} MB; naive {naive.said['status']} "
            f"{naive.cpu:.2f} s CPU {naive.peak_mb:.0f} MB; {same if ended else f'naive cut at {cut:.0f} s'}",
            flush=True,
        )
    ratios = [ours.cpu / naive.cpu for ours, naive in pairs]
    print(f"ours, wall s:   {spread([ours.wall for ours, _ in pairs])}   must 10, stretch 4")
    print(f"ours, CPU s:    {spread([ours.cpu for ours, _ in pairs])}")
    print(f"naive, CPU s:   {spread([naive.cpu for _, naive in pairs])}")
    print(
        f"CPU ratio:      {spread(ratios)}   must 0.8, stretch 0.5 (cut runs of the naive model count as cut)"
    )


def lexicographic(seeds: int, experts: int) -> None:
    """The same problems with the goal levels settled one after the other."""
    print(f"\n## The same, lexicographic, {seeds} seeds")
    runs = [run("assemble", str(experts), str(seed), "lexicographic") for seed in range(1, seeds + 1)]
    for seed, one in enumerate(runs, start=1):
        print(
            f"seed {seed}: {one.said['status']} {one.wall:.2f} s wall {one.cpu:.2f} s CPU {one.said['goals']}"
        )
    print(f"wall s: {spread([one.wall for one in runs])}; CPU s: {spread([one.cpu for one in runs])}")


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


def main() -> None:
    """Runs the parts asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which figures (default: all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--experts", type=int, default=10_000, help="of the panel problems")
    parser.add_argument(
        "--cut", type=float, default=60.0, help="seconds after which the naive model is stopped"
    )
    parser.add_argument("--large", type=int, default=100_000, help="experts of the snapshot")
    given = parser.parse_args()
    chosen = given.parts or PARTS
    print(f"# {machine()}")
    if "solve" in chosen:
        solve(given.seeds, given.experts, given.cut)
    if "lexicographic" in chosen:
        lexicographic(given.seeds, given.experts)
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
    print(f"\n# {machine()}")


if __name__ == "__main__":
    main()
