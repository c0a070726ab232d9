"""The made region's written scores: lawful, repeatable, and by reviewers whose severity shows."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import correlation, mean

import pytest

from expert_pool.region.scores import CRITERIA, write_scores
from solver.errors import Fault


def sheets(folder: Path, cases: int, experts: int) -> Path:
    """What the scores are made from."""
    folder.mkdir()
    codes = "\n".join(f"K{n:04}" for n in range(cases))
    (folder / "cases.csv").write_text(f"code\n{codes}\n", "utf-8")
    people = "\n".join(f"E{n:04},admitted" for n in range(experts))
    (folder / "memberships.csv").write_text(f"expert,step\n{people}\n", "utf-8")
    return folder


def test_every_case_is_scored_on_every_criterion_by_three_and_the_severe_score_lower(tmp_path: Path) -> None:
    made = write_scores(sheets(tmp_path / "a", 400, 60), seed=4, spread=1.0)
    with (made.folder / "ratings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made.rows == 400 * 3 * len(CRITERIA)
    assert len({(row["case"], row["rater"], row["criterion"]) for row in rows}) == len(rows)
    given: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        given[row["rater"]].append(int(row["score"]))
    assert {score for scores in given.values() for score in scores} == {1, 2, 3, 4, 5}
    known = [made.severities[rater] for rater in given]
    assert correlation(known, [mean(scores) for scores in given.values()]) < -0.7


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (
        write_scores(sheets(tmp_path / name, 20, 9), seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    said = [(made.folder / "ratings.csv").read_bytes() for made in (first, second, other)]
    assert said[0] == said[1] != said[2]


def test_too_few_members_are_said(tmp_path: Path) -> None:
    with pytest.raises(Fault) as refused:
        write_scores(sheets(tmp_path / "a", 5, 2), seed=1)
    assert refused.value.code == "region.scores_few"
