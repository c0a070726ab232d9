"""The application: every router under /api/v1, faults as problem documents."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from fastapi import APIRouter, FastAPI

from api import tracing
from api.http import openapi, problems
from api.http.service import Service
from api.page import app as page

PREFIX = "/api/v1"

ROUTERS: tuple[str, ...] = (
    "experts",
    "standings",
    "records",
    "conflicts",
    "conflict_graphs",
    "runs",
    "schedules",
    "panels",
    "previews",
    "by_hand",
    "sealed_panels",
    "seals",
    "problems",
    "policies",
    "schemes",
    "schemas",
    "audits",
    "organisers",
    "committees",
    "agendas",
    "applications",
    "employers",
    "specialties",
    "tables",
    "ledger",
    "notice_addresses",
    "notices",
    "notice_channels",
    "own_record",
    "own_cycles",
    "cycles",
    "cycle_cases",
    "pools_evaluated",
    "organisations",
    "scenarios",
    "simulations",
    "privacy",
    "erasures",
    "sign_in",
    "identity_provider",
    "tokens",
    "accounts",
)
"""The modules of `api.http.routes`, each with its `router`, in the order of the documentation, which is also the order in
which a path is looked for: what is asked most stands first."""

LAYERS: tuple[str, ...] = (
    "api.http.routes.health:install",
    "api.http.routes.metrics:install",
    "api.http.direct:install",
    "api.http.guard:guard",
)
"""What else makes the application whole, as `module:function`: each function gets the application once. A middleware
that a later one adds lies outside the earlier ones."""


def create_app(service: Service) -> FastAPI:
    """The application over an open service. It closes nothing: whoever opened the service does."""
    app = FastAPI(
        title="expert-pool",
        version="1",
        summary="专家库与评审委员会组建服务 · a registry of review experts and lawful panels",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        generate_unique_id_function=openapi.operation_id,
        separate_input_output_schemas=False,
        redirect_slashes=False,
        telemetry=tracing.OFF,
    )
    app.state.service = service
    for name in ROUTERS:
        router: APIRouter = import_module(f"api.http.routes.{name}").router
        app.include_router(router, prefix=PREFIX, responses=openapi.ALWAYS)
    for place in LAYERS:
        module, _, function = place.partition(":")
        install: Callable[[FastAPI], None] = getattr(import_module(module), function)
        install(app)
    problems.install(app)
    page.install(app)
    openapi.install(app)
    return app
