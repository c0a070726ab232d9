"""Days that something can be appraised on."""

from __future__ import annotations

from datetime import date

from solver.errors import Fault

EARLIEST = date(1900, 1, 1)
"""Nothing that an appraisal reads was recorded of a time before, and a calendar has no days to count back from at its
beginning."""


def refuse_too_early(as_of: date, where: str = "") -> None:
    """Raises Fault `appraisal.too_early` for a day before `EARLIEST`."""
    if as_of < EARLIEST:
        raise Fault("appraisal.too_early", where or as_of.isoformat(), as_of=as_of, first=EARLIEST)
