"""The message catalogues: one folder a language, one gettext `.po` file a room, read only when asked for."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FIRST = "zh"
"""The language that every sentence is written in first."""


@cache
def languages() -> tuple[str, ...]:
    """The languages there are, the first language first."""
    folders = {folder.name for folder in HERE.iterdir() if folder.is_dir() and _rooms(folder)}
    return (FIRST, *sorted(folders - {FIRST}))


@cache
def entries(lang: str) -> dict[str, str]:
    """Every code of one language with its sentence; the first language where `lang` is not spoken.

    Raises ValueError when a catalogue is malformed or two rooms use one code: a fault of ours, never of a user.
    """
    folder = HERE / (lang if lang in languages() else FIRST)
    all_entries: dict[str, str] = {}
    for room in _rooms(folder):
        read = parse(room.read_text(encoding="utf-8"), room.name)
        twice = all_entries.keys() & read.keys()
        if twice:
            raise ValueError(f"{lang}/{room.name}: said in another catalogue too: {', '.join(sorted(twice))}")
        all_entries |= read
    return all_entries


def parse(text: str, name: str = "") -> dict[str, str]:
    """The messages of a `.po` file, without its header and without what is not yet translated.

    Only what our catalogues use is read: `msgid`, `msgstr`, continued strings and comments. Babel reads the same
    files but takes ten times as long to import, which every `--help` would pay for; a test holds the two together.
    """
    messages: dict[str, str] = {}
    code, field = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        keyword, _, rest = stripped.partition(" ")
        if stripped.startswith('"'):
            rest = stripped
        elif keyword == "msgid":
            code, field = "", "msgid"
        elif keyword == "msgstr":
            field = "msgstr"
            if code in messages:
                raise ValueError(f"{name}:{number}: {code} is said twice")
            messages[code] = ""
        else:
            raise ValueError(f"{name}:{number}: cannot be read: {stripped}")
        try:
            piece = json.loads(rest)
        except ValueError:
            raise ValueError(f"{name}:{number}: not a quoted string: {rest}") from None
        if field == "msgid":
            code += piece
        else:
            messages[code] += piece
    return {code: said for code, said in messages.items() if code and said}


def _rooms(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.po"))
