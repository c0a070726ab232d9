"""The backup file: written whole or not at all, read only when every byte is as it was written."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from expert_pool.keys import sync_folder
from expert_pool.ledger import Head
from solver.errors import Fault

FORMAT: Final = "expert-pool-backup/1"
REGISTRY, MANIFEST = "registry.db", "manifest.json"
_MANIFEST_BYTES = 5_000_000
_PIECE = 1 << 20


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["expert-pool-backup/1"]
    version: str
    """The version of this program that wrote it."""
    made_at: datetime
    database: Literal["sqlite", "postgresql"]
    revision: str
    """The revision of its tables."""
    key_check: str
    """Tells the key it needs from others, and nothing else of it."""
    tables: dict[str, int]
    """How many rows each table holds."""
    bytes: int = Field(ge=0)
    sha256: str
    """The size and hash of `registry.db`."""
    entries: int
    heads: tuple[Head, ...]
    anchor: str
    """Where the ledger's chains ended: entries in all, the last of each, and the one hash over them."""

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(self.tables.values())


@contextmanager
def workplace(beside: Path) -> Iterator[Path]:
    """A folder beside a file that nobody else may look into, gone at the end of the block.

    Raises Fault `backup.no_space` when it, or what is written into it, cannot be written.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))  # mode 700
    except OSError as error:
        raise Fault("backup.no_space", str(beside), reason=error.strerror or str(error)) from None
    try:
        yield folder
    except OSError as error:
        raise Fault("backup.no_space", str(beside), reason=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pack(folder: Path, manifest: Manifest, file: Path) -> None:
    """Make `file` (mode 600) of the registry in `folder` and its manifest. Raises Fault `backup.exists`."""
    draft = folder / "backup.zip"
    with zipfile.ZipFile(draft, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr(MANIFEST, manifest.model_dump_json(indent=1))
        packed.write(folder / REGISTRY, REGISTRY)
    publish(draft, file)


def publish(draft: Path, file: Path) -> None:
    """Give a finished draft its name, unless there is such a file. Raises Fault `backup.exists`."""
    draft.chmod(0o600)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        raise Fault("backup.exists", str(file)) from None
    sync_folder(file.parent)


def unpack(file: Path, folder: Path) -> Manifest:
    """Put the registry of a backup into `folder`. Raises Fault `backup.not_one` when anything is not as written."""
    try:
        with zipfile.ZipFile(file) as packed:
            if packed.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
                raise Fault("backup.not_one", str(file), reason=MANIFEST)
            manifest = Manifest.model_validate_json(packed.read(MANIFEST))
            digest, size = sha256(), 0
            with packed.open(REGISTRY) as inside, (folder / REGISTRY).open("xb") as out:
                while piece := inside.read(_PIECE):
                    size += len(piece)
                    if size > manifest.bytes:
                        break
                    digest.update(piece)
                    out.write(piece)
    except ValidationError as error:
        reason = f"{MANIFEST}: {'.'.join(map(str, error.errors()[0]['loc']))}"
        raise Fault("backup.not_one", str(file), reason=reason) from None
    except KeyError:
        raise Fault("backup.not_one", str(file), reason=f"{MANIFEST}, {REGISTRY}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise Fault("backup.not_one", str(file), reason="zip") from None
    except FileNotFoundError:
        raise Fault("cli.unreadable", str(file), reason=os.strerror(2)) from None
    if size != manifest.bytes or digest.hexdigest() != manifest.sha256:
        raise Fault("backup.not_one", str(file), reason="sha256")
    return manifest


def fingerprint(path: Path) -> tuple[int, str]:
    """The size and sha256 of a file."""
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
        return file.tell(), digest.hexdigest()
