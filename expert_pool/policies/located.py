"""YAML as plain data that remembers the line of everything in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from solver.errors import Fault

Path = tuple[str | int, ...]
LIMIT = 1_000_000
"""Longest policy file read, in bytes."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Located:
    """Data read from `file`; `lines` gives the line, from 1, of every path into it."""

    file: str
    data: Any
    lines: Mapping[Path, int] = field(repr=False)

    def at(self, path: Iterable[str | int] = ()) -> str:
        """`file:line` of a path, or of the nearest thing that holds it."""
        steps = tuple(path)
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return f"{self.file}:{self.lines.get(steps, 1)}"


def read(content: bytes, file: str) -> Located:
    """The data of one YAML file; `file` is the name that faults show.

    Only true, false, null, whole numbers and text are told apart; a share such as 0.3 and a date stay text, and keys
    are always text. Raises Fault for what is not YAML, for a key written twice, and for aliases.
    """
    if len(content) > LIMIT:
        raise Fault("policy.too_long", file, size=len(content), limit=LIMIT)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Fault("policy.unreadable", f"{file}:{line}", why="UTF-8") from None
    lines: dict[Path, int] = {}
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise Fault("policy.alias", f"{file}:{line}", name=str(event.anchor))
        node = yaml.compose(text, Loader=_Loader)
        data = None if node is None else _plain(node, (), lines, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise Fault("policy.unreadable", where, why=error.problem or error.context or "YAML") from None
    except yaml.YAMLError as error:
        raise Fault("policy.unreadable", file, why=str(error).splitlines()[0]) from None
    except RecursionError:
        raise Fault("policy.unreadable", file, why="too deeply nested") from None
    return Located(file, data, lines)


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means, or None."""
    return next(iter(difflib.get_close_matches(str(name), sorted(known), 1, 0.5)), None)


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, file) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if not isinstance(key, yaml.ScalarNode):
                raise Fault("policy.unreadable", f"{file}:{line}", why="a key must be a plain word")
            if name in found:
                raise Fault("policy.key_twice", f"{file}:{line}", key=name)
            lines[(*path, name)] = line
            found[name] = _plain(value, (*path, name), lines, file)
        return found
    text = str(node.value)
    if node.tag == f"{_TAG}null":
        return None
    if node.tag == f"{_TAG}bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if node.tag == f"{_TAG}int" and _WHOLE.fullmatch(text):
        return int(text)
    return text
