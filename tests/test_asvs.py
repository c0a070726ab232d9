"""docs/asvs.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_test_that_the_checklist_names_is_there() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    files = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests").rglob("test_*.py")}
    named = re.findall(r"`(\w+)::(\w*)`", text)
    assert len(named) > 80
    assert [place for place in named if not place[1]] == []
    missing = [
        f"{file}::{test}"
        for file, test in named
        if file not in files or f"def test_{test}" not in files[file].read_text(encoding="utf-8")
    ]
    assert missing == []


def test_nothing_is_claimed_without_saying_how() -> None:
    lines = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    judged = [row for row in rows if row[0] not in ("item", "---")]
    assert {row[1] for row in judged} <= {"yes", "partly", "no", "deployment"}
    assert [row for row in judged if not row[2]] == []
