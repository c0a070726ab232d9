"""A supervisor's private key: X25519, in a file that opens with a password only.

The password is stretched with Argon2id (RFC 9106), the key lies under AES-256-GCM. The file is made and used where the
supervisor sits; the host needs the public key alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from solver.errors import Fault

FORMAT = "seal-key/1"
SHORTEST = 12
_COST = {"iterations": 3, "lanes": 4, "memory_cost": 65_536}
"""RFC 9106, second recommended choice: 64 MiB, three passes, four lanes."""


def make_key_file(path: Path, password: str) -> str:
    """Make a private key, write it to a new file readable by its owner only, and give the public key as text.

    Raises Fault `seal.password_short`, `seal.file_exists`, `seal.file_unwritable`.
    """
    if len(password) < SHORTEST:
        raise Fault("seal.password_short", "password", least=SHORTEST)
    private = X25519PrivateKey.generate()
    public = public_text(private.public_key())
    salt, nonce = os.urandom(16), os.urandom(12)
    box = AESGCM(_stretched(password, salt, _COST)).encrypt(
        nonce, private.private_bytes_raw(), public.encode()
    )
    document = {
        "format": FORMAT,
        "public_key": public,
        "kdf": {"name": "argon2id", "salt": _text(salt), **_COST},
        "nonce": _text(nonce),
        "box": _text(box),
    }
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(json.dumps(document, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Fault("seal.file_exists", str(path)) from None
    except OSError as error:
        raise Fault("seal.file_unwritable", str(path), reason=error.strerror or str(error)) from None
    return public


def read_key_file(path: Path, password: str) -> X25519PrivateKey:
    """The private key in a file. Raises Fault `seal.file_unreadable`, `seal.file_malformed`, `seal.password_wrong` (or
    a byte was changed)."""
    try:
        document: Any = json.loads(path.read_text("ascii"))
        if document["format"] != FORMAT or document["kdf"]["name"] != "argon2id":
            raise KeyError("format")
        cost = {name: int(document["kdf"][name]) for name in _COST}
        salt, nonce, box = (
            base64.b64decode(t) for t in (document["kdf"]["salt"], document["nonce"], document["box"])
        )
        public = str(document["public_key"])
    except OSError as error:
        raise Fault("seal.file_unreadable", str(path), reason=error.strerror or str(error)) from None
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Fault("seal.file_malformed", str(path)) from None
    if cost["memory_cost"] > 1_048_576 or not 1 <= cost["iterations"] <= 20 or not 1 <= cost["lanes"] <= 16:
        raise Fault("seal.file_malformed", str(path))
    try:
        raw = AESGCM(_stretched(password, salt, cost)).decrypt(nonce, box, public.encode())
        return X25519PrivateKey.from_private_bytes(raw)
    except (InvalidTag, ValueError):
        raise Fault("seal.password_wrong", str(path)) from None


def public_text(key: X25519PublicKey) -> str:
    """A public key written down: base64, 44 characters."""
    return _text(key.public_bytes_raw())


def public_key(text: str) -> X25519PublicKey:
    """The public key that a text writes down. Raises Fault `seal.public_key_malformed`."""
    try:
        return X25519PublicKey.from_public_bytes(base64.b64decode(text.encode("ascii"), validate=True))
    except (ValueError, UnicodeEncodeError):
        raise Fault("seal.public_key_malformed", "public_key") from None


def _stretched(password: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return Argon2id(
        salt=salt,
        length=32,
        iterations=cost["iterations"],
        lanes=cost["lanes"],
        memory_cost=cost["memory_cost"],
    ).derive(password.encode("utf-8"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
