"""What an account may be called."""

from __future__ import annotations

import unicodedata

from solver.errors import Fault

_MARKS = "._-@"


def normal(name: str) -> str:
    """The one form of a name: NFKC, small letters, nothing around it."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def check(name: str) -> str:
    """The normal form of a new name. Raises Fault `account.name_malformed`: 2 to 64 letters, digits, . _ - @."""
    said = normal(name)
    fits = 2 <= len(said) <= 64 and all(c.isalnum() or c in _MARKS for c in said)
    if not fits or not said[0].isalnum():
        raise Fault("account.name_malformed", "name")
    return said
