"""Who came, left and moved, in words."""

from __future__ import annotations

from expert_pool.documents.view import View
from expert_pool.words import say
from solver.moves import Moves, Stand

MOST = 8
"""More moves than this are counted, not told."""


def stand(view: View, at: Stand) -> str:
    """A place in words."""
    return say(
        "explain.stand",
        view.lang,
        group=view.group(at.group),
        role=view.term("role", at.role),
        order=at.order,
    )


def tell_moves(view: View, people: Moves, *known_to_go: str, most: int = MOST) -> list[str]:
    """One phrase a move, arrivals first; those already `known_to_go` are not told to leave again."""

    def word(name: str, **params: object) -> str:
        return say(f"explain.{name}", view.lang, **params)

    told = [word("comes", expert=came.expert, stand=stand(view, came.at)) for came in people.came]
    told += [
        word("leaves", expert=left.expert, stand=stand(view, left.at))
        for left in people.left
        if left.expert not in known_to_go
    ]
    told += [
        word("moves", expert=move.expert, was=stand(view, move.was), now=stand(view, move.now))
        for move in people.moved
    ]
    return told if len(told) <= most else [*told[:most], word("more_moves", count=len(told) - most)]
