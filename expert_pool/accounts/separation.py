"""管用抽分离: no account holds two of the duties kept apart where both touch one committee or one organiser.

Checked when a role is granted, and again at the end of every transaction that moved an organiser or gave a committee
another organiser or pool: a move that would join two duties in one hand is refused like a grant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.accounts.home import home
from expert_pool.accounts.principals import accounts_changed
from expert_pool.accounts.rights import ALONE, APART, DUTIES, Duty, Role
from expert_pool.registry import Account, AccountGrant, Committee, Organiser, Pool
from solver.errors import Fault

_CHANGED = "expert_pool_structure_changed"


@dataclass(frozen=True, slots=True)
class Held:
    """A role in force, or about to be: for an organiser's subtree, for one committee, or (neither) everywhere."""

    role: Role
    organiser_id: int | None
    committee_id: int | None


@dataclass(frozen=True, slots=True)
class Joined:
    """Two roles of one account that must be apart, and where they meet: a code, or empty for everywhere."""

    one: Role
    other: Role
    where: str


def hold(session: Session) -> None:
    """Keep other grants and moves out until the transaction ends, so that two together join nothing either."""
    ledger.hold(session, home(session))


def joined(session: Session, grants: Sequence[Held]) -> Joined | None:
    """The first two of one account's roles that must not be in one hand; None where all are apart."""
    tree: _Tree | None = None
    for one, other in combinations(grants, 2):
        if one.role is not other.role and {one.role, other.role} & ALONE:
            return Joined(one.role, other.role, "")
        if not apart(one.role, other.role):
            continue
        tree = tree or _Tree.read(session)
        if (where := tree.meet(one, other)) is not None:
            return Joined(one.role, other.role, where)
    return None


def apart(one: Role, other: Role) -> bool:
    """Whether two roles are of duties that are kept apart."""
    duties = [DUTIES.get(role) for role in (one, other)]
    return None not in duties and frozenset(duties) in APART


def require_apart(session: Session, account: str, grants: Sequence[Held]) -> None:
    """Raise Fault `access.duties_joined` when two of one account's roles must not be in one hand."""
    found = joined(session, grants)
    if found is not None:
        raise Fault(
            "access.duties_joined",
            account,
            account=account,
            one=str(found.one),
            other=str(found.other),
            place=found.where or None,
        )


def structure_changed(session: Session) -> None:
    """Say that statements past the ORM wrote organisers, pools or committees: the commit will check the roles."""
    accounts_changed(session)
    session.info[_CHANGED] = True


def check_all(session: Session) -> None:
    """Raise Fault `access.duties_joined` for the first account whose roles the structure, as it is now, joins."""
    rows = session.execute(
        select(Account.name, AccountGrant.role, AccountGrant.organiser_id, AccountGrant.committee_id)
        .join(Account, Account.id == AccountGrant.account_id)
        .where(AccountGrant.revoked_at.is_(None), AccountGrant.role.in_([str(role) for role in DUTIES]))
        .order_by(Account.name, AccountGrant.id)
    )
    held: dict[str, list[Held]] = defaultdict(list)
    for name, role, organiser_id, committee_id in rows:
        held[name].append(Held(Role(role), organiser_id, committee_id))
    for name, grants in held.items():
        if len({grant.role for grant in grants}) > 1:
            require_apart(session, name, grants)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Who stands above whom, and what each committee hangs on: organiser and the organiser of its pool."""

    below: dict[int, list[int]]
    codes: dict[int, str]
    committees: dict[int, tuple[str, int, int]]

    @classmethod
    def read(cls, session: Session) -> _Tree:
        below: dict[int, list[int]] = defaultdict(list)
        codes: dict[int, str] = {}
        for id_, code, parent in session.execute(select(Organiser.id, Organiser.code, Organiser.parent_id)):
            codes[id_] = code
            if parent is not None:
                below[parent].append(id_)
        hangs = select(Committee.id, Committee.code, Committee.organiser_id, Pool.organiser_id)
        rows = session.execute(hangs.join(Pool, Pool.id == Committee.pool_id))
        return cls(below, codes, {id_: (code, own, pool) for id_, code, own, pool in rows})

    def meet(self, one: Held, other: Held) -> str | None:
        """Where two roles meet; None: nowhere."""
        if _everywhere(one) or _everywhere(other):
            return ""
        shared = self._organisers(one) & self._organisers(other)
        if shared:
            return min(self.codes[id_] for id_ in shared)
        touched = self._committees(one) & self._committees(other)
        return min((self.committees[id_][0] for id_ in touched), default=None)

    def _organisers(self, held: Held) -> set[int]:
        found: set[int] = set()
        waiting = [] if held.organiser_id is None else [held.organiser_id]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting += self.below.get(at, ())
        return found

    def _committees(self, held: Held) -> set[int]:
        """Managing a pool touches every committee that draws on it."""
        if held.committee_id is not None:
            return {held.committee_id} & self.committees.keys()
        reached = self._organisers(held)
        managing = DUTIES[held.role] is Duty.MANAGING
        return {
            id_
            for id_, (_, own, pool) in self.committees.items()
            if own in reached or (managing and pool in reached)
        }


def _everywhere(held: Held) -> bool:
    return held.organiser_id is None and held.committee_id is None


@event.listens_for(Session, "after_flush")
def _noticed(session: Session, _context: Any) -> None:
    written: Iterable[object] = (*session.new, *session.dirty)
    if any(isinstance(row, (Organiser, Pool, Committee)) for row in written):
        structure_changed(session)


@event.listens_for(Session, "before_commit")
def _checked(session: Session) -> None:
    session.flush()
    if session.info.pop(_CHANGED, False):
        check_all(session)
