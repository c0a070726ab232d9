"""The port to the job engine."""

from __future__ import annotations

from typing import Protocol


class JobEngine(Protocol):
    """Carries out runs that stand in the table `run`; its only knowledge of a run is the run's code."""

    def submit(self, run: str, queue: str) -> None:
        """Put a recorded (committed) run on a queue; `kinds.queue_of` knows which. Submitting it twice does it once.

        Never raises for an engine that is away: the run is recorded, and a worker finds it.
        """

    def cancel(self, run: str) -> None:
        """Stop a run that `runs.cancel` marked: the work under way is told, a waiting one never starts."""

    def close(self) -> None:
        """Let go of everything the engine holds."""
