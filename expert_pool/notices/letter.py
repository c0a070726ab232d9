"""The words of a notice: from the catalogues, and nowhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expert_pool.words import say

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PARTS = ("subject", "text", "short")
SHORT = 300
"""The longest short message, in characters."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice in one language: a subject of one line, the text, and a short form for messages and calls."""

    subject: str
    text: str
    short: str

    def html(self, language: str) -> str:
        """The same as a page for mail programs. Whatever the parameters held, it holds no markup but ours."""
        paragraphs = "\n".join(
            f"<p>{html.escape(line)}</p>" for line in self.text.split("\n") if line.strip()
        )
        title = html.escape(self.subject)
        return (
            f'<!DOCTYPE html>\n<html lang="{html.escape(language)}">\n<head><meta charset="utf-8">'
            f'<title>{title}</title></head>\n<body style="font-family:sans-serif;line-height:1.6">\n'
            f'<h1 style="font-size:1.2em">{title}</h1>\n{paragraphs}\n</body>\n</html>\n'
        )


def letter(kind: str, params: Mapping[str, Any], language: str) -> Letter:
    """The words of a notice of a kind: the entries `notice.<kind>.subject`, `.text` and `.short`; of one that tells of
    several things at once (`which`) those below `notice.<kind>.digest`."""
    entry = f"notice.{kind}.digest" if "which" in params else f"notice.{kind}"
    given = {name: value for name, value in params.items() if name != "lang"}
    subject, text, short = (say(f"{entry}.{part}", language, **given) for part in PARTS)
    return Letter(one_line(subject)[:200], _UNSEEN.sub("", text), one_line(short)[:SHORT])


def one_line(text: str) -> str:
    """Text without line breaks or control characters, fit for a header."""
    return " ".join(_UNSEEN.sub("", _BREAKS.sub(" ", text)).split())
