"""A reason in words: what it found, and what would have to be otherwise for it to fall away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expert_pool.reevaluation.asks import FLAG, only_asks
from expert_pool.words import known, say


def reason_words(code: str, figures: Mapping[str, Any], lang: str) -> str:
    """What a reason found. That of a flag says also how often chance alone does as much."""
    flagged = code.startswith(FLAG)
    said = say(code if known(code, lang) else FLAG, lang, **figures)
    if not flagged or not known(code, lang) or code == FLAG:
        return said
    return said + say("measurement.chance", lang, **figures)


def otherwise_words(code: str, otherwise: Mapping[str, Any], lang: str) -> str:
    """What would have to be otherwise, as the end of the sentence that `reason_words` began."""
    kind = FLAG if only_asks(code) and code.startswith(FLAG) else code
    return say(f"otherwise.{kind}", lang, **otherwise)
