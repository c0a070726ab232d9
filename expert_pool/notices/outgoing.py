"""A notice on its way out, and why it may not get there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from expert_pool.notices.letter import Letter
from expert_pool.registry import Medium

SECONDS = 20
"""How long one attempt may take."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One notice for one address by one medium. `id` stays the same over all attempts: who gets it twice knows by it."""

    id: str
    kind: str
    medium: Medium
    to: str
    language: str
    letter: Letter
    at: datetime


class Undelivered(Exception):
    """An attempt that failed, as a message id. `for_good`: another would fail too. `channel`: it would for any other
    notice as well. `after`: seconds the other side asks to wait."""

    def __init__(
        self, code: str, *, for_good: bool = False, channel: bool = False, after: float | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.for_good, self.channel, self.after = code, for_good, channel, after


class Sender(Protocol):
    """Carries notices by one medium; closed after a few."""

    def send(self, notice: Outgoing) -> None:
        """Hand one over. Raises Undelivered."""

    def close(self) -> None:
        """Let go of connections."""
