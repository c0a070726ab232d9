"""A basis in one language. Policies cite it as `中文 / English; parameter: 中文 / English (D)`, a problem keeps it so."""

from __future__ import annotations

import re

from expert_pool.words.catalogue import FIRST
from expert_pool.words.sentence import say, term

_CLAUSE = re.compile(
    r"(?:(?P<parameter>[a-z][a-z0-9_]*): )?(?P<text>.*?)(?: \((?P<status>V1|V2|M|D)\))?", re.DOTALL
)

_OVERRIDE = re.compile(r"override (?P<on>\d{4}-\d\d-\d\d)")
"""The basis of a parameter that an office set itself."""


def cited(basis: str, lang: str = FIRST) -> str:
    """What a basis says in `lang`, without the status of its parameters: the least sure of them is that of the rule.

    Text that is not written in two languages comes back as it is.
    """
    return say("words.clause", lang).join(_clause(clause, lang) for clause in basis.split("; "))


def _clause(clause: str, lang: str) -> str:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return clause
    first, _, other = found["text"].partition(" / ")
    text = first if lang == FIRST or not other else other
    if override := _OVERRIDE.fullmatch(text):
        text = say("words.overridden", lang, on=override["on"])
    if found["parameter"] is None:
        return text + (f" ({found['status']})" if found["status"] else "")
    parameter = term("parameter", found["parameter"], lang)
    return say("words.set_by", lang, parameter=parameter, text=text)
