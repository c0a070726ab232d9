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
        return mark_under(self.mark_secret(), text)

    def mark_secret(self) -> bytes:
        """What marks are made with: enough to recognise a text by its mark, not to open anything."""
        return _derived(self.secret, "mark")

    def pseudonym(self, code: str) -> str:
        """The stand-in for a new expert with this code: `P` and 10 letters or digits (base32).

        It is stored and never made again, so it outlives the key.
        """
        digest = hmac.digest(_derived(self.secret, "pseudonym"), code.encode("utf-8"), "sha256")
        return "P" + base64.b32encode(digest[:7]).decode("ascii")[:10]

    def check(self) -> str:
        """A hash that tells this key from others and gives nothing else away."""
        return self._hash("check", "")

    def _hash(self, use: str, text: str) -> str:
        return hmac.new(_derived(self.secret, use), text.encode("utf-8"), "sha256").hexdigest()


def mark_under(secret: bytes, text: str) -> str:
    """The mark of a text under a `Key.mark_secret`, the present one or one before."""
    plain = unicodedata.normalize("NFKC", text).upper()
    said = "".join(c for c in plain if not c.isspace() and c != "-")
    return hmac.digest(secret, said.encode("utf-8"), "sha256").hex()


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
    place = make_url(url)
    file = key_file(url)
    if file is None:
        if place.get_backend_name() == "sqlite":
            return Key.new()
        raise Fault("key.missing", place.render_as_string(hide_password=True), variable=KEY_VARIABLE)
    if KEY_FILE_VARIABLE in os.environ or file.exists():
        return read_key(file)
    database = Path(str(place.database))
    if database.exists() and database.stat().st_size:
        raise Fault("key.missing", str(file), variable=KEY_VARIABLE)
    return make_key(file)


def key_file(url: str) -> Path | None:
    """The file that the key of the database at `url` is read from; None where it is none: the key stands in the
    environment, is missing, or belongs to a database in memory.
    """
    if KEY_VARIABLE in os.environ:
        return None
    if (named := os.environ.get(KEY_FILE_VARIABLE)) is not None:
        return Path(named)
    place = make_url(url)
    if place.get_backend_name() != "sqlite" or place.database in (None, "", ":memory:"):
        return None
    database = Path(str(place.database))
    return database.with_name(database.name + ".key")


def coming_file(file: Path) -> Path:
    """Where a rotation keeps the new key until it takes the place of the one in `file`."""
    return file.with_name(file.name + ".new")


def coming_key(url: str) -> Key | None:
    """The new key of a rotation that was stopped between the database and the key file; None where there is none."""
    file = key_file(url)
    if file is None or not coming_file(file).exists():
        return None
    return read_key(coming_file(file))


def read_key(path: Path) -> Key:
    """The key in a file. Raises Fault `key.malformed`, `key.file_unreadable`."""
    try:
        text = path.read_text("ascii")
    except UnicodeDecodeError:
        raise Fault("key.malformed", str(path)) from None
    except OSError as error:
        raise Fault("key.file_unreadable", str(path), reason=error.strerror or str(error)) from None
    return Key.from_text(text, str(path))


def make_key(path: Path, key: Key | None = None) -> Key:
    """Write a key (None: a fresh one) to `path` in one durable step, readable by its owner only; where there is one
    already, take that. Raises Fault `key.file_unwritable`, and as `read_key`.
    """
    try:
        handle, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mkstemp gives mode 600
    except OSError as error:
        raise Fault("key.file_unwritable", str(path), reason=error.strerror or str(error)) from None
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write((key or Key.new()).to_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise Fault("key.file_unwritable", str(path), reason=error.strerror or str(error)) from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return read_key(path)


def sync_folder(folder: Path) -> None:
    """Make names that were just given in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
