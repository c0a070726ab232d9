"""What holds for every test of the package."""

from __future__ import annotations

import pytest

from expert_pool import engines
from expert_pool.notices import hooks, mail


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with something else makes no store busy and no server of a test slow: a test that is about
    being left waiting says for how long."""
    monkeypatch.setattr(engines, "BUSY_MS", 300_000)
    for sender in (hooks, mail):
        monkeypatch.setattr(sender, "SECONDS", 600)
