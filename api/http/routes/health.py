"""Probes: whether the process lives, and whether it can do its work. Open to everybody; they say nothing else."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http import vitals
from api.http.service import Served
from expert_pool.store import HEAD
from solver.errors import Fault

router = APIRouter(include_in_schema=False)


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """What the service needs to do its work."""

    model_config = ConfigDict(extra="forbid")

    ready: bool = Field(description="Whether requests should be sent here.")
    database: bool = Field(description="Whether the database answered.")
    migrations: bool = Field(description="Whether its tables are those of this version.")
    key: bool = Field(description="Whether this process has the key of the database; false after a rotation.")
    stopping: bool = Field(description="Whether the service was told to stop.")
    workers: int = Field(
        description="Workers heard of in the last 15 seconds; 0: requests wait, nothing is lost."
    )


@router.get("/healthz", response_model=Alive)
async def alive() -> Alive:
    """Whether the process lives. It asks nothing else."""
    return Alive()


@router.get("/readyz", response_model=Readiness)
def ready(request: Request, response: Response, service: Served) -> Readiness:
    """Whether the database answers, its tables and key are this process's own, and the service is not stopping."""
    database, revision, key, workers = True, None, False, 0
    try:
        with service.store.reading() as session:
            revision = vitals.revision(session)
            if revision == HEAD:
                key = vitals.key_check(session) == service.store.key.check()
                workers = vitals.workers_alive(session)
    except Fault:
        database = False
    stopping = request.app.state.traffic.stopping
    found = Readiness(
        ready=database and revision == HEAD and key and not stopping,
        database=database,
        migrations=revision == HEAD,
        key=key,
        stopping=stopping,
        workers=workers,
    )
    response.status_code = 200 if found.ready else 503
    return found


def install(app: FastAPI) -> None:
    """Probes stand beside the API, not in it: they have no version."""
    app.include_router(router)
