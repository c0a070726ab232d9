"""Random secrets, and the hashes that stand for them in the database.

Every secret made here has at least 112 random bits (OWASP ASVS 5.0, 6.5.2), so a plain SHA-256 hides it; passwords, which people choose, are
`passwords`' matter.
"""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256

from expert_pool.keys import Key

TOKEN_PREFIX = "ep_"  # noqa: S105
"""What API tokens begin with, so that people and scanners recognise a leaked one."""


def fresh_token(prefix: str = "") -> str:
    """A new token of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def fresh_code(groups: int = 6) -> str:
    """A new code to be typed by hand: groups of four letters and digits (20 bits each), without look-alikes."""
    letters = base64.b32encode(secrets.token_bytes(groups * 3)).decode("ascii").lower()
    return "-".join(letters[i : i + 4] for i in range(0, groups * 4, 4))


def typed(code: str) -> str:
    """A code as it was made, however it was typed."""
    return "".join(c for c in code.lower() if c.isalnum())


def hashed(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def keyed(key: Key, use: str, text: str) -> str:
    """A hash of `text` that only this installation can make; each `use` has its own."""
    return key.mark(hashed(f"{use}\0{text}"))
