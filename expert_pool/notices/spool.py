"""Files: every notice as one file, for another system to fetch or an office to print."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from expert_pool.notices.channels import FileSettings
from expert_pool.notices.mail import message
from expert_pool.notices.outgoing import Outgoing, Undelivered

FOLDER = "notices"
_SAFE = re.compile(r"[A-Za-z0-9-]{1,100}")


class FileSender:
    """Writes notices below `files`/notices/<day>/; a file that is there is whole. Written twice, it is the same file."""

    def __init__(self, settings: FileSettings, files: Path, sender: str = "expert-pool@localhost") -> None:
        self.settings, self.files, self.sender = settings, files, sender

    def send(self, notice: Outgoing) -> None:
        """Write one. Raises Undelivered."""
        if not _SAFE.fullmatch(notice.id):
            raise ValueError("an id of ours holds letters, digits and hyphens")
        folder = self.files / FOLDER / notice.at.date().isoformat()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".", dir=folder)  # mode 600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self._content(notice))
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, folder / f"{notice.id}.{self.settings.form}")
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError:
            raise Undelivered("notices.file_unwritable", channel=True) from None

    def close(self) -> None:
        """Nothing is held."""

    def _content(self, notice: Outgoing) -> bytes:
        if self.settings.form == "eml":
            return message(notice, self.sender).as_bytes()
        said = {
            "id": notice.id,
            "kind": notice.kind,
            "to": notice.to,
            "language": notice.language,
            "subject": notice.letter.subject,
            "text": notice.letter.text,
            "short": notice.letter.short,
            "at": notice.at.isoformat(timespec="seconds"),
        }
        return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()
