"""The port to the job engine."""

from __future__ import annotations

from typing import Protocol


class JobEngine(Protocol):
    """Carries out runs that stand in the table `run`; its only knowledge of a run is the run's code."""

    def submit(self, run: str, queue: str) -> None:
        """Put a recorded run on a queue. Submitting the same run twice does it once."""

    def cancel(self, run: str) -> None:
        """Stop a run for real: the work under way is told, a waiting one never starts."""

    def close(self) -> None:
        """Let go of everything the engine holds."""
