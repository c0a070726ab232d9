"""The service's settings: environment variables that begin with EXPERT_POOL_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from solver.errors import Fault, reason

Listed = Annotated[tuple[str, ...], NoDecode]
"""Several words in one variable, with commas between them."""


class Settings(BaseSettings):
    """What an installation may set; every value has a sane default."""

    model_config = SettingsConfigDict(env_prefix="EXPERT_POOL_", extra="ignore", frozen=True)

    database: str = "sqlite:///expert-pool.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    files: Path = Path("expert-pool-files")
    """Where files of notices go."""
    workers: int = Field(default=1, ge=0, le=64)
    """Worker processes that `serve` starts beside the API; 0 where `expert-pool worker` runs elsewhere."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_token: SecretStr = SecretStr("")
    """Who sends it as a bearer token may read /metrics from anywhere; without it only this machine may."""

    hosts: Listed = ("*",)
    """Names the service answers to (the Host header); `*` is any, `*.example.org` any below."""
    private_hosts: Listed = ()
    """Hosts (names, addresses, networks) that notices' channels may reach although they are not on the open internet."""
    proxies: Listed = ()
    """Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    body_bytes: int = Field(default=50_000_000, ge=1)
    """The largest request body accepted."""
    anonymous_body_bytes: int = Field(default=65_536, ge=1)
    """The largest body of a request that carries neither cookie nor token."""
    header_bytes: int = Field(default=32_768, ge=1024)
    header_seconds: float = Field(default=10.0, gt=0)
    """How long a connection may take to send the head of its first request."""
    body_seconds: float = Field(default=20.0, gt=0)
    """How long a body may take to arrive, and for every `body_pace` bytes that did a second more."""
    body_pace: int = Field(default=10_000, ge=1)
    request_seconds: float = Field(default=60.0, gt=0)
    """How long an answer may take to begin."""
    grace_seconds: float = Field(default=20.0, ge=0)
    """How long requests and jobs under way have to end when the service is told to stop."""
    threads: int = Field(default=15, ge=1, le=1000)
    """Requests worked on at the same moment in one process; not more than the database has connections."""
    concurrent: int = Field(default=512, ge=1)
    """Requests under way at once; more are asked to come again."""

    solves: int = Field(default=2, ge=1, le=64)
    """Panels and other problems that one worker process solves at once."""
    runs_days: int = Field(default=90, ge=1)
    """How long background work that has ended, and what came of it, can be asked for."""

    account_rate: float = Field(default=1000.0, gt=0)
    """Requests a second of one session or token; `account_burst` at once."""
    account_burst: int = Field(default=2000, ge=1)
    address_rate: float = Field(default=50.0, gt=0)
    """Requests a second of one address that carry neither, or are refused with 401; `address_burst` at once."""
    address_burst: int = Field(default=500, ge=1)
    sign_in_rate: float = Field(default=2.0, gt=0)
    """Attempts a second of one address to sign in; `sign_in_burst` at once."""
    sign_in_burst: int = Field(default=60, ge=1)

    public_url: str = Field(default="", pattern=r"^(https?://[^/?#\s]+)?$")
    """Where browsers find the service, e.g. https://pool.example.org: cookies are bound to TLS by it, and OIDC needs it."""
    second_factor: Literal["offered", "required"] = "offered"
    """Whether accounts with a password must set up a second factor before they may do anything."""
    session_idle_minutes: float = Field(default=30.0, gt=0)
    session_hours: float = Field(default=12.0, gt=0)
    """A session ends after so long unused, and after so long at all."""
    oidc_issuer: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """The identity provider people may sign in with; plain http only on this machine."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")

    @field_validator("hosts", "proxies", "private_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def read_settings(**given: Any) -> Settings:
    """The settings of the environment; what is `given` and not None goes before. Raises Fault `settings.bad`."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        variable = "EXPERT_POOL_" + "_".join(str(part) for part in first["loc"]).upper()
        raise Fault("settings.bad", variable=variable, reason=reason(first)) from None
