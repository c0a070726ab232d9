"""A step carried through batch by batch, each batch a transaction of its own: killed anywhere, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool.keys import Key
from expert_pool.reevaluation.cycle.deciding import confirm, decide_unanswered
from expert_pool.reevaluation.cycle.executing import execute
from expert_pool.reevaluation.cycle.finding import CycleView, Step
from expert_pool.reevaluation.cycle.hearing import notify
from expert_pool.reevaluation.cycle.reading import show
from expert_pool.registry import Attestation, CycleCase, LedgerEntry
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.progress import Progress, Reporter, silent

Carried = Literal["notify", "decide", "confirm", "execute"]
ACTIONS: Mapping[Carried, str] = {
    "notify": "cycle.notified",
    "decide": "cycle.decided",
    "confirm": "cycle.confirmed",
    "execute": "cycle.executed",
}
"""What the ledger calls a batch of each step."""
BATCH = 200


def carry(
    store: Store,
    viewer: Viewer,
    code: str,
    step: Carried,
    *,
    most: int = BATCH,
    report: Reporter = silent,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, CycleView]:
    """Do all of a step: `notify`, `decide` (all who are ripe and said nothing, as proposed), `confirm` (all that others
    decided), `execute`. How many cases it moved, and the cycle then. `cancelled` is asked between batches. Faults as
    the step itself."""
    done = 0
    while not (cancelled and cancelled()):
        with store.session() as session:
            found = _batch(session, viewer, store.key, code, step, most)
        done += found.done
        report(Progress(f"cycle_{step}", done, done + found.left))
        if not found.done or not found.left:
            break
    with store.reading() as session:
        return done, show(session, viewer, code)


def moved(session: Session, viewer: Viewer, code: str, action: str, batches: int) -> int:
    """How many cases of a cycle the viewer's account moved in its latest so many batches of an action: what an attempt did
    whose worker was lost."""
    entries = (
        select(LedgerEntry.id)
        .where(
            LedgerEntry.action == action,
            LedgerEntry.subject == code,
            LedgerEntry.actor == viewer.actor,
            *visible(viewer, LedgerEntry),
        )
        .order_by(LedgerEntry.id.desc())
        .limit(batches)
    )
    of_cases = (Attestation.entry_id.in_(entries), Attestation.table == CycleCase.__tablename__)
    return session.scalar(select(func.count(Attestation.id)).where(*of_cases)) or 0


def _batch(session: Session, viewer: Viewer, key: Key, code: str, step: Carried, most: int) -> Step:
    match step:
        case "notify":
            return notify(session, viewer, key, code, most=most)
        case "decide":
            return decide_unanswered(session, viewer, code, most=most)
        case "confirm":
            return confirm(session, viewer, code, most=most)
        case "execute":
            return execute(session, viewer, key, code, most=most)
