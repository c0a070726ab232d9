"""What every command knows of its user: language, form of output, database, actor; and how it answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from expert_pool.words import languages, say
from solver.errors import Fault

if TYPE_CHECKING:
    import typer

    from expert_pool.store import Store
    from expert_pool.viewer import Viewer

DATABASE_FILE = "expert-pool.db"
PLAIN_WIDTH = 140
"""Columns of human output that goes to no terminal."""

_VALUED = {"--lang": "lang", "--database": "database", "--as": "actor"}


@dataclass(frozen=True, slots=True)
class Face:
    """One user's side of one command: `lang`, `json` for one JSON document, `database` URL, `actor` for the ledger."""

    lang: str
    json: bool = False
    database: str | None = None
    actor: str = ""

    @staticmethod
    def of(context: typer.Context) -> Face:
        return cast(Face, context.obj)

    def say(self, code: str, /, **params: Any) -> str:
        params.pop("lang", None)
        return say(code, self.lang, **params)

    def answer(self, document: Any, *human: Any) -> None:
        """Print `document` as JSON, or, without --json, each of `human` (text or anything that rich can print)."""
        if self.json:
            import json

            print(json.dumps(document, ensure_ascii=False, indent=2, default=plain))
            return
        if all(isinstance(line, str) for line in human):
            print(*human, sep="\n")
            return
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH)
        for line in human:
            if isinstance(line, str):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                console.print(line)

    def url(self) -> str:
        """The database asked for, else a SQLite file in the current folder."""
        return self.database or f"sqlite:///{Path(DATABASE_FILE).absolute()}"

    def store(self, *, new: bool = False, upgrade: bool = True) -> Store:
        """Open the registry. Only with `new` may a SQLite file that is not there come into being.

        Raises Fault when it is not there or cannot be opened.
        """
        from expert_pool.store import open_store

        url = self.url()
        place = url.removeprefix("sqlite:///") if "://" in url else url
        if not new and "://" not in place and place not in ("", ":memory:"):
            file = Path(place.partition("?")[0]).expanduser()
            if not file.exists():
                raise Fault("cli.database_missing", str(file))
        return open_store(url, upgrade=upgrade)

    def viewer(self, *, opens_seals: bool = False) -> Viewer:
        from dataclasses import replace

        from expert_pool.viewer import Viewer

        return replace(Viewer.system(self.actor), opens_seals=opens_seals)


def plain(value: Any) -> Any:
    """What JSON has no form for, as text: dates and moments in ISO form."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False, title: str = ""
) -> Any:
    """A table for people; what is in the cells is text and never markup. `numbers`: all but the first column."""
    from rich.table import Table
    from rich.text import Text

    made = Table(
        box=None, pad_edge=False, show_edge=False, title=Text(title) if title else None, title_justify="left"
    )
    for i, header in enumerate(headers):
        made.add_column(Text(header), overflow="fold", justify="right" if numbers and i else "left")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def take_face(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Face, list[str]]:
    """The face that `arguments` and `environment` ask for, and the arguments left for the commands.

    The global options may stand anywhere before `--`. Raises Fault for a language that is not spoken.
    """
    found: dict[str, str] = {}
    left: list[str] = []
    json = False
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, given, value = word.partition("=")
        if word == "--":
            left += [word, *waiting]
            break
        if word == "--json":
            json = True
        elif name in _VALUED and given:
            found[_VALUED[name]] = value
        elif name in _VALUED and waiting:
            found[_VALUED[name]] = waiting.pop(0)
        else:
            left.append(word)
    lang = found.get("lang") or environment.get("EXPERT_POOL_LANG") or _of_locale(environment)
    actor = found.get("actor") or environment.get("USER") or environment.get("LOGNAME") or "local"
    database = found.get("database") or environment.get("EXPERT_POOL_DATABASE") or None
    if lang not in languages():
        raise Fault("cli.lang_unknown", "--lang", given=lang, known=list(languages()))
    return Face(lang, json, database, actor), left


def guess_face(arguments: Sequence[str], environment: Mapping[str, str]) -> Face:
    """A face good enough to say that the arguments cannot be understood."""
    return Face(_of_locale(environment), "--json" in arguments)


def _of_locale(environment: Mapping[str, str]) -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        spoken = environment.get(name, "")[:2].lower()
        if spoken in languages():
            return spoken
    return languages()[0]
