"""What one cell of a roster says: text in, a value out, or the reason why it cannot be read."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from expert_pool.audits.layout import Heading, Kind
from expert_pool.imports.cells import Trouble, Unreadable, plain, reader
from expert_pool.imports.labels import LABELS
from expert_pool.imports.sheets import Column
from expert_pool.imports.sheets import Kind as Cell
from expert_pool.lifecycle import State
from expert_pool.policies.vocabulary import KINDS
from expert_pool.registry import Gender, Rank, RelationKind, Role, Sector
from expert_pool.words import say, term

Span = tuple[date, date]
"""A day, or the days among which it is, when only its month is known."""

_PLAIN = {
    Kind.TEXT: Cell.TEXT,
    Kind.CODE: Cell.CODE,
    Kind.LIST: Cell.TEXT,
    Kind.MONTH: Cell.DATE,
    Kind.INTEGER: Cell.INTEGER,
    Kind.YES: Cell.BOOLEAN,
}
_SEPARATORS = re.compile(r"[、;；,，\n]")
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月)")

NOTHING = "none"
"""In the sheet of relations: that none are known. An empty sheet says nothing."""

MEMBER, ALTERNATE = "member", "alternate"
_PLACES: Mapping[str, tuple[str, ...]] = {
    MEMBER: ("正式", "正选", "正式委员", "委员", "执行委员"),
    ALTERNATE: ("备选", "候补", "替补", "备选委员", "候补委员"),
}
_MORE: Mapping[type[StrEnum], Mapping[StrEnum, tuple[str, ...]]] = {
    Sector: {
        Sector.CENTRAL: ("中央单位", "中央在地方单位"),
        Sector.PROVINCIAL: ("省属", "省属单位"),
        Sector.MUNICIPAL: ("市属", "市属单位"),
        Sector.STATE_OWNED: ("国企",),
        Sector.PRIVATE: ("民企", "私营企业"),
        Sector.FOREIGN: ("外企", "外商投资企业"),
        Sector.STATE_ORGAN: ("政府机关",),
    },
    Role: {
        Role.CHAIR: ("主任评委",),
        Role.DEPUTY: ("副主任评委",),
        Role.MEMBER: ("成员", "评委", "执行评委", "正式委员"),
        Role.ALTERNATE: ("备选", "替补", "候补委员", "替补委员"),
    },
    State: {State.ACTIVE: ("正常",)},
}


def read_cells(heading: Heading, cells: Sequence[str]) -> tuple[list[Any], list[Trouble]]:
    """The values of a column, None where a cell is empty or unreadable, and what is wrong with it.

    LIST gives a tuple of texts, MONTH a `Span`, words of ours the value of their enumeration.
    """
    read = _reader(heading)
    known: dict[str, Any] = {}
    bad: dict[str, Unreadable] = {}
    for cell in dict.fromkeys(cells):
        try:
            known[cell] = read(cell.strip()) if cell.strip() else None
            if heading.required and known[cell] is None:
                raise Unreadable("import.required")
        except Unreadable as trouble:
            known[cell], bad[cell] = None, trouble
    troubles = [(i, bad[cell].code, bad[cell].params) for i, cell in enumerate(cells) if cell in bad]
    return [known[cell] for cell in cells], troubles


def words_of(kind: Kind) -> Mapping[str, str]:
    """Every word that may stand in a column of a closed kind, with the value it means; () for an open kind."""
    if kind is Kind.PLACE:
        return {word: value for value, words in _PLACES.items() for word in (value, *words)}
    if kind is Kind.RELATION:
        ours = {word: str(kind) for kind, words in LABELS[RelationKind].items() for word in words}
        named = {term("conflict", kind): kind for kind in KINDS if kind != "self"}
        return (
            {kind: kind for kind in KINDS if kind != "self"}
            | ours
            | named
            | {NOTHING: NOTHING, "无": NOTHING}
        )
    if kind is Kind.STATE:
        states = {word: str(state) for state in State for word in (state.value, term("state", state))}
        return states | {word: str(state) for state, words in _MORE[State].items() for word in words}
    choices = {Kind.SECTOR: Sector, Kind.RANK: Rank, Kind.ROLE: Role, Kind.GENDER: Gender}.get(kind)
    if choices is None:
        return {}
    more = _MORE.get(choices, {})
    return {
        word: value.value
        for value in choices
        for word in (value.value, *LABELS[choices][value], *more.get(value, ()))
    }


def choices_of(kind: Kind, lang: str) -> list[str]:
    """One word for each value of a closed kind, to be offered in the template."""
    if kind is Kind.YES:
        return [term("words", value, lang) for value in (True, False)]
    first: dict[str, str] = {}
    for word, value in words_of(kind).items():
        if lang != "zh" or word != value:
            first.setdefault(value, word)
    return list(first.values())


def explained(heading: Heading, lang: str) -> str:
    """What may stand in a column, in words."""
    if words := words_of(heading.kind):
        return say("audit.kind.word", lang, allowed=_allowed(words))
    return say(f"audit.kind.{heading.kind.value}", lang, low=heading.low, high=heading.high)


def settled(span: Span | None, on: date) -> date | None:
    """A day that stands to `on` as the one meant does; None where the month alone does not tell."""
    if span is None:
        return None
    first, last = span
    return None if first != last and first < on <= last else last


def years_between(span: Span | None, on: date) -> int | None:
    """Full years from a day to `on`; None where it is unknown, or its month alone does not tell."""
    if span is None:
        return None
    least, most = sorted(on.year - day.year - ((on.month, on.day) < (day.month, day.day)) for day in span)
    return least if least == most else None


@cache
def same_text(text: str) -> str:
    """A name as it is compared: full-width signs made plain, blanks left out between Chinese characters."""
    made = plain(text).strip()
    return re.sub(r"\s+", "" if not made.isascii() else " ", made).casefold()


def _reader(heading: Heading) -> Callable[[str], Any]:
    if words := words_of(heading.kind):
        return lambda cell: _word(words, cell)
    name, kind = heading.name, _PLAIN[heading.kind]
    read = reader(Column(name, heading.zh, kind, name, low=heading.low, high=heading.high))
    if heading.kind is Kind.LIST:
        return lambda cell: tuple(part.strip() for part in _SEPARATORS.split(read(cell)) if part.strip())
    if heading.kind is Kind.MONTH:
        return lambda cell: _span(cell, read)
    return read


def _word(words: Mapping[str, str], cell: str) -> str:
    found = words.get(cell) or words.get(same_text(cell)) or words.get(plain(cell).strip())
    if found is None:
        raise Unreadable("import.choice", value=cell, allowed=_allowed(words))
    return found


def _allowed(words: Mapping[str, str]) -> str:
    """Every value with its first Chinese word."""
    first: dict[str, str] = {}
    for word, value in words.items():
        if word != value:
            first.setdefault(value, word)
    return ", ".join(f"{value}（{word}）" for value, word in first.items())


def _span(cell: str, read: Callable[[str], Any]) -> Span:
    """A day, or a month. `1975.1` may be January or, out of a number cell, October: it is not read."""
    found = _MONTH.fullmatch(plain(cell))
    if found is None:
        day = read(cell)
        return day, day
    year, month = int(found[1]), int(found[2] or found[3])
    if not (year >= 1900 and 1 <= month <= 12) or plain(cell).endswith(".1"):
        raise Unreadable("audit.month", value=cell)
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])
