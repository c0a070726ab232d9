"""What a command tells the shell."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solver.answer import Answer


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAULT = 1
    INPUT = 2
    INFEASIBLE = 3
    LIMIT = 4
    FOUND = 5
    INTERRUPTED = 130


def exit_of(answer: Answer) -> Exit:
    """How a command ends that made this answer: a gap the user asked for is no early end, a limit is."""
    if answer.stopped_by == "cancelled":
        return Exit.INTERRUPTED
    if answer.status == "infeasible":
        return Exit.INFEASIBLE
    if answer.status == "unknown" or answer.stopped_by in ("time", "memory", "engine"):
        return Exit.LIMIT
    return Exit.OK
