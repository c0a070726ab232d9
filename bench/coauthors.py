"""The main job on a real conflict structure: a public co-author graph laid over a made pool.

ca-GrQc (SNAP; Leskovec, Kleinberg, Faloutsos 2007): 5,242 authors, 14,496 co-author pairs, heavy-tailed with large
cliques. Its authors become the experts and the applicants of a made region: every co-author relation between experts,
and between an expert and an applicant, comes from the graph and none from the generator; the rest stays as made.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from bench.measure import Stopwatch

INSTANCES = Path(os.environ.get("EXPERT_POOL_INSTANCES", "../shared/instances"))
GRAPH = INSTANCES / "coauthors" / "ca-GrQc.txt"


def read_edges(path: Path) -> list[tuple[int, int]]:
    """Undirected edges, each once, authors renumbered 0.. in order of appearance of their sorted ids."""
    words = [line.split() for line in path.read_text().splitlines()]
    lines = [pair for pair in words if len(pair) == 2 and pair[0].isdigit() and pair[1].isdigit()]
    ids = {author: i for i, author in enumerate(sorted({a for line in lines for a in line}, key=int))}
    return sorted({(min(ids[a], ids[b]), max(ids[a], ids[b])) for a, b in lines if a != b})


def lay(folder: Path, edges: list[tuple[int, int]], seed: int) -> Counter[str]:
    """Replaces the co-author relations in a made region's import files by those of the graph; counts what was laid."""
    experts = _codes(folder / "experts.csv")
    applicants = _codes(folder / "applicants.csv")
    authors = 1 + max(b for _, b in edges)
    if authors != len(experts) + len(applicants):
        raise ValueError(f"{authors} authors for {len(experts)} experts and {len(applicants)} applicants")
    order = np.random.default_rng(seed).permutation(authors).tolist()
    person = dict(zip(order, [*experts, *applicants], strict=True))
    made = set(applicants)
    with (folder / "relations.csv").open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        fields = list(reader.fieldnames or [])
        rows = [row for row in reader if row["kind"] != "co_author"]
        sample = dict.fromkeys(fields, "")
    laid: Counter[str] = Counter()
    for a, b in edges:
        one, other = person[a], person[b]
        if one in made and other in made:
            laid["between applicants (no relation of an expert)"] += 1
            continue
        one, other = (other, one) if one in made else (one, other)
        row = {**sample, "kind": "co_author", "expert": one, "source": "ca-GrQc", "holds_on": "2025-06-30"}
        row["applicant" if other in made else "other_expert"] = other
        row["since"], row["until"] = "2024-01-01", "2025-06-30"
        laid["with applicants" if other in made else "between experts"] += 1
        rows.append(row)
    with (folder / "relations.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)
    return laid


def _codes(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["code"] for row in csv.DictReader(file)]


def main(out: Path | None = None, seed: int = 1) -> None:
    """Generates, lays, imports, asks for the panel and prints its figures as JSON."""
    from expert_pool import panels
    from expert_pool.imports import import_tables
    from expert_pool.region import generate
    from expert_pool.store import open_store
    from expert_pool.viewer import Viewer

    if not GRAPH.exists():
        print(f"absent: {GRAPH} (set EXPERT_POOL_INSTANCES)", file=sys.stderr)
        raise SystemExit(2)
    edges = read_edges(GRAPH)
    authors = 1 + max(b for _, b in edges)
    with tempfile.TemporaryDirectory() as scratch:
        folder = out or Path(scratch)
        files = generate(folder / "import", experts=authors - 200, seed=seed, cases=200)
        applicants = len(_codes(folder / "import" / "applicants.csv"))
        if applicants != 200:
            raise ValueError(f"{applicants} applicants instead of 200")
        laid = lay(folder / "import", edges, seed)
        watch = Stopwatch()
        asked = files.committees[0]
        viewer = Viewer.system("bench")
        with open_store(f"sqlite:///{folder / 'registry.db'}") as store:
            done = import_tables(store, viewer, folder / "import")
            if not done.ok:
                raise SystemExit(f"refused: {done.errors[0]}")
            decided = panels.request(
                store,
                viewer,
                committee=asked.committee,
                meeting=asked.meeting,
                policy="cn-title-jilin-2013",
                seed=seed,
            )
        answer = decided.answer
        print(json.dumps({"laid": laid}))
        watch.report(
            status=answer.status,
            why_not=[said.model_dump() for said in answer.why_not],
            goals=[goal.model_dump() for goal in answer.goals],
            experts=answer.considered,
            eligible=answer.funnel[-1].left,
            conflicts_between=len(decided.problem.between.left),
            conflicts_with_cases=len(decided.problem.with_cases.left),
            members=len(answer.members),
            alternates=len(answer.alternates),
            groups=[f"{g.name}: {g.low}" for g in decided.problem.groups],
            cases_with_recusal=sum(1 for case in answer.cases if case.recused),
            least_present=min((case.present for case in answer.cases), default=None),
            cases_without_close_peer=sum(1 for case in answer.cases if not case.close),
            hard_findings=sum(1 for finding in answer.findings if finding.hard),
            solve=decided.run_log.model_dump(),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
