"""Passwords: argon2id, what one must be like, and one-time ones."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from expert_pool.accounts.credentials import fresh_code
from solver.errors import Fault

LEAST, MOST = 12, 256
"""Characters of a password."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane."""

_AT_ONCE = BoundedSemaphore(4)
"""So that a flood of sign-ins takes no more memory than this many hashes."""


def hash_of(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters."""
    with _AT_ONCE:
        return _HASHER.hash(normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the stored one. Without one (no such account, no password) it takes as long, and is not."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _nobody(), normal(password)) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def one_time() -> str:
    """A password of 120 random bits that is easy to type."""
    return fresh_code(6)


def normal(password: str) -> str:
    """NFC, so that a password typed on another system is the same one (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def check(name: str, password: str, where: str = "password") -> None:
    """Raise Fault `password.short`, `password.long`, `password.common` or `password.named` at `where` unless it will
    do."""
    said = normal(password)
    if len(said) < LEAST:
        raise Fault("password.short", where, least=LEAST)
    if len(said) > MOST:
        raise Fault("password.long", where, most=MOST)
    bare = "".join(c for c in said.casefold() if c.isalnum())
    own = "".join(c for c in name.casefold() if c.isalnum())
    if len(own) >= 3 and own in bare and len(bare) - len(own) < 8:
        raise Fault("password.named", where)
    if len(set(bare)) < 5 or _core(said.casefold()) in _common() or _runs(bare):
        raise Fault("password.common", where)


def _core(said: str) -> str:
    """What is left of a password without digits and marks at either end, and with the usual stand-ins read as letters."""
    trimmed = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", said)
    read = trimmed.translate(str.maketrans("013457@$", "oleastas"))
    return "".join(c for c in read if c.isalnum())


def _runs(bare: str) -> bool:
    """Whether it is one piece repeated, or walks along the alphabet, the digits or the keyboard."""
    if re.fullmatch(r"(.{1,6})\1+", bare):
        return True
    rows = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb")
    walks = [*rows, *(row[::-1] for row in rows)]
    left = bare
    for row in walks:
        for size in range(len(row), 3, -1):
            for start in range(len(row) - size + 1):
                left = left.replace(row[start : start + size], "")
    return len(left) <= 3


@cache
def _common() -> frozenset[str]:
    text = (resources.files("expert_pool.accounts") / "common_passwords.csv").read_text("utf-8")
    return frozenset(text.split())


@cache
def _nobody() -> str:
    return _HASHER.hash(fresh_code())
