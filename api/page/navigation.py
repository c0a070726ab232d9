"""Where one can go: a place for each part of the page, offered to whoever may read what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from expert_pool.accounts import Principal, Right


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the page: its id in the catalogue (`page.place.<id>`), its address, the right it reads with."""

    id: str
    address: str
    right: Right


PLACES = (
    Place("desk", "/", Right.OWN_ACCOUNT),
    Place("panels", "/panels", Right.PANELS_READ),
    Place("experts", "/experts", Right.EXPERTS_READ),
    Place("tables", "/tables", Right.EXPERTS_WRITE),
    Place("reevaluation", "/reevaluation", Right.EXPERTS_READ),
    Place("health", "/pool-health", Right.EXPERTS_READ),
    Place("whatif", "/what-if", Right.SIMULATIONS_RUN),
    Place("runs", "/runs", Right.RUNS_READ),
    Place("conflicts", "/conflicts", Right.EXPERTS_READ),
    Place("audits", "/audits", Right.PROBLEMS_SOLVE),
    Place("policies", "/policies", Right.POLICIES_READ),
    Place("organisers", "/organisers", Right.ORGANISERS_READ),
    Place("accounts", "/administration", Right.ACCOUNTS_MANAGE),
    Place("schedules", "/schedules", Right.SERVICE_OPERATE),
    Place("ledger", "/ledger", Right.LEDGER_READ),
    Place("own_record", "/record", Right.OWN_RECORD),
    Place("own", "/own", Right.OWN_ACCOUNT),
)
"""In the order of the navigation."""


def places(asks: Principal | None) -> tuple[Place, ...]:
    """What somebody is offered; nothing before signing in or while a new password is due."""
    if asks is None or asks.due is not None:
        return ()
    return tuple(place for place in PLACES if asks.may(place.right))
