"""Erasing an expert's personal data so that the ledger still verifies and old panels can still be explained.

Nothing is deleted: what is personal is blanked in place, the rows are attested anew by an entry `expert.erased`, and the
salts of their older attestations go, so that nobody can try names against the old hashes. Code and pseudonym stay: a
panel of ten years ago still says what P7Q... did and why. Under a ban the mark of the national ID stays too, and with it
the ban: whoever brings that ID is known again.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, select, update
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.accounts.principals import accounts_changed
from expert_pool.notices.forgetting import forget_expert
from expert_pool.privacy.holds import Hold, banned, holds_on, in_force
from expert_pool.privacy.personal import Blanked, blank, personal_rows
from expert_pool.privacy.purposes import expert_by, owners, teller
from expert_pool.privacy.retention import Retention
from expert_pool.registry import (
    Account,
    AccountSession,
    Attestation,
    Erasure,
    ErasureBasis,
    ErasureState,
    Expert,
    LedgerEntry,
    OidcLink,
    Organiser,
    Table,
)
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

ACTION = "expert.erased"


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure would do, or why it must wait (`holds`). `keeps_mark`: a ban is in force."""

    expert: str
    holds: tuple[Hold, ...]
    keeps_mark: bool
    rows: tuple[Blanked, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each table lose something."""
        return {str(found.table.__tablename__): len(found.ids) for found in self.rows}


@dataclass(frozen=True, slots=True)
class Erased:
    """A row that an entry erased: the verifier finds it unchanged since, and empty of personal data by that entry."""

    table: str
    row_id: int
    organiser_id: int
    sequence: int
    at: datetime
    expert: str

    @property
    def params(self) -> dict[str, Any]:
        """What the sentence `ledger.row_erased` needs."""
        at = self.at.date().isoformat()
        return {"table": self.table, "row": self.row_id, "sequence": self.sequence, "at": at}


def plan(session: Session, viewer: Viewer, code: str, rules: Retention) -> ErasurePlan:
    """What erasing an expert would do today; nothing is changed. Raises Fault as `propose`."""
    expert = expert_by(session, code)
    teller(session, viewer, expert)
    _require_all(session, viewer, expert)
    today = clock.today()
    keeps = banned(session, expert.id, today)
    spared = frozenset(row.id for row in in_force(session, expert.id, today))
    rows = tuple(personal_rows(session, expert.id, {"in_force": spared}))
    found = holds_on(session, expert.id, today, service_years=rules.years("service"))
    return ErasurePlan(code, tuple(found), keeps, rows)


def propose(session: Session, viewer: Viewer, code: str, *, basis: ErasureBasis, note: str) -> Erasure:
    """Ask for the erasure of an expert's personal data; it is carried out when `confirm` is called.

    `note` says who asked and how, without anything that would have to be erased itself. Holds do not stop a request;
    they stop its execution.

    Raises Fault: `privacy.expert_unknown`, `privacy.erasure_shared` (other organisers' pools know the expert too),
    `privacy.erased_already`, `privacy.erasure_open`.
    """
    expert = expert_by(session, code)
    organiser_id = teller(session, viewer, expert)
    _require_all(session, viewer, expert)
    return _propose(session, viewer, expert, organiser_id, basis, note)


def propose_own(session: Session, viewer: Viewer, expert_id: int, note: str) -> Erasure:
    """An expert's own request. Raises Fault as `propose`."""
    expert = session.get_one(Expert, expert_id)
    organisers = owners(session, expert_id)
    if not organisers:
        raise Fault("privacy.no_organiser", expert.code)
    return _propose(session, viewer, expert, organisers[0], ErasureBasis.REQUEST, note)


def confirm(session: Session, viewer: Viewer, erasure_code: str, rules: Retention) -> Erasure:
    """Carry out a proposed erasure.

    Raises Fault: `privacy.erasure_unknown`, `privacy.erasure_decided`, `privacy.same_person` (whoever proposed it may
    not confirm it, where the retention rules ask for two people), `privacy.held` with the holds, `privacy.erasure_shared`.
    """
    erasure = held_erasure(session, viewer, erasure_code)
    expert = session.get_one(Expert, erasure.expert_id)
    if erasure.state is not ErasureState.PROPOSED:
        raise Fault("privacy.erasure_decided", erasure_code, by=erasure.decided_by)
    if rules.two_people and viewer.actor == erasure.proposed_by:
        raise Fault("privacy.same_person", erasure_code, actor=viewer.actor)
    planned = plan(session, viewer, expert.code, rules)
    if planned.holds:
        holds = [hold.code.removeprefix("privacy.hold_") for hold in planned.holds]
        raise Fault("privacy.held", expert.code, holds=holds)
    _execute(session, viewer, erasure, expert, planned)
    return erasure


def refuse(session: Session, viewer: Viewer, erasure_code: str, why: str) -> Erasure:
    """Turn a proposed erasure down. Raises Fault `privacy.erasure_unknown`, `privacy.erasure_decided`,
    `privacy.reason_missing`."""
    erasure = held_erasure(session, viewer, erasure_code)
    if not why.strip():
        raise Fault("privacy.reason_missing", erasure_code)
    if erasure.state is not ErasureState.PROPOSED:
        raise Fault("privacy.erasure_decided", erasure_code, by=erasure.decided_by)
    _decide(erasure, viewer, ErasureState.REFUSED)
    erasure.note = f"{erasure.note}\n{why.strip()}".strip()
    _tell(session, viewer, erasure, "erasure.refused")
    return erasure


def find_erasure(session: Session, viewer: Viewer, code: str) -> Erasure:
    """An erasure by its code. Raises Fault `privacy.erasure_unknown`."""
    found = session.scalar(select(Erasure).where(Erasure.code == code, *visible(viewer, Erasure)))
    if found is None:
        raise Fault("privacy.erasure_unknown", code)
    return found


def held_erasure(session: Session, viewer: Viewer, code: str) -> Erasure:
    """As `find_erasure`, as it stands now and with other writers kept out until the transaction ends."""
    found = find_erasure(session, viewer, code)
    ledger.hold(session, found.organiser_id)
    session.refresh(found)
    return found


def is_erased(session: Session, expert_ids: Collection[int]) -> frozenset[int]:
    """Those of some experts whose personal data were erased."""
    done = select(Erasure.expert_id).where(Erasure.state == ErasureState.DONE)
    if len(expert_ids) == 1:
        done = done.where(Erasure.expert_id.in_(expert_ids))
    return frozenset(session.scalars(done)) & frozenset(expert_ids)


def erased_rows(session: Session) -> Iterator[Erased]:
    """Every row that an entry erased, by table and id: what a verification reports as erased, not as tampered."""
    rows = session.execute(
        select(
            Attestation.table,
            Attestation.row_id,
            LedgerEntry.organiser_id,
            LedgerEntry.sequence,
            LedgerEntry.at,
            LedgerEntry.subject,
        )
        .join(LedgerEntry, LedgerEntry.id == Attestation.entry_id)
        .where(LedgerEntry.action == ACTION)
        .order_by(Attestation.table, Attestation.row_id, LedgerEntry.id)
    )
    return (Erased(*row) for row in rows)


def _propose(
    session: Session, viewer: Viewer, expert: Expert, organiser_id: int, basis: ErasureBasis, note: str
) -> Erasure:
    ledger.hold(session, organiser_id)
    if is_erased(session, [expert.id]):
        raise Fault("privacy.erased_already", expert.code)
    waiting = session.scalar(
        select(Erasure.code).where(Erasure.expert_id == expert.id, Erasure.state == ErasureState.PROPOSED)
    )
    if waiting is not None:
        raise Fault("privacy.erasure_open", expert.code, erasure=waiting)
    erasure = Erasure(
        code=f"E{secrets.token_hex(5).upper()}",
        expert_id=expert.id,
        organiser_id=organiser_id,
        state=ErasureState.PROPOSED,
        basis=basis,
        note=note.strip(),
        proposed_at=clock.now(),
        proposed_by=viewer.actor,
        decided_at=None,
        decided_by=None,
    )
    session.add(erasure)
    _tell(session, viewer, erasure, "erasure.proposed")
    return erasure


def _execute(
    session: Session, viewer: Viewer, erasure: Erasure, expert: Expert, planned: ErasurePlan
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("pragma secure_delete = on")  # old bytes are overwritten
    forget_expert(session, expert.id)  # notices that wait are not sent
    for found in planned.rows:
        blank(session, found, expert, keep_mark=planned.keeps_mark)
    accounts = _close_accounts(session, expert.id)
    _decide(erasure, viewer, ErasureState.DONE)
    session.flush()
    rows = {found.table: set(found.ids) for found in planned.rows}
    rows.setdefault(Account, set()).update(accounts)
    rows = {table: attested_among(session, table, ids) for table, ids in rows.items()}
    rows.setdefault(Erasure, set()).add(erasure.id)
    entry = ledger.append(
        session,
        organiser_id=erasure.organiser_id,
        actor=viewer.actor,
        action=ACTION,
        subject=expert.code,
        payload={"erasure": erasure.code, "rows": planned.counts, "keeps_mark": planned.keeps_mark},
        row_ids=rows,
        at=erasure.decided_at,
    )
    drop_salts(session, rows, entry.id)


def attested_among(session: Session, table: type[Table], ids: Collection[int]) -> set[int]:
    """Those of some rows of a table that the ledger speaks for."""
    known = select(Attestation.row_id).where(Attestation.table == table.__tablename__).distinct()
    found: set[int] = set()
    for some in _batches(sorted(ids)):
        found.update(session.scalars(known.where(Attestation.row_id.in_(some))))
    return found


def drop_salts(session: Session, rows: Mapping[type[Table], Collection[int]], entry_id: int) -> None:
    """Forget the salts of what attested these rows before the entry that attests them blanked, so that nobody can try
    texts against the old hashes."""
    for table, ids in rows.items():
        older = (Attestation.table == table.__tablename__) & (Attestation.entry_id != entry_id)
        for some in _batches(sorted(ids)):
            change = update(Attestation).where(older, Attestation.row_id.in_(some)).values(salt=b"")
            session.execute(change.execution_options(synchronize_session=False))


def _close_accounts(session: Session, expert_id: int) -> list[int]:
    """An erased expert signs in no more, and the provider that knew them is forgotten."""
    accounts = session.scalars(select(Account).where(Account.expert_id == expert_id)).all()
    now = clock.now()
    for account in accounts:
        account.disabled_at = account.disabled_at or now
    ids = [account.id for account in accounts]
    session.flush()
    session.execute(
        update(AccountSession)
        .where(AccountSession.account_id.in_(ids), AccountSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    session.execute(
        update(OidcLink).where(OidcLink.account_id.in_(ids)).values(subject=cast(OidcLink.id, String))
    )
    accounts_changed(session)
    return ids


def _require_all(session: Session, viewer: Viewer, expert: Expert) -> None:
    others = [o for o in owners(session, expert.id) if not viewer.owns(o)]
    if others:
        codes = session.scalars(
            select(Organiser.code).where(Organiser.id.in_(others)).order_by(Organiser.code)
        )
        raise Fault("privacy.erasure_shared", expert.code, organisers=list(codes))


def _decide(erasure: Erasure, viewer: Viewer, state: ErasureState) -> None:
    erasure.state, erasure.decided_at, erasure.decided_by = state, clock.now(), viewer.actor


def _tell(session: Session, viewer: Viewer, erasure: Erasure, action: str) -> None:
    session.flush()
    ledger.append(
        session,
        organiser_id=erasure.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=erasure.code,
        payload={"basis": str(erasure.basis)},
        rows=[erasure],
    )


def _batches(ids: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
