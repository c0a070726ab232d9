"""Progress goes to stderr: at most a line a second without a terminal, nothing with --json."""

from __future__ import annotations

import pytest

from api.cli import progress as shown
from api.cli.face import Face
from solver.progress import Progress


def test_a_line_a_second_at_most(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What comes too soon is left out."""
    now = iter([100.0, 100.4, 101.5, 103.0, 104.5])
    monkeypatch.setattr("api.cli.progress.time.monotonic", lambda: next(now))
    with shown.progress(Face("en")) as report:
        for done in range(3):
            report(Progress("documents", done, 5))
        report(Progress("solve", goal="peer_match+unheard_of", incumbent=7, bound=5))
        report(Progress("unheard_of"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Writing the documents 0/5", "Writing the documents 2/5"]
    assert "Peer match + unheard_of: found 7, bound 5" in lines[2]
    assert lines[3] == "unheard_of"


def test_nothing_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts hear nothing."""
    with shown.progress(Face("en", json=True)) as report:
        report(Progress("documents", 1, 5))
    assert capsys.readouterr() == ("", "")


def test_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One bar a phase, also for phases that are not counted."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with shown.progress(Face("en")) as report:
        report(Progress("gates", total=10))
        report(Progress("solve", goal="tie_break", incumbent=None, bound=3))
        report(Progress("documents", 5, 5))
    said = capsys.readouterr().err
    assert said.count("✓") >= 3
