"""Guessing slowed down: failed sign-ins count per account, per address and per known device.

A source has some free failures; after them each attempt must wait, 30 seconds doubling to a quarter of an hour, and
attempts made while waiting change nothing. A failure is forgotten in a quarter of an hour. So a guesser gets about a
hundred guesses a day at an account, in whatever way. Nobody is locked out for
ever: a browser that this account has signed in from before carries a device cookie (OWASP, "Slow Down Online Guessing
Attacks with Device Cookies") and is counted by itself, whatever strangers do to the account's or the address's count.
Sessions and tokens that exist are never touched by it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.credentials import keyed
from expert_pool.keys import Key
from expert_pool.registry import SignInTrouble
from solver.errors import Fault

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FORGOTTEN = timedelta(minutes=15)
"""One failure is forgotten each time so long passes without another."""
_CLEARED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Source:
    """Something whose failures are counted: a keyed hash, and how many are free."""

    kind: str
    mark: str
    free: int

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.mark}"


def sources(key: Key, name: str, address: str, device: str | None) -> list[Source]:
    """Whose failure it would be: of the device where it is known to the account, else of account and address."""
    if device is not None and knows(key, name, device):
        return [Source("device", keyed(key, "device of", device), 10)]
    return [
        Source("account", keyed(key, "account", name), 10),
        Source("address", keyed(key, "address", address), 100),
    ]


def device_cookie(key: Key, name: str) -> str:
    """What a browser keeps after a sign-in: no right, only a count of its own."""
    nonce = secrets.token_hex(16)
    return f"{nonce}.{keyed(key, 'device', f'{nonce} {name}')}"


def knows(key: Key, name: str, device: str) -> bool:
    """Whether this device cookie was made here, for this account."""
    nonce, _, proof = device.partition(".")
    made = keyed(key, "device", f"{nonce} {name}")
    return hmac.compare_digest(made.encode(), proof.encode("utf-8", "surrogatepass"))


def count(session: Session, among: Sequence[Source]) -> list[Source]:
    """Count an attempt as failed before it is tried (`forgive` takes it back), so that many at once gain nothing.

    Returns the sources for which this was the last free one. Raises Fault `access.wait` with the `seconds` to wait;
    nothing is counted then.
    """
    now = clock.now()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = [
        {"source": key, "failures": 0, "last_at": now, "until": None} for key in sorted(s.key for s in among)
    ]
    new = dialect.insert(SignInTrouble).values(fresh)
    held = {
        "source": new.excluded.source
    }  # by an update of nothing: a row only seen may be gone when it is read
    session.execute(new.on_conflict_do_update(index_elements=["source"], set_=held))
    found = _rows(session, among)
    waits = [row.until - now for row in found.values() if row.until is not None and row.until > now]
    if waits:
        raise Fault("access.wait", seconds=max(1, -(-max(waits) // timedelta(seconds=1))))
    last = []
    for source in among:
        row = found[source.key]
        forgotten = max(0, (now - row.last_at) // FORGOTTEN)  # who waited for the row may come from before it
        row.failures = max(0, row.failures - forgotten) + 1
        row.last_at = now
        over = row.failures - source.free
        row.until = None
        if over >= 0:
            row.until = now + min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)
        if over == 0:
            last.append(source)
    if secrets.randbelow(100) == 0:
        session.execute(delete(SignInTrouble).where(SignInTrouble.last_at < now - _CLEARED))
    return last


def forgive(session: Session, among: Sequence[Source], *, wholly: bool) -> None:
    """Take back an attempt counted by `count`; `wholly`: all failures of account and device, for it was them.

    An address keeps its other failures: somebody with an account of their own must not clear it by signing in.
    """
    for source in among:
        row = _rows(session, [source]).get(source.key)
        if row is None:
            continue
        if wholly and source.kind != "address":
            session.delete(row)
            continue
        row.failures = max(0, row.failures - 1)
        if row.failures < source.free:
            row.until = None


def forget(session: Session, key: Key, name: str) -> None:
    """Begin anew for an account, after an administrator has seen to it."""
    account = Source("account", keyed(key, "account", name), 0)
    session.execute(delete(SignInTrouble).where(SignInTrouble.source == account.key))


def _rows(session: Session, among: Sequence[Source]) -> dict[str, SignInTrouble]:
    wanted = select(SignInTrouble).where(SignInTrouble.source.in_([s.key for s in among]))
    rows = session.scalars(wanted.order_by(SignInTrouble.source).with_for_update())
    return {row.source: row for row in rows}
