"""One committee or organiser out of all that are appraised, and one decision by its code."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.reevaluation.organisation_scheme import OrganisationScheme
from expert_pool.reevaluation.organisations import OrganisationAppraisal, appraise_organisations
from expert_pool.registry import OrganisationDecision
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


def appraised(
    session: Session,
    viewer: Viewer,
    scheme: OrganisationScheme,
    as_of: date,
    code: str,
    *,
    of_organiser: bool = False,
) -> OrganisationAppraisal:
    """The appraisal of one committee, or one organiser, by code. All are appraised, since each is judged beside the others.

    Raises Fault `organisations.future`, `organisations.unknown`.
    """
    for one in appraise_organisations(session, viewer, scheme, as_of):
        if code == (one.organiser if of_organiser else one.committee) and of_organiser == (
            one.committee is None
        ):
            return one
    raise Fault("organisations.unknown", code)


def find_decision(session: Session, viewer: Viewer, code: str) -> OrganisationDecision:
    """A decision by its code. Raises Fault `organisations.decision_unknown`."""
    row = session.scalar(
        select(OrganisationDecision).where(
            OrganisationDecision.code == code, *visible(viewer, OrganisationDecision)
        )
    )
    if row is None:
        raise Fault("organisations.decision_unknown", code)
    return row
