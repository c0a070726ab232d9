"""The one way this package refuses input: a code, the place, and parameters; the words live elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError


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


def misfit(error: ValidationError) -> tuple[str, dict[str, Any]]:
    """The place of the first thing that does not follow a schema (`rules.0.least`), and why, to be said as a parameter."""
    first = error.errors(include_url=False)[0]
    return ".".join(map(str, first["loc"])), reason(first)


def reason(found: Mapping[str, Any]) -> dict[str, Any]:
    """Why pydantic refused a value, as a code with its bounds: `{"code": "invalid.less_than", "lt": 5}`.

    As a parameter of a Fault it is said in the reader's language, where pydantic has English only.
    """
    context = {
        name: value
        for name, value in (found.get("ctx") or {}).items()
        if isinstance(value, str | int | float) and name not in ("code", "lang")
    }
    return {**context, "code": f"invalid.{found['type']}"}


def _restore(code: str, where: str, params: dict[str, Any]) -> Fault:
    return Fault(code, where, **params)
