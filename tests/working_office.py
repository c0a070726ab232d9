"""The service over the small registry with real accounts and an engine that carries runs: for the routes whose work is
done in the background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from tiny_registry import SMALL

from api.jobs.engine import JobEngine
from api.jobs.inline import InlineEngine
from expert_pool import clock
from expert_pool.accounts.home import tell
from expert_pool.accounts.principals import principal_of
from expert_pool.accounts.rights import Role
from expert_pool.registry import Account, AccountGrant, Expert, LedgerEntry, PanelRecord, Seat

ASKED: dict[str, Any] = {
    "committee": "C1",
    "meeting": "M1",
    "policy": "cn-title-jilin-2013",
    "overrides": [{"parameter": name, "value": value, "why": "small"} for name, value in SMALL.items()],
    "seconds": 600,
}
"""A request for the panel of the small registry's meeting."""


@dataclass
class Office:
    """The service at work. Clients by the name of their account."""

    http: Any
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Any:
        return self.http.store

    def sign_in(self, name: str, *roles: Role, organiser_id: int | None = None) -> Any:
        """A client of an account that there is from now on, with these roles for an organiser (None: for all)."""
        if name not in self.clients:
            with self.store.session() as session:
                account = Account(
                    name=name,
                    organiser_id=None,
                    expert_id=None,
                    employer_id=None,
                    created_at=clock.now(),
                    created_by="admin",
                )
                session.add(account)
                session.flush()
                grants = [
                    AccountGrant(
                        account_id=account.id,
                        code=f"{name}-{role}",
                        role=str(role),
                        organiser_id=organiser_id,
                        committee_id=None,
                        granted_at=clock.now(),
                        granted_by="admin",
                    )
                    for role in roles
                ]
                session.add_all(grants)
                session.flush()
                tell(session, None, "admin", "account.created", name, {}, [account, *grants])
                principal = principal_of(session, account.id)
            self.clients[name] = self.http.client(principal)
        return self.clients[name]

    def engine(self, engine: JobEngine) -> None:
        """Another engine from now on."""
        state = self.http.app.state
        state.service = replace(state.service, jobs=engine)


def working(http: Any, *, background: bool = False) -> Office:
    """An office over a service whose runs are carried in this process."""
    office = Office(http)
    office.engine(InlineEngine(http.store, background=background))
    return office


def done(answer: Any) -> Mapping[str, Any]:
    """The result of an accepted request that has ended well."""
    assert answer.status_code in (200, 202), answer.text
    if answer.status_code == 200:
        result: Mapping[str, Any] = answer.json()["result"]
        return result
    raise AssertionError(answer.json())


WAIT = {"Prefer": "wait=20"}

BEFORE = datetime(2026, 9, 1, 4, tzinfo=UTC)
ON_THE_DAY = datetime(2026, 9, 20, 4, tzinfo=UTC)


def clerk(office: Office, name: str = "office.li") -> Any:
    return office.sign_in(name, Role.COMMITTEE_OFFICE)


def supervisor(office: Office) -> Any:
    return office.sign_in("supervisor.wang", Role.DRAW_SUPERVISOR)


def asked(office: Office) -> str:
    """The code of a panel that was asked for."""
    return str(done(clerk(office).post("/api/v1/panels", json=ASKED, headers=WAIT))["panel"])


def entries(office: Office) -> list[str]:
    with office.store.reading() as session:
        return list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)))


def seated(office: Office, code: str) -> list[str]:
    """Who is in a panel, by code; those first who are easily replaced."""
    with office.store.reading() as session:
        found = session.scalars(
            select(Expert.code)
            .join(Seat, Seat.expert_id == Expert.id)
            .join(PanelRecord, PanelRecord.id == Seat.panel_id)
            .where(PanelRecord.code == code)
        ).all()
    return sorted(found, key=lambda expert: (expert <= "E03", expert))
