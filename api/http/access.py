"""Who asks, and whether they may: the dependency every route names its right with."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from expert_pool.accounts.rights import Principal, Right
from solver.errors import Fault


def allowed(right: Right) -> Callable[[Request], Principal]:
    """A dependency that gives the principal of the request, or raises Fault `access.unknown` (401: nobody signed in)
    or `access.denied` (403: signed in, without the right).

    `dependency.right` tells the access matrix which right a route asks for.
    """

    def principal(request: Request) -> Principal:
        found: Principal | None = getattr(request.state, "principal", None)
        if found is None:
            raise Fault("access.unknown")
        if not found.may(right):
            raise Fault("access.denied", str(right), right=str(right), actor=found.actor)
        return found

    principal.right = right  # type: ignore[attr-defined]
    return principal
