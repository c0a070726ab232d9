"""Content closed under a fresh key, and that key in shares, each in a box for one supervisor.

Content: AES-256-GCM. Boxes: HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM), bound to the seal and the share's number, so
that no box can be passed off as another. The fresh key is never stored; its hash tells whether shares gave the right one.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from expert_pool.privacy.sealing.key_files import public_key
from expert_pool.privacy.sealing.split import join, split
from solver.errors import Fault

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Box:
    """One share: its number, the box that holds it, and the hash by which the right share is known."""

    number: int
    box: bytes
    share_sha256: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Content that `needed` of the boxes' owners open together. `commitment` is the hash of the key."""

    needed: int
    commitment: str
    content: bytes
    boxes: tuple[Box, ...]


def close(content: bytes, label: str, public_keys: Sequence[str], needed: int) -> Envelope:
    """Close `content` so that any `needed` of the public keys' owners open it. `label` names the seal and is part of it.

    Raises Fault `seal.threshold`, `seal.public_key_malformed`, `seal.same_key_twice`.
    """
    if len(set(public_keys)) != len(public_keys):
        raise Fault("seal.same_key_twice", label)
    keys = [public_key(text) for text in public_keys]
    secret, nonce = os.urandom(32), os.urandom(_NONCE)
    shares = split(secret, needed, len(keys))
    boxes = tuple(
        Box(
            number,
            _SUITE.encrypt(shares[number], key, info=_info(label, number)),
            _hash(label, number, shares[number]),
        )
        for number, key in enumerate(keys, 1)
    )
    sealed = nonce + AESGCM(secret).encrypt(nonce, content, label.encode())
    return Envelope(needed, _hash(label, 0, secret), sealed, boxes)


def take_share(box: Box, label: str, private: X25519PrivateKey) -> bytes:
    """The share in a box. Raises Fault `seal.box_not_yours` (another's box, or a byte was changed)."""
    try:
        share = _SUITE.decrypt(box.box, private, info=_info(label, box.number))
    except (InvalidTag, ValueError):
        raise Fault("seal.box_not_yours", label) from None
    if not is_share(box, label, share):
        raise Fault("seal.box_not_yours", label)
    return share


def is_share(box: Box, label: str, share: bytes) -> bool:
    """Whether this is the share that was put into the box."""
    return hmac.compare_digest(_hash(label, box.number, share), box.share_sha256)


def open_envelope(envelope: Envelope, label: str, shares: Mapping[int, bytes]) -> bytes:
    """The content. Raises Fault `seal.too_few_shares`, `seal.shares_wrong`, `seal.content_changed`, `seal.shares_unlike`."""
    if len(shares) < envelope.needed:
        raise Fault("seal.too_few_shares", label, has=len(shares), needed=envelope.needed)
    secret = join(dict(sorted(shares.items())[: envelope.needed]))
    if len(secret) != 32 or not hmac.compare_digest(_hash(label, 0, secret), envelope.commitment):
        raise Fault("seal.shares_wrong", label)
    nonce, body = envelope.content[:_NONCE], envelope.content[_NONCE:]
    try:
        return AESGCM(secret).decrypt(nonce, body, label.encode())
    except (InvalidTag, ValueError):
        raise Fault("seal.content_changed", label) from None


def _info(label: str, number: int) -> bytes:
    return f"expert-pool seal 1 {number} {label}".encode()


def _hash(label: str, number: int, secret: bytes) -> str:
    return sha256(_info(label, number) + b"\0" + secret).hexdigest()
