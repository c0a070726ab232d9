"""Splitting a secret into n shares of which any k give it back and fewer tell nothing (Shamir 1979, over GF(256)).

Each byte of the secret is the constant term of its own random polynomial of degree k-1 over the field of AES
(x^8 + x^4 + x^3 + x + 1); share number x holds the polynomials' values at x. Fewer than k shares fit every secret
equally well. A wrong share gives a wrong secret, so whoever joins shares must have something to check the secret by.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from solver.errors import Fault

MOST = 255
"""Shares: the field has so many points besides 0."""


def split(secret: bytes, needed: int, count: int) -> dict[int, bytes]:
    """`count` shares, by number from 1, of which any `needed` give `secret` back. Raises Fault `seal.threshold`."""
    if not 1 <= needed <= count <= MOST:
        raise Fault("seal.threshold", "needed", needed=needed, count=count, most=MOST)
    higher = [secrets.token_bytes(len(secret)) for _ in range(needed - 1)]
    return {x: _value([secret, *higher], x) for x in range(1, count + 1)}


def join(shares: Mapping[int, bytes]) -> bytes:
    """The secret that these shares give: all of one split, at least as many as it needs. With fewer, or with a wrong
    one, some other secret comes out. Raises Fault `seal.shares_unlike` (none, of different lengths, or a number out of
    range)."""
    lengths = {len(share) for share in shares.values()}
    if len(lengths) != 1 or not all(1 <= x <= MOST for x in shares):
        raise Fault("seal.shares_unlike", "shares")
    out = bytes(lengths.pop())
    for x, share in shares.items():
        weight = 1
        for other in shares:
            if other != x:
                weight = times(weight, times(other, inverse(other ^ x)))
        out = bytes(a ^ times(weight, b) for a, b in zip(out, share, strict=True))
    return out


def times(a: int, b: int) -> int:
    """The product of two elements of the field."""
    product = 0
    for _ in range(8):
        product ^= a * (b & 1)
        a = (a << 1) ^ (0x11B * (a >> 7))
        b >>= 1
    return product


def inverse(a: int) -> int:
    """What `a` (not 0) is multiplied with to give 1: its 254th power."""
    result, power = 1, a
    for _ in range(7):  # 254 is 2 + 4 + ... + 128
        power = times(power, power)
        result = times(result, power)
    return result


def _value(coefficients: list[bytes], x: int) -> bytes:
    """The polynomials' values at x, byte by byte (Horner)."""
    out = bytes(len(coefficients[0]))
    for coefficient in reversed(coefficients):
        out = bytes(times(v, x) ^ c for v, c in zip(out, coefficient, strict=True))
    return out
