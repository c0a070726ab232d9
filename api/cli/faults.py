"""The one place where what went wrong becomes a message and an exit code."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from typing import Any

from api.cli.exits import Exit
from api.cli.face import Face, plain
from expert_pool.words import entries, placeholders
from solver.errors import Fault


def refuse(face: Face, fault: Fault) -> Exit:
    """Tell the user what is wrong, where, and how to mend it: one line, or one JSON document as well."""
    message = sentence(face, fault)
    if face.json:
        error = {"code": fault.code, "where": fault.where, "params": fault.params, "message": message}
        print(json.dumps({"error": error}, ensure_ascii=False, indent=2, default=plain))
    print(face.say("cli.error", message=message), file=sys.stderr)
    return Exit.INPUT


def sentence(face: Face, fault: Fault) -> str:
    """The fault's sentence, with its place unless the sentence names it already; always one line."""
    said = face.say(fault.code, **{"where": fault.where} | fault.params)
    names_place = "where" in placeholders(entries(face.lang).get(fault.code, ""))
    if fault.where and not names_place:
        said = face.say("cli.error_where", message=said, where=fault.where)
    return " ".join(said.split())


def apologise(face: Face, error: BaseException) -> Exit:
    """A fault of ours: say so, and put the trace into a file that only the user may read."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    handle, path = tempfile.mkstemp(prefix=f"expert-pool-{stamp}-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        log.writelines(traceback.format_exception(error))
    try:
        message = face.say("cli.apology", kind=type(error).__name__, log=path)
    except Exception:  # the catalogues themselves may be what is broken
        message = f"{type(error).__name__}: {path}"
    if face.json:
        document = {
            "error": {"code": "cli.apology", "where": "", "params": {"log": path}, "message": message}
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    print(message, file=sys.stderr)
    return Exit.FAULT


def interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is behind an error: in the middle of a class statement Python wraps it into another."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return True
        cause = cause.__cause__
    return False


def misuse(error: Any) -> Fault:
    """A complaint of the argument parser in our own words. `error` is one of typer's usage errors."""
    where = error.ctx.command_path if getattr(error, "ctx", None) else ""
    match type(error).__name__:
        case "NoSuchOption":
            return Fault(
                "cli.option_unknown", where, option=error.option_name, near=error.possibilities or None
            )
        case "MissingParameter":
            return Fault("cli.parameter_missing", where, parameter=_shown(error.param))
        case "BadParameter" if error.param is not None:
            kind = error.param.type
            low, high = getattr(kind, "min", None), getattr(kind, "max", None)
            name = kind.name.partition(" ")[0]
            return Fault(
                "cli.value_bad", where, parameter=_shown(error.param), type=name, least=low, most=high
            )
        case "BadOptionUsage":
            return Fault("cli.value_missing", where, option=error.option_name)
        case "UsageError" if error.message.startswith("Got unexpected extra argument"):
            return Fault("cli.too_many", where, extra=error.message.partition("(s) (")[2].removesuffix(")"))
    return Fault("cli.misused", where, said=error.format_message())


def _shown(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return " / ".join(parameter.opts)
    return str(parameter.name).upper()
