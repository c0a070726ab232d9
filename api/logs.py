"""The log: one JSON object a line on stderr, in ASCII, without personal data.

Whoever writes a line gives an event name and fields that are ids, codes, counts or times. Errors are written as
their classes and the places in the code they passed, never their text: a database error quotes the row it refused.
For the same reason lines of libraries are reduced to where they were written; our own sentences are kept, and those of
uvicorn (none of which holds more than an address) without what is filled in.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_OURS = ("expert_pool", "api")
_TEMPLATES = ("uvicorn",)
_FRAMES = 20


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every line of this process, ours and of libraries, to `stream` (stderr) from `level` on."""
    least = _LEVELS[level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _errors_without_text,
            structlog.processors.JSONRenderer(ensure_ascii=True, default=_named),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Writer(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Reduced()]
    root.setLevel(max(least, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(True)


def log() -> Any:
    """The logger: `log().info("event", field=value)`; `error=exception` is written without its text.

    Nothing is written in a process that was not `configure`d.
    """
    return structlog.get_logger() if structlog.is_configured() else _SILENT


def told(error: BaseException) -> dict[str, Any]:
    """An error for the log: its classes, outermost first, and the places it passed, innermost last."""
    kinds: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < 5:
        kinds.append(type(seen).__qualname__)
        code = getattr(seen, "code", None)
        if isinstance(code, str) and type(seen).__name__ == "Fault":
            kinds[-1] += f" {code}"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    places: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code_of = trace.tb_frame.f_code
        places.append(f"{_short(code_of.co_filename)}:{trace.tb_lineno} {code_of.co_name}")
        trace = trace.tb_next
    return {"kind": kinds, "places": places[-_FRAMES:]}


class _Writer:
    """Writes lines to a stream (stderr as it is at that moment). What cannot be written is lost: the service goes on."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            stream = self._stream or sys.stderr
            stream.write(line + "\n")
            stream.flush()

    debug = info = warning = error = critical = _write


class _Reduced(logging.Handler):
    """Lines of libraries: which logger, which place in its code; the sentence only where it is known to be harmless."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "place": f"{record.module}:{record.lineno}"}
        top = record.name.partition(".")[0]
        if top in _OURS:
            fields["said"] = record.getMessage()
        elif top in _TEMPLATES:
            fields["said"] = str(record.msg).strip()
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        level = "error" if record.levelno >= 40 else "warning" if record.levelno >= 30 else "info"
        getattr(log(), level)("said" if top in _OURS else "library", **fields)


def _errors_without_text(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    line.pop("exc_info", None)
    for name, value in line.items():
        if isinstance(value, BaseException):
            line[name] = told(value)
    return line


def _dropped(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    raise structlog.DropEvent


_SILENT = structlog.wrap_logger(None, processors=[_dropped])


def _named(value: Any) -> str:
    return f"<{type(value).__qualname__}>"


def _short(file: str) -> str:
    parts = Path(file).parts
    for top in ("api", "expert_pool", "solver", "site-packages"):
        if top in parts:
            at = len(parts) - 1 - parts[::-1].index(top)
            return "/".join(parts[at + (top == "site-packages") :])
    return parts[-1] if parts else file
