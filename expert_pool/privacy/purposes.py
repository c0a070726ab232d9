"""What a look or an export is for, and in whose chain of the ledger it is told."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool.accounts.home import home
from expert_pool.registry import Committee, Expert, Membership, Pool
from expert_pool.viewer import Viewer
from solver.errors import Fault

SHORTEST, LONGEST = 4, 500
"""Characters of a purpose: `x` is none, and a purpose is not a place for data."""


def purpose_of(text: str) -> str:
    """A purpose as it is kept and printed. Raises Fault `privacy.purpose_missing`, `privacy.purpose_long`."""
    said = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if len(said) < SHORTEST or not any(c.isalpha() for c in said):
        raise Fault("privacy.purpose_missing", "purpose", least=SHORTEST)
    if len(said) > LONGEST:
        raise Fault("privacy.purpose_long", "purpose", most=LONGEST)
    return said


def expert_by(session: Session, code: str) -> Expert:
    """An expert by code. Raises Fault `privacy.expert_unknown`."""
    found = session.scalar(select(Expert).where(Expert.code == code))
    if found is None:
        raise Fault("privacy.expert_unknown", code)
    return found


def owners(session: Session, expert_id: int) -> list[int]:
    """The organisers whose pools an expert passed through, the latest first."""
    rows = session.execute(
        select(Pool.organiser_id, func.max(Membership.holds_on).label("last"))
        .join(Membership, Membership.pool_id == Pool.id)
        .where(Membership.expert_id == expert_id)
        .group_by(Pool.organiser_id)
        .order_by(func.max(Membership.holds_on).desc(), Pool.organiser_id)
    )
    return [row.organiser_id for row in rows]


def teller(session: Session, viewer: Viewer, expert: Expert) -> int:
    """The organiser in whose chain it is told what the viewer does with an expert's personal data: the latest of the
    expert's pools that is theirs. Raises Fault `privacy.expert_unknown` where none is: to them there is no such expert."""
    found = owners(session, expert.id)
    for organiser_id in found:
        if viewer.owns(organiser_id):
            return organiser_id
    if not found and viewer.organisers is None:
        return first_organiser(session, viewer)
    raise Fault("privacy.expert_unknown", expert.code)


def first_organiser(session: Session, viewer: Viewer) -> int:
    """In whose chain is told what concerns no organiser in particular: the viewer's first, or, for who sees all, that of
    the installation itself; for who has committees by delegation only, that of the first one's organiser. Raises Fault
    `privacy.no_organiser`."""
    if viewer.organisers is None:
        return home(session)
    if viewer.organisers:
        return min(viewer.organisers)
    delegated = select(Committee.organiser_id).where(Committee.id.in_(viewer.committees))
    found = session.scalar(delegated.order_by(Committee.id).limit(1))
    if found is None:
        raise Fault("privacy.no_organiser", viewer.actor)
    return found
