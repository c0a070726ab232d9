"""The installation's key: seals personal fields, marks them for search, gives experts their pseudonyms."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import tempfile
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import make_url

from solver.errors import Fault

KEY_VARIABLE = "EXPERT_POOL_KEY"
KEY_FILE_VARIABLE = "EXPERT_POOL_KEY_FILE"

_LENGTH = 32
_NONCE = 12
_FORM = b"\x01"


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of 32 bytes. Each use has its own key derived from it (HKDF-SHA256), so none gives another
    away.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != _LENGTH:
            raise ValueError(f"a key has {_LENGTH} bytes")

    @classmethod
    def new(cls) -> Key:
        """A fresh random key."""
        return cls(os.urandom(_LENGTH))

    @classmethod
    def from_text(cls, text: str, where: str) -> Key:
        """The key that `text` (base64, 44 characters) writes down.

        Raises Fault `key.malformed` naming `where` it came from; the fault never holds the text.
        """
        try:
            secret = base64.b64decode(text.strip().encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError, ValueError):
            secret = b""
        if len(secret) != _LENGTH:
            raise Fault("key.malformed", where)
        return cls(secret)

    def to_text(self) -> str:
        """The key written down, for a key file: base64, safe in file names and URLs."""
        return base64.urlsafe_b64encode(self.secret).decode("ascii")

    def seal(self, text: str) -> bytes:
        """`text` encrypted and authenticated (AES-256-GCM). The same text seals differently each time."""
        nonce = os.urandom(_NONCE)
        return _FORM + nonce + _cipher(self.secret).encrypt(nonce, text.encode("utf-8"), _FORM)

    def open(self, sealed: bytes) -> str:
        """What was sealed. Raises Fault `key.cannot_open`: another key sealed it, or a byte was changed."""
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        if sealed[:1] != _FORM or len(nonce) < _NONCE:
            raise Fault("key.cannot_open")
        try:
            return _cipher(self.secret).decrypt(nonce, body, _FORM).decode("utf-8")
        except InvalidTag:
            raise Fault("key.cannot_open") from None

    def mark(self, text: str) -> str:
        """A keyed hash to search sealed fields by; width, case, spaces and hyphens do not matter."""
        plain = unicodedata.normalize("NFKC", text).upper()
        return self._hash("mark", "".join(c for c in plain if not c.isspace() and c != "-"))

    def pseudonym(self, code: str) -> str:
        """The stable stand-in for the expert with this code: `P` and 10 letters or digits (base32)."""
        digest = hmac.digest(_derived(self.secret, "pseudonym"), code.encode("utf-8"), "sha256")
        return "P" + base64.b32encode(digest[:7]).decode("ascii")[:10]

    def check(self) -> str:
        """A hash that tells this key from others and gives nothing else away."""
        return self._hash("check", "")

    def _hash(self, use: str, text: str) -> str:
        return hmac.new(_derived(self.secret, use), text.encode("utf-8"), "sha256").hexdigest()


@lru_cache(maxsize=64)
def _derived(secret: bytes, use: str) -> bytes:
    info = f"expert-pool {use} 1".encode("ascii")
    return HKDF(algorithm=SHA256(), length=_LENGTH, salt=None, info=info).derive(secret)


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(_derived(secret, "seal"))


def load_key(url: str) -> Key:
    """The key of the database at `url`.

    Taken from EXPERT_POOL_KEY, else from the file that EXPERT_POOL_KEY_FILE names, else (SQLite only) from
    the file `<database>.key`, which is made with mode 600 when the database is new. A database in memory gets
    a key that dies with it.

    Raises Fault `key.malformed`, `key.file_unreadable`, `key.missing` (a server database without a key, or an
    existing SQLite database whose key file is gone) or `key.file_unwritable`.
    """
    if (text := os.environ.get(KEY_VARIABLE)) is not None:
        return Key.from_text(text, KEY_VARIABLE)
    if (named := os.environ.get(KEY_FILE_VARIABLE)) is not None:
        return _read(Path(named))
    place = make_url(url)
    if place.get_backend_name() != "sqlite":
        raise Fault("key.missing", place.render_as_string(hide_password=True), variable=KEY_VARIABLE)
    if place.database in (None, "", ":memory:"):
        return Key.new()
    database = Path(str(place.database))
    beside = database.with_name(database.name + ".key")
    if beside.exists():
        return _read(beside)
    if database.exists() and database.stat().st_size:
        raise Fault("key.missing", str(beside), variable=KEY_VARIABLE)
    return _make(beside)


def _read(path: Path) -> Key:
    try:
        text = path.read_text("ascii")
    except UnicodeDecodeError:
        raise Fault("key.malformed", str(path)) from None
    except OSError as error:
        raise Fault("key.file_unreadable", str(path), reason=error.strerror or str(error)) from None
    return Key.from_text(text, str(path))


def _make(path: Path) -> Key:
    """Write a fresh key to `path` in one step; where another process was first, take its key."""
    try:
        handle, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mkstemp gives mode 600
    except OSError as error:
        raise Fault("key.file_unwritable", str(path), reason=error.strerror or str(error)) from None
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(Key.new().to_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise Fault("key.file_unwritable", str(path), reason=error.strerror or str(error)) from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return _read(path)
