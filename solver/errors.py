"""The one way this package refuses input: a code, the place, and parameters; the words live elsewhere."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """Input that cannot be used.

    `code` names the message in the catalogues, `where` the place (a JSON path, a row, a file),
    `params` what the sentence needs. Nothing has been changed when it is raised.
    """

    def __init__(self, code: str, where: str = "", **params: Any) -> None:
        super().__init__(code, where, params)
        self.code = code
        self.where = where
        self.params = params

    def __str__(self) -> str:
        said = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.code}{f' at {self.where}' if self.where else ''}{f' ({said})' if said else ''}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.code, self.where, self.params)


def _restore(code: str, where: str, params: dict[str, Any]) -> Fault:
    return Fault(code, where, **params)
