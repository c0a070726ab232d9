"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from api.settings import Settings
from expert_pool.store import Store

if TYPE_CHECKING:
    from api.jobs.engine import JobEngine


@dataclass(frozen=True, slots=True)
class Service:
    """The open database, the job engine and the settings of one API process; `app.state.service`."""

    store: Store
    jobs: JobEngine
    settings: Settings


async def service_of(request: Request) -> Service:
    """The service behind the application that took the request."""
    return cast(Service, request.app.state.service)


Served = Annotated[Service, Depends(service_of)]
"""The parameter of a route that needs the service."""
