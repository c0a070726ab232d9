"""docs/api.md: every command has its row, every resource named there exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.cli.main import COMMANDS
from api.http.app import PREFIX

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
ROW = re.compile(r"^\| (`[^|]+`) \| ([^|]+) \|$", re.MULTILINE)
RESOURCE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`")
ELSEWHERE = ("at the machine: ", "the service itself")


def commands() -> Iterator[str]:
    for name, entry in COMMANDS.items():
        yield from (f"{name} {part}" for part in entry) if isinstance(entry, dict) else (name,)


def rows() -> dict[str, str]:
    """What the page says of each command."""
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: said for names, said in found for name in re.findall(r"`([^`]+)`", names)}


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert set(rows()) == set(commands())


def test_a_row_names_a_resource_or_says_why_there_is_none() -> None:
    assert [
        name for name, said in rows().items() if not RESOURCE.search(said) and not said.startswith(ELSEWHERE)
    ] == []


def test_every_resource_of_the_page_exists(described: dict[str, Any]) -> None:
    there = {
        (method.upper(), path.removeprefix(PREFIX))
        for path, operations in described["paths"].items()
        for method in operations
    }
    named = set(RESOURCE.findall(PAGE.read_text(encoding="utf-8")))
    assert named - there == set()
