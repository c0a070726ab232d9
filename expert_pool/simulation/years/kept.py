"""Outcomes kept by what they follow from: what was settled once, in an earlier run or another replication, is not settled again."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from pydantic import ValidationError

from expert_pool.simulation.years.outcome import Fated
from solver.errors import Fault

NAME = "panels.jsonl"


class Shelf:
    """Outcomes by key, in memory and, with a `folder`, in a file that only grows. Half a line, of a run that was killed, is
    nothing."""

    def __init__(self, folder: Path | None, versions: str) -> None:
        self.path = None if folder is None else folder / NAME
        self.versions = versions
        self.known: dict[str, Fated] = {}
        self.read = 0
        self.refresh()

    def refresh(self) -> None:
        """Reads what was added to the file since it was read last."""
        if self.path is None:
            return
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                text = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise Fault(
                "documents.cannot_write", str(self.path), reason=error.strerror or str(error)
            ) from None
        whole = text[: text.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            with contextlib.suppress(ValueError, ValidationError, KeyError, TypeError):
                found = json.loads(line)
                if found["versions"] == self.versions:
                    self.known[found["key"]] = Fated.model_validate(found["fated"])

    def get(self, key: str, seconds: float) -> Fated | None:
        """What is known: settled, or left open after as much time as there would be now."""
        found = self.known.get(key)
        return found if found is not None and (found.settled or found.seconds >= seconds) else None

    def put(self, key: str, fated: Fated) -> None:
        """Keeps an outcome. Raises Fault where it cannot be written."""
        if self.known.get(key) == fated:
            return
        self.known[key] = fated
        if self.path is None:
            return
        line = {"key": key, "versions": self.versions, "fated": fated.model_dump(mode="json")}
        try:
            with self.path.open("ab") as file:
                if file.tell() and not self._ends():
                    file.write(b"\n")
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise Fault(
                "documents.cannot_write", str(self.path), reason=error.strerror or str(error)
            ) from None

    def _ends(self) -> bool:
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read() == b"\n"
