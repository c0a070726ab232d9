"""How a sentence is made from a catalogue entry and parameters.

An entry is a `str.format` template with named fields. Beside the usual format specifications these are understood:

- `{sector:~sector}`  the value is a word of ours: said as the entry `sector.<value>`, or as it is when there is none; a day is
  written as the language writes days
- `{share:%}`         a share (`"3/10"`, `"0.3"`, a Fraction, a float) as a percentage
- `{on:@}`            an ISO date as the language writes dates
- `{group:?第{group}组，}`  the text after `?` only when the value is known and not false
- `{fact:&}`          the parameters fact, op and than together, as a test in words
- `{low:..high}`       two parameters as a range, or as one number where they are equal
- `{count:|person|people}` the first word when the value is 1, else the second
- `{why}`             a value that is a mapping with a `code` (`solver.errors.reason`) is said as a sentence of its own
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from string import Formatter
from typing import Any

from expert_pool.words.catalogue import FIRST, entries

UNKNOWN = "—"


def say(code: str, /, lang: str = FIRST, **params: Any) -> str:
    """The sentence of `code` in `lang`.

    A parameter that is None or missing shows as —; lists are joined. A code without an entry falls back to the
    first language, then to the code itself with its parameters. Never raises.
    """
    entry = entries(lang).get(code) or entries(FIRST).get(code)
    if entry is None:
        return _bare(code, params)
    try:
        return _Sentence(lang, params).vformat(entry, (), params)
    except (ValueError, TypeError, LookupError, AttributeError):
        return _bare(code, params)


def known(code: str, lang: str = FIRST) -> bool:
    """Whether `lang` has a sentence for `code`."""
    return code in entries(lang)


def term(kind: str, value: Any, lang: str = FIRST) -> str:
    """A word of ours, e.g. `term("sector", "private")`; the value itself when it is none of ours, — when unknown."""
    if value is None or value == "":
        return UNKNOWN
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    code = f"words.{shown}" if isinstance(value, bool) or shown.startswith("@") else f"{kind}.{shown}"
    return say(code, lang) if known(code, lang) else shown


def condition(fact: str, op: str, than: Any, lang: str = FIRST) -> str:
    """A test of one fact of an expert in words, e.g. 年龄小于 70。"""
    if isinstance(than, bool):
        own = f"test.{fact}.{str(than).lower()}"
        return say(own if known(own, lang) else f"test.{str(than).lower()}", lang, fact=fact)
    own = f"test.{fact}.{op}"
    return say(own if known(own, lang) else "test.other", lang, fact=fact, op=op, than=than)


def because(reason: Mapping[str, Any], lang: str = FIRST) -> str:
    """Why a value is refused (`solver.errors.reason`), in words; never raises."""
    code = str(reason["code"])
    if not known(code, lang):
        return say("invalid.other", lang, kind=code.rpartition(".")[2])
    return say(code, lang, **{name: value for name, value in reason.items() if name not in ("code", "lang")})


def placeholders(entry: str) -> frozenset[str]:
    """The names of the parameters that an entry uses."""
    names: set[str] = set()
    for _, field, spec, _ in Formatter().parse(entry):
        if field is not None:
            names.add(field)
            spec = spec or ""
            names |= {spec[2:]} if spec.startswith("..") else placeholders(spec)
    return frozenset(names)


@lru_cache(4096)
def _parsed(entry: str) -> tuple[Any, ...]:
    """The parts of an entry: there are few entries, and each is said again and again."""
    return tuple(Formatter().parse(entry))


class _Sentence(Formatter):
    def __init__(self, lang: str, params: Mapping[str, Any]) -> None:
        self.lang, self.params = lang, params

    def parse(self, format_string: Any) -> Any:
        return _parsed(str(format_string))

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key))

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        return kwargs.get(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        kind, rest = format_spec[:1], format_spec[1:]
        if format_spec.startswith(".."):
            high = self.params.get(format_spec[2:])
            return str(value) if value == high else say("words.range", self.lang, low=value, high=high)
        if kind == "&":
            return condition(str(value), str(self.params.get("op")), self.params.get("than"), self.lang)
        if kind == "?":
            return "" if value is None or value is False or value == "" else rest
        if value is None:
            return UNKNOWN
        if kind == "|":
            one, _, many = rest.partition("|")
            return one if value == 1 else many
        if isinstance(value, list | tuple | set | frozenset):
            items: Iterable[Any] = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return say("words.and", self.lang).join(self.format_field(item, format_spec) for item in items)
        if kind == "~":
            return term(rest, written_date(value, self.lang) if _is_day(value) else value, self.lang)
        if kind == "%":
            return percent(value)
        if kind == "@":
            return written_date(value, self.lang)
        if isinstance(value, Mapping) and "code" in value:
            return because(value, self.lang)
        if isinstance(value, bool):
            return term("words", value, self.lang)
        if isinstance(value, str) and format_spec:
            return value
        return format(value, format_spec)


def percent(share: Any) -> str:
    """A share of 0..1 as a percentage without needless digits; what is no number comes back as it is."""
    from fractions import Fraction

    try:
        number = Fraction(str(share)) * 100
    except (ValueError, ZeroDivisionError):
        return str(share)
    return f"{float(number):.1f}".removesuffix(".0") + "%"


def written_date(on: Any, lang: str = FIRST) -> str:
    """An ISO date as `lang` writes it; what is no date comes back as it is."""
    try:
        day = on if isinstance(on, date) else date.fromisoformat(str(on))
    except ValueError:
        return str(on)
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _is_day(value: Any) -> bool:
    """Whether it is a day, not merely a number that might be read as one."""
    return isinstance(value, date) or (isinstance(value, str) and len(value) == 10 and value[4::3] == "--")


def _bare(code: str, params: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name}={UNKNOWN if value is None else value}" for name, value in params.items())
    return f"{code} ({said})" if said else code


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
