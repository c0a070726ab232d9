"""The initials of a name in pinyin, for finding people as clerks type them: 李建国 is `ljg`.

They are worked out of the name and follow it wherever it goes: into the registry, through corrections, out when personal data
are erased. They tell nothing that the name beside them does not, so they are kept in the clear as it is.
"""

from __future__ import annotations

from functools import lru_cache

SURNAMES = {
    "单": "s", "曾": "z", "仇": "q", "解": "x", "朴": "p", "查": "z", "盖": "g", "区": "o", "翟": "z", "缪": "m",
    "尉迟": "yc", "万俟": "mq", "长孙": "zs", "冼": "x", "折": "s", "员": "y", "乐": "y", "覃": "q", "卜": "b",
    "种": "c", "秘": "b", "召": "s", "教": "j", "都": "d", "石": "s", "车": "c", "宓": "m", "黑": "h",
}  # fmt: skip
"""How characters with several readings are read in surnames (姓氏读音, 现代汉语词典)."""
_LONGEST = 40


@lru_cache(4096)
def initials(name: str) -> str:
    """The first letters of the syllables of a name, in lower case; of letters that are no Chinese ones the words' first.
    Brackets and what stands in them are left out. Up to 40 letters."""
    from pypinyin import Style, lazy_pinyin

    plain = name.split("（")[0].split("(")[0].strip()
    begun = next((one for one in (plain[:2], plain[:1]) if one in SURNAMES), "")
    read = lazy_pinyin(plain[len(begun) :], style=Style.FIRST_LETTER, errors=_first_letters)
    return (SURNAMES.get(begun, "") + "".join(read)).lower()[:_LONGEST]


def _first_letters(text: str) -> str:
    return "".join(word[0] for word in text.replace("·", " ").replace("-", " ").split() if word[0].isalnum())


def as_initials(typed: str) -> str | None:
    """What was typed, where it may be the beginning of initials: letters only; else None."""
    return typed.lower() if typed.isascii() and typed.isalpha() and len(typed) <= _LONGEST else None
