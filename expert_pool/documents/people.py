"""The people behind the pseudonyms, as far as the reader of a document may know them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from solver.problem import Problem


@dataclass(frozen=True, slots=True)
class Person:
    """What a document may say of one expert; empty where unknown or sealed.

    `sector` and `rank` are the registry's values (`private`, `full_senior`), or free text.
    """

    name: str
    employer: str = ""
    sector: str = ""
    rank: str = ""
    region: str = ""
    specialties: tuple[str, ...] = ()


RANKS = ("junior", "mid", "deputy_senior", "full_senior")


def people_in(problem: Problem, who: Iterable[str]) -> dict[str, Person]:
    """The nameless people of a problem file: pseudonyms with the sector, rank, region and specialties it holds."""
    index = {expert: i for i, expert in enumerate(problem.experts)}

    def fact(name: str, expert: int) -> int | bool | str | None:
        return problem.facts[name].show(expert) if name in problem.facts else None

    found: dict[str, Person] = {}
    for pseudonym in who:
        expert = index.get(pseudonym)
        if expert is None:
            continue
        rank = fact("rank", expert)
        found[pseudonym] = Person(
            name=pseudonym,
            employer=str(fact("employer", expert) or ""),
            sector=str(fact("sector", expert) or ""),
            rank=RANKS[rank - 1] if isinstance(rank, int) and 1 <= rank <= len(RANKS) else str(rank or ""),
            region=str(fact("region", expert) or ""),
            specialties=tuple(problem.specialties.name[s] for s in sorted(problem.held[expert])),
        )
    return found
