"""The problem behind a recorded panel, as it was solved, so that the panel can be replayed and documented."""

from __future__ import annotations

import zlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.registry import PanelRecord
from expert_pool.viewer import Viewer, visible
from solver.document import read_problem
from solver.errors import Fault
from solver.problem import Problem


def problem_of(session: Session, viewer: Viewer, panel_code: str) -> Problem:
    """Pseudonyms only. Raises Fault `panels.panel_unknown`."""
    packed = session.scalar(
        select(PanelRecord.problem).where(PanelRecord.code == panel_code, *visible(viewer, PanelRecord))
    )
    if packed is None:
        raise Fault("panels.panel_unknown", panel_code)
    return read_problem(zlib.decompress(packed))
