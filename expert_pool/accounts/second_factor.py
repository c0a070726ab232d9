"""The second factor: time-based codes (RFC 6238) and the recovery codes that stand in for them."""

from __future__ import annotations

import hmac

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.accounts.credentials import fresh_code, hashed, typed
from expert_pool.keys import Key
from expert_pool.registry import Account, RecoveryCode
from solver.errors import Fault

ISSUER = "expert-pool"
RECOVERY_CODES = 10
_STEP = 30
_WINDOW = 1  # a clock may be one step off


def enrol(key: Key, account: Account) -> str:
    """Give the account a new secret and return its `otpauth:` address, for the authenticator; `confirm` turns it on.

    Raises Fault `second_factor.already` while one is on: it must be put off first, which asks for the password.
    """
    if account.totp_at is not None:
        raise Fault("second_factor.already")
    secret = pyotp.random_base32(32)
    account.totp_sealed, account.totp_step = key.seal(secret), 0
    return pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=ISSUER)


def picture(uri: str) -> str:
    """The address as a QR code, SVG."""
    import segno

    return segno.make(uri, micro=False).svg_inline(scale=4, border=4)


def confirm(session: Session, key: Key, account: Account, code: str) -> list[str]:
    """Turn the second factor on with a first code, and return recovery codes, which are shown this once.

    Raises Fault `second_factor.already`, `second_factor.none` (nothing was enrolled), `access.code_wrong`.
    """
    if account.totp_at is not None:
        raise Fault("second_factor.already")
    if account.totp_sealed is None:
        raise Fault("second_factor.none")
    if not _code_holds(key, account, code):
        raise Fault("access.code_wrong", "code")
    account.totp_at = clock.now()
    return recovery_codes(session, account)


def recovery_codes(session: Session, account: Account) -> list[str]:
    """New recovery codes; the old ones are worth nothing any more."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = [fresh_code(6) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(account_id=account.id, code_sha256=hashed(typed(code))) for code in codes)
    return codes


def put_off(session: Session, account: Account) -> None:
    """Take the second factor away, with its recovery codes."""
    account.totp_sealed, account.totp_at, account.totp_step = None, None, 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def holds(session: Session, key: Key, account: Account, code: str) -> bool:
    """Whether a code, or a recovery code, is the account's; it is used up then. Hold the account's row before."""
    return _code_holds(key, account, code) or _recovery_holds(session, account, code)


def _code_holds(key: Key, account: Account, code: str) -> bool:
    said = "".join(code.split())
    if account.totp_sealed is None or not (said.isascii() and said.isdigit()):
        return False
    totp = pyotp.TOTP(key.open(account.totp_sealed), interval=_STEP)
    now = int(clock.now().timestamp()) // _STEP
    for step in range(now - _WINDOW, now + _WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), said) and step > account.totp_step:
            account.totp_step = step
            return True
    return False


def _recovery_holds(session: Session, account: Account, code: str) -> bool:
    unused = RecoveryCode.code_sha256 == hashed(typed(code)), RecoveryCode.used_at.is_(None)
    using = update(RecoveryCode).where(RecoveryCode.account_id == account.id, *unused)
    used = session.execute(using.values(used_at=clock.now()).returning(RecoveryCode.id)).all()
    return bool(used)


def left(session: Session, account: Account) -> int:
    """How many recovery codes are unused."""
    unused = select(RecoveryCode.id).where(
        RecoveryCode.account_id == account.id, RecoveryCode.used_at.is_(None)
    )
    return len(session.scalars(unused).all())
