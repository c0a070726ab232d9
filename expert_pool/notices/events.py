"""What other rooms tell, one call each, in the transaction of what happened."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.home import home
from expert_pool.keys import Key
from expert_pool.notices.addresses import To
from expert_pool.notices.channels import find_channel
from expert_pool.notices.rules import load_rules
from expert_pool.notices.telling import tell
from expert_pool.registry import Medium, RunRecord, RunState
from solver.errors import Fault


def run_ended(session: Session, key: Key, code: str) -> None:
    """Tell the account that asked for a run that it is done, or failed, once; of a schedule's nobody, nor of one that
    was cancelled. A short one is told inside the house only."""
    row = session.execute(
        select(
            RunRecord.account_id, RunRecord.kind, RunRecord.state, RunRecord.accepted_at, RunRecord.ended_at
        ).where(RunRecord.code == code)
    ).one_or_none()
    if row is None or row.account_id is None or row.state not in (RunState.DONE, RunState.FAILED):
        return
    kind = "run.done" if row.state == RunState.DONE else "run.failed"
    took = (row.ended_at or clock.now()) - row.accepted_at
    tell(
        session,
        key,
        kind,
        To(account_id=row.account_id),
        cause=f"run:{code}",
        params={"run": code, "what": row.kind},
        outside=took >= timedelta(seconds=load_rules().kinds[kind].least_seconds),
    )


def password_reset(
    session: Session, key: Key, account_id: int, *, by: str, at: datetime | None = None
) -> None:
    """Tell an account that somebody set it a one-time password."""
    _account(session, key, "account.password_reset", account_id, at or clock.now(), {"by": by})


def token_created(
    session: Session, key: Key, account_id: int, *, token: str, at: datetime | None = None
) -> None:
    """Tell an account that it has a new API token; `token` is its code, never the token itself."""
    _account(session, key, "account.token_created", account_id, at or clock.now(), {"token": token})


def letter(session: Session, key: Key, to: To, *, cause: str, subject: str, text: str) -> str | None:
    """Tell somebody something in words that another room made, in the recipient's language: letters of re-evaluation,
    invitations, meetings. The first 300 characters of `subject` are its short form. As `telling.tell`."""
    return tell(session, key, "letter", to, cause=cause, params={"subject": subject, "text": text})


def channel_test(
    session: Session, key: Key, medium: Medium, address: str | None, account_id: int | None, *, by: str
) -> str:
    """Write a test notice for a channel: to an address, in the name of an account; its code.

    Raises Fault `notices.channel_unknown`, `notices.channel_off`, `notices.channel_needs_address`,
    `notices.address_malformed`.
    """
    if not find_channel(session, key, medium).enabled:
        raise Fault("notices.channel_off", str(medium))
    if medium is not Medium.FILE and not address:
        raise Fault("notices.channel_needs_address", str(medium))
    to = To(office_id=home(session)) if account_id is None else To(account_id=account_id)
    code = tell(
        session,
        key,
        "channel.test",
        to,
        cause=f"channel.test:{secrets.token_hex(8)}",
        params={"medium": str(medium), "by": by},
        address=(medium, address or ""),
    )
    assert code is not None
    return code


def _account(
    session: Session, key: Key, kind: str, account_id: int, at: datetime, params: dict[str, Any]
) -> None:
    said = params | {"at": at.astimezone().isoformat(" ", "minutes")}
    cause = f"{kind}:{account_id}:{at.isoformat()}"
    tell(session, key, kind, To(account_id=account_id), cause=cause, params=said)
